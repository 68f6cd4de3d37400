//! List literals and lists made from lists.

use flow_core::expr::{self, Expr};
use flow_core::relation::join;
use flow_core::ty::{Bounds, ListType, Type};
use flow_syntax::ast;
use flow_syntax::span::Span;

use super::expr::article;
use super::operators::loose;
use super::{Binding, Checker, Typed};
use crate::codes;

impl Checker<'_> {
    pub(super) fn list(&mut self, items: &[ast::Expr], wanted: Option<&Type>) -> Typed {
        let count = items.len() as u64;
        if let Some(Type::List(list)) = wanted.map(Type::present) {
            let mut exprs = Vec::with_capacity(items.len());
            for item in items {
                exprs.push(self.expr_as(item, &list.item, ""));
            }
            let length = Bounds {
                min: list.length.min.map(|_| count),
                max: Some(count),
            };
            let ty = Type::List(ListType {
                item: list.item.clone(),
                length,
            });
            return Typed::new(Expr::List(exprs), ty);
        }
        let json = wanted.filter(|ty| *ty.present() == Type::Json);
        if json.is_some() {
            let mut exprs = Vec::with_capacity(items.len());
            for item in items {
                exprs.push(self.expr_as(item, &Type::Json, ""));
            }
            return Typed::new(Expr::List(exprs), Type::Json);
        }
        self.free_list(items, count)
    }

    /// A list of which nothing is known before.
    fn free_list(&mut self, items: &[ast::Expr], count: u64) -> Typed {
        let mut all: Option<Type> = None;
        let mut broken = false;
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let typed = self.expr(item, all.as_ref().map(loose).as_ref());
            match (&typed.ty, &all) {
                (None, _) => broken = true,
                (Some(ty), None) => all = Some(ty.clone()),
                (Some(ty), Some(before)) => {
                    if let Some(ty) = join(before, ty) {
                        all = Some(ty);
                    } else {
                        broken = true;
                        let diagnostic = Self::error(
                            codes::TYPE_MISMATCH,
                            item.span,
                            format!(
                                "the items before are `{before}`, and this is {}",
                                article(ty)
                            ),
                        )
                        .label(format!("this is {}", article(ty)))
                        .help("all items of a list have one type; a record holds different ones");
                        self.report(diagnostic);
                    }
                }
            }
            found.push(typed);
        }
        if broken {
            return Typed::unknown();
        }
        let item = all.unwrap_or(Type::None);
        let coerced = found.into_iter().zip(items);
        let exprs = coerced
            .map(|(typed, tree)| self.coerce_tree(typed, &item, tree, String::new, None))
            .collect();
        Typed::new(Expr::List(exprs), list_of(item, Some(count)))
    }

    pub(super) fn comprehension(
        &mut self,
        tree: &ast::Comprehension,
        span: Span,
        wanted: Option<&Type>,
    ) -> Typed {
        let list = self.expr(&tree.list, None);
        let list = self.settle(list, tree.list.span);
        let (item, length) = match &list.ty {
            None => (None, Bounds::default()),
            Some(Type::List(list)) => (Some(list.item.as_ref().clone()), list.length),
            Some(ty) => {
                let ty = ty.clone();
                self.report_no_list(&ty, &tree.list);
                (None, Bounds::default())
            }
        };
        let local = self.locals;
        self.locals += 1;
        if let Some(outer) = self.scopes.bound(&tree.var.text) {
            self.report_bound(&tree.var, outer);
        }
        self.scopes.push();
        self.scopes.bind(
            &tree.var.text,
            Binding {
                expr: Expr::Local(local),
                ty: item,
                empty: false,
                span: tree.var.span,
                used: true,
            },
        );
        let (cond, facts) = match tree.cond.as_ref().map(|cond| self.cond(cond)) {
            Some((cond, yes, _)) => (Some(cond), yes),
            None => (None, Vec::new()),
        };
        let min = length.min.filter(|_| cond.is_none());
        let before = self.scopes.know(facts);
        let inner = match wanted.map(Type::present) {
            Some(Type::List(list)) => Some(list.item.as_ref().clone()),
            Some(Type::Json) => Some(Type::Json),
            _ => None,
        };
        let body = self.expr(&tree.body, inner.as_ref());
        let body = match &inner {
            Some(inner) if body.ty.is_some() => Typed {
                expr: self.coerce_tree(body, inner, &tree.body, String::new, None),
                ty: Some(inner.clone()),
            },
            _ => self.settle(body, tree.body.span),
        };
        self.scopes.forget(before);
        self.scopes.pop();
        self.locals -= 1;
        let site = self.site(span);
        let Some(body_ty) = body.ty else {
            return Typed::unknown();
        };
        let expr = Expr::Comprehension(Box::new(expr::Comprehension {
            local,
            body: body.expr,
            list: list.expr,
            cond,
            site,
        }));
        let ty = match wanted.map(Type::present) {
            Some(Type::Json) => Type::Json,
            _ => Type::List(ListType {
                item: body_ty.into(),
                length: Bounds { min, ..length },
            }),
        };
        Typed::new(expr, ty)
    }
}

/// Makes the type of a list with at most so many items.
pub(super) fn list_of(item: Type, max: Option<u64>) -> Type {
    Type::List(ListType {
        item: item.into(),
        length: Bounds { min: None, max },
    })
}
