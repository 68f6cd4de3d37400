//! One look over a whole text before it is read: where its comments are, and
//! where the grammar can't go on for certain.

use crate::ast::{Comment, Docs};
use crate::dsl::lex::{self, Fault, Kind, Nesting};

/// After so many texts without an end the rest of a file is not looked at:
/// each of them costs a look at all that follows.
pub(super) const OPEN_TEXTS_MAX: usize = 8;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    comments: Vec<Remark>,
    /// In order of place.
    barriers: Vec<Barrier>,
}

/// A comment or a line of documentation.
#[derive(Debug)]
struct Remark {
    start: usize,
    end: usize,
    own_line: bool,
    is_claimed: bool,
}

/// A place that the grammar can't pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Barrier {
    /// What is wrong there.
    pub(super) fault: Fault,
    /// Its first byte.
    pub(super) start: usize,
    /// Where reading can go on.
    pub(super) end: usize,
}

impl Scan {
    /// Looks over a text from an offset on.
    pub(super) fn of(text: &str, from: usize) -> Self {
        let bytes = text.as_bytes();
        let mut scan = Self::default();
        let mut nesting = Nesting::default();
        let mut open_texts = 0;
        let mut at = from;
        loop {
            let token = lex::next(text, at);
            at = token.end;
            match token.kind {
                Kind::End => return scan,
                Kind::Comment => scan.comments.push(Remark {
                    start: token.start,
                    end: token.end,
                    own_line: lex::begins_line(bytes, token.start),
                    is_claimed: false,
                }),
                Kind::Fault(fault) => {
                    if matches!(fault, Fault::OpenLines | Fault::OpenHole) {
                        open_texts += 1;
                    }
                    if open_texts == OPEN_TEXTS_MAX {
                        at = text.len();
                    }
                    scan.barriers.push(Barrier {
                        fault,
                        start: token.start,
                        end: at,
                    });
                }
                Kind::Mark | Kind::Word | Kind::Number | Kind::Text => {
                    if nesting.goes_too_deep(text, token) {
                        scan.barriers.push(Barrier {
                            fault: Fault::TooDeep,
                            start: token.start,
                            end: token.end,
                        });
                    }
                }
            }
        }
    }

    /// Returns the first barrier at or after an offset.
    pub(super) fn barrier(&self, at: usize) -> Option<Barrier> {
        let index = self.barriers.partition_point(|barrier| barrier.start < at);
        self.barriers.get(index).copied()
    }

    /// Returns whether something is nested too deep before an offset.
    pub(super) fn is_too_deep(&self, at: usize) -> bool {
        let before = self.barriers.iter();
        before
            .take_while(|barrier| barrier.start <= at)
            .any(|barrier| barrier.fault == Fault::TooDeep)
    }

    /// Takes the `##` lines that stand before an offset, and where they begin.
    pub(super) fn docs(&mut self, text: &str, at: usize) -> (Docs, usize) {
        let mut index = self.comments.partition_point(|remark| remark.start < at);
        let mut first = at;
        let mut lines = Vec::new();
        let mut reached = at;
        while index > 0 {
            index -= 1;
            let remark = &mut self.comments[index];
            let between = text.get(remark.end..reached).unwrap_or("?");
            if !remark.own_line || remark.is_claimed || !between.trim().is_empty() {
                break;
            }
            reached = remark.start;
            let line = &text[remark.start..remark.end];
            if let Some(line) = line.strip_prefix("##") {
                remark.is_claimed = true;
                first = remark.start;
                let line = line.strip_prefix(' ').unwrap_or(line);
                lines.push(line.trim_end().to_owned());
            }
        }
        lines.reverse();
        (lines.join("\n"), first)
    }

    /// Returns the offset after the last word or mark before an offset.
    pub(super) fn code_end(&self, text: &str, at: usize) -> usize {
        let mut end = text[..at].trim_end().len();
        let count = self.comments.partition_point(|remark| remark.start < end);
        for remark in self.comments[..count].iter().rev() {
            if remark.end < end {
                break;
            }
            end = text[..remark.start].trim_end().len();
        }
        end
    }

    /// Returns the comments that are not documentation of anything.
    pub(super) fn into_comments(
        self,
        text: &str,
        place: impl Fn(usize, usize) -> crate::span::Span,
    ) -> Vec<Comment> {
        let left = self.comments.iter().filter(|remark| !remark.is_claimed);
        left.map(|remark| Comment {
            span: place(remark.start, remark.end),
            text: text[remark.start + 1..remark.end].trim_end().to_owned(),
            own_line: remark.own_line,
        })
        .collect()
    }
}
