//! Every plan ever recorded still loads, and is still the same plan.
#![expect(clippy::unwrap_used, reason = "test harness")]
#![expect(clippy::disallowed_methods, reason = "plans are read from files")]

use std::path::{Path, PathBuf};

use flow_core::plan::Plan;

fn folder() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crates.ancestors().nth(2).unwrap();
    root.join("tests/golden/v1/plans")
}

#[test]
fn recorded_plans_load_and_keep_their_digests() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let plan = Plan::from_json(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let digest = std::fs::read_to_string(path.with_extension("digest")).unwrap();
        assert_eq!(
            plan.digest().to_string(),
            digest.trim(),
            "{}",
            path.display()
        );
        count += 1;
    }
    assert!(count >= 5, "plans were recorded");
}
