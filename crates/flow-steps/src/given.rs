//! What a step was given: its arguments, as what they were declared to be.
//!
//! The compiler and the run see to it that they are; a difference is a bug.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use flow_core::amount::{Duration, Timestamp};
use flow_core::effect::FailureClass;
use flow_core::step::{Bill, Desk, StepCall, StepFailure, StepReport, Work};
use flow_core::ty::Type;
use flow_core::value::Value;
use tokio::task::spawn_blocking;

/// Answers with a value that cost nothing.
pub(crate) fn done(value: Value) -> StepReport {
    StepReport::Done {
        value,
        bill: Bill::None,
    }
}

/// How many bytes of texts are worked on without a thread of their own. The
/// loop that drives a run waits meanwhile.
const AT_ONCE_MAX: usize = 16 * 1024;

/// Answers with what a function computes from a call, when it is asked for.
pub(crate) fn computed(
    call: StepCall,
    work: impl FnOnce(&StepCall) -> Result<StepReport, StepFailure> + Send + 'static,
) -> Work<StepReport> {
    let texts = call.args.values().map(|value| {
        if let Value::Text(text) = value {
            text.len()
        } else {
            0
        }
    });
    let is_small = texts.sum::<usize>() <= AT_ONCE_MAX;
    if is_small {
        return Box::pin(async move { work(&call).unwrap_or_else(StepReport::Failed) });
    }
    on_disk(call, work)
}

/// Answers with what a function makes of a call that waits for a disk.
pub(crate) fn on_disk(
    call: StepCall,
    work: impl FnOnce(&StepCall) -> Result<StepReport, StepFailure> + Send + 'static,
) -> Work<StepReport> {
    Box::pin(async move {
        let answer = move || work(&call).unwrap_or_else(StepReport::Failed);
        match spawn_blocking(answer).await {
            Ok(report) => report,
            // A panic is the attempt's, wherever it happened.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    })
}

/// How often is looked whether the attempt should stop.
const LOOK: std::time::Duration = std::time::Duration::from_millis(100);

/// Does something until the run wants it to stop; nothing then.
pub(crate) async fn unless_stopped<T>(desk: &dyn Desk, work: impl Future<Output = T>) -> Option<T> {
    let stopped = async {
        while !desk.is_stopped() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = stopped => None,
    }
}

/// Makes a failure of the author's or of the data.
pub(crate) fn invalid(message: impl Into<Arc<str>>) -> StepFailure {
    StepFailure::unsent(FailureClass::Invalid, message)
}

pub(crate) fn bug(call: &StepCall, name: &str) -> StepFailure {
    let message = format!("`{}` was not given `{name}` as it is declared", call.step);
    StepFailure::unsent(FailureClass::Bug, message)
}

/// Reads the arguments of a call.
pub(crate) trait Given {
    /// Returns an argument that is there.
    fn value(&self, name: &str) -> Result<&Value, StepFailure>;
    /// Returns a text.
    fn text(&self, name: &str) -> Result<&Arc<str>, StepFailure>;
    /// Returns a text, if there is one.
    fn text_if(&self, name: &str) -> Result<Option<&Arc<str>>, StepFailure>;
    /// Returns a whole number.
    fn int(&self, name: &str) -> Result<i64, StepFailure>;
    /// Returns a length of time, if there is one.
    fn duration_if(&self, name: &str) -> Result<Option<Duration>, StepFailure>;
    /// Returns an instant.
    fn time(&self, name: &str) -> Result<Timestamp, StepFailure>;
    /// Returns the items of a list.
    fn list(&self, name: &str) -> Result<&[Value], StepFailure>;
    /// Returns a list of texts.
    fn texts(&self, name: &str) -> Result<Vec<&Arc<str>>, StepFailure>;
    /// Returns the entries of a map.
    fn map(&self, name: &str) -> Result<&BTreeMap<Arc<str>, Value>, StepFailure>;
    /// Returns the type of the result.
    fn result_type(&self) -> Result<&Type, StepFailure>;
}

impl Given for StepCall {
    fn value(&self, name: &str) -> Result<&Value, StepFailure> {
        self.args.get(name).ok_or_else(|| bug(self, name))
    }

    fn text(&self, name: &str) -> Result<&Arc<str>, StepFailure> {
        self.text_if(name)?.ok_or_else(|| bug(self, name))
    }

    fn text_if(&self, name: &str) -> Result<Option<&Arc<str>>, StepFailure> {
        let Some(value) = present(self, name) else {
            return Ok(None);
        };
        let Value::Text(text) = value else {
            return Err(bug(self, name));
        };
        Ok(Some(text))
    }

    fn int(&self, name: &str) -> Result<i64, StepFailure> {
        let Value::Int(number) = self.value(name)? else {
            return Err(bug(self, name));
        };
        Ok(*number)
    }

    fn duration_if(&self, name: &str) -> Result<Option<Duration>, StepFailure> {
        let Some(value) = present(self, name) else {
            return Ok(None);
        };
        let Value::Duration(length) = value else {
            return Err(bug(self, name));
        };
        Ok(Some(*length))
    }

    fn time(&self, name: &str) -> Result<Timestamp, StepFailure> {
        let Value::Time(instant) = self.value(name)? else {
            return Err(bug(self, name));
        };
        Ok(*instant)
    }

    fn list(&self, name: &str) -> Result<&[Value], StepFailure> {
        let Value::List(list) = self.value(name)? else {
            return Err(bug(self, name));
        };
        Ok(&list.items)
    }

    fn texts(&self, name: &str) -> Result<Vec<&Arc<str>>, StepFailure> {
        let items = self.list(name)?.iter().map(|item| {
            let Value::Text(text) = item else {
                return Err(bug(self, name));
            };
            Ok(text)
        });
        items.collect()
    }

    fn map(&self, name: &str) -> Result<&BTreeMap<Arc<str>, Value>, StepFailure> {
        let Value::Record(entries) = self.value(name)? else {
            return Err(bug(self, name));
        };
        Ok(entries)
    }

    fn result_type(&self) -> Result<&Type, StepFailure> {
        self.result.as_ref().ok_or_else(|| bug(self, "return"))
    }
}

/// Returns an argument that was given and isn't `none`.
fn present<'a>(call: &'a StepCall, name: &str) -> Option<&'a Value> {
    call.args
        .get(name)
        .filter(|value| !matches!(value, Value::None))
}
