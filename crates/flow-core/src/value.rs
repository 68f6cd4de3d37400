//! Values: what steps take and give. Cheap to clone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::amount::{Duration, Money, Size, Timestamp};
use crate::path::Key;
use crate::ty::Media;

/// A value of some [`Type`](crate::ty::Type).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Nothing: an optional without a value, or JSON's null.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A text, the name of a model, or of a step.
    Text(Arc<str>),
    /// A length of time.
    Duration(Duration),
    /// An amount of money.
    Money(Money),
    /// An instant.
    Time(Timestamp),
    /// A size in pixels.
    Size(Size),
    /// A value of an enumeration, by its word in the language.
    Enum(Arc<str>),
    /// A list.
    List(Arc<List>),
    /// A record or a map; the type tells which.
    Record(Arc<BTreeMap<Arc<str>, Value>>),
    /// A reference to an artifact.
    Artifact(Arc<Artifact>),
    /// A secret, by its name; what it hides is never a value.
    Secret(Arc<str>),
}

/// A list. One that a `for` made carries the keys of its items.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The items.
    pub items: Vec<Value>,
    /// A key for each item, if they have any.
    pub keys: Option<Vec<Key>>,
}

impl PartialEq for List {
    /// Keys say where items come from, not what they are.
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl From<Vec<Value>> for List {
    fn from(items: Vec<Value>) -> Self {
        Self { items, keys: None }
    }
}

/// A file in the store, by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// The BLAKE3 digest of its bytes, in hex.
    pub digest: Arc<str>,
    /// What it is.
    pub media: Media,
    /// How many bytes it has.
    pub bytes: u64,
    /// What can be read without opening it: `width`, `height`, `seconds`, ….
    pub facts: BTreeMap<Arc<str>, Value>,
}

impl Value {
    /// Makes a text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Adds the names of the secrets that it refers to.
    pub fn secrets(&self, found: &mut BTreeSet<Arc<str>>) {
        match self {
            Self::Secret(name) => {
                found.insert(name.clone());
            }
            Self::List(list) => list.items.iter().for_each(|item| item.secrets(found)),
            Self::Record(fields) => fields.values().for_each(|field| field.secrets(found)),
            Self::None
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Duration(_)
            | Self::Money(_)
            | Self::Time(_)
            | Self::Size(_)
            | Self::Enum(_)
            | Self::Artifact(_) => {}
        }
    }

    /// Makes a list.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items.into()))
    }
}
