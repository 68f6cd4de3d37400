//! A world with one run in it: steps answer by the script, time is a number,
//! and everything that is asked for is granted.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use flow_core::address::{RunId, Ticket};
use flow_core::amount::{Duration, Timestamp};
use flow_core::digest::Digest;
use flow_core::effect::FailureClass;
use flow_core::event::{BEHAVIOUR, Event, Grant, Start};
use flow_core::handle::{Handle, SMALL_MAX, Values};
use flow_core::plan::Plan;
use flow_core::run::{Action, Input, Run};
use flow_core::step::{Bill, Found, Question, Sent, StepFailure, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;

use super::edits::Edits;
use super::script::{Answer, Script, answer};

#[derive(Clone, Default)]
pub(super) struct Memory(RefCell<BTreeMap<Digest, Value>>);

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

pub(super) struct World {
    pub(super) plan: Arc<Plan>,
    pub(super) run: Run,
    pub(super) log: Vec<Event>,
    pub(super) memory: Memory,
    /// What was said to orders that changed nothing, and before which event.
    pub(super) refused: Vec<(usize, Timestamp, String)>,
    pub(super) script: Script,
    pub(super) now: Timestamp,
    pub(super) edits: Edits,
    /// What steps will answer, and when.
    due: BTreeMap<(Timestamp, usize), Input>,
    count: usize,
}

impl World {
    /// Begins a run whose steps give the least that they may.
    pub(super) fn begin(plan: Plan, script: Script) -> Self {
        Self::start(plan, script, Edits::default())
    }

    pub(super) fn start(plan: Plan, script: Script, edits: Edits) -> Self {
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
            recalled: None,
            estate: None,
            parent: None,
        };
        let now = Timestamp(0);
        let (run, event, delta) = Run::start(plan.clone(), start, now);
        let mut world = Self {
            plan,
            run,
            log: vec![event],
            memory,
            refused: Vec::new(),
            script,
            now,
            edits,
            due: BTreeMap::new(),
            count: 0,
        };
        world.carry_out(delta.actions);
        world
    }

    pub(super) fn give(&mut self, input: Input) {
        let events = self.run.decide(input, self.now, &self.memory);
        for event in events {
            self.record(event);
        }
    }

    pub(super) fn record(&mut self, event: Event) {
        let delta = self.run.apply(&event);
        self.log.push(event);
        self.carry_out(delta.actions);
    }

    pub(super) fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Evaluate { at, item } => self.give(Input::Evaluate { at, item }),
                Action::Admit { ticket } if self.offer(&ticket) => {}
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

    pub(super) fn admit(&mut self, ticket: &Ticket) {
        let day = |_| Arc::from("2026-05-01");
        let input = match self.run.prepare(ticket, &day, &self.memory) {
            Ok(prepared) => {
                self.know(&prepared);
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
        let path = self.run.path_of(ticket, &self.memory).to_string();
        let answers = self.script.answers.get_mut(&path)?;
        answers.pop_front()
    }

    fn answer(&mut self, ticket: &Ticket) {
        let ty = self.result_of(ticket).unwrap_or(Type::Json);
        let answer = self.next_answer(ticket).unwrap_or_else(|| answer("ok"));
        let bill = answer.cost.map(Bill::Exact).or_else(|| self.cost(ticket));
        let (word, rest) = answer.words.split_once(' ').unwrap_or((&answer.words, ""));
        let report = match word {
            "ok" if rest.is_empty() => StepReport::Done {
                value: self.made(ticket, &ty),
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
                let ty = self.result_of(ticket);
                Found::Yes(ty.map_or(Value::None, |ty| self.made(ticket, &ty)))
            }
            "found no" => Found::No,
            _ => Found::CannotTell,
        };
        let ticket = ticket.clone();
        self.later(answer.after, Input::Found { ticket, found });
    }

    /// Everything is forgotten but the log.
    pub(super) fn crash(&mut self) {
        self.take();
        self.carry_out(self.run.outstanding());
    }

    /// Takes the run as its next owner.
    pub(super) fn take(&mut self) {
        self.due.clear();
        self.read_again();
        let epoch = self.run.epoch() + 1;
        let binary = "test".into();
        let taken = self
            .run
            .decide(Input::Take { epoch, binary }, self.now, &self.memory);
        for event in taken {
            self.run.apply(&event);
            self.log.push(event);
        }
    }

    pub(super) fn live(&mut self) {
        let mut orders: VecDeque<_> = std::mem::take(&mut self.script.orders).into();
        for _ in 0..100_000 {
            self.take_over();
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
                if order == "leave" {
                    return;
                }
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
}
