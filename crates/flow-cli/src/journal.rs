//! Events with names and details, as programs and people read them.

use flow_core::address::{At, Ticket};
use flow_core::digest::Digest;
use flow_core::event::{
    Counts, Event, Fact, Failure as Why, FoundProgram, Status, Then, Timer, Verdict,
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
#[expect(clippy::too_many_lines, reason = "an arm for each fact")]
pub(crate) fn entry(fact: &Fact) -> Entry {
    let of_run = |name, details: Json| Entry {
        name,
        at: None,
        item: None,
        attempt: None,
        details: fields(details),
    };
    match fact {
        Fact::RunStarted(start) => of_run(
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
            of_run("owner_took", json!({ "epoch": epoch, "flow": &**binary }))
        }
        Fact::PauseAsked { by } => of_run("pause_asked", json!({ "by": &**by })),
        Fact::ResumeAsked { by } => of_run("resume_asked", json!({ "by": &**by })),
        Fact::LimitsChanged { at, amount, by } => Entry {
            at: at.clone(),
            ..of_run(
                "limits_changed",
                json!({ "amount": amount.to_string(), "by": &**by }),
            )
        },
        Fact::PlanReplaced { plan, by, .. } => of_run(
            "plan_replaced",
            json!({ "plan": plan.to_string(), "by": &**by }),
        ),
        Fact::RunSettled { status, output } => of_run(
            "run_settled",
            json!({ "status": status_word(*status), "output": output.as_ref().map(handle) }),
        ),
        Fact::Reopened { by, at, item } => Entry {
            at: at.clone(),
            item: *item,
            ..of_run("reopened", json!({ "by": &**by }))
        },
        Fact::ProgramsFound { programs } => of_run("programs_found", found(programs)),
        Fact::CancelAsked {
            scope,
            item,
            by,
            why,
        } => Entry {
            item: *item,
            at: Some(scope.clone()),
            ..of_run("cancel_asked", json!({ "by": &**by, "why": &**why }))
        },
        Fact::Elapsed(timer) => elapsed(timer),
        Fact::Opened { .. }
        | Fact::Reset { .. }
        | Fact::Adopted { .. }
        | Fact::Joined { .. }
        | Fact::ItemsExpanded { .. }
        | Fact::BranchTaken { .. }
        | Fact::RoundOpened { .. }
        | Fact::RaceWon { .. }
        | Fact::Yielded { .. }
        | Fact::Broke { .. }
        | Fact::Reused { .. }
        | Fact::Refused { .. } => of_instance(fact),
        Fact::AttemptStarted(_)
        | Fact::WasSent { .. }
        | Fact::Submitted { .. }
        | Fact::Succeeded { .. }
        | Fact::Failed { .. }
        | Fact::Stopped { .. }
        | Fact::AttemptLost { .. }
        | Fact::Probed { .. }
        | Fact::Resolved { .. }
        | Fact::Rebilled { .. }
        | Fact::Waits { .. }
        | Fact::Asked { .. }
        | Fact::Answered { .. } => of_attempt(fact),
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

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only facts of instances come here"
)]
#[expect(clippy::too_many_lines, reason = "an arm for each fact")]
fn of_instance(fact: &Fact) -> Entry {
    let (name, at, item, details) = match fact {
        Fact::Opened { at, within, budget } => (
            "opened",
            at,
            None,
            json!({
                "within": within.map(|length| length.to_string()),
                "budget": budget.as_ref().map(|budget| budget.amount.to_string()),
            }),
        ),
        Fact::Reset { at, by, .. } => ("reset", at, None, json!({ "by": &**by })),
        Fact::Joined { at, ticket } => {
            ("joined", at, None, json!({ "attempt": ticket.to_string() }))
        }
        Fact::Adopted {
            at, value, from, ..
        } => (
            "adopted",
            at,
            None,
            json!({ "from": from.run.to_string(), "seq": from.seq, "value": handle(value) }),
        ),
        Fact::ItemsExpanded {
            at,
            count,
            parallel,
            ..
        } => (
            "items_expanded",
            at,
            None,
            json!({ "count": count, "parallel": parallel }),
        ),
        Fact::BranchTaken { at, arm } => ("branch_taken", at, None, json!({ "arm": arm })),
        Fact::RoundOpened {
            at,
            round,
            state,
            max,
        } => (
            "round_opened",
            at,
            Some(*round),
            json!({ "max": max, "state": handle(state) }),
        ),
        Fact::RaceWon { at, arm } => ("race_won", at, None, json!({ "arm": arm })),
        Fact::Yielded { at, item, value } => {
            ("yielded", at, *item, json!({ "value": handle(value) }))
        }
        Fact::Broke {
            at,
            item,
            failure,
            then,
        } => ("broke", at, *item, failed(failure, *then)),
        Fact::Reused {
            at,
            key,
            value,
            from,
        } => (
            "reused",
            at,
            None,
            json!({
                "from": from.run.to_string(),
                "seq": from.seq,
                "key": key.to_string(),
                "value": handle(value),
            }),
        ),
        Fact::Refused {
            at,
            failure,
            ledger,
            missing,
            then,
        } => {
            let mut details = fields(failed(failure, *then));
            let ledger = ledger.as_ref().map(ToString::to_string);
            details.insert("ledger".to_owned(), Json::from(ledger));
            let missing = missing.map(|amount| amount.to_string());
            details.insert("missing".to_owned(), Json::from(missing));
            ("refused", at, None, Json::Object(details))
        }
        _ => unreachable!("it is about no instance"),
    };
    Entry {
        name,
        at: Some(at.clone()),
        item,
        attempt: None,
        details: fields(details),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only facts of attempts come here"
)]
#[expect(clippy::too_many_lines, reason = "an arm for each fact")]
fn of_attempt(fact: &Fact) -> Entry {
    let (name, ticket, details) = match fact {
        Fact::AttemptStarted(started) => (
            "attempt_started",
            &started.ticket,
            json!({
                "effect": wording::effect(started.effect),
                "held": started.grant.hold.to_string(),
                "pools": started.grant.pools.iter().map(|pool| &**pool).collect::<Vec<_>>(),
                "key": started.key.as_ref().map(Digest::to_string),
                "input": started.input.to_string(),
                "idempotency": started.idempotency.to_string(),
                "timeout": started.timeout.map(|length| length.to_string()),
            }),
        ),
        Fact::WasSent { ticket } => ("was_sent", ticket, json!({})),
        Fact::Submitted {
            ticket,
            job,
            expires,
        } => (
            "submitted",
            ticket,
            json!({ "job": handle(job), "expires": expires.map(|at| at.to_string()) }),
        ),
        Fact::Succeeded {
            ticket,
            value,
            bill,
        } => {
            let mut details = billed(*bill);
            details.insert("value".to_owned(), handle(value));
            ("succeeded", ticket, Json::Object(details))
        }
        Fact::Failed {
            ticket,
            failure,
            sent,
            bill,
            then,
        } => {
            let mut details = fields(failed(failure, *then));
            details.insert("sent".to_owned(), Json::from(sent_word(*sent)));
            details.append(&mut billed(*bill));
            ("failed", ticket, Json::Object(details))
        }
        Fact::Stopped {
            ticket,
            sent,
            bill,
            then,
        } => {
            let mut details = billed(*bill);
            details.insert("sent".to_owned(), Json::from(sent_word(*sent)));
            details.append(&mut fields(follows(*then)));
            ("stopped", ticket, Json::Object(details))
        }
        Fact::AttemptLost { ticket, bill, then } => {
            let mut details = billed(*bill);
            details.append(&mut fields(follows(*then)));
            ("attempt_lost", ticket, Json::Object(details))
        }
        Fact::Probed {
            ticket,
            found,
            then,
        } => {
            let mut details = fields(follows(*then));
            details.insert("happened".to_owned(), Json::from(found.is_some()));
            ("probed", ticket, Json::Object(details))
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
            let mut details = bill.map(billed).unwrap_or_default();
            details.insert("verdict".to_owned(), Json::from(verdict));
            details.insert("by".to_owned(), Json::from(&**by));
            ("resolved", ticket, Json::Object(details))
        }
        Fact::Rebilled { ticket, bill } => ("rebilled", ticket, Json::Object(billed(*bill))),
        Fact::Waits { ticket, until, .. } => {
            ("waits", ticket, json!({ "until": until.to_string() }))
        }
        Fact::Asked {
            ticket,
            form,
            expires,
            ..
        } => (
            "asked",
            ticket,
            json!({ "form": handle(form), "expires": expires.map(|at| at.to_string()) }),
        ),
        Fact::Answered { ticket, value, by } => (
            "answered",
            ticket,
            json!({ "by": &**by, "value": handle(value) }),
        ),
        _ => unreachable!("it is about no attempt"),
    };
    Entry {
        name,
        at: Some(ticket.at.clone()),
        item: None,
        attempt: Some(ticket.clone()),
        details: fields(details),
    }
}

fn elapsed(timer: &Timer) -> Entry {
    let (what, at, attempt) = match timer {
        Timer::Pause(at) => ("pause", at, None),
        Timer::Within(at) => ("within", at, None),
        Timer::Wait(ticket) => ("wait", &ticket.at, Some(ticket)),
        Timer::Expiry(ticket) => ("expiry", &ticket.at, Some(ticket)),
    };
    Entry {
        name: "elapsed",
        at: Some(at.clone()),
        item: None,
        attempt: attempt.cloned(),
        details: fields(json!({ "timer": what })),
    }
}

fn fields(object: Json) -> Map<String, Json> {
    if let Json::Object(fields) = object {
        fields
    } else {
        Map::new()
    }
}

/// Writes a small value, or where a large one is.
fn handle(handle: &Handle) -> Json {
    match handle {
        Handle::Small(value) => Json::from(wording::value(value)),
        Handle::Stored(digest) => Json::from(format!("stored:{}", digest.short())),
        Handle::Listed(listed) => Json::from(format!("a list of {}", listed.items.len())),
    }
}

fn failed(failure: &Why, then: Then) -> Json {
    let mut details = fields(json!({
        "class": failure.class.word(),
        "message": &*failure.message,
    }));
    details.append(&mut fields(follows(then)));
    Json::Object(details)
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

fn billed(bill: Bill) -> Map<String, Json> {
    fields(match bill {
        Bill::None => json!({}),
        Bill::Exact(amount) => json!({ "cost": amount.to_string() }),
        Bill::Presumed(amount) => json!({ "presumed": amount.to_string() }),
    })
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
