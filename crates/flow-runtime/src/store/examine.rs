//! Examining a store: what it says of itself, a page at a time, for who looks
//! whether all of it fits together. Nothing is changed.

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use rusqlite::params;

use super::read::{ReadError, Reader, cursor, rows};
use super::rows::count;
use super::schema::{self, Holder};
use crate::owner::OwnerId;

/// A blob, as the store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobRow {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// When it was kept.
    pub made: Timestamp,
    /// Since when it is lost or was collected.
    pub gone: Option<Timestamp>,
}

/// An owner, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownOwner {
    /// Its name.
    pub id: OwnerId,
    /// Whether it is of this machine.
    pub is_here: bool,
}

/// The library that reads and writes the database.
pub fn sqlite() -> &'static str {
    rusqlite::version()
}

/// The version of the tables that this program writes.
pub fn version() -> i32 {
    schema::VERSION
}

impl Reader {
    /// Returns the blobs after a digest, in their order, so many.
    pub fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<BlobRow>, ReadError> {
        let sql = "SELECT digest, size, made, gone FROM blob WHERE digest > ?1 \
                   ORDER BY digest LIMIT ?2";
        self.all(sql, params![cursor(after), rows(limit)], |row| {
            Ok(BlobRow {
                digest: Digest(row.get(0)?),
                size: count(row.get(1)?),
                made: Timestamp(row.get(2)?),
                gone: row.get::<_, Option<i64>>(3)?.map(Timestamp),
            })
        })
    }

    /// Returns the values after a digest, in their order, so many.
    pub fn values(
        &self,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<(Digest, Vec<u8>)>, ReadError> {
        let sql = "SELECT digest, body FROM value WHERE digest > ?1 ORDER BY digest LIMIT ?2";
        self.all(sql, params![cursor(after), rows(limit)], |row| {
            Ok((Digest(row.get(0)?), row.get(1)?))
        })
    }

    /// Returns the runs that need a blob or a value, by themselves or through a
    /// value, so many.
    pub fn needed_by(&self, digest: &Digest, limit: usize) -> Result<Vec<RunId>, ReadError> {
        let sql = "SELECT DISTINCT run.id FROM reference JOIN run ON run.number = reference.holder \
                   WHERE reference.kind = ?2 AND (reference.digest = ?1 OR reference.digest IN \
                       (SELECT holder FROM reference WHERE digest = ?1 AND kind = ?3)) \
                   ORDER BY run.number DESC LIMIT ?4";
        let asked = params![
            digest.0.as_slice(),
            Holder::Run.code(),
            Holder::Value.code(),
            rows(limit)
        ];
        self.all(sql, asked, |row| Ok(RunId(row.get::<_, String>(0)?.into())))
    }

    /// Returns what runs need and the store doesn't have: digests that are
    /// neither a value nor a blob, so many.
    pub fn dangling(&self, limit: usize) -> Result<Vec<Digest>, ReadError> {
        let sql = "SELECT DISTINCT digest FROM reference WHERE kind = ?1 \
                   AND NOT EXISTS (SELECT 1 FROM value WHERE value.digest = reference.digest) \
                   AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.digest = reference.digest) \
                   ORDER BY digest LIMIT ?2";
        let asked = params![Holder::Run.code(), rows(limit)];
        self.all(sql, asked, |row| row.get(0).map(Digest))
    }

    /// Returns the owners that the store knows.
    pub fn owners(&self) -> Result<Vec<KnownOwner>, ReadError> {
        let sql = "SELECT id, host FROM owner ORDER BY id";
        let here = crate::owner::host();
        self.all(sql, [], |row| {
            let host: String = row.get(1)?;
            Ok(KnownOwner {
                id: OwnerId::known(row.get::<_, String>(0)?),
                is_here: host == here,
            })
        })
    }

    /// Lets the database check itself: its pages, its indexes, its constraints.
    /// Returns what is wrong.
    pub fn self_check(&self) -> Result<Vec<String>, ReadError> {
        let said: Vec<String> = self.all("PRAGMA integrity_check(20)", [], |row| row.get(0))?;
        Ok(said.into_iter().filter(|line| line != "ok").collect())
    }

    /// Returns the version of the tables.
    pub fn table_version(&self) -> Result<i32, ReadError> {
        let version = self.one("PRAGMA user_version", [], |row| row.get(0))?;
        Ok(version.unwrap_or_default())
    }

    /// Returns the version of what runs share: another after every change.
    pub fn shared_version(&self) -> Result<u64, ReadError> {
        let version = self.one("SELECT shared FROM sync", [], |row| row.get(0))?;
        Ok(count(version.unwrap_or_default()))
    }
}
