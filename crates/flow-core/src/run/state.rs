//! What a run holds: frames of cells.
//!
//! A *frame* is one instance of a block, a *cell* one instance of a node. A
//! frame that ended well is dropped, and only the handle of its value stays.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::{Ords, Ticket};
use crate::amount::{Money, Timestamp};
use crate::arbiter::LedgerId;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::event::Failure;
use crate::handle::Handle;
use crate::path::Key;
use crate::value::{List, Value};

/// Names a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FrameId(pub(super) u32);

/// Names a cell: its frame, and its position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CellId {
    pub(super) frame: FrameId,
    pub(super) pos: u32,
}

/// An instance of a block.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The block.
    pub(super) block: u32,
    /// The cell that owns it.
    pub(super) owner: Option<CellId>,
    /// Which item or round of the owner it is.
    pub(super) item: Option<u32>,
    /// The items and rounds in the addresses of its cells.
    pub(super) ords: Ords,
    /// How often the run had begun again when it was made.
    pub(super) generation: u32,
    /// Its cells, in the order of the block.
    pub(super) cells: Vec<Cell>,
    /// The regions of its cells that were cut, by position; for a second try.
    pub(super) kept: BTreeMap<u32, Box<RegionState>>,
    /// How many of them are not settled.
    pub(super) open: u32,
    /// Something in it failed, and nothing was done about it.
    pub(super) is_broken: bool,
    /// It failed by itself: its value couldn't be computed.
    pub(super) failure: Option<Failure>,
    /// Something in it was given up.
    pub(super) has_cut: bool,
    /// Nothing in it is wanted any more.
    pub(super) is_cut: bool,
    /// The state that it was made with, of a round.
    pub(super) state: Option<Handle>,
    /// The item or the state that it was made for, once it was asked for.
    pub(super) subject: OnceCell<Value>,
    /// The arguments of a workflow's body, each once it was asked for.
    pub(super) args: OnceCell<Box<[OnceCell<Value>]>>,
}

/// An instance of a node.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// How many edges to it are still waited for.
    pub(super) missing: u32,
    /// How it stands.
    pub(super) state: State,
}

/// How a cell stands.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Something it requires isn't there yet.
    Waiting,
    /// An expression under a name, computed when it is asked for.
    Value(OnceCell<Value>),
    /// A step that isn't over.
    Step(Box<StepState>),
    /// A region, or a fallback, that isn't over.
    Region(Box<RegionState>),
    /// It has a value.
    Done(Handle),
    /// It failed, and nothing was done about it. The region is kept for a
    /// second try.
    Failed(Box<FailedState>),
    /// Something it requires failed.
    Blocked,
    /// It wasn't wanted any more.
    Cut,
}

/// A cell that failed.
#[derive(Debug, Clone)]
pub(super) struct FailedState {
    pub(super) failure: Failure,
    pub(super) region: Option<Box<RegionState>>,
}

/// A step that isn't over.
#[derive(Debug, Clone)]
pub(super) struct StepState {
    pub(super) phase: Phase,
    /// The number of the last attempt.
    pub(super) attempt: u32,
    /// How many attempts were used up.
    pub(super) used: u32,
    /// How many attempts were not counted: the other side asked for patience.
    pub(super) patience: u32,
    /// How many attempts ended with their owner.
    pub(super) lost: u32,
    /// Grows when it is known that an act didn't happen.
    pub(super) era: u32,
    /// When the act of this era was first begun.
    pub(super) era_since: Option<Timestamp>,
    /// Its limits are known, or it has none.
    pub(super) is_opened: bool,
    /// What was wrong the last time.
    pub(super) failure: Option<Failure>,
    /// What it lacks, if it doesn't fit into a budget.
    pub(super) lack: Option<Box<Lack>>,
    /// The last attempt at this act, if nobody knows what became of it, and it
    /// is tried again to find out.
    pub(super) open: Option<Box<Running>>,
    /// What the last attempt was begun with.
    pub(super) intent: Option<Box<Intent>>,
    /// The attempt that it took over from before the run began again.
    pub(super) joined: Option<Ticket>,
}

/// What an attempt was begun with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Intent {
    /// The key of its result.
    pub(super) key: Option<Digest>,
    /// The same without the seed.
    pub(super) unseeded: Option<Digest>,
    /// The key by which its target knows the act.
    pub(super) idempotency: Digest,
    /// The era for which that is.
    pub(super) era: u32,
}

/// Where a step is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// Its limits have to be computed.
    Opening,
    /// It can be admitted.
    Ready,
    /// It doesn't fit into a budget.
    Held,
    /// An attempt is in progress.
    Running(Box<Running>),
    /// A job runs elsewhere.
    Remote(Box<Running>, Handle),
    /// A person is asked.
    Asking(Box<Running>, Box<Asking>),
    /// It is over at an instant.
    Sleeping(Box<Running>, Timestamp, Handle),
    /// It is tried again at an instant.
    Pausing(Timestamp),
    /// Its target is asked from an instant on.
    Probing(Box<Running>, Timestamp, Due),
    /// Somebody has to say what became of it.
    Unknown(Box<Running>),
}

/// What a step lacks that doesn't fit into a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lack {
    /// The budget.
    pub(super) ledger: Option<LedgerId>,
    /// How much more that would have to have.
    pub(super) missing: Option<Money>,
    /// When it is asked for again anyway.
    pub(super) until: Option<Timestamp>,
}

/// Whether an instant has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    NotYet,
    Now,
}

/// An attempt in progress.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Running {
    pub(super) effect: Effect,
    pub(super) hold: Money,
    /// The digest of its arguments.
    pub(super) input: Digest,
    /// The key by which its target knows the act.
    pub(super) idempotency: Digest,
    /// It should stop, for this reason.
    pub(super) stop: Option<Stop>,
}

/// Why an attempt should stop.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stop {
    /// Nothing of its frame is wanted any more.
    Cut,
    /// Its own time is over.
    Within,
}

/// A question that isn't answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asking {
    pub(super) form: Handle,
    pub(super) shown: Digest,
    pub(super) expires: Option<Timestamp>,
    pub(super) otherwise: Option<Handle>,
}

/// A region, or a fallback, that isn't over.
#[derive(Debug, Clone)]
pub(super) struct RegionState {
    pub(super) phase: RegionPhase,
    /// What becomes of it when all in it has come to rest.
    pub(super) ending: Option<Ending>,
    /// How often it was tried.
    pub(super) tries: u32,
    /// Its limits are known, or it has none.
    pub(super) is_opened: bool,
    /// Its value, if that is known before all in it has come to rest.
    pub(super) value: Option<Handle>,
    /// What a `match` found in its `some x`, once it was asked for.
    pub(super) payload: OnceCell<Value>,
}

/// What becomes of a region that was stopped.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// It is cut.
    Cut,
    /// It fails.
    Fail(Failure),
}

/// Where a region is.
#[derive(Debug, Clone)]
pub(super) enum RegionPhase {
    /// An expression decides how it goes on.
    Deciding,
    /// A block of it is walked.
    Body(FrameId),
    /// A contender of a race has succeeded, by position.
    Winning(FrameId, u32),
    /// The block has come to rest, and its value has to be computed or
    /// something has to be done about its failure.
    Closing(FrameId),
    /// A body for each item.
    Items(Box<Items>),
    /// It is tried again at an instant.
    Pausing(Timestamp),
    /// Nothing in it is in progress any more; for a second try only.
    Resting,
}

/// The items of a `for`.
#[derive(Debug, Clone)]
pub(super) struct Items {
    pub(super) count: u32,
    pub(super) parallel: u32,
    /// The first item that wasn't opened.
    pub(super) next: u32,
    /// The open items.
    pub(super) frames: BTreeMap<u32, FrameId>,
    /// Those that have come to rest and whose value has to be computed.
    pub(super) closing: BTreeSet<u32>,
    /// Those that failed, with their frames.
    pub(super) failed: BTreeMap<u32, FrameId>,
    /// What became of the others.
    pub(super) closed: Vec<ItemState>,
    /// Their keys, as they are stored.
    pub(super) keys: Option<Handle>,
    /// The list and the keys, once they were asked for.
    pub(super) list: OnceCell<Arc<List>>,
    pub(super) words: OnceCell<Arc<Vec<Key>>>,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ItemState {
    /// It isn't over.
    Open,
    /// It has a value.
    Done(Handle),
    /// It failed and is left out.
    Left,
}

impl StepState {
    pub(super) fn new(is_opened: bool) -> Self {
        Self {
            phase: if is_opened {
                Phase::Ready
            } else {
                Phase::Opening
            },
            attempt: 0,
            used: 0,
            patience: 0,
            lost: 0,
            era: 0,
            era_since: None,
            is_opened,
            failure: None,
            lack: None,
            open: None,
            intent: None,
            joined: None,
        }
    }

    /// It is wanted again, whatever was said before.
    pub(super) fn want(&mut self) {
        let running = match &mut self.phase {
            Phase::Running(running)
            | Phase::Remote(running, _)
            | Phase::Asking(running, _)
            | Phase::Sleeping(running, ..)
            | Phase::Probing(running, ..)
            | Phase::Unknown(running) => Some(running),
            Phase::Opening | Phase::Ready | Phase::Held | Phase::Pausing(_) => self.open.as_mut(),
        };
        if let Some(running) = running {
            running.stop = None;
        }
    }

    /// What was held can be admitted again.
    pub(super) fn let_go(&mut self) {
        self.lack = None;
        self.phase = Phase::Ready;
    }

    /// Returns whether it is over without a word as soon as nobody wants it: no
    /// attempt is in progress, and none may have happened.
    pub(super) fn is_silent(&self) -> bool {
        match self.phase {
            Phase::Asking(..) | Phase::Sleeping(..) => true,
            Phase::Opening | Phase::Ready | Phase::Held | Phase::Pausing(_) => self.open.is_none(),
            Phase::Running(_) | Phase::Remote(..) | Phase::Probing(..) | Phase::Unknown(_) => false,
        }
    }
}

impl RegionState {
    pub(super) fn new(phase: RegionPhase, is_opened: bool) -> Self {
        Self {
            phase,
            ending: None,
            tries: 1,
            is_opened,
            value: None,
            payload: OnceCell::new(),
        }
    }
}

impl State {
    /// Returns whether what requires it may go on.
    pub(super) fn is_available(&self) -> bool {
        match self {
            Self::Done(_) | Self::Value(_) => true,
            Self::Region(region) => region.value.is_some(),
            Self::Waiting | Self::Step(_) | Self::Failed(_) | Self::Blocked | Self::Cut => false,
        }
    }

    /// Returns whether nothing more happens in it.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Done(_) | Self::Value(_) | Self::Failed(_) | Self::Blocked | Self::Cut => true,
            Self::Waiting | Self::Step(_) | Self::Region(_) => false,
        }
    }
}

impl Phase {
    /// Returns the attempt that is in progress.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            Self::Running(running)
            | Self::Remote(running, _)
            | Self::Asking(running, _)
            | Self::Sleeping(running, ..)
            | Self::Probing(running, ..)
            | Self::Unknown(running) => Some(running),
            Self::Opening | Self::Ready | Self::Held | Self::Pausing(_) => None,
        }
    }

    /// Forgets what is held for it.
    pub(super) fn release(&mut self) {
        match self {
            Self::Running(running)
            | Self::Remote(running, _)
            | Self::Asking(running, _)
            | Self::Sleeping(running, ..)
            | Self::Probing(running, ..)
            | Self::Unknown(running) => running.hold = Money(0),
            Self::Opening | Self::Ready | Self::Held | Self::Pausing(_) => {}
        }
    }

    /// Returns whether a machine has something to do about it.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Opening
            | Self::Ready
            | Self::Running(_)
            | Self::Remote(..)
            | Self::Sleeping(..)
            | Self::Pausing(_)
            | Self::Probing(..) => true,
            Self::Held | Self::Asking(..) | Self::Unknown(_) => false,
        }
    }
}

/// The frames of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Frames {
    slots: Vec<Option<Frame>>,
    free: Vec<FrameId>,
    /// Dropped since the last event; tasks may still speak of them.
    dropped: Vec<FrameId>,
}

impl Frames {
    pub(super) fn insert(&mut self, frame: Frame) -> FrameId {
        if let Some(id) = self.free.pop() {
            self.slots[id.0 as usize] = Some(frame);
            return id;
        }
        let id = FrameId(super::shape::small(self.slots.len()));
        self.slots.push(Some(frame));
        id
    }

    pub(super) fn remove(&mut self, id: FrameId) -> Option<Frame> {
        let frame = self.slots.get_mut(id.0 as usize)?.take();
        if frame.is_some() {
            self.dropped.push(id);
        }
        frame
    }

    /// Lets the names of dropped frames be used again.
    pub(super) fn recycle(&mut self) {
        self.free.append(&mut self.dropped);
    }

    pub(super) fn has(&self, id: FrameId) -> bool {
        self.slots.get(id.0 as usize).is_some_and(Option::is_some)
    }

    pub(super) fn get(&self, id: FrameId) -> &Frame {
        let frame = self.slots.get(id.0 as usize).and_then(Option::as_ref);
        frame.expect("a frame is dropped after all that speak of it")
    }

    pub(super) fn get_mut(&mut self, id: FrameId) -> &mut Frame {
        let frame = self.slots.get_mut(id.0 as usize).and_then(Option::as_mut);
        frame.expect("a frame is dropped after all that speak of it")
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = FrameId> + '_ {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.is_some())
            .map(|(at, _)| FrameId(super::shape::small(at)))
    }

    pub(super) fn cell(&self, id: CellId) -> &Cell {
        &self.get(id.frame).cells[id.pos as usize]
    }

    pub(super) fn cell_mut(&mut self, id: CellId) -> &mut Cell {
        &mut self.get_mut(id.frame).cells[id.pos as usize]
    }
}

/// An attempt that belongs to no cell any more: the run began again while
/// nobody knew what became of it.
#[derive(Debug, Clone)]
pub(super) struct Orphan {
    pub(super) ticket: Ticket,
    /// The step as it stands.
    pub(super) step: Box<StepState>,
    /// The run as it was, which knows its arguments.
    pub(super) former: Arc<super::Run>,
}

/// How an attempt stands that belongs to no cell any more.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum OrphanState {
    /// It is in progress, and should stop.
    Running,
    /// A job of it runs elsewhere.
    Remote(Handle),
    /// Somebody has to say what became of it.
    Unknown,
    /// Nothing is in progress: it can be taken over, or left alone.
    Resting,
}
