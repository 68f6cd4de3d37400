//! A second try: what failed begins again, what succeeded stays.
//!
//! It can be asked for one instance alone: then that begins again, and what it
//! has blocked; what else failed stays failed.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::address::At;
use crate::amount::Duration;
use crate::plan::NodeId;

use super::Run;
use super::state::{CellId, FrameId, RegionPhase, RegionState, State};
use super::stop::frames_of;
use super::walk::Task;

/// Which cells of a frame begin again.
#[derive(Debug, Clone)]
enum Which {
    /// All that failed, was blocked or was cut.
    All,
    /// Only what leads to the last of these, the outermost first, or to an item
    /// of it.
    Way(Vec<CellId>, Option<u32>),
}

impl Run {
    pub(super) fn reopen(&mut self, at: Option<&At>, item: Option<u32>) {
        let Some(root) = self.root else { return };
        let which = match at {
            None => Which::All,
            Some(at) => match self.way_to(at) {
                Some(way) => Which::Way(way, item),
                None => return,
            },
        };
        self.settled = None;
        // What begins again has tickets and keys of its own.
        self.generation += 1;
        for active in self.active.values_mut() {
            active.used = Duration(0);
            active.is_over = false;
        }
        let mut open = vec![(root, which)];
        // A frame is looked at before the frames in it, and counted after.
        let mut order = Vec::new();
        while let Some((id, which)) = open.pop() {
            order.push(id);
            open.extend(match which {
                Which::All => {
                    let inner = self.reopen_frame(id).into_iter();
                    inner.map(|id| (id, Which::All)).collect()
                }
                Which::Way(way, item) => self.reopen_on_way(id, &way, item),
            });
        }
        for id in order.into_iter().rev() {
            self.recount(id);
        }
    }

    /// Returns the cells that lead to an instance, the outermost first, also
    /// through what was given up.
    pub(super) fn way_to(&self, at: &At) -> Option<Vec<CellId>> {
        let node = self.shape.nodes.get(at.node.0 as usize)?;
        if node.depth as usize != at.ords.len() {
            return None;
        }
        let mut chain: SmallVec<[NodeId; 8]> = smallvec::smallvec![at.node];
        while let Some(parent) = &self.plan.node(*chain.last()?).parent {
            chain.push(parent.node);
        }
        let mut way: Vec<CellId> = Vec::with_capacity(chain.len());
        for id in chain.iter().rev() {
            let shape = self.shape.node(*id);
            let frame = match way.last() {
                None => self.root?,
                Some(owner) => self.kept_frame(*owner, shape.block, at)?,
            };
            let pos = shape.pos;
            way.push(CellId { frame, pos });
        }
        Some(way)
    }

    /// Returns the frame of a region in which an instance is, also if the region
    /// has failed or was cut.
    fn kept_frame(&self, owner: CellId, block: u32, at: &At) -> Option<FrameId> {
        let ord = at
            .ords
            .get(self.frames.get(owner.frame).ords.len())
            .copied();
        self.kept_frames(owner).into_iter().find(|id| {
            let inner = self.frames.get(*id);
            inner.block == block && inner.item.is_none_or(|item| Some(item) == ord)
        })
    }

    /// Returns the frame of an item or round of a region that has failed or was
    /// cut, if that item isn't done.
    pub(super) fn kept_item(&self, owner: CellId, item: u32) -> Option<FrameId> {
        let mut frames = self.kept_frames(owner).into_iter();
        frames.find(|id| self.frames.get(*id).item == Some(item))
    }

    fn kept_frames(&self, owner: CellId) -> Vec<FrameId> {
        let region = match &self.frames.cell(owner).state {
            State::Region(region) => Some(region.as_ref()),
            State::Failed(failed) => failed.region.as_deref(),
            State::Cut => {
                let kept = &self.frames.get(owner.frame).kept;
                kept.get(&owner.pos).map(Box::as_ref)
            }
            State::Waiting | State::Value(_) | State::Step(_) | State::Done(_) | State::Blocked => {
                None
            }
        };
        region.map(frames_of).unwrap_or_default()
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
            inner.extend(self.reopen_cell(CellId { frame: id, pos }));
        }
        inner
    }

    /// Begins again at a cell, if it failed; returns the frames in it.
    fn reopen_cell(&mut self, cell: CellId) -> Vec<FrameId> {
        match &mut self.frames.cell_mut(cell).state {
            State::Failed(failed) => match failed.region.take() {
                Some(region) => return self.reopen_region(cell, *region),
                None => self.set(cell, State::Waiting),
            },
            State::Blocked => self.set(cell, State::Waiting),
            State::Cut => match self.frames.get_mut(cell.frame).kept.remove(&cell.pos) {
                Some(region) => return self.reopen_region(cell, *region),
                None => self.set(cell, State::Waiting),
            },
            State::Region(region) => return frames_of(region),
            State::Waiting | State::Value(_) | State::Step(_) | State::Done(_) => {}
        }
        Vec::new()
    }

    fn reopen_region(&mut self, cell: CellId, region: RegionState) -> Vec<FrameId> {
        let phase = match region.phase {
            RegionPhase::Body(frame)
            | RegionPhase::Winning(frame, _)
            | RegionPhase::Closing(frame) => {
                let is_fallback = self.shape.block(self.frames.get(frame).block).is_fallback;
                if is_fallback && !self.has_acts_inside(cell) {
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

    /// Returns whether blocks of a cell's node may act: what happened in them is
    /// not to happen again, so a fallback goes on where it failed.
    fn has_acts_inside(&self, cell: CellId) -> bool {
        let blocks = &self.shape.node(self.node_of(cell)).blocks;
        let mut nodes = blocks.iter().flat_map(|id| &self.shape.block(*id).nodes);
        nodes.any(|id| self.plan.node(*id).effect.acts())
    }

    // One instance alone.

    /// Begins again on the way to one instance; returns the frames in it.
    fn reopen_on_way(
        &mut self,
        id: FrameId,
        way: &[CellId],
        item: Option<u32>,
    ) -> Vec<(FrameId, Which)> {
        let Some(at) = way.iter().position(|cell| cell.frame == id) else {
            return Vec::new();
        };
        let cell = way[at];
        let rest = &way[at + 1..];
        let kept = item.and_then(|item| self.kept_item(cell, item));
        let inner = match (rest.first(), kept) {
            (Some(next), _) => {
                self.reopen_around(cell, next.frame, Which::Way(rest.to_vec(), item))
            }
            (None, Some(frame)) => self.reopen_around(cell, frame, Which::All),
            (None, None) => {
                let inner = self.reopen_cell(cell).into_iter();
                inner.map(|id| (id, Which::All)).collect()
            }
        };
        self.unblock(cell);
        let generation = self.generation;
        let frame = self.frames.get_mut(id);
        frame.generation = generation;
        frame.is_cut = false;
        frame.failure = None;
        let states = || frame.cells.iter().map(|cell| &cell.state);
        let (is_broken, has_cut) = (
            states().any(|state| matches!(state, State::Failed(_))),
            states().any(|state| matches!(state, State::Cut)),
        );
        frame.is_broken = is_broken;
        frame.has_cut = has_cut;
        inner
    }

    /// Opens a region again for one of its frames.
    fn reopen_around(
        &mut self,
        cell: CellId,
        next: FrameId,
        which: Which,
    ) -> Vec<(FrameId, Which)> {
        let region = match &mut self.frames.cell_mut(cell).state {
            State::Failed(failed) => failed.region.take(),
            State::Cut => self.frames.get_mut(cell.frame).kept.remove(&cell.pos),
            State::Waiting
            | State::Value(_)
            | State::Step(_)
            | State::Region(_)
            | State::Done(_)
            | State::Blocked => None,
        };
        let Some(mut region) = region else {
            return Vec::new();
        };
        if let RegionPhase::Items(items) = &mut region.phase {
            // The others that failed stay where they are.
            let mut others = std::mem::take(&mut items.failed);
            others.retain(|item, frame| {
                let is_it = *frame == next;
                if is_it {
                    items.frames.insert(*item, *frame);
                }
                !is_it
            });
            region.ending = None;
            items.failed = others;
            self.set(cell, State::Region(region));
        } else {
            self.reopen_region(cell, *region);
        }
        // It may have begun at its beginning instead.
        if self.frames.has(next) {
            vec![(next, which)]
        } else {
            Vec::new()
        }
    }

    /// Lets those wait again that only this has blocked.
    fn unblock(&mut self, cell: CellId) {
        let id = cell.frame;
        let block = self.shape.block(self.frames.get(id).block).clone();
        let mut behind = BTreeSet::new();
        let mut open = vec![cell.pos];
        while let Some(pos) = open.pop() {
            let next = &self.shape.node(block.nodes[pos as usize]).successors;
            let next = next.iter().filter(|pos| behind.insert(**pos));
            open.extend(next.copied());
        }
        behind.retain(|pos| {
            let cell = CellId {
                frame: id,
                pos: *pos,
            };
            matches!(self.frames.cell(cell).state, State::Blocked)
        });
        // What is still blocked by something else blocks what is behind it.
        let states = (0..).zip(&self.frames.get(id).cells);
        let lost = states.filter(|(pos, cell)| {
            let is_lost = matches!(cell.state, State::Failed(_) | State::Cut | State::Blocked);
            is_lost && !behind.contains(pos)
        });
        let mut lost: Vec<u32> = lost.map(|(pos, _)| pos).collect();
        while let Some(pos) = lost.pop() {
            let next = &self.shape.node(block.nodes[pos as usize]).successors;
            lost.extend(next.iter().filter(|pos| behind.remove(pos)));
        }
        for pos in behind {
            self.set(CellId { frame: id, pos }, State::Waiting);
        }
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
