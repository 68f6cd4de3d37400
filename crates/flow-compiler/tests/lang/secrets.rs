//! Plans know secrets by their names only.

use serde_json::Value;

use crate::project::{compile, root};

const CALL: &str = "http.get(\"https://example.org/\", secrets: { Cookie: COOKIE })";

fn plan(cookie: &str) -> Option<Value> {
    let call = CALL.replace("COOKIE", cookie);
    let text = format!("workflow w() -> text {{\n  page = {call}\n  return page.text\n}}\n");
    let compiled = compile(&root(), "w.flow", &text);
    let plan = compiled.workflows[0].plan.as_ref()?;
    Some(serde_json::from_str(&plan.to_json()).unwrap())
}

/// Looks at every value of a stored plan.
fn walk<'a>(value: &'a Value, see: &mut dyn FnMut(&'a Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        Value::Object(fields) => fields.values().for_each(|field| walk(field, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_secret_is_stored_as_its_name_and_nothing_else() {
    let plan = plan("secret(\"SESSION\")").unwrap();
    let mut secrets = Vec::new();
    walk(&plan, &mut |value| secrets.extend(value.get("secret")));
    assert_eq!(secrets, ["SESSION"], "{plan:#}");
    let mut mentions = 0;
    walk(&plan, &mut |value| {
        let text = value.as_str().unwrap_or_default();
        mentions += usize::from(text.contains("SESSION"));
    });
    assert_eq!(mentions, 1, "{plan:#}");
}

#[test]
fn what_can_be_no_name_of_a_secret_gets_into_no_plan() {
    for pasted in ["\"hunter2\"", "secret(\"hunter2-sk-live\")", "secret(\"\")"] {
        assert_eq!(plan(pasted), None, "{pasted}");
    }
}
