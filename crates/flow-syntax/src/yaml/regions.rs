//! Blocks and the forms that hold them.

use super::fields::Fields;
use super::foreign;
use super::items::{Naming, kind_of};
use super::keys::{BODY, BRANCH, IF};
use super::reader::Reader;
use super::tree::{Entry, Kind, Node};
use crate::ast::{
    Arm, Block, Clause, Else, Expr, ExprKind, For, If, Match, Parallel, Race, Region, Repeat, Stmt,
    Value, Yield, YieldWord,
};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::dsl::fragment;
use crate::span::Span;

impl<'s> Reader<'s> {
    /// Reads an item that holds blocks.
    pub(super) fn region(&mut self, fields: &mut Fields<'s>, kind: &str) -> Value {
        let region = match kind {
            "if" => self.if_region(fields).map(Region::If),
            "match" => self.match_region(fields).map(Region::Match),
            "for" => self.for_region(fields).map(Region::For),
            "repeat" => self.repeat_region(fields).map(Region::Repeat),
            "race" => self.race_region(fields).map(Region::Race),
            _ => self.parallel_region(fields).map(Region::Parallel),
        };
        region.map_or(Value::Error(fields.span), |region| {
            Value::Region(Box::new(region))
        })
    }

    fn if_region(&mut self, fields: &mut Fields<'s>) -> Option<If> {
        let cond = self.required(fields, "if");
        let then = self.block(fields, "`if`");
        let otherwise = fields.value("else").and_then(|node| self.otherwise(node));
        let cond = self.expression(&cond?, "`if`");
        Some(If {
            cond,
            then,
            otherwise,
            span: fields.span,
        })
    }

    /// Reads what stands behind the `else` of an `if`.
    fn otherwise(&mut self, node: Node<'s>) -> Option<Else> {
        let span = self.span_of(&node);
        match node.kind {
            Kind::Map(entries) if has(&entries, "if") => {
                let mut fields = self.checked(entries, span, &IF);
                self.head(&mut fields, Naming::None);
                let found = self.if_region(&mut fields)?;
                Some(Else::If(Box::new(found)))
            }
            Kind::Map(entries) if kind_of(&entries).is_some() => {
                let head = self.head_of_span(span);
                let fault = Diagnostic::new(
                    codes::WRONG_SHAPE,
                    head,
                    "the `else` of an `if` is a block, found an item",
                );
                self.out.push(fault.help("put the item under `do:`"));
                self.nameless_item(entries, span);
                None
            }
            Kind::Map(entries) => {
                let mut fields = self.checked(entries, span, &BRANCH);
                Some(Else::Block(self.block(&mut fields, "`else`")))
            }
            Kind::Seq(_) => {
                let fault = Diagnostic::new(
                    codes::WRONG_SHAPE,
                    self.head_of_span(span),
                    "the `else` of an `if` is a block, found a list",
                );
                self.out.push(fault.help("write `do:` before the list"));
                let stmts = self.items(node, "`else`");
                Some(Else::Block(Block {
                    stmts,
                    result: None,
                    span,
                }))
            }
            Kind::Scalar(_) => {
                let fault = Diagnostic::new(
                    codes::WRONG_SHAPE,
                    span,
                    "the `else` of an `if` is a block, found a text",
                );
                self.out.push(fault.help("write `else: { yield: … }`"));
                None
            }
            Kind::Absent | Kind::Broken => {
                self.wrong_shape(&node, "`else`", "a mapping");
                None
            }
        }
    }

    fn match_region(&mut self, fields: &mut Fields<'s>) -> Option<Match> {
        let subject = self.required(fields, "match");
        let arms = self.required(fields, "arms");
        let mut list = Vec::new();
        let entries = arms.and_then(|arms| self.entries(arms, "`arms`"));
        for Entry { key, value } in entries.unwrap_or_default() {
            let span = self.span(key.start, value.end.max(key.end));
            let patterns = self.fragment(&key, fragment::patterns);
            let what = format!("the arm `{}`", key.text);
            let value = self.fallback(value, &what).unwrap_or(Value::Error(span));
            list.push(Arm {
                patterns: patterns.unwrap_or_default(),
                value,
                span,
            });
        }
        let subject = self.expression(&subject?, "`match`");
        Some(Match {
            subject,
            arms: list,
            span: fields.span,
        })
    }

    fn for_region(&mut self, fields: &mut Fields<'s>) -> Option<For> {
        let head = self.required(fields, "for");
        let mut head_span = head.as_ref().map(|node| self.span_of(node));
        let mut part = |this: &mut Self, fields: &mut Fields<'s>, key: &str| {
            let node = fields.value(key)?;
            let span = this.span_of(&node);
            head_span = head_span.map(|head| head.to(span));
            Some(this.expression(&node, &format!("`{key}`")))
        };
        let by = part(self, fields, "by");
        let max = part(self, fields, "max");
        let parallel = part(self, fields, "parallel");
        let keep = fields.take("keep");
        let keep_ok = keep.and_then(|entry| {
            let word = self.word(&entry.value, "`keep`", &["ok"])?;
            Some(self.span(entry.key.start, entry.key.end).to(word.span))
        });
        let limits = self.limits(fields);
        let body = self.block(fields, "`for`");
        let head = head?;
        let list = match &head.kind {
            Kind::Scalar(scalar) => scalar.text.trim_start_matches("${").trim_end_matches('}'),
            Kind::Seq(_) | Kind::Map(_) | Kind::Absent | Kind::Broken => "",
        };
        let list = list.trim();
        if !list.is_empty() && !list.contains(char::is_whitespace) {
            let message = "a `for` names its item: `item in list`";
            let fault = Diagnostic::new(codes::SYNTAX, self.span_of(&head), message)
                .help(format!("write `for: item in {}`", foreign::shown(list)));
            self.out.push(fault);
            return None;
        }
        let (var, list) = self.language(&head, "`for`", fragment::for_head)?;
        Some(For {
            var,
            list,
            by,
            max,
            parallel,
            keep_ok,
            limits,
            body,
            head: head_span.unwrap_or(fields.span),
            span: fields.span,
        })
    }

    fn repeat_region(&mut self, fields: &mut Fields<'s>) -> Option<Repeat> {
        let head = self.required(fields, "repeat");
        let from = self.required(fields, "from");
        let max = self.required(fields, "max");
        let head_span = head.as_ref().map(|node| self.span_of(node));
        let missing = Expr {
            kind: ExprKind::Error,
            span: fields.span.before(),
        };
        let from = from.map(|node| self.expr_value(node, "`from`"));
        let max = max.map(|node| self.expression(&node, "`max`"));
        let until = fields.value("until");
        let until = until.map(|node| self.expression(&node, "`until`"));
        let limits = self.limits(fields);
        let body = self.block(fields, "`repeat`");
        let (state, ty) = self.language(&head?, "`repeat`", fragment::repeat_head)?;
        Some(Repeat {
            state,
            ty,
            from: from.unwrap_or_else(|| missing.clone()),
            max: max.unwrap_or(missing),
            until,
            limits,
            body,
            head: head_span.unwrap_or(fields.span),
            span: fields.span,
        })
    }

    fn race_region(&mut self, fields: &mut Fields<'s>) -> Option<Race> {
        let body = self.required(fields, "race");
        let fallback = fields.value("else");
        let fallback = fallback.and_then(|node| self.fallback(node, "`else`"));
        let (limits, body) = self.body(body?, "`race`")?;
        Some(Race {
            limits,
            body,
            fallback,
            span: fields.span,
        })
    }

    fn parallel_region(&mut self, fields: &mut Fields<'s>) -> Option<Parallel> {
        let body = self.required(fields, "parallel")?;
        let (limits, body) = self.body(body, "`parallel`")?;
        Some(Parallel {
            limits,
            body,
            span: fields.span,
        })
    }

    /// Reads the mapping behind `race` and `parallel`.
    fn body(&mut self, node: Node<'s>, what: &str) -> Option<(Vec<Clause>, Block)> {
        let span = self.span_of(&node);
        if matches!(node.kind, Kind::Seq(_)) {
            let fault = Diagnostic::new(
                codes::WRONG_SHAPE,
                self.head_of_span(span),
                format!("{what} is a mapping, found a list"),
            );
            self.out.push(fault.help("write `do:` before the list"));
            let block = Block {
                stmts: self.items(node, what),
                result: None,
                span,
            };
            return Some((Vec::new(), block));
        }
        let mut fields = self.fields(node, &BODY, what)?;
        let limits = self.limits(&mut fields);
        Some((limits, self.block(&mut fields, what)))
    }

    /// Reads `do` and `yield`; `what` holds them.
    pub(super) fn block(&mut self, fields: &mut Fields<'s>, what: &str) -> Block {
        let steps = fields.take("do");
        let result = fields.take("yield");
        if steps.is_none() && result.is_none() && !fields.is_suspect {
            let head = self.head_of_span(fields.span);
            let message = format!("{what} has neither `do` nor `yield`");
            let fault = Diagnostic::new(codes::MISSING_KEY, head, message);
            self.out
                .push(fault.help("add `do:` with a list of items, or `yield:` with a value"));
        }
        self.block_of(steps, result, YieldWord::Yield, fields.span)
    }

    /// Makes a block of a list of items and a value.
    pub(super) fn block_of(
        &mut self,
        steps: Option<Entry<'s>>,
        result: Option<Entry<'s>>,
        keyword: YieldWord,
        around: Span,
    ) -> Block {
        let steps_span = steps.as_ref().map(|entry| self.span_of(&entry.value));
        let result_span = result
            .as_ref()
            .map(|entry| self.span(entry.key.start, entry.value.end.max(entry.key.end)));
        let stmts: Vec<Stmt> = match steps {
            Some(entry) => {
                let what = format!("`{}`", entry.key.text);
                self.items(entry.value, &what)
            }
            None => Vec::new(),
        };
        let result = result.zip(result_span).map(|(entry, span)| {
            let what = format!("`{}`", entry.key.text);
            Yield {
                keyword,
                value: self.result_value(entry.value, &what),
                span,
            }
        });
        Block {
            stmts,
            result,
            span: steps_span.or(result_span).unwrap_or(around.after()),
        }
    }

    /// Reads the value of a block: a value, or a call or a region without a
    /// name. A mapping with the keys of an item is an item, not a record.
    fn result_value(&mut self, node: Node<'s>, what: &str) -> Value {
        let span = self.span_of(&node);
        match node.kind {
            Kind::Map(entries) if is_item(&entries) => self.nameless_item(entries, span),
            Kind::Map(_) | Kind::Seq(_) | Kind::Scalar(_) | Kind::Absent | Kind::Broken => {
                self.plain_value(node, what)
            }
        }
    }

    /// Reads a fallback or an arm: as the value of a block, or a block.
    pub(super) fn fallback(&mut self, node: Node<'s>, what: &str) -> Option<Value> {
        let span = self.span_of(&node);
        match node.kind {
            Kind::Broken => None,
            Kind::Map(entries) if !is_item(&entries) && is_block(&entries) => {
                let mut fields = self.checked(entries, span, &BRANCH);
                Some(Value::Block(Box::new(self.block(&mut fields, what))))
            }
            Kind::Map(_) | Kind::Seq(_) | Kind::Scalar(_) | Kind::Absent => {
                Some(self.result_value(node, what))
            }
        }
    }
}

fn has(entries: &[Entry<'_>], key: &str) -> bool {
    entries.iter().any(|entry| entry.key.text == key)
}

fn is_block(entries: &[Entry<'_>]) -> bool {
    has(entries, "do") || has(entries, "yield")
}

/// Returns whether a mapping where a value may stand is a call or a region.
fn is_item(entries: &[Entry<'_>]) -> bool {
    let Some(kind) = kind_of(entries) else {
        return false;
    };
    let body_of = |key: &str| {
        let mut found = entries.iter().filter(|entry| entry.key.text == key);
        found.any(|entry| matches!(&entry.value.kind, Kind::Map(inner) if is_block(inner)))
    };
    match kind.name {
        "call" => true,
        "match" => has(entries, "arms"),
        "if" | "for" | "repeat" => is_block(entries),
        "race" | "parallel" => body_of(kind.name),
        _ => false,
    }
}
