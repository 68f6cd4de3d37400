//! The oracle: judges the logs of a world without knowing how a run works.
//!
//! It reads plans, logs and the record of the outside world, and nothing else.
//! It shares no code with `Run` or the `Arbiter`; the vocabulary of events and
//! the evaluation of expressions are all that it takes from the crate.

mod effects;
mod ending;
mod facts;
mod map;
mod money;
mod order;
mod reading;
mod regions;
mod state;
mod values;

use std::fmt;
use std::sync::Arc;

use flow_core::amount::Money;
use flow_core::event::Event;
use flow_core::handle::Values;
use flow_core::plan::Plan;
use flow_core::run::Standing;
use flow_core::value::Value;

use crate::outside::Outside;
use money::Books;
use reading::Reading;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Check {
    /// Nothing starts before all that it requires is there.
    Order,
    /// An attempt has one outcome, an instance one result, a ticket one attempt.
    Once,
    /// No request leaves before its intent is safe.
    Intent,
    /// No grant takes a budget above its limit.
    Budget,
    /// So much is held as a call may cost, and all of it is resolved.
    Hold,
    /// What was charged is in the log.
    Charge,
    /// Every item is accounted for, and opened once and in order.
    Items,
    /// A race has one winner, which succeeded.
    Race,
    /// A fallback is for known failures that nobody wanted.
    Fallback,
    /// An act happens once, or is shown as unknown.
    Effect,
    /// A failure is tried again as its policy says.
    Retry,
    /// Nothing starts while a run is paused, cancelled, late or over.
    Rest,
    /// Time doesn't go back, and timers fire when they are due.
    Time,
    /// What was decided and computed is what the plan says.
    Value,
    /// A run ends as it should.
    Ending,
    /// What deltas add up to is what is outstanding.
    Delta,
    /// A replayed run is the run.
    Replay,
    /// Something can always go on, or people are waited for.
    Stall,
    /// An undisturbed run with the same script gives the same.
    Twin,
    /// What the arbiter holds is what the logs say.
    Ledger,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) check: Check,
    pub(crate) what: String,
}

impl Fault {
    pub(crate) fn new(check: Check, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { check, what }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.check, self.what)
    }
}

/// All that is known of a run.
pub(crate) struct Case {
    pub(crate) plan: Arc<Plan>,
    pub(crate) inputs: Vec<Value>,
    pub(crate) log: Vec<Event>,
    pub(crate) standing: Standing,
}

/// All that is known of a world.
pub(crate) struct Evidence<'a> {
    pub(crate) cases: &'a [Case],
    /// Which run the next event belongs to, in the order of the commits.
    pub(crate) order: &'a [usize],
    pub(crate) outside: &'a Outside,
    pub(crate) values: &'a dyn Values,
    /// The most that all runs may spend.
    pub(crate) project: Option<Money>,
}

/// Judges a world.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Result<(), Fault> {
    let mut readings: Vec<Reading<'_>> = (0..)
        .zip(evidence.cases)
        .map(|(run, case)| Reading::new(run, case, evidence.values, evidence.outside))
        .collect();
    let mut books = Books::new(evidence.project);
    let mut next = vec![0; evidence.cases.len()];
    for run in evidence.order {
        let log = &evidence.cases[*run].log;
        let Some(event) = log.get(next[*run]) else {
            continue;
        };
        next[*run] += 1;
        let reading = &mut readings[*run];
        let place = |fault: Fault| {
            let what = format!("run {run}, event {}: {}", next[*run] - 1, fault.what);
            Fault { what, ..fault }
        };
        books.check(reading, event).map_err(place)?;
        reading.read(event).map_err(place)?;
        books.book(reading, event);
    }
    for (run, (reading, case)) in readings.iter().zip(evidence.cases).enumerate() {
        let place = |fault: Fault| {
            let what = format!("run {run}, at the end: {}", fault.what);
            Fault { what, ..fault }
        };
        if next[run] != case.log.len() {
            return Err(place(Fault::new(Check::Replay, "events without an order")));
        }
        ending::check(reading, case).map_err(place)?;
        effects::check(reading, evidence.outside).map_err(place)?;
    }
    Ok(())
}
