//! Whether a value is of a type, and where it isn't.
//!
//! Used wherever a value comes from outside the checker's sight: replies of
//! models, inputs of a run, values that must fit a narrower type.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use regex_lite::Regex;

use crate::literal::{excerpt, number_text};
use crate::ty::{Bounds, EnumType, ListType, Media, RecordType, TextRule, Type};
use crate::value::Value;

/// How deep values may nest.
pub const DEPTH_MAX: usize = 64;

/// A place where a value isn't of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The way to the place: `[3].mood`; empty for the value itself.
    pub place: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is something else, or out of its bounds.
    #[error("expected `{expected}`, found {found}")]
    Unlike {
        /// The type.
        expected: String,
        /// The value, in short.
        found: String,
    },
    /// It isn't one of the words of an enumeration.
    #[error("`{found}` is none of {}", listing(.words))]
    Word {
        /// The value.
        found: Box<str>,
        /// The words that are possible.
        words: Vec<Arc<str>>,
    },
    /// A field isn't there.
    #[error("the field `{field}` is missing")]
    Missing {
        /// The field.
        field: Arc<str>,
    },
    /// A field shouldn't be there.
    #[error("there is no field `{field}` in {}", listing(.fields))]
    Unknown {
        /// The field.
        field: Box<str>,
        /// The fields that there are.
        fields: Vec<Arc<str>>,
    },
    /// It goes too deep.
    #[error("values nest at most {DEPTH_MAX} levels")]
    Deep,
    /// It is a secret where none may be.
    #[error("a secret can't be written here")]
    Secret,
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "`{}`: ", self.place)?;
        }
        self.problem.fmt(f)
    }
}

impl From<Problem> for Mismatch {
    fn from(problem: Problem) -> Self {
        Self {
            place: String::new(),
            problem,
        }
    }
}

impl Mismatch {
    /// Returns it as seen from a record that has it in a field.
    #[must_use]
    pub fn in_field(mut self, field: &str) -> Self {
        let dot = match self.place.chars().next() {
            None | Some('[') => "",
            Some(_) => ".",
        };
        self.place = format!("{}{dot}{}", excerpt(field), self.place);
        self
    }

    /// Returns it as seen from a list that has it in an item.
    #[must_use]
    pub fn in_item(mut self, at: usize) -> Self {
        let dot = match self.place.chars().next() {
            None | Some('[') => "",
            Some(_) => ".",
        };
        self.place = format!("[{at}]{dot}{}", self.place);
        self
    }
}

/// Writes words as ``a`, `b` and `c``.
pub(crate) fn listing(words: &[Arc<str>]) -> String {
    let mut out = String::new();
    for (at, word) in words.iter().enumerate() {
        out.push_str(match at {
            0 => "",
            _ if at + 1 == words.len() => " and ",
            _ => ", ",
        });
        out.extend(["`", word, "`"]);
    }
    if out.is_empty() {
        out.push_str("nothing");
    }
    out
}

/// Says that a value isn't of a type.
pub(crate) fn unlike(ty: &Type, value: &Value) -> Mismatch {
    Problem::Unlike {
        expected: ty.to_string(),
        found: in_short(value),
    }
    .into()
}

/// Returns a value as messages show it.
pub fn in_short(value: &Value) -> String {
    match value {
        Value::None => "`none`".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Int(number) => format!("`{number}`"),
        Value::Float(number) => format!("`{}`", number_text(*number)),
        Value::Text(text) => format!("`\"{}\"`", excerpt(text)),
        Value::Duration(duration) => format!("`{duration}`"),
        Value::Money(money) => format!("`{money}`"),
        Value::Time(instant) => format!("`{instant}`"),
        Value::Size(size) => format!("`{size}`"),
        Value::Enum(word) => format!("`{}`", excerpt(word)),
        Value::List(list) => match list.items.len() {
            0 => "an empty list".to_owned(),
            1 => "a list of one item".to_owned(),
            more => format!("a list of {more} items"),
        },
        Value::Record(record) if record.is_empty() => "an empty record".to_owned(),
        Value::Record(record) => {
            let names: Vec<_> = record.keys().take(4).map(|name| &**name).collect();
            let more = if record.len() > names.len() {
                ", …"
            } else {
                ""
            };
            format!("a record `{{ {}{more} }}`", excerpt(&names.join(", ")))
        }
        Value::Artifact(artifact) => format!("`{}`", artifact.media),
        Value::Secret(_) => "a secret".to_owned(),
    }
}

/// A regular expression that a text should match is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no regular expression: {reason}")]
pub struct PatternError {
    /// The expression.
    pub pattern: Box<str>,
    /// What is wrong with it.
    pub reason: Box<str>,
}

/// Makes the expression that matches a whole text.
pub fn pattern(text: &str) -> Result<Regex, PatternError> {
    let error = |error: regex_lite::Error| PatternError {
        pattern: excerpt(text),
        reason: error.to_string().into(),
    };
    // Alone first: `a)|(b` is an expression only inside a group.
    Regex::new(text).map_err(error)?;
    Regex::new(&format!(r"^(?:{text})$")).map_err(error)
}

impl Type {
    /// Checks that a value is of this type.
    pub fn check(&self, value: &Value) -> Result<(), Mismatch> {
        Checker::default().value(self, value, 0)
    }
}

/// Keeps compiled patterns, since a list may need one many times.
#[derive(Default)]
pub(crate) struct Checker {
    patterns: BTreeMap<Arc<str>, Option<Regex>>,
}

impl Checker {
    /// Checks a value at a depth.
    pub(crate) fn value(&mut self, ty: &Type, value: &Value, depth: usize) -> Result<(), Mismatch> {
        if depth > DEPTH_MAX {
            return Err(Problem::Deep.into());
        }
        let fits = match (ty, value) {
            (Type::Optional(_), Value::None) => true,
            (Type::Optional(inner), value) => {
                return self
                    .value(inner, value, depth)
                    .map_err(|mismatch| widened(mismatch, ty, inner));
            }
            (Type::List(list), Value::List(found)) => {
                if !holds(&list.length, &length(found.items.len())) {
                    return Err(unlike(ty, value));
                }
                return self.items(list, &found.items, depth);
            }
            (Type::Map(inner), Value::Record(found)) => {
                for (key, item) in &**found {
                    self.value(inner, item, depth + 1)
                        .map_err(|mismatch| mismatch.in_field(key))?;
                }
                true
            }
            (Type::Record(record), Value::Record(found)) => {
                return self.record(record, found, depth);
            }
            (Type::Enum(words), Value::Enum(word)) => return word_of(words, word),
            (Type::Json, value) => return json(value, depth),
            (Type::Param, _) => true,
            (ty, value) => self.scalar(ty, value),
        };
        if fits { Ok(()) } else { Err(unlike(ty, value)) }
    }

    fn items(&mut self, list: &ListType, items: &[Value], depth: usize) -> Result<(), Mismatch> {
        for (at, item) in items.iter().enumerate() {
            self.value(&list.item, item, depth + 1)
                .map_err(|mismatch| mismatch.in_item(at))?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        record: &RecordType,
        found: &BTreeMap<Arc<str>, Value>,
        depth: usize,
    ) -> Result<(), Mismatch> {
        for field in &record.fields {
            let Some(value) = found.get(&field.name) else {
                let field = field.name.clone();
                return Err(Problem::Missing { field }.into());
            };
            self.value(&field.ty, value, depth + 1)
                .map_err(|mismatch| mismatch.in_field(&field.name))?;
        }
        if found.len() == record.fields.len() {
            return Ok(());
        }
        match found.keys().find(|name| record.field(name).is_none()) {
            Some(name) => Err(unknown(record, name)),
            None => Ok(()),
        }
    }

    fn scalar(&mut self, ty: &Type, value: &Value) -> bool {
        match (ty, value) {
            (Type::Text(rule), Value::Text(text)) => self.text(rule, text),
            (Type::Int(bounds), Value::Int(number)) => holds(bounds, number),
            (Type::Float(bounds), Value::Float(number)) => {
                number.is_finite() && holds(bounds, number)
            }
            (Type::Duration(bounds), Value::Duration(duration)) => holds(bounds, duration),
            (Type::Money(bounds), Value::Money(money)) => holds(bounds, money),
            (Type::Media(wanted), Value::Artifact(artifact)) => {
                *wanted == Media::File || *wanted == artifact.media
            }
            (ty, value) => matches!(
                (ty, value),
                (Type::Bool, Value::Bool(_))
                    | (Type::Time, Value::Time(_))
                    | (Type::Size, Value::Size(_))
                    | (Type::Model | Type::Step, Value::Text(_))
                    | (Type::Secret, Value::Secret(_))
                    | (Type::None, Value::None)
            ),
        }
    }

    fn text(&mut self, rule: &TextRule, text: &str) -> bool {
        let unbounded = rule.length == Bounds::default();
        if !unbounded && !holds(&rule.length, &length(text.chars().count())) {
            return false;
        }
        let Some(wanted) = &rule.matching else {
            return true;
        };
        let known = self
            .patterns
            .entry(wanted.clone())
            .or_insert_with(|| pattern(wanted).ok());
        // The compiler has refused patterns that are none; nothing fits one.
        known.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Says what an optional would have taken, where the value itself is wrong.
fn widened(mismatch: Mismatch, ty: &Type, inner: &Type) -> Mismatch {
    match mismatch.problem {
        Problem::Unlike { expected, found }
            if mismatch.place.is_empty() && expected == inner.to_string() =>
        {
            let expected = ty.to_string();
            Problem::Unlike { expected, found }.into()
        }
        problem @ (Problem::Unlike { .. }
        | Problem::Word { .. }
        | Problem::Missing { .. }
        | Problem::Unknown { .. }
        | Problem::Deep
        | Problem::Secret) => Mismatch {
            place: mismatch.place,
            problem,
        },
    }
}

/// Says that a record has no such field.
pub(crate) fn unknown(record: &RecordType, field: &str) -> Mismatch {
    Problem::Unknown {
        field: excerpt(field),
        fields: record
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect(),
    }
    .into()
}

fn word_of(words: &EnumType, word: &str) -> Result<(), Mismatch> {
    match words.variant(word) {
        Some(_) => Ok(()),
        None => Err(Problem::Word {
            found: excerpt(word),
            words: words
                .variants
                .iter()
                .map(|variant| variant.name.clone())
                .collect(),
        }
        .into()),
    }
}

fn json(value: &Value, depth: usize) -> Result<(), Mismatch> {
    if depth > DEPTH_MAX {
        return Err(Problem::Deep.into());
    }
    match value {
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Text(_) => Ok(()),
        Value::Float(number) if number.is_finite() => Ok(()),
        Value::List(list) => {
            for (at, item) in list.items.iter().enumerate() {
                json(item, depth + 1).map_err(|mismatch| mismatch.in_item(at))?;
            }
            Ok(())
        }
        Value::Record(record) => {
            for (key, item) in &**record {
                json(item, depth + 1).map_err(|mismatch| mismatch.in_field(key))?;
            }
            Ok(())
        }
        Value::Float(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Time(_)
        | Value::Size(_)
        | Value::Enum(_)
        | Value::Artifact(_)
        | Value::Secret(_) => Err(unlike(&Type::Json, value)),
    }
}

/// Returns whether bounds hold of a value.
pub(crate) fn holds<T: PartialOrd>(bounds: &Bounds<T>, value: &T) -> bool {
    bounds.min.as_ref().is_none_or(|min| value >= min)
        && bounds.max.as_ref().is_none_or(|max| value <= max)
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
