//! What an attempt needs, and the names of what is shared.

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
}
