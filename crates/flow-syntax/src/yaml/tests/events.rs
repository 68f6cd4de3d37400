//! What events YAML texts give.

use super::super::events::{Event, Events, Layout, Style};

/// Writes the events of a text: `{`, `[` and their ends, scalars with a mark
/// for their style, `_` for what is left out, and a fault with its place.
fn events(text: &str) -> String {
    let mut events = Events::of(text);
    let mut open = Vec::new();
    let mut said: Vec<String> = Vec::new();
    while let Some(next) = events.next() {
        let placed = match next {
            Ok(placed) => placed,
            Err(fault) => {
                said.push(format!("{:?}@{}", fault.kind, fault.at));
                break;
            }
        };
        let tag = if placed.tag.is_some() { "!" } else { "" };
        let word = match placed.event {
            Event::Scalar(text, style) => {
                let mark = match style {
                    Style::Plain => "",
                    Style::Single => "'",
                    Style::Double => "\"",
                    Style::Literal => "|",
                    Style::Folded => ">",
                };
                format!("{mark}{}", text.replace('\n', "/").replace(' ', "."))
            }
            Event::Absent => "_".to_owned(),
            Event::Seq(layout) | Event::Map(layout) => {
                let is_seq = matches!(placed.event, Event::Seq(_));
                let (begin, end) = if is_seq { ("[", "]") } else { ("{", "}") };
                open.push(end);
                let mark = if layout == Layout::Flow { "~" } else { "" };
                format!("{begin}{mark}")
            }
            Event::End => open.pop().unwrap_or("?").to_owned(),
            Event::Alias => "*".to_owned(),
            Event::Anchor => "&".to_owned(),
            Event::Comment => "#".to_owned(),
            Event::Document => "---".to_owned(),
        };
        said.push(format!("{tag}{word}"));
    }
    said.join(" ")
}

/// Texts and their events.
const TEXTS: &[(&str, &str)] = &[
    ("", ""),
    ("# only\n", "#"),
    ("a", "--- a"),
    ("a: 1\nb:\n", "--- { a 1 b _ }"),
    ("a:\n- 1\n-\n- x: y\n", "--- { a [ 1 _ { x y } ] }"),
    ("- - 1\n  - 2\n- 3", "--- [ [ 1 2 ] 3 ]"),
    ("? a\n: b\n? c\n", "--- { a b c _ }"),
    ("{a: 1, b, c: , \"d\":2}", "--- {~ a 1 b _ c _ \"d 2 }"),
    (
        "[a: 1, {b: c}: d, ? e]",
        "--- [~ {~ a 1 } {~ {~ b c } d } {~ e _ } ]",
    ),
    ("[a,\n # c\n b]", "--- [~ a # b ]"),
    ("a: b # c\n# d\ne: f", "--- { a b # # e f }"),
    ("a: one\n  two\n\n  three\n", "--- { a one.two/three }"),
    ("a: 'it''s\n  so'", "--- { a 'it's.so }"),
    (
        r#"a: "x\ty\u00e9\
   z""#,
        "--- { a \"x\tyéz }",
    ),
    (
        "a: |\n  x\n   y\n\nb: >-\n  x\n  y\n\n  z\n",
        "--- { a |x/.y/ b >x.y/z }",
    ),
    ("a: |+2\n    x\n\n", "--- { a |..x// }"),
    ("&x a: *x\nb: !t c", "--- { a & * b !c }"),
    ("--- a\n--- b\n", "--- a --- b"),
    ("a\n...\nb", "--- a --- b"),
    ("a: http://x:1/#y", "--- { a http://x:1/#y }"),
    ("\u{feff}a: é", "--- { a é }"),
    // What can't be read, and where.
    ("%YAML 1.2\n", "Directive@0"),
    ("a: b: c", "--- { a b ColonInValue@4"),
    ("a: [b, c", "--- { a [~ b OpenBracket@3"),
    ("a: b]", "--- { a b] }"),
    ("]", "StrayBracket@0"),
    ("{a: b]", "StrayBracket@0"),
    ("a: 'b", "--- { a OpenQuote@3"),
    ("a: 'b' c", "--- { a AfterQuote@7"),
    ("a: \"\\q\"", "--- { a Escape@3"),
    ("a:\n\tb: c", "--- { a Tab@4"),
    ("a: 1\n b: 2", "--- { a 1.b ColonInValue@7"),
    ("a: 1\nb\n", "--- { a 1 NoColon@5"),
    ("  a: 1\n b: 2\n", "--- { a 1 } Indentation@8"),
    ("a: - b", "--- { a ListHere@3"),
    ("a: @b", "--- { a Character@3"),
    ("a: *", "--- { a Indicator@3"),
    ("a: !x!y z", "--- { a Tag@3"),
    ("[a b: c\nd]", "--- [~ {~ a.b c.d } ]"),
];

#[test]
fn texts_have_their_events() {
    let wrong: Vec<String> = TEXTS
        .iter()
        .map(|(text, wanted)| (text, wanted, events(text)))
        .filter(|(_, wanted, found)| *wanted != found)
        .map(|(text, wanted, found)| format!("{text:?}\n  wanted {wanted}\n  found  {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn long_queues_of_tokens_are_given_back() {
    let text = format!("{}a", "[b, c], ".repeat(10_000));
    let text = format!("[{text}]");
    assert_eq!(events(&text).matches('b').count(), 10_000);
}
