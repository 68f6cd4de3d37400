//! Calls of steps and workflows, with what governs them.
