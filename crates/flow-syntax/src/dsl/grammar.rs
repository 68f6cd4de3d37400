//! The grammar as a matcher, made from `grammar/flow.pest` by the build
//! script, and the pieces that it gives.

use super::matcher::{self, Token};

pub(super) use super::matcher::Failure;

#[expect(
    non_camel_case_types,
    clippy::too_many_lines,
    reason = "the names and their number are those of the grammar"
)]
mod rules {
    use super::super::matcher::{Ahead, Class, Matcher};

    include!(concat!(env!("OUT_DIR"), "/grammar.rs"));
}

pub(super) use rules::Rule;

/// What was read in one go.
#[derive(Debug)]
pub(super) struct Read<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Read<'a> {
    /// Reads a rule of a text from an offset on, as far as it goes.
    pub(super) fn of(rule: Rule, text: &'a str, from: usize) -> Result<Self, Failure> {
        let tokens = matcher::read(rule, text, from)?;
        Ok(Self { text, tokens })
    }

    /// Returns whether a rule can be read from an offset on.
    pub(super) fn fits(rule: Rule, text: &str, from: usize) -> bool {
        matcher::fits(rule, text, from)
    }

    /// Returns the piece that holds all others.
    pub(super) fn whole(&self) -> Pair<'_> {
        Pair {
            text: self.text,
            tokens: &self.tokens,
            token: self.tokens[0],
            inner: 1,
        }
    }
}

/// A piece that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    text: &'a str,
    tokens: &'a [Token],
    token: Token,
    /// The index of its first part.
    inner: usize,
}

impl<'a> Pair<'a> {
    /// Returns the rule that it was read by.
    pub(super) fn as_rule(&self) -> Rule {
        self.token.rule
    }

    /// Returns what is written.
    pub(super) fn as_str(&self) -> &'a str {
        &self.text[self.token.start..self.token.end]
    }

    /// Returns the offset of its first byte.
    pub(super) fn start(&self) -> usize {
        self.token.start
    }

    /// Returns the offset of the byte after its last.
    pub(super) fn end(&self) -> usize {
        self.token.end
    }

    /// Returns its parts.
    pub(super) fn into_inner(self) -> Pairs<'a> {
        Pairs {
            text: self.text,
            tokens: self.tokens,
            at: self.inner,
            end: self.token.after,
        }
    }
}

/// Pieces in a row.
#[derive(Debug, Clone)]
pub(super) struct Pairs<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    end: usize,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        if self.at >= self.end {
            return None;
        }
        let token = *self.tokens.get(self.at)?;
        let inner = self.at + 1;
        self.at = token.after;
        Some(Pair {
            text: self.text,
            tokens: self.tokens,
            token,
            inner,
        })
    }
}

/// Returns what stands in a piece, without marks and words that only hold it
/// together.
pub(super) fn parts(pair: Pair<'_>) -> Parts<'_> {
    Parts(pair.into_inner())
}

/// Pieces in a row that are no marks.
#[derive(Debug, Clone)]
pub(super) struct Parts<'a>(Pairs<'a>);

impl<'a> Iterator for Parts<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        self.0.find(|part| !is_mark(part.as_rule()))
    }
}
fn is_mark(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::comma
            | Rule::colon
            | Rule::equals
            | Rule::arrow
            | Rule::arm_arrow
            | Rule::bar
            | Rule::dots
            | Rule::brace_open
            | Rule::brace_close
            | Rule::paren_open
            | Rule::paren_close
            | Rule::bracket_open
            | Rule::bracket_close
            | Rule::angle_open
            | Rule::angle_close
            | Rule::brace_ahead
            | Rule::item_ahead
            | Rule::end
    )
}

/// Returns the first piece of a kind; the grammar sees to it that there is one
/// wherever this is asked.
pub(super) fn find(pair: Pair<'_>, rule: Rule) -> Option<Pair<'_>> {
    pair.into_inner().find(|part| part.as_rule() == rule)
}
