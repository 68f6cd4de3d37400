//! How many steps are still to come, as far as that is certain.

use crate::address::At;
use crate::amount::Money;
use crate::plan::{Block, NodeId, NodeKind, Plan};

use super::Run;
use super::state::{CellId, RegionPhase, State};

impl Plan {
    /// Counts for each node the steps that are certain when it begins: not those
    /// of arms that may not be taken, nor of items and rounds of which nobody
    /// knows how many there are.
    pub fn certain_steps(&self) -> Vec<u64> {
        let count = self.graph.node_count();
        let mut sizes = vec![0_u64; count];
        // A parent comes before its children.
        for number in (0..count).rev() {
            let id = NodeId(super::shape::small(number));
            let own = |block: &Block| in_block(&sizes, block);
            sizes[number] = match &self.node(id).kind {
                NodeKind::Step(_) => 1,
                NodeKind::Workflow(workflow) => own(&workflow.block),
                NodeKind::Race(race) => own(&race.block),
                NodeKind::Parallel(parallel) => own(&parallel.block),
                NodeKind::Value(_)
                | NodeKind::If(_)
                | NodeKind::Match(_)
                | NodeKind::For(_)
                | NodeKind::Repeat(_) => 0,
            };
        }
        sizes
    }
}

/// Returns how many steps of a block are certain.
pub fn in_block(sizes: &[u64], block: &Block) -> u64 {
    let nodes = block.nodes.iter();
    nodes.filter_map(|node| sizes.get(node.0 as usize)).sum()
}

impl Run {
    /// Counts the steps that are certain to come, those in progress included;
    /// `sizes` are those of its plan.
    pub fn steps_left(&self, sizes: &[u64]) -> u64 {
        let mut left = 0_u64;
        for frame in self.frames.ids() {
            for (pos, cell) in (0..).zip(&self.frames.get(frame).cells) {
                let cell_id = CellId { frame, pos };
                left = left.saturating_add(self.left_in(cell_id, &cell.state, sizes));
            }
        }
        left
    }

    fn left_in(&self, cell: CellId, state: &State, sizes: &[u64]) -> u64 {
        match state {
            State::Step(_) => 1,
            State::Waiting => {
                let node = self.node_of(cell);
                sizes.get(node.0 as usize).copied().unwrap_or(0)
            }
            State::Region(region) => match (&region.phase, self.kind_of(cell)) {
                (RegionPhase::Items(items), NodeKind::For(each)) => {
                    let unopened = u64::from(items.count.saturating_sub(items.next));
                    unopened.saturating_mul(in_block(sizes, &each.body))
                }
                // What is open is in frames of its own.
                _ => 0,
            },
            State::Value(_) | State::Done(_) | State::Failed(_) | State::Blocked | State::Cut => 0,
        }
    }

    /// Returns what all of it may cost, if that is limited by the run or its
    /// workflow.
    pub fn budget(&self) -> Option<Money> {
        let own = self.budgets.get(&At::root());
        let own = own.filter(|budget| budget.per.is_none());
        let own = own.map(|budget| budget.amount);
        [self.budget, own].into_iter().flatten().min()
    }
}
