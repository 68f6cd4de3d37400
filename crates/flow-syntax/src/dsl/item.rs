//! Declarations.

use super::grammar::{Pair, Rule, find, parts};
use super::recover::{ITEMS, Mode};
use super::{Reader, habits, lex};
use crate::ast::{Enum, Item, ItemKind, StepDecl, TypeDef, Use, Workflow};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic, nearest};

impl Reader<'_> {
    /// Reads all declarations of a file.
    pub(super) fn items(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            if self.pass_barrier(Mode::Items) {
                continue;
            }
            if self.peek().is_none() {
                return items;
            }
            let start = self.at;
            let (docs, first) = self.docs(start);
            let kind = self.item();
            let end = self.scan.code_end(self.text, self.at).max(start);
            items.push(Item {
                kind,
                docs,
                span: self.place(first, end),
            });
        }
    }

    fn item(&mut self) -> ItemKind {
        match self.peek_word() {
            "use" => self.whole(Rule::use_item, Self::use_item),
            "enum" => self.whole(Rule::enum_item, Self::enum_item),
            "type" => self.whole(Rule::type_item, Self::type_item),
            "step" => self.whole(Rule::step_item, Self::step_item),
            "trigger" => self.whole(Rule::trigger_item, Self::trigger_item),
            "workflow" => self.whole(Rule::workflow_head, Self::workflow_item),
            "test" => self.whole(Rule::test_head, Self::test_item),
            _ => self.stray(),
        }
    }

    /// Reads one rule, and makes a declaration of it.
    fn whole(&mut self, rule: Rule, make: fn(&mut Self, Pair<'_>) -> ItemKind) -> ItemKind {
        let start = self.at;
        match self.run(rule, start) {
            Ok(read) => {
                let piece = read.whole();
                self.at = piece.end();
                make(self, piece)
            }
            Err(failure) => {
                self.fail(start, &failure, 0, Mode::Items);
                ItemKind::Error
            }
        }
    }

    /// Says what is wrong with something that is no declaration.
    fn stray(&mut self) -> ItemKind {
        let start = self.at;
        let token = lex::next_code(self.text, start);
        let site = habits::Site::of(self.text, start, start);
        let diagnostic = habits::explain(self, &site).unwrap_or_else(|| self.no_item(token));
        self.report(diagnostic);
        self.resume(start, token.end, 0, Mode::Items);
        ItemKind::Error
    }

    fn no_item(&self, token: lex::Token) -> Diagnostic {
        let span = self.place(token.start, token.end);
        let word = token.of(self.text);
        if word == "}" {
            return Diagnostic::new(codes::UNCLOSED, span, "this `}` closes nothing")
                .help("leave it out, or look for the `{` that should stand before it");
        }
        let next = lex::next_code(self.text, token.end);
        let message = format!("expected a declaration, found `{word}`");
        let diagnostic = Diagnostic::new(codes::SYNTAX, span, message);
        if let Some(near) = nearest(word, ITEMS.iter().copied()) {
            let title = format!("write `{near}`");
            return diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                title,
                span,
                near,
            );
        }
        if matches!(next.of(self.text), "=" | "(" | "." | ":") {
            return diagnostic.help("steps stand inside a workflow: `workflow name() { … }`");
        }
        diagnostic
            .help("a file holds `use`, `enum`, `type`, `step`, `workflow`, `trigger` and `test`")
    }

    fn use_item(&mut self, pair: Pair<'_>) -> ItemKind {
        let mut inner = parts(pair).skip(1);
        let path = inner.next().expect("`use` has a path");
        let path = self.plain_text(path);
        let alias = inner.nth(1).map(|name| self.name(&name));
        ItemKind::Use(Use { path, alias })
    }

    fn enum_item(&mut self, pair: Pair<'_>) -> ItemKind {
        let mut inner = parts(pair).skip(1);
        let name = inner.next().expect("an enumeration has a name");
        let name = self.name(&name);
        let variants = inner.map(|variant| self.variant(variant)).collect();
        ItemKind::Enum(Enum { name, variants })
    }

    fn type_item(&mut self, pair: Pair<'_>) -> ItemKind {
        let mut inner = parts(pair).skip(1);
        let name = inner.next().expect("a type has a name");
        let name = self.name(&name);
        let ty = inner.next().expect("a type has a meaning");
        let ty = self.ty(ty, 0);
        ItemKind::Type(TypeDef { name, ty })
    }

    fn step_item(&mut self, pair: Pair<'_>) -> ItemKind {
        let mut inner = parts(pair).skip(1).peekable();
        let path = inner.next().expect("a step has a name");
        let path = self.path(&path);
        let type_param = inner.next_if(|part| part.as_rule() == Rule::type_param);
        let type_param = type_param.and_then(|part| find(part, Rule::name));
        let type_param = type_param.map(|name| self.name(&name));
        let params = inner.next().expect("a step has parameters");
        let params = parts(params).map(|field| self.field(field, 0)).collect();
        let returns = inner.next().expect("a step gives something");
        let returns = self.ty(returns, 0);
        let mut step = StepDecl {
            path,
            type_param,
            params,
            returns,
            effects: Vec::new(),
            cost: None,
            pool: None,
            run: None,
        };
        for part in inner {
            self.step_clause(part, &mut step);
        }
        ItemKind::Step(step)
    }

    fn step_clause(&mut self, pair: Pair<'_>, step: &mut StepDecl) {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut inner = parts(pair).skip(1);
        let is_twice = if rule == Rule::step_effect {
            let effects = inner.map(|effect| self.effect(effect)).collect();
            !std::mem::replace(&mut step.effects, effects).is_empty()
        } else {
            let value = inner.next().expect("a clause has an operand");
            if rule == Rule::step_run {
                let run = self.plain_text(value);
                step.run.replace(run).is_some()
            } else {
                let value = self.expr(value, 0);
                let slot = if rule == Rule::step_cost {
                    &mut step.cost
                } else {
                    &mut step.pool
                };
                slot.replace(value).is_some()
            }
        };
        if is_twice {
            let diagnostic = Diagnostic::new(codes::SAID_TWICE, span, "this is said twice")
                .help("leave one of them out");
            self.report(diagnostic);
        }
    }

    fn workflow_item(&mut self, pair: Pair<'_>) -> ItemKind {
        let mut inner = parts(pair).skip(1).peekable();
        let name = inner.next().expect("a workflow has a name");
        let name = self.name(&name);
        let params = inner.next().expect("a workflow has parameters");
        let params = parts(params).map(|field| self.field(field, 0)).collect();
        let returns = inner.next_if(|part| part.as_rule() == Rule::ty);
        let returns = returns.map(|ty| self.ty(ty, 0));
        let limits = inner.map(|limit| self.clause(limit)).collect();
        let body = self.block(1);
        ItemKind::Workflow(Workflow {
            name,
            params,
            returns,
            limits,
            body,
        })
    }
}
