//! `shell.run`, `shell.json` and `shell.script`: commands of the machine.
//!
//! A command is a process group of its own, with an environment of its own, in
//! a folder of its own. Whatever becomes of the attempt, the group is ended:
//! asked first, killed after a while.

mod files;
mod order;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::step::{Executor, Sent, StepCall, StepFailure, StepReport, Work};
use flow_core::value::Value;

use crate::given::{Given, done, invalid};
use crate::json;
use crate::process::capture::Capture;
use crate::process::group::Group;
use crate::process::{Attempt, End, feed, watch};
use order::Order;

/// The steps of this family.
pub(crate) const STEPS: [&str; 3] = ["shell.json", "shell.run", "shell.script"];

/// How much of standard output is a value as it is. Of more, its ends are.
const TEXT_MAX: usize = 256 * 1024;

/// How much of standard output can be JSON.
const JSON_MAX: usize = 16 * 1024 * 1024;

/// How much of standard error is kept, and of each end of a long output.
const END_MAX: usize = 64 * 1024;

/// How much of standard error is told.
const TOLD_MAX: usize = 2 * 1024;

/// Starts commands.
pub(crate) struct Shell {
    project: Arc<Path>,
}

impl Shell {
    /// Starts them in a project.
    pub(crate) fn new(project: &Path) -> Self {
        let project = project.into();
        Self { project }
    }
}

impl Executor for Shell {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let project = self.project.clone();
        Box::pin(async move {
            let report = run(&project, &call).await;
            report.unwrap_or_else(StepReport::Failed)
        })
    }
}

async fn run(project: &Path, call: &StepCall) -> Result<StepReport, StepFailure> {
    let mut order = order::prepare(project, call).await?;
    let mask = call.desk.mask();
    let is_json = &*call.step == "shell.json";
    let whole_max = if is_json { JSON_MAX } else { TEXT_MAX };
    let mut output = Capture::new(&mask, call.desk.clone(), whole_max, END_MAX);
    let mut errors = Capture::new(&mask, call.desk.clone(), 0, END_MAX);
    call.desk.sent();
    let stdin = match order.stdin {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    };
    let mut child = order.launch.spawn(stdin)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut group = Group::new(child, &call.desk);
    let end = {
        let pipes = async {
            tokio::join!(
                feed(stdin, order.stdin.take()),
                output.drain(stdout),
                errors.drain(stderr)
            );
        };
        watch(&mut group, pin!(pipes), &*call.desk, &Attempt(&*call.desk)).await
    };
    let end = end.map_err(|error| failed(&order, FailureClass::Transient, &error, ""))?;
    group.leave();
    let status = match end {
        End::Exited { status, .. } => status,
        End::Ended { .. } => {
            // The log has all that came.
            drop((output.finish(), errors.finish()));
            return Ok(StepReport::Stopped {
                sent: Sent::Maybe,
                bill: None,
            });
        }
    };
    if is_json {
        code(&order, status, &errors.finish())?;
        return json(call, output).map(done);
    }
    let (output, errors) = (output.finish(), errors.finish());
    let code = code(&order, status, &errors)?;
    let files = files::keep(call, &order.launch.folder).await?;
    let fields: [(&str, Value); 4] = [
        ("text", Value::text(output.trim_end_matches(['\n', '\r']))),
        ("errors", Value::text(errors)),
        ("code", Value::Int(code)),
        ("files", files),
    ];
    let fields = fields.map(|(name, value)| (Arc::from(name), value));
    Ok(done(Value::Record(Arc::new(BTreeMap::from(fields)))))
}

/// Reads what a command wrote as what is wanted of it.
fn json(call: &StepCall, output: Capture) -> Result<Value, StepFailure> {
    let read = match output.finish_whole() {
        Some(text) => json::parse(&text, call.result_type()?),
        None => Err(invalid(
            "it wrote more than 16 MiB, which is too much for JSON",
        )),
    };
    // The command has run: nobody knows what it did.
    read.map_err(|failure| StepFailure {
        sent: Sent::Maybe,
        ..failure
    })
}

/// Returns the exit code of a command that went well.
fn code(order: &Order, status: ExitStatus, errors: &str) -> Result<i64, StepFailure> {
    let Some(code) = status.code().map(i64::from) else {
        let signal = status.signal().unwrap_or_default();
        let how = format!("was ended by signal {signal}");
        return Err(failed(order, FailureClass::Transient, &how, errors));
    };
    if order.ok.contains(&code) {
        return Ok(code);
    }
    let how = format!("ended with exit code {code}");
    Err(failed(order, FailureClass::Invalid, &how, errors))
}

/// Says how a command failed that was started. Nobody knows what it did before.
fn failed(
    order: &Order,
    class: FailureClass,
    how: &dyn std::fmt::Display,
    errors: &str,
) -> StepFailure {
    let errors = errors.trim();
    let mut at = errors.len().saturating_sub(TOLD_MAX);
    while !errors.is_char_boundary(at) {
        at += 1;
    }
    let (colon, cut) = match (errors.is_empty(), at) {
        (true, _) => ("", ""),
        (false, 0) => (": ", ""),
        (false, _) => (": ", "…"),
    };
    StepFailure {
        sent: Sent::Maybe,
        ..StepFailure::unsent(
            class,
            format!("`{}` {how}{colon}{cut}{}", order.launch.name, &errors[at..]),
        )
    }
}
