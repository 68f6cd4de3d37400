//! How far a run is: what is counted, and what is in progress.
//!
//! Nobody knows at the beginning how many steps a run will have: the items of a
//! `for` and the arm of an `if` are decided on the way. What is certain counts;
//! the rest is added when it is decided.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use flow_core::address::{At, Ticket};
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::event::{Event, Fact, Status, Then, Timer, Verdict};
use flow_core::plan::{Block, Plan};
use flow_core::run::{Costs, Run, in_block};
use flow_core::step::Progress;

/// How many instants are remembered to tell how fast it goes.
const SAMPLES: usize = 30;

/// How far apart they are.
const SAMPLE: i64 = 1000;

/// How far a run is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// How many steps are certain.
    pub(crate) total: u64,
    /// How many of them are over.
    pub(crate) done: u64,
    /// How many of those failed.
    pub(crate) failed: u64,
    /// How many were there already.
    pub(crate) reused: u64,
    /// What is in progress.
    pub(crate) doing: BTreeMap<Ticket, Doing>,
    /// What it has cost.
    pub(crate) costs: Costs,
    /// What it may cost.
    pub(crate) budget: Option<Money>,
    /// When it was begun, or taken up again.
    pub(crate) since: Timestamp,
    /// How many steps each block has for certain, by its nodes' owner.
    pub(super) sizes: Arc<[u64]>,
    /// How many were over at instants of late.
    pub(super) samples: VecDeque<(Timestamp, u64)>,
}

/// An attempt that isn't over.
#[derive(Debug, Clone)]
pub(crate) struct Doing {
    /// Where it is.
    pub(crate) path: Arc<str>,
    /// Since when.
    pub(crate) since: Timestamp,
    /// What it does.
    pub(crate) state: Busy,
    /// How far it says it is.
    pub(crate) progress: Option<Progress>,
    /// What is held for it.
    pub(crate) held: Money,
}

/// What an attempt does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    /// It works.
    Works,
    /// A job elsewhere is waited for.
    Remote,
    /// It sleeps until an instant.
    Sleeps(Timestamp),
    /// It is tried again at an instant.
    Pauses(Timestamp),
    /// A person is asked.
    Asks,
    /// Nobody knows what became of it.
    Unknown,
}

impl Tally {
    /// Begins to count the steps of a run, of which so many are over.
    pub(crate) fn new(run: &Run, done: u64, now: Timestamp) -> Self {
        let sizes: Arc<[u64]> = run.plan().certain_steps().into();
        Self {
            total: done.saturating_add(run.steps_left(&sizes)),
            done,
            since: now,
            sizes,
            ..Self::default()
        }
    }

    /// Counts an event.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others are about attempts, or about nothing that is counted"
    )]
    pub(crate) fn event(&mut self, plan: &Plan, event: &Event, path: &dyn Fn(&At) -> Arc<str>) {
        match &event.fact {
            Fact::BranchTaken { at, arm: Some(arm) } => self.opens(plan, at, *arm as usize, 1),
            Fact::RoundOpened { at, .. } => self.opens(plan, at, 0, 1),
            Fact::ItemsExpanded { at, count, .. } => self.opens(plan, at, 0, u64::from(*count)),
            Fact::Broke {
                at,
                then: Then::FallBack,
                ..
            } => self.falls_back(plan, at),
            Fact::AttemptStarted(started) => {
                let doing = Doing {
                    path: path(&started.ticket.at),
                    since: event.at,
                    state: Busy::Works,
                    progress: None,
                    held: started.grant.hold,
                };
                self.leave(&started.ticket.at);
                self.doing.insert(started.ticket.clone(), doing);
            }
            Fact::RunSettled { status, .. } => self.ends(*status),
            fact => self.attempt(plan, fact),
        }
        self.sample(event.at);
    }

    /// Counts what becomes of an attempt.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other facts end no attempt")]
    fn attempt(&mut self, plan: &Plan, fact: &Fact) {
        match fact {
            Fact::Submitted { ticket, .. } => self.becomes(ticket, Busy::Remote),
            Fact::Waits { ticket, until, .. } => self.becomes(ticket, Busy::Sleeps(*until)),
            Fact::Asked { ticket, .. } => self.becomes(ticket, Busy::Asks),
            Fact::Reused { at, .. } => {
                self.reused += 1;
                self.over(at);
            }
            Fact::Adopted { at, .. } => self.over(at),
            Fact::Succeeded { ticket, .. }
            | Fact::Answered { ticket, .. }
            | Fact::Elapsed(Timer::Wait(ticket) | Timer::Expiry(ticket))
            | Fact::Resolved {
                ticket,
                verdict: Verdict::Happened(_),
                ..
            }
            | Fact::Probed {
                ticket,
                found: Some(_),
                ..
            } => self.over(&ticket.at),
            Fact::Failed { ticket, then, .. }
            | Fact::Stopped { ticket, then, .. }
            | Fact::AttemptLost { ticket, then, .. }
            | Fact::Probed { ticket, then, .. } => self.follows(plan, &ticket.at, *then),
            Fact::Refused { at, then, .. } => self.follows(plan, at, *then),
            _ => {}
        }
    }

    fn ends(&mut self, status: Status) {
        self.doing.clear();
        if status == Status::Succeeded {
            self.total = self.done.max(1);
            self.done = self.total;
        }
    }

    /// Notes how far an attempt says it is.
    pub(crate) fn progress(&mut self, ticket: &Ticket, progress: &Progress) {
        if let Some(doing) = self.doing.get_mut(ticket) {
            doing.progress = Some(progress.clone());
        }
    }

    /// Returns about how long the rest takes, if that can be told by how fast it
    /// went of late.
    pub(crate) fn rest(&self, now: Timestamp) -> Option<Duration> {
        let (first, before) = self.samples.front()?;
        let millis = now.0.saturating_sub(first.0);
        let made = self.done.saturating_sub(*before);
        let left = self.total.checked_sub(self.done).filter(|left| *left > 0)?;
        // A guess that jumps about is worse than none.
        if made < 3 || millis < 3 * SAMPLE {
            return None;
        }
        let millis = i128::from(millis) * i128::from(left) / i128::from(made);
        let nanos = millis.checked_mul(i128::from(Duration::MILLISECOND.0))?;
        i64::try_from(nanos).ok().map(Duration)
    }

    fn sample(&mut self, now: Timestamp) {
        let last = self.samples.back();
        if last.is_none_or(|(at, _)| now.0 - at.0 >= SAMPLE) {
            self.samples.push_back((now, self.done));
            if self.samples.len() > SAMPLES {
                self.samples.pop_front();
            }
        }
    }

    fn opens(&mut self, plan: &Plan, at: &At, block: usize, times: u64) {
        let blocks = plan.node(at.node).blocks();
        if let Some((_, block)) = blocks.get(block) {
            let size = self.size(block);
            self.total = self.total.saturating_add(size.saturating_mul(times));
        }
    }

    fn falls_back(&mut self, plan: &Plan, at: &At) {
        let blocks = plan.node(at.node).blocks();
        if let Some((Some("else"), block)) = blocks.last() {
            self.total = self.total.saturating_add(self.size(block));
        }
    }

    fn size(&self, block: &Block) -> u64 {
        in_block(&self.sizes, block)
    }

    fn follows(&mut self, plan: &Plan, at: &At, then: Then) {
        match then {
            Then::Fail | Then::Cut => {
                self.failed += u64::from(then == Then::Fail);
                self.over(at);
            }
            Then::FallBack => {
                self.over(at);
                self.falls_back(plan, at);
            }
            Then::Again { wake, .. } | Then::Probe { wake } | Then::HoldUntil { wake } => {
                self.becomes_at(at, Busy::Pauses(wake));
            }
            Then::Unknown => self.becomes_at(at, Busy::Unknown),
            Then::Hold => self.leave(at),
        }
    }

    fn becomes(&mut self, ticket: &Ticket, state: Busy) {
        if let Some(doing) = self.doing.get_mut(ticket) {
            doing.state = state;
        }
    }

    fn becomes_at(&mut self, at: &At, state: Busy) {
        if let Some((ticket, doing)) = self.doing.range_mut(first(at)..).next()
            && ticket.at == *at
        {
            doing.state = state;
            doing.progress = None;
        }
    }

    fn over(&mut self, at: &At) {
        self.done += 1;
        self.leave(at);
    }

    /// Takes an instance out of what is in progress.
    fn leave(&mut self, at: &At) {
        let found = self.doing.range(first(at)..).next();
        if let Some((ticket, _)) = found
            && ticket.at == *at
        {
            let ticket = ticket.clone();
            self.doing.remove(&ticket);
        }
    }
}

/// Returns what comes before all attempts of an instance.
fn first(at: &At) -> Ticket {
    Ticket {
        at: at.clone(),
        generation: 0,
        attempt: 0,
    }
}
