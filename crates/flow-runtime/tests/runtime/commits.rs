//! What is written together, in which order, and what is refused.

use std::sync::Arc;

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_runtime::store::{
    AskChange, AskRow, Batch, CacheEntry, EffectRow, EffectState, Held, Hold, LetterReply,
    LetterTag, Level, Missed, NewLetter, PartsRow, Phase, Posted, QUEUE_BYTES, Refused, Runs,
    SharedChange, SharedRow, StateEntry, Store, WriteError,
};
use tempfile::tempdir;

use crate::harness::{begin, commit, event, first, id, length, more, open, over, wait, with_value};

#[test]
fn what_waits_is_committed_together_and_answered_in_order() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let answers = wait(async {
        let mut pending = Vec::new();
        for head in 0..200 {
            let batch = if head == 0 {
                first("r", 1, Level::Lazy)
            } else {
                more("r", 1, head, 1, Level::Lazy)
            };
            pending.push(store.send(batch).await.unwrap());
        }
        let mut answers = Vec::new();
        for pending in pending {
            answers.push(pending.await.unwrap());
        }
        answers
    });
    assert!(answers.is_sorted_by_key(|answer| answer.commit));
    let commits: std::collections::BTreeSet<u64> =
        answers.iter().map(|answer| answer.commit).collect();
    assert!(commits.len() < 100, "{} commits", commits.len());
    assert_eq!(length(&store, "r"), 200);
}

#[test]
fn a_commit_is_as_sure_as_the_surest_of_its_batches() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let synced = commit(&store, first("r", 1, Level::Synced)).unwrap();
    assert_eq!(synced.level, Level::Synced);
    let answers = wait(async {
        let lazy = store.send(more("r", 1, 1, 1, Level::Lazy)).await.unwrap();
        let synced = store.send(more("r", 1, 2, 1, Level::Synced)).await.unwrap();
        [lazy.await.unwrap(), synced.await.unwrap()]
    });
    assert_eq!(answers[1].level, Level::Synced);
    if answers[0].commit == answers[1].commit {
        assert_eq!(answers[0].level, Level::Synced);
    }
}

#[test]
fn a_large_fan_out_is_cut_into_commits() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, first("r", 0, Level::Lazy)).unwrap();
    let answers = wait(async {
        let mut pending = Vec::new();
        for part in 0..8 {
            let batch = more("r", 1, part * 600, 600, Level::Lazy);
            pending.push(store.send(batch).await.unwrap());
        }
        let mut answers = Vec::new();
        for pending in pending {
            answers.push(pending.await.unwrap());
        }
        answers
    });
    for pair in answers.windows(3) {
        assert_ne!(pair[0].commit, pair[2].commit, "1,800 events in a commit");
    }
    assert_eq!(length(&store, "r"), 4800);
}

#[test]
fn the_queue_has_room_for_so_many_bytes_and_is_waited_for() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, first("r", 0, Level::Lazy)).unwrap();
    // Each of these fills the queue by itself.
    wait(async {
        let mut last = None;
        for seq in 0..3 {
            let mut batch = more("r", 1, seq, 0, Level::Lazy);
            let body = vec![0; QUEUE_BYTES];
            batch.append.as_mut().unwrap().events = vec![event(seq, body)];
            let pending = store.send(batch).await.unwrap();
            last = Some(pending);
        }
        last.unwrap().await.unwrap();
    });
    assert_eq!(length(&store, "r"), 3);
}

/// What a second owner of a run does to the first.
fn taken_over(folder: &std::path::Path) -> Store {
    let store = open(folder);
    commit(&store, first("r", 2, Level::Lazy)).unwrap();
    commit(&store, first("other", 1, Level::Lazy)).unwrap();
    let taken = wait(store.take(&id("r"))).unwrap();
    assert_eq!((taken.epoch, taken.head), (2, 2));
    store
}

#[test]
fn who_lost_a_run_cannot_add_to_it() {
    let folder = tempdir().unwrap();
    let store = taken_over(folder.path());
    let fenced = commit(&store, more("r", 1, 2, 1, Level::Synced));
    let now = Some((2, 2));
    assert_eq!(fenced, Err(Refused::Fenced { run: id("r"), now }));
    assert_eq!(length(&store, "r"), 2);
    commit(&store, more("r", 2, 2, 1, Level::Synced)).unwrap();
    assert_eq!(length(&store, "r"), 3);
}

#[test]
fn who_does_not_know_all_of_a_run_cannot_add_to_it() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, first("r", 2, Level::Lazy)).unwrap();
    for head in [0, 1, 3] {
        let fenced = commit(&store, more("r", 1, head, 1, Level::Lazy));
        let now = Some((1, 2));
        assert_eq!(fenced, Err(Refused::Fenced { run: id("r"), now }));
    }
    let fenced = commit(&store, more("none", 1, 0, 1, Level::Lazy));
    let run = id("none");
    assert_eq!(fenced, Err(Refused::Fenced { run, now: None }));
    assert_eq!(length(&store, "r"), 2);
}

#[test]
fn a_fenced_run_takes_no_other_down() {
    let folder = tempdir().unwrap();
    let store = taken_over(folder.path());
    let [fenced, follows, fine] = wait(async {
        let body = vec![1; 100];
        let batch = with_value(more("r", 1, 2, 1, Level::Synced), &body, Vec::new());
        let fenced = store.send(batch).await.unwrap();
        let follows = store.send(more("r", 1, 3, 1, Level::Synced)).await.unwrap();
        let fine = store
            .send(more("other", 1, 1, 1, Level::Synced))
            .await
            .unwrap();
        [fenced.await, follows.await, fine.await]
    });
    assert!(matches!(fenced, Err(Refused::Fenced { .. })), "{fenced:?}");
    assert!(
        matches!(follows, Err(Refused::Fenced { .. })),
        "{follows:?}"
    );
    assert!(fine.is_ok(), "{fine:?}");
    assert_eq!([length(&store, "r"), length(&store, "other")], [2, 2]);
    let value = store.value(&Digest::of(&[1; 100])).unwrap();
    assert_eq!(value, None, "nothing of a refused batch stays");
}

#[test]
fn there_is_one_run_of_a_name_and_one_of_a_firing() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let fired = |run: &str, instant| {
        let mut batch = first(run, 1, Level::Synced);
        let mut begin = begin();
        begin.firing = Some(("nightly".into(), Timestamp(instant)));
        batch.append.as_mut().unwrap().begin = Some(begin);
        commit(&store, batch)
    };
    let begun = |run: &str| Err(Refused::Begun { run: id(run) });
    fired("a", 10).unwrap();
    assert_eq!(fired("b", 10), begun("a"));
    assert_eq!(fired("a", 20), begun("a"));
    fired("b", 20).unwrap();
    assert_eq!(commit(&store, first("b", 1, Level::Lazy)), begun("b"));
    let reader = store.reader().unwrap();
    let last = Some((Timestamp(20), id("b")));
    assert_eq!(reader.fired("nightly").unwrap(), last);
    assert_eq!(reader.runs(Runs::All, None, 9).unwrap().len(), 2);
}

fn shared(version: u64, key: &str, body: Option<&str>) -> SharedChange {
    let row = SharedRow {
        kind: 2,
        key: key.into(),
        body: body.map(Into::into),
    };
    let rows = vec![row];
    SharedChange { version, rows }
}

#[test]
fn what_runs_share_changes_only_from_the_version_that_was_read() {
    let folder = tempdir().unwrap();
    let [one, other] = [open(folder.path()), open(folder.path())];
    commit(&one, first("r", 1, Level::Lazy)).unwrap();
    let mut batch = more("r", 1, 1, 1, Level::Lazy);
    batch.shared = Some(shared(0, "ledger", Some("10")));
    commit(&one, batch).unwrap();

    commit(&other, first("o", 1, Level::Lazy)).unwrap();
    let late = |version, level| {
        let mut batch = more("o", 1, 1, 1, level);
        batch.shared = Some(shared(version, "ledger", Some("7")));
        batch
    };
    let moved = commit(&other, late(0, Level::Synced));
    assert_eq!(moved, Err(Refused::SharedMoved { version: 1 }));
    assert_eq!(length(&other, "o"), 1, "none of the batch is written");
    let state = other.reader().unwrap().shared().unwrap();
    assert_eq!(state.version, 1);
    assert_eq!(state.rows, shared(0, "ledger", Some("10")).rows);

    commit(&other, late(1, Level::Synced)).unwrap();
    let gone = Batch {
        shared: Some(shared(2, "ledger", None)),
        ..Batch::default()
    };
    commit(&one, gone).unwrap();
    let state = one.reader().unwrap().shared().unwrap();
    assert_eq!((state.version, state.rows.len()), (3, 0));
}

#[test]
fn several_changes_of_what_runs_share_can_be_on_their_way() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    wait(async {
        let mut pending = Vec::new();
        for version in 0..20 {
            let batch = Batch {
                shared: Some(shared(version, "slot", Some("x"))),
                ..Batch::default()
            };
            pending.push(store.send(batch).await.unwrap());
        }
        for pending in pending {
            pending.await.unwrap();
        }
    });
    assert_eq!(store.reader().unwrap().shared().unwrap().version, 20);
}

/// A batch with a row of each kind.
fn everything() -> Batch {
    let small = b"a value of more than sixty-four bytes, which is why it is in a table".as_slice();
    let mut batch = with_value(first("r", 3, Level::Synced), small, Vec::new());
    let append = batch.append.as_mut().unwrap();
    append.summary = Some(over(Phase::Waiting));
    append.effects = vec![EffectRow {
        ticket: b"t1".to_vec(),
        state: EffectState::Intended,
        at: Timestamp(1),
        idempotency: Digest::of(b"act"),
        body: b"post".to_vec(),
    }];
    append.asks = vec![AskChange::Asked(AskRow {
        ticket: b"t2".to_vec(),
        at: Timestamp(2),
        expires: Some(Timestamp(3)),
        body: b"may I?".to_vec(),
    })];
    append.parts = [
        None,
        Some(Missed::Stale(Timestamp(6))),
        Some(Missed::Evicted(Timestamp(7))),
    ]
    .into_iter()
    .enumerate()
    .map(|(at, missed)| PartsRow {
        key: Digest::of(&[u8::try_from(at).unwrap()]),
        parts: b"made of".to_vec(),
        missed,
    })
    .collect();
    batch.shared = Some(shared(0, "pool", Some("3")));
    batch.cache = vec![cached("key", Held::Stored(Digest::of(small)))];
    batch.state = vec![StateEntry {
        key: b"seen".to_vec(),
        handle: Some(b"handle".to_vec()),
        references: vec![Digest::of(small)],
        at: Timestamp(4),
        act: None,
    }];
    batch.letters = vec![NewLetter {
        run: id("r"),
        tag: LetterTag("tag".into()),
        at: Timestamp(5),
        body: b"stop".to_vec(),
        references: Vec::new(),
    }];
    batch
}

fn cached(key: &str, value: Held) -> CacheEntry {
    CacheEntry {
        key: Digest::of(key.as_bytes()),
        value,
        blobs: Vec::new(),
        parts: b"parts".to_vec(),
        made: Timestamp(1),
        expires: Some(Timestamp(2)),
        run: id("r"),
        seq: 1,
    }
}

#[test]
fn whoever_opens_it_again_sees_everything() {
    let folder = tempdir().unwrap();
    let large = vec![9_u8; 300 * 1024];
    {
        let store = open(folder.path());
        let batch = with_value(everything(), &large, Vec::new());
        commit(&store, batch).unwrap();
        wait(store.close()).unwrap();
    }
    let store = open(folder.path());
    let reader = store.reader().unwrap();
    let run = reader.run(&id("r")).unwrap().unwrap();
    assert_eq!((run.epoch, run.head, run.number), (1, 3, 1));
    assert_eq!(run.summary, over(Phase::Waiting));
    assert_eq!((&*run.workflow, run.plan), ("poster", begin().plan));
    let run = [run];
    assert_eq!(reader.runs_named("", 9).unwrap(), run);
    assert_eq!(reader.runs(Runs::Open, None, 9).unwrap(), run);
    let page = reader.events(&id("r"), 1, 1).unwrap();
    assert_eq!(page, [event(1, "event 1")]);

    let written = everything();
    let append = written.append.unwrap();
    assert_eq!(reader.effects_of(&id("r")).unwrap(), append.effects);
    let intended = reader.effects(EffectState::Intended).unwrap();
    assert_eq!(intended, [(id("r"), append.effects[0].clone())]);
    let asked = reader.asks(&id("r")).unwrap();
    assert_eq!(AskChange::Asked(asked[0].clone()), append.asks[0]);
    let found = reader.cached(&Digest::of(b"key")).unwrap().unwrap();
    assert_eq!(Some(&found.entry), written.cache.first());
    assert_eq!(found.evicted, None);
    for row in &append.parts {
        let found = reader.parts(&id("r"), &row.key).unwrap();
        assert_eq!(found.as_ref(), Some(row));
    }
    let state = reader.state(b"seen").unwrap().unwrap();
    assert_eq!(state.handle, written.state[0].handle);
    let letter = &reader.letters(&id("r"), 0).unwrap()[0];
    assert_eq!((letter.at, &*letter.body), (Timestamp(5), &b"stop"[..]));
    for value in &written.values {
        let found = store.value(&value.digest).unwrap();
        assert_eq!(found.as_ref(), Some(&value.body));
    }
    let found = store.value(&Digest::of(&large)).unwrap();
    assert_eq!(found, Some(Arc::from(large.as_slice())));
    assert!(
        store.blobs().path(&Digest::of(&large)).is_ok(),
        "it is a blob"
    );
}

#[test]
fn rows_that_are_over_go() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, everything()).unwrap();
    let letter = store.reader().unwrap().letters(&id("r"), 0).unwrap()[0].number;
    let mut batch = more("r", 1, 3, 1, Level::Lazy);
    let append = batch.append.as_mut().unwrap();
    append.replies = vec![LetterReply {
        number: letter,
        body: b"done".to_vec(),
    }];
    append.asks = vec![AskChange::Over {
        ticket: b"t2".to_vec(),
    }];
    append.effects = vec![EffectRow {
        ticket: b"t1".to_vec(),
        state: EffectState::Happened,
        at: Timestamp(9),
        idempotency: Digest::of(b"act"),
        body: b"posted".to_vec(),
    }];
    append.hold = Hold::Released;
    append.summary = Some(over(Phase::Succeeded));
    batch.state = vec![StateEntry {
        key: b"seen".to_vec(),
        handle: None,
        references: Vec::new(),
        at: Timestamp(9),
        act: None,
    }];
    commit(&store, batch).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.letters(&id("r"), 0).unwrap(), []);
    let reply = reader.reply(&LetterTag("tag".into())).unwrap();
    assert_eq!(reply, Posted::Answered(b"done".to_vec()));
    assert_eq!(reader.asks(&id("r")).unwrap(), []);
    assert_eq!(reader.state(b"seen").unwrap(), None);
    assert_eq!(reader.effects(EffectState::Intended).unwrap(), []);
    let effects = reader.effects_of(&id("r")).unwrap();
    assert_eq!(effects[0].state, EffectState::Happened);
    assert_eq!(reader.run(&id("r")).unwrap().unwrap().owner, None);
    assert_eq!(reader.runs(Runs::Open, None, 9).unwrap(), []);
}

#[test]
fn nothing_refers_to_what_is_not_there() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let digest = Digest::of(b"nothing");
    let gone = Err(Refused::Gone { digest });
    let mut batch = first("r", 1, Level::Lazy);
    batch.append.as_mut().unwrap().references.push(digest);
    assert_eq!(commit(&store, batch), gone);
    let batch = Batch {
        cache: vec![cached("key", Held::Stored(digest))],
        ..Batch::default()
    };
    assert_eq!(commit(&store, batch), gone);
    let letter = NewLetter {
        run: id("none"),
        tag: LetterTag("tag".into()),
        at: Timestamp(1),
        body: Vec::new(),
        references: Vec::new(),
    };
    let batch = Batch {
        letters: vec![letter],
        ..Batch::default()
    };
    let run: RunId = id("none");
    assert_eq!(commit(&store, batch), Err(Refused::NoRun { run }));
    let runs = store.reader().unwrap().runs(Runs::All, None, 9).unwrap();
    assert_eq!(runs, []);
}

#[test]
fn a_reader_notices_what_others_write() {
    let folder = tempdir().unwrap();
    let [one, other] = [open(folder.path()), open(folder.path())];
    let mut reader = one.reader().unwrap();
    reader.has_changed().unwrap();
    assert!(!reader.has_changed().unwrap());
    commit(&other, first("r", 1, Level::Lazy)).unwrap();
    assert!(reader.has_changed().unwrap());
    assert!(!reader.has_changed().unwrap());
}

#[test]
fn a_store_that_was_closed_says_so() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let pending = wait(store.send(first("r", 1, Level::Lazy))).unwrap();
    let late = open(folder.path());
    wait(store.close()).unwrap();
    assert!(pending.wait().is_ok(), "what was sent is written");
    assert_eq!(length(&late, "r"), 1);
    let message = WriteError::Closed { path: "x".into() }.to_string();
    assert_eq!(message, "the store `x` is closed");
}
