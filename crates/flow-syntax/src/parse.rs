//! The way in: a text of either spelling to one tree.

use crate::ast::File;
use crate::diagnostic::Diagnostic;
use crate::span::{Source, Span, Spelling};
use crate::{codes, dsl, yaml};

/// What a text says, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The tree; parts that could not be read are `Error` nodes.
    pub file: File,
    /// Everything that is wrong, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// How many bytes a file may have.
const SIZE_MAX: usize = 16 << 20;

/// Reads a text in its spelling.
pub fn parse(source: &Source) -> Parsed {
    if source.text.len() > SIZE_MAX {
        let start = Span::new(source.id, 0, 0);
        let message = format!("`{}` has more than 16 MiB", source.name);
        let diagnostic = Diagnostic::new(codes::FILE_TOO_LARGE, start, message)
            .help("data belongs into files of its own, which a step reads");
        return Parsed {
            file: File::default(),
            diagnostics: vec![diagnostic],
        };
    }
    match source.spelling {
        Spelling::Flow => dsl::parse(source),
        Spelling::Yaml => yaml::parse(source),
    }
}
