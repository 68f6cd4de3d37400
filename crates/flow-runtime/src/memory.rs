//! What outlives runs: values that workflows keep, and what earlier runs gave.

use std::sync::{Arc, Mutex, PoisonError};

use flow_core::digest::Digest;
use flow_core::effect::FailureClass;
use flow_core::event::Fact;
use flow_core::handle::Handle;
use flow_core::memory::{Finished, Kept, Memory};
use flow_core::step::{Sent, StepFailure, Work};
use flow_core::value::Value;
use tokio::task::spawn_blocking;

use crate::store::{
    Batch, Level, NewValue, Reader, Refused, RunRow, StateEntry, Store, VALUE_MAX, WriteError,
};
use crate::values::artifacts;

/// How many bytes a value has that stands beside its key.
const INLINE_MAX: usize = 1024;

/// What the bytes beside a key are: a value, or the digest of one.
const INLINE: u8 = 0;
const STORED: u8 = 1;

/// How many of the last events of a run are looked at for its end.
const ENDS_MAX: usize = 16;

/// The memory of a store.
#[derive(Debug, Clone)]
pub struct StoreMemory {
    store: Arc<Store>,
    /// Steps look things up seldom, and one connection is enough for all.
    reader: Arc<Mutex<Option<Reader>>>,
}

impl StoreMemory {
    /// Remembers in a store.
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            reader: Arc::default(),
        }
    }

    /// Looks something up, on a thread that may wait for the disk.
    fn look_up<T: Send + 'static>(
        &self,
        find: impl FnOnce(&Store, &Reader) -> Result<T, StepFailure> + Send + 'static,
    ) -> Work<Result<T, StepFailure>> {
        let memory = self.clone();
        Box::pin(async move {
            let found = spawn_blocking(move || {
                let mut reader = memory.reader.lock().unwrap_or_else(PoisonError::into_inner);
                let open = match reader.take() {
                    Some(open) => open,
                    None => memory.store.reader().map_err(|error| unread(&error))?,
                };
                find(&memory.store, reader.insert(open))
            });
            match found.await {
                Ok(found) => found,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        })
    }
}

impl Memory for StoreMemory {
    fn recall(&self, key: &str) -> Work<Result<Option<Value>, StepFailure>> {
        let key = key.to_owned();
        self.look_up(move |store, reader| {
            let entry = reader.state(key.as_bytes());
            let entry = entry.map_err(|error| unread(&error))?;
            let Some(handle) = entry.and_then(|entry| entry.handle) else {
                return Ok(None);
            };
            let gone = || {
                let message = format!("what was kept under `{key}` is not in the store any more");
                StepFailure::unsent(FailureClass::Invalid, message)
            };
            let value = value(store, &handle).ok_or_else(gone)?;
            if are_there(reader, &value)? {
                Ok(Some(value))
            } else {
                Err(gone())
            }
        })
    }

    fn remember(&self, kept: Kept) -> Work<Result<(), StepFailure>> {
        let memory = self.clone();
        Box::pin(async move {
            let batch = memory.batch(&kept)?;
            let committed = memory.store.commit(batch).await;
            committed.map(drop).map_err(|refused| unkept(&refused))
        })
    }

    fn finished(
        &self,
        workflow: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Work<Result<Vec<Finished>, StepFailure>> {
        let workflow = workflow.to_owned();
        self.look_up(move |store, reader| {
            let runs = reader.succeeded(&workflow, before, limit);
            let runs = runs.map_err(|error| unread(&error))?;
            let runs = runs.into_iter();
            runs.map(|run| finished(store, reader, run)).collect()
        })
    }
}

impl StoreMemory {
    fn batch(&self, kept: &Kept) -> Result<Batch, StepFailure> {
        let mut bytes = Vec::new();
        kept.value.encode(&mut bytes).map_err(|error| {
            StepFailure::unsent(FailureClass::Invalid, format!("it can't be kept: {error}"))
        })?;
        let found = artifacts(&kept.value);
        let mut batch = Batch {
            level: Level::Synced,
            ..Batch::default()
        };
        let (handle, references) = if bytes.len() <= INLINE_MAX {
            ([&[INLINE][..], &bytes].concat(), found)
        } else {
            let digest = Digest::of(&bytes);
            let mut references = vec![digest];
            if bytes.len() <= VALUE_MAX {
                batch.values.push(NewValue {
                    digest,
                    body: bytes.into(),
                    blobs: found,
                });
            } else {
                let blob = self.store.blobs().keep_bytes(&bytes).map_err(|error| {
                    StepFailure::unsent(FailureClass::Transient, error.to_string())
                })?;
                batch.blobs.push(blob);
                references.extend(found);
            }
            ([&[STORED][..], &digest.0].concat(), references)
        };
        batch.state.push(StateEntry {
            key: kept.key.as_bytes().to_vec(),
            handle: Some(handle),
            references,
            at: kept.at,
            act: Some(kept.act),
        });
        Ok(batch)
    }
}

/// Reads what stands beside a key.
fn value(store: &Store, handle: &[u8]) -> Option<Value> {
    match handle.split_first()? {
        (&INLINE, bytes) => Value::decode(bytes).ok(),
        (&STORED, digest) => stored(store, &Digest(digest.try_into().ok()?)),
        _ => None,
    }
}

fn stored(store: &Store, digest: &Digest) -> Option<Value> {
    let bytes = store.value(digest).ok().flatten()?;
    Value::decode(&bytes).ok()
}

/// Returns whether all files in a value are in the store.
fn are_there(reader: &Reader, value: &Value) -> Result<bool, StepFailure> {
    for digest in artifacts(value) {
        let is_there = reader.blob_is_there(&digest);
        if !is_there.map_err(|error| unread(&error))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn finished(store: &Store, reader: &Reader, run: RunRow) -> Result<Finished, StepFailure> {
    let events = reader.last_events(run.number, ENDS_MAX);
    let events = events.map_err(|error| unread(&error))?;
    let mut ends = events.iter().filter_map(|body| match Fact::decode(body) {
        Ok(Fact::RunSettled { output, .. }) => Some(output),
        Ok(_) | Err(_) => None,
    });
    let output = match ends.next().flatten() {
        Some(Handle::Small(value)) => Some(value),
        Some(Handle::Stored(digest)) => stored(store, &digest),
        Some(Handle::Listed(_)) | None => None,
    };
    let output = match output {
        Some(value) if are_there(reader, &value)? => Some(value),
        Some(_) | None => None,
    };
    Ok(Finished {
        number: run.number,
        run: run.id,
        started: run.started,
        finished: run.summary.at,
        cost: run.summary.spent,
        output,
    })
}

fn unread(error: &dyn std::error::Error) -> StepFailure {
    let message = format!("the store can't be read: {error}");
    StepFailure::unsent(FailureClass::Transient, message)
}

/// Says why nothing was kept. What the store itself could not write may be there
/// all the same.
fn unkept(refused: &Refused) -> StepFailure {
    let (class, sent) = match refused {
        Refused::Gone { .. } => (FailureClass::Invalid, Sent::No),
        Refused::Failed(error) if matches!(**error, WriteError::Full { .. }) => {
            (FailureClass::Capacity, Sent::No)
        }
        Refused::Failed(_) => (FailureClass::Transient, Sent::Maybe),
        Refused::Fenced { .. }
        | Refused::Begun { .. }
        | Refused::SharedMoved { .. }
        | Refused::NoRun { .. } => (FailureClass::Bug, Sent::No),
    };
    StepFailure {
        sent,
        ..StepFailure::unsent(class, format!("it can't be kept: {refused}"))
    }
}
