//! The books: the durable state, and what each fact does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::amount::{Duration, Money, Timestamp};
use crate::digest::Digest;
use crate::event::Grant;
use crate::plan::Period;
use crate::step::Bill;

use super::breaker::{Breaker, BreakerState};
use super::demand::{HoldId, LedgerId, OwnerId};
use super::fact::{ArbEvent, Overcharge, Worked};
use super::hold::{Hold, HoldState, PoolUse, Slot};
use super::ledger::{Known, Ledger};
use super::rate::{Bucket, back};
use super::row::RowKey;

/// The durable state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Books {
    pub(super) ledgers: BTreeMap<LedgerId, Ledger>,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    pub(super) buckets: BTreeMap<Arc<str>, Bucket>,
    pub(super) breakers: BTreeMap<Arc<str>, Breaker>,
    pub(super) prices: BTreeMap<Arc<str>, Overcharge>,
    pub(super) days: BTreeMap<Period, Arc<str>>,
    pub(super) clock: Timestamp,
    /// How many slots are taken. Counted from the holds.
    taken: BTreeMap<Arc<str>, u32>,
    /// The keys in flight. Counted from the holds.
    flights: BTreeMap<Digest, HoldId>,
}

/// The rows that a fact has changed.
pub(super) type Changed = BTreeSet<RowKey>;

impl Books {
    /// Returns how many slots of a pool are taken.
    pub(super) fn taken(&self, pool: &str) -> u32 {
        self.taken.get(pool).copied().unwrap_or(0)
    }

    /// Returns the attempt that a key is in flight with.
    pub(super) fn flight(&self, key: &Digest) -> Option<&HoldId> {
        self.flights.get(key)
    }

    /// Returns what is in a ledger.
    pub(super) fn ledger(&self, id: &LedgerId) -> Ledger {
        self.ledgers.get(id).copied().unwrap_or_default()
    }

    /// Changes the state by a fact.
    pub(super) fn apply(&mut self, event: &ArbEvent, changed: &mut Changed) {
        match event {
            ArbEvent::Held(id, hold) => self.held(id, hold, changed),
            ArbEvent::SlotsTaken {
                hold,
                owner,
                pools,
                key,
            } => self.slots_taken(hold, owner, pools, *key, changed),
            ArbEvent::Narrowed { hold, pools } => self.narrowed(hold, pools, changed),
            ArbEvent::Settled { hold, bill } => self.closed(hold, *bill, None, changed),
            ArbEvent::Presumed { hold, bill } => {
                self.closed(hold, *bill, Some(HoldState::Presumed(*bill)), changed);
            }
            ArbEvent::Released { hold } => self.closed(hold, Money(0), None, changed),
            ArbEvent::Rebilled {
                hold,
                grant,
                old,
                new,
            } => self.rebilled(hold, grant, *old, *new, changed),
            ArbEvent::OwnerGone { owner } => self.owner_gone(owner, changed),
            ArbEvent::RunClosed { run } => {
                let over = |hold: &Hold| matches!(hold.state, HoldState::Rebilled(_));
                let ids = (self.holds.iter()).filter(|(id, hold)| id.run == *run && over(hold));
                for id in ids.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                    self.remove_hold(&id);
                    changed.insert(RowKey::Hold(id));
                }
            }
            ArbEvent::TokenTaken { .. }
            | ArbEvent::Paused { .. }
            | ArbEvent::Saw { .. }
            | ArbEvent::Tripped { .. }
            | ArbEvent::HalfOpened { .. }
            | ArbEvent::ProbeOver { .. } => self.apply_to_pool(event, changed),
            ArbEvent::Distrusted { price, evidence } => {
                self.prices.entry(price.clone()).or_insert(*evidence);
                changed.insert(RowKey::Price(price.clone()));
            }
            ArbEvent::Trusted { price } => {
                self.prices.remove(price);
                changed.insert(RowKey::Price(price.clone()));
            }
            ArbEvent::ClockSetBack { by } => self.set_back(*by, changed),
        }
    }

    fn apply_to_pool(&mut self, event: &ArbEvent, changed: &mut Changed) {
        match event {
            ArbEvent::TokenTaken { pool, full_at, at } => {
                let bucket = self.buckets.entry(pool.clone()).or_default();
                bucket.full_at = bucket.full_at.max(*full_at);
                changed.insert(RowKey::Bucket(pool.clone()));
                self.saw_time(*at, changed);
            }
            ArbEvent::Paused { pool, until, at } => {
                let bucket = self.buckets.entry(pool.clone()).or_default();
                bucket.paused = bucket.paused.max(Some(*until));
                changed.insert(RowKey::Bucket(pool.clone()));
                self.saw_time(*at, changed);
            }
            ArbEvent::Saw { pool, worked } => {
                changed.insert(RowKey::Breaker(pool.clone()));
                match worked {
                    Worked::Yes => drop(self.breakers.remove(pool)),
                    Worked::No => {
                        let breaker = self.breakers.entry(pool.clone()).or_default();
                        breaker.failures = breaker.failures.saturating_add(1);
                    }
                }
            }
            ArbEvent::Tripped { pool, until, at } => {
                let breaker = self.breakers.entry(pool.clone()).or_default();
                breaker.state = BreakerState::Open { until: *until };
                changed.insert(RowKey::Breaker(pool.clone()));
                self.saw_time(*at, changed);
            }
            ArbEvent::HalfOpened { pool, probe } => {
                let breaker = self.breakers.entry(pool.clone()).or_default();
                breaker.state = BreakerState::HalfOpen {
                    probe: Some(probe.clone()),
                };
                changed.insert(RowKey::Breaker(pool.clone()));
            }
            ArbEvent::ProbeOver { pool, probe } => {
                if let Some(breaker) = self.breakers.get_mut(pool)
                    && breaker.is_probe(probe)
                {
                    breaker.state = BreakerState::HalfOpen { probe: None };
                    changed.insert(RowKey::Breaker(pool.clone()));
                }
            }
            ArbEvent::Held(..)
            | ArbEvent::SlotsTaken { .. }
            | ArbEvent::Narrowed { .. }
            | ArbEvent::Settled { .. }
            | ArbEvent::Presumed { .. }
            | ArbEvent::Released { .. }
            | ArbEvent::Rebilled { .. }
            | ArbEvent::Distrusted { .. }
            | ArbEvent::Trusted { .. }
            | ArbEvent::OwnerGone { .. }
            | ArbEvent::RunClosed { .. }
            | ArbEvent::ClockSetBack { .. } => {}
        }
    }

    fn held(&mut self, id: &HoldId, hold: &Hold, changed: &mut Changed) {
        if self.holds.contains_key(id) {
            return;
        }
        for ledger in &hold.ledgers {
            self.touch(ledger, hold.amount, changed, |ledger| {
                ledger.hold(hold.amount);
            });
            if let (Some(period), Some(day)) = (ledger.period(), ledger.day())
                && self.days.get(&period).is_none_or(|seen| seen < day)
            {
                self.days.insert(period, day.clone());
                changed.insert(RowKey::Day(period));
            }
        }
        self.insert_hold(id.clone(), hold.clone());
        changed.insert(RowKey::Hold(id.clone()));
    }

    fn slots_taken(
        &mut self,
        id: &HoldId,
        owner: &OwnerId,
        pools: &[Arc<str>],
        key: Option<Digest>,
        changed: &mut Changed,
    ) {
        let Some(mut hold) = self.take_open(id) else {
            return;
        };
        for pool in pools {
            match hold.pools.iter_mut().find(|one| one.pool == *pool) {
                Some(one) => one.slot = Slot::Taken,
                None => hold.pools.push(PoolUse {
                    pool: pool.clone(),
                    slot: Slot::Taken,
                }),
            }
        }
        hold.owner = Some(owner.clone());
        let free = key.filter(|key| !self.flights.contains_key(key));
        hold.key = hold.key.or(free);
        self.insert_hold(id.clone(), hold);
        changed.insert(RowKey::Hold(id.clone()));
    }

    fn narrowed(&mut self, id: &HoldId, keep: &[Arc<str>], changed: &mut Changed) {
        let Some(mut hold) = self.take_open(id) else {
            return;
        };
        for one in &mut hold.pools {
            if !keep.contains(&one.pool) {
                one.slot = Slot::Free;
            }
        }
        self.insert_hold(id.clone(), hold);
        changed.insert(RowKey::Hold(id.clone()));
    }

    /// Ends an attempt that is under way: what was held is spent by a bill.
    fn closed(
        &mut self,
        id: &HoldId,
        bill: Money,
        after: Option<HoldState>,
        changed: &mut Changed,
    ) {
        let Some(mut hold) = self.take_open(id) else {
            return;
        };
        for ledger in &hold.ledgers {
            self.give_back(ledger, hold.amount, changed);
            self.touch(ledger, bill, changed, |ledger| ledger.spend(bill));
        }
        changed.insert(RowKey::Hold(id.clone()));
        if let Some(state) = after {
            hold.end(state);
            self.insert_hold(id.clone(), hold);
        }
    }

    fn rebilled(
        &mut self,
        id: &HoldId,
        grant: &Grant,
        old: Bill,
        new: Bill,
        changed: &mut Changed,
    ) {
        let amount = new.amount().max(Money(0));
        let known = self.remove_hold(id);
        let mut hold = known.unwrap_or_else(|| Hold {
            amount: grant.hold,
            ledgers: grant.ledgers.clone(),
            pools: Vec::new(),
            price: grant.price.clone(),
            owner: None,
            key: None,
            state: HoldState::Rebilled(old.amount().max(Money(0))),
        });
        for ledger in &hold.ledgers {
            match hold.state {
                HoldState::Open => self.give_back(ledger, hold.amount, changed),
                HoldState::Presumed(old) | HoldState::Rebilled(old) => {
                    self.touch(ledger, old, changed, |ledger| ledger.refund(old));
                }
            }
            self.touch(ledger, amount, changed, |ledger| ledger.spend(amount));
        }
        hold.end(match new {
            Bill::Presumed(_) => HoldState::Presumed(amount),
            Bill::Exact(_) | Bill::None => HoldState::Rebilled(amount),
        });
        self.insert_hold(id.clone(), hold);
        changed.insert(RowKey::Hold(id.clone()));
    }

    fn owner_gone(&mut self, owner: &OwnerId, changed: &mut Changed) {
        let theirs = (self.holds.iter()).filter(|(_, hold)| hold.owner.as_ref() == Some(owner));
        let ids: Vec<_> = theirs.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(mut hold) = self.take_open(&id) else {
                continue;
            };
            for one in &mut hold.pools {
                one.slot = Slot::Free;
            }
            hold.owner = None;
            hold.key = None;
            self.insert_hold(id.clone(), hold);
            changed.insert(RowKey::Hold(id));
        }
    }

    fn set_back(&mut self, by: Duration, changed: &mut Changed) {
        self.clock = back(self.clock, by);
        changed.insert(RowKey::Clock);
        for (pool, bucket) in &mut self.buckets {
            bucket.shift(by);
            changed.insert(RowKey::Bucket(pool.clone()));
        }
        for (pool, breaker) in &mut self.breakers {
            breaker.shift(by);
            changed.insert(RowKey::Breaker(pool.clone()));
        }
    }

    fn saw_time(&mut self, at: Timestamp, changed: &mut Changed) {
        if at > self.clock {
            self.clock = at;
            changed.insert(RowKey::Clock);
        }
    }

    /// Changes a ledger, unless it is by nothing.
    fn touch(
        &mut self,
        id: &LedgerId,
        amount: Money,
        changed: &mut Changed,
        change: impl FnOnce(&mut Ledger),
    ) {
        if amount.0 > 0 {
            match self.ledgers.get_mut(id) {
                Some(ledger) => change(ledger),
                None => change(self.ledgers.entry(id.clone()).or_default()),
            }
            changed.insert(RowKey::Ledger(id.clone()));
        }
    }

    /// Gives back what a hold that was just taken out has held in a ledger.
    fn give_back(&mut self, id: &LedgerId, amount: Money, changed: &mut Changed) {
        let mut known = Known::Yes;
        self.touch(id, amount, changed, |ledger| known = ledger.release(amount));
        if known == Known::No {
            let held = self.open_in(id);
            self.touch(id, amount, changed, |ledger| ledger.held = held);
        }
    }

    /// Returns what all attempts under way hold in a ledger.
    pub(super) fn open_in(&self, id: &LedgerId) -> Money {
        let open = (self.holds.values()).filter(|hold| hold.state == HoldState::Open);
        let here = open.filter(|hold| hold.ledgers.contains(id));
        here.fold(Money(0), |sum, hold| sum.saturating_add(hold.amount))
    }

    /// Takes out a hold whose attempt is under way, with all that is counted.
    fn take_open(&mut self, id: &HoldId) -> Option<Hold> {
        let open = self.holds.get(id)?.state == HoldState::Open;
        if open { self.remove_hold(id) } else { None }
    }

    /// Adds a hold and counts its slots and its key.
    pub(super) fn insert_hold(&mut self, id: HoldId, hold: Hold) {
        for pool in hold.taken() {
            match self.taken.get_mut(pool) {
                Some(taken) => *taken = taken.saturating_add(1),
                None => drop(self.taken.insert(pool.clone(), 1)),
            }
        }
        if let Some(key) = hold.key {
            self.flights.entry(key).or_insert_with(|| id.clone());
        }
        self.holds.insert(id, hold);
    }

    /// Takes a hold out and no longer counts its slots and its key.
    pub(super) fn remove_hold(&mut self, id: &HoldId) -> Option<Hold> {
        let hold = self.holds.remove(id)?;
        for pool in hold.taken() {
            match self.taken.get_mut(pool) {
                Some(taken) if *taken > 1 => *taken -= 1,
                Some(_) | None => drop(self.taken.remove(pool)),
            }
        }
        if let Some(key) = &hold.key
            && self.flights.get(key) == Some(id)
        {
            self.flights.remove(key);
        }
        Some(hold)
    }
}

impl Hold {
    /// Ends its attempt, which leaves only what bills are about.
    fn end(&mut self, state: HoldState) {
        self.state = state;
        self.pools = Vec::new();
        self.owner = None;
        self.key = None;
    }
}
