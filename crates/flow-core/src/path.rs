//! Addresses of steps inside a run: `music_video/stills[3]/drafts`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod end;

pub use end::{NoPathEnd, PathEnd};

/// What tells the items of a `for` apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The position, from 0.
    Index(u64),
    /// What `by` gave.
    Word(Arc<str>),
}

impl fmt::Display for Key {
    /// A word that could be taken for something else is quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Word(word) => {
                let plain = word.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    && word
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
                if plain {
                    f.write_str(word)
                } else {
                    write!(f, "{word:?}")
                }
            }
        }
    }
}

/// The address of one instance of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct StepPath(Vec<Segment>);

/// A part of a path: a node or an arm, and the item or round of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The name.
    pub name: Arc<str>,
    /// Which item or round, if it has several.
    pub key: Option<Key>,
}

impl StepPath {
    /// The path of a run's workflow.
    pub fn root(name: impl Into<Arc<str>>) -> Self {
        Self::default().join(name)
    }

    /// Makes a path of its parts.
    pub(crate) fn of(segments: Vec<Segment>) -> Self {
        Self(segments)
    }

    /// Returns the path of a part of this.
    #[must_use]
    pub fn join(&self, name: impl Into<Arc<str>>) -> Self {
        let mut segments = self.0.clone();
        segments.push(Segment {
            name: name.into(),
            key: None,
        });
        Self(segments)
    }

    /// Returns the path of one item or round of this.
    #[must_use]
    pub fn item(&self, key: Key) -> Self {
        let mut segments = self.0.clone();
        if let Some(last) = segments.last_mut() {
            debug_assert!(last.key.is_none(), "a segment has one key");
            last.key = Some(key);
        }
        Self(segments)
    }

    /// Returns it without the name of the workflow: nothing for the workflow
    /// itself.
    #[must_use]
    pub fn inside(&self) -> Self {
        Self(self.0.iter().skip(1).cloned().collect())
    }

    /// Returns whether it is another path or inside of it, where a part without
    /// a key stands for all items.
    pub fn is_within(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        let is_alike = |(own, other): (&Segment, &Segment)| {
            own.name == other.name && (other.key.is_none() || own.key == other.key)
        };
        self.0.len() >= other.0.len() && pairs.into_iter().all(is_alike)
    }

    /// Returns it without its outermost part; nothing if there is no other.
    pub fn below(&self) -> Option<Self> {
        match self.0.split_first() {
            Some((first, rest)) if first.key.is_none() && !rest.is_empty() => {
                Some(Self(rest.to_vec()))
            }
            Some(_) | None => None,
        }
    }

    /// Returns the parts, outermost first.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl fmt::Display for StepPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            f.write_str(&segment.name)?;
            if let Some(key) = &segment.key {
                write!(f, "[{key}]")?;
            }
        }
        Ok(())
    }
}
