//! What an attempt needs, and the names of what is shared.

use std::fmt;
use std::sync::Arc;

use crate::address::{At, RunId, Ticket};
use crate::amount::Money;
use crate::digest::Digest;
use crate::plan::Period;

/// The name of a hold: the attempt that it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId {
    /// The run.
    pub run: RunId,
    /// The attempt.
    pub ticket: Ticket,
}

/// The name of a ledger. A hold is in all ledgers around its call at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerId {
    /// Everything in this store.
    Project,
    /// Everything in this store in one period.
    ProjectPeriod {
        /// The kind of period.
        period: Period,
        /// Its first day: `2026-05-01`.
        day: Arc<str>,
    },
    /// All calls of a provider.
    Provider(Arc<str>),
    /// All runs of a trigger, in one period if it has one.
    Trigger {
        /// The trigger.
        name: Arc<str>,
        /// The period and its first day.
        period: Option<(Period, Arc<str>)>,
    },
    /// A budget of a workflow, region or call that is for a period, over runs.
    Scope {
        /// The path of the node in its plan, without items.
        path: Arc<str>,
        /// The kind of period.
        period: Period,
        /// Its first day.
        day: Arc<str>,
    },
    /// A run.
    Run(RunId),
    /// A budget of an instance in a run.
    Instance(RunId, At),
    /// A budget of an instance in a run that may be edited: it counts by its
    /// place, whatever number its node has.
    Place(RunId, Arc<str>),
}

/// A ledger, and what may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDemand {
    /// The ledger.
    pub ledger: LedgerId,
    /// The limit; without one, it only counts.
    pub limit: Option<Money>,
}

/// A slot of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolDemand {
    /// The pool.
    pub pool: Arc<str>,
}

/// All that an attempt needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The attempt.
    pub hold: HoldId,
    /// The most it may cost.
    pub amount: Money,
    /// The ledgers around it, the outermost first.
    pub ledgers: Vec<LedgerDemand>,
    /// The pools it takes a slot of.
    pub pools: Vec<PoolDemand>,
    /// The name of the price that the amount was computed from.
    pub price: Option<Arc<str>>,
    /// The key of its result, if equal calls in flight share it.
    pub key: Option<Digest>,
    /// Whether something else is done if it can't have it now.
    pub has_fallback: HasFallback,
}

/// Whether a call has a fallback. One that has is told at once that a breaker
/// is open; one that hasn't waits until it closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum HasFallback {
    /// It has.
    Yes,
    /// It hasn't.
    #[default]
    No,
}

/// The name of a process. Slots belong to one, and are free when it is dead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(pub Arc<str>);

impl LedgerId {
    /// Returns the kind of period that it is for, if it is for one.
    pub fn period(&self) -> Option<Period> {
        match self {
            Self::ProjectPeriod { period, .. } | Self::Scope { period, .. } => Some(*period),
            Self::Trigger { period, .. } => period.as_ref().map(|(period, _)| *period),
            Self::Project
            | Self::Provider(_)
            | Self::Run(_)
            | Self::Instance(..)
            | Self::Place(..) => None,
        }
    }

    /// Returns the first day of its period, if it is for one.
    pub fn day(&self) -> Option<&Arc<str>> {
        match self {
            Self::ProjectPeriod { day, .. } | Self::Scope { day, .. } => Some(day),
            Self::Trigger { period, .. } => period.as_ref().map(|(_, day)| day),
            Self::Project
            | Self::Provider(_)
            | Self::Run(_)
            | Self::Instance(..)
            | Self::Place(..) => None,
        }
    }

    /// Returns the run whose own it is, if no other run can be in it.
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::Run(run) | Self::Instance(run, _) | Self::Place(run, _) => Some(run),
            Self::Project
            | Self::ProjectPeriod { .. }
            | Self::Provider(_)
            | Self::Trigger { .. }
            | Self::Scope { .. } => None,
        }
    }

    /// Returns the ledger of the same name for another day; itself if it is
    /// for no period.
    #[must_use]
    pub fn dated(&self, day: &Arc<str>) -> Self {
        match self {
            Self::ProjectPeriod { period, .. } => Self::ProjectPeriod {
                period: *period,
                day: day.clone(),
            },
            Self::Scope { path, period, .. } => Self::Scope {
                path: path.clone(),
                period: *period,
                day: day.clone(),
            },
            Self::Trigger {
                name,
                period: Some((period, _)),
            } => Self::Trigger {
                name: name.clone(),
                period: Some((*period, day.clone())),
            },
            Self::Project
            | Self::Provider(_)
            | Self::Trigger { period: None, .. }
            | Self::Run(_)
            | Self::Instance(..)
            | Self::Place(..) => self.clone(),
        }
    }

    /// Returns the name without its day: that of all its periods in a row.
    #[must_use]
    pub fn undated(&self) -> Self {
        self.dated(&Arc::default())
    }
}

impl fmt::Display for LedgerId {
    /// Writes `project`, `provider openai` or `run 7f3a`, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project => f.write_str("project"),
            Self::ProjectPeriod { period, day } => write!(f, "project per {} {day}", word(*period)),
            Self::Provider(name) => write!(f, "provider {name}"),
            Self::Trigger { name, period: None } => write!(f, "trigger {name}"),
            Self::Trigger {
                name,
                period: Some((period, day)),
            } => write!(f, "trigger {name} per {} {day}", word(*period)),
            Self::Scope { path, period, day } => write!(f, "{path} per {} {day}", word(*period)),
            Self::Run(run) => write!(f, "run {run}"),
            Self::Instance(run, at) => write!(f, "run {run} at {at}"),
            Self::Place(run, place) if place.is_empty() => write!(f, "run {run}'s workflow"),
            Self::Place(run, place) => write!(f, "run {run} at {place}"),
        }
    }
}

fn word(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
    }
}

impl Demand {
    /// Puts it into the form that is judged: no negative amount, no ledger and
    /// no pool twice. Of two limits of one ledger the lower holds.
    pub(super) fn normalise(&mut self) {
        self.amount = self.amount.max(Money(0));
        let mut ledgers: Vec<LedgerDemand> = Vec::with_capacity(self.ledgers.len());
        for mut one in self.ledgers.drain(..) {
            if one.ledger.period().is_some() {
                one.ledger = one.ledger.undated();
            }
            match ledgers.iter_mut().find(|other| other.ledger == one.ledger) {
                Some(other) => other.limit = lower(other.limit, one.limit),
                None => ledgers.push(one),
            }
        }
        self.ledgers = ledgers;
        let mut at = 0;
        while at < self.pools.len() {
            if self.pools[..at].contains(&self.pools[at]) {
                self.pools.remove(at);
            } else {
                at += 1;
            }
        }
    }
}

/// Returns the lower of two limits, of which either may be none.
pub(super) fn lower(one: Option<Money>, other: Option<Money>) -> Option<Money> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::At;

    #[test]
    fn a_demand_names_each_thing_once() {
        let limited = |ledger, limit| LedgerDemand { ledger, limit };
        let pool = |name: &str| PoolDemand { pool: name.into() };
        let day = |day: &str| LedgerId::ProjectPeriod {
            period: Period::Day,
            day: day.into(),
        };
        let mut demand = Demand {
            hold: HoldId {
                run: RunId("r".into()),
                ticket: Ticket::default(),
            },
            amount: Money(-5),
            ledgers: vec![
                limited(LedgerId::Project, None),
                limited(day("2026-05-01"), Some(Money(4))),
                limited(LedgerId::Project, Some(Money(7))),
                limited(day("2026-05-02"), Some(Money(3))),
            ],
            pools: vec![pool("a"), pool("b"), pool("a")],
            price: None,
            key: None,
            has_fallback: HasFallback::No,
        };
        demand.normalise();
        assert_eq!(demand.amount, Money(0));
        assert_eq!(
            demand.ledgers,
            [
                limited(LedgerId::Project, Some(Money(7))),
                limited(day(""), Some(Money(3))),
            ]
        );
        assert_eq!(demand.pools, [pool("a"), pool("b")]);
    }

    #[test]
    fn only_ledgers_of_a_period_have_days() {
        let day: Arc<str> = "2026-05-01".into();
        let trigger = |period| LedgerId::Trigger {
            name: "t".into(),
            period,
        };
        let run = RunId("r".into());
        let without = [
            LedgerId::Project,
            LedgerId::Provider("p".into()),
            trigger(None),
            LedgerId::Run(run.clone()),
            LedgerId::Instance(run.clone(), At::root()),
            LedgerId::Place(run, "stills[3]".into()),
        ];
        for ledger in without {
            assert_eq!(ledger.dated(&day), ledger);
            assert_eq!(ledger.period(), None);
        }
        let with = trigger(Some((Period::Week, Arc::default()))).dated(&day);
        assert_eq!(with.day(), Some(&day));
        assert_eq!(with.to_string(), "trigger t per week 2026-05-01");
        assert_eq!(with.undated().day().map(|day| &**day), Some(""));
    }
}
