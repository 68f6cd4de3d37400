//! How an event changes the state. Nothing is decided here: an event that
//! doesn't fit what is there came too late, and changes nothing.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::address::At;
use crate::amount::{Duration, Money, Timestamp};
use crate::arbiter::LedgerId;
use crate::effect::FailureClass;
use crate::event::{BudgetSet, Counts, Event, Fact, Failure, Same, Then, Timer};
use crate::handle::Handle;
use crate::plan::NodeKind;
use crate::value::Value;

use super::Run;
use super::state::{
    CellId, Due, Ending, ItemState, Items, Lack, Phase, RegionPhase, RegionState, State, StepState,
    Stop,
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
            Fact::CancelAsked { scope, item, .. } => self.fold_cancel(scope, *item),
            Fact::Opened { at, within, budget } => self.fold_limits(at, *within, budget.as_ref()),
            Fact::LimitsChanged { at, amount, .. } => self.fold_limit(at.as_ref(), *amount),
            Fact::PlanReplaced {
                plan,
                inputs,
                files,
                estate,
                ..
            } => {
                self.fold_plan(plan, inputs.as_ref(), files);
                self.estate = *estate;
            }
            Fact::Reset { estate, .. } => {
                self.begin_again(|_| {});
                self.estate = *estate;
            }
            Fact::Joined { at, ticket } => self.fold_joined(at, ticket),
            Fact::Adopted { at, value, .. } | Fact::Reused { at, value, .. } => {
                self.fold_given(at, value);
            }
            Fact::RunSettled { status, output } => {
                self.settled = Some((*status, output.clone()));
            }
            Fact::Reopened { at, item, .. } => self.reopen(at.as_ref(), *item),
            Fact::ProgramsFound { programs } => self.fold_programs(programs),
            Fact::ItemsExpanded { .. }
            | Fact::BranchTaken { .. }
            | Fact::RoundOpened { .. }
            | Fact::RaceWon { .. }
            | Fact::Yielded { .. }
            | Fact::Broke { .. } => self.fold_region(&event.fact),
            Fact::Elapsed(timer) => self.fold_timer(timer),
            Fact::Refused {
                at,
                failure,
                ledger,
                missing,
                then,
            } => {
                let lack = (ledger.as_ref(), *missing);
                self.fold_refused(at, failure, lack, *then);
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

    fn fold_limits(&mut self, at: &At, within: Option<Duration>, budget: Option<&BudgetSet>) {
        let Some(cell) = self.find(at) else { return };
        if let Some(budget) = budget {
            self.budgets.insert(at.clone(), budget.clone());
        }
        if let Some(within) = within {
            self.limit_time(cell, at, within);
        }
        self.fold_opened(cell);
    }

    fn fold_given(&mut self, at: &At, value: &Handle) {
        if let Some(cell) = self.find(at)
            && let Some(step) = self.step(cell)
            && step.phase.running().is_none()
        {
            self.settle(cell, State::Done(value.clone()));
        }
    }

    fn fold_refused(
        &mut self,
        at: &At,
        failure: &Failure,
        (ledger, missing): (Option<&LedgerId>, Option<Money>),
        then: Then,
    ) {
        if let Some(cell) = self.find(at)
            && let Some(step) = self.step(cell)
            && step.phase.running().is_none()
        {
            self.follow(cell, failure, then);
            self.edit_step(cell, |step| {
                if let Some(lack) = &mut step.lack {
                    lack.ledger = ledger.cloned();
                    lack.missing = missing;
                }
            });
        }
    }

    fn pause(&mut self, by: Option<std::sync::Arc<str>>) {
        // What is ready is wished only while the run isn't paused.
        let ready = self
            .cells_where(|state| matches!(state, State::Step(step) if step.phase == Phase::Ready));
        let before: Vec<_> = ready.iter().map(|cell| self.wishes(*cell)).collect();
        self.paused = by;
        for (cell, before) in ready.into_iter().zip(before) {
            self.compare(cell, &before);
        }
        if self.paused.is_none() {
            self.ask_again();
        }
        self.watch_all();
    }

    /// Whatever was held may fit now; if not, it is refused again.
    fn ask_again(&mut self) {
        let held = self
            .cells_where(|state| matches!(state, State::Step(step) if step.phase == Phase::Held));
        for cell in held {
            self.edit_step(cell, StepState::let_go);
        }
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

    fn fold_cancel(&mut self, scope: &At, item: Option<u32>) {
        let Some(cell) = self.find(scope) else { return };
        if let Some(item) = item {
            let frame = self.open_item(cell, item);
            self.tasks.extend(frame.map(super::Task::CutFrame));
            return;
        }
        match &self.frames.cell(cell).state {
            State::Waiting => self.settle(cell, State::Cut),
            State::Region(_) => self.stop_region(cell, Ending::Cut),
            State::Step(step) if step.is_silent() => self.settle(cell, State::Cut),
            State::Step(_) => self.stop_attempt(cell, Stop::Cut),
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
        // What asks already has to ask again: the limit is part of its demand.
        let asking = self
            .cells_where(|state| matches!(state, State::Step(step) if step.phase == Phase::Ready));
        for cell in asking {
            let wishes = self.wishes(cell);
            self.delta.actions.extend(wishes.actions);
        }
        self.ask_again();
    }

    // Regions.

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only facts of regions come here"
    )]
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
                State::Waiting
                | State::Value(_)
                | State::Step(_)
                | State::Done(_)
                | State::Failed(_)
                | State::Blocked
                | State::Cut => self.fail_step(cell, failure),
            },
            Then::FallBack if is_cut => self.settle(cell, State::Cut),
            Then::FallBack => {
                self.free_region(cell);
                // The time was that of what it replaces.
                let at = self.at_of(cell);
                self.forget_time(&at);
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
                self.fold_again(cell, failure, wake, same, counts);
            }
            Then::Probe { wake } => self.edit_step(cell, |step| {
                step.failure = Some(failure.clone());
                if let Some(running) = step.phase.running().cloned() {
                    step.phase = Phase::Probing(Box::new(running), wake, Due::NotYet);
                }
            }),
            Then::Unknown => self.edit_step(cell, |step| {
                step.failure = Some(failure.clone());
                let last = step.phase.running().cloned().map(Box::new);
                let is_over = last.is_none();
                if let Some(mut last) = last.or_else(|| step.open.clone()) {
                    if is_over && *failure == late() {
                        last.stop = Some(Stop::Within);
                    }
                    step.phase = Phase::Unknown(last);
                }
            }),
            Then::Hold => self.hold(cell, failure, None),
            Then::HoldUntil { wake } => self.hold(cell, failure, Some(wake)),
        }
    }

    fn hold(&mut self, cell: CellId, failure: &Failure, until: Option<Timestamp>) {
        self.edit_step(cell, |step| {
            step.failure = Some(failure.clone());
            step.lack = Some(Box::new(Lack {
                ledger: None,
                missing: None,
                until,
            }));
            step.phase = Phase::Held;
        });
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
        wake: Timestamp,
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
        let now = self.last_at;
        self.edit_step(cell, |step| {
            match counts {
                Counts::Yes => step.used += 1,
                Counts::No if failure.class == FailureClass::RateLimited => step.patience += 1,
                Counts::No => step.lost += 1,
            }
            match same {
                Same::No => {
                    step.era += 1;
                    step.era_since = None;
                    step.open = None;
                }
                // What only costs is never looked for: its bill is presumed.
                Same::Act => {
                    let last = step.phase.running();
                    let last = last.filter(|last| last.effect.acts());
                    step.open = last.cloned().map(Box::new);
                }
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
                    Phase::Held => step.let_go(),
                    Phase::Opening
                    | Phase::Ready
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
                    self.stop_region(cell, Ending::Fail(late()));
                } else {
                    self.stop_attempt(cell, Stop::Within);
                }
                self.end_time(at);
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
pub(crate) fn stopped() -> Failure {
    Failure::new(
        FailureClass::Timeout,
        "it was stopped while it was in progress",
    )
}

/// The failure of what ended with its owner.
pub(crate) fn lost() -> Failure {
    Failure::new(
        FailureClass::UnknownOutcome,
        "flow ended while it was in progress, and nobody saw what became of it",
    )
}

/// The failure of what somebody gave up to know.
pub(crate) fn given_up() -> Failure {
    Failure::new(
        FailureClass::UnknownOutcome,
        "given up: nobody knows what became of it",
    )
}
