//! What the targets share. `properties.rs` is read by the tests of the language
//! as well; `studio.rs` is what the targets compile with.

pub mod properties;
pub mod studio;
