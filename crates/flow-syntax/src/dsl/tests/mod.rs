//! What the workflow language's texts give.

mod habits;
mod recovery;

use super::grammar::{Read, Rule};
use crate::Parsed;
use crate::span::{Source, SourceId};

const GOOD: &str = include_str!("good.flow");

fn parse(text: &str) -> Parsed {
    super::parse(&Source::new(SourceId(0), "a.flow", text))
}

/// Lists what is said: place, code, message.
fn said(text: &str) -> Vec<String> {
    let parsed = parse(text);
    let lines = crate::span::Lines::of(text);
    let list = parsed.diagnostics.iter().map(|diagnostic| {
        let (line, column) = lines.line_column(text, diagnostic.primary.span.start);
        format!(
            "{line}:{column} {} {}",
            diagnostic.code.name, diagnostic.message
        )
    });
    list.collect()
}

#[test]
fn a_good_file_has_no_diagnostics() {
    assert_eq!(said(GOOD), Vec::<String>::new());
}

#[test]
fn the_rule_for_whole_files_takes_what_is_read_in_pieces() {
    if let Err(failure) = Read::of(Rule::file, GOOD, 0) {
        panic!("{failure:?}");
    }
}
