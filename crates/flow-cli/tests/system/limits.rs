//! What `flow.toml` limits is limited.

use crate::folder::Folder;

/// Two at once can't both make the folder.
const ALONE: &str = "\
workflow alone() -> list<int> {
  xs = for i in range(6) parallel 6 {
    x = shell.script(\"mkdir alone && sleep 0.02 && rmdir alone\", folder: \".\", pool gpu)
    yield x.code
  }
  return xs
}
";

/// There is something to go on with.
const WAITS: &str = "\
workflow waits() -> bool {
  agreed = approve(\"Go on?\", show: \"this\")
  return agreed
}
";

#[test]
fn a_pool_has_so_many_slots_as_it_is_given() {
    let folder = Folder::new("limits-pool");
    folder.write(
        "alone.flow",
        ALONE.replace(", pool gpu)", ") pool gpu retry 1"),
    );
    folder.write("flow.toml", "[pools.gpu]\nslots = 1\n");
    let ran = folder.flow(&["run", "alone.flow"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    folder.write("flow.toml", "[pools.gpu]\nslots = 6\n");
    let ran = folder.flow(&["run", "alone.flow", "--fresh"]);
    assert_eq!(ran.code, Some(4), "six at once can't go well: {}", ran.err);
}

#[test]
fn a_limit_that_is_wrong_stops_everything_that_would_run() {
    let folder = Folder::new("limits-wrong");
    folder.write("alone.flow", ALONE.replace(", pool gpu)", ")"));
    folder.write("waits.flow", WAITS);
    assert_eq!(folder.flow(&["run", "waits.flow"]).code, Some(5));
    folder.write("flow.toml", "[budget]\nday = 5\n");
    for args in [
        &["run", "alone.flow"][..],
        &["call", "json.write", "value=1"],
    ] {
        let ran = folder.flow(args);
        assert_eq!(ran.code, Some(1), "{args:?}: {}", ran.err);
        assert!(ran.err.contains("`budget.day` is an amount"), "{}", ran.err);
    }
}
