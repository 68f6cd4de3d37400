use std::io::Read;
use std::path::PathBuf;
use std::sync::Mutex;

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::digest::Digest;
use flow_core::mask::Mask;
use flow_core::path::StepPath;
use flow_core::step::Desk;
use flow_core::value::Artifact;
use tempfile::TempDir;

use super::*;

/// Keeps what it gets, knows a secret, and has a folder.
struct Store(TempDir, Mutex<Vec<u8>>);

impl Desk for Store {
    fn sent(&self) {}
    fn progress(&self, _: Progress) {}
    fn log(&self, _: &[u8]) {}
    fn is_stopped(&self) -> bool {
        false
    }
    fn folder(&self) -> Result<PathBuf, StepFailure> {
        Ok(self.0.path().to_owned())
    }
    fn keep(&self, bytes: &mut dyn Read, media: Media) -> Result<Artifact, StepFailure> {
        let mut kept = self.1.lock().unwrap();
        bytes.read_to_end(&mut kept).unwrap();
        Ok(Artifact {
            digest: "".into(),
            media,
            bytes: u64::try_from(kept.len()).unwrap(),
            facts: BTreeMap::new(),
        })
    }
    fn open(&self, _: &Artifact) -> Result<PathBuf, StepFailure> {
        unreachable!("nothing is opened")
    }
    fn secret(&self, _: &str) -> Result<Arc<str>, StepFailure> {
        unreachable!("no secret is asked for")
    }
    fn mask(&self) -> Mask {
        Mask::new(["hunter2"])
    }
    fn adopt_group(&self, _: u32) {}
    fn release_group(&self, _: u32) {}
}

fn call() -> (Arc<Store>, StepCall) {
    let store = Arc::new(Store(TempDir::new().unwrap(), Mutex::default()));
    let call = StepCall {
        ticket: Ticket::default(),
        step: "http.get".into(),
        path: StepPath::root("test"),
        args: BTreeMap::new(),
        types: Arc::default(),
        result: None,
        type_arg: None,
        run: None,
        effect: Effect::Read,
        tries: 1,
        idempotency: Digest::of(b""),
        seed: 0,
        timeout: None,
        bound: Money(0),
        failure: None,
        desk: store.clone(),
    };
    (store, call)
}

const LIMITS: Limits = Limits {
    body: 2_000_000,
    text: 600_000,
    silence: None,
};

/// Takes a body that comes in pieces; returns its letters, and what was kept.
async fn taken(pieces: &[&[u8]]) -> Result<(String, Vec<u8>), BodyFault> {
    let (store, call) = call();
    let mut taken = Taken::new(&call, &LIMITS);
    for piece in pieces {
        taken.push(piece)?;
    }
    let (text, _) = taken.finish().await?;
    let kept = store.1.lock().unwrap().clone();
    Ok((text, kept))
}

#[tokio::test]
async fn a_body_without_an_end_is_not_taken() {
    let piece = [b'a'; 10_000];
    let endless = vec![&piece[..]; 201];
    assert!(matches!(taken(&endless).await, Err(BodyFault::TooLarge)));
    let (text, kept) = taken(&endless[..200]).await.unwrap();
    assert_eq!((text.len(), kept.len()), (0, 2_000_000));
}

#[tokio::test]
async fn a_secret_is_taken_out_of_bodies_of_any_size_wherever_they_are_cut() {
    for before in [0, 1, 262_140, 262_143, 700_000] {
        let mut body = vec![b'.'; before];
        body.extend_from_slice(b"hunter2 and hunter2");
        for size in [3, 65_536] {
            let pieces: Vec<&[u8]> = body.chunks(size).collect();
            let (text, kept) = taken(&pieces).await.unwrap();
            let expected = format!("{}*** and ***", ".".repeat(before));
            assert!(kept == expected.as_bytes(), "{before} in {size}");
            assert!(
                before > LIMITS.text || text == expected,
                "{before} in {size}"
            );
        }
    }
}

#[test]
fn a_server_asks_for_patience_in_seconds_or_until_an_instant() {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let seconds = |count: i64| Some(Duration::SECOND.checked_times(count).unwrap());
    for (text, expected) in [
        ("7", seconds(7)),
        (" 0 ", seconds(0)),
        ("-3", seconds(0)),
        ("Thu, 01 Jan 2026 00:01:30 GMT", seconds(90)),
        ("Wed, 31 Dec 2025 23:59:59 GMT", seconds(0)),
        ("99999999999999999", Some(PATIENCE)),
        ("Thu, 01 Jan 2099 00:00:00 GMT", Some(PATIENCE)),
        ("soon", None),
        ("Thu, 41 Jan 2026 00:01:30 GMT", None),
    ] {
        assert_eq!(patience_of(text, now), expected, "{text}");
    }
}

#[test]
fn a_status_says_what_may_be_done_and_whether_anything_has_happened() {
    use FailureClass::{Auth, Invalid, RateLimited, Timeout, Transient};
    for (status, expected_class, expected_sent) in [
        (302, Invalid, Sent::Maybe),
        (303, Invalid, Sent::Maybe),
        (307, Invalid, Sent::Refused),
        (400, Invalid, Sent::Refused),
        (401, Auth, Sent::Refused),
        (403, Auth, Sent::Refused),
        (404, Invalid, Sent::Refused),
        (408, Timeout, Sent::Maybe),
        (409, Invalid, Sent::Refused),
        (422, Invalid, Sent::Refused),
        (429, RateLimited, Sent::Refused),
        (500, Transient, Sent::Maybe),
        (501, Transient, Sent::Refused),
        (503, Transient, Sent::Maybe),
        (999, Invalid, Sent::Maybe),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(class(status), expected_class, "{status}");
        assert_eq!(
            sent(status, Effect::Act(Act::Once)),
            expected_sent,
            "{status}"
        );
    }
    let keyed = Effect::Act(Act::Keyed(None));
    assert_eq!(sent(StatusCode::CONFLICT, keyed), Sent::Maybe);
}
