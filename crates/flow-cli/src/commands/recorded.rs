//! Tests of the commands that ask, on recorded runs: what they say of a run that
//! ended after any of its events.
//!
//! What is said is in `tests/asking`; `UPDATE=1` writes it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use flow_core::address::RunId;
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::event::{Event, Fact, Status};
use flow_core::plan::{NodeId, NodeKind, Plan};
use flow_core::run::{Run, Standing};
use flow_runtime::store::layout::Layout;
use flow_runtime::store::{
    Append, Batch, Begin, Counts, EPOCH_FIRST, EventRow, Hold, Level, NewValue, Options, Phase,
    Reader, Store, Summary,
};
use tempfile::TempDir;

use super::{doctor, show, why};
use crate::archive::Archive;
use crate::args::{Cli, Command};
use crate::exit::Failure;
use crate::output::Looks;
use crate::page::{is_wild, wide};

/// A recorded run in a store of its own.
struct Recorded {
    archive: Archive,
    _folder: TempDir,
}

fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    crates.ancestors().nth(2).unwrap().to_path_buf()
}

fn read(name: &str) -> (Arc<Plan>, String, Vec<Event>) {
    let path = root().join("tests/golden/v1/runs").join(name);
    let text = fs::read_to_string(path.with_extension("json")).unwrap();
    let plan = Arc::new(Plan::from_json(&text).unwrap());
    let lines = fs::read_to_string(path.with_extension("events")).unwrap();
    let events = lines.lines().map(|line| {
        let bytes: Vec<u8> = (0..line.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap())
            .collect();
        Event::decode(&bytes).unwrap()
    });
    (plan, text, events.collect())
}

/// Returns how lists of runs would put it.
fn summary(run: &Run) -> Summary {
    let phase = match (run.standing(), run.status()) {
        (_, Some(Status::Succeeded)) => Phase::Succeeded,
        (_, Some(Status::Failed)) => Phase::Failed,
        (_, Some(Status::Cancelled)) => Phase::Cancelled,
        (Standing::Waiting | Standing::Unknown, None) => Phase::Waiting,
        (Standing::Sleeping(_), None) => Phase::Sleeping,
        (Standing::Short, None) => Phase::Short,
        (Standing::Paused, None) => Phase::Paused,
        (Standing::Working | Standing::Over, None) => Phase::Working,
    };
    let costs = run.costs();
    Summary {
        at: run.last_at(),
        phase,
        counts: Counts::default(),
        spent: costs.spent.saturating_add(costs.presumed),
        held: costs.held,
        wake: run.next_wake(),
        note: None,
    }
}

/// Returns what a run is called that ended after so many events.
fn called(count: usize) -> String {
    format!("r{count:02}")
}

/// Makes a run of the first events of another.
fn batch(plan: &Arc<Plan>, text: &str, events: &[Event]) -> Batch {
    let run = Run::replay(&|_| Some(plan.clone()), events.to_vec()).unwrap();
    let Fact::RunStarted(start) = &events[0].fact else {
        panic!("a run starts");
    };
    let id = RunId(called(events.len()).into());
    let mut append = Append::new(id, EPOCH_FIRST, 0);
    append.begin = Some(Begin {
        workflow: run.workflow().clone(),
        plan: start.plan,
        at: events[0].at,
        firing: None,
    });
    append.events = (0..)
        .zip(events)
        .map(|(seq, event)| {
            let mut body = Vec::new();
            event.fact.encode(&mut body).unwrap();
            EventRow {
                seq,
                at: event.at,
                kind: event.fact.kind(),
                node: NodeId(0),
                body,
            }
        })
        .collect();
    append.references = vec![start.plan];
    append.summary = Some(summary(&run));
    append.hold = Hold::Released;
    Batch {
        level: Level::Lazy,
        append: Some(append),
        values: vec![NewValue {
            digest: start.plan,
            body: text.as_bytes().into(),
            blobs: Vec::new(),
        }],
        ..Batch::default()
    }
}

/// Makes a store of a recorded run: as it was after each of its events.
fn recorded(name: &str) -> Recorded {
    let (plan, text, events) = read(name);
    let batches = (1..=events.len()).map(|count| batch(&plan, &text, &events[..count]));
    let last = events.last().unwrap().at;
    stored(batches, last.checked_add(Duration::MINUTE).unwrap())
}

fn stored(batches: impl Iterator<Item = Batch>, now: Timestamp) -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let options = Options {
        free_min: 0,
        ..Options::default()
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&store, options).unwrap();
        for batch in batches {
            store.commit(batch).await.unwrap();
        }
        store.close().await.unwrap();
    });
    let layout = Layout::new(&store);
    Recorded {
        archive: Archive {
            reader: Reader::open(&layout).unwrap(),
            layout,
            now,
        },
        _folder: folder,
    }
}

const PLAIN: Looks = Looks {
    width: 100,
    color: false,
    unicode: true,
};

/// Asks something of a recorded run, after so many events.
fn ask(recorded: &Recorded, count: usize, line: &[&str], looks: Looks) -> Result<String, Failure> {
    let (verb, rest) = line.split_first().unwrap();
    let run = called(count);
    let words = ["flow", verb, &run];
    let words = words.iter().chain(rest);
    let command = Cli::try_parse_from(words).unwrap().command;
    if let Command::Show(args) = command {
        return show::answer(&recorded.archive, &args, &|_| None, looks);
    }
    let Command::Why(args) = command else {
        panic!("only these are asked here");
    };
    why::answer(&recorded.archive, &args, looks)
}

fn names() -> Vec<String> {
    let folder = fs::read_dir(root().join("tests/golden/v1/runs")).unwrap();
    let names = folder.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".events").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Questions whose answers are written down: of which run, after how many
/// events, and what.
const QUESTIONS: &[(&str, usize, &[&str])] = &[
    ("asked", 6, &["show"]),
    ("asked", 6, &["why", "sent"]),
    ("asked", 6, &["why", "ok"]),
    ("asked", 99, &["why", "sent"]),
    ("asked", 99, &["show", "done"]),
    ("asked", 99, &["show", "--format", "json"]),
    ("blocked", 6, &["show"]),
    ("blocked", 6, &["why"]),
    ("blocked", 6, &["why", "second", "--format", "json"]),
    ("blocked", 7, &["show"]),
    ("blocked", 99, &["show", "first"]),
    ("chain", 3, &["show"]),
    ("chain", 3, &["why", "drawn"]),
    ("chain", 3, &["why", "cut"]),
    ("chain", 99, &["why", "drawn"]),
    ("items", 9, &["show"]),
    ("items", 99, &["show"]),
    ("items", 99, &["show", "--format", "json"]),
    (
        "items",
        99,
        &["show", "shots", "--items", "--state", "failed"],
    ),
    ("items", 99, &["why", "shots[1]"]),
    ("items", 99, &["why", "shots[2]/long"]),
    ("items", 99, &["why", "shots[0]/long/then/big"]),
    ("late", 5, &["show"]),
    ("late", 99, &["show"]),
    ("late", 99, &["why", "slow"]),
    ("loop", 5, &["show"]),
    ("loop", 99, &["why", "last"]),
    ("paid", 3, &["show"]),
    ("paid", 6, &["why", "drawn"]),
    ("paid", 99, &["show"]),
    ("paid", 99, &["why", "drawn", "--format", "json"]),
    ("race", 4, &["show"]),
    ("race", 99, &["show"]),
    ("race", 99, &["why", "near"]),
    ("race", 99, &["why", "first"]),
    ("race", 99, &["why", "first/else/shell.run"]),
    ("unknown", 99, &["show"]),
    ("unknown", 99, &["why", "sent"]),
    ("unknown", 99, &["why", "after_it"]),
    ("unknown", 99, &["show", "sent", "--format", "json"]),
];

#[test]
fn recorded_runs_are_explained_as_written_down() {
    let mut wrong = Vec::new();
    for name in names() {
        let all = read(&name).2.len();
        let recorded = recorded(&name);
        let mut said = String::new();
        for (_, count, line) in QUESTIONS.iter().filter(|(run, ..)| *run == name) {
            let count = (*count).min(all);
            let answer = match ask(&recorded, count, line, PLAIN) {
                Ok(answer) if line.contains(&"json") => {
                    let json: serde_json::Value = serde_json::from_str(&answer).unwrap();
                    serde_json::to_string_pretty(&json).unwrap() + "\n"
                }
                Ok(answer) => answer,
                Err(failure) => format!("{failure}\n"),
            };
            let (verb, rest) = line.split_first().unwrap();
            let run = called(count);
            writeln!(said, "$ flow {verb} {run} {}\n{answer}", rest.join(" ")).unwrap();
        }
        let path = root().join("tests/asking").join(format!("{name}.txt"));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &said).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != said {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?} differ; UPDATE=1 writes them");
}

/// Returns the paths of everything in a plan, with the first items.
fn paths(plan: &Plan) -> Vec<String> {
    let history = flow_core::history::History::new(Arc::new(plan.clone()));
    let nodes = (0..u32::try_from(plan.graph.node_count()).unwrap()).map(NodeId);
    let shown = nodes.filter(|node| !matches!(plan.node(*node).kind, NodeKind::Value(_)));
    shown
        .map(|node| history.any_path(node).replace("[*]", "[0]"))
        .collect()
}

/// Whether a line may be wider: commands and paths are copied as a whole.
fn may_be_wide(line: &str) -> bool {
    let text = line.trim_start();
    let words = text.split_whitespace().filter(|word| word.len() > 1);
    text.starts_with("flow ") || words.count() <= 1
}

#[test]
fn every_moment_of_a_run_can_be_asked_about_at_any_width() {
    for name in names() {
        let (plan, _, events) = read(&name);
        let recorded = recorded(&name);
        let paths = paths(&plan);
        let mut lines = vec![vec!["show"], vec!["why"], vec!["show", "--items"]];
        lines.extend(paths.iter().map(|path| vec!["show", path]));
        lines.extend(paths.iter().map(|path| vec!["why", path]));
        for count in 1..=events.len() {
            for (width, line) in [40, 200]
                .iter()
                .flat_map(|width| lines.iter().map(move |line| (*width, line)))
            {
                let looks = Looks {
                    width,
                    color: width == 200,
                    unicode: width != 40,
                };
                match ask(&recorded, count, line, looks) {
                    Ok(answer) => check(&name, count, line, &answer, looks),
                    // What hasn't begun has nothing to show.
                    Err(Failure::Told { .. }) => {}
                    Err(Failure::Closed) => panic!("nobody reads"),
                }
            }
        }
    }
}

fn check(name: &str, count: usize, line: &[&str], answer: &str, looks: Looks) {
    assert!(!answer.is_empty(), "{name} {count} {line:?}");
    for text in answer.lines() {
        let plain = text.replace("\u{1b}[0m", "");
        let plain: String = plain.split("\u{1b}[").fold(String::new(), |text, part| {
            let rest = part
                .split_once('m')
                .filter(|_| !text.is_empty() || part.len() > 1);
            let is_code = rest.is_some_and(|(code, _)| code.parse::<u8>().is_ok());
            text + if is_code { rest.unwrap().1 } else { part }
        });
        assert!(
            !plain.contains(is_wild),
            "{name} {count} {line:?}: {text:?}"
        );
        let fits = wide(&plain) <= looks.width || may_be_wide(&plain);
        assert!(fits, "{name} {count} {line:?} at {}: {text}", looks.width);
        if !looks.unicode {
            let signs = ["▶", "✓", "✗", "⊘", "·", "◷", "→"];
            let sign = signs.iter().find(|sign| text.contains(**sign));
            assert_eq!(sign, None, "{name} {count} {line:?}: {text}");
        }
    }
}

#[test]
fn the_doctor_compares_lists_with_logs() {
    let (plan, text, events) = read("paid");
    let whole = || batch(&plan, &text, &events);
    let lists = |edit: &dyn Fn(&mut Append)| {
        let mut batch = whole();
        edit(batch.append.as_mut().unwrap());
        let recorded = stored(std::iter::once(batch), Timestamp(0));
        let run = RunId(called(events.len()).into());
        let row = recorded.archive.reader.run(&run).unwrap().unwrap();
        doctor::logs::faults(&recorded.archive, &row)
    };
    assert_eq!(lists(&|_| {}), Vec::<String>::new());
    let phase = lists(&|append| append.summary.as_mut().unwrap().phase = Phase::Waiting);
    assert!(phase[0].contains("Waiting"), "{phase:?}");
    let spent = lists(&|append| append.summary.as_mut().unwrap().spent = Money(5));
    assert!(spent[0].contains("were spent"), "{spent:?}");
    // An event that nobody can read.
    let damaged = lists(&|append| append.events[3].body = vec![255; 9]);
    assert!(
        damaged[0].contains("can't be read at event 3"),
        "{damaged:?}"
    );
    let gap = lists(&|append| {
        append.events[0].body = append.events[1].body.clone();
    });
    assert!(gap[0].contains("doesn't begin with a start"), "{gap:?}");
}
