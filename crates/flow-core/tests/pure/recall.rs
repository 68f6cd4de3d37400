//! A run whose result is that of an equal one is over at once, whatever its
//! plan, and nothing of it is walked.

#![expect(clippy::unwrap_used, reason = "test harness")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::address::{At, RunId};
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::event::{BEHAVIOUR, Event, Fact, Origin, Recalled, Start, Status};
use flow_core::handle::{Handle, Values};
use flow_core::plan::Plan;
use flow_core::run::{Action, Input, Run, Standing};
use flow_core::value::Value;

use crate::golden;

#[derive(Default)]
struct Memory(RefCell<BTreeMap<Digest, Value>>);

impl Values for Memory {
    fn get(&self, digest: &Digest) -> Option<Value> {
        self.0.borrow().get(digest).cloned()
    }

    fn put(&self, value: &Value) -> Handle {
        let mut bytes = Vec::new();
        value.encode(&mut bytes).unwrap();
        let digest = Digest::of(&bytes);
        self.0.borrow_mut().insert(digest, value.clone());
        Handle::Stored(Arc::new(digest))
    }
}

#[test]
fn a_recalled_run_settles_and_does_nothing_else() {
    let plans = golden::plans();
    assert!(!plans.is_empty());
    for plan in plans {
        settles(&Arc::new(plan));
    }
}

fn settles(plan: &Arc<Plan>) {
    let memory = Memory::default();
    let value = Value::text("what the other gave, which is more than is carried along by a log");
    let start = Start {
        run: RunId("again".into()),
        behaviour: BEHAVIOUR,
        plan: plan.digest(),
        inputs: memory.put(&Value::list(Vec::new())),
        files: Vec::new(),
        seed: 1,
        budget: None,
        trigger: None,
        recalled: Some(Recalled {
            key: Digest([7; 32]),
            value: memory.put(&value),
            from: Origin {
                run: RunId("before".into()),
                seq: 9,
            },
        }),
        estate: None,
        parent: None,
    };
    let (mut run, first, delta) = Run::start(plan.clone(), start, Timestamp(5));
    let at = At::root();
    assert_eq!(delta.actions, [Action::Evaluate { at, item: None }]);
    assert_eq!(run.outstanding(), delta.actions);
    assert_eq!(run.next_wake(), None);
    let input = Input::Evaluate {
        at: At::root(),
        item: None,
    };
    let events = run.decide(input, Timestamp(5), &memory);
    let [last] = events.as_slice() else {
        panic!("{events:?}");
    };
    let Fact::RunSettled { status, output } = &last.fact else {
        panic!("{last:?}");
    };
    assert_eq!(*status, Status::Succeeded);
    assert!(output.is_some());
    run.apply(last);
    assert_eq!(run.standing(), Standing::Over);
    assert_eq!(run.output(&memory), Some(value));
    assert_eq!(run.outstanding(), []);
    prefixes(plan, &[first, last.clone()]);
}

/// Every prefix of its log is followed, and ends the same way.
fn prefixes(plan: &Arc<Plan>, log: &[Event]) {
    let plans = |digest: &Digest| (*digest == plan.digest()).then(|| plan.clone());
    let begun = Run::replay(&plans, log[..1].to_vec()).unwrap();
    let at = At::root();
    assert_eq!(begun.outstanding(), [Action::Evaluate { at, item: None }]);
    let over = Run::replay(&plans, log.to_vec()).unwrap();
    assert_eq!(over.status(), Some(Status::Succeeded));
}
