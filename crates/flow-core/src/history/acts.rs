//! Acts: what a run did, or may have done, to the world, and what that cost.
//!
//! A third fold of a log. Nothing is forgotten here by a reset or another plan:
//! what has happened has happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Ticket;
use crate::amount::{Money, Timestamp};
use crate::digest::Digest;
use crate::effect::Effect;
use crate::event::{Event, Fact, Same, Started, Then, Verdict};
use crate::path::StepPath;
use crate::plan::NodeKind;
use crate::run::Run;
use crate::step::{Bill, Sent};

use super::History;

/// An attempt that costs or acts.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// The attempt.
    pub ticket: Ticket,
    /// Where it was, with the keys of items.
    pub path: StepPath,
    /// The step.
    pub step: Arc<str>,
    /// What it may do.
    pub effect: Effect,
    /// The key by which its target knows it.
    pub idempotency: Digest,
    /// What was held for it.
    pub hold: Money,
    /// When its intent was written.
    pub intended: Timestamp,
    /// What is known of it.
    pub known: Known,
    /// Since when.
    pub since: Timestamp,
    /// What speaks for that.
    pub evidence: Option<Arc<str>>,
    /// What it cost.
    pub bill: Bill,
}

/// What is known of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// It is in progress.
    Intended,
    /// Its target is asked.
    Probing,
    /// It may have happened, and the next attempt is the same act.
    Repeated,
    /// It happened.
    Confirmed,
    /// It didn't happen.
    Rejected,
    /// Nobody knows.
    Unknown,
    /// Nobody will ever know.
    GivenUp,
}

/// What a run did to the world.
#[derive(Debug, Clone, Default)]
pub struct Acts(BTreeMap<Ticket, Act>);

impl Acts {
    /// Returns all, in the order of their intents.
    pub fn all(&self) -> Vec<&Act> {
        let mut all: Vec<&Act> = self.0.values().collect();
        all.sort_by_key(|act| act.intended);
        all
    }

    /// Adds an event. The run and its history are as they are after it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "others say nothing of acts")]
    pub fn note(
        &mut self,
        event: &Event,
        run: &Run,
        history: &History,
        values: &dyn crate::handle::Values,
    ) {
        match &event.fact {
            Fact::AttemptStarted(started) if started.effect.costs() => {
                let path = history.path(&started.ticket.at, values);
                self.begin(started, event.at, path, run);
            }
            Fact::Succeeded { ticket, bill, .. } => {
                self.end(ticket, event.at, Known::Confirmed, None);
                self.bill(ticket, *bill);
            }
            Fact::Failed {
                ticket,
                failure,
                sent,
                bill,
                then,
            } => {
                let known = self.known_after(ticket, *sent, *then);
                self.end(ticket, event.at, known, Some(failure.message.clone()));
                self.bill(ticket, *bill);
            }
            Fact::Stopped {
                ticket,
                sent,
                bill,
                then,
            } => {
                let known = self.known_after(ticket, *sent, *then);
                self.end(ticket, event.at, known, Some("it was stopped".into()));
                self.bill(ticket, *bill);
            }
            Fact::AttemptLost { ticket, bill, then } => {
                let known = self.known_after(ticket, Sent::Maybe, *then);
                let evidence = "flow ended while it was in progress";
                self.end(ticket, event.at, known, Some(evidence.into()));
                self.bill(ticket, *bill);
            }
            Fact::Probed { .. } | Fact::Resolved { .. } => self.find_out(event),
            Fact::Rebilled { ticket, bill } => self.bill(ticket, *bill),
            // It goes on elsewhere.
            Fact::Joined { at, ticket } => {
                if let Some(act) = self.0.get_mut(ticket) {
                    act.path = history.path(at, values);
                }
            }
            Fact::Refused { at, then, .. } if *then == Then::Unknown => {
                // It was to be tried again to find out, and can't be any more.
                let mut acts = self.0.values_mut();
                if let Some(open) = acts.rfind(|act| {
                    act.ticket.at == *at && matches!(act.known, Known::Repeated | Known::Intended)
                }) {
                    (open.known, open.since) = (Known::Unknown, event.at);
                }
            }
            _ => {}
        }
    }

    /// Notes what somebody found out later.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only these two come here")]
    fn find_out(&mut self, event: &Event) {
        match &event.fact {
            Fact::Probed {
                ticket,
                found,
                then,
            } => {
                let (known, evidence) = match (found, then) {
                    (Some(_), _) => (Known::Confirmed, "its target has it"),
                    (None, Then::Unknown) => (Known::Unknown, "its target can't tell"),
                    (None, _) => (Known::Rejected, "its target doesn't have it"),
                };
                self.end(ticket, event.at, known, Some(evidence.into()));
            }
            Fact::Resolved {
                ticket,
                verdict,
                bill,
                by,
            } => {
                let known = match verdict {
                    Verdict::Happened(_) => Known::Confirmed,
                    Verdict::DidNot => Known::Rejected,
                    Verdict::GiveUp => Known::GivenUp,
                };
                let evidence = format!("{by} said so");
                self.end(ticket, event.at, known, Some(evidence.into()));
                if let Some(bill) = bill {
                    self.bill(ticket, *bill);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, started: &Started, now: Timestamp, path: StepPath, run: &Run) {
        let node = run.plan().node(started.ticket.at.node);
        let step = match &node.kind {
            NodeKind::Step(step) => step.step.clone(),
            NodeKind::Value(_)
            | NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => node.name.clone(),
        };
        let act = Act {
            ticket: started.ticket.clone(),
            path,
            step,
            effect: started.effect,
            idempotency: started.idempotency,
            hold: started.grant.hold,
            intended: now,
            known: Known::Intended,
            since: now,
            evidence: None,
            bill: Bill::None,
        };
        self.0.insert(act.ticket.clone(), act);
    }

    /// Returns what is known after an attempt that didn't succeed.
    fn known_after(&self, ticket: &Ticket, sent: Sent, then: Then) -> Known {
        let acts = self.0.get(ticket).is_some_and(|act| act.effect.acts());
        match then {
            Then::Unknown => Known::Unknown,
            Then::Probe { .. } => Known::Probing,
            Then::Again {
                same: Same::Act, ..
            } if acts && sent == Sent::Maybe => Known::Repeated,
            Then::Fail
            | Then::FallBack
            | Then::Again { .. }
            | Then::Hold
            | Then::HoldUntil { .. }
            | Then::Cut => Known::Rejected,
        }
    }

    fn end(&mut self, ticket: &Ticket, now: Timestamp, known: Known, evidence: Option<Arc<str>>) {
        if let Some(act) = self.0.get_mut(ticket) {
            act.known = known;
            act.since = now;
            act.evidence = evidence;
        }
    }

    fn bill(&mut self, ticket: &Ticket, bill: Bill) {
        if let Some(act) = self.0.get_mut(ticket) {
            act.bill = bill;
        }
    }
}
