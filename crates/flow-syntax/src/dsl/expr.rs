//! Operands and operators in a row to trees.

use super::grammar::{Pair, Pairs, Rule, find, parts};
use super::{Reader, habits, lex};
use crate::ast::{
    Arg, Binary, BinaryOp, Call, Comprehension, Entry, Expr, ExprKind, IfExpr, Literal,
    LiteralKind, Name, Presence, UnaryOp,
};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use std::iter::Peekable;

/// How high the tree of one expression may be.
const HEIGHT_MAX: usize = 256;

/// How tightly `not` binds: looser than a comparison, tighter than `and`.
const NOT: u8 = 4;
const COMPARISON: u8 = 5;

/// Operands and operators of one level.
type Row<'a> = Peekable<Pairs<'a>>;

impl Reader<'_> {
    /// Reads what the rule `expr` gave, or one of its parts. `height` says how
    /// far above it the tree goes.
    pub(super) fn expr(&mut self, pair: Pair<'_>, height: usize) -> Expr {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        if height > HEIGHT_MAX {
            return self.too_high(span);
        }
        if rule == Rule::choice {
            return self.choice(pair, height);
        }
        if rule == Rule::flat {
            let row = pair.into_inner();
            let count = row.clone().count();
            let height = height + count;
            if height > HEIGHT_MAX && count > 1 {
                return self.too_high(span);
            }
            return self.climb(&mut row.peekable(), 1, height);
        }
        if rule == Rule::group {
            let inner = parts(pair).next().expect("a group holds an expression");
            let mut expr = self.expr(inner, height + 1);
            expr.span = span;
            return expr;
        }
        self.primary(pair, height)
    }

    fn choice(&mut self, pair: Pair<'_>, height: usize) -> Expr {
        let span = self.span(&pair);
        let mut inner = parts(pair)
            .filter(|part| !matches!(part.as_rule(), Rule::kw_if | Rule::kw_then | Rule::kw_else));
        let mut next = || inner.next().expect("a choice has three parts");
        let (cond, then, otherwise) = (next(), next(), next());
        let choice = IfExpr {
            cond: self.expr(cond, height + 1),
            then: self.expr(then, height + 1),
            otherwise: self.expr(otherwise, height + 1),
        };
        let kind = ExprKind::If(Box::new(choice));
        Expr { kind, span }
    }

    fn too_high(&mut self, span: Span) -> Expr {
        let message = "this expression has too many parts inside one another";
        let help = format!("give a part of it a name; {HEIGHT_MAX} operators in a row are allowed");
        self.report(Diagnostic::new(codes::TOO_DEEP, span, message).help(help));
        Expr {
            kind: ExprKind::Error,
            span,
        }
    }

    /// Takes operands as long as the operators bind at least so tightly.
    fn climb(&mut self, row: &mut Row<'_>, least: u8, height: usize) -> Expr {
        let mut left = self.operand(row, height);
        let mut compared: Option<Span> = None;
        let mut is_chained = false;
        while let Some(next) = row.peek() {
            let op = operator(next);
            let precedence = op.map_or(COMPARISON, BinaryOp::precedence);
            if precedence < least {
                break;
            }
            let op_span = self.span(next);
            if precedence == COMPARISON
                && let Some(first) = compared.replace(op_span)
            {
                self.chained(first, op_span);
                is_chained = true;
            }
            let Some(pair) = row.next() else { break };
            left = if let Some(op) = op {
                let right = self.climb(row, precedence + 1, height);
                let span = left.span.to(right.span);
                let binary = Binary {
                    op,
                    op_span,
                    left,
                    right,
                };
                let kind = ExprKind::Binary(Box::new(binary));
                Expr { kind, span }
            } else {
                let is_some = find(pair, Rule::kw_some).is_some();
                let presence = if is_some {
                    Presence::Some
                } else {
                    Presence::None
                };
                let span = left.span.to(op_span);
                let kind = ExprKind::Is(Box::new(left), presence);
                Expr { kind, span }
            };
        }
        // What it compares is not known, and nothing more is said of it.
        if is_chained {
            left.kind = ExprKind::Error;
        }
        left
    }

    fn chained(&mut self, first: Span, second: Span) {
        let message = "comparisons don't chain";
        let diagnostic = Diagnostic::new(codes::CHAINED_COMPARISON, second, message)
            .label("this compares a result of `true` or `false`")
            .other(first, "the first comparison")
            .help("write two comparisons with `and`: `a < b and b < c`");
        self.report(diagnostic);
    }

    fn operand(&mut self, row: &mut Row<'_>, height: usize) -> Expr {
        let Some(pair) = row.next() else {
            let span = self.place(self.at, self.at);
            return Expr {
                kind: ExprKind::Error,
                span,
            };
        };
        if pair.as_rule() == Rule::prefix {
            let before = self.span(&pair);
            let (op, operand) = if pair.as_str() == "-" {
                (UnaryOp::Negate, self.operand(row, height))
            } else {
                (UnaryOp::Not, self.climb(row, NOT + 1, height))
            };
            let span = before.to(operand.span);
            return Expr {
                kind: ExprKind::Unary(op, Box::new(operand)),
                span,
            };
        }
        let mut value = self.primary(pair, height);
        while let Some(next) =
            row.next_if(|next| matches!(next.as_rule(), Rule::field | Rule::index))
        {
            let span = value.span.to(self.span(&next));
            let is_field = next.as_rule() == Rule::field;
            let inner = parts(next)
                .next()
                .expect("a field has a name, an index a value");
            let kind = if is_field {
                ExprKind::Field(Box::new(value), self.name(&inner))
            } else {
                let index = self.expr(inner, height + 1);
                ExprKind::Index(Box::new(value), Box::new(index))
            };
            value = Expr { kind, span };
        }
        value
    }

    fn primary(&mut self, pair: Pair<'_>, height: usize) -> Expr {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        if rule == Rule::reference {
            return self.reference(pair, height);
        }
        if rule == Rule::group {
            return self.expr(pair, height);
        }
        if let Some(kind) = literal_kind(rule) {
            let text = pair.as_str().to_owned();
            let kind = ExprKind::Literal(Literal { kind, text, span });
            return Expr { kind, span };
        }
        let kind = if rule == Rule::kw_none {
            ExprKind::None
        } else if rule == Rule::list {
            self.list(pair, height)
        } else if rule == Rule::record {
            ExprKind::Record(parts(pair).map(|entry| self.entry(entry, height)).collect())
        } else {
            ExprKind::Text(self.text(pair, height))
        };
        Expr { kind, span }
    }

    fn list(&mut self, pair: Pair<'_>, height: usize) -> ExprKind {
        let mut items = Vec::with_capacity(parts(pair).count());
        for part in parts(pair) {
            if part.as_rule() != Rule::comprehension {
                items.push(self.expr(part, height + 1));
                continue;
            }
            let mut inner = parts(part)
                .filter(|part| !matches!(part.as_rule(), Rule::kw_for | Rule::kw_in | Rule::kw_if));
            let var = inner.next().expect("a comprehension has a name");
            let list = inner.next().expect("a comprehension has a list");
            let comprehension = Comprehension {
                body: items.pop().expect("a comprehension has a body"),
                var: self.name(&var),
                list: self.expr(list, height + 1),
                cond: inner.next().map(|cond| self.expr(cond, height + 1)),
            };
            return ExprKind::Comprehension(Box::new(comprehension));
        }
        ExprKind::List(items)
    }

    fn entry(&mut self, pair: Pair<'_>, height: usize) -> Entry {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut inner = parts(pair);
        let first = inner.next().expect("an entry is not empty");
        if rule == Rule::spread {
            Entry::Spread(self.expr(first, height + 1), span)
        } else if rule == Rule::short {
            Entry::Short(self.name(&first))
        } else {
            let key = if first.as_rule() == Rule::word {
                self.name(&first)
            } else {
                self.plain_text(first)
            };
            let value = inner.next().expect("a pair has a value");
            Entry::Field(key, self.expr(value, height + 1))
        }
    }

    /// Reads a call, or a name with its fields.
    pub(super) fn reference(&mut self, pair: Pair<'_>, height: usize) -> Expr {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let path = inner.next().expect("a reference has a path");
        let Some(mut next) = inner.next() else {
            return self.dotted(&path, height);
        };
        let mut type_arg = None;
        if next.as_rule() == Rule::type_args {
            type_arg = self.type_arg(next).map(Box::new);
            next = inner.next().expect("arguments follow a type");
        }
        let mut args = Vec::with_capacity(parts(next).count());
        for arg in parts(next) {
            args.push(self.arg(arg, height));
        }
        let call = Call {
            path: self.path(&path),
            type_arg,
            args,
        };
        Expr {
            kind: ExprKind::Call(Box::new(call)),
            span,
        }
    }

    fn arg(&mut self, pair: Pair<'_>, height: usize) -> Arg {
        let mut inner = parts(pair);
        let first = inner.next().expect("an argument is not empty");
        if first.as_rule() != Rule::word {
            return Arg {
                name: None,
                value: self.expr(first, height + 1),
            };
        }
        let value = inner.next().expect("a named argument has a value");
        Arg {
            name: Some(self.name(&first)),
            value: self.expr(value, height + 1),
        }
    }

    /// Splits `a.b.c` into a name and its fields.
    pub(super) fn dotted(&mut self, path: &Pair<'_>, height: usize) -> Expr {
        let whole = self.span(path);
        let text = path.as_str();
        if height + text.bytes().filter(|byte| *byte == b'.').count() > HEIGHT_MAX {
            return self.too_high(whole);
        }
        if let Some((kind, diagnostic)) = habits::named_value(text, whole) {
            self.report(diagnostic);
            return Expr { kind, span: whole };
        }
        let first = path.start();
        let mut at = first;
        let mut value: Option<Expr> = None;
        for word in text.split('.') {
            let end = at + word.len();
            let kind = match value.take() {
                None => ExprKind::Name(word.to_owned()),
                Some(value) => {
                    let name = Name {
                        text: word.to_owned(),
                        span: self.place(at, end),
                    };
                    ExprKind::Field(Box::new(value), name)
                }
            };
            value = Some(Expr {
                kind,
                span: self.place(first, end),
            });
            at = end + 1;
        }
        value.unwrap_or(Expr {
            kind: ExprKind::Error,
            span: whole,
        })
    }

    /// Reads a literal of a type, a pattern or a clause.
    pub(super) fn literal(&mut self, pair: Pair<'_>) -> Literal {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let text = pair.as_str().to_owned();
        if let Some(kind) = literal_kind(rule) {
            return Literal { kind, text, span };
        }
        if rule == Rule::negative {
            let digits = text.trim_start_matches('-');
            let is_whole = lex::word_end(digits.as_bytes(), 0) == digits.len();
            let letters = digits.bytes().find(u8::is_ascii_alphabetic);
            let kind = match letters {
                Some(b'x') => LiteralKind::Size,
                Some(_) => LiteralKind::Duration,
                None if is_whole => LiteralKind::Int,
                None => LiteralKind::Float,
            };
            return Literal { kind, text, span };
        }
        let name = self.plain_text(pair);
        Literal {
            kind: LiteralKind::Text,
            text: name.text,
            span,
        }
    }
}

fn literal_kind(rule: Rule) -> Option<LiteralKind> {
    let kinds = [
        (Rule::int, LiteralKind::Int),
        (Rule::float, LiteralKind::Float),
        (Rule::kw_true, LiteralKind::Bool),
        (Rule::kw_false, LiteralKind::Bool),
        (Rule::money, LiteralKind::Money),
        (Rule::duration, LiteralKind::Duration),
        (Rule::size, LiteralKind::Size),
    ];
    kinds.iter().find(|kind| kind.0 == rule).map(|kind| kind.1)
}

/// Returns what a pair of the rule `binary` means; `is some` is none of them.
fn operator(pair: &Pair<'_>) -> Option<BinaryOp> {
    Some(match pair.as_str() {
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Subtract,
        "*" => BinaryOp::Multiply,
        "/" => BinaryOp::Divide,
        "%" => BinaryOp::Remainder,
        "==" => BinaryOp::Equal,
        "!=" => BinaryOp::NotEqual,
        "<" => BinaryOp::Less,
        "<=" => BinaryOp::LessEqual,
        ">" => BinaryOp::Greater,
        ">=" => BinaryOp::GreaterEqual,
        "in" => BinaryOp::In,
        "and" => BinaryOp::And,
        "or" => BinaryOp::Or,
        "??" => BinaryOp::Coalesce,
        _ => return None,
    })
}
