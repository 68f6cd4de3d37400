//! Checked expressions: what a plan computes without a step.
//!
//! They are pure, without places in a source, and bounded. Where one can fail,
//! it carries a [`Site`], which the compiler can turn back into a place.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::plan::NodeId;
use crate::ty::{Media, Type};
use crate::value::Value;

/// An ordinal, inside one node, of an expression that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Site(pub u32);

/// An expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A value known at compile time.
    Const(Value),
    /// The value of a node of an enclosing block.
    Node(NodeId),
    /// An argument of an enclosing workflow, by its position.
    Arg(NodeId, u32),
    /// The item of an enclosing `for`.
    Item(NodeId),
    /// The state of an enclosing `repeat`; in its `until`, the new one.
    State(NodeId),
    /// What an enclosing `match` found in its `some x`.
    Payload(NodeId),
    /// The item of an enclosing comprehension, counted from the outermost.
    Local(u32),
    /// The record of the run: `id seed started scheduled firing name`.
    Run,
    /// What made a trigger fire.
    Event,
    /// A file of the project, by its path in it; read when the run starts.
    File(Arc<str>, Media),
    /// A field of a record or of an artifact.
    Field(Box<Expr>, Arc<str>),
    /// An item of a list by position, or of a map by key.
    Index(Box<Expr>, Box<Expr>, Site),
    /// `not a`
    Not(Box<Expr>),
    /// `-a`
    Negate(Box<Expr>, Site),
    /// A whole number as one with a fraction.
    Widen(Box<Expr>),
    /// Whether an optional has a value.
    IsSome(Box<Expr>),
    /// `a + b`
    Binary(Op, Box<Expr>, Box<Expr>, Site),
    /// `if a then b else c`
    If(Box<[Expr; 3]>),
    /// A library function. The ordinal is that of its draw, if it draws.
    Call(Function, Vec<Expr>, Site, Option<u32>),
    /// A list.
    List(Vec<Expr>),
    /// A list made from a list.
    Comprehension(Box<Comprehension>),
    /// A record or a map.
    Record(Vec<(Arc<str>, Expr)>),
    /// A text with holes.
    Text(Vec<Part>),
    /// A template of the plan, and its data.
    Template(u32, Box<Expr>, Site),
    /// A value of this type with every word of an enumeration as the text it
    /// is outside; for holes of texts, for `json`, and for data of templates.
    Outside(Box<Expr>, Box<Type>),
    /// A value that must fit a narrower type than its own.
    Check(Box<Expr>, Box<Type>, Site),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Letters.
    Str(Arc<str>),
    /// A value, written as a reader would write it.
    Hole(Expr),
}

/// A list made from a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comprehension {
    /// The number under which the body finds the item.
    pub local: u32,
    /// What each item becomes.
    pub body: Expr,
    /// The list.
    pub list: Expr,
    /// Which items are taken.
    pub cond: Option<Expr>,
    /// Where it fails if the list is too long.
    pub site: Site,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`: of two numbers always one with a fraction; `floor(a / b)` cuts.
    Divide,
    /// `%`: never negative, the remainder of Euclid.
    Remainder,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `in`: an item of a list, a key of a map, a part of a text.
    In,
    /// `and`: the right side only if the left holds.
    And,
    /// `or`: the right side only if the left doesn't.
    Or,
    /// `??`: the right side only if the left is `none`.
    Coalesce,
}

macro_rules! functions {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal;)*) => {
        /// A function of the library. Its types are the compiler's business.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Function { $($(#[doc = $doc])* $variant,)* }

        impl Function {
            /// All functions, in the order in which they are documented.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns its name in the language.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns what it does, in one line.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* }
            }
        }
    };
}

functions! {
    /// The number of items of a list, entries of a map, or characters of a text.
    Len = "len";
    /// The whole numbers from 0, or from the first, up to but not including the last.
    Range = "range";
    /// Each item with its position, as `{ index, item }`.
    Enumerate = "enumerate";
    /// Two lists side by side, as `{ first, second }`, as long as the shorter.
    Zip = "zip";
    /// A list of lists as one list.
    Flatten = "flatten";
    /// The items without repetitions, the first of each kept.
    Unique = "unique";
    /// The items in ascending order.
    Sort = "sort";
    /// The items from last to first.
    Reverse = "reverse";
    /// The first so many items.
    Take = "take";
    /// The items after the first so many.
    Skip = "skip";
    /// The sum of numbers, amounts or durations. The compiler gives the sum of
    /// no items, which depends on the type, as a second argument.
    Sum = "sum";
    /// The least item, if there is one.
    Min = "min";
    /// The greatest item, if there is one.
    Max = "max";
    /// The position of the greatest item, if there is one.
    Argmax = "argmax";
    /// The position of the least item, if there is one.
    Argmin = "argmin";
    /// Whether any of them is true.
    Any = "any";
    /// Whether all of them are true.
    All = "all";
    /// Whether a list has an item, a map a key, or a text a part.
    Contains = "contains";
    /// A text cut at a separator.
    Split = "split";
    /// Texts put together with a separator.
    Join = "join";
    /// An item by its position, or an entry by its key, if it is there.
    Get = "get";
    /// The first item, if there is one.
    First = "first";
    /// The last item, if there is one.
    Last = "last";
    /// The keys of a map, in order.
    Keys = "keys";
    /// The values of a map, in the order of its keys.
    Values = "values";
    /// The day of an instant, as `2026-05-01`.
    Date = "date";
    /// The weekday of an instant, as `monday`.
    Weekday = "weekday";
    /// A number, an instant or a duration, written by a pattern.
    Format = "format";
    /// A value as JSON text.
    Json = "json";
    /// One item, drawn by the run's seed.
    Pick = "pick";
    /// The items in an order drawn by the run's seed.
    Shuffle = "shuffle";
    /// A text in capitals.
    Upper = "upper";
    /// A text in small letters.
    Lower = "lower";
    /// A text without blanks around it.
    Trim = "trim";
    /// A text with every occurrence of a part replaced.
    Replace = "replace";
    /// Whether a text starts with another.
    StartsWith = "starts_with";
    /// Whether a text ends with another.
    EndsWith = "ends_with";
    /// The nearest whole number.
    Round = "round";
    /// The next whole number below.
    Floor = "floor";
    /// The next whole number above.
    Ceil = "ceil";
    /// A number without its sign.
    Abs = "abs";
    /// The number that a text says, if it says one.
    Number = "number";
}

impl Function {
    /// Finds a function by its name in the language.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|function| function.name() == name)
    }

    /// Returns whether its result depends on the run's seed.
    pub fn draws(self) -> bool {
        matches!(self, Self::Pick | Self::Shuffle)
    }
}
