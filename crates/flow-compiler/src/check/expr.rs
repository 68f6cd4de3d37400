//! Expressions: a tree to a checked expression and its type.
//!
//! The expected type goes in, so that a bare enum value, an empty list or a
//! YAML scalar knows what it is; the type that was found comes out. Whether it
//! fits is decided in [`coerce`](super::coerce).

use flow_core::expr::{self, Expr};
use flow_core::relation::join;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind};
use flow_syntax::codes::TOO_DEEP;
use flow_syntax::diagnostic::Certainty;
use flow_syntax::span::Span;

use super::coerce::{has_part, is_jsonable};
use super::operators::loose;
use super::scope::Fact;
use super::{Checker, Typed};
use crate::codes;
use crate::translate::Reading;

/// How deep expressions may nest.
const DEPTH_MAX: u32 = 64;

/// A condition, and what is known where it holds and where it doesn't.
#[derive(Debug)]
pub(crate) struct Condition {
    /// The condition.
    pub(crate) typed: Typed,
    /// What is known where it holds.
    pub(crate) yes: Vec<Fact>,
    /// What is known where it doesn't.
    pub(crate) no: Vec<Fact>,
}

impl Checker<'_> {
    /// Checks an expression. What is wanted there only helps to understand it;
    /// hand the result to [`Self::coerce`] if it must have that type.
    pub(crate) fn expr(&mut self, tree: &ast::Expr, wanted: Option<&Type>) -> Typed {
        if self.depth >= DEPTH_MAX {
            self.report(
                Self::error(
                    TOO_DEEP,
                    tree.span,
                    format!("expressions nest at most {DEPTH_MAX} levels"),
                )
                .help("give a part of it a name"),
            );
            return Typed::unknown();
        }
        self.depth += 1;
        let typed = self.expr_kind(tree, wanted);
        self.depth -= 1;
        // Types grow from statement to statement, each twice the one before.
        if self.depth == 0 && typed.ty.as_ref().is_some_and(is_too_large) {
            let message = "the type of this has too many parts or is nested too deeply";
            self.report(Self::error(codes::TYPE_TOO_LARGE, tree.span, message));
            return Typed::unknown();
        }
        self.remember(tree, &typed, wanted);
        self.note_seen(tree, &typed);
        typed
    }

    /// Remembers how a scalar or a bare word was read, for translation.
    fn remember(&mut self, tree: &ast::Expr, typed: &Typed, wanted: Option<&Type>) {
        let is_expected = match wanted.map(Type::present) {
            Some(Type::Money(_)) => matches!(typed.ty, Some(Type::Money(_))),
            Some(Type::Duration(_)) => matches!(typed.ty, Some(Type::Duration(_))),
            Some(Type::Size) => matches!(typed.ty, Some(Type::Size)),
            Some(_) | None => false,
        };
        if let (ExprKind::Literal(_), Expr::Const(value), true) =
            (&tree.kind, &typed.expr, is_expected)
        {
            self.readings
                .push((tree.span, Reading::Value(value.clone())));
        }
        if let (ExprKind::Bare(_) | ExprKind::Name(_) | ExprKind::Field(..), Expr::Const(value)) =
            (&tree.kind, &typed.expr)
        {
            let reading = match (&typed.ty, value) {
                (Some(Type::Step), Value::Text(path)) => Reading::Step(path.clone()),
                (Some(_), value) => Reading::Value(value.clone()),
                (None, _) => return,
            };
            self.readings.push((tree.span, reading));
        }
    }

    /// Checks an expression that must have a type. `what` says what it is for:
    /// ``"`prompt` of `gen.image`"``.
    pub(crate) fn expr_as(&mut self, tree: &ast::Expr, wanted: &Type, what: &str) -> Expr {
        let typed = self.expr(tree, Some(wanted));
        self.coerce_tree(typed, wanted, tree, || what.to_owned(), None)
    }

    /// Like [`Self::expr_as`], for something that was declared somewhere.
    pub(crate) fn expr_for(
        &mut self,
        tree: &ast::Expr,
        wanted: &Type,
        what: &str,
        declared: Span,
    ) -> Expr {
        let typed = self.expr(tree, Some(wanted));
        self.coerce_tree(typed, wanted, tree, || what.to_owned(), Some(declared))
    }

    /// Checks a condition. Gives it with what is known where it holds, and
    /// where it doesn't.
    pub(crate) fn cond(&mut self, tree: &ast::Expr) -> (Expr, Vec<Fact>, Vec<Fact>) {
        let Condition { typed, yes, no } = self.condition(tree);
        (self.truth(typed, tree), yes, no)
    }

    fn expr_kind(&mut self, tree: &ast::Expr, wanted: Option<&Type>) -> Typed {
        let span = tree.span;
        match &tree.kind {
            ExprKind::Literal(literal) => match self.literal(literal, wanted) {
                Some((value, ty)) => Typed::new(Expr::Const(value), ty),
                None => Typed::unknown(),
            },
            ExprKind::Bare(bare) => self.bare(bare, span, wanted),
            ExprKind::Text(text) => self.text(text, span, wanted),
            ExprKind::None => Typed::new(Expr::Const(Value::None), Type::None),
            ExprKind::Name(name) => self.name(name, span, wanted),
            ExprKind::Field(base, field) => self.dotted(tree, base, field, wanted),
            ExprKind::Index(base, index) => self.index(base, index, span),
            ExprKind::Unary(ast::UnaryOp::Negate, inner) => self.negate(inner, span, wanted),
            ExprKind::Unary(ast::UnaryOp::Not, _) | ExprKind::Is(..) => self.condition(tree).typed,
            ExprKind::Binary(binary) => match binary.op {
                ast::BinaryOp::And | ast::BinaryOp::Or => self.condition(tree).typed,
                ast::BinaryOp::Coalesce => self.coalesce(binary, span, wanted),
                ast::BinaryOp::Add
                | ast::BinaryOp::Subtract
                | ast::BinaryOp::Multiply
                | ast::BinaryOp::Divide
                | ast::BinaryOp::Remainder
                | ast::BinaryOp::Equal
                | ast::BinaryOp::NotEqual
                | ast::BinaryOp::Less
                | ast::BinaryOp::LessEqual
                | ast::BinaryOp::Greater
                | ast::BinaryOp::GreaterEqual
                | ast::BinaryOp::In => self.binary(binary, span, wanted),
            },
            ExprKind::If(choice) => self.choice(choice, span, wanted),
            ExprKind::Call(call) => self.inner_call(call, span, wanted),
            ExprKind::List(items) => self.list(items, wanted),
            ExprKind::Comprehension(tree) => self.comprehension(tree, span, wanted),
            ExprKind::Record(entries) => self.record(entries, span, wanted),
            ExprKind::Error => Typed::unknown(),
        }
    }

    /// Checks what may be a condition. The type is not asked for here.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other forms are alike here"
    )]
    pub(super) fn condition(&mut self, tree: &ast::Expr) -> Condition {
        if self.depth >= DEPTH_MAX {
            return Condition::plain(self.expr(tree, None));
        }
        self.depth += 1;
        let condition = match &tree.kind {
            ExprKind::Is(inner, presence) => self.presence(inner, *presence, tree.span),
            ExprKind::Unary(ast::UnaryOp::Not, inner) => {
                let Condition { typed, yes, no } = self.condition(inner);
                let expr = Expr::Not(Box::new(self.truth(typed, inner)));
                Condition {
                    typed: Typed::new(expr, Type::Bool),
                    yes: no,
                    no: yes,
                }
            }
            ExprKind::Binary(binary) if binary.op == ast::BinaryOp::And => {
                self.both(binary, tree.span)
            }
            ExprKind::Binary(binary) if binary.op == ast::BinaryOp::Or => {
                self.either(binary, tree.span)
            }
            _ => Condition::plain(self.expr_kind(tree, Some(&Type::Bool))),
        };
        self.depth -= 1;
        condition
    }

    fn presence(&mut self, tree: &ast::Expr, presence: ast::Presence, span: Span) -> Condition {
        let typed = self.expr(tree, None);
        if let Some(ty) = &typed.ty
            && !matches!(ty, Type::Optional(_) | Type::None | Type::Json)
        {
            let diagnostic = Self::error(
                codes::NEEDLESS_CHECK,
                span,
                "this is never missing, so there is nothing to ask",
            )
            .label(format!("{} is always there", article(ty)));
            self.report(diagnostic);
        }
        let fact = |present| {
            let path = path_of(tree)?;
            Some(Fact { path, present })
        };
        let there: Vec<Fact> = fact(true).into_iter().collect();
        let missing: Vec<Fact> = fact(false).into_iter().collect();
        let some = Expr::IsSome(Box::new(typed.expr));
        let (expr, yes, no) = match presence {
            ast::Presence::Some => (some, there, missing),
            ast::Presence::None => (Expr::Not(Box::new(some)), missing, there),
        };
        Condition {
            typed: Typed::new(expr, Type::Bool),
            yes,
            no,
        }
    }

    fn both(&mut self, tree: &ast::Binary, span: Span) -> Condition {
        let left = self.condition(&tree.left);
        let first = self.truth(left.typed, &tree.left);
        let before = self.scopes.know(left.yes.iter().cloned());
        let right = self.condition(&tree.right);
        let second = self.truth(right.typed, &tree.right);
        self.scopes.forget(before);
        let site = self.site(span);
        let expr = Expr::Binary(expr::Op::And, Box::new(first), Box::new(second), site);
        Condition {
            typed: Typed::new(expr, Type::Bool),
            yes: left.yes.into_iter().chain(right.yes).collect(),
            no: Vec::new(),
        }
    }

    fn either(&mut self, tree: &ast::Binary, span: Span) -> Condition {
        let left = self.condition(&tree.left);
        let first = self.truth(left.typed, &tree.left);
        let before = self.scopes.know(left.no.iter().cloned());
        let right = self.condition(&tree.right);
        let second = self.truth(right.typed, &tree.right);
        self.scopes.forget(before);
        let site = self.site(span);
        let expr = Expr::Binary(expr::Op::Or, Box::new(first), Box::new(second), site);
        Condition {
            typed: Typed::new(expr, Type::Bool),
            yes: Vec::new(),
            no: left.no.into_iter().chain(right.no).collect(),
        }
    }

    /// Makes sure that a condition is a bool: there is no truthiness.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most types have no cure of their own"
    )]
    fn truth(&mut self, typed: Typed, tree: &ast::Expr) -> Expr {
        let Some(ty) = &typed.ty else {
            return typed.expr;
        };
        if *ty == Type::Bool {
            return typed.expr;
        }
        let said = path_of(tree).unwrap_or_else(|| "x".to_owned());
        let mut diagnostic = Self::error(
            codes::NO_TRUTHINESS,
            tree.span,
            format!("a condition is a `bool`, and this is {}", article(ty)),
        )
        .label(format!("this is {}", article(ty)));
        let cure = match ty {
            Type::Optional(inner) if **inner == Type::Bool => Some(format!("{said} ?? false")),
            Type::Optional(_) => Some(format!("{said} is some")),
            Type::Text(_) | Type::List(_) | Type::Map(_) => Some(format!("len({said}) > 0")),
            Type::Int(_) => Some(format!("{said} != 0")),
            Type::Float(_) => Some(format!("{said} != 0.0")),
            _ => None,
        };
        if let Some(cure) = cure {
            diagnostic = diagnostic.help(format!("ask a question: `{cure}`"));
            if path_of(tree).is_some() {
                let title = format!("write `{cure}`");
                diagnostic = diagnostic.fix(Certainty::Likely, title, tree.span, cure);
            }
        }
        self.report(diagnostic);
        Typed::unknown().expr
    }

    fn choice(&mut self, tree: &ast::IfExpr, span: Span, wanted: Option<&Type>) -> Typed {
        let (cond, yes, no) = self.cond(&tree.cond);
        let before = self.scopes.know(yes);
        let then = self.expr(&tree.then, wanted);
        self.scopes.forget(before);
        let before = self.scopes.know(no);
        let hint = wanted.cloned().or_else(|| then.ty.as_ref().map(loose));
        let otherwise = self.expr(&tree.otherwise, hint.as_ref());
        self.scopes.forget(before);
        let (Some(first), Some(second)) = (&then.ty, &otherwise.ty) else {
            return Typed::unknown();
        };
        let Some(ty) = Self::joined(first, second, wanted) else {
            let diagnostic = Self::error(
                codes::TYPE_MISMATCH,
                span,
                format!("both sides must have one type, and these are `{first}` and `{second}`"),
            )
            .other(tree.then.span, format!("this is {}", article(first)))
            .other(tree.otherwise.span, format!("this is {}", article(second)));
            self.report(diagnostic);
            return Typed::unknown();
        };
        let then = self.coerce_tree(then, &ty, &tree.then, String::new, None);
        let otherwise = self.coerce_tree(otherwise, &ty, &tree.otherwise, String::new, None);
        Typed::new(Expr::If(Box::new([cond, then, otherwise])), ty)
    }

    /// Joins two types; what is wanted decides where any JSON is.
    pub(super) fn joined(a: &Type, b: &Type, wanted: Option<&Type>) -> Option<Type> {
        let json = wanted.filter(|wanted| *wanted.present() == Type::Json);
        match json {
            Some(json) if is_jsonable(a) && is_jsonable(b) => Some(json.clone()),
            Some(_) | None => join(a, b),
        }
    }

    /// Makes sure that a type is known in full: `none` and `[]` get theirs
    /// from their place, and here there is none.
    pub(crate) fn settle(&mut self, typed: Typed, span: Span) -> Typed {
        let Some(ty) = &typed.ty else {
            return typed;
        };
        if !is_open(ty) {
            return typed;
        }
        let (message, example) = if matches!(ty, Type::List(_)) {
            ("nothing says what this list holds", "x: list<text> = []")
        } else if *ty == Type::None {
            (
                "nothing says what could be here instead of `none`",
                "x: text? = none",
            )
        } else {
            (
                "a part of this has no type: nothing says what `none` or `[]` stands for",
                "x: { mood: text? } = …",
            )
        };
        self.report(
            Self::error(codes::TYPE_UNKNOWN, span, message)
                .help(format!("give it a name with a type: `{example}`")),
        );
        Typed::unknown()
    }
}

impl Condition {
    fn plain(typed: Typed) -> Self {
        Self {
            typed,
            yes: Vec::new(),
            no: Vec::new(),
        }
    }
}

/// Returns a type with its article: ``an `image` ``.
pub(crate) fn article(ty: &Type) -> String {
    let shown = ty.to_string();
    if *ty == Type::None {
        return "`none`".to_owned();
    }
    let vowel = shown.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']);
    format!("{} `{shown}`", if vowel { "an" } else { "a" })
}

/// Returns the name that a dotted path begins with, if it is one.
pub(super) fn root_of(tree: &ast::Expr) -> Option<&str> {
    let mut at = tree;
    while let ExprKind::Field(base, _) = &at.kind {
        at = base;
    }
    let ExprKind::Name(root) = &at.kind else {
        return None;
    };
    Some(root)
}

/// Returns the dotted path that an expression is, if it is one.
pub(super) fn path_of(tree: &ast::Expr) -> Option<String> {
    let mut words = Vec::new();
    let mut at = tree;
    while let ExprKind::Field(base, name) = &at.kind {
        words.push(name.text.as_str());
        at = base;
    }
    let ExprKind::Name(root) = &at.kind else {
        return None;
    };
    words.push(root);
    words.reverse();
    Some(words.join("."))
}

/// Returns whether a part of a type is still to be found out.
pub(super) fn is_open(ty: &Type) -> bool {
    has_part(ty, &|part| *part == Type::None)
}

/// Returns whether a type is larger than anything an author would write.
fn is_too_large(ty: &Type) -> bool {
    let mut parts = 10_000;
    !has_room(ty, &mut parts, DEPTH_MAX)
}

fn has_room(ty: &Type, left: &mut u32, depth: u32) -> bool {
    if *left == 0 || depth == 0 {
        return false;
    }
    *left -= 1;
    if let Type::List(list) = ty {
        return has_room(&list.item, left, depth - 1);
    }
    if let Type::Map(item) | Type::Optional(item) = ty {
        return has_room(item, left, depth - 1);
    }
    if let Type::Record(record) = ty {
        let mut fields = record.fields.iter();
        return fields.all(|field| has_room(&field.ty, left, depth - 1));
    }
    true
}
