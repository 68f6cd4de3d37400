//! The diagnostics of several files as one list, each said once.

use std::collections::{BTreeMap, BTreeSet};

use flow_syntax::diagnostic::{Diagnostic, Label};
use flow_syntax::span::{Source, SourceId, Span};

/// What is wrong with all the files that were looked at.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The sources that diagnostics point into, by their ids here. Their names
    /// are as the user would write them.
    sources: Vec<Source>,
    by_name: BTreeMap<String, SourceId>,
    diagnostics: Vec<Diagnostic>,
    seen: BTreeSet<(Span, &'static str, String)>,
    /// The files that were asked for, and those that something is said about.
    files: BTreeSet<String>,
}

impl Report {
    /// Counts a file that was looked at.
    pub(crate) fn looked_at(&mut self, name: &str) {
        self.files.insert(name.to_owned());
    }

    /// Adds what one compilation says. `shown` turns the name of a source into
    /// the name that the user would write.
    pub(crate) fn add(
        &mut self,
        sources: &[Source],
        diagnostics: &[Diagnostic],
        shown: &dyn Fn(&Source) -> String,
    ) {
        let mut ids: BTreeMap<SourceId, SourceId> = BTreeMap::new();
        for diagnostic in diagnostics {
            for span in spans(diagnostic) {
                if ids.contains_key(&span.source) {
                    continue;
                }
                let Some(source) = sources.iter().find(|source| source.id == span.source) else {
                    continue;
                };
                ids.insert(span.source, self.source_id(source, shown(source)));
            }
            let moved = moved(diagnostic, &ids);
            if let Some(source) = self.sources.get(moved.primary.span.source.0 as usize) {
                self.files.insert(source.name.clone());
            }
            let key = (moved.primary.span, moved.code.name, moved.message.clone());
            if self.seen.insert(key) {
                self.diagnostics.push(moved);
            }
        }
    }

    /// Returns the source that a span lies in.
    pub(crate) fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// Returns all sources, by their ids.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Returns everything that is wrong, file by file.
    pub(crate) fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns the report without what is no error.
    pub(crate) fn errors(&self) -> Self {
        let errors = self.diagnostics.iter().filter(|said| said.is_error());
        Self {
            sources: self.sources.clone(),
            by_name: self.by_name.clone(),
            diagnostics: errors.cloned().collect(),
            seen: self.seen.clone(),
            files: self.files.clone(),
        }
    }

    /// Returns how many of them are errors, and how many are not.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let errors = self.diagnostics.iter().filter(|d| d.is_error()).count();
        (errors, self.diagnostics.len() - errors)
    }

    /// Returns how many files were looked at.
    pub(crate) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Returns the line that sums it up: `3 errors, 1 warning in 2 files`.
    pub(crate) fn summary(&self) -> String {
        let (errors, warnings) = self.counts();
        let files = counted(self.file_count(), "file");
        match (errors, warnings) {
            (0, 0) => format!("nothing wrong in {files}"),
            (errors, 0) => format!("{} in {files}", counted(errors, "error")),
            (0, warnings) => format!("{} in {files}", counted(warnings, "warning")),
            (errors, warnings) => format!(
                "{}, {} in {files}",
                counted(errors, "error"),
                counted(warnings, "warning")
            ),
        }
    }

    fn source_id(&mut self, source: &Source, name: String) -> SourceId {
        if let Some(id) = self.by_name.get(&name) {
            return *id;
        }
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.by_name.insert(name.clone(), id);
        self.sources.push(Source {
            id,
            name,
            text: source.text.clone(),
            spelling: source.spelling,
        });
        id
    }
}

/// Returns a number with its word: `1 file`, `2 files`.
pub(crate) fn counted(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

fn spans(diagnostic: &Diagnostic) -> impl Iterator<Item = Span> {
    let edits = diagnostic.fix.iter().flat_map(|fix| &fix.edits);
    std::iter::once(diagnostic.primary.span)
        .chain(diagnostic.others.iter().map(|label| label.span))
        .chain(edits.map(|edit| edit.span))
}

/// Returns a diagnostic with the ids of this report. A place in a source that
/// was not handed over is dropped; a main place then points at nothing.
fn moved(diagnostic: &Diagnostic, ids: &BTreeMap<SourceId, SourceId>) -> Diagnostic {
    let moved = |span: Span| {
        let source = *ids.get(&span.source)?;
        Some(Span { source, ..span })
    };
    let nowhere = Span::new(SourceId(u32::MAX), 0, 0);
    let mut result = diagnostic.clone();
    result.primary.span = moved(diagnostic.primary.span).unwrap_or(nowhere);
    result.others = (diagnostic.others.iter())
        .filter_map(|label| {
            Some(Label {
                span: moved(label.span)?,
                text: label.text.clone(),
            })
        })
        .collect();
    let fix = result.fix.take();
    result.fix = fix.and_then(|mut fix| {
        for edit in &mut fix.edits {
            edit.span = moved(edit.span)?;
        }
        Some(fix)
    });
    result
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flow_syntax::diagnostic::Certainty;

    /// A report of one source and some diagnostics, for tests of renderers.
    pub(crate) fn report(name: &str, text: &str, diagnostics: &[Diagnostic]) -> Report {
        let source = Source::new(SourceId(0), name, text);
        let mut report = Report::default();
        report.looked_at(name);
        report.add(&[source], diagnostics, &|source| source.name.clone());
        report
    }

    /// A diagnostic with everything in it, about `let x = 1`.
    pub(crate) fn full() -> Diagnostic {
        let at = |start, end| Span::new(SourceId(0), start, end);
        Diagnostic::new(
            flow_compiler::codes::UNKNOWN_STEP,
            at(13, 22),
            "no step named `gen.imgae`",
        )
        .label("not declared")
        .other(at(0, 5), "in this workflow")
        .help("did you mean `gen.image`?")
        .fix(
            Certainty::Certain,
            "write `gen.image`",
            at(13, 22),
            "gen.image",
        )
    }

    /// The text that [`full`] is about.
    pub(crate) const TEXT: &str = "draft {\n x = gen.imgae()\n}\n";

    #[test]
    fn a_diagnostic_of_a_used_file_is_said_once() {
        let mut report = report("a.flow", TEXT, &[full(), full()]);
        let source = Source::new(SourceId(7), "a.flow", TEXT);
        let mut again = full();
        again.primary.span.source = SourceId(7);
        again.others.clear();
        again.fix = None;
        report.add(&[source], &[again], &|source| source.name.clone());
        assert_eq!(report.diagnostics().len(), 1);
        assert_eq!(report.summary(), "1 error in 1 file");
    }

    #[test]
    fn a_place_in_a_source_that_is_not_there_is_dropped() {
        let mut stray = full();
        stray.others[0].span.source = SourceId(9);
        let report = report("a.flow", TEXT, &[stray]);
        assert!(report.diagnostics()[0].others.is_empty());
    }
}
