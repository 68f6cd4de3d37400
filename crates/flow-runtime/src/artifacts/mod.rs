//! Large files, by their content: blobs.
//!
//! A blob is written under another name, hashed on the way, and then gets the
//! name of its content. It becomes durable before the first commit that has to
//! be and refers to it, or to anything that came after it: that is the barrier.
//! Between its naming and the commit a lock keeps those away who remove blobs
//! that nobody refers to.

pub(crate) mod barrier;
mod lock;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flow_core::digest::Digest;

use crate::owner::{OwnerError, Ownership};
use crate::store::Disk;
use crate::store::layout::{Layout, Renamed, rename_new};
use crate::store::{OpenError, ReadError, Reader};

pub(crate) use lock::{BlobsLock, Shared};

/// The blobs of a store.
#[derive(Debug, Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    layout: Layout,
    lock: BlobsLock,
    disk: Arc<Disk>,
    ownership: Arc<Ownership>,
    /// Many steps keep blobs at once, and only one in a while asks what the
    /// store knows of one; a connection for each would cost more than waiting.
    index: Mutex<Option<Reader>>,
    counter: AtomicU64,
}

/// A blob that was kept and waits for the commit that refers to it. As long as
/// there is this, the blob is not removed.
#[derive(Debug)]
pub struct Kept {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    pub(crate) durable: Durable,
    _lock: Shared,
}

/// Whether a blob is on the disk already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    Yes,
    NotYet,
}

/// What is at the place of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The blob.
    Whole,
    /// Something else.
    Damaged,
    /// Nothing.
    Missing,
}

/// Why a blob can't be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// A file can't be written or read.
    #[error("cannot {doing} `{}`; check that the disk has room and the folder may be written", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: io::Error,
    },
    /// It isn't there.
    #[error("the artifact {} is not in the store any more; `flow run --fresh` makes it again", digest.short())]
    Missing {
        /// Its digest.
        digest: Digest,
    },
    /// This process can't be an owner.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// The store can't be asked what it knows of a blob.
    #[error(transparent)]
    Index(#[from] OpenError),
    /// The store can't be asked what it knows of a blob.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Blobs {
    pub(crate) fn new(layout: Layout, disk: Arc<Disk>, ownership: Arc<Ownership>) -> Self {
        let lock = BlobsLock::new(layout.blobs_lock());
        Self {
            inner: Arc::new(Inner {
                layout,
                lock,
                disk,
                ownership,
                index: Mutex::default(),
                counter: AtomicU64::default(),
            }),
        }
    }

    /// Begins to write a blob.
    pub fn begin(&self) -> Result<BlobWriter, BlobError> {
        let owner = self.inner.ownership.get()?;
        let number = self.inner.counter.fetch_add(1, Ordering::Relaxed);
        let folder = self.inner.layout.unfinished(owner.id().as_str());
        let path = folder.join(format!("blob-{number}"));
        // Nobody writes to a blob, not even a step by mistake.
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o444).open(&path);
        let file = file.map_err(failed("make", &path))?;
        Ok(BlobWriter {
            inner: self.inner.clone(),
            file,
            path,
            hasher: blake3::Hasher::new(),
            size: 0,
        })
    }

    /// Keeps bytes.
    pub fn keep_bytes(&self, bytes: &[u8]) -> Result<Kept, BlobError> {
        let mut writer = self.begin()?;
        let written = writer.write_all(bytes);
        written.map_err(failed("write", &writer.path))?;
        writer.finish()
    }

    /// Keeps a copy of a file.
    pub fn keep_file(&self, path: &Path) -> Result<Kept, BlobError> {
        let mut file = File::open(path).map_err(failed("open", path))?;
        let mut writer = self.begin()?;
        let mut buffer = vec![0; COPIED_AT_ONCE];
        loop {
            let read = match file.read(&mut buffer) {
                Ok(0) => return writer.finish(),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed("read", path)(error)),
            };
            let written = writer.write_all(&buffer[..read]);
            written.map_err(failed("write", &writer.path))?;
        }
    }

    /// Returns the path of a blob, to be read only.
    pub fn path(&self, digest: &Digest) -> Result<PathBuf, BlobError> {
        let path = self.inner.layout.blob(digest);
        match fs::metadata(&path) {
            Ok(_) => Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(BlobError::Missing { digest: *digest })
            }
            Err(error) => Err(failed("find", &path)(error)),
        }
    }

    /// Opens a blob.
    pub fn open(&self, digest: &Digest) -> Result<File, BlobError> {
        let path = self.path(digest)?;
        File::open(&path).map_err(failed("open", &path))
    }

    /// Reads a whole blob.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let path = self.path(digest)?;
        fs::read(&path).map_err(failed("read", &path))
    }

    /// Reads what is at a blob's place and says whether it is the blob.
    pub fn check(&self, digest: &Digest) -> Result<Check, BlobError> {
        let path = self.inner.layout.blob(digest);
        check(&path, digest).map_err(failed("read", &path))
    }

    pub(crate) fn lock(&self) -> &BlobsLock {
        &self.inner.lock
    }
}

const COPIED_AT_ONCE: usize = 128 * 1024;

/// A blob that is being written. Dropped, it was never there.
#[derive(Debug)]
pub struct BlobWriter {
    inner: Arc<Inner>,
    file: File,
    path: PathBuf,
    hasher: blake3::Hasher,
    size: u64,
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.file.write(bytes) {
            // What it belongs to may have been paid for.
            Err(error)
                if error.kind() == io::ErrorKind::StorageFull
                    && self.inner.disk.release_ballast() =>
            {
                self.file.write(bytes)?
            }
            written => written?,
        };
        self.hasher.update(&bytes[..written]);
        self.size += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl BlobWriter {
    /// Gives it the name of its content.
    pub fn finish(self) -> Result<Kept, BlobError> {
        let digest = Digest(self.hasher.finalize().into());
        let place = self.inner.layout.blob(&digest);
        // From here to the commit nobody may find that it isn't referred to.
        let lock = self.inner.lock.share();
        let lock = lock.map_err(failed("lock", &self.inner.layout.blobs_lock()))?;
        let named = rename_new(&self.path, &place).map_err(failed("name", &place))?;
        let durable = match named {
            Renamed::Yes => Durable::NotYet,
            Renamed::Occupied => self.settle(&digest, &place)?,
        };
        Ok(Kept {
            digest,
            size: self.size,
            durable,
            _lock: lock,
        })
    }

    /// Looks at what has the name already. Only what the store knows to be
    /// durable is taken as it is: anything else may be what a power cut left.
    fn settle(&self, digest: &Digest, place: &Path) -> Result<Durable, BlobError> {
        if self.knows(digest)? && fs::metadata(place).is_ok_and(|file| file.len() == self.size) {
            return Ok(Durable::Yes);
        }
        match check(place, digest).map_err(failed("read", place))? {
            Check::Whole => {}
            Check::Damaged | Check::Missing => {
                fs::rename(&self.path, place).map_err(failed("name", place))?;
            }
        }
        Ok(Durable::NotYet)
    }

    fn knows(&self, digest: &Digest) -> Result<bool, BlobError> {
        let mut index = self.inner.index.lock();
        let index = index.as_mut().unwrap_or_else(PoisonError::get_mut);
        let reader = match index.take() {
            Some(reader) => reader,
            None => Reader::open(&self.inner.layout)?,
        };
        Ok(index.insert(reader).is_durable(digest)?)
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        // It has another name if it was kept; then there is nothing here.
        drop(fs::remove_file(&self.path));
    }
}

/// Says what is at the place of a blob.
pub fn check(path: &Path, digest: &Digest) -> io::Result<Check> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Check::Missing),
        Err(error) => return Err(error),
    };
    Ok(if copy(file, &mut io::sink())? == *digest {
        Check::Whole
    } else {
        Check::Damaged
    })
}

/// Copies a file, and returns the digest of what was in it.
pub fn copy(mut from: File, to: &mut dyn Write) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; COPIED_AT_ONCE];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(Digest(hasher.finalize().into())),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                to.write_all(&buffer[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BlobError {
    let path = path.to_owned();
    move |source| BlobError::File {
        doing,
        path,
        source,
    }
}
