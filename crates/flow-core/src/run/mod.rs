//! Runs: a plan, walked as far as the events of its log say.
//!
//! [`Run::decide`] is the only place where events are made. [`Run::apply`]
//! folds one into the state and says what changed in what should be in
//! progress; it never fails, and an event that comes too late changes nothing.
//! [`Run::outstanding`] derives all that should be in progress from the whole.
//!
//! Who drives a run hands every [`Action::Evaluate`] back at once, commits the
//! events, and only then carries out the other actions.
//!
//! Modules, in reading order: what goes in and out; what a plan looks like and
//! what a run holds; how events are folded and what follows from them; what
//! values expressions have; how events are decided.

mod wish;

mod shape;
mod state;

mod ahead;
mod attempts;
mod fold;
mod items;
mod notice;
mod renew;
mod reopen;
mod stop;
mod walk;

mod look;
mod place;
mod scope;

mod decide;
mod durable;
mod evaluate;
mod left;
mod orders;
mod outcome;
mod prepare;
mod programs;

mod inspect;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::address::{At, RunId, Ticket};
use crate::amount::{Money, Timestamp};
use crate::digest::Digest;
use crate::event::{BEHAVIOUR, BudgetSet, Event, Fact, PinnedFile, Start, Status, Timer};
use crate::handle::{Handle, Values};
use crate::plan::Plan;
use crate::step::{Bill, Program};
use crate::value::Value;

use notice::Active;
use shape::Shape;
use state::{CellId, FrameId, Frames, Orphan, OrphanState, Phase, State};
use walk::Task;

pub use ahead::Ahead;
pub(crate) use fold::{given_up, lost, stopped};
pub use inspect::{ItemsNow, Stance, Stray};
pub use left::in_block;
pub use look::{Belongs, OpenOutcome, OpenQuestion, Shortage};
pub(crate) use place::{keys_of, path_in};
pub use renew::{Left, Leftover};
pub use scope::constant;
pub(crate) use scope::load;
pub use wish::{Action, Corrupt, Delta, Fits, Input, Prepared, Refusal, Replan, Shared, Standing};

/// The state of a run: a fold of its events over its plan.
#[derive(Debug, Clone)]
pub struct Run {
    plan: Arc<Plan>,
    shape: Arc<Shape>,
    /// Plans that may be followed later.
    offered: BTreeMap<Digest, Arc<Plan>>,
    start: Start,
    /// The arguments of the workflow, as a list in their order.
    inputs: Handle,
    /// The files of the project that the plan names.
    files: Vec<PinnedFile>,
    /// What may be taken over since it last began again.
    estate: Option<Digest>,
    started_at: Timestamp,
    last_at: Timestamp,
    epoch: u64,
    /// Counts resets, new plans and second tries of workflows.
    generation: u32,
    frames: Frames,
    root: Option<FrameId>,
    /// Who paused it.
    paused: Option<Arc<str>>,
    settled: Option<(Status, Option<Handle>)>,
    /// The most that the run itself may spend.
    budget: Option<Money>,
    /// The budgets of instances.
    budgets: BTreeMap<At, BudgetSet>,
    /// The active times of instances.
    active: BTreeMap<At, Active>,
    timers: BTreeSet<(Timestamp, Timer)>,
    orphans: BTreeMap<Ticket, Orphan>,
    /// Attempts from before the run began again, and the instances that took
    /// them over.
    joined: BTreeMap<Ticket, At>,
    /// What the commands of plugins consisted of when somebody last looked.
    programs: BTreeMap<Arc<str>, Program>,
    /// Bills that nobody knows yet.
    presumed: BTreeMap<Ticket, Money>,
    costs: Costs,
    tasks: VecDeque<Task>,
    delta: Delta,
}

/// What a run has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Costs {
    /// What was billed.
    pub spent: Money,
    /// What may have been charged; nobody knows.
    pub presumed: Money,
    /// What is held for attempts in progress.
    pub held: Money,
}

impl Run {
    /// Makes a new run, and its first event, which is applied already.
    pub fn start(plan: Arc<Plan>, start: Start, now: Timestamp) -> (Self, Event, Delta) {
        let event = Event {
            at: now,
            fact: Fact::RunStarted(Box::new(start.clone())),
        };
        let mut run = Self::new(plan, start, now);
        let delta = run.take_delta();
        (run, event, delta)
    }

    /// Folds a log. The plans that it speaks of are asked for by their digests.
    pub fn replay(
        plans: &dyn Fn(&Digest) -> Option<Arc<Plan>>,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<Self, Corrupt> {
        let mut events = events.into_iter();
        let Some(Event {
            at,
            fact: Fact::RunStarted(start),
        }) = events.next()
        else {
            return Err(Corrupt::NoStart);
        };
        if start.behaviour != BEHAVIOUR {
            return Err(Corrupt::Behaviour(start.behaviour));
        }
        let plan = plans(&start.plan).ok_or(Corrupt::NoPlan(start.plan))?;
        let mut run = Self::new(plan, *start, at);
        run.take_delta();
        for event in events {
            run.follow_log(plans, &event)?;
        }
        Ok(run)
    }

    /// Folds the next event of a log.
    pub fn follow_log(
        &mut self,
        plans: &dyn Fn(&Digest) -> Option<Arc<Plan>>,
        event: &Event,
    ) -> Result<(), Corrupt> {
        if let Fact::PlanReplaced { plan, .. } = &event.fact {
            self.offer(*plan, plans(plan).ok_or(Corrupt::NoPlan(*plan))?);
        }
        self.apply(event);
        Ok(())
    }

    fn new(plan: Arc<Plan>, start: Start, now: Timestamp) -> Self {
        let mut run = Self {
            shape: Arc::new(Shape::of(&plan)),
            plan,
            offered: BTreeMap::new(),
            budget: start.budget,
            inputs: start.inputs.clone(),
            files: start.files.clone(),
            estate: start.estate,
            start,
            started_at: now,
            last_at: now,
            epoch: 0,
            generation: 0,
            frames: Frames::default(),
            root: None,
            paused: None,
            settled: None,
            budgets: BTreeMap::new(),
            active: BTreeMap::new(),
            timers: BTreeSet::new(),
            orphans: BTreeMap::new(),
            joined: BTreeMap::new(),
            programs: BTreeMap::new(),
            presumed: BTreeMap::new(),
            costs: Costs::default(),
            tasks: VecDeque::new(),
            delta: Delta::default(),
        };
        run.begin();
        run
    }

    /// Begins at the beginning, with nothing walked.
    fn begin(&mut self) {
        let root = self.open_frame(0, None, None);
        self.root = Some(root);
        if let Some(recalled) = &self.start.recalled {
            // Nothing is walked: all of it is there already.
            let value = recalled.value.clone();
            self.tasks.clear();
            self.set(
                CellId {
                    frame: root,
                    pos: 0,
                },
                State::Done(value),
            );
        }
        self.settle_all();
        // A plan without steps is over before it has begun.
        self.compare_settling(false);
    }

    /// Gives the run a plan that it may be told to follow.
    pub fn offer(&mut self, digest: Digest, plan: Arc<Plan>) {
        self.offered.insert(digest, plan);
    }

    /// Folds an event, and says what changed in what should be in progress.
    pub fn apply(&mut self, event: &Event) -> Delta {
        let was_over = self.can_settle();
        // Nobody owned the run before it was taken: that time doesn't count.
        if !matches!(
            event.fact,
            Fact::OwnerTook { .. } | Fact::ProgramsFound { .. }
        ) {
            self.last_at = self.last_at.max(event.at);
        }
        self.fold(event);
        self.settle_all();
        self.compare_settling(was_over);
        self.take_delta()
    }

    /// Returns all that should be in progress.
    pub fn outstanding(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for frame in self.frames.ids() {
            let count = shape::small(self.frames.get(frame).cells.len());
            for pos in 0..count {
                actions.extend(self.wishes(CellId { frame, pos }).actions);
            }
        }
        actions.extend(self.orphans.values().filter_map(orphan_action));
        if self.can_settle() {
            actions.push(settling());
        }
        actions
    }

    /// Returns when [`Input::Tick`] should come next.
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.settled.is_some() {
            return None;
        }
        self.timers.first().map(|(at, _)| *at)
    }

    fn take_delta(&mut self) -> Delta {
        std::mem::take(&mut self.delta)
    }

    /// Returns whether the run is over but for saying so.
    fn can_settle(&self) -> bool {
        let Some(root) = self.root_cell() else {
            return false;
        };
        self.settled.is_none()
            && self.frames.cell(root).state.is_settled()
            && !self.orphans.values().any(Orphan::is_open)
    }

    fn compare_settling(&mut self, before: bool) {
        match (before, self.can_settle()) {
            (false, true) => self.wish(settling()),
            (true, false) => self.delta.withdrawn.push(settling()),
            (true, true) | (false, false) => {}
        }
    }

    fn root_cell(&self) -> Option<CellId> {
        self.root.map(|frame| CellId { frame, pos: 0 })
    }

    // What it is.

    /// Returns its name.
    pub fn id(&self) -> &RunId {
        &self.start.run
    }

    /// Returns how it began.
    pub fn started(&self) -> &Start {
        &self.start
    }

    /// Returns the plan that it follows.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns the arguments of its workflow, as a list in their order.
    pub fn inputs(&self) -> &Handle {
        &self.inputs
    }

    /// Returns the files of the project that its plan names.
    pub fn files(&self) -> &[PinnedFile] {
        &self.files
    }

    /// Returns what may be taken over since it last began again: the digest of
    /// an [`Estate`](crate::edit::Estate).
    pub fn estate(&self) -> Option<Digest> {
        self.estate
    }

    /// Returns how many owners it has had.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the time of its last event.
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// Returns what it has cost.
    pub fn costs(&self) -> Costs {
        self.costs
    }

    /// Returns the attempts whose bills nobody knows, with what they count as.
    pub fn presumed(&self) -> impl Iterator<Item = (&Ticket, Money)> {
        self.presumed
            .iter()
            .map(|(ticket, amount)| (ticket, *amount))
    }

    /// Returns what an attempt counts as having cost, if nobody knows it.
    pub fn presumed_of(&self, ticket: &Ticket) -> Option<Money> {
        self.presumed.get(ticket).copied()
    }

    /// Returns the attempts that hold something.
    pub fn open_tickets(&self) -> impl Iterator<Item = Ticket> {
        let cells = self.cells_where(
            |state| matches!(state, State::Step(step) if step.phase.running().is_some()),
        );
        let open = cells.into_iter().filter_map(|cell| {
            let step = self.step(cell)?;
            Some(self.ticket_of(cell, step.attempt))
        });
        let orphans = self.orphans.values().filter(|orphan| orphan.is_open());
        open.chain(orphans.map(|orphan| orphan.ticket.clone()))
    }

    /// Returns the job of an attempt that runs elsewhere.
    pub fn job(&self, ticket: &Ticket, values: &dyn Values) -> Option<Value> {
        let job = if let Some(orphan) = self.orphans.get(ticket) {
            let Phase::Remote(_, job) = &orphan.step.phase else {
                return None;
            };
            job
        } else {
            let step = self.step(self.attempt(ticket)?)?;
            let Phase::Remote(_, job) = &step.phase else {
                return None;
            };
            job
        };
        load(job, values).ok()
    }

    /// Returns how it ended, if it did.
    pub fn status(&self) -> Option<Status> {
        self.settled.as_ref().map(|(status, _)| *status)
    }

    /// Returns what it gave.
    pub fn output(&self, values: &dyn Values) -> Option<Value> {
        let (_, output) = self.settled.as_ref()?;
        load(output.as_ref()?, values).ok()
    }

    /// Returns the value behind a handle.
    pub fn load(&self, handle: &Handle, values: &dyn Values) -> Option<Value> {
        load(handle, values).ok()
    }

    /// Returns whether something in it doesn't fit into a budget.
    pub fn is_short(&self) -> bool {
        !self
            .cells_where(|state| matches!(state, State::Step(step) if step.phase == Phase::Held))
            .is_empty()
    }

    /// Returns whether it was paused.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Returns how it stands.
    pub fn standing(&self) -> Standing {
        if self.settled.is_some() {
            return Standing::Over;
        }
        let mut tally = Tally::default();
        for frame in self.frames.ids() {
            for cell in &self.frames.get(frame).cells {
                if let State::Step(step) = &cell.state {
                    tally.count(&step.phase, self.paused.is_some());
                }
            }
        }
        let is_evaluating = self.can_settle() || self.has_decisions();
        if is_evaluating || tally.working || self.has_busy_orphans() {
            return Standing::Working;
        }
        if self.paused.is_some() {
            return Standing::Paused;
        }
        // A day is too long to sleep for a budget; somebody may raise it.
        let wake = if tally.held {
            self.next_wake_but_money()
        } else {
            self.next_wake()
        };
        match wake {
            _ if tally.unknown || self.orphans.values().any(Orphan::is_open) => Standing::Unknown,
            Some(_) if tally.asking => Standing::Waiting,
            Some(wake) => Standing::Sleeping(wake),
            None if tally.held => Standing::Short,
            None => Standing::Waiting,
        }
    }

    fn has_busy_orphans(&self) -> bool {
        let mut orphans = self.orphans.values();
        orphans.any(|orphan| match orphan.state() {
            Some(OrphanState::Running | OrphanState::Remote(_)) => true,
            Some(OrphanState::Unknown | OrphanState::Resting) | None => false,
        })
    }

    /// Returns whether an expression waits to be evaluated.
    fn has_decisions(&self) -> bool {
        self.frames.ids().any(|id| {
            let cells = self.frames.get(id).cells.iter();
            cells
                .filter_map(|cell| region_of(&cell.state))
                .any(|region| {
                    use state::RegionPhase as Phase;
                    match &region.phase {
                        Phase::Deciding | Phase::Winning(..) | Phase::Closing(_) => true,
                        Phase::Items(items) => !items.closing.is_empty(),
                        Phase::Body(_) | Phase::Pausing(_) | Phase::Resting => false,
                    }
                })
        })
    }
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a claim of its own")]
struct Tally {
    working: bool,
    asking: bool,
    unknown: bool,
    held: bool,
}

impl Tally {
    fn count(&mut self, phase: &Phase, is_paused: bool) {
        match phase {
            Phase::Ready => self.working |= !is_paused,
            Phase::Opening
            | Phase::Running(_)
            | Phase::Remote(..)
            | Phase::Probing(_, _, state::Due::Now) => {
                self.working = true;
            }
            Phase::Held => self.held = true,
            Phase::Asking(..) => self.asking = true,
            Phase::Unknown(_) => self.unknown = true,
            Phase::Sleeping(..) | Phase::Pausing(_) | Phase::Probing(..) => {}
        }
    }
}

fn region_of(state: &State) -> Option<&state::RegionState> {
    match state {
        State::Region(region) => Some(region),
        State::Waiting
        | State::Value(_)
        | State::Step(_)
        | State::Done(_)
        | State::Failed(_)
        | State::Blocked
        | State::Cut => None,
    }
}

/// The wish of a run that is over but for saying so.
fn settling() -> Action {
    Action::Evaluate {
        at: At::root(),
        item: None,
    }
}

fn orphan_action(orphan: &Orphan) -> Option<Action> {
    let ticket = orphan.ticket.clone();
    match orphan.state()? {
        OrphanState::Running => Some(Action::Stop { ticket }),
        OrphanState::Remote(_) => Some(Action::Poll { ticket }),
        OrphanState::Unknown | OrphanState::Resting => None,
    }
}

impl Fact {
    /// Returns the attempt whose hold this ends, and what it cost.
    pub fn settlement(&self) -> Option<(&Ticket, Bill)> {
        match self {
            Self::Succeeded { ticket, bill, .. }
            | Self::Failed { ticket, bill, .. }
            | Self::Stopped { ticket, bill, .. }
            | Self::AttemptLost { ticket, bill, .. }
            | Self::Rebilled { ticket, bill }
            | Self::Resolved {
                ticket,
                bill: Some(bill),
                ..
            } => Some((ticket, *bill)),
            // People and clocks cost nothing, and hold nothing.
            Self::Waits { ticket, .. } | Self::Asked { ticket, .. } => Some((ticket, Bill::None)),
            Self::RunStarted(_)
            | Self::OwnerTook { .. }
            | Self::PauseAsked { .. }
            | Self::ResumeAsked { .. }
            | Self::CancelAsked { .. }
            | Self::Opened { .. }
            | Self::LimitsChanged { .. }
            | Self::PlanReplaced { .. }
            | Self::Reset { .. }
            | Self::Adopted { .. }
            | Self::Joined { .. }
            | Self::RunSettled { .. }
            | Self::Reopened { .. }
            | Self::ProgramsFound { .. }
            | Self::ItemsExpanded { .. }
            | Self::BranchTaken { .. }
            | Self::RoundOpened { .. }
            | Self::RaceWon { .. }
            | Self::Yielded { .. }
            | Self::Broke { .. }
            | Self::Reused { .. }
            | Self::AttemptStarted(_)
            | Self::WasSent { .. }
            | Self::Submitted { .. }
            | Self::Probed { .. }
            | Self::Resolved { bill: None, .. }
            | Self::Elapsed(_)
            | Self::Answered { .. }
            | Self::Refused { .. } => None,
        }
    }
}
