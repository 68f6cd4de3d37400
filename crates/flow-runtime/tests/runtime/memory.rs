//! What outlives runs: values under keys, and what earlier runs gave.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::amount::{Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::effect::FailureClass;
use flow_core::event::{Fact, Status};
use flow_core::handle::Handle;
use flow_core::memory::{Kept, Memory};
use flow_core::step::StepFailure;
use flow_core::ty::Media;
use flow_core::value::{Artifact, Value};
use flow_runtime::artifacts::Check;
use flow_runtime::memory::StoreMemory;
use flow_runtime::store::{Batch, EffectRow, EffectState, Hold, Level, Phase, Store};
use tempfile::tempdir;

use crate::collecting::collect;
use crate::harness::{commit, first, id, open, over, wait, with_blob};

fn kept(key: &str, value: Value, act: &str) -> Kept {
    Kept {
        key: key.into(),
        value,
        act: Digest::of(act.as_bytes()),
        at: Timestamp(7),
    }
}

fn remember(store: &Arc<Store>, kept: Kept) -> Result<(), StepFailure> {
    wait(StoreMemory::new(store.clone()).remember(kept))
}

fn recall(store: &Arc<Store>, key: &str) -> Result<Option<Value>, StepFailure> {
    wait(StoreMemory::new(store.clone()).recall(key))
}

fn artifact(digest: Digest) -> Value {
    Value::Artifact(Arc::new(Artifact {
        digest: digest.to_string().into(),
        media: Media::File,
        bytes: 3,
        facts: BTreeMap::new(),
    }))
}

#[test]
fn values_of_any_size_are_kept_and_found_by_the_next_process() {
    let folder = tempdir().unwrap();
    let values = [0, 100, 2000, 300_000].map(|length| Value::text("x".repeat(length)));
    {
        let store = Arc::new(open(folder.path()));
        for (at, value) in values.iter().enumerate() {
            let kept = kept(&at.to_string(), value.clone(), &at.to_string());
            remember(&store, kept).unwrap();
        }
    }
    let store = Arc::new(open(folder.path()));
    collect(&store);
    for (at, value) in values.iter().enumerate() {
        let found = recall(&store, &at.to_string()).unwrap();
        assert_eq!(found.as_ref(), Some(value));
    }
    assert_eq!(recall(&store, "none").unwrap(), None);
}

#[test]
fn an_act_keeps_a_value_once() {
    let folder = tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    remember(&store, kept("k", Value::Int(1), "one")).unwrap();
    remember(&store, kept("k", Value::Int(2), "two")).unwrap();
    // The answer to the first was lost, and it is made again.
    remember(&store, kept("k", Value::Int(1), "one")).unwrap();
    assert_eq!(recall(&store, "k").unwrap(), Some(Value::Int(2)));
}

#[test]
fn a_file_in_a_kept_value_stays_until_it_is_replaced() {
    let folder = tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let blob = store.blobs().keep_bytes(b"fox").unwrap();
    let digest = blob.digest;
    commit(&store, with_blob(first("r", 1, Level::Lazy), blob)).unwrap();
    for (key, size) in [("small", 0), ("large", 2000), ("huge", 300_000)] {
        let value = Value::list(vec![artifact(digest), Value::text("x".repeat(size))]);
        remember(&store, kept(key, value, key)).unwrap();
    }
    let mut end = Batch {
        append: Some(flow_runtime::store::Append::new(id("r"), 1, 1)),
        ..Batch::default()
    };
    let append = end.append.as_mut().unwrap();
    append.summary = Some(over(Phase::Succeeded));
    append.hold = Hold::Released;
    commit(&store, end).unwrap();
    assert!(store.forget(&id("r"), Timestamp(2)).unwrap().is_some());
    for key in ["small", "large", "huge"] {
        collect(&store);
        assert_eq!(store.blobs().check(&digest).unwrap(), Check::Whole, "{key}");
        assert!(recall(&store, key).unwrap().is_some());
        let act = format!("{key} again");
        remember(&store, kept(key, Value::None, &act)).unwrap();
    }
    collect(&store);
    assert_eq!(store.blobs().check(&digest).unwrap(), Check::Missing);
}

#[test]
fn a_value_with_a_file_that_is_gone_is_not_kept() {
    let folder = tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let value = artifact(Digest::of(b"nowhere"));
    let failure = remember(&store, kept("k", value, "a")).unwrap_err();
    assert_eq!(failure.class, FailureClass::Invalid);
    assert!(failure.message.contains("is gone"), "{}", failure.message);
    assert_eq!(recall(&store, "k").unwrap(), None);
}

#[test]
fn what_an_act_has_done_is_known_as_long_as_its_run() {
    let folder = tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let mut batch = first("r", 1, Level::Lazy);
    let append = batch.append.as_mut().unwrap();
    append.effects = vec![EffectRow {
        ticket: b"t".to_vec(),
        state: EffectState::Happened,
        at: Timestamp(1),
        idempotency: Digest::of(b"one"),
        body: Vec::new(),
    }];
    append.summary = Some(over(Phase::Succeeded));
    append.hold = Hold::Released;
    commit(&store, batch).unwrap();
    remember(&store, kept("k", Value::Int(1), "one")).unwrap();
    remember(&store, kept("k", Value::Int(2), "two")).unwrap();
    assert!(store.forget(&id("r"), Timestamp(2)).unwrap().is_some());
    // Nobody makes it again; if somebody did, nothing would be known of it.
    remember(&store, kept("k", Value::Int(1), "one")).unwrap();
    assert_eq!(recall(&store, "k").unwrap(), Some(Value::Int(1)));
}

/// A run of a workflow that is over.
fn ended(name: &str, workflow: &str, phase: Phase, output: Option<Handle>) -> Batch {
    let mut batch = first(name, 2, Level::Lazy);
    let append = batch.append.as_mut().unwrap();
    append.begin.as_mut().unwrap().workflow = workflow.into();
    append.summary = Some(over(phase));
    append.hold = Hold::Released;
    let fact = Fact::RunSettled {
        status: Status::Succeeded,
        output,
    };
    let body = &mut append.events[1].body;
    body.clear();
    fact.encode(body).unwrap();
    batch
}

#[test]
fn the_past_of_a_workflow_is_its_runs_that_succeeded_the_newest_first() {
    let folder = tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let small = |number| Some(Handle::Small(Value::Int(number)));
    for batch in [
        ended("a", "w", Phase::Succeeded, small(1)),
        ended("b", "other", Phase::Succeeded, small(2)),
        ended("c", "w", Phase::Failed, None),
        ended("d", "w", Phase::Succeeded, None),
        ended("e", "w", Phase::Succeeded, small(5)),
    ] {
        commit(&store, batch).unwrap();
    }
    let memory = StoreMemory::new(store);
    let found = wait(memory.finished("w", None, 10)).unwrap();
    let names: Vec<&str> = found.iter().map(|run| &*run.run.0).collect();
    assert_eq!(names, ["e", "d", "a"]);
    let outputs: Vec<Option<Value>> = found.iter().map(|run| run.output.clone()).collect();
    assert_eq!(outputs, [Some(Value::Int(5)), None, Some(Value::Int(1))]);
    assert_eq!(
        (found[0].started, found[0].finished, found[0].cost),
        (Timestamp(999), Timestamp(5000), Money(42))
    );
    let older = wait(memory.finished("w", Some(found[0].number), 1)).unwrap();
    assert_eq!(&*older[0].run.0, "d");
}
