//! Runs of small workflows against scripted answers, in a time that is only a
//! number. The script is in the file, in lines that begin with `#>`; beside it
//! is the log that the run must have, rewritten by `UPDATE=1`.
//!
//! ```text
//! #> name: "fox"                       an input, as JSON
//! #> w/draw: fail transient | ok "x"   answers of a step, by its path
//! #> at 5s: pause                      what happens meanwhile
//! ```
//!
//! An answer is `ok JSON`, `fail CLASS [unsent|maybe]`, `never`, `job`, `ask`,
//! or `found yes|no|?`, followed by `for $0.04` and `in 3s` if that matters.
//! What isn't scripted succeeds after a second with the least value of its type.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use flow_core::address::{At, RunId, Ticket};
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::effect::{Effect, FailureClass};
use flow_core::event::{BEHAVIOUR, Event, Fact, Grant, Start, Then, Timer};
use flow_core::handle::{Handle, SMALL_MAX, Values};
use flow_core::plan::Plan;
use flow_core::run::{Action, Input, Run, Standing};
use flow_core::step::{Bill, Found, Question, Sent, StepFailure, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;

use crate::project::{compile, root};

#[derive(Default)]
struct Memory(RefCell<BTreeMap<Digest, Value>>);

impl Values for Memory {
    fn get(&self, digest: &Digest) -> Option<Value> {
        self.0.borrow().get(digest).cloned()
    }

    fn put(&self, value: &Value) -> Handle {
        let mut bytes = Vec::new();
        value.encode(&mut bytes).unwrap();
        if bytes.len() <= SMALL_MAX {
            return Handle::Small(value.clone());
        }
        let digest = Digest::of(&bytes);
        self.0.borrow_mut().insert(digest, value.clone());
        Handle::Stored(Arc::new(digest))
    }
}

#[derive(Debug, Clone)]
struct Answer {
    words: String,
    cost: Option<Money>,
    after: Duration,
}

#[derive(Debug, Default)]
struct Script {
    inputs: BTreeMap<String, serde_json::Value>,
    answers: BTreeMap<String, VecDeque<Answer>>,
    orders: Vec<(Duration, String)>,
}

impl Script {
    fn read(text: &str) -> Self {
        let mut script = Self::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("#> ")) {
            let (name, rest) = line.split_once(": ").unwrap();
            if let Some(when) = name.strip_prefix("at ") {
                let order = (when.parse().unwrap(), rest.to_owned());
                script.orders.push(order);
            } else if name.contains('/') {
                let answers = rest.split(" | ").map(answer).collect();
                script.answers.insert(name.to_owned(), answers);
            } else {
                let value = serde_json::from_str(rest).unwrap();
                script.inputs.insert(name.to_owned(), value);
            }
        }
        script
    }
}

fn answer(text: &str) -> Answer {
    let (text, after) = match text.rsplit_once(" in ") {
        Some((text, after)) => (text, after.parse().unwrap()),
        None => (text, Duration::SECOND),
    };
    let (text, cost) = match text.rsplit_once(" for ") {
        Some((text, cost)) => (text, Some(cost.parse().unwrap())),
        None => (text, None),
    };
    Answer {
        words: text.trim().to_owned(),
        cost,
        after,
    }
}

/// Returns the least value of a type.
fn least(ty: &Type) -> Value {
    match ty {
        Type::Text(_) | Type::Model => Value::text(""),
        Type::Int(bounds) => Value::Int(bounds.min.unwrap_or(0)),
        Type::Float(bounds) => Value::Float(bounds.min.unwrap_or(0.0)),
        Type::Bool => Value::Bool(false),
        Type::Duration(_) => Value::Duration(Duration(0)),
        Type::Money(_) => Value::Money(Money(0)),
        Type::Time => Value::Time(Timestamp(0)),
        Type::List(list) => {
            let count = list.length.min.unwrap_or(0);
            Value::list((0..count).map(|_| least(&list.item)).collect())
        }
        Type::Record(record) => {
            let fields = record.fields.iter();
            let fields = fields.map(|field| (field.name.clone(), least(&field.ty)));
            Value::Record(Arc::new(fields.collect()))
        }
        Type::Map(_) => Value::Record(Arc::default()),
        Type::Enum(words) => Value::Enum(words.variants[0].name.clone()),
        _ => Value::None,
    }
}

struct World {
    plan: Arc<Plan>,
    run: Run,
    log: Vec<Event>,
    memory: Memory,
    script: Script,
    now: Timestamp,
    /// What steps will answer, and when.
    due: BTreeMap<(Timestamp, usize), Input>,
    count: usize,
}

impl World {
    fn begin(plan: Plan, script: Script) -> Self {
        let memory = Memory::default();
        let plan = Arc::new(plan);
        let params = &plan.root().params;
        let inputs = params.iter().map(|param| {
            let given = script.inputs.get(&*param.name);
            match (given, &param.value) {
                (Some(json), _) => flow_core::json::from_json(json, &param.ty).unwrap(),
                (None, Some(flow_core::expr::Expr::Const(value))) => value.clone(),
                (None, _) => panic!("the script gives no `{}`", param.name),
            }
        });
        let start = Start {
            run: RunId("r1".into()),
            behaviour: BEHAVIOUR,
            plan: plan.digest(),
            inputs: memory.put(&Value::list(inputs.collect())),
            files: Vec::new(),
            seed: 1,
            budget: None,
            trigger: None,
        };
        let now = Timestamp(0);
        let (run, event, delta) = Run::start(plan.clone(), start, now);
        let mut world = Self {
            plan,
            run,
            log: vec![event],
            memory,
            script,
            now,
            due: BTreeMap::new(),
            count: 0,
        };
        world.carry_out(delta.actions);
        world
    }

    fn give(&mut self, input: Input) {
        let events = self.run.decide(input, self.now, &self.memory);
        for event in events {
            let delta = self.run.apply(&event);
            self.log.push(event);
            self.carry_out(delta.actions);
        }
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Evaluate { at, item } => self.give(Input::Evaluate { at, item }),
                Action::Admit { ticket } => self.admit(&ticket),
                Action::Start { ticket } | Action::Poll { ticket } => self.answer(&ticket),
                Action::Probe { ticket } => self.probe(&ticket),
                Action::Stop { ticket } => {
                    let report = StepReport::Stopped {
                        sent: Sent::Maybe,
                        bill: None,
                    };
                    self.later(Duration::SECOND, Input::Reported { ticket, report });
                }
                Action::Ask { .. } => {}
            }
        }
    }

    fn admit(&mut self, ticket: &Ticket) {
        let day = |_| Arc::from("2026-05-01");
        let input = match self.run.prepare(ticket, &day, &self.memory) {
            Ok(prepared) => {
                let grant = Grant {
                    hold: prepared.demand.amount,
                    ..Grant::default()
                };
                Input::Granted(Box::new(prepared.intent(grant)))
            }
            Err(failure) => Input::Refused {
                ticket: ticket.clone(),
                why: flow_core::run::Refusal::Unready(failure),
            },
        };
        self.give(input);
    }

    fn later(&mut self, after: Duration, input: Input) {
        self.count += 1;
        let at = self.now.checked_add(after).unwrap();
        self.due.insert((at, self.count), input);
    }

    fn next_answer(&mut self, ticket: &Ticket) -> Option<Answer> {
        let path = self.run.path(&ticket.at, &self.memory).to_string();
        let answers = self.script.answers.get_mut(&path)?;
        answers.pop_front()
    }

    fn answer(&mut self, ticket: &Ticket) {
        let node = self.plan.node(ticket.at.node);
        let ty = node.ty.clone().unwrap_or(Type::Json);
        let answer = self.next_answer(ticket).unwrap_or_else(|| answer("ok"));
        let bill = answer.cost.map(Bill::Exact);
        let (word, rest) = answer.words.split_once(' ').unwrap_or((&answer.words, ""));
        let report = match word {
            "ok" if rest.is_empty() => StepReport::Done {
                value: least(&ty),
                bill: bill.unwrap_or_default(),
            },
            "ok" => {
                let json = serde_json::from_str(rest).unwrap();
                StepReport::Done {
                    value: flow_core::json::from_json(&json, &ty).unwrap(),
                    bill: bill.unwrap_or_default(),
                }
            }
            "fail" => {
                let (class, sent) = rest.split_once(' ').unwrap_or((rest, "refused"));
                StepReport::Failed(StepFailure {
                    class: FailureClass::from_word(class).unwrap(),
                    sent: match sent {
                        "unsent" => Sent::No,
                        "maybe" => Sent::Maybe,
                        _ => Sent::Refused,
                    },
                    bill,
                    retry_after: None,
                    message: class.into(),
                })
            }
            "job" => StepReport::Submitted {
                job: Value::text("job 1"),
                expires: None,
            },
            "ask" => StepReport::Ask(Question {
                form: Value::text("?"),
                answer: ty,
                shown: Digest::of(b"?"),
                expires: self.now.checked_add(Duration::HOUR),
                otherwise: None,
            }),
            "never" => return,
            other => panic!("no answer is called `{other}`"),
        };
        let ticket = ticket.clone();
        self.later(answer.after, Input::Reported { ticket, report });
    }

    fn probe(&mut self, ticket: &Ticket) {
        let answer = self
            .next_answer(ticket)
            .unwrap_or_else(|| answer("found ?"));
        let found = match &*answer.words {
            "found yes" => {
                let ty = self.plan.node(ticket.at.node).ty.clone();
                Found::Yes(ty.map_or(Value::None, |ty| least(&ty)))
            }
            "found no" => Found::No,
            _ => Found::CannotTell,
        };
        let ticket = ticket.clone();
        self.later(answer.after, Input::Found { ticket, found });
    }

    fn order(&mut self, order: &str) {
        let by: Arc<str> = "ann".into();
        let (word, rest) = order.split_once(' ').unwrap_or((order, ""));
        let place = |run: &Run| -> At {
            let live = run
                .outstanding()
                .into_iter()
                .filter_map(|action| match action {
                    Action::Start { ticket } | Action::Ask { ticket } | Action::Poll { ticket } => {
                        Some(ticket.at)
                    }
                    _ => None,
                });
            let mut fitting = live.filter(|at| run.path(at, &self.memory).to_string() == rest);
            fitting.next().unwrap_or_default()
        };
        let input = match word {
            "pause" => Input::Pause { by },
            "resume" => Input::Resume { by },
            "reopen" => Input::Reopen { by },
            "cancel" => Input::Cancel {
                scope: place(&self.run),
                by,
                why: "enough".into(),
            },
            "answer" => {
                let (path, json) = rest.split_once(' ').unwrap();
                let ticket = self
                    .run
                    .outstanding()
                    .into_iter()
                    .find_map(|action| match action {
                        Action::Ask { ticket }
                            if self.run.path(&ticket.at, &self.memory).to_string() == path =>
                        {
                            Some(ticket)
                        }
                        _ => None,
                    });
                let ticket = ticket.unwrap();
                let ty = self.plan.node(ticket.at.node).ty.clone().unwrap();
                let json = serde_json::from_str(json).unwrap();
                Input::Answer {
                    ticket,
                    shown: Digest::of(b"?"),
                    value: flow_core::json::from_json(&json, &ty).unwrap(),
                    by,
                }
            }
            "crash" => {
                self.crash();
                return;
            }
            other => panic!("no order is called `{other}`"),
        };
        self.give(input);
    }

    /// Everything is forgotten but the log.
    fn crash(&mut self) {
        self.due.clear();
        let plan = self.plan.clone();
        self.run = Run::replay(&|_| Some(plan.clone()), self.log.clone()).unwrap();
        let epoch = self.run.epoch() + 1;
        let binary = "test".into();
        let taken = self
            .run
            .decide(Input::Take { epoch, binary }, self.now, &self.memory);
        for event in taken {
            self.run.apply(&event);
            self.log.push(event);
        }
        self.carry_out(self.run.outstanding());
    }

    fn live(&mut self) {
        let mut orders: VecDeque<_> = std::mem::take(&mut self.script.orders).into();
        for _ in 0..100_000 {
            let order = orders
                .front()
                .map(|(after, _)| Timestamp(0).checked_add(*after).unwrap());
            let answer = self.due.keys().next().map(|(at, _)| *at);
            let wake = self.run.next_wake();
            let next = [order, answer, wake].into_iter().flatten().min();
            let Some(next) = next else { return };
            self.now = self.now.max(next);
            if order.is_some_and(|at| at <= self.now) {
                let (_, order) = orders.pop_front().unwrap();
                self.order(&order);
            } else if answer.is_some_and(|at| at <= self.now) {
                let (_, input) = self.due.pop_first().unwrap();
                self.give(input);
            } else {
                self.give(Input::Tick);
            }
        }
        panic!("the run doesn't end: {:#?}", self.run.outstanding());
    }

    fn printed(&self) -> String {
        let mut out = String::new();
        for event in &self.log {
            let at = Duration(event.at.0 * Duration::MILLISECOND.0);
            writeln!(out, "{:>8}  {}", at.to_string(), self.fact(&event.fact)).unwrap();
        }
        let standing = self.run.standing();
        let costs = self.run.costs();
        write!(out, "{standing:?}").unwrap();
        if let Some(status) = self.run.status() {
            write!(out, " {status:?}").unwrap();
        }
        if costs.spent > Money(0) || costs.presumed > Money(0) {
            write!(out, ", spent {}, presumed {}", costs.spent, costs.presumed).unwrap();
        }
        if let Some(output) = self.run.output(&self.memory)
            && let Some(ty) = &self.plan.node(flow_core::plan::NodeId(0)).ty
        {
            let json = flow_core::json::to_json(&output, ty).unwrap();
            write!(out, ": {json}").unwrap();
        }
        out.push('\n');
        out
    }

    fn fact(&self, fact: &Fact) -> String {
        let path = |at: &At| {
            let node = self.run.plan_path(at.node);
            if at.ords.is_empty() {
                node.to_string()
            } else {
                format!("{node} {:?}", at.ords.as_slice())
            }
        };
        let attempt = |ticket: &Ticket| format!("{}#{}", path(&ticket.at), ticket.attempt);
        match fact {
            Fact::RunStarted(_) => "started".into(),
            Fact::OwnerTook { epoch, .. } => format!("taken by owner {epoch}"),
            Fact::PauseAsked { by } => format!("paused by {by}"),
            Fact::ResumeAsked { by } => format!("resumed by {by}"),
            Fact::CancelAsked { scope, .. } => format!("{} cancelled", path(scope)),
            Fact::Opened { at, within, budget } => {
                let within = within.map(|within| format!(" within {within}"));
                let budget = budget.as_ref().map(|set| format!(" budget {}", set.amount));
                format!(
                    "{} opened{}{}",
                    path(at),
                    within.unwrap_or_default(),
                    budget.unwrap_or_default()
                )
            }
            Fact::Reopened { .. } => "reopened".into(),
            Fact::RunSettled { status, .. } => format!("settled: {status:?}"),
            Fact::ItemsExpanded {
                at,
                count,
                parallel,
                ..
            } => format!("{} has {count} items, {parallel} at once", path(at)),
            Fact::BranchTaken { at, arm } => match arm {
                Some(arm) => format!("{} takes arm {arm}", path(at)),
                None => format!("{} takes no arm", path(at)),
            },
            Fact::RoundOpened { at, round, .. } => format!("{} begins round {round}", path(at)),
            Fact::RaceWon { at, arm } => format!("{} is won by {arm}", path(at)),
            Fact::Yielded { at, item, .. } => match item {
                Some(item) => format!("{}[{item}] has its value", path(at)),
                None => format!("{} has its value", path(at)),
            },
            Fact::Broke {
                at,
                item,
                failure,
                then,
            } => format!(
                "{}{} broke ({}: {}), {}",
                path(at),
                item.map(|item| format!("[{item}]")).unwrap_or_default(),
                failure.class.word(),
                failure.message,
                what(*then)
            ),
            Fact::AttemptStarted(started) => {
                let hold = started.grant.hold;
                let effect = if started.effect == Effect::Pure {
                    String::new()
                } else {
                    format!(" ({})", started.effect)
                };
                let hold = (hold > Money(0)).then(|| format!(", holds {hold}"));
                format!(
                    "{} starts{effect}{}",
                    attempt(&started.ticket),
                    hold.unwrap_or_default()
                )
            }
            Fact::Submitted { ticket, .. } => format!("{} handed in a job", attempt(ticket)),
            Fact::Succeeded { ticket, .. } => format!("{} succeeded", attempt(ticket)),
            Fact::Failed {
                ticket,
                failure,
                then,
                ..
            } => format!(
                "{} failed ({}), {}",
                attempt(ticket),
                failure.class.word(),
                what(*then)
            ),
            Fact::Stopped { ticket, then, .. } => {
                format!("{} stopped, {}", attempt(ticket), what(*then))
            }
            Fact::AttemptLost { ticket, then, .. } => {
                format!("{} was lost, {}", attempt(ticket), what(*then))
            }
            Fact::Probed {
                ticket,
                found,
                then,
            } => match found {
                Some(_) => format!("{} was found", attempt(ticket)),
                None => format!("{} was not found, {}", attempt(ticket), what(*then)),
            },
            Fact::Elapsed(Timer::Pause(at)) => format!("{} has paused", path(at)),
            Fact::Elapsed(Timer::Within(at)) => format!("{} is too late", path(at)),
            Fact::Elapsed(Timer::Wait(ticket) | Timer::Expiry(ticket)) => {
                format!("{} has waited", attempt(ticket))
            }
            Fact::Asked { ticket, .. } => format!("{} asks", attempt(ticket)),
            Fact::Answered { ticket, by, .. } => format!("{} answered by {by}", attempt(ticket)),
            Fact::Refused {
                at, failure, then, ..
            } => format!(
                "{} refused ({}: {}), {}",
                path(at),
                failure.class.word(),
                failure.message,
                what(*then)
            ),
            other => format!("{other:?}"),
        }
    }
}

fn what(then: Then) -> String {
    match then {
        Then::Fail => "has failed".into(),
        Then::FallBack => "falls back".into(),
        Then::Again { counts, .. } => format!("again (counts: {counts:?})"),
        Then::Probe { .. } => "is looked for".into(),
        Then::Unknown => "unknown".into(),
        Then::Hold => "is held".into(),
        Then::Cut => "is not wanted".into(),
    }
}

#[test]
fn runs_have_the_logs_that_were_written_down() {
    let folder = root().join("tests/runs");
    let update = std::env::var_os("UPDATE").is_some();
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "flow"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are runs");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let compiled = compile(&folder, name, &text);
        let errors: Vec<_> = compiled.diagnostics.iter().collect();
        let plan = compiled
            .workflows
            .last()
            .and_then(|workflow| workflow.plan.clone());
        let plan = plan.unwrap_or_else(|| panic!("{name}: {errors:#?}"));
        let mut world = World::begin(plan, Script::read(&text));
        world.live();
        assert_ne!(world.run.standing(), Standing::Working, "{name} stalls");
        let printed = world.printed();
        let log = path.with_extension("log");
        if update {
            std::fs::write(&log, &printed).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&log).unwrap_or_default();
        assert_eq!(printed, expected, "{name}");
    }
}
