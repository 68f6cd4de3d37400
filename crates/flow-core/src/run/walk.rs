//! The walk: what follows from a cell that is ready, settled or not wanted.
//!
//! Everything here is a consequence of an event, never a decision. There is no
//! recursion over the graph: consequences wait in a list.

use std::cell::OnceCell;

use crate::address::{At, Ticket};
use crate::event::Failure;
use crate::handle::Handle;
use crate::plan::{NodeId, NodeKind};
use crate::value::Value;

use super::Run;
use super::shape::{Yield, small};
use super::state::{
    Cell, CellId, Ending, FailedState, Frame, FrameId, RegionPhase, RegionState, State, StepState,
};

/// A consequence that waits for its turn.
#[derive(Debug, Clone)]
pub(super) enum Task {
    /// All that a cell requires is there.
    Ready(CellId),
    /// A cell has a value.
    Available(CellId),
    /// Nothing more happens in a cell.
    Settled(CellId),
    /// Nothing more happens in a frame.
    Rest(FrameId),
    /// A frame is not wanted any more.
    CutFrame(FrameId),
    /// A region ends when all in it has come to rest.
    Stop(CellId, Ending),
}

impl Run {
    pub(super) fn node_of(&self, cell: CellId) -> NodeId {
        let frame = self.frames.get(cell.frame);
        self.shape.block(frame.block).nodes[cell.pos as usize]
    }

    pub(super) fn at_of(&self, cell: CellId) -> At {
        At {
            node: self.node_of(cell),
            ords: self.frames.get(cell.frame).ords.clone(),
        }
    }

    pub(super) fn ticket_of(&self, cell: CellId, attempt: u32) -> Ticket {
        let taken_over = self.step(cell).and_then(|step| step.joined.as_ref());
        if let Some(ticket) = taken_over.filter(|ticket| ticket.attempt == attempt) {
            return ticket.clone();
        }
        Ticket {
            at: self.at_of(cell),
            generation: self.frames.get(cell.frame).generation,
            attempt,
        }
    }

    pub(super) fn kind_of(&self, cell: CellId) -> &NodeKind {
        &self.plan.node(self.node_of(cell)).kind
    }

    /// Finds a live cell by its address.
    pub(super) fn find(&self, at: &At) -> Option<CellId> {
        let mut chain: smallvec::SmallVec<[NodeId; 8]> = smallvec::smallvec![at.node];
        let mut node = self.plan.graph.node_weight(index(at.node))?;
        if self.shape.node(at.node).depth as usize != at.ords.len() {
            return None;
        }
        while let Some(parent) = &node.parent {
            chain.push(parent.node);
            node = self.plan.node(parent.node);
        }
        let mut frame = self.root?;
        let mut depth = 0;
        let mut cell = None;
        for id in chain.iter().rev() {
            let shape = self.shape.node(*id);
            if let Some(owner) = cell {
                frame = self.frame_in(owner, shape.block, at.ords.get(depth).copied())?;
                depth = self.frames.get(frame).ords.len();
            }
            cell = Some(CellId {
                frame,
                pos: shape.pos,
            });
        }
        cell
    }

    /// Returns the frame of a region that is of a block, and of an item.
    fn frame_in(&self, owner: CellId, block: u32, ord: Option<u32>) -> Option<FrameId> {
        let region = match &self.frames.cell(owner).state {
            State::Region(region) => region,
            State::Failed(failed) => failed.region.as_ref()?,
            State::Waiting
            | State::Value(_)
            | State::Step(_)
            | State::Done(_)
            | State::Blocked
            | State::Cut => return None,
        };
        let found = match &region.phase {
            RegionPhase::Body(frame)
            | RegionPhase::Winning(frame, _)
            | RegionPhase::Closing(frame) => Some(*frame),
            RegionPhase::Items(items) => {
                let ord = ord?;
                let open = items.frames.get(&ord).or_else(|| items.failed.get(&ord));
                open.copied()
            }
            RegionPhase::Deciding | RegionPhase::Pausing(_) | RegionPhase::Resting => None,
        }?;
        let frame = self.frames.get(found);
        let is_it = frame.block == block && frame.item.is_none_or(|item| Some(item) == ord);
        is_it.then_some(found)
    }

    /// Carries out all consequences.
    pub(super) fn settle_all(&mut self) {
        while let Some(task) = self.tasks.pop_front() {
            match task {
                Task::Ready(cell) => self.make_ready(cell),
                Task::Available(cell) => self.tell_successors(cell),
                Task::Settled(cell) => self.count_settled(cell),
                Task::Rest(frame) => self.come_to_rest(frame),
                Task::CutFrame(frame) => self.cut_frame(frame),
                Task::Stop(cell, ending) => self.stop_region(cell, ending),
            }
        }
        self.frames.recycle();
    }

    /// Makes an instance of a block, and readies what requires nothing.
    pub(super) fn open_frame(
        &mut self,
        block: u32,
        owner: Option<CellId>,
        item: Option<u32>,
    ) -> FrameId {
        let mut ords = owner.map_or_else(Default::default, |owner| {
            self.frames.get(owner.frame).ords.clone()
        });
        ords.extend(item);
        let nodes = &self.shape.block(block).nodes;
        let cells: Vec<Cell> = nodes
            .iter()
            .map(|id| Cell {
                missing: self.shape.node(*id).requires,
                state: State::Waiting,
            })
            .collect();
        let ready: Vec<u32> = (0..)
            .zip(&cells)
            .filter(|(_, cell)| cell.missing == 0)
            .map(|(pos, _)| pos)
            .collect();
        let open = small(cells.len());
        let frame = self.frames.insert(Frame {
            block,
            owner,
            item,
            ords,
            generation: self.generation,
            cells,
            kept: std::collections::BTreeMap::new(),
            open,
            is_broken: false,
            failure: None,
            has_cut: false,
            is_cut: false,
            state: None,
            subject: OnceCell::new(),
            args: OnceCell::new(),
        });
        let ready = ready
            .into_iter()
            .map(|pos| Task::Ready(CellId { frame, pos }));
        self.tasks.extend(ready);
        if open == 0 {
            self.tasks.push_back(Task::Rest(frame));
        }
        frame
    }

    fn make_ready(&mut self, cell: CellId) {
        if !matches!(self.frames.cell(cell).state, State::Waiting) {
            return;
        }
        if self.frames.get(cell.frame).is_cut {
            self.settle(cell, State::Cut);
            return;
        }
        let is_opened = !self.shape.node(self.node_of(cell)).has_limits;
        match self.kind_of(cell) {
            NodeKind::Value(_) => self.settle(cell, State::Value(OnceCell::new())),
            NodeKind::Step(_) => {
                let step = StepState::new(is_opened);
                self.set(cell, State::Step(Box::new(step)));
            }
            NodeKind::If(_) | NodeKind::Match(_) | NodeKind::For(_) | NodeKind::Repeat(_) => {
                let region = RegionState::new(RegionPhase::Deciding, is_opened);
                self.set(cell, State::Region(Box::new(region)));
            }
            NodeKind::Workflow(_) | NodeKind::Race(_) | NodeKind::Parallel(_) => {
                let region = RegionState::new(RegionPhase::Deciding, is_opened);
                if is_opened {
                    // Nothing to decide: the phase is set before it is seen.
                    let frame = self.open_frame(self.own_block(cell, 0), Some(cell), None);
                    let phase = RegionPhase::Body(frame);
                    let region = RegionState { phase, ..region };
                    self.set(cell, State::Region(Box::new(region)));
                } else {
                    self.set(cell, State::Region(Box::new(region)));
                }
            }
        }
    }

    /// Returns the number of a block that a cell's node owns.
    pub(super) fn own_block(&self, cell: CellId, at: usize) -> u32 {
        self.shape.node(self.node_of(cell)).blocks[at]
    }

    /// Gives a cell its last state, and tells whoever waits.
    pub(super) fn settle(&mut self, cell: CellId, state: State) {
        debug_assert!(state.is_settled(), "a last state");
        let was_available = self.frames.cell(cell).state.is_available();
        let is_available = state.is_available();
        self.set(cell, state);
        self.close_limits(cell);
        if is_available && !was_available {
            self.tasks.push_back(Task::Available(cell));
        }
        self.tasks.push_back(Task::Settled(cell));
    }

    fn tell_successors(&mut self, cell: CellId) {
        let node = self.node_of(cell);
        for at in 0..self.shape.node(node).successors.len() {
            let pos = self.shape.node(node).successors[at];
            let next = CellId { pos, ..cell };
            let found = self.frames.cell_mut(next);
            found.missing = found.missing.saturating_sub(1);
            if found.missing == 0 && matches!(found.state, State::Waiting) {
                self.tasks.push_back(Task::Ready(next));
            }
        }
        self.maybe_winning(cell);
    }

    /// A race may be decided.
    pub(super) fn maybe_winning(&mut self, cell: CellId) {
        let Some(owner) = self.frames.get(cell.frame).owner else {
            return;
        };
        let is_race = matches!(self.kind_of(owner), NodeKind::Race(_));
        let is_body = is_race && self.frames.get(cell.frame).block == self.own_block(owner, 0);
        let State::Region(region) = &self.frames.cell(owner).state else {
            return;
        };
        let is_open = region.value.is_none() && region.ending.is_none();
        if is_body && is_open && matches!(region.phase, RegionPhase::Body(_)) {
            self.edit_region(owner, |region| {
                region.phase = RegionPhase::Winning(cell.frame, cell.pos);
            });
        }
    }

    fn count_settled(&mut self, cell: CellId) {
        let state = &self.frames.cell(cell).state;
        let is_available = state.is_available();
        let is_cut = matches!(state, State::Cut);
        let is_failed = matches!(state, State::Failed(_));
        let frame = self.frames.get_mut(cell.frame);
        frame.open = frame.open.saturating_sub(1);
        frame.has_cut |= is_cut;
        frame.is_broken |= is_failed;
        let is_over = frame.open == 0;
        if !is_available {
            self.block_successors(cell);
        }
        if is_over {
            self.tasks.push_back(Task::Rest(cell.frame));
        }
    }

    fn block_successors(&mut self, cell: CellId) {
        let node = self.node_of(cell);
        for at in 0..self.shape.node(node).successors.len() {
            let pos = self.shape.node(node).successors[at];
            let next = CellId { pos, ..cell };
            if matches!(self.frames.cell(next).state, State::Waiting) {
                self.settle(next, State::Blocked);
            }
        }
    }

    fn come_to_rest(&mut self, id: FrameId) {
        if !self.frames.has(id) || self.frames.get(id).open > 0 {
            return;
        }
        let Some(owner) = self.frames.get(id).owner else {
            return;
        };
        let State::Region(region) = &self.frames.cell(owner).state else {
            return;
        };
        if matches!(region.phase, RegionPhase::Items(_)) {
            self.item_at_rest(owner, id);
        } else if let Some(value) = region.value.clone() {
            self.free(id);
            self.settle(owner, State::Done(value));
        } else if region.ending.is_some() {
            self.finish_ending(owner);
        } else if matches!(region.phase, RegionPhase::Winning(..)) {
            // Its winner is about to be named.
        } else {
            self.body_at_rest(owner, id);
        }
    }

    /// Returns whether all in a frame went well.
    pub(super) fn is_whole(&self, id: FrameId) -> bool {
        let frame = self.frames.get(id);
        !frame.is_broken && !frame.has_cut
    }

    fn body_at_rest(&mut self, owner: CellId, id: FrameId) {
        let block = self.frames.get(id).block;
        if matches!(self.kind_of(owner), NodeKind::Race(_)) && block == self.own_block(owner, 0) {
            // All contenders have failed; one that succeeded would have won.
            self.fail_or_close(owner, id);
            return;
        }
        if !self.is_whole(id) {
            self.fail_or_close(owner, id);
            return;
        }
        let is_repeat = matches!(self.kind_of(owner), NodeKind::Repeat(_));
        match &self.shape.block(block).result {
            _ if is_repeat => {
                self.edit_region(owner, |region| region.phase = RegionPhase::Closing(id));
            }
            Yield::Nothing => self.finish(owner, id, Handle::Small(Value::None)),
            Yield::Same(pos) => {
                let value = self.handle_in(CellId {
                    frame: id,
                    pos: *pos,
                });
                self.finish(owner, id, value);
            }
            Yield::Computed(_) => {
                self.edit_region(owner, |region| region.phase = RegionPhase::Closing(id));
            }
        }
    }

    /// Returns the handle of a cell that has one.
    pub(super) fn handle_in(&self, cell: CellId) -> Handle {
        match &self.frames.cell(cell).state {
            State::Done(handle) => handle.clone(),
            State::Region(region) => region.value.clone().unwrap_or(Handle::Small(Value::None)),
            State::Waiting
            | State::Value(_)
            | State::Step(_)
            | State::Failed(_)
            | State::Blocked
            | State::Cut => Handle::Small(Value::None),
        }
    }

    /// A region has its value, and its frame is dropped.
    pub(super) fn finish(&mut self, owner: CellId, frame: FrameId, value: Handle) {
        self.free(frame);
        self.settle(owner, State::Done(value));
    }

    /// A frame failed: something is done about it, or its owner fails too.
    fn fail_or_close(&mut self, owner: CellId, id: FrameId) {
        let frame = self.frames.get(id);
        let Some(failure) = failure_in(frame) else {
            self.cut_region(owner);
            return;
        };
        let is_first = !self.shape.block(frame.block).is_fallback && !frame.has_cut;
        if is_first && self.has_way_out(owner) {
            self.edit_region(owner, |region| region.phase = RegionPhase::Closing(id));
        } else {
            self.fail_region(owner, failure);
        }
    }

    /// Returns whether something may be done about the failure of a region.
    fn has_way_out(&self, cell: CellId) -> bool {
        let retries = match self.kind_of(cell) {
            NodeKind::Workflow(workflow) => workflow.policies.retry.is_some(),
            NodeKind::Value(_)
            | NodeKind::Step(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => false,
        };
        retries || self.shape.node(self.node_of(cell)).has_fallback
    }

    /// A region fails; what is in it is kept for a second try.
    pub(super) fn fail_region(&mut self, cell: CellId, failure: Failure) {
        let region = self.take_region(cell);
        self.settle(
            cell,
            State::Failed(Box::new(FailedState { failure, region })),
        );
    }

    /// A region isn't wanted; what is in it is kept for a second try, so that
    /// what was paid for, or has happened, isn't done again.
    pub(super) fn cut_region(&mut self, cell: CellId) {
        if let Some(region) = self.take_region(cell) {
            let frame = self.frames.get_mut(cell.frame);
            frame.kept.insert(cell.pos, region);
        }
        self.settle(cell, State::Cut);
    }

    fn take_region(&mut self, cell: CellId) -> Option<Box<RegionState>> {
        // It is taken out by hand, so what it asked for has to be, too.
        let before = self.wishes(cell);
        let mut region = None;
        if let State::Region(found) = &mut self.frames.cell_mut(cell).state {
            let resting = RegionState::new(RegionPhase::Resting, true);
            region = Some(std::mem::replace(found.as_mut(), resting));
        }
        self.compare(cell, &before);
        region.map(Box::new)
    }

    /// All in a region that was stopped has come to rest.
    pub(super) fn finish_ending(&mut self, cell: CellId) {
        let State::Region(region) = &self.frames.cell(cell).state else {
            return;
        };
        let Some(ending) = region.ending.clone() else {
            return;
        };
        let frame = match &region.phase {
            RegionPhase::Body(frame)
            | RegionPhase::Winning(frame, _)
            | RegionPhase::Closing(frame) => Some(*frame),
            RegionPhase::Deciding
            | RegionPhase::Items(_)
            | RegionPhase::Pausing(_)
            | RegionPhase::Resting => None,
        };
        match (ending, frame) {
            (Ending::Fail(_), Some(frame))
                if self.has_way_out(cell)
                    && !self.shape.block(self.frames.get(frame).block).is_fallback =>
            {
                self.edit_region(cell, |region| region.phase = RegionPhase::Closing(frame));
            }
            (Ending::Fail(failure), _) => self.fail_region(cell, failure),
            (Ending::Cut, _) => self.cut_region(cell),
        }
    }
}

/// Returns the failure of a frame. Of several, the first in the order of
/// writing speaks for all.
pub(super) fn failure_in(frame: &Frame) -> Option<Failure> {
    let failed = frame.cells.iter().find_map(|cell| match &cell.state {
        State::Failed(failed) => Some(failed.failure.clone()),
        State::Waiting
        | State::Value(_)
        | State::Step(_)
        | State::Region(_)
        | State::Done(_)
        | State::Blocked
        | State::Cut => None,
    });
    frame.failure.clone().or(failed)
}

fn index(id: NodeId) -> petgraph::graph::NodeIndex<u32> {
    petgraph::graph::NodeIndex::new(id.0 as usize)
}
