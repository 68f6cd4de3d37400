//! What a change of a cell means outside of it: actions, timers, active time.
//!
//! Every change goes through [`Run::set`] or one of the `edit_`s, which compare
//! what was wished before and after.

use smallvec::SmallVec;

use crate::address::At;
use crate::amount::{Duration, Timestamp};
use crate::event::Timer;
use crate::plan::NodeId;

use super::Run;
use super::state::{CellId, Due, Items, Phase, RegionPhase, RegionState, State, StepState};
use super::wish::Action;

/// The active time of an instance with a `within`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Active {
    pub(super) limit: Duration,
    /// What was used up before `since`.
    pub(super) used: Duration,
    /// Since when it is active, if it is.
    pub(super) since: Option<Timestamp>,
    /// How many steps in it a machine has something to do about.
    pub(super) busy: u32,
    /// The timer that is set for it.
    pub(super) timer: Option<Timestamp>,
    /// Its time was over once: it isn't set again, unless it is tried again.
    pub(super) is_over: bool,
}

/// What a cell asks of the outside.
#[derive(Default)]
pub(super) struct Wishes {
    pub(super) actions: SmallVec<[Action; 2]>,
    timers: SmallVec<[(Timestamp, Timer); 1]>,
    is_busy: bool,
}

impl Run {
    /// Gives a cell another state.
    pub(super) fn set(&mut self, cell: CellId, state: State) {
        let before = self.wishes(cell);
        self.frames.cell_mut(cell).state = state;
        self.compare(cell, &before);
    }

    /// Changes a step that isn't over.
    pub(super) fn edit_step(&mut self, cell: CellId, edit: impl FnOnce(&mut StepState)) {
        let before = self.wishes(cell);
        if let State::Step(step) = &mut self.frames.cell_mut(cell).state {
            edit(step);
        }
        self.compare(cell, &before);
    }

    /// Changes a region that isn't over.
    pub(super) fn edit_region(&mut self, cell: CellId, edit: impl FnOnce(&mut RegionState)) {
        let before = self.wishes(cell);
        if let State::Region(region) = &mut self.frames.cell_mut(cell).state {
            edit(region);
        }
        self.compare(cell, &before);
    }

    /// Changes the items of a `for` that isn't over.
    pub(super) fn edit_items(&mut self, cell: CellId, edit: impl FnOnce(&mut Items)) {
        self.edit_region(cell, |region| {
            if let RegionPhase::Items(items) = &mut region.phase {
                edit(items);
            }
        });
    }

    pub(super) fn region(&self, cell: CellId) -> Option<&RegionState> {
        match &self.frames.cell(cell).state {
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

    pub(super) fn step(&self, cell: CellId) -> Option<&StepState> {
        match &self.frames.cell(cell).state {
            State::Step(step) => Some(step),
            State::Waiting
            | State::Value(_)
            | State::Region(_)
            | State::Done(_)
            | State::Failed(_)
            | State::Blocked
            | State::Cut => None,
        }
    }

    /// Returns what a cell asks of the outside now.
    pub(super) fn wishes(&self, cell: CellId) -> Wishes {
        match &self.frames.cell(cell).state {
            State::Step(step) => self.wishes_of_step(cell, step),
            State::Region(region) => self.wishes_of_region(cell, region),
            State::Waiting
            | State::Value(_)
            | State::Done(_)
            | State::Failed(_)
            | State::Blocked
            | State::Cut => Wishes::default(),
        }
    }

    fn wishes_of_step(&self, cell: CellId, step: &StepState) -> Wishes {
        let mut wishes = Wishes {
            is_busy: step.phase.is_busy(),
            ..Wishes::default()
        };
        let ticket = self.ticket_of(cell, step.attempt);
        match &step.phase {
            Phase::Opening => wishes.actions.push(Action::Evaluate {
                at: ticket.at,
                item: None,
            }),
            Phase::Ready => {
                if self.paused.is_none() {
                    let ticket = self.ticket_of(cell, step.attempt + 1);
                    wishes.actions.push(Action::Admit { ticket });
                }
            }
            Phase::Running(running) => wishes.actions.push(match running.stop {
                Some(_) => Action::Stop { ticket },
                None => Action::Start { ticket },
            }),
            Phase::Remote(running, _) => wishes.actions.push(match running.stop {
                Some(_) => Action::Stop { ticket },
                None => Action::Poll { ticket },
            }),
            Phase::Asking(_, asking) => {
                if let Some(expires) = asking.expires {
                    wishes.timers.push((expires, Timer::Expiry(ticket.clone())));
                }
                wishes.actions.push(Action::Ask { ticket });
            }
            Phase::Sleeping(_, until, _) => wishes.timers.push((*until, Timer::Wait(ticket))),
            Phase::Pausing(wake) | Phase::Probing(_, wake, Due::NotYet) => {
                wishes.timers.push((*wake, Timer::Pause(ticket.at)));
            }
            Phase::Probing(_, _, Due::Now) => wishes.actions.push(Action::Probe { ticket }),
            Phase::Held => {
                let until = step.lack.as_ref().and_then(|lack| lack.until);
                let timer = until.map(|until| (until, Timer::Pause(ticket.at)));
                wishes.timers.extend(timer);
            }
            Phase::Unknown(_) => {}
        }
        wishes
    }

    fn wishes_of_region(&self, cell: CellId, region: &RegionState) -> Wishes {
        let mut wishes = Wishes::default();
        let evaluate = |item| Action::Evaluate {
            at: self.at_of(cell),
            item,
        };
        match &region.phase {
            RegionPhase::Deciding | RegionPhase::Winning(..) | RegionPhase::Closing(_) => {
                wishes.actions.push(evaluate(None));
            }
            RegionPhase::Items(items) => {
                let closing = items.closing.iter();
                wishes
                    .actions
                    .extend(closing.map(|item| evaluate(Some(*item))));
            }
            RegionPhase::Pausing(wake) => {
                wishes.timers.push((*wake, Timer::Pause(self.at_of(cell))));
                wishes.is_busy = true;
            }
            RegionPhase::Body(_) | RegionPhase::Resting => {}
        }
        wishes
    }

    pub(super) fn compare(&mut self, cell: CellId, before: &Wishes) {
        let after = self.wishes(cell);
        for action in &before.actions {
            if !after.actions.contains(action) {
                self.withdraw(action.clone());
            }
        }
        for action in after.actions {
            if !before.actions.contains(&action) {
                self.wish(action);
            }
        }
        for timer in &before.timers {
            self.timers.remove(timer);
        }
        self.timers.extend(after.timers);
        if before.is_busy != after.is_busy {
            self.count_busy(cell, after.is_busy);
        }
    }

    pub(super) fn wish(&mut self, action: Action) {
        self.delta.actions.push(action);
    }

    /// An action that was wished by the same event was never carried out.
    pub(super) fn withdraw(&mut self, action: Action) {
        match self
            .delta
            .actions
            .iter()
            .rposition(|other| *other == action)
        {
            Some(at) => {
                self.delta.actions.remove(at);
            }
            None => self.delta.withdrawn.push(action),
        }
    }

    // Active time.

    /// Returns the addresses of the instances around a cell, itself included,
    /// that limit active time.
    fn timed_around(&self, cell: CellId) -> SmallVec<[At; 2]> {
        let timed = &self.shape.node(self.node_of(cell)).timed;
        timed
            .iter()
            .map(|node| self.enclosing(cell, *node))
            .collect()
    }

    /// Returns the address of the instance of a node that a cell is in.
    pub(super) fn enclosing(&self, cell: CellId, node: NodeId) -> At {
        let depth = self.shape.node(node).depth as usize;
        let ords = &self.frames.get(cell.frame).ords;
        At::new(node, ords.iter().take(depth).copied())
    }

    fn count_busy(&mut self, cell: CellId, is_busy: bool) {
        if self.shape.node(self.node_of(cell)).timed.is_empty() {
            return;
        }
        for at in self.timed_around(cell) {
            if let Some(active) = self.active.get_mut(&at) {
                active.busy = if is_busy {
                    active.busy + 1
                } else {
                    active.busy.saturating_sub(1)
                };
            }
            self.watch(&at);
        }
    }

    /// Starts, stops and rearms the clock of an instance.
    pub(super) fn watch(&mut self, at: &At) {
        let now = self.last_at;
        let is_owned = self.paused.is_none();
        let Some(active) = self.active.get_mut(at) else {
            return;
        };
        let runs = is_owned && active.busy > 0 && !active.is_over;
        match (active.since, runs) {
            (None, true) => active.since = Some(now),
            (Some(since), false) => {
                active.used = used(active, since, now);
                active.since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
        let rest = Duration(active.limit.0.saturating_sub(active.used.0).max(0));
        let timer = active.since.and_then(|since| since.checked_add(rest));
        let old = std::mem::replace(&mut active.timer, timer);
        if let Some(old) = old {
            self.timers.remove(&(old, Timer::Within(at.clone())));
        }
        self.timers
            .extend(timer.map(|timer| (timer, Timer::Within(at.clone()))));
    }

    /// Starts to limit the active time of an instance.
    pub(super) fn limit_time(&mut self, cell: CellId, at: &At, limit: Duration) {
        let busy = u32::from(self.wishes(cell).is_busy);
        let active = Active {
            limit,
            used: Duration(0),
            since: None,
            busy,
            timer: None,
            is_over: false,
        };
        self.active.insert(at.clone(), active);
        self.watch(at);
    }

    /// Forgets the limits of an instance that is over.
    pub(super) fn close_limits(&mut self, cell: CellId) {
        let shape = self.shape.node(self.node_of(cell));
        // What failed or was cut may be tried again under the same limits.
        let is_kept = matches!(self.frames.cell(cell).state, State::Failed(_))
            || self.frames.get(cell.frame).kept.contains_key(&cell.pos);
        if !shape.has_limits || is_kept {
            return;
        }
        let at = self.at_of(cell);
        self.forget_limits(&at);
    }

    pub(super) fn forget_limits(&mut self, at: &At) {
        self.forget_time(at);
        self.budgets.remove(at);
    }

    /// The time of an instance is over: its clock isn't set again, unless it is
    /// tried again.
    pub(super) fn end_time(&mut self, at: &At) {
        if let Some(active) = self.active.get_mut(at) {
            active.is_over = true;
            self.watch(at);
        }
    }

    /// What an instance was given time for is over, or begins anew.
    pub(super) fn forget_time(&mut self, at: &At) {
        if let Some(active) = self.active.remove(at)
            && let Some(timer) = active.timer
        {
            self.timers.remove(&(timer, Timer::Within(at.clone())));
        }
    }

    /// Stops the clocks of all instances, or starts them again.
    pub(super) fn watch_all(&mut self) {
        let all: Vec<At> = self.active.keys().cloned().collect();
        for at in all {
            self.watch(&at);
        }
    }

    /// Nobody owned the run from its last event until now.
    pub(super) fn skip_time(&mut self, until: Timestamp) {
        let last = self.last_at;
        for active in self.active.values_mut() {
            if let Some(since) = active.since {
                active.used = used(active, since, last);
                active.since = Some(until);
            }
        }
        self.last_at = self.last_at.max(until);
        self.watch_all();
    }
}

fn used(active: &Active, since: Timestamp, until: Timestamp) -> Duration {
    let more = until.since(since).unwrap_or_default();
    Duration(active.used.0.saturating_add(more.0.max(0)))
}
