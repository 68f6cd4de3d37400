//! Reading payloads, from bytes of anybody.

use crate::wire::{Form, NESTING_MAX, Wire, WireError};

/// Bytes that are being read.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: u32,
}

impl<'a> Reader<'a> {
    /// Begins at the start of bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            depth: 0,
        }
    }

    /// Returns whether everything was read.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Makes sure that everything was read.
    #[inline]
    pub(crate) fn end(&self) -> Result<(), WireError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(WireError::Trailing)
        }
    }

    /// Reads a payload, with its length if its form has one.
    #[inline]
    pub(crate) fn payload<T: Wire>(&mut self) -> Result<T, WireError> {
        match T::FORM {
            Form::Bytes => {
                let mut inner = self.framed()?;
                let it = T::read(&mut inner)?;
                inner.end()?;
                Ok(it)
            }
            Form::Number | Form::Eight | Form::Digest => T::read(self),
        }
    }

    /// Reads a length, and returns a reader of so many bytes.
    #[inline]
    pub(crate) fn framed(&mut self) -> Result<Self, WireError> {
        Ok(Self {
            rest: self.bytes()?,
            depth: self.depth,
        })
    }

    /// Goes a level deeper until its end, if there is one.
    pub(crate) fn deeper(&mut self) -> Result<(), WireError> {
        if self.depth >= NESTING_MAX {
            return Err(WireError::Deep);
        }
        self.depth += 1;
        Ok(())
    }

    /// Begins to read the fields of a struct, which are all that there is.
    #[inline]
    pub(crate) fn fields<'r>(&'r mut self) -> Fields<'r, 'a> {
        Fields {
            reader: self,
            last: 0,
            head: None,
        }
    }

    /// Reads a number.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, WireError> {
        let first = self.byte()?;
        if first < 0x80 {
            Ok(u64::from(first))
        } else {
            self.number_after(first)
        }
    }

    fn number_after(&mut self, first: u8) -> Result<u64, WireError> {
        const DAMAGED: WireError = WireError::Damaged { part: "number" };
        let mut number = u64::from(first & 0x7F);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            // Of the tenth group, one bit fits.
            if shift == 63 && byte > 1 {
                return Err(DAMAGED);
            }
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                // A last group of nothing is a second way to write a number.
                return if byte == 0 { Err(DAMAGED) } else { Ok(number) };
            }
        }
        Err(DAMAGED)
    }

    /// Reads a byte.
    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, WireError> {
        let (&first, rest) = self.rest.split_first().ok_or(WireError::Short)?;
        self.rest = rest;
        Ok(first)
    }

    /// Reads so many bytes.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (&found, rest) = self.rest.split_first_chunk().ok_or(WireError::Short)?;
        self.rest = rest;
        Ok(found)
    }

    /// Reads a length and so many bytes.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.number()?).map_err(|_| WireError::Short)?;
        let (found, rest) = self.rest.split_at_checked(length).ok_or(WireError::Short)?;
        self.rest = rest;
        Ok(found)
    }

    /// Reads a length and a text of so many bytes.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, WireError> {
        utf8(self.bytes()?)
    }

    /// Reads all that is left as a text.
    pub(crate) fn rest_text(&mut self) -> Result<&'a str, WireError> {
        utf8(std::mem::take(&mut self.rest))
    }
}

/// The fields of a struct, in the order of their numbers.
pub(crate) struct Fields<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// The number of the last head.
    last: u64,
    /// The last head, while what belongs to it wasn't read.
    head: Option<(u64, Form)>,
}

impl Fields<'_, '_> {
    /// Reads a field. Fields are to be asked for in the order of their numbers.
    #[inline]
    pub(crate) fn take<T: Wire>(
        &mut self,
        number: u32,
        field: &'static str,
    ) -> Result<T, WireError> {
        while let Some((found, form)) = self.head()? {
            if found > u64::from(number) {
                break;
            }
            self.head = None;
            if found < u64::from(number) {
                self.skip(form)?;
            } else if form == T::FORM {
                return self.reader.payload();
            } else {
                return Err(WireError::Damaged { part: field });
            }
        }
        T::absent().ok_or(WireError::Missing { field })
    }

    /// Skips what is left.
    #[inline]
    pub(crate) fn finish(mut self) -> Result<(), WireError> {
        while let Some((_, form)) = self.head()? {
            self.head = None;
            self.skip(form)?;
        }
        Ok(())
    }

    #[inline]
    fn head(&mut self) -> Result<Option<(u64, Form)>, WireError> {
        if self.head.is_none() && !self.reader.is_empty() {
            let head = self.reader.number()?;
            let number = head >> 2;
            if number <= self.last {
                return Err(WireError::Damaged {
                    part: "field in its order",
                });
            }
            self.last = number;
            self.head = Some((number, form(head)));
        }
        Ok(self.head)
    }

    fn skip(&mut self, form: Form) -> Result<(), WireError> {
        match form {
            Form::Number => self.reader.number().map(|_| ()),
            Form::Eight => self.reader.array::<8>().map(|_| ()),
            Form::Bytes => self.reader.bytes().map(|_| ()),
            Form::Digest => self.reader.array::<32>().map(|_| ()),
        }
    }
}

#[inline]
fn form(head: u64) -> Form {
    match head & 3 {
        0 => Form::Number,
        1 => Form::Eight,
        2 => Form::Bytes,
        _ => Form::Digest,
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(bytes).map_err(|_| WireError::Damaged { part: "text" })
}
