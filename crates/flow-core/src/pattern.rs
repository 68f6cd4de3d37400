//! The patterns of `text matching "…"`.

use regex_lite::{Regex, RegexBuilder};

/// How large a compiled pattern may be, in bytes.
const SIZE_MAX: usize = 1 << 20;
/// How deep the groups of a pattern may nest.
const NEST_MAX: u32 = 50;

/// A regular expression that a whole text must fit.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct PatternError {
    why: Box<str>,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        // Read it alone first: `a)(b` only works inside of other brackets.
        compile(text)?;
        compile(&format!(r"\A(?:{text})\z")).map(Self)
    }

    /// Returns whether a whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

fn compile(text: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(text)
        .size_limit(SIZE_MAX)
        .nest_limit(NEST_MAX)
        .build()
        .map_err(|error| PatternError {
            why: error.to_string().into(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_fit() {
        let pattern = Pattern::new("a|bc").unwrap();
        assert!(pattern.fits("a"));
        assert!(pattern.fits("bc"));
        assert!(!pattern.fits("ab"));
        assert!(!pattern.fits("bc\n"));
    }

    #[test]
    fn brackets_must_close_by_themselves() {
        assert!(Pattern::new("a)(?:b").is_err());
        assert!(Pattern::new("[a").is_err());
        assert!(Pattern::new(&"(".repeat(100_000)).is_err());
    }
}
