//! Budgets: however the other side bills, no more is begun than can be paid.

use flow_core::amount::Money;

use crate::bench::{Bench, Scenario};
use crate::oracle::{Books, outputs, within};

/// The budget of the scenario.
const BUDGET: Money = Money::DOLLAR;

#[test]
fn a_thousand_calls_at_once_keep_within_their_budget() {
    for (inputs, code) in [
        // Every call costs what it may.
        (&["wide=64"][..], 7),
        // Each costs half, so that twice as many fit.
        (&["wide=64", "fail=bill:0.5"], 7),
        // Answers are lost: what they may have cost counts.
        (&["wide=32", "fail=lost,ok"], 7),
        // Refused, and charged all the same.
        (&["wide=32", "fail=503_after,ok"], 7),
        // So cheap that all fit.
        (&["wide=64", "fail=bill:0.05+slow:1"], 0),
    ] {
        let scenario = Scenario::new("budget", inputs);
        let bench = Bench::new();
        let ended = bench.run(scenario).end();
        assert_eq!(ended.code(), Some(code), "{inputs:?}: {ended:#?}");
        let truth = bench.server.truth();
        within(&truth, BUDGET).unwrap();
        let charged = truth.charged();
        assert!(charged <= BUDGET, "{inputs:?}: {charged}");
        let books = Books::of(&bench, &ended.run().unwrap());
        let shown = books.spent.saturating_add(books.presumed);
        assert!(charged <= shown && shown <= BUDGET, "{charged} {shown}");
        // It doesn't stop much too early either.
        let left = BUDGET.checked_sub(shown).unwrap();
        assert!(
            code == 0 || left < Money(10_000_000),
            "{inputs:?}: {left} are left"
        );
    }
}

#[test]
fn bills_above_their_bounds_exceed_a_budget_by_the_calls_in_flight_only() {
    let wide: usize = 8;
    let scenario = Scenario::new("budget", &["wide=8", "fail=bill:3"]);
    let bench = Bench::new();
    let ended = bench.run(scenario).end();
    let truth = bench.server.truth();
    // The first bill makes the price one that isn't trusted any more.
    let calls = truth.arrivals().count();
    assert!(calls <= wide, "{calls} calls were made");
    let kept = outputs(&ended);
    assert_eq!(kept.as_array().map(Vec::len), Some(calls), "{ended:#?}");
    let books = Books::of(&bench, &ended.run().unwrap());
    assert_eq!(books.spent, truth.charged());
}

#[test]
fn a_killed_run_does_not_forget_what_it_has_spent() {
    let scenario = Scenario::new("budget", &["count=300", "wide=8"]);
    for point in [100, 300, 500] {
        let bench = Bench::new();
        let first = bench.run(scenario).kill_at(point).end();
        assert!(first.is_killed(), "{first:#?}");
        let ended = bench.resume(&first.run().unwrap()).end();
        assert_eq!(ended.code(), Some(7), "{ended:#?}");
        let charged = bench.server.truth().charged();
        assert!(charged <= BUDGET, "at {point}: {charged}");
    }
}
