//! Commands, good and bad.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flow_core::effect::FailureClass;
use flow_core::step::{Desk, Sent, StepCall, StepFailure, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;
use tempfile::TempDir;

use crate::children::{gone, key, ready, survivors};
use crate::desk::{FakeDesk, call, record, registry, report, texts, value};

/// Makes a call of a script of `sh`, with everything that it may have.
fn script(desk: &Arc<FakeDesk>, text: &str) -> StepCall {
    let args = [
        ("script", Value::text(text)),
        ("shell", texts(["sh", "-eu"])),
        ("env", record([])),
        ("secrets", record([])),
        ("stdin", Value::None),
        ("files", record([])),
        ("outputs", texts([])),
        ("folder", Value::None),
        ("ok", Value::list(vec![Value::Int(0)])),
    ];
    call(desk, "shell.script", args, Type::Json)
}

/// Makes a call of a command.
fn command(desk: &Arc<FakeDesk>, words: &[&str]) -> StepCall {
    let mut call = script(desk, "");
    call.step = "shell.run".into();
    call.args
        .insert("command".into(), texts(words.iter().copied()));
    call
}

fn with(mut call: StepCall, name: &str, argument: Value) -> StepCall {
    call.args.insert(name.into(), argument);
    call
}

/// Carries out a call, and sees to it that nothing of it is left.
async fn ran(desk: &Arc<FakeDesk>, call: StepCall) -> Result<Value, StepFailure> {
    let key = key(&call);
    let report = report(call).await;
    desk.released().await;
    assert_eq!(survivors(&key), Vec::<u32>::new());
    value(report)
}

async fn ran_script(text: &str) -> Result<Value, StepFailure> {
    let desk = Arc::new(FakeDesk::new());
    ran(&desk, script(&desk, text)).await
}

fn field(value: &Value, name: &str) -> Value {
    let Value::Record(fields) = value else {
        panic!("{value:?}");
    };
    fields[name].clone()
}

fn text_of(value: &Value, name: &str) -> String {
    let Value::Text(text) = field(value, name) else {
        panic!("{value:?}");
    };
    text.to_string()
}

#[tokio::test]
async fn a_word_is_one_argument_whatever_is_in_it() {
    let desk = Arc::new(FakeDesk::new());
    let words = ["printf", "%s|", "a b", "$HOME; *", "'\"", ""];
    let result = ran(&desk, command(&desk, &words)).await.unwrap();
    assert_eq!(text_of(&result, "text"), "a b|$HOME; *|'\"||");
}

#[tokio::test]
async fn both_outputs_the_code_and_the_log_are_kept() {
    let desk = Arc::new(FakeDesk::new());
    let call = with(
        script(&desk, "echo out; echo err >&2; printf '\\n\\n'; exit 3"),
        "ok",
        Value::list(vec![Value::Int(0), Value::Int(3)]),
    );
    let result = ran(&desk, call).await.unwrap();
    let expected = record([
        ("text", Value::text("out")),
        ("errors", Value::text("err\n")),
        ("code", Value::Int(3)),
        ("files", record([])),
    ]);
    assert_eq!(result, expected);
    assert!(desk.was_sent.load(Ordering::SeqCst));
    let mut lines = desk.lines.lock().unwrap().clone();
    lines.sort();
    assert_eq!(lines, [&b""[..], b"", b"err", b"out"]);
}

#[tokio::test]
async fn the_environment_is_the_commands_own() {
    let desk = Arc::new(FakeDesk::new());
    let call = with(
        script(
            &desk,
            "env | sed 's/=.*//' | grep -v '^_$\\|^PWD$\\|^SHLVL$\\|^OLDPWD$' | sort; echo $FLOW_ATTEMPT; echo $X",
        ),
        "env",
        record([("X", Value::text("a b"))]),
    );
    let attempt = key(&call);
    let result = text_of(&ran(&desk, call).await.unwrap(), "text");
    let mut names: Vec<&str> = result.lines().collect();
    let end = names.split_off(names.len() - 2);
    let expected = ["FLOW_ATTEMPT", "HOME", "LANG", "PATH", "TMPDIR", "X"];
    assert!(
        names.iter().all(|name| expected.contains(name)),
        "{names:?}"
    );
    assert!(
        names.contains(&"X") && names.contains(&"TMPDIR"),
        "{names:?}"
    );
    assert_eq!(end, [attempt.as_str(), "a b"]);
}

#[tokio::test]
async fn a_bad_exit_code_is_invalid_and_the_end_of_the_errors_is_told() {
    let failure = ran_script("echo first >&2; echo 'no such fox' >&2; exit 7").await;
    let failure = failure.unwrap_err();
    assert_eq!(
        (failure.class, failure.sent),
        (FailureClass::Invalid, Sent::Maybe)
    );
    assert_eq!(
        &*failure.message,
        "`sh` ended with exit code 7: first\nno such fox"
    );
    let long = ran_script("yes é | head -c 9001 >&2; exit 1")
        .await
        .unwrap_err();
    assert!(long.message.len() < 2200, "{}", long.message.len());
}

#[tokio::test]
async fn an_end_by_a_signal_is_transient() {
    let failure = ran_script("kill -9 $$").await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Transient);
    assert_eq!(&*failure.message, "`sh` was ended by signal 9");
}

#[tokio::test]
async fn what_can_not_be_started_was_not_sent() {
    let project = TempDir::new().unwrap();
    std::fs::write(project.path().join("text"), "no program").unwrap();
    for (word, says) in [
        ("no-such-program-anywhere", "there is no program"),
        ("/bin/sh", "is not in the project"),
        ("./missing", "there is no `./missing`"),
        ("../sh", "is no path inside of the folder"),
        ("./text", "can't be started"),
    ] {
        let desk = Arc::new(FakeDesk::new());
        let call = command(&desk, &[word]);
        let report = registry(project.path())
            .get("shell.run")
            .unwrap()
            .start(call)
            .await;
        let failure = value(report).unwrap_err();
        assert_eq!(
            (failure.class, failure.sent),
            (FailureClass::Invalid, Sent::No)
        );
        assert!(failure.message.contains(says), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_command_that_floods_before_it_reads_does_not_hang() {
    let desk = Arc::new(FakeDesk::new());
    let text = "x".repeat(1_000_000);
    let call = with(
        script(
            &desk,
            "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; wc -c",
        ),
        "stdin",
        Value::text(text.as_str()),
    );
    let result = ran(&desk, call).await.unwrap();
    assert!(text_of(&result, "text").trim_end().ends_with("1000000"));
    assert_eq!(text_of(&result, "errors").len(), 64 * 1024);
}

#[tokio::test]
async fn a_command_that_reads_nothing_is_not_an_error() {
    let desk = Arc::new(FakeDesk::new());
    let text = "x".repeat(1_000_000);
    let call = with(
        command(&desk, &["true"]),
        "stdin",
        Value::text(text.as_str()),
    );
    assert!(ran(&desk, call).await.is_ok());
}

#[tokio::test]
async fn nothing_is_read_from_our_own_standard_input() {
    let result = ran_script("cat; echo done").await.unwrap();
    assert_eq!(text_of(&result, "text"), "done");
}

#[tokio::test]
async fn a_text_of_some_size_is_whole_and_of_a_longer_one_both_ends_are() {
    let whole = ran_script("seq 1 40000").await.unwrap();
    let whole = text_of(&whole, "text");
    assert!(whole.starts_with("1\n2\n") && whole.ends_with("\n39999\n40000"));
    assert_eq!(whole.lines().count(), 40_000);
    let desk = Arc::new(FakeDesk::new());
    let cut = ran(&desk, script(&desk, "seq 1 200000")).await.unwrap();
    let cut = text_of(&cut, "text");
    assert!(cut.starts_with("1\n2\n") && cut.ends_with("\n200000"));
    let (begin, rest) = cut.split_once("\n… ").unwrap();
    let (count, rest) = rest.split_once(" bytes are left out here").unwrap();
    let end = rest.split_once("…\n").unwrap().1;
    let left_out: usize = count.parse().unwrap();
    let all: usize = (1..=200_000).map(|n: u32| n.to_string().len() + 1).sum();
    assert_eq!(begin.len() + left_out + end.len() + 1, all);
    // Not a line is missing in the log.
    let lines = desk.lines.lock().unwrap();
    assert_eq!(lines.len(), 200_000);
    assert_eq!(lines[123_455], b"123456");
}

#[tokio::test]
async fn invalid_utf_8_is_kept_in_the_log_and_marked_in_the_text() {
    let desk = Arc::new(FakeDesk::new());
    let result = ran(&desk, script(&desk, r"printf 'a\377b'")).await.unwrap();
    assert_eq!(text_of(&result, "text"), "a\u{fffd}b");
    assert_eq!(*desk.lines.lock().unwrap(), [b"a\xffb"]);
}

#[tokio::test]
async fn a_line_without_an_end_is_several_in_the_log() {
    let desk = Arc::new(FakeDesk::new());
    let call = script(&desk, "head -c 2500000 /dev/zero");
    ran(&desk, call).await.unwrap();
    let lengths: Vec<usize> = desk.lines.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(lengths, [1_048_576, 1_048_576, 402_848]);
}

#[tokio::test]
async fn secrets_are_removed_from_everything_that_is_written() {
    let mut desk = FakeDesk::new();
    let key = "-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----\n";
    desk.secrets.insert("TOKEN".into(), "hunter2".into());
    desk.secrets
        .insert("LONGER".into(), "hunter2-and-more".into());
    desk.secrets.insert("KEY".into(), key.into());
    let desk = Arc::new(desk);
    let secret = |name: &str| Value::Secret(name.into());
    let call = with(
        script(
            &desk,
            "echo \"a $T b\"; echo \"$L\"; printf hun; sleep 0.05; printf ter2; echo; \
             echo \"$K\" | sed -n 2p; printf 'ends with hunter' >&2; \
             [ \"$T\" = hunter2 ]; exit 9",
        ),
        "secrets",
        record([
            ("T", secret("TOKEN")),
            ("L", secret("LONGER")),
            ("K", secret("KEY")),
        ]),
    );
    let call = with(call, "ok", Value::list(vec![Value::Int(9)]));
    let result = ran(&desk, call).await.unwrap();
    assert_eq!(text_of(&result, "text"), "a *** b\n***\n***\n***");
    assert_eq!(text_of(&result, "errors"), "ends with hunter");
    let log = desk.log_text();
    assert!(!log.contains("hunter2") && !log.contains("MIIE"), "{log}");
}

#[tokio::test]
async fn a_secret_is_not_told_by_a_failure() {
    let mut desk = FakeDesk::new();
    desk.secrets.insert("TOKEN".into(), "hunter2".into());
    let desk = Arc::new(desk);
    let call = with(
        script(&desk, "echo \"401 for $T\" >&2; exit 1"),
        "secrets",
        record([("T", Value::Secret("TOKEN".into()))]),
    );
    let failure = ran(&desk, call).await.unwrap_err();
    assert_eq!(
        &*failure.message,
        "`sh` ended with exit code 1: 401 for ***"
    );
}

#[tokio::test]
async fn files_are_placed_and_outputs_kept() {
    let desk = Arc::new(FakeDesk::new());
    let file = desk.artifact(b"a fox");
    let call = with(
        script(
            &desk,
            "mkdir out; tr a-z A-Z < in/x.txt > out/a.txt; echo b > out/b.txt; echo c > out/.c.txt",
        ),
        "files",
        record([("in/x.txt", Value::Artifact(Arc::new(file)))]),
    );
    let call = with(call, "outputs", texts(["out/a.txt", "out/*.txt", "none/*"]));
    let result = ran(&desk, call).await.unwrap();
    let Value::Record(files) = field(&result, "files") else {
        panic!("{result:?}");
    };
    let names: Vec<&str> = files.keys().map(AsRef::as_ref).collect();
    assert_eq!(names, ["out/a.txt", "out/b.txt"]);
    let Value::Artifact(artifact) = &files["out/a.txt"] else {
        panic!("{files:?}");
    };
    let bytes = std::fs::read(desk.open(artifact).unwrap()).unwrap();
    assert_eq!(bytes, b"A FOX");
}

#[tokio::test]
async fn outputs_that_are_missing_or_elsewhere_are_failures() {
    for (text, output, says) in [
        ("true", "a.txt", "there is no `a.txt`"),
        ("mkdir a.txt", "a.txt", "`a.txt` is no file"),
        (
            "ln -s /etc/hostname a.txt",
            "a.txt",
            "leads out of its folder",
        ),
        ("true", "../../x", "leads out of its folder"),
    ] {
        let desk = Arc::new(FakeDesk::new());
        let call = with(script(&desk, text), "outputs", texts([output]));
        let failure = ran(&desk, call).await.unwrap_err();
        assert!(failure.message.contains(says), "{}", failure.message);
        assert_eq!(failure.sent, Sent::Maybe);
    }
}

#[tokio::test]
async fn a_folder_of_the_project_is_one_inside_of_it() {
    let project = TempDir::new().unwrap();
    std::fs::create_dir(project.path().join("sub")).unwrap();
    std::os::unix::fs::symlink("/", project.path().join("out")).unwrap();
    let in_folder = async |folder: &str| {
        let desk = Arc::new(FakeDesk::new());
        let call = with(command(&desk, &["pwd"]), "folder", Value::text(folder));
        value(
            registry(project.path())
                .get("shell.run")
                .unwrap()
                .start(call)
                .await,
        )
    };
    let sub = project.path().join("sub").canonicalize().unwrap();
    let result = in_folder("sub").await.unwrap();
    assert_eq!(text_of(&result, "text"), sub.to_str().unwrap());
    assert!(in_folder(".").await.is_ok());
    for folder in ["out", "..", "/", "missing"] {
        assert!(in_folder(folder).await.is_err(), "{folder}");
    }
}

#[tokio::test]
async fn a_grandchild_that_holds_the_output_is_not_waited_for_and_does_not_stay() {
    let desk = Arc::new(FakeDesk::new());
    // Its parent has ended before it begins, as that of a server would.
    let call = script(&desk, "(sleep 600 & ) ; echo started");
    let result = ran(&desk, call).await.unwrap();
    assert_eq!(text_of(&result, "text"), "started");
    assert!(desk.log_text().contains("holds its output open"));
}

#[tokio::test]
async fn a_grandchild_that_holds_nothing_does_not_stay_either() {
    let desk = Arc::new(FakeDesk::new());
    let call = script(
        &desk,
        "( (sleep 600 & ) >/dev/null 2>&1 </dev/null ); echo started",
    );
    ran(&desk, call).await.unwrap();
}

#[tokio::test]
async fn a_command_is_asked_to_stop_and_may_clean_up() {
    let desk = Arc::new(FakeDesk::new());
    let call = script(
        &desk,
        "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.01; done",
    );
    let key = key(&call);
    let work = tokio::spawn(report(call));
    ready(&desk).await;
    desk.is_stopped.store(true, Ordering::SeqCst);
    let stopped = StepReport::Stopped {
        sent: Sent::Maybe,
        bill: None,
    };
    assert_eq!(work.await.unwrap(), stopped);
    desk.released().await;
    assert_eq!(survivors(&key), Vec::<u32>::new());
    assert!(desk.log_text().contains("cleaned"));
}

#[tokio::test]
async fn a_command_that_ignores_being_asked_is_killed() {
    let desk = Arc::new(FakeDesk::new());
    let call = script(
        &desk,
        "trap '' TERM; (trap '' TERM; sleep 600) & echo ready; while :; do sleep 1; done",
    );
    let key = key(&call);
    let work = tokio::spawn(report(call));
    ready(&desk).await;
    desk.is_stopped.store(true, Ordering::SeqCst);
    assert!(matches!(work.await.unwrap(), StepReport::Stopped { .. }));
    desk.released().await;
    gone(&key).await;
}

#[tokio::test]
async fn dropping_the_work_ends_all_of_it() {
    let desk = Arc::new(FakeDesk::new());
    let call = script(&desk, "(sleep 600 & ) ; echo ready; sleep 600");
    let key = key(&call);
    let work = tokio::spawn(report(call));
    ready(&desk).await;
    assert!(!survivors(&key).is_empty());
    work.abort();
    desk.released().await;
    gone(&key).await;
}

#[test]
fn the_end_of_the_runtime_kills_what_is_left() {
    let desk = Arc::new(FakeDesk::new());
    let call = script(&desk, "trap '' TERM; echo ready; while :; do sleep 1; done");
    let key = key(&call);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::spawn(report(call));
        ready(&desk).await;
    });
    drop(runtime);
    let wait = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    wait.block_on(async {
        desk.released().await;
        gone(&key).await;
    });
}

#[tokio::test]
async fn json_that_a_command_writes_is_read_as_what_is_wanted() {
    let desk = Arc::new(FakeDesk::new());
    let json = |words: &[&str]| {
        let mut call = command(&desk, words);
        call.step = "shell.json".into();
        call.result = Some(Type::list(Type::int()));
        call
    };
    let numbers = json(&["sh", "-c", "echo noise >&2; printf '[1, 2,\\n3]\\n'"]);
    let expected = Value::list([1, 2, 3].map(Value::Int).to_vec());
    assert_eq!(ran(&desk, numbers).await.unwrap(), expected);
    for (script, says) in [
        ("echo '[1'", "this is no JSON"),
        ("echo '[1, \"x\"]'", "`[1]`: expected `int`"),
        ("yes 1 | head -c 17000000", "more than 16 MiB"),
        ("echo '[1]'; echo why >&2; exit 3", "exit code 3: why"),
    ] {
        let failure = ran(&desk, json(&["sh", "-c", script])).await.unwrap_err();
        assert_eq!(
            (failure.class, failure.sent),
            (FailureClass::Invalid, Sent::Maybe)
        );
        assert!(failure.message.contains(says), "{}", failure.message);
    }
    // More than a text may have.
    let many = json(&["sh", "-c", "echo \"[$(seq -s , 1 100000)]\""]);
    let Value::List(list) = ran(&desk, many).await.unwrap() else {
        panic!("it is a list");
    };
    assert_eq!(list.items.len(), 100_000);
}
