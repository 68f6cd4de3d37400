//! The command as a process: started, killed, stopped, waited for.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flow_trial::{clock, point, store};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take before the trial has failed.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// How often is looked whether a process has ended.
pub(crate) const LOOK: Duration = Duration::from_millis(2);

/// A command that will be started.
pub(crate) struct Flow {
    command: Command,
}

impl Flow {
    /// Takes a command with its arguments. It gets nothing of our environment
    /// but what programs need.
    pub(crate) fn new(program: &str, folder: &Path, server: &str) -> Self {
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("NO_COLOR", "1")
            .env(flow_trial::steps::SERVER, server);
        Self { command }
    }

    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(
        mut self,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Kills it at a point.
    pub(crate) fn kill_at(self, point: u64) -> Self {
        self.env(point::KILL_AT, point.to_string())
    }

    /// Kills it at the first point of a name.
    pub(crate) fn kill_at_point(self, name: &str) -> Self {
        self.env(point::KILL_AT, name)
    }

    /// Stops it at a point, until it is told to go on.
    pub(crate) fn stop_at(self, point: u64) -> Self {
        self.env(point::STOP_AT, point.to_string())
    }

    /// Notes all points that it passes.
    pub(crate) fn points(self, file: &Path) -> Self {
        self.env(point::POINTS, file)
    }

    /// Notes all that becomes durable.
    pub(crate) fn syncs(self, file: &Path) -> Self {
        self.env(store::SYNCS, file)
    }

    /// Takes its time from a file.
    pub(crate) fn clock(self, file: &Path) -> Self {
        self.env(clock::CLOCK, file)
    }

    pub(crate) fn start(mut self) -> Started {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let said = Arc::new(Said::default());
        let hears = said.clone();
        Started {
            child,
            said,
            out: Some(std::thread::spawn(move || {
                let mut text = Vec::new();
                stdout.read_to_end(&mut text).ok();
                String::from_utf8(text).unwrap()
            })),
            err: Some(std::thread::spawn(move || {
                for line in stderr.lines().map_while(Result::ok) {
                    hears.lines.lock().unwrap().push(line);
                    hears.changed.notify_all();
                }
                *hears.is_over.lock().unwrap() = true;
                hears.changed.notify_all();
            })),
        }
    }

    pub(crate) fn end(self) -> Ended {
        self.start().end()
    }
}

/// Kills a process of a trial.
pub(crate) fn kill(id: u32) {
    let id = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    kill_process(id, Signal::KILL).unwrap();
}

/// What a process has said on standard error.
#[derive(Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    is_over: Mutex<bool>,
    changed: Condvar,
}

/// A process that runs. It is killed when it is dropped.
pub(crate) struct Started {
    child: Child,
    said: Arc<Said>,
    out: Option<JoinHandle<String>>,
    err: Option<JoinHandle<()>>,
}

impl Started {
    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    pub(crate) fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the process has stopped itself.
    pub(crate) fn stopped(&mut self) {
        let path = format!("/proc/{}/stat", self.child.id());
        let is_stopped = || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let state = text
                .rsplit_once(") ")
                .map(|(_, rest)| rest.starts_with('T'));
            state.unwrap_or(false)
        };
        let began = Instant::now();
        while !is_stopped() {
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "it ended instead of stopping"
            );
            assert!(began.elapsed() < PATIENCE, "it doesn't stop");
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until it says the name of its run.
    pub(crate) fn run(&self) -> String {
        let began = Instant::now();
        let mut lines = self.said.lines.lock().unwrap();
        loop {
            if let Some(run) = run_in(&lines) {
                return run;
            }
            assert!(
                began.elapsed() < PATIENCE && !*self.said.is_over.lock().unwrap(),
                "it doesn't say the name of its run: {lines:?}"
            );
            lines = self.said.changed.wait_timeout(lines, LOOK).unwrap().0;
        }
    }

    /// Waits until it says something.
    pub(crate) fn says(&self, what: &str) {
        let began = Instant::now();
        let mut lines = self.said.lines.lock().unwrap();
        while !lines.iter().any(|line| line.contains(what)) {
            assert!(
                began.elapsed() < PATIENCE,
                "it doesn't say `{what}`: {lines:?}"
            );
            lines = self.said.changed.wait_timeout(lines, LOOK).unwrap().0;
        }
    }

    pub(crate) fn end(mut self) -> Ended {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > PATIENCE {
                self.kill();
                let lines = self.said.lines.lock().unwrap();
                panic!("it doesn't end; it said: {lines:#?}");
            }
            std::thread::sleep(LOOK);
        };
        let out = self.out.take().unwrap().join().unwrap();
        self.err.take().unwrap().join().unwrap();
        let err = std::mem::take(&mut *self.said.lines.lock().unwrap());
        Ended { status, out, err }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.go_on();
            self.kill();
            self.child.wait().ok();
        }
    }
}

/// Finds the name of the run in what was said.
fn run_in(lines: &[String]) -> Option<String> {
    let names = lines
        .iter()
        .filter_map(|line| line.trim().strip_prefix("run "));
    let mut names = names.map(|rest| rest.split([' ', ':', ',']).next().unwrap_or(rest));
    names.next().map(str::to_owned)
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: Vec<String>,
}

impl Ended {
    /// Returns the exit code; nothing if it was killed.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.status.signal() == Some(9)
    }

    /// Returns the name of the run, if it was said.
    pub(crate) fn run(&self) -> Option<String> {
        run_in(&self.err)
    }
}
