//! Arguments that are made up, by their types.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use flow_core::amount::{Duration, Money, Size, Timestamp};
use flow_core::step::{Desk, StepFailure};
use flow_core::ty::{Bounds, Media, Type};
use flow_core::value::{Artifact, Value};

use crate::given::invalid;
use crate::media;

/// What kind of values are made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taste {
    /// As one would try it first.
    Plain,
    /// As little as there can be: empty texts and lists, nothing that is
    /// optional.
    Least,
    /// What programs forget: foreign letters, line ends, quotation marks, more
    /// than one.
    Odd,
    /// A text that is longer than a pipe.
    Large,
}

/// How long a large text is.
const LARGE: usize = 1 << 20;

/// Texts, one of which fits most patterns.
const TEXTS: [&str; 12] = [
    "fox",
    "a fox in the snow",
    "Fox",
    "FOX",
    "f",
    "1",
    "12",
    "1234",
    "#c0ffee",
    "2026-05-01",
    "https://example.org/fox",
    "fox@example.org",
];

const ODD: &str = "größe\t\"日本\" \\n {x} ${y} 'z'\n\u{1f98a} & <b>";

/// Makes a value up, and its file if it has one.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others hold nothing")]
pub(super) fn made(ty: &Type, taste: Taste, desk: &dyn Desk) -> Result<Value, StepFailure> {
    let item = |ty: &Type| made(ty, taste, desk);
    let value = match ty {
        Type::Optional(_) if taste == Taste::Least => Value::None,
        Type::Optional(inner) => item(inner)?,
        Type::List(list) => {
            let wanted = match taste {
                Taste::Least => 0,
                Taste::Plain | Taste::Large => 1,
                Taste::Odd => 3,
            };
            let count = inside(&list.length, wanted);
            let items = (0..count.min(1_000)).map(|_| item(&list.item));
            Value::list(items.collect::<Result<_, _>>()?)
        }
        Type::Map(_) if taste == Taste::Least => Value::Record(Arc::default()),
        Type::Map(inner) => Value::Record(Arc::new([("a b".into(), item(inner)?)].into())),
        Type::Record(record) => {
            let fields = record.fields.iter();
            let fields = fields.map(|field| Ok((field.name.clone(), item(&field.ty)?)));
            let fields: BTreeMap<_, _> = fields.collect::<Result<_, StepFailure>>()?;
            Value::Record(Arc::new(fields))
        }
        Type::Media(media) => Value::Artifact(Arc::new(file(*media, desk)?)),
        ty => scalar(ty, taste)?,
    };
    Ok(value)
}

fn scalar(ty: &Type, taste: Taste) -> Result<Value, StepFailure> {
    let odd = taste == Taste::Odd;
    let least = taste == Taste::Least;
    Ok(match ty {
        Type::Text(_) => return text(ty, taste),
        Type::Int(bounds) => {
            Value::Int(inside(bounds, if odd { 1_000 } else { i64::from(!least) }))
        }
        Type::Float(bounds) => {
            let wanted = if least { 0.0 } else { 0.5 };
            let wanted = bounds.max.map_or(wanted, |max| max.min(wanted));
            Value::Float(bounds.min.map_or(wanted, |min| min.max(wanted)))
        }
        Type::Bool => Value::Bool(odd),
        Type::Duration(bounds) => Value::Duration(inside(bounds, Duration::SECOND)),
        Type::Money(bounds) => Value::Money(inside(bounds, Money(Money::DOLLAR.0 / 100))),
        Type::Time => Value::Time(Timestamp(1_800_000_000_000)),
        Type::Size => Value::Size(Size {
            width: 64,
            height: 48,
        }),
        Type::Model => Value::text("local/check"),
        Type::Json if least => Value::None,
        Type::Json => Value::Record(Arc::new(
            [("fox".into(), Value::list(vec![Value::Int(1), Value::None]))].into(),
        )),
        Type::Secret => Value::Secret("CHECK".into()),
        Type::Enum(words) => {
            let mut words = words.variants.iter();
            let word = if odd { words.next_back() } else { words.next() };
            let word = word.ok_or_else(|| invalid("an enum has words"))?;
            Value::Enum(word.name.clone())
        }
        Type::None => Value::None,
        Type::Step => return Err(invalid("no step can be made up")),
        Type::Param
        | Type::Media(_)
        | Type::List(_)
        | Type::Map(_)
        | Type::Optional(_)
        | Type::Record(_) => return Err(invalid("nothing can be made up for it")),
    })
}

/// Makes a text that fits, as far as one is found.
fn text(ty: &Type, taste: Taste) -> Result<Value, StepFailure> {
    let large = || Value::text("fox ".repeat(LARGE / 4));
    let first = match taste {
        Taste::Plain => None,
        Taste::Least => Some(Value::text("")),
        Taste::Odd => Some(Value::text(ODD)),
        Taste::Large => Some(large()),
    };
    let known = TEXTS.into_iter().map(Value::text);
    let long = ["fox ".repeat(8), "fox ".repeat(64), "fox ".repeat(1024)];
    let long = long.into_iter().map(Value::text);
    let mut all = first.into_iter().chain(known).chain(long);
    all.find(|text| ty.check(text).is_ok())
        .ok_or_else(|| invalid(format!("no text is known here that is a `{ty}`")))
}

/// Returns what is nearest to what is wanted.
fn inside<T: Copy + Ord>(bounds: &Bounds<T>, wanted: T) -> T {
    let wanted = bounds.max.map_or(wanted, |max| max.min(wanted));
    bounds.min.map_or(wanted, |min| min.max(wanted))
}

/// Makes a small file.
fn file(media: Media, desk: &dyn Desk) -> Result<Artifact, StepFailure> {
    let bytes = match media {
        Media::File => b"a fox in the snow\n".to_vec(),
        Media::Image => picture(),
        Media::Audio => sound(),
        Media::Video => return Err(invalid("no film can be made up")),
    };
    desk.keep(&mut Cursor::new(bytes), media)
        .map(|artifact| Artifact {
            facts: facts(media),
            ..artifact
        })
}

/// Takes a file of the user's.
pub(super) fn taken(path: &Path, media: Media, desk: &dyn Desk) -> Result<Value, StepFailure> {
    let shown = path.display();
    let file = std::fs::File::open(path);
    let mut file = file.map_err(|error| invalid(format!("`{shown}` can't be read: {error}")))?;
    let facts = media::facts(&file, media);
    let facts = facts.map_err(|fault| invalid(format!("`{shown}`: {fault}")))?;
    let artifact = desk.keep(&mut file, media)?;
    Ok(Value::Artifact(Arc::new(Artifact { facts, ..artifact })))
}

/// What is known of the files that are made here.
fn facts(media: Media) -> BTreeMap<Arc<str>, Value> {
    let facts: &[(&str, Value)] = match media {
        Media::Image => &[("width", Value::Int(2)), ("height", Value::Int(2))],
        Media::Audio => &[
            ("seconds", Value::Float(0.1)),
            ("rate", Value::Int(8_000)),
            ("channels", Value::Int(1)),
        ],
        Media::File | Media::Video => &[],
    };
    let facts = facts.iter();
    facts
        .map(|(name, value)| (Arc::from(*name), value.clone()))
        .collect()
}

/// A bitmap of two times two pixels.
fn picture() -> Vec<u8> {
    const PIXELS: [[u8; 8]; 2] = [
        [0, 0, 255, 255, 255, 255, 0, 0],
        [0, 128, 255, 0, 0, 0, 0, 0],
    ];
    let mut bytes = b"BM".to_vec();
    for number in [70_u32, 0, 54, 40, 2, 2] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]);
    for number in [0_u32, 16, 2835, 2835, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(PIXELS.concat());
    bytes
}

/// A tenth of a second of silence.
fn sound() -> Vec<u8> {
    const SAMPLES: u32 = 800;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + 2 * SAMPLES).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend([1, 0, 1, 0]);
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend(16_000_u32.to_le_bytes());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend(b"data");
    bytes.extend((2 * SAMPLES).to_le_bytes());
    bytes.extend(std::iter::repeat_n(0, 2 * SAMPLES as usize));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes what is made up into a file, and reads it as what it should be.
    fn known(bytes: &[u8], media: Media) -> BTreeMap<Arc<str>, Value> {
        let name = format!("flow-values-{}-{media}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        let found = media::facts(&std::fs::File::open(&path).unwrap(), media).unwrap();
        std::fs::remove_file(path).unwrap();
        found
    }

    #[test]
    fn files_that_are_made_up_are_what_they_are_said_to_be() {
        assert_eq!(known(&picture(), Media::Image), facts(Media::Image));
        assert_eq!(known(&sound(), Media::Audio), facts(Media::Audio));
    }
}
