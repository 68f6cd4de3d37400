//! Tests of workflows.

use super::Reader;
use super::grammar::{Pair, Rule, parts};
use super::recover::Mode;
use crate::ast::{ItemKind, Reply, Test, TestStmt, TestStmtKind, Value};

impl Reader<'_> {
    /// Reads a test, whose head was read.
    pub(super) fn test_item(&mut self, pair: Pair<'_>) -> ItemKind {
        let name = parts(pair).nth(1).expect("a test has a name");
        let name = self.plain_text(name);
        let open = self.at;
        self.at += 1;
        let mut stmts = Vec::new();
        while self.goes_on(open, Mode::Test) {
            stmts.push(self.test_statement());
        }
        ItemKind::Test(Test { name, stmts })
    }

    fn test_statement(&mut self) -> TestStmt {
        let start = self.at;
        match self.run(Rule::test_statement, start) {
            Ok(read) => {
                let piece = read.whole();
                self.at = piece.end();
                let inner = parts(piece).next().expect("a statement is not empty");
                let span = self.span(&inner);
                let rule = inner.as_rule();
                let inner = parts(inner);
                let kind = if rule == Rule::stub {
                    self.stub(inner)
                } else if rule == Rule::expect {
                    let claim = inner.last().expect("`expect` has a claim");
                    TestStmtKind::Expect(self.expr(claim, 0))
                } else {
                    self.test_run(inner)
                };
                TestStmt { kind, span }
            }
            Err(failure) => {
                let broken = self.broken(start, &failure, 1, Mode::Test);
                let span = Value::span(&broken);
                TestStmt {
                    kind: TestStmtKind::Error,
                    span,
                }
            }
        }
    }

    fn stub<'p>(&mut self, inner: impl Iterator<Item = Pair<'p>>) -> TestStmtKind {
        let mut inner = inner.skip(1).peekable();
        let step = inner.next().expect("`stub` has a step");
        let step = self.path(&step);
        let is_narrow = inner
            .next_if(|part| part.as_rule() == Rule::kw_at)
            .is_some();
        let at = if is_narrow { inner.next() } else { None };
        let at = at.map(|at| self.plain_text(at));
        let replies = inner
            .filter(|part| part.as_rule() != Rule::kw_then)
            .map(|part| self.reply(part))
            .collect();
        TestStmtKind::Stub { step, at, replies }
    }

    fn reply(&mut self, pair: Pair<'_>) -> Reply {
        if pair.as_rule() != Rule::fails {
            return Reply::Value(self.expr(pair, 0));
        }
        let span = self.span(&pair);
        let mut inner = parts(pair).skip(1);
        let class = inner.next().expect("`fails` has a class");
        Reply::Fails {
            class: self.name(&class),
            times: inner.nth(1).map(|times| self.literal(times)),
            span,
        }
    }

    fn test_run<'p>(&mut self, inner: impl Iterator<Item = Pair<'p>>) -> TestStmtKind {
        let mut inner = inner.peekable();
        let name = inner.next_if(|part| part.as_rule() == Rule::name);
        let name = name.map(|name| self.name(&name));
        let call = inner.nth(1).expect("`run` has a call");
        TestStmtKind::Run {
            name,
            call: self.expr(call, 0),
        }
    }
}
