//! What is said about a run: on the way, and at its end.

use std::path::Path;
use std::sync::Arc;

use flow_core::address::{At, RunId};
use flow_core::amount::Money;
use flow_core::event::{Fact, Status, Then};
use flow_core::run::{Costs, Standing};
use flow_core::step::Bill;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_runtime::driver::{Driver, Outcome, Over, View};
use flow_runtime::store::Store;

use crate::args::DataFormat;
use crate::exit::{Exit, Failure};
use crate::next::Stop;
use crate::output::Output;

/// Returns what is said about an event. What goes well is not worth a line.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest goes well")]
pub(crate) fn line(view: &View<'_>, fact: &Fact) -> Option<String> {
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
                Then::Hold | Then::HoldUntil { .. } => "waits",
            };
            let class = failure.class.word();
            format!(
                "{} {what} ({class}): {}",
                name(view, &ticket.at),
                failure.message
            )
        }
        Fact::Broke { at, failure, .. } | Fact::Refused { at, failure, .. } => {
            let class = failure.class.word();
            format!("{} ({class}): {}", name(view, at), failure.message)
        }
        Fact::AttemptLost {
            bill: Bill::None,
            then: Then::Again { .. },
            ..
        } => return None,
        Fact::AttemptLost { ticket, bill, then } => {
            let path = name(view, &ticket.at);
            let charged = match bill.amount() {
                Money(0) => String::new(),
                amount => format!("; it may have been charged {amount}"),
            };
            let what = match then {
                Then::Unknown => ", and nobody knows whether it happened",
                Then::Again { .. } => ", and is made again",
                Then::Probe { .. } => ", and its target is asked",
                Then::Fail | Then::FallBack | Then::Hold | Then::HoldUntil { .. } | Then::Cut => "",
            };
            format!("{path} was in progress when flow ended{what}{charged}")
        }
        Fact::Asked { ticket, form, .. } => {
            let question = view.value(form).and_then(|form| question(&form));
            let question = question.unwrap_or_else(|| "a question".into());
            format!("{} asks: {question}", name(view, &ticket.at))
        }
        Fact::PauseAsked { .. } => "paused".to_owned(),
        _ => return None,
    };
    Some(format!("{line}\n"))
}

/// Returns the path of an instance, without the workflow that all of them have.
pub(crate) fn name(view: &View<'_>, at: &At) -> Arc<str> {
    let path = view.path(at).to_string();
    let root = &view.run.plan().root_node().name;
    let rest = path.strip_prefix(&**root);
    let rest = rest.and_then(|rest| rest.strip_prefix('/'));
    rest.unwrap_or(&path).into()
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

/// The end of a run, or of a part of it.
pub(crate) struct End {
    run: RunId,
    workflow: Arc<str>,
    /// Whose result it is, if an equal run was there before.
    recalled: Option<RunId>,
    /// What it gave.
    output: Option<Value>,
    /// The type of that.
    ty: Option<Type>,
    exit: Exit,
    status: Option<Status>,
    costs: Costs,
    /// What people have to see to.
    lines: Vec<String>,
    /// What drives it on.
    command: Option<String>,
}

impl End {
    /// Takes what a driver says. `named` is the store's folder, if that was named.
    pub(crate) fn of(
        driver: &Driver,
        outcome: &Outcome,
        store: &Store,
        named: Option<&Path>,
    ) -> Self {
        let run = driver.run();
        let stop = Stop {
            run,
            values: driver.values(),
            path: &|at| driver.path(at),
            blobs: &store.layout().blobs(),
            store: named,
        };
        let exit = match (outcome.standing, outcome.status) {
            (Standing::Over, Some(Status::Succeeded)) => Exit::Done,
            (Standing::Over, _) => Exit::Failed,
            (Standing::Waiting, _) => Exit::Waiting,
            (Standing::Unknown, _) => Exit::Unknown,
            (Standing::Short, _) => Exit::Budget,
            (Standing::Paused, _) if run.is_short() => Exit::Budget,
            (Standing::Paused | Standing::Working | Standing::Sleeping(_), _) => Exit::Interrupted,
        };
        let recalled = run.started().recalled.as_ref();
        Self {
            run: run.id().clone(),
            workflow: run.workflow().clone(),
            recalled: recalled.map(|recalled| recalled.from.run.clone()),
            output: driver.output(),
            ty: run.plan().root_node().ty.clone(),
            exit,
            status: outcome.status,
            costs: outcome.costs,
            lines: stop.lines(),
            command: stop.command(),
        }
    }

    /// Takes a run that was over when it began.
    pub(crate) fn recalled(over: Over, workflow: Arc<str>, ty: Option<Type>) -> Self {
        Self {
            run: over.run,
            workflow,
            recalled: Some(over.from),
            output: Some(over.value),
            ty,
            exit: Exit::Done,
            status: Some(Status::Succeeded),
            costs: Costs::default(),
            lines: Vec::new(),
            command: None,
        }
    }
}

/// How what a run gave is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// For people.
    Human,
    /// For people, and a text as it is.
    Plain,
    /// One JSON object.
    Json,
    /// One JSON object for each event, and one at the end.
    Stream,
}

impl From<DataFormat> for Shape {
    fn from(format: DataFormat) -> Self {
        match format {
            DataFormat::Human => Self::Human,
            DataFormat::Json => Self::Stream,
        }
    }
}

/// Says how a run ended.
pub(crate) fn tell(
    end: &End,
    output: &mut Output,
    shape: impl Into<Shape>,
) -> Result<Exit, Failure> {
    let (exit, shape) = (end.exit, shape.into());
    let json = result(end)?;
    if matches!(shape, Shape::Json | Shape::Stream) {
        output.data(&format!("{}\n", summary(end, json.as_ref())))?;
        return Ok(exit);
    }
    match (exit, &json, &end.output) {
        (Exit::Done, Some(_), Some(Value::Text(text))) if shape == Shape::Plain => {
            output.data(&format!("{text}\n"))?;
        }
        (Exit::Done, Some(json), _) => output.data(&format!("{json}\n"))?,
        _ => {}
    }
    for line in &end.lines {
        output.message(line)?;
    }
    output.message(&line_of(end))?;
    Ok(exit)
}

/// Returns the line that says how it ended, and what to type next.
fn line_of(end: &End) -> String {
    let costs = end.costs;
    let mut money = String::new();
    if costs.spent > Money(0) {
        money = format!(" · spent {}", costs.spent);
    }
    if costs.presumed > Money(0) {
        money = format!("{money} · {} may have been charged", costs.presumed);
    }
    let what = match end.exit {
        Exit::Done => match &end.recalled {
            Some(from) => return format!("done · nothing has changed since run {from}"),
            None => return format!("done{money}"),
        },
        Exit::Failed if end.status == Some(Status::Cancelled) => "cancelled",
        Exit::Failed => "failed",
        Exit::Waiting => "waits for a person",
        Exit::Unknown => "nobody knows what became of an act; the rest is done",
        Exit::Budget => "the budget is used up",
        Exit::Interrupted
        | Exit::Invalid
        | Exit::Usage
        | Exit::Io
        | Exit::Owned
        | Exit::Store
        | Exit::Late => "paused",
    };
    let verb = if end.exit == Exit::Failed {
        "try again"
    } else {
        "go on"
    };
    let first = if end.lines.is_empty() { "" } else { "then " };
    let command = end.command.as_ref();
    let next = command.map(|command| format!(" · {first}{verb} with `{command}`"));
    format!("{what}{money}{}", next.unwrap_or_default())
}

fn result(end: &End) -> Result<Option<serde_json::Value>, Failure> {
    let (Some(value), Some(ty)) = (&end.output, &end.ty) else {
        return Ok(None);
    };
    let json = flow_core::json::to_json(value, ty);
    json.map(Some)
        .map_err(|mismatch| Failure::io(format!("the result can't be shown: {mismatch}")))
}

fn summary(end: &End, output: Option<&serde_json::Value>) -> serde_json::Value {
    let status = match end.exit {
        Exit::Done => "succeeded",
        Exit::Failed if end.status == Some(Status::Cancelled) => "cancelled",
        Exit::Failed => "failed",
        Exit::Waiting => "waiting",
        Exit::Unknown => "unknown",
        Exit::Budget => "budget",
        Exit::Interrupted
        | Exit::Invalid
        | Exit::Usage
        | Exit::Io
        | Exit::Owned
        | Exit::Store
        | Exit::Late => "paused",
    };
    serde_json::json!({
        "version": 1,
        "event": "ended",
        "run": end.run.to_string(),
        "workflow": end.workflow.to_string(),
        "status": status,
        "output": output,
        "spent": end.costs.spent.to_string(),
        "presumed": end.costs.presumed.to_string(),
        "held": end.costs.held.to_string(),
    })
}
