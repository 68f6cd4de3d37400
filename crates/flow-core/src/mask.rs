//! Secrets in what is written: found, and taken out.
//!
//! A secret is found as it is; with letters escaped as addresses and JSON escape
//! them; and in base64, by itself or inside of something longer. It is found
//! also if it comes in pieces. Nobody can find it in what was compressed,
//! enciphered, or spelled backwards.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::base64::{self, STANDARD, URL_SAFE};
use crate::value::{List, Value};

/// What stands in place of a secret.
pub const MASKED: &str = "***";

/// How many letters a secret has at least: shorter ones would be found
/// everywhere.
pub const LETTERS_MIN: usize = 4;

/// How long a line of a secret must be to be one itself.
const LINE_MIN: usize = 8;

/// How many letters of base64 are looked for, at least: fewer are found in much
/// that has nothing to do with them.
const BASE64_MIN: usize = 8;

/// What finds secrets. Cheap to clone; knows the secrets, so it is never shown.
#[derive(Clone, Default)]
pub struct Mask(Option<Arc<Patterns>>);

struct Patterns {
    all: Vec<Pattern>,
    begins: Begins,
}

/// Which two bytes a pattern may begin with. Nearly all of a text is passed over
/// by this alone.
struct Begins(Box<[u64; 1024]>);

impl Begins {
    fn add(&mut self, first: u8, second: u8) {
        let (word, bit) = Self::place(first, second);
        self.0[word] |= bit;
    }

    fn add_all(&mut self, first: u8) {
        for second in 0..=u8::MAX {
            self.add(first, second);
        }
    }

    /// Returns whether one may begin here. At the end of what has come, it may.
    fn may(&self, text: &[u8]) -> bool {
        let [first, second, ..] = text else {
            return true;
        };
        let (word, bit) = Self::place(*first, *second);
        self.0[word] & bit != 0
    }

    fn place(first: u8, second: u8) -> (usize, u64) {
        let pair = usize::from(first) << 8 | usize::from(second);
        (pair / 64, 1 << (pair % 64))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    bytes: Box<[u8]>,
    spelling: Spelling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spelling {
    /// Each byte as it is, or escaped.
    Escaped,
    /// As it is.
    Exact,
}

/// Whether a text begins with a pattern.
enum Fit {
    Not,
    /// So far it does, and then it ends.
    Begun,
    /// It does, with so many bytes.
    Whole(usize),
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask")
    }
}

impl Mask {
    /// Finds these, and the longer lines of those that have several.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = BTreeSet::new();
        for secret in secrets {
            let lines = secret.lines().map(str::trim);
            let lines = lines.filter(|line| line.len() >= LINE_MIN);
            for part in [secret, secret.trim()].into_iter().chain(lines) {
                if part.chars().count() >= LETTERS_MIN {
                    all.insert(Pattern {
                        bytes: part.as_bytes().into(),
                        spelling: Spelling::Escaped,
                    });
                }
                all.extend(base64_patterns(part.as_bytes()));
            }
        }
        if all.is_empty() {
            return Self(None);
        }
        let mut begins = Begins(Box::new([0; 1024]));
        for pattern in &all {
            pattern.begins(&mut begins);
        }
        let all = all.into_iter().collect();
        Self(Some(Arc::new(Patterns { all, begins })))
    }

    /// Returns whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Takes secrets out of a text.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Patterns are whole letters, but for base64, which has only ASCII.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Takes secrets out of bytes.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::new();
        let mut stream = self.stream();
        stream.push(bytes, &mut |part| out.extend_from_slice(part));
        stream.finish(&mut |part| out.extend_from_slice(part));
        if stream.found() == 0 {
            Cow::Borrowed(bytes)
        } else {
            Cow::Owned(out)
        }
    }

    /// Takes secrets out of the texts in a value; nothing if there are none.
    pub fn value(&self, value: &Value) -> Option<Value> {
        if self.is_empty() {
            return None;
        }
        match value {
            Value::Text(text) => match self.text(text) {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(Value::text(text)),
            },
            Value::List(list) => {
                let items: Vec<_> = list.items.iter().map(|item| self.value(item)).collect();
                if items.iter().all(Option::is_none) {
                    return None;
                }
                let items = items.into_iter().zip(&list.items);
                let items = items.map(|(new, old)| new.unwrap_or_else(|| old.clone()));
                Some(Value::List(Arc::new(List {
                    items: items.collect(),
                    keys: list.keys.clone(),
                })))
            }
            Value::Record(fields) => self.record(fields),
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Duration(_)
            | Value::Money(_)
            | Value::Time(_)
            | Value::Size(_)
            | Value::Enum(_)
            | Value::Artifact(_)
            | Value::Secret(_) => None,
        }
    }

    fn record(&self, fields: &BTreeMap<Arc<str>, Value>) -> Option<Value> {
        let mut is_changed = false;
        let mut masked = BTreeMap::new();
        for (name, old) in fields {
            let new = self.value(old);
            let name_masked = self.text(name);
            is_changed |= new.is_some() || matches!(name_masked, Cow::Owned(_));
            let name = match name_masked {
                Cow::Borrowed(_) => name.clone(),
                Cow::Owned(name) => name.into(),
            };
            masked.insert(name, new.unwrap_or_else(|| old.clone()));
        }
        is_changed.then(|| Value::Record(Arc::new(masked)))
    }

    /// Begins to take secrets out of what comes in pieces.
    pub fn stream(&self) -> Stream {
        Stream {
            mask: self.clone(),
            held: Vec::new(),
            found: 0,
        }
    }
}

/// Takes secrets out of what comes in pieces.
#[derive(Debug)]
pub struct Stream {
    mask: Mask,
    /// What may be the beginning of one.
    held: Vec<u8>,
    found: usize,
}

impl Stream {
    /// Hands on what can be no part of a secret any more.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(&[u8])) {
        let Some(patterns) = self.mask.0.clone() else {
            sink(bytes);
            return;
        };
        if self.held.is_empty() {
            let rest = self.scan(&patterns, bytes, End::Open, sink);
            self.held.extend_from_slice(&bytes[rest..]);
        } else {
            let mut text = std::mem::take(&mut self.held);
            text.extend_from_slice(bytes);
            let rest = self.scan(&patterns, &text, End::Open, sink);
            self.held = text.split_off(rest);
        }
    }

    /// Hands on what was held: no more comes.
    pub fn finish(&mut self, sink: &mut impl FnMut(&[u8])) {
        if let Some(patterns) = self.mask.0.clone() {
            let text = std::mem::take(&mut self.held);
            self.scan(&patterns, &text, End::Over, sink);
        }
    }

    /// Returns how many secrets were taken out so far.
    pub fn found(&self) -> usize {
        self.found
    }

    /// Hands on everything, with secrets masked, up to where one may begin that
    /// isn't complete; returns where that is.
    fn scan(
        &mut self,
        patterns: &Patterns,
        text: &[u8],
        end: End,
        sink: &mut impl FnMut(&[u8]),
    ) -> usize {
        let (mut from, mut at) = (0, 0);
        while at < text.len() {
            if !patterns.begins.may(&text[at..]) {
                at += 1;
                continue;
            }
            match patterns.fit(&text[at..]) {
                (Some(length), Completeness::Sure) => {
                    at = self.take(text, (from, at), length, sink);
                    from = at;
                }
                (Some(length), Completeness::MayGoOn) if end == End::Over => {
                    at = self.take(text, (from, at), length, sink);
                    from = at;
                }
                (_, Completeness::MayGoOn) if end == End::Open => break,
                (None, _) | (Some(_), Completeness::MayGoOn) => at += 1,
            }
        }
        if from < at {
            sink(&text[from..at]);
        }
        at
    }

    fn take(
        &mut self,
        text: &[u8],
        (from, at): (usize, usize),
        length: usize,
        sink: &mut impl FnMut(&[u8]),
    ) -> usize {
        if from < at {
            sink(&text[from..at]);
        }
        sink(MASKED.as_bytes());
        self.found += 1;
        at + length
    }
}

/// Whether more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Over,
}

/// Whether a longer pattern may yet be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Completeness {
    Sure,
    MayGoOn,
}

impl Patterns {
    /// Returns the longest pattern that a text begins with.
    fn fit(&self, text: &[u8]) -> (Option<usize>, Completeness) {
        let mut longest = None;
        let mut completeness = Completeness::Sure;
        for pattern in &self.all {
            match pattern.fit(text) {
                Fit::Not => {}
                Fit::Begun => completeness = Completeness::MayGoOn,
                Fit::Whole(length) => longest = longest.max(Some(length)),
            }
        }
        (longest, completeness)
    }
}

impl Pattern {
    /// Notes what it can begin with.
    fn begins(&self, begins: &mut Begins) {
        let (first, second) = (self.bytes[0], self.bytes[1]);
        begins.add(first, second);
        if self.spelling == Spelling::Exact {
            return;
        }
        for sign in [b'%', b'\\', b'+'] {
            begins.add(first, sign);
            // Escapes are seldom enough to be looked at one by one.
            begins.add_all(sign);
        }
    }

    fn fit(&self, text: &[u8]) -> Fit {
        match self.spelling {
            Spelling::Exact => {
                let shared = self.bytes.len().min(text.len());
                if self.bytes[..shared] != text[..shared] {
                    Fit::Not
                } else if shared < self.bytes.len() {
                    Fit::Begun
                } else {
                    Fit::Whole(shared)
                }
            }
            Spelling::Escaped => self.fit_escaped(text),
        }
    }

    /// Goes through secret and text side by side. Where a letter leaves a choice
    /// the next one nearly always ends it, so few places in the text are open.
    fn fit_escaped(&self, text: &[u8]) -> Fit {
        let mut open: SmallVec<[usize; OPEN_MAX]> = SmallVec::new();
        open.push(0);
        let mut begun = false;
        for byte in &self.bytes {
            let mut next: SmallVec<[usize; OPEN_MAX]> = SmallVec::new();
            for at in open {
                ways(*byte, &text[at..], &mut |fit| match fit {
                    Fit::Not => {}
                    Fit::Begun => begun = true,
                    Fit::Whole(length) => {
                        let after = at + length;
                        if next.len() < OPEN_MAX && !next.contains(&after) {
                            next.push(after);
                        }
                    }
                });
            }
            if next.is_empty() {
                return if begun { Fit::Begun } else { Fit::Not };
            }
            open = next;
        }
        Fit::Whole(open.into_iter().max().unwrap_or(0))
    }
}

/// How many places in a text are open at once, at most.
const OPEN_MAX: usize = 8;

/// Finds how a text can begin with a byte.
fn ways(byte: u8, text: &[u8], found: &mut impl FnMut(Fit)) {
    let Some(first) = text.first() else {
        return found(Fit::Begun);
    };
    if *first == byte || *first == b'+' && byte == b' ' {
        found(Fit::Whole(1));
    }
    if *first == b'%' {
        found(hex(b"%", byte, text));
    }
    if *first == b'\\' {
        found(hex(b"\\u00", byte, text));
        if let Some(letter) = short_escape(byte) {
            found(match text.get(1) {
                None => Fit::Begun,
                Some(second) if *second == letter => Fit::Whole(2),
                Some(_) => Fit::Not,
            });
        }
    }
}

/// Compares a text with a byte as two digits behind a mark.
fn hex(mark: &[u8], byte: u8, text: &[u8]) -> Fit {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
    for (at, wanted) in mark.iter().chain(&digits).enumerate() {
        match text.get(at) {
            None => return Fit::Begun,
            Some(found) if found.eq_ignore_ascii_case(wanted) => {}
            Some(_) => return Fit::Not,
        }
    }
    Fit::Whole(mark.len() + digits.len())
}

/// Returns the letter that JSON has for a byte behind a backslash.
fn short_escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' | b'\\' | b'/' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => return None,
    })
}

/// Returns what base64 has for a secret, wherever in a text it begins: without
/// the letters in which its neighbours are too.
fn base64_patterns(secret: &[u8]) -> Vec<Pattern> {
    let mut found = Vec::new();
    for before in 0..3 {
        let mut text = vec![0; before];
        text.extend_from_slice(secret);
        // How many letters have bits of what is before, and how many bits of
        // nothing but the secret.
        let from = (before * 8).div_ceil(6);
        let to = text.len() * 8 / 6;
        if to < from + BASE64_MIN {
            continue;
        }
        for alphabet in [STANDARD, URL_SAFE] {
            let letters = base64::bare(&text, alphabet);
            found.push(Pattern {
                bytes: letters.as_bytes()[from..to].into(),
                spelling: Spelling::Exact,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests;
