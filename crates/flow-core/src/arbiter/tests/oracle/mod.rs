//! A dull judge of what an arbiter did: it adds everything up again, slowly,
//! from the operations, facts and answers alone.
//!
//! It shares no code with the arbiter. It remembers every grant that there ever
//! was and recomputes each sum from all of them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what the oracle looks at is what is named"
)]

macro_rules! ensure {
    ($claim:expr, $($text:tt)+) => {
        if !$claim {
            return Err(format!($($text)+));
        }
    };
}

mod answers;
mod facts;
mod kept;
mod sums;
mod waiting;

use std::collections::BTreeMap;

use super::world::{Op, Record};
use super::*;
use crate::plan::Period;

/// What the oracle says about a record.
pub(super) type Verdict = Result<(), String>;

/// A grant that there was.
#[derive(Debug, Clone)]
struct Granted {
    id: HoldId,
    amount: i64,
    ledgers: Vec<LedgerId>,
    pools: Vec<Arc<str>>,
    slots: Vec<Arc<str>>,
    owner: Option<OwnerId>,
    key: Option<crate::digest::Digest>,
    price: Option<Arc<str>>,
    state: State,
    /// Whether the arbiter is to know it still.
    is_known: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Over { bill: i64, is_sure: bool },
}

#[derive(Debug, Clone, Default)]
struct Gate {
    /// Nanoseconds times burst that were missing from a full bucket, and when.
    missing: (i128, i64),
    paused: Option<i64>,
    failures: u32,
    barred: Barred,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Barred {
    #[default]
    No,
    Until(i64),
    Half(Option<HoldId>),
}

/// The judge.
pub(super) struct Oracle {
    pub(super) terms: Terms,
    grants: Vec<Granted>,
    waiting: Vec<(Demand, OwnerId)>,
    distrusted: Vec<Arc<str>>,
    gates: BTreeMap<Arc<str>, Gate>,
    days: BTreeMap<Period, String>,
    clock: i64,
    time: i64,
    wall: i64,
}

impl Oracle {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            grants: Vec::new(),
            waiting: Vec::new(),
            distrusted: Vec::new(),
            gates: BTreeMap::new(),
            days: BTreeMap::new(),
            clock: 0,
            time: 0,
            wall: 0,
        }
    }

    /// Judges one operation and what came of it.
    pub(super) fn judge(&mut self, record: &Record) -> Verdict {
        self.pass_time(record);
        let flights = self.flights();
        self.take_op(record);
        for event in &record.events {
            self.judge_event(record, event)?;
        }
        self.judge_op(record)?;
        self.judge_answers(record, &flights)?;
        self.judge_rows(record)?;
        self.judge_waiting(record)
    }

    fn pass_time(&mut self, record: &Record) {
        let now = record.now.0;
        self.wall = now;
        if self.clock - now > 60_000 {
            let by = self.clock - now;
            self.clock = now;
            for gate in self.gates.values_mut() {
                gate.missing.1 -= by;
                gate.paused = gate.paused.map(|until| until - by);
                if let Barred::Until(until) = &mut gate.barred {
                    *until -= by;
                }
            }
        }
        self.time = now.max(self.clock);
    }

    fn take_op(&mut self, record: &Record) {
        match &record.op {
            Op::Ask(demand, owner) => {
                let at = self
                    .waiting
                    .iter()
                    .position(|(one, _)| one.hold == demand.hold);
                let one = (demand.clone(), owner.clone());
                match at {
                    Some(at) => self.waiting[at] = one,
                    None => self.waiting.push(one),
                }
            }
            Op::Withdraw(hold) => self.waiting.retain(|(demand, _)| demand.hold != *hold),
            Op::OwnerGone(gone) => self.waiting.retain(|(_, owner)| owner != gone),
            Op::SetTerms(terms) => {
                self.terms = terms.clone();
            }
            Op::Pause(pool, until) if until.0 > self.time => {
                let gate = self.gates.entry(pool.clone()).or_default();
                if gate.paused.is_none_or(|paused| paused < until.0) {
                    gate.paused = Some(until.0);
                    self.clock = self.clock.max(self.time);
                }
            }
            Op::Trust(price) => self.distrusted.retain(|one| one != price),
            Op::CloseRun(run) => {
                let over = |state| matches!(state, State::Over { is_sure: true, .. });
                let mine = self.grants.iter_mut().filter(|one| one.id.run == *run);
                for one in mine.filter(|one| over(one.state)) {
                    one.is_known = false;
                }
            }
            Op::Pause(..)
            | Op::Settle { .. }
            | Op::Rebill(_)
            | Op::Narrow(..)
            | Op::KeepOnly(..)
            | Op::Tick
            | Op::Reload => {}
        }
    }

    /// What an operation has to bring about.
    fn judge_op(&self, record: &Record) -> Verdict {
        let open = |id: &HoldId| {
            let open = self.grants.iter().filter(|one| one.state == State::Open);
            open.into_iter().any(|one| one.id == *id)
        };
        match &record.op {
            Op::Settle { hold, .. } | Op::Withdraw(hold) => {
                ensure!(!open(hold), "{hold:?} is still open");
            }
            Op::Rebill(rebill) => {
                let (kind, bill) = Kind::of(rebill.new);
                let is_sure = kind != Kind::Presumed;
                let one = self.grants.iter().rfind(|one| one.id == rebill.hold);
                let one = one.ok_or("a bill for nothing")?;
                // An exact bill that is the old one again needs no record.
                let is_same =
                    |old: State| matches!(old, State::Over { bill: old, .. } if old == bill);
                ensure!(
                    one.state == State::Over { bill, is_sure }
                        || !one.is_known && is_same(one.state),
                    "{:?} isn't rebilled",
                    rebill.hold
                );
            }
            Op::KeepOnly(run, kept) => {
                let is_new = |id: &HoldId| {
                    let told = record.answers.iter().filter(|answer| answer.hold == *id);
                    told.count() > 0
                };
                let left = self.grants.iter().filter(|one| one.state == State::Open);
                let mut left = left.filter(|one| one.id.run == *run && !is_new(&one.id));
                ensure!(
                    left.all(|one| kept.contains(&one.id.ticket)),
                    "what no attempt came for is still held"
                );
            }
            Op::OwnerGone(owner) => {
                let mut open = self.grants.iter().filter(|one| one.state == State::Open);
                ensure!(
                    open.all(|one| one.owner.as_ref() != Some(owner)),
                    "the dead {owner:?} still has something"
                );
            }
            Op::Narrow(hold, keep) => {
                let one = self
                    .grants
                    .iter()
                    .rfind(|one| one.id == *hold && one.is_known);
                ensure!(
                    one.is_none_or(|one| one.slots.iter().all(|pool| keep.contains(pool))),
                    "{hold:?} still has slots"
                );
            }
            Op::Ask(..)
            | Op::SetTerms(_)
            | Op::Pause(..)
            | Op::Trust(_)
            | Op::CloseRun(_)
            | Op::Tick
            | Op::Reload => {}
        }
        Ok(())
    }
}

impl Gate {
    fn missing_at(&self, rate: Rate, time: i64) -> i128 {
        let (missing, at) = self.missing;
        let passed = i128::from(time - at) * 1_000_000;
        (missing - passed * i128::from(rate.burst.get())).max(0)
    }
}

impl Granted {
    fn end(&mut self, bill: i64, is_sure: bool) {
        self.state = State::Over { bill, is_sure };
        self.slots.clear();
        self.owner = None;
        self.key = None;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Exact,
    Presumed,
}

impl Kind {
    fn of(bill: Bill) -> (Self, i64) {
        match bill {
            Bill::None => (Self::None, 0),
            Bill::Exact(bill) => (Self::Exact, bill.0.max(0)),
            Bill::Presumed(bill) => (Self::Presumed, bill.0.max(0)),
        }
    }
}

fn distinct(demand: &Demand) -> Vec<Arc<str>> {
    let mut pools: Vec<_> = demand.pools.iter().map(|one| one.pool.clone()).collect();
    pools.sort();
    pools.dedup();
    pools
}
