//! Scalars, and where each of their letters stands in the source.

use super::events::Style;
use crate::dsl::fragment::Offsets;
use crate::span::SourceId;
use std::borrow::Cow;

/// A scalar: what it means, and how and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Scalar<'s> {
    /// The text, quotes and escapes resolved.
    pub(super) text: Cow<'s, str>,
    /// How it is written.
    pub(super) style: Style,
    /// Its first byte, quotes included.
    pub(super) start: u32,
    /// The byte after its last.
    pub(super) end: u32,
}

impl Scalar<'_> {
    /// Finds where the letters of the scalar stand; `source` is the whole text.
    pub(super) fn piece(&self, source: &str) -> Piece<'_> {
        let raw = source
            .get(self.start as usize..self.end as usize)
            .unwrap_or("");
        let points = match self.style {
            Style::Plain if raw == self.text => vec![(0, self.start)],
            Style::Single | Style::Double
                if raw.len() == self.text.len() + 2 && raw[1..].starts_with(&*self.text) =>
            {
                vec![(0, self.start + 1)]
            }
            Style::Plain | Style::Single | Style::Double => {
                flow_points(raw, self.start, &self.text, self.style)
            }
            Style::Literal | Style::Folded => block_points(raw, self.start, &self.text),
        };
        Piece {
            text: &self.text,
            points,
        }
    }
}

/// A part of a scalar's text with the places of its letters.
#[derive(Debug, Clone)]
pub(super) struct Piece<'t> {
    /// The text.
    pub(super) text: &'t str,
    /// Offset in the text, offset in the source; the first is for offset 0.
    points: Vec<(u32, u32)>,
}

impl Piece<'_> {
    /// Returns the part between two offsets that lie between characters.
    pub(super) fn part(&self, start: usize, end: usize) -> Self {
        let shift = clip(start);
        let first = self.points.partition_point(|point| point.0 <= shift) - 1;
        let (from, to) = self.points[first];
        let mut points = vec![(0, to + (shift - from))];
        let later = self.points[first + 1..].iter();
        points.extend(
            later
                .take_while(|point| point.0 <= clip(end))
                .map(|(from, to)| (from - shift, *to)),
        );
        Self {
            text: self.text.get(start..end).unwrap_or(""),
            points,
        }
    }

    /// Returns the part without blanks around it.
    pub(super) fn trim(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        let end = self.text.trim_end().len();
        if start == 0 && end == self.text.len() {
            return self.clone();
        }
        self.part(start.min(end), end)
    }

    /// Returns the map of its offsets.
    pub(super) fn offsets(&self, source: SourceId) -> Offsets {
        Offsets::broken(source, self.points.clone())
    }
}

fn clip(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Pairs the letters of a plain or quoted scalar with those of its source.
fn flow_points(raw: &str, base: u32, text: &str, style: Style) -> Vec<(u32, u32)> {
    let bytes = raw.as_bytes();
    let (mut at, mut read) = (usize::from(style != Style::Plain), 0);
    let mut points = vec![(0, base + clip(at))];
    while read < text.len() && at < bytes.len() {
        let folded = fold_length(&bytes[at..]);
        let (source, meaning) = if folded > 0 {
            let rest = text[read..].bytes();
            (
                folded,
                rest.take_while(|byte| matches!(byte, b' ' | b'\n')).count(),
            )
        } else if style == Style::Single && bytes[at..].starts_with(b"''") {
            (2, 1)
        } else if style == Style::Double && bytes[at] == b'\\' {
            let length = escape_length(&bytes[at..]);
            if bytes
                .get(at + 1)
                .is_some_and(|byte| byte.is_ascii_whitespace() && *byte != b' ' && *byte != b'\t')
            {
                (
                    length + fold_length(&bytes[at + length..]).max(blanks(&bytes[at + length..])),
                    0,
                )
            } else {
                (
                    length,
                    text[read..].chars().next().map_or(1, char::len_utf8),
                )
            }
        } else {
            at += 1;
            read += 1;
            continue;
        };
        at += source;
        read += meaning;
        let point = (clip(read), base + clip(at));
        match points.last_mut() {
            Some(last) if last.0 == point.0 => *last = point,
            _ => points.push(point),
        }
        while !text.is_char_boundary(read.min(text.len())) {
            read += 1;
        }
    }
    points
}

fn blanks(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

/// Returns the length of a run of blanks that holds an end of line, or 0.
fn fold_length(bytes: &[u8]) -> usize {
    if !matches!(bytes.first(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        return 0;
    }
    let run = bytes
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    let length = run.clone().count();
    let has_break = run.clone().any(|byte| matches!(byte, b'\r' | b'\n'));
    if has_break { length } else { 0 }
}

fn escape_length(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'x') => 4,
        Some(b'u') => {
            // A surrogate pair is one character.
            let high = bytes.get(2..4).is_some_and(|hex| {
                matches!(hex, [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B'])
            });
            if high && bytes.get(6..8) == Some(b"\\u") {
                12
            } else {
                6
            }
        }
        Some(b'U') => 10,
        Some(b'\r') if bytes.get(2) == Some(&b'\n') => 3,
        Some(_) => 2,
        None => 1,
    }
}

/// Pairs the lines of a block scalar with those of its source. Its place may
/// begin at the header or behind it.
fn block_points(raw: &str, base: u32, text: &str) -> Vec<(u32, u32)> {
    let mut points: Vec<(u32, u32)> = Vec::new();
    let (mut read, mut at, mut gap) = (0, 0, 1);
    for line in raw.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let bare = content.trim_start_matches(' ');
        if bare.is_empty() {
            gap += 1;
        } else if let Some((skip, blanks)) = line_in(&text[read..], content, bare, gap) {
            let indent = content.len() - bare.len() - blanks;
            points.push((clip(read + skip), base + clip(at + indent)));
            read += skip + blanks + bare.len();
            gap = 1;
        }
        at += line.len();
    }
    if points.first().is_none_or(|point| point.0 != 0) {
        points.insert(0, (0, base));
    }
    points
}

/// Finds a line in the rest of a block scalar's text: behind how many bytes,
/// and how many of its leading blanks are part of the text.
fn line_in(rest: &str, content: &str, bare: &str, gap: usize) -> Option<(usize, usize)> {
    let bytes = rest.as_bytes();
    let breaks = bytes.iter().take_while(|byte| **byte == b'\n').count();
    let after_breaks = &rest[breaks..];
    let blanks = after_breaks.len() - after_breaks.trim_start_matches(' ').len();
    let own = blanks.min(content.len() - bare.len());
    if breaks <= gap + 1 && after_breaks[blanks..].starts_with(bare) {
        // The first of the blanks may be a folded end of line.
        let folded = usize::from(breaks == 0 && blanks == 1 && own > 0);
        return Some((breaks + blanks - own + folded, own - folded));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::events::{Event, Events};
    use super::*;

    /// Checks that every word of a scalar is found at its place.
    fn check(source: &str) {
        let mut events = Events::of(source);
        let mut seen = 0;
        while let Some(Ok(placed)) = events.next() {
            let Event::Scalar(text, style) = placed.event else {
                continue;
            };
            let scalar = Scalar {
                text,
                style,
                start: clip(placed.start),
                end: clip(placed.end),
            };
            let piece = scalar.piece(source);
            let offsets = piece.offsets(SourceId(0));
            for (at, _) in piece.text.match_indices('w') {
                let word = &piece.text[at..at + 2];
                let span = offsets.span(at, at + 2);
                assert_eq!(&source[span.range()], word, "in {source:?}");
                let part = piece.part(at, piece.text.len());
                let span = part.offsets(SourceId(0)).span(0, 2);
                assert_eq!(&source[span.range()], word, "in a part of {source:?}");
                seen += 1;
            }
        }
        assert!(seen > 0, "no words in {source:?}");
    }

    #[test]
    fn words_are_found_where_they_stand() {
        check("a: w1 w2");
        check("a: 'w1 ''w2'' w3'");
        check("a: \"w1 \\u00e9 w2 \\n\\tw3 \\\"w4 é w5\"");
        check("a: \"w1 \\uD834\\uDD1E w2 \\x41w3 \\\\ w4\"");
        check("a: w1 w2\n   w3\n\n   w4\nb: w5");
        check("a: \"w1 \n   w2 \\\n   w3\n\n  w4\"");
        check("a: 'w1\r\n  w2 ''\r\n\r\n  w3'\r\n");
        check("a: |\n  w1\n    w2\n\n  w3 w4\n");
        check("a: >-\n  w1\n  w2\n\n  w3\n    w4\n  w5\nb: w6\n");
        check("- |\r\n  w1\r\n  w2\r\n- >\r\n  w3\r\n  w4\r\n");
        check("a: >2\n    w1\n  w2\n");
        check("é: |\n\n\n  w1 é w2\n");
    }
}
