//! The draft: events that were decided and wait for the writer.

use std::sync::Arc;
use std::time::Duration;

use flow_core::address::{RunId, Ticket};
use flow_core::arbiter::{Demand, Ending};
use flow_core::digest::Digest;
use flow_core::event::{Event, Fact, Then};
use flow_core::handle::Handle;
use flow_core::plan::NodeId;
use flow_core::run::Action;
use flow_core::step::Bill;
use tokio::time::Instant;

use crate::artifacts::Kept;
use crate::store::{
    Append, AskChange, AskRow, Batch, Begin, CacheEntry, EffectRow, EffectState, EventRow, Hold,
    LetterReply, Level, PartsRow, Summary,
};
use crate::values::Fresh;

/// How long events wait for more while attempts are in progress: each commit
/// costs more than a short step does.
const LINGER: Duration = Duration::from_millis(4);

/// How many events don't wait for more.
const LINGER_EVENTS: usize = 256;

/// Something that was asked of the arbiter, so that it can be asked again when
/// another process was first.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// A grant was taken.
    Granted(Box<Demand>),
    /// An attempt came to its end.
    Settled(Ticket, Bill, Ending),
    /// A demand was taken back.
    Withdrawn(Ticket),
}

/// Events that wait for the writer, with all that belongs to them.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) level: Level,
    /// When its first event was decided.
    pub(crate) since: Option<Instant>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) values: Fresh,
    pub(crate) kept: Vec<Kept>,
    pub(crate) references: Vec<Digest>,
    pub(crate) cache: Vec<CacheEntry>,
    pub(crate) effects: Vec<EffectRow>,
    pub(crate) asks: Vec<AskChange>,
    pub(crate) parts: Vec<PartsRow>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) replies: Vec<LetterReply>,
    pub(crate) begin: Option<Begin>,
    pub(crate) summary: Option<Summary>,
    pub(crate) hold: Hold,
    /// What is carried out when this is durable.
    pub(crate) actions: Vec<Action>,
    /// The events themselves, for whoever watches.
    pub(crate) told: Vec<Event>,
}

impl Draft {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.summary.is_none()
            && self.asked.is_empty()
            && self.replies.is_empty()
    }

    /// Returns how much longer it may wait for more to come: not if anybody
    /// waits for it.
    pub(crate) fn linger(&self) -> Option<Duration> {
        let since = self.since?;
        let is_awaited = self.level > Level::Lazy
            || !self.actions.is_empty()
            || !self.asked.is_empty()
            || !self.replies.is_empty()
            || self.events.len() >= LINGER_EVENTS;
        let left = LINGER.checked_sub(since.elapsed())?;
        (!is_awaited && !left.is_zero()).then_some(left)
    }

    /// Adds an event, and how sure its commit has to be.
    pub(crate) fn push(&mut self, seq: u64, event: &Event, level: Level) {
        let mut body = Vec::with_capacity(64);
        event
            .fact
            .encode(&mut body)
            .expect("the list of a `for` is computed before it gets into an event");
        self.level = self.level.max(level);
        self.since.get_or_insert_with(Instant::now);
        for handle in handles(&event.fact) {
            if let Handle::Stored(digest) = handle {
                self.references.push(**digest);
            }
        }
        self.note_effect(event, &body);
        self.note_ask(event, &body);
        self.events.push(EventRow {
            seq,
            at: event.at,
            kind: event.fact.kind(),
            node: node(&event.fact),
            body,
        });
        self.told.push(event.clone());
    }

    fn note_effect(&mut self, event: &Event, body: &[u8]) {
        if let Fact::AttemptStarted(started) = &event.fact
            && started.effect.acts()
        {
            self.effects.push(EffectRow {
                ticket: ticket_bytes(&started.ticket),
                state: EffectState::Intended,
                at: event.at,
                idempotency: started.idempotency,
                body: body.to_vec(),
            });
        }
    }

    /// Notes that a question is open again.
    pub(crate) fn ask(&mut self, event: &Event) {
        let mut body = Vec::new();
        let encoded = event.fact.encode(&mut body);
        encoded.expect("the fact was in the log before");
        self.note_ask(event, &body);
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other facts say nothing about it"
    )]
    fn note_ask(&mut self, event: &Event, body: &[u8]) {
        match &event.fact {
            Fact::Asked {
                ticket, expires, ..
            } => self.asks.push(AskChange::Asked(AskRow {
                ticket: ticket_bytes(ticket),
                at: event.at,
                expires: *expires,
                body: body.to_vec(),
            })),
            Fact::Answered { ticket, .. } => self.asks.push(AskChange::Over {
                ticket: ticket_bytes(ticket),
            }),
            _ => {}
        }
    }

    /// Makes the batch for the writer; what is carried out later stays here.
    pub(crate) fn batch(&mut self, run: &RunId, epoch: u64, head: u64) -> Batch {
        let mut append = Append::new(run.clone(), epoch, head);
        append.begin = self.begin.take();
        append.events = std::mem::take(&mut self.events);
        append.references = std::mem::take(&mut self.references);
        append.references.append(&mut self.values.references);
        append.summary = self.summary.take();
        append.effects = std::mem::take(&mut self.effects);
        append.asks = std::mem::take(&mut self.asks);
        append.parts = std::mem::take(&mut self.parts);
        append.replies = std::mem::take(&mut self.replies);
        append.hold = self.hold;
        let mut blobs = std::mem::take(&mut self.values.blobs);
        blobs.append(&mut self.kept);
        Batch {
            level: self.level,
            append: Some(append),
            values: std::mem::take(&mut self.values.values),
            blobs,
            shared: None,
            cache: std::mem::take(&mut self.cache),
            state: Vec::new(),
            letters: Vec::new(),
            letters_over: Vec::new(),
            pins: Vec::new(),
        }
    }
}

/// Returns the stored form of an attempt's address.
pub(crate) fn ticket_bytes(ticket: &Ticket) -> Vec<u8> {
    ticket.to_string().into_bytes()
}

/// Returns the node that a fact is about.
fn node(fact: &Fact) -> NodeId {
    match fact {
        Fact::CancelAsked { scope: at, .. }
        | Fact::Opened { at, .. }
        | Fact::Reset { at, .. }
        | Fact::Adopted { at, .. }
        | Fact::Joined { at, .. }
        | Fact::ItemsExpanded { at, .. }
        | Fact::BranchTaken { at, .. }
        | Fact::RoundOpened { at, .. }
        | Fact::RaceWon { at, .. }
        | Fact::Yielded { at, .. }
        | Fact::Broke { at, .. }
        | Fact::Reused { at, .. }
        | Fact::Refused { at, .. } => at.node,
        Fact::AttemptStarted(started) => started.ticket.at.node,
        Fact::WasSent { ticket }
        | Fact::Submitted { ticket, .. }
        | Fact::Succeeded { ticket, .. }
        | Fact::Failed { ticket, .. }
        | Fact::Stopped { ticket, .. }
        | Fact::AttemptLost { ticket, .. }
        | Fact::Probed { ticket, .. }
        | Fact::Resolved { ticket, .. }
        | Fact::Rebilled { ticket, .. }
        | Fact::Waits { ticket, .. }
        | Fact::Asked { ticket, .. }
        | Fact::Answered { ticket, .. } => ticket.at.node,
        Fact::Elapsed(timer) => timer_node(timer),
        Fact::RunStarted(_)
        | Fact::OwnerTook { .. }
        | Fact::PauseAsked { .. }
        | Fact::ResumeAsked { .. }
        | Fact::LimitsChanged { .. }
        | Fact::PlanReplaced { .. }
        | Fact::ProgramsFound { .. }
        | Fact::RunSettled { .. }
        | Fact::Reopened { .. } => NodeId(0),
    }
}

fn timer_node(timer: &flow_core::event::Timer) -> NodeId {
    use flow_core::event::Timer;
    match timer {
        Timer::Pause(at) | Timer::Within(at) => at.node,
        Timer::Wait(ticket) | Timer::Expiry(ticket) => ticket.at.node,
    }
}

/// Returns the handles in a fact.
fn handles(fact: &Fact) -> Vec<&Handle> {
    match fact {
        Fact::RunStarted(start) => {
            let files = start.files.iter().map(|file| &file.artifact);
            let event = start
                .trigger
                .iter()
                .filter_map(|firing| firing.event.as_ref());
            let recalled = start.recalled.iter().map(|recalled| &recalled.value);
            std::iter::once(&start.inputs)
                .chain(files)
                .chain(event)
                .chain(recalled)
                .collect()
        }
        Fact::PlanReplaced { inputs, files, .. } => {
            let files = files.iter().map(|file| &file.artifact);
            inputs.iter().chain(files).collect()
        }
        Fact::Adopted { value, .. }
        | Fact::Yielded { value, .. }
        | Fact::Reused { value, .. }
        | Fact::Succeeded { value, .. }
        | Fact::Waits { value, .. }
        | Fact::Answered { value, .. } => vec![value],
        Fact::RoundOpened { state, .. } => vec![state],
        Fact::Submitted { job, .. } => vec![job],
        Fact::RunSettled { output, .. } => output.iter().collect(),
        Fact::ItemsExpanded { keys, .. } => keys.iter().collect(),
        Fact::Probed { found, .. } => found.iter().collect(),
        Fact::Asked {
            form, otherwise, ..
        } => std::iter::once(form).chain(otherwise).collect(),
        Fact::Resolved {
            verdict: flow_core::event::Verdict::Happened(value),
            ..
        } => vec![value],
        Fact::OwnerTook { .. }
        | Fact::PauseAsked { .. }
        | Fact::ResumeAsked { .. }
        | Fact::CancelAsked { .. }
        | Fact::Opened { .. }
        | Fact::LimitsChanged { .. }
        | Fact::Reset { .. }
        | Fact::Joined { .. }
        | Fact::Reopened { .. }
        | Fact::ProgramsFound { .. }
        | Fact::BranchTaken { .. }
        | Fact::RaceWon { .. }
        | Fact::Broke { .. }
        | Fact::AttemptStarted(_)
        | Fact::WasSent { .. }
        | Fact::Failed { .. }
        | Fact::Stopped { .. }
        | Fact::AttemptLost { .. }
        | Fact::Resolved { .. }
        | Fact::Rebilled { .. }
        | Fact::Elapsed(_)
        | Fact::Refused { .. } => Vec::new(),
    }
}

/// Returns what became of an act, if a fact says so.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other facts say nothing about it"
)]
pub(crate) fn effect_state(fact: &Fact) -> Option<(&Ticket, EffectState)> {
    use flow_core::event::Verdict;
    use flow_core::step::Sent;
    match fact {
        Fact::Succeeded { ticket, .. }
        | Fact::Probed {
            ticket,
            found: Some(_),
            ..
        }
        | Fact::Resolved {
            ticket,
            verdict: Verdict::Happened(_),
            ..
        } => Some((ticket, EffectState::Happened)),
        Fact::Resolved {
            ticket,
            verdict: Verdict::DidNot,
            ..
        } => Some((ticket, EffectState::DidNot)),
        Fact::Resolved {
            ticket,
            verdict: Verdict::GiveUp,
            ..
        } => Some((ticket, EffectState::GivenUp)),
        Fact::Failed {
            ticket, sent, then, ..
        }
        | Fact::Stopped {
            ticket, sent, then, ..
        } => {
            let state = match (sent, then) {
                (_, Then::Unknown) => EffectState::Unknown,
                (Sent::No | Sent::Refused, _) => EffectState::DidNot,
                (Sent::Maybe, _) => EffectState::Intended,
            };
            Some((ticket, state))
        }
        Fact::AttemptLost {
            ticket,
            then: Then::Unknown,
            ..
        }
        | Fact::Probed {
            ticket,
            found: None,
            then: Then::Unknown,
        } => Some((ticket, EffectState::Unknown)),
        _ => None,
    }
}

/// Says where the value of a handle is, for the cache.
pub(crate) fn held(handle: &Handle) -> Option<crate::store::Held> {
    match handle {
        Handle::Small(value) => {
            let mut bytes = Vec::new();
            value.encode(&mut bytes).ok()?;
            Some(crate::store::Held::Inline(bytes))
        }
        Handle::Stored(digest) => Some(crate::store::Held::Stored(**digest)),
        Handle::Listed(_) => None,
    }
}

/// Reads a handle of the cache.
pub(crate) fn handle_of(held: &crate::store::Held) -> Option<Handle> {
    match held {
        crate::store::Held::Inline(bytes) => {
            let value = flow_core::value::Value::decode(bytes).ok()?;
            Some(Handle::Small(value))
        }
        crate::store::Held::Stored(digest) => Some(Handle::Stored(Arc::new(*digest))),
    }
}
