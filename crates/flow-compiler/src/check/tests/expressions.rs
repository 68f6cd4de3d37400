//! Names, fields, operators, lists, records and conditions.

use super::{check, check_with, faults, types};

#[test]
fn operators_have_the_types_of_their_values() {
    types(&[
        ("1 + 2", "int"),
        ("1 / 2", "float"),
        ("n + 1", "int in 2..9"),
        ("n * f", "float"),
        ("7 % n", "int"),
        ("amount * 2", "money"),
        ("amount / amount", "float"),
        ("0.5 * amount", "money"),
        ("length + 30s", "duration"),
        ("run.started + 2h", "time"),
        ("run.started - run.started", "duration"),
        ("-n", "int in -8..-1"),
        ("n == 3 and b or not b", "bool"),
        ("f < 3", "bool"),
        ("\"a\" in t", "bool"),
        ("3 in xs", "bool"),
        ("\"k\" in m", "bool"),
        ("count == 3", "bool"),
        ("look == noir", "bool"),
        ("noir == look", "bool"),
        ("maybe ?? \"a\"", "text"),
        ("count ?? 0.5", "float"),
        ("if b then 1 else 2.5", "float"),
        ("if b then t else none", "text?"),
        ("if b then n else 9", "int"),
        ("[n, 9]", "list<int> max 2"),
        ("[{ a: n }, { a: 9 }]", "list<{ a: int }> max 2"),
    ]);
}

#[test]
fn fields_and_items_have_the_types_of_what_holds_them() {
    types(&[
        ("shot.prompt", "text"),
        ("shot.mood", "text?"),
        ("shots[0].seconds", "float?"),
        ("m[\"a\"]", "int"),
        ("img.width * img.height", "int"),
        ("clip.seconds + song.seconds", "float"),
        ("size.width", "int"),
        ("img.digest", "text"),
        ("run.seed", "int"),
        ("run.scheduled", "time?"),
        ("Look.neon", "Look"),
    ]);
}

#[test]
fn lists_and_records_are_what_they_hold() {
    types(&[
        ("[1, 2, 3]", "list<int> max 3"),
        ("[1, 2.5]", "list<float> max 2"),
        ("[t, none]", "list<text?> max 2"),
        ("[s.prompt for s in shots]", "list<text>"),
        ("[i * 2 for i in few if i > 1]", "list<int> max 3"),
        ("{ t, n: 3 }", "{ t: text, n: int }"),
        (
            "{ ...shot, mood: \"dark\" }",
            "{ prompt: text, mood: text, seconds: float? }",
        ),
        ("[{ a: 1 }, { a: 2 }]", "list<{ a: int }> max 2"),
    ]);
}

#[test]
fn what_is_asked_is_known_afterwards() {
    types(&[
        ("if maybe is some then maybe else t", "text"),
        ("if maybe is none then t else maybe", "text"),
        ("maybe is some and len(maybe) > 3", "bool"),
        ("maybe is none or len(maybe) > 3", "bool"),
        ("if not (maybe is none) then maybe else t", "text"),
        ("if shot.mood is some then shot.mood else t", "text"),
        (
            "if shot2 is some and shot2.mood is some then shot2.mood else t",
            "text",
        ),
        ("[s.mood for s in shots if s.mood is some]", "list<text>"),
    ]);
    faults(&[(
        "if maybe is some or b then len(maybe) else 0",
        "optional-unhandled at `maybe`",
        "`len` takes",
    )]);
}

#[test]
fn operands_that_do_not_go_together_are_answered() {
    faults(&[
        ("t + t", "type-mismatch at `+`", "`\"${t}${t}\"`"),
        ("t + 3", "type-mismatch at `+`", "`\"${t}${3}\"`"),
        ("xs + xs", "type-mismatch at `+`", "flatten([a, b])"),
        ("n == t", "type-mismatch at `==`", "number(x)"),
        ("maybe + t", "optional-unhandled at `maybe`", "maybe ?? …"),
        (
            "count > 3",
            "optional-unhandled at `count`",
            "count is some",
        ),
        (
            "maybe == none",
            "type-mismatch at `maybe == none`",
            "`maybe is none`",
        ),
        ("t ?? \"a\"", "never-missing at `??`", "leave `??`"),
        ("amount + 1", "type-mismatch at `+`", "currency"),
        ("length > 30", "type-mismatch at `>`", "unit"),
        ("1 / 0", "always-fails at `0`", "zero"),
        ("key == key", "secret-use at `key == key`", "secret"),
        ("few[3]", "always-fails at `3`", "at most 3"),
        ("xs[-1]", "always-fails at `-1`", "last(xs)"),
        ("t[0]", "type-mismatch at `t`", "no positions"),
    ]);
    assert_eq!(
        check("t + \" and \" + t").fixed(),
        "  x = \"${t} and \" + t"
    );
}

#[test]
fn conditions_are_bools() {
    faults(&[
        ("if t then 1 else 2", "no-truthiness at `t`", "len(t) > 0"),
        ("not xs", "no-truthiness at `xs`", "len(xs) > 0"),
        ("b and maybe", "no-truthiness at `maybe`", "maybe is some"),
        ("n or b", "no-truthiness at `n`", "n != 0"),
    ]);
}

#[test]
fn names_that_stand_for_nothing_are_answered() {
    faults(&[
        ("shost", "unknown-name at `shost`", "`shot`"),
        ("noir", "unknown-name at `noir`", "a value of `Look`"),
        ("Look", "unknown-name at `Look`", "is a type"),
        ("len", "unknown-name at `len`", "call it"),
        (
            "gen.image",
            "unknown-name at `gen.image`",
            "something to call",
        ),
        ("shot.promt", "unknown-field at `promt`", "`prompt`"),
        ("img.fps", "unknown-field at `fps`", "`width`"),
        (
            "shots.prompt",
            "unknown-field at `prompt`",
            "[item.prompt for item in shots]",
        ),
        ("xs.length", "unknown-field at `length`", "len(xs)"),
        (
            "shot2.mood",
            "optional-unhandled at `shot2`",
            "if shot2 is some",
        ),
        ("Look.nior", "unknown-variant at `nior`", "`noir`"),
        ("event", "unknown-name at `event`", "trigger"),
    ]);
    assert_eq!(check("noir").fixed(), "  x = Look.noir");
}

#[test]
fn an_enum_value_and_a_binding_of_one_name_are_kept_apart() {
    let found = check_with("  noir = look\n  x: Look = noir", &[]);
    assert_eq!(found.codes(), ["enum-ambiguous at `noir`"]);
    assert_eq!(found.fixed(), "  noir = look\n  x: Look = Look.noir");
    let found = check_with("  noir = 3\n  x: Look = noir\n  y = noir", &[]);
    assert_eq!(found.codes(), [""; 0]);
}

#[test]
fn what_has_no_type_of_its_own_is_asked_for_one() {
    let found = check_with("  x: list<Shot> = []", &[]);
    assert_eq!(found.ty.as_deref(), Some("list<Shot>"));
    faults(&[
        ("[]", "type-unknown at `[]`", "x: list<text> = []"),
        ("none", "type-unknown at `none`", "x: text? = none"),
        ("{ a: none }", "type-unknown at `{ a: none }`", "type"),
    ]);
    let found = check_with("  x: Shot = { prompt: t }", &[]);
    assert_eq!(found.codes(), [""; 0]);
    let found = check_with("  x: Shot = { mood: t, promt: t }", &[]);
    assert_eq!(found.codes(), ["unknown-field at `promt`"]);
    let found = check_with("  x: float = if b then 1 else n", &[]);
    assert_eq!(found.codes(), [""; 0]);
    assert!(found.shown.contains("Widen"), "{}", found.shown);
    let found = check_with("  x: json = { a: [1, t, none], b: { look } }", &[]);
    assert_eq!(found.codes(), [""; 0]);
    assert!(found.shown.contains("Outside"), "{}", found.shown);
}

#[test]
fn nesting_is_bounded() {
    let long = vec!["n"; 300].join(" + ");
    let found = check(&long);
    let deep = found
        .codes()
        .iter()
        .all(|code| code.starts_with("too-deep"));
    assert!(deep && !found.said.is_empty(), "{:?}", found.codes());
}

#[test]
fn types_that_double_with_every_statement_are_bounded() {
    let mut body = String::from("  x0 = { a: n, b: n }\n");
    for at in 1..60 {
        let last = at - 1;
        let line = format!("  x{at} = {{ a: x{last}, b: x{last} }}\n");
        body.push_str(&line);
    }
    let found = check_with(&body, &[]);
    assert_eq!(found.codes().len(), 1);
    assert!(found.codes()[0].starts_with("type-too-large"));
}
