//! Items, blocks and regions in YAML.

use super::anchors::{Place, place};
use super::flow_block::pattern;
use super::flow_clause;
use super::flow_expr::{language, line};
use super::flow_type;
use super::yaml_scalar;
use super::yaml_value::{Yaml, looks_like_item};
use crate::ast::{
    Block, Call, Clause, ClauseKind, Else, ExprKind, For, Form, Governed, If, Match, Race, Region,
    Repeat, Stmt, Value,
};

impl Yaml {
    /// Writes the items of a block, their dashes at a level.
    pub(super) fn stmts(&mut self, level: usize, stmts: &[Stmt]) {
        for (index, stmt) in stmts.iter().enumerate() {
            self.stmt(level, stmt, index == 0);
        }
    }

    fn stmt(&mut self, level: usize, stmt: &Stmt, is_first: bool) {
        let at = place(stmt.span);
        let notes = self.pending.take(at);
        let first_line = self.pending.take_first_line(at);
        self.above(level, &notes, is_first);
        self.docs(level, &stmt.docs);
        self.begin_item();
        self.wait(first_line);
        self.wait(notes.trailing);
        if let Some(name) = &stmt.name {
            self.line_of(level + 1, "id", &name.text, place(name.span));
        }
        if let Some(ty) = &stmt.ty {
            self.ty(level + 1, "type", ty);
        }
        self.item_value(level + 1, &stmt.value);
        self.catch_up(level);
        let leftovers = self.pending.leftovers(at);
        self.remarks(level, &leftovers, true);
        self.remarks(level, &notes.after, true);
    }

    /// Writes the keys of an item.
    fn item_value(&mut self, level: usize, value: &Value) {
        match value {
            Value::Expr(governed) => self.governed(level, governed),
            Value::Region(region) => self.region(level, region),
            Value::Block(block) => self.block(level, block),
            Value::Error(_) => self.line(level, "value", "none"),
        }
    }

    fn governed(&mut self, level: usize, governed: &Governed) {
        if let Some(call) = step_call(governed) {
            let notes = self.pending.take(place(governed.expr.span));
            self.remarks(level, &notes.leading, true);
            self.wait(notes.trailing);
            self.call(level, call);
            self.remarks(level, &notes.after, true);
        } else {
            self.pair(level, "value", &governed.expr, place(governed.expr.span));
        }
        self.clauses(level, &governed.clauses);
        if let Some(fallback) = &governed.fallback {
            self.alternative(level, "else", fallback, place(fallback.span()));
        }
    }

    fn call(&mut self, level: usize, call: &Call) {
        let mut head = call.path.text.clone();
        if let Some(ty) = &call.type_arg {
            head.push('<');
            head.push_str(&flow_type::inline(ty));
            head.push('>');
        }
        let at = place(call.path.span);
        match &call.type_arg {
            Some(ty) if flow_type::has_docs(ty) => {
                let notes = self.pending.take(at);
                self.remarks(level, &notes.leading, true);
                self.wait(notes.trailing);
                self.key(level, "step");
                let lines = format!("{}<{}>", call.path.text, flow_type::with_docs(ty));
                self.language_lines(level + 1, &lines);
                self.remarks(level, &notes.after, true);
            }
            Some(_) | None => self.line_of(level, "step", &head, at),
        }
        self.arguments(level, &call.args);
    }

    /// Writes clauses in the order of their keys.
    pub(super) fn clauses(&mut self, level: usize, clauses: &[Clause]) {
        let mut sorted: Vec<&Clause> = clauses.iter().collect();
        sorted.sort_by_key(|clause| rank(&clause.kind));
        for clause in sorted {
            self.clause(level, clause);
        }
    }

    /// Writes the limits of a head, budget first.
    pub(super) fn limits(&mut self, level: usize, limits: &[Clause]) {
        let is_budget = |clause: &&Clause| matches!(clause.kind, ClauseKind::Budget { .. });
        let budgets = limits.iter().filter(is_budget);
        let others = limits.iter().filter(|clause| !is_budget(clause));
        for limit in budgets.chain(others) {
            self.clause(level, limit);
        }
    }

    fn clause(&mut self, level: usize, clause: &Clause) {
        let at = place(clause.span);
        match &clause.kind {
            ClauseKind::Label(value) => self.pair(level, "label", value, at),
            ClauseKind::Within(value) => self.line_of(level, "within", &language(value), at),
            ClauseKind::Timeout(value) => self.line_of(level, "timeout", &language(value), at),
            ClauseKind::Assume(value) => self.line_of(level, "assume", &language(value), at),
            ClauseKind::After(names) => {
                let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
                let notes = self.pending.take(at);
                self.remarks(level, &notes.leading, true);
                self.wait(notes.trailing);
                self.key(level, "after");
                self.out.push_str(" [");
                self.out.push_str(&words.join(", "));
                self.out.push(']');
                self.end();
                self.remarks(level, &notes.after, true);
            }
            ClauseKind::OnLost(word) => self.line_of(level, "on_lost", &word.text, at),
            ClauseKind::Budget { .. }
            | ClauseKind::Retry { .. }
            | ClauseKind::Cache(_)
            | ClauseKind::Pool(_)
            | ClauseKind::Effect(_) => {
                let text = flow_clause::inline(&clause.kind);
                self.line_of(level, clause.kind.keyword(), &text, at);
            }
        }
    }

    /// Writes what may be a value, a call, a region or a block behind a key.
    pub(super) fn alternative(&mut self, level: usize, key: &str, value: &Value, at: Place) {
        match value {
            Value::Expr(governed) if is_value(governed) => {
                if looks_like_item(&governed.expr) {
                    let hole = yaml_scalar::hole(&governed.expr);
                    self.line_of(level, key, &hole.text, at);
                } else {
                    self.pair(level, key, &governed.expr, at);
                }
            }
            Value::Expr(_) | Value::Region(_) | Value::Block(_) => {
                let notes = self.pending.take(at);
                self.remarks(level, &notes.leading, true);
                self.wait(notes.trailing);
                self.key(level, key);
                self.end();
                self.item_value(level + 1, value);
                self.remarks(level + 1, &notes.after, true);
            }
            Value::Error(_) => self.line_of(level, key, "none", at),
        }
    }

    /// Writes `do` and `yield`.
    fn block(&mut self, level: usize, block: &Block) {
        self.block_as(level, block, "do", "yield");
    }

    /// Writes a block under the keys that it has there.
    pub(super) fn block_as(&mut self, level: usize, block: &Block, steps: &str, result: &str) {
        let at = place(block.span);
        self.catch_up(level);
        let first_line = self.pending.take_first_line(at);
        let inside = self.pending.take_inside(at);
        if let Some(first) = block.stmts.first() {
            let outer = self.pending.take_outer(place(first.span));
            self.remarks(level, &outer, true);
            self.wait(first_line);
            self.key(level, steps);
            self.end();
            self.stmts(level + 1, &block.stmts);
        } else if block.result.is_none() {
            self.wait(first_line);
            self.key(level, steps);
            self.out.push_str(" []");
            self.end();
        } else {
            self.wait(first_line);
        }
        self.remarks(level, &inside, true);
        if let Some(one) = &block.result {
            let at = place(one.span);
            let notes = self.pending.take(at);
            let first_line = self.pending.take_first_line(at);
            self.remarks(level, &notes.leading, block.stmts.is_empty());
            self.wait(first_line);
            self.wait(notes.trailing);
            self.alternative(level, result, &one.value, place(one.value.span()));
            let leftovers = self.pending.leftovers(at);
            self.remarks(level, &leftovers, true);
            self.remarks(level, &notes.after, true);
        }
    }

    fn region(&mut self, level: usize, region: &Region) {
        match region {
            Region::If(choice) => self.choice(level, choice),
            Region::Match(region) => self.matches(level, region),
            Region::For(region) => self.each(level, region),
            Region::Repeat(region) => self.repeat(level, region),
            Region::Race(region) => self.race(level, region),
            Region::Parallel(region) => {
                self.key(level, "parallel");
                self.end();
                self.limits(level + 1, &region.limits);
                self.block(level + 1, &region.body);
            }
        }
    }

    fn choice(&mut self, level: usize, choice: &If) {
        self.line_of(
            level,
            "if",
            &language(&choice.cond),
            place(choice.cond.span),
        );
        self.block(level, &choice.then);
        match &choice.otherwise {
            None => {}
            Some(Else::Block(block)) => {
                self.key(level, "else");
                self.end();
                self.block(level + 1, block);
            }
            Some(Else::If(other)) => {
                self.key(level, "else");
                self.end();
                self.choice(level + 1, other);
            }
        }
    }

    fn matches(&mut self, level: usize, region: &Match) {
        let subject = &region.subject;
        self.line_of(level, "match", &language(subject), place(subject.span));
        let inside_at = (subject.span.end, region.span.end);
        let first_line = self.pending.take_first_line(inside_at);
        let inside = self.pending.take_inside(inside_at);
        if let Some(first) = region.arms.first() {
            let outer = self.pending.take_outer(place(first.span));
            self.remarks(level, &outer, true);
        }
        self.wait(first_line);
        self.key(level, "arms");
        if region.arms.is_empty() {
            self.out.push_str(" {}");
        }
        self.end();
        self.remarks(level + 1, &inside, true);
        for (index, arm) in region.arms.iter().enumerate() {
            let at = place(arm.span);
            let notes = self.pending.take(at);
            let first_line = self.pending.take_first_line(at);
            self.above(level + 1, &notes, index == 0);
            self.wait(first_line);
            self.wait(notes.trailing);
            let patterns: Vec<String> = arm.patterns.iter().map(pattern).collect();
            let key = yaml_scalar::key(&patterns.join(" | "));
            self.alternative(level + 1, &key, &arm.value, place(arm.value.span()));
            let leftovers = self.pending.leftovers(at);
            self.remarks(level + 1, &leftovers, true);
            self.remarks(level + 1, &notes.after, true);
        }
    }

    fn each(&mut self, level: usize, region: &For) {
        let list = line(|flow| flow.expr_head(&region.list));
        let head = format!("{} in {list}", region.var.text);
        self.line_of(level, "for", &head, place(region.list.span));
        let parts = [
            ("by", &region.by),
            ("max", &region.max),
            ("parallel", &region.parallel),
        ];
        for (word, part) in parts {
            if let Some(part) = part {
                self.line_of(level, word, &language(part), place(part.span));
            }
        }
        if let Some(span) = region.keep_ok {
            self.line_of(level, "keep", "ok", place(span));
        }
        self.limits(level, &region.limits);
        self.block(level, &region.body);
    }

    fn repeat(&mut self, level: usize, region: &Repeat) {
        let mut head = region.state.text.clone();
        if let Some(ty) = &region.ty {
            head.push_str(": ");
            head.push_str(&flow_type::inline(ty));
        }
        self.line(level, "repeat", &head);
        self.pair(level, "from", &region.from, place(region.from.span));
        self.line_of(level, "max", &language(&region.max), place(region.max.span));
        if let Some(until) = &region.until {
            self.line_of(level, "until", &language(until), place(until.span));
        }
        self.limits(level, &region.limits);
        self.block(level, &region.body);
    }

    fn race(&mut self, level: usize, region: &Race) {
        self.key(level, "race");
        self.end();
        self.limits(level + 1, &region.limits);
        self.block(level + 1, &region.body);
        if let Some(fallback) = &region.fallback {
            self.alternative(level, "else", fallback, place(fallback.span()));
        }
    }
}

/// Returns the call that `step:` can say.
fn step_call(governed: &Governed) -> Option<&Call> {
    let ExprKind::Call(call) = &governed.expr.kind else {
        return None;
    };
    let mut names: Vec<&str> = Vec::with_capacity(call.args.len());
    for (index, arg) in call.args.iter().enumerate() {
        match &arg.name {
            None if index > 0 => return None,
            None => {}
            Some(name) => names.push(&name.text),
        }
    }
    names.sort_unstable();
    let is_unique = names.windows(2).all(|pair| pair[0] != pair[1]);
    (is_unique && governed.form != Form::Value).then_some(call)
}

/// Tells whether it is a value by itself where calls may stand too.
fn is_value(governed: &Governed) -> bool {
    step_call(governed).is_none() && governed.clauses.is_empty() && governed.fallback.is_none()
}

fn rank(kind: &ClauseKind) -> usize {
    match kind {
        ClauseKind::Retry { .. } => 0,
        ClauseKind::Timeout(_) => 1,
        ClauseKind::Within(_) => 2,
        ClauseKind::Budget { .. } => 3,
        ClauseKind::Cache(_) => 4,
        ClauseKind::Pool(_) => 5,
        ClauseKind::After(_) => 6,
        ClauseKind::Label(_) => 7,
        ClauseKind::Effect(_) => 8,
        ClauseKind::OnLost(_) => 9,
        ClauseKind::Assume(_) => 10,
    }
}
