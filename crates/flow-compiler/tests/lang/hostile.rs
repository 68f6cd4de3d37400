//! Whatever the bytes, there is an answer, and it comes soon.

use std::fmt::Write as _;
use std::path::Path;

use flow_core::plan::Plan;

use crate::corpus::files;
use crate::project::compile;

fn codes_of(name: &str, text: &str) -> Vec<&'static str> {
    let compiled = compile(Path::new("/nowhere"), name, text);
    let mut codes: Vec<&'static str> = compiled
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.name)
        .collect();
    codes.dedup();
    codes
}

#[test]
fn deep_nesting_is_an_error_in_both_spellings() {
    let opens = [
        "(",
        "[",
        "{",
        "{ a: ",
        "f(",
        "a[",
        "g<list<",
        "\"${",
        "\"\"\"\n${",
        "-",
        "not ",
        "if a {",
        "if a {\n",
        "if a then ",
        "a ?? ",
        "else if a {",
        "for x in xs {\n",
        "match a { 1 => ",
        "match a { 1 => { ",
        "repeat s = 1 max 2 {\n",
        "race {\n",
        "[x for x in ",
    ];
    for open in opens {
        let nested = open.repeat(2_000);
        let text = format!("workflow w() {{\n  x = {nested}\n}}\n");
        assert!(!codes_of("a.flow", &text).is_empty(), "{open}");
        let text = format!("workflow: w\nsteps:\n  - id: x\n    value: {nested}\n");
        assert!(!codes_of("a.flow.yaml", &text).is_empty(), "{open}");
        let text = format!("workflow: w\nsteps:\n  - id: x\n    value: \"${{{nested}\"\n");
        assert!(!codes_of("a.flow.yaml", &text).is_empty(), "{open}");
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a: &a [x, x]\n");
    let letters: Vec<char> = ('a'..='z').collect();
    for pair in letters.windows(2) {
        let [old, new] = [pair[0], pair[1]];
        writeln!(text, "{new}: &{new} [*{old}, *{old}]").unwrap();
    }
    assert!(codes_of("a.flow.yaml", &text).contains(&"yaml-anchor"));
}

#[test]
fn odd_bytes_are_answered() {
    for text in [
        "\0", "\u{feff}", "\r\r\r", "\u{202e}", "\t", "é", "💥 = 1", "${", "'''", "\"\"\"",
    ] {
        for name in ["a.flow", "a.flow.yaml"] {
            let inside = format!("workflow w() {{\n  x = {text}\n}}\n");
            for text in [text, &inside] {
                // No panic is what is asked for; most of it is wrong too.
                codes_of(name, text);
            }
        }
    }
}

#[test]
fn a_huge_text_is_refused() {
    let text = format!("# {}\n", "x".repeat(17 << 20));
    assert_eq!(codes_of("a.flow", &text), ["file-too-large"]);
    assert_eq!(codes_of("a.flow.yaml", &text), ["file-too-large"]);
}

/// A small generator: equal seeds, equal numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// Cuts, doubles, swaps and replaces pieces.
fn mutate(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        if chars.is_empty() {
            break;
        }
        let at = random.below(chars.len());
        let end = (at + random.below(12)).min(chars.len());
        match random.below(4) {
            0 => drop(chars.drain(at..end)),
            1 => {
                let piece: Vec<char> = chars[at..end].to_vec();
                chars.splice(at..at, piece);
            }
            2 => {
                let other = random.below(chars.len());
                chars.swap(at, other);
            }
            _ => {
                let signs: Vec<char> = "{}()[]<>\"'$#:,.=|&!?-+*/%0a\n \t".chars().collect();
                chars[at] = signs[random.below(signs.len())];
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn mutated_files_never_panic_and_plans_survive_storing() {
    let rounds = 6;
    for (at, file) in files().iter().enumerate() {
        for round in 0..rounds {
            let mut random = Random((at * rounds + round) as u64);
            let text = mutate(&crate::case::strip(&file.text), &mut random);
            let compiled = compile(&file.folder, &file.name, &text);
            for workflow in &compiled.workflows {
                let Some(plan) = &workflow.plan else { continue };
                let stored = Plan::from_json(&plan.to_json()).unwrap();
                assert_eq!(stored.digest(), plan.digest());
            }
        }
    }
}
