//! The seam between runs and steps: what a step gets, and what it answers.
//!
//! A step says what happened in a few words; what is done about it is decided
//! by the run. Futures are those of the standard library, so that this crate
//! knows no asynchronous runtime.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io::Read;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use crate::address::Ticket;
use crate::amount::{Duration, Money, Timestamp};
use crate::digest::Digest;
use crate::effect::{Effect, FailureClass};
use crate::mask::Mask;
use crate::path::StepPath;
use crate::ty::{Media, Type};
use crate::value::{Artifact, Value};

/// Whether a request got out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sent {
    /// No byte of it was sent: nothing can have happened.
    No,
    /// Nobody knows whether it arrived, or what came of it.
    Maybe,
    /// It arrived and was refused: it is known that nothing happened.
    Refused,
}

/// What an attempt cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Bill {
    /// Nothing.
    #[default]
    None,
    /// So much, as the other side says.
    Exact(Money),
    /// Nobody knows; it counts as so much until somebody does.
    Presumed(Money),
}

impl Bill {
    /// Returns what counts as spent.
    pub fn amount(self) -> Money {
        match self {
            Self::None => Money(0),
            Self::Exact(amount) | Self::Presumed(amount) => amount,
        }
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq)]
pub struct StepFailure {
    /// What may be done about it.
    pub class: FailureClass,
    /// Whether the request got out.
    pub sent: Sent,
    /// What it cost all the same, if that is known.
    pub bill: Option<Bill>,
    /// How long the other side asks to wait.
    pub retry_after: Option<Duration>,
    /// What went wrong, for people: a fragment in small letters.
    pub message: Arc<str>,
}

impl StepFailure {
    /// Makes a failure before anything was sent.
    pub fn unsent(class: FailureClass, message: impl Into<Arc<str>>) -> Self {
        Self {
            class,
            sent: Sent::No,
            bill: None,
            retry_after: None,
            message: message.into(),
        }
    }
}

/// What a step answers.
#[derive(Debug, Clone, PartialEq)]
pub enum StepReport {
    /// It is done.
    Done {
        /// Its value.
        value: Value,
        /// What it cost.
        bill: Bill,
    },
    /// It failed.
    Failed(StepFailure),
    /// A job was handed in; the answer comes from [`Executor::poll`].
    Submitted {
        /// What the job is called over there, and whatever else it takes to
        /// ask for it.
        job: Value,
        /// When the other side forgets it.
        expires: Option<Timestamp>,
    },
    /// A person has to answer.
    Ask(Question),
    /// It is over at an instant.
    Wait {
        /// The instant.
        until: Timestamp,
        /// Its value then.
        value: Value,
    },
    /// It was asked to stop, and did.
    Stopped {
        /// Whether a request got out before.
        sent: Sent,
        /// What it cost, if that is known.
        bill: Option<Bill>,
    },
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is asked and shown: a record that the front ends understand.
    pub form: Value,
    /// The type of an answer.
    pub answer: Type,
    /// The digest of what is shown; an answer holds for nothing else.
    pub shown: Digest,
    /// When it is too late.
    pub expires: Option<Timestamp>,
    /// The value if it is too late; without one, it is a failure of class
    /// `expired`.
    pub otherwise: Option<Value>,
}

/// What a target says when it is asked whether an act happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It happened, and this is its value.
    Yes(Value),
    /// It didn't.
    No,
    /// The target can't tell.
    CannotTell,
}

/// What the command of a plugin consists of: what its results depend on, besides
/// what a call gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The digest of its files.
    pub digest: Digest,
    /// The variables that it takes over, with the digests of what they say.
    pub variables: Vec<(Arc<str>, Digest)>,
}

/// All that a step gets.
#[derive(Clone)]
pub struct StepCall {
    /// Which attempt this is.
    pub ticket: Ticket,
    /// The step's name.
    pub step: Arc<str>,
    /// Where it is, for people.
    pub path: StepPath,
    /// Its arguments, defaults included.
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
    /// The same for every attempt that is the same act.
    pub idempotency: Digest,
    /// A number for whatever the step draws.
    pub seed: u64,
    /// How long the attempt may take.
    pub timeout: Option<Duration>,
    /// The most it may cost.
    pub bound: Money,
    /// What was wrong the last time.
    pub failure: Option<Arc<str>>,
    /// The way back to the run.
    pub desk: Arc<dyn Desk>,
}

impl fmt::Debug for StepCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepCall")
            .field("ticket", &self.ticket)
            .field("step", &self.step)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// How far a step is, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// How much is done, from 0 to 1, if that is known.
    pub done: Option<f64>,
    /// What is being done.
    pub note: Arc<str>,
}

/// What a step can do besides answering.
pub trait Desk: Send + Sync {
    /// Notes that a request may have got out from now on.
    fn sent(&self);
    /// Shows how far it is.
    fn progress(&self, progress: Progress);
    /// Adds a line to the attempt's log, without its end.
    fn log(&self, line: &[u8]);
    /// Returns whether it should stop. To be asked every 100 ms or so by work
    /// that can't be dropped.
    fn is_stopped(&self) -> bool;
    /// Returns a folder of the attempt's own, which is removed afterwards.
    fn folder(&self) -> Result<PathBuf, StepFailure>;
    /// Takes bytes into the store, as a file. One that a secret is in is not
    /// taken.
    fn keep(&self, bytes: &mut dyn Read, media: Media) -> Result<Artifact, StepFailure>;
    /// Returns the path of an artifact's bytes, to be read only.
    fn open(&self, artifact: &Artifact) -> Result<PathBuf, StepFailure>;
    /// Returns what a secret hides.
    fn secret(&self, name: &str) -> Result<Arc<str>, StepFailure>;
    /// Returns what finds the secrets of the run in what is written. They are
    /// taken out of all that a step answers and logs; who writes elsewhere, or
    /// in pieces, does it by this.
    fn mask(&self) -> Mask;
    /// Runs a child process that doesn't outlive the command; see the
    /// runtime's reaper. Called with the id of a new process group.
    fn adopt_group(&self, group: u32);
    /// Notes that a process group is gone.
    fn release_group(&self, group: u32);
}

/// What a step's work gives, some time.
pub type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What carries out steps of a family.
pub trait Executor: Send + Sync {
    /// Begins an attempt. Dropping the future ends it.
    fn start(&self, call: StepCall) -> Work<StepReport>;

    /// Asks for a job that was handed in, until it is over.
    fn poll(&self, call: StepCall, job: Value) -> Work<StepReport> {
        drop((call, job));
        Box::pin(std::future::ready(StepReport::Failed(StepFailure::unsent(
            FailureClass::Bug,
            "this step hands in no jobs",
        ))))
    }

    /// Asks the target whether an act happened.
    fn probe(&self, call: StepCall) -> Work<Found> {
        drop(call);
        Box::pin(std::future::ready(Found::CannotTell))
    }
}

/// What carries out the steps that a project declares, by their commands.
pub trait Plugins: Executor {
    /// Looks at what a command consists of just now; nothing if that can't be
    /// said.
    fn program(&self, run: &str) -> Option<Program>;
}
