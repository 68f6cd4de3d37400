//! Judging: whether a demand can have all that it asks for, now or ever.
//!
//! Nothing is changed here. What is shared may be granted past those that wait
//! for it only by the one whose turn it is, and what is set aside for an elder
//! only to the elder.

use std::sync::Arc;

use crate::amount::Timestamp;
use crate::effect::FailureClass;
use crate::event::Failure;
use crate::run::{Fits, Refusal};

use super::breaker::Passage;
use super::demand::{Demand, HasFallback, HoldId, LedgerDemand, lower};
use super::ledger::Room;
use super::line::LaneId;
use super::queue::{Gets, LaneKey, Reason, Resource, Waiter, Waiting};
use super::{Arbiter, LedgerId};

/// What is to become of a demand.
pub(super) enum Judgement {
    /// It can have everything.
    Fits(Fit),
    /// It has to wait.
    Waits(Waiting),
    /// An equal call is in flight, with this attempt.
    Flying(HoldId),
    /// It can't, and never will, as things are.
    Never(Refusal),
}

/// What else happens when a demand is granted.
#[derive(Default)]
pub(super) struct Fit {
    /// The pools whose breakers let it through alone.
    pub(super) probes: Vec<Arc<str>>,
}

/// Where a demand is looked at.
#[derive(Clone, Copy, Default)]
pub(super) struct Turn<'a> {
    /// Its lane, if it waits.
    pub(super) lane: Option<LaneId>,
    /// The line in which it is its turn.
    pub(super) line: Option<&'a Resource>,
}

/// Why a demand can't have something: for now, or for ever.
enum Hitch {
    Waits(Waiting),
    Never(Refusal),
}

impl Arbiter {
    /// Says what is to become of a demand.
    pub(super) fn judge(&self, waiter: &Waiter, turn: Turn<'_>, now: Timestamp) -> Judgement {
        let demand = &waiter.demand;
        if let Some(by) = self.flying(demand) {
            return Judgement::Flying(by.clone());
        }
        let mut fit = Fit::default();
        let hitch = self
            .refusal(demand)
            .map(Hitch::Never)
            .or_else(|| self.gate_hitch(waiter, now, &mut fit))
            .or_else(|| self.hitch(waiter, turn).map(Hitch::Waits));
        match hitch {
            None => Judgement::Fits(fit),
            Some(Hitch::Waits(waiting)) => Judgement::Waits(waiting),
            Some(Hitch::Never(refusal)) => Judgement::Never(refusal),
        }
    }

    /// Returns what all demands like it have in common.
    pub(super) fn lane_key(&self, waiter: &Waiter) -> LaneKey {
        let demand = &waiter.demand;
        let pools = demand.pools.iter().map(|demand| demand.pool.clone());
        let mut pools: Vec<_> = pools.collect();
        let ledgers = self.limited(demand).map(|one| one.ledger.clone());
        let mut ledgers: Vec<_> = ledgers.collect();
        pools.sort_unstable();
        ledgers.sort_unstable();
        LaneKey {
            run: demand.hold.run.clone(),
            pools,
            ledgers,
            has_fallback: demand.has_fallback,
            gets: waiter.gets,
        }
    }

    /// Returns the attempt that an equal call is in flight with.
    fn flying(&self, demand: &Demand) -> Option<&HoldId> {
        let by = self.books.flight(demand.key.as_ref()?)?;
        (*by != demand.hold).then_some(by)
    }

    /// Returns the ledgers in which there has to be room for a demand.
    fn limited<'a>(&'a self, demand: &'a Demand) -> impl Iterator<Item = &'a LedgerDemand> {
        let ledgers = demand.ledgers.iter().filter(|_| demand.amount.0 > 0);
        ledgers.filter(|one| one.limit.is_some() || self.terms.limit(&one.ledger).is_some())
    }

    /// Returns why a demand will never be granted, as things are.
    fn refusal(&self, demand: &Demand) -> Option<Refusal> {
        let never = |class, text: String| Some(Refusal::Never(Failure::new(class, text)));
        if let Some(price) = &demand.price
            && let Some(evidence) = self.books.prices.get(price)
        {
            let (bill, bound) = (evidence.bill, evidence.bound);
            let text = format!(
                "the price `{price}` isn't trusted: {bill} was billed where it says {bound} at most; if the bill is right, correct the price, and `flow effects trust {price}` trusts it again"
            );
            return never(FailureClass::Budget, text);
        }
        let is_empty = |pool: &str| self.terms.pool(pool).slots == Some(0);
        let mut pools = demand.pools.iter().map(|one| &one.pool);
        if let Some(pool) = pools.find(|pool| is_empty(pool) && self.lacks(&demand.hold, pool)) {
            let text = format!("the pool `{pool}` has no slots");
            return never(FailureClass::Capacity, text);
        }
        for one in self.limited(demand) {
            let limit = lower(one.limit, self.terms.limit(&one.ledger))?;
            let id = self.dated(&one.ledger);
            let ledger = self.books.ledger(&id);
            if ledger.room(demand.amount, limit) == Room::Never {
                let until = id.period().map(|period| self.days.get(period).until);
                return Some(Refusal::Budget {
                    ledger: id,
                    until,
                    left: ledger.left_most(limit),
                    needs: demand.amount,
                    fits_empty: if demand.amount > limit {
                        Fits::No
                    } else {
                        Fits::Yes
                    },
                });
            }
        }
        None
    }

    /// Returns what keeps everybody out of the pools of a demand.
    fn gate_hitch(&self, waiter: &Waiter, now: Timestamp, fit: &mut Fit) -> Option<Hitch> {
        // One that was granted before has passed all gates.
        if waiter.gets == Gets::Slots {
            return None;
        }
        let wait = |reason, until| Some(Hitch::Waits(Waiting { reason, until }));
        // Breakers first: whoever has a fallback is to be told of any of them.
        let mut barred = None;
        for demand in &waiter.demand.pools {
            let pool = &demand.pool;
            match self.passage(pool, now) {
                Passage::Free => {}
                Passage::Probe => fit.probes.push(pool.clone()),
                Passage::Barred(_) if waiter.demand.has_fallback == HasFallback::Yes => {
                    return Some(Hitch::Never(left_alone(pool)));
                }
                Passage::Barred(until) => {
                    barred = barred.or(Some((Reason::Breaker(pool.clone()), until)));
                }
            }
        }
        if let Some((reason, until)) = barred {
            return wait(reason, until);
        }
        for demand in &waiter.demand.pools {
            let pool = &demand.pool;
            let bucket = self.books.buckets.get(pool).copied().unwrap_or_default();
            if let Some(until) = bucket.pause(now) {
                return wait(Reason::Pause(pool.clone()), Some(until));
            }
            if let Some(until) = self
                .terms
                .pool(pool)
                .rate
                .and_then(|rate| bucket.next(rate, now))
            {
                return wait(Reason::Rate(pool.clone()), Some(until));
            }
        }
        None
    }

    /// Says whether the breaker of a pool lets an attempt through.
    pub(super) fn passage(&self, pool: &str, now: Timestamp) -> Passage {
        let breaker = self.books.breakers.get(pool);
        let breaker = breaker.filter(|_| self.terms.pool(pool).breaker.is_some());
        breaker.map_or(Passage::Free, |breaker| breaker.passage(now))
    }

    /// Returns what a demand lacks, or who is before it.
    fn hitch(&self, waiter: &Waiter, turn: Turn<'_>) -> Option<Waiting> {
        let demand = &waiter.demand;
        let wait = |reason| {
            Some(Waiting {
                reason,
                until: None,
            })
        };
        let elder = self.queue.elder();
        let is_elder = elder.is_some_and(|(lane, _)| turn.lane == Some(lane));
        let is_free = is_elder || waiter.gets == Gets::Slots;
        let set_aside = |resource: &Resource| elder.is_some_and(|(_, elder)| elder.needs(resource));
        let is_behind = |resource: &Resource| {
            !is_free
                && (set_aside(resource)
                    || turn.line != Some(resource) && self.queue.is_contended(resource))
        };
        for one in &demand.pools {
            if !self.lacks(&demand.hold, &one.pool) {
                continue;
            }
            if let Some(slots) = self.terms.pool(&one.pool).slots
                && self.books.taken(&one.pool) >= slots
            {
                return wait(Reason::Slots {
                    pool: one.pool.clone(),
                    slots,
                });
            }
            if self.queue.len() > 0 {
                let resource = Resource::Pool(one.pool.clone());
                if is_behind(&resource) {
                    return wait(Reason::Turn(resource));
                }
            }
        }
        for one in self.limited(demand) {
            let limit = lower(one.limit, self.terms.limit(&one.ledger))?;
            let id = self.dated(&one.ledger);
            let ledger = self.books.ledger(&id);
            if ledger.room(demand.amount, limit) != Room::Fits {
                return wait(Reason::Budget {
                    ledger: id,
                    left: ledger.left_now(limit),
                    needs: demand.amount,
                });
            }
            if self.queue.len() > 0 {
                let resource = Resource::Ledger(one.ledger.clone());
                if is_behind(&resource) {
                    return wait(Reason::Turn(resource));
                }
            }
        }
        None
    }

    /// Returns whether an attempt has yet to get the slot of a pool.
    pub(super) fn lacks(&self, hold: &HoldId, pool: &str) -> bool {
        let hold = self.books.holds.get(hold);
        hold.is_none_or(|hold| !hold.has_slot(pool))
    }

    /// Returns the name that a ledger has today.
    pub(super) fn dated(&self, ledger: &LedgerId) -> LedgerId {
        match ledger.period() {
            Some(period) => ledger.dated(&self.days.get(period).day),
            None => ledger.clone(),
        }
    }
}

/// Says that a pool has failed again and again.
pub(super) fn left_alone(pool: &str) -> Refusal {
    let text = format!("`{pool}` has failed too often and is left alone for a while");
    Refusal::Never(Failure::new(FailureClass::Capacity, text))
}
