//! A store that is open.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use tokio::sync::{oneshot, watch};

use super::batch::{Batch, Committed, Level, Refused, WriteError};
use super::collect::{self, CollectError, Collected, Collecting, Collection};
use super::disk::{Admission, Disk};
use super::group::Group;
use super::layout::Layout;
use super::mend::mend;
use super::open::{self, OpenError, Options};
use super::queue::{Garbage, Job, Pending, Queue, Swept, Take, Taken};
use super::read::{ReadError, Reader};
use super::recent::{RECENT_BYTES, Recent};
use super::weigh::folder_bytes;
use super::writer::Writer;
use crate::artifacts::Blobs;
use crate::owner::{Life, Owner, OwnerError, Ownership, Pace, look};

/// A store. All of a process share one.
pub struct Store {
    layout: Layout,
    queue: Queue,
    disk: Arc<Disk>,
    blobs: Blobs,
    ownership: Arc<Ownership>,
    /// Many ask for values, which takes microseconds; a connection for each
    /// would cost more than waiting.
    values: Mutex<Values>,
    writer: Option<JoinHandle<()>>,
}

struct Values {
    recent: Recent,
    reader: Option<Reader>,
}

/// Why a run can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// There is none of this name.
    #[error("there is no run `{run}`")]
    NoRun {
        /// The run.
        run: RunId,
    },
    /// Somebody else has it.
    #[error("the run `{run}` is held by {}", holder(*pid, *pace))]
    Owned {
        /// The run.
        run: RunId,
        /// The process, as far as that is known.
        pid: Option<u32>,
        /// Whether it goes on.
        pace: Pace,
    },
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store can't be opened to read it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It can't be seen whether an owner lives.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// The store can't be written.
    #[error(transparent)]
    Write(#[from] Arc<WriteError>),
}

fn holder(pid: Option<u32>, pace: Pace) -> String {
    let process = pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    );
    match pace {
        Pace::Running => process,
        Pace::Stopped => format!("{process}, which is stopped; continue it with `fg` or end it"),
    }
}

impl Store {
    /// Opens the store in a folder; if there is none, one is made.
    pub fn open(root: &Path, options: Options) -> Result<Self, OpenError> {
        let layout = Layout::new(root);
        let mut db = open::open_or_create(&layout, options.closing)?;
        let path = layout.database();
        let failed = |doing| {
            let path = path.clone();
            move |source| OpenError::Database {
                doing,
                path,
                source,
            }
        };
        let disk = Arc::new(Disk::new(layout.clone(), options.free_min));
        let ownership = Arc::new(Ownership::new(layout.clone()));
        let blobs = Blobs::new(layout.clone(), disk.clone(), ownership.clone());
        let mended = mend(&mut db, &layout, blobs.lock(), &options.boot_id());
        mended.map_err(failed("mend"))?;
        let (queue, jobs) = Queue::new(path.display().to_string().into());
        let group = Group::new(
            db,
            layout.clone(),
            options,
            disk.clone(),
            blobs.clone(),
            ownership.clone(),
        );
        let group = group.map_err(failed("prepare"))?;
        let writer = start(jobs, group, &queue);
        let writer = writer.map_err(|source| OpenError::File {
            doing: "start a thread for",
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            layout,
            queue,
            disk,
            blobs,
            ownership,
            values: Mutex::new(Values {
                recent: Recent::new(RECENT_BYTES),
                reader: None,
            }),
            writer: Some(writer),
        })
    }

    /// Waits for room in the queue and puts a batch into it. Batches are written
    /// in the order in which they came into the queue.
    pub async fn send(&self, batch: Batch) -> Result<Pending, Refused> {
        if let Some(append) = &batch.append {
            let numbers = (append.head..).zip(&append.events);
            let is_next = numbers.into_iter().all(|(seq, event)| event.seq == seq);
            assert!(is_next, "events are numbered from the head on");
        }
        self.queue.write(batch).await
    }

    /// Writes a batch and waits until it is committed.
    pub async fn commit(&self, batch: Batch) -> Result<Committed, Refused> {
        self.send(batch).await?.await
    }

    /// Makes durable all that was committed.
    pub async fn flush(&self) -> Result<Committed, Refused> {
        self.commit(Batch {
            level: Level::Synced,
            ..Batch::default()
        })
        .await
    }

    /// Takes a run: if nobody has it, if its owner is dead, or if this process
    /// has it already. What was sent in an earlier epoch is fenced from then on.
    pub async fn take(&self, run: &RunId) -> Result<Taken, TakeError> {
        loop {
            let row = self.reader()?.run(run)?;
            let Some(row) = row else {
                return Err(TakeError::NoRun { run: run.clone() });
            };
            if let Some(owner) = &row.owner
                && *owner != *self.ownership.get()?.id()
                && let Life::Alive { pid, pace } = look(&self.layout, owner)?
            {
                let run = run.clone();
                return Err(TakeError::Owned { run, pid, pace });
            }
            let (answer, receiver) = oneshot::channel();
            let take = Take {
                run: run.clone(),
                seen: row.epoch,
                answer,
            };
            self.queue.ask(Job::Take(take))?;
            let taken = receiver.await.map_err(|_| self.queue.closed())??;
            // If somebody was faster, they are asked for next.
            if let Some(taken) = taken {
                return Ok(taken);
            }
        }
    }

    /// Opens another connection to read.
    pub fn reader(&self) -> Result<Reader, OpenError> {
        Reader::open(&self.layout)
    }

    /// Returns a value that was committed.
    pub fn value(&self, digest: &Digest) -> Result<Option<Arc<[u8]>>, ReadError> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(body) = values.recent.get(digest) {
            return Ok(Some(body));
        }
        let reader = match values.reader.take() {
            Some(reader) => reader,
            None => self.reader()?,
        };
        let found = reader.value(digest);
        values.reader = Some(reader);
        let found: Option<Arc<[u8]>> = found?.map(Into::into);
        if let Some(body) = &found {
            values.recent.put(*digest, body.clone());
        }
        Ok(found)
    }

    /// Returns the large files.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Returns where everything is.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns this process as an owner, and makes it one if it isn't.
    pub fn owner(&self) -> Result<Arc<Owner>, OwnerError> {
        self.ownership.get()
    }

    /// Returns whether new work may begin, now and later.
    pub fn admission(&self) -> watch::Receiver<Admission> {
        self.disk.admission()
    }

    /// Removes what nobody refers to and is old enough. Waits; not for code that
    /// must not.
    pub fn collect(&self, wanted: Collecting) -> Result<Collected, CollectError> {
        let collection = Collection {
            queue: &self.queue,
            layout: &self.layout,
            reader: self.reader()?,
            wanted,
            waited: Duration::ZERO,
            done: Collected::default(),
        };
        collection.run()
    }

    /// Removes a run that is over and isn't kept, with what its steps wrote while
    /// they ran; what only it referred to goes with the next collection. Returns
    /// how many bytes that freed, or nothing if the run isn't gone. Waits; not for
    /// code that must not.
    pub fn forget(&self, run: &RunId, now: Timestamp) -> Result<Option<u64>, CollectError> {
        let Some(row) = self.reader()?.run(run)? else {
            return Ok(None);
        };
        if let Some(owner) = &row.owner
            && *owner != *self.ownership.get()?.id()
            && look(&self.layout, owner)? != Life::Dead
        {
            return Ok(None);
        }
        let run = run.clone();
        let epoch = row.epoch;
        let logs = self.layout.logs(&run);
        let garbage = Garbage::Run { run, epoch, now };
        let swept = collect::remove(&self.queue, Arc::new(garbage))?;
        let is_gone = matches!(swept, Swept::Removed { count: 1, .. });
        if !is_gone {
            return Ok(None);
        }
        let bytes = folder_bytes(&logs);
        collect::remove_logs(&logs)?;
        Ok(Some(bytes))
    }

    /// Ends: waits until all that was sent is durable.
    pub async fn close(mut self) -> Result<(), Arc<WriteError>> {
        let (answer, receiver) = oneshot::channel();
        self.queue.ask(Job::Close(answer))?;
        let closed = receiver.await;
        self.join();
        closed.map_err(|_| self.queue.closed())?
    }

    fn join(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer
                .join()
                .expect("a writer that panics ends the process");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.writer.is_some() {
            // There may be no writer any more; then there is nothing to wait for.
            let (answer, _) = oneshot::channel();
            drop(self.queue.ask(Job::Close(answer)));
            self.join();
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("root", &self.layout.root())
            .finish_non_exhaustive()
    }
}

fn start(jobs: Receiver<Job>, group: Group, queue: &Queue) -> std::io::Result<JoinHandle<()>> {
    let writer = Writer::new(jobs, group, queue.failure().clone());
    let thread = thread::Builder::new().name("store".to_owned());
    thread.spawn(move || writer.run())
}
