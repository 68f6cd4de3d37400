//! Budgets that the worst case doesn't fit into.

use std::sync::Arc;

use super::{Cost, Term, Total, cost};
use crate::amount::Money;
use crate::plan::{NodeId, Period, Plan};

/// A budget that the worst case under it doesn't fit into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverBudget {
    /// The node with the budget.
    pub node: NodeId,
    /// Where it is.
    pub path: Arc<str>,
    /// The budget.
    pub budget: Money,
    /// Its period; without one, it is for this run.
    pub per: Option<Period>,
    /// What can be asked for under it.
    pub total: Total,
    /// The dearest calls under it, at most three.
    pub biggest: Vec<Term>,
}

/// Returns the constant budgets of a plan that its worst case doesn't fit into,
/// the outermost first.
pub fn over_budget(plan: &Plan) -> Vec<OverBudget> {
    let mut found = Vec::new();
    cost(plan).collect_over(&mut found);
    found
}

impl Cost {
    fn collect_over(&self, found: &mut Vec<OverBudget>) {
        match self {
            Self::Nothing | Self::Leaf(_) => {}
            Self::Times(times) => times.inner.collect_over(found),
            Self::Sum(parts) | Self::Most(parts) => {
                for part in parts {
                    part.collect_over(found);
                }
            }
            Self::Limited(limited) => {
                let total = limited.inner.total();
                let fits = matches!(total, Total::Known(amount) if amount <= limited.budget);
                if !fits {
                    let mut biggest = limited.inner.terms();
                    biggest.retain(|term| !term.is_alternative);
                    biggest.truncate(3);
                    found.push(OverBudget {
                        node: limited.node,
                        path: limited.path.clone(),
                        budget: limited.budget,
                        per: limited.per,
                        total,
                        biggest,
                    });
                }
                limited.inner.collect_over(found);
            }
        }
    }
}
