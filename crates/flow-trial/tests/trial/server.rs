//! The server is believed in all other trials, so it is tried first.

use flow_core::amount::Money;
use flow_trial::http::{Message, Unanswered, ask};
use flow_trial::server::Server;
use flow_trial::server::truth::{Asked, What};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

struct Trial {
    server: Server,
    folder: TempDir,
}

impl Trial {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let server = Server::start(&folder.path().join("journal")).unwrap();
        Self { server, folder }
    }

    /// Sends a request; returns status and body.
    fn send(&self, method: &str, path: &str, body: &Json) -> Result<(u16, Json), Unanswered> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let request = Message::request(method, path, body.to_string().into_bytes());
        let answer = runtime.block_on(ask(self.server.address(), &request, || ()))?;
        let body = serde_json::from_slice(&answer.body).unwrap();
        Ok((answer.status(), body))
    }

    fn call(&self, step: &str, key: &str, script: &str) -> Result<(u16, Json), Unanswered> {
        let asked = asked(step, key, script);
        self.send("POST", "/do", &serde_json::to_value(asked).unwrap())
    }

    fn statuses(&self, step: &str, key: &str, script: &str, times: usize) -> Vec<Option<u16>> {
        let call = |_| self.call(step, key, script).ok().map(|(status, _)| status);
        (0..times).map(call).collect()
    }

    fn effects(&self) -> usize {
        self.server.truth().effects_by_name().values().sum()
    }
}

fn asked(step: &str, key: &str, script: &str) -> Asked {
    Asked {
        step: step.to_owned(),
        name: "a".to_owned(),
        key: key.to_owned(),
        bound: Money(if step == "paid" { 1000 } else { 0 }),
        script: script.to_owned(),
        ..Asked::default()
    }
}

#[test]
fn every_request_that_is_done_is_charged() {
    let trial = Trial::new();
    let script = "ok,lost,503_after,drop,429,bill:2.5";
    let statuses = trial.statuses("paid", "k", script, 6);
    let expected = [Some(200), None, Some(503), None, Some(429), Some(200)];
    assert_eq!(statuses, expected);
    let truth = trial.server.truth();
    let amounts: Vec<i64> = truth.charges().map(|charge| charge.amount.0).collect();
    assert_eq!(amounts, [1000, 1000, 1000, 2500]);
    assert_eq!(truth.arrived("a"), 6);
}

#[test]
fn an_act_with_a_key_happens_once_and_gets_its_result_again() {
    let trial = Trial::new();
    let statuses = trial.statuses("keyed", "k", "lost,ok,forget,ok", 4);
    assert_eq!(statuses, [None, Some(200), Some(200), Some(200)]);
    // Once more after the key was forgotten.
    assert_eq!(trial.effects(), 2);
    trial.call("keyed", "other", "ok").unwrap();
    assert_eq!(trial.effects(), 3);
}

#[test]
fn a_key_that_was_refused_for_good_stays_refused() {
    let trial = Trial::new();
    assert_eq!(
        trial.statuses("keyed", "k", "500!", 2),
        [Some(500), Some(500)]
    );
    assert_eq!(trial.statuses("keyed", "next", "", 1), [Some(200)]);
    assert_eq!(trial.effects(), 1);
}

#[test]
fn acts_without_keys_happen_as_often_as_they_arrive() {
    let trial = Trial::new();
    for step in ["probed", "once"] {
        trial.statuses(step, step, "", 2);
    }
    assert_eq!(trial.effects(), 4);
}

#[test]
fn what_happens_late_is_found_only_then() {
    let trial = Trial::new();
    let found = |script: &str| {
        let path = format!("/found?key=k&script={script}");
        let (_, body) = trial.send("GET", &path, &Json::Null).unwrap();
        body["found"].as_str().unwrap().to_owned()
    };
    assert_eq!(found(""), "no");
    assert!(trial.call("probed", "k", "late:1").is_err());
    trial
        .server
        .wait_until("it happens", |truth| truth.effects.contains("k"));
    assert_eq!(found(""), "yes");
    // Two questions came before this one.
    assert_eq!(found("ok,ok,cannot_tell"), "cannot_tell");
    assert_eq!(found("ok,ok,ok,no"), "no");
}

#[test]
fn a_job_is_asked_for_until_it_is_done_and_found_by_its_key() {
    let trial = Trial::new();
    let mut asked = asked("paid", "k", "lost,ok,expire");
    asked.polls = 2;
    let asked = serde_json::to_value(asked).unwrap();
    assert!(trial.send("POST", "/jobs", &asked).is_err());
    let (_, list) = trial.send("GET", "/jobs?key=k", &Json::Null).unwrap();
    let job = list["jobs"][0].as_str().unwrap().to_owned();
    let state = |job: &str| {
        let (status, body) = trial
            .send("GET", &format!("/jobs/{job}"), &Json::Null)
            .unwrap();
        (status, body["state"].clone())
    };
    for expected in ["running", "running", "done", "done"] {
        assert_eq!(state(&job), (200, json!(expected)));
    }
    let (_, second) = trial.send("POST", "/jobs", &asked).unwrap();
    assert_eq!(state(second["job"].as_str().unwrap()).0, 200);
    let (_, third) = trial.send("POST", "/jobs", &asked).unwrap();
    assert_eq!(state(third["job"].as_str().unwrap()).0, 404);
    assert_eq!(trial.server.truth().charged(), Money(3000));
}

#[test]
fn nothing_passes_the_gate_before_it_is_opened() {
    let trial = Trial::new();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| trial.call("once", "k", "gate_after"));
        trial
            .server
            .wait_until("it is done", |truth| truth.effects.contains("k"));
        assert!(!waits.is_finished());
        trial.server.open_gate();
        assert_eq!(waits.join().unwrap().unwrap().0, 200);
    });
}

#[test]
fn the_journal_survives_a_restart_at_the_same_place() {
    let mut trial = Trial::new();
    trial.statuses("keyed", "k", "lost,ok,503", 1);
    let before = trial.server.truth();
    let address = trial.server.address();
    let journal = trial.folder.path().join("journal");
    drop(std::mem::replace(
        &mut trial.server,
        Server::start(&trial.folder.path().join("other")).unwrap(),
    ));
    trial.server = Server::start_at(&journal, address).unwrap();
    assert_eq!(trial.server.truth().records, before.records);
    assert_eq!(
        trial.statuses("keyed", "k", "lost,ok,503", 2),
        [Some(200), Some(503)]
    );
    assert_eq!(trial.effects(), 1);
    let truth = trial.server.truth();
    let last = truth
        .records
        .iter()
        .rfind(|record| matches!(record.what, What::Arrived(_)));
    assert_eq!(last.unwrap().request, 2);
}
