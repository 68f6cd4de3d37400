//! The reaper: a small process that ends what is left when flow is gone.
//!
//! It reads the process groups of steps from a pipe: `+17` is one that began,
//! `-17` one that ended. The pipe ends with flow, however that ends; then the
//! groups that are left are asked to end, and killed two seconds later. If flow
//! didn't say good-bye, `.`, so are the processes that left their group: they
//! are known by their owner, whose name comes first, `=NAME`.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::survivors;

/// The hidden command that is the reaper.
pub const COMMAND: &str = "__reaper";

/// How long a group has between being asked to end and being killed.
const GRACE: Duration = Duration::from_secs(2);

/// How long the reaper lets what it is told pile up. A pipe holds what thousands
/// of groups have to say.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 500_000_000,
};

/// How often is looked whether a group is gone.
const STEP: Duration = Duration::from_millis(20);

/// The near end of the pipe. The reaper is started with the first folder that a
/// step asks for.
#[derive(Debug)]
pub struct Reaper {
    /// Whose steps they are.
    owner: String,
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
    /// Will end the steps of an owner.
    pub fn new(owner: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            process: Mutex::default(),
        }
    }

    /// Starts the reaper, if it isn't there: before anything that it may have to
    /// end, for flow can be gone in the next moment.
    pub fn watch(&self) {
        self.with(|_| {});
    }

    /// Notes that a group began.
    pub fn adopt(&self, group: u32) {
        self.tell('+', group);
    }

    /// Notes that a group is gone.
    pub fn release(&self, group: u32) {
        self.tell('-', group);
    }

    fn tell(&self, sign: char, group: u32) {
        // One write, so that it is woken once. Without a reaper steps still end
        // with their attempts.
        self.with(|pipe| drop(pipe.write_all(format!("{sign}{group}\n").as_bytes())));
    }

    fn with(&self, edit: impl FnOnce(&mut ChildStdin)) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if process.is_none() {
            *process = begin(&self.owner).ok();
        }
        let pipe = process.as_mut().and_then(|process| process.pipe.as_mut());
        if let Some(pipe) = pipe {
            edit(pipe);
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = process.as_mut() {
            if let Some(mut pipe) = process.pipe.take() {
                // What has left its group by now was meant to stay.
                writeln!(pipe, ".").ok();
            }
            drop(process.child.wait());
        }
    }
}

fn begin(owner: &str) -> io::Result<Process> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(COMMAND)
        // What a terminal sends to flow is not for the reaper.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut pipe = child.stdin.take();
    if let Some(pipe) = &mut pipe {
        writeln!(pipe, "={owner}")?;
    }
    Ok(Process { child, pipe })
}

/// Is the reaper, until its input ends.
pub fn reap(mut input: impl Read + AsFd) {
    let mut told = Told::default();
    let mut bytes = [0; 16 * 1024];
    loop {
        match input.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(count) => told.hear(&bytes[..count]),
        }
        // Who hears of one group soon hears of more. Being woken by each would
        // slow down what it watches over, and the end wakes it anyway.
        let mut ends = [PollFd::new(&input, PollFlags::empty())];
        poll(&mut ends, Some(&PAUSE)).ok();
    }
    end(told.groups);
    // Some may have left their group.
    if let Some(owner) = told.owner {
        survivors::end(&owner);
    }
}

/// What the reaper was told.
#[derive(Default)]
struct Told {
    groups: BTreeMap<i32, Pid>,
    owner: Option<String>,
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl Told {
    fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.rest);
                self.take_line(&String::from_utf8_lossy(&line));
            } else {
                self.rest.push(*byte);
            }
        }
    }

    fn take_line(&mut self, line: &str) {
        match line.strip_prefix('=') {
            Some(name) => self.owner = Some(name.to_owned()),
            None if line == "." => self.owner = None,
            None => {}
        }
        let number: Option<i32> = line.get(1..).and_then(|number| number.parse().ok());
        let Some((number, group)) =
            number.and_then(|number| Some((number, Pid::from_raw(number)?)))
        else {
            return;
        };
        if line.starts_with('+') {
            self.groups.insert(number, group);
        } else {
            self.groups.remove(&number);
        }
    }
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
