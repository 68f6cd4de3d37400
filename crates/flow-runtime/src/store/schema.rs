//! The tables, and how those of older versions become those of this one.

use rusqlite::{Connection, TransactionBehavior};

/// What the file says of itself to other programs: `flow`.
pub(super) const APPLICATION: i32 = 0x666c_6f77;

/// The version of the tables that this program writes.
pub(super) const VERSION: i32 = 4;

/// A step from one version to the next.
pub(super) struct Migration {
    /// The version it starts from.
    pub(super) from: i32,
    /// What it does.
    pub(super) sql: &'static str,
}

/// All steps, the oldest first. Each is one transaction.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        from: 1,
        sql: STATE_ACT,
    },
    Migration { from: 2, sql: PART },
    Migration {
        from: 3,
        sql: REPLIES,
    },
];

/// The acts that have set a value of `state`: none sets one twice, since another
/// may have set it in between.
const STATE_ACT: &str = "
CREATE TABLE state_act (
    act BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
";

/// What results were made of that are in no cache, or that were looked for
/// there and found unfit.
const PART: &str = "
CREATE TABLE part (
    run INTEGER NOT NULL,
    key BLOB NOT NULL,
    parts BLOB NOT NULL,
    missed INTEGER,
    since INTEGER,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
";

/// Letters are known by a tag that their writers chose, and stay until they are
/// answered. Runs can be kept from collections, and what was collected leaves a
/// stone.
const REPLIES: &str = "
ALTER TABLE letter ADD COLUMN tag TEXT NOT NULL DEFAULT '';
ALTER TABLE letter ADD COLUMN reply BLOB;
CREATE INDEX letter_tag ON letter (tag);
ALTER TABLE run ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
CREATE TABLE stone (
    kind INTEGER NOT NULL,
    name BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
";

/// The tables of a new store.
///
/// A log is ordered by `run.number`, since a short number is in every row of
/// it. `reference` says what keeps a blob or a value: see [`Holder`]. `unsynced`
/// names the blobs that a power cut may take, and after which start of the machine
/// they were written.
pub(super) const TABLES: &str = "
CREATE TABLE sync (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    barriers INTEGER NOT NULL,
    shared INTEGER NOT NULL
) STRICT;
INSERT INTO sync VALUES (1, 0, 0);

CREATE TABLE owner (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT,
    epoch INTEGER NOT NULL,
    head INTEGER NOT NULL,
    workflow TEXT NOT NULL,
    plan BLOB NOT NULL,
    started INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    waiting INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    wake INTEGER,
    note BLOB
) STRICT;
CREATE INDEX run_phase ON run (phase);

CREATE TABLE event (
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    node INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE value (
    digest BLOB PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE blob (
    digest BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    made INTEGER NOT NULL,
    gone INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE unsynced (
    digest BLOB PRIMARY KEY,
    boot TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE reference (
    digest BLOB NOT NULL,
    kind INTEGER NOT NULL,
    holder ANY NOT NULL,
    PRIMARY KEY (digest, kind, holder)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_holder ON reference (kind, holder);

CREATE TABLE cache (
    key BLOB PRIMARY KEY,
    digest BLOB,
    inline BLOB,
    parts BLOB NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER,
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    CHECK ((digest IS NULL) <> (inline IS NULL))
) STRICT;
CREATE INDEX cache_expires ON cache (expires) WHERE expires IS NOT NULL;

CREATE TABLE shared (
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE effect (
    run INTEGER NOT NULL,
    ticket BLOB NOT NULL,
    state INTEGER NOT NULL,
    at INTEGER NOT NULL,
    idempotency BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, ticket)
) STRICT, WITHOUT ROWID;
CREATE INDEX effect_state ON effect (state);

CREATE TABLE ask (
    run INTEGER NOT NULL,
    ticket BLOB NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (run, ticket)
) STRICT, WITHOUT ROWID;

CREATE TABLE letter (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX letter_run ON letter (run);

CREATE TABLE firing (
    trigger TEXT NOT NULL,
    instant INTEGER NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (trigger, instant)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
    key BLOB PRIMARY KEY,
    handle BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
";

/// What keeps a blob or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// A run, by its number.
    Run,
    /// An entry of the cache, by its key.
    Cache,
    /// A value that has it in it, by its digest.
    Value,
    /// A key of `state`, by itself.
    State,
    /// A letter, by its tag.
    Letter,
}

/// What a stone stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stone {
    /// A run, by its name.
    Run,
    /// An entry of the cache, by its key.
    Cache,
}

impl Stone {
    /// Returns the number it has in the table.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Run => 0,
            Self::Cache => 1,
        }
    }
}

impl Holder {
    /// Returns the number it has in the table.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Run => 0,
            Self::Cache => 1,
            Self::Value => 2,
            Self::State => 3,
            Self::Letter => 4,
        }
    }
}

/// Makes the tables of a new store, all or none of them.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    for step in MIGRATIONS {
        transaction.execute_batch(step.sql)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Brings tables from a version to the last one that the steps lead to, one
/// transaction for each step. Returns that version.
pub(super) fn migrate(
    connection: &mut Connection,
    migrations: &[Migration],
) -> rusqlite::Result<i32> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Asked again in each transaction: another process may have been faster.
        let version = version(&transaction)?;
        let Some(step) = migrations.iter().find(|step| step.from == version) else {
            return Ok(version);
        };
        transaction.execute_batch(step.sql)?;
        transaction.pragma_update(None, "user_version", step.from + 1)?;
        transaction.commit()?;
    }
}

/// Returns the version of the tables that there are.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Returns whose tables they say they are.
pub(super) fn application(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store as the first version of flow made it, said to be of a version.
    fn old(version: i32) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        connection
            .pragma_update(None, "user_version", version)
            .unwrap();
        connection
    }

    fn tables(connection: &Connection) -> Vec<(String, String)> {
        let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        let mut tables = connection.prepare(sql).unwrap();
        let tables = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        tables.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn an_old_store_gets_the_tables_of_a_new_one() {
        let mut new = Connection::open_in_memory().unwrap();
        create(&mut new).unwrap();
        let mut old = old(1);
        assert_ne!(tables(&old), tables(&new));
        assert_eq!(migrate(&mut old, MIGRATIONS).unwrap(), VERSION);
        assert_eq!(tables(&old), tables(&new));
    }

    #[test]
    fn the_steps_lead_to_the_version_that_is_written() {
        let mut version = 1;
        for step in MIGRATIONS {
            assert_eq!(step.from, version);
            version += 1;
        }
        assert_eq!(version, VERSION);
    }

    #[test]
    fn a_step_is_taken_whole_or_not_at_all() {
        const STEPS: &[Migration] = &[
            Migration {
                from: VERSION,
                sql: "CREATE TABLE one (a INTEGER)",
            },
            Migration {
                from: VERSION + 1,
                sql: "CREATE TABLE two (a INTEGER); CREATE TABLE one (a INTEGER)",
            },
        ];
        let mut connection = old(VERSION);
        assert!(migrate(&mut connection, STEPS).is_err());
        assert_eq!(version(&connection).unwrap(), VERSION + 1);
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('one', 'two')";
        let tables: i64 = connection.query_one(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);

        let reached = migrate(&mut connection, &STEPS[..1]).unwrap();
        assert_eq!(reached, VERSION + 1);
    }
}
