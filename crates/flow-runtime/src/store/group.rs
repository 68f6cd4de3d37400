//! One commit: its barrier, its transaction, and what is done if it fails.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OptionalExtension, ffi, params};

use super::batch::{Batch, Level, OwnerRow, Refused, VALUE_MAX, WriteError};
use super::collect;
use super::disk::{BALLAST, Disk};
use super::layout::Layout;
use super::mend::{bury, is_whole};
use super::observe::SyncPoint;
use super::open::{Closing, Options, PATIENCE};
use super::queue::{Garbage, Swept, Taken};
use super::rows::{self, Stamp, Stop, count, integer};
use crate::artifacts::{BlobError, Blobs, Durable, barrier};
use crate::owner::Ownership;

/// How long the log may be that a short command leaves behind: whoever opens
/// the store next goes through all of it.
const LOG_LEFT: u64 = 8 * 1024 * 1024;

/// The write connection and what belongs to it.
pub(super) struct Group {
    db: Connection,
    layout: Layout,
    path: Arc<str>,
    options: Options,
    pub(super) disk: Arc<Disk>,
    blobs: Blobs,
    ownership: Arc<Ownership>,
    owner: Option<OwnerRow>,
    boot: Arc<str>,
    /// What the connection was last told about syncing.
    mode: Cell<Option<Level>>,
    /// How many pages the log had after the last commit that changed any; 0 if
    /// none did since this was last asked.
    pages: Arc<AtomicU64>,
    log_length: u64,
    /// Blobs of lazy commits. They are synced with the next commit that is.
    pending: BTreeSet<Digest>,
    unsynced_since: Option<Instant>,
    commits: u64,
}

/// Why a commit failed.
enum Failed {
    /// The database did.
    Database(rusqlite::Error),
    /// A file beside it did.
    File(io::Error),
    /// Anything else.
    Other(WriteError),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// What becomes durable with a commit, or before it.
struct Sure {
    level: Level,
    /// The blobs that its batches bring.
    blobs: BTreeSet<Digest>,
}

impl Sure {
    /// A commit without blobs.
    fn plain(level: Level) -> Self {
        Self {
            level,
            blobs: BTreeSet::new(),
        }
    }
}

/// What the log begins with, what each page has in it besides itself, and how
/// large a page is.
const LOG_HEAD: u64 = 32;
const FRAME_HEAD: u64 = 24;
const PAGE_BYTES: u64 = 4096;

impl Group {
    pub(super) fn new(
        mut db: Connection,
        layout: Layout,
        options: Options,
        disk: Arc<Disk>,
        blobs: Blobs,
        ownership: Arc<Ownership>,
    ) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicU64::new(0));
        let counted = pages.clone();
        db.wal_hook(Some(move |_: &mut Wal, pages: i32| {
            counted.store(u64::from(pages.unsigned_abs()), Ordering::Relaxed);
            Ok(())
        }))?;
        if let Some(pages) = options.faults.pages_max {
            db.pragma_update(None, "max_page_count", pages)?;
        }
        Ok(Self {
            db,
            path: layout.database().display().to_string().into(),
            boot: options.boot_id(),
            layout,
            options,
            disk,
            blobs,
            ownership,
            owner: None,
            mode: Cell::new(None),
            pages,
            log_length: 0,
            pending: BTreeSet::new(),
            unsynced_since: None,
            commits: 0,
        })
    }

    /// Returns since when there are lazy commits without a sync.
    pub(super) fn unsynced_since(&self) -> Option<Instant> {
        self.unsynced_since
    }

    /// Returns how long the log is, as far as this process knows.
    pub(super) fn log_length(&self) -> u64 {
        self.log_length
    }

    /// Commits batches; each of them is written, or refused by itself. Returns
    /// also the number of the commit.
    pub(super) fn commit(
        &mut self,
        mut batches: Vec<Batch>,
        level: Level,
    ) -> Result<(Vec<Result<(), Refused>>, u64), WriteError> {
        for batch in &mut batches {
            self.prepare(batch)?;
        }
        let kept = batches.iter().flat_map(|batch| &batch.blobs);
        let fresh = kept.filter(|kept| kept.durable == Durable::NotYet);
        let sure = Sure {
            level,
            blobs: fresh.map(|kept| kept.digest).collect(),
        };
        let path = self.path.clone();
        let outcomes = self.transact(sure, |db, stamp| {
            let mut outcomes = Vec::with_capacity(batches.len());
            let mut events = 0;
            for batch in &batches {
                let outcome = write_apart(db, batch, stamp, &path)?;
                events += outcome.as_ref().map_or(0, |()| batch.events());
                outcomes.push(outcome);
            }
            if level == Level::Synced && events == 0 {
                change_a_page(db)?;
            }
            Ok(outcomes)
        })?;
        Ok((outcomes, self.commits))
    }

    /// Makes durable what was committed lazily.
    pub(super) fn barrier(&mut self) -> Result<(), WriteError> {
        let leaves_pages = self.options.faults.barrier_without_page;
        self.transact(Sure::plain(Level::Synced), |db, _| {
            if leaves_pages {
                return Ok(());
            }
            change_a_page(db)
        })
    }

    /// Takes a run whose owner was found dead in an epoch, unless somebody was
    /// faster.
    pub(super) fn take(&mut self, run: &RunId, seen: u64) -> Result<Option<Taken>, WriteError> {
        self.become_owner()?;
        // What is written in the new epoch is synced after this, in the same
        // log; if this is lost, so is all of that.
        let sure = Sure::plain(Level::Lazy);
        self.transact(sure, |db, stamp| {
            let owner = stamp.owner.expect("this process became one above");
            let sql = "UPDATE run SET owner = ?1, epoch = epoch + 1 \
                       WHERE id = ?2 AND epoch = ?3 RETURNING epoch, head";
            let row = params![owner.id.as_str(), &*run.0, integer(seen)];
            let taken = db.query_row(sql, row, |row| {
                Ok(Taken {
                    epoch: count(row.get(0)?),
                    head: count(row.get(1)?),
                })
            });
            Ok(taken.optional()?)
        })
    }

    /// Removes what nobody refers to.
    pub(super) fn collect(&mut self, garbage: &Garbage) -> Result<Swept, WriteError> {
        // Held until the files are gone: who keeps one of them waits for that.
        let _alone = if garbage.has_files() {
            match self.blobs.lock().try_exclusive() {
                Ok(Some(alone)) => Some(alone),
                Ok(None) => return Ok(Swept::Busy),
                Err(error) => return Err(self.explain(Failed::File(error))),
            }
        } else {
            None
        };
        let sure = Sure::plain(Level::Synced);
        let layout = self.layout.clone();
        let removed = self.transact(sure, |db, _| {
            change_a_page(db)?;
            Ok(collect::remove_rows(db, &layout, garbage)?)
        })?;
        let unlinked = collect::unlink(&self.layout, &removed.files);
        unlinked.map_err(|error| self.explain(Failed::File(error)))?;
        Ok(Swept::Removed {
            count: removed.count,
            bytes: removed.bytes,
        })
    }

    /// Puts the log into the database, as far as nobody reads it.
    pub(super) fn checkpoint(&mut self) -> Result<(), WriteError> {
        self.move_log("PASSIVE")
    }

    /// Puts the log into the database and makes it empty, if nobody reads it.
    pub(super) fn cut_log(&mut self) -> Result<(), WriteError> {
        self.move_log("TRUNCATE")
    }

    /// Ends: what was committed is durable then.
    pub(super) fn finish(&mut self) -> Result<(), WriteError> {
        if self.unsynced_since.is_some() {
            self.barrier()?;
        }
        match self.options.closing {
            Closing::Quick if self.log_length > LOG_LEFT => self.cut_log(),
            Closing::Quick => Ok(()),
            Closing::Tidy => self.cut_log(),
        }
    }

    fn move_log(&mut self, how: &str) -> Result<(), WriteError> {
        // It syncs the log, so blobs have to be durable before.
        if self.unsynced_since.is_some() {
            self.barrier()?;
        }
        // Who reads goes on reading; there is a next time.
        let moved = self.db.busy_timeout(Duration::ZERO).and_then(|()| {
            let moved = self.db.pragma(None, "wal_checkpoint", how, |_| Ok(()));
            self.db.busy_timeout(PATIENCE)?;
            moved
        });
        // The next commit says how long it really is.
        self.log_length = 0;
        match moved {
            Err(error) if !is_full(&error) && !is_busy(&error) => {
                Err(self.explain(Failed::Database(error)))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Turns what is too large for the database into blobs, and makes this
    /// process an owner if a run begins.
    fn prepare(&mut self, batch: &mut Batch) -> Result<(), WriteError> {
        for value in &batch.values {
            if value.body.len() > VALUE_MAX {
                let kept = self.blobs.keep_bytes(&value.body);
                let kept = kept.map_err(|error| self.explain_blob(error))?;
                assert_eq!(kept.digest, value.digest, "a value has its own digest");
                batch.blobs.push(kept);
            }
        }
        let append = batch.append.as_ref();
        if append.is_some_and(|append| append.begin.is_some()) {
            self.become_owner()?;
        }
        Ok(())
    }

    fn become_owner(&mut self) -> Result<(), WriteError> {
        if self.owner.is_some() {
            return Ok(());
        }
        let owner = self.ownership.get().map_err(|error| WriteError::NoOwner {
            path: self.path.clone(),
            cause: error.to_string().into(),
        })?;
        let row = OwnerRow {
            id: owner.id().clone(),
            host: owner.host().into(),
            pid: std::process::id(),
        };
        let layout = self.layout.clone();
        let sure = Sure::plain(Level::Lazy);
        self.transact(sure, |db, _| register(db, &row, &layout))?;
        self.owner = Some(row);
        Ok(())
    }

    /// Runs a transaction; a second time if the disk was full and there was
    /// ballast to give up.
    fn transact<T>(
        &mut self,
        sure: Sure,
        body: impl Fn(&Connection, Stamp<'_>) -> Result<T, Failed>,
    ) -> Result<T, WriteError> {
        let done = match self.attempt(&sure, &body) {
            Err(Failed::Database(error)) if is_full(&error) && self.release_ballast() => {
                self.attempt(&sure, &body)
            }
            done => done,
        };
        let done = done.map_err(|failed| self.explain(failed))?;
        self.commits += 1;
        let pages = self.pages.swap(0, Ordering::Relaxed);
        if pages > 0 {
            self.log_length = LOG_HEAD + pages * (FRAME_HEAD + PAGE_BYTES);
        }
        match sure.level {
            Level::Synced => {
                let believes = self.options.faults.barrier_without_page;
                assert!(pages > 0 || believes, "a synced commit changes a page");
                self.unsynced_since = None;
                self.pending.clear();
                if pages > 0 {
                    self.tell_length();
                }
            }
            Level::Lazy => {
                self.unsynced_since.get_or_insert_with(Instant::now);
                self.pending.extend(sure.blobs);
            }
        }
        Ok(done)
    }

    fn attempt<T>(
        &self,
        sure: &Sure,
        body: &impl Fn(&Connection, Stamp<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        // It is an error inside of a transaction.
        let is_lazy = sure.level == Level::Lazy || self.options.faults.synced_as_lazy;
        let level = if is_lazy { Level::Lazy } else { Level::Synced };
        if self.mode.replace(Some(level)) != Some(level) {
            let mode = if is_lazy { "NORMAL" } else { "FULL" };
            self.db.pragma_update(None, "synchronous", mode)?;
        }
        let durable = match sure.level {
            Level::Synced => self.sync_blobs(&sure.blobs)?,
            Level::Lazy => BTreeSet::new(),
        };
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let done = self.inside(sure, &durable, body);
        if done.is_err() && !self.db.is_autocommit() {
            // Its own failure would say less than the first.
            drop(self.db.execute_batch("ROLLBACK"));
        }
        done
    }

    fn inside<T>(
        &self,
        sure: &Sure,
        durable: &BTreeSet<Digest>,
        body: &impl Fn(&Connection, Stamp<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let stamp = Stamp {
            owner: self.owner.as_ref(),
            now: now(),
            boot: &self.boot,
        };
        let done = body(&self.db, stamp)?;
        if sure.level == Level::Synced {
            self.sync_others(durable, stamp)?;
        }
        self.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(done)
    }

    /// Makes the blobs of a commit and of the lazy ones before it durable.
    /// Returns which they are.
    fn sync_blobs(&self, fresh: &BTreeSet<Digest>) -> Result<BTreeSet<Digest>, Failed> {
        let mut blobs: BTreeSet<Digest> = self.pending.union(fresh).copied().collect();
        for missing in self.sync_files(&blobs)? {
            // What is kept is not removed by us. What was kept may have been,
            // when nobody referred to it any more; if somebody does, the
            // transaction finds it among those that are in doubt.
            if fresh.contains(&missing) {
                return Err(Failed::Other(WriteError::Broken {
                    path: self.path.clone(),
                    cause: format!("`{}` was removed", self.layout.blob(&missing).display()).into(),
                }));
            }
            blobs.remove(&missing);
        }
        Ok(blobs)
    }

    /// Makes the blobs durable that other processes have committed lazily: with
    /// this commit their commits become durable too, and what follows from them
    /// may be in it.
    fn sync_others(&self, durable: &BTreeSet<Digest>, stamp: Stamp<'_>) -> Result<(), Failed> {
        let mut unsynced = self
            .db
            .prepare_cached("SELECT digest, boot FROM unsynced")?;
        let unsynced = unsynced.query_map([], |row| Ok((Digest(row.get(0)?), row.get(1)?)))?;
        let unsynced = unsynced.collect::<rusqlite::Result<Vec<(Digest, String)>>>()?;
        if unsynced.is_empty() {
            return Ok(());
        }
        let mut others = BTreeSet::new();
        for (digest, boot) in unsynced {
            if durable.contains(&digest) {
                continue;
            }
            // From before the machine started again, it may be something else.
            if *boot != *self.boot && !is_whole(&self.layout, &digest) {
                bury(&self.db, &digest, Some(stamp.now))?;
                continue;
            }
            others.insert(digest);
        }
        for digest in self.sync_files(&others)? {
            bury(&self.db, &digest, Some(stamp.now))?;
        }
        self.db
            .prepare_cached("DELETE FROM unsynced")?
            .execute([])?;
        Ok(())
    }

    fn sync_files(&self, blobs: &BTreeSet<Digest>) -> Result<Vec<Digest>, Failed> {
        if blobs.is_empty() || self.options.faults.blobs_unsynced {
            return Ok(Vec::new());
        }
        let missing = barrier::sync(&self.layout, blobs).map_err(Failed::File)?;
        if let Some(observer) = &self.options.observer {
            let synced = blobs.iter().filter(|digest| !missing.contains(digest));
            observer.synced(&SyncPoint::Blobs(synced.copied().collect()));
        }
        Ok(missing)
    }

    /// Tells how much of the log is durable, if it is: the connection itself is
    /// asked whether it synced, not what it was told to do.
    fn tell_length(&self) {
        let Some(observer) = &self.options.observer else {
            return;
        };
        let mode = self
            .db
            .pragma_query_value(None, "synchronous", |row| row.get(0));
        if mode == Ok(FULL) {
            observer.synced(&SyncPoint::Log {
                length: self.log_length,
            });
        }
    }

    fn release_ballast(&self) -> bool {
        let released = self.disk.release_ballast();
        if let Some(pages) = self.options.faults.pages_max
            && released
        {
            let pages = u64::from(pages) + BALLAST / PAGE_BYTES;
            let pages = integer(pages);
            drop(self.db.pragma_update(None, "max_page_count", pages));
        }
        released
    }

    fn explain(&self, failed: Failed) -> WriteError {
        let path = self.path.clone();
        match failed {
            Failed::Other(error) => error,
            Failed::File(error) => self.explain_file(&error),
            Failed::Database(error) if is_full(&error) => WriteError::Full { path },
            Failed::Database(error) if is_busy(&error) => WriteError::Busy { path },
            Failed::Database(error) => WriteError::Broken {
                path,
                cause: error.to_string().into(),
            },
        }
    }

    fn explain_blob(&self, error: BlobError) -> WriteError {
        match error {
            BlobError::File { source, .. } => self.explain_file(&source),
            BlobError::Missing { .. }
            | BlobError::Owner(_)
            | BlobError::Index(_)
            | BlobError::Read(_) => WriteError::Broken {
                path: self.path.clone(),
                cause: error.to_string().into(),
            },
        }
    }

    fn explain_file(&self, error: &io::Error) -> WriteError {
        let path = self.path.clone();
        if error.kind() == io::ErrorKind::StorageFull {
            return WriteError::Full { path };
        }
        WriteError::Broken {
            path,
            cause: error.to_string().into(),
        }
    }
}

/// What `PRAGMA synchronous` says when commits are synced.
const FULL: i64 = 2;

/// Makes sure that a commit syncs: one that changes no page syncs nothing, and
/// leaves what came before it in doubt.
fn change_a_page(db: &Connection) -> Result<(), Failed> {
    let sql = "UPDATE sync SET barriers = barriers + 1";
    db.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Writes a batch; if it is refused, nothing of it stays, and the others do.
fn write_apart(
    db: &Connection,
    batch: &Batch,
    stamp: Stamp<'_>,
    path: &Arc<str>,
) -> Result<Result<(), Refused>, Failed> {
    db.prepare_cached("SAVEPOINT batch")?.execute([])?;
    let outcome = match rows::write(db, batch, stamp) {
        Ok(()) => Ok(()),
        Err(Stop::Refused(refused)) => Err(refused),
        // It says something about the row, not about the disk.
        Err(Stop::Database(error))
            if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) =>
        {
            Err(Refused::Failed(Arc::new(WriteError::Unfit {
                path: path.clone(),
                cause: error.to_string().into(),
            })))
        }
        Err(Stop::Database(error)) => return Err(Failed::Database(error)),
    };
    if outcome.is_err() {
        db.prepare_cached("ROLLBACK TO batch")?.execute([])?;
    }
    db.prepare_cached("RELEASE batch")?.execute([])?;
    Ok(outcome)
}

/// Writes down who owns runs from here on, and forgets owners that are gone.
fn register(db: &Connection, owner: &OwnerRow, layout: &Layout) -> Result<(), Failed> {
    let mut known = db.prepare("SELECT id FROM owner")?;
    let known = known.query_map([], |row| row.get(0))?;
    for id in known.collect::<rusqlite::Result<Vec<String>>>()? {
        if !layout.owner_lock(&id).exists() {
            db.execute("DELETE FROM owner WHERE id = ?1", [id])?;
        }
    }
    db.execute(
        "INSERT INTO owner (id, host, pid) VALUES (?1, ?2, ?3)",
        params![owner.id.as_str(), &*owner.host, owner.pid],
    )?;
    Ok(())
}

/// Returns whether an error says that the disk is full.
fn is_full(error: &rusqlite::Error) -> bool {
    let Some(error) = error.sqlite_error() else {
        return false;
    };
    // The second is the same for the memory that processes share.
    error.code == ErrorCode::DiskFull || error.extended_code == ffi::SQLITE_IOERR_SHMSIZE
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
}
