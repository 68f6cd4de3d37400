//! `flow validate` on whole folders, on hostile files, and with `--fix`.

use std::time::{Duration, Instant};

use crate::folder::Folder;

const GOOD: &str = "workflow good() -> text {\n  page = http.get(\"https://example.org/\")\n  return page.text\n}\n";
const BAD: &str = "workflow bad() -> text {\n  page = http.gte(\"https://example.org/\")\n  return page.text\n}\n";

#[test]
fn a_good_folder_is_silent_and_a_bad_file_is_named() {
    let folder = Folder::new("folder");
    folder.write("a/good.flow", GOOD);
    let ran = folder.flow(&["validate"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), ""), "{}", ran.err);
    assert_eq!(ran.err, "nothing wrong in 1 file\n");
    folder.write("b.flow", BAD);
    folder.write(".hidden/c.flow", BAD);
    let ran = folder.flow(&["validate"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("error[unknown-step]"), "{}", ran.out);
    assert!(ran.out.contains("b.flow:2:10"), "{}", ran.out);
    assert!(ran.err.ends_with("1 error in 2 files\n"), "{}", ran.err);
}

#[test]
fn what_is_wrong_in_a_used_file_is_said_once() {
    let folder = Folder::new("used");
    folder.write("lib/bad.flow", BAD);
    for name in ["one", "two"] {
        let text = format!(
            "use \"lib/bad.flow\" as lib\n\nworkflow {name}() -> text {{\n  x = lib.bad()\n  return x\n}}\n"
        );
        folder.write(&format!("{name}.flow"), text);
    }
    let ran = folder.flow(&["validate", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let of = report["diagnostics"].as_array().unwrap().iter();
    let said: Vec<_> = of.filter(|d| d["code"] == "unknown-step").collect();
    assert_eq!(said.len(), 1, "{}", ran.out);
    assert_eq!(said[0]["place"]["file"], "lib/bad.flow");
}

#[test]
fn standard_input_has_the_spelling_of_its_name() {
    let folder = Folder::new("stdin");
    let ran = folder.flow_with(&["validate", "-"], GOOD);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    let yaml = "workflow: good\nsteps:\n  - step: http.get\n    of: https://example.org/\n";
    let ran = folder.flow_with(&["validate", "-", "--stdin-name", "x.flow.yaml"], yaml);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
}

#[test]
fn hostile_files_are_answered_quickly_and_without_a_panic() {
    let folder = Folder::new("hostile");
    let long = format!("workflow x() {{ y = \"{}", "é".repeat(4 << 20));
    folder.write("long.flow", long);
    folder.write("bytes.flow", b"workflow \xff\xfe");
    folder.write("empty.flow", "");
    folder.write("nul.flow", "\u{0}\u{1b}[31m");
    let deep = "(".repeat(100_000);
    folder.write("deep.flow", format!("workflow x() {{ y = {deep}"));
    let many = (0..400).map(|at| format!("  x{at} = http.gte(y{at})"));
    let many: Vec<String> = many.collect();
    folder.write(
        "many.flow",
        format!("workflow many() {{\n{}\n}}\n", many.join("\n")),
    );
    for format in ["human", "json", "sarif", "github"] {
        let start = Instant::now();
        let ran = folder.flow(&["validate", "--format", format]);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "{format} took too long"
        );
        if format == "human" {
            assert!(ran.out.lines().all(|line| line.chars().count() < 400));
            assert!(ran.out.len() < 1 << 20);
        }
    }
}

#[test]
fn a_reader_that_closes_early_is_no_error() {
    let folder = Folder::new("pipe");
    let mut child = folder.command(&["schema"]).spawn().unwrap();
    // Nobody reads; the text is longer than a pipe holds.
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_folder_without_files_of_the_language_is_an_error() {
    let folder = Folder::new("none");
    let ran = folder.flow(&["validate"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("flow new"), "{}", ran.err);
}

#[test]
fn settings_are_checked_with_the_files() {
    let folder = Folder::new("settings");
    folder.write("good.flow", GOOD);
    folder.write("flow.toml", "[default]\nmodel = \"x\"\n");
    let ran = folder.flow(&["validate"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("error[unknown-setting]"), "{}", ran.out);
    assert!(ran.out.contains("flow.toml:1:2"), "{}", ran.out);
    let ran = folder.flow(&["validate", "--profile", "draft"]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_does_no_harm() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new("names");
    let name = std::ffi::OsStr::from_bytes(b"\xff.flow");
    if std::fs::write(folder.path().join(name), BAD).is_err() {
        return;
    }
    let ran = folder.flow(&["validate"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.contains("unknown-step"), "{}", ran.out);
}

#[test]
fn a_certain_fix_is_written_and_the_rest_of_the_file_stays() {
    let folder = Folder::new("fix");
    // A semicolon means nothing, so leaving it out is certain.
    let text = GOOD
        .replace("return page.text", "return page.text;")
        .replace('\n', "\r\n");
    folder.write("x.flow", &text);
    let before = folder.flow(&["validate", "x.flow"]);
    let ran = folder.flow(&["validate", "x.flow", "--fix"]);
    assert_eq!(ran.code, Some(0), "{}{}{}", before.out, ran.out, ran.err);
    assert!(ran.err.contains("applied 1 fix in 1 file"), "{}", ran.err);
    assert_eq!(folder.read("x.flow"), GOOD.replace('\n', "\r\n"));
}
