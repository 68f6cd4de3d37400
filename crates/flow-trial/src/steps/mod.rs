//! The steps of trials: what `trial.flow` declares.

mod ask;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flow_core::amount::Money;
use flow_core::effect::{Effect, FailureClass};
use flow_core::step::{Bill, Executor, Found, Sent, StepCall, StepFailure, StepReport, Work};
use flow_core::ty::Media;
use flow_core::value::Value;
use tokio::time::sleep;

use crate::point;
use crate::server::truth::Asked;
use ask::{Answer, failure};

/// The declarations, with the name of their source.
pub const DECLARATIONS: (&str, &str) = ("stdlib/trial.flow", include_str!("../../trial.flow"));

/// The variable that says where the server is.
pub const SERVER: &str = "FLOW_TRIAL_SERVER";

/// How often is looked whether a step should stop.
const LOOK: Duration = Duration::from_millis(20);

/// How long is waited before a job is asked for again.
const POLL: Duration = Duration::from_millis(5);

/// The steps.
const STEPS: [&str; 8] = [
    "trial.blob",
    "trial.job",
    "trial.keyed",
    "trial.once",
    "trial.paid",
    "trial.probed",
    "trial.pure",
    "trial.read",
];

/// Returns what carries out the steps, with the server at an address.
pub fn executors(server: Option<SocketAddr>) -> Vec<(Arc<str>, Arc<dyn Executor>)> {
    let trial: Arc<dyn Executor> = Arc::new(Trial { server });
    let steps = STEPS.iter();
    steps
        .map(|step| (Arc::from(*step), trial.clone()))
        .collect()
}

/// Speaks with the server.
#[derive(Debug, Clone, Copy)]
struct Trial {
    server: Option<SocketAddr>,
}

impl Trial {
    fn server(self) -> Result<SocketAddr, StepFailure> {
        self.server.ok_or_else(|| {
            StepFailure::unsent(FailureClass::Bug, format!("`{SERVER}` names no server"))
        })
    }
}

impl Executor for Trial {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let trial = *self;
        Box::pin(async move {
            point::pass(&format!("start {}", call.path));
            let report = unless_stopped(&call, begun(trial, &call)).await;
            point::pass(&format!("report {}", call.path));
            report
        })
    }

    fn poll(&self, call: StepCall, job: Value) -> Work<StepReport> {
        let trial = *self;
        Box::pin(async move {
            point::pass(&format!("poll {}", call.path));
            let report = unless_stopped(&call, polled(trial, &call, &job)).await;
            point::pass(&format!("report {}", call.path));
            report
        })
    }

    fn probe(&self, call: StepCall) -> Work<Found> {
        let trial = *self;
        Box::pin(async move {
            point::pass(&format!("probe {}", call.path));
            let found = probed(trial, &call).await;
            point::pass(&format!("found {}", call.path));
            found
        })
    }
}

/// Waits for a report, unless the run stops it.
async fn unless_stopped(
    call: &StepCall,
    work: impl Future<Output = Result<StepReport, StepFailure>>,
) -> StepReport {
    let stopped = async {
        while !call.desk.is_stopped() {
            sleep(LOOK).await;
        }
    };
    tokio::select! {
        report = work => report.unwrap_or_else(StepReport::Failed),
        () = stopped => StepReport::Stopped { sent: Sent::Maybe, bill: None },
    }
}

async fn begun(trial: Trial, call: &StepCall) -> Result<StepReport, StepFailure> {
    let server = trial.server()?;
    pause(call).await;
    let asked = asked(call);
    if &*call.step == "trial.job" {
        return handed_in(server, call, &asked).await;
    }
    let answer = ask::carry_out(server, call, "/do", &asked).await?;
    let bill = exact(answer.bill);
    let value = if &*call.step == "trial.blob" {
        blob(call, &answer.text, bill)?
    } else {
        text(call, &answer.text)
    };
    Ok(StepReport::Done { value, bill })
}

async fn pause(call: &StepCall) {
    if let Some(Value::Duration(length)) = call.args.get("sleep") {
        let length = u64::try_from(length.0).unwrap_or(0);
        sleep(Duration::from_nanos(length)).await;
    }
}

/// Hands in a job, if there is none of it already.
async fn handed_in(
    server: SocketAddr,
    call: &StepCall,
    asked: &Asked,
) -> Result<StepReport, StepFailure> {
    let is_listed = call.args.get("listed") == Some(&Value::Bool(true));
    let submitted = |job: String| StepReport::Submitted {
        job: Value::text(job),
        expires: None,
    };
    // An earlier attempt may have got through.
    if is_listed
        && call.ticket.attempt > 1
        && let Some(job) = ask::listed(server, &asked.key).await?
    {
        return Ok(submitted(job));
    }
    let failure = match ask::carry_out(server, call, "/jobs", asked).await {
        Ok(answer) => return Ok(submitted(answer.job)),
        Err(failure) => failure,
    };
    if is_listed
        && failure.sent == Sent::Maybe
        && let Some(job) = ask::listed(server, &asked.key).await?
    {
        return Ok(submitted(job));
    }
    Err(failure)
}

/// Asks for a job until it is over.
async fn polled(trial: Trial, call: &StepCall, job: &Value) -> Result<StepReport, StepFailure> {
    let server = trial.server()?;
    let Value::Text(job) = job else {
        return Err(StepFailure::unsent(FailureClass::Bug, "this is no job"));
    };
    loop {
        let answer = ask::get(server, &format!("/jobs/{job}")).await?;
        match &*answer.state {
            "done" => {
                return Ok(StepReport::Done {
                    value: text(call, &answer.text),
                    bill: exact(answer.bill),
                });
            }
            "running" => sleep(POLL).await,
            _ if answer.status == 404 => {
                return Err(StepFailure {
                    bill: Some(Bill::Presumed(call.bound)),
                    ..failure(
                        FailureClass::Expired,
                        Sent::Maybe,
                        "the job is not known any more",
                    )
                });
            }
            _ => return Err(ask::refused(call, &answer)),
        }
    }
}

async fn probed(trial: Trial, call: &StepCall) -> Found {
    let Ok(server) = trial.server() else {
        return Found::CannotTell;
    };
    if !matches!(&*call.step, "trial.keyed" | "trial.probed") {
        return Found::CannotTell;
    }
    let (key, script) = (call.idempotency, word(call, "probe"));
    let path = format!("/found?key={key}&script={script}");
    match ask::get(server, &path).await {
        Ok(Answer { found, .. }) if found == "yes" => Found::Yes(text(call, &asked(call).result())),
        Ok(Answer { found, .. }) if found == "no" => Found::No,
        Ok(_) | Err(_) => Found::CannotTell,
    }
}

/// Returns what the server is asked.
fn asked(call: &StepCall) -> Asked {
    let polls = match call.args.get("polls") {
        Some(Value::Int(polls)) => u32::try_from(*polls).unwrap_or(0),
        Some(_) | None => 0,
    };
    let bound = match call.args.get("cost") {
        Some(Value::Money(cost)) => *cost,
        Some(_) | None => Money(0),
    };
    let step = match &*call.step {
        "trial.blob" | "trial.job" => "paid",
        step => step.strip_prefix("trial.").unwrap_or(step),
    };
    Asked {
        step: step.to_owned(),
        name: word(call, "name").to_owned(),
        key: call.idempotency.to_string(),
        path: call.path.to_string(),
        bound,
        script: word(call, "fail").to_owned(),
        given: word(call, "given").to_owned(),
        polls,
    }
}

/// Returns an argument that is a text.
fn word<'a>(call: &'a StepCall, name: &str) -> &'a str {
    match call.args.get(name) {
        Some(Value::Text(text)) => text,
        Some(_) | None => "",
    }
}

/// Returns a result, as long as it was asked for.
fn text(call: &StepCall, result: &str) -> Value {
    let letters = match call.args.get("letters") {
        Some(Value::Int(letters)) => usize::try_from(*letters).unwrap_or(0),
        Some(_) | None => 0,
    };
    let more = letters.saturating_sub(result.len());
    Value::text(format!("{result}{}", ".".repeat(more)))
}

/// Makes a file whose bytes follow from a result.
fn blob(call: &StepCall, result: &str, bill: Bill) -> Result<Value, StepFailure> {
    let bytes = match call.args.get("bytes") {
        Some(Value::Int(bytes)) => usize::try_from(*bytes).unwrap_or(0),
        Some(_) | None => 0,
    };
    let path: PathBuf = call.desk.folder()?.join("blob");
    let content: Vec<u8> = result.bytes().cycle().take(bytes).collect();
    let written = std::fs::write(&path, content);
    let kept = written
        .and_then(|()| std::fs::File::open(&path))
        .map_err(|error| failure(FailureClass::Transient, Sent::Maybe, &error.to_string()))
        .and_then(|mut file| call.desk.keep(&mut file, Media::File));
    // It was paid for, whatever became of it.
    let artifact = kept.map_err(|failure| StepFailure {
        sent: Sent::Maybe,
        bill: Some(bill),
        ..failure
    })?;
    Ok(Value::Artifact(Arc::new(artifact)))
}

fn exact(bill: i64) -> Bill {
    match bill {
        0 => Bill::None,
        bill => Bill::Exact(Money(bill)),
    }
}

/// Returns whether something was refused for sure that got this status. An act
/// may have happened all the same if the server is overrun.
fn is_refusal(effect: Effect, status: u16) -> bool {
    match status {
        408 | 409 | 500.. => false,
        429 => !effect.acts(),
        _ => true,
    }
}
