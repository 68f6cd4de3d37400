//! Making a store and opening one.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::disk::FREE_MIN;
use super::filesystem::{self, Unfit};
use super::layout::{Layout, Renamed, rename_new, sync_folder};
use super::observe::{Faults, SyncObserver};
use super::schema;
use crate::owner::{self, Owner, OwnerError};

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The library in this program loses data.
    #[error("SQLite {found} can lose data when two processes write; flow needs 3.51.3 or later")]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
    /// The folder is elsewhere.
    #[error("the store `{}` is on {name}, where it would be damaged; use a folder of this machine: `--store /local/path`", path.display())]
    Network {
        /// The folder.
        path: PathBuf,
        /// What it is on.
        name: &'static str,
    },
    /// There is no store.
    #[error("there is no store at `{}`; `flow run` makes one", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// Another version of flow wrote it.
    #[error("the store `{}` was written by a newer flow: it has version {found}, and this flow knows versions up to {known}; update flow", path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// The version it has.
        found: i32,
        /// The last version that is known.
        known: i32,
    },
    /// The file is something else.
    #[error("`{}` is no store of flow; move it away, or use another folder: `--store /local/path`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another machine uses it.
    #[error("the store `{}` is in use by another machine; if it was moved here and nothing runs there any more, remove `{}`", path.display(), lock.display())]
    OtherHost {
        /// The folder.
        path: PathBuf,
        /// The lock of the owner over there.
        lock: PathBuf,
    },
    /// A file or folder can't be had.
    #[error("cannot {doing} `{}`; check that the folder may be written and the disk has room", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: io::Error,
    },
    /// The database can't be had.
    #[error("cannot {doing} the database `{}`", path.display())]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: rusqlite::Error,
    },
    /// This process can't be an owner.
    #[error(transparent)]
    Owner(#[from] OwnerError),
}

/// What happens to the log of the database when the last process is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Closing {
    /// It stays, which is two syncs less. For short commands.
    #[default]
    Quick,
    /// It goes into the database.
    Tidy,
}

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// What happens at the end.
    pub closing: Closing,
    /// How many bytes have to be free for new work to begin.
    pub free_min: u64,
    /// Which start of the machine this is: another after a power cut. Tests
    /// that cut the power name one; otherwise the machine is asked.
    pub boot: Option<Arc<str>>,
    /// Is told of everything that becomes durable.
    pub observer: Option<Arc<dyn SyncObserver>>,
    /// What is broken, for tests.
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            closing: Closing::default(),
            free_min: FREE_MIN,
            boot: None,
            observer: None,
            faults: Faults::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("closing", &self.closing)
            .field("free_min", &self.free_min)
            .field("boot", &self.boot)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Returns the name of the machine's start. Where it has none every process is
    /// one of its own: what it didn't sync is looked at by the next.
    pub(super) fn boot_id(&self) -> Arc<str> {
        if let Some(boot) = &self.boot {
            return boot.clone();
        }
        match fs::read_to_string("/proc/sys/kernel/random/boot_id") {
            Ok(boot) => boot.trim().into(),
            Err(_) => format!("process {}", std::process::id()).into(),
        }
    }
}

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// How long a connection waits for another process that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How much of the database a connection remembers, in KiB.
const CACHE_KIB: i64 = 2048;

/// Returns the write connection of a store; one that isn't there is made.
pub(super) fn open_or_create(layout: &Layout, closing: Closing) -> Result<Connection, OpenError> {
    check_sqlite()?;
    if !layout.database().exists() {
        create(layout)?;
    }
    open(layout, closing)
}

/// Returns the write connection of a store that is there.
fn open(layout: &Layout, closing: Closing) -> Result<Connection, OpenError> {
    check_place(layout)?;
    let mut connection = connect(layout, Access::Write, closing)?;
    let found = check_version(layout, &connection)?;
    if found < schema::VERSION {
        let migrated = schema::migrate(&mut connection, schema::MIGRATIONS);
        let reached = migrated.map_err(database("bring up to date", layout))?;
        assert!(reached >= schema::VERSION, "every version has its step");
    }
    check_hosts(layout, &connection)?;
    name_log(layout)?;
    Ok(connection)
}

/// Makes the name of a new log durable, without which its commits are lost. An
/// old one has been named before anything was in it.
fn name_log(layout: &Layout) -> Result<(), OpenError> {
    let log = layout.log();
    let is_new = fs::metadata(&log).map_or(true, |found| found.len() == 0);
    if !is_new {
        return Ok(());
    }
    sync_folder(layout.root()).map_err(|source| OpenError::File {
        doing: "sync the folder of",
        path: log,
        source,
    })
}

/// Returns a connection that only reads, to a store that is there.
pub(super) fn open_to_read(layout: &Layout) -> Result<Connection, OpenError> {
    check_sqlite()?;
    check_place(layout)?;
    let connection = connect(layout, Access::Read, Closing::Quick)?;
    let found = check_version(layout, &connection)?;
    if found < schema::VERSION {
        // Tables are brought up to date by who may write.
        drop(connection);
        drop(open(layout, Closing::Quick)?);
        return connect(layout, Access::Read, Closing::Quick);
    }
    Ok(connection)
}

fn check_sqlite() -> Result<(), OpenError> {
    // Two connections that write and checkpoint at once can damage the
    // database in older ones.
    if rusqlite::version_number() < 3_051_003 {
        let found = rusqlite::version();
        return Err(OpenError::OldSqlite { found });
    }
    Ok(())
}

/// Refuses folders where locks and shared memory don't work.
fn check_place(layout: &Layout) -> Result<(), OpenError> {
    let path = layout.root();
    let found = match filesystem::of(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = path.to_owned();
            return Err(OpenError::Missing { path });
        }
        Err(error) => return Err(file("examine", path)(error)),
    };
    let judged = filesystem::judge(&found);
    judged.map_err(|Unfit { name }| OpenError::Network {
        path: path.to_owned(),
        name,
    })
}

/// Makes a store under another name and gives it its own when it is whole. Of
/// several processes that do so at once, one is first, and all use its store.
fn create(layout: &Layout) -> Result<(), OpenError> {
    let root = layout.root();
    fs::create_dir_all(root).map_err(file("make the folder", root))?;
    check_place(layout)?;
    let made = layout.make_folders();
    made.map_err(file("make the folders of the store in", root))?;
    // Its folder is swept with what else is left behind by dead owners.
    let maker = Owner::new(layout)?;
    let unfinished = layout.unfinished(maker.id().as_str()).join("flow.db");
    write_new(&unfinished).map_err(|source| OpenError::Database {
        doing: "make",
        path: unfinished.clone(),
        source,
    })?;
    let whole = fs::File::open(&unfinished).and_then(|made| made.sync_all());
    whole.map_err(file("sync", &unfinished))?;
    let named = rename_new(&unfinished, &layout.database());
    match named.map_err(file("name the database", &layout.database()))? {
        Renamed::Yes => sync_folder(root).map_err(file("sync", root)),
        Renamed::Occupied => Ok(()),
    }
}

/// Writes the database of a new store. Nothing is synced: it has no name yet.
fn write_new(path: &Path) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    schema::create(&mut connection)?;
    // It is a property of the file, so that nobody has to set it later.
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    assert_eq!(mode, "wal", "a new file has no other users");
    connection.close().map_err(|(_, error)| error)
}

fn connect(layout: &Layout, access: Access, closing: Closing) -> Result<Connection, OpenError> {
    let flags = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let path = layout.database();
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match Connection::open_with_flags(&path, flags) {
        Ok(connection) => connection,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            if path.exists() {
                return Err(database("open", layout)(error));
            }
            let path = layout.root().to_owned();
            return Err(OpenError::Missing { path });
        }
        Err(error) => return Err(database("open", layout)(error)),
    };
    configure(&connection, access, closing).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { path },
        Some(_) | None => database("open", layout)(error),
    })?;
    Ok(connection)
}

fn configure(connection: &Connection, access: Access, closing: Closing) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(
        DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
        closing == Closing::Quick,
    )?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    // Mapped memory turns an error of the disk into a signal.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if access == Access::Write {
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // Without them a sync on macOS ends at the disk's own memory.
        if cfg!(target_vendor = "apple") {
            connection.pragma_update(None, "fullfsync", 1)?;
            connection.pragma_update(None, "checkpoint_fullfsync", 1)?;
        }
    }
    Ok(())
}

fn check_version(layout: &Layout, connection: &Connection) -> Result<i32, OpenError> {
    let asked = schema::application(connection)
        .and_then(|application| Ok((application, schema::version(connection)?)));
    let path = layout.root().to_owned();
    match asked {
        Ok((schema::APPLICATION, found)) if found > schema::VERSION => Err(OpenError::Newer {
            path,
            found,
            known: schema::VERSION,
        }),
        Ok((schema::APPLICATION, found)) => Ok(found),
        Ok((_, _)) => Err(OpenError::Foreign {
            path: layout.database(),
        }),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(OpenError::Foreign {
                path: layout.database(),
            })
        }
        Err(error) => Err(database("read", layout)(error)),
    }
}

/// Refuses a store that an owner on another machine uses: its lock says nothing
/// here. The owner is there as long as its file is.
fn check_hosts(layout: &Layout, connection: &Connection) -> Result<(), OpenError> {
    let others = connection
        .prepare("SELECT id FROM owner WHERE host <> ?1")
        .and_then(|mut others| {
            let others = others.query_map([owner::host()], |row| row.get(0))?;
            others.collect::<rusqlite::Result<Vec<String>>>()
        });
    for id in others.map_err(database("read", layout))? {
        let lock = layout.owner_lock(&id);
        if lock.exists() {
            let path = layout.root().to_owned();
            return Err(OpenError::OtherHost { path, lock });
        }
    }
    Ok(())
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::File {
        doing,
        path,
        source,
    }
}

fn database(doing: &'static str, layout: &Layout) -> impl FnOnce(rusqlite::Error) -> OpenError {
    let path = layout.database();
    move |source| OpenError::Database {
        doing,
        path,
        source,
    }
}
