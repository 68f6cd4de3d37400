//! Diagnostics as SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;
use std::fmt::Write;

use flow_syntax::diagnostic::{Diagnostic, Fix, Severity};
use flow_syntax::span::Span;
use serde_json::{Value, json};

use super::json::pretty;
use super::places::AllPlaces;
use crate::pages;
use crate::report::Report;

/// Writes a report as a SARIF log of one run.
pub(super) fn sarif(report: &Report) -> String {
    let places = AllPlaces::of(report);
    let used: BTreeMap<&str, &Diagnostic> = (report.diagnostics().iter())
        .map(|diagnostic| (diagnostic.code.name, diagnostic))
        .collect();
    let index: BTreeMap<&str, usize> = used.keys().copied().zip(0..).collect();
    let results: Vec<Value> = (report.diagnostics().iter())
        .map(|diagnostic| result(&places, diagnostic, index[diagnostic.code.name]))
        .collect();
    let rules: Vec<Value> = used.values().map(|diagnostic| rule(diagnostic)).collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "flow",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(diagnostic: &Diagnostic) -> Value {
    let code = diagnostic.code;
    let mut rule = json!({
        "id": code.name,
        "shortDescription": { "text": code.summary },
        "defaultConfiguration": { "level": level(code.severity) },
    });
    if let Some(page) = pages::page(code.name) {
        rule["help"] = json!({ "text": page, "markdown": page });
    }
    rule
}

fn level(severity: Severity) -> &'static str {
    severity.word()
}

fn result(places: &AllPlaces<'_>, diagnostic: &Diagnostic, rule: usize) -> Value {
    let mut message = diagnostic.message.clone();
    for help in &diagnostic.helps {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    let main = location(places, diagnostic.primary.span, &diagnostic.primary.text);
    let related: Vec<Value> = (diagnostic.others.iter())
        .filter_map(|label| location(places, label.span, &label.text))
        .collect();
    let mut result = json!({
        "ruleId": diagnostic.code.name,
        "ruleIndex": rule,
        "level": level(diagnostic.code.severity),
        "message": { "text": message },
        "locations": main.into_iter().collect::<Vec<_>>(),
    });
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    if let Some(fix) = &diagnostic.fix {
        result["fixes"] = json!([changes(places, fix)]);
    }
    result
}

fn location(places: &AllPlaces<'_>, span: Span, text: &str) -> Option<Value> {
    let extent = places.extent(span)?;
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(extent.file) },
            "region": region(places, span),
        },
    });
    if !text.is_empty() {
        location["message"] = json!({ "text": text });
    }
    Some(location)
}

fn region(places: &AllPlaces<'_>, span: Span) -> Value {
    places.extent(span).map_or(Value::Null, |extent| {
        json!({
            "startLine": extent.from.line,
            "startColumn": extent.from.column,
            "endLine": extent.to.line,
            "endColumn": extent.to.column,
        })
    })
}

fn changes(places: &AllPlaces<'_>, fix: &Fix) -> Value {
    let mut files: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        let Some(extent) = places.extent(edit.span) else {
            continue;
        };
        files.entry(extent.file).or_default().push(json!({
            "deletedRegion": region(places, edit.span),
            "insertedContent": { "text": edit.text },
        }));
    }
    let changes: Vec<Value> = (files.into_iter())
        .map(|(file, edits)| {
            json!({
                "artifactLocation": { "uri": uri(file) },
                "replacements": edits,
            })
        })
        .collect();
    json!({
        "description": { "text": fix.title },
        "artifactChanges": changes,
    })
}

/// Writes a path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => {
                write!(uri, "%{other:02X}").ok();
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{TEXT, full, report};

    #[test]
    fn a_log_has_rules_places_and_fixes() {
        let text = sarif(&report("my flows/a.flow", TEXT, &[full()]));
        let value: Value = serde_json::from_str(&text).unwrap();
        let run = &value["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "unknown-step");
        let result = &run["results"][0];
        assert_eq!(result["level"], "error");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20flows/a.flow");
        assert_eq!(place["region"]["startLine"], 2);
        assert_eq!(
            result["relatedLocations"][0]["message"]["text"],
            "in this workflow"
        );
        let change = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
        assert_eq!(change["insertedContent"]["text"], "gen.image");
    }
}
