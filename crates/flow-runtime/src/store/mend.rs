//! After a power cut: blobs that were not synced may be lost, and the log that
//! refers to them may have survived all the same. They are found here, before
//! anybody uses them.

use std::io;
use std::thread;
use std::time::Duration;

use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use rusqlite::{Connection, TransactionBehavior, params};

use super::collect::unlink;
use super::layout::Layout;
use super::rows::Key;
use crate::artifacts::{self, BlobsLock, Check};

/// How often it is tried while others keep blobs, and how long it pauses.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Gives lost blobs a tombstone. They belong to results that cost nothing: what
/// is paid for was synced.
pub(super) fn mend(
    db: &mut Connection,
    layout: &Layout,
    lock: &BlobsLock,
    boot: &str,
) -> rusqlite::Result<()> {
    for _ in 0..TRIES {
        if doubtful(db, boot)?.is_empty() {
            return Ok(());
        }
        // Nobody keeps one of them meanwhile, so a file that is damaged stays so
        // until it is gone.
        if let Ok(Some(_alone)) = lock.try_exclusive() {
            return mend_alone(db, layout, boot);
        }
        // Whoever keeps blobs has opened the store before, and mended it.
        thread::sleep(PAUSE);
    }
    // They are looked at again by the next commit that has to be sure.
    Ok(())
}

/// Returns the blobs that were not synced when the machine ended.
fn doubtful(db: &Connection, boot: &str) -> rusqlite::Result<Vec<Digest>> {
    let mut doubtful = db.prepare("SELECT digest FROM unsynced WHERE boot <> ?1")?;
    let doubtful = doubtful.query_map([boot], |row| row.get(0).map(Digest))?;
    doubtful.collect()
}

fn mend_alone(db: &mut Connection, layout: &Layout, boot: &str) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut lost = Vec::new();
    for digest in doubtful(&transaction, boot)? {
        if is_whole(layout, &digest) {
            // It is there, but still nobody synced it.
            let sql = "UPDATE unsynced SET boot = ?2 WHERE digest = ?1";
            transaction.execute(sql, params![Key(&digest), boot])?;
        } else {
            bury(&transaction, &digest, None)?;
            lost.push(digest);
        }
    }
    transaction.commit()?;
    // What stays for lack of permission has a tombstone in any case.
    drop::<io::Result<()>>(unlink(layout, &lost));
    Ok(())
}

/// Returns whether a blob is there; one that can't be read is as good as lost.
pub(super) fn is_whole(layout: &Layout, digest: &Digest) -> bool {
    let found = artifacts::check(&layout.blob(digest), digest);
    matches!(found, Ok(Check::Whole))
}

/// Gives a lost blob its tombstone: from an instant, or from when it was kept.
pub(super) fn bury(
    db: &Connection,
    digest: &Digest,
    now: Option<Timestamp>,
) -> rusqlite::Result<()> {
    let sql = "UPDATE blob SET gone = coalesce(?2, made) WHERE digest = ?1 AND gone IS NULL";
    let row = params![Key(digest), now.map(|now| now.0)];
    db.prepare_cached(sql)?.execute(row)?;
    let sql = "DELETE FROM unsynced WHERE digest = ?1";
    db.prepare_cached(sql)?.execute([Key(digest)])?;
    Ok(())
}
