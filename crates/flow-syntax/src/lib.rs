//! Text of the flow language to a spanned tree, and back.
//!
//! There are two spellings, the workflow language and YAML, and one tree. This
//! crate knows nothing of types, step names, files or time. Parsing never
//! fails and never panics: it gives a tree *and* what is wrong with the text.
//!
//! Modules, in reading order: places, messages, the tree, the two ways in, the
//! way out.

pub mod span;

pub mod diagnostic;

pub mod ast;

pub mod codes;

mod dsl;
mod parse;
pub mod yaml;

pub mod print;

pub use parse::{Parsed, parse};
