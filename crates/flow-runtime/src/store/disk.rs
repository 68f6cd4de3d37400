//! How much room the disk has, and what is done when it has none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use tokio::sync::watch;

use super::layout::Layout;

/// Whether new work may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Open,
    /// It may not, until there is room: what it would cost could not be
    /// recorded.
    Stopped {
        /// How many bytes are free.
        free: u64,
    },
}

/// How many bytes are set aside for when the disk is full.
pub const BALLAST: u64 = 16 * 1024 * 1024;

/// How many bytes have to be free for new work to begin.
pub const FREE_MIN: u64 = 256 * 1024 * 1024;

/// The disk of a store.
#[derive(Debug)]
pub(crate) struct Disk {
    layout: Layout,
    free_min: u64,
    admission: watch::Sender<Admission>,
    /// Only one removes the ballast or makes it; it is a few system calls.
    ballast: Mutex<()>,
}

impl Disk {
    pub(super) fn new(layout: Layout, free_min: u64) -> Self {
        Self {
            layout,
            free_min,
            admission: watch::Sender::new(Admission::Open),
            ballast: Mutex::default(),
        }
    }

    pub(super) fn admission(&self) -> watch::Receiver<Admission> {
        self.admission.subscribe()
    }

    /// Returns whether new work may begin.
    pub(super) fn is_open(&self) -> bool {
        *self.admission.borrow() == Admission::Open
    }

    /// Looks how much is free, and says whether new work may begin.
    pub(super) fn look(&self) {
        // If nobody can say, nothing speaks against it.
        let free = self.free().unwrap_or(u64::MAX);
        let is_open = if self.layout.ballast().exists() {
            free >= self.free_min
        } else {
            // It was used up, or was never made.
            free >= self.free_min.saturating_add(BALLAST) && self.make_ballast().is_ok()
        };
        self.tell(if is_open {
            Admission::Open
        } else {
            Admission::Stopped { free }
        });
    }

    /// Gives up the ballast, and says that no new work may begin. Returns
    /// whether there was any.
    pub(crate) fn release_ballast(&self) -> bool {
        let _one = self.ballast.lock();
        let released = fs::remove_file(self.layout.ballast()).is_ok();
        self.tell(Admission::Stopped {
            free: self.free().unwrap_or_default(),
        });
        released
    }

    fn tell(&self, now: Admission) {
        self.admission.send_if_modified(|before| {
            // The number is for people; that it changes wakes nobody.
            let changed = matches!(before, Admission::Open) != matches!(now, Admission::Open);
            *before = now;
            changed
        });
    }

    fn free(&self) -> io::Result<u64> {
        free(self.layout.root())
    }

    fn make_ballast(&self) -> io::Result<()> {
        let _one = self.ballast.lock();
        let path = self.layout.ballast();
        let unfinished = path.with_extension("new");
        let made = write_ballast(&unfinished).and_then(|()| fs::rename(&unfinished, &path));
        if made.is_err() {
            drop(fs::remove_file(&unfinished));
            // Another process may have been faster: what it wrote is the same.
            if path.exists() {
                return Ok(());
            }
        }
        made
    }
}

/// Returns how many bytes are free where a path is.
pub fn free(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Writes bytes that no file system can make smaller: what it saves on zeros
/// would not be free when it is needed.
fn write_ballast(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut word = 0x9e37_79b9_7f4a_7c15_u64;
    let chunk: Vec<u8> = (0..CHUNK / 8)
        .flat_map(|_| {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            word.to_le_bytes()
        })
        .collect();
    for _ in 0..BALLAST / CHUNK {
        file.write_all(&chunk)?;
    }
    Ok(())
}

/// More than what file systems look at, at once, for what repeats.
const CHUNK: u64 = 1024 * 1024;
