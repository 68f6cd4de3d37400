//! Two processes at one run: one owns it.

use flow_core::amount::Money;
use flow_core::event::Fact;

use crate::bench::{Bench, Scenario};
use crate::flow::Started;
use crate::oracle::{Books, Calm, judge, wait_for_fact};

const CHAIN: Scenario = Scenario::new("chain", &[]);

#[test]
fn a_run_whose_owner_is_stopped_belongs_to_it_all_the_same() {
    let calm = Calm::of(CHAIN);
    for point in [12, 16, 22] {
        let bench = Bench::new();
        let mut owner = bench.run(CHAIN).stop_at(point).start();
        owner.stopped();
        let run = owner.run();
        let other = bench.resume(&run).end();
        assert_eq!(other.code(), Some(9), "{other:#?}");
        let said = other.err.join("\n");
        assert!(
            said.contains(&owner.id().to_string()),
            "it says who owns it: {said}"
        );
        owner.go_on();
        let ended = owner.end();
        judge(&bench, &run, &ended, &calm).unwrap();
        // Not even a look at the run made a difference.
        assert_eq!(bench.server.truth().charged(), calm.truth.charged());
    }
}

#[test]
fn of_two_that_resume_a_run_at_once_one_gets_it() {
    let calm = Calm::of(CHAIN);
    for _ in 0..4 {
        let bench = Bench::new();
        let first = bench.run(CHAIN).kill_at(12).end();
        let run = first.run().unwrap();
        let both = [bench.resume(&run).start(), bench.resume(&run).start()];
        let mut both = both.map(Started::end);
        both.sort_by_key(crate::flow::Ended::code);
        assert_eq!(both[0].code(), Some(0), "{both:#?}");
        // Who came late finds it owned, or over.
        assert!(matches!(both[1].code(), Some(0 | 9)), "{both:#?}");
        judge(&bench, &run, &both[0], &calm).unwrap();
    }
}

#[test]
fn two_runs_in_one_store_do_not_disturb_each_other() {
    let calm = Calm::of(CHAIN);
    let bench = Bench::new();
    let both = [bench.run(CHAIN).start(), bench.run(CHAIN).start()];
    for process in both {
        let ended = process.end();
        assert_eq!(ended.code(), Some(0), "{ended:#?}");
        assert_eq!(crate::oracle::outputs(&ended), calm.outputs);
    }
    let twice = calm.truth.charged().saturating_times(2);
    assert_eq!(bench.server.truth().charged(), twice);
}

/// Runs a chain whose last purchase waits at the gate.
fn at_the_gate(bench: &Bench) -> Started {
    let started = bench.run(Scenario::new("chain", &["third=gate"])).start();
    bench
        .server
        .wait_until("it waits", |truth| truth.arrived("final") == 1);
    started
}

#[test]
fn an_interrupted_run_finishes_what_it_has_begun_and_goes_on_later() {
    let calm = Calm::of(CHAIN);
    let bench = Bench::new();
    let started = at_the_gate(&bench);
    started.interrupt();
    started.says("pausing");
    bench.server.open_gate();
    let ended = started.end();
    assert_eq!(ended.code(), Some(8), "{ended:#?}");
    let run = ended.run().unwrap();
    assert_eq!(bench.server.truth().arrived("picture"), 0);
    let ended = bench.resume(&run).end();
    judge(&bench, &run, &ended, &calm).unwrap();
    assert_eq!(bench.server.truth().charged(), calm.truth.charged());
}

#[test]
fn a_second_interruption_ends_at_once_and_what_was_begun_is_presumed() {
    let calm = Calm::of(CHAIN);
    let bench = Bench::new();
    let started = at_the_gate(&bench);
    started.interrupt();
    started.says("pausing");
    started.interrupt();
    let ended = started.end();
    assert_eq!(ended.code(), Some(8), "{ended:#?}");
    let run = ended.run().unwrap();
    bench.server.open_gate();
    let ended = bench.resume(&run).end();
    judge(&bench, &run, &ended, &calm).unwrap();
    assert!(Books::of(&bench, &run).presumed > Money(0));
}

#[test]
fn a_run_that_sleeps_hears_an_interruption() {
    let bench = Bench::new();
    let started = bench.run(Scenario::new("pause", &["length=1h"])).start();
    let run = started.run();
    bench
        .server
        .wait_until("it is paid for", |truth| truth.charges().count() == 1);
    wait_for_fact(&bench, &run, |fact| matches!(fact, Fact::Waits { .. }));
    started.interrupt();
    let ended = started.end();
    assert_eq!(ended.code(), Some(8), "{ended:#?}");
}
