//! How instances stand, by what was read.

use flow_core::address::At;
use flow_core::plan::{Block, NodeKind};

use super::map;
use super::reading::{Reading, Settled};

/// How an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// It isn't over.
    Open,
    /// It has a value.
    Value,
    /// It will have none.
    Dead,
}

impl Reading<'_> {
    /// Returns how an instance stands.
    pub(super) fn stand(&self, at: &At) -> Stand {
        if let Some(known) = self.stands.borrow().get(at) {
            return *known;
        }
        let stand = self.stand_anew(at);
        if stand != Stand::Open {
            self.stands.borrow_mut().insert(at.clone(), stand);
        }
        stand
    }

    fn stand_anew(&self, at: &At) -> Stand {
        match self.settled.get(at) {
            Some(Settled::Value(_)) => return Stand::Value,
            Some(Settled::Failed(_) | Settled::Cut) => return Stand::Dead,
            None => {}
        }
        if self.done.contains(at) {
            return Stand::Value;
        }
        let own = self.last.get(at);
        if own.is_some_and(|ticket| self.is_in_progress(ticket)) {
            return Stand::Open;
        }
        let is_late = self.late.contains(at) && !self.fallen.contains(at);
        if self.is_cancelled(at) || is_late {
            if let NodeKind::Race(_) = &self.plan.node(at.node).kind
                && self.winners.contains_key(at)
            {
                return Stand::Value;
            }
            return if self.is_busy(at) || self.may_fall(at) {
                Stand::Open
            } else {
                Stand::Dead
            };
        }
        let mut is_waiting = false;
        for before in &self.map.spot(at.node).requires {
            match self.stand(&self.map.near(*before, at)) {
                Stand::Dead => return Stand::Dead,
                Stand::Open => is_waiting = true,
                Stand::Value => {}
            }
        }
        if is_waiting {
            return Stand::Open;
        }
        self.stand_of_kind(at)
    }

    /// Whether it or a part of it was cancelled: then nothing is done about its
    /// failure.
    fn is_given_up(&self, at: &At) -> bool {
        let mut scopes = self.cancelled.iter();
        self.is_cancelled(at) || scopes.any(|scope| self.map.is_inside(scope, at))
    }

    /// Whether its fallback may still be taken.
    fn may_fall(&self, at: &At) -> bool {
        !self.is_given_up(at)
            && map::fallback(&self.plan, at.node).is_some()
            && !self.fallen.contains(at)
    }

    fn stand_of_kind(&self, at: &At) -> Stand {
        let node = self.plan.node(at.node);
        let blocks = node.blocks();
        if self.fallen.contains(at) {
            let fallback = map::fallback(&self.plan, at.node).map(|index| blocks[index].1);
            return fallback.map_or(Stand::Dead, |block| self.stand_of_block(at, None, block));
        }
        match &node.kind {
            NodeKind::Value(_) => Stand::Value,
            NodeKind::Step(_) => Stand::Open,
            NodeKind::Workflow(workflow) => {
                let stand = self.stand_of_block(at, None, &workflow.block);
                self.or_another_try(at, stand)
            }
            NodeKind::Parallel(parallel) => self.stand_of_block(at, None, &parallel.block),
            NodeKind::If(_) | NodeKind::Match(_) => match self.choices.get(at) {
                None => Stand::Open,
                Some(None) => Stand::Value,
                Some(Some(arm)) => self.stand_of_block(at, None, blocks[*arm as usize].1),
            },
            NodeKind::For(each) => self.stand_of_items(at, &each.body, each.keep_ok),
            NodeKind::Repeat(repeat) => {
                let Some(rounds) = self.rounds.get(at) else {
                    return Stand::Open;
                };
                let round = u32::try_from(rounds.len()).unwrap() - 1;
                match self.stand_of_nodes(at, Some(round), &repeat.body) {
                    Stand::Value if !self.yields.contains_key(&(at.clone(), None)) => Stand::Open,
                    stand => stand,
                }
            }
            NodeKind::Race(race) => {
                if self.winners.contains_key(at) {
                    return Stand::Value;
                }
                let mut contenders = race.block.nodes.iter();
                let all_dead = contenders.all(|id| {
                    let contender = At::new(*id, at.ords.iter().copied());
                    self.stand(&contender) == Stand::Dead
                });
                if all_dead {
                    self.or_another_try(at, Stand::Dead)
                } else {
                    Stand::Open
                }
            }
        }
    }

    /// What failed isn't over if something may be done about it; an event says
    /// whether it is.
    fn or_another_try(&self, at: &At, stand: Stand) -> Stand {
        let node = self.plan.node(at.node);
        let retries = match &node.kind {
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
        let retries = retries && !self.is_given_up(at);
        if stand == Stand::Dead && (retries || self.may_fall(at)) {
            Stand::Open
        } else {
            stand
        }
    }

    pub(super) fn stand_of_block(&self, at: &At, item: Option<u32>, block: &Block) -> Stand {
        let key = (at.clone(), item);
        if self.broken.contains(&key) {
            return Stand::Dead;
        }
        match self.stand_of_nodes(at, item, block) {
            Stand::Value
                if map::is_computed(&self.plan, block) && !self.yields.contains_key(&key) =>
            {
                Stand::Open
            }
            stand => stand,
        }
    }

    fn stand_of_nodes(&self, at: &At, item: Option<u32>, block: &Block) -> Stand {
        let mut all = Stand::Value;
        for id in &block.nodes {
            let ords = at.ords.iter().copied().chain(item);
            match self.stand(&At::new(*id, ords)) {
                Stand::Open => return Stand::Open,
                Stand::Dead => all = Stand::Dead,
                Stand::Value => {}
            }
        }
        all
    }

    /// Returns how an item stands.
    pub(super) fn stand_of_item(&self, at: &At, item: u32, body: &Block) -> Stand {
        if self.left.contains(&(at.clone(), item)) {
            return Stand::Dead;
        }
        self.stand_of_block(at, Some(item), body)
    }

    fn stand_of_items(&self, at: &At, body: &Block, keep_ok: bool) -> Stand {
        let Some(items) = self.items.get(at) else {
            return Stand::Open;
        };
        let is_wanted = !self.is_unwanted(at);
        let stands = (0..items.count).map(|item| {
            let is_begun = items.begun.contains(&item);
            // What nobody wanted isn't left out: it is still to be done.
            let is_left = is_wanted || self.left.contains(&(at.clone(), item));
            match self.stand_of_item(at, item, body) {
                Stand::Dead if keep_ok && is_left => (Stand::Value, is_begun),
                stand => (stand, is_begun),
            }
        });
        let stands: Vec<_> = stands.collect();
        let has_failed = stands.iter().any(|(stand, _)| *stand == Stand::Dead);
        let is_open = stands
            .iter()
            .any(|(stand, has_begun)| *stand == Stand::Open && (*has_begun || !has_failed));
        match (is_open, has_failed) {
            (true, _) => Stand::Open,
            (false, true) => Stand::Dead,
            (false, false) => Stand::Value,
        }
    }
}
