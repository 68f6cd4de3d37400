//! What the matcher stands on that the build script makes of the grammar: one
//! text, a place in it, and the pieces that were read.
//!
//! A matcher tries what the next byte allows and keeps no account of what it
//! tried. Where a text can't be read, it is read once more by a matcher that
//! tries everything and watches what was wanted at the furthest place.

use super::grammar::Rule;
use super::watch::{Look, Watch};

/// How many rules may be open inside one another. Brackets are counted before
/// anything is read; this bounds what nests without them.
const NESTING_MAX: usize = 1024;

/// How many pieces most statements have.
const TOKENS_USUAL: usize = 32;

/// A piece that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) rule: Rule,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The index of the first token behind its parts.
    pub(super) after: usize,
}

/// Why a text could not be read.
#[derive(Debug)]
pub(super) struct Failure {
    /// The furthest place at which something else was wanted.
    pub(super) at: usize,
    /// What was wanted there.
    pub(super) wanted: Vec<Rule>,
    /// Whether it is nested so deeply that it was not read.
    pub(super) is_too_deep: bool,
}

/// Bytes that a character can begin with.
pub(super) struct Class([bool; 256]);

impl Class {
    /// Makes a class of ranges of bytes.
    pub(super) const fn of(ranges: &[(u8, u8)]) -> Self {
        let mut table = [false; 256];
        let mut at = 0;
        while at < ranges.len() {
            let mut byte = ranges[at].0 as usize;
            while byte <= ranges[at].1 as usize {
                table[byte] = true;
                byte += 1;
            }
            at += 1;
        }
        Self(table)
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

/// What may be next where something fits.
pub(super) struct Ahead {
    class: Class,
    /// Whether the end may be next.
    end: bool,
}

impl Ahead {
    /// Makes a table of ranges of bytes.
    pub(super) const fn of(ranges: &[(u8, u8)], end: bool) -> Self {
        Self {
            class: Class::of(ranges),
            end,
        }
    }
}

/// A text that is being read.
pub(super) struct Matcher<'a> {
    bytes: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    /// How many rules are open inside of which no tokens are made.
    quiet: usize,
    /// How many rules are open that can stand inside of themselves.
    nesting: usize,
    is_too_deep: bool,
    watch: Watch,
}

/// Reads a rule from an offset on, as far as it goes.
pub(super) fn read(rule: Rule, text: &str, from: usize) -> Result<Vec<Token>, Failure> {
    let mut matcher = Matcher::new(text, from);
    if matcher.start::<false>(rule) && !matcher.is_too_deep {
        return Ok(matcher.tokens);
    }
    let mut watched = Matcher::new(text, from);
    watched.start::<true>(rule);
    Err(Failure {
        at: watched.watch.at,
        wanted: watched.watch.wanted,
        is_too_deep: watched.is_too_deep,
    })
}

/// Returns whether a rule can be read from an offset on.
pub(super) fn fits(rule: Rule, text: &str, from: usize) -> bool {
    let mut matcher = Matcher::new(text, from);
    matcher.quiet = 1;
    matcher.start::<false>(rule) && !matcher.is_too_deep
}

impl<'a> Matcher<'a> {
    fn new(text: &'a str, from: usize) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: from,
            tokens: Vec::with_capacity(TOKENS_USUAL),
            quiet: 0,
            nesting: 0,
            is_too_deep: false,
            watch: Watch::new(from),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Returns whether something is tried that begins with certain bytes.
    #[inline]
    pub(super) fn may<const WATCH: bool>(&self, ahead: &Ahead) -> bool {
        WATCH || self.peek().map_or(ahead.end, |byte| ahead.class.has(byte))
    }

    /// Returns whether a character of a class is next.
    #[inline]
    pub(super) fn sees(&self, class: &Class) -> bool {
        self.peek().is_some_and(|byte| class.has(byte))
    }

    /// Takes a character of a class.
    #[inline]
    pub(super) fn one(&mut self, class: &Class) -> bool {
        let Some(byte) = self.peek().filter(|byte| class.has(*byte)) else {
            return false;
        };
        self.at += 1;
        if !byte.is_ascii() {
            while self.peek().is_some_and(|byte| byte & 0xC0 == 0x80) {
                self.at += 1;
            }
        }
        true
    }

    /// Takes all characters of a class that are next.
    #[inline]
    pub(super) fn run(&mut self, class: &Class) -> bool {
        while self.sees(class) {
            self.at += 1;
        }
        true
    }

    /// Returns whether some letters are next.
    #[inline]
    pub(super) fn begins(&self, letters: &str) -> bool {
        let end = self.at + letters.len();
        self.bytes.get(self.at..end) == Some(letters.as_bytes())
    }

    /// Takes some letters.
    #[inline]
    pub(super) fn letters(&mut self, letters: &str) -> bool {
        let begins = self.begins(letters);
        if begins {
            self.at += letters.len();
        }
        begins
    }

    /// Takes everything up to one of some letters, or to the end.
    pub(super) fn until(&mut self, ends: &[&str]) -> bool {
        while self.at < self.bytes.len() && !ends.iter().any(|end| self.begins(end)) {
            self.at += 1;
        }
        true
    }

    /// Returns whether nothing stands before.
    pub(super) fn is_start(&self) -> bool {
        self.at == 0
    }

    /// Takes the end of the text.
    pub(super) fn end<const WATCH: bool>(&mut self) -> bool {
        self.leaf::<WATCH>(Rule::end, |m| m.at == m.bytes.len())
    }

    /// Takes parts in a row, all or none.
    #[inline]
    pub(super) fn row(&mut self, parts: impl FnOnce(&mut Self) -> bool) -> bool {
        let (at, count) = (self.at, self.tokens.len());
        let is_read = parts(self);
        if !is_read {
            self.at = at;
            self.tokens.truncate(count);
        }
        is_read
    }

    /// Takes something if it is there.
    #[inline]
    pub(super) fn maybe(&mut self, part: impl FnOnce(&mut Self) -> bool) -> bool {
        part(self);
        true
    }

    /// Takes something as often as it is there.
    #[inline]
    pub(super) fn many(&mut self, part: impl Fn(&mut Self) -> bool) -> bool {
        while part(self) {}
        true
    }

    /// Reads a rule that makes one token and has no tokens in it.
    #[inline]
    pub(super) fn leaf<const WATCH: bool>(
        &mut self,
        rule: Rule,
        body: impl FnOnce(&mut Self) -> bool,
    ) -> bool {
        let start = self.at;
        let seen = WATCH.then(|| self.watch.seen(start));
        let is_read = body(self);
        if let Some(seen) = seen {
            self.watch.tried(rule, start, seen, is_read);
        }
        if is_read && self.quiet == 0 {
            self.tokens.push(Token {
                rule,
                start,
                end: self.at,
                after: self.tokens.len() + 1,
            });
        }
        is_read
    }

    /// Reads a rule that makes one token, whatever is in it.
    #[inline]
    pub(super) fn atom<const WATCH: bool>(
        &mut self,
        rule: Rule,
        body: impl FnOnce(&mut Self) -> bool,
    ) -> bool {
        self.leaf::<WATCH>(rule, |m| {
            m.quiet += 1;
            let outer = m.watch.is_atomic;
            m.watch.is_atomic |= WATCH;
            let is_read = body(m);
            m.watch.is_atomic = outer;
            m.quiet -= 1;
            is_read
        })
    }

    /// Reads a rule that makes a token with others in it.
    #[inline]
    pub(super) fn rule<const WATCH: bool>(
        &mut self,
        rule: Rule,
        body: impl FnOnce(&mut Self) -> bool,
    ) -> bool {
        let start = self.at;
        let index = self.tokens.len();
        if self.quiet == 0 {
            self.tokens.push(Token {
                rule,
                start,
                end: start,
                after: 0,
            });
        }
        let seen = WATCH.then(|| self.watch.seen(start));
        let is_read = body(self);
        if let Some(seen) = seen {
            self.watch.tried(rule, start, seen, is_read);
        }
        if is_read {
            let (end, after) = (self.at, self.tokens.len());
            if self.quiet == 0
                && let Some(token) = self.tokens.get_mut(index)
            {
                token.end = end;
                token.after = after;
            }
        } else {
            self.tokens.truncate(index);
        }
        is_read
    }

    /// Reads a rule that can stand inside of itself.
    #[inline]
    pub(super) fn nest<const WATCH: bool>(
        &mut self,
        rule: Rule,
        body: impl FnOnce(&mut Self) -> bool,
    ) -> bool {
        self.is_too_deep |= self.nesting == NESTING_MAX;
        if self.is_too_deep {
            return false;
        }
        self.nesting += 1;
        let is_read = self.rule::<WATCH>(rule, body);
        self.nesting -= 1;
        is_read
    }

    /// Looks whether something follows.
    pub(super) fn ahead<const WATCH: bool>(
        &mut self,
        body: impl FnOnce(&mut Self) -> bool,
    ) -> bool {
        let outer = self.watch.look;
        if WATCH && outer == Look::Here {
            self.watch.look = Look::Ahead;
        }
        let is_read = self.look(body);
        self.watch.look = outer;
        is_read
    }

    /// Looks whether something doesn't follow.
    pub(super) fn not_ahead<const WATCH: bool>(
        &mut self,
        body: impl FnOnce(&mut Self) -> bool,
    ) -> bool {
        let outer = self.watch.look;
        if WATCH {
            self.watch.look = match outer {
                Look::Here | Look::Ahead => Look::Never,
                Look::Never => Look::Ahead,
            };
        }
        let is_read = self.look(body);
        self.watch.look = outer;
        !is_read
    }

    fn look(&mut self, body: impl FnOnce(&mut Self) -> bool) -> bool {
        let at = self.at;
        self.quiet += 1;
        let is_read = body(self);
        self.quiet -= 1;
        self.at = at;
        is_read
    }
}
