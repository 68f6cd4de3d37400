//! `kill -9` while a value is kept: it is kept once, and doesn't come over one
//! that came later.

use crate::bench::Bench;
use crate::bench::Scenario;
use crate::crash::finish;
use crate::flow::Flow;
use crate::oracle::outputs;

const FOX: Scenario = Scenario::new("remember", &["value=a"]);

fn other(bench: &Bench, args: &[&str]) -> Flow {
    let flow = bench.flow().args(["run"]).args(args);
    flow.args(["--fresh", "--format", "json", "--store"])
        .args([bench.store()])
}

/// Returns what is kept.
fn recalled(bench: &Bench) -> String {
    let ended = other(bench, &["remember.flow:recall"]).end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    outputs(&ended).as_str().unwrap().to_owned()
}

#[test]
fn a_value_is_kept_once_wherever_its_run_is_killed() {
    let calm = Bench::new();
    let points = calm.path("points");
    let ended = calm.run(FOX).points(&points).end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    let points = std::fs::read_to_string(points).unwrap().lines().count();
    let (mut before, mut after) = (0, 0);
    for point in 1..=u64::try_from(points).unwrap() {
        let bench = Bench::new();
        let first = bench.run(FOX).kill_at(point).end();
        assert!(first.is_killed());
        let was_kept = recalled(&bench) == "a";
        let ended = other(&bench, &["remember.flow:remember", "value=b"]).end();
        assert_eq!(outputs(&ended), "b");
        let (_, ended) = finish(&bench, FOX, first, std::iter::empty());
        assert_eq!(outputs(&ended), "a", "at {point}");
        // What was kept before is not kept again over what came later.
        let expected = if was_kept { "b" } else { "a" };
        assert_eq!(recalled(&bench), expected, "at {point}");
        before += usize::from(was_kept);
        after += usize::from(!was_kept);
    }
    assert!(before > 0 && after > 0, "it was killed on both sides of it");
}
