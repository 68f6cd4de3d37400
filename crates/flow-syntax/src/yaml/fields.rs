//! Mappings with fixed keys: which keys are there, which are unknown, which
//! are missing.

use super::habits::habit;
use super::keys::{ITEMS, Mapping};
use super::reader::Reader;
use super::tree::{Entry, Kind, Node};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic, nearest};
use crate::span::Span;

/// How many unknown keys of one mapping are reported.
const REPORTED_MAX: usize = 20;

/// The entries of a mapping with fixed keys, all of them known.
#[derive(Debug)]
pub(super) struct Fields<'s> {
    mapping: &'static Mapping,
    entries: Vec<Option<Entry<'s>>>,
    /// The whole mapping.
    pub(super) span: Span,
    /// Whether something in it could not be read, so that nothing can be said
    /// about what is missing.
    pub(super) is_suspect: bool,
}

impl<'s> Fields<'s> {
    /// Takes the entry of a key.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry<'s>> {
        let is_wanted =
            |one: &&mut Option<Entry<'s>>| one.as_ref().is_some_and(|entry| entry.key.text == key);
        debug_assert!(self.mapping.key(key).is_some(), "`{key}` is described");
        self.entries.iter_mut().find(is_wanted)?.take()
    }

    /// Takes the value of a key.
    pub(super) fn value(&mut self, key: &str) -> Option<Node<'s>> {
        self.take(key).map(|entry| entry.value)
    }

    /// Takes what is left, in order.
    pub(super) fn rest(&mut self) -> Vec<Entry<'s>> {
        self.entries.drain(..).flatten().collect()
    }

    /// Returns whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        let mut entries = self.entries.iter().flatten();
        entries.any(|entry| entry.key.text == key)
    }
}

impl<'s> Reader<'s> {
    /// Reads a node as a mapping with fixed keys; `what` says what it is.
    pub(super) fn fields(
        &mut self,
        node: Node<'s>,
        mapping: &'static Mapping,
        what: &str,
    ) -> Option<Fields<'s>> {
        let span = self.span(node.start, node.end);
        let entries = self.entries(node, what)?;
        Some(self.checked(entries, span, mapping))
    }

    /// Reads a node as a mapping with any keys.
    pub(super) fn entries(&mut self, node: Node<'s>, what: &str) -> Option<Vec<Entry<'s>>> {
        if let Kind::Map(entries) = node.kind {
            return Some(entries);
        }
        self.wrong_shape(&node, what, "a mapping");
        None
    }

    /// Reads a node as a list.
    pub(super) fn list(&mut self, node: Node<'s>, what: &str) -> Option<Vec<Node<'s>>> {
        if let Kind::Seq(items) = node.kind {
            return Some(items);
        }
        self.wrong_shape(&node, what, "a list");
        None
    }

    /// Says that a node is not what it has to be.
    pub(super) fn wrong_shape(&mut self, node: &Node<'s>, what: &str, wanted: &str) {
        let found = match &node.kind {
            Kind::Broken => return,
            Kind::Absent => {
                self.missing_value(node, what);
                return;
            }
            Kind::Scalar(_) => "a text",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a mapping",
        };
        let span = self.head_of(node);
        let diagnostic = Diagnostic::new(
            codes::WRONG_SHAPE,
            span,
            format!("{what} is {wanted}, found {found}"),
        );
        let diagnostic = match (wanted, &node.kind) {
            ("a mapping", Kind::Seq(_)) => diagnostic.help("write `name: …` lines without `-`"),
            ("a list", Kind::Map(_)) if what == "`use`" => {
                diagnostic.help("write `- { file: path.flow, as: name }`")
            }
            ("a text", Kind::Map(_)) if what == "`retry`" => {
                diagnostic.help("write it as one text: `retry: 3 backoff 1s..30s`")
            }
            ("a list", Kind::Map(_)) => diagnostic.help("begin each item with `- `"),
            ("a list", Kind::Scalar(_)) => {
                diagnostic.help("begin each item with `- `, or write `[ … ]`")
            }
            ("a mapping", _) => diagnostic.help("write `key: value` lines"),
            _ => diagnostic.help("write it as one text"),
        };
        self.out.push(diagnostic);
    }

    /// Says that nothing is written where something must be.
    pub(super) fn missing_value(&mut self, node: &Node<'s>, what: &str) {
        let span = self.span(node.start, node.end);
        self.out.push(
            Diagnostic::new(
                codes::MISSING_VALUE,
                span,
                format!("nothing is written for {what}"),
            )
            .help("write a value, or leave the key out"),
        );
    }

    /// Checks the keys of a mapping. Keys that others use for the same are
    /// reported and then read as ours.
    pub(super) fn checked(
        &mut self,
        entries: Vec<Entry<'s>>,
        span: Span,
        mapping: &'static Mapping,
    ) -> Fields<'s> {
        let mut fields = Fields {
            mapping,
            entries: Vec::with_capacity(entries.len()),
            span,
            is_suspect: self.is_broken_in(span),
        };
        let mut unknown = 0;
        let mut entries = entries.into_iter();
        while let Some(mut entry) = entries.next() {
            if mapping.key(&entry.key.text).is_none() {
                unknown += 1;
                fields.is_suspect = true;
                if unknown > REPORTED_MAX {
                    continue;
                }
                let instead = self.unknown_key(&entry, mapping);
                let later = entries.as_slice();
                let is_free = |word: &&str| {
                    !fields.has(word) && later.iter().all(|one| one.key.text != **word)
                };
                let Some(instead) = instead.filter(is_free) else {
                    continue;
                };
                entry.key.text = instead.into();
            }
            fields.entries.push(Some(entry));
        }
        fields
    }

    /// Takes the entry of a key that must be there.
    pub(super) fn required(&mut self, fields: &mut Fields<'s>, key: &str) -> Option<Node<'s>> {
        let found = fields.value(key);
        if found.is_none() && !fields.is_suspect {
            let described = fields.mapping.key(key).map_or("", |key| key.doc);
            let name = fields.mapping.name;
            let head = self.head_of_span(fields.span);
            self.out.push(
                Diagnostic::new(
                    codes::MISSING_KEY,
                    head,
                    format!("{} has no `{key}`", with_article(name)),
                )
                .help(format!("add `{key}:`: {}", as_fragment(described))),
            );
        }
        found
    }

    /// Says what to write instead of an unknown key, and gives our key if
    /// there is one of the same shape.
    pub(super) fn unknown_key(
        &mut self,
        entry: &Entry<'s>,
        mapping: &'static Mapping,
    ) -> Option<&'static str> {
        let word = &*entry.key.text;
        let span = self.span(entry.key.start, entry.key.end);
        let name = mapping.name;
        let fault = Diagnostic::new(
            codes::UNKNOWN_KEY,
            span,
            format!("`{word}` is no key of {}", with_article(name)),
        );
        let other_kind = || {
            let is_item = ITEMS.iter().any(|item| item.name == name);
            let mut others = ITEMS
                .iter()
                .filter(|item| is_item && item.key(word).is_some());
            others.next()
        };
        let (fault, instead) = if word.contains(['(', '=']) {
            (fault.help(other_spelling(word)), None)
        } else if let Some(habit) = habit(word, name) {
            let fault = fault.help(habit.help);
            match habit.instead {
                Some(instead) => (
                    renaming(fault, Certainty::Likely, instead, span),
                    Some(instead),
                ),
                None => (fault, None),
            }
        } else if let Some(other) = other_kind() {
            let help = format!("`{word}` belongs to {}", with_article(other.name));
            (fault.help(help), None)
        } else if let Some(near) = nearest(word, mapping.names()) {
            let fault = fault.help(format!("did you mean `{near}`?"));
            (renaming(fault, Certainty::Certain, near, span), Some(near))
        } else {
            let keys: Vec<String> = mapping.names().map(|key| format!("`{key}`")).collect();
            let fault = match name {
                "call" => fault.help(format!(
                    "an argument stands below `with:`, as in `with: {{ {word}: … }}`"
                )),
                _ => fault,
            };
            (
                fault.help(format!("its keys are {}", keys.join(", "))),
                None,
            )
        };
        self.out.push(fault);
        instead
    }
}

/// Says how to write a piece of the workflow language in YAML.
pub(super) fn other_spelling(word: &str) -> String {
    let head = word.split('(').next().unwrap_or(word);
    let (name, callee) = head.split_once('=').unwrap_or(("", head));
    let (name, callee) = (name.trim(), callee.trim());
    if callee.is_empty() || callee.contains(' ') || name.contains(' ') {
        return "the workflow language has files of its own, `*.flow`".to_owned();
    }
    let id = if name.is_empty() {
        String::new()
    } else {
        format!("id: {name}, ")
    };
    format!("in YAML, write `{{ {id}step: {callee}, with: {{ … }} }}`")
}

fn renaming(fault: Diagnostic, certainty: Certainty, key: &str, span: Span) -> Diagnostic {
    fault.fix(certainty, format!("write `{key}`"), span, key)
}

/// Puts `a` or `an` before the name of a mapping.
pub(super) fn with_article(name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) && name != "use" {
        "an"
    } else {
        "a"
    };
    match name {
        "if" | "match" | "for" | "repeat" | "race" | "parallel" => format!("{article} `{name}`"),
        _ => format!("{article} {name}"),
    }
}

/// Makes a sentence of the descriptions a part of a message.
fn as_fragment(doc: &str) -> String {
    let doc = doc.strip_suffix('.').unwrap_or(doc);
    let mut letters = doc.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
