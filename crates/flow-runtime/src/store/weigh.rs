//! Weighing: what a collection would free, found out without removing anything.

use std::fs;
use std::path::Path;

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use rusqlite::params;

use super::batch::PHASE_OVER;
use super::read::{ReadError, Reader};
use super::rows::{count, integer};

/// What something is, and how many bytes it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    /// Runs.
    pub runs: u64,
    /// Results for other runs.
    pub cache: u64,
    /// Files that steps made, and large values.
    pub files: u64,
    /// The bytes of these, of smaller values, and of what steps wrote.
    pub bytes: u64,
}

/// A run that may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// The run.
    pub run: RunId,
    /// When it came to its end.
    pub ended: Timestamp,
}

impl Reader {
    /// Returns the runs that are over since an instant or longer and are not
    /// kept, the oldest first.
    pub fn doomed(&self, ended_max: Timestamp) -> Result<Vec<Doomed>, ReadError> {
        let sql = "SELECT id, changed FROM run \
                   WHERE phase >= ?1 AND changed <= ?2 AND kept = 0 ORDER BY changed, number";
        self.all(sql, params![PHASE_OVER, ended_max.0], |row| {
            Ok(Doomed {
                run: RunId(row.get::<_, String>(0)?.into()),
                ended: Timestamp(row.get(1)?),
            })
        })
    }

    /// Returns the instants at which something came to be that may go with age,
    /// the oldest first.
    pub fn ages(&self) -> Result<Vec<Timestamp>, ReadError> {
        let sql = "SELECT changed FROM run WHERE phase >= ?1 AND kept = 0 \
                   UNION SELECT made FROM cache ORDER BY 1";
        self.all(sql, [PHASE_OVER], |row| row.get(0).map(Timestamp))
    }

    /// Returns what would go if all runs that ended, and all results that were
    /// made up to an instant were removed; without one, only what nobody refers
    /// to and what is too old by itself.
    pub fn weigh(&self, old: Option<Timestamp>, now: Timestamp) -> Result<Weight, ReadError> {
        let cut = old.map_or(i64::MIN, |old| old.0);
        let row = self.one(WEIGH, params![PHASE_OVER, cut, now.0], |row| {
            let (runs, cache, files) = (count(row.get(0)?), count(row.get(1)?), count(row.get(2)?));
            let bytes = count(row.get(3)?) + count(row.get(4)?);
            Ok(Weight {
                runs,
                cache,
                files,
                bytes,
            })
        })?;
        let mut weight = row.unwrap_or_default();
        if let Some(old) = old {
            for doomed in self.doomed(old)? {
                weight.bytes += folder_bytes(&self.layout().logs(&doomed.run));
            }
        }
        Ok(weight)
    }

    /// Returns how many bytes all has that steps made and wrote.
    pub fn bytes(&self) -> Result<u64, ReadError> {
        let sql = "SELECT (SELECT coalesce(sum(size), 0) FROM blob WHERE gone IS NULL) \
                   + (SELECT coalesce(sum(length(body)), 0) FROM value)";
        let rows = self.one(sql, [], |row| row.get(0))?.unwrap_or_default();
        Ok(count(rows) + folder_bytes(&self.layout().root().join("logs")))
    }

    /// Returns when a run was removed, if it was.
    pub fn removed(&self, run: &str) -> Result<Option<Timestamp>, ReadError> {
        let sql = "SELECT at FROM stone WHERE kind = 0 AND name = ?1";
        self.one(sql, [run.as_bytes()], |row| row.get(0).map(Timestamp))
    }

    /// Returns when the result of a key was removed the last time, if it was. It
    /// may have been made again since.
    pub fn evicted(&self, key: &flow_core::digest::Digest) -> Result<Option<Timestamp>, ReadError> {
        let sql = "SELECT at FROM stone WHERE kind = 1 AND name = ?1";
        self.one(sql, [super::rows::Key(key)], |row| {
            row.get(0).map(Timestamp)
        })
    }

    /// Returns the runs that collections leave alone, the newest first.
    pub fn kept(&self, limit: u64) -> Result<Vec<RunId>, ReadError> {
        let sql = "SELECT id FROM run WHERE kept <> 0 ORDER BY number DESC LIMIT ?1";
        self.all(sql, [integer(limit)], |row| {
            Ok(RunId(row.get::<_, String>(0)?.into()))
        })
    }
}

/// `live` is what is referred to by what stays; a value that stays keeps the
/// files in it.
const WEIGH: &str = "
WITH doomed (number) AS (
    SELECT number FROM run WHERE phase >= ?1 AND changed <= ?2 AND kept = 0
), stale (key) AS (
    SELECT key FROM cache WHERE made <= ?2 OR expires <= ?3
), live (digest) AS (
    SELECT digest FROM reference
    WHERE (kind = 0 AND holder NOT IN (SELECT number FROM doomed))
    OR (kind = 1 AND holder NOT IN (SELECT key FROM stale))
    OR kind IN (3, 4)
), held (digest) AS (
    SELECT digest FROM live
    UNION SELECT reference.digest FROM reference JOIN live ON live.digest = reference.holder
    WHERE kind = 2
)
SELECT
    (SELECT count(*) FROM doomed),
    (SELECT count(*) FROM stale),
    (SELECT count(*) FROM blob WHERE gone IS NULL AND digest NOT IN (SELECT digest FROM held)),
    (SELECT coalesce(sum(size), 0) FROM blob
        WHERE gone IS NULL AND digest NOT IN (SELECT digest FROM held)),
    (SELECT coalesce(sum(length(body)), 0) FROM value
        WHERE digest NOT IN (SELECT digest FROM live))
";

/// Returns how many bytes the files below a folder have. What can't be looked at
/// counts nothing.
pub(super) fn folder_bytes(path: &Path) -> u64 {
    let mut open = vec![path.to_path_buf()];
    let mut bytes = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => open.push(entry.path()),
                Ok(found) => bytes += found.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}
