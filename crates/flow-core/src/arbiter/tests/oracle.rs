//! A dull judge of what an arbiter did: it adds everything up again, slowly,
//! from the operations, facts and answers alone.
//!
//! It shares no code with the arbiter. It remembers every grant that there ever
//! was and recomputes each sum from all of them.

use std::collections::BTreeMap;

use super::world::{Op, Record};
use super::*;
use crate::plan::Period;

/// What the oracle says about a record.
pub(super) type Verdict = Result<(), String>;

macro_rules! ensure {
    ($claim:expr, $($text:tt)+) => {
        if !$claim {
            return Err(format!($($text)+));
        }
    };
}

/// A grant that there was.
#[derive(Debug, Clone)]
struct Granted {
    id: HoldId,
    amount: i64,
    ledgers: Vec<LedgerId>,
    pools: Vec<Arc<str>>,
    slots: Vec<Arc<str>>,
    owner: Option<OwnerId>,
    key: Option<crate::digest::Digest>,
    price: Option<Arc<str>>,
    state: State,
    /// Whether the arbiter is to know it still.
    is_known: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Over { bill: i64, is_sure: bool },
}

#[derive(Debug, Clone, Default)]
struct Gate {
    /// Nanoseconds times burst that were missing from a full bucket, and when.
    missing: (i128, i64),
    paused: Option<i64>,
    failures: u32,
    barred: Barred,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Barred {
    #[default]
    No,
    Until(i64),
    Half(Option<HoldId>),
}

pub(super) struct Oracle {
    pub(super) terms: Terms,
    grants: Vec<Granted>,
    waiting: Vec<(Demand, OwnerId)>,
    distrusted: Vec<Arc<str>>,
    gates: BTreeMap<Arc<str>, Gate>,
    days: BTreeMap<Period, String>,
    clock: i64,
    time: i64,
    wall: i64,
}

impl Oracle {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            grants: Vec::new(),
            waiting: Vec::new(),
            distrusted: Vec::new(),
            gates: BTreeMap::new(),
            days: BTreeMap::new(),
            clock: 0,
            time: 0,
            wall: 0,
        }
    }

    /// Judges one operation and what came of it.
    pub(super) fn judge(&mut self, record: &Record) -> Verdict {
        self.pass_time(record);
        let flights = self.flights();
        self.take_op(record);
        for event in &record.events {
            self.judge_event(record, event)?;
        }
        self.judge_op(record)?;
        self.judge_answers(record, &flights)?;
        self.judge_rows(record)?;
        self.judge_waiting(record)
    }

    fn pass_time(&mut self, record: &Record) {
        let now = record.now.0;
        self.wall = now;
        if self.clock - now > 60_000 {
            let by = self.clock - now;
            self.clock = now;
            for gate in self.gates.values_mut() {
                gate.missing.1 -= by;
                gate.paused = gate.paused.map(|until| until - by);
                if let Barred::Until(until) = &mut gate.barred {
                    *until -= by;
                }
            }
        }
        self.time = now.max(self.clock);
    }

    fn take_op(&mut self, record: &Record) {
        match &record.op {
            Op::Ask(demand, owner) => {
                let at = self
                    .waiting
                    .iter()
                    .position(|(one, _)| one.hold == demand.hold);
                let one = (demand.clone(), owner.clone());
                match at {
                    Some(at) => self.waiting[at] = one,
                    None => self.waiting.push(one),
                }
            }
            Op::Withdraw(hold) => self.waiting.retain(|(demand, _)| demand.hold != *hold),
            Op::OwnerGone(gone) => self.waiting.retain(|(_, owner)| owner != gone),
            Op::SetTerms(terms) => {
                self.terms = terms.clone();
            }
            Op::Pause(pool, until) if until.0 > self.time => {
                let gate = self.gates.entry(pool.clone()).or_default();
                if gate.paused.is_none_or(|paused| paused < until.0) {
                    gate.paused = Some(until.0);
                    self.clock = self.clock.max(self.time);
                }
            }
            Op::Trust(price) => self.distrusted.retain(|one| one != price),
            Op::CloseRun(run) => {
                let over = |state| matches!(state, State::Over { is_sure: true, .. });
                let mine = self.grants.iter_mut().filter(|one| one.id.run == *run);
                for one in mine.filter(|one| over(one.state)) {
                    one.is_known = false;
                }
            }
            Op::Pause(..)
            | Op::Settle { .. }
            | Op::Rebill(_)
            | Op::Narrow(..)
            | Op::KeepOnly(..)
            | Op::Tick
            | Op::Reload => {}
        }
    }

    fn judge_event(&mut self, record: &Record, event: &ArbEvent) -> Verdict {
        match event {
            ArbEvent::Held(id, hold) => self.judge_grant(record, id, hold),
            ArbEvent::SlotsTaken {
                hold,
                owner,
                pools,
                key,
            } => self.judge_slots(hold, owner, pools, *key),
            ArbEvent::Settled { hold, bill } => self.close(record, hold, bill.0, Kind::Exact),
            ArbEvent::Presumed { hold, bill } => self.close(record, hold, bill.0, Kind::Presumed),
            ArbEvent::Released { hold } => self.close(record, hold, 0, Kind::None),
            ArbEvent::Rebilled { .. } => self.rebill(record),
            ArbEvent::Narrowed { hold, pools } => {
                ensure!(
                    matches!(&record.op, Op::Narrow(id, keep) if id == hold && keep == pools),
                    "nobody gave slots of {hold:?} back"
                );
                let one = self
                    .known(hold)
                    .ok_or("a hold that isn't there is narrowed")?;
                one.slots.retain(|pool| pools.contains(pool));
                Ok(())
            }
            ArbEvent::OwnerGone { owner } => {
                ensure!(
                    matches!(&record.op, Op::OwnerGone(gone) if gone == owner),
                    "{owner:?} isn't gone"
                );
                self.bury(owner);
                Ok(())
            }
            // What these say is computed again and compared at the end.
            ArbEvent::TokenTaken { .. }
            | ArbEvent::Paused { .. }
            | ArbEvent::Saw { .. }
            | ArbEvent::Tripped { .. }
            | ArbEvent::HalfOpened { .. }
            | ArbEvent::ProbeOver { .. }
            | ArbEvent::Distrusted { .. }
            | ArbEvent::Trusted { .. }
            | ArbEvent::RunClosed { .. }
            | ArbEvent::ClockSetBack { .. } => Ok(()),
        }
    }

    /// Everything that has to be true when something is granted.
    fn judge_grant(&mut self, record: &Record, id: &HoldId, hold: &Hold) -> Verdict {
        ensure!(self.known(id).is_none(), "{id:?} was granted twice");
        let at = self
            .waiting
            .iter()
            .position(|(demand, _)| demand.hold == *id);
        let at = at.ok_or_else(|| format!("{id:?} was granted, but not asked"))?;
        self.judge_order(record, at)?;
        let (demand, owner) = self.waiting.remove(at);
        let amount = demand.amount.0.max(0);
        ensure!(hold.amount.0 == amount, "{id:?} holds another amount");
        ensure!(
            hold.owner.as_ref() == Some(&owner),
            "{id:?} has another owner"
        );
        ensure!(hold.price == demand.price, "{id:?} has another price");
        ensure!(hold.key == demand.key, "{id:?} has another key");
        let ledgers = self.ledgers(&demand);
        let mut named: Vec<_> = ledgers.iter().map(|(id, _)| id.clone()).collect();
        let mut held = hold.ledgers.clone();
        named.sort();
        held.sort();
        ensure!(held == named, "{id:?} is in {held:?}, not in {named:?}");
        for (ledger, limit) in &ledgers {
            let sum = self.spent(ledger) + self.held(ledger) + i128::from(amount);
            ensure!(
                amount == 0 || limit.is_none_or(|limit| sum <= i128::from(limit)),
                "{id:?} takes {ledger} to {sum}, above {limit:?}"
            );
        }
        if let Some(price) = &demand.price {
            ensure!(!self.distrusted.contains(price), "{price} isn't trusted");
        }
        if let Some(key) = &demand.key {
            ensure!(!self.flights().contains_key(key), "{id:?} isn't the first");
        }
        let pools = distinct(&demand);
        let mut slots: Vec<_> = hold.taken().cloned().collect();
        slots.sort();
        ensure!(
            slots == pools,
            "{id:?} has the slots {slots:?}, not {pools:?}"
        );
        for pool in &pools {
            self.judge_gate(id, pool)?;
        }
        for ledger in &named {
            if let (Some(period), Some(day)) = (ledger.period(), ledger.day()) {
                self.days.insert(period, day.to_string());
            }
        }
        self.grants.push(Granted {
            id: id.clone(),
            amount,
            ledgers: named,
            slots: pools.clone(),
            pools,
            owner: Some(owner),
            key: demand.key,
            price: demand.price,
            state: State::Open,
            is_known: true,
        });
        Ok(())
    }

    /// A demand goes before those of its run that came later with equal needs.
    fn judge_order(&self, record: &Record, at: usize) -> Verdict {
        let needs = |demand: &Demand| {
            let limited = self.limited(demand);
            (
                demand.hold.run.clone(),
                distinct(demand),
                limited,
                demand.has_fallback,
            )
        };
        let (mine, _) = &self.waiting[at];
        let flights = self.flights();
        for (other, _) in &self.waiting[..at] {
            let flies = other
                .key
                .as_ref()
                .is_some_and(|key| flights.contains_key(key));
            let is_told = record.answers.iter().any(|answer| {
                answer.hold == other.hold && !matches!(answer.reply, Reply::Granted(_))
            });
            // One that lacks only slots is another kind.
            let is_again = self
                .grants
                .iter()
                .any(|one| one.is_known && one.id == other.hold);
            ensure!(
                flies || is_told || is_again || needs(other) != needs(mine),
                "{:?} was passed by {:?}",
                other.hold,
                mine.hold
            );
        }
        Ok(())
    }

    fn judge_gate(&mut self, id: &HoldId, pool: &Arc<str>) -> Verdict {
        let terms = self.terms.pool(pool).clone();
        if let Some(slots) = terms.slots {
            let taken = self.taken(pool);
            ensure!(
                taken < slots as usize,
                "{pool} has {taken} of {slots} in it"
            );
        }
        let time = self.time;
        let gate = self.gates.entry(pool.clone()).or_default();
        ensure!(
            gate.paused.is_none_or(|until| until <= time),
            "{pool} is paused"
        );
        if let Some(rate) = terms.rate {
            let missing = gate.missing_at(rate, time) + i128::from(rate.per.0);
            let most = i128::from(rate.per.0) * i128::from(rate.burst.get());
            ensure!(missing <= most, "{pool} had no token");
            gate.missing = (missing, time);
            self.clock = self.clock.max(time);
        }
        if terms.breaker.is_some() {
            match &gate.barred {
                Barred::No => {}
                Barred::Until(until) => ensure!(*until <= time, "{pool} is left alone"),
                Barred::Half(probe) => ensure!(probe.is_none(), "{pool} is tried by another"),
            }
            if gate.barred != Barred::No {
                gate.barred = Barred::Half(Some(id.clone()));
            }
        }
        Ok(())
    }

    fn judge_slots(
        &mut self,
        id: &HoldId,
        owner: &OwnerId,
        pools: &[Arc<str>],
        key: Option<crate::digest::Digest>,
    ) -> Verdict {
        let at = self
            .waiting
            .iter()
            .position(|(demand, _)| demand.hold == *id);
        let at = at.ok_or_else(|| format!("{id:?} has slots again, but didn't ask"))?;
        let (demand, asker) = self.waiting.remove(at);
        ensure!(*owner == asker, "{id:?} has slots for another");
        let one = self.known(id).ok_or("slots without a hold")?;
        ensure!(one.state == State::Open, "{id:?} is over and has slots");
        for pool in distinct(&demand) {
            let has = self.known(id).is_some_and(|one| one.slots.contains(&pool));
            ensure!(has != pools.contains(&pool), "{id:?} lacks {pool}");
        }
        for pool in pools {
            if let Some(slots) = self.terms.pool(pool).slots {
                ensure!(self.taken(pool) < slots as usize, "{pool} is full");
            }
            let one = self.known(id).ok_or("slots without a hold")?;
            one.slots.push(pool.clone());
            if !one.pools.contains(pool) {
                one.pools.push(pool.clone());
            }
        }
        let flies = key.is_some_and(|key| self.flights().contains_key(&key));
        let one = self.known(id).ok_or("slots without a hold")?;
        one.owner = Some(asker);
        if one.key.is_none() && !flies {
            one.key = key;
        }
        Ok(())
    }

    fn close(&mut self, record: &Record, id: &HoldId, bill: i64, kind: Kind) -> Verdict {
        let (expected, ending) = match &record.op {
            Op::Settle { hold, bill, ending } if hold == id => (Kind::of(*bill), *ending),
            Op::Withdraw(hold) if hold == id => ((Kind::None, 0), Ending::Silence),
            Op::KeepOnly(run, open) if id.run == *run && !open.contains(&id.ticket) => {
                ((Kind::None, 0), Ending::Silence)
            }
            op => return Err(format!("{id:?} was closed by {op:?}")),
        };
        ensure!((kind, bill) == expected, "{id:?} has another bill: {bill}");
        let one = self.known(id);
        let one = one.filter(|one| one.state == State::Open);
        let one = one.ok_or_else(|| format!("{id:?} was closed twice"))?;
        one.is_known = kind == Kind::Presumed;
        let before = one.clone();
        one.end(bill, kind != Kind::Presumed);
        self.overcharged(before.price.as_ref(), kind, bill, before.amount);
        self.observe(&before, ending);
        Ok(())
    }

    fn rebill(&mut self, record: &Record) -> Verdict {
        let Op::Rebill(Rebill {
            hold, grant, new, ..
        }) = &record.op
        else {
            return Err("nobody sent another bill".to_owned());
        };
        let (kind, bill) = Kind::of(*new);
        let last = self.grants.iter().rposition(|one| one.id == *hold);
        let at = last.ok_or("a bill for nothing")?;
        let before = self.grants[at].clone();
        let one = &mut self.grants[at];
        one.is_known = true;
        one.end(bill, kind != Kind::Presumed);
        ensure!(grant.hold.0 == before.amount, "a test with another grant");
        self.overcharged(before.price.as_ref(), kind, bill, before.amount);
        if before.state == State::Open {
            self.observe(&before, Ending::Silence);
        }
        Ok(())
    }

    fn overcharged(&mut self, price: Option<&Arc<str>>, kind: Kind, bill: i64, bound: i64) {
        if let Some(price) = price
            && kind == Kind::Exact
            && bill > bound
            && !self.distrusted.contains(price)
        {
            self.distrusted.push(price.clone());
        }
    }

    fn bury(&mut self, owner: &OwnerId) {
        let theirs = |one: &Granted| one.owner.as_ref() == Some(owner);
        let gone: Vec<_> = (self.grants.iter_mut())
            .filter(|one| theirs(one) && one.state == State::Open)
            .map(|one| {
                one.owner = None;
                one.key = None;
                one.slots.clear();
                one.clone()
            })
            .collect();
        for one in gone {
            self.observe(&one, Ending::Silence);
        }
    }

    /// What the end of an attempt means for the breakers of its pools.
    fn observe(&mut self, one: &Granted, ending: Ending) {
        for pool in &one.pools {
            let Some(terms) = self.terms.pool(pool).breaker else {
                continue;
            };
            let gate = self.gates.entry(pool.clone()).or_default();
            let is_probe = gate.barred == Barred::Half(Some(one.id.clone()));
            let counts = matches!(
                ending,
                Ending::Failure(
                    FailureClass::Transient | FailureClass::Timeout | FailureClass::Capacity
                )
            );
            if ending == Ending::Success {
                gate.failures = 0;
                gate.barred = Barred::No;
            } else if !counts {
                if is_probe {
                    gate.barred = Barred::Half(None);
                }
            } else if gate.barred == Barred::No || is_probe {
                gate.failures += u32::from(!is_probe);
                if is_probe || gate.failures >= terms.failures.get() {
                    gate.barred = Barred::Until(self.time + terms.pause.0 / 1_000_000);
                    self.clock = self.clock.max(self.time);
                }
            }
        }
    }

    /// What an operation has to bring about.
    fn judge_op(&self, record: &Record) -> Verdict {
        let open = |id: &HoldId| {
            let open = self.grants.iter().filter(|one| one.state == State::Open);
            open.into_iter().any(|one| one.id == *id)
        };
        match &record.op {
            Op::Settle { hold, .. } | Op::Withdraw(hold) => {
                ensure!(!open(hold), "{hold:?} is still open");
            }
            Op::Rebill(rebill) => {
                let (kind, bill) = Kind::of(rebill.new);
                let is_sure = kind != Kind::Presumed;
                let one = self.grants.iter().rfind(|one| one.id == rebill.hold);
                let one = one.ok_or("a bill for nothing")?;
                // An exact bill that is the old one again needs no record.
                let is_same =
                    |old: State| matches!(old, State::Over { bill: old, .. } if old == bill);
                ensure!(
                    one.state == State::Over { bill, is_sure }
                        || !one.is_known && is_same(one.state),
                    "{:?} isn't rebilled",
                    rebill.hold
                );
            }
            Op::KeepOnly(run, kept) => {
                let is_new = |id: &HoldId| {
                    let told = record.answers.iter().filter(|answer| answer.hold == *id);
                    told.count() > 0
                };
                let left = self.grants.iter().filter(|one| one.state == State::Open);
                let mut left = left.filter(|one| one.id.run == *run && !is_new(&one.id));
                ensure!(
                    left.all(|one| kept.contains(&one.id.ticket)),
                    "what no attempt came for is still held"
                );
            }
            Op::OwnerGone(owner) => {
                let mut open = self.grants.iter().filter(|one| one.state == State::Open);
                ensure!(
                    open.all(|one| one.owner.as_ref() != Some(owner)),
                    "the dead {owner:?} still has something"
                );
            }
            Op::Narrow(hold, keep) => {
                let one = self
                    .grants
                    .iter()
                    .rfind(|one| one.id == *hold && one.is_known);
                ensure!(
                    one.is_none_or(|one| one.slots.iter().all(|pool| keep.contains(pool))),
                    "{hold:?} still has slots"
                );
            }
            Op::Ask(..)
            | Op::SetTerms(_)
            | Op::Pause(..)
            | Op::Trust(_)
            | Op::CloseRun(_)
            | Op::Tick
            | Op::Reload => {}
        }
        Ok(())
    }

    fn judge_answers(
        &mut self,
        record: &Record,
        flights: &BTreeMap<crate::digest::Digest, HoldId>,
    ) -> Verdict {
        let mut told = Vec::new();
        for Answer { hold, reply } in &record.answers {
            ensure!(!told.contains(&hold), "{hold:?} was told twice");
            told.push(hold);
            let at = self
                .waiting
                .iter()
                .position(|(demand, _)| demand.hold == *hold);
            let demand = at.map(|at| self.waiting.remove(at).0);
            match reply {
                Reply::Granted(grant) => {
                    self.judge_granted(record, hold, grant, demand.as_ref())?
                }
                Reply::Never(refusal) => {
                    let demand = demand.ok_or("a refusal that nobody asked for")?;
                    self.judge_refusal(&demand, refusal)?;
                }
                Reply::Landed { key } => {
                    let demand = demand.ok_or("a landing that nobody asked for")?;
                    ensure!(demand.key == Some(*key), "{hold:?} has another key");
                    let by = flights.get(key).ok_or("it wasn't in flight")?;
                    ensure!(self.flights().get(key) != Some(by), "it is still in flight");
                }
            }
        }
        let granted = record.events.iter().filter_map(|event| match event {
            ArbEvent::Held(id, _) | ArbEvent::SlotsTaken { hold: id, .. } => Some(id),
            _ => None,
        });
        for id in granted {
            ensure!(told.contains(&id), "{id:?} wasn't told");
        }
        Ok(())
    }

    fn judge_granted(
        &self,
        record: &Record,
        hold: &HoldId,
        grant: &Grant,
        demand: Option<&Demand>,
    ) -> Verdict {
        let one = self
            .grants
            .iter()
            .rfind(|one| one.id == *hold && one.is_known);
        let Some(one) = one else {
            let demand = demand.ok_or("a grant without a hold")?;
            let is_free = demand.amount.0 <= 0 && demand.ledgers.is_empty();
            let is_empty =
                demand.pools.is_empty() && demand.price.is_none() && demand.key.is_none();
            ensure!(is_free && is_empty, "{hold:?} has a grant and no hold");
            return Ok(());
        };
        let is_new = record.events.iter().any(|event| match event {
            ArbEvent::Held(id, _) | ArbEvent::SlotsTaken { hold: id, .. } => id == hold,
            _ => false,
        });
        // Who asks again for what it has is told so without a fact.
        ensure!(
            is_new || matches!(&record.op, Op::Ask(demand, _) if demand.hold == *hold),
            "{hold:?} was told of nothing new"
        );
        let mut pools = grant.pools.clone();
        let mut slots = one.slots.clone();
        pools.sort();
        slots.sort();
        ensure!(one.state == State::Open, "{hold:?} is over");
        ensure!(pools == slots, "{hold:?} was told of other slots");
        ensure!(
            grant.hold.0 == one.amount,
            "{hold:?} was told of another amount"
        );
        ensure!(
            grant.price == one.price,
            "{hold:?} was told of another price"
        );
        let mut ledgers = grant.ledgers.clone();
        ledgers.sort();
        ensure!(ledgers == one.ledgers, "{hold:?} was told of other ledgers");
        Ok(())
    }

    fn judge_refusal(&self, demand: &Demand, refusal: &Refusal) -> Verdict {
        let amount = demand.amount.0;
        let over = |one: &Granted| one.id == demand.hold && one.state != State::Open;
        match refusal {
            Refusal::Budget {
                ledger,
                left,
                needs,
                fits_empty,
            } => {
                let ledgers = self.ledgers(demand);
                let named = ledgers.iter().find(|(id, _)| id == ledger);
                let limit = named.and_then(|(_, limit)| *limit).ok_or("no such limit")?;
                let rest = i128::from(limit) - self.spent(ledger);
                ensure!(rest < i128::from(amount), "it may still fit into {ledger}");
                ensure!(
                    i128::from(left.0) == rest.max(0),
                    "there is {rest} left, not {left}"
                );
                ensure!(needs.0 == amount, "it needs {amount}");
                let fits = *fits_empty == crate::run::Fits::Yes;
                ensure!(fits == (amount <= limit), "{amount} of {limit}: {fits}");
            }
            Refusal::Never(failure) if failure.class == FailureClass::Budget => {
                let price = demand.price.as_ref();
                let is_bad = price.is_some_and(|price| self.distrusted.contains(price));
                ensure!(is_bad, "its price is trusted");
            }
            Refusal::Never(failure) if failure.class == FailureClass::Capacity => {
                let none = |pool: &PoolDemand| self.terms.pool(&pool.pool).slots == Some(0);
                let is_barred = demand.has_fallback == HasFallback::Yes && self.is_barred(demand);
                ensure!(
                    demand.pools.iter().any(none) || is_barred,
                    "its pools are there"
                );
            }
            Refusal::Never(_) | Refusal::Unready(_) => {
                ensure!(self.grants.iter().any(over), "it isn't over");
            }
        }
        Ok(())
    }

    /// Compares all that the arbiter keeps with what it should be.
    fn judge_rows(&self, record: &Record) -> Verdict {
        let mut holds = BTreeMap::new();
        for one in self.grants.iter().filter(|one| one.is_known) {
            holds.insert(one.id.clone(), one.clone());
        }
        let mut ledgers: Vec<&LedgerId> = self.grants.iter().flat_map(|one| &one.ledgers).collect();
        ledgers.sort();
        ledgers.dedup();
        let mut sums: BTreeMap<&LedgerId, (i128, i128)> = BTreeMap::new();
        for id in ledgers {
            sums.insert(id, (self.spent(id), self.held(id)));
        }
        for row in &record.rows {
            match row {
                Row::Ledger(id, ledger) => {
                    let found = (i128::from(ledger.spent.0), i128::from(ledger.held.0));
                    let sum = sums.remove(id).unwrap_or_default();
                    ensure!(found == sum, "{id} has {found:?}, not {sum:?}");
                }
                Row::Hold(id, hold) => {
                    let one = holds.remove(id).ok_or_else(|| format!("{id:?} is kept"))?;
                    let state = match hold.state {
                        HoldState::Open => State::Open,
                        HoldState::Presumed(bill) => State::Over {
                            bill: bill.0,
                            is_sure: false,
                        },
                        HoldState::Rebilled(bill) => State::Over {
                            bill: bill.0,
                            is_sure: true,
                        },
                    };
                    let mut slots: Vec<_> = hold.taken().cloned().collect();
                    let mut right = one.slots.clone();
                    slots.sort();
                    right.sort();
                    ensure!(
                        state == one.state,
                        "{id:?} is {state:?}, not {:?}",
                        one.state
                    );
                    ensure!(slots == right, "{id:?} has {slots:?}, not {right:?}");
                    ensure!(hold.key == one.key, "{id:?} has another key in flight");
                }
                Row::Bucket(pool, bucket) => self.judge_bucket(pool, *bucket)?,
                Row::Breaker(pool, breaker) => self.judge_breaker(pool, breaker)?,
                Row::Price(price, _) => {
                    ensure!(self.distrusted.contains(price), "{price} is trusted");
                }
                Row::Day(period, day) => {
                    let seen = self.days.get(period).map(String::as_str);
                    ensure!(seen == Some(&**day), "{period:?} is {day}, not {seen:?}");
                }
                Row::Clock(_) => {}
            }
        }
        ensure!(holds.is_empty(), "these aren't kept: {:?}", holds.keys());
        let mut missing = sums.iter().filter(|(_, sum)| **sum != (0, 0));
        ensure!(missing.next().is_none(), "ledgers are missing");
        let prices = record
            .rows
            .iter()
            .filter(|row| matches!(row, Row::Price(..)));
        ensure!(
            prices.count() == self.distrusted.len(),
            "prices are missing"
        );
        let days = record.rows.iter().filter(|row| matches!(row, Row::Day(..)));
        ensure!(days.count() == self.days.len(), "days are missing");
        for (pool, gate) in &self.gates {
            let has = |key: &RowKey| record.rows.iter().any(|row| row.key() == *key);
            let is_barred = gate.barred != Barred::No && self.terms.pool(pool).breaker.is_some();
            let has_failed = is_barred || gate.failures > 0;
            ensure!(
                !has_failed || has(&RowKey::Breaker(pool.clone())),
                "{pool} isn't left alone"
            );
            let rate = self.terms.pool(pool).rate;
            let missing = rate.map_or(0, |rate| gate.missing_at(rate, self.time));
            let is_used = missing > 0 || gate.paused.is_some_and(|until| until > self.time);
            ensure!(
                !is_used || has(&RowKey::Bucket(pool.clone())),
                "{pool} has no bucket"
            );
        }
        Ok(())
    }

    fn judge_bucket(&self, pool: &Arc<str>, bucket: Bucket) -> Verdict {
        let gate = self.gates.get(pool).ok_or("a bucket for nothing")?;
        let paused = bucket
            .paused
            .map(|until| until.0)
            .filter(|until| *until > self.time);
        let right = gate.paused.filter(|until| *until > self.time);
        ensure!(
            paused == right,
            "{pool} is paused until {paused:?}, not {right:?}"
        );
        let Some(rate) = self.terms.pool(pool).rate else {
            return Ok(());
        };
        let until_full = i128::from(bucket.full_at.0) - i128::from(self.time) * 1_000_000;
        let right = gate.missing_at(rate, self.time) / i128::from(rate.burst.get());
        ensure!(
            until_full.max(0) == right,
            "{pool} is full in {until_full}, not {right}"
        );
        Ok(())
    }

    fn judge_breaker(&self, pool: &Arc<str>, breaker: &Breaker) -> Verdict {
        if self.terms.pool(pool).breaker.is_none() {
            return Ok(());
        }
        let gate = self.gates.get(pool).ok_or("a breaker for nothing")?;
        let state = match &breaker.state {
            BreakerState::Closed => Barred::No,
            BreakerState::Open { until } => Barred::Until(until.0),
            BreakerState::HalfOpen { probe } => Barred::Half(probe.clone()),
        };
        ensure!(
            state == gate.barred,
            "{pool} is {state:?}, not {:?}",
            gate.barred
        );
        ensure!(
            breaker.failures == gate.failures,
            "{pool} failed {} times",
            gate.failures
        );
        Ok(())
    }

    /// Checks that nobody waits in vain.
    fn judge_waiting(&self, record: &Record) -> Verdict {
        let mut waiting: Vec<_> = self
            .waiting
            .iter()
            .map(|(one, _)| one.hold.clone())
            .collect();
        waiting.sort();
        ensure!(
            waiting == record.waiting,
            "these wait: {:?}, not {waiting:?}",
            record.waiting
        );
        let flights = self.flights();
        for (at, (demand, _)) in self.waiting.iter().enumerate() {
            let by = demand.key.as_ref().and_then(|key| flights.get(key));
            if by.is_some_and(|by| *by != demand.hold) {
                continue;
            }
            let others = self
                .waiting
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at);
            let is_alone = !others
                .into_iter()
                .any(|(_, (other, _))| self.meet(demand, other));
            let known = self
                .grants
                .iter()
                .rfind(|one| one.id == demand.hold && one.is_known);
            if let Some(one) = known {
                let lacks = |pool: &Arc<str>| !one.slots.contains(pool) && self.is_full(pool);
                let fits = !distinct(demand).iter().any(lacks);
                ensure!(
                    !fits || !is_alone,
                    "{:?} waits in vain for slots",
                    demand.hold
                );
                continue;
            }
            let is_told = demand.has_fallback == HasFallback::No || !self.is_barred(demand);
            ensure!(is_told, "{:?} wasn't told of its breaker", demand.hold);
            ensure!(
                !is_alone || !self.fits(demand),
                "{:?} waits in vain",
                demand.hold
            );
            if matches!(&record.op, Op::Ask(asked, _) if asked.hold == demand.hold) {
                for (ledger, limit) in self.ledgers(demand) {
                    let sum = self.spent(&ledger) + i128::from(demand.amount.0);
                    let may = limit.is_none_or(|limit| sum <= i128::from(limit));
                    ensure!(
                        demand.amount.0 <= 0 || may,
                        "{:?} can never fit",
                        demand.hold
                    );
                }
            }
        }
        Ok(())
    }

    /// Returns whether two demands could contend for anything.
    fn meet(&self, one: &Demand, other: &Demand) -> bool {
        let [mine, theirs] = [one, other].map(|demand| self.limited(demand));
        let pools = distinct(other);
        mine.iter().any(|ledger| theirs.contains(ledger))
            || distinct(one).iter().any(|pool| pools.contains(pool))
    }

    fn fits(&self, demand: &Demand) -> bool {
        let amount = i128::from(demand.amount.0.max(0));
        let has_room = |(ledger, limit): &(LedgerId, Option<i64>)| {
            let sum = self.spent(ledger) + self.held(ledger) + amount;
            amount == 0 || limit.is_none_or(|limit| sum <= i128::from(limit))
        };
        let is_open = |pool: &Arc<str>| {
            let terms = self.terms.pool(pool);
            let Some(gate) = self.gates.get(pool) else {
                return true;
            };
            let has_token = terms.rate.is_none_or(|rate| {
                let [per, burst] = [rate.per.0, i64::from(rate.burst.get())].map(i128::from);
                gate.missing_at(rate, self.time) + per <= per * burst
            });
            has_token && gate.paused.is_none_or(|until| until <= self.time)
        };
        let pools = distinct(demand);
        self.ledgers(demand).iter().all(has_room)
            && !self.is_barred(demand)
            && pools
                .iter()
                .all(|pool| is_open(pool) && !self.is_full(pool))
    }

    fn is_full(&self, pool: &Arc<str>) -> bool {
        let slots = self.terms.pool(pool).slots;
        slots.is_some_and(|slots| self.taken(pool) >= slots as usize)
    }

    fn is_barred(&self, demand: &Demand) -> bool {
        distinct(demand).iter().any(|pool| {
            let gate = self.gates.get(pool);
            let gate = gate.filter(|_| self.terms.pool(pool).breaker.is_some());
            gate.is_some_and(|gate| match &gate.barred {
                Barred::No | Barred::Half(None) => false,
                Barred::Until(until) => *until > self.time,
                Barred::Half(Some(_)) => true,
            })
        })
    }

    fn known(&mut self, id: &HoldId) -> Option<&mut Granted> {
        self.grants
            .iter_mut()
            .rfind(|one| one.id == *id && one.is_known)
    }

    fn flights(&self) -> BTreeMap<crate::digest::Digest, HoldId> {
        let open = self.grants.iter().filter(|one| one.state == State::Open);
        open.filter_map(|one| Some((one.key?, one.id.clone())))
            .collect()
    }

    fn taken(&self, pool: &Arc<str>) -> usize {
        let open = self.grants.iter().filter(|one| one.state == State::Open);
        open.filter(|one| one.slots.contains(pool)).count()
    }

    fn spent(&self, ledger: &LedgerId) -> i128 {
        let here = self
            .grants
            .iter()
            .filter(|one| one.ledgers.contains(ledger));
        here.map(|one| match one.state {
            State::Open => 0,
            State::Over { bill, .. } => i128::from(bill),
        })
        .sum()
    }

    fn held(&self, ledger: &LedgerId) -> i128 {
        let here = self
            .grants
            .iter()
            .filter(|one| one.ledgers.contains(ledger));
        let open = here.filter(|one| one.state == State::Open);
        open.map(|one| i128::from(one.amount)).sum()
    }

    /// Returns the ledgers that a demand would be held in now, with limits.
    fn ledgers(&self, demand: &Demand) -> Vec<(LedgerId, Option<i64>)> {
        let mut all: BTreeMap<LedgerId, Option<i64>> = BTreeMap::new();
        let budgets = &self.terms.budgets;
        let mut named = demand.ledgers.clone();
        if !named.is_empty() || demand.amount.0 > 0 {
            let mut add = |ledger| {
                named.push(LedgerDemand {
                    ledger,
                    limit: None,
                })
            };
            add(LedgerId::Project);
            for period in budgets.project_per.keys() {
                add(LedgerId::ProjectPeriod {
                    period: *period,
                    day: "".into(),
                });
            }
        }
        for one in named {
            let (id, set) = match one.ledger {
                LedgerId::Project => (LedgerId::Project, budgets.project),
                LedgerId::ProjectPeriod { period, .. } => {
                    let day = self.today(period);
                    let set = budgets.project_per.get(&period).copied();
                    (LedgerId::ProjectPeriod { period, day }, set)
                }
                LedgerId::Provider(name) => {
                    let set = budgets.providers.get(&name).copied();
                    (LedgerId::Provider(name), set)
                }
                LedgerId::Scope { path, period, .. } => {
                    let day = self.today(period);
                    (LedgerId::Scope { path, period, day }, None)
                }
                other => (other, None),
            };
            let limits = [one.limit, set].into_iter().flatten().map(|limit| limit.0);
            let before = all.get(&id).copied().flatten();
            all.insert(id, limits.chain(before).min());
        }
        all.into_iter().collect()
    }

    fn limited(&self, demand: &Demand) -> Vec<LedgerId> {
        let ledgers = self
            .ledgers(demand)
            .into_iter()
            .filter(|_| demand.amount.0 > 0);
        ledgers
            .filter(|(_, limit)| limit.is_some())
            .map(|(id, _)| id)
            .collect()
    }

    fn today(&self, period: Period) -> Arc<str> {
        let today = day_name(period, self.wall);
        let seen = self.days.get(&period).cloned().unwrap_or_default();
        today.max(seen).into()
    }
}

impl Gate {
    fn missing_at(&self, rate: Rate, time: i64) -> i128 {
        let (missing, at) = self.missing;
        let passed = i128::from(time - at) * 1_000_000;
        (missing - passed * i128::from(rate.burst.get())).max(0)
    }
}

impl Granted {
    fn end(&mut self, bill: i64, is_sure: bool) {
        self.state = State::Over { bill, is_sure };
        self.slots.clear();
        self.owner = None;
        self.key = None;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Exact,
    Presumed,
}

impl Kind {
    fn of(bill: Bill) -> (Self, i64) {
        match bill {
            Bill::None => (Self::None, 0),
            Bill::Exact(bill) => (Self::Exact, bill.0.max(0)),
            Bill::Presumed(bill) => (Self::Presumed, bill.0.max(0)),
        }
    }
}

fn distinct(demand: &Demand) -> Vec<Arc<str>> {
    let mut pools: Vec<_> = demand.pools.iter().map(|one| one.pool.clone()).collect();
    pools.sort();
    pools.dedup();
    pools
}

/// Counts days, and months, one by one.
fn day_name(period: Period, millis: i64) -> String {
    let days = millis / 86_400_000;
    // The first of January 1970 was a Thursday.
    let days = match period {
        Period::Week => days - (days + 3) % 7,
        Period::Day | Period::Month => days,
    };
    let (mut year, mut month, mut day) = (1970, 1, 1);
    for _ in 0..days {
        day += 1;
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    if period == Period::Month {
        day = 1;
    }
    format!("{year:04}-{month:02}-{day:02}")
}
