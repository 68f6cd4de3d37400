//! Lines: who waits for one pool or ledger, in which order.
//!
//! Runs take turns, and inside a run the demand that was asked first is the
//! first. A run that got something goes to the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::RunId;

/// The position of a demand among all that were ever asked.
pub(super) type Seq = u64;

/// The name of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneId(pub(super) u64);

/// The lanes that wait for one thing.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    turns: BTreeMap<u64, RunId>,
    runs: BTreeMap<RunId, Stand>,
    next: u64,
}

/// The place of a run in a line.
#[derive(Debug, Clone)]
struct Stand {
    turn: u64,
    lanes: BTreeSet<(Seq, LaneId)>,
}

impl Line {
    /// Returns whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds a lane whose first demand has a position.
    pub(super) fn join(&mut self, run: &RunId, seq: Seq, lane: LaneId) {
        if !self.runs.contains_key(run) {
            let turn = self.take_turn(run.clone());
            let lanes = BTreeSet::new();
            self.runs.insert(run.clone(), Stand { turn, lanes });
        }
        if let Some(stand) = self.runs.get_mut(run) {
            stand.lanes.insert((seq, lane));
        }
    }

    /// Removes a lane.
    pub(super) fn leave(&mut self, run: &RunId, seq: Seq, lane: LaneId) {
        if let Some(stand) = self.runs.get_mut(run) {
            stand.lanes.remove(&(seq, lane));
            if stand.lanes.is_empty() {
                self.turns.remove(&stand.turn);
                self.runs.remove(run);
            }
        }
    }

    /// Returns the lane whose turn it is.
    pub(super) fn first(&self) -> Option<LaneId> {
        let (_, run) = self.turns.first_key_value()?;
        let (_, lane) = self.runs.get(run)?.lanes.first()?;
        Some(*lane)
    }

    /// Puts a run behind all others.
    pub(super) fn rotate(&mut self, run: &RunId) {
        let Some(stand) = self.runs.get(run) else {
            return;
        };
        self.turns.remove(&stand.turn);
        let turn = self.take_turn(run.clone());
        if let Some(stand) = self.runs.get_mut(run) {
            stand.turn = turn;
        }
    }

    fn take_turn(&mut self, run: RunId) -> u64 {
        let turn = self.next;
        self.next += 1;
        self.turns.insert(turn, run);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str) -> RunId {
        RunId(name.into())
    }

    #[test]
    fn runs_take_turns_and_are_first_come_first_served_inside() {
        let mut line = Line::default();
        for (seq, name) in [(0, "a"), (1, "a"), (2, "a"), (3, "b"), (4, "c")] {
            line.join(&run(name), seq, LaneId(seq));
        }
        let mut order = Vec::new();
        while let Some(lane) = line.first() {
            let name = ["a", "a", "a", "b", "c"][usize::try_from(lane.0).unwrap()];
            order.push(lane.0);
            line.rotate(&run(name));
            line.leave(&run(name), lane.0, lane);
        }
        assert_eq!(order, [0, 3, 4, 1, 2]);
        assert!(line.is_empty());
    }

    #[test]
    fn a_lane_that_comes_back_has_its_old_place_in_its_run() {
        let mut line = Line::default();
        line.join(&run("a"), 5, LaneId(5));
        line.join(&run("a"), 2, LaneId(2));
        assert_eq!(line.first(), Some(LaneId(2)));
        line.leave(&run("a"), 2, LaneId(2));
        line.leave(&run("b"), 2, LaneId(2));
        assert_eq!(line.first(), Some(LaneId(5)));
    }
}
