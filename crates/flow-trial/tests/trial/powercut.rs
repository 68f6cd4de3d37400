//! Power cuts: what was not synced is gone.
//!
//! The process is killed at a point; then the log of the database is cut, or
//! its end spoiled, anywhere after what was synced, and blobs that were not
//! synced are removed or emptied.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use flow_trial::store::{BOOT, FAULTS};

use crate::bench::{Bench, Scenario};
use crate::dice::{Dice, is_long, some_of};
use crate::oracle::{Calm, is_touched, judge};

/// What loses its power.
const SCENARIOS: &[Scenario] = &[
    Scenario::new("chain", &[]),
    Scenario::new("keyed", &[]),
    Scenario::new("acts", &[]),
    Scenario::new("jobs", &["count=3"]),
    Scenario::new("fan", &["count=6"]),
    Scenario::new("pure", &["count=40"]),
];

/// What a process synced, as it noted it.
struct Synced {
    log: u64,
    blobs: BTreeSet<String>,
}

impl Synced {
    fn read(path: &Path) -> Self {
        let mut synced = Self {
            log: 0,
            blobs: BTreeSet::new(),
        };
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            match line.split_once(' ').unwrap() {
                ("log", length) => synced.log = length.parse().unwrap(),
                ("blob", digest) => drop(synced.blobs.insert(digest.to_owned())),
                other => panic!("{other:?}"),
            }
        }
        synced
    }
}

/// Cuts the power of a bench whose processes are dead.
fn cut(bench: &Bench, synced: &Synced, dice: &mut Dice) {
    let log = bench.store().join("flow.db-wal");
    if let Ok(facts) = fs::metadata(&log) {
        let kept = synced.log.min(facts.len());
        let from = kept + dice.below(facts.len() - kept + 1);
        let file = OpenOptions::new().write(true).open(&log).unwrap();
        match dice.below(3) {
            0 => file.set_len(from).unwrap(),
            // The length came to the disk, and what was there before.
            1 => spoil(&file, from, facts.len(), 0),
            _ => spoil(&file, from, facts.len(), 0x5a),
        }
    }
    // It is no file of the disk at all.
    fs::remove_file(bench.store().join("flow.db-shm")).ok();
    for blob in blobs(&bench.store().join("cas")) {
        let name = blob.file_name().unwrap().to_str().unwrap();
        if !synced.blobs.contains(name) {
            match dice.below(3) {
                0 => {}
                1 => fs::remove_file(&blob).unwrap(),
                _ => fs::write(&blob, b"").unwrap(),
            }
        }
    }
}

fn spoil(file: &fs::File, from: u64, to: u64, byte: u8) {
    let length = usize::try_from(to - from).unwrap();
    file.write_all_at(&vec![byte; length], from).unwrap();
}

fn blobs(folder: &Path) -> Vec<PathBuf> {
    let Ok(shards) = folder.read_dir() else {
        return Vec::new();
    };
    let shards = shards.map(|shard| shard.unwrap().path());
    let files = shards.flat_map(|shard| shard.read_dir().unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

/// Runs a scenario with a power cut at a point, and judges how it ends.
fn tried(
    scenario: Scenario,
    calm: &Calm,
    point: u64,
    faults: &str,
    dice: &mut Dice,
) -> Result<(), String> {
    let bench = Bench::new();
    let syncs = bench.path("syncs");
    let flow = bench.run(scenario).kill_at(point).syncs(&syncs);
    let first = flow.env(BOOT, "first").env(FAULTS, faults).end();
    if !first.is_killed() {
        return Ok(());
    }
    cut(&bench, &Synced::read(&syncs), dice);
    let mut run = first.run();
    let flow = bench.again(scenario, run.as_deref());
    let mut ended = flow.syncs(&syncs).env(BOOT, "second").end();
    if run.is_some() && ended.code() == Some(2) {
        // A run of which nothing is left did nothing.
        let truth = bench.server.truth();
        if is_touched(&truth) {
            let records = truth.records;
            return Err(format!("the run is gone: {ended:#?} {records:#?}"));
        }
        run = None;
        ended = bench.run(scenario).end();
    }
    let run = run.or(ended.run()).ok_or("it has no name")?;
    judge(&bench, &run, &ended, calm)
}

#[test]
fn a_power_cut_at_any_point_loses_nothing_that_was_paid_or_done() {
    let mut dice = Dice::new(3);
    let times = if is_long() { 4 } else { 1 };
    for scenario in SCENARIOS {
        let calm = Calm::of(*scenario);
        for point in some_of(calm.points, 12) {
            for _ in 0..times {
                let judged = tried(*scenario, &calm, point, "", &mut dice);
                judged.unwrap_or_else(|fault| panic!("{scenario:?} at {point}: {fault}"));
            }
        }
    }
}

/// Returns how many of a scenario's power cuts are noticed with a broken store.
fn noticed(scenario: Scenario, faults: &str) -> usize {
    let mut dice = Dice::new(9);
    let calm = Calm::of(scenario);
    let points = some_of(calm.points, 30).into_iter();
    // What is judged may also be too broken to be looked at.
    let spoiled = points.filter(|point| {
        let tried =
            std::panic::AssertUnwindSafe(|| tried(scenario, &calm, *point, faults, &mut dice));
        !matches!(std::panic::catch_unwind(tried), Ok(Ok(())))
    });
    spoiled.count()
}

#[test]
fn a_store_that_does_not_sync_what_was_paid_is_noticed() {
    assert!(noticed(Scenario::new("chain", &[]), "synced_as_lazy") > 0);
}

#[test]
fn a_store_that_does_not_sync_blobs_is_noticed() {
    assert!(noticed(Scenario::new("chain", &[]), "blobs_unsynced") > 0);
}
