//! Makes the matcher of the workflow language from `grammar/flow.pest`.
//!
//! `pest_meta` reads, checks and optimizes the grammar; [`form`] puts it into
//! the shape that a matcher needs, [`first`] finds which bytes each part can
//! begin with, and [`code`] writes Rust. `src/dsl/matcher.rs` has what the
//! written code stands on.

mod code;
mod first;
mod form;

use std::path::PathBuf;
use std::{env, fs, io};

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a build script reads the grammar, writes code and talks to cargo"
)]
fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let path = here.join("../../grammar/flow.pest");
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(&path)?;
    let code = match pest_meta::parse_and_optimize(&text) {
        Ok((_, rules)) => code::of(&form::grammar(rules)),
        Err(errors) => {
            let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return Err(io::Error::other(said.join("\n")));
        }
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("grammar.rs"), code)
}
