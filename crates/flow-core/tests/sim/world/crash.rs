//! Crashes: everything is forgotten but what is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow_core::address::RunId;
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::event::{Event, Fact};
use flow_core::plan::Plan;
use flow_core::run::{Input, Run};

use super::{Live, Pending, Traits, World};
use crate::mutants::Mutant;
use crate::oracle::{Check, Fault};
use crate::script::Mood;

impl World {
    fn all_logs(&self) -> Vec<(RunId, Vec<Event>)> {
        let lives = self.lives.iter();
        lives
            .map(|live| (live.run.id().clone(), live.log.clone()))
            .collect()
    }

    /// The process dies, and another takes the runs.
    pub(super) fn crash(&mut self) -> Result<(), Fault> {
        for number in 0..self.lives.len() {
            self.check_replay(number)?;
        }
        if self.dice.percent(60) {
            self.cut_power();
        }
        self.forget();
        for number in 0..self.lives.len() {
            let run = self.replayed(number, self.lives[number].log.clone())?;
            let live = &mut self.lives[number];
            live.run = run;
            live.wished = live.run.outstanding().into_iter().collect();
            live.doing.clear();
            live.calls.clear();
            live.asking.clear();
        }
        let logs = self.all_logs();
        let events = self.order.len();
        if self.dice.percent(30) {
            let away = self.dice.from(0, 7_200_000);
            self.be_away(super::act::later(self.now, away));
        }
        self.gate.recover(&logs, events, self.now);
        for number in 0..self.lives.len() {
            let take = self.take(number);
            self.feed(number, take)?;
            let outstanding = self.lives[number].run.outstanding();
            for action in outstanding {
                self.see_to(number, action);
            }
        }
        Ok(())
    }

    /// Nobody is there for a while; what is under way arrives all the same.
    fn be_away(&mut self, until: Timestamp) {
        let passing: Vec<_> = self
            .pending
            .iter()
            .filter(|((at, _), pending)| *at <= until && matches!(pending, Pending::Arrive(_)))
            .map(|(key, _)| *key)
            .collect();
        for key in passing {
            if let Some(Pending::Arrive(call)) = self.pending.remove(&key) {
                self.outside.arrive(&call, key.0);
            }
        }
        self.now = until;
    }

    /// What was not safe is gone.
    fn cut_power(&mut self) {
        let mut kept: Vec<usize> = self.lives.iter().map(|live| live.durable).collect();
        if self.traits.is_split {
            for (keep, live) in kept.iter_mut().zip(&self.lives) {
                *keep += self.dice.at(live.log.len() - live.durable + 1);
            }
        } else {
            // One file: a prefix of all commits, beginning with what is safe.
            let safe = kept.iter().sum::<usize>();
            let extra = self.dice.at(self.order.len() - safe + 1);
            kept = vec![0; self.lives.len()];
            for number in &self.order[..safe + extra] {
                kept[*number] += 1;
            }
        }
        let mut counts = vec![0; self.lives.len()];
        self.order.retain(|number| {
            counts[*number] += 1;
            counts[*number] <= kept[*number]
        });
        for (live, keep) in self.lives.iter_mut().zip(kept) {
            live.log.truncate(keep);
        }
    }

    /// What is in a process is gone; what is under way outside is not.
    fn forget(&mut self) {
        self.at_once.clear();
        let mut late = Vec::new();
        let dice = &mut self.dice;
        self.pending.retain(|_, pending| match pending {
            Pending::Arrive(_) | Pending::Meddle(_) | Pending::Crash => true,
            Pending::Reply(..) => {
                // Some answers still find a way, and are too late.
                if dice.percent(20) {
                    late.push(());
                    true
                } else {
                    false
                }
            }
            Pending::Depart(_)
            | Pending::TimeOut(..)
            | Pending::Find(..)
            | Pending::Wish(..)
            | Pending::Grant(..)
            | Pending::Answer(..) => false,
        });
    }

    fn replayed(&self, number: usize, log: Vec<Event>) -> Result<Run, Fault> {
        let followed = self.lives[number].run.plan().clone();
        let plans = |digest: &Digest| -> Option<Arc<Plan>> {
            (followed.digest() == *digest).then(|| followed.clone())
        };
        Run::replay(&plans, log)
            .map_err(|why| Fault::new(Check::Replay, format!("run {number}: {why:?}")))
    }

    /// Checks that a run that is replayed is the run.
    fn check_replay(&mut self, number: usize) -> Result<(), Fault> {
        let mut log = self.lives[number].log.clone();
        if self.traits.mutant == Some(Mutant::ReplayShort) && log.len() > 2 {
            let at = 1 + self.dice.at(log.len() - 1);
            let matters = !matches!(
                log[at].fact,
                Fact::WasSent { .. } | Fact::Rebilled { .. } | Fact::OwnerTook { .. }
            );
            if matters {
                log.remove(at);
            }
        }
        let replayed = self.replayed(number, log)?;
        compare(number, &self.lives[number], &replayed)
    }

    pub(super) fn check_replays(&mut self) -> Result<(), Fault> {
        for number in 0..self.lives.len() {
            self.check_replay(number)?;
            self.check_prefixes(number)?;
        }
        Ok(())
    }

    /// Checks that every prefix of a log, or some of a long one, replays, and
    /// can be taken over by another owner.
    fn check_prefixes(&mut self, number: usize) -> Result<(), Fault> {
        let log = self.lives[number].log.clone();
        let step = log.len() / 12 + 1;
        let mut length = 1 + self.dice.at(step);
        while length < log.len() {
            let mut run = self.replayed(number, log[..length].to_vec())?;
            let mut wished: BTreeSet<_> = run.outstanding().into_iter().collect();
            let take = Input::Take {
                epoch: run.epoch() + 1,
                binary: "another".into(),
            };
            let now = super::act::later(run.last_at(), 1);
            for event in run.decide(take, now, &self.vault) {
                let delta = run.apply(&event);
                for action in delta.withdrawn {
                    wished.remove(&action);
                }
                wished.extend(delta.actions);
            }
            let outstanding: BTreeSet<_> = run.outstanding().into_iter().collect();
            if outstanding != wished {
                let what = format!(
                    "run {number}, {length} events: {outstanding:?} are outstanding, {wished:?} wished"
                );
                return Err(Fault::new(Check::Replay, what));
            }
            let stalls = matches!(run.standing(), flow_core::run::Standing::Working)
                && outstanding.is_empty();
            if stalls {
                let what = format!("run {number}, {length} events: works at nothing");
                return Err(Fault::new(Check::Stall, what));
            }
            length += step;
        }
        Ok(())
    }

    /// Checks that a run goes on from a prefix of its log, in a world that knows
    /// nothing else of it, and comes to an end or to people.
    pub(super) fn check_resumed(&mut self) -> Result<(), Fault> {
        let number = self.dice.at(self.lives.len());
        let length = 1 + self.dice.at(self.lives[number].log.len());
        let old = &self.lives[number];
        let log = old.log[..length].to_vec();
        let run = self.replayed(number, log.clone())?;
        let traits = Traits {
            mood: Mood::Calm,
            is_moody: false,
            has_desk: false,
            crashes: 0,
            meddling: 0,
            ..self.traits
        };
        let mut world = Self::empty(self.seed, traits, None, run.last_at());
        world.vault = self.vault.clone();
        world.order = vec![0; length];
        world.gate.adopt(run.id(), &log);
        world.lives.push(Live {
            plan: old.plan.clone(),
            inputs: old.inputs.clone(),
            wished: run.outstanding().into_iter().collect(),
            run,
            durable: length,
            log,
            doing: BTreeMap::new(),
            calls: BTreeMap::new(),
            asking: BTreeMap::new(),
        });
        let take = world.take(0);
        world.feed(0, take)?;
        for action in world.lives[0].run.outstanding() {
            world.see_to(0, action);
        }
        world.go_on()?;
        while world.intervene() {
            world.go_on()?;
        }
        let judged = world.judge().and_then(|()| world.check_ledgers());
        judged.map_err(|fault| {
            let what = format!(
                "resumed from {length} events of run {number}: {}",
                fault.what
            );
            Fault { what, ..fault }
        })
    }

    /// Checks that money is held for what is in progress, and for nothing else.
    pub(super) fn check_ledgers(&self) -> Result<(), Fault> {
        for (number, live) in self.lives.iter().enumerate() {
            let mut open: BTreeSet<_> = BTreeSet::new();
            for event in &live.log {
                match &event.fact {
                    Fact::AttemptStarted(started) if started.grant.hold.0 > 0 => {
                        open.insert(started.ticket.clone());
                    }
                    fact => {
                        if let Some((ticket, _)) = fact.settlement() {
                            open.remove(ticket);
                        }
                    }
                }
            }
            let held: BTreeSet<_> = self.gate.held(live.run.id()).into_iter().collect();
            if held != open {
                let what = format!("run {number}: {held:?} are held, {open:?} in progress");
                return Err(Fault::new(Check::Ledger, what));
            }
        }
        match self.gate.wrong(&self.all_logs()) {
            Some(what) => Err(Fault::new(Check::Ledger, what)),
            None => Ok(()),
        }
    }
}

fn compare(number: usize, live: &Live, replayed: &Run) -> Result<(), Fault> {
    let fault = |what: String| Err(Fault::new(Check::Replay, format!("run {number}: {what}")));
    let run = &live.run;
    let outstanding: BTreeSet<_> = replayed.outstanding().into_iter().collect();
    if outstanding != live.wished {
        return fault(format!(
            "replayed, {outstanding:?} are outstanding, live {:?}",
            live.wished
        ));
    }
    if run.standing() != replayed.standing() || run.status() != replayed.status() {
        return fault(format!(
            "replayed, it stands {:?}, live {:?}",
            replayed.standing(),
            run.standing()
        ));
    }
    if run.next_wake() != replayed.next_wake() {
        return fault(format!(
            "replayed, it wakes {:?}, live {:?}",
            replayed.next_wake(),
            run.next_wake()
        ));
    }
    if run.costs() != replayed.costs() || run.epoch() != replayed.epoch() {
        return fault(format!(
            "replayed, it costs {:?}, live {:?}",
            replayed.costs(),
            run.costs()
        ));
    }
    Ok(())
}
