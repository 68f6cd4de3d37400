//! The grammar as a matcher needs it: rows and choices instead of pairs, and
//! one byte's worth of choices as a set of bytes.

use pest_meta::ast::RuleType;
use pest_meta::optimizer::{OptimizedExpr, OptimizedRule};
use std::collections::BTreeMap;

/// A set of bytes. Of those beyond ASCII it has all or none, so that it never
/// ends inside of a character.
pub(crate) type Bytes = [bool; 256];

/// What makes a rule different from others of the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Makes a piece that has those of its parts in it.
    Plain,
    /// Makes nothing of its own.
    Silent,
    /// Makes one piece, whatever its parts.
    Atomic,
}

/// A rule of the grammar.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) form: Form,
    /// Whether it can stand inside of itself.
    pub(crate) is_nested: bool,
}

impl Rule {
    /// Returns what the rule takes, if it is one character and makes no piece.
    pub(crate) fn as_class(&self) -> Option<&Bytes> {
        match (&self.form, self.kind) {
            (Form::Class(bytes), Kind::Silent) => Some(bytes),
            _ => None,
        }
    }
}

/// What a rule takes.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// One character, by its first byte.
    Class(Box<Bytes>),
    /// Letters as they are.
    Letters(String),
    /// Another rule, by its index.
    Rule(usize),
    /// The start of the text.
    Start,
    /// The end of the text, as a piece of its own.
    End,
    /// Everything up to one of some letters.
    Until(Vec<String>),
    /// What must follow, and is not taken.
    Ahead(Box<Form>),
    /// What must not follow.
    Not(Box<Form>),
    Row(Vec<Form>),
    /// The first that fits.
    Choice(Vec<Form>),
    Maybe(Box<Form>),
    Many(Box<Form>),
}

/// Puts the rules of a grammar into form.
pub(crate) fn grammar(rules: Vec<OptimizedRule>) -> Vec<Rule> {
    let index: BTreeMap<String, usize> = rules
        .iter()
        .enumerate()
        .map(|(at, rule)| (rule.name.clone(), at))
        .collect();
    let mut made: Vec<Rule> = rules
        .into_iter()
        .map(|rule| Rule {
            kind: match rule.ty {
                RuleType::Normal => Kind::Plain,
                RuleType::Silent => Kind::Silent,
                RuleType::Atomic => Kind::Atomic,
                RuleType::CompoundAtomic | RuleType::NonAtomic => {
                    panic!(
                        "`{}`: without implicit blanks a rule is `@` or plain",
                        rule.name
                    )
                }
            },
            form: form(rule.expr, &index),
            name: rule.name,
            is_nested: false,
        })
        .collect();
    inline_classes(&mut made);
    mark_nested(&mut made);
    made
}

fn form(expr: OptimizedExpr, index: &BTreeMap<String, usize>) -> Form {
    match expr {
        OptimizedExpr::Str(letters) => match letters.as_bytes() {
            [byte] if byte.is_ascii() => Form::Class(Box::new(range(*byte, *byte))),
            _ => Form::Letters(letters),
        },
        OptimizedExpr::Range(first, last) => class(&first, &last),
        OptimizedExpr::Ident(name) => match name.as_str() {
            "SOI" => Form::Start,
            "EOI" => Form::End,
            "ANY" => Form::Class(Box::new([true; 256])),
            _ => Form::Rule(index[&name]),
        },
        OptimizedExpr::PosPred(inner) => Form::Ahead(Box::new(form(*inner, index))),
        OptimizedExpr::NegPred(inner) => Form::Not(Box::new(form(*inner, index))),
        OptimizedExpr::Seq(first, rest) => {
            let rest = form(*rest, index);
            let mut row = vec![form(*first, index)];
            if let Form::Row(parts) = rest {
                row.extend(parts);
            } else {
                row.push(rest);
            }
            Form::Row(row)
        }
        OptimizedExpr::Choice(first, rest) => {
            let rest = form(*rest, index);
            let mut choice = vec![form(*first, index)];
            if let Form::Choice(parts) = rest {
                choice.extend(parts);
            } else {
                choice.push(rest);
            }
            Form::Choice(choice)
        }
        OptimizedExpr::Opt(inner) => Form::Maybe(Box::new(form(*inner, index))),
        OptimizedExpr::Rep(inner) => Form::Many(Box::new(form(*inner, index))),
        OptimizedExpr::Skip(ends) => Form::Until(ends),
        OptimizedExpr::RestoreOnErr(inner) => form(*inner, index),
        OptimizedExpr::Insens(_) | OptimizedExpr::PeekSlice(..) | OptimizedExpr::Push(_) => {
            panic!("the grammar uses something that the matcher has not")
        }
    }
}

fn range(first: u8, last: u8) -> Bytes {
    std::array::from_fn(|byte| (usize::from(first)..=usize::from(last)).contains(&byte))
}

fn class(first: &str, last: &str) -> Form {
    let letter = |text: &str| text.chars().next().expect("a range has two ends");
    let (first, last) = (letter(first), letter(last));
    let first = u8::try_from(first).ok().filter(u8::is_ascii);
    let first = first.expect("a range begins in ASCII");
    let bytes = match u8::try_from(last).ok().filter(u8::is_ascii) {
        Some(last) => range(first, last),
        None if last == char::MAX => range(first, u8::MAX),
        None => panic!("a range that leaves ASCII goes to the last character"),
    };
    Form::Class(Box::new(bytes))
}

/// Makes one set of rules and choices that take one character.
fn inline_classes(rules: &mut [Rule]) {
    loop {
        let known: Vec<Option<Bytes>> = rules.iter().map(|rule| rule.as_class().copied()).collect();
        let mut is_changed = false;
        for rule in &mut *rules {
            inline(&mut rule.form, &known, &mut is_changed);
        }
        if !is_changed {
            return;
        }
    }
}

fn inline(form: &mut Form, known: &[Option<Bytes>], is_changed: &mut bool) {
    match form {
        Form::Rule(at) => {
            if let Some(bytes) = &known[*at] {
                *form = Form::Class(Box::new(*bytes));
                *is_changed = true;
            }
        }
        Form::Ahead(inner) | Form::Not(inner) | Form::Maybe(inner) | Form::Many(inner) => {
            inline(inner, known, is_changed);
        }
        Form::Row(parts) => {
            for part in parts {
                inline(part, known, is_changed);
            }
        }
        Form::Choice(parts) => {
            for part in &mut *parts {
                inline(part, known, is_changed);
            }
            let mut merged: Vec<Form> = Vec::new();
            for part in parts.drain(..) {
                match (merged.last_mut(), part) {
                    (Some(Form::Class(before)), Form::Class(bytes)) => {
                        **before = std::array::from_fn(|byte| before[byte] || bytes[byte]);
                        *is_changed = true;
                    }
                    (_, part) => merged.push(part),
                }
            }
            *form = if merged.len() == 1 {
                merged.remove(0)
            } else {
                Form::Choice(merged)
            };
        }
        Form::Class(_) | Form::Letters(_) | Form::Start | Form::End | Form::Until(_) => {}
    }
}

fn mark_nested(rules: &mut [Rule]) {
    for at in 0..rules.len() {
        rules[at].is_nested = reaches(rules, at, |_| true);
        assert!(
            rules[at].kind != Kind::Silent || !reaches(rules, at, |rule| rule.kind == Kind::Silent),
            "`{}` nests without a rule that is counted",
            rules[at].name
        );
    }
}

/// Returns whether a rule stands inside of itself by way of some rules.
fn reaches(rules: &[Rule], start: usize, may_pass: impl Fn(&Rule) -> bool) -> bool {
    let mut seen = vec![false; rules.len()];
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        let mut next = Vec::new();
        mentions(&rules[at].form, &mut next);
        for at in next {
            if at == start {
                return true;
            }
            if may_pass(&rules[at]) && !std::mem::replace(&mut seen[at], true) {
                open.push(at);
            }
        }
    }
    false
}

fn mentions(form: &Form, found: &mut Vec<usize>) {
    match form {
        Form::Rule(at) => found.push(*at),
        Form::Ahead(inner) | Form::Not(inner) | Form::Maybe(inner) | Form::Many(inner) => {
            mentions(inner, found);
        }
        Form::Row(parts) | Form::Choice(parts) => {
            for part in parts {
                mentions(part, found);
            }
        }
        Form::Class(_) | Form::Letters(_) | Form::Start | Form::End | Form::Until(_) => {}
    }
}
