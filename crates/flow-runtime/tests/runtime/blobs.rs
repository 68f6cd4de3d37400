//! Blobs: keeping them, finding them again, and what damage does.

use std::fs;
use std::io::Write;

use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_runtime::artifacts::{BlobError, Check};
use flow_runtime::store::layout::Layout;
use flow_runtime::store::{Batch, CacheEntry, Faults, Held, Level, Store};
use tempfile::{TempDir, tempdir};

use crate::harness::{commit, first, id, more, open, wait, with_blob, with_value};
use crate::powercut::{Machine, restart};

#[test]
fn a_blob_has_the_name_of_its_content_and_is_there_once() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let file = folder.path().join("song.wav");
    let bytes = vec![5; 300_000];
    fs::write(&file, &bytes).unwrap();
    let kept = [
        store.blobs().keep_file(&file).unwrap(),
        store.blobs().keep_bytes(&bytes).unwrap(),
    ];
    let digest = Digest::of(&bytes);
    for kept in &kept {
        assert_eq!((kept.digest, kept.size), (digest, 300_000));
    }
    let [one, other] = kept;
    commit(&store, with_blob(first("a", 1, Level::Lazy), one)).unwrap();
    commit(&store, with_blob(first("b", 1, Level::Synced), other)).unwrap();
    assert_eq!(store.blobs().read(&digest).unwrap(), bytes);
    assert_eq!(store.blobs().check(&digest).unwrap(), Check::Whole);
    let path = store.blobs().path(&digest).unwrap();
    assert!(fs::metadata(path).unwrap().permissions().readonly());
    let again = store.blobs().keep_bytes(&bytes).unwrap();
    commit(&store, with_blob(more("b", 1, 1, 1, Level::Lazy), again)).unwrap();
}

#[test]
fn a_blob_that_was_not_finished_leaves_nothing() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let mut writer = store.blobs().begin().unwrap();
    writer.write_all(b"half").unwrap();
    drop(writer);
    let owner = store.owner().unwrap();
    let unfinished = store.layout().unfinished(owner.id().as_str());
    assert_eq!(fs::read_dir(unfinished).unwrap().count(), 0);
    let missing = store.blobs().open(&Digest::of(b"half")).map(drop);
    assert!(matches!(missing, Err(BlobError::Missing { .. })));
}

#[test]
fn what_a_crash_left_under_the_name_of_a_blob_is_replaced() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let digest = Digest::of(b"a fox");
    let place = store.layout().blob(&digest);
    for left in ["", "\0\0\0\0\0", "a fox"] {
        drop(fs::remove_file(&place));
        fs::write(&place, left).unwrap();
        let kept = store.blobs().keep_bytes(b"a fox").unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "a fox");
        drop(kept);
    }
}

/// A store in which a run refers to a blob that no sync was made for, and the
/// cache and a value do too; then the machine starts again with it damaged.
fn damaged(content: Option<&str>) -> (TempDir, Store, Digest) {
    let digest = Digest::of(b"a fox");
    let machine = Machine::new(Faults::default());
    let folder = machine.copy_unsynced(|store| {
        let kept = store.blobs().keep_bytes(b"a fox").unwrap();
        let batch = with_blob(first("r", 1, Level::Lazy), kept);
        let mut batch = with_value(batch, &[7; 100], vec![digest]);
        batch.cache = vec![
            entry(b"inline", Held::Inline(b"small".to_vec()), vec![digest]),
            entry(b"stored", Held::Stored(Digest::of(&[7; 100])), Vec::new()),
        ];
        commit(store, batch).unwrap();
    });
    let place = Layout::new(folder.path()).blob(&digest);
    fs::remove_file(&place).unwrap();
    if let Some(content) = content {
        fs::write(&place, content).unwrap();
    }
    let store = restart(folder.path());
    (folder, store, digest)
}

fn entry(key: &[u8], value: Held, blobs: Vec<Digest>) -> CacheEntry {
    CacheEntry {
        key: Digest::of(key),
        value,
        blobs,
        parts: Vec::new(),
        made: Timestamp(1),
        expires: None,
        run: id("r"),
        seq: 0,
    }
}

#[test]
fn a_blob_that_a_power_cut_took_is_not_found_in_the_cache() {
    for content in [None, Some(""), Some("\0\0\0\0\0")] {
        let (_folder, store, digest) = damaged(content);
        let reader = store.reader().unwrap();
        for key in [b"inline", b"stored"] {
            let found = reader.cached(&Digest::of(key)).unwrap().unwrap();
            assert!(found.evicted.is_some(), "{content:?}");
        }
        let missing = store.blobs().open(&digest).map(drop);
        assert!(
            matches!(missing, Err(BlobError::Missing { .. })),
            "{content:?}"
        );
        // It can be made again.
        let taken = wait(store.take(&id("r"))).unwrap();
        let kept = store.blobs().keep_bytes(b"a fox").unwrap();
        let batch = with_blob(more("r", taken.epoch, 1, 1, Level::Synced), kept);
        commit(&store, batch).unwrap();
        assert_eq!(store.blobs().check(&digest).unwrap(), Check::Whole);
        let found = reader.cached(&Digest::of(b"inline")).unwrap().unwrap();
        assert_eq!(found.evicted, None);
    }
}

#[test]
fn a_blob_that_survived_a_power_cut_stays() {
    let (_folder, store, digest) = damaged(Some("a fox"));
    assert_eq!(store.blobs().check(&digest).unwrap(), Check::Whole);
    let reader = store.reader().unwrap();
    for key in [b"inline", b"stored"] {
        let found = reader.cached(&Digest::of(key)).unwrap().unwrap();
        assert_eq!(found.evicted, None);
    }
    let batch = Batch {
        level: Level::Synced,
        ..Batch::default()
    };
    commit(&store, batch).unwrap();
}
