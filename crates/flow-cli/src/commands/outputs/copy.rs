//! Copying files out of the store: whole or not at all, under a name that they
//! get when they are whole, and never over something else unasked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flow_core::digest::Digest;
use flow_runtime::artifacts;
use flow_runtime::store::Reader;

use crate::archive::unreadable;
use crate::exit::Failure;
use crate::page::tame;

use super::Given;

/// How much of a file says what it is.
const HEAD: u64 = 512;

/// A file to be written.
#[derive(Debug)]
pub(super) struct Target<'a> {
    path: PathBuf,
    content: Content<'a>,
}

#[derive(Debug)]
enum Content<'a> {
    Blob(&'a Given),
    Text(&'a str),
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    New,
    Replaced,
    /// It was there with the same content.
    WasThere,
}

impl<'a> Target<'a> {
    pub(super) fn blob(path: PathBuf, given: &'a Given) -> Self {
        let content = Content::Blob(given);
        Self { path, content }
    }

    pub(super) fn text(path: PathBuf, text: &'a str) -> Self {
        let content = Content::Text(text);
        Self { path, content }
    }

    fn digest(&self) -> Digest {
        match self.content {
            Content::Blob(given) => given.digest,
            Content::Text(text) => Digest::of(text.as_bytes()),
        }
    }

    fn size(&self) -> u64 {
        match self.content {
            Content::Blob(given) => given.artifact.bytes,
            Content::Text(text) => text.len() as u64,
        }
    }
}

/// Reads how files begin. What is not known to survive a power cut is synced
/// first: nothing leaves the store that the store itself could lose.
pub(super) fn heads(reader: &Reader, files: &[Given]) -> Result<Vec<Vec<u8>>, Failure> {
    let head = |given: &Given| {
        let file = open(given)?;
        let durable = reader.is_durable(&given.digest);
        if !durable.map_err(|error| unreadable(&error))? {
            file.sync_all()
                .map_err(|error| failed("sync", &given.path, &error))?;
        }
        let mut head = Vec::new();
        let read = file.take(HEAD).read_to_end(&mut head);
        read.map_err(|error| failed("read", &given.path, &error))?;
        Ok(head)
    };
    files.iter().map(head).collect()
}

fn open(given: &Given) -> Result<File, Failure> {
    File::open(&given.path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            let (label, digest) = (tame(&given.label()), given.digest.short());
            let message = format!("the file `{label}` ({digest}) is not in the store any more");
            Failure::io(message).with_help("`flow run --fresh` makes it again")
        } else {
            failed("read", &given.path, &error)
        }
    })
}

/// Writes all files, or none if one would replace something else.
pub(super) fn all(
    folder: &Path,
    targets: &[Target<'_>],
    force: bool,
) -> Result<Vec<(PathBuf, Copied)>, Failure> {
    fs::create_dir_all(folder).map_err(|error| failed("make the folder", folder, &error))?;
    let mut found = Vec::with_capacity(targets.len());
    for target in targets {
        found.push(there(target)?);
    }
    let others: Vec<String> = targets
        .iter()
        .zip(&found)
        .filter(|(_, there)| **there == There::Other)
        .map(|(target, _)| target.path.display().to_string())
        .collect();
    if !others.is_empty() && !force {
        let more = others.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let names = others.iter().take(SHOWN).map(|name| format!("`{name}`"));
        let names: Vec<String> = names.collect();
        let message = format!("there is something else at {}{more}", names.join(", "));
        let help = "nothing was written; take another folder, or replace it with `--force`";
        return Err(Failure::io(message).with_help(help));
    }
    let mut copied = Vec::with_capacity(targets.len());
    for (target, there) in targets.iter().zip(found) {
        let how = match there {
            There::Same => Copied::WasThere,
            There::Nothing => Copied::New,
            There::Other => Copied::Replaced,
        };
        if how != Copied::WasThere {
            write(folder, target, how)?;
        }
        copied.push((target.path.clone(), how));
    }
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| failed("sync", folder, &error))?;
    Ok(copied)
}

/// How many names are told.
const SHOWN: usize = 5;

/// What is at the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    Same,
    Other,
}

fn there(target: &Target<'_>) -> Result<There, Failure> {
    let meta = match fs::symlink_metadata(&target.path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
        Err(error) => return Err(failed("look at", &target.path, &error)),
    };
    if meta.is_dir() {
        let path = target.path.display();
        let failure = Failure::io(format!(
            "`{path}` is a folder, and a file is to be written there"
        ));
        return Err(failure.with_help("take another folder with `--to`"));
    }
    if !meta.is_file() || meta.len() != target.size() {
        return Ok(There::Other);
    }
    let found = File::open(&target.path).and_then(|file| artifacts::copy(file, &mut io::sink()));
    match found {
        Ok(found) if found == target.digest() => Ok(There::Same),
        // What can't be read can't be the same.
        Ok(_) | Err(_) => Ok(There::Other),
    }
}

/// Writes a file under another name, and gives it its own when it is whole.
fn write(folder: &Path, target: &Target<'_>, how: Copied) -> Result<(), Failure> {
    let part = Part::new(folder).map_err(|error| failed("write in", folder, &error))?;
    let written = match target.content {
        Content::Blob(given) => {
            let mut file = &part.file;
            let found = artifacts::copy(open(given)?, &mut file);
            found.map(|found| found == given.digest)
        }
        Content::Text(text) => (&part.file).write_all(text.as_bytes()).map(|()| true),
    };
    let is_whole = written.map_err(|error| failed("write", &target.path, &error))?;
    if !is_whole {
        let path = target.path.display();
        let failure = Failure::io(format!("what the store has for `{path}` is damaged"));
        return Err(failure.with_help(
            "`flow doctor --verify` finds all that is; `flow run --fresh` makes it again",
        ));
    }
    let synced = part.file.sync_all();
    synced.map_err(|error| failed("sync", &target.path, &error))?;
    let named = match how {
        Copied::Replaced => fs::rename(&part.path, &target.path),
        // Somebody may have been faster: a second name replaces nothing.
        Copied::New | Copied::WasThere => match fs::hard_link(&part.path, &target.path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                fs::rename(&part.path, &target.path)
            }
            named => named,
        },
    };
    named.map_err(|error| failed("name", &target.path, &error))
}

/// A file that has no name of its own yet, and goes if it gets none.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!(".flow-part-{}", std::process::id()));
        // One of before is nobody's.
        drop(fs::remove_file(&path));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self { path, file })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("cannot {doing} `{}`: {error}", path.display()))
}
