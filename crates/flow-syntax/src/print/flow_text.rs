//! Texts of the workflow language: quotes, escapes and holes.

use super::flow_expr::{Flow, InlineQuotes};
use crate::ast::{Expr, ExprKind, Text, TextPart, TextStyle};

/// Writes letters between `"`.
pub(super) fn escape(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '$' if chars.peek() == Some(&'{') => out.push_str("$$"),
            c if needs_code(c) => push_code(c, out),
            c => out.push(c),
        }
    }
}

/// Returns a text without holes between `"`.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    escape(text, &mut out);
    out.push('"');
    out
}

/// Returns a text without holes, raw if that saves escapes.
pub(super) fn quoted_or_raw(text: &str) -> String {
    if (text.contains(['\\', '"']) || text.contains("${")) && can_be_raw(text) {
        return format!("'{text}'");
    }
    quoted(text)
}

/// Tells whether a text can stand between `'`.
pub(super) fn can_be_raw(text: &str) -> bool {
    !text.contains(['\'', '\n']) && !text.chars().any(|c| needs_code(c) || c == '\t')
}

/// Letters that nobody sees, or that editors change.
fn needs_code(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200e}' | '\u{200f}'
        )
        || ('\u{202a}'..='\u{202e}').contains(&c)
}

fn push_code(c: char, out: &mut String) {
    use std::fmt::Write as _;
    write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a string takes every text");
}

/// Tells whether a hole looks better without blanks in it.
pub(super) fn is_tight(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Name(_) | ExprKind::Call(_) | ExprKind::Literal(_) | ExprKind::Text(_) => true,
        ExprKind::Field(base, _) | ExprKind::Index(base, _) => is_tight(base),
        ExprKind::None => true,
        ExprKind::Bare(_) | ExprKind::Unary(..) | ExprKind::Binary(_) | ExprKind::Is(..) => false,
        ExprKind::If(_) | ExprKind::List(_) | ExprKind::Comprehension(_) => false,
        ExprKind::Record(_) | ExprKind::Error => false,
    }
}

/// Returns the letters of a text without holes.
pub(super) fn letters(text: &Text) -> Option<String> {
    let mut all = String::new();
    for part in &text.parts {
        match part {
            TextPart::Str(part) => all.push_str(part),
            TextPart::Hole(_) => return None,
        }
    }
    Some(all)
}

impl<'a> Flow<'a> {
    /// Writes a text in its style, or in one that can hold it.
    pub(super) fn text(&mut self, text: &'a Text) {
        let letters = letters(text);
        let style = match (&letters, text.style, self.inline) {
            (_, TextStyle::Plain | TextStyle::Lines, None) => text.style,
            (Some(all), TextStyle::Raw, _) if can_be_raw(all) => TextStyle::Raw,
            (Some(all), TextStyle::RawLines, None) if can_be_raw_lines(all) => text.style,
            (_, TextStyle::RawLines, None) => TextStyle::Lines,
            (Some(all), _, Some(InlineQuotes::Single)) if can_be_raw(all) => TextStyle::Raw,
            (_, _, _) => TextStyle::Plain,
        };
        match (style, letters) {
            (TextStyle::Raw, Some(all)) => self.doc.text(format!("'{all}'")),
            (TextStyle::RawLines, Some(all)) => self.raw_lines(&all),
            (TextStyle::Lines, _) => self.lines(text),
            (TextStyle::Raw | TextStyle::RawLines | TextStyle::Plain, _) => self.plain(text),
        }
    }

    fn plain(&mut self, text: &'a Text) {
        let mut written = String::from("\"");
        for (at, part) in text.parts.iter().enumerate() {
            match part {
                TextPart::Str(part) => {
                    escape(part, &mut written);
                    guard_dollar(&mut written, text.parts.get(at + 1));
                }
                TextPart::Hole(hole) => self.hole(hole, &mut written),
            }
        }
        written.push('"');
        self.doc.text(written);
    }

    /// Writes a hole; it never has a line end.
    fn hole(&mut self, hole: &'a Expr, written: &mut String) {
        let inner = if self.inline.is_some() {
            super::flow_expr::inline(hole)
        } else {
            super::flow_expr::one_line(hole)
        };
        let blank = if is_tight(hole) { "" } else { " " };
        written.push_str("${");
        written.push_str(blank);
        written.push_str(&inner);
        written.push_str(blank);
        written.push('}');
    }

    fn lines(&mut self, text: &'a Text) {
        let mut written = String::new();
        for (at, part) in text.parts.iter().enumerate() {
            match part {
                TextPart::Str(part) => {
                    escape_lines(part, &mut written);
                    guard_dollar(&mut written, text.parts.get(at + 1));
                }
                TextPart::Hole(hole) => self.hole(hole, &mut written),
            }
        }
        // The blanks of the last line are the margin of all.
        let last = written.rfind('\n').map_or(0, |end| end + 1);
        if written[last..].starts_with(' ') {
            written.replace_range(last..=last, "\\u{20}");
        }
        self.block_of_lines("\"\"\"", &written);
    }

    fn raw_lines(&mut self, letters: &str) {
        self.block_of_lines("'''", letters);
    }

    /// Writes lines, the quotes that close them right behind the last.
    fn block_of_lines(&mut self, quotes: &'static str, letters: &str) {
        self.doc.text(quotes);
        self.doc.indent();
        let mut lines = letters.split('\n').peekable();
        while let Some(line) = lines.next() {
            self.doc.hard();
            self.doc.text(line.to_owned());
            if lines.peek().is_none() {
                self.doc.text(quotes);
            }
        }
        self.doc.dedent();
    }
}

fn can_be_raw_lines(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or("");
    !text.contains("'''")
        && !text.ends_with('\'')
        && !text.chars().any(needs_code)
        && !last.starts_with([' ', '\t'])
}

/// Writes letters between `"""`: line ends stay, and single quotes.
fn escape_lines(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push('\n'),
            // Neither three in a row nor one before those that close.
            '"' if chars.peek().is_some_and(|next| *next != '"') => out.push('"'),
            '$' if chars.peek() == Some(&'{') => out.push_str("$$"),
            c => escape(c.encode_utf8(&mut [0; 4]), out),
        }
    }
}

/// A `$` right before a hole would turn it into text.
fn guard_dollar(written: &mut String, next: Option<&TextPart>) {
    if matches!(next, Some(TextPart::Hole(_))) && written.ends_with('$') {
        written.pop();
        written.push_str("\\u{24}");
    }
}
