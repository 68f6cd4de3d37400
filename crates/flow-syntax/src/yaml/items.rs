//! Items of `steps` and `do`: calls, values and, beside, regions.

use super::fields::{Fields, other_spelling, with_article};
use super::habits::habit;
use super::keys::{CALL, ITEMS, Mapping, VALUE};
use super::reader::Reader;
use super::tree::{Entry, Kind, Node};
use crate::ast::{
    Arg, Call, Clause, ClauseKind, Expr, ExprKind, Form, Governed, Name, Stmt, TypeExpr, Value,
};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic, nearest};
use crate::dsl::fragment;
use crate::span::Span;

/// Whether an item may have a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// It stands in a block.
    Allowed,
    /// It stands where a value is wanted.
    None,
}

/// What an item is, with its name and its type.
#[derive(Debug)]
pub(super) struct Head {
    name: Option<Name>,
    ty: Option<TypeExpr>,
}

impl<'s> Reader<'s> {
    /// Reads a list of items.
    pub(super) fn items(&mut self, node: Node<'s>, what: &str) -> Vec<Stmt> {
        let items = match node.kind {
            // One item without its dash.
            Kind::Map(ref entries) if kind_of(entries).is_some() => {
                self.wrong_shape(&node, what, "a list");
                vec![node]
            }
            Kind::Seq(_) | Kind::Map(_) | Kind::Scalar(_) | Kind::Absent | Kind::Broken => {
                self.list(node, what).unwrap_or_default()
            }
        };
        items.into_iter().map(|item| self.item(item)).collect()
    }

    fn item(&mut self, node: Node<'s>) -> Stmt {
        let (docs, span) = self.docs(self.span_of(&node));
        let whole = self.span_of(&node);
        let (head, value) = match node.kind {
            Kind::Map(entries) => self.item_value(entries, whole, Naming::Allowed),
            Kind::Scalar(_) | Kind::Seq(_) | Kind::Absent | Kind::Broken => {
                self.no_item(&node);
                (
                    Head {
                        name: None,
                        ty: None,
                    },
                    Value::Error(whole),
                )
            }
        };
        Stmt {
            name: head.name,
            ty: head.ty.map(Box::new),
            value,
            docs,
            span,
        }
    }

    fn no_item(&mut self, node: &Node<'s>) {
        let text = match &node.kind {
            Kind::Scalar(scalar) => &*scalar.text,
            Kind::Seq(_) | Kind::Map(_) | Kind::Absent | Kind::Broken => "",
        };
        if !text.contains('(') {
            self.wrong_shape(node, "an item", "a mapping");
            return;
        }
        let span = self.head_of(node);
        let message = "an item is a mapping, found a text";
        let fault = Diagnostic::new(codes::WRONG_SHAPE, span, message);
        self.out.push(fault.help(other_spelling(text)));
    }

    /// Reads the entries of an item of any kind as a value without a name.
    pub(super) fn nameless_item(&mut self, entries: Vec<Entry<'s>>, span: Span) -> Value {
        self.item_value(entries, span, Naming::None).1
    }

    fn item_value(
        &mut self,
        mut entries: Vec<Entry<'s>>,
        span: Span,
        naming: Naming,
    ) -> (Head, Value) {
        let kind = match kind_of(&entries) {
            Some(kind) => Some(kind),
            None => self.guess_kind(&mut entries, span),
        };
        let Some(kind) = kind else {
            let id = entries.into_iter().find(|entry| entry.key.text == "id");
            let name = id.and_then(|id| self.name(&id.value, "`id`"));
            return (Head { name, ty: None }, Value::Error(span));
        };
        let is_one = self.one_kind(&mut entries, kind);
        let mut fields = self.checked(entries, span, kind);
        fields.is_suspect |= !is_one;
        let head = self.head(&mut fields, naming);
        let value = match kind.name {
            "call" => self.call(&mut fields),
            "value" => self.binding(&mut fields),
            _ => self.region(&mut fields, kind.name),
        };
        (head, value)
    }

    /// Reads the name and the type of an item.
    pub(super) fn head(&mut self, fields: &mut Fields<'s>, naming: Naming) -> Head {
        let id = fields.take("id");
        let ty = fields.take("type");
        if naming == Naming::None {
            for entry in [id, ty].into_iter().flatten() {
                let span = self.span(entry.key.start, entry.key.end);
                let message = format!("`{}` has no meaning here", entry.key.text);
                self.out.push(
                    Diagnostic::new(codes::UNKNOWN_KEY, span, message)
                        .help("only an item of a list has a name and a type"),
                );
            }
            return Head {
                name: None,
                ty: None,
            };
        }
        Head {
            name: id.and_then(|id| self.name(&id.value, "`id`")),
            ty: ty.map(|ty| self.type_expr(ty.value, "`type`")),
        }
    }

    /// Finds out what an item without a key of ours was meant to be.
    fn guess_kind(&mut self, entries: &mut [Entry<'s>], span: Span) -> Option<&'static Mapping> {
        for at in 0..entries.len() {
            if let Some((fault, Some(instead))) = self.unknown_kind(&entries[at]) {
                self.out.push(fault);
                entries[at].key.text = instead.into();
                return kind_of(entries);
            }
        }
        let mut has_answer = self.is_broken_in(span);
        for entry in entries.iter() {
            if let Some((fault, _)) = self.unknown_kind(entry) {
                has_answer = true;
                self.out.push(fault);
            }
        }
        if !has_answer {
            let head = self.head_of_span(span);
            let fault = Diagnostic::new(
                codes::MISSING_KEY,
                head,
                "the item doesn't say what it does",
            );
            let result = entries
                .iter()
                .find(|entry| matches!(&*entry.key.text, "yield" | "return"));
            self.out.push(match result {
                Some(entry) => fault.help(format!(
                    "`{}` stands beside the list of items, not in it: indent it like `do` or `steps`",
                    entry.key.text
                )),
                None => fault.help(
                    "it needs one of `step`, `value`, `if`, `match`, `for`, `repeat`, `race`, `parallel`",
                ),
            });
        }
        None
    }

    /// Says what a key of an item without a kind was meant to be.
    fn unknown_kind(&self, entry: &Entry<'s>) -> Option<(Diagnostic, Option<&'static str>)> {
        let word = &*entry.key.text;
        if ITEMS.iter().any(|item| item.key(word).is_some()) {
            return None;
        }
        let place = self.span(entry.key.start, entry.key.end);
        let message = format!("`{word}` is no key of an item");
        let fault = Diagnostic::new(codes::UNKNOWN_KEY, place, message);
        let (fault, instead) = if word.contains(['(', '=']) {
            (fault.help(other_spelling(word)), None)
        } else if let Some(habit) = habit(word, "item") {
            (fault.help(habit.help), habit.instead)
        } else {
            let near = nearest(word, ITEMS.iter().map(|item| own_key(item)))?;
            (fault.help(format!("did you mean `{near}`?")), Some(near))
        };
        let Some(instead) = instead else {
            return Some((fault, None));
        };
        let title = format!("write `{instead}`");
        let fault = fault.fix(Certainty::Likely, title, place, instead);
        let is_kind = ITEMS.iter().any(|item| own_key(item) == instead);
        Some((fault, Some(instead).filter(|_| is_kind)))
    }

    /// Drops the keys by which an item would be of a second kind; gives whether
    /// there were none.
    fn one_kind(&mut self, entries: &mut Vec<Entry<'s>>, kind: &'static Mapping) -> bool {
        let own = own_key(kind);
        let is_other = |entry: &Entry<'s>| {
            let word = &*entry.key.text;
            word != own
                && kind.key(word).is_none()
                && ITEMS.iter().any(|item| own_key(item) == word)
        };
        if !entries.iter().any(is_other) {
            return true;
        }
        let first = entries.iter().find(|entry| entry.key.text == own);
        let first = first.map(|entry| self.span(entry.key.start, entry.key.end));
        for other in entries.iter().filter(|entry| is_other(entry)) {
            let span = self.span(other.key.start, other.key.end);
            let word = &other.key.text;
            let fault = Diagnostic::new(
                codes::TWO_KINDS,
                span,
                format!(
                    "this item is {} already, and can't have `{word}`",
                    with_article(kind.name)
                ),
            );
            let fault = match first {
                Some(first) => fault.other(first, "it does this"),
                None => fault,
            };
            self.out.push(match (own, &**word) {
                ("step" | "value", "if" | "for" | "match")
                | ("if" | "for" | "match", "step" | "value") => {
                    fault.help("put the call under `do:`, as an item of its own")
                }
                _ => fault.help("make two items of it"),
            });
        }
        // What only the dropped kinds know is said by that already.
        let dropped: Vec<&Mapping> = ITEMS
            .iter()
            .copied()
            .filter(|item| {
                entries
                    .iter()
                    .any(|entry| is_other(entry) && own_key(item) == entry.key.text)
            })
            .collect();
        entries.retain(|entry| {
            let word = &*entry.key.text;
            let is_theirs = || dropped.iter().any(|item| item.key(word).is_some());
            !is_other(entry) && (kind.key(word).is_some() || !is_theirs())
        });
        false
    }

    fn binding(&mut self, fields: &mut Fields<'s>) -> Value {
        match fields.value("value") {
            Some(node) => self.plain_value(node, "`value`"),
            None => Value::Error(fields.span),
        }
    }

    /// Reads a value that is neither a call nor a region.
    pub(super) fn plain_value(&mut self, node: Node<'s>, what: &str) -> Value {
        let span = self.span_of(&node);
        let expr = self.expr_value(node, what);
        Value::Expr(Box::new(Governed {
            expr,
            clauses: Vec::new(),
            fallback: None,
            form: Form::Value,
            span,
        }))
    }

    fn call(&mut self, fields: &mut Fields<'s>) -> Value {
        let span = fields.span;
        let expr = self.call_expr(fields, "step");
        let fallback = fields.take("else");
        let fallback = fallback.and_then(|entry| self.fallback(entry.value, "`else`"));
        let mut clauses = Vec::new();
        for entry in fields.rest() {
            clauses.extend(self.clause(&entry));
        }
        let Some(expr) = expr else {
            return Value::Error(span);
        };
        Value::Expr(Box::new(Governed {
            expr,
            clauses,
            fallback,
            form: Form::Step,
            span,
        }))
    }

    /// Reads what is called and its arguments.
    pub(super) fn call_expr(&mut self, fields: &mut Fields<'s>, key: &str) -> Option<Expr> {
        let callee = self.required(fields, key);
        let mut args = Vec::new();
        let mut span = callee.as_ref().map(|node| self.span_of(node));
        if let Some(of) = fields.value("of") {
            span = span.map(|span| span.to(self.span_of(&of)));
            args.reserve_exact(1);
            args.push(Arg {
                name: None,
                value: self.expr_value(of, "`of`"),
            });
        }
        if let Some(with) = fields.value("with") {
            span = span.map(|span| span.to(self.span_of(&with)));
            let entries = self.entries(with, "`with`").unwrap_or_default();
            args.reserve_exact(entries.len());
            for Entry { key, value } in entries {
                let name = self.field_name(&key);
                let what = format!("`{}`", key.text);
                args.push(Arg {
                    value: self.expr_value(value, &what),
                    name: Some(name),
                });
            }
        }
        let (path, type_arg) = self.call_head(&callee?)?;
        Some(Expr {
            kind: ExprKind::Call(Box::new(Call {
                path,
                type_arg: type_arg.map(Box::new),
                args,
            })),
            span: span.unwrap_or(fields.span),
        })
    }

    /// Reads a policy.
    pub(super) fn clause(&mut self, entry: &Entry<'s>) -> Option<Clause> {
        let node = &entry.value;
        let what = format!("`{}`", entry.key.text);
        let kind = match &*entry.key.text {
            "budget" => self.language(node, &what, fragment::budget)?,
            "within" => ClauseKind::Within(self.expression(node, &what)),
            "retry" => self.language(node, &what, fragment::retry)?,
            "timeout" => ClauseKind::Timeout(self.expression(node, &what)),
            "cache" => ClauseKind::Cache(self.language(node, &what, fragment::cache)?),
            "pool" => ClauseKind::Pool(self.language(node, &what, fragment::path)?),
            "after" => ClauseKind::After(self.names(node, &what)),
            "label" => ClauseKind::Label(match &node.kind {
                Kind::Scalar(scalar) => self.scalar_value(&scalar.clone()),
                Kind::Seq(_) | Kind::Map(_) | Kind::Absent | Kind::Broken => {
                    self.wrong_shape(node, &what, "a text");
                    return None;
                }
            }),
            "effect" => ClauseKind::Effect(self.language(node, &what, fragment::effect)??),
            "on_lost" => ClauseKind::OnLost(self.word(node, &what, &["again", "ask", "fail"])?),
            "assume" => ClauseKind::Assume(self.expression(node, &what)),
            _ => return None,
        };
        Some(Clause {
            kind,
            span: self.span(entry.key.start, node.end.max(entry.key.end)),
        })
    }

    /// Reads `budget` and `within`, in the order in which they are written.
    pub(super) fn limits(&mut self, fields: &mut Fields<'s>) -> Vec<Clause> {
        let mut entries = [fields.take("budget"), fields.take("within")];
        entries.sort_by_key(|entry| entry.as_ref().map(|entry| entry.key.start));
        let entries = entries.into_iter().flatten();
        entries.filter_map(|entry| self.clause(&entry)).collect()
    }

    /// Reads names: a list of them, or a text with commas.
    fn names(&mut self, node: &Node<'s>, what: &str) -> Vec<Name> {
        let Kind::Seq(items) = &node.kind else {
            let found = self.language(node, what, fragment::words);
            return found.unwrap_or_default();
        };
        items
            .iter()
            .filter_map(|item| self.name(item, "the item"))
            .collect()
    }

    /// Reads one of several words.
    pub(super) fn word(&mut self, node: &Node<'s>, what: &str, words: &[&str]) -> Option<Name> {
        let name = self.verbatim_text(node, what)?;
        if words.contains(&&*name.text) {
            return Some(name);
        }
        let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let message = format!("{what} is {}, found `{}`", list.join(" or "), name.text);
        let fault = Diagnostic::new(codes::WRONG_SHAPE, name.span, message);
        self.out
            .push(match nearest(&name.text, words.iter().copied()) {
                Some(near) => fault.fix(
                    Certainty::Likely,
                    format!("write `{near}`"),
                    name.span,
                    near,
                ),
                None => fault.help(format!("write {}", list.join(" or "))),
            });
        None
    }
}

/// Returns the key after which a kind of item is named.
fn own_key(kind: &Mapping) -> &'static str {
    match kind.name {
        "call" => "step",
        "value" => "value",
        _ => kind.name,
    }
}

/// Returns what an item is, by the first of its keys that says so.
pub(super) fn kind_of(entries: &[Entry<'_>]) -> Option<&'static Mapping> {
    let of = |word: &str| -> Option<&'static Mapping> {
        match word {
            "step" => Some(&CALL),
            "value" => Some(&VALUE),
            "if" | "match" | "for" | "repeat" | "race" => {
                ITEMS.iter().copied().find(|item| item.name == word)
            }
            _ => None,
        }
    };
    let found = entries.iter().find_map(|entry| of(&entry.key.text));
    // With a `for`, `parallel` is a number.
    let is_block = |entry: &Entry<'_>| {
        entry.key.text == "parallel" && !matches!(entry.value.kind, Kind::Scalar(_))
    };
    found.or_else(|| {
        entries
            .iter()
            .any(is_block)
            .then(|| ITEMS.iter().copied().find(|item| item.name == "parallel"))?
    })
}
