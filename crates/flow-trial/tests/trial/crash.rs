//! `kill -9` wherever something happens, then resume.

use std::time::{Duration, Instant};

use flow_core::amount::Money;

use crate::bench::{Bench, Scenario};
use crate::dice::{Dice, is_long, some_of};
use crate::flow::Ended;
use crate::oracle::{Books, Calm, is_touched, judge};

/// What is killed. Faults of the server are in some of them, so that recovery
/// is killed, too.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario::new("chain", &[]),
    Scenario::new("chain", &["first=503,ok", "second=lost", "third=429,ok"]),
    Scenario::new("keyed", &["fail=lost,ok"]),
    Scenario::new("acts", &[]),
    Scenario::new("jobs", &["fail=lost,ok"]),
    Scenario::new("fan", &["count=6"]),
    Scenario::new("once", &[]),
    Scenario::new("race", &[]),
    Scenario::new("pure", &["count=40"]),
];

/// How many times a run is resumed at most until it has ended.
const RESUMES_MAX: usize = 40;

/// Resumes a run until it has ended, each process with a point at which it is
/// killed, if there is one for it.
pub(crate) fn finish(
    bench: &Bench,
    scenario: Scenario,
    first: Ended,
    mut kills: impl Iterator<Item = u64>,
) -> (String, Ended) {
    let mut run = first.run();
    let mut ended = first;
    for _ in 0..RESUMES_MAX {
        let is_gone = run.is_some() && ended.code() == Some(2);
        if !ended.is_killed() && !is_gone {
            let run = run.unwrap_or_else(|| panic!("it has no name: {ended:#?}"));
            return (run, ended);
        }
        if run.is_none() || is_gone {
            // A run of which nothing is left has done nothing.
            let truth = bench.server.truth();
            let records = &truth.records;
            assert!(!is_touched(&truth), "the run is gone: {records:#?}");
            run = None;
        }
        let flow = bench.again(scenario, run.as_deref());
        let flow = match kills.next() {
            Some(point) => flow.kill_at(point),
            None => flow,
        };
        ended = flow.end();
        run = run.or(ended.run());
    }
    panic!("it doesn't end: {ended:#?}");
}

#[test]
fn a_run_that_is_killed_at_any_point_ends_as_if_it_had_not_been() {
    let mut kills = 0;
    for scenario in SCENARIOS {
        let calm = Calm::of(*scenario);
        assert!(
            calm.points >= 5,
            "{scenario:?} passes {} points",
            calm.points
        );
        for point in some_of(calm.points, 12) {
            let bench = Bench::new();
            let first = bench.run(*scenario).kill_at(point).end();
            kills += u32::from(first.is_killed());
            let (run, ended) = finish(&bench, *scenario, first, std::iter::empty());
            let judged = judge(&bench, &run, &ended, &calm);
            judged.unwrap_or_else(|fault| panic!("{scenario:?} at {point}: {fault}"));
        }
    }
    assert!(kills > 50, "{kills} kills");
}

#[test]
fn a_run_that_is_killed_at_random_instants_ends_as_if_it_had_not_been() {
    let mut dice = Dice::new(11);
    let rounds = if is_long() { 40 } else { 3 };
    for scenario in SCENARIOS {
        let began = Instant::now();
        let calm = Calm::of(*scenario);
        let length = u64::try_from(began.elapsed().as_micros()).unwrap();
        for round in 0..rounds {
            let bench = Bench::new();
            let started = bench.run(*scenario).start();
            // The instant is what is tried, not something that is waited for.
            std::thread::sleep(Duration::from_micros(dice.below(length)));
            started.kill();
            let first = started.end();
            let (run, ended) = finish(&bench, *scenario, first, std::iter::empty());
            let judged = judge(&bench, &run, &ended, &calm);
            judged.unwrap_or_else(|fault| panic!("{scenario:?} round {round}: {fault}"));
        }
    }
}

#[test]
fn a_run_of_acts_that_is_killed_again_and_again_does_nothing_twice() {
    let scenario = Scenario::new("keyed", &[]);
    let calm = Calm::of(scenario);
    let mut dice = Dice::new(5);
    for round in 0..if is_long() { 60 } else { 4 } {
        let bench = Bench::new();
        // The first step that is paid for is left alone: it may be lost once.
        let first = bench.run(scenario).kill_at(12 + dice.below(20)).end();
        let kills: Vec<u64> = (0..5).map(|_| 2 + dice.below(25)).collect();
        let (run, ended) = finish(&bench, scenario, first, kills.into_iter());
        let judged = judge(&bench, &run, &ended, &calm);
        judged.unwrap_or_else(|fault| panic!("round {round}: {fault}"));
    }
}

#[test]
fn a_purchase_that_was_lost_twice_is_made_a_third_time_only_if_somebody_says_so() {
    let scenario = Scenario::new("chain", &[]);
    let calm = Calm::of(scenario);
    let bench = Bench::new();
    let lost = "sent chain/draft";
    let first = bench.run(scenario).kill_at_point(lost).end();
    let run = first.run().unwrap();
    let second = bench.resume(&run).kill_at_point(lost).end();
    assert!(first.is_killed() && second.is_killed(), "{second:#?}");
    let third = bench.resume(&run).end();
    assert_eq!(third.code(), Some(4), "{third:#?}");
    assert_eq!(bench.server.truth().arrived("draft"), 2);
    // Somebody says so.
    let ended = bench.resume(&run).end();
    judge(&bench, &run, &ended, &calm).unwrap();
    assert_eq!(bench.server.truth().arrived("draft"), 3);
    assert_eq!(Books::of(&bench, &run).presumed, Money(200_000_000));
}
