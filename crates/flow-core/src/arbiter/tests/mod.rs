//! Tests of the arbiter as a whole.
mod budgets;
mod faults;
mod oracle;
mod pools;
mod random;
mod waiting;
mod world;

use std::sync::Arc;

use super::*;
use crate::address::{At, Ticket};
use crate::amount::{Money, Timestamp};
use crate::effect::FailureClass;
use crate::event::Grant;
use crate::run::Refusal;
use crate::step::Bill;

/// The only process of most tests.
fn me() -> OwnerId {
    OwnerId("me".into())
}

fn hold(run: &str, attempt: u32) -> HoldId {
    HoldId {
        run: RunId(run.into()),
        ticket: Ticket {
            at: At::root(),
            generation: 0,
            attempt,
        },
    }
}

/// Returns a demand for nothing.
fn demand(run: &str, attempt: u32) -> Demand {
    Demand {
        hold: hold(run, attempt),
        amount: Money(0),
        ledgers: Vec::new(),
        pools: Vec::new(),
        price: None,
        key: None,
        has_fallback: HasFallback::No,
    }
}

impl Demand {
    fn costs(mut self, amount: i64) -> Self {
        self.amount = Money(amount);
        self
    }

    fn within(mut self, ledger: LedgerId, limit: impl Into<Option<i64>>) -> Self {
        let limit = limit.into().map(Money);
        self.ledgers.push(LedgerDemand { ledger, limit });
        self
    }

    fn pool(mut self, name: &str) -> Self {
        self.pools.push(PoolDemand { pool: name.into() });
        self
    }

    fn price(mut self, name: &str) -> Self {
        self.price = Some(name.into());
        self
    }

    fn key(mut self, name: &str) -> Self {
        self.key = Some(crate::digest::Digest::of(name.as_bytes()));
        self
    }

    fn or_else(mut self) -> Self {
        self.has_fallback = HasFallback::Yes;
        self
    }
}

/// An arbiter with a clock, and the answers as short texts.
struct Desk {
    arbiter: Arbiter,
    now: i64,
    wake: Option<i64>,
}

impl Desk {
    fn new(terms: Terms) -> Self {
        Self {
            arbiter: Arbiter::new(terms),
            now: 1_000_000,
            wake: None,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.now)
    }

    /// Writes the answers of a decision: `a1 granted, b2 landed`.
    fn tell(&mut self, decision: Decision) -> String {
        self.wake = decision.wake.map(|wake| wake.0 - self.now);
        let told = decision.answers.into_iter().map(|answer| {
            let name = format!("{}{}", answer.hold.run, answer.hold.ticket.attempt);
            match answer.reply {
                Reply::Granted(_) => format!("{name} granted"),
                Reply::Never(Refusal::Budget { left, needs, .. }) => {
                    format!("{name} needs {} of {}", needs.0, left.0)
                }
                Reply::Never(Refusal::Never(failure) | Refusal::Unready(failure)) => {
                    format!("{name} {}", failure.class.word())
                }
                Reply::Landed { .. } => format!("{name} landed"),
            }
        });
        told.collect::<Vec<_>>().join(", ")
    }

    fn ask(&mut self, demand: Demand) -> String {
        self.ask_for(demand, &me())
    }

    fn ask_for(&mut self, demand: Demand, owner: &OwnerId) -> String {
        let decision = self.arbiter.ask(demand, owner, self.now());
        self.tell(decision)
    }

    fn settle(&mut self, run: &str, attempt: u32, bill: i64) -> String {
        self.end(run, attempt, Bill::Exact(Money(bill)), Ending::Success)
    }

    fn fail(&mut self, run: &str, attempt: u32, class: FailureClass) -> String {
        self.end(run, attempt, Bill::None, Ending::Failure(class))
    }

    fn end(&mut self, run: &str, attempt: u32, bill: Bill, ending: Ending) -> String {
        let id = hold(run, attempt);
        let decision = self.arbiter.settle(&id, bill, ending, self.now());
        self.tell(decision)
    }

    fn withdraw(&mut self, run: &str, attempt: u32) -> String {
        let decision = self.arbiter.withdraw(&hold(run, attempt), self.now());
        self.tell(decision)
    }

    /// Lets milliseconds pass.
    fn pass(&mut self, millis: i64) -> String {
        self.now += millis;
        let decision = self.arbiter.tick(self.now());
        self.tell(decision)
    }

    /// Returns what was spent and is held in a ledger.
    fn sums(&self, ledger: &LedgerId) -> (i64, i64) {
        let ledger = self.arbiter.ledger(ledger);
        (ledger.spent.0, ledger.held.0)
    }

    fn reason(&self, run: &str, attempt: u32) -> Option<Reason> {
        let waiting = self.arbiter.reason(&hold(run, attempt));
        waiting.map(|waiting| waiting.reason)
    }
}

/// Returns terms with some pools of so many slots.
fn slots<const N: usize>(pools: [(&str, u32); N]) -> Terms {
    let pools = pools.map(|(name, slots)| {
        let terms = PoolTerms {
            slots: Some(slots),
            ..PoolTerms::default()
        };
        (Arc::from(name), terms)
    });
    Terms {
        pools: pools.into(),
        ..Terms::default()
    }
}
