//! Every file says what is expected of it; twins are equal; formatting changes
//! nothing that matters.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flow_compiler::Compiled;
use flow_syntax::span::{Source, SourceId};

use crate::case::{annotate, strip};
use crate::project::{compile, declare, is_ours, root};

/// A file of the corpus.
pub(crate) struct File {
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    pub(crate) text: String,
}

impl File {
    fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Its place, for messages.
    pub(crate) fn shown(&self) -> String {
        shown(&self.path())
    }

    /// Its text without what is expected of it.
    pub(crate) fn written(&self) -> String {
        strip(&self.text)
    }

    /// Compiles another text in its place.
    pub(crate) fn compile_text(&self, text: &str) -> Compiled {
        self.compile_as(&self.name, text)
    }

    fn compile_as(&self, name: &str, text: &str) -> Compiled {
        if self.folder.ends_with("declared") {
            return declare(name, text);
        }
        compile(&self.folder, name, text)
    }

    pub(crate) fn compile(&self) -> Compiled {
        self.compile_text(&self.written())
    }

    fn twin(&self) -> Option<String> {
        let twin = self.name.strip_suffix(".flow")?;
        let name = format!("{twin}.flow.yaml");
        self.folder.join(&name).exists().then_some(name)
    }
}

/// All files of the corpus: those directly in an area's folder.
pub(crate) fn files() -> Vec<File> {
    let mut files = Vec::new();
    let areas = std::fs::read_dir(root().join("tests/lang")).unwrap();
    for area in areas {
        let folder = area.unwrap().path();
        if !folder.is_dir() || folder.ends_with("steps") {
            continue;
        }
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_file() && is_ours(&name) {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push(File {
                    folder: folder.clone(),
                    name,
                    text,
                });
            }
        }
    }
    files.sort_by_key(File::path);
    assert!(!files.is_empty(), "the corpus has files");
    files
}

fn shown(path: &Path) -> String {
    let root = root();
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

#[test]
fn every_file_says_what_is_expected_of_it() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for file in files() {
        let found = annotate(&strip(&file.text), &file.compile());
        if found == file.text {
            continue;
        }
        if update {
            std::fs::write(file.path(), found).unwrap();
        } else {
            wrong.push(format!("{}\n{found}", shown(&file.path())));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} files are not as expected; run again with UPDATE=1 and read the difference\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// The plans' digests, if all have plans.
pub(crate) fn digests(compiled: &Compiled) -> Option<Vec<String>> {
    let plans = compiled.workflows.iter();
    plans
        .map(|workflow| Some(workflow.plan.as_ref()?.digest().to_string()))
        .collect()
}

#[test]
fn twins_have_equal_plans() {
    let mut twins = 0;
    for file in files() {
        let Some(twin) = file.twin() else { continue };
        let text = std::fs::read_to_string(file.folder.join(&twin)).unwrap();
        let one = digests(&file.compile());
        let other = digests(&file.compile_as(&twin, &strip(&text)));
        assert_eq!(one, other, "{} and its twin differ", shown(&file.path()));
        twins += usize::from(one.is_some());
    }
    assert!(twins > 0, "the corpus has twins with plans");
}

fn codes(compiled: &Compiled) -> BTreeSet<&'static str> {
    let diagnostics = compiled.diagnostics.iter();
    diagnostics.map(|diagnostic| diagnostic.code.name).collect()
}

#[test]
fn faulty_twins_report_the_same_codes() {
    let mut twins = 0;
    let mut wrong = Vec::new();
    for file in files() {
        let Some(twin) = file.twin() else { continue };
        let text = strip(&std::fs::read_to_string(file.folder.join(&twin)).unwrap());
        let (one, other) = (
            codes(&file.compile()),
            codes(&file.compile_as(&twin, &text)),
        );
        twins += usize::from(!one.is_empty());
        let first = text.lines().next().unwrap_or("");
        if one == other || first.starts_with("# spelling differs") {
            continue;
        }
        let only_one: Vec<_> = one.difference(&other).collect();
        let only_other: Vec<_> = other.difference(&one).collect();
        wrong.push(format!(
            "{}: {only_one:?} in one, {only_other:?} in the other",
            file.shown()
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(twins > 0, "the corpus has faulty twins");
}

#[test]
fn formatting_is_idempotent_and_keeps_the_plan() {
    for file in files() {
        let compiled = file.compile();
        let before = digests(&compiled);
        let text = strip(&file.text);
        let source = Source::new(SourceId(0), file.name.clone(), text);
        let Ok(once) = flow_syntax::print::format(&source) else {
            assert!(!compiled.is_ok(), "{}: not formatted", shown(&file.path()));
            continue;
        };
        let again = Source::new(SourceId(0), file.name.clone(), once.clone());
        let twice = flow_syntax::print::format(&again)
            .unwrap_or_else(|why| panic!("{}: {why:#?}\n{once}", shown(&file.path())));
        assert_eq!(once, twice, "{}: formatted twice", shown(&file.path()));
        let after = digests(&file.compile_text(&once));
        assert_eq!(
            before,
            after,
            "{}: plans differ\n{once}",
            shown(&file.path())
        );
    }
}

#[test]
fn the_digest_does_not_depend_on_comments_layout_or_names_of_files() {
    for file in files() {
        let text = strip(&file.text);
        let Some(before) = digests(&file.compile()) else {
            continue;
        };
        let spread: String = text
            .split_inclusive('\n')
            .map(|line| {
                let block = text.contains("\"\"\"") || text.contains("'''") || text.contains(": |");
                if block || line.contains("##") {
                    line.to_owned()
                } else {
                    line.replace('\n', " # a comment\n\n")
                }
            })
            .collect();
        let name = format!("other_{}", file.name);
        let compiled = file.compile_as(&name, &spread);
        assert_eq!(
            Some(before),
            digests(&compiled),
            "{}: {:#?}",
            shown(&file.path()),
            compiled.diagnostics
        );
    }
}
