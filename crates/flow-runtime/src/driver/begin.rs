//! How a run is begun, and how one is taken up again.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_core::address::{RunId, Ticket};
use flow_core::amount::Money;
use flow_core::arbiter::{Arbiter, OwnerId};
use flow_core::event::{BEHAVIOUR, Firing, Start};
use flow_core::handle::Values;
use flow_core::key::run_key;
use flow_core::plan::{NodeKind, Plan};
use flow_core::run::{Corrupt, Input, Run};
use flow_core::ty::Media;
use flow_core::value::{Artifact, Value};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::clerk::Hands;
use super::draft::Draft;
use super::record::Record;
use super::{DriveError, Driver, Reuse, Surroundings, recall};
use crate::desk::Office;
use crate::folders::Folders;
use crate::owner::OwnerError;
use crate::reaper::Reaper;
use crate::secrets::mask_of;
use crate::store::{Begin, EPOCH_FIRST, Level, OpenError, ReadError, TakeError};
use crate::values::StoreValues;

/// How many notes of attempts may wait.
const NOTES: usize = 1024;

/// What a run begins with.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The arguments of the workflow, in order.
    pub inputs: Vec<Given>,
    /// The files of the project that the plan names, where they are, and what
    /// they are taken for.
    pub files: Vec<(Arc<str>, PathBuf, Media)>,
    /// What all draws come from.
    pub seed: u64,
    /// The most that the run may spend.
    pub budget: Option<Money>,
    /// What made it start.
    pub trigger: Option<Firing>,
}

/// An argument of a workflow.
#[derive(Debug, Clone)]
pub enum Given {
    /// A value.
    Value(Value),
    /// A file that is taken into the store.
    File(PathBuf, Media),
}

/// Why a run can't begin, or be taken up again.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Nothing here carries out a step.
    #[error("nothing here carries out the step `{step}`")]
    NoExecutor {
        /// The step.
        step: Arc<str>,
    },
    /// A file of the project can't be taken in.
    #[error("cannot read the file `{path}` of the workflow ({cause})")]
    File {
        /// The file.
        path: Arc<str>,
        /// Why.
        cause: String,
    },
    /// It can't be taken.
    #[error(transparent)]
    Take(#[from] TakeError),
    /// This process can't be an owner.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// The store can't be opened to read it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its log can't be read.
    #[error("the log of the run `{run}` can't be read at event {seq} ({cause})")]
    Log {
        /// The run.
        run: RunId,
        /// The event.
        seq: u64,
        /// Why.
        cause: flow_core::wire::WireError,
    },
    /// Its log can't be followed.
    #[error("the run `{run}` can't be followed: {why}")]
    Corrupt {
        /// The run.
        run: RunId,
        /// Why.
        why: Corrupt,
    },
    /// What it may take over isn't there, or can't be read.
    #[error(
        "the run `{run}` goes on with results of before, and their list {estate} can't be read; use the flow that began it"
    )]
    NoEstate {
        /// The run.
        run: RunId,
        /// The name of the list.
        estate: String,
    },
    /// It can't be driven.
    #[error(transparent)]
    Drive(#[from] DriveError),
}

impl Driver {
    /// Begins a run.
    pub fn begin(around: Surroundings, new: NewRun) -> Result<Self, BeginError> {
        check_executors(&around, &new.plan)?;
        let values = StoreValues::new(around.store.clone());
        let files = recall::take_files(&around, &values, &new.files)?;
        let inputs = take_inputs(&around, &values, new.inputs)?;
        let plan = values.put_bytes(new.plan.to_json().into_bytes());
        let now = around.clock.now();
        let whole = new
            .plan
            .is_recallable()
            .then(|| run_key(&plan, &inputs, &files));
        let start = Start {
            run: RunId(name().into()),
            behaviour: BEHAVIOUR,
            plan,
            inputs: values.put(&inputs),
            files: recall::pinned(&values, &files),
            seed: new.seed,
            budget: new.budget,
            trigger: new.trigger,
            recalled: match (whole, around.reuse) {
                (Some(key), Reuse::Results) => recall::find(&around.store.reader()?, &key, now),
                (_, Reuse::Nothing) | (None, _) => None,
            },
            estate: None,
            parent: None,
        };
        let (run, event, delta) = Run::start(new.plan, start, now);
        let mut driver = Self::new(around, run, values, EPOCH_FIRST)?;
        driver.reload()?;
        // What was recalled is kept already.
        let is_recalled = driver.run.started().recalled.is_some();
        driver.whole = whole.filter(|_| !is_recalled);
        let firing = driver.run.started().trigger.as_ref();
        driver.draft.begin = Some(Begin {
            workflow: driver.run.workflow().clone(),
            plan,
            at: now,
            firing: firing.map(|firing| (firing.trigger.clone(), firing.scheduled)),
        });
        driver.draft.push(0, &event, Level::Synced);
        driver.seq = 1;
        driver.look_at_programs()?;
        for action in delta.actions {
            driver.carry_out(action)?;
        }
        Ok(driver)
    }

    /// Takes up a run where its log ends.
    pub async fn resume(around: Surroundings, id: &RunId) -> Result<Self, BeginError> {
        let (mut driver, record, taken) = Self::take(around, id).await?;
        check_executors(&driver.around, driver.run.plan())?;
        driver.takeover = record.takeover(&driver.values)?;
        driver.look_at_programs()?;
        driver.inputs.push_back(taken);
        driver.pump()?;
        for action in driver.run.outstanding() {
            // What follows from being taken waits for its commit.
            if !driver.draft.actions.contains(&action) {
                driver.carry_out(action)?;
            }
        }
        Ok(driver)
    }

    /// Takes a run, and follows its log. That it was taken is yet to be pumped.
    pub(super) async fn taken(around: Surroundings, id: &RunId) -> Result<Self, BeginError> {
        let (mut driver, record, taken) = Self::take(around, id).await?;
        driver.takeover = record.takeover(&driver.values)?;
        driver.inputs.push_back(taken);
        Ok(driver)
    }

    /// Takes a run, and says what it has to be told first.
    pub(super) async fn take(
        around: Surroundings,
        id: &RunId,
    ) -> Result<(Self, Record, Input), BeginError> {
        let taken = around.store.take(id).await?;
        let values = StoreValues::new(around.store.clone());
        let record = Record::read(&around.store, &values, id)?;
        let mut driver = Self::new(around, record.run.clone(), values, taken.epoch)?;
        driver.seq = taken.head;
        driver.head = taken.head;
        driver.told = taken.head;
        driver.reload()?;
        driver.recover();
        let taken = Input::Take {
            epoch: taken.epoch,
            binary: env!("CARGO_PKG_VERSION").into(),
        };
        Ok((driver, record, taken))
    }

    /// Gives back what was granted for attempts that never began, and the slots
    /// of processes that are dead.
    fn recover(&mut self) {
        let now = self.around.clock.now();
        let open: BTreeSet<Ticket> = self.run.open_tickets().collect();
        let run = self.run.id().clone();
        let decision = self.arbiter.keep_only(&run, &open, now);
        self.heed(decision);
        let mine: Vec<OwnerId> = self
            .arbiter
            .holds_of(&run)
            .filter_map(|(_, hold)| hold.owner.clone())
            .filter(|owner| *owner != self.owner)
            .collect();
        for owner in mine {
            let decision = self.arbiter.owner_gone(&owner, now);
            self.heed(decision);
        }
    }

    pub(super) fn new(
        around: Surroundings,
        run: Run,
        values: StoreValues,
        epoch: u64,
    ) -> Result<Self, BeginError> {
        let owner = around.store.owner()?;
        let layout = around.store.layout();
        let office = Arc::new(Office {
            blobs: around.store.blobs().clone(),
            reaper: Arc::new(Reaper::new(owner.id().as_str())),
            secrets: around.secrets.clone(),
            mask: mask_of(&run, &values, &around.secrets),
            folders: Folders::new(
                layout
                    .unfinished(owner.id().as_str())
                    .join(run.id().0.as_ref()),
            ),
            logs: layout.logs(run.id()),
        });
        Ok(Self {
            arbiter: Arbiter::new(around.terms.clone()),
            owner: OwnerId(owner.id().as_str().into()),
            reader: around.store.reader()?,
            run,
            around,
            office,
            epoch,
            seq: 0,
            told: 0,
            head: 0,
            summarised: None,
            shared: 0,
            hands: Hands::Busy,
            heard: 0,
            hears_at: tokio::time::Instant::now(),
            arbiter_wake: None,
            values,
            draft: Draft::default(),
            sent: None,
            inputs: VecDeque::new(),
            waiting: std::collections::BTreeMap::new(),
            queued: VecDeque::new(),
            flying: std::collections::BTreeMap::new(),
            granted: std::collections::BTreeMap::new(),
            live: std::collections::BTreeMap::new(),
            tasks: JoinSet::new(),
            sweeps: JoinSet::new(),
            by_task: std::collections::HashMap::new(),
            notes: mpsc::channel(NOTES),
            counts: crate::store::Counts::default(),
            whole: None,
            takeover: None,
        })
    }
}

pub(super) fn check_executors(around: &Surroundings, plan: &Plan) -> Result<(), BeginError> {
    for node in plan.graph.node_weights() {
        if let NodeKind::Step(step) = &node.kind
            && around.executor(&step.step, step.run.as_deref()).is_none()
        {
            return Err(BeginError::NoExecutor {
                step: step.step.clone(),
            });
        }
    }
    Ok(())
}

fn take_inputs(
    around: &Surroundings,
    values: &StoreValues,
    given: Vec<Given>,
) -> Result<Value, BeginError> {
    let inputs = given.into_iter().map(|given| match given {
        Given::Value(value) => Ok(value),
        Given::File(file, media) => take_file(around, values, &file, media),
    });
    let inputs: Vec<Value> = inputs.collect::<Result<_, BeginError>>()?;
    Ok(Value::list(inputs))
}

pub(super) fn take_file(
    around: &Surroundings,
    values: &StoreValues,
    file: &Path,
    media: Media,
) -> Result<Value, BeginError> {
    let kept = around.store.blobs().keep_file(file);
    let failed = |cause| BeginError::File {
        path: file.display().to_string().into(),
        cause,
    };
    let kept = kept.map_err(|error| failed(error.to_string()))?;
    let facts = match media {
        Media::File => std::collections::BTreeMap::new(),
        Media::Image | Media::Video | Media::Audio => {
            let stored = around.store.blobs().open(&kept.digest);
            let facts = stored.map_err(|error| error.to_string());
            let facts = facts.and_then(|stored| (around.inspect)(&stored, media));
            facts.map_err(failed)?
        }
    };
    let artifact = Artifact {
        digest: kept.digest.to_string().into(),
        media,
        bytes: kept.size,
        facts,
    };
    values.keep(kept);
    Ok(Value::Artifact(Arc::new(artifact)))
}

/// Makes a name that is short and can be said.
pub(super) fn name() -> String {
    const FIRST: &[u8; 16] = b"bdfghjklmnprstvz";
    const SECOND: &[u8; 4] = b"aeio";
    let mut bits = RandomState::new().build_hasher().finish();
    let mut name = String::with_capacity(8);
    for _ in 0..4 {
        let first = usize::try_from(bits % 16).unwrap_or(0);
        let second = usize::try_from(bits / 16 % 4).unwrap_or(0);
        name.push(char::from(FIRST[first]));
        name.push(char::from(SECOND[second]));
        bits /= 64;
    }
    name
}
