//! Rows: they have to be what all grants and bills add up to.

use super::*;

impl Oracle {
    /// Compares all that the arbiter keeps with what it should be.
    pub(super) fn judge_rows(&self, record: &Record) -> Verdict {
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
        self.judge_missing(record)
    }

    fn judge_missing(&self, record: &Record) -> Verdict {
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

    pub(super) fn judge_bucket(&self, pool: &Arc<str>, bucket: Bucket) -> Verdict {
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

    pub(super) fn judge_breaker(&self, pool: &Arc<str>, breaker: &Breaker) -> Verdict {
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
}
