//! Plans of the programs are recorded, so that later versions can be held to
//! loading them. What is recorded is never written again.

use crate::case::strip;
use crate::corpus::files;
use crate::project::{compile, root};

#[test]
fn plans_of_programs_are_recorded() {
    let folder = root().join("tests/golden/v1/plans");
    let update = std::env::var_os("UPDATE").is_some();
    for file in files() {
        let Some(name) = file.name.strip_suffix(".flow") else {
            continue;
        };
        if !file.folder.ends_with("programs") {
            continue;
        }
        let path = folder.join(format!("{name}.json"));
        if path.exists() {
            continue;
        }
        assert!(update, "{} is not there; run with UPDATE=1", path.display());
        let compiled = compile(&file.folder, &file.name, &strip(&file.text));
        let plan = compiled.workflows[0].plan.as_ref().unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, plan.to_json()).unwrap();
        std::fs::write(
            path.with_extension("digest"),
            format!("{}\n", plan.digest()),
        )
        .unwrap();
    }
}
