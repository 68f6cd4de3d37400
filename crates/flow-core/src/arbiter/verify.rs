//! Verifying: whether the ledgers are what holds and bills make them.

use std::collections::BTreeMap;

use crate::amount::Money;

use super::Arbiter;
use super::demand::LedgerId;
use super::hold::HoldState;

/// A sum that isn't right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The ledger.
    pub ledger: LedgerId,
    /// Which of its sums.
    pub what: What,
    /// What it is.
    pub found: Money,
    /// What it should be.
    pub expected: Money,
}

/// A sum of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// What is held for attempts under way.
    Held,
    /// What was spent.
    Spent,
}

impl Arbiter {
    /// Adds up all ledgers again, and returns the sums that aren't right.
    ///
    /// `spent` is what the logs of all runs say: the bills of all attempts that
    /// are over, in each ledger of their grants. A ledger that isn't named in
    /// it should have nothing spent.
    pub fn verify(&self, spent: &BTreeMap<LedgerId, Money>) -> Vec<Mismatch> {
        let mut held: BTreeMap<&LedgerId, Money> = BTreeMap::new();
        for hold in self.books.holds.values() {
            if hold.state == HoldState::Open {
                for ledger in &hold.ledgers {
                    let sum = held.entry(ledger).or_default();
                    *sum = sum.saturating_add(hold.amount);
                }
            }
        }
        let mut ids: Vec<_> = (self.books.ledgers.keys())
            .chain(held.keys().copied())
            .chain(spent.keys())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let sum = |found: Option<&Money>| found.copied().unwrap_or_default();
        let mut wrong = Vec::new();
        for id in ids {
            let ledger = self.books.ledger(id);
            let sums = [
                (What::Held, ledger.held, sum(held.get(id))),
                (What::Spent, ledger.spent, sum(spent.get(id))),
            ];
            let different = sums.into_iter().filter(|(_, found, sum)| found != sum);
            wrong.extend(different.map(|(what, found, expected)| Mismatch {
                ledger: id.clone(),
                what,
                found,
                expected,
            }));
        }
        wrong
    }
}
