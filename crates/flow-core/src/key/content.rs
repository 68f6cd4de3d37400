//! What of values and types makes a difference, as bytes that are hashed.
//!
//! Every piece begins with a tag or a count, and texts with their length, so
//! different contents are different bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::Digest;
use crate::ty::{Bounds, FieldType, Media, Type};
use crate::value::{Artifact, Value};

/// Hashes contents for one purpose.
pub(super) struct Content(blake3::Hasher);

/// Whether documentation makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Docs {
    /// It does: it is told to a model.
    Count,
    /// It doesn't.
    DontCount,
}

/// What is still to be hashed of a value.
enum Rest<'a> {
    Value(&'a Value),
    Name(&'a str),
}

impl Content {
    /// Begins; another purpose gives other digests.
    pub(super) fn new(purpose: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(purpose))
    }

    pub(super) fn digest(&self) -> Digest {
        Digest(self.0.finalize().into())
    }

    pub(super) fn bits(&self) -> u64 {
        let mut bytes = [0; 8];
        self.0.finalize_xof().fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    pub(super) fn tag(&mut self, tag: u8) {
        self.0.update(&[tag]);
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).expect("a count has at most 64 bits"));
    }

    /// Adds bytes of which there are always as many.
    pub(super) fn raw<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.0.update(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    /// Adds two texts as if they were one.
    pub(super) fn words(&mut self, (first, second): (&str, &str)) {
        self.count(first.len() + second.len());
        self.0.update(first.as_bytes());
        self.0.update(second.as_bytes());
    }

    /// Adds a value. What is inside of it waits in a list and not on the stack,
    /// so it may be as deep as it is.
    pub(super) fn value(&mut self, value: &Value) {
        let mut rest = vec![Rest::Value(value)];
        while let Some(next) = rest.pop() {
            match next {
                Rest::Name(name) => self.text(name),
                Rest::Value(value) => self.value_without_parts(value, &mut rest),
            }
        }
    }

    fn value_without_parts<'a>(&mut self, value: &'a Value, rest: &mut Vec<Rest<'a>>) {
        match value {
            Value::None => self.tag(0),
            Value::Bool(false) => self.tag(1),
            Value::Bool(true) => self.tag(2),
            Value::Int(number) => self.amount(3, *number),
            Value::Float(number) => self.amount(4, number.to_bits().cast_signed()),
            Value::Text(text) => self.word(5, text),
            Value::Duration(length) => self.amount(6, length.0),
            Value::Money(amount) => self.amount(7, amount.0),
            Value::Time(instant) => self.amount(8, instant.0),
            Value::Size(size) => {
                self.tag(9);
                self.number(u64::from(size.width));
                self.number(u64::from(size.height));
            }
            Value::Enum(word) => self.word(10, word),
            Value::List(list) => {
                self.tag(11);
                self.count(list.items.len());
                rest.extend(list.items.iter().rev().map(Rest::Value));
            }
            Value::Record(record) => self.record(record, rest),
            Value::Artifact(artifact) => self.artifact(artifact),
            Value::Secret(name) => self.word(14, name),
        }
    }

    fn record<'a>(&mut self, record: &'a BTreeMap<Arc<str>, Value>, rest: &mut Vec<Rest<'a>>) {
        self.tag(12);
        self.count(record.len());
        let parts = record
            .iter()
            .rev()
            .flat_map(|(name, value)| [Rest::Value(value), Rest::Name(name)]);
        rest.extend(parts);
    }

    /// What an artifact is follows from its bytes; what was read of them can't
    /// differ, or was read by another version.
    fn artifact(&mut self, artifact: &Artifact) {
        self.word(13, &artifact.digest);
        self.media(artifact.media);
    }

    fn media(&mut self, media: Media) {
        self.tag(match media {
            Media::Image => 1,
            Media::Video => 2,
            Media::Audio => 3,
            Media::File => 4,
        });
    }

    fn amount(&mut self, tag: u8, amount: i64) {
        self.tag(tag);
        self.number(amount.cast_unsigned());
    }

    fn word(&mut self, tag: u8, word: &str) {
        self.tag(tag);
        self.text(word);
    }

    /// Adds a type. Names of types are for people; the order of fields is told
    /// to models.
    pub(super) fn ty(&mut self, ty: &Type, docs: Docs) {
        match ty {
            Type::Text(rule) => {
                self.bounds(0, &rule.length, |length| length);
                match &rule.matching {
                    None => self.tag(0),
                    Some(pattern) => self.word(1, pattern),
                }
            }
            Type::Int(bounds) => self.bounds(1, bounds, i64::cast_unsigned),
            Type::Float(bounds) => self.bounds(2, bounds, f64::to_bits),
            Type::Bool => self.tag(3),
            Type::Duration(bounds) => self.bounds(4, bounds, |length| length.0.cast_unsigned()),
            Type::Money(bounds) => self.bounds(5, bounds, |amount| amount.0.cast_unsigned()),
            Type::Time => self.tag(6),
            Type::Size => self.tag(7),
            Type::Model => self.tag(8),
            Type::Json => self.tag(9),
            Type::Secret => self.tag(10),
            Type::Step => self.tag(11),
            Type::Media(media) => {
                self.tag(12);
                self.media(*media);
            }
            Type::List(list) => {
                self.bounds(13, &list.length, |length| length);
                self.ty(&list.item, docs);
            }
            Type::Map(item) => {
                self.tag(14);
                self.ty(item, docs);
            }
            Type::Optional(inner) => {
                self.tag(15);
                self.ty(inner, docs);
            }
            Type::Record(record) => {
                self.tag(16);
                self.fields(&record.fields, docs);
            }
            Type::Enum(words) => {
                self.tag(17);
                self.count(words.variants.len());
                for variant in &words.variants {
                    self.text(&variant.name);
                    self.text(&variant.outside);
                }
            }
            Type::Param => self.tag(18),
            Type::None => self.tag(19),
        }
    }

    fn fields(&mut self, fields: &[FieldType], docs: Docs) {
        self.count(fields.len());
        for field in fields {
            self.text(&field.name);
            if docs == Docs::Count {
                self.text(field.docs.trim());
            }
            self.ty(&field.ty, docs);
        }
    }

    fn bounds<T: Copy>(&mut self, tag: u8, bounds: &Bounds<T>, bits: fn(T) -> u64) {
        let Bounds { min, max } = *bounds;
        self.tag(tag);
        for bound in [min, max] {
            match bound {
                None => self.tag(0),
                Some(bound) => {
                    self.tag(1);
                    self.number(bits(bound));
                }
            }
        }
    }
}
