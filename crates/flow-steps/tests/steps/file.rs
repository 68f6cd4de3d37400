//! Files of a project: read, written, copied, found.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flow_core::digest::Digest;
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::step::{Desk, Sent, StepCall, StepFailure, StepReport};
use flow_core::ty::{Media, Type};
use flow_core::value::Value;
use flow_steps::{Allowed, Place, register};
use tempfile::TempDir;

use crate::desk::{FakeDesk, call, place, record, texts, value};

/// A project with a store, something beside it, and a desk.
struct Project {
    folder: TempDir,
    desk: Arc<FakeDesk>,
}

impl Project {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["project/.flow", "project/in", "outside", "media"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        Self {
            folder,
            desk: Arc::new(FakeDesk::new()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("project").join(name)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    async fn report(&self, call: StepCall) -> StepReport {
        let registry = register(&Place {
            allowed: Allowed {
                paths: vec![self.folder.path().join("media")],
                ..Allowed::default()
            },
            ..place(&self.path(""))
        });
        registry.get(&call.step).unwrap().start(call).await
    }

    async fn done(&self, call: StepCall) -> Result<Value, StepFailure> {
        value(self.report(call).await)
    }

    async fn read(&self, path: &str, ty: Type) -> Result<Value, StepFailure> {
        let args = [("path", Value::text(path))];
        self.done(call(&self.desk, "file.read", args, ty)).await
    }

    fn writing(&self, path: &str, content: Value, ty: Type) -> StepCall {
        let args = [
            ("path", Value::text(path)),
            ("content", content),
            ("replace", Value::Bool(true)),
        ];
        let mut call = call(&self.desk, "file.write", args, Type::Media(Media::File));
        call.types = Arc::new([("content".into(), ty)].into());
        call.effect = Effect::Act(Act::Keyed(None));
        call.idempotency = Digest::of(path.as_bytes());
        call
    }

    async fn write(&self, path: &str, text: &str) -> Result<Value, StepFailure> {
        self.done(self.writing(path, Value::text(text), Type::text()))
            .await
    }

    async fn glob(&self, pattern: &str) -> Result<Value, StepFailure> {
        let args = [("pattern", Value::text(pattern)), ("most", Value::Int(100))];
        let call = call(&self.desk, "file.glob", args, Type::list(Type::text()));
        self.done(call).await
    }
}

fn keeping(mut call: StepCall) -> StepCall {
    call.args.insert("replace".into(), Value::Bool(false));
    call
}

#[track_caller]
fn says(result: Result<Value, StepFailure>, message: &str) {
    let failure = result.unwrap_err();
    assert_eq!(failure.class, FailureClass::Invalid, "{}", failure.message);
    assert!(failure.message.contains(message), "{}", failure.message);
}

#[tokio::test]
async fn a_file_is_read_as_letters_json_or_media() {
    let project = Project::new();
    project.put("in/a.txt", "\u{feff}ä\n");
    project.put("in/a.json", "\u{feff}[1, 2]");
    project.put("in/a.gif", b"GIF89a\x03\0\x02\0");
    let read = async |path: &str, ty| project.read(path, ty).await.unwrap();
    let text = read("in/a.txt", Type::text()).await;
    assert_eq!(text, Value::text("\u{feff}ä\n"));
    let numbers = read("in/a.json", Type::list(Type::int())).await;
    assert_eq!(numbers, Value::list(vec![Value::Int(1), Value::Int(2)]));
    let Value::Artifact(image) = read("in/a.gif", Type::Media(Media::Image)).await else {
        panic!("it is an artifact");
    };
    assert_eq!((image.media, image.bytes), (Media::Image, 10));
    assert_eq!(image.facts["width"], Value::Int(3));
    assert_eq!(
        fs::read(project.desk.open(&image).unwrap()).unwrap(),
        b"GIF89a\x03\0\x02\0"
    );
    assert!(!project.desk.was_sent.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_file_that_is_not_what_is_asked_for_is_named() {
    let project = Project::new();
    project.put("bytes", b"a\xff");
    project.put("words", "{\"a\": }");
    let large = fs::File::create(project.path("large")).unwrap();
    large.set_len(17 << 20).unwrap();
    symlink("../outside", project.path("out")).unwrap();
    for (path, ty, message) in [
        ("none", Type::text(), "there is no `none`"),
        ("in", Type::text(), "`in` is no file"),
        ("../outside/x", Type::text(), "`../outside/x` leads out of"),
        ("out/x", Type::text(), "`out/x` leads out of"),
        (".flow/flow.db", Type::text(), "the store of the runs"),
        (
            "bytes",
            Type::text(),
            "`bytes` is no text: it is not UTF-8 at byte 1",
        ),
        ("words", Type::Json, "`words`: this is no JSON: "),
        (
            "words",
            Type::Media(Media::Image),
            "`words`: this is no image",
        ),
        ("large", Type::text(), "`large` has more than 16 MiB"),
        ("large", Type::Json, "take it as a `file`"),
    ] {
        says(project.read(path, ty).await, message);
    }
    assert!(
        project
            .read("large", Type::Media(Media::File))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn what_is_written_is_a_text_bytes_or_json() {
    let project = Project::new();
    let Value::Artifact(written) = project.write("new/deep/a.txt", "one").await.unwrap() else {
        panic!("it is an artifact");
    };
    assert_eq!(
        fs::read(project.desk.open(&written).unwrap()).unwrap(),
        b"one"
    );
    assert_eq!(project.text("new/deep/a.txt"), "one");
    let bytes = Value::Artifact(Arc::new(project.desk.artifact(&[0, 255])));
    let call = project.writing("b", bytes, Type::Media(Media::File));
    project.done(call).await.unwrap();
    assert_eq!(fs::read(project.path("b")).unwrap(), [0, 255]);
    let json = record([("a", Value::list(vec![Value::Int(1)])), ("b", Value::None)]);
    let call = project.writing("c.json", json, Type::Json);
    project.done(call).await.unwrap();
    assert_eq!(
        project.text("c.json"),
        "{\n  \"a\": [\n    1\n  ],\n  \"b\": null\n}\n"
    );
    let names: Vec<_> = fs::read_dir(project.path("new/deep")).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing else stays");
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_something_else_replaces_it() {
    let project = Project::new();
    project.put("a", "old");
    fs::set_permissions(project.path("a"), fs::Permissions::from_mode(0o640)).unwrap();
    let number = |name: &str| fs::metadata(project.path(name)).unwrap().ino();
    let before = number("a");
    project.write("a", "old").await.unwrap();
    assert_eq!(number("a"), before);
    project.write("a", "new").await.unwrap();
    assert_eq!(project.text("a"), "new");
    assert_ne!(number("a"), before);
    let mode = fs::metadata(project.path("a"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    // If it may not be replaced.
    let write = |text: &str| keeping(project.writing("a", Value::text(text), Type::text()));
    project.done(write("new")).await.unwrap();
    says(project.done(write("other")).await, "there is `a` already");
    let fresh = keeping(project.writing("fresh", Value::text("x"), Type::text()));
    project.done(fresh.clone()).await.unwrap();
    project.done(fresh).await.unwrap();
    assert_eq!(project.text("fresh"), "x");
}

#[tokio::test]
async fn what_a_crash_has_left_is_found_by_the_same_act() {
    let project = Project::new();
    let call = project.writing("a", Value::text("whole"), Type::text());
    let draft = format!(".flow-{}", &call.idempotency.to_string()[..32]);
    project.put(&draft, "wh");
    project.done(call.clone()).await.unwrap();
    assert_eq!(project.text("a"), "whole");
    assert!(!project.path(&draft).exists());
    // It was moved, and the answer was lost.
    project.done(call).await.unwrap();
    assert_eq!(project.text("a"), "whole");
}

#[tokio::test]
async fn nothing_is_written_where_nothing_may_be() {
    let project = Project::new();
    project.put("a", "x");
    symlink("../outside/x", project.path("link")).unwrap();
    symlink("../outside", project.path("out")).unwrap();
    symlink(".flow", project.path("store")).unwrap();
    symlink("a", project.path("same")).unwrap();
    for (path, message) in [
        ("link", "leads out of"),
        ("out/x", "leads out of"),
        ("../outside/x", "leads out of"),
        ("/etc/flow-was-here", "leads out of"),
        (".flow/x", "the store of the runs"),
        ("store/x", "the store of the runs"),
        ("in", "`in` is no file"),
        (".", "`.` is no file"),
        ("a/b", "`a/b` can't be opened"),
    ] {
        says(project.write(path, "y").await, message);
    }
    assert_eq!(
        fs::read_dir(project.folder.path().join("outside"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(fs::read_dir(project.path(".flow")).unwrap().count(), 0);
    // A link inside is where it leads.
    project.write("same", "z").await.unwrap();
    assert_eq!(project.text("a"), "z");
    assert!(
        fs::symlink_metadata(project.path("same"))
            .unwrap()
            .is_symlink()
    );
    project.write("../media/song", "la").await.unwrap();
    let song = fs::read_to_string(project.folder.path().join("media/song"));
    assert_eq!(song.unwrap(), "la");
}

#[tokio::test]
async fn a_copy_is_a_copy() {
    let project = Project::new();
    project.put("in/a", "content");
    let copying = |from: &str, to: &str| {
        let args = [
            ("from", Value::text(from)),
            ("to", Value::text(to)),
            ("replace", Value::Bool(true)),
        ];
        call(&project.desk, "file.copy", args, Type::Media(Media::File))
    };
    project.done(copying("in/a", "out/b")).await.unwrap();
    project.done(copying("in/a", "in/a")).await.unwrap();
    assert_eq!(project.text("out/b"), "content");
    says(
        project.done(copying("none", "x")).await,
        "there is no `none`",
    );
    project.put("in/c", "other");
    let kept = keeping(copying("in/c", "out/b"));
    says(project.done(kept).await, "there is `out/b` already");
}

#[tokio::test]
async fn files_are_found_by_patterns_in_order() {
    let project = Project::new();
    for name in ["in/b.wav", "in/a.wav", "in/.c.wav", ".flow/d.wav", "e.wav"] {
        project.put(name, "");
    }
    fs::write(project.folder.path().join("media/f.wav"), "").unwrap();
    let found = project.glob("**/*.wav").await.unwrap();
    assert_eq!(found, texts(["e.wav", "in/a.wav", "in/b.wav"]));
    let found = project.glob("../media/*").await.unwrap();
    assert_eq!(found, texts(["../media/f.wav"]));
    says(project.glob("../outside/*").await, "leads out of");
    says(project.glob("[").await, "is no pattern");
}

#[tokio::test]
async fn what_a_step_gave_is_taken_as_something() {
    let project = Project::new();
    let opening = |bytes: &[u8], ty: Type| {
        let file = Value::Artifact(Arc::new(project.desk.artifact(bytes)));
        call(&project.desk, "file.open", [("file", file)], ty)
    };
    let text = project.done(opening(b"abc", Type::text())).await.unwrap();
    assert_eq!(text, Value::text("abc"));
    let image = opening(b"GIF89a\x03\0\x02\0", Type::Media(Media::Image));
    let Value::Artifact(image) = project.done(image).await.unwrap() else {
        panic!("it is an artifact");
    };
    assert_eq!(
        (image.media, &image.facts["height"]),
        (Media::Image, &Value::Int(2))
    );
    says(
        project
            .done(opening(b"abc", Type::Media(Media::Audio)))
            .await,
        "`the file`: this is no audio",
    );
}

#[tokio::test]
async fn a_file_with_a_secret_is_not_taken() {
    let mut project = Project::new();
    let mut desk = FakeDesk::new();
    desk.secrets.insert("TOKEN".into(), "hunter2".into());
    project.desk = Arc::new(desk);
    project.put("a", "token=hunter2");
    let read = project.read("a", Type::Media(Media::File)).await;
    says(read, "`a`: a secret is in it, so it is not kept");
}

#[tokio::test]
async fn a_write_that_is_stopped_leaves_nothing() {
    let project = Project::new();
    project.put("a", "old");
    project.desk.is_stopped.store(true, Ordering::SeqCst);
    let call = project.writing("a", Value::text("new"), Type::text());
    let stopped = StepReport::Stopped {
        sent: Sent::No,
        bill: None,
    };
    assert_eq!(project.report(call).await, stopped);
    assert_eq!(project.text("a"), "old");
    assert_eq!(fs::read_dir(project.path("")).unwrap().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_whole_whenever_somebody_looks() {
    let project = Project::new();
    project.put("a", "0".repeat(100_000));
    let path: &Path = &project.path("a");
    let (path, is_over) = (
        path.to_owned(),
        Arc::new(std::sync::atomic::AtomicBool::new(false)),
    );
    let looks = std::thread::spawn({
        let is_over = is_over.clone();
        move || {
            let mut looked = 0;
            while !is_over.load(Ordering::Relaxed) {
                let text = fs::read_to_string(&path).unwrap();
                assert_eq!(text.len(), 100_000);
                let first = &text[..1];
                assert!(text.split(first).all(str::is_empty), "it is of one piece");
                looked += 1;
            }
            looked
        }
    });
    for number in 0..30 {
        let text = (number % 10).to_string().repeat(100_000);
        project.write("a", &text).await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(looks.join().unwrap() > 0);
}
