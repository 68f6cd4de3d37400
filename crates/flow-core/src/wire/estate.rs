//! The numbers of what an estate is made of.

use crate::edit::{Estate, Fallen, Legacy};
use crate::path::{Key, Segment, StepPath};
use crate::wire::{EncodeError, Form, Reader, Wire, WireError, Writer, wire_choice, wire_struct};

wire_struct!(Estate { 1 results, 2 fallen, 3 anew });

wire_struct!(Legacy {
    1 key,
    2 unseeded,
    3 place,
    4 step,
    5 effect,
    6 value,
    7 from,
    8 bill,
    9 is_current,
    10 is_pinned,
});

wire_struct!(Fallen { 1 key, 2 place, 3 failure });

wire_struct!(Segment { 1 name, 2 key });

wire_choice!(Key "key of an item" {
    1 Index(..),
    2 Word(..),
});

/// A path is its parts.
impl Wire for StepPath {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        for segment in self.segments() {
            writer.payload(segment);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Vec::<Segment>::read(reader).map(Self::of)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn is_absent(&self) -> bool {
        self.segments().is_empty()
    }
}

impl Estate {
    /// Returns the stored form.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        super::encode(self, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        super::decode(bytes)
    }
}
