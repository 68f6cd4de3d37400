//! What is noted of a test while it is checked: its fixtures, and the parts of
//! what it expects.

use std::sync::Arc;

use flow_core::expr::Expr;
use flow_core::ty::Type;
use flow_syntax::ast::{self, BinaryOp, ExprKind};
use flow_syntax::span::Span;

use super::super::coerce::has_part;
use super::super::{Checker, Typed};
use super::Seen;

/// The most parts of an expression that are noted.
const SEEN_MAX: usize = 100;

/// What is noted of a test.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Files that stand for what steps give.
    pub(super) fixtures: Vec<(Arc<str>, Span)>,
    /// Parts of the expression that is checked, if they are wanted.
    seen: Option<Vec<Seen>>,
    /// Whether this is an answer whose type each call decides.
    is_open: bool,
}

impl Checker<'_> {
    /// Notes a fixture, if its path could be read.
    pub(in super::super) fn note_fixture(&mut self, file: &Typed, span: Span) {
        if let (Some(notes), Expr::File(path, _)) = (&mut self.test, &file.expr) {
            notes.fixtures.push((path.clone(), span));
        }
    }

    /// Notes a part of an expression, if it says something that doesn't stand
    /// there.
    pub(in super::super) fn note_seen(&mut self, tree: &ast::Expr, typed: &Typed) {
        // What is inside of a comprehension has a value for each item.
        let is_inside = self.locals > 0;
        let Some(notes) = &mut self.test else { return };
        let Some(seen) = &mut notes.seen else { return };
        if is_inside || seen.len() >= SEEN_MAX || !is_telling(tree, &typed.expr) {
            return;
        }
        let Some(ty) = &typed.ty else { return };
        seen.push(Seen {
            span: tree.span,
            expr: typed.expr.clone(),
            ty: ty.clone(),
        });
    }

    /// Checks an answer whose type each call decides.
    pub(super) fn open_answer(&mut self, check: impl FnOnce(&mut Self) -> Expr) -> Expr {
        self.set_open(true);
        let expr = check(self);
        self.set_open(false);
        expr
    }

    fn set_open(&mut self, is_open: bool) {
        if let Some(notes) = &mut self.test {
            notes.is_open = is_open;
        }
    }

    /// Returns whether a value of a type may stand in an answer whose type each
    /// call decides, though JSON has no word for it.
    pub(in super::super) fn is_answer(&self, ty: &Type) -> bool {
        let is_open = self.test.as_ref().is_some_and(|notes| notes.is_open);
        is_open
            && !has_part(ty, &|part| {
                matches!(part, Type::Secret | Type::Step | Type::Param)
            })
    }

    /// Begins to note the parts of an expression.
    pub(super) fn begin_seeing(&mut self) {
        if let Some(notes) = &mut self.test {
            notes.seen = Some(Vec::new());
        }
    }

    /// Returns the parts that were noted, from the outside to the inside.
    pub(super) fn seen(&mut self) -> Vec<Seen> {
        let seen = self.test.as_mut().and_then(|notes| notes.seen.take());
        let mut seen = seen.unwrap_or_default();
        seen.sort_by_key(|part| (part.span.start, std::cmp::Reverse(part.span.end)));
        seen.dedup_by(|one, other| one.span == other.span);
        seen
    }
}

/// Returns whether a part of an expression has a value that can't be seen from
/// how it is written.
fn is_telling(tree: &ast::Expr, expr: &Expr) -> bool {
    if matches!(expr, Expr::Const(_) | Expr::File(..)) {
        return false;
    }
    match &tree.kind {
        ExprKind::Name(_)
        | ExprKind::Field(..)
        | ExprKind::Index(..)
        | ExprKind::Call(_)
        | ExprKind::Comprehension(_)
        | ExprKind::If(_) => true,
        ExprKind::Text(text) => !text.parts.is_empty(),
        ExprKind::Binary(binary) => match binary.op {
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Remainder
            | BinaryOp::Coalesce => true,
            BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
            | BinaryOp::In => false,
        },
        ExprKind::Unary(..)
        | ExprKind::Is(..)
        | ExprKind::Literal(_)
        | ExprKind::Bare(_)
        | ExprKind::None
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Error => false,
    }
}
