//! `flow plan` for programs.

use serde_json::Value;

use crate::folder::Folder;

const STEPS: &str = "\
step paint(prompt: text, count: int in 1..4 = 1) -> list<image>
  effect paid
  cost $0.05 * count
  run \"./paint\"
";

const POSTER: &str = "\
workflow poster(takes: int in 1..4 = 2) -> list<image> budget $0.40 {
  left = paint(\"a fox\", count: takes) retry 1
  right = paint(\"a hare\", count: takes) retry 1
  both = flatten([left, right])
  return both
}
";

fn project(name: &str, poster: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("steps/paint.flow", STEPS);
    folder.write("paint", "");
    folder.write("poster.flow", poster);
    folder
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn steps_order_and_cost_are_said_to_programs() {
    let folder = project("plan-json", POSTER);
    let ran = folder.flow(&["plan", "poster.flow", "--format", "json", "takes=4"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let whole = json(&ran.out);
    assert_eq!(whole["version"], 1);
    let plan = &whole["plan"];
    assert_eq!(plan["inputs"][0]["given"], "4");
    assert_eq!(plan["steps"][0]["path"], "poster/left");
    assert_eq!(plan["steps"][1]["level"], 1);
    assert_eq!(plan["steps"][2]["level"], 2);
    let after = plan["steps"][2]["after"].as_array().unwrap();
    assert_eq!(after.len(), 2);
    assert_eq!(plan["parallelism"]["width"], 2);
    assert_eq!(plan["cost"]["total"]["text"], "$0.40");
    assert_eq!(plan["cost"]["total"]["nano_usd"], 400_000_000);
    assert_eq!(plan["effects"][0]["step"], "paint");
    assert_eq!(plan["programs"][0]["run"], "./paint");
    assert_eq!(plan["programs"][0]["steps"][0], "paint");
    assert_eq!(plan["over_budget"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_worst_case_above_the_budget_fails_only_if_asked() {
    let dear = POSTER.replace("$0.40", "$0.10");
    let folder = project("plan-strict", &dear);
    let ran = folder.flow(&["plan", "poster.flow"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("warning[over-budget]"), "{}", ran.err);
    assert!(ran.out.contains("above its budget of $0.10"), "{}", ran.out);
    let ran = folder.flow(&["plan", "poster.flow", "--strict"]);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_file_with_errors_has_diagnostics_instead_of_a_plan() {
    let folder = project("plan-errors", &POSTER.replacen("takes)", "taken)", 1));
    let ran = folder.flow(&["plan", "poster.flow", "--format", "json"]);
    assert_eq!(ran.code, Some(1));
    let whole = json(&ran.out);
    assert_eq!(whole["plan"], Value::Null);
    assert_eq!(whole["diagnostics"][0]["code"], "unknown-name");
}

#[test]
fn one_of_several_workflows_has_to_be_named() {
    let two = format!("{POSTER}\n{}", POSTER.replace("poster", "card"));
    let folder = project("plan-several", &two);
    folder.write("cards.flow", &two);
    let ran = folder.flow(&["plan", "poster.flow"]);
    assert_eq!(ran.code, Some(0), "it is named like the file: {}", ran.err);
    let ran = folder.flow(&["plan", "cards.flow"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("`cards.flow:poster`"), "{}", ran.err);
    let ran = folder.flow(&["plan", "cards.flow:card"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
