//! What is old is removed: while runs are driven, and by a command that is killed.

use flow_core::event::Fact;

use crate::bench::{Bench, Scenario};
use crate::flow::Ended;
use crate::oracle::wait_for_fact;

fn collect(bench: &Bench) -> crate::flow::Flow {
    bench
        .flow()
        .args(["gc", "--older-than", "0s", "--format", "json"])
        .args(["--store"])
        .args([bench.store()])
}

fn told(ended: &Ended) -> serde_json::Value {
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    serde_json::from_str(&ended.out).unwrap()
}

fn is_sound(bench: &Bench) {
    let doctor = bench
        .flow()
        .args(["doctor", "--store"])
        .args([bench.store()])
        .end();
    assert_eq!(doctor.code(), Some(0), "{doctor:#?}");
}

#[test]
fn a_collection_that_is_killed_anywhere_is_finished_by_the_next() {
    let mut kills = 0;
    for point in 1..100 {
        let bench = Bench::new();
        let files = bench.run(Scenario::new("fan", &["count=3"])).end();
        assert_eq!(files.code(), Some(0), "{files:#?}");
        let killed = collect(&bench).kill_at(point).end();
        is_sound(&bench);
        let left = told(&collect(&bench).end());
        assert_eq!(left["rest"], 0, "at {point}: {left}");
        assert_eq!(left["busy"], 0, "at {point}: {left}");
        is_sound(&bench);
        if !killed.is_killed() {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 4, "{kills} kills");
}

#[test]
fn a_run_that_is_driven_keeps_all_that_it_has() {
    let bench = Bench::new();
    let over = bench.run(Scenario::new("fan", &["count=3"])).end();
    assert_eq!(over.code(), Some(0), "{over:#?}");
    let owner = bench.run(Scenario::new("chain", &["second=gate"])).start();
    let run = owner.run();
    wait_for_fact(
        &bench,
        &run,
        |fact| matches!(fact, Fact::AttemptStarted(started) if started.effect.costs()),
    );
    let collected = told(&collect(&bench).end());
    assert_eq!(collected["runs"].as_array().unwrap().len(), 1);
    bench.server.open_gate();
    let ended = owner.end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    is_sound(&bench);
    let outputs = bench
        .flow()
        .args(["outputs", &run, "--store"])
        .args([bench.store()])
        .end();
    assert_eq!(outputs.code(), Some(0), "{outputs:#?}");
}
