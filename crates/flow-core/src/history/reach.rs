//! Whether an instance was reached, what it waits for, and whose failure it is.

use crate::address::At;
use crate::plan::NodeKind;

use super::survey::items_of;
use super::{Choice, Entry, Instance, State, Survey};

/// Whether an instance was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// What it is in was begun.
    Here,
    /// Another arm was taken, or none.
    Skipped {
        /// The choice.
        region: At,
        /// The number of the block that was taken.
        taken: Option<u32>,
    },
    /// It is what would be done instead of something that didn't fail.
    Unneeded {
        /// What didn't fail.
        of: At,
    },
    /// What it is in was not begun, or its item wasn't.
    NotBegun {
        /// What it is in.
        region: At,
    },
}

impl Survey<'_> {
    /// Returns an instance by its address.
    pub fn instance(&self, at: &At) -> Instance {
        // What the run has let go of, it doesn't find.
        Instance {
            at: at.clone(),
            is_live: true,
        }
    }

    /// Says whether an instance was reached.
    pub fn reach(&self, at: &At) -> Reach {
        let plan = self.history().plan();
        let mut chain = vec![at.node];
        while let Some(parent) = &plan.node(chain[chain.len() - 1]).parent {
            chain.push(parent.node);
        }
        let mut depth = 0;
        for pair in chain.windows(2).rev() {
            let [child, parent] = [pair[0], pair[1]];
            let region = At::new(parent, at.ords.iter().take(depth).copied());
            let ord = plan.node(parent).repeats().then(|| at.ords.get(depth));
            depth += usize::from(ord.is_some());
            let arms = self.arms(&self.instance(&region));
            let arm = arms.iter().find(|arm| arm.block.nodes.contains(&child));
            let Some(arm) = arm else {
                return self.passed_by(&region, child);
            };
            let ord = ord.flatten().copied().unwrap_or(0);
            if arm.items.is_some_and(|items| ord >= items) {
                return Reach::NotBegun { region };
            }
        }
        Reach::Here
    }

    /// Says why a block of a region was not begun.
    fn passed_by(&self, region: &At, child: crate::plan::NodeId) -> Reach {
        let node = self.history().plan().node(region.node);
        let region = region.clone();
        let has_fallback = match &node.kind {
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
        let blocks = node.blocks();
        let last = blocks.last().filter(|_| has_fallback);
        if last.is_some_and(|(_, block)| block.nodes.contains(&child)) {
            return Reach::Unneeded { of: region };
        }
        let entry = self.history().entry(&region);
        match entry.and_then(|entry| entry.choice.as_ref()) {
            Some(Choice::Arm { arm, .. }) => Reach::Skipped {
                region,
                taken: *arm,
            },
            Some(Choice::Items(_) | Choice::Rounds { .. } | Choice::Won(_)) | None => {
                Reach::NotBegun { region }
            }
        }
    }

    /// Returns how an item or a round of a region stands.
    pub fn item_state(&self, region: &At, item: u32) -> State {
        let instance = self.instance(region);
        let broken = self.history().entry(region).and_then(Entry::items);
        if broken.is_some_and(|items| items.broken.contains_key(&item)) {
            return State::Failed;
        }
        let Some(arm) = self.arms(&instance).into_iter().next() else {
            return State::Pending;
        };
        if arm.items.is_none_or(|opened| item >= opened) {
            let is_over = self.state(&instance).is_over();
            return if is_over { State::Cut } else { State::Pending };
        }
        let nodes = arm.block.nodes.iter();
        let nodes = nodes.filter(|node| self.is_shown(**node));
        let states = nodes.map(|node| self.state(&self.child(&instance, &arm, *node, Some(item))));
        states.collect::<super::Parts>().state()
    }

    /// Returns the instances that have to come to an end first: those that an
    /// instance waits for, and that are under way or wait themselves.
    pub fn waits_for(&self, at: &At) -> Vec<At> {
        let mut found = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut open = vec![at.clone()];
        while let Some(at) = open.pop() {
            for (before, _) in self.before(&at) {
                if !seen.insert(before.clone()) {
                    continue;
                }
                let state = self.state(&self.instance(&before));
                if state.is_over() {
                    continue;
                }
                // An expression waits for what it speaks of.
                if self.is_shown(before.node) {
                    found.push(before);
                } else {
                    open.push(before);
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// Returns how a failure came to an instance that is blocked or failed: from
    /// one to the next, to the one that failed by itself or was given up. Of a
    /// region whose item failed by itself, the last has the item.
    pub fn causes(&self, at: &At) -> Vec<(At, Option<u32>)> {
        let mut chain = Vec::new();
        let mut here = at.clone();
        loop {
            let next = match self.state(&self.instance(&here)) {
                State::Blocked => self.failed_before(&here).map(|at| (at, None)),
                State::Failed => self.failed_inside(&here),
                State::Cut => self.given_up_before(&here).map(|at| (at, None)),
                State::Running
                | State::Remote
                | State::Probing
                | State::Ready
                | State::Asking
                | State::Unknown
                | State::Held
                | State::Pausing
                | State::Sleeping
                | State::Pending
                | State::Skipped
                | State::Reused
                | State::Succeeded => None,
            };
            let Some((next, item)) = next else {
                return chain;
            };
            chain.push((next.clone(), item));
            if item.is_some() {
                return chain;
            }
            here = next;
        }
    }

    /// Returns what failed, is blocked or was given up of what an instance
    /// requires.
    fn failed_before(&self, at: &At) -> Option<At> {
        let failed = self.first_before(at, &[State::Failed, State::Blocked]);
        failed.or_else(|| self.first_before(at, &[State::Cut]))
    }

    /// Returns what was given up of what an instance requires that wasn't given
    /// up itself.
    fn given_up_before(&self, at: &At) -> Option<At> {
        let mut cancels = self.history().cancels().iter();
        if cancels.any(|cancel| self.history().is_in(at, &cancel.part)) {
            return None;
        }
        self.first_before(at, &[State::Cut])
    }

    /// Returns the first of what an instance requires that stands in one of some
    /// ways.
    fn first_before(&self, at: &At, states: &[State]) -> Option<At> {
        let mut here = at.clone();
        loop {
            let mut before = self.before(&here).map(|(at, _)| at);
            let found = before.find(|at| states.contains(&self.state(&self.instance(at))))?;
            if self.is_shown(found.node) {
                return Some(found);
            }
            here = found;
        }
    }

    /// Returns the first of what is in an instance that failed.
    fn failed_inside(&self, at: &At) -> Option<(At, Option<u32>)> {
        let instance = self.instance(at);
        let broken = self.history().entry(at).and_then(Entry::items);
        let broken = broken.and_then(|items| items.broken.keys().next().copied());
        let arms = self.arms(&instance);
        let last = arms.iter().rfind(|arm| arm.is_fallback);
        let arms = last.map_or(&arms[..], std::slice::from_ref);
        for arm in arms {
            for item in items_of(arm) {
                let nodes = arm.block.nodes.iter();
                let mut children = nodes.map(|node| self.child(&instance, arm, *node, item));
                let failed = children.find(|child| self.state(child) == State::Failed);
                if let Some(failed) = failed {
                    return Some((failed.at, None));
                }
                if item.is_some() && item == broken {
                    return Some((at.clone(), item));
                }
            }
        }
        None
    }
}
