//! Events with names and details, as programs and people read them.

use flow_core::address::{At, Ticket};
use flow_core::digest::Digest;
use flow_core::event::{
    Counts, Event, Fact, Failure as Why, FoundProgram, Started, Status, Then, Timer, Verdict,
};
use flow_core::handle::Handle;
use flow_core::step::{Bill, Sent};
use serde_json::{Map, Value as Json, json};

use crate::wording;

/// An event with its name and its details.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// The instance it is about.
    pub(crate) at: Option<At>,
    /// The item, of a region.
    pub(crate) item: Option<u32>,
    /// The attempt.
    pub(crate) attempt: Option<Ticket>,
    pub(crate) details: Map<String, Json>,
}

impl Entry {
    /// What is about the run as a whole.
    fn new(name: &'static str, details: Json) -> Self {
        Self {
            name,
            at: None,
            item: None,
            attempt: None,
            details: fields(details),
        }
    }

    fn of(self, at: &At) -> Self {
        Self {
            at: Some(at.clone()),
            ..self
        }
    }

    fn of_attempt(self, ticket: &Ticket) -> Self {
        Self {
            attempt: Some(ticket.clone()),
            ..self.of(&ticket.at)
        }
    }

    fn of_item(self, item: Option<u32>) -> Self {
        Self { item, ..self }
    }

    fn and(mut self, more: Json) -> Self {
        self.details.append(&mut fields(more));
        self
    }
}

/// Returns an event as an object.
pub(crate) fn as_json(seq: u64, event: &Event, entry: &Entry, path: Option<&str>) -> Json {
    let mut object = Map::new();
    object.insert("version".to_owned(), Json::from(1));
    object.insert("seq".to_owned(), Json::from(seq));
    object.insert("at".to_owned(), Json::from(event.at.to_string()));
    object.insert("event".to_owned(), Json::from(entry.name));
    object.insert("path".to_owned(), Json::from(path));
    let attempt = entry.attempt.as_ref();
    object.insert(
        "attempt".to_owned(),
        Json::from(attempt.map(|ticket| ticket.attempt)),
    );
    object.insert("details".to_owned(), Json::Object(entry.details.clone()));
    Json::Object(object)
}

/// Takes a fact apart.
pub(crate) fn entry(fact: &Fact) -> Entry {
    match fact {
        Fact::RunStarted(_)
        | Fact::OwnerTook { .. }
        | Fact::PauseAsked { .. }
        | Fact::ResumeAsked { .. }
        | Fact::CancelAsked { .. }
        | Fact::LimitsChanged { .. }
        | Fact::PlanReplaced { .. }
        | Fact::RunSettled { .. }
        | Fact::Reopened { .. }
        | Fact::ProgramsFound { .. }
        | Fact::Reset { .. } => of_run(fact),
        Fact::Elapsed(timer) => elapsed(timer),
        Fact::Opened { .. }
        | Fact::ItemsExpanded { .. }
        | Fact::BranchTaken { .. }
        | Fact::RoundOpened { .. }
        | Fact::RaceWon { .. }
        | Fact::Yielded { .. }
        | Fact::Broke { .. } => of_region(fact),
        Fact::Adopted { .. } | Fact::Joined { .. } | Fact::Reused { .. } | Fact::Refused { .. } => {
            of_step(fact)
        }
        Fact::AttemptStarted(started) => began(started),
        Fact::Succeeded { .. }
        | Fact::Failed { .. }
        | Fact::Stopped { .. }
        | Fact::AttemptLost { .. } => of_outcome(fact),
        Fact::WasSent { .. }
        | Fact::Submitted { .. }
        | Fact::Probed { .. }
        | Fact::Resolved { .. }
        | Fact::Rebilled { .. }
        | Fact::Waits { .. }
        | Fact::Asked { .. }
        | Fact::Answered { .. } => of_attempt(fact),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are elsewhere")]
fn of_run(fact: &Fact) -> Entry {
    match fact {
        Fact::RunStarted(start) => Entry::new(
            "run_started",
            json!({
                "plan": start.plan.to_string(),
                "seed": start.seed,
                "budget": start.budget.map(|amount| amount.to_string()),
                "inputs": handle(&start.inputs),
                "files": start.files.iter().map(|file| &*file.path).collect::<Vec<_>>(),
                "trigger": start.trigger.as_ref().map(|firing| &*firing.trigger),
                "recalled_from": start.recalled.as_ref().map(|found| found.from.run.to_string()),
                "rerun_of": start.parent.as_ref().map(|parent| parent.run.to_string()),
            }),
        ),
        Fact::OwnerTook { epoch, binary } => {
            Entry::new("owner_took", json!({ "epoch": epoch, "flow": &**binary }))
        }
        Fact::PauseAsked { by } => Entry::new("pause_asked", json!({ "by": &**by })),
        Fact::ResumeAsked { by } => Entry::new("resume_asked", json!({ "by": &**by })),
        Fact::CancelAsked {
            scope,
            item,
            by,
            why,
        } => {
            let entry = Entry::new("cancel_asked", json!({ "by": &**by, "why": &**why }));
            entry.of(scope).of_item(*item)
        }
        Fact::LimitsChanged { at, amount, by } => Entry {
            at: at.clone(),
            ..Entry::new(
                "limits_changed",
                json!({ "amount": amount.to_string(), "by": &**by }),
            )
        },
        Fact::PlanReplaced { plan, by, .. } => Entry::new(
            "plan_replaced",
            json!({ "plan": plan.to_string(), "by": &**by }),
        ),
        Fact::RunSettled { status, output } => Entry::new(
            "run_settled",
            json!({ "status": status_word(*status), "output": output.as_ref().map(handle) }),
        ),
        Fact::Reopened { by, at, item } => Entry {
            at: at.clone(),
            ..Entry::new("reopened", json!({ "by": &**by })).of_item(*item)
        },
        Fact::Reset { at, by, .. } => Entry::new("reset", json!({ "by": &**by })).of(at),
        Fact::ProgramsFound { programs } => Entry::new("programs_found", found(programs)),
        other => unreachable!("{} is not about a run", other.kind()),
    }
}

/// Writes what the commands of plugins consisted of, by the commands.
fn found(programs: &[FoundProgram]) -> Json {
    let programs = programs.iter().map(|found| {
        let digest = found.program.as_ref();
        let digest = digest.map(|program| program.digest.to_string());
        (found.run.to_string(), Json::from(digest))
    });
    Json::Object(programs.collect())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are elsewhere")]
fn of_region(fact: &Fact) -> Entry {
    match fact {
        Fact::Opened { at, within, budget } => Entry::new(
            "opened",
            json!({
                "within": within.map(|length| length.to_string()),
                "budget": budget.as_ref().map(|budget| budget.amount.to_string()),
            }),
        )
        .of(at),
        Fact::ItemsExpanded {
            at,
            count,
            parallel,
            ..
        } => Entry::new(
            "items_expanded",
            json!({ "count": count, "parallel": parallel }),
        )
        .of(at),
        Fact::BranchTaken { at, arm } => Entry::new("branch_taken", json!({ "arm": arm })).of(at),
        Fact::RoundOpened {
            at,
            round,
            state,
            max,
        } => Entry::new(
            "round_opened",
            json!({ "max": max, "state": handle(state) }),
        )
        .of(at)
        .of_item(Some(*round)),
        Fact::RaceWon { at, arm } => Entry::new("race_won", json!({ "arm": arm })).of(at),
        Fact::Yielded { at, item, value } => {
            let entry = Entry::new("yielded", json!({ "value": handle(value) }));
            entry.of(at).of_item(*item)
        }
        Fact::Broke {
            at,
            item,
            failure,
            then,
        } => {
            let entry = Entry::new("broke", failed(failure)).and(follows(*then));
            entry.of(at).of_item(*item)
        }
        other => unreachable!("{} is not about a region", other.kind()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are elsewhere")]
fn of_step(fact: &Fact) -> Entry {
    match fact {
        Fact::Joined { at, ticket } => {
            Entry::new("joined", json!({ "attempt": ticket.to_string() })).of(at)
        }
        Fact::Adopted {
            at, value, from, ..
        } => Entry::new(
            "adopted",
            json!({ "from": from.run.to_string(), "seq": from.seq, "value": handle(value) }),
        )
        .of(at),
        Fact::Reused {
            at,
            key,
            value,
            from,
        } => Entry::new(
            "reused",
            json!({
                "from": from.run.to_string(),
                "seq": from.seq,
                "key": key.to_string(),
                "value": handle(value),
            }),
        )
        .of(at),
        Fact::Refused {
            at,
            failure,
            ledger,
            missing,
            then,
        } => {
            let ledger = ledger.as_ref().map(ToString::to_string);
            let missing = missing.map(|amount| amount.to_string());
            Entry::new("refused", failed(failure))
                .and(follows(*then))
                .and(json!({ "ledger": ledger, "missing": missing }))
                .of(at)
        }
        other => unreachable!("{} is not about a step", other.kind()),
    }
}

fn began(started: &Started) -> Entry {
    let pools = started.grant.pools.iter();
    Entry::new(
        "attempt_started",
        json!({
            "effect": wording::effect(started.effect),
            "held": started.grant.hold.to_string(),
            "pools": pools.map(|pool| &**pool).collect::<Vec<_>>(),
            "key": started.key.as_ref().map(Digest::to_string),
            "input": started.input.to_string(),
            "idempotency": started.idempotency.to_string(),
            "timeout": started.timeout.map(|length| length.to_string()),
        }),
    )
    .of_attempt(&started.ticket)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are elsewhere")]
fn of_outcome(fact: &Fact) -> Entry {
    match fact {
        Fact::Succeeded {
            ticket,
            value,
            bill,
        } => Entry::new("succeeded", json!({ "value": handle(value) }))
            .and(billed(*bill))
            .of_attempt(ticket),
        Fact::Failed {
            ticket,
            failure,
            sent,
            bill,
            then,
        } => Entry::new("failed", failed(failure))
            .and(follows(*then))
            .and(json!({ "sent": sent_word(*sent) }))
            .and(billed(*bill))
            .of_attempt(ticket),
        Fact::Stopped {
            ticket,
            sent,
            bill,
            then,
        } => Entry::new("stopped", follows(*then))
            .and(json!({ "sent": sent_word(*sent) }))
            .and(billed(*bill))
            .of_attempt(ticket),
        Fact::AttemptLost { ticket, bill, then } => Entry::new("attempt_lost", follows(*then))
            .and(billed(*bill))
            .of_attempt(ticket),
        other => unreachable!("{} is no outcome", other.kind()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are elsewhere")]
fn of_attempt(fact: &Fact) -> Entry {
    let instant = |at: &flow_core::amount::Timestamp| at.to_string();
    let (name, ticket, details) = match fact {
        Fact::WasSent { ticket } => ("was_sent", ticket, json!({})),
        Fact::Submitted {
            ticket,
            job,
            expires,
        } => {
            let expires = expires.as_ref().map(instant);
            let details = json!({ "job": handle(job), "expires": expires });
            ("submitted", ticket, details)
        }
        Fact::Probed {
            ticket,
            found,
            then,
        } => {
            let happened = json!({ "happened": found.is_some() });
            let entry = Entry::new("probed", happened).and(follows(*then));
            return entry.of_attempt(ticket);
        }
        Fact::Resolved {
            ticket,
            verdict,
            bill,
            by,
        } => {
            let verdict = match verdict {
                Verdict::Happened(_) => "happened",
                Verdict::DidNot => "did_not",
                Verdict::GiveUp => "given_up",
            };
            let said = json!({ "verdict": verdict, "by": &**by });
            let bill = bill.map_or_else(|| json!({}), billed);
            return Entry::new("resolved", said).and(bill).of_attempt(ticket);
        }
        Fact::Rebilled { ticket, bill } => ("rebilled", ticket, billed(*bill)),
        Fact::Waits { ticket, until, .. } => {
            ("waits", ticket, json!({ "until": until.to_string() }))
        }
        Fact::Asked {
            ticket,
            form,
            expires,
            ..
        } => {
            let expires = expires.as_ref().map(instant);
            let details = json!({ "form": handle(form), "expires": expires });
            ("asked", ticket, details)
        }
        Fact::Answered { ticket, value, by } => {
            let details = json!({ "by": &**by, "value": handle(value) });
            ("answered", ticket, details)
        }
        other => unreachable!("{} is not about an attempt", other.kind()),
    };
    Entry::new(name, details).of_attempt(ticket)
}

fn elapsed(timer: &Timer) -> Entry {
    let named = |timer| Entry::new("elapsed", json!({ "timer": timer }));
    match timer {
        Timer::Pause(at) => named("pause").of(at),
        Timer::Within(at) => named("within").of(at),
        Timer::Wait(ticket) => named("wait").of_attempt(ticket),
        Timer::Expiry(ticket) => named("expiry").of_attempt(ticket),
    }
}

fn fields(object: Json) -> Map<String, Json> {
    let Json::Object(fields) = object else {
        panic!("what belongs to an event has names");
    };
    fields
}

/// Writes a small value, or where a large one is.
fn handle(handle: &Handle) -> Json {
    match handle {
        Handle::Small(value) => Json::from(wording::value(value)),
        Handle::Stored(digest) => Json::from(format!("stored:{}", digest.short())),
        Handle::Listed(listed) => Json::from(format!("a list of {}", listed.items.len())),
    }
}

fn failed(failure: &Why) -> Json {
    json!({ "class": failure.class.word(), "message": &*failure.message })
}

fn follows(then: Then) -> Json {
    match then {
        Then::Fail => json!({ "then": "fail" }),
        Then::FallBack => json!({ "then": "else" }),
        Then::Again { wake, counts, .. } => json!({
            "then": "again",
            "at": wake.to_string(),
            "counts": counts == Counts::Yes,
        }),
        Then::Probe { wake } => json!({ "then": "probe", "at": wake.to_string() }),
        Then::Unknown => json!({ "then": "unknown" }),
        Then::Hold => json!({ "then": "hold" }),
        Then::HoldUntil { wake } => json!({ "then": "hold", "at": wake.to_string() }),
        Then::Cut => json!({ "then": "cut" }),
    }
}

fn billed(bill: Bill) -> Json {
    match bill {
        Bill::None => json!({}),
        Bill::Exact(amount) => json!({ "cost": amount.to_string() }),
        Bill::Presumed(amount) => json!({ "presumed": amount.to_string() }),
    }
}

fn sent_word(sent: Sent) -> &'static str {
    match sent {
        Sent::No => "no",
        Sent::Maybe => "maybe",
        Sent::Refused => "refused",
    }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    }
}
