//! What is read from templates, and what is said about those that can't be.

use flow_core::template::outline::{FaultKind, Piece, TermKind};
use flow_core::template::{TemplateFault, outline};

fn faults(text: &str) -> Vec<(FaultKind, String, String)> {
    let faults: Vec<TemplateFault> = outline(text).err().unwrap_or_default();
    faults
        .into_iter()
        .map(|fault| {
            let place = text.get(fault.span.clone()).unwrap_or("<out of place>");
            (fault.kind, place.to_owned(), fault.message)
        })
        .collect()
}

#[test]
fn places_are_those_of_the_whole_path() {
    let text = "Ünï {{ shot.look.mood | upper }} {{ a.b + c.d }}";
    let read = outline(text).unwrap();
    let Piece::Emit(term) = &read.pieces[1] else {
        panic!("{:?}", read.pieces)
    };
    assert_eq!(&text[term.span.clone()], "shot.look.mood | upper");
    let TermKind::Filter(base, ..) = &term.kind else {
        panic!("{term:?}")
    };
    assert_eq!(&text[base.span.clone()], "shot.look.mood");
    let TermKind::Field(_, name) = &base.kind else {
        panic!("{base:?}")
    };
    assert_eq!(&text[name.span.clone()], "mood");
    let Piece::Emit(sum) = &read.pieces[3] else {
        panic!("{:?}", read.pieces)
    };
    assert_eq!(&text[sum.span.clone()], "a.b + c.d");
}

#[test]
fn elifs_are_arms_of_one_choice() {
    let read = outline("{% if a %}1{% elif b %}2{% elif c %}3{% else %}4{% endif %}").unwrap();
    let [Piece::If(arms, otherwise)] = read.pieces.as_slice() else {
        panic!("{:?}", read.pieces)
    };
    assert_eq!((arms.len(), otherwise.len()), (3, 1));
}

#[test]
fn includes_are_listed_once() {
    let read = outline(
        "{% include 'a.j2' %}{% if x %}{% include 'b.j2' %}{% include 'a.j2' %}{% endif %}",
    )
    .unwrap();
    let names: Vec<&str> = read.includes.iter().map(|name| &*name.text).collect();
    assert_eq!(names, ["a.j2", "b.j2"]);
}

#[test]
fn what_is_not_supported_is_named_at_its_place() {
    use FaultKind::{Syntax, Type, UnknownFilter, Unsupported};
    let table = [
        ("{% macro m() %}{% endmacro %}", Unsupported, "macro"),
        ("{% import 'x' as y %}", Unsupported, "import"),
        ("{% extends 'x' %}", Unsupported, "extends"),
        ("{% block b %}{% endblock %}", Unsupported, "block"),
        ("{% call m() %}{% endcall %}", Unsupported, "call"),
        ("{% with a = 1 %}{% endwith %}", Unsupported, "with"),
        ("{% set a %}x{% endset %}", Unsupported, "set"),
        ("{% include name %}", Unsupported, "name"),
        ("{{ f(1) }}", Unsupported, "f(1)"),
        ("{{ x | shout }}", UnknownFilter, "shout"),
        ("{{ x is tasty }}", UnknownFilter, "tasty"),
        ("{{ x | upper(1) }}", Type, "upper"),
        ("{{ a if b }}", Unsupported, "a if b"),
        ("{{ 1 < 2 < 3 }}", Unsupported, "1 < 2 < 3"),
        ("{% if a %}", Syntax, "if"),
        ("{% endfor %}", Syntax, "endfor"),
        ("{% for x in y %}{% endif %}", Syntax, "endif"),
    ];
    for (text, kind, place) in table {
        let found = faults(text);
        let Some(first) = found.first() else {
            panic!("{text} has no fault")
        };
        assert_eq!(
            (first.0, first.1.as_str()),
            (kind, place),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn all_faults_are_found_at_once() {
    assert_eq!(faults("{{ a | x }}{{ b | y }}{{ c is z }}").len(), 3);
}

#[test]
fn hostile_templates_neither_panic_nor_overflow() {
    let many = 100_000;
    let texts = [
        "{".repeat(many),
        "{{".repeat(many),
        "{%".repeat(many),
        format!("{{{{ {} 1 }}}}", "not ".repeat(many)),
        format!("{{{{ {} 1 }}}}", "-".repeat(many)),
        format!("{{{{ {} 1 }}}}", "1 + ".repeat(many)),
        format!("{{{{ {} 1 }}}}", "1 if 2 else ".repeat(many)),
        format!("{{{{ {} }}}}", "(".repeat(many)),
        format!("{{{{ a{} }}}}", ".b".repeat(many)),
        format!("{{{{ a{} }}}}", ".b".repeat(200)),
        format!("{{{{ a{} }}}}", "|upper".repeat(200)),
        format!("{{{{ {} 1 }}}}", "not ".repeat(500)),
        format!("{{{{ {}1{} }}}}", "(".repeat(64), ")".repeat(64)),
        format!("{{% for {} in x %}}", "(".repeat(60)),
        "{% if a %}".repeat(many),
        format!("{{% if a %}}{}", "{% elif b %}".repeat(many)),
        format!("{}{}", "{% if a %}".repeat(64), "{% endif %}".repeat(64)),
        "é{{ é }}{% é %}{# é".to_owned(),
        "{{ 'é".to_owned(),
        "{% raw %}{{".to_owned(),
        "{{ 99999999999999999999999999999999999999999999 }}".to_owned(),
        "{{ 1e999 }}".to_owned(),
    ];
    for text in texts {
        for fault in outline(&text).err().unwrap_or_default() {
            assert!(text.get(fault.span.clone()).is_some(), "{fault:?}");
        }
    }
}
