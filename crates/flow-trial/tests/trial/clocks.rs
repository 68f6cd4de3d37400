//! Clocks that are wrong.

use std::fs;

use flow_core::amount::{Duration, Timestamp};
use flow_core::event::{Fact, Timer};

use crate::bench::{Bench, Scenario};
use crate::oracle::{Books, Calm, judge, outputs, wait_for_fact};

const DAY: i64 = 24 * 60 * 60 * 1000;

#[test]
fn a_timer_that_was_due_while_nobody_ran_fires_at_once_with_its_time() {
    let bench = Bench::new();
    let clock = bench.path("clock");
    fs::write(&clock, "0").unwrap();
    let scenario = Scenario::new("pause", &["length=1h"]);
    let started = bench.run(scenario).clock(&clock).start();
    let run = started.run();
    bench.server.wait_until("it comes to the pause", |truth| {
        truth.charges().count() == 1
    });
    // Killed once it waits, which its log says.
    let (at, waits) = wait_for_fact(&bench, &run, |fact| matches!(fact, Fact::Waits { .. }));
    let Fact::Waits { until, .. } = waits else {
        panic!("{waits:?}");
    };
    started.kill();
    drop(started);
    assert!(until.since(at).unwrap() >= Duration(Duration::HOUR.0 - Duration::SECOND.0));
    fs::write(&clock, (2 * DAY).to_string()).unwrap();
    let ended = bench.resume(&run).clock(&clock).end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    assert_eq!(outputs(&ended)["until"], until.to_string());
    let books = Books::of(&bench, &run);
    let elapsed = books
        .facts
        .iter()
        .any(|(_, fact)| matches!(fact, Fact::Elapsed(Timer::Wait(_))));
    assert!(elapsed);
}

#[test]
fn a_clock_that_goes_back_does_not_turn_time_around() {
    let calm = Calm::of(Scenario::new("chain", &[]));
    for (before, after) in [(0, -2 * DAY), (0, 2 * DAY), (-400 * DAY, 400 * DAY)] {
        let bench = Bench::new();
        let clock = bench.path("clock");
        fs::write(&clock, before.to_string()).unwrap();
        let scenario = Scenario::new("chain", &["second=gate"]);
        let started = bench.run(scenario).clock(&clock).start();
        bench
            .server
            .wait_until("it is half done", |truth| truth.arrived("draft") == 1);
        fs::write(&clock, after.to_string()).unwrap();
        bench.server.open_gate();
        let ended = started.end();
        let run = ended.run().unwrap();
        judge(&bench, &run, &ended, &calm).unwrap();
        let times: Vec<Timestamp> = Books::of(&bench, &run)
            .facts
            .iter()
            .map(|(at, _)| *at)
            .collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}
