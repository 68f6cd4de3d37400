//! Histories: what happened in a run, instance by instance.
//!
//! A [`Run`] lets go of what ended well, so that it stays small. A history is a
//! second fold of the same log, which forgets nothing that people ask about:
//! every attempt with its time and its bill, where results came from, which arms
//! were taken. It holds handles of values and never a value of its own, and
//! nothing is ever decided by it.
//!
//! Modules, in reading order: what becomes of an event; which name belongs to
//! which instance; how an instance stands, from a run and its history; and how
//! it came, or didn't come, to that.

mod acts;
mod fold;
mod name;
mod reach;
mod survey;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::address::{At, Ords, Part, Ticket};
use crate::amount::{Money, Timestamp};
use crate::digest::Digest;
use crate::effect::Effect;
use crate::event::{Event, Failure, Origin, Status, Then};
use crate::handle::Handle;
use crate::path::Key;
use crate::plan::{NodeId, Plan};
use crate::run::{Corrupt, Run};
use crate::step::{Bill, Sent};

pub use acts::{Act, Acts, Known};
pub use name::{Place, Unplaced};
pub use reach::Reach;
pub use survey::{Arm, Instance, Parts, State, Survey};

/// What happened in a run.
#[derive(Debug, Clone)]
pub struct History {
    plan: Arc<Plan>,
    /// What is known of the instances of each node.
    nodes: Vec<BTreeMap<Ords, Entry>>,
    /// When the run came to its end, if it did and was not taken up again.
    settled: Option<(Timestamp, Status)>,
    /// The owners that it had, each with its instant.
    owners: Vec<(Timestamp, Arc<str>)>,
    /// What was given up, by whom and why.
    cancels: Vec<Cancel>,
    /// When it began again, under another plan or without a part of it.
    edits: Vec<Edit>,
    /// Attempts from before it last began again.
    left: BTreeMap<Ticket, Attempt>,
    /// Those that were taken over, and by which instances.
    joined: BTreeMap<Ticket, At>,
}

/// What happened to an instance.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// When something was first heard of it.
    pub first: Timestamp,
    /// When something was last heard of it.
    pub last: Timestamp,
    /// All attempts at it, in order.
    pub attempts: SmallVec<[Attempt; 1]>,
    /// Where its value comes from, if no attempt made it.
    pub source: Option<Source>,
    /// How it ended, as far as an event says so.
    pub end: Option<End>,
    /// What was decided about it.
    pub choice: Option<Choice>,
    /// Why its fallback was taken, if it was.
    pub fell_back: Option<Failure>,
    /// Why it could not begin the last time, and what follows from that.
    pub refused: Option<Refused>,
    /// Whether it took longer than its `within`.
    pub is_late: bool,
}

/// An attempt at a step.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its name.
    pub ticket: Ticket,
    /// The number of its first event.
    pub seq: u64,
    /// When it began.
    pub started: Timestamp,
    /// When its outcome was known; for one that waits, none.
    pub ended: Option<Timestamp>,
    /// What it may do.
    pub effect: Effect,
    /// What was held for it.
    pub hold: Money,
    /// What it cost.
    pub bill: Bill,
    /// How it stands, or went.
    pub outcome: Outcome,
    /// What its target said of it, if that was asked.
    pub probed: Option<Probed>,
    /// What a person said became of it.
    pub resolved: Option<Resolved>,
    /// Its value when the instant comes that it waits for, or is asked until.
    otherwise: Option<Handle>,
}

/// How an attempt stands, or went.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is in progress.
    Running,
    /// A job was handed in.
    Submitted,
    /// A person was asked.
    Asked,
    /// It is over at an instant.
    Waits(Timestamp),
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed {
        /// Why.
        failure: Failure,
        /// Whether a request got out.
        sent: Sent,
        /// What follows.
        then: Then,
    },
    /// It was stopped.
    Stopped(Then),
    /// It ended with its owner.
    Lost(Then),
    /// A person answered.
    Answered(Arc<str>),
    /// Nobody answered in time, and what was to hold then holds.
    Expired,
}

/// What a target said of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// It happened.
    Found,
    /// It didn't, or the target can't tell; this follows.
    NotFound(Then),
}

/// What a person said of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// When.
    pub at: Timestamp,
    /// What.
    pub verdict: Said,
    /// Who.
    pub by: Arc<str>,
}

/// A verdict without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It happened.
    Happened,
    /// It didn't.
    DidNot,
    /// Nobody will ever know.
    GiveUp,
}

/// Where a value comes from that no attempt made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The event that made it.
    pub from: Origin,
    /// The key that it was found by; without one, it was taken over when the run
    /// was begun again.
    pub key: Option<Digest>,
    /// The number of the event that says so.
    pub seq: u64,
}

/// How an instance ended, as an event says.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It has a value.
    Done(Handle),
    /// It failed.
    Failed(Failure),
    /// It wasn't wanted any more.
    Cut,
}

/// What was decided about a region.
#[derive(Debug, Clone)]
pub enum Choice {
    /// Which arm was taken, if one was.
    Arm {
        /// Its position.
        arm: Option<u32>,
        /// The number of the event.
        seq: u64,
    },
    /// Which items there are.
    Items(Items),
    /// How many rounds there were so far.
    Rounds {
        /// So many.
        opened: u32,
        /// The most there may be.
        max: u32,
        /// The number of the first event.
        seq: u64,
    },
    /// Who won.
    Won(u32),
}

/// The items of a `for`.
#[derive(Debug, Clone)]
pub struct Items {
    /// How many there are.
    pub count: u32,
    /// How many are open at once.
    pub parallel: u32,
    /// The number of the event.
    pub seq: u64,
    /// The items that failed by themselves: their value couldn't be computed.
    pub broken: BTreeMap<u32, Failure>,
    keys: Option<Handle>,
    words: OnceCell<Option<Arc<Vec<Key>>>>,
}

/// Why a step could not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub failure: Failure,
    /// The budget that it doesn't fit into.
    pub ledger: Option<crate::arbiter::LedgerId>,
    /// What follows.
    pub then: Then,
}

/// A part of a run that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// When.
    pub at: Timestamp,
    /// The part.
    pub part: Part,
    /// Who asked.
    pub by: Arc<str>,
    /// Why.
    pub why: Arc<str>,
}

/// A run that began again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub by: Arc<str>,
    /// Whether it follows another plan since then.
    pub is_other_plan: bool,
}

impl History {
    /// Begins a history of a plan, with nothing in it.
    pub fn new(plan: Arc<Plan>) -> Self {
        let count = plan.graph.node_count();
        Self {
            plan,
            nodes: vec![BTreeMap::new(); count],
            settled: None,
            owners: Vec::new(),
            cancels: Vec::new(),
            edits: Vec::new(),
            left: BTreeMap::new(),
            joined: BTreeMap::new(),
        }
    }

    /// Returns the plan that the run follows.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns what happened to an instance.
    pub fn entry(&self, at: &At) -> Option<&Entry> {
        self.nodes.get(at.node.0 as usize)?.get(&at.ords)
    }

    /// Returns what happened to all instances of a node, in the order of items.
    pub fn entries(&self, node: NodeId) -> impl Iterator<Item = (&Ords, &Entry)> {
        let entries = self.nodes.get(node.0 as usize);
        entries.into_iter().flatten()
    }

    /// Returns when and how the run ended.
    pub fn settled(&self) -> Option<(Timestamp, Status)> {
        self.settled
    }

    /// Returns when the run was taken up, the first time it began included.
    pub fn owners(&self) -> &[(Timestamp, Arc<str>)] {
        &self.owners
    }

    /// Returns what was given up.
    pub fn cancels(&self) -> &[Cancel] {
        &self.cancels
    }

    /// Returns when the run began again, under another plan or without a part of
    /// it.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }
}

impl Entry {
    /// Returns the last attempt.
    pub fn attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// Returns what all attempts cost, and what of it nobody knows for sure.
    pub fn costs(&self) -> crate::run::Costs {
        let mut costs = crate::run::Costs::default();
        for attempt in &self.attempts {
            match attempt.bill {
                Bill::None => {}
                Bill::Exact(amount) => costs.spent = costs.spent.saturating_add(amount),
                Bill::Presumed(amount) => costs.presumed = costs.presumed.saturating_add(amount),
            }
            if attempt.is_open() {
                costs.held = costs.held.saturating_add(attempt.hold);
            }
        }
        costs
    }

    /// Returns the items, of a `for` that knows them.
    pub fn items(&self) -> Option<&Items> {
        match &self.choice {
            Some(Choice::Items(items)) => Some(items),
            Some(Choice::Arm { .. } | Choice::Rounds { .. } | Choice::Won(_)) | None => None,
        }
    }
}

impl Outcome {
    /// Returns why it failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed { failure, .. } => Some(failure),
            Self::Running
            | Self::Submitted
            | Self::Asked
            | Self::Waits(_)
            | Self::Succeeded
            | Self::Stopped(_)
            | Self::Lost(_)
            | Self::Answered(_)
            | Self::Expired => None,
        }
    }
}

impl Attempt {
    /// Returns whether something is held for it.
    pub fn is_open(&self) -> bool {
        match self.outcome {
            Outcome::Running | Outcome::Submitted => true,
            Outcome::Asked
            | Outcome::Waits(_)
            | Outcome::Succeeded
            | Outcome::Failed { .. }
            | Outcome::Stopped(_)
            | Outcome::Lost(_)
            | Outcome::Answered(_)
            | Outcome::Expired => false,
        }
    }

    /// Returns what follows its outcome, if that isn't its success.
    pub fn then(&self) -> Option<Then> {
        match &self.outcome {
            Outcome::Failed { then, .. } | Outcome::Stopped(then) | Outcome::Lost(then) => {
                Some(*then)
            }
            Outcome::Running
            | Outcome::Submitted
            | Outcome::Asked
            | Outcome::Waits(_)
            | Outcome::Succeeded
            | Outcome::Answered(_)
            | Outcome::Expired => None,
        }
    }
}

/// Folds a log into a run and its history at once.
///
/// The plans that it speaks of are asked for by their digests.
pub fn replay(
    plans: &dyn Fn(&Digest) -> Option<Arc<Plan>>,
    events: impl IntoIterator<Item = Event>,
) -> Result<(Run, History), Corrupt> {
    let mut events = events.into_iter();
    let first = events.next();
    let mut run = Run::replay(plans, first)?;
    let mut history = History::new(run.plan().clone());
    for (seq, event) in (1..).zip(events) {
        run.follow_log(plans, &event)?;
        history.note(seq, &event, run.plan());
    }
    Ok((run, history))
}
