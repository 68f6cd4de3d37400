//! Templates: a small, checked part of minijinja's language.
//!
//! The parser is minijinja's and is used in one place; what a template means
//! is ours. So a template computes with the same values and the same rules as
//! an expression, and its work is bounded by the same fuel.
//!
//! Supported are paths, `for`, `if`, `set`, `include` of a literal name, the
//! operators, and the filters and tests of [`filter`]. A condition may be a
//! bool, an optional (is it there?), or a list, a map or a text (is something
//! in it?). A `set` in a loop ends with its round; in an `if` it changes the
//! variable outside, if there is one. A line break at the very end of a
//! template is left out.

pub mod outline;

pub mod filter;

mod apply;
mod check;
mod parse;
mod render;

pub use check::check;
pub use outline::{Outline, TemplateFault, outline};
pub use render::render;
