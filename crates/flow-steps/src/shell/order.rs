//! What is started: the program, its arguments, environment, folder and files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::step::{StepCall, StepFailure};
use flow_core::value::Value;
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;

use super::files;
use crate::given::{Given, invalid};
use crate::paths;

/// What a command finds programs in if nothing is said.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";

/// What it has from our own environment.
const INHERITED: [&str; 3] = ["PATH", "HOME", "LANG"];

/// The variable by which the processes of an attempt are known: it names the
/// attempt's own folder. The store looks for it after its owner has died.
const ATTEMPT: &str = "FLOW_ATTEMPT";

/// A command that is ready to be started.
pub(super) struct Order {
    /// The program as it was written.
    pub(super) name: Arc<str>,
    /// Where it runs.
    pub(super) folder: PathBuf,
    /// What it reads.
    pub(super) stdin: Option<Arc<str>>,
    /// The exit codes that mean success.
    pub(super) ok: Vec<i64>,
    program: PathBuf,
    words: Vec<Arc<str>>,
    environment: BTreeMap<Arc<str>, Arc<str>>,
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
    let program = program(project, &name, &environment)?;
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
    Ok(Order {
        name,
        folder,
        stdin: call.text_if("stdin")?.cloned(),
        ok: ok.collect(),
        program,
        words,
        environment,
    })
}

impl Order {
    /// Starts it, at the head of a process group of its own.
    ///
    /// Nothing is asked for that would need a copy of this process first: the
    /// program is found before, since it is not looked up in our own PATH.
    pub(super) fn spawn(&self) -> Result<Child, StepFailure> {
        let mut command = Command::new(&self.program);
        command
            .args(self.words.iter().map(|word| &**word))
            .env_clear()
            .envs(
                self.environment
                    .iter()
                    .map(|(name, value)| (&**name, &**value)),
            )
            .current_dir(&self.folder)
            .process_group(0)
            .stdin(match self.stdin {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().map_err(|error| {
            let message = format!("`{}` can't be started: {error}", self.name);
            StepFailure::unsent(class(&error), message)
        })
    }
}

/// Returns what may be done about a program that can't be started: it may work
/// once the machine has room again.
fn class(error: &io::Error) -> FailureClass {
    let passes = [
        io::ErrorKind::WouldBlock,
        io::ErrorKind::OutOfMemory,
        io::ErrorKind::ExecutableFileBusy,
    ];
    if passes.contains(&error.kind()) {
        FailureClass::Transient
    } else {
        FailureClass::Invalid
    }
}

fn made(folder: PathBuf) -> Result<PathBuf, StepFailure> {
    match fs::create_dir(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(StepFailure::unsent(
            FailureClass::Transient,
            format!("its folder can't be made: {error}"),
        )),
        _ => Ok(folder),
    }
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
fn environment(call: &StepCall, own: &Path) -> Result<BTreeMap<Arc<str>, Arc<str>>, StepFailure> {
    let mut all: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    all.insert("PATH".into(), PATH_DEFAULT.into());
    for name in INHERITED {
        if let Ok(value) = std::env::var(name) {
            all.insert(name.into(), value.into());
        }
    }
    // Beside the folder that it works in, and gone with it.
    all.insert("TMPDIR".into(), own.to_string_lossy().into());
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
    all.insert(ATTEMPT.into(), own.to_string_lossy().into());
    Ok(all)
}

fn variable(name: &Arc<str>) -> Result<Arc<str>, StepFailure> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(invalid(format!("`{name}` is no name of a variable")));
    }
    Ok(name.clone())
}

/// Finds a program: a name in the command's PATH, a path in the project.
fn program(
    project: &Path,
    name: &str,
    environment: &BTreeMap<Arc<str>, Arc<str>>,
) -> Result<PathBuf, StepFailure> {
    if name.starts_with('/') {
        return Err(invalid(format!(
            "`{name}` is not in the project: a program of the machine is named without its folder, and found in PATH"
        )));
    }
    if name.contains('/') {
        return paths::real(project, name);
    }
    let path = environment.get("PATH").map_or("", |path| path);
    let mut folders = path.split(':').filter(|folder| folder.starts_with('/'));
    let found = folders.find_map(|folder| {
        let program = Path::new(folder).join(name);
        let facts = fs::metadata(&program).ok()?;
        let runs = facts.is_file() && facts.permissions().mode() & 0o111 != 0;
        runs.then_some(program)
    });
    found.ok_or_else(|| invalid(format!("there is no program `{name}`")))
}
