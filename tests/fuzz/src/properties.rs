//! What holds for every text: the properties that the targets look for breaches
//! of, and that the tests of the language replay.
//!
//! Each is a function that panics, with the text in the message, when its
//! property does not hold. Where steps and files come from is the caller's
//! business.

use std::fmt::Write as _;

use flow_compiler::project::Files;
use flow_compiler::settings::Settings;
use flow_compiler::{Compiled, Signatures};
use flow_core::plan::Plan;
use flow_syntax::Parsed;
use flow_syntax::diagnostic::{Diagnostic, Label};
use flow_syntax::span::{Source, SourceId, Span, Spelling};

/// What a text is compiled with.
pub struct Project<'a> {
    /// The declared steps.
    pub signatures: &'a Signatures,
    /// Defaults and prices.
    pub settings: &'a Settings,
    /// Templates and files that are used.
    pub files: &'a dyn Files,
}

/// Parsing gives an answer, and every place that it names is in the text.
pub fn parses(name: &str, text: &str) {
    let source = Source::new(SourceId(0), name, text);
    let parsed = flow_syntax::parse(&source);
    for diagnostic in &parsed.diagnostics {
        let sources = std::slice::from_ref(&source);
        assert_in_place(sources, diagnostic);
    }
    let starts = |diagnostic: &Diagnostic| diagnostic.primary.span.start;
    assert!(
        parsed.diagnostics.is_sorted_by_key(starts),
        "diagnostics are not in order of place\n{text}"
    );
    for comment in &parsed.file.comments {
        assert!(
            source.slice(comment.span).starts_with('#'),
            "a comment is not where it is said to be\n{text}"
        );
    }
}

/// Compiling gives an answer; a file without errors has a plan for each of its
/// workflows, and a stored plan is read as the same plan.
pub fn compiles(project: &Project<'_>, name: &str, text: &str) {
    let compiled = project.compile(name, text);
    for diagnostic in &compiled.diagnostics {
        assert_in_place(&compiled.sources, diagnostic);
    }
    for workflow in &compiled.workflows {
        let Some(plan) = &workflow.plan else {
            assert!(!compiled.is_ok(), "`{}` has no plan\n{text}", workflow.name);
            continue;
        };
        let stored = plan.to_json();
        match Plan::from_json(&stored) {
            Ok(read) => assert_eq!(read.digest(), plan.digest(), "a plan changes\n{text}"),
            Err(why) => panic!("a plan is not read again: {why}\n{stored}\n{text}"),
        }
    }
}

/// Formatting a formatted text changes nothing, and formatting loses neither
/// comments nor meaning.
pub fn formats(project: &Project<'_>, name: &str, text: &str) {
    let source = Source::new(SourceId(0), name, text);
    let Ok(once) = flow_syntax::print::format(&source) else {
        return;
    };
    let again = Source::new(SourceId(0), name, once.clone());
    match flow_syntax::print::format(&again) {
        Ok(twice) => assert_eq!(once, twice, "formatted twice it differs\n{text}"),
        Err(why) => panic!("{}\n{once}\n-----\n{text}", shown(&again, &why)),
    }
    let (before, after) = (flow_syntax::parse(&source), flow_syntax::parse(&again));
    assert_eq!(
        comments(&before),
        comments(&after),
        "comments differ\n{once}\n-----\n{text}"
    );
    if let Some(before) = project.digests(name, text) {
        let after = project.digests(name, &once);
        assert_eq!(Some(before), after, "plans differ\n{once}\n-----\n{text}");
    }
}

/// Translating there and back changes no plan and loses no comment.
pub fn translates(project: &Project<'_>, name: &str, text: &str) {
    let Some(before) = project.digests(name, text) else {
        return;
    };
    let other = match Spelling::of_name(name) {
        Spelling::Flow => format!("{name}.yaml"),
        Spelling::Yaml => name.trim_end_matches(".yaml").to_owned(),
    };
    let there = project.translate(name, text, &other);
    let back = project.translate(&other, &there, name);
    let place = format!("{there}\n-----\n{back}\n-----\n{text}");
    let after = project.digests(&other, &there);
    assert_eq!(Some(&before), after.as_ref(), "plans differ there\n{place}");
    let after = project.digests(name, &back);
    assert_eq!(Some(&before), after.as_ref(), "plans differ back\n{place}");
    let said = [(name, text), (&other, &there), (name, &back)].map(|(name, text)| {
        let source = Source::new(SourceId(0), name, text);
        comments(&flow_syntax::parse(&source))
    });
    assert_eq!(said[0], said[1], "comments differ there\n{place}");
    assert_eq!(said[0], said[2], "comments differ back\n{place}");
}

impl Project<'_> {
    fn compile(&self, name: &str, text: &str) -> Compiled {
        let text = text.into();
        flow_compiler::compile(name, text, self.signatures, self.settings, self.files)
    }

    /// The digests of all plans, if the text has no errors.
    fn digests(&self, name: &str, text: &str) -> Option<Vec<String>> {
        let compiled = self.compile(name, text);
        let plans = compiled.workflows.iter();
        compiled.is_ok().then(|| {
            plans
                .filter_map(|workflow| Some(workflow.plan.as_ref()?.digest().to_string()))
                .collect()
        })
    }

    /// Writes a text without errors in the spelling of another name.
    fn translate(&self, name: &str, text: &str, other: &str) -> String {
        let source = Source::new(SourceId(0), name, text);
        let to = Spelling::of_name(other);
        flow_compiler::translate(&source, to, self.signatures, self.settings, self.files)
            .unwrap_or_else(|_| {
                let compiled = self.compile(name, text);
                let entry = compiled.source(compiled.entry).unwrap_or(&source);
                panic!("{}\n{text}", shown(entry, &compiled.diagnostics))
            })
    }
}

/// The words of all comments, in no order of place: a comment may move.
fn comments(parsed: &Parsed) -> Vec<String> {
    let comments = parsed.file.comments.iter();
    let mut words: Vec<String> = comments
        .map(|comment| comment.text.trim_start_matches('#').trim().to_owned())
        .collect();
    words.sort();
    words
}

fn assert_in_place(sources: &[Source], diagnostic: &Diagnostic) {
    let fix = diagnostic.fix.iter().flat_map(|fix| &fix.edits);
    let spans = std::iter::once(&diagnostic.primary)
        .chain(&diagnostic.others)
        .map(|label: &Label| label.span)
        .chain(fix.map(|edit| edit.span));
    for span in spans {
        assert!(
            is_in(sources, span),
            "{span:?} is no place: {diagnostic:#?}\n{}",
            sources.last().map_or("", |source| &source.text)
        );
    }
}

fn is_in(sources: &[Source], span: Span) -> bool {
    let source = sources.iter().find(|source| source.id == span.source);
    source.is_some_and(|source| source.text.get(span.range()).is_some())
}

/// The errors among diagnostics, a line each.
fn shown(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let mut out = format!("{} has errors", source.name);
    for diagnostic in diagnostics.iter().filter(|one| one.is_error()) {
        let span = diagnostic.primary.span;
        let place = source.text.get(span.range()).unwrap_or("");
        let (code, message) = (diagnostic.code.name, &diagnostic.message);
        // Writing into a text never fails.
        let _written = write!(out, "\n[{code}] {message} at `{place}`");
    }
    out
}
