//! Sources and places in them: who wrote which bytes. Reading files is the
//! caller's business.

use std::fmt;
use std::sync::Arc;

/// Names a [`Source`] inside one compilation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceId(pub u32);

impl fmt::Debug for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Which spelling of the language a source is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// The workflow language, `*.flow`.
    Flow,
    /// YAML, `*.flow.yaml`.
    Yaml,
}

impl Spelling {
    /// Tells the spelling from a file's name: `.yaml` and `.yml` are YAML,
    /// everything else is the workflow language.
    pub fn of_name(name: &str) -> Self {
        let ends = |suffix: &str| {
            name.len() >= suffix.len()
                && name.as_bytes()[name.len() - suffix.len()..]
                    .eq_ignore_ascii_case(suffix.as_bytes())
        };
        if ends(".yaml") || ends(".yml") {
            Self::Yaml
        } else {
            Self::Flow
        }
    }
}

/// A text with a name. The text is UTF-8; offsets in [`Span`] are its bytes.
#[derive(Debug, Clone)]
pub struct Source {
    /// The id that the spans of this source carry.
    pub id: SourceId,
    /// The name that is shown: a path inside the project, or `<stdin>`.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// The spelling it is written in.
    pub spelling: Spelling,
}

impl Source {
    /// Makes a source; the spelling follows from the name.
    pub fn new(id: SourceId, name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        let spelling = Spelling::of_name(&name);
        Self {
            id,
            name,
            text: text.into(),
            spelling,
        }
    }

    /// Returns the text under a span of this source.
    pub fn slice(&self, span: Span) -> &str {
        debug_assert_eq!(span.source, self.id, "a span is read in its own source");
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }
}

/// A range of bytes of one source. Empty spans are places between characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The source it lies in.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// Makes a span from byte offsets.
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let clip = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            source,
            start: clip(start),
            end: clip(end.max(start)),
        }
    }

    /// Returns the smallest span that holds both. Both lie in one source.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        debug_assert_eq!(self.source, other.source, "one span lies in one source");
        Self {
            source: self.source,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Returns the empty span before this one.
    #[must_use]
    pub fn before(self) -> Self {
        Self {
            end: self.start,
            ..self
        }
    }

    /// Returns the empty span after this one.
    #[must_use]
    pub fn after(self) -> Self {
        Self {
            start: self.end,
            ..self
        }
    }

    /// Returns the bytes as a range, for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}..{}", self.source, self.start, self.end)
    }
}

/// The beginnings of a text's lines, to turn offsets into lines and columns.
#[derive(Debug, Clone)]
pub struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    /// Finds the lines of a text. Both `\n` and `\r\n` end one.
    pub fn of(text: &str) -> Self {
        let mut starts = vec![0];
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        starts.extend(ends.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)));
        Self { starts }
    }

    /// Returns the line (from 0) that holds an offset.
    pub fn line(&self, offset: u32) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// Returns the offset at which a line (from 0) starts.
    pub fn start(&self, line: usize) -> u32 {
        self.starts[line.min(self.starts.len() - 1)]
    }

    /// Returns line and column, both from 1, the column in characters.
    pub fn line_column(&self, text: &str, offset: u32) -> (usize, usize) {
        let line = self.line(offset);
        let head = text.get(self.start(line) as usize..offset as usize);
        (line + 1, head.map_or(0, |head| head.chars().count()) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_spelling() {
        assert_eq!(Spelling::of_name("a.flow"), Spelling::Flow);
        assert_eq!(Spelling::of_name("a.flow.yaml"), Spelling::Yaml);
        assert_eq!(Spelling::of_name("A.YML"), Spelling::Yaml);
        assert_eq!(Spelling::of_name("é"), Spelling::Flow);
    }

    #[test]
    fn columns_count_characters() {
        let text = "é = 1\nbü";
        let lines = Lines::of(text);
        assert_eq!(lines.line_column(text, 3), (1, 3));
        assert_eq!(lines.line_column(text, 10), (2, 3));
    }
}
