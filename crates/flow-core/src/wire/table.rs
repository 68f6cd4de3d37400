//! Tables of numbers: from a list of numbered fields to both directions.
//!
//! A field or a variant that is forgotten doesn't compile, nor does a number
//! that is there twice.

/// Gives a struct its stored form: `Grant { 1 hold, 2 ledgers }`.
macro_rules! wire_struct {
    ($name:ident { $($number:literal $field:ident),* $(,)? }) => {
        const _: () = assert!($crate::wire::rising(&[$($number),*]), "numbers of fields rise");

        impl $crate::wire::Wire for $name {
            const FORM: $crate::wire::Form = $crate::wire::Form::Bytes;

            fn write(&self, writer: &mut $crate::wire::Writer<'_>) {
                let Self { $($field),* } = self;
                $(writer.field($number, $field);)*
            }

            fn read(
                reader: &mut $crate::wire::Reader<'_>,
            ) -> Result<Self, $crate::wire::WireError> {
                let mut fields = reader.fields();
                let read = Self { $($field: fields.take($number, stringify!($field))?),* };
                fields.finish()?;
                Ok(read)
            }
        }
    };
}

/// Gives an enum of mere words its stored form, a number:
/// `Status "status" { 1 Succeeded, 2 Failed }`.
macro_rules! wire_words {
    ($name:ident $what:literal { $($number:literal $variant:ident),* $(,)? }) => {
        const _: () = assert!($crate::wire::distinct(&[$($number),*]), "numbers are there once");

        impl $crate::wire::Wire for $name {
            const FORM: $crate::wire::Form = $crate::wire::Form::Number;

            fn write(&self, writer: &mut $crate::wire::Writer<'_>) {
                writer.number(match self { $(Self::$variant => $number),* });
            }

            fn read(
                reader: &mut $crate::wire::Reader<'_>,
            ) -> Result<Self, $crate::wire::WireError> {
                match reader.number()? {
                    $($number => Ok(Self::$variant),)*
                    number => Err($crate::wire::WireError::Newer { what: $what, number }),
                }
            }
        }
    };
}

/// Gives an enum its stored form, the number of a variant and what is in it.
///
/// A variant has fields, `3 Again { 1 wake, 2 same }`; or unnamed ones,
/// `7 Instance(1 run, 2 at)`; or is just what is in it, `2 Exact(..)`, and then
/// only that can grow. Before the variants there can be the one that isn't
/// written as a field: `absent None`.
macro_rules! wire_choice {
    (
        $name:ident $what:literal $(absent $absent:ident)?
        { $($number:literal $variant:ident $body:tt),* $(,)? }
    ) => {
        const _: () = assert!($crate::wire::distinct(&[$($number),*]), "numbers are there once");

        impl $name {
            /// Returns the number of its variant.
            pub(crate) fn wire_number(&self) -> u64 {
                match self { $(Self::$variant { .. } => $number),* }
            }
        }

        impl $crate::wire::Wire for $name {
            const FORM: $crate::wire::Form = $crate::wire::Form::Bytes;

            fn write(&self, writer: &mut $crate::wire::Writer<'_>) {
                writer.number(self.wire_number());
                match self {
                    $($crate::wire::variant!(of inner $variant $body) =>
                        $crate::wire::variant!(write writer inner $body),)*
                }
            }

            fn read(
                reader: &mut $crate::wire::Reader<'_>,
            ) -> Result<Self, $crate::wire::WireError> {
                match reader.number()? {
                    $($number => $crate::wire::variant!(read reader $variant $body),)*
                    number => Err($crate::wire::WireError::Newer { what: $what, number }),
                }
            }

            $(
                fn absent() -> Option<Self> {
                    Some(Self::$absent)
                }

                fn is_absent(&self) -> bool {
                    matches!(self, Self::$absent)
                }
            )?
        }
    };
}

/// One variant of a choice: its pattern, writing it, reading it.
macro_rules! variant {
    (of $inner:ident $variant:ident (..)) => {
        Self::$variant($inner)
    };
    (of $inner:ident $variant:ident ($($number:literal $field:ident),*)) => {
        Self::$variant($($field),*)
    };
    (of $inner:ident $variant:ident {$($number:literal $field:ident),*}) => {
        Self::$variant { $($field),* }
    };
    (write $writer:ident $inner:ident (..)) => {
        $crate::wire::Wire::write($inner, $writer)
    };
    (write $writer:ident $inner:ident ($($number:literal $field:ident),*)) => {{
        $($writer.field($number, $field);)*
    }};
    (write $writer:ident $inner:ident {$($number:literal $field:ident),*}) => {{
        $($writer.field($number, $field);)*
    }};
    (read $reader:ident $variant:ident (..)) => {
        $crate::wire::Wire::read($reader).map(Self::$variant)
    };
    (read $reader:ident $variant:ident {}) => {{
        $reader.fields().finish()?;
        Ok(Self::$variant {})
    }};
    (read $reader:ident $variant:ident ($($number:literal $field:ident),*)) => {{
        const _: () = assert!($crate::wire::rising(&[$($number),*]), "numbers of fields rise");
        let mut fields = $reader.fields();
        let read = Self::$variant($(fields.take($number, stringify!($field))?),*);
        fields.finish()?;
        Ok(read)
    }};
    (read $reader:ident $variant:ident {$($number:literal $field:ident),*}) => {{
        const _: () = assert!($crate::wire::rising(&[$($number),*]), "numbers of fields rise");
        let mut fields = $reader.fields();
        let read = Self::$variant { $($field: fields.take($number, stringify!($field))?),* };
        fields.finish()?;
        Ok(read)
    }};
}

pub(crate) use {variant, wire_choice, wire_struct, wire_words};

/// Returns whether numbers rise from 1 or more, and fit a head of two bytes.
pub(crate) const fn rising(numbers: &[u32]) -> bool {
    let mut last = 0;
    let mut at = 0;
    while at < numbers.len() {
        if numbers[at] <= last || numbers[at] >= 1 << 12 {
            return false;
        }
        last = numbers[at];
        at += 1;
    }
    true
}

/// Returns whether numbers differ.
pub(crate) const fn distinct(numbers: &[u64]) -> bool {
    let mut at = 0;
    while at < numbers.len() {
        let mut before = 0;
        while before < at {
            if numbers[before] == numbers[at] {
                return false;
            }
            before += 1;
        }
        at += 1;
    }
    true
}
