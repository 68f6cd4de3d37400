//! The map of a plan: where each node is, and what it waits for.

use flow_core::address::At;
use flow_core::expr::Expr;
use flow_core::plan::{Block, Limits, NodeId, NodeKind, Plan};
use petgraph::Direction;
use petgraph::graph::NodeIndex;

/// A node in a plan.
pub(crate) struct Spot {
    pub(crate) parent: Option<NodeId>,
    /// Which block of the parent it is in.
    pub(crate) block: usize,
    /// How many items and rounds are in its address.
    pub(crate) depth: usize,
    /// What it waits for, in its block.
    pub(crate) requires: Vec<NodeId>,
}

pub(crate) struct Map {
    spots: Vec<Spot>,
}

impl Map {
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut spots: Vec<Spot> = Vec::new();
        for index in plan.graph.node_indices() {
            let id = NodeId(u32::try_from(index.index()).unwrap());
            let parent = plan.graph[index].parent.as_ref().map(|parent| parent.node);
            let depth = parent.map_or(0, |parent| {
                let owner = plan.node(parent);
                spots[parent.0 as usize].depth + usize::from(is_repeated(&owner.kind))
            });
            let block = parent.map_or(0, |parent| {
                let blocks = plan.node(parent).blocks();
                let own = |(_, block): &(Option<&str>, &Block)| block.nodes.contains(&id);
                blocks.iter().position(own).unwrap()
            });
            let before = plan.graph.neighbors_directed(index, Direction::Incoming);
            let requires = before
                .map(|from: NodeIndex<u32>| NodeId(u32::try_from(from.index()).unwrap()))
                .collect();
            spots.push(Spot {
                parent,
                block,
                depth,
                requires,
            });
        }
        Self { spots }
    }

    pub(crate) fn spot(&self, id: NodeId) -> &Spot {
        &self.spots[id.0 as usize]
    }

    /// The address of a node that is around an address, in the same block, or
    /// in a block of a node around it.
    pub(crate) fn near(&self, id: NodeId, at: &At) -> At {
        let depth = self.spot(id).depth;
        At::new(id, at.ords.iter().take(depth).copied())
    }

    /// The address of the owner of the block that an instance is in.
    pub(crate) fn owner(&self, at: &At) -> Option<At> {
        let parent = self.spot(at.node).parent?;
        Some(self.near(parent, at))
    }

    /// The address and everything around it, innermost first.
    pub(crate) fn around(&self, at: &At) -> Vec<At> {
        let mut around = vec![at.clone()];
        while let Some(owner) = self.owner(&around[around.len() - 1]) {
            around.push(owner);
        }
        around
    }

    /// Whether an instance is another one or inside of it.
    pub(crate) fn is_inside(&self, at: &At, of: &At) -> bool {
        let mut node = at.node;
        while node != of.node {
            let Some(parent) = self.spot(node).parent else {
                return false;
            };
            node = parent;
        }
        at.ords.starts_with(&of.ords)
    }
}

fn is_repeated(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::For(_) | NodeKind::Repeat(_))
}

/// Which of the blocks of a node is its fallback.
pub(crate) fn fallback(plan: &Plan, id: NodeId) -> Option<usize> {
    let node = plan.node(id);
    let has = match &node.kind {
        NodeKind::Step(step) => step.fallback.is_some(),
        NodeKind::Workflow(workflow) => workflow.fallback.is_some(),
        NodeKind::Race(race) => race.fallback.is_some(),
        NodeKind::Value(_)
        | NodeKind::If(_)
        | NodeKind::Match(_)
        | NodeKind::For(_)
        | NodeKind::Repeat(_)
        | NodeKind::Parallel(_) => false,
    };
    has.then(|| node.blocks().len() - 1)
}

/// The limits that are written at a node.
pub(crate) fn limits(plan: &Plan, id: NodeId) -> Vec<&Limits> {
    match &plan.node(id).kind {
        NodeKind::Value(_) | NodeKind::If(_) | NodeKind::Match(_) => Vec::new(),
        NodeKind::Step(step) => vec![&step.policies.limits],
        NodeKind::Workflow(workflow) => vec![&workflow.limits, &workflow.policies.limits],
        NodeKind::For(each) => vec![&each.limits],
        NodeKind::Repeat(repeat) => vec![&repeat.limits],
        NodeKind::Race(race) => vec![&race.limits],
        NodeKind::Parallel(parallel) => vec![&parallel.limits],
    }
}

/// Whether the value of a block has to be computed, and so leaves an event.
pub(crate) fn is_computed(plan: &Plan, block: &Block) -> bool {
    match &block.result {
        None => false,
        Some(Expr::Node(id)) => {
            let is_own = block.nodes.contains(id);
            !is_own || matches!(plan.node(*id).kind, NodeKind::Value(_))
        }
        Some(_) => true,
    }
}
