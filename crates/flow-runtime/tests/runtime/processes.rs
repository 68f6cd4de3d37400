//! Several processes on one store. The others are this test, started again with
//! a part to play.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flow_runtime::owner::Pace;
use flow_runtime::store::{Level, Refused, Store, TakeError, WriteError};
use tempfile::tempdir;

use crate::collecting::{LATER, keep_and_forget, last};
use crate::disks::fill;
use crate::harness::{commit, event, first, id, length, more, open, wait, with_blob};

const PART: &str = "FLOW_TEST_PART";
const ROOT: &str = "FLOW_TEST_ROOT";
const NAME: &str = "processes::a_process_plays_the_part_it_is_given";

/// Another process with a part.
struct Player {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Player {
    fn new(part: &str, root: &Path) -> Self {
        Self::under(&[], part, root)
    }

    /// Starts a process by way of a command.
    fn under(command: &[&str], part: &str, root: &Path) -> Self {
        let test = std::env::current_exe().unwrap();
        let mut words = command.iter().map(std::ffi::OsStr::new);
        let mut command = Command::new(words.next().unwrap_or(test.as_os_str()));
        command.args(words);
        if command.get_program() != test.as_os_str() {
            command.arg(&test);
        }
        let child = command
            .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
            .env(PART, part)
            .env(ROOT, root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Returns the next thing that it says; nothing if it ended.
    fn says(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The rest is what the harness of tests says.
            if let Some(said) = line.strip_prefix("says ") {
                return Some(said.trim_end().to_owned());
            }
        }
    }

    fn go(&mut self) {
        let mut stdin = self.child.stdin.as_ref().unwrap();
        stdin.write_all(b"go\n").unwrap();
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Lets it end, and waits until it has.
    fn end(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // It may have ended long ago.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn say(words: &str) {
    let mut stdout = std::io::stdout().lock();
    // The harness may have left a line without an end.
    writeln!(stdout, "\nsays {words}").unwrap();
    stdout.flush().unwrap();
}

/// Waits for a line, or for the end of those who ask.
fn wait_for_go() {
    std::io::stdin()
        .lock()
        .read_line(&mut String::new())
        .unwrap();
}

fn wait_for_end() {
    drop(std::io::stdin().lock().read_to_end(&mut Vec::new()));
}

#[test]
fn a_process_plays_the_part_it_is_given() {
    let (Ok(part), Some(root)) = (std::env::var(PART), std::env::var_os(ROOT)) else {
        // Started with all other tests, it has no part.
        return;
    };
    let root = Path::new(&root);
    match part.as_str() {
        "begin" => begin(root),
        "take" => take(root),
        "collect" => collect(root),
        "keep" => keep_and_forget(&open(root), &format!("p{}", std::process::id()), 40),
        "fill" => say(&format!("written {}", fill(&open(root)))),
        "break" => break_off(root),
        other => panic!("`{other}` is no part"),
    }
}

/// Makes the store or finds it, begins a run of its own, and ends.
fn begin(root: &Path) {
    say("ready");
    wait_for_go();
    let store = open(root);
    let run = format!("p{}", std::process::id());
    commit(&store, first(&run, 2, Level::Synced)).unwrap();
    say(&run);
}

/// Takes the run `r` and holds it until the end.
fn take(root: &Path) {
    say("ready");
    wait_for_go();
    let store = open(root);
    match wait(store.take(&id("r"))) {
        Ok(taken) => {
            let batch = more("r", taken.epoch, taken.head, 1, Level::Synced);
            commit(&store, batch).unwrap();
            say("taken");
        }
        Err(TakeError::Owned { .. }) => say("owned"),
        Err(error) => panic!("{error}"),
    }
    wait_for_end();
}

/// Collects until it is told to end.
fn collect(root: &Path) {
    let store = open(root);
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            wait_for_end();
            drop(over);
        });
        say("ready");
        let mut removed = 0;
        while is_over.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            removed += crate::collecting::collect(&store).blobs;
        }
        say(&format!("removed {removed}"));
    });
}

/// Writes until the machine refuses to.
fn break_off(root: &Path) {
    let store = open(root);
    commit(&store, first("r", 0, Level::Synced)).unwrap();
    let add = |seq| {
        let mut batch = more("r", 1, seq, 0, Level::Synced);
        batch.append.as_mut().unwrap().events = vec![event(seq, vec![7; 64 * 1024])];
        commit(&store, batch)
    };
    let mut seq = 0;
    let refused = loop {
        match add(seq) {
            Ok(_) => seq += 1,
            Err(refused) => break refused,
        }
    };
    let Refused::Failed(error) = &refused else {
        panic!("{refused:?}")
    };
    assert!(matches!(**error, WriteError::Broken { .. }), "{refused:?}");
    let again = commit(&store, first("s", 1, Level::Lazy));
    assert_eq!(again, Err(refused), "nothing is written any more");
    say(&format!("written {seq}"));
}

fn written(player: &mut Player) -> u64 {
    let said = player.says().unwrap();
    said.strip_prefix("written ").unwrap().parse().unwrap()
}

#[test]
fn processes_that_make_a_store_at_once_make_one() {
    let folder = tempdir().unwrap();
    let root = folder.path().join(".flow");
    let mut players = [(); 4].map(|()| Player::new("begin", &root));
    for player in &mut players {
        assert_eq!(player.says().as_deref(), Some("ready"));
    }
    for player in &mut players {
        player.go();
    }
    let runs = players.map(|mut player| {
        let run = player.says().unwrap();
        player.end();
        run
    });
    let store = open(&root);
    for run in &runs {
        assert_eq!(length(&store, run), 2);
    }
}

#[test]
fn of_processes_that_fight_for_a_run_one_gets_it() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = first("r", 1, Level::Synced);
    batch.append.as_mut().unwrap().hold = flow_runtime::store::Hold::Released;
    commit(&store, batch).unwrap();
    let mut players = [(); 4].map(|()| Player::new("take", folder.path()));
    for player in &mut players {
        assert_eq!(player.says().as_deref(), Some("ready"));
    }
    for player in &mut players {
        player.go();
    }
    let mut said = players.each_mut().map(|player| player.says().unwrap());
    said.sort();
    assert_eq!(said, ["owned", "owned", "owned", "taken"]);
    for player in players {
        player.end();
    }
    assert_eq!(length(&store, "r"), 2);
    let taken = wait(store.take(&id("r"))).unwrap();
    assert_eq!(taken.epoch, 3, "nobody has it any more");
}

fn is_owned(store: &Store) -> (Option<u32>, Pace) {
    match wait(store.take(&id("r"))) {
        Err(TakeError::Owned { pid, pace, .. }) => (pid, pace),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stopped_owner_is_an_owner_until_it_is_killed() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = first("r", 1, Level::Synced);
    batch.append.as_mut().unwrap().hold = flow_runtime::store::Hold::Released;
    commit(&store, batch).unwrap();
    let mut player = Player::new("take", folder.path());
    player.go();
    assert_eq!(player.says().as_deref(), Some("ready"));
    assert_eq!(player.says().as_deref(), Some("taken"));
    let pid = Some(player.child.id());
    assert_eq!(is_owned(&store), (pid, Pace::Running));

    player.signal("-STOP");
    // The signal arrives when it arrives.
    let since = Instant::now();
    while is_owned(&store) != (pid, Pace::Stopped) {
        assert!(since.elapsed() < Duration::from_mins(1), "it never stopped");
        std::thread::yield_now();
    }
    let owned = wait(store.take(&id("r"))).unwrap_err().to_string();
    assert!(owned.contains("which is stopped"), "{owned}");
    player.signal("-CONT");

    player.child.kill().unwrap();
    player.child.wait().unwrap();
    let taken = wait(store.take(&id("r"))).unwrap();
    assert_eq!((taken.epoch, taken.head), (3, 2));
    // What the dead one would still write is refused.
    let late = commit(&store, more("r", 2, 2, 1, Level::Synced));
    assert!(matches!(late, Err(Refused::Fenced { .. })), "{late:?}");
    commit(&store, more("r", 3, 2, 1, Level::Synced)).unwrap();
}

#[test]
fn collecting_in_another_process_loses_nothing_that_is_kept_here() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    // Something that surely goes.
    let kept = store.blobs().keep_bytes(b"not for long").unwrap();
    commit(&store, last(with_blob(first("r", 1, Level::Lazy), kept))).unwrap();
    store.forget(&id("r"), LATER).unwrap();
    let mut collector = Player::new("collect", folder.path());
    assert_eq!(collector.says().as_deref(), Some("ready"));
    let keeper = Player::new("keep", folder.path());
    keep_and_forget(&store, "here", 40);
    keeper.end();
    drop(collector.child.stdin.take());
    let removed = collector.says().unwrap();
    assert_ne!(removed, "removed 0");
    collector.end();
}

#[test]
fn a_disk_that_is_really_full_takes_what_was_paid_for() {
    let folder = tempdir().unwrap();
    let mount = r#"mount -t tmpfs -o size=32m tmpfs "$FLOW_TEST_ROOT" && exec "$@""#;
    let alone = ["unshare", "--user", "--map-root-user", "--mount"];
    let can = Command::new(alone[0])
        .args(&alone[1..])
        .arg("true")
        .output();
    if !can.is_ok_and(|can| can.status.success()) {
        // This machine gives nobody a small disk. The same is tested with a
        // database that may not grow, in `disks`.
        return;
    }
    let command = [&alone[..], &["sh", "-c", mount, "sh"]].concat();
    let mut player = Player::under(&command, "fill", folder.path());
    assert!(written(&mut player) > 20);
    player.end();
}

#[test]
fn a_write_that_fails_is_the_last() {
    let folder = tempdir().unwrap();
    drop(open(folder.path()));
    // No file may be longer than 4 MiB, or 2 MiB, as shells count.
    let limit = r#"trap "" XFSZ; ulimit -f 4096; exec "$@""#;
    let mut player = Player::under(&["sh", "-c", limit, "sh"], "break", folder.path());
    let written = written(&mut player);
    player.end();
    assert!(written > 0);
    assert_eq!(length(&open(folder.path()), "r"), written);
}
