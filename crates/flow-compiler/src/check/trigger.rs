//! Triggers.

/// A checked trigger.
#[derive(Debug, Clone)]
pub struct CheckedTrigger {}

impl super::Checker<'_> {
    /// Checks a trigger. (Stands in until the checks of triggers land.)
    pub(crate) fn trigger(
        &mut self,
        _tree: &flow_syntax::ast::Trigger,
        _docs: &str,
    ) -> Option<CheckedTrigger> {
        None
    }
}
