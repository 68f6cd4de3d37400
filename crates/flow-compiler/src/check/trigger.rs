//! Triggers.

/// A checked trigger.
#[derive(Debug, Clone)]
pub struct CheckedTrigger {}
