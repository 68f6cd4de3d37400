//! The rates and lengths of sounds.

use super::{Bytes, Found, Short, Sound, float, mp4, seconds, sound};

pub(super) fn facts(bytes: &Bytes<'_>) -> Found {
    let start = after_tag(bytes)?;
    let begin = bytes.some(start, 12)?;
    if begin.starts_with(b"RIFF") || begin.starts_with(b"RF64") {
        return if begin.ends_with(b"WAVE") {
            wav(bytes)
        } else {
            Ok(None)
        };
    }
    if begin.starts_with(b"FORM") {
        return if begin.ends_with(b"AIFF") || begin.ends_with(b"AIFC") {
            aiff(bytes)
        } else {
            Ok(None)
        };
    }
    if begin.starts_with(b"fLaC") {
        return flac(bytes, start);
    }
    if begin.starts_with(b"OggS") {
        return ogg(bytes);
    }
    if let Some(film) = mp4::read(bytes)? {
        return Ok(film.sound.map(|found| sound(found, film.seconds)));
    }
    mp3(bytes, start)
}

/// Returns where a file begins behind a tag with its title and the like.
fn after_tag(bytes: &Bytes<'_>) -> Result<u64, Short> {
    let head = bytes.some(0, 10)?;
    let [b'I', b'D', b'3', _, _, flags, size @ ..] = &head[..] else {
        return Ok(0);
    };
    let size = size
        .iter()
        .fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
    let foot = if flags & 0x10 != 0 { 10 } else { 0 };
    Ok(10 + size + foot)
}

/// How many parts of a file are gone through before it is given up.
const PARTS_MAX: usize = 10_000;

fn wav(bytes: &Bytes<'_>) -> Found {
    let mut at = 12;
    let mut format = None;
    for _ in 0..PARTS_MAX {
        let name: [u8; 4] = bytes.get(at, "WAV")?;
        let size = u64::from(u32::from_le_bytes(bytes.get(at + 4, "WAV")?));
        match &name {
            b"fmt " => {
                let [c0, c1] = bytes.get(at + 10, "WAV")?;
                let rate = u32::from_le_bytes(bytes.get(at + 12, "WAV")?);
                let bytes_per_second = u32::from_le_bytes(bytes.get(at + 16, "WAV")?);
                let found = Sound {
                    rate: rate.into(),
                    channels: u16::from_le_bytes([c0, c1]).into(),
                };
                format = Some((found, bytes_per_second));
            }
            b"data" => {
                let (found, per_second) = format.ok_or(Short::Ends("WAV"))?;
                // Who writes as it comes doesn't know how much it will be.
                let rest = bytes.length.saturating_sub(at + 8);
                let length = if size == 0 { rest } else { size.min(rest) };
                return Ok(Some(sound(found, seconds(length, per_second.into()))));
            }
            _ => {}
        }
        at += 8 + size + size % 2;
    }
    Err(Short::Ends("WAV"))
}

fn aiff(bytes: &Bytes<'_>) -> Found {
    let mut at = 12;
    for _ in 0..PARTS_MAX {
        let name: [u8; 4] = bytes.get(at, "AIFF")?;
        let size = u64::from(u32::from_be_bytes(bytes.get(at + 4, "AIFF")?));
        if &name == b"COMM" {
            let channels = u16::from_be_bytes(bytes.get(at + 8, "AIFF")?);
            let frames = u32::from_be_bytes(bytes.get(at + 10, "AIFF")?);
            // A number with a point that may be anywhere.
            let point = u16::from_be_bytes(bytes.get(at + 16, "AIFF")?);
            let digits = u64::from_be_bytes(bytes.get(at + 18, "AIFF")?);
            let behind = 63_u32.saturating_sub(u32::from(point).saturating_sub(0x3fff));
            let found = Sound {
                rate: digits.checked_shr(behind).unwrap_or(0),
                channels: channels.into(),
            };
            let length = seconds(frames.into(), found.rate);
            return Ok(Some(sound(found, length)));
        }
        at += 8 + size + size % 2;
    }
    Err(Short::Ends("AIFF"))
}

fn flac(bytes: &Bytes<'_>, start: u64) -> Found {
    let info: [u8; 8] = bytes.get(start + 4 + 4 + 10, "FLAC")?;
    let bits = u64::from_be_bytes(info);
    let found = Sound {
        rate: bits >> 44,
        channels: (bits >> 41 & 7) + 1,
    };
    let samples = bits & 0xf_ffff_ffff;
    let length = (samples > 0).then(|| seconds(samples, found.rate));
    Ok(Some(sound(found, length.flatten())))
}

/// How much of the end of a file is looked at for its last page.
const END_MAX: usize = 128 * 1024;

fn ogg(bytes: &Bytes<'_>) -> Found {
    let pieces = u64::from(bytes.get::<1>(26, "Ogg")?[0]);
    let packet = bytes.some(27 + pieces, 19)?;
    let (found, skipped) = if packet.starts_with(b"\x01vorbis") && packet.len() >= 16 {
        let rate = u32::from_le_bytes([packet[12], packet[13], packet[14], packet[15]]);
        let found = Sound {
            rate: rate.into(),
            channels: packet[11].into(),
        };
        (found, 0)
    } else if packet.starts_with(b"OpusHead") && packet.len() >= 12 {
        let found = Sound {
            rate: 48_000,
            channels: packet[9].into(),
        };
        let skipped = u16::from_le_bytes([packet[10], packet[11]]);
        (found, u64::from(skipped))
    } else {
        return Ok(None);
    };
    let from = bytes
        .length
        .saturating_sub(u64::try_from(END_MAX).unwrap_or(0));
    let end = bytes.some(from, END_MAX)?;
    let page = end.windows(4).rposition(|four| four == b"OggS");
    let counted = page
        .and_then(|page| end.get(page + 6..page + 14))
        .and_then(|count| count.try_into().ok())
        .map(u64::from_le_bytes);
    let length = counted.filter(|count| *count != u64::MAX);
    let length = length.and_then(|count| seconds(count.saturating_sub(skipped), found.rate));
    Ok(Some(sound(found, length)))
}

/// A frame of MPEG sound.
#[derive(Debug, Clone, Copy)]
struct Frame {
    found: Sound,
    bits_per_second: u64,
    samples: u64,
    bytes: u64,
    /// Where a frame that counts the others has its count.
    counts_at: u64,
}

/// How far the first frame may be from where it should be.
const LOST_MAX: usize = 64 * 1024;

fn mp3(bytes: &Bytes<'_>, start: u64) -> Found {
    let begin = bytes.some(start, LOST_MAX)?;
    let frames = begin.windows(4).enumerate().filter_map(|(at, head)| {
        let frame = frame([head[0], head[1], head[2], head[3]])?;
        Some((start + u64::try_from(at).ok()?, frame))
    });
    for (at, first) in frames {
        // Two bytes may look like a frame by chance, and seldom two in a row.
        let next = bytes.some(at + first.bytes, 4)?;
        let is_last = next.is_empty() && at == start;
        let follows = <[u8; 4]>::try_from(&next[..]).ok().and_then(frame);
        if follows.is_some_and(|next| next.found.rate == first.found.rate) || is_last {
            let length = length(bytes, at, first)?;
            return Ok(Some(sound(first.found, length)));
        }
    }
    Ok(None)
}

/// Reads the head of a frame of the third layer.
fn frame(head: [u8; 4]) -> Option<Frame> {
    const FIRST: [u64; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const SECOND: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const RATES: [u64; 3] = [44_100, 48_000, 32_000];
    let [sync, kind, rates, mode] = head;
    if sync != 0xff || kind & 0xe6 != 0xe2 {
        return None;
    }
    let version = kind >> 3 & 3;
    let (kilobits, divisor, samples) = match version {
        3 => (FIRST, 1, 1152),
        2 => (SECOND, 2, 576),
        0 => (SECOND, 4, 576),
        _ => return None,
    };
    let kilobits = *kilobits.get(usize::from(rates >> 4))?;
    let rate = RATES.get(usize::from(rates >> 2 & 3))? / divisor;
    if kilobits == 0 {
        return None;
    }
    let channels = if mode >> 6 == 3 { 1 } else { 2 };
    let side = match (version == 3, channels == 1) {
        (true, true) | (false, false) => 17,
        (true, false) => 32,
        (false, true) => 9,
    };
    let padding = u64::from(rates >> 1 & 1);
    Some(Frame {
        found: Sound { rate, channels },
        bits_per_second: kilobits * 1000,
        samples,
        bytes: samples / 8 * kilobits * 1000 / rate + padding,
        counts_at: 4 + side,
    })
}

/// Returns how long it is: by the count of frames if there is one, else by the
/// bytes, as if all frames were like the first.
fn length(bytes: &Bytes<'_>, at: u64, first: Frame) -> Result<Option<f64>, Short> {
    let head = bytes.some(at + first.counts_at, 12)?;
    let counted = match &head[..] {
        [b'X', b'i', b'n', b'g', flags @ .., n0, n1, n2, n3]
        | [b'I', b'n', b'f', b'o', flags @ .., n0, n1, n2, n3]
            if flags.last().is_some_and(|flags| flags & 1 != 0) =>
        {
            Some(u32::from_be_bytes([*n0, *n1, *n2, *n3]))
        }
        _ => None,
    };
    let other = bytes.some(at + 36, 18)?;
    let counted = match (counted, other.strip_prefix(b"VBRI")) {
        (None, Some(rest)) => rest
            .get(10..14)
            .and_then(|four| four.try_into().ok())
            .map(u32::from_be_bytes),
        (counted, _) => counted,
    };
    if let Some(frames) = counted.filter(|frames| *frames > 0) {
        return Ok(seconds(u64::from(frames) * first.samples, first.found.rate));
    }
    let tag = bytes.length.saturating_sub(128);
    let end = if bytes.has(tag, b"TAG")? {
        tag
    } else {
        bytes.length
    };
    let bits = float(end.saturating_sub(at)) * 8.0;
    Ok(Some(bits / float(first.bits_per_second)))
}
