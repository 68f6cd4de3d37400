//! Embeds the texts that the command carries: the pages of diagnostics,
//! and the files that `flow new` writes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let root = here.join("../..");
    let mut code = String::new();
    table(&mut code, "PAGES", &root.join("docs/diagnostics"), ".md")?;
    let starters = here.join("src/starters");
    table(&mut code, "STARTERS", &starters, ".flow")?;
    table(&mut code, "STARTERS_YAML", &starters, ".flow.yaml")?;
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), code)
}

/// Writes a table of names and texts of a folder's files, sorted by name.
fn table(code: &mut String, name: &str, folder: &Path, ending: &str) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = fs::canonicalize(entry?.path())?;
            let file = path.file_name().and_then(|name| name.to_str());
            if let Some(stem) = file.and_then(|file| file.strip_suffix(ending)) {
                files.push((stem.to_owned(), path));
            }
        }
    }
    files.sort();
    writeln!(code, "/// Names and texts, sorted by name.").ok();
    writeln!(code, "pub(crate) const {name}: &[(&str, &str)] = &[").ok();
    for (stem, path) in files {
        let path = path.display().to_string();
        writeln!(code, "    ({stem:?}, include_str!({path:?})),").ok();
    }
    writeln!(code, "];").ok();
    Ok(())
}
