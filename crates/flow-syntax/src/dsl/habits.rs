//! Habits from other languages, recognised where reading stopped.

use super::Reader;
use super::lex::{self, Kind, Token};
use super::recover::Mode;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// The surroundings of the place where reading stopped.
#[derive(Debug)]
pub(super) struct Site<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// Where the statement begins.
    pub(super) start: usize,
    /// Where reading stopped.
    pub(super) at: usize,
    /// What stands there.
    pub(super) found: Token,
    /// What stands before it, the last one last.
    pub(super) before: Vec<Token>,
    /// The bracket of the statement that is open there.
    pub(super) open: Option<Token>,
}

impl<'a> Site<'a> {
    /// Looks at a statement from its beginning.
    pub(super) fn of(text: &'a str, start: usize, at: usize) -> Self {
        let mut before: Vec<Token> = Vec::new();
        let mut open: Vec<Token> = Vec::new();
        let mut next = lex::next_code(text, start);
        while next.start < at && next.kind != Kind::End {
            match next.of(text) {
                "(" | "[" | "{" => open.push(next),
                ")" | "]" | "}" => {
                    open.pop();
                }
                _ => {}
            }
            before.push(next);
            next = lex::next_code(text, next.end);
        }
        Self {
            text,
            start,
            at,
            found: lex::next_code(text, at),
            before,
            open: open.pop(),
        }
    }

    /// Says what was found, for a message.
    pub(super) fn found_words(&self) -> String {
        match self.found.kind {
            Kind::End => "the end of the file".to_owned(),
            Kind::Text => "a text".to_owned(),
            Kind::Word | Kind::Number | Kind::Comment | Kind::Mark | Kind::Fault(_) => {
                format!("`{}`", self.found.of(self.text))
            }
        }
    }
}

/// Recognises what the author is used to, if anything.
pub(super) fn explain(_reader: &Reader<'_>, _site: &Site<'_>, _mode: Mode) -> Option<Diagnostic> {
    None
}

/// Recognises a word that stands alone.
pub(super) fn lonely_word(_reader: &Reader<'_>, _word: &str, _span: Span) -> Option<Diagnostic> {
    None
}
