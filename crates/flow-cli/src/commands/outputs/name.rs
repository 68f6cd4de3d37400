//! How files are called that are copied out: after the output that they are,
//! with the ending of what is in them.

use std::collections::BTreeSet;

use flow_core::path::Key;
use flow_core::ty::Media;

use super::{Given, Part};

/// The file with all values.
pub(super) const VALUES: &str = "outputs.json";

/// The longest name, without its ending.
const LENGTH_MAX: usize = 80;

/// Returns a name for each file. No two are the same, not even for a file
/// system that takes `A` for `a`.
pub(super) fn names(workflow: &str, files: &[Given], heads: &[Vec<u8>]) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    taken.insert(VALUES.to_owned());
    let mut names = Vec::with_capacity(files.len());
    for (given, head) in files.iter().zip(heads) {
        let stem = stem(workflow, &given.parts);
        let ending = ending(given.artifact.media, head);
        let mut number = 1;
        let name = loop {
            let name = if number == 1 {
                format!("{stem}.{ending}")
            } else {
                format!("{stem}-{number}.{ending}")
            };
            if taken.insert(name.to_lowercase()) {
                break name;
            }
            number += 1;
        };
        names.push(name);
    }
    names
}

/// Returns the name of a file without its ending.
fn stem(workflow: &str, parts: &[Part]) -> String {
    let mut words: Vec<String> = Vec::new();
    let is_named = matches!(parts.first(), Some(Part::Field(_)));
    if !is_named {
        words.push(safe(workflow));
    }
    for part in parts {
        words.push(match part {
            Part::Field(name) => safe(name),
            Part::Item(Key::Word(word), _) => safe(word),
            Part::Item(Key::Index(index), count) => {
                // So that the order of names is that of the items.
                let width = count.saturating_sub(1).to_string().len();
                format!("{index:0width$}")
            }
        });
    }
    words.retain(|word| !word.is_empty());
    let stem: String = words.join("-").chars().take(LENGTH_MAX).collect();
    let stem = stem.trim_matches(['.', '-', ' ']).to_owned();
    if stem.is_empty() || is_reserved(&stem) {
        format!("file-{stem}").trim_end_matches('-').to_owned()
    } else {
        stem
    }
}

/// Returns a word of which nothing means anything to a file system or a shell.
fn safe(word: &str) -> String {
    let letters = word.chars().map(|letter| {
        if letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.') {
            letter
        } else {
            '_'
        }
    });
    let word: String = letters.collect();
    word.trim_matches(['.', '_']).to_owned()
}

/// Names that some systems keep for themselves.
fn is_reserved(stem: &str) -> bool {
    let base = stem.split('.').next().unwrap_or(stem).to_ascii_lowercase();
    let is_numbered = |begin: &str| {
        let rest = base.strip_prefix(begin);
        rest.is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(&*base, "con" | "prn" | "aux" | "nul") || is_numbered("com") || is_numbered("lpt")
}

/// What files begin with, and how their names end.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"),
    (b"\x1a\x45\xdf\xa3", "mkv"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"SQLite format 3\0", "db"),
];

/// Returns the ending of a name by what is in the file, or by what it is taken
/// for.
fn ending(media: Media, head: &[u8]) -> &'static str {
    let fits = |form: &str| match media {
        Media::File => true,
        // A tune must not be called a picture because of two bytes.
        Media::Image => matches!(form, "png" | "jpg" | "gif" | "bmp" | "tif"),
        Media::Audio => matches!(form, "flac" | "ogg" | "mp3" | "mkv"),
        Media::Video => matches!(form, "mkv" | "ogg"),
    };
    let known = BEGINNINGS
        .iter()
        .find(|(begin, form)| head.starts_with(begin) && fits(form));
    if let Some((_, form)) = known {
        return match (*form, media) {
            ("mkv", _) if contains(head, b"webm") => "webm",
            ("ogg", Media::Video) => "ogv",
            (form, _) => form,
        };
    }
    if let Some(form) = boxed(head) {
        return form;
    }
    match media {
        Media::Image if contains(head, b"<svg") => "svg",
        Media::File if is_json(head) => "json",
        Media::File if contains(head, b"<svg") => "svg",
        Media::File if is_text(head) => "txt",
        Media::Image => "image",
        Media::Audio => "audio",
        Media::Video => "video",
        Media::File => "bin",
    }
}

/// Returns the ending of formats that say later what they are.
fn boxed(head: &[u8]) -> Option<&'static str> {
    match (head.get(..4)?, head.get(4..8)?, head.get(8..12)?) {
        (b"RIFF", _, b"WEBP") => Some("webp"),
        (b"RIFF", _, b"WAVE") => Some("wav"),
        (b"RIFF", _, b"AVI ") => Some("avi"),
        (_, b"ftyp", brand) => Some(match brand {
            b"avif" | b"avis" => "avif",
            b"heic" | b"heix" => "heic",
            b"qt  " => "mov",
            b"M4A " | b"M4B " => "m4a",
            _ => "mp4",
        }),
        _ => None,
    }
}

fn contains(head: &[u8], part: &[u8]) -> bool {
    head.windows(part.len()).any(|window| window == part)
}

fn is_text(head: &[u8]) -> bool {
    let is_written = |text: &str| {
        let odd = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t');
        !text.is_empty() && !text.contains(odd)
    };
    match std::str::from_utf8(head) {
        Ok(text) => is_written(text),
        // The last letter may have been cut.
        Err(error) if head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).is_ok_and(is_written)
        }
        Err(_) => false,
    }
}

fn is_json(head: &[u8]) -> bool {
    let begin = head.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_open = matches!(begin, Some(b'{' | b'['));
    let rest = head
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .nth(1);
    is_open && matches!(rest, Some(b'"' | b'{' | b'[' | b'}' | b']' | b'0'..=b'9')) && is_text(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_core::digest::Digest;
    use flow_core::value::Artifact;

    fn given(parts: Vec<Part>, media: Media) -> Given {
        Given {
            parts,
            artifact: Artifact {
                digest: Digest([0; 32]).to_string().into(),
                media,
                bytes: 1,
                facts: std::collections::BTreeMap::new(),
            },
            digest: Digest([0; 32]),
            path: "/x".into(),
        }
    }

    fn called(parts: Vec<Part>) -> String {
        names("poster", &[given(parts, Media::File)], &[b"hello".to_vec()]).remove(0)
    }

    fn field(name: &str) -> Part {
        Part::Field(name.to_owned())
    }

    #[test]
    fn files_are_called_after_their_output() {
        let item = |index| Part::Item(Key::Index(index), 12);
        assert_eq!(called(vec![]), "poster.txt");
        assert_eq!(called(vec![field("cover")]), "cover.txt");
        assert_eq!(called(vec![field("shots"), item(3)]), "shots-03.txt");
        assert_eq!(called(vec![item(11)]), "poster-11.txt");
        let word = Part::Item(Key::Word("hero shot".into()), 2);
        let parts = vec![field("shots"), word, field("file")];
        assert_eq!(called(parts), "shots-hero_shot-file.txt");
    }

    #[test]
    fn no_name_leads_anywhere_else() {
        for wild in [
            "../../etc/passwd",
            "..",
            ".",
            "",
            "/abs",
            "a\0b",
            "a\u{1b}[31m",
            "con",
            "LPT1.x",
            "-rf",
            "\u{202e}gpj",
            " ",
        ] {
            let name = called(vec![field(wild)]);
            let is_plain =
                |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
            assert!(name.chars().all(is_plain), "{name:?}");
            assert!(!name.starts_with(['.', '-']) && name.len() > 4, "{name:?}");
            assert!(!is_reserved(&name), "{name:?}");
        }
        let long = called(vec![field(&"ä".repeat(4_000))]);
        assert!(long.chars().count() < 100, "{}", long.len());
    }

    #[test]
    fn no_two_are_called_the_same() {
        let word = |word: &str| vec![Part::Item(Key::Word(word.into()), 4)];
        let all = [
            word("a b"),
            word("a_b"),
            word("A_B"),
            vec![field("outputs")],
        ];
        let files: Vec<Given> = all.into_iter().map(|one| given(one, Media::File)).collect();
        let heads = [&b"x"[..], b"x", b"x", b"{\"a\":1}"].map(<[u8]>::to_vec);
        let found = names("w", &files, &heads);
        assert_eq!(
            found,
            ["w-a_b.txt", "w-a_b-2.txt", "w-A_B-3.txt", "outputs-2.json"]
        );
    }

    #[test]
    fn endings_say_what_is_in_a_file() {
        let cases: [(Media, &[u8], &str); 12] = [
            (Media::Image, b"\x89PNG\r\n\x1a\n....", "png"),
            (Media::File, b"\xff\xd8\xff\xe0", "jpg"),
            (Media::Image, b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
            (Media::Audio, b"RIFF\0\0\0\0WAVEfmt ", "wav"),
            (Media::Video, b"\0\0\0\x20ftypisom", "mp4"),
            (Media::Video, b"\x1a\x45\xdf\xa3....webm", "webm"),
            (Media::File, b"{\"a\": 1}", "json"),
            (Media::File, b"[not json", "txt"),
            (Media::File, "äö".as_bytes(), "txt"),
            (Media::File, &"ää".as_bytes()[..3], "txt"),
            (Media::File, b"\0\x01\x02", "bin"),
            (Media::Image, b"BA", "image"),
        ];
        for (media, head, expected) in cases {
            assert_eq!(ending(media, head), expected, "{head:?}");
        }
        assert_eq!(ending(Media::Audio, b"BM"), "audio");
        assert_eq!(ending(Media::File, b""), "bin");
    }
}
