//! What declarations say, and what is said of wrong ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_syntax::span::Source;

use crate::settings::Settings;
use crate::{Compiled, Signatures, compile, stdlib};

fn signatures() -> Signatures {
    Signatures::read(&stdlib::sources()).0
}

pub(crate) fn compiled(files: &[(&str, &str)]) -> Compiled {
    let texts: BTreeMap<String, Arc<str>> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).into()))
        .collect();
    let (name, text) = files[0];
    let settings = Settings::default();
    compile(name, text.into(), &signatures(), &settings, &texts)
}

/// What is wrong with files, the entry first: `code at place: message`.
pub(crate) fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let compiled = compiled(files);
    let faults = compiled.diagnostics.iter().map(|diagnostic| {
        let span = diagnostic.primary.span;
        let place = compiled.source(span.source).map_or("", |at| at.slice(span));
        let code = diagnostic.code.name;
        format!("{code} at `{place}`: {}", diagnostic.message)
    });
    faults.collect()
}

/// Asserts that each text has exactly one fault, with a code at a place.
fn each_has(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let faults = faults(&[("a.flow", text)]);
        let fits = match faults.as_slice() {
            [] => expected.is_empty(),
            [fault] => !expected.is_empty() && fault.starts_with(expected),
            _ => false,
        };
        assert!(fits, "{text}\nexpected: {expected}\nfound: {faults:#?}");
    }
}

/// Asserts that a text of declared steps has exactly one fault.
fn each_step_has(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let mut signatures = signatures();
        let source = Source::new(signatures.next_source(), "steps/a.flow", *text);
        let faults: Vec<String> = signatures
            .extend(std::slice::from_ref(&source))
            .iter()
            .map(|fault| {
                let place = source.slice(fault.primary.span);
                format!("{} at `{place}`: {}", fault.code.name, fault.message)
            })
            .collect();
        let fits = match faults.as_slice() {
            [] => expected.is_empty(),
            [fault] => !expected.is_empty() && fault.starts_with(expected),
            _ => false,
        };
        assert!(fits, "{text}\nexpected: {expected}\nfound: {faults:#?}");
    }
}

#[test]
fn types_are_declared_in_any_order_and_across_files() {
    let files = [
        (
            "a.flow",
            r#"
use "lib/shots.flow" as lib
type Film = { shots: list<lib.Shot> max 24, cut: Cut? }
type Cut = { look: Look, at: float min 0.0 }
enum Look = noir | wide "16:9"
workflow w(film: Film, _look: Look = wide, _sizes: list<size> = [1x1]) -> lib.Shot {
  return film.shots[0]
}
"#,
        ),
        (
            "lib/shots.flow",
            "type Shot = { prompt: text min 1, seconds: float? }\n",
        ),
    ];
    assert_eq!(faults(&files), Vec::<String>::new());
    let compiled = compiled(&files);
    let film = compiled.workflows[0].params[0].ty.clone();
    assert_eq!(film.map(|ty| ty.to_string()).as_deref(), Some("Film"));
}

#[test]
fn wrong_types_are_reported_at_their_place() {
    each_has(&[
        ("type A = { x: string }\n", "unknown-type at `string`"),
        (
            "type A = { x: Lok }\nenum Look = a | b\n",
            "unknown-type at `Lok`",
        ),
        (
            "type A = { x: lib.Shot }\n",
            "unknown-type at `lib.Shot`: no file is used as `lib`",
        ),
        ("type A = list\n", "type-arguments at `list`"),
        ("type A = map<text, int>\n", "type-arguments at `text, int`"),
        ("type A = text<int>\n", "type-arguments at `int`"),
        (
            "type M = text?\ntype A = { x: M? }\n",
            "optional-twice at `?`",
        ),
        ("type A = { x: text, x: int }\n", "duplicate-name at `x`"),
        ("type A = { x: text = \"a\" }\n", "field-default at `\"a\"`"),
        ("type A = { const x: text }\n", "misplaced-const at `const`"),
        ("type A = text\ntype A = int\n", "duplicate-name at `A`"),
        ("type shot = text\n", "name-style at `shot`"),
        ("type text = int\n", "duplicate-name at `text`"),
        ("enum Look = noir | noir\n", "duplicate-name at `noir`"),
        ("enum Look = noir | Neon\n", "name-style at `Neon`"),
        (
            "enum Look = a \"x\" | b \"x\"\n",
            "duplicate-name at `\"x\"`",
        ),
        ("type A = { s: secret }\n", "misplaced-type at `secret`"),
        ("type A = { s: step }\n", "misplaced-type at `step`"),
    ]);
}

#[test]
fn wrong_refinements_are_reported() {
    each_has(&[
        ("type A = int in 8..1\n", "empty-range at `in 8..1`"),
        ("type A = int in 1..0.5\n", "bad-refinement at `0.5`"),
        ("type A = text in 1..8\n", "bad-refinement"),
        ("type A = bool min 1\n", "bad-refinement at `min 1`"),
        ("type A = list<int> max $3\n", "bad-refinement at `$3`"),
        ("type A = text matching \"[a\"\n", "bad-pattern at `\"[a\"`"),
        ("type A = int matching \"a\"\n", "bad-refinement"),
        (
            "type B = int in 1..8\ntype A = B min 9\n",
            "empty-range at `min 9`",
        ),
    ]);
}

#[test]
fn types_that_contain_themselves_are_reported_once() {
    each_has(&[
        (
            "type A = { a: list<A> }\n",
            "recursive-type at `A`: `A` contains itself: `A` → `A`",
        ),
        (
            "type A = { b: B }\ntype B = { c: C? }\ntype C = { a: map<A> }\n",
            "recursive-type at `A`: `A` contains itself: `A` → `B` → `C` → `A`",
        ),
    ]);
}

#[test]
fn types_that_double_with_each_name_are_bounded() {
    let double = |at: usize| match at {
        0 => "type A0 = { x: int }\n".to_owned(),
        at => format!("type A{at} = {{ l: A{0}, r: A{0} }}\n", at - 1),
    };
    let text: String = (0..60).map(double).collect();
    let faults = faults(&[("a.flow", &text)]);
    assert!(faults.len() == 1, "{faults:#?}");
    assert!(
        faults[0].starts_with("type-too-large at `A11`"),
        "{faults:#?}"
    );
    let nest = |at: usize| match at {
        0 => "type A0 = { x: int }\n".to_owned(),
        at => format!("type A{at} = list<A{}>\n", at - 1),
    };
    let text: String = (0..2_000).map(nest).collect();
    let faults = self::faults(&[("a.flow", &text)]);
    assert!(
        faults[0].starts_with("type-too-large at `A63`"),
        "{faults:#?}"
    );
}

#[test]
fn used_files_are_found_or_missed() {
    let one = |text: &str, expected: &str| {
        let files = [
            ("in/a.flow", text),
            ("b.flow", "type T = int\n"),
            ("in/c-d.flow", "type T = int\n"),
        ];
        let faults = faults(&files);
        let fits = matches!(faults.as_slice(), [fault] if fault.starts_with(expected));
        assert!(fits, "{text}\nexpected: {expected}\nfound: {faults:#?}");
    };
    one("use \"../x.flow\"\n", "missing-file at `\"../x.flow\"`");
    one(
        "use \"b.flow\"\ntype A = b.T\n",
        "missing-file at `\"b.flow\"`",
    );
    one("use \"../../b.flow\"\n", "bad-path at `\"../../b.flow\"`");
    one("use \"/b.flow\"\n", "bad-path");
    one("use \"c-d.flow\"\n", "name-style at `\"c-d.flow\"`");
    one("use \"../b.flow\"\n", "unused-use");
    one(
        "use \"../b.flow\"\nuse \"c-d.flow\" as b\ntype A = b.T\n",
        "duplicate-name at `b`",
    );
    one("use \"../b.flow\" as state\n", "duplicate-name at `state`");
    one("use \"../b.flow\"\ntype A = b.U\n", "unknown-type at `b.U`");
}

#[test]
fn files_that_use_each_other_are_reported() {
    let files = [
        ("a.flow", "use \"b.flow\"\ntype A = b.B\n"),
        ("b.flow", "use \"c.flow\"\ntype B = int\ntype C = c.C\n"),
        ("c.flow", "use \"a.flow\"\ntype C = a.A\n"),
    ];
    let faults = faults(&files);
    assert_eq!(
        faults,
        [
            "use-cycle at `\"a.flow\"`: files use each other in a circle: a.flow → b.flow → c.flow → a.flow"
        ]
    );
}

#[test]
fn workflow_heads_are_checked() {
    each_has(&[
        (
            "workflow w(_x: int) {}\nworkflow w() {}\n",
            "duplicate-name at `w`",
        ),
        ("workflow len() {}\n", "duplicate-name at `len`"),
        ("workflow run() {}\n", "duplicate-name at `run`"),
        ("workflow approve() {}\n", "duplicate-name at `approve`"),
        ("workflow Big() {}\n", "name-style at `Big`"),
        (
            "workflow w(_x: int, _x: int) {}\n",
            "duplicate-name at `_x`",
        ),
        (
            "workflow w(const _x: int) {}\n",
            "misplaced-const at `const`",
        ),
        ("workflow w(_x: int in 1..3 = 4) {}\n", "literal at `4`"),
        ("workflow w(_x: text = 3) {}\n", "type-mismatch at `3`"),
        ("workflow w(_x: text = pick([\"a\"])) {}\n", "bad-default"),
        (
            "workflow w(_x: list<secret>) {}\n",
            "misplaced-type at `secret`",
        ),
        ("workflow w(_x: step) {}\n", "misplaced-type at `step`"),
        ("step a.b() -> int effect pure\n", "misplaced-item at `a.b`"),
    ]);
}

#[test]
fn declared_steps_are_checked() {
    each_step_has(&[
        ("step a.b(x: int) -> int effect pure run \"./b\"\n", ""),
        (
            "step a.b<T>(x: list<T>, m: model = default, n: int in 1..4 = 1, tools: list<step>, k: secret?) -> T? effect paid cost price(m, image) * n pool provider(m) run \"./b\"\n",
            "",
        ),
        ("step a.b() -> int effect pure\n", "bad-run at `a.b`"),
        ("step a.b() -> int run \"./b\"\n", "bad-effect at `a.b`"),
        ("step a.b() -> int effect act run \"./b\"\n", "bad-effect"),
        (
            "step a.b() -> int effect pure | pure run \"./b\"\n",
            "bad-effect",
        ),
        (
            "step a.b() -> int effect paid run \"./b\"\n",
            "missing-cost at `a.b`",
        ),
        (
            "step a.b() -> int effect read cost $1 run \"./b\"\n",
            "bad-cost at `$1`",
        ),
        (
            "step a.b() -> int effect paid cost $1 * cuont run \"./b\"\n",
            "unknown-name at `cuont`",
        ),
        (
            "step a.b() -> int effect paid cost f(1) run \"./b\"\n",
            "bad-cost at `f`",
        ),
        (
            "step a.b(m: text) -> int effect paid cost price(m) run \"./b\"\n",
            "bad-cost at `price`",
        ),
        (
            "step file.read() -> int effect pure run \"./b\"\n",
            "duplicate-name at `file.read`",
        ),
        (
            "step len() -> int effect pure run \"./b\"\n",
            "duplicate-name at `len`",
        ),
        ("workflow w() {}\n", "misplaced-item at `w`"),
    ]);
}

#[test]
fn a_digest_ignores_documentation_prices_and_names_of_types() {
    let digest = |text: &str| {
        let mut signatures = signatures();
        let source = Source::new(signatures.next_source(), "steps/a.flow", text);
        signatures.extend(&[source]);
        signatures.steps["a.b"].digest.clone()
    };
    let plain = digest("step a.b(x: { n: int }) -> int effect paid cost $1 run \"./b\"\n");
    assert_eq!(plain.len(), 64);
    let same = "## It.\ntype X = { ## A number.\n n: int }\nstep a.b(x: X) -> int effect paid cost $2 run \"./b\"\n";
    assert_eq!(digest(same), plain);
    let other = "step a.b(x: { n: int? }) -> int effect paid cost $1 run \"./b\"\n";
    assert_ne!(digest(other), plain);
}
