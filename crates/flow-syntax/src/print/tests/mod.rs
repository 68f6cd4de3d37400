use super::*;
use crate::ast::Comment;
use crate::span::SourceId;

const SAMPLE: &str = include_str!("sample.flow");

fn source(name: &str, text: &str) -> Source {
    Source::new(SourceId(0), name, text)
}

fn words(comments: &[Comment]) -> Vec<String> {
    let mut words: Vec<String> = comments
        .iter()
        .map(|one| one.text.trim_start_matches('#').to_owned())
        .collect();
    words.sort();
    words
}

/// The tree as text, without places.
fn bare(file: &File) -> String {
    let text = format!("{:#?}", file.items);
    let mut out = String::new();
    for line in text.lines() {
        let is_place = line.trim().trim_start_matches("span: ").starts_with("#0:");
        if !is_place {
            out.push_str(line.split(": #0:").next().unwrap());
            out.push('\n');
        }
    }
    out
}

fn parsed(source: &Source) -> File {
    let parsed = crate::parse(source);
    let errors: Vec<_> = parsed
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{}", source.text);
    parsed.file
}

/// Formats a text and checks that nothing but its layout changed.
fn check(name: &str, text: &str) -> String {
    let before = source(name, text);
    let once = format(&before).unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"));
    let after = source(name, &once);
    let (old, new) = (parsed(&before), parsed(&after));
    pretty(&bare(&old), &bare(&new), &once);
    assert_eq!(words(&old.comments), words(&new.comments), "in {once}");
    let twice = format(&after).unwrap();
    assert_eq!(once, twice);
    once
}

fn pretty(old: &str, new: &str, text: &str) {
    if old != new {
        let at = old
            .lines()
            .zip(new.lines())
            .position(|(a, b)| a != b)
            .unwrap_or(0);
        let show = |tree: &str| {
            let lines: Vec<&str> = tree.lines().skip(at.saturating_sub(12)).take(24).collect();
            lines.join("\n")
        };
        panic!(
            "trees differ:\n{}\n-----\n{}\n-----\n{text}",
            show(old),
            show(new)
        );
    }
}

#[test]
fn the_sample_keeps_its_tree_and_its_comments() {
    let once = check("a.flow", SAMPLE);
    assert!(
        once.lines()
            .all(|line| line.len() <= 100 || line.contains('#')),
        "{once}"
    );
}
