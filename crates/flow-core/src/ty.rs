//! Types. They are structural: a name is kept for people and never compared.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::amount::{Duration, Money};

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Letters.
    Text(TextRule),
    /// Whole numbers of 64 bits.
    Int(Bounds<i64>),
    /// Finite numbers with a fraction.
    Float(Bounds<f64>),
    /// `true` and `false`.
    Bool,
    /// Lengths of time.
    Duration(Bounds<Duration>),
    /// Amounts of money.
    Money(Bounds<Money>),
    /// Instants.
    Time,
    /// Sizes in pixels.
    Size,
    /// Names of models.
    Model,
    /// Anything that JSON can say.
    Json,
    /// A secret, known by its name only.
    Secret,
    /// A reference to a step.
    Step,
    /// A reference to an artifact.
    Media(Media),
    /// Lists.
    List(ListType),
    /// Maps from texts.
    Map(Arc<Type>),
    /// A value or `none`. Optionals don't nest.
    Optional(Arc<Type>),
    /// Records.
    Record(Arc<RecordType>),
    /// One of several words.
    Enum(Arc<EnumType>),
    /// The type parameter of a declared step; only inside declarations.
    Param,
    /// The type of `none` before its place gives it one; never in a plan.
    None,
}

/// What an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// A picture.
    Image,
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
    /// Any bytes.
    File,
}

/// The least and the greatest value, both allowed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds<T> {
    /// The least.
    pub min: Option<T>,
    /// The greatest.
    pub max: Option<T>,
}

impl<T> Default for Bounds<T> {
    fn default() -> Self {
        Self {
            min: None,
            max: None,
        }
    }
}

/// What a text must look like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRule {
    /// The number of characters.
    pub length: Bounds<u64>,
    /// A regular expression that the whole text must fit.
    pub matching: Option<Arc<str>>,
}

impl Eq for Bounds<u64> {}

/// A list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListType {
    /// What it holds.
    pub item: Arc<Type>,
    /// How many of it.
    pub length: Bounds<u64>,
}

/// A record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordType {
    /// The name it was declared with.
    pub name: Option<Arc<str>>,
    /// Its fields, in the order of their declaration.
    pub fields: Vec<FieldType>,
}

/// A field of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldType {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// What it is for, told to people and to models.
    pub docs: Arc<str>,
}

impl RecordType {
    /// Returns a field by its name.
    pub fn field(&self, name: &str) -> Option<&FieldType> {
        self.fields.iter().find(|field| &*field.name == name)
    }

    /// Returns a field by its name, found at once if it is at that position.
    pub(crate) fn field_near(&self, name: &str, at: usize) -> Option<&FieldType> {
        let here = self.fields.get(at).filter(|field| &*field.name == name);
        here.or_else(|| self.field(name))
    }
}

impl PartialEq for RecordType {
    /// Records are equal if their fields are, in any order.
    fn eq(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len()
            && self.fields.iter().enumerate().all(|(at, field)| {
                other
                    .field_near(&field.name, at)
                    .is_some_and(|twin| twin.ty == field.ty)
            })
    }
}

/// An enumeration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumType {
    /// The name it was declared with.
    pub name: Option<Arc<str>>,
    /// Its values, in the order of their declaration.
    pub variants: Vec<VariantType>,
}

/// A value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantType {
    /// The word in the language.
    pub name: Arc<str>,
    /// The word outside of it: in JSON, in a provider's request.
    pub outside: Arc<str>,
}

impl PartialEq for EnumType {
    fn eq(&self, other: &Self) -> bool {
        self.variants == other.variants
    }
}

impl EnumType {
    /// Returns a value by its word.
    pub fn variant(&self, name: &str) -> Option<&VariantType> {
        self.variants.iter().find(|variant| &*variant.name == name)
    }
}

impl Type {
    /// Any text.
    pub fn text() -> Self {
        Self::Text(TextRule::default())
    }

    /// Any whole number.
    pub fn int() -> Self {
        Self::Int(Bounds::default())
    }

    /// Any number.
    pub fn float() -> Self {
        Self::Float(Bounds::default())
    }

    /// A list of any length.
    pub fn list(item: Self) -> Self {
        Self::List(ListType {
            item: Arc::new(item),
            length: Bounds::default(),
        })
    }

    /// This or `none`; an optional stays as it is.
    #[must_use]
    pub fn optional(self) -> Self {
        if matches!(self, Self::Optional(_) | Self::None) {
            self
        } else {
            Self::Optional(Arc::new(self))
        }
    }

    /// The type of a value that is there.
    #[must_use]
    pub fn present(&self) -> &Self {
        if let Self::Optional(inner) = self {
            inner
        } else {
            self
        }
    }
}

impl Media {
    /// Returns what can be read of an artifact without opening it.
    pub fn facts(self) -> Vec<(&'static str, Type)> {
        let mut facts = match self {
            Self::Image => vec![("width", Type::int()), ("height", Type::int())],
            Self::Video => vec![
                ("width", Type::int()),
                ("height", Type::int()),
                ("seconds", Type::float()),
                ("fps", Type::float()),
            ],
            Self::Audio => vec![
                ("seconds", Type::float()),
                ("rate", Type::int()),
                ("channels", Type::int()),
            ],
            Self::File => Vec::new(),
        };
        facts.extend([("bytes", Type::int()), ("digest", Type::text())]);
        facts
    }
}
