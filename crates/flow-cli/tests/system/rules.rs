//! Rule 2: the pure crates do no input or output, ask for no time and iterate
//! over no hash map. `clippy.toml` says so in each of them; here it is seen to
//! that none of the bans is lost, and that every crate is linted alike.

use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

/// The crates that touch nothing of the world.
const PURE: &[&str] = &["flow-syntax", "flow-core", "flow-compiler"];

/// Types that none of them may name.
const TYPES: &[&str] = &[
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::fs::File",
    "std::fs::OpenOptions",
    "std::hash::RandomState",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::process::Command",
    "std::thread::Builder",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Functions that none of them may call.
const FUNCTIONS: &[&str] = &[
    "std::env::args",
    "std::env::args_os",
    "std::env::current_dir",
    "std::env::temp_dir",
    "std::env::var",
    "std::env::var_os",
    "std::env::vars",
    "std::env::vars_os",
    "std::fs::canonicalize",
    "std::fs::create_dir_all",
    "std::fs::metadata",
    "std::fs::read",
    "std::fs::read_dir",
    "std::fs::read_to_string",
    "std::fs::remove_file",
    "std::fs::rename",
    "std::fs::write",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::path::Path::exists",
    "std::process::abort",
    "std::thread::scope",
    "std::thread::sleep",
    "std::thread::spawn",
];

/// Modules of which nothing is named in the code of the pure crates, be it
/// banned by its name or not.
const MODULES: &[&str] = &[
    "std::env::",
    "std::fs::",
    "std::net::",
    "std::process::",
    "std::thread::",
    "std::env;",
    "std::fs;",
    "std::net;",
    "std::process;",
    "std::thread;",
];

fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    crates.ancestors().nth(2).unwrap().to_owned()
}

fn table(path: &str) -> Table {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    text.parse().unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Returns the paths that a file bans; each ban says why.
fn bans(path: &str, settings: &Table, key: &str) -> Vec<String> {
    let bans = settings[key].as_array().unwrap().iter();
    bans.map(|ban| {
        let name = ban["path"].as_str().unwrap();
        let reason = ban["reason"].as_str().unwrap_or_default();
        assert!(!reason.is_empty(), "{path} doesn't say why it bans {name}");
        name.to_owned()
    })
    .collect()
}

#[test]
fn every_pure_crate_bans_clocks_files_environment_threads_and_hash_maps() {
    for name in PURE {
        let path = format!("crates/{name}/clippy.toml");
        let settings = table(&path);
        for (key, wanted) in [
            ("disallowed-types", TYPES),
            ("disallowed-methods", FUNCTIONS),
        ] {
            let banned = bans(&path, &settings, key);
            for ban in wanted {
                assert!(banned.iter().any(|name| name == ban), "{path} allows {ban}");
            }
        }
    }
}

#[test]
fn a_crates_settings_repeat_those_of_the_root() {
    let shared = table("clippy.toml");
    assert!(!shared.is_empty());
    for name in PURE {
        let path = format!("crates/{name}/clippy.toml");
        let settings = table(&path);
        for (key, value) in &shared {
            assert_eq!(settings.get(key), Some(value), "`{key}` in {path}");
        }
    }
}

/// Returns all Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_code_of_the_pure_crates_names_no_module_that_touches_the_world() {
    for name in PURE {
        for path in sources(&root().join("crates").join(name).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            for module in MODULES {
                assert!(!text.contains(module), "{module} in {}", path.display());
            }
        }
    }
}

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() {
    let lints = table("Cargo.toml");
    let lints = &lints["workspace"]["lints"];
    assert_eq!(lints["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for lint in [
        "iter_over_hash_type",
        "print_stdout",
        "print_stderr",
        "unwrap_used",
        "todo",
    ] {
        assert_eq!(lints["clippy"][lint].as_str(), Some("warn"), "{lint}");
    }
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let manifest = table(&format!("crates/{name}/Cargo.toml"));
        let inherits = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        let inherits = inherits.and_then(toml::Value::as_bool);
        assert_eq!(inherits, Some(true), "{name} has lints of its own");
    }
}
