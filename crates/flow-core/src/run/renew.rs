//! A run that begins again, under another plan or the same: what was in
//! progress stays with it, and an equal instance of the new walk may take it
//! over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::address::{At, Ticket};
use crate::amount::Money;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::event::{Event, Fact, PinnedFile, Then};
use crate::handle::{Handle, Values};
use crate::path::StepPath;
use crate::plan::Edge;

use super::state::{CellId, Orphan, OrphanState, Phase, State};
use super::wish::Delta;
use super::{Costs, Run, orphan_action};

/// An attempt that belongs to no instance any more, since the run began again.
#[derive(Debug, Clone, PartialEq)]
pub struct Leftover {
    /// The attempt.
    pub ticket: Ticket,
    /// Where it was begun.
    pub path: StepPath,
    /// The step.
    pub step: Arc<str>,
    /// What it may do.
    pub effect: Effect,
    /// What is held for it.
    pub hold: Money,
    /// The key of its result.
    pub key: Option<Digest>,
    /// The same without the seed, if the step draws from one.
    pub unseeded: Option<Digest>,
    /// What is left of it.
    pub left: Left,
}

/// What is left of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// It is in progress, and is being stopped.
    Running,
    /// A job of it runs elsewhere.
    Job,
    /// It is an act, and nobody knows whether it happened.
    Unknown,
    /// A person was asked.
    Question,
    /// It waits for an instant.
    Wait,
    /// It was paid for, perhaps, when its owner died.
    Lost,
}

impl Left {
    /// Returns whether the run isn't over before it is known what became of it.
    pub fn is_open(self) -> bool {
        match self {
            Self::Running | Self::Job | Self::Unknown => true,
            Self::Question | Self::Wait | Self::Lost => false,
        }
    }
}

impl Run {
    pub(super) fn fold_plan(
        &mut self,
        plan: &Digest,
        inputs: Option<&Handle>,
        files: &[PinnedFile],
    ) {
        let Some(plan) = self.offered.get(plan).cloned() else {
            return;
        };
        self.begin_again(|run| {
            run.shape = super::Shape::of(&plan).into();
            run.plan = plan;
            if let Some(inputs) = inputs {
                run.inputs = inputs.clone();
                run.files = files.to_vec();
            }
        });
    }

    /// Begins at the beginning; what is in progress stays with the run.
    pub(super) fn begin_again(&mut self, change: impl FnOnce(&mut Self)) {
        let live = self.cells_where(|state| matches!(state, State::Step(_) | State::Region(_)));
        for cell in &live {
            for action in self.wishes(*cell).actions {
                self.withdraw(action);
            }
        }
        self.tasks.clear();
        #[expect(
            clippy::arc_with_non_send_sync,
            reason = "a run is moved from thread to thread and never shared"
        )]
        let former = Arc::new(self.become_former());
        for cell in live {
            former.leave(cell, self);
        }
        change(self);
        self.timers = BTreeSet::new();
        self.settled = None;
        self.generation += 1;
        let root = self.open_frame(0, None, None);
        self.root = Some(root);
    }

    /// Returns a run that has just begun, or begun again, without the order that
    /// asks for no value: nothing is known of what comes later otherwise, if
    /// nothing is really done.
    #[must_use]
    pub(crate) fn without_order(mut self) -> Self {
        let mut plan = (*self.plan).clone();
        plan.graph.retain_edges(|graph, edge| match graph[edge] {
            Edge::Data => true,
            Edge::Order | Edge::After => false,
        });
        let generation = self.generation;
        self.begin_again(|run| {
            run.shape = super::Shape::of(&plan).into();
            run.plan = Arc::new(plan);
        });
        self.generation = generation;
        self.settle_all();
        self.take_delta();
        self
    }

    /// Takes the run as it stands out of itself, to ask it later about what it
    /// had in progress.
    fn become_former(&mut self) -> Self {
        Self {
            plan: self.plan.clone(),
            shape: self.shape.clone(),
            offered: BTreeMap::new(),
            start: self.start.clone(),
            inputs: self.inputs.clone(),
            files: self.files.clone(),
            estate: None,
            started_at: self.started_at,
            last_at: self.last_at,
            epoch: self.epoch,
            generation: self.generation,
            frames: std::mem::take(&mut self.frames),
            root: self.root,
            paused: None,
            settled: None,
            budget: self.budget,
            budgets: std::mem::take(&mut self.budgets),
            active: std::mem::take(&mut self.active),
            timers: BTreeSet::new(),
            orphans: BTreeMap::new(),
            joined: std::mem::take(&mut self.joined),
            programs: self.programs.clone(),
            presumed: BTreeMap::new(),
            costs: Costs::default(),
            tasks: VecDeque::new(),
            delta: Delta::default(),
        }
    }

    /// Leaves to the run that begins again what a cell had in progress.
    fn leave(self: &Arc<Self>, cell: CellId, run: &mut Self) {
        let Some(step) = self.step(cell) else { return };
        let ticket = self.ticket_of(cell, step.attempt);
        let orphan = Orphan {
            ticket: ticket.clone(),
            step: Box::new(step.clone()),
            former: self.clone(),
        };
        if orphan.state().is_none() {
            return;
        }
        if let Some(action) = orphan_action(&orphan) {
            run.wish(action);
        }
        run.orphans.insert(ticket, orphan);
    }

    /// Returns whether anything is left of attempts from before the run began
    /// again.
    pub fn has_leftovers(&self) -> bool {
        !self.orphans.is_empty()
    }

    /// Returns what is left of attempts from before the run began again.
    pub fn leftovers(&self, values: &dyn Values) -> Vec<Leftover> {
        let orphans = self.orphans.values();
        let left = orphans.filter_map(|orphan| {
            let state = orphan.state()?;
            let at = orphan.former.at_of(orphan.former.cell_of(&orphan.ticket)?);
            let intent = orphan.step.intent.as_deref()?;
            Some(Leftover {
                ticket: orphan.ticket.clone(),
                path: orphan.former.path(&at, values),
                step: orphan.former.step_name(&at)?,
                effect: orphan.running().map_or(Effect::Paid, |last| last.effect),
                hold: orphan.running().map_or(Money(0), |last| last.hold),
                key: intent.key,
                unseeded: intent.unseeded,
                left: match state {
                    OrphanState::Running => Left::Running,
                    OrphanState::Remote(_) => Left::Job,
                    OrphanState::Unknown => Left::Unknown,
                    OrphanState::Resting => match orphan.step.phase {
                        Phase::Asking(..) => Left::Question,
                        Phase::Sleeping(..) => Left::Wait,
                        Phase::Opening
                        | Phase::Ready
                        | Phase::Held
                        | Phase::Running(_)
                        | Phase::Remote(..)
                        | Phase::Pausing(_)
                        | Phase::Probing(..)
                        | Phase::Unknown(_) => Left::Lost,
                    },
                },
            })
        });
        left.collect()
    }

    fn step_name(&self, at: &At) -> Option<Arc<str>> {
        match &self.plan.node(at.node).kind {
            crate::plan::NodeKind::Step(step) => Some(step.step.clone()),
            crate::plan::NodeKind::Value(_)
            | crate::plan::NodeKind::Workflow(_)
            | crate::plan::NodeKind::If(_)
            | crate::plan::NodeKind::Match(_)
            | crate::plan::NodeKind::For(_)
            | crate::plan::NodeKind::Repeat(_)
            | crate::plan::NodeKind::Race(_)
            | crate::plan::NodeKind::Parallel(_) => None,
        }
    }

    /// Finds the cell of an attempt that was the last of its step.
    pub(super) fn cell_of(&self, ticket: &Ticket) -> Option<CellId> {
        let is_it = |cell: &CellId| {
            let step = self.step(*cell);
            step.is_some_and(|step| {
                step.attempt == ticket.attempt && self.ticket_of(*cell, step.attempt) == *ticket
            })
        };
        let own = self.find(&ticket.at).filter(is_it);
        own.or_else(|| {
            let at = self.joined.get(ticket)?;
            self.find(at).filter(is_it)
        })
    }

    /// Returns the event that a question was asked by, as it would be now.
    pub fn asked(&self, ticket: &Ticket) -> Option<Event> {
        let step = self.step(self.attempt(ticket)?)?;
        let Phase::Asking(_, asking) = &step.phase else {
            return None;
        };
        Some(Event {
            at: self.last_at,
            fact: Fact::Asked {
                ticket: ticket.clone(),
                form: asking.form.clone(),
                shown: asking.shown,
                expires: asking.expires,
                otherwise: asking.otherwise.clone(),
            },
        })
    }

    /// Returns where an attempt is, whichever plan it was begun under.
    pub fn path_of(&self, ticket: &Ticket, values: &dyn Values) -> StepPath {
        if let Some(orphan) = self.orphans.get(ticket) {
            return orphan.former.path_of(ticket, values);
        }
        let at = self.joined.get(ticket).unwrap_or(&ticket.at);
        self.path(at, values)
    }

    // Joining.

    /// Decides whether an instance may take over an attempt from before.
    pub(super) fn joins(&self, ticket: &Ticket, left: &Ticket) -> Vec<Fact> {
        let is_fresh = |cell: &CellId| self.step(*cell).is_some_and(|step| step.attempt == 0);
        let orphan = self.orphans.get(left);
        let is_left = orphan
            .is_some_and(|orphan| !matches!(orphan.state(), None | Some(OrphanState::Running)));
        let cell = self.admissible(ticket).filter(is_fresh);
        if cell.is_none() || !is_left || self.paused.is_some() {
            return Vec::new();
        }
        vec![Fact::Joined {
            at: ticket.at.clone(),
            ticket: left.clone(),
        }]
    }

    pub(super) fn fold_joined(&mut self, at: &At, ticket: &Ticket) {
        let Some(cell) = self.find(at) else { return };
        let is_fresh = self
            .step(cell)
            .is_some_and(|step| step.phase == Phase::Ready && step.attempt == 0);
        if !is_fresh {
            return;
        }
        let Some(orphan) = self.orphans.remove(ticket) else {
            return;
        };
        if let Some(action) = orphan_action(&orphan) {
            self.withdraw(action);
        }
        let mut step = orphan.step;
        step.want();
        step.joined = Some(ticket.clone());
        self.joined.insert(ticket.clone(), at.clone());
        self.set(cell, State::Step(step));
    }

    /// How an event about an attempt changes one that belongs to no cell.
    pub(super) fn fold_orphan(&mut self, ticket: &Ticket, fact: &Fact) {
        let Some(mut orphan) = self.orphans.remove(ticket) else {
            return;
        };
        let hold = orphan.running().map_or(Money(0), |last| last.hold);
        self.book(ticket, hold, fact);
        let before = orphan_action(&orphan);
        let last = orphan.running().cloned().map(Box::new);
        let stays = match (fact, last) {
            (Fact::WasSent { .. }, _) => true,
            (Fact::Submitted { job, .. }, Some(last)) => {
                orphan.step.phase = Phase::Remote(last, job.clone());
                true
            }
            (
                Fact::AttemptLost { then, .. }
                | Fact::Failed { then, .. }
                | Fact::Stopped { then, .. },
                Some(last),
            ) if *then == Then::Unknown => {
                orphan.step.phase = Phase::Unknown(last);
                true
            }
            _ => false,
        };
        if stays && fact.settlement().is_some() {
            // Its hold is gone: this was its outcome.
            orphan.step.phase.release();
        }
        let after = if stays { orphan_action(&orphan) } else { None };
        if before != after || !matches!(fact, Fact::WasSent { .. }) {
            self.delta.withdrawn.extend(before);
            self.delta.actions.extend(after);
        }
        if stays {
            self.orphans.insert(ticket.clone(), orphan);
        }
    }
}

impl Orphan {
    /// Returns what it was begun with, if that may still be going on.
    pub(super) fn running(&self) -> Option<&super::state::Running> {
        let open = self.step.open.as_deref();
        self.step.phase.running().or(open)
    }

    /// Returns how it stands; nothing if there is nothing left of it.
    pub(super) fn state(&self) -> Option<OrphanState> {
        match &self.step.phase {
            Phase::Running(_) => Some(OrphanState::Running),
            Phase::Remote(_, job) => Some(OrphanState::Remote(job.clone())),
            Phase::Unknown(_) | Phase::Probing(..) => Some(OrphanState::Unknown),
            Phase::Asking(..) | Phase::Sleeping(..) => Some(OrphanState::Resting),
            Phase::Opening | Phase::Ready | Phase::Held | Phase::Pausing(_) => {
                if self.step.open.is_some() {
                    return Some(OrphanState::Unknown);
                }
                // An attempt of this era was begun, and nobody knows that it
                // came to nothing.
                let is_lost = self.step.attempt > 0 && self.step.era_since.is_some();
                is_lost.then_some(OrphanState::Resting)
            }
        }
    }

    /// Returns whether the run isn't over before it is known what became of it.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state(), None | Some(OrphanState::Resting))
    }
}
