//! Settling: attempts that end, and all else that gives something back.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::address::{RunId, Ticket};
use crate::amount::{Money, Timestamp};
use crate::event::Grant;
use crate::step::Bill;

use super::Arbiter;
use super::breaker::{BreakerState, Ending};
use super::demand::{HoldId, OwnerId};
use super::fact::{ArbEvent, Decision, Overcharge, Worked};
use super::hold::{Hold, HoldState};
use super::queue::Resource;
use super::terms::BreakerTerms;

/// A bill that replaces another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebill {
    /// The attempt.
    pub hold: HoldId,
    /// What it was granted, as its intent says.
    pub grant: Grant,
    /// What it was billed before, as its outcome says.
    pub old: Bill,
    /// What it is billed now.
    pub new: Bill,
}

impl Arbiter {
    /// Ends an attempt: its slots are free, its key has landed, and what was
    /// held for it is spent by its bill. An attempt that isn't under way is
    /// left as it is.
    pub fn settle(
        &mut self,
        hold: &HoldId,
        bill: Bill,
        ending: Ending,
        now: Timestamp,
    ) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        if let Some(open) = self.open(hold) {
            self.close(hold, &open, bill, ending, now, &mut out);
        }
        self.serve(now, &mut out);
        out
    }

    /// Replaces the bill of an attempt that is over, in all its ledgers. The
    /// same bill again changes nothing, and neither does the outcome of the
    /// attempt if that comes later.
    pub fn rebill(&mut self, rebill: Rebill, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        let Rebill {
            hold,
            grant,
            old,
            new,
        } = rebill;
        let amount = new.amount().max(Money(0));
        let known = self.books.holds.get(&hold);
        let is_new = match known.map(|known| known.state) {
            Some(HoldState::Open) => true,
            Some(HoldState::Presumed(old)) => old != amount || !matches!(new, Bill::Presumed(_)),
            Some(HoldState::Rebilled(old)) => old != amount || matches!(new, Bill::Presumed(_)),
            None => old != new,
        };
        if is_new {
            let (bound, price) = match known {
                Some(known) => (known.amount, known.price.clone()),
                None => (grant.hold, grant.price.clone()),
            };
            let known = known.cloned();
            let event = ArbEvent::Rebilled {
                hold: hold.clone(),
                grant: Box::new(grant),
                old,
                new,
            };
            self.commit(event, &mut out);
            self.distrust(price.as_ref(), new, bound, &mut out);
            match known {
                Some(known) => self.gave_back(&hold, &known, now, &mut out),
                // What it was refunded may let others in.
                None => self.queue.stir_all(),
            }
            self.answer_over(&hold, &mut out);
        }
        self.serve(now, &mut out);
        out
    }

    /// Takes a demand back: one that waits, or one that was granted and whose
    /// attempt hasn't started and never will.
    pub fn withdraw(&mut self, hold: &HoldId, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        self.queue.take(hold);
        self.release(hold, now, &mut out);
        self.serve(now, &mut out);
        out
    }

    /// Lets an attempt keep only the slots of these pools: those of a job that
    /// was handed in, or none while a person is awaited. Its money stays held.
    pub fn narrow(&mut self, hold: &HoldId, pools: &[Arc<str>], now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        if let Some(open) = self.open(hold)
            && open.taken().any(|pool| !pools.contains(pool))
        {
            let event = ArbEvent::Narrowed {
                hold: hold.clone(),
                pools: pools.to_vec(),
            };
            self.commit(event, &mut out);
            self.stir_pools(&open);
        }
        self.serve(now, &mut out);
        out
    }

    /// Frees the slots of a process that is dead, lets its keys land, and
    /// forgets its demands that wait. What was held for its attempts stays
    /// held until their runs say what became of them.
    pub fn owner_gone(&mut self, owner: &OwnerId, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        for hold in self.queue.of_owner(owner) {
            self.queue.take(&hold);
        }
        let theirs =
            (self.books.holds.iter()).filter(|(_, hold)| hold.owner.as_ref() == Some(owner));
        let theirs: Vec<_> = theirs
            .map(|(id, hold)| (id.clone(), hold.clone()))
            .collect();
        if !theirs.is_empty() {
            let owner = owner.clone();
            self.commit(ArbEvent::OwnerGone { owner }, &mut out);
        }
        for (id, hold) in theirs {
            self.observe(&id, &hold, Ending::Silence, now, &mut out);
            self.stir_pools(&hold);
            self.queue.keys_stirred.extend(hold.key);
        }
        self.serve(now, &mut out);
        out
    }

    /// Releases what is held for attempts of a run that aren't under way: they
    /// were granted something, but the run never came to start them.
    pub fn keep_only(&mut self, run: &RunId, open: &BTreeSet<Ticket>, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        let holds = self.holds_of(run);
        let lost =
            holds.filter(|(id, hold)| hold.state == HoldState::Open && !open.contains(&id.ticket));
        for id in lost.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.release(&id, now, &mut out);
        }
        self.serve(now, &mut out);
        out
    }

    /// Forgets the bills of a run that were replaced: it is over, and no more
    /// of them will come. Presumed ones stay.
    pub fn close_run(&mut self, run: &RunId, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        let is_rebilled = |hold: &Hold| matches!(hold.state, HoldState::Rebilled(_));
        let known = self.holds_of(run).any(|(_, hold)| is_rebilled(hold));
        if known {
            self.commit(ArbEvent::RunClosed { run: run.clone() }, &mut out);
        }
        self.serve(now, &mut out);
        out
    }

    /// Lets nothing begin in a pool before an instant: the other side asked
    /// for patience.
    pub fn pause(&mut self, pool: &Arc<str>, until: Timestamp, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        let bucket = self.books.buckets.get(pool);
        let paused = bucket.and_then(|bucket| bucket.pause(now));
        if until > now && paused.is_none_or(|paused| paused < until) {
            let event = ArbEvent::Paused {
                pool: pool.clone(),
                until,
                at: now,
            };
            self.commit(event, &mut out);
            self.queue.stirred.insert(Resource::Pool(pool.clone()));
        }
        self.serve(now, &mut out);
        out
    }

    /// Trusts a price again.
    pub fn trust(&mut self, price: &Arc<str>, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        if self.books.prices.contains_key(price) {
            let price = price.clone();
            self.commit(ArbEvent::Trusted { price }, &mut out);
        }
        self.serve(now, &mut out);
        out
    }

    /// Returns a hold whose attempt is under way.
    fn open(&self, hold: &HoldId) -> Option<Hold> {
        let hold = self.books.holds.get(hold)?;
        (hold.state == HoldState::Open).then(|| hold.clone())
    }

    fn release(&mut self, hold: &HoldId, now: Timestamp, out: &mut Decision) {
        if let Some(open) = self.open(hold) {
            self.close(hold, &open, Bill::None, Ending::Silence, now, out);
        }
    }

    fn close(
        &mut self,
        id: &HoldId,
        open: &Hold,
        bill: Bill,
        ending: Ending,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let hold = id.clone();
        let event = match bill {
            Bill::None => ArbEvent::Released { hold },
            Bill::Exact(bill) => ArbEvent::Settled {
                hold,
                bill: bill.max(Money(0)),
            },
            Bill::Presumed(bill) => ArbEvent::Presumed {
                hold,
                bill: bill.max(Money(0)),
            },
        };
        self.commit(event, out);
        self.distrust(open.price.as_ref(), bill, open.amount, out);
        self.observe(id, open, ending, now, out);
        self.stir(open);
        self.answer_over(id, out);
    }

    /// Notes what a rebilled attempt gave back.
    fn gave_back(&mut self, id: &HoldId, known: &Hold, now: Timestamp, out: &mut Decision) {
        self.observe(id, known, Ending::Silence, now, out);
        self.stir(known);
    }

    /// A bill above what was held says that the price is wrong.
    fn distrust(&mut self, price: Option<&Arc<str>>, bill: Bill, bound: Money, out: &mut Decision) {
        if let (Some(price), Bill::Exact(bill)) = (price, bill)
            && bill > bound
            && !self.books.prices.contains_key(price)
        {
            let event = ArbEvent::Distrusted {
                price: price.clone(),
                evidence: Overcharge { bill, bound },
            };
            self.commit(event, out);
        }
    }

    /// Notes what the end of an attempt says about its pools.
    fn observe(
        &mut self,
        id: &HoldId,
        hold: &Hold,
        ending: Ending,
        now: Timestamp,
        out: &mut Decision,
    ) {
        for one in &hold.pools {
            if let Some(terms) = self.terms.pool(&one.pool).breaker {
                self.observe_pool(id, &one.pool, terms, ending, now, out);
            }
        }
    }

    fn observe_pool(
        &mut self,
        id: &HoldId,
        pool: &Arc<str>,
        terms: BreakerTerms,
        ending: Ending,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let breaker = self.books.breakers.get(pool).cloned();
        let is_known = breaker.is_some();
        let breaker = breaker.unwrap_or_default();
        let saw = |worked| ArbEvent::Saw {
            pool: pool.clone(),
            worked,
        };
        let is_probe = breaker.is_probe(id);
        if ending == Ending::Success {
            if is_known {
                self.commit(saw(Worked::Yes), out);
            }
        } else if ending.counts() {
            let is_closed = breaker.state == BreakerState::Closed;
            if is_closed {
                self.commit(saw(Worked::No), out);
            }
            let failures = breaker.failures.saturating_add(1);
            if is_probe || is_closed && failures >= terms.failures.get() {
                let event = ArbEvent::Tripped {
                    pool: pool.clone(),
                    until: now.checked_add(terms.pause).unwrap_or(Timestamp(i64::MAX)),
                    at: now,
                };
                self.commit(event, out);
                self.refuse_with_fallback(pool, out);
            }
        } else if is_probe {
            let event = ArbEvent::ProbeOver {
                pool: pool.clone(),
                probe: id.clone(),
            };
            self.commit(event, out);
        }
        self.queue.stirred.insert(Resource::Pool(pool.clone()));
    }

    /// Stirs all that an attempt gave back.
    fn stir(&mut self, hold: &Hold) {
        self.queue.keys_stirred.extend(hold.key);
        if self.queue.len() == 0 {
            return;
        }
        self.stir_pools(hold);
        let ledgers = hold.ledgers.iter().map(super::LedgerId::undated);
        let ledgers = ledgers.map(Resource::Ledger);
        self.queue.stirred.extend(ledgers);
    }

    fn stir_pools(&mut self, hold: &Hold) {
        let pools = hold.taken().cloned().map(Resource::Pool);
        self.queue.stirred.extend(pools);
    }
}
