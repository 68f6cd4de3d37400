//! Rule 12: every step declared in `stdlib/` has an executor, and every
//! executor a declaration.

use std::collections::BTreeSet;
use std::path::Path;

use crate::desk::registry;

/// Declared families that nothing carries out yet.
const MISSING: &[&str] = &["http", "notify", "state"];

/// Returns the names after `step` at the begin of a line, with the name of
/// their file.
fn declared() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stdlib");
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let family = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("step ") {
                let end = rest.find(['(', '<']).unwrap();
                found.push((family.clone(), rest[..end].trim().to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_step_of_the_families_has_an_executor_and_every_executor_a_declaration() {
    let declared = declared();
    let registry = registry(Path::new("/nowhere"));
    let carried_out: BTreeSet<&str> = registry.names().collect();
    let (missing, there): (Vec<_>, Vec<_>) = declared
        .iter()
        .partition(|(family, _)| MISSING.contains(&family.as_str()));
    let there: BTreeSet<&str> = there.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(carried_out, there);
    for family in MISSING {
        assert!(missing.iter().any(|(found, _)| found == family), "{family}");
    }
}
