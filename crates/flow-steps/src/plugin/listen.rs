//! Listening to a program: its lines, one after the other, up to its answer and
//! to its end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use flow_core::amount::Money;
use flow_core::step::{Desk, Progress};
use flow_core::ty::Media;
use flow_core::value::Artifact;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::spawn_blocking;

use super::kept;
use super::reply::{self, Answer, Reply, Wrong};

/// How long a line may be.
pub(super) const LINE_MAX: usize = 16 << 20;

/// How much a program may write to standard output.
pub(super) const OUTPUT_MAX: usize = 64 << 20;

/// How many files an attempt may have kept.
pub(super) const ARTIFACTS_MAX: usize = 1_000;

/// How much is read at once.
const READ_MAX: usize = 16 * 1024;

/// How long a line is at most that is read on the thread that drives the run.
const AT_ONCE_MAX: usize = 64 * 1024;

/// How long a program may go on when nothing can come of it any more: it has
/// answered, or closed its output.
const LINGER: Duration = Duration::from_secs(5);

/// What a program has said.
#[derive(Default)]
pub(super) struct Heard {
    /// Its answer, and the line that it stood on.
    pub(super) answer: Option<(Answer, usize)>,
    /// What was wrong with what it said: nothing after that counts.
    pub(super) fault: Option<String>,
    /// What it has cost so far.
    pub(super) cost: Option<Money>,
    /// What it says of its request.
    pub(super) sent: Told,
    /// The files that were kept, by the paths that it gave.
    pub(super) artifacts: BTreeMap<String, Artifact>,
    /// How many lines came after the answer.
    pub(super) strays: usize,
}

/// What a program has said of its request before it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Told {
    /// Nothing: it may have sent it at any time.
    #[default]
    Nothing,
    /// That it will say so before it sends anything.
    NotYet,
    /// That it may have got out.
    Sent,
}

/// What whoever waits for a program has to know of what it said.
#[derive(Default)]
pub(super) struct Signs {
    answered: OnceLock<Instant>,
    closed: OnceLock<Instant>,
    is_wrong: AtomicBool,
    is_busy: AtomicBool,
}

impl Signs {
    /// Returns whether there is nothing more to wait for.
    pub(super) fn is_over(&self) -> bool {
        let is_past =
            |since: &OnceLock<Instant>| since.get().is_some_and(|since| since.elapsed() > LINGER);
        self.is_wrong.load(Ordering::Acquire) || is_past(&self.answered) || is_past(&self.closed)
    }

    /// Returns whether something takes long that was said.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Acquire)
    }
}

/// Listens to a program.
pub(super) struct Listener {
    step: Arc<str>,
    desk: Arc<dyn Desk>,
    /// Where its files are.
    folder: PathBuf,
    signs: Arc<Signs>,
    heard: Heard,
    /// The line that is being written.
    line: Vec<u8>,
    /// How many lines there were.
    count: usize,
    total: usize,
}

impl Listener {
    pub(super) fn new(
        step: &Arc<str>,
        desk: &Arc<dyn Desk>,
        folder: &Path,
        signs: &Arc<Signs>,
    ) -> Self {
        Self {
            step: step.clone(),
            desk: desk.clone(),
            folder: folder.to_path_buf(),
            signs: signs.clone(),
            heard: Heard::default(),
            line: Vec::new(),
            count: 0,
            total: 0,
        }
    }

    /// Reads a pipe until everybody who writes to it has closed it. The program
    /// waits while a line is taken, and nothing piles up here.
    pub(super) async fn drain(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else {
            return;
        };
        let mut buffer = Vec::with_capacity(READ_MAX);
        while let Ok(1..) = pipe.read_buf(&mut buffer).await {
            self.take(&buffer).await;
            buffer.clear();
        }
        self.signs.closed.get_or_init(Instant::now);
    }

    /// Takes what is left, a line without an end, and returns what was said.
    pub(super) async fn finish(mut self) -> Heard {
        if !self.line.is_empty() {
            self.end_line().await;
        }
        self.heard
    }

    async fn take(&mut self, bytes: &[u8]) {
        self.total = self.total.saturating_add(bytes.len());
        if self.total > OUTPUT_MAX {
            self.object(format!(
                "`{}` wrote more than {} MiB to standard output; what is large goes into a file",
                self.step,
                OUTPUT_MAX >> 20
            ));
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            // What is wrong stays wrong; the rest is only taken off.
            if self.heard.fault.is_some() {
                return;
            }
            match part.strip_suffix(b"\n") {
                Some(end) => {
                    self.line.extend_from_slice(end);
                    self.end_line().await;
                }
                None => self.line.extend_from_slice(part),
            }
            if self.line.len() > LINE_MAX {
                self.object(format!(
                    "line {} of `{}` is longer than {} MiB; what is large goes into a file",
                    self.count + 1,
                    self.step,
                    LINE_MAX >> 20
                ));
            }
        }
    }

    async fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.count += 1;
        if self.heard.fault.is_some() || line.trim_ascii().is_empty() {
            return;
        }
        let read = if line.len() <= AT_ONCE_MAX {
            reply::read(&line)
        } else {
            self.elsewhere(move || reply::read(&line)).await
        };
        match read {
            Ok(reply) => self.heed(reply).await,
            // It has said what it had to.
            Err(_) if self.heard.answer.is_some() => self.stray(),
            Err(wrong) => self.wrong(&wrong),
        }
    }

    /// Does what takes long on a thread of its own. The pipe is not read
    /// meanwhile, which says nothing about the program.
    async fn elsewhere<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        self.signs.is_busy.store(true, Ordering::Release);
        let done = spawn_blocking(work).await;
        self.signs.is_busy.store(false, Ordering::Release);
        // A panic is the attempt's, wherever it happened.
        done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    async fn heed(&mut self, reply: Reply) {
        if let Some((_, first)) = self.heard.answer
            && !matches!(reply, Reply::Answer(_))
        {
            if self.heard.strays == 0 {
                let note = format!("flow: nothing counts after the answer on line {first}");
                self.desk.log(note.as_bytes());
            }
            self.stray();
            return;
        }
        match reply {
            Reply::Progress { done, note } => self.desk.progress(Progress {
                done,
                note: note.unwrap_or_default().into(),
            }),
            Reply::Log(text) => {
                for line in text.lines() {
                    self.desk.log(line.as_bytes());
                }
            }
            Reply::Cost(cost) => self.heard.cost = self.heard.cost.max(Some(cost)),
            // What got out stays out.
            Reply::Sent(false) if self.heard.sent == Told::Sent => {}
            Reply::Sent(false) => self.heard.sent = Told::NotYet,
            Reply::Sent(true) => self.heard.sent = Told::Sent,
            Reply::Artifact { path, media } => self.keep(path, media).await,
            Reply::Answer(answer) => self.answered(answer),
        }
    }

    fn answered(&mut self, answer: Answer) {
        if let Some((_, first)) = self.heard.answer {
            self.object(format!(
                "`{}` answered twice, on line {first} and on line {}; the answer is its last line",
                self.step, self.count
            ));
            return;
        }
        self.heard.answer = Some((answer, self.count));
        self.signs.answered.get_or_init(Instant::now);
    }

    fn stray(&mut self) {
        self.heard.strays += 1;
    }

    async fn keep(&mut self, path: String, media: Option<Media>) {
        if self.heard.artifacts.len() >= ARTIFACTS_MAX {
            self.object(kept::too_many(&self.step));
            return;
        }
        let (desk, folder) = (self.desk.clone(), self.folder.clone());
        let file = path.clone();
        let keep = move || kept::file(&*desk, &folder, &file, media.unwrap_or(Media::File));
        match self.elsewhere(keep).await {
            Ok(artifact) => drop(self.heard.artifacts.insert(path, artifact)),
            Err(failure) => self.wrong(&Wrong {
                what: format!("names a file that can't be kept: {}", failure.message),
                cure: "its path is relative to the folder that the program runs in".to_owned(),
            }),
        }
    }

    fn wrong(&mut self, wrong: &Wrong) {
        self.object(format!(
            "line {} of `{}` {}; {}",
            self.count, self.step, wrong.what, wrong.cure
        ));
    }

    /// Notes that something is wrong, and that nothing more counts.
    fn object(&mut self, fault: String) {
        self.line = Vec::new();
        self.heard.fault.get_or_insert(fault);
        self.signs.is_wrong.store(true, Ordering::Release);
    }
}
