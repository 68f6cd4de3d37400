//! Measures the store on the disk of a folder, against what the disk can do.
//! Judges nothing.
//!
//! `measure_store FOLDER [create | open | lazy | chain | blobs]`: without a
//! part, all of them; with one, that alone, so that its system calls can be
//! counted.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement, not a program"
)]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::plan::NodeId;
use flow_runtime::store::{Append, Batch, Begin, EPOCH_FIRST, EventRow, Level, Options, Store};
use tokio::runtime::{Builder, Runtime};

const EVENTS: u64 = 10_000;
const CHAIN: u64 = 300;
const BLOBS: u64 = 200;

fn main() {
    let mut words = std::env::args().skip(1);
    let folder = words.next().unwrap_or_else(|| "target/measure".to_owned());
    let part = words.next();
    let root = Path::new(&folder);
    std::fs::create_dir_all(root).unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    let parts: [(&str, Part); 5] = [
        ("create", create),
        ("open", open),
        ("lazy", lazy),
        ("chain", chain),
        ("blobs", blobs),
    ];
    for (name, measure) in parts {
        if part.as_deref().is_none_or(|part| part == name) {
            measure(root, &runtime);
        }
    }
}

fn say(words: &str) {
    println!("{words}");
}

/// A part of the measurement.
type Part = fn(&Path, &Runtime);

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn per_second(count: u64, time: Duration) -> f64 {
    Duration::from_secs(count).as_secs_f64() / time.as_secs_f64()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn store(root: &Path) -> Store {
    Store::open(root, Options::default()).unwrap()
}

fn create(root: &Path, runtime: &Runtime) {
    let mut times = Vec::new();
    for _ in 0..10 {
        let folder = tempfile::tempdir_in(root).unwrap();
        let since = Instant::now();
        let store = store(folder.path());
        times.push(since.elapsed());
        runtime.block_on(store.close()).unwrap();
    }
    say(&format!(
        "create a store        {:8.2} ms",
        millis(median(times))
    ));
}

fn open(root: &Path, runtime: &Runtime) {
    let folder = tempfile::tempdir_in(root).unwrap();
    let first = store(folder.path());
    runtime.block_on(first.commit(begin("r"))).unwrap();
    runtime.block_on(first.close()).unwrap();
    let mut times = Vec::new();
    for _ in 0..50 {
        let since = Instant::now();
        let store = store(folder.path());
        times.push(since.elapsed());
        runtime.block_on(store.close()).unwrap();
    }
    say(&format!(
        "open a store          {:8.2} ms",
        millis(median(times))
    ));
}

fn begin(run: &str) -> Batch {
    let mut batch = next(run, 0, 0, Level::Lazy);
    batch.append.as_mut().unwrap().begin = Some(Begin {
        workflow: "measured".into(),
        plan: Digest::of(b"plan"),
        at: Timestamp(1),
        firing: None,
    });
    batch
}

/// Events of 80 bytes, as most are.
fn next(run: &str, head: u64, count: u64, level: Level) -> Batch {
    let mut append = Append::new(RunId(run.into()), EPOCH_FIRST, head);
    append.events = (head..head + count)
        .map(|seq| EventRow {
            seq,
            at: Timestamp(1),
            kind: 1,
            node: NodeId(1),
            body: vec![7; 80],
        })
        .collect();
    Batch {
        level,
        append: Some(append),
        ..Batch::default()
    }
}

fn lazy(root: &Path, runtime: &Runtime) {
    for size in [1, 16, 256] {
        let folder = tempfile::tempdir_in(root).unwrap();
        let store = store(folder.path());
        let time = runtime.block_on(async {
            store.commit(begin("r")).await.unwrap();
            let since = Instant::now();
            let mut last = None;
            let mut head = 0;
            while head < EVENTS {
                let count = size.min(EVENTS - head);
                let batch = next("r", head, count, Level::Lazy);
                last = Some(store.send(batch).await.unwrap());
                head += count;
            }
            last.unwrap().await.unwrap();
            let time = since.elapsed();
            store.close().await.unwrap();
            time
        });
        let rate = per_second(EVENTS, time);
        let time = millis(time);
        say(&format!(
            "{EVENTS} lazy events   {time:8.2} ms  {rate:9.0} events/s, batches of {size}"
        ));
    }
}

/// Appends 4 KiB and syncs, so often: what the disk can do.
fn probe(root: &Path, count: u64) -> Duration {
    let mut file = tempfile::tempfile_in(root).unwrap();
    let since = Instant::now();
    for _ in 0..count {
        append_and_sync(&mut file);
    }
    since.elapsed()
}

fn append_and_sync(file: &mut File) {
    file.write_all(&[7; 4096]).unwrap();
    file.sync_data().unwrap();
}

/// A chain: each link waits for the one before, and is one synced commit. The
/// disk is probed in turns with it, since it is not always equally fast.
fn chain(root: &Path, runtime: &Runtime) {
    let folder = tempfile::tempdir_in(root).unwrap();
    let store = store(folder.path());
    runtime.block_on(store.commit(begin("r"))).unwrap();
    let mut disk = Duration::ZERO;
    let mut chain = Duration::ZERO;
    let turn = CHAIN / 10;
    for part in 0..10 {
        disk += probe(root, turn);
        let since = Instant::now();
        runtime.block_on(async {
            for link in 0..turn {
                let head = (part * turn + link) * 2;
                let batch = next("r", head, 2, Level::Synced);
                store.commit(batch).await.unwrap();
            }
        });
        chain += since.elapsed();
    }
    runtime.block_on(store.close()).unwrap();
    let [disk, chain] = [disk, chain].map(|time| per_second(CHAIN, time));
    say(&format!("append and sync       {disk:8.0} /s"));
    let share = chain / disk;
    say(&format!(
        "chain of {CHAIN} links    {chain:8.0} /s  {share:.2} of the disk"
    ));
}

fn blobs(root: &Path, runtime: &Runtime) {
    let folder = tempfile::tempdir_in(root).unwrap();
    let store = store(folder.path());
    runtime.block_on(store.commit(begin("r"))).unwrap();
    let since = Instant::now();
    let mut batch = next("r", 0, 1, Level::Synced);
    for number in 0..BLOBS {
        let content = number.to_le_bytes().repeat(2500);
        let kept = store.blobs().keep_bytes(&content).unwrap();
        batch.append.as_mut().unwrap().references.push(kept.digest);
        batch.blobs.push(kept);
    }
    let kept = since.elapsed();
    let since = Instant::now();
    runtime.block_on(store.commit(batch)).unwrap();
    let synced = since.elapsed();
    runtime.block_on(store.close()).unwrap();
    let [kept, synced] = [kept, synced].map(millis);
    say(&format!(
        "{BLOBS} blobs of 20 KB    {kept:8.2} ms to keep, {synced:.2} ms to sync"
    ));
}
