//! What outlives a run.

use std::collections::BTreeMap;
use std::future::ready;
use std::path::Path;
use std::sync::{Arc, Mutex};

use flow_core::address::RunId;
use flow_core::amount::{Money, Timestamp};
use flow_core::effect::FailureClass;
use flow_core::memory::{Finished, Kept, Memory};
use flow_core::step::{StepCall, StepFailure, Work};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_steps::{Place, register};

use crate::desk::{FakeDesk, NOW, call, place, record, value};

/// Keeps all in memory, and has a past.
#[derive(Default)]
struct Notebook {
    kept: Mutex<BTreeMap<String, Kept>>,
    past: Vec<Finished>,
}

impl Memory for Notebook {
    fn recall(&self, key: &str) -> Work<Result<Option<Value>, StepFailure>> {
        let kept = self.kept.lock().unwrap();
        let value = kept.get(key).map(|kept| kept.value.clone());
        Box::pin(ready(Ok(value)))
    }

    fn remember(&self, kept: Kept) -> Work<Result<(), StepFailure>> {
        self.kept.lock().unwrap().insert(kept.key.to_string(), kept);
        Box::pin(ready(Ok(())))
    }

    fn finished(
        &self,
        workflow: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Work<Result<Vec<Finished>, StepFailure>> {
        assert_eq!(workflow, "w");
        let runs = self.past.iter().rev();
        let runs = runs.filter(|run| before.is_none_or(|before| run.number < before));
        Box::pin(ready(Ok(runs.take(limit).cloned().collect())))
    }
}

async fn done(notebook: &Arc<Notebook>, call: StepCall) -> Result<Value, StepFailure> {
    let registry = register(&Place {
        memory: notebook.clone(),
        ..place(Path::new("/nowhere"))
    });
    value(registry.get(&call.step).unwrap().start(call).await)
}

fn getting(ty: Type) -> StepCall {
    let desk = Arc::new(FakeDesk::new());
    let mut call = call(&desk, "state.get", [("key", Value::text("k"))], ty.clone());
    call.type_arg = Some(ty);
    call
}

#[tokio::test]
async fn a_value_is_kept_by_its_act_and_found_as_what_it_was() {
    let notebook = Arc::new(Notebook::default());
    let got = done(&notebook, getting(Type::int())).await;
    assert_eq!(got, Ok(Value::None));
    let desk = Arc::new(FakeDesk::new());
    let args = [("key", Value::text("k")), ("value", Value::Int(3))];
    let set = call(&desk, "state.set", args, Type::int());
    let act = set.idempotency;
    assert_eq!(done(&notebook, set).await, Ok(Value::Int(3)));
    let kept = notebook.kept.lock().unwrap()["k"].clone();
    assert_eq!((kept.act, kept.at), (act, NOW));
    let got = done(&notebook, getting(Type::float())).await;
    assert_eq!(got, Ok(Value::Float(3.0)));
    let failure = done(&notebook, getting(Type::text())).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Invalid);
    assert_eq!(
        &*failure.message,
        "what was kept under `k` doesn't fit: expected `text`, found `3`"
    );
}

fn past(outputs: impl IntoIterator<Item = Option<Value>>) -> Arc<Notebook> {
    let runs = (1..).zip(outputs).map(|(number, output)| Finished {
        number,
        run: RunId(format!("run-{number}").into()),
        started: Timestamp(i64::try_from(number).unwrap()),
        finished: NOW,
        cost: Money(7),
        output,
    });
    Arc::new(Notebook {
        past: runs.collect(),
        ..Notebook::default()
    })
}

fn asking(last: i64) -> StepCall {
    let desk = Arc::new(FakeDesk::new());
    let args = [("workflow", Value::text("w")), ("last", Value::Int(last))];
    let mut call = call(&desk, "history", args, Type::list(Type::Json));
    call.type_arg = Some(Type::int());
    call
}

#[tokio::test]
async fn the_past_is_given_the_latest_first_and_without_what_does_not_fit() {
    let notebook = past([
        Some(Value::Int(1)),
        Some(Value::text("other")),
        None,
        Some(Value::Int(4)),
    ]);
    let run = |number: i64| {
        record([
            ("run", Value::text(format!("run-{number}"))),
            ("started", Value::Time(Timestamp(number))),
            ("finished", Value::Time(NOW)),
            ("cost", Value::Money(Money(7))),
            ("output", Value::Int(number)),
        ])
    };
    let found = done(&notebook, asking(10)).await.unwrap();
    assert_eq!(found, Value::list(vec![run(4), run(1)]));
    let found = done(&notebook, asking(1)).await.unwrap();
    assert_eq!(found, Value::list(vec![run(4)]));
}

#[tokio::test]
async fn what_fits_is_looked_for_behind_what_does_not() {
    let outputs = (0..350).map(|at| Some(if at < 5 { Value::Int(at) } else { Value::None }));
    let Value::List(list) = done(&past(outputs), asking(3)).await.unwrap() else {
        panic!("it is a list");
    };
    assert_eq!(list.items.len(), 3);
}
