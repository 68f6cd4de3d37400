//! Each habit of another language gives its own code.

use super::{parse, said};

/// Statements of a workflow, and the codes they give.
const STATEMENTS: &[(&str, &[&str])] = &[
    ("x == 3", &["equals"]),
    ("x := 3", &["equals"]),
    ("if a = 3 { f.b() }", &["equals"]),
    ("x = f.a(b = 1)", &["equals"]),
    ("x = { a = 1 }", &["equals"]),
    ("x = a && b", &["foreign-operator"]),
    ("x = a || b", &["foreign-operator"]),
    ("x = !a", &["foreign-operator"]),
    ("x = a === b", &["foreign-operator"]),
    ("x = a AND b", &["foreign-operator"]),
    ("x = a not in b", &["foreign-operator"]),
    ("x = a is not none", &["foreign-operator"]),
    ("x += 1", &["foreign-operator"]),
    ("x = a | b", &["foreign-operator"]),
    ("x = (y) => y", &["foreign-operator"]),
    ("x = 1..5", &["foreign-operator"]),
    ("x = xs[1:2]", &["foreign-operator"]),
    ("x = f(a) .g(b)", &["foreign-operator"]),
    ("x = null", &["null-literal"]),
    ("x = f.a(b: None)", &["null-literal"]),
    ("x = True", &["foreign-word"]),
    ("x = a ? b : c", &["ternary"]),
    ("x = b if a else c", &["ternary"]),
    ("x = f.a(b: c if d else e)", &["ternary"]),
    ("x = {{ a }}", &["template-expression"]),
    ("x = ${a}", &["template-expression"]),
    ("x = \"{{ a }}\"", &["template-braces"]),
    ("x = $.steps.a", &["jsonpath"]),
    ("x = f.a(b: $x)", &["jsonpath"]),
    ("match = f.a()", &["keyword-as-name"]),
    ("for in in xs { f.a() }", &["keyword-as-name"]),
    ("in = 3", &["keyword-as-name"]),
    ("matrix x { }", &["reserved-word"]),
    ("let x = 3", &["foreign-binding"]),
    ("const x = 3", &["foreign-binding"]),
    ("while x < 3 { y = f.a() }", &["foreign-word"]),
    ("switch x { y = f.a() }", &["foreign-word"]),
    ("try { y = f.a() }", &["foreign-word"]),
    ("x = await f.a()", &["foreign-word"]),
    ("if a { f.b() } elif c { f.d() }", &["foreign-word"]),
    ("if a then { f.b() }", &["foreign-word"]),
    ("for x of xs { f.a() }", &["foreign-word"]),
    ("x = 1;", &["semicolon"]),
    ("x = 1,", &["semicolon"]),
    ("x = f\"{y}\"", &["foreign-text"]),
    ("x = `a`", &["foreign-text"]),
    ("// a \"comment", &["foreign-comment"]),
    ("/* a\n ( comment */ x = 1", &["foreign-comment"]),
    ("x = 1.", &["bad-number"]),
    ("x = .5", &["bad-number"]),
    ("x = 5min", &["bad-number"]),
    ("x = f.a() timeout 10 s", &["bad-number"]),
    ("x = f.a(t: 2 minutes)", &["bad-number"]),
    ("x = €5", &["bad-number"]),
    ("x = 5$", &["bad-number"]),
    ("x = f.a() budget $5 USD", &["bad-number"]),
    ("x = 24fps", &["bad-number"]),
    ("retries: 3", &["misplaced-clause"]),
    ("retry 3", &["misplaced-clause"]),
    ("x = f.a() { retry: 3 }", &["misplaced-clause"]),
    ("x = f.a() timeout 2 * m", &["clause-operand"]),
    ("@cached\n x = f.a()", &["foreign-operator"]),
    ("x = a < b < c", &["chained-comparison"]),
    ("x = f.a(b: 1 c: 2)", &["missing-comma"]),
    ("x = [a\n  b]", &["missing-comma"]),
    ("x = f.a(b\n  y = 3", &["unclosed"]),
    ("x = [a, b\n  y = f.b()", &["unclosed"]),
    ("x = f.a(b))", &["unclosed"]),
    ("if a { film, cut }", &["missing-yield"]),
    ("if a { film }", &["useless-expression"]),
    ("if a { f.b() } else f.c()", &["misplaced-else"]),
    ("if a { return 3 }", &["early-return"]),
    ("if a { yield 3 f.c() }", &["yield-not-last"]),
    ("if a { yield 3 yield 4 }", &["yield-not-last"]),
    ("my-name = f.a()", &["bad-name"]),
    ("größe = f.a()", &["bad-name"]),
    ("x = \"a", &["open-text"]),
    ("x = \"a ${b\"", &["open-hole"]),
    ("x = \"\\q\"", &["bad-escape"]),
    ("x = “a”", &["stray-character"]),
    ("x = a \u{0} b", &["stray-character"]),
    ("x = \"\"\"\n a\n   \"\"\"", &["text-indentation"]),
    ("x = \"\"\"a\n  b\"\"\"", &["text-indentation"]),
    ("x = a +", &["syntax"]),
    ("x = a +\n  y = 3", &["syntax"]),
    (
        "for x in xs parallel 3 parallel 4 { f.a() }",
        &["said-twice"],
    ),
];

/// Whole files.
const FILES: &[(&str, &[&str])] = &[
    ("import \"a.flow\"", &["foreign-word"]),
    ("def f() { }", &["foreign-word"]),
    ("workfow w() { x = f.a() }", &["syntax"]),
    ("x = f.a()", &["syntax"]),
    ("workflow w { x = f.a() }", &["syntax"]),
    ("enum A { b, c }", &["syntax"]),
    ("enum A = b, c", &["syntax"]),
    ("type A { b: text }", &["syntax"]),
    ("use \"a${b}\" as c", &["unexpected-hole"]),
    (
        "workflow w() {\n  x = f.a()\n\nworkflow v() { }",
        &["unclosed"],
    ),
    (
        "workflow w() {\n  if a {\n    f.b()\n}\n\nworkflow v() { }",
        &["unclosed"],
    ),
    ("workflow w() { } }", &["unclosed"]),
    (
        "workflow w() {\n  x = \"\"\"\n a\n}\nenum A = b\nenum = c",
        &["open-text", "syntax"],
    ),
];

fn codes(text: &str) -> Vec<&'static str> {
    let diagnostics = parse(text).diagnostics;
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.name)
        .collect()
}

#[test]
fn each_habit_has_its_code() {
    let inside = |text: &str| format!("workflow w() {{\n  {text}\n  last = f.z()\n}}\n");
    let statements = STATEMENTS
        .iter()
        .map(|(text, codes)| (inside(text), *codes));
    let files = FILES
        .iter()
        .map(|(text, codes)| ((*text).to_owned(), *codes));
    let mut wrong = Vec::new();
    for (text, expected) in statements.chain(files) {
        if codes(&text) != expected {
            wrong.push(format!(
                "{text}\n  expected {expected:?}\n  {:#?}",
                said(&text)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
