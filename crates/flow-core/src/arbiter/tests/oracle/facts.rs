//! Facts: each has to be allowed when it becomes true.

use super::*;

impl Oracle {
    pub(super) fn judge_event(&mut self, record: &Record, event: &ArbEvent) -> Verdict {
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
    pub(super) fn judge_grant(&mut self, record: &Record, id: &HoldId, hold: &Hold) -> Verdict {
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
    pub(super) fn judge_order(&self, record: &Record, at: usize) -> Verdict {
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

    pub(super) fn judge_gate(&mut self, id: &HoldId, pool: &Arc<str>) -> Verdict {
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

    pub(super) fn judge_slots(
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

    pub(super) fn close(&mut self, record: &Record, id: &HoldId, bill: i64, kind: Kind) -> Verdict {
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

    pub(super) fn rebill(&mut self, record: &Record) -> Verdict {
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

    pub(super) fn overcharged(
        &mut self,
        price: Option<&Arc<str>>,
        kind: Kind,
        bill: i64,
        bound: i64,
    ) {
        if let Some(price) = price
            && kind == Kind::Exact
            && bill > bound
            && !self.distrusted.contains(price)
        {
            self.distrusted.push(price.clone());
        }
    }

    pub(super) fn bury(&mut self, owner: &OwnerId) {
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
    pub(super) fn observe(&mut self, one: &Granted, ending: Ending) {
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
}
