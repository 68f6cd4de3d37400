//! The record of a run: its log, read and folded, and what the log names.

use std::sync::Arc;

use flow_core::address::RunId;
use flow_core::digest::Digest;
use flow_core::edit::{Estate, Takeover};
use flow_core::event::{Event, Fact, Origin};
use flow_core::plan::Plan;
use flow_core::run::Run;

use super::BeginError;
use crate::store::Store;
use crate::values::StoreValues;

/// How many events are read at once.
const PAGE: usize = 10_000;

/// A run as its log says.
pub(super) struct Record {
    pub(super) run: Run,
    pub(super) events: Vec<Event>,
}

impl Record {
    /// Reads a run.
    pub(super) fn read(
        store: &Store,
        values: &StoreValues,
        id: &RunId,
    ) -> Result<Self, BeginError> {
        let events = read_log(store, id)?;
        let run = Run::replay(&|digest| plan(values, digest), events.iter().cloned());
        let run = run.map_err(|why| BeginError::Corrupt {
            run: id.clone(),
            why,
        })?;
        Ok(Self { run, events })
    }

    /// Returns what is still to be given out of what may be taken over.
    pub(super) fn takeover(&self, values: &StoreValues) -> Result<Option<Takeover>, BeginError> {
        let Some(digest) = self.run.estate() else {
            return Ok(None);
        };
        let estate = estate(values, &digest).ok_or_else(|| BeginError::NoEstate {
            run: self.run.id().clone(),
            estate: digest.short(),
        })?;
        let mut takeover = Takeover::new(estate, self.run.plan());
        for from in given(&self.events) {
            takeover.note(from);
        }
        Ok(Some(takeover))
    }
}

/// Returns what was taken over since the run last began again.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other facts take nothing over"
)]
fn given(events: &[Event]) -> Vec<&Origin> {
    let mut given = Vec::new();
    for event in events {
        match &event.fact {
            Fact::PlanReplaced { .. } | Fact::Reset { .. } => given.clear(),
            Fact::Adopted { from, .. } => given.push(from),
            _ => {}
        }
    }
    given
}

/// Returns a plan of the store.
pub(super) fn plan(values: &StoreValues, digest: &Digest) -> Option<Arc<Plan>> {
    let bytes = values.bytes(digest)?;
    let text = std::str::from_utf8(&bytes).ok()?;
    Plan::from_json(text).ok().map(Arc::new)
}

/// Returns an estate of the store.
pub(super) fn estate(values: &StoreValues, digest: &Digest) -> Option<Estate> {
    Estate::decode(&values.bytes(digest)?).ok()
}

/// Reads the log of a run.
fn read_log(store: &Store, id: &RunId) -> Result<Vec<Event>, BeginError> {
    let reader = store.reader()?;
    let mut events = Vec::new();
    loop {
        let from = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let rows = reader.events(id, from, PAGE)?;
        let count = rows.len();
        for row in rows {
            let fact = Fact::decode(&row.body).map_err(|cause| BeginError::Log {
                run: id.clone(),
                seq: row.seq,
                cause,
            })?;
            events.push(Event { at: row.at, fact });
        }
        if count < PAGE {
            return Ok(events);
        }
    }
}
