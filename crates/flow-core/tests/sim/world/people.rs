//! People: they answer, they interfere, and they see to what is left over.

use flow_core::address::{At, Part, Ticket};
use flow_core::amount::Money;
use flow_core::digest::Digest;
use flow_core::event::{Fact, Same, Then, Verdict};
use flow_core::handle::Values;
use flow_core::run::{Action, Input, Replan, Standing};
use flow_core::step::Bill;

use super::World;
use crate::oracle::Fault;

impl World {
    /// A person answers what was asked.
    pub(super) fn answer(&mut self, number: usize, ticket: &Ticket) -> Result<(), Fault> {
        let asks = Action::Ask {
            ticket: ticket.clone(),
        };
        if !self.lives[number].wished.contains(&asks) {
            return Ok(());
        }
        let call = self.call(number, ticket)?;
        let Some(value) = self.outside.answer(&call) else {
            return Ok(());
        };
        let shown = self.lives[number]
            .log
            .iter()
            .find_map(|event| match &event.fact {
                Fact::Asked {
                    ticket: own, shown, ..
                } if own == ticket => Some(*shown),
                _ => None,
            });
        let Some(shown) = shown else { return Ok(()) };
        let answer = |shown| Input::Answer {
            ticket: ticket.clone(),
            shown,
            value: value.clone(),
            by: "somebody".into(),
        };
        if self.dice.percent(10) {
            // Something else was shown.
            self.feed(number, answer(Digest::of(b"something else")))?;
        }
        self.feed(number, answer(shown))?;
        if self.dice.percent(20) {
            self.feed(number, answer(shown))?;
        }
        Ok(())
    }

    /// Somebody interferes with a run.
    pub(super) fn meddle(&mut self, number: usize) -> Result<(), Fault> {
        let by = "a meddler".into();
        let input = match self.dice.below(10) {
            0 | 1 => Input::Pause { by },
            2 | 3 => Input::Resume { by },
            4 => Input::Cancel {
                part: self.some_part(number),
                by,
                why: "it pleases".into(),
            },
            5 | 6 => Input::Limit {
                at: self.budget(number),
                amount: Money(self.dice.from(0, 100) * 10_000_000),
                by,
            },
            7 => Input::Reset {
                at: self.somewhere(number),
                estate: None,
                by,
            },
            8 => {
                // The same plan again: everything in it may be adopted.
                let live = &mut self.lives[number];
                let plan = live.run.plan().clone();
                let digest = plan.digest();
                live.run.offer(digest, plan);
                Input::Replan(Box::new(Replan {
                    plan: digest,
                    sheet: Digest::of(b"nothing changed"),
                    inputs: None,
                    files: Vec::new(),
                    estate: None,
                    by,
                }))
            }
            _ => Input::Tick,
        };
        self.feed(number, input)
    }

    /// Returns an instance that an event spoke of, or the whole.
    fn somewhere(&mut self, number: usize) -> At {
        let log = &self.lives[number].log;
        let spoken: Vec<&At> = log
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::AttemptStarted(started) => Some(&started.ticket.at),
                Fact::ItemsExpanded { at, .. }
                | Fact::BranchTaken { at, .. }
                | Fact::RoundOpened { at, .. } => Some(at),
                _ => None,
            })
            .collect();
        if spoken.is_empty() || self.dice.percent(20) {
            return At::root();
        }
        spoken[self.dice.at(spoken.len())].clone()
    }

    /// Returns an instance, or an item or a round that an event spoke of.
    fn some_part(&mut self, number: usize) -> Part {
        let at = self.somewhere(number);
        let log = &self.lives[number].log;
        let count = log.iter().rev().find_map(|event| match &event.fact {
            Fact::ItemsExpanded { at: of, count, .. } if *of == at => Some(*count),
            Fact::RoundOpened { at: of, round, .. } if *of == at => Some(round + 1),
            _ => None,
        });
        let count = i64::from(count.unwrap_or(0));
        let item = (count > 0 && self.dice.percent(50)).then(|| self.dice.from(0, count - 1));
        let item = item.and_then(|item| u32::try_from(item).ok());
        Part { at, item }
    }

    fn budget(&mut self, number: usize) -> Option<At> {
        let log = &self.lives[number].log;
        let opened: Vec<&At> = log
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::Opened {
                    at,
                    budget: Some(_),
                    ..
                } => Some(at),
                _ => None,
            })
            .collect();
        if opened.is_empty() || self.dice.percent(30) {
            return None;
        }
        Some(opened[self.dice.at(opened.len())].clone())
    }

    /// Nothing happens any more: somebody looks at what is left. Gives whether
    /// something was done.
    pub(super) fn intervene(&mut self) -> bool {
        let mut has_done = false;
        for number in 0..self.lives.len() {
            if self.rounds == 0 {
                return has_done;
            }
            let standing = self.lives[number].run.standing();
            let inputs = match standing {
                Standing::Waiting | Standing::Unknown => self.verdicts(number),
                Standing::Paused | Standing::Short => self.relief(number),
                Standing::Over => self.second_thoughts(number),
                Standing::Working | Standing::Sleeping(_) => Vec::new(),
            };
            let bills = self.bills(number);
            for input in inputs.into_iter().chain(bills) {
                has_done = true;
                self.at_once.push_back((number, input));
            }
        }
        self.rounds = self.rounds.saturating_sub(1);
        has_done
    }

    /// Bills come late.
    fn bills(&mut self, number: usize) -> Vec<Input> {
        let presumed = self.lives[number].run.presumed();
        let presumed: Vec<Ticket> = presumed.map(|(ticket, _)| ticket.clone()).collect();
        let mut inputs = Vec::new();
        for ticket in presumed {
            if self.dice.percent(20) {
                let charged = self.outside.charge_of(number, &ticket);
                inputs.push(Input::Rebill {
                    ticket,
                    bill: Bill::Exact(charged),
                });
            }
        }
        inputs
    }

    /// Somebody looks what became of what nobody knows.
    fn verdicts(&mut self, number: usize) -> Vec<Input> {
        let mut unknown: Vec<Ticket> = Vec::new();
        for event in &self.lives[number].log {
            match &event.fact {
                Fact::Failed { ticket, then, .. }
                | Fact::Stopped { ticket, then, .. }
                | Fact::AttemptLost { ticket, then, .. }
                | Fact::Probed { ticket, then, .. }
                    if matches!(
                        then,
                        Then::Unknown
                            | Then::Probe { .. }
                            | Then::Again {
                                same: Same::Act,
                                ..
                            }
                    ) =>
                {
                    unknown.push(ticket.clone());
                }
                Fact::Resolved { ticket, .. }
                | Fact::Succeeded { ticket, .. }
                | Fact::Probed { ticket, .. } => {
                    unknown.retain(|other| other != ticket);
                }
                _ => {}
            }
        }
        let mut inputs = Vec::new();
        for ticket in unknown {
            if !self.is_firm() && self.dice.percent(15) {
                continue;
            }
            let truth = self.outside.truth(number, &ticket);
            let charged = self.outside.charge_of(number, &ticket);
            let verdict = match truth {
                _ if !self.is_firm() && self.dice.percent(15) => Verdict::GiveUp,
                Some(value) => Verdict::Happened(self.vault.put(&value)),
                None => Verdict::DidNot,
            };
            inputs.push(Input::Resolve {
                ticket,
                verdict,
                bill: self.dice.percent(50).then_some(Bill::Exact(charged)),
                by: "somebody".into(),
            });
        }
        inputs
    }

    /// A run doesn't fit into its budget, or was paused.
    fn relief(&mut self, number: usize) -> Vec<Input> {
        let by = std::sync::Arc::from("somebody");
        let mut inputs = Vec::new();
        if self.dice.percent(70) {
            let at = self.budget(number);
            inputs.push(Input::Limit {
                at,
                amount: Money(self.dice.from(50, 5000) * 10_000_000),
                by: std::sync::Arc::clone(&by),
            });
        }
        if self.lives[number].run.is_paused() {
            inputs.push(Input::Resume { by });
        }
        inputs
    }

    /// A run is over, and somebody wants it again.
    fn second_thoughts(&mut self, number: usize) -> Vec<Input> {
        if self.traits.meddling == 0 || !self.dice.percent(15) {
            return Vec::new();
        }
        let by = "somebody".into();
        vec![if self.dice.percent(60) {
            Input::Reopen { by, part: None }
        } else {
            Input::Reset {
                at: self.somewhere(number),
                estate: None,
                by,
            }
        }]
    }

    fn is_firm(&self) -> bool {
        self.traits.mood != crate::script::Mood::Rough
    }
}
