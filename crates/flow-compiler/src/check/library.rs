//! The library: what its functions take and give.

use std::sync::Arc;

use flow_core::amount::{Duration, Money};
use flow_core::expr::{Expr, Function};
use flow_core::relation::{Fit, fit};
use flow_core::ty::{Bounds, FieldType, ListType, RecordType, Type};
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::span::Span;

use super::coerce::{has_media, has_secret, outside};
use super::expr::{article, is_open, path_of};
use super::lists::list_of;
use super::operators::loose;
use super::{Checker, Typed};
use crate::codes;

/// The arguments of a call, by the position of their parameters.
pub(super) struct Args<'t> {
    pub(super) function: Function,
    pub(super) trees: Vec<&'t ast::Expr>,
    /// The place of the call.
    pub(super) span: Span,
}

impl<'t> Args<'t> {
    fn what(&self) -> String {
        format!("`{}`", self.function.name())
    }

    fn at(&self, at: usize) -> Option<&'t ast::Expr> {
        self.trees.get(at).copied()
    }
}

/// An argument that is a list.
struct ListArg {
    expr: Expr,
    item: Type,
    length: Bounds<u64>,
}

impl ListArg {
    /// The type of a list of the same items with another length.
    fn with(&self, length: Bounds<u64>) -> Type {
        Type::List(ListType {
            item: Arc::new(self.item.clone()),
            length,
        })
    }
}

/// Returns the names of a function's parameters, and how many must be given.
pub(super) fn parameters(function: Function) -> (&'static [&'static str], usize) {
    match function {
        Function::Range => (&["from", "to"], 1),
        Function::Zip => (&["first", "second"], 2),
        Function::Take | Function::Skip => (&["list", "count"], 2),
        Function::Contains => (&["in", "item"], 2),
        Function::Split => (&["text", "separator"], 2),
        Function::Join => (&["list", "separator"], 1),
        Function::Get => (&["from", "at"], 2),
        Function::Format => (&["value", "pattern"], 2),
        Function::Pick => (&["list", "weights"], 1),
        Function::Replace => (&["text", "from", "to"], 3),
        Function::StartsWith | Function::EndsWith => (&["text", "part"], 2),
        Function::Date | Function::Weekday => (&["time"], 1),
        Function::Upper | Function::Lower | Function::Trim | Function::Number => (&["text"], 1),
        Function::Keys | Function::Values => (&["map"], 1),
        Function::Round | Function::Floor | Function::Ceil | Function::Abs => (&["number"], 1),
        Function::Len | Function::Json => (&["value"], 1),
        Function::Enumerate
        | Function::Flatten
        | Function::Unique
        | Function::Sort
        | Function::Reverse
        | Function::Sum
        | Function::Min
        | Function::Max
        | Function::Argmax
        | Function::Argmin
        | Function::Any
        | Function::All
        | Function::First
        | Function::Last
        | Function::Shuffle => (&["list"], 1),
    }
}

impl Checker<'_> {
    /// Checks a call of a library function whose arguments are in place.
    pub(super) fn library(&mut self, args: &Args<'_>, wanted: Option<&Type>) -> Typed {
        let found = match args.function {
            Function::Len => self.len(args),
            Function::Range => self.range(args),
            Function::Enumerate | Function::Zip | Function::Flatten => self.reshape(args),
            Function::Unique | Function::Sort | Function::Reverse | Function::Shuffle => {
                self.reorder(args, wanted)
            }
            Function::Take | Function::Skip => self.cut(args, wanted),
            Function::Sum => self.sum(args),
            Function::Min
            | Function::Max
            | Function::First
            | Function::Last
            | Function::Argmax
            | Function::Argmin => self.one_of(args, wanted),
            Function::Any | Function::All => {
                let list = Type::list(Type::Bool);
                self.simple(args, &[list], Type::Bool)
            }
            Function::Contains => self.contains(args),
            Function::Split => self.simple(
                args,
                &[Type::text(), Type::text()],
                Type::list(Type::text()),
            ),
            Function::Join => self.join_texts(args),
            Function::Get => self.get(args),
            Function::Keys | Function::Values => self.entries(args),
            Function::Date | Function::Weekday => self.simple(args, &[Type::Time], Type::text()),
            Function::Format => self.format(args),
            Function::Json => self.json(args),
            Function::Pick => self.pick(args, wanted),
            Function::Upper | Function::Lower | Function::Trim => {
                self.simple(args, &[Type::text()], Type::text())
            }
            Function::Replace => {
                let text = Type::text();
                self.simple(args, &[text.clone(), text.clone(), text], Type::text())
            }
            Function::StartsWith | Function::EndsWith => {
                self.simple(args, &[Type::text(), Type::text()], Type::Bool)
            }
            Function::Round | Function::Floor | Function::Ceil => {
                self.simple(args, &[Type::float()], Type::int())
            }
            Function::Abs => self.abs(args),
            Function::Number => self.simple(args, &[Type::text()], Type::float().optional()),
        };
        let Some((exprs, ty)) = found else {
            return Typed::unknown();
        };
        let draw = args.function.draws().then(|| self.draw());
        let site = self.site(args.span);
        Typed::new(Expr::Call(args.function, exprs, site, draw), ty)
    }

    /// Checks a function whose types are always the same.
    #[expect(clippy::unnecessary_wraps, reason = "functions are checked alike")]
    fn simple(
        &mut self,
        args: &Args<'_>,
        params: &[Type],
        gives: Type,
    ) -> Option<(Vec<Expr>, Type)> {
        let what = args.what();
        let pairs = args.trees.iter().zip(params);
        let exprs = pairs
            .map(|(tree, ty)| self.expr_as(tree, ty, &what))
            .collect();
        Some((exprs, gives))
    }

    fn list_arg(&mut self, args: &Args<'_>, at: usize, hint: Option<&Type>) -> Option<ListArg> {
        let tree = args.at(at)?;
        let hint = hint.map(|item| Type::list(loose(item)));
        let typed = self.expr(tree, hint.as_ref());
        match typed.ty {
            None => None,
            Some(Type::List(list)) => Some(ListArg {
                expr: typed.expr,
                item: list.item.as_ref().clone(),
                length: list.length,
            }),
            Some(other) => {
                self.report_no_list(&other, tree);
                None
            }
        }
    }

    /// Like [`Self::list_arg`], for functions that look at the items.
    fn known_list(&mut self, args: &Args<'_>, at: usize, hint: Option<&Type>) -> Option<ListArg> {
        let list = self.list_arg(args, at, hint)?;
        if !is_open(&list.item) {
            return Some(list);
        }
        let typed = Typed::new(list.expr, Type::list(list.item));
        self.settle(typed, args.at(at)?.span);
        None
    }

    fn len(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let tree = args.at(0)?;
        let typed = self.expr(tree, None);
        let length = match typed.ty {
            None => return None,
            Some(Type::List(list)) => list.length,
            Some(Type::Text(rule)) => rule.length,
            Some(Type::Map(_)) => Bounds::default(),
            Some(other) => {
                let what = "a list, a map or a text";
                self.report_argument(args, tree, what, &other);
                return None;
            }
        };
        let clip = |count: u64| i64::try_from(count).ok();
        let ty = Type::Int(Bounds {
            min: length.min.and_then(clip).or(Some(0)),
            max: length.max.and_then(clip),
        });
        Some((vec![typed.expr], ty))
    }

    #[expect(clippy::unnecessary_wraps, reason = "functions are checked alike")]
    fn range(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let mut most = None;
        let mut exprs = Vec::new();
        for tree in &args.trees {
            let typed = self.expr(tree, Some(&Type::int()));
            most = match (&typed.expr, &typed.ty) {
                (Expr::Const(Value::Int(number)), _) => Some(*number),
                (_, Some(Type::Int(bounds))) => bounds.max,
                _ => None,
            };
            exprs.push(self.coerce_tree(typed, &Type::int(), tree, || args.what(), None));
        }
        let least = match (exprs.len(), &exprs[0]) {
            (1, _) => Some(0),
            (_, Expr::Const(Value::Int(number))) => Some(*number),
            _ => None,
        };
        let length = most
            .zip(least)
            .and_then(|(most, least)| most.checked_sub(least));
        let max = length.map(|length| u64::try_from(length).unwrap_or(0));
        Some((exprs, list_of(Type::int(), max)))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn reshape(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let first = self.known_list(args, 0, None)?;
        let max = first.length.max;
        match args.function {
            Function::Enumerate => {
                let item = record(&[("index", Type::int()), ("item", first.item)]);
                Some((vec![first.expr], list_of(item, max)))
            }
            Function::Zip => {
                let second = self.known_list(args, 1, None)?;
                let max = match (max, second.length.max) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                let item = record(&[("first", first.item), ("second", second.item)]);
                Some((vec![first.expr, second.expr], list_of(item, max)))
            }
            _ => {
                let Type::List(inner) = &first.item else {
                    let found = first.with(first.length);
                    self.report_argument(args, args.at(0)?, "a list of lists", &found);
                    return None;
                };
                let max = max
                    .zip(inner.length.max)
                    .and_then(|(outer, inner)| outer.checked_mul(inner));
                Some((vec![first.expr], list_of(inner.item.as_ref().clone(), max)))
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn reorder(&mut self, args: &Args<'_>, wanted: Option<&Type>) -> Option<(Vec<Expr>, Type)> {
        let list = self.list_arg(args, 0, item_of(wanted))?;
        if args.function == Function::Sort && !self.has_order(args, &list.item) {
            return None;
        }
        let min = match args.function {
            Function::Unique => list.length.min.map(|min| min.min(1)),
            _ => list.length.min,
        };
        let max = list.length.max;
        let ty = list.with(Bounds { min, max });
        Some((vec![list.expr], ty))
    }

    fn cut(&mut self, args: &Args<'_>, wanted: Option<&Type>) -> Option<(Vec<Expr>, Type)> {
        let list = self.list_arg(args, 0, item_of(wanted))?;
        let typed = self.expr(args.at(1)?, Some(&Type::int()));
        let (least, most) = match (&typed.expr, &typed.ty) {
            (Expr::Const(Value::Int(number)), _) => (Some(*number), Some(*number)),
            (_, Some(Type::Int(bounds))) => (bounds.min, bounds.max),
            _ => (None, None),
        };
        let count = self.coerce_tree(typed, &Type::int(), args.at(1)?, || args.what(), None);
        let natural = |number: i64| u64::try_from(number).unwrap_or(0);
        let max = match (args.function, list.length.max) {
            (Function::Take, max) => match (max, most.map(natural)) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            (_, max) => max.map(|max| max.saturating_sub(least.map_or(0, natural))),
        };
        let ty = list.with(Bounds { min: None, max });
        Some((vec![list.expr, count], ty))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn sum(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let list = self.known_list(args, 0, None)?;
        let (ty, zero) = match list.item {
            Type::Int(_) => (Type::int(), Value::Int(0)),
            Type::Float(_) => (Type::float(), Value::Float(0.0)),
            Type::Money(_) => (Type::Money(Bounds::default()), Value::Money(Money(0))),
            Type::Duration(_) => (
                Type::Duration(Bounds::default()),
                Value::Duration(Duration(0)),
            ),
            _ => {
                let found = list.with(list.length);
                let what = "a list of numbers, amounts or durations";
                self.report_argument(args, args.at(0)?, what, &found);
                return None;
            }
        };
        Some((vec![list.expr, Expr::Const(zero)], ty))
    }

    fn one_of(&mut self, args: &Args<'_>, wanted: Option<&Type>) -> Option<(Vec<Expr>, Type)> {
        let looks = !matches!(args.function, Function::First | Function::Last);
        let at = matches!(args.function, Function::Argmax | Function::Argmin);
        let hint = wanted.map(Type::present).filter(|_| !at);
        let list = self.known_list(args, 0, hint)?;
        if looks && !self.has_order(args, &list.item) {
            return None;
        }
        let ty = if at { Type::int() } else { list.item };
        Some((vec![list.expr], ty.optional()))
    }

    /// Returns whether values of a type have an order. If not, that is reported.
    fn has_order(&mut self, args: &Args<'_>, item: &Type) -> bool {
        let ordered = matches!(
            item,
            Type::Int(_)
                | Type::Float(_)
                | Type::Text(_)
                | Type::Money(_)
                | Type::Duration(_)
                | Type::Time
                | Type::None
        );
        if !ordered && let Some(tree) = args.at(0) {
            let found = Type::list(item.clone());
            let what = "a list of numbers, texts, amounts, durations or times";
            self.report_argument(args, tree, what, &found);
        }
        ordered
    }

    fn contains(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let tree = args.at(0)?;
        let typed = self.expr(tree, None);
        let item = match typed.ty {
            None => return None,
            Some(Type::List(list)) => loose(&list.item),
            Some(Type::Map(_) | Type::Text(_)) => Type::text(),
            Some(other) => {
                self.report_argument(args, tree, "a list, a map or a text", &other);
                return None;
            }
        };
        let item = self.expr_as(args.at(1)?, &item, &args.what());
        Some((vec![typed.expr, item], Type::Bool))
    }

    fn join_texts(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let list = self.list_arg(args, 0, Some(&Type::text()))?;
        if !matches!(list.item, Type::Text(_) | Type::None) {
            let found = list.with(list.length);
            let tree = args.at(0)?;
            let said = path_of(tree).unwrap_or_else(|| "xs".to_owned());
            let diagnostic = Self::error(
                codes::TYPE_MISMATCH,
                tree.span,
                format!(
                    "`join` takes a list of texts, and this is {}",
                    article(&found)
                ),
            )
            .help(format!(
                "make texts of its items: `join([\"${{x}}\" for x in {said}], \", \")`"
            ));
            self.report(diagnostic);
            return None;
        }
        let separator = match args.at(1) {
            Some(tree) => self.expr_as(tree, &Type::text(), &args.what()),
            None => Expr::Const(Value::text("")),
        };
        Some((vec![list.expr, separator], Type::text()))
    }

    fn get(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let tree = args.at(0)?;
        let typed = self.expr(tree, None);
        let typed = self.settle(typed, tree.span);
        let (item, key) = match typed.ty {
            None => return None,
            Some(Type::List(list)) => (list.item.as_ref().clone(), Type::int()),
            Some(Type::Map(item)) => (item.as_ref().clone(), Type::text()),
            Some(other) => {
                self.report_argument(args, tree, "a list or a map", &other);
                return None;
            }
        };
        let at = self.expr_as(args.at(1)?, &key, &args.what());
        Some((vec![typed.expr, at], item.optional()))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn entries(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let tree = args.at(0)?;
        let typed = self.expr(tree, None);
        match typed.ty {
            None => None,
            Some(Type::Map(item)) => {
                let item = match args.function {
                    Function::Keys => Type::text(),
                    _ => item.as_ref().clone(),
                };
                Some((vec![typed.expr], Type::list(item)))
            }
            Some(other) => {
                self.report_argument(args, tree, "a map", &other);
                None
            }
        }
    }

    fn format(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let tree = args.at(0)?;
        let typed = self.expr(tree, None);
        let ty = typed.ty?;
        let formats = matches!(
            ty,
            Type::Int(_) | Type::Float(_) | Type::Money(_) | Type::Duration(_) | Type::Time
        );
        if !formats {
            self.report_argument(args, tree, "a number, an amount, a duration or a time", &ty);
            return None;
        }
        let pattern = self.expr_as(args.at(1)?, &Type::text(), &args.what());
        Some((vec![typed.expr, pattern], Type::text()))
    }

    fn json(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let tree = args.at(0)?;
        let typed = self.expr(tree, Some(&Type::Json).filter(|_| is_literal(tree)));
        let ty = typed.ty?;
        if has_secret(&ty) {
            let diagnostic = Self::error(
                codes::SECRET_USE,
                tree.span,
                "a secret can't be written into a text",
            )
            .help("a secret goes only into what is declared as `secret` or `map<secret>`");
            self.report(diagnostic);
            return None;
        }
        if has_media(&ty) || matches!(ty, Type::Step) {
            self.report_argument(args, tree, "what JSON can say", &ty);
            return None;
        }
        Some((vec![outside(typed.expr, &ty)], Type::text()))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn pick(&mut self, args: &Args<'_>, wanted: Option<&Type>) -> Option<(Vec<Expr>, Type)> {
        let list = self.known_list(args, 0, wanted.map(Type::present))?;
        if list.length.max == Some(0) {
            let diagnostic = Self::error(
                codes::ALWAYS_FAILS,
                args.at(0)?.span,
                "there is nothing in it to pick",
            );
            self.report(diagnostic);
        }
        let mut exprs = vec![list.expr];
        if let Some(tree) = args.at(1) {
            let typed = self.expr(tree, None);
            let is_numbers = match typed.ty.as_ref()? {
                Type::List(list) => fit(&list.item, &Type::float()) != Fit::No,
                _ => false,
            };
            if !is_numbers {
                let ty = typed.ty?;
                self.report_argument(args, tree, "a list of numbers as `weights`", &ty);
                return None;
            }
            self.check_weights(&exprs[0], &typed.expr, tree.span);
            exprs.push(typed.expr);
        }
        Some((exprs, list.item))
    }

    fn check_weights(&mut self, list: &Expr, weights: &Expr, span: Span) {
        if let (Expr::List(items), Expr::List(weights)) = (list, weights)
            && items.len() != weights.len()
        {
            let message = format!(
                "there are {} items and {} weights",
                items.len(),
                weights.len()
            );
            self.report(Self::error(codes::ALWAYS_FAILS, span, message));
        }
    }

    fn abs(&mut self, args: &Args<'_>) -> Option<(Vec<Expr>, Type)> {
        let tree = args.at(0)?;
        let typed = self.expr(tree, None);
        let ty = typed.ty?;
        if !matches!(
            ty,
            Type::Int(_) | Type::Float(_) | Type::Money(_) | Type::Duration(_)
        ) {
            self.report_argument(args, tree, "a number, an amount or a duration", &ty);
            return None;
        }
        Some((vec![typed.expr], loose(&ty)))
    }

    /// Reports that a list is needed.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    pub(super) fn report_no_list(&mut self, found: &Type, tree: &ast::Expr) {
        let said = path_of(tree).unwrap_or_else(|| "x".to_owned());
        let missing = matches!(found, Type::Optional(_) | Type::None);
        let code = if missing {
            codes::OPTIONAL_UNHANDLED
        } else {
            codes::TYPE_MISMATCH
        };
        let message = format!("this must be a list, and it is {}", article(found));
        let mut diagnostic =
            Self::error(code, tree.span, message).label(format!("this is {}", article(found)));
        diagnostic = match found {
            Type::Optional(_) => {
                diagnostic.help(format!("say what to take instead: `{said} ?? []`"))
            }
            Type::Int(_) => diagnostic.help(format!("to count: `range({said})`")),
            Type::Map(_) => {
                diagnostic.help(format!("of a map: `keys({said})` or `values({said})`"))
            }
            Type::Text(_) => diagnostic.help(format!("to cut a text: `split({said}, \",\")`")),
            _ => diagnostic,
        };
        self.report(diagnostic);
    }

    fn report_argument(&mut self, args: &Args<'_>, tree: &ast::Expr, what: &str, found: &Type) {
        let missing = matches!(found, Type::Optional(_) | Type::None);
        let code = if missing {
            codes::OPTIONAL_UNHANDLED
        } else if has_secret(found) {
            codes::SECRET_USE
        } else {
            codes::TYPE_MISMATCH
        };
        let message = format!("{} takes {what}, not {}", args.what(), article(found));
        let mut diagnostic =
            Self::error(code, tree.span, message).label(format!("this is {}", article(found)));
        if missing {
            let said = path_of(tree).unwrap_or_else(|| "x".to_owned());
            diagnostic = diagnostic.help(format!("say what to take instead: `{said} ?? …`"));
        }
        self.report(diagnostic);
    }
}

/// Returns the item of the list that is wanted.
fn item_of(wanted: Option<&Type>) -> Option<&Type> {
    match wanted.map(Type::present) {
        Some(Type::List(list)) => Some(&list.item),
        _ => None,
    }
}

fn is_literal(tree: &ast::Expr) -> bool {
    matches!(tree.kind, ast::ExprKind::List(_) | ast::ExprKind::Record(_))
}

fn record(fields: &[(&str, Type)]) -> Type {
    let fields = fields.iter().map(|(name, ty)| FieldType {
        name: (*name).into(),
        ty: ty.clone(),
        docs: "".into(),
    });
    Type::Record(Arc::new(RecordType {
        name: None,
        fields: fields.collect(),
    }))
}
