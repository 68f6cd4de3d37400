//! What of a plan is still ahead of a run: all that can't begin yet.

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use crate::address::At;
use crate::plan::{NodeId, NodeKind};

use super::Run;
use super::state::{CellId, FrameId, RegionPhase, RegionState, State};

/// A node that can't begin yet, with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// The instance; of several, the first.
    pub at: At,
    /// What it waits for, in its block.
    pub waits_for: Vec<NodeId>,
    /// How many instances of it there are; nothing if that has no bound.
    pub times: Option<u64>,
}

impl Run {
    /// Returns what can't begin yet, in the order of the plan where that is
    /// open.
    pub fn ahead(&self) -> Vec<Ahead> {
        let mut ahead = Vec::new();
        for frame in self.frames.ids() {
            if self.frames.get(frame).is_cut {
                continue;
            }
            for (pos, cell) in (0..).zip(&self.frames.get(frame).cells) {
                let id = CellId { frame, pos };
                match &cell.state {
                    State::Waiting => ahead.push(self.waiting(id)),
                    State::Region(region) if region.ending.is_none() => {
                        self.unopened(id, region, &mut ahead);
                    }
                    State::Region(_)
                    | State::Value(_)
                    | State::Step(_)
                    | State::Done(_)
                    | State::Failed(_)
                    | State::Blocked
                    | State::Cut => {}
                }
            }
        }
        ahead.sort_by(|one, other| one.at.cmp(&other.at));
        ahead
    }

    fn waiting(&self, cell: CellId) -> Ahead {
        let node = self.node_of(cell);
        let index = NodeIndex::<u32>::new(node.0 as usize);
        let before = self
            .plan
            .graph
            .neighbors_directed(index, Direction::Incoming);
        let before = before.filter_map(|index| Some(NodeId(u32::try_from(index.index()).ok()?)));
        let is_missing = |id: &NodeId| {
            let pos = self.shape.node(*id).pos;
            let state = &self.frames.cell(CellId { pos, ..cell }).state;
            !state.is_available()
        };
        let mut waits_for: Vec<NodeId> = before.filter(is_missing).collect();
        waits_for.sort_unstable();
        Ahead {
            at: self.at_of(cell),
            waits_for,
            times: Some(1),
        }
    }

    /// Adds the items and rounds that are not open yet.
    fn unopened(&self, cell: CellId, region: &RegionState, ahead: &mut Vec<Ahead>) {
        let (from, times) = match &region.phase {
            RegionPhase::Items(items) if items.next < items.count => {
                (items.next, Some(u64::from(items.count - items.next)))
            }
            RegionPhase::Body(frame) => match self.rounds_after(cell, *frame) {
                Some((round, times)) => (round, times),
                None => return,
            },
            RegionPhase::Items(_)
            | RegionPhase::Deciding
            | RegionPhase::Winning(..)
            | RegionPhase::Closing(_)
            | RegionPhase::Pausing(_)
            | RegionPhase::Resting => return,
        };
        if times == Some(0) {
            return;
        }
        let ords = &self.frames.get(cell.frame).ords;
        let block = self.shape.block(self.own_block(cell, 0));
        ahead.extend(block.nodes.iter().map(|node| Ahead {
            at: At::new(*node, ords.iter().copied().chain([from])),
            waits_for: Vec::new(),
            times,
        }));
    }

    /// Returns the next round of a `repeat`, and how many may follow.
    fn rounds_after(&self, cell: CellId, frame: FrameId) -> Option<(u32, Option<u64>)> {
        let NodeKind::Repeat(repeat) = self.kind_of(cell) else {
            return None;
        };
        let next = self.frames.get(frame).item? + 1;
        let left = repeat
            .rounds_max
            .map(|max| max.saturating_sub(u64::from(next)));
        Some((next, left))
    }
}
