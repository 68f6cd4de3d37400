//! A rehearsal and a real run come to the same end. Every test of the
//! repository is carried out; each of its runs is also driven by the real
//! driver, with a store, tasks and commits, and gets the same answers.

#![expect(clippy::wildcard_enum_match_arm, reason = "test harness")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flow_compiler::{TestAction, TestRun};
use flow_core::address::{At, Ticket};
use flow_core::amount::Money;
use flow_core::digest::Digest;
use flow_core::event::{Event, Fact, Then};
use flow_core::memory::Memory;
use flow_core::plan::{NodeKind, Plan};
use flow_core::run::{Input, Stance, Standing};
use flow_core::step::{Executor, Plugins, Program, Progress, StepCall, StepReport, Work};
use flow_core::value::{Artifact, Value};
use flow_runtime::driver::{
    Driver, Executors, Given, NewRun, Order, Reuse, Surroundings, View, Watcher,
};
use flow_runtime::memory::StoreMemory;
use flow_runtime::rehearse::{Answer, Cast, NewRehearsal, SimulatedClock};
use flow_runtime::store::{Options, Store};
use tokio::sync::mpsc;

use super::files::Files;
use super::perform::{BEGINNING, Stage};
use super::roles::Roles;
use super::suite::Suite;
use crate::commands::test::suites_of;

/// The folders whose tests are carried out.
const FOLDERS: [&str; 3] = ["tests/tried", "examples", "workflows"];

/// Who waits for a pool tells nobody until when, so a real run would take as
/// long as it says.
const SKIPPED: &str = "pools.flow";

fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    crates.ancestors().nth(2).unwrap().canonicalize().unwrap()
}

/// How a run ended, as far as both ways have to agree.
#[derive(Debug, PartialEq)]
struct Came {
    status: String,
    failure: Option<String>,
    cost: Money,
    output: Option<Value>,
    calls: BTreeMap<Arc<str>, i64>,
}

/// Answers by the roles of a test.
struct Stand {
    roles: Arc<Mutex<Roles>>,
    clock: SimulatedClock,
    files: Arc<Files>,
}

impl Executor for Stand {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let desk = call.desk.clone();
        let answer = self.roles.lock().unwrap().start(call);
        match answer {
            Answer::After(length, report) => {
                let now = self.clock.get();
                self.clock.go_on_to(now.checked_add(length).unwrap());
                if let StepReport::Done { value, .. } = &report {
                    for (artifact, path) in self.files(value) {
                        let mut file = File::open(path).unwrap();
                        desk.keep(&mut file, artifact.media).unwrap();
                    }
                }
                Box::pin(std::future::ready(report))
            }
            Answer::Work(work) => work,
            Answer::Never => panic!("these tests have a stub for every call"),
        }
    }
}

impl Plugins for Stand {
    fn program(&self, run: &str) -> Option<Program> {
        Some(Program {
            digest: Digest::of(run.as_bytes()),
            variables: Vec::new(),
        })
    }
}

impl Stand {
    /// Returns the files that a value refers to.
    fn files(&self, value: &Value) -> Vec<(Arc<Artifact>, PathBuf)> {
        match value {
            Value::Artifact(artifact) => {
                let path = self.files.path(artifact).unwrap();
                vec![(artifact.clone(), self.files.root().join(&*path))]
            }
            Value::List(list) => list
                .items
                .iter()
                .flat_map(|item| self.files(item))
                .collect(),
            Value::Record(fields) => fields
                .values()
                .flat_map(|field| self.files(field))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Sees what happens, and lets the time pass when nothing else does.
#[derive(Default)]
struct Seen {
    calls: BTreeMap<Arc<str>, i64>,
    failures: Vec<(At, String)>,
}

struct Hurry {
    clock: SimulatedClock,
    seen: Arc<Mutex<Seen>>,
}

impl Watcher for Hurry {
    fn event(&mut self, view: &View<'_>, event: &Event) {
        let mut seen = self.seen.lock().unwrap();
        match &event.fact {
            Fact::AttemptStarted(started) if started.ticket.attempt == 1 => {
                let node = view.run.plan().node(started.ticket.at.node);
                if let NodeKind::Step(step) = &node.kind {
                    *seen.calls.entry(step.step.clone()).or_default() += 1;
                }
            }
            Fact::Failed {
                ticket: Ticket { at, .. },
                failure,
                then: Then::Fail,
                ..
            }
            | Fact::Broke {
                at,
                failure,
                then: Then::Fail,
                ..
            }
            | Fact::Refused {
                at,
                failure,
                then: Then::Fail,
                ..
            } => seen
                .failures
                .push((at.clone(), failure.class.word().to_owned())),
            _ => {}
        }
        if let Standing::Sleeping(wake) = view.run.standing() {
            self.clock.go_on_to(wake);
        }
    }

    fn progress(&mut self, _ticket: &Ticket, _progress: &Progress) {}
}

/// What real runs of a test share.
struct World {
    folder: tempfile::TempDir,
    store: Arc<Store>,
    clock: SimulatedClock,
}

impl World {
    fn new() -> Self {
        // Nothing here depends on the disk, which is slow and may be full.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap();
        let options = Options {
            free_min: 0,
            ..Options::default()
        };
        let store = Store::open(&folder.path().join("store"), options).unwrap();
        Self {
            folder,
            store: Arc::new(store),
            clock: SimulatedClock::at(BEGINNING),
        }
    }

    async fn play(&self, suite: &Suite, new: NewRehearsal, mut roles: Roles) -> Came {
        let clock = self.clock.clone();
        let time: flow_steps::Clock = Arc::new(move || clock.get());
        let memory: Arc<dyn Memory> = Arc::new(StoreMemory::new(self.store.clone()));
        roles.steps = flow_steps::rehearsed(&time, &memory);
        let stand = Arc::new(Stand {
            roles: Arc::new(Mutex::new(roles)),
            clock: self.clock.clone(),
            files: suite.files.clone(),
        });
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let around = Surroundings {
            store: self.store.clone(),
            executors: executors(&new.plan, &stand),
            plugins: Some(stand.clone()),
            clock: Arc::new(self.clock.clone()),
            // They are asked for to be masked.
            secrets: Arc::new(|name| Err(flow_runtime::SecretError::Unset { name: name.into() })),
            inspect: Arc::new(|file, media| {
                flow_steps::facts(file, media).map_err(|fault| fault.to_string())
            }),
            terms: suite.terms.clone(),
            parallel: 64,
            reuse: Reuse::Results,
            watcher: Box::new(Hurry {
                clock: self.clock.clone(),
                seen: seen.clone(),
            }),
        };
        let new = NewRun {
            plan: new.plan,
            inputs: new.inputs.into_iter().map(Given::Value).collect(),
            files: Vec::new(),
            seed: new.seed,
            budget: new.budget,
            trigger: None,
        };
        let mut driver = Driver::begin(around, new).unwrap();
        let (orders, mut given) = mpsc::channel(1);
        let outcome = loop {
            let outcome = driver.drive(&mut given).await.unwrap();
            let wake = driver.run().next_wake();
            let (Standing::Waiting, Some(wake)) = (outcome.standing, wake) else {
                break outcome;
            };
            // Nobody answers until it is too late.
            self.clock.go_on_to(wake);
            let tick = Order::Give(Box::new(Input::Tick));
            orders.send(tick).await.unwrap();
        };
        let seen = seen.lock().unwrap();
        let held = |at: &At| matches!(driver.run().stance(at), Some(Stance::Failed(_)));
        let status = super::perform::status_of(&outcome);
        let mut failures = seen.failures.iter();
        Came {
            status: status.to_owned(),
            failure: (status == "failed").then(|| {
                let found = failures.find(|(at, _)| held(at));
                found.map_or("timeout", |(_, class)| class).to_owned()
            }),
            cost: outcome.costs.spent.saturating_add(outcome.costs.presumed),
            output: driver.output(),
            calls: seen.calls.clone(),
        }
    }
}

fn executors(plan: &Plan, stand: &Arc<Stand>) -> Executors {
    let steps = plan
        .graph
        .node_weights()
        .filter_map(|node| match &node.kind {
            NodeKind::Step(step) => Some(step.step.clone()),
            _ => None,
        });
    steps
        .map(|step| (step, stand.clone() as Arc<dyn Executor>))
        .collect()
}

/// Returns how a run of a test ended there.
fn rehearsed(stage: &Stage<'_>, run: &TestRun, before: &BTreeMap<Arc<str>, i64>) -> Came {
    let Some(Some(Value::Record(result))) = stage.slots.get(run.slot as usize) else {
        panic!("{}: {:#?}", stage.test.name, stage.faults);
    };
    let word = |value: &Value| match value {
        Value::Enum(word) => Some(word.to_string()),
        _ => None,
    };
    let Value::Money(cost) = result["cost"] else {
        panic!("a cost is an amount");
    };
    let calls = stage.counts.steps.iter().filter_map(|(step, count)| {
        let count = count - before.get(step).copied().unwrap_or(0);
        (count > 0).then(|| (step.clone(), count))
    });
    Came {
        status: word(&result["status"]).unwrap(),
        failure: word(&result["failure"]),
        cost,
        output: result.get("output").cloned(),
        calls: calls.collect(),
    }
}

async fn both_ways(suite: &Suite, number: usize) -> usize {
    let test = &suite.tests[number];
    let mut stage = Stage::new(suite, test);
    let world = World::new();
    let mut runs = 0;
    for action in &test.actions {
        match action {
            TestAction::Stub(stub) => stage.stub(stub),
            TestAction::Expect(expect) => stage.expect(expect),
            TestAction::Run(run) => {
                let plan = stage.plan(&suite.workflows[&run.workflow]);
                let new = stage.opening(run, &plan).unwrap();
                let real = world.play(suite, new, stage.roles.clone()).await;
                let before = stage.counts.steps.clone();
                stage.run(run).await;
                let played = rehearsed(&stage, run, &before);
                assert_eq!(played, real, "{}: {}", suite.file, test.name);
                runs += 1;
            }
        }
    }
    assert!(
        stage.faults.is_empty(),
        "{}: {:#?}",
        test.name,
        stage.faults
    );
    drop(world.folder);
    runs
}

#[test]
fn a_rehearsal_comes_to_the_end_of_a_real_run() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runs = 0;
    for folder in FOLDERS {
        let suites = suites_of(&root().join(folder)).into_iter();
        for suite in suites.filter(|suite| !suite.file.ends_with(SKIPPED)) {
            for number in 0..suite.tests.len() {
                runs += runtime.block_on(both_ways(&suite, number));
            }
        }
    }
    assert!(runs >= 50, "only {runs} runs were made");
}
