//! How requests are carried out.
//!
//! | Request | What it does |
//! | --- | --- |
//! | `POST /do` | carries out what is asked, and answers with its result |
//! | `POST /jobs` | takes a job, and answers with its name |
//! | `GET /jobs/NAME` | says how a job is |
//! | `GET /jobs?key=KEY` | lists the jobs that were taken under a key |
//! | `GET /found?key=KEY&script=…` | says whether something happened |

use std::sync::Arc;

use flow_core::amount::Money;
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};

use super::Shared;
use super::script::{Answer, Done, Found, Side, Turn, turn};
use super::truth::{Asked, Charge, Kept, Truth, What};
use crate::http::Message;

/// Carries out requests until it is dropped.
pub(super) async fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            connection(stream, &shared).await;
        });
    }
}

/// What a connection gets.
enum Reply {
    Json(u16, Json),
    Closed,
    Silence,
}

async fn connection(mut stream: TcpStream, shared: &Arc<Shared>) {
    let Ok(request) = Message::read(&mut stream).await else {
        return;
    };
    let number = shared.request();
    match reply(&request, number, shared).await {
        Reply::Json(status, body) => {
            let mut answer = Message::answer(status, body.to_string().into_bytes());
            if status == 429 {
                answer
                    .headers
                    .push(("retry-after".to_owned(), "0".to_owned()));
            }
            if answer.write(&mut stream).await.is_ok() {
                shared.note(number, |_| (vec![What::Answered], ()));
            }
        }
        Reply::Closed => {}
        Reply::Silence => {
            // Until whoever waits has gone.
            Message::read(&mut stream).await.ok();
        }
    }
}

async fn reply(request: &Message, number: u64, shared: &Arc<Shared>) -> Reply {
    let (path, query) = match request.word(1).split_once('?') {
        Some((path, query)) => (path, query),
        None => (request.word(1), ""),
    };
    match (request.word(0), path) {
        ("POST", "/do" | "/jobs") => match serde_json::from_slice(&request.body) {
            Ok(asked) => carry_out(asked, path == "/jobs", number, shared).await,
            Err(error) => wrong(&error.to_string()),
        },
        ("GET", "/jobs") => list(field(query, "key"), shared),
        ("GET", "/found") => found(query, number, shared).await,
        ("GET", path) => match path.strip_prefix("/jobs/") {
            Some(job) => ask(job, number, shared),
            None => wrong(path),
        },
        (method, _) => wrong(method),
    }
}

fn wrong(what: &str) -> Reply {
    Reply::Json(
        400,
        json!({ "error": format!("this can't be done: {what}") }),
    )
}

/// Returns a field of a query.
fn field<'a>(query: &'a str, name: &str) -> &'a str {
    let mut fields = query.split('&').filter_map(|field| field.split_once('='));
    fields
        .find(|(known, _)| *known == name)
        .map_or("", |(_, value)| value)
}

async fn carry_out(asked: Asked, is_job: bool, number: u64, shared: &Arc<Shared>) -> Reply {
    let turn = shared.note(number, |truth| {
        let turn = turn(&asked.script, truth.arrived(&asked.name));
        (vec![What::Arrived(asked.clone())], turn)
    });
    let turn = match turn {
        Ok(turn) => turn,
        Err(word) => return wrong(&word.0),
    };
    tokio::time::sleep(turn.slow).await;
    gate(&turn, Side::Before, shared).await;
    let result = match turn.done {
        Done::Now => shared.note(number, |truth| does(&asked, is_job, number, &turn, truth)),
        Done::Late(pause) => {
            let (turn, shared) = (turn.clone(), shared.clone());
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                shared.note(number, |truth| does(&asked, is_job, number, &turn, truth));
            });
            return Reply::Closed;
        }
        Done::Never => shared.note(number, |_| (refuses(&asked, &turn), Reply::Closed)),
    };
    gate(&turn, Side::After, shared).await;
    tokio::time::sleep(turn.slow_after).await;
    match turn.answer {
        Answer::Result => result,
        Answer::Status(status) | Answer::Remembered(status) => error(status),
        Answer::Closed => Reply::Closed,
        Answer::Silence => Reply::Silence,
    }
}

async fn gate(turn: &Turn, side: Side, shared: &Shared) {
    if turn.gate == Some(side) {
        let mut gate = shared.gate.subscribe();
        // A server that goes down opens nothing.
        gate.wait_for(|is_open| *is_open).await.ok();
    }
}

fn error(status: u16) -> Reply {
    Reply::Json(status, json!({ "error": format!("status {status}") }))
}

/// Does what is asked, once for each key if the step has such.
fn does(
    asked: &Asked,
    is_job: bool,
    number: u64,
    turn: &Turn,
    truth: &Truth,
) -> (Vec<What>, Reply) {
    let key = asked.key.clone();
    let mut all = Vec::new();
    let mut kept = (asked.step == "keyed")
        .then(|| truth.keys.get(&key))
        .flatten();
    if turn.forget {
        kept = None;
        all.push(What::Forgotten { key: key.clone() });
    }
    if let Some(kept) = kept {
        all.push(What::Repeated { key });
        let reply = match kept {
            Kept::Result => Reply::Json(200, json!({ "text": asked.result(), "bill": 0 })),
            Kept::Status(status) => error(*status),
        };
        return (all, reply);
    }
    let bill = bill(asked.bound, turn.bill);
    if bill > Money(0) {
        all.push(What::Charged(Charge {
            name: asked.name.clone(),
            key: key.clone(),
            amount: bill,
            bound: asked.bound,
        }));
    }
    if ["keyed", "probed", "once"].contains(&asked.step.as_str()) {
        let name = asked.name.clone();
        all.push(What::Effect { name, key });
    }
    if !is_job {
        let reply = json!({ "text": asked.result(), "bill": bill.0 });
        return (all, Reply::Json(200, reply));
    }
    let job = format!("job-{number}");
    let asked = asked.clone();
    all.push(What::JobTaken {
        job: job.clone(),
        asked,
        bill,
    });
    if turn.expire {
        all.push(What::JobForgotten { job: job.clone() });
    }
    (all, Reply::Json(200, json!({ "job": job })))
}

/// Returns so many thousandths of a bound; the bound itself if nothing is said.
fn bill(bound: Money, thousandths: Option<i64>) -> Money {
    match thousandths {
        None => bound,
        Some(factor) => Money(bound.0.saturating_mul(factor) / 1000),
    }
}

fn refuses(asked: &Asked, turn: &Turn) -> Vec<What> {
    let (status, is_kept) = match turn.answer {
        Answer::Status(status) => (status, false),
        Answer::Remembered(status) => (status, true),
        Answer::Result | Answer::Closed | Answer::Silence => return Vec::new(),
    };
    let key = asked.key.clone();
    vec![What::Refused {
        key,
        status,
        is_kept,
    }]
}

/// Says how a job is.
fn ask(job: &str, number: u64, shared: &Shared) -> Reply {
    shared.note(number, |truth| {
        let Some(known) = truth.jobs.get(job) else {
            return (Vec::new(), error(404));
        };
        let reply = if known.polls < known.asked.polls {
            json!({ "state": "running" })
        } else {
            let text = known.asked.result();
            json!({ "state": "done", "text": text, "bill": known.bill.0 })
        };
        let asked = What::JobAsked {
            job: job.to_owned(),
        };
        (vec![asked], Reply::Json(200, reply))
    })
}

/// Lists the jobs that were taken under a key.
fn list(key: &str, shared: &Shared) -> Reply {
    let inner = shared.lock();
    let jobs = inner.truth.jobs.iter();
    let jobs = jobs.filter(|(_, job)| job.asked.key == key);
    let names: Vec<&String> = jobs.map(|(name, _)| name).collect();
    Reply::Json(200, json!({ "jobs": names }))
}

/// Says whether something happened.
async fn found(query: &str, number: u64, shared: &Shared) -> Reply {
    let key = field(query, "key");
    let asked = shared.note(number, |truth| {
        let before = truth.probes.get(key).copied().unwrap_or(0);
        (Vec::new(), turn(field(query, "script"), before))
    });
    let turn = match asked {
        Ok(turn) => turn,
        Err(word) => return wrong(&word.0),
    };
    tokio::time::sleep(turn.slow).await;
    gate(&turn, Side::Before, shared).await;
    let found = shared.note(number, |truth| {
        let found = match turn.found {
            Some(Found::CannotTell) => "cannot_tell",
            Some(Found::No) => "no",
            None if truth.effects.contains(key) => "yes",
            None => "no",
        };
        let probed = What::Probed {
            key: key.to_owned(),
            found: found.to_owned(),
        };
        (vec![probed], found)
    });
    match turn.answer {
        Answer::Result => Reply::Json(200, json!({ "found": found })),
        Answer::Status(status) | Answer::Remembered(status) => error(status),
        Answer::Closed => Reply::Closed,
        Answer::Silence => Reply::Silence,
    }
}
