//! What is started: the program, its arguments, environment, folder and files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::step::{StepCall, StepFailure};
use flow_core::value::Value;
use tokio::task::spawn_blocking;

use super::files;
use crate::given::{Given, invalid};
use crate::paths;
use crate::process::launch::{Environment, Launch, find, inherited, made, mark};

/// A command that is ready to be started.
pub(super) struct Order {
    /// What is started.
    pub(super) launch: Launch,
    /// What it reads.
    pub(super) stdin: Option<Arc<str>>,
    /// The exit codes that mean success.
    pub(super) ok: Vec<i64>,
}

/// Reads a call, and makes its folder.
pub(super) async fn prepare(project: &Path, call: &StepCall) -> Result<Order, StepFailure> {
    let own = call.desk.folder()?;
    let folder = match call.text_if("folder")? {
        Some(folder) => paths::real(project, folder)?,
        None => made(own.join("work"))?,
    };
    let environment = environment(call, &own)?;
    let is_script = &*call.step == "shell.script";
    let mut words = call
        .texts(if is_script { "shell" } else { "command" })?
        .into_iter()
        .cloned();
    let name = words.next().ok_or_else(|| invalid("there is no command"))?;
    let mut words: Vec<Arc<str>> = words.collect();
    if is_script {
        words.push(script(call, &own)?);
    }
    let program = find(project, &name, &environment)?;
    if !call.map("files")?.is_empty() {
        let (call, folder) = (call.clone(), folder.clone());
        let placed = spawn_blocking(move || files::place(&call, &folder)).await;
        placed.map_err(|error| invalid(format!("its files can't be placed: {error}")))??;
    }
    let ok = call.list("ok")?.iter().filter_map(|code| {
        let Value::Int(code) = code else {
            return None;
        };
        Some(*code)
    });
    let launch = Launch {
        name,
        program,
        words,
        environment,
        folder,
    };
    Ok(Order {
        launch,
        stdin: call.text_if("stdin")?.cloned(),
        ok: ok.collect(),
    })
}

/// Writes the script, and returns its path.
fn script(call: &StepCall, own: &Path) -> Result<Arc<str>, StepFailure> {
    let path = own.join("script");
    let written = fs::write(&path, call.text("script")?.as_bytes());
    written.map_err(|error| {
        let message = format!("the script can't be written: {error}");
        StepFailure::unsent(FailureClass::Transient, message)
    })?;
    let path = path.to_str();
    path.map(Arc::from)
        .ok_or_else(|| invalid("the path of the store is no text"))
}

/// Returns all variables, with what the secret ones hide.
fn environment(call: &StepCall, own: &Path) -> Result<Environment, StepFailure> {
    let mut all = inherited(own);
    for (name, value) in call.map("env")? {
        if let Value::Text(value) = value {
            all.insert(variable(name)?, value.clone());
        }
    }
    for (name, value) in call.map("secrets")? {
        if let Value::Secret(secret) = value {
            all.insert(variable(name)?, call.desk.secret(secret)?);
        }
    }
    mark(&mut all, own);
    Ok(all)
}

fn variable(name: &Arc<str>) -> Result<Arc<str>, StepFailure> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(invalid(format!("`{name}` is no name of a variable")));
    }
    Ok(name.clone())
}
