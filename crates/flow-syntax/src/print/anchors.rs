//! Finds what a comment may belong to: the anchors of a tree, and the regions
//! whose parts they are.

use crate::ast::{
    Arg, Block, Clause, Else, Entry, Enum, Expr, ExprKind, Field, File, Governed, If, Item,
    ItemKind, Match, Region, Reply, StepDecl, Stmt, TestStmt, TestStmtKind, TextPart, Trigger,
    TypeBase, TypeExpr, Value, Variant, Workflow,
};
use crate::span::Span;

/// A place of the source as a key.
pub(super) type Place = (u32, u32);

/// Returns a span as a key.
pub(super) fn place(span: Span) -> Place {
    (span.start, span.end)
}

/// Returns the place of a value of an enumeration.
pub(super) fn variant_place(variant: &Variant) -> Place {
    let name = variant.name.span;
    place(
        variant
            .outside
            .as_ref()
            .map_or(name, |word| join(name, word.span)),
    )
}

/// Returns the place of an argument.
pub(super) fn arg_place(arg: &Arg) -> Place {
    let value = arg.value.span;
    place(
        arg.name
            .as_ref()
            .map_or(value, |name| join(name.span, value)),
    )
}

/// Returns the place of an entry of a record.
pub(super) fn entry_place(entry: &Entry) -> Place {
    match entry {
        Entry::Field(name, value) => place(join(name.span, value.span)),
        Entry::Short(name) => place(name.span),
        Entry::Spread(value, dots) => place(join(*dots, value.span)),
    }
}

/// Returns the place of an answer of a stub.
pub(super) fn reply_place(reply: &Reply) -> Place {
    match reply {
        Reply::Value(value) => place(value.span),
        Reply::Fails { span, .. } => place(*span),
    }
}

/// A span of its own, whatever the sources say: trees may be put together.
fn join(a: Span, b: Span) -> Span {
    Span {
        source: a.source,
        start: a.start.min(b.start),
        end: a.end.max(b.end),
    }
}

/// A part of the source with anchors side by side in it.
#[derive(Debug)]
pub(super) struct Within {
    /// Where it begins and ends.
    pub(super) place: Place,
    /// Its anchors, a range of [`Anchors::children`].
    pub(super) children: std::ops::Range<usize>,
    /// Whether it is a block, whose first line may carry a comment.
    pub(super) is_block: bool,
}

/// All anchors and regions of a file.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// The anchors, region by region.
    pub(super) children: Vec<Place>,
    /// Places that only YAML writes on a line of their own.
    pub(super) inner: Vec<Place>,
    /// The regions, outer ones before those inside them.
    pub(super) regions: Vec<Within>,
}

impl Anchors {
    /// Finds those of a file.
    pub(super) fn of(file: &File) -> Self {
        let mut anchors = Self::default();
        let items = file.items.iter().map(|item| place(item.span));
        anchors.region((0, u32::MAX), items, false);
        for item in &file.items {
            anchors.item(item);
        }
        anchors
    }

    fn region(&mut self, at: Place, children: impl IntoIterator<Item = Place>, is_block: bool) {
        let first = self.children.len();
        self.children.extend(children);
        let children = first..self.children.len();
        self.children[children.clone()].sort_unstable();
        if at.0 <= at.1 {
            self.regions.push(Within {
                place: at,
                children,
                is_block,
            });
        }
    }

    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Use(_) | ItemKind::Error => {}
            ItemKind::Enum(Enum { name, variants }) => {
                let places = variants.iter().map(variant_place);
                self.region((name.span.end, item.span.end), places, false);
            }
            ItemKind::Type(def) => self.ty(&def.ty),
            ItemKind::Step(step) => self.step(step, item.span.end),
            ItemKind::Workflow(workflow) => self.workflow(workflow),
            ItemKind::Trigger(trigger) => self.trigger(trigger, item.span.end),
            ItemKind::Test(test) => {
                let places = test.stmts.iter().map(|stmt| place(stmt.span));
                self.region((test.name.span.end, item.span.end), places, true);
                for stmt in &test.stmts {
                    self.test_stmt(stmt);
                }
            }
        }
    }

    fn fields(&mut self, start: u32, end: u32, fields: &[Field]) {
        let places = fields.iter().map(|field| place(field.span));
        self.region((start, end), places, false);
        for field in fields {
            self.ty(&field.ty);
            if let Some(default) = &field.default {
                self.expr(default);
            }
        }
    }

    /// As [`Self::fields`], for what stands in parentheses. Empty ones are
    /// written without room, so what stands in them goes before the whole.
    fn params(&mut self, start: u32, end: u32, params: &[Field]) {
        if !params.is_empty() {
            self.fields(start, end, params);
        }
    }

    fn ty(&mut self, ty: &TypeExpr) {
        match &ty.base {
            TypeBase::Named { args, .. } => args.iter().for_each(|arg| self.ty(arg)),
            TypeBase::Record(fields) => self.fields(ty.span.start, ty.span.end, fields),
            TypeBase::Error => {}
        }
    }

    fn step(&mut self, step: &StepDecl, end: u32) {
        let head = step
            .type_param
            .as_ref()
            .map_or(step.path.span, |name| name.span);
        self.params(head.end, step.returns.span.start, &step.params);
        let places = step_places(step);
        let returns = place(step.returns.span);
        let all = std::iter::once(returns).chain(places);
        self.region((step.returns.span.end, end), all, false);
        self.ty(&step.returns);
        for expr in step.cost.iter().chain(&step.pool) {
            self.expr(expr);
        }
    }

    fn workflow(&mut self, workflow: &Workflow) {
        let body = workflow.body.span.start;
        let limits = workflow
            .limits
            .first()
            .map_or(body, |limit| limit.span.start);
        let returns = workflow.returns.as_ref();
        let params_end = returns.map_or(limits, |ty| ty.span.start);
        self.params(workflow.name.span.end, params_end, &workflow.params);
        if let Some(ty) = returns {
            self.ty(ty);
        }
        let head = returns.map(|ty| place(ty.span));
        let start = returns.map_or(limits, |ty| ty.span.end);
        let limits = workflow.limits.iter().map(|limit| place(limit.span));
        self.region((start, body), head.into_iter().chain(limits), false);
        self.clauses(&workflow.limits);
        self.block(&workflow.body);
    }

    fn trigger(&mut self, trigger: &Trigger, end: u32) {
        let clauses = trigger.clauses.iter().map(|clause| place(clause.span));
        let call = std::iter::once(place(trigger.call.span));
        self.region((trigger.call.span.end, end), call.chain(clauses), false);
        self.expr(&trigger.call);
    }

    fn test_stmt(&mut self, stmt: &TestStmt) {
        match &stmt.kind {
            TestStmtKind::Stub { step, replies, .. } => {
                self.inner.push(place(step.span));
                let places = replies.iter().map(reply_place);
                let end = stmt.span.end;
                self.region((step.span.end, end), places, false);
                for reply in replies {
                    if let Reply::Value(value) = reply {
                        self.expr(value);
                    }
                }
            }
            TestStmtKind::Run { call, name } => {
                self.inner.extend(name.iter().map(|name| place(name.span)));
                self.expr(call);
            }
            TestStmtKind::Expect(expr) => self.expr(expr),
            TestStmtKind::Error => {}
        }
    }

    fn block(&mut self, block: &Block) {
        let stmts = block.stmts.iter().map(|stmt| place(stmt.span));
        let result = block.result.iter().map(|result| place(result.span));
        self.region(place(block.span), stmts.chain(result), true);
        for stmt in &block.stmts {
            self.stmt(stmt);
        }
        if let Some(result) = &block.result {
            self.value(&result.value);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        self.inner
            .extend(stmt.name.iter().map(|name| place(name.span)));
        if let Some(ty) = &stmt.ty {
            self.inner.push(place(ty.span));
            self.ty(ty);
        }
        self.value(&stmt.value);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Expr(governed) => self.governed(governed),
            Value::Region(region) => self.region_of(region),
            Value::Block(block) => self.block(block),
            Value::Error(_) => {}
        }
    }

    fn governed(&mut self, governed: &Governed) {
        let expr = governed.expr.span;
        if let ExprKind::Call(call) = &governed.expr.kind {
            self.inner.push(place(call.path.span));
        }
        if !governed.clauses.is_empty() || governed.fallback.is_some() {
            let clauses = governed.clauses.iter().map(|clause| place(clause.span));
            let fallback = governed.fallback.iter().map(|value| place(value.span()));
            let head = std::iter::once(place(expr));
            let all = head.chain(clauses).chain(fallback);
            self.region((expr.end, governed.span.end), all, false);
        }
        self.expr(&governed.expr);
        self.clauses(&governed.clauses);
        if let Some(fallback) = &governed.fallback {
            self.value(fallback);
        }
    }

    fn clauses(&mut self, clauses: &[Clause]) {
        for clause in clauses {
            if let Some(operand) = super::flow_clause::operand(&clause.kind) {
                self.expr(operand);
            }
        }
    }

    fn region_of(&mut self, region: &Region) {
        match region {
            Region::If(region) => self.choice(region),
            Region::Match(region) => self.matches(region),
            Region::For(region) => {
                let list = place(region.list.span);
                let head = head_places(region);
                let start = region.list.span.end;
                let all = std::iter::once(list).chain(head);
                self.region((start, region.body.span.start), all, false);
                self.expr(&region.list);
                let parts = region.by.iter().chain(&region.max).chain(&region.parallel);
                parts.for_each(|part| self.expr(part));
                self.clauses(&region.limits);
                self.block(&region.body);
            }
            Region::Repeat(region) => {
                let parts = std::iter::once(&region.max).chain(&region.until);
                let limits = region.limits.iter().map(|limit| place(limit.span));
                let places = parts.clone().map(|part| place(part.span)).chain(limits);
                let from = place(region.from.span);
                let all = std::iter::once(from).chain(places);
                self.region((from.1, region.body.span.start), all, false);
                self.expr(&region.from);
                parts.for_each(|part| self.expr(part));
                self.clauses(&region.limits);
                self.block(&region.body);
            }
            Region::Race(region) => {
                self.limits(&region.limits, &region.body);
                self.block(&region.body);
                if let Some(fallback) = &region.fallback {
                    let start = region.body.span.end;
                    let at = place(fallback.span());
                    self.region((start, region.span.end), [at], false);
                    self.value(fallback);
                }
            }
            Region::Parallel(region) => {
                self.limits(&region.limits, &region.body);
                self.block(&region.body);
            }
        }
    }

    fn limits(&mut self, limits: &[Clause], body: &Block) {
        if let Some(first) = limits.first() {
            let places = limits.iter().map(|limit| place(limit.span));
            self.region((first.span.start, body.span.start), places, false);
            self.clauses(limits);
        }
    }

    fn choice(&mut self, choice: &If) {
        self.inner.push(place(choice.cond.span));
        self.expr(&choice.cond);
        self.block(&choice.then);
        match &choice.otherwise {
            Some(Else::Block(block)) => self.block(block),
            Some(Else::If(other)) => self.choice(other),
            None => {}
        }
    }

    fn matches(&mut self, region: &Match) {
        self.inner.push(place(region.subject.span));
        self.expr(&region.subject);
        let arms = region.arms.iter().map(|arm| place(arm.span));
        self.region((region.subject.span.end, region.span.end), arms, true);
        for arm in &region.arms {
            self.value(&arm.value);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        let end = expr.span.end;
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Bare(_) | ExprKind::None => {}
            ExprKind::Name(_) | ExprKind::Error => {}
            ExprKind::Text(text) => {
                for part in &text.parts {
                    if let TextPart::Hole(hole) = part {
                        self.expr(hole);
                    }
                }
            }
            ExprKind::Field(base, _) | ExprKind::Unary(_, base) | ExprKind::Is(base, _) => {
                self.expr(base);
            }
            ExprKind::Index(base, index) => {
                self.expr(base);
                self.expr(index);
            }
            ExprKind::Binary(binary) => {
                self.expr(&binary.left);
                self.expr(&binary.right);
            }
            ExprKind::If(choice) => {
                self.expr(&choice.cond);
                self.expr(&choice.then);
                self.expr(&choice.otherwise);
            }
            ExprKind::Call(call) => {
                let head = call.type_arg.as_ref().map_or(call.path.span, |ty| ty.span);
                self.region((head.end, end), call.args.iter().map(arg_place), false);
                call.type_arg.iter().for_each(|ty| self.ty(ty));
                call.args.iter().for_each(|arg| self.expr(&arg.value));
            }
            ExprKind::List(items) => {
                let places = items.iter().map(|item| place(item.span));
                self.region(place(expr.span), places, false);
                for item in items {
                    self.expr(item);
                }
            }
            ExprKind::Comprehension(made) => {
                self.expr(&made.body);
                self.expr(&made.list);
                made.cond.iter().for_each(|cond| self.expr(cond));
            }
            ExprKind::Record(entries) => {
                let places = entries.iter().map(entry_place);
                self.region(place(expr.span), places, false);
                for entry in entries {
                    if let Entry::Field(_, value) | Entry::Spread(value, _) = entry {
                        self.expr(value);
                    }
                }
            }
        }
    }
}

/// Returns the places of what stands behind a step's type.
pub(super) fn step_places(step: &StepDecl) -> impl Iterator<Item = Place> {
    let effects = match step.effects.as_slice() {
        [] => None,
        [first, .., last] => Some(place(join(first.span, last.span))),
        [only] => Some(place(only.span)),
    };
    let cost = step.cost.as_ref().map(|cost| place(cost.span));
    let pool = step.pool.as_ref().map(|pool| place(pool.span));
    let run = step.run.as_ref().map(|run| place(run.span));
    [effects, cost, pool, run].into_iter().flatten()
}

fn head_places(region: &crate::ast::For) -> Vec<Place> {
    let parts = region.by.iter().chain(&region.max).chain(&region.parallel);
    let mut places: Vec<Place> = parts.map(|part| place(part.span)).collect();
    places.extend(region.keep_ok.map(place));
    places.extend(region.limits.iter().map(|limit| place(limit.span)));
    places
}
