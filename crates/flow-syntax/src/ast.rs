//! The spanned tree that both spellings lower into.
//!
//! It is untyped and possibly incomplete: a part that could not be read is an
//! `Error` node, already reported. A YAML scalar stays the text that was
//! written ([`ExprKind::Bare`]) until the checker knows its type. Nothing after
//! this tree knows which spelling was used, except the formatter.

use crate::span::Span;

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
    pub ty: Option<TypeExpr>,
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
    pub type_arg: Option<TypeExpr>,
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
