//! Tests.

/// A checked test.
#[derive(Debug, Clone)]
pub struct CheckedTest {}
