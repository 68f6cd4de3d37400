//! What the documentation shows is true: every block compiles, or gives the
//! diagnostic that it is there to show. So do the files that people copy.
//!
//! A fence says what its block is:
//!
//! | Fence | Block |
//! | --- | --- |
//! | `flow`, `yaml` | a file without any diagnostic |
//! | `flow fragment` | statements; that nothing uses a name is no fault |
//! | `flow error CODE` | a file that gives this code, and no other but `unused` |
//! | `flow file=PATH` | a file that later blocks of the page may use |
//! | `flow steps` | a project's steps, for the later blocks of the page |
//!
//! The words may stand together. Blocks in other languages are not looked at,
//! except that `file=PATH` keeps them too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use flow_compiler::project::Files;
use flow_compiler::{Compiled, Signatures, stdlib};
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::Source;

use crate::project::{Folder, root, settings};

type Texts = BTreeMap<String, Arc<str>>;

/// A block of a page.
struct Block {
    line: usize,
    language: String,
    words: Vec<String>,
    text: String,
}

impl Block {
    fn is_ours(&self) -> bool {
        matches!(self.language.as_str(), "flow" | "yaml")
    }

    fn is_fragment(&self) -> bool {
        self.words.iter().any(|word| word == "fragment")
    }

    /// The code that it shows.
    fn code(&self) -> Option<&str> {
        let at = self.words.iter().position(|word| word == "error")?;
        self.words.get(at + 1).map(String::as_str)
    }

    /// The path under which other blocks find it.
    fn file(&self) -> Option<&str> {
        self.words
            .iter()
            .find_map(|word| word.strip_prefix("file="))
    }

    fn is_steps(&self) -> bool {
        self.words.iter().any(|word| word == "steps")
    }

    fn name(&self) -> String {
        let ending = if self.language == "flow" {
            "flow"
        } else {
            "flow.yaml"
        };
        self.file()
            .map_or_else(|| format!("page.{ending}"), str::to_owned)
    }

    /// The whole file that it stands for.
    fn whole(&self) -> String {
        match (self.is_fragment(), self.language.as_str()) {
            (false, _) => self.text.clone(),
            (true, "flow") => format!("workflow page() {{\n{}}}\n", self.text),
            (true, _) => format!("workflow: page\nsteps:\n{}", self.text),
        }
    }
}

/// The blocks of a page, in order.
fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    for (at, line) in page.lines().enumerate() {
        let start = line.trim_start();
        let indent = line.len() - start.len();
        match (&mut open, start.strip_prefix("```")) {
            (None, Some(info)) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                let block = Block {
                    line: at + 1,
                    language: words.next().unwrap_or_default(),
                    words: words.collect(),
                    text: String::new(),
                };
                open = Some((block, indent));
            }
            (Some(_), Some("")) => found.extend(open.take().map(|(block, _)| block)),
            (Some((block, indent)), _) => {
                let blanks = line.len() - start.len();
                block.text.push_str(&line[(*indent).min(blanks)..]);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// All pages: the readme, and what is below `docs/`.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|ending| ending.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("md") => pages.push(path),
                _ => {}
            }
        }
    }
    pages.sort();
    pages
}

/// The steps that everybody has.
fn signatures() -> &'static Signatures {
    static SIGNATURES: OnceLock<Signatures> = OnceLock::new();
    SIGNATURES.get_or_init(|| {
        let (signatures, diagnostics) = Signatures::read(&stdlib::sources());
        assert!(diagnostics.is_empty(), "stdlib: {diagnostics:#?}");
        signatures
    })
}

fn compile(name: &str, text: &str, steps: &Signatures, files: &dyn Files) -> Compiled {
    flow_compiler::compile(name, text.into(), steps, &settings(), files)
}

/// What is said, a line each.
fn said(diagnostics: &[Diagnostic], sources: &[Source]) -> String {
    let lines = diagnostics.iter().map(|diagnostic| {
        let span = diagnostic.primary.span;
        let source = sources.iter().find(|source| source.id == span.source);
        let place = source.map_or("", |source| source.slice(span));
        let place: String = place.chars().take(40).collect();
        let (code, message) = (diagnostic.code.name, &diagnostic.message);
        format!("    [{code}] {message} at {place:?}\n")
    });
    lines.collect()
}

/// What a page has shown so far.
struct Shown {
    files: Texts,
    steps: Signatures,
}

impl Shown {
    /// Looks at the next block, and says what is wrong with it, if anything is.
    fn fault(&mut self, block: &Block) -> Option<String> {
        let (diagnostics, sources) = if block.is_steps() {
            let mut steps = self.steps.clone();
            let source = Source::new(steps.next_source(), "steps/page.flow", block.whole());
            let diagnostics = steps.extend(&[source]);
            let sources = steps.sources.clone();
            if block.code().is_none() {
                self.steps = steps;
            }
            (diagnostics, sources)
        } else {
            let compiled = compile(&block.name(), &block.whole(), &self.steps, &self.files);
            (compiled.diagnostics, compiled.sources)
        };
        let names = diagnostics.iter().map(|diagnostic| diagnostic.code.name);
        let mut codes: BTreeSet<&str> = names.collect();
        let is_whole = !block.is_fragment() && block.code().is_none();
        if !is_whole && block.code() != Some("unused") {
            codes.remove("unused");
        }
        let wanted: BTreeSet<&str> = block.code().into_iter().collect();
        (codes != wanted).then(|| format!("expected {wanted:?}\n{}", said(&diagnostics, &sources)))
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

#[test]
fn every_block_of_the_documentation_is_true() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let mut seen = Shown {
            files: Texts::new(),
            steps: signatures().clone(),
        };
        for block in blocks(&text) {
            if let Some(name) = block.file() {
                seen.files
                    .insert(name.to_owned(), block.text.as_str().into());
            }
            if block.is_ours() {
                count += 1;
                let fault = seen.fault(&block);
                wrong.extend(fault.map(|fault| format!("{}:{} {fault}", shown(&page), block.line)));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} blocks are wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 100, "the documentation shows only {count} blocks");
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.contains(char::is_whitespace) {
                continue;
            }
            if !page.with_file_name(target).exists() {
                broken.push(format!("{}: {target}", shown(&page)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_page_of_a_diagnostic_shows_it() {
    let codes = flow_syntax::codes::ALL
        .iter()
        .chain(flow_compiler::codes::ALL);
    let mut silent = Vec::new();
    for code in codes {
        let path = root().join(format!("docs/diagnostics/{}.md", code.name));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let blocks = blocks(&text);
        let shows = |block: &Block| block.code() == Some(code.name);
        let mends = |block: &Block| block.is_ours() && block.code().is_none();
        let is_titled = text.starts_with(&format!("# {}\n", code.name));
        let is_shown = blocks.iter().any(shows) || HARD_TO_SHOW.contains(&code.name);
        if !(is_titled && is_shown && blocks.iter().any(mends)) {
            silent.push(code.name);
        }
    }
    assert!(
        silent.is_empty(),
        "pages that show no example and cure: {silent:?}"
    );
}

/// What needs more text than a page can hold.
const HARD_TO_SHOW: &[&str] = &["file-too-large", "too-many-files", "plan-too-large"];

const SPELLINGS: [&str; 2] = [".flow", ".flow.yaml"];

/// The files that people copy: their paths and their texts.
fn files_to_copy() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for folder in ["examples", "examples/lib", "workflows"] {
        let before = files.len();
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if SPELLINGS.iter().any(|ending| name.ends_with(ending)) {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
        assert!(files.len() > before, "{folder} has files");
    }
    files.sort();
    files
}

fn compile_file(path: &Path, text: &str) -> Compiled {
    let name = path.file_name().unwrap().to_str().unwrap();
    let folder = Folder(path.parent().unwrap().to_path_buf());
    compile(name, text, signatures(), &folder)
}

#[test]
fn every_file_to_copy_compiles_without_a_diagnostic_and_is_formatted() {
    let mut wrong = Vec::new();
    for (path, text) in files_to_copy() {
        let compiled = compile_file(&path, &text);
        if !compiled.diagnostics.is_empty() || compiled.workflows.is_empty() {
            let said = said(&compiled.diagnostics, &compiled.sources);
            wrong.push(format!("{}\n{said}", shown(&path)));
        }
        let source = Source::new(compiled.entry, shown(&path), text.clone());
        if flow_syntax::print::format(&source).ok() != Some(text) {
            wrong.push(format!("{} is not formatted", shown(&path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_to_copy_in_both_spellings_have_equal_plans() {
    let mut twins = 0;
    for (path, text) in files_to_copy() {
        let other = path.with_extension("flow.yaml");
        let Ok(twin) = std::fs::read_to_string(&other) else {
            continue;
        };
        if other == path {
            continue;
        }
        let digests = |path: &Path, text: &str| -> Vec<String> {
            let compiled = compile_file(path, text);
            let plans = compiled.workflows.iter();
            plans
                .map(|workflow| workflow.plan.as_ref().unwrap().digest().to_string())
                .collect()
        };
        assert_eq!(
            digests(&path, &text),
            digests(&other, &twin),
            "{}",
            shown(&path)
        );
        twins += 1;
    }
    assert!(twins > 1, "some examples are there in both spellings");
}

#[test]
fn every_file_of_the_standard_library_is_part_of_it() {
    let listed: BTreeSet<String> = stdlib::sources()
        .iter()
        .map(|source| shown(Path::new(&*source.name)))
        .collect();
    let found: BTreeSet<String> = std::fs::read_dir(root().join("stdlib"))
        .unwrap()
        .map(|entry| shown(&entry.unwrap().path()))
        .collect();
    assert_eq!(listed, found);
}
