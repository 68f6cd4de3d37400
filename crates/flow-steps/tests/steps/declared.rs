//! Rule 12: every step declared in `stdlib/` has an executor, and every
//! executor a declaration.

use std::collections::BTreeSet;
use std::path::Path;

use crate::desk::registry;

/// Returns the names after `step` at the begin of a line.
fn declared() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stdlib");
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("step ") {
                let end = rest.find(['(', '<']).unwrap();
                found.push(rest[..end].trim().to_owned());
            }
        }
    }
    found
}

#[test]
fn every_declared_step_has_an_executor_and_every_executor_a_declaration() {
    let declared = declared();
    let registry = registry(Path::new("/nowhere"));
    let carried_out: BTreeSet<&str> = registry.names().collect();
    assert_eq!(carried_out, declared.iter().map(AsRef::as_ref).collect());
    assert!(declared.len() > 25, "they were found: {declared:?}");
}
