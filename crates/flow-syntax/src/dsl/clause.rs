//! Policies behind a call, limits in a head, effects.

use super::Reader;
use super::grammar::{Pair, Rule, parts};
use crate::ast::{Cache, Clause, ClauseKind, EffectExpr, Expr, Name};
use crate::codes;
use crate::diagnostic::{Diagnostic, nearest};

impl<'a> Reader<'a> {
    /// Reads a clause; its first piece is the word it begins with.
    pub(super) fn clause(&mut self, pair: Pair<'a>) -> Clause {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut inner = parts(pair);
        if rule == Rule::on_lost {
            let word = inner.nth(2).expect("`on lost` has an answer");
            let word = self.one_of(&word, &["again", "ask", "fail"]);
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

    fn simple_clause(&mut self, rule: Rule, operand: Pair<'a>) -> ClauseKind {
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
    pub(super) fn atom(&mut self, pair: Pair<'a>) -> Expr {
        if pair.as_rule() != Rule::reference_plain {
            return self.expr(pair, 0);
        }
        let path = pair.into_inner().next().expect("a reference has a path");
        self.dotted(&path, 0)
    }

    /// Reads what stands behind `budget`.
    pub(super) fn budget(&mut self, inner: impl Iterator<Item = Pair<'a>>) -> ClauseKind {
        let mut amount = None;
        let mut per = None;
        let mut or = None;
        let mut before = Rule::EOI;
        for part in inner {
            let rule = part.as_rule();
            if matches!(rule, Rule::kw_per | Rule::kw_or) {
                before = rule;
            } else if amount.is_none() {
                amount = Some(self.atom(part));
            } else if before == Rule::kw_per {
                per = Some(self.one_of(&part, &["day", "week", "month"]));
            } else {
                or = Some(self.one_of(&part, &["stop", "ask"]));
            }
        }
        let amount = amount.expect("a budget has an amount");
        ClauseKind::Budget { amount, per, or }
    }

    /// Reads what stands behind `retry`.
    pub(super) fn retry(&mut self, mut inner: impl Iterator<Item = Pair<'a>>) -> ClauseKind {
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
    pub(super) fn cache(&mut self, mut inner: impl Iterator<Item = Pair<'a>>) -> Cache {
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
    pub(super) fn effect(&mut self, pair: Pair<'a>) -> EffectExpr {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let word = inner.next().expect("an effect has a word");
        let word = self.one_of(&word, &["pure", "read", "paid", "act"]);
        let manner = inner.next().map(|manner| self.name(&manner));
        let window = inner.next().map(|window| self.literal(window));
        EffectExpr {
            word,
            manner,
            window,
            span,
        }
    }

    /// Takes a word that must be one of a few.
    pub(super) fn one_of(&mut self, pair: &Pair<'_>, words: &[&'static str]) -> Name {
        let name = self.name(pair);
        if !words.contains(&name.text.as_str()) {
            let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            let message = format!("expected {}, found `{}`", list.join(" or "), name.text);
            let mut diagnostic = Diagnostic::new(codes::SYNTAX, name.span, message);
            if let Some(near) = nearest(&name.text, words.iter().copied()) {
                let title = format!("write `{near}`");
                diagnostic =
                    diagnostic.fix(crate::diagnostic::Certainty::Likely, title, name.span, near);
            }
            self.report(diagnostic);
        }
        name
    }
}
