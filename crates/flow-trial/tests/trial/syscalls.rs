//! What the machine is asked for, in which order, and how often.
//!
//! Needs `strace`. Without it nothing is tried, and that is said.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;

use crate::bench::{Bench, Scenario};
use crate::flow::Flow;

/// The calls that are looked at.
const TRACED: &str = "trace=fdatasync,fsync,syncfs,pwrite64,write,sendto,connect";

/// Returns whether there is a tracer that may trace.
fn is_there() -> bool {
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    let works = tried.is_ok_and(|tried| tried.status.success());
    if !works {
        let said = "skipped: `strace` isn't there or may not trace; install it to see in which \
                    order things are synced\n";
        std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
    }
    works
}

/// A call that has returned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Call {
    /// The log of the database was written.
    LogWritten,
    /// The log of the database was synced.
    LogSynced,
    /// Something else was synced.
    OtherSynced,
    /// A point was passed.
    Point(String),
    /// Something was sent to the server.
    Sent,
}

/// Runs a command under the tracer; returns its calls in the order in which
/// they returned.
fn traced(bench: &Bench, with: impl FnOnce(Flow) -> Flow) -> Vec<Call> {
    let trace = bench.path("trace");
    let args = [
        "-f",
        "-yy",
        "-s",
        "200",
        "-e",
        TRACED,
        "-o",
        trace.to_str().unwrap(),
    ];
    let flow = bench.traced("strace", &args);
    let ended = with(flow).points(&bench.path("points")).end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    read(&trace, bench.server.address().port())
}

fn read(path: &Path, port: u16) -> Vec<Call> {
    // Calls of other threads come between the two halves of one.
    let mut halves: BTreeMap<String, String> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(half) = rest.strip_suffix("<unfinished ...>") {
            halves.insert(thread.to_owned(), half.to_owned());
            continue;
        }
        let whole = match rest.split_once(" resumed>") {
            Some((_, end)) => format!("{}{end}", halves.remove(thread).unwrap_or_default()),
            None => rest.to_owned(),
        };
        calls.extend(call(&whole, port));
    }
    calls
}

fn call(text: &str, port: u16) -> Option<Call> {
    let (name, arguments) = text.split_once('(')?;
    let is_log = arguments.contains("flow.db-wal>");
    match name {
        "pwrite64" | "write" if is_log => Some(Call::LogWritten),
        "fdatasync" | "fsync" if is_log => Some(Call::LogSynced),
        "fdatasync" | "fsync" | "syncfs" => Some(Call::OtherSynced),
        "write" if arguments.contains("/points>") => {
            let point = arguments.split('"').nth(1)?.trim_end_matches("\\n");
            Some(Call::Point(point.to_owned()))
        }
        "write" | "sendto" if arguments.contains(&format!(":{port}]>")) => Some(Call::Sent),
        _ => None,
    }
}

#[test]
fn nothing_is_sent_before_the_intent_is_durable() {
    if !is_there() {
        return;
    }
    let bench = Bench::new();
    let chain = Scenario::new("chain", &[]);
    let calls = traced(&bench, |flow| bench.running(flow, chain));
    for step in ["draft", "final", "picture"] {
        let at = |what: &str| {
            let point = Call::Point(format!("{what} chain/{step}"));
            let found = calls.iter().position(|call| *call == point);
            found.unwrap_or_else(|| panic!("there is no {point:?} in {calls:#?}"))
        };
        let (start, sent) = (at("start"), at("sent"));
        // Since the step before has ended, an intent was written and synced.
        let before = calls[..start]
            .iter()
            .rposition(|call| matches!(call, Call::Point(point) if point.starts_with("report")));
        let between = &calls[before.unwrap_or(0)..start];
        let written = between.iter().position(|call| *call == Call::LogWritten);
        let written = written.unwrap_or_else(|| panic!("{step}: no intent in {between:#?}"));
        let synced = between[written..].contains(&Call::LogSynced);
        assert!(synced, "{step}: the intent isn't synced: {between:#?}");
        // And not a byte was sent before.
        let first = calls[before.unwrap_or(0)..]
            .iter()
            .position(|call| *call == Call::Sent);
        let first = before.unwrap_or(0) + first.unwrap();
        assert!(start < first && first <= sent, "{step}");
    }
}

#[test]
fn nothing_is_sent_again_before_the_new_intent_is_durable() {
    if !is_there() {
        return;
    }
    let bench = Bench::new();
    let killed = bench
        .run(Scenario::new("chain", &[]))
        .kill_at_point("sent chain/draft");
    let run = killed.end().run().unwrap();
    let calls = traced(&bench, |flow| bench.resuming(flow, &run));
    let start = Call::Point("start chain/draft".to_owned());
    let start = calls.iter().position(|call| *call == start).unwrap();
    // All that was written is synced: the new owner, and what it begins.
    let before = &calls[..start];
    let last = |call: &Call| before.iter().rposition(|other| other == call);
    let (written, synced) = (last(&Call::LogWritten), last(&Call::LogSynced));
    assert!(written.is_some() && written < synced, "{before:#?}");
}

#[test]
fn a_scenario_syncs_as_often_as_it_has_to() {
    if !is_there() {
        return;
    }
    for (scenario, log) in SYNCS {
        let bench = Bench::new();
        let calls = traced(&bench, |flow| bench.running(flow, *scenario));
        let found = calls
            .iter()
            .filter(|call| **call == Call::LogSynced)
            .count();
        assert!(log.contains(&found), "{scenario:?}: {found}");
    }
}

/// How often the log is synced: once when it is made, once for the begin of the
/// run, and once for each link that is paid for and the end. What comes before
/// the first of those may take a commit of its own, or share one.
const SYNCS: &[(Scenario, RangeInclusive<usize>)] = &[
    (Scenario::new("pure", &["count=1"]), 2..=3),
    (Scenario::new("chain", &[]), 6..=7),
];
