//! Files inside of folders, and nothing outside of them, whatever links there
//! are and whoever changes them meanwhile.
//!
//! A path is gone through part by part, each opened in the folder before it and
//! never through a link: where there is a link, what it says is gone through in
//! the same way. So what was looked at is what is opened.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use flow_core::effect::FailureClass;
use flow_core::step::StepFailure;
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

/// How many links a path may lead through.
const LINKS_MAX: usize = 40;

/// How long a path may be, links followed.
const PARTS_MAX: usize = 1000;

/// Folders that paths may lead into.
#[derive(Debug, Clone)]
pub(crate) struct Inside {
    /// The first is where paths begin.
    roots: Vec<Root>,
    /// Folders in them that nobody may see.
    closed: Vec<PathBuf>,
}

/// A folder that may be used with all that is in it.
#[derive(Debug, Clone)]
struct Root {
    /// As it was given.
    said: PathBuf,
    /// With all links followed, if it is there.
    real: PathBuf,
}

/// Why a path can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PathFault {
    #[error("there is no `{path}`")]
    Missing { path: Box<str> },
    #[error("`{path}` is no path of a file")]
    NoPath { path: Box<str> },
    #[error("`{path}` leads out of {what}")]
    Outside { path: Box<str>, what: &'static str },
    #[error("`{path}` leads into the store of the runs")]
    Closed { path: Box<str> },
    #[error("`{path}` leads through too many links")]
    Links { path: Box<str> },
    #[error("`{path}` is no file")]
    NoFile { path: Box<str> },
    #[error("`{path}` can't be {doing}: {source}")]
    Io {
        path: Box<str>,
        doing: &'static str,
        source: io::Error,
    },
}

impl PathFault {
    /// Says that something could not be done with a path.
    pub(crate) fn io(path: &str, doing: &'static str, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.into(), source.into());
        if source.kind() == io::ErrorKind::NotFound {
            return Self::Missing { path };
        }
        Self::Io {
            path,
            doing,
            source,
        }
    }
}

impl From<PathFault> for StepFailure {
    fn from(fault: PathFault) -> Self {
        let class = match &fault {
            PathFault::Io { source, .. } => class_of(source),
            PathFault::Missing { .. }
            | PathFault::NoPath { .. }
            | PathFault::Outside { .. }
            | PathFault::Closed { .. }
            | PathFault::Links { .. }
            | PathFault::NoFile { .. } => FailureClass::Invalid,
        };
        Self::unsent(class, fault.to_string())
    }
}

/// Returns what may be done about a disk that says no.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what else is wrong with a disk may pass"
)]
pub(crate) fn class_of(error: &io::Error) -> FailureClass {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => FailureClass::Capacity,
        Kind::PermissionDenied
        | Kind::ReadOnlyFilesystem
        | Kind::IsADirectory
        | Kind::NotADirectory
        | Kind::InvalidFilename
        | Kind::InvalidInput
        | Kind::InvalidData
        | Kind::FileTooLarge
        | Kind::NotFound => FailureClass::Invalid,
        _ => FailureClass::Transient,
    }
}

/// Whether folders on the way are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folders {
    Made,
    There,
}

/// Where a file is, or can be: a name in a folder that is open.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) folder: OwnedFd,
    /// Its name there; no link, unless somebody has made one just now.
    pub(crate) name: OsString,
    /// The path as it was written.
    pub(crate) path: Box<str>,
}

impl Inside {
    /// Takes a folder, and others that paths may lead into, too.
    pub(crate) fn new(folder: &Path, others: &[PathBuf], closed: &[PathBuf]) -> Self {
        let roots = std::iter::once(folder).chain(others.iter().map(PathBuf::as_path));
        let roots = roots.map(|root| Root {
            said: root.to_owned(),
            real: root.canonicalize().unwrap_or_else(|_| root.to_owned()),
        });
        Self {
            roots: roots.collect(),
            closed: closed.to_vec(),
        }
    }

    /// Opens a file to read it.
    pub(crate) fn open(&self, path: &str) -> Result<File, PathFault> {
        self.spot(path, Folders::There)?.open()
    }

    /// Finds where a file is, or can be.
    pub(crate) fn spot(&self, path: &str, folders: Folders) -> Result<Spot, PathFault> {
        let walk = self.walk(path, folders)?;
        match walk.name {
            Some(name) => Ok(Spot {
                folder: walk.folder,
                name,
                path: path.into(),
            }),
            None => Err(PathFault::NoFile { path: path.into() }),
        }
    }

    /// Opens a folder.
    pub(crate) fn folder(&self, path: &str) -> Result<OwnedFd, PathFault> {
        let walk = self.walk(path, Folders::There)?;
        let Some(name) = walk.name else {
            return Ok(walk.folder);
        };
        let opened = open_folder(&walk.folder, &name);
        let opened = opened.map_err(|error| PathFault::io(path, "opened", error))?;
        self.see_to(path, &opened)?;
        Ok(opened)
    }

    fn walk(&self, path: &str, folders: Folders) -> Result<Walked, PathFault> {
        let (root, rest) = self.root_of(path)?;
        let mut walk = Walk {
            inside: self,
            path,
            folders,
            root: root.real.clone(),
            open: vec![self.open_root(path, root)?],
            rest,
            links: 0,
        };
        walk.go()
    }

    /// Finds the folder that a path is in by its words, and the rest of it,
    /// backwards.
    fn root_of(&self, path: &str) -> Result<(&Root, Vec<OsString>), PathFault> {
        if path.is_empty() || path.contains('\0') {
            return Err(PathFault::NoPath { path: path.into() });
        }
        let first = &self.roots[0];
        let whole = plain(&first.said.join(path));
        self.root_with(&whole).ok_or_else(|| self.outside(path))
    }

    /// Returns the innermost folder that has a path in it.
    fn root_with(&self, whole: &Path) -> Option<(&Root, Vec<OsString>)> {
        let rests = self.roots.iter().flat_map(|root| {
            let ways = [&root.said, &root.real];
            ways.map(|way| Some((root, whole.strip_prefix(way).ok()?.to_owned())))
        });
        let found = rests
            .flatten()
            .min_by_key(|(_, rest)| rest.components().count());
        found.map(|(root, rest)| (root, parts(&rest)))
    }

    fn outside(&self, path: &str) -> PathFault {
        PathFault::Outside {
            path: path.into(),
            what: if self.roots.len() > 1 {
                "the project and the folders that it allows"
            } else {
                "its folder"
            },
        }
    }

    fn open_root(&self, path: &str, root: &Root) -> Result<OwnedFd, PathFault> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = fs::openat(CWD, &root.real, flags, Mode::empty());
        let opened = opened.map_err(|error| PathFault::io(path, "opened", error))?;
        self.see_to(path, &opened)?;
        Ok(opened)
    }

    /// Sees to it that a folder is none of the closed ones, by whatever name it
    /// was reached.
    pub(crate) fn see_to(&self, path: &str, folder: &OwnedFd) -> Result<(), PathFault> {
        if self.closed.is_empty() {
            return Ok(());
        }
        let here = fs::fstat(folder).map_err(|error| PathFault::io(path, "opened", error))?;
        for closed in &self.closed {
            // One that isn't there can't be reached.
            if let Ok(there) = fs::stat(closed)
                && (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
            {
                return Err(PathFault::Closed { path: path.into() });
            }
        }
        Ok(())
    }
}

/// The end of a way: a folder, and the name of something in it that is no link.
struct Walked {
    folder: OwnedFd,
    name: Option<OsString>,
}

/// A path that is gone through.
struct Walk<'a> {
    inside: &'a Inside,
    path: &'a str,
    folders: Folders,
    /// Where the first folder is.
    root: PathBuf,
    /// The folders from the root to here.
    open: Vec<OwnedFd>,
    /// What is left of the path, backwards.
    rest: Vec<OsString>,
    links: usize,
}

impl Walk<'_> {
    fn go(&mut self) -> Result<Walked, PathFault> {
        let here = |open: &mut Vec<OwnedFd>| open.pop().expect("the root stays open");
        loop {
            let Some(name) = self.rest.pop() else {
                let folder = here(&mut self.open);
                return Ok(Walked { folder, name: None });
            };
            if name == ".." {
                if self.open.len() == 1 {
                    self.leave()?;
                } else {
                    self.open.pop();
                }
                continue;
            }
            if let Some(target) = self.link(&name)? {
                self.follow(&target)?;
                continue;
            }
            if self.rest.is_empty() {
                let folder = here(&mut self.open);
                let name = Some(name);
                return Ok(Walked { folder, name });
            }
            self.enter(&name)?;
        }
    }

    fn top(&self) -> &OwnedFd {
        self.open.last().expect("the root stays open")
    }

    /// Returns what a name says if it is a link.
    fn link(&self, name: &OsStr) -> Result<Option<PathBuf>, PathFault> {
        match fs::readlinkat(self.top(), name, Vec::new()) {
            Ok(target) => Ok(Some(OsString::from_vec(target.into_bytes()).into())),
            // What isn't there, or is no link.
            Err(Errno::INVAL | Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(PathFault::io(self.path, "followed", error)),
        }
    }

    fn follow(&mut self, target: &Path) -> Result<(), PathFault> {
        self.links += 1;
        let path = self.path;
        if self.links > LINKS_MAX || self.rest.len() > PARTS_MAX {
            return Err(PathFault::Links { path: path.into() });
        }
        if !target.is_absolute() {
            self.rest.extend(parts(target));
            return Ok(());
        }
        // Wherever it leads by now, it is gone through from a folder that may be
        // used.
        let whole = target.canonicalize().unwrap_or_else(|_| plain(target));
        self.begin_again(&whole)
    }

    /// Goes on where a way out of a folder leads: into another one, if at all.
    fn leave(&mut self) -> Result<(), PathFault> {
        let mut whole = self.root.join("..");
        whole.extend(self.rest.drain(..).rev());
        self.links += 1;
        if self.links > LINKS_MAX {
            let path = self.path.into();
            return Err(PathFault::Links { path });
        }
        self.begin_again(&plain(&whole))
    }

    fn begin_again(&mut self, whole: &Path) -> Result<(), PathFault> {
        let Some((root, rest)) = self.inside.root_with(whole) else {
            return Err(self.inside.outside(self.path));
        };
        self.open = vec![self.inside.open_root(self.path, root)?];
        self.root.clone_from(&root.real);
        self.rest.extend(rest);
        Ok(())
    }

    fn enter(&mut self, name: &OsStr) -> Result<(), PathFault> {
        let path = self.path;
        let opened = match open_folder(self.top(), name) {
            Err(Errno::NOENT) if self.folders == Folders::Made => {
                make_folder(self.top(), name).and_then(|()| open_folder(self.top(), name))
            }
            opened => opened,
        };
        let opened = opened.map_err(|error| PathFault::io(path, "opened", error))?;
        self.inside.see_to(path, &opened)?;
        self.open.push(opened);
        Ok(())
    }
}

impl Spot {
    /// Opens the file to read it.
    pub(crate) fn open(&self) -> Result<File, PathFault> {
        // One that is a pipe must not be waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = fs::openat(&self.folder, &self.name, flags, Mode::empty());
        let opened = opened.map_err(|error| PathFault::io(&self.path, "read", error))?;
        let facts = fs::fstat(&opened);
        let facts = facts.map_err(|error| PathFault::io(&self.path, "read", error))?;
        if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
            let path = self.path.clone();
            return Err(PathFault::NoFile { path });
        }
        Ok(File::from(opened))
    }

    /// Returns whether anything is there, which is then no link.
    pub(crate) fn is_there(&self) -> bool {
        fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }
}

/// Opens a folder in another one; a link is none.
pub(crate) fn open_folder(folder: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(folder, name, flags, Mode::empty())
}

/// Makes a folder, and its name durable. Somebody else may have made it.
fn make_folder(folder: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    match fs::mkdirat(folder, name, Mode::from_raw_mode(0o777)) {
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => fs::fsync(folder),
    }
}

/// Returns a path without `.` and `..`, by its words.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// Returns the parts of a path that is not absolute, backwards.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::from_bytes(b"..").to_owned()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests;
