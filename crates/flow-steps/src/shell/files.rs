//! The files that a command gets, and those that are kept.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::step::{Sent, StepCall, StepFailure};
use flow_core::ty::Media;
use flow_core::value::Value;
use tokio::task::spawn_blocking;

use crate::given::{Given, invalid};
use crate::inside::Inside;
use crate::paths;
use crate::pattern::{Pattern, is_pattern};

/// How many files a pattern may fit.
const OUTPUTS_MAX: usize = 100_000;

/// Copies artifacts to where the command expects them. They are copies, since
/// what is in the store is never written to.
pub(super) fn place(call: &StepCall, folder: &Path) -> Result<(), StepFailure> {
    for (path, file) in call.map("files")? {
        let Value::Artifact(artifact) = file else {
            continue;
        };
        let from = call.desk.open(artifact)?;
        copy(&from, folder, path)?;
    }
    Ok(())
}

fn copy(from: &Path, folder: &Path, path: &str) -> Result<(), StepFailure> {
    let fault = |error: io::Error| invalid(format!("`{path}` can't be written: {error}"));
    let to = paths::inside(folder, path)?;
    if let Some(above) = to.parent() {
        // A link on the way may lead out of the folder.
        let there = above.ancestors().find(|above| above.exists());
        let root = folder.canonicalize().map_err(fault)?;
        let there = there.unwrap_or(folder).canonicalize().map_err(fault)?;
        if !there.starts_with(root) {
            return Err(invalid(format!("`{path}` leads out of its folder")));
        }
        fs::create_dir_all(above).map_err(fault)?;
    }
    if fs::symlink_metadata(&to).is_ok_and(|facts| facts.is_symlink()) {
        fs::remove_file(&to).map_err(fault)?;
    }
    fs::copy(from, &to).map_err(fault)?;
    Ok(())
}

/// Takes the files into the store that the call names as outputs.
pub(super) async fn keep(call: &StepCall, folder: &Path) -> Result<Value, StepFailure> {
    let none = || Value::Record(Arc::new(BTreeMap::new()));
    if call.list("outputs")?.is_empty() {
        return Ok(none());
    }
    let (call, folder) = (call.clone(), folder.to_path_buf());
    let kept = spawn_blocking(move || kept(&call, &folder)).await;
    let kept = kept.unwrap_or_else(|error| {
        let message = format!("its outputs can't be kept: {error}");
        Err(StepFailure::unsent(FailureClass::Bug, message))
    });
    // The command has run: nobody knows what it did.
    kept.map_err(|failure| StepFailure {
        sent: Sent::Maybe,
        ..failure
    })
}

fn kept(call: &StepCall, folder: &Path) -> Result<Value, StepFailure> {
    let mut files: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let inside = Inside::new(folder, &[], &[]);
    for output in call.texts("outputs")? {
        let found = if is_pattern(output) {
            Pattern::read(output)?.find(&inside, OUTPUTS_MAX)?
        } else {
            vec![output.to_string()]
        };
        for path in found {
            let mut file = inside.open(&path)?;
            let kept = call.desk.keep(&mut file, Media::File);
            let artifact = kept.map_err(|failure| StepFailure {
                message: format!("`{path}`: {}", failure.message).into(),
                ..failure
            })?;
            files.insert(path.into(), Value::Artifact(Arc::new(artifact)));
        }
    }
    Ok(Value::Record(Arc::new(files)))
}
