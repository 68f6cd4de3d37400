//! The pages of diagnostics: one for each code.

use flow_syntax::diagnostic::Code;

use crate::{codes, embedded};

/// Returns the page of a code, if there is one.
pub(crate) fn page(code: &str) -> Option<&'static str> {
    let found = embedded::PAGES.binary_search_by(|(name, _)| (*name).cmp(code));
    found.ok().map(|at| embedded::PAGES[at].1)
}

/// Returns all codes, sorted by name.
pub(crate) fn codes() -> Vec<Code> {
    let lists = [
        flow_syntax::codes::ALL,
        flow_compiler::codes::ALL,
        codes::ALL,
    ];
    let mut all: Vec<Code> = lists.into_iter().flatten().copied().collect();
    all.sort();
    // Two crates may say the same of their parts of a file.
    all.dedup_by_key(|code| code.name);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let codes = codes();
        let codes = codes.iter().map(|code| code.name);
        let pages = embedded::PAGES.iter().map(|(name, _)| *name);
        assert_eq!(codes.collect::<Vec<_>>(), pages.collect::<Vec<_>>());
    }
}
