//! `http.get` and `http.request`: requests to servers.
//!
//! Nothing is repeated here but what only asks and met a connection that had
//! been closed; nothing is followed but by what only asks. What is to be done
//! about a failure is decided by the run, so a failure says exactly whether a
//! byte got out.

mod answer;
mod client;
mod connect;
mod order;
mod proxy;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use flow_core::effect::FailureClass;
use flow_core::step::{Executor, Sent, StepCall, StepFailure, StepReport, Work};
use flow_core::value::Value;
use hyper::header::LOCATION;
use tokio::time::timeout;

use crate::given::{done, invalid, unless_stopped};
use crate::hosts::HostRule;
use crate::inside::class_of;
use crate::register::Clock;
use answer::{maybe, refused, silent};
use client::{Answer, Client, SendFault};
pub(crate) use order::Order;

/// The steps of this family.
pub(crate) const STEPS: [&str; 2] = ["http.get", "http.request"];

/// How often is followed where a server sends on to.
const MOVES_MAX: usize = 10;

/// How long a server may be silent, if the call has no `timeout`.
const SILENCE: Duration = Duration::from_mins(5);

/// Asks servers.
pub(crate) struct Requests {
    allowed: Arc<[HostRule]>,
    clock: Clock,
    client: Arc<OnceLock<Client>>,
}

/// What is made of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Answer,
    /// That it is there, and when.
    Receipt,
}

/// What an answer may be.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// How many bytes it has at most.
    body: u64,
    /// How many of them are a text at most.
    text: usize,
    /// How long nothing may come.
    silence: Option<Duration>,
}

impl Limits {
    fn of(call: &StepCall) -> Self {
        Self {
            body: 1 << 30,
            text: 16 << 20,
            silence: call.timeout.is_none().then_some(SILENCE),
        }
    }
}

impl Requests {
    /// Reaches the open network and what is allowed besides.
    pub(crate) fn new(allowed: &[HostRule], clock: &Clock) -> Self {
        Self {
            allowed: allowed.into(),
            clock: clock.clone(),
            client: Arc::default(),
        }
    }

    /// Makes the request of a call, and gives what was answered.
    pub(crate) fn ask(&self, call: StepCall, order: Order, wanted: Wanted) -> Work<StepReport> {
        let (allowed, clock, client) = (
            self.allowed.clone(),
            self.clock.clone(),
            self.client.clone(),
        );
        Box::pin(async move {
            let is_sent = AtomicBool::new(false);
            let client = client.get_or_init(|| Client::new(&allowed));
            let exchange = Exchange {
                call: &call,
                client,
                clock: &clock,
                limits: Limits::of(&call),
                wanted,
                is_sent: &is_sent,
            };
            let answered = unless_stopped(&*call.desk, exchange.carry_out(order)).await;
            match answered {
                Some(Ok(report)) => report,
                Some(Err(failure)) => StepReport::Failed(failure),
                None => StepReport::Stopped {
                    sent: if is_sent.load(Ordering::Relaxed) {
                        Sent::Maybe
                    } else {
                        Sent::No
                    },
                    bill: None,
                },
            }
        })
    }
}

impl Executor for Requests {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        match Order::read(&call) {
            Ok(order) => self.ask(call, order, Wanted::Answer),
            Err(failure) => Box::pin(std::future::ready(StepReport::Failed(failure))),
        }
    }
}

/// A request and its answer.
struct Exchange<'a> {
    call: &'a StepCall,
    client: &'a Client,
    clock: &'a Clock,
    limits: Limits,
    wanted: Wanted,
    is_sent: &'a AtomicBool,
}

impl Exchange<'_> {
    async fn carry_out(&self, mut order: Order) -> Result<StepReport, StepFailure> {
        for moves in 0..=MOVES_MAX {
            let began = Instant::now();
            let host = connect::host(&order.url);
            let sent = self.send(&order, &host).await;
            let answer = sent.map_err(|failure| after(moves, failure))?;
            let status = answer.response.status();
            if !order.accepts(status) && !order.acts {
                let location = answer.response.headers().get(LOCATION);
                if let Some(next) = order.moved(status, location)? {
                    self.note(&order, &format!("{status}, sent on"), began);
                    order = next;
                    continue;
                }
            }
            return self.take(&order, &host, answer, began).await;
        }
        Err(invalid(format!(
            "the server sends on more than {MOVES_MAX} times; the last time to `{}`",
            order.url
        )))
    }

    async fn send(&self, order: &Order, host: &str) -> Result<Answer, StepFailure> {
        let begins = || {
            self.is_sent.store(true, Ordering::Relaxed);
            self.call.desk.sent();
        };
        let sending = self.client.send(order, &begins);
        let sent = match self.limits.silence {
            Some(silence) => timeout(silence, sending).await,
            None => Ok(sending.await),
        };
        let Ok(sent) = sent else {
            let message = silent(host, &self.limits);
            self.call.desk.log(message.as_bytes());
            return Err(maybe(StepFailure::unsent(FailureClass::Timeout, message)));
        };
        sent.map_err(|fault| {
            let failure = failure(fault, host);
            self.call.desk.log(failure.message.as_bytes());
            failure
        })
    }

    /// Takes an answer for what it is.
    async fn take(
        &self,
        order: &Order,
        host: &str,
        mut answer: Answer,
        began: Instant,
    ) -> Result<StepReport, StepFailure> {
        let status = answer.response.status();
        let headers = answer.response.headers().clone();
        let body = answer.response.body_mut();
        if !order.accepts(status) {
            self.note(order, &status.to_string(), began);
            let asked = (host, self.call.effect);
            return Err(refused(asked, status, &headers, body, (self.clock)()).await);
        }
        if self.wanted == Wanted::Receipt {
            self.note(order, &status.to_string(), began);
            return Ok(done(Value::Time((self.clock)())));
        }
        let value = answer::value(self.call, &self.limits, status, &headers, body).await;
        let value = value.map_err(|fault| fault.failure(host, &self.limits))?;
        self.note(order, &status.to_string(), began);
        if !order.acts {
            self.client.leave(answer);
        }
        Ok(done(value))
    }

    fn note(&self, order: &Order, what: &str, began: Instant) {
        let millis = began.elapsed().as_millis();
        let line = format!("{} {}: {what}, {millis} ms", order.method, order.url);
        self.call.desk.log(line.as_bytes());
    }
}

/// Says that a failure came only after a server had sent on.
fn after(moves: usize, failure: StepFailure) -> StepFailure {
    if moves == 0 {
        return failure;
    }
    StepFailure {
        message: format!("the server sends on, but {}", failure.message).into(),
        ..failure
    }
}

/// Says why there is no answer.
fn failure(fault: SendFault, host: &str) -> StepFailure {
    match fault {
        SendFault::Unsent(fault) => StepFailure::unsent(fault.class(), fault.to_string()),
        SendFault::File(error) => {
            let message = format!("the file to be sent can't be read: {error}");
            StepFailure::unsent(class_of(&error), message)
        }
        SendFault::Unsayable => invalid("the address can't be said in a request"),
        SendFault::Broken(error) => maybe(StepFailure::unsent(
            FailureClass::Transient,
            format!("there was no answer from `{host}`: {}", whole(&error)),
        )),
    }
}

/// Returns an error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
