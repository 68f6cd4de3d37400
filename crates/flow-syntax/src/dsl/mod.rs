//! The workflow language to the tree.
//!
//! A text is looked over once ([`scan`]). Then blocks are walked here and
//! their pieces, one statement or one head at a time, are read by the grammar
//! ([`grammar`]), so that a mistake ends one statement and nothing else.

mod block;
mod clause;
mod expect;
mod expr;
pub(crate) mod fragment;
mod grammar;
mod habits;
mod item;
mod lex;
mod matcher;
mod recover;
mod region;
mod scan;
mod test;
mod text;
mod trigger;
mod types;
mod watch;

use crate::Parsed;
use crate::ast::{Docs, File, Name, Path};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::span::{Source, Span};
use fragment::Offsets;
use grammar::{Failure, Pair, Read, Rule};
use scan::Scan;

/// Reads a file of the workflow language.
pub(crate) fn parse(source: &Source) -> Parsed {
    let offsets = Offsets::linear(source.id, 0);
    let mut out = Diagnostics::default();
    // A byte order mark is no part of the text.
    let from = if source.text.starts_with('\u{feff}') {
        3
    } else {
        0
    };
    let mut reader = Reader::new(&source.text, &offsets, &mut out, from);
    let items = reader.items();
    let scan = std::mem::take(&mut reader.scan);
    let comments = scan.into_comments(&source.text, |start, end| offsets.span(start, end));
    Parsed {
        file: File { items, comments },
        diagnostics: out.into_sorted(),
    }
}

/// A text that is being read.
struct Reader<'a> {
    text: &'a str,
    offsets: &'a Offsets,
    out: &'a mut Diagnostics,
    scan: Scan,
    /// What was read so far.
    at: usize,
    /// The first `{` whose `}` stands further left than its line: probably the
    /// one that lacks its own.
    suspect: Option<usize>,
    /// How many texts without an end were met while going on.
    open_texts: usize,
    /// Where an open block was reported.
    unclosed_at: Option<usize>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, offsets: &'a Offsets, out: &'a mut Diagnostics, from: usize) -> Self {
        Self {
            text,
            offsets,
            out,
            scan: Scan::of(text, from),
            at: from,
            suspect: None,
            open_texts: 0,
            unclosed_at: None,
        }
    }

    /// Reads one rule at an offset, as far as it goes.
    fn run(&self, rule: Rule, at: usize) -> Result<Read<'a>, Failure> {
        // What lies behind a barrier is not shown to the grammar.
        let barrier = self.scan.barrier(at);
        let last = barrier.map_or(self.text.len(), |barrier| barrier.start);
        Read::of(rule, &self.text[..last], at)
    }

    /// Returns the place of a piece.
    fn span(&self, pair: &Pair<'_>) -> Span {
        self.place(pair.start(), pair.end())
    }

    /// Returns the place of a range of the text.
    fn place(&self, start: usize, end: usize) -> Span {
        self.offsets.span(start, end)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.out.push(diagnostic);
    }

    fn name(&self, pair: &Pair<'_>) -> Name {
        Name {
            text: pair.as_str().to_owned(),
            span: self.span(pair),
        }
    }

    fn path(&self, pair: &Pair<'_>) -> Path {
        Path {
            text: pair.as_str().to_owned(),
            span: self.span(pair),
        }
    }

    /// Takes the documentation before an offset, and the offset where it
    /// begins.
    fn docs(&mut self, at: usize) -> (Docs, usize) {
        self.scan.docs(self.text, at)
    }

    /// Goes on to the next word or mark.
    fn skip_blanks(&mut self) {
        self.at = lex::next_code(self.text, self.at)
            .start
            .min(self.text.len());
    }

    /// Returns the byte that is next.
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns the word that is next, or nothing.
    fn peek_word(&self) -> &'a str {
        let end = lex::word_end(self.text.as_bytes(), self.at);
        &self.text[self.at..end]
    }
}

#[cfg(test)]
mod tests;
