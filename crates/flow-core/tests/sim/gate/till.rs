//! A plain till, honest or moody.
//!
//! It is what an arbiter must be at least: no budget above its limit. A
//! moody one makes attempts wait or refuses them as it likes.

use std::collections::BTreeMap;

use flow_core::address::{RunId, Ticket};
use flow_core::amount::{Money, Timestamp};
use flow_core::arbiter::{Demand, HoldId, LedgerId};
use flow_core::effect::FailureClass;
use flow_core::event::{Event, Fact, Failure, Grant};
use flow_core::run::{Fits, Refusal};
use flow_core::step::Bill;

use super::Reply;
use crate::dice::Dice;
use crate::mutants::Mutant;

/// Something that is held or was spent.
#[derive(Debug, Clone)]
struct Entry {
    ledgers: Vec<LedgerId>,
    amount: Money,
    is_open: bool,
}

/// A demand that waits.
#[derive(Debug, Clone)]
struct Waiter {
    demand: Demand,
    /// Not before this instant, if the till is moody.
    from: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Till {
    dice: Dice,
    is_moody: bool,
    project: Option<Money>,
    entries: BTreeMap<HoldId, Entry>,
    waiting: Vec<Waiter>,
    mutant: Option<Mutant>,
}

impl Till {
    pub(crate) fn new(
        dice: Dice,
        is_moody: bool,
        project: Option<Money>,
        mutant: Option<Mutant>,
    ) -> Self {
        Self {
            dice,
            is_moody,
            project,
            entries: BTreeMap::new(),
            waiting: Vec::new(),
            mutant,
        }
    }

    /// An attempt asks for what it needs.
    pub(crate) fn ask(&mut self, demand: Demand, now: Timestamp) {
        let mut from = now;
        if self.is_moody && self.dice.percent(25) {
            from = Timestamp(now.0 + self.dice.from(1, 5_000));
        }
        self.waiting
            .retain(|waiter| waiter.demand.hold != demand.hold);
        self.waiting.push(Waiter { demand, from });
    }

    /// An attempt isn't wanted any more, or gives back what it hasn't used.
    pub(crate) fn withdraw(&mut self, hold: &HoldId) {
        self.waiting.retain(|waiter| waiter.demand.hold != *hold);
        let is_open = self.entries.get(hold).is_some_and(|entry| entry.is_open);
        if is_open {
            self.entries.remove(hold);
        }
    }

    /// When there may be an answer that there isn't now.
    pub(crate) fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        let later = self.waiting.iter().map(|waiter| waiter.from);
        later.filter(|from| *from > now).min()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Answers all that can be answered now.
    pub(crate) fn answers(&mut self, now: Timestamp) -> Vec<(HoldId, Reply)> {
        let mut answers = Vec::new();
        for waiter in std::mem::take(&mut self.waiting) {
            if waiter.from > now {
                self.waiting.push(waiter);
                continue;
            }
            match self.judge(&waiter.demand, now) {
                Some(reply) => answers.push((waiter.demand.hold, reply)),
                None => self.waiting.push(waiter),
            }
        }
        answers
    }

    fn judge(&mut self, demand: &Demand, now: Timestamp) -> Option<Reply> {
        if self.is_moody && self.dice.percent(4) {
            let failure = Failure::new(FailureClass::Capacity, "the till is in a mood");
            return Some(Reply::Never(Refusal::Never(failure)));
        }
        for ledger in &demand.ledgers {
            let limit = match ledger.ledger {
                LedgerId::Project => self.project,
                _ => ledger.limit,
            };
            let Some(limit) = limit.filter(|_| demand.amount > Money(0)) else {
                continue;
            };
            let all = self.sum(&ledger.ledger, |_| true);
            let spent = self.sum(&ledger.ledger, |entry| !entry.is_open);
            let is_blind = self.mutant == Some(Mutant::DoubleGrant);
            let counted = if is_blind { spent } else { all };
            if counted.saturating_add(demand.amount) <= limit {
                continue;
            }
            if spent.saturating_add(demand.amount) <= limit {
                return None;
            }
            return Some(Reply::Never(Refusal::Budget {
                ledger: ledger.ledger.clone(),
                left: limit.checked_sub(spent).unwrap_or_default(),
                needs: demand.amount,
                fits_empty: if demand.amount <= limit {
                    Fits::Yes
                } else {
                    Fits::No
                },
                // Any budget may be for a period.
                until: (self.is_moody && self.dice.percent(20))
                    .then(|| Timestamp(now.0 + self.dice.from(1, 50_000))),
            }));
        }
        Some(Reply::Granted(self.grant(demand)))
    }

    fn grant(&mut self, demand: &Demand) -> Grant {
        // Asked again, it has what it had.
        let known = self.entries.contains_key(&demand.hold);
        let ledgers: Vec<_> = demand
            .ledgers
            .iter()
            .map(|demand| demand.ledger.clone())
            .collect();
        let entry = Entry {
            ledgers: ledgers.clone(),
            amount: demand.amount,
            is_open: true,
        };
        if !known {
            self.entries.insert(demand.hold.clone(), entry);
        }
        Grant {
            hold: demand.amount,
            ledgers,
            pools: demand.pools.iter().map(|pool| pool.pool.clone()).collect(),
            price: demand.price.clone(),
        }
    }

    fn sum(&self, ledger: &LedgerId, counts: impl Fn(&Entry) -> bool) -> Money {
        let own = self.entries.values();
        let own = own.filter(|entry| entry.ledgers.contains(ledger) && counts(entry));
        Money(own.map(|entry| entry.amount.0).sum())
    }

    /// An event says what a hold has become.
    pub(crate) fn settle(&mut self, run: &RunId, event: &Event) {
        let Some((ticket, bill)) = event.fact.settlement() else {
            return;
        };
        let hold = HoldId {
            run: run.clone(),
            ticket: ticket.clone(),
        };
        let forgets = match self.mutant {
            Some(Mutant::HoldForgottenWhenStopped) => matches!(event.fact, Fact::Stopped { .. }),
            Some(Mutant::HoldForgottenWhenLost) => matches!(event.fact, Fact::AttemptLost { .. }),
            _ => false,
        };
        if forgets {
            self.entries.remove(&hold);
        } else if let Some(entry) = self.entries.get_mut(&hold) {
            let was_presumed = !entry.is_open;
            let replaces = !was_presumed
                || matches!(event.fact, Fact::Rebilled { .. } | Fact::Resolved { .. })
                || bill != Bill::None;
            if replaces {
                entry.amount = bill.amount();
            }
            entry.is_open = false;
        }
    }

    /// After a crash: nobody waits, and holds of attempts that the logs don't
    /// know are released.
    pub(crate) fn recover(&mut self, logs: &[(RunId, Vec<Event>)]) {
        self.waiting.clear();
        let mut known: BTreeMap<HoldId, Vec<&Event>> = BTreeMap::new();
        for (run, log) in logs {
            for event in log {
                let ticket = match &event.fact {
                    Fact::AttemptStarted(started) => &started.ticket,
                    fact => match fact.settlement() {
                        Some((ticket, _)) => ticket,
                        None => continue,
                    },
                };
                let hold = HoldId {
                    run: run.clone(),
                    ticket: ticket.clone(),
                };
                known.entry(hold).or_default().push(event);
            }
        }
        self.entries.retain(|hold, _| known.contains_key(hold));
        if self.mutant == Some(Mutant::HoldForgottenOnCrash) {
            self.entries.retain(|_, entry| !entry.is_open);
        }
        for (hold, events) in known {
            for event in events {
                if self.entries.contains_key(&hold) {
                    self.settle(&hold.run.clone(), event);
                }
            }
        }
    }

    /// Takes over what a log says.
    pub(crate) fn adopt(&mut self, run: &RunId, log: &[Event]) {
        for event in log {
            if let Fact::AttemptStarted(started) = &event.fact {
                let hold = HoldId {
                    run: run.clone(),
                    ticket: started.ticket.clone(),
                };
                let entry = Entry {
                    ledgers: started.grant.ledgers.clone(),
                    amount: started.grant.hold,
                    is_open: true,
                };
                self.entries.insert(hold, entry);
            } else {
                self.settle(run, event);
            }
        }
    }

    /// The attempts of a run for which money is held.
    pub(crate) fn held(&self, run: &RunId) -> Vec<Ticket> {
        let own = self.entries.iter();
        let own = own
            .filter(|(hold, entry)| hold.run == *run && entry.is_open && entry.amount > Money(0));
        own.map(|(hold, _)| hold.ticket.clone()).collect()
    }
}
