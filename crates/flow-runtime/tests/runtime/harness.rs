//! What the tests of the store have in common: making batches and waiting.

use std::future::Future;
use std::path::Path;

use flow_core::address::RunId;
use flow_core::amount::{Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::plan::NodeId;
use flow_runtime::artifacts::Kept;
use flow_runtime::store::{
    Append, Batch, Begin, Committed, Counts, EPOCH_FIRST, EventRow, Level, NewValue, Options,
    Phase, Refused, Store, Summary,
};
use tempfile::{TempDir, tempdir, tempdir_in};

/// Waits for a future.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// Returns a new folder, in memory if there is a lot of it: a test that loses by
/// itself what was not synced needs no disk that takes its time.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(memory).map_or(0, |found| found.f_bavail * found.f_frsize);
    if free < 1024 * 1024 * 1024 {
        return tempdir().unwrap();
    }
    tempdir_in(memory).or_else(|_| tempdir()).unwrap()
}

/// Opens a store that takes no notice of how full the disk of the tests is.
pub(crate) fn open(root: &Path) -> Store {
    Store::open(root, options()).unwrap()
}

pub(crate) fn options() -> Options {
    Options {
        free_min: 0,
        ..Options::default()
    }
}

pub(crate) fn id(name: &str) -> RunId {
    RunId(name.into())
}

pub(crate) fn event(seq: u64, body: impl Into<Vec<u8>>) -> EventRow {
    EventRow {
        seq,
        at: Timestamp(1000 + i64::try_from(seq).unwrap()),
        kind: 7,
        node: NodeId(3),
        body: body.into(),
    }
}

/// The events of a run from a number on, so many.
pub(crate) fn events(from: u64, count: u64) -> Vec<EventRow> {
    let bodies = (from..from + count).map(|seq| event(seq, format!("event {seq}")));
    bodies.collect()
}

pub(crate) fn begin() -> Begin {
    Begin {
        workflow: "poster".into(),
        plan: Digest::of(b"plan"),
        at: Timestamp(999),
        firing: None,
    }
}

/// A run's first batch, with so many events.
pub(crate) fn first(run: &str, count: u64, level: Level) -> Batch {
    let mut batch = more(run, EPOCH_FIRST, 0, count, level);
    batch.append.as_mut().unwrap().begin = Some(begin());
    batch
}

/// A run's next batch, with so many events.
pub(crate) fn more(run: &str, epoch: u64, head: u64, count: u64, level: Level) -> Batch {
    let mut append = Append::new(id(run), epoch, head);
    append.events = events(head, count);
    Batch {
        level,
        append: Some(append),
        ..Batch::default()
    }
}

/// A batch that has and refers to a blob.
pub(crate) fn with_blob(mut batch: Batch, kept: Kept) -> Batch {
    batch.append.as_mut().unwrap().references.push(kept.digest);
    batch.blobs.push(kept);
    batch
}

/// A batch that has and refers to a value.
pub(crate) fn with_value(mut batch: Batch, body: &[u8], blobs: Vec<Digest>) -> Batch {
    let digest = Digest::of(body);
    batch.append.as_mut().unwrap().references.push(digest);
    batch.values.push(NewValue {
        digest,
        body: body.into(),
        blobs,
    });
    batch
}

pub(crate) fn commit(store: &Store, batch: Batch) -> Result<Committed, Refused> {
    wait(store.commit(batch))
}

/// Says that a run is over.
pub(crate) fn over(phase: Phase) -> Summary {
    Summary {
        at: Timestamp(5000),
        phase,
        counts: Counts {
            done: 3,
            failed: 1,
            running: 0,
            waiting: 2,
        },
        spent: Money(42),
        held: Money(1),
        wake: Some(Timestamp(6000)),
        note: Some(b"note".to_vec()),
    }
}

/// Returns how many events of a run there are, and checks that they are all of
/// them up to its head.
pub(crate) fn length(store: &Store, run: &str) -> u64 {
    let reader = store.reader().unwrap();
    let found = reader.events(&id(run), 0, usize::MAX).unwrap();
    let head = reader.run(&id(run)).unwrap().map_or(0, |run| run.head);
    let numbers: Vec<u64> = found.iter().map(|event| event.seq).collect();
    let expected: Vec<u64> = (0..head).collect();
    assert_eq!(numbers, expected, "the log of `{run}` has no gaps");
    head
}

/// Draws numbers; equal seeds give equal ones.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }
}
