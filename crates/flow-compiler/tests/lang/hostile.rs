//! Whatever the bytes, there is an answer, and it comes soon.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use flow_core::plan::Plan;

use crate::corpus::files;
use crate::project::{compile, settings, signatures};

fn codes_of(name: &str, text: &str) -> Vec<&'static str> {
    let compiled = compile(Path::new("/nowhere"), name, text);
    let mut codes: Vec<&'static str> = compiled
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.name)
        .collect();
    codes.dedup();
    codes
}

#[test]
fn deep_nesting_is_an_error_in_both_spellings() {
    let opens = [
        "(",
        "[",
        "{",
        "{ a: ",
        "f(",
        "a[",
        "g<list<",
        "\"${",
        "\"\"\"\n${",
        "-",
        "not ",
        "if a {",
        "if a {\n",
        "if a then ",
        "a ?? ",
        "else if a {",
        "for x in xs {\n",
        "match a { 1 => ",
        "match a { 1 => { ",
        "repeat s = 1 max 2 {\n",
        "race {\n",
        "[x for x in ",
    ];
    for open in opens {
        let nested = open.repeat(2_000);
        let text = format!("workflow w() {{\n  x = {nested}\n}}\n");
        assert!(!codes_of("a.flow", &text).is_empty(), "{open}");
        let text = format!("workflow: w\nsteps:\n  - id: x\n    value: {nested}\n");
        assert!(!codes_of("a.flow.yaml", &text).is_empty(), "{open}");
        let text = format!("workflow: w\nsteps:\n  - id: x\n    value: \"${{{nested}\"\n");
        assert!(!codes_of("a.flow.yaml", &text).is_empty(), "{open}");
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a: &a [x, x]\n");
    let letters: Vec<char> = ('a'..='z').collect();
    for pair in letters.windows(2) {
        let [old, new] = [pair[0], pair[1]];
        writeln!(text, "{new}: &{new} [*{old}, *{old}]").unwrap();
    }
    assert!(codes_of("a.flow.yaml", &text).contains(&"yaml-anchor"));
}

#[test]
fn odd_bytes_are_answered() {
    for text in [
        "\0", "\u{feff}", "\r\r\r", "\u{202e}", "\t", "é", "💥 = 1", "${", "'''", "\"\"\"",
    ] {
        for name in ["a.flow", "a.flow.yaml"] {
            let inside = format!("workflow w() {{\n  x = {text}\n}}\n");
            for text in [text, &inside] {
                // No panic is what is asked for; most of it is wrong too.
                codes_of(name, text);
            }
        }
    }
}

#[test]
fn a_huge_text_is_refused() {
    let text = format!("# {}\n", "x".repeat(17 << 20));
    assert_eq!(codes_of("a.flow", &text), ["file-too-large"]);
    assert_eq!(codes_of("a.flow.yaml", &text), ["file-too-large"]);
}

/// A small generator: equal seeds, equal numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// Cuts, doubles, swaps and replaces pieces.
fn mutate(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        if chars.is_empty() {
            break;
        }
        let at = random.below(chars.len());
        let end = (at + random.below(12)).min(chars.len());
        match random.below(4) {
            0 => drop(chars.drain(at..end)),
            1 => {
                let piece: Vec<char> = chars[at..end].to_vec();
                chars.splice(at..at, piece);
            }
            2 => {
                let other = random.below(chars.len());
                chars.swap(at, other);
            }
            _ => {
                let signs: Vec<char> = "{}()[]<>\"'$#:,.=|&!?-+*/%0a\n \t".chars().collect();
                chars[at] = signs[random.below(signs.len())];
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn mutated_files_never_panic_and_plans_survive_storing() {
    let rounds = 6;
    for (at, file) in files().iter().enumerate() {
        for round in 0..rounds {
            let mut random = Random((at * rounds + round) as u64);
            let text = mutate(&crate::case::strip(&file.text), &mut random);
            let compiled = compile(&file.folder, &file.name, &text);
            for workflow in &compiled.workflows {
                let Some(plan) = &workflow.plan else { continue };
                let stored = Plan::from_json(&plan.to_json()).unwrap();
                assert_eq!(stored.digest(), plan.digest());
            }
        }
    }
}

/// Each of these once asked for more stack, time or room than its size.
fn bodies() -> Vec<(&'static str, String)> {
    let many = |piece: &str| piece.repeat(5_000);
    let joined = |piece: &str, between: &str| vec![piece; 5_000].join(between);
    let counted = |line: fn(usize) -> String| (1..1_500).map(line).collect::<String>();
    let arms = counted(|at| format!("{at} => 1\n"));
    let chain = counted(|at| format!("x{at} = x{} + 1\n", at - 1));
    let unknown = counted(|at| format!("abcdefg{at} = abcdefh{at}\n"));
    let texts = counted(|at| format!("x{at} = \"${{x{0}}}${{x{0}}}\"\n", at - 1));
    let lists = counted(|at| format!("x{at} = [x{0}, x{0}]\n", at - 1));
    let records = counted(|at| format!("x{at} = {{ a: x{0}, b: x{0} }}\n", at - 1));
    let choices = joined("if a == 1 { state.set(\"a\", value: 1) }", " else ");
    vec![
        ("fields", format!("x = a{}", many(".b"))),
        ("items", format!("x = a{}", many("[0]"))),
        ("calls of calls", format!("x = a{}", many("(1)"))),
        ("presence", format!("x = a{}", many(" is some"))),
        ("fallbacks", format!("x = {}", joined("f()", " else "))),
        ("clauses", format!("x = f(){}", many(" retry 3"))),
        (
            "patterns",
            format!("x = match a {{ {} => 1 }}", joined("1", " | ")),
        ),
        ("choices", choices),
        (
            "inline choices",
            format!("x = {}2", many("if a == 1 then 1 else ")),
        ),
        ("a list", format!("x = [{}]", joined("1", ", "))),
        (
            "equal fields",
            format!("x = {{ {} }}", joined("a: 1", ", ")),
        ),
        (
            "equal arguments",
            format!("print({})", joined("a: 1", ", ")),
        ),
        ("equal names", many("x = a\n")),
        ("arms", format!("x = match a {{\n{arms}_ => 2\n}}")),
        ("a chain of names", format!("x0 = a\n{chain}")),
        ("unknown names", unknown),
        ("a doubling text", format!("x0 = \"a\"\n{texts}")),
        ("a doubling list", format!("x0 = [1]\n{lists}")),
        ("a doubling record", format!("x0 = {{ a: 1 }}\n{records}")),
        (
            "large numbers",
            format!("x = {}", joined("9999999999", " * ")),
        ),
        ("nothing", many("\n")),
        ("semicolons", many(";\n")),
    ]
}

#[test]
fn long_wide_and_doubling_bodies_are_answered() {
    for (what, body) in bodies() {
        let text = format!("workflow w(a: int) -> int {{\n{body}\n}}\n");
        assert!(!codes_of("a.flow", &text).is_empty(), "{what}");
    }
}

#[test]
fn long_chains_of_operators_are_answered_in_both_spellings() {
    for operator in ["+", "%", "==", "and", "??"] {
        let chain = vec!["a"; 10_000].join(&format!(" {operator} "));
        let text = format!("workflow w(a: int) -> int {{\n  x = {chain}\n  return 1\n}}\n");
        codes_of("a.flow", &text);
        let head = "workflow: w\ninputs:\n  a: int\nsteps:\n  - id: x\n";
        codes_of("a.flow.yaml", &format!("{head}    value: ${{ {chain} }}\n"));
    }
}

#[test]
fn signs_without_an_end_are_answered() {
    let signs = [
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "/*",
        "//",
        "${",
        "\"${",
        "$${",
        "\\",
        "#",
        "##",
        "$",
        "@",
        "}",
        ")",
        "\0",
        "\u{feff}",
        "\r",
        "\u{202e}",
        "💥",
        ",",
        "=",
        ": ",
        "&a ",
        "*a ",
        "!a ",
        "|",
        ">",
        "? ",
        "- ",
        "%",
        "\t",
        "if ",
        "9",
        "1.",
        "_",
        "x =",
        "a <",
        "{{",
        "workflow w(",
        "x = if ",
        "=>",
        "...",
        "## a\n\n",
        "workflow w() { }\n",
        "type A = text\n",
        "---\na: 1\n",
    ];
    for sign in signs {
        for ends in ["", "\n"] {
            let many = format!("{sign}{ends}").repeat(500);
            let inside = format!("workflow w() {{\n  x = {many}\n}}\n");
            let value = format!("workflow: w\nsteps:\n  - id: x\n    value: {many}\n");
            for text in [&many, &inside] {
                codes_of("a.flow", text);
            }
            for text in [&many, &value] {
                codes_of("a.flow.yaml", text);
            }
        }
    }
}

#[test]
fn types_that_grow_are_refused() {
    let grown = |line: fn(usize) -> String| (1..200).map(line).collect::<String>();
    for (what, types) in [
        (
            "records",
            grown(|at| format!("type A{at} = {{ a: A{0}, b: A{0} }}\n", at - 1)),
        ),
        (
            "lists",
            grown(|at| format!("type A{at} = list<A{}>\n", at - 1)),
        ),
        (
            "circles",
            grown(|at| format!("type A{at} = A{}\n", at % 199 + 1)),
        ),
    ] {
        let head = "type A0 = { a: text }\n";
        let text = format!("{head}{types}workflow w(x: A199) -> A199 {{\n  return x\n}}\n");
        assert!(!codes_of("a.flow", &text).is_empty(), "{what}");
    }
}

#[test]
fn workflows_that_call_one_another_are_bounded() {
    let called = |most: usize, line: fn(usize) -> String| (1..most).map(line).collect::<String>();
    let first = "workflow w0() -> int {\n  x = text.words(\"a\")\n  return len(x)\n}\n";
    let fan = called(31, |at| {
        let call = format!("w{}()", at - 1);
        format!("workflow w{at}() -> int {{\n  a = {call}\n  b = {call}\n  return a + b\n}}\n")
    });
    let fan = codes_of("a.flow", &format!("{first}{fan}"));
    assert_eq!(fan, ["plan-too-large"]);
    let circle = called(2_000, |at| {
        let next = at % 1_999 + 1;
        format!("workflow w{at}() -> int {{\n  return w{next}()\n}}\n")
    });
    assert!(codes_of("a.flow", &circle).contains(&"recursion"));
    // Long, but each of them is right by itself.
    let chain = called(300, |at| {
        format!("workflow w{at}() -> int {{\n  return w{}()\n}}\n", at - 1)
    });
    codes_of("a.flow", &format!("{first}{chain}"));
}

/// Templates by name, those that are used before those that they include.
fn templates() -> BTreeMap<String, Arc<str>> {
    let included = |at: usize| format!("{{% include \"t{}.j2\" %}}", at + 1);
    let doubled = (0..60).map(|at| (format!("t{at}.j2"), included(at).repeat(2)));
    let many = |piece: &str| piece.repeat(5_000);
    let maps = "{% set a = {\"a\": a, \"b\": a} %}".repeat(60);
    let written = [
        ("t60.j2", "{{ a }}".to_owned()),
        ("itself.j2", "{% include \"itself.j2\" %}".to_owned()),
        ("ifs.j2", many("{% if a %}")),
        ("round.j2", format!("{{{{ {}", many("("))),
        ("square.j2", format!("{{{{ {}", many("["))),
        ("sum.j2", format!("{{{{ a{} }}}}", many(" + a"))),
        ("filters.j2", format!("{{{{ a{} }}}}", many("|upper"))),
        ("fields.j2", format!("{{{{ a{} }}}}", many(".b"))),
        ("nots.j2", format!("{{{{ {}a }}}}", many("not "))),
        ("joined.j2", format!("{{{{ a{} }}}}", many(" ~ a"))),
        ("choices.j2", format!("{{{{ {}a }}}}", many("a if a else "))),
        (
            "elifs.j2",
            format!("{{% if a %}}{}{{% endif %}}", many("{% elif a %}")),
        ),
        ("open.j2", many("{{")),
        ("lists.j2", "{% set a = [a, a] %}".repeat(60)),
        ("maps.j2", format!("{maps}{{{{ a }}}}")),
    ];
    let written = written.map(|(name, text)| (name.to_owned(), text));
    let all = doubled.chain(written);
    all.map(|(name, text)| (name, text.into())).collect()
}

#[test]
fn templates_that_grow_are_answered() {
    let texts = templates();
    let entries = texts.keys();
    for name in entries.filter(|name| !name.starts_with('t') || *name == "t0.j2") {
        let call = format!("template(\"{name}\", {{ a }})");
        let text = format!("workflow w(a: text) -> text {{\n  return {call}\n}}\n");
        let compiled =
            flow_compiler::compile("a.flow", text.into(), signatures(), &settings(), &texts);
        // An answer is what is asked for.
        assert_eq!(compiled.workflows.len(), 1, "{name}");
    }
}
