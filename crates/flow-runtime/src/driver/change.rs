//! Runs that begin again: under another plan, without some of what they made, or
//! as another run that takes the rest over.
//!
//! A change is proposed first, and changes nothing: that is a sheet. Whoever
//! carries it out names the sheet that was agreed with. If it is another by then,
//! the run has gone on, and nothing is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use flow_core::address::{At, RunId};
use flow_core::digest::Digest;
use flow_core::edit::{
    self, Again, Collected, InputChange, InputFault, Inputs, Legacy, OpenStay, Proposal, Sheet,
    Sources, Takeover, Unplaced, survey,
};
use flow_core::handle::{Handle, Values};
use flow_core::key::KeptParts;
use flow_core::plan::Plan;
use flow_core::run::{Input, Replan, Run};
use flow_core::ty::Media;
use flow_core::value::Value;

use super::begin::{check_executors, take_file};
use super::record::{Record, estate, plan};
use super::{BeginError, DriveError, Driver, Given, Surroundings, recall};
use crate::store::{Hold, Reader};
use crate::values::{Scratch, StoreValues, artifacts};

/// A change of a run.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another plan.
    Plan(NewPlan),
    /// Some of what it made is made again.
    Reset(Again),
}

impl Change {
    /// Returns the plans whose programs matter.
    fn plans<'a>(&'a self, before: &'a Plan) -> Vec<&'a Plan> {
        match self {
            Self::Plan(new) => vec![before, &new.plan],
            Self::Reset(_) => vec![before],
        }
    }
}

/// Another plan for a run.
#[derive(Debug, Clone)]
pub struct NewPlan {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Arguments of the workflow that the run doesn't have.
    pub given: BTreeMap<Arc<str>, Given>,
    /// The files of the project that the plan names, where they are, and what
    /// they are taken for.
    pub files: Vec<(Arc<str>, PathBuf, Media)>,
}

/// Why a run can't begin again.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The arguments that the run has don't fit.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Inputs(Vec<InputFault>),
    /// It has no such step.
    #[error("{0}")]
    Unplaced(Unplaced),
    /// What was agreed with is another by now.
    #[error("the run `{run}` has gone on since")]
    Moved {
        /// The run.
        run: RunId,
    },
    /// It can't be read, taken or driven.
    #[error(transparent)]
    Begin(#[from] BeginError),
}

/// A change that was worked out.
pub(super) struct Worked {
    pub(super) sheet: Sheet,
    /// What the run is told.
    pub(super) input: Input,
}

/// Says what becomes of a run if it is changed. Nothing is changed yet.
pub fn propose(around: &Surroundings, id: &RunId, change: &Change) -> Result<Sheet, ChangeError> {
    let values = StoreValues::new(around.store.clone());
    let mut record = Record::read(&around.store, &values, id)?;
    let now = around.clock.now();
    // As it will be when it is taken.
    let take = Input::Take {
        epoch: record.run.epoch() + 1,
        binary: env!("CARGO_PKG_VERSION").into(),
    };
    let programs = around.look_at(change.plans(&record.run.plan().clone()));
    for input in [take, programs] {
        for event in record.run.decide(input, now, &values) {
            record.run.apply(&event);
            record.events.push(event);
        }
    }
    work_out(around, &values, &record, change, &"".into()).map(|worked| worked.sheet)
}

/// Works a change out.
pub(super) fn work_out(
    around: &Surroundings,
    values: &StoreValues,
    record: &Record,
    change: &Change,
    by: &Arc<str>,
) -> Result<Worked, ChangeError> {
    let mut left = Left::of(around, values, record)?;
    match change {
        Change::Plan(new) => left.replan(new, by),
        Change::Reset(again) => left.reset(again, by),
    }
}

/// What the log of a run leaves, and where all of it is.
pub(super) struct Left<'a> {
    around: &'a Surroundings,
    values: &'a StoreValues,
    reader: Reader,
    record: &'a Record,
    pub(super) collected: Collected,
    gone: BTreeSet<Digest>,
}

impl<'a> Left<'a> {
    pub(super) fn of(
        around: &'a Surroundings,
        values: &'a StoreValues,
        record: &'a Record,
    ) -> Result<Self, BeginError> {
        let sources = Sources {
            plans: &|digest| plan(values, digest),
            estates: &|digest| estate(values, digest),
            values,
        };
        let events = record.events.iter().cloned();
        let collected = edit::collect(sources, events).map_err(|why| BeginError::Corrupt {
            run: record.run.id().clone(),
            why,
        })?;
        let mut left = Self {
            around,
            values,
            reader: around.store.reader()?,
            record,
            collected,
            gone: BTreeSet::new(),
        };
        left.drop_what_is_gone()?;
        Ok(left)
    }

    /// What was collected or lost can't be taken over.
    fn drop_what_is_gone(&mut self) -> Result<(), BeginError> {
        self.reader.hold_on();
        let mut gone = BTreeSet::new();
        for (at, legacy) in self.collected.estate.results.iter().enumerate() {
            for digest in kept_by(legacy) {
                if !self.reader.is_whole(&digest)? {
                    gone.insert(at);
                }
            }
        }
        self.reader.let_go();
        let mut at = 0;
        let keys = &mut self.gone;
        self.collected.estate.retain(|legacy| {
            at += 1;
            let is_gone = gone.contains(&(at - 1));
            if is_gone {
                keys.insert(legacy.key);
            }
            !is_gone
        });
        Ok(())
    }

    /// Returns what is kept of what a key was made of.
    fn parts(&self, key: &Digest) -> Option<KeptParts> {
        let own = self.reader.parts(self.record.run.id(), key).ok()?;
        let kept = match own {
            Some(row) => row.parts,
            None => self.reader.cached(key).ok()??.entry.parts,
        };
        KeptParts::decode(&kept)
    }

    pub(super) fn survey(&self, run: Run, inputs: Vec<InputChange>, open: OpenStay) -> Sheet {
        let proposal = Proposal {
            run,
            collected: &self.collected,
            gone: &self.gone,
            parts: &|key| self.parts(key),
            inputs,
            open,
        };
        survey(proposal, &Scratch::over(self.values))
    }

    /// Puts what may be taken over into the store, and tells of each result.
    pub(super) fn keep_estate(&mut self, tell: impl FnMut(&Legacy)) -> Digest {
        let estate = std::mem::take(&mut self.collected.estate).without_anew();
        estate.results.iter().for_each(tell);
        let bytes = estate.encode();
        let bytes = bytes.expect("results of steps are values that were encoded before");
        self.values.put_bytes(bytes)
    }

    fn replan(&mut self, new: &NewPlan, by: &Arc<str>) -> Result<Worked, ChangeError> {
        check_executors(self.around, &new.plan)?;
        let given = taken(self.around, self.values, &new.given)?;
        let inputs = self.inputs(&new.plan, &given)?;
        let files = recall::take_files(self.around, self.values, &new.files)?;
        let json = new.plan.to_json().into_bytes();
        let mut replan = Replan {
            plan: self.values.put_bytes(json),
            sheet: Digest([0; 32]),
            inputs: Some(self.values.put(&Value::list(inputs.values))),
            files: recall::pinned(self.values, &files),
            estate: None,
            by: by.clone(),
        };
        let mut run = self.record.run.clone();
        run.offer(replan.plan, new.plan.clone());
        let changed = apply(run, Input::Replan(Box::new(replan.clone())), self);
        let sheet = self.survey(changed, inputs.changes, OpenStay::Here);
        replan.sheet = self.keep_sheet(&sheet);
        replan.estate = Some(self.keep_estate(|_| {}));
        Ok(Worked {
            sheet,
            input: Input::Replan(Box::new(replan)),
        })
    }

    fn keep_sheet(&self, sheet: &Sheet) -> Digest {
        self.values
            .put_bytes(sheet.to_json().to_string().into_bytes())
    }

    /// Returns the arguments for another plan.
    fn inputs(
        &self,
        plan: &Plan,
        given: &BTreeMap<Arc<str>, Value>,
    ) -> Result<Inputs, ChangeError> {
        let before = self.record.run.load(self.record.run.inputs(), self.values);
        let before = match before {
            Some(Value::List(list)) => list.items.clone(),
            _ => Vec::new(),
        };
        let old = &self.record.run.plan().root().params;
        edit::inputs(old, &before, &plan.root().params, given).map_err(ChangeError::Inputs)
    }

    fn reset(&mut self, again: &Again, by: &Arc<str>) -> Result<Worked, ChangeError> {
        let plan = self.record.run.plan().clone();
        let forgotten = again.forget(&plan, &mut self.collected);
        forgotten.map_err(ChangeError::Unplaced)?;
        let reset = |estate| Input::Reset {
            at: At::root(),
            estate,
            by: by.clone(),
        };
        let changed = apply(self.record.run.clone(), reset(None), self);
        let sheet = self.survey(changed, Vec::new(), OpenStay::Here);
        let estate = self.keep_estate(|_| {});
        Ok(Worked {
            sheet,
            input: reset(Some(estate)),
        })
    }
}

impl Driver {
    /// Takes a run and changes it for somebody, if what becomes of it is still
    /// what was agreed with.
    pub async fn change(
        around: Surroundings,
        id: &RunId,
        change: &Change,
        agreed: &Digest,
        by: &Arc<str>,
    ) -> Result<Self, ChangeError> {
        let (mut driver, mut record, taken) = Self::take(around, id).await?;
        let now = driver.around.clock.now();
        let programs = driver.around.look_at(change.plans(driver.run.plan()));
        for input in [taken, programs] {
            for event in driver.run.decide(input, now, &driver.values) {
                driver.write_down(&event);
                record.events.push(event);
            }
        }
        record.run = driver.run.clone();
        let worked = work_out(&driver.around, &driver.values, &record, change, by);
        let moved = || ChangeError::Moved { run: id.clone() };
        let worked = worked.and_then(|worked| {
            let is_agreed = worked.sheet.digest() == *agreed;
            is_agreed.then_some(worked).ok_or_else(moved)
        });
        let worked = match worked {
            Ok(worked) => worked,
            Err(error) => {
                Box::pin(driver.let_go()).await.map_err(BeginError::from)?;
                return Err(error);
            }
        };
        if let (Change::Plan(new), Input::Replan(replan)) = (change, &worked.input) {
            driver.run.offer(replan.plan, new.plan.clone());
        }
        for event in driver.run.decide(worked.input, now, &driver.values) {
            driver.write_down(&event);
        }
        let takes = driver.run.estate();
        let takes = takes.and_then(|digest| estate(&driver.values, &digest));
        driver.takeover = takes.map(|estate| Takeover::new(estate, driver.run.plan()));
        for action in driver.run.outstanding() {
            driver.carry_out(action).map_err(BeginError::from)?;
        }
        Ok(driver)
    }

    /// Lets go of a run that was only looked at. One that was interrupted stays
    /// so.
    async fn let_go(mut self) -> Result<(), DriveError> {
        use flow_core::run::Standing;
        let standing = self.run.standing();
        if matches!(standing, Standing::Working | Standing::Sleeping(_)) {
            return Ok(());
        }
        // What was worked out is not kept.
        drop(self.values.take_fresh());
        self.summarise(standing, Hold::Released);
        self.write_all().await
    }
}

/// Returns a copy of a run as an input makes it.
fn apply(mut run: Run, input: Input, left: &Left<'_>) -> Run {
    for event in run.decide(input, left.around.clock.now(), left.values) {
        run.apply(&event);
    }
    run
}

/// Takes files that were given into the store.
pub(super) fn taken(
    around: &Surroundings,
    values: &StoreValues,
    given: &BTreeMap<Arc<str>, Given>,
) -> Result<BTreeMap<Arc<str>, Value>, BeginError> {
    let taken = given.iter().map(|(name, given)| {
        let value = match given {
            Given::Value(value) => value.clone(),
            Given::File(file, media) => take_file(around, values, file, *media)?,
        };
        Ok((name.clone(), value))
    });
    taken.collect()
}

/// Returns the values and blobs that a result needs.
pub(super) fn kept_by(legacy: &Legacy) -> Vec<Digest> {
    match &legacy.value {
        Handle::Small(value) => artifacts(value),
        Handle::Stored(digest) => vec![**digest],
        Handle::Listed(_) => Vec::new(),
    }
}
