//! The terms: how much there is of what runs share, as a project sets it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::amount::{Duration, Money};
use crate::plan::Period;

use super::demand::LedgerId;

/// How much there is of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The time zone in which days begin.
    pub zone: TimeZone,
    /// The budgets of the project.
    pub budgets: Budgets,
    /// The pools that are set.
    pub pools: BTreeMap<Arc<str>, PoolTerms>,
    /// All other pools.
    pub pool_default: PoolTerms,
}

/// What may be spent, over all runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Budgets {
    /// For ever.
    pub project: Option<Money>,
    /// In each period.
    pub project_per: BTreeMap<Period, Money>,
    /// At each provider.
    pub providers: BTreeMap<Arc<str>, Money>,
    /// By each trigger, for ever or in a period.
    pub triggers: BTreeMap<(Arc<str>, Option<Period>), Money>,
}

/// How much there is of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolTerms {
    /// How many attempts may be in it at once; without a number, all.
    pub slots: Option<u32>,
    /// How many may begin.
    pub rate: Option<Rate>,
    /// When it is left alone for a while.
    pub breaker: Option<BreakerTerms>,
}

/// How many attempts may begin: so many at once, and so many in each stretch
/// of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub burst: NonZeroU32,
    /// In how long.
    pub per: Duration,
}

/// When a pool is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerTerms {
    /// After so many failures in a row.
    pub failures: NonZeroU32,
    /// For so long.
    pub pause: Duration,
}

impl Default for Terms {
    /// Days in UTC, no budgets, and as much of each pool as is asked for.
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            budgets: Budgets::default(),
            pools: BTreeMap::new(),
            pool_default: PoolTerms::default(),
        }
    }
}

impl Terms {
    /// Returns how much there is of a pool.
    pub fn pool(&self, name: &str) -> &PoolTerms {
        self.pools.get(name).unwrap_or(&self.pool_default)
    }

    /// Returns what may be spent in a ledger as far as the project says so.
    pub fn limit(&self, ledger: &LedgerId) -> Option<Money> {
        let budgets = &self.budgets;
        match ledger {
            LedgerId::Project => budgets.project,
            LedgerId::ProjectPeriod { period, .. } => budgets.project_per.get(period).copied(),
            LedgerId::Provider(name) => budgets.providers.get(name).copied(),
            LedgerId::Trigger { name, period } => {
                let period = period.as_ref().map(|(period, _)| *period);
                budgets.triggers.get(&(name.clone(), period)).copied()
            }
            LedgerId::Scope { .. }
            | LedgerId::Run(_)
            | LedgerId::Instance(..)
            | LedgerId::Place(..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::RunId;

    #[test]
    fn each_budget_has_its_ledger() {
        let day = Some((Period::Day, "2026-05-01".into()));
        let trigger = |period| LedgerId::Trigger {
            name: "nightly".into(),
            period,
        };
        let terms = Terms {
            budgets: Budgets {
                project: Some(Money(1)),
                project_per: [(Period::Day, Money(2))].into(),
                providers: [("openai".into(), Money(3))].into(),
                triggers: [(("nightly".into(), Some(Period::Day)), Money(4))].into(),
            },
            ..Terms::default()
        };
        let per = |period| LedgerId::ProjectPeriod {
            period,
            day: "2026-05-01".into(),
        };
        let cases = [
            (LedgerId::Project, Some(1)),
            (per(Period::Day), Some(2)),
            (per(Period::Week), None),
            (LedgerId::Provider("openai".into()), Some(3)),
            (LedgerId::Provider("other".into()), None),
            (trigger(day), Some(4)),
            (trigger(None), None),
            (LedgerId::Run(RunId("r".into())), None),
        ];
        for (ledger, limit) in cases {
            assert_eq!(terms.limit(&ledger), limit.map(Money), "{ledger}");
        }
    }

    #[test]
    fn a_pool_that_is_not_set_is_like_the_others() {
        let mut terms = Terms::default();
        assert_eq!(terms.pool("gpu").slots, None);
        terms.pool_default.slots = Some(4);
        terms.pools.insert("gpu".into(), PoolTerms::default());
        assert_eq!(terms.pool("gpu").slots, None);
        assert_eq!(terms.pool("other").slots, Some(4));
    }
}
