//! Blocks: statements to nodes, in the order in which they need each other.
