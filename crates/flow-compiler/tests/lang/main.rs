//! The corpus of the language: files in `tests/lang/` with what is to be said
//! about them written below the lines.
//!
//! `UPDATE=1 cargo test -p flow-compiler --test lang` rewrites the
//! expectations; the difference is then read like code.
#![expect(clippy::unwrap_used, reason = "test harness")]
#![expect(
    clippy::disallowed_methods,
    reason = "the harness reads what the crate is handed"
)]

mod case;
mod codes;
mod corpus;
mod docs;
mod found;
mod golden;
mod hostile;
mod mend;
mod project;
#[path = "../../../../tests/fuzz/src/properties.rs"]
#[expect(unreachable_pub, reason = "a module of the targets' library")]
mod properties;
mod runs;
mod secrets;
mod translation;
