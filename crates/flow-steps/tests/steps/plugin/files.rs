//! Files that programs make.

use std::sync::Arc;

use flow_core::effect::{Effect, FailureClass};
use flow_core::step::{Desk, StepCall};
use flow_core::ty::{Media, Type};
use flow_core::value::{Artifact, Value};

use super::{Project, failure, it};
use crate::desk::{FakeDesk, value};

fn made(desk: &Arc<FakeDesk>, media: Media) -> StepCall {
    StepCall {
        result: Some(Type::Media(media)),
        ..it(desk, Effect::Read)
    }
}

fn artifact(value: &Value) -> &Artifact {
    let Value::Artifact(artifact) = value else {
        panic!("{value:?}");
    };
    artifact
}

fn bytes(desk: &FakeDesk, artifact: &Artifact) -> Vec<u8> {
    std::fs::read(desk.open(artifact).unwrap()).unwrap()
}

#[tokio::test]
async fn a_file_of_its_folder_is_kept_where_one_is_declared() {
    for script in [
        r#"echo fox > a.txt; echo '{"result": {"path": "a.txt"}}'"#,
        r#"mkdir out; echo fox > out/a.txt; echo '{"result": {"path": "./out/a.txt"}}'"#,
        r#"echo fox > a.txt; printf '{"result": {"path": "%s/a.txt"}}' "$PWD""#,
    ] {
        let desk = Arc::new(FakeDesk::new());
        let call = made(&desk, Media::File);
        let given = value(Project::new(script).report(&desk, call).await).unwrap();
        let artifact = artifact(&given);
        assert_eq!(artifact.media, Media::File, "{script}");
        assert_eq!(bytes(&desk, artifact), b"fox\n", "{script}");
    }
}

#[tokio::test]
async fn files_are_found_anywhere_in_a_result() {
    let desk = Arc::new(FakeDesk::new());
    let file = Type::Media(Media::File);
    let call = StepCall {
        result: Some(Type::Map(Arc::new(Type::list(file.optional())))),
        ..it(&desk, Effect::Read)
    };
    let script = r#"echo a > a; echo b > b
        echo '{"result": {"x": [{"path": "a"}, null, {"path": "b"}, {"path": "a"}]}}'"#;
    let given = value(Project::new(script).report(&desk, call).await).unwrap();
    let Value::Record(fields) = &given else {
        panic!("{given:?}");
    };
    let Value::List(list) = &fields["x"] else {
        panic!("{given:?}");
    };
    assert_eq!(list.items[0], list.items[3]);
    assert_eq!(list.items[1], Value::None);
    assert_eq!(bytes(&desk, artifact(&list.items[2])), b"b\n");
}

#[tokio::test]
async fn an_argument_may_be_given_back() {
    let desk = Arc::new(FakeDesk::new());
    let mut call = made(&desk, Media::Image);
    let mut file = desk.artifact(b"a fox");
    file.media = Media::Image;
    let file = Value::Artifact(Arc::new(file));
    call.args.insert("picture".into(), file.clone());
    call.types = Arc::new(
        [
            ("text".into(), Type::text()),
            ("picture".into(), Type::Media(Media::Image)),
        ]
        .into(),
    );
    let script = r#"echo "{\"result\": $(grep -o '{"artifact[^}]*}[^}]*}')}""#;
    let given = value(Project::new(script).report(&desk, call).await);
    assert_eq!(given.unwrap(), file);
}

#[tokio::test]
async fn other_files_are_refused() {
    for (script, says) in [
        (
            r#"echo '{"result": {"path": "a.txt"}}'"#,
            "there is no `a.txt`",
        ),
        (
            r#"mkdir a.txt; echo '{"result": {"path": "a.txt"}}'"#,
            "`a.txt` is no file",
        ),
        (
            r#"mkfifo a.txt; echo '{"result": {"path": "a.txt"}}'"#,
            "`a.txt` is no file",
        ),
        (
            r#"ln -s /etc/hostname a.txt; echo '{"result": {"path": "a.txt"}}'"#,
            "leads out of its folder",
        ),
        (
            r#"echo '{"result": {"path": "../../x"}}'"#,
            "leads out of its folder",
        ),
        (
            r#"echo '{"result": {"path": "/etc/hostname"}}'"#,
            "leads out of its folder",
        ),
        (
            r#"echo '{"result": "a.txt"}'"#,
            "expected `file`, found `\"a.txt\"`",
        ),
        (
            r#"echo '{"result": {}}'"#,
            "a file is `{\"path\": …}`, in the folder that it runs in",
        ),
        (
            r#"echo x > a; echo '{"result": {"path": "a", "width": 3}}'"#,
            "a `width` stands beside the `path` of a file, and nothing else does",
        ),
        // Nobody can name what it wasn't given.
        (
            r#"printf '{"result": {"artifact": "%064d", "media": "image", "bytes": 1, "facts": {}}}' 0"#,
            "is none that it was given",
        ),
        (
            r#"echo '{"artifact": "a.txt"}'; sleep 600"#,
            "line 1 of `my.it` names a file that can't be kept: there is no `a.txt`",
        ),
        (
            r#"n=0; while [ $n -le 1000 ]; do echo x > $n; echo "{\"artifact\": \"$n\"}"; n=$((n+1)); done
               sleep 600"#,
            "`my.it` has more than 1000 files kept; pack what belongs together",
        ),
    ] {
        let desk = Arc::new(FakeDesk::new());
        let call = made(&desk, Media::File);
        let report = Project::new(script).report(&desk, call).await;
        let failure = failure(report);
        assert!(failure.message.contains(says), "{}", failure.message);
        assert!(
            [FailureClass::Bug, FailureClass::Invalid].contains(&failure.class),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn what_was_kept_may_be_gone_when_it_is_named() {
    let desk = Arc::new(FakeDesk::new());
    let call = made(&desk, Media::File);
    let work = desk.folder().unwrap().join("work");
    let script = r#"echo fox > a.txt; echo '{"artifact": "a.txt"}'
        until [ -e go ]; do sleep 0.01; done
        rm a.txt; echo '{"result": {"path": "a.txt"}}'"#;
    let project = Project::new(script);
    let report = tokio::spawn({
        let (desk, call) = (desk.clone(), call.clone());
        async move { project.report(&desk, call).await }
    });
    while desk.kept.lock().unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    std::fs::write(work.join("go"), "").unwrap();
    let given = value(report.await.unwrap()).unwrap();
    assert_eq!(bytes(&desk, artifact(&given)), b"fox\n");
}

#[tokio::test]
async fn what_is_known_of_a_picture_is_found_out_when_it_is_kept() {
    let desk = Arc::new(FakeDesk::new());
    let call = made(&desk, Media::Image);
    let script = r#"printf 'GIF89a\003\000\002\000\000\000\000;' > a
        printf '%s\n' '{"artifact": "a", "media": "image"}' '{"result": {"path": "a"}}'"#;
    let given = value(Project::new(script).report(&desk, call).await).unwrap();
    let artifact = artifact(&given);
    assert_eq!(artifact.media, Media::Image);
    assert_eq!(artifact.facts["width"], Value::Int(3));
    assert_eq!(artifact.facts["height"], Value::Int(2));
    assert_eq!(desk.kept.lock().unwrap().len(), 1);
    // What isn't one isn't taken for one.
    let desk = Arc::new(FakeDesk::new());
    let call = made(&desk, Media::Image);
    let script = r#"echo fox > a; echo '{"result": {"path": "a"}}'"#;
    let failed = failure(Project::new(script).report(&desk, call).await);
    assert!(
        failed.message.contains("`a`: this is no image"),
        "{}",
        failed.message
    );
}

#[tokio::test]
async fn a_file_with_a_secret_in_it_is_not_kept() {
    let mut desk = FakeDesk::new();
    desk.secrets
        .insert("TOKEN".into(), "hunter2-hunter2".into());
    let desk = Arc::new(desk);
    let call = made(&desk, Media::File);
    let script = r#"echo 'x hunter2-hunter2' > a; echo '{"result": {"path": "a"}}'"#;
    let failed = failure(Project::new(script).report(&desk, call).await);
    assert!(
        failed.message.contains("a secret is in it"),
        "{}",
        failed.message
    );
}
