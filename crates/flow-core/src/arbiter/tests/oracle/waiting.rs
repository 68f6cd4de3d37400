//! Those who wait: nobody may wait in vain.

use super::*;

impl Oracle {
    /// Checks that nobody waits in vain.
    pub(super) fn judge_waiting(&self, record: &Record) -> Verdict {
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
    pub(super) fn meet(&self, one: &Demand, other: &Demand) -> bool {
        let [mine, theirs] = [one, other].map(|demand| self.limited(demand));
        let pools = distinct(other);
        mine.iter().any(|ledger| theirs.contains(ledger))
            || distinct(one).iter().any(|pool| pools.contains(pool))
    }

    pub(super) fn fits(&self, demand: &Demand) -> bool {
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

    pub(super) fn is_full(&self, pool: &Arc<str>) -> bool {
        let slots = self.terms.pool(pool).slots;
        slots.is_some_and(|slots| self.taken(pool) >= slots as usize)
    }

    pub(super) fn is_barred(&self, demand: &Demand) -> bool {
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
}
