//! What secrets hide: what the environment says, else the project's `.env`.
//!
//! The file is read when the first secret is asked for that the environment
//! doesn't have.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use flow_core::mask::LETTERS_MIN;
use flow_runtime::{SecretError, Secrets};

use crate::dotenv::{self, NAME};
use crate::exit::Failure;

/// How large the file may be.
const SIZE_MAX: u64 = 1 << 20;

/// The secrets of a project.
#[derive(Debug)]
pub(crate) struct Vault {
    root: PathBuf,
    file: OnceLock<Result<Found, Arc<str>>>,
}

/// What the file has.
#[derive(Default)]
struct Found {
    values: BTreeMap<String, Arc<str>>,
    warnings: Vec<String>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Found")
    }
}

impl Vault {
    /// Has those of a project.
    pub(crate) fn new(root: &Path) -> Arc<Self> {
        Arc::new(Self {
            root: root.to_owned(),
            file: OnceLock::new(),
        })
    }

    /// Returns what tells secrets.
    pub(crate) fn secrets(self: &Arc<Self>) -> Secrets {
        let vault = self.clone();
        Arc::new(move |name| vault.reveal(name))
    }

    fn reveal(&self, name: &str) -> Result<Arc<str>, SecretError> {
        let hidden = match std::env::var(name) {
            Ok(value) => Some(value.into()),
            Err(std::env::VarError::NotPresent) => self.read_in_file(name)?,
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(SecretError::NoText { name: name.into() });
            }
        };
        // An empty one is how much is unset.
        let hidden = hidden.filter(|hidden: &Arc<str>| !hidden.is_empty());
        let hidden = hidden.ok_or_else(|| SecretError::Unset { name: name.into() })?;
        if hidden.trim().chars().count() < LETTERS_MIN {
            return Err(SecretError::Short { name: name.into() });
        }
        Ok(hidden)
    }

    fn read_in_file(&self, name: &str) -> Result<Option<Arc<str>>, SecretError> {
        match self.file.get_or_init(|| open(&self.root)) {
            Ok(found) => Ok(found.values.get(name).cloned()),
            Err(why) => Err(SecretError::Unreadable {
                name: name.into(),
                why: why.clone(),
            }),
        }
    }

    /// Returns what is wrong with the file, if it was asked for.
    pub(crate) fn fault(&self) -> Option<Failure> {
        match self.file.get()? {
            Ok(_) => None,
            Err(why) => Some(Failure::io(why.to_string())),
        }
    }

    /// Returns what should be known of the file, if it was asked for.
    pub(crate) fn warnings(&self) -> &[String] {
        match self.file.get() {
            Some(Ok(found)) => &found.warnings,
            Some(Err(_)) | None => &[],
        }
    }
}

fn open(root: &Path) -> Result<Found, Arc<str>> {
    let path = root.join(NAME);
    let failed = |error: std::io::Error| Arc::from(format!("cannot read `{NAME}`: {error}"));
    let facts = match fs::metadata(&path) {
        Ok(facts) => facts,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::default()),
        Err(error) => return Err(failed(error)),
    };
    if !facts.is_file() {
        return Err(format!("cannot read `{NAME}`: it is not a file").into());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(&path).map_err(failed)?;
    let read = file.take(SIZE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > SIZE_MAX) {
        return Err(format!("cannot read `{NAME}`: it has more than 1 MiB").into());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        Arc::from(format!("`{NAME}:{line}`: this is not UTF-8"))
    })?;
    let values = dotenv::read(&text).map_err(|fault| Arc::from(fault.to_string()))?;
    let mut warnings = Vec::new();
    if facts.mode() & 0o044 != 0 {
        warnings.push(format!(
            "warning: others on this machine can read `{NAME}`; keep it to yourself with `chmod 600 {NAME}`"
        ));
    }
    if is_kept_by_git(root) {
        warnings.push(format!(
            "warning: git does not ignore `{NAME}`; add a line `{NAME}` to `.gitignore`"
        ));
    }
    Ok(Found { values, warnings })
}

/// Returns whether git would keep the file: if there is git here, and it doesn't
/// ignore it. Where nobody can tell nothing is said.
fn is_kept_by_git(root: &Path) -> bool {
    if !root.ancestors().any(|above| above.join(".git").exists()) {
        return false;
    }
    let asked = Command::new("git")
        .args([
            "-c",
            "core.fsmonitor=false",
            "check-ignore",
            "--quiet",
            NAME,
        ])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.code() == Some(1))
}
