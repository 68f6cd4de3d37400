//! The codes of what can be wrong with a text before any name is looked up.
//!
//! The checker has its own, in `flow_compiler::codes`.

crate::codes! {
    SYNTAX = Error "syntax", "the text can't be read at this place";
}
