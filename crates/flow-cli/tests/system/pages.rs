//! What the documentation types is typed, and answered as it is written.
//!
//! The blocks of a page are one story, in a folder of its own: `file=PATH` writes
//! a file, and a `console` block is a session:
//!
//! ```console
//! $ flow run hello.flow name=Ada     # exit code 0, which need not be said
//! run kotemi of `hello`
//! ...
//! ```
//!
//! `[..]` stands for anything in a line, a line `...` for any lines. The name of
//! a run is another each time: the one that is written where a run begins stands
//! for it from there on.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::folder::Folder;

/// What a page has, in order.
enum Part {
    File { path: String, text: String },
    Session { line: usize, text: String },
}

#[test]
fn every_session_goes_as_it_is_written() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut pages: Vec<PathBuf> = fs::read_dir(docs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.sort();
    let told: usize = pages.iter().map(|page| tell(page)).sum();
    assert!(told > 5, "the documentation has sessions");
}

/// Goes through a page; returns how many commands it has.
fn tell(page: &Path) -> usize {
    let parts = parts(&fs::read_to_string(page).unwrap());
    if !parts
        .iter()
        .any(|part| matches!(part, Part::Session { .. }))
    {
        return 0;
    }
    let needs_python = parts.iter().any(|part| match part {
        Part::File { path, .. } => Path::new(path).extension().is_some_and(|e| e == "py"),
        Part::Session { .. } => false,
    });
    if needs_python && !has_python() {
        let said = format!("there is no python3: {} is not typed\n", page.display());
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        return 0;
    }
    let name = page.file_stem().unwrap().to_str().unwrap();
    let folder = Folder::new(&format!("page-{name}"));
    let mut names = BTreeMap::new();
    let mut count = 0;
    for part in parts {
        match part {
            Part::File { path, text } => {
                folder.write(&path, text);
            }
            Part::Session { line, text } => {
                let place = format!("{}:{line}", page.display());
                count += session(&folder, &place, &text, &mut names);
            }
        }
    }
    count
}

fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output();
    found.is_ok_and(|output| output.status.success())
}

fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut open: Option<(Vec<String>, usize, String)> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let words = info.split_whitespace().map(str::to_owned).collect();
                open = Some((words, at + 2, String::new()));
            }
            (Some(_), Some("")) => {
                let (words, line, text) = open.take().unwrap();
                let path = words.iter().find_map(|word| word.strip_prefix("file="));
                if let Some(path) = path {
                    let path = path.to_owned();
                    parts.push(Part::File { path, text });
                } else if words.first().is_some_and(|word| word == "console") {
                    parts.push(Part::Session { line, text });
                }
            }
            (Some((_, _, text)), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    parts
}

/// Types the commands of a session; returns how many there are.
fn session(
    folder: &Folder,
    place: &str,
    text: &str,
    names: &mut BTreeMap<String, String>,
) -> usize {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command, Vec::new()));
        } else {
            let (_, answer) = commands.last_mut().expect("a session begins with `$ `");
            answer.push(line);
        }
    }
    for (command, answer) in &commands {
        let (typed, code) = match command.split_once("# exit code ") {
            Some((typed, code)) => (typed, code.trim().parse().unwrap()),
            None => (*command, 0),
        };
        let (said, found) = run(folder, &renamed(typed, names));
        learn(answer, &said, names);
        let expected: Vec<String> = answer.iter().map(|line| renamed(line, names)).collect();
        let lines: Vec<&str> = said.trim_end().lines().collect();
        let expected: Vec<&str> = expected.iter().map(|line| line.trim_end()).collect();
        let expected = match expected.as_slice() {
            [rest @ .., ""] => rest,
            all => all,
        };
        assert!(
            fits(expected, &lines),
            "{place}: `{command}` is answered\n{said}\nand not\n{}",
            expected.join("\n")
        );
        assert_eq!(
            found,
            Some(code),
            "{place}: the exit code of `{command}`\n{said}"
        );
    }
    commands.len()
}

fn run(folder: &Folder, command: &str) -> (String, Option<i32>) {
    let flow = Path::new(env!("CARGO_BIN_EXE_flow"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", flow.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1")
        .env_remove("GITHUB_ACTIONS")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (said, output.status.code())
}

/// Learns which run a name stands for.
fn learn(answer: &[&str], said: &str, names: &mut BTreeMap<String, String>) {
    let name = |line: &str| -> Option<String> {
        let rest = line.strip_prefix("run ")?;
        let (name, _) = rest.split_once(" of `")?;
        Some(name.to_owned())
    };
    let written = answer.iter().filter_map(|line| name(line));
    let found = said.lines().filter_map(name);
    names.extend(written.zip(found).filter(|(written, _)| written != "[..]"));
}

fn renamed(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (written, found) in names {
        text = text.replace(written, found);
    }
    text
}

fn fits(expected: &[&str], lines: &[&str]) -> bool {
    match (expected, lines) {
        ([], []) => true,
        (["...", rest @ ..], _) => (0..=lines.len()).any(|skip| fits(rest, &lines[skip..])),
        ([first, rest @ ..], [line, others @ ..]) => {
            line_fits(first, line.trim_end()) && fits(rest, others)
        }
        _ => false,
    }
}

fn line_fits(expected: &str, line: &str) -> bool {
    let Some((head, rest)) = expected.split_once("[..]") else {
        return expected == line;
    };
    let Some(line) = line.strip_prefix(head) else {
        return false;
    };
    let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    let mut ends = ends;
    ends.any(|at| line_fits(rest, &line[at..]))
}
