//! Batches: what is written together, or not at all.

use std::sync::Arc;

use flow_core::address::RunId;
use flow_core::amount::{Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::plan::NodeId;

use crate::artifacts::Kept;
use crate::owner::OwnerId;

/// How sure a commit has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// It survives the process, and soon a power cut too. For what can be made
    /// again at no cost.
    #[default]
    Lazy,
    /// It survives a power cut, and so does all that was committed before.
    Synced,
}

/// What is written together.
#[derive(Debug, Default)]
pub struct Batch {
    /// How sure it has to be.
    pub level: Level,
    /// What is added to a run.
    pub append: Option<Append>,
    /// Values that are too large for events.
    pub values: Vec<NewValue>,
    /// Blobs that were kept for this batch. They are let go of when it is
    /// committed.
    pub blobs: Vec<Kept>,
    /// What runs share, if it changes.
    pub shared: Option<SharedChange>,
    /// Results for other runs.
    pub cache: Vec<CacheEntry>,
    /// Values that workflows remember from run to run.
    pub state: Vec<StateEntry>,
    /// Letters to the owners of runs.
    pub letters: Vec<NewLetter>,
    /// Letters that are of no use any more: what was answered was seen.
    pub letters_over: Vec<LetterTag>,
    /// Runs that collections leave alone from here on, or don't.
    pub pins: Vec<Pin>,
}

/// Whether collections leave a run alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The run.
    pub run: RunId,
    /// Whether they do.
    pub is_kept: bool,
}

/// What is added to a run by who owns it.
#[derive(Debug)]
pub struct Append {
    /// The run.
    pub run: RunId,
    /// The owner's epoch.
    pub epoch: u64,
    /// How many events the run had before.
    pub head: u64,
    /// What the run is, if it begins here.
    pub begin: Option<Begin>,
    /// The events, in order; the first has the number `head`.
    pub events: Vec<EventRow>,
    /// Stored values and blobs that the run keeps alive from here on. Those in
    /// `values` and `blobs` of the batch have to be among them, or they go with
    /// the next collection.
    pub references: Vec<Digest>,
    /// How the run stands now.
    pub summary: Option<Summary>,
    /// What became of acts.
    pub effects: Vec<EffectRow>,
    /// Questions that are asked or over.
    pub asks: Vec<AskChange>,
    /// What attempts are made of, where no entry of the cache says it.
    pub parts: Vec<PartsRow>,
    /// What is answered to letters.
    pub replies: Vec<LetterReply>,
    /// Whether the run has no owner from here on.
    pub hold: Hold,
}

/// Whether a run stays with its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hold {
    /// It does.
    #[default]
    Kept,
    /// It is free for whoever takes it.
    Released,
}

/// The first epoch of a run: that of who began it.
pub const EPOCH_FIRST: u64 = 1;

/// What a new run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// The name of the workflow.
    pub workflow: Arc<str>,
    /// Its plan.
    pub plan: Digest,
    /// When it began.
    pub at: Timestamp,
    /// What made it begin by itself: a trigger, and the instant it was for.
    pub firing: Option<(Arc<str>, Timestamp)>,
}

/// An event, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its number in its run, from 0.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Which kind it is of.
    pub kind: u8,
    /// The node it is about.
    pub node: NodeId,
    /// All of it.
    pub body: Vec<u8>,
}

/// The most bytes that a value has in the database; a larger one is a blob.
pub const VALUE_MAX: usize = 256 * 1024;

/// A value that is too large for events.
#[derive(Debug, Clone)]
pub struct NewValue {
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its bytes.
    pub body: Arc<[u8]>,
    /// The blobs in it: they stay for as long as it does.
    pub blobs: Vec<Digest>,
}

/// What runs share, changed.
#[derive(Debug, Clone)]
pub struct SharedChange {
    /// The version that was read before. It grows by one with every change, so
    /// who sends several in a row knows the next.
    pub version: u64,
    /// The rows that change.
    pub rows: Vec<SharedRow>,
}

/// A row of what runs share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedRow {
    /// Which table of the arbiter it is of.
    pub kind: u8,
    /// Its key.
    pub key: Vec<u8>,
    /// What it says; nothing if there is no such row.
    pub body: Option<Vec<u8>>,
}

/// How a run stands, for lists of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// When it came to stand so.
    pub at: Timestamp,
    /// What it does.
    pub phase: Phase,
    /// How many steps are where.
    pub counts: Counts,
    /// What it has spent.
    pub spent: Money,
    /// What is held for calls that run.
    pub held: Money,
    /// The next instant at which something is due.
    pub wake: Option<Timestamp>,
    /// What it waits for, for people; opaque.
    pub note: Option<Vec<u8>>,
}

/// How many steps of a run are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Steps with a value.
    pub done: u32,
    /// Steps that failed.
    pub failed: u32,
    /// Steps in progress.
    pub running: u32,
    /// Steps that wait for a person, an instant or money.
    pub waiting: u32,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Something is in progress or can be.
    Working,
    /// Only time has to pass.
    Sleeping,
    /// People have to answer, or to say what became of something.
    Waiting,
    /// It doesn't fit into a budget.
    Short,
    /// It was paused.
    Paused,
    /// Everything went well.
    Succeeded,
    /// Something failed that nothing was done about.
    Failed,
    /// Somebody gave it up.
    Cancelled,
}

/// An act that was begun, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectRow {
    /// The attempt; opaque.
    pub ticket: Vec<u8>,
    /// What is known.
    pub state: EffectState,
    /// Since when.
    pub at: Timestamp,
    /// The key by which the target knows the act.
    pub idempotency: Digest,
    /// All of it; opaque.
    pub body: Vec<u8>,
}

/// What is known of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EffectState {
    /// It is about to happen.
    Intended,
    /// It happened.
    Happened,
    /// It didn't happen.
    DidNot,
    /// Nobody knows.
    Unknown,
    /// Nobody will ever know.
    GivenUp,
}

/// A question to a person that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskRow {
    /// The attempt; opaque.
    pub ticket: Vec<u8>,
    /// When it was asked.
    pub at: Timestamp,
    /// When it is too late.
    pub expires: Option<Timestamp>,
    /// All of it; opaque.
    pub body: Vec<u8>,
}

/// A change of the open questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskChange {
    /// One is asked.
    Asked(AskRow),
    /// One is answered, or nobody waits for it any more.
    Over {
        /// The attempt.
        ticket: Vec<u8>,
    },
}

/// A value, or the digest of one in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// A small one: its bytes.
    Inline(Vec<u8>),
    /// One in the store.
    Stored(Digest),
}

/// A result for other runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// The key it is found by.
    pub key: Digest,
    /// The result.
    pub value: Held,
    /// The blobs in an inline value.
    pub blobs: Vec<Digest>,
    /// What the key was made of, to say why another one is another; opaque.
    pub parts: Vec<u8>,
    /// When it was made.
    pub made: Timestamp,
    /// When it is too old.
    pub expires: Option<Timestamp>,
    /// The run that made it.
    pub run: RunId,
    /// The number of the event there.
    pub seq: u64,
}

/// What an attempt is made of, and how the cache let it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartsRow {
    /// The key of its result.
    pub key: Digest,
    /// What the key was made of; opaque.
    pub parts: Vec<u8>,
    /// Why a result that was there was not taken.
    pub missed: Option<Missed>,
}

/// Why a result that was there was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// It was too old, since this instant.
    Stale(Timestamp),
    /// A file of it was removed or lost, at this instant.
    Evicted(Timestamp),
}

/// A value that workflows remember from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// Its key.
    pub key: Vec<u8>,
    /// The value's handle, opaque; nothing to forget it.
    pub handle: Option<Vec<u8>>,
    /// Stored values and blobs behind the handle.
    pub references: Vec<Digest>,
    /// When it was set.
    pub at: Timestamp,
    /// The act that sets it. One that has set a value before changes nothing.
    pub act: Option<Digest>,
}

/// A letter to whoever owns a run: what another process wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLetter {
    /// The run.
    pub run: RunId,
    /// What its writer knows it by.
    pub tag: LetterTag,
    /// When it was written.
    pub at: Timestamp,
    /// What it says; opaque.
    pub body: Vec<u8>,
    /// Stored values and blobs that it keeps alive.
    pub references: Vec<Digest>,
}

/// What the writer of a letter knows it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterTag(pub Arc<str>);

/// What is answered to a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterReply {
    /// The number of the letter.
    pub number: u64,
    /// What is answered; opaque.
    pub body: Vec<u8>,
}

/// A batch is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// How sure the commit is. It can be surer than was asked for.
    pub level: Level,
    /// The number of the commit in this process. Batches of one commit have the
    /// same.
    pub commit: u64,
}

/// Why a batch is not in the store. Nothing of it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The run has moved on under another owner, or under this one.
    #[error("the run `{run}` has gone on without this process")]
    Fenced {
        /// The run.
        run: RunId,
        /// Its epoch and its number of events; nothing if there is no such run.
        now: Option<(u64, u64)>,
    },
    /// There is a run of this name, or one for this firing.
    #[error("there is a run `{run}` already")]
    Begun {
        /// The run that there is.
        run: RunId,
    },
    /// Another process has changed what runs share.
    #[error("another process has changed what runs share")]
    SharedMoved {
        /// The version there is.
        version: u64,
    },
    /// Something is referred to that isn't there any more.
    #[error("the value or artifact {} is gone", digest.short())]
    Gone {
        /// Its digest.
        digest: Digest,
    },
    /// There is no run to write a letter to.
    #[error("there is no run `{run}`")]
    NoRun {
        /// The run.
        run: RunId,
    },
    /// The store can't write.
    #[error(transparent)]
    Failed(Arc<WriteError>),
}

/// Why a store can't write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The disk is full, and the ballast is used up.
    #[error(
        "the disk of `{path}` is full; make room, then resume: what was paid for until then is recorded"
    )]
    Full {
        /// The database.
        path: Arc<str>,
    },
    /// The disk can't be trusted any more. What was not synced then may be lost,
    /// and trying again would hide it.
    #[error(
        "the store `{path}` could not be written ({cause}), and nothing is written any more; check the disk, then resume"
    )]
    Broken {
        /// The database.
        path: Arc<str>,
        /// What the disk or the database said.
        cause: Arc<str>,
    },
    /// Another process doesn't let go of the database.
    #[error(
        "another process has been writing to `{path}` for too long; continue or end it, then resume"
    )]
    Busy {
        /// The database.
        path: Arc<str>,
    },
    /// What was given can't be written.
    #[error("the store `{path}` does not take a row ({cause}); this is a defect of flow")]
    Unfit {
        /// The database.
        path: Arc<str>,
        /// What the database said.
        cause: Arc<str>,
    },
    /// This process can't be an owner.
    #[error("the store `{path}` can't be written by this process ({cause})")]
    NoOwner {
        /// The database.
        path: Arc<str>,
        /// Why it can't.
        cause: Arc<str>,
    },
    /// The store was closed.
    #[error("the store `{path}` is closed")]
    Closed {
        /// The database.
        path: Arc<str>,
    },
}

/// An owner, as the rows of its runs name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnerRow {
    pub(super) id: OwnerId,
    pub(super) host: Arc<str>,
    pub(super) pid: u32,
}

impl Append {
    /// Begins to add to a run: its owner's epoch, and how many events it has.
    pub fn new(run: RunId, epoch: u64, head: u64) -> Self {
        Self {
            run,
            epoch,
            head,
            begin: None,
            events: Vec::new(),
            references: Vec::new(),
            summary: None,
            effects: Vec::new(),
            asks: Vec::new(),
            parts: Vec::new(),
            replies: Vec::new(),
            hold: Hold::Kept,
        }
    }

    /// Returns how many events the run has afterwards.
    pub fn head_after(&self) -> u64 {
        self.head + u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }
}

/// What a row costs in the queue besides its bytes.
const ROW: usize = 64;

impl Batch {
    /// Returns about how many bytes it takes until it is written.
    pub(super) fn size(&self) -> usize {
        let values = self.values.iter().map(|value| value.body.len() + ROW);
        let cache = self.cache.iter().map(|entry| {
            let inline = match &entry.value {
                Held::Inline(body) => body.len(),
                Held::Stored(_) => 0,
            };
            entry.parts.len() + inline + ROW
        });
        let shared = self.shared.iter().flat_map(|change| &change.rows);
        let shared = shared.map(|row| row.key.len() + row.body.as_ref().map_or(0, Vec::len) + ROW);
        let state = self.state.iter();
        let state = state.map(|row| row.key.len() + row.handle.as_ref().map_or(0, Vec::len) + ROW);
        let letters = self.letters.iter().map(|letter| letter.body.len() + ROW);
        let append = self.append.iter().map(Append::size);
        let parts = values.chain(cache).chain(shared).chain(state);
        ROW + parts.chain(letters).chain(append).sum::<usize>() + self.blobs.len() * ROW
    }

    /// Returns how many events it has.
    pub(super) fn events(&self) -> usize {
        self.append.as_ref().map_or(0, |append| append.events.len())
    }
}

impl Append {
    fn size(&self) -> usize {
        let events = self.events.iter().map(|event| event.body.len() + ROW);
        let effects = self.effects.iter();
        let effects = effects.map(|effect| effect.ticket.len() + effect.body.len() + ROW);
        let asks = self.asks.iter().map(|ask| match ask {
            AskChange::Asked(row) => row.ticket.len() + row.body.len() + ROW,
            AskChange::Over { ticket } => ticket.len() + ROW,
        });
        let replies = self.replies.iter().map(|reply| reply.body.len() + ROW);
        let parts = self.parts.iter().map(|row| row.parts.len() + ROW);
        let small = self.references.len() * ROW;
        let all = events
            .chain(effects)
            .chain(replies)
            .chain(asks)
            .chain(parts);
        all.sum::<usize>() + small
    }
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Working,
        Self::Sleeping,
        Self::Waiting,
        Self::Short,
        Self::Paused,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Returns whether the run is over.
    pub fn is_over(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
            Self::Working | Self::Sleeping | Self::Waiting | Self::Short | Self::Paused => false,
        }
    }

    pub(super) fn code(self) -> i64 {
        match self {
            Self::Working => 0,
            Self::Sleeping => 1,
            Self::Waiting => 2,
            Self::Short => 3,
            Self::Paused => 4,
            // Those from here on are over: lists of open runs ask for less.
            Self::Succeeded => PHASE_OVER,
            Self::Failed => 17,
            Self::Cancelled => 18,
        }
    }

    pub(super) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.code() == code)
    }
}

/// The first number of a phase that is over.
pub(super) const PHASE_OVER: i64 = 16;

impl Missed {
    /// Returns the two numbers that it is kept as.
    pub(super) fn code(self) -> (i64, i64) {
        match self {
            Self::Stale(since) => (1, since.0),
            Self::Evicted(since) => (2, since.0),
        }
    }

    pub(super) fn from_code(code: i64, since: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Stale(Timestamp(since))),
            2 => Some(Self::Evicted(Timestamp(since))),
            _ => None,
        }
    }
}

impl EffectState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Intended,
        Self::Happened,
        Self::DidNot,
        Self::Unknown,
        Self::GivenUp,
    ];

    pub(super) fn code(self) -> i64 {
        match self {
            Self::Intended => 0,
            Self::Happened => 1,
            Self::DidNot => 2,
            Self::Unknown => 3,
            Self::GivenUp => 4,
        }
    }

    pub(super) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_what_they_stand_for() {
        for phase in Phase::ALL {
            assert_eq!(Phase::from_code(phase.code()), Some(phase));
            assert_eq!(phase.is_over(), phase.code() >= PHASE_OVER, "{phase:?}");
        }
        for state in EffectState::ALL {
            assert_eq!(EffectState::from_code(state.code()), Some(state));
        }
        assert_eq!(Phase::from_code(-1), None);
        let since = Timestamp(7);
        for missed in [Missed::Stale(since), Missed::Evicted(since)] {
            let (code, since) = missed.code();
            assert_eq!(Missed::from_code(code, since), Some(missed));
        }
        assert_eq!(Missed::from_code(0, 7), None);
    }
}
