//! A second try: what failed begins again, what succeeded stays.

use crate::amount::Duration;

use super::Run;
use super::state::{CellId, FrameId, RegionPhase, RegionState, State};
use super::stop::frames_of;
use super::walk::Task;

impl Run {
    pub(super) fn reopen(&mut self) {
        self.settled = None;
        // What begins again has tickets and keys of its own.
        self.generation += 1;
        for active in self.active.values_mut() {
            active.used = Duration(0);
        }
        let Some(root) = self.root else { return };
        let mut open = vec![root];
        // A frame is looked at before the frames in it, and counted after.
        let mut order = Vec::new();
        while let Some(id) = open.pop() {
            order.push(id);
            open.extend(self.reopen_frame(id));
        }
        for id in order.into_iter().rev() {
            self.recount(id);
        }
    }

    /// Begins again at what failed in a frame; returns the frames in it.
    fn reopen_frame(&mut self, id: FrameId) -> Vec<FrameId> {
        let generation = self.generation;
        let frame = self.frames.get_mut(id);
        frame.generation = generation;
        frame.is_cut = false;
        frame.has_cut = false;
        frame.is_broken = false;
        frame.failure = None;
        let count = super::shape::small(frame.cells.len());
        let mut inner = Vec::new();
        for pos in 0..count {
            let cell = CellId { frame: id, pos };
            match &mut self.frames.cell_mut(cell).state {
                State::Failed(failed) => match failed.region.take() {
                    Some(region) => inner.extend(self.reopen_region(cell, *region)),
                    None => self.set(cell, State::Waiting),
                },
                State::Blocked => self.set(cell, State::Waiting),
                State::Cut => match self.frames.get_mut(id).kept.remove(&pos) {
                    Some(region) => inner.extend(self.reopen_region(cell, *region)),
                    None => self.set(cell, State::Waiting),
                },
                State::Region(region) => inner.extend(frames_of(region)),
                State::Waiting | State::Value(_) | State::Step(_) | State::Done(_) => {}
            }
        }
        inner
    }

    fn reopen_region(&mut self, cell: CellId, region: RegionState) -> Vec<FrameId> {
        let phase = match region.phase {
            RegionPhase::Body(frame)
            | RegionPhase::Winning(frame, _)
            | RegionPhase::Closing(frame) => {
                if self.shape.block(self.frames.get(frame).block).is_fallback {
                    // What it was the fallback of is tried again.
                    self.free(frame);
                    self.set(cell, State::Waiting);
                    return Vec::new();
                }
                RegionPhase::Body(frame)
            }
            RegionPhase::Items(mut items) => {
                items.frames.append(&mut items.failed);
                RegionPhase::Items(items)
            }
            RegionPhase::Deciding | RegionPhase::Pausing(_) | RegionPhase::Resting => {
                self.set(cell, State::Waiting);
                return Vec::new();
            }
        };
        let region = RegionState {
            phase,
            ending: None,
            value: None,
            tries: 1,
            is_opened: region.is_opened,
            payload: region.payload,
        };
        let frames = frames_of(&region);
        self.set(cell, State::Region(Box::new(region)));
        frames
    }

    /// Counts again what a frame waits for, and readies what waits for nothing.
    fn recount(&mut self, id: FrameId) {
        let block = self.shape.block(self.frames.get(id).block).clone();
        let mut missing: Vec<u32> = block
            .nodes
            .iter()
            .map(|node| self.shape.node(*node).requires)
            .collect();
        for (pos, node) in (0..).zip(&block.nodes) {
            let cell = CellId { frame: id, pos };
            if self.frames.cell(cell).state.is_available() {
                for next in &self.shape.node(*node).successors {
                    missing[*next as usize] = missing[*next as usize].saturating_sub(1);
                }
            }
        }
        let mut open = 0;
        for (pos, missing) in (0..).zip(missing) {
            let cell = CellId { frame: id, pos };
            let found = self.frames.cell_mut(cell);
            found.missing = missing;
            open += u32::from(!found.state.is_settled());
            if missing == 0 && matches!(found.state, State::Waiting) {
                self.tasks.push_back(Task::Ready(cell));
            }
        }
        self.frames.get_mut(id).open = open;
        // A contender may have succeeded when nobody wanted it.
        let won = (0..).zip(&self.frames.get(id).cells);
        let won = won.filter(|(_, cell)| cell.state.is_available());
        if let Some(pos) = won.map(|(pos, _)| pos).next() {
            self.maybe_winning(CellId { frame: id, pos });
        }
        if open == 0 {
            self.tasks.push_back(Task::Rest(id));
        }
        if let Some(owner) = self.frames.get(id).owner
            && self.frames.get(id).item.is_some()
        {
            self.advance(owner);
        }
    }
}
