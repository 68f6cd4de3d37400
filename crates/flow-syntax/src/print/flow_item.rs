//! Declarations of the workflow language.

use super::anchors::{Place, place, reply_place, step_places, variant_place};
use super::flow_expr::{Flow, ROUND};
use super::flow_text::{quoted, quoted_or_raw};
use super::flow_type::effect;
use super::trivia::Trivia;
use crate::ast::{
    Enum, Field, File, Item, ItemKind, Name, Reply, StepDecl, Test, TestStmt, TestStmtKind,
    Trigger, TriggerClauseKind, Use, Variant, Workflow,
};

/// Writes a file of the workflow language.
pub(super) fn print(file: &File, trivia: &Trivia) -> String {
    let mut flow = Flow::new(trivia);
    let mut out = String::new();
    for remark in &trivia.head {
        push_remark(&mut out, &remark.text, remark.blank_before);
    }
    let mut before: Option<&Item> = None;
    for item in file
        .items
        .iter()
        .filter(|item| !matches!(item.kind, ItemKind::Error))
    {
        let is_use = |item: &Item| matches!(item.kind, ItemKind::Use(_));
        let is_close = before.is_some_and(|before| is_use(before) && is_use(item))
            && !flow.pending.blank_before(place(item.span));
        if !out.is_empty() && !is_close {
            out.push('\n');
        }
        flow.item(item);
        // Declarations are laid out one by one, to keep the tokens few.
        let doc = std::mem::take(&mut flow.doc);
        out.push_str(doc.render(super::doc::WIDTH).trim_start_matches('\n'));
        out.push('\n');
        before = Some(item);
    }
    let leftovers = flow.pending.leftovers((0, u32::MAX));
    for (index, remark) in trivia.tail.iter().chain(&leftovers).enumerate() {
        let blank = remark.blank_before || (index == 0 && !file.items.is_empty());
        push_remark(&mut out, &remark.text, blank);
    }
    out
}

/// Writes a comment on a line of its own.
fn push_remark(out: &mut String, text: &str, blank_before: bool) {
    if blank_before && !out.is_empty() {
        out.push('\n');
    }
    out.push('#');
    out.push_str(text);
    out.push('\n');
}

impl<'a> Flow<'a> {
    fn item(&mut self, item: &'a Item) {
        self.own_line(place(item.span), true, &[], |flow| {
            flow.docs(&item.docs);
            match &item.kind {
                ItemKind::Use(one) => flow.using(one),
                ItemKind::Enum(one) => flow.enumeration(one),
                ItemKind::Type(def) => {
                    flow.doc.text(format!("type {} = ", def.name.text));
                    flow.ty(&def.ty);
                }
                ItemKind::Step(step) => flow.step(step),
                ItemKind::Workflow(workflow) => flow.workflow(workflow),
                ItemKind::Trigger(trigger) => flow.trigger(trigger),
                ItemKind::Test(test) => flow.test(test, item.span.end),
                ItemKind::Error => {}
            }
        });
    }

    fn using(&mut self, one: &'a Use) {
        self.doc
            .text(format!("use {}", quoted_or_raw(&one.path.text)));
        if let Some(alias) = &one.alias {
            self.doc.text(format!(" as {}", alias.text));
        }
    }

    fn enumeration(&mut self, one: &'a Enum) {
        self.doc.text(format!("enum {} =", one.name.text));
        self.variants(&one.variants);
    }

    fn variants(&mut self, variants: &'a [Variant]) {
        self.doc.open();
        self.doc.indent();
        for (index, variant) in variants.iter().enumerate() {
            let after = self.part(" ", index == 0, variant_place(variant), |flow| {
                flow.docs(&variant.docs);
                if index == 0 {
                    flow.doc.if_broken("| ");
                } else {
                    flow.doc.text("| ");
                }
                flow.doc.text(variant_text(variant));
            });
            self.remarks_after(after);
        }
        self.doc.dedent();
        self.doc.close();
    }

    fn params(&mut self, params: &'a [Field]) {
        let at = |field: &Field| place(field.span);
        self.parts(ROUND, (u32::MAX, u32::MAX), params, at, Self::field);
    }

    fn step(&mut self, step: &'a StepDecl) {
        self.doc.text(format!("step {}", step.path.text));
        if let Some(name) = &step.type_param {
            self.doc.text(format!("<{}>", name.text));
        }
        self.params(&step.params);
        self.doc.open();
        self.doc.indent();
        let after = self.part(" ", true, place(step.returns.span), |flow| {
            flow.doc.text("-> ");
            flow.ty(&step.returns);
        });
        self.remarks_after(after);
        let mut places = step_places(step);
        let mut next = || places.next().unwrap_or_default();
        if !step.effects.is_empty() {
            let all: Vec<String> = step.effects.iter().map(effect).collect();
            self.step_part(next(), "effect ", |flow| flow.doc.text(all.join(" | ")));
        }
        if let Some(cost) = &step.cost {
            self.step_part(next(), "cost ", |flow| flow.expr_alone(cost));
        }
        if let Some(pool) = &step.pool {
            self.step_part(next(), "pool ", |flow| flow.expr_alone(pool));
        }
        if let Some(run) = &step.run {
            let run = quoted_or_raw(&run.text);
            self.step_part(next(), "run ", |flow| flow.doc.text(run));
        }
        self.doc.dedent();
        self.doc.close();
    }

    fn step_part(&mut self, at: Place, word: &'static str, write: impl FnOnce(&mut Self)) {
        let after = self.part(" ", true, at, |flow| {
            flow.doc.text(word);
            write(flow);
        });
        self.remarks_after(after);
    }

    fn workflow(&mut self, workflow: &'a Workflow) {
        self.doc.text(format!("workflow {}", workflow.name.text));
        self.params(&workflow.params);
        if let Some(returns) = &workflow.returns {
            self.doc.text(" -> ");
            self.ty(returns);
        }
        let returns = workflow.returns.as_ref().map(|ty| place(ty.span));
        self.limits_head(returns, &workflow.limits);
        self.block(&workflow.body);
    }

    fn trigger(&mut self, trigger: &'a Trigger) {
        self.doc.text(format!("trigger {} = ", trigger.name.text));
        self.expr_alone(&trigger.call);
        let call = self.pending.take(place(trigger.call.span));
        self.doc.open();
        self.doc.indent();
        if let Some(text) = call.trailing {
            self.doc.suffix(format!("#{text}"));
        }
        self.remarks_after(call.leading);
        self.remarks_after(call.after);
        for clause in &trigger.clauses {
            let after = self.part(" ", true, place(clause.span), |flow| match &clause.kind {
                TriggerClauseKind::Limit(limit) => flow.clause(limit),
                TriggerClauseKind::Webhook { .. } | TriggerClauseKind::File(_) => {
                    flow.doc.text(format!("on {}", trigger_text(&clause.kind)));
                }
                TriggerClauseKind::Flow { .. } => {
                    flow.doc.text(format!("on {}", trigger_text(&clause.kind)));
                }
                TriggerClauseKind::Paused => flow.doc.text("paused"),
                TriggerClauseKind::PauseAfter(count) => {
                    flow.doc
                        .text(format!("pause after {} failures", count.text));
                }
                TriggerClauseKind::Cron { .. }
                | TriggerClauseKind::Overlap(_)
                | TriggerClauseKind::Catchup { .. }
                | TriggerClauseKind::Jitter(_)
                | TriggerClauseKind::Notify { .. } => {
                    flow.doc.text(trigger_word(&clause.kind));
                    flow.doc.text(" ");
                    flow.doc.text(trigger_text(&clause.kind));
                }
            });
            self.remarks_after(after);
        }
        self.doc.dedent();
        self.doc.close();
    }

    fn test(&mut self, test: &'a Test, end: u32) {
        self.doc
            .text(format!("test {} {{", quoted(&test.name.text)));
        let at = (test.name.span.end, end);
        self.first_line(at);
        self.doc.indent();
        for (index, stmt) in test.stmts.iter().enumerate() {
            self.own_line(place(stmt.span), index == 0, &[], |flow| {
                flow.test_stmt(stmt);
            });
        }
        let inside = self.pending.take_inside(at);
        let is_empty = test.stmts.is_empty() && inside.is_empty();
        self.remarks_after(inside);
        self.doc.dedent();
        if !is_empty {
            self.doc.hard();
        }
        self.doc.text("}");
    }

    fn test_stmt(&mut self, stmt: &'a TestStmt) {
        match &stmt.kind {
            TestStmtKind::Stub { step, at, replies } => {
                self.doc.text(format!("stub {}", step.text));
                if let Some(at) = at {
                    self.doc.text(format!(" at {}", quoted(&at.text)));
                }
                self.doc.text(" =");
                self.doc.open();
                self.doc.indent();
                for (index, reply) in replies.iter().enumerate() {
                    self.reply(reply, index == 0);
                }
                self.doc.dedent();
                self.doc.close();
            }
            TestStmtKind::Run { name, call } => {
                if let Some(name) = name {
                    self.doc.text(format!("{} = ", name.text));
                }
                self.doc.text("run ");
                self.expr_alone(call);
            }
            TestStmtKind::Expect(expr) => {
                self.doc.text("expect ");
                self.expr_alone(expr);
            }
            TestStmtKind::Error => {}
        }
    }

    fn reply(&mut self, reply: &'a Reply, is_first: bool) {
        let has_comments = self.pending.has_comments(reply_place(reply));
        // The first answer stays behind the `=`.
        if is_first && !has_comments {
            self.doc.text(" ");
            self.reply_text(reply);
            return;
        }
        let after = self.part(" ", true, reply_place(reply), |flow| {
            if !is_first {
                flow.doc.text("then ");
            }
            flow.reply_text(reply);
        });
        self.remarks_after(after);
    }

    fn reply_text(&mut self, reply: &'a Reply) {
        match reply {
            Reply::Value(value) => self.expr_alone(value),
            Reply::Fails { .. } => self.doc.text(format!("fails {}", fails_text(reply))),
        }
    }
}

/// Returns the values of an enumeration with their documentation, a line each.
pub(super) fn variant_lines(variants: &[Variant]) -> String {
    let mut flow = Flow::new(&Trivia::default());
    flow.variants(variants);
    let text = flow.finish();
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    lines.join("\n").trim_start().to_owned()
}

/// Returns what stands behind `fails`.
pub(super) fn fails_text(reply: &Reply) -> String {
    match reply {
        Reply::Value(_) => String::new(),
        Reply::Fails { class, times, .. } => {
            let times = times.as_ref().map(|times| format!(" times {}", times.text));
            format!("{}{}", class.text, times.unwrap_or_default())
        }
    }
}

/// Returns a value of an enumeration.
pub(super) fn variant_text(variant: &Variant) -> String {
    let mut text = variant.name.text.clone();
    if let Some(outside) = &variant.outside {
        text.push(' ');
        text.push_str(&quoted(&outside.text));
    }
    text
}

/// Returns the word a trigger's clause begins with.
pub(super) fn trigger_word(kind: &TriggerClauseKind) -> &'static str {
    match kind {
        TriggerClauseKind::Cron { .. } => "cron",
        TriggerClauseKind::Webhook { .. }
        | TriggerClauseKind::File(_)
        | TriggerClauseKind::Flow { .. } => "on",
        TriggerClauseKind::Overlap(_) => "overlap",
        TriggerClauseKind::Catchup { .. } => "catchup",
        TriggerClauseKind::Jitter(_) => "jitter",
        TriggerClauseKind::Paused => "paused",
        TriggerClauseKind::PauseAfter(_) => "pause after",
        TriggerClauseKind::Limit(clause) => clause.kind.keyword(),
        TriggerClauseKind::Notify { .. } => "notify",
    }
}

/// Returns what stands behind the word of a trigger's clause.
pub(super) fn trigger_text(kind: &TriggerClauseKind) -> String {
    match kind {
        TriggerClauseKind::Cron { pattern, tz } => {
            let tz = tz.as_ref().map(|tz| format!(" tz {}", quoted(&tz.text)));
            format!("{}{}", quoted(&pattern.text), tz.unwrap_or_default())
        }
        TriggerClauseKind::Webhook { path, body } => {
            let body = body
                .as_ref()
                .map(|ty| format!(" body {}", super::flow_type::inline(ty)));
            format!("webhook {}{}", quoted(&path.text), body.unwrap_or_default())
        }
        TriggerClauseKind::File(pattern) => format!("file {}", quoted(&pattern.text)),
        TriggerClauseKind::Flow { path, what } => format!("flow {} {}", path.text, what.text),
        TriggerClauseKind::Overlap(Name { text, .. }) => text.clone(),
        TriggerClauseKind::Catchup { word, max } => {
            let max = max.as_ref().map(|max| format!(" max {}", max.text));
            format!("{}{}", word.text, max.unwrap_or_default())
        }
        TriggerClauseKind::Jitter(literal) | TriggerClauseKind::PauseAfter(literal) => {
            literal.text.clone()
        }
        TriggerClauseKind::Paused => String::new(),
        TriggerClauseKind::Limit(clause) => super::flow_clause::inline(&clause.kind),
        TriggerClauseKind::Notify { channel, to, on } => {
            let on = super::flow_clause::words(on);
            format!("{} {} on {on}", channel.text, quoted(&to.text))
        }
    }
}
