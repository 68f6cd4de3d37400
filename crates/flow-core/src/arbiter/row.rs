//! Rows: the durable state of the arbiter, one piece at a time.
//!
//! What can be counted from the holds is in no row: slots that are taken and
//! keys in flight.

use std::sync::Arc;

use crate::amount::Timestamp;
use crate::plan::Period;

use super::books::Books;
use super::breaker::Breaker;
use super::demand::{HoldId, LedgerId};
use super::fact::Overcharge;
use super::hold::Hold;
use super::ledger::Ledger;
use super::rate::Bucket;

/// The name of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    /// The latest instant of a fact.
    Clock,
    /// The latest day on which something was granted in a kind of period.
    Day(Period),
    /// A ledger.
    Ledger(LedgerId),
    /// A hold.
    Hold(HoldId),
    /// The bucket of a pool.
    Bucket(Arc<str>),
    /// The breaker of a pool.
    Breaker(Arc<str>),
    /// A price that isn't trusted.
    Price(Arc<str>),
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The latest instant of a fact.
    Clock(Timestamp),
    /// The latest day of a kind of period.
    Day(Period, Arc<str>),
    /// A ledger.
    Ledger(LedgerId, Ledger),
    /// A hold.
    Hold(HoldId, Hold),
    /// The bucket of a pool.
    Bucket(Arc<str>, Bucket),
    /// The breaker of a pool.
    Breaker(Arc<str>, Breaker),
    /// A price that isn't trusted.
    Price(Arc<str>, Overcharge),
}

/// A row that was written or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is this now.
    Put(Row),
    /// It is gone.
    Gone(RowKey),
}

impl Row {
    /// Returns its name.
    pub fn key(&self) -> RowKey {
        match self {
            Self::Clock(_) => RowKey::Clock,
            Self::Day(period, _) => RowKey::Day(*period),
            Self::Ledger(id, _) => RowKey::Ledger(id.clone()),
            Self::Hold(id, _) => RowKey::Hold(id.clone()),
            Self::Bucket(pool, _) => RowKey::Bucket(pool.clone()),
            Self::Breaker(pool, _) => RowKey::Breaker(pool.clone()),
            Self::Price(price, _) => RowKey::Price(price.clone()),
        }
    }
}

impl Books {
    /// Returns a row, if it is there.
    pub(super) fn row(&self, key: &RowKey) -> Option<Row> {
        Some(match key {
            RowKey::Clock if self.clock == Timestamp::default() => return None,
            RowKey::Clock => Row::Clock(self.clock),
            RowKey::Day(period) => Row::Day(*period, self.days.get(period)?.clone()),
            RowKey::Ledger(id) => Row::Ledger(id.clone(), *self.ledgers.get(id)?),
            RowKey::Hold(id) => Row::Hold(id.clone(), self.holds.get(id)?.clone()),
            RowKey::Bucket(pool) => Row::Bucket(pool.clone(), *self.buckets.get(pool)?),
            RowKey::Breaker(pool) => Row::Breaker(pool.clone(), self.breakers.get(pool)?.clone()),
            RowKey::Price(price) => Row::Price(price.clone(), *self.prices.get(price)?),
        })
    }

    /// Returns all rows, in the order of their names.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        let days = self.days.iter();
        let ledgers = self.ledgers.iter();
        let holds = self.holds.iter();
        let buckets = self.buckets.iter();
        let breakers = self.breakers.iter();
        let prices = self.prices.iter();
        (self.row(&RowKey::Clock).into_iter())
            .chain(days.map(|(period, day)| Row::Day(*period, day.clone())))
            .chain(ledgers.map(|(id, ledger)| Row::Ledger(id.clone(), *ledger)))
            .chain(holds.map(|(id, hold)| Row::Hold(id.clone(), hold.clone())))
            .chain(buckets.map(|(pool, bucket)| Row::Bucket(pool.clone(), *bucket)))
            .chain(breakers.map(|(pool, one)| Row::Breaker(pool.clone(), one.clone())))
            .chain(prices.map(|(price, evidence)| Row::Price(price.clone(), *evidence)))
    }

    /// Writes or deletes a row.
    pub(super) fn change(&mut self, change: Change) {
        match change {
            Change::Put(row) => self.put(row),
            Change::Gone(key) => self.remove(&key),
        }
    }

    fn put(&mut self, row: Row) {
        match row {
            Row::Clock(at) => self.clock = at,
            Row::Day(period, day) => {
                self.days.insert(period, day);
            }
            Row::Ledger(id, ledger) => {
                self.ledgers.insert(id, ledger);
            }
            Row::Hold(id, hold) => {
                self.remove_hold(&id);
                self.insert_hold(id, hold);
            }
            Row::Bucket(pool, bucket) => {
                self.buckets.insert(pool, bucket);
            }
            Row::Breaker(pool, breaker) => {
                self.breakers.insert(pool, breaker);
            }
            Row::Price(price, evidence) => {
                self.prices.insert(price, evidence);
            }
        }
    }

    fn remove(&mut self, key: &RowKey) {
        match key {
            RowKey::Clock => self.clock = Timestamp::default(),
            RowKey::Day(period) => drop(self.days.remove(period)),
            RowKey::Ledger(id) => drop(self.ledgers.remove(id)),
            RowKey::Hold(id) => drop(self.remove_hold(id)),
            RowKey::Bucket(pool) => drop(self.buckets.remove(pool)),
            RowKey::Breaker(pool) => drop(self.breakers.remove(pool)),
            RowKey::Price(price) => drop(self.prices.remove(price)),
        }
    }
}
