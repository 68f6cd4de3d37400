//! The tree to canonical text, in either spelling.
//!
//! There is one way to write each tree, so what was printed prints the same
//! again. Comments and groups of lines are kept. Checking is left to others:
//! a tree is written as it is.

mod anchors;
mod doc;
mod flow_block;
mod flow_clause;
mod flow_expr;
mod flow_item;
mod flow_text;
mod flow_type;
mod trivia;
mod yaml_block;
mod yaml_item;
mod yaml_scalar;
mod yaml_value;

use crate::ast::File;
use crate::diagnostic::Diagnostic;
use crate::span::{Source, Spelling};

pub use trivia::Trivia;

/// Returns a text in its canonical form, in the same spelling.
///
/// A text with errors is not touched: its errors are returned.
pub fn format(source: &Source) -> Result<String, Vec<Diagnostic>> {
    let parsed = crate::parse(source);
    let errors: Vec<Diagnostic> = parsed
        .diagnostics
        .into_iter()
        .filter(Diagnostic::is_error)
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let trivia = Trivia::of(source, &parsed.file);
    Ok(print(&parsed.file, &trivia, source.spelling))
}

/// Writes a tree in a spelling, with the comments and empty lines of the text
/// it was read from.
pub fn print(file: &File, trivia: &Trivia, spelling: Spelling) -> String {
    match spelling {
        Spelling::Flow => flow_item::print(file, trivia),
        Spelling::Yaml => yaml_item::print(file, trivia),
    }
}

#[cfg(test)]
mod tests;
