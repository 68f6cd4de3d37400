//! Scripted steps: what each one does, by the seed of its world and its path.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::address::Ticket;
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::effect::{Effect, FailureClass};
use flow_core::step::Sent;
use flow_core::ty::Type;
use flow_core::value::Value;

use crate::dice::Dice;
use crate::generate::{APPROVE, ASK, WAIT};

/// What a scripted step gets.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The number of the run in its world.
    pub(crate) run: usize,
    pub(crate) ticket: Ticket,
    pub(crate) path: String,
    pub(crate) step: Arc<str>,
    pub(crate) args: BTreeMap<Arc<str>, Value>,
    /// The type of its result.
    pub(crate) ty: Option<Type>,
    pub(crate) effect: Effect,
    pub(crate) idempotency: Digest,
    pub(crate) bound: Money,
    pub(crate) timeout: Option<Duration>,
}

/// How rough the outside is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// All goes well.
    Calm,
    /// Some steps fail, in ways that don't depend on when they are tried.
    Firm,
    /// Everything happens.
    Rough,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temper {
    /// It succeeds.
    Fine,
    /// It fails so many times before it succeeds.
    Failing {
        times: u32,
        class: FailureClass,
        sent: Sent,
        /// Whether it happened and was charged all the same.
        happens: bool,
        /// How long it asks to wait.
        patience: Option<Duration>,
    },
    /// So many times, nobody hears what becomes of it.
    Silent { times: u32, happens: bool },
    /// It hands in a job that takes so many milliseconds.
    Job { takes: i64, fails: bool },
    /// It asks a person.
    Asks { expires: Option<i64>, answers: bool },
    /// It waits so many milliseconds.
    Waits(i64),
}

/// How it is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Billing {
    Exact,
    Less,
    /// So many percent more than the bound.
    More(i64),
    Free,
    /// Nobody knows yet.
    Open,
}

/// All about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    pub(crate) temper: Temper,
    pub(crate) billing: Billing,
    /// From the start to the first byte, from there to the other side, and back.
    pub(crate) delays: [i64; 3],
    /// Whether its failures are of several kinds.
    pub(crate) is_fickle: bool,
    /// The other side needs so long until it can be asked about.
    pub(crate) stores_after: i64,
}

/// Draws what a step does.
pub(crate) fn manner(seed: u64, mood: Mood, call: &Call) -> Manner {
    let mut dice = Dice::named(seed, (call.run, &call.path, "manner"));
    let temper = temper(&mut dice, mood, call);
    let billing = match (mood, dice.below(20)) {
        (Mood::Calm, _) | (_, 0..12) => Billing::Exact,
        (_, 12..15) => Billing::Less,
        (_, 15) => Billing::Free,
        (_, 16) => Billing::More(dice.from(1, 200)),
        (_, 17) if call.effect == Effect::Paid => Billing::Open,
        (_, _) => Billing::Exact,
    };
    let slow = if dice.percent(15) { 40_000 } else { 900 };
    Manner {
        temper,
        billing,
        is_fickle: mood == Mood::Rough && dice.percent(40),
        delays: [dice.from(0, 40), dice.from(1, 400), dice.from(1, slow)],
        stores_after: match mood {
            Mood::Rough if dice.percent(6) => 3_600_000,
            Mood::Calm | Mood::Firm | Mood::Rough => 0,
        },
    }
}

fn temper(dice: &mut Dice, mood: Mood, call: &Call) -> Temper {
    match &*call.step {
        APPROVE | ASK => {
            let is_rough = mood == Mood::Rough;
            return Temper::Asks {
                expires: (is_rough && dice.percent(30)).then(|| dice.from(1_000, 90_000)),
                answers: !is_rough || dice.percent(90),
            };
        }
        WAIT => return Temper::Waits(dice.from(0, 20_000)),
        _ => {}
    }
    let chance = match mood {
        Mood::Calm => 0,
        Mood::Firm => 20,
        Mood::Rough => 40,
    };
    let is_job = matches!(call.effect, Effect::Read | Effect::Paid) && dice.percent(15);
    if is_job {
        return Temper::Job {
            takes: dice.from(10, 60_000),
            fails: mood == Mood::Rough && dice.percent(15),
        };
    }
    if !dice.percent(chance) {
        return Temper::Fine;
    }
    let times = match mood {
        Mood::Calm | Mood::Firm => 9,
        Mood::Rough => dice.one(&[1, 1, 2, 3, 9]),
    };
    let happens = mood == Mood::Rough && dice.percent(50);
    if mood == Mood::Rough && call.timeout.is_some() && dice.percent(40) {
        return Temper::Silent { times, happens };
    }
    failing(dice, mood, times, happens)
}

fn failing(dice: &mut Dice, mood: Mood, times: u32, happens: bool) -> Temper {
    let class = if mood == Mood::Firm {
        dice.one(&[FailureClass::Invalid, FailureClass::Policy])
    } else {
        dice.one(&[
            FailureClass::Transient,
            FailureClass::Transient,
            FailureClass::RateLimited,
            FailureClass::Timeout,
            FailureClass::Invalid,
            FailureClass::Auth,
            FailureClass::Policy,
            FailureClass::Capacity,
            FailureClass::Expired,
            FailureClass::Bug,
        ])
    };
    let sent = if mood == Mood::Firm {
        Sent::Refused
    } else {
        dice.one(&[Sent::No, Sent::Maybe, Sent::Refused])
    };
    Temper::Failing {
        times,
        class,
        sent,
        happens: happens && sent == Sent::Maybe,
        patience: (class == FailureClass::RateLimited && dice.percent(60))
            .then(|| Duration(dice.from(1, 90) * Duration::SECOND.0)),
    }
}

/// The value that a step gives: it depends on its place and its arguments, and
/// not on when or how often it is tried.
pub(crate) fn value(seed: u64, call: &Call) -> Value {
    let mut dice = Dice::named(seed, (call.run, &call.path, format!("{:?}", call.args)));
    call.ty
        .as_ref()
        .map_or(Value::None, |ty| value_of(&mut dice, ty))
}

fn value_of(dice: &mut Dice, ty: &Type) -> Value {
    match ty {
        Type::Bool => Value::Bool(dice.percent(60)),
        Type::List(list) => {
            let count = dice.below(4);
            Value::list((0..count).map(|_| value_of(dice, &list.item)).collect())
        }
        Type::Optional(inner) => match dice.below(3) {
            0 => Value::None,
            _ => value_of(dice, inner),
        },
        _ => Value::Int(dice.from(0, 999)),
    }
}

/// An instant so many milliseconds after another.
pub(crate) fn after(now: Timestamp, millis: i64) -> Timestamp {
    Timestamp(now.0 + millis)
}
