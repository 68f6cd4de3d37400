//! YAML scalars: which text needs which quotes.

use super::flow_expr::{inline, is_dotted};
use super::flow_text::{is_tight, letters};
use crate::ast::{Expr, ExprKind, LiteralKind, TextPart, UnaryOp};

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// Behind a key or a dash.
    Block,
    /// Between `{}` or `[]`.
    Flow,
}

/// Whether the quotes of a scalar say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// They come if they must.
    AsNeeded,
    /// They say that it is a text.
    Always,
    /// It has none, and that says something too.
    Never,
}

/// The text of a scalar before quotes and escapes.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) quotes: Quotes,
}

impl Scalar {
    fn new(text: impl Into<String>, quotes: Quotes) -> Self {
        let text = text.into();
        Self { text, quotes }
    }

    /// Returns it on one line.
    pub(super) fn one_line(&self, place: Where) -> String {
        match self.quotes {
            Quotes::Never if self.text.is_empty() => String::new(),
            Quotes::Never | Quotes::AsNeeded if is_plain(&self.text, place) => self.text.clone(),
            Quotes::Never | Quotes::AsNeeded | Quotes::Always => quoted(&self.text),
        }
    }

    /// Tells whether it means the same between `{}` or `[]`.
    pub(super) fn fits_flow(&self) -> bool {
        match self.quotes {
            Quotes::Never => is_plain(&self.text, Where::Flow),
            Quotes::AsNeeded | Quotes::Always => !self.text.contains('\n'),
        }
    }

    /// Returns the head of a block scalar that can hold it.
    pub(super) fn block_head(&self) -> Option<&'static str> {
        let text = &self.text;
        let is_odd = |c: char| (c.is_control() && c != '\n') || is_unseen(c);
        let can_be = text.contains('\n')
            && self.quotes != Quotes::Never
            && !text.starts_with([' ', '\n', '\t'])
            && !text.ends_with("\n\n")
            && !text.chars().any(is_odd)
            && !text.lines().last().unwrap_or("").trim().is_empty();
        can_be.then_some(if text.ends_with('\n') { "|" } else { "|-" })
    }
}

/// Returns text of the language, or a name, on one line.
pub(super) fn scalar(text: &str, place: Where) -> String {
    Scalar::new(text, Quotes::AsNeeded).one_line(place)
}

/// Returns a key.
pub(super) fn key(text: &str) -> String {
    if is_plain(text, Where::Flow) && text != "<<" {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Returns a value as a scalar; `None` if it is a map or a list.
pub(super) fn of(expr: &Expr) -> Option<Scalar> {
    match &expr.kind {
        ExprKind::Literal(literal) if literal.kind == LiteralKind::Text => {
            Some(of_letters(&literal.text))
        }
        // What YAML wrote without a hole is a bare word.
        ExprKind::Literal(_) => Some(hole(expr)),
        ExprKind::Unary(UnaryOp::Negate, operand) => Some(negative(operand).unwrap_or(hole(expr))),
        ExprKind::Bare(bare) => {
            let quotes = if bare.quoted {
                Quotes::Always
            } else {
                Quotes::Never
            };
            Some(Scalar::new(bare.text.replace("${", "$${"), quotes))
        }
        ExprKind::Text(text) => match letters(text) {
            Some(all) => Some(of_letters(&all)),
            None if text.parts.len() == 1 => Some(hole(expr)),
            None => Some(Scalar::new(with_holes(&text.parts), Quotes::AsNeeded)),
        },
        ExprKind::List(_) | ExprKind::Record(_) => None,
        ExprKind::None | ExprKind::Name(_) | ExprKind::Field(..) | ExprKind::Index(..) => {
            Some(hole(expr))
        }
        ExprKind::Unary(UnaryOp::Not, _) | ExprKind::Binary(_) | ExprKind::Is(..) => {
            Some(hole(expr))
        }
        ExprKind::If(_) | ExprKind::Call(_) | ExprKind::Comprehension(_) | ExprKind::Error => {
            Some(hole(expr))
        }
    }
}

/// Returns a number below zero, which YAML says without a hole.
fn negative(operand: &Expr) -> Option<Scalar> {
    let ExprKind::Literal(literal) = &operand.kind else {
        return None;
    };
    let is_number = literal.text.starts_with(|c: char| c.is_ascii_digit());
    is_number.then(|| Scalar::new(format!("-{}", literal.text), Quotes::AsNeeded))
}

/// Returns an expression as `${…}`.
pub(super) fn hole(expr: &Expr) -> Scalar {
    let mut text = String::new();
    push_hole(expr, &mut text);
    Scalar::new(text, Quotes::AsNeeded)
}

fn push_hole(expr: &Expr, out: &mut String) {
    let blank = if is_tight(expr) || is_dotted(expr) {
        ""
    } else {
        " "
    };
    for piece in ["${", blank, &inline(expr), blank, "}"] {
        out.push_str(piece);
    }
}

/// A text without holes, unquoted where nobody takes it for something else.
fn of_letters(letters: &str) -> Scalar {
    let quotes = if looks_like_other(letters) {
        Quotes::Always
    } else {
        Quotes::AsNeeded
    };
    Scalar::new(letters.replace("${", "$${"), quotes)
}

fn with_holes(parts: &[TextPart]) -> String {
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        match part {
            TextPart::Str(part) => {
                let part = part.replace("${", "$${");
                let is_before_hole = matches!(parts.get(at + 1), Some(TextPart::Hole(_)));
                // A `$` right before a hole would turn it into text.
                match part.strip_suffix('$').filter(|_| is_before_hole) {
                    Some(head) => {
                        text.push_str(head);
                        text.push_str("${'$'}");
                    }
                    None => text.push_str(&part),
                }
            }
            TextPart::Hole(expr) => push_hole(expr, &mut text),
        }
    }
    text
}

/// Tells whether an unquoted text may be taken for a number, a bool or nothing.
fn looks_like_other(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "true", "false", "null", "none", "yes", "no", "on", "off", "y", "n",
    ];
    let lower = text.to_ascii_lowercase();
    let rest = text.trim_start_matches(['-', '+', '.', '$']);
    text.is_empty()
        || text == "~"
        || text.starts_with("$.")
        || WORDS.contains(&lower.as_str())
        || rest.starts_with(|c: char| c.is_ascii_digit())
        || [".inf", ".nan", "-.inf", "+.inf"].contains(&lower.as_str())
}

/// Tells whether a text can stand without quotes.
pub(super) fn is_plain(text: &str, place: Where) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    let second = chars.next();
    let starts_well = match first {
        '-' | '?' | ':' => second.is_some_and(|c| c.is_ascii_alphanumeric()),
        ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' => false,
        c => !c.is_whitespace(),
    };
    starts_well
        && !text.ends_with(|c: char| c.is_whitespace() || c == ':')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(|c| c.is_control() || is_unseen(c))
        && (place == Where::Block || !text.contains([',', '[', ']', '{', '}']))
        && (place == Where::Block || !text.ends_with('?'))
}

fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{85}' | '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
    ) || ('\u{202a}'..='\u{202e}').contains(&c)
}

/// Returns a text between quotes.
pub(super) fn quoted(text: &str) -> String {
    let is_odd = |c: char| c.is_control() || is_unseen(c);
    if text.contains(['"', '\\']) && !text.contains('\'') && !text.chars().any(is_odd) {
        return format!("'{text}'");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_odd(c) => {
                use std::fmt::Write as _;
                let code = u32::from(c);
                write!(out, "\\u{code:04x}").expect("a string takes every text");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
