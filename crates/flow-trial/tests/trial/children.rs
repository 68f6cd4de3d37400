//! Commands that don't want to end, while `flow` is killed.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::bench::{Bench, Scenario};
use crate::flow::kill;
use crate::oracle::Books;

/// Returns the processes that belong to attempts of a store: those whose
/// folders are in it.
pub(crate) fn survivors(bench: &Bench) -> BTreeSet<u32> {
    let store = bench.store().canonicalize().unwrap();
    let store = store.to_str().unwrap().to_owned();
    let mut found = BTreeSet::new();
    for entry in Path::new("/proc").read_dir().unwrap().flatten() {
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let (Some(id), Ok(environment)) = (id, std::fs::read(entry.path().join("environ"))) else {
            continue;
        };
        let environment = String::from_utf8_lossy(&environment).into_owned();
        if environment.contains("FLOW_ATTEMPT=") && environment.contains(&store) {
            found.insert(id);
        }
    }
    found
}

/// Waits until there are so many processes.
pub(crate) fn wait_for(bench: &Bench, what: &str, is_true: impl Fn(usize) -> bool) {
    wait_for_all(bench, what, |all| is_true(all.len()));
}

/// Waits until something is true of the processes. Old and new ones are never
/// there together.
fn wait_for_all(bench: &Bench, what: &str, is_true: impl Fn(&BTreeSet<u32>) -> bool) {
    let began = std::time::Instant::now();
    while !is_true(&survivors(bench)) {
        assert!(began.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_child_survives_a_flow_that_is_killed() {
    let bench = Bench::new();
    let started = bench.run(Scenario::new("child", &[])).start();
    let run = started.run();
    wait_for(&bench, "the command begins", |count| count >= 4);
    started.kill();
    let ended = started.end();
    assert!(ended.is_killed());
    wait_for(&bench, "all children have ended", |count| count == 0);
    // It may be begun again, and only then.
    let again = bench.resume(&run).start();
    wait_for(&bench, "the command begins again", |count| count >= 4);
    again.kill();
    drop(again);
    wait_for(&bench, "all children have ended again", |count| count == 0);
    let books = Books::of(&bench, &run);
    assert_eq!(books.lost, 1);
    assert_eq!(bench.server.truth().arrived("before"), 1);
}

/// Returns the helper that ends what is left when a process is gone.
fn helper(of: u32) -> Option<u32> {
    let processes = Path::new("/proc").read_dir().unwrap().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.find(|id: &u32| {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}"));
        let parent = read("stat").unwrap_or_default();
        let parent = parent
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.split(' ').nth(1).map(str::to_owned));
        let is_helper = read("cmdline").unwrap_or_default().contains("__reaper");
        is_helper && parent == Some(of.to_string())
    })
}

#[test]
fn a_child_whose_flow_and_helper_were_killed_ends_before_it_is_begun_again() {
    let bench = Bench::new();
    let started = bench.run(Scenario::new("child", &[])).start();
    let run = started.run();
    wait_for(&bench, "the command begins", |count| count >= 4);
    let helper = helper(started.id()).unwrap();
    kill(helper);
    started.kill();
    assert!(started.end().is_killed());
    let left = survivors(&bench);
    assert!(left.len() >= 4, "{left:?}");
    let again = bench.resume(&run).start();
    wait_for_all(&bench, "the command begins again", |now| {
        now.len() >= 4 && !now.iter().any(|id| left.contains(id))
    });
    again.kill();
    drop(again);
    wait_for(&bench, "all children have ended", |count| count == 0);
}
