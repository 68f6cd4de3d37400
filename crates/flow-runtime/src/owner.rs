//! Who may write a run: processes that hold a lock for as long as they live.
//!
//! There are no times in it. An owner is alive if its lock is held, and the
//! machine gives up the locks of a process that ends, however it ends. So a
//! clock may jump, the machine may sleep, and a stopped owner is an owner.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::store::layout::Layout;
use crate::survivors;

/// The name of an owner: unique for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnerId(String);

/// This process as an owner. It is one until this is dropped.
#[derive(Debug)]
pub struct Owner {
    id: OwnerId,
    host: String,
    layout: Layout,
    /// The lock goes with the file.
    _lock: File,
}

/// How somebody who owns something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// It is gone, and what it owned is free.
    Dead,
    /// It lives.
    Alive {
        /// Its process, as far as that is known.
        pid: Option<u32>,
        /// Whether it goes on.
        pace: Pace,
    },
}

/// Whether a process goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It does, or nobody knows.
    Running,
    /// It was stopped, and can be continued.
    Stopped,
}

/// Why a process can't be an owner, or can't see who is.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} `{}`; check that the folder may be written", path.display())]
pub struct OwnerError {
    /// What was tried.
    pub doing: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What was wrong.
    #[source]
    pub source: io::Error,
}

/// How old a lock without its final name is before it counts as left behind.
const UNNAMED_MAX: Duration = Duration::from_hours(1);

impl OwnerId {
    /// Takes a name from a row, or from a file that an owner left behind.
    pub fn known(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a name that nobody has.
    fn unique() -> Self {
        let mut hasher = blake3::Hasher::new();
        // Each of them is seeded by the machine's own randomness.
        for _ in 0..4 {
            hasher.update(&RandomState::new().build_hasher().finish().to_le_bytes());
        }
        hasher.update(&std::process::id().to_le_bytes());
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        hasher.update(&since.unwrap_or_default().as_nanos().to_le_bytes());
        let hex = hasher.finalize().to_hex();
        let [a, b, c, d] = [&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20]];
        Self(format!("{a}-{b}-4{c}-a{d}-{}", &hex[20..32]))
    }
}

impl Owner {
    /// Makes this process an owner, and sweeps up after those that died.
    pub fn new(layout: &Layout) -> Result<Self, OwnerError> {
        sweep(layout)?;
        let id = OwnerId::unique();
        let host = host();
        let path = layout.owner_lock(id.as_str());
        // It is locked before it has the name that others look for, so that
        // nobody finds it free and takes its owner for dead.
        let unnamed = path.with_extension("new");
        let lock = lock_new(&unnamed, &format!("{}\n{host}\n", std::process::id()));
        let lock = lock.map_err(failed("make the lock", &unnamed))?;
        fs::rename(&unnamed, &path).map_err(failed("name the lock", &path))?;
        let unfinished = layout.unfinished(id.as_str());
        fs::create_dir_all(&unfinished).map_err(failed("make the folder", &unfinished))?;
        Ok(Self {
            id,
            host,
            layout: layout.clone(),
            _lock: lock,
        })
    }

    /// Returns its name.
    pub fn id(&self) -> &OwnerId {
        &self.id
    }

    /// Returns the name of this machine.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Best effort: whoever finds the files later sees that the lock is free.
        drop(fs::remove_dir_all(self.layout.unfinished(self.id.as_str())));
        drop(fs::remove_file(self.layout.owner_lock(self.id.as_str())));
    }
}

/// This process as an owner from when it has to be one. Commands that only look
/// never are.
#[derive(Debug)]
pub(crate) struct Ownership {
    layout: Layout,
    /// Whoever comes first makes it; the others wait for the same.
    owner: Mutex<Option<Arc<Owner>>>,
}

impl Ownership {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            owner: Mutex::default(),
        }
    }

    /// Returns this process as an owner, and makes it one if it isn't.
    pub(crate) fn get(&self) -> Result<Arc<Owner>, OwnerError> {
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(owner) = &*owner {
            return Ok(owner.clone());
        }
        let made = Arc::new(Owner::new(&self.layout)?);
        Ok(owner.insert(made).clone())
    }
}

fn lock_new(path: &Path, content: &str) -> io::Result<File> {
    let mut lock = OpenOptions::new().write(true).create_new(true).open(path)?;
    lock.lock()?;
    lock.write_all(content.as_bytes())?;
    Ok(lock)
}

/// Returns how an owner is. What a dead one left behind is removed.
pub fn look(layout: &Layout, id: &OwnerId) -> Result<Life, OwnerError> {
    let path = layout.owner_lock(id.as_str());
    let opened = OpenOptions::new().read(true).write(true).open(&path);
    let lock = match opened {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Life::Dead),
        Err(error) => return Err(failed("open the lock", &path)(error)),
    };
    match lock.try_lock() {
        Ok(()) => {
            // The lock is held while its file goes, so that it is removed once.
            let unfinished = layout.unfinished(id.as_str());
            if fs::read_dir(&unfinished).is_ok_and(|mut left| left.next().is_some()) {
                survivors::end(id.as_str());
            }
            drop(fs::remove_dir_all(unfinished));
            drop(fs::remove_file(&path));
            Ok(Life::Dead)
        }
        Err(TryLockError::WouldBlock) => Ok(alive(lock)),
        Err(TryLockError::Error(error)) => Err(failed("try the lock", &path)(error)),
    }
}

/// Returns how an owner is, and touches nothing.
///
/// For a moment it shares the lock of one that is dead, so it is not for asking
/// without a pause.
pub fn peek(layout: &Layout, id: &OwnerId) -> Result<Life, OwnerError> {
    let path = layout.owner_lock(id.as_str());
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Life::Dead),
        Err(error) => return Err(failed("open the lock", &path)(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(Life::Dead),
        Err(TryLockError::WouldBlock) => Ok(alive(lock)),
        Err(TryLockError::Error(error)) => Err(failed("try the lock", &path)(error)),
    }
}

/// Says who holds a lock.
fn alive(mut lock: File) -> Life {
    let mut text = String::new();
    drop(lock.read_to_string(&mut text));
    let pid = text.lines().next().and_then(|line| line.parse().ok());
    Life::Alive {
        pid,
        pace: pid.map_or(Pace::Running, pace),
    }
}

/// Removes what dead owners left behind.
fn sweep(layout: &Layout) -> Result<(), OwnerError> {
    let folder = layout.owners();
    let entries = fs::read_dir(&folder).map_err(failed("list", &folder))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let ending = path.extension().and_then(|ending| ending.to_str());
        match (name, ending) {
            (Some(name), Some("lock")) => {
                look(layout, &OwnerId::known(name))?;
            }
            (Some(_), Some("new")) if is_older(&path, UNNAMED_MAX) => drop(fs::remove_file(&path)),
            (Some(_) | None, Some(_) | None) => {}
        }
    }
    Ok(())
}

fn is_older(path: &Path, age: Duration) -> bool {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|passed| passed > age))
}

/// Returns whether a process goes on. Only Linux tells.
fn pace(pid: u32) -> Pace {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the state is in brackets, and may have brackets in it.
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    match state.and_then(|rest| rest.chars().next()) {
        Some('T' | 't') => Pace::Stopped,
        Some(_) | None => Pace::Running,
    }
}

/// Returns a name of this machine that stays the same and gives nothing away.
pub(crate) fn host() -> String {
    let named = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let uname = rustix::system::uname();
    let name = if named.trim().is_empty() {
        uname.nodename().to_bytes()
    } else {
        named.trim().as_bytes()
    };
    let mut hasher = blake3::Hasher::new_derive_key("flow 2026 the name of a machine");
    hasher.update(name);
    hasher.finalize().to_hex()[..16].to_owned()
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OwnerError {
    let path = path.to_owned();
    move |source| OwnerError {
        doing,
        path,
        source,
    }
}
