//! What goes into a run and what it wishes: inputs and actions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::address::{At, Part, Ticket};
use crate::amount::{Duration, Money, Timestamp};
use crate::arbiter::{Demand, LedgerId};
use crate::digest::Digest;
use crate::effect::{Effect, FailureClass};
use crate::event::{BEHAVIOUR, Failure, FoundProgram, Grant, Origin, PinnedFile, Started, Verdict};
use crate::handle::Handle;
use crate::key::ResultKey;
use crate::path::StepPath;
use crate::step::{Bill, Found, StepReport};
use crate::ty::Type;
use crate::value::Value;

/// What should be in progress. Derived from the state, never stored, and
/// harmless if it is carried out again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// To be handed back at once as [`Input::Evaluate`]: an expression decides
    /// how it goes on.
    Evaluate {
        /// The instance.
        at: At,
        /// The item whose value is computed, of a `for`.
        item: Option<u32>,
    },
    /// To be prepared, looked up, and admitted by the arbiter.
    Admit {
        /// The attempt that it will be.
        ticket: Ticket,
    },
    /// To be started; its intent is in the log.
    Start {
        /// The attempt.
        ticket: Ticket,
    },
    /// To be asked for: a job of it runs elsewhere.
    Poll {
        /// The attempt.
        ticket: Ticket,
    },
    /// To be looked for at its target.
    Probe {
        /// The attempt.
        ticket: Ticket,
    },
    /// To be stopped. It may still succeed.
    Stop {
        /// The attempt.
        ticket: Ticket,
    },
    /// To be asked of a person.
    Ask {
        /// The attempt.
        ticket: Ticket,
    },
}

/// What changed in what should be in progress.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delta {
    /// What should be in progress now.
    pub actions: Vec<Action>,
    /// What should no longer be.
    pub withdrawn: Vec<Action>,
}

/// All that can happen to a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A process takes the run.
    Take {
        /// Counts owners.
        epoch: u64,
        /// The version of flow.
        binary: Arc<str>,
    },
    /// Somebody looked at the programs of plugins. To be handed in before a
    /// process takes the run or begins with it.
    Programs(Vec<FoundProgram>),
    /// An [`Action::Evaluate`] is carried out.
    Evaluate {
        /// The instance.
        at: At,
        /// The item.
        item: Option<u32>,
    },
    /// An attempt was admitted.
    Granted(Box<Started>),
    /// A result is there already.
    Reused {
        /// The attempt that it would have been.
        ticket: Ticket,
        /// The key it was found by.
        key: Digest,
        /// The value.
        value: Handle,
        /// Where it is from.
        from: Origin,
    },
    /// A result is taken over from before an edit or a reset.
    Adopted {
        /// The attempt that it would have been.
        ticket: Ticket,
        /// The key by which it was found.
        key: Option<Digest>,
        /// The value.
        value: Handle,
        /// Where it is from.
        from: Origin,
    },
    /// An attempt from before the run began again is taken over.
    Joined {
        /// The attempt that it would have been.
        ticket: Ticket,
        /// The attempt from before.
        left: Ticket,
    },
    /// An attempt can't begin.
    Refused {
        /// The attempt that it would have been.
        ticket: Ticket,
        /// Why.
        why: Refusal,
    },
    /// A request may have got out.
    Sent(Ticket),
    /// An attempt answered.
    Reported {
        /// The attempt.
        ticket: Ticket,
        /// The answer.
        report: StepReport,
    },
    /// An attempt took longer than it may, and was ended.
    TimedOut {
        /// The attempt.
        ticket: Ticket,
    },
    /// A target was asked.
    Found {
        /// The attempt.
        ticket: Ticket,
        /// What it said.
        found: Found,
    },
    /// Time has passed.
    Tick,
    /// A person answered.
    Answer {
        /// The attempt.
        ticket: Ticket,
        /// The digest of what was shown to the person.
        shown: Digest,
        /// The answer.
        value: Value,
        /// Who.
        by: Arc<str>,
    },
    /// Nothing new is to be started.
    Pause {
        /// Who asked.
        by: Arc<str>,
    },
    /// It goes on.
    Resume {
        /// Who asked.
        by: Arc<str>,
    },
    /// A part of the run is given up.
    Cancel {
        /// The part.
        part: Part,
        /// Who asked.
        by: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// A budget is another.
    Limit {
        /// The instance with the budget; nothing for the run's own.
        at: Option<At>,
        /// The new amount.
        amount: Money,
        /// Who changed it.
        by: Arc<str>,
    },
    /// What failed is to be tried again.
    Reopen {
        /// Who asked.
        by: Arc<str>,
        /// Only this, and what it blocks; nothing for all of it.
        part: Option<Part>,
    },
    /// A part and what depends on it are to be made again.
    Reset {
        /// The instance, or what is around all of them.
        at: At,
        /// What may be taken over.
        estate: Option<Digest>,
        /// Who asked.
        by: Arc<str>,
    },
    /// Another plan is to be followed; it was given to the run before.
    Replan(Box<Replan>),
    /// Somebody says what became of an attempt of unknown outcome.
    Resolve {
        /// The attempt.
        ticket: Ticket,
        /// What became of it.
        verdict: Verdict,
        /// What it cost, if that is known now.
        bill: Option<Bill>,
        /// Who said so.
        by: Arc<str>,
    },
    /// A bill came after the fact.
    Rebill {
        /// The attempt.
        ticket: Ticket,
        /// The bill.
        bill: Bill,
    },
}

/// Another plan for a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Replan {
    /// The plan.
    pub plan: Digest,
    /// The digest of what was shown before.
    pub sheet: Digest,
    /// The arguments of the workflow from here on; nothing if they and the files
    /// stay as they are.
    pub inputs: Option<Handle>,
    /// The files of the project that the plan names.
    pub files: Vec<PinnedFile>,
    /// What may be taken over.
    pub estate: Option<Digest>,
    /// Who asked.
    pub by: Arc<str>,
}

/// Why an attempt can't begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its arguments have no value.
    Unready(Failure),
    /// It doesn't fit into a budget, and never will unless that grows.
    Budget {
        /// The ledger.
        ledger: LedgerId,
        /// What is left of it at most, when all that runs is settled.
        left: Money,
        /// What was asked for.
        needs: Money,
        /// Whether it wouldn't even fit into an empty ledger.
        fits_empty: Fits,
        /// When the ledger is empty again, if it is for a period.
        until: Option<Timestamp>,
    },
    /// A pool has no slots at all, or a price isn't trusted any more.
    Never(Failure),
}

/// Whether something would fit if nothing else had been spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    /// It would.
    Yes,
    /// It wouldn't.
    No,
}

/// An attempt that is ready to be looked up and admitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The attempt.
    pub ticket: Ticket,
    /// The step.
    pub step: Arc<str>,
    /// Where it is, with the keys of items.
    pub path: StepPath,
    /// Its arguments.
    pub args: BTreeMap<Arc<str>, Value>,
    /// The types of its parameters.
    pub types: Arc<BTreeMap<Arc<str>, Type>>,
    /// The type of its result.
    pub result: Option<Type>,
    /// What stands for its type parameter.
    pub type_arg: Option<Type>,
    /// The command of a plugin.
    pub run: Option<Arc<str>>,
    /// What it may do.
    pub effect: Effect,
    /// How often it was tried, this time included.
    pub tries: u32,
    /// The digest of its arguments.
    pub input: Digest,
    /// The key its result is kept by, if it is kept.
    pub key: Option<ResultKey>,
    /// Whether the result is shared between runs, and for how long.
    pub shared: Shared,
    /// The key by which the target knows the act.
    pub idempotency: Digest,
    /// A number for whatever the step draws.
    pub seed: u64,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// What was wrong the last time.
    pub failure: Option<Arc<str>>,
    /// What it needs.
    pub demand: Demand,
}

/// Whether a result is shared between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// It stays in its run.
    No,
    /// For ever.
    Ever,
    /// For so long.
    For(Duration),
}

impl Prepared {
    /// Returns the key without the seed, of what can't simply be made again.
    fn unseeded(&self) -> Option<Digest> {
        let key = self.key.as_ref()?;
        key.unseeded.filter(|_| self.effect != Effect::Pure)
    }

    /// Returns the intent to begin it with what it was granted.
    pub fn intent(&self, grant: Grant) -> Started {
        Started {
            ticket: self.ticket.clone(),
            effect: self.effect,
            input: self.input,
            key: self.key.as_ref().map(|key| key.digest),
            idempotency: self.idempotency,
            grant,
            timeout: self.timeout,
            unseeded: self.unseeded(),
        }
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Something is in progress or can be.
    Working,
    /// Only time has to pass, until this instant.
    Sleeping(Timestamp),
    /// People have to answer.
    Waiting,
    /// Somebody has to say what became of an act.
    Unknown,
    /// It doesn't fit into a budget.
    Short,
    /// It was paused, and nothing is in progress any more.
    Paused,
    /// It is over.
    Over,
}

/// Why a log can't be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Corrupt {
    /// The log doesn't begin with a start.
    NoStart,
    /// The rules of this log are not known to this version.
    Behaviour(u32),
    /// A plan isn't there.
    NoPlan(Digest),
    /// An attempt's arguments are not those in the log.
    Diverged {
        /// The attempt.
        ticket: Ticket,
    },
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStart => f.write_str("its log doesn't begin with a start"),
            Self::Behaviour(version) => write!(
                f,
                "it follows rules of version {version}, and this flow knows version {BEHAVIOUR}; use the flow that began it"
            ),
            Self::NoPlan(digest) => write!(f, "its plan {} is not in the store", digest.short()),
            Self::Diverged { ticket } => {
                write!(f, "the arguments of {ticket} are not those in its log")
            }
        }
    }
}

impl Failure {
    /// Makes a failure.
    pub fn new(class: FailureClass, message: impl Into<Arc<str>>) -> Self {
        Self {
            class,
            message: message.into(),
        }
    }
}
