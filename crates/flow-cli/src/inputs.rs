//! Which files a command line means.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_compiler::project::FileFault;
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::{Source, SourceId, Span};

use crate::codes;
use crate::disk::{read_from, read_text};
use crate::exit::Failure;
use crate::project::{Entry, Projects, is_flow_file};
use crate::report::Report;

/// Folders that hold nothing written by hand.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// What a command line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// Finds the files that paths mean: themselves, and those below folders.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.push(Input::Stdin);
            continue;
        }
        let meta = fs::metadata(path).map_err(|error| missing(path, &error))?;
        if meta.is_dir() {
            let before = found.len();
            walk(path, &mut found)?;
            if found.len() == before {
                let message = format!("there are no flow files in `{}`", path.display());
                return Err(Failure::usage(message)
                    .with_help("they end in `.flow` or `.flow.yaml`; `flow new` writes one"));
            }
        } else {
            found.push(Input::File(path.clone()));
        }
    }
    let mut once: Vec<Input> = Vec::with_capacity(found.len());
    let mut seen = std::collections::BTreeSet::new();
    for input in found {
        let key = match &input {
            Input::File(path) => Some(fs::canonicalize(path).unwrap_or_else(|_| path.clone())),
            Input::Stdin => None,
        };
        if seen.insert(key) {
            once.push(input);
        }
    }
    Ok(once)
}

fn missing(path: &Path, error: &std::io::Error) -> Failure {
    let why = if error.kind() == std::io::ErrorKind::NotFound {
        "there is no such file".to_owned()
    } else {
        error.to_string()
    };
    Failure::io(format!("cannot read `{}`: {why}", path.display()))
}

/// Finds the files below a folder, in the order of their names. Links to
/// folders are not followed, so the walk ends.
fn walk(folder: &Path, found: &mut Vec<Input>) -> Result<(), Failure> {
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        let is_folder = path == folder
            || fs::symlink_metadata(&path).is_ok_and(|meta| meta.file_type().is_dir());
        if !is_folder {
            found.push(Input::File(path));
            continue;
        }
        let entries = fs::read_dir(&path).map_err(|error| missing(&path, &error))?;
        let mut below: Vec<PathBuf> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let is_folder = entry.file_type().ok()?.is_dir();
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let wanted = if is_folder {
                    !name.starts_with('.') && !SKIPPED.contains(&&*name)
                } else {
                    is_flow_file(&name) && !name.starts_with('.')
                };
                let path = if path == Path::new(".") {
                    PathBuf::from(entry.file_name())
                } else {
                    entry.path()
                };
                wanted.then_some(path)
            })
            .collect();
        // The last one is taken from the stack first.
        below.sort_by(|a, b| b.cmp(a));
        open.extend(below);
    }
    Ok(())
}

/// Reads files. One that is no text is told in the report; one that can't be
/// read at all ends the command.
pub(crate) fn read(
    projects: &mut Projects,
    report: &mut Report,
    inputs: &[Input],
    stdin_name: &str,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::with_capacity(inputs.len());
    for input in inputs {
        let (text, name) = match input {
            Input::File(path) => (read_text(path), path.display().to_string()),
            Input::Stdin => (read_from(std::io::stdin().lock()), stdin_name.to_owned()),
        };
        match text {
            Ok(text) => entries.push(match input {
                Input::File(path) => projects.entry(path, text)?,
                Input::Stdin => projects.stdin_entry(stdin_name, text)?,
            }),
            Err(fault @ (FileFault::NotText | FileFault::TooLarge)) => {
                unreadable(report, &name, &fault);
            }
            Err(fault @ (FileFault::Missing | FileFault::Other(_))) => {
                return Err(Failure::io(format!("cannot read `{name}`: {fault}")));
            }
        }
    }
    Ok(entries)
}

fn unreadable(report: &mut Report, name: &str, fault: &FileFault) {
    let source = Source::new(SourceId(0), name, "");
    let span = Span::new(source.id, 0, 0);
    let message = format!("`{name}` can't be read: {fault}");
    let diagnostic = Diagnostic::new(codes::UNREADABLE_FILE, span, message);
    report.looked_at(name);
    report.add(&[source], &[diagnostic], &|source| source.name.clone());
}

/// Reads the one file of a command.
pub(crate) fn read_one(projects: &mut Projects, path: &Path) -> Result<Entry, Failure> {
    let text: Result<Arc<str>, FileFault> = read_text(path);
    let text =
        text.map_err(|fault| Failure::io(format!("cannot read `{}`: {fault}", path.display())))?;
    projects.entry(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_searched_without_hidden_and_built_ones() {
        let name = format!("flow-inputs-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        for file in [
            "b.flow",
            "a/x.flow.yaml",
            "a/y.txt",
            ".h/z.flow",
            "target/t.flow",
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = find(std::slice::from_ref(&root)).unwrap();
        let file = |name: &str| Input::File(root.join(name));
        assert_eq!(found, [file("a/x.flow.yaml"), file("b.flow")]);
        let again = find(&[root.join("b.flow"), root.clone()]).unwrap();
        assert_eq!(again.len(), 2);
    }
}
