//! The power is cut: the log ends anywhere after its last sync, the memory that
//! processes share is gone, and so is every blob that was not synced.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use flow_core::digest::Digest;
use flow_runtime::artifacts::Check;
use flow_runtime::store::layout::Layout;
use flow_runtime::store::{
    Append, Batch, EPOCH_FIRST, Faults, Level, Options, Reader, Store, SyncObserver, SyncPoint,
};
use tempfile::TempDir;

use crate::harness::{
    self, Draw, begin, commit, event, first, id, length, more, options, wait, with_blob,
};

/// What is durable.
#[derive(Debug, Default, Clone)]
struct Durable {
    log: u64,
    blobs: BTreeSet<Digest>,
    syncs: usize,
}

#[derive(Default)]
struct Observer {
    durable: Mutex<Durable>,
    changed: Condvar,
}

impl SyncObserver for Observer {
    fn synced(&self, point: &SyncPoint) {
        let mut durable = self.durable.lock().unwrap();
        match point {
            SyncPoint::Log { length } => {
                durable.log = *length;
                durable.syncs += 1;
            }
            SyncPoint::Blobs(blobs) => durable.blobs.extend(blobs),
        }
        self.changed.notify_all();
    }
}

/// What a power cut takes in any case, and what nobody misses.
fn is_left(name: &OsStr) -> bool {
    let name = name.to_str().unwrap();
    name.starts_with("ballast") || name == "flow.db-shm"
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else if !is_left(&entry.file_name()) {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// A machine with a store on it.
pub(crate) struct Machine {
    folder: TempDir,
    observer: Arc<Observer>,
    store: Store,
}

impl Machine {
    pub(crate) fn new(faults: Faults) -> Self {
        let folder = harness::folder();
        let observer = Arc::new(Observer::default());
        let options = Options {
            boot: Some("first".into()),
            observer: Some(observer.clone()),
            faults,
            ..options()
        };
        let store = Store::open(folder.path(), options).unwrap();
        Self {
            folder,
            observer,
            store,
        }
    }

    fn durable(&self) -> Durable {
        self.observer.durable.lock().unwrap().clone()
    }

    /// Copies everything after something was done and before anything of it is
    /// synced, in favour of what was written.
    pub(crate) fn copy_unsynced(&self, act: impl FnOnce(&Store)) -> TempDir {
        // No blob is known to be synced before this is given back.
        let durable = self.observer.durable.lock().unwrap();
        act(&self.store);
        let folder = harness::folder();
        copy(self.folder.path(), folder.path());
        drop(durable);
        folder
    }

    /// Cuts the power. The length of the log is chosen from what it may be.
    fn cut(&self, choose: impl FnOnce(u64, u64) -> u64) -> TempDir {
        // Held, so that the writer makes nothing sure that is not counted: blobs
        // are told of before the commit that needs them.
        let durable = self.observer.durable.lock().unwrap();
        let folder = harness::folder();
        copy(self.folder.path(), folder.path());
        lose(folder.path(), &durable, choose);
        folder
    }
}

/// Loses all that was not durable.
fn lose(root: &Path, durable: &Durable, choose: impl FnOnce(u64, u64) -> u64) {
    let log = root.join("flow.db-wal");
    if let Ok(file) = fs::File::options().write(true).open(&log) {
        let whole = file.metadata().unwrap().len();
        let length = choose(durable.log.min(whole), whole);
        file.set_len(length).unwrap();
    }
    for shard in 0..=u8::MAX {
        for entry in fs::read_dir(Layout::new(root).shard(shard)).unwrap() {
            let path = entry.unwrap().path();
            let digest: Digest = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
            if durable.blobs.contains(&digest) {
                continue;
            }
            fs::remove_file(&path).unwrap();
            // Some file systems keep the name and lose the bytes.
            if digest.0[1].is_multiple_of(2) {
                fs::write(&path, "").unwrap();
            }
        }
    }
}

/// Opens a store on the machine that started again.
pub(crate) fn restart(root: &Path) -> Store {
    let options = Options {
        boot: Some("second".into()),
        ..options()
    };
    Store::open(root, options).unwrap()
}

/// A batch that was sent: what it was, and whether it was acknowledged.
#[derive(Debug, Clone)]
struct Sent {
    run: usize,
    seq: u64,
    blob: Option<Digest>,
    acknowledged: Option<Level>,
}

const RUNS: [&str; 3] = ["a", "b", "c"];

/// Walks three runs for a while, with blobs, and cuts the power at some moment.
/// Returns what is wrong afterwards, if anything is.
fn story(seed: u64, faults: Faults) -> Result<(), String> {
    let mut draw = Draw(seed);
    let machine = Machine::new(faults);
    let mut heads = [0_u64; RUNS.len()];
    let mut sent = Vec::new();
    for _ in 0..=draw.below(30) {
        let mut pending = Vec::new();
        for _ in 0..=draw.below(3) {
            let run = usize::try_from(draw.below(3)).unwrap();
            let seq = heads[run];
            heads[run] += 1;
            let (batch, blob) = batch(&machine.store, run, seq, &mut draw);
            let answer = wait(machine.store.send(batch)).unwrap();
            let acknowledged = None;
            sent.push(Sent {
                run,
                seq,
                blob,
                acknowledged,
            });
            pending.push((sent.len() - 1, answer));
        }
        // Sometimes the cut comes before the answers.
        if draw.below(20) == 0 {
            break;
        }
        for (index, answer) in pending {
            let committed = answer.wait().unwrap();
            sent[index].acknowledged = Some(committed.level);
        }
    }
    let folder = machine.cut(|least, most| least + draw.below(most - least + 1));
    judge(&restart(folder.path()), &sent).map_err(|wrong| format!("seed {seed}: {wrong}"))
}

/// One event of a run, sure or not, with or without a blob.
fn batch(store: &Store, run: usize, seq: u64, draw: &mut Draw) -> (Batch, Option<Digest>) {
    let mut append = Append::new(id(RUNS[run]), EPOCH_FIRST, seq);
    append.begin = (seq == 0).then(begin);
    append.events = vec![event(seq, format!("{run} {seq}"))];
    let mut batch = Batch {
        level: [Level::Lazy, Level::Lazy, Level::Synced][usize::try_from(draw.below(3)).unwrap()],
        ..Batch::default()
    };
    // More than eight between two syncs are synced in another way.
    let count = [0, 1, 1, 12][usize::try_from(draw.below(4)).unwrap()];
    let mut blob = None;
    for _ in 0..count {
        let content = format!("content {}", draw.below(40));
        let kept = store.blobs().keep_bytes(content.as_bytes()).unwrap();
        blob = Some(kept.digest);
        append.references.push(kept.digest);
        batch.blobs.push(kept);
    }
    batch.append = Some(append);
    (batch, blob)
}

fn judge(store: &Store, sent: &[Sent]) -> Result<(), String> {
    let heads = RUNS.map(|run| length(store, run));
    let survived = |sent: &Sent| sent.seq < heads[sent.run];
    let last = sent.iter().rposition(survived);
    let sure = sent
        .iter()
        .rposition(|sent| sent.acknowledged == Some(Level::Synced));
    for (index, sent) in sent.iter().enumerate() {
        if survived(sent) != last.is_some_and(|last| index <= last) {
            return Err(format!("{sent:?} makes it no prefix, up to {last:?}"));
        }
        let is_sure = sure.is_some_and(|sure| index <= sure);
        if is_sure && !survived(sent) {
            return Err(format!("{sent:?} was sure and is lost"));
        }
        let Some(blob) = &sent.blob else { continue };
        if !survived(sent) {
            continue;
        }
        let is_whole = store.blobs().check(blob).unwrap() == Check::Whole;
        if is_sure && !is_whole {
            return Err(format!("{sent:?} was sure and its blob is lost"));
        }
        let is_known = store.value(blob).unwrap().is_some();
        if is_known != is_whole {
            return Err(format!("{sent:?}: whole is {is_whole}, known {is_known}"));
        }
    }
    for (run, head) in RUNS.iter().zip(heads) {
        if head > 0 {
            let taken = wait(store.take(&id(run))).map_err(|error| error.to_string())?;
            let batch = more(run, taken.epoch, head, 1, Level::Synced);
            commit(store, batch).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// How many stories are told; more of them with `FLOW_TEST_STORIES`.
fn stories() -> u64 {
    let asked = std::env::var("FLOW_TEST_STORIES");
    asked.map_or(100, |count| count.parse().unwrap())
}

#[test]
fn what_was_sure_survives_and_the_rest_is_a_prefix() {
    for seed in 0..stories() {
        story(seed, Faults::default()).unwrap();
    }
}

/// Returns whether any story of a store with a fault goes wrong.
fn is_noticed(faults: Faults) -> bool {
    (0..60).any(|seed| story(seed, faults).is_err())
}

#[test]
fn intents_that_are_not_synced_are_noticed() {
    assert!(is_noticed(Faults {
        synced_as_lazy: true,
        ..Faults::default()
    }));
}

#[test]
fn blobs_without_a_barrier_are_noticed() {
    assert!(is_noticed(Faults {
        blobs_unsynced: true,
        ..Faults::default()
    }));
}

/// Commits lazily, ends in order, and cuts the power. Returns how many events
/// are left.
fn left_after_the_end(faults: Faults) -> u64 {
    let Machine {
        folder,
        observer,
        store,
    } = Machine::new(faults);
    commit(&store, first("r", 1, Level::Synced)).unwrap();
    commit(&store, more("r", 1, 1, 4, Level::Lazy)).unwrap();
    wait(store.close()).unwrap();
    let durable = observer.durable.lock().unwrap().clone();
    lose(folder.path(), &durable, |least, _| least);
    length(&restart(folder.path()), "r")
}

#[test]
fn the_barrier_at_the_end_makes_lazy_commits_durable() {
    assert_eq!(left_after_the_end(Faults::default()), 5);
}

#[test]
fn a_barrier_that_changes_no_page_is_noticed() {
    let faults = Faults {
        barrier_without_page: true,
        ..Faults::default()
    };
    assert!(left_after_the_end(faults) < 5);
}

#[test]
fn lazy_commits_become_durable_by_themselves() {
    let machine = Machine::new(Faults::default());
    commit(&machine.store, first("r", 3, Level::Lazy)).unwrap();
    let durable = machine.observer.durable.lock().unwrap();
    let long = Duration::from_mins(1);
    let waited = machine
        .observer
        .changed
        .wait_timeout_while(durable, long, |durable| durable.syncs == 0);
    drop(waited.unwrap());
    let folder = machine.cut(|least, _| least);
    assert_eq!(length(&restart(folder.path()), "r"), 3);
}

#[test]
fn a_sure_commit_makes_the_blobs_of_other_processes_durable() {
    let machine = Machine::new(Faults::default());
    let other = Store::open(
        machine.folder.path(),
        Options {
            boot: Some("first".into()),
            observer: Some(machine.observer.clone()),
            ..options()
        },
    );
    let other = other.unwrap();
    let kept = machine.store.blobs().keep_bytes(b"a fox").unwrap();
    let digest = kept.digest;
    let batch = with_blob(first("lazy", 1, Level::Lazy), kept);
    commit(&machine.store, batch).unwrap();
    commit(&other, first("sure", 1, Level::Synced)).unwrap();
    let folder = machine.cut(|least, _| least);
    let store = restart(folder.path());
    assert_eq!([length(&store, "lazy"), length(&store, "sure")], [1, 1]);
    assert_eq!(store.blobs().check(&digest).unwrap(), Check::Whole);
}

#[test]
fn who_only_reads_can_be_the_first_after_a_power_cut() {
    let machine = Machine::new(Faults::default());
    commit(&machine.store, first("r", 3, Level::Synced)).unwrap();
    commit(&machine.store, more("r", 1, 3, 3, Level::Lazy)).unwrap();
    let folder = machine.cut(|least, _| least);
    let reader = Reader::open(&Layout::new(folder.path())).unwrap();
    assert_eq!(reader.events(&id("r"), 0, 99).unwrap().len(), 3);
}

#[test]
fn a_log_that_grew_too_long_goes_into_the_database() {
    let machine = Machine::new(Faults::default());
    commit(&machine.store, first("r", 0, Level::Lazy)).unwrap();
    for seq in 0..80 {
        let mut batch = more("r", 1, seq, 0, Level::Lazy);
        batch.append.as_mut().unwrap().events = vec![event(seq, vec![7; 1024 * 1024])];
        commit(&machine.store, batch).unwrap();
    }
    commit(&machine.store, more("r", 1, 80, 1, Level::Synced)).unwrap();
    let log = machine.durable().log;
    assert!(log < 70 * 1024 * 1024, "{log} bytes of log");
    let folder = machine.cut(|least, _| least);
    assert_eq!(length(&restart(folder.path()), "r"), 81);
}

#[test]
fn each_synced_commit_is_one_sync_and_lazy_ones_are_none() {
    let machine = Machine::new(Faults::default());
    commit(&machine.store, first("r", 1, Level::Synced)).unwrap();
    let before = machine.durable().syncs;
    for seq in 1..=5 {
        commit(&machine.store, more("r", 1, seq, 1, Level::Synced)).unwrap();
    }
    assert_eq!(machine.durable().syncs - before, 5);
    let log = machine.durable().log;
    let file = fs::metadata(machine.folder.path().join("flow.db-wal"));
    assert_eq!(file.unwrap().len(), log, "all of the log is known");
}

#[test]
fn a_log_that_ends_anywhere_after_its_last_sync_is_a_prefix() {
    let machine = Machine::new(Faults::default());
    commit(&machine.store, first("r", 2, Level::Synced)).unwrap();
    let sure = machine.durable();
    commit(&machine.store, more("r", 1, 2, 30, Level::Lazy)).unwrap();
    commit(&machine.store, more("r", 1, 32, 300, Level::Lazy)).unwrap();
    let copied = harness::folder();
    copy(machine.folder.path(), copied.path());
    drop(machine);
    let log = copied.path().join("flow.db-wal");
    let whole = fs::metadata(&log).unwrap().len();
    let bytes = fs::read(&log).unwrap();
    // Around the ends of all frames, and at odd places inside of them.
    let frames = (32..=whole).step_by(4120);
    let ends = frames.flat_map(|end| [end.saturating_sub(1), end, end + 1]);
    let places = (sure.log..=whole).step_by(617).chain(ends).chain([whole]);
    let mut found = BTreeSet::new();
    for length_cut in places.filter(|place| (sure.log..=whole).contains(place)) {
        let length_cut = usize::try_from(length_cut).unwrap();
        fs::write(&log, &bytes[..length_cut]).unwrap();
        drop(fs::remove_file(copied.path().join("flow.db-shm")));
        let store = restart(copied.path());
        found.insert(length(&store, "r"));
    }
    assert_eq!(
        found,
        BTreeSet::from([2, 32, 332]),
        "commits are whole or not there"
    );
}
