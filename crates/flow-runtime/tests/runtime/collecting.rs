//! Removing what nobody refers to, beside those who keep the same.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flow_core::amount::{Duration as Age, Timestamp};
use flow_core::digest::Digest;
use flow_runtime::artifacts::Check;
use flow_runtime::store::{
    Batch, CacheEntry, Collected, Collecting, Held, Hold, Level, Phase, Refused, Store,
};
use tempfile::tempdir;

use crate::harness::{commit, first, id, more, open, over, with_blob, with_value};

/// An instant that is later than all files of the tests.
const LATER: Timestamp = Timestamp(i64::MAX / 2);

pub(crate) fn collect(store: &Store) -> Collected {
    collect_at(store, LATER)
}

fn collect_at(store: &Store, now: Timestamp) -> Collected {
    let wanted = Collecting {
        now,
        age: Age(0),
        patience: Duration::from_millis(50),
    };
    store.collect(wanted).unwrap()
}

/// A batch of a run that is over with it.
pub(crate) fn last(mut batch: Batch) -> Batch {
    let append = batch.append.as_mut().unwrap();
    append.summary = Some(over(Phase::Succeeded));
    append.hold = Hold::Released;
    batch
}

#[test]
fn what_runs_values_and_the_cache_refer_to_stays() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let names = ["run", "value", "cache"];
    let [run, value, cache] = names.map(|name| store.blobs().keep_bytes(name.as_bytes()).unwrap());
    let mut batch = with_blob(first("r", 1, Level::Lazy), run);
    batch = with_value(batch, &[1; 100], vec![value.digest]);
    batch.cache = vec![CacheEntry {
        key: Digest::of(b"key"),
        value: Held::Inline(Vec::new()),
        blobs: vec![cache.digest],
        parts: Vec::new(),
        made: Timestamp(1),
        expires: Some(Timestamp(1000)),
        run: id("r"),
        seq: 0,
    }];
    batch.blobs.extend([value, cache]);
    commit(&store, last(batch)).unwrap();
    let kept = collect_at(&store, Timestamp(999));
    assert_eq!(kept, Collected::default());

    let old = collect(&store);
    assert_eq!((old.cache, old.values, old.blobs, old.left), (1, 0, 1, 0));
    assert_eq!(
        store.blobs().check(&Digest::of(b"cache")).unwrap(),
        Check::Missing
    );
    for name in ["run", "value"] {
        let check = store.blobs().check(&Digest::of(name.as_bytes()));
        assert_eq!(check.unwrap(), Check::Whole, "{name}");
    }
    assert!(store.forget(&id("r")).unwrap());
    let all = collect(&store);
    assert_eq!((all.values, all.blobs), (1, 2));
    assert_eq!(store.value(&Digest::of(&[1; 100])).unwrap(), None);
    let reader = store.reader().unwrap();
    assert_eq!(reader.events(&id("r"), 0, 9).unwrap(), []);
    assert_eq!(collect(&store), Collected::default());
}

#[test]
fn a_run_that_is_not_over_is_not_forgotten() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, first("r", 1, Level::Lazy)).unwrap();
    assert!(!store.forget(&id("r")).unwrap());
    assert!(!store.forget(&id("none")).unwrap());
    commit(&store, last(more("r", 1, 1, 1, Level::Lazy))).unwrap();
    assert!(store.forget(&id("r")).unwrap());
}

#[test]
fn a_blob_that_is_kept_is_not_removed_before_its_commit() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let kept = store.blobs().keep_bytes(b"a fox").unwrap();
    let digest = kept.digest;
    let batch = last(with_blob(first("r", 1, Level::Lazy), kept));
    commit(&store, batch).unwrap();
    assert!(store.forget(&id("r")).unwrap());
    // The same content is kept again while nobody refers to it.
    let again = store.blobs().keep_bytes(b"a fox").unwrap();
    let collected = collect(&store);
    assert_eq!((collected.blobs, collected.left), (0, 1));
    assert_eq!(store.blobs().check(&digest).unwrap(), Check::Whole);
    commit(&store, with_blob(first("s", 1, Level::Lazy), again)).unwrap();
    assert_eq!(collect(&store), Collected::default());
    assert_eq!(store.blobs().check(&digest).unwrap(), Check::Whole);
}

#[test]
fn what_is_gone_is_not_referred_to_until_it_is_made_again() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let kept = store.blobs().keep_bytes(b"a fox").unwrap();
    let digest = kept.digest;
    commit(&store, last(with_blob(first("r", 1, Level::Lazy), kept))).unwrap();
    store.forget(&id("r")).unwrap();
    assert_eq!(collect(&store).blobs, 1);
    let refers = |run| {
        let mut batch = first(run, 1, Level::Lazy);
        batch.append.as_mut().unwrap().references.push(digest);
        batch
    };
    assert_eq!(commit(&store, refers("s")), Err(Refused::Gone { digest }));
    let kept = store.blobs().keep_bytes(b"a fox").unwrap();
    commit(&store, with_blob(first("s", 1, Level::Lazy), kept)).unwrap();
    commit(&store, refers("t")).unwrap();
}

#[test]
fn files_that_a_crash_left_behind_are_removed() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    drop(store.blobs().keep_bytes(b"no row"));
    let kept = store.blobs().keep_bytes(b"row").unwrap();
    commit(&store, with_blob(first("r", 1, Level::Lazy), kept)).unwrap();
    let stray = store.layout().shard(0).join("no digest");
    fs::write(&stray, "").unwrap();
    let young = collect_at(&store, Timestamp(1));
    assert_eq!(young, Collected::default());
    assert_eq!(collect(&store).orphans, 1);
    assert_eq!(
        store.blobs().check(&Digest::of(b"row")).unwrap(),
        Check::Whole
    );
    assert!(stray.exists(), "what is no blob is not ours");
}

/// Keeps blobs of few contents, refers to them, and forgets them, so often.
pub(crate) fn keep_and_forget(store: &Store, name: &str, rounds: u64) {
    for round in 0..rounds {
        let content = format!("content {}", round % 3);
        let run = format!("{name} {round}");
        let kept = store.blobs().keep_bytes(content.as_bytes()).unwrap();
        let digest = kept.digest;
        let level = if round % 4 == 0 {
            Level::Synced
        } else {
            Level::Lazy
        };
        commit(store, last(with_blob(first(&run, 1, level), kept))).unwrap();
        let check = store.blobs().check(&digest).unwrap();
        assert_eq!(check, Check::Whole, "round {round} of {name}");
        let reader = store.reader().unwrap();
        assert!(reader.value(&digest).unwrap().is_some(), "round {round}");
        assert!(store.forget(&id(&run)).unwrap());
    }
}

#[test]
fn collecting_in_a_loop_loses_nothing_that_is_kept_at_the_same_time() {
    let folder = tempdir().unwrap();
    let stores = [open(folder.path()), open(folder.path())];
    let is_over = AtomicBool::new(false);
    let removed = thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut removed = 0;
            while !is_over.load(Ordering::Relaxed) {
                removed += collect(&stores[1]).blobs;
            }
            removed
        });
        let keepers = ["a", "b"].map(|name| {
            let store = &stores[0];
            scope.spawn(move || keep_and_forget(store, name, 60))
        });
        let kept = keepers.map(thread::ScopedJoinHandle::join);
        is_over.store(true, Ordering::Relaxed);
        for keeper in kept {
            keeper.unwrap();
        }
        collector.join().unwrap()
    });
    assert!(removed > 0, "the collector never met anything to remove");
}
