//! The items of a `for`: opened as there is room, closed one by one.

use std::sync::OnceLock;

use crate::event::Failure;
use crate::handle::{Handle, Listed};
use crate::plan::NodeKind;
use crate::value::Value;

use super::Run;
use super::shape::{Yield, small};
use super::state::{CellId, FrameId, ItemState, Items, RegionPhase, State};
use super::walk::failure_in;

impl Run {
    pub(super) fn item_at_rest(&mut self, owner: CellId, id: FrameId) {
        let is_whole = self.is_whole(id);
        let frame = self.frames.get(id);
        let (block, item) = (frame.block, frame.item.unwrap_or_default());
        let keeps = self.keeps_ok(owner);
        let same = match &self.shape.block(block).result {
            Yield::Nothing => Some(Handle::Small(Value::None)),
            Yield::Same(pos) => Some(self.handle_in(CellId {
                frame: id,
                pos: *pos,
            })),
            Yield::Computed(_) => None,
        };
        let is_ending = self
            .region(owner)
            .is_some_and(|region| region.ending.is_some());
        let mut frees = true;
        self.edit_items(owner, |items| {
            if is_ending {
                // It is kept for a second try.
                items.closing.remove(&item);
                items.frames.remove(&item);
                items.failed.insert(item, id);
                frees = false;
            } else if !is_whole {
                items.frames.remove(&item);
                if keeps {
                    items.closed[item as usize] = ItemState::Left;
                } else {
                    items.failed.insert(item, id);
                    frees = false;
                }
            } else if let Some(value) = same {
                items.frames.remove(&item);
                items.closed[item as usize] = ItemState::Done(value);
            } else {
                items.closing.insert(item);
                frees = false;
            }
        });
        if frees {
            self.free(id);
        }
        self.advance(owner);
    }

    /// An item's value was computed.
    pub(super) fn close_item(&mut self, owner: CellId, item: u32, state: ItemState) {
        let mut frame = None;
        self.edit_items(owner, |items| {
            items.closing.remove(&item);
            frame = items.frames.remove(&item);
            items.closed[item as usize] = state;
        });
        if let Some(frame) = frame {
            self.free(frame);
        }
        self.advance(owner);
    }

    /// An item failed by itself.
    pub(super) fn fail_item(&mut self, owner: CellId, item: u32, failure: Failure) {
        if self.keeps_ok(owner) {
            self.close_item(owner, item, ItemState::Left);
            return;
        }
        let mut frame = None;
        self.edit_items(owner, |items| {
            items.closing.remove(&item);
            frame = items.frames.remove(&item);
            items.failed.extend(frame.map(|frame| (item, frame)));
        });
        if let Some(frame) = frame {
            self.frames.get_mut(frame).failure = Some(failure);
        }
        self.advance(owner);
    }

    fn keeps_ok(&self, cell: CellId) -> bool {
        matches!(self.kind_of(cell), NodeKind::For(each) if each.keep_ok)
    }

    /// Opens further items, or ends the `for`.
    pub(super) fn advance(&mut self, owner: CellId) {
        let block = self.own_block(owner, 0);
        let is_cut = self.frames.get(owner.frame).is_cut;
        loop {
            let Some(region) = self.region(owner) else {
                return;
            };
            let is_ending = is_cut || region.ending.is_some();
            let RegionPhase::Items(items) = &region.phase else {
                return;
            };
            let has_room = items.frames.len() < items.parallel.max(1) as usize;
            let may_open = !is_ending && items.failed.is_empty();
            if may_open && has_room && items.next < items.count {
                let item = items.next;
                let frame = self.open_frame(block, Some(owner), Some(item));
                self.edit_items(owner, |items| {
                    items.next += 1;
                    items.frames.insert(item, frame);
                });
                continue;
            }
            if items.frames.is_empty() && (items.next == items.count || !may_open) {
                self.end_items(owner);
            }
            return;
        }
    }

    fn end_items(&mut self, owner: CellId) {
        let Some(region) = self.region(owner) else {
            return;
        };
        let RegionPhase::Items(items) = &region.phase else {
            return;
        };
        if region.ending.is_some() {
            self.finish_ending(owner);
            return;
        }
        if !items.failed.is_empty() {
            let frames = items.failed.values().map(|id| self.frames.get(*id));
            let failure = frames.into_iter().find_map(failure_in);
            if let Some(failure) = failure {
                self.fail_region(owner, failure);
            } else {
                self.cut_region(owner);
            }
            return;
        }
        let listed = listed(items);
        self.settle(owner, State::Done(Handle::Listed(listed.into())));
    }
}

fn listed(items: &Items) -> Listed {
    let kept = items.closed.contains(&ItemState::Left);
    let mut indexes = Vec::new();
    let mut handles = Vec::with_capacity(items.closed.len());
    for (at, item) in items.closed.iter().enumerate() {
        if let ItemState::Done(handle) = item {
            handles.push(handle.clone());
            indexes.push(small(at));
        }
    }
    Listed {
        items: handles,
        keys: items.keys.clone(),
        kept: kept.then_some(indexes),
        value: OnceLock::new(),
    }
}
