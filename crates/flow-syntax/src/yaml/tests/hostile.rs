//! No text makes it panic, hang or eat the machine.

use super::read;
use std::fmt::Write;

const SEEDS: &[&str] = &[
    super::clean::POSTER,
    super::clean::EVERY_KEY,
    "a: [1, {b: 'c''d', e: \"f\\u00e9\"}, *x, &y z, !t u]\n? k\n: >2-\n    v\n   w\n",
    "steps:\n\t- a: ${b #c}\n\t  d: \"${ '}' }\"\n--- %\n...\n",
];

const BITS: &[&str] = &[
    "\0", "\t", "\n", "\r\n", "\u{feff}", "é", "𝄞", "[", "]", "{", "}", "\"", "'", "${", "$${",
    "}", ": ", "- ", " #", "##", "|", ">", "*", "&", "!", "%", "@", "`", "\\", "\\u", "---", "...",
    "<<: ", "? ", "~", "null", "{{", "  ", "x", ",",
];

/// A generator of numbers (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (end.max(1) as u64)).unwrap_or(0)
    }
}

fn boundary(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

#[test]
fn mutated_files_are_survived() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..400 {
        let mut text = SEEDS[round % SEEDS.len()].to_owned();
        for _ in 0..=dice.below(6) {
            let at = boundary(&text, dice.below(text.len() + 1));
            match dice.below(4) {
                0 => {
                    let end = boundary(&text, (at + dice.below(12)).min(text.len()));
                    text.replace_range(at..end.max(at), "");
                }
                1 => text.truncate(at),
                _ => text.insert_str(at, BITS[dice.below(BITS.len())]),
            }
        }
        let parsed = read(&text);
        for diagnostic in &parsed.diagnostics {
            let span = diagnostic.primary.span.range();
            assert!(
                text.get(span.clone()).is_some(),
                "{span:?} lies in the text: {diagnostic:?} in {text:?}"
            );
            let edits = diagnostic.fix.iter().flat_map(|fix| &fix.edits);
            for edit in edits {
                assert!(
                    text.get(edit.span.range()).is_some(),
                    "{edit:?} in {text:?}"
                );
            }
        }
    }
}

#[test]
fn depth_is_bounded_and_said_once() {
    let flow = "[".repeat(100_000);
    let maps = "{a: ".repeat(100_000);
    let dashes = "- ".repeat(100_000);
    let mut keys = String::new();
    for level in 0..2000 {
        writeln!(keys, "{}a:", " ".repeat(level)).unwrap();
    }
    for text in [flow, maps, dashes, keys] {
        for text in [text.clone(), format!("workflow: w\nreturn: {text}")] {
            let parsed = read(&text);
            let deep = parsed.diagnostics.iter();
            let deep = deep.filter(|one| one.code.name == "too-deep").count();
            assert!(deep <= 1, "said once");
            assert!(!parsed.diagnostics.is_empty());
            assert!(
                parsed.diagnostics.len() <= 25,
                "{}",
                parsed.diagnostics.len()
            );
        }
    }
}

#[test]
fn holes_nest_boundedly() {
    let text = format!("workflow: w\nreturn: '{}'\n", "${\"".repeat(100_000));
    assert!(!read(&text).diagnostics.is_empty());
    let text = format!("workflow: w\nreturn: '{}'\n", "${".repeat(100_000));
    assert!(!read(&text).diagnostics.is_empty());
}

#[test]
fn a_hundred_thousand_keys_are_read_and_few_are_reported() {
    let mut text = String::new();
    for key in 0..100_000 {
        writeln!(text, "k{key}: v").unwrap();
    }
    let parsed = read(&text);
    assert_eq!(parsed.diagnostics.len(), 20);
}

#[test]
fn ends_of_lines_and_byte_order_marks_do_not_matter() {
    let windows = super::clean::POSTER.replace('\n', "\r\n");
    let marked = format!("\u{feff}{}", super::clean::POSTER);
    for text in [&*windows, &*marked] {
        let found = read(text);
        assert_eq!(found.diagnostics, Vec::new());
        assert_eq!(
            found.file.items.len(),
            read(super::clean::POSTER).file.items.len()
        );
    }
}

#[test]
fn a_nul_is_reported() {
    super::check("workflow: w\nreturn: a\0b\n", &["yaml-syntax `\0`"]);
}

#[test]
fn nothing_is_a_file() {
    for text in ["", "\n", "# only\n", "---\n", "\u{feff}"] {
        super::check(text, &[]);
    }
}
