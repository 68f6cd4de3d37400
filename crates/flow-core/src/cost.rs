//! What a plan can cost at most: a formula, its total and its terms.
//!
//! The worst case counts everything that may be asked for: all attempts, all
//! items and rounds, every contender, a call and its fallback, the dearer arm.
//! Budgets don't change the formula; they cap what is paid, which is another
//! total.

use std::sync::Arc;

use crate::amount::Money;
use crate::expr::Expr;
use crate::plan::{
    ATTEMPTS_DEFAULT, Block, Budget, Limits, NodeId, NodeKind, Period, Plan, Policies, Retry, Step,
};
use crate::value::Value;

mod budget;
mod terms;
#[cfg(test)]
mod tests;

pub use budget::{OverBudget, over_budget};
pub use terms::Term;

/// What something costs at most.
#[derive(Debug, Clone, PartialEq)]
pub enum Cost {
    /// Nothing.
    Nothing,
    /// One attempt of a call.
    Leaf(Leaf),
    /// Something, several times.
    Times(Times),
    /// All of these.
    Sum(Vec<Cost>),
    /// One of these.
    Most(Vec<Cost>),
    /// Something under a constant budget.
    Limited(Limited),
}

/// One attempt of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The call.
    pub node: NodeId,
    /// Where it is: `music_video/stills[*]/drafts`.
    pub path: Arc<str>,
    /// What it costs at most, if that is bounded.
    pub unit: Option<Money>,
    /// How that comes about, for people.
    pub reason: Arc<str>,
}

/// Something, several times.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// Where this is decided.
    pub path: Arc<str>,
    /// How often at most, if that is bounded.
    pub factor: Option<u64>,
    /// What makes it several.
    pub why: Why,
    /// What happens each time.
    pub inner: Box<Cost>,
}

/// Something under a constant budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Limited {
    /// The node with the budget.
    pub node: NodeId,
    /// Where it is.
    pub path: Arc<str>,
    /// The budget.
    pub budget: Money,
    /// Its period; without one, it is for this run.
    pub per: Option<Period>,
    /// What it limits.
    pub inner: Box<Cost>,
}

/// What makes something happen several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Attempts of a call.
    Attempts,
    /// Items of a `for`.
    Items,
    /// Rounds of a `repeat`.
    Rounds,
}

/// The most that something can cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Total {
    /// So much.
    Known(Money),
    /// There is no bound, for these reasons.
    Unbounded(Vec<Unbounded>),
}

/// A reason why there is no bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unbounded {
    /// Where.
    pub path: Arc<str>,
    /// What is unbounded there.
    pub what: What,
}

/// What can be unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The price of an attempt.
    Price,
    /// How often something happens.
    Count(Why),
}

/// Whether budgets cap a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caps {
    Ignored,
    Applied,
}

/// Returns what a plan can cost at most, in time linear in its nodes.
pub fn cost(plan: &Plan) -> Cost {
    let paths = paths(plan);
    let mut costs = vec![Cost::Nothing; paths.len()];
    // Children come after their parents.
    for at in (0..paths.len()).rev() {
        let id = NodeId(u32::try_from(at).unwrap_or(u32::MAX));
        let place = Place {
            node: id,
            path: &paths[at],
        };
        costs[at] = of_node(plan, &place, &mut costs);
    }
    costs.into_iter().next().unwrap_or(Cost::Nothing)
}

/// Computes what parts of a plan can cost at most.
#[derive(Debug)]
pub struct Costing<'a> {
    plan: &'a Plan,
    paths: Vec<Arc<str>>,
    costs: Vec<Cost>,
}

impl<'a> Costing<'a> {
    /// Begins to compute, for a plan.
    pub fn new(plan: &'a Plan) -> Self {
        let paths = paths(plan);
        Self {
            plan,
            costs: vec![Cost::Nothing; paths.len()],
            paths,
        }
    }

    /// Returns the path of a node, with `[*]` for any item or round.
    pub fn path(&self, id: NodeId) -> &Arc<str> {
        &self.paths[id.0 as usize]
    }

    /// Returns what a node and all that is in it can cost at most, in time
    /// linear in what is in it.
    pub fn of(&mut self, id: NodeId) -> Cost {
        let mut all = vec![id];
        let mut next = 0;
        while let Some(id) = all.get(next) {
            let blocks = self.plan.node(*id).blocks();
            all.extend(blocks.into_iter().flat_map(|(_, block)| &block.nodes));
            next += 1;
        }
        // Those that are inside come after what they are in.
        for id in all.into_iter().rev() {
            let at = id.0 as usize;
            let place = Place {
                node: id,
                path: &self.paths[at],
            };
            self.costs[at] = of_node(self.plan, &place, &mut self.costs);
        }
        std::mem::replace(&mut self.costs[id.0 as usize], Cost::Nothing)
    }

    /// Returns what a call can cost at most whose attempts cost so much each;
    /// what happens instead if it fails is counted, too.
    pub fn of_call(&mut self, id: NodeId, attempt: Money) -> Cost {
        let NodeKind::Step(step) = &self.plan.node(id).kind else {
            return Cost::Nothing;
        };
        let own = if attempt > Money(0) {
            let path = self.paths[id.0 as usize].clone();
            let place = Place {
                node: id,
                path: &path,
            };
            let leaf = Cost::Leaf(Leaf {
                node: id,
                path: path.clone(),
                unit: Some(attempt),
                reason: Arc::default(),
            });
            times(leaf, attempts_of(&step.policies), Why::Attempts, &place)
        } else {
            Cost::Nothing
        };
        let instead = step.fallback.iter().flat_map(|block| &block.nodes);
        let instead: Vec<Cost> = instead.map(|id| self.of(*id)).collect();
        sum(std::iter::once(own).chain(instead))
    }
}

impl Cost {
    /// Returns all of several costs together.
    pub fn sum(costs: impl IntoIterator<Item = Self>) -> Self {
        sum(costs)
    }

    /// Returns it so many times; nothing if that has no bound.
    #[must_use]
    pub fn times(self, factor: Option<u64>, path: &Arc<str>) -> Self {
        let node = NodeId(0);
        times(self, factor, Why::Items, &Place { node, path })
    }
}

/// Returns the path of each node, with `[*]` for any item or round.
pub fn paths(plan: &Plan) -> Vec<Arc<str>> {
    let mut paths: Vec<Arc<str>> = Vec::with_capacity(plan.graph.node_count());
    for node in plan.graph.node_weights() {
        let path = match &node.parent {
            None => node.name.clone(),
            Some(parent) => {
                let mut path = paths
                    .get(parent.node.0 as usize)
                    .map_or_else(String::new, ToString::to_string);
                if plan.node(parent.node).repeats() {
                    path.push_str("[*]");
                }
                for part in parent.arm.iter().chain([&node.name]) {
                    path.extend(["/", part]);
                }
                path.into()
            }
        };
        paths.push(path);
    }
    paths
}

struct Place<'a> {
    node: NodeId,
    path: &'a Arc<str>,
}

fn of_node(plan: &Plan, place: &Place<'_>, costs: &mut [Cost]) -> Cost {
    match &plan.node(place.node).kind {
        NodeKind::Value(_) => Cost::Nothing,
        NodeKind::Step(step) => {
            let own = limited(of_step(step, place), &step.policies.limits, place);
            sum([own, of_block(step.fallback.as_ref(), costs)])
        }
        NodeKind::Workflow(workflow) => {
            let inside = of_block(Some(&workflow.block), costs);
            let inside = limited(inside, &workflow.limits, place);
            let own = match &workflow.policies.retry {
                Some(retry) => times(inside, attempts(retry), Why::Attempts, place),
                None => inside,
            };
            let own = limited(own, &workflow.policies.limits, place);
            sum([own, of_block(workflow.fallback.as_ref(), costs)])
        }
        NodeKind::If(choice) => {
            let then = of_block(Some(&choice.then), costs);
            most([then, of_block(choice.otherwise.as_ref(), costs)])
        }
        NodeKind::Match(choice) => {
            let arms = choice.arms.iter();
            most(arms.map(|arm| of_block(Some(&arm.block), costs)))
        }
        NodeKind::For(each) => {
            let factor = each.items_max.or_else(|| constant(each.max.as_ref()?));
            let body = of_block(Some(&each.body), costs);
            limited(times(body, factor, Why::Items, place), &each.limits, place)
        }
        NodeKind::Repeat(repeat) => {
            let factor = repeat.rounds_max.or_else(|| constant(&repeat.max));
            let body = of_block(Some(&repeat.body), costs);
            limited(
                times(body, factor, Why::Rounds, place),
                &repeat.limits,
                place,
            )
        }
        NodeKind::Race(race) => {
            let own = limited(of_block(Some(&race.block), costs), &race.limits, place);
            sum([own, of_block(race.fallback.as_ref(), costs)])
        }
        NodeKind::Parallel(parallel) => limited(
            of_block(Some(&parallel.block), costs),
            &parallel.limits,
            place,
        ),
    }
}

/// A call without a price is free; one whose price has no bound isn't.
fn of_step(step: &Step, place: &Place<'_>) -> Cost {
    let Some(price) = &step.price else {
        return Cost::Nothing;
    };
    if price.bound.is_some_and(|bound| bound <= Money(0)) {
        return Cost::Nothing;
    }
    let leaf = Cost::Leaf(Leaf {
        node: place.node,
        path: place.path.clone(),
        unit: price.bound,
        reason: price.reason.clone(),
    });
    let factor = attempts_of(&step.policies);
    times(leaf, factor, Why::Attempts, place)
}

fn attempts_of(policies: &Policies) -> Option<u64> {
    match &policies.retry {
        Some(retry) => attempts(retry),
        None => Some(u64::from(ATTEMPTS_DEFAULT)),
    }
}

fn attempts(retry: &Retry) -> Option<u64> {
    retry
        .attempts_max
        .map(u64::from)
        .or_else(|| constant(&retry.attempts))
}

fn constant(expr: &Expr) -> Option<u64> {
    if let Expr::Const(Value::Int(number)) = expr {
        u64::try_from(*number).ok()
    } else {
        None
    }
}

fn of_block(block: Option<&Block>, costs: &mut [Cost]) -> Cost {
    let nodes = block.map_or(&[][..], |block| &block.nodes);
    sum(nodes.iter().filter_map(|id| {
        let cost = costs.get_mut(id.0 as usize)?;
        Some(std::mem::replace(cost, Cost::Nothing))
    }))
}

fn sum(costs: impl IntoIterator<Item = Cost>) -> Cost {
    several(costs, Cost::Sum)
}

fn most(costs: impl IntoIterator<Item = Cost>) -> Cost {
    several(costs, Cost::Most)
}

fn several(costs: impl IntoIterator<Item = Cost>, make: fn(Vec<Cost>) -> Cost) -> Cost {
    let costs = costs.into_iter().filter(|cost| *cost != Cost::Nothing);
    let mut costs: Vec<_> = costs.collect();
    match costs.len() {
        0 => Cost::Nothing,
        1 => costs.remove(0),
        _ => make(costs),
    }
}

fn times(inner: Cost, factor: Option<u64>, why: Why, place: &Place<'_>) -> Cost {
    match (inner, factor) {
        (Cost::Nothing, _) | (_, Some(0)) => Cost::Nothing,
        (inner, Some(1)) => inner,
        (inner, factor) => Cost::Times(Times {
            path: place.path.clone(),
            factor,
            why,
            inner: Box::new(inner),
        }),
    }
}

fn limited(inner: Cost, limits: &Limits, place: &Place<'_>) -> Cost {
    let Some(Budget {
        amount: Expr::Const(Value::Money(budget)),
        per,
        ..
    }) = &limits.budget
    else {
        return inner;
    };
    if inner == Cost::Nothing {
        return inner;
    }
    Cost::Limited(Limited {
        node: place.node,
        path: place.path.clone(),
        budget: *budget,
        per: *per,
        inner: Box::new(inner),
    })
}

impl Cost {
    /// Returns the most that can be asked for.
    pub fn total(&self) -> Total {
        self.total_with(Caps::Ignored)
    }

    /// Returns the most that can be paid under the constant budgets on the way.
    ///
    /// A budget of a period is no cap: a run may outlast the period.
    pub fn total_capped(&self) -> Total {
        self.total_with(Caps::Applied)
    }

    fn total_with(&self, caps: Caps) -> Total {
        let mut open = Vec::new();
        let known = self.measure(caps, &mut open);
        if open.is_empty() {
            return Total::Known(known);
        }
        open.sort();
        open.dedup();
        Total::Unbounded(open)
    }

    /// Adds up what is known and notes what is unbounded.
    fn measure(&self, caps: Caps, open: &mut Vec<Unbounded>) -> Money {
        let before = open.len();
        match self {
            Self::Nothing => Money(0),
            Self::Leaf(leaf) => leaf.unit.unwrap_or_else(|| {
                open.push(Unbounded {
                    path: leaf.path.clone(),
                    what: What::Price,
                });
                Money(0)
            }),
            Self::Times(times) => {
                let once = times.inner.measure(caps, open);
                let Some(factor) = times.factor else {
                    open.push(Unbounded {
                        path: times.path.clone(),
                        what: What::Count(times.why),
                    });
                    return once;
                };
                once.saturating_times(factor)
            }
            Self::Sum(parts) => parts.iter().fold(Money(0), |sum, part| {
                sum.saturating_add(part.measure(caps, open))
            }),
            Self::Most(arms) => {
                let costs = arms.iter().map(|arm| arm.measure(caps, open));
                costs.max().unwrap_or_default()
            }
            Self::Limited(limited) => {
                let inside = limited.inner.measure(caps, open);
                if caps == Caps::Ignored || limited.per.is_some() {
                    return inside;
                }
                let unbounded = open.len() > before;
                open.truncate(before);
                if unbounded {
                    limited.budget
                } else {
                    inside.min(limited.budget)
                }
            }
        }
    }
}
