//! The books of all runs, kept again from their logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::address::{At, Ticket};
use flow_core::amount::{Money, Timestamp};
use flow_core::arbiter::LedgerId;
use flow_core::event::{Event, Fact, Started};
use flow_core::plan::{NodeId, Period};
use flow_core::value::Value;

use super::reading::Reading;
use super::{Check, Fault, map};

/// A ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Project,
    Run(usize),
    Instance(usize, At),
    /// A budget for a day: the node, by the path that its plan gives it.
    Day(String, Arc<str>),
}

/// A call in the books.
struct Entry {
    ledgers: Vec<Name>,
    /// What is held for it, or what it cost.
    amount: Money,
}

pub(super) struct Books {
    project: Option<Money>,
    sums: BTreeMap<Name, Money>,
    entries: BTreeMap<(usize, Ticket), Entry>,
}

impl Books {
    pub(super) fn new(project: Option<Money>) -> Self {
        Self {
            project,
            sums: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }

    /// Checks a grant before it is read.
    pub(super) fn check(&self, reading: &Reading<'_>, event: &Event) -> Result<(), Fault> {
        let Fact::AttemptStarted(started) = &event.fact else {
            return Ok(());
        };
        let hold = started.grant.hold;
        if hold <= Money(0) {
            return Ok(());
        }
        for (name, limit) in self.ledgers(reading, started, event.at) {
            let Some(limit) = limit else { continue };
            let sum = self.sums.get(&name).copied().unwrap_or_default();
            if sum.saturating_add(hold) > limit {
                let what = format!(
                    "{} holds {hold} where {sum} of {limit} is taken in {name:?}",
                    started.ticket
                );
                return Err(Fault::new(Check::Budget, what));
            }
        }
        Ok(())
    }

    /// Enters an event that was read.
    pub(super) fn book(&mut self, reading: &Reading<'_>, event: &Event) {
        if let Fact::AttemptStarted(started) = &event.fact {
            let ledgers = self.ledgers(reading, started, event.at);
            let entry = Entry {
                ledgers: ledgers.into_iter().map(|(name, _)| name).collect(),
                amount: Money(0),
            };
            let key = (reading.run, started.ticket.clone());
            self.entries.insert(key.clone(), entry);
            self.enter(&key, started.grant.hold);
            return;
        }
        let ticket = match &event.fact {
            Fact::Succeeded { ticket, .. }
            | Fact::Failed { ticket, .. }
            | Fact::Stopped { ticket, .. }
            | Fact::AttemptLost { ticket, .. }
            | Fact::Waits { ticket, .. }
            | Fact::Asked { ticket, .. }
            | Fact::Resolved { ticket, .. }
            | Fact::Rebilled { ticket, .. } => ticket,
            Fact::RunStarted(_)
            | Fact::OwnerTook { .. }
            | Fact::PauseAsked { .. }
            | Fact::ResumeAsked { .. }
            | Fact::CancelAsked { .. }
            | Fact::ProgramsFound { .. }
            | Fact::Opened { .. }
            | Fact::LimitsChanged { .. }
            | Fact::PlanReplaced { .. }
            | Fact::Reset { .. }
            | Fact::Adopted { .. }
            | Fact::Joined { .. }
            | Fact::RunSettled { .. }
            | Fact::Reopened { .. }
            | Fact::ItemsExpanded { .. }
            | Fact::BranchTaken { .. }
            | Fact::RoundOpened { .. }
            | Fact::RaceWon { .. }
            | Fact::Yielded { .. }
            | Fact::Broke { .. }
            | Fact::Reused { .. }
            | Fact::AttemptStarted(_)
            | Fact::WasSent { .. }
            | Fact::Submitted { .. }
            | Fact::Probed { .. }
            | Fact::Elapsed(_)
            | Fact::Answered { .. } => return,
            Fact::Refused { .. } => return,
        };
        let Some(bill) = reading.attempts.get(ticket).and_then(|known| known.bill) else {
            return;
        };
        self.enter(&(reading.run, ticket.clone()), bill.amount());
    }

    /// Replaces what a call counts as.
    fn enter(&mut self, key: &(usize, Ticket), amount: Money) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let old = std::mem::replace(&mut entry.amount, amount);
        for name in &entry.ledgers {
            let sum = self.sums.entry(name.clone()).or_default();
            *sum = Money(sum.0 - old.0 + amount.0);
        }
    }

    /// Returns the ledgers that a call is in, with their limits.
    fn ledgers(
        &self,
        reading: &Reading<'_>,
        started: &Started,
        now: Timestamp,
    ) -> Vec<(Name, Option<Money>)> {
        // A grant belongs to the day on which it was made, which may be the one
        // before that of its intent.
        let mut dated = started.grant.ledgers.iter();
        let day = dated.find_map(|ledger| match ledger {
            LedgerId::Scope { day, .. } => Some(day.clone()),
            _ => None,
        });
        let day = day.unwrap_or_else(|| now.0.div_euclid(DAY).to_string().into());
        let mut ledgers = vec![
            (Name::Project, self.project),
            (Name::Run(reading.run), reading.budget),
        ];
        for at in reading.map.around(&started.ticket.at) {
            let Some(Some(budget)) = reading.opened.get(&at) else {
                continue;
            };
            let name = match budget.per {
                None => Name::Instance(reading.run, at),
                Some(Period::Day) => Name::Day(path(reading, at.node), day.clone()),
                // No world has them.
                Some(Period::Week | Period::Month) => continue,
            };
            ledgers.push((name, Some(budget.amount)));
        }
        ledgers
    }
}

const DAY: i64 = 86_400_000;

fn path(reading: &Reading<'_>, node: NodeId) -> String {
    let mut names = Vec::new();
    let mut next = Some(node);
    while let Some(id) = next {
        let node = reading.plan.node(id);
        names.push(node.name.to_string());
        next = node.parent.as_ref().map(|parent| parent.node);
    }
    names.join("<")
}

impl Reading<'_> {
    /// Checks the limits that an instance is said to have.
    pub(super) fn check_limits(
        &self,
        at: &At,
        budget: Option<Money>,
        within: Option<flow_core::amount::Duration>,
    ) -> Result<(), Fault> {
        let limits = map::limits(&self.plan, at.node);
        let budgets = limits.iter().filter_map(|limits| limits.budget.as_ref());
        let amounts =
            budgets.filter_map(|budget| match self.eval(&budget.amount, at, None, None) {
                Some(Value::Money(amount)) => Some(amount),
                _ => None,
            });
        let expected = amounts.min();
        if expected != budget {
            let what = format!("the budget of {at} is {budget:?}, the plan says {expected:?}");
            return Err(Fault::new(Check::Value, what));
        }
        let lengths = limits.iter().filter_map(|limits| limits.within.as_ref());
        let lengths = lengths.filter_map(|within| match self.eval(within, at, None, None) {
            Some(Value::Duration(length)) => Some(length),
            _ => None,
        });
        let expected = lengths.min();
        if expected != within {
            let what = format!("the time of {at} is {within:?}, the plan says {expected:?}");
            return Err(Fault::new(Check::Value, what));
        }
        Ok(())
    }
}
