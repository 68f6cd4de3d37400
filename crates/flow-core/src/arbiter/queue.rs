//! The queue: demands that wait. In memory only.
//!
//! Demands of one run that need the same things wait in one *lane*, and only
//! the first of a lane is ever looked at. A lane stands in the *line* of the
//! one thing that its first demand lacks, and is looked at again when there is
//! more of that. So a thousand demands that wait for one pool cost as much as
//! one, and those that need another pool don't stand behind them.
//!
//! Demands that wait for an equal call stand nowhere: they are answered when
//! that call is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::RunId;
use crate::amount::{Money, Timestamp};
use crate::digest::Digest;

use super::demand::{Demand, HasFallback, HoldId, LedgerId, OwnerId};
use super::line::{LaneId, Line, Seq};

/// How often a lane goes from one line to another before it is an elder.
pub(super) const MOVES_MAX: u32 = 16;

/// Something that there is only so much of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The slots and tokens of a pool.
    Pool(Arc<str>),
    /// The room in a ledger; of one with periods, in the present one.
    Ledger(LedgerId),
}

/// Why a demand waits, and until when at most if that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Why.
    pub reason: Reason,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// Why a demand waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// What is held in a ledger leaves too little.
    Budget {
        /// The ledger.
        ledger: LedgerId,
        /// What is left.
        left: Money,
        /// What it needs.
        needs: Money,
    },
    /// All slots of a pool are taken.
    Slots {
        /// The pool.
        pool: Arc<str>,
        /// How many there are.
        slots: u32,
    },
    /// Too many have begun in a pool.
    Rate(Arc<str>),
    /// The other side asked for patience.
    Pause(Arc<str>),
    /// A pool has failed again and again.
    Breaker(Arc<str>),
    /// An equal call is in flight.
    Key {
        /// The key.
        key: Digest,
        /// The attempt.
        by: HoldId,
    },
    /// Others were there before.
    Turn(Resource),
}

impl Reason {
    /// Returns the line to wait in.
    pub(super) fn resource(&self) -> Option<Resource> {
        match self {
            Self::Budget { ledger, .. } => Some(Resource::Ledger(ledger.undated())),
            Self::Slots { pool, .. }
            | Self::Rate(pool)
            | Self::Pause(pool)
            | Self::Breaker(pool) => Some(Resource::Pool(pool.clone())),
            Self::Turn(resource) => Some(resource.clone()),
            Self::Key { .. } => None,
        }
    }

    /// Returns whether others could take what it lacks before it. Nobody gets
    /// past a pause.
    fn is_contest(&self) -> bool {
        match self {
            Self::Budget { .. } | Self::Slots { .. } | Self::Turn(_) => true,
            Self::Rate(_) | Self::Pause(_) | Self::Breaker(_) | Self::Key { .. } => false,
        }
    }
}

/// A demand that waits.
#[derive(Debug, Clone)]
pub(super) struct Waiter {
    pub(super) demand: Demand,
    pub(super) owner: OwnerId,
    pub(super) gets: Gets,
}

/// What a demand gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gets {
    /// All that it asks for.
    All,
    /// Only slots: it was granted before, and the rest of it is still held.
    Slots,
}

/// What all demands of a lane have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneKey {
    pub(super) run: RunId,
    pub(super) pools: Vec<Arc<str>>,
    /// The ledgers in which there has to be room.
    pub(super) ledgers: Vec<LedgerId>,
    pub(super) has_fallback: HasFallback,
    pub(super) gets: Gets,
}

#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) key: LaneKey,
    waiters: BTreeMap<Seq, Waiter>,
    line: Resource,
    waiting: Waiting,
    moves: u32,
}

/// Where a demand waits.
#[derive(Debug, Clone, Copy)]
enum Place {
    Lane(LaneId, Seq),
    Key(Digest, Seq),
}

/// Demands that wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    lanes: BTreeMap<LaneId, Lane>,
    names: BTreeMap<LaneKey, LaneId>,
    lines: BTreeMap<Resource, Line>,
    places: BTreeMap<HoldId, Place>,
    flights: BTreeMap<Digest, BTreeMap<Seq, (Waiter, HoldId)>>,
    /// Lanes that have moved too often. For the first of them all that it
    /// needs is set aside, so it can't be passed for ever.
    elders: BTreeSet<(Seq, LaneId)>,
    timers: BTreeSet<(Timestamp, Arc<str>)>,
    /// What there may be more of: whose lines are to be looked at.
    pub(super) stirred: BTreeSet<Resource>,
    /// The keys that may no longer be in flight.
    pub(super) keys_stirred: BTreeSet<Digest>,
    /// The pools whose breakers may have opened.
    pub(super) breakers_stirred: BTreeSet<Arc<str>>,
    /// How often somebody who waits was looked at: what waiting costs.
    pub(super) looks: u64,
    seq: Seq,
    lane: u64,
}

impl LaneKey {
    /// Returns whether a demand of this lane takes of something.
    pub(super) fn needs(&self, resource: &Resource) -> bool {
        match resource {
            Resource::Pool(pool) => self.pools.contains(pool),
            Resource::Ledger(ledger) => self.ledgers.contains(ledger),
        }
    }

    fn all(&self) -> impl Iterator<Item = Resource> {
        let pools = self.pools.iter().cloned().map(Resource::Pool);
        pools.chain(self.ledgers.iter().cloned().map(Resource::Ledger))
    }
}

impl Queue {
    /// Returns why a demand waits, if it does.
    pub(super) fn reason(&self, hold: &HoldId) -> Option<Waiting> {
        match self.places.get(hold)? {
            Place::Key(key, seq) => {
                let (_, by) = self.flights.get(key)?.get(seq)?;
                Some(flying(*key, by))
            }
            Place::Lane(id, seq) => {
                let lane = self.lanes.get(id)?;
                if lane.waiters.first_key_value()?.0 == seq {
                    return Some(lane.waiting.clone());
                }
                Some(Waiting {
                    reason: Reason::Turn(lane.line.clone()),
                    until: lane.waiting.until,
                })
            }
        }
    }

    /// Returns all demands that wait.
    pub(super) fn holds(&self) -> impl Iterator<Item = &HoldId> {
        self.places.keys()
    }

    /// Returns how many demands wait.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether somebody waits for something.
    pub(super) fn is_contended(&self, resource: &Resource) -> bool {
        !self.lines.is_empty() && self.lines.contains_key(resource)
    }

    /// Returns a lane with its first demand.
    pub(super) fn head(&self, lane: LaneId) -> Option<(&Lane, &Waiter)> {
        let lane = self.lanes.get(&lane)?;
        let (_, waiter) = lane.waiters.first_key_value()?;
        Some((lane, waiter))
    }

    /// Returns the elder that things are set aside for.
    pub(super) fn elder(&self) -> Option<(LaneId, &LaneKey)> {
        let (_, id) = self.elders.first()?;
        Some((*id, &self.lanes.get(id)?.key))
    }

    /// Returns the lane to be looked at when there is more of something.
    pub(super) fn first(&self, resource: &Resource) -> Option<LaneId> {
        if let Some((_, id)) = self.elders.first()
            && (self.lanes.get(id)).is_some_and(|lane| lane.line == *resource)
        {
            return Some(*id);
        }
        self.lines.get(resource)?.first()
    }

    /// Puts a run behind all others in a line.
    pub(super) fn rotate(&mut self, resource: &Resource, run: &RunId) {
        if let Some(line) = self.lines.get_mut(resource) {
            line.rotate(run);
        }
    }

    /// Lets a demand wait, at its old position if it has one.
    pub(super) fn wait(
        &mut self,
        key: LaneKey,
        waiter: Waiter,
        seq: Option<Seq>,
        waiting: Waiting,
    ) {
        let seq = seq.unwrap_or_else(|| self.next_seq());
        let hold = waiter.demand.hold.clone();
        if let Some(digest) = waiter.demand.key
            && let Reason::Key { by, .. } = waiting.reason
        {
            self.places.insert(hold, Place::Key(digest, seq));
            let flight = self.flights.entry(digest).or_default();
            flight.insert(seq, (waiter, by));
            return;
        }
        if let Some(id) = self.names.get(&key).copied() {
            self.places.insert(hold, Place::Lane(id, seq));
            self.with_head(id, |lane| drop(lane.waiters.insert(seq, waiter)));
            return;
        }
        let Some(line) = waiting.reason.resource() else {
            return;
        };
        let id = LaneId(self.lane);
        self.lane += 1;
        self.places.insert(hold, Place::Lane(id, seq));
        self.names.insert(key.clone(), id);
        let lane = Lane {
            key,
            waiters: [(seq, waiter)].into(),
            line,
            waiting,
            moves: 0,
        };
        self.timers.extend(lane.timer());
        self.join(id, &lane);
        self.lanes.insert(id, lane);
    }

    /// Notes why the first demand of a lane waits now, which may be in another
    /// line.
    pub(super) fn set(&mut self, id: LaneId, waiting: Waiting) {
        let Some(line) = waiting.reason.resource() else {
            return;
        };
        let is_contest = waiting.reason.is_contest();
        self.with_head(id, |lane| {
            if lane.line != line && is_contest {
                lane.moves = lane.moves.saturating_add(1);
            }
            lane.line = line;
            lane.waiting = waiting;
        });
        let Some(lane) = self.lanes.get(&id) else {
            return;
        };
        let (moves, timer) = (lane.moves, lane.timer());
        self.timers.extend(timer);
        let seq = lane.seq();
        if is_contest && moves >= MOVES_MAX {
            self.elders.insert((seq, id));
        } else if self.elders.contains(&(seq, id)) {
            // What was set aside for it is of no use to it now.
            self.retire(seq, id);
        }
    }

    /// Takes the first demand out of a lane.
    pub(super) fn pop(&mut self, id: LaneId) -> Option<(Seq, Waiter)> {
        let seq = self.lanes.get(&id)?.seq();
        self.retire(seq, id);
        let mut popped = None;
        self.with_head(id, |lane| {
            popped = lane.waiters.pop_first();
            lane.moves = 0;
        });
        if let Some((_, waiter)) = &popped {
            self.places.remove(&waiter.demand.hold);
        }
        popped
    }

    /// Takes a demand out, wherever it waits.
    pub(super) fn take(&mut self, hold: &HoldId) -> Option<(Seq, Waiter)> {
        match *self.places.get(hold)? {
            Place::Key(key, seq) => {
                self.places.remove(hold);
                let flight = self.flights.get_mut(&key)?;
                let (waiter, _) = flight.remove(&seq)?;
                if flight.is_empty() {
                    self.flights.remove(&key);
                }
                Some((seq, waiter))
            }
            Place::Lane(id, seq) => {
                let lane = self.lanes.get(&id)?;
                if lane.seq() == seq {
                    // Whoever is behind it may fit where it didn't.
                    self.stirred.insert(lane.line.clone());
                    return self.pop(id);
                }
                self.places.remove(hold);
                let lane = self.lanes.get_mut(&id)?;
                Some((seq, lane.waiters.remove(&seq)?))
            }
        }
    }

    /// Takes all demands out that wait for an equal call.
    pub(super) fn land(&mut self, key: &Digest) -> Vec<HoldId> {
        let landed = self.flights.remove(key).unwrap_or_default();
        let holds = landed.into_values();
        let holds: Vec<_> = holds.map(|(waiter, _)| waiter.demand.hold).collect();
        for hold in &holds {
            self.places.remove(hold);
        }
        holds
    }

    /// Returns the demands that use a pool and have a fallback.
    pub(super) fn with_fallback(&self, pool: &Arc<str>) -> Vec<HoldId> {
        let lanes = self.lanes.values().filter(|Lane { key, .. }| {
            key.gets == Gets::All
                && key.has_fallback == HasFallback::Yes
                && key.pools.contains(pool)
        });
        let waiters = lanes.flat_map(|lane| lane.waiters.values());
        waiters.map(|waiter| waiter.demand.hold.clone()).collect()
    }

    /// Returns the demands of a process.
    pub(super) fn of_owner(&self, owner: &OwnerId) -> Vec<HoldId> {
        let lanes = self.lanes.values().flat_map(|lane| lane.waiters.values());
        let flights = self.flights.values().flat_map(BTreeMap::values);
        let waiters = lanes.chain(flights.map(|(waiter, _)| waiter));
        let theirs = waiters.filter(|waiter| waiter.owner == *owner);
        theirs.map(|waiter| waiter.demand.hold.clone()).collect()
    }

    /// Takes all demands out, the first first.
    pub(super) fn drain(&mut self) -> Vec<(Seq, Waiter)> {
        let mut all: Vec<_> = std::mem::take(&mut self.lanes)
            .into_values()
            .flat_map(|lane| lane.waiters)
            .collect();
        for flight in std::mem::take(&mut self.flights).into_values() {
            all.extend(flight.into_iter().map(|(seq, (waiter, _))| (seq, waiter)));
        }
        all.sort_by_key(|(seq, _)| *seq);
        *self = Self {
            looks: self.looks,
            seq: self.seq,
            lane: self.lane,
            ..Self::default()
        };
        all
    }

    /// Stirs all that somebody waits for.
    pub(super) fn stir_all(&mut self) {
        self.stirred.extend(self.lines.keys().cloned());
        self.keys_stirred.extend(self.flights.keys().copied());
    }

    /// Stirs the pools whose time has come.
    pub(super) fn stir_due(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.timers.first()
            && *at <= now
            && let Some((_, pool)) = self.timers.pop_first()
        {
            self.stirred.insert(Resource::Pool(pool));
        }
    }

    /// Returns the next instant at which a pool's time comes.
    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Returns the ledgers of several runs that are waited for.
    pub(super) fn shared_ledgers(&self) -> impl Iterator<Item = &LedgerId> {
        let from = Resource::Ledger(LedgerId::Project);
        let ledgers = self.lines.range(from..).map_while(|(key, _)| match key {
            Resource::Ledger(ledger) => Some(ledger),
            Resource::Pool(_) => None,
        });
        // Those of one run come last.
        ledgers.take_while(|ledger| ledger.run().is_none())
    }

    pub(super) fn next_seq(&mut self) -> Seq {
        self.seq += 1;
        self.seq
    }

    /// Changes a lane and keeps its place in its line right. An empty lane is
    /// gone.
    fn with_head(&mut self, id: LaneId, change: impl FnOnce(&mut Lane)) {
        let Some(mut lane) = self.lanes.remove(&id) else {
            return;
        };
        let (old, seq) = (lane.line.clone(), lane.seq());
        change(&mut lane);
        let is_empty = lane.waiters.is_empty();
        let stays = !is_empty && lane.line == old;
        if stays && lane.seq() == seq {
            self.lanes.insert(id, lane);
            return;
        }
        if let Some(line) = self.lines.get_mut(&old) {
            // Before it leaves, so that its run keeps its turn.
            if stays {
                line.join(&lane.key.run, lane.seq(), id);
            }
            line.leave(&lane.key.run, seq, id);
            if line.is_empty() {
                self.lines.remove(&old);
            }
        }
        if is_empty {
            self.names.remove(&lane.key);
            return;
        }
        if !stays {
            self.join(id, &lane);
        }
        self.lanes.insert(id, lane);
    }

    fn join(&mut self, id: LaneId, lane: &Lane) {
        let line = self.lines.entry(lane.line.clone()).or_default();
        line.join(&lane.key.run, lane.seq(), id);
    }

    /// Ends that things are set aside for a lane.
    fn retire(&mut self, seq: Seq, id: LaneId) {
        if self.elders.remove(&(seq, id))
            && let Some(lane) = self.lanes.get(&id)
        {
            self.stirred.extend(lane.key.all());
        }
    }
}

impl Lane {
    /// Returns the position of its first demand.
    fn seq(&self) -> Seq {
        self.waiters
            .first_key_value()
            .map_or(Seq::MAX, |(seq, _)| *seq)
    }

    /// Returns when its pool is to be looked at again, if that is known.
    fn timer(&self) -> Option<(Timestamp, Arc<str>)> {
        match (&self.line, self.waiting.until) {
            (Resource::Pool(pool), Some(until)) => Some((until, pool.clone())),
            (Resource::Pool(_) | Resource::Ledger(_), _) => None,
        }
    }
}

/// Says that a demand waits for an equal call.
pub(super) fn flying(key: Digest, by: &HoldId) -> Waiting {
    Waiting {
        reason: Reason::Key {
            key,
            by: by.clone(),
        },
        until: None,
    }
}
