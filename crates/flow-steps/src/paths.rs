//! Paths that are handed to somebody else: the folder of a command, a program.

use std::io;
use std::path::{Component, Path, PathBuf};

use flow_core::step::StepFailure;

use crate::given::invalid;

/// Returns a path in a folder, if its words don't lead out of it.
pub(crate) fn inside(folder: &Path, path: &str) -> Result<PathBuf, StepFailure> {
    let parts = Path::new(path).components();
    let plain = parts
        .clone()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if path.is_empty() || path.contains(['\0', '\\']) || !plain {
        return Err(invalid(format!("`{path}` is no path inside of the folder")));
    }
    Ok(folder.join(path))
}

/// Returns a path of something that is in a folder, also if there are links on
/// the way.
pub(crate) fn real(folder: &Path, path: &str) -> Result<PathBuf, StepFailure> {
    let fault = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            invalid(format!("there is no `{path}`"))
        } else {
            invalid(format!("`{path}` can't be used: {error}"))
        }
    };
    let whole = inside(folder, path)?.canonicalize().map_err(fault)?;
    let root = folder.canonicalize().map_err(fault)?;
    if whole.starts_with(root) {
        Ok(whole)
    } else {
        Err(invalid(format!("`{path}` leads out of its folder")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_is_refused() {
        let folder = Path::new("/p");
        assert_eq!(inside(folder, "a/b").unwrap(), Path::new("/p/a/b"));
        for path in ["", "/etc/passwd", "../x", "a/../../x", "a\\b", "a\0"] {
            assert!(inside(folder, path).is_err(), "{path:?}");
        }
    }
}
