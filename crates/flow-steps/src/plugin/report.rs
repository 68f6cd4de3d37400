//! What an exchange means for the run. Where a program doesn't say what became
//! of its request, what is said for it is honest: that it may have got out.

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;

use flow_core::amount::{Duration, Money};
use flow_core::effect::FailureClass;
use flow_core::json::from_json;
use flow_core::step::{Bill, Found, Sent, StepCall, StepFailure, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;
use serde_json::Value as Json;
use tokio::task::spawn_blocking;

use super::exchange::Exchange;
use super::kept;
use super::listen::Told;
use super::reply::{Answer, FoundWord, SentWord};
use super::request::{Ask, Manner};
use crate::process::End;

/// How much of standard error is told.
const TOLD_MAX: usize = 2 * 1024;

/// What follows from an exchange.
pub(super) enum Follows {
    /// An answer for the run.
    Report(StepReport),
    /// The job isn't over: it is to be asked for again after so long.
    Wait(Duration),
}

/// Says what an exchange about an attempt or its job means.
pub(super) async fn of_attempt(call: &StepCall, ask: &Ask, mut exchange: Exchange) -> Follows {
    let answer = exchange.heard.answer.take();
    let reader = Reader { call, exchange };
    if let Some(fault) = &reader.exchange.heard.fault {
        return Follows::Report(reader.bug(fault.clone()));
    }
    let Some((answer, line)) = answer else {
        return Follows::Report(reader.silence());
    };
    Follows::Report(match (answer, ask) {
        (Answer::Wait(length), Ask::Poll(_)) => return Follows::Wait(length),
        (Answer::Job { job, expires }, Ask::Run(_)) => match from_json(&job, &Type::Json) {
            Ok(job) => StepReport::Submitted { job, expires },
            Err(mismatch) => reader.bug(format!(
                "the job of `{}` on line {line}: {mismatch}",
                call.step
            )),
        },
        (Answer::Result { is_dry, .. } | Answer::Failure { is_dry, .. }, ask)
            if is_dry != matches!(ask, Ask::Run(Manner::Dry)) =>
        {
            reader.not_as_asked(is_dry)
        }
        (Answer::Result { value, cost, .. }, _) => reader.done(value, cost, line).await,
        (
            Answer::Failure {
                class,
                sent,
                cost,
                retry_after,
                message,
                ..
            },
            _,
        ) => {
            let message = message.unwrap_or_else(|| "it failed and didn't say why".to_owned());
            StepReport::Failed(StepFailure {
                class,
                sent: reader.sent(sent),
                bill: reader.billed(cost).map(exact),
                retry_after,
                message: message.into(),
            })
        }
        (Answer::Job { .. } | Answer::Wait(_) | Answer::Found { .. }, ask) => {
            let expected = match ask {
                Ask::Run(_) => "`result`, `failure` or `job`",
                Ask::Poll(_) => "`result`, `failure` or `wait`",
                Ask::Probe => "`found`",
            };
            reader.bug(format!(
                "line {line} of `{}` answers something else than was asked; `\"ask\": \"{}\"` is answered by {expected}",
                call.step,
                ask.word()
            ))
        }
    })
}

/// Says what a program found out about an act.
pub(super) async fn of_probe(call: &StepCall, mut exchange: Exchange) -> Found {
    let answer = exchange.heard.answer.take();
    let reader = Reader { call, exchange };
    let why = match (reader.exchange.heard.fault.clone(), answer) {
        (None, Some((Answer::Found { found, value }, line))) => match found {
            FoundWord::No => return Found::No,
            FoundWord::Unknown => return Found::CannotTell,
            FoundWord::Yes => match reader.value(value, line).await {
                Ok(value) => return Found::Yes(value),
                Err(failure) => failure.message,
            },
        },
        (Some(fault), _) => fault.into(),
        (None, Some((Answer::Failure { message, .. }, _))) => {
            message.map_or_else(|| "it failed and didn't say why".into(), Into::into)
        }
        (None, Some((_, line))) => format!(
            "line {line} of `{}` answers something else than was asked; `\"ask\": \"probe\"` is answered by `found`",
            call.step
        )
        .into(),
        (None, None) => {
            if let StepReport::Failed(failure) = reader.silence() {
                failure.message
            } else {
                "it was stopped".into()
            }
        }
    };
    call.desk
        .log(format!("flow: the probe says nothing: {why}").as_bytes());
    Found::CannotTell
}

/// Reads an exchange.
struct Reader<'a> {
    call: &'a StepCall,
    exchange: Exchange,
}

impl Reader<'_> {
    async fn done(self, value: Json, cost: Option<Money>, line: usize) -> StepReport {
        let call = self.call;
        let cost = self.billed(cost);
        if let Some(cost) = cost
            && cost > Money(0)
            && !call.effect.costs()
        {
            return StepReport::Failed(StepFailure {
                bill: Some(Bill::Exact(cost)),
                ..bug(
                    Sent::Maybe,
                    format!(
                        "`{}` says that it cost {cost}, and is declared `effect {}`, which costs nothing; declare `effect paid` and its `cost`",
                        call.step, call.effect
                    ),
                )
            });
        }
        let bill = match cost {
            Some(cost) => exact(cost),
            // Who doesn't say it is taken to cost as much as was declared.
            None if call.bound > Money(0) => Bill::Presumed(call.bound),
            None => Bill::None,
        };
        match self.value(value, line).await {
            Ok(value) => StepReport::Done { value, bill },
            // It did what it did, and it was paid for.
            Err(failure) => StepReport::Failed(StepFailure {
                sent: Sent::Maybe,
                bill: Some(bill),
                ..failure
            }),
        }
    }

    /// Reads a result as what was declared.
    async fn value(self, json: Json, line: usize) -> Result<Value, StepFailure> {
        let call = self.call.clone();
        let Exchange { heard, folder, .. } = self.exchange;
        let read = move || kept::result(&call, &folder, heard.artifacts, &json);
        let read = spawn_blocking(read).await;
        let read = read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        read.map_err(|failure| {
            let message = format!(
                "the result of `{}` on line {line}: {}",
                self.call.step, failure.message
            );
            StepFailure {
                message: message.into(),
                ..failure
            }
        })
    }

    /// Says that a program took earnest for a dry run, or the other way round.
    fn not_as_asked(&self, is_dry: bool) -> StepReport {
        let step = &self.call.step;
        self.bug(if is_dry {
            format!("`{step}` made a dry run, and nobody asked for one; `dry_run` stands in an answer only if it stands in the request")
        } else {
            format!("`{step}` doesn't say that it made a dry run; with `\"dry_run\": true` in the request it stands in the answer, too")
        })
    }

    /// Says how a program ended that gave no answer.
    fn silence(&self) -> StepReport {
        let step = &self.call.step;
        let status = match self.exchange.end {
            End::Ended { .. } if self.call.desk.is_stopped() => {
                return StepReport::Stopped {
                    sent: self.honest(),
                    bill: self.unanswered_bill(),
                };
            }
            End::Ended { .. } => {
                return self.bug(format!(
                    "`{step}` closed its standard output without an answer"
                ));
            }
            End::Exited { status, .. } => status,
        };
        let errors = told(&self.exchange.errors);
        match (status.code(), status.signal()) {
            (Some(0), _) => self.bug(format!(
                "`{step}` ended without an answer; its last line is `{{\"result\": …}}` or `{{\"failure\": …}}`{errors}"
            )),
            (Some(code), _) => self.bug(format!(
                "`{step}` ended with exit code {code} and without an answer{errors}"
            )),
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                let message = format!("`{step}` was ended by signal {signal}{errors}");
                StepReport::Failed(StepFailure {
                    class: FailureClass::Transient,
                    sent: self.honest(),
                    bill: self.unanswered_bill(),
                    retry_after: None,
                    message: message.into(),
                })
            }
        }
    }

    /// Makes a failure of a defect in the program.
    fn bug(&self, message: String) -> StepReport {
        StepReport::Failed(StepFailure {
            bill: self.unanswered_bill(),
            ..bug(self.honest(), message)
        })
    }

    /// Returns whether a request may have got out, if the program's answer
    /// doesn't say so.
    fn honest(&self) -> Sent {
        let (End::Exited { is_drained, .. } | End::Ended { is_drained, .. }) = self.exchange.end;
        match self.exchange.heard.sent {
            Told::NotYet if is_drained => Sent::No,
            Told::NotYet | Told::Nothing | Told::Sent => Sent::Maybe,
        }
    }

    fn sent(&self, said: Option<SentWord>) -> Sent {
        match said {
            None => self.honest(),
            // It said before that it may have.
            Some(SentWord::No) if self.exchange.heard.sent == Told::Sent => Sent::Maybe,
            Some(SentWord::No) => Sent::No,
            Some(SentWord::Refused) => Sent::Refused,
            Some(SentWord::Maybe | SentWord::Yes) => Sent::Maybe,
        }
    }

    /// Returns what an answer says that it cost, or what was said before.
    fn billed(&self, cost: Option<Money>) -> Option<Money> {
        cost.or(self.exchange.heard.cost)
    }

    /// Returns what counts if there is no answer: nobody knows what came after
    /// the last that was said. Where that is below the bound, the bound counts.
    fn unanswered_bill(&self) -> Option<Bill> {
        let so_far = self.exchange.heard.cost.filter(|cost| *cost > Money(0))?;
        let is_more = so_far > self.call.bound || self.honest() == Sent::No;
        is_more.then(|| Bill::Presumed(so_far.max(self.call.bound)))
    }
}

fn exact(cost: Money) -> Bill {
    if cost > Money(0) {
        Bill::Exact(cost)
    } else {
        Bill::None
    }
}

fn bug(sent: Sent, message: String) -> StepFailure {
    StepFailure {
        sent,
        ..StepFailure::unsent(FailureClass::Bug, Arc::<str>::from(message))
    }
}

/// Returns the end of what was written to standard error, behind a colon.
fn told(errors: &str) -> String {
    let errors = errors.trim();
    let mut at = errors.len().saturating_sub(TOLD_MAX);
    while !errors.is_char_boundary(at) {
        at += 1;
    }
    match (errors.is_empty(), at) {
        (true, _) => String::new(),
        (false, 0) => format!(": {errors}"),
        (false, _) => format!(": …{}", &errors[at..]),
    }
}
