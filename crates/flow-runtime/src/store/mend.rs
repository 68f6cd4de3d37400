//! After a power cut: blobs that were not synced may be lost, and the log may
//! have survived all the same. They are found here, before anybody uses them.

use flow_core::digest::Digest;
use rusqlite::{Connection, TransactionBehavior, params};

use super::layout::Layout;
use super::rows::Key;
use crate::artifacts::{self, Check};

/// Gives lost blobs a tombstone. They belong to results that cost nothing: what
/// is paid for was synced.
pub(super) fn mend(db: &mut Connection, layout: &Layout, boot: &str) -> rusqlite::Result<()> {
    let sql = "SELECT digest FROM unsynced WHERE boot <> ?1";
    let doubtful = |db: &Connection| {
        let mut doubtful = db.prepare(sql)?;
        let doubtful = doubtful.query_map([boot], |row| row.get(0).map(Digest))?;
        doubtful.collect::<rusqlite::Result<Vec<Digest>>>()
    };
    if doubtful(db)?.is_empty() {
        return Ok(());
    }
    // In the transaction, so that nobody makes one of them again meanwhile and
    // finds it declared lost.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for digest in doubtful(&transaction)? {
        // One that can't be read is as good as lost.
        let is_whole = matches!(
            artifacts::check(&layout.blob(&digest), &digest),
            Ok(Check::Whole)
        );
        if is_whole {
            // It is there, but nobody synced it yet: that is for the next
            // commit that has to be sure.
            let sql = "UPDATE unsynced SET boot = ?2 WHERE digest = ?1";
            transaction.execute(sql, params![Key(&digest), boot])?;
        } else {
            let sql = "UPDATE blob SET gone = made WHERE digest = ?1 AND gone IS NULL";
            transaction.execute(sql, [Key(&digest)])?;
            transaction.execute("DELETE FROM unsynced WHERE digest = ?1", [Key(&digest)])?;
        }
    }
    transaction.commit()
}
