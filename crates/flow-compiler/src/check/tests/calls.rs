//! The library, templates, files, secrets, and what can't be called.

use super::{check, check_with, faults, types};

#[test]
fn functions_have_types() {
    types(&[
        ("len(few)", "int in 0..3"),
        ("len(t)", "int min 0"),
        ("range(3)", "list<int> max 3"),
        ("range(2, n)", "list<int> max 6"),
        ("enumerate(few)", "list<{ index: int, item: int }> max 3"),
        ("zip(few, ts)", "list<{ first: int, second: text }> max 3"),
        ("flatten(nested)", "list<int>"),
        ("flatten([few, few])", "list<int> max 6"),
        ("unique(sort(reverse(few)))", "list<int> max 3"),
        ("take(xs, 2)", "list<int> max 2"),
        ("take(few, n)", "list<int> max 3"),
        ("skip(few, 1)", "list<int> max 2"),
        ("sum([1.5, 2])", "float"),
        ("sum([amount, $1])", "money"),
        ("min(xs)", "int?"),
        ("max(ts) ?? \"\"", "text"),
        ("argmax(xs)", "int?"),
        ("any([i > 2 for i in xs])", "bool"),
        ("contains(ts, \"a\")", "bool"),
        ("contains(m, \"a\")", "bool"),
        ("contains(t, \"a\")", "bool"),
        ("split(t, \",\")", "list<text>"),
        ("join(ts)", "text"),
        ("join(ts, \", \")", "text"),
        ("get(shots, 0)", "Shot?"),
        ("get(m, \"a\")", "int?"),
        ("first(shots)", "Shot?"),
        ("keys(m)", "list<text>"),
        ("values(m)", "list<int>"),
        ("date(run.started)", "text"),
        ("format(f, \"0.00\")", "text"),
        ("json(shot)", "text"),
        ("pick([\"rain\", \"snow\"], weights: [1, 2])", "text"),
        ("shuffle(few)", "list<int> max 3"),
        ("upper(trim(t))", "text"),
        ("replace(t, \"a\", \"b\")", "text"),
        ("starts_with(t, \"a\")", "bool"),
        ("round(f) + floor(n)", "int"),
        ("abs(-n)", "int"),
        ("number(t) ?? 0.0", "float"),
    ]);
}

#[test]
fn draws_are_numbered() {
    let found = check("[pick(xs), pick(xs)]");
    assert!(found.shown.contains("Some(0)") && found.shown.contains("Some(1)"));
}

#[test]
fn wrong_calls_are_answered() {
    faults(&[
        ("len()", "arguments at `len()`", "one argument"),
        ("len(xs, ts)", "arguments at `len(xs, ts)`", "one argument"),
        ("take(xs)", "arguments at `take(xs)`", "take(list, count)"),
        (
            "pick(xs, wieghts: [1])",
            "arguments at `wieghts`",
            "`weights`",
        ),
        ("len(n)", "type-mismatch at `n`", "a list, a map or a text"),
        ("sort(shots)", "type-mismatch at `shots`", "`sort` takes"),
        ("sum(ts)", "type-mismatch at `ts`", "`sum` takes"),
        ("join(xs, \",\")", "type-mismatch at `xs`", "for x in xs"),
        ("json(key)", "secret-use at `key`", "secret"),
        ("json(img)", "type-mismatch at `img`", "JSON"),
        ("pick([])", "type-unknown at `[]`", "list<text>"),
        (
            "pick([1, 2], weights: [1])",
            "always-fails at `[1]`",
            "2 items and 1 weights",
        ),
        ("length(xs)", "unknown-function at `length`", "`len(x)`"),
        ("map(xs)", "unknown-function at `map`", "for x in xs"),
        ("now()", "unknown-function at `now`", "run.started"),
        ("lenn(xs)", "unknown-function at `lenn`", "`len`"),
        ("t.upper()", "unknown-function at `t.upper`", "upper(t"),
        ("[i for i in n]", "type-mismatch at `n`", "range(n)"),
        (
            "fixture(\"a.png\")",
            "misplaced-fixture at `\"a.png\"`",
            "file(",
        ),
        (
            "secret(\"sk-live-1\")",
            "literal at `\"sk-live-1\"`",
            "name",
        ),
        (
            "secret(\"${t}\")",
            "not-constant at `\"${t}\"`",
            "without holes",
        ),
        (
            "file(\"/etc/passwd\")",
            "bad-path at `\"/etc/passwd\"`",
            "project",
        ),
        (
            "file(\"../../a.png\")",
            "bad-path at `\"../../a.png\"`",
            "project",
        ),
    ]);
}

#[test]
fn a_step_is_not_called_inside_an_expression() {
    let found = check("[gen.image(prompt: t)]");
    assert_eq!(found.codes(), ["nested-call at `gen.image(prompt: t)`"]);
    assert_eq!(
        found.fixed(),
        "  image = gen.image(prompt: t)\n  x = [image]"
    );
}

#[test]
fn files_are_what_is_wanted_or_what_they_end_with() {
    types(&[
        ("file(\"songs/a.flac\")", "audio"),
        ("file(\"a.PNG\")", "image"),
        ("file(\"a.bin\")", "file"),
    ]);
    let found = check_with("  x: video = file(\"a.bin\")", &[]);
    assert_eq!(found.codes(), [""; 0]);
    assert!(found.shown.contains("a/a.bin"), "{}", found.shown);
}

#[test]
fn templates_are_read_and_checked_where_they_stand() {
    let x = "  x = template(\"p/x.j2\", { theme: t, shots })";
    let fine = "{{ theme }}{% for s in shots %}{{ s.prompt }}{% endfor %}";
    let found = check_with(x, &[("a/p/x.j2", fine)]);
    assert_eq!(found.codes(), [""; 0], "{:?}", found.said);
    assert_eq!(found.ty.as_deref(), Some("text"));
    let found = check_with(x, &[("a/p/x.j2", "{{ thema }}")]);
    assert_eq!(found.codes(), ["template-name at `thema`"]);
    let found = check_with(x, &[("a/p/x.j2", "{{ theme")]);
    assert!(found.codes()[0].starts_with("template-syntax"));
    let found = check_with(x, &[]);
    assert_eq!(found.codes(), ["missing-file at `\"p/x.j2\"`"]);
    let around = "{% include \"y.j2\" %}";
    let files = [("a/p/x.j2", around), ("a/p/y.j2", "{{ thema }}")];
    let found = check_with(x, &files);
    assert_eq!(found.codes(), ["template-name at `thema`"]);
    let circle = [("a/p/x.j2", around), ("a/p/y.j2", "{% include \"y.j2\" %}")];
    let found = check_with(x, &circle);
    assert!(
        found.codes()[0].starts_with("template-include"),
        "{:?}",
        found.codes()
    );
}
