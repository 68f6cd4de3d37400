//! What templates write, and what is found wrong with them before.
#![expect(clippy::unwrap_used, reason = "test harness")]

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::amount::Money;
use flow_core::eval::{EvalErrorKind, Fuel};
use flow_core::plan::Template;
use flow_core::template::outline::FaultKind;
use flow_core::template::{check, outline, render};
use flow_core::ty::{Bounds, EnumType, FieldType, Media, RecordType, Type, VariantType};
use flow_core::value::Value;

fn record_type(fields: &[(&str, Type)]) -> Type {
    let field = |(name, ty): &(&str, Type)| FieldType {
        name: (*name).into(),
        ty: ty.clone(),
        docs: "".into(),
    };
    Type::Record(Arc::new(RecordType {
        name: None,
        fields: fields.iter().map(field).collect(),
    }))
}

fn record(fields: &[(&str, Value)]) -> Value {
    let fields = fields.iter();
    Value::Record(Arc::new(
        fields
            .map(|(name, value)| (Arc::from(*name), value.clone()))
            .collect(),
    ))
}

fn data_type() -> Type {
    let shot = record_type(&[
        ("prompt", Type::text()),
        ("seconds", Type::float().optional()),
    ]);
    let wide = VariantType {
        name: "wide".into(),
        outside: "16:9".into(),
    };
    let ratio = EnumType {
        name: None,
        variants: vec![wide],
    };
    record_type(&[
        ("theme", Type::text()),
        ("takes", Type::int()),
        ("price", Type::Money(Bounds::default())),
        ("ok", Type::Bool),
        ("note", Type::text().optional()),
        ("tags", Type::list(Type::text())),
        ("shots", Type::list(shot.clone())),
        ("best", shot.optional()),
        ("counts", Type::Map(Arc::new(Type::int()))),
        ("cover", Type::Media(Media::Image)),
        ("key", Type::Secret),
        ("raw", Type::Json),
        ("ratio", Type::Enum(Arc::new(ratio))),
    ])
}

fn data() -> Value {
    let shot =
        |prompt: &str, seconds| record(&[("prompt", Value::text(prompt)), ("seconds", seconds)]);
    let shots = vec![shot("a <b>", Value::Float(2.0)), shot("é", Value::None)];
    record(&[
        ("theme", Value::text("neon City")),
        ("takes", Value::Int(3)),
        ("price", Value::Money(Money(500_000_000))),
        ("ok", Value::Bool(true)),
        ("note", Value::None),
        (
            "tags",
            Value::list(vec![Value::text("x"), Value::text("y")]),
        ),
        ("shots", Value::list(shots)),
        ("best", Value::None),
        (
            "counts",
            record(&[("a", Value::Int(1)), ("b", Value::Int(2))]),
        ),
        ("raw", record(&[("n", Value::Int(1))])),
        ("ratio", Value::text("16:9")),
    ])
}

fn written(text: &str) -> Result<String, EvalErrorKind> {
    let template = Template {
        text: text.into(),
        includes: BTreeMap::from([("part.j2".into(), "<{{ theme }}>\n".into())]),
    };
    render(&template, &data(), &mut Fuel::default())
}

fn faults(text: &str) -> Vec<(FaultKind, String)> {
    let includes = BTreeMap::from([("part.j2".into(), outline("<{{ theme }}>\n").unwrap())]);
    let found = check(&outline(text).unwrap(), &includes, &data_type());
    let place = |span| text.get(span).unwrap_or("<out of place>").to_owned();
    found
        .into_iter()
        .map(|fault| (fault.kind, place(fault.span)))
        .collect()
}

/// Templates, and what they write.
const WRITTEN: &[(&str, &str)] = &[
    ("{{ theme }}!\n", "neon City!"),
    ("{{ theme }}\n\n", "neon City\n"),
    (
        "{{ theme | upper }} {{ theme | title }} {{ theme | capitalize }}",
        "NEON CITY Neon City Neon city",
    ),
    (
        "{{ takes }} {{ takes / 2 }} {{ takes * 2 }} {{ 6 / 2 }} {{ ok }}",
        "3 1.5 6 3 true",
    ),
    ("{{ price }} {{ price * takes }}", "$0.50 $1.50"),
    (
        "{% for t in tags %}{{ loop.index }}{{ t }}{% if not loop.last %},{% endif %}{% endfor %}",
        "1x,2y",
    ),
    (
        "{% for t in tags if t != 'x' %}{{ loop.index }}{{ t }}{{ loop.length }}{% endfor %}",
        "1y1",
    ),
    (
        "{% for k, v in counts %}{{ k }}={{ v }};{% endfor %}",
        "a=1;b=2;",
    ),
    ("{% for k in counts %}{{ k }}{% endfor %}", "ab"),
    (
        "{% for t in tags if t == 'z' %}{{ t }}{% else %}none{% endfor %}",
        "none",
    ),
    (
        "{% for s in shots %}{{ s.prompt }}:{{ s.seconds | default(1) }} {% endfor %}",
        "a <b>:2 é:1 ",
    ),
    (
        "{% for s in shots %}{% if s.seconds %}{{ s.seconds }}{% else %}?{% endif %}{% endfor %}",
        "2?",
    ),
    (
        "{% if best and best.seconds %}{{ best.seconds + 1 }}{% elif ok %}ok{% endif %}",
        "ok",
    ),
    ("{% if best.seconds %}{{ best.seconds }}{% endif %}-", "-"),
    (
        "{% if best is defined %}{{ best.prompt }}{% else %}no{% endif %}",
        "no",
    ),
    (
        "{% if best == none %}no{% else %}{{ best.prompt }}{% endif %}",
        "no",
    ),
    (
        "{{ note | default('-') }} {{ best.prompt | default(theme) }}",
        "- neon City",
    ),
    ("{{ note if note else 'none' }}", "none"),
    (
        "{{ tags | join(', ') }} {{ tags | length }} {{ tags | first | default('') }}",
        "x, y 2 x",
    ),
    (
        "{{ tags | reverse | join }} {{ tags | json }} {{ counts | tojson }}",
        r#"yx ["x","y"] {"a":1,"b":2}"#,
    ),
    (
        "{{ shots[0].prompt }} {{ counts['a'] | default(0) }} {{ counts.zz | default(0) }}",
        "a <b> 1 0",
    ),
    (
        "{% set x = 1 %}{% if ok %}{% set x = 2 %}{% endif %}{{ x }}",
        "2",
    ),
    (
        "{% set x = 1 %}{% for t in tags %}{% set x = 2 %}{% endfor %}{{ x }}",
        "1",
    ),
    ("{% include 'part.j2' %}.", "<neon City>."),
    (
        "{{ 'a' ~ takes ~ ok }} {{ 3.14159 | round(2) }} {{ 2.5 | int }}",
        "a3true 3.14 2",
    ),
    (
        "{{ 'x' in tags }} {{ 'neon' in theme }} {{ 'a' in counts }} {{ 4 is even }}",
        "true true true true",
    ),
    (
        "{{ theme | truncate(5) }} {{ theme | wordcount }} {{ 'a\nb' | indent(2) }}",
        "neon… 2 a\n  b",
    ),
    (
        "{{ theme | replace('neon', 'old') | split(' ') | last | default('') }}",
        "City",
    ),
    (
        "{{ [3, 1, 2] | sort | join }} {{ [1, 2.5] | sum }} {{ [1, 1] | unique | join }}",
        "123 3.5 1",
    ),
    (
        "{{ [1, 5] | max | default(0) }} {{ -3 | abs }} {{ 'é' | upper }}",
        "5 3 É",
    ),
    (
        "{{ raw.n | string }} {{ raw.zz | default('gone') | string }}",
        "1 gone",
    ),
    (
        "{% if ratio == '16:9' %}wide{% endif %} {{ ratio }}",
        "wide 16:9",
    ),
    ("{# nothing #}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ("a\n{%- if ok %} b {% endif -%}\nc", "a b c"),
];

#[test]
fn templates_that_check_write_what_they_say() {
    for (text, expected) in WRITTEN {
        assert_eq!(faults(text), [], "{text}");
        assert_eq!(written(text).as_deref(), Ok(*expected), "{text}");
    }
}

#[test]
fn faults_are_found_at_their_place() {
    use FaultKind::{Emit, Include, Missing, Type, UnknownName};
    let table = [
        ("{{ them }}", UnknownName, "them"),
        (
            "{% for s in shots %}{{ s.promt }}{% endfor %}",
            UnknownName,
            "promt",
        ),
        ("{% for s in shots %}{% endfor %}{{ s }}", UnknownName, "s"),
        ("{{ loop.index }}", UnknownName, "loop"),
        (
            "{% for t in tags %}{{ loop.depth }}{% endfor %}",
            UnknownName,
            "depth",
        ),
        ("{{ cover.seconds }}", UnknownName, "seconds"),
        ("{{ theme.x }}", UnknownName, "x"),
        ("{% if ratio == 'wide' %}{% endif %}", UnknownName, "'wide'"),
        ("{{ note }}", Missing, "note"),
        ("{{ best.prompt }}", Missing, "best"),
        ("{% if ok or note %}{{ note }}{% endif %}", Missing, "note"),
        (
            "{% if note %}{% set note = best.prompt | default(note) %}{% endif %}{{ note }}",
            Missing,
            "note",
        ),
        ("{{ tags | first }}", Missing, "tags | first"),
        ("{{ counts.a }}", Missing, "counts.a"),
        ("{{ note | upper }}", Missing, "note"),
        ("{{ shots }}", Emit, "shots"),
        ("{{ tags }}", Emit, "tags"),
        ("{{ counts }}", Emit, "counts"),
        ("{{ cover }}", Emit, "cover"),
        ("{{ key }}", Emit, "key"),
        ("{{ raw }}", Emit, "raw"),
        ("{{ shots | join(',') }}", Emit, "shots"),
        ("{% for x in theme %}{% endfor %}", Type, "theme"),
        ("{% for a, b in tags %}{% endfor %}", Type, "tags"),
        ("{% if takes %}{% endif %}", Type, "takes"),
        ("{{ takes + theme }}", Type, "takes + theme"),
        ("{{ takes == theme }}", Type, "theme"),
        ("{{ takes | upper }}", Type, "takes"),
        ("{{ theme | truncate('x') }}", Type, "'x'"),
        ("{{ shots | sort }}", Type, "shots"),
        ("{{ theme or 'x' }}", Type, "'x'"),
        ("{{ 1 if ok else 'x' }}", Type, "'x'"),
        (
            "{% set x = 1 %}{% if ok %}{% set x = 'a' %}{% endif %}",
            Type,
            "'a'",
        ),
        ("{{ key | json }}", Type, "key"),
        ("{% include 'gone.j2' %}", Include, "'gone.j2'"),
    ];
    for (text, kind, place) in table {
        let found = faults(text);
        assert_eq!(found, [(kind, place.to_owned())], "{text}");
    }
}

#[test]
fn unknown_names_come_with_those_that_are_known() {
    let read = outline("{% set own = 1 %}{{ them }}").unwrap();
    let found = check(&read, &BTreeMap::new(), &data_type());
    let candidates = &found[0].candidates;
    assert!(
        candidates.iter().any(|name| name == "theme"),
        "{candidates:?}"
    );
    assert!(
        candidates.iter().any(|name| name == "own"),
        "{candidates:?}"
    );
}

#[test]
fn faults_in_included_templates_name_their_file() {
    let part = outline("{{ nope }}{% include 'part.j2' %}").unwrap();
    let includes = BTreeMap::from([(Arc::from("part.j2"), part)]);
    let read = outline("{% include 'part.j2' %}{% include 'part.j2' %}").unwrap();
    let found = check(&read, &includes, &data_type());
    let kinds: Vec<_> = found
        .iter()
        .map(|fault| (fault.kind, fault.file.as_deref()))
        .collect();
    assert_eq!(
        kinds,
        [
            (FaultKind::UnknownName, Some("part.j2")),
            (FaultKind::Include, Some("part.j2"))
        ]
    );
}

#[test]
fn work_and_output_are_bounded() {
    let tags = "{% for a in tags %}".repeat(40) + &"{% endfor %}".repeat(40);
    assert_eq!(written(&tags), Err(EvalErrorKind::OutOfFuel));
    let doubling =
        "{% set x = 'xxxxxxxxxxxxxxxx' %}".to_owned() + &"{% set x = x ~ x %}".repeat(40);
    assert!(written(&doubling).is_err());
    let template = Template {
        text: "{% include 'a' %}".into(),
        includes: BTreeMap::from([("a".into(), "{% include 'a' %}".into())]),
    };
    assert!(render(&template, &data(), &mut Fuel::default()).is_err());
}

#[test]
fn failures_while_writing_have_a_place() {
    let text = "{{ theme }} {{ shots[7].prompt }}";
    let Err(EvalErrorKind::Template { span, message, .. }) = written(text) else {
        panic!("it has no item 7")
    };
    assert_eq!(&text[span], "shots[7]");
    assert_eq!(
        message,
        "there is no item 7 in a list of 2: positions go from 0 to 1"
    );
}
