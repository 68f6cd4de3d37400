//! Events: the facts of a run, in the order in which they became true.
//!
//! A run is a fold of its events over its plan. An event carries what was
//! *decided*, never what could be computed again, so that a later version of
//! the code gives an old log the same meaning.

use std::sync::Arc;

use crate::address::{At, RunId, Ticket};
use crate::amount::{Duration, Money, Timestamp};
use crate::arbiter::LedgerId;
use crate::digest::Digest;
use crate::effect::{Effect, FailureClass};
use crate::handle::Handle;
use crate::plan::{Exhausted, Period};
use crate::step::{Bill, Program, Sent};

/// The version of all rules that leave no event: which step waits for what,
/// how pauses are drawn, what a key is made of, what an expression means.
pub const BEHAVIOUR: u32 = 1;

/// A fact with its time. The times of a run never go back.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub fact: Fact,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The run exists. Always the first.
    RunStarted(Box<Start>),
    /// A process took the run; attempts of others without an outcome are lost.
    OwnerTook {
        /// Counts owners.
        epoch: u64,
        /// The version of flow.
        binary: Arc<str>,
    },
    /// Nothing new is started from here on.
    PauseAsked {
        /// Who asked.
        by: Arc<str>,
    },
    /// It goes on.
    ResumeAsked {
        /// Who asked.
        by: Arc<str>,
    },
    /// A part of the run, or all of it, is given up.
    CancelAsked {
        /// The part; the workflow itself is all of it.
        scope: At,
        /// The item or round of it, if only that.
        item: Option<u32>,
        /// Who asked.
        by: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// The limits of an instance are these, from when it became ready.
    Opened {
        /// The instance.
        at: At,
        /// How long it may be active.
        within: Option<Duration>,
        /// What it may spend.
        budget: Option<BudgetSet>,
    },
    /// A budget is another.
    LimitsChanged {
        /// The instance with the budget; nothing for the run's own.
        at: Option<At>,
        /// The new amount.
        amount: Money,
        /// Who changed it.
        by: Arc<str>,
    },
    /// From here on another plan is followed. Results are adopted one by one.
    PlanReplaced {
        /// The plan.
        plan: Digest,
        /// The digest of what was shown before.
        sheet: Digest,
        /// Who replaced it.
        by: Arc<str>,
        /// The arguments of the workflow from here on, as a list in the order of
        /// the new plan; nothing if they stay as they are, and the files too.
        inputs: Option<Handle>,
        /// The files of the project that the new plan names.
        files: Vec<PinnedFile>,
        /// What may be taken over: the digest of an
        /// [`Estate`](crate::edit::Estate).
        estate: Option<Digest>,
    },
    /// Instances and what depends on them are forgotten; the rest is adopted
    /// one by one.
    Reset {
        /// The instance, or what is around all of them.
        at: At,
        /// Who asked.
        by: Arc<str>,
        /// What may be taken over.
        estate: Option<Digest>,
    },
    /// A result of this or another run is taken over, not made.
    Adopted {
        /// The instance.
        at: At,
        /// Its value.
        value: Handle,
        /// Where it is from.
        from: Origin,
        /// The key by which it was found.
        key: Option<Digest>,
    },
    /// An attempt that began before an edit, and of which the outcome isn't
    /// known yet, is one of this instance from here on.
    Joined {
        /// The instance.
        at: At,
        /// The attempt.
        ticket: Ticket,
    },
    /// The programs of plugins were looked at: from here on they are these.
    ProgramsFound {
        /// Each command of the plan, once.
        programs: Vec<FoundProgram>,
    },
    /// The run is over.
    RunSettled {
        /// How.
        status: Status,
        /// What it gave.
        output: Option<Handle>,
    },
    /// What failed is tried again.
    Reopened {
        /// Who asked.
        by: Arc<str>,
        /// Only this, and what it blocks; nothing for all of it.
        at: Option<At>,
        /// The item or round of it, if only that.
        item: Option<u32>,
    },

    /// The items of a `for` are known.
    ItemsExpanded {
        /// The `for`.
        at: At,
        /// How many there are.
        count: u32,
        /// How many are open at once.
        parallel: u32,
        /// Their keys, as a list of texts; nothing if positions are the keys.
        keys: Option<Handle>,
    },
    /// An arm was chosen.
    BranchTaken {
        /// The choice.
        at: At,
        /// Which arm, in the order of the plan; nothing if none is taken.
        arm: Option<u32>,
    },
    /// A round of a `repeat` begins.
    RoundOpened {
        /// The `repeat`.
        at: At,
        /// Which round, from 0.
        round: u32,
        /// The state that it gets.
        state: Handle,
        /// The most rounds.
        max: u32,
    },
    /// A contender of a `race` was the first to succeed.
    RaceWon {
        /// The race.
        at: At,
        /// Its position in the block.
        arm: u32,
    },
    /// The value of a block was computed.
    Yielded {
        /// The region.
        at: At,
        /// The item, of a `for`.
        item: Option<u32>,
        /// The value.
        value: Handle,
    },
    /// A region, or an item of one, failed by itself: an expression of its own
    /// has no value, or its parts failed and something is done about it.
    Broke {
        /// The region.
        at: At,
        /// The item, of a `for`.
        item: Option<u32>,
        /// Why.
        failure: Failure,
        /// What follows.
        then: Then,
    },

    /// A result was there already.
    Reused {
        /// The instance.
        at: At,
        /// The key it was found by.
        key: Digest,
        /// The value.
        value: Handle,
        /// Where it is from.
        from: Origin,
    },
    /// The intent: an attempt is about to begin, and may use what it was
    /// granted.
    AttemptStarted(Box<Started>),
    /// A request may have got out. Only a hint.
    WasSent {
        /// The attempt.
        ticket: Ticket,
    },
    /// A job was handed in, and is known over there.
    Submitted {
        /// The attempt.
        ticket: Ticket,
        /// What it is called there.
        job: Handle,
        /// When it is forgotten there.
        expires: Option<Timestamp>,
    },
    /// An attempt succeeded.
    Succeeded {
        /// The attempt.
        ticket: Ticket,
        /// The value.
        value: Handle,
        /// What it cost.
        bill: Bill,
    },
    /// An attempt failed.
    Failed {
        /// The attempt.
        ticket: Ticket,
        /// Why.
        failure: Failure,
        /// Whether a request got out.
        sent: Sent,
        /// What it cost.
        bill: Bill,
        /// What follows.
        then: Then,
    },
    /// An attempt was stopped.
    Stopped {
        /// The attempt.
        ticket: Ticket,
        /// Whether a request got out.
        sent: Sent,
        /// What it cost.
        bill: Bill,
        /// What follows.
        then: Then,
    },
    /// An attempt ended with its owner, and nobody saw how.
    AttemptLost {
        /// The attempt.
        ticket: Ticket,
        /// What it counts as having cost.
        bill: Bill,
        /// What follows.
        then: Then,
    },
    /// A target was asked whether an act happened.
    Probed {
        /// The attempt.
        ticket: Ticket,
        /// The value, if it happened.
        found: Option<Handle>,
        /// What follows, if it didn't or the target can't tell.
        then: Then,
    },
    /// Somebody said what became of an attempt of unknown outcome.
    Resolved {
        /// The attempt.
        ticket: Ticket,
        /// What became of it.
        verdict: Verdict,
        /// What it cost, if that is known now.
        bill: Option<Bill>,
        /// Who said so.
        by: Arc<str>,
    },
    /// A bill came after the fact.
    Rebilled {
        /// The attempt.
        ticket: Ticket,
        /// The bill.
        bill: Bill,
    },

    /// An instant has come that something waited for.
    Elapsed(Timer),
    /// An attempt is over at an instant.
    Waits {
        /// The attempt.
        ticket: Ticket,
        /// The instant.
        until: Timestamp,
        /// Its value then.
        value: Handle,
    },
    /// A person was asked.
    Asked {
        /// The attempt.
        ticket: Ticket,
        /// What is asked and shown.
        form: Handle,
        /// The digest of what is shown.
        shown: Digest,
        /// When it is too late.
        expires: Option<Timestamp>,
        /// The value if it is too late.
        otherwise: Option<Handle>,
    },
    /// A person answered.
    Answered {
        /// The attempt.
        ticket: Ticket,
        /// The answer.
        value: Handle,
        /// Who.
        by: Arc<str>,
    },
    /// An attempt can't begin: its arguments have no value, or what it needs
    /// will never be granted.
    Refused {
        /// The instance.
        at: At,
        /// Why.
        failure: Failure,
        /// The budget it doesn't fit into, if it is that.
        ledger: Option<LedgerId>,
        /// How much more that would have to have.
        missing: Option<Money>,
        /// What follows.
        then: Then,
    },
}

/// How a run begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The run.
    pub run: RunId,
    /// The version of the rules that leave no event.
    pub behaviour: u32,
    /// The plan.
    pub plan: Digest,
    /// The arguments of the workflow, as a list in their order.
    pub inputs: Handle,
    /// The files of the project that the plan names, as they were then.
    pub files: Vec<PinnedFile>,
    /// What all draws come from.
    pub seed: u64,
    /// The most that the run may spend, besides what the plan says.
    pub budget: Option<Money>,
    /// What made it start.
    pub trigger: Option<Firing>,
    /// The result of an equal run, which is that of this one.
    pub recalled: Option<Recalled>,
    /// What may be taken over of another run: the digest of an
    /// [`Estate`](crate::edit::Estate).
    pub estate: Option<Digest>,
    /// The run of which this is another one, and how far that was.
    pub parent: Option<Origin>,
}

/// The result of an earlier run with the same plan, arguments and files, all of
/// whose steps were pure.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled {
    /// The key it was found by.
    pub key: Digest,
    /// What that run gave.
    pub value: Handle,
    /// Where it is from.
    pub from: Origin,
}

/// What the command of a plugin consisted of when somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundProgram {
    /// The command, as it was declared.
    pub run: Arc<str>,
    /// What it consisted of; nothing if that can't be said.
    pub program: Option<Program>,
}

/// A file of the project, as it was when the run began.
#[derive(Debug, Clone, PartialEq)]
pub struct PinnedFile {
    /// Its path in the project.
    pub path: Arc<str>,
    /// The artifact.
    pub artifact: Handle,
}

/// What made a run start by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The trigger's name.
    pub trigger: Arc<str>,
    /// How many firings it had before.
    pub number: u64,
    /// The instant it was for.
    pub scheduled: Timestamp,
    /// What happened, as the trigger's type says.
    pub event: Option<Handle>,
}

/// A budget of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetSet {
    /// The amount.
    pub amount: Money,
    /// In which period; without one, in this run.
    pub per: Option<Period>,
    /// What happens when a call doesn't fit.
    pub or: Exhausted,
    /// What its ledger is called in this run: the place of the instance, with
    /// the keys of items and without the name of the workflow. Runs that began
    /// before ledgers had names count by addresses.
    pub place: Option<Arc<str>>,
}

/// Where a value was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The run.
    pub run: RunId,
    /// The position of its event there.
    pub seq: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Everything went well.
    Succeeded,
    /// Something failed that nothing was done about.
    Failed,
    /// Somebody gave it up.
    Cancelled,
}

/// A failure, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its class.
    pub class: FailureClass,
    /// What went wrong, for people.
    pub message: Arc<str>,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: it has failed.
    Fail,
    /// Its fallback is taken.
    FallBack,
    /// It is tried again at an instant.
    Again {
        /// The instant.
        wake: Timestamp,
        /// Whether the next attempt is the same act, under the same key.
        same: Same,
        /// Whether it used up one of the attempts.
        counts: Counts,
    },
    /// The target is asked at an instant.
    Probe {
        /// The instant.
        wake: Timestamp,
    },
    /// Somebody has to say what became of it.
    Unknown,
    /// It waits for a larger budget, or for a person.
    Hold,
    /// It waits for these, or for an instant: its budget is for a period, and
    /// another one begins.
    HoldUntil {
        /// The instant.
        wake: Timestamp,
    },
    /// It was stopped, and that was wanted.
    Cut,
}

/// Whether the next attempt is the same act as the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// It is: nobody knows what became of the last.
    Act,
    /// It isn't: it is known that the last didn't happen.
    No,
}

/// Whether an attempt uses up one of those that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// It does.
    Yes,
    /// It doesn't: the other side asked for patience, or the owner died.
    No,
}

/// The intent of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The attempt.
    pub ticket: Ticket,
    /// What it may do.
    pub effect: Effect,
    /// The digest of its arguments. A replay that computes another is refused.
    pub input: Digest,
    /// The key its result is shared by, if it is.
    pub key: Option<Digest>,
    /// The key by which the target knows the act.
    pub idempotency: Digest,
    /// What it may use and spend.
    pub grant: Grant,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// The key without the seed, if the step draws from one.
    pub unseeded: Option<Digest>,
}

/// What an attempt may use and spend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// The most it may cost: so much is held for it.
    pub hold: Money,
    /// The ledgers in which it is held.
    pub ledgers: Vec<LedgerId>,
    /// The pools it has a slot of.
    pub pools: Vec<Arc<str>>,
    /// The name of the price that the bound was computed from.
    pub price: Option<Arc<str>>,
}

/// What somebody says about an unknown outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It happened, and this is its value.
    Happened(Handle),
    /// It didn't: it is tried again.
    DidNot,
    /// Nobody will ever know: it has failed.
    GiveUp,
}

/// What waited for an instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// An instance, to be tried again or probed.
    Pause(At),
    /// An instance's `within`.
    Within(At),
    /// An attempt that waits.
    Wait(Ticket),
    /// A question that is too old.
    Expiry(Ticket),
}
