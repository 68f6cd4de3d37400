//! The forms that hold blocks.

use super::Reader;
use super::block::Seat;
use super::grammar::{Pair, Read, Rule, parts};
use super::lex::DEPTH_MAX;
use super::recover::Mode;
use crate::ast::{
    Arm, Block, Clause, Else, For, If, Match, Parallel, Pattern, PatternKind, Race, Region, Repeat,
    Value,
};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::span::Span;

impl<'a> Reader<'a> {
    /// Reads the region that is next.
    pub(super) fn region(&mut self, seat: Seat, depth: usize) -> Value {
        let region = match self.peek_word() {
            "if" => return self.if_or_choice(seat, depth),
            "match" => self.match_region(depth),
            "for" => self.for_region(depth),
            "repeat" => self.repeat_region(depth),
            "race" => self.race_region(seat, depth),
            _ => self.parallel_region(depth),
        };
        match region {
            Ok(region) => Value::Region(Box::new(region)),
            Err(value) => value,
        }
    }

    /// Reads a head and goes to its `{`.
    fn head(&mut self, rule: Rule, depth: usize) -> Result<Read<'a>, Value> {
        let start = self.at;
        match self.run(rule, start) {
            Ok(head) => {
                self.at = head.whole().end();
                Ok(head)
            }
            Err(failure) => Err(self.broken(start, &failure, depth, Mode::Block)),
        }
    }

    /// Returns the place of a head without the blanks behind it.
    fn head_span(&self, head: Pair<'_>) -> Span {
        let start = head.start();
        self.place(start, start + head.as_str().trim_end().len())
    }

    fn if_or_choice(&mut self, seat: Seat, depth: usize) -> Value {
        let start = self.at;
        let head = match self.head(Rule::if_head, depth) {
            Ok(head) => head,
            Err(value) => return value,
        };
        let mut inner = parts(head.whole()).skip(1);
        let cond = inner.next().expect("`if` has a condition");
        if inner.any(|part| part.as_rule() == Rule::then_ahead) {
            self.at = start;
            return self.plain_value(seat, depth);
        }
        let cond = self.expr(cond, 0);
        let region = self.if_region(start, cond, depth);
        self.stray_fallback(depth);
        Value::Region(Box::new(Region::If(region)))
    }

    fn if_region(&mut self, start: usize, cond: crate::ast::Expr, depth: usize) -> If {
        let then = self.block(depth + 1);
        let mut end = self.at;
        let otherwise = self.otherwise(depth);
        if otherwise.is_some() {
            end = self.at;
        }
        If {
            cond,
            then,
            otherwise,
            span: self.place(start, end),
        }
    }

    fn otherwise(&mut self, depth: usize) -> Option<Else> {
        let before = self.at;
        self.skip_blanks();
        if matches!(self.peek_word(), "elif" | "elsif" | "elseif") {
            return self.else_if_misspelt(depth);
        }
        if self.peek_word() != "else" {
            self.at = before;
            return None;
        }
        if depth > 2 * DEPTH_MAX {
            self.too_long(depth);
            return None;
        }
        let start = self.at;
        self.at += "else".len();
        self.skip_blanks();
        if self.peek() == Some(b'{') {
            return Some(Else::Block(self.block(depth + 1)));
        }
        if self.peek_word() == "if" {
            return self.else_if(depth);
        }
        // `else` and a value: said where the region ends.
        self.at = start;
        None
    }

    fn else_if(&mut self, depth: usize) -> Option<Else> {
        let start = self.at;
        let head = self.head(Rule::if_head, depth).ok()?;
        let cond = parts(head.whole()).nth(1).expect("`if` has a condition");
        let cond = self.expr(cond, 0);
        if self.peek() != Some(b'{') {
            self.at = start;
            self.resume(start, start + 1, depth, Mode::Block);
            return None;
        }
        let region = self.if_region(start, cond, depth + 1);
        Some(Else::If(Box::new(region)))
    }

    fn else_if_misspelt(&mut self, depth: usize) -> Option<Else> {
        let word = self.peek_word();
        let span = self.place(self.at, self.at + word.len());
        let diagnostic = Diagnostic::new(
            codes::FOREIGN_WORD,
            span,
            format!("`{word}` is written `else if` here"),
        )
        .fix(Certainty::Certain, "write `else if`", span, "else if");
        self.report(diagnostic);
        // What follows reads like the `if` of an `else if`, but for its word.
        let start = self.at;
        self.resume(start, start + 1, depth, Mode::Block);
        None
    }

    /// Refuses `else` and a value behind the `}` of a region.
    fn stray_fallback(&mut self, depth: usize) {
        let before = self.at;
        self.skip_blanks();
        if self.peek_word() != "else" {
            self.at = before;
            return;
        }
        let start = self.at;
        let span = self.place(start, start + "else".len());
        let message = "`else` after `}` belongs to `if` and takes a block";
        let diagnostic = Diagnostic::new(codes::MISPLACED_ELSE, span, message)
            .help("write `else { … }` or `else if … { … }` behind an `if`")
            .help("`else` with a value stands behind a call, or behind `race { … }`, and answers its failure");
        self.report(diagnostic);
        self.resume(start, start + "else".len(), depth, Mode::Block);
    }

    fn match_region(&mut self, depth: usize) -> Result<Region, Value> {
        let start = self.at;
        let head = self.head(Rule::match_head, depth)?;
        let subject = parts(head.whole()).nth(1).expect("`match` has a value");
        let subject = self.expr(subject, 0);
        let open = self.at;
        self.at += 1;
        let mut arms = Vec::new();
        while self.goes_on(open, Mode::Arms) {
            if self.peek() == Some(b',') && !arms.is_empty() {
                self.at += 1;
                continue;
            }
            arms.extend(self.arm(depth + 1));
        }
        let span = self.place(start, self.at);
        self.stray_fallback(depth);
        Ok(Region::Match(Match {
            subject,
            arms,
            span,
        }))
    }

    fn arm(&mut self, depth: usize) -> Option<Arm> {
        let start = self.at;
        let patterns = match self.run(Rule::patterns, start) {
            Ok(read) => {
                let piece = read.whole();
                self.at = piece.end();
                parts(piece).map(|pattern| self.pattern(pattern)).collect()
            }
            Err(failure) => {
                self.fail(start, &failure, depth, Mode::Arms);
                return None;
            }
        };
        self.skip_blanks();
        let value = self.value(Seat::Arm, depth);
        let span = self.place(start, start).to(value.span());
        Some(Arm {
            patterns,
            value,
            span,
        })
    }

    /// Reads a pattern.
    pub(super) fn pattern(&mut self, pair: Pair<'_>) -> Pattern {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let kind = if rule == Rule::pattern_some {
            let name = parts(pair).nth(1).expect("`some` has a name");
            PatternKind::Some(self.name(&name))
        } else if rule == Rule::kw_none {
            PatternKind::None
        } else if rule == Rule::pattern_any {
            PatternKind::Any
        } else if rule == Rule::path {
            PatternKind::Name(self.path(&pair))
        } else {
            let literal = parts(pair).next().expect("a literal is not empty");
            PatternKind::Literal(self.literal(literal))
        };
        Pattern { kind, span }
    }

    fn limits<'p>(&mut self, inner: impl Iterator<Item = Pair<'p>>) -> Vec<Clause> {
        inner
            .filter(|part| matches!(part.as_rule(), Rule::budget | Rule::within))
            .map(|part| self.clause(part))
            .collect()
    }

    fn for_region(&mut self, depth: usize) -> Result<Region, Value> {
        let start = self.at;
        let head = self.head(Rule::for_head, depth)?;
        let head_span = self.head_span(head.whole());
        let mut inner = parts(head.whole()).skip(1);
        let var = inner.next().expect("`for` has a name");
        let list = inner.nth(1).expect("`for` has a list");
        let mut region = For {
            var: self.name(&var),
            list: self.expr(list, 0),
            by: None,
            max: None,
            parallel: None,
            keep_ok: None,
            limits: Vec::new(),
            body: empty_block(head_span),
            head: head_span,
            span: head_span,
        };
        for part in inner {
            let span = self.span(&part);
            let rule = part.as_rule();
            if rule == Rule::for_keep {
                self.once(region.keep_ok.is_some(), "keep ok", span);
                region.keep_ok = Some(span);
            } else if matches!(rule, Rule::budget | Rule::within) {
                let clause = self.clause(part);
                region.limits.push(clause);
            } else {
                let value = parts(part).nth(1).expect("a setting has a value");
                let value = self.expr(value, 0);
                let (slot, word) = if rule == Rule::for_by {
                    (&mut region.by, "by")
                } else if rule == Rule::for_max {
                    (&mut region.max, "max")
                } else {
                    (&mut region.parallel, "parallel")
                };
                let twice = slot.replace(value).is_some();
                self.once(twice, word, span);
            }
        }
        region.body = self.block(depth + 1);
        region.span = self.place(start, self.at);
        self.stray_fallback(depth);
        Ok(Region::For(region))
    }

    fn once(&mut self, is_twice: bool, word: &str, span: Span) {
        if is_twice {
            let message = format!("`{word}` is said twice");
            let diagnostic =
                Diagnostic::new(codes::SAID_TWICE, span, message).help("leave one of them out");
            self.report(diagnostic);
        }
    }

    fn repeat_region(&mut self, depth: usize) -> Result<Region, Value> {
        let start = self.at;
        let head = self.head(Rule::repeat_head, depth)?;
        let head_span = self.head_span(head.whole());
        let mut inner = parts(head.whole()).skip(1).peekable();
        let state = inner.next().expect("`repeat` has a state");
        let state = self.name(&state);
        let ty = inner.next_if(|part| part.as_rule() == Rule::ty);
        let ty = ty.map(|ty| self.ty(ty, 0));
        let from = inner.next().expect("`repeat` has a first state");
        let from = self.expr(from, 0);
        let max = inner.nth(1).expect("`repeat` has a bound");
        let max = self.expr(max, 0);
        let until = inner.next_if(|part| part.as_rule() == Rule::until);
        let until = until.and_then(|until| parts(until).nth(1));
        let until = until.map(|until| self.expr(until, 0));
        let limits = self.limits(inner);
        let body = self.block(depth + 1);
        let span = self.place(start, self.at);
        self.stray_fallback(depth);
        let region = Repeat {
            state,
            ty,
            from,
            max,
            until,
            limits,
            body,
            head: head_span,
            span,
        };
        Ok(Region::Repeat(region))
    }

    fn race_region(&mut self, seat: Seat, depth: usize) -> Result<Region, Value> {
        let start = self.at;
        let head = self.head(Rule::race_head, depth)?;
        let limits = self.limits(parts(head.whole()));
        let body = self.block(depth + 1);
        let mut span = self.place(start, self.at);
        let fallback = self.fallback(seat, depth);
        if let Some(fallback) = &fallback {
            span = span.to(fallback.span());
        }
        Ok(Region::Race(Race {
            limits,
            body,
            fallback,
            span,
        }))
    }

    fn parallel_region(&mut self, depth: usize) -> Result<Region, Value> {
        let start = self.at;
        let head = self.head(Rule::parallel_head, depth)?;
        let limits = self.limits(parts(head.whole()));
        let body = self.block(depth + 1);
        let span = self.place(start, self.at);
        self.stray_fallback(depth);
        Ok(Region::Parallel(Parallel { limits, body, span }))
    }
}

fn empty_block(span: Span) -> Block {
    Block {
        stmts: Vec::new(),
        result: None,
        span,
    }
}
