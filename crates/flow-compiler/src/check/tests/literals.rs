//! Literals and texts, and YAML scalars.

use super::{check, check_with, faults, types};

#[test]
fn literals_have_their_own_types() {
    types(&[
        ("3", "int"),
        ("0.5", "float"),
        ("true", "bool"),
        ("$0.50", "money"),
        ("1h30m", "duration"),
        ("1080x1920", "size"),
        (
            "\"a ${n} ${f} ${b} ${look} ${amount} ${length} ${size}\"",
            "text",
        ),
    ]);
}

#[test]
fn literals_are_read_by_the_expected_type() {
    let fine = [
        "x: float = 3",
        "x: int in 1..8 = 8",
        "x: list<float> = [1, 2]",
        "x: int? = 3",
        "x: model = \"local/sketch\"",
        "x: text max 3 = \"abc\"",
        "x: float = -1",
        "x: map<float> = { a: 1, \"b c\": 2 }",
        "x: Look = neon",
        "x: list<Look> = [neon, Look.noir]",
    ];
    for body in fine {
        let found = check_with(&format!("  {body}"), &[]);
        assert_eq!(found.codes(), [""; 0], "{body}: {:?}", found.said);
        assert!(!found.shown.contains("Check"), "{body}: {}", found.shown);
    }
    let faulty = [
        ("x: int in 1..8 = 9", "literal at `9`", "int in 1..8"),
        ("x: duration = 30", "type-mismatch at `30`", "30s"),
        ("x: money = 3", "type-mismatch at `3`", "$3"),
        ("x: int = 2.5", "type-mismatch at `2.5`", "round("),
        (
            "x: Look = \"noir\"",
            "type-mismatch at `\"noir\"`",
            "without quotes",
        ),
        ("x: Look = nior", "unknown-variant at `nior`", "`noir`"),
        (
            "x: text max 3 = \"abcd\"",
            "literal at `\"abcd\"`",
            "text max 3",
        ),
        (
            "x: text = maybe",
            "optional-unhandled at `maybe`",
            "maybe ?? …",
        ),
        ("x: text = n", "type-mismatch at `n`", "${n}"),
        ("x: list<int> = n", "type-mismatch at `n`", "[n]"),
        ("x: int = xs", "type-mismatch at `xs`", "xs[0]"),
        ("x: text = ts", "type-mismatch at `ts`", "join(ts, \", \")"),
        (
            "x: image = \"a.png\"",
            "type-mismatch at `\"a.png\"`",
            "file(",
        ),
        ("x: text = key", "secret-use at `key`", "secret"),
        (
            "x: list<float> = xs",
            "type-mismatch at `xs`",
            "not widened",
        ),
    ];
    for (body, code, part) in faulty {
        let found = check_with(&format!("  {body}"), &[]);
        assert_eq!(found.codes(), [code], "{body}: {:?}", found.said);
        let said = format!(
            "{}\n{}",
            found.said[0].message,
            found.said[0].helps.join("\n")
        );
        assert!(said.contains(part), "{body}: {said}");
    }
    let found = check_with("  x: int in 2..4 = n", &[]);
    assert!(found.shown.contains("Check"), "{}", found.shown);
}

#[test]
fn holes_take_what_can_be_written() {
    faults(&[
        (
            "\"${maybe}\"",
            "optional-unhandled at `maybe`",
            "maybe ?? \"\"",
        ),
        ("\"${ts}\"", "hole-type at `ts`", "join(ts, \", \")"),
        ("\"${shot}\"", "hole-type at `shot`", "json(shot)"),
        ("\"${img}\"", "hole-type at `img`", "argument"),
        ("\"${key}\"", "secret-use at `key`", "secret"),
        ("\"${HOME}\"", "unknown-name at `HOME`", "`$${HOME}`"),
        ("\"a {t} b\"", "brace-in-text at `{t}`", "`${t}`"),
    ]);
    assert_eq!(check("\"${HOME}\"").fixed(), "  x = \"$${HOME}\"");
    assert_eq!(check("\"a {t} b\"").fixed(), "  x = \"a ${t} b\"");
    for fine in [
        "'{t}'",
        "\"{ t }\"",
        "\"{\\\"t\\\": 1}\"",
        "\"$0.50 {nobody}\"",
    ] {
        assert_eq!(check(fine).codes(), [""; 0], "{fine}");
    }
    assert!(check("\"${ratio}\"").shown.contains("Outside"));
}

#[test]
fn yaml_scalars_are_read_by_the_expected_type() {
    let text = r#"
types:
  Shot: { prompt: text, seconds: "float?" }
workflow: w
inputs:
  t: text
  n: int
steps:
  - { id: a, type: text, value: 3.10 }
  - { id: b, type: bool, value: true }
  - { id: c, type: duration, value: 30s }
  - { id: d, type: "list<float>", value: [1, 2.5] }
  - { id: e, type: Shot, value: { prompt: no, seconds: 2 } }
  - { id: f, type: image, value: { file: a.png } }
  - { id: g, type: text, value: { template: x.j2, data: { t: "${t}" } } }
  - { id: i, type: int, value: "${n + 1}" }
  - { id: j, value: { x: 1, y: "1", z: none } }
  - { id: k, type: json, value: { x: 1, y: "1", z: none } }
"#;
    let found = super::compile("a/w.flow.yaml", text, &[("a/x.j2", "{{ t }}")]);
    assert_eq!(
        found.codes(),
        ["type-unknown at `{ x: 1, y: \"1\", z: none }`"],
        "{:?}",
        found.said
    );
}
