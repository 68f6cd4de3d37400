//! Expressions.

use crate::span::Span;

use super::{Name, Path, TypeExpr};

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `3`, `$0.50`, `1080x1920`, `30m`, `true`
    Literal(Literal),
    /// A YAML scalar without holes: read by the type expected there.
    Bare(Bare),
    /// A text of the language, with or without holes; or a YAML scalar with
    /// holes.
    Text(Text),
    /// `none`
    None,
    /// `shot`
    Name(String),
    /// `shot.prompt`
    Field(Box<Expr>, Name),
    /// `shots[0]`
    Index(Box<Expr>, Box<Expr>),
    /// `not a`, `-a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(Box<Binary>),
    /// `x is some`, `x is none`
    Is(Box<Expr>, Presence),
    /// `if a then b else c`
    If(Box<IfExpr>),
    /// `f(x, count: 3)`: a step, a workflow or a library function.
    Call(Box<Call>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `[f(x) for x in xs if c]`
    Comprehension(Box<Comprehension>),
    /// `{ film, cut: c, ...rest }`
    Record(Vec<Entry>),
    /// Something that could not be read.
    Error,
}

/// A literal; reading its text is the core's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// What it looks like.
    pub kind: LiteralKind,
    /// What was written; for [`LiteralKind::Text`], what it means.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// What a literal looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiteralKind {
    /// `3`, `1_000`, and `-3` in a refinement or a pattern
    Int,
    /// `0.5`
    Float,
    /// `true`
    Bool,
    /// `$0.50`
    Money,
    /// `1h30m`
    Duration,
    /// `1080x1920`
    Size,
    /// `"…"`, in patterns only: elsewhere a text is [`ExprKind::Text`].
    Text,
}

/// A YAML scalar without holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    /// The text, quotes and escapes resolved, `$${` written as `${`.
    pub text: String,
    /// Whether it was quoted or a block: then it is a text where any type is
    /// possible.
    pub quoted: bool,
}

/// A text with holes.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// What it is made of; neighbouring strings are joined.
    pub parts: Vec<TextPart>,
    /// How it is written.
    pub style: TextStyle,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum TextPart {
    /// Letters, escapes resolved.
    Str(String),
    /// `${ expr }`
    Hole(Expr),
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextStyle {
    /// `"…"`
    Plain,
    /// `'…'`
    Raw,
    /// `"""…"""`
    Lines,
    /// `'''…'''`
    RawLines,
}

/// Whether an optional value is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// `is some`
    Some,
    /// `is none`
    None,
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Negate,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
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
    /// `in`
    In,
    /// `and`
    And,
    /// `or`
    Or,
    /// `??`
    Coalesce,
}

impl BinaryOp {
    /// Returns how it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::And => "and",
            Self::Or => "or",
            Self::Coalesce => "??",
        }
    }

    /// Returns how tightly it binds; 1 is the loosest.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Coalesce => 1,
            Self::Or => 2,
            Self::And => 3,
            // `not` stands between, with 4.
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::In => 5,
            Self::Add | Self::Subtract => 6,
            Self::Multiply | Self::Divide | Self::Remainder => 7,
        }
    }
}

/// Two operands and what stands between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// The operator's place.
    pub op_span: Span,
    /// What stands before it.
    pub left: Expr,
    /// What stands after it.
    pub right: Expr,
}

/// A choice inside an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct IfExpr {
    /// The condition.
    pub cond: Expr,
    /// The value if it holds.
    pub then: Expr,
    /// The value if it doesn't.
    pub otherwise: Expr,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is called.
    pub path: Path,
    /// The type given in `<…>`.
    pub type_arg: Option<Box<TypeExpr>>,
    /// The arguments; one without a name may stand first.
    pub args: Vec<Arg>,
}

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// The parameter's name.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// A list made from a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Comprehension {
    /// What each item becomes.
    pub body: Expr,
    /// The item's name.
    pub var: Name,
    /// The list.
    pub list: Expr,
    /// Which items are taken.
    pub cond: Option<Expr>,
}

/// An entry of a record or a map.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// `name: value`, `"name": value`
    Field(Name, Expr),
    /// `name`, short for `name: name`
    Short(Name),
    /// `...other`
    Spread(Expr, Span),
}
