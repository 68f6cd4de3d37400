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

const TELL: &str = "\
workflow tell(token: secret) -> text {
  ran = shell.script(\"echo it is $T\", secrets: { T: token })
  return ran.text
}
";

/// A project with a secret in its `.env`, which only its owner can read.
fn vault(name: &str, text: &str) -> Folder {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new(name);
    folder.write("tell.flow", TELL);
    let path = folder.write(".env", text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

fn tell(folder: &Folder, name: &str, environment: Option<&str>) -> (i32, String, String) {
    let mut command = folder.command(&["run", "tell.flow", &format!("token={name}"), "--fresh"]);
    command.env_remove("FOX");
    if let Some(value) = environment {
        command.env("FOX", value);
    }
    let ran = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        ran.status.code().unwrap(),
        text(ran.stdout),
        text(ran.stderr),
    )
}

#[test]
fn a_secret_is_in_the_environment_or_else_in_the_file() {
    let folder = vault("secrets-file", "FOX=hunter2-in-the-file\n");
    let (code, out, err) = tell(&folder, "FOX", None);
    assert_eq!((code, &*out), (0, "\"it is ***\"\n"), "{err}");
    assert!(!err.contains("warning"), "{err}");
    // The environment wins.
    let length = TELL.replace("it is $T", "it is ${#T} long");
    let length = length.replace("\"echo", "'echo").replace("long\"", "long'");
    folder.write("tell.flow", length);
    let (code, out, err) = tell(&folder, "FOX", Some("hunter2"));
    assert_eq!((code, &*out), (0, "\"it is 7 long\"\n"), "{err}");
}

#[test]
fn a_file_that_can_not_be_read_stops_a_run_that_needs_it() {
    let folder = vault("secrets-broken", "A=1\n\nhunter2\n");
    let (code, out, err) = tell(&folder, "FOX", None);
    assert_eq!((code, &*out), (3, ""));
    assert_eq!(
        err,
        "error: `.env:3`: there is no `=`; write `NAME=value`\n"
    );
    // Nothing has begun.
    let runs = folder.flow(&["runs"]);
    assert!(
        runs.err.contains("there are no runs"),
        "{} {}",
        runs.out,
        runs.err
    );
    // Who has it from elsewhere doesn't need the file.
    assert_eq!(tell(&folder, "FOX", Some("hunter2")).0, 0);
    let folder = vault("secrets-letters", "A=1\n");
    folder.write(".env", b"A=1\nB=\xff\n");
    let (code, _, err) = tell(&folder, "FOX", None);
    assert_eq!((code, &*err), (3, "error: `.env:2`: this is not UTF-8\n"));
}

#[test]
fn a_secret_that_is_too_short_or_empty_is_none() {
    let folder = vault("secrets-short", "SHORT=abc\nEMPTY=\n");
    let (code, _, err) = tell(&folder, "SHORT", None);
    assert_eq!(code, 4);
    assert!(
        err.contains("the secret `SHORT` has fewer than 4 letters"),
        "{err}"
    );
    let (_, _, err) = tell(&folder, "EMPTY", None);
    assert!(err.contains("the secret `EMPTY` is not set"), "{err}");
}

#[test]
fn a_file_that_others_see_is_warned_of_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = vault("secrets-seen", "FOX=hunter2\n");
    let path = folder.path().join(".env");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let made = std::process::Command::new("git")
        .args(["init", "--quiet"])
        .current_dir(folder.path())
        .status();
    assert!(made.unwrap().success());
    let (code, _, err) = tell(&folder, "FOX", None);
    assert_eq!(code, 0, "{err}");
    let warnings: Vec<&str> = err
        .lines()
        .filter(|line| line.starts_with("warning"))
        .collect();
    assert_eq!(warnings.len(), 2, "{err}");
    assert!(warnings[0].contains("chmod 600 .env") && warnings[1].contains(".gitignore"));
    folder.write(".gitignore", ".env\n");
    let (_, _, err) = tell(&folder, "FOX", None);
    assert!(
        !err.contains(".gitignore") && err.contains("chmod"),
        "{err}"
    );
}
