//! MP4, MOV, M4A, AVIF and HEIC: boxes in boxes, of which one says what is in
//! the others.

use super::{Bytes, Film, Picture, Short, Sound, seconds};

const KIND: &str = "MP4";

/// How many boxes are gone through before a file is given up.
const BOXES_MAX: usize = 100_000;

/// A box: its name, and where its content begins and ends.
#[derive(Debug, Clone, Copy)]
struct Part {
    name: [u8; 4],
    from: u64,
    to: u64,
}

/// Reads what such a file says; nothing if it is none.
pub(super) fn read(bytes: &Bytes<'_>) -> Result<Option<Film>, Short> {
    let begin = bytes.some(4, 4)?;
    let begins = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
    if !begins.iter().any(|name| begin == *name) {
        return Ok(None);
    }
    let mut count = 0;
    let whole = Part {
        name: *b"file",
        from: 0,
        to: bytes.length,
    };
    let Some(movie) = find(bytes, whole, *b"moov", &mut count)? else {
        return Err(Short::Ends(KIND));
    };
    let mut film = Film::default();
    for part in parts(bytes, movie, &mut count)? {
        match &part.name {
            b"mvhd" => film.seconds = length(bytes, part)?,
            b"trak" => track(bytes, part, &mut film, &mut count)?,
            _ => {}
        }
    }
    Ok(Some(film))
}

/// Returns the size of a file that is a picture in such boxes.
pub(super) fn still(bytes: &Bytes<'_>) -> Result<Option<(u64, u64)>, Short> {
    let begin = bytes.some(4, 8)?;
    let kinds = [
        b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1",
    ];
    let is_one = begin
        .strip_prefix(b"ftyp")
        .is_some_and(|kind| kinds.iter().any(|k| kind == *k));
    if !is_one {
        return Ok(None);
    }
    let mut count = 0;
    let whole = Part {
        name: *b"file",
        from: 0,
        to: bytes.length,
    };
    let meta = find(bytes, whole, *b"meta", &mut count)?.ok_or(Short::Ends(KIND))?;
    let meta = Part {
        // Behind its version.
        from: meta.from + 4,
        ..meta
    };
    let properties = within(bytes, meta, &[b"iprp", b"ipco"], &mut count)?;
    let properties = properties.ok_or(Short::Ends(KIND))?;
    let mut largest = None;
    for part in parts(bytes, properties, &mut count)? {
        if &part.name == b"ispe" {
            let width = u64::from(u32::from_be_bytes(bytes.get(part.from + 4, KIND)?));
            let height = u64::from(u32::from_be_bytes(bytes.get(part.from + 8, KIND)?));
            // There are small ones for looking through, too.
            largest = largest.max(Some((width * height, width, height)));
        }
    }
    Ok(largest.map(|(_, width, height)| (width, height)))
}

/// Returns the boxes in a box.
fn parts(bytes: &Bytes<'_>, around: Part, count: &mut usize) -> Result<Vec<Part>, Short> {
    let mut found = Vec::new();
    let mut at = around.from;
    while at + 8 <= around.to {
        *count += 1;
        if *count > BOXES_MAX {
            return Err(Short::Ends(KIND));
        }
        let part = part(bytes, at, around.to)?;
        at = part.to;
        found.push(part);
    }
    Ok(found)
}

fn part(bytes: &Bytes<'_>, at: u64, end: u64) -> Result<Part, Short> {
    let size = u64::from(u32::from_be_bytes(bytes.get(at, KIND)?));
    let name = bytes.get(at + 4, KIND)?;
    let (head, size) = match size {
        // Up to the end.
        0 => (8, end - at),
        1 => (16, u64::from_be_bytes(bytes.get(at + 8, KIND)?)),
        size => (8, size),
    };
    let to = at.checked_add(size).filter(|to| *to <= end);
    let (Some(to), true) = (to, size >= head) else {
        return Err(Short::Ends(KIND));
    };
    let from = at + head;
    Ok(Part { name, from, to })
}

fn find(
    bytes: &Bytes<'_>,
    around: Part,
    name: [u8; 4],
    count: &mut usize,
) -> Result<Option<Part>, Short> {
    let found = parts(bytes, around, count)?;
    Ok(found.into_iter().find(|part| part.name == name))
}

/// Follows names into boxes.
fn within(
    bytes: &Bytes<'_>,
    around: Part,
    names: &[&[u8; 4]],
    count: &mut usize,
) -> Result<Option<Part>, Short> {
    let mut here = around;
    for name in names {
        match find(bytes, here, **name, count)? {
            Some(part) => here = part,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

/// Reads a length of time with the unit that it is counted in.
fn length(bytes: &Bytes<'_>, part: Part) -> Result<Option<f64>, Short> {
    let [version] = bytes.get(part.from, KIND)?;
    let (unit, units) = if version == 1 {
        let unit = bytes.get(part.from + 20, KIND)?;
        (unit, u64::from_be_bytes(bytes.get(part.from + 24, KIND)?))
    } else {
        let unit = bytes.get(part.from + 12, KIND)?;
        let units = u32::from_be_bytes(bytes.get(part.from + 16, KIND)?);
        (unit, u64::from(units))
    };
    let unit = u64::from(u32::from_be_bytes(unit));
    // Of what was cut into fragments nobody counted all.
    Ok((units > 0).then(|| seconds(units, unit)).flatten())
}

fn track(bytes: &Bytes<'_>, track: Part, film: &mut Film, count: &mut usize) -> Result<(), Short> {
    let Some(handler) = within(bytes, track, &[b"mdia", b"hdlr"], count)? else {
        return Ok(());
    };
    let kind: [u8; 4] = bytes.get(handler.from + 8, KIND)?;
    match &kind {
        b"vide" if film.picture.is_none() => {
            if let Some(head) = within(bytes, track, &[b"tkhd"], count)? {
                let fps = frames_per_second(bytes, track, count)?;
                film.picture = picture(bytes, head, fps)?;
            }
        }
        b"soun" if film.sound.is_none() => {
            let way: [&[u8; 4]; 4] = [b"mdia", b"minf", b"stbl", b"stsd"];
            if let Some(description) = within(bytes, track, &way, count)? {
                film.sound = Some(sound(bytes, description)?);
            }
        }
        _ => {}
    }
    Ok(())
}

fn picture(bytes: &Bytes<'_>, head: Part, fps: Option<f64>) -> Result<Option<Picture>, Short> {
    let size: [u8; 8] = bytes.get(head.to.saturating_sub(8), KIND)?;
    let matrix: [u8; 4] = bytes.get(head.to.saturating_sub(44), KIND)?;
    let [w0, w1, _, _, h0, h1, _, _] = size;
    let [mut width, mut height] =
        [[w0, w1], [h0, h1]].map(|two| u64::from(u16::from_be_bytes(two)));
    // Turned by a quarter, it is shown so.
    if matrix == [0; 4] {
        std::mem::swap(&mut width, &mut height);
    }
    if width == 0 || height == 0 {
        return Ok(None);
    }
    Ok(Some(Picture { width, height, fps }))
}

/// How many entries of a table are read.
const ENTRIES_MAX: u32 = 1_000_000;

fn frames_per_second(
    bytes: &Bytes<'_>,
    track: Part,
    count: &mut usize,
) -> Result<Option<f64>, Short> {
    let times: [&[u8; 4]; 4] = [b"mdia", b"minf", b"stbl", b"stts"];
    let Some(times) = within(bytes, track, &times, count)? else {
        return Ok(None);
    };
    let Some(head) = within(bytes, track, &[b"mdia", b"mdhd"], count)? else {
        return Ok(None);
    };
    let Some(length) = length(bytes, head)? else {
        return Ok(None);
    };
    let entries = u32::from_be_bytes(bytes.get(times.from + 4, KIND)?);
    let mut frames = 0_u64;
    for entry in 0..u64::from(entries.min(ENTRIES_MAX)) {
        let at = times.from + 8 + entry * 8;
        if at + 8 > times.to {
            break;
        }
        frames += u64::from(u32::from_be_bytes(bytes.get(at, KIND)?));
    }
    Ok((frames > 0).then(|| super::float(frames) / length))
}

fn sound(bytes: &Bytes<'_>, description: Part) -> Result<Sound, Short> {
    // Behind a count, the first entry: its size and name, its head, its version.
    let entry = description.from + 8;
    let channels = u16::from_be_bytes(bytes.get(entry + 24, KIND)?);
    let rate = u32::from_be_bytes(bytes.get(entry + 32, KIND)?);
    Ok(Sound {
        rate: u64::from(rate >> 16),
        channels: channels.into(),
    })
}
