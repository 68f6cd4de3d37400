//! What is left of an owner that died, or of an attempt that was stopped:
//! processes that nobody holds any more.
//!
//! The reaper ends the groups that it was told of, and an attempt ends its own.
//! Here are found the others: a child that began in the moment in which flow
//! ended, one that made a group of its own, and all of them if the reaper was
//! killed, too. They carry the folder of their attempt in their environment, which
//! is in the folder of their owner. Only Linux tells the environment of a process.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpgid, getpgrp, kill_process_group};

/// The variable that names the folder of an attempt.
const ATTEMPT: &str = "FLOW_ATTEMPT=";

/// How long a process has between being asked to end and being killed.
const GRACE: Duration = Duration::from_secs(2);

/// How often is looked whether a process is gone.
const STEP: Duration = Duration::from_millis(20);

/// Ends all processes of the steps of an owner, and waits for that.
pub(crate) fn end(owner: &str) {
    end_all(|| groups(|_, environment| belongs(environment, owner)));
}

/// The processes of an attempt.
#[derive(Debug)]
pub(crate) struct Strays {
    folder: PathBuf,
    since: u64,
}

impl Strays {
    /// Returns those of an attempt that works in a folder and has begun a process
    /// that is still there. Processes that were there before it had the folder
    /// are none of its.
    pub(crate) fn of(folder: PathBuf, process: u32) -> Option<Self> {
        let since = began(i32::try_from(process).ok()?)?;
        Some(Self { folder, since })
    }

    /// Ends them, and waits for that.
    pub(crate) fn end(&self) {
        end_all(|| {
            groups(|id, environment| {
                works_in(environment, &self.folder)
                    && began(id).is_some_and(|began| began >= self.since)
            })
        });
    }
}

fn end_all(groups: impl Fn() -> BTreeMap<i32, Pid>) {
    let mut left = groups();
    if left.is_empty() {
        return;
    }
    let began = Instant::now();
    signal(&left, Signal::TERM);
    while began.elapsed() < GRACE {
        sleep(STEP);
        left = groups();
        if left.is_empty() {
            return;
        }
    }
    signal(&left, Signal::KILL);
    // They can't refuse; but who waits for a disk takes a while.
    while began.elapsed() < GRACE * 2 && !groups().is_empty() {
        sleep(STEP);
    }
}

fn signal(groups: &BTreeMap<i32, Pid>, signal: Signal) {
    for group in groups.values() {
        // One that is gone can't be told anything.
        kill_process_group(*group, signal).ok();
    }
}

/// Returns the groups of processes, by their numbers.
fn groups(is_meant: impl Fn(i32, &[u8]) -> bool) -> BTreeMap<i32, Pid> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    let own = getpgrp();
    let processes = processes.flatten();
    processes
        .filter_map(|process| {
            let id: i32 = process.file_name().to_str()?.parse().ok()?;
            // Those of other users can't be read, and are none of ours.
            let environment = fs::read(process.path().join("environ")).ok()?;
            let group = getpgid(Pid::from_raw(id)).ok()?;
            let is_meant = group != own && is_meant(id, &environment);
            is_meant.then(|| (group.as_raw_nonzero().get(), group))
        })
        .collect()
}

/// Returns when a process began, in an order of all of them.
fn began(process: i32) -> Option<u64> {
    /// Where it stands behind the name, which may have anything in it.
    const PLACE: usize = 19;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(PLACE)?.parse().ok()
}

/// Returns the folders of attempts that an environment names.
fn folders(environment: &[u8]) -> impl Iterator<Item = &[u8]> {
    let variables = environment.split(|byte| *byte == 0);
    variables.filter_map(|variable| variable.strip_prefix(ATTEMPT.as_bytes()))
}

/// Returns whether an environment names an attempt of an owner.
fn belongs(environment: &[u8], owner: &str) -> bool {
    folders(environment).any(|folder| {
        folder
            .split(|byte| *byte == b'/')
            .any(|part| part == owner.as_bytes())
    })
}

/// Returns whether an environment names the attempt that has a folder.
fn works_in(environment: &[u8], folder: &Path) -> bool {
    folders(environment).any(|found| found == folder.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_belongs_to_the_owner_whose_folder_its_attempt_is_in() {
        let environment = b"A=1\0FLOW_ATTEMPT=/s/tmp/one-of-us/3.0.1\0B=2\0";
        assert!(belongs(environment, "one-of-us"));
        assert!(!belongs(environment, "one-of"));
        assert!(!belongs(b"X=/s/tmp/one-of-us/3.0.1\0", "one-of-us"));
        assert!(!belongs(b"", ""));
    }

    #[test]
    fn a_process_works_in_the_folder_of_its_attempt_and_no_other() {
        let environment = b"A=1\0FLOW_ATTEMPT=/s/tmp/one/3\0B=2\0";
        assert!(works_in(environment, Path::new("/s/tmp/one/3")));
        assert!(!works_in(environment, Path::new("/s/tmp/one")));
        assert!(!works_in(environment, Path::new("/s/tmp/one/31")));
    }

    #[test]
    fn a_process_began_no_later_than_one_that_it_starts() {
        let own = i32::try_from(std::process::id()).unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let child_began = began(i32::try_from(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(began(own).unwrap() <= child_began.unwrap());
        assert_eq!(began(0), None);
    }
}
