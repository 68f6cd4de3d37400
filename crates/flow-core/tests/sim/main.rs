//! Worlds: several runs and one arbiter, in one thread and from one seed.
//!
//! A world draws plans, scripts, an outside and what disturbs them from its
//! seed. While it lives, the runs are compared with their own replays; in the
//! end an [`oracle`] judges their logs. A long run, and one world alone:
//!
//! ```text
//! WORLDS=100000 FROM=7 cargo test --release -p flow-core --test sim worlds
//! WORLDS=1 FROM=4711 cargo test -p flow-core --test sim worlds
//! ```
#![expect(clippy::unwrap_used, reason = "test harness")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most that reads a log looks for few of its facts; a fact that the oracle doesn't know is a fault"
)]

mod dice;
mod gate;
mod generate;
mod histories;
mod mutants;
mod oracle;
mod outside;
mod script;
mod twins;
mod world;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use oracle::Fault;
use world::{Outcome, Tells, Traits, World};

/// How many worlds there are if nothing is said.
const WORLDS: u64 = 2_000;
/// How many faults are told if nothing is said.
const FAULTS: u64 = 12;

/// Worlds that once found something.
const SEEDS: &str = include_str!("../../../../tests/sim/seeds.txt");

/// Lets a world live, by its seed alone.
fn world(seed: u64, tells: Tells) -> Result<Outcome, Fault> {
    let traits = Traits::draw(seed);
    let outcome = World::new(seed, traits).live(tells)?;
    twins::compare(seed, traits, &outcome)?;
    Ok(outcome)
}

/// Lets a world live, and tells what was wrong, a panic included.
fn told(seed: u64, live: impl FnOnce() -> Result<Outcome, Fault>) -> Result<Outcome, String> {
    match catch_unwind(AssertUnwindSafe(live)) {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(fault)) => Err(format!("{seed}: {fault}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("{seed}: Panic: {}", text.unwrap_or("of some kind")))
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a run of worlds is, is said from outside"
    )]
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().unwrap())
}

#[test]
fn worlds() {
    let from = number("FROM", 0);
    let count = number("WORLDS", WORLDS);
    let most = usize::try_from(number("FAULTS", FAULTS)).unwrap();
    let mut faults = Vec::new();
    let tells = if count == 1 {
        Tells::Logs
    } else {
        Tells::Fault
    };
    for seed in from..from + count {
        faults.extend(told(seed, || world(seed, tells)).err());
        if faults.len() >= most {
            break;
        }
    }
    complain(&faults);
}

#[test]
fn worlds_that_once_found_something() {
    let lines = SEEDS.lines().filter(|line| !line.starts_with('#'));
    let seeds = lines.map(|line| line.split_whitespace().next().unwrap().parse().unwrap());
    let faults: Vec<_> = seeds
        .filter_map(|seed| told(seed, || world(seed, Tells::Fault)).err())
        .collect();
    complain(&faults);
}

fn complain(faults: &[String]) {
    let mut text = String::new();
    for fault in faults {
        let seed = fault.split(':').next().unwrap_or_default();
        writeln!(text, "{fault}").unwrap();
        writeln!(
            text,
            "    WORLDS=1 FROM={seed} cargo test -p flow-core --test sim worlds"
        )
        .unwrap();
    }
    assert!(faults.is_empty(), "worlds with faults:\n{text}");
}
