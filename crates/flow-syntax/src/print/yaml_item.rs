//! Declarations in YAML, kind by kind.

use super::anchors::{place, reply_place, step_places, variant_place};
use super::flow_expr::language;
use super::flow_item::{fails_text, trigger_text, trigger_word, variant_text};
use super::flow_type::{self, effect, has_docs};
use super::trivia::{Notes, Remark, Trivia};
use super::yaml_scalar::{self, Where, scalar};
use super::yaml_value::Yaml;
use crate::ast::{
    Enum, Expr, ExprKind, Field, File, Item, ItemKind, Reply, StepDecl, Test, TestStmt,
    TestStmtKind, Trigger, TriggerClause, TriggerClauseKind, TypeBase, TypeExpr, Use, Workflow,
};

/// The kinds of declarations in the order in which YAML groups them.
const GROUPS: [&str; 7] = [
    "use",
    "enums",
    "types",
    "steps_declared",
    "workflows",
    "triggers",
    "tests",
];

/// Writes a YAML file.
pub(super) fn print(file: &File, trivia: &Trivia) -> String {
    let mut yaml = Yaml::new(trivia);
    yaml.remarks(0, &trivia.head, true);
    for (group, key) in GROUPS.into_iter().enumerate() {
        let items: Vec<&Item> = file
            .items
            .iter()
            .filter(|item| rank(item) == Some(group))
            .collect();
        let Some(first) = items.first() else { continue };
        yaml.blank();
        if let ([only], ItemKind::Workflow(workflow)) = (items.as_slice(), &first.kind) {
            yaml.only_workflow(only, workflow);
            continue;
        }
        let outer = yaml.pending.take_outer(place(first.span));
        yaml.remarks(0, &outer, true);
        yaml.key(0, key);
        yaml.end();
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 && group >= 4 {
                yaml.blank();
            }
            yaml.item(item, index == 0);
        }
    }
    let leftovers = yaml.pending.leftovers((0, u32::MAX));
    let tail: Vec<Remark> = trivia.tail.iter().cloned().chain(leftovers).collect();
    if !tail.is_empty() {
        yaml.blank();
    }
    yaml.catch_up(0);
    yaml.remarks(0, &tail, true);
    yaml.out
}

fn rank(item: &Item) -> Option<usize> {
    match &item.kind {
        ItemKind::Use(_) => Some(0),
        ItemKind::Enum(_) => Some(1),
        ItemKind::Type(_) => Some(2),
        ItemKind::Step(_) => Some(3),
        ItemKind::Workflow(_) => Some(4),
        ItemKind::Trigger(_) => Some(5),
        ItemKind::Test(_) => Some(6),
        ItemKind::Error => None,
    }
}

impl Yaml {
    fn head(&mut self, level: usize, item: &Item, is_first: bool) -> Notes {
        let at = place(item.span);
        let mut notes = self.pending.take(at);
        let first_line = self.pending.take_first_line(at);
        self.above(level, &notes, is_first);
        self.docs(level, &item.docs);
        self.wait(first_line);
        self.wait(notes.trailing.take());
        notes
    }

    fn foot(&mut self, level: usize, item: &Item, notes: &Notes) {
        self.catch_up(level);
        let leftovers = self.pending.leftovers(place(item.span));
        self.remarks(level, &leftovers, true);
        self.remarks(level, &notes.after, true);
    }

    fn only_workflow(&mut self, item: &Item, workflow: &Workflow) {
        let notes = self.head(0, item, true);
        self.line(0, "workflow", &workflow.name.text);
        self.workflow(0, workflow);
        self.foot(0, item, &notes);
    }

    fn item(&mut self, item: &Item, is_first: bool) {
        let notes = self.head(1, item, is_first);
        match &item.kind {
            ItemKind::Use(one) => self.using(one),
            ItemKind::Enum(one) => self.enumeration(one),
            ItemKind::Type(def) => self.ty(1, &def.name.text, &def.ty),
            ItemKind::Step(step) => self.step(step),
            ItemKind::Workflow(workflow) => {
                self.key(1, &workflow.name.text);
                self.end();
                self.workflow(2, workflow);
            }
            ItemKind::Trigger(trigger) => self.trigger(trigger),
            ItemKind::Test(test) => self.test(test),
            ItemKind::Error => {}
        }
        self.foot(1, item, &notes);
    }

    fn using(&mut self, one: &Use) {
        self.begin_item();
        self.start(2);
        let file = |place| scalar(&one.path.text, place);
        let text = match &one.alias {
            None => file(Where::Block),
            Some(alias) => format!("{{ file: {}, as: {} }}", file(Where::Flow), alias.text),
        };
        self.out.push_str(&text);
        self.end();
    }

    fn enumeration(&mut self, one: &Enum) {
        let is_documented = one.variants.iter().any(|variant| !variant.docs.is_empty());
        if is_documented {
            self.key(1, &one.name.text);
            self.language_lines(2, &super::flow_item::variant_lines(&one.variants));
            return;
        }
        for variant in &one.variants {
            let notes = self.pending.take(variant_place(variant));
            self.remarks(1, &notes.leading, true);
            self.wait(notes.trailing);
            self.remarks(1, &notes.after, true);
        }
        let words: Vec<String> = one.variants.iter().map(variant_text).collect();
        self.line(1, &one.name.text, &words.join(" | "));
    }

    /// Writes text of the language that needs several lines behind a key.
    pub(super) fn language_lines(&mut self, level: usize, text: &str) {
        self.out.push_str(" |-");
        self.end();
        for line in text.lines() {
            if !line.is_empty() {
                self.out.push_str(&"  ".repeat(level));
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    /// Writes a type behind a key.
    pub(super) fn ty(&mut self, level: usize, key: &str, ty: &TypeExpr) {
        let at = place(ty.span);
        let notes = self.pending.take(at);
        self.remarks(level, &notes.leading, true);
        self.wait(notes.trailing);
        let inside = self.pending.take_inside(at);
        self.key(level, key);
        match &ty.base {
            TypeBase::Record(fields) if is_plain(ty) => self.record_type(level, fields),
            TypeBase::Record(_) | TypeBase::Named { .. } | TypeBase::Error => {
                self.type_text(level, &flow_type::inline(ty), has_docs(ty), || {
                    flow_type::with_docs(ty)
                });
            }
        }
        self.remarks(level + 1, &inside, true);
        self.remarks(level, &notes.after, true);
    }

    fn type_text(
        &mut self,
        level: usize,
        text: &str,
        is_documented: bool,
        lines: impl FnOnce() -> String,
    ) {
        if is_documented {
            self.language_lines(level + 1, &lines());
            return;
        }
        self.out.push(' ');
        self.out.push_str(&scalar(text, Where::Block));
        self.end();
    }

    fn record_type(&mut self, level: usize, fields: &[Field]) {
        if let Some(text) = self.flow_fields(fields) {
            self.out.push(' ');
            self.out.push_str(&text);
            self.end();
            return;
        }
        self.end();
        self.fields(level + 1, fields);
    }

    /// Returns the fields of a type between braces, if they are few.
    fn flow_fields(&self, fields: &[Field]) -> Option<String> {
        if fields.is_empty() {
            return Some("{}".to_owned());
        }
        let mut written = Vec::with_capacity(fields.len());
        for field in fields {
            let is_busy = !field.docs.is_empty()
                || has_docs(&field.ty)
                || self.pending.has_comments(place(field.span));
            if is_busy {
                return None;
            }
            let text = scalar(&flow_type::inline_field(field), Where::Flow);
            written.push(format!("{}: {text}", yaml_scalar::key(&field.name.text)));
        }
        let line = self.out.rsplit('\n').next().unwrap_or("");
        let text = format!("{{ {} }}", written.join(", "));
        let width = line.chars().count() + 1 + text.chars().count();
        (width <= super::doc::WIDTH).then_some(text)
    }

    fn fields(&mut self, level: usize, fields: &[Field]) {
        for (index, field) in fields.iter().enumerate() {
            let at = place(field.span);
            let notes = self.pending.take(at);
            let first_line = self.pending.take_first_line(at);
            self.above(level, &notes, index == 0);
            self.docs(level, &field.docs);
            self.wait(first_line);
            self.wait(notes.trailing);
            self.key(level, &yaml_scalar::key(&field.name.text));
            let text = flow_type::inline_field(field);
            self.type_text(level, &text, has_docs(&field.ty), || {
                flow_type::field_with_docs(field)
            });
            self.catch_up(level);
            let leftovers = self.pending.leftovers(at);
            self.remarks(level, &leftovers, true);
            self.remarks(level, &notes.after, true);
        }
    }

    fn params(&mut self, level: usize, key: &str, params: &[Field]) {
        let Some(first) = params.first() else { return };
        let outer = self.pending.take_outer(place(first.span));
        self.remarks(level, &outer, true);
        self.key(level, key);
        self.end();
        self.fields(level + 1, params);
    }

    fn workflow(&mut self, level: usize, workflow: &Workflow) {
        self.params(level, "inputs", &workflow.params);
        if let Some(returns) = &workflow.returns {
            self.ty(level, "outputs", returns);
        }
        self.limits(level, &workflow.limits);
        self.block_as(level, &workflow.body, "steps", "return");
    }

    fn step(&mut self, step: &StepDecl) {
        let mut name = step.path.text.clone();
        if let Some(param) = &step.type_param {
            name = format!("{name}<{}>", param.text);
        }
        self.key(1, &yaml_scalar::key(&name));
        self.end();
        self.params(2, "params", &step.params);
        self.ty(2, "returns", &step.returns);
        let mut places = step_places(step);
        let mut next = || places.next().unwrap_or_default();
        if !step.effects.is_empty() {
            let all: Vec<String> = step.effects.iter().map(effect).collect();
            self.line_of(2, "effect", &all.join(" | "), next());
        }
        for (word, part) in [("cost", &step.cost), ("pool", &step.pool)] {
            if let Some(part) = part {
                self.line_of(2, word, &language(part), next());
            }
        }
        if let Some(run) = &step.run {
            self.line_of(2, "run", &run.text, next());
        }
    }

    fn trigger(&mut self, trigger: &Trigger) {
        self.key(1, &trigger.name.text);
        self.end();
        self.run_call(2, &trigger.call);
        let mut sorted: Vec<&TriggerClause> = trigger.clauses.iter().collect();
        sorted.sort_by_key(|clause| trigger_rank(&clause.kind));
        let is_notice =
            |clause: &&TriggerClause| matches!(clause.kind, TriggerClauseKind::Notify { .. });
        for clause in sorted.iter().filter(|clause| !is_notice(clause)) {
            self.trigger_clause(clause);
        }
        let mut notices = sorted.into_iter().filter(is_notice).peekable();
        if let Some(first) = notices.peek() {
            let outer = self.pending.take_outer(place(first.span));
            self.remarks(2, &outer, true);
            self.key(2, "notify");
            self.end();
        }
        for notice in notices {
            let notes = self.pending.take(place(notice.span));
            self.above(3, &notes, true);
            self.begin_item();
            self.start(4);
            self.out
                .push_str(&scalar(&trigger_text(&notice.kind), Where::Block));
            self.wait(notes.trailing);
            self.end();
            self.remarks(3, &notes.after, true);
        }
    }

    /// Writes `run`, `of` and `with`.
    fn run_call(&mut self, level: usize, call: &Expr) {
        let notes = self.pending.take(place(call.span));
        self.remarks(level, &notes.leading, true);
        self.wait(notes.trailing);
        if let ExprKind::Call(call) = &call.kind {
            self.line_of(level, "run", &call.path.text, place(call.path.span));
            self.arguments(level, &call.args);
        } else {
            self.line(level, "run", &language(call));
        }
        self.remarks(level, &notes.after, true);
    }

    fn trigger_clause(&mut self, clause: &TriggerClause) {
        let at = place(clause.span);
        match &clause.kind {
            TriggerClauseKind::Cron { pattern, tz } => {
                self.line_of(2, "cron", &pattern.text, at);
                if let Some(tz) = tz {
                    self.line_of(2, "tz", &tz.text, place(tz.span));
                }
            }
            TriggerClauseKind::Paused => self.line_of(2, "paused", "true", at),
            TriggerClauseKind::PauseAfter(count) => {
                self.line_of(2, "pause_after", &count.text, at);
            }
            TriggerClauseKind::Limit(limit) => {
                let notes = self.pending.take(at);
                self.remarks(2, &notes.leading, true);
                self.wait(notes.trailing);
                self.limits(2, std::slice::from_ref(limit));
                self.remarks(2, &notes.after, true);
            }
            TriggerClauseKind::Webhook { .. }
            | TriggerClauseKind::File(_)
            | TriggerClauseKind::Flow { .. }
            | TriggerClauseKind::Overlap(_)
            | TriggerClauseKind::Catchup { .. }
            | TriggerClauseKind::Jitter(_)
            | TriggerClauseKind::Notify { .. } => {
                let text = trigger_text(&clause.kind);
                self.line_of(2, trigger_word(&clause.kind), &text, at);
            }
        }
    }

    fn test(&mut self, test: &Test) {
        if let Some(first) = test.stmts.first() {
            let outer = self.pending.take_outer(place(first.span));
            self.remarks(1, &outer, true);
        }
        self.key(1, &yaml_scalar::key(&test.name.text));
        if test.stmts.is_empty() {
            self.out.push_str(" []");
        }
        self.end();
        for (index, stmt) in test.stmts.iter().enumerate() {
            let at = place(stmt.span);
            let notes = self.pending.take(at);
            let first_line = self.pending.take_first_line(at);
            self.above(2, &notes, index == 0);
            self.begin_item();
            self.wait(first_line);
            self.wait(notes.trailing);
            self.test_stmt(stmt);
            self.catch_up(2);
            let leftovers = self.pending.leftovers(at);
            self.remarks(2, &leftovers, true);
            self.remarks(2, &notes.after, true);
        }
    }

    fn test_stmt(&mut self, stmt: &TestStmt) {
        match &stmt.kind {
            TestStmtKind::Stub { step, at, replies } => {
                self.line_of(3, "stub", &step.text, place(step.span));
                if let Some(at) = at {
                    self.line(3, "at", &at.text);
                }
                self.replies(replies);
            }
            TestStmtKind::Run { name, call } => {
                if let Some(name) = name {
                    self.line_of(3, "id", &name.text, place(name.span));
                }
                self.run_call(3, call);
            }
            TestStmtKind::Expect(expr) => {
                self.line_of(3, "expect", &language(expr), place(expr.span));
            }
            TestStmtKind::Error => self.line(3, "expect", "none"),
        }
    }

    fn replies(&mut self, replies: &[Reply]) {
        if let Some(first) = replies.first() {
            let outer = self.pending.take_outer(reply_place(first));
            self.remarks(3, &outer, true);
        }
        self.key(3, "replies");
        self.end();
        for (index, reply) in replies.iter().enumerate() {
            let notes = self.pending.take(reply_place(reply));
            self.above(4, &notes, index == 0);
            self.wait(notes.trailing);
            match reply {
                Reply::Value(value) if looks_like_failure(value) => {
                    self.begin_item();
                    self.start(5);
                    let hole = yaml_scalar::hole(value);
                    self.out.push_str(&hole.one_line(Where::Block));
                    self.end();
                }
                Reply::Value(value) => self.element(4, value),
                Reply::Fails { .. } => {
                    self.begin_item();
                    self.line(5, "fails", &fails_text(reply));
                }
            }
            self.remarks(4, &notes.after, true);
        }
    }
}

/// Tells whether a record would be taken for a failure.
fn looks_like_failure(value: &Expr) -> bool {
    let ExprKind::Record(entries) = &value.kind else {
        return false;
    };
    entries.iter().any(|entry| match entry {
        crate::ast::Entry::Field(name, _) | crate::ast::Entry::Short(name) => name.text == "fails",
        crate::ast::Entry::Spread(..) => false,
    })
}

/// Tells whether nothing stands behind the base of a type.
fn is_plain(ty: &TypeExpr) -> bool {
    ty.optional.is_none() && ty.refinements.is_empty()
}

fn trigger_rank(kind: &TriggerClauseKind) -> usize {
    match kind {
        TriggerClauseKind::Cron { .. } => 0,
        TriggerClauseKind::Webhook { .. }
        | TriggerClauseKind::File(_)
        | TriggerClauseKind::Flow { .. } => 1,
        TriggerClauseKind::Overlap(_) => 2,
        TriggerClauseKind::Catchup { .. } => 3,
        TriggerClauseKind::Jitter(_) => 4,
        TriggerClauseKind::Paused => 5,
        TriggerClauseKind::PauseAfter(_) => 6,
        TriggerClauseKind::Limit(_) => 7,
        TriggerClauseKind::Notify { .. } => 8,
    }
}
