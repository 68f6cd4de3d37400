//! Fixes that are certain mend what they answer.

use flow_syntax::diagnostic::{Certainty, Diagnostic, Edit};
use flow_syntax::span::Span;

use crate::corpus::files;

/// Where a place is after edits before it.
fn moved(at: u32, edits: &[Edit]) -> u32 {
    let mut place = i64::from(at);
    for edit in edits.iter().filter(|edit| edit.span.end <= at) {
        let removed = i64::from(edit.span.end) - i64::from(edit.span.start);
        place += i64::try_from(edit.text.len()).unwrap() - removed;
    }
    u32::try_from(place.max(0)).unwrap()
}

/// The text after some edits.
fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = String::new();
    let mut at = 0;
    for edit in edits {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        assert!(at <= start, "the edits of a fix overlap");
        out.push_str(&text[at..start]);
        out.push_str(&edit.text);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

fn is_certain(diagnostic: &Diagnostic) -> bool {
    let fix = diagnostic.fix.as_ref();
    fix.is_some_and(|fix| fix.certainty == Certainty::Certain)
}

/// Says what is wrong with the edits of a fix, if anything.
fn out_of_bounds(text: &str, span: Span) -> bool {
    let fits = |at: u32| text.is_char_boundary(at as usize);
    span.start > span.end || !fits(span.start) || !fits(span.end)
}

#[test]
fn certain_fixes_mend() {
    let mut fixes = 0;
    let mut wrong = Vec::new();
    for file in files() {
        let text = file.written();
        let compiled = file.compile();
        for diagnostic in &compiled.diagnostics {
            let Some(fix) = &diagnostic.fix else { continue };
            let edits = &fix.edits;
            let own = |edit: &Edit| edit.span.source == compiled.entry;
            if !edits.iter().all(own) {
                continue;
            }
            let what = format!(
                "{}: {}: {}",
                file.shown(),
                diagnostic.code.name,
                diagnostic.message
            );
            if edits.iter().any(|edit| out_of_bounds(&text, edit.span)) {
                wrong.push(format!("{what}: the fix leaves the file"));
                continue;
            }
            let mended = apply(&text, edits);
            let after = file.compile_text(&mended);
            if !is_certain(diagnostic) {
                continue;
            }
            fixes += 1;
            let place = moved(diagnostic.primary.span.start, edits);
            let again = after.diagnostics.iter().find(|other| {
                other.code == diagnostic.code
                    && other.message == diagnostic.message
                    && other.primary.span.source == after.entry
                    && other.primary.span.start == place
            });
            if again.is_some() {
                wrong.push(format!("{what}: still there"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} fixes\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(fixes > 20, "the corpus has only {fixes} certain fixes");
}

#[test]
fn all_certain_fixes_of_a_file_leave_less_to_say() {
    let mut wrong = Vec::new();
    for file in files() {
        let text = file.written();
        let compiled = file.compile();
        let mut edits: Vec<Edit> = Vec::new();
        for diagnostic in compiled.diagnostics.iter().filter(|one| is_certain(one)) {
            let Some(fix) = &diagnostic.fix else { continue };
            let is_free = fix.edits.iter().all(|edit| {
                edit.span.source == compiled.entry
                    && edits.iter().all(|other| {
                        edit.span.end < other.span.start || other.span.end < edit.span.start
                    })
            });
            if is_free {
                edits.extend(fix.edits.iter().cloned());
            }
        }
        if edits.is_empty() {
            continue;
        }
        let mended = apply(&text, &edits);
        let after = file.compile_text(&mended);
        let syntax = |list: &[Diagnostic]| {
            let codes = flow_syntax::codes::ALL;
            list.iter().filter(|one| codes.contains(&one.code)).count()
        };
        let (before, after) = (&compiled.diagnostics, &after.diagnostics);
        // What was hidden by a fault of the text may come to light.
        if after.len() >= before.len() && syntax(after) >= syntax(before) {
            wrong.push(format!(
                "{}: {} before, {} after\n{mended}",
                file.shown(),
                before.len(),
                after.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
