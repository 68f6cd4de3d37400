//! What a file has to be tested: its tests, and what they run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flow_compiler::{CheckedTest, Compiled, Origins};
use flow_core::arbiter::Terms;
use flow_core::plan::Plan;
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::{Lines, Source, Span};

use super::files::Files;
use crate::project::{Entry, Projects};
use crate::report::Report;

/// A file with tests. Threads share it.
#[derive(Debug)]
pub(crate) struct Suite {
    /// The file, as the user would write it.
    pub(crate) file: String,
    /// Its tests, in the order in which they are written.
    pub(crate) tests: Vec<CheckedTest>,
    /// The sources that diagnostics point into, with the names that the user
    /// would write.
    sources: Vec<Source>,
    /// The lines of the file itself.
    lines: Lines,
    pub(super) workflows: BTreeMap<Arc<str>, Workflow>,
    pub(super) terms: Terms,
    pub(super) files: Arc<Files>,
}

/// A workflow that tests can run.
#[derive(Debug)]
pub(super) struct Workflow {
    pub(super) plan: Arc<Plan>,
    pub(super) origins: Origins,
}

impl Suite {
    /// Takes a file without errors.
    pub(crate) fn new(
        projects: &Projects,
        entry: &Entry,
        compiled: Compiled,
        terms: Terms,
        files: Arc<Files>,
    ) -> Self {
        let shown = |name: &str| projects.shown(&entry.project, name);
        let sources = compiled.sources.into_iter().map(|source| Source {
            name: shown(&source.name),
            ..source
        });
        let workflows = compiled.workflows.into_iter().filter_map(|workflow| {
            let made = Workflow {
                plan: Arc::new(workflow.plan?),
                origins: workflow.origins,
            };
            Some((workflow.name, made))
        });
        Self {
            lines: Lines::of(&entry.text),
            file: shown(&entry.name),
            tests: compiled.tests,
            sources: sources.collect(),
            workflows: workflows.collect(),
            terms,
            files,
        }
    }

    /// Returns the files of a project, as tests see them.
    pub(crate) fn files(root: &Path) -> Arc<Files> {
        Arc::new(Files::new(root.to_path_buf()))
    }

    /// Adds what is said about a test to a report.
    pub(crate) fn tell(&self, report: &mut Report, said: &[Diagnostic]) {
        report.add(&self.sources, said, &|source| source.name.clone());
    }

    /// Returns the line on which a test begins, from 1.
    pub(crate) fn line(&self, test: &CheckedTest) -> usize {
        self.lines.line(test.span.start) + 1
    }

    /// Returns the text at a place.
    pub(super) fn slice(&self, span: Span) -> &str {
        let mut sources = self.sources.iter();
        let source = sources.find(|source| source.id == span.source);
        source.map_or("", |source| source.slice(span))
    }
}
