//! Patterns of paths, and the files that fit them.
//!
//! `*` stands for letters without `/`, `**` for any folders, `?` for one letter,
//! `[ab]` for one of them, `[!ab]` for any other, `{a,b}` for either word. What
//! begins with a dot is meant only if the pattern says so.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use flow_core::effect::FailureClass;
use flow_core::step::StepFailure;
use regex_lite::Regex;
use rustix::fs::{AtFlags, Dir, FileType};

use crate::given::invalid;
use crate::inside::{Inside, PathFault, open_folder};

/// How many folders deep is searched.
const DEPTH_MAX: usize = 64;

/// How many patterns one may be with all its words.
const WORDS_MAX: usize = 1000;

/// A pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: Box<str>,
    /// One for each choice of words.
    all: Vec<Way>,
}

/// A pattern without choices.
#[derive(Debug)]
struct Way {
    /// The folder before the first sign, as it is written.
    begin: Vec<Box<str>>,
    parts: Vec<Part>,
}

/// What stands between two `/`.
#[derive(Debug)]
enum Part {
    /// `**`
    Folders,
    Name {
        fits: Regex,
        hidden: bool,
    },
}

/// Returns whether a text is a pattern of paths.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn read(text: &str) -> Result<Self, StepFailure> {
        let wrong = || invalid(format!("`{text}` is no pattern of paths"));
        let words = words(text).ok_or_else(wrong)?;
        let all = words.iter().map(|word| Way::read(word));
        Ok(Self {
            text: text.into(),
            all: all.collect::<Option<_>>().ok_or_else(wrong)?,
        })
    }

    /// Returns the files that fit it, in order, but not more than so many.
    pub(crate) fn find(&self, inside: &Inside, most: usize) -> Result<Vec<String>, StepFailure> {
        let mut search = Search {
            inside,
            text: &self.text,
            most,
            found: BTreeSet::new(),
        };
        for way in &self.all {
            search.way(way)?;
        }
        Ok(search.found.into_iter().collect())
    }
}

impl Way {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() || text.contains('\0') {
            return None;
        }
        let mut begin: Vec<Box<str>> = Vec::new();
        let mut parts = Vec::new();
        let names: Vec<&str> = pieces(text)?;
        let last = names.len() - 1;
        for (at, name) in names.into_iter().enumerate() {
            let is_plain = !is_pattern(name) && parts.is_empty();
            match name {
                // The first one of an absolute path is empty.
                "" if at == 0 && last > 0 => begin.push("".into()),
                "" | "." if at < last => {}
                _ if is_plain && at < last => begin.push(name.into()),
                ".." | "." | "" => return None,
                "**" => parts.push(Part::Folders),
                name => parts.push(Part::Name {
                    fits: expression(name)?,
                    hidden: name.starts_with('.'),
                }),
            }
        }
        Some(Self { begin, parts })
    }

    fn is_last(&self, at: usize) -> bool {
        at + 1 == self.parts.len()
    }
}

/// A search through folders.
struct Search<'a> {
    inside: &'a Inside,
    text: &'a str,
    most: usize,
    found: BTreeSet<String>,
}

impl Search<'_> {
    fn way(&mut self, way: &Way) -> Result<(), StepFailure> {
        let begin = way.begin.join("/");
        let folder = match way.begin.as_slice() {
            [] => self.inside.folder("."),
            [root] if root.is_empty() => self.inside.folder("/"),
            _ => self.inside.folder(&begin),
        };
        let folder = match folder {
            Ok(folder) => folder,
            // Nothing is in a folder that isn't there.
            Err(PathFault::Missing { .. }) => return Ok(()),
            Err(fault) => return Err(fault.into()),
        };
        let above = match begin.as_str() {
            "" if way.begin.is_empty() => String::new(),
            begin => format!("{begin}/"),
        };
        self.folder(&folder, &above, way, &BTreeSet::from([0]), 0)
    }

    /// Searches a folder. `at` are the parts that may come next.
    fn folder(
        &mut self,
        folder: &OwnedFd,
        above: &str,
        way: &Way,
        at: &BTreeSet<usize>,
        depth: usize,
    ) -> Result<(), StepFailure> {
        if depth > DEPTH_MAX {
            let text = self.text;
            let message = format!("`{text}` is searched for in more than {DEPTH_MAX} folders deep");
            return Err(invalid(message));
        }
        // `**` may stand for no folder at all.
        let mut at = at.clone();
        for part in 0..way.parts.len() {
            if at.contains(&part) && matches!(way.parts[part], Part::Folders) && !way.is_last(part)
            {
                at.insert(part + 1);
            }
        }
        let failed = |error| {
            let error = io::Error::from(error);
            let message = format!("`{above}` can't be searched: {error}");
            StepFailure::unsent(FailureClass::Transient, message)
        };
        for entry in Dir::read_from(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A name that is no text can't be said in the language either.
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if name == "." || name == ".." {
                continue;
            }
            let kind = kind(folder, name, entry.file_type());
            let path = format!("{above}{name}");
            match kind {
                FileType::Directory => {
                    let next = way.next(&at, name);
                    if !next.is_empty() {
                        self.enter(folder, name, &path, way, &next, depth)?;
                    }
                }
                FileType::RegularFile if way.ends(&at, name) => self.add(path)?,
                FileType::Symlink if way.ends(&at, name) && self.inside.open(&path).is_ok() => {
                    self.add(path)?;
                }
                FileType::RegularFile
                | FileType::Symlink
                | FileType::Fifo
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Socket
                | FileType::Unknown => {}
            }
        }
        Ok(())
    }

    fn enter(
        &mut self,
        folder: &OwnedFd,
        name: &str,
        path: &str,
        way: &Way,
        next: &BTreeSet<usize>,
        depth: usize,
    ) -> Result<(), StepFailure> {
        // One that is gone or closed has nothing to be found.
        let Ok(opened) = open_folder(folder, OsStr::from_bytes(name.as_bytes())) else {
            return Ok(());
        };
        if self.inside.see_to(path, &opened).is_err() {
            return Ok(());
        }
        self.folder(&opened, &format!("{path}/"), way, next, depth + 1)
    }

    fn add(&mut self, path: String) -> Result<(), StepFailure> {
        self.found.insert(path);
        if self.found.len() > self.most {
            let (most, text) = (self.most, self.text);
            return Err(invalid(format!("more than {most} files fit `{text}`")));
        }
        Ok(())
    }
}

/// Some file systems don't say what a name is of.
fn kind(folder: &OwnedFd, name: &str, said: FileType) -> FileType {
    if said != FileType::Unknown {
        return said;
    }
    let facts = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    facts.map_or(FileType::Unknown, |facts| {
        FileType::from_raw_mode(facts.st_mode)
    })
}

impl Way {
    /// Returns the parts that may come in a folder of this name.
    fn next(&self, at: &BTreeSet<usize>, name: &str) -> BTreeSet<usize> {
        let mut next = BTreeSet::new();
        for part in at {
            match &self.parts[*part] {
                Part::Folders if !name.starts_with('.') => {
                    next.insert(*part);
                }
                Part::Name { fits, hidden }
                    if !self.is_last(*part)
                        && (*hidden || !name.starts_with('.'))
                        && fits.is_match(name) =>
                {
                    next.insert(part + 1);
                }
                Part::Folders | Part::Name { .. } => {}
            }
        }
        next
    }

    /// Returns whether a file of this name fits.
    fn ends(&self, at: &BTreeSet<usize>, name: &str) -> bool {
        at.iter().any(|part| {
            self.is_last(*part)
                && match &self.parts[*part] {
                    Part::Folders => !name.starts_with('.'),
                    Part::Name { fits, hidden } => {
                        (*hidden || !name.starts_with('.')) && fits.is_match(name)
                    }
                }
        })
    }
}

/// Cuts a pattern at each `/`; none may stand between brackets.
fn pieces(text: &str) -> Option<Vec<&str>> {
    let pieces: Vec<&str> = text.split('/').collect();
    let is_open = |piece: &&str| expression_of_brackets(piece).is_none();
    (!pieces.iter().any(is_open)).then_some(pieces)
}

/// Returns nothing if a bracket stays open.
fn expression_of_brackets(piece: &str) -> Option<()> {
    if is_pattern(piece) {
        expression(piece)?;
    }
    Some(())
}

/// Writes a pattern out for each choice of its words.
fn words(text: &str) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    let mut rest = text;
    while let Some(at) = open_brace(rest) {
        let (before, behind) = (&rest[..at], &rest[at + 1..]);
        let (inside, after) = behind.split_once('}')?;
        if inside.contains('{') {
            return None;
        }
        let words: Vec<&str> = inside.split(',').collect();
        if all.len().checked_mul(words.len())? > WORDS_MAX {
            return None;
        }
        let longer = all.iter().flat_map(|begin| {
            words
                .iter()
                .map(move |word| format!("{begin}{before}{word}"))
        });
        all = longer.collect();
        rest = after;
    }
    for word in &mut all {
        word.push_str(rest);
    }
    Some(all)
}

/// Finds a brace that isn't between brackets.
fn open_brace(text: &str) -> Option<usize> {
    let mut bracket = None;
    for (at, letter) in text.char_indices() {
        match (letter, bracket) {
            ('[', None) => bracket = Some(at),
            (']', Some(begin)) if at > begin + 1 => bracket = None,
            ('{', None) => return Some(at),
            _ => {}
        }
    }
    None
}

/// Makes the expression that a name has to match.
fn expression(name: &str) -> Option<Regex> {
    let mut out = String::from("^");
    let mut rest = name.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                out.push('[');
                if let Some('!' | '^') = rest.clone().next() {
                    rest.next();
                    out.push('^');
                }
                let mut count = 0;
                loop {
                    match rest.next()? {
                        ']' if count > 0 => break,
                        c @ ('\\' | '[' | ']' | '^' | '&' | '~') => out.extend(['\\', c]),
                        c => out.push(c),
                    }
                    count += 1;
                }
                out.push(']');
            }
            letter => {
                let mut buffer = [0; 4];
                out.push_str(&regex_lite::escape(letter.encode_utf8(&mut buffer)));
            }
        }
    }
    out.push('$');
    Regex::new(&format!("(?s){out}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    fn folder(files: &[&str]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    fn found(folder: &Path, pattern: &str) -> Vec<String> {
        let inside = Inside::new(folder, &[], &[folder.join(".flow")]);
        Pattern::read(pattern).unwrap().find(&inside, 100).unwrap()
    }

    #[test]
    fn patterns_mean_what_they_are_documented_to() {
        let files = [
            "a.wav",
            "ab.txt",
            "b.txt",
            "a+(b)",
            "über",
            "out/a.png",
            "out/b.jpg",
            "out/.c.png",
            "out/x/a.png",
            "x/y/a.wav",
            ".x/a.wav",
            ".flow/a.wav",
            "[",
        ];
        let folder = folder(&files);
        for (pattern, expected) in [
            ("out/*.png", &["out/a.png"][..]),
            ("./out//*.png", &["out/a.png"]),
            ("out/.*.png", &["out/.c.png"]),
            ("out/**", &["out/a.png", "out/b.jpg", "out/x/a.png"]),
            ("**/*.wav", &["a.wav", "x/y/a.wav"]),
            ("**/a.png", &["out/a.png", "out/x/a.png"]),
            ("*/*/a.*", &["out/x/a.png", "x/y/a.wav"]),
            (".*/*.wav", &[".x/a.wav"]),
            ("a?.txt", &["ab.txt"]),
            ("[ab].txt", &["b.txt"]),
            ("[!b]*.txt", &["ab.txt"]),
            ("{ab,b}.txt", &["ab.txt", "b.txt"]),
            ("{out/x,x/y}/*", &["out/x/a.png", "x/y/a.wav"]),
            ("out/*.{jpg,png}", &["out/a.png", "out/b.jpg"]),
            ("a+(*)", &["a+(b)"]),
            ("ü*", &["über"]),
            ("[[]", &["["]),
            ("none/*", &[]),
        ] {
            assert_eq!(found(folder.path(), pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            "[", "[a", "[]", "{a", "{a,{b}}", "[a/b]", "", "*/..", "*/", "a\0*",
        ] {
            assert!(Pattern::read(pattern).is_err(), "{pattern}");
        }
        let many = "{a,b}".repeat(30);
        assert!(Pattern::read(&many).is_err());
    }

    #[test]
    fn more_files_than_may_be_are_a_failure_and_so_is_a_way_out() {
        let folder = folder(&["a", "b", "c"]);
        let inside = Inside::new(folder.path(), &[], &[]);
        let find = |pattern: &str, most| Pattern::read(pattern).unwrap().find(&inside, most);
        assert_eq!(find("*", 3).unwrap().len(), 3);
        let said = find("*", 2).unwrap_err().message;
        assert_eq!(&*said, "more than 2 files fit `*`");
        for pattern in ["../*", "/etc/*", "/*"] {
            let said = find(pattern, 9).unwrap_err().message;
            assert!(said.contains("leads out of its folder"), "{said}");
        }
    }

    #[test]
    fn links_to_folders_are_not_followed_and_links_out_are_not_listed() {
        let folder = folder(&["a/x", "b"]);
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        };
        link("a", "again");
        link("b", "same");
        link("/etc/hostname", "out");
        assert_eq!(found(folder.path(), "**"), ["a/x", "b", "same"]);
    }
}
