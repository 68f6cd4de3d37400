//! Driving a run from the command line: what it works with, Ctrl-C, what is
//! said on the way, and how it ended.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use flow_core::amount::{Money, Timestamp};
use flow_core::event::{Event, Fact, Status, Then};
use flow_core::run::Standing;
use flow_core::step::Progress;
use flow_runtime::clock::{Clock, WallClock};
use flow_runtime::driver::{
    BeginError, DriveError, Driver, Executors, Order, Outcome, Reuse, Surroundings, View, Watcher,
};
use flow_runtime::store::{Options, Store, TakeError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::args::{DataFormat, Running};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

/// How many orders may wait.
const ORDERS: usize = 16;

/// How many steps are in progress at once if nothing is said.
const PARALLEL: usize = 64;

/// What a run works with.
pub(crate) struct Desk {
    store: Arc<Store>,
    around: Parts,
}

struct Parts {
    executors: Executors,
    clock: Arc<dyn Clock>,
    parallel: usize,
    reuse: Reuse,
}

impl Desk {
    /// Opens the store, and gathers what carries out steps.
    pub(crate) fn open(
        root: &Path,
        running: &Running,
        extra: &Extra,
        reuse: Reuse,
    ) -> Result<Self, Failure> {
        let folder = running.store.clone();
        let folder = folder.unwrap_or_else(|| root.join(".flow"));
        let options = extra.options.clone().unwrap_or_else(Options::default);
        let store = Store::open(&folder, options);
        let store = store.map_err(|error| Failure::store(whole(&error)))?;
        let clock: Arc<dyn Clock> = match &extra.clock {
            Some(clock) => Arc::new(Told(clock.clone())),
            None => Arc::new(WallClock),
        };
        let told = clock.clone();
        let place = flow_steps::Place {
            project: root.to_path_buf(),
            clock: Arc::new(move || told.now()),
        };
        let mut executors: Executors = flow_steps::register(&place).into_iter().collect();
        executors.extend(extra.executors.iter().cloned());
        Ok(Self {
            store: Arc::new(store),
            around: Parts {
                executors,
                clock,
                parallel: running.parallel.map_or(PARALLEL, std::num::NonZero::get),
                reuse,
            },
        })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Reads the budget of the command line.
    pub(crate) fn budget(&self, running: &Running) -> Result<Option<Money>, Failure> {
        let Some(text) = &running.budget else {
            return Ok(None);
        };
        let amount: Result<Money, _> = text.parse();
        amount.map(Some).map_err(|error| {
            Failure::usage(format!("`--budget`: {error}")).with_help("write `--budget '$2.50'`")
        })
    }
}

/// A clock that somebody else has.
struct Told(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told")
    }
}

impl Clock for Told {
    fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// Drives a run to its end, and says how that was.
pub(crate) fn drive<Make, Made>(
    desk: Desk,
    output: &mut Output,
    format: DataFormat,
    make: Make,
) -> Result<Exit, Failure>
where
    Make: FnOnce(Surroundings, mpsc::Sender<Order>) -> Made,
    Made: Future<Output = Result<Driver, BeginError>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::io(format!("cannot start: {error}")))?;
    let around = Surroundings {
        store: desk.store.clone(),
        executors: desk.around.executors,
        clock: desk.around.clock,
        secrets: Arc::new(|name| std::env::var(name).ok().map(Into::into)),
        terms: flow_core::arbiter::Terms::default(),
        parallel: desk.around.parallel,
        reuse: desk.around.reuse,
        watcher: Box::new(Teller::default()),
    };
    let ended = runtime.block_on(async {
        let (orders, mut given) = mpsc::channel(ORDERS);
        let mut driver = make(around, orders.clone()).await.map_err(begin_failure)?;
        let id = driver.run().id().clone();
        output.message(&format!("run {id} of `{}`", driver.run().workflow()))?;
        let driven = tokio::select! {
            driven = driver.drive(&mut given) => Some(driven),
            () = interrupted(&orders) => None,
        };
        match driven {
            Some(Ok(outcome)) => tell(&driver, &outcome, output, format),
            Some(Err(error)) => Err(drive_failure(&error, &id.0)),
            None => {
                output.message(&format!("stopped at once · go on with `flow resume {id}`"))?;
                Ok(Exit::Interrupted)
            }
        }
    });
    // Steps that don't listen must not keep the command.
    runtime.shutdown_background();
    ended
}

/// Waits for the second interruption; the first only pauses.
async fn interrupted(orders: &mpsc::Sender<Order>) {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else {
        return std::future::pending().await;
    };
    for is_first in [true, false] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        if is_first {
            let mut stream = std::io::stderr().lock();
            let text = b"pausing: what runs may finish; again to stop at once\n";
            drop(std::io::Write::write_all(&mut stream, text));
            drop(orders.send(Order::Pause).await);
        }
    }
}

/// Says what happens, in plain lines.
#[derive(Debug, Default)]
struct Teller;

impl Watcher for Teller {
    fn event(&mut self, view: &View<'_>, event: &Event) {
        let Some(line) = line(view, &event.fact) else {
            return;
        };
        let mut stream = std::io::stderr().lock();
        drop(std::io::Write::write_all(&mut stream, line.as_bytes()));
    }

    fn progress(&mut self, _ticket: &flow_core::address::Ticket, _progress: &Progress) {}
}

/// Returns what is said about an event. What goes well is not worth a line.
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

fn question(form: &flow_core::value::Value) -> Option<Arc<str>> {
    let flow_core::value::Value::Record(fields) = form else {
        return None;
    };
    match fields.get("question")? {
        flow_core::value::Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Says how a run ended.
fn tell(
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
        output.data(&format!("{}\n", summary(driver, outcome, exit, json)))?;
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
        _ => format!("paused{money} · go on with `flow resume {id}`"),
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
    output: Option<serde_json::Value>,
) -> serde_json::Value {
    let status = match exit {
        Exit::Done => "succeeded",
        Exit::Failed if outcome.status == Some(Status::Cancelled) => "cancelled",
        Exit::Failed => "failed",
        Exit::Waiting => "waiting",
        Exit::Unknown => "unknown",
        Exit::Budget => "budget",
        _ => "paused",
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

fn begin_failure(error: BeginError) -> Failure {
    match &error {
        BeginError::Take(TakeError::Owned { .. }) => Failure::Told {
            exit: Exit::Owned,
            message: error.to_string(),
            help: Some("wait for it, or end that process".to_owned()),
        },
        BeginError::Take(TakeError::NoRun { .. }) | BeginError::NoExecutor { .. } => {
            Failure::usage(error.to_string())
        }
        BeginError::File { .. } => Failure::io(error.to_string()),
        BeginError::Drive(inner) => drive_failure(inner, ""),
        BeginError::Take(_)
        | BeginError::Owner(_)
        | BeginError::Open(_)
        | BeginError::Read(_)
        | BeginError::Log { .. }
        | BeginError::Corrupt { .. } => Failure::store(whole(&error)),
    }
}

fn drive_failure(error: &DriveError, run: &str) -> Failure {
    let exit = match error {
        DriveError::Fenced => Exit::Owned,
        DriveError::Write(_)
        | DriveError::Read(_)
        | DriveError::Open(_)
        | DriveError::Blob(_)
        | DriveError::NoRoom
        | DriveError::Stalled
        | DriveError::Shared(_)
        | DriveError::Diverged { .. } => Exit::Store,
    };
    Failure::Told {
        exit,
        message: whole(error),
        help: Some(format!("nothing is lost; go on with `flow resume {run}`")),
    }
}

/// Returns an error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
