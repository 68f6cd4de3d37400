//! Removing what nobody refers to, beside those who keep the same.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flow_core::amount::{Duration as Age, Timestamp};
use flow_core::digest::Digest;
use flow_runtime::artifacts::Check;
use flow_runtime::store::{
    Batch, CacheEntry, Collected, Collecting, Held, Hold, LetterReply, LetterTag, Level, NewLetter,
    Phase, Pin, Posted, Refused, Store, Weight,
};
use tempfile::tempdir;

use crate::harness::{commit, first, id, more, open, over, with_blob, with_value};

/// An instant that is later than all files of the tests.
pub(crate) const LATER: Timestamp = Timestamp(i64::MAX / 2);

pub(crate) fn collect(store: &Store) -> Collected {
    collect_at(store, LATER)
}

fn collect_at(store: &Store, now: Timestamp) -> Collected {
    let wanted = Collecting {
        now,
        age: Age(0),
        made_max: None,
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
    assert!(store.forget(&id("r"), LATER).unwrap().is_some());
    let all = collect(&store);
    assert_eq!((all.values, all.blobs), (1, 2));
    assert_eq!(store.value(&Digest::of(&[1; 100])).unwrap(), None);
    let reader = store.reader().unwrap();
    assert_eq!(reader.events(&id("r"), 0, 9).unwrap(), []);
    assert_eq!(collect(&store), Collected::default());
}

/// A run that is over and made a file, whose result is kept for others.
fn made(store: &Store, run: &str, ended: i64, size: usize) {
    let content = vec![u8::try_from(ended).unwrap(); size];
    let kept = store.blobs().keep_bytes(&content).unwrap();
    let digest = kept.digest;
    let mut batch = last(with_blob(first(run, 1, Level::Lazy), kept));
    let append = batch.append.as_mut().unwrap();
    append.summary.as_mut().unwrap().at = Timestamp(ended);
    batch.cache = vec![CacheEntry {
        key: Digest::of(run.as_bytes()),
        value: Held::Inline(Vec::new()),
        blobs: vec![digest],
        parts: Vec::new(),
        made: Timestamp(ended),
        expires: None,
        run: id(run),
        seq: 0,
    }];
    commit(store, batch).unwrap();
    let logs = store.layout().logs(&id(run));
    fs::create_dir_all(&logs).unwrap();
    fs::write(logs.join("1.log"), "a line\n").unwrap();
}

#[test]
fn what_was_weighed_is_what_goes_and_leaves_a_stone() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    for (run, ended, size) in [("old", 1, 1000), ("kept", 2, 2000), ("new", 3, 4000)] {
        made(&store, run, ended, size);
    }
    let pin = |is_kept| Batch {
        pins: vec![Pin {
            run: id("kept"),
            is_kept,
        }],
        ..Batch::default()
    };
    commit(&store, pin(true)).unwrap();
    let reader = store.reader().unwrap();
    let now = Timestamp(100);
    assert_eq!(reader.weigh(None, now).unwrap(), Weight::default());
    assert_eq!(reader.bytes().unwrap(), 7000 + 3 * 7);
    assert_eq!(reader.kept(9).unwrap(), [id("kept")]);
    let ages = reader.ages().unwrap();
    assert_eq!(ages, [Timestamp(1), Timestamp(2), Timestamp(3)]);
    // The file of the run that is kept stays; its entry of the cache doesn't.
    let weight = reader.weigh(Some(Timestamp(2)), now).unwrap();
    let expected = Weight {
        runs: 1,
        cache: 2,
        files: 1,
        bytes: 1007,
    };
    assert_eq!(weight, expected);

    let doomed = reader.doomed(Timestamp(2)).unwrap();
    assert_eq!(doomed.len(), 1);
    assert!(store.forget(&doomed[0].run, now).unwrap().is_some());
    let wanted = Collecting {
        now,
        age: Age(0),
        made_max: Some(Timestamp(2)),
        patience: Duration::from_millis(50),
    };
    // Files are as old as they are.
    let wanted = Collecting {
        now: LATER,
        ..wanted
    };
    let collected = store.collect(wanted).unwrap();
    assert_eq!(
        (collected.cache, collected.blobs, collected.bytes),
        (2, 1, 1000)
    );
    assert!(!store.layout().logs(&id("old")).exists());
    assert!(store.layout().logs(&id("kept")).exists());
    assert_eq!(reader.removed("old").unwrap(), Some(now));
    assert_eq!(reader.removed("kept").unwrap(), None);
    assert_eq!(reader.evicted(&Digest::of(b"old")).unwrap(), Some(LATER));
    assert_eq!(reader.evicted(&Digest::of(b"new")).unwrap(), None);

    assert_eq!(store.forget(&id("kept"), now).unwrap(), None);
    commit(&store, pin(false)).unwrap();
    assert!(store.forget(&id("kept"), now).unwrap().is_some());
    let run = id("none");
    let nobody = Batch {
        pins: vec![Pin {
            run: run.clone(),
            is_kept: true,
        }],
        ..Batch::default()
    };
    assert_eq!(commit(&store, nobody), Err(Refused::NoRun { run }));
}

#[test]
fn letters_that_were_answered_go_when_nobody_asks_for_them() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, first("r", 1, Level::Lazy)).unwrap();
    let kept = store.blobs().keep_bytes(b"a drawing").unwrap();
    let digest = kept.digest;
    let letter = |tag: &str, references| NewLetter {
        run: id("r"),
        tag: LetterTag(tag.into()),
        at: Timestamp(1),
        body: tag.as_bytes().to_vec(),
        references,
    };
    let batch = Batch {
        letters: vec![letter("a", vec![digest]), letter("b", Vec::new())],
        blobs: vec![kept],
        ..Batch::default()
    };
    commit(&store, batch).unwrap();
    let reader = store.reader().unwrap();
    let numbers: Vec<u64> = reader
        .letters(&id("r"), 0)
        .unwrap()
        .iter()
        .map(|letter| letter.number)
        .collect();
    // As long as it isn't answered, it keeps what it speaks of.
    collect(&store);
    assert_eq!(store.blobs().check(&digest).unwrap(), Check::Whole);
    assert_eq!(reader.letters(&id("r"), numbers[0]).unwrap().len(), 1);

    let mut batch = more("r", 1, 1, 1, Level::Lazy);
    let answer = |body: &str| LetterReply {
        number: numbers[0],
        body: body.into(),
    };
    batch.append.as_mut().unwrap().replies = vec![answer("first"), answer("second")];
    commit(&store, batch).unwrap();
    let tag = |tag: &str| LetterTag(tag.into());
    let first = Posted::Answered(b"first".to_vec());
    assert_eq!(reader.reply(&tag("a")).unwrap(), first);
    assert_eq!(reader.reply(&tag("b")).unwrap(), Posted::Unread);
    collect(&store);
    assert_eq!(reader.reply(&tag("a")).unwrap(), Posted::Gone);
    assert_eq!(store.blobs().check(&digest).unwrap(), Check::Missing);
    let over = Batch {
        letters_over: vec![tag("b")],
        ..Batch::default()
    };
    commit(&store, over).unwrap();
    assert_eq!(reader.reply(&tag("b")).unwrap(), Posted::Gone);
}

#[test]
fn a_run_that_is_not_over_is_not_forgotten() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, first("r", 1, Level::Lazy)).unwrap();
    assert_eq!(store.forget(&id("r"), LATER).unwrap(), None);
    assert_eq!(store.forget(&id("none"), LATER).unwrap(), None);
    commit(&store, last(more("r", 1, 1, 1, Level::Lazy))).unwrap();
    assert!(store.forget(&id("r"), LATER).unwrap().is_some());
}

#[test]
fn a_blob_that_is_kept_is_not_removed_before_its_commit() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let kept = store.blobs().keep_bytes(b"a fox").unwrap();
    let digest = kept.digest;
    let batch = last(with_blob(first("r", 1, Level::Lazy), kept));
    commit(&store, batch).unwrap();
    assert!(store.forget(&id("r"), LATER).unwrap().is_some());
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
    store.forget(&id("r"), LATER).unwrap();
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
        assert!(store.forget(&id(&run), LATER).unwrap().is_some());
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
