//! A small layout builder: text with places where a line may end.
//!
//! A document is a flat list of tokens. A group is written on one line if it
//! fits there, else all of its own line places become line ends. Knows nothing
//! of the language.

use std::borrow::Cow;

/// The widest line that is written by choice, in characters.
pub(super) const WIDTH: usize = 100;

/// How far a level is indented.
pub(super) const STEP: usize = 2;

#[derive(Debug)]
enum Token<'a> {
    Text(Cow<'a, str>),
    Line { flat: &'static str, blank: bool },
    Hard { blank: bool },
    Open { broken: bool },
    Close,
    Indent,
    Dedent,
    IfBroken(&'static str),
    Suffix(String),
}

/// Tokens in order.
#[derive(Debug, Default)]
pub(super) struct Doc<'a> {
    tokens: Vec<Token<'a>>,
    groups: Vec<usize>,
}

impl<'a> Doc<'a> {
    /// Adds text without line ends.
    pub(super) fn text(&mut self, text: impl Into<Cow<'a, str>>) {
        let text = text.into();
        debug_assert!(!text.contains('\n'), "a text token is part of one line");
        if !text.is_empty() {
            self.tokens.push(Token::Text(text));
        }
    }

    /// Adds a place that is `flat` in a group that fits, else a line end.
    pub(super) fn line(&mut self, flat: &'static str) {
        let blank = false;
        self.tokens.push(Token::Line { flat, blank });
    }

    /// Like [`Doc::line`], but as a line end it leaves an empty line.
    pub(super) fn line_blank(&mut self, flat: &'static str) {
        let blank = true;
        self.tokens.push(Token::Line { flat, blank });
    }

    /// Ends the line, and with it every group around.
    pub(super) fn hard(&mut self) {
        self.break_group();
        self.tokens.push(Token::Hard { blank: false });
    }

    /// Ends the line and leaves an empty one.
    pub(super) fn hard_blank(&mut self) {
        self.break_group();
        self.tokens.push(Token::Hard { blank: true });
    }

    /// Adds text that is written only if the group around is broken.
    pub(super) fn if_broken(&mut self, text: &'static str) {
        self.tokens.push(Token::IfBroken(text));
    }

    /// Adds a comment that is written where the line ends, and ends it.
    pub(super) fn suffix(&mut self, text: String) {
        // Two comments on one line would become one.
        if self.ends_with_comment() {
            self.hard();
            self.text(text);
            return;
        }
        self.break_group();
        self.tokens.push(Token::Suffix(text));
    }

    fn ends_with_comment(&self) -> bool {
        for token in self.tokens.iter().rev() {
            match token {
                Token::Suffix(_) => return true,
                Token::Text(text) if text == "," => {}
                Token::Text(text) => return text.starts_with('#'),
                Token::Line { .. } | Token::Hard { .. } => return false,
                Token::Open { .. } | Token::Close | Token::Indent | Token::Dedent => {}
                Token::IfBroken(_) => {}
            }
        }
        false
    }

    /// Begins a group.
    pub(super) fn open(&mut self) {
        self.groups.push(self.tokens.len());
        self.tokens.push(Token::Open { broken: false });
    }

    /// Ends a group.
    pub(super) fn close(&mut self) {
        let at = self.groups.pop().expect("every `close` has its `open`");
        if matches!(self.tokens[at], Token::Open { broken: true }) {
            self.break_group();
        }
        self.tokens.push(Token::Close);
    }

    /// Begins a deeper level.
    pub(super) fn indent(&mut self) {
        self.tokens.push(Token::Indent);
    }

    /// Ends a deeper level.
    pub(super) fn dedent(&mut self) {
        self.tokens.push(Token::Dedent);
    }

    fn break_group(&mut self) {
        if let Some(at) = self.groups.last() {
            self.tokens[*at] = Token::Open { broken: true };
        }
    }

    /// Writes the document with lines of at most `width` where it can.
    pub(super) fn render(&self, width: usize) -> String {
        debug_assert!(self.groups.is_empty(), "every `open` has its `close`");
        let mut page = Page::default();
        let mut broken = vec![true];
        for (at, token) in self.tokens.iter().enumerate() {
            let is_broken = broken.last().copied().unwrap_or(true);
            match token {
                Token::Text(text) => page.put(text),
                Token::Line { blank, .. } if is_broken => page.end_line(*blank),
                Token::Line { flat, .. } => page.put(flat),
                Token::Hard { blank } => page.end_line(*blank),
                Token::Open { broken: forced } => {
                    let room = width.saturating_sub(page.column());
                    broken.push(*forced || (is_broken && !self.fits(at + 1, room)));
                }
                Token::Close => {
                    broken.pop();
                }
                Token::Indent => page.level += 1,
                Token::Dedent => page.level -= 1,
                Token::IfBroken(text) if is_broken => page.put(text),
                Token::IfBroken(_) => {}
                Token::Suffix(text) => page.suffixes.push(text.clone()),
            }
        }
        page.finish()
    }

    /// Tells whether what follows fits, the group that begins at `from` on one
    /// line and what comes after it up to the next place where a line may end.
    fn fits(&self, from: usize, room: usize) -> bool {
        let mut used = 0;
        // 1 is inside the group; what lies behind its end has `None`.
        let mut depth = Some(1_usize);
        for token in &self.tokens[from..] {
            match (token, depth) {
                (Token::Text(text), _) => used += text.chars().count(),
                (Token::Line { flat, .. }, Some(_)) => used += flat.len(),
                (Token::Line { .. } | Token::Hard { .. }, _) => return used <= room,
                (Token::Open { .. }, Some(inner)) => depth = Some(inner + 1),
                (Token::Close, Some(inner)) => depth = (inner > 1).then(|| inner - 1),
                (Token::IfBroken(text), None) => used += text.len(),
                (
                    Token::IfBroken(_)
                    | Token::Open { .. }
                    | Token::Close
                    | Token::Indent
                    | Token::Dedent
                    | Token::Suffix(_),
                    _,
                ) => {}
            }
            if used > room {
                return false;
            }
        }
        true
    }
}

/// Lines as they are written.
#[derive(Debug, Default)]
struct Page {
    out: String,
    level: usize,
    column: usize,
    suffixes: Vec<String>,
}

impl Page {
    fn column(&self) -> usize {
        if self.column == 0 {
            self.level * STEP
        } else {
            self.column
        }
    }

    fn put(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.column == 0 {
            self.column = self.level * STEP;
            self.out.extend(std::iter::repeat_n(' ', self.column));
        }
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn end_line(&mut self, blank: bool) {
        self.end_text();
        self.out.push_str(if blank { "\n\n" } else { "\n" });
        self.column = 0;
    }

    fn end_text(&mut self) {
        for suffix in std::mem::take(&mut self.suffixes) {
            if self.column > 0 {
                self.put("  ");
            }
            self.put(&suffix);
        }
    }

    fn finish(mut self) -> String {
        self.end_text();
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(args: &[&'static str]) -> Doc<'static> {
        let mut doc = Doc::default();
        doc.text("f(");
        doc.open();
        doc.indent();
        for (at, arg) in args.iter().enumerate() {
            doc.line(if at == 0 { "" } else { " " });
            doc.text(*arg);
            if at + 1 < args.len() {
                doc.text(",");
            } else {
                doc.if_broken(",");
            }
        }
        doc.dedent();
        doc.line("");
        doc.close();
        doc.text(")");
        doc
    }

    #[test]
    fn a_group_is_on_one_line_only_if_it_fits_with_what_follows() {
        assert_eq!(call(&["aa", "bb"]).render(9), "f(aa, bb)");
        assert_eq!(call(&["aa", "bb"]).render(8), "f(\n  aa,\n  bb,\n)");
    }

    #[test]
    fn a_suffix_breaks_its_group_and_stands_at_the_end_of_its_line() {
        let mut doc = Doc::default();
        doc.open();
        doc.text("a");
        doc.suffix("# one".to_owned());
        doc.text(",");
        doc.line(" ");
        doc.text("b");
        doc.close();
        assert_eq!(doc.render(80), "a,  # one\nb");
    }
}
