//! Blocks, statements and regions of the workflow language.

use super::anchors::{Place, place};
use super::flow_expr::Flow;
use super::flow_text::quoted;
use super::trivia::{Remark, plain};
use crate::ast::{
    Arm, Block, Clause, Else, Expr, ExprKind, For, Governed, If, Match, Name, Pattern, PatternKind,
    Race, Region, Repeat, Stmt, TypeExpr, Value, Yield, YieldWord,
};

/// Words that begin a clause, and could be taken for one behind an arm.
const CLAUSE_WORDS: [&str; 12] = [
    "budget", "within", "effect", "retry", "timeout", "cache", "pool", "after", "label", "on",
    "assume", "else",
];

/// A part of the head of a region: its place, its word and what it says.
enum Head<'a> {
    Expr(&'static str, &'a Expr),
    KeepOk(Place),
    Limit(&'a Clause),
}

impl Head<'_> {
    fn place(&self) -> Place {
        match self {
            Self::Expr(_, expr) => place(expr.span),
            Self::KeepOk(at) => *at,
            Self::Limit(clause) => place(clause.span),
        }
    }
}

impl<'a> Flow<'a> {
    /// Writes `{ … }`.
    pub(super) fn block(&mut self, block: &'a Block) {
        let at = place(block.span);
        self.doc.text("{");
        self.first_line(at);
        self.doc.indent();
        for (index, stmt) in block.stmts.iter().enumerate() {
            self.stmt(stmt, index == 0);
        }
        if let Some(result) = &block.result {
            self.result(result, block.stmts.is_empty());
        }
        let inside = self.pending.take_inside(at);
        self.remarks_first(inside);
        self.doc.dedent();
        if !block.stmts.is_empty() || block.result.is_some() {
            self.doc.hard();
        }
        self.doc.text("}");
    }

    /// Writes the comment behind a `{`.
    pub(super) fn first_line(&mut self, at: Place) {
        if let Some(text) = self.pending.take_first_line(at) {
            self.doc.suffix(format!("#{text}"));
        }
    }

    /// Writes comments that are alone between braces.
    fn remarks_first(&mut self, mut remarks: Vec<Remark>) {
        if let Some(first) = remarks.first_mut() {
            first.blank_before = false;
            self.remarks_after(remarks);
            self.doc.dedent();
            self.doc.hard();
            self.doc.indent();
        }
    }

    /// Writes a line end and a part on its own line, and every comment in it
    /// that found no better place.
    pub(super) fn own_line(
        &mut self,
        at: Place,
        is_first: bool,
        inner: &[Place],
        write: impl FnOnce(&mut Self),
    ) {
        let mut early = Vec::new();
        for place in inner {
            let notes = self.pending.take(*place);
            early.extend(notes.leading);
            early.extend(notes.trailing.as_deref().map(plain_remark));
            early.extend(notes.after);
        }
        let mut notes = self.pending.take(at);
        let first_line = self.pending.take_first_line(at);
        match (&notes.trailing, first_line) {
            (None, first_line) => notes.trailing = first_line,
            (Some(_), Some(text)) => early.push(plain_remark(&text)),
            (Some(_), None) => {}
        }
        let first = notes.leading.first();
        let blank = first.map_or(notes.blank_before, |remark| remark.blank_before);
        if notes.leading.is_empty() && !early.is_empty() {
            notes.blank_before = false;
        }
        notes.leading.extend(early);
        if blank && !is_first {
            self.doc.hard_blank();
        } else {
            self.doc.hard();
        }
        self.leading(&notes);
        write(self);
        if let Some(text) = notes.trailing {
            self.doc.suffix(format!("#{text}"));
        }
        let leftovers = self.pending.leftovers(at);
        self.remarks_after(leftovers);
        self.remarks_after(notes.after);
    }

    fn stmt(&mut self, stmt: &'a Stmt, is_first: bool) {
        let mut inner: Vec<Place> = stmt.name.iter().map(|name| place(name.span)).collect();
        inner.extend(stmt.ty.iter().map(|ty| place(ty.span)));
        inner_of(&stmt.value, &mut inner);
        self.own_line(place(stmt.span), is_first, &inner, |flow| {
            flow.docs(&stmt.docs);
            flow.binding(stmt.name.as_ref(), stmt.ty.as_deref());
            flow.value(&stmt.value);
        });
    }

    fn binding(&mut self, name: Option<&'a Name>, ty: Option<&'a TypeExpr>) {
        let Some(name) = name else { return };
        self.doc.text(name.text.as_str());
        if let Some(ty) = ty {
            self.doc.text(": ");
            self.ty(ty);
        }
        self.doc.text(" = ");
    }

    fn result(&mut self, result: &'a Yield, is_first: bool) {
        let mut inner = Vec::new();
        inner_of(&result.value, &mut inner);
        self.own_line(place(result.span), is_first, &inner, |flow| {
            flow.doc.text(match result.keyword {
                YieldWord::Yield => "yield ",
                YieldWord::Return => "return ",
            });
            flow.value(&result.value);
        });
    }

    /// Writes what stands at the right of a binding.
    pub(super) fn value(&mut self, value: &'a Value) {
        match value {
            Value::Expr(governed) => self.governed(governed),
            Value::Region(region) => self.region(region),
            Value::Block(block) => self.block(block),
            Value::Error(_) => self.doc.text("none"),
        }
    }

    fn governed(&mut self, governed: &'a Governed) {
        self.expr_alone(&governed.expr);
        if governed.clauses.is_empty() && governed.fallback.is_none() {
            return;
        }
        let head = self.pending.take(place(governed.expr.span));
        self.doc.open();
        self.doc.indent();
        if let Some(text) = head.trailing {
            self.doc.suffix(format!("#{text}"));
        }
        self.remarks_after(head.leading);
        self.remarks_after(head.after);
        for clause in &governed.clauses {
            self.clause_part(clause);
        }
        if let Some(fallback) = &governed.fallback {
            self.pending.close_up(place(fallback.span()));
            let after = self.part(" ", true, place(fallback.span()), |flow| {
                flow.doc.text("else ");
                flow.value(fallback);
            });
            self.remarks_after(after);
        }
        self.doc.dedent();
        self.doc.close();
    }

    /// Writes a clause behind a place where the line may end.
    pub(super) fn clause_part(&mut self, clause: &'a Clause) {
        self.pending.close_up(place(clause.span));
        let after = self.part(" ", true, place(clause.span), |flow| flow.clause(clause));
        self.remarks_after(after);
    }

    fn region(&mut self, region: &'a Region) {
        match region {
            Region::If(choice) => self.choice_of_blocks(choice),
            Region::Match(region) => self.matches(region),
            Region::For(region) => self.each(region),
            Region::Repeat(region) => self.repeat(region),
            Region::Race(region) => self.race(region),
            Region::Parallel(region) => {
                self.doc.text("parallel");
                self.head(None, limits(&region.limits));
                self.block(&region.body);
            }
        }
    }

    fn choice_of_blocks(&mut self, choice: &'a If) {
        let mut choice = choice;
        loop {
            self.doc.text("if ");
            self.expr_head(&choice.cond);
            self.doc.text(" ");
            self.block(&choice.then);
            match &choice.otherwise {
                None => return,
                Some(Else::Block(block)) => {
                    self.doc.text(" else ");
                    self.block(block);
                    return;
                }
                Some(Else::If(other)) => {
                    self.doc.text(" else ");
                    choice = other;
                }
            }
        }
    }

    fn matches(&mut self, region: &'a Match) {
        self.doc.text("match ");
        self.expr_head(&region.subject);
        self.doc.text(" {");
        let at = (region.subject.span.end, region.span.end);
        self.first_line(at);
        self.doc.indent();
        for (index, arm) in region.arms.iter().enumerate() {
            let next = region.arms.get(index + 1);
            self.own_line(place(arm.span), index == 0, &[], |flow| flow.arm(arm, next));
        }
        let inside = self.pending.take_inside(at);
        self.remarks_first(inside);
        self.doc.dedent();
        if !region.arms.is_empty() {
            self.doc.hard();
        }
        self.doc.text("}");
    }

    fn arm(&mut self, arm: &'a Arm, next: Option<&Arm>) {
        for (index, one) in arm.patterns.iter().enumerate() {
            self.doc.text(if index == 0 { "" } else { " | " });
            self.doc.text(pattern(one));
        }
        self.doc.text(" => ");
        self.value(&arm.value);
        if next.is_some_and(continues_a_value) && matches!(arm.value, Value::Expr(_)) {
            self.doc.text(",");
        }
    }

    fn each(&mut self, region: &'a For) {
        self.doc.text(format!("for {} in ", region.var.text));
        self.expr_head(&region.list);
        let parts = [
            ("by", &region.by),
            ("max", &region.max),
            ("parallel", &region.parallel),
        ];
        let mut head: Vec<Head<'a>> = Vec::new();
        for (word, part) in parts {
            head.extend(part.iter().map(|expr| Head::Expr(word, expr)));
        }
        head.extend(region.keep_ok.map(|span| Head::KeepOk(place(span))));
        head.extend(limits(&region.limits));
        self.head(Some(place(region.list.span)), head);
        self.block(&region.body);
    }

    fn repeat(&mut self, region: &'a Repeat) {
        self.doc.text("repeat ");
        self.binding(Some(&region.state), region.ty.as_ref());
        self.expr_alone(&region.from);
        let mut head = vec![Head::Expr("max", &region.max)];
        head.extend(region.until.iter().map(|expr| Head::Expr("until", expr)));
        head.extend(limits(&region.limits));
        self.head(Some(place(region.from.span)), head);
        self.block(&region.body);
    }

    fn race(&mut self, region: &'a Race) {
        self.doc.text("race");
        self.head(None, limits(&region.limits));
        self.block(&region.body);
        if let Some(fallback) = &region.fallback {
            self.doc.open();
            self.pending.close_up(place(fallback.span()));
            let after = self.part(" ", true, place(fallback.span()), |flow| {
                flow.doc.text("else ");
                flow.value(fallback);
            });
            self.remarks_after(after);
            self.doc.close();
        }
    }

    /// Writes the rest of a head and the blank before its `{`.
    fn head(&mut self, before: Option<Place>, parts: impl IntoIterator<Item = Head<'a>>) {
        self.doc.open();
        self.doc.indent();
        let mut is_empty = true;
        if let Some(before) = before {
            let notes = self.pending.take(before);
            if let Some(text) = notes.trailing {
                self.doc.suffix(format!("#{text}"));
                is_empty = false;
            }
            self.remarks_after(notes.leading);
            self.remarks_after(notes.after);
        }
        for part in parts {
            is_empty = false;
            let after = self.part(" ", true, part.place(), |flow| match part {
                Head::Expr(word, expr) => {
                    flow.doc.text(word);
                    flow.doc.text(" ");
                    flow.expr_head(expr);
                }
                Head::KeepOk(_) => flow.doc.text("keep ok"),
                Head::Limit(clause) => flow.clause(clause),
            });
            self.remarks_after(after);
        }
        self.doc.dedent();
        if is_empty {
            self.doc.text(" ");
        } else {
            self.doc.line(" ");
        }
        self.doc.close();
    }

    /// Writes limits before a `{`.
    pub(super) fn limits_head(&mut self, before: Option<Place>, clauses: &'a [Clause]) {
        self.head(before, limits(clauses));
    }
}

fn limits(clauses: &[Clause]) -> impl Iterator<Item = Head<'_>> {
    clauses.iter().map(Head::Limit)
}

fn plain_remark(text: &str) -> Remark {
    Remark {
        text: plain(text).to_owned(),
        blank_before: false,
        outer: false,
    }
}

/// Lists the places on whose lines YAML may have had comments.
fn inner_of(value: &Value, inner: &mut Vec<Place>) {
    match value {
        Value::Expr(governed) => {
            if let ExprKind::Call(call) = &governed.expr.kind {
                inner.push(place(call.path.span));
            }
        }
        Value::Region(region) => match &**region {
            Region::If(choice) => inner.push(place(choice.cond.span)),
            Region::Match(region) => inner.push(place(region.subject.span)),
            Region::For(_) | Region::Repeat(_) | Region::Race(_) | Region::Parallel(_) => {}
        },
        Value::Block(_) | Value::Error(_) => {}
    }
}

/// Tells whether an arm begins like the rest of the expression before it.
fn continues_a_value(arm: &Arm) -> bool {
    match arm.patterns.first().map(|pattern| &pattern.kind) {
        Some(PatternKind::Literal(literal)) => literal.text.starts_with('-'),
        Some(PatternKind::Name(path)) => CLAUSE_WORDS.contains(&path.text.as_str()),
        Some(PatternKind::Some(_) | PatternKind::None | PatternKind::Any) | None => false,
    }
}

/// Returns a pattern.
pub(super) fn pattern(pattern: &Pattern) -> String {
    match &pattern.kind {
        PatternKind::Some(name) => format!("some {}", name.text),
        PatternKind::None => "none".to_owned(),
        PatternKind::Any => "_".to_owned(),
        PatternKind::Name(path) => path.text.clone(),
        PatternKind::Literal(literal) => match literal.kind {
            crate::ast::LiteralKind::Text => quoted(&literal.text),
            crate::ast::LiteralKind::Int
            | crate::ast::LiteralKind::Float
            | crate::ast::LiteralKind::Bool
            | crate::ast::LiteralKind::Money
            | crate::ast::LiteralKind::Duration
            | crate::ast::LiteralKind::Size => literal.text.clone(),
        },
    }
}
