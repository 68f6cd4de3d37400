//! A desk for one attempt, and calls to try.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use flow_core::address::Ticket;
use flow_core::amount::{Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::effect::{Effect, FailureClass};
use flow_core::mask::Mask;
use flow_core::memory::{Finished, Kept, Memory};
use flow_core::path::StepPath;
use flow_core::step::{Bill, Desk, Progress, StepCall, StepFailure, StepReport, Work};
use flow_core::ty::{Media, Type};
use flow_core::value::{Artifact, Value};
use flow_steps::{Allowed, Place, Registry, register};
use tempfile::TempDir;
use tokio::sync::watch;

/// What time it is in all tests.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Remembers what an attempt did.
pub(crate) struct FakeDesk {
    folder: TempDir,
    pub(crate) lines: Mutex<Vec<Vec<u8>>>,
    pub(crate) progress: Mutex<Vec<Progress>>,
    pub(crate) kept: Mutex<Vec<Artifact>>,
    pub(crate) secrets: BTreeMap<String, Arc<str>>,
    pub(crate) is_stopped: AtomicBool,
    pub(crate) was_sent: AtomicBool,
    /// How many groups were adopted, and how many released.
    pub(crate) groups: watch::Sender<(usize, usize)>,
}

impl FakeDesk {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            lines: Mutex::default(),
            progress: Mutex::default(),
            kept: Mutex::default(),
            secrets: BTreeMap::new(),
            is_stopped: AtomicBool::new(false),
            was_sent: AtomicBool::new(false),
            groups: watch::Sender::new((0, 0)),
        }
    }

    /// Waits until an adopted group was released.
    pub(crate) async fn released(&self) {
        let mut groups = self.groups.subscribe();
        groups
            .wait_for(|(adopted, released)| adopted == released)
            .await
            .unwrap();
    }

    pub(crate) fn log_text(&self) -> String {
        let lines = self.lines.lock().unwrap();
        String::from_utf8_lossy(&lines.join(&b'\n')).into_owned()
    }

    fn stored(&self, digest: &str) -> PathBuf {
        self.folder.path().join(digest)
    }

    /// Makes an artifact.
    pub(crate) fn artifact(&self, bytes: &[u8]) -> Artifact {
        let digest = Digest::of(bytes).to_string();
        std::fs::write(self.stored(&digest), bytes).unwrap();
        Artifact {
            digest: digest.into(),
            media: Media::File,
            bytes: u64::try_from(bytes.len()).unwrap(),
            facts: BTreeMap::new(),
        }
    }
}

impl Desk for FakeDesk {
    fn sent(&self) {
        self.was_sent.store(true, Ordering::SeqCst);
    }
    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress);
    }
    fn log(&self, line: &[u8]) {
        self.lines.lock().unwrap().push(line.to_vec());
    }
    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }
    fn folder(&self) -> Result<PathBuf, StepFailure> {
        let folder = self.folder.path().join("attempt");
        std::fs::create_dir_all(&folder).unwrap();
        Ok(folder)
    }
    fn keep(&self, bytes: &mut dyn Read, media: Media) -> Result<Artifact, StepFailure> {
        let mut all = Vec::new();
        bytes.read_to_end(&mut all).unwrap();
        if matches!(self.mask().bytes(&all), std::borrow::Cow::Owned(_)) {
            let message = "a secret is in it, so it is not kept";
            return Err(StepFailure::unsent(FailureClass::Invalid, message));
        }
        let kept = Artifact {
            media,
            ..self.artifact(&all)
        };
        self.kept.lock().unwrap().push(kept.clone());
        Ok(kept)
    }
    fn open(&self, artifact: &Artifact) -> Result<PathBuf, StepFailure> {
        Ok(self.stored(&artifact.digest))
    }
    fn secret(&self, name: &str) -> Result<Arc<str>, StepFailure> {
        let found = self.secrets.get(name).cloned();
        found.ok_or_else(|| StepFailure::unsent(FailureClass::Auth, "there is no such secret"))
    }
    fn mask(&self) -> Mask {
        Mask::new(self.secrets.values().map(AsRef::as_ref))
    }
    fn adopt_group(&self, _: u32) {
        self.groups.send_modify(|groups| groups.0 += 1);
    }
    fn release_group(&self, _: u32) {
        self.groups.send_modify(|groups| groups.1 += 1);
    }
}

/// Keeps nothing.
struct Forgetful;

impl Memory for Forgetful {
    fn recall(&self, _: &str) -> Work<Result<Option<Value>, StepFailure>> {
        Box::pin(std::future::ready(Ok(None)))
    }
    fn remember(&self, _: Kept) -> Work<Result<(), StepFailure>> {
        Box::pin(std::future::ready(Ok(())))
    }
    fn finished(
        &self,
        _: &str,
        _: Option<u64>,
        _: usize,
    ) -> Work<Result<Vec<Finished>, StepFailure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// A project where nothing else is allowed.
pub(crate) fn place(project: &Path) -> Place {
    Place {
        project: project.to_owned(),
        closed: vec![project.join(".flow")],
        allowed: Allowed::default(),
        memory: Arc::new(Forgetful),
        console: Arc::new(|_| ()),
        clock: Arc::new(|| NOW),
    }
}

/// The table, for a project.
pub(crate) fn registry(project: &Path) -> Registry {
    register(&place(project))
}

/// Makes a call. Its key tells it apart from all others.
pub(crate) fn call<const N: usize>(
    desk: &Arc<FakeDesk>,
    step: &str,
    args: [(&str, Value); N],
    result: Type,
) -> StepCall {
    let key = desk.folder.path().to_str().unwrap();
    StepCall {
        ticket: Ticket {
            attempt: 1,
            ..Ticket::default()
        },
        step: step.into(),
        path: StepPath::root("test").join(step),
        args: args.map(|(name, value)| (name.into(), value)).into(),
        types: Arc::default(),
        result: Some(result),
        type_arg: None,
        run: None,
        effect: Effect::Read,
        tries: 1,
        idempotency: Digest::of(key.as_bytes()),
        seed: 0,
        timeout: None,
        bound: Money(0),
        failure: None,
        desk: desk.clone(),
    }
}

/// Carries out a call in a project without files.
pub(crate) async fn report(call: StepCall) -> StepReport {
    let registry = registry(Path::new("/nowhere"));
    registry.get(&call.step).unwrap().start(call).await
}

/// Carries out a call that computes something.
pub(crate) async fn computed<const N: usize>(
    step: &str,
    args: [(&str, Value); N],
    result: Type,
) -> Result<Value, StepFailure> {
    let desk = Arc::new(FakeDesk::new());
    let report = report(call(&desk, step, args, result)).await;
    assert!(!desk.was_sent.load(Ordering::SeqCst));
    value(report)
}

/// Returns the value of a report, or the failure.
pub(crate) fn value(report: StepReport) -> Result<Value, StepFailure> {
    match report {
        StepReport::Done { value, bill } => {
            assert_eq!(bill, Bill::None);
            Ok(value)
        }
        StepReport::Failed(failure) => Err(failure),
        StepReport::Submitted { .. }
        | StepReport::Ask(_)
        | StepReport::Wait { .. }
        | StepReport::Stopped { .. } => panic!("{report:?}"),
    }
}

pub(crate) fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(items.into_iter().map(Value::text).collect())
}

pub(crate) fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Record(Arc::new(
        fields.map(|(name, value)| (name.into(), value)).into(),
    ))
}
