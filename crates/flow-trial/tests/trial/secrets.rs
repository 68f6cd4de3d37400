//! Rule 14: what a secret hides is in no file of a store, and in nothing that
//! is said.

use std::fs;
use std::path::{Path, PathBuf};

use flow_core::base64;

use crate::bench::{Bench, Scenario};

/// What is hidden.
const HIDDEN: &str = "hunter2-and-nobody-knows";

/// Returns whether a text tells it: as it is, or as base64 does.
fn is_told(text: &str) -> bool {
    text.contains(HIDDEN) || text.contains(&base64::padded(HIDDEN.as_bytes())[..20])
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_a_command_tells_of_a_secret_is_kept_nowhere() {
    for (inputs, code) in [(&["code=0"][..], 0), (&["code=3"], 4)] {
        let bench = Bench::new();
        let flow = bench.run(Scenario::new("leak", inputs));
        let ended = flow.env("TRIAL_TOKEN", HIDDEN).end();
        assert_eq!(ended.code(), Some(code), "{ended:#?}");
        let said = format!("{}{}", ended.out, ended.err.join("\n"));
        assert!(said.contains("it is ***"), "{said}");
        assert!(!is_told(&said), "{said}");
        if code == 0 {
            assert!(said.contains("leak:"), "the console has it: {said}");
            let wrote = fs::read_to_string(bench.path("told.txt")).unwrap();
            assert!(wrote.contains("it is ***") && !is_told(&wrote), "{wrote}");
        }
        let files = files(&bench.store());
        assert!(files.iter().any(|path| path.ends_with("flow.db")));
        let mut logs = 0;
        for path in files {
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!is_told(&text), "{}", path.display());
            logs += usize::from(text.contains("it is ***"));
        }
        // It was looked for where it would be.
        assert!(logs > 0);
    }
}
