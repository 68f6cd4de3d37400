//! Making stores, opening them, and refusing to.

use std::fs;
use std::thread;

use flow_runtime::owner::{self, Life, Owner};
use flow_runtime::store::layout::Layout;
use flow_runtime::store::{Closing, Level, OpenError, Options, Reader, Store};
use rusqlite::Connection;
use tempfile::tempdir;

use crate::harness::{commit, first, id, length, open, options, wait};

#[test]
fn several_at_once_make_one_store() {
    for _ in 0..5 {
        let folder = tempdir().unwrap();
        let root = folder.path().join(".flow");
        thread::scope(|scope| {
            for name in 0..6 {
                let root = &root;
                scope.spawn(move || {
                    let store = open(root);
                    commit(&store, first(&format!("r{name}"), 1, Level::Lazy)).unwrap();
                });
            }
        });
        let store = open(&root);
        for name in 0..6 {
            assert_eq!(length(&store, &format!("r{name}")), 1);
        }
    }
}

#[test]
fn a_store_that_was_not_finished_is_none() {
    let folder = tempdir().unwrap();
    let layout = Layout::new(folder.path());
    drop(open(folder.path()));
    // What a crash leaves: everything but the last name.
    fs::remove_file(layout.database()).unwrap();
    for ending in ["-wal", "-shm"] {
        let path = folder.path().join(format!("flow.db{ending}"));
        drop(fs::remove_file(path));
    }
    let half = layout.unfinished("dead");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("flow.db"), "half").unwrap();
    fs::write(layout.owner_lock("dead"), "1\nhost\n").unwrap();
    let store = open(folder.path());
    commit(&store, first("r", 1, Level::Synced)).unwrap();
    assert!(!half.exists(), "what a dead owner left is gone");
    assert!(!layout.owner_lock("dead").exists());
}

#[test]
fn nobody_reads_a_store_that_is_not_there() {
    let folder = tempdir().unwrap();
    for root in [folder.path().to_owned(), folder.path().join("none")] {
        let missing = Reader::open(&Layout::new(root)).map(drop);
        assert!(
            matches!(missing, Err(OpenError::Missing { .. })),
            "{missing:?}"
        );
    }
}

fn with_database(change: impl Fn(&Connection)) -> OpenError {
    let folder = tempdir().unwrap();
    drop(open(folder.path()));
    let db = Connection::open(Layout::new(folder.path()).database()).unwrap();
    change(&db);
    drop(db);
    let read = Reader::open(&Layout::new(folder.path()))
        .map(drop)
        .unwrap_err();
    let written = Store::open(folder.path(), options()).map(drop).unwrap_err();
    assert_eq!(read.to_string(), written.to_string());
    written
}

#[test]
fn a_newer_store_is_refused_with_its_version() {
    let refused = with_database(|db| db.pragma_update(None, "user_version", 99).unwrap());
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }));
    let message = refused.to_string();
    for word in ["newer flow", "99", "update flow"] {
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn a_file_of_another_program_is_refused() {
    let refused = with_database(|db| db.pragma_update(None, "application_id", 1).unwrap());
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused:?}");
    let folder = tempdir().unwrap();
    drop(open(folder.path()));
    fs::write(
        Layout::new(folder.path()).database(),
        "no database at all".repeat(99),
    )
    .unwrap();
    let refused = Store::open(folder.path(), options()).map(drop);
    assert!(
        matches!(refused, Err(OpenError::Foreign { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_store_that_another_machine_uses_is_refused() {
    let folder = tempdir().unwrap();
    let layout = Layout::new(folder.path());
    drop(open(folder.path()));
    let db = Connection::open(layout.database()).unwrap();
    let sql = "INSERT INTO owner (id, host, pid) VALUES ('there', 'elsewhere', 1)";
    db.execute(sql, []).unwrap();
    drop(db);
    let lock = layout.owner_lock("there");
    fs::write(&lock, "1\nelsewhere\n").unwrap();
    let refused = Store::open(folder.path(), options()).map(drop).unwrap_err();
    assert!(
        matches!(refused, OpenError::OtherHost { .. }),
        "{refused:?}"
    );
    let cure = refused.to_string();
    assert!(cure.contains(&lock.display().to_string()), "{cure}");
    fs::remove_file(lock).unwrap();
    commit(&open(folder.path()), first("r", 1, Level::Lazy)).unwrap();
    let db = Connection::open(layout.database()).unwrap();
    let sql = "SELECT count(*) FROM owner WHERE host = 'elsewhere'";
    let left: i64 = db.query_one(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "it is forgotten");
}

#[test]
fn the_log_stays_for_short_commands_and_goes_for_long_ones() {
    for (closing, is_left) in [(Closing::Quick, true), (Closing::Tidy, false)] {
        let folder = tempdir().unwrap();
        let log = folder.path().join("flow.db-wal");
        let options = Options {
            closing,
            ..options()
        };
        let store = Store::open(folder.path(), options).unwrap();
        commit(&store, first("r", 5, Level::Synced)).unwrap();
        wait(store.close()).unwrap();
        let length = fs::metadata(&log).map_or(0, |log| log.len());
        assert_eq!(length > 0, is_left, "{closing:?}: {length} bytes");
        assert_eq!(crate::harness::length(&open(folder.path()), "r"), 5);
    }
}

#[test]
fn an_owner_lives_as_long_as_it_is_there() {
    let folder = tempdir().unwrap();
    let layout = Layout::new(folder.path());
    drop(open(folder.path()));
    let owner = Owner::new(&layout).unwrap();
    let other = Owner::new(&layout).unwrap();
    assert_ne!(owner.id(), other.id());
    let life = owner::look(&layout, owner.id()).unwrap();
    let Life::Alive { pid, .. } = life else {
        panic!("{life:?}")
    };
    assert_eq!(pid, Some(std::process::id()));
    let id = owner.id().clone();
    drop(owner);
    assert_eq!(owner::look(&layout, &id).unwrap(), Life::Dead);
    assert!(!layout.owner_lock(id.as_str()).exists());
    assert!(layout.owner_lock(other.id().as_str()).exists());
}

#[test]
fn a_process_may_take_its_own_run_again() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, first("r", 1, Level::Lazy)).unwrap();
    for epoch in 2..5 {
        let taken = wait(store.take(&id("r"))).unwrap();
        assert_eq!((taken.epoch, taken.head), (epoch, 1));
    }
    let none = wait(store.take(&id("none"))).unwrap_err();
    assert_eq!(none.to_string(), "there is no run `none`");
}
