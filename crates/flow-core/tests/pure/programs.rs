//! The program of a plugin is a part of the key of what it makes.

#![expect(clippy::unwrap_used, reason = "test harness")]
#![expect(
    clippy::disallowed_methods,
    reason = "the harness reads what the crate is handed"
)]

use std::path::Path;
use std::sync::Arc;

use flow_core::address::{At, RunId, Ticket};
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::event::{BEHAVIOUR, Event, Fact, FoundProgram, Start};
use flow_core::handle::{Handle, Values};
use flow_core::key::ResultKey;
use flow_core::plan::Plan;
use flow_core::run::{Action, Delta, Input, Run, Shared};
use flow_core::step::Program;
use flow_core::value::Value;

/// Keeps nothing: all values are small.
struct Small;

impl Values for Small {
    fn get(&self, _: &Digest) -> Option<Value> {
        None
    }

    fn put(&self, value: &Value) -> Handle {
        Handle::Small(value.clone())
    }
}

/// Begins a run of a recorded plan whose steps are plugins here.
fn begun() -> (Run, Event, Ticket) {
    let path = "../../tests/golden/v1/runs/chain.json";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let plan = Plan::from_json(&text.replace("\"run\":null", "\"run\":\"./it\"")).unwrap();
    let plan = Arc::new(plan);
    assert_eq!(plan.commands(), [Arc::from("./it")].into());
    assert!(!plan.is_recallable());
    let start = Start {
        run: RunId("made".into()),
        behaviour: BEHAVIOUR,
        plan: plan.digest(),
        inputs: Small.put(&Value::list(vec![Value::text("fox")])),
        files: Vec::new(),
        seed: 1,
        budget: None,
        trigger: None,
        recalled: None,
        estate: None,
        parent: None,
    };
    let (mut run, first, delta) = Run::start(plan, start, Timestamp(5));
    let ticket = admitted(&mut run, delta);
    (run, first, ticket)
}

/// Carries out what is computed at once, up to the first attempt.
fn admitted(run: &mut Run, mut delta: Delta) -> Ticket {
    loop {
        let mut next = Delta::default();
        for action in std::mem::take(&mut delta.actions) {
            match action {
                Action::Admit { ticket } => return ticket,
                Action::Evaluate { at, item } => {
                    for event in run.decide(Input::Evaluate { at, item }, Timestamp(5), &Small) {
                        next.actions.extend(run.apply(&event).actions);
                    }
                }
                Action::Start { .. }
                | Action::Poll { .. }
                | Action::Probe { .. }
                | Action::Stop { .. }
                | Action::Ask { .. } => panic!("{action:?}"),
            }
        }
        assert!(!next.actions.is_empty());
        delta = next;
    }
}

fn found(content: &str, variables: &[(&str, &str)]) -> Input {
    let variables = variables.iter();
    Input::Programs(vec![FoundProgram {
        run: "./it".into(),
        program: Some(Program {
            digest: Digest::of(content.as_bytes()),
            variables: variables
                .map(|(name, text)| (Arc::from(*name), Digest::of(text.as_bytes())))
                .collect(),
        }),
    }])
}

/// Hands an input in, and returns the facts that it made.
fn give(run: &mut Run, input: Input) -> Vec<Event> {
    let events = run.decide(input, Timestamp(6), &Small);
    for event in &events {
        assert_eq!(run.apply(event), Delta::default());
    }
    events
}

fn key(run: &Run, ticket: &Ticket) -> Option<ResultKey> {
    let prepared = run.prepare(ticket, &|_| "".into(), &Small).unwrap();
    assert_eq!(
        prepared.demand.key,
        prepared.key.as_ref().map(|key| key.digest)
    );
    let expected = if prepared.key.is_some() {
        Shared::Ever
    } else {
        Shared::No
    };
    assert_eq!(prepared.shared, expected);
    prepared.key
}

#[test]
fn a_result_of_a_program_that_nobody_looked_at_has_no_key() {
    let (mut run, _, ticket) = begun();
    assert_eq!(ticket.at, At::new(flow_core::plan::NodeId(1), []));
    assert_eq!(key(&run, &ticket), None);
    give(&mut run, found("one", &[]));
    assert!(key(&run, &ticket).is_some());
    // What is gone can't be said any more.
    let gone = FoundProgram {
        run: "./it".into(),
        program: None,
    };
    assert_eq!(give(&mut run, Input::Programs(vec![gone])).len(), 1);
    assert_eq!(key(&run, &ticket), None);
}

#[test]
fn another_program_and_another_variable_make_another_key() {
    let (mut run, _, ticket) = begun();
    let mut seen = Vec::new();
    for (content, variables) in [
        ("one", &[][..]),
        ("two", &[]),
        ("two", &[("A", "1")]),
        ("two", &[("A", "2")]),
        ("two", &[("B", "2")]),
    ] {
        give(&mut run, found(content, variables));
        let key = key(&run, &ticket).unwrap();
        assert!(!seen.contains(&key), "{content} {variables:?}");
        seen.push(key);
    }
    give(&mut run, found("one", &[]));
    assert_eq!(key(&run, &ticket).as_ref(), seen.first());
}

#[test]
fn what_was_found_is_in_the_log_once_and_is_there_after_a_replay() {
    let (mut run, first, ticket) = begun();
    let mut log = vec![first];
    log.extend(give(&mut run, found("one", &[("A", "1")])));
    assert!(matches!(log[1].fact, Fact::ProgramsFound { .. }));
    // Nothing has changed: there is nothing to say.
    assert_eq!(give(&mut run, found("one", &[("A", "1")])), []);
    let plan = run.plan().clone();
    let mut again = Run::replay(&|_| Some(plan.clone()), log).unwrap();
    let delta = Delta {
        actions: again.outstanding(),
        withdrawn: Vec::new(),
    };
    assert_eq!(admitted(&mut again, delta), ticket);
    assert_eq!(key(&again, &ticket), key(&run, &ticket));
}
