//! Blocks, statements, regions, and the clauses that govern them.

use crate::span::Span;

use super::{Docs, EffectExpr, Expr, Literal, Name, Path, TypeExpr};

/// `{ … }`, or the list under `steps:` or `do:`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it holds.
    pub stmts: Vec<Stmt>,
    /// Its value.
    pub result: Option<Yield>,
    /// The whole; its last byte is the `}` (in YAML, the end of the list).
    pub span: Span,
}

/// `yield v`, or `return v` at the end of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Yield {
    /// Which word was written, and where.
    pub keyword: YieldWord,
    /// The value.
    pub value: Value,
    /// The whole.
    pub span: Span,
}

/// The word before a block's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YieldWord {
    /// `yield`
    Yield,
    /// `return`
    Return,
}

/// A statement of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Stmt {
    /// The name it binds: `x = …`.
    pub name: Option<Name>,
    /// The type it was given: `x: int = …`.
    pub ty: Option<Box<TypeExpr>>,
    /// What it does.
    pub value: Value,
    /// Its `##` lines.
    pub docs: Docs,
    /// The whole, documentation included.
    pub span: Span,
}

/// What may stand at the right of a binding.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An expression, or a call with its policies.
    Expr(Box<Governed>),
    /// A region.
    Region(Box<Region>),
    /// A block, as a fallback or an arm.
    Block(Box<Block>),
    /// Something that could not be read.
    Error(Span),
}

impl Value {
    /// Returns the place of the whole.
    pub fn span(&self) -> Span {
        match self {
            Self::Expr(governed) => governed.span,
            Self::Region(region) => region.span(),
            Self::Block(block) => block.span,
            Self::Error(span) => *span,
        }
    }
}

/// An expression with the clauses and the fallback behind it. Only a call may
/// have any; the checker sees to that.
#[derive(Debug, Clone, PartialEq)]
pub struct Governed {
    /// The expression.
    pub expr: Expr,
    /// Its policies.
    pub clauses: Vec<Clause>,
    /// What happens instead if it fails.
    pub fallback: Option<Value>,
    /// How YAML wrote it, or is to write it.
    pub form: Form,
    /// The whole.
    pub span: Span,
}

/// How YAML says an expression at the right of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Not said yet: it comes from the workflow language.
    Open,
    /// `step:` and `with:`
    Step,
    /// `value:`
    Value,
}

/// The forms that hold blocks.
#[derive(Debug, Clone, PartialEq)]
pub enum Region {
    /// `if c { … } else { … }`
    If(If),
    /// `match v { … }`
    Match(Match),
    /// `for x in xs { … }`
    For(For),
    /// `repeat s = v max n { … }`
    Repeat(Repeat),
    /// `race { … }`
    Race(Race),
    /// `parallel { … }`
    Parallel(Parallel),
}

impl Region {
    /// Returns the place of the whole.
    pub fn span(&self) -> Span {
        match self {
            Self::If(region) => region.span,
            Self::Match(region) => region.span,
            Self::For(region) => region.span,
            Self::Repeat(region) => region.span,
            Self::Race(region) => region.span,
            Self::Parallel(region) => region.span,
        }
    }

    /// Returns the word it begins with, which is its name if it has no other.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::If(_) => "if",
            Self::Match(_) => "match",
            Self::For(_) => "for",
            Self::Repeat(_) => "repeat",
            Self::Race(_) => "race",
            Self::Parallel(_) => "parallel",
        }
    }
}

/// A choice by a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct If {
    /// The condition.
    pub cond: Expr,
    /// What is done if it holds.
    pub then: Block,
    /// What is done if it doesn't.
    pub otherwise: Option<Else>,
    /// The whole.
    pub span: Span,
}

/// What stands after the `else` of an `if`.
#[derive(Debug, Clone, PartialEq)]
pub enum Else {
    /// `else { … }`
    Block(Block),
    /// `else if …`
    If(Box<If>),
}

/// A choice by a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The value.
    pub subject: Expr,
    /// The arms, in order.
    pub arms: Vec<Arm>,
    /// The whole.
    pub span: Span,
}

/// An arm of a `match`.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// What it is for: `noir | neon`.
    pub patterns: Vec<Pattern>,
    /// What is done.
    pub value: Value,
    /// The whole.
    pub span: Span,
}

/// A pattern of an arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// What it fits.
    pub kind: PatternKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of patterns.
#[derive(Debug, Clone, PartialEq)]
pub enum PatternKind {
    /// `some x`: a value that is there, under a name.
    Some(Name),
    /// `none`
    None,
    /// `_`
    Any,
    /// `noir`, `Look.noir`: a value of an enumeration.
    Name(Path),
    /// `true`, `3`, `"a"`
    Literal(Literal),
}

/// One body for each item of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// The item's name.
    pub var: Name,
    /// The list.
    pub list: Expr,
    /// What identifies an item.
    pub by: Option<Expr>,
    /// The most items there may be.
    pub max: Option<Expr>,
    /// The most items that are open at once.
    pub parallel: Option<Expr>,
    /// The place of `keep ok`: failed items are left out.
    pub keep_ok: Option<Span>,
    /// Its budget and its time.
    pub limits: Vec<Clause>,
    /// What is done for each.
    pub body: Block,
    /// The head: `for x in xs … `, up to the `{`.
    pub head: Span,
    /// The whole.
    pub span: Span,
}

/// A body that hands a state to itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// The state's name.
    pub state: Name,
    /// The state's type.
    pub ty: Option<TypeExpr>,
    /// The first state.
    pub from: Expr,
    /// The most rounds.
    pub max: Expr,
    /// When to end, asked of the new state.
    pub until: Option<Expr>,
    /// Its budget and its time.
    pub limits: Vec<Clause>,
    /// One round.
    pub body: Block,
    /// The head, up to the `{`.
    pub head: Span,
    /// The whole.
    pub span: Span,
}

/// The first that succeeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Race {
    /// Its budget and its time.
    pub limits: Vec<Clause>,
    /// The contenders, a statement each.
    pub body: Block,
    /// What happens if all fail.
    pub fallback: Option<Value>,
    /// The whole.
    pub span: Span,
}

/// A block whose acts are not ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct Parallel {
    /// Its budget and its time.
    pub limits: Vec<Clause>,
    /// What is done.
    pub body: Block,
    /// The whole.
    pub span: Span,
}

/// A policy behind a call, or a limit in a head.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// What it says.
    pub kind: ClauseKind,
    /// The whole.
    pub span: Span,
}

/// The kinds of clauses.
#[derive(Debug, Clone, PartialEq)]
pub enum ClauseKind {
    /// `budget $2.50 per day or ask`
    Budget {
        /// How much.
        amount: Expr,
        /// `day`, `week` or `month`.
        per: Option<Name>,
        /// `stop` or `ask`.
        or: Option<Name>,
    },
    /// `within 30m`
    Within(Expr),
    /// `retry 3 backoff 1s..30s on timeout`
    Retry {
        /// How many attempts in all.
        attempts: Expr,
        /// The first and the longest pause.
        backoff: Option<(Literal, Literal)>,
        /// The classes that are tried again.
        on: Vec<Name>,
    },
    /// `timeout 2m`
    Timeout(Expr),
    /// `cache on`, `cache off`, `cache 1h`
    Cache(Cache),
    /// `pool gpu`
    Pool(Path),
    /// `after x, y`
    After(Vec<Name>),
    /// `label "…"`
    Label(Expr),
    /// `effect pure`, `effect act once`
    Effect(EffectExpr),
    /// `on lost again | ask | fail`
    OnLost(Name),
    /// `assume $0.05`: the bound of a call whose price is not known.
    Assume(Expr),
}

impl ClauseKind {
    /// Returns the word it begins with.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Budget { .. } => "budget",
            Self::Within(_) => "within",
            Self::Retry { .. } => "retry",
            Self::Timeout(_) => "timeout",
            Self::Cache(_) => "cache",
            Self::Pool(_) => "pool",
            Self::After(_) => "after",
            Self::Label(_) => "label",
            Self::Effect(_) => "effect",
            Self::OnLost(_) => "on lost",
            Self::Assume(_) => "assume",
        }
    }
}

/// Whether results are shared between runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Cache {
    /// `cache on`
    On,
    /// `cache off`
    Off,
    /// `cache 1h`: for so long.
    For(Expr),
}
