//! From minijinja's tree to ours. The only place that knows minijinja.
//!
//! Its parser recurses and its trees are dropped by recursion, so a first look
//! at the tokens bounds both, and names every unsupported statement at once.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "minijinja's enums are not ours; what we don't know of them is refused"
)]

mod survey;

use std::ops::Range;
use std::sync::Arc;

use minijinja::machinery::{Span, ast, parse};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;

use crate::expr::Op;
use crate::template::filter::{Filter, Test};
use crate::template::outline::{
    FaultKind, Loop, Name, Outline, Piece, TemplateFault, Term, TermKind,
};
use crate::value::Value;

/// How many bytes a template may have.
const BYTES_MAX: usize = 1 << 20;
/// How deep statements may nest, and how deep expressions may.
const DEPTH_MAX: usize = 64;

type Faults = Vec<TemplateFault>;

pub(super) fn outline(text: &str) -> Result<Outline, Faults> {
    if text.len() > BYTES_MAX {
        let fault = TemplateFault::new(
            FaultKind::Syntax,
            0..0,
            "this template is longer than 1 MiB",
        );
        return Err(vec![fault.help("give long texts as data")]);
    }
    let faults = survey::faults(text);
    if !faults.is_empty() {
        return Err(faults);
    }
    let tree = parse(text, "template", SyntaxConfig::default())
        .map_err(|error| vec![syntax(text, &error)])?;
    let mut reader = Reader::default();
    let pieces = match &tree {
        ast::Stmt::Template(template) => reader.pieces(&template.children),
        _ => Vec::new(),
    };
    reader.faults.sort_by_key(|fault| fault.span.start);
    if reader.faults.is_empty() {
        Ok(Outline {
            pieces,
            includes: reader.includes,
        })
    } else {
        Err(reader.faults)
    }
}

fn syntax(text: &str, error: &minijinja::Error) -> TemplateFault {
    let mut span = error.range().unwrap_or(0..0);
    if text.get(span.clone()).is_none() {
        span = text.len()..text.len();
    }
    let message = error.detail().unwrap_or("this can't be read");
    TemplateFault::new(FaultKind::Syntax, span, message)
}

fn range(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

/// Reads the tree. Where something is wrong, a fault is noted and a stand-in
/// is returned, so that all faults are found.
#[derive(Default)]
struct Reader {
    faults: Faults,
    includes: Vec<Name>,
    depth: usize,
}

impl Reader {
    fn fault(
        &mut self,
        kind: FaultKind,
        span: Range<usize>,
        message: impl Into<String>,
        help: &str,
    ) {
        self.faults
            .push(TemplateFault::new(kind, span, message).help(help));
    }

    fn pieces(&mut self, stmts: &[ast::Stmt<'_>]) -> Vec<Piece> {
        stmts.iter().filter_map(|stmt| self.piece(stmt)).collect()
    }

    fn piece(&mut self, stmt: &ast::Stmt<'_>) -> Option<Piece> {
        Some(match stmt {
            ast::Stmt::EmitRaw(raw) => Piece::Text(raw.raw.into()),
            ast::Stmt::EmitExpr(emit) => Piece::Emit(self.term(&emit.expr)),
            ast::Stmt::ForLoop(stmt) => self.for_loop(stmt)?,
            ast::Stmt::IfCond(cond) => self.condition(cond),
            ast::Stmt::Set(set) => {
                let name = self.target(&set.target)?;
                Piece::Set(name, self.term(&set.expr))
            }
            ast::Stmt::Include(include) => self.include(include)?,
            // The survey has refused all other statements.
            other => {
                let _ = other;
                return None;
            }
        })
    }

    fn for_loop(&mut self, stmt: &ast::ForLoop<'_>) -> Option<Piece> {
        let names = match &stmt.target {
            ast::Expr::List(list) if list.items.len() == 2 => {
                vec![self.target(&list.items[0])?, self.target(&list.items[1])?]
            }
            target => vec![self.target(target)?],
        };
        if stmt.recursive {
            let span = range(stmt.iter.span());
            self.fault(
                FaultKind::Unsupported,
                span,
                "loops can't be `recursive`",
                "leave the word out",
            );
        }
        Some(Piece::For(Box::new(Loop {
            names,
            over: self.term(&stmt.iter),
            cond: stmt.filter_expr.as_ref().map(|cond| self.term(cond)),
            body: self.pieces(&stmt.body),
            otherwise: self.pieces(&stmt.else_body),
        })))
    }

    /// Reads an `if` with its `elif`s, which the parser nests.
    fn condition(&mut self, cond: &ast::IfCond<'_>) -> Piece {
        let mut arms = vec![(self.term(&cond.expr), self.pieces(&cond.true_body))];
        let mut rest = &cond.false_body;
        while let [ast::Stmt::IfCond(next)] = rest.as_slice() {
            arms.push((self.term(&next.expr), self.pieces(&next.true_body)));
            rest = &next.false_body;
        }
        Piece::If(arms, self.pieces(rest))
    }

    fn include(&mut self, include: &ast::Include<'_>) -> Option<Piece> {
        let span = range(include.name.span());
        if include.ignore_missing {
            self.fault(
                FaultKind::Unsupported,
                span.clone(),
                "`ignore missing` would hide a missing file",
                "leave it out: templates are read when the workflow is compiled",
            );
        }
        let literal = match &include.name {
            ast::Expr::Const(name) => name.value.as_str().map(Arc::from),
            _ => None,
        };
        let Some(text) = literal else {
            self.fault(
                FaultKind::Unsupported,
                span,
                "the name of an included template must be a literal",
                "write the name in quotes, and choose with `if`",
            );
            return None;
        };
        let name = Name { text, span };
        if self.includes.iter().all(|known| known.text != name.text) {
            self.includes.push(name.clone());
        }
        Some(Piece::Include(name))
    }

    fn target(&mut self, expr: &ast::Expr<'_>) -> Option<Name> {
        if let ast::Expr::Var(var) = expr {
            return Some(Name {
                text: var.id.into(),
                span: range(var.span()),
            });
        }
        self.fault(
            FaultKind::Unsupported,
            range(expr.span()),
            "only a plain name can be set here",
            "a loop takes one name, or two over a map; `set` takes one",
        );
        None
    }

    fn terms(&mut self, exprs: &[ast::Expr<'_>]) -> Vec<Term> {
        exprs.iter().map(|expr| self.term(expr)).collect()
    }

    fn term(&mut self, expr: &ast::Expr<'_>) -> Term {
        let span = range(expr.span());
        if self.depth >= DEPTH_MAX {
            self.fault(
                FaultKind::Syntax,
                span.clone(),
                "this expression nests too deeply",
                "compute it in the workflow and give it as data",
            );
            return Term {
                kind: TermKind::Const(Value::None),
                span,
            };
        }
        self.depth += 1;
        let term = self.term_inner(expr, span);
        self.depth -= 1;
        term
    }

    fn term_inner(&mut self, expr: &ast::Expr<'_>, mut span: Range<usize>) -> Term {
        let kind = match expr {
            ast::Expr::Var(var) => TermKind::Var(var.id.into()),
            ast::Expr::Const(constant) => TermKind::Const(self.constant(&constant.value, &span)),
            ast::Expr::List(list) => TermKind::List(self.terms(&list.items)),
            ast::Expr::UnaryOp(unary) => {
                let inner = Box::new(self.term(&unary.expr));
                match unary.op {
                    ast::UnaryOpKind::Not => TermKind::Not(inner),
                    ast::UnaryOpKind::Neg => TermKind::Negate(inner),
                }
            }
            ast::Expr::BinOp(binary) => {
                let left = self.term(&binary.left);
                let right = self.term(&binary.right);
                span = left.span.start..right.span.end;
                self.binary(binary.op, left, right, &span)
            }
            ast::Expr::IfExpr(choice) => self.choice(choice, &mut span),
            // The parser starts the spans of what follows a value at the dot or
            // the bar.
            ast::Expr::GetAttr(attr) => {
                let base = self.term(&attr.expr);
                let end = span.end;
                let name = Name {
                    text: attr.name.into(),
                    span: end.saturating_sub(attr.name.len())..end,
                };
                span.start = base.span.start;
                TermKind::Field(Box::new(base), name)
            }
            ast::Expr::GetItem(item) => {
                let base = self.term(&item.expr);
                span.start = base.span.start;
                TermKind::Index(Box::new(base), Box::new(self.term(&item.subscript_expr)))
            }
            ast::Expr::Filter(filter) => self.filter(filter, &mut span),
            ast::Expr::Test(test) => self.test(test, &mut span),
            ast::Expr::Compare(chain) => {
                let start = self.term(&chain.expr).span.start;
                span = start..span.end;
                let help = "join two comparisons with `and`";
                self.fault(
                    FaultKind::Unsupported,
                    span.clone(),
                    "comparisons don't chain",
                    help,
                );
                TermKind::Const(Value::None)
            }
            ast::Expr::Slice(_) | ast::Expr::Call(_) | ast::Expr::Tuple(_) | ast::Expr::Map(_) => {
                let (message, help) = unsupported(expr);
                self.fault(FaultKind::Unsupported, span.clone(), message, help);
                TermKind::Const(Value::None)
            }
        };
        Term { kind, span }
    }

    fn choice(&mut self, choice: &ast::IfExpr<'_>, span: &mut Range<usize>) -> TermKind {
        let then = self.term(&choice.true_expr);
        let cond = self.term(&choice.test_expr);
        *span = then.span.start..cond.span.end;
        let Some(otherwise) = &choice.false_expr else {
            self.fault(
                FaultKind::Unsupported,
                span.clone(),
                "this `if` has no `else`",
                "write `a if cond else b`",
            );
            return TermKind::Const(Value::None);
        };
        let otherwise = self.term(otherwise);
        span.end = otherwise.span.end;
        TermKind::If(Box::new([cond, then, otherwise]))
    }

    fn constant(&mut self, value: &minijinja::Value, span: &Range<usize>) -> Value {
        let read = match value.kind() {
            ValueKind::Bool => Some(Value::Bool(value.is_true())),
            ValueKind::String => value.as_str().map(Value::text),
            ValueKind::Number if value.is_integer() => {
                i64::try_from(value.clone()).ok().map(Value::Int)
            }
            ValueKind::Number => f64::try_from(value.clone())
                .ok()
                .filter(|float| float.is_finite())
                .map(Value::Float),
            _ => Some(Value::None),
        };
        read.unwrap_or_else(|| {
            self.fault(
                FaultKind::Syntax,
                span.clone(),
                "this number is too large",
                "numbers have 64 bits",
            );
            Value::None
        })
    }

    fn binary(
        &mut self,
        op: ast::BinOpKind,
        left: Term,
        right: Term,
        span: &Range<usize>,
    ) -> TermKind {
        let op = match op {
            ast::BinOpKind::Eq => Op::Equal,
            ast::BinOpKind::Ne => Op::NotEqual,
            ast::BinOpKind::Lt => Op::Less,
            ast::BinOpKind::Lte => Op::LessEqual,
            ast::BinOpKind::Gt => Op::Greater,
            ast::BinOpKind::Gte => Op::GreaterEqual,
            ast::BinOpKind::ScAnd => Op::And,
            ast::BinOpKind::ScOr => Op::Or,
            ast::BinOpKind::Add => Op::Add,
            ast::BinOpKind::Sub => Op::Subtract,
            ast::BinOpKind::Mul => Op::Multiply,
            ast::BinOpKind::Div => Op::Divide,
            ast::BinOpKind::Rem => Op::Remainder,
            ast::BinOpKind::In => Op::In,
            ast::BinOpKind::Concat => return TermKind::Concat(Box::new(left), Box::new(right)),
            ast::BinOpKind::FloorDiv | ast::BinOpKind::Pow => {
                self.fault(
                    FaultKind::Unsupported,
                    span.clone(),
                    "templates have no `//` and no `**`",
                    "compute it in the workflow and give it as data",
                );
                return TermKind::Const(Value::None);
            }
        };
        TermKind::Binary(op, Box::new(left), Box::new(right))
    }

    fn filter(&mut self, filter: &ast::Filter<'_>, span: &mut Range<usize>) -> TermKind {
        let place = span.start..span.start + filter.name.len();
        let base = filter.expr.as_ref().map(|base| self.term(base));
        let args = self.args(&filter.args);
        let Some(base) = base else {
            return TermKind::Const(Value::None);
        };
        span.start = base.span.start;
        let Some(known) = Filter::from_word(filter.name) else {
            let words = Filter::ALL.iter().map(|filter| filter.word());
            self.unknown("filter", filter.name, place, words.collect());
            return base.kind;
        };
        self.arity(known.word(), args.len(), known.arity(), place);
        TermKind::Filter(Box::new(base), known, args)
    }

    fn test(&mut self, test: &ast::Test<'_>, span: &mut Range<usize>) -> TermKind {
        let place = span.start..span.start + test.name.len();
        let base = self.term(&test.expr);
        let args = self.args(&test.args);
        span.start = base.span.start;
        let Some(known) = Test::from_word(test.name) else {
            let words = Test::ALL.iter().map(|test| test.word());
            self.unknown("test", test.name, place, words.collect());
            return TermKind::Const(Value::Bool(true));
        };
        self.arity(known.word(), args.len(), known.arity(), place);
        TermKind::Test(Box::new(base), known, args)
    }

    fn args(&mut self, args: &[ast::CallArg<'_>]) -> Vec<Term> {
        let mut terms = Vec::new();
        for arg in args {
            match arg {
                ast::CallArg::Pos(expr) => terms.push(self.term(expr)),
                ast::CallArg::Kwarg(_, expr)
                | ast::CallArg::PosSplat(expr)
                | ast::CallArg::KwargSplat(expr) => {
                    self.fault(
                        FaultKind::Unsupported,
                        range(expr.span()),
                        "arguments of filters have no names here",
                        "give the values in order",
                    );
                    terms.push(self.term(expr));
                }
            }
        }
        terms
    }

    fn unknown(&mut self, sort: &str, word: &str, span: Range<usize>, candidates: Vec<&str>) {
        let mut fault = TemplateFault::new(
            FaultKind::UnknownFilter,
            span,
            format!("there is no {sort} `{word}`"),
        )
        .help(format!("the {sort}s are {}", candidates.join(", ")));
        fault.candidates = candidates.into_iter().map(str::to_owned).collect();
        self.faults.push(fault);
    }

    fn arity(
        &mut self,
        word: &str,
        found: usize,
        (least, most): (usize, usize),
        span: Range<usize>,
    ) {
        if (least..=most).contains(&found) {
            return;
        }
        let wanted = match (least, most) {
            (0, 0) => "no argument".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (least, most) if least == most => format!("{most} arguments"),
            (_, 1) => "at most one argument".to_owned(),
            (least, most) => format!("{least} to {most} arguments"),
        };
        let message = format!("`{word}` takes {wanted}, found {found}");
        self.faults
            .push(TemplateFault::new(FaultKind::Type, span, message));
    }
}

fn unsupported(expr: &ast::Expr<'_>) -> (&'static str, &'static str) {
    match expr {
        ast::Expr::Call(_) => (
            "templates call nothing",
            "use a filter, or compute it in the workflow and give it as data",
        ),
        ast::Expr::Slice(_) => (
            "templates have no slices",
            "use `take` in the workflow and give the result as data",
        ),
        _ => (
            "templates have no tuples and no maps of their own",
            "give them as data",
        ),
    }
}
