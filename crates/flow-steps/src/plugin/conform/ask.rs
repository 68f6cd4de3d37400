//! One question to a program that is tried out, and what was seen.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::digest::Digest;
use flow_core::effect::{Effect, FailureClass};
use flow_core::path::StepPath;
use flow_core::step::{Desk, Found, StepCall, StepFailure, StepReport};
use flow_core::ty::{Media, Type};
use flow_core::value::Value;
use serde_json::{Map, Value as Json};
use tokio::time::sleep;

use super::desk::{Groups, TrialDesk};
use super::values::{Taste, made, taken};
use crate::plugin::exchange::{self, Place};
use crate::plugin::reply::Answer;
use crate::plugin::report::{self, Follows};
use crate::plugin::request::{Ask, Manner};
use crate::process::End;
use crate::process::group::Ended;

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A declared step that is tried out.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name.
    pub step: Arc<str>,
    /// Its command.
    pub run: Arc<str>,
    /// Its parameters.
    pub params: Vec<Parameter>,
    /// What it gives.
    pub result: Type,
    /// What stands for its type parameter.
    pub type_arg: Option<Type>,
    /// What it may do.
    pub effect: Effect,
    /// Whether the program may be asked for dry runs. A step that may cost or
    /// change something is asked for nothing else.
    pub dry_run: DryRun,
}

/// Whether a program knows dry runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// Somebody says so.
    Known,
    /// Nobody does.
    Unknown,
}

/// A parameter of a step that is tried out.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: Arc<str>,
    /// Its type, the type parameter replaced.
    pub ty: Type,
    /// What it is if nobody says otherwise.
    pub default: Option<Value>,
    /// What is given for it, whatever is tried.
    pub given: Option<Given>,
}

/// An argument of the user's.
#[derive(Debug, Clone)]
pub enum Given {
    /// A value.
    Value(Value),
    /// A file.
    File(PathBuf, Media),
}

/// What a program is asked for.
pub(super) struct Asking {
    pub(super) ask: Ask,
    pub(super) taste: Taste,
    pub(super) stop: Stop,
    pub(super) timeout: Option<flow_core::amount::Duration>,
    /// Changes the request.
    pub(super) edit: fn(&mut Option<Map<String, Json>>),
}

impl Asking {
    pub(super) fn new(ask: Ask, taste: Taste) -> Self {
        Self {
            ask,
            taste,
            stop: Stop::Late,
            timeout: None,
            edit: |_| {},
        }
    }
}

/// When a program is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// At once.
    Early,
    /// When nobody waits any longer.
    Late,
}

/// What was seen of a program.
pub(super) struct Seen {
    pub(super) said: Said,
    pub(super) end: End,
    /// How many lines came after the answer.
    pub(super) strays: usize,
    /// All that it wrote besides its answer.
    pub(super) log: String,
    /// Whether it was stopped since it took too long.
    pub(super) is_late: bool,
}

/// What a program said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// A result.
    Result(Value),
    /// A failure of its own.
    Failure(FailureClass, Arc<str>),
    /// A job.
    Job,
    /// Whether an act happened.
    Found(Found),
    /// Nothing, since it was stopped.
    Nothing,
    /// Something that it may not say, or nothing at all.
    Wrong(Arc<str>),
}

/// Asks programs.
pub(super) struct Examiner<'a> {
    pub(super) place: &'a Place,
    pub(super) subject: &'a Subject,
    pub(super) groups: &'a Groups,
    pub(super) root: PathBuf,
}

impl Examiner<'_> {
    /// Returns how an attempt is asked for.
    pub(super) fn run(&self) -> Ask {
        Ask::Run(if self.subject.effect.costs() {
            Manner::Dry
        } else {
            Manner::Earnest
        })
    }

    /// Asks, and sees what comes of it.
    pub(super) async fn ask(&self, asking: Asking) -> Result<Seen, StepFailure> {
        let desk = TrialDesk::new(&self.root, self.groups).map_err(|error| {
            let message = format!("no folder can be made to try it in: {error}");
            StepFailure::unsent(FailureClass::Transient, message)
        })?;
        let mut call = self.call(&desk, asking.taste)?;
        call.timeout = asking.timeout;
        let mut question = exchange::prepare(self.place, &call, asking.ask.clone()).await?;
        (asking.edit)(&mut question.request);
        if asking.stop == Stop::Early {
            desk.stop();
        }
        let mut is_late = false;
        let mut exchange = std::pin::pin!(exchange::ask(&call, question));
        let exchange = tokio::select! {
            exchange = &mut exchange => exchange?,
            () = sleep(PATIENCE) => {
                is_late = true;
                desk.stop();
                exchange.await?
            }
        };
        let (end, strays) = (exchange.end, exchange.heard.strays);
        let said = said(&call, &asking.ask, exchange).await;
        Ok(Seen {
            said,
            end,
            strays,
            log: desk.written(),
            is_late,
        })
    }

    fn call(&self, desk: &Arc<TrialDesk>, taste: Taste) -> Result<StepCall, StepFailure> {
        let subject = self.subject;
        let mut args = BTreeMap::new();
        let mut types = BTreeMap::new();
        for param in &subject.params {
            let value = match (&param.given, &param.default) {
                (Some(Given::Value(value)), _) => value.clone(),
                (Some(Given::File(path, media)), _) => taken(path, *media, &**desk)?,
                (None, Some(default)) if taste == Taste::Plain => default.clone(),
                (None, _) => made(&param.ty, taste, &**desk).map_err(|failure| StepFailure {
                    message: format!(
                        "`{}`: {}; say one, as `{}=…`",
                        param.name, failure.message, param.name
                    )
                    .into(),
                    ..failure
                })?,
            };
            args.insert(param.name.clone(), value);
            types.insert(param.name.clone(), param.ty.clone());
        }
        Ok(StepCall {
            ticket: Ticket {
                attempt: 1,
                ..Ticket::default()
            },
            step: subject.step.clone(),
            path: StepPath::root("check").join(subject.step.clone()),
            args,
            types: Arc::new(types),
            result: Some(subject.result.clone()),
            type_arg: subject.type_arg.clone(),
            run: Some(subject.run.clone()),
            effect: subject.effect,
            tries: 1,
            idempotency: Digest::of(subject.step.as_bytes()),
            seed: 0x5EED << 32,
            timeout: None,
            bound: if subject.effect.costs() {
                Money::DOLLAR
            } else {
                Money(0)
            },
            failure: None,
            desk: desk.clone() as Arc<dyn Desk>,
        })
    }
}

async fn said(call: &StepCall, ask: &Ask, exchange: exchange::Exchange) -> Said {
    if matches!(ask, Ask::Probe) {
        let is_answer = matches!(exchange.heard.answer, Some((Answer::Found { .. }, _)));
        let is_own = exchange.heard.fault.is_none() && is_answer;
        let found = report::of_probe(call, exchange).await;
        if found == Found::CannotTell && !is_own {
            return Said::Wrong("it says nothing about it".into());
        }
        return Said::Found(found);
    }
    let is_dry_asked = matches!(ask, Ask::Run(Manner::Dry));
    let is_own = exchange.heard.fault.is_none()
        && matches!(
            exchange.heard.answer,
            Some((Answer::Failure { is_dry, .. }, _)) if is_dry == is_dry_asked
        );
    match report::of_attempt(call, ask, exchange).await {
        Follows::Report(StepReport::Done { value, .. }) => Said::Result(value),
        Follows::Report(StepReport::Failed(failure)) if is_own => {
            Said::Failure(failure.class, failure.message)
        }
        Follows::Report(StepReport::Failed(failure)) => Said::Wrong(failure.message),
        Follows::Report(StepReport::Submitted { .. }) => Said::Job,
        Follows::Report(
            StepReport::Stopped { .. } | StepReport::Ask(_) | StepReport::Wait { .. },
        )
        | Follows::Wait(_) => Said::Nothing,
    }
}

impl Seen {
    /// Returns whether it had to be killed.
    pub(super) fn was_killed(&self) -> bool {
        matches!(
            self.end,
            End::Ended {
                ended: Ended::Killed,
                ..
            }
        )
    }
}
