use std::io::Write;

use super::*;

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// What is known of some bytes, as `height 2, width 3`.
fn known(bytes: &[u8], media: Media) -> Result<String, String> {
    let facts = facts(&file(bytes), media).map_err(|fault| fault.to_string())?;
    let facts = facts.iter().map(|(name, value)| {
        if let Value::Float(number) = value {
            return format!("{name} {number:.3}");
        }
        let Value::Int(number) = value else {
            panic!("{name} is {value:?}");
        };
        format!("{name} {number}")
    });
    Ok(facts.collect::<Vec<_>>().join(", "))
}

fn jpeg() -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    bytes.extend(b"\xff\xff\xdb\x00\x03\0");
    bytes.extend(b"\xff\xc2\x00\x0b\x08\x01\x02\x00\x03\x01\x11\0\xff\xda");
    bytes
}

fn riff(kind: &[u8], content: &[u8]) -> Vec<u8> {
    [b"RIFF\0\0\0\0".as_slice(), kind, content].concat()
}

#[test]
fn the_sizes_of_pictures_are_read() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x04\x38\0\0\x07\x80\x08\x02\0\0\0";
    let lossy = riff(
        b"WEBP",
        b"VP8 \x20\0\0\0\x30\x01\0\x9d\x01\x2a\x03\xc0\x02\0",
    );
    // 14 bits of width less one, 14 bits of height less one.
    let bits = (0x12b_u32 | 0xc7 << 14).to_le_bytes();
    let lossless = riff(b"WEBP", &[b"VP8L\x20\0\0\0\x2f".as_slice(), &bits].concat());
    let extended = riff(b"WEBP", b"VP8X\x0a\0\0\0\0\0\0\0\x2b\x01\0\xc7\0\0");
    let mut bmp = b"BM".to_vec();
    bmp.resize(14, 0);
    bmp.extend(
        [40_i32, 3, -2]
            .iter()
            .flat_map(|number| number.to_le_bytes()),
    );
    let avif = [
        part(b"ftyp", &[b"avif\0\0\0\0mif1"]),
        part(
            b"meta",
            &[
                &[0; 4],
                &part(b"hdlr", &[&[0; 4]]),
                &part(
                    b"iprp",
                    &[&part(b"ipco", &[&extent(160, 90), &extent(1920, 1080)])],
                ),
            ],
        ),
    ]
    .concat();
    let mut tiff = b"MM\0*\0\0\0\x08\0\x02".to_vec();
    tiff.extend(b"\x01\0\0\x03\0\0\0\x01\x01\x02\0\0");
    tiff.extend(b"\x01\x01\0\x04\0\0\0\x01\0\0\0\x03");
    for (bytes, expected) in [
        (&avif[..], "height 1080, width 1920"),
        (&tiff, "height 3, width 258"),
        (&png[..], "height 1920, width 1080"),
        (&jpeg(), "height 258, width 3"),
        (b"GIF89a\x03\0\x02\x01", "height 258, width 3"),
        (&lossy, "height 2, width 3"),
        (&lossless, "height 200, width 300"),
        (&extended, "height 200, width 300"),
        (&bmp, "height 2, width 3"),
    ] {
        assert_eq!(known(bytes, Media::Image).as_deref(), Ok(expected));
    }
}

fn wav(size: u32) -> Vec<u8> {
    let mut bytes = riff(b"WAVE", b"LIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend(44_100_u32.to_le_bytes());
    bytes.extend((44_100_u32 * 4).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend(size.to_le_bytes());
    bytes.resize(bytes.len() + 88_200, 0);
    bytes
}

fn mp3(xing: bool) -> Vec<u8> {
    let mut bytes = b"ID3\x04\0\0\0\0\x01\x00".to_vec();
    bytes.resize(10 + 128, 0);
    for at in 0..100 {
        let mut frame = b"\xff\xfb\x90\x64".to_vec();
        frame.resize(36, 0);
        if at == 0 && xing {
            frame.extend(b"Xing\0\0\0\x01\0\0\x03\xe8");
        }
        frame.resize(417, 0);
        bytes.extend(frame);
    }
    bytes
}

fn ogg(packet: &[u8], count: u64) -> Vec<u8> {
    let page = |count: u64, packet: &[u8]| {
        let mut page = b"OggS\0\0".to_vec();
        page.extend(count.to_le_bytes());
        page.resize(26, 0);
        page.extend([1, u8::try_from(packet.len()).unwrap()]);
        page.extend(packet);
        page
    };
    [page(0, packet), page(count, b"x")].concat()
}

#[test]
fn the_lengths_of_sounds_are_read() {
    let mut flac = b"fLaC\0\0\0\x22\0\0\0\0\0\0\0\0\0\0".to_vec();
    let bits = 0xbb80_u64 << 44 | 1 << 41 | 0xf << 36 | 0x1_7700;
    flac.extend(bits.to_be_bytes());
    let mut aiff = b"FORM\0\0\0\0AIFFNAME\0\0\0\x03abc\0COMM\0\0\0\x12\0\x01".to_vec();
    aiff.extend(b"\0\0\x5d\xc0\0\x10\x40\x0e\xbb\x80\0\0\0\0\0\0");
    let vorbis = b"\x01vorbis\0\0\0\0\x02\x44\xac\0\0\0\0\0";
    let opus = b"OpusHead\x01\x01\x38\x01\x44\xac\0\0\0\0\0";
    for (bytes, expected) in [
        (wav(88_200), "channels 2, rate 44100, seconds 0.500"),
        (wav(44_100), "channels 2, rate 44100, seconds 0.250"),
        (wav(0), "channels 2, rate 44100, seconds 0.500"),
        (wav(u32::MAX), "channels 2, rate 44100, seconds 0.500"),
        (aiff, "channels 1, rate 48000, seconds 0.500"),
        (flac, "channels 2, rate 48000, seconds 2.000"),
        (mp3(false), "channels 2, rate 44100, seconds 2.606"),
        (mp3(true), "channels 2, rate 44100, seconds 26.122"),
        (ogg(vorbis, 44_100), "channels 2, rate 44100, seconds 1.000"),
        (
            ogg(opus, 48_000 + 312),
            "channels 1, rate 48000, seconds 1.000",
        ),
        (
            mp4(&[track(b"soun", 0)]),
            "channels 2, rate 44100, seconds 10.000",
        ),
    ] {
        assert_eq!(known(&bytes, Media::Audio).as_deref(), Ok(expected));
    }
}

/// A box of an MP4.
fn part(name: &[u8], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), name, &content].concat()
}

/// The size of a picture in boxes.
fn extent(width: u32, height: u32) -> Vec<u8> {
    let numbers = [0, width, height].map(u32::to_be_bytes);
    part(b"ispe", &[&numbers.concat()])
}

/// A head with a length: units of a thousandth.
fn head(name: &[u8], length: u32) -> Vec<u8> {
    let numbers = [0, 0, 0, 1000, length].map(u32::to_be_bytes);
    part(name, &[&numbers.concat(), &[0; 4]])
}

fn track(kind: &[u8], turned: u32) -> Vec<u8> {
    let mut size = vec![0; 40];
    let matrix = if turned == 0 { 0x1_0000_u32 } else { 0 };
    size.extend(matrix.to_be_bytes());
    size.resize(40 + 36, 0);
    size.extend((1920_u32 << 16).to_be_bytes());
    size.extend((1080_u32 << 16).to_be_bytes());
    let times = [0_u32, 2, 100, 40, 150, 40].map(u32::to_be_bytes).concat();
    let mut entry = vec![0; 4];
    entry.extend(b"mp4a");
    entry.resize(24, 0);
    entry.extend(b"\0\x02\0\x10\0\0\0\0");
    entry.extend((44_100_u32 << 16).to_be_bytes());
    let description = part(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], &entry]);
    let tables = part(b"stbl", &[&description, &part(b"stts", &[&times])]);
    let handler = part(b"hdlr", &[&[0; 8], kind, &[0; 12]]);
    let media = [
        &head(b"mdhd", 10_000)[..],
        &handler,
        &part(b"minf", &[&tables]),
    ];
    part(b"trak", &[&part(b"tkhd", &[&size]), &part(b"mdia", &media)])
}

fn mp4(tracks: &[Vec<u8>]) -> Vec<u8> {
    let movie = part(b"moov", &[&head(b"mvhd", 10_000), &tracks.concat()]);
    let data = part(b"mdat", &[&[0; 100]]);
    [part(b"ftyp", &[b"isom"]), data, movie].concat()
}

/// An element of a Matroska file.
fn element(name: &[u8], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let size = u32::try_from(content.len()).unwrap() | 0x1000_0000;
    [name, &size.to_be_bytes(), &content].concat()
}

fn matroska() -> Vec<u8> {
    let picture = element(
        b"\xe0",
        &[
            &element(b"\xb0", &[&[5, 0]]),
            &element(b"\xba", &[&[2, 0xd0]]),
        ],
    );
    let track = element(
        b"\xae",
        &[
            &element(b"\x83", &[&[1]]),
            &element(b"\x23\xe3\x83", &[&40_000_000_u32.to_be_bytes()]),
            &picture,
        ],
    );
    let info = element(
        b"\x15\x49\xa9\x66",
        &[
            &element(b"\x2a\xd7\xb1", &[&1_000_000_u32.to_be_bytes()]),
            &element(b"\x44\x89", &[&2500.0_f64.to_be_bytes()]),
        ],
    );
    let begin = element(b"\x1a\x45\xdf\xa3", &[&element(b"\x42\x82", &[b"webm"])]);
    let tracks = element(b"\x16\x54\xae\x6b", &[&track]);
    // Its writer didn't know how long it would be.
    let segment = [b"\x18\x53\x80\x67\x01".as_slice(), &[0xff; 7]].concat();
    [begin, segment, info, tracks, b"\x1f\x43\xb6\x75".to_vec()].concat()
}

#[test]
fn the_sizes_and_lengths_of_films_are_read() {
    for (bytes, expected) in [
        (
            mp4(&[track(b"soun", 0), track(b"vide", 0)]),
            "fps 25.000, height 1080, seconds 10.000, width 1920",
        ),
        (
            mp4(&[track(b"vide", 1)]),
            "fps 25.000, height 1920, seconds 10.000, width 1080",
        ),
        (
            matroska(),
            "fps 25.000, height 720, seconds 2.500, width 1280",
        ),
    ] {
        assert_eq!(known(&bytes, Media::Video).as_deref(), Ok(expected));
    }
}

#[test]
fn a_file_that_is_something_else_is_refused_with_what_is_known() {
    for (bytes, media, says) in [
        (
            &b""[..],
            Media::Image,
            "this is no image of a kind that is known: PNG",
        ),
        (b"<svg/>", Media::Image, "this is no image"),
        (&jpeg()[..6], Media::Image, "this JPEG is damaged"),
        (
            b"some text, and more of it",
            Media::Audio,
            "this is no audio",
        ),
        (&wav(9)[..40], Media::Audio, "this WAV is damaged"),
        (&mp4(&[track(b"soun", 0)]), Media::Video, "this is no video"),
        (&mp4(&[])[..60], Media::Video, "this MP4 is damaged"),
        (&wav(9), Media::Video, "this is no video"),
    ] {
        let said = known(bytes, media).unwrap_err();
        assert!(said.contains(says), "{said}, not {says}");
    }
    assert_eq!(known(b"anything", Media::File).as_deref(), Ok(""));
}

#[test]
fn no_bytes_are_too_wrong() {
    let all = [
        jpeg(),
        wav(7),
        mp3(true),
        ogg(b"\x01vorbis\0\0\0\0\x02\x44\xac\0\0\0\0\0", 9),
        mp4(&[track(b"vide", 0), track(b"soun", 0)]),
        matroska(),
    ];
    let mut word = 7_u64;
    for bytes in all {
        for cut in 0..bytes.len().min(900) {
            let mut bytes = bytes[..cut].to_vec();
            for media in [Media::Image, Media::Audio, Media::Video] {
                known(&bytes, media).ok();
                // Two bytes become others, wherever they are.
                for _ in 0..2 {
                    word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let at = usize::try_from(word >> 33).unwrap();
                    if let Some(byte) = bytes.get_mut(at % cut.max(1)) {
                        *byte = u8::try_from(word >> 56).unwrap();
                    }
                }
            }
        }
    }
}
