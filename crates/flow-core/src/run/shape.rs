//! The shape of a plan: what a walk asks for all the time, looked up once.
//!
//! Blocks get dense numbers. Block 0 is not written in any plan: it holds the
//! workflow itself, so that every node is in a block.

use smallvec::SmallVec;

use crate::expr::Expr;
use crate::plan::{Block, Limits, NodeId, NodeKind, Plan};

/// A block of a plan.
#[derive(Debug, Clone)]
pub(super) struct BlockShape {
    /// Its nodes, in order.
    pub(super) nodes: Vec<NodeId>,
    /// Where its value comes from.
    pub(super) result: Yield,
    /// Whether it is what happens instead.
    pub(super) is_fallback: bool,
}

/// Where the value of a block comes from.
#[derive(Debug, Clone)]
pub(super) enum Yield {
    /// It has none.
    Nothing,
    /// It is that of one of its nodes, by position.
    Same(u32),
    /// It has to be computed, and that can fail.
    Computed(Expr),
}

/// A node of a plan.
#[derive(Debug, Clone)]
pub(super) struct NodeShape {
    /// The block that it is in.
    pub(super) block: u32,
    /// Its position there.
    pub(super) pos: u32,
    /// How many edges lead to it.
    pub(super) requires: u32,
    /// The positions of the nodes that wait for it, once for each edge.
    pub(super) successors: Vec<u32>,
    /// The blocks it owns, in the order of [`crate::plan::Node::blocks`], the
    /// fallback last.
    pub(super) blocks: SmallVec<[u32; 2]>,
    /// Whether the last of its blocks is a fallback.
    pub(super) has_fallback: bool,
    /// Whether it has limits that have to be computed first.
    pub(super) has_limits: bool,
    /// How many items and rounds its address has.
    pub(super) depth: u32,
    /// The nodes around it, itself included, that limit active time.
    pub(super) timed: Vec<NodeId>,
    /// The nodes around it, itself included, that have a budget.
    pub(super) budgeted: Vec<NodeId>,
}

/// All of a plan.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) blocks: Vec<BlockShape>,
    pub(super) nodes: Vec<NodeShape>,
}

/// The limits of a node: its own, and for a workflow those of its call.
pub(super) fn limits_of(kind: &NodeKind) -> SmallVec<[&Limits; 2]> {
    let mut out: SmallVec<[&Limits; 2]> = SmallVec::new();
    match kind {
        NodeKind::Value(_) | NodeKind::If(_) | NodeKind::Match(_) => {}
        NodeKind::Step(step) => out.push(&step.policies.limits),
        NodeKind::Workflow(workflow) => {
            out.push(&workflow.limits);
            out.push(&workflow.policies.limits);
        }
        NodeKind::For(each) => out.push(&each.limits),
        NodeKind::Repeat(repeat) => out.push(&repeat.limits),
        NodeKind::Race(race) => out.push(&race.limits),
        NodeKind::Parallel(parallel) => out.push(&parallel.limits),
    }
    out
}

impl Shape {
    /// Looks a plan over, in time linear in its size.
    pub(super) fn of(plan: &Plan) -> Self {
        let count = plan.graph.node_count();
        let mut shape = Self {
            blocks: vec![BlockShape {
                nodes: vec![NodeId(0)],
                result: Yield::Same(0),
                is_fallback: false,
            }],
            nodes: Vec::with_capacity(count),
        };
        // Where each node is: parents come before children, and number their
        // blocks before the children are looked at.
        let mut places = vec![(0_u32, 0_u32); count];
        for (id, node) in ids(plan) {
            let (block, pos) = places[id.0 as usize];
            let mut blocks = SmallVec::new();
            let kind = &node.kind;
            let has_fallback = node.has_fallback();
            let owned = node.blocks();
            for (at, (_, inner)) in owned.iter().enumerate() {
                let number = small(shape.blocks.len());
                for (pos, child) in inner.nodes.iter().enumerate() {
                    places[child.0 as usize] = (number, small(pos));
                }
                blocks.push(number);
                let is_fallback = has_fallback && at + 1 == owned.len();
                shape.blocks.push(block_shape(plan, inner, is_fallback));
            }
            let parent = node.parent.as_ref().map(|parent| parent.node);
            let own = limits_of(kind);
            let has = |some: fn(&Limits) -> bool| own.iter().any(|limits| some(limits));
            let (timed, budgeted) = shape.around(parent);
            let extend = |mut list: Vec<NodeId>, is: bool| {
                list.extend(is.then_some(id));
                list
            };
            let is_timed = has(|limits| limits.within.is_some());
            let is_budgeted = has(|limits| limits.budget.is_some());
            shape.nodes.push(NodeShape {
                block,
                pos,
                requires: 0,
                successors: Vec::new(),
                blocks,
                has_fallback,
                has_limits: is_timed || is_budgeted,
                depth: parent.map_or(0, |parent| {
                    shape.nodes[parent.0 as usize].depth + u32::from(plan.node(parent).repeats())
                }),
                timed: extend(timed, is_timed),
                budgeted: extend(budgeted, is_budgeted),
            });
        }
        for edge in plan.graph.raw_edges() {
            let (from, to) = (edge.source().index(), edge.target().index());
            let pos = shape.nodes[to].pos;
            shape.nodes[to].requires += 1;
            shape.nodes[from].successors.push(pos);
        }
        shape
    }

    fn around(&self, parent: Option<NodeId>) -> (Vec<NodeId>, Vec<NodeId>) {
        parent.map_or_else(Default::default, |parent| {
            let parent = self.node(parent);
            (parent.timed.clone(), parent.budgeted.clone())
        })
    }

    pub(super) fn node(&self, id: NodeId) -> &NodeShape {
        &self.nodes[id.0 as usize]
    }

    pub(super) fn block(&self, number: u32) -> &BlockShape {
        &self.blocks[number as usize]
    }
}

fn ids(plan: &Plan) -> impl Iterator<Item = (NodeId, &crate::plan::Node)> {
    let nodes = plan.graph.node_weights().enumerate();
    nodes.map(|(at, node)| (NodeId(small(at)), node))
}

fn block_shape(plan: &Plan, block: &Block, is_fallback: bool) -> BlockShape {
    let result = match &block.result {
        None => Yield::Nothing,
        Some(Expr::Node(id)) => {
            let pos = block.nodes.iter().position(|node| node == id);
            let is_stored = !matches!(plan.node(*id).kind, NodeKind::Value(_));
            match pos.filter(|_| is_stored) {
                Some(pos) => Yield::Same(small(pos)),
                None => Yield::Computed(Expr::Node(*id)),
            }
        }
        Some(expr) => Yield::Computed(expr.clone()),
    };
    BlockShape {
        nodes: block.nodes.clone(),
        result,
        is_fallback,
    }
}

/// A plan has at most a million nodes.
pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).expect("a plan has at most a million nodes and a list as many items")
}
