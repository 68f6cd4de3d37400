//! What expressions mean, asked through whole files.

mod calls;
mod expressions;
mod literals;

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::plan::{NodeId, NodeKind};
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::{Source, SourceId};

use crate::settings::Settings;
use crate::signature::Signatures;

/// What stands around the expressions of these tests.
const AROUND: &str = r#"
enum Look = noir | neon | pastel
enum Ratio = wide "16:9" | tall "9:16"
type Shot = { prompt: text, mood: text?, seconds: float? }
workflow w(
  n: int in 1..8, f: float, t: text, b: bool, maybe: text?, count: int?,
  xs: list<int>, ts: list<text>, few: list<int> max 3, nested: list<list<int>>,
  shot: Shot, shots: list<Shot>, m: map<int>, look: Look, ratio: Ratio,
  amount: money, length: duration, size: size, key: secret, anything: json,
  img: image, clip: video, song: audio, imgs: list<image>, shot2: Shot?,
) {
"#;

const STEPS: &str = "step gen.image(prompt: text) -> image effect read\n";

/// What became of an expression.
pub(super) struct Outcome {
    /// Its type, if there was no error.
    pub(super) ty: Option<String>,
    /// The node's expression, as Rust shows it.
    pub(super) shown: String,
    /// What was said, unused names left out.
    pub(super) said: Vec<Diagnostic>,
    text: Arc<str>,
    templates: Vec<Source>,
}

impl Outcome {
    /// Returns what was said as a code and its place.
    pub(super) fn codes(&self) -> Vec<String> {
        let said = self.said.iter();
        said.map(|diagnostic| {
            let span = diagnostic.primary.span;
            let template = self.templates.iter().find(|s| s.id == span.source);
            let text = template.map_or(&self.text, |source| &source.text);
            let place = text.get(span.range()).unwrap_or("?");
            format!("{} at `{place}`", diagnostic.code.name)
        })
        .collect()
    }

    /// Returns the text with all fixes applied, from the last to the first.
    pub(super) fn fixed(&self) -> String {
        let mut edits: Vec<_> = self
            .said
            .iter()
            .filter_map(|diagnostic| diagnostic.fix.as_ref())
            .flat_map(|fix| fix.edits.clone())
            .collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
        let mut text = self.text.to_string();
        for edit in edits {
            text.replace_range(edit.span.range(), &edit.text);
        }
        let body = text.rsplit("\n) {\n").next().unwrap_or_default();
        body.trim_end_matches("\n}\n").to_owned()
    }
}

/// Checks statements; the one called `x` is asked about.
pub(super) fn check_with(body: &str, files: &[(&str, &str)]) -> Outcome {
    compile("a/w.flow", &format!("{AROUND}{body}\n}}\n"), files)
}

/// Checks a file.
pub(super) fn compile(name: &str, text: &str, files: &[(&str, &str)]) -> Outcome {
    let steps = Source::new(SourceId(0), "steps.flow", STEPS);
    let (signatures, diagnostics) = Signatures::read(&[steps]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let text: Arc<str> = text.into();
    let files: BTreeMap<String, Arc<str>> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Arc::from(*text)))
        .collect();
    let compiled = crate::compile(
        name,
        text.clone(),
        &signatures,
        &Settings::default(),
        &files,
    );
    let plan = compiled.workflows.first().and_then(|w| w.plan.as_ref());
    let first = plan.and_then(|plan| {
        let nodes = (1..plan.graph.node_count()).filter_map(|at| {
            let node = plan.node(NodeId(u32::try_from(at).ok()?));
            matches!(node.kind, NodeKind::Value(_)).then_some(node)
        });
        nodes.min_by_key(|node| node.name != "x".into()).cloned()
    });
    let said = compiled.diagnostics.iter();
    let said = said.filter(|d| !matches!(d.code.name, "unused" | "unused-input"));
    Outcome {
        ty: first
            .as_ref()
            .and_then(|node| node.ty.as_ref())
            .map(ToString::to_string),
        shown: first.map_or_else(String::new, |node| format!("{:?}", node.kind)),
        said: said.cloned().collect(),
        text,
        templates: compiled.sources.clone(),
    }
}

/// Checks `x = …`.
pub(super) fn check(expr: &str) -> Outcome {
    check_with(&format!("  x = {expr}"), &[])
}

/// Asserts types of expressions.
pub(super) fn types(cases: &[(&str, &str)]) {
    for (expr, ty) in cases {
        let found = check(expr);
        assert_eq!(found.codes(), [""; 0], "{expr}: {:?}", found.said);
        assert_eq!(found.ty.as_deref(), Some(*ty), "{expr}");
    }
}

/// Asserts what is said of expressions: the code and its place, then a part of
/// the message or of a help.
pub(super) fn faults(cases: &[(&str, &str, &str)]) {
    for (expr, code, part) in cases {
        let found = check(expr);
        assert_eq!(found.codes(), [*code], "{expr}: {:?}", found.said);
        let said = &found.said[0];
        let all = format!(
            "{}\n{}\n{}",
            said.message,
            said.primary.text,
            said.helps.join("\n")
        );
        assert!(all.contains(part), "{expr}: {all}");
    }
}
