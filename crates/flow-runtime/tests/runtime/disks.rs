//! Disks that are full or broken.

use flow_runtime::store::{Admission, Faults, Level, Options, Refused, Store, WriteError};
use tempfile::tempdir;

use crate::harness::{commit, event, first, length, more, open, options};

/// Writes until the store says that no new work may begin, and one result more.
/// Then until it can't any more. Returns how many events were acknowledged.
pub(crate) fn fill(store: &Store) -> u64 {
    let ballast = store.layout().ballast();
    let admission = store.admission();
    commit(store, first("r", 0, Level::Synced)).unwrap();
    assert_eq!(*admission.borrow(), Admission::Open);
    assert!(ballast.exists(), "there is something to give up");
    let add = |seq| {
        let mut batch = more("r", 1, seq, 0, Level::Synced);
        batch.append.as_mut().unwrap().events = vec![event(seq, vec![7; 64 * 1024])];
        commit(store, batch)
    };
    let mut seq = 0;
    while *admission.borrow() == Admission::Open {
        add(seq).unwrap();
        seq += 1;
    }
    assert!(!ballast.exists(), "the ballast was given up");
    // What was paid for before is recorded.
    for _ in 0..20 {
        add(seq).unwrap();
        seq += 1;
    }
    let refused = loop {
        match add(seq) {
            Ok(_) => seq += 1,
            Err(refused) => break refused,
        }
    };
    let Refused::Failed(error) = &refused else {
        panic!("{refused:?}")
    };
    assert!(matches!(**error, WriteError::Full { .. }), "{refused:?}");
    let message = refused.to_string();
    assert!(message.contains("make room, then resume"), "{message}");
    assert_eq!(add(seq), Err(refused), "nothing is tried again");
    seq
}

#[test]
fn a_full_disk_takes_what_was_paid_for_and_nothing_new() {
    let folder = tempdir().unwrap();
    let faults = Faults {
        pages_max: Some(500),
        ..Faults::default()
    };
    let options = Options {
        faults,
        ..options()
    };
    let store = Store::open(folder.path(), options).unwrap();
    let written = fill(&store);
    drop(store);
    assert_eq!(length(&open(folder.path()), "r"), written);
}

#[test]
fn no_new_work_begins_when_little_is_free() {
    let folder = tempdir().unwrap();
    let options = Options {
        free_min: u64::MAX / 2,
        ..options()
    };
    let store = Store::open(folder.path(), options).unwrap();
    commit(&store, first("r", 1, Level::Synced)).unwrap();
    let now = *store.admission().borrow();
    assert!(
        matches!(now, Admission::Stopped { free } if free > 0),
        "{now:?}"
    );
    assert_eq!(length(&store, "r"), 1, "what is in progress goes on");
}
