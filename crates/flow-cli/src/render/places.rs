//! Offsets to lines and columns, quickly even in a line of 16 MiB.

use std::collections::BTreeMap;

use flow_syntax::span::{SourceId, Span};

use crate::report::Report;

/// How many bytes lie between two counts of characters.
const STRIDE: usize = 4096;

/// The lines of a text, and how many characters stand before some places.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    starts: Vec<usize>,
    counts: Vec<usize>,
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: usize,
    /// The column.
    pub(crate) column: usize,
}

impl Places {
    /// Looks through a text once.
    pub(crate) fn of(text: &str) -> Self {
        let mut starts = vec![0];
        let mut counts = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut count = 0;
        for (at, byte) in text.bytes().enumerate() {
            if at % STRIDE == 0 {
                counts.push(count);
            }
            count += usize::from(is_first(byte));
            if byte == b'\n' {
                starts.push(at + 1);
            }
        }
        if counts.is_empty() || text.len().is_multiple_of(STRIDE) {
            counts.push(count);
        }
        Self { starts, counts }
    }

    /// Returns the line (from 0) that holds an offset.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// Returns the bytes of a line (from 0) without its end.
    pub(crate) fn range(&self, text: &str, line: usize) -> std::ops::Range<usize> {
        let start = self.starts.get(line).copied().unwrap_or(text.len());
        let next = self.starts.get(line + 1);
        let mut end = next.map_or(text.len(), |next| next - 1).max(start);
        if end > start && text.as_bytes()[end - 1] == b'\r' {
            end -= 1;
        }
        start..end
    }

    /// Returns line and column of an offset.
    pub(crate) fn place(&self, text: &str, offset: usize) -> Place {
        let offset = offset.min(text.len());
        let line = self.line(offset);
        let before = self.characters(text, offset) - self.characters(text, self.starts[line]);
        Place {
            line: line + 1,
            column: before + 1,
        }
    }

    /// Counts the characters before an offset.
    fn characters(&self, text: &str, offset: usize) -> usize {
        let stone = (offset / STRIDE).min(self.counts.len() - 1);
        let rest = &text.as_bytes()[stone * STRIDE..offset];
        self.counts[stone] + rest.iter().filter(|byte| is_first(**byte)).count()
    }
}

fn is_first(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// The places of all sources of a report.
#[derive(Debug)]
pub(crate) struct AllPlaces<'a> {
    report: &'a Report,
    of: BTreeMap<SourceId, Places>,
}

/// A span as people and editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent<'a> {
    /// The name of the file.
    pub(crate) file: &'a str,
    /// Where it starts.
    pub(crate) from: Place,
    /// Where it ends; the column is the one after the last.
    pub(crate) to: Place,
}

impl<'a> AllPlaces<'a> {
    /// Looks through all sources of a report once.
    pub(crate) fn of(report: &'a Report) -> Self {
        let sources = report.sources().iter();
        let of = sources.map(|source| (source.id, Places::of(&source.text)));
        Self {
            report,
            of: of.collect(),
        }
    }

    /// Returns the lines of a source.
    pub(crate) fn places(&self, id: SourceId) -> Option<&Places> {
        self.of.get(&id)
    }

    /// Returns a span as people count.
    pub(crate) fn extent(&self, span: Span) -> Option<Extent<'a>> {
        let source = self.report.source(span.source)?;
        let places = self.of.get(&span.source)?;
        let range = span.range();
        Some(Extent {
            file: &source.name,
            from: places.place(&source.text, range.start),
            to: places.place(&source.text, range.end),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_on_both_sides_of_a_stride() {
        let text = format!("é\n{}ü = 1", "ä".repeat(STRIDE));
        let places = Places::of(&text);
        let at = text.find('=').unwrap();
        assert_eq!(
            places.place(&text, at),
            Place {
                line: 2,
                column: STRIDE + 3
            }
        );
        assert_eq!(places.place(&text, text.len() + 9).line, 2);
    }

    #[test]
    fn an_empty_text_has_one_line() {
        let places = Places::of("");
        assert_eq!(places.place("", 0), Place { line: 1, column: 1 });
        assert_eq!(places.range("", 0), 0..0);
    }

    #[test]
    fn lines_end_before_both_kinds_of_ends() {
        let text = "ab\r\ncd\n";
        let places = Places::of(text);
        assert_eq!(places.range(text, 0), 0..2);
        assert_eq!(places.range(text, 1), 4..6);
        assert_eq!(places.range(text, 2), 7..7);
    }
}
