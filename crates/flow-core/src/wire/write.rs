//! Writing payloads.

use crate::wire::{EncodeError, Form, NESTING_MAX, Wire};

/// Adds payloads to bytes. A fault is kept to the end, so that no one on the
/// way has to hand it on.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    depth: u32,
    fault: Option<EncodeError>,
}

impl<'a> Writer<'a> {
    /// Begins at the end of bytes.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            depth: 0,
            fault: None,
        }
    }

    /// Returns the first thing that can't be stored.
    pub(crate) fn fault(self) -> Option<EncodeError> {
        self.fault
    }

    /// Notes that something can't be stored.
    pub(crate) fn refuse(&mut self, fault: EncodeError) {
        self.fault.get_or_insert(fault);
    }

    /// Writes a field, unless it is what its absence means.
    #[inline]
    pub(crate) fn field<T: Wire>(&mut self, number: u32, it: &T) {
        if !it.is_absent() {
            self.number(u64::from(number) << 2 | form_bits(T::FORM));
            self.payload(it);
        }
    }

    /// Writes a payload, with its length if its form has one.
    #[inline]
    pub(crate) fn payload<T: Wire>(&mut self, it: &T) {
        match T::FORM {
            Form::Bytes => self.framed(|writer| it.write(writer)),
            Form::Number | Form::Eight | Form::Digest => it.write(self),
        }
    }

    /// Writes a length, and what is written by the function.
    pub(crate) fn framed(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        // Most lengths have one byte; for the others, what was written moves.
        self.out.push(0);
        write(self);
        let length = self.out.len() - start - 1;
        match u8::try_from(length) {
            Ok(short) if short < 0x80 => self.out[start] = short,
            Ok(_) | Err(_) => {
                let mut long = Vec::with_capacity(10);
                push_number(&mut long, length_number(length));
                self.out.splice(start..=start, long);
            }
        }
    }

    /// Writes what is one level deeper than what is around it, if it may be.
    pub(crate) fn deeper(&mut self, write: impl FnOnce(&mut Self)) {
        if self.depth >= NESTING_MAX {
            return self.refuse(EncodeError::Deep);
        }
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    /// Writes a number.
    #[inline]
    pub(crate) fn number(&mut self, number: u64) {
        push_number(self.out, number);
    }

    /// Writes a byte.
    #[inline]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// Writes bytes as they are.
    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
}

fn form_bits(form: Form) -> u64 {
    match form {
        Form::Number => 0,
        Form::Eight => 1,
        Form::Bytes => 2,
        Form::Digest => 3,
    }
}

fn length_number(length: usize) -> u64 {
    u64::try_from(length).expect("a length has at most 64 bits")
}

#[inline]
fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low_bits(number) | 0x80);
        number >>= 7;
    }
    out.push(low_bits(number));
}

fn low_bits(number: u64) -> u8 {
    number.to_le_bytes()[0] & 0x7F
}
