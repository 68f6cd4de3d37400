//! Operators: which operands they take, and what they give.

use flow_core::expr::{Expr, Op};
use flow_core::relation::{Fit, fit};
use flow_core::ty::{Bounds, Type};
use flow_core::value::Value;
use flow_syntax::ast::{self, BinaryOp, ExprKind, TextStyle};
use flow_syntax::diagnostic::{Certainty, Diagnostic};
use flow_syntax::span::Span;

use super::coerce::has_secret;
use super::expr::{article, path_of};
use super::{Checker, Typed};
use crate::codes;

impl Checker<'_> {
    /// Checks an operator between two operands; not `and`, `or` and `??`.
    pub(super) fn binary(
        &mut self,
        tree: &ast::Binary,
        span: Span,
        wanted: Option<&Type>,
    ) -> Typed {
        let (left, right) = self.operands(tree, wanted);
        let (Some(a), Some(b)) = (&left.ty, &right.ty) else {
            return Typed::unknown();
        };
        let (a, b) = (a.clone(), b.clone());
        if has_secret(&a) || has_secret(&b) {
            let diagnostic = Self::error(
                codes::SECRET_USE,
                span,
                format!("`{}` can't be used on a secret", tree.op.symbol()),
            )
            .help("a secret goes only into what is declared as `secret` or `map<secret>`");
            self.report(diagnostic);
            return Typed::unknown();
        }
        match tree.op {
            BinaryOp::Equal | BinaryOp::NotEqual => self.equality(tree, left, right, span),
            BinaryOp::In => self.membership(tree, left, right, span),
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                self.comparison(tree, left, right, span)
            }
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Remainder => self.arithmetic(tree, left, right, span),
            // These come another way.
            BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce => Typed::unknown(),
        }
    }

    /// Checks both operands. One that gets its meaning from its place is read
    /// by the type of the other.
    fn operands(&mut self, tree: &ast::Binary, wanted: Option<&Type>) -> (Typed, Typed) {
        let hint = wanted
            .map(Type::present)
            .filter(|ty| matches!(ty, Type::Float(_)))
            .map(loose)
            .filter(|_| tree.op != BinaryOp::Divide && is_arithmetic(tree.op));
        if tree.op == BinaryOp::In {
            let list = self.expr(&tree.right, None);
            let item = match list.ty.as_ref().map(Type::present) {
                Some(Type::List(list)) => Some(loose(&list.item)),
                Some(Type::Map(_) | Type::Text(_)) => Some(Type::text()),
                _ => None,
            };
            let left = self.expr(&tree.left, item.as_ref());
            return (left, list);
        }
        if self.waits(&tree.left) && !self.waits(&tree.right) {
            let right = self.expr(&tree.right, hint.as_ref());
            let shape = Self::operand_hint(tree.op, right.ty.as_ref());
            let left = self.expr(&tree.left, shape.as_ref());
            return (left, right);
        }
        let left = self.expr(&tree.left, hint.as_ref());
        let shape = Self::operand_hint(tree.op, left.ty.as_ref());
        let right = self.expr(&tree.right, shape.as_ref().or(hint.as_ref()));
        (left, right)
    }

    fn operand_hint(op: BinaryOp, other: Option<&Type>) -> Option<Type> {
        let other = other?.present();
        if is_arithmetic(op) && !matches!(other, Type::Float(_)) {
            return None;
        }
        Some(loose(other))
    }

    /// Returns whether an expression means something only where a type is
    /// expected: a literal, an enum value.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn waits(&self, tree: &ast::Expr) -> bool {
        match &tree.kind {
            ExprKind::Literal(_) | ExprKind::Bare(_) | ExprKind::None | ExprKind::Text(_) => true,
            ExprKind::Name(name) => self.scopes.bound(name).is_none() && name != "run",
            ExprKind::List(items) => items.iter().all(|item| self.waits(item)),
            ExprKind::Record(_) => true,
            ExprKind::Unary(ast::UnaryOp::Negate, inner) => self.waits(inner),
            _ => false,
        }
    }

    fn equality(&mut self, tree: &ast::Binary, left: Typed, right: Typed, span: Span) -> Typed {
        let (Some(a), Some(b)) = (left.ty.clone(), right.ty.clone()) else {
            return Typed::unknown();
        };
        if (a == Type::None) != (b == Type::None) {
            let other = if a == Type::None {
                &tree.right
            } else {
                &tree.left
            };
            self.report_none_compared(tree, other, span);
            return Typed::unknown();
        }
        let (left, right) = match (a.present(), b.present()) {
            (Type::Int(_), Type::Float(_)) => (widen(left), right),
            (Type::Float(_), Type::Int(_)) => (left, widen(right)),
            (x, y) => {
                // A range that doesn't overlap is no other type.
                let (x, y) = (loose(x), loose(y));
                if fit(&x, &y) == Fit::No && fit(&y, &x) == Fit::No {
                    self.report_operands(tree, &a, &b);
                    return Typed::unknown();
                }
                (left, right)
            }
        };
        self.operation(tree.op, left, right, Type::Bool, span)
    }

    fn report_none_compared(&mut self, tree: &ast::Binary, other: &ast::Expr, span: Span) {
        let word = if tree.op == BinaryOp::Equal {
            "none"
        } else {
            "some"
        };
        let said = path_of(other);
        let cure = format!("{} is {word}", said.as_deref().unwrap_or("x"));
        let mut diagnostic = Self::error(
            codes::TYPE_MISMATCH,
            span,
            format!("`none` is asked for, not compared: `{cure}`"),
        );
        if said.is_some() {
            diagnostic = diagnostic.fix(Certainty::Certain, format!("write `{cure}`"), span, cure);
        }
        self.report(diagnostic);
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn membership(&mut self, tree: &ast::Binary, left: Typed, right: Typed, span: Span) -> Typed {
        let (Some(a), Some(b)) = (left.ty.clone(), right.ty.clone()) else {
            return Typed::unknown();
        };
        let item = match &b {
            Type::List(list) => loose(&list.item),
            Type::Map(_) | Type::Text(_) => Type::text(),
            _ => {
                let diagnostic = Self::error(
                    codes::TYPE_MISMATCH,
                    tree.right.span,
                    format!(
                        "`in` looks into a list, a map or a text, not into {}",
                        article(&b)
                    ),
                )
                .label(format!("this is {}", article(&b)));
                self.report(diagnostic);
                return Typed::unknown();
            }
        };
        let found = loose(&a);
        if item == Type::None || fit(&found, &item) == Fit::Yes {
            return self.operation(tree.op, left, right, Type::Bool, span);
        }
        if fit(&found, &item) == Fit::Widen {
            return self.operation(tree.op, widen(left), right, Type::Bool, span);
        }
        let message = format!("expected `{item}`, found `{a}`");
        let mut diagnostic = Self::error(codes::TYPE_MISMATCH, tree.left.span, message)
            .label(format!("this is {}", article(&a)))
            .other(tree.right.span, format!("this is {}", article(&b)));
        if matches!(a, Type::Optional(_)) {
            diagnostic = diagnostic.help("say what to take if it is missing: `x ?? …`");
        }
        self.report(diagnostic);
        Typed::unknown()
    }

    fn comparison(&mut self, tree: &ast::Binary, left: Typed, right: Typed, span: Span) -> Typed {
        let (Some(a), Some(b)) = (left.ty.clone(), right.ty.clone()) else {
            return Typed::unknown();
        };
        let (left, right) = match (&a, &b) {
            (Type::Int(_), Type::Float(_)) => (widen(left), right),
            (Type::Float(_), Type::Int(_)) => (left, widen(right)),
            (Type::Int(_), Type::Int(_))
            | (Type::Float(_), Type::Float(_))
            | (Type::Text(_), Type::Text(_))
            | (Type::Money(_), Type::Money(_))
            | (Type::Duration(_), Type::Duration(_))
            | (Type::Time, Type::Time) => (left, right),
            _ => {
                self.report_operands(tree, &a, &b);
                return Typed::unknown();
            }
        };
        self.operation(tree.op, left, right, Type::Bool, span)
    }

    fn arithmetic(&mut self, tree: &ast::Binary, left: Typed, right: Typed, span: Span) -> Typed {
        let (Some(a), Some(b)) = (left.ty.clone(), right.ty.clone()) else {
            return Typed::unknown();
        };
        let (exact_a, exact_b) = (exact(&left.expr, &a), exact(&right.expr, &b));
        let found = match (&left.expr, &right.expr) {
            // What two literals give is not worth a range of its own.
            (Expr::Const(_), Expr::Const(_)) => result_of(tree.op, &a, &b),
            _ => result_of(tree.op, &exact_a, &exact_b),
        };
        let Some(result) = found else {
            self.report_operands(tree, &a, &b);
            return Typed::unknown();
        };
        if matches!(tree.op, BinaryOp::Divide | BinaryOp::Remainder) && is_zero(&right.expr) {
            let diagnostic = Self::error(
                codes::ALWAYS_FAILS,
                tree.right.span,
                "a division by zero fails whatever is divided",
            );
            self.report(diagnostic);
        }
        let (left, right) = match (&a, &b) {
            (Type::Int(_), Type::Float(_)) => (widen(left), right),
            (Type::Float(_), Type::Int(_)) => (left, widen(right)),
            _ => (left, right),
        };
        self.operation(tree.op, left, right, result, span)
    }

    fn operation(
        &mut self,
        op: BinaryOp,
        left: Typed,
        right: Typed,
        ty: Type,
        span: Span,
    ) -> Typed {
        let site = self.site(span);
        let (left, right) = (Box::new(left.expr), Box::new(right.expr));
        Typed::new(Expr::Binary(core_op(op), left, right, site), ty)
    }

    fn report_operands(&mut self, tree: &ast::Binary, a: &Type, b: &Type) {
        let symbol = tree.op.symbol();
        let missing = [(a, &tree.left), (b, &tree.right)]
            .into_iter()
            .find(|(ty, _)| matches!(ty, Type::Optional(_) | Type::None));
        if let Some((ty, operand)) = missing {
            let said = path_of(operand);
            let diagnostic = Self::error(
                codes::OPTIONAL_UNHANDLED,
                operand.span,
                format!("`{symbol}` needs a value, and this may be missing"),
            )
            .label(format!("this is {}", article(ty)));
            let diagnostic = super::coerce::offer_presence(diagnostic, said.as_deref());
            return self.report(diagnostic);
        }
        let mut diagnostic = Self::error(
            codes::TYPE_MISMATCH,
            tree.op_span,
            format!(
                "`{symbol}` can't be used between {} and {}",
                article(a),
                article(b)
            ),
        )
        .other(tree.left.span, format!("this is {}", article(a)))
        .other(tree.right.span, format!("this is {}", article(b)));
        diagnostic = self.cure_operands(diagnostic, tree, a, b);
        self.report(diagnostic);
    }

    fn cure_operands(
        &self,
        diagnostic: Diagnostic,
        tree: &ast::Binary,
        a: &Type,
        b: &Type,
    ) -> Diagnostic {
        match (tree.op, a, b) {
            (BinaryOp::Add, Type::Text(_), _) | (BinaryOp::Add, _, Type::Text(_)) => {
                let parts = self.as_part(&tree.left).zip(self.as_part(&tree.right));
                let Some((left, right)) = parts else {
                    return diagnostic.help("texts are put together with holes: `\"${a}${b}\"`");
                };
                let text = format!("\"{left}{right}\"");
                let span = tree.left.span.to(tree.right.span);
                diagnostic
                    .help(format!("texts are put together with holes: `{text}`"))
                    .fix(Certainty::Certain, format!("write `{text}`"), span, text)
            }
            (BinaryOp::Add, Type::List(_), Type::List(_)) => {
                diagnostic.help("lists are put together with `flatten([a, b])`")
            }
            (BinaryOp::Add, Type::List(_), _) => {
                diagnostic.help("an item is added with `flatten([a, [b]])`")
            }
            (BinaryOp::Add, Type::Record(_), Type::Record(_)) => {
                diagnostic.help("records are put together with `{ ...a, ...b }`")
            }
            (BinaryOp::Equal | BinaryOp::NotEqual, Type::List(_), _)
            | (BinaryOp::Equal | BinaryOp::NotEqual, _, Type::List(_)) => {
                diagnostic.help("whether an item is in a list: `x in xs`")
            }
            (_, Type::Money(_), Type::Int(_) | Type::Float(_))
            | (_, Type::Int(_) | Type::Float(_), Type::Money(_)) => {
                diagnostic.help("an amount has a currency: `$1.50`")
            }
            (_, Type::Duration(_), Type::Int(_) | Type::Float(_))
            | (_, Type::Int(_) | Type::Float(_), Type::Duration(_)) => {
                diagnostic.help("a duration has a unit: `30s`")
            }
            (_, Type::Text(_), Type::Int(_) | Type::Float(_))
            | (_, Type::Int(_) | Type::Float(_), Type::Text(_)) => {
                diagnostic.help("a number in a text: `number(x)`, which may be missing")
            }
            (_, Type::Enum(_), Type::Enum(_)) if a == b => diagnostic.help(
                "values of an enumeration have no order: compare them with `==`, or use `match`",
            ),
            (_, Type::Enum(_), Type::Text(_)) | (_, Type::Text(_), Type::Enum(_)) => {
                diagnostic.help("a value of an enumeration is written without quotes")
            }
            _ if !is_arithmetic(tree.op) => {
                diagnostic.help("only values of one type can be compared")
            }
            _ => diagnostic,
        }
    }

    /// Writes an operand as a part of a text, where its letters are at hand.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn as_part(&self, tree: &ast::Expr) -> Option<String> {
        if let Some(path) = path_of(tree) {
            return Some(format!("${{{path}}}"));
        }
        let slice = self.written(tree.span)?;
        match &tree.kind {
            ExprKind::Text(text) if text.style == TextStyle::Plain => {
                Some(slice.strip_prefix('"')?.strip_suffix('"')?.to_owned())
            }
            ExprKind::Text(_) | ExprKind::Record(_) => None,
            _ => (!slice.contains(['"', '\n'])).then(|| format!("${{{slice}}}")),
        }
    }

    /// Checks `a ?? b`.
    pub(super) fn coalesce(
        &mut self,
        tree: &ast::Binary,
        span: Span,
        wanted: Option<&Type>,
    ) -> Typed {
        let left = self.expr(&tree.left, wanted);
        let hint = wanted.cloned().or_else(|| left.ty.as_ref().map(loose));
        let right = self.expr(&tree.right, hint.as_ref().map(Type::present));
        let (Some(a), Some(b)) = (&left.ty, &right.ty) else {
            return Typed::unknown();
        };
        let Type::Optional(present) = a else {
            self.report_never_missing(tree, a);
            return Typed::unknown();
        };
        let Some(ty) = Self::joined(present, b, wanted) else {
            let message = format!("expected `{present}`, found `{b}`");
            let diagnostic = Self::error(codes::TYPE_MISMATCH, tree.right.span, message)
                .label(format!("this is {}", article(b)))
                .other(tree.left.span, format!("this is {}", article(a)))
                .help("what stands after `??` has the type of what may be missing");
            self.report(diagnostic);
            return Typed::unknown();
        };
        if ty != **present && fit(present, &ty) == Fit::Widen {
            return self.widened_coalesce(tree, left, right, ty);
        }
        let right = self.coerce_tree(right, &ty, &tree.right, String::new, None);
        let site = self.site(span);
        let expr = Expr::Binary(Op::Coalesce, Box::new(left.expr), Box::new(right), site);
        Typed::new(expr, ty)
    }

    /// `int? ?? float`: the int is widened where it is there.
    fn widened_coalesce(
        &mut self,
        tree: &ast::Binary,
        left: Typed,
        right: Typed,
        ty: Type,
    ) -> Typed {
        let right = self.coerce_tree(right, &ty, &tree.right, String::new, None);
        let there = Expr::IsSome(Box::new(left.expr.clone()));
        let wide = Expr::Widen(Box::new(left.expr));
        Typed::new(Expr::If(Box::new([there, wide, right])), ty)
    }

    fn report_never_missing(&mut self, tree: &ast::Binary, ty: &Type) {
        let mut diagnostic = Self::error(
            codes::NEVER_MISSING,
            tree.op_span,
            "`??` stands for what may be missing, and this is always there",
        );
        if *ty == Type::None {
            "`none ?? x` is always `x`".clone_into(&mut diagnostic.message);
        } else {
            diagnostic = diagnostic.other(tree.left.span, format!("this is {}", article(ty)));
        }
        let is_call = matches!(&tree.left.kind, ExprKind::Call(call) if self.is_effectful(call));
        diagnostic = if is_call {
            diagnostic.help("what happens if a call fails is said by `else`: `f(…) else x`")
        } else {
            diagnostic.help("leave `??` and what follows it away")
        };
        self.report(diagnostic);
    }
}

/// Returns what an arithmetic operator gives, if it takes such operands.
fn result_of(op: BinaryOp, a: &Type, b: &Type) -> Option<Type> {
    use BinaryOp::{Add, Divide, Multiply, Remainder, Subtract};
    let money = || Type::Money(Bounds::default());
    let duration = || Type::Duration(Bounds::default());
    Some(match (op, a, b) {
        (Divide, Type::Int(_) | Type::Float(_), Type::Int(_) | Type::Float(_)) => Type::float(),
        (Add | Subtract | Multiply, Type::Int(x), Type::Int(y)) => Type::Int(range(op, x, y)),
        (Remainder, Type::Int(_), Type::Int(_)) => Type::int(),
        (
            Add | Subtract | Multiply | Remainder,
            Type::Int(_) | Type::Float(_),
            Type::Int(_) | Type::Float(_),
        ) => Type::float(),
        (Add | Subtract, Type::Money(_), Type::Money(_)) => money(),
        (Multiply | Divide, Type::Money(_), Type::Int(_) | Type::Float(_)) => money(),
        (Multiply, Type::Int(_) | Type::Float(_), Type::Money(_)) => money(),
        (Divide, Type::Money(_), Type::Money(_)) => Type::float(),
        (Add | Subtract, Type::Duration(_), Type::Duration(_)) => duration(),
        (Multiply | Divide, Type::Duration(_), Type::Int(_) | Type::Float(_)) => duration(),
        (Multiply, Type::Int(_) | Type::Float(_), Type::Duration(_)) => duration(),
        (Divide, Type::Duration(_), Type::Duration(_)) => Type::float(),
        (Add | Subtract, Type::Time, Type::Duration(_)) => Type::Time,
        (Add, Type::Duration(_), Type::Time) => Type::Time,
        (Subtract, Type::Time, Type::Time) => duration(),
        _ => return None,
    })
}

/// Returns the type of an operand, a literal's with its only value.
fn exact(expr: &Expr, ty: &Type) -> Type {
    match (expr, ty) {
        (Expr::Const(Value::Int(number)), Type::Int(_)) => Type::Int(Bounds {
            min: Some(*number),
            max: Some(*number),
        }),
        _ => ty.clone(),
    }
}

/// Returns the range of a sum, a difference or a product, where it is known.
fn range(op: BinaryOp, a: &Bounds<i64>, b: &Bounds<i64>) -> Bounds<i64> {
    let both = |x: Option<i64>, y: Option<i64>, f: fn(i64, i64) -> Option<i64>| f(x?, y?);
    if op == BinaryOp::Add {
        return Bounds {
            min: both(a.min, b.min, i64::checked_add),
            max: both(a.max, b.max, i64::checked_add),
        };
    }
    if op == BinaryOp::Subtract {
        return Bounds {
            min: both(a.min, b.max, i64::checked_sub),
            max: both(a.max, b.min, i64::checked_sub),
        };
    }
    let natural = |bounds: &Bounds<i64>| bounds.min.is_some_and(|min| min >= 0);
    if natural(a) && natural(b) {
        return Bounds {
            min: both(a.min, b.min, i64::checked_mul),
            max: both(a.max, b.max, i64::checked_mul),
        };
    }
    Bounds::default()
}

/// Returns a type without what narrows it, for what is only a hint.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are alike here, and a new one is too"
)]
pub(super) fn loose(ty: &Type) -> Type {
    match ty {
        Type::Text(_) => Type::text(),
        Type::Int(_) => Type::int(),
        Type::Float(_) => Type::float(),
        Type::Money(_) => Type::Money(Bounds::default()),
        Type::Duration(_) => Type::Duration(Bounds::default()),
        Type::List(list) => Type::list(loose(&list.item)),
        Type::Optional(inner) => loose(inner).optional(),
        Type::Map(item) => Type::Map(loose(item).into()),
        Type::Record(record) => {
            let mut record = record.as_ref().clone();
            for field in &mut record.fields {
                field.ty = loose(&field.ty);
            }
            Type::Record(record.into())
        }
        _ => ty.clone(),
    }
}

fn widen(typed: Typed) -> Typed {
    match typed.ty {
        Some(Type::Optional(_)) => typed,
        _ => Typed::new(Expr::Widen(Box::new(typed.expr)), Type::float()),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are alike here, and a new one is too"
)]
fn is_zero(expr: &Expr) -> bool {
    match expr {
        Expr::Const(Value::Int(0)) => true,
        Expr::Const(Value::Float(number)) => *number == 0.0,
        _ => false,
    }
}

fn is_arithmetic(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Remainder
    )
}

fn core_op(op: BinaryOp) -> Op {
    match op {
        BinaryOp::Add => Op::Add,
        BinaryOp::Subtract => Op::Subtract,
        BinaryOp::Multiply => Op::Multiply,
        BinaryOp::Divide => Op::Divide,
        BinaryOp::Remainder => Op::Remainder,
        BinaryOp::Equal => Op::Equal,
        BinaryOp::NotEqual => Op::NotEqual,
        BinaryOp::Less => Op::Less,
        BinaryOp::LessEqual => Op::LessEqual,
        BinaryOp::Greater => Op::Greater,
        BinaryOp::GreaterEqual => Op::GreaterEqual,
        BinaryOp::In => Op::In,
        BinaryOp::And => Op::And,
        BinaryOp::Or => Op::Or,
        BinaryOp::Coalesce => Op::Coalesce,
    }
}
