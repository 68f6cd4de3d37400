//! The driver: one loop that walks a run to its end.
//!
//! Everything that can happen to a run comes to [`Driver::drive`] as one input.
//! The run decides what it means; the events are handed to the writer; and what
//! follows is carried out, after the commit if an event had to be synced.
//!
//! Modules, in reading order: what waits for the writer, how an attempt gets
//! what it needs, how it is carried out, by which programs, how a run is begun or
//! taken, how it is changed, and what others want of it.

mod admission;
mod attempts;
mod begin;
mod change;
mod clerk;
mod draft;
mod letters;
mod moved;
mod programs;
mod recall;
mod record;
mod rerun;
mod takeover;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::sync::Arc;
use std::time::Duration as Wait;

use flow_core::address::Ticket;
use flow_core::amount::Timestamp;
use flow_core::arbiter::Arbiter;
use flow_core::digest::Digest;
use flow_core::edit::Takeover;
use flow_core::event::{Event, Fact, Status, Then};
use flow_core::handle::Values;
use flow_core::run::{Action, Costs, Input, Prepared, Run, Standing};
use flow_core::step::{Executor, Plugins};
use flow_core::ty::Media;
use flow_core::value::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::artifacts::BlobError;
use crate::clock::Clock;
use crate::desk::{Note, Office};
use crate::secrets::Secrets;
use crate::store::{
    Admission, Counts, EffectRow, Hold, Level, OpenError, Pending, Phase, ReadError, Reader,
    Refused, Store, Summary,
};
use crate::values::StoreValues;

use attempts::{Ended, Live};
use clerk::Hands;
use moved::Copy;

use draft::{Draft, effect_state, ticket_bytes};

pub use admission::Reuse;
pub(crate) use admission::is_free;
pub(crate) use attempts::{call, late};
pub use begin::{BeginError, Given, NewRun};
pub use change::{Change, ChangeError, NewPlan, propose};
pub use recall::{Known, Over, recall};
pub use rerun::{Rerun, propose_rerun};

/// What carries out steps, by their names.
pub type Executors = BTreeMap<Arc<str>, Arc<dyn Executor>>;

/// Says what is known of a file that is one of these, or why it is none.
pub type Inspect =
    Arc<dyn Fn(&File, Media) -> Result<BTreeMap<Arc<str>, Value>, String> + Send + Sync>;

/// What a driver works with.
#[expect(
    missing_debug_implementations,
    reason = "most of it is somebody else's"
)]
pub struct Surroundings {
    /// Where everything is kept.
    pub store: Arc<Store>,
    /// What carries out steps.
    pub executors: Executors,
    /// What carries out steps that are declared with a command.
    pub plugins: Option<Arc<dyn Plugins>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What secrets hide.
    pub secrets: Secrets,
    /// Says what is known of a picture, a sound or a film that a run begins with.
    pub inspect: Inspect,
    /// How much there is of what runs share.
    pub terms: flow_core::arbiter::Terms,
    /// How many attempts are in progress at once, at most.
    pub parallel: usize,
    /// Whether results of other runs are taken.
    pub reuse: Reuse,
    /// Who is told what happens.
    pub watcher: Box<dyn Watcher>,
}

/// Is told what happens to a run. Events come after they are committed.
pub trait Watcher: Send {
    /// An event is in the store.
    fn event(&mut self, view: &View<'_>, event: &Event);
    /// An attempt says how far it is.
    fn progress(&mut self, ticket: &Ticket, progress: &flow_core::step::Progress);
}

/// A run, as whoever watches sees it.
#[expect(missing_debug_implementations, reason = "it is only looked through")]
pub struct View<'a> {
    /// The run.
    pub run: &'a Run,
    /// The position of the event in its log.
    pub seq: u64,
    values: &'a dyn Values,
}

impl<'a> View<'a> {
    pub(crate) fn new(run: &'a Run, seq: u64, values: &'a dyn Values) -> Self {
        Self { run, seq, values }
    }

    /// Returns the path of an instance.
    pub fn path(&self, at: &flow_core::address::At) -> flow_core::path::StepPath {
        self.run.path(at, self.values)
    }

    /// Returns the value behind a handle.
    pub fn value(&self, handle: &flow_core::handle::Handle) -> Option<Value> {
        self.run.load(handle, self.values)
    }
}

/// What somebody wants of a run that is driven.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Nothing new is to be started; what runs may finish.
    Pause,
    /// Something else, as an input of the run.
    Give(Box<Input>),
}

/// Why a run can't be driven on.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The run has another owner.
    #[error("the run goes on in another process")]
    Fenced,
    /// The store can't be written.
    #[error(transparent)]
    Write(Refused),
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store can't be opened to read it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A large value can't be kept.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The disk is nearly full.
    #[error(
        "the disk of the store is nearly full, so nothing new is started; make room, then resume"
    )]
    NoRoom,
    /// A run that isn't over waits for nothing.
    #[error(
        "the run stopped in the middle, and nothing is left to be done; this is a defect of flow"
    )]
    Stalled,
    /// What is shared by runs can't be read.
    #[error("what runs share can't be read ({0}); it was written by another version of flow")]
    Shared(flow_core::wire::WireError),
    /// A job or an act of before can't be taken up again.
    #[error(
        "the run `{run}` doesn't fit its own log at {ticket}; it was begun by another version of flow"
    )]
    Diverged {
        /// The run.
        run: Box<str>,
        /// The attempt.
        ticket: Box<str>,
    },
}

impl From<Refused> for DriveError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fenced { .. } => Self::Fenced,
            Refused::Begun { .. }
            | Refused::SharedMoved { .. }
            | Refused::Gone { .. }
            | Refused::NoRun { .. }
            | Refused::Failed(_) => Self::Write(refused),
        }
    }
}

/// How the drive ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How the run stands.
    pub standing: Standing,
    /// How it ended, if it did.
    pub status: Option<Status>,
    /// What it has cost.
    pub costs: Costs,
}

/// How long the wall clock is trusted without looking.
const LOOK: Wait = Wait::from_secs(30);

/// How many things are taken up before the writer gets its batch.
const TURN_MAX: usize = 1024;

/// A batch on its way.
struct Sent {
    pending: Pending,
    draft: Draft,
    copy: Option<Copy>,
}

/// A run in this process, and all that is in progress for it.
#[expect(missing_debug_implementations, reason = "most of it is in motion")]
pub struct Driver {
    run: Run,
    around: Surroundings,
    office: Arc<Office>,
    epoch: u64,
    /// How many events were decided.
    seq: u64,
    /// How many events were told, or were there before.
    told: u64,
    /// How many events were handed to the writer.
    head: u64,
    /// How many events were decided when the run was last summarised.
    summarised: Option<u64>,
    arbiter: Arbiter,
    owner: flow_core::arbiter::OwnerId,
    /// The version of what runs share.
    shared: u64,
    hands: Hands,
    /// The number of the last letter that was read.
    heard: u64,
    /// When it is looked for letters again.
    hears_at: tokio::time::Instant,
    arbiter_wake: Option<Timestamp>,
    values: StoreValues,
    /// For what is looked up all the time.
    reader: Reader,
    draft: Draft,
    sent: Option<Sent>,
    inputs: VecDeque<Input>,
    /// Attempts that wait for the arbiter, or for an equal one.
    waiting: BTreeMap<Ticket, Box<Prepared>>,
    /// Attempts that wait until fewer are in progress.
    queued: VecDeque<Ticket>,
    /// Keys of pure attempts in progress, and who waits for them.
    flying: BTreeMap<Digest, Vec<Ticket>>,
    /// Attempts that were granted what they need.
    granted: BTreeMap<Ticket, Box<Prepared>>,
    live: BTreeMap<Ticket, Live>,
    tasks: JoinSet<Ended>,
    /// What attempts left behind, being removed.
    sweeps: JoinSet<()>,
    by_task: HashMap<tokio::task::Id, Ticket>,
    notes: (mpsc::Sender<Note>, mpsc::Receiver<Note>),
    counts: Counts,
    /// What was made before the run last began again, and may be taken over.
    takeover: Option<Takeover>,
    /// The key under which the result is kept for equal runs, as long as all
    /// goes well.
    whole: Option<Digest>,
}

impl Driver {
    /// Returns the run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Returns how many steps are over.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the value that the run gave.
    pub fn output(&self) -> Option<Value> {
        self.run.output(&self.values)
    }

    /// Returns the values of the run.
    pub fn values(&self) -> &dyn Values {
        &self.values
    }

    /// Returns the path of an instance, for people.
    pub fn path(&self, at: &flow_core::address::At) -> flow_core::path::StepPath {
        self.run.path(at, &self.values)
    }

    /// Walks the run until it is over or waits for somebody.
    pub async fn drive(
        &mut self,
        orders: &mut mpsc::Receiver<Order>,
    ) -> Result<Outcome, DriveError> {
        loop {
            // What was said before counts, also for a run that is over.
            while let Ok(order) = orders.try_recv() {
                self.obey(order);
            }
            self.pump()?;
            self.hear()?;
            if self.run.status().is_some() && self.is_quiet() && !self.draft.is_empty() {
                // The end and what is said of it are one commit.
                self.summarise(Standing::Over, Hold::Released);
            }
            self.submit().await?;
            if self.is_starved() {
                return Err(DriveError::NoRoom);
            }
            if self.is_idle()
                && let Some(outcome) = self.rest().await?
            {
                return Ok(outcome);
            }
            self.wait(orders).await?;
        }
    }

    /// Waits until something happens, and takes up all that has.
    async fn wait(&mut self, orders: &mut mpsc::Receiver<Order>) -> Result<(), DriveError> {
        let wake = self.until_wake();
        let lingers = self.lingers().unwrap_or(LOOK);
        let has_tasks = !self.tasks.is_empty();
        tokio::select! {
            biased;
            answer = answer(&mut self.sent) => self.acknowledge(answer).await?,
            Some(order) = orders.recv() => self.obey(order),
            Some(ended) = self.tasks.join_next_with_id(), if has_tasks => self.ended(ended),
            Some(note) = self.notes.1.recv() => self.note(note),
            () = tokio::time::sleep(lingers), if lingers < wake => {}
            () = tokio::time::sleep(wake) => self.tick(),
            // The loop looks for letters.
            () = tokio::time::sleep_until(self.hears_at) => {}
        }
        while self.sweeps.try_join_next().is_some() {}
        for _ in 0..TURN_MAX {
            match self.tasks.try_join_next_with_id() {
                Some(ended) => self.ended(ended),
                None => break,
            }
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Pause => self.inputs.push_back(Input::Pause {
                by: "interrupt".into(),
            }),
            Order::Give(input) => self.inputs.push_back(*input),
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Sent(ticket) => self.inputs.push_back(Input::Sent(ticket)),
            Note::Progress(ticket, progress) => {
                self.around.watcher.progress(&ticket, &progress);
            }
        }
    }

    fn tick(&mut self) {
        self.inputs.push_back(Input::Tick);
        let decision = self.arbiter.tick(self.around.clock.now());
        self.heed(decision);
        self.admit_queued();
    }

    /// Returns how long nothing has to be done unless something happens.
    fn until_wake(&self) -> Wait {
        let wakes = [self.run.next_wake(), self.arbiter_wake];
        let Some(wake) = wakes.into_iter().flatten().min() else {
            return LOOK;
        };
        let millis = wake.0.saturating_sub(self.around.clock.now().0).max(0);
        Wait::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)).min(LOOK)
    }

    /// Takes up all inputs, and all that follows from them at once.
    fn pump(&mut self) -> Result<(), DriveError> {
        self.take_all()?;
        let flushed = self.flush_lazy();
        self.reader.let_go();
        flushed
    }

    fn take_up(&mut self, input: Input) -> Result<(), DriveError> {
        let now = self.around.clock.now();
        let granted = if let Input::Granted(started) = &input {
            Some(started.ticket.clone())
        } else {
            None
        };
        let events = self.run.decide(input, now, &self.values);
        if let Some(fault) = self.values.take_fault() {
            return Err(fault.into());
        }
        for event in events {
            self.record(&event);
        }
        // A grant that began nothing is given back.
        if let Some(ticket) = granted {
            self.give_back(&ticket);
        }
        Ok(())
    }

    /// Folds an event and puts it into the draft; what follows is seen to.
    fn record(&mut self, event: &Event) {
        let delta = self.write_down(event);
        for action in delta {
            match action {
                Action::Evaluate { at, item } => {
                    self.inputs.push_back(Input::Evaluate { at, item });
                }
                Action::Admit { ticket } => self.admit(&ticket),
                Action::Stop { ticket } => self.stop(&ticket),
                Action::Start { .. }
                | Action::Poll { .. }
                | Action::Probe { .. }
                | Action::Ask { .. } => {
                    self.draft.actions.push(action);
                }
            }
        }
    }

    /// Folds an event and puts it into the draft. Returns what should be in
    /// progress now.
    fn write_down(&mut self, event: &Event) -> Vec<Action> {
        let effect = self.effect_before(&event.fact);
        let level = if self.run.is_dear(&event.fact) {
            Level::Synced
        } else {
            Level::Lazy
        };
        let delta = self.run.apply(event);
        self.draft.push(self.seq, event, level);
        self.seq += 1;
        if let Some(effect) = effect {
            self.note_effect(event, effect);
        }
        self.settle(event);
        self.share(event);
        self.keep_whole(event);
        self.count(&event.fact);
        for action in delta.withdrawn {
            self.withdraw(&action);
        }
        if let Fact::Joined { ticket, .. } = &event.fact {
            self.ask_on(ticket);
        }
        delta.actions
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other facts end no attempt")]
    fn count(&mut self, fact: &Fact) {
        match fact {
            Fact::Succeeded { .. } | Fact::Reused { .. } | Fact::Adopted { .. } => {
                self.counts.done += 1;
            }
            Fact::Failed {
                then: Then::Fail, ..
            } => self.counts.failed += 1,
            _ => {}
        }
    }

    /// Returns the effect of the attempt that a fact is the outcome of.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other facts end no attempt")]
    fn effect_before(&self, fact: &Fact) -> Option<flow_core::effect::Effect> {
        let ticket = match fact {
            Fact::AttemptStarted(started) => return Some(started.effect),
            Fact::Succeeded { ticket, .. }
            | Fact::Failed { ticket, .. }
            | Fact::Stopped { ticket, .. }
            | Fact::AttemptLost { ticket, .. }
            | Fact::Probed { ticket, .. }
            | Fact::Resolved { ticket, .. } => ticket,
            _ => return None,
        };
        self.run.effect_of(ticket)
    }

    fn note_effect(&mut self, event: &Event, effect: flow_core::effect::Effect) {
        if !effect.acts() {
            return;
        }
        let Some((ticket, state)) = effect_state(&event.fact) else {
            return;
        };
        self.draft.effects.push(EffectRow {
            ticket: ticket_bytes(ticket),
            state,
            at: event.at,
            idempotency: self
                .granted
                .get(ticket)
                .map_or(Digest([0; 32]), |prepared| prepared.idempotency),
            body: Vec::new(),
        });
    }

    // The writer.

    /// What waits for no commit is carried out at once.
    fn flush_lazy(&mut self) -> Result<(), DriveError> {
        loop {
            let actions = std::mem::take(&mut self.draft.actions);
            let (wait, go): (Vec<_>, Vec<_>) =
                actions.into_iter().partition(|action| self.waits(action));
            self.draft.actions = wait;
            if go.is_empty() && self.inputs.is_empty() {
                return Ok(());
            }
            for action in go {
                self.carry_out(action)?;
            }
            self.take_all()?;
        }
    }

    /// Returns how much longer the draft waits for what is in progress.
    fn lingers(&self) -> Option<Wait> {
        self.draft.linger().filter(|_| !self.live.is_empty())
    }

    /// Hands the draft to the writer, unless one is on its way.
    async fn submit(&mut self) -> Result<(), DriveError> {
        if self.sent.is_some() || self.draft.is_empty() || self.lingers().is_some() {
            return Ok(());
        }
        let mut draft = std::mem::take(&mut self.draft);
        draft.values = self.values.take_fresh();
        let run = self.run.id().clone();
        let mut batch = draft.batch(&run, self.epoch, self.head);
        self.head = self.seq;
        batch.shared = self.shared_change();
        let copy = Copy::of(&batch);
        let pending = self.around.store.send(batch).await?;
        self.sent = Some(Sent {
            pending,
            draft,
            copy,
        });
        Ok(())
    }

    /// A batch is in the store, or isn't.
    async fn acknowledge(
        &mut self,
        answer: Result<crate::store::Committed, Refused>,
    ) -> Result<(), DriveError> {
        let Some(sent) = self.sent.take() else {
            return Ok(());
        };
        match (answer, sent.copy) {
            (Ok(_), _) => {}
            (Err(Refused::SharedMoved { .. }), Some(copy)) => {
                return self.catch_up(sent.draft, copy).await;
            }
            (Err(refused), _) => return Err(refused.into()),
        }
        for event in &sent.draft.told {
            let view = View {
                run: &self.run,
                seq: self.told,
                values: &self.values,
            };
            self.around.watcher.event(&view, event);
            self.told += 1;
        }
        for action in sent.draft.actions {
            self.carry_out(action)?;
        }
        Ok(())
    }

    // Rest.

    /// Returns whether nothing is in progress, nor has to be written.
    fn is_idle(&self) -> bool {
        self.is_quiet() && self.draft.is_empty()
    }

    /// Returns whether nothing is in progress.
    fn is_quiet(&self) -> bool {
        self.inputs.is_empty()
            && self.sent.is_none()
            && self.live.is_empty()
            && self.waiting.is_empty()
            && self.queued.is_empty()
    }

    /// Returns whether nothing goes on for want of room on the disk.
    fn is_starved(&self) -> bool {
        !self.queued.is_empty()
            && self.live.is_empty()
            && self.sent.is_none()
            && self.draft.is_empty()
            && !self.has_room()
    }

    /// Nothing is in progress: says how the run stands, unless it sleeps.
    async fn rest(&mut self) -> Result<Option<Outcome>, DriveError> {
        let standing = self.run.standing();
        match standing {
            Standing::Working => return Err(DriveError::Stalled),
            // Who sleeps hears what is said to it.
            Standing::Sleeping(_) => return Ok(None),
            Standing::Waiting
            | Standing::Unknown
            | Standing::Short
            | Standing::Paused
            | Standing::Over => {}
        }
        if self.summarised != Some(self.seq) {
            self.summarise(standing, Hold::Released);
        }
        self.write_all().await?;
        self.tidy();
        while self.sweeps.join_next().await.is_some() {}
        Ok(Some(Outcome {
            standing,
            status: self.run.status(),
            costs: self.run.costs(),
        }))
    }

    /// Waits until all that was decided is in the store.
    async fn write_all(&mut self) -> Result<(), DriveError> {
        self.submit().await?;
        while self.sent.is_some() {
            let answer = answer(&mut self.sent).await;
            self.acknowledge(answer).await?;
        }
        Ok(())
    }

    fn summarise(&mut self, standing: Standing, hold: Hold) {
        self.summarised = Some(self.seq);
        let phase = match (standing, self.run.status()) {
            (Standing::Over, Some(Status::Succeeded)) => Phase::Succeeded,
            (Standing::Over, Some(Status::Cancelled)) => Phase::Cancelled,
            (Standing::Over, Some(Status::Failed) | None) => Phase::Failed,
            (Standing::Working, _) => Phase::Working,
            (Standing::Sleeping(_), _) => Phase::Sleeping,
            (Standing::Waiting | Standing::Unknown, _) => Phase::Waiting,
            (Standing::Short, _) => Phase::Short,
            (Standing::Paused, _) => Phase::Paused,
        };
        let costs = self.run.costs();
        self.draft.level = Level::Synced;
        self.draft.hold = hold;
        self.draft.summary = Some(Summary {
            at: self.run.last_at(),
            phase,
            counts: self.counts,
            spent: costs.spent.saturating_add(costs.presumed),
            held: costs.held,
            wake: self.run.next_wake(),
            note: None,
        });
    }

    /// Returns whether there is room for new work on the disk.
    fn has_room(&self) -> bool {
        *self.around.store.admission().borrow() == Admission::Open
    }
}

/// Waits for the answer to the batch on its way, if there is one.
async fn answer(sent: &mut Option<Sent>) -> Result<crate::store::Committed, Refused> {
    match sent {
        Some(sent) => (&mut sent.pending).await,
        None => std::future::pending().await,
    }
}
