//! What came of tests, as the XML that build servers read.

use std::fmt::Write;

use super::Outcome;
use crate::output::Looks;
use crate::render::human as diagnostics;
use crate::report::Report;
use crate::testing::{Job, Suite, Verdict};

/// How the text of a failure looks.
const LOOKS: Looks = Looks {
    width: 100,
    color: false,
    unicode: true,
};

/// Writes the XML: a suite for each file, a case for each test.
pub(super) fn junit(outcome: &Outcome<'_>) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let verdicts: Vec<&(Job, Verdict)> = outcome.verdicts.iter().collect();
    _ = writeln!(out, "<testsuites {}>", counts(&verdicts));
    for (at, suite) in outcome.suites.iter().enumerate() {
        let own = verdicts.iter().filter(|(job, _)| job.suite == at);
        let own: Vec<&(Job, Verdict)> = own.copied().collect();
        if own.is_empty() {
            continue;
        }
        let (name, counts) = (attribute(&suite.file), counts(&own));
        _ = writeln!(out, "  <testsuite name=\"{name}\" {counts}>");
        for (job, verdict) in own {
            case(suite, *job, verdict, &mut out);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts(verdicts: &[&(Job, Verdict)]) -> String {
    let failed = verdicts.iter().filter(|(_, verdict)| !verdict.has_passed());
    let failed = failed.count();
    let took: f64 = verdicts
        .iter()
        .map(|(_, verdict)| verdict.took.as_secs_f64())
        .sum();
    let all = verdicts.len();
    format!("tests=\"{all}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{took:.3}\"")
}

fn case(suite: &Suite, job: Job, verdict: &Verdict, out: &mut String) {
    let test = &suite.tests[job.test];
    let (name, class) = (attribute(&test.name), attribute(&suite.file));
    let (line, took) = (suite.line(test), verdict.took.as_secs_f64());
    _ = write!(
        out,
        "    <testcase name=\"{name}\" classname=\"{class}\" file=\"{class}\" line=\"{line}\" time=\"{took:.3}\""
    );
    if verdict.has_passed() {
        out.push_str("/>\n");
        return;
    }
    out.push_str(">\n");
    for fault in &verdict.faults {
        let mut report = Report::default();
        suite.tell(&mut report, std::slice::from_ref(fault));
        let message = attribute(&fault.message);
        let said = text(&diagnostics(&report, LOOKS));
        let code = fault.code.name;
        _ = writeln!(
            out,
            "      <failure type=\"{code}\" message=\"{message}\">{said}</failure>"
        );
    }
    out.push_str("    </testcase>\n");
}

/// Writes what stands between quotes.
fn attribute(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            // A reader would make blanks of these.
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            letter => escape(letter, &mut out),
        }
    }
    out
}

/// Writes what stands between tags.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\r' => out.push_str("&#13;"),
            letter => escape(letter, &mut out),
        }
    }
    out
}

fn escape(letter: char, out: &mut String) {
    match letter {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        '\n' | '\t' => out.push(letter),
        // XML has no way to say these, not even by their numbers.
        letter if is_unsayable(letter) => out.push('�'),
        letter => out.push(letter),
    }
}

fn is_unsayable(letter: char) -> bool {
    matches!(letter, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_can_be_taken_for_a_tag() {
        let hostile = "a\"/><x y='&amp;'>]]>\u{0}\u{1b}[31m\n\té\u{fffe}";
        assert_eq!(
            attribute(hostile),
            "a&quot;/&gt;&lt;x y=&#39;&amp;amp;&#39;&gt;]]&gt;��[31m&#10;&#9;é�"
        );
        assert_eq!(text("a]]>\r\n<b>"), "a]]&gt;&#13;\n&lt;b&gt;");
    }
}
