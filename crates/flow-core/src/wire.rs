//! The stored form of events and values: compact, and open for more fields.
//!
//! Everything is made of payloads of four forms: a number in groups of seven
//! bits, eight bytes, bytes with their length before them, and a digest.
//!
//! - A struct is its fields in the order of their numbers, each with a head of
//!   number and form. A field that a reader doesn't know is skipped; one that
//!   isn't there means nothing, zero or empty, if its type has such a value.
//! - A choice is the number of its variant and what is in that. A reader that
//!   doesn't know the number can't go on, and says so.
//! - There is one way to write a thing: heads rise, records are in the order of
//!   their keys, numbers have no superfluous groups.
//!
//! So a struct may grow without a new version. A number is never given a second
//! meaning, a form never changes, and what is gone leaves its number behind.
//! Which number means what is in the tables of `facts` and in `value`; recorded
//! bytes in `tests/golden/` are read by every later version.
//!
//! What is read may come from anybody: nesting is bounded, lengths are checked
//! against what is there, and memory is taken as bytes are seen.

mod basic;
mod books;
mod estate;
mod facts;
mod letters;
mod read;
mod table;
mod value;
mod write;

use crate::event::{Event, Fact};
use crate::value::Value;

pub use books::StoredRow;
pub(crate) use read::Reader;
pub(crate) use table::{distinct, rising, variant, wire_choice, wire_struct, wire_words};
pub use value::value_digest;
pub(crate) use write::Writer;

/// How deep stored values nest: what is checked, and room for what is around.
pub const NESTING_MAX: u32 = 80;

/// Why bytes can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A length or a number goes on after the end.
    #[error("the stored form ends too early")]
    Short,
    /// There are bytes after the end.
    #[error("the stored form goes on after its end")]
    Trailing,
    /// A part isn't what a part can be.
    #[error("the stored form is damaged: this is no {part}")]
    Damaged {
        /// What should be there.
        part: &'static str,
    },
    /// A field isn't there that has to be.
    #[error("the stored form is damaged: the field `{field}` is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A later version wrote it.
    #[error(
        "{what} {number} is not known to flow {}: use the newer version that wrote it",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// Of what there is a variant more.
        what: &'static str,
        /// Its number.
        number: u64,
    },
    /// Values nest too deep to be ours.
    #[error("the stored form is damaged: values nest deeper than {NESTING_MAX} levels")]
    Deep,
}

/// Why something can't be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The list of a `for` has to be put into the store first.
    #[error("the list of a `for` is not a value yet")]
    Listed,
    /// Values nest too deep.
    #[error("values nest deeper than {NESTING_MAX} levels")]
    Deep,
    /// A list has keys, but not one for each item.
    #[error("a list of {items} items has {keys} keys")]
    Keys {
        /// The number of items.
        items: usize,
        /// The number of keys.
        keys: usize,
    },
}

/// How a payload is laid out, so that readers can skip what they don't know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A number, seven bits a byte, the lowest first.
    Number,
    /// Eight bytes.
    Eight,
    /// A length, and so many bytes.
    Bytes,
    /// The 32 bytes of a digest.
    Digest,
}

/// What has a stored form.
pub(crate) trait Wire: Sized {
    /// How it is laid out.
    const FORM: Form;

    /// Writes the payload, without its length.
    fn write(&self, writer: &mut Writer<'_>);

    /// Reads the payload. One of the form [`Form::Bytes`] is all that the
    /// reader has.
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError>;

    /// Returns what it means that a field isn't there, if that is allowed.
    fn absent() -> Option<Self> {
        None
    }

    /// Returns whether it is what a field that isn't there means.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Writes something that stands alone. Nothing is written if it can't be.
pub(crate) fn encode<T: Wire>(it: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    let mut writer = Writer::new(out);
    writer.payload(it);
    let Some(fault) = writer.fault() else {
        return Ok(());
    };
    out.truncate(start);
    Err(fault)
}

/// Reads something that stands alone, and is all there is.
pub(crate) fn decode<T: Wire>(bytes: &[u8]) -> Result<T, WireError> {
    let mut reader = Reader::new(bytes);
    let it = reader.payload()?;
    reader.end()?;
    Ok(it)
}

impl Event {
    /// Adds the stored form of the fact and its time.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode(self, out)
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        decode(bytes)
    }
}

impl Fact {
    /// Adds the stored form of the fact without its time.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode(self, out)
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        decode(bytes)
    }

    /// The number of the facts that say that another plan is followed.
    pub const PLAN_REPLACED: u8 = 8;

    /// Returns the number of its kind. It never changes.
    pub fn kind(&self) -> u8 {
        u8::try_from(self.wire_number()).expect("kinds of facts are numbered up to 255")
    }
}

impl Value {
    /// Adds the stored form. Lists keep the keys of their items.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        let mut writer = Writer::new(out);
        // A value says itself where it ends, so it needs no length.
        self.write(&mut writer);
        let Some(fault) = writer.fault() else {
            return Ok(());
        };
        out.truncate(start);
        Err(fault)
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
