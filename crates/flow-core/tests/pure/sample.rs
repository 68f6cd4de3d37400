//! Values and facts at random, from a number: every kind, every variant.
#![expect(clippy::unwrap_used, reason = "test harness")]

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::address::{At, RunId, Ticket};
use flow_core::amount::{Duration, Money, Size, Timestamp};
use flow_core::arbiter::LedgerId;
use flow_core::digest::Digest;
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::event::{
    BudgetSet, Counts, Event, Fact, Failure, Firing, FoundProgram, Grant, Origin, PinnedFile,
    Recalled, Same, Start, Started, Status, Then, Timer, Verdict,
};
use flow_core::handle::Handle;
use flow_core::path::Key;
use flow_core::plan::{Exhausted, NodeId, Period};
use flow_core::step::{Bill, Program, Sent};
use flow_core::ty::Media;
use flow_core::value::{Artifact, List, Value};

/// A stream of numbers that are the same every time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn bits(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap();
        usize::try_from(self.bits() % limit).unwrap()
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub(crate) fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| make(self))
    }

    fn several<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.below(most + 1);
        (0..count).map(|_| make(self)).collect()
    }

    /// Small numbers, and those at the edges of their range.
    fn long(&mut self) -> u64 {
        let bits = self.bits();
        let shift = self.below(64);
        self.pick(&[0, 1, 0x7F, 0x80, u64::MAX, bits, bits >> shift])
    }

    pub(crate) fn short(&mut self) -> u32 {
        u32::try_from(self.long() & 0xFFFF_FFFF).unwrap()
    }

    fn signed(&mut self) -> i64 {
        let edge = self.pick(&[i64::MIN, i64::MAX, -1, -64, 63, 64]);
        let some = self.long().cast_signed();
        self.pick(&[edge, some, some.wrapping_neg()])
    }

    pub(crate) fn text(&mut self) -> Arc<str> {
        let long = "a neon city at night, ".repeat(self.below(9));
        self.pick(&["", "fox", "größe", "a\u{0}b", "日本", &long])
            .into()
    }

    pub(crate) fn digest(&mut self) -> Digest {
        Digest::of(&self.bits().to_le_bytes())
    }

    fn instant(&mut self) -> Timestamp {
        Timestamp(self.signed())
    }

    fn length(&mut self) -> Duration {
        Duration(self.signed())
    }

    pub(crate) fn money(&mut self) -> Money {
        Money(self.signed())
    }

    fn key(&mut self) -> Key {
        let word = Key::Word(self.text());
        let index = Key::Index(self.long());
        self.pick(&[word, index])
    }

    pub(crate) fn record(&mut self, depth: usize) -> BTreeMap<Arc<str>, Value> {
        let fields = self.several(3, |dice| (dice.text(), dice.value(depth)));
        fields.into_iter().collect()
    }

    pub(crate) fn value(&mut self, depth: usize) -> Value {
        let kind = self.below(if depth == 0 { VALUES - 3 } else { VALUES });
        self.value_of(kind, depth)
    }

    /// Makes a value of a kind; the last three hold others.
    pub(crate) fn value_of(&mut self, kind: usize, depth: usize) -> Value {
        match kind {
            0 => Value::None,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::Int(self.signed()),
            3 => {
                let bits = f64::from_bits(self.bits());
                let float = self.pick(&[0.0, -0.0, 0.1, f64::MIN_POSITIVE, f64::MAX, bits]);
                Value::Float(if float.is_finite() { float } else { 1.0 })
            }
            4 => Value::Text(self.text()),
            5 => Value::Duration(self.length()),
            6 => Value::Money(self.money()),
            7 => Value::Time(self.instant()),
            8 => {
                let side = self.pick(&[1, 127, 1080, Size::MAX]);
                Value::Size(Size::new(side, 1024).unwrap())
            }
            9 => Value::Enum(self.text()),
            10 => Value::Secret(self.text()),
            11 => {
                let items = self.several(4, |dice| dice.value(depth - 1));
                let keys = self.maybe(|dice| items.iter().map(|_| dice.key()).collect());
                Value::List(Arc::new(List { items, keys }))
            }
            12 => Value::Record(Arc::new(self.record(depth - 1))),
            _ => Value::Artifact(Arc::new(self.artifact(depth - 1))),
        }
    }

    fn artifact(&mut self, depth: usize) -> Artifact {
        let digest = self.digest().to_string();
        let capitals = digest.to_uppercase();
        Artifact {
            digest: self
                .pick(&[&*digest, &*digest, "", "abc", &capitals])
                .into(),
            media: self.pick(&[Media::Image, Media::Video, Media::Audio, Media::File]),
            bytes: self.long(),
            facts: self.record(depth),
        }
    }

    fn handle(&mut self) -> Handle {
        let small = Handle::Small(self.value(2));
        let stored = Handle::Stored(Arc::new(self.digest()));
        self.pick(&[small, stored])
    }

    pub(crate) fn at(&mut self) -> At {
        At {
            node: NodeId(self.short()),
            ords: self.several(6, Self::short).into_iter().collect(),
        }
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        Ticket {
            at: self.at(),
            generation: self.short(),
            attempt: self.short(),
        }
    }

    fn run(&mut self) -> RunId {
        RunId(self.text())
    }

    fn origin(&mut self) -> Origin {
        Origin {
            run: self.run(),
            seq: self.long(),
        }
    }

    fn failure(&mut self) -> Failure {
        Failure {
            class: self.pick(&FailureClass::ALL),
            message: self.text(),
        }
    }

    fn then(&mut self) -> Then {
        let again = Then::Again {
            wake: self.instant(),
            same: self.pick(&[Same::Act, Same::No]),
            counts: self.pick(&[Counts::Yes, Counts::No]),
        };
        let probe = Then::Probe {
            wake: self.instant(),
        };
        let until = Then::HoldUntil {
            wake: self.instant(),
        };
        self.pick(&[
            Then::Fail,
            Then::FallBack,
            again,
            probe,
            Then::Unknown,
            Then::Hold,
            until,
            Then::Cut,
        ])
    }

    pub(crate) fn bill(&mut self) -> Bill {
        let amount = self.money();
        self.pick(&[Bill::None, Bill::Exact(amount), Bill::Presumed(amount)])
    }

    fn sent(&mut self) -> Sent {
        self.pick(&[Sent::No, Sent::Maybe, Sent::Refused])
    }

    fn effect(&mut self) -> Effect {
        let window = self.maybe(Self::length);
        self.pick(&[
            Effect::Pure,
            Effect::Read,
            Effect::Paid,
            Effect::Act(Act::Keyed(window)),
            Effect::Act(Act::Probed),
            Effect::Act(Act::Once),
        ])
    }

    fn period(&mut self) -> Period {
        self.pick(&[Period::Day, Period::Week, Period::Month])
    }

    fn ledger(&mut self) -> LedgerId {
        match self.below(8) {
            0 => LedgerId::Project,
            1 => LedgerId::ProjectPeriod {
                period: self.period(),
                day: self.text(),
            },
            2 => LedgerId::Provider(self.text()),
            3 => LedgerId::Trigger {
                name: self.text(),
                period: self.maybe(|dice| (dice.period(), dice.text())),
            },
            4 => LedgerId::Scope {
                path: self.text(),
                period: self.period(),
                day: self.text(),
            },
            5 => LedgerId::Run(self.run()),
            6 => LedgerId::Place(self.run(), self.text()),
            _ => LedgerId::Instance(self.run(), self.at()),
        }
    }

    fn start(&mut self) -> Start {
        Start {
            run: self.run(),
            behaviour: self.short(),
            plan: self.digest(),
            inputs: self.handle(),
            files: self.files(),
            seed: self.bits(),
            budget: self.maybe(Self::money),
            trigger: self.maybe(|dice| Firing {
                trigger: dice.text(),
                number: dice.bits(),
                scheduled: dice.instant(),
                event: dice.maybe(Self::handle),
            }),
            recalled: self.maybe(|dice| Recalled {
                key: dice.digest(),
                value: dice.handle(),
                from: Origin {
                    run: dice.run(),
                    seq: dice.bits(),
                },
            }),
            estate: self.maybe(Self::digest),
            parent: self.maybe(Self::origin),
        }
    }

    fn files(&mut self) -> Vec<PinnedFile> {
        let files = (0..self.below(3)).map(|_| PinnedFile {
            path: self.text(),
            artifact: self.handle(),
        });
        files.collect()
    }

    fn started(&mut self) -> Started {
        Started {
            ticket: self.ticket(),
            effect: self.effect(),
            input: self.digest(),
            key: self.maybe(Self::digest),
            idempotency: self.digest(),
            grant: Grant {
                hold: self.money(),
                ledgers: self.several(4, Self::ledger),
                pools: self.several(3, Self::text),
                price: self.maybe(Self::text),
            },
            timeout: self.maybe(Self::length),
            unseeded: self.maybe(Self::digest),
        }
    }

    fn timer(&mut self) -> Timer {
        match self.below(4) {
            0 => Timer::Pause(self.at()),
            1 => Timer::Within(self.at()),
            2 => Timer::Wait(self.ticket()),
            _ => Timer::Expiry(self.ticket()),
        }
    }

    fn verdict(&mut self) -> Verdict {
        let happened = Verdict::Happened(self.handle());
        self.pick(&[happened, Verdict::DidNot, Verdict::GiveUp])
    }

    /// Makes every fact once, and each at its time.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        let mut facts = self.facts_of_the_run();
        facts.extend(self.facts_of_regions());
        facts.extend(self.facts_of_attempts());
        facts.extend(self.facts_of_waiting());
        facts.push(self.programs_found());
        let events = facts.into_iter().map(|fact| Event {
            at: self.instant(),
            fact,
        });
        events.collect()
    }

    fn facts_of_the_run(&mut self) -> Vec<Fact> {
        vec![
            Fact::RunStarted(Box::new(self.start())),
            Fact::OwnerTook {
                epoch: self.long(),
                binary: self.text(),
            },
            Fact::PauseAsked { by: self.text() },
            Fact::ResumeAsked { by: self.text() },
            Fact::CancelAsked {
                scope: self.at(),
                item: self.maybe(Self::short),
                by: self.text(),
                why: self.text(),
            },
            Fact::Opened {
                at: self.at(),
                within: self.maybe(Self::length),
                budget: self.maybe(|dice| BudgetSet {
                    amount: dice.money(),
                    per: dice.maybe(Self::period),
                    or: dice.pick(&[Exhausted::Stop, Exhausted::Ask]),
                    place: dice.maybe(Self::text),
                }),
            },
            Fact::LimitsChanged {
                at: self.maybe(Self::at),
                amount: self.money(),
                by: self.text(),
            },
            Fact::PlanReplaced {
                plan: self.digest(),
                sheet: self.digest(),
                by: self.text(),
                inputs: self.maybe(Self::handle),
                files: self.files(),
                estate: self.maybe(Self::digest),
            },
            Fact::Reset {
                at: self.at(),
                by: self.text(),
                estate: self.maybe(Self::digest),
            },
            Fact::Adopted {
                at: self.at(),
                value: self.handle(),
                from: self.origin(),
                key: self.maybe(Self::digest),
            },
            Fact::RunSettled {
                status: self.pick(&[Status::Succeeded, Status::Failed, Status::Cancelled]),
                output: self.maybe(Self::handle),
            },
            Fact::Reopened {
                by: self.text(),
                at: self.maybe(Self::at),
                item: self.maybe(Self::short),
            },
        ]
    }

    fn facts_of_regions(&mut self) -> Vec<Fact> {
        vec![
            Fact::ItemsExpanded {
                at: self.at(),
                count: self.short(),
                parallel: self.short(),
                keys: self.maybe(Self::handle),
            },
            Fact::BranchTaken {
                at: self.at(),
                arm: self.maybe(Self::short),
            },
            Fact::RoundOpened {
                at: self.at(),
                round: self.short(),
                state: self.handle(),
                max: self.short(),
            },
            Fact::RaceWon {
                at: self.at(),
                arm: self.short(),
            },
            Fact::Yielded {
                at: self.at(),
                item: self.maybe(Self::short),
                value: self.handle(),
            },
            Fact::Broke {
                at: self.at(),
                item: self.maybe(Self::short),
                failure: self.failure(),
                then: self.then(),
            },
        ]
    }

    fn facts_of_attempts(&mut self) -> Vec<Fact> {
        vec![
            Fact::Reused {
                at: self.at(),
                key: self.digest(),
                value: self.handle(),
                from: self.origin(),
            },
            Fact::AttemptStarted(Box::new(self.started())),
            Fact::WasSent {
                ticket: self.ticket(),
            },
            Fact::Submitted {
                ticket: self.ticket(),
                job: self.handle(),
                expires: self.maybe(Self::instant),
            },
            Fact::Succeeded {
                ticket: self.ticket(),
                value: self.handle(),
                bill: self.bill(),
            },
            Fact::Failed {
                ticket: self.ticket(),
                failure: self.failure(),
                sent: self.sent(),
                bill: self.bill(),
                then: self.then(),
            },
            Fact::Stopped {
                ticket: self.ticket(),
                sent: self.sent(),
                bill: self.bill(),
                then: self.then(),
            },
            Fact::AttemptLost {
                ticket: self.ticket(),
                bill: self.bill(),
                then: self.then(),
            },
            Fact::Probed {
                ticket: self.ticket(),
                found: self.maybe(Self::handle),
                then: self.then(),
            },
            Fact::Resolved {
                ticket: self.ticket(),
                verdict: self.verdict(),
                bill: self.maybe(Self::bill),
                by: self.text(),
            },
            Fact::Rebilled {
                ticket: self.ticket(),
                bill: self.bill(),
            },
        ]
    }

    fn programs_found(&mut self) -> Fact {
        let programs = self.several(3, |dice| FoundProgram {
            run: dice.text(),
            program: dice.maybe(|dice| Program {
                digest: dice.digest(),
                variables: dice.several(3, |dice| (dice.text(), dice.digest())),
            }),
        });
        Fact::ProgramsFound { programs }
    }

    fn facts_of_waiting(&mut self) -> Vec<Fact> {
        vec![
            Fact::Elapsed(self.timer()),
            Fact::Waits {
                ticket: self.ticket(),
                until: self.instant(),
                value: self.handle(),
            },
            Fact::Asked {
                ticket: self.ticket(),
                form: self.handle(),
                shown: self.digest(),
                expires: self.maybe(Self::instant),
                otherwise: self.maybe(Self::handle),
            },
            Fact::Answered {
                ticket: self.ticket(),
                value: self.handle(),
                by: self.text(),
            },
            Fact::Refused {
                at: self.at(),
                failure: self.failure(),
                ledger: self.maybe(Self::ledger),
                missing: self.maybe(Self::money),
                then: self.then(),
            },
            Fact::Joined {
                at: self.at(),
                ticket: self.ticket(),
            },
        ]
    }
}

/// Returns the position of a fact in [`Dice::events`]. A new fact has to be
/// made there, and counted here.
pub(crate) fn position(fact: &Fact) -> usize {
    match fact {
        Fact::RunStarted(_) => 0,
        Fact::OwnerTook { .. } => 1,
        Fact::PauseAsked { .. } => 2,
        Fact::ResumeAsked { .. } => 3,
        Fact::CancelAsked { .. } => 4,
        Fact::Opened { .. } => 5,
        Fact::LimitsChanged { .. } => 6,
        Fact::PlanReplaced { .. } => 7,
        Fact::Reset { .. } => 8,
        Fact::Adopted { .. } => 9,
        Fact::RunSettled { .. } => 10,
        Fact::Reopened { .. } => 11,
        Fact::ItemsExpanded { .. } => 12,
        Fact::BranchTaken { .. } => 13,
        Fact::RoundOpened { .. } => 14,
        Fact::RaceWon { .. } => 15,
        Fact::Yielded { .. } => 16,
        Fact::Broke { .. } => 17,
        Fact::Reused { .. } => 18,
        Fact::AttemptStarted(_) => 19,
        Fact::WasSent { .. } => 20,
        Fact::Submitted { .. } => 21,
        Fact::Succeeded { .. } => 22,
        Fact::Failed { .. } => 23,
        Fact::Stopped { .. } => 24,
        Fact::AttemptLost { .. } => 25,
        Fact::Probed { .. } => 26,
        Fact::Resolved { .. } => 27,
        Fact::Rebilled { .. } => 28,
        Fact::Elapsed(_) => 29,
        Fact::Waits { .. } => 30,
        Fact::Asked { .. } => 31,
        Fact::Answered { .. } => 32,
        Fact::Refused { .. } => 33,
        Fact::Joined { .. } => 34,
        Fact::ProgramsFound { .. } => 35,
    }
}

/// How many kinds of values there are.
pub(crate) const VALUES: usize = 14;

/// Returns the kind of a value, as [`Dice::value_of`] counts. A new kind has to
/// be made there, and counted here.
pub(crate) fn kind(value: &Value) -> usize {
    match value {
        Value::None => 0,
        Value::Bool(_) => 1,
        Value::Int(_) => 2,
        Value::Float(_) => 3,
        Value::Text(_) => 4,
        Value::Duration(_) => 5,
        Value::Money(_) => 6,
        Value::Time(_) => 7,
        Value::Size(_) => 8,
        Value::Enum(_) => 9,
        Value::Secret(_) => 10,
        Value::List(_) => 11,
        Value::Record(_) => 12,
        Value::Artifact(_) => 13,
    }
}

/// How many facts there are.
pub(crate) const FACTS: usize = 36;
