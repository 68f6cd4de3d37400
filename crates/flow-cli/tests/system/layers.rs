//! Rule 1: crates depend on each other only as drawn in the architecture.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Which crates of ours a crate may depend on. The drawing in
/// `docs/architecture.md` is this table.
const ALLOWED: &[(&str, &[&str])] = &[
    ("flow-syntax", &[]),
    ("flow-core", &[]),
    ("flow-compiler", &["flow-core", "flow-syntax"]),
    ("flow-steps", &["flow-core"]),
    ("flow-runtime", &["flow-core"]),
    (
        "flow-cli",
        &[
            "flow-compiler",
            "flow-core",
            "flow-runtime",
            "flow-steps",
            "flow-syntax",
        ],
    ),
    // For development only: nothing depends on it.
    ("flow-trial", &["flow-cli", "flow-core", "flow-runtime"]),
];

/// What must never get into the pure crates.
const IMPURE: &[&str] = &[
    "tokio", "hyper", "rustls", "rusqlite", "clap", "miette", "rand",
];

fn metadata() -> serde_json::Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns what each crate of the workspace needs to be built and to run; what
/// only tests need is left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let needs = |package: &serde_json::Value| -> BTreeSet<String> {
        let all = package["dependencies"].as_array().unwrap().iter();
        let all = all.filter(|dependency| dependency["kind"] != "dev");
        all.map(|dependency| dependency["name"].as_str().unwrap().to_owned())
            .collect()
    };
    packages
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_owned(), needs(package)))
        .collect()
}

#[test]
fn crates_depend_on_each_other_only_as_drawn() {
    let dependencies = dependencies();
    let drawn: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(found, drawn, "each crate has its line in the table");
    for (name, allowed) in ALLOWED {
        let ours = dependencies[*name].iter().map(String::as_str);
        let ours: BTreeSet<&str> = ours.filter(|other| drawn.contains(other)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(ours, allowed, "what `{name}` depends on");
    }
}

#[test]
fn the_pure_crates_need_nothing_that_touches_the_world() {
    let dependencies = dependencies();
    for name in ["flow-syntax", "flow-core", "flow-compiler"] {
        let impure: Vec<&String> = (dependencies[name].iter())
            .filter(|other| IMPURE.contains(&other.as_str()))
            .collect();
        assert!(impure.is_empty(), "`{name}` needs {impure:?}");
    }
}
