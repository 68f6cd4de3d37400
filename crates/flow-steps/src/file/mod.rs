//! `file.*`: files of the project, and of the folders that it allows.
//!
//! What is written is complete or not there: it is written beside its place,
//! under a name that follows from the act, and moved. So an act that is made
//! again finds what the first try left, be it the file or a part of it.

mod content;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use flow_core::step::{Executor, Sent, StepCall, StepFailure, StepReport, Work};
use flow_core::ty::Type;
use flow_core::value::{Artifact, Value};

use crate::given::{Given, bug, done, on_disk};
use crate::inside::{Inside, PathFault};
use crate::pattern::Pattern;
use content::{Taken, take};

/// The steps of this family that touch the project.
pub(crate) const STEPS: [&str; 4] = ["file.copy", "file.glob", "file.read", "file.write"];

/// The step that only looks into a file of a run.
pub(crate) const OPENING: [&str; 1] = ["file.open"];

/// Reads and writes files.
pub(crate) struct Files {
    inside: Arc<Inside>,
}

impl Files {
    /// Finds them in a project, in the folders that it allows, and never in its
    /// store.
    pub(crate) fn new(inside: &Arc<Inside>) -> Self {
        let inside = inside.clone();
        Self { inside }
    }
}

impl Executor for Files {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let inside = self.inside.clone();
        on_disk(call, move |call| {
            ended(match &*call.step {
                "file.read" => read(&inside, call),
                "file.glob" => glob(&inside, call),
                "file.copy" => write::copy(&inside, call),
                _ => write::write(&inside, call),
            })
        })
    }
}

/// Looks into files of a run.
pub(crate) struct Opener;

impl Executor for Opener {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        on_disk(call, |call| ended(open(call)))
    }
}

fn ended(ended: Result<Value, Halt>) -> Result<StepReport, StepFailure> {
    match ended {
        Ok(value) => Ok(done(value)),
        Err(Halt::Failed(failure)) => Err(failure),
        Err(Halt::Stopped(sent)) => Ok(StepReport::Stopped { sent, bill: None }),
    }
}

/// Why there is no value.
#[derive(Debug)]
enum Halt {
    Failed(StepFailure),
    /// The run stopped it.
    Stopped(Sent),
}

impl From<StepFailure> for Halt {
    fn from(failure: StepFailure) -> Self {
        Self::Failed(failure)
    }
}

impl From<PathFault> for Halt {
    fn from(fault: PathFault) -> Self {
        Self::Failed(fault.into())
    }
}

fn read(inside: &Inside, call: &StepCall) -> Result<Value, Halt> {
    let path = call.text("path")?;
    let mut file = inside.open(path)?;
    let value = match take(call.result_type()?, &mut file, path)? {
        Taken::Value(value) => value,
        Taken::Media(media, facts) => {
            let kept = call.desk.keep(&mut file, media);
            let artifact = kept.map_err(|failure| about(path, failure))?;
            Value::Artifact(Arc::new(Artifact { facts, ..artifact }))
        }
    };
    Ok(value)
}

/// Names the file that a failure is about.
fn about(path: &str, mut failure: StepFailure) -> StepFailure {
    failure.message = format!("`{path}`: {}", failure.message).into();
    failure
}

fn open(call: &StepCall) -> Result<Value, Halt> {
    let Value::Artifact(artifact) = call.value("file")? else {
        return Err(bug(call, "file").into());
    };
    let path: PathBuf = call.desk.open(artifact)?;
    let name = "the file";
    let file = std::fs::File::open(path);
    let mut file = file.map_err(|error| PathFault::io(name, "read", error))?;
    let ty: &Type = call.result_type()?;
    let value = match take(ty, &mut file, name)? {
        Taken::Value(value) => value,
        Taken::Media(media, facts) => Value::Artifact(Arc::new(Artifact {
            media,
            facts,
            ..artifact.as_ref().clone()
        })),
    };
    Ok(value)
}

fn glob(inside: &Inside, call: &StepCall) -> Result<Value, Halt> {
    let most = usize::try_from(call.int("most")?).unwrap_or(0);
    let found = Pattern::read(call.text("pattern")?)?.find(inside, most)?;
    Ok(Value::list(found.into_iter().map(Value::text).collect()))
}
