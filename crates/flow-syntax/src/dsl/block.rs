//! Blocks: one statement after the other.

use super::grammar::{Failure, Pair, Read, Rule, parts};
use super::lex::{self, DEPTH_MAX};
use super::recover::Mode;
use super::{Reader, habits};
use crate::ast::{
    BinaryOp, Block, Expr, ExprKind, Form, Governed, Name, Stmt, Value, Yield, YieldWord,
};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::span::Span;

/// How many blocks, `else` and fallbacks may hang on one another.
const CHAIN_MAX: usize = 2 * DEPTH_MAX;

/// Where a value stands; it says what may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// In a block.
    Statement,
    /// Behind `=>`.
    Arm,
}

/// A block that is being read.
struct Body {
    block: Block,
    /// Whether something stood behind the `yield`, and was reported.
    is_late: bool,
}

/// What stands before a value.
#[derive(Default)]
struct Head {
    word: Option<(YieldWord, Span)>,
    name: Option<Name>,
    ty: Option<Box<crate::ast::TypeExpr>>,
}

impl Reader<'_> {
    /// Reads `{ … }`.
    pub(super) fn block(&mut self, depth: usize) -> Block {
        let open = self.at;
        if depth > CHAIN_MAX {
            return self.skip_block();
        }
        self.at += 1;
        let block = Block {
            stmts: Vec::new(),
            result: None,
            span: self.place(open, open),
        };
        let mut body = Body {
            block,
            is_late: false,
        };
        while self.goes_on(open, Mode::Block) {
            self.statement(&mut body, depth);
        }
        body.block.span = self.place(open, self.at);
        body.block
    }

    /// Goes behind a block that is too deep inside of others to be read.
    fn skip_block(&mut self) -> Block {
        let open = self.at;
        // Brackets alone were refused at less.
        if !self.scan.is_too_deep(open) {
            let diagnostic = self.fault(lex::Fault::TooDeep, open, open + 1);
            self.report(diagnostic);
        }
        self.skip_braces();
        Block {
            stmts: Vec::new(),
            result: None,
            span: self.place(open, self.at),
        }
    }

    /// Goes to what is next inside braces. At their end it takes the `}` and
    /// answers no.
    pub(super) fn goes_on(&mut self, open: usize, mode: Mode) -> bool {
        loop {
            self.skip_blanks();
            if !self.pass_barrier(mode) {
                break;
            }
        }
        if self.peek() == Some(b'}') {
            let bytes = self.text.as_bytes();
            if lex::begins_line(bytes, self.at)
                && self.indentation(self.at) < self.indentation(open)
            {
                self.suspect.get_or_insert(open);
            }
            self.at += 1;
            return false;
        }
        if self.peek().is_none() || self.item_begins(self.at) {
            self.unclosed(open);
            return false;
        }
        true
    }

    fn unclosed(&mut self, open: usize) {
        // One brace that is missing leaves all blocks around it open.
        if self.unclosed_at.replace(self.at) == Some(self.at) {
            return;
        }
        let open = self.suspect.take().unwrap_or(open);
        let span = self.place(open, open + 1);
        let here = self.place(self.at, self.at);
        let mut diagnostic = Diagnostic::new(codes::UNCLOSED, span, "this `{` is never closed")
            .help("write the `}` that ends this block");
        if here != span {
            diagnostic = diagnostic.other(here, "the block is still open here");
        }
        self.report(diagnostic);
    }

    fn statement(&mut self, body: &mut Body, depth: usize) {
        let start = self.at;
        let (docs, first) = self.docs(start);
        let whole = self.place(first, start);
        let piece = match self.run(Rule::statement, start) {
            Ok(read) => read,
            Err(failure) => {
                let name = self.bound_name(start);
                let value = self.broken(start, &failure, depth, Mode::Block);
                let span = whole.to(value.span());
                let stmt = Stmt {
                    name,
                    ty: None,
                    value,
                    docs,
                    span,
                };
                body.block.stmts.push(stmt);
                return;
            }
        };
        let mut head = Head::default();
        let mut value = Value::Error(whole);
        for part in parts(piece.whole()) {
            let rule = part.as_rule();
            if rule == Rule::yield_word {
                head.word = Some((yield_word(&part), self.span(&part)));
            } else if rule == Rule::binding {
                let mut inner = parts(part);
                let name = inner.next().expect("a binding has a name");
                head.name = Some(self.name(&name));
                head.ty = inner.next().map(|ty| Box::new(self.ty(ty, 0)));
            } else {
                value = self.ahead(part, Seat::Statement, depth);
            }
        }
        let span = whole.to(value.span());
        if body.block.result.is_some() || (head.word.is_some() && body.is_late) {
            self.late(body, span);
        }
        if let Some((mut keyword, at)) = head.word {
            if keyword == YieldWord::Return && depth > 1 {
                self.early_return(at);
                // It is said; the tree has what was meant.
                keyword = YieldWord::Yield;
            }
            let result = Yield {
                keyword,
                span: at.to(value.span()),
                value,
            };
            body.block.result.get_or_insert(result);
            return;
        }
        if head.name.is_none() {
            value = self.bare(value, start, depth);
        }
        let stmt = Stmt {
            name: head.name,
            ty: head.ty,
            value,
            docs,
            span,
        };
        body.block.stmts.push(stmt);
    }

    /// Refuses a `return` inside a block of a workflow.
    fn early_return(&mut self, at: Span) {
        let message = "`return` ends a workflow, and stands at its end only";
        let diagnostic = Diagnostic::new(codes::EARLY_RETURN, at, message)
            .help("a block gives its value with `yield`; what should not run stands in an `if`")
            .fix(Certainty::Likely, "write `yield`", at, "yield");
        self.report(diagnostic);
    }

    /// Says that something stands behind the value of its block.
    fn late(&mut self, body: &mut Body, span: Span) {
        let Some(result) = body.block.result.as_ref().filter(|_| !body.is_late) else {
            return;
        };
        let word = match result.keyword {
            YieldWord::Yield => "yield",
            YieldWord::Return => "return",
        };
        let message = format!("nothing may follow `{word}`");
        let diagnostic = Diagnostic::new(codes::YIELD_NOT_LAST, span, message)
            .other(result.span, "the block's value is given here")
            .help(format!(
                "`{word}` is the last line of its block, once; to leave something out, put it into an `if`"
            ));
        body.is_late = true;
        self.report(diagnostic);
    }

    /// Sees to it that a statement without a name is a call or a region.
    fn bare(&mut self, value: Value, start: usize, depth: usize) -> Value {
        let Value::Expr(governed) = &value else {
            return value;
        };
        if matches!(governed.expr.kind, ExprKind::Call(_) | ExprKind::Error) {
            return value;
        }
        let span = governed.span;
        let diagnostic = self.useless(&governed.expr, start);
        // `let x = 1` is a binding behind a word too many.
        let goes_on = diagnostic.code == codes::FOREIGN_BINDING;
        self.report(diagnostic);
        self.skip_blanks();
        let is_over = self.peek() == Some(b'}') || lex::begins_line(self.text.as_bytes(), self.at);
        if !goes_on && !is_over {
            self.resume(start, self.at, depth, Mode::Block);
        }
        Value::Error(span)
    }

    fn useless(&mut self, expr: &Expr, start: usize) -> Diagnostic {
        if let ExprKind::Binary(binary) = &expr.kind
            && binary.op == BinaryOp::Equal
        {
            let message = "`==` compares; a name is bound with `=`";
            return Diagnostic::new(codes::EQUALS, binary.op_span, message).fix(
                Certainty::Likely,
                "write `=`",
                binary.op_span,
                "=",
            );
        }
        let mut message = "this value is not used".to_owned();
        if let ExprKind::Name(name) = &expr.kind {
            if let Some(diagnostic) = habits::lonely_word(self, start) {
                return diagnostic;
            }
            message = format!("expected `=` or `(` after `{name}`");
        }
        let diagnostic = Diagnostic::new(codes::USELESS_EXPRESSION, expr.span, message)
            .help("bind it with `name = …`, call it as `name(…)`, or give it as the block's value with `yield`");
        self.skip_blanks();
        if self.peek() != Some(b'}') {
            return diagnostic;
        }
        let before = expr.span.before();
        diagnostic.fix(
            Certainty::Likely,
            "give it as the block's value",
            before,
            "yield ",
        )
    }

    /// Returns the name that a statement binds which can't be read.
    fn bound_name(&self, start: usize) -> Option<Name> {
        let first = lex::next_code(self.text, start);
        let second = lex::next_code(self.text, first.end);
        let binds =
            first.kind == lex::Kind::Word && matches!(second.of(self.text), "=" | ":" | ":=");
        binds.then(|| Name {
            text: first.of(self.text).to_owned(),
            span: self.place(first.start, first.end),
        })
    }

    /// Reads the value that a piece ends with or announces.
    pub(super) fn ahead(&mut self, part: Pair<'_>, seat: Seat, depth: usize) -> Value {
        if part.as_rule() == Rule::region_ahead {
            self.at = part.start();
            self.region(seat, depth)
        } else {
            self.governed(part, seat, depth)
        }
    }

    /// Reads an expression with its clauses, and then its fallback.
    fn governed(&mut self, pair: Pair<'_>, seat: Seat, depth: usize) -> Value {
        self.at = pair.end();
        let mut inner = pair.into_inner();
        let expr = inner.next().expect("there is an expression before clauses");
        let expr: Expr = self.expr(expr, 0);
        let clauses: Vec<_> = inner.map(|clause| self.clause(clause)).collect();
        let mut span = clauses
            .last()
            .map_or(expr.span, |last| expr.span.to(last.span));
        let fallback = self.fallback(seat, depth);
        if let Some(fallback) = &fallback {
            span = span.to(fallback.span());
        }
        Value::Expr(Box::new(Governed {
            expr,
            clauses,
            fallback,
            form: Form::Open,
            span,
        }))
    }

    /// Reads `else …` behind a call.
    pub(super) fn fallback(&mut self, seat: Seat, depth: usize) -> Option<Value> {
        self.skip_blanks();
        if self.peek_word() != "else" {
            return None;
        }
        if depth > CHAIN_MAX {
            return Some(self.too_long(depth));
        }
        self.at += "else".len();
        self.skip_blanks();
        Some(self.value(seat, depth + 1))
    }

    /// Reports a chain without an end and goes on behind it.
    pub(super) fn too_long(&mut self, depth: usize) -> Value {
        let start = self.at;
        let span = self.place(start, start + "else".len());
        let message = format!("more than {CHAIN_MAX} `else` hang on one another");
        let diagnostic = Diagnostic::new(codes::TOO_DEEP, span, message)
            .help("a `match`, or a workflow of its own, says it more plainly");
        self.report(diagnostic);
        self.resume(start, start + 1, depth, Mode::Block);
        Value::Error(span)
    }

    /// Reads a value after `else` or `=>`: a record, a block, a region or an
    /// expression.
    pub(super) fn value(&mut self, seat: Seat, depth: usize) -> Value {
        if self.peek() == Some(b'{') && !self.record_begins() {
            return Value::Block(Box::new(self.block(depth + 1)));
        }
        let (rule, mode) = match seat {
            Seat::Statement => (Rule::value_statement, Mode::Block),
            Seat::Arm => (Rule::arm_value, Mode::Arms),
        };
        self.piece(rule, mode, seat, depth)
    }

    /// Reads an expression where a region could stand.
    pub(super) fn plain_value(&mut self, seat: Seat, depth: usize) -> Value {
        let (rule, mode) = match seat {
            Seat::Statement => (Rule::plain_statement, Mode::Block),
            Seat::Arm => (Rule::arm_plain, Mode::Arms),
        };
        self.piece(rule, mode, seat, depth)
    }

    fn piece(&mut self, rule: Rule, mode: Mode, seat: Seat, depth: usize) -> Value {
        let start = self.at;
        match self.run(rule, start) {
            Ok(read) => match parts(read.whole()).next() {
                Some(part) => self.ahead(part, seat, depth),
                None => Value::Error(self.place(start, start)),
            },
            Err(failure) => self.broken(start, &failure, depth, mode),
        }
    }

    /// Reports what could not be read and goes on behind it.
    pub(super) fn broken(
        &mut self,
        start: usize,
        failure: &Failure,
        depth: usize,
        mode: Mode,
    ) -> Value {
        self.fail(start, failure, depth, mode);
        let end = self.scan.code_end(self.text, self.at).max(start);
        Value::Error(self.place(start, end))
    }

    /// Tells a record from a block: `{}`, `{ ...`, `{ word:`, `{ name,`,
    /// `{ name }`.
    fn record_begins(&self) -> bool {
        let barrier = self.scan.barrier(self.at);
        let last = barrier.map_or(self.text.len(), |barrier| barrier.start);
        Read::fits(Rule::record_ahead, &self.text[..last], self.at)
    }
}

fn yield_word(pair: &Pair<'_>) -> YieldWord {
    if pair.as_str() == "yield" {
        YieldWord::Yield
    } else {
        YieldWord::Return
    }
}
