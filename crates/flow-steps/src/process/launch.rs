//! What is started: the program, its words, its environment and its folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::step::StepFailure;
use tokio::process::{Child, Command};

use crate::given::invalid;
use crate::paths;

/// What a command finds programs in if nothing is said.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";

/// What it has from our own environment.
const INHERITED: [&str; 3] = ["PATH", "HOME", "LANG"];

/// The variable by which the processes of an attempt are known: it names the
/// attempt's own folder. The store looks for it after its owner has died.
const ATTEMPT: &str = "FLOW_ATTEMPT";

/// Variables by their names.
pub(crate) type Environment = BTreeMap<Arc<str>, Arc<str>>;

/// A command that is ready to be started.
pub(crate) struct Launch {
    /// The program as it was written.
    pub(crate) name: Arc<str>,
    /// Where it is.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) words: Vec<Arc<str>>,
    /// Its variables; there are no others.
    pub(crate) environment: Environment,
    /// Where it runs.
    pub(crate) folder: PathBuf,
}

impl Launch {
    /// Starts it, at the head of a process group of its own.
    ///
    /// Nothing is asked for that would need a copy of this process first: the
    /// program is found before, since it is not looked up in our own PATH.
    pub(crate) fn spawn(&self, stdin: Stdio) -> Result<Child, StepFailure> {
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
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().map_err(|error| {
            let message = format!("`{}` can't be started: {error}{}", self.name, cure(&error));
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

/// Returns what to do about a file that is no program.
fn cure(error: &io::Error) -> &'static str {
    const NO_EXEC: i32 = 8;
    if error.kind() == io::ErrorKind::PermissionDenied {
        "; let it be run by `chmod +x`, or name what reads it, as in `python3 ./it.py`"
    } else if error.raw_os_error() == Some(NO_EXEC) {
        "; its first line has to say what reads it, as in `#!/usr/bin/env python3`"
    } else {
        ""
    }
}

/// Makes a folder, unless it is there already.
pub(crate) fn made(folder: PathBuf) -> Result<PathBuf, StepFailure> {
    match fs::create_dir(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(StepFailure::unsent(
            FailureClass::Transient,
            format!("its folder can't be made: {error}"),
        )),
        _ => Ok(folder),
    }
}

/// Returns what every command has of our own environment.
pub(crate) fn inherited(own: &Path) -> Environment {
    let mut all = Environment::new();
    all.insert("PATH".into(), PATH_DEFAULT.into());
    for name in INHERITED {
        if let Ok(value) = std::env::var(name) {
            all.insert(name.into(), value.into());
        }
    }
    // Beside the folder that it works in, and gone with it.
    all.insert("TMPDIR".into(), own.to_string_lossy().into());
    all
}

/// Notes in an environment which attempt it is that of.
pub(crate) fn mark(environment: &mut Environment, own: &Path) {
    environment.insert(ATTEMPT.into(), own.to_string_lossy().into());
}

/// Finds a program: a name in the command's PATH, a path in the project.
pub(crate) fn find(
    project: &Path,
    name: &str,
    environment: &Environment,
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
