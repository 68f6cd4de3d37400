//! A few lines of a source, cut to a window, for the frame of a diagnostic.
//!
//! The frame never sees the whole source: only the lines with labels, each cut
//! to what fits, with control characters made visible. So a line of 16 MiB and
//! a thousand diagnostics cost no more than short ones.

use std::collections::BTreeMap;

use flow_syntax::diagnostic::Label;
use flow_syntax::span::Source;
use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::places::Places;

/// Lines with labels at most this far apart are shown with what is between.
const GAP: usize = 2;

/// How much is shown before the first label of a line that is cut.
const LEAD: usize = 24;

/// The lines of one source that labels stand in.
#[derive(Debug)]
pub(super) struct Snippet {
    name: String,
    text: String,
    groups: Vec<Group>,
    /// Where each label stands in the source, by its place in `text`.
    places: BTreeMap<usize, (usize, usize)>,
}

/// Lines that follow each other.
#[derive(Debug)]
struct Group {
    start: usize,
    end: usize,
    /// The first line's number, from 0.
    line: usize,
    lines: usize,
}

/// A label on one line.
#[derive(Debug)]
struct Spot<'a> {
    line: usize,
    start: usize,
    end: usize,
    text: &'a str,
    is_primary: bool,
}

impl Snippet {
    /// Cuts the lines of labels out of their source; the first is the main one.
    pub(super) fn cut(
        source: &Source,
        places: &Places,
        labels: &[&Label],
        width: usize,
    ) -> (Self, Vec<LabeledSpan>) {
        let spots = spots(source, places, labels);
        let mut snippet = Self {
            name: source.name.clone(),
            text: String::new(),
            groups: Vec::new(),
            places: BTreeMap::new(),
        };
        let mut spans = Vec::new();
        let mut last: Option<usize> = None;
        for wanted in lines_of(&spots) {
            let near = last.filter(|last| wanted <= last + 1 + GAP);
            let first = near.map_or(wanted, |last| last + 1);
            if near.is_none() {
                snippet.groups.push(Group {
                    start: snippet.text.len(),
                    end: snippet.text.len(),
                    line: wanted,
                    lines: 0,
                });
            }
            for line in first..=wanted {
                let here: Vec<&Spot<'_>> = spots.iter().filter(|spot| spot.line == line).collect();
                snippet.push_line(source, places, line, &here, width, &mut spans);
            }
            last = Some(wanted);
        }
        (snippet, spans)
    }

    fn push_line(
        &mut self,
        source: &Source,
        places: &Places,
        line: usize,
        spots: &[&Spot<'_>],
        width: usize,
        spans: &mut Vec<LabeledSpan>,
    ) {
        let range = places.range(&source.text, line);
        let anchor = spots.iter().map(|spot| spot.start).min();
        let window = window(&source.text, &range, anchor.unwrap_or(range.start), width);
        if window.start > range.start {
            self.text.push('…');
        }
        let mut edges: BTreeMap<usize, usize> = BTreeMap::new();
        for spot in spots {
            edges.insert(spot.start, usize::MAX);
            edges.insert(spot.end, usize::MAX);
        }
        for (at, letter) in source.text[window.clone()].char_indices() {
            let at = at + window.start;
            for place in edges.range_mut(..=at).map(|(_, place)| place) {
                *place = (*place).min(self.text.len());
            }
            self.text.push(visible(letter));
        }
        for place in edges.values_mut() {
            *place = (*place).min(self.text.len());
        }
        if window.end < range.end {
            self.text.push('…');
        }
        for spot in spots {
            let (start, end) = (edges[&spot.start], edges[&spot.end]);
            let place = places.place(&source.text, spot.start);
            self.places
                .insert(start, (place.line - 1, place.column - 1));
            let label = (!spot.text.is_empty()).then(|| spot.text.to_owned());
            spans.push(if spot.is_primary {
                LabeledSpan::new_primary_with_span(label, (start, end - start))
            } else {
                LabeledSpan::new_with_span(label, (start, end - start))
            });
        }
        self.text.push('\n');
        if let Some(group) = self.groups.last_mut() {
            group.end = self.text.len();
            group.lines += 1;
        }
    }
}

/// Returns where labels stand. One that goes on over several lines is shown on
/// its first.
fn spots<'a>(source: &Source, places: &Places, labels: &[&'a Label]) -> Vec<Spot<'a>> {
    let spot = |(at, label): (usize, &&'a Label)| {
        let range = label.span.range();
        let start = floor(&source.text, range.start);
        let line = places.line(start);
        let line_end = places.range(&source.text, line).end;
        let start = start.min(line_end);
        Spot {
            line,
            start,
            end: floor(&source.text, range.end).clamp(start, line_end),
            text: &label.text,
            is_primary: at == 0,
        }
    };
    labels.iter().enumerate().map(spot).collect()
}

fn lines_of(spots: &[Spot<'_>]) -> Vec<usize> {
    let mut lines: Vec<usize> = spots.iter().map(|spot| spot.line).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Returns the part of a line that is shown.
fn window(
    text: &str,
    line: &std::ops::Range<usize>,
    anchor: usize,
    width: usize,
) -> std::ops::Range<usize> {
    if line.len() <= width {
        return line.clone();
    }
    let start = if anchor - line.start <= width * 2 / 3 {
        line.start
    } else {
        floor(text, anchor.saturating_sub(LEAD).max(line.start))
    };
    start..floor(text, (start + width).min(line.end))
}

fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset.min(text.len()))
}

/// A terminal must not obey what stands in a file.
fn visible(letter: char) -> char {
    match letter {
        '\t' => letter,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '�',
        _ if letter.is_control() => char::from_u32(0x2400 + u32::from(letter))
            .filter(|_| u32::from(letter) < 0x20)
            .unwrap_or('�'),
        _ => letter,
    }
}

impl SourceCode for Snippet {
    /// Without context the place itself is asked for, to be named; with
    /// context all lines around it are.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let offset = span.offset();
        let group = self.groups.iter().find(|group| offset < group.end);
        let group = group.ok_or(MietteError::OutOfBounds)?;
        let (range, line, column) = if context_before == 0 {
            let place = self.places.get(&offset).copied();
            let (line, column) = place.unwrap_or((group.line, 0));
            (offset..offset + span.len(), line, column)
        } else {
            (group.start..group.end, group.line, 0)
        };
        let data = self.text.as_bytes().get(range.clone());
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data.ok_or(MietteError::OutOfBounds)?,
            (range.start, range.len()).into(),
            line,
            column,
            group.lines,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_syntax::span::{SourceId, Span};

    fn label(start: usize, end: usize) -> Label {
        Label {
            span: Span::new(SourceId(0), start, end),
            text: String::new(),
        }
    }

    fn cut(text: &str, labels: &[Label]) -> (Snippet, Vec<LabeledSpan>) {
        let source = Source::new(SourceId(0), "a.flow", text);
        let labels: Vec<&Label> = labels.iter().collect();
        Snippet::cut(&source, &Places::of(text), &labels, 60)
    }

    #[test]
    fn a_long_line_is_cut_around_its_label() {
        let text = format!("{}HERE{}", "é".repeat(500_000), "x".repeat(500_000));
        let at = text.find("HERE").unwrap();
        let (snippet, spans) = cut(&text, &[label(at, at + 4)]);
        assert!(snippet.text.len() < 100, "{}", snippet.text);
        let span = spans[0].inner();
        assert_eq!(&snippet.text[span.offset()..span.offset() + 4], "HERE");
    }

    #[test]
    fn control_characters_are_made_visible() {
        let (snippet, _) = cut("a\u{1b}[31mb\u{202e}", &[label(0, 1)]);
        assert_eq!(snippet.text, "a␛[31mb�\n");
    }

    #[test]
    fn a_label_over_many_lines_is_shown_on_its_first() {
        let (snippet, spans) = cut("one\r\ntwo\nthree\n", &[label(1, 12)]);
        assert_eq!(snippet.text, "one\n");
        assert_eq!(spans[0].inner().len(), 2);
    }

    #[test]
    fn places_inside_a_character_and_behind_the_end_do_no_harm() {
        let (snippet, spans) = cut("é", &[label(1, 99), label(50, 60)]);
        assert_eq!(snippet.text, "é\n");
        assert_eq!(spans.len(), 2);
    }
}
