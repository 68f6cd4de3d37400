//! Removing what nobody refers to: old entries of the cache, then values, then
//! blobs, then files that a crash left behind.
//!
//! What may go is looked for while others work. A few at a time, it is then
//! asked again in the transaction that removes it, and files go after that. A
//! blob leaves a tombstone, so that a run which still has its name can say what
//! became of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use flow_core::address::RunId;
use flow_core::amount::{Duration as Age, Timestamp};
use flow_core::digest::Digest;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::batch::{PHASE_OVER, WriteError};
use super::layout::Layout;
use super::open::OpenError;
use super::queue::{Collect, Garbage, Job, Queue, Swept};
use super::read::{ReadError, Reader};
use super::rows::{Key, count, integer, let_go};
use super::schema::{Holder, Stone};
use crate::owner::OwnerError;

/// What a collection may remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collecting {
    /// When it is.
    pub now: Timestamp,
    /// How old a blob has to be.
    pub age: Age,
    /// Up to when results for other runs were made that go, too.
    pub made_max: Option<Timestamp>,
    /// How long it waits, in all, for those who keep blobs.
    pub patience: Duration,
}

/// What a collection removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Entries of the cache.
    pub cache: u64,
    /// Values.
    pub values: u64,
    /// Blobs.
    pub blobs: u64,
    /// Files that were no blobs of the store.
    pub orphans: u64,
    /// What is left for the next time, since somebody was keeping blobs.
    pub left: u64,
    /// How many bytes all of that had.
    pub bytes: u64,
}

/// Why a collection could not go on.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store can't be written.
    #[error(transparent)]
    Write(#[from] Arc<WriteError>),
    /// The store can't be opened to read it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It can't be seen whether an owner lives.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// A folder can't be removed.
    #[error("cannot remove `{}`; check who may write there", path.display())]
    Remove {
        /// The folder.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: io::Error,
    },
    /// A folder can't be listed.
    #[error("cannot list `{}`; check that it may be read", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: io::Error,
    },
}

/// How many are removed in one transaction.
const AT_ONCE: usize = 256;

/// How long it waits before it tries again.
const PAUSE: Duration = Duration::from_millis(10);

/// A collection in progress.
pub(super) struct Collection<'a> {
    pub(super) queue: &'a Queue,
    pub(super) layout: &'a Layout,
    pub(super) reader: Reader,
    pub(super) wanted: Collecting,
    pub(super) waited: Duration,
    pub(super) done: Collected,
}

impl Collecting {
    /// Returns the last instant at which a blob may have been kept.
    fn made_max(&self) -> Timestamp {
        Timestamp(self.now.0.saturating_sub(self.age.0 / NANOS_PER_MILLI))
    }
}

const NANOS_PER_MILLI: i64 = 1_000_000;

/// How long a letter stays after it was answered: its writer is gone.
const LETTER_AGE: Age = Age(60 * 60 * Age::SECOND.0);

impl Collection<'_> {
    /// Removes all that nobody refers to. The cache keeps values, and values
    /// keep blobs, so they go in this order.
    pub(super) fn run(mut self) -> Result<Collected, CollectError> {
        let now = self.wanted.now;
        let old = self.wanted.made_max;
        let at_max = Timestamp(now.0.saturating_sub(LETTER_AGE.0 / NANOS_PER_MILLI));
        self.remove(Garbage::Letters { at_max })?;
        self.done.cache = self.each(
            |reader, after| reader.stale_cache(now, old, after, AT_ONCE),
            |keys| Garbage::Cache {
                keys,
                now,
                made_max: old,
            },
        )?;
        self.done.values = self.each(
            |reader, after| reader.values_alone(after, AT_ONCE),
            Garbage::Values,
        )?;
        let made_max = self.wanted.made_max();
        self.done.blobs = self.each(
            |reader, after| reader.blobs_alone(made_max, after, AT_ONCE),
            |digests| Garbage::Blobs {
                digests,
                made_max,
                now,
            },
        )?;
        for shard in 0..=u8::MAX {
            let orphans = self.orphans(shard)?;
            for some in orphans.chunks(AT_ONCE) {
                self.done.orphans += self.remove(Garbage::Orphans(some.to_vec()))?;
            }
        }
        Ok(self.done)
    }

    fn each(
        &mut self,
        find: impl Fn(&Reader, Option<Digest>) -> Result<Vec<Digest>, ReadError>,
        garbage: impl Fn(Vec<Digest>) -> Garbage,
    ) -> Result<u64, CollectError> {
        let mut removed = 0;
        let mut after = None;
        loop {
            let found = find(&self.reader, after)?;
            let Some(last) = found.last() else {
                return Ok(removed);
            };
            after = Some(*last);
            removed += self.remove(garbage(found))?;
        }
    }

    /// Returns files of a folder that are old enough and no blobs of the store.
    fn orphans(&self, shard: u8) -> Result<Vec<Digest>, CollectError> {
        let path = self.layout.shard(shard);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(CollectError::List { path, source }),
        };
        let mut orphans = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let digest = name.to_str().and_then(|name| name.parse().ok());
            let Some(digest) = digest else { continue };
            let is_old = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|changed| timestamp(changed) <= self.wanted.made_max());
            if is_old && !self.reader.blob_is_there(&digest)? {
                orphans.push(digest);
            }
        }
        Ok(orphans)
    }

    fn remove(&mut self, garbage: Garbage) -> Result<u64, CollectError> {
        let garbage = Arc::new(garbage);
        loop {
            match remove(self.queue, garbage.clone())? {
                Swept::Removed { count, bytes } => {
                    self.done.bytes += bytes;
                    return Ok(count);
                }
                Swept::Busy if self.waited >= self.wanted.patience => {
                    self.done.left += garbage.len();
                    return Ok(0);
                }
                Swept::Busy => {
                    let since = Instant::now();
                    thread::sleep(PAUSE);
                    self.waited += since.elapsed();
                }
            }
        }
    }
}

/// Asks the writer to remove something, and waits until it did.
pub(super) fn remove(queue: &Queue, garbage: Arc<Garbage>) -> Result<Swept, Arc<WriteError>> {
    let (answer, receiver) = oneshot::channel();
    queue.ask(Job::Collect(Collect { garbage, answer }))?;
    receiver.blocking_recv().map_err(|_| queue.closed())?
}

impl Garbage {
    /// Returns whether it is about files, so that nobody may be keeping any.
    pub(super) fn has_files(&self) -> bool {
        match self {
            Self::Blobs { .. } | Self::Orphans(_) => true,
            Self::Cache { .. } | Self::Values(_) | Self::Letters { .. } | Self::Run { .. } => false,
        }
    }

    fn len(&self) -> u64 {
        let length = match self {
            Self::Cache { keys: all, .. }
            | Self::Values(all)
            | Self::Blobs { digests: all, .. }
            | Self::Orphans(all) => all.len(),
            Self::Run { .. } | Self::Letters { .. } => 1,
        };
        u64::try_from(length).unwrap_or(u64::MAX)
    }
}

/// What a transaction removed, and the files that go after it.
#[derive(Debug, Default)]
pub(super) struct Removed {
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) files: Vec<Digest>,
}

/// Removes what nobody refers to, which is asked again here.
pub(super) fn remove_rows(
    db: &Connection,
    layout: &Layout,
    garbage: &Garbage,
) -> rusqlite::Result<Removed> {
    let mut removed = Removed::default();
    match garbage {
        Garbage::Cache {
            keys,
            now,
            made_max,
        } => {
            for key in keys {
                removed.count += remove_cached(db, key, *now, *made_max)?;
            }
        }
        Garbage::Values(digests) => {
            for digest in digests {
                removed.value(db, digest)?;
            }
        }
        Garbage::Blobs {
            digests,
            made_max,
            now,
        } => {
            for digest in digests {
                removed.blob(db, digest, *made_max, *now)?;
            }
        }
        Garbage::Orphans(digests) => {
            let sql = "SELECT EXISTS (SELECT 1 FROM blob WHERE digest = ?1 AND gone IS NULL)";
            for digest in digests {
                let mut is_there = db.prepare_cached(sql)?;
                if !is_there.query_row([Key(digest)], |row| row.get::<_, bool>(0))? {
                    // What can't be measured is removed all the same.
                    let size = fs::metadata(layout.blob(digest)).map_or(0, |file| file.len());
                    removed.bytes += size;
                    removed.files.push(*digest);
                    removed.count += 1;
                }
            }
        }
        Garbage::Letters { at_max } => removed.count = remove_letters(db, *at_max)?,
        Garbage::Run { run, epoch, now } => {
            removed.count = remove_run(db, run, *epoch, *now)?;
        }
    }
    Ok(removed)
}

impl Removed {
    fn value(&mut self, db: &Connection, digest: &Digest) -> rusqlite::Result<()> {
        let sql = "DELETE FROM value WHERE digest = ?1 \
                   AND NOT EXISTS (SELECT 1 FROM reference WHERE digest = ?1) \
                   RETURNING length(body)";
        let mut remove = db.prepare_cached(sql)?;
        let size = remove.query_row([Key(digest)], |row| row.get(0));
        if let Some(size) = size.optional()? {
            let_go(db, Holder::Value, &Key(digest))?;
            self.bytes += count(size);
            self.count += 1;
        }
        Ok(())
    }

    fn blob(
        &mut self,
        db: &Connection,
        digest: &Digest,
        made_max: Timestamp,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let sql = "UPDATE blob SET gone = ?3 \
                   WHERE digest = ?1 AND gone IS NULL AND made <= ?2 \
                   AND NOT EXISTS (SELECT 1 FROM reference WHERE digest = ?1) \
                   RETURNING size";
        let mut remove = db.prepare_cached(sql)?;
        let size = remove.query_row(params![Key(digest), made_max.0, now.0], |row| row.get(0));
        if let Some(size) = size.optional()? {
            let_go(db, Holder::Value, &Key(digest))?;
            self.files.push(*digest);
            self.bytes += count(size);
            self.count += 1;
        }
        Ok(())
    }
}

/// Removes an entry of the cache, if it is too old by now.
fn remove_cached(
    db: &Connection,
    key: &Digest,
    now: Timestamp,
    made_max: Option<Timestamp>,
) -> rusqlite::Result<u64> {
    let sql = "DELETE FROM cache WHERE key = ?1 AND (expires <= ?2 OR made <= ?3)";
    let row = params![Key(key), now.0, made_max.map(|made| made.0)];
    if db.prepare_cached(sql)?.execute(row)? == 0 {
        return Ok(0);
    }
    let_go(db, Holder::Cache, &Key(key))?;
    put_stone(db, Stone::Cache, &Key(key), now)?;
    Ok(1)
}

fn remove_letters(db: &Connection, at_max: Timestamp) -> rusqlite::Result<u64> {
    let sql = "SELECT tag FROM letter WHERE reply IS NOT NULL AND at <= ?1";
    let mut old = db.prepare(sql)?;
    let old = old.query_map([at_max.0], |row| row.get(0))?;
    let mut removed = 0;
    for tag in old.collect::<rusqlite::Result<Vec<String>>>()? {
        let_go(db, Holder::Letter, &tag)?;
        removed += db.execute("DELETE FROM letter WHERE tag = ?1", [tag])?;
    }
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

/// Leaves a stone for what is removed, so that it can be said later.
fn put_stone(
    db: &Connection,
    stone: Stone,
    name: &dyn rusqlite::ToSql,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO stone (kind, name, at) VALUES (?1, ?2, ?3)";
    let row = params![stone.code(), name, now.0];
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Removes a run that is over, with all that is its own. What it did to the
/// world stays known: its firing.
fn remove_run(db: &Connection, run: &RunId, epoch: u64, now: Timestamp) -> rusqlite::Result<u64> {
    let sql = "DELETE FROM run WHERE id = ?1 AND epoch = ?2 AND phase >= ?3 AND kept = 0 \
               RETURNING number";
    let row = params![&*run.0, integer(epoch), PHASE_OVER];
    let number: Option<i64> = db.query_row(sql, row, |row| row.get(0)).optional()?;
    let Some(number) = number else { return Ok(0) };
    let sql = "DELETE FROM reference WHERE kind = ?1 \
               AND holder IN (SELECT tag FROM letter WHERE run = ?2)";
    db.execute(sql, params![Holder::Letter.code(), number])?;
    let sql = "DELETE FROM state_act \
               WHERE act IN (SELECT idempotency FROM effect WHERE run = ?1)";
    db.execute(sql, [number])?;
    for table in ["event", "effect", "ask", "letter", "part"] {
        db.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [number])?;
    }
    let_go(db, Holder::Run, &number)?;
    put_stone(db, Stone::Run, &run.0.as_bytes(), now)?;
    Ok(1)
}

/// Removes what the steps of a run wrote while they ran.
pub(super) fn remove_logs(path: &Path) -> Result<(), CollectError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(CollectError::Remove {
            path: path.to_path_buf(),
            source,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes the files of blobs that have a tombstone by now.
pub(super) fn unlink(layout: &Layout, digests: &[Digest]) -> io::Result<()> {
    for digest in digests {
        match fs::remove_file(layout.blob(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    enum Referred {
        To,
        NotTo,
    }

    /// A store with a value, a blob and an entry of the cache, which are needed
    /// or not.
    fn rows(referred: &Referred) -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        schema::create(&mut db).unwrap();
        let [value, blob] = [Digest::of(b"value"), Digest::of(b"blob")];
        let sql = "INSERT INTO value VALUES (?1, x'00')";
        db.execute(sql, [Key(&value)]).unwrap();
        let sql = "INSERT INTO blob VALUES (?1, 4, 10, NULL)";
        db.execute(sql, [Key(&blob)]).unwrap();
        let sql = "INSERT INTO cache VALUES (?1, NULL, x'00', x'00', 1, ?2, 'r', 0)";
        let (expires, references) = match referred {
            Referred::To => (100, vec![value, blob]),
            Referred::NotTo => (50, Vec::new()),
        };
        let key = Digest::of(b"key");
        db.execute(sql, params![Key(&key), expires]).unwrap();
        for digest in references {
            let sql = "INSERT INTO reference VALUES (?1, 0, 1)";
            db.execute(sql, [Key(&digest)]).unwrap();
        }
        db
    }

    #[test]
    fn what_is_referred_to_by_now_is_not_removed() {
        let now = Timestamp(50);
        let layout = Layout::new("/nowhere");
        let blobs = |made_max| Garbage::Blobs {
            digests: vec![Digest::of(b"blob")],
            made_max: Timestamp(made_max),
            now,
        };
        let found_before = [
            Garbage::Cache {
                keys: vec![Digest::of(b"key")],
                now,
                made_max: None,
            },
            Garbage::Values(vec![Digest::of(b"value")]),
            blobs(10),
        ];
        for garbage in &found_before {
            let removed = remove_rows(&rows(&Referred::To), &layout, garbage).unwrap();
            assert_eq!((removed.count, removed.files.len()), (0, 0), "{garbage:?}");
            let removed = remove_rows(&rows(&Referred::NotTo), &layout, garbage).unwrap();
            assert_eq!(removed.count, 1, "{garbage:?}");
        }
        let young = remove_rows(&rows(&Referred::NotTo), &layout, &blobs(9)).unwrap();
        assert_eq!(young.count, 0);
        let is_there = Garbage::Orphans(vec![Digest::of(b"blob"), Digest::of(b"none")]);
        let removed = remove_rows(&rows(&Referred::NotTo), &layout, &is_there).unwrap();
        assert_eq!(removed.files, [Digest::of(b"none")]);
    }
}
