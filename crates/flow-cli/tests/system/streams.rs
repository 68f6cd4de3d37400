//! Rule 15: standard output carries data, everything else goes to standard
//! error.

use serde_json::Value;

use crate::folder::Folder;

/// Checks, with a warning.
const WARNS: &str = "workflow warns() -> text {\n  page = http.get(\"https://example.org/\")\n  return \"none\"\n}\n";

/// Doesn't check.
const BROKEN: &str = "workflow broken( -> text {\n  return page.text\n}\n";

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("warns.flow", WARNS);
    folder.write("broken.flow", BROKEN);
    folder
}

#[test]
fn json_is_all_of_standard_output_whatever_else_is_said() {
    let folder = folder("streams-json");
    for args in [
        &["plan", "warns.flow", "--format", "json"][..],
        &["plan", "broken.flow", "--format", "json"],
        &["validate", "--format", "json"],
        &["validate", "--format", "sarif"],
        &["steps", "--format", "json"],
        &["schema"],
    ] {
        let ran = folder.flow(args);
        let parsed: Result<Value, _> = serde_json::from_str(&ran.out);
        assert!(parsed.is_ok(), "{args:?}: {}", ran.out);
    }
}

#[test]
fn warnings_beside_data_go_to_standard_error() {
    let folder = folder("streams-warnings");
    for args in [
        &["plan", "warns.flow"][..],
        &["plan", "warns.flow", "--format", "json"],
    ] {
        let ran = folder.flow(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
        assert!(ran.err.contains("warning[unused]"), "{args:?}: {}", ran.err);
        assert!(!ran.out.contains("warning["), "{args:?}: {}", ran.out);
        assert!(!ran.out.is_empty(), "{args:?}");
    }
}

#[test]
fn a_command_that_fails_leaves_standard_output_empty() {
    let folder = folder("streams-failures");
    for args in [
        &["plan", "broken.flow"][..],
        &["plan", "missing.flow"],
        &["plan", "warns.flow", "nothing=1"],
        &["plan", "warns.flow:other"],
        &["graph", "broken.flow"],
        &["graph", "missing.flow"],
        &["validate", "missing.flow"],
        &["validate", "--profile", "missing"],
        &["fmt", "missing.flow"],
        &["fmt", "broken.flow", "--to", "yaml"],
        &["explain", "no-such-code"],
        &["steps", "no.such.step"],
        &["new", "warns"],
        &["new", "x", "--template", "missing"],
        &["completions", "no-such-shell"],
        &["no-such-command"],
        &[],
    ] {
        let ran = folder.flow(args);
        assert!(ran.code.is_some_and(|code| code > 0), "{args:?}");
        assert_eq!(ran.out, "", "{args:?}");
        assert!(!ran.err.is_empty(), "{args:?} says why");
    }
}

#[test]
fn a_formatted_text_is_all_of_standard_output() {
    let folder = folder("streams-fmt");
    let ran = folder.flow_with(&["fmt", "-"], WARNS);
    assert_eq!((ran.code, &*ran.out), (Some(0), WARNS), "{}", ran.err);
    let ran = folder.flow_with(&["fmt", "-"], BROKEN);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{}", ran.err);
    assert!(ran.err.contains("error["), "{}", ran.err);
}
