//! The files of a compilation: the entry and all that it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow_syntax::ast::{self, ItemKind, Use};
use flow_syntax::diagnostic::{Certainty, Diagnostic, Diagnostics};
use flow_syntax::span::{Source, SourceId, Span};

use super::types::twice;
use super::{Declared, FileId};
use crate::codes;
use crate::project::{FileFault, Files, PathFault, resolve};
use crate::signature::Signatures;

/// How many files a compilation may have.
const FILES_MAX: usize = 1_000;

/// Files that were read, the entry first.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Their texts.
    pub(crate) sources: Vec<Source>,
    /// Their trees, in the same order.
    pub(crate) trees: Vec<ast::File>,
    /// What each uses, by the name it uses it with.
    pub(crate) uses: Vec<Uses>,
}

/// What a file uses. A file that could not be read is there without an id.
pub(crate) type Uses = BTreeMap<String, Declared<Option<FileId>>>;

/// Reads the entry and everything it uses. Errors in the texts are reported.
pub(crate) fn load(
    name: &str,
    text: Arc<str>,
    signatures: &Signatures,
    files: &dyn Files,
    out: &mut Diagnostics,
) -> Loaded {
    let mut loader = Loader {
        loaded: Loaded::default(),
        first: signatures.next_source(),
        by_name: BTreeMap::new(),
        too_many: false,
        signatures,
        files,
        out,
    };
    loader.enter(name, text);
    // Files are appended while their uses are followed.
    let mut at = 0;
    while at < loader.loaded.trees.len() {
        let uses = loader.follow(at);
        loader.loaded.uses.push(uses);
        at += 1;
    }
    let mut loaded = loader.loaded;
    cut_circles(&mut loaded, out);
    let files = loaded.sources.iter().zip(&loaded.trees).zip(&loaded.uses);
    for ((source, tree), uses) in files {
        unused(source, tree, uses, out);
    }
    loaded
}

struct Loader<'a> {
    loaded: Loaded,
    first: SourceId,
    by_name: BTreeMap<String, Option<FileId>>,
    too_many: bool,
    signatures: &'a Signatures,
    files: &'a dyn Files,
    out: &'a mut Diagnostics,
}

impl Loader<'_> {
    /// Parses a file.
    fn enter(&mut self, name: &str, text: Arc<str>) -> FileId {
        let at = self.loaded.sources.len();
        let id = SourceId(self.first.0 + u32::try_from(at).unwrap_or(u32::MAX));
        let source = Source::new(id, name, text);
        let parsed = flow_syntax::parse(&source);
        self.out.extend(parsed.diagnostics);
        self.by_name.insert(name.to_owned(), Some(FileId(at)));
        self.loaded.sources.push(source);
        self.loaded.trees.push(parsed.file);
        FileId(at)
    }

    /// Reads what a file uses.
    fn follow(&mut self, at: usize) -> Uses {
        let items = std::mem::take(&mut self.loaded.trees[at].items);
        let from = self.loaded.sources[at].name.clone();
        let mut uses = Uses::new();
        for item in &items {
            let ItemKind::Use(used) = &item.kind else {
                continue;
            };
            let what = self.read(&from, &used.path);
            let Some(alias) = self.alias(used) else {
                continue;
            };
            if let Some(first) = uses.get(&alias.text) {
                let twice = twice("used file", &alias, first.span);
                self.out
                    .push(twice.help("give one of them another name with `as`"));
                continue;
            }
            let span = alias.span;
            uses.insert(alias.text, Declared { what, span });
        }
        self.loaded.trees[at].items = items;
        uses
    }

    fn read(&mut self, from: &str, path: &ast::Name) -> Option<FileId> {
        let name = match resolve(from, &path.text) {
            Ok(name) => name,
            Err(fault) => {
                self.out.push(bad_path(path, fault));
                return None;
            }
        };
        if let Some(known) = self.by_name.get(&name) {
            return *known;
        }
        if self.loaded.sources.len() >= FILES_MAX {
            if !self.too_many {
                let message = format!("more than {FILES_MAX} files are used");
                self.out
                    .push(Diagnostic::new(codes::TOO_MANY_FILES, path.span, message));
            }
            self.too_many = true;
            return None;
        }
        match self.files.read(&name) {
            Ok(text) => Some(self.enter(&name, text)),
            Err(fault) => {
                let diagnostic = self.missing(from, path, &name, &fault);
                self.out.push(diagnostic);
                self.by_name.insert(name, None);
                None
            }
        }
    }

    /// Says that a file can't be read, and which one was meant.
    fn missing(&self, from: &str, path: &ast::Name, name: &str, fault: &FileFault) -> Diagnostic {
        let message = format!("`{name}` can't be read: {fault}");
        let diagnostic = Diagnostic::new(codes::MISSING_FILE, path.span, message);
        if *fault != FileFault::Missing {
            return diagnostic;
        }
        let exists =
            |path: &str| resolve(from, path).is_ok_and(|name| self.files.read(&name).is_ok());
        let ups = "../".repeat(from.matches('/').count());
        let guesses = [
            format!("{}.flow", path.text),
            format!("{}.flow.yaml", path.text),
            format!("{ups}{}", path.text),
        ];
        match guesses.iter().find(|guess| exists(guess)) {
            Some(guess) => diagnostic.help(format!("there is `{guess}`")).fix(
                Certainty::Likely,
                format!("write `{guess}`"),
                path.span,
                format!("\"{guess}\""),
            ),
            None => diagnostic.help("a path is relative to the file in which it stands"),
        }
    }

    /// Returns the name under which a file is used.
    fn alias(&mut self, used: &Use) -> Option<ast::Name> {
        let alias = match &used.alias {
            Some(alias) => alias.clone(),
            None => ast::Name {
                text: stem(&used.path.text).to_owned(),
                span: used.path.span,
            },
        };
        if !is_name(&alias.text) {
            let message = format!("`{}` is no name", alias.text);
            let better: String = alias
                .text
                .to_lowercase()
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            let better = if is_name(&better) {
                better
            } else {
                format!("_{better}")
            };
            let diagnostic = Diagnostic::new(codes::NAME_STYLE, alias.span, message)
                .help(format!("name it with `as {better}`"));
            self.out.push(diagnostic);
            return None;
        }
        let family = format!("{}.", alias.text);
        let after = self
            .signatures
            .steps
            .range(Arc::from(family.as_str())..)
            .next();
        if let Some((step, _)) = after
            && step.starts_with(&family)
        {
            let message = format!("`{}` is a family of steps", alias.text);
            let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, alias.span, message).help(
                format!("`{step}` could then be either: use the file `as` something else"),
            );
            self.out.push(diagnostic);
            return None;
        }
        Some(alias)
    }
}

/// `lib/shots.flow` → `shots`
fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}

fn is_name(text: &str) -> bool {
    const RESERVED: [&str; 16] = [
        "if", "then", "else", "match", "for", "in", "is", "and", "or", "not", "yield", "return",
        "true", "false", "none", "some",
    ];
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.chars().all(letters)
        && !RESERVED.contains(&text)
}

fn bad_path(path: &ast::Name, fault: PathFault) -> Diagnostic {
    let (message, help) = match fault {
        PathFault::Empty => (
            "the path names no file",
            "name a file, as in `lib/shots.flow`",
        ),
        PathFault::Absolute if path.text.starts_with('/') => (
            "the path begins at the root of the machine",
            "write it relative to this file",
        ),
        PathFault::Absolute => (
            "the path names a drive or a package",
            "write a path relative to this file; there are no packages yet",
        ),
        PathFault::Outside => (
            "the path leaves the project",
            "a workflow uses files of its own project only",
        ),
        PathFault::Letters => (
            "the path has a backslash or a control character",
            "folders are parted by `/`",
        ),
    };
    Diagnostic::new(codes::BAD_PATH, path.span, message).help(help)
}

/// Reports files that use each other in a circle, and takes the last `use` of
/// each circle out.
fn cut_circles(loaded: &mut Loaded, out: &mut Diagnostics) {
    let edges: Vec<Vec<(String, FileId, Span)>> = loaded
        .uses
        .iter()
        .map(|uses| {
            let known = uses.iter();
            known
                .filter_map(|(alias, used)| Some((alias.clone(), used.what?, used.span)))
                .collect()
        })
        .collect();
    // The files that are open, and how many of their uses were looked at.
    // Every file is reached from the entry.
    let mut open: Vec<(usize, usize)> = vec![(0, 0)];
    let mut seen = vec![false; edges.len()];
    let mut done = vec![false; edges.len()];
    seen[0] = true;
    while let Some((at, next)) = open.last_mut() {
        let at = *at;
        let Some((alias, to, span)) = edges[at].get(*next) else {
            done[at] = true;
            open.pop();
            continue;
        };
        *next += 1;
        if done[to.0] {
            continue;
        }
        if !seen[to.0] {
            seen[to.0] = true;
            open.push((to.0, 0));
            continue;
        }
        let from = open.iter().position(|(at, _)| *at == to.0).unwrap_or(0);
        let circle = open[from..].iter().map(|(at, _)| *at);
        let mut names: Vec<&str> = circle.map(|at| loaded.sources[at].name.as_str()).collect();
        let first = names[0];
        if names.len() > 8 {
            names.truncate(7);
            names.push("…");
        }
        names.push(first);
        let message = format!("files use each other in a circle: {}", names.join(" → "));
        out.push(
            Diagnostic::new(codes::USE_CYCLE, *span, message)
                .help("move what both need into a third file"),
        );
        if let Some(used) = loaded.uses[at].get_mut(alias) {
            used.what = None;
        }
    }
}

/// Warns of files of which nothing is used. What looks like a use counts, in
/// texts and comments too.
fn unused(source: &Source, tree: &ast::File, uses: &Uses, out: &mut Diagnostics) {
    if uses.is_empty() {
        return;
    }
    let paths: BTreeSet<u32> = tree
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Use(used) => Some(used.path.span.start),
            ItemKind::Enum(_)
            | ItemKind::Type(_)
            | ItemKind::Step(_)
            | ItemKind::Workflow(_)
            | ItemKind::Trigger(_)
            | ItemKind::Test(_)
            | ItemKind::Error => None,
        })
        .collect();
    let mentioned = mentioned(&source.text, &paths);
    for (alias, used) in uses {
        if used.what.is_some() && !mentioned.contains(alias.as_str()) {
            let message = format!("nothing of `{alias}` is used");
            out.push(
                Diagnostic::new(codes::UNUSED_USE, used.span, message)
                    .help(format!("use it as in `{alias}.name`, or remove the line")),
            );
        }
    }
}

/// Returns the words that stand before a dot and a letter, without those in
/// the paths that begin at the given places.
fn mentioned<'a>(text: &'a str, paths: &BTreeSet<u32>) -> BTreeSet<&'a str> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    let mut words = BTreeSet::new();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if letter(*byte) {
            continue;
        }
        let word = start..at;
        start = at + 1;
        let before = word.start.checked_sub(1).map(|at| bytes[at]);
        let after = bytes.get(at + 1).copied().unwrap_or(b' ');
        let in_path = [word.start, word.start.saturating_sub(1)]
            .iter()
            .any(|at| paths.contains(&u32::try_from(*at).unwrap_or(u32::MAX)));
        if *byte == b'.'
            && !word.is_empty()
            && !matches!(before, Some(b'.' | b'/'))
            && (after.is_ascii_alphabetic() || after == b'_')
            && !in_path
        {
            words.insert(&text[word]);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_stem() {
        assert_eq!(stem("lib/shots.flow"), "shots");
        assert_eq!(stem("shots.flow.yaml"), "shots");
        assert!(is_name("shots"));
        assert!(!is_name("my-shots"));
        assert!(!is_name("for"));
        assert!(!is_name(""));
    }

    #[test]
    fn what_stands_before_a_dot_is_mentioned() {
        let text = "use \"b.flow\" as c\ntype A = { x: c.T, y: x.y.z, f: \"a/d.flow\" }";
        let paths = BTreeSet::from([4]);
        assert_eq!(mentioned(text, &paths), BTreeSet::from(["c", "x"]));
    }
}
