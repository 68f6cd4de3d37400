//! A bench: a folder with the scenarios, a store, a server.

use std::path::{Path, PathBuf};

use flow_trial::server::Server;
use tempfile::TempDir;

use crate::flow::Flow;

/// The command that is tried.
const FLOW: &str = env!("CARGO_BIN_EXE_flow-trial");

/// Where the scenarios are.
const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/crash");

/// A workflow with its inputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// The name of the file and of the workflow.
    pub(crate) name: &'static str,
    /// The inputs, as they are written.
    pub(crate) inputs: &'static [&'static str],
}

impl Scenario {
    pub(crate) const fn new(name: &'static str, inputs: &'static [&'static str]) -> Self {
        Self { name, inputs }
    }
}

/// Memory that looks like a disk. What a disk loses is lost by the trials
/// themselves, so that they need none, and don't have to wait for it.
const MEMORY: &str = "/dev/shm";

/// How much room a trial needs to be in memory.
const ROOM: u64 = 2 << 30;

/// The variable that says where trials are made.
const FOLDER: &str = "FLOW_TRIAL_FOLDER";

/// Makes a folder where it is said, else in memory if there is enough of it.
fn folder() -> TempDir {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return TempDir::new_in(folder).unwrap();
    }
    let found = rustix::fs::statvfs(MEMORY);
    let free = found.map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize));
    if free >= ROOM {
        TempDir::new_in(MEMORY).unwrap()
    } else {
        TempDir::new().unwrap()
    }
}

/// All that one trial needs. It is removed with the trial.
pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) server: Server,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = folder();
        for entry in Path::new(SCENARIOS).read_dir().unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        let server = Server::start(&folder.path().join("journal")).unwrap();
        Self { folder, server }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Returns the command without arguments.
    pub(crate) fn flow(&self) -> Flow {
        self.flow_by(FLOW)
    }

    /// Returns the command as the argument of another program.
    pub(crate) fn traced(&self, program: &str, args: &[&str]) -> Flow {
        self.flow_by(program).args(args).args([FLOW])
    }

    fn flow_by(&self, program: &str) -> Flow {
        let address = self.server.address().to_string();
        Flow::new(program, self.folder.path(), &address)
    }

    /// Adds what runs a scenario.
    pub(crate) fn running(&self, flow: Flow, scenario: Scenario) -> Flow {
        flow.args(["run", &format!("{}.flow", scenario.name)])
            .args(scenario.inputs)
            .args(["--format", "json", "--seed", "7", "--store"])
            .args([self.store()])
    }

    pub(crate) fn run(&self, scenario: Scenario) -> Flow {
        self.running(self.flow(), scenario)
    }

    pub(crate) fn resume(&self, run: &str) -> Flow {
        self.resuming(self.flow(), run)
    }

    /// Adds what resumes a run.
    pub(crate) fn resuming(&self, flow: Flow, run: &str) -> Flow {
        flow.args(["resume", run, "--format", "json", "--store"])
            .args([self.store()])
    }

    /// Resumes a run; begins it if it didn't come to that.
    pub(crate) fn again(&self, scenario: Scenario, run: Option<&str>) -> Flow {
        match run {
            Some(run) => self.resume(run),
            None => self.run(scenario),
        }
    }
}
