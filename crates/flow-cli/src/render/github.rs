//! Diagnostics as workflow commands of GitHub Actions.

use std::fmt::Write;

use super::places::AllPlaces;
use crate::report::Report;

/// Writes a report as one command a line.
pub(super) fn github(report: &Report) -> String {
    let places = AllPlaces::of(report);
    let mut out = String::new();
    for diagnostic in report.diagnostics() {
        let code = diagnostic.code;
        write!(out, "::{} ", code.severity.word()).ok();
        if let Some(extent) = places.extent(diagnostic.primary.span) {
            let (from, to) = (extent.from, extent.to);
            write!(out, "file={},line={}", property(extent.file), from.line).ok();
            // A column on another line than the first is refused.
            if from.line == to.line {
                write!(out, ",col={},endColumn={}", from.column, to.column).ok();
            } else {
                write!(out, ",endLine={}", to.line).ok();
            }
            out.push(',');
        }
        let mut message = diagnostic.message.clone();
        for help in &diagnostic.helps {
            message.push_str("\nhelp: ");
            message.push_str(help);
        }
        if let Some(fix) = &diagnostic.fix
            && diagnostic.helps.is_empty()
        {
            message.push_str("\nfix: ");
            message.push_str(&fix.title);
        }
        writeln!(out, "title={}::{}", property(code.name), data(&message)).ok();
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{TEXT, full, report};

    #[test]
    fn what_would_end_a_command_is_escaped() {
        let mut diagnostic = full();
        diagnostic.message = "100%\n::error::no".into();
        let text = github(&report("a,b:c.flow", TEXT, &[diagnostic]));
        assert_eq!(
            text,
            "::error file=a%2Cb%3Ac.flow,line=2,col=6,endColumn=15,title=unknown-step\
             ::100%25%0A::error::no%0Ahelp: did you mean `gen.image`?\n"
        );
    }
}
