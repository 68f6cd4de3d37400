//! Secrets: what they hide, and how it is kept out of all that is written.
//!
//! A run knows its secrets before its first step: those that its plan names, and
//! those among its inputs. They are taken out of everything that steps answer
//! and log, whichever step it was that used them. A file isn't changed: one with
//! a secret in it is not kept.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::handle::Values;
use flow_core::mask::{LETTERS_MIN, Mask};
use flow_core::run::Run;
use flow_core::step::{Found, Question, StepFailure, StepReport};
use flow_core::value::Value;

use crate::artifacts::{BlobError, Blobs, Kept};

/// Tells what secrets hide.
pub type Secrets = Arc<dyn Fn(&str) -> Result<Arc<str>, SecretError> + Send + Sync>;

/// Why it can't be told what a secret hides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nobody has set it.
    #[error("the secret `{name}` is not set; set it in the environment or in `.env`")]
    Unset {
        /// Its name.
        name: Arc<str>,
    },
    /// It would be found everywhere.
    #[error(
        "the secret `{name}` has fewer than {LETTERS_MIN} letters: so short a one can't be kept out of logs and results"
    )]
    Short {
        /// Its name.
        name: Arc<str>,
    },
    /// The file that has it can't be read.
    #[error("the secret `{name}` can't be had: {why}")]
    Unreadable {
        /// Its name.
        name: Arc<str>,
        /// What is wrong.
        why: Arc<str>,
    },
    /// What it hides is no text.
    #[error("the secret `{name}` is not UTF-8 in the environment")]
    NoText {
        /// Its name.
        name: Arc<str>,
    },
}

/// Returns what finds the secrets of a run. One that can't be had is of no
/// matter until a step asks for it.
pub(crate) fn mask_of(run: &Run, values: &dyn Values, secrets: &Secrets) -> Mask {
    let mut names: BTreeSet<Arc<str>> = run.plan().secrets();
    if let Some(inputs) = run.load(&run.started().inputs, values) {
        inputs.secrets(&mut names);
    }
    let hidden = names.iter().filter_map(|name| secrets(name).ok());
    let hidden: Vec<Arc<str>> = hidden.collect();
    Mask::new(hidden.iter().map(AsRef::as_ref))
}

/// Takes secrets out of what a step answers.
pub(crate) fn masked(mask: &Mask, report: StepReport) -> StepReport {
    if mask.is_empty() {
        return report;
    }
    let value = |value: Value| mask.value(&value).unwrap_or(value);
    match report {
        StepReport::Done { value: done, bill } => StepReport::Done {
            value: value(done),
            bill,
        },
        StepReport::Failed(failure) => StepReport::Failed(StepFailure {
            message: mask.text(&failure.message).into(),
            ..failure
        }),
        StepReport::Submitted { job, expires } => StepReport::Submitted {
            job: value(job),
            expires,
        },
        StepReport::Ask(question) => StepReport::Ask(Question {
            form: value(question.form),
            otherwise: question.otherwise.map(value),
            ..question
        }),
        StepReport::Wait { until, value: then } => StepReport::Wait {
            until,
            value: value(then),
        },
        StepReport::Stopped { sent, bill } => StepReport::Stopped { sent, bill },
    }
}

/// Takes secrets out of what a target answers.
pub(crate) fn masked_found(mask: &Mask, found: Found) -> Found {
    match found {
        Found::Yes(value) => Found::Yes(mask.value(&value).unwrap_or(value)),
        Found::No => Found::No,
        Found::CannotTell => Found::CannotTell,
    }
}

/// Why bytes can't be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error("a secret is in it, so it is not kept")]
    Secret,
    #[error("it can't be read: {0}")]
    Read(std::io::Error),
    #[error("it can't be written to the store: {0}")]
    Write(std::io::Error),
    #[error(transparent)]
    Blob(#[from] BlobError),
}

impl From<KeepError> for StepFailure {
    fn from(error: KeepError) -> Self {
        let class = match &error {
            KeepError::Secret => FailureClass::Invalid,
            KeepError::Read(_) | KeepError::Write(_) | KeepError::Blob(_) => {
                FailureClass::Transient
            }
        };
        Self::unsent(class, error.to_string())
    }
}

/// How much is read at once.
const AT_ONCE: usize = 128 * 1024;

/// Keeps bytes, unless a secret is in them.
pub(crate) fn keep(blobs: &Blobs, mask: &Mask, bytes: &mut dyn Read) -> Result<Kept, KeepError> {
    let mut writer = blobs.begin()?;
    let mut stream = mask.stream();
    let mut buffer = vec![0; AT_ONCE];
    loop {
        let read = match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(KeepError::Read(error)),
        };
        let some = &buffer[..read];
        if !mask.is_empty() {
            stream.push(some, &mut |_| ());
        }
        writer.write_all(some).map_err(KeepError::Write)?;
    }
    stream.finish(&mut |_| ());
    if stream.found() > 0 {
        return Err(KeepError::Secret);
    }
    Ok(writer.finish()?)
}
