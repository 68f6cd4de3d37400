//! The stored form of values, and of handles of them.
//!
//! A value is the number of its kind and its payload, and says itself where it
//! ends. What a value is doesn't grow by fields, so there are no heads.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::amount::{Duration, Money, Size, Timestamp};
use crate::digest::Digest;
use crate::handle::{Handle, SMALL_MAX};
use crate::path::Key;
use crate::ty::Media;
use crate::value::{Artifact, List, Value};
use crate::wire::{EncodeError, Form, Reader, Wire, WireError, Writer, wire_words};

const NONE: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const TEXT: u8 = 5;
const DURATION: u8 = 6;
const MONEY: u8 = 7;
const TIME: u8 = 8;
const SIZE: u8 = 9;
const ENUM: u8 = 10;
const LIST: u8 = 11;
/// A list whose items have keys.
const KEYED: u8 = 12;
const RECORD: u8 = 13;
const ARTIFACT: u8 = 14;
const SECRET: u8 = 15;

impl Wire for Value {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::None => writer.byte(NONE),
            Self::Bool(false) => writer.byte(FALSE),
            Self::Bool(true) => writer.byte(TRUE),
            Self::Int(number) => kind(writer, INT, number),
            Self::Float(number) => kind(writer, FLOAT, number),
            Self::Text(text) => kind(writer, TEXT, text),
            Self::Duration(length) => kind(writer, DURATION, length),
            Self::Money(amount) => kind(writer, MONEY, amount),
            Self::Time(instant) => kind(writer, TIME, instant),
            Self::Size(size) => {
                writer.byte(SIZE);
                size.width.write(writer);
                size.height.write(writer);
            }
            Self::Enum(word) => kind(writer, ENUM, word),
            Self::List(list) => write_list(writer, list),
            Self::Record(record) => kind(writer, RECORD, record),
            Self::Artifact(artifact) => kind(writer, ARTIFACT, artifact),
            Self::Secret(name) => kind(writer, SECRET, name),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match reader.byte()? {
            NONE => Self::None,
            FALSE => Self::Bool(false),
            TRUE => Self::Bool(true),
            INT => Self::Int(reader.payload()?),
            FLOAT => Self::Float(reader.payload()?),
            TEXT => Self::Text(reader.payload()?),
            DURATION => Self::Duration(reader.payload::<Duration>()?),
            MONEY => Self::Money(reader.payload::<Money>()?),
            TIME => Self::Time(reader.payload::<Timestamp>()?),
            SIZE => Self::Size(
                Size::new(u32::read(reader)?, u32::read(reader)?)
                    .ok_or(WireError::Damaged { part: "size" })?,
            ),
            ENUM => Self::Enum(reader.payload()?),
            LIST => Self::List(Arc::new(read_list(reader.framed()?)?)),
            KEYED => Self::List(Arc::new(read_keyed(reader.framed()?)?)),
            RECORD => Self::Record(reader.payload()?),
            ARTIFACT => Self::Artifact(reader.payload()?),
            SECRET => Self::Secret(reader.payload()?),
            number => {
                return Err(WireError::Newer {
                    what: "value",
                    number: u64::from(number),
                });
            }
        })
    }
}

#[inline]
fn kind<T: Wire>(writer: &mut Writer<'_>, kind: u8, it: &T) {
    writer.byte(kind);
    writer.payload(it);
}

fn write_list(writer: &mut Writer<'_>, list: &List) {
    let List { items, keys } = list;
    let Some(keys) = keys else {
        writer.byte(LIST);
        return writer.framed(|writer| {
            writer.deeper(|writer| items.iter().for_each(|item| item.write(writer)));
        });
    };
    if keys.len() != items.len() {
        return writer.refuse(EncodeError::Keys {
            items: items.len(),
            keys: keys.len(),
        });
    }
    writer.byte(KEYED);
    writer.framed(|writer| {
        writer.deeper(|writer| {
            for (key, item) in keys.iter().zip(items) {
                write_key(writer, key);
                item.write(writer);
            }
        });
    });
}

fn read_list(mut reader: Reader<'_>) -> Result<List, WireError> {
    reader.deeper()?;
    let mut items = Vec::new();
    while !reader.is_empty() {
        items.push(Value::read(&mut reader)?);
    }
    Ok(items.into())
}

fn read_keyed(mut reader: Reader<'_>) -> Result<List, WireError> {
    reader.deeper()?;
    let mut items = Vec::new();
    let mut keys = Vec::new();
    while !reader.is_empty() {
        keys.push(read_key(&mut reader)?);
        items.push(Value::read(&mut reader)?);
    }
    Ok(List {
        items,
        keys: Some(keys),
    })
}

fn write_key(writer: &mut Writer<'_>, key: &Key) {
    match key {
        Key::Index(index) => kind(writer, 0, index),
        Key::Word(word) => kind(writer, 1, word),
    }
}

fn read_key(reader: &mut Reader<'_>) -> Result<Key, WireError> {
    match reader.byte()? {
        0 => reader.payload().map(Key::Index),
        1 => reader.payload().map(Key::Word),
        number => Err(WireError::Newer {
            what: "key",
            number: u64::from(number),
        }),
    }
}

type Record = BTreeMap<Arc<str>, Value>;

impl Wire for Record {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.deeper(|writer| {
            for (name, value) in self {
                writer.payload(name);
                value.write(writer);
            }
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader.deeper()?;
        let mut record = Self::new();
        let mut last: Option<&str> = None;
        while !reader.is_empty() {
            let name = reader.text()?;
            if last.is_some_and(|last| last >= name) {
                return Err(WireError::Damaged {
                    part: "record in its order",
                });
            }
            last = Some(name);
            record.insert(name.into(), Value::read(reader)?);
        }
        Ok(record)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Wire for Artifact {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        let Self {
            digest,
            media,
            bytes,
            facts,
        } = self;
        // As bytes, it is half as long as in digits; a text that is no digest
        // is kept as it is.
        match from_digits(digest) {
            Some(digest) => writer.field(1, &digest),
            None => writer.field(2, &Some(digest.clone())),
        }
        writer.field(3, media);
        writer.field(4, bytes);
        writer.field(5, facts);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut fields = reader.fields();
        let short: Option<Digest> = fields.take(1, "digest")?;
        let long: Option<Arc<str>> = fields.take(2, "digest")?;
        let artifact = Self {
            digest: short
                .map(digits)
                .or(long)
                .ok_or(WireError::Missing { field: "digest" })?,
            media: fields.take(3, "media")?,
            bytes: fields.take(4, "bytes")?,
            facts: fields.take(5, "facts")?,
        };
        fields.finish()?;
        Ok(artifact)
    }
}

wire_words!(Media "medium" { 1 Image, 2 Video, 3 Audio, 4 File });

/// The digits of a digest, as `Display` writes them. Logs are full of them, so
/// this has no formatter in between.
fn digits(digest: Digest) -> Arc<str> {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest.0) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xF)];
    }
    std::str::from_utf8(&text)
        .expect("digits are plain letters")
        .into()
}

/// Reads what [`digits`] writes, and nothing else: capitals would be lost.
fn from_digits(text: &str) -> Option<Digest> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let text: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(Digest(digest))
}

const SMALL: u64 = 1;
const STORED: u64 = 2;

impl Wire for Handle {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Small(value) => {
                writer.number(SMALL);
                value.write(writer);
            }
            Self::Stored(digest) => {
                writer.number(STORED);
                digest.write(writer);
            }
            Self::Listed(_) => writer.refuse(EncodeError::Listed),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        match reader.number()? {
            SMALL => Value::read(reader).map(Self::Small),
            STORED => Wire::read(reader).map(Self::Stored),
            number => Err(WireError::Newer {
                what: "handle",
                number,
            }),
        }
    }
}

/// Returns the digest by which a value is stored, from its stored form.
pub fn value_digest(encoded: &[u8]) -> Digest {
    Digest::of(encoded)
}

impl Handle {
    /// Returns the handle of a value with that stored form: it is carried along
    /// if that is small, and otherwise known by its digest.
    pub fn of(value: &Value, encoded: &[u8]) -> Self {
        if encoded.len() <= SMALL_MAX {
            Self::Small(value.clone())
        } else {
            Self::Stored(Arc::new(value_digest(encoded)))
        }
    }
}
