//! Tests.

/// A checked test.
#[derive(Debug, Clone)]
pub struct CheckedTest {}

impl super::Checker<'_> {
    /// Checks a test. (Stands in until the checks of tests land.)
    pub(crate) fn test(&mut self, _tree: &flow_syntax::ast::Test) -> Option<CheckedTest> {
        None
    }
}
