//! What reading the tree shares: the text, the places of what was cut out of
//! it, the documentation, and what is wrong.

use super::tree::{Node, Tree};
use crate::ast::{Comment, Docs};
use crate::diagnostic::Diagnostics;
use crate::span::{SourceId, Span};
use std::collections::BTreeMap;

/// Reads a tree.
#[derive(Debug)]
pub(super) struct Reader<'s> {
    /// The text from which the tree was built.
    pub(super) text: &'s str,
    /// Its source.
    pub(super) source: SourceId,
    /// What is wrong.
    pub(super) out: Diagnostics,
    docs: BTreeMap<u32, Vec<Comment>>,
    comments: Vec<Comment>,
    broken: Vec<u32>,
    is_partial: bool,
}

impl<'s> Reader<'s> {
    /// Begins to read a tree; gives its root too. `broken` are the places at
    /// which something was cut out.
    pub(super) fn of(
        text: &'s str,
        source: SourceId,
        tree: Tree<'s>,
        broken: &[usize],
        is_partial: bool,
    ) -> (Self, Option<Node<'s>>) {
        let places = broken.iter().filter_map(|at| u32::try_from(*at).ok());
        let reader = Self {
            text,
            source,
            out: tree.out,
            docs: tree.docs,
            comments: tree.comments,
            broken: places.collect(),
            is_partial,
        };
        (reader, tree.root)
    }

    /// Ends reading: the comments, with the documentation that documents
    /// nothing, and what is wrong.
    pub(super) fn finish(mut self) -> (Vec<Comment>, Diagnostics) {
        self.comments.extend(self.docs.into_values().flatten());
        self.comments.sort_by_key(|comment| comment.span);
        (self.comments, self.out)
    }

    /// Makes a span.
    pub(super) fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.source, start as usize, end as usize)
    }

    /// Returns the place of a node.
    pub(super) fn span_of(&self, node: &Node<'_>) -> Span {
        self.span(node.start, node.end)
    }

    /// Returns the first line of a node, to point at.
    pub(super) fn head_of(&self, node: &Node<'_>) -> Span {
        self.head_of_span(self.span_of(node))
    }

    /// Returns the first line of a place, to point at.
    pub(super) fn head_of_span(&self, span: Span) -> Span {
        let text = self.text.get(span.range()).unwrap_or("");
        let length = text.lines().next().map_or(0, |line| line.trim_end().len());
        Span::new(
            self.source,
            span.start as usize,
            span.start as usize + length,
        )
    }

    /// Takes the documentation of what begins at a place, and the place with
    /// the documentation included.
    pub(super) fn docs(&mut self, span: Span) -> (Docs, Span) {
        if self.docs.is_empty() {
            return (Docs::new(), span);
        }
        let Some(lines) = self.docs.remove(&span.start) else {
            return (Docs::new(), span);
        };
        let whole = lines.first().map_or(span, |line| line.span.to(span));
        let texts: Vec<&str> = lines.iter().map(doc_text).collect();
        (texts.join("\n"), whole)
    }

    /// Returns whether something was cut out of a place or right behind it.
    pub(super) fn is_broken_in(&self, span: Span) -> bool {
        if self.broken.is_empty() || self.is_partial {
            return self.is_partial;
        }
        let rest = self.text.get(span.end as usize..).unwrap_or("");
        let gap = rest.len() - rest.trim_start().len();
        let end = span.end as usize + gap;
        self.broken
            .iter()
            .any(|at| *at >= span.start && (*at as usize) <= end)
    }
}

fn doc_text(line: &Comment) -> &str {
    let text = line.text.strip_prefix('#').unwrap_or(&line.text);
    text.strip_prefix(' ').unwrap_or(text)
}
