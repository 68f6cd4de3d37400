//! Two processes at one run: one owns it.

use crate::bench::{Bench, Scenario};
use crate::crash::finish;
use crate::oracle::{Calm, judge};

const CHAIN: Scenario = Scenario::new("chain", &[]);

#[test]
fn a_run_whose_owner_is_stopped_belongs_to_it_all_the_same() {
    let calm = Calm::of(CHAIN);
    for point in [2, 8, 15] {
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
        let mut both = both.map(crate::flow::Started::end);
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

#[test]
fn an_interrupted_run_says_so_and_goes_on_later() {
    let scenario = Scenario::new("chain", &["third=gate"]);
    let calm = Calm::of(CHAIN);
    let bench = Bench::new();
    let started = bench.run(scenario).start();
    bench
        .server
        .wait_until("the third arrives", |truth| truth.arrived("final") == 1);
    started.interrupt();
    let ended = started.end();
    assert_eq!(ended.code(), Some(8), "{ended:#?}");
    bench.server.open_gate();
    let run = ended.run().unwrap();
    let again = bench.resume(&run).end();
    let (run, ended) = finish(&bench, scenario, again, std::iter::empty());
    judge(&bench, &run, &ended, &calm).unwrap();
}
