//! The files of a project on disk, read once and kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_compiler::project::{FileFault, Files};
use flow_core::digest::Digest;

/// A text may have this many bytes.
const SIZE_MAX: u64 = 16 << 20;

/// The files below a project's folder.
#[derive(Debug)]
pub(crate) struct Disk {
    /// The folder, with all symbolic links followed.
    root: PathBuf,
    /// What has been read, or is to be written.
    texts: RefCell<BTreeMap<String, Result<Arc<str>, FileFault>>>,
}

impl Disk {
    /// Takes a folder. Its path is the one with all symbolic links followed.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            texts: RefCell::default(),
        }
    }

    /// Puts a text in the place of a file's.
    pub(crate) fn replace(&self, name: &str, text: Arc<str>) {
        self.texts.borrow_mut().insert(name.to_owned(), Ok(text));
    }

    /// Returns what was read so far, or looked for in vain; nothing if something
    /// couldn't be read.
    pub(crate) fn looked_at(&self) -> Option<Vec<(String, Option<Digest>)>> {
        let texts = self.texts.borrow();
        let looked = texts.iter().map(|(name, found)| {
            let digest = match found {
                Ok(text) => Some(Digest::of(text.as_bytes())),
                Err(FileFault::Missing) => None,
                Err(FileFault::Other(_) | FileFault::TooLarge | FileFault::NotText) => return None,
            };
            Some((name.clone(), digest))
        });
        looked.collect()
    }

    fn load(&self, name: &str) -> Result<Arc<str>, FileFault> {
        read_text(&find(&self.root, name)?)
    }
}

/// Finds a file of a project, whose folder is the one with all symbolic links
/// followed.
pub(crate) fn find(root: &Path, name: &str) -> Result<PathBuf, FileFault> {
    let path = fs::canonicalize(root.join(name)).map_err(|error| fault(&error))?;
    // A link may lead anywhere; only what is inside the project is read.
    if !path.starts_with(root) {
        let why = "it is a link that leaves the project";
        return Err(FileFault::Other(why.to_owned()));
    }
    if !path.is_file() {
        return Err(FileFault::Other("it is not a file".to_owned()));
    }
    Ok(path)
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Arc<str>, FileFault> {
        if let Some(known) = self.texts.borrow().get(path) {
            return known.clone();
        }
        let found = self.load(path);
        let mut texts = self.texts.borrow_mut();
        texts.insert(path.to_owned(), found.clone());
        found
    }
}

/// Reads a text that is not too large.
pub(crate) fn read_text(path: &Path) -> Result<Arc<str>, FileFault> {
    let meta = fs::metadata(path).map_err(|error| fault(&error))?;
    if !meta.is_file() {
        return Err(FileFault::Other("it is not a file".to_owned()));
    }
    let file = fs::File::open(path).map_err(|error| fault(&error))?;
    read_from(file)
}

/// Reads a text that is not too large from anywhere.
pub(crate) fn read_from(reader: impl Read) -> Result<Arc<str>, FileFault> {
    let mut bytes = Vec::new();
    let mut reader = reader.take(SIZE_MAX + 1);
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| fault(&error))?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(FileFault::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|_| FileFault::NotText)?;
    Ok(text.into())
}

fn fault(error: &std::io::Error) -> FileFault {
    if error.kind() == ErrorKind::NotFound {
        FileFault::Missing
    } else {
        FileFault::Other(error.to_string())
    }
}

/// Replaces a file's text: all of it or nothing. Its permissions stay, and a
/// link stays a link.
pub(crate) fn write_text(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let draft = path.with_file_name(name);
    let written = write_draft(&draft, text, permissions).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        fs::remove_file(&draft).ok();
    }
    written
}

fn write_draft(path: &Path, text: &str, permissions: fs::Permissions) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(permissions)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let name = format!("flow-disk-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        fs::canonicalize(path).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leaves_the_project_is_refused() {
        let outside = folder("outside");
        let root = folder("root");
        fs::write(outside.join("secret.j2"), "x").unwrap();
        fs::write(root.join("a.j2"), "a").unwrap();
        fs::remove_file(root.join("b.j2")).ok();
        fs::remove_file(root.join("c.j2")).ok();
        std::os::unix::fs::symlink(outside.join("secret.j2"), root.join("b.j2")).unwrap();
        std::os::unix::fs::symlink(root.join("a.j2"), root.join("c.j2")).unwrap();
        let disk = Disk::new(root);
        assert!(matches!(disk.read("b.j2"), Err(FileFault::Other(_))));
        assert_eq!(disk.read("c.j2").as_deref(), Ok("a"));
        assert_eq!(disk.read("d.j2"), Err(FileFault::Missing));
    }

    #[test]
    fn what_is_too_large_or_not_text_is_refused() {
        let zeros = std::io::repeat(b'a');
        assert_eq!(read_from(zeros), Err(FileFault::TooLarge));
        assert_eq!(read_from(&b"\xff"[..]), Err(FileFault::NotText));
    }

    #[cfg(unix)]
    #[test]
    fn writing_keeps_the_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let path = folder("permissions").join("a.flow");
        fs::write(&path, "a").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write_text(&path, "b").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "b");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }
}
