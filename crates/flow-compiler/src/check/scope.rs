//! Which names can be seen, what they stand for, and what is known of them.

use flow_core::expr::Expr;
use flow_core::plan::NodeId;
use flow_core::ty::Type;
use flow_syntax::span::Span;

use super::Typed;
use super::words::Words;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// How an expression says it.
    pub(crate) expr: Expr,
    /// Its type; nothing if there was an error, and also nothing for a node
    /// without a value, whose name is then in [`Binding::empty`].
    pub(crate) ty: Option<Type>,
    /// Why it has no value though there was no error: a block without `yield`,
    /// a step that gives nothing.
    pub(crate) empty: bool,
    /// Where the name was bound.
    pub(crate) span: Span,
    /// Whether anything has used it.
    pub(crate) used: bool,
}

/// The names of one block, or of a head.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    names: Words<Binding>,
    /// The statement of this block that is being checked.
    pub(crate) current: Option<NodeId>,
}

/// A fact about a name or a dotted path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// `shot`, `shot.mood`
    pub(crate) path: String,
    /// Whether it has a value.
    pub(crate) present: bool,
}

/// All names that can be seen, the innermost block last.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    frames: Vec<Frame>,
    /// The names of blocks that are over, block after block.
    closed: Vec<Words<Binding>>,
    /// Where they were bound, as far as it was asked for.
    over: Words<Span>,
    facts: Vec<Fact>,
}

/// A name that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// What it stands for.
    pub(crate) typed: Typed,
    /// Whether it is a node without a value.
    pub(crate) empty: bool,
    /// Where it was bound.
    pub(crate) span: Span,
    /// The edge between the node it stands for and the statement that uses it.
    pub(crate) edge: Option<(NodeId, NodeId)>,
}

impl Scopes {
    /// Opens a block.
    pub(crate) fn push(&mut self) {
        self.frames.push(Frame::default());
    }

    /// Closes a block, and tells which of its names nobody used.
    pub(crate) fn pop(&mut self) -> Vec<(String, Binding)> {
        let Some(Frame { names, .. }) = self.frames.pop() else {
            return Vec::new();
        };
        let unused = names.iter().filter(|(_, binding)| !binding.used);
        let unused = unused.map(|(name, binding)| (name.to_owned(), binding.clone()));
        let unused = unused.collect();
        if !self.frames.is_empty() {
            self.closed.push(names);
        }
        unused
    }

    /// Returns where a name was bound in a block that is over.
    pub(crate) fn bound_inside(&mut self, name: &str) -> Option<Span> {
        for names in self.closed.drain(..) {
            for (name, binding) in names.iter() {
                self.over.get_or_insert_with(name, || binding.span);
            }
        }
        self.over.get(name).copied()
    }

    /// Says that it was said that a name has no value.
    pub(crate) fn told(&mut self, name: &str) {
        let mut frames = self.frames.iter_mut().rev();
        if let Some(binding) = frames.find_map(|frame| frame.names.get_mut(name)) {
            binding.empty = false;
            binding.ty = None;
        }
    }

    /// Says which statement of the innermost block is being checked.
    pub(crate) fn at(&mut self, node: Option<NodeId>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.current = node;
        }
    }

    /// Binds a name in the innermost block. Whether it is free is asked before.
    pub(crate) fn bind(&mut self, name: &str, binding: Binding) {
        if let Some(frame) = self.frames.last_mut() {
            frame.names.insert(name, binding);
        }
    }

    /// Returns where a name is bound that can be seen here.
    pub(crate) fn bound(&self, name: &str) -> Option<Span> {
        self.peek(name).map(|binding| binding.span)
    }

    /// Looks a name up without using it.
    pub(crate) fn peek(&self, name: &str) -> Option<&Binding> {
        let mut frames = self.frames.iter().rev();
        frames.find_map(|frame| frame.names.get(name))
    }

    /// Looks a name up and marks it as used.
    pub(crate) fn find(&mut self, name: &str) -> Option<Found> {
        let (frame, binding) = self.frames.iter_mut().rev().find_map(|frame| {
            let current = frame.current;
            let binding = frame.names.get_mut(name)?;
            Some((current, binding))
        })?;
        binding.used = true;
        let edge = source(&binding.expr).zip(frame);
        let (empty, span) = (binding.empty, binding.span);
        let (expr, ty) = (binding.expr.clone(), binding.ty.clone());
        let ty = ty.map(|ty| self.narrow(name, ty));
        Some(Found {
            typed: Typed { expr, ty },
            empty,
            span,
            edge,
        })
    }

    /// Returns the names that can be seen, for messages.
    pub(crate) fn names(&self) -> Vec<String> {
        let frames = self.frames.iter();
        let names = frames.flat_map(|frame| {
            let mut names: Vec<&str> = frame.names.iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            names
        });
        names.map(str::to_owned).collect()
    }

    /// Adds facts; the number that is given back forgets them again.
    pub(crate) fn know(&mut self, facts: impl IntoIterator<Item = Fact>) -> usize {
        let before = self.facts.len();
        self.facts.extend(facts);
        before
    }

    /// Forgets what was learnt since.
    pub(crate) fn forget(&mut self, before: usize) {
        self.facts.truncate(before);
    }

    /// Returns the type that a path has here, given the one it has elsewhere.
    pub(crate) fn narrow(&self, path: &str, ty: Type) -> Type {
        let Type::Optional(inner) = &ty else {
            return ty;
        };
        let known = self.facts.iter().rev().find(|fact| fact.path == path);
        match known {
            Some(fact) if fact.present => inner.as_ref().clone(),
            _ => ty,
        }
    }
}

/// Returns the node whose value an expression takes, possibly fitted.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only these stand for a node as it is"
)]
pub(crate) fn source(expr: &Expr) -> Option<NodeId> {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::Node(id) => return Some(*id),
            Expr::Widen(inner) | Expr::Check(inner, _, _) => inner,
            _ => return None,
        };
    }
}
