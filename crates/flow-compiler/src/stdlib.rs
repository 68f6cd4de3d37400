//! The declarations that come with flow: `stdlib/*.flow`.

use flow_syntax::span::{Source, SourceId};

macro_rules! texts {
    ($($name:literal,)*) => {
        &[$((
            concat!("stdlib/", $name, ".flow"),
            include_str!(concat!("../../../stdlib/", $name, ".flow")),
        ),)*]
    };
}

/// The texts by name, in order.
const TEXTS: &[(&str, &str)] = texts![
    "file", "http", "human", "json", "notify", "shell", "state", "text", "time",
];

/// Returns the sources, with ids from 0.
pub fn sources() -> Vec<Source> {
    let ids = (0..).map(SourceId);
    ids.zip(TEXTS)
        .map(|(id, (name, text))| Source::new(id, *name, *text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signatures;

    #[test]
    fn every_declaration_is_read_without_a_diagnostic() {
        let sources = sources();
        let (signatures, diagnostics) = Signatures::read(&sources);
        let messages: Vec<String> = diagnostics
            .iter()
            .map(|diagnostic| {
                let source = &sources[diagnostic.primary.span.source.0 as usize];
                let text = source.slice(diagnostic.primary.span);
                format!("{}: {} at `{text}`", source.name, diagnostic.message)
            })
            .collect();
        assert!(messages.is_empty(), "{messages:#?}");
        assert!(signatures.steps.contains_key("approve"));
        for step in signatures.steps.values() {
            assert!(!step.docs.is_empty(), "{}", step.name);
            for param in &step.params {
                assert!(!param.docs.is_empty(), "{}: {}", step.name, param.name);
            }
        }
    }
}
