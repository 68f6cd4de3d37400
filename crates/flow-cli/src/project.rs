//! Projects: a folder with its settings, its declared steps and its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use flow_compiler::settings::Settings;
use flow_compiler::signature::Signatures;
use flow_compiler::{Compiled, check, compile, stdlib};
use flow_core::digest::Digest;
use flow_steps::missing_program;
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::{Source, SourceId};

use crate::codes;
use crate::config;
use crate::disk::{Disk, read_text};
use crate::exit::Failure;
use crate::extra::Extra;
use crate::report::Report;
use crate::testing::missing;

/// What the names of the standard library's sources begin with.
const STDLIB: &str = "stdlib/";

/// The folder of a project's own declarations.
pub(crate) const STEPS: &str = "steps";

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its folder, all symbolic links followed.
    pub(crate) root: PathBuf,
    /// What `flow.toml` says.
    pub(crate) settings: Settings,
    /// The steps that its workflows can use.
    pub(crate) signatures: Signatures,
    /// Its files.
    pub(crate) disk: Disk,
    /// What is wrong with its settings and declarations.
    faults: Vec<(Vec<Source>, Vec<Diagnostic>)>,
    /// The files of settings and declarations, by their names inside.
    declared: Vec<String>,
    /// What they say, or that they aren't there.
    looked: Looked,
}

/// All projects that were met, and where the user stands.
#[derive(Debug)]
pub(crate) struct Projects {
    /// The folder that the user is in.
    pub(crate) here: PathBuf,
    profile: Option<String>,
    /// Declarations besides the standard library's.
    declarations: Vec<(&'static str, &'static str)>,
    known: BTreeMap<PathBuf, Rc<Project>>,
}

/// A file of a project, with its text.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The project it belongs to.
    pub(crate) project: Rc<Project>,
    /// Its path inside the project, with `/`.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: Arc<str>,
    /// Where it is; standard input is nowhere.
    pub(crate) path: Option<PathBuf>,
}

impl Projects {
    /// Starts in the user's folder.
    pub(crate) fn new(profile: Option<&str>, extra: &Extra) -> Result<Self, Failure> {
        let here = std::env::current_dir()
            .and_then(fs::canonicalize)
            .map_err(|error| Failure::io(format!("cannot find the current folder: {error}")))?;
        Ok(Self {
            here,
            profile: profile.map(str::to_owned),
            declarations: extra.declarations.clone(),
            known: BTreeMap::new(),
        })
    }

    /// Returns the project that a folder belongs to.
    pub(crate) fn of_folder(&mut self, folder: &Path) -> Result<Rc<Project>, Failure> {
        let root = root_of(folder);
        if let Some(project) = self.known.get(&root) {
            return Ok(Rc::clone(project));
        }
        let profile = self.profile.as_deref();
        let project = Project::open(root.clone(), profile, &self.declarations)?;
        let project = Rc::new(project);
        self.known.insert(root, Rc::clone(&project));
        Ok(project)
    }

    /// Makes an entry of a file and its text.
    pub(crate) fn entry(&mut self, path: &Path, text: Arc<str>) -> Result<Entry, Failure> {
        let shown = path.display();
        let whole = fs::canonicalize(path)
            .map_err(|error| Failure::io(format!("cannot read `{shown}`: {error}")))?;
        let folder = whole.parent().unwrap_or(Path::new("/")).to_path_buf();
        let project = self.of_folder(&folder)?;
        let name = inside(&project.root, &whole);
        project.disk.replace(&name, text.clone());
        Ok(Entry {
            project,
            name,
            text,
            path: Some(path.to_path_buf()),
        })
    }

    /// Makes an entry of a text that comes from standard input.
    pub(crate) fn stdin_entry(&mut self, name: &str, text: Arc<str>) -> Result<Entry, Failure> {
        let here = self.here.clone();
        let project = self.of_folder(&here)?;
        let name = inside(&project.root, &here.join(name));
        Ok(Entry {
            project,
            name,
            text,
            path: None,
        })
    }

    /// Returns the name of a source as the user would write it.
    pub(crate) fn shown(&self, project: &Project, name: &str) -> String {
        if name.starts_with(STDLIB) {
            return name.to_owned();
        }
        self.shown_here(&project.root.join(name))
    }

    /// Returns a path as one would write it here.
    pub(crate) fn shown_here(&self, path: &Path) -> String {
        relative(&self.here, path)
    }

    /// Adds what a compilation says to a report, and once what is wrong with
    /// the project itself.
    pub(crate) fn tell(&self, report: &mut Report, entry: &Entry, compiled: &Compiled) {
        self.tell_project(report, &entry.project);
        let project = &entry.project;
        report.looked_at(&self.shown(project, &entry.name));
        report.add(&compiled.sources, &compiled.diagnostics, &|source| {
            self.shown(project, &source.name)
        });
    }

    /// Adds what is wrong with the project itself.
    pub(crate) fn tell_project(&self, report: &mut Report, project: &Project) {
        for (sources, diagnostics) in &project.faults {
            report.add(sources, diagnostics, &|source| {
                self.shown(project, &source.name)
            });
        }
    }
}

impl Entry {
    /// Reads, checks and lowers it.
    pub(crate) fn compile(&self) -> Compiled {
        let project = &self.project;
        compile(
            &self.name,
            self.text.clone(),
            &project.signatures,
            &project.settings,
            &project.disk,
        )
    }

    /// Reads, checks and lowers it, and looks for what its tests need.
    pub(crate) fn compile_with_tests(&self) -> Compiled {
        self.with_fixtures(self.compile())
    }

    /// Reads and checks it, without plans unless they are needed for that, and
    /// looks for what its tests need.
    pub(crate) fn check(&self) -> Compiled {
        let project = &self.project;
        let compiled = check(
            &self.name,
            self.text.clone(),
            &project.signatures,
            &project.settings,
            &project.disk,
        );
        self.with_fixtures(compiled)
    }

    /// Says which fixtures aren't there. A workflow can run without them, so
    /// only those who look at all of a file are told.
    fn with_fixtures(&self, mut compiled: Compiled) -> Compiled {
        let missing = missing(&self.project, &compiled.tests);
        compiled.diagnostics.extend(missing);
        compiled.diagnostics.sort_by_key(|said| said.primary.span);
        compiled
    }

    /// Returns whether it declares steps instead of using them.
    pub(crate) fn is_declaration(&self) -> bool {
        self.project.declared.contains(&self.name)
    }
}

/// What a compilation depends on: names inside the project, each with the
/// digest of what is there.
pub(crate) type Looked = Vec<(String, Option<Digest>)>;

/// Returns the digest of what is at a name inside a project: of a file its
/// text, of the folder of declarations the names in it.
pub(crate) fn declares(root: &Path, name: &str) -> Option<Digest> {
    if name == STEPS {
        let names = step_names(root);
        return Some(Digest::of(names.join("\0").as_bytes()));
    }
    let bytes = fs::read(root.join(name)).ok()?;
    Some(Digest::of(&bytes))
}

impl Project {
    /// Returns all that was read of it so far, or looked for in vain; nothing
    /// if something couldn't be read.
    pub(crate) fn looked_at(&self) -> Option<Looked> {
        let mut looked = self.disk.looked_at()?;
        looked.extend(self.looked.iter().cloned());
        Some(looked)
    }

    fn open(
        root: PathBuf,
        profile: Option<&str>,
        declarations: &[(&'static str, &'static str)],
    ) -> Result<Self, Failure> {
        let mut faults = Vec::new();
        let mut declared = Vec::new();
        let (mut signatures, found) = standard(declarations);
        if !found.is_empty() {
            faults.push((signatures.sources.clone(), found));
        }
        let mut settings = Settings::default();
        let mut looked = vec![(STEPS.to_owned(), declares(&root, STEPS))];
        if let Some((source, config)) = config::load(&root, profile)? {
            looked.push((
                config::NAME.to_owned(),
                Some(Digest::of(source.text.as_bytes())),
            ));
            settings = config.settings;
            declared.push(config::NAME.to_owned());
            if !config.diagnostics.is_empty() {
                faults.push((vec![source], config.diagnostics));
            }
        } else {
            looked.push((config::NAME.to_owned(), None));
        }
        let sources = own_steps(&root, signatures.next_source())?;
        if !sources.is_empty() {
            declared.extend(sources.iter().map(|source| source.name.clone()));
            let digests = sources.iter().map(|source| {
                let digest = Digest::of(source.text.as_bytes());
                (source.name.clone(), Some(digest))
            });
            looked.extend(digests);
            let mut found = signatures.extend(&sources);
            found.extend(missing_programs(&root, &signatures));
            faults.push((signatures.sources.clone(), found));
        }
        Ok(Self {
            disk: Disk::new(root.clone()),
            root,
            settings,
            signatures,
            faults,
            declared,
            looked,
        })
    }
}

/// Says which programs of declared steps the project doesn't have.
fn missing_programs(root: &Path, signatures: &Signatures) -> Vec<Diagnostic> {
    let commands = signatures.steps.values();
    let commands = commands.filter_map(|step| Some((step.run.as_deref()?, step.run_span)));
    let missing = commands.filter_map(|(run, span)| {
        let missing = missing_program(root, run)?;
        let diagnostic = Diagnostic::new(codes::MISSING_PROGRAM, span, missing.message);
        Some(diagnostic.help(missing.help))
    });
    missing.collect()
}

/// Reads the standard library, and what else is declared from the start.
pub(crate) fn standard(
    declarations: &[(&'static str, &'static str)],
) -> (Signatures, Vec<Diagnostic>) {
    let mut sources = stdlib::sources();
    for (name, text) in declarations {
        let id = u32::try_from(sources.len()).unwrap_or(u32::MAX);
        sources.push(Source::new(SourceId(id), *name, *text));
    }
    Signatures::read(&sources)
}

/// Reads a project's own declarations, sorted by name.
fn own_steps(root: &Path, first: SourceId) -> Result<Vec<Source>, Failure> {
    let names = step_names(root);
    let read = |(id, name): (u32, String)| {
        let name = format!("{STEPS}/{name}");
        let text = read_text(&root.join(&name))
            .map_err(|fault| Failure::io(format!("cannot read `{name}`: {fault}")))?;
        Ok(Source::new(SourceId(id), name, text))
    };
    (first.0..).zip(names).map(read).collect()
}

/// Returns the names of the files in the folder of declarations, in order.
fn step_names(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root.join(STEPS)) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_flow_file(name) && !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Returns whether a file of this name is one of the language.
pub(crate) fn is_flow_file(name: &str) -> bool {
    [".flow", ".flow.yaml", ".flow.yml"]
        .iter()
        .any(|ending| name.ends_with(ending) && name.len() > ending.len())
}

/// Returns the nearest folder above that is a project's, or the folder itself.
pub(crate) fn root_of(folder: &Path) -> PathBuf {
    folder
        .ancestors()
        .find(|above| above.join(config::NAME).is_file() || above.join(".git").exists())
        .unwrap_or_else(|| match folder.file_name() {
            // Declarations belong to what is around them.
            Some(name) if name == STEPS => folder.parent().unwrap_or(folder),
            _ => folder,
        })
        .to_path_buf()
}

/// Returns the folder of the project that the user is in.
pub(crate) fn root_here() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    let here =
        here.map_err(|error| Failure::io(format!("cannot find the current folder: {error}")))?;
    Ok(root_of(&here))
}

/// Returns a path inside a project, with `/`.
fn inside(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

/// Returns a path as one would write it from a folder.
fn relative(from: &Path, path: &Path) -> String {
    let shared = from
        .components()
        .zip(path.components())
        .take_while(|(a, b)| a == b)
        .count();
    // Paths that share nothing but the machine are clearer in full.
    if shared <= 1 {
        return path.display().to_string();
    }
    let up = from.components().count() - shared;
    let mut result = PathBuf::new();
    result.extend(std::iter::repeat_n(Component::ParentDir, up));
    result.extend(path.components().skip(shared));
    result.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_one_would_write_them() {
        let here = Path::new("/home/ada/films/sub");
        let shown = |path: &str| relative(here, Path::new(path));
        assert_eq!(shown("/home/ada/films/sub/a.flow"), "a.flow");
        assert_eq!(shown("/home/ada/films/b.flow"), "../b.flow");
        assert_eq!(shown("/srv/c.flow"), "/srv/c.flow");
    }

    #[test]
    fn names_inside_a_project_have_slashes_and_no_dots() {
        let root = Path::new("/p");
        assert_eq!(inside(root, Path::new("/p/x/./a.flow")), "x/a.flow");
        assert_eq!(inside(root, Path::new("/p/x/../a.flow")), "a.flow");
    }

    #[test]
    fn files_of_the_language_are_known_by_their_endings() {
        assert!(is_flow_file("a.flow") && is_flow_file("a.flow.yaml"));
        assert!(!is_flow_file(".flow") && !is_flow_file("a.yaml"));
    }
}
