//! The spanned tree that both spellings lower into.
//!
//! It is untyped and possibly incomplete: a part that could not be read is an
//! `Error` node, already reported. A YAML scalar stays the text that was
//! written ([`ExprKind::Bare`]) until the checker knows its type. Nothing after
//! this tree knows which spelling was used, except the formatter.

mod body;
mod expr;

use crate::span::Span;

pub use body::{
    Arm, Block, Cache, Clause, ClauseKind, Else, For, Form, Governed, If, Match, Parallel, Pattern,
    PatternKind, Race, Region, Repeat, Stmt, Value, Yield, YieldWord,
};
pub use expr::{
    Arg, Bare, Binary, BinaryOp, Call, Comprehension, Entry, Expr, ExprKind, IfExpr, Literal,
    LiteralKind, Presence, Text, TextPart, TextStyle, UnaryOp,
};

/// One file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct File {
    /// The declarations in the order in which they are written.
    pub items: Vec<Item>,
    /// Every `#` comment that is not a `##` document, in order of place.
    pub comments: Vec<Comment>,
}

/// A `#` comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// From the `#` to the end of the line, without the line's end.
    pub span: Span,
    /// The text after `#`, trailing blanks removed, leading ones kept.
    pub text: String,
    /// Whether nothing but blanks stands before it on its line.
    pub own_line: bool,
}

/// A word with its place: a binding, a parameter, a field, a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The word.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// A dotted name: a step, a workflow of another file, a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The words, joined by dots.
    pub text: String,
    /// The place of the whole.
    pub span: Span,
}

/// Lines of `##` documentation, joined by `\n`; empty if there are none.
pub type Docs = String;

/// A declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it declares.
    pub kind: ItemKind,
    /// Its `##` lines.
    pub docs: Docs,
    /// The whole, documentation included.
    pub span: Span,
}

/// The kinds of declarations.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    /// `use "lib/shots.flow" as lib`
    Use(Use),
    /// `enum Look = noir | neon`
    Enum(Enum),
    /// `type Shot = { … }`
    Type(TypeDef),
    /// `step gen.image(…) -> image …`
    Step(StepDecl),
    /// `workflow poster(…) -> image { … }`
    Workflow(Workflow),
    /// `trigger nightly = poster() cron "…"`
    Trigger(Trigger),
    /// `test "…" { … }`
    Test(Test),
    /// Something that could not be read.
    Error,
}

/// Another file, under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The path, relative to this file.
    pub path: Name,
    /// The name it gets here; without one, the file's stem.
    pub alias: Option<Name>,
}

/// An enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// Its name, with a capital.
    pub name: Name,
    /// Its values.
    pub variants: Vec<Variant>,
}

/// A value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The word in the language.
    pub name: Name,
    /// The word outside of it, where it differs: `wide "16:9"`.
    pub outside: Option<Name>,
    /// Its `##` lines.
    pub docs: Docs,
}

/// A named type.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeDef {
    /// Its name, with a capital.
    pub name: Name,
    /// What it stands for.
    pub ty: TypeExpr,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeExpr {
    /// What it is before `?` and refinements.
    pub base: TypeBase,
    /// The place of `?`.
    pub optional: Option<Span>,
    /// What else must hold.
    pub refinements: Vec<Refinement>,
    /// The whole.
    pub span: Span,
}

/// A type without `?` and refinements.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeBase {
    /// `text`, `list<Shot>`, `lib.Shot`
    Named {
        /// The name.
        path: Path,
        /// What stands in `<…>`.
        args: Vec<TypeExpr>,
    },
    /// `{ prompt: text, seconds: float? }`
    Record(Vec<Field>),
    /// Something that could not be read.
    Error,
}

/// What a refined type asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Refinement {
    /// What it asks.
    pub kind: RefinementKind,
    /// The whole.
    pub span: Span,
}

/// The kinds of refinements. Their operands are literals.
#[derive(Debug, Clone, PartialEq)]
pub enum RefinementKind {
    /// `in 1..8`
    In(Literal, Literal),
    /// `min 1`
    Min(Literal),
    /// `max 24`
    Max(Literal),
    /// `matching "…"`
    Matching(Name),
}

/// A field of a record type, or a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The place of `const`: the parameter takes no hole.
    pub constant: Option<Span>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// What it is if nothing is given.
    pub default: Option<Expr>,
    /// Its `##` lines.
    pub docs: Docs,
    /// The whole, documentation included.
    pub span: Span,
}

/// The declaration of a step that is not written in the language.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDecl {
    /// Its name: `gen.image`.
    pub path: Path,
    /// Its type parameter: the `T` of `gen.text<T>`.
    pub type_param: Option<Name>,
    /// Its parameters.
    pub params: Vec<Field>,
    /// What it gives.
    pub returns: TypeExpr,
    /// What it may do: `effect read | pure | act once`. The first is what it
    /// does, the others are what a call may ask for.
    pub effects: Vec<EffectExpr>,
    /// An upper bound of what one attempt costs.
    pub cost: Option<Expr>,
    /// The pool it takes a slot of.
    pub pool: Option<Expr>,
    /// The command of a plugin.
    pub run: Option<Name>,
}

/// An effect as written: `pure`, `read`, `paid`, `act keyed 24h`, `act once`.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectExpr {
    /// `pure`, `read`, `paid` or `act`.
    pub word: Name,
    /// `keyed`, `probed` or `once`, after `act`.
    pub manner: Option<Name>,
    /// How long the target remembers a key, after `keyed`.
    pub window: Option<Literal>,
    /// The whole.
    pub span: Span,
}

/// A workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// Its name.
    pub name: Name,
    /// Its inputs.
    pub params: Vec<Field>,
    /// What it gives.
    pub returns: Option<TypeExpr>,
    /// Its budget and its time.
    pub limits: Vec<Clause>,
    /// Its steps.
    pub body: Block,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Its name.
    pub name: Name,
    /// What it runs; a call.
    pub call: Expr,
    /// When, and how.
    pub clauses: Vec<TriggerClause>,
}

/// A clause of a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerClause {
    /// What it says.
    pub kind: TriggerClauseKind,
    /// The whole.
    pub span: Span,
}

/// The kinds of a trigger's clauses.
#[derive(Debug, Clone, PartialEq)]
pub enum TriggerClauseKind {
    /// `cron "0 6 * * *" tz "Europe/Berlin"`
    Cron {
        /// When.
        pattern: Name,
        /// In which time zone.
        tz: Option<Name>,
    },
    /// `on webhook "/orders" body Order`
    Webhook {
        /// The path that is called.
        path: Name,
        /// The type of what is sent.
        body: Option<TypeExpr>,
    },
    /// `on file "inbox/*.wav"`
    File(Name),
    /// `on flow nightly finished`
    Flow {
        /// The workflow.
        path: Path,
        /// What happened to it.
        what: Name,
    },
    /// `overlap skip`
    Overlap(Name),
    /// `catchup all max 3`
    Catchup {
        /// `none`, `last` or `all`.
        word: Name,
        /// The most that are made up for.
        max: Option<Literal>,
    },
    /// `jitter 5m`
    Jitter(Literal),
    /// `paused`
    Paused,
    /// `pause after 3 failures`
    PauseAfter(Literal),
    /// `budget …` or `within …`
    Limit(Clause),
    /// `notify email "…" on failure, budget`
    Notify {
        /// By what.
        channel: Name,
        /// To whom.
        to: Name,
        /// When.
        on: Vec<Name>,
    },
}

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What it shows.
    pub name: Name,
    /// Its statements, in order.
    pub stmts: Vec<TestStmt>,
}

/// A statement of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestStmt {
    /// What it does.
    pub kind: TestStmtKind,
    /// The whole.
    pub span: Span,
}

/// The kinds of a test's statements.
#[derive(Debug, Clone, PartialEq)]
pub enum TestStmtKind {
    /// `stub gen.image at "stills[2]/drafts" = a then fails timeout`
    Stub {
        /// The step.
        step: Path,
        /// The only place where it is replaced.
        at: Option<Name>,
        /// What it answers, the last one for ever.
        replies: Vec<Reply>,
    },
    /// `r = run music_video(…)`
    Run {
        /// The name of the result.
        name: Option<Name>,
        /// A call of a workflow.
        call: Expr,
    },
    /// `expect r.cost <= $2.50`
    Expect(Expr),
    /// Something that could not be read.
    Error,
}

/// An answer of a stub.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A value.
    Value(Expr),
    /// `fails timeout times 2`
    Fails {
        /// The failure's class.
        class: Name,
        /// How often.
        times: Option<Literal>,
        /// The whole.
        span: Span,
    },
}
