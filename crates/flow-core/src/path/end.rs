//! The end of a path, as an author writes it to say which steps are meant:
//! `stills[2]/drafts`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Key, Segment, StepPath};

/// The last parts of a path. A part without a key means all items.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathEnd(Vec<Segment>);

/// A text is not the end of any path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPathEnd;

impl PathEnd {
    /// Returns whether a path ends so.
    pub fn fits(&self, path: &StepPath) -> bool {
        self.fits_parts(path.segments(), |written, key| {
            written.is_none_or(|written| Some(written) == key)
        })
    }

    /// Returns whether some path with these names, whatever its keys, ends so.
    pub fn may_fit(&self, names: &[Segment]) -> bool {
        self.fits_parts(names, |written, key| written.is_none() || key.is_some())
    }

    fn fits_parts(
        &self,
        parts: &[Segment],
        fits: impl Fn(Option<&Key>, Option<&Key>) -> bool,
    ) -> bool {
        let Some(before) = parts.len().checked_sub(self.0.len()) else {
            return false;
        };
        let mut pairs = self.0.iter().zip(&parts[before..]);
        pairs.all(|(own, part)| own.name == part.name && fits(own.key.as_ref(), part.key.as_ref()))
    }

    /// Says how narrow it is: of two that fit a path, the greater is meant.
    pub fn narrowness(&self) -> (usize, usize) {
        let keys = self.0.iter().filter(|part| part.key.is_some());
        (self.0.len(), keys.count())
    }
}

impl fmt::Display for PathEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        StepPath(self.0.clone()).fmt(f)
    }
}

impl FromStr for PathEnd {
    type Err = NoPathEnd;

    fn from_str(text: &str) -> Result<Self, NoPathEnd> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let end = rest.find(['/', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            // The second call without a name in a block is `http.get#2`.
            let letters = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '#');
            if name.is_empty() || !name.chars().all(letters) {
                return Err(NoPathEnd);
            }
            let (key, after) = match after.strip_prefix('[') {
                Some(inside) => {
                    let (key, after) = key(inside)?;
                    (Some(key), after)
                }
                None => (None, after),
            };
            let name = Arc::from(name);
            parts.push(Segment { name, key });
            match after.strip_prefix('/') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(Self(parts)),
                None => return Err(NoPathEnd),
            }
        }
    }
}

/// Reads a key up to its bracket, and gives what is behind.
fn key(text: &str) -> Result<(Key, &str), NoPathEnd> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (word, after) = unquoted(quoted)?;
        let after = after.strip_prefix(']').ok_or(NoPathEnd)?;
        return Ok((Key::Word(word.into()), after));
    }
    let (word, after) = text.split_once(']').ok_or(NoPathEnd)?;
    if word.is_empty() || word.contains(['[', '"']) {
        return Err(NoPathEnd);
    }
    let is_index = word.bytes().all(|byte| byte.is_ascii_digit());
    let index = word.parse().ok().filter(|_| is_index);
    let key = index.map_or_else(|| Key::Word(word.into()), Key::Index);
    Ok((key, after))
}

/// Reads a key as it is shown when it is quoted, up to its closing quote.
fn unquoted(text: &str) -> Result<(String, &str), NoPathEnd> {
    let mut word = String::new();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '"' => return Ok((word, rest.as_str())),
            '\\' => word.push(escaped(&mut rest)?),
            letter => word.push(letter),
        }
    }
    Err(NoPathEnd)
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Result<char, NoPathEnd> {
    match rest.next().ok_or(NoPathEnd)? {
        'n' => Ok('\n'),
        't' => Ok('\t'),
        'r' => Ok('\r'),
        '0' => Ok('\0'),
        'u' => {
            let inside = rest.as_str().strip_prefix('{').ok_or(NoPathEnd)?;
            let (digits, after) = inside.split_once('}').ok_or(NoPathEnd)?;
            let number = u32::from_str_radix(digits, 16).map_err(|_| NoPathEnd)?;
            *rest = after.chars();
            char::from_u32(number).ok_or(NoPathEnd)
        }
        letter @ ('"' | '\\' | '\'') => Ok(letter),
        _ => Err(NoPathEnd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> StepPath {
        StepPath::root("film")
            .join("stills")
            .item(Key::Index(2))
            .join("drafts")
    }

    fn end(text: &str) -> PathEnd {
        text.parse().unwrap()
    }

    #[test]
    fn whole_parts_fit_and_a_part_without_a_key_means_all_items() {
        for fitting in [
            "drafts",
            "stills/drafts",
            "stills[2]/drafts",
            "film/stills[2]/drafts",
        ] {
            assert!(end(fitting).fits(&path()), "{fitting}");
        }
        for other in [
            "rafts",
            "stills",
            "stills[1]/drafts",
            "drafts[2]",
            "a/film/stills[2]/drafts",
        ] {
            assert!(!end(other).fits(&path()), "{other}");
        }
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for word in [
            "https://example.org/a?b=c",
            "a \"b\" \\ c",
            "[x]/y",
            "é\u{1b}\n",
            "7a",
        ] {
            let path = StepPath::root("lines")
                .item(Key::Word(word.into()))
                .join("page");
            let read = end(&path.to_string());
            assert!(read.fits(&path), "{path}");
            assert_eq!(read.to_string(), path.to_string());
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "a b",
            "a[",
            "a[]",
            "a[1",
            "a[1]b",
            "a[1][2]",
            "a[\"x]",
            "a[\"x\"",
            "a[\"\\q\"]",
            "a[\"\\u{110000}\"]",
            "[1]",
            "a[x\"y]",
        ] {
            assert_eq!(text.parse::<PathEnd>(), Err(NoPathEnd), "{text}");
        }
    }

    #[test]
    fn longer_ends_and_those_with_keys_are_narrower() {
        let order = [
            "drafts",
            "stills/drafts",
            "stills[2]/drafts",
            "film/stills/drafts",
        ];
        assert!(
            order
                .windows(2)
                .all(|pair| end(pair[0]).narrowness() < end(pair[1]).narrowness())
        );
    }
}
