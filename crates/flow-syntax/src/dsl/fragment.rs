//! Pieces of the workflow language inside YAML scalars.

use crate::span::{SourceId, Span};

/// Maps offsets of a fragment to offsets of its source: the two differ where
/// YAML has escapes, folded lines or indentation.
#[derive(Debug, Clone)]
pub(crate) struct Offsets {
    source: SourceId,
    /// Offset in the fragment, offset in the source; both ascend, the first
    /// entry is for offset 0, and between entries offsets run in step.
    points: Vec<(u32, u32)>,
}

impl Offsets {
    /// A fragment that stands in its source byte for byte.
    pub(crate) fn linear(source: SourceId, base: u32) -> Self {
        Self {
            source,
            points: vec![(0, base)],
        }
    }

    /// A fragment with breaks.
    pub(crate) fn broken(source: SourceId, points: Vec<(u32, u32)>) -> Self {
        debug_assert!(points.first().is_some_and(|point| point.0 == 0));
        Self { source, points }
    }

    /// Returns the place in the source of a range of the fragment.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let find = |offset: usize| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            let last = self.points.partition_point(|point| point.0 <= offset) - 1;
            let (from, to) = self.points[last];
            (to + (offset - from)) as usize
        };
        Span::new(self.source, find(start), find(end))
    }
}
