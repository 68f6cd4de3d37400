//! Holds: what an attempt was granted, until it is known what it cost.

use std::sync::Arc;

use crate::amount::Money;
use crate::digest::Digest;
use crate::event::Grant;

use super::demand::{Demand, LedgerId, OwnerId};

/// What an attempt was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The most it may cost.
    pub amount: Money,
    /// The ledgers in which that is held.
    pub ledgers: Vec<LedgerId>,
    /// The pools it was granted, whether it still has their slots or not.
    pub pools: Vec<PoolUse>,
    /// The name of the price that the amount was computed from.
    pub price: Option<Arc<str>>,
    /// Whose the slots are, while there are any.
    pub owner: Option<OwnerId>,
    /// The key that is in flight with it.
    pub key: Option<Digest>,
    /// How it stands.
    pub state: HoldState,
}

/// How a hold stands. One that was settled exactly is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// The attempt is under way.
    Open,
    /// It is over; nobody knows what it cost, and it counts as so much.
    Presumed(Money),
    /// It is over, and its bill was replaced by this one.
    Rebilled(Money),
}

/// A pool that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolUse {
    /// The pool.
    pub pool: Arc<str>,
    /// Whether its slot is taken.
    pub slot: Slot,
}

/// A slot of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It is taken.
    Taken,
    /// It was given back.
    Free,
}

impl Hold {
    /// Makes the hold that a demand asks for, in the ledgers of today.
    pub(super) fn new(demand: &Demand, owner: &OwnerId, ledgers: Vec<LedgerId>) -> Self {
        let pools = demand.pools.iter().map(|demand| PoolUse {
            pool: demand.pool.clone(),
            slot: Slot::Taken,
        });
        Self {
            amount: demand.amount,
            ledgers,
            pools: pools.collect(),
            price: demand.price.clone(),
            owner: Some(owner.clone()),
            key: demand.key,
            state: HoldState::Open,
        }
    }

    /// Returns the grant that its attempt has.
    pub fn grant(&self) -> Grant {
        Grant {
            hold: self.amount,
            ledgers: self.ledgers.clone(),
            pools: self.taken().cloned().collect(),
            price: self.price.clone(),
        }
    }

    /// Returns the pools whose slots it has.
    pub fn taken(&self) -> impl Iterator<Item = &Arc<str>> {
        let taken = self.pools.iter().filter(|one| one.slot == Slot::Taken);
        taken.map(|one| &one.pool)
    }

    /// Returns whether it has the slot of a pool.
    pub fn has_slot(&self, pool: &str) -> bool {
        self.taken().any(|taken| &**taken == pool)
    }
}
