//! The lock between those who keep blobs and those who remove them.
//!
//! Many may keep at once, in one process and in several: they share it. Who
//! removes has it alone, and only tries: it would have to wait for steps.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The lock of one store.
#[derive(Debug, Clone)]
pub(crate) struct BlobsLock {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// The machine's lock belongs to an open file. All of this process share
    /// one, for as long as there is any; there may be thousands of them.
    sharers: Mutex<Sharers>,
}

#[derive(Debug, Default)]
struct Sharers {
    count: usize,
    file: Option<File>,
}

/// A share of the lock.
#[derive(Debug)]
pub(crate) struct Shared {
    inner: Arc<Inner>,
}

/// The whole lock.
#[derive(Debug)]
pub(crate) struct Exclusive {
    _file: File,
}

impl BlobsLock {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            inner: Arc::new(Inner {
                path,
                sharers: Mutex::default(),
            }),
        }
    }

    /// Takes a share. Waits while blobs are being removed, which is short.
    pub(crate) fn share(&self) -> io::Result<Shared> {
        let mut sharers = self.inner.sharers();
        if sharers.count == 0 {
            let file = match sharers.file.take() {
                Some(file) => file,
                None => self.inner.open()?,
            };
            sharers.file.insert(file).lock_shared()?;
        }
        sharers.count += 1;
        drop(sharers);
        Ok(Shared {
            inner: self.inner.clone(),
        })
    }

    /// Takes all of it, if nobody has a share.
    pub(crate) fn try_exclusive(&self) -> io::Result<Option<Exclusive>> {
        let file = self.inner.open()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Exclusive { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Inner {
    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.open(&self.path)
    }

    fn sharers(&self) -> std::sync::MutexGuard<'_, Sharers> {
        self.sharers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut sharers = self.inner.sharers();
        sharers.count -= 1;
        if sharers.count == 0
            && let Some(file) = &sharers.file
            && file.unlock().is_err()
        {
            // Closing it lets go of the lock in any case.
            sharers.file = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_had_alone_only_when_nobody_has_a_share() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cas.lock");
        let [one, other] = [BlobsLock::new(path.clone()), BlobsLock::new(path)];
        let shares = [
            one.share().unwrap(),
            one.share().unwrap(),
            other.share().unwrap(),
        ];
        for share in shares {
            assert!(one.try_exclusive().unwrap().is_none());
            drop(share);
        }
        let alone = one.try_exclusive().unwrap();
        assert!(alone.is_some() && other.try_exclusive().unwrap().is_none());
        drop(alone);
        drop(one.share().unwrap());
    }
}
