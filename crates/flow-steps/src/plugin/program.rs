//! What a command names: the program, and the files of the project that it
//! consists of.
//!
//! A word with a `/` in it that is the path of something in the project stands
//! for just that, wherever the command runs, and its content is a part of the
//! program. Of what is in a folder of its own below `steps/`, all of the folder
//! is. What is found in PATH counts by its name.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use flow_core::command::{self, Setting};
use flow_core::digest::{Digest, Pieces};
use flow_core::step::{Program, StepFailure};

use crate::given::invalid;
use crate::paths;
use crate::process::launch::{Environment, find};

/// The folder of a project's own declarations.
const STEPS: &str = "steps";

/// How many files a program may have.
const FILES_MAX: usize = 10_000;

/// How deep its folders may be.
const DEPTH_MAX: usize = 32;

/// How long a file has to be as it is before its times are believed: another
/// change in the same moment would have the same.
const SETTLED: Duration = Duration::from_secs(2);

/// A command whose words are found.
pub(super) struct Found {
    /// The program as it was written.
    pub(super) name: Arc<str>,
    /// Where it is.
    pub(super) program: PathBuf,
    /// Its arguments, with whole paths.
    pub(super) words: Vec<Arc<str>>,
    /// The paths in the project that it names, as they were written.
    named: Vec<Arc<str>>,
    /// The names of the variables that it takes over.
    taken: Vec<Arc<str>>,
}

/// What a program consists of, for people too.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Its files, by their paths in the project.
    pub files: Vec<String>,
    /// Its digest, and those of its variables.
    pub program: Program,
}

/// Reads a command, finds what it names, and adds its variables to an
/// environment.
pub(super) fn found(
    project: &Path,
    run: &str,
    environment: &mut Environment,
) -> Result<Found, StepFailure> {
    let line = command::read(run)
        .map_err(|fault| invalid(format!("the command `{run}`: {fault}; {}", fault.help())))?;
    let mut taken = Vec::new();
    for (name, setting) in line.variables {
        let value = match setting {
            Setting::Text(text) => Some(text),
            Setting::Taken(other) => {
                let value = std::env::var(&*other).ok();
                taken.push(other);
                value.map(Arc::from)
            }
        };
        match value {
            Some(value) => environment.insert(name, value),
            None => environment.remove(&name),
        };
    }
    let program = find(project, &line.program, environment)?;
    let mut named = Vec::new();
    if line.program.contains('/') {
        named.push(line.program.clone());
    }
    let words = line.arguments.into_iter().map(|word| {
        let Some(path) = in_project(project, &word)? else {
            return Ok(word);
        };
        named.push(word);
        let path = path.to_str().map(Arc::from);
        path.ok_or_else(|| invalid("the path of the project is no text"))
    });
    let words = words.collect::<Result<_, StepFailure>>()?;
    Ok(Found {
        name: line.program,
        program,
        words,
        named,
        taken,
    })
}

/// Returns where a word of a command leads to in the project, if it does.
fn in_project(project: &Path, word: &str) -> Result<Option<PathBuf>, StepFailure> {
    if !word.contains('/') || word.starts_with(['/', '-']) {
        return Ok(None);
    }
    // Who writes it like this means a file, and would wonder.
    let is_meant = word.starts_with("./") || word.starts_with("steps/");
    let is_there = paths::inside(project, word).is_ok_and(|path| path.exists());
    if is_there || is_meant {
        return paths::real(project, word).map(Some);
    }
    Ok(None)
}

/// What a command names and the project doesn't have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingProgram {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Looks for something that a command names and the project doesn't have. What
/// would be found in PATH may be there on another machine.
pub fn missing_program(project: &Path, run: &str) -> Option<MissingProgram> {
    let line = command::read(run).ok()?;
    let is_path = line.program.contains('/');
    if let Some(Err(failure)) = is_path.then(|| paths::real(project, &line.program)) {
        return Some(MissingProgram {
            message: failure.message.to_string(),
            help: "its path begins in the project's folder; a program of the machine is named by a word without `/`"
                .to_owned(),
        });
    }
    for word in &line.arguments {
        if let Err(failure) = in_project(project, word) {
            return Some(MissingProgram {
                message: failure.message.to_string(),
                help: "its path begins in the project's folder".to_owned(),
            });
        }
        let folders = ["", STEPS];
        let mut beside = folders.iter().filter(|folder| {
            let path = project.join(folder).join(&**word);
            !word.contains('/') && word.contains('.') && path.is_file()
        });
        if let Some(folder) = beside.next() {
            let folder = if folder.is_empty() { "." } else { folder };
            return Some(MissingProgram {
                message: format!("`{word}` is looked for where the attempt works, and isn't there"),
                help: format!("write `{folder}/{word}` for the file of the project"),
            });
        }
    }
    None
}

/// What commands consisted of when somebody last looked.
#[derive(Default)]
pub(super) struct Known {
    /// Runs ask from threads of their own.
    all: Mutex<BTreeMap<Arc<str>, Remembered>>,
}

struct Remembered {
    traces: Vec<Trace>,
    digest: Digest,
}

/// What tells that a file is as it was.
#[derive(PartialEq, Eq)]
struct Trace {
    path: PathBuf,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Known {
    /// Looks at what a command consists of just now.
    pub(super) fn look(&self, project: &Path, run: &str) -> Result<Parts, StepFailure> {
        let mut environment = crate::process::launch::inherited(project);
        let found = found(project, run, &mut environment)?;
        let mut files = Files::new(project)?;
        for path in &found.named {
            files.add(path)?;
        }
        let mut variables = Vec::new();
        for name in &found.taken {
            if let Some(value) = std::env::var_os(&**name) {
                variables.push((name.clone(), Digest::of(value.as_encoded_bytes())));
            }
        }
        let digest = self.digest(run, &files)?;
        Ok(Parts {
            files: files.names(),
            program: Program { digest, variables },
        })
    }

    fn digest(&self, run: &str, files: &Files) -> Result<Digest, StepFailure> {
        let traces = files.traces()?;
        let known = |all: &BTreeMap<Arc<str>, Remembered>| {
            let known = all.get(run).filter(|known| known.traces == traces);
            known.map(|known| known.digest)
        };
        if let Some(digest) = known(&self.all.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(digest);
        }
        let digest = files.digest()?;
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if files.are_settled() {
            all.insert(run.into(), Remembered { traces, digest });
        } else {
            all.remove(run);
        }
        Ok(digest)
    }
}

/// The files of a program.
struct Files {
    root: PathBuf,
    /// Paths in the project, and where they lead.
    all: BTreeMap<PathBuf, PathBuf>,
}

impl Files {
    fn new(project: &Path) -> Result<Self, StepFailure> {
        let root = project.canonicalize();
        Ok(Self {
            root: root.map_err(|error| unreadable(project, &error))?,
            all: BTreeMap::new(),
        })
    }

    /// Adds what a word of a command names.
    fn add(&mut self, path: &str) -> Result<(), StepFailure> {
        let whole = paths::real(&self.root, path)?;
        let inside = whole.strip_prefix(&self.root).unwrap_or(&whole);
        match own_folder(inside) {
            Some(folder) => self.folder(&folder, 0),
            None if whole.is_dir() => self.folder(inside, 0),
            None => self.file(inside.to_path_buf(), whole.clone()),
        }
    }

    fn file(&mut self, inside: PathBuf, whole: PathBuf) -> Result<(), StepFailure> {
        self.all.insert(inside, whole);
        if self.all.len() > FILES_MAX {
            return Err(invalid(format!(
                "the program has more than {FILES_MAX} files; keep what it doesn't need out of its folder"
            )));
        }
        Ok(())
    }

    /// Adds all files below a folder, but for hidden ones and what interpreters
    /// leave there.
    fn folder(&mut self, inside: &Path, depth: usize) -> Result<(), StepFailure> {
        let folder = self.root.join(inside);
        let fault = |error: io::Error| unreadable(inside, &error);
        if depth > DEPTH_MAX {
            return Err(invalid(format!(
                "the folder `{}` of the program is too deep",
                inside.display()
            )));
        }
        for entry in fs::read_dir(&folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") || name == "__pycache__" {
                continue;
            }
            let inside = inside.join(&name);
            if entry.file_type().map_err(fault)?.is_dir() {
                self.folder(&inside, depth + 1)?;
            } else {
                // Of a link, what it leads to counts.
                self.file(inside, entry.path())?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let names = self.all.keys();
        names.map(|path| path.display().to_string()).collect()
    }

    fn traces(&self) -> Result<Vec<Trace>, StepFailure> {
        let traces = self.all.iter().map(|(inside, path)| {
            let facts = fs::metadata(path).map_err(|error| unreadable(inside, &error))?;
            Ok(Trace {
                path: inside.clone(),
                inode: facts.ino(),
                size: facts.size(),
                changed: (facts.ctime(), facts.ctime_nsec()),
            })
        });
        traces.collect()
    }

    /// Returns whether none of them was changed just now.
    fn are_settled(&self) -> bool {
        let now = SystemTime::now();
        let is_settled = |facts: &Metadata| {
            let changed = u64::try_from(facts.ctime()).unwrap_or(0);
            let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
            now.duration_since(changed).is_ok_and(|age| age > SETTLED)
        };
        let mut facts = self.all.values().map(fs::metadata);
        facts.all(|facts| facts.is_ok_and(|facts| is_settled(&facts)))
    }

    fn digest(&self) -> Result<Digest, StepFailure> {
        let mut parts: Vec<Vec<u8>> = vec![b"flow program".to_vec()];
        for (inside, path) in &self.all {
            let content = content(path).map_err(|error| unreadable(inside, &error))?;
            parts.push(inside.as_os_str().as_encoded_bytes().to_vec());
            parts.push(content.0.to_vec());
        }
        Ok(Digest::of_parts(parts.iter().map(Vec::as_slice)))
    }
}

/// Returns the folder below `steps/` that a file has with others of its own.
fn own_folder(inside: &Path) -> Option<PathBuf> {
    let mut parts = inside.components();
    let (Component::Normal(first), Component::Normal(second)) = (parts.next()?, parts.next()?)
    else {
        return None;
    };
    parts.next()?;
    (first == STEPS).then(|| Path::new(first).join(second))
}

fn content(path: &Path) -> io::Result<Digest> {
    // What isn't a file may never end.
    if !fs::metadata(path)?.is_file() {
        return Ok(Digest::of(b""));
    }
    let mut file = File::open(path)?;
    let mut pieces = Pieces::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(pieces.digest()),
            count => pieces.push(&buffer[..count]),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> StepFailure {
    invalid(format!(
        "`{}` of the program can't be read: {error}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_a_folder_of_its_own_brings_the_folder() {
        let own = |path: &str| own_folder(Path::new(path));
        assert_eq!(own("steps/a.py"), None);
        assert_eq!(own("lib/a/b.py"), None);
        assert_eq!(own("steps/a/main.py"), Some("steps/a".into()));
        assert_eq!(own("steps/a/b/c.py"), Some("steps/a".into()));
    }
}
