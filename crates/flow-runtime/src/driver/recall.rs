//! Runs that are over when they begin: an equal run gave a result, and nothing
//! in it depends on anything else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use flow_core::address::RunId;
use flow_core::amount::{Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::event::{BEHAVIOUR, Event, Fact, Origin, PinnedFile, Recalled, Start, Status};
use flow_core::handle::{Handle, Values};
use flow_core::key::run_key;
use flow_core::ty::Media;
use flow_core::value::Value;

use super::begin::{BeginError, name, take_file};
use super::draft::{Draft, handle_of, held};
use super::{DriveError, Driver, Reuse, Surroundings};
use crate::store::{
    Begin, CacheEntry, Counts, EPOCH_FIRST, Hold, Level, Phase, Reader, Refused, Summary,
};
use crate::values::{StoreValues, artifacts};

/// What is known of a run before its plan is read.
#[derive(Debug, Clone)]
pub struct Known {
    /// The digest of the plan.
    pub plan: Digest,
    /// The workflow.
    pub workflow: Arc<str>,
    /// The arguments, in order.
    pub inputs: Vec<Value>,
    /// The files of the project that the plan names, where they are, and what
    /// they are taken for.
    pub files: Vec<(Arc<str>, PathBuf, Media)>,
    /// What all draws would come from.
    pub seed: u64,
    /// The most that the run may spend.
    pub budget: Option<Money>,
}

/// A run that is over.
#[derive(Debug, Clone)]
pub struct Over {
    /// The run.
    pub run: RunId,
    /// What it gave.
    pub value: Value,
    /// The run whose result it is.
    pub from: RunId,
}

/// Begins and ends a run whose result is there already; nothing if it isn't.
pub async fn recall(around: &Surroundings, known: Known) -> Result<Option<Over>, BeginError> {
    if around.reuse == Reuse::Nothing {
        return Ok(None);
    }
    let reader = around.store.reader()?;
    if !reader.has(&known.plan)? {
        return Ok(None);
    }
    let values = StoreValues::new(around.store.clone());
    let files = take_files(around, &values, &known.files)?;
    let inputs = Value::list(known.inputs);
    let key = run_key(&known.plan, &inputs, &files);
    let Some(recalled) = find(&reader, &key, around.clock.now()) else {
        return Ok(None);
    };
    let value = match &recalled.value {
        Handle::Small(value) => Some(value.clone()),
        Handle::Stored(digest) => values.get(digest),
        Handle::Listed(_) => None,
    };
    let Some(value) = value else {
        return Ok(None);
    };
    let run = RunId(name().into());
    let from = recalled.from.run.clone();
    let output = recalled.value.clone();
    let start = Start {
        run: run.clone(),
        behaviour: BEHAVIOUR,
        plan: known.plan,
        inputs: values.put(&inputs),
        files: pinned(&values, &files),
        seed: known.seed,
        budget: known.budget,
        trigger: None,
        recalled: Some(recalled),
        estate: None,
        parent: None,
    };
    let facts = [
        Fact::RunStarted(Box::new(start)),
        Fact::RunSettled {
            status: Status::Succeeded,
            output: Some(output),
        },
    ];
    let draft = whole(facts, known.workflow, &known.plan, around.clock.now());
    match write(around, draft, &values, &run).await {
        Ok(()) => Ok(Some(Over { run, value, from })),
        // It was collected in this moment.
        Err(Refused::Gone { .. }) => Ok(None),
        Err(refused) => Err(DriveError::from(refused).into()),
    }
}

/// Puts all events of a run into a draft.
fn whole(facts: [Fact; 2], workflow: Arc<str>, plan: &Digest, at: Timestamp) -> Draft {
    let mut draft = Draft {
        begin: Some(Begin {
            workflow,
            plan: *plan,
            at,
            firing: None,
        }),
        summary: Some(Summary {
            at,
            phase: Phase::Succeeded,
            counts: Counts::default(),
            spent: Money(0),
            held: Money(0),
            wake: None,
            note: None,
        }),
        hold: Hold::Released,
        ..Draft::default()
    };
    draft.references.push(*plan);
    for (seq, fact) in (0..).zip(facts) {
        draft.push(seq, &Event { at, fact }, Level::Synced);
    }
    draft
}

async fn write(
    around: &Surroundings,
    mut draft: Draft,
    values: &StoreValues,
    run: &RunId,
) -> Result<(), Refused> {
    draft.values = values.take_fresh();
    let batch = draft.batch(run, EPOCH_FIRST, 0);
    around.store.commit(batch).await.map(drop)
}

/// Takes the files that a plan names into the store.
pub(super) fn take_files(
    around: &Surroundings,
    values: &StoreValues,
    files: &[(Arc<str>, PathBuf, Media)],
) -> Result<BTreeMap<Arc<str>, Value>, BeginError> {
    let taken = files.iter().map(|(path, file, media)| {
        let artifact = take_file(around, values, file, *media)?;
        Ok((path.clone(), artifact))
    });
    taken.collect()
}

/// Returns files as a run keeps them.
pub(super) fn pinned(values: &StoreValues, files: &BTreeMap<Arc<str>, Value>) -> Vec<PinnedFile> {
    let pinned = files.iter().map(|(path, artifact)| PinnedFile {
        path: path.clone(),
        artifact: values.put(artifact),
    });
    pinned.collect()
}

/// Looks for the result of an equal run.
pub(super) fn find(reader: &Reader, key: &Digest, now: Timestamp) -> Option<Recalled> {
    // What can't be read is made again.
    let found = reader.cached(key).ok().flatten()?;
    let entry = found.entry;
    let is_old = entry.expires.is_some_and(|expires| expires <= now);
    if is_old || found.evicted.is_some() {
        return None;
    }
    Some(Recalled {
        key: *key,
        value: handle_of(&entry.value)?,
        from: Origin {
            run: entry.run,
            seq: entry.seq,
        },
    })
}

impl Driver {
    /// Returns whether the result is kept for equal runs, now that it is there.
    pub fn is_kept(&self) -> bool {
        self.whole.is_some() && self.run.status() == Some(Status::Succeeded)
    }

    /// Keeps what the run gave for equal runs.
    pub(super) fn keep_whole(&mut self, event: &Event) {
        match &event.fact {
            Fact::RunSettled {
                status: Status::Succeeded,
                output: Some(output),
            } => {
                let Some((key, held)) = self.whole.zip(held(output)) else {
                    return;
                };
                self.draft.cache.push(CacheEntry {
                    key,
                    value: held,
                    blobs: match output {
                        Handle::Small(value) => artifacts(value),
                        Handle::Stored(_) | Handle::Listed(_) => Vec::new(),
                    },
                    parts: Vec::new(),
                    made: event.at,
                    expires: None,
                    run: self.run.id().clone(),
                    seq: self.seq.saturating_sub(1),
                });
            }
            // The next may go another way: what was done instead is no result
            // of the plan alone.
            Fact::Failed { .. }
            | Fact::Broke { .. }
            | Fact::Refused { .. }
            | Fact::Stopped { .. }
            | Fact::AttemptLost { .. }
            | Fact::CancelAsked { .. }
            | Fact::OwnerTook { .. }
            | Fact::PlanReplaced { .. }
            | Fact::Reset { .. }
            | Fact::Adopted { .. }
            | Fact::Joined { .. }
            | Fact::Reopened { .. } => self.whole = None,
            Fact::RunStarted(_)
            | Fact::PauseAsked { .. }
            | Fact::ResumeAsked { .. }
            | Fact::ProgramsFound { .. }
            | Fact::Opened { .. }
            | Fact::LimitsChanged { .. }
            | Fact::RunSettled { .. }
            | Fact::ItemsExpanded { .. }
            | Fact::BranchTaken { .. }
            | Fact::RoundOpened { .. }
            | Fact::RaceWon { .. }
            | Fact::Yielded { .. }
            | Fact::Reused { .. }
            | Fact::AttemptStarted(_)
            | Fact::WasSent { .. }
            | Fact::Submitted { .. }
            | Fact::Succeeded { .. }
            | Fact::Probed { .. }
            | Fact::Resolved { .. }
            | Fact::Rebilled { .. }
            | Fact::Elapsed(_)
            | Fact::Waits { .. }
            | Fact::Asked { .. }
            | Fact::Answered { .. } => {}
        }
    }
}
