//! What a text lacks: the account that a matcher keeps when it reads a text
//! that could not be read.

use super::grammar::Rule;

/// Where a rule is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Where it would be taken.
    Here,
    /// Where it must follow.
    Ahead,
    /// Where it must not follow.
    Never,
}

/// What was wanted at the furthest place.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) at: usize,
    /// Rules that did not fit.
    pub(super) wanted: Vec<Rule>,
    /// Rules that did fit where they must not.
    unwanted: Vec<Rule>,
    pub(super) look: Look,
    /// Whether what is read has no parts worth a word.
    pub(super) is_atomic: bool,
}

/// How much was known before a rule was tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    wanted: usize,
    unwanted: usize,
}

impl Watch {
    pub(super) fn new(at: usize) -> Self {
        Self {
            at,
            wanted: Vec::new(),
            unwanted: Vec::new(),
            look: Look::Here,
            is_atomic: false,
        }
    }

    /// Returns how much is known at an offset.
    pub(super) fn seen(&self, at: usize) -> Seen {
        let is_here = at == self.at;
        Seen {
            wanted: if is_here { self.wanted.len() } else { 0 },
            unwanted: if is_here { self.unwanted.len() } else { 0 },
        }
    }

    /// Notes a rule that did not fit, in place of the rules inside of it that
    /// did not fit at the same offset, unless it was only one.
    pub(super) fn tried(&mut self, rule: Rule, at: usize, seen: Seen, is_read: bool) {
        let is_wrong = is_read == (self.look == Look::Never);
        if !is_wrong || self.is_atomic {
            return;
        }
        let now = self.seen(at);
        let before = seen.wanted + seen.unwanted;
        if now.wanted + now.unwanted == before + 1 {
            return;
        }
        if at == self.at {
            self.wanted.truncate(seen.wanted);
            self.unwanted.truncate(seen.unwanted);
        }
        if at > self.at {
            self.wanted.clear();
            self.unwanted.clear();
            self.at = at;
        }
        if at == self.at {
            match self.look {
                Look::Here | Look::Ahead => self.wanted.push(rule),
                Look::Never => self.unwanted.push(rule),
            }
        }
    }
}
