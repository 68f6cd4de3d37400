//! What governs a call, and what limits a region.

use flow_core::amount::Duration;
use flow_core::effect::{Effect, FailureClass};
use flow_core::expr::Expr;
use flow_core::plan::{Budget, Cache, Exhausted, Limits, OnLost, Period, Policies, Retry};
use flow_core::ty::{Bounds, Type};
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::Span;

use super::Checker;
use crate::codes;

/// The clauses of a call, read.
#[derive(Debug, Default)]
pub(crate) struct Governing {
    pub(crate) policies: Policies,
    /// `pool gpu`
    pub(crate) pool: Option<Expr>,
    /// `assume $0.05`
    pub(crate) assume: Option<(Expr, Span)>,
    /// `effect pure`
    pub(crate) effect: Option<(Effect, Span)>,
}

impl Checker<'_> {
    /// Reads the clauses in a head: limits only.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a head takes limits only")]
    pub(crate) fn limits(&mut self, clauses: &[ast::Clause]) -> Limits {
        let mut limits = Limits::default();
        self.forbid_twice(clauses);
        for clause in clauses {
            match &clause.kind {
                ast::ClauseKind::Budget { amount, per, or } => {
                    self.budget_at(clause.span);
                    limits.budget = self.budget(amount, per.as_ref(), or.as_ref());
                }
                ast::ClauseKind::Within(time) => limits.within = Some(self.duration(time)),
                other => {
                    let diagnostic = Self::error(
                        codes::CLAUSE,
                        clause.span,
                        format!("`{}` belongs to a call", other.keyword()),
                    )
                    .help("a head takes `budget` and `within`; write this one behind a call's `)`");
                    self.report(diagnostic);
                }
            }
        }
        limits
    }

    /// Reads the clauses behind a call of something with an effect.
    pub(crate) fn governing(&mut self, clauses: &[ast::Clause]) -> Governing {
        let mut read = Governing::default();
        self.forbid_twice(clauses);
        for clause in clauses {
            match &clause.kind {
                ast::ClauseKind::Budget { amount, per, or } => {
                    self.budget_at(clause.span);
                    read.policies.limits.budget = self.budget(amount, per.as_ref(), or.as_ref());
                }
                ast::ClauseKind::Within(time) => {
                    read.policies.limits.within = Some(self.duration(time));
                }
                ast::ClauseKind::Timeout(time) => {
                    read.policies.timeout = Some(self.duration(time));
                }
                ast::ClauseKind::Retry {
                    attempts,
                    backoff,
                    on,
                } => read.policies.retry = Some(self.retry(attempts, backoff.as_ref(), on)),
                ast::ClauseKind::Cache(cache) => {
                    read.policies.cache = Some(match cache {
                        ast::Cache::On => Cache::On,
                        ast::Cache::Off => Cache::Off,
                        ast::Cache::For(time) => Cache::For(self.duration(time)),
                    });
                }
                ast::ClauseKind::Label(label) => {
                    let typed = self.expr(label, Some(&Type::text()));
                    let expr = self.coerce(typed, &Type::text(), label.span);
                    read.policies.label = Some(expr);
                }
                ast::ClauseKind::OnLost(word) => read.policies.on_lost = self.on_lost(word),
                ast::ClauseKind::Pool(pool) => {
                    read.pool = Some(Expr::Const(Value::text(pool.text.as_str())));
                }
                ast::ClauseKind::After(names) => self.after(names),
                ast::ClauseKind::Assume(amount) => {
                    let amount_expr = self.money(amount);
                    read.assume = Some((amount_expr, clause.span));
                }
                ast::ClauseKind::Effect(effect) => {
                    read.effect = crate::declare::effect(effect, &mut self.out)
                        .map(|found| (found, clause.span));
                }
            }
        }
        read
    }

    fn forbid_twice(&mut self, clauses: &[ast::Clause]) {
        for (at, clause) in clauses.iter().enumerate() {
            let word = clause.kind.keyword();
            let first = clauses[..at]
                .iter()
                .find(|other| other.kind.keyword() == word);
            if let Some(first) = first {
                self.report(
                    Self::error(
                        codes::CLAUSE,
                        clause.span,
                        format!("`{word}` is said twice"),
                    )
                    .other(first.span, "said here first")
                    .help("keep one of them"),
                );
            }
        }
    }

    /// Reports clauses and a fallback behind something that is no call.
    pub(crate) fn forbid_policies(&mut self, governed: &ast::Governed) {
        if matches!(governed.expr.kind, ast::ExprKind::Error) {
            return;
        }
        // A call that is no step's: the expression says what is wrong with it.
        let library = if let ast::ExprKind::Call(call) = &governed.expr.kind {
            let known = flow_core::expr::Function::from_name(&call.path.text).is_some()
                || matches!(call.path.text.as_str(), "template" | "file" | "secret");
            if !known {
                return;
            }
            true
        } else {
            false
        };
        let what = if library {
            "a library function"
        } else {
            "a value"
        };
        if let Some(clause) = governed.clauses.first() {
            self.report(
                Self::error(
                    codes::CLAUSE,
                    clause.span,
                    format!("`{}` governs a call of a step", clause.kind.keyword()),
                )
                .label(format!("this stands behind {what}"))
                .help("a value needs no policies: it is computed where it is used"),
            );
        } else if let Some(fallback) = &governed.fallback {
            self.report(
                Self::error(
                    codes::CLAUSE,
                    fallback.span(),
                    format!("{what} can't have a fallback"),
                )
                .help(
                    "`else` is for calls that fail; for a value that may be missing there is `??`",
                ),
            );
        }
    }

    fn budget(
        &mut self,
        amount: &ast::Expr,
        per: Option<&ast::Name>,
        or: Option<&ast::Name>,
    ) -> Option<Budget> {
        let amount = self.money(amount);
        let per = match per {
            None => None,
            Some(word) => Some(self.word(
                word,
                &[
                    ("day", Period::Day),
                    ("week", Period::Week),
                    ("month", Period::Month),
                ],
                "a budget is per",
            )?),
        };
        let or = match or {
            None => Exhausted::Stop,
            Some(word) => self.word(
                word,
                &[("stop", Exhausted::Stop), ("ask", Exhausted::Ask)],
                "when a budget is used up, a run may",
            )?,
        };
        Some(Budget { amount, per, or })
    }

    fn on_lost(&mut self, word: &ast::Name) -> Option<OnLost> {
        let words = [
            ("again", OnLost::Again),
            ("ask", OnLost::Ask),
            ("fail", OnLost::Fail),
        ];
        self.word(word, &words, "a lost call may be made")
    }

    /// Reads a word out of a few.
    pub(crate) fn word<T: Clone>(
        &mut self,
        word: &ast::Name,
        words: &[(&'static str, T)],
        about: &str,
    ) -> Option<T> {
        let found = words.iter().find(|(name, _)| *name == word.text);
        if let Some((_, value)) = found {
            return Some(value.clone());
        }
        let names = || words.iter().map(|(name, _)| *name);
        let list: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        let mut diagnostic = Self::error(
            codes::UNKNOWN_WORD,
            word.span,
            format!("`{}` means nothing here", word.text),
        )
        .help(format!("{about} {}", list.join(", ")));
        if let Some(near) = nearest(&word.text, names()) {
            diagnostic = diagnostic.fix(
                Certainty::Likely,
                format!("write `{near}`"),
                word.span,
                near,
            );
        }
        self.report(diagnostic);
        None
    }

    fn retry(
        &mut self,
        attempts: &ast::Expr,
        backoff: Option<&(ast::Literal, ast::Literal)>,
        on: &[ast::Name],
    ) -> Retry {
        let (attempts, most) = self.count(attempts);
        let backoff = backoff.and_then(|(first, last)| {
            let (from, to) = (self.pause(first)?, self.pause(last)?);
            if from > to || from.0 <= 0 {
                let span = first.span.to(last.span);
                self.report(
                    Self::error(codes::RANGE, span, "the pauses don't grow")
                        .help("write the first and the longest one: `backoff 1s..30s`"),
                );
                return None;
            }
            Some((from, to))
        });
        Retry {
            attempts,
            attempts_max: most.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
            backoff,
            on: self.classes(on),
        }
    }

    fn classes(&mut self, words: &[ast::Name]) -> Vec<FailureClass> {
        let mut classes = Vec::new();
        for word in words {
            match FailureClass::from_word(&word.text) {
                Some(FailureClass::UnknownOutcome) => self.report(
                    Self::error(
                        codes::RETRY,
                        word.span,
                        "an unknown outcome is never tried again by itself",
                    )
                    .help("it may have happened already; `flow effects resolve` says what did"),
                ),
                Some(class) if classes.contains(&class) => {}
                Some(class) => classes.push(class),
                None => {
                    let words: Vec<(&'static str, ())> = FailureClass::ALL
                        .into_iter()
                        .filter(|class| *class != FailureClass::UnknownOutcome)
                        .map(|class| (class.word(), ()))
                        .collect();
                    let _: Option<()> = self.word(word, &words, "the classes of failures are");
                }
            }
        }
        classes
    }

    fn pause(&mut self, literal: &ast::Literal) -> Option<Duration> {
        let ty = Type::Duration(Bounds::default());
        let Value::Duration(duration) = self.literal(literal, Some(&ty))?.0 else {
            return None;
        };
        Some(duration)
    }

    fn after(&mut self, names: &[ast::Name]) {
        for name in names {
            let Some(found) = self.scopes.find(&name.text) else {
                self.report_unknown_before(name);
                continue;
            };
            match found.edge {
                Some((from, to)) => self.body.edge(from, to, flow_core::plan::Edge::After),
                None => self.report(
                    Self::error(
                        codes::AFTER,
                        name.span,
                        format!("`{}` is no step to wait for", name.text),
                    )
                    .help("`after` takes names that are bound by steps or regions"),
                ),
            }
        }
    }

    fn report_unknown_before(&mut self, name: &ast::Name) {
        let names = self.scopes.names();
        let near = nearest(&name.text, names.iter().map(String::as_str));
        let near = near.map(str::to_owned);
        let mut diagnostic = Self::error(
            codes::UNKNOWN_NAME,
            name.span,
            format!("nothing is called `{}` here", name.text),
        );
        diagnostic = match near {
            Some(near) => diagnostic.fix(
                Certainty::Likely,
                format!("write `{near}`"),
                name.span,
                near,
            ),
            None => {
                diagnostic.help("`after` takes names that are bound in this block or around it")
            }
        };
        self.report(diagnostic);
    }

    fn money(&mut self, tree: &ast::Expr) -> Expr {
        let ty = Type::Money(Bounds::default());
        let typed = self.expr(tree, Some(&ty));
        self.coerce(typed, &ty, tree.span)
    }

    fn duration(&mut self, tree: &ast::Expr) -> Expr {
        let ty = Type::Duration(Bounds::default());
        let typed = self.expr(tree, Some(&ty));
        let expr = self.coerce(typed, &ty, tree.span);
        if let Expr::Const(Value::Duration(time)) = &expr
            && time.0 <= 0
        {
            self.report(
                Self::error(codes::RANGE, tree.span, "this is no time at all")
                    .help("write a longer one, such as `30s`"),
            );
        }
        expr
    }
}
