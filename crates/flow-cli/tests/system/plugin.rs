//! Steps of a project's own, from the command line.

use serde_json::Value;

use crate::folder::{Folder, Ran};

/// A step that is made by a program in `sh`, and counts how often it was.
const STEP: &str = "\
## Shouts.
step my.shout(text: text) -> text
  effect pure
  run \"sh steps/shout.sh\"
";

const PROGRAM: &str = r#"
cat > /dev/null
echo made >> "${0%/*}/count"
echo '{"result": "HEY"}'
"#;

const WORKFLOW: &str = "\
workflow hey(text: text = \"a\") -> text {
  loud = my.shout(text)
  return loud
}
";

fn project(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("steps/my.flow", STEP);
    folder.write("steps/shout.sh", PROGRAM);
    folder.write("hey.flow", WORKFLOW);
    folder
}

fn count(folder: &Folder) -> usize {
    folder.read("steps/count").lines().count()
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"))
}

#[test]
fn a_result_is_kept_until_its_program_changes() {
    let folder = project("plugin-kept");
    for _ in 0..2 {
        let ran = folder.flow(&["run", "hey.flow"]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(0), "\"HEY\"\n"),
            "{ran:?}"
        );
    }
    assert_eq!(count(&folder), 1);
    folder.write("steps/shout.sh", PROGRAM.replace("HEY", "HO"));
    let ran = folder.flow(&["run", "hey.flow"]);
    assert_eq!(ran.out, "\"HO\"\n");
    assert_eq!(count(&folder), 2);
    // As it was before is as it was before.
    folder.write("steps/shout.sh", PROGRAM);
    let ran = folder.flow(&["run", "hey.flow"]);
    assert_eq!(ran.out, "\"HEY\"\n");
    assert_eq!(count(&folder), 2);
}

#[test]
fn a_variable_that_is_handed_over_counts_by_what_it_says() {
    let folder = project("plugin-variable");
    let step = STEP.replace("\"sh steps", "\"LOUD=$FLOW_TEST_LOUD sh steps");
    folder.write("steps/my.flow", step);
    for (loud, times) in [("1", 1), ("1", 1), ("2", 2), ("1", 2)] {
        let mut command = folder.command(&["run", "hey.flow"]);
        let output = command.env("FLOW_TEST_LOUD", loud).output().unwrap();
        assert!(output.status.success());
        assert_eq!(count(&folder), times);
    }
}

#[test]
fn a_program_that_changes_while_it_runs_gives_nothing_to_others() {
    let folder = project("plugin-changed");
    // It changes itself.
    let program = format!("{PROGRAM}echo '# more' >> \"$0\"\n");
    folder.write("steps/shout.sh", &program);
    let ran = folder.flow(&["run", "hey.flow"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    folder.write("steps/shout.sh", &program);
    let ran = folder.flow(&["run", "hey.flow"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(count(&folder), 2);
}

#[test]
fn a_run_goes_on_with_a_program_that_was_mended() {
    let folder = project("plugin-mended");
    folder.write("steps/shout.sh", "cat > /dev/null; exit 1\n");
    let ran = folder.flow(&["run", "hey.flow"]);
    assert_eq!(ran.code, Some(4));
    assert!(
        ran.err
            .contains("`my.shout` ended with exit code 1 and without an answer"),
        "{}",
        ran.err
    );
    folder.write("steps/shout.sh", PROGRAM);
    let name = ran.err.split_whitespace().nth(1).unwrap();
    let ran = folder.flow(&["resume", name]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "\"HEY\"\n"),
        "{ran:?}"
    );
    let ran = folder.flow(&["logs", name, "--events"]);
    let found = ran
        .out
        .lines()
        .filter(|line| line.contains("programs_found"));
    assert_eq!(found.count(), 2, "{}", ran.out);
    // It has the key of the mended one.
    let ran = folder.flow(&["run", "hey.flow"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(count(&folder), 1);
}

#[test]
fn a_run_goes_on_without_its_declaration() {
    let folder = project("plugin-undeclared");
    folder.write("steps/shout.sh", "cat > /dev/null; exit 1\n");
    let ran = folder.flow(&["run", "hey.flow"]);
    let name = ran.err.split_whitespace().nth(1).unwrap().to_owned();
    folder.write("steps/my.flow", "");
    folder.write("hey.flow", "");
    folder.write("steps/shout.sh", PROGRAM);
    let ran = folder.flow(&["resume", &name]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "\"HEY\"\n"),
        "{ran:?}"
    );
}

#[test]
fn a_program_that_is_missing_is_said_before_and_when_it_is_needed() {
    let folder = project("plugin-missing");
    folder.write("steps/my.flow", STEP.replace("shout.sh", "shuot.sh"));
    let ran = folder.flow(&["validate"]);
    assert_eq!(ran.code, Some(0));
    let said = format!("{}{}", ran.out, ran.err);
    assert!(
        said.contains("warning[missing-program]: there is no `steps/shuot.sh`"),
        "{said}"
    );
    let ran = folder.flow(&["run", "hey.flow"]);
    assert_eq!(ran.code, Some(4));
    assert!(
        ran.err
            .contains("failed (invalid): there is no `steps/shuot.sh`"),
        "{}",
        ran.err
    );
    // Found where the attempt works, it would not be.
    folder.write(
        "steps/my.flow",
        STEP.replace("sh steps/shout.sh", "sh shout.sh"),
    );
    let ran = folder.flow(&["validate"]);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(
        said.contains("write `steps/shout.sh` for the file of the project"),
        "{said}"
    );
    // What is in PATH may be there elsewhere.
    folder.write(
        "steps/my.flow",
        STEP.replace("sh steps/shout.sh", "no-such-program x"),
    );
    let ran = folder.flow(&["validate", "--strict"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn a_step_is_listed_with_its_program() {
    let folder = project("plugin-listed");
    let ran = folder.flow(&["steps", "my"]);
    assert_eq!(
        ran.out,
        "my.shout  pure  Shouts · runs `sh steps/shout.sh`\n"
    );
    let ran = folder.flow(&["steps", "my.shout", "--format", "json"]);
    let step = &json(&ran)["steps"][0];
    assert_eq!(step["run"], "sh steps/shout.sh");
    assert_eq!(
        step["program"]["files"],
        serde_json::json!(["steps/shout.sh"])
    );
    assert_eq!(step["program"]["digest"].as_str().unwrap().len(), 64);
    let ran = folder.flow(&["plan", "hey.flow"]);
    assert!(
        ran.out
            .contains("Programs\n  sh steps/shout.sh  my.shout\n"),
        "{}",
        ran.out
    );
}

#[test]
fn what_is_written_to_start_from_is_a_good_example() {
    let folder = Folder::new("plugin-new");
    for (name, language) in [("one", "python"), ("studio.two", "sh"), ("three", "node")] {
        let ran = folder.flow(&["plugin", "new", name, "--language", language]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }
    for path in ["steps/one.py", "steps/two.sh", "steps/three.mjs"] {
        assert!(!folder.read(path).contains("starter"), "{path}");
    }
    assert!(folder.read("try_two.flow").contains("studio.two("));
    let ran = folder.flow(&["validate", "--strict"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let ran = folder.flow(&["fmt", "--check"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

/// Returns whether a program is on this machine, and says so if it isn't.
fn is_there(program: &str) -> bool {
    let found = std::process::Command::new(program)
        .arg("--version")
        .output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        let said = format!("there is no {program}: nothing was tried with it\n");
        std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
    }
    is_there
}

#[test]
fn what_is_written_to_start_from_works_and_keeps_what_is_asked_of_it() {
    for (language, program) in [("python", "python3"), ("sh", "jq"), ("node", "node")] {
        if !is_there(program) {
            continue;
        }
        let folder = Folder::new(&format!("plugin-works-{language}"));
        folder.flow(&["plugin", "new", "loud", "--language", language]);
        let ran = folder.flow(&["run", "try_loud.flow", "text=ho"]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(0), "[\"ho!\",\"ho!!\",\"ho!!!\"]\n"),
            "{language}: {ran:?}"
        );
        let ran = folder.flow(&["plugin", "check", "my.loud", "--format", "json"]);
        assert_eq!(ran.code, Some(0), "{language}: {}", ran.out);
        let step = &json(&ran)["steps"][0];
        assert_eq!(step["holds"], true);
        let checks = step["checks"].as_array().unwrap();
        let tried = checks.iter().filter(|check| !check["holds"].is_null());
        assert_eq!(tried.count(), 11, "{language}: {}", ran.out);
    }
}

#[test]
fn nothing_is_overwritten() {
    for path in ["steps/loud.flow", "steps/loud.py", "try_loud.flow"] {
        let folder = Folder::new(&format!("plugin-{}", path.replace(['/', '.'], "-")));
        folder.write(path, "# mine\n");
        let ran = folder.flow(&["plugin", "new", "loud"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.err.contains(&format!("`{path}` is there already")),
            "{}",
            ran.err
        );
        assert_eq!(folder.read(path), "# mine\n");
        let others = ["steps/loud.flow", "steps/loud.py", "try_loud.flow"];
        let written = others
            .iter()
            .filter(|other| folder.path().join(other).exists());
        assert_eq!(written.count(), 1);
    }
    let folder = project("plugin-declared");
    let ran = folder.flow(&["plugin", "new", "shout"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("there is a step `my.shout` already"),
        "{}",
        ran.err
    );
    for name in ["Loud", "my.Loud", "a.b.c", "../x", "", "9"] {
        let ran = folder.flow(&["plugin", "new", name]);
        assert_eq!(ran.code, Some(2), "{name}");
    }
}

#[test]
fn a_check_says_what_does_not_hold_and_what_to_do() {
    let folder = project("plugin-check");
    folder.write(
        "steps/shout.sh",
        "cat > /dev/null; echo '{\"result\": 7}'\n",
    );
    let ran = folder.flow(&["plugin", "check", "my.shout"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains(
            "  NO  answer    the result of `my.shout` on line 1: expected `text`, found `7`"
        ),
        "{}",
        ran.out
    );
    let ran = folder.flow(&["plugin", "check", "steps/my.flow", "--format", "json"]);
    assert_eq!(ran.code, Some(1));
    let step = &json(&ran)["steps"][0];
    assert_eq!(
        (&step["step"], &step["holds"]),
        (&"my.shout".into(), &false.into())
    );
    assert_eq!(step["checks"][1]["name"], "answer");
    assert_eq!(step["checks"][1]["holds"], false);
    assert!(step["checks"][1]["help"].is_string());
    for (args, code, says) in [
        (&["my.shuot"][..], 2, "did you mean `my.shout`?"),
        (&["http.get"], 2, "is no step of the project's own"),
        (&["hey.flow"], 2, "declares no steps of the project"),
        (&["none.flow"], 3, "cannot read `none.flow`"),
        (&["my.shout", "txet=a"], 2, "did you mean `text`?"),
        (&["my.shout", "text"], 2, "write `name=value`"),
        (
            &["my.shout", "text=a", "text=b"],
            2,
            "`text` is given twice",
        ),
    ] {
        let ran = folder.flow(&[&["plugin", "check"], args].concat());
        assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
    folder.write(
        "steps/bad.flow",
        "step my.bad(text: text) -> text\n  effect pure\n",
    );
    let ran = folder.flow(&["plugin", "check", "my.shout"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("error[bad-run]"), "{}", ran.err);
}

#[test]
fn a_folder_of_steps_needs_no_project_around_it() {
    let folder = project("plugin-alone");
    std::fs::remove_dir_all(folder.path().join(".git")).unwrap();
    let ran = folder.flow(&["validate", "--strict"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let ran = folder.flow(&["run", "hey.flow"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn the_example_is_right_and_works() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugin");
    let folder = Folder::new("plugin-example");
    let flow = |args: &[&str]| {
        let mut command = folder.command(args);
        Ran::from(command.current_dir(&example).output().unwrap())
    };
    for args in [&["validate", "--strict"][..], &["fmt", "--check"]] {
        let ran = flow(args);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    }
    if !is_there("python3") {
        return;
    }
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    let ran = flow(&["run", "chart.flow", "--store", store]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let out = folder.path().join("out");
    let ran = flow(&["outputs", "--to", out.to_str().unwrap(), "--store", store]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let picture = folder.read("out/week.svg");
    assert_eq!(picture.matches("<rect ").count(), 5, "{picture}");
    let ran = flow(&["plugin", "check", "chart.bars"]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
}
