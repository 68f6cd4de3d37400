//! What outlives the runs of a rehearsal, until it is over itself.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use flow_core::digest::Digest;
use flow_core::memory::{Finished, Kept, Memory};
use flow_core::step::{StepFailure, Work};
use flow_core::value::Value;

/// What runs of a rehearsal remember. Steps ask for it from tasks of their own,
/// so it is behind a lock.
#[derive(Debug, Clone, Default)]
pub struct RehearsedMemory(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    kept: BTreeMap<Arc<str>, Value>,
    acts: BTreeSet<Digest>,
    finished: Vec<(Arc<str>, Finished)>,
}

impl RehearsedMemory {
    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a run that succeeded.
    pub(super) fn finish(&self, workflow: Arc<str>, run: Finished) {
        self.with(|inner| {
            let number = u64::try_from(inner.finished.len()).unwrap_or(u64::MAX);
            inner.finished.push((workflow, Finished { number, ..run }));
        });
    }
}

impl Memory for RehearsedMemory {
    fn recall(&self, key: &str) -> Work<Result<Option<Value>, StepFailure>> {
        Box::pin(ready(Ok(self.with(|inner| inner.kept.get(key).cloned()))))
    }

    fn remember(&self, kept: Kept) -> Work<Result<(), StepFailure>> {
        self.with(|inner| {
            if inner.acts.insert(kept.act) {
                inner.kept.insert(kept.key, kept.value);
            }
        });
        Box::pin(ready(Ok(())))
    }

    fn finished(
        &self,
        workflow: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Work<Result<Vec<Finished>, StepFailure>> {
        let found = self.with(|inner| {
            let own = inner.finished.iter().rev();
            let own = own.filter(|(other, _)| **other == *workflow);
            let older = own.filter(|(_, run)| before.is_none_or(|before| run.number < before));
            older.take(limit).map(|(_, run)| run.clone()).collect()
        });
        Box::pin(ready(Ok(found)))
    }
}
