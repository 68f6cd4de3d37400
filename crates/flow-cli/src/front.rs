//! What a command line meant the last time: its plan, and what was read to get
//! there. As long as all of that is the same, a run that is recalled needs no
//! compiler.
//!
//! It is kept in the store's folder, and may be lost: then the file is compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use flow_core::digest::Digest;
use flow_core::ty::{Media, Type};
use flow_core::value::Value;
use serde::{Deserialize, Serialize};

use crate::project::{Looked, declares};

/// How many are kept. Each is another command line.
const KEPT_MAX: usize = 200;

/// A command line, as far as it decides what is compiled.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a> {
    /// The project's folder.
    pub(crate) root: &'a Path,
    /// The file, as it is written.
    pub(crate) target: &'a Path,
    /// The workflow, if it is named.
    pub(crate) workflow: Option<&'a str>,
    /// The profile.
    pub(crate) profile: Option<&'a str>,
    /// The inputs, as they are written.
    pub(crate) inputs: &'a [String],
}

/// What it meant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Front {
    /// The digest of the plan.
    plan: String,
    /// The workflow.
    pub(crate) workflow: Arc<str>,
    /// The type of what it gives.
    pub(crate) ty: Option<Type>,
    /// The arguments, in order.
    pub(crate) inputs: Vec<Value>,
    /// The files that the plan names.
    pub(crate) files: Vec<(Arc<str>, Media)>,
    /// What was read, with the digests of it.
    looked: Vec<(String, Option<String>)>,
}

impl Front {
    /// Notes what a command line means.
    pub(crate) fn new(
        plan: Digest,
        workflow: Arc<str>,
        ty: Option<Type>,
        inputs: Vec<Value>,
        files: Vec<(Arc<str>, Media)>,
        looked: &Looked,
    ) -> Self {
        let looked = looked.iter();
        let looked = looked.map(|(name, digest)| (name.clone(), digest.map(|it| it.to_string())));
        Self {
            plan: plan.to_string(),
            workflow,
            ty,
            inputs,
            files,
            looked: looked.collect(),
        }
    }

    /// Returns the digest of the plan.
    pub(crate) fn plan(&self) -> Option<Digest> {
        self.plan.parse().ok()
    }

    /// Returns what is known of a command line, if nothing has changed since.
    pub(crate) fn find(store: &Path, asked: &Asked<'_>) -> Option<Self> {
        let text = fs::read_to_string(place(store, asked)?).ok()?;
        let (digest, body) = text.split_once('\n')?;
        if Digest::of(body.as_bytes()).to_string() != digest {
            return None;
        }
        let front: Self = serde_json::from_str(body).ok()?;
        let is_same = front.looked.iter().all(|(name, digest)| {
            let found = declares(asked.root, name).map(|it| it.to_string());
            found == *digest
        });
        is_same.then_some(front)
    }

    /// Keeps it for the next time. What can't be kept is compiled again.
    pub(crate) fn keep(&self, store: &Path, asked: &Asked<'_>) {
        let Some(place) = place(store, asked) else {
            return;
        };
        let Ok(body) = serde_json::to_string(self) else {
            return;
        };
        let text = format!("{}\n{body}", Digest::of(body.as_bytes()));
        let folder = place.parent().unwrap_or(store);
        make_room(folder);
        let draft = place.with_extension(format!("{}.tmp", std::process::id()));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&draft, text));
        let named = written.and_then(|()| fs::rename(&draft, &place));
        if named.is_err() {
            fs::remove_file(&draft).ok();
        }
    }
}

/// Returns where a command line is remembered by this very program.
fn place(store: &Path, asked: &Asked<'_>) -> Option<PathBuf> {
    let program = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let built = program.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let mut words = vec![
        env!("CARGO_PKG_VERSION").to_owned(),
        program.len().to_string(),
        built.as_nanos().to_string(),
        asked.root.to_str()?.to_owned(),
        fs::canonicalize(asked.target).ok()?.to_str()?.to_owned(),
        asked.workflow.unwrap_or_default().to_owned(),
        asked.profile.unwrap_or_default().to_owned(),
    ];
    words.extend(asked.inputs.iter().cloned());
    let name = Digest::of(words.join("\0").as_bytes()).to_string();
    Some(store.join("fronts").join(name))
}

/// Drops all if there are too many; who is asked again is remembered again.
fn make_room(folder: &Path) {
    let Ok(kept) = fs::read_dir(folder) else {
        return;
    };
    let kept: Vec<PathBuf> = kept.flatten().map(|entry| entry.path()).collect();
    if kept.len() >= KEPT_MAX {
        for path in kept {
            fs::remove_file(path).ok();
        }
    }
}
