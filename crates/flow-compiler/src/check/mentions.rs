//! Which names a statement mentions, before anything is looked up: the order
//! of checking follows from it.
//!
//! A mention is a plain name, the path of a call, or two names joined by a dot,
//! which may be a workflow of another file.

use std::collections::BTreeSet;

use flow_syntax::ast::{
    Block, Cache, ClauseKind, Else, Entry, Expr, ExprKind, Governed, If, PatternKind, Region, Stmt,
    TextPart, Value,
};

/// Something a statement mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mention<'a> {
    /// `shots`
    Name(&'a str),
    /// `lib.storyboard` in `lib.storyboard(…)`
    Call(&'a str),
    /// `lib.storyboard` where a step is handed over.
    Dotted(&'a str, &'a str),
}

/// Calls `found` with every name that a statement may refer to. Names that are
/// bound inside it come too: they are no other statement's, since nothing may
/// be bound twice where it can be seen.
pub(crate) fn of_stmt<'a>(stmt: &'a Stmt, found: &mut dyn FnMut(Mention<'a>)) {
    of_value(&stmt.value, found);
}

fn of_value<'a>(value: &'a Value, found: &mut dyn FnMut(Mention<'a>)) {
    match value {
        Value::Expr(governed) => of_governed(governed, found),
        Value::Region(region) => of_region(region, found),
        Value::Block(block) => of_block(block, found),
        Value::Error(_) => {}
    }
}

fn of_governed<'a>(governed: &'a Governed, found: &mut dyn FnMut(Mention<'a>)) {
    of_expr(&governed.expr, found);
    for clause in &governed.clauses {
        of_clause(&clause.kind, found);
    }
    if let Some(fallback) = &governed.fallback {
        of_value(fallback, found);
    }
}

fn of_clause<'a>(clause: &'a ClauseKind, found: &mut dyn FnMut(Mention<'a>)) {
    match clause {
        ClauseKind::Budget { amount: expr, .. }
        | ClauseKind::Within(expr)
        | ClauseKind::Retry { attempts: expr, .. }
        | ClauseKind::Timeout(expr)
        | ClauseKind::Cache(Cache::For(expr))
        | ClauseKind::Label(expr)
        | ClauseKind::Assume(expr) => of_expr(expr, found),
        ClauseKind::After(names) => names
            .iter()
            .for_each(|name| found(Mention::Name(&name.text))),
        ClauseKind::Cache(Cache::On | Cache::Off)
        | ClauseKind::Pool(_)
        | ClauseKind::Effect(_)
        | ClauseKind::OnLost(_) => {}
    }
}

fn of_region<'a>(region: &'a Region, found: &mut dyn FnMut(Mention<'a>)) {
    match region {
        Region::If(region) => of_if(region, found),
        Region::Match(region) => {
            of_expr(&region.subject, found);
            for arm in &region.arms {
                of_value(&arm.value, found);
            }
        }
        Region::For(region) => {
            of_expr(&region.list, found);
            for expr in [&region.by, &region.max, &region.parallel]
                .into_iter()
                .flatten()
            {
                of_expr(expr, found);
            }
            for limit in &region.limits {
                of_clause(&limit.kind, found);
            }
            of_block(&region.body, found);
        }
        Region::Repeat(region) => {
            of_expr(&region.from, found);
            of_expr(&region.max, found);
            if let Some(until) = &region.until {
                of_expr(until, found);
            }
            for limit in &region.limits {
                of_clause(&limit.kind, found);
            }
            of_block(&region.body, found);
        }
        Region::Race(region) => {
            for limit in &region.limits {
                of_clause(&limit.kind, found);
            }
            of_block(&region.body, found);
            if let Some(fallback) = &region.fallback {
                of_value(fallback, found);
            }
        }
        Region::Parallel(region) => {
            for limit in &region.limits {
                of_clause(&limit.kind, found);
            }
            of_block(&region.body, found);
        }
    }
}

fn of_if<'a>(region: &'a If, found: &mut dyn FnMut(Mention<'a>)) {
    of_expr(&region.cond, found);
    of_block(&region.then, found);
    match &region.otherwise {
        Some(Else::Block(block)) => of_block(block, found),
        Some(Else::If(inner)) => of_if(inner, found),
        None => {}
    }
}

/// As [`of_stmt`], for a whole block.
pub(crate) fn of_block<'a>(block: &'a Block, found: &mut dyn FnMut(Mention<'a>)) {
    for stmt in &block.stmts {
        of_stmt(stmt, found);
    }
    if let Some(result) = &block.result {
        of_value(&result.value, found);
    }
}

/// Adds the names that a block binds, those inside of it too.
pub(crate) fn bound<'a>(block: &'a Block, names: &mut BTreeSet<&'a str>) {
    for stmt in &block.stmts {
        names.extend(stmt.name.iter().map(|name| name.text.as_str()));
        bound_in(&stmt.value, names);
    }
    if let Some(result) = &block.result {
        bound_in(&result.value, names);
    }
}

fn bound_in<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Expr(governed) => {
            if let Some(fallback) = &governed.fallback {
                bound_in(fallback, names);
            }
        }
        Value::Region(region) => bound_by(region, names),
        Value::Block(block) => bound(block, names),
        Value::Error(_) => {}
    }
}

fn bound_by<'a>(region: &'a Region, names: &mut BTreeSet<&'a str>) {
    match region {
        Region::If(region) => {
            let mut next = Some(region);
            while let Some(branch) = next.take() {
                bound(&branch.then, names);
                match &branch.otherwise {
                    Some(Else::Block(block)) => bound(block, names),
                    Some(Else::If(inner)) => next = Some(inner),
                    None => {}
                }
            }
        }
        Region::Match(region) => {
            for arm in &region.arms {
                for pattern in &arm.patterns {
                    if let PatternKind::Some(name) = &pattern.kind {
                        names.insert(&name.text);
                    }
                }
                bound_in(&arm.value, names);
            }
        }
        Region::For(region) => {
            names.insert(&region.var.text);
            bound(&region.body, names);
        }
        Region::Repeat(region) => {
            names.insert(&region.state.text);
            bound(&region.body, names);
        }
        Region::Race(region) => {
            bound(&region.body, names);
            if let Some(fallback) = &region.fallback {
                bound_in(fallback, names);
            }
        }
        Region::Parallel(region) => bound(&region.body, names),
    }
}

fn of_expr<'a>(expr: &'a Expr, found: &mut dyn FnMut(Mention<'a>)) {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Bare(_) | ExprKind::None | ExprKind::Error => {}
        ExprKind::Text(text) => {
            for part in &text.parts {
                if let TextPart::Hole(hole) = part {
                    of_expr(hole, found);
                }
            }
        }
        ExprKind::Name(name) => found(Mention::Name(name)),
        ExprKind::Field(base, field) => {
            if let ExprKind::Name(name) = &base.kind {
                found(Mention::Dotted(name, &field.text));
            }
            of_expr(base, found);
        }
        ExprKind::Unary(_, base) | ExprKind::Is(base, _) => of_expr(base, found),
        ExprKind::Index(base, index) => {
            of_expr(base, found);
            of_expr(index, found);
        }
        ExprKind::Binary(binary) => {
            of_expr(&binary.left, found);
            of_expr(&binary.right, found);
        }
        ExprKind::If(choice) => {
            for part in [&choice.cond, &choice.then, &choice.otherwise] {
                of_expr(part, found);
            }
        }
        ExprKind::Call(call) => {
            found(Mention::Call(&call.path.text));
            for arg in &call.args {
                of_expr(&arg.value, found);
            }
        }
        ExprKind::List(items) => items.iter().for_each(|item| of_expr(item, found)),
        ExprKind::Comprehension(list) => {
            of_expr(&list.body, found);
            of_expr(&list.list, found);
            if let Some(cond) = &list.cond {
                of_expr(cond, found);
            }
        }
        ExprKind::Record(entries) => {
            for entry in entries {
                match entry {
                    Entry::Field(_, value) | Entry::Spread(value, _) => of_expr(value, found),
                    Entry::Short(name) => found(Mention::Name(&name.text)),
                }
            }
        }
    }
}
