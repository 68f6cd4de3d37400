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
mod recover;
mod region;
mod scan;
mod test;
mod text;
mod trigger;
mod types;

use crate::Parsed;
use crate::ast::{Docs, File, Name, Path};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::span::{Source, Span};
use fragment::Offsets;
use grammar::{Failure, Grammar, Pair, Rule};
use pest::Parser;
use pest::error::InputLocation;
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

/// How many bytes the grammar is shown at first.
const WINDOW: usize = 1024;

/// The words a value goes on with: operators, and the first words of clauses.
const GOES_ON: [&str; 15] = [
    "and", "or", "in", "is", "retry", "timeout", "budget", "within", "cache", "pool", "after",
    "label", "effect", "on", "assume",
];

/// Returns where the grammar stopped.
fn offset(failure: &pest::error::Error<Rule>) -> usize {
    match failure.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
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
    /// Statements that were read ahead, the next one last.
    ahead: Vec<Pair<'a>>,
    /// Where the piece begins that they belong to.
    ahead_base: usize,
    /// Where the piece begins whose pairs are looked at.
    base: usize,
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
            ahead: Vec::new(),
            ahead_base: from,
            base: from,
            suspect: None,
            open_texts: 0,
            unclosed_at: None,
        }
    }

    /// Reads one rule at an offset, as far as it goes.
    ///
    /// A mistake costs pest a look at all of the text it was given. So it is
    /// given little, and more only if what it says depends on where that ends.
    fn run(&mut self, rule: Rule, at: usize) -> Result<Pair<'a>, Failure> {
        // What lies behind a barrier is not shown to the grammar.
        let last = self
            .scan
            .barrier(at)
            .map_or(self.text.len(), |barrier| barrier.start);
        self.base = at;
        let mut size = WINDOW;
        loop {
            let end = self
                .text
                .floor_char_boundary(at.saturating_add(size).min(last));
            size = size.saturating_mul(8);
            match Grammar::parse(rule, &self.text[at..end]) {
                Ok(mut pairs) => {
                    let pair = pairs
                        .next()
                        .expect("a rule that is not silent makes a pair");
                    let next = at + pair.as_span().end();
                    if end == last || (next < end && !self.may_go_on(next, end)) {
                        return Ok(pair);
                    }
                }
                Err(failure) => {
                    let token = lex::next(self.text, at + offset(&failure));
                    if end == last || token.end < end {
                        return Err(Box::new(failure));
                    }
                }
            }
        }
    }

    /// Reads the statement at an offset. Plain statements that follow are read
    /// with it, since most of what a small piece costs is its beginning.
    fn run_statement(&mut self, at: usize) -> Result<Pair<'a>, Failure> {
        if self.ahead.is_empty() {
            self.read_ahead(at);
        }
        if let Some(pair) = self.ahead.pop()
            && self.ahead_base + pair.as_span().start() == at
        {
            self.base = self.ahead_base;
            return Ok(pair);
        }
        self.ahead.clear();
        self.run(Rule::statement, at)
    }

    fn read_ahead(&mut self, at: usize) {
        let last = self
            .scan
            .barrier(at)
            .map_or(self.text.len(), |barrier| barrier.start);
        let end = self
            .text
            .floor_char_boundary(at.saturating_add(WINDOW).min(last));
        let Ok(pairs) = Grammar::parse(Rule::simple_row, &self.text[at..end]) else {
            return;
        };
        self.ahead_base = at;
        let is_whole = |pair: &Pair<'_>| {
            let next = at + pair.as_span().end();
            end == last || (next < end && !self.may_go_on(next, end))
        };
        let row = pairs.flat_map(Pair::into_inner);
        let mut row: Vec<_> = row.take_while(is_whole).collect();
        row.reverse();
        self.ahead = row;
    }

    /// Returns whether what stands behind a piece could belong to it, were it
    /// not cut off.
    fn may_go_on(&self, next: usize, end: usize) -> bool {
        let word_end = lex::word_end(self.text.as_bytes(), next);
        word_end >= end || GOES_ON.contains(&&self.text[next..word_end])
    }

    /// Returns the place of a piece.
    fn span(&self, pair: &Pair<'_>) -> Span {
        let span = pair.as_span();
        self.place(self.base + span.start(), self.base + span.end())
    }

    /// Returns the offset after a piece.
    fn end(&self, pair: &Pair<'_>) -> usize {
        self.base + pair.as_span().end()
    }

    /// Returns the offset of a piece.
    fn start(&self, pair: &Pair<'_>) -> usize {
        self.base + pair.as_span().start()
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
