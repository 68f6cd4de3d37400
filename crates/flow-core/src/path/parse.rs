//! Paths as people write them: `stills[3]/drafts`, `stills["a b"]/drafts`.
//!
//! What is written is checked once, here. Whether there is such a place in a
//! run is another question: see [`Names`](crate::run::Names).

use std::fmt::Write as _;
use std::str::{Chars, FromStr};

use super::{Key, Segment, StepPath};

/// The most bytes of a path that is written.
const LENGTH_MAX: usize = 16 * 1024;

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There is nothing.
    #[error("a path is empty")]
    Empty,
    /// It is too long.
    #[error("a path has at most {LENGTH_MAX} bytes")]
    Long,
    /// Between two `/`, or at an end, there is no name.
    #[error("a part of the path `{path}` has no name")]
    NoName {
        /// The path.
        path: String,
    },
    /// A `[` has no end.
    #[error("the `[` in `{path}` has no `]`")]
    Open {
        /// The path.
        path: String,
    },
    /// Between `[` and `]` there is no key.
    #[error("`[{key}]` in `{path}` names no item: write a position, a word, or a text in quotes")]
    NoKey {
        /// The path.
        path: String,
        /// What stands there.
        key: String,
    },
    /// Something follows a `]`.
    #[error("after `]` in `{path}` comes a `/` or the end")]
    Behind {
        /// The path.
        path: String,
    },
}

impl FromStr for StepPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > LENGTH_MAX {
            return Err(PathError::Long);
        }
        let mut rest = text.chars();
        let mut segments = Vec::new();
        loop {
            let (segment, goes_on) = segment(text, &mut rest)?;
            segments.push(segment);
            if !goes_on {
                return Ok(Self(segments));
            }
        }
    }
}

/// Reads a part, and says whether another one follows.
fn segment(path: &str, rest: &mut Chars<'_>) -> Result<(Segment, bool), PathError> {
    let mut name = String::new();
    let mut key = None;
    let mut goes_on = false;
    while let Some(c) = rest.next() {
        match c {
            '/' => {
                goes_on = true;
                break;
            }
            '[' => {
                key = Some(self::key(path, rest)?);
                goes_on = match rest.next() {
                    None => false,
                    Some('/') => true,
                    Some(_) => return Err(PathError::Behind { path: path.into() }),
                };
                break;
            }
            c => name.push(c),
        }
    }
    if name.is_empty() {
        return Err(PathError::NoName { path: path.into() });
    }
    let name = name.into();
    Ok((Segment { name, key }, goes_on))
}

fn key(path: &str, rest: &mut Chars<'_>) -> Result<Key, PathError> {
    let open = || PathError::Open { path: path.into() };
    let none = |key: &str| PathError::NoKey {
        path: path.into(),
        key: key.into(),
    };
    if let Some(quoted) = rest.as_str().strip_prefix('"') {
        *rest = quoted.chars();
        let word = quoted_word(rest).ok_or_else(open)?;
        return match rest.next() {
            Some(']') => Ok(Key::Word(word.into())),
            Some(_) => Err(none(&format!("{word:?}…"))),
            None => Err(open()),
        };
    }
    let (word, behind) = rest.as_str().split_once(']').ok_or_else(open)?;
    let word = word.to_owned();
    *rest = behind.chars();
    if word.is_empty() {
        return Err(none(""));
    }
    // `07` is a word: nothing that counts is written so.
    match word.parse::<u64>() {
        Ok(index) if index.to_string() == word => Ok(Key::Index(index)),
        Ok(_) | Err(_) => Ok(Key::Word(word.into())),
    }
}

/// Reads a word up to its closing quotes, with the escapes that are written.
fn quoted_word(rest: &mut Chars<'_>) -> Option<String> {
    let mut word = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(word),
            '\\' => word.push(escaped(rest)?),
            c => word.push(c),
        }
    }
}

fn escaped(rest: &mut Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        'u' => {
            let (digits, behind) = rest.as_str().strip_prefix('{')?.split_once('}')?;
            let letter = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            *rest = behind.chars();
            letter
        }
        c @ ('"' | '\\' | '\'') => c,
        _ => return None,
    })
}

impl StepPath {
    /// Returns it as an argument of a shell: in quotes if it has to be.
    pub fn quoted(&self) -> String {
        let text = self.to_string();
        let is_plain = |c: char| c.is_alphanumeric() || "_-./".contains(c);
        if text.chars().all(is_plain) {
            return text;
        }
        let mut out = String::from("'");
        for c in text.chars() {
            if c == '\'' {
                out.push_str("'\\''");
            } else {
                // A `String` takes everything.
                write!(out, "{c}").ok();
            }
        }
        out.push('\'');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Result<StepPath, PathError> {
        text.parse()
    }

    #[test]
    fn what_is_shown_is_read_back() {
        let keys = [
            Key::Index(0),
            Key::Index(u64::MAX),
            Key::Word("fox".into()),
            Key::Word("a b".into()),
            Key::Word("07".into()),
            Key::Word("7".into()),
            Key::Word("".into()),
            Key::Word("\"]/[\\ \n\u{1F98A}\u{7}'".into()),
        ];
        for key in keys {
            let written = StepPath::root("film")
                .join("stills")
                .item(key)
                .join("drafts");
            assert_eq!(path(&written.to_string()), Ok(written));
        }
        let alone = path("stills[3]").unwrap();
        assert_eq!(alone.segments().len(), 1);
        assert_eq!(alone.segments()[0].key, Some(Key::Index(3)));
    }

    #[test]
    fn what_is_no_path_is_said() {
        assert_eq!(path(""), Err(PathError::Empty));
        assert_eq!(path(&"a".repeat(LENGTH_MAX + 1)), Err(PathError::Long));
        for text in ["/a", "a//b", "a/", "[3]"] {
            assert!(
                matches!(path(text), Err(PathError::NoName { .. })),
                "{text}"
            );
        }
        for text in ["a[", "a[3", "a[\"x", "a[\"x\\", "a[\"\\u{41", "a[\"x\""] {
            assert!(matches!(path(text), Err(PathError::Open { .. })), "{text}");
        }
        for text in ["a[]", "a[\"x\"y]"] {
            assert!(matches!(path(text), Err(PathError::NoKey { .. })), "{text}");
        }
        assert!(matches!(path("a[3]b"), Err(PathError::Behind { .. })));
    }

    #[test]
    fn a_shell_gets_one_word() {
        let quoted = |text: &str| path(text).unwrap().quoted();
        assert_eq!(quoted("film/then/post"), "film/then/post");
        assert_eq!(quoted("stills[3]"), "'stills[3]'");
        assert_eq!(quoted("stills[\"it's\"]"), "'stills[\"it'\\''s\"]'");
    }
}
