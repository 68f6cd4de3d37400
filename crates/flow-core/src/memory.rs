//! What outlives runs, as steps see it: values that workflows keep, and what
//! earlier runs gave. Where it is kept is the caller's business.

use std::sync::Arc;

use crate::address::RunId;
use crate::amount::{Money, Timestamp};
use crate::digest::Digest;
use crate::step::{StepFailure, Work};
use crate::value::Value;

/// Keeps values from run to run.
pub trait Memory: Send + Sync {
    /// Returns what is kept under a key.
    fn recall(&self, key: &str) -> Work<Result<Option<Value>, StepFailure>>;

    /// Keeps a value under a key, once for each act: if it was kept by this act
    /// before, nothing happens, whatever is there by now. It is durable when
    /// this has succeeded.
    fn remember(&self, kept: Kept) -> Work<Result<(), StepFailure>>;

    /// Returns runs of a workflow that succeeded, the newest first: so many of
    /// those older than a number.
    fn finished(
        &self,
        workflow: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Work<Result<Vec<Finished>, StepFailure>>;
}

/// A value to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The key it is found by.
    pub key: Arc<str>,
    /// The value.
    pub value: Value,
    /// The act that keeps it.
    pub act: Digest,
    /// When it is.
    pub at: Timestamp,
}

/// A run that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Newer ones have larger numbers.
    pub number: u64,
    /// Its name.
    pub run: RunId,
    /// When it began.
    pub started: Timestamp,
    /// When it was over.
    pub finished: Timestamp,
    /// What it cost.
    pub cost: Money,
    /// What it gave; nothing if that is gone.
    pub output: Option<Value>,
}
