//! The sizes of pictures.

use super::{Bytes, Found, Short, mp4, size};

pub(super) fn facts(bytes: &Bytes<'_>) -> Found {
    let begin = bytes.some(0, 12)?;
    if begin.starts_with(b"\x89PNG\r\n\x1a\n") {
        png(bytes)
    } else if begin.starts_with(b"\xff\xd8\xff") {
        jpeg(bytes)
    } else if begin.starts_with(b"GIF87a") || begin.starts_with(b"GIF89a") {
        let [w0, w1, h0, h1] = bytes.get(6, "GIF")?;
        some(two(w0, w1), two(h0, h1), "GIF")
    } else if begin.starts_with(b"RIFF") && begin.ends_with(b"WEBP") {
        webp(bytes)
    } else if begin.starts_with(b"BM") {
        bmp(bytes)
    } else if begin.starts_with(b"II*\0") {
        tiff(bytes, u16::from_le_bytes, u32::from_le_bytes)
    } else if begin.starts_with(b"MM\0*") {
        tiff(bytes, u16::from_be_bytes, u32::from_be_bytes)
    } else {
        Ok(mp4::still(bytes)?.map(|(width, height)| size(width, height)))
    }
}

fn some(width: u64, height: u64, kind: &'static str) -> Found {
    if width == 0 || height == 0 {
        return Err(Short::Ends(kind));
    }
    Ok(Some(size(width, height)))
}

/// The lower byte first.
fn two(low: u8, high: u8) -> u64 {
    u64::from(u16::from_le_bytes([low, high]))
}

fn png(bytes: &Bytes<'_>) -> Found {
    if !bytes.has(12, b"IHDR")? {
        return Err(Short::Ends("PNG"));
    }
    let width = u32::from_be_bytes(bytes.get(16, "PNG")?);
    let height = u32::from_be_bytes(bytes.get(20, "PNG")?);
    some(width.into(), height.into(), "PNG")
}

/// How many parts of a file are gone through before it is given up.
const PARTS_MAX: usize = 10_000;

fn jpeg(bytes: &Bytes<'_>) -> Found {
    let mut at = 2;
    for _ in 0..PARTS_MAX {
        let [mark, kind] = bytes.get(at, "JPEG")?;
        if mark != 0xff {
            return Err(Short::Ends("JPEG"));
        }
        match kind {
            // Marks may be filled up, and some stand alone.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            // The picture begins, and nobody has said how large it is.
            0xd9 | 0xda => break,
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                let [h0, h1, w0, w1] = bytes.get(at + 5, "JPEG")?;
                return some(two(w1, w0), two(h1, h0), "JPEG");
            }
            _ => {
                let length = u16::from_be_bytes(bytes.get(at + 2, "JPEG")?);
                at += 2 + u64::from(length.max(2));
            }
        }
    }
    Err(Short::Ends("JPEG"))
}

fn webp(bytes: &Bytes<'_>) -> Found {
    let kind: [u8; 4] = bytes.get(12, "WebP")?;
    match &kind {
        b"VP8 " => {
            if !bytes.has(23, b"\x9d\x01\x2a")? {
                return Err(Short::Ends("WebP"));
            }
            let [w0, w1, h0, h1] = bytes.get(26, "WebP")?;
            some(two(w0, w1) & 0x3fff, two(h0, h1) & 0x3fff, "WebP")
        }
        b"VP8L" => {
            let [mark, bits @ ..]: [u8; 5] = bytes.get(20, "WebP")?;
            if mark != 0x2f {
                return Err(Short::Ends("WebP"));
            }
            let bits = u64::from(u32::from_le_bytes(bits));
            some((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1, "WebP")
        }
        b"VP8X" => {
            let [w0, w1, w2, h0, h1, h2] = bytes.get(24, "WebP")?;
            let three = |a, b, c| two(a, b) + (u64::from(c) << 16) + 1;
            some(three(w0, w1, w2), three(h0, h1, h2), "WebP")
        }
        _ => Err(Short::Ends("WebP")),
    }
}

/// A file is of machines that have the lower byte first, or of the others.
fn tiff(bytes: &Bytes<'_>, two: fn([u8; 2]) -> u16, four: fn([u8; 4]) -> u32) -> Found {
    const WIDTH: u16 = 256;
    const HEIGHT: u16 = 257;
    const SHORT: u16 = 3;
    let table = u64::from(four(bytes.get(4, "TIFF")?));
    let count = two(bytes.get(table, "TIFF")?);
    let (mut width, mut height) = (0, 0);
    for entry in 0..u64::from(count) {
        let at = table + 2 + entry * 12;
        let [t0, t1, k0, k1] = bytes.get(at, "TIFF")?;
        let value = bytes.get(at + 8, "TIFF")?;
        let number = if two([k0, k1]) == SHORT {
            u64::from(two([value[0], value[1]]))
        } else {
            u64::from(four(value))
        };
        match two([t0, t1]) {
            WIDTH => width = number,
            HEIGHT => height = number,
            _ => {}
        }
    }
    some(width, height, "TIFF")
}

fn bmp(bytes: &Bytes<'_>) -> Found {
    let head = u32::from_le_bytes(bytes.get(14, "BMP")?);
    if head == 12 {
        let [w0, w1, h0, h1] = bytes.get(18, "BMP")?;
        return some(two(w0, w1), two(h0, h1), "BMP");
    }
    let width = i32::from_le_bytes(bytes.get(18, "BMP")?);
    let height = i32::from_le_bytes(bytes.get(22, "BMP")?);
    // A height below zero says that the first row is the upper one.
    some(
        width.unsigned_abs().into(),
        height.unsigned_abs().into(),
        "BMP",
    )
}
