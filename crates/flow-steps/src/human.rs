//! `approve`, `human.ask` and `human.choose`: questions to people.
//!
//! A question is a record, the form, that the front ends show:
//!
//! | `kind` | Fields | The answer |
//! | --- | --- | --- |
//! | `approve` | `question`, `show` | whether it may be done |
//! | `ask` | `question`, `about`, `suggestion` | a value of the asked type |
//! | `choose` | `question`, `from`, `count` | so many items of `from`, in its order |

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::json::to_json;
use flow_core::step::{Executor, Question, StepCall, StepFailure, StepReport, Work};
use flow_core::ty::{Bounds, Type};
use flow_core::value::Value;

use crate::given::{Given, computed, done, invalid};
use crate::register::Clock;

/// The steps of this family.
pub(crate) const STEPS: [&str; 3] = ["approve", "human.ask", "human.choose"];

/// Makes forms.
pub(crate) struct Questions {
    clock: Clock,
}

impl Questions {
    /// Counts how long an answer is waited for from what a clock says.
    pub(crate) fn new(clock: &Clock) -> Self {
        let clock = clock.clone();
        Self { clock }
    }
}

impl Executor for Questions {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let clock = self.clock.clone();
        computed(call, move |call| match &*call.step {
            "approve" => approve(call, &clock),
            "human.ask" => ask(call, &clock),
            _ => choose(call, &clock),
        })
    }
}

fn approve(call: &StepCall, clock: &Clock) -> Result<StepReport, StepFailure> {
    let fields = [
        ("question", call.value("question")?.clone()),
        ("show", call.value("show")?.clone()),
    ];
    Ok(StepReport::Ask(Question {
        otherwise: Some(Value::Bool(false)),
        ..question(call, clock, "approve", fields, Type::Bool)?
    }))
}

fn ask(call: &StepCall, clock: &Clock) -> Result<StepReport, StepFailure> {
    let suggestion = call.args.get("suggestion").cloned();
    let fields = [
        ("question", call.value("question")?.clone()),
        ("about", call.value("about")?.clone()),
        ("suggestion", suggestion.unwrap_or(Value::None)),
    ];
    let answer = call.result_type()?.clone();
    let question = question(call, clock, "ask", fields, answer)?;
    Ok(StepReport::Ask(question))
}

fn choose(call: &StepCall, clock: &Clock) -> Result<StepReport, StepFailure> {
    let from = call.value("from")?.clone();
    let there = u64::try_from(call.list("from")?.len()).unwrap_or(u64::MAX);
    let count = u64::try_from(call.int("count")?).unwrap_or(0);
    // If all are taken there is nothing to choose.
    if there <= count {
        return Ok(done(from));
    }
    let mut answer = call.result_type()?.clone();
    if let Type::List(list) = &mut answer {
        list.length = Bounds {
            min: Some(count),
            max: Some(count),
        };
    }
    let fields = [
        ("question", call.value("question")?.clone()),
        ("from", from),
        ("count", call.value("count")?.clone()),
    ];
    let question = question(call, clock, "choose", fields, answer)?;
    Ok(StepReport::Ask(question))
}

/// Makes a question of the fields of its form.
fn question<const N: usize>(
    call: &StepCall,
    clock: &Clock,
    kind: &str,
    fields: [(&str, Value); N],
    answer: Type,
) -> Result<Question, StepFailure> {
    let mut form: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    form.insert("kind".into(), Value::text(kind));
    form.extend(fields.into_iter().map(|(name, value)| (name.into(), value)));
    let form = Value::Record(Arc::new(form));
    Ok(Question {
        shown: digest(&form)?,
        form,
        answer,
        expires: expires(call, clock)?,
        otherwise: None,
    })
}

/// Computes the digest of what people see. Where the items of a list come from
/// isn't seen, and a secret must not be.
fn digest(form: &Value) -> Result<Digest, StepFailure> {
    let json = to_json(form, &Type::Json)
        .map_err(|mismatch| invalid(format!("this can't be shown: {mismatch}")))?;
    Ok(Digest::of_parts([
        b"flow question".as_slice(),
        json.to_string().as_bytes(),
    ]))
}

fn expires(call: &StepCall, clock: &Clock) -> Result<Option<Timestamp>, StepFailure> {
    let Some(length) = call.duration_if("expires")? else {
        return Ok(None);
    };
    let instant = clock().checked_add(length);
    let instant = instant.ok_or_else(|| invalid("that is too long to wait for an answer"))?;
    Ok(Some(instant))
}
