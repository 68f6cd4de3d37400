//! Reading: connections of their own, one short transaction for each question,
//! so that nobody who looks keeps the log from being cut.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use flow_core::address::RunId;
use flow_core::amount::{Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::plan::NodeId;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::batch::{
    AskRow, CacheEntry, Counts, EffectRow, EffectState, EventRow, Held, LetterTag, Missed,
    PHASE_OVER, PartsRow, Phase, SharedRow, StateEntry, Summary,
};
use super::layout::Layout;
use super::open::{self, OpenError};
use super::rows::{Key, count, integer};
use crate::owner::OwnerId;

/// Reads a store. One thread at a time; another one opens another.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    layout: Layout,
    /// What the database said of itself when it was last asked.
    version: i64,
}

/// Why a store can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store can't be opened.
    #[error(transparent)]
    Open(Box<OpenError>),
    /// The database can't.
    #[error("cannot read the database `{}`", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: rusqlite::Error,
    },
    /// A large value can't.
    #[error("cannot read the value `{}`; check the disk", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: io::Error,
    },
}

impl From<OpenError> for ReadError {
    fn from(error: OpenError) -> Self {
        Self::Open(Box::new(error))
    }
}

/// Which runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// All.
    All,
    /// Those that are not over.
    Open,
}

/// A run, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its name.
    pub id: RunId,
    /// Grows with every run of the store: newer ones have larger numbers.
    pub number: u64,
    /// Who owns it, or did when it died.
    pub owner: Option<OwnerId>,
    /// Counts owners.
    pub epoch: u64,
    /// How many events it has.
    pub head: u64,
    /// The name of the workflow.
    pub workflow: Arc<str>,
    /// The plan it began with.
    pub plan: Digest,
    /// When it began.
    pub started: Timestamp,
    /// How it stands.
    pub summary: Summary,
    /// Whether collections leave it alone.
    pub is_kept: bool,
}

/// What runs share, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedState {
    /// Its version.
    pub version: u64,
    /// Its rows, in the order of kinds and keys.
    pub rows: Vec<SharedRow>,
}

/// A result that is kept for other runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// The result.
    pub entry: CacheEntry,
    /// When a file of it was removed or lost, if one was.
    pub evicted: Option<Timestamp>,
}

/// A letter to the owner of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number: a run's letters are read in this order.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says; opaque.
    pub body: Vec<u8>,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// It is there, and nobody has answered.
    Unread,
    /// Somebody has; what is answered is opaque.
    Answered(Vec<u8>),
    /// There is no such letter, or none any more.
    Gone,
}

const RUN: &str = "SELECT id, number, owner, epoch, head, workflow, plan, started, changed, \
                   phase, done, failed, running, waiting, spent, held, wake, note, kept FROM run";

impl Reader {
    /// Opens a store to read it.
    pub fn open(layout: &Layout) -> Result<Self, OpenError> {
        Ok(Self {
            db: open::open_to_read(layout)?,
            layout: layout.clone(),
            version: 0,
        })
    }

    /// Returns whether anything was committed since this was last asked, by
    /// whomever. Costs a microsecond or two.
    pub fn has_changed(&mut self) -> Result<bool, ReadError> {
        let sql = "PRAGMA data_version";
        let version = self.one(sql, [], |row| row.get(0))?;
        let version = version.unwrap_or_default();
        Ok(std::mem::replace(&mut self.version, version) != version)
    }

    /// Returns runs, the newest first: those older than a number, so many.
    pub fn runs(
        &self,
        which: Runs,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<RunRow>, ReadError> {
        let phase_max = match which {
            Runs::All => i64::MAX,
            Runs::Open => PHASE_OVER - 1,
        };
        let sql = format!("{RUN} WHERE phase <= ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3");
        let before = before.map_or(i64::MAX, integer);
        self.all(&sql, params![phase_max, before, rows(limit)], run_row)
    }

    /// Returns a run.
    pub fn run(&self, run: &RunId) -> Result<Option<RunRow>, ReadError> {
        self.one(&format!("{RUN} WHERE id = ?1"), [&*run.0], run_row)
    }

    /// Returns the runs whose names begin so, but not more than so many.
    pub fn runs_named(&self, prefix: &str, limit: usize) -> Result<Vec<RunRow>, ReadError> {
        let sql =
            format!("{RUN} WHERE id >= ?1 AND substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT ?2");
        self.all(&sql, params![prefix, rows(limit)], run_row)
    }

    /// Returns runs of a workflow that succeeded, the newest first: those older
    /// than a number, so many.
    pub fn succeeded(
        &self,
        workflow: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<RunRow>, ReadError> {
        let sql = format!(
            "{RUN} WHERE workflow = ?1 AND phase = ?2 AND number < ?3 \
             ORDER BY number DESC LIMIT ?4"
        );
        let before = before.map_or(i64::MAX, integer);
        let asked = params![workflow, Phase::Succeeded.code(), before, rows(limit)];
        self.all(&sql, asked, run_row)
    }

    /// Returns the bodies of the last events of a run, the latest first, so many.
    pub fn last_events(&self, run: u64, limit: usize) -> Result<Vec<Vec<u8>>, ReadError> {
        let sql = "SELECT body FROM event WHERE run = ?1 ORDER BY seq DESC LIMIT ?2";
        self.all(sql, params![integer(run), rows(limit)], |row| row.get(0))
    }

    /// Returns events of a run from a number on, so many.
    pub fn events(&self, run: &RunId, from: u64, limit: usize) -> Result<Vec<EventRow>, ReadError> {
        let sql = "SELECT seq, at, kind, node, body FROM event \
                   WHERE run = (SELECT number FROM run WHERE id = ?1) AND seq >= ?2 \
                   ORDER BY seq LIMIT ?3";
        let asked = params![&*run.0, integer(from), rows(limit)];
        self.all(sql, asked, event_row)
    }

    /// Returns the events of a run that are of a kind.
    pub fn events_of_kind(&self, run: &RunId, kind: u8) -> Result<Vec<EventRow>, ReadError> {
        let sql = "SELECT seq, at, kind, node, body FROM event \
                   WHERE run = (SELECT number FROM run WHERE id = ?1) AND kind = ?2 ORDER BY seq";
        self.all(sql, params![&*run.0, kind], event_row)
    }

    /// Returns the events of a run that are about a node, from a number on and
    /// before another.
    pub fn events_of_node(
        &self,
        run: &RunId,
        node: NodeId,
        from: u64,
        until: u64,
    ) -> Result<Vec<EventRow>, ReadError> {
        let sql = "SELECT seq, at, kind, node, body FROM event \
                   WHERE run = (SELECT number FROM run WHERE id = ?1) AND node = ?2 \
                   AND seq >= ?3 AND seq < ?4 ORDER BY seq";
        let until = i64::try_from(until).unwrap_or(i64::MAX);
        let asked = params![&*run.0, node.0, integer(from), until];
        self.all(sql, asked, event_row)
    }

    /// Returns the runs of a workflow that are older than a number, the newest
    /// first, so many.
    pub fn runs_of(
        &self,
        workflow: &str,
        before: u64,
        limit: usize,
    ) -> Result<Vec<RunRow>, ReadError> {
        let sql =
            format!("{RUN} WHERE workflow = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3");
        self.all(
            &sql,
            params![workflow, integer(before), rows(limit)],
            run_row,
        )
    }

    /// Returns a value, however large.
    pub fn value(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ReadError> {
        let sql = "SELECT body FROM value WHERE digest = ?1";
        if let Some(body) = self.one(sql, [Key(digest)], |row| row.get(0))? {
            return Ok(Some(body));
        }
        if !self.blob_is_there(digest)? {
            return Ok(None);
        }
        let path = self.layout.blob(digest);
        match fs::read(&path) {
            Ok(body) => Ok(Some(body)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ReadError::File { path, source }),
        }
    }

    /// Returns whether a value is there.
    pub fn has(&self, digest: &Digest) -> Result<bool, ReadError> {
        let sql = "SELECT 1 FROM value WHERE digest = ?1";
        let small: Option<i64> = self.one(sql, [Key(digest)], |row| row.get(0))?;
        Ok(small.is_some() || self.blob_is_there(digest)?)
    }

    /// Returns whether a value or a blob is there with all that is in it.
    pub fn is_whole(&self, digest: &Digest) -> Result<bool, ReadError> {
        let sql = "SELECT 1 FROM reference JOIN blob USING (digest) \
                   WHERE gone IS NOT NULL AND kind = 2 AND holder = ?1";
        let misses: Option<i64> = self.one(sql, [Key(digest)], |row| row.get(0))?;
        Ok(misses.is_none() && self.has(digest)?)
    }

    /// Keeps to one moment for all that is asked until [`Reader::let_go`]: many
    /// questions in a row cost less. To be let go of soon, for the log of the
    /// database can't be put away meanwhile.
    pub fn hold_on(&self) {
        if self.db.is_autocommit() {
            // Without it every question is a moment of its own.
            drop(self.db.execute_batch("BEGIN"));
        }
    }

    /// Ends what [`Reader::hold_on`] began.
    pub fn let_go(&self) {
        if !self.db.is_autocommit() {
            drop(self.db.execute_batch("COMMIT"));
        }
    }

    /// Returns the result of a key. Whether it is too old, and whether it can be
    /// taken although a file of it is gone, is for the caller to say.
    pub fn cached(&self, key: &Digest) -> Result<Option<Cached>, ReadError> {
        let sql = "SELECT digest, inline, parts, made, expires, run, seq, ( \
                       SELECT min(gone) FROM reference JOIN blob USING (digest) \
                       WHERE gone IS NOT NULL AND ((kind = 1 AND holder = ?1) \
                       OR (kind = 2 AND holder = cache.digest))) \
                   FROM cache WHERE key = ?1";
        self.one(sql, [Key(key)], |row| {
            let stored: Option<[u8; 32]> = row.get(0)?;
            let entry = CacheEntry {
                key: *key,
                value: match stored {
                    Some(digest) => Held::Stored(Digest(digest)),
                    None => Held::Inline(row.get(1)?),
                },
                blobs: Vec::new(),
                parts: row.get(2)?,
                made: Timestamp(row.get(3)?),
                expires: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                run: RunId(row.get::<_, String>(5)?.into()),
                seq: count(row.get(6)?),
            };
            Ok(Cached {
                entry,
                evicted: row.get::<_, Option<i64>>(7)?.map(Timestamp),
            })
        })
    }

    /// Returns what is kept of how a result of a run was made, if no entry of
    /// the cache has it.
    pub fn parts(&self, run: &RunId, key: &Digest) -> Result<Option<PartsRow>, ReadError> {
        let sql = "SELECT parts, missed, since FROM part \
                   WHERE run = (SELECT number FROM run WHERE id = ?1) AND key = ?2";
        self.one(sql, params![&*run.0, Key(key)], |row| {
            let missed: Option<(i64, i64)> = row
                .get::<_, Option<i64>>(1)?
                .zip(row.get::<_, Option<i64>>(2)?);
            Ok(PartsRow {
                key: *key,
                parts: row.get(0)?,
                missed: missed.and_then(|(code, since)| Missed::from_code(code, since)),
            })
        })
    }

    /// Returns all that runs share.
    pub fn shared(&self) -> Result<SharedState, ReadError> {
        // One transaction, so that the rows are those of the version.
        let read = || {
            let transaction = self.db.unchecked_transaction()?;
            let version = "SELECT shared FROM sync";
            let version = transaction.query_row(version, [], |row| row.get(0))?;
            let rows = "SELECT kind, key, body FROM shared ORDER BY kind, key";
            let mut rows = transaction.prepare_cached(rows)?;
            let rows = rows.query_map([], |row| {
                Ok(SharedRow {
                    kind: row.get(0)?,
                    key: row.get(1)?,
                    body: row.get(2)?,
                })
            })?;
            Ok(SharedState {
                version: count(version),
                rows: rows.collect::<rusqlite::Result<_>>()?,
            })
        };
        read().map_err(self.failed())
    }

    /// Returns the open questions of a run.
    pub fn asks(&self, run: &RunId) -> Result<Vec<AskRow>, ReadError> {
        let sql = "SELECT ticket, at, expires, body FROM ask \
                   WHERE run = (SELECT number FROM run WHERE id = ?1) ORDER BY at, ticket";
        self.all(sql, [&*run.0], |row| {
            Ok(AskRow {
                ticket: row.get(0)?,
                at: Timestamp(row.get(1)?),
                expires: row.get::<_, Option<i64>>(2)?.map(Timestamp),
                body: row.get(3)?,
            })
        })
    }

    /// Returns the acts of all runs that are in a state, the oldest first.
    pub fn effects(&self, state: EffectState) -> Result<Vec<(RunId, EffectRow)>, ReadError> {
        let sql = "SELECT id, ticket, state, at, idempotency, body \
                   FROM effect JOIN run ON run.number = effect.run \
                   WHERE state = ?1 ORDER BY at, id, ticket";
        self.all(sql, [state.code()], effect_row)
    }

    /// Returns all acts of a run.
    pub fn effects_of(&self, run: &RunId) -> Result<Vec<EffectRow>, ReadError> {
        let sql = "SELECT id, ticket, state, at, idempotency, body \
                   FROM effect JOIN run ON run.number = effect.run \
                   WHERE id = ?1 ORDER BY at, ticket";
        self.all(sql, [&*run.0], |row| Ok(effect_row(row)?.1))
    }

    /// Returns the letters to the owner of a run that are not answered, those
    /// with larger numbers than one.
    pub fn letters(&self, run: &RunId, after: u64) -> Result<Vec<Letter>, ReadError> {
        let sql = "SELECT number, at, body FROM letter \
                   WHERE run = (SELECT number FROM run WHERE id = ?1) \
                   AND number > ?2 AND reply IS NULL ORDER BY number";
        self.all(sql, params![&*run.0, integer(after)], |row| {
            Ok(Letter {
                number: count(row.get(0)?),
                at: Timestamp(row.get(1)?),
                body: row.get(2)?,
            })
        })
    }

    /// Returns what became of a letter.
    pub fn reply(&self, tag: &LetterTag) -> Result<Posted, ReadError> {
        let sql = "SELECT reply FROM letter WHERE tag = ?1";
        let reply = self.one(sql, [&*tag.0], |row| row.get::<_, Option<Vec<u8>>>(0))?;
        Ok(match reply {
            None => Posted::Gone,
            Some(None) => Posted::Unread,
            Some(Some(body)) => Posted::Answered(body),
        })
    }

    /// Returns what is remembered under a key.
    pub fn state(&self, key: &[u8]) -> Result<Option<StateEntry>, ReadError> {
        let sql = "SELECT handle, at FROM state WHERE key = ?1";
        self.one(sql, [key], |row| {
            Ok(StateEntry {
                key: key.to_vec(),
                handle: row.get(0)?,
                references: Vec::new(),
                at: Timestamp(row.get(1)?),
                act: None,
            })
        })
    }

    /// Returns the last instant that a trigger fired for, and its run.
    pub fn fired(&self, trigger: &str) -> Result<Option<(Timestamp, RunId)>, ReadError> {
        let sql = "SELECT instant, run FROM firing WHERE trigger = ?1 \
                   ORDER BY instant DESC LIMIT 1";
        self.one(sql, [trigger], |row| {
            let run: String = row.get(1)?;
            Ok((Timestamp(row.get(0)?), RunId(run.into())))
        })
    }

    /// Returns whether a blob is one of the store's.
    pub(crate) fn blob_is_there(&self, digest: &Digest) -> Result<bool, ReadError> {
        let sql = "SELECT 1 FROM blob WHERE digest = ?1 AND gone IS NULL";
        Ok(self.one(sql, [Key(digest)], |_| Ok(()))?.is_some())
    }

    /// Returns whether a blob of the store is known to survive a power cut.
    pub fn is_durable(&self, digest: &Digest) -> Result<bool, ReadError> {
        let sql = "SELECT 1 FROM blob WHERE digest = ?1 AND gone IS NULL \
                   AND NOT EXISTS (SELECT 1 FROM unsynced WHERE digest = ?1)";
        Ok(self.one(sql, [Key(digest)], |_| Ok(()))?.is_some())
    }

    /// Returns keys of the cache whose results are too old, or were made up to
    /// an instant, in their order.
    pub(super) fn stale_cache(
        &self,
        now: Timestamp,
        made_max: Option<Timestamp>,
        after: Option<Digest>,
        limit: usize,
    ) -> Result<Vec<Digest>, ReadError> {
        let sql = "SELECT key FROM cache WHERE (expires <= ?1 OR made <= ?4) AND key > ?2 \
                   ORDER BY key LIMIT ?3";
        let made_max = made_max.map(|made| made.0);
        let asked = params![now.0, cursor(after.as_ref()), rows(limit), made_max];
        self.all(sql, asked, |row| row.get(0).map(Digest))
    }

    /// Returns values that nobody refers to, in their order.
    pub(super) fn values_alone(
        &self,
        after: Option<Digest>,
        limit: usize,
    ) -> Result<Vec<Digest>, ReadError> {
        let sql = "SELECT digest FROM value WHERE digest > ?1 AND NOT EXISTS \
                   (SELECT 1 FROM reference WHERE reference.digest = value.digest) \
                   ORDER BY digest LIMIT ?2";
        let asked = params![cursor(after.as_ref()), rows(limit)];
        self.all(sql, asked, |row| row.get(0).map(Digest))
    }

    /// Returns blobs that nobody refers to, kept up to an instant, in their
    /// order.
    pub(super) fn blobs_alone(
        &self,
        made_max: Timestamp,
        after: Option<Digest>,
        limit: usize,
    ) -> Result<Vec<Digest>, ReadError> {
        let sql = "SELECT digest FROM blob WHERE digest > ?1 AND gone IS NULL AND made <= ?2 \
                   AND NOT EXISTS \
                   (SELECT 1 FROM reference WHERE reference.digest = blob.digest) \
                   ORDER BY digest LIMIT ?3";
        let asked = params![cursor(after.as_ref()), made_max.0, rows(limit)];
        self.all(sql, asked, |row| row.get(0).map(Digest))
    }

    /// Returns where everything is.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        asked: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, ReadError> {
        let found = self
            .db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(asked, read).optional());
        found.map_err(self.failed())
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        asked: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ReadError> {
        let found = self.db.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map(asked, read)?;
            rows.collect()
        });
        found.map_err(self.failed())
    }

    fn failed(&self) -> impl FnOnce(rusqlite::Error) -> ReadError {
        let path = self.layout.database();
        move |source| ReadError::Database { path, source }
    }
}

fn event_row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        seq: count(row.get(0)?),
        at: Timestamp(row.get(1)?),
        kind: row.get(2)?,
        node: NodeId(row.get(3)?),
        body: row.get(4)?,
    })
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let phase = row.get(9)?;
    let phase =
        Phase::from_code(phase).ok_or(rusqlite::Error::IntegralValueOutOfRange(9, phase))?;
    Ok(RunRow {
        id: RunId(row.get::<_, String>(0)?.into()),
        number: count(row.get(1)?),
        owner: row.get::<_, Option<String>>(2)?.map(OwnerId::known),
        epoch: count(row.get(3)?),
        head: count(row.get(4)?),
        workflow: row.get::<_, String>(5)?.into(),
        plan: Digest(row.get(6)?),
        started: Timestamp(row.get(7)?),
        summary: Summary {
            at: Timestamp(row.get(8)?),
            phase,
            counts: Counts {
                done: row.get(10)?,
                failed: row.get(11)?,
                running: row.get(12)?,
                waiting: row.get(13)?,
            },
            spent: Money(row.get(14)?),
            held: Money(row.get(15)?),
            wake: row.get::<_, Option<i64>>(16)?.map(Timestamp),
            note: row.get(17)?,
        },
        is_kept: row.get(18)?,
    })
}

fn effect_row(row: &Row<'_>) -> rusqlite::Result<(RunId, EffectRow)> {
    let state = row.get(2)?;
    let known = EffectState::from_code(state);
    Ok((
        RunId(row.get::<_, String>(0)?.into()),
        EffectRow {
            ticket: row.get(1)?,
            state: known.ok_or(rusqlite::Error::IntegralValueOutOfRange(2, state))?,
            at: Timestamp(row.get(3)?),
            idempotency: Digest(row.get(4)?),
            body: row.get(5)?,
        },
    ))
}

/// Where to go on after a digest.
pub(super) fn cursor(after: Option<&Digest>) -> impl ToSql + '_ {
    after.map_or(&[] as &[u8], |digest| &digest.0)
}

pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
