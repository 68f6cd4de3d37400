//! Policies behind a call, limits in a head, effects.

use super::Reader;
use super::grammar::{Pair, Rule, parts};
use crate::ast::{Cache, Clause, ClauseKind, EffectExpr, Expr};

impl Reader<'_> {
    /// Reads a clause; its first piece is the word it begins with.
    pub(super) fn clause(&mut self, pair: Pair<'_>) -> Clause {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut inner = parts(pair);
        if rule == Rule::on_lost {
            let word = inner.nth(2).expect("`on lost` has an answer");
            let word = self.name(&word);
            return Clause {
                kind: ClauseKind::OnLost(word),
                span,
            };
        }
        inner.next();
        let kind = if rule == Rule::budget {
            self.budget(inner)
        } else if rule == Rule::retry {
            self.retry(inner)
        } else if rule == Rule::cache {
            ClauseKind::Cache(self.cache(inner))
        } else if rule == Rule::after {
            ClauseKind::After(inner.map(|name| self.name(&name)).collect())
        } else {
            let operand = inner.next().expect("a clause has an operand");
            self.simple_clause(rule, operand)
        };
        Clause { kind, span }
    }

    fn simple_clause(&mut self, rule: Rule, operand: Pair<'_>) -> ClauseKind {
        if rule == Rule::pool {
            ClauseKind::Pool(self.path(&operand))
        } else if rule == Rule::effect {
            ClauseKind::Effect(self.effect(operand))
        } else if rule == Rule::within {
            ClauseKind::Within(self.atom(operand))
        } else if rule == Rule::timeout {
            ClauseKind::Timeout(self.atom(operand))
        } else if rule == Rule::label {
            ClauseKind::Label(self.atom(operand))
        } else {
            ClauseKind::Assume(self.atom(operand))
        }
    }

    /// Reads a value of a clause: a literal, a name, or `(…)`.
    pub(super) fn atom(&mut self, pair: Pair<'_>) -> Expr {
        if pair.as_rule() != Rule::reference_plain {
            return self.expr(pair, 0);
        }
        let path = pair.into_inner().next().expect("a reference has a path");
        self.dotted(&path, 0)
    }

    /// Reads what stands behind `budget`.
    pub(super) fn budget<'p>(&mut self, inner: impl Iterator<Item = Pair<'p>>) -> ClauseKind {
        let mut amount = None;
        let mut per = None;
        let mut or = None;
        let mut before = Rule::end;
        for part in inner {
            let rule = part.as_rule();
            if matches!(rule, Rule::kw_per | Rule::kw_or) {
                before = rule;
            } else if amount.is_none() {
                amount = Some(self.atom(part));
            } else if before == Rule::kw_per {
                per = Some(self.name(&part));
            } else {
                or = Some(self.name(&part));
            }
        }
        let amount = amount.expect("a budget has an amount");
        ClauseKind::Budget { amount, per, or }
    }

    /// Reads what stands behind `retry`.
    pub(super) fn retry<'p>(&mut self, mut inner: impl Iterator<Item = Pair<'p>>) -> ClauseKind {
        let attempts = inner.next().expect("a retry has a number");
        let attempts = self.atom(attempts);
        let mut backoff = None;
        let mut on = Vec::new();
        for part in inner {
            if part.as_rule() == Rule::backoff {
                let mut range = parts(part).skip(1);
                let first = range.next().expect("a range has two ends");
                let last = range.next().expect("a range has two ends");
                backoff = Some((self.literal(first), self.literal(last)));
            } else {
                on = parts(part).skip(1).map(|word| self.name(&word)).collect();
            }
        }
        ClauseKind::Retry {
            attempts,
            backoff,
            on,
        }
    }

    /// Reads what stands behind `cache`.
    pub(super) fn cache<'p>(&mut self, mut inner: impl Iterator<Item = Pair<'p>>) -> Cache {
        let operand = inner.next().expect("`cache` has an operand");
        let rule = operand.as_rule();
        if rule == Rule::kw_on {
            Cache::On
        } else if rule == Rule::kw_off {
            Cache::Off
        } else {
            Cache::For(self.atom(operand))
        }
    }

    /// Reads one effect.
    pub(super) fn effect(&mut self, pair: Pair<'_>) -> EffectExpr {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let word = inner.next().expect("an effect has a word");
        let word = self.name(&word);
        let manner = inner.next().map(|manner| self.name(&manner));
        let window = inner.next().map(|window| self.literal(window));
        EffectExpr {
            word,
            manner,
            window,
            span,
        }
    }
}
