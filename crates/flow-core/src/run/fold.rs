//! How an event changes the state. Nothing is decided here: an event that
//! doesn't fit what is there came too late, and changes nothing.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::address::{At, Ticket};
use crate::amount::Money;
use crate::effect::FailureClass;
use crate::event::{Counts, Event, Fact, Failure, Same, Started, Then, Timer, Verdict};
use crate::handle::Handle;
use crate::plan::NodeKind;
use crate::step::Bill;
use crate::value::Value;

use super::Run;
use super::state::{
    Asking, CellId, Due, ItemState, Items, Phase, RegionPhase, RegionState, Running, State, Stop,
};

impl Run {
    pub(super) fn fold(&mut self, event: &Event) {
        match &event.fact {
            Fact::RunStarted(_) => {}
            Fact::OwnerTook { epoch, .. } => {
                self.skip_time(event.at);
                self.epoch = *epoch;
            }
            Fact::PauseAsked { by } => self.pause(Some(by.clone())),
            Fact::ResumeAsked { .. } => self.pause(None),
            Fact::CancelAsked { scope, .. } => self.fold_cancel(scope),
            Fact::Opened { at, within, budget } => {
                let Some(cell) = self.find(at) else { return };
                if let Some(budget) = budget {
                    self.budgets.insert(at.clone(), budget.clone());
                }
                if let Some(within) = within {
                    self.limit_time(cell, at, *within);
                }
                self.fold_opened(cell);
            }
            Fact::LimitsChanged { at, amount, .. } => self.fold_limit(at.as_ref(), *amount),
            Fact::PlanReplaced { plan, .. } => {
                if let Some(plan) = self.offered.get(plan).cloned() {
                    self.shape = super::Shape::of(&plan).into();
                    self.plan = plan;
                    self.begin_again();
                }
            }
            Fact::Reset { .. } => self.begin_again(),
            Fact::Adopted { at, value, .. } | Fact::Reused { at, value, .. } => {
                if let Some(cell) = self.find(at)
                    && let Some(step) = self.step(cell)
                    && step.phase.running().is_none()
                {
                    self.settle(cell, State::Done(value.clone()));
                }
            }
            Fact::RunSettled { status, output } => {
                self.settled = Some((*status, output.clone()));
            }
            Fact::Reopened { .. } => self.reopen(),
            Fact::ItemsExpanded { .. }
            | Fact::BranchTaken { .. }
            | Fact::RoundOpened { .. }
            | Fact::RaceWon { .. }
            | Fact::Yielded { .. }
            | Fact::Broke { .. } => self.fold_region(&event.fact),
            Fact::Elapsed(timer) => self.fold_timer(timer),
            Fact::Refused {
                at, failure, then, ..
            } => {
                if let Some(cell) = self.find(at)
                    && let Some(step) = self.step(cell)
                    && step.phase.running().is_none()
                {
                    self.follow(cell, failure, *then);
                }
            }
            Fact::AttemptStarted(_)
            | Fact::WasSent { .. }
            | Fact::Submitted { .. }
            | Fact::Succeeded { .. }
            | Fact::Failed { .. }
            | Fact::Stopped { .. }
            | Fact::AttemptLost { .. }
            | Fact::Probed { .. }
            | Fact::Resolved { .. }
            | Fact::Rebilled { .. }
            | Fact::Waits { .. }
            | Fact::Asked { .. }
            | Fact::Answered { .. } => self.fold_attempt(event),
        }
    }

    fn pause(&mut self, by: Option<std::sync::Arc<str>>) {
        // What is ready is wished only while the run isn't paused.
        let ready = self
            .cells_where(|state| matches!(state, State::Step(step) if step.phase == Phase::Ready));
        let before: Vec<_> = ready.iter().map(|cell| self.wishes(*cell)).collect();
        self.paused = by;
        for (cell, before) in ready.into_iter().zip(before) {
            self.compare(cell, before);
        }
        self.watch_all();
    }

    pub(super) fn cells_where(&self, is: impl Fn(&State) -> bool) -> Vec<CellId> {
        let mut found = Vec::new();
        for frame in self.frames.ids() {
            let cells = (0..).zip(&self.frames.get(frame).cells);
            let fitting = cells.filter(|(_, cell)| is(&cell.state));
            found.extend(fitting.map(|(pos, _)| CellId { frame, pos }));
        }
        found
    }

    fn fold_cancel(&mut self, scope: &At) {
        let Some(cell) = self.find(scope) else { return };
        match &self.frames.cell(cell).state {
            State::Waiting => self.settle(cell, State::Cut),
            State::Region(_) => self.stop_region(cell, None),
            State::Step(step) => match &step.phase {
                Phase::Running(_) | Phase::Remote(..) => self.stop_attempt(cell, Stop::Cut),
                Phase::Probing(..) | Phase::Unknown(_) => {}
                Phase::Opening
                | Phase::Ready
                | Phase::Held
                | Phase::Pausing(_)
                | Phase::Asking(..)
                | Phase::Sleeping(..) => self.settle(cell, State::Cut),
            },
            State::Value(_) | State::Done(_) | State::Failed(_) | State::Blocked | State::Cut => {}
        }
    }

    fn fold_opened(&mut self, cell: CellId) {
        let is_body = matches!(
            self.kind_of(cell),
            NodeKind::Workflow(_) | NodeKind::Race(_) | NodeKind::Parallel(_)
        );
        match &self.frames.cell(cell).state {
            State::Step(_) => self.edit_step(cell, |step| {
                step.is_opened = true;
                if step.phase == Phase::Opening {
                    step.phase = Phase::Ready;
                }
            }),
            State::Region(_) if is_body => {
                let frame = self.open_frame(self.own_block(cell, 0), Some(cell), None);
                self.edit_region(cell, |region| {
                    region.is_opened = true;
                    region.phase = RegionPhase::Body(frame);
                });
            }
            State::Region(_) => {
                self.edit_region(cell, |region| region.is_opened = true);
                // The same wish again, with another meaning.
                let at = self.at_of(cell);
                self.wish(super::Action::Evaluate { at, item: None });
            }
            State::Waiting
            | State::Value(_)
            | State::Done(_)
            | State::Failed(_)
            | State::Blocked
            | State::Cut => {}
        }
    }

    fn fold_limit(&mut self, at: Option<&At>, amount: Money) {
        match at {
            None => self.budget = Some(amount),
            Some(at) => {
                if let Some(budget) = self.budgets.get_mut(at) {
                    budget.amount = amount;
                }
            }
        }
        // Whatever was held may fit now; if not, it is refused again.
        let held = self
            .cells_where(|state| matches!(state, State::Step(step) if step.phase == Phase::Held));
        for cell in held {
            self.edit_step(cell, |step| step.phase = Phase::Ready);
        }
    }

    // Regions.

    fn fold_region(&mut self, fact: &Fact) {
        let (Fact::ItemsExpanded { at, .. }
        | Fact::BranchTaken { at, .. }
        | Fact::RoundOpened { at, .. }
        | Fact::RaceWon { at, .. }
        | Fact::Yielded { at, .. }
        | Fact::Broke { at, .. }) = fact
        else {
            return;
        };
        let Some(cell) = self.find(at) else { return };
        let Some(region) = self.region(cell) else {
            return;
        };
        if region.ending.is_some() && !matches!(fact, Fact::Broke { .. }) {
            return;
        }
        match fact {
            Fact::ItemsExpanded {
                count,
                parallel,
                keys,
                ..
            } => {
                let items = new_items(*count, *parallel, keys.clone());
                self.edit_region(cell, |region| region.phase = RegionPhase::Items(items));
                self.advance(cell);
            }
            Fact::BranchTaken { arm: None, .. } => {
                self.settle(cell, State::Done(Handle::Small(Value::None)));
            }
            Fact::BranchTaken { arm: Some(arm), .. } => {
                let block = self.own_block(cell, *arm as usize);
                self.open_body(cell, block, None);
            }
            Fact::RoundOpened { round, state, .. } => self.fold_round(cell, *round, state),
            Fact::RaceWon { arm, .. } => self.fold_won(cell, *arm),
            Fact::Yielded { item, value, .. } => self.fold_yielded(cell, *item, value),
            Fact::Broke {
                item,
                failure,
                then,
                ..
            } => match item {
                Some(item) => self.fail_item(cell, *item, failure.clone()),
                None => self.follow(cell, failure, *then),
            },
            _ => {}
        }
    }

    fn open_body(&mut self, cell: CellId, block: u32, item: Option<u32>) {
        let frame = self.open_frame(block, Some(cell), item);
        self.edit_region(cell, |region| region.phase = RegionPhase::Body(frame));
    }

    fn fold_round(&mut self, cell: CellId, round: u32, state: &Handle) {
        self.free_region(cell);
        let block = self.own_block(cell, 0);
        let frame = self.open_frame(block, Some(cell), Some(round));
        self.frames.get_mut(frame).state = Some(state.clone());
        self.edit_region(cell, |region| region.phase = RegionPhase::Body(frame));
    }

    fn fold_won(&mut self, cell: CellId, arm: u32) {
        let Some(region) = self.region(cell) else {
            return;
        };
        let RegionPhase::Winning(frame, _) = region.phase else {
            return;
        };
        let value = self.handle_in(CellId { frame, pos: arm });
        self.edit_region(cell, |region| {
            region.value = Some(value);
            region.phase = RegionPhase::Body(frame);
        });
        self.tasks.push_back(super::Task::Available(cell));
        self.tasks.push_back(super::Task::CutFrame(frame));
    }

    fn fold_yielded(&mut self, cell: CellId, item: Option<u32>, value: &Handle) {
        let Some(region) = self.region(cell) else {
            return;
        };
        match (&region.phase, item) {
            (RegionPhase::Closing(frame), None) => {
                let frame = *frame;
                self.finish(cell, frame, value.clone());
            }
            // A `repeat` without a round gives the state that it got.
            (RegionPhase::Deciding, None) => self.settle(cell, State::Done(value.clone())),
            (RegionPhase::Items(items), Some(item)) if items.closing.contains(&item) => {
                self.close_item(cell, item, ItemState::Done(value.clone()));
            }
            _ => {}
        }
    }

    /// A failure, and what follows it.
    pub(super) fn follow(&mut self, cell: CellId, failure: &Failure, then: Then) {
        let is_cut = self.frames.get(cell.frame).is_cut;
        match then {
            Then::Cut => self.settle(cell, State::Cut),
            Then::Fail => match &self.frames.cell(cell).state {
                State::Region(_) => self.fail_region(cell, failure.clone()),
                _ => self.fail_step(cell, failure),
            },
            Then::FallBack if is_cut => self.settle(cell, State::Cut),
            Then::FallBack => {
                self.free_region(cell);
                let node = self.shape.node(self.node_of(cell));
                let block = *node
                    .blocks
                    .last()
                    .expect("a fallback is a block of its node");
                let frame = self.open_frame(block, Some(cell), None);
                let region = RegionState::new(RegionPhase::Body(frame), true);
                self.set(cell, State::Region(Box::new(region)));
            }
            Then::Again { wake, same, counts } => {
                self.fold_again(cell, failure, wake, same, counts)
            }
            Then::Probe { wake } => self.edit_step(cell, |step| {
                if let Some(running) = step.phase.running().cloned() {
                    step.phase = Phase::Probing(Box::new(running), wake, Due::NotYet);
                }
            }),
            Then::Unknown => self.edit_step(cell, |step| {
                step.failure = Some(failure.clone());
                if let Some(running) = step.phase.running().cloned() {
                    step.phase = Phase::Unknown(Box::new(running));
                }
            }),
            Then::Hold => self.edit_step(cell, |step| {
                step.failure = Some(failure.clone());
                step.phase = Phase::Held;
            }),
        }
    }

    fn fail_step(&mut self, cell: CellId, failure: &Failure) {
        let failed = super::state::FailedState {
            failure: failure.clone(),
            region: None,
        };
        self.settle(cell, State::Failed(Box::new(failed)));
    }

    fn fold_again(
        &mut self,
        cell: CellId,
        failure: &Failure,
        wake: crate::amount::Timestamp,
        same: Same,
        counts: Counts,
    ) {
        if self.region(cell).is_some() {
            self.free_region(cell);
            self.generation += 1;
            self.edit_region(cell, |region| {
                region.tries += 1;
                region.ending = None;
                region.value = None;
                region.phase = RegionPhase::Pausing(wake);
            });
            return;
        }
        let is_cut = self.frames.get(cell.frame).is_cut;
        if is_cut {
            self.settle(cell, State::Cut);
            return;
        }
        let now = self.last_at;
        self.edit_step(cell, |step| {
            match counts {
                Counts::Yes => step.used += 1,
                Counts::No if failure.class == FailureClass::RateLimited => step.patience += 1,
                Counts::No => step.lost += 1,
            }
            if same == Same::No {
                step.era += 1;
                step.era_since = None;
            }
            step.failure = Some(failure.clone());
            step.phase = if wake > now {
                Phase::Pausing(wake)
            } else {
                Phase::Ready
            };
        });
    }

    // Time.

    fn fold_timer(&mut self, timer: &Timer) {
        match timer {
            Timer::Pause(at) => {
                let Some(cell) = self.find(at) else { return };
                self.edit_step(cell, |step| match &mut step.phase {
                    Phase::Pausing(_) => step.phase = Phase::Ready,
                    Phase::Probing(_, _, due) => *due = Due::Now,
                    Phase::Opening
                    | Phase::Ready
                    | Phase::Held
                    | Phase::Running(_)
                    | Phase::Remote(..)
                    | Phase::Asking(..)
                    | Phase::Sleeping(..)
                    | Phase::Unknown(_) => {}
                });
                let is_pausing = self
                    .region(cell)
                    .is_some_and(|region| matches!(region.phase, RegionPhase::Pausing(_)));
                if is_pausing {
                    let block = self.own_block(cell, 0);
                    self.open_body(cell, block, None);
                }
            }
            Timer::Within(at) => {
                let Some(cell) = self.find(at) else { return };
                if self.region(cell).is_some() {
                    self.stop_region(cell, Some(late()));
                } else {
                    self.stop_attempt(cell, Stop::Within);
                }
                // It has fired: it isn't set again.
                self.forget_time(at);
            }
            Timer::Wait(ticket) => {
                let Some(cell) = self.attempt(ticket) else {
                    return;
                };
                if let Some(step) = self.step(cell)
                    && let Phase::Sleeping(_, _, value) = &step.phase
                {
                    let value = value.clone();
                    self.settle(cell, State::Done(value));
                }
            }
            Timer::Expiry(ticket) => {
                let Some(cell) = self.attempt(ticket) else {
                    return;
                };
                if let Some(step) = self.step(cell)
                    && let Phase::Asking(_, asking) = &step.phase
                    && let Some(value) = asking.otherwise.clone()
                {
                    self.settle(cell, State::Done(value));
                }
            }
        }
    }

    /// Begins at the beginning; what is in progress stays with the run.
    fn begin_again(&mut self) {
        let live = self.cells_where(|state| matches!(state, State::Step(_) | State::Region(_)));
        for cell in live {
            let ticket = self
                .step(cell)
                .map(|step| self.ticket_of(cell, step.attempt));
            let kept = self.step(cell).and_then(|step| match &step.phase {
                Phase::Running(running) | Phase::Unknown(running) | Phase::Probing(running, ..) => {
                    Some((running.clone(), None))
                }
                Phase::Remote(running, job) => Some((running.clone(), Some(job.clone()))),
                Phase::Opening
                | Phase::Ready
                | Phase::Held
                | Phase::Asking(..)
                | Phase::Sleeping(..)
                | Phase::Pausing(_) => None,
            });
            self.set(cell, State::Cut);
            if let (Some(ticket), Some((running, job))) = (ticket, kept) {
                let orphan = super::Orphan {
                    ticket: ticket.clone(),
                    running: *running,
                    job,
                };
                if let Some(action) = super::orphan_action(&orphan) {
                    self.wish(action);
                }
                self.orphans.insert(ticket, orphan);
            }
        }
        self.tasks.clear();
        self.frames = super::Frames::default();
        self.budgets = BTreeMap::new();
        self.active = BTreeMap::new();
        self.timers = BTreeSet::new();
        self.settled = None;
        self.generation += 1;
        let root = self.open_frame(0, None, None);
        self.root = Some(root);
    }

    // Attempts.

    /// Finds the cell of an attempt, if that is the one in progress.
    pub(super) fn attempt(&self, ticket: &Ticket) -> Option<CellId> {
        let cell = self.find(&ticket.at)?;
        let step = self.step(cell)?;
        let is_it = self.frames.get(cell.frame).generation == ticket.generation
            && step.attempt == ticket.attempt
            && step.phase.running().is_some();
        is_it.then_some(cell)
    }

    fn fold_attempt(&mut self, event: &Event) {
        if let Fact::AttemptStarted(started) = &event.fact {
            self.fold_started(started);
            return;
        }
        if let Fact::Rebilled { ticket, bill } = &event.fact {
            self.rebill(ticket, *bill);
            return;
        }
        let (Fact::WasSent { ticket }
        | Fact::Submitted { ticket, .. }
        | Fact::Succeeded { ticket, .. }
        | Fact::Failed { ticket, .. }
        | Fact::Stopped { ticket, .. }
        | Fact::AttemptLost { ticket, .. }
        | Fact::Probed { ticket, .. }
        | Fact::Resolved { ticket, .. }
        | Fact::Waits { ticket, .. }
        | Fact::Asked { ticket, .. }
        | Fact::Answered { ticket, .. }) = &event.fact
        else {
            return;
        };
        match self.attempt(ticket) {
            Some(cell) => {
                self.account(cell, &event.fact);
                self.fold_outcome(cell, &event.fact);
            }
            None => self.fold_orphan(ticket, &event.fact),
        }
    }

    fn fold_started(&mut self, started: &Started) {
        let Some(cell) = self.find(&started.ticket.at) else {
            return;
        };
        let is_next = self.step(cell).is_some_and(|step| {
            step.attempt + 1 == started.ticket.attempt && step.phase == Phase::Ready
        });
        let generation = self.frames.get(cell.frame).generation;
        if !is_next || generation != started.ticket.generation {
            return;
        }
        self.costs.held = self.costs.held.saturating_add(started.grant.hold);
        let now = self.last_at;
        self.edit_step(cell, |step| {
            step.attempt += 1;
            step.era_since.get_or_insert(now);
            step.phase = Phase::Running(Box::new(Running {
                effect: started.effect,
                hold: started.grant.hold,
                input: started.input,
                idempotency: started.idempotency,
                stop: None,
            }));
        });
    }

    fn fold_outcome(&mut self, cell: CellId, fact: &Fact) {
        match fact {
            Fact::Succeeded { value, .. }
            | Fact::Answered { value, .. }
            | Fact::Probed {
                found: Some(value), ..
            }
            | Fact::Resolved {
                verdict: Verdict::Happened(value),
                ..
            } => self.settle(cell, State::Done(value.clone())),
            Fact::Failed { failure, then, .. } => self.follow(cell, failure, *then),
            Fact::Stopped { then, .. } => self.follow(cell, &stopped(), *then),
            Fact::AttemptLost { then, .. } => self.follow(cell, &lost(), *then),
            Fact::Probed {
                found: None, then, ..
            } => self.follow(cell, &lost(), *then),
            Fact::Resolved {
                verdict: Verdict::DidNot,
                ..
            } => {
                let wake = self.last_at;
                let then = Then::Again {
                    wake,
                    same: Same::No,
                    counts: Counts::No,
                };
                self.follow(cell, &lost(), then);
            }
            Fact::Resolved {
                verdict: Verdict::GiveUp,
                ..
            } => {
                let failure = Failure::new(
                    FailureClass::UnknownOutcome,
                    "given up: nobody knows what became of it",
                );
                let is_cut = self.frames.get(cell.frame).is_cut;
                self.follow(cell, &failure, if is_cut { Then::Cut } else { Then::Fail });
            }
            Fact::Submitted { job, .. } => self.edit_step(cell, |step| {
                if let Some(running) = step.phase.running().cloned() {
                    step.phase = Phase::Remote(Box::new(running), job.clone());
                }
            }),
            Fact::Waits { until, value, .. } => self.edit_step(cell, |step| {
                if let Some(running) = step.phase.running().cloned() {
                    step.phase = Phase::Sleeping(Box::new(running), *until, value.clone());
                }
            }),
            Fact::Asked {
                form,
                shown,
                expires,
                otherwise,
                ..
            } => {
                let asking = Box::new(Asking {
                    form: form.clone(),
                    shown: *shown,
                    expires: *expires,
                    otherwise: otherwise.clone(),
                });
                self.edit_step(cell, |step| {
                    if let Some(running) = step.phase.running().cloned() {
                        step.phase = Phase::Asking(Box::new(running), asking);
                    }
                });
            }
            _ => {}
        }
    }

    fn fold_orphan(&mut self, ticket: &Ticket, fact: &Fact) {
        let Some(orphan) = self.orphans.get(ticket).cloned() else {
            return;
        };
        self.book(ticket, orphan.running.hold, fact);
        let is_open = matches!(
            fact,
            Fact::WasSent { .. }
                | Fact::AttemptLost {
                    then: Then::Unknown,
                    ..
                }
                | Fact::Failed {
                    then: Then::Unknown,
                    ..
                }
                | Fact::Stopped {
                    then: Then::Unknown,
                    ..
                }
        );
        if let Fact::Submitted { job, .. } = fact {
            let orphan = super::Orphan {
                job: Some(job.clone()),
                ..orphan
            };
            self.wish(super::Action::Poll {
                ticket: ticket.clone(),
            });
            self.orphans.insert(ticket.clone(), orphan);
        } else if !is_open {
            if let Some(action) = super::orphan_action(&orphan) {
                self.delta.withdrawn.push(action);
            }
            self.orphans.remove(ticket);
        }
    }

    // Money.

    fn account(&mut self, cell: CellId, fact: &Fact) {
        let Some(hold) = self
            .step(cell)
            .and_then(|step| Some(step.phase.running()?.hold))
        else {
            return;
        };
        let ticket = self.ticket_of(cell, self.step(cell).map_or(0, |step| step.attempt));
        self.book(&ticket, hold, fact);
        if fact.settlement().is_some() {
            // The hold is gone, whatever follows.
            self.edit_step(cell, |step| step.phase.release());
        }
    }

    fn book(&mut self, ticket: &Ticket, hold: Money, fact: &Fact) {
        let Some((_, bill)) = fact.settlement() else {
            return;
        };
        if self.presumed.contains_key(ticket) {
            self.rebill(ticket, bill);
            return;
        }
        self.costs.held = minus(self.costs.held, hold);
        match bill {
            Bill::None => {}
            Bill::Exact(amount) => self.costs.spent = self.costs.spent.saturating_add(amount),
            Bill::Presumed(amount) => {
                self.costs.presumed = self.costs.presumed.saturating_add(amount);
                self.presumed.insert(ticket.clone(), amount);
            }
        }
    }

    fn rebill(&mut self, ticket: &Ticket, bill: Bill) {
        let Some(amount) = self.presumed.get(ticket).copied() else {
            return;
        };
        match bill {
            Bill::Presumed(_) => {}
            Bill::None | Bill::Exact(_) => {
                self.presumed.remove(ticket);
                self.costs.presumed = minus(self.costs.presumed, amount);
                self.costs.spent = self.costs.spent.saturating_add(bill.amount());
            }
        }
    }
}

fn minus(amount: Money, other: Money) -> Money {
    amount.checked_sub(other).unwrap_or_default().max(Money(0))
}

fn new_items(count: u32, parallel: u32, keys: Option<Handle>) -> Box<Items> {
    Box::new(Items {
        count,
        parallel,
        next: 0,
        frames: BTreeMap::new(),
        closing: BTreeSet::new(),
        failed: BTreeMap::new(),
        closed: vec![ItemState::Open; count as usize],
        keys,
        list: OnceCell::new(),
        words: OnceCell::new(),
    })
}

/// The failure of what took longer than its `within`.
pub(super) fn late() -> Failure {
    Failure::new(FailureClass::Timeout, "it took longer than its `within`")
}

/// The failure of what was stopped.
fn stopped() -> Failure {
    Failure::new(
        FailureClass::Timeout,
        "it was stopped while it was in progress",
    )
}

/// The failure of what ended with its owner.
pub(super) fn lost() -> Failure {
    Failure::new(
        FailureClass::UnknownOutcome,
        "flow ended while it was in progress, and nobody saw what became of it",
    )
}
