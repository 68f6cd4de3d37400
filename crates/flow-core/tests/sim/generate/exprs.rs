//! Expressions of a plan. Few of them can fail, and none grows without bound.

use flow_core::expr::{Expr, Function, Op};
use flow_core::value::Value;

use super::{Place, Sort, Writer};

impl Writer<'_> {
    /// Draws an expression of a sort; nothing for none.
    pub(super) fn expr(&mut self, place: &Place, sort: Sort) -> Option<Expr> {
        match sort {
            Sort::Int => Some(self.int(place)),
            Sort::Bool => Some(self.truth(place)),
            Sort::List => Some(self.list(place)),
            Sort::Maybe => Some(self.maybe(place)),
            Sort::Nothing => None,
        }
    }

    /// Draws something that can be named here, the newest most likely.
    fn named(&mut self, place: &Place, sort: Sort) -> Option<Expr> {
        let fitting: Vec<_> = place.seen.iter().filter(|seen| seen.sort == sort).collect();
        let last = fitting.len().checked_sub(1)?;
        let at = if self.dice.percent(50) {
            last
        } else {
            self.dice.at(fitting.len())
        };
        Some(fitting[at].expr.clone())
    }

    pub(super) fn int(&mut self, place: &Place) -> Expr {
        let number = Expr::Const(Value::Int(self.dice.from(0, 9)));
        match self.dice.below(20) {
            0..12 => self.named(place, Sort::Int).unwrap_or(number),
            12..15 => {
                let (left, right) = (self.named(place, Sort::Int), self.named(place, Sort::Int));
                let sum = Expr::Binary(
                    Op::Add,
                    Box::new(left.unwrap_or_else(|| number.clone())),
                    Box::new(right.unwrap_or(number)),
                    self.site(),
                );
                let limit = Expr::Const(Value::Int(1000));
                Expr::Binary(Op::Remainder, sum.into(), limit.into(), self.site())
            }
            15..17 => match self.named(place, Sort::Maybe) {
                Some(maybe) => Expr::Binary(Op::Coalesce, maybe.into(), number.into(), self.site()),
                None => number,
            },
            17..19 => match self.named(place, Sort::List) {
                Some(list) => Expr::Call(Function::Len, vec![list], self.site(), None),
                None => number,
            },
            // Fails if the list is short.
            _ => match self.named(place, Sort::List) {
                Some(list) if self.dice.percent(30) => {
                    let at = Expr::Const(Value::Int(self.dice.from(0, 2)));
                    Expr::Index(list.into(), at.into(), self.site())
                }
                Some(_) | None => number,
            },
        }
    }

    pub(super) fn truth(&mut self, place: &Place) -> Expr {
        match self.named(place, Sort::Bool) {
            Some(named) if self.dice.percent(60) => named,
            Some(_) | None => {
                let left = self.int(place);
                let limit = Expr::Const(Value::Int(self.dice.one(&[0, 4, 500])));
                Expr::Binary(Op::Less, left.into(), limit.into(), self.site())
            }
        }
    }

    pub(super) fn list(&mut self, place: &Place) -> Expr {
        match self.named(place, Sort::List) {
            Some(named) if self.dice.percent(50) => named,
            Some(_) | None => self.range_or_list(place),
        }
    }

    /// A list without repetitions, or one of what is named here.
    fn range_or_list(&mut self, place: &Place) -> Expr {
        if self.dice.percent(50) {
            let items = self.taste.items;
            let count = if items > 20 && self.dice.percent(60) {
                items
            } else {
                self.dice.from(0, items.min(6))
            };
            self.range(count)
        } else {
            let count = self.dice.below(4);
            Expr::List((0..count).map(|_| self.int(place)).collect())
        }
    }

    pub(super) fn range(&mut self, count: i64) -> Expr {
        let count = Expr::Const(Value::Int(count));
        Expr::Call(Function::Range, vec![count], self.site(), None)
    }

    pub(super) fn maybe(&mut self, place: &Place) -> Expr {
        match self.named(place, Sort::Maybe) {
            Some(named) => named,
            None if self.dice.percent(50) => self.int(place),
            None => Expr::Const(Value::None),
        }
    }
}
