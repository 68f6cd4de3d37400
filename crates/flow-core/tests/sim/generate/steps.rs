//! Steps of a plan: what they may do, what they cost, what governs them.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::amount::{Duration, Money};
use flow_core::effect::{Effect, FailureClass};
use flow_core::expr::{Expr, Op};
use flow_core::plan::{Block, Cache, NodeId, NodeKind, OnLost, Policies, Price, Retry, Step};
use flow_core::ty::Type;
use flow_core::value::Value;

use super::{Place, Sort, Writer, act};

/// The step that asks whether something may be done.
pub(crate) const APPROVE: &str = "approve";
/// The step that asks for a value.
pub(crate) const ASK: &str = "human.ask";
/// The step that waits.
pub(crate) const WAIT: &str = "wait";

/// All other steps. Each has a price of its own.
const MADE: &[&str] = &["made.a", "made.b", "made.c", "made.d"];

/// What a step is like.
struct Kind {
    step: &'static str,
    effect: Effect,
    sort: Sort,
}

impl Writer<'_> {
    pub(super) fn step(&mut self, place: &Place) -> (NodeId, Sort) {
        let kind = self.kind(place);
        self.step_of(place, &kind)
    }

    /// Writes a step of a sort that doesn't act, for a race.
    pub(super) fn contender(&mut self, place: &Place, sort: Sort) -> NodeId {
        let effect = self.dice.one(&[Effect::Pure, Effect::Read, Effect::Paid]);
        let kind = Kind {
            step: self.dice.one(MADE),
            effect,
            sort,
        };
        self.step_of(place, &kind).0
    }

    fn kind(&mut self, place: &Place) -> Kind {
        let drawn = self.dice.below(100);
        let step = self.dice.one(MADE);
        let made = |effect| Kind {
            step,
            effect,
            sort: Sort::Int,
        };
        let mut kind = match drawn {
            0..18 => made(Effect::Pure),
            18..34 => made(Effect::Read),
            34..62 => made(Effect::Paid),
            62..90 if place.may_act => made(Effect::Act(act(self.dice))),
            62..90 => made(Effect::Paid),
            90..94 if place.may_ask => {
                return Kind {
                    step: APPROVE,
                    effect: Effect::Read,
                    sort: Sort::Bool,
                };
            }
            94..97 if place.may_ask => {
                return Kind {
                    step: ASK,
                    effect: Effect::Read,
                    sort: Sort::Int,
                };
            }
            97.. if self.taste.has_time => {
                return Kind {
                    step: WAIT,
                    effect: Effect::Read,
                    sort: Sort::Int,
                };
            }
            90.. => made(Effect::Read),
        };
        kind.sort = match self.dice.below(20) {
            0 | 1 => Sort::List,
            2 => Sort::Bool,
            3 if kind.effect.acts() => Sort::Nothing,
            _ => Sort::Int,
        };
        kind
    }

    fn step_of(&mut self, place: &Place, kind: &Kind) -> (NodeId, Sort) {
        let id = self.reserve();
        let mut params: BTreeMap<Arc<str>, Type> = BTreeMap::new();
        let mut args: BTreeMap<Arc<str>, Expr> = BTreeMap::new();
        args.insert("a".into(), self.int(place));
        params.insert("a".into(), Type::int());
        if self.dice.percent(40) {
            args.insert("b".into(), self.list(place));
            params.insert("b".into(), Type::list(Type::int()));
        }
        params.extend(kind.sort.ty().map(|ty| ("return".into(), ty)));
        let is_person = !MADE.contains(&kind.step);
        let price = self.price(id, kind.effect);
        let (fallback, sort) = if !is_person && self.dice.percent(25) {
            self.fallback(place, id, kind.sort)
        } else {
            (None, kind.sort)
        };
        let mut pools = Vec::new();
        if !is_person && self.dice.percent(30) {
            let pool = self.dice.one(&["gpu", "provider"]);
            pools.push(Expr::Const(Value::text(pool)));
        }
        let step = Step {
            step: kind.step.into(),
            type_arg: None,
            args,
            params: Arc::new(params),
            effect: kind.effect,
            signature: "made for a world".into(),
            run: None,
            price,
            pools,
            policies: self.policies(kind, is_person),
            fallback,
        };
        let name = format!("s{}", id.0);
        let kind = NodeKind::Step(Box::new(step));
        self.place(id, Some(place.parent.clone()), &name, sort, kind);
        (id, sort)
    }

    fn price(&mut self, id: NodeId, effect: Effect) -> Option<Price> {
        let is_priced = match effect {
            Effect::Paid => self.dice.percent(85),
            Effect::Act(_) => self.dice.percent(40),
            Effect::Pure | Effect::Read => false,
        };
        if !is_priced {
            return None;
        }
        let cents = Money(self.dice.from(1, 12) * 10_000_000);
        let unit = Expr::Const(Value::Money(cents));
        let (formula, bound) = if self.dice.percent(25) {
            // Argument `a` is the first of all.
            let limit = Expr::Const(Value::Int(7));
            let count = Expr::Arg(id, 0);
            let count = Expr::Binary(Op::Remainder, count.into(), limit.into(), self.site());
            let formula = Expr::Binary(Op::Multiply, unit.into(), count.into(), self.site());
            (formula, cents.checked_times(6))
        } else {
            (unit, Some(cents))
        };
        Some(Price {
            formula,
            bound,
            reason: "made for a world".into(),
        })
    }

    pub(super) fn fallback(
        &mut self,
        place: &Place,
        id: NodeId,
        sort: Sort,
    ) -> (Option<Block>, Sort) {
        let mut inner = place.inside(id, Some("else"));
        let gives_none = sort == Sort::Int && self.dice.percent(25);
        if gives_none {
            let block = Block {
                nodes: Vec::new(),
                result: Some(Expr::Const(Value::None)),
            };
            return (Some(block), Sort::Maybe);
        }
        let is_simple = place.depth >= super::DEPTH_MAX || self.left == 0 || self.dice.percent(50);
        let count = u64::from(!is_simple);
        let written = self.block(&mut inner, count, Some(sort));
        (Some(written.block), sort)
    }

    fn policies(&mut self, kind: &Kind, is_person: bool) -> Policies {
        let mut policies = Policies::default();
        if !is_person && self.dice.percent(40) {
            policies.retry = Some(self.retry());
        }
        if !is_person && self.taste.has_time && self.dice.percent(30) {
            let seconds = self.dice.one(&[1, 4, 20, 120]);
            let timeout = Duration(seconds * Duration::SECOND.0);
            policies.timeout = Some(Expr::Const(Value::Duration(timeout)));
        }
        if kind.step != APPROVE && kind.step != ASK {
            policies.limits = self.limits(12);
        }
        if kind.effect == Effect::Paid && self.dice.percent(40) {
            policies.on_lost = Some(self.dice.one(&[OnLost::Again, OnLost::Ask, OnLost::Fail]));
        }
        if matches!(kind.effect, Effect::Pure | Effect::Read | Effect::Paid)
            && !is_person
            && self.dice.percent(20)
        {
            policies.cache = Some(match self.dice.below(3) {
                0 => Cache::On,
                1 => Cache::Off,
                _ => Cache::For(Expr::Const(Value::Duration(Duration::HOUR))),
            });
        }
        policies
    }

    pub(super) fn retry(&mut self) -> Retry {
        let attempts = self.dice.from(1, 4);
        let mut on = Vec::new();
        if self.dice.percent(30) {
            on.push(FailureClass::Transient);
            on.push(self.dice.one(&[
                FailureClass::Timeout,
                FailureClass::Invalid,
                FailureClass::Capacity,
            ]));
        }
        Retry {
            attempts: Expr::Const(Value::Int(attempts)),
            attempts_max: u32::try_from(attempts).ok(),
            backoff: self
                .dice
                .percent(50)
                .then_some((Duration::SECOND, Duration::MINUTE)),
            on,
        }
    }
}
