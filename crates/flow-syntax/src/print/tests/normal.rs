//! What two spellings of one thing have in common: a tree without the
//! differences that only a checker can tell apart.

use crate::ast::*;

/// Makes trees of both spellings comparable.
pub(super) fn loosen(mut file: File) -> File {
    file.items.sort_by_key(|item| match &item.kind {
        ItemKind::Use(_) => 0,
        ItemKind::Enum(_) => 1,
        ItemKind::Type(_) => 2,
        ItemKind::Step(_) => 3,
        ItemKind::Workflow(_) => 4,
        ItemKind::Trigger(_) => 5,
        ItemKind::Test(_) => 6,
        ItemKind::Error => 7,
    });
    for item in &mut file.items {
        match &mut item.kind {
            ItemKind::Type(def) => ty(&mut def.ty),
            ItemKind::Step(step) => {
                step.params.iter_mut().for_each(field);
                ty(&mut step.returns);
                step.cost.iter_mut().for_each(expr);
                step.pool.iter_mut().for_each(expr);
            }
            ItemKind::Workflow(workflow) => {
                workflow.params.iter_mut().for_each(field);
                workflow.returns.iter_mut().for_each(ty);
                clauses(&mut workflow.limits);
                block(&mut workflow.body);
            }
            ItemKind::Trigger(trigger) => {
                expr(&mut trigger.call);
                trigger.clauses.sort_by_key(|clause| {
                    if let TriggerClauseKind::Limit(limit) = &clause.kind {
                        return limit.kind.keyword().to_owned();
                    }
                    super::super::flow_item::trigger_word(&clause.kind).to_owned()
                });
                for clause in &mut trigger.clauses {
                    if let TriggerClauseKind::Limit(limit) = &mut clause.kind {
                        clauses(std::slice::from_mut(limit));
                    }
                }
            }
            ItemKind::Test(test) => test.stmts.iter_mut().for_each(test_stmt),
            ItemKind::Use(_) | ItemKind::Enum(_) | ItemKind::Error => {}
        }
    }
    file
}

fn test_stmt(stmt: &mut TestStmt) {
    match &mut stmt.kind {
        TestStmtKind::Stub { replies, .. } => {
            for reply in replies {
                if let Reply::Value(value) = reply {
                    expr(value);
                }
            }
        }
        TestStmtKind::Run { call, .. } => expr(call),
        TestStmtKind::Expect(value) => expr(value),
        TestStmtKind::Error => {}
    }
}

fn field(one: &mut Field) {
    ty(&mut one.ty);
    one.default.iter_mut().for_each(expr);
}

fn ty(one: &mut TypeExpr) {
    match &mut one.base {
        TypeBase::Named { args, .. } => args.iter_mut().for_each(ty),
        TypeBase::Record(fields) => fields.iter_mut().for_each(field),
        TypeBase::Error => {}
    }
}

fn clauses(list: &mut [Clause]) {
    list.sort_by_key(|clause| clause.kind.keyword());
    for clause in list {
        match &mut clause.kind {
            ClauseKind::Budget { amount: value, .. }
            | ClauseKind::Retry {
                attempts: value, ..
            }
            | ClauseKind::Within(value)
            | ClauseKind::Timeout(value)
            | ClauseKind::Label(value)
            | ClauseKind::Assume(value)
            | ClauseKind::Cache(Cache::For(value)) => expr(value),
            ClauseKind::Cache(_)
            | ClauseKind::Pool(_)
            | ClauseKind::After(_)
            | ClauseKind::Effect(_)
            | ClauseKind::OnLost(_) => {}
        }
    }
}

fn block(one: &mut Block) {
    for stmt in &mut one.stmts {
        stmt.ty.as_deref_mut().into_iter().for_each(ty);
        value(&mut stmt.value);
    }
    if let Some(result) = &mut one.result {
        value(&mut result.value);
    }
}

fn value(one: &mut Value) {
    match one {
        Value::Expr(governed) => {
            governed.form = Form::Open;
            expr(&mut governed.expr);
            clauses(&mut governed.clauses);
            governed.fallback.iter_mut().for_each(value);
        }
        Value::Block(inner) => block(inner),
        Value::Error(_) => {}
        Value::Region(region) => match &mut **region {
            Region::If(choice) => if_region(choice),
            Region::Match(region) => {
                expr(&mut region.subject);
                region.arms.iter_mut().for_each(|arm| value(&mut arm.value));
            }
            Region::For(region) => {
                expr(&mut region.list);
                let parts = [&mut region.by, &mut region.max, &mut region.parallel];
                parts.into_iter().flatten().for_each(expr);
                clauses(&mut region.limits);
                block(&mut region.body);
            }
            Region::Repeat(region) => {
                region.ty.iter_mut().for_each(ty);
                expr(&mut region.from);
                expr(&mut region.max);
                region.until.iter_mut().for_each(expr);
                clauses(&mut region.limits);
                block(&mut region.body);
            }
            Region::Race(region) => {
                clauses(&mut region.limits);
                block(&mut region.body);
                region.fallback.iter_mut().for_each(value);
            }
            Region::Parallel(region) => {
                clauses(&mut region.limits);
                block(&mut region.body);
            }
        },
    }
}

fn if_region(choice: &mut If) {
    expr(&mut choice.cond);
    block(&mut choice.then);
    match &mut choice.otherwise {
        Some(Else::Block(inner)) => block(inner),
        Some(Else::If(other)) => if_region(other),
        None => {}
    }
}

fn bare(text: &str) -> ExprKind {
    ExprKind::Bare(Bare {
        text: text.to_owned(),
        quoted: false,
    })
}

fn expr(one: &mut Expr) {
    match &mut one.kind {
        ExprKind::Literal(literal) => one.kind = bare(&literal.text),
        ExprKind::Bare(inner) => inner.quoted = false,
        ExprKind::Text(text) => {
            text.style = TextStyle::Plain;
            let mut parts: Vec<TextPart> = Vec::new();
            for mut part in std::mem::take(&mut text.parts) {
                if let TextPart::Hole(hole) = &mut part {
                    expr(hole);
                    if let ExprKind::Bare(inner) = &hole.kind {
                        part = TextPart::Str(inner.text.clone());
                    }
                }
                match (parts.last_mut(), part) {
                    (Some(TextPart::Str(last)), TextPart::Str(next)) => last.push_str(&next),
                    (_, part) => parts.push(part),
                }
            }
            match parts.as_slice() {
                [] => one.kind = bare(""),
                [TextPart::Str(only)] => one.kind = bare(only),
                _ => text.parts = parts,
            }
        }
        ExprKind::None | ExprKind::Name(_) | ExprKind::Error => {}
        ExprKind::Field(base, _) | ExprKind::Is(base, _) => expr(base),
        ExprKind::Unary(op, operand) => {
            expr(operand);
            if let (UnaryOp::Negate, ExprKind::Bare(inner)) = (*op, &operand.kind) {
                one.kind = bare(&format!("-{}", inner.text));
            }
        }
        ExprKind::Index(base, index) => {
            expr(base);
            expr(index);
        }
        ExprKind::Binary(binary) => {
            expr(&mut binary.left);
            expr(&mut binary.right);
        }
        ExprKind::If(choice) => {
            expr(&mut choice.cond);
            expr(&mut choice.then);
            expr(&mut choice.otherwise);
        }
        ExprKind::Call(call) => {
            call.type_arg.as_deref_mut().into_iter().for_each(ty);
            call.args.iter_mut().for_each(|arg| expr(&mut arg.value));
        }
        ExprKind::List(items) => items.iter_mut().for_each(expr),
        ExprKind::Comprehension(made) => {
            expr(&mut made.body);
            expr(&mut made.list);
            made.cond.iter_mut().for_each(expr);
        }
        ExprKind::Record(entries) => {
            for entry in entries {
                match entry {
                    Entry::Field(_, value) | Entry::Spread(value, _) => expr(value),
                    Entry::Short(name) => {
                        let kind = ExprKind::Name(name.text.clone());
                        let span = name.span;
                        *entry = Entry::Field(name.clone(), Expr { kind, span });
                    }
                }
            }
        }
    }
}
