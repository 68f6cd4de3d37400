//! Stubs: what answers instead of a step, and where.

use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::expr::Expr;
use flow_core::path::PathEnd;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind, Reply};
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::Span;

use super::super::call::Callee;
use super::super::{Checker, generic};
use super::{Called, Stub, StubReply};
use crate::codes;
use crate::declare::twice;

impl Checker<'_> {
    pub(super) fn stub_twice(&mut self, step: &ast::Path, first: Span) {
        let name = ast::Name {
            text: step.text.clone(),
            span: step.span,
        };
        self.report(
            twice("stub of", &name, first)
                .help("join answers by `then`, or say for which call each is by `at \"path\"`"),
        );
    }

    pub(super) fn stub(
        &mut self,
        step: &ast::Path,
        at: Option<&ast::Name>,
        replies: &[Reply],
        span: Span,
    ) -> Option<Stub> {
        let known = self.stubbed(step);
        let gives = known.as_ref().map(|(_, gives)| gives.clone());
        let at = at.and_then(|at| self.place(at));
        let mut read = Vec::new();
        for reply in replies {
            match reply {
                Reply::Value(value) => read.extend(self.reply(value, gives.as_ref(), step)),
                Reply::Fails { class, times, .. } => {
                    let class = self.failure_class(class);
                    let times = match times {
                        Some(times) => self.at_least_one(times),
                        None => Some(1),
                    };
                    if let (Some(class), Some(times)) = (class, times) {
                        read.push(StubReply::Fails(class, times));
                    }
                }
            }
        }
        let (called, gives) = known?;
        Some(Stub {
            called,
            gives,
            at,
            replies: read,
            span,
        })
    }

    /// Returns what a stub stands for, and what that gives.
    fn stubbed(&mut self, step: &ast::Path) -> Option<(Called, Option<Type>)> {
        let name: Arc<str> = step.text.as_str().into();
        match self.callee(&step.text) {
            Callee::Step(signature) => {
                let is_open = generic::is_open(&signature.returns);
                let gives = if is_open {
                    Type::Json
                } else {
                    signature.returns.clone()
                };
                Some((Called::Step(name), Some(gives)))
            }
            Callee::Workflow(id) => {
                let called = Called::Workflow(id, name);
                match self.world.facts.get(id.0).and_then(Option::as_ref) {
                    Some(facts) if facts.broken => None,
                    Some(facts) => Some((called, facts.returns.clone())),
                    None => Some((called, self.world.program.workflows[id.0].returns.clone())),
                }
            }
            Callee::Unknown => {
                self.report_unknown_stub(step);
                None
            }
        }
    }

    /// Checks an answer. What is expected is unknown after an error, and
    /// nothing for a workflow without a value.
    fn reply(
        &mut self,
        value: &ast::Expr,
        gives: Option<&Option<Type>>,
        step: &ast::Path,
    ) -> Option<StubReply> {
        match gives {
            None => {
                self.expr(value, None);
                None
            }
            Some(None) if value.kind == ExprKind::None => {
                Some(StubReply::Value(Expr::Const(Value::None), Type::None))
            }
            Some(None) => {
                let message = format!("`{}` gives nothing", step.text);
                self.report(
                    Self::error(codes::NO_VALUE, value.span, message)
                        .help("write `none` for its answer"),
                );
                None
            }
            Some(Some(ty)) => {
                let what = format!("an answer of `{}`", step.text);
                let check = |checker: &mut Self| checker.expr_for(value, ty, &what, step.span);
                let expr = if *ty == Type::Json {
                    self.open_answer(check)
                } else {
                    check(self)
                };
                Some(StubReply::Value(expr, ty.clone()))
            }
        }
    }

    pub(super) fn report_unknown_stub(&mut self, step: &ast::Path) {
        let name = step.text.as_str();
        let file = self.world.program.file(self.file);
        let steps = self.world.signatures.steps.keys().map(AsRef::as_ref);
        let names = steps.chain(file.workflows.keys().map(String::as_str));
        let near = nearest(name, names).map(str::to_owned);
        let message = format!("there is no step or workflow `{name}`");
        let diagnostic = Self::error(codes::UNKNOWN_STEP, step.span, message);
        self.report(match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                step.span,
                near,
            ),
            None => diagnostic.help("`flow steps` lists all of them"),
        });
    }

    /// Reads the end of a path: `stills[2]/drafts`.
    fn place(&mut self, at: &ast::Name) -> Option<PathEnd> {
        let place = at.text.parse();
        if place.is_err() {
            let message = format!("`{}` is no part of a path", at.text);
            self.report(
                Self::error(codes::BAD_PLACE, at.span, message)
                    .help("a path has names and keys, as in `stills[2]/drafts`"),
            );
        }
        place.ok()
    }

    fn failure_class(&mut self, class: &ast::Name) -> Option<FailureClass> {
        let words = FailureClass::ALL.map(|class| (class.word(), class));
        self.word(class, &words, "a step can fail with")
    }
}
