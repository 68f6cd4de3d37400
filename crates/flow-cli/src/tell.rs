//! What is said about a run: on the way, and at its end.

use std::sync::Arc;

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::event::{Event, Fact, Status, Then};
use flow_core::run::Standing;
use flow_core::step::{Bill, Progress};
use flow_core::value::Value;
use flow_runtime::driver::{Driver, Outcome, View, Watcher};

use crate::args::DataFormat;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Says what happens, in plain lines.
#[derive(Debug)]
pub(crate) struct Teller;

impl Watcher for Teller {
    fn event(&mut self, view: &View<'_>, event: &Event) {
        let Some(line) = line(view, &event.fact) else {
            return;
        };
        let mut stream = std::io::stderr().lock();
        drop(std::io::Write::write_all(&mut stream, line.as_bytes()));
    }

    fn progress(&mut self, _ticket: &Ticket, _progress: &Progress) {}
}

/// Returns what is said about an event. What goes well is not worth a line.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest goes well")]
fn line(view: &View<'_>, fact: &Fact) -> Option<String> {
    let line = match fact {
        Fact::Failed {
            ticket,
            failure,
            then,
            ..
        } => {
            let what = match then {
                Then::Fail | Then::Cut => "failed",
                Then::FallBack => "failed, falls back",
                Then::Again { .. } => "failed, tries again",
                Then::Probe { .. } => "may have happened; its target is asked",
                Then::Unknown => "may have happened; nobody knows",
                Then::Hold => "waits",
            };
            let class = failure.class.word();
            format!(
                "{} {what} ({class}): {}",
                view.path(&ticket.at),
                failure.message
            )
        }
        Fact::Broke { at, failure, .. } | Fact::Refused { at, failure, .. } => {
            let class = failure.class.word();
            format!("{} ({class}): {}", view.path(at), failure.message)
        }
        Fact::AttemptLost {
            bill: Bill::None,
            then: Then::Again { .. },
            ..
        } => return None,
        Fact::AttemptLost { ticket, bill, then } => {
            let path = view.path(&ticket.at);
            let charged = match bill.amount() {
                Money(0) => String::new(),
                amount => format!("; it may have been charged {amount}"),
            };
            let what = match then {
                Then::Unknown => ", and nobody knows whether it happened",
                Then::Again { .. } => ", and is made again",
                Then::Probe { .. } => ", and its target is asked",
                Then::Fail | Then::FallBack | Then::Hold | Then::Cut => "",
            };
            format!("{path} was in progress when flow ended{what}{charged}")
        }
        Fact::Asked { ticket, form, .. } => {
            let question = view.value(form).and_then(|form| question(&form));
            let question = question.unwrap_or_else(|| "a question".into());
            format!("{} asks: {question}", view.path(&ticket.at))
        }
        Fact::PauseAsked { .. } => "paused".to_owned(),
        _ => return None,
    };
    Some(format!("{line}\n"))
}

fn question(form: &Value) -> Option<Arc<str>> {
    let Value::Record(fields) = form else {
        return None;
    };
    let Value::Text(text) = fields.get("question")? else {
        return None;
    };
    Some(text.clone())
}

/// Says how a run ended.
pub(crate) fn tell(
    driver: &Driver,
    outcome: &Outcome,
    output: &mut Output,
    format: DataFormat,
) -> Result<Exit, Failure> {
    let run = driver.run();
    let id = run.id();
    let exit = match (outcome.standing, outcome.status) {
        (Standing::Over, Some(Status::Succeeded)) => Exit::Done,
        (Standing::Over, _) => Exit::Failed,
        (Standing::Waiting, _) => Exit::Waiting,
        (Standing::Unknown, _) => Exit::Unknown,
        (Standing::Short, _) => Exit::Budget,
        (Standing::Paused, _) if run.is_short() => Exit::Budget,
        (Standing::Paused | Standing::Working | Standing::Sleeping(_), _) => Exit::Interrupted,
    };
    let json = result(driver)?;
    if format == DataFormat::Json {
        output.data(&format!(
            "{}\n",
            summary(driver, outcome, exit, json.as_ref())
        ))?;
        return Ok(exit);
    }
    if let (Exit::Done, Some(json)) = (exit, &json) {
        output.data(&format!("{json}\n"))?;
    }
    let costs = outcome.costs;
    let mut money = String::new();
    if costs.spent > Money(0) {
        money = format!(" · spent {}", costs.spent);
    }
    if costs.presumed > Money(0) {
        money = format!("{money} · {} may have been charged", costs.presumed);
    }
    let line = match exit {
        Exit::Done => format!("done{money}"),
        Exit::Failed => format!("failed{money} · try again with `flow resume {id}`"),
        Exit::Waiting => format!("waits for a person{money} · go on with `flow resume {id}`"),
        Exit::Unknown => {
            format!("nobody knows what became of an act{money} · the rest is done")
        }
        Exit::Budget => {
            format!("the budget is used up{money} · go on with `flow resume {id} --budget …`")
        }
        Exit::Interrupted | Exit::Invalid | Exit::Usage | Exit::Io | Exit::Owned | Exit::Store => {
            format!("paused{money} · go on with `flow resume {id}`")
        }
    };
    output.message(&line)?;
    Ok(exit)
}

fn result(driver: &Driver) -> Result<Option<serde_json::Value>, Failure> {
    let ty = driver
        .run()
        .plan()
        .node(flow_core::plan::NodeId(0))
        .ty
        .clone();
    let (Some(value), Some(ty)) = (driver.output(), ty) else {
        return Ok(None);
    };
    let json = flow_core::json::to_json(&value, &ty);
    json.map(Some)
        .map_err(|mismatch| Failure::io(format!("the result can't be shown: {mismatch}")))
}

fn summary(
    driver: &Driver,
    outcome: &Outcome,
    exit: Exit,
    output: Option<&serde_json::Value>,
) -> serde_json::Value {
    let status = match exit {
        Exit::Done => "succeeded",
        Exit::Failed if outcome.status == Some(Status::Cancelled) => "cancelled",
        Exit::Failed => "failed",
        Exit::Waiting => "waiting",
        Exit::Unknown => "unknown",
        Exit::Budget => "budget",
        Exit::Interrupted | Exit::Invalid | Exit::Usage | Exit::Io | Exit::Owned | Exit::Store => {
            "paused"
        }
    };
    serde_json::json!({
        "version": 1,
        "run": driver.run().id().to_string(),
        "workflow": driver.run().workflow().to_string(),
        "status": status,
        "output": output,
        "spent": outcome.costs.spent.to_string(),
        "presumed": outcome.costs.presumed.to_string(),
        "held": outcome.costs.held.to_string(),
    })
}
