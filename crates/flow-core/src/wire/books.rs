//! The numbers of the arbiter's rows.
//!
//! A row is stored as the kind of what it is about, its key and its body, so
//! that a store can find and replace it without knowing what it says.

use crate::amount::Timestamp;
use crate::arbiter::{
    Breaker, BreakerState, Bucket, Change, Hold, HoldId, HoldState, Ledger, Overcharge, PoolUse,
    Row, RowKey, Slot,
};
use crate::plan::Period;
use crate::wire::{WireError, decode, encode, wire_choice, wire_struct, wire_words};

/// A row of the arbiter in its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// What kind of thing it is about.
    pub kind: u8,
    /// Which one.
    pub key: Vec<u8>,
    /// What it says; nothing if it is gone.
    pub body: Option<Vec<u8>>,
}

const CLOCK: u8 = 1;
const DAY: u8 = 2;
const LEDGER: u8 = 3;
const HOLD: u8 = 4;
const BUCKET: u8 = 5;
const BREAKER: u8 = 6;
const PRICE: u8 = 7;

fn bytes<T: crate::wire::Wire>(it: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode(it, &mut out).expect("rows of the arbiter hold no lists of a `for`");
    out
}

fn key_of(key: &RowKey) -> (u8, Vec<u8>) {
    match key {
        RowKey::Clock => (CLOCK, Vec::new()),
        RowKey::Day(period) => (DAY, bytes(period)),
        RowKey::Ledger(ledger) => (LEDGER, bytes(ledger)),
        RowKey::Hold(hold) => (HOLD, bytes(hold)),
        RowKey::Bucket(pool) => (BUCKET, bytes(pool)),
        RowKey::Breaker(pool) => (BREAKER, bytes(pool)),
        RowKey::Price(price) => (PRICE, bytes(price)),
    }
}

impl Change {
    /// Returns the stored form.
    pub fn stored(&self) -> StoredRow {
        let (key, body) = match self {
            Self::Gone(key) => (key.clone(), None),
            Self::Put(row) => (
                row.key(),
                Some(match row {
                    Row::Clock(instant) => bytes(instant),
                    Row::Day(_, day) => bytes(day),
                    Row::Ledger(_, ledger) => bytes(ledger),
                    Row::Hold(_, hold) => bytes(hold),
                    Row::Bucket(_, bucket) => bytes(bucket),
                    Row::Breaker(_, breaker) => bytes(breaker),
                    Row::Price(_, evidence) => bytes(evidence),
                }),
            ),
        };
        let (kind, key) = key_of(&key);
        StoredRow { kind, key, body }
    }
}

impl Row {
    /// Reads the stored form of a row that is there.
    pub fn read(kind: u8, key: &[u8], body: &[u8]) -> Result<Self, WireError> {
        Ok(match kind {
            CLOCK => Self::Clock(decode::<Timestamp>(body)?),
            DAY => Self::Day(decode::<Period>(key)?, decode(body)?),
            LEDGER => Self::Ledger(decode(key)?, decode::<Ledger>(body)?),
            HOLD => Self::Hold(decode::<HoldId>(key)?, decode::<Hold>(body)?),
            BUCKET => Self::Bucket(decode(key)?, decode::<Bucket>(body)?),
            BREAKER => Self::Breaker(decode(key)?, decode::<Breaker>(body)?),
            PRICE => Self::Price(decode(key)?, decode::<Overcharge>(body)?),
            other => {
                return Err(WireError::Newer {
                    what: "row of what runs share",
                    number: u64::from(other),
                });
            }
        })
    }
}

wire_struct!(Ledger { 1 spent, 2 held });

wire_struct!(HoldId { 1 run, 2 ticket });

wire_struct!(Hold {
    1 amount,
    2 ledgers,
    3 pools,
    4 price,
    5 owner,
    6 key,
    7 state,
});

wire_struct!(PoolUse { 1 pool, 2 slot });

wire_struct!(Bucket { 1 full_at, 2 paused });

wire_struct!(Breaker { 1 failures, 2 state });

wire_struct!(Overcharge { 1 bill, 2 bound });

wire_choice!(HoldState "state of a hold" {
    1 Open {},
    2 Presumed(..),
    3 Rebilled(..),
});

wire_choice!(BreakerState "state of a breaker" absent Closed {
    1 Closed {},
    2 Open { 1 until },
    3 HalfOpen { 1 probe },
});

wire_words!(Slot "state of a slot" { 1 Taken, 2 Free });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{At, RunId, Ticket};
    use crate::amount::{Duration, Money};
    use crate::arbiter::{LedgerId, OwnerId};

    #[test]
    fn rows_are_read_back() {
        let hold = HoldId {
            run: RunId("r".into()),
            ticket: Ticket {
                at: At::root(),
                generation: 1,
                attempt: 2,
            },
        };
        let granted = Hold {
            amount: Money(5),
            ledgers: vec![LedgerId::Project],
            pools: vec![PoolUse {
                pool: "acme".into(),
                slot: Slot::Taken,
            }],
            price: Some("acme/paint".into()),
            owner: Some(OwnerId("me".into())),
            key: None,
            state: HoldState::Presumed(Money(4)),
        };
        let rows = [
            Row::Clock(Timestamp(7)),
            Row::Day(Period::Week, "2026-05-04".into()),
            Row::Ledger(
                LedgerId::Run(RunId("r".into())),
                Ledger {
                    spent: Money(1),
                    held: Money(2),
                },
            ),
            Row::Hold(hold.clone(), granted),
            Row::Bucket(
                "acme".into(),
                Bucket {
                    full_at: Duration(9),
                    paused: Some(Timestamp(3)),
                },
            ),
            Row::Breaker(
                "acme".into(),
                Breaker {
                    failures: 3,
                    state: BreakerState::HalfOpen { probe: Some(hold) },
                },
            ),
            Row::Price(
                "acme/paint".into(),
                Overcharge {
                    bill: Money(9),
                    bound: Money(3),
                },
            ),
        ];
        for row in rows {
            let stored = Change::Put(row.clone()).stored();
            let body = stored.body.unwrap();
            assert_eq!(Row::read(stored.kind, &stored.key, &body).unwrap(), row);
            let gone = Change::Gone(row.key()).stored();
            assert_eq!((gone.kind, gone.key), (stored.kind, stored.key));
        }
    }
}
