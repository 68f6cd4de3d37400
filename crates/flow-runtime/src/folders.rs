//! The folders that attempts work in. Making and removing one takes longer than
//! a short command does, so one that is left empty is the next attempt's, and
//! the others are removed beside the attempts that follow.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// So many are removed at once.
const MANY: usize = 8;

/// All folders of attempts of a run.
pub(crate) struct Folders {
    root: PathBuf,
    /// Steps ask for folders on threads of their own.
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// How many there were.
    count: u64,
    /// Empty, and nobody's.
    ready: Vec<PathBuf>,
    /// With something in it.
    left: Vec<PathBuf>,
    /// Whether somebody tidies up.
    is_tidied: bool,
}

impl Folders {
    /// Makes them in a folder.
    pub(crate) fn new(root: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            root,
            inner: Mutex::default(),
        })
    }

    /// Returns a folder that nobody else has, with nothing in it but perhaps
    /// empty folders.
    pub(crate) fn take(&self) -> io::Result<PathBuf> {
        let ready = self.with(|inner| {
            inner.ready.pop().ok_or_else(|| {
                inner.count += 1;
                inner.count
            })
        });
        match ready {
            Ok(folder) => Ok(folder),
            Err(number) => {
                let folder = self.root.join(number.to_string());
                make(&folder)?;
                Ok(folder)
            }
        }
    }

    /// Takes back a folder, with all that is in it. Returns whether it is time
    /// to tidy up.
    pub(crate) fn leave(&self, folder: PathBuf) -> bool {
        let is_empty = is_empty(&folder, DEPTH);
        self.with(|inner| {
            let place = if is_empty {
                &mut inner.ready
            } else {
                &mut inner.left
            };
            place.push(folder);
            let is_time = inner.left.len() >= MANY && !inner.is_tidied;
            inner.is_tidied |= is_time;
            is_time
        })
    }

    /// Removes what was left behind. Waits for the disk.
    pub(crate) fn tidy(&self) {
        for folder in self.with(|inner| std::mem::take(&mut inner.left)) {
            // What can't be removed goes with its owner's folder.
            drop(fs::remove_dir_all(folder));
        }
        self.with(|inner| inner.is_tidied = false);
    }

    fn with<T>(&self, edit: impl FnOnce(&mut Inner) -> T) -> T {
        edit(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How deep empty folders count as nothing: the one that commands run in does.
const DEPTH: u32 = 1;

/// Returns whether there is nothing in a folder but empty folders.
fn is_empty(folder: &Path, depth: u32) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    for entry in entries {
        let is_folder = entry
            .as_ref()
            .is_ok_and(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let (Ok(entry), true, Some(depth)) = (entry, is_folder, depth.checked_sub(1)) else {
            return false;
        };
        if !is_empty(&entry.path(), depth) {
            return false;
        }
    }
    true
}

/// Makes a folder, and those above it if they aren't there.
fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn root(name: &str) -> PathBuf {
        let name = format!("flow-folders-{}-{name}", std::process::id());
        std::env::temp_dir().join(name)
    }

    #[test]
    fn a_folder_with_something_in_it_is_never_used_again_and_goes() {
        let root = root("full");
        let folders = Folders::new(root.clone());
        let mut seen = BTreeSet::new();
        for number in 0..40 {
            let folder = folders.take().unwrap();
            assert!(is_empty(&folder, DEPTH));
            let below = folder.join("work").join("deep");
            fs::create_dir_all(&below).unwrap();
            let place = if number % 2 == 0 { &folder } else { &below };
            fs::write(place.join("x"), "x").unwrap();
            assert!(seen.insert(folder.clone()), "{folder:?} came twice");
            if folders.leave(folder) {
                folders.tidy();
            }
        }
        folders.tidy();
        assert_eq!(seen.iter().filter(|folder| folder.exists()).count(), 0);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn an_empty_folder_is_used_by_one_after_the_other() {
        let root = root("empty");
        let folders = Folders::new(root.clone());
        let (first, second) = (folders.take().unwrap(), folders.take().unwrap());
        assert_ne!(first, second);
        fs::create_dir(first.join("work")).unwrap();
        assert!(!folders.leave(first.clone()));
        assert_eq!(folders.take().unwrap(), first);
        fs::remove_dir_all(root).unwrap();
    }
}
