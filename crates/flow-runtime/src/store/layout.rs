//! Where everything is below the folder of a store.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use flow_core::address::{RunId, Ticket};
use flow_core::digest::Digest;
use rustix::fs::{CWD, RenameFlags};

/// The paths of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Names the folder that a store is in, usually `.flow`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the database: events, runs and all else that is in rows.
    pub fn database(&self) -> PathBuf {
        self.root.join("flow.db")
    }

    /// Returns the log of the database.
    pub fn log(&self) -> PathBuf {
        let mut name = self.database().into_os_string();
        name.push("-wal");
        name.into()
    }

    /// Returns the folder of the blobs.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("cas")
    }

    /// Returns one of the 256 folders that blobs are spread over.
    pub fn shard(&self, shard: u8) -> PathBuf {
        self.blobs().join(format!("{shard:02x}"))
    }

    /// Returns the path of a blob.
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        self.shard(digest.0[0]).join(digest.to_string())
    }

    /// Returns the lock between those who keep blobs and those who remove them.
    pub fn blobs_lock(&self) -> PathBuf {
        self.root.join("cas.lock")
    }

    /// Returns the folder of a run's log files.
    pub fn logs(&self, run: &RunId) -> PathBuf {
        self.root.join("logs").join(&*run.0)
    }

    /// Returns the log file of an attempt. It is there if its step wrote anything.
    pub fn attempt_log(&self, run: &RunId, ticket: &Ticket) -> PathBuf {
        let name = format!("{}.log", attempt_name(ticket));
        self.logs(run).join(name)
    }

    /// Returns the folder of what an owner has not finished writing.
    pub fn unfinished(&self, owner: &str) -> PathBuf {
        self.root.join("tmp").join(owner)
    }

    /// Returns the folder of the owners' locks.
    pub fn owners(&self) -> PathBuf {
        self.root.join("owners")
    }

    /// Returns the lock that an owner holds for its life.
    pub fn owner_lock(&self, owner: &str) -> PathBuf {
        self.owners().join(format!("{owner}.lock"))
    }

    /// Returns the file that is given up when the disk is full.
    pub fn ballast(&self) -> PathBuf {
        self.root.join("ballast")
    }

    /// Makes the folders that there are in every store, and makes them durable.
    pub(super) fn make_folders(&self) -> io::Result<()> {
        for folder in ["logs", "tmp", "owners"] {
            fs::create_dir_all(self.root.join(folder))?;
        }
        // All of them now, so that keeping a blob never has to make one durable.
        fs::create_dir_all(self.blobs())?;
        for shard in 0..=u8::MAX {
            match fs::create_dir(self.shard(shard)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        sync_folder(&self.blobs())
    }
}

/// Returns the name of an attempt in names of files.
pub(crate) fn attempt_name(ticket: &Ticket) -> String {
    let at = ticket.at.to_string().replace(['[', ']', ','], "_");
    format!("{at}.{}.{}", ticket.generation, ticket.attempt)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Whether a file got its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renamed {
    /// It did.
    Yes,
    /// There was one of that name, and it was left alone.
    Occupied,
}

/// Renames a file unless there is one of the new name.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<Renamed> {
    match rename_without_replacing(from, to) {
        Ok(()) => Ok(Renamed::Yes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Renamed::Occupied),
        // Some file systems can't do it in one; a second name can't replace
        // anything either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            match fs::hard_link(from, to) {
                Ok(()) => fs::remove_file(from).map(|()| Renamed::Yes),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Renamed::Occupied),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?;
    Ok(())
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_without_replacing(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_does_not_take_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        assert_eq!(rename_new(&from, &to).unwrap(), Renamed::Occupied);
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
        fs::remove_file(&to).unwrap();
        assert_eq!(rename_new(&from, &to).unwrap(), Renamed::Yes);
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
        assert!(!from.exists());
    }

    #[test]
    fn a_blob_is_in_the_folder_of_its_first_byte() {
        let layout = Layout::new("/s");
        let digest = Digest([0xab; 32]);
        let path = layout.blob(&digest);
        assert!(path.starts_with("/s/cas/ab"), "{}", path.display());
        assert!(path.ends_with("ab".repeat(32)));
    }
}
