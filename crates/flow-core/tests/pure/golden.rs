//! Whatever was ever recorded still loads, and still means the same.
//!
//! `UPDATE=1` records facts, values and keys of which there is no record yet,
//! in new files. It never touches one that is there: a record that doesn't hold
//! any more is a promise that was broken.
#![expect(clippy::unwrap_used, reason = "test harness")]
#![expect(clippy::disallowed_methods, reason = "records are files")]
#![expect(clippy::disallowed_types, reason = "records are files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flow_core::event::Event;
use flow_core::letter::{Letter, Reply};
use flow_core::plan::Plan;
use flow_core::value::Value;

use crate::key;
use crate::sample::{Dice, VALUES};

fn folder(name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crates.ancestors().nth(2).unwrap();
    root.join("tests/golden/v1").join(name)
}

/// Returns the files of a folder with that ending, in order.
fn files(name: &str, ending: &str) -> Vec<PathBuf> {
    // What was never recorded has no folder.
    let entries = fs::read_dir(folder(name)).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    paths.sort();
    paths
}

/// Returns the plans that were recorded.
pub(crate) fn plans() -> Vec<Plan> {
    let plans = files("plans", "json").into_iter();
    plans
        .map(|path| Plan::from_json(&fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

#[test]
fn recorded_plans_load_and_keep_their_digests() {
    let plans = files("plans", "json");
    assert!(plans.len() >= 5, "plans were recorded");
    for path in plans {
        let text = fs::read_to_string(&path).unwrap();
        let plan = Plan::from_json(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let digest = fs::read_to_string(path.with_extension("digest")).unwrap();
        assert_eq!(
            plan.digest().to_string(),
            digest.trim(),
            "{}",
            path.display()
        );
    }
}

#[test]
fn recorded_logs_are_read_as_what_they_were() {
    let samples = (1..=50).flat_map(|seed| Dice(seed).events()).collect();
    golden(&Records {
        folder: "logs",
        samples,
        kind: |event: &Event| event.fact.kind(),
        encode: |event| {
            let mut bytes = Vec::new();
            event.encode(&mut bytes).unwrap();
            bytes
        },
        decode: |bytes| Event::decode(bytes).unwrap(),
    });
}

#[test]
fn recorded_letters_are_read_as_what_they_were() {
    golden(&Records {
        folder: "letters",
        samples: (1..=20).flat_map(|seed| Dice(seed).letters()).collect(),
        kind: |_| 0,
        encode: |letter: &Letter| {
            let mut bytes = Vec::new();
            letter.encode(&mut bytes).unwrap();
            bytes
        },
        decode: |bytes| Letter::decode(bytes).unwrap(),
    });
    golden(&Records {
        folder: "replies",
        samples: (1..=5).flat_map(|seed| Dice(seed).replies()).collect(),
        kind: |_| 0,
        encode: |reply: &Reply| {
            let mut bytes = Vec::new();
            reply.encode(&mut bytes).unwrap();
            bytes
        },
        decode: |bytes| Reply::decode(bytes).unwrap(),
    });
}

#[test]
fn recorded_values_are_read_as_what_they_were() {
    let encode = |value: &Value| {
        let mut bytes = Vec::new();
        value.encode(&mut bytes).unwrap();
        bytes
    };
    golden(&Records {
        folder: "values",
        samples: (1..=5)
            .flat_map(|seed| (0..VALUES).map(move |kind| Dice(seed).value_of(kind, 3)))
            .collect(),
        // The number of its kind is the first thing that is written.
        kind: |value| {
            let mut bytes = Vec::new();
            value.encode(&mut bytes).unwrap();
            bytes[0]
        },
        encode,
        decode: |bytes| Value::decode(bytes).unwrap(),
    });
}

#[test]
fn recorded_keys_are_what_they_were() {
    let samples = key::samples();
    let computed: BTreeMap<_, _> = samples.iter().cloned().collect();
    assert_eq!(computed.len(), samples.len(), "every sample has its name");
    let mut known = BTreeSet::new();
    let records = files("keys", "txt");
    for path in &records {
        for line in fs::read_to_string(path).unwrap().lines() {
            let (name, recorded) = line.split_once(": ").unwrap();
            let found = computed.get(name).map(String::as_str);
            assert_eq!(found, Some(recorded), "{}: {name}", path.display());
            known.insert(name.to_owned());
        }
    }
    let is_new = |(name, _): &&(String, String)| !known.contains(name);
    let new: Vec<_> = samples.iter().filter(is_new).collect();
    if new.is_empty() {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "there is no record of {new:?}; UPDATE=1 makes one"
    );
    let text = new.iter().fold(String::new(), |mut text, (name, key)| {
        writeln!(text, "{name}: {key}").unwrap();
        text
    });
    write(
        &folder("keys").join(format!("{:02}.txt", records.len() + 1)),
        &text,
    );
}

/// What is recorded of one sort: a line of digits for each, and beside it a
/// text that says what it is.
struct Records<T> {
    folder: &'static str,
    /// Some of every kind.
    samples: Vec<T>,
    kind: fn(&T) -> u8,
    encode: fn(&T) -> Vec<u8>,
    decode: fn(&[u8]) -> T,
}

fn golden<T: Debug>(records: &Records<T>) {
    let mut known = BTreeSet::new();
    let logs = files(records.folder, "log");
    for path in &logs {
        let text = fs::read_to_string(path).unwrap();
        let meant = fs::read_to_string(path.with_extension("txt")).unwrap();
        let place = path.display();
        assert_eq!(text.lines().count(), meant.lines().count(), "{place}");
        for (at, (line, meant)) in (1..).zip(text.lines().zip(meant.lines())) {
            let bytes = bytes(line);
            let it = (records.decode)(&bytes);
            assert_eq!(words(&it), meant, "{place}:{at}");
            assert_eq!((records.encode)(&it), bytes, "{place}:{at}");
            known.extend(features(records, &it));
        }
    }
    let mut new = Vec::new();
    for sample in &records.samples {
        let before = known.len();
        known.extend(features(records, sample));
        if known.len() > before {
            new.push(sample);
        }
    }
    if new.is_empty() {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "there is no record of something in {new:?}; UPDATE=1 makes one"
    );
    record(records, &new, logs.len() + 1);
}

/// Returns what has to be recorded once: its kind, and the names of all fields
/// and variants in it.
fn features<T: Debug>(records: &Records<T>, it: &T) -> BTreeSet<String> {
    let text = format!("{it:?}");
    let names = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|name| !name.contains(|c: char| c.is_ascii_digit()));
    let mut features: BTreeSet<_> = names.map(str::to_owned).collect();
    features.insert((records.kind)(it).to_string());
    features
}

fn record<T: Debug>(records: &Records<T>, new: &[&T], number: usize) {
    let folder = folder(records.folder);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{number:02}.log"));
    let mut log = String::new();
    let mut text = String::new();
    for it in new {
        let bytes = (records.encode)(it);
        writeln!(log, "{}", digits(&bytes)).unwrap();
        writeln!(text, "{}", words(it)).unwrap();
    }
    write(&path, &log);
    write(&path.with_extension("txt"), &text);
}

/// Writes a file that isn't there.
fn write(path: &Path, text: &str) {
    let mut file = fs::File::create_new(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Says in a line what something is. What is nothing, zero or empty isn't
/// mentioned, so that a later field changes no record.
fn words(it: &impl Debug) -> String {
    let text = format!("{it:#?}");
    let nothing = [": None,", ": [],", ": {},", ": \"\",", ": 0,", ": false,"];
    let said = text
        .lines()
        .map(str::trim)
        .filter(|line| !nothing.iter().any(|nothing| line.ends_with(nothing)));
    said.collect::<Vec<_>>().join(" ")
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn bytes(digits: &str) -> Vec<u8> {
    assert!(digits.is_ascii() && digits.len().is_multiple_of(2));
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// Runs that were recorded come to the same end when they are replayed.
#[test]
fn recorded_runs_come_to_the_same_end() {
    let runs = folder("runs");
    let mut count = 0;
    for entry in fs::read_dir(&runs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "events") {
            continue;
        }
        let plan = fs::read_to_string(path.with_extension("json")).unwrap();
        let plan = std::sync::Arc::new(Plan::from_json(&plan).unwrap());
        let text = fs::read_to_string(&path).unwrap();
        let events = text.lines().map(|line| {
            let bytes: Vec<u8> = (0..line.len() / 2)
                .map(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap())
                .collect();
            Event::decode(&bytes).unwrap()
        });
        let run = flow_core::run::Run::replay(&|_| Some(plan.clone()), events).unwrap();
        let costs = run.costs();
        let end = format!("{:?} {:?} {costs:?}\n", run.standing(), run.status());
        let expected = fs::read_to_string(path.with_extension("end")).unwrap();
        assert_eq!(end, expected, "{}", path.display());
        count += 1;
    }
    assert!(count >= 9, "runs were recorded");
}
