//! What steps of a rehearsal can do besides answering: they read the files that
//! values refer to, and leave nothing behind.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use flow_core::digest::Digest;
use flow_core::effect::FailureClass;
use flow_core::mask::Mask;
use flow_core::step::{Desk, Progress, StepFailure};
use flow_core::ty::Media;
use flow_core::value::Artifact;

/// The files that values of a rehearsal refer to, where they are. Rehearsals
/// that run at once may share them, and so may threads of steps.
#[derive(Debug, Default)]
pub struct Props(Mutex<BTreeMap<Arc<str>, PathBuf>>);

impl Props {
    /// Takes a file, which stays where it is.
    pub fn take(&self, path: PathBuf, media: Media) -> io::Result<Artifact> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(&path)?)?;
        let digest = Digest(hasher.finalize().into());
        let artifact = Artifact {
            digest: digest.to_string().into(),
            media,
            bytes: hasher.count(),
            facts: BTreeMap::new(),
        };
        let mut paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paths.insert(artifact.digest.clone(), path);
        Ok(artifact)
    }

    fn path(&self, artifact: &Artifact) -> Option<PathBuf> {
        let paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paths.get(&artifact.digest).cloned()
    }
}

/// The desk of an attempt that is played.
pub(super) struct PropDesk(pub(super) Arc<Props>);

fn nowhere(what: &str) -> StepFailure {
    let message = format!("{what} in a rehearsal");
    StepFailure::unsent(FailureClass::Invalid, message)
}

impl Desk for PropDesk {
    fn sent(&self) {}

    fn progress(&self, progress: Progress) {
        drop(progress);
    }

    fn log(&self, line: &[u8]) {
        let _ = line;
    }

    fn is_stopped(&self) -> bool {
        false
    }

    fn folder(&self) -> Result<PathBuf, StepFailure> {
        Err(nowhere("there is no folder for an attempt"))
    }

    fn keep(&self, bytes: &mut dyn Read, media: Media) -> Result<Artifact, StepFailure> {
        let _ = (bytes, media);
        Err(nowhere("no file is kept"))
    }

    fn open(&self, artifact: &Artifact) -> Result<PathBuf, StepFailure> {
        let path = self.0.path(artifact);
        path.ok_or_else(|| nowhere("only fixtures and files of the project can be read"))
    }

    fn secret(&self, name: &str) -> Result<Arc<str>, StepFailure> {
        let message = format!("nobody reads the secret `{name}` in a rehearsal");
        Err(StepFailure::unsent(FailureClass::Auth, message))
    }

    fn mask(&self) -> Mask {
        Mask::default()
    }

    fn adopt_group(&self, group: u32) {
        let _ = group;
    }

    fn release_group(&self, group: u32) {
        let _ = group;
    }
}
