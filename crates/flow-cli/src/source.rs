//! Where a run's steps are written, as long as the files are as they were.
//!
//! A run keeps its plan and no places. A file of the project that compiles to
//! the same plan has them; if there is none any more, paths have to do.

use std::path::PathBuf;
use std::sync::Arc;

use flow_compiler::{CompiledWorkflow, Origins};
use flow_core::digest::Digest;
use flow_core::plan::NodeId;
use flow_core::run::Run;
use flow_syntax::span::{Source, Span};

use crate::disk::read_text;
use crate::extra::Extra;
use crate::inputs::{self, Input};
use crate::project::{Entry, Projects, root_here};
use crate::render::Places;

/// How many files of a project are looked at, and how many are compiled.
const READ_MAX: usize = 2_000;
const COMPILED_MAX: usize = 20;

/// A workflow in the file that it was compiled from.
#[derive(Debug)]
pub(crate) struct Written {
    origins: Origins,
    /// The sources, with the names that the user would write.
    sources: Vec<(Source, String)>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The file, as the user would write it.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column, from 1, in characters.
    pub(crate) column: usize,
}

impl Written {
    /// Finds the file that a run's plan comes from.
    pub(crate) fn of(run: &Run, extra: &Extra) -> Option<Self> {
        let mut projects = Projects::new(None, extra).ok()?;
        let root = root_here().ok()?;
        let plan = Digest::of(run.plan().to_json().as_bytes());
        let entries = entries(&mut projects, root, run.workflow());
        entries.iter().find_map(|entry| {
            let compiled = entry.compile();
            let same = |workflow: &CompiledWorkflow| {
                let found = workflow.plan.as_ref();
                *workflow.name == **run.workflow()
                    && found.is_some_and(|found| Digest::of(found.to_json().as_bytes()) == plan)
            };
            let found = compiled.workflows.into_iter().find(same)?;
            let named = compiled.sources.into_iter().map(|source| {
                let shown = projects.shown(&entry.project, &source.name);
                (source, shown)
            });
            Some(Self {
                sources: named.collect(),
                origins: found.origins,
            })
        })
    }

    /// Returns where a node is written.
    pub(crate) fn spot(&self, node: NodeId) -> Option<Spot> {
        let span: Span = *self.origins.nodes.get(node.0 as usize)?;
        let (source, file) = self
            .sources
            .iter()
            .find(|(source, _)| source.id == span.source)?;
        let place = Places::of(&source.text).place(&source.text, span.range().start);
        Some(Spot {
            file: file.clone(),
            line: place.line,
            column: place.column,
        })
    }
}

/// Returns the files that may have a workflow of this name.
fn entries(projects: &mut Projects, root: PathBuf, workflow: &str) -> Vec<Entry> {
    let Ok(files) = inputs::find(&[root]) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for input in files.into_iter().take(READ_MAX) {
        let Input::File(path) = input else { continue };
        let Ok(text) = read_text(&path) else { continue };
        let text: Arc<str> = text;
        if text.contains(workflow)
            && let Ok(entry) = projects.entry(&path, text)
            && !entry.is_declaration()
        {
            found.push(entry);
        }
        if found.len() == COMPILED_MAX {
            break;
        }
    }
    found
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
