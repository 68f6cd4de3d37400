//! YAML to the tree.

use crate::Parsed;
use crate::ast::File;
use crate::span::Source;

/// Reads a YAML file.
pub(crate) fn parse(_source: &Source) -> Parsed {
    Parsed {
        file: File::default(),
        diagnostics: Vec::new(),
    }
}
