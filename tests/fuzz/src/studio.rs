//! The project of the targets: all in memory, the same at every start.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use flow_compiler::settings::{Rate, Settings};
use flow_compiler::{Signatures, stdlib};
use flow_core::amount::Money;
use flow_syntax::span::Source;

use crate::properties::Project;

type Texts = BTreeMap<String, Arc<str>>;

/// Calls a property with the text that a fuzzer made: the first byte picks the
/// spelling.
pub fn read(data: &[u8], property: fn(&Project<'_>, &str, &str)) {
    static STUDIO: LazyLock<(Signatures, Settings, Texts)> =
        LazyLock::new(|| (signatures(), settings(), files()));
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let name = match first % 2 {
        0 => "main.flow",
        _ => "main.flow.yaml",
    };
    let (signatures, settings, files) = &*STUDIO;
    let project = Project {
        signatures,
        settings,
        files,
    };
    property(&project, name, text);
}

fn signatures() -> Signatures {
    let (mut signatures, _) = Signatures::read(&stdlib::sources());
    let text = include_str!("../../lang/steps/studio.flow");
    let source = Source::new(signatures.next_source(), "steps/studio.flow", text);
    let diagnostics = signatures.extend(&[source]);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    signatures
}

fn settings() -> Settings {
    let mut settings = Settings {
        tz: Some("Europe/Berlin".to_owned()),
        ..Settings::default()
    };
    let model = "acme/all";
    settings
        .defaults
        .insert("model".to_owned(), model.to_owned());
    for unit in ["image", "second", "input", "output"] {
        let units = settings.prices.models.entry(model.to_owned());
        let rate = Rate {
            price: Money(40_000_000),
            per: 1,
        };
        units.or_default().insert(unit.to_owned(), rate);
    }
    settings
}

fn files() -> Texts {
    let lib = "type Pair = { a: text, b: int }\nenum Look = noir | neon\n\
               workflow twice(a: text) -> text {\n  return \"${a}${a}\"\n}\n";
    let template = "{{ topic.name }}{% for x in xs %}{{ x }}{% endfor %}\n";
    [
        ("lib.flow", lib),
        ("main.flow", "workflow other() {\n  print(\"a\")\n}\n"),
        ("a.j2", template),
        ("prompts/caption.j2", "{{ topic.name }}, {{ style }}\n"),
    ]
    .map(|(path, text)| (path.to_owned(), Arc::from(text)))
    .into()
}
