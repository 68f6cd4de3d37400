//! Matroska and what is made of it for the web: elements in elements, with numbers for names.

use super::{Bytes, Film, Picture, Short, Sound, float};

const KIND: &str = "Matroska";

const HEAD: u64 = 0x1a45_dfa3;
const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_a966;
const UNIT: u64 = 0x002a_d7b1;
const LENGTH: u64 = 0x4489;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK: u64 = 0xae;
const TRACK_KIND: u64 = 0x83;
const FRAME: u64 = 0x0023_e383;
const PICTURE: u64 = 0xe0;
const WIDTH: u64 = 0xb0;
const HEIGHT: u64 = 0xba;
const SOUND: u64 = 0xe1;
const RATE: u64 = 0xb5;
const CHANNELS: u64 = 0x9f;
const CLUSTER: u64 = 0x1f43_b675;

/// How many elements are gone through before a file is given up.
const ELEMENTS_MAX: usize = 10_000;

/// An element: its name, and where its content begins and ends.
#[derive(Debug, Clone, Copy)]
struct Element {
    name: u64,
    from: u64,
    to: u64,
}

/// Reads what such a file says; nothing if it is none.
pub(super) fn read(bytes: &Bytes<'_>) -> Result<Option<Film>, Short> {
    if !bytes.has(0, b"\x1a\x45\xdf\xa3")? {
        return Ok(None);
    }
    let mut film = Film::default();
    let whole = (0, bytes.length);
    for element in elements(bytes, whole)? {
        if element.name == HEAD {
            continue;
        }
        if element.name == SEGMENT {
            segment(bytes, element, &mut film)?;
        }
        break;
    }
    Ok(Some(film))
}

fn segment(bytes: &Bytes<'_>, segment: Element, film: &mut Film) -> Result<(), Short> {
    for element in elements(bytes, (segment.from, segment.to))? {
        match element.name {
            INFO => film.seconds = length(bytes, element)?,
            TRACKS => {
                for track in elements(bytes, (element.from, element.to))? {
                    if track.name == TRACK {
                        self::track(bytes, track, film)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns the elements between two places, up to where the pictures begin.
fn elements(bytes: &Bytes<'_>, (from, to): (u64, u64)) -> Result<Vec<Element>, Short> {
    let mut found = Vec::new();
    let mut at = from;
    while at < to && found.len() < ELEMENTS_MAX {
        let Some((name, after)) = number(bytes, at, Marker::Kept)? else {
            break;
        };
        let Some((size, begin)) = number(bytes, after, Marker::Cut)? else {
            break;
        };
        // Who writes as it comes doesn't know how much it will be.
        let end = match begin.checked_add(size) {
            Some(end) if size != UNKNOWN => end.min(to),
            _ => to,
        };
        if name == CLUSTER {
            break;
        }
        found.push(Element {
            name,
            from: begin,
            to: end,
        });
        at = end;
    }
    Ok(found)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Kept,
    Cut,
}

/// What stands for a length that nobody knew.
const UNKNOWN: u64 = u64::MAX;

/// Reads a number that says by itself how long it is. Returns also where it ends.
fn number(bytes: &Bytes<'_>, at: u64, marker: Marker) -> Result<Option<(u64, u64)>, Short> {
    let read = bytes.some(at, 8)?;
    let Some(first) = read.first() else {
        return Ok(None);
    };
    let length = first.leading_zeros() + 1;
    let Some(read) = usize::try_from(length)
        .ok()
        .and_then(|length| read.get(..length))
    else {
        return Ok(None);
    };
    let value = read
        .iter()
        .fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
    let bits = 7 * length;
    let value = match marker {
        Marker::Kept => value,
        Marker::Cut => {
            let mask = (1 << bits) - 1;
            let cut = value & mask;
            if cut == mask { UNKNOWN } else { cut }
        }
    };
    Ok(Some((value, at + u64::from(length))))
}

fn unsigned(bytes: &Bytes<'_>, element: Element) -> Result<u64, Short> {
    let length = usize::try_from(element.to - element.from).unwrap_or(usize::MAX);
    if length > 8 {
        return Err(Short::Ends(KIND));
    }
    let read = bytes.some(element.from, length)?;
    Ok(read
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn fraction(bytes: &Bytes<'_>, element: Element) -> Result<f64, Short> {
    match element.to - element.from {
        4 => Ok(f32::from_be_bytes(bytes.get(element.from, KIND)?).into()),
        8 => Ok(f64::from_be_bytes(bytes.get(element.from, KIND)?)),
        _ => Err(Short::Ends(KIND)),
    }
}

fn length(bytes: &Bytes<'_>, info: Element) -> Result<Option<f64>, Short> {
    let mut unit = 1_000_000;
    let mut length = None;
    for element in elements(bytes, (info.from, info.to))? {
        match element.name {
            UNIT => unit = unsigned(bytes, element)?,
            LENGTH => length = Some(fraction(bytes, element)?),
            _ => {}
        }
    }
    Ok(length.map(|length| length * float(unit) / 1e9))
}

fn track(bytes: &Bytes<'_>, track: Element, film: &mut Film) -> Result<(), Short> {
    let mut kind = 0;
    let mut fps = None;
    let mut size = (0, 0);
    let mut sound = Sound {
        rate: 8000,
        channels: 1,
    };
    for element in elements(bytes, (track.from, track.to))? {
        match element.name {
            TRACK_KIND => kind = unsigned(bytes, element)?,
            FRAME => {
                let nanoseconds = unsigned(bytes, element)?;
                fps = (nanoseconds > 0).then(|| 1e9 / float(nanoseconds));
            }
            PICTURE => {
                for part in elements(bytes, (element.from, element.to))? {
                    match part.name {
                        WIDTH => size.0 = unsigned(bytes, part)?,
                        HEIGHT => size.1 = unsigned(bytes, part)?,
                        _ => {}
                    }
                }
            }
            SOUND => {
                for part in elements(bytes, (element.from, element.to))? {
                    match part.name {
                        RATE => sound.rate = whole(fraction(bytes, part)?),
                        CHANNELS => sound.channels = unsigned(bytes, part)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let (width, height) = size;
    if kind == 1 && film.picture.is_none() && width > 0 && height > 0 {
        film.picture = Some(Picture { width, height, fps });
    }
    if kind == 2 && film.sound.is_none() {
        film.sound = Some(sound);
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is no rate of samples becomes one that is as little so"
)]
fn whole(number: f64) -> u64 {
    number.round().max(0.0) as u64
}
