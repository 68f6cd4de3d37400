//! Looking at a run from outside: how an instance stands, and what its
//! expressions are worth. For people who ask; no decision depends on it.

use crate::address::{At, Ticket};
use crate::amount::Timestamp;
use crate::eval::EvalError;
use crate::event::{BudgetSet, Failure, Started};
use crate::expr::Expr;
use crate::handle::{Handle, Values};
use crate::value::Value;

use super::Run;
use super::scope::Place;
use super::state::{ItemState, OrphanState, Phase, RegionPhase, RegionState, State};

/// How an instance stands that a run has not let go of.
#[derive(Debug, Clone, PartialEq)]
pub enum Stance {
    /// Something it requires isn't there yet.
    Waiting,
    /// An expression, computed when somebody asks for its value.
    Value,
    /// It can begin as soon as it gets what it needs.
    Ready,
    /// It doesn't fit into a budget.
    Held,
    /// An attempt is in progress.
    Running,
    /// A job of it runs elsewhere.
    Remote,
    /// A person is asked, until an instant if there is one.
    Asking {
        /// What is asked and shown.
        form: Handle,
        /// When it is too late.
        expires: Option<Timestamp>,
    },
    /// It is over at an instant.
    Sleeping(Timestamp),
    /// It is tried again at an instant.
    Pausing(Timestamp),
    /// Its target is asked whether it happened, from an instant on.
    Probing(Timestamp),
    /// Somebody has to say what became of it.
    Unknown,
    /// A region about which something is to be decided before it begins.
    Deciding,
    /// A region in which something is to be done.
    Inside,
    /// It has a value.
    Done(Handle),
    /// It failed, and nothing was done about it.
    Failed(Failure),
    /// Something it requires failed.
    Blocked,
    /// It isn't wanted any more.
    Cut,
}

/// The items of a `for` that a run has not let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemsNow {
    /// How many there are.
    pub count: u32,
    /// How many of them were opened, in order.
    pub opened: u32,
    /// How many have a value.
    pub done: u32,
    /// How many failed and are left out.
    pub left: u32,
}

/// What is left of an attempt whose step was edited away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// It is in progress, or a job of it is.
    Busy,
    /// Nobody knows what became of it.
    Unknown,
}

impl Run {
    /// Returns how an instance stands; nothing if the run has let go of it: what
    /// it is in ended well, or never began.
    pub fn stance(&self, at: &At) -> Option<Stance> {
        let cell = self.find(at)?;
        Some(match &self.frames.cell(cell).state {
            State::Waiting => Stance::Waiting,
            State::Value(_) => Stance::Value,
            State::Step(step) => stance_of(&step.phase),
            State::Region(region) => match &region.phase {
                RegionPhase::Pausing(wake) => Stance::Pausing(*wake),
                RegionPhase::Deciding => Stance::Deciding,
                RegionPhase::Body(_)
                | RegionPhase::Winning(..)
                | RegionPhase::Closing(_)
                | RegionPhase::Items(_)
                | RegionPhase::Resting => Stance::Inside,
            },
            State::Done(handle) => Stance::Done(handle.clone()),
            State::Failed(failed) => Stance::Failed(failed.failure.clone()),
            State::Blocked => Stance::Blocked,
            State::Cut => Stance::Cut,
        })
    }

    /// Returns how the items of a `for` stand, as long as the run holds them.
    pub fn items_now(&self, at: &At) -> Option<ItemsNow> {
        let cell = self.find(at)?;
        let region = match &self.frames.cell(cell).state {
            State::Region(region) => region,
            State::Failed(failed) => failed.region.as_ref()?,
            State::Waiting
            | State::Value(_)
            | State::Step(_)
            | State::Done(_)
            | State::Blocked
            | State::Cut => return None,
        };
        let RegionState {
            phase: RegionPhase::Items(items),
            ..
        } = &**region
        else {
            return None;
        };
        let mut now = ItemsNow {
            count: items.count,
            opened: items.next,
            done: 0,
            left: 0,
        };
        for item in &items.closed {
            match item {
                ItemState::Open => {}
                ItemState::Done(_) => now.done += 1,
                ItemState::Left => now.left += 1,
            }
        }
        Some(now)
    }

    /// Returns what went wrong the last time with a step that isn't over.
    pub fn setback(&self, at: &At) -> Option<&Failure> {
        let step = self.step(self.find(at)?)?;
        step.failure.as_ref()
    }

    /// Computes an expression of an instance's own node: a condition, a list, an
    /// argument. It has a value only while the run holds what it is made of.
    pub fn value_at(
        &self,
        at: &At,
        expr: &Expr,
        values: &dyn Values,
    ) -> Option<Result<Value, EvalError>> {
        let cell = self.find(at)?;
        Some(Place::of_cell(self, cell, values).eval(expr))
    }

    /// Returns the attempt that an instance asks to begin.
    pub fn next_ticket(&self, at: &At) -> Option<Ticket> {
        let cell = self.find(at)?;
        let step = self.step(cell)?;
        (step.phase == Phase::Ready).then(|| self.ticket_of(cell, step.attempt + 1))
    }

    /// Returns whether an intent is what this run would write now.
    pub fn is_next(&self, started: &Started) -> bool {
        self.next_ticket(&started.ticket.at).as_ref() == Some(&started.ticket)
    }

    /// Returns when it began.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Returns the budgets of instances, as far as they are open.
    pub fn budgets(&self) -> impl Iterator<Item = (&At, &BudgetSet)> {
        self.budgets.iter()
    }

    /// Returns who paused it.
    pub fn paused_by(&self) -> Option<&str> {
        self.paused.as_deref()
    }

    /// Returns the attempts that belong to no step any more.
    pub fn strays(&self) -> impl Iterator<Item = (&Ticket, Stray)> {
        self.orphans.iter().filter_map(|(ticket, orphan)| {
            let stray = match orphan.state()? {
                OrphanState::Running | OrphanState::Remote(_) => Stray::Busy,
                OrphanState::Unknown => Stray::Unknown,
                OrphanState::Resting => return None,
            };
            Some((ticket, stray))
        })
    }
}

fn stance_of(phase: &Phase) -> Stance {
    match phase {
        Phase::Opening | Phase::Ready => Stance::Ready,
        Phase::Held => Stance::Held,
        Phase::Running(_) => Stance::Running,
        Phase::Remote(..) => Stance::Remote,
        Phase::Asking(_, asking) => Stance::Asking {
            form: asking.form.clone(),
            expires: asking.expires,
        },
        Phase::Sleeping(_, until, _) => Stance::Sleeping(*until),
        Phase::Pausing(wake) => Stance::Pausing(*wake),
        Phase::Probing(_, wake, _) => Stance::Probing(*wake),
        Phase::Unknown(_) => Stance::Unknown,
    }
}
