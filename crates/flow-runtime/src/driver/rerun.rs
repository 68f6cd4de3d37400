//! Another run of a run: with the same plan and arguments, but for what is said,
//! and with results of the first where they are not to be made again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow_core::address::RunId;
use flow_core::amount::Money;
use flow_core::digest::Digest;
use flow_core::edit::{
    Again, Extent, InputChange, InputFault, InputWay, OpenStay, Sheet, Takeover,
};
use flow_core::event::{BEHAVIOUR, Origin, PinnedFile, Start};
use flow_core::handle::{Handle, Values};
use flow_core::path::StepPath;
use flow_core::plan::{Input as Param, Plan};
use flow_core::run::{Delta, Run};
use flow_core::value::Value;

use super::begin::{check_executors, name};
use super::change::{ChangeError, Left, kept_by, taken};
use super::record::{Record, estate};
use super::{Driver, Given, Surroundings};
use crate::store::{Begin, EPOCH_FIRST, Level};
use crate::values::StoreValues;

/// Another run of a run.
#[derive(Debug, Clone)]
pub struct Rerun {
    /// The run.
    pub of: RunId,
    /// What is made again; without it, everything is.
    pub again: Option<Again>,
    /// Arguments that are others than those of the run.
    pub set: BTreeMap<Arc<str>, Given>,
    /// What all draws come from, if it is another than that of the run.
    pub seed: Option<u64>,
    /// The most that the new run may spend, if it is another than what the run
    /// might.
    pub budget: Option<Money>,
}

/// A run that was worked out and hasn't begun.
struct Worked {
    sheet: Sheet,
    start: Start,
    plan: Arc<Plan>,
    /// What has to stay for as long as the new run does.
    references: Vec<Digest>,
}

/// Says what another run takes over and makes again. It isn't begun yet.
pub fn propose_rerun(around: &Surroundings, rerun: &Rerun) -> Result<Sheet, ChangeError> {
    let values = StoreValues::new(around.store.clone());
    work_out(around, &values, rerun).map(|worked| worked.sheet)
}

impl Driver {
    /// Begins another run of a run, if what becomes of it is still what was
    /// agreed with.
    pub fn rerun(
        around: Surroundings,
        rerun: &Rerun,
        agreed: &Digest,
    ) -> Result<Self, ChangeError> {
        let values = StoreValues::new(around.store.clone());
        let worked = work_out(&around, &values, rerun)?;
        if worked.sheet.digest() != *agreed {
            let run = rerun.of.clone();
            return Err(ChangeError::Moved { run });
        }
        let now = around.clock.now();
        let (digest, takes) = (worked.start.plan, worked.start.estate);
        let (run, event, Delta { actions, .. }) =
            Run::start(worked.plan.clone(), worked.start, now);
        let takeover = takes.and_then(|digest| estate(&values, &digest));
        let mut driver = Self::new(around, run, values, EPOCH_FIRST)?;
        driver.takeover = takeover.map(|estate| Takeover::new(estate, &worked.plan));
        driver.reload().map_err(super::BeginError::from)?;
        driver.draft.begin = Some(Begin {
            workflow: driver.run.workflow().clone(),
            plan: digest,
            at: now,
            // What began the first has begun that one.
            firing: None,
        });
        driver.draft.references = worked.references;
        driver.draft.push(0, &event, Level::Synced);
        driver.seq = 1;
        driver.look_at_programs().map_err(super::BeginError::from)?;
        for action in actions {
            driver.carry_out(action).map_err(super::BeginError::from)?;
        }
        Ok(driver)
    }
}

fn work_out(
    around: &Surroundings,
    values: &StoreValues,
    rerun: &Rerun,
) -> Result<Worked, ChangeError> {
    let record = Record::read(&around.store, values, &rerun.of)?;
    let plan = record.run.plan().clone();
    check_executors(around, &plan)?;
    let (inputs, changes) = arguments(around, values, &record, &rerun.set)?;
    let mut left = Left::of(around, values, &record)?;
    let everything = Again {
        from: top(&plan),
        extent: Extent::Changed,
    };
    let again = rerun.again.as_ref().unwrap_or(&everything);
    let forgotten = again.forget(&plan, &mut left.collected);
    forgotten.map_err(ChangeError::Unplaced)?;
    let files = files(values, &record);
    let first = record.run.started();
    let mut start = Start {
        run: RunId(name().into()),
        behaviour: BEHAVIOUR,
        plan: plan_of(&record),
        inputs: values.put(&Value::list(inputs)),
        files,
        seed: rerun.seed.unwrap_or(first.seed),
        budget: rerun.budget.or(first.budget),
        trigger: first.trigger.clone(),
        recalled: None,
        estate: None,
        parent: Some(Origin {
            run: rerun.of.clone(),
            seq: u64::try_from(record.events.len()).unwrap_or(u64::MAX),
        }),
    };
    let now = around.clock.now();
    let (mut run, _, _) = Run::start(plan.clone(), start.clone(), now);
    for event in run.decide(around.look_at([&*plan]), now, values) {
        run.apply(&event);
    }
    let sheet = left.survey(run, changes, OpenStay::Behind);
    let mut references = BTreeSet::from([start.plan]);
    if rerun.again.is_some() {
        start.estate = Some(left.keep_estate(|legacy| references.extend(kept_by(legacy))));
    }
    let event = first.trigger.as_ref();
    if let Some(Handle::Stored(digest)) = event.and_then(|firing| firing.event.as_ref()) {
        references.insert(**digest);
    }
    Ok(Worked {
        sheet,
        start,
        plan,
        references: references.into_iter().collect(),
    })
}

/// Returns the places of all that a workflow does.
fn top(plan: &Plan) -> Vec<StepPath> {
    let nodes = plan.root().block.nodes.iter();
    let names = nodes.map(|id| plan.node(*id).name.clone());
    names.map(|name| StepPath::default().join(name)).collect()
}

/// Returns the digest under which the store has the plan that a run follows.
fn plan_of(record: &Record) -> Digest {
    let replaced = record.events.iter().rev().find_map(|event| {
        let flow_core::event::Fact::PlanReplaced { plan, .. } = &event.fact else {
            return None;
        };
        Some(*plan)
    });
    replaced.unwrap_or(record.run.started().plan)
}

/// Takes the files of a run for another.
fn files(values: &StoreValues, record: &Record) -> Vec<PinnedFile> {
    let files = record.run.files().iter();
    let files = files.map(|file| PinnedFile {
        path: file.path.clone(),
        artifact: match record.run.load(&file.artifact, values) {
            Some(artifact) => values.put(&artifact),
            None => file.artifact.clone(),
        },
    });
    files.collect()
}

/// Returns the arguments of another run.
fn arguments(
    around: &Surroundings,
    values: &StoreValues,
    record: &Record,
    set: &BTreeMap<Arc<str>, Given>,
) -> Result<(Vec<Value>, Vec<InputChange>), ChangeError> {
    let set = taken(around, values, set)?;
    let params: &[Param] = &record.run.plan().root().params;
    let before = match record.run.load(record.run.inputs(), values) {
        Some(Value::List(list)) => list.items.clone(),
        _ => Vec::new(),
    };
    let strange = set
        .keys()
        .filter(|name| params.iter().all(|param| param.name != **name));
    let faults: Vec<InputFault> = strange
        .map(|name| InputFault::Unknown { name: name.clone() })
        .collect();
    if !faults.is_empty() {
        return Err(ChangeError::Inputs(faults));
    }
    let mut changes = Vec::new();
    let inputs = params.iter().zip(before).map(|(param, before)| {
        let Some(value) = set.get(&param.name).filter(|value| **value != before) else {
            return before;
        };
        changes.push(InputChange {
            name: param.name.clone(),
            way: InputWay::Given,
        });
        value.clone()
    });
    let inputs = inputs.collect();
    Ok((inputs, changes))
}
