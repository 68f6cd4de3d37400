//! What happens after a mistake: one message, and on with the next statement.

use super::grammar::Failure;
use super::lex::{self, DEPTH_MAX, Fault, Kind, Token};
use super::{Reader, expect, habits, scan};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::span::Span;

/// The words that begin a declaration.
pub(super) const ITEMS: &[&str] = &["use", "enum", "type", "step", "workflow", "trigger", "test"];

/// The words that begin a region.
const REGIONS: &[&str] = &["if", "match", "for", "repeat", "race", "parallel"];

/// How many bytes of a line are looked at to tell what it is.
const LOOK_MAX: usize = 400;

/// What is read in a row where the mistake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Statements of a block.
    Block,
    /// Arms of a `match`.
    Arms,
    /// Statements of a test.
    Test,
    /// Declarations.
    Items,
    /// Nothing: the text is one piece.
    Fragment,
}

/// How sure it is that a statement begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Even inside brackets that are open.
    Sure,
    /// Outside of brackets.
    Likely,
    No,
}

impl Reader<'_> {
    /// Reports what stops the grammar and goes on where something new begins.
    pub(super) fn fail(&mut self, start: usize, failure: &Failure, depth: usize, mode: Mode) {
        let mut at = lex::next_code(self.text, failure.at)
            .start
            .min(self.text.len());
        let barrier = self
            .scan
            .barrier(start)
            .filter(|barrier| at >= barrier.start);
        let diagnostic = if let Some(barrier) = barrier {
            at = barrier.end;
            self.fault(barrier.fault, barrier.start, barrier.end)
        } else {
            let site = habits::Site::of(self.text, start, at);
            habits::explain(self, &site)
                .unwrap_or_else(|| expect::explain(self, &site, failure, mode))
        };
        self.report(diagnostic);
        self.resume(start, at, depth, mode);
    }

    /// Reports a barrier that is next and goes on behind it. Says whether
    /// there was one.
    pub(super) fn pass_barrier(&mut self, mode: Mode) -> bool {
        let at = self.at;
        let Some(barrier) = self.scan.barrier(at).filter(|barrier| barrier.start == at) else {
            return false;
        };
        let diagnostic = self.fault(barrier.fault, barrier.start, barrier.end);
        self.report(diagnostic);
        self.at = barrier.end;
        if barrier.fault != Fault::Comment {
            self.resume(barrier.end, barrier.end, DEPTH_MAX, mode);
        }
        true
    }

    /// Says what the grammar can't have at a place.
    pub(super) fn fault(&self, fault: Fault, start: usize, end: usize) -> Diagnostic {
        let here = self.place(start, start + 1);
        let whole = self.place(start, end);
        let written = &self.text[start..end];
        match fault {
            Fault::OpenText => Diagnostic::new(
                codes::OPEN_TEXT,
                here,
                "this text is not closed on its line",
            )
            .help("write the closing quote; a text of several lines stands in `\"\"\"`"),
            Fault::OpenLines => Diagnostic::new(
                codes::OPEN_TEXT,
                self.place(start, start + 3),
                "this text is never closed",
            )
            .help("write the three quotes that end it"),
            Fault::OpenHole => Diagnostic::new(
                codes::OPEN_HOLE,
                self.place(start, start + 2),
                "this `${` is never closed",
            )
            .help("write the `}`; letters `${` in a text are written `$${`"),
            Fault::TooDeep => Diagnostic::new(
                codes::TOO_DEEP,
                here,
                format!("brackets are nested more than {DEPTH_MAX} levels deep"),
            )
            .help("give an inner part a name, or put it into a workflow of its own"),
            Fault::Control => {
                let letter = written.chars().next().unwrap_or_default();
                let here = self.place(start, start + letter.len_utf8());
                let code = u32::from(letter);
                Diagnostic::new(
                    codes::STRAY_CHARACTER,
                    here,
                    format!("the character U+{code:04X} can't stand here"),
                )
                .help("remove it; it can't be seen in most editors")
                .fix(Certainty::Likely, "remove it", here, "")
            }
            Fault::Quote => {
                let letter = written.chars().next().unwrap_or('“');
                Diagnostic::new(
                    codes::STRAY_CHARACTER,
                    whole,
                    format!("`{letter}` is no quotation mark of the language"),
                )
                .help("write texts in straight quotes: `\"…\"` or `'…'`")
                .fix(Certainty::Likely, "write a straight quote", whole, "\"")
            }
            Fault::Comment => foreign_comment(written, whole),
        }
    }

    /// Goes to the next thing that can be read. `start` is where the broken
    /// one begins, `from` where it broke.
    pub(super) fn resume(&mut self, start: usize, from: usize, depth: usize, mode: Mode) {
        let bytes = self.text.as_bytes();
        let home = self.indentation(start);
        let line = lex::line_start(bytes, from);
        // Behind the last text without an end nothing was looked at.
        if from >= self.text.len() {
            self.at = self.text.len();
            return;
        }
        let mut braces = 0_usize;
        let mut brackets = 0_usize;
        let mut at = start;
        loop {
            let token = lex::next_code(self.text, at);
            self.at = token.start.min(self.text.len());
            at = token.end;
            if token.kind == Kind::End {
                return;
            }
            if matches!(token.kind, Kind::Fault(Fault::OpenLines | Fault::OpenHole)) {
                at = self.behind_open(token);
            }
            if token.start > start && token.start >= line && lex::begins_line(bytes, token.start) {
                if self.item_begins(token.start) {
                    return;
                }
                if braces == 0 || self.indentation(token.start) <= home {
                    match self.begins(token, mode) {
                        Start::Sure => return,
                        Start::Likely if brackets == 0 && braces == 0 => return,
                        Start::Likely | Start::No => {}
                    }
                }
            }
            match token.of(self.text) {
                "(" | "[" => brackets += 1,
                ")" | "]" => brackets = brackets.saturating_sub(1),
                "{" if (brackets == 0 || matches!(mode, Mode::Items | Mode::Fragment))
                    && depth < DEPTH_MAX
                    && self.block_begins(token.end) =>
                {
                    brackets = 0;
                    // The block of a broken head is read all the same.
                    self.block(depth + 1);
                    at = self.at;
                }
                "{" | "${" => braces += 1,
                "}" if braces > 0 => braces -= 1,
                "}" if !matches!(mode, Mode::Items | Mode::Fragment) => return,
                _ => {}
            }
        }
    }

    /// Goes behind the `}` that belongs to the `{` that is next, or to the next
    /// declaration.
    pub(super) fn skip_braces(&mut self) {
        let mut braces = 0_usize;
        loop {
            let token = lex::next_code(self.text, self.at);
            self.at = token.start.min(self.text.len());
            if token.kind == Kind::End || self.item_begins(token.start) {
                return;
            }
            self.at = token.end;
            if matches!(token.kind, Kind::Fault(Fault::OpenLines | Fault::OpenHole)) {
                self.at = self.behind_open(token);
            }
            match token.of(self.text) {
                "{" | "${" => braces += 1,
                "}" if braces <= 1 => return,
                "}" => braces -= 1,
                _ => {}
            }
        }
    }

    /// Returns where to look on behind a text without an end. Each costs a
    /// look at all that follows, so there may be few of them.
    fn behind_open(&mut self, token: Token) -> usize {
        self.open_texts += 1;
        let barrier = self.scan.barrier(token.start);
        let barrier = barrier.filter(|barrier| barrier.start == token.start);
        if self.open_texts > scan::OPEN_TEXTS_MAX * 4 {
            return self.text.len();
        }
        barrier.map_or(token.end, |barrier| barrier.end)
    }

    /// Returns how far a line is indented, in bytes.
    pub(super) fn indentation(&self, at: usize) -> usize {
        let start = lex::line_start(self.text.as_bytes(), at);
        let rest = &self.text.as_bytes()[start..];
        rest.iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count()
    }

    /// Returns whether a declaration begins at the left edge.
    pub(super) fn item_begins(&self, at: usize) -> bool {
        let bytes = self.text.as_bytes();
        let is_left = at == 0 || bytes.get(at - 1) == Some(&b'\n');
        if !is_left || !bytes.get(at).is_some_and(u8::is_ascii_lowercase) {
            return false;
        }
        let word = lex::next(self.text, at);
        if !ITEMS.contains(&word.of(self.text)) {
            return false;
        }
        let second = lex::next(self.text, word.end);
        match word.of(self.text) {
            "use" | "test" => matches!(second.kind, Kind::Text | Kind::Fault(_)),
            _ => second.kind == Kind::Word,
        }
    }

    /// Returns whether what follows a `{` is a block rather than a record.
    fn block_begins(&self, at: usize) -> bool {
        let token = lex::next_code(self.text, at);
        self.begins(token, Mode::Block) != Start::No
    }

    fn begins(&self, token: Token, mode: Mode) -> Start {
        match mode {
            Mode::Items | Mode::Fragment => Start::No,
            Mode::Arms if self.line_has(token.start, "=>") => Start::Sure,
            Mode::Arms => Start::No,
            Mode::Test if matches!(token.of(self.text), "stub" | "expect" | "run") => {
                let next = lex::next_code(self.text, token.end);
                if next.kind == Kind::Word {
                    Start::Sure
                } else {
                    Start::No
                }
            }
            Mode::Test | Mode::Block => self.statement_begins(token),
        }
    }

    fn statement_begins(&self, token: Token) -> Start {
        if token.kind != Kind::Word {
            return Start::No;
        }
        let word = token.of(self.text);
        let mut next = lex::next_code(self.text, token.end);
        let mark = next.of(self.text);
        match mark {
            "=" | ":=" => return Start::Sure,
            ":" if self.line_has(token.start, "=") => return Start::Sure,
            "," | ")" | "]" | ":" => return Start::No,
            _ => {}
        }
        if matches!(word, "yield" | "return") {
            return Start::Sure;
        }
        if REGIONS.contains(&word) && !matches!(mark, "." | "(") {
            let opens = mark == "{" || self.line_has(token.start, "{");
            return if opens { Start::Sure } else { Start::Likely };
        }
        while next.of(self.text) == "." {
            let word = lex::next_code(self.text, next.end);
            next = lex::next_code(self.text, word.end);
        }
        if matches!(next.of(self.text), "(" | "<") {
            Start::Likely
        } else {
            Start::No
        }
    }

    /// Returns whether a mark stands on the line, outside of texts.
    fn line_has(&self, start: usize, mark: &str) -> bool {
        let bytes = self.text.as_bytes();
        let mut at = start;
        while at - start < LOOK_MAX {
            let token = lex::next(self.text, at);
            if token.kind == Kind::End || bytes[at..token.start].contains(&b'\n') {
                return false;
            }
            if token.kind == Kind::Mark && token.of(self.text) == mark {
                return true;
            }
            at = token.end;
        }
        false
    }
}

fn foreign_comment(written: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(codes::FOREIGN_COMMENT, span, "a comment begins with `#`")
        .help("`#` makes the rest of a line a comment; `##` before a declaration documents it");
    match written.strip_prefix("//") {
        Some(_) => {
            let marks = Span {
                end: span.start + 2,
                ..span
            };
            diagnostic.fix(Certainty::Certain, "write `#`", marks, "#")
        }
        None => diagnostic,
    }
}
