//! Triggers.

use super::Reader;
use super::grammar::{Pair, Rule, parts};
use crate::ast::{ItemKind, Trigger, TriggerClause, TriggerClauseKind};

impl Reader<'_> {
    /// Reads a trigger.
    pub(super) fn trigger_item(&mut self, pair: Pair<'_>) -> ItemKind {
        let mut inner = parts(pair).skip(1);
        let name = inner.next().expect("a trigger has a name");
        let name = self.name(&name);
        let call = inner.next().expect("a trigger has a call");
        let call = self.expr(call, 0);
        let clauses = inner.map(|clause| self.trigger_clause(clause)).collect();
        ItemKind::Trigger(Trigger {
            name,
            call,
            clauses,
        })
    }

    fn trigger_clause(&mut self, pair: Pair<'_>) -> TriggerClause {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        if matches!(rule, Rule::budget | Rule::within) {
            let kind = TriggerClauseKind::Limit(self.clause(pair));
            return TriggerClause { kind, span };
        }
        let mut inner = parts(pair).skip(1);
        let kind = if rule == Rule::paused {
            TriggerClauseKind::Paused
        } else if rule == Rule::pause_after {
            let count = inner.nth(1).expect("`pause after` has a number");
            TriggerClauseKind::PauseAfter(self.literal(count))
        } else if rule == Rule::catchup {
            self.catchup(inner)
        } else if rule == Rule::notify {
            self.notify(inner)
        } else {
            let first = inner.next().expect("a clause has an operand");
            if rule == Rule::cron {
                let pattern = self.plain_text(first);
                let tz = inner.nth(1).map(|tz| self.plain_text(tz));
                TriggerClauseKind::Cron { pattern, tz }
            } else if rule == Rule::overlap {
                TriggerClauseKind::Overlap(self.name(&first))
            } else if rule == Rule::jitter {
                TriggerClauseKind::Jitter(self.literal(first))
            } else {
                self.trigger_on(first)
            }
        };
        TriggerClause { kind, span }
    }

    /// Reads what stands behind `on`.
    pub(super) fn trigger_on(&mut self, pair: Pair<'_>) -> TriggerClauseKind {
        let rule = pair.as_rule();
        let mut inner = parts(pair).skip(1);
        let first = inner.next().expect("`on` has an operand");
        if rule == Rule::on_file {
            TriggerClauseKind::File(self.plain_text(first))
        } else if rule == Rule::on_webhook {
            let path = self.plain_text(first);
            let body = inner.nth(1).map(|ty| self.ty(ty, 0));
            TriggerClauseKind::Webhook { path, body }
        } else {
            let what = inner.next().expect("`on flow` has an event");
            let path = self.path(&first);
            TriggerClauseKind::Flow {
                path,
                what: self.name(&what),
            }
        }
    }

    /// Reads what stands behind `catchup`.
    pub(super) fn catchup<'p>(
        &mut self,
        mut inner: impl Iterator<Item = Pair<'p>>,
    ) -> TriggerClauseKind {
        let word = inner.next().expect("`catchup` has a word");
        let word = self.name(&word);
        let max = inner.nth(1).map(|max| self.literal(max));
        TriggerClauseKind::Catchup { word, max }
    }

    /// Reads what stands behind `notify`.
    pub(super) fn notify<'p>(
        &mut self,
        mut inner: impl Iterator<Item = Pair<'p>>,
    ) -> TriggerClauseKind {
        let channel = inner.next().expect("`notify` has a channel");
        let to = inner.next().expect("`notify` has a receiver");
        TriggerClauseKind::Notify {
            channel: self.name(&channel),
            to: self.plain_text(to),
            on: inner.skip(1).map(|word| self.name(&word)).collect(),
        }
    }
}
