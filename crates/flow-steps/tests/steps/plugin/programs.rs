//! What commands name, and what their programs consist of.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use flow_core::effect::{Effect, FailureClass};
use flow_core::step::{Plugins as _, Sent, StepCall};
use flow_core::value::Value;

use super::{Project, failure, it};
use crate::desk::{FakeDesk, value};

/// Carries out a command in a project.
async fn with(project: &Project, run: &str) -> flow_core::step::StepReport {
    let desk = Arc::new(FakeDesk::new());
    let call = StepCall {
        run: Some(run.into()),
        ..it(&desk, Effect::Read)
    };
    project.report(&desk, call).await
}

fn answer(command: &str) -> String {
    format!("printf '{{\"result\": \"%s\"}}' \"{command}\"")
}

#[tokio::test]
async fn words_are_arguments_and_paths_lead_into_the_project() {
    let project = Project::new(&answer("$# $1 $2 $3 $4"));
    project.write("data/x.txt", "");
    let root = project.path().canonicalize().unwrap();
    let root = root.to_str().unwrap();
    for (run, expected) in [
        ("sh steps/it.sh a 'b c' ''", "3 a b c  ".to_owned()),
        (
            "sh steps/it.sh data/x.txt",
            format!("1 {root}/data/x.txt   "),
        ),
        ("sh steps/it.sh ./data", format!("1 {root}/data   ")),
        // These are none of the project.
        (
            "sh steps/it.sh data/y.txt https://x/y",
            "2 data/y.txt https://x/y  ".to_owned(),
        ),
        (
            "sh steps/it.sh --out=data/x.txt /etc/hostname",
            "2 --out=data/x.txt /etc/hostname  ".to_owned(),
        ),
        ("sh steps/it.sh '*' '$HOME'", "2 * $HOME  ".to_owned()),
    ] {
        let report = with(&project, run).await;
        assert_eq!(value(report).unwrap(), Value::text(expected), "{run}");
    }
}

#[tokio::test]
async fn a_shell_is_there_for_who_asks_for_one() {
    let project = Project::new("");
    let run = r#"sh -c 'tr a-z A-Z < /dev/null; echo "{\"result\": \"$0 $1\"}"' a b"#;
    let report = with(&project, run).await;
    assert_eq!(value(report).unwrap(), Value::text("a b"));
}

#[tokio::test]
async fn the_environment_is_what_commands_have_and_what_is_written() {
    let project = Project::new(&answer("$A|$B|${C-unset}|${CARGO_PKG_NAME-unset}|$PATH"));
    let report = with(
        &project,
        "A=1 B=$CARGO_PKG_NAME C=$FLOW_TEST_UNSET PATH=/bin:/usr/bin sh steps/it.sh",
    );
    let expected = "1|flow-steps|unset|unset|/bin:/usr/bin";
    assert_eq!(value(report.await).unwrap(), Value::text(expected));
}

#[tokio::test]
async fn what_can_not_be_started_was_not_sent() {
    let project = Project::new("");
    project.write("steps/text", "no program");
    project.write("steps/odd", "\u{1}\u{2}");
    let odd = project.path().join("steps/odd");
    std::fs::set_permissions(odd, std::fs::Permissions::from_mode(0o755)).unwrap();
    for (run, says) in [
        (
            "no-such-program-anywhere",
            "there is no program `no-such-program-anywhere`",
        ),
        ("./steps/gone", "there is no `./steps/gone`"),
        ("sh steps/gone.sh", "there is no `steps/gone.sh`"),
        ("sh ./gone.sh", "there is no `./gone.sh`"),
        ("./steps/text", "let it be run by `chmod +x`"),
        ("./steps/odd", "its first line has to say what reads it"),
        ("./steps", "can't be started"),
        ("a | b", "no shell reads a command"),
    ] {
        let failed = failure(with(&project, run).await);
        assert_eq!(
            (failed.class, failed.sent),
            (FailureClass::Invalid, Sent::No),
            "{run}"
        );
        assert!(failed.message.contains(says), "{run}: {}", failed.message);
    }
}

#[test]
fn a_program_is_its_files_and_nothing_else() {
    let project = Project::new("one");
    let plugins = project.plugins();
    let look = |run: &str| plugins.look(run).unwrap();
    let first = look("sh steps/it.sh");
    assert_eq!(first.files, ["steps/it.sh"]);
    // Other files are others'.
    project.write("steps/other.sh", "x");
    assert_eq!(look("sh steps/it.sh").program, first.program);
    project.write("steps/it.sh", "two");
    assert_ne!(look("sh steps/it.sh").program, first.program);
    project.write("steps/it.sh", "one");
    assert_eq!(look("sh steps/it.sh").program, first.program);
    // What is found in PATH counts by its name, which the declaration has.
    assert_eq!(look("sh -c true").files, Vec::<String>::new());
    assert_eq!(look("true").program, look("sh -c true").program);
}

#[test]
fn a_folder_of_its_own_is_a_part_of_the_program() {
    let project = Project::new("");
    let plugins = project.plugins();
    let look = || plugins.look("sh steps/it/main.sh").unwrap();
    project.write("steps/it/main.sh", "x");
    project.write("steps/it/deep/words.txt", "x");
    project.write("steps/it/.hidden", "x");
    project.write("steps/it/__pycache__/main.pyc", "x");
    let first = look();
    assert_eq!(first.files, ["steps/it/deep/words.txt", "steps/it/main.sh"]);
    project.write("steps/it/.hidden", "y");
    project.write("steps/it/__pycache__/main.pyc", "y");
    assert_eq!(look().program, first.program);
    project.write("steps/it/deep/words.txt", "y");
    assert_ne!(look().program, first.program);
    // The name of a file counts, too.
    project.write("steps/it/deep/words.txt", "x");
    let root = project.path().join("steps/it/deep");
    std::fs::rename(root.join("words.txt"), root.join("others.txt")).unwrap();
    assert_ne!(look().program, first.program);
}

#[test]
fn what_else_the_command_names_is_a_part_of_the_program() {
    let project = Project::new("");
    project.write("data/a.txt", "x");
    project.write("data/sub/b.txt", "x");
    let plugins = project.plugins();
    let files = |run: &str| plugins.look(run).unwrap().files;
    assert_eq!(
        files("sh steps/it.sh data/a.txt"),
        ["data/a.txt", "steps/it.sh"]
    );
    assert_eq!(
        files("sh steps/it.sh ./data"),
        ["data/a.txt", "data/sub/b.txt", "steps/it.sh"]
    );
}

#[test]
fn variables_that_are_handed_over_are_noted_by_their_digests() {
    let project = Project::new("");
    let plugins = project.plugins();
    let look = |run: &str| plugins.look(run).unwrap().program.variables;
    assert_eq!(look("A=1 sh steps/it.sh"), []);
    let found = look("A=$CARGO_PKG_NAME B=$FLOW_TEST_UNSET sh steps/it.sh");
    let digest = flow_core::digest::Digest::of(b"flow-steps");
    assert_eq!(found, [("CARGO_PKG_NAME".into(), digest)]);
}

#[test]
fn what_is_not_there_consists_of_nothing() {
    let project = Project::new("");
    let plugins = project.plugins();
    for run in [
        "./steps/gone",
        "no-such-program-anywhere",
        "sh ./gone.sh",
        "'",
    ] {
        assert!(plugins.program(run).is_none(), "{run}");
    }
    std::os::unix::fs::symlink("/", project.path().join("steps/out")).unwrap();
    assert!(plugins.program("sh steps/out/etc/hostname").is_none());
}
