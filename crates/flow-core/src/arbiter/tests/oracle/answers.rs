//! Answers: each has to be right, and nobody is left without one.

use super::*;

impl Oracle {
    pub(super) fn judge_answers(
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
                    self.judge_granted(record, hold, grant, demand.as_ref())?;
                }
                Reply::Never(refusal) => {
                    let demand = demand.ok_or("a refusal that nobody asked for")?;
                    self.judge_refusal(&demand, refusal)?;
                }
                Reply::Landed { key } => {
                    let demand = demand.ok_or("a landing that nobody asked for")?;
                    ensure!(demand.key == Some(*key), "{hold:?} has another key");
                    let by = flights.get(key).ok_or("it wasn't in flight")?;
                    // A dead process's key may be in flight again with the same
                    // attempt, in other hands.
                    let is_again = record.events.iter().any(
                        |event| matches!(event, ArbEvent::SlotsTaken { hold, .. } if hold == by),
                    );
                    let flies = self.flights().get(key) == Some(by);
                    ensure!(!flies || is_again, "it is still in flight");
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

    pub(super) fn judge_granted(
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

    pub(super) fn judge_refusal(&self, demand: &Demand, refusal: &Refusal) -> Verdict {
        let amount = demand.amount.0;
        let over = |one: &Granted| one.id == demand.hold && one.state != State::Open;
        match refusal {
            Refusal::Budget {
                ledger,
                left,
                needs,
                fits_empty,
                until,
            } => {
                ensure!(
                    until.is_some() == ledger.period().is_some(),
                    "it is another time's ledger"
                );
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
}
