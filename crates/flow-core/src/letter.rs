//! Letters: what somebody wants of a run, and what is answered.
//!
//! A letter is stored before it is read, so that it outlives whoever wrote it.
//! It is answered in one commit with the events that it led to.

use std::sync::Arc;

use crate::address::{At, Part, Ticket};
use crate::amount::Money;
use crate::digest::Digest;
use crate::event::{Status, Verdict};
use crate::handle::Values;
use crate::run::Input;
use crate::step::Bill;
use crate::value::Value;
use crate::wire::{EncodeError, WireError, decode, encode};

/// What somebody wants of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Who.
    pub by: Arc<str>,
    /// What.
    pub order: Order,
}

/// What is wanted of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// A question is answered.
    Answer {
        /// The attempt that asks.
        ticket: Ticket,
        /// The digest of what was shown.
        shown: Digest,
        /// The answer.
        value: Value,
    },
    /// Nothing new is to be started.
    Pause,
    /// It goes on.
    Resume,
    /// A part of the run is given up.
    Cancel {
        /// The part.
        part: Part,
        /// Why.
        why: Arc<str>,
    },
    /// A budget is another.
    Limit {
        /// The instance with the budget; nothing for the run's own.
        at: Option<At>,
        /// The new amount.
        amount: Money,
    },
    /// What failed is to be tried again.
    Reopen {
        /// Only this; nothing for all of it.
        part: Option<Part>,
    },
    /// What became of an attempt of unknown outcome.
    Resolve {
        /// The attempt.
        ticket: Ticket,
        /// What became of it.
        said: Said,
        /// What it cost, if that is known now.
        bill: Option<Bill>,
    },
    /// A bill that came after the fact.
    Rebill {
        /// The attempt.
        ticket: Ticket,
        /// The bill.
        bill: Bill,
    },
}

/// What somebody says about an unknown outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// It happened, and this is its value.
    Happened(Value),
    /// It didn't: it is tried again.
    DidNot,
    /// Nobody will ever know: it has failed.
    GiveUp,
}

/// The answer to a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// It isn't.
    Refused(Objection),
}

/// Why an order changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// The question isn't open: it was answered, was too old, or nobody wants
    /// to know any more.
    NotAsked,
    /// It is too late to answer.
    Expired,
    /// Something else is shown than what the answer is for.
    OtherShown,
    /// A value isn't of the type that it has to be of.
    Misfit(Arc<str>),
    /// The run is over.
    Over(Status),
    /// The run isn't over, or not in a way that can be mended.
    NotOver,
    /// It is paused already.
    PausedAlready,
    /// It isn't paused.
    NotPaused,
    /// There is no such instance now.
    Nowhere,
    /// It is over.
    Settled,
    /// It hasn't failed.
    NotFailed,
    /// There is no such budget.
    NoBudget,
    /// Nobody has to say what became of it.
    NotUnknown,
    /// Its bill is known.
    NotPresumed,
    /// Something is in progress that would be lost.
    Busy,
    /// Nobody knows what became of something, and it might happen again.
    Unknown,
    /// There is no such plan.
    NoPlan,
    /// The letter can't be read: a later version of flow wrote it.
    Unreadable,
}

impl Letter {
    /// Adds the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode(self, out)
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        decode(bytes)
    }

    /// Returns what it is for the run.
    pub fn input(self, values: &dyn Values) -> Input {
        let by = self.by;
        match self.order {
            Order::Answer {
                ticket,
                shown,
                value,
            } => Input::Answer {
                ticket,
                shown,
                value,
                by,
            },
            Order::Pause => Input::Pause { by },
            Order::Resume => Input::Resume { by },
            Order::Cancel { part, why } => Input::Cancel { part, by, why },
            Order::Limit { at, amount } => Input::Limit { at, amount, by },
            Order::Reopen { part } => Input::Reopen { by, part },
            Order::Resolve { ticket, said, bill } => Input::Resolve {
                ticket,
                verdict: match said {
                    Said::Happened(value) => Verdict::Happened(values.put(&value)),
                    Said::DidNot => Verdict::DidNot,
                    Said::GiveUp => Verdict::GiveUp,
                },
                bill,
                by,
            },
            Order::Rebill { ticket, bill } => Input::Rebill { ticket, bill },
        }
    }
}

impl Reply {
    /// Adds the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode(self, out)
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        decode(bytes)
    }
}
