//! What must hold however a run was disturbed. It is judged by what the server
//! saw and by the log, with no code of the runs themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use flow_core::address::{RunId, Ticket};
use flow_core::amount::{Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::event::{Fact, Then};
use flow_core::step::Bill;
use flow_runtime::store::Reader;
use flow_runtime::store::layout::Layout;
use flow_trial::server::truth::{Truth, What};
use serde_json::Value as Json;

use crate::bench::{Bench, Scenario};
use crate::flow::{Ended, LOOK, PATIENCE};

/// What a run gives that nobody disturbs.
pub(crate) struct Calm {
    pub(crate) outputs: Json,
    pub(crate) truth: Truth,
    /// How many points the process passes.
    pub(crate) points: u64,
}

impl Calm {
    pub(crate) fn of(scenario: Scenario) -> Self {
        let bench = Bench::new();
        let points = bench.path("points");
        let ended = bench.run(scenario).points(&points).end();
        assert_eq!(ended.code(), Some(0), "{ended:#?}");
        let points = std::fs::read_to_string(points).unwrap();
        Self {
            outputs: outputs(&ended),
            truth: bench.server.truth(),
            points: u64::try_from(points.lines().count()).unwrap(),
        }
    }
}

/// Returns the outputs that a process printed.
pub(crate) fn outputs(ended: &Ended) -> Json {
    // The last line says how it ended; a command that can't go on prints none.
    let last = ended.out.lines().last().unwrap_or_default();
    let printed: Json = serde_json::from_str(last).unwrap_or_default();
    printed["output"].clone()
}

/// What a log says of money and of acts.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) spent: Money,
    pub(crate) presumed: Money,
    /// Attempts of which nobody knows what became of them.
    pub(crate) unknown: usize,
    /// How many attempts were lost.
    pub(crate) lost: usize,
    pub(crate) facts: Vec<(Timestamp, Fact)>,
}

impl Books {
    /// Adds up the log of a run.
    pub(crate) fn of(bench: &Bench, run: &str) -> Self {
        let reader = Reader::open(&Layout::new(bench.store())).unwrap();
        let rows = reader
            .events(&RunId(run.into()), 0, usize::MAX >> 1)
            .unwrap();
        let facts = rows
            .iter()
            .map(|row| (row.at, Fact::decode(&row.body).unwrap()));
        let mut books = Self {
            facts: facts.collect(),
            ..Self::default()
        };
        let mut bills: BTreeMap<Ticket, Bill> = BTreeMap::new();
        let mut unknown: BTreeSet<Ticket> = BTreeSet::new();
        for (_, fact) in &books.facts {
            if let Some((ticket, bill)) = billed(fact) {
                bills.insert(ticket.clone(), bill);
            }
            match unknown_then(fact) {
                Some((ticket, Then::Unknown)) => {
                    unknown.insert(ticket.clone());
                }
                Some((ticket, _)) => {
                    unknown.remove(ticket);
                }
                None => {}
            }
            if let Fact::Resolved { ticket, .. } = fact {
                unknown.remove(ticket);
            }
            books.lost += usize::from(matches!(fact, Fact::AttemptLost { .. }));
        }
        for bill in bills.values() {
            match bill {
                Bill::None => {}
                Bill::Exact(amount) => books.spent = books.spent.saturating_add(*amount),
                Bill::Presumed(amount) => books.presumed = books.presumed.saturating_add(*amount),
            }
        }
        books.unknown = unknown.len();
        books
    }
}

/// Waits until the log of a run has a fact, and returns it with its time.
pub(crate) fn wait_for_fact(
    bench: &Bench,
    run: &str,
    is_it: impl Fn(&Fact) -> bool,
) -> (Timestamp, Fact) {
    let began = Instant::now();
    loop {
        let facts = Books::of(bench, run).facts.into_iter();
        if let Some(found) = facts.into_iter().find(|(_, fact)| is_it(fact)) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "the log doesn't come to this");
        std::thread::sleep(LOOK);
    }
}

/// Returns what a fact says of the bill of an attempt.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others say nothing of bills"
)]
fn billed(fact: &Fact) -> Option<(&Ticket, Bill)> {
    match fact {
        Fact::Succeeded { ticket, bill, .. }
        | Fact::Failed { ticket, bill, .. }
        | Fact::Stopped { ticket, bill, .. }
        | Fact::AttemptLost { ticket, bill, .. }
        | Fact::Rebilled { ticket, bill }
        | Fact::Resolved {
            ticket,
            bill: Some(bill),
            ..
        } => Some((ticket, *bill)),
        _ => None,
    }
}

/// Returns what follows the end of an attempt.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "nothing follows from all others"
)]
fn unknown_then(fact: &Fact) -> Option<(&Ticket, Then)> {
    match fact {
        Fact::Failed { ticket, then, .. }
        | Fact::Stopped { ticket, then, .. }
        | Fact::AttemptLost { ticket, then, .. }
        | Fact::Probed { ticket, then, .. } => Some((ticket, *then)),
        _ => None,
    }
}

/// Returns whether anything arrived that may cost or change something.
pub(crate) fn is_touched(truth: &Truth) -> bool {
    let mut arrivals = truth.arrivals();
    arrivals.any(|asked| !["pure", "read"].contains(&asked.step.as_str()))
}

/// How often acts of a manner happened, by name.
fn acts<'a>(truth: &'a Truth, step: &str) -> BTreeMap<&'a str, usize> {
    let names = truth.arrivals().filter(|asked| asked.step == step);
    let effects = truth.effects_by_name();
    names
        .map(|asked| asked.name.as_str())
        .map(|name| (name, effects.get(name).copied().unwrap_or(0)))
        .collect()
}

/// Judges a run that was disturbed and has ended: its outputs, what happened,
/// and the money.
pub(crate) fn judge(bench: &Bench, run: &str, ended: &Ended, calm: &Calm) -> Result<(), String> {
    let books = Books::of(bench, run);
    let truth = bench.server.truth();
    let fault = |what: &str| {
        let (spent, presumed) = (books.spent, books.presumed);
        let said = ended.err.join("\n");
        let (code, seen) = (ended.code(), lines(&truth.records));
        Err(format!(
            "{what}\nspent {spent}, presumed {presumed}, exit code {code:?}\n{said}\n{seen}\n{}",
            lines(&books.facts)
        ))
    };
    if let Some(missing) = missing(bench, &outputs(ended)) {
        return fault(&format!("the bytes of {missing} are not there"));
    }
    match ended.code() {
        Some(0) if outputs(ended) == calm.outputs => {}
        Some(0) => return fault("the outputs are others"),
        Some(6) if books.unknown > 0 => {}
        _ => return fault("it didn't end well"),
    }
    let is_over = ended.code() == Some(0);
    for (name, count) in acts(&truth, "once") {
        if count > 1 {
            return fault(&format!("`{name}` happened {count} times"));
        }
    }
    for step in ["keyed", "probed"] {
        for (name, count) in acts(&truth, step) {
            if count > 1 || (is_over && count == 0) {
                return fault(&format!("`{name}` happened {count} times"));
            }
        }
    }
    money(&books, &truth, calm).or_else(|what| fault(&what))
}

/// Returns an artifact of outputs whose bytes are not what its name says.
fn missing(bench: &Bench, outputs: &Json) -> Option<String> {
    match outputs {
        Json::Array(items) => items.iter().find_map(|item| missing(bench, item)),
        Json::Object(fields) => match fields.get("artifact").and_then(Json::as_str) {
            Some(digest) => {
                let digest: Digest = digest.parse().unwrap();
                let path = Layout::new(bench.store()).blob(&digest);
                let bytes = std::fs::read(path).unwrap_or_default();
                (Digest::of(&bytes) != digest).then(|| digest.to_string())
            }
            None => fields.values().find_map(|field| missing(bench, field)),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

/// Writes one thing a line.
fn lines<T: std::fmt::Debug>(all: &[T]) -> String {
    let lines = all.iter().map(|one| format!("  {one:?}\n"));
    lines.collect()
}

/// Judges the money alone.
fn money(books: &Books, truth: &Truth, calm: &Calm) -> Result<(), String> {
    let charged = truth.charged();
    if books.spent.saturating_add(books.presumed) < charged {
        return Err(format!(
            "{charged} were charged, which is more than what is shown"
        ));
    }
    let allowed = calm.truth.charged().saturating_add(books.presumed);
    if charged > allowed {
        return Err(format!(
            "{charged} were charged, and {allowed} is what is allowed"
        ));
    }
    Ok(())
}

/// Judges how what arrived kept within a budget: at no moment was more under
/// way than could be paid, as far as it could be known here.
pub(crate) fn within(truth: &Truth, budget: Money) -> Result<(), String> {
    // What a call counts as: its bound until it is known to have cost less.
    let mut counted: BTreeMap<u64, Money> = BTreeMap::new();
    for record in &truth.records {
        match &record.what {
            What::Arrived(asked) => {
                counted.insert(record.request, asked.bound);
                let sum = counted
                    .values()
                    .fold(Money(0), |sum, amount| sum.saturating_add(*amount));
                if sum > budget {
                    return Err(format!(
                        "{sum} are under way with request {}",
                        record.request
                    ));
                }
            }
            What::Charged(charge) => {
                counted.insert(record.request, charge.amount.min(charge.bound));
            }
            What::Refused { .. } => {
                counted.insert(record.request, Money(0));
            }
            What::Effect { .. }
            | What::Repeated { .. }
            | What::Forgotten { .. }
            | What::JobTaken { .. }
            | What::JobAsked { .. }
            | What::JobForgotten { .. }
            | What::Probed { .. }
            | What::Answered => {}
        }
    }
    Ok(())
}
