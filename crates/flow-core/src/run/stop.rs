//! What is not wanted any more: stopped if it is in progress, cut if it isn't,
//! and dropped when all of it has come to rest.

use crate::address::At;

use super::Run;
use super::shape::small;
use super::state::{CellId, Ending, FrameId, Phase, RegionPhase, RegionState, State, Stop};
use super::walk::Task;

impl Run {
    pub(super) fn cut_frame(&mut self, id: FrameId) {
        if !self.frames.has(id) {
            return;
        }
        self.frames.get_mut(id).is_cut = true;
        let count = small(self.frames.get(id).cells.len());
        for pos in 0..count {
            let cell = CellId { frame: id, pos };
            match &self.frames.cell(cell).state {
                State::Waiting => self.settle(cell, State::Cut),
                State::Step(step) if step.is_silent() => self.settle(cell, State::Cut),
                // What became of it has to be found out all the same.
                State::Step(_) => self.stop_attempt(cell, Stop::Cut),
                State::Region(_) => self.tasks.push_back(Task::Stop(cell, Ending::Cut)),
                State::Value(_)
                | State::Done(_)
                | State::Failed(_)
                | State::Blocked
                | State::Cut => {}
            }
        }
        if self.frames.get(id).open == 0 {
            self.tasks.push_back(Task::Rest(id));
        }
    }

    /// Returns the frame of an item or a round that isn't over.
    pub(super) fn open_item(&self, cell: CellId, item: u32) -> Option<FrameId> {
        match &self.region(cell)?.phase {
            RegionPhase::Items(items) => items.frames.get(&item).copied(),
            RegionPhase::Body(frame) => {
                (self.frames.get(*frame).item == Some(item)).then_some(*frame)
            }
            RegionPhase::Deciding
            | RegionPhase::Winning(..)
            | RegionPhase::Closing(_)
            | RegionPhase::Pausing(_)
            | RegionPhase::Resting => None,
        }
    }

    pub(super) fn stop_attempt(&mut self, cell: CellId, why: Stop) {
        self.edit_step(cell, |step| {
            if why == Stop::Cut
                && step.phase.running().is_none()
                && let Some(open) = step.open.clone()
            {
                // It was to be tried again to find out; now somebody has to say.
                step.phase = Phase::Unknown(open);
            }
            match &mut step.phase {
                Phase::Running(running)
                | Phase::Remote(running, _)
                | Phase::Probing(running, ..)
                | Phase::Unknown(running) => {
                    // Not being wanted outweighs being late.
                    if running.stop.is_none() || why == Stop::Cut {
                        running.stop = Some(why);
                    }
                }
                Phase::Opening | Phase::Ready | Phase::Held | Phase::Pausing(_) => {
                    if let Some(open) = &mut step.open {
                        open.stop = Some(why);
                    }
                }
                Phase::Asking(..) | Phase::Sleeping(..) => {}
            }
        });
    }

    pub(super) fn stop_region(&mut self, cell: CellId, ending: Ending) {
        let Some(region) = self.region(cell) else {
            return;
        };
        // Not being wanted outweighs having failed.
        if region.ending.is_some() && ending != Ending::Cut {
            return;
        }
        let frames: Vec<FrameId> = match &region.phase {
            RegionPhase::Body(frame)
            | RegionPhase::Winning(frame, _)
            | RegionPhase::Closing(frame) => vec![*frame],
            RegionPhase::Items(items) => items.frames.values().copied().collect(),
            RegionPhase::Deciding | RegionPhase::Pausing(_) | RegionPhase::Resting => Vec::new(),
        };
        self.edit_region(cell, |region| {
            region.ending = Some(ending);
            if let RegionPhase::Winning(frame, _) | RegionPhase::Closing(frame) = region.phase {
                region.phase = RegionPhase::Body(frame);
            }
        });
        if frames.is_empty() {
            self.finish_ending(cell);
        }
        self.tasks.extend(frames.into_iter().map(Task::CutFrame));
    }

    // Dropping.

    /// Drops a frame and all frames in it.
    pub(super) fn free(&mut self, id: FrameId) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let Some(frame) = self.frames.remove(id) else {
                continue;
            };
            let nodes = &self.shape.block(frame.block).nodes;
            let limited = nodes.iter().filter(|id| self.shape.node(**id).has_limits);
            let limited: Vec<At> = limited
                .map(|id| At::new(*id, frame.ords.iter().copied()))
                .collect();
            for at in &limited {
                self.forget_limits(at);
            }
            for cell in &frame.cells {
                let region = match &cell.state {
                    State::Region(region) => Some(region),
                    State::Failed(failed) => failed.region.as_ref(),
                    State::Waiting
                    | State::Value(_)
                    | State::Step(_)
                    | State::Done(_)
                    | State::Blocked
                    | State::Cut => None,
                };
                open.extend(region.into_iter().flat_map(|region| frames_of(region)));
            }
            let kept = frame.kept.values();
            open.extend(kept.flat_map(|region| frames_of(region)));
        }
    }

    pub(super) fn free_region(&mut self, cell: CellId) {
        let frames = self.region(cell).map(frames_of).unwrap_or_default();
        for frame in frames {
            self.free(frame);
        }
    }
}

/// Returns the frames that belong to a region.
pub(super) fn frames_of(region: &RegionState) -> Vec<FrameId> {
    match &region.phase {
        RegionPhase::Body(frame) | RegionPhase::Winning(frame, _) | RegionPhase::Closing(frame) => {
            vec![*frame]
        }
        RegionPhase::Items(items) => {
            let all = items.frames.values().chain(items.failed.values());
            all.copied().collect()
        }
        RegionPhase::Deciding | RegionPhase::Pausing(_) | RegionPhase::Resting => Vec::new(),
    }
}
