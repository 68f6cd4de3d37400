//! A run that equals an earlier one is over at once; one that may differ is not.

use std::fs;

use crate::folder::{Folder, Ran};

const PURE: &str = "\
workflow pure(word: text = \"a\") -> list<text> {
  xs = for i in range(3) { x = text.truncate(\"${word} ${i}\", most: 9) yield x }
  return xs
}
";

/// Runs a workflow, which goes well; returns whether it was recalled.
fn run(folder: &Folder, args: &[&str]) -> (bool, Ran) {
    let args = [&["run"], args].concat();
    let ran = folder.flow(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    (ran.err.contains("nothing has changed since run"), ran)
}

/// How many command lines are remembered.
fn fronts(folder: &Folder) -> usize {
    let fronts = fs::read_dir(folder.path().join(".flow/fronts"));
    fronts.map_or(0, Iterator::count)
}

#[test]
fn the_same_again_is_recalled_and_says_the_same() {
    let folder = Folder::new("recall-same");
    folder.write("pure.flow", PURE);
    let (is_recalled, first) = run(&folder, &["pure.flow"]);
    assert!(!is_recalled);
    assert_eq!(fronts(&folder), 1);
    for args in [&["pure.flow"][..], &["./pure.flow"], &["pure.flow:pure"]] {
        let (is_recalled, again) = run(&folder, args);
        assert!(is_recalled, "{args:?}: {}", again.err);
        assert_eq!(again.out, first.out);
    }
    let (is_recalled, fresh) = run(&folder, &["pure.flow", "--fresh"]);
    assert!(!is_recalled);
    assert_eq!(fresh.out, first.out);
    let (_, json) = run(&folder, &["pure.flow", "--format", "json"]);
    let last = json.out.lines().last().unwrap();
    let json: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(json["status"], "succeeded");
    assert_eq!(json["output"].to_string(), first.out.trim());
    let runs = folder.flow(&["runs"]).out;
    assert_eq!(runs.lines().filter(|line| line.contains("pure")).count(), 6);
}

#[test]
fn whatever_makes_a_difference_is_looked_at() {
    let folder = Folder::new("recall-differs");
    folder.write(
        "lib/words.flow",
        "workflow word() -> text {\n  x = text.truncate(\"abc\", most: 2)\n  return x\n}\n",
    );
    folder.write("t.j2", "hello {{ name }}");
    let flow = "\
use \"lib/words.flow\" as lib
workflow both(name: text = \"ada\") -> { a: text, b: text } {
  a = lib.word()
  b = text.truncate(template(\"t.j2\", { name }), most: 90)
  return { a, b }
}
";
    folder.write("both.flow", flow);
    run(&folder, &["both.flow"]);
    let again = |what: &str| {
        assert!(!run(&folder, &["both.flow"]).0, "{what} was not looked at");
        assert!(run(&folder, &["both.flow"]).0, "after {what}");
    };
    folder.write("t.j2", "good day {{ name }}");
    again("a template");
    let words = folder.read("lib/words.flow");
    folder.write("lib/words.flow", words.replace("abc", "xyz"));
    again("a file that is used");
    folder.write(
        "both.flow",
        folder.read("both.flow").replace("most: 90", "most: 91"),
    );
    again("the file");
    assert!(!run(&folder, &["both.flow", "name=bob"]).0);
    assert!(run(&folder, &["both.flow", "name=bob"]).0);
    // What makes no difference for the plan makes none for its result.
    folder.write("flow.toml", "tz = \"UTC\"\n");
    run(&folder, &["both.flow"]);
    assert!(run(&folder, &["both.flow"]).0);
    folder.write(
        "both.flow",
        format!("# a word\n{}", folder.read("both.flow")),
    );
    assert!(run(&folder, &["both.flow"]).0, "a comment is no difference");
    folder.write("flow.toml", "no key = 1\n");
    assert_eq!(folder.flow(&["run", "both.flow"]).code, Some(1));
    folder.write("flow.toml", "");
    folder.write("both.flow", "workflow both() {\n");
    assert_eq!(folder.flow(&["run", "both.flow"]).code, Some(1));
}

#[test]
fn what_depends_on_more_than_its_plan_is_walked_again() {
    let folder = Folder::new("recall-not");
    let bodies = [
        ("drawn", "pick([\"a\", \"b\"])"),
        ("own", "run.id"),
        ("clock", "format(run.started, \"%H\")"),
    ];
    for (name, expr) in bodies {
        let text = format!(
            "workflow {name}() -> text {{\n  x = {expr}\n  y = text.truncate(x, most: 9)\n  return y\n}}\n"
        );
        folder.write(&format!("{name}.flow"), text);
    }
    folder.write(
        "outside.flow",
        "workflow outside() -> text {\n  x = shell.run([\"echo\", \"a\"])\n  return x.text\n}\n",
    );
    folder.write(
        "quick.flow",
        "workflow quick() -> text {\n  x = race {\n    a = text.truncate(\"a\", most: 1)\n    b = text.truncate(\"b\", most: 1)\n  }\n  return x\n}\n",
    );
    folder.write(
        "unshared.flow",
        "workflow unshared() -> text {\n  x = text.truncate(\"a\", most: 1) cache off\n  return x\n}\n",
    );
    for name in ["drawn", "own", "clock", "outside", "quick", "unshared"] {
        let file = format!("{name}.flow");
        run(&folder, &[&file]);
        assert!(!run(&folder, &[&file]).0, "{name}");
    }
    assert_eq!(fronts(&folder), 0);
}

#[test]
fn what_failed_on_the_way_is_tried_again() {
    let folder = Folder::new("recall-failed");
    folder.write(
        "fails.flow",
        "workflow fails() -> text {\n  x = json.parse<int>(\"no\") else 3\n  y = text.truncate(\"${x}\", most: 9)\n  return y\n}\n",
    );
    for _ in 0..2 {
        let (is_recalled, ran) = run(&folder, &["fails.flow"]);
        assert!(!is_recalled);
        assert_eq!(ran.out, "\"3\"\n");
    }
}

#[test]
fn a_memory_that_is_broken_or_gone_is_no_loss() {
    let folder = Folder::new("recall-broken");
    folder.write("pure.flow", PURE);
    let (_, first) = run(&folder, &["pure.flow"]);
    let place = folder.path().join(".flow/fronts");
    let kept = fs::read_dir(&place).unwrap().next().unwrap().unwrap();
    let text = fs::read_to_string(kept.path()).unwrap();
    let breaks = [
        String::new(),
        text.replace("pure", "evil"),
        text[..text.len() / 2].to_owned(),
        format!("{text} "),
    ];
    for broken in breaks {
        fs::write(kept.path(), broken).unwrap();
        // Its result is known all the same, once it is compiled.
        let (is_recalled, again) = run(&folder, &["pure.flow"]);
        assert!(is_recalled);
        assert_eq!(again.out, first.out);
    }
    // Who has lost the store has lost everything, and begins again.
    fs::remove_file(folder.path().join(".flow/flow.db")).unwrap();
    let wal = folder.path().join(".flow/flow.db-wal");
    fs::remove_file(wal).ok();
    let (is_recalled, again) = run(&folder, &["pure.flow"]);
    assert!(!is_recalled);
    assert_eq!(again.out, first.out);
}
