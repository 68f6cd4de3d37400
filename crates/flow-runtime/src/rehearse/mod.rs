//! Rehearsals: runs in a time that is only a number.
//!
//! A rehearsal drives runs as [`driver`](crate::driver) does, by the same
//! machines and with the same outcome for the same answers, but keeps nothing:
//! there is no store, no owner and no commit. Who plays the steps is asked for
//! every attempt; where nothing is in progress, the clock jumps to the next
//! instant at which something happens. So a run that waits for a day is over at
//! once, and the same answers give the same run.
//!
//! Runs of one rehearsal come one after the other, and share what runs of a
//! store share: budgets, pools, results that are kept, and the time.
//!
//! Modules, in reading order: the time, who plays the steps and what they see and
//! remember, the values; how an attempt gets what it needs, and how it is carried out.

mod clock;

mod cast;
mod memory;
mod props;
mod values;

mod admission;
mod attempts;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use flow_core::address::{At, RunId, Ticket};
use flow_core::amount::{Money, Timestamp};
use flow_core::arbiter::{Arbiter, OwnerId, Terms};
use flow_core::digest::Digest;
use flow_core::event::{BEHAVIOUR, Event, FoundProgram, PinnedFile, Start, Status};
use flow_core::handle::{Handle, Values};
use flow_core::memory::Finished;
use flow_core::path::StepPath;
use flow_core::plan::Plan;
use flow_core::run::{Action, Input, Prepared, Run};
use flow_core::step::Program;
use flow_core::value::Value;

use crate::driver::{Outcome, View, Watcher};

use attempts::Due;
use values::MemoryValues;

pub use cast::{Answer, Cast};
pub use clock::SimulatedClock;
pub use memory::RehearsedMemory;
pub use props::Props;

/// What runs of a rehearsal share.
#[expect(missing_debug_implementations, reason = "most of it is in motion")]
pub struct Rehearsal {
    clock: SimulatedClock,
    arbiter: Arbiter,
    arbiter_wake: Option<Timestamp>,
    owner: OwnerId,
    values: MemoryValues,
    /// Results that are shared, by their keys.
    kept: BTreeMap<Digest, Kept>,
    memory: RehearsedMemory,
    props: Arc<Props>,
    parallel: usize,
    events_max: u64,
}

/// A result that is shared between runs.
struct Kept {
    value: Handle,
    expires: Option<Timestamp>,
    from: flow_core::event::Origin,
}

/// How a rehearsal is done.
#[derive(Debug)]
pub struct Terrain {
    /// The time, which whoever has a copy of it can read.
    pub clock: SimulatedClock,
    /// How much there is of what runs share.
    pub terms: Terms,
    /// What outlives runs; whoever has a copy of it sees the same.
    pub memory: RehearsedMemory,
    /// The files that values refer to.
    pub props: Arc<Props>,
    /// How many attempts are in progress at once, at most.
    pub parallel: usize,
    /// How many events a run may have before it is given up.
    pub events_max: u64,
}

/// A run that is to be rehearsed.
#[derive(Debug, Clone)]
pub struct NewRehearsal {
    /// What it is called.
    pub run: RunId,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The arguments of the workflow, in order.
    pub inputs: Vec<Value>,
    /// The files of the project that the plan names.
    pub files: Vec<(Arc<str>, Value)>,
    /// What all draws come from.
    pub seed: u64,
    /// The most that the run may spend.
    pub budget: Option<Money>,
}

/// A run after its rehearsal.
#[derive(Debug)]
pub struct Rehearsed {
    /// The run, as far as it came.
    pub run: Run,
    /// How it stands, and what it has cost.
    pub outcome: Outcome,
    /// What it gave.
    pub output: Option<Value>,
    /// When it came to rest.
    pub ended: Timestamp,
    /// How many events it has.
    pub events: u64,
    /// Whether it came to rest by itself.
    pub rest: Rest,
}

/// Whether a run came to rest by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// It did.
    Itself,
    /// It had too many events, and was given up.
    GivenUp,
}

impl Rehearsal {
    /// Begins with nothing spent and nothing kept.
    pub fn new(terrain: Terrain) -> Self {
        Self {
            clock: terrain.clock,
            arbiter: Arbiter::new(terrain.terms),
            arbiter_wake: None,
            owner: OwnerId("rehearsal".into()),
            values: MemoryValues::default(),
            kept: BTreeMap::new(),
            memory: terrain.memory,
            props: terrain.props,
            parallel: terrain.parallel,
            events_max: terrain.events_max,
        }
    }

    /// Walks a run until it is over, or nothing is left that could happen.
    ///
    /// Who watches is told of each event just before the run knows of it.
    pub async fn play(
        &mut self,
        new: NewRehearsal,
        cast: &mut dyn Cast,
        watcher: &mut dyn Watcher,
    ) -> Rehearsed {
        let files = new.files.into_iter().map(|(path, artifact)| PinnedFile {
            path,
            artifact: self.values.put(&artifact),
        });
        let start = Start {
            run: new.run,
            behaviour: BEHAVIOUR,
            plan: Digest([0; 32]),
            files: files.collect(),
            inputs: self.values.put(&Value::list(new.inputs)),
            seed: new.seed,
            budget: new.budget,
            trigger: None,
            recalled: None,
            estate: None,
            parent: None,
        };
        let (run, event, delta) = Run::start(new.plan, start, self.clock.get());
        let mut playing = Playing {
            run,
            stage: self,
            cast,
            watcher,
            events: 1,
            turns: 0,
            inputs: VecDeque::new(),
            actions: VecDeque::new(),
            waiting: BTreeMap::new(),
            queued: VecDeque::new(),
            flying: BTreeMap::new(),
            granted: BTreeMap::new(),
            live: BTreeMap::new(),
            due: BTreeMap::new(),
        };
        playing.tell(&event);
        // Before anything is looked up by what a program consists of.
        playing.take_up(programs(playing.run.plan()));
        for action in delta.actions {
            playing.wish(action);
        }
        let rest = playing.go().await;
        playing.end(rest)
    }

    /// Returns the path of an instance of one of its runs.
    pub fn path(&self, run: &Run, at: &At) -> StepPath {
        run.path(at, &self.values)
    }
}

/// A run that is played.
struct Playing<'a> {
    run: Run,
    stage: &'a mut Rehearsal,
    cast: &'a mut dyn Cast,
    watcher: &'a mut dyn Watcher,
    /// How many events were decided.
    events: u64,
    /// How often anything happened at all.
    turns: u64,
    inputs: VecDeque<Input>,
    /// What is carried out when nothing is left to be decided.
    actions: VecDeque<Action>,
    /// Attempts that wait for the arbiter, or for an equal one.
    waiting: BTreeMap<Ticket, Box<Prepared>>,
    /// Attempts that wait until fewer are in progress.
    queued: VecDeque<Ticket>,
    /// Keys of pure attempts in progress, and who waits for them.
    flying: BTreeMap<Digest, Vec<Ticket>>,
    /// Attempts that were granted what they need.
    granted: BTreeMap<Ticket, Box<Prepared>>,
    /// Attempts in progress, and when they answer, if they do.
    live: BTreeMap<Ticket, Option<(Timestamp, u64)>>,
    /// What happens at which instant; at one, in the order in which it was
    /// begun.
    due: BTreeMap<(Timestamp, u64), Due>,
}

/// How often things may happen for each event that there may be.
const TURNS_PER_EVENT: u64 = 8;

impl Playing<'_> {
    async fn go(&mut self) -> Rest {
        loop {
            self.turns += 1;
            let turns_max = self.stage.events_max.saturating_mul(TURNS_PER_EVENT);
            if self.events > self.stage.events_max || self.turns > turns_max {
                return Rest::GivenUp;
            }
            if let Some(input) = self.inputs.pop_front() {
                self.take_up(input);
            } else if let Some(action) = self.actions.pop_front() {
                self.carry_out(action);
            } else if self.run.status().is_some() || !self.pass_time().await {
                return Rest::Itself;
            }
        }
    }

    /// Goes on to the next instant at which something happens, if there is one.
    async fn pass_time(&mut self) -> bool {
        let answer = self.due.first_key_value().map(|((at, _), _)| *at);
        let wakes = [self.run.next_wake(), self.stage.arbiter_wake];
        let wake = wakes.into_iter().flatten().min();
        let Some(next) = answer.into_iter().chain(wake).min() else {
            return false;
        };
        self.stage.clock.go_on_to(next);
        if answer == Some(next)
            && let Some((_, due)) = self.due.pop_first()
        {
            self.happen(due).await;
        } else {
            self.tick();
        }
        true
    }

    fn tick(&mut self) {
        self.inputs.push_back(Input::Tick);
        let decision = self.stage.arbiter.tick(self.stage.clock.get());
        self.heed(decision);
        self.admit_queued();
    }

    fn take_up(&mut self, input: Input) {
        let granted = if let Input::Granted(started) = &input {
            Some(started.ticket.clone())
        } else {
            None
        };
        let now = self.stage.clock.get();
        let events = self.run.decide(input, now, &self.stage.values);
        for event in events {
            self.record(&event);
        }
        // A grant that began nothing is given back.
        if let Some(ticket) = granted {
            self.give_back(&ticket);
        }
    }

    fn record(&mut self, event: &Event) {
        // What an event ends has its name only before.
        self.tell(event);
        let delta = self.run.apply(event);
        self.events += 1;
        self.settle(event);
        self.share(event);
        for action in delta.withdrawn {
            self.withdraw(&action);
        }
        for action in delta.actions {
            self.wish(action);
        }
    }

    fn tell(&mut self, event: &Event) {
        let view = View::new(&self.run, self.events, &self.stage.values);
        self.watcher.event(&view, event);
    }

    fn wish(&mut self, action: Action) {
        match action {
            Action::Evaluate { at, item } => self.inputs.push_back(Input::Evaluate { at, item }),
            Action::Admit { ticket } => self.admit(&ticket),
            Action::Stop { ticket } => self.stop(&ticket),
            // Nobody answers but who plays, and that is asked when it begins.
            Action::Ask { .. } => {}
            Action::Start { .. } | Action::Poll { .. } | Action::Probe { .. } => {
                self.actions.push_back(action);
            }
        }
    }

    fn end(self, rest: Rest) -> Rehearsed {
        let outcome = Outcome {
            standing: self.run.standing(),
            status: self.run.status(),
            costs: self.run.costs(),
        };
        // What was granted and never settled is no other run's business.
        let open = self.run.open_tickets().collect();
        let now = self.stage.clock.get();
        let arbiter = &mut self.stage.arbiter;
        arbiter.keep_only(self.run.id(), &open, now);
        drop(arbiter.changes());
        self.stage.arbiter_wake = None;
        self.remember(now);
        Rehearsed {
            output: self.run.output(&self.stage.values),
            outcome,
            ended: now,
            events: self.events,
            rest,
            run: self.run,
        }
    }

    /// Keeps what the run gave for those that come after it.
    fn remember(&self, now: Timestamp) {
        let status = self.run.status();
        if status != Some(Status::Succeeded) {
            return;
        }
        let finished = Finished {
            number: 0,
            run: self.run.id().clone(),
            started: self.run.started_at(),
            finished: now,
            cost: self.run.costs().spent,
            output: self.run.output(&self.stage.values),
        };
        let workflow = self.run.workflow().clone();
        self.stage.memory.finish(workflow, finished);
    }

    fn prepare(&mut self, ticket: &Ticket) -> Result<Prepared, flow_core::event::Failure> {
        let now = self.stage.clock.get();
        let arbiter = RefCell::new(&mut self.stage.arbiter);
        let day = |period| arbiter.borrow_mut().day(period, now);
        self.run.prepare(ticket, &day, &self.stage.values)
    }
}

/// Says what the programs of a plan consist of. Nobody starts them here, so they
/// are what they are called.
fn programs(plan: &Plan) -> Input {
    let found = plan.commands().into_iter().map(|run| FoundProgram {
        program: Some(Program {
            digest: Digest::of(run.as_bytes()),
            variables: Vec::new(),
        }),
        run,
    });
    Input::Programs(found.collect())
}
