//! The writer: the one thread of a process that writes.
//!
//! It takes what waits and commits it together: the time that a sync takes is
//! the time in which the next commit gathers. Who is alone waits for nobody.

use std::process;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use super::batch::{Committed, Level, Refused, WriteError};
use super::group::Group;
use super::queue::{Failure, Job, Waiting};

/// The most events of one commit.
const EVENTS_MAX: usize = 1024;

/// The most bytes of one commit.
const BYTES_MAX: usize = 1024 * 1024;

/// How long a lazy commit waits for others to join.
const LINGER: Duration = Duration::from_millis(2);

/// How long lazy commits may be without a sync.
const UNSYNCED_MAX: Duration = Duration::from_millis(250);

/// How long nothing comes until lazy commits are synced.
const IDLE: Duration = Duration::from_millis(50);

/// How long nothing comes until the log goes into the database and is cut.
const QUIET: Duration = Duration::from_secs(5);

/// From how many bytes on the log goes into the database when nothing comes.
const LOG_LONG: u64 = 16 * 1024 * 1024;

/// From how many bytes on it does in any case.
const LOG_TOO_LONG: u64 = 64 * 1024 * 1024;

/// How often the free space is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// The thread's state.
pub(super) struct Writer {
    pub(super) jobs: Receiver<Job>,
    pub(super) group: Group,
    pub(super) failure: Failure,
    /// Something other than a batch, which ended the gathering.
    stashed: Option<Job>,
    last: Instant,
    looked: Instant,
}

/// What there is to do.
enum Next {
    Job(Job),
    Nothing,
    End,
}

impl Writer {
    pub(super) fn new(jobs: Receiver<Job>, group: Group, failure: Failure) -> Self {
        let now = Instant::now();
        Self {
            jobs,
            group,
            failure,
            stashed: None,
            last: now,
            looked: now,
        }
    }

    /// Writes until nobody can ask for anything any more.
    pub(super) fn run(mut self) {
        let _guard = AbortOnPanic;
        self.group.disk.look();
        loop {
            match self.next() {
                Next::Job(Job::Write(first)) => self.write(first),
                Next::Job(Job::Take(take)) => {
                    let taken = self.check().and_then(|()| {
                        let taken = self.group.take(&take.run, take.seen);
                        taken.map_err(|error| self.fail(error))
                    });
                    drop(take.answer.send(taken));
                }
                Next::Job(Job::Collect(collect)) => {
                    let swept = self.check().and_then(|()| {
                        let swept = self.group.collect(&collect.garbage);
                        swept.map_err(|error| self.fail(error))
                    });
                    drop(collect.answer.send(swept));
                }
                Next::Job(Job::Close(answer)) => {
                    drop(answer.send(self.finish()));
                    return;
                }
                Next::Nothing => self.rest(),
                Next::End => {
                    drop(self.finish());
                    return;
                }
            }
            self.look();
        }
    }

    fn next(&mut self) -> Next {
        if let Some(job) = self.stashed.take() {
            return Next::Job(job);
        }
        let received = match self.rest_in() {
            Some(wait) => self.jobs.recv_timeout(wait),
            None => self.jobs.recv().map_err(RecvTimeoutError::from),
        };
        match received {
            Ok(job) => {
                self.last = Instant::now();
                Next::Job(job)
            }
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// Returns how long to wait until there is something to do unasked.
    fn rest_in(&self) -> Option<Duration> {
        if self.failure.get().is_some() {
            return None;
        }
        let idle = self.last.elapsed();
        let in_time = |after: Duration| Some(after.saturating_sub(idle));
        let barrier = self.group.unsynced_since().and_then(|since| {
            let latest = UNSYNCED_MAX.saturating_sub(since.elapsed());
            in_time(IDLE).map(|idle| idle.min(latest))
        });
        let checkpoint = match self.group.log_length() {
            0 => None,
            length if length >= LOG_LONG => in_time(IDLE),
            _ => in_time(QUIET),
        };
        // Somebody may have made room.
        let room = (!self.group.disk.is_open()).then(|| LOOK.saturating_sub(self.looked.elapsed()));
        [barrier, checkpoint, room].into_iter().flatten().min()
    }

    /// Does what is done when nothing comes.
    fn rest(&mut self) {
        let idle = self.last.elapsed();
        let done = if self.group.unsynced_since().is_some() {
            self.group.barrier()
        } else if self.group.log_length() >= LOG_LONG && idle >= IDLE {
            self.group.checkpoint()
        } else if self.group.log_length() > 0 && idle >= QUIET {
            self.group.cut_log()
        } else {
            Ok(())
        };
        if let Err(error) = done {
            self.fail(error);
        }
    }

    /// Commits a batch with what else waits.
    fn write(&mut self, first: Waiting) {
        let (waiting, level) = self.gather(first);
        let (batches, answers): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .map(|waiting| (*waiting.batch, (waiting.answer, waiting.room)))
            .unzip();
        let outcomes = self.check().and_then(|()| {
            let outcomes = self.group.commit(batches, level);
            outcomes.map_err(|error| self.fail(error))
        });
        match outcomes {
            Ok((outcomes, commit)) => {
                assert_eq!(outcomes.len(), answers.len(), "each batch has its outcome");
                let committed = Committed { level, commit };
                for ((answer, room), outcome) in answers.into_iter().zip(outcomes) {
                    // Nobody may be there to hear it.
                    drop(answer.send(outcome.map(|()| committed)));
                    drop(room);
                }
            }
            Err(failure) => {
                for (answer, _) in answers {
                    drop(answer.send(Err(Refused::Failed(failure.clone()))));
                }
            }
        }
        if self.failure.get().is_none() && self.group.log_length() >= LOG_TOO_LONG {
            let done = self.group.checkpoint();
            if let Err(error) = done {
                self.fail(error);
            }
        }
    }

    /// Takes what waits, up to the size of a commit.
    fn gather(&mut self, first: Waiting) -> (Vec<Waiting>, Level) {
        let until = Instant::now() + LINGER;
        let mut events = first.batch.events();
        let mut bytes = first.batch.size();
        let mut level = first.batch.level;
        let mut waiting = vec![first];
        // Those before may not wait any longer.
        let since = self.group.unsynced_since();
        if since.is_some_and(|since| since.elapsed() >= UNSYNCED_MAX) {
            level = Level::Synced;
        }
        while events < EVENTS_MAX && bytes < BYTES_MAX {
            let next = match level {
                Level::Synced => self.jobs.try_recv().map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                }),
                Level::Lazy => {
                    let left = until.saturating_duration_since(Instant::now());
                    self.jobs.recv_timeout(left)
                }
            };
            match next {
                Ok(Job::Write(next)) => {
                    events += next.batch.events();
                    bytes += next.batch.size();
                    level = level.max(next.batch.level);
                    waiting.push(next);
                }
                Ok(other) => {
                    self.stashed = Some(other);
                    break;
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        (waiting, level)
    }

    /// Looks at the free space now and then.
    fn look(&mut self) {
        if self.looked.elapsed() >= LOOK {
            self.group.disk.look();
            self.looked = Instant::now();
        }
    }

    /// Ends: all that was committed is durable then.
    fn finish(&mut self) -> Result<(), Arc<WriteError>> {
        self.check()?;
        let done = self.group.finish();
        done.map_err(|error| self.fail(error))
    }

    fn check(&self) -> Result<(), Arc<WriteError>> {
        self.failure
            .get()
            .map_or(Ok(()), |failure| Err(failure.clone()))
    }

    /// Notes a failure. After most of them nothing is written any more.
    fn fail(&self, error: WriteError) -> Arc<WriteError> {
        let error = Arc::new(error);
        match *error {
            WriteError::Full { .. } | WriteError::Broken { .. } | WriteError::Closed { .. } => {
                self.failure.get_or_init(|| error.clone());
            }
            // The database is as it was; what is asked next may go well.
            WriteError::Busy { .. } | WriteError::Unfit { .. } | WriteError::NoOwner { .. } => {}
        }
        error
    }
}

/// Ends the process if the writer panics: what it knew is lost, the log is
/// right, and nobody would get an answer any more.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            process::abort();
        }
    }
}
