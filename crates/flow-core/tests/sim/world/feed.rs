//! Inputs become events, events are committed, and wishes follow.

use std::collections::BTreeSet;
use std::sync::Arc;

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::event::{Counts, Event, Fact, Same, Then};
use flow_core::plan::{NodeKind, Plan};
use flow_core::run::{Action, Delta, Input};
use flow_core::step::Bill;

use super::{Pending, World};
use crate::gate::{Before, calls};
use crate::mutants::Mutant;
use crate::oracle::{Check, Fault};

impl World {
    /// Hands something to a run.
    pub(super) fn feed(&mut self, number: usize, input: Input) -> Result<(), Fault> {
        let live = &self.lives[number];
        let asked = match &input {
            Input::Granted(started) => Some(started.ticket.clone()),
            _ => None,
        };
        let mut events = live.run.decide(input, self.now, &self.vault);
        self.sabotage(number, &mut events);
        for event in events {
            self.commit(number, &event)?;
        }
        if let Some(ticket) = asked {
            self.release_unless_begun(number, ticket);
        }
        Ok(())
    }

    /// Gives back what was granted to an attempt that isn't wanted any more.
    pub(super) fn release_unless_begun(&mut self, number: usize, ticket: Ticket) {
        let mut log = self.lives[number].log.iter();
        let has_begun = log.any(|event| match &event.fact {
            Fact::AttemptStarted(started) => started.ticket == ticket,
            _ => false,
        });
        if !has_begun {
            let hold = self.hold(number, ticket);
            self.gate.withdraw(&hold, self.now);
        }
    }

    /// Commits an event, and applies it.
    pub(super) fn commit(&mut self, number: usize, event: &Event) -> Result<(), Fault> {
        let is_synced = self.lives[number].run.is_dear(&event.fact);
        let live = &mut self.lives[number];
        live.log.push(event.clone());
        self.order.push(number);
        let id = live.run.id().clone();
        let before = self.before(number, event);
        self.gate.settle(&id, event, before, self.now);
        self.gate.commit(self.order.len());
        // One file in one order: what is synced is safe with all before it. Logs
        // that are kept apart are safe each by itself.
        if is_synced || self.dice.percent(10) {
            for (other, live) in self.lives.iter_mut().enumerate() {
                if other == number || !self.traits.is_split {
                    live.durable = live.log.len();
                }
            }
        }
        if self.traits.mutant == Some(Mutant::PauseIgnored)
            && matches!(event.fact, Fact::PauseAsked { .. })
        {
            return Ok(());
        }
        let mut delta = self.lives[number].run.apply(event);
        if self.traits.mutant == Some(Mutant::DeltaShort) && self.dice.percent(20) {
            delta.actions.pop();
        }
        self.follow(number, delta);
        self.check_delta(number)
    }

    /// What was said before of an attempt that is billed again.
    fn before(&self, number: usize, event: &Event) -> Option<Before> {
        let (Fact::Rebilled { ticket, .. } | Fact::Resolved { ticket, .. }) = &event.fact else {
            return None;
        };
        let log = &self.lives[number].log;
        let (grant, bill) = calls(&log[..log.len() - 1]).remove(ticket)?;
        Some(Before { grant, bill })
    }

    /// Takes note of what is wished, and sees to it.
    pub(super) fn follow(&mut self, number: usize, delta: Delta) {
        for action in &delta.withdrawn {
            self.lives[number].wished.remove(action);
            if let Action::Admit { ticket } = action {
                let hold = self.hold(number, ticket.clone());
                self.lives[number].asking.remove(&hold);
                self.release_unless_begun(number, hold.ticket);
            }
        }
        for action in delta.actions {
            let is_new = self.lives[number].wished.insert(action.clone());
            if let Action::Admit { ticket } = &action
                && !is_new
            {
                // A demand that waits, or was just granted, is out of date.
                let hold = self.hold(number, ticket.clone());
                self.lives[number].asking.remove(&hold);
                self.release_unless_begun(number, hold.ticket);
            }
            self.see_to(number, action);
        }
    }

    /// Sees to a wish: decisions at once, everything else a little later and in
    /// any order.
    pub(super) fn see_to(&mut self, number: usize, action: Action) {
        match action {
            Action::Evaluate { at, item } => {
                self.at_once
                    .push_back((number, Input::Evaluate { at, item }));
            }
            Action::Admit { .. }
            | Action::Start { .. }
            | Action::Poll { .. }
            | Action::Probe { .. }
            | Action::Stop { .. }
            | Action::Ask { .. } => {
                if self.traits.mutant == Some(Mutant::WishLost) && self.dice.percent(10) {
                    return;
                }
                let delay = self.dice.one(&[0, 0, 0, 1, 5]);
                self.soon(delay, Pending::Wish(number, action));
            }
        }
    }

    pub(super) fn check_delta(&self, number: usize) -> Result<(), Fault> {
        let live = &self.lives[number];
        let derived = live.run.outstanding();
        let outstanding: BTreeSet<_> = derived.iter().cloned().collect();
        if outstanding.len() != derived.len() {
            let what = format!("run {number} wishes something twice: {derived:?}");
            return Err(Fault::new(Check::Delta, what));
        }
        if outstanding != live.wished {
            let more: Vec<_> = outstanding.difference(&live.wished).collect();
            let less: Vec<_> = live.wished.difference(&outstanding).collect();
            let what = format!(
                "run {number} after {:?}: outstanding, not wished {more:?}; wished, not outstanding {less:?}",
                live.log.last()
            );
            return Err(Fault::new(Check::Delta, what));
        }
        Ok(())
    }

    // Sabotage.

    /// Returns the plan that the run follows.
    pub(super) fn sabotaged(&mut self, plan: &Arc<Plan>) -> Arc<Plan> {
        if self.traits.mutant != Some(Mutant::EdgeIgnored) || plan.graph.edge_count() == 0 {
            return plan.clone();
        }
        let mut broken = Plan::clone(plan);
        let edge = self.dice.at(plan.graph.edge_count());
        broken
            .graph
            .remove_edge(petgraph::graph::EdgeIndex::new(edge));
        Arc::new(broken)
    }

    /// Breaks events on their way into the log.
    fn sabotage(&self, number: usize, events: &mut Vec<Event>) {
        let Some(mutant) = self.traits.mutant else {
            return;
        };
        let plan = &self.lives[number].plan;
        let twins = events.iter().filter(|event| {
            mutant == Mutant::SettledTwice && matches!(event.fact, Fact::Succeeded { .. })
        });
        let twins: Vec<Event> = twins.cloned().collect();
        for event in events.iter_mut() {
            match (mutant, &mut event.fact) {
                (Mutant::ItemDropped, Fact::ItemsExpanded { count, .. }) => {
                    *count = count.saturating_sub(1);
                }
                (Mutant::FallbackOnUnknown, Fact::Failed { ticket, then, .. })
                    if *then == Then::Unknown && has_fallback(plan, ticket) =>
                {
                    *then = Then::FallBack;
                }
                (
                    Mutant::OnceRepeated,
                    Fact::Failed { then, .. } | Fact::AttemptLost { then, .. },
                ) if *then == Then::Unknown => {
                    *then = Then::Again {
                        wake: self.now,
                        same: Same::Act,
                        counts: Counts::No,
                    };
                }
                (
                    Mutant::BillForgotten,
                    Fact::Failed { bill, .. }
                    | Fact::Stopped { bill, .. }
                    | Fact::AttemptLost { bill, .. },
                ) if matches!(bill, Bill::Presumed(_)) => *bill = Bill::None,
                (Mutant::WrongWinner, Fact::RaceWon { arm, .. }) => *arm = (*arm + 1) % 2,
                (Mutant::NothingHeld, Fact::AttemptStarted(started)) => {
                    started.grant.hold = Money(0);
                }
                _ => {}
            }
        }
        events.extend(twins);
    }
}

fn has_fallback(plan: &Plan, ticket: &Ticket) -> bool {
    match &plan.node(ticket.at.node).kind {
        NodeKind::Step(step) => step.fallback.is_some(),
        NodeKind::Value(_)
        | NodeKind::Workflow(_)
        | NodeKind::If(_)
        | NodeKind::Match(_)
        | NodeKind::For(_)
        | NodeKind::Repeat(_)
        | NodeKind::Race(_)
        | NodeKind::Parallel(_) => false,
    }
}
