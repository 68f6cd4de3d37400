//! Attempts in words, and what they were given: a run as it was before one of
//! its events.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::address::At;
use flow_core::amount::{Duration, Money};
use flow_core::arbiter::LedgerId;
use flow_core::event::{Fact, Then};
use flow_core::handle::Values;
use flow_core::history::{Attempt, Entry, Outcome, Probed, Said};
use flow_core::run::Prepared;
use flow_core::step::{Bill, Sent};
use flow_runtime::store::RunRow;
use serde_json::{Value as Json, json};

use crate::archive::Archive;
use crate::exit::Failure;
use crate::page::{instant, length, tame};
use crate::standing::{self, Words};

/// Writes what an attempt came to, in a fragment.
pub(crate) fn outcome(attempt: &Attempt) -> String {
    let mut text = match &attempt.outcome {
        Outcome::Running => "is in progress".to_owned(),
        Outcome::Submitted => "handed in a job, which is waited for".to_owned(),
        Outcome::Asked => "asked a person".to_owned(),
        Outcome::Waits(until) => format!("is over at {}", instant(*until)),
        Outcome::Succeeded => "succeeded".to_owned(),
        Outcome::Failed { failure, sent, .. } => {
            let sent = match sent {
                Sent::No => "",
                Sent::Maybe => " (the request may have arrived)",
                Sent::Refused => " (the request was refused)",
            };
            // A command isn't sent anywhere.
            let sent = if attempt.effect.costs() { sent } else { "" };
            format!("failed with {}{sent}", standing::failure(failure))
        }
        Outcome::Stopped(_) => "was stopped".to_owned(),
        Outcome::Lost(_) => {
            "was in progress when flow ended, and nobody saw its outcome".to_owned()
        }
        Outcome::Answered(by) => format!("was answered by {}", tame(by)),
        Outcome::Expired => "was answered by nobody in time".to_owned(),
    };
    match attempt.probed {
        None => {}
        Some(Probed::Found) => text.push_str("; its target says that it happened"),
        Some(Probed::NotFound(Then::Unknown)) => text.push_str("; its target can't tell"),
        Some(Probed::NotFound(_)) => text.push_str("; its target says that it didn't happen"),
    }
    if let Some(resolved) = &attempt.resolved {
        let said = match resolved.verdict {
            Said::Happened => "that it happened",
            Said::DidNot => "that it didn't happen",
            Said::GiveUp => "that nobody will ever know",
        };
        let (by, at) = (tame(&resolved.by), instant(resolved.at));
        text = format!("{text}; {by} said {said}, at {at}");
    }
    text
}

/// Writes what follows an attempt, in a fragment.
pub(crate) fn follows(attempt: &Attempt) -> Option<String> {
    let ended = attempt.ended?;
    let then = match attempt.probed {
        Some(Probed::NotFound(then)) => then,
        Some(Probed::Found) | None => attempt.then()?,
    };
    Some(match then {
        Then::Fail => "that was the last attempt".to_owned(),
        Then::FallBack => "its `else` was taken".to_owned(),
        Then::Again { wake, .. } => {
            let pause = wake.since(ended).unwrap_or(Duration(0));
            if pause > Duration(0) {
                format!("tried again after {}", length(pause))
            } else {
                "tried again at once".to_owned()
            }
        }
        Then::Probe { .. } => "its target was asked".to_owned(),
        Then::Unknown => "somebody has to say what became of it".to_owned(),
        Then::Hold | Then::HoldUntil { .. } => "it waits for more money".to_owned(),
        Then::Cut => "that was wanted".to_owned(),
    })
}

/// Writes what an attempt cost.
pub(crate) fn bill(attempt: &Attempt) -> Option<String> {
    match attempt.bill {
        Bill::None if attempt.is_open() && attempt.hold > Money(0) => {
            Some(format!("{} held", attempt.hold))
        }
        Bill::None => None,
        Bill::Exact(amount) => Some(amount.to_string()),
        Bill::Presumed(amount) => Some(format!("{amount} presumed")),
    }
}

/// Writes an attempt for programs.
pub(crate) fn json(number: usize, attempt: &Attempt) -> Json {
    let failure = attempt.outcome.failure();
    let then = attempt.then();
    let (bill, amount) = match attempt.bill {
        Bill::None => ("none", Money(0)),
        Bill::Exact(amount) => ("exact", amount),
        Bill::Presumed(amount) => ("presumed", amount),
    };
    json!({
        "attempt": number,
        "started": attempt.started.to_string(),
        "ended": attempt.ended.map(|at| at.to_string()),
        "effect": crate::wording::effect(attempt.effect),
        "outcome": match &attempt.outcome {
            Outcome::Running => "running",
            Outcome::Submitted => "submitted",
            Outcome::Asked => "asked",
            Outcome::Waits(_) => "sleeping",
            Outcome::Succeeded => "succeeded",
            Outcome::Failed { .. } => "failed",
            Outcome::Stopped(_) => "stopped",
            Outcome::Lost(_) => "lost",
            Outcome::Answered(_) => "answered",
            Outcome::Expired => "expired",
        },
        "class": failure.map(|failure| failure.class.word()),
        "message": failure.map(|failure| &*failure.message),
        "then": then.map(|then| match then {
            Then::Fail => "fail",
            Then::FallBack => "else",
            Then::Again { .. } => "again",
            Then::Probe { .. } => "probe",
            Then::Unknown => "unknown",
            Then::Hold | Then::HoldUntil { .. } => "hold",
            Then::Cut => "cut",
        }),
        "again_at": then.and_then(again_at),
        "probed": attempt.probed.map(|probed| match probed {
            Probed::Found => "happened",
            Probed::NotFound(Then::Unknown) => "cannot_tell",
            Probed::NotFound(_) => "did_not",
        }),
        "resolved": attempt.resolved.as_ref().map(|resolved| json!({
            "at": resolved.at.to_string(),
            "by": &*resolved.by,
            "verdict": match resolved.verdict {
                Said::Happened => "happened",
                Said::DidNot => "did_not",
                Said::GiveUp => "given_up",
            },
        })),
        "bill": bill,
        "amount": amount.to_string(),
        "held": attempt.hold.to_string(),
    })
}

fn again_at(then: Then) -> Option<String> {
    match then {
        Then::Again { wake, .. } | Then::Probe { wake } | Then::HoldUntil { wake } => {
            Some(wake.to_string())
        }
        Then::Fail | Then::FallBack | Then::Unknown | Then::Hold | Then::Cut => None,
    }
}

/// What an attempt was granted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Granted {
    pub(crate) pools: Vec<Arc<str>>,
    pub(crate) ledgers: Vec<LedgerId>,
    pub(crate) price: Option<Arc<str>>,
}

/// Returns an attempt of a run as it was prepared before an event.
pub(crate) fn prepared(
    archive: &Archive,
    row: &RunRow,
    at: &At,
    seq: u64,
    values: &dyn Values,
) -> Result<Option<Prepared>, Failure> {
    let then = archive.past_until(row, seq)?;
    let Some(ticket) = then.run.next_ticket(at) else {
        return Ok(None);
    };
    let day = |_| Arc::from("");
    Ok(then.run.prepare(&ticket, &day, values).ok())
}

impl Words<'_> {
    /// Returns an attempt as it was prepared before an event: with its
    /// arguments, and what its key was made of.
    pub(crate) fn prepared(&self, at: &At, seq: u64) -> Result<Option<Prepared>, Failure> {
        prepared(self.archive, &self.past.row, at, seq, &self.values)
    }

    /// Returns the event at which the arguments of a step were last computed.
    pub(crate) fn prepared_at(entry: &Entry) -> Option<u64> {
        let source = entry.source.as_ref().map(|source| source.seq);
        source.or_else(|| entry.attempt().map(|attempt| attempt.seq))
    }

    /// Returns what an attempt was granted.
    pub(crate) fn granted(&self, attempt: &Attempt) -> Result<Granted, Failure> {
        let event = self.archive.event(&self.past.row, attempt.seq)?;
        let Some(Fact::AttemptStarted(started)) = event.map(|event| event.fact) else {
            return Ok(Granted::default());
        };
        Ok(Granted {
            pools: started.grant.pools,
            ledgers: started.grant.ledgers,
            price: started.grant.price,
        })
    }

    /// Writes arguments, each by its name.
    pub(crate) fn arguments(prepared: &Prepared, most: usize) -> BTreeMap<Arc<str>, String> {
        let args = prepared.args.iter();
        args.map(|(name, value)| (name.clone(), standing::value_text(value, most)))
            .collect()
    }
}
