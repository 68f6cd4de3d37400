//! Declared steps: the types, effects and prices of what a step does.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::effect::Effect;
use flow_core::ty::Type;
use flow_syntax::ast;
use flow_syntax::span::{Source, Span};

use crate::declare::Param;

/// All declared steps and the types that they are declared with.
#[derive(Debug, Clone, Default)]
pub struct Signatures {
    /// The steps, by name.
    pub steps: BTreeMap<Arc<str>, Signature>,
    /// The types, by name; those of the standard library begin with a small
    /// letter and need no `use`.
    pub types: BTreeMap<Arc<str>, Type>,
    /// The sources they were read from.
    pub sources: Vec<Source>,
}

/// A declared step.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Its name: `gen.image`.
    pub name: Arc<str>,
    /// What it is for.
    pub docs: Arc<str>,
    /// The name of its type parameter.
    pub type_param: Option<Arc<str>>,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// What it gives.
    pub returns: Type,
    /// What it does first, then what a call may ask for instead.
    pub effects: Vec<Effect>,
    /// What an attempt costs at most, over the names of its parameters.
    pub cost: Option<ast::Expr>,
    /// The pool it takes a slot of, over the names of its parameters.
    pub pool: Option<ast::Expr>,
    /// The command of a plugin.
    pub run: Option<Arc<str>>,
    /// The digest of all this, documentation left out.
    pub digest: Arc<str>,
    /// Its name's place.
    pub span: Span,
}
