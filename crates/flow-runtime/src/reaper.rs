//! The reaper: a small process that ends what is left when flow is gone.
//!
//! It reads the process groups of steps from a pipe: `+17` is one that began,
//! `-17` one that ended. The pipe ends with flow, however that ends; then the
//! groups that are left are asked to end, and killed two seconds later.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// The hidden command that is the reaper.
pub const COMMAND: &str = "__reaper";

/// How long a group has between being asked to end and being killed.
const GRACE: Duration = Duration::from_secs(2);

/// How often is looked whether a group is gone.
const STEP: Duration = Duration::from_millis(20);

/// The near end of the pipe. The reaper is started with the first group.
#[derive(Debug, Default)]
pub struct Reaper {
    /// A step may begin a group on any thread, and none may begin before the
    /// reaper knows of it: so they wait here for each other.
    process: Mutex<Option<Process>>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Reaper {
    /// Notes that a group began.
    pub fn adopt(&self, group: u32) {
        self.tell('+', group);
    }

    /// Notes that a group is gone.
    pub fn release(&self, group: u32) {
        self.tell('-', group);
    }

    fn tell(&self, sign: char, group: u32) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if process.is_none() {
            *process = begin().ok();
        }
        let pipe = process.as_mut().and_then(|process| process.pipe.as_mut());
        if let Some(pipe) = pipe {
            // Without a reaper steps still end with their attempts.
            drop(writeln!(pipe, "{sign}{group}").and_then(|()| pipe.flush()));
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = process.as_mut() {
            process.pipe = None;
            drop(process.child.wait());
        }
    }
}

fn begin() -> io::Result<Process> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(COMMAND)
        // What a terminal sends to flow is not for the reaper.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let pipe = child.stdin.take();
    Ok(Process { child, pipe })
}

/// Is the reaper, until its input ends.
pub fn reap(input: impl BufRead) {
    let mut groups = BTreeMap::new();
    for line in input.lines().map_while(Result::ok) {
        let number: Option<i32> = line.get(1..).and_then(|number| number.parse().ok());
        let Some((number, group)) =
            number.and_then(|number| Some((number, Pid::from_raw(number)?)))
        else {
            continue;
        };
        if line.starts_with('+') {
            groups.insert(number, group);
        } else {
            groups.remove(&number);
        }
    }
    end(groups);
}

fn end(mut groups: BTreeMap<i32, Pid>) {
    for group in groups.values() {
        // One that is gone by itself is what is wanted.
        kill_process_group(*group, Signal::TERM).ok();
    }
    let mut waited = Duration::ZERO;
    while waited < GRACE {
        groups.retain(|_, group| test_kill_process_group(*group).is_ok());
        if groups.is_empty() {
            return;
        }
        std::thread::sleep(STEP);
        waited += STEP;
    }
    for group in groups.into_values() {
        kill_process_group(group, Signal::KILL).ok();
    }
}
