//! What a log says, as far as it was read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow_core::address::{At, RunId, Ticket};
use flow_core::amount::{Money, Timestamp};
use flow_core::effect::Effect;
use flow_core::event::{BudgetSet, Event, Fact, Failure, Grant, Start, Status, Then};
use flow_core::handle::{Handle, Values};
use flow_core::plan::{NodeKind, Plan};
use flow_core::step::{Bill, Sent};
use flow_core::value::Value;

use super::map::{self, Map};
use super::state::Stand;
use super::{Case, Check, Fault};
use crate::outside::Outside;

/// What became of an instance.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Settled {
    Value(Handle),
    Failed(Failure),
    Cut,
}

/// What a log says of an attempt.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) effect: Effect,
    pub(super) grant: Grant,
    /// What it cost, once that was said.
    pub(super) bill: Option<Bill>,
    pub(super) phase: Phase,
    /// It was said that a request may have got out, or that it didn't.
    pub(super) claims: Option<Claim>,
}

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    Remote,
    Asking,
    Waiting(Timestamp),
    Probing(Timestamp),
    Unknown,
    /// It may have happened; the next attempt is the same act.
    Open,
    Over,
}

/// What a log says about an act that didn't succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It did not happen.
    Not,
    /// Nobody knows.
    Unsure,
}

/// The items of a `for`.
#[derive(Debug, Clone)]
pub(super) struct Items {
    pub(super) count: u32,
    pub(super) parallel: u32,
    /// Those in which something has begun.
    pub(super) begun: BTreeSet<u32>,
}

/// What may be done after a failure.
#[derive(Debug, Clone, Default)]
pub(super) struct Tries {
    /// How many attempts were used up.
    pub(super) used: u32,
    /// When it may be tried again.
    pub(super) wake: Option<Timestamp>,
    /// When its budget begins anew; before, only people let it go on.
    pub(super) held: Option<Timestamp>,
}

pub(super) struct Reading<'a> {
    pub(super) run: usize,
    pub(super) id: RunId,
    pub(super) plan: Arc<Plan>,
    pub(super) map: Map,
    pub(super) values: &'a dyn Values,
    pub(super) outside: &'a Outside,
    pub(super) inputs: &'a [Value],
    pub(super) start: Option<Start>,
    pub(super) last_at: Timestamp,
    pub(super) epoch: u64,
    pub(super) is_paused: bool,
    pub(super) status: Option<Status>,

    pub(super) attempts: BTreeMap<Ticket, Attempt>,
    /// The last attempt at an instance since the run last began again.
    pub(super) last: BTreeMap<At, Ticket>,
    pub(super) tries: BTreeMap<At, Tries>,
    /// What a wait or a question gives when its time is over.
    pub(super) promised: BTreeMap<Ticket, Option<Handle>>,
    pub(super) settled: BTreeMap<At, Settled>,
    pub(super) fallen: BTreeSet<At>,
    pub(super) opened: BTreeMap<At, Option<BudgetSet>>,
    pub(super) late: BTreeSet<At>,
    pub(super) cancelled: Vec<At>,
    /// What had its value before it was cancelled or late.
    pub(super) done: BTreeSet<At>,
    /// The items that were left out by then.
    pub(super) left: BTreeSet<(At, u32)>,
    pub(super) choices: BTreeMap<At, Option<u32>>,
    pub(super) items: BTreeMap<At, Items>,
    pub(super) rounds: BTreeMap<At, Vec<Handle>>,
    pub(super) winners: BTreeMap<At, u32>,
    pub(super) yields: BTreeMap<(At, Option<u32>), Handle>,
    pub(super) broken: BTreeSet<(At, Option<u32>)>,
    /// What the run itself may spend.
    pub(super) budget: Option<Money>,

    pub(super) stands: RefCell<BTreeMap<At, Stand>>,
    pub(super) found: RefCell<BTreeMap<At, Value>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        run: usize,
        case: &'a Case,
        values: &'a dyn Values,
        outside: &'a Outside,
    ) -> Self {
        Self {
            run,
            id: RunId("".into()),
            plan: case.plan.clone(),
            map: Map::of(&case.plan),
            values,
            outside,
            inputs: &case.inputs,
            start: None,
            last_at: Timestamp(i64::MIN),
            epoch: 0,
            is_paused: false,
            status: None,
            attempts: BTreeMap::new(),
            last: BTreeMap::new(),
            tries: BTreeMap::new(),
            promised: BTreeMap::new(),
            settled: BTreeMap::new(),
            fallen: BTreeSet::new(),
            opened: BTreeMap::new(),
            late: BTreeSet::new(),
            cancelled: Vec::new(),
            done: BTreeSet::new(),
            left: BTreeSet::new(),
            choices: BTreeMap::new(),
            items: BTreeMap::new(),
            rounds: BTreeMap::new(),
            winners: BTreeMap::new(),
            yields: BTreeMap::new(),
            broken: BTreeSet::new(),
            budget: None,
            stands: RefCell::default(),
            found: RefCell::default(),
        }
    }

    /// Reads the next event.
    pub(super) fn read(&mut self, event: &Event) -> Result<(), Fault> {
        if event.at < self.last_at {
            return Err(Fault::new(
                Check::Time,
                format!("time goes back from {} to {}", self.last_at, event.at),
            ));
        }
        self.last_at = event.at;
        self.take(event)?;
        let forgets = matches!(
            event.fact,
            Fact::Reset { .. } | Fact::Reopened { .. } | Fact::PlanReplaced { .. }
        );
        if forgets {
            self.forget_what_was_found();
        }
        Ok(())
    }

    pub(super) fn forget_what_was_found(&self) {
        self.stands.borrow_mut().clear();
        self.found.borrow_mut().clear();
    }

    /// The run begins again: only attempts stay.
    pub(super) fn begin_again(&mut self) {
        self.last.clear();
        self.tries.clear();
        self.settled.clear();
        self.fallen.clear();
        self.opened.clear();
        self.late.clear();
        self.cancelled.clear();
        self.done.clear();
        self.left.clear();
        self.choices.clear();
        self.items.clear();
        self.rounds.clear();
        self.winners.clear();
        self.yields.clear();
        self.broken.clear();
        self.status = None;
    }

    /// All that is inside of an instance begins again.
    pub(super) fn begin_again_inside(&mut self, at: &At) {
        let map = &self.map;
        let keep = |other: &At| !map.is_inside(other, at);
        self.last.retain(|other, _| keep(other));
        self.tries.retain(|other, _| keep(other) || other == at);
        self.settled.retain(|other, _| keep(other));
        self.fallen.retain(keep);
        self.opened.retain(|other, _| keep(other) || other == at);
        self.late.retain(|other| keep(other) || other == at);
        self.done.retain(keep);
        self.left.retain(|(other, _)| keep(other));
        self.choices.retain(|other, _| keep(other));
        self.items.retain(|other, _| keep(other));
        self.rounds.retain(|other, _| keep(other));
        self.winners.retain(|other, _| keep(other));
        self.yields.retain(|(other, _), _| keep(other));
        self.broken.retain(|(other, _)| keep(other));
        self.forget_what_was_found();
    }

    /// People let what is held go on.
    pub(super) fn let_go(&mut self) {
        for tries in self.tries.values_mut() {
            tries.held = None;
        }
    }

    /// What failed or was given up is tried again.
    pub(super) fn reopen(&mut self) {
        // What nobody wanted has ended without a word.
        let quiet: Vec<Ticket> = self.attempts.keys().cloned().collect();
        for ticket in quiet {
            if !self.is_in_progress(&ticket)
                && let Some(attempt) = self.attempts.get_mut(&ticket)
            {
                attempt.phase = Phase::Over;
            }
        }
        // What it was the fallback of is tried again, unless that would do twice
        // what has happened.
        let fallen: Vec<At> = self.fallen.iter().cloned().collect();
        for at in fallen {
            if self.fallen.contains(&at) && !self.is_done(&at) && !self.acts_inside(&at) {
                self.begin_again_inside(&at);
            }
        }
        let lost: Vec<At> = self
            .settled
            .iter()
            .filter(|(at, settled)| !matches!(settled, Settled::Value(_)) && !self.is_done(at))
            .map(|(at, _)| at.clone())
            .collect();
        let late: Vec<At> = self
            .late
            .iter()
            .filter(|at| self.is_done(at))
            .cloned()
            .collect();
        let cancelled = self
            .cancelled
            .iter()
            .filter(|at| self.is_done(at))
            .cloned()
            .collect();
        let broken = self
            .broken
            .iter()
            .filter(|(at, _)| self.is_done(at))
            .cloned();
        let broken: Vec<_> = broken.collect();
        self.settled.retain(|at, _| !lost.contains(at));
        self.late = late.into_iter().collect();
        self.cancelled = cancelled;
        self.broken = broken.into_iter().collect();
        self.tries.clear();
        self.status = None;
    }

    /// Whether something in the blocks of an instance may act.
    fn acts_inside(&self, at: &At) -> bool {
        let blocks = self.plan.node(at.node).blocks();
        let mut inside = blocks.iter().flat_map(|(_, block)| &block.nodes);
        inside.any(|id| self.plan.node(*id).effect.acts())
    }

    /// Whether an instance, or one around it, has its value.
    fn is_done(&self, at: &At) -> bool {
        let mut around = self.map.around(at).into_iter();
        around.any(|instance| self.stand(&instance) == Stand::Value)
    }

    pub(super) fn is_cancelled(&self, at: &At) -> bool {
        let mut scopes = self.cancelled.iter();
        scopes.any(|scope| self.map.is_inside(at, scope))
    }

    /// Whether nobody wants an instance any more.
    pub(super) fn is_unwanted(&self, at: &At) -> bool {
        self.late.contains(at) || self.is_unwanted_by_others(at)
    }

    /// Whether nobody wants an instance any more, its own time aside.
    pub(super) fn is_unwanted_by_others(&self, at: &At) -> bool {
        self.is_cancelled(at)
            || self.map.around(at).iter().any(|instance| {
                let is_late = instance != at
                    && self.late.contains(instance)
                    && !self.fallen.contains(instance);
                is_late
                    || self.map.owner(instance).is_some_and(|owner| {
                        let block = self.map.spot(instance.node).block;
                        let fallback = map::fallback(&self.plan, owner.node);
                        let is_replaced = self.fallen.contains(&owner) && fallback != Some(block);
                        let is_lost =
                            self.winners.contains_key(&owner) && !self.fallen.contains(&owner);
                        is_replaced || is_lost
                    })
            })
    }

    /// Notes what has its value inside of an instance that nobody wants from
    /// now on: it keeps it.
    pub(super) fn keep_what_is_done(&mut self, at: &At) {
        let mut open = vec![at.clone()];
        let mut done = Vec::new();
        while let Some(at) = open.pop() {
            let is_won = self.winners.contains_key(&at);
            if self.stand(&at) == Stand::Value && (is_won || !self.is_busy(&at)) {
                done.push(at.clone());
            }
            self.leave_out(&at);
            open.extend(self.parts(&at));
        }
        self.done.extend(done);
    }

    /// Notes which items of a `for` were left out.
    fn leave_out(&mut self, at: &At) {
        let plan = self.plan.clone();
        let NodeKind::For(each) = &plan.node(at.node).kind else {
            return;
        };
        if !each.keep_ok || self.is_unwanted(at) {
            return;
        }
        let count = self.items.get(at).map_or(0, |items| items.count);
        let dead =
            (0..count).filter(|item| self.stand_of_item(at, *item, &each.body) == Stand::Dead);
        let dead: Vec<_> = dead.map(|item| (at.clone(), item)).collect();
        self.left.extend(dead);
    }

    /// Returns the instances in an item or a round.
    pub(super) fn parts_of_item(&self, at: &At, item: u32) -> Vec<At> {
        let parts = self.parts(at).into_iter();
        let depth = at.ords.len();
        parts
            .filter(|part| part.ords.get(depth) == Some(&item))
            .collect()
    }

    /// Returns the instances in the blocks of an instance that are walked.
    fn parts(&self, at: &At) -> Vec<At> {
        let node = self.plan.node(at.node);
        let blocks = node.blocks();
        let all = |block: usize, item: Option<u32>| {
            let nodes = blocks.get(block).map(|(_, block)| block.nodes.clone());
            let ords = at.ords.iter().copied().chain(item);
            let at = move |id| At::new(id, ords.clone());
            nodes.unwrap_or_default().into_iter().map(at)
        };
        if self.fallen.contains(at) {
            return all(blocks.len() - 1, None).collect();
        }
        match &node.kind {
            NodeKind::Value(_) | NodeKind::Step(_) => Vec::new(),
            NodeKind::If(_) | NodeKind::Match(_) => {
                let arm = self.choices.get(at).copied().flatten();
                arm.into_iter()
                    .flat_map(|arm| all(arm as usize, None))
                    .collect()
            }
            NodeKind::For(_) => {
                let count = self.items.get(at).map_or(0, |items| items.count);
                (0..count).flat_map(|item| all(0, Some(item))).collect()
            }
            NodeKind::Repeat(_) => {
                let count = self.rounds.get(at).map_or(0, Vec::len);
                let count = u32::try_from(count).unwrap();
                (0..count).flat_map(|round| all(0, Some(round))).collect()
            }
            NodeKind::Workflow(_) | NodeKind::Race(_) | NodeKind::Parallel(_) => {
                all(0, None).collect()
            }
        }
    }

    /// Whether an attempt is in progress. Questions and waits that nobody wants
    /// end without a word.
    pub(super) fn is_in_progress(&self, ticket: &Ticket) -> bool {
        match self.attempts[ticket].phase {
            Phase::Over => false,
            Phase::Asking | Phase::Waiting(_) => {
                self.last.get(&ticket.at) == Some(ticket) && !self.is_unwanted(&ticket.at)
            }
            Phase::Running | Phase::Remote | Phase::Probing(_) | Phase::Unknown | Phase::Open => {
                true
            }
        }
    }

    /// Whether an attempt inside of an instance is in progress.
    pub(super) fn is_busy(&self, at: &At) -> bool {
        let mut last = self.last.iter();
        last.any(|(other, ticket)| self.map.is_inside(other, at) && self.is_in_progress(ticket))
    }

    /// Notes what an event says about an attempt that didn't succeed.
    pub(super) fn claim(&mut self, ticket: &Ticket, sent: Option<Sent>, then: Then) {
        let claim = match (sent, then) {
            (
                _,
                Then::Unknown
                | Then::Probe { .. }
                | Then::Cut
                | Then::Hold
                | Then::HoldUntil { .. },
            ) => Claim::Unsure,
            (Some(Sent::No | Sent::Refused), _) => Claim::Not,
            (
                _,
                Then::Again {
                    same: flow_core::event::Same::Act,
                    ..
                },
            ) => Claim::Unsure,
            (_, Then::Fail | Then::FallBack | Then::Again { .. }) => Claim::Not,
        };
        if let Some(attempt) = self.attempts.get_mut(ticket) {
            attempt.claims = Some(claim);
        }
    }
}
