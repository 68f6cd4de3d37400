//! Runs that are driven, and what their logs say of results: where they came
//! from, and why they were made.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flow_core::address::RunId;
use flow_core::amount::{Duration, Timestamp};
use flow_core::effect::Effect;
use flow_core::event::{Event, Fact};
use flow_core::expr::Expr;
use flow_core::key::{Difference, Part, Way};
use flow_core::plan::{Cache, NodeId, NodeKind, Plan, Step};
use flow_core::step::{Bill, Executor, Progress, StepCall, StepReport, Work};
use flow_core::value::Value;
use flow_runtime::clock::Clock;
use flow_runtime::driver::{Driver, Given, NewRun, Reuse, Surroundings, View, Watcher};
use flow_runtime::store::Missed;
use flow_runtime::why::{Made, Nearest, Sharing, why_made};
use rusqlite::Connection;
use tempfile::tempdir;

use crate::harness::open;

/// Repeats the text that it gets, many times if that begins with `large`.
struct Echo;

impl Executor for Echo {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let Some(Value::Text(text)) = call.args.get("text") else {
            panic!("it has a text");
        };
        let value = if text.starts_with("large") && text.len() < 100 {
            Value::text(text.repeat(100_000))
        } else {
            Value::Text(text.clone())
        };
        let bill = Bill::None;
        Box::pin(std::future::ready(StepReport::Done { value, bill }))
    }
}

#[derive(Debug)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn event(&mut self, _: &View<'_>, _: &Event) {}
    fn progress(&mut self, _: &flow_core::address::Ticket, _: &Progress) {}
}

/// A workflow of two steps: `drawn` of its input, `cut` of that.
fn plan() -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/v1/runs/chain.json");
    Plan::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A plan whose first step was changed.
fn plan_with(change: impl Fn(&mut Step)) -> Plan {
    let mut plan = plan();
    let node = plan.graph.node_weights_mut().nth(1).unwrap();
    let NodeKind::Step(step) = &mut node.kind else {
        panic!("the first node is a step");
    };
    change(step);
    let effect = step.effect;
    plan.graph.node_weights_mut().next().unwrap().effect = effect;
    plan
}

/// A change of a step.
type Change = fn(&mut Step);

/// Drives a run of a plan to its end, at an instant.
fn run(root: &Path, plan: Plan, name: &str, now: i64) -> RunId {
    let around = Surroundings {
        store: Arc::new(open(root)),
        executors: [(Arc::from("text.truncate"), Arc::new(Echo) as _)].into(),
        plugins: None,
        clock: Arc::new(Hand(AtomicI64::new(now))),
        secrets: Arc::new(|name| Err(flow_runtime::SecretError::Unset { name: name.into() })),
        inspect: Arc::new(|_, _| Ok(std::collections::BTreeMap::new())),
        terms: flow_core::arbiter::Terms::default(),
        parallel: 4,
        reuse: Reuse::Results,
        watcher: Box::new(Nobody),
    };
    let new = NewRun {
        plan: Arc::new(plan),
        inputs: vec![Given::Value(Value::text(name))],
        files: Vec::new(),
        seed: 1,
        budget: None,
        trigger: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(async {
        let mut driver = Driver::begin(around, new).unwrap();
        let (_orders, mut given) = tokio::sync::mpsc::channel(1);
        let outcome = driver.drive(&mut given).await.unwrap();
        assert_eq!(outcome.status, Some(flow_core::event::Status::Succeeded));
        driver.run().id().clone()
    })
}

/// Returns why a node was made by a run; nothing if it was not.
fn why(root: &Path, run: &RunId, node: u32) -> Option<Made> {
    let store = open(root);
    let reader = store.reader().unwrap();
    let begun = reader.events(run, 0, 100).unwrap();
    let begun = begun.iter().find(|row| {
        let fact = Fact::decode(&row.body).unwrap();
        matches!(fact, Fact::AttemptStarted(started) if started.ticket.at.node == NodeId(node))
    });
    let seq = begun?.seq;
    Some(why_made(&reader, run, seq).unwrap().unwrap())
}

fn from(found: &Made) -> (&RunId, &[Difference]) {
    let nearest: &Nearest = found.nearest.as_ref().unwrap();
    (&nearest.from.run, &nearest.differences)
}

fn other(name: &str) -> Difference {
    Difference {
        part: Part::Input(name.into()),
        way: Way::Other,
    }
}

#[test]
fn it_is_said_in_which_part_the_nearest_earlier_result_differs() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let first = run(root, plan(), "fox", 0);
    let made = why(root, &first, 1).unwrap();
    assert_eq!(made.to_string(), "nothing like it was made before");

    // All of it is there.
    let second = run(root, plan(), "fox", 10);
    assert_eq!(why(root, &second, 1), None);

    let third = run(root, plan(), "dog", 20);
    let made = why(root, &third, 1).unwrap();
    assert_eq!((made.sharing, made.missed), (Sharing::Shared, None));
    assert_eq!(from(&made), (&first, &[other("text")][..]));
    let said = format!("it is made of something else than in `{first}`: another `text`");
    assert_eq!(made.to_string(), said);

    // Of two, the one that is nearer.
    let longer = plan_with(|step| {
        step.args.insert("most".into(), Expr::Const(Value::Int(9)));
    });
    let fourth = run(root, longer, "dog", 30);
    let made = why(root, &fourth, 1).unwrap();
    assert_eq!(from(&made), (&third, &[other("most")][..]));

    // Another declaration is a part like others.
    let declared = plan_with(|step| step.signature = "another".into());
    let fifth = run(root, declared, "fox", 40);
    let made = why(root, &fifth, 1).unwrap();
    let (near, differences) = from(&made);
    assert_eq!((near, differences.len()), (&first, 1));
    assert_eq!(differences[0].part, Part::Signature);
}

#[test]
fn results_that_stay_in_their_run_say_so() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let table: [(Change, Sharing, &str); 2] = [
        (
            |step| step.effect = Effect::Read,
            Sharing::Private,
            "results of this step stay in their run unless its call says `cache on`",
        ),
        (
            |step| step.policies.cache = Some(Cache::Off),
            Sharing::Off,
            "the call says `cache off`",
        ),
    ];
    for (change, sharing, said) in table {
        let first = run(root, plan_with(change), "fox", 0);
        let second = run(root, plan_with(change), "fox", 10);
        let made = why(root, &second, 1).unwrap();
        assert_eq!(made.sharing, sharing);
        let (near, differences) = from(&made);
        assert_eq!((near, differences), (&first, &[][..]));
        assert!(made.to_string().contains(said), "{made}");
    }
}

#[test]
fn a_result_that_is_too_old_is_made_again_and_that_is_said() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let short = || {
        plan_with(|step| {
            let hour = Expr::Const(Value::Duration(Duration::HOUR));
            step.policies.cache = Some(Cache::For(hour));
        })
    };
    let hour = 3_600_000;
    run(root, short(), "fox", 0);
    let second = run(root, short(), "fox", hour - 1);
    assert_eq!(why(root, &second, 1), None);
    let third = run(root, short(), "fox", hour + 5);
    let made = why(root, &third, 1).unwrap();
    assert_eq!(made.missed, Some(Missed::Stale(Timestamp(hour))));
}

#[test]
fn a_result_whose_file_is_gone_is_made_again_and_that_is_said() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let first = run(root, plan(), "large fox", 0);
    // What a collection or a power cut leaves.
    let db = Connection::open(root.join("flow.db")).unwrap();
    let gone = db.execute("UPDATE blob SET gone = 77", []).unwrap();
    assert!(gone > 0, "a large value is a blob");
    drop(db);
    let second = run(root, plan(), "large fox", 10);
    let made = why(root, &second, 1).unwrap();
    assert_eq!(made.missed, Some(Missed::Evicted(Timestamp(77))));
    assert_eq!(from(&made).0, &first);
    let said = made.to_string();
    assert!(said.contains("is gone since 1970"), "{said}");
}
