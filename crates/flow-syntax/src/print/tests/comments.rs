//! Comments at every place where one may stand.

use super::*;

/// Puts comments behind and between lines.
fn sprinkle(text: &str, seed: u64) -> String {
    let mut draw = random::Draw::new(seed);
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        out.push_str(line);
        let comment = match draw.below(4) {
            0 => format!("  # behind {number}\n"),
            1 => format!("\n# own {number}\n"),
            2 => format!("\n\n      # deep {number}\n\n\n"),
            _ => "\n".to_owned(),
        };
        out.push_str(&comment);
    }
    out
}

/// Checks that nothing is lost, in its own spelling and in the other.
fn check_comments(name: &str, other: &str, text: &str) {
    check_kept(name, text);
    let here = source(name, text);
    let old = parsed(&here);
    let (there, new) = reread(&old, &Trivia::of(&here, &old), other);
    let (old, new) = (words(&old.comments), words(&new.comments));
    let lost: Vec<_> = old.iter().filter(|one| !new.contains(one)).collect();
    assert!(
        lost.is_empty() && old.len() == new.len(),
        "{lost:?} in\n{text}\n{}",
        there.text
    );
}

#[test]
fn no_comment_is_lost_between_lines() {
    for seed in 0..10 {
        check_comments("a.flow", "a.flow.yaml", &sprinkle(SAMPLE_CODE, seed));
    }
}

#[test]
fn no_comment_is_lost_between_words() {
    let words = SAMPLE_CODE
        .replace(' ', "\n")
        .replace('(', "(\n")
        .replace(')', "\n)");
    for seed in 0..10 {
        check_comments("a.flow", "a.flow.yaml", &sprinkle(&words, seed));
    }
}

#[test]
fn no_comment_of_yaml_is_lost() {
    for seed in 0..10 {
        check_comments("a.flow.yaml", "a.flow", &sprinkle(SAMPLE_YAML_CODE, seed));
    }
}
