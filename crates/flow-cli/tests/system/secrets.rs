//! Rule 14: secrets appear only as names.

use serde_json::Value;

use crate::folder::Folder;

const SECRET: &str = "hunter2-sk-live";

const LETTER: &str = "\
workflow letter(token: secret) -> text {
  page = http.get(
    \"https://example.org/\",
    secrets: { Authorization: token, Cookie: secret(\"SESSION\") },
  )
  return page.text
}
";

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("letter.flow", LETTER);
    folder
}

#[test]
fn what_the_environment_calls_like_a_secret_is_never_looked_at() {
    let folder = folder("secrets-environment");
    for args in [
        &["plan", "letter.flow", "--format", "json", "token=SESSION"][..],
        &["plan", "letter.flow", "token=SESSION"],
        &["graph", "letter.flow", "--format", "svg"],
        &["validate", "--format", "json"],
    ] {
        let mut command = folder.command(args);
        let ran = command.env("SESSION", SECRET).output().unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(0), "{args:?}: {err}");
        let out = String::from_utf8(ran.stdout).unwrap();
        assert!(!out.contains(SECRET) && !err.contains(SECRET), "{args:?}");
    }
}

#[test]
fn a_pasted_secret_is_refused_and_not_repeated() {
    let folder = folder("secrets-pasted");
    let pasted = format!("token={SECRET}");
    let ran = folder.flow(&["plan", "letter.flow", &pasted]);
    assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{}", ran.err);
    assert!(!ran.err.contains(SECRET), "{}", ran.err);
    folder.write("pasted.flow", LETTER.replace("SESSION", SECRET));
    let ran = folder.flow(&["plan", "pasted.flow", "--format", "json"]);
    let whole: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(whole["plan"], Value::Null, "there is no plan with it");
    let messages = whole["diagnostics"].as_array().unwrap();
    assert!(!messages.is_empty());
    for message in messages {
        assert!(!message.to_string().contains(SECRET), "{message}");
    }
}
