//! Whole files: what is clean, what is answered how, and what is survived.

use crate::diagnostic::Diagnostic;
use crate::span::{Source, SourceId};
use crate::{Parsed, parse};

fn read(text: &str) -> Parsed {
    parse(&Source::new(SourceId(0), "x.flow.yaml", text))
}

fn shown(text: &str, diagnostic: &Diagnostic) -> String {
    let at = diagnostic.primary.span.range();
    let place = text.get(at).unwrap_or("?");
    let name = diagnostic.code.name;
    format!("{name} `{place}`: {}", diagnostic.message)
}

/// Checks what is said of a text: how each message begins, in order, with its
/// code and its place.
#[track_caller]
fn check(text: &str, wanted: &[&str]) {
    let parsed = read(text);
    let found: Vec<String> = parsed
        .diagnostics
        .iter()
        .map(|diagnostic| shown(text, diagnostic))
        .collect();
    let is_same = found.len() == wanted.len()
        && found
            .iter()
            .zip(wanted)
            .all(|(one, start)| one.starts_with(start));
    assert!(is_same, "found {found:#?}, wanted {wanted:#?}, in:\n{text}");
    for diagnostic in &parsed.diagnostics {
        assert!(
            !diagnostic.helps.is_empty()
                || diagnostic.fix.is_some()
                || !diagnostic.others.is_empty(),
            "no cure for {diagnostic:?}"
        );
    }
}

/// Puts an item into a workflow.
fn item(text: &str) -> String {
    format!(
        "workflow: w\nsteps:\n  - {}\n",
        text.replace('\n', "\n    ")
    )
}

mod clean;
mod events;
mod hostile;
mod traps;
mod twins;
