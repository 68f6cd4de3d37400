//! Commands that don't want to end, while `flow` is killed.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::bench::{Bench, Scenario};
use crate::oracle::Books;

/// Returns the processes that belong to attempts of a store: those whose
/// folders are in it.
fn survivors(bench: &Bench) -> BTreeSet<u32> {
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

/// Waits until something is true of the processes.
fn wait_for(bench: &Bench, what: &str, is_true: impl Fn(usize) -> bool) {
    let began = std::time::Instant::now();
    while !is_true(survivors(bench).len()) {
        assert!(began.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_child_survives_a_flow_that_is_killed() {
    let bench = Bench::new();
    let started = bench.run(Scenario::new("child", &[])).start();
    let run = started.run();
    wait_for(&bench, "the command begins", |count| count >= 2);
    started.kill();
    let ended = started.end();
    assert!(ended.is_killed());
    wait_for(&bench, "all children have ended", |count| count == 0);
    // It may be begun again, and only then.
    let again = bench.resume(&run).start();
    wait_for(&bench, "the command begins again", |count| count >= 2);
    again.kill();
    drop(again);
    wait_for(&bench, "all children have ended again", |count| count == 0);
    let books = Books::of(&bench, &run);
    assert_eq!(books.lost, 1);
    assert_eq!(bench.server.truth().arrived("before"), 1);
}
