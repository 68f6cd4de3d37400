//! Numbers, amounts, durations and texts as others write them.

use super::Site;
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::dsl::Reader;
use crate::dsl::lex::{self, Kind, Token};

/// Units as people write them, and ours.
const UNITS: &[(&str, &str)] = &[
    ("ms", "ms"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("s", "s"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "m"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("h", "h"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("d", "d"),
    ("day", "d"),
    ("days", "d"),
];

fn unit(word: &str) -> Option<&'static str> {
    UNITS.iter().find(|unit| unit.0 == word).map(|unit| unit.1)
}

fn bad(reader: &Reader<'_>, start: usize, end: usize, message: &str) -> Diagnostic {
    Diagnostic::new(codes::BAD_NUMBER, reader.place(start, end), message)
}

fn corrected(diagnostic: Diagnostic, ours: &str) -> Diagnostic {
    let span = diagnostic.primary.span;
    diagnostic.fix(Certainty::Certain, format!("write `{ours}`"), span, ours)
}

pub(super) fn numbers(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let found = site.found;
    let next = site.after();
    if found.kind == Kind::Number {
        return run_on(reader, found, found.of(site.text));
    }
    let last = site.back(0)?;
    let number = last.of(site.text);
    let is_number = last.kind == Kind::Number;
    if let Some(diagnostic) = marks(reader, site, last, next) {
        return Some(diagnostic);
    }
    // The word on the next line was taken for a field.
    let is_next = number != "."
        && site.back_text(1) == "."
        && lex::begins_line(site.text.as_bytes(), last.start);
    let dot = if is_next { site.back(1)? } else { last };
    let before = site.back(if is_next { 2 } else { 1 });
    let digits = before.filter(|digits| digits.kind == Kind::Number && digits.end == dot.start);
    if let Some(digits) = digits.filter(|_| dot.of(site.text) == ".") {
        let ours = format!("{}.0", digits.of(site.text));
        let message = "a number ends with a digit";
        return Some(corrected(
            bad(reader, digits.start, dot.end, message),
            &ours,
        ));
    }
    (is_number && found.kind == Kind::Word)
        .then(|| apart(reader, last, found, number, site.here()))
        .flatten()
}

/// Marks before, behind and between digits.
fn marks(reader: &Reader<'_>, site: &Site<'_>, last: Token, next: Token) -> Option<Diagnostic> {
    let found = site.found;
    let number = last.of(site.text);
    let touches = last.end == found.start;
    let is_number = last.kind == Kind::Number;
    let is_group = touches
        && is_number
        && next.start == found.end
        && next.kind == Kind::Number
        && next.end - next.start == 3;
    match site.here() {
        "," if is_group => {
            let place = reader.place(found.start, found.end);
            Some(
                bad(
                    reader,
                    last.start,
                    next.end,
                    "the digits of a number are grouped by `_`",
                )
                .fix(Certainty::Certain, "write `_`", place, "_"),
            )
        }
        "." if next.kind == Kind::Number && next.start == found.end => {
            let ours = format!("0.{}", next.of(site.text));
            Some(corrected(
                bad(
                    reader,
                    found.start,
                    next.end,
                    "a number begins with a digit",
                ),
                &ours,
            ))
        }
        "$" if next.of(site.text) == "." && lex::next(site.text, next.end).kind == Kind::Number => {
            Some(
                bad(
                    reader,
                    found.start,
                    next.end,
                    "an amount begins with a digit",
                )
                .help("write `$0.50`"),
            )
        }
        "€" | "£" | "¥" => Some(
            bad(reader, found.start, found.end, "amounts are in US dollars").help("write `$2.50`"),
        ),
        "$" if is_number && touches => {
            let ours = format!("${number}");
            Some(corrected(
                bad(
                    reader,
                    last.start,
                    found.end,
                    "the `$` stands before the amount",
                ),
                &ours,
            ))
        }
        "×" if is_number => Some(
            bad(reader, found.start, found.end, "a size is written with `x`")
                .help("write `1080x1920`"),
        ),
        _ => None,
    }
}

/// `5 minutes`, `$5 USD`
fn apart(
    reader: &Reader<'_>,
    number: Token,
    word: Token,
    digits: &str,
    written: &str,
) -> Option<Diagnostic> {
    if digits.starts_with('$') && matches!(written, "USD" | "usd" | "dollars" | "dollar") {
        return Some(corrected(
            bad(
                reader,
                number.start,
                word.end,
                "`$` is enough: amounts are in US dollars",
            ),
            digits,
        ));
    }
    if matches!(written, "USD" | "usd" | "dollars" | "dollar") {
        let message = "an amount is written with `$` before it";
        let place = bad(reader, number.start, word.end, message);
        return Some(corrected(place, &format!("${digits}")));
    }
    let unit = unit(written)?;
    let is_plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'_');
    let ours = format!("{digits}{unit}");
    is_plain.then(|| {
        corrected(
            bad(
                reader,
                number.start,
                word.end,
                "a duration is written without a blank",
            ),
            &ours,
        )
    })
}

/// A word behind a number, as a statement.
pub(super) fn unit_apart(reader: &Reader<'_>, at: usize, word: Token) -> Option<Diagnostic> {
    let text = reader.text;
    let before = text[..at].trim_end_matches([' ', '\t']);
    let start =
        before.rfind(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '_' | '.' | '$'));
    let start = start.map_or(0, |start| {
        start + before[start..].chars().next().map_or(1, char::len_utf8)
    });
    let digits = &before[start..];
    if !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = Token {
        kind: Kind::Number,
        start,
        end: before.len(),
    };
    apart(reader, number, word, digits, word.of(text))
}

/// A number that runs into letters.
fn run_on(reader: &Reader<'_>, token: Token, written: &str) -> Option<Diagnostic> {
    let letters = written.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (digits, word) = written.split_at(letters);
    let is_known = crate::dsl::fragment::is_number(written);
    if is_known {
        return None;
    }
    if let Some(unit) = unit(word) {
        let message = "durations have the units `ms`, `s`, `m`, `h` and `d`";
        return Some(corrected(
            bad(reader, token.start, token.end, message),
            &format!("{digits}{unit}"),
        ));
    }
    let message = format!("`{written}` is no number");
    let mut diagnostic = bad(reader, token.start, token.end, &message);
    let size = word
        .strip_prefix('X')
        .filter(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some(height) = size {
        return Some(corrected(diagnostic, &format!("{digits}x{height}")));
    }
    diagnostic = if word == "fps" {
        diagnostic.help("a rate is a plain number: `fps: 24`")
    } else {
        diagnostic.help("numbers are `3`, `0.5`, `1_000`; durations `1h30m`; sizes `1080x1920`; names begin with a letter")
    };
    Some(diagnostic)
}

/// `f"…"` and backticks.
pub(super) fn foreign_texts(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let help = "a value is put into any text by `${…}`; `'…'` is raw";
    if site.here() == "`" {
        let span = reader.place(site.found.start, site.found.end);
        return Some(
            Diagnostic::new(codes::FOREIGN_TEXT, span, "a text has no backticks")
                .help("write `\"…\"`, or `\"\"\"` for several lines")
                .help(help),
        );
    }
    let last = site.back(0)?;
    let touches = site.found.kind == Kind::Text && last.end == site.found.start;
    (touches && last.kind == Kind::Word && last.end - last.start <= 2).then(|| {
        let span = reader.place(last.start, last.end);
        let word = last.of(site.text);
        Diagnostic::new(
            codes::FOREIGN_TEXT,
            span,
            format!("a text has no `{word}` before it"),
        )
        .help(help)
        .fix(Certainty::Likely, format!("remove `{word}`"), span, "")
    })
}
