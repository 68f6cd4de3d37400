//! `flow test`: what it carries out, how it ends, and what it leaves alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::folder::{Folder, Ran};

/// The tests of the repository, each folder with how many there are at least.
const OURS: [(&str, usize); 3] = [("examples", 12), ("workflows", 6), ("tests/tried", 40)];

const GREET: &str = r"
workflow greet(url: text) -> text {
  page = http.get(url)
  return page.text
}
";

fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    crates.ancestors().nth(2).unwrap().to_path_buf()
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err))
}

#[test]
fn the_tests_of_the_repository_pass() {
    for (folder, least) in OURS {
        let output = Command::new(env!("CARGO_BIN_EXE_flow"))
            .args(["test", folder, "--format", "json"])
            .current_dir(root())
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        let ran = Ran::from(output);
        let said = json(&ran);
        assert_eq!(ran.code, Some(0), "{said:#}");
        let passed = said["summary"]["passed"].as_u64().unwrap();
        assert!(passed >= least as u64, "{folder}: {passed}");
        for test in said["tests"].as_array().unwrap() {
            let said = test["diagnostics"].as_array().unwrap();
            assert!(said.is_empty(), "{test:#}");
        }
    }
}

#[test]
fn a_file_with_errors_is_not_tested_and_the_others_are() {
    let folder = Folder::new("testing-errors");
    folder.write(
        "good.flow",
        format!("{GREET}test \"a\" {{ expect true }}\n"),
    );
    folder.write("bad.flow", format!("{GREET}test \"b\" {{ expect tru }}\n"));
    let ran = folder.flow(&["test"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("good.flow\n  ok    a"), "{}", ran.out);
    assert!(ran.err.contains("unknown-name"), "{}", ran.err);
    assert!(
        ran.err.contains("1 test passed; there is 1 error in files"),
        "{}",
        ran.err
    );
    let said = json(&folder.flow(&["test", "--format", "json"]));
    assert_eq!(said["summary"]["errors"], 1);
    assert_eq!(said["tests"].as_array().unwrap().len(), 1);
}

#[test]
fn all_expectations_are_looked_at_and_told_with_their_values() {
    let folder = Folder::new("testing-values");
    let text = format!(
        "{GREET}
test \"greets\" {{
  stub http.get = fails auth
  r = run greet(url: \"https://example.org\")
  expect r.status == done
  expect calls(http.get) == 2 and r.cost < $0
  expect r.output == \"hello\"
  expect r.failure == auth
}}
"
    );
    folder.write("a.flow", text);
    let ran = folder.flow(&["test", "--format", "json"]);
    assert_eq!(ran.code, Some(4));
    let said = json(&ran);
    let test = &said["tests"][0];
    assert_eq!(test["passed"], false);
    let messages: Vec<&str> = (test["diagnostics"].as_array().unwrap().iter())
        .map(|said| said["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "`r.status == done` doesn't hold",
            "`calls(http.get) == 2 and r.cost < $0` doesn't hold",
            "`r.output == \"hello\"` asks for the output of a run that failed",
        ]
    );
    let counted = &test["diagnostics"][1];
    assert_eq!(counted["label"], "is 1");
    assert_eq!(counted["others"][0]["label"], "is $0");
    assert_eq!(counted["place"]["from"]["line"], 11);
    let run = &test["runs"][0];
    assert_eq!(run["status"], "failed");
    assert_eq!(run["failure"]["path"], "greet/page");
    assert_eq!(run["failure"]["class"], "auth");
}

#[test]
fn only_the_tests_that_are_meant_are_carried_out() {
    let folder = Folder::new("testing-only");
    let tests = ["posts it", "posts nothing", "says so"];
    let tests = tests.map(|name| format!("test \"{name}\" {{ expect true }}\n"));
    folder.write("a.flow", format!("{GREET}{}", tests.join("\n")));
    let listed = |args: &[&str]| {
        let mut all = vec!["test", "--list"];
        all.extend(args);
        folder.flow(&all).out
    };
    assert_eq!(
        listed(&[]),
        "a.flow:6: posts it\na.flow:8: posts nothing\na.flow:10: says so\n"
    );
    assert_eq!(listed(&["--only", "it"]), "a.flow:6: posts it\n");
    assert_eq!(
        listed(&["--only", "posts it", "--only", "*so"]),
        "a.flow:6: posts it\na.flow:10: says so\n"
    );
    let none = folder.flow(&["test", "--only", "post it"]);
    assert_eq!(none.code, Some(2));
    assert!(
        none.err.contains("did you mean `posts it`?"),
        "{}",
        none.err
    );
}

#[test]
fn nothing_outside_is_touched() {
    let folder = Folder::new("testing-outside");
    let text = r#"
workflow everything(name: text) -> int {
  kept = state.set("turn", value: 1)
  made = shell.run(["touch", name], folder: ".")
  page = http.get("http://localhost:1/")
  file.write("out.txt", content: "${name} ${made.text} ${page.text}")
  notify(name)
  return kept
}

test "without stubs" {
  r = run everything(name: "made")
  expect r.status == done
}
"#;
    folder.write("a.flow", text);
    let said = json(&folder.flow(&["test", "--format", "json"]));
    let faults = said["tests"][0]["diagnostics"].as_array().unwrap();
    let codes: Vec<&str> = faults
        .iter()
        .map(|fault| fault["code"].as_str().unwrap())
        .collect();
    // What needs what they give is not asked for, so it is not missed yet.
    assert_eq!(codes, ["missing-stub", "missing-stub"], "{faults:#?}");
    let mut left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [".git", "a.flow"]);
}

#[test]
fn fixtures_are_looked_for_by_those_who_test() {
    let folder = Folder::new("testing-fixtures");
    let text = r#"
workflow keep(name: text) -> file {
  kept = file.write("out.txt", content: name)
  return kept
}

workflow size(path: text) -> int {
  picture = file.read<image>(path)
  return picture.width
}

workflow say(name: text) -> text {
  return name
}

test "keeps" {
  stub file.write = fixture("no.txt")
  r = run keep(name: "a")
  expect r.status == done
}
"#;
    folder.write("a.flow", text);
    for command in ["validate", "test"] {
        let ran = folder.flow(&[command]);
        assert_eq!(ran.code, Some(1), "{command}");
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("missing-fixture"), "{command}: {said}");
    }
    let ran = folder.flow(&["run", "a.flow:say", "name=x"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // What is taken for an image has to be one.
    folder.write("no.txt", "no image");
    let test = "\ntest \"sizes\" {\n  stub file.read = fixture(\"no.png\")\n  \
                r = run size(path: \"x\")\n  expect r.output == 1\n}\n";
    folder.write("a.flow", format!("{text}{test}"));
    folder.write("no.png", "no image");
    let said = json(&folder.flow(&["test", "--format", "json"]));
    assert_eq!(said["tests"][0]["passed"], true, "{said:#}");
    let fault = &said["tests"][1]["diagnostics"][0];
    assert_eq!(fault["code"], "test-value");
    let message = fault["message"].as_str().unwrap();
    assert!(
        message.contains("no image of a kind that is known"),
        "{message}"
    );
}

#[test]
fn junit_can_be_read_whatever_tests_are_called() {
    let folder = Folder::new("testing-junit");
    let name = r#"a <b> & \"c\" ]]> \u{1b}[31m"#;
    let text =
        format!("{GREET}test \"{name}\" {{ expect 1 == 2 }}\ntest \"b\" {{ expect true }}\n");
    folder.write("x & y.flow", text);
    let ran = folder.flow(&["test", "--junit", "out.xml"]);
    assert_eq!(ran.code, Some(4));
    assert!(!ran.out.contains('\u{1b}'), "{:?}", ran.out);
    let xml = folder.read("out.xml");
    // Two around all, two around the file, four for one test, one for the other.
    assert_eq!(tags(&xml), 9, "{xml}");
    assert!(
        xml.contains("<testsuites tests=\"2\" failures=\"1\""),
        "{xml}"
    );
    assert!(
        xml.contains("name=\"a &lt;b&gt; &amp; &quot;c&quot; ]]&gt; �[31m\""),
        "{xml}"
    );
    assert!(xml.contains("classname=\"x &amp; y.flow\""), "{xml}");
    let nowhere = folder.flow(&["test", "--junit", "no/out.xml"]);
    assert_eq!(nowhere.code, Some(3), "{}", nowhere.err);
}

/// Counts the tags of a text in which every `<`, `>` and `"` is one of a tag.
fn tags(xml: &str) -> usize {
    let mut count = 0;
    let mut is_inside = false;
    let mut is_quoted = false;
    for letter in xml.chars() {
        match letter {
            '"' if is_inside => is_quoted = !is_quoted,
            '<' => {
                assert!(!is_inside, "a tag in a tag: {xml}");
                is_inside = true;
            }
            '>' => {
                assert!(is_inside && !is_quoted, "a tag that wasn't opened: {xml}");
                is_inside = false;
                count += 1;
            }
            _ => {}
        }
    }
    // The first line is no tag of an element.
    count - 1
}

#[test]
fn a_thousand_tests_are_carried_out_in_order() {
    let folder = Folder::new("testing-thousand");
    let tests: Vec<String> = (0..1000)
        .map(|number| {
            format!(
                "test \"number {number}\" {{\n  stub http.get = fails timeout\n  \
                 r = run greet(url: \"https://example.org/{number}\")\n  \
                 expect r.failure == timeout\n}}\n"
            )
        })
        .collect();
    folder.write("a.flow", format!("{GREET}{}", tests.join("\n")));
    let ran = folder.flow(&["test"]);
    assert_eq!(ran.code, Some(0));
    let names = ran
        .out
        .lines()
        .skip(1)
        .map(|line| line.split(" (").next().unwrap());
    let expected = (0..1000).map(|number| format!("  ok    number {number}"));
    assert!(names.eq(expected), "{}", ran.out);
    assert_eq!(ran.err, "1000 tests passed\n");
}

#[test]
fn a_text_from_standard_input_is_tested_too() {
    let folder = Folder::new("testing-stdin");
    let text = "workflow: a\noutputs: text\nreturn: x\ntests:\n  says x:\n    \
                - { id: r, run: a }\n    - expect: r.output == 'x'\n";
    let args = ["test", "-", "--stdin-name", "a.flow.yaml"];
    let ran = folder.flow_with(&args, text);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ok    says x"), "{}", ran.out);
}

#[test]
fn where_there_are_no_tests_nothing_failed() {
    let folder = Folder::new("testing-none");
    folder.write("a.flow", GREET);
    let ran = folder.flow(&["test"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    assert_eq!(ran.err, "there are no tests\n");
}

#[test]
fn what_follows_from_a_fault_is_not_told() {
    let folder = Folder::new("testing-follows");
    let text = format!(
        "{GREET}
test \"two runs without a stub\" {{
  a = run greet(url: \"https://example.org/a\")
  b = run greet(url: \"https://example.org/b\")
  expect a.output == b.output
  expect b.status == done
}}

test \"no output\" {{
  stub http.get = fails auth
  r = run greet(url: \"https://example.org\")
  expect r.output == \"hello\"
  expect calls(http.get) == 1
}}
"
    );
    folder.write("a.flow", text);
    let said = json(&folder.flow(&["test", "--format", "json"]));
    let codes = |test: usize| -> Vec<String> {
        let said = said["tests"][test]["diagnostics"].as_array().unwrap();
        said.iter()
            .map(|said| said["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(0), ["missing-stub"], "{said:#}");
    assert_eq!(codes(1), ["unexpected-end"], "{said:#}");
    let helps = &said["tests"][0]["diagnostics"][0]["helps"];
    let last = helps.as_array().unwrap().last().unwrap();
    assert_eq!(
        last,
        "2 expectations could not be looked at because of this"
    );
    assert_eq!(
        said["tests"][0]["runs"][1]["status"],
        serde_json::Value::Null
    );
}
