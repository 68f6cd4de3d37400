//! Events to a tree of our own, with what the language takes away from YAML:
//! anchors, aliases, tags, further documents and repeated keys are reported
//! here, and are not in the tree.

use super::events::{Event, Events, Fault, FaultKind, Layout, Placed, Style};
use super::foreign;
use super::scalar::Scalar;
use crate::ast::Comment;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::span::{SourceId, Span};
use std::collections::BTreeMap;

/// How deep lists and mappings may nest.
const DEPTH_MAX: usize = 64;

/// How many repeated keys of one mapping are reported.
const REPEATED_MAX: usize = 20;

/// How many tags, anchors, aliases and unusable keys of a file are reported.
const FOREIGN_MAX: usize = 100;

/// A node with its place.
#[derive(Debug)]
pub(super) struct Node<'s> {
    /// What it is.
    pub(super) kind: Kind<'s>,
    /// Its first byte.
    pub(super) start: u32,
    /// The byte after its last.
    pub(super) end: u32,
}

/// The kinds of nodes.
#[derive(Debug)]
pub(super) enum Kind<'s> {
    /// A scalar.
    Scalar(Scalar<'s>),
    /// A list.
    Seq(Vec<Node<'s>>),
    /// A mapping, each key once.
    Map(Vec<Entry<'s>>),
    /// Nothing is written.
    Absent,
    /// Something that was reported already.
    Broken,
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry<'s> {
    /// The key.
    pub(super) key: Scalar<'s>,
    /// The value.
    pub(super) value: Node<'s>,
}

/// A text as a tree.
#[derive(Debug)]
pub(super) struct Tree<'s> {
    /// The document; `None` if the text holds none.
    pub(super) root: Option<Node<'s>>,
    /// The comments that are no documentation.
    pub(super) comments: Vec<Comment>,
    /// The documentation lines by the first byte of what they document.
    pub(super) docs: BTreeMap<u32, Vec<Comment>>,
    /// What is wrong.
    pub(super) out: Diagnostics,
    /// Why the tree is not complete.
    pub(super) stop: Option<Stop>,
}

/// Where reading stopped, and in what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// The fault.
    pub(super) fault: Fault,
    /// The place of the last scalar before it.
    pub(super) last: Option<(usize, usize)>,
    /// The start of the outermost bracket that is still open.
    pub(super) bracket: Option<usize>,
}

/// Builds the tree of a text. `broken` holds the places of what was cut out.
pub(super) fn build<'s>(text: &'s str, source: SourceId, broken: &[usize]) -> Tree<'s> {
    let mut builder = Builder {
        text,
        source,
        broken,
        frames: Vec::new(),
        root: None,
        comments: Vec::new(),
        docs: BTreeMap::new(),
        pending: Vec::new(),
        out: Diagnostics::default(),
        last: None,
        foreign: 0,
        last_is_tagged: false,
        documents: 0,
    };
    let stop = builder.run();
    builder.finish(stop)
}

struct Builder<'s, 'b> {
    text: &'s str,
    source: SourceId,
    broken: &'b [usize],
    frames: Vec<Frame<'s>>,
    root: Option<Node<'s>>,
    comments: Vec<Comment>,
    docs: BTreeMap<u32, Vec<Comment>>,
    pending: Vec<Comment>,
    out: Diagnostics,
    last: Option<(usize, usize)>,
    foreign: usize,
    last_is_tagged: bool,
    documents: usize,
}

/// A list or a mapping that is not complete yet.
struct Frame<'s> {
    start: usize,
    end: usize,
    layout: Layout,
    is_tagged: bool,
    content: Content<'s>,
}

enum Content<'s> {
    Seq(Vec<Node<'s>>),
    Map {
        entries: Vec<Entry<'s>>,
        key: Key<'s>,
    },
}

/// The key of the next value.
enum Key<'s> {
    /// The next node is a key.
    Wanted,
    /// The next node is this key's value.
    Read(Scalar<'s>),
    /// The next node belongs to a key that can't be used.
    Unusable,
}

impl<'s> Builder<'s, '_> {
    fn run(&mut self) -> Option<Stop> {
        let mut events = Events::of(self.text);
        while let Some(next) = events.next() {
            let placed = match next {
                Ok(placed) => placed,
                Err(fault) => return Some(self.stop(fault)),
            };
            let too_deep = self.frames.len() >= DEPTH_MAX
                && matches!(placed.event, Event::Seq(_) | Event::Map(_));
            if too_deep {
                return Some(self.stop(Fault {
                    kind: FaultKind::TooDeep,
                    at: placed.start,
                }));
            }
            if !self.take(placed) {
                return None;
            }
        }
        None
    }

    fn stop(&self, fault: Fault) -> Stop {
        let bracket = self
            .frames
            .iter()
            .find(|frame| frame.layout == Layout::Flow);
        Stop {
            fault,
            last: self.last,
            bracket: bracket.map(|frame| frame.start),
        }
    }

    /// Takes an event; gives whether to go on.
    fn take(&mut self, placed: Placed<'s>) -> bool {
        let Placed {
            event,
            start,
            end,
            tag,
        } = placed;
        let is_tagged = tag.is_some_and(|(from, to)| self.tag(from, to));
        if !matches!(event, Event::Anchor) {
            self.last_is_tagged = is_tagged;
        }
        match event {
            Event::Document => return self.document(start, end),
            Event::Comment => self.comment(start, end),
            // What is written behind a tag is reported with it.
            Event::Anchor if self.last_is_tagged => {}
            Event::Anchor => self.anchor(start, end, "anchors"),
            Event::Alias => {
                if !self.is_unusable() {
                    self.alias(start, end);
                }
                self.node(Kind::Broken, start, end);
            }
            Event::Absent => {
                let kind = if is_tagged {
                    Kind::Broken
                } else {
                    Kind::Absent
                };
                self.node(kind, start, end);
            }
            Event::Scalar(text, style) => {
                self.attach_docs(start);
                self.last = Some((start, end));
                let scalar = Scalar {
                    text,
                    style,
                    start: clip(start),
                    end: clip(self.trimmed_end(start, end, style)),
                };
                let is_broken = is_tagged || self.broken.contains(&start);
                let end = scalar.end as usize;
                let kind = if is_broken && !self.wants_key() {
                    Kind::Broken
                } else {
                    Kind::Scalar(scalar)
                };
                self.node(kind, start, end);
            }
            Event::Seq(layout) => {
                self.open(start, end, layout, is_tagged, Content::Seq(Vec::new()));
            }
            Event::Map(layout) => {
                let content = Content::Map {
                    entries: Vec::new(),
                    key: Key::Wanted,
                };
                self.open(start, end, layout, is_tagged, content);
            }
            Event::End => self.close(end),
        }
        true
    }

    fn open(
        &mut self,
        start: usize,
        end: usize,
        layout: Layout,
        is_tagged: bool,
        content: Content<'s>,
    ) {
        // What stands before a list documents its first item.
        if matches!(content, Content::Map { .. }) {
            self.attach_docs(start);
        }
        self.frames.push(Frame {
            start,
            end,
            layout,
            is_tagged,
            content,
        });
    }

    fn close(&mut self, end: usize) {
        let Some(mut frame) = self.frames.pop() else {
            return;
        };
        if frame.layout == Layout::Flow {
            frame.end = frame.end.max(end);
        }
        let (start, end) = (frame.start, frame.end);
        let kind = match frame.content {
            _ if frame.is_tagged => Kind::Broken,
            Content::Seq(items) => Kind::Seq(items),
            Content::Map { entries, .. } => Kind::Map(self.each_once(entries)),
        };
        self.node(kind, start, end);
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.frames.last(),
            Some(Frame {
                content: Content::Map {
                    key: Key::Wanted,
                    ..
                },
                ..
            })
        )
    }

    fn is_unusable(&self) -> bool {
        let content = self.frames.last().map(|frame| &frame.content);
        matches!(
            content,
            Some(Content::Map {
                key: Key::Unusable,
                ..
            })
        )
    }

    /// Puts a complete node where it belongs.
    fn node(&mut self, kind: Kind<'s>, start: usize, end: usize) {
        let node = Node {
            kind,
            start: clip(start),
            end: clip(end),
        };
        let Some(frame) = self.frames.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        if end > start {
            frame.end = frame.end.max(end);
        }
        let (entries, key) = match &mut frame.content {
            Content::Seq(items) => {
                items.push(node);
                return;
            }
            Content::Map { entries, key } => (entries, key),
        };
        match std::mem::replace(key, Key::Wanted) {
            Key::Wanted => {
                *key = match node.kind {
                    Kind::Scalar(scalar) if !foreign::is_merge(&scalar) => Key::Read(scalar),
                    Kind::Broken => Key::Unusable,
                    Kind::Scalar(_) | Kind::Seq(_) | Kind::Map(_) | Kind::Absent => {
                        self.foreign += 1;
                        if self.foreign <= FOREIGN_MAX {
                            let span = Span::new(self.source, start, end);
                            self.out.push(foreign::key(self.text, span));
                        }
                        Key::Unusable
                    }
                };
            }
            Key::Read(scalar) => entries.push(Entry {
                key: scalar,
                value: node,
            }),
            Key::Unusable => {}
        }
    }

    /// Leaves the first of equal keys, and reports the others.
    fn each_once(&mut self, entries: Vec<Entry<'s>>) -> Vec<Entry<'s>> {
        let mut repeated: Vec<(usize, usize)> = Vec::new();
        if entries.len() <= 8 {
            for (at, entry) in entries.iter().enumerate() {
                let text = &entry.key.text;
                let first = entries[..at].iter().position(|one| one.key.text == *text);
                repeated.extend(first.map(|first| (at, first)));
            }
        } else {
            let mut firsts: BTreeMap<&str, usize> = BTreeMap::new();
            for (at, entry) in entries.iter().enumerate() {
                let first = *firsts.entry(&entry.key.text).or_insert(at);
                if first != at {
                    repeated.push((at, first));
                }
            }
        }
        for (at, first) in repeated.iter().take(REPEATED_MAX) {
            let (again, first) = (&entries[*at].key, &entries[*first].key);
            let message = format!("`{}` is written twice", again.text);
            let diagnostic = Diagnostic::new(codes::DUPLICATE_KEY, self.span_of(again), message)
                .other(self.span_of(first), "first written here")
                .help("keep one of them");
            self.out.push(diagnostic);
        }
        if repeated.is_empty() {
            return entries;
        }
        let mut dropped = repeated.into_iter().map(|(at, _)| at).peekable();
        let kept = entries.into_iter().enumerate();
        kept.filter(|(at, _)| dropped.next_if_eq(at).is_none())
            .map(|(_, entry)| entry)
            .collect()
    }

    fn document(&mut self, start: usize, end: usize) -> bool {
        self.documents += 1;
        if self.documents == 1 {
            return true;
        }
        self.out.push(
            Diagnostic::new(
                codes::YAML_DOCUMENT,
                self.span(start, end),
                "a second document begins here",
            )
            .help("put it into a file of its own"),
        );
        false
    }

    fn tag(&mut self, start: usize, end: usize) -> bool {
        if self.is_reported() {
            let fault = foreign::tag(self.text, start, self.span(start, end));
            self.out.push(fault);
        }
        true
    }

    /// Counts something that the language doesn't have; gives whether to say so.
    fn is_reported(&mut self) -> bool {
        self.foreign += 1;
        self.foreign <= FOREIGN_MAX
    }

    fn anchor(&mut self, start: usize, end: usize, what: &str) {
        if !self.is_reported() {
            return;
        }
        let span = self.span(start, end);
        self.out.push(foreign::anchor(self.text, span, what));
    }

    fn alias(&mut self, start: usize, end: usize) {
        // `*/5 * * * *` and `*.wav` are texts, not names of anchors.
        let name = self.text[start..end].trim_start_matches('*');
        if name.starts_with(|c: char| c.is_alphabetic() || c == '_') && !name.contains(['*', '/']) {
            self.anchor(start, end, "aliases");
            return;
        }
        if !self.is_reported() {
            return;
        }
        let line_end = foreign::end_of_value(self.text, start).max(end);
        self.out.push(foreign::quote(
            self.text,
            self.span(start, line_end),
            "a value that begins with `*` is a YAML alias".to_owned(),
        ));
    }

    fn comment(&mut self, start: usize, end: usize) {
        let line = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let text = self.text.get(start + 1..end).unwrap_or("").trim_end();
        let comment = Comment {
            span: self.span(start, start + 1 + text.len()),
            text: text.to_owned(),
            own_line: self.text[line..start]
                .trim_start_matches('\u{feff}')
                .trim()
                .is_empty(),
        };
        let is_doc = comment.own_line && text.starts_with('#') && !text.starts_with("##");
        if is_doc {
            self.pending.push(comment);
        } else {
            self.comments.append(&mut self.pending);
            self.comments.push(comment);
        }
    }

    fn attach_docs(&mut self, start: usize) {
        if !self.pending.is_empty() {
            self.docs
                .insert(clip(start), std::mem::take(&mut self.pending));
        }
    }

    /// Returns where a scalar's own text ends: block scalars reach to the next
    /// node otherwise.
    fn trimmed_end(&self, start: usize, end: usize, style: Style) -> usize {
        match style {
            Style::Literal | Style::Folded => start + self.text[start..end].trim_end().len(),
            Style::Plain | Style::Single | Style::Double => end,
        }
    }

    fn finish(mut self, stop: Option<Stop>) -> Tree<'s> {
        while !self.frames.is_empty() {
            self.close(0);
        }
        self.comments.append(&mut self.pending);
        Tree {
            root: self.root,
            comments: self.comments,
            docs: self.docs,
            out: self.out,
            stop,
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    fn span_of(&self, scalar: &Scalar<'_>) -> Span {
        self.span(scalar.start as usize, scalar.end as usize)
    }
}

fn clip(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
