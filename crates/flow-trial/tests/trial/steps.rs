//! What the steps of trials make of what the server does.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::digest::Digest;
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::mask::Mask;
use flow_core::path::StepPath;
use flow_core::step::{
    Bill, Desk, Executor, Found, Progress, Sent, StepCall, StepFailure, StepReport,
};
use flow_core::ty::Media;
use flow_core::value::{Artifact, Value};
use flow_trial::server::Server;
use flow_trial::steps::{DECLARATIONS, executors};
use tempfile::TempDir;

struct Folder(TempDir, AtomicBool);

impl Desk for Folder {
    fn sent(&self) {
        self.1.store(true, Ordering::SeqCst);
    }
    fn progress(&self, _: Progress) {}
    fn log(&self, _: &[u8]) {}
    fn is_stopped(&self) -> bool {
        false
    }
    fn folder(&self) -> Result<PathBuf, StepFailure> {
        Ok(self.0.path().to_owned())
    }
    fn keep(&self, from: &mut dyn Read, media: Media) -> Result<Artifact, StepFailure> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        Ok(Artifact {
            digest: Digest::of(&bytes).to_string().into(),
            media,
            bytes: u64::try_from(bytes.len()).unwrap(),
            facts: BTreeMap::new(),
        })
    }
    fn open(&self, _: &Artifact) -> Result<PathBuf, StepFailure> {
        unreachable!("no step of trials reads a file")
    }
    fn secret(&self, _: &str) -> Result<Arc<str>, StepFailure> {
        unreachable!("no step of trials has secrets")
    }
    fn mask(&self) -> Mask {
        Mask::default()
    }
    fn adopt_group(&self, _: u32) {}
    fn release_group(&self, _: u32) {}
}

struct Trial {
    folder: TempDir,
    server: Server,
}

impl Trial {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let server = Server::start(&folder.path().join("journal")).unwrap();
        Self { folder, server }
    }

    fn executor(&self, step: &str) -> Arc<dyn Executor> {
        let all = executors(Some(self.server.address()));
        let found = all.into_iter().find(|(name, _)| &**name == step);
        found.unwrap().1
    }

    fn call(&self, step: &str, script: &str) -> StepCall {
        let effect = match step {
            "trial.pure" => Effect::Pure,
            "trial.read" => Effect::Read,
            "trial.keyed" => Effect::Act(Act::Keyed(None)),
            "trial.probed" => Effect::Act(Act::Probed),
            "trial.once" => Effect::Act(Act::Once),
            _ => Effect::Paid,
        };
        let args = [
            ("name", Value::text("a")),
            ("fail", Value::text(script)),
            ("cost", Value::Money(Money(1000))),
            ("bytes", Value::Int(10)),
            ("polls", Value::Int(2)),
            ("listed", Value::Bool(true)),
        ];
        StepCall {
            ticket: Ticket::default(),
            step: step.into(),
            path: StepPath::root("test"),
            args: args.map(|(name, value)| (name.into(), value)).into(),
            types: Arc::default(),
            result: None,
            type_arg: None,
            run: None,
            effect,
            tries: 1,
            idempotency: Digest::of(self.folder.path().to_str().unwrap().as_bytes()),
            seed: 0,
            timeout: None,
            bound: Money(1000),
            failure: None,
            desk: Arc::new(Folder(TempDir::new().unwrap(), AtomicBool::new(false))),
        }
    }

    async fn report(&self, step: &str, script: &str) -> StepReport {
        self.executor(step).start(self.call(step, script)).await
    }

    async fn failure(&self, step: &str, script: &str) -> StepFailure {
        let report = self.report(step, script).await;
        let StepReport::Failed(failure) = report else {
            panic!("{report:?}");
        };
        failure
    }
}

#[test]
fn every_step_that_is_declared_is_carried_out() {
    let declared = DECLARATIONS.1.lines().filter_map(|line| {
        let line = line.strip_prefix("step ")?;
        line.split_once('(').map(|(name, _)| name.to_owned())
    });
    let declared: BTreeSet<String> = declared.collect();
    let all = executors(None).into_iter();
    let all: BTreeSet<String> = all.map(|(name, _)| name.to_string()).collect();
    assert_eq!(all, declared);
}

#[tokio::test]
async fn results_are_the_same_whenever_the_same_is_asked() {
    let trial = Trial::new();
    let first = trial.report("trial.paid", "ok").await;
    let expected = StepReport::Done {
        value: Value::text(format!("paid a {}", Digest::of(b"").short())),
        bill: Bill::Exact(Money(1000)),
    };
    assert_eq!(first, expected);
    assert_eq!(trial.report("trial.paid", "ok").await, expected);
    assert_eq!(
        trial.report("trial.blob", "ok").await,
        trial.report("trial.blob", "ok").await
    );
}

#[tokio::test]
async fn what_a_failure_says_of_the_request_is_what_is_known() {
    for (step, script, class, sent) in [
        ("trial.paid", "drop", FailureClass::Transient, Sent::Maybe),
        ("trial.paid", "lost", FailureClass::Transient, Sent::Maybe),
        ("trial.paid", "503", FailureClass::Transient, Sent::Maybe),
        (
            "trial.paid",
            "429",
            FailureClass::RateLimited,
            Sent::Refused,
        ),
        ("trial.keyed", "429", FailureClass::RateLimited, Sent::Maybe),
        ("trial.keyed", "409", FailureClass::Invalid, Sent::Maybe),
        ("trial.keyed", "400", FailureClass::Invalid, Sent::Refused),
        ("trial.once", "401", FailureClass::Auth, Sent::Refused),
    ] {
        let failure = Trial::new().failure(step, script).await;
        assert_eq!(
            (failure.class, failure.sent),
            (class, sent),
            "{step} {script}"
        );
        assert_eq!(failure.bill, None);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_got_nothing() {
    let mut trial = Trial::new();
    let call = trial.call("trial.paid", "");
    let executor = trial.executor("trial.paid");
    let other = Server::start(&trial.folder.path().join("other")).unwrap();
    drop(std::mem::replace(&mut trial.server, other));
    let StepReport::Failed(failure) = executor.start(call).await else {
        panic!("it was answered");
    };
    assert_eq!(
        (failure.class, failure.sent),
        (FailureClass::Transient, Sent::No)
    );
}

#[tokio::test]
async fn a_job_is_handed_in_once_though_its_name_was_lost() {
    let trial = Trial::new();
    let report = trial.report("trial.job", "lost").await;
    let StepReport::Submitted { job, .. } = report else {
        panic!("{report:?}");
    };
    let executor = trial.executor("trial.job");
    let done = executor
        .poll(trial.call("trial.job", ""), job.clone())
        .await;
    assert!(
        matches!(
            done,
            StepReport::Done {
                bill: Bill::Exact(Money(1000)),
                ..
            }
        ),
        "{done:?}"
    );
    // A second attempt finds it, too.
    let mut call = trial.call("trial.job", "");
    call.ticket.attempt = 2;
    let again = StepReport::Submitted { job, expires: None };
    assert_eq!(executor.start(call).await, again);
    assert_eq!(trial.server.truth().charged(), Money(1000));
}

#[tokio::test]
async fn a_job_that_was_forgotten_is_presumed_to_cost_its_bound() {
    let trial = Trial::new();
    let report = trial.report("trial.job", "expire").await;
    let StepReport::Submitted { job, .. } = report else {
        panic!("{report:?}");
    };
    let executor = trial.executor("trial.job");
    let lost = executor.poll(trial.call("trial.job", ""), job).await;
    let StepReport::Failed(failure) = lost else {
        panic!("{lost:?}");
    };
    assert_eq!(failure.class, FailureClass::Expired);
    assert_eq!(failure.bill, Some(Bill::Presumed(Money(1000))));
}

#[tokio::test]
async fn a_target_that_can_be_asked_tells_what_happened() {
    let trial = Trial::new();
    let found = async |step: &str, script: &str| {
        let mut call = trial.call(step, "");
        call.args.insert("probe".into(), Value::text(script));
        trial.executor(step).probe(call).await
    };
    assert_eq!(found("trial.probed", "").await, Found::No);
    trial.failure("trial.probed", "lost").await;
    let StepReport::Done { value, .. } = trial.report("trial.probed", "").await else {
        panic!("it failed");
    };
    assert_eq!(found("trial.probed", "").await, Found::Yes(value));
    assert_eq!(
        found("trial.probed", ",,cannot_tell").await,
        Found::CannotTell
    );
    assert_eq!(found("trial.once", "").await, Found::CannotTell);
}
