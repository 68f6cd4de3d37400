//! The arbiter, driven as it is meant to be: what it decides is committed with
//! the events, or before them where the two are kept apart.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use flow_core::address::{RunId, Ticket};
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::arbiter::{
    Arbiter, BreakerTerms, Budgets, Change, Decision, Demand, Ending, HoldId, HoldState, LedgerId,
    OwnerId, PoolTerms, Rate, Rebill, Reply as Answer, Row, RowKey, Terms,
};
use flow_core::event::{Event, Fact};
use flow_core::step::Bill;

use super::{Before, Reply};
use crate::dice::Dice;

#[derive(Debug)]
pub(crate) struct Desk {
    arbiter: Arbiter,
    terms: Terms,
    /// Whether its rows are kept apart from the logs.
    is_split: bool,
    /// What was committed, with how many events there were then.
    history: Vec<(usize, Vec<Change>)>,
    answers: Vec<(HoldId, Reply)>,
    wake: Option<Timestamp>,
    /// Counts processes.
    boot: u32,
}

impl Desk {
    pub(crate) fn new(mut dice: Dice, project: Option<Money>, is_split: bool) -> Self {
        let mut pools = BTreeMap::new();
        for name in ["gpu", "provider"] {
            let rate = Rate {
                burst: NonZeroU32::new(u32::try_from(dice.from(1, 3)).unwrap()).unwrap(),
                per: Duration(dice.from(1, 8) * Duration::SECOND.0),
            };
            let breaker = BreakerTerms {
                failures: NonZeroU32::new(u32::try_from(dice.from(1, 4)).unwrap()).unwrap(),
                pause: Duration(dice.from(1, 60) * Duration::SECOND.0),
            };
            let terms = PoolTerms {
                slots: (dice.percent(60)).then(|| u32::try_from(dice.from(1, 3)).unwrap()),
                rate: dice.percent(30).then_some(rate),
                breaker: dice.percent(25).then_some(breaker),
            };
            pools.insert(Arc::from(name), terms);
        }
        let terms = Terms {
            budgets: Budgets {
                project,
                ..Budgets::default()
            },
            pools,
            ..Terms::default()
        };
        Self {
            arbiter: Arbiter::new(terms.clone()),
            terms,
            is_split,
            history: Vec::new(),
            answers: Vec::new(),
            wake: None,
            boot: 0,
        }
    }

    fn owner(&self) -> OwnerId {
        OwnerId(format!("process {}", self.boot).into())
    }

    /// Takes note of what the arbiter decided.
    fn heed(&mut self, decision: Decision) {
        for answer in decision.answers {
            let reply = match answer.reply {
                Answer::Granted(grant) => Reply::Granted(grant),
                Answer::Never(refusal) => Reply::Never(refusal),
                Answer::Landed { .. } => Reply::Again,
            };
            self.answers.push((answer.hold, reply));
        }
        self.wake = decision.wake;
        if self.is_split {
            self.commit(0);
        }
    }

    pub(crate) fn ask(&mut self, demand: Demand, now: Timestamp) {
        let owner = self.owner();
        let decision = self.arbiter.ask(demand, &owner, now);
        self.heed(decision);
    }

    pub(crate) fn withdraw(&mut self, hold: &HoldId, now: Timestamp) {
        let decision = self.arbiter.withdraw(hold, now);
        self.heed(decision);
        self.answers.retain(|(other, _)| other != hold);
    }

    pub(crate) fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        let is_waited_for = self.arbiter.waiting().next().is_some();
        let wake = self.wake.filter(|_| is_waited_for)?;
        Some(wake.max(Timestamp(now.0 + 1)))
    }

    pub(crate) fn waiting(&self) -> String {
        let waiting = self.arbiter.waiting();
        let reasons: Vec<_> = waiting.map(|hold| self.arbiter.reason(hold)).collect();
        format!("{reasons:?}")
    }

    pub(crate) fn answers(&mut self, now: Timestamp) -> Vec<(HoldId, Reply)> {
        if self.wake.is_some_and(|wake| wake <= now) {
            let decision = self.arbiter.tick(now);
            self.heed(decision);
        }
        std::mem::take(&mut self.answers)
    }

    pub(crate) fn settle(
        &mut self,
        run: &RunId,
        event: &Event,
        before: Option<Before>,
        now: Timestamp,
    ) {
        let Some((ticket, bill)) = event.fact.settlement() else {
            return;
        };
        let hold = HoldId {
            run: run.clone(),
            ticket: ticket.clone(),
        };
        let is_late = matches!(event.fact, Fact::Rebilled { .. } | Fact::Resolved { .. });
        let decision = if let (true, Some(before)) = (is_late, before) {
            let rebill = Rebill {
                hold,
                grant: before.grant,
                old: before.bill,
                new: bill,
            };
            self.arbiter.rebill(rebill, now)
        } else {
            let ending = ending(&event.fact);
            self.arbiter.settle(&hold, bill, ending, now)
        };
        self.heed(decision);
    }

    pub(crate) fn commit(&mut self, events: usize) {
        let changes = self.arbiter.changes();
        if !changes.is_empty() {
            self.history.push((events, changes));
        }
    }

    /// Only what was committed is left. Holds are settled as the logs say, and
    /// those of attempts that never began are given back.
    pub(crate) fn recover(&mut self, logs: &[(RunId, Vec<Event>)], events: usize, now: Timestamp) {
        self.history.retain(|(at, _)| *at <= events);
        let mut rows: BTreeMap<RowKey, Row> = BTreeMap::new();
        for change in self.history.iter().flat_map(|(_, changes)| changes) {
            match change {
                Change::Put(row) => {
                    rows.insert(row.key(), row.clone());
                }
                Change::Gone(key) => {
                    rows.remove(key);
                }
            }
        }
        self.arbiter = Arbiter::load(self.terms.clone(), rows.into_values());
        self.answers.clear();
        let gone = self.owner();
        self.boot += 1;
        for (run, log) in logs {
            for event in log {
                let is_outcome =
                    !matches!(event.fact, Fact::Rebilled { .. } | Fact::Resolved { .. });
                if is_outcome {
                    // What the arbiter has settled it leaves as it is.
                    self.settle(run, event, None, now);
                }
            }
            let open = open(log);
            let decision = self.arbiter.keep_only(run, &open, now);
            self.heed(decision);
        }
        let decision = self.arbiter.owner_gone(&gone, now);
        self.heed(decision);
        self.commit(events);
    }

    pub(crate) fn held(&self, run: &RunId) -> Vec<Ticket> {
        let holds = self.arbiter.holds_of(run);
        let open =
            holds.filter(|(_, hold)| hold.state == HoldState::Open && hold.amount > Money(0));
        open.map(|(id, _)| id.ticket.clone()).collect()
    }

    /// Compares the ledgers with the logs.
    pub(crate) fn wrong(&self, logs: &[(RunId, Vec<Event>)]) -> Option<String> {
        let mut spent: BTreeMap<LedgerId, Money> = BTreeMap::new();
        for (_, log) in logs {
            for (grant, bill) in calls(log).into_values() {
                for ledger in grant.ledgers {
                    let sum = spent.entry(ledger).or_default();
                    *sum = sum.saturating_add(bill.amount());
                }
            }
        }
        spent.retain(|_, sum| *sum != Money(0));
        let wrong = self.arbiter.verify(&spent);
        (!wrong.is_empty()).then(|| format!("{wrong:?}"))
    }
}

fn ending(fact: &Fact) -> Ending {
    match fact {
        Fact::Succeeded { .. } => Ending::Success,
        Fact::Failed { failure, .. } => Ending::Failure(failure.class),
        _ => Ending::Silence,
    }
}

/// Returns what the attempts of a log were granted, and what they cost.
pub(crate) fn calls(log: &[Event]) -> BTreeMap<Ticket, (flow_core::event::Grant, Bill)> {
    let mut calls = BTreeMap::new();
    for event in log {
        if let Fact::AttemptStarted(started) = &event.fact {
            let call = (started.grant.clone(), Bill::None);
            calls.insert(started.ticket.clone(), call);
        } else if let Some((ticket, bill)) = event.fact.settlement()
            && let Some((_, known)) = calls.get_mut(ticket)
        {
            *known = bill;
        }
    }
    calls
}

/// Returns the attempts that hold something.
fn open(log: &[Event]) -> BTreeSet<Ticket> {
    let mut open = BTreeSet::new();
    for event in log {
        if let Fact::AttemptStarted(started) = &event.fact {
            open.insert(started.ticket.clone());
        } else if let Some((ticket, _)) = event.fact.settlement() {
            open.remove(ticket);
        }
    }
    open
}
