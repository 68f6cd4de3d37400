//! `flow validate --fix`: applies the fixes that are certain, until none is
//! left.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_compiler::Compiled;
use flow_syntax::diagnostic::{Certainty, Edit, Fix};
use flow_syntax::span::Span;

use crate::disk::write_text;
use crate::exit::Failure;
use crate::project::Entry;
use crate::report::counted;

/// A fix may make another one possible, but not for ever.
const ROUNDS_MAX: usize = 10;

/// What was mended.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// How many fixes.
    pub(super) fixes: usize,
    /// In how many files.
    files: usize,
}

impl Applied {
    /// Returns the beginning of a summary: `2 fixes in 1 file; `.
    pub(super) fn summary(&self) -> String {
        let plural = if self.fixes == 1 { "fix" } else { "fixes" };
        match self.fixes {
            0 => String::new(),
            fixes => format!(
                "applied {fixes} {plural} in {}; ",
                counted(self.files, "file")
            ),
        }
    }
}

/// Mends entries, in memory and on disk.
pub(super) fn apply(entries: &mut [Entry]) -> Result<Applied, Failure> {
    let mut applied = Applied::default();
    for entry in entries.iter_mut() {
        let before = entry.text.clone();
        // What another entry's fix did to this file is the text to mend. A
        // declaration has no fixes of its own yet.
        if entry.is_declaration() {
            continue;
        }
        let fixes = mend(entry);
        if fixes == 0 {
            continue;
        }
        applied.fixes += fixes;
        applied.files += 1;
        let Some(path) = &entry.path else {
            continue;
        };
        debug_assert_ne!(before, entry.text, "a fix changes something");
        write_text(path, &entry.text)
            .map_err(|error| Failure::io(format!("cannot write `{}`: {error}", path.display())))?;
    }
    Ok(applied)
}

/// Mends one entry in memory; returns how many fixes were applied.
fn mend(entry: &mut Entry) -> usize {
    let mut count = 0;
    let mut compiled = entry.compile();
    for _ in 0..ROUNDS_MAX {
        let fixes = certain(&compiled);
        let (text, used) = edited(&entry.text, &fixes);
        if used == 0 || *text == *entry.text {
            break;
        }
        let before = std::mem::replace(&mut entry.text, text.into());
        let again = entry.compile();
        // A fix that makes things worse is a mistake of ours; the author's
        // text is not to suffer from it.
        if errors(&again) > errors(&compiled) {
            entry.text = before;
            break;
        }
        compiled = again;
        count += used;
    }
    let text: Arc<str> = entry.text.clone();
    entry.project.disk.replace(&entry.name, text);
    count
}

fn errors(compiled: &Compiled) -> usize {
    compiled.diagnostics.iter().filter(|d| d.is_error()).count()
}

/// Returns the certain fixes that change nothing but the entry.
fn certain(compiled: &Compiled) -> Vec<&Fix> {
    let fixes = compiled.diagnostics.iter().filter_map(|d| d.fix.as_ref());
    fixes
        .filter(|fix| {
            fix.certainty == Certainty::Certain
                && !fix.edits.is_empty()
                && (fix.edits.iter()).all(|edit| edit.span.source == compiled.entry)
        })
        .collect()
}

/// Applies the fixes that don't touch each other, each whole or not at all.
fn edited(text: &str, fixes: &[&Fix]) -> (String, usize) {
    let mut chosen: BTreeMap<(u32, u32), &Edit> = BTreeMap::new();
    let mut used = 0;
    for fix in fixes {
        let fits = fix
            .edits
            .iter()
            .all(|edit| text.get(edit.span.range()).is_some() && is_free(&chosen, edit.span));
        if fits {
            used += 1;
            chosen.extend((fix.edits.iter()).map(|edit| ((edit.span.start, edit.span.end), edit)));
        }
    }
    let ends = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in chosen.values() {
        let range = edit.span.range();
        // The edits of one fix were promised not to overlap.
        if range.start < at {
            continue;
        }
        result.push_str(&text[at..range.start]);
        result.push_str(&edit.text.replace("\r\n", "\n").replace('\n', ends));
        at = range.end;
    }
    result.push_str(&text[at..]);
    (result, used)
}

/// Returns whether nothing chosen overlaps or touches a span. Two insertions
/// at one place have no order, so they touch, too.
fn is_free(chosen: &BTreeMap<(u32, u32), &Edit>, span: Span) -> bool {
    let before = chosen.range(..(span.end + 1, 0)).next_back();
    before.is_none_or(|((_, end), _)| *end < span.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_syntax::span::SourceId;

    fn fix(edits: &[(usize, usize, &str)]) -> Fix {
        let edit = |(start, end, text): &(usize, usize, &str)| Edit {
            span: Span::new(SourceId(0), *start, *end),
            text: (*text).to_owned(),
        };
        Fix {
            title: String::new(),
            certainty: Certainty::Certain,
            edits: edits.iter().map(edit).collect(),
        }
    }

    fn check(text: &str, fixes: &[Fix], expected: &str, count: usize) {
        let fixes: Vec<&Fix> = fixes.iter().collect();
        assert_eq!(edited(text, &fixes), (expected.to_owned(), count));
    }

    #[test]
    fn fixes_that_touch_wait_for_the_next_round() {
        let fixes = [
            fix(&[(0, 3, "x")]),
            fix(&[(2, 5, "y")]),
            fix(&[(6, 7, "z")]),
        ];
        check("abcdefgh", &fixes, "xdefzh", 2);
    }

    #[test]
    fn a_fix_is_applied_whole_or_not_at_all() {
        let fixes = [fix(&[(1, 2, "x")]), fix(&[(1, 1, "("), (5, 5, ")")])];
        check("abcdefgh", &fixes, "axcdefgh", 1);
        check("abcd", &[fix(&[(1, 1, "("), (3, 3, ")")])], "a(bc)d", 1);
    }

    #[test]
    fn line_ends_are_those_of_the_file() {
        check("a\r\nb", &[fix(&[(3, 3, "c\n")])], "a\r\nc\r\nb", 1);
    }

    #[test]
    fn an_edit_outside_of_the_text_is_left_out() {
        check("é", &[fix(&[(1, 2, "x")]), fix(&[(9, 9, "y")])], "é", 0);
    }
}
