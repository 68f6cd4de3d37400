//! The arbiter: what runs share, and who gets it.
//!
//! Budgets, pools, rates, breakers and calls in flight belong to a project and
//! not to a run. An attempt names all that it needs in one [`Demand`]; it gets
//! all of it in one [`Grant`](crate::event::Grant) or nothing, so nobody holds
//! one thing while waiting for another.
//!
//! # How it is driven
//!
//! Each operation returns a [`Decision`]: the facts, which are applied already,
//! the answers, and when to call [`Arbiter::tick`]. Whoever drives it commits
//! the rows that [`Arbiter::changes`] gives together with the events that the
//! answers lead to. With several processes on one store the operation is
//! carried out inside of the transaction, after [`Arbiter::merge`] or
//! [`Arbiter::replace`] of what others have written. If the commit fails,
//! everything is loaded again, and what was answered is asked again. Demands
//! that wait are in memory only.
//!
//! # Who is next
//!
//! Nobody gets past somebody who waits for the same thing, however little it
//! asks for: a large demand gets the room in its ledger that others give back.
//! Runs take turns at each pool and ledger, and inside a run what was asked
//! first comes first; demands of a run that need different things don't wait
//! for each other. What several things contend for could still be passed for
//! ever, one of them being there whenever the other isn't. So a demand that
//! has changed lines too often is an elder: until it is
//! answered, nobody else gets what the oldest elder needs. There is one at a
//! time, so elders don't block each other, and what is held for attempts under
//! way comes back without them.

mod admit;
mod books;
mod breaker;
mod days;
mod demand;
mod fact;
mod hold;
mod judge;
mod ledger;
mod line;
mod period;
mod queue;
mod rate;
mod row;
mod settle;
mod terms;
mod verify;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use breaker::{Breaker, BreakerState, Ending};
pub use demand::{Demand, HasFallback, HoldId, LedgerDemand, LedgerId, OwnerId, PoolDemand};
pub use fact::{Answer, ArbEvent, Decision, Overcharge, Reply, Worked};
pub use hold::{Hold, HoldState, PoolUse, Slot};
pub use ledger::Ledger;
pub use period::{period_day, period_end};
pub use queue::{Reason, Resource, Waiting};
pub use rate::Bucket;
pub use row::{Change, Row, RowKey};
pub use settle::Rebill;
pub use terms::{BreakerTerms, Budgets, PoolTerms, Rate, Terms};
pub use verify::{Mismatch, What};

use crate::address::RunId;
use crate::amount::Timestamp;
use books::{Books, Changed};
use days::Days;
use queue::Queue;

/// The machine that says who gets what.
#[derive(Debug, Clone, Default)]
pub struct Arbiter {
    terms: Terms,
    books: Books,
    changed: Changed,
    queue: Queue,
    days: Days,
    /// When it was last asked anything.
    last: Timestamp,
}

impl Arbiter {
    /// Makes an arbiter with empty books.
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            ..Self::default()
        }
    }

    /// Makes an arbiter with the books that were kept.
    ///
    /// The ledgers of runs that nobody here works on may be left out; see
    /// [`Arbiter::unload`].
    pub fn load(terms: Terms, rows: impl IntoIterator<Item = Row>) -> Self {
        let mut arbiter = Self::new(terms);
        arbiter.replace(rows);
        arbiter
    }

    /// Takes over the books from others, instead of its own. Demands go on
    /// waiting; the next operation looks at them all.
    pub fn replace(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.books = Books::default();
        self.changed = Changed::new();
        self.merge(rows.into_iter().map(Change::Put));
    }

    /// Takes over what others have written. Demands go on waiting; the next
    /// operation looks at them all.
    pub fn merge(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            self.books.change(change);
        }
        self.days.forget();
        self.look_again();
    }

    /// Drops a run's own ledgers from memory, if no hold of it is known. Their
    /// rows stay where they are kept; before anything is asked for the run
    /// again, [`Arbiter::merge`] has to bring them back.
    pub fn unload(&mut self, run: &RunId) {
        let first = HoldId {
            run: run.clone(),
            ticket: crate::address::Ticket::default(),
        };
        let known = self.books.holds.range(&first..).next();
        if known.is_none_or(|(id, _)| id.run != *run) {
            let dropped = |id: &LedgerId| id.run() == Some(run);
            self.books.ledgers.retain(|id, _| !dropped(id));
        }
    }

    /// Changes the durable state by a fact that was decided elsewhere. The
    /// next operation looks at all demands.
    pub fn apply(&mut self, event: &ArbEvent) {
        self.books.apply(event, &mut self.changed);
        self.look_again();
    }

    /// Returns the rows that have changed since this was last called, in the
    /// order of their names.
    pub fn changes(&mut self) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed);
        let changes = changed.into_iter().map(|key| match self.books.row(&key) {
            Some(row) => Change::Put(row),
            None => Change::Gone(key),
        });
        changes.collect()
    }

    /// Returns all rows, in the order of their names.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.books.rows()
    }

    /// Returns the terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Returns why a demand waits; nothing if it doesn't.
    pub fn reason(&self, hold: &HoldId) -> Option<Waiting> {
        self.queue.reason(hold)
    }

    /// Returns the demands that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &HoldId> {
        self.queue.holds()
    }

    /// Returns what is in a ledger. For a period, its day has to be named.
    pub fn ledger(&self, ledger: &LedgerId) -> Ledger {
        self.books.ledger(ledger)
    }

    /// Returns what an attempt was granted, as long as it is known.
    pub fn hold(&self, hold: &HoldId) -> Option<&Hold> {
        self.books.holds.get(hold)
    }

    /// Returns the holds of a run, in the order of their attempts.
    pub fn holds_of(&self, run: &RunId) -> impl Iterator<Item = (&HoldId, &Hold)> {
        let first = HoldId {
            run: run.clone(),
            ticket: crate::address::Ticket::default(),
        };
        let from = self.books.holds.range(first..);
        from.take_while(move |(id, _)| id.run == *run)
    }

    /// Returns how many slots of a pool are taken.
    pub fn taken(&self, pool: &str) -> u32 {
        self.books.taken(pool)
    }

    /// Returns the prices that aren't trusted, with the evidence.
    pub fn distrusted(&self) -> impl Iterator<Item = (&Arc<str>, &Overcharge)> {
        self.books.prices.iter()
    }
}
