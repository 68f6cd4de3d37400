//! Whether an attempt may start: what it requires, and where it is.

use flow_core::address::At;
use flow_core::amount::Timestamp;
use flow_core::effect::Effect;
use flow_core::event::Started;
use flow_core::plan::{ATTEMPTS_DEFAULT, NodeKind};
use flow_core::value::Value;

use super::map;
use super::reading::{Phase, Reading};
use super::state::Stand;
use super::{Check, Fault};

impl Reading<'_> {
    /// Checks that an attempt may start now.
    pub(super) fn may_start(&self, started: &Started, now: Timestamp) -> Result<(), Fault> {
        let ticket = &started.ticket;
        let at = &ticket.at;
        let rest = |why: &str| Err(Fault::new(Check::Rest, format!("{ticket} starts {why}")));
        if self.is_paused {
            return rest("while the run is paused");
        }
        if self.status.is_some() {
            return rest("after the run is over");
        }
        if self.attempts.contains_key(ticket) {
            return Err(Fault::new(Check::Once, format!("{ticket} starts again")));
        }
        if let Some(last) = self.last.get(at)
            && !matches!(self.attempts[last].phase, Phase::Over | Phase::Open)
        {
            let what = format!("{ticket} starts while {last} is in progress");
            return Err(Fault::new(Check::Once, what));
        }
        let before = self.attempts.range(
            flow_core::address::Ticket {
                attempt: 0,
                ..ticket.clone()
            }..=ticket.clone(),
        );
        let count = u32::try_from(before.count()).unwrap();
        if ticket.attempt != count + 1 {
            let what = format!("{ticket} comes after {count} attempts");
            return Err(Fault::new(Check::Once, what));
        }
        self.may_be_tried(started, now)?;
        for instance in self.map.around(at) {
            self.is_reached(at, &instance)?;
        }
        self.arguments_are_right(at, started)
    }

    fn may_be_tried(&self, started: &Started, now: Timestamp) -> Result<(), Fault> {
        let ticket = &started.ticket;
        let NodeKind::Step(step) = &self.plan.node(ticket.at.node).kind else {
            return Err(Fault::new(Check::Order, format!("{ticket} is no step")));
        };
        if started.effect != step.effect {
            let what = format!(
                "{ticket} does {} in place of {}",
                started.effect, step.effect
            );
            return Err(Fault::new(Check::Order, what));
        }
        let retry = step.policies.retry.as_ref();
        let attempts = match retry.map(|retry| self.eval(&retry.attempts, &ticket.at, None, None)) {
            None => i64::from(ATTEMPTS_DEFAULT),
            Some(Some(Value::Int(attempts))) => attempts,
            Some(_) => return Err(Fault::new(Check::Retry, "attempts that are no number")),
        };
        let Some(tries) = self.tries.get(&ticket.at) else {
            return Ok(());
        };
        if i64::from(tries.used) >= attempts.max(1) {
            let what = format!(
                "{ticket} starts after {} of {attempts} attempts",
                tries.used
            );
            return Err(Fault::new(Check::Retry, what));
        }
        match tries.wake.max(tries.held) {
            Some(wake) if now < wake => {
                let what = format!("{ticket} starts at {now}, before {wake}");
                Err(Fault::new(Check::Retry, what))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Checks that one of the instances around an address may go on.
    fn is_reached(&self, of: &At, at: &At) -> Result<(), Fault> {
        let order = |what: String| Err(Fault::new(Check::Order, format!("{of} starts: {what}")));
        if self.is_cancelled(at) {
            let what = format!("{of} starts, but {at} was cancelled");
            return Err(Fault::new(Check::Rest, what));
        }
        let is_fallback = self.map.owner(of).is_some() && self.fallen.contains(at);
        if self.late.contains(at) && !is_fallback {
            let what = format!("{of} starts, but the time of {at} is over");
            return Err(Fault::new(Check::Rest, what));
        }
        if self.settled.contains_key(at) {
            return Err(Fault::new(
                Check::Once,
                format!("{of} starts, but {at} is settled"),
            ));
        }
        for before in &self.map.spot(at.node).requires {
            let required = self.map.near(*before, at);
            if self.stand(&required) != Stand::Value {
                return order(format!("{at} requires {required}, which has no value"));
            }
        }
        let limits = map::limits(&self.plan, at.node);
        let is_limited = limits
            .iter()
            .any(|limits| limits.budget.is_some() || limits.within.is_some());
        if is_limited && !self.opened.contains_key(at) {
            return order(format!("the limits of {at} are not known"));
        }
        match self.map.owner(at) {
            Some(owner) => self.is_open(of, at, &owner),
            None => Ok(()),
        }
    }

    /// Checks that the block of an owner that an instance is in is walked.
    fn is_open(&self, of: &At, at: &At, owner: &At) -> Result<(), Fault> {
        let order = |what: &str| {
            Err(Fault::new(
                Check::Order,
                format!("{of} starts: {at} {what}"),
            ))
        };
        let block = self.map.spot(at.node).block;
        let is_fallback = map::fallback(&self.plan, owner.node) == Some(block);
        if is_fallback != self.fallen.contains(owner) {
            return order("is not in the block that is walked");
        }
        if is_fallback {
            return Ok(());
        }
        let ord = at.ords.get(owner.ords.len()).copied();
        match &self.plan.node(owner.node).kind {
            NodeKind::If(_) | NodeKind::Match(_) => {
                let arm = self.choices.get(owner).copied().flatten();
                if arm.map(|arm| arm as usize) != Some(block) {
                    return order("is in an arm that was not taken");
                }
                Ok(())
            }
            NodeKind::For(_) => self.is_item_open(of, owner, ord.unwrap()),
            NodeKind::Repeat(_) => {
                let rounds = self.rounds.get(owner).map_or(0, Vec::len);
                if ord.unwrap() as usize + 1 != rounds {
                    return order("is in a round that is not walked");
                }
                Ok(())
            }
            NodeKind::Race(_) if self.winners.contains_key(owner) => Err(Fault::new(
                Check::Race,
                format!("{of} starts in a race that is won"),
            )),
            NodeKind::Race(_) | NodeKind::Workflow(_) | NodeKind::Parallel(_) => Ok(()),
            NodeKind::Step(_) | NodeKind::Value(_) => order("is in no block"),
        }
    }

    fn is_item_open(&self, of: &At, owner: &At, item: u32) -> Result<(), Fault> {
        let fault = |what: String| Err(Fault::new(Check::Items, format!("{of} starts: {what}")));
        let NodeKind::For(each) = &self.plan.node(owner.node).kind else {
            return fault(format!("{owner} has no items"));
        };
        let Some(items) = self.items.get(owner) else {
            return fault(format!("the items of {owner} are not known"));
        };
        if item >= items.count {
            return fault(format!("{owner} has {} items", items.count));
        }
        if items.begun.contains(&item) {
            return Ok(());
        }
        // Items in which nothing was ever attempted are not seen here.
        let open = items
            .begun
            .iter()
            .filter(|begun| self.stand_of_item(owner, **begun, &each.body) == Stand::Open);
        let open = u32::try_from(open.count()).unwrap();
        if open >= items.parallel {
            return fault(format!("{open} items of {owner} are open already"));
        }
        let has_failed = !each.keep_ok
            && items
                .begun
                .iter()
                .any(|begun| self.stand_of_item(owner, *begun, &each.body) == Stand::Dead);
        // An item may have been opened before another failed, and come later
        // to its first attempt; a later one than all that are begun, with one
        // item at a time, may not.
        if has_failed && items.parallel == 1 {
            return fault(format!("an item of {owner} has failed"));
        }
        Ok(())
    }

    /// Checks the arguments that the outside was given, and what is held.
    fn arguments_are_right(&self, at: &At, started: &Started) -> Result<(), Fault> {
        let Some(args) = self.arguments(at) else {
            let what = format!("{at} starts, but its arguments have no value");
            return Err(Fault::new(Check::Value, what));
        };
        // What only looks may have been lost and done again, with other values.
        let mut departures = self.outside.departed.iter().rev();
        let departure =
            departures.find(|other| other.run == self.run && other.ticket == started.ticket);
        if let Some(departure) = departure {
            let given: Vec<_> = departure.args.clone().into_iter().collect();
            if given != args {
                let what = format!("{at} was given {given:?}, the plan says {args:?}");
                return Err(Fault::new(Check::Value, what));
            }
        }
        let NodeKind::Step(step) = &self.plan.node(at.node).kind else {
            return Ok(());
        };
        let values = args.into_iter().map(|(_, value)| value).collect();
        let price = step.price.as_ref();
        let price = price.and_then(|price| self.eval_with(&price.formula, at, values));
        let price = match price {
            Some(Value::Money(amount)) => amount,
            _ => flow_core::amount::Money(0),
        };
        if started.grant.hold != price && started.effect != Effect::Pure {
            let what = format!("{at} holds {}, but may cost {price}", started.grant.hold);
            return Err(Fault::new(Check::Hold, what));
        }
        Ok(())
    }
}
