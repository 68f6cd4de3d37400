//! The desk of an attempt: what its step can do besides answering.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flow_core::address::Ticket;
use flow_core::digest::Digest;
use flow_core::effect::{Effect, FailureClass};
use flow_core::mask::Mask;
use flow_core::step::{Desk, Progress, StepFailure};
use flow_core::ty::Media;
use flow_core::value::Artifact;
use tokio::sync::Notify;
use tokio::sync::mpsc::Sender;

use crate::artifacts::{Blobs, Kept};
use crate::folders::Folders;
use crate::reaper::Reaper;
use crate::secrets::{self, Secrets};
use crate::store::layout::attempt_name;
use crate::survivors::Strays;

/// The most bytes of an attempt's log.
const LOG_MAX: u64 = 64 << 20;

/// What all desks of a process share.
pub(crate) struct Office {
    pub(crate) blobs: Blobs,
    pub(crate) reaper: Arc<Reaper>,
    pub(crate) secrets: Secrets,
    /// Finds the secrets of the run.
    pub(crate) mask: Mask,
    /// The folders of attempts in progress.
    pub(crate) folders: Arc<Folders>,
    /// The folder of the run's logs.
    pub(crate) logs: PathBuf,
}

/// What an attempt tells the driver.
#[derive(Debug)]
pub(crate) enum Note {
    /// A request may have got out.
    Sent(Ticket),
    /// How far it is.
    Progress(Ticket, Progress),
}

/// The desk of an attempt.
pub(crate) struct AttemptDesk {
    office: Arc<Office>,
    ticket: Ticket,
    name: String,
    notes: Sender<Note>,
    /// Whether it matters when a request got out.
    tells_sent: bool,
    /// Its folder, once it asked for one.
    folder: Mutex<Option<PathBuf>>,
    is_sent: AtomicBool,
    is_stopped: AtomicBool,
    stop_asked: Notify,
    /// The process group that it has; 0 if it has none.
    group: AtomicU32,
    /// The processes of an attempt that has to stop.
    strays: Mutex<Option<Strays>>,
    /// Blobs that were kept and wait for the attempt's outcome. Steps keep
    /// files from threads of their own.
    kept: Mutex<Vec<Kept>>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    file: Option<File>,
    written: u64,
}

impl AttemptDesk {
    pub(crate) fn new(
        office: Arc<Office>,
        ticket: Ticket,
        effect: Effect,
        notes: Sender<Note>,
    ) -> Self {
        Self {
            office,
            name: attempt_name(&ticket),
            ticket,
            notes,
            tells_sent: effect.costs(),
            folder: Mutex::default(),
            is_sent: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            stop_asked: Notify::new(),
            group: AtomicU32::new(0),
            strays: Mutex::default(),
            kept: Mutex::default(),
            log: Mutex::default(),
        }
    }

    /// Asks it to stop.
    pub(crate) fn stop(&self) {
        // While its process is there, it can be told which others are its.
        if let Some(strays) = self.find_strays() {
            *lock(&self.strays) = Some(strays);
        }
        self.is_stopped.store(true, Ordering::Release);
        self.stop_asked.notify_one();
    }

    /// Waits until the attempt should stop.
    pub(crate) async fn stopped(&self) {
        self.stop_asked.notified().await;
    }

    fn find_strays(&self) -> Option<Strays> {
        let group = self.group.load(Ordering::Acquire);
        let folder = lock(&self.folder).clone().filter(|_| group != 0)?;
        Strays::of(folder, group)
    }

    /// Takes what may be left of an attempt that was stopped: processes that have
    /// left its group.
    pub(crate) fn take_strays(&self) -> Option<Strays> {
        lock(&self.strays).take()
    }

    pub(crate) fn was_sent(&self) -> bool {
        self.is_sent.load(Ordering::Acquire)
    }

    /// Takes the blobs that go with the outcome.
    pub(crate) fn take_kept(&self) -> Vec<Kept> {
        std::mem::take(&mut *lock(&self.kept))
    }

    /// Gives up the folder, when nobody works in it any more. Returns whether
    /// it is time to tidy up.
    pub(crate) fn leave(&self) -> bool {
        let mut folder = lock(&self.folder);
        let folder = folder.take();
        folder.is_some_and(|folder| self.office.folders.leave(folder))
    }
}

/// What is behind it is whole also when a step broke down.
fn lock<T>(inner: &Mutex<T>) -> MutexGuard<'_, T> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk for AttemptDesk {
    fn sent(&self) {
        if !self.is_sent.swap(true, Ordering::AcqRel) && self.tells_sent {
            // A full channel loses a hint and nothing else.
            drop(self.notes.try_send(Note::Sent(self.ticket.clone())));
        }
    }

    fn progress(&self, progress: Progress) {
        let progress = Progress {
            note: self.office.mask.text(&progress.note).into(),
            ..progress
        };
        let note = Note::Progress(self.ticket.clone(), progress);
        drop(self.notes.try_send(note));
    }

    fn log(&self, line: &[u8]) {
        // In one go, so that lines don't mix, and nobody who follows sees half of
        // one.
        let line = [&*self.office.mask.bytes(line), b"\n"].concat();
        let mut log = lock(&self.log);
        if log.written >= LOG_MAX {
            return;
        }
        if log.file.is_none() {
            let made = fs::create_dir_all(&self.office.logs);
            let path = self.office.logs.join(format!("{}.log", self.name));
            let opened =
                made.and_then(|()| OpenOptions::new().create(true).append(true).open(path));
            log.file = opened.ok();
        }
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        log.written = log.written.saturating_add(length);
        let is_over = log.written >= LOG_MAX;
        if let Some(file) = &mut log.file {
            // A log that can't be written must not end the work it is about.
            drop(file.write_all(&line));
            if is_over {
                drop(file.write_all(b"[flow: the log is full]\n"));
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    fn folder(&self) -> Result<PathBuf, StepFailure> {
        let mut own = lock(&self.folder);
        if let Some(folder) = &*own {
            return Ok(folder.clone());
        }
        self.office.reaper.watch();
        let made = self.office.folders.take().map_err(|error| {
            let message = format!("cannot make a folder for the attempt ({error})");
            StepFailure::unsent(FailureClass::Transient, message)
        })?;
        *own = Some(made.clone());
        Ok(made)
    }

    fn keep(&self, bytes: &mut dyn Read, media: Media) -> Result<Artifact, StepFailure> {
        let kept = secrets::keep(&self.office.blobs, &self.office.mask, bytes)?;
        let artifact = Artifact {
            digest: kept.digest.to_string().into(),
            media,
            bytes: kept.size,
            facts: std::collections::BTreeMap::new(),
        };
        let mut all = lock(&self.kept);
        all.push(kept);
        Ok(artifact)
    }

    fn open(&self, artifact: &Artifact) -> Result<PathBuf, StepFailure> {
        let digest: Digest = artifact
            .digest
            .parse()
            .map_err(|_| StepFailure::unsent(FailureClass::Bug, "the artifact has no digest"))?;
        self.office
            .blobs
            .path(&digest)
            .map_err(|error| StepFailure::unsent(FailureClass::Invalid, error.to_string()))
    }

    fn secret(&self, name: &str) -> Result<Arc<str>, StepFailure> {
        (self.office.secrets)(name)
            .map_err(|error| StepFailure::unsent(FailureClass::Auth, error.to_string()))
    }

    fn mask(&self) -> Mask {
        self.office.mask.clone()
    }

    fn adopt_group(&self, group: u32) {
        self.group.store(group, Ordering::Release);
        self.office.reaper.adopt(group);
    }

    fn release_group(&self, group: u32) {
        self.group.store(0, Ordering::Release);
        self.office.reaper.release(group);
    }
}
