//! What events say about regions: which arm, which items, which round.

use std::collections::BTreeSet;

use flow_core::address::At;
use flow_core::event::{Failure, Then};
use flow_core::handle::Handle;
use flow_core::plan::{NodeKind, Pattern};
use flow_core::value::Value;

use super::Check;
use super::facts::{Answer, fault};
use super::map;
use super::reading::{Items, Reading};
use super::state::Stand;

impl Reading<'_> {
    pub(super) fn expanded(&mut self, at: &At, count: u32, parallel: u32) -> Answer {
        let NodeKind::For(each) = &self.plan.node(at.node).kind else {
            return fault(Check::Items, format!("{at} is no `for`"));
        };
        let list = self.eval(&each.list, at, None, None);
        let length = match &list {
            Some(Value::List(list)) => u32::try_from(list.items.len()).ok(),
            _ => None,
        };
        if length != Some(count) {
            let what = format!("{at} has {count} items, the list has {length:?}");
            return fault(Check::Items, what);
        }
        let most = each.max.as_ref().map(|max| self.eval(max, at, None, None));
        if let Some(Some(Value::Int(most))) = most
            && i64::from(count) > most
        {
            return fault(Check::Items, format!("{at} has {count} items of {most}"));
        }
        let written = self.eval(&each.parallel, at, None, None);
        if written != Some(Value::Int(i64::from(parallel))) {
            let what = format!("{at} opens {parallel} items at once, not {written:?}");
            return fault(Check::Items, what);
        }
        let items = Items {
            count,
            parallel,
            begun: BTreeSet::new(),
        };
        if self.items.insert(at.clone(), items).is_some() {
            return fault(Check::Once, format!("the items of {at} are known twice"));
        }
        Ok(())
    }

    pub(super) fn check_branch(&self, at: &At, arm: Option<u32>) -> Answer {
        let expected = match &self.plan.node(at.node).kind {
            NodeKind::If(choice) => match self.eval(&choice.cond, at, None, None) {
                Some(Value::Bool(true)) => Some(0),
                Some(Value::Bool(false)) => choice.otherwise.as_ref().map(|_| 1),
                _ => return fault(Check::Value, format!("the condition of {at} is no truth")),
            },
            NodeKind::Match(choice) => {
                let subject = self.eval(&choice.subject, at, None, None);
                let fits = |pattern: &Pattern| match pattern {
                    Pattern::Any => true,
                    Pattern::None => subject == Some(Value::None),
                    Pattern::Some => subject != Some(Value::None),
                    Pattern::Is(value) => subject.as_ref() == Some(value),
                };
                let mut arms = (0..).zip(&choice.arms);
                arms.find(|(_, arm)| arm.patterns.iter().any(fits))
                    .map(|(index, _)| index)
            }
            _ => return fault(Check::Value, format!("{at} is no choice")),
        };
        if arm != expected {
            let what = format!("{at} takes {arm:?}, the plan says {expected:?}");
            return fault(Check::Value, what);
        }
        Ok(())
    }

    pub(super) fn round(&mut self, at: &At, round: u32, state: &Handle, max: u32) -> Answer {
        let NodeKind::Repeat(repeat) = &self.plan.node(at.node).kind else {
            return fault(Check::Value, format!("{at} is no `repeat`"));
        };
        let known = self.rounds.get(at).map_or(0, Vec::len);
        if round as usize != known || round >= max {
            let what = format!("round {round} of {at} after {known} of {max}");
            return fault(Check::Once, what);
        }
        let expected = match round.checked_sub(1) {
            None => self.eval(&repeat.from, at, None, None),
            Some(last) => self.state_after(at, last),
        };
        if expected.is_none() || self.load(state) != expected {
            let what = format!("round {round} of {at} gets {state:?}, not {expected:?}");
            return fault(Check::Value, what);
        }
        self.rounds
            .entry(at.clone())
            .or_default()
            .push(state.clone());
        Ok(())
    }

    pub(super) fn won(&mut self, at: &At, arm: u32) -> Answer {
        let NodeKind::Race(race) = &self.plan.node(at.node).kind else {
            return fault(Check::Race, format!("{at} is no race"));
        };
        let winner = race.block.nodes.get(arm as usize).copied();
        let winner = winner.map(|id| At::new(id, at.ords.iter().copied()));
        let has_value = winner.is_some_and(|winner| self.stand(&winner) == Stand::Value);
        if !has_value {
            return fault(Check::Race, format!("{arm} of {at} wins without a value"));
        }
        if self.winners.insert(at.clone(), arm).is_some() {
            return fault(Check::Race, format!("{at} is won twice"));
        }
        Ok(())
    }

    pub(super) fn yielded(&mut self, at: &At, item: Option<u32>, value: &Handle) -> Answer {
        let given = self.load(value);
        let node = self.plan.node(at.node);
        let blocks = node.blocks();
        let block = match &node.kind {
            _ if self.fallen.contains(at) => map::fallback(&self.plan, at.node),
            NodeKind::If(_) | NodeKind::Match(_) => self
                .choices
                .get(at)
                .copied()
                .flatten()
                .map(|arm| arm as usize),
            NodeKind::Repeat(_) => None,
            _ => Some(0),
        };
        let expected = if let Some(block) = block {
            let result = blocks
                .get(block)
                .and_then(|(_, block)| block.result.as_ref());
            result.and_then(|result| self.eval(result, at, item, None))
        } else {
            let last = self.rounds.get(at).map_or(0, Vec::len).saturating_sub(1);
            self.state_after(at, u32::try_from(last).unwrap())
        };
        if expected.is_none() || given != expected {
            let what = format!("{at} {item:?} gives {given:?}, the plan says {expected:?}");
            return fault(Check::Value, what);
        }
        let key = (at.clone(), item);
        if self.yields.insert(key, value.clone()).is_some() {
            return fault(Check::Once, format!("{at} {item:?} gives its value twice"));
        }
        Ok(())
    }

    pub(super) fn broke(
        &mut self,
        at: &At,
        item: Option<u32>,
        failure: &Failure,
        then: Then,
    ) -> Answer {
        if item.is_some() {
            self.broken.insert((at.clone(), item));
            return Ok(());
        }
        if self.is_busy(at) {
            let what = format!("{at} ends while something in it is in progress");
            return fault(Check::Order, what);
        }
        self.follow(at, failure, None, then)
    }
}
