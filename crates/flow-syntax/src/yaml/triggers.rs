//! Triggers and tests.

use super::fields::Fields;
use super::keys::{EXPECT, FAILS, RUN, STUB, TRIGGER};
use super::reader::Reader;
use super::tree::{Entry, Kind, Node};
use crate::ast::{
    Clause, Item, ItemKind, Literal, LiteralKind, Name, Reply, Test, TestStmt, TestStmtKind,
    Trigger, TriggerClause, TriggerClauseKind,
};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dsl::fragment::{self, Offsets};

impl<'s> Reader<'s> {
    /// Reads `triggers`.
    pub(super) fn triggers(&mut self, entry: Entry<'s>, items: &mut Vec<Item>) {
        self.each(entry, items, |this, key, value| {
            let name = this.scalar_name(&key);
            let mut fields = this.fields(value, &TRIGGER, &format!("`{}`", key.text))?;
            let call = this.call_expr(&mut fields, "run");
            let clauses = this.trigger_clauses(&mut fields);
            Some(ItemKind::Trigger(Trigger {
                name: name?,
                call: call?,
                clauses,
            }))
        });
    }

    fn trigger_clauses(&mut self, fields: &mut Fields<'s>) -> Vec<TriggerClause> {
        let mut clauses = Vec::new();
        let mut tz = fields.take("tz");
        for entry in fields.rest() {
            let what = format!("`{}`", entry.key.text);
            let span = self.span(entry.key.start, entry.value.end.max(entry.key.end));
            if &*entry.key.text == "notify"
                && let Kind::Seq(nodes) = &entry.value.kind
            {
                for node in nodes {
                    let kind = self.language(node, "an item of `notify`", fragment::notify);
                    clauses.extend(kind.flatten().map(|kind| TriggerClause {
                        kind,
                        span: self.span_of(node),
                    }));
                }
                continue;
            }
            let kind = if &*entry.key.text == "cron" {
                let tz = tz.take();
                self.verbatim_text(&entry.value, &what).map(|pattern| {
                    let tz = tz.and_then(|tz| self.verbatim_text(&tz.value, "`tz`"));
                    TriggerClauseKind::Cron { pattern, tz }
                })
            } else {
                self.trigger_clause(&entry, &what)
            };
            clauses.extend(kind.map(|kind| TriggerClause { kind, span }));
        }
        if let Some(tz) = tz {
            let span = self.span(tz.key.start, tz.key.end);
            let fault = Diagnostic::new(codes::MISSING_KEY, span, "`tz` stands without `cron`");
            self.out.push(fault.help("add `cron:`, or leave `tz` out"));
        }
        clauses
    }

    fn trigger_clause(&mut self, entry: &Entry<'s>, what: &str) -> Option<TriggerClauseKind> {
        let node = &entry.value;
        match &*entry.key.text {
            "on" => self.language(node, what, fragment::trigger_on)?,
            "overlap" => self
                .word(node, what, &["skip", "queue", "cancel", "allow"])
                .map(TriggerClauseKind::Overlap),
            "catchup" => self.language(node, what, fragment::catchup)?,
            "jitter" => self
                .language(node, what, fragment::literal)?
                .map(TriggerClauseKind::Jitter),
            "paused" => {
                let word = self.word(node, what, &["true", "false"])?;
                (word.text == "true").then_some(TriggerClauseKind::Paused)
            }
            "pause_after" => self
                .language(node, what, fragment::literal)?
                .map(TriggerClauseKind::PauseAfter),
            "notify" => self.language(node, what, fragment::notify)?,
            _ => {
                let clause: Clause = self.clause(entry)?;
                Some(TriggerClauseKind::Limit(clause))
            }
        }
    }

    /// Reads `tests`.
    pub(super) fn tests(&mut self, entry: Entry<'s>, items: &mut Vec<Item>) {
        self.each(entry, items, |this, key, value| {
            let name = this.verbatim(&key);
            let nodes = this.list(value, "a test")?;
            let stmts = nodes.into_iter().map(|node| this.test_stmt(node)).collect();
            Some(ItemKind::Test(Test { name, stmts }))
        });
    }

    fn test_stmt(&mut self, node: Node<'s>) -> TestStmt {
        let span = self.span_of(&node);
        let kind = self.test_stmt_kind(node).unwrap_or(TestStmtKind::Error);
        TestStmt { kind, span }
    }

    fn test_stmt_kind(&mut self, node: Node<'s>) -> Option<TestStmtKind> {
        let span = self.span_of(&node);
        let entries = self.entries(node, "an item of a test")?;
        let has = |key: &str| entries.iter().any(|entry| entry.key.text == key);
        if has("stub") {
            let mut fields = self.checked(entries, span, &STUB);
            return self.stub(&mut fields);
        }
        if has("expect") {
            let mut fields = self.checked(entries, span, &EXPECT);
            let node = self.required(&mut fields, "expect")?;
            return Some(TestStmtKind::Expect(self.expression(&node, "`expect`")));
        }
        if has("run") || has("id") || has("with") {
            let mut fields = self.checked(entries, span, &RUN);
            let name = fields.value("id");
            let name = name.and_then(|node| self.name(&node, "`id`"));
            let call = self.call_expr(&mut fields, "run")?;
            return Some(TestStmtKind::Run { name, call });
        }
        if !self.is_broken_in(span) {
            let head = self.head_of_span(span);
            let message = "the item of the test doesn't say what it does";
            let fault = Diagnostic::new(codes::MISSING_KEY, head, message);
            self.out
                .push(fault.help("it needs one of `stub`, `run`, `expect`"));
        }
        None
    }

    fn stub(&mut self, fields: &mut Fields<'s>) -> Option<TestStmtKind> {
        let step = self.required(fields, "stub");
        let at = fields.value("at");
        let at = at.and_then(|node| self.verbatim_text(&node, "`at`"));
        let replies = self.required(fields, "replies");
        let replies = replies.and_then(|node| self.list(node, "`replies`"));
        let replies = replies.unwrap_or_default().into_iter();
        let replies = replies.filter_map(|node| self.reply(node)).collect();
        let step = self.language(&step?, "`stub`", fragment::path)?;
        Some(TestStmtKind::Stub { step, at, replies })
    }

    fn reply(&mut self, node: Node<'s>) -> Option<Reply> {
        let is_failure = matches!(&node.kind, Kind::Map(entries)
            if entries.len() == 1 && entries[0].key.text == "fails");
        if !is_failure {
            return Some(Reply::Value(self.expr_value(node, "the reply")));
        }
        let span = self.span_of(&node);
        let mut fields = self.fields(node, &FAILS, "a reply")?;
        let node = self.required(&mut fields, "fails")?;
        let (class, times) = self.language(&node, "`fails`", read_fails)??;
        Some(Reply::Fails { class, times, span })
    }
}

/// Reads `timeout times 2`.
fn read_fails(text: &str, at: &Offsets, out: &mut Diagnostics) -> Option<(Name, Option<Literal>)> {
    let mut words = text.split_whitespace().map(|word| {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        let text = word.to_owned();
        let span = at.span(start, start + word.len());
        Name { text, span }
    });
    let (class, times, count, more) = (words.next(), words.next(), words.next(), words.next());
    let is_count = |name: &Name| name.text.bytes().all(|byte| byte.is_ascii_digit());
    match (class, times, count, more) {
        (Some(class), None, None, None) => Some((class, None)),
        (Some(class), Some(times), Some(count), None)
            if times.text == "times" && is_count(&count) =>
        {
            let literal = Literal {
                kind: LiteralKind::Int,
                text: count.text,
                span: count.span,
            };
            Some((class, Some(literal)))
        }
        _ => {
            let span = at.span(0, text.len());
            let message = format!("`{text}` is no failure");
            let fault = Diagnostic::new(codes::SYNTAX, span, message);
            out.push(fault.help("write a class, and perhaps how often: `timeout times 2`"));
            None
        }
    }
}
