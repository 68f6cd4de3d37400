//! Items of lists and entries of maps.

use flow_core::expr::Expr;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::span::Span;

use super::expr::{article, path_of};
use super::{Checker, Typed};
use crate::codes;

impl Checker<'_> {
    /// Checks `xs[i]`.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    pub(super) fn index(&mut self, base: &ast::Expr, index: &ast::Expr, span: Span) -> Typed {
        let list = self.expr(base, None);
        let Some(ty) = list.ty.clone() else {
            self.expr(index, None);
            return Typed::unknown();
        };
        let said = path_of(base).unwrap_or_else(|| "xs".to_owned());
        let (at, item) = match &ty {
            Type::List(found) => {
                let at = self.expr_as(index, &Type::int(), "a position");
                self.check_position(&at, found.length.max, index.span, &said);
                (at, found.item.as_ref().clone())
            }
            Type::Map(item) => {
                let at = self.expr_as(index, &Type::text(), "a key");
                (at, item.as_ref().clone())
            }
            _ => {
                self.expr(index, None);
                let missing = matches!(ty, Type::Optional(_));
                let code = if missing {
                    codes::OPTIONAL_UNHANDLED
                } else {
                    codes::TYPE_MISMATCH
                };
                let message = format!(
                    "only a list or a map has items, and this is {}",
                    article(&ty)
                );
                let mut diagnostic = Self::error(code, base.span, message);
                diagnostic = match ty {
                    Type::Optional(_) => diagnostic.help(format!(
                        "ask first: `if {said} is some …`, or say `{said} ?? …`"
                    )),
                    Type::Record(_) => diagnostic.help("a field is named: `x.field`"),
                    Type::Text(_) => diagnostic
                        .help("a text has no positions; `split` and `starts_with` look into it"),
                    _ => diagnostic,
                };
                self.report(diagnostic);
                return Typed::unknown();
            }
        };
        let site = self.site(span);
        Typed::new(Expr::Index(Box::new(list.expr), Box::new(at), site), item)
    }

    fn check_position(&mut self, at: &Expr, max: Option<u64>, span: Span, said: &str) {
        let Expr::Const(Value::Int(at)) = at else {
            return;
        };
        let message = match (u64::try_from(*at), max) {
            (Err(_), _) => format!("positions count from 0, and this is {at}"),
            (Ok(at), Some(max)) if at >= max => {
                format!("there is no item {at}: the list has at most {max}")
            }
            (Ok(_), _) => return,
        };
        let mut diagnostic = Self::error(codes::ALWAYS_FAILS, span, message);
        if *at < 0 {
            diagnostic = diagnostic.help(format!(
                "the last item is `last({said})`, which may be missing"
            ));
        }
        self.report(diagnostic);
    }
}
