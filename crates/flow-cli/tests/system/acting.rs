//! The stories in `tests/acting`: people act on runs, one command after the
//! other. `UPDATE=1` writes down what is answered.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::folder::{Folder, Ran};

#[test]
fn people_act_on_runs_as_written_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/acting");
    let is_written = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "txt") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let story = fs::read_to_string(&path).unwrap();
        let told = tell(&name, &root.join("project"), &story);
        if told != story && is_written {
            fs::write(&path, &told).unwrap();
        } else if told != story {
            wrong.push(format!("{name}:\n{told}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ; UPDATE=1 writes them",
        wrong.join("\n")
    );
}

/// Does what a story says, in a folder of its own, and writes it down again with
/// what came of it.
fn tell(name: &str, project: &Path, story: &str) -> String {
    let folder = Folder::new(&format!("acting-{name}"));
    for file in fs::read_dir(project).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        folder.write(&name, fs::read(file.path()).unwrap());
    }
    let mut told = String::new();
    let mut runs = vec!["none".to_owned()];
    let mut is_typed = false;
    for line in story.lines() {
        if line == "```" {
            is_typed = !is_typed;
            writeln!(told, "{line}").unwrap();
        } else if !is_typed {
            writeln!(told, "{line}").unwrap();
        } else if let Some(words) = line.strip_prefix("$ write ") {
            let (name, text) = words.split_once(' ').unwrap();
            folder.write(name, text);
            writeln!(told, "{line}").unwrap();
        } else if let Some(typed) = line.strip_prefix("$ flow ") {
            let words = words(&typed.replace("RUN", runs.last().unwrap()));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ran = folder.flow(&words);
            let begun = ran.err.lines().find_map(|line| line.strip_prefix("run "));
            if let Some((begun, _)) = begun.and_then(|line| line.split_once(' '))
                && runs.last().unwrap() != begun
            {
                runs.push(begun.to_owned());
            }
            writeln!(told, "{line}").unwrap();
            told.push_str(&answer(&ran, &runs, folder.path()));
        }
    }
    told
}

/// Takes a line apart as a shell does.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in line.chars() {
        match quote {
            Some(open) if open == letter => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == ' ' => words.push(String::new()),
            Some(_) | None => words.last_mut().unwrap().push(letter),
        }
    }
    words
}

/// Writes what was answered, without what is different each time.
fn answer(ran: &Ran, runs: &[String], folder: &Path) -> String {
    let mut text = String::new();
    if ran.code != Some(0) {
        writeln!(text, "? {}", ran.code.unwrap()).unwrap();
    }
    for line in ran.err.lines().chain(ran.out.lines()) {
        let (run, former) = runs.split_last().unwrap();
        let mut line = line.replace(run, "RUN");
        for run in former.iter().skip(1) {
            line = line.replace(run, "FORMER");
        }
        let line = line.replace(&*folder.to_string_lossy(), "FOLDER");
        let line = without_sizes(&without_keys(&without_times(&line)));
        if line.is_empty() {
            continue;
        }
        writeln!(text, "{line}").unwrap();
    }
    text.push('\n');
    text
}

/// What stands behind a length of time that is different each time.
const AGO: [char; 5] = ['s', ' ', 'a', 'g', 'o'];

/// Writes `TIME` for instants, and `0s` for lengths of time.
fn without_times(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    let is_digit = |at: usize| letters.get(at).is_some_and(char::is_ascii_digit);
    let mut text = String::new();
    let mut at = 0;
    while at < letters.len() {
        let before = text.chars().last();
        let starts = is_digit(at) && !before.is_some_and(char::is_alphanumeric);
        if !starts {
            text.push(letters[at]);
            at += 1;
            continue;
        }
        let is_instant = |letter: &char| letter.is_ascii_digit() || "-:.TZ".contains(*letter);
        let end = letters[at..].iter().position(|letter| !is_instant(letter));
        let end = end.map_or(letters.len(), |end| at + end);
        let word: String = letters[at..end].iter().collect();
        let word = word.trim_end_matches([':', '.']);
        let end = at + word.len();
        let number = letters[at..]
            .iter()
            .position(|letter| !(letter.is_ascii_digit() || *letter == '.'));
        let number = number.map_or(letters.len(), |end| at + end);
        if word.len() > 10 && word.contains('T') {
            text.push_str("TIME");
            at = end;
        } else if letters.get(number) == Some(&'s')
            && (letters[at..number].contains(&'.') || letters[number..].starts_with(&AGO))
            && !letters
                .get(number + 1)
                .is_some_and(|letter| letter.is_alphanumeric())
        {
            text.push_str("0s");
            at = number + 1;
        } else {
            text.push_str(&letters[at..number].iter().collect::<String>());
            at = number;
        }
    }
    text
}

/// Writes `KEY` for digests, which are other ones for each run.
fn without_keys(line: &str) -> String {
    let mut text = line.to_owned();
    while let Some(at) = key(&text) {
        text.replace_range(at..at + 64, "KEY");
    }
    text
}

fn key(text: &str) -> Option<usize> {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let mut all = text.as_bytes().windows(64);
    all.position(|some| some.iter().all(is_hex))
}

/// Writes `SIZE` for how many bytes plans have, which is nobody's business here.
fn without_sizes(line: &str) -> String {
    let is_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut parts = line.split(" kB").peekable();
    let mut text = String::new();
    while let Some(part) = parts.next() {
        if parts.peek().is_some() {
            text.push_str(part.trim_end_matches(is_number));
            text.push_str("SIZE");
        } else {
            text.push_str(part);
        }
    }
    for name in ["\"bytes\":", "\"rest\":"] {
        if let Some((before, after)) = text.clone().split_once(name) {
            text = format!("{before}{name}SIZE{}", after.trim_start_matches(is_number));
        }
    }
    text
}
