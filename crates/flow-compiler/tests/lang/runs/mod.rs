//! Runs of small workflows against scripted answers, in a time that is only a
//! number. The script is in the file, in lines that begin with `#>`; beside it
//! is the log that the run must have, rewritten by `UPDATE=1`.
//!
//! ```text
//! #> name: "fox"                       an input, as JSON
//! #> w/draw: fail transient | ok "x"   answers of a step, by its path
//! #> at 5s: pause                      what happens meanwhile
//! #> at 9s: leave                      the owner goes away
//! ```
//!
//! An answer is `ok JSON`, `fail CLASS [unsent|maybe]`, `never`, `job`, `ask`,
//! or `found yes|no|?`, followed by `for $0.04` and `in 3s` if that matters.
//! What isn't scripted succeeds after a second with the least value of its type.

mod edits;
mod orders;
mod print;
mod script;
mod world;

use flow_core::run::Standing;

use crate::project::{compile, root};

use script::Script;
use world::World;

#[test]
fn runs_have_the_logs_that_were_written_down() {
    let folder = root().join("tests/runs");
    let update = std::env::var_os("UPDATE").is_some();
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "flow"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are runs");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let compiled = compile(&folder, name, &text);
        let errors: Vec<_> = compiled.diagnostics.iter().collect();
        let plan = compiled
            .workflows
            .last()
            .and_then(|workflow| workflow.plan.clone());
        let plan = plan.unwrap_or_else(|| panic!("{name}: {errors:#?}"));
        let mut world = World::begin(plan, Script::read(&text));
        world.live();
        assert_ne!(world.run.standing(), Standing::Working, "{name} stalls");
        let printed = world.printed();
        record(name, &world, update);
        let log = path.with_extension("log");
        if update {
            std::fs::write(&log, &printed).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&log).unwrap_or_default();
        assert_eq!(printed, expected, "{name}");
    }
}

/// Keeps the events of a run and its plan for later versions, which have to
/// come to the same end with them. What is recorded is never written again.
fn record(name: &str, world: &World, update: bool) {
    let folder = root().join("tests/golden/v1/runs");
    let name = name.strip_suffix(".flow").unwrap();
    let path = folder.join(format!("{name}.json"));
    if path.exists() {
        return;
    }
    assert!(update, "{} is not there; run with UPDATE=1", path.display());
    std::fs::create_dir_all(&folder).unwrap();
    let mut lines = String::new();
    for event in &world.log {
        let mut bytes = Vec::new();
        event.encode(&mut bytes).unwrap();
        lines.extend(bytes.iter().map(|byte| format!("{byte:02x}")));
        lines.push('\n');
    }
    std::fs::write(&path, world.plan.to_json()).unwrap();
    std::fs::write(path.with_extension("events"), lines).unwrap();
    let costs = world.run.costs();
    let end = format!(
        "{:?} {:?} {costs:?}\n",
        world.run.standing(),
        world.run.status()
    );
    std::fs::write(path.with_extension("end"), end).unwrap();
}
