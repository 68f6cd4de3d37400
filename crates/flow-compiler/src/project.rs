//! The files of a project, as the compiler asks for them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Gives the texts of files. Paths are inside the project, with `/` and
/// without `.` and `..`.
pub trait Files {
    /// Reads a text.
    fn read(&self, path: &str) -> Result<Arc<str>, FileFault>;
}

/// Why a file can't be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFault {
    /// There is none.
    Missing,
    /// It is not UTF-8.
    NotText,
    /// It is larger than a text may be.
    TooLarge,
    /// Something else, in the system's words.
    Other(String),
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::NotText => f.write_str("it is not UTF-8 text"),
            Self::TooLarge => f.write_str("it is too large"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// Files in memory: for tests, and for texts that have no folder.
impl Files for BTreeMap<String, Arc<str>> {
    fn read(&self, path: &str) -> Result<Arc<str>, FileFault> {
        self.get(path).cloned().ok_or(FileFault::Missing)
    }
}

/// Why a written path can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathFault {
    /// It is empty, or names a folder.
    Empty,
    /// It begins at the root of the machine, or names a drive.
    Absolute,
    /// It leaves the project.
    Outside,
    /// It has a backslash or a control character.
    Letters,
}

/// Returns the path inside the project that a file means by a relative path.
pub fn resolve(file: &str, relative: &str) -> Result<String, PathFault> {
    if relative.contains(['\\', '\0']) || relative.chars().any(char::is_control) {
        return Err(PathFault::Letters);
    }
    if relative.starts_with('/') || relative.as_bytes().get(1) == Some(&b':') {
        return Err(PathFault::Absolute);
    }
    if relative.is_empty() || relative.ends_with('/') {
        return Err(PathFault::Empty);
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(PathFault::Outside);
                }
            }
            other => parts.push(other),
        }
    }
    if parts.is_empty() {
        return Err(PathFault::Empty);
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_its_file_and_stays_inside() {
        assert_eq!(resolve("a/b.flow", "c.j2").as_deref(), Ok("a/c.j2"));
        assert_eq!(resolve("a/b.flow", "../c.j2").as_deref(), Ok("c.j2"));
        assert_eq!(resolve("b.flow", "../c.j2"), Err(PathFault::Outside));
        assert_eq!(resolve("b.flow", "/etc/x"), Err(PathFault::Absolute));
        assert_eq!(resolve("b.flow", "x\\y"), Err(PathFault::Letters));
    }
}
