//! The names of a template, and what is known to be there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::expr::Op;
use crate::template::filter::Test;
use crate::template::outline::{Term, TermKind};
use crate::ty::Type;
use crate::value::Value;

/// The names of a part of a template. One without a type was complained about.
pub(super) struct Frame {
    /// Whether a `set` in it stays in it.
    is_round: bool,
    pub(super) vars: BTreeMap<Arc<str>, Option<Type>>,
    /// The paths of optionals that are there.
    present: BTreeSet<String>,
}

impl Frame {
    pub(super) fn round() -> Self {
        Self {
            is_round: true,
            vars: BTreeMap::new(),
            present: BTreeSet::new(),
        }
    }

    pub(super) fn block(present: Vec<String>) -> Self {
        Self {
            is_round: false,
            vars: BTreeMap::new(),
            present: present.into_iter().collect(),
        }
    }
}

pub(super) struct Scope(Vec<Frame>);

impl Scope {
    pub(super) fn new(data: &Type) -> Self {
        let mut base = Frame::round();
        if let Type::Record(record) = data {
            for field in &record.fields {
                base.vars
                    .insert(Arc::clone(&field.name), Some(field.ty.clone()));
            }
        }
        Self(vec![base, Frame::round()])
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.0.push(frame);
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn define(&mut self, name: &str, ty: Option<Type>) {
        if let Some(frame) = self.0.last_mut() {
            frame.vars.insert(name.into(), ty);
        }
    }

    /// Returns the type of a variable that a `set` here would change.
    pub(super) fn settable(&self, name: &str) -> Option<&Option<Type>> {
        for frame in self.0.iter().rev() {
            if let Some(ty) = frame.vars.get(name) {
                return Some(ty);
            }
            if frame.is_round {
                break;
            }
        }
        None
    }

    /// Forgets what was known about a variable.
    pub(super) fn changed(&mut self, name: &str) {
        for frame in &mut self.0 {
            frame.present.retain(|path| root(path) != name);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Option<Type>> {
        self.0.iter().rev().find_map(|frame| frame.vars.get(name))
    }

    /// Returns all names that are known here.
    pub(super) fn names(&self) -> Vec<String> {
        let all = self.0.iter().flat_map(|frame| frame.vars.keys());
        let names: BTreeSet<String> = all.map(ToString::to_string).collect();
        names.into_iter().collect()
    }

    /// Returns whether the optional under a path is known to be there.
    pub(super) fn is_present(&self, path: &str) -> bool {
        for frame in self.0.iter().rev() {
            if frame.present.contains(path) {
                return true;
            }
            // An outer frame speaks of another variable of that name.
            if frame.vars.contains_key(root(path)) {
                return false;
            }
        }
        false
    }
}

fn root(path: &str) -> &str {
    path.split_once('.').map_or(path, |(root, _)| root)
}

/// Returns the paths that are there if a condition is so.
pub(super) fn present_if(cond: &Term, holds: bool) -> Vec<String> {
    match &cond.kind {
        TermKind::Not(inner) => present_if(inner, !holds),
        TermKind::Binary(op @ (Op::And | Op::Or), left, right) if (*op == Op::And) == holds => {
            let mut paths = present_if(left, holds);
            paths.extend(present_if(right, holds));
            paths
        }
        TermKind::Binary(op @ (Op::Equal | Op::NotEqual), left, right)
            if right.kind == TermKind::Const(Value::None) && (*op == Op::NotEqual) == holds =>
        {
            prefixes(left)
        }
        TermKind::Test(base, Test::Defined, _) if holds => prefixes(base),
        TermKind::Test(base, Test::Undefined | Test::None, _) if !holds => prefixes(base),
        TermKind::Var(_) | TermKind::Field(..) if holds => prefixes(cond),
        TermKind::Const(_)
        | TermKind::Var(_)
        | TermKind::Field(..)
        | TermKind::Index(..)
        | TermKind::Negate(_)
        | TermKind::Binary(..)
        | TermKind::Concat(..)
        | TermKind::If(_)
        | TermKind::Filter(..)
        | TermKind::Test(..)
        | TermKind::List(_) => Vec::new(),
    }
}

/// Returns a path and all that it goes through.
fn prefixes(term: &Term) -> Vec<String> {
    let Some(path) = term.path() else {
        return Vec::new();
    };
    let dots = path.match_indices('.').map(|(at, _)| path[..at].to_owned());
    let mut paths: Vec<String> = dots.collect();
    paths.push(path);
    paths
}
