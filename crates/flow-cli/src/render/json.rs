//! Diagnostics as one JSON object. The shape is versioned: fields may be
//! added, none changes its meaning.

use flow_syntax::diagnostic::{Certainty, Diagnostic, Label};
use flow_syntax::span::Span;
use serde::Serialize;

use super::places::{AllPlaces, Place};
use crate::report::Report;

/// The version of the shape.
const VERSION: u32 = 1;

#[derive(Debug, Serialize)]
struct Whole<'a> {
    version: u32,
    summary: Summary,
    diagnostics: Vec<Said<'a>>,
}

#[derive(Debug, Serialize)]
struct Summary {
    files: usize,
    errors: usize,
    warnings: usize,
}

/// A diagnostic.
#[derive(Debug, Serialize)]
pub(crate) struct Said<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    place: Option<Where<'a>>,
    label: &'a str,
    others: Vec<Other<'a>>,
    helps: &'a [String],
    fix: Option<Mend<'a>>,
}

#[derive(Debug, Serialize)]
struct Where<'a> {
    file: &'a str,
    /// Bytes from the beginning of the file.
    start: u32,
    end: u32,
    /// Lines and columns from 1, columns in characters.
    from: At,
    to: At,
}

#[derive(Debug, Serialize)]
struct At {
    line: usize,
    column: usize,
}

#[derive(Debug, Serialize)]
struct Other<'a> {
    place: Option<Where<'a>>,
    label: &'a str,
}

#[derive(Debug, Serialize)]
struct Mend<'a> {
    title: &'a str,
    certain: bool,
    edits: Vec<Change<'a>>,
}

#[derive(Debug, Serialize)]
struct Change<'a> {
    place: Option<Where<'a>>,
    text: &'a str,
}

/// Writes a report as one JSON object.
pub(crate) fn json(report: &Report) -> String {
    let (errors, warnings) = report.counts();
    let whole = Whole {
        version: VERSION,
        summary: Summary {
            files: report.file_count(),
            errors,
            warnings,
        },
        diagnostics: diagnostics(report),
    };
    pretty(&whole)
}

/// Returns the diagnostics of a report in their JSON shape.
pub(crate) fn diagnostics(report: &Report) -> Vec<Said<'_>> {
    let places = AllPlaces::of(report);
    let list = report.diagnostics().iter();
    list.map(|diagnostic| said(&places, diagnostic)).collect()
}

/// Writes a value of ours as JSON, with a newline at the end.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("our shapes have text keys and finite numbers, which JSON can say");
    text.push('\n');
    text
}

fn said<'a>(places: &AllPlaces<'a>, diagnostic: &'a Diagnostic) -> Said<'a> {
    let others = diagnostic.others.iter().map(|label| other(places, label));
    let fix = diagnostic.fix.as_ref().map(|fix| Mend {
        title: &fix.title,
        certain: fix.certainty == Certainty::Certain,
        edits: (fix.edits.iter())
            .map(|edit| Change {
                place: place(places, edit.span),
                text: &edit.text,
            })
            .collect(),
    });
    Said {
        code: diagnostic.code.name,
        severity: diagnostic.code.severity.word(),
        message: &diagnostic.message,
        place: place(places, diagnostic.primary.span),
        label: &diagnostic.primary.text,
        others: others.collect(),
        helps: &diagnostic.helps,
        fix,
    }
}

fn other<'a>(places: &AllPlaces<'a>, label: &'a Label) -> Other<'a> {
    Other {
        place: place(places, label.span),
        label: &label.text,
    }
}

fn place<'a>(places: &AllPlaces<'a>, span: Span) -> Option<Where<'a>> {
    let at = |place: Place| At {
        line: place.line,
        column: place.column,
    };
    places.extent(span).map(|extent| Where {
        file: extent.file,
        start: span.start,
        end: span.end,
        from: at(extent.from),
        to: at(extent.to),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{TEXT, full, report};

    #[test]
    fn a_diagnostic_carries_bytes_lines_and_edits() {
        let text = json(&report("a.flow", TEXT, &[full()]));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["version"], 1);
        let said = &value["diagnostics"][0];
        assert_eq!(said["code"], "unknown-step");
        assert_eq!(said["place"]["start"], 13);
        assert_eq!(said["place"]["from"]["line"], 2);
        assert_eq!(said["place"]["from"]["column"], 6);
        assert_eq!(said["fix"]["edits"][0]["text"], "gen.image");
        assert_eq!(said["fix"]["certain"], true);
    }
}
