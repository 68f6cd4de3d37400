//! A plan as a tree of parts in the order in which they can run: what
//! `flow plan` lists and `flow graph` draws.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::cost::paths;
use flow_core::effect::Effect;
use flow_core::expr::Expr;
use flow_core::plan::{Block, Edge, NodeId, NodeKind, PARALLEL_DEFAULT, Plan};
use flow_core::value::Value;

use crate::wording;

/// A node, with what is inside of it.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its node in the plan.
    pub(crate) id: NodeId,
    /// Its path, with `[*]` for any item.
    pub(crate) path: Arc<str>,
    /// Its own name.
    pub(crate) name: Arc<str>,
    /// What it is.
    pub(crate) kind: Kind,
    /// What it does: `gen.images`, `for shot in shots`.
    pub(crate) head: String,
    /// The strongest effect of it and of what is inside.
    pub(crate) effect: Effect,
    /// The pools it takes a slot of.
    pub(crate) pools: Vec<String>,
    /// What governs it.
    pub(crate) notes: Vec<String>,
    /// How many parts of its block must be done before it, in a row; from 0.
    pub(crate) level: usize,
    /// How many steps inside can run at once; 1 for a step.
    pub(crate) width: u64,
    /// What is inside.
    pub(crate) arms: Vec<Arm>,
}

/// The kinds of parts that look different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An expression under a name.
    Value,
    /// A step.
    Step,
    /// A call of a workflow, or a region.
    Region,
}

/// A block of a part.
#[derive(Debug)]
pub(crate) struct Arm {
    /// How it is told from the others: `then`, `else`, `noir`.
    pub(crate) name: Option<String>,
    /// Its parts, those that can start first before others.
    pub(crate) parts: Vec<Part>,
    /// Which part waits for which, by their positions in `parts`.
    pub(crate) edges: Vec<(usize, usize, Edge)>,
    /// The parts that its value is made of.
    pub(crate) gives: Vec<usize>,
    /// Its value, in words.
    pub(crate) result: Option<String>,
}

impl Part {
    /// Returns the outline of a plan: the workflow with all that is in it.
    pub(crate) fn of(plan: &Plan) -> Self {
        let paths = paths(plan);
        let mut edges: BTreeMap<u32, Vec<(u32, Edge)>> = BTreeMap::new();
        for edge in plan.graph.raw_edges() {
            let from = u32::try_from(edge.source().index()).unwrap_or(u32::MAX);
            let to = u32::try_from(edge.target().index()).unwrap_or(u32::MAX);
            edges.entry(to).or_default().push((from, edge.weight));
        }
        let outliner = Outliner { plan, paths, edges };
        outliner.part(NodeId(0), 0)
    }

    /// Calls a function with each part, those inside after the one around.
    pub(crate) fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Part)) {
        visit(self);
        for arm in &self.arms {
            for part in &arm.parts {
                part.each(visit);
            }
        }
    }

    /// Returns how many parts must be done one after the other, at least.
    pub(crate) fn levels(&self) -> usize {
        let arms = self.arms.iter();
        let levels = arms.map(|arm| arm.parts.iter().map(|part| part.level + 1).max());
        levels.flatten().max().unwrap_or(0)
    }
}

struct Outliner<'a> {
    plan: &'a Plan,
    paths: Vec<Arc<str>>,
    /// What each node waits for.
    edges: BTreeMap<u32, Vec<(u32, Edge)>>,
}

impl Outliner<'_> {
    fn part(&self, id: NodeId, level: usize) -> Part {
        let plan = self.plan;
        let node = plan.node(id);
        let arms: Vec<Arm> = (node.blocks().into_iter())
            .map(|(name, block)| self.arm(name, block))
            .collect();
        let (kind, effect, pools) = match &node.kind {
            NodeKind::Value(_) => (Kind::Value, node.effect, Vec::new()),
            NodeKind::Step(step) => {
                let pools = step.pools.iter().map(|pool| pool_name(plan, pool));
                (Kind::Step, step.effect, pools.collect())
            }
            NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => (Kind::Region, node.effect, Vec::new()),
        };
        Part {
            id,
            path: self.paths.get(id.0 as usize).cloned().unwrap_or_default(),
            name: node.name.clone(),
            kind,
            head: wording::head(plan, id),
            effect,
            pools,
            notes: wording::notes(plan, id),
            level,
            width: self.width(id, &arms),
            arms,
        }
    }

    fn arm(&self, name: Option<&str>, block: &Block) -> Arm {
        let levels = self.block_levels(block);
        let mut order: Vec<(usize, NodeId)> = levels.into_iter().zip(block.nodes.clone()).collect();
        // Stable: what can start together stays in the order of writing.
        order.sort_by_key(|(level, _)| *level);
        let at: BTreeMap<u32, usize> = (order.iter())
            .enumerate()
            .map(|(at, (_, id))| (id.0, at))
            .collect();
        let mut edges: Vec<(usize, usize, Edge)> = Vec::new();
        for (to, (_, id)) in order.iter().enumerate() {
            for (from, why) in self.edges.get(&id.0).into_iter().flatten() {
                edges.extend(at.get(from).map(|from| (*from, to, *why)));
            }
        }
        edges.sort_by_key(|(from, to, why)| (*from, *to, *why));
        // One line is enough where several reasons say the same.
        edges.dedup_by_key(|(from, to, _)| (*from, *to));
        let mut gives = Vec::new();
        if let Some(result) = &block.result {
            result.walk(&mut |expr| {
                if let Expr::Node(id) = expr {
                    gives.extend(at.get(&id.0).copied());
                }
            });
        }
        gives.sort_unstable();
        gives.dedup();
        Arm {
            name: name.map(str::to_owned),
            parts: (order.into_iter())
                .map(|(level, id)| self.part(id, level))
                .collect(),
            edges,
            gives,
            result: (block.result.as_ref()).map(|result| wording::expr(self.plan, result)),
        }
    }

    /// Returns, for each node of a block, the longest row of nodes before it.
    fn block_levels(&self, block: &Block) -> Vec<usize> {
        let at: BTreeMap<u32, usize> = (block.nodes.iter())
            .enumerate()
            .map(|(at, id)| (id.0, at))
            .collect();
        let before = |to: usize| -> Vec<usize> {
            let froms = self.edges.get(&block.nodes[to].0).into_iter().flatten();
            froms
                .filter_map(|(from, _)| at.get(from).copied())
                .collect()
        };
        let mut waiting: Vec<usize> = (0..block.nodes.len()).map(|to| before(to).len()).collect();
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); block.nodes.len()];
        for to in 0..block.nodes.len() {
            for from in before(to) {
                after[from].push(to);
            }
        }
        let mut levels = vec![0; block.nodes.len()];
        let mut ready: Vec<usize> = (0..waiting.len()).filter(|at| waiting[*at] == 0).collect();
        while let Some(from) = ready.pop() {
            for to in &after[from] {
                levels[*to] = levels[*to].max(levels[from] + 1);
                waiting[*to] -= 1;
                if waiting[*to] == 0 {
                    ready.push(*to);
                }
            }
        }
        levels
    }

    /// Returns how many steps can run at once, level by level.
    fn width(&self, id: NodeId, arms: &[Arm]) -> u64 {
        let widths = arms.iter().map(arm_width);
        match &self.plan.node(id).kind {
            NodeKind::Value(_) => 0,
            NodeKind::Step(_) => widths.max().unwrap_or(0).max(1),
            NodeKind::For(each) => {
                let open = if let Expr::Const(Value::Int(open)) = &each.parallel {
                    u64::try_from(*open).unwrap_or(1)
                } else {
                    u64::from(PARALLEL_DEFAULT)
                };
                let open = each.items_max.map_or(open, |items| items.min(open));
                widths.max().unwrap_or(0).saturating_mul(open)
            }
            NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => widths.max().unwrap_or(0),
        }
    }
}

fn arm_width(arm: &Arm) -> u64 {
    let mut levels: BTreeMap<usize, u64> = BTreeMap::new();
    for part in &arm.parts {
        let width = levels.entry(part.level).or_default();
        *width = width.saturating_add(part.width);
    }
    levels.into_values().max().unwrap_or(0)
}

/// A pool that is known by its name needs no quotes.
fn pool_name(plan: &Plan, pool: &Expr) -> String {
    if let Expr::Const(Value::Text(name)) = pool {
        name.to_string()
    } else {
        wording::expr(plan, pool)
    }
}
