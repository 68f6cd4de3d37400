//! Who lets attempts begin: a plain till, honest or moody, or the arbiter.

mod desk;
mod till;

use flow_core::address::{RunId, Ticket};
use flow_core::amount::Timestamp;
use flow_core::arbiter::{Demand, HoldId};
use flow_core::event::{Event, Grant};
use flow_core::run::Refusal;
use flow_core::step::Bill;

pub(crate) use desk::{Desk, calls};
pub(crate) use till::Till;

/// What an attempt is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Granted(Grant),
    Never(Refusal),
    /// To be asked again.
    Again,
}

/// What was said of an attempt before an event.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(crate) grant: Grant,
    pub(crate) bill: Bill,
}

#[derive(Debug)]
pub(crate) enum Gate {
    Till(Till),
    Desk(Box<Desk>),
}

impl Gate {
    /// An attempt asks for what it needs.
    pub(crate) fn ask(&mut self, demand: Demand, now: Timestamp) {
        match self {
            Self::Till(till) => till.ask(demand, now),
            Self::Desk(desk) => desk.ask(demand, now),
        }
    }

    /// An attempt isn't wanted any more: it waits no longer, and gives back
    /// what it was granted and hasn't used.
    pub(crate) fn withdraw(&mut self, hold: &HoldId, now: Timestamp) {
        match self {
            Self::Till(till) => till.withdraw(hold),
            Self::Desk(desk) => desk.withdraw(hold, now),
        }
    }

    /// When there may be an answer that there isn't now.
    pub(crate) fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Till(till) => till.wake(now),
            Self::Desk(desk) => desk.wake(now),
        }
    }

    /// Returns how many wait, for people.
    pub(crate) fn waiting(&self) -> String {
        match self {
            Self::Till(till) => till.waiting().to_string(),
            Self::Desk(desk) => desk.waiting(),
        }
    }

    /// Answers all that can be answered now.
    pub(crate) fn answers(&mut self, now: Timestamp) -> Vec<(HoldId, Reply)> {
        match self {
            Self::Till(till) => till.answers(now),
            Self::Desk(desk) => desk.answers(now),
        }
    }

    /// An event says what a hold has become.
    pub(crate) fn settle(
        &mut self,
        run: &RunId,
        event: &Event,
        before: Option<Before>,
        now: Timestamp,
    ) {
        match self {
            Self::Till(till) => till.settle(run, event),
            Self::Desk(desk) => desk.settle(run, event, before, now),
        }
    }

    /// What changed is as safe as the events so far.
    pub(crate) fn commit(&mut self, events: usize) {
        match self {
            Self::Till(_) => {}
            Self::Desk(desk) => desk.commit(events),
        }
    }

    /// After a crash: only so many events are left, and nobody waits.
    pub(crate) fn recover(&mut self, logs: &[(RunId, Vec<Event>)], events: usize, now: Timestamp) {
        match self {
            Self::Till(till) => till.recover(logs),
            Self::Desk(desk) => desk.recover(logs, events, now),
        }
    }

    /// Takes over what a log says, as if it had granted it.
    pub(crate) fn adopt(&mut self, run: &RunId, log: &[Event]) {
        match self {
            Self::Till(till) => till.adopt(run, log),
            Self::Desk(_) => panic!("only a till takes over a log"),
        }
    }

    /// The attempts of a run for which money is held.
    pub(crate) fn held(&self, run: &RunId) -> Vec<Ticket> {
        match self {
            Self::Till(till) => till.held(run),
            Self::Desk(desk) => desk.held(run),
        }
    }

    /// Returns what is wrong in its books, by the logs.
    pub(crate) fn wrong(&self, logs: &[(RunId, Vec<Event>)]) -> Option<String> {
        match self {
            Self::Till(_) => None,
            Self::Desk(desk) => desk.wrong(logs),
        }
    }
}
