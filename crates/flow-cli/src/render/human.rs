//! Diagnostics for people: a frame around the lines they are about.

use std::fmt::{self, Write};

use flow_syntax::diagnostic::{Certainty, Diagnostic, Fix, Label, Severity};
use flow_syntax::span::SourceId;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::places::AllPlaces;
use super::snippet::Snippet;
use crate::output::Looks;
use crate::report::Report;

/// More than these nobody reads.
const SHOWN_MAX: usize = 200;

/// More labels than these make a frame unreadable.
const LABELS_MAX: usize = 8;

/// Writes a report for people.
pub(crate) fn human(report: &Report, looks: Looks) -> String {
    let mut out = String::new();
    if report.diagnostics().is_empty() {
        return out;
    }
    let frames = Frames {
        report,
        places: AllPlaces::of(report),
        handler: handler(looks),
        looks,
    };
    for diagnostic in report.diagnostics().iter().take(SHOWN_MAX) {
        frames.diagnostic(&mut out, diagnostic);
        out.push('\n');
    }
    let rest = report.diagnostics().len().saturating_sub(SHOWN_MAX);
    if rest > 0 {
        writeln!(out, "… and {rest} more").ok();
    }
    out
}

fn handler(looks: Looks) -> GraphicalReportHandler {
    let mut theme = match (looks.unicode, looks.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    };
    if !looks.unicode {
        theme.characters.error = "x".into();
        theme.characters.warning = "!".into();
        theme.characters.advice = ">".into();
    }
    GraphicalReportHandler::new_themed(theme)
        .with_width(looks.width)
        .with_context_lines(1)
        .with_links(false)
        .with_urls(false)
        .with_break_words(false)
        .without_cause_chain()
        .without_syntax_highlighting()
}

/// What all frames of a report share.
struct Frames<'a> {
    report: &'a Report,
    places: AllPlaces<'a>,
    handler: GraphicalReportHandler,
    looks: Looks,
}

impl Frames<'_> {
    fn diagnostic(&self, out: &mut String, diagnostic: &Diagnostic) {
        let main = diagnostic.primary.span.source;
        let mut labels = vec![&diagnostic.primary];
        let here = diagnostic.others.iter().filter(|o| o.span.source == main);
        labels.extend(here.take(LABELS_MAX));
        let code = diagnostic.code;
        let title = format!(
            "{}[{}]: {}",
            code.severity.word(),
            code.name,
            plain(&diagnostic.message)
        );
        let severity = match code.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        };
        self.frame(out, title, severity, main, &labels);
        let elsewhere = diagnostic.others.iter().filter(|o| o.span.source != main);
        for other in elsewhere.take(LABELS_MAX) {
            let title = plain(&other.text);
            let label = Label {
                span: other.span,
                text: String::new(),
            };
            let severity = miette::Severity::Advice;
            self.frame(out, title, severity, other.span.source, &[&label]);
        }
        for help in &diagnostic.helps {
            self.line(out, "help", &plain(help));
        }
        if let Some(fix) = &diagnostic.fix {
            let title = plain(&fix.title);
            // A help often says what a guess would do.
            if fix.certainty == Certainty::Certain || diagnostic.helps.is_empty() {
                self.line(out, "fix", &format!("{title}{}", how(fix)));
            }
        }
    }

    fn frame(
        &self,
        out: &mut String,
        title: String,
        severity: miette::Severity,
        id: SourceId,
        labels: &[&Label],
    ) {
        let source = self.report.source(id).zip(self.places.places(id));
        // The frame's own columns: the line's number, two blanks, the bar.
        let width = self.looks.width.saturating_sub(12).max(40);
        let (snippet, labels) = source
            .map(|(source, places)| Snippet::cut(source, places, labels, width))
            .unzip();
        let frame = Frame {
            title,
            severity,
            snippet,
            labels: labels.unwrap_or_default(),
        };
        if self.handler.render_report(out, &frame).is_err() {
            // A frame that can't be drawn still says what is wrong.
            writeln!(out, "  {frame}").ok();
        }
    }

    fn line(&self, out: &mut String, word: &str, text: &str) {
        let (on, off) = if self.looks.color {
            ("\u{1b}[36m", "\u{1b}[0m")
        } else {
            ("", "")
        };
        let text = text.replace('\n', "\n        ");
        writeln!(out, "  {on}{word}:{off} {text}").ok();
    }
}

/// How a fix gets into the file.
fn how(fix: &Fix) -> &'static str {
    match fix.certainty {
        Certainty::Certain => " (`--fix` does it)",
        Certainty::Likely => "",
    }
}

/// A terminal must not obey what a message quotes.
fn plain(text: &str) -> String {
    let safe = |letter: char| letter == '\n' || !letter.is_control();
    text.chars()
        .map(|letter| if safe(letter) { letter } else { '�' })
        .collect()
}

/// One title and the lines below it.
#[derive(Debug)]
struct Frame {
    title: String,
    severity: miette::Severity,
    snippet: Option<Snippet>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl std::error::Error for Frame {}

impl miette::Diagnostic for Frame {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.snippet
            .as_ref()
            .map(|snippet| snippet as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{TEXT, full, report};
    use flow_syntax::span::{Source, Span};

    const LOOKS: Looks = Looks {
        width: 80,
        color: false,
        unicode: true,
    };

    #[test]
    fn a_diagnostic_shows_code_place_help_and_fix() {
        let text = human(&report("a.flow", TEXT, &[full()]), LOOKS);
        for part in [
            "error[unknown-step]: no step named `gen.imgae`",
            "a.flow:2:6",
            "not declared",
            "in this workflow",
            "help: did you mean `gen.image`?",
            "fix: write `gen.image` (`--fix` does it)",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_place_in_another_file_gets_a_frame_of_its_own() {
        let mut report = Report::default();
        let sources = [
            Source::new(SourceId(0), "a.flow", TEXT),
            Source::new(SourceId(1), "lib/b.flow", "workflow b() {}\n"),
        ];
        let there = Span::new(SourceId(1), 9, 10);
        let diagnostic = full().other(there, "declared here");
        report.add(&sources, &[diagnostic], &|source| source.name.clone());
        let text = human(&report, LOOKS);
        assert!(text.contains("declared here"), "{text}");
        assert!(text.contains("lib/b.flow:1:10"), "{text}");
    }

    #[test]
    fn without_unicode_nothing_else_is_drawn() {
        let looks = Looks {
            unicode: false,
            ..LOOKS
        };
        let text = human(&report("a.flow", TEXT, &[full()]), looks);
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn a_thousand_diagnostics_are_cut_short() {
        let many: Vec<Diagnostic> = (0..1000)
            .map(|at| Diagnostic {
                message: format!("number {at}"),
                ..full()
            })
            .collect();
        let text = human(&report("a.flow", TEXT, &many), LOOKS);
        assert!(text.ends_with("… and 800 more\n"));
        assert!(!text.contains("number 200\n"));
    }
}
