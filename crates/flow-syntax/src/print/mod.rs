//! The tree to canonical text, in either spelling.
