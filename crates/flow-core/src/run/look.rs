//! What people have to see to: questions, budgets, and what nobody knows.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::address::{At, Ticket};
use crate::amount::{Money, Timestamp};
use crate::arbiter::LedgerId;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::event::Timer;
use crate::handle::{Handle, Values};
use crate::value::Value;

use super::Run;
use super::scope::load;
use super::state::{CellId, OrphanState, Phase, State, StepState};

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenQuestion {
    /// The attempt that asks.
    pub ticket: Ticket,
    /// What is asked and shown.
    pub form: Handle,
    /// The digest of what is shown.
    pub shown: Digest,
    /// When it is too late.
    pub expires: Option<Timestamp>,
}

/// An attempt of which somebody has to say what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOutcome {
    /// The attempt.
    pub ticket: Ticket,
    /// What it may have done.
    pub effect: Effect,
    /// What was wrong, as far as that is known.
    pub evidence: Option<Arc<str>>,
    /// Whether its step is still a part of the run.
    pub place: Belongs,
}

/// Whether the step of an attempt is still a part of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// It is: what depends on it waits.
    Here,
    /// It was forgotten or edited away.
    Nowhere,
}

/// A call that doesn't fit into a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The call.
    pub at: At,
    /// The budget.
    pub ledger: Option<LedgerId>,
    /// How much more that would have to have.
    pub missing: Option<Money>,
    /// When it is asked for again anyway.
    pub until: Option<Timestamp>,
    /// How much is missing, for people.
    pub message: Arc<str>,
}

impl Run {
    /// Returns the questions that wait for answers, in the order of their
    /// places.
    pub fn questions(&self) -> Vec<OpenQuestion> {
        let asked = self.steps().filter_map(|(cell, step)| {
            let Phase::Asking(_, asking) = &step.phase else {
                return None;
            };
            Some(OpenQuestion {
                ticket: self.ticket_of(cell, step.attempt),
                form: asking.form.clone(),
                shown: asking.shown,
                expires: asking.expires,
            })
        });
        sorted(asked, |question| &question.ticket)
    }

    /// Returns the attempts of which somebody has to say what became of them.
    pub fn outcomes(&self) -> Vec<OpenOutcome> {
        let here = self.steps().filter_map(|(cell, step)| {
            let Phase::Unknown(running) = &step.phase else {
                return None;
            };
            let failure = step.failure.as_ref();
            Some(OpenOutcome {
                ticket: self.ticket_of(cell, step.attempt),
                effect: running.effect,
                evidence: failure.map(|failure| failure.message.clone()),
                place: Belongs::Here,
            })
        });
        let orphans = self.orphans.values().filter_map(|orphan| {
            if orphan.state() != Some(OrphanState::Unknown) {
                return None;
            }
            let failure = orphan.step.failure.as_ref();
            Some(OpenOutcome {
                ticket: orphan.ticket.clone(),
                effect: orphan.running()?.effect,
                evidence: failure.map(|failure| failure.message.clone()),
                place: Belongs::Nowhere,
            })
        });
        sorted(here.chain(orphans), |open| &open.ticket)
    }

    /// Returns the calls that don't fit into a budget.
    pub fn shortages(&self) -> Vec<Shortage> {
        let held = self.steps().filter(|(_, step)| step.phase == Phase::Held);
        let held = held.map(|(cell, step)| {
            let failure = step.failure.as_ref();
            let lack = step.lack.as_ref();
            Shortage {
                at: self.at_of(cell),
                ledger: lack.and_then(|lack| lack.ledger.clone()),
                missing: lack.and_then(|lack| lack.missing),
                until: lack.and_then(|lack| lack.until),
                message: failure.map_or_else(Arc::default, |failure| failure.message.clone()),
            }
        });
        let mut held: Vec<Shortage> = held.collect();
        held.sort_by(|a, b| a.at.cmp(&b.at));
        held
    }

    /// Returns what the run itself may spend.
    pub fn budget_own(&self) -> Option<Money> {
        self.budget
    }

    /// Returns what an instance may spend, if it has a budget now.
    pub fn budget_of(&self, at: &At) -> Option<Money> {
        self.budgets.get(at).map(|set| set.amount)
    }

    /// Returns the instances that have a budget now.
    pub fn budgeted(&self) -> impl Iterator<Item = &At> {
        self.budgets.keys()
    }

    /// Returns the value of an instance, if it has one and is not forgotten.
    pub fn value_of_instance(&self, at: &At, values: &dyn Values) -> Option<Value> {
        let cell = self.find(at)?;
        let State::Done(handle) = &self.frames.cell(cell).state else {
            return None;
        };
        load(handle, values).ok()
    }

    /// Returns when something is due, what only waits for more money aside.
    pub(super) fn next_wake_but_money(&self) -> Option<Timestamp> {
        let held = self.steps().filter(|(_, step)| step.phase == Phase::Held);
        let held: BTreeSet<At> = held.map(|(cell, _)| self.at_of(cell)).collect();
        let is_money = |timer: &Timer| match timer {
            Timer::Pause(at) => held.contains(at),
            Timer::Within(_) | Timer::Wait(_) | Timer::Expiry(_) => false,
        };
        let mut timers = self.timers.iter();
        timers
            .find(|(_, timer)| !is_money(timer))
            .map(|(at, _)| *at)
    }

    fn steps(&self) -> impl Iterator<Item = (CellId, &StepState)> {
        self.frames.ids().flat_map(|frame| {
            let cells = (0..).zip(&self.frames.get(frame).cells);
            cells.filter_map(move |(pos, cell)| match &cell.state {
                State::Step(step) => Some((CellId { frame, pos }, step.as_ref())),
                State::Waiting
                | State::Value(_)
                | State::Region(_)
                | State::Done(_)
                | State::Failed(_)
                | State::Blocked
                | State::Cut => None,
            })
        })
    }
}

fn sorted<T>(all: impl Iterator<Item = T>, ticket: impl Fn(&T) -> &Ticket) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by(|a, b| ticket(a).cmp(ticket(b)));
    all
}
