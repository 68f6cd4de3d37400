//! Brackets, commas, clauses and heads.

use super::{Site, begins_value, ends_value};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic, Edit, nearest};
use crate::dsl::Reader;
use crate::dsl::lex::{self, Kind, Token};
use crate::dsl::recover::ITEMS;

/// The words that clauses begin with.
const CLAUSES: &[&str] = &[
    "budget", "within", "retry", "timeout", "cache", "pool", "after", "label", "effect", "assume",
];

/// `if a then { … }`
pub(super) fn braces_and_then(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let has_if = site
        .before
        .iter()
        .take(3)
        .any(|token| token.of(site.text) == "if");
    if !has_if {
        return None;
    }
    let pairs = site
        .before
        .iter()
        .zip(site.before.iter().skip(1).chain([&site.found]));
    let mut pairs =
        pairs.filter(|pair| pair.0.of(site.text) == "then" && pair.1.of(site.text) == "{");
    let (then, brace) = pairs.next()?;
    let gap = reader.place(then.start, brace.start);
    let span = reader.place(then.start, then.end);
    Some(
        Diagnostic::new(codes::FOREIGN_WORD, span, "a block needs no `then`")
            .help("`if a { … } else { … }` holds steps; `if a then b else c` is an expression")
            .fix(Certainty::Likely, "remove `then`", gap, ""),
    )
}

/// A declaration that ends where the next one begins.
pub(super) fn next_item(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let mut tokens = site.before.iter().chain([&site.found]).skip(1);
    let index = tokens.position(|token| reader.item_begins(token.start))?;
    let last = site.before[index];
    let place = reader.place(last.end, last.end);
    let next = site.before.get(index + 1).unwrap_or(&site.found);
    let message = format!(
        "this is not finished: something is missing after `{}`",
        last.of(site.text)
    );
    let is_item = ITEMS.contains(&site.before[0].of(site.text));
    is_item.then(|| {
        Diagnostic::new(codes::SYNTAX, place, message).other(
            reader.place(next.start, next.end),
            "the next declaration begins here",
        )
    })
}

/// A bracket without a partner.
pub(super) fn unclosed(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let here = site.here();
    let found = reader.place(site.found.start, site.found.end);
    let Some(open) = site.open else {
        let closes = match here {
            ")" => "(",
            "]" => "[",
            _ => return None,
        };
        let message = format!("this `{here}` closes nothing");
        return Some(
            Diagnostic::new(codes::UNCLOSED, found, message)
                .help(format!("leave it out, or write the `{closes}` before it"))
                .fix(Certainty::Likely, format!("remove `{here}`"), found, ""),
        );
    };
    let bracket = open.of(site.text);
    let (closing, is_brace) = match bracket {
        "(" => (")", false),
        "[" => ("]", false),
        _ => ("}", true),
    };
    let is_end = site.found.kind == Kind::End
        || (here == "}" && !is_brace)
        || reader.item_begins(site.found.start)
        || next_statement(reader, site, open);
    if !is_end {
        return None;
    }
    let span = reader.place(open.start, open.end);
    let mut diagnostic = Diagnostic::new(
        codes::UNCLOSED,
        span,
        format!("this `{bracket}` is never closed"),
    )
    .help(format!("write the `{closing}` that ends it"));
    if site.found.kind != Kind::End {
        diagnostic = diagnostic.other(found, format!("`{closing}` is missing before this"));
    }
    Some(diagnostic)
}

/// Whether the next statement begins inside a bracket.
fn next_statement(reader: &Reader<'_>, site: &Site<'_>, open: Token) -> bool {
    let (name, mark) = if site.here() == "=" {
        let Some(name) = site.back(0) else {
            return false;
        };
        (name, site.found)
    } else {
        (site.found, site.after())
    };
    let bytes = site.text.as_bytes();
    let binds = name.kind == Kind::Word && mark.of(site.text) == "=";
    let is_word = matches!(
        name.of(site.text),
        "yield" | "return" | "for" | "if" | "match"
    );
    (binds || is_word)
        && lex::begins_line(bytes, name.start)
        && name.start > open.start
        && reader.indentation(name.start) <= reader.indentation(open.start)
}

/// Two elements without a comma.
pub(super) fn commas(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let last = site.back(0)?;
    let open = site.open?;
    if !ends_value(site.text, last) || !begins_value(site.text, site.found) {
        return None;
    }
    // A hole holds one value, the braces of a block hold statements.
    let is_call = site.back_text(0) == ")" && site.here() == "{";
    if is_call || open.of(site.text) == "${" {
        return None;
    }
    let span = reader.place(last.end, last.end);
    let element = match open.of(site.text) {
        "(" => "arguments",
        "[" => "elements",
        _ => "fields",
    };
    let is_named = site.after().of(site.text) == ":";
    let certainty = if is_named || site.is_new_line() {
        Certainty::Certain
    } else {
        Certainty::Likely
    };
    Some(
        Diagnostic::new(
            codes::MISSING_COMMA,
            span,
            format!("{element} are separated by commas"),
        )
        .other(
            reader.place(site.found.start, site.found.end),
            "the next one begins here",
        )
        .fix(certainty, "write a comma", span, ","),
    )
}

/// `if a { film, cut }`
pub(super) fn lists_of_values(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    if site.here() != "," || site.open.is_some() {
        return None;
    }
    let [name] = site.before.as_slice() else {
        return trailing_comma(reader, site);
    };
    if name.kind != Kind::Word {
        return None;
    }
    let span = reader.place(name.start, site.found.end);
    let mut diagnostic = Diagnostic::new(
        codes::MISSING_YIELD,
        span,
        "a block gives a value with `yield`",
    )
    .help(format!("write `yield {{ {}, … }}`", name.of(site.text)));
    let mut at = site.found.end;
    loop {
        let token = lex::next(site.text, at);
        match token.of(site.text) {
            "}" => {
                let end = site.text[..token.start].trim_end().len();
                let (open, close) = (reader.place(name.start, name.start), reader.place(end, end));
                let edits = vec![
                    Edit {
                        span: open,
                        text: "yield { ".to_owned(),
                    },
                    Edit {
                        span: close,
                        text: " }".to_owned(),
                    },
                ];
                diagnostic = diagnostic.fix_all(Certainty::Likely, "yield a record", edits);
                return Some(diagnostic);
            }
            "," => {}
            _ if token.kind == Kind::Word => {}
            _ => return Some(diagnostic),
        }
        at = token.end;
    }
}

fn trailing_comma(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let ends = site.back(0).is_some_and(|last| ends_value(site.text, last));
    let next = site.after();
    let is_last = lex::begins_line(site.text.as_bytes(), next.start);
    (ends && is_last).then(|| {
        let span = reader.place(site.found.start, site.found.end);
        Diagnostic::new(
            codes::SEMICOLON,
            span,
            "statements have no `,` between them",
        )
        .fix(Certainty::Likely, "remove `,`", span, "")
    })
}

/// A word behind a call that is no clause.
fn unknown_clause(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let [word] = site.before.as_slice() else {
        return None;
    };
    let is_clause = word.kind == Kind::Word
        && matches!(site.found.kind, Kind::Number | Kind::Text)
        && !lex::begins_line(site.text.as_bytes(), word.start)
        && site.text[..word.start].trim_end().ends_with(')')
        && clause_word(word.of(site.text)).is_none();
    is_clause.then(|| {
        let span = reader.place(word.start, word.end);
        let message = format!("a call has no policy `{}`", word.of(site.text));
        Diagnostic::new(codes::MISPLACED_CLAUSE, span, message).help(
            "its policies are `retry`, `timeout`, `within`, `budget`, `cache`, `pool`, `after`, `label`, `effect`, `on lost` and `assume`",
        )
    })
}

/// A clause in the wrong place, or written as a setting.
pub(super) fn clauses(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    if let Some(diagnostic) = unknown_clause(reader, site) {
        return Some(diagnostic);
    }
    let last = site.back(0)?;
    let operators = ["+", "-", "*", "/", "%", "??"];
    if operators.contains(&site.here()) && CLAUSES.contains(&site.back_text(1)) {
        let span = reader.place(last.start, last.end);
        let word = site.back_text(1);
        return Some(
            Diagnostic::new(
                codes::CLAUSE_OPERAND,
                span,
                format!("`{word}` takes one value"),
            )
            .help("put a computed value in parentheses: `timeout (2 * t)`"),
        );
    }
    let first = site.before.first()?;
    let second = site.before.get(1).copied().unwrap_or(site.found);
    let word = clause_word(first.of(site.text))?;
    let span = reader.place(first.start, first.end);
    if !lex::begins_line(site.text.as_bytes(), first.start)
        && site.text[..first.start].trim_end().ends_with([')', '>'])
        && !matches!(second.kind, Kind::Number | Kind::Text)
        && second.of(site.text) != ":"
    {
        let place = reader.place(first.end, first.end);
        let message = format!("expected a value after `{word}`");
        return Some(Diagnostic::new(codes::SYNTAX, place, message));
    }
    if second.of(site.text) == ":" {
        let span = reader.place(first.start, second.end);
        return Some(
            Diagnostic::new(
                codes::MISPLACED_CLAUSE,
                span,
                format!("`{word}` has no `:`"),
            )
            .help(format!(
                "a policy stands behind a call, as in `f() {word} …`"
            ))
            .fix(Certainty::Likely, format!("write `{word}`"), span, word),
        );
    }
    matches!(second.kind, Kind::Number | Kind::Text | Kind::Word).then(|| misplaced(span, word))
}

fn misplaced(span: crate::span::Span, word: &str) -> Diagnostic {
    let message = format!("`{word}` stands alone here");
    Diagnostic::new(codes::MISPLACED_CLAUSE, span, message)
        .help("what governs a call stands behind its `)`, before its `else`")
        .help("what limits a workflow or a form stands before its `{`")
}

/// A clause as a statement of its own.
pub(super) fn lonely_clause(reader: &Reader<'_>, word: Token) -> Option<Diagnostic> {
    let clause = clause_word(word.of(reader.text))?;
    let next = lex::next_code(reader.text, word.end);
    let has_operand = matches!(next.kind, Kind::Number | Kind::Text | Kind::Word);
    has_operand.then(|| misplaced(reader.place(word.start, word.end), clause))
}

fn clause_word(word: &str) -> Option<&'static str> {
    if matches!(word, "retries" | "max_attempts" | "attempts") {
        return Some("retry");
    }
    let exact = CLAUSES.iter().find(|clause| **clause == word).copied();
    exact.or_else(|| {
        nearest(word, CLAUSES.iter().copied()).filter(|_| word.len() > 5 && word != "return")
    })
}

/// Heads that lack something.
pub(super) fn heads(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let found = reader.place(site.found.start, site.found.end);
    let first = site.before.first()?.of(site.text);
    let here = site.here();
    match (first, here) {
        ("workflow", "{" | "->") if site.before.len() == 2 => {
            let place = reader.place(site.back(0)?.end, site.back(0)?.end);
            Some(
                Diagnostic::new(codes::SYNTAX, place, "a workflow has parentheses, even without inputs")
                    .fix(Certainty::Certain, "write `()`", place, "()"),
            )
        }
        ("enum" | "type", "{") if site.before.len() == 2 => {
            let name = site.back_text(0);
            let help = match first {
                "enum" => format!("write `enum {name} = first | second`"),
                _ => format!("write `type {name} = {{ field: type }}`"),
            };
            let place = reader.place(site.back(0)?.end, site.back(0)?.end);
            let fault = Diagnostic::new(codes::SYNTAX, found, "expected `=`, found `{`").help(help);
            Some(match first {
                "type" => fault.fix(Certainty::Certain, "write `=`", place, " ="),
                _ => fault,
            })
        }
        ("type" | "enum" | "workflow", "<") if site.before.len() == 2 => Some(
            Diagnostic::new(codes::SYNTAX, found, format!("a `{first}` takes no types"))
                .help("write one for each type; only declared steps have a type parameter"),
        ),
        ("workflow", ":") if site.back_text(0) == ")" && site.open.is_none() => Some(
            Diagnostic::new(codes::SYNTAX, found, "what a workflow gives stands behind `->`")
                .fix(Certainty::Certain, "write `->`", found, "->"),
        ),
        ("workflow", "=") if site.open.is_none() && site.before.len() > 2 => Some(
            Diagnostic::new(codes::SYNTAX, found, "a workflow has no `=` before its block")
                .fix(Certainty::Certain, "remove `=`", found, ""),
        ),
        ("enum", ",") => Some(
            Diagnostic::new(codes::SYNTAX, found, "the values of an `enum` are separated by `|`")
                .fix(Certainty::Certain, "write `|`", found, " |"),
        ),
        ("workflow", ":") if site.back_text(0) == ")" && site.open.is_none() => Some(
            Diagnostic::new(codes::SYNTAX, found, "the type of a result follows `->`")
                .fix(Certainty::Certain, "write `->`", found, " ->"),
        ),
        (_, ":") if site.open.is_none() && ends_line(site) && governs(site) => Some(
            Diagnostic::new(codes::SYNTAX, found, "a block stands in braces")
                .help("write `{` here and `}` behind its last line; indentation means nothing"),
        ),
        (_, "[") if is_type_name(site) => Some(
            Diagnostic::new(codes::SYNTAX, found, "what a type is made of stands in `<…>`")
                .help("write `list<text>` or `map<text>`"),
        ),
        (_, "of") if site.back_text(1) == "for" => Some(
            Diagnostic::new(codes::FOREIGN_WORD, found, "`of` is written `in`")
                .fix(Certainty::Certain, "write `in`", found, "in"),
        ),
        (_, "(") if site.back_text(0) == "for" => Some(
            Diagnostic::new(codes::SYNTAX, found, "a `for` has no parentheses")
                .help("write `for item in list { … }`"),
        ),
        (_, ",") if site.back_text(1) == "for" => Some(
            Diagnostic::new(codes::SYNTAX, found, "a `for` has one name")
                .help("for positions take `enumerate`: `for e in enumerate(list)`, then `e.index` and `e.item`"),
        ),
        (_, "{") if site.back_text(0) == ")" && site.open.is_none() => Some(
            Diagnostic::new(codes::MISPLACED_CLAUSE, found, "a call has no `{ … }` behind it")
                .help("policies follow its `)` one after the other: `f() retry 3 timeout 2m`"),
        ),
        _ => None,
    }
}

/// Whether nothing but a comment follows on the line.
fn ends_line(site: &Site<'_>) -> bool {
    let next = site.after();
    next.kind == Kind::End || lex::begins_line(site.text.as_bytes(), next.start)
}

/// Whether the statement is one that has a block.
fn governs(site: &Site<'_>) -> bool {
    let word = match site.before.as_slice() {
        [_, equals, word, ..] if equals.of(site.text) == "=" => word,
        [word, ..] => word,
        [] => return false,
    };
    matches!(
        word.of(site.text),
        "workflow" | "if" | "for" | "match" | "repeat" | "race" | "parallel"
    )
}

/// Whether the place stands behind a name where a type stands.
fn is_type_name(site: &Site<'_>) -> bool {
    let is_capital = |word: &str| word.starts_with(|first: char| first.is_ascii_uppercase());
    let word = site.back_text(0);
    let is_name = is_capital(word) || matches!(word, "list" | "map" | "dict" | "array" | "set");
    is_name && matches!(site.back_text(1), ":" | "->" | "<")
}

/// `value.method(…)`, `xs[1:2]`.
pub(super) fn methods(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let found = reader.place(site.found.start, site.found.end);
    if site.here() == "(" && site.back_text(1) == "." {
        let name = site.back_text(0);
        return Some(
            Diagnostic::new(codes::FOREIGN_OPERATOR, found, "values have no methods")
                .help(format!("call a function with the value: `{name}(value)`"))
                .help("a step's name is written without blanks: `gen.image`"),
        );
    }
    (site.here() == ":" && site.bracket() == "[").then(|| {
        Diagnostic::new(
            codes::FOREIGN_OPERATOR,
            found,
            "a list is not cut by `[a:b]`",
        )
        .help("take its beginning with `take(list, 3)`, or write `[list[i] for i in range(1, 3)]`")
    })
}
