//! Driving a run from the command line: what it works with, Ctrl-C, and what
//! can go wrong with that.

use std::future::Future;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use flow_core::address::Ticket;
use flow_core::amount::{Money, Timestamp};
use flow_core::arbiter::Terms;
use flow_core::event::Event;
use flow_core::step::{Plugins, Progress};
use flow_runtime::clock::{Clock, WallClock};
use flow_runtime::driver::{
    BeginError, DriveError, Driver, Executors, Known, Order, Over, Reuse, Surroundings, View,
    Watcher,
};
use flow_runtime::memory::StoreMemory;
use flow_runtime::store::{Store, TakeError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::args::Running;
use crate::config;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::{Output, say};
use crate::progress::{Lines, Screen, Shown, Stream};
use crate::scene::with_store;
use crate::secrets::Vault;
use crate::tell::{End, Shape, tell};

/// How many orders may wait.
const ORDERS: usize = 16;

/// How many threads there are at least for work that takes long. More of them
/// than the machine can use cost memory.
const BLOCKING_MIN: usize = 8;

/// How many steps are in progress at once if nothing is said.
const PARALLEL: usize = 64;

/// What a run works with.
pub(crate) struct Desk {
    store: Arc<Store>,
    /// The store's folder, if that was named.
    named: Option<PathBuf>,
    vault: Arc<Vault>,
    /// Where the run is shown, once it is.
    console: Arc<OnceLock<Shown>>,
    around: Parts,
}

struct Parts {
    executors: Executors,
    plugins: Arc<dyn Plugins>,
    clock: Arc<dyn Clock>,
    terms: Terms,
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
        let (terms, allow) = settings(root, running.settled.profile.as_deref())?;
        let parallel = running.parallel.map_or(PARALLEL, std::num::NonZero::get);
        Self::new(
            root,
            running.store.as_deref(),
            extra,
            &allow,
            |executors, plugins, clock| Parts {
                executors,
                plugins,
                clock,
                terms,
                parallel,
                reuse,
            },
        )
    }

    /// Opens the store to act on a run, not to drive it.
    pub(crate) fn at(store: Option<&Path>, extra: &Extra) -> Result<Self, Failure> {
        let root = crate::project::root_here()?;
        let (terms, allow) = settings(&root, None)?;
        Self::new(&root, store, extra, &allow, |executors, plugins, clock| {
            Parts {
                executors,
                plugins,
                clock,
                terms,
                parallel: PARALLEL,
                reuse: Reuse::Results,
            }
        })
    }

    fn new(
        root: &Path,
        named: Option<&Path>,
        extra: &Extra,
        allow: &config::Allow,
        parts: impl FnOnce(Executors, Arc<dyn Plugins>, Arc<dyn Clock>) -> Parts,
    ) -> Result<Self, Failure> {
        let folder = folder(root, named);
        let options = extra.options.clone().unwrap_or_default();
        let store = Store::open(&folder, options);
        let store = Arc::new(store.map_err(|error| Failure::store(whole(&error)))?);
        let home = std::env::home_dir();
        let clock: Arc<dyn Clock> = match &extra.clock {
            Some(clock) => Arc::new(Told(clock.clone())),
            None => Arc::new(WallClock),
        };
        let told = clock.clone();
        let console: Arc<OnceLock<Shown>> = Arc::default();
        let seen = console.clone();
        let place = flow_steps::Place {
            project: root.to_path_buf(),
            closed: vec![folder, root.join(".flow")],
            allowed: allow.in_project(root, home.as_deref()),
            memory: Arc::new(StoreMemory::new(store.clone())),
            console: Arc::new(move |text| match seen.get() {
                Some(shown) => shown.say(text),
                None => say(&format!("{text}\n")),
            }),
            clock: Arc::new(move || told.now()),
        };
        let mut executors: Executors = flow_steps::register(&place).into_iter().collect();
        executors.extend(extra.executors.iter().cloned());
        let plugins = Arc::new(flow_steps::Plugins::new(&place.project, &place.clock));
        Ok(Self {
            store,
            named: named.map(Path::to_path_buf),
            vault: Vault::new(root),
            console,
            around: parts(executors, plugins, clock),
        })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns what a run is looked at with before it is driven.
    pub(crate) fn quiet(&self) -> Surroundings {
        self.surroundings(Box::new(Silent))
    }

    fn surroundings(&self, watcher: Box<dyn Watcher>) -> Surroundings {
        Surroundings {
            store: self.store.clone(),
            executors: self.around.executors.clone(),
            plugins: Some(self.around.plugins.clone()),
            clock: self.around.clock.clone(),
            secrets: self.vault.secrets(),
            inspect: Arc::new(|file, media| {
                flow_steps::facts(file, media).map_err(|fault| fault.to_string())
            }),
            terms: self.around.terms.clone(),
            parallel: self.around.parallel,
            reuse: self.around.reuse,
            watcher,
        }
    }
}

/// Reads how much there is of what runs share.
pub(crate) fn terms(root: &Path, profile: Option<&str>) -> Result<Terms, Failure> {
    settings(root, profile).map(|(terms, _)| terms)
}

/// Reads how much there is of what runs share, and what is allowed.
fn settings(root: &Path, profile: Option<&str>) -> Result<(Terms, config::Allow), Failure> {
    let Some((_, config)) = config::load(root, profile)? else {
        return Ok(<_>::default());
    };
    match config.diagnostics.first() {
        // A limit that can't be read would be none.
        Some(first) => Err(Failure::Told {
            exit: Exit::Invalid,
            message: format!("`{}` has errors: {}", config::NAME, first.message),
            help: Some(format!("`flow validate {}` shows them all", config::NAME)),
        }),
        None => Ok((config.terms, config.allow)),
    }
}

/// Returns the folder that runs are kept in.
pub(crate) fn folder(root: &Path, store: Option<&Path>) -> PathBuf {
    store.map_or_else(|| root.join(".flow"), Path::to_path_buf)
}

/// What the command line says may be spent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Budgets {
    /// By the run.
    pub(crate) run: Option<Money>,
    /// By its parts: their paths as they are written, and amounts.
    pub(crate) parts: Vec<(String, Money)>,
}

/// Reads the budgets of the command line.
pub(crate) fn budgets(running: &Running) -> Result<Budgets, Failure> {
    let mut budgets = Budgets::default();
    for text in &running.budget {
        let (part, amount) = match text.rsplit_once('=') {
            Some((part, amount)) => (Some(part), amount),
            None => (None, text.as_str()),
        };
        let amount: Money = amount.parse().map_err(|error| {
            Failure::usage(format!("`--budget`: {error}")).with_help(
                "write `--budget '$2.50'`, or `--budget 'STEP=$2.50'` for a part of a run",
            )
        })?;
        match part {
            Some(part) => budgets.parts.push((part.to_owned(), amount)),
            None if budgets.run.is_none() => budgets.run = Some(amount),
            None => {
                return Err(Failure::usage(
                    "`--budget` is given twice for the whole run",
                ));
            }
        }
    }
    Ok(budgets)
}

/// Reads the budget of a run that is yet to begin.
pub(crate) fn budget(running: &Running) -> Result<Option<Money>, Failure> {
    let budgets = budgets(running)?;
    match budgets.parts.first() {
        Some((part, _)) => Err(Failure::usage(format!(
            "`--budget {part}=…`: the budgets of the parts of a new run stand in its file"
        ))
        .with_help("`flow resume RUN --budget STEP=AMOUNT` gives a part another one later")),
        None => Ok(budgets.run),
    }
}

/// Returns the machine's clock, as steps are told it.
pub(crate) fn wall_clock() -> flow_steps::Clock {
    Arc::new(|| WallClock.now())
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
pub(crate) fn drive<Make, Made, Fault>(
    desk: &Desk,
    output: &mut Output,
    shape: impl Into<Shape>,
    make: Make,
) -> Result<Exit, Failure>
where
    Make: FnOnce(Surroundings, mpsc::Sender<Order>) -> Made,
    Made: Future<Output = Result<Driver, Fault>>,
    Failure: From<Fault>,
{
    let runtime = runtime()?;
    let shape = shape.into();
    let shown = shown(output, shape);
    // What steps say to people goes where the run is shown.
    drop(desk.console.set(shown.clone()));
    let around = desk.surroundings(Box::new(shown.clone()));
    let clock = desk.around.clock.clone();
    let ended = runtime.block_on(async {
        let (orders, mut given) = mpsc::channel(ORDERS);
        let mut driver = make(around, orders.clone()).await?;
        for warning in desk.vault.warnings() {
            output.message(warning)?;
        }
        if let Some(fault) = desk.vault.fault() {
            return Err(fault);
        }
        let id = driver.run().id().clone();
        output.message(&format!("run {id} of `{}`", driver.run().workflow()))?;
        shown.begin(&driver, clock.now());
        let driven = tokio::select! {
            driven = driver.drive(&mut given) => Some(driven),
            () = interrupted(&orders, &shown) => None,
            () = shown.ticks(|| clock.now()) => None,
        };
        shown.close();
        match driven {
            Some(Ok(outcome)) => {
                let end = End::of(&driver, &outcome, &desk.store, desk.named.as_deref());
                tell(&end, output, shape)
            }
            Some(Err(error)) => Err(drive_failure(&error, &id.0)),
            None => {
                let command = with_store(&format!("flow resume {id}"), desk.named.as_deref());
                output.message(&format!("stopped at once · go on with `{command}`"))?;
                Ok(Exit::Interrupted)
            }
        }
    });
    // Steps that don't listen must not keep the command.
    runtime.shutdown_background();
    ended
}

/// Says how a run is shown.
fn shown(output: &Output, shape: Shape) -> Shown {
    let looks = output.message_looks();
    match shape {
        Shape::Stream => Shown::new(Stream::new()),
        Shape::Human | Shape::Plain if std::io::stderr().is_terminal() => {
            Shown::new(Screen::new(output.color(), looks))
        }
        Shape::Human | Shape::Plain | Shape::Json => Shown::new(Lines::new(looks)),
    }
}

/// Nobody is told anything: there is nothing to tell.
struct Silent;

impl Watcher for Silent {
    fn event(&mut self, _: &View<'_>, _: &Event) {}

    fn progress(&mut self, _: &Ticket, _: &Progress) {}
}

/// One thread has the loop and all that waits; what computes for long has
/// threads of its own.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let threads = std::thread::available_parallelism()
        .map_or(BLOCKING_MIN, |found| BLOCKING_MIN.max(2 * found.get()));
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(threads)
        .build()
        .map_err(|error| Failure::io(format!("cannot start: {error}")))
}

/// Begins and ends a run whose result is there already; nothing if it isn't.
pub(crate) fn recall(desk: &Desk, known: Known) -> Result<Option<Over>, Failure> {
    let around = desk.surroundings(Box::new(Silent));
    let over = runtime()?.block_on(flow_runtime::driver::recall(&around, known));
    over.map_err(|error| begin_failure(&error))
}

/// Waits for the second interruption; the first only pauses.
async fn interrupted(orders: &mpsc::Sender<Order>, shown: &Shown) {
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
            shown.say("pausing: what runs may finish; again to stop at once");
            drop(orders.send(Order::Pause).await);
        }
    }
}

impl From<BeginError> for Failure {
    fn from(error: BeginError) -> Self {
        begin_failure(&error)
    }
}

fn begin_failure(error: &BeginError) -> Failure {
    match error {
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
        | BeginError::NoEstate { .. }
        | BeginError::Corrupt { .. } => Failure::store(whole(error)),
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
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
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
