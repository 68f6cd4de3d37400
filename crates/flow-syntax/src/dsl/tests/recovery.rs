//! One mistake gives one message and hides nothing behind it; no bytes whatever
//! stop the reader.

use super::{GOOD, parse, said};
use crate::ast::{ItemKind, Stmt, Value};

#[test]
fn five_mistakes_in_five_statements_give_five_messages() {
    let text = "\
workflow w(a: text) {
  b = f.a(x = 1)
  c = f.b(a
  for x inn a {
    d = f.c(a b)
    e = f.d(x)
  }
  if a = b {
    g = f.e()
  }
  h = f.f(a)
}
enum A = b
";
    let codes: Vec<_> = parse(text)
        .diagnostics
        .iter()
        .map(|d| d.code.name)
        .collect();
    assert_eq!(
        codes,
        ["equals", "unclosed", "syntax", "missing-comma", "equals"],
        "{:#?}",
        said(text)
    );
    assert!(matches!(parse(text).file.items[1].kind, ItemKind::Enum(_)));
}

#[test]
fn a_broken_statement_keeps_its_name() {
    let parsed = parse("workflow w() {\n  a = f.a(\n  b = f.b()\n}\n");
    let ItemKind::Workflow(workflow) = &parsed.file.items[0].kind else {
        panic!("{parsed:?}");
    };
    let name = |stmt: &Stmt| stmt.name.as_ref().map(|name| name.text.clone());
    let names: Vec<_> = workflow.body.stmts.iter().filter_map(name).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(matches!(workflow.body.stmts[0].value, Value::Error(_)));
}

#[test]
fn a_broken_declaration_hides_no_other() {
    let text = "enum = a\ntype A = \nworkflow w( {\n  a = f.a(x = 1)\n}\ntrigger t = w()\ntest \"a\" {\n  expect = 3\n  stub a.b = 1\n}\n";
    assert_eq!(parse(text).file.items.len(), 5, "{:#?}", said(text));
    assert_eq!(parse(text).diagnostics.len(), 6, "{:#?}", said(text));
}

#[test]
fn deep_nesting_is_refused_and_what_follows_is_read() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("f(", ")"),
        ("\"${", "}\""),
    ] {
        for closes in [2_000, 0] {
            let nested = format!("{}1{}", open.repeat(2_000), close.repeat(closes));
            let text = format!("workflow w() {{\n  a = {nested}\n  b = c.\n}}\nenum = a\n");
            let codes: Vec<_> = parse(&text)
                .diagnostics
                .iter()
                .map(|d| d.code.name)
                .collect();
            assert_eq!(codes.last(), Some(&"syntax"), "{open}: {codes:?}");
            assert!(codes.len() <= 3, "{open}: {codes:?}");
        }
    }
    let types = format!(
        "type A = {}int{}\n",
        "list<".repeat(2_000),
        ">".repeat(2_000)
    );
    let rows = [
        "a + ",
        "a < ",
        "not ",
        "-",
        "a.",
        "if a then b else ",
        "f() else ",
    ];
    let rows = rows.map(|row| format!("workflow w() {{\n  x = {}a\n}}\n", row.repeat(2_000)));
    let blocks = format!("workflow w() {{ {} }}", "if a { ".repeat(2_000));
    let chain = format!(
        "workflow w() {{ {} {{ }} }}",
        "if a { } else ".repeat(2_000)
    );
    for text in rows.into_iter().chain([types, blocks, chain]) {
        let diagnostics = parse(&text).diagnostics;
        let has = diagnostics.iter().any(|d| d.code.name == "too-deep");
        assert!(has, "{}: {diagnostics:?}", &text[..60]);
    }
}

/// Numbers that look random and are the same every time.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % bound.max(1)
    }
}

#[test]
fn no_damage_to_a_good_file_stops_the_reader() {
    let good: Vec<char> = GOOD.chars().collect();
    let marks: Vec<char> = "(){}[]<>\"'`$#=:,.|-+?!&;\\\n\u{0}é“/*".chars().collect();
    for seed in 0..80 {
        let mut draws = Draws(seed);
        let mut text = good.clone();
        for _ in 0..=draws.below(6) {
            let at = draws.below(text.len());
            let other = draws.below(text.len());
            match draws.below(5) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, marks[draws.below(marks.len())]),
                2 => text.swap(at, other),
                3 => text.truncate(at.max(1)),
                _ => {
                    let piece: Vec<char> = text[at..(at + 40).min(text.len())].to_vec();
                    text.splice(other..other, piece);
                }
            }
        }
        let text: String = text.into_iter().collect();
        for diagnostic in parse(&text).diagnostics {
            let range = diagnostic.primary.span.range();
            assert!(text.get(range).is_some(), "seed {seed}: {diagnostic:?}");
            for edit in diagnostic.fix.iter().flat_map(|fix| &fix.edits) {
                assert!(
                    text.get(edit.span.range()).is_some(),
                    "seed {seed}: {diagnostic:?}"
                );
            }
        }
    }
}

#[test]
fn every_beginning_of_a_good_file_is_read() {
    for end in (0..GOOD.len())
        .filter(|end| GOOD.is_char_boundary(*end))
        .step_by(31)
    {
        parse(&GOOD[..end]);
    }
}

#[test]
fn a_statement_is_read_whole_however_long_it_is() {
    let tails = ["retry 3", "and b", "or b", "in b", "is none", "label \"l\""];
    for tail in tails {
        for length in 960..1040 {
            let long = "x".repeat(length);
            let text = format!(
                "workflow w(a: text, b: bool) {{\n  c = f(\"{long}\") {tail}\n  d = 1\n}}\n"
            );
            assert_eq!(said(&text), Vec::<String>::new(), "{length} {tail}");
        }
    }
}
