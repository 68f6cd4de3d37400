//! Ledgers: what was spent and what is held, and whether more fits.
//!
//! No sum wraps. A sum that can't be written is the greatest amount, in which
//! nothing fits any more.

use crate::amount::Money;

/// What is in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    /// What was billed, or counts as billed.
    pub spent: Money,
    /// What is held for attempts that are under way.
    pub held: Money,
}

/// Whether an amount fits into a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It does.
    Fits,
    /// It may, when what is held has been settled.
    Later,
    /// It doesn't, whatever becomes of what is held.
    Never,
}

impl Ledger {
    /// Says whether an amount fits below a limit. Nothing always fits.
    pub(super) fn room(self, amount: Money, limit: Money) -> Room {
        if amount.0 <= 0 {
            return Room::Fits;
        }
        let [spent, held, amount, limit] =
            [self.spent, self.held, amount, limit].map(|money| i128::from(money.0));
        if spent + held + amount <= limit {
            Room::Fits
        } else if held > 0 && spent + amount <= limit {
            Room::Later
        } else {
            Room::Never
        }
    }

    /// Returns what is left below a limit of what was spent and is held.
    pub(super) fn left_now(self, limit: Money) -> Money {
        let used = self.spent.saturating_add(self.held);
        Money(limit.0.saturating_sub(used.0).max(0))
    }

    /// Returns what is left below a limit if all that is held is given back.
    pub(super) fn left_most(self, limit: Money) -> Money {
        Money(limit.0.saturating_sub(self.spent.0).max(0))
    }

    pub(super) fn hold(&mut self, amount: Money) {
        self.held = self.held.saturating_add(amount);
    }

    /// Takes an amount out of what is held. A sum that was too great to be
    /// written is not known afterwards; the caller makes it anew.
    pub(super) fn release(&mut self, amount: Money) -> Known {
        let known = if self.held.0 == i64::MAX {
            Known::No
        } else {
            Known::Yes
        };
        self.held = Money(self.held.0.saturating_sub(amount.0).max(0));
        known
    }

    pub(super) fn spend(&mut self, amount: Money) {
        self.spent = self.spent.saturating_add(amount);
    }

    pub(super) fn refund(&mut self, amount: Money) {
        self.spent = Money(self.spent.0.saturating_sub(amount.0).max(0));
    }
}

/// Whether a sum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is.
    Yes,
    /// It was cut before.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_fits_up_to_the_limit() {
        let ledger = |spent, held| Ledger {
            spent: Money(spent),
            held: Money(held),
        };
        let most = i64::MAX;
        let cases = [
            (ledger(0, 0), 10, 10, Room::Fits),
            (ledger(0, 0), 11, 10, Room::Never),
            (ledger(3, 4), 3, 10, Room::Fits),
            (ledger(3, 4), 4, 10, Room::Later),
            (ledger(3, 4), 7, 10, Room::Later),
            (ledger(3, 4), 8, 10, Room::Never),
            (ledger(8, 0), 3, 10, Room::Never),
            // Nothing fits always, and a little never into too much.
            (ledger(20, 0), 0, 10, Room::Fits),
            (ledger(20, 5), -1, 0, Room::Fits),
            (ledger(20, 5), 1, 10, Room::Never),
            (ledger(0, 0), 1, -1, Room::Never),
            // No sum wraps.
            (ledger(most, most), most, most, Room::Never),
            (ledger(0, most), most, most, Room::Later),
            (ledger(0, 0), most, most, Room::Fits),
        ];
        for (ledger, amount, limit, room) in cases {
            let found = ledger.room(Money(amount), Money(limit));
            assert_eq!(found, room, "{ledger:?} {amount} {limit}");
        }
    }

    #[test]
    fn sums_are_cut_at_both_ends() {
        let mut ledger = Ledger::default();
        ledger.hold(Money(5));
        assert_eq!(ledger.release(Money(7)), Known::Yes);
        assert_eq!(ledger.held, Money(0));
        ledger.hold(Money(i64::MAX));
        ledger.hold(Money(5));
        assert_eq!(ledger.release(Money(5)), Known::No);
        ledger.spend(Money(i64::MAX));
        ledger.spend(Money(1));
        assert_eq!(ledger.spent, Money(i64::MAX));
        ledger.refund(Money(i64::MAX));
        ledger.refund(Money(1));
        assert_eq!(ledger.spent, Money(0));
    }

    #[test]
    fn what_is_left_is_never_less_than_nothing() {
        let ledger = Ledger {
            spent: Money(6),
            held: Money(3),
        };
        assert_eq!(ledger.left_now(Money(10)), Money(1));
        assert_eq!(ledger.left_most(Money(10)), Money(4));
        assert_eq!(ledger.left_now(Money(5)), Money(0));
        assert_eq!(ledger.left_most(Money(5)), Money(0));
    }
}
