//! A desk for trying a program out: a folder of its own, and nothing is kept
//! after it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flow_core::digest::Digest;
use flow_core::effect::FailureClass;
use flow_core::mask::Mask;
use flow_core::step::{Desk, Progress, StepFailure};
use flow_core::ty::Media;
use flow_core::value::Artifact;

/// How much of what a program writes is looked at.
const LOG_MAX: usize = 1 << 20;

/// What all secrets hide while a program is tried out. It is looked for in all
/// that the program writes.
pub(super) const HIDDEN: &str = "this-was-a-secret-of-nobody";

/// Who sees to it that no process is left when flow is gone.
#[derive(Clone)]
pub struct Groups {
    /// Is told of a process group that began.
    pub adopt: Arc<dyn Fn(u32) + Send + Sync>,
    /// Is told of one that is gone.
    pub release: Arc<dyn Fn(u32) + Send + Sync>,
}

impl std::fmt::Debug for Groups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Groups")
    }
}

/// A desk for one question.
pub(super) struct TrialDesk {
    folder: PathBuf,
    groups: Groups,
    is_stopped: AtomicBool,
    /// Outputs are read at once.
    log: Mutex<Vec<u8>>,
}

/// Tells the folders of one process apart.
static COUNT: AtomicU32 = AtomicU32::new(0);

impl TrialDesk {
    /// Makes one, with its folder below another.
    pub(super) fn new(root: &Path, groups: &Groups) -> io::Result<Arc<Self>> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = root.join(number.to_string());
        fs::create_dir_all(folder.join("attempt"))?;
        fs::create_dir_all(folder.join("kept"))?;
        Ok(Arc::new(Self {
            folder,
            groups: groups.clone(),
            is_stopped: AtomicBool::new(false),
            log: Mutex::default(),
        }))
    }

    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
    }

    /// Returns what was written to the log.
    pub(super) fn written(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&log).into_owned()
    }

    fn kept(&self, digest: &str) -> PathBuf {
        self.folder.join("kept").join(digest)
    }
}

impl Drop for TrialDesk {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

impl Desk for TrialDesk {
    fn sent(&self) {}

    fn progress(&self, progress: Progress) {
        Desk::log(self, progress.note.as_bytes());
    }

    fn log(&self, line: &[u8]) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() < LOG_MAX {
            log.extend_from_slice(line);
            log.push(b'\n');
        }
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    fn folder(&self) -> Result<PathBuf, StepFailure> {
        Ok(self.folder.join("attempt"))
    }

    fn keep(&self, bytes: &mut dyn Read, media: Media) -> Result<Artifact, StepFailure> {
        let mut all = Vec::new();
        let read = bytes.read_to_end(&mut all).map(|_| ());
        let digest = Digest::of(&all).to_string();
        let kept = read.and_then(|()| fs::write(self.kept(&digest), &all));
        kept.map_err(|error| {
            StepFailure::unsent(
                FailureClass::Transient,
                format!("it can't be kept: {error}"),
            )
        })?;
        Ok(Artifact {
            digest: digest.into(),
            media,
            bytes: u64::try_from(all.len()).unwrap_or(u64::MAX),
            facts: BTreeMap::new(),
        })
    }

    fn open(&self, artifact: &Artifact) -> Result<PathBuf, StepFailure> {
        Ok(self.kept(&artifact.digest))
    }

    fn secret(&self, _: &str) -> Result<Arc<str>, StepFailure> {
        Ok(HIDDEN.into())
    }

    fn mask(&self) -> Mask {
        // What would be taken out is what is looked for.
        Mask::default()
    }

    fn adopt_group(&self, group: u32) {
        (self.groups.adopt)(group);
    }

    fn release_group(&self, group: u32) {
        (self.groups.release)(group);
    }
}
