//! Questions to the server, and what its answers mean.

use std::net::SocketAddr;

use flow_core::amount::Duration;
use flow_core::effect::FailureClass;
use flow_core::step::{Sent, StepCall, StepFailure};
use serde_json::Value as Json;

use super::is_refusal;
use crate::http::{self, Message, Unanswered};
use crate::point;
use crate::server::truth::Asked;

/// An answer, whatever is in it.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
    pub(super) bill: i64,
    pub(super) job: String,
    pub(super) state: String,
    pub(super) found: String,
    retry_after: Option<Duration>,
}

impl Answer {
    fn read(message: &Message) -> Self {
        let body: Json = serde_json::from_slice(&message.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let retry_after = message.header("retry-after");
        let retry_after = retry_after.and_then(|seconds| seconds.parse().ok());
        Self {
            status: message.status(),
            text: text("text"),
            bill: body["bill"].as_i64().unwrap_or(0),
            job: text("job"),
            state: text("state"),
            found: text("found"),
            retry_after: retry_after.and_then(|seconds| Duration::SECOND.checked_times(seconds)),
        }
    }
}

/// Has something carried out.
pub(super) async fn carry_out(
    server: SocketAddr,
    call: &StepCall,
    path: &str,
    asked: &Asked,
) -> Result<Answer, StepFailure> {
    let body = serde_json::to_vec(asked)
        .map_err(|error| StepFailure::unsent(FailureClass::Bug, error.to_string()))?;
    let request = Message::request("POST", path, body);
    point::pass(&format!("send {}", call.path));
    call.desk.sent();
    let answer = http::ask(server, &request, || {
        point::pass(&format!("sent {}", call.path));
    });
    let answer = Answer::read(&answer.await.map_err(unanswered)?);
    point::pass(&format!("answered {}", call.path));
    if answer.status == 200 {
        Ok(answer)
    } else {
        Err(refused(call, &answer))
    }
}

/// Asks something that changes nothing.
pub(super) async fn get(server: SocketAddr, path: &str) -> Result<Answer, StepFailure> {
    let request = Message::request("GET", path, Vec::new());
    let answer = http::ask(server, &request, || ()).await;
    Ok(Answer::read(&answer.map_err(unanswered)?))
}

/// Returns a job of a key.
pub(super) async fn listed(server: SocketAddr, key: &str) -> Result<Option<String>, StepFailure> {
    let request = Message::request("GET", &format!("/jobs?key={key}"), Vec::new());
    let answer = http::ask(server, &request, || ()).await;
    let answer = answer.map_err(unanswered)?;
    let body: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(body["jobs"][0].as_str().map(str::to_owned))
}

fn unanswered(why: Unanswered) -> StepFailure {
    match why {
        Unanswered::Unsent(error) => failure(
            FailureClass::Transient,
            Sent::No,
            &format!("the server can't be reached: {error}"),
        ),
        Unanswered::Lost(error) => failure(
            FailureClass::Transient,
            Sent::Maybe,
            &format!("there was no answer: {error}"),
        ),
    }
}

/// Says what a status means.
pub(super) fn refused(call: &StepCall, answer: &Answer) -> StepFailure {
    let status = answer.status;
    let class = match status {
        401 | 403 => FailureClass::Auth,
        408 => FailureClass::Timeout,
        429 => FailureClass::RateLimited,
        451 => FailureClass::Policy,
        507 => FailureClass::Capacity,
        500.. => FailureClass::Transient,
        _ => FailureClass::Invalid,
    };
    let sent = if is_refusal(call.effect, status) {
        Sent::Refused
    } else {
        Sent::Maybe
    };
    StepFailure {
        retry_after: answer.retry_after,
        ..failure(class, sent, &format!("the server says {status}"))
    }
}

/// Makes a failure whose bill nobody knows.
pub(super) fn failure(class: FailureClass, sent: Sent, message: &str) -> StepFailure {
    StepFailure {
        sent,
        ..StepFailure::unsent(class, message)
    }
}
