//! `state.get`, `state.set` and `history`: what outlives a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::memory::{Finished, Kept, Memory};
use flow_core::step::{Executor, StepCall, StepFailure, StepReport, Work};
use flow_core::ty::Type;
use flow_core::value::Value;

use crate::given::{Given, bug, done, invalid};
use crate::register::Clock;

/// The steps of this family.
pub(crate) const STEPS: [&str; 3] = ["history", "state.get", "state.set"];

/// How many runs are looked at in one go, and in all.
const PAGE: usize = 100;
const LOOKED_MAX: usize = 10_000;

/// Remembers.
pub(crate) struct States {
    memory: Arc<dyn Memory>,
    clock: Clock,
}

impl States {
    /// Remembers where it is said, at the times of a clock.
    pub(crate) fn new(memory: &Arc<dyn Memory>, clock: &Clock) -> Self {
        Self {
            memory: memory.clone(),
            clock: clock.clone(),
        }
    }
}

impl Executor for States {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let (memory, clock) = (self.memory.clone(), self.clock.clone());
        Box::pin(async move {
            let value = match &*call.step {
                "state.get" => get(&*memory, &call).await,
                "state.set" => set(&*memory, &clock, &call).await,
                _ => history(&*memory, &call).await,
            };
            value.map_or_else(StepReport::Failed, done)
        })
    }
}

fn wanted(call: &StepCall) -> Result<&Type, StepFailure> {
    call.type_arg.as_ref().ok_or_else(|| bug(call, "T"))
}

async fn get(memory: &dyn Memory, call: &StepCall) -> Result<Value, StepFailure> {
    let key = call.text("key")?;
    let ty = wanted(call)?;
    let Some(value) = memory.recall(key).await? else {
        return Ok(Value::None);
    };
    ty.fit(&value).map_err(|mismatch| {
        invalid(format!(
            "what was kept under `{key}` doesn't fit: {mismatch}"
        ))
    })
}

async fn set(memory: &dyn Memory, clock: &Clock, call: &StepCall) -> Result<Value, StepFailure> {
    let value = call.value("value")?.clone();
    let kept = Kept {
        key: call.text("key")?.clone(),
        value: value.clone(),
        act: call.idempotency,
        at: clock(),
    };
    call.desk.sent();
    memory.remember(kept).await?;
    Ok(value)
}

async fn history(memory: &dyn Memory, call: &StepCall) -> Result<Value, StepFailure> {
    let workflow = call.text("workflow")?;
    let last = usize::try_from(call.int("last")?).unwrap_or(0);
    let ty = wanted(call)?;
    let mut found = Vec::new();
    let mut before = None;
    for _ in 0..LOOKED_MAX / PAGE {
        let page = memory.finished(workflow, before, PAGE).await?;
        before = page.last().map(|run| run.number);
        for run in &page {
            if found.len() < last {
                found.extend(run.output.as_ref().and_then(|output| {
                    let output = ty.fit(output).ok()?;
                    Some(record(run, output))
                }));
            }
        }
        if found.len() >= last || page.len() < PAGE {
            break;
        }
    }
    Ok(Value::list(found))
}

fn record(run: &Finished, output: Value) -> Value {
    let fields: [(&str, Value); 5] = [
        ("run", Value::text(run.run.0.clone())),
        ("started", Value::Time(run.started)),
        ("finished", Value::Time(run.finished)),
        ("cost", Value::Money(run.cost)),
        ("output", output),
    ];
    let fields = fields.map(|(name, value)| (Arc::from(name), value));
    Value::Record(Arc::new(BTreeMap::from(fields)))
}
