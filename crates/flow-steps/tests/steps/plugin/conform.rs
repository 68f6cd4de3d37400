//! Trying programs out: what holds, and what doesn't.

use std::sync::Arc;

use flow_core::amount::Money;
use flow_core::effect::{Act, Effect};
use flow_core::ty::{Bounds, Media, TextRule, Type};
use flow_core::value::Value;
use flow_steps::{DryRun, Finding, Given, Groups, Parameter, Subject, Verdict};
use tempfile::TempDir;

use super::{Project, RUN};

fn param(name: &str, ty: Type) -> Parameter {
    Parameter {
        name: name.into(),
        ty,
        default: None,
        given: None,
    }
}

fn subject(effect: Effect) -> Subject {
    Subject {
        step: "my.it".into(),
        run: RUN.into(),
        params: vec![param("text", Type::text())],
        result: Type::text(),
        type_arg: None,
        effect,
        dry_run: DryRun::Known,
    }
}

/// Tries a script out; nothing of it is left.
async fn tried(script: &str, subject: &Subject) -> Vec<Finding> {
    let folder = TempDir::new().unwrap();
    let groups = Groups {
        adopt: Arc::new(|_| {}),
        release: Arc::new(|_| {}),
    };
    let place = folder.path().join("tried");
    let project = Project::new(script);
    let findings = project
        .plugins()
        .conform(subject, &groups, place.clone())
        .await;
    assert!(!place.exists());
    findings
}

fn verdict<'a>(findings: &'a [Finding], name: &str) -> &'a Verdict {
    let mut found = findings.iter().filter(|finding| finding.name == name);
    &found.next().unwrap().verdict
}

fn broken(findings: &[Finding]) -> Vec<&str> {
    let broken = findings.iter();
    let broken = broken.filter(|finding| matches!(finding.verdict, Verdict::Broken(..)));
    broken.map(|finding| finding.name).collect()
}

/// A program that keeps everything, also where nobody asks anything.
const GOOD: &str = r#"
request=$(cat)
[ -n "$request" ] || exit 1
case $request in
  *'"dry_run":true'*|*'"dry_run": true'*) dry=', "dry_run": true' ;;
  *) dry= ;;
esac
case $request in
  *'"ask":"probe"'*|*'"ask": "probe"'*) echo '{"found": "no"}' ;;
  *) printf '{"result": "x"%s}\n' "$dry" ;;
esac
"#;

#[tokio::test]
async fn a_good_program_keeps_everything() {
    for effect in [
        Effect::Pure,
        Effect::Read,
        Effect::Paid,
        Effect::Act(Act::Keyed(None)),
        Effect::Act(Act::Probed),
        Effect::Act(Act::Once),
    ] {
        let findings = tried(GOOD, &subject(effect)).await;
        assert_eq!(broken(&findings), Vec::<&str>::new(), "{findings:#?}");
        let is_tried = |name| !matches!(verdict(&findings, name), Verdict::Untried(_));
        assert!(is_tried("answer") && is_tried("large") && is_tried("stop"));
        assert_eq!(
            is_tried("again"),
            matches!(effect, Effect::Pure | Effect::Act(Act::Keyed(_)))
        );
        assert_eq!(is_tried("silence"), !effect.costs());
        assert_eq!(is_tried("probe"), effect == Effect::Act(Act::Probed));
    }
}

#[tokio::test]
async fn what_costs_or_acts_is_not_even_started_unless_somebody_says_that_it_can_be() {
    let folder = TempDir::new().unwrap();
    let trace = folder.path().join("started");
    let script = format!("touch '{}'; {GOOD}", trace.display());
    let careful = Subject {
        dry_run: DryRun::Unknown,
        ..subject(Effect::Act(Act::Once))
    };
    let findings = tried(&script, &careful).await;
    assert!(!trace.exists());
    assert_eq!(broken(&findings), Vec::<&str>::new());
    assert!(matches!(verdict(&findings, "program"), Verdict::Holds(_)));
    assert!(matches!(verdict(&findings, "answer"), Verdict::Untried(_)));
    tried(&script, &subject(Effect::Act(Act::Once))).await;
    assert!(trace.exists());
}

/// What is tried, the effect, a program that doesn't keep it, and what is said.
const FAULTS: [(&str, Effect, &str, &str); 16] = [
    (
        "answer",
        Effect::Read,
        r#"cat >/dev/null; echo '{"result": 7}'"#,
        "expected `text`",
    ),
    (
        "answer",
        Effect::Read,
        "cat >/dev/null; echo hello",
        "is no JSON",
    ),
    (
        "answer",
        Effect::Read,
        "cat >&2; echo '{\"result\": \"x\"}'",
        "a secret to its log",
    ),
    (
        "answer",
        Effect::Read,
        r#"printf '{"result": "%s"}\n' "$(cat | grep -o this-was-a[a-z-]*)""#,
        "has a secret in it",
    ),
    (
        "answer",
        Effect::Paid,
        r#"cat >/dev/null; echo '{"result": "x"}'"#,
        "doesn't say that it made a dry run",
    ),
    (
        "end",
        Effect::Read,
        r#"cat >/dev/null; echo '{"result": "x"}'; exit 3"#,
        "exit status: 3",
    ),
    (
        "end",
        Effect::Read,
        r#"cat >/dev/null; echo '{"result": "x"}'; echo '{"log": "y"}'"#,
        "writes more after its answer",
    ),
    (
        "end",
        Effect::Read,
        r#"cat >/dev/null; sleep 600 & echo '{"result": "x"}'"#,
        "holds its output open",
    ),
    (
        "again",
        Effect::Pure,
        r#"cat >/dev/null; printf '{"result": "%s"}' "$$""#,
        "another answer the second time",
    ),
    (
        "least",
        Effect::Read,
        r#"grep -q '"text": *""' && exit 1; echo '{"result": "x"}'"#,
        "exit code 1",
    ),
    (
        "odd",
        Effect::Read,
        r#"grep -q 'größe' && exit 1; echo '{"result": "x"}'"#,
        "exit code 1",
    ),
    (
        "large",
        Effect::Read,
        r#"[ "$(wc -c)" -gt 500000 ] && exit 1; echo '{"result": "x"}'"#,
        "exit code 1",
    ),
    (
        "later",
        Effect::Read,
        r#"grep -q '"later"' && exit 1; echo '{"result": "x"}'"#,
        "a field that it doesn't know",
    ),
    (
        "deadline",
        Effect::Read,
        r#"grep -q '"deadline": *"' && exit 1; echo '{"result": "x"}'"#,
        "exit code 1",
    ),
    (
        "silence",
        Effect::Read,
        r#"cat >/dev/null; echo '{"result": "x"}'"#,
        "though nothing was asked",
    ),
    (
        "probe",
        Effect::Act(Act::Probed),
        r#"cat >/dev/null; echo '{"result": "x", "dry_run": true}'"#,
        "doesn't say whether it happened",
    ),
];

#[tokio::test]
async fn every_fault_is_found() {
    let secret = Parameter {
        name: "token".into(),
        ty: Type::Secret,
        default: None,
        given: None,
    };
    for (name, effect, script, says) in FAULTS {
        let mut subject = subject(effect);
        if says.contains("secret") {
            subject.params.push(secret.clone());
        }
        let findings = tried(script, &subject).await;
        let verdict = verdict(&findings, name);
        let Verdict::Broken(said, cure) = verdict else {
            panic!("{script}: {findings:#?}");
        };
        assert!(said.contains(says), "{script}: {said}");
        assert!(!cure.is_empty());
    }
}

#[tokio::test]
async fn a_program_that_ignores_being_asked_to_stop_is_found() {
    // The fourth question is the one in which it is stopped.
    let script = r#"cat >/dev/null; trap '' TERM; echo x >> "${0%/*}/count"
        [ "$(wc -l < "${0%/*}/count")" -ne 4 ] || sleep 60
        echo '{"result": "x"}'"#;
    let mut subject = subject(Effect::Read);
    subject.params.clear();
    let findings = tried(script, &subject).await;
    assert!(broken(&findings).contains(&"stop"), "{findings:#?}");
}

#[tokio::test]
async fn a_failure_in_good_order_is_no_fault() {
    let script = r#"[ -n "$(cat)" ] || exit 1
        echo '{"failure": "invalid", "message": "that is no address"}'"#;
    let findings = tried(script, &subject(Effect::Read)).await;
    assert_eq!(broken(&findings), Vec::<&str>::new(), "{findings:#?}");
    let Verdict::Holds(said) = verdict(&findings, "answer") else {
        panic!("{findings:#?}");
    };
    assert_eq!(said, "it fails in good order (invalid): that is no address");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_all_that_is_said() {
    let gone = Subject {
        run: "sh steps/gone.sh".into(),
        ..subject(Effect::Read)
    };
    let findings = tried("", &gone).await;
    assert_eq!(broken(&findings), ["program"]);
}

#[tokio::test]
async fn arguments_are_made_up_by_their_types() {
    let mut all = subject(Effect::Read);
    let code = TextRule {
        length: Bounds {
            min: Some(2),
            max: Some(4),
        },
        matching: Some("[a-z]+".into()),
    };
    all.params = vec![
        param("code", Type::Text(code)),
        param(
            "count",
            Type::Int(Bounds {
                min: Some(3),
                max: Some(5),
            }),
        ),
        param(
            "price",
            Type::Money(Bounds {
                min: Some(Money::DOLLAR),
                max: None,
            }),
        ),
        param("flags", Type::Map(Arc::new(Type::Bool))),
        param("pictures", Type::list(Type::Media(Media::Image))),
        param("sound", Type::Media(Media::Audio).optional()),
        param("any", Type::Json),
    ];
    let script = r#"request=$(cat); [ -n "$request" ] || exit 1
        printf '%s' "$request" | grep -q '"any"' || exit 2
        echo '{"result": "x"}'"#;
    let findings = tried(script, &all).await;
    assert_eq!(broken(&findings), Vec::<&str>::new(), "{findings:#?}");
}

#[tokio::test]
async fn what_can_not_be_made_up_is_asked_for_and_taken() {
    let mut film = subject(Effect::Read);
    film.params = vec![param("film", Type::Media(Media::Video))];
    let findings = tried(GOOD, &film).await;
    let Verdict::Untried(why) = verdict(&findings, "answer") else {
        panic!("{findings:#?}");
    };
    assert_eq!(why, "`film`: no film can be made up; say one, as `film=…`");
    let mut given = subject(Effect::Read);
    given.params[0].given = Some(Given::Value(Value::text("owl")));
    let script = r#"request=$(cat); [ -n "$request" ] || exit 1
        printf '%s' "$request" | grep -q '"text": *"owl"' || exit 2
        echo '{"result": "x"}'"#;
    let findings = tried(script, &given).await;
    assert_eq!(broken(&findings), Vec::<&str>::new(), "{findings:#?}");
    assert!(matches!(verdict(&findings, "large"), Verdict::Untried(_)));
}
