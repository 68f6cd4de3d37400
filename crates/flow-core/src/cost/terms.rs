//! The formula of a cost as a flat list, for people.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use super::{Cost, Total, Unbounded, What, Why};
use crate::amount::Money;
use crate::plan::{NodeId, Period};

/// What one call adds to the worst case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The call.
    pub node: NodeId,
    /// Where it is: `music_video/stills[*]/drafts`.
    pub path: Arc<str>,
    /// What one attempt costs at most, if that is bounded.
    pub unit: Option<Money>,
    /// How that comes about: `$0.04 × count ≤ 8`.
    pub reason: Arc<str>,
    /// How often it happens, the innermost first.
    pub factors: Vec<(Option<u64>, Why)>,
    /// The product, if it is bounded.
    pub amount: Option<Money>,
    /// Whether it is in an arm that isn't the dearest, so that it doesn't count.
    pub is_alternative: bool,
}

impl fmt::Display for Term {
    /// Writes `$0.04 × count ≤ 8 × 3 attempts × 24 items`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.unit, &*self.reason) {
            (Some(unit), "") => write!(f, "{unit}")?,
            (None, "") => f.write_str("an unknown price")?,
            (_, reason) => f.write_str(reason)?,
        }
        for (factor, why) in &self.factors {
            match factor {
                Some(factor) => write!(f, " × {factor} {why}")?,
                None => write!(f, " × any number of {why}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attempts => "attempts",
            Self::Items => "items",
            Self::Rounds => "rounds",
        })
    }
}

impl fmt::Display for Unbounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Price => write!(f, "the price of `{}` has no bound", self.path),
            What::Count(why) => write!(f, "the number of {why} of `{}` has no bound", self.path),
        }
    }
}

impl fmt::Display for Total {
    /// Writes `$2.50`, or `unbounded`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(amount) => amount.fmt(f),
            Self::Unbounded(_) => f.write_str("unbounded"),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        })
    }
}

/// How dear something is; what is unbounded is dearer than any amount.
type Rank = (bool, Money);

impl Cost {
    /// Returns the calls that the worst case is made of, the dearest first.
    ///
    /// The amounts of those that are no alternatives add up to the total.
    pub fn terms(&self) -> Vec<Term> {
        let mut terms = Vec::new();
        self.collect(&mut Vec::new(), &mut terms);
        terms.sort_by(|a, b| {
            let key = |term: &Term| (term.is_alternative, Reverse(rank(term)));
            key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path))
        });
        terms
    }

    /// Adds its terms under the factors around it, and returns how dear it is.
    fn collect(&self, factors: &mut Vec<(Option<u64>, Why)>, terms: &mut Vec<Term>) -> Rank {
        match self {
            Self::Nothing => (false, Money(0)),
            Self::Leaf(leaf) => {
                let amount = leaf.unit.and_then(|unit| {
                    factors.iter().try_fold(unit, |product, (factor, _)| {
                        factor.map(|factor| product.saturating_times(factor))
                    })
                });
                let term = Term {
                    node: leaf.node,
                    path: leaf.path.clone(),
                    unit: leaf.unit,
                    reason: leaf.reason.clone(),
                    factors: factors.iter().rev().copied().collect(),
                    amount,
                    is_alternative: false,
                };
                let rank = rank(&term);
                terms.push(term);
                rank
            }
            Self::Times(times) => {
                factors.push((times.factor, times.why));
                let rank = times.inner.collect(factors, terms);
                factors.pop();
                rank
            }
            Self::Limited(limited) => limited.inner.collect(factors, terms),
            Self::Sum(parts) => parts.iter().fold((false, Money(0)), |sum, part| {
                let rank = part.collect(factors, terms);
                (sum.0 || rank.0, sum.1.saturating_add(rank.1))
            }),
            Self::Most(arms) => {
                let mut dearest = (false, Money(0));
                let mut kept = terms.len()..terms.len();
                for arm in arms {
                    let start = terms.len();
                    let rank = arm.collect(factors, terms);
                    // The first of equals is the one that counts.
                    let loser = if rank > dearest || kept.is_empty() {
                        dearest = rank;
                        std::mem::replace(&mut kept, start..terms.len())
                    } else {
                        start..terms.len()
                    };
                    for term in &mut terms[loser] {
                        term.is_alternative = true;
                    }
                }
                dearest
            }
        }
    }
}

fn rank(term: &Term) -> Rank {
    (term.amount.is_none(), term.amount.unwrap_or_default())
}
