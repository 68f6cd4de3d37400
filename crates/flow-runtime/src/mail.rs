//! Mail: how one process has something done to a run, whoever drives it.
//!
//! What is wanted is written down first. Who drives the run reads it; if nobody
//! does, the run is taken for a moment. Two who want something at once are served
//! in the order in which they wrote.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration as Wait;

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::letter::{Letter, Reply};
use flow_core::value::Value;
use flow_core::wire::WireError;
use tokio::time::Instant;

use crate::artifacts::Kept;
use crate::driver::{BeginError, DriveError, Driver, Surroundings};
use crate::owner::{Life, OwnerError, Pace, look};
use crate::store::{
    Batch, LetterTag, Level, NewLetter, OpenError, Posted, ReadError, Refused, Store, TakeError,
};
use crate::values::artifacts;

/// How often is looked whether there is an answer.
const LOOK: Wait = Wait::from_millis(10);

/// What came of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It was answered.
    Answered(Reply),
    /// Who drives the run hasn't read it yet. It counts as soon as it is read.
    Unread {
        /// The process, as far as that is known.
        pid: Option<u32>,
        /// Whether it goes on.
        pace: Pace,
    },
}

/// Why a letter can't be delivered.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The run is gone.
    #[error("the run `{run}` was removed meanwhile")]
    Gone {
        /// The run.
        run: RunId,
    },
    /// The store can't be written.
    #[error(transparent)]
    Write(#[from] Refused),
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store can't be opened to read it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It can't be seen whether an owner lives.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// The run can't be taken or followed.
    #[error(transparent)]
    Take(#[from] BeginError),
    /// The answer can't be read.
    #[error("the answer can't be read ({0}); who drives the run is another version of flow")]
    Answer(#[from] WireError),
}

/// Writes a letter to a run, and waits for the answer: for as long as somebody
/// may read it, but not longer than `patience`.
///
/// `around` gives what a run that nobody drives is taken with. Files that the
/// letter speaks of were kept for it.
pub async fn send(
    store: &Store,
    around: &dyn Fn() -> Surroundings,
    run: &RunId,
    letter: &Letter,
    kept: Vec<Kept>,
    now: Timestamp,
    patience: Wait,
) -> Result<Delivered, MailError> {
    let tag = new_tag();
    post(store, run, letter, kept, &tag, now).await?;
    let delivered = wait(store, around, run, &tag, patience).await;
    match &delivered {
        Ok(Delivered::Unread { .. }) => {}
        // Nobody asks for it again. What can't be removed goes with a collection.
        Ok(Delivered::Answered(_)) | Err(_) => drop(forget(store, tag).await),
    }
    delivered
}

async fn post(
    store: &Store,
    run: &RunId,
    letter: &Letter,
    kept: Vec<Kept>,
    tag: &LetterTag,
    now: Timestamp,
) -> Result<(), MailError> {
    let mut body = Vec::new();
    letter
        .encode(&mut body)
        .expect("what people write was checked, so it nests no deeper than the stored form");
    let batch = Batch {
        level: Level::Synced,
        blobs: kept,
        letters: vec![NewLetter {
            run: run.clone(),
            tag: tag.clone(),
            at: now,
            body,
            references: files(letter),
        }],
        ..Batch::default()
    };
    match store.commit(batch).await {
        Ok(_) => Ok(()),
        Err(Refused::NoRun { run }) => Err(MailError::Gone { run }),
        Err(refused) => Err(refused.into()),
    }
}

/// Returns the files that a letter speaks of.
fn files(letter: &Letter) -> Vec<Digest> {
    use flow_core::letter::{Order, Said};
    let value: Option<&Value> = match &letter.order {
        Order::Answer { value, .. }
        | Order::Resolve {
            said: Said::Happened(value),
            ..
        } => Some(value),
        Order::Pause
        | Order::Resume
        | Order::Cancel { .. }
        | Order::Limit { .. }
        | Order::Reopen { .. }
        | Order::Resolve {
            said: Said::DidNot | Said::GiveUp,
            ..
        }
        | Order::Rebill { .. } => None,
    };
    value.map(artifacts).unwrap_or_default()
}

async fn wait(
    store: &Store,
    around: &dyn Fn() -> Surroundings,
    run: &RunId,
    tag: &LetterTag,
    patience: Wait,
) -> Result<Delivered, MailError> {
    let reader = store.reader()?;
    let until = Instant::now() + patience;
    loop {
        match reader.reply(tag)? {
            Posted::Answered(body) => return Ok(Delivered::Answered(Reply::decode(&body)?)),
            Posted::Gone => return Err(MailError::Gone { run: run.clone() }),
            Posted::Unread => {}
        }
        let row = reader.run(run)?;
        let row = row.ok_or_else(|| MailError::Gone { run: run.clone() })?;
        let life = match &row.owner {
            None => Life::Dead,
            Some(owner) => look(store.layout(), owner)?,
        };
        match life {
            Life::Dead => attend(around, run).await?,
            Life::Alive { pid, pace } if pace == Pace::Stopped || Instant::now() >= until => {
                return Ok(Delivered::Unread { pid, pace });
            }
            Life::Alive { .. } => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Reads all letters to a run that nobody drives, unless somebody is faster.
async fn attend(around: &dyn Fn() -> Surroundings, run: &RunId) -> Result<(), MailError> {
    match Driver::attend(around(), run).await {
        Ok(())
        | Err(
            BeginError::Take(TakeError::Owned { .. })
            | BeginError::Drive(DriveError::Fenced | DriveError::Write(Refused::Fenced { .. })),
        ) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn forget(store: &Store, tag: LetterTag) -> Result<(), Refused> {
    let batch = Batch {
        letters_over: vec![tag],
        ..Batch::default()
    };
    store.commit(batch).await.map(drop)
}

/// Makes a tag that no other letter has.
fn new_tag() -> LetterTag {
    let part = || RandomState::new().build_hasher().finish();
    LetterTag(format!("{:016x}{:016x}", part(), part()).into())
}
