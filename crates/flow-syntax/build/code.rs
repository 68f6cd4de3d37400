//! Writes the matcher: a function for each rule.
//!
//! Every function stands for `read it, or leave everything as it was`. Where a
//! part can't begin with the next byte, it is not tried; but a text that is
//! being watched for what it lacks has everything tried.

use crate::first::{self, Ahead, First};
use crate::form::{Bytes, Form, Kind, Rule};
use std::fmt::Write as _;

/// Code that is being written.
struct Writer<'a> {
    rules: &'a [Rule],
    first: Vec<First>,
    classes: Vec<Bytes>,
    aheads: Vec<Ahead>,
}

/// Writes the rules and a function for each.
pub(crate) fn of(rules: &[Rule]) -> String {
    let mut writer = Writer {
        rules,
        first: first::of_rules(rules),
        classes: Vec::new(),
        aheads: Vec::new(),
    };
    // One character is taken where it is named.
    let written = rules.iter().filter(|rule| rule.as_class().is_none());
    let functions: String = written.map(|rule| writer.function(rule)).collect();
    let mut code = names(rules);
    writer.tables(&mut code);
    code + &functions
}

/// Writes the enumeration of rules, and how to read each.
fn names(rules: &[Rule]) -> String {
    let mut code = "/// The rules of the grammar that make pieces.\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]\n\
         pub(in super::super) enum Rule {\n    end,\n"
        .to_owned();
    let loud = || rules.iter().filter(|rule| rule.kind != Kind::Silent);
    for rule in loud() {
        writeln!(code, "    {},", rule.name).ok();
    }
    code += "}\n\nimpl Matcher<'_> {\n\
         /// Reads a rule.\n\
         pub(in super::super) fn start<const WATCH: bool>(&mut self, rule: Rule) -> bool {\n\
         match rule {\n    Rule::end => self.end::<WATCH>(),\n";
    for rule in loud() {
        writeln!(code, "    Rule::{0} => {0}::<WATCH>(self),", rule.name).ok();
    }
    code + "}\n}\n}\n"
}

impl Writer<'_> {
    fn function(&mut self, rule: &Rule) -> String {
        let body = self.form(&rule.form);
        let name = &rule.name;
        let call = match rule.kind {
            Kind::Silent => body,
            Kind::Atomic => format!("m.atom::<WATCH>(Rule::{name}, |m| {body})"),
            Kind::Plain if rule.is_nested => {
                format!("m.nest::<WATCH>(Rule::{name}, |m| {body})")
            }
            Kind::Plain if self.is_leaf(&rule.form) => {
                format!("m.leaf::<WATCH>(Rule::{name}, |m| {body})")
            }
            Kind::Plain => format!("m.rule::<WATCH>(Rule::{name}, |m| {body})"),
        };
        format!("fn {name}<const WATCH: bool>(m: &mut Matcher<'_>) -> bool {{\n{call}\n}}\n")
    }

    /// Returns whether a form makes no pieces.
    fn is_leaf(&self, form: &Form) -> bool {
        match form {
            Form::Rule(at) => {
                let rule = &self.rules[*at];
                rule.kind == Kind::Silent && !rule.is_nested && self.is_leaf(&rule.form)
            }
            Form::End => false,
            Form::Ahead(_) | Form::Not(_) => true,
            Form::Row(parts) | Form::Choice(parts) => parts.iter().all(|part| self.is_leaf(part)),
            Form::Maybe(inner) | Form::Many(inner) => self.is_leaf(inner),
            Form::Class(_) | Form::Letters(_) | Form::Start | Form::Until(_) => true,
        }
    }

    fn form(&mut self, form: &Form) -> String {
        match form {
            Form::Class(bytes) => format!("m.one(&CLASS_{})", self.class(bytes)),
            Form::Letters(letters) => format!("m.letters({letters:?})"),
            Form::Rule(at) => format!("{}::<WATCH>(m)", self.rules[*at].name),
            Form::Start => "m.is_start()".to_owned(),
            Form::End => "m.end::<WATCH>()".to_owned(),
            Form::Until(ends) => format!("m.until(&{ends:?})"),
            Form::Ahead(inner) => {
                if let Form::Class(bytes) = &**inner {
                    return format!("m.sees(&CLASS_{})", self.class(bytes));
                }
                format!("m.ahead::<WATCH>(|m| {})", self.guarded(inner))
            }
            Form::Not(inner) => {
                if let Form::Class(bytes) = &**inner {
                    return format!("!m.sees(&CLASS_{})", self.class(bytes));
                }
                format!("m.not_ahead::<WATCH>(|m| {})", self.guarded(inner))
            }
            Form::Row(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.part(part)).collect();
                format!("m.row(|m| {})", parts.join(" && "))
            }
            Form::Choice(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.guarded(part)).collect();
                parts.join(" || ")
            }
            Form::Maybe(inner) => {
                let inner = self.guarded(inner);
                format!("m.maybe(|m| {inner})")
            }
            Form::Many(inner) => self.many(inner),
        }
    }

    /// Writes a form that stands among others.
    fn part(&mut self, form: &Form) -> String {
        let code = self.form(form);
        if matches!(form, Form::Choice(_)) {
            return format!("({code})");
        }
        code
    }

    fn many(&mut self, inner: &Form) -> String {
        if let Form::Class(bytes) = inner {
            return format!("m.run(&CLASS_{})", self.class(bytes));
        }
        // Of a choice, one character after the other is taken without asking
        // for what else there could be.
        if let Form::Choice(parts) = inner
            && let [Form::Class(bytes), rest @ ..] = parts.as_slice()
        {
            let class = self.class(bytes);
            let rest = self.form(&Form::Choice(rest.to_vec()));
            return format!("m.many(|m| {{ m.run(&CLASS_{class}); {rest} }})");
        }
        format!("m.many(|m| {})", self.guarded(inner))
    }

    /// Writes a form behind a look at the next byte.
    fn guarded(&mut self, form: &Form) -> String {
        let body = self.part(form);
        // These look at the next byte themselves.
        if matches!(form, Form::Class(_) | Form::Letters(_)) {
            return body;
        }
        let ahead = first::of(form, &self.first).any();
        if ahead == [true; 257] {
            return body;
        }
        let known = self.aheads.iter().position(|known| *known == ahead);
        let index = known.unwrap_or_else(|| {
            self.aheads.push(ahead);
            self.aheads.len() - 1
        });
        format!("m.may::<WATCH>(&AHEAD_{index}) && {body}")
    }

    fn class(&mut self, bytes: &Bytes) -> usize {
        let known = self.classes.iter().position(|known| known == bytes);
        known.unwrap_or_else(|| {
            self.classes.push(*bytes);
            self.classes.len() - 1
        })
    }

    fn tables(&self, code: &mut String) {
        for (index, bytes) in self.classes.iter().enumerate() {
            let ranges = ranges(bytes);
            writeln!(
                code,
                "static CLASS_{index}: Class = Class::of(&{ranges:?});"
            )
            .ok();
        }
        for (index, ahead) in self.aheads.iter().enumerate() {
            let ranges = ranges(&ahead[..256]);
            let end = ahead[256];
            writeln!(
                code,
                "static AHEAD_{index}: Ahead = Ahead::of(&{ranges:?}, {end});"
            )
            .ok();
        }
    }
}

/// Returns the ranges of bytes that a table has.
fn ranges(table: &[bool]) -> Vec<(u8, u8)> {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for byte in (0..=u8::MAX).filter(|byte| table[usize::from(*byte)]) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == byte => *last = byte,
            _ => ranges.push((byte, byte)),
        }
    }
    ranges
}
