//! Asking about runs, where names are wild, outputs huge, and stores not what
//! they should be.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::folder::{Folder, Ran};

const FLOWS: &str = r#"
## Gives back what it gets, item by item.
workflow each(names: list<text> max 50) -> list<text> {
  made = for name in names by name {
    said = shell.run(["printf", "%s\n", name])
    yield said.text
  }
  return made
}

## Writes much.
workflow loud(bytes: int in 0..10000000 = 3000000) -> text {
  said = shell.run(["sh", "-c", "head -c $N /dev/zero | tr '\\0' x; echo; echo last", "sh"], env: { N: "${bytes}" })
  long = text.truncate("short", most: 10)
  return long
}

## Makes files.
workflow files() -> { first: file, more: list<file> } {
  made = shell.run(["sh", "-c", "echo one > a.txt; echo two > b.txt"], outputs: ["a.txt", "b.txt"])
  return { first: made.files["a.txt"], more: [made.files["b.txt"]] }
}

## Waits for a file to be there.
workflow held(go: text) -> text {
  said = shell.run(["sh", "-c", "echo begun; while [ ! -e \"$GO\" ]; do sleep 0.02; done; echo over", "sh"], env: { GO: go })
  return said.text
}

workflow quick(n: int) -> int {
  made = json.parse<int>("${n}")
  return made
}
"#;

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("flows.flow", FLOWS);
    folder
}

fn json(folder: &Folder, args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.extend(["--format", "json"]);
    let ran = folder.flow(&all);
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{args:?}: {ran:?}"))
}

fn wild(text: &str) -> bool {
    let is_wild = |letter: char| letter.is_control() && letter != '\n';
    text.contains(is_wild) || text.contains(['\u{202e}', '\u{2066}'])
}

#[test]
fn wild_names_are_tamed_for_people_and_lead_back_to_their_items() {
    let folder = folder("asking-wild");
    let names = [
        "\u{1b}[31mred",
        "a/b]",
        "q\"u\\ote",
        "\u{202e}turned",
        "plain",
    ];
    let given = format!("names={}", serde_json::to_string(&names).unwrap());
    let ran = folder.flow(&["run", "flows.flow:each", &given]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for args in [
        &["show"][..],
        &["why"],
        &["show", "--items"],
        &["doctor"],
        &["logs", "--events"],
    ] {
        let ran = folder.flow(args);
        assert!(!wild(&ran.out), "{args:?}: {:?}", ran.out);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
    }
    let shown = json(&folder, &["show"]);
    let items = shown["steps"][0]["steps"].as_array().unwrap();
    assert_eq!(items.len(), names.len());
    for (item, name) in items.iter().zip(names) {
        let path = item["steps"][0]["path"].as_str().unwrap();
        let step = json(&folder, &["show", path]);
        assert_eq!(step["path"], path);
        assert_eq!(step["arguments"]["command"][2], name, "{path}");
        let why = json(&folder, &["why", path]);
        assert_eq!(why["path"], path);
        // What a step wrote is data, and goes to a pipe as it is.
        let logs = folder.flow(&["logs", path]);
        assert_eq!(logs.out, format!("{name}\n"), "{path}");
    }
}

#[test]
fn huge_outputs_are_cut_for_people_and_whole_in_the_log() {
    let folder = folder("asking-huge");
    let ran = folder.flow(&["run", "flows.flow:loud"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for args in [
        &["show"][..],
        &["show", "said"],
        &["why", "said"],
        &["logs", "--events"],
    ] {
        let ran = folder.flow(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        assert!(
            ran.out.len() < 64 << 10,
            "{args:?} says {} bytes",
            ran.out.len()
        );
    }
    let logs = folder.flow(&["logs", "said"]);
    let letters = logs.out.bytes().filter(|byte| *byte == b'x').count();
    assert_eq!(letters, 3_000_000);
    assert_eq!(folder.flow(&["logs", "said", "--tail", "1"]).out, "last\n");
    let lines = folder.flow(&["logs", "said", "--tail", "1", "--format", "json"]);
    let line: Value = serde_json::from_str(&lines.out).unwrap();
    assert_eq!(line["line"], "last");
}

#[test]
fn a_beginning_that_fits_several_runs_names_them() {
    let folder = folder("asking-several");
    // There are sixteen letters that a name can begin with.
    for n in 0..17 {
        let ran = folder.flow(&["run", "flows.flow:quick", &format!("n={n}")]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let runs = json(&folder, &["runs", "--limit", "100"]);
    let names: Vec<&str> = (runs["runs"].as_array().unwrap().iter())
        .map(|run| run["run"].as_str().unwrap())
        .collect();
    let begins = |begin: &str| names.iter().filter(|name| name.starts_with(begin)).count();
    let begin = names
        .iter()
        .map(|name| &name[..1])
        .find(|begin| begins(begin) > 1);
    let begin = begin.unwrap();
    for verb in ["show", "logs", "outputs", "why"] {
        let ran = folder.flow(&[verb, begin]);
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{verb}");
        let help = format!("several runs begin with `{begin}`");
        assert!(ran.err.contains(&help), "{verb}: {}", ran.err);
        for name in names.iter().filter(|name| name.starts_with(begin)) {
            assert!(ran.err.contains(name), "{verb}: {}", ran.err);
        }
    }
    // One whole name is enough, and so is one that nothing else begins with.
    assert_eq!(json(&folder, &["show", names[3]])["run"], names[3]);
    assert_eq!(json(&folder, &["show", &names[3][..7]])["run"], names[3]);
}

const ASKING: [&[&str]; 6] = [
    &["runs"],
    &["show"],
    &["logs"],
    &["outputs"],
    &["why"],
    &["doctor"],
];

#[test]
fn stores_that_are_none_say_so_everywhere() {
    let folder = folder("asking-stores");
    // None, and one in which nothing ever ran.
    let refused = folder.flow(&["run", "flows.flow:quick", "n=x", "--store", "empty"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for made in ["none", "empty"] {
        for asked in ASKING {
            let ran = folder.flow(&[asked, &["--store", made]].concat());
            let code = match asked[0] {
                "runs" | "doctor" => Some(0),
                _ => Some(2),
            };
            assert_eq!(ran.code, code, "{made} {asked:?}: {ran:?}");
            let said = ran.out + &ran.err;
            let says = ["there are no runs", "nothing is wrong"];
            assert!(
                says.iter().any(|says| said.contains(says)),
                "{made} {asked:?}: {said}"
            );
        }
    }
    // Of a newer version, and something else altogether.
    let database = folder.path().join("empty/flow.db");
    for ending in ["-wal", "-shm"] {
        fs::remove_file(folder.path().join(format!("empty/flow.db{ending}"))).ok();
    }
    let mut bytes = fs::read(&database).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    for (bytes, says) in [
        (bytes, "written by a newer flow"),
        (
            b"something else altogether, long enough to be looked at".to_vec(),
            "no store of flow",
        ),
    ] {
        fs::write(&database, bytes).unwrap();
        for asked in ASKING {
            let ran = folder.flow(&[asked, &["--store", "empty"]].concat());
            assert_eq!(ran.code, Some(10), "{asked:?}: {ran:?}");
            let said = (ran.out + &ran.err)
                .replace('\n', " ")
                .replace("     ", " ");
            assert!(said.contains(says), "{asked:?}: {said}");
        }
    }
}

#[test]
fn files_are_copied_out_whole_and_over_nothing_else() {
    let folder = folder("asking-outputs");
    assert_eq!(folder.flow(&["run", "flows.flow:files"]).code, Some(0));
    let ran = folder.flow(&["outputs", "--to", "out"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.out, "out/first.txt\nout/more-0.txt\nout/outputs.json\n");
    assert_eq!(folder.read("out/first.txt"), "one\n");
    assert_eq!(folder.read("out/more-0.txt"), "two\n");
    let values: Value = serde_json::from_str(&folder.read("out/outputs.json")).unwrap();
    assert_eq!(values["more"][0]["file"], "more-0.txt");

    // A link is somebody else's file: it is neither followed nor replaced unasked.
    folder.write("precious", "precious\n");
    fs::create_dir(folder.path().join("linked")).unwrap();
    symlink("../precious", folder.path().join("linked/first.txt")).unwrap();
    let ran = folder.flow(&["outputs", "--to", "linked"]);
    assert_eq!((ran.code, &*ran.out), (Some(3), ""), "{ran:?}");
    assert!(
        !folder.path().join("linked/more-0.txt").exists(),
        "nothing is written"
    );
    let ran = folder.flow(&["outputs", "--to", "linked", "--force"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(folder.read("linked/first.txt"), "one\n");
    assert_eq!(folder.read("precious"), "precious\n");

    // A folder at the place of a file, and a file at the place of the folder.
    fs::create_dir_all(folder.path().join("odd/first.txt")).unwrap();
    for (to, force) in [("odd", true), ("precious", false)] {
        let mut args = vec!["outputs", "--to", to];
        args.extend(force.then_some("--force"));
        let ran = folder.flow(&args);
        assert_eq!((ran.code, &*ran.out), (Some(3), ""), "{to}: {ran:?}");
    }
    let left = fs::read_dir(folder.path().join("odd")).unwrap().count();
    assert_eq!(left, 1, "no part is left behind");
}

/// Returns the blobs of a store.
fn blobs(folder: &Folder) -> Vec<PathBuf> {
    let shards = fs::read_dir(folder.path().join(".flow/cas")).unwrap();
    let files = shards.flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn the_doctor_finds_what_is_missing_and_what_is_damaged() {
    let folder = folder("asking-doctor");
    assert_eq!(folder.flow(&["run", "flows.flow:files"]).code, Some(0));
    let well = json(&folder, &["doctor", "--verify"]);
    assert_eq!(well["ok"], true, "{well}");
    let run = json(&folder, &["show"])["run"].as_str().unwrap().to_owned();

    let blobs = blobs(&folder);
    let [first, ..] = blobs.as_slice() else {
        panic!("there are files");
    };
    let bytes = fs::read(first).unwrap();
    replace(first, b"two?"[..bytes.len()].as_ref());
    // Of the same length: it has to be read.
    assert_eq!(json(&folder, &["doctor"])["ok"], true);
    let ran = folder.flow(&["doctor", "--verify"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.out.contains("1 damaged") && ran.out.contains(&run),
        "{}",
        ran.out
    );
    let ran = folder.flow(&["outputs", "--to", "out"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("is damaged"), "{}", ran.err);

    fs::remove_file(first).unwrap();
    for args in [&["doctor"][..], &["doctor", "--verify"]] {
        let ran = folder.flow(args);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(
            ran.out.contains("1 missing") && ran.out.contains("--fresh"),
            "{}",
            ran.out
        );
    }
    let ran = folder.flow(&["outputs", "--to", "out"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("not in the store any more"), "{}", ran.err);
    assert!(!folder.path().join("out/outputs.json").exists());
}

fn replace(path: &std::path::Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A run that goes on until it is let go.
struct Held {
    child: Child,
    go: PathBuf,
}

impl Held {
    fn begin(folder: &Folder) -> Self {
        let go = folder.path().join("go");
        let given = format!("go={}", go.display());
        let mut command = folder.command(&["run", "flows.flow:held", &given]);
        command.stderr(Stdio::null()).stdout(Stdio::null());
        Self {
            child: command.spawn().unwrap(),
            go,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        fs::write(&self.go, "").ok();
        self.child.wait().ok();
    }
}

/// How long something may take before the test has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks until an answer fits.
fn until(folder: &Folder, args: &[&str], fits: impl Fn(&Ran) -> bool) -> Ran {
    let began = Instant::now();
    loop {
        let ran = folder.flow(args);
        if fits(&ran) {
            return ran;
        }
        assert!(began.elapsed() < PATIENCE, "{args:?}: {ran:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_run_is_followed_while_another_process_drives_it() {
    let folder = folder("asking-follow");
    let mut held = Held::begin(&folder);
    until(&folder, &["logs"], |ran| ran.out.contains("begun"));
    let shown = json(&folder, &["show"]);
    assert_eq!(shown["state"], "running");
    assert_eq!(shown["driver"]["pid"], held.child.id());
    assert_eq!(shown["steps"][0]["state"], "running");
    assert_eq!(
        json(&folder, &["runs", "--state", "running"])["runs"][0]["pid"],
        held.child.id()
    );
    let ran = folder.flow(&["outputs"]);
    assert_eq!((ran.code, &*ran.out), (Some(9), ""), "{ran:?}");

    let mut follows = folder
        .command(&["logs", "-f", "--tail", "1"])
        .spawn()
        .unwrap();
    let mut journal = folder.command(&["logs", "-f", "--events"]).spawn().unwrap();
    let mut lines = BufReader::new(follows.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "said │ begun");
    fs::write(&held.go, "").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "said │ over");
    assert!(lines.next().is_none(), "it ends with the run");
    assert!(follows.wait().unwrap().success());
    let mut events = String::new();
    journal
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut events)
        .unwrap();
    assert!(journal.wait().unwrap().success());
    assert!(
        events.contains("run_started") && events.contains("run_settled"),
        "{events}"
    );
    assert!(held.child.wait().unwrap().success());
}

#[test]
fn a_run_whose_process_is_gone_was_interrupted() {
    let folder = folder("asking-gone");
    let mut held = Held::begin(&folder);
    until(&folder, &["logs"], |ran| ran.out.contains("begun"));
    held.child.kill().unwrap();
    held.child.wait().unwrap();
    // Who follows is told by the end that there is nothing more to come.
    let ran = folder.flow(&["logs", "-f"]);
    assert_eq!(
        (ran.code, &*ran.out),
        (Some(0), "said │ begun\n"),
        "{ran:?}"
    );
    let shown = json(&folder, &["show"]);
    assert_eq!(
        (&shown["state"], &shown["driver"]),
        (&"interrupted".into(), &Value::Null)
    );
    let next = shown["next"][0]["command"].as_str().unwrap();
    assert!(next.starts_with("flow resume "), "{next}");
    assert_eq!(folder.flow(&["outputs"]).code, Some(8));
    let doctor = json(&folder, &["doctor", "--verify"]);
    assert_eq!(doctor["ok"], true, "{doctor}");
    let said = doctor.to_string();
    assert!(said.contains("1 interrupted"), "{said}");
}

#[test]
fn why_a_step_ran_is_told_with_the_values_before_and_now() {
    let folder = folder("asking-ran");
    let ran = |args: &[&str]| -> Value {
        let ran = folder.flow(args);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let why = json(&folder, &["why", "made"]);
        let reasons = why["reasons"].as_array().unwrap();
        let reason = reasons.iter().find(|reason| reason["kind"] == "ran");
        reason.unwrap_or_else(|| panic!("{why}")).clone()
    };
    let first = ran(&["run", "flows.flow:quick", "n=1"]);
    assert_eq!(first["because"], "no_earlier_result");

    let second = ran(&["run", "flows.flow:quick", "n=2"]);
    assert_eq!(second["because"], "different");
    let differences = second["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{second}");
    assert_eq!(differences[0]["part"], "input text");
    let text = "the input `text` was \"1\", and is \"2\"";
    assert_eq!(differences[0]["text"], text);

    let fresh = ran(&["run", "flows.flow:quick", "n=2", "--fresh"]);
    assert_eq!(fresh["because"], "fresh", "{fresh}");
    let runs = json(&folder, &["runs"]);
    assert_eq!(fresh["earlier"], runs["runs"][1]["run"], "{fresh}");
}

#[test]
fn why_a_step_of_an_edited_run_ran_is_told_by_the_plan_of_before() {
    let folder = folder("asking-edited");
    let text = FLOWS.replace("json.parse<int>(\"${n}\")", "json.parse<int>(\"1${n}\")");
    folder.write("edited.flow", text);
    let ran = folder.flow(&["run", "flows.flow:quick", "n=3"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let runs = json(&folder, &["runs"]);
    let id = runs["runs"][0]["run"].as_str().unwrap();
    let ran = folder.flow(&["resume", id, "--with", "edited.flow:quick", "--yes"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let why = json(&folder, &["why", id, "made"]);
    let reason = &why["reasons"][0];
    assert_eq!(reason["because"], "different", "{why}");
    assert_eq!(reason["earlier"], id, "{why}");
    let text = "the input `text` was \"3\", and is \"13\"";
    assert_eq!(reason["differences"][0]["text"], text, "{why}");
}
