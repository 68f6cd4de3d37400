//! Why an expression has no value.

use crate::eval::{COMPREHENSION_MAX, LIST_MAX, TEXT_MAX, kind};
use crate::expr::{Function, Site};
use crate::value::Value;

/// An expression that has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{kind}")]
pub struct EvalError {
    /// Where, if the plan has a place for it.
    pub site: Option<Site>,
    /// Why.
    pub kind: EvalErrorKind,
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvalErrorKind {
    /// A position that a list doesn't have.
    #[error("there is no item {index} in a list of {length}: positions go from 0 {}", last(*length))]
    IndexOutOfRange {
        /// The position.
        index: i64,
        /// How many items there are.
        length: usize,
    },
    /// A key that a map doesn't have, or a field that a record doesn't have.
    #[error("there is no `{0}` here")]
    MissingKey(String),
    /// A division by zero.
    #[error("this divides by zero")]
    DivisionByZero,
    /// A result that is too large.
    #[error("the result is too large for its type")]
    Overflow,
    /// A result that is no number.
    #[error("the result is no finite number")]
    NotFinite,
    /// A value that doesn't fit its type.
    #[error("{0}")]
    Check(String),
    /// A comprehension over too many items.
    #[error(
        "a comprehension takes at most {COMPREHENSION_MAX} items, and this list has {length}: use `for`"
    )]
    TooLong {
        /// How many items there are.
        length: usize,
    },
    /// A list that would have too many items.
    #[error("a list that is computed has at most {LIST_MAX} items")]
    TooMany,
    /// A text that would have too many bytes.
    #[error("a text that is computed has at most {} MiB", TEXT_MAX >> 20)]
    TooLarge,
    /// More work than is allowed.
    #[error("this takes too long to compute: use a step for it")]
    OutOfFuel,
    /// A value or an expression that nests too deeply.
    #[error("this nests too deeply to compute with")]
    TooDeep,
    /// A template that can't be written.
    #[error("{message}")]
    Template {
        /// The included template it is in; nothing for the outermost.
        file: Option<std::sync::Arc<str>>,
        /// Where it is, in bytes.
        span: std::ops::Range<usize>,
        /// Why.
        message: String,
    },
    /// A pattern of `format` that can't be read.
    #[error("`{pattern}` is no pattern for {what}: {help}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is formatted.
        what: &'static str,
        /// What a pattern looks like.
        help: &'static str,
    },
    /// A `pick` from an empty list.
    #[error("there is nothing to pick from: the list is empty")]
    EmptyPick,
    /// Weights of a `pick` that make no sense.
    #[error("the weights of a `pick` are one per item, none negative, and not all 0")]
    BadWeights,
    /// A value that the run doesn't have.
    #[error("{0} isn't there")]
    Absent(&'static str),
    /// A value of another type than was checked.
    #[error("expected {expected}, found {found}")]
    Unfit {
        /// What is needed.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// Arguments of a function that it doesn't take.
    #[error("`{}` can't be called with these arguments", .0.name())]
    Arguments(Function),
}

fn last(length: usize) -> String {
    match length {
        0 => "up, and it has none".to_owned(),
        _ => format!("to {}", length - 1),
    }
}

impl EvalErrorKind {
    pub(crate) fn unfit(expected: &'static str, found: &Value) -> Self {
        Self::Unfit {
            expected,
            found: kind(found),
        }
    }
}

impl From<EvalErrorKind> for EvalError {
    fn from(kind: EvalErrorKind) -> Self {
        Self { site: None, kind }
    }
}
