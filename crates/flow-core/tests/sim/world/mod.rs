//! A world: runs, who lets them spend, the outside, and time; all in one thread
//! and from one seed.

mod act;
mod crash;
mod feed;
mod people;
mod vault;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use flow_core::address::{RunId, Ticket};
use flow_core::amount::{Money, Timestamp};
use flow_core::arbiter::HoldId;
use flow_core::digest::Digest;
use flow_core::event::{BEHAVIOUR, Event, Start, Status};
use flow_core::handle::Values;
use flow_core::plan::Plan;
use flow_core::run::{Action, Input, Prepared, Run, Standing};
use flow_core::step::StepReport;
use flow_core::value::Value;

use crate::dice::Dice;
use crate::gate::{Desk, Gate, Till};
use crate::generate::{self, Taste};
use crate::mutants::Mutant;
use crate::oracle::{Case, Check, Evidence, Fault, judge};
use crate::outside::Outside;
use crate::script::{Call, Mood};

use vault::Vault;

/// What may disturb a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traits {
    pub(crate) mood: Mood,
    /// Holds are committed before intents, on their own.
    pub(crate) is_split: bool,
    /// The till makes attempts wait and refuses some.
    pub(crate) is_moody: bool,
    /// The arbiter stands in place of the till.
    pub(crate) has_desk: bool,
    /// How many crashes there are.
    pub(crate) crashes: u32,
    /// How often people interfere.
    pub(crate) meddling: u32,
    pub(crate) mutant: Option<Mutant>,
}

impl Traits {
    /// Draws what disturbs a world.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = Dice::named(seed, "traits");
        let mood = dice.one(&[Mood::Calm, Mood::Firm, Mood::Rough, Mood::Rough]);
        let is_quiet = dice.percent(25);
        let has_desk = dice.percent(60);
        Self {
            mood,
            is_split: dice.percent(40),
            is_moody: !has_desk && dice.percent(40),
            has_desk,
            crashes: if is_quiet {
                0
            } else {
                dice.one(&[0, 1, 1, 2, 4])
            },
            meddling: if is_quiet {
                0
            } else {
                dice.one(&[0, 0, 1, 3, 6])
            },
            mutant: None,
        }
    }
}

/// Something that will happen.
#[derive(Debug, Clone)]
enum Pending {
    /// A request leaves. Gone after a crash.
    Depart(Box<Call>),
    /// A request arrives, whatever became of who sent it.
    Arrive(Box<Call>),
    /// An answer comes back. Mostly gone after a crash.
    Reply(usize, Ticket, Box<StepReport>),
    /// An attempt has taken too long. Gone after a crash.
    TimeOut(usize, Ticket),
    /// A target says whether something happened. Gone after a crash.
    Find(usize, Ticket),
    /// A wish is carried out. Gone after a crash.
    Wish(usize, Action),
    /// What the till says to a demand arrives. Gone after a crash.
    Grant(usize, HoldId, u64, Box<crate::gate::Reply>),
    /// A person answers.
    Answer(usize, Ticket),
    /// Somebody does something to a run.
    Meddle(usize),
    /// The process dies.
    Crash,
}

/// A run, and what is known of it where it is driven.
struct Live {
    plan: Arc<Plan>,
    inputs: Vec<Value>,
    run: Run,
    log: Vec<Event>,
    /// So many events are safe.
    durable: usize,
    /// What deltas add up to.
    wished: BTreeSet<Action>,
    /// Attempts that were started here, with how far they are.
    doing: BTreeMap<Ticket, Doing>,
    calls: BTreeMap<Ticket, Call>,
    /// What waits for the till, with the number of the demand.
    asking: BTreeMap<HoldId, (u64, Box<Prepared>)>,
}

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Begun,
    Sent,
    Arrived,
}

pub(crate) struct World {
    seed: u64,
    dice: Dice,
    traits: Traits,
    now: Timestamp,
    pending: BTreeMap<(Timestamp, u64), Pending>,
    sequence: u64,
    lives: Vec<Live>,
    /// Which run each event belongs to, in the order of the commits.
    order: Vec<usize>,
    outside: Outside,
    gate: Gate,
    vault: Vault,
    cache: BTreeMap<Digest, Value>,
    project: Option<Money>,
    /// Evaluations and the like, to be handed back at once.
    at_once: VecDeque<(usize, Input)>,
    crashes_left: u32,
    meddling_left: u32,
    /// How often somebody will still look at what is left.
    rounds: u32,
}

/// How much is told of a world with a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    Fault,
    Logs,
}

/// What a world came to.
pub(crate) struct Outcome {
    pub(crate) logs: Vec<Vec<Event>>,
    pub(crate) standings: Vec<Standing>,
    pub(crate) outputs: Vec<Option<Value>>,
    pub(crate) statuses: Vec<Option<Status>>,
    pub(crate) plans: Vec<Arc<Plan>>,
    pub(crate) vault: Vault,
}

/// How many things may happen in a world.
const STEPS_MAX: u32 = 60_000;

impl World {
    pub(crate) fn new(seed: u64, traits: Traits) -> Self {
        // What is drawn here doesn't depend on what disturbs the world.
        let mut dice = Dice::named(seed, "plans");
        let count = dice.one(&[1, 1, 1, 2, 2, 3]);
        let project = dice
            .percent(25)
            .then(|| Money(dice.from(5, 100) * 10_000_000));
        let now = Timestamp(1_790_000_000_000 + dice.from(0, 86_400_000));
        let mut world = Self::empty(seed, traits, project, now);
        for number in 0..count {
            let taste = Taste::draw(&mut dice);
            let plan = Arc::new(generate::plan(&mut dice, taste));
            world.enter(number, plan, &mut dice);
        }
        world
    }

    /// A world without runs.
    fn empty(seed: u64, traits: Traits, project: Option<Money>, now: Timestamp) -> Self {
        let gate_dice = Dice::named(seed, "gate");
        Self {
            seed,
            dice: Dice::named(seed, "world"),
            traits,
            now,
            pending: BTreeMap::new(),
            sequence: 0,
            lives: Vec::new(),
            order: Vec::new(),
            outside: Outside::new(seed, traits.mood),
            gate: if traits.has_desk {
                Gate::Desk(Box::new(Desk::new(gate_dice, project, traits.is_split)))
            } else {
                Gate::Till(Till::new(
                    gate_dice,
                    traits.is_moody,
                    project,
                    traits.mutant,
                ))
            },
            vault: Vault::default(),
            cache: BTreeMap::new(),
            project,
            at_once: VecDeque::new(),
            crashes_left: traits.crashes,
            meddling_left: traits.meddling,
            rounds: 12,
        }
    }

    /// A run begins.
    fn enter(&mut self, number: usize, plan: Arc<Plan>, dice: &mut Dice) {
        let count = dice.below(4);
        let list = (0..count).map(|_| Value::Int(dice.from(0, 9))).collect();
        let inputs = vec![Value::Int(dice.from(0, 9)), Value::list(list)];
        let budget = dice
            .percent(15)
            .then(|| Money(dice.from(5, 60) * 10_000_000));
        let followed = self.sabotaged(&plan);
        let start = Start {
            run: RunId(format!("run-{number}").into()),
            behaviour: BEHAVIOUR,
            plan: followed.digest(),
            inputs: self.vault.put(&Value::list(inputs.clone())),
            files: Vec::new(),
            seed: self.seed,
            budget,
            trigger: None,
            recalled: None,
            estate: None,
            parent: None,
        };
        let (run, event, delta) = Run::start(followed, start, self.now);
        let live = Live {
            plan,
            inputs,
            run,
            log: vec![event],
            durable: 1,
            wished: BTreeSet::new(),
            doing: BTreeMap::new(),
            calls: BTreeMap::new(),
            asking: BTreeMap::new(),
        };
        self.lives.push(live);
        self.order.push(number);
        self.follow(number, delta);
    }

    /// Lets everything happen, and judges it.
    pub(crate) fn live(mut self, tells: Tells) -> Result<Outcome, Fault> {
        if let Err(fault) = self.live_and_judge() {
            let logs = match tells {
                Tells::Fault => String::new(),
                Tells::Logs => self.logs(),
            };
            let what = fault.what + &logs;
            return Err(Fault { what, ..fault });
        }
        let lives = self.lives.iter();
        Ok(Outcome {
            standings: lives.clone().map(|live| live.run.standing()).collect(),
            outputs: lives
                .clone()
                .map(|live| live.run.output(&self.vault))
                .collect(),
            statuses: lives.clone().map(|live| live.run.status()).collect(),
            plans: lives.map(|live| live.run.plan().clone()).collect(),
            vault: self.vault,
            logs: self.lives.into_iter().map(|live| live.log).collect(),
        })
    }

    /// Writes the plans and the logs of a world.
    fn logs(&self) -> String {
        let mut lines = vec![format!("\n{:?}", self.traits)];
        for (number, live) in self.lives.iter().enumerate() {
            lines.push(format!("run {number} stands {:?}", live.run.standing()));
            for (at, node) in live.plan.graph.node_weights().enumerate() {
                lines.push(format!("  node {at} {:?} {:?}", node.parent, node.kind));
            }
            for edge in live.plan.graph.raw_edges() {
                let (from, to) = (edge.source().index(), edge.target().index());
                lines.push(format!("  edge {from} -> {to} {:?}", edge.weight));
            }
            for (at, event) in live.log.iter().enumerate() {
                let safe = if at < live.durable { ' ' } else { '?' };
                lines.push(format!("  {at}{safe} {} {:?}", event.at, event.fact));
            }
        }
        let happened = self.outside.happened.iter();
        lines.extend(happened.map(|done| format!("happened: {done:?}")));
        let charged = self.outside.charged.iter();
        lines.extend(charged.map(|charge| format!("charged: {charge:?}")));
        lines.join("\n")
    }

    fn live_and_judge(&mut self) -> Result<(), Fault> {
        self.fate();
        for number in 0..self.lives.len() {
            self.check_delta(number)?;
            let take = self.take(number);
            self.at_once.push_back((number, take));
        }
        self.go_on()?;
        while self.intervene() {
            self.go_on()?;
        }
        self.judge()?;
        self.check_ledgers()?;
        self.check_replays()?;
        if self.seed.is_multiple_of(3) && self.traits.mutant.is_none() {
            self.check_resumed()?;
        }
        Ok(())
    }

    fn take(&self, number: usize) -> Input {
        Input::Take {
            epoch: self.lives[number].run.epoch() + 1,
            binary: "a world".into(),
        }
    }

    /// Draws what will disturb the world, and when.
    fn fate(&mut self) {
        for _ in 0..self.crashes_left {
            let span = self.dice.one(&[50, 500, 5_000, 60_000]);
            let at = self.dice.from(0, span);
            self.soon(at, Pending::Crash);
        }
        for _ in 0..self.meddling_left {
            let span = self.dice.one(&[50, 500, 5_000, 60_000]);
            let at = self.dice.from(0, span);
            let number = self.dice.at(self.lives.len());
            self.soon(at, Pending::Meddle(number));
        }
    }

    /// Lets time pass until nothing happens any more.
    fn go_on(&mut self) -> Result<(), Fault> {
        for _ in 0..STEPS_MAX {
            if let Some((number, input)) = self.at_once.pop_front() {
                self.feed(number, input)?;
                continue;
            }
            self.serve_gate();
            if !self.at_once.is_empty() {
                continue;
            }
            let next = self.pending.keys().next().copied();
            let wakes = (0..self.lives.len())
                .filter_map(|number| Some((self.lives[number].run.next_wake()?, number)));
            let wake = wakes.min();
            let gate = self.gate.wake(self.now);
            let first = [next.map(|(at, _)| at), wake.map(|(at, _)| at), gate]
                .into_iter()
                .flatten()
                .min();
            let Some(first) = first else {
                return self.check_rest();
            };
            self.now = self.now.max(first);
            if let Some((at, number)) = wake
                && at == first
            {
                self.feed(number, Input::Tick)?;
                continue;
            }
            if let Some(key) = next.filter(|(at, _)| *at == first) {
                let pending = self.pending.remove(&key).unwrap();
                self.happen(pending)?;
            }
        }
        Err(Fault::new(Check::Stall, "it never ends"))
    }

    fn soon(&mut self, millis: i64, pending: Pending) {
        self.sequence += 1;
        let at = Timestamp(self.now.0 + millis);
        self.pending.insert((at, self.sequence), pending);
    }

    /// Nothing happens any more: every run is over, or somebody is waited for.
    fn check_rest(&self) -> Result<(), Fault> {
        for (number, live) in self.lives.iter().enumerate() {
            let standing = live.run.standing();
            if matches!(standing, Standing::Working | Standing::Sleeping(_)) {
                let what = format!(
                    "run {number} is {standing:?} with nothing to come: {:?}, waiting: {}",
                    live.wished,
                    self.gate.waiting()
                );
                return Err(Fault::new(Check::Stall, what));
            }
        }
        Ok(())
    }

    fn judge(&self) -> Result<(), Fault> {
        let cases: Vec<Case> = self
            .lives
            .iter()
            .map(|live| Case {
                plan: live.plan.clone(),
                inputs: live.inputs.clone(),
                log: live.log.clone(),
                standing: live.run.standing(),
            })
            .collect();
        judge(&Evidence {
            cases: &cases,
            order: &self.order,
            outside: &self.outside,
            values: &self.vault,
            project: self.project,
        })
    }
}
