//! What an attempt of a call costs at most: its step's formula, over the call's
//! own arguments.

use flow_core::amount::Money;
use flow_core::expr::{Expr, Op};
use flow_core::literal;
use flow_core::plan::Price;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::span::Span;

use super::Checker;
use super::arguments::Arguments;
use crate::codes;
use crate::settings::Rate;
use crate::signature::Signature;

/// A part of a formula.
#[derive(Debug, Clone)]
struct Term {
    expr: Expr,
    /// The most that it can be.
    most: Option<Most>,
    /// For people.
    text: String,
}

/// The most that a part can be.
#[derive(Debug, Clone, Copy)]
enum Most {
    Money(Money),
    Number(f64),
    /// In seconds.
    Duration(f64),
}

/// Why a formula has no value.
#[derive(Debug)]
enum NoPrice {
    /// The price of a model is not known.
    Unpriced(String),
    /// The declaration is wrong; that was reported where it stands.
    Declaration,
}

impl Checker<'_> {
    /// Returns what an attempt of a call costs at most.
    pub(crate) fn price(
        &mut self,
        signature: &Signature,
        args: &Arguments,
        assume: Option<(Expr, Span)>,
    ) -> Option<Price> {
        let Some(cost) = &signature.cost else {
            if let Some((_, span)) = assume {
                self.report(
                    Self::error(
                        codes::CLAUSE,
                        span,
                        format!("`{}` costs nothing", signature.name),
                    )
                    .help("remove `assume`"),
                );
            }
            return None;
        };
        if let Some((formula, _)) = assume {
            let bound = if let Expr::Const(Value::Money(money)) = &formula {
                Some(*money)
            } else {
                None
            };
            let reason = bound.map_or("assumed".into(), |money| format!("{money} assumed"));
            return Some(Price {
                formula,
                bound,
                reason: reason.into(),
            });
        }
        let priced = self.term(cost, args);
        Some(match priced {
            Ok(term) => Price {
                bound: match term.most {
                    Some(Most::Money(money)) => Some(money),
                    _ => None,
                },
                formula: term.expr,
                reason: term.text.into(),
            },
            Err(NoPrice::Unpriced(why)) => Price {
                formula: Expr::Const(Value::None),
                bound: None,
                reason: why.into(),
            },
            Err(NoPrice::Declaration) => Price {
                formula: Expr::Const(Value::None),
                bound: None,
                reason: "its price can't be computed".into(),
            },
        })
    }

    /// Returns the pool that a call takes a slot of.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "declarations name pools in these ways only"
    )]
    pub(crate) fn pool(&mut self, signature: &Signature, args: &Arguments) -> Option<Expr> {
        let tree = signature.pool.as_ref()?;
        match &tree.kind {
            ast::ExprKind::Text(text) => match text.parts.as_slice() {
                [ast::TextPart::Str(name)] => Some(Expr::Const(Value::text(name.as_str()))),
                _ => None,
            },
            ast::ExprKind::Name(name) => Some(Expr::Const(Value::text(name.as_str()))),
            ast::ExprKind::Call(call) if call.path.text == "provider" => {
                let model = call.args.first()?;
                let ast::ExprKind::Name(param) = &model.value.kind else {
                    return None;
                };
                Some(match args.exprs.get(param.as_str())? {
                    Expr::Const(Value::Text(model)) => {
                        let provider = model.split('/').next().unwrap_or(model);
                        Expr::Const(Value::text(provider))
                    }
                    model => {
                        let site = self.site(tree.span);
                        let parts = Expr::Call(
                            flow_core::expr::Function::Split,
                            vec![model.clone(), Expr::Const(Value::text("/"))],
                            site,
                            None,
                        );
                        Expr::Index(Box::new(parts), Box::new(Expr::Const(Value::Int(0))), site)
                    }
                })
            }
            _ => None,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "prices are computed from these only"
    )]
    fn term(&mut self, tree: &ast::Expr, args: &Arguments) -> Result<Term, NoPrice> {
        match &tree.kind {
            ast::ExprKind::Literal(literal) => literal_term(literal),
            ast::ExprKind::Name(name) => param_term(name, args),
            ast::ExprKind::Field(base, field) => {
                let base = self.term(base, args)?;
                Ok(Term {
                    expr: Expr::Field(Box::new(base.expr), field.text.as_str().into()),
                    most: None,
                    text: format!("{}.{}", base.text, field.text),
                })
            }
            ast::ExprKind::Binary(binary) => {
                let left = self.term(&binary.left, args)?;
                let right = self.term(&binary.right, args)?;
                let site = self.site(tree.span);
                combine(binary.op, left, right, |op, left, right| {
                    Expr::Binary(op, Box::new(left), Box::new(right), site)
                })
            }
            ast::ExprKind::Call(call) if call.path.text == "price" => self.book(call, args),
            ast::ExprKind::Call(call) if call.path.text == "len" => {
                let arg = call.args.first().ok_or(NoPrice::Declaration)?;
                let ast::ExprKind::Name(name) = &arg.value.kind else {
                    return Err(NoPrice::Declaration);
                };
                let site = self.site(tree.span);
                len_term(name, args, site)
            }
            _ => Err(NoPrice::Declaration),
        }
    }

    /// Looks a price up: `price(model, unit)`, with a size or a quantity.
    #[expect(clippy::wildcard_enum_match_arm, reason = "units are names or texts")]
    fn book(&mut self, call: &ast::Call, args: &Arguments) -> Result<Term, NoPrice> {
        let [model, unit, rest @ ..] = call.args.as_slice() else {
            return Err(NoPrice::Declaration);
        };
        let ast::ExprKind::Name(param) = &model.value.kind else {
            return Err(NoPrice::Declaration);
        };
        let unit = match &unit.value.kind {
            ast::ExprKind::Name(unit) => unit.clone(),
            ast::ExprKind::Text(text) => match text.parts.as_slice() {
                [ast::TextPart::Str(unit)] => unit.clone(),
                _ => return Err(NoPrice::Declaration),
            },
            _ => return Err(NoPrice::Declaration),
        };
        let model = match args.exprs.get(param.as_str()) {
            Some(Expr::Const(Value::Text(model))) => model.clone(),
            _ => {
                return Err(NoPrice::Unpriced(format!(
                    "the price of `{param}`, which is known only at run time"
                )));
            }
        };
        let third = match rest.first() {
            None => None,
            Some(arg) => Some(self.term(&arg.value, args)?),
        };
        let size = match third.as_ref().map(|third| &third.expr) {
            Some(Expr::Const(Value::Size(size))) => Some(*size),
            _ => None,
        };
        let rates = self.world.settings.prices.models.get(&*model);
        let rate = rates.and_then(|rates| {
            let sized = size.and_then(|size| rates.get(&format!("{unit} {size}")));
            sized.or_else(|| rates.get(&unit))
        });
        // Embedded models are free.
        let free = Rate {
            price: Money(0),
            per: 1,
        };
        let rate = match rate {
            Some(rate) => *rate,
            None if model.starts_with("local/") => free,
            None => {
                return Err(NoPrice::Unpriced(format!(
                    "the price of `{model}` per {unit}"
                )));
            }
        };
        let price = Term {
            expr: Expr::Const(Value::Money(rate.price)),
            most: Some(Most::Money(rate.price)),
            text: rate.price.to_string(),
        };
        let quantity = third.filter(|_| size.is_none());
        let site = self.site(call.path.span);
        let build = |op, left, right| Expr::Binary(op, Box::new(left), Box::new(right), site);
        let price = match quantity {
            None => price,
            Some(quantity) => combine(ast::BinaryOp::Multiply, price, quantity, build)?,
        };
        if rate.per == 1 {
            return Ok(price);
        }
        let per = i64::try_from(rate.per).unwrap_or(i64::MAX);
        let per = Term {
            expr: Expr::Const(Value::Int(per)),
            most: literal::widen(per).map(Most::Number),
            text: per.to_string(),
        };
        combine(ast::BinaryOp::Divide, price, per, build)
    }
}

fn literal_term(tree: &ast::Literal) -> Result<Term, NoPrice> {
    let text = tree.text.clone();
    let (value, most) = match tree.kind {
        ast::LiteralKind::Money => {
            let money: Money = text.parse().map_err(|_| NoPrice::Declaration)?;
            (Value::Money(money), Most::Money(money))
        }
        ast::LiteralKind::Int => {
            let number = literal::int(&text).map_err(|_| NoPrice::Declaration)?;
            let most = literal::widen(number).ok_or(NoPrice::Declaration)?;
            (Value::Int(number), Most::Number(most))
        }
        ast::LiteralKind::Float => {
            let number = literal::float(&text).map_err(|_| NoPrice::Declaration)?;
            (Value::Float(number), Most::Number(number))
        }
        ast::LiteralKind::Duration => {
            let time: flow_core::amount::Duration =
                text.parse().map_err(|_| NoPrice::Declaration)?;
            (Value::Duration(time), Most::Duration(time.seconds()))
        }
        ast::LiteralKind::Bool | ast::LiteralKind::Size | ast::LiteralKind::Text => {
            return Err(NoPrice::Declaration);
        }
    };
    Ok(Term {
        expr: Expr::Const(value),
        most: Some(most),
        text,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are no amounts")]
fn param_term(name: &str, args: &Arguments) -> Result<Term, NoPrice> {
    let expr = args.exprs.get(name).cloned().ok_or(NoPrice::Declaration)?;
    if let Expr::Const(value) = &expr {
        let (most, text) = match value {
            Value::Int(number) => (
                literal::widen(*number).map(Most::Number),
                number.to_string(),
            ),
            Value::Float(number) => (Some(Most::Number(*number)), literal::number_text(*number)),
            Value::Money(money) => (Some(Most::Money(*money)), money.to_string()),
            Value::Duration(time) => (Some(Most::Duration(time.seconds())), time.to_string()),
            _ => (None, name.to_owned()),
        };
        return Ok(Term { expr, most, text });
    }
    let most = match args.types.get(name) {
        Some(Type::Int(bounds)) => bounds.max.and_then(literal::widen).map(Most::Number),
        Some(Type::Float(bounds)) => bounds.max.map(Most::Number),
        Some(Type::Money(bounds)) => bounds.max.map(Most::Money),
        Some(Type::Duration(bounds)) => bounds.max.map(|most| Most::Duration(most.seconds())),
        _ => None,
    };
    let text = match most {
        Some(Most::Number(most)) => format!("({name} ≤ {most})"),
        Some(Most::Money(most)) => format!("({name} ≤ {most})"),
        Some(Most::Duration(most)) => format!("({name} ≤ {most} s)"),
        None => name.to_owned(),
    };
    Ok(Term { expr, most, text })
}

fn len_term(name: &str, args: &Arguments, site: flow_core::expr::Site) -> Result<Term, NoPrice> {
    let expr = args.exprs.get(name).cloned().ok_or(NoPrice::Declaration)?;
    let most = match args.types.get(name) {
        Some(Type::List(list)) => list.length.max,
        Some(Type::Text(rule)) => rule.length.max,
        _ => None,
    };
    let most = most.and_then(|most| i64::try_from(most).ok());
    Ok(Term {
        expr: Expr::Call(flow_core::expr::Function::Len, vec![expr], site, None),
        most: most.and_then(literal::widen).map(Most::Number),
        text: match most {
            Some(most) => format!("(len({name}) ≤ {most})"),
            None => format!("len({name})"),
        },
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "prices are computed with these only"
)]
fn combine(
    op: ast::BinaryOp,
    left: Term,
    right: Term,
    build: impl FnOnce(Op, Expr, Expr) -> Expr,
) -> Result<Term, NoPrice> {
    let both = left.most.zip(right.most);
    let (core, most) = match op {
        ast::BinaryOp::Add => (Op::Add, both.and_then(|(a, b)| add(a, b))),
        // What is taken away may be nothing.
        ast::BinaryOp::Subtract => (Op::Subtract, left.most),
        ast::BinaryOp::Multiply => (Op::Multiply, both.and_then(|(a, b)| multiply(a, b))),
        ast::BinaryOp::Divide => {
            // Only a written divisor bounds the result.
            let written = matches!(right.expr, Expr::Const(_));
            (
                Op::Divide,
                both.filter(|_| written).and_then(|(a, b)| divide(a, b)),
            )
        }
        _ => return Err(NoPrice::Declaration),
    };
    let symbol = match op {
        ast::BinaryOp::Multiply => "×",
        other => other.symbol(),
    };
    Ok(Term {
        text: format!("{} {symbol} {}", left.text, right.text),
        expr: build(core, left.expr, right.expr),
        most,
    })
}

fn add(a: Most, b: Most) -> Option<Most> {
    match (a, b) {
        (Most::Money(a), Most::Money(b)) => a.checked_add(b).map(Most::Money),
        (Most::Number(a), Most::Number(b)) => Some(Most::Number(a + b)),
        (Most::Duration(a), Most::Duration(b)) => Some(Most::Duration(a + b)),
        _ => None,
    }
}

fn multiply(a: Most, b: Most) -> Option<Most> {
    match (a, b) {
        (Most::Money(money), Most::Number(by)) | (Most::Number(by), Most::Money(money)) => {
            money.checked_scale(by).map(Most::Money)
        }
        (Most::Number(a), Most::Number(b)) => Some(Most::Number(a * b)),
        (Most::Duration(a), Most::Number(b)) | (Most::Number(b), Most::Duration(a)) => {
            Some(Most::Duration(a * b))
        }
        _ => None,
    }
}

fn divide(a: Most, b: Most) -> Option<Most> {
    let by = match b {
        Most::Number(by) | Most::Duration(by) => by,
        Most::Money(_) => return None,
    };
    if by <= 0.0 {
        return None;
    }
    match (a, b) {
        (Most::Money(money), Most::Number(_)) => money.checked_scale(1.0 / by).map(Most::Money),
        (Most::Duration(a), Most::Duration(_)) => Some(Most::Number(a / by)),
        (Most::Duration(a), Most::Number(_)) => Some(Most::Duration(a / by)),
        (Most::Number(a), Most::Number(_)) => Some(Most::Number(a / by)),
        _ => None,
    }
}
