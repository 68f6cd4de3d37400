//! The files of a project, as tests see them: fixtures, and what workflows name.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use flow_compiler::CheckedTest;
use flow_core::ty::Media;
use flow_core::value::{Artifact, Value};
use flow_runtime::rehearse::Props;
use flow_syntax::diagnostic::Diagnostic;

use crate::codes;
use crate::disk::find;
use crate::project::Project;

/// The files of a project. Each is read once, by whichever thread needs it
/// first, so they are behind a lock.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    /// Where the bytes are that values refer to.
    pub(super) props: Arc<Props>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    values: BTreeMap<(Arc<str>, Media), Result<Value, String>>,
    /// The first path of each content.
    paths: BTreeMap<Arc<str>, Arc<str>>,
}

impl Files {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            props: Arc::default(),
            known: Mutex::default(),
        }
    }

    /// Returns the project's folder.
    #[cfg(test)]
    pub(super) fn root(&self) -> &std::path::Path {
        &self.root
    }

    /// Returns a file of the project as a value, or why it can't be had.
    pub(super) fn get(&self, path: &Arc<str>, media: Media) -> Result<Value, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (path.clone(), media);
        if let Some(found) = known.values.get(&key) {
            return found.clone();
        }
        let found = self.take(path, media);
        if let Ok(Value::Artifact(artifact)) = &found {
            let digest = artifact.digest.clone();
            known.paths.entry(digest).or_insert_with(|| path.clone());
        }
        known.values.insert(key, found.clone());
        found
    }

    fn take(&self, path: &str, media: Media) -> Result<Value, String> {
        let whole = find(&self.root, path).map_err(|fault| fault.to_string())?;
        let file = File::open(&whole).map_err(|error| error.to_string())?;
        let facts = flow_steps::facts(&file, media).map_err(|fault| fault.to_string())?;
        let artifact = self.props.take(whole, media);
        let artifact = artifact.map_err(|error| error.to_string())?;
        Ok(Value::Artifact(Arc::new(Artifact { facts, ..artifact })))
    }

    /// Returns the path of a file that a value refers to.
    pub(super) fn path(&self, artifact: &Artifact) -> Option<Arc<str>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.paths.get(&artifact.digest).cloned()
    }
}

/// Says which fixtures of tests aren't there.
pub(crate) fn missing(project: &Project, tests: &[CheckedTest]) -> Vec<Diagnostic> {
    let fixtures = tests.iter().flat_map(|test| &test.fixtures);
    let missing = fixtures.filter_map(|(path, span)| {
        let fault = find(&project.root, path).err()?;
        let message = format!("the fixture `{path}` can't be read: {fault}");
        let diagnostic = Diagnostic::new(codes::MISSING_FIXTURE, *span, message);
        Some(diagnostic.help("its path begins at the folder of this file"))
    });
    missing.collect()
}
