//! The way to the writer: a queue with room for so many bytes.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::batch::{Batch, Committed, Refused, WriteError};

/// How many bytes may wait for the writer.
pub const QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// What the writer answers to a batch.
pub(super) type Answer = Result<Committed, Refused>;

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Job {
    /// To write a batch.
    Write(Waiting),
    /// To take a run from an owner that is dead.
    Take(Take),
    /// To remove what nobody refers to.
    Collect(Collect),
    /// To end.
    Close(oneshot::Sender<Result<(), Arc<WriteError>>>),
}

/// A batch and who waits for it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) batch: Box<Batch>,
    pub(super) answer: oneshot::Sender<Answer>,
    /// The room it takes, which is free again when this is dropped.
    pub(super) room: OwnedSemaphorePermit,
}

/// A run to take.
#[derive(Debug)]
pub(super) struct Take {
    pub(super) run: RunId,
    /// The epoch in which its owner was found dead.
    pub(super) seen: u64,
    pub(super) answer: oneshot::Sender<Result<Option<Taken>, Arc<WriteError>>>,
}

/// A run that belongs to this process now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The epoch to write in.
    pub epoch: u64,
    /// How many events the run has.
    pub head: u64,
}

/// Something to remove, a few at a time.
#[derive(Debug)]
pub(super) struct Collect {
    pub(super) garbage: Arc<Garbage>,
    pub(super) answer: oneshot::Sender<Result<Swept, Arc<WriteError>>>,
}

/// What may be removed; it is asked again whether anybody refers to it.
#[derive(Debug)]
pub(super) enum Garbage {
    /// Entries of the cache that are too old by now, or were made up to an
    /// instant.
    Cache {
        keys: Vec<Digest>,
        now: Timestamp,
        made_max: Option<Timestamp>,
    },
    /// Letters that were answered, and written up to an instant.
    Letters { at_max: Timestamp },
    /// Values.
    Values(Vec<Digest>),
    /// Blobs that were kept up to an instant.
    Blobs {
        digests: Vec<Digest>,
        made_max: Timestamp,
        now: Timestamp,
    },
    /// Files that are no blobs of the store.
    Orphans(Vec<Digest>),
    /// A run that is over, with all that is its own, if its epoch is still this.
    Run {
        run: RunId,
        epoch: u64,
        now: Timestamp,
    },
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swept {
    /// So many are removed, with so many bytes.
    Removed { count: u64, bytes: u64 },
    /// Somebody is keeping blobs just now.
    Busy,
}

/// The near end of the queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    jobs: Sender<Job>,
    room: Arc<Semaphore>,
    path: Arc<str>,
    failure: Failure,
}

/// Why nothing is written any more, once that is so.
pub(super) type Failure = Arc<OnceLock<Arc<WriteError>>>;

impl Queue {
    pub(super) fn new(path: Arc<str>) -> (Self, Receiver<Job>) {
        // The room bounds the channel: no batch is in it without its bytes.
        let (jobs, receiver) = mpsc::channel();
        let queue = Self {
            jobs,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            path,
            failure: Failure::default(),
        };
        (queue, receiver)
    }

    pub(super) fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Waits for room and puts a batch into the queue.
    pub(super) async fn write(&self, batch: Batch) -> Result<Pending, Refused> {
        if let Some(failure) = self.failure.get() {
            return Err(Refused::Failed(failure.clone()));
        }
        // A batch that is larger than the queue has it for itself.
        let size = u32::try_from(batch.size().min(QUEUE_BYTES)).unwrap_or(u32::MAX);
        let room = self.room.clone().acquire_many_owned(size).await;
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting {
            batch: Box::new(batch),
            answer,
            room: room.expect("the room is never closed"),
        };
        self.ask(Job::Write(waiting)).map_err(Refused::Failed)?;
        Ok(Pending {
            answer: receiver,
            queue: self.clone(),
        })
    }

    /// Puts something small into the queue.
    pub(super) fn ask(&self, job: Job) -> Result<(), Arc<WriteError>> {
        self.jobs.send(job).map_err(|_| self.closed())
    }

    /// Returns why there is no answer.
    pub(super) fn closed(&self) -> Arc<WriteError> {
        self.failure.get().cloned().unwrap_or_else(|| {
            Arc::new(WriteError::Closed {
                path: self.path.clone(),
            })
        })
    }
}

/// A batch in the queue, and its answer later. It is written also if this is
/// dropped.
#[derive(Debug)]
#[must_use = "a batch may be refused"]
pub struct Pending {
    answer: oneshot::Receiver<Answer>,
    queue: Queue,
}

impl Future for Pending {
    type Output = Result<Committed, Refused>;

    fn poll(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = Pin::new(&mut self.answer).poll(ctx);
        answer.map(|answer| answer.unwrap_or_else(|_| Err(Refused::Failed(self.queue.closed()))))
    }
}

impl Pending {
    /// Waits for the answer. Not for code that must not wait.
    pub fn wait(self) -> Result<Committed, Refused> {
        let answer = self.answer.blocking_recv();
        answer.unwrap_or_else(|_| Err(Refused::Failed(self.queue.closed())))
    }
}
