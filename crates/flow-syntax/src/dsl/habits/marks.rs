//! Marks and operators of other languages.

use super::{Site, ends_value};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic, Edit};
use crate::dsl::Reader;
use crate::dsl::fragment;
use crate::dsl::lex::{self, Kind};

/// Operators, what is written instead, and whether that is sure.
const OPERATORS: &[(&str, &str, &str)] = &[
    ("&&", "and", "both must hold: `a and b`"),
    (
        "||",
        "or",
        "one must hold: `a or b`; `a ?? b` is for missing values",
    ),
    ("!", "not ", "the opposite of `a` is `not a`"),
    ("===", "==", "values are compared with `==`"),
    ("!==", "!=", "values are compared with `!=`"),
    ("::", ".", "parts are joined by `.`"),
    (
        "?.",
        "",
        "say what to do without a value first: `(x ?? y).field`, or `if x is some`",
    ),
    ("**", "", "there are no powers; write the product"),
    (
        "++",
        "",
        "a name is bound once; give the new value a new name",
    ),
    (
        "--",
        "",
        "a name is bound once; give the new value a new name",
    ),
    (
        "+=",
        "",
        "a name is bound once; give the new value a new name, or carry it in `repeat`",
    ),
    (
        "-=",
        "",
        "a name is bound once; give the new value a new name, or carry it in `repeat`",
    ),
    (
        "*=",
        "",
        "a name is bound once; give the new value a new name, or carry it in `repeat`",
    ),
    (
        "/=",
        "",
        "a name is bound once; give the new value a new name, or carry it in `repeat`",
    ),
    (
        "|>",
        "",
        "there are no pipes; bind the first result and hand it on by its name",
    ),
    (
        "|",
        "",
        "there are no pipes; bind the first result and hand it on by its name",
    ),
    ("&", "", "both must hold: `a and b`"),
    (
        "=>",
        "",
        "functions are not values; write a `workflow`, or a list `[f(x) for x in xs]`",
    ),
    (
        "->",
        "",
        "functions are not values; write a `workflow`, or a list `[f(x) for x in xs]`",
    ),
    ("..", "", "a list of numbers is `range(1, 8)`"),
    (
        "@",
        "",
        "there are no decorators; policies stand behind a call: `f() retry 3`",
    ),
];

/// `"a"⏎-1 => …` and `1..3 => …`
pub(super) fn arms(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let is_number = site.back(0).is_some_and(|last| last.kind == Kind::Number);
    if site.here() == "=>" && is_number && site.back_text(1) == "-" {
        let minus = site.back(1)?;
        let end = site.back(2)?.end;
        let place = reader.place(end, end);
        return lex::begins_line(site.text.as_bytes(), minus.start).then(|| {
            Diagnostic::new(
                codes::MISSING_COMMA,
                place,
                "a comma is needed before an arm that begins with `-`",
            )
            .help("without it the `-` subtracts from the value above")
            .fix(Certainty::Certain, "write a comma", place, ",")
        });
    }
    let is_range = site.here() == ".." && is_number && site.before.len() == 1;
    is_range.then(|| {
        let span = reader.place(site.found.start, site.found.end);
        Diagnostic::new(codes::SYNTAX, span, "an arm has no ranges")
            .help("name the values, `1 | 2 | 3 => …`, or ask with `if`")
    })
}

pub(super) fn foreign_operators(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    // An operator may have been read in part.
    let last = site
        .back(0)
        .filter(|last| last.end > site.at || last.of(site.text).len() > 1);
    let candidates = [last, Some(site.found)];
    for token in candidates.into_iter().flatten() {
        let found = OPERATORS
            .iter()
            .find(|operator| operator.0 == token.of(site.text));
        let Some((theirs, ours, help)) = found.filter(|_| token.kind == Kind::Mark) else {
            continue;
        };
        // The language has these, in other places.
        if matches!(*theirs, "=>" | "->" | ".." | "|") && token.start != site.found.start {
            continue;
        }
        let span = reader.place(token.start, token.end);
        let message = if ours.is_empty() {
            format!("the language has no `{theirs}` here")
        } else {
            format!("`{theirs}` is written `{}`", ours.trim_end())
        };
        let diagnostic = Diagnostic::new(codes::FOREIGN_OPERATOR, span, message).help(*help);
        if ours.is_empty() {
            return Some(diagnostic);
        }
        let title = format!("write `{}`", ours.trim_end());
        return Some(diagnostic.fix(Certainty::Certain, title, span, *ours));
    }
    presence(reader, site)
}

/// `is not none`, `a not in b`. What stands before may have been read.
fn presence(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let next = site.after();
    let (not, next) = match (site.back_text(0), site.here()) {
        ("not", "in") => (site.back(0)?, site.found),
        (_, "not") => (site.found, next),
        (_, "is") if next.of(site.text) == "not" => (next, lex::next_code(site.text, next.end)),
        _ => return None,
    };
    let is_presence = site.back_text(0) == "is" || site.here() == "is";
    let span = reader.place(not.start, next.end);
    if is_presence {
        let ours = if next.of(site.text) == "some" {
            "none"
        } else {
            "some"
        };
        let message = "`is` is followed by `some` or `none`";
        return Some(
            Diagnostic::new(codes::FOREIGN_OPERATOR, span, message)
                .help(
                    "`x is some` asks whether a value is there, `x is none` whether it is missing",
                )
                .fix(Certainty::Certain, format!("write `{ours}`"), span, ours),
        );
    }
    (next.of(site.text) == "in").then(|| {
        Diagnostic::new(
            codes::FOREIGN_OPERATOR,
            span,
            "`a not in b` is written `not a in b`",
        )
        .help("`not` stands before the comparison")
    })
}

/// `=` where it binds nothing.
pub(super) fn equals(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let span = reader.place(site.found.start, site.found.end);
    if site.back_text(0) == ":=" {
        let last = site.back(0)?;
        let span = reader.place(last.start, last.end);
        return Some(
            Diagnostic::new(codes::EQUALS, span, "a binding is written with `=`").fix(
                Certainty::Certain,
                "write `=`",
                span,
                "=",
            ),
        );
    }
    if site.here() != "=" {
        return None;
    }
    let first = site.before.first()?;
    if let Some(diagnostic) = dashed_name(reader, site) {
        return Some(diagnostic);
    }
    let is_named = site.back(0).is_some_and(|last| last.kind == Kind::Word)
        && matches!(site.back_text(1), "(" | "{" | ",");
    if is_named && matches!(site.bracket(), "(" | "{") {
        let name = site.back(0)?;
        let what = if site.bracket() == "(" {
            "an argument"
        } else {
            "a field"
        };
        let until = lex::next(site.text, site.found.end).start;
        let gap = reader.place(name.end, until);
        let message = format!("{what} is written with `:`");
        let title = format!("write `{}:`", name.of(site.text));
        return Some(Diagnostic::new(codes::EQUALS, span, message).fix(
            Certainty::Certain,
            title,
            gap,
            ": ",
        ));
    }
    let asks = ["if", "until", "expect", "match"];
    let is_condition = asks.contains(&first.of(site.text))
        || site
            .before
            .iter()
            .any(|token| matches!(token.of(site.text), "if" | "until"));
    if is_condition && site.before.len() > 1 {
        return Some(
            Diagnostic::new(
                codes::EQUALS,
                span,
                "`=` binds a name; a comparison is `==`",
            )
            .fix(Certainty::Certain, "write `==`", span, "=="),
        );
    }
    unfinished(reader, site)
}

/// `my-name = …`
fn dashed_name(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let first = site.before.first()?;
    let last = site.back(0)?;
    let written = &site.text[first.start..last.end];
    let is_dashed = written.contains('-')
        && written
            .bytes()
            .all(|byte| lex::is_word(byte) || byte == b'-');
    let name = written.replace('-', "_");
    is_dashed.then(|| {
        let span = reader.place(first.start, last.end);
        Diagnostic::new(codes::BAD_NAME, span, "a name has no `-`")
            .help("`-` subtracts; the words of a name are joined by `_`")
            .fix(Certainty::Certain, format!("write `{name}`"), span, name)
    })
}

/// A statement that took the name of the next one for its own.
fn unfinished(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let name = site.back(0)?;
    let last = site.back(1)?;
    let is_next = lex::begins_line(site.text.as_bytes(), name.start) && site.before.len() > 2;
    if !is_next || site.open.is_some() {
        return None;
    }
    let word = last.of(site.text);
    let span = reader.place(last.end, last.end);
    Some(
        Diagnostic::new(
            codes::SYNTAX,
            span,
            format!("expected a value after `{word}`, found the next statement"),
        )
        .other(
            reader.place(name.start, name.end),
            "the next statement begins here",
        ),
    )
}

/// `a ? b : c`, `b if a else c`.
pub(super) fn conditions(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let span = reader.place(site.found.start, site.found.end);
    let help = "a choice is written `if condition then a else b`";
    let is_value = site.back(0).is_some_and(|last| ends_value(site.text, last));
    if site.here() == "?" && is_value {
        return Some(
            Diagnostic::new(codes::TERNARY, span, "`?` chooses nothing here")
                .help(help)
                .help("a missing value is replaced by `??`"),
        );
    }
    let is_python = site.here() == "if" && is_value && !site.bracket().is_empty();
    // `x = b` was read; the rest looks like an `if` without a block.
    let is_rest = site.here() == "else"
        && site
            .before
            .first()
            .is_some_and(|first| first.of(site.text) == "if");
    (is_python || is_rest)
        .then(|| Diagnostic::new(codes::TERNARY, span, "the condition stands first").help(help))
}

/// Marks that the language doesn't have at all.
pub(super) fn unknown_marks(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let span = reader.place(site.found.start, site.found.end);
    let next = site.after();
    match site.here() {
        ";" => Some(
            Diagnostic::new(codes::SEMICOLON, span, "statements have no `;`").fix(
                Certainty::Certain,
                "remove `;`",
                span,
                "",
            ),
        ),
        "${" => Some(hole_outside(reader, site)),
        "$" if next.of(site.text) == "." || next.kind == Kind::Word => {
            let end = lex::word_end(site.text.as_bytes(), next.start);
            let span = reader.place(site.found.start, end.max(next.end));
            Some(
                Diagnostic::new(
                    codes::JSONPATH,
                    span,
                    "values are not found by paths with `$`",
                )
                .help("write the name of the binding, and its fields: `track.sections[0]`"),
            )
        }
        "{" if site.back_text(0) == "{"
            && site
                .back(0)
                .is_some_and(|last| last.end == site.found.start) =>
        {
            let span = reader.place(site.found.start - 1, site.found.end);
            Some(
                Diagnostic::new(
                    codes::TEMPLATE_EXPRESSION,
                    span,
                    "`{{ … }}` is no expression",
                )
                .help("outside of texts a value is written as it is; inside, `${…}`"),
            )
        }
        mark if site.found.kind == Kind::Mark => {
            let letter = mark
                .chars()
                .next()
                .filter(|letter| letter.is_alphabetic())?;
            Some(
                Diagnostic::new(codes::BAD_NAME, span, format!("a name can't have the letter `{letter}`"))
                    .help("names are written with `a` to `z`, `A` to `Z`, digits and `_`; texts stand in quotes"),
            )
        }
        _ => None,
    }
}

fn hole_outside(reader: &Reader<'_>, site: &Site<'_>) -> Diagnostic {
    let open = reader.place(site.found.start, site.found.end);
    let diagnostic = Diagnostic::new(
        codes::TEMPLATE_EXPRESSION,
        open,
        "`${…}` stands in texts only",
    )
    .help("outside of a text a value is written as it is");
    let start = site.found.start;
    let Ok(end) = lex::hole_end(site.text, start) else {
        return diagnostic;
    };
    let written = &site.text[start..end];
    let is_double = written.starts_with("${{") && written.ends_with("}}");
    let (before, after) = if is_double {
        ("${{", "}}")
    } else {
        ("${", "}")
    };
    let remove = |from, to| Edit {
        span: reader.place(from, to),
        text: String::new(),
    };
    let edits = vec![
        remove(start, start + before.len()),
        remove(end - after.len(), end),
    ];
    let title = format!("remove `{before}` and `{after}`");
    diagnostic.fix_all(Certainty::Certain, title, edits)
}

/// `"${{ steps.x.outputs.y }}"`
pub(super) fn foreign_holes(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let before = site.text.get(site.start..site.at)?;
    let open = before.rfind("${{")?;
    let is_open = !before[open..].contains("}}") && !before[open..].contains('\n');
    let quotes = before[..open].matches('"').count();
    (is_open && quotes % 2 == 1).then(|| {
        let (start, text) = (site.start, &site.text[site.start..]);
        fragment::foreign_hole(text, open, |from, to| {
            reader.place(start + from, start + to)
        })
    })
}
