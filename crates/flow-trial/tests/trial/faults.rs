//! Servers that misbehave: answers that are lost, late or wrong.

use std::collections::BTreeMap;

use flow_core::amount::Money;

use crate::bench::{Bench, Scenario};
use crate::oracle::Books;

/// What has to come of a scenario.
struct Expected {
    inputs: &'static [&'static str],
    /// The exit code.
    code: i32,
    /// How often the three acts happened: with a key, probed, once.
    acts: [usize; 3],
}

const fn expected(inputs: &'static [&'static str], code: i32, acts: [usize; 3]) -> Expected {
    Expected { inputs, code, acts }
}

/// Runs the scenario with acts of all manners.
fn tried(expected: &Expected) {
    let bench = Bench::new();
    let inputs = expected.inputs;
    let ended = bench.run(Scenario::new("acts", inputs)).end();
    let truth = bench.server.truth();
    let seen = truth
        .records
        .iter()
        .map(|record| format!("{:?}\n", record.what));
    let seen: String = seen.collect();
    assert_eq!(
        ended.code(),
        Some(expected.code),
        "{inputs:?}: {ended:#?}\n{seen}"
    );
    let effects: BTreeMap<&str, usize> = truth.effects_by_name();
    let acts = ["keyed", "probed", "once"].map(|name| effects.get(name).copied().unwrap_or(0));
    assert_eq!(acts, expected.acts, "{inputs:?}: {seen}");
    let books = Books::of(&bench, &ended.run().unwrap());
    let is_unknown = expected.code == 6;
    assert_eq!(books.unknown > 0, is_unknown, "{inputs:?}");
    assert!(truth.charged() <= books.spent.saturating_add(books.presumed));
}

#[test]
fn an_act_with_a_key_happens_once_whatever_becomes_of_the_answers() {
    for case in [
        expected(&[], 0, [1, 1, 1]),
        expected(&["keyed=lost,ok"], 0, [1, 1, 1]),
        expected(&["keyed=lost,lost,ok"], 0, [1, 1, 1]),
        expected(&["keyed=drop,ok"], 0, [1, 1, 1]),
        expected(&["keyed=503_after,ok"], 0, [1, 1, 1]),
        expected(&["keyed=429_after,ok"], 0, [1, 1, 1]),
        expected(&["keyed=slow_after:50+lost,drop,ok"], 0, [1, 1, 1]),
        // It is known that nothing happened.
        expected(&["keyed=400"], 4, [0, 0, 0]),
        // An old error again and again: nobody knows what it is about.
        expected(&["keyed=500!"], 6, [0, 0, 0]),
        expected(&["keyed=lost,lost,lost,lost"], 6, [1, 0, 0]),
    ] {
        tried(&case);
    }
}

#[test]
fn an_act_that_can_be_asked_for_happens_once() {
    for case in [
        expected(&["probed=lost"], 0, [1, 1, 1]),
        expected(&["probed=drop,ok"], 0, [1, 1, 1]),
        expected(&["probed=late:300"], 0, [1, 1, 1]),
        expected(&["probed=503_after"], 0, [1, 1, 1]),
        expected(&["probed=lost", "probe=cannot_tell"], 6, [1, 1, 0]),
        expected(&["probed=400"], 4, [1, 0, 0]),
    ] {
        tried(&case);
    }
}

#[test]
fn an_act_of_which_nobody_knows_is_not_made_again() {
    for case in [
        expected(&["once=lost"], 6, [1, 1, 1]),
        expected(&["once=drop"], 6, [1, 1, 0]),
        expected(&["once=503_after"], 6, [1, 1, 1]),
        expected(&["once=400"], 4, [1, 1, 0]),
    ] {
        tried(&case);
    }
}

#[test]
fn what_does_not_depend_on_an_unknown_act_is_done() {
    let bench = Bench::new();
    let ended = bench.run(Scenario::new("once", &["fail=lost"])).end();
    assert_eq!(ended.code(), Some(6), "{ended:#?}");
    let truth = bench.server.truth();
    assert_eq!(truth.arrived("aside"), 1);
    // Acts of one block keep their order.
    assert_eq!(truth.arrived("second"), 0);
    // A second look at it changes nothing.
    let again = bench.resume(&ended.run().unwrap()).end();
    assert_eq!(again.code(), Some(6), "{again:#?}");
    assert_eq!(bench.server.truth().records.len(), truth.records.len());
}

#[test]
fn a_key_is_not_trusted_after_its_window() {
    let bench = Bench::new();
    let clock = bench.path("clock");
    std::fs::write(&clock, "0").unwrap();
    // It is taken to be known for an hour.
    let flow = bench.run(Scenario::new("acts", &["keyed=slow_after:20,forget"]));
    let killed = flow
        .clock(&clock)
        .kill_at_point("answered acts/first")
        .end();
    assert!(killed.is_killed(), "{killed:#?}");
    std::fs::write(&clock, (2 * 60 * 60 * 1000).to_string()).unwrap();
    let run = killed.run().unwrap();
    let ended = bench.resume(&run).clock(&clock).end();
    assert_eq!(ended.code(), Some(6), "{ended:#?}");
    assert_eq!(bench.server.truth().effects_by_name()["keyed"], 1);
}

#[test]
fn a_job_that_is_forgotten_is_shown_with_what_it_may_have_cost() {
    let bench = Bench::new();
    let ended = bench
        .run(Scenario::new("jobs", &["count=1", "fail=expire,ok"]))
        .end();
    assert_eq!(ended.code(), Some(4), "{ended:#?}");
    let run = ended.run().unwrap();
    let books = Books::of(&bench, &run);
    assert_eq!(books.presumed, bench.server.truth().charged());
    // Asked for again, it is made again, and paid for again.
    let again = bench.resume(&run).end();
    assert_eq!(again.code(), Some(0), "{again:#?}");
    let books = Books::of(&bench, &run);
    assert_eq!(books.spent, Money(50_000_000));
    let shown = books.spent.saturating_add(books.presumed);
    assert_eq!(shown, bench.server.truth().charged());
}

#[test]
fn what_waits_for_a_person_is_not_done_before() {
    let bench = Bench::new();
    let ended = bench.run(Scenario::new("ask", &[])).end();
    assert_eq!(ended.code(), Some(5), "{ended:#?}");
    let again = bench.resume(&ended.run().unwrap()).end();
    assert_eq!(again.code(), Some(5), "{again:#?}");
    let truth = bench.server.truth();
    assert_eq!((truth.arrived("draft"), truth.arrived("post")), (1, 0));
}

#[test]
fn a_server_that_restarts_is_waited_for() {
    let bench = Bench::new();
    let ended = bench
        .run(Scenario::new("chain", &["second=drop,503,ok"]))
        .end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    assert_eq!(bench.server.truth().arrived("draft"), 3);
}
