//! A disk that is full: what was charged is recorded all the same.

use flow_trial::store::PAGES;

use crate::bench::{Bench, Scenario};
use crate::dice::some_of;
use crate::oracle::{Books, Calm, judge};

#[test]
fn a_full_disk_stops_the_run_and_loses_no_bill() {
    let scenario = Scenario::new("fan", &["count=40", "wide=8"]);
    let calm = Calm::of(scenario);
    let mut full = 0;
    for pages in some_of(60, 8) {
        let bench = Bench::new();
        let first = bench.run(scenario).env(PAGES, pages.to_string()).end();
        if first.code() == Some(0) {
            continue;
        }
        full += 1;
        assert_eq!(first.code(), Some(10), "{pages}: {first:#?}");
        let Some(run) = first.run() else {
            assert!(bench.server.truth().records.is_empty());
            continue;
        };
        let books = Books::of(&bench, &run);
        let begun = books
            .facts
            .iter()
            .filter(|(_, fact)| matches!(fact, flow_core::event::Fact::AttemptStarted(_)));
        // Whatever arrived was announced in the log.
        assert!(bench.server.truth().arrivals().count() <= begun.count());
        let ended = bench.resume(&run).end();
        judge(&bench, &run, &ended, &calm).unwrap_or_else(|fault| panic!("{pages}: {fault}"));
    }
    assert!(full > 0, "the disk was never full");
}
