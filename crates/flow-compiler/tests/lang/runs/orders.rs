//! What people want of a run, as a script has it.
//!
//! | Order | |
//! | --- | --- |
//! | `pause`, `resume`, `crash` | |
//! | `cancel PATH`, `retry PATH`, `reset PATH` | without a path, all of it |
//! | `answer PATH JSON` | what was asked there last |
//! | `happened PATH JSON`, `did-not PATH`, `give-up PATH` | what was tried there last |
//! | `limit AMOUNT`, `limit AMOUNT PATH` | a budget |

use std::sync::Arc;

use flow_core::address::{Part, Ticket};
use flow_core::digest::Digest;
use flow_core::event::{Fact, Verdict};
use flow_core::handle::Values as _;
use flow_core::history::History;
use flow_core::run::Input;
use flow_core::value::Value;

use super::world::World;

impl World {
    pub(super) fn order(&mut self, order: &str) {
        if order == "crash" {
            self.crash();
            return;
        }
        let input = self.read(order);
        match self.run.order(input, self.now, &self.memory) {
            Ok(event) => self.record(event),
            Err(objection) => {
                let what = format!("`{order}` changes nothing: {objection:?}");
                self.refused.push((self.log.len(), self.now, what));
            }
        }
    }

    fn read(&self, order: &str) -> Input {
        let by: Arc<str> = "ann".into();
        let mut words = order.splitn(3, ' ');
        let word = words.next().unwrap();
        let (second, third) = (words.next(), words.next());
        let part = || second.map(|path| self.part(path));
        let resolve = |verdict| Input::Resolve {
            ticket: self.last_try(second.unwrap()),
            verdict,
            bill: None,
            by: by.clone(),
        };
        match word {
            "pause" => Input::Pause { by },
            "resume" => Input::Resume { by },
            "retry" => Input::Reopen { by, part: part() },
            "reset" => Input::Reset {
                at: part().unwrap_or_default().at,
                estate: None,
                by,
            },
            "cancel" => Input::Cancel {
                part: part().unwrap_or_default(),
                by,
                why: "enough".into(),
            },
            "limit" => Input::Limit {
                at: third.map(|path| self.part(path).at),
                amount: second.unwrap().parse().unwrap(),
                by,
            },
            "answer" => {
                let ticket = self.last_try(second.unwrap());
                Input::Answer {
                    value: self.value(&ticket, third.unwrap()),
                    ticket,
                    shown: Digest::of(b"?"),
                    by,
                }
            }
            "happened" => {
                let value = self.value(&self.last_try(second.unwrap()), third.unwrap());
                resolve(Verdict::Happened(self.memory.put(&value)))
            }
            "did-not" => resolve(Verdict::DidNot),
            "give-up" => resolve(Verdict::GiveUp),
            other => panic!("no order is called `{other}`"),
        }
    }

    pub(super) fn history(&self) -> History {
        let mut plan = self.plan.clone();
        let mut history = None;
        for (seq, event) in (0..).zip(&self.log) {
            if let Some(next) = self.plan_from(event) {
                plan = next;
            }
            let history = history.get_or_insert_with(|| History::new(plan.clone()));
            history.note(seq, event, &plan);
        }
        history.expect("a log begins with its start")
    }

    fn part(&self, path: &str) -> Part {
        let place = self.history().find(path, &self.memory);
        let place = place.unwrap_or_else(|why| panic!("{path}: {why}"));
        place.part().unwrap()
    }

    /// Returns the last attempt at a place, also at one of a former plan.
    fn last_try(&self, path: &str) -> Ticket {
        let is_there = |ticket: &Ticket| {
            let place = self.run.path_of(ticket, &self.memory);
            place.to_string() == path || place.inside().to_string() == path
        };
        let started = self.log.iter().rev().find_map(|event| {
            let Fact::AttemptStarted(started) = &event.fact else {
                return None;
            };
            is_there(&started.ticket).then(|| started.ticket.clone())
        });
        started.unwrap_or_else(|| panic!("nothing was tried at {path}"))
    }

    fn value(&self, ticket: &Ticket, json: &str) -> Value {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        let ty = self.result_of(ticket).unwrap();
        // What doesn't fit is for the run to refuse.
        flow_core::json::from_json(&json, &ty).unwrap_or(Value::text(json.to_string()))
    }
}
