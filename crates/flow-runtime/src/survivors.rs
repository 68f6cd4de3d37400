//! What is left of an owner that died: processes of its steps.
//!
//! The reaper ends the groups that it was told of. Here are found those that it
//! wasn't: a child that began in the moment in which flow ended, one that made
//! a group of its own, and all of them if the reaper was killed, too. They carry
//! the folder of their attempt in their environment, which is in the folder of
//! their owner. Only Linux tells the environment of a process.

use std::collections::BTreeMap;
use std::fs;
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
    let mut groups = groups(owner);
    if groups.is_empty() {
        return;
    }
    let began = Instant::now();
    signal(&groups, Signal::TERM);
    while began.elapsed() < GRACE {
        sleep(STEP);
        groups = self::groups(owner);
        if groups.is_empty() {
            return;
        }
    }
    signal(&groups, Signal::KILL);
    // They can't refuse; but who waits for a disk takes a while.
    while began.elapsed() < GRACE * 2 && !self::groups(owner).is_empty() {
        sleep(STEP);
    }
}

fn signal(groups: &BTreeMap<i32, Pid>, signal: Signal) {
    for group in groups.values() {
        // One that is gone can't be told anything.
        kill_process_group(*group, signal).ok();
    }
}

/// Returns the groups of the processes that belong to an owner, by their numbers.
fn groups(owner: &str) -> BTreeMap<i32, Pid> {
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
            let is_theirs = belongs(&environment, owner) && group != own;
            is_theirs.then(|| (group.as_raw_nonzero().get(), group))
        })
        .collect()
}

/// Returns whether an environment names an attempt of an owner.
fn belongs(environment: &[u8], owner: &str) -> bool {
    let mut variables = environment.split(|byte| *byte == 0);
    variables.any(|variable| {
        let folder = variable.strip_prefix(ATTEMPT.as_bytes());
        let folder = folder.and_then(|folder| std::str::from_utf8(folder).ok());
        folder.is_some_and(|folder| folder.split('/').any(|part| part == owner))
    })
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
}
