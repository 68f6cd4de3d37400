//! Words of other languages.

use super::Site;
use crate::ast::ExprKind;
use crate::codes;
use crate::diagnostic::{Certainty, Code, Diagnostic};
use crate::dsl::Reader;
use crate::dsl::lex::{self, Kind, Token};
use crate::span::Span;

/// Words, and what is written instead.
const FOREIGN: &[(&str, &str)] = &[
    (
        "while",
        "a loop has a bound: `repeat state = first max 10 until done { … yield next }`",
    ),
    (
        "loop",
        "a loop has a bound: `repeat state = first max 10 until done { … yield next }`",
    ),
    (
        "until",
        "a loop has a bound: `repeat state = first max 10 until done { … yield next }`",
    ),
    ("foreach", "write `for item in list { … }`"),
    ("switch", "write `match value { pattern => … }`"),
    ("case", "an arm of `match` is `pattern => value`"),
    (
        "when",
        "write `match value { pattern => … }` or `if condition { … }`",
    ),
    ("unless", "write `if not condition { … }`"),
    ("elif", "write `else if`"),
    ("elsif", "write `else if`"),
    ("elseif", "write `else if`"),
    (
        "try",
        "what happens if a call fails stands behind it: `f() else none`",
    ),
    (
        "catch",
        "what happens if a call fails stands behind it: `f() else none`",
    ),
    (
        "except",
        "what happens if a call fails stands behind it: `f() else none`",
    ),
    (
        "finally",
        "what happens if a call fails stands behind it: `f() else none`",
    ),
    ("throw", "a workflow fails by a step that fails"),
    ("raise", "a workflow fails by a step that fails"),
    (
        "async",
        "nothing is awaited: using a result is waiting for it",
    ),
    (
        "await",
        "nothing is awaited: using a result is waiting for it",
    ),
    (
        "spawn",
        "what doesn't depend on one another runs at once by itself",
    ),
    (
        "def",
        "write `workflow name(parameter: type) -> type { … }`",
    ),
    ("fn", "write `workflow name(parameter: type) -> type { … }`"),
    (
        "func",
        "write `workflow name(parameter: type) -> type { … }`",
    ),
    (
        "function",
        "write `workflow name(parameter: type) -> type { … }`",
    ),
    ("class", "a record type is `type Name = { field: type }`"),
    ("struct", "a record type is `type Name = { field: type }`"),
    (
        "interface",
        "a record type is `type Name = { field: type }`",
    ),
    ("import", "write `use \"path.flow\" as name`"),
    ("include", "write `use \"path.flow\" as name`"),
    ("from", "write `use \"path.flow\" as name`"),
    ("require", "write `use \"path.flow\" as name`"),
    ("job", "write `workflow name() { … }`"),
    ("pipeline", "write `workflow name() { … }`"),
    ("flow", "write `workflow name() { … }`"),
    ("schedule", "write `trigger name = call() cron \"…\"`"),
    ("cron", "write `trigger name = call() cron \"…\"`"),
    ("assert", "write `expect condition` in a `test`"),
    (
        "break",
        "a `repeat` ends by `until`; a `for` takes all items",
    ),
    ("continue", "put what is left out into an `if`"),
    ("pass", "an empty block is `{}`"),
    ("print", "what a run did can be seen in its log"),
    ("do", "a block is `{ … }`"),
    ("begin", "a block is `{ … }`"),
    ("end", "a block ends with `}`"),
];

/// Words that are kept for later.
const RESERVED: &[&str] = &["package", "union", "lambda", "compensate", "matrix"];

const BINDING: &[&str] = &["let", "const", "var", "val", "mut"];
const VALUES: &[(&str, &str)] = &[
    ("null", "none"),
    ("nil", "none"),
    ("None", "none"),
    ("NULL", "none"),
    ("undefined", "none"),
    ("True", "true"),
    ("TRUE", "true"),
    ("False", "false"),
    ("FALSE", "false"),
];
const OPERATORS: &[(&str, &str)] = &[("AND", "and"), ("OR", "or"), ("NOT", "not")];

/// A word at the beginning of what can't be read.
pub(super) fn at_start(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let first = site.before.first().copied().unwrap_or(site.found);
    let second = lex::next_code(site.text, first.end);
    if first.kind != Kind::Word || matches!(second.of(site.text), "=" | ":" | "." | "(" | "," | ")")
    {
        return None;
    }
    if matches!(first.of(site.text), "f" | "r" | "b" | "u") && second.kind == Kind::Text {
        return None;
    }
    foreign(reader, site.text, first).or_else(|| next_declaration(reader, site))
}

/// `def name(…)` behind a declaration that could go on.
fn next_declaration(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let word = site.found.of(site.text);
    let is_declaration = matches!(
        word,
        "def" | "fn" | "func" | "function" | "class" | "struct" | "import" | "from"
    );
    let is_next = site.open.is_none() && site.is_new_line() && site.after().kind == Kind::Word;
    (is_declaration && is_next)
        .then(|| foreign(reader, site.text, site.found))
        .flatten()
}

fn foreign(reader: &Reader<'_>, text: &str, token: Token) -> Option<Diagnostic> {
    let word = token.of(text);
    let span = reader.place(token.start, token.end);
    let say = |code: Code, message: String| Some(Diagnostic::new(code, span, message));
    if let Some((_, help)) = FOREIGN.iter().find(|foreign| foreign.0 == word) {
        return say(codes::FOREIGN_WORD, format!("the language has no `{word}`"))
            .map(|diagnostic| diagnostic.help(*help));
    }
    if RESERVED.contains(&word) {
        return say(codes::RESERVED_WORD, format!("`{word}` is kept for later"))
            .map(|diagnostic| diagnostic.help("take another name"));
    }
    if BINDING.contains(&word) {
        let next = lex::next(text, token.end);
        let gap = reader.place(token.start, next.start);
        return say(
            codes::FOREIGN_BINDING,
            format!("a binding needs no `{word}`"),
        )
        .map(|diagnostic| {
            diagnostic
                .help("write `name = value`; a name is bound once")
                .fix(Certainty::Certain, format!("remove `{word}`"), gap, "")
        });
    }
    let (_, ours) = OPERATORS.iter().find(|operator| operator.0 == word)?;
    say(
        codes::FOREIGN_OPERATOR,
        format!("`{word}` is written `{ours}`"),
    )
    .map(|diagnostic| diagnostic.fix(Certainty::Certain, format!("write `{ours}`"), span, *ours))
}

/// A word that stands alone as a statement. `at` is its place in the text.
pub(in crate::dsl) fn lonely_word(reader: &Reader<'_>, at: usize) -> Option<Diagnostic> {
    let token = lex::next(reader.text, at);
    if let Some(diagnostic) = foreign(reader, reader.text, token) {
        return Some(diagnostic);
    }
    super::values::unit_apart(reader, at, token)
        .or_else(|| super::structure::lonely_clause(reader, token))
}

/// A name that stands for a value elsewhere.
pub(in crate::dsl) fn named_value(word: &str, span: Span) -> Option<(ExprKind, Diagnostic)> {
    if word == "await" {
        let message = "the language has no `await`";
        let diagnostic = Diagnostic::new(codes::FOREIGN_WORD, span, message)
            .help("nothing is awaited: using a result is waiting for it")
            .fix(Certainty::Likely, "remove `await`", span, "");
        return Some((ExprKind::Error, diagnostic));
    }
    let (_, ours) = VALUES.iter().find(|value| value.0 == word)?;
    let code = if *ours == "none" {
        codes::NULL_LITERAL
    } else {
        codes::FOREIGN_WORD
    };
    let diagnostic = Diagnostic::new(code, span, format!("`{word}` is written `{ours}`")).fix(
        Certainty::Certain,
        format!("write `{ours}`"),
        span,
        *ours,
    );
    let kind = if *ours == "none" {
        ExprKind::None
    } else {
        ExprKind::Error
    };
    Some((kind, diagnostic))
}

/// A word of the language where a name is wanted.
pub(super) fn keywords(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    const KEYWORDS: &[&str] = &[
        "if", "then", "else", "match", "for", "in", "is", "and", "or", "not", "yield", "return",
        "true", "false", "none", "some",
    ];
    let is_bound = matches!(site.here(), "=" | ":");
    let (token, is_name) = match site.back(0) {
        Some(last) if is_bound && site.before.len() == 1 => (last, true),
        None => (site.found, matches!(site.after().of(site.text), "=" | ":")),
        Some(last) => {
            let before = last.of(site.text);
            let wants = [
                "for", "enum", "type", "workflow", "trigger", "as", "repeat", "some", "step",
            ];
            (site.found, wants.contains(&before))
        }
    };
    let word = token.of(site.text);
    if !is_name || !KEYWORDS.contains(&word) {
        return None;
    }
    let span = reader.place(token.start, token.end);
    let message = format!("`{word}` is a word of the language and can't be a name");
    Some(
        Diagnostic::new(codes::KEYWORD_AS_NAME, span, message)
            .help(format!("take another name, such as `{word}_`"))
            .fix(
                Certainty::Likely,
                format!("write `{word}_`"),
                span,
                format!("{word}_"),
            ),
    )
}
