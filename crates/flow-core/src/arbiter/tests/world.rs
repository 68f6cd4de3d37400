//! A world of random operations: runs that ask, end, die and repeat themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::oracle::{Oracle, Verdict};
use super::*;
use crate::amount::Duration;
use crate::draw::Draw;
use crate::path::StepPath;
use crate::plan::Period;

/// An operation on an arbiter.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Ask(Demand, OwnerId),
    Settle {
        hold: HoldId,
        bill: Bill,
        ending: Ending,
    },
    Rebill(Rebill),
    Withdraw(HoldId),
    Narrow(HoldId, Vec<Arc<str>>),
    OwnerGone(OwnerId),
    KeepOnly(RunId, BTreeSet<Ticket>),
    CloseRun(RunId),
    Pause(Arc<str>, Timestamp),
    Trust(Arc<str>),
    SetTerms(Terms),
    Tick,
    /// The books are loaded from what was kept.
    Reload,
}

/// An operation and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) now: Timestamp,
    pub(super) op: Op,
    pub(super) events: Vec<ArbEvent>,
    pub(super) answers: Vec<Answer>,
    /// The rows after it.
    pub(super) rows: Vec<Row>,
    /// Who waits after it, in order.
    pub(super) waiting: Vec<HoldId>,
}

/// An arbiter, what is kept of it, and those who use it.
pub(super) struct World {
    pub(super) draw: Draw,
    pub(super) arbiter: Arbiter,
    pub(super) now: i64,
    pub(super) wake: Option<i64>,
    /// The books as the facts alone make them.
    mirror: Arbiter,
    kept: BTreeMap<RowKey, Row>,
    owners: Vec<OwnerId>,
    owners_made: u32,
    attempts: BTreeMap<RunId, u32>,
    open: Vec<(HoldId, i64)>,
    pub(super) asked: Vec<(Demand, OwnerId)>,
    bills: BTreeMap<HoldId, (Grant, Bill)>,
    history: Vec<Op>,
}

const RUNS: [&str; 4] = ["a", "b", "c", "d"];
const POOLS: [&str; 6] = ["one", "three", "rated", "shaky", "none", "free"];
const PRICES: [&str; 3] = ["fox", "owl", "elk"];

pub(super) fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// Returns terms in which everything is scarce.
pub(super) fn scarce(more: u32) -> Terms {
    let pool = |slots| PoolTerms {
        slots,
        ..PoolTerms::default()
    };
    let rate = Some(Rate {
        burst: number(3),
        per: Duration(3 * Duration::SECOND.0),
    });
    let breaker = Some(BreakerTerms {
        failures: number(2),
        pause: Duration(20 * Duration::SECOND.0),
    });
    let rated = PoolTerms {
        rate,
        ..pool(Some(2))
    };
    let shaky = PoolTerms {
        breaker,
        ..pool(Some(3))
    };
    let pools = [
        ("one", pool(Some(1 + more))),
        ("three", pool(Some(3 - more))),
        ("rated", rated),
        ("shaky", shaky),
        ("none", pool(Some(0))),
    ];
    Terms {
        pools: pools.map(|(name, pool)| (name.into(), pool)).into(),
        budgets: Budgets {
            project: Some(Money(4000)),
            project_per: [
                (Period::Day, Money(900 + i64::from(more) * 100)),
                (Period::Week, Money(2500)),
            ]
            .into(),
            providers: [("provider".into(), Money(2500))].into(),
            triggers: BTreeMap::new(),
        },
        ..Terms::default()
    }
}

impl World {
    pub(super) fn new(seed: u64, terms: Terms) -> Self {
        Self {
            draw: Draw::new(seed, &StepPath::root("arbiter"), 0),
            arbiter: Arbiter::new(terms),
            now: 423 * 86_400_000,
            wake: None,
            mirror: Arbiter::default(),
            kept: BTreeMap::new(),
            owners: vec![OwnerId("o0".into()), OwnerId("o1".into())],
            owners_made: 2,
            attempts: BTreeMap::new(),
            open: Vec::new(),
            asked: Vec::new(),
            bills: BTreeMap::new(),
            history: Vec::new(),
        }
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.draw.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        Some(items[self.draw.pick(items.len())?].clone())
    }

    fn upto(&mut self, most: i64) -> i64 {
        let most = u64::try_from(most).unwrap();
        i64::try_from(self.draw.below(most + 1)).unwrap()
    }

    /// Carries out an operation and checks what is kept of it.
    pub(super) fn carry_out(&mut self, op: Op) -> Record {
        let now = Timestamp(self.now);
        let arbiter = &mut self.arbiter;
        let decision = match op.clone() {
            Op::Ask(demand, owner) => arbiter.ask(demand, &owner, now),
            Op::Settle { hold, bill, ending } => arbiter.settle(&hold, bill, ending, now),
            Op::Rebill(rebill) => arbiter.rebill(rebill, now),
            Op::Withdraw(hold) => arbiter.withdraw(&hold, now),
            Op::Narrow(hold, pools) => arbiter.narrow(&hold, &pools, now),
            Op::OwnerGone(owner) => arbiter.owner_gone(&owner, now),
            Op::KeepOnly(run, open) => arbiter.keep_only(&run, &open, now),
            Op::CloseRun(run) => arbiter.close_run(&run, now),
            Op::Pause(pool, until) => arbiter.pause(&pool, until, now),
            Op::Trust(price) => arbiter.trust(&price, now),
            Op::SetTerms(terms) => arbiter.set_terms(terms, now),
            Op::Tick => arbiter.tick(now),
            Op::Reload => {
                arbiter.replace(self.kept.values().cloned());
                arbiter.tick(now)
            }
        };
        for change in self.arbiter.changes() {
            match change {
                Change::Put(row) => drop(self.kept.insert(row.key(), row)),
                Change::Gone(key) => drop(self.kept.remove(&key)),
            }
        }
        let loaded = Arbiter::load(self.arbiter.terms().clone(), self.kept.values().cloned());
        assert_eq!(loaded.books, self.arbiter.books, "what is kept is less");
        self.wake = decision.wake.map(|wake| wake.0);
        let record = Record {
            now,
            op,
            events: decision.events,
            answers: decision.answers,
            rows: Vec::new(),
            waiting: self.arbiter.waiting().cloned().collect(),
        };
        self.note(&record);
        record
    }

    /// Adds the rows that the facts of a record make, and lets it be judged.
    pub(super) fn judge(&mut self, mut record: Record, oracle: &mut Oracle) -> Verdict {
        for event in &record.events {
            self.mirror.apply(event);
        }
        record.rows = self.mirror.rows().collect();
        oracle.judge(&record).map_err(|text| {
            let Record {
                now,
                op,
                events,
                answers,
                waiting,
                rows: _,
            } = &record;
            format!("{text}\nat {now}\n{op:?}\n{events:?}\n{answers:?}\n{waiting:?}")
        })
    }

    /// Remembers what those who use the arbiter know.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only bills matter to them")]
    fn note(&mut self, record: &Record) {
        for answer in &record.answers {
            let Reply::Granted(grant) = &answer.reply else {
                continue;
            };
            if self.arbiter.hold(&answer.hold).is_some() {
                self.open.retain(|(hold, _)| *hold != answer.hold);
                self.open.push((answer.hold.clone(), grant.hold.0));
                self.bills
                    .insert(answer.hold.clone(), (grant.clone(), Bill::None));
            }
        }
        for event in &record.events {
            let (hold, bill) = match event {
                ArbEvent::Settled { hold, bill } => (hold, Bill::Exact(*bill)),
                ArbEvent::Presumed { hold, bill } => (hold, Bill::Presumed(*bill)),
                ArbEvent::Released { hold } => (hold, Bill::None),
                ArbEvent::Rebilled { hold, new, .. } => (hold, *new),
                _ => continue,
            };
            self.open.retain(|(open, _)| open != hold);
            if let Some((_, known)) = self.bills.get_mut(hold) {
                *known = bill;
            }
        }
        if let Op::Ask(demand, owner) = &record.op {
            self.asked.retain(|(asked, _)| asked.hold != demand.hold);
            self.asked.push((demand.clone(), owner.clone()));
        }
        let waiting = &record.waiting;
        self.asked
            .retain(|(asked, _)| waiting.binary_search(&asked.hold).is_ok());
    }

    /// Draws an operation, and lets some time pass before it.
    pub(super) fn next_op(&mut self) -> Op {
        self.now += match self.draw.below(200) {
            0 => 43_200_000,
            1 => -10_000,
            2 => -7_200_000,
            3..20 => 10_000,
            _ => self.upto(700),
        };
        let op = self.draw_op();
        if matches!(op, Op::Ask(..) | Op::Settle { .. } | Op::Narrow(..)) {
            self.history.push(op.clone());
        }
        op
    }

    fn draw_op(&mut self) -> Op {
        match self.draw.below(100) {
            0..45 => self.draw_ask(),
            45..72 => self.draw_settle().unwrap_or(Op::Tick),
            72..75 => self.draw_rebill().unwrap_or(Op::Tick),
            75..78 => self.draw_withdraw().unwrap_or(Op::Tick),
            78..81 => self.draw_narrow().unwrap_or(Op::Tick),
            81..82 => self.draw_death(),
            82..83 => self.draw_recovery(),
            83..84 => Op::CloseRun(RunId(RUNS[0].into())),
            84..86 => Op::Pause(POOLS[1].into(), Timestamp(self.now + self.upto(20_000))),
            86..89 => {
                let price = self.pick(&PRICES).unwrap();
                Op::Trust(price.into())
            }
            89..90 => Op::SetTerms(scarce(u32::from(self.chance(50)))),
            90..92 => Op::Reload,
            // What was said is said again, however late.
            92..97 => {
                let history = std::mem::take(&mut self.history);
                let op = self.pick(&history).unwrap_or(Op::Tick);
                self.history = history;
                op
            }
            _ => Op::Tick,
        }
    }

    fn draw_ask(&mut self) -> Op {
        if self.chance(10)
            && let Some((hold, _)) = self.pick(&self.open.clone())
        {
            // Somebody takes a run over, or isn't sure.
            let mut again = self.draw_demand();
            again.hold = hold;
            return Op::Ask(again, self.pick(&self.owners.clone()).unwrap());
        }
        let demand = self.draw_demand();
        Op::Ask(demand, self.pick(&self.owners.clone()).unwrap())
    }

    pub(super) fn draw_demand(&mut self) -> Demand {
        let run = self.pick(&RUNS).unwrap();
        let attempt = self.attempts.entry(RunId(run.into())).or_default();
        *attempt += 1;
        let mut one = demand(run, *attempt);
        if self.chance(75) {
            let most = if self.chance(10) { 400 } else { 60 };
            one = one.costs(self.upto(most) - 2);
            let limit = [None, Some(900), Some(3000)][self.draw.pick(3).unwrap()];
            one = one.within(LedgerId::Run(RunId(run.into())), limit);
        }
        if self.chance(40) {
            one = one.within(LedgerId::Provider("provider".into()), None);
        }
        if self.chance(30) {
            let scope = LedgerId::Scope {
                path: "poster".into(),
                period: Period::Day,
                day: "2000-01-01".into(),
            };
            one = one.within(scope, 400);
        }
        for _ in 0..self.draw.below(3) {
            let rare = if self.chance(97) { 4 } else { 5 };
            let at = [0, 1, 2, 3, 5, 4][self.draw.pick(rare + 1).unwrap()];
            one = one.pool(POOLS[at]);
        }
        if self.chance(40) {
            let price = self.pick(&PRICES).unwrap();
            one = one.price(price);
        }
        if self.chance(25) {
            let key = self.pick(&["x", "y", "z"]).unwrap();
            one = one.key(key);
        }
        if self.chance(20) {
            one = one.or_else();
        }
        one
    }

    pub(super) fn draw_settle(&mut self) -> Option<Op> {
        let (hold, amount) = self.pick(&self.open.clone())?;
        let bill = match self.draw.below(20) {
            0..10 => Bill::Exact(Money(self.upto(amount))),
            10..13 => Bill::Presumed(Money(amount)),
            13 => Bill::Exact(Money(amount + 1 + self.upto(20))),
            14 => Bill::Exact(Money(-1)),
            _ => Bill::None,
        };
        let ending = match self.draw.below(10) {
            0..5 => Ending::Success,
            5..7 => Ending::Failure(FailureClass::Timeout),
            7 => Ending::Failure(FailureClass::Invalid),
            _ => Ending::Silence,
        };
        Some(Op::Settle { hold, bill, ending })
    }

    fn draw_rebill(&mut self) -> Option<Op> {
        let at = self.draw.pick(self.bills.len())?;
        let (hold, (grant, old)) = self.bills.iter().nth(at)?;
        let (hold, grant, old) = (hold.clone(), grant.clone(), *old);
        let amount = Money(self.upto(40));
        let new = match self.draw.below(6) {
            0 => Bill::None,
            1 => Bill::Presumed(amount),
            2 => old,
            _ => Bill::Exact(amount),
        };
        Some(Op::Rebill(Rebill {
            hold,
            grant,
            old,
            new,
        }))
    }

    fn draw_withdraw(&mut self) -> Option<Op> {
        let (demand, _) = self.pick(&self.asked.clone())?;
        Some(Op::Withdraw(demand.hold))
    }

    fn draw_narrow(&mut self) -> Option<Op> {
        let (hold, _) = self.pick(&self.open.clone())?;
        let keep = if self.chance(50) {
            vec![POOLS[1].into()]
        } else {
            Vec::new()
        };
        Some(Op::Narrow(hold, keep))
    }

    fn draw_death(&mut self) -> Op {
        let at = self.draw.pick(self.owners.len()).unwrap();
        let next = OwnerId(format!("o{}", self.owners_made).into());
        self.owners_made += 1;
        let gone = std::mem::replace(&mut self.owners[at], next);
        Op::OwnerGone(gone)
    }

    fn draw_recovery(&mut self) -> Op {
        let run = RunId(self.pick(&RUNS).unwrap().into());
        let mine = self.open.iter().filter(|(hold, _)| hold.run == run);
        let mine: Vec<_> = mine.map(|(hold, _)| hold.ticket.clone()).collect();
        let kept = mine.into_iter().filter(|_| self.draw.below(100) < 80);
        Op::KeepOnly(run, kept.collect())
    }

    /// Ends one attempt after the other until nothing is under way.
    pub(super) fn ending(&mut self) -> Option<Op> {
        self.now = self.wake.unwrap_or(self.now).max(self.now) + 100;
        if self.open.is_empty() {
            return (!self.asked.is_empty()).then_some(Op::Tick);
        }
        self.draw_settle()
    }
}
