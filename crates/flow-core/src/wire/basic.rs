//! The stored forms of numbers, texts, lists and what wraps them.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::address::{At, RunId};
use crate::amount::{Duration, Money, Timestamp};
use crate::arbiter::OwnerId;
use crate::digest::Digest;
use crate::plan::NodeId;
use crate::wire::{Form, Reader, Wire, WireError, Writer};

impl Wire for u64 {
    const FORM: Form = Form::Number;

    #[inline]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.number(*self);
    }

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader.number()
    }

    fn absent() -> Option<Self> {
        Some(0)
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

impl Wire for u32 {
    const FORM: Form = Form::Number;

    #[inline]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.number(u64::from(*self));
    }

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Self::try_from(reader.number()?).map_err(|_| WireError::Damaged {
            part: "number of 32 bits",
        })
    }

    fn absent() -> Option<Self> {
        Some(0)
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

impl Wire for bool {
    const FORM: Form = Form::Number;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.number(u64::from(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        match reader.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Damaged {
                part: "truth value",
            }),
        }
    }

    fn absent() -> Option<Self> {
        Some(false)
    }

    fn is_absent(&self) -> bool {
        !self
    }
}

/// Small numbers of either sign are short: 0, -1, 1, -2, ….
impl Wire for i64 {
    const FORM: Form = Form::Number;

    #[inline]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.number((self.cast_unsigned() << 1) ^ (self >> 63).cast_unsigned());
    }

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let number = reader.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    fn absent() -> Option<Self> {
        Some(0)
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

/// The bits as they are.
impl Wire for f64 {
    const FORM: Form = Form::Eight;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.raw(&self.to_bits().to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader
            .array()
            .map(|bytes| Self::from_bits(u64::from_le_bytes(bytes)))
    }
}

/// Types that are stored as what they hold.
macro_rules! transparent {
    ($($outer:ident($inner:ty)),* $(,)?) => {$(
        impl Wire for $outer {
            const FORM: Form = <$inner as Wire>::FORM;

            #[inline]
            fn write(&self, writer: &mut Writer<'_>) {
                self.0.write(writer);
            }

            #[inline]
            fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                <$inner as Wire>::read(reader).map(Self)
            }

            fn absent() -> Option<Self> {
                <$inner as Wire>::absent().map(Self)
            }

            fn is_absent(&self) -> bool {
                self.0.is_absent()
            }
        }
    )*};
}

transparent! {
    Money(i64),
    Duration(i64),
    Timestamp(i64),
    NodeId(u32),
    RunId(Arc<str>),
    OwnerId(Arc<str>),
}

impl Wire for Digest {
    const FORM: Form = Form::Digest;

    #[inline]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.raw(&self.0);
    }

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader.array().map(Self)
    }
}

impl Wire for Arc<str> {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.raw(self.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader.rest_text().map(Self::from)
    }

    fn absent() -> Option<Self> {
        Some("".into())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// An address is its node and then its positions. It has no heads: it is in
/// every event, and what an address is doesn't grow.
impl Wire for At {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        let Self { node, ords } = self;
        node.write(writer);
        for ord in ords {
            ord.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let node = NodeId::read(reader)?;
        let mut ords = SmallVec::new();
        while !reader.is_empty() {
            ords.push(u32::read(reader)?);
        }
        Ok(Self { node, ords })
    }
}

impl<T: Wire> Wire for Vec<T> {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        for item in self {
            writer.payload(item);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut items = Self::new();
        while !reader.is_empty() {
            items.push(reader.payload()?);
        }
        Ok(items)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Something optional is there or not; if it is, it is written even if it is
/// zero or empty. Optionals don't nest.
impl<T: Wire> Wire for Option<T> {
    const FORM: Form = T::FORM;

    #[inline]
    fn write(&self, writer: &mut Writer<'_>) {
        if let Some(it) = self {
            it.write(writer);
        }
    }

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        T::read(reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Two things in a row are a struct of two fields.
impl<A: Wire, B: Wire> Wire for (A, B) {
    const FORM: Form = Form::Bytes;

    fn write(&self, writer: &mut Writer<'_>) {
        writer.field(1, &self.0);
        writer.field(2, &self.1);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut fields = reader.fields();
        let pair = (fields.take(1, "first")?, fields.take(2, "second")?);
        fields.finish()?;
        Ok(pair)
    }
}

/// Pointers are stored as what they point at.
macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<T: Wire> Wire for $pointer<T> {
            const FORM: Form = T::FORM;

            fn write(&self, writer: &mut Writer<'_>) {
                T::write(self, writer);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                T::read(reader).map(Self::new)
            }

            fn absent() -> Option<Self> {
                T::absent().map(Self::new)
            }

            fn is_absent(&self) -> bool {
                T::is_absent(self)
            }
        }
    )*};
}

pointers!(Arc, Box);
