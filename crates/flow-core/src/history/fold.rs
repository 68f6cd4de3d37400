//! What an event adds to a history.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{At, Part, Ticket};
use crate::amount::Timestamp;
use crate::digest::Digest;
use crate::event::{Event, Fact, Failure, Origin, Started, Then, Timer, Verdict};
use crate::handle::Handle;
use crate::plan::{NodeId, Plan};
use crate::step::Bill;

use super::{
    Attempt, Cancel, Choice, Edit, End, Entry, History, Items, Outcome, Probed, Refused, Resolved,
    Said, Source,
};

impl History {
    /// Adds an event, and takes over the plan that the run follows after it.
    pub fn note(&mut self, seq: u64, event: &Event, plan: &Arc<Plan>) {
        match &event.fact {
            Fact::RunStarted(_)
            | Fact::PauseAsked { .. }
            | Fact::ResumeAsked { .. }
            | Fact::LimitsChanged { .. }
            | Fact::ProgramsFound { .. }
            | Fact::WasSent { .. } => {}
            Fact::OwnerTook { binary, .. } => self.owners.push((event.at, binary.clone())),
            Fact::CancelAsked {
                scope,
                item,
                by,
                why,
            } => self.cancels.push(Cancel {
                at: event.at,
                part: Part {
                    at: scope.clone(),
                    item: *item,
                },
                by: by.clone(),
                why: why.clone(),
            }),
            Fact::Reset { by, .. } => self.edited(event.at, by, false, plan),
            Fact::PlanReplaced { by, .. } => self.edited(event.at, by, true, plan),
            Fact::RunSettled { status, .. } => self.settled = Some((event.at, *status)),
            Fact::Reopened { at, item, .. } => self.reopened(at.as_ref(), *item),
            Fact::Opened { at, .. } => self.hear_of(at, event.at),
            Fact::Adopted {
                at,
                value,
                from,
                key: _,
            } => self.note_source(at, value, from, None, seq, event.at),
            Fact::Joined { at, ticket } => self.join(at, ticket, event.at),
            Fact::Reused {
                at,
                key,
                value,
                from,
            } => self.note_source(at, value, from, Some(*key), seq, event.at),
            Fact::ItemsExpanded { .. }
            | Fact::BranchTaken { .. }
            | Fact::RoundOpened { .. }
            | Fact::RaceWon { .. }
            | Fact::Yielded { .. }
            | Fact::Broke { .. } => self.note_region(seq, event),
            Fact::Refused { .. } => self.note_refused(event),
            Fact::Elapsed(timer) => self.note_timer(timer, event.at),
            Fact::AttemptStarted(started) => self.note_started(seq, started, event.at),
            Fact::Submitted { .. }
            | Fact::Asked { .. }
            | Fact::Waits { .. }
            | Fact::Rebilled { .. } => self.note_progress(&event.fact),
            Fact::Succeeded { .. }
            | Fact::Failed { .. }
            | Fact::Stopped { .. }
            | Fact::AttemptLost { .. }
            | Fact::Probed { .. }
            | Fact::Resolved { .. }
            | Fact::Answered { .. } => self.note_outcome(event),
        }
    }

    fn note_refused(&mut self, event: &Event) {
        let Fact::Refused {
            at,
            failure,
            ledger,
            then,
            ..
        } = &event.fact
        else {
            return;
        };
        if let Some(entry) = self.touch(at, event.at) {
            entry.refused = Some(Refused {
                at: event.at,
                failure: failure.clone(),
                ledger: ledger.clone(),
                then: *then,
            });
            entry.follow(failure, *then);
        }
    }

    fn touch(&mut self, at: &At, now: Timestamp) -> Option<&mut Entry> {
        let entries = self.nodes.get_mut(at.node.0 as usize)?;
        if !entries.contains_key(&at.ords) {
            let entry = Entry {
                first: now,
                ..Entry::default()
            };
            entries.insert(at.ords.clone(), entry);
        }
        let entry = entries.get_mut(&at.ords)?;
        entry.last = now;
        Some(entry)
    }

    fn hear_of(&mut self, at: &At, now: Timestamp) {
        self.touch(at, now);
    }

    fn note_source(
        &mut self,
        at: &At,
        value: &Handle,
        from: &Origin,
        key: Option<Digest>,
        seq: u64,
        now: Timestamp,
    ) {
        if let Some(entry) = self.touch(at, now) {
            let from = from.clone();
            entry.source = Some(Source { from, key, seq });
            entry.end = Some(End::Done(value.clone()));
        }
    }

    /// What was given up in what is tried again is wanted again.
    fn reopened(&mut self, at: Option<&At>, item: Option<u32>) {
        self.settled = None;
        let cancels = std::mem::take(&mut self.cancels);
        let Some(at) = at else { return };
        let part = Part {
            at: at.clone(),
            item,
        };
        let still = cancels.into_iter().filter(|cancel| {
            let is_wanted = cancel.part == part || self.is_in(&cancel.part.at, &part);
            !is_wanted
        });
        self.cancels = still.collect();
    }

    fn edited(&mut self, at: Timestamp, by: &Arc<str>, is_other_plan: bool, plan: &Arc<Plan>) {
        self.leave_open();
        self.plan = plan.clone();
        self.nodes = vec![BTreeMap::new(); plan.graph.node_count()];
        self.settled = None;
        self.cancels.clear();
        self.edits.push(Edit {
            at,
            by: by.clone(),
            is_other_plan,
        });
    }

    /// The run begins again: what is in progress may be taken over.
    fn leave_open(&mut self) {
        let nodes = std::mem::take(&mut self.nodes);
        let entries = nodes.into_iter().flat_map(BTreeMap::into_values);
        let open = entries.filter(|entry| entry.end.is_none());
        let attempts = open.filter_map(|mut entry| entry.attempts.pop());
        let left = attempts.map(|attempt| (attempt.ticket.clone(), attempt));
        self.left.extend(left);
        self.joined.clear();
    }

    /// An instance takes over an attempt from before the run began again.
    fn join(&mut self, at: &At, ticket: &Ticket, now: Timestamp) {
        let Some(attempt) = self.left.remove(ticket) else {
            return;
        };
        self.joined.insert(ticket.clone(), at.clone());
        if let Some(entry) = self.touch(at, now) {
            entry.attempts.push(attempt);
        }
    }

    fn note_started(&mut self, seq: u64, started: &Started, now: Timestamp) {
        let Some(entry) = self.touch(&started.ticket.at, now) else {
            return;
        };
        // What was found out before holds no more.
        entry.end = None;
        entry.source = None;
        entry.attempts.push(Attempt {
            ticket: started.ticket.clone(),
            seq,
            started: now,
            ended: None,
            effect: started.effect,
            hold: started.grant.hold,
            bill: Bill::None,
            outcome: Outcome::Running,
            probed: None,
            resolved: None,
            otherwise: None,
        });
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only facts of regions come here"
    )]
    fn note_region(&mut self, seq: u64, event: &Event) {
        let (Fact::ItemsExpanded { at, .. }
        | Fact::BranchTaken { at, .. }
        | Fact::RoundOpened { at, .. }
        | Fact::RaceWon { at, .. }
        | Fact::Yielded { at, .. }
        | Fact::Broke { at, .. }) = &event.fact
        else {
            return;
        };
        if let Fact::Broke {
            item: None,
            then: Then::Again { .. },
            ..
        } = &event.fact
        {
            self.begin_again(at);
        }
        let Some(entry) = self.touch(at, event.at) else {
            return;
        };
        match &event.fact {
            Fact::ItemsExpanded {
                count,
                parallel,
                keys,
                ..
            } => {
                entry.choice = Some(Choice::Items(Items {
                    count: *count,
                    parallel: *parallel,
                    seq,
                    broken: BTreeMap::new(),
                    keys: keys.clone(),
                    words: OnceCell::new(),
                }));
            }
            Fact::BranchTaken { arm, .. } => entry.choice = Some(Choice::Arm { arm: *arm, seq }),
            Fact::RoundOpened { round, max, .. } => {
                let first = match entry.choice {
                    Some(Choice::Rounds { seq, .. }) if *round > 0 => seq,
                    _ => seq,
                };
                entry.choice = Some(Choice::Rounds {
                    opened: round.saturating_add(1),
                    max: *max,
                    seq: first,
                });
            }
            Fact::RaceWon { arm, .. } => entry.choice = Some(Choice::Won(*arm)),
            Fact::Yielded {
                item: None, value, ..
            } => entry.end = Some(End::Done(value.clone())),
            Fact::Broke {
                item: None,
                failure,
                then,
                ..
            } => entry.follow(failure, *then),
            Fact::Broke {
                item: Some(item),
                failure,
                ..
            } => {
                if let Some(Choice::Items(items)) = &mut entry.choice {
                    items.broken.insert(*item, failure.clone());
                }
            }
            _ => {}
        }
    }

    /// What is in a region is done again: what came of it holds no more.
    fn begin_again(&mut self, at: &At) {
        for node in self.inside(at.node) {
            let Some(entries) = self.nodes.get_mut(node.0 as usize) else {
                continue;
            };
            for (_, entry) in entries
                .range_mut(at.ords.clone()..)
                .take_while(|(ords, _)| ords.starts_with(&at.ords))
            {
                entry.end = None;
                entry.source = None;
                entry.choice = None;
                entry.fell_back = None;
                entry.is_late = false;
            }
        }
    }

    /// Returns the nodes that are somewhere in a node.
    fn inside(&self, node: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut open = vec![node];
        while let Some(id) = open.pop() {
            for (_, block) in self.plan.node(id).blocks() {
                found.extend(block.nodes.iter().copied());
                open.extend(block.nodes.iter().copied());
            }
        }
        found
    }

    fn note_timer(&mut self, timer: &Timer, now: Timestamp) {
        match timer {
            Timer::Pause(at) => self.hear_of(at, now),
            Timer::Within(at) => {
                if let Some(entry) = self.touch(at, now) {
                    entry.is_late = true;
                }
            }
            Timer::Wait(ticket) => {
                self.end_attempt(ticket, now, |attempt| attempt.outcome = Outcome::Succeeded);
                self.end_as_meant(ticket);
            }
            Timer::Expiry(ticket) => {
                self.end_attempt(ticket, now, |attempt| attempt.outcome = Outcome::Expired);
                self.end_as_meant(ticket);
            }
        }
    }

    /// Finds an attempt by its name.
    fn attempt_mut(&mut self, ticket: &Ticket) -> Option<&mut Attempt> {
        let at = self.joined.get(ticket).unwrap_or(&ticket.at);
        let entries = self.nodes.get_mut(at.node.0 as usize)?;
        let entry = entries.get_mut(&at.ords)?;
        let mut attempts = entry.attempts.iter_mut().rev();
        attempts.find(|attempt| attempt.ticket == *ticket)
    }

    fn end_attempt(&mut self, ticket: &Ticket, now: Timestamp, edit: impl FnOnce(&mut Attempt)) {
        let Some(attempt) = self.attempt_mut(ticket) else {
            return;
        };
        attempt.ended = Some(now);
        edit(attempt);
        let at = self.joined.get(ticket).unwrap_or(&ticket.at).clone();
        self.hear_of(&at, now);
    }

    /// What an attempt waits for, or what it cost after all.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only facts of attempts that go on come here"
    )]
    fn note_progress(&mut self, fact: &Fact) {
        let (Fact::Submitted { ticket, .. }
        | Fact::Asked { ticket, .. }
        | Fact::Waits { ticket, .. }
        | Fact::Rebilled { ticket, .. }) = fact
        else {
            return;
        };
        let Some(attempt) = self.attempt_mut(ticket) else {
            return;
        };
        match fact {
            Fact::Submitted { .. } => attempt.outcome = Outcome::Submitted,
            Fact::Asked { otherwise, .. } => {
                attempt.outcome = Outcome::Asked;
                attempt.otherwise.clone_from(otherwise);
            }
            Fact::Waits { until, value, .. } => {
                attempt.outcome = Outcome::Waits(*until);
                attempt.otherwise = Some(value.clone());
            }
            Fact::Rebilled { bill, .. } => attempt.bill = *bill,
            _ => {}
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only facts of attempts come here"
    )]
    fn note_outcome(&mut self, event: &Event) {
        let now = event.at;
        match &event.fact {
            Fact::Succeeded {
                ticket,
                value,
                bill,
            } => {
                self.close(ticket, now, Outcome::Succeeded, *bill);
                self.ends_with(ticket, End::Done(value.clone()));
            }
            Fact::Failed {
                ticket,
                failure,
                sent,
                bill,
                then,
            } => {
                let outcome = Outcome::Failed {
                    failure: failure.clone(),
                    sent: *sent,
                    then: *then,
                };
                self.close(ticket, now, outcome, *bill);
                self.follow(ticket, failure, *then);
            }
            Fact::Stopped {
                ticket, bill, then, ..
            } => {
                self.close(ticket, now, Outcome::Stopped(*then), *bill);
                self.follow(ticket, &crate::run::stopped(), *then);
            }
            Fact::AttemptLost { ticket, bill, then } => {
                self.close(ticket, now, Outcome::Lost(*then), *bill);
                self.follow(ticket, &crate::run::lost(), *then);
            }
            Fact::Answered { ticket, value, by } => {
                self.end_attempt(ticket, now, |attempt| {
                    attempt.outcome = Outcome::Answered(by.clone());
                });
                self.ends_with(ticket, End::Done(value.clone()));
            }
            Fact::Probed {
                ticket,
                found,
                then,
            } => {
                if let Some(attempt) = self.attempt_mut(ticket) {
                    attempt.probed = Some(match found {
                        Some(_) => Probed::Found,
                        None => Probed::NotFound(*then),
                    });
                }
                match found {
                    Some(value) => self.ends_with(ticket, End::Done(value.clone())),
                    None => self.follow(ticket, &crate::run::lost(), *then),
                }
            }
            Fact::Resolved {
                ticket,
                verdict,
                bill,
                by,
            } => self.note_resolved(ticket, verdict, *bill, by, now),
            _ => {}
        }
    }

    fn close(&mut self, ticket: &Ticket, now: Timestamp, outcome: Outcome, bill: Bill) {
        self.end_attempt(ticket, now, |attempt| {
            attempt.outcome = outcome;
            attempt.bill = bill;
        });
    }

    fn note_resolved(
        &mut self,
        ticket: &Ticket,
        verdict: &Verdict,
        bill: Option<Bill>,
        by: &Arc<str>,
        now: Timestamp,
    ) {
        let said = match verdict {
            Verdict::Happened(_) => Said::Happened,
            Verdict::DidNot => Said::DidNot,
            Verdict::GiveUp => Said::GiveUp,
        };
        if let Some(attempt) = self.attempt_mut(ticket) {
            attempt.bill = bill.unwrap_or(attempt.bill);
            attempt.resolved = Some(Resolved {
                at: now,
                verdict: said,
                by: by.clone(),
            });
        }
        match verdict {
            Verdict::Happened(value) => self.ends_with(ticket, End::Done(value.clone())),
            Verdict::DidNot => {}
            Verdict::GiveUp => self.ends_with(ticket, End::Failed(crate::run::given_up())),
        }
    }

    /// Finds the entry whose last attempt this is.
    fn entry_mut(&mut self, ticket: &Ticket) -> Option<&mut Entry> {
        let at = self.joined.get(ticket).unwrap_or(&ticket.at);
        let entries = self.nodes.get_mut(at.node.0 as usize)?;
        let entry = entries.get_mut(&at.ords)?;
        let is_last = entry.attempt().is_some_and(|last| last.ticket == *ticket);
        is_last.then_some(entry)
    }

    fn ends_with(&mut self, ticket: &Ticket, end: End) {
        if let Some(entry) = self.entry_mut(ticket) {
            entry.end = Some(end);
        }
    }

    /// An instant has come, and what was to hold then holds.
    fn end_as_meant(&mut self, ticket: &Ticket) {
        if let Some(entry) = self.entry_mut(ticket) {
            let meant = entry.attempt().and_then(|last| last.otherwise.clone());
            entry.end = meant.map(End::Done);
        }
    }

    fn follow(&mut self, ticket: &Ticket, failure: &Failure, then: Then) {
        if let Some(entry) = self.entry_mut(ticket) {
            entry.follow(failure, then);
        }
    }
}

impl Entry {
    fn follow(&mut self, failure: &Failure, then: Then) {
        match then {
            Then::Fail => self.end = Some(End::Failed(failure.clone())),
            Then::FallBack => self.fell_back = Some(failure.clone()),
            Then::Cut => self.end = Some(End::Cut),
            Then::Again { .. }
            | Then::Probe { .. }
            | Then::Unknown
            | Then::Hold
            | Then::HoldUntil { .. } => {}
        }
    }
}
