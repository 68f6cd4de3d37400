//! Every code has a page and a case, and every page a code.

use std::collections::BTreeSet;

use crate::corpus::files;
use crate::project::root;

fn all() -> Vec<&'static str> {
    let syntax = flow_syntax::codes::ALL.iter();
    let compiler = flow_compiler::codes::ALL.iter();
    syntax.chain(compiler).map(|code| code.name).collect()
}

#[test]
fn codes_are_unique_words() {
    let names = all();
    let set: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(set.len(), names.len(), "a code is declared twice");
    for name in names {
        let fits = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(name.chars().all(fits), "`{name}` is no word");
    }
}

#[test]
fn every_code_has_a_page() {
    let folder = root().join("docs/diagnostics");
    let missing: Vec<&str> = all()
        .into_iter()
        .filter(|code| !folder.join(format!("{code}.md")).exists())
        .collect();
    // The command has codes of its own, and sees to it that every page has one.
    assert!(missing.is_empty(), "codes without a page: {missing:?}");
}

/// What is said in the corpus, counted by spelling.
fn faults() -> (BTreeSet<String>, usize) {
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for file in files() {
        for line in file.text.lines() {
            let line = line.trim_start();
            if !line.starts_with("#!") {
                continue;
            }
            for word in ["error[", "warning["] {
                if let Some((_, rest)) = line.split_once(word)
                    && let Some((code, _)) = rest.split_once("]: ")
                {
                    seen.insert(code.to_owned());
                    count += 1;
                }
            }
        }
    }
    (seen, count)
}

/// What only files can show that are too large for the corpus.
const LARGE: [&str; 4] = [
    "file-too-large",
    "too-many-files",
    "type-too-large",
    "plan-too-large",
];

#[test]
fn every_code_has_a_case_in_the_corpus() {
    let (seen, count) = faults();
    let missing: Vec<&str> = all()
        .into_iter()
        .filter(|code| !seen.contains(*code) && !LARGE.contains(code))
        .collect();
    assert!(missing.is_empty(), "codes without a case: {missing:?}");
    assert!(count >= 260, "the corpus has only {count} faults");
}
