//! What the rows of a batch become in the database.

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::batch::{
    Append, AskChange, Batch, Begin, CacheEntry, Held, Hold, LetterTag, Missed, NewLetter,
    NewValue, OwnerRow, PartsRow, Refused, SharedChange, StateEntry, Summary, VALUE_MAX,
};
use super::schema::Holder;
use crate::artifacts::{Durable, Kept};

/// Why a batch is not written: it is refused, or the database failed.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(Refused),
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// What all batches of a process are written with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp<'a> {
    /// Who writes, if this process is an owner.
    pub(super) owner: Option<&'a OwnerRow>,
    /// When.
    pub(super) now: Timestamp,
    /// Since when the machine runs: blobs that are not synced when it starts
    /// again may be lost.
    pub(super) boot: &'a str,
}

/// A digest as a parameter.
pub(super) struct Key<'a>(pub(super) &'a Digest);

impl ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.0.as_slice().to_sql()
    }
}

/// Turns a count into what the database has.
pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).expect("nothing is counted that far")
}

/// Turns what the database has into a count.
pub(super) fn count(integer: i64) -> u64 {
    u64::try_from(integer).expect("only counts are written there")
}

/// Writes a batch, or says why not; then some of it may be written and has to be
/// rolled back.
pub(super) fn write(db: &Connection, batch: &Batch, stamp: Stamp<'_>) -> Result<(), Stop> {
    let number = match &batch.append {
        Some(append) => Some(move_head(db, append, stamp)?),
        None => None,
    };
    if let Some(shared) = &batch.shared {
        write_shared(db, shared)?;
    }
    for kept in &batch.blobs {
        write_blob(db, kept, stamp)?;
    }
    for value in &batch.values {
        write_value(db, value)?;
    }
    if let (Some(append), Some(number)) = (&batch.append, number) {
        write_append(db, append, number)?;
    }
    for entry in &batch.cache {
        write_cache(db, entry)?;
    }
    for entry in &batch.state {
        write_state(db, entry)?;
    }
    for letter in &batch.letters {
        write_letter(db, letter)?;
    }
    for tag in &batch.letters_over {
        remove_letter(db, tag)?;
    }
    for pin in &batch.pins {
        let sql = "UPDATE run SET kept = ?2 WHERE id = ?1";
        let row = params![&*pin.run.0, pin.is_kept];
        if db.prepare_cached(sql)?.execute(row)? == 0 {
            let run = pin.run.clone();
            return Err(Stop::Refused(Refused::NoRun { run }));
        }
    }
    Ok(())
}

/// Makes sure that who writes to a run is its owner and knows all of it. Returns
/// the run's number.
fn move_head(db: &Connection, append: &Append, stamp: Stamp<'_>) -> Result<i64, Stop> {
    if let Some(begin) = &append.begin {
        insert_run(db, append, begin, stamp)?;
    }
    let sql = "UPDATE run SET head = ?1 WHERE id = ?2 AND epoch = ?3 AND head = ?4 \
               RETURNING number";
    let number = db
        .prepare_cached(sql)?
        .query_row(
            params![
                integer(append.head_after()),
                &*append.run.0,
                integer(append.epoch),
                integer(append.head)
            ],
            |row| row.get(0),
        )
        .optional()?;
    match number {
        Some(number) => Ok(number),
        None => Err(Stop::Refused(fenced(db, append)?)),
    }
}

fn fenced(db: &Connection, append: &Append) -> rusqlite::Result<Refused> {
    let now = db
        .prepare_cached("SELECT epoch, head FROM run WHERE id = ?1")?
        .query_row([&*append.run.0], |row| {
            Ok((count(row.get(0)?), count(row.get(1)?)))
        })
        .optional()?;
    Ok(Refused::Fenced {
        run: append.run.clone(),
        now,
    })
}

fn insert_run(
    db: &Connection,
    append: &Append,
    begin: &Begin,
    stamp: Stamp<'_>,
) -> Result<(), Stop> {
    let begun = |run: String| {
        Stop::Refused(Refused::Begun {
            run: RunId(run.into()),
        })
    };
    if let Some((trigger, instant)) = &begin.firing {
        let sql = "INSERT INTO firing (trigger, instant, run) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO NOTHING";
        let firing = params![&**trigger, instant.0, &*append.run.0];
        if db.prepare_cached(sql)?.execute(firing)? == 0 {
            let sql = "SELECT run FROM firing WHERE trigger = ?1 AND instant = ?2";
            let mut other = db.prepare_cached(sql)?;
            let other = other.query_row(params![&**trigger, instant.0], |row| row.get(0))?;
            return Err(begun(other));
        }
    }
    let owner = stamp.owner.expect("who begins a run is an owner");
    let sql = "INSERT INTO run (id, owner, epoch, head, workflow, plan, started, changed, phase) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 0) ON CONFLICT (id) DO NOTHING";
    let inserted = db.prepare_cached(sql)?.execute(params![
        &*append.run.0,
        owner.id.as_str(),
        integer(append.epoch),
        integer(append.head),
        &*begin.workflow,
        Key(&begin.plan),
        begin.at.0,
    ])?;
    if inserted == 0 {
        return Err(begun(append.run.0.to_string()));
    }
    Ok(())
}

fn write_append(db: &Connection, append: &Append, number: i64) -> Result<(), Stop> {
    let sql = "INSERT INTO event (run, seq, at, kind, node, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = db.prepare_cached(sql)?;
    for event in &append.events {
        insert.execute(params![
            number,
            integer(event.seq),
            event.at.0,
            event.kind,
            event.node.0,
            event.body
        ])?;
    }
    for digest in &append.references {
        refer(db, digest, Holder::Run, &number)?;
    }
    if let Some(summary) = &append.summary {
        write_summary(db, summary, number)?;
    }
    if append.hold == Hold::Released {
        let sql = "UPDATE run SET owner = NULL WHERE number = ?1";
        db.prepare_cached(sql)?.execute([number])?;
    }
    for effect in &append.effects {
        let sql = "INSERT INTO effect (run, ticket, state, at, idempotency, body) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
                   state = excluded.state, at = excluded.at, \
                   body = CASE WHEN length(excluded.body) > 0 THEN excluded.body ELSE body END";
        db.prepare_cached(sql)?.execute(params![
            number,
            effect.ticket,
            effect.state.code(),
            effect.at.0,
            Key(&effect.idempotency),
            effect.body
        ])?;
    }
    for ask in &append.asks {
        write_ask(db, ask, number)?;
    }
    for row in &append.parts {
        write_parts(db, row, number)?;
    }
    for reply in &append.replies {
        // Who is answered first is answered for good.
        let sql = "UPDATE letter SET reply = ?3 WHERE number = ?1 AND run = ?2 AND reply IS NULL";
        let reply = params![integer(reply.number), number, reply.body];
        db.prepare_cached(sql)?.execute(reply)?;
    }
    Ok(())
}

fn write_summary(db: &Connection, summary: &Summary, number: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE run SET changed = ?2, phase = ?3, done = ?4, failed = ?5, running = ?6, \
               waiting = ?7, spent = ?8, held = ?9, wake = ?10, note = ?11 WHERE number = ?1";
    db.prepare_cached(sql)?.execute(params![
        number,
        summary.at.0,
        summary.phase.code(),
        summary.counts.done,
        summary.counts.failed,
        summary.counts.running,
        summary.counts.waiting,
        summary.spent.0,
        summary.held.0,
        summary.wake.map(|wake| wake.0),
        summary.note
    ])?;
    Ok(())
}

fn write_parts(db: &Connection, row: &PartsRow, number: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO part (run, key, parts, missed, since) \
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let (missed, since) = row.missed.map(Missed::code).unzip();
    let row = params![number, Key(&row.key), row.parts, missed, since];
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

fn write_ask(db: &Connection, ask: &AskChange, number: i64) -> rusqlite::Result<()> {
    match ask {
        AskChange::Asked(row) => {
            let sql = "INSERT INTO ask (run, ticket, at, expires, body) \
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
                       at = excluded.at, expires = excluded.expires, body = excluded.body";
            let expires = row.expires.map(|expires| expires.0);
            let row = params![number, row.ticket, row.at.0, expires, row.body];
            db.prepare_cached(sql)?.execute(row)?;
        }
        AskChange::Over { ticket } => {
            let sql = "DELETE FROM ask WHERE run = ?1 AND ticket = ?2";
            db.prepare_cached(sql)?.execute(params![number, ticket])?;
        }
    }
    Ok(())
}

fn write_shared(db: &Connection, shared: &SharedChange) -> Result<(), Stop> {
    let sql = "UPDATE sync SET shared = shared + 1 WHERE shared = ?1";
    let version = integer(shared.version);
    if db.prepare_cached(sql)?.execute([version])? == 0 {
        let mut version = db.prepare_cached("SELECT shared FROM sync")?;
        let version = count(version.query_row([], |row| row.get(0))?);
        return Err(Stop::Refused(Refused::SharedMoved { version }));
    }
    for row in &shared.rows {
        if let Some(body) = &row.body {
            let sql = "INSERT INTO shared (kind, key, body) VALUES (?1, ?2, ?3) \
                       ON CONFLICT DO UPDATE SET body = excluded.body";
            let row = params![row.kind, row.key, body];
            db.prepare_cached(sql)?.execute(row)?;
        } else {
            let sql = "DELETE FROM shared WHERE kind = ?1 AND key = ?2";
            let row = params![row.kind, row.key];
            db.prepare_cached(sql)?.execute(row)?;
        }
    }
    Ok(())
}

fn write_blob(db: &Connection, kept: &Kept, stamp: Stamp<'_>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO blob (digest, size, made, gone) VALUES (?1, ?2, ?3, NULL) \
               ON CONFLICT DO UPDATE SET made = excluded.made, gone = NULL";
    let row = params![Key(&kept.digest), integer(kept.size), stamp.now.0];
    db.prepare_cached(sql)?.execute(row)?;
    if kept.durable == Durable::NotYet {
        let sql = "INSERT INTO unsynced (digest, boot) VALUES (?1, ?2) \
                   ON CONFLICT DO UPDATE SET boot = excluded.boot";
        db.prepare_cached(sql)?
            .execute(params![Key(&kept.digest), stamp.boot])?;
    }
    Ok(())
}

fn write_value(db: &Connection, value: &NewValue) -> Result<(), Stop> {
    // Larger ones are among the blobs of the batch by now.
    if value.body.len() <= VALUE_MAX {
        let sql = "INSERT INTO value (digest, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let row = params![Key(&value.digest), &*value.body];
        db.prepare_cached(sql)?.execute(row)?;
    }
    for blob in &value.blobs {
        refer(db, blob, Holder::Value, &value.digest.0.as_slice())?;
    }
    Ok(())
}

/// Notes that something keeps a value or a blob, which has to be there.
fn refer(db: &Connection, digest: &Digest, kind: Holder, holder: &dyn ToSql) -> Result<(), Stop> {
    let sql = "SELECT EXISTS (SELECT 1 FROM value WHERE digest = ?1) \
               OR EXISTS (SELECT 1 FROM blob WHERE digest = ?1 AND gone IS NULL)";
    let mut exists = db.prepare_cached(sql)?;
    let is_there: bool = exists.query_row([Key(digest)], |row| row.get(0))?;
    if !is_there {
        return Err(Stop::Refused(Refused::Gone { digest: *digest }));
    }
    let sql = "INSERT INTO reference (digest, kind, holder) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO NOTHING";
    let row = params![Key(digest), kind.code(), holder];
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Forgets all that something keeps.
pub(super) fn let_go(db: &Connection, kind: Holder, holder: &dyn ToSql) -> rusqlite::Result<()> {
    let sql = "DELETE FROM reference WHERE kind = ?1 AND holder = ?2";
    db.prepare_cached(sql)?
        .execute(params![kind.code(), holder])?;
    Ok(())
}

fn write_cache(db: &Connection, entry: &CacheEntry) -> Result<(), Stop> {
    let key = entry.key.0.as_slice();
    let_go(db, Holder::Cache, &key)?;
    let (digest, inline) = match &entry.value {
        Held::Inline(body) => (None, Some(body)),
        Held::Stored(digest) => (Some(digest), None),
    };
    let sql = "INSERT OR REPLACE INTO cache \
               (key, digest, inline, parts, made, expires, run, seq) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    db.prepare_cached(sql)?.execute(params![
        key,
        digest.map(Key),
        inline,
        entry.parts,
        entry.made.0,
        entry.expires.map(|expires| expires.0),
        &*entry.run.0,
        integer(entry.seq)
    ])?;
    for digest in digest.into_iter().chain(&entry.blobs) {
        refer(db, digest, Holder::Cache, &key)?;
    }
    Ok(())
}

fn write_state(db: &Connection, entry: &StateEntry) -> Result<(), Stop> {
    if let Some(act) = &entry.act {
        let sql = "INSERT INTO state_act (act) VALUES (?1) ON CONFLICT DO NOTHING";
        if db.prepare_cached(sql)?.execute([Key(act)])? == 0 {
            return Ok(());
        }
    }
    let_go(db, Holder::State, &entry.key)?;
    let Some(handle) = &entry.handle else {
        let sql = "DELETE FROM state WHERE key = ?1";
        db.prepare_cached(sql)?.execute([&entry.key])?;
        return Ok(());
    };
    let sql = "INSERT OR REPLACE INTO state (key, handle, at) VALUES (?1, ?2, ?3)";
    let row = params![entry.key, handle, entry.at.0];
    db.prepare_cached(sql)?.execute(row)?;
    for digest in &entry.references {
        refer(db, digest, Holder::State, &entry.key)?;
    }
    Ok(())
}

fn write_letter(db: &Connection, letter: &NewLetter) -> Result<(), Stop> {
    let sql = "INSERT INTO letter (run, at, body, tag) \
               SELECT number, ?2, ?3, ?4 FROM run WHERE id = ?1";
    let tag = &*letter.tag.0;
    let row = params![&*letter.run.0, letter.at.0, letter.body, tag];
    if db.prepare_cached(sql)?.execute(row)? == 0 {
        let run = letter.run.clone();
        return Err(Stop::Refused(Refused::NoRun { run }));
    }
    for digest in &letter.references {
        refer(db, digest, Holder::Letter, &tag)?;
    }
    Ok(())
}

/// Removes a letter and what it keeps.
fn remove_letter(db: &Connection, tag: &LetterTag) -> Result<(), Stop> {
    let tag = &*tag.0;
    let_go(db, Holder::Letter, &tag)?;
    let sql = "DELETE FROM letter WHERE tag = ?1";
    db.prepare_cached(sql)?.execute([tag])?;
    Ok(())
}
