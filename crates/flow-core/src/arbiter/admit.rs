//! Admitting: demands that are asked, and those that wait, get what they need.

use std::sync::Arc;

use crate::amount::{Duration, Money, Timestamp};
use crate::effect::FailureClass;
use crate::event::{Failure, Grant};
use crate::plan::Period;
use crate::run::Refusal;

use super::Arbiter;
use super::breaker::Passage;
use super::days::Rolled;
use super::demand::{Demand, HasFallback, HoldId, LedgerDemand, LedgerId, OwnerId};
use super::fact::{Answer, ArbEvent, Decision, Reply};
use super::hold::{Hold, HoldState};
use super::judge::{Fit, Judgement, Turn, left_alone};
use super::line::Seq;
use super::queue::{Gets, Resource, Waiter, flying};
use super::terms::Terms;

/// How far a clock may run back before it is said to have been set. Less is
/// the jitter of clocks that are kept right, and time stands still meanwhile.
const JITTER: Duration = Duration::MINUTE;

impl Arbiter {
    /// Asks for all that an attempt needs.
    ///
    /// The answer is in the decision, or comes with a later one; in between,
    /// [`Arbiter::reason`] says why it waits. The ledgers of a period are those
    /// of the day on which it is granted, whatever day the demand names, and
    /// the project's own ledgers are added to those of the demand.
    ///
    /// Asking again is harmless: what was granted is granted, and a demand that
    /// waits keeps its place and is now this one. If the slots were lost or
    /// given back since, it waits for slots alone.
    pub fn ask(&mut self, mut demand: Demand, owner: &OwnerId, now: Timestamp) -> Decision {
        demand.normalise();
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        let old = self.queue.take(&demand.hold);
        let seq = old.map(|(seq, _)| seq);
        self.consider(demand, owner, seq, now, &mut out);
        self.serve(now, &mut out);
        out
    }

    /// Lets time pass. To be called at [`Decision::wake`], and after the books
    /// were changed by others.
    pub fn tick(&mut self, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        self.serve(now, &mut out);
        out
    }

    /// Changes the terms, for those who wait too.
    pub fn set_terms(&mut self, terms: Terms, now: Timestamp) -> Decision {
        self.terms = terms;
        self.days.forget();
        let mut out = Decision::default();
        let now = self.attend(now, &mut out);
        for (seq, waiter) in self.queue.drain() {
            let Waiter {
                demand,
                owner,
                gets,
            } = waiter;
            if gets == Gets::Slots && !self.is_open(&demand.hold) {
                out.answer(demand.hold, over());
            } else {
                self.consider(demand, &owner, Some(seq), now, &mut out);
            }
        }
        self.serve(now, &mut out);
        out
    }

    /// Returns the first day of the present period, as grants count it.
    pub fn day(&mut self, period: Period, now: Timestamp) -> Arc<str> {
        if self.days.update(now, &self.books.days, &self.terms.zone) == Rolled::Yes {
            self.stir_days();
        }
        self.days.get(period).day.clone()
    }

    /// Commits a fact to the books.
    pub(super) fn commit(&mut self, event: ArbEvent, out: &mut Decision) {
        self.books.apply(&event, &mut self.changed);
        out.events.push(event);
    }

    /// Looks at the clock, and returns the arbiter's own time.
    pub(super) fn attend(&mut self, now: Timestamp, out: &mut Decision) -> Timestamp {
        let clock = self.books.clock;
        if let Some(by) = clock.since(now)
            && by > JITTER
        {
            self.commit(ArbEvent::ClockSetBack { by }, out);
        }
        if now < self.last {
            // What was open at a later instant may be closed at this one.
            self.look_again();
        }
        self.last = now;
        if self.days.update(now, &self.books.days, &self.terms.zone) == Rolled::Yes {
            self.stir_days();
        }
        let now = now.max(self.books.clock);
        self.queue.stir_due(now);
        now
    }

    /// Lets the next look be at everybody: the books or the time may be others.
    pub(super) fn look_again(&mut self) {
        self.queue.stir_all();
        let pools = self.books.breakers.keys().cloned();
        self.queue.breakers_stirred.extend(pools);
    }

    fn stir_days(&mut self) {
        let dated = self.queue.shared_ledgers();
        let dated = dated.filter(|ledger| ledger.period().is_some());
        let dated: Vec<_> = dated.cloned().map(Resource::Ledger).collect();
        self.queue.stirred.extend(dated);
    }

    /// Judges a demand that doesn't wait, and lets it wait if it has to.
    fn consider(
        &mut self,
        mut demand: Demand,
        owner: &OwnerId,
        seq: Option<Seq>,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let mut gets = Gets::All;
        if let Some(hold) = self.books.holds.get(&demand.hold) {
            match again(&mut demand, hold, owner) {
                Again::Has(grant) => return out.answer(demand.hold, Reply::Granted(grant)),
                Again::Over => return out.answer(demand.hold, over()),
                Again::Lacks => gets = Gets::Slots,
            }
        } else if demand.is_empty() {
            // There is nothing that could be counted, held or waited for.
            return out.answer(demand.hold, Reply::Granted(Grant::default()));
        } else {
            self.surround(&mut demand);
        }
        let waiter = Waiter {
            demand,
            owner: owner.clone(),
            gets,
        };
        match self.judge(&waiter, Turn::default(), now) {
            Judgement::Fits(fit) => self.grant(waiter, fit, now, out),
            Judgement::Never(refusal) => {
                out.answer(waiter.demand.hold, Reply::Never(refusal));
            }
            Judgement::Waits(waiting) => {
                let key = self.lane_key(&waiter);
                self.queue.wait(key, waiter, seq, waiting);
            }
            Judgement::Flying(by) => self.park(waiter, seq, &by),
        }
    }

    fn park(&mut self, waiter: Waiter, seq: Option<Seq>, by: &HoldId) {
        if let Some(digest) = waiter.demand.key {
            let key = self.lane_key(&waiter);
            self.queue.wait(key, waiter, seq, flying(digest, by));
        }
    }

    /// Adds the project's own ledgers to a demand that counts.
    pub(super) fn surround(&self, demand: &mut Demand) {
        if demand.ledgers.is_empty() && demand.amount.0 == 0 {
            return;
        }
        let periods = self.terms.budgets.project_per.keys();
        let periods = periods.map(|period| LedgerId::ProjectPeriod {
            period: *period,
            day: Arc::default(),
        });
        for ledger in [LedgerId::Project].into_iter().chain(periods) {
            if !demand.ledgers.iter().any(|one| one.ledger == ledger) {
                let limit = None;
                demand.ledgers.insert(0, LedgerDemand { ledger, limit });
            }
        }
    }

    /// Looks at all who wait for what there may be more of.
    pub(super) fn serve(&mut self, now: Timestamp, out: &mut Decision) {
        self.land(out);
        while let Some(pool) = self.queue.breakers_stirred.pop_first() {
            if let Passage::Barred(_) = self.passage(&pool, now) {
                self.refuse_with_fallback(&pool, out);
            }
        }
        while let Some(resource) = self.queue.stirred.pop_first() {
            self.serve_line(&resource, now, out);
        }
        out.wake = self.wake();
    }

    /// Answers those who wait for calls that are over.
    fn land(&mut self, out: &mut Decision) {
        while let Some(key) = self.queue.keys_stirred.pop_first() {
            if self.books.flight(&key).is_none() {
                for hold in self.queue.land(&key) {
                    out.answer(hold, Reply::Landed { key });
                }
            }
        }
    }

    fn serve_line(&mut self, resource: &Resource, now: Timestamp, out: &mut Decision) {
        while let Some(id) = self.queue.first(resource) {
            self.queue.looks += 1;
            let Some((lane, waiter)) = self.queue.head(id) else {
                return;
            };
            let run = lane.key.run.clone();
            let turn = Turn {
                lane: Some(id),
                line: Some(resource),
            };
            match self.judge(waiter, turn, now) {
                Judgement::Fits(fit) => {
                    let Some((_, waiter)) = self.queue.pop(id) else {
                        return;
                    };
                    self.queue.rotate(resource, &run);
                    self.grant(waiter, fit, now, out);
                }
                Judgement::Never(refusal) => {
                    if let Some((_, waiter)) = self.queue.pop(id) {
                        out.answer(waiter.demand.hold, Reply::Never(refusal));
                    }
                }
                Judgement::Flying(by) => {
                    if let Some((seq, waiter)) = self.queue.pop(id) {
                        self.park(waiter, Some(seq), &by);
                    }
                }
                Judgement::Waits(waiting) => {
                    let stays = waiting.reason.resource().as_ref() == Some(resource);
                    self.queue.set(id, waiting);
                    if stays {
                        return;
                    }
                }
            }
        }
    }

    /// Gives a demand all that it asks for.
    fn grant(&mut self, waiter: Waiter, fit: Fit, now: Timestamp, out: &mut Decision) {
        let Waiter {
            demand,
            owner,
            gets,
        } = waiter;
        let id = demand.hold.clone();
        if gets == Gets::Slots {
            if !self.is_open(&id) {
                return out.answer(id, over());
            }
            let pools = demand.pools.into_iter().map(|one| one.pool);
            let event = ArbEvent::SlotsTaken {
                pools: pools.filter(|pool| self.lacks(&id, pool)).collect(),
                hold: id.clone(),
                owner,
                key: demand.key,
            };
            self.commit(event, out);
            if let Some(hold) = self.books.holds.get(&id) {
                out.answer(id, Reply::Granted(hold.grant()));
            }
            return;
        }
        let dated = demand.ledgers.iter().map(|one| self.dated(&one.ledger));
        let hold = Hold::new(&demand, &owner, dated.collect());
        let grant = hold.grant();
        self.commit(ArbEvent::Held(id.clone(), Box::new(hold)), out);
        for one in &demand.pools {
            if let Some(rate) = self.terms.pool(&one.pool).rate {
                let bucket = self.books.buckets.get(&one.pool).copied();
                let bucket = bucket.unwrap_or_default().without_one(rate, now);
                let event = ArbEvent::TokenTaken {
                    pool: one.pool.clone(),
                    full_at: bucket.full_at,
                    at: now,
                };
                self.commit(event, out);
            }
        }
        for pool in fit.probes {
            let probe = id.clone();
            self.commit(
                ArbEvent::HalfOpened {
                    pool: pool.clone(),
                    probe,
                },
                out,
            );
            self.refuse_with_fallback(&pool, out);
        }
        out.answer(id, Reply::Granted(grant));
    }

    /// Answers who asks again for the slots of an attempt that is over.
    pub(super) fn answer_over(&mut self, hold: &HoldId, out: &mut Decision) {
        if self.queue.take(hold).is_some() {
            out.answer(hold.clone(), over());
        }
    }

    /// Tells all who have a fallback that a pool is left alone.
    pub(super) fn refuse_with_fallback(&mut self, pool: &Arc<str>, out: &mut Decision) {
        for hold in self.queue.with_fallback(pool) {
            self.queue.take(&hold);
            out.answer(hold, Reply::Never(left_alone(pool)));
        }
    }

    fn is_open(&self, hold: &HoldId) -> bool {
        let hold = self.books.holds.get(hold);
        hold.is_some_and(|hold| hold.state == HoldState::Open)
    }

    fn wake(&self) -> Option<Timestamp> {
        let dated = self.queue.shared_ledgers().filter_map(LedgerId::period);
        let days = dated.map(|period| self.days.get(period).until);
        days.chain(self.queue.next_timer()).min()
    }
}

/// How a demand stands whose attempt has a hold.
enum Again {
    /// It has what it asks for.
    Has(Grant),
    /// Its money is held, but it lacks slots, or another process had them.
    Lacks,
    /// The attempt is over.
    Over,
}

/// Leaves of a demand what its hold lacks.
fn again(demand: &mut Demand, hold: &Hold, owner: &OwnerId) -> Again {
    if hold.state != HoldState::Open {
        return Again::Over;
    }
    let has_slots = demand.pools.iter().all(|one| hold.has_slot(&one.pool));
    let is_flying = demand.key.is_none() || demand.key == hold.key;
    if has_slots && is_flying && hold.owner.as_ref() == Some(owner) {
        return Again::Has(hold.grant());
    }
    demand.ledgers.clear();
    demand.amount = Money(0);
    demand.price = None;
    demand.has_fallback = HasFallback::No;
    Again::Lacks
}

fn over() -> Reply {
    let failure = Failure::new(FailureClass::Bug, "this attempt is over");
    Reply::Never(Refusal::Never(failure))
}

impl Demand {
    fn is_empty(&self) -> bool {
        let is_free = self.amount.0 == 0 && self.ledgers.is_empty() && self.price.is_none();
        is_free && self.pools.is_empty() && self.key.is_none()
    }
}

impl Decision {
    fn answer(&mut self, hold: HoldId, reply: Reply) {
        self.answers.push(Answer { hold, reply });
    }
}
