//! One file of the corpus: its text, and what is expected of it.

use std::fmt::Write as _;

use flow_compiler::Compiled;
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::{Lines, Span};

/// A file without its `#!` lines.
pub(crate) fn strip(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| !line.trim_start().starts_with("#!"))
        .collect()
}

/// The text with all that is said about it below its lines.
pub(crate) fn annotate(text: &str, compiled: &Compiled) -> String {
    let lines = Lines::of(text);
    let (own, other): (Vec<&Diagnostic>, Vec<&Diagnostic>) = compiled
        .diagnostics
        .iter()
        .partition(|diagnostic| diagnostic.primary.span.source == compiled.entry);
    let mut out = String::new();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        out.push_str(line);
        let here = own
            .iter()
            .filter(|diagnostic| lines.line(diagnostic.primary.span.start) == at);
        for diagnostic in here {
            if !out.ends_with('\n') {
                out.push('\n');
            }
            let (column, width) = columns(text, &lines, diagnostic.primary.span);
            describe(&mut out, diagnostic, column, width);
        }
    }
    for diagnostic in other {
        if !out.ends_with('\n') {
            out.push('\n');
        }
        let span = diagnostic.primary.span;
        let place = compiled.source(span.source).map_or_else(
            || "?".to_owned(),
            |source| {
                let (line, column) = Lines::of(&source.text).line_column(&source.text, span.start);
                format!("{}:{line}:{column}", source.name)
            },
        );
        writeln!(out, "#! in {place}").unwrap();
        describe(&mut out, diagnostic, 0, 0);
    }
    out
}

/// Column (from 0) and width of a span on its first line, in characters.
fn columns(text: &str, lines: &Lines, span: Span) -> (usize, usize) {
    let start = lines.start(lines.line(span.start)) as usize;
    let column = text[start..span.start as usize].chars().count();
    let rest = &text[span.range()];
    let line = rest.split('\n').next().unwrap_or("");
    (column, line.trim_end().chars().count().max(1))
}

fn describe(out: &mut String, diagnostic: &Diagnostic, column: usize, width: usize) {
    let severity = diagnostic.code.severity.word();
    let code = diagnostic.code.name;
    let message = &diagnostic.message;
    // Two characters of the line are taken by `#!`.
    let head = match (column, width) {
        (_, 0) => "#! ".to_owned(),
        (0 | 1, _) => format!("#!{}< ", "^".repeat(width.saturating_sub(2))),
        _ => format!("#!{}{} ", " ".repeat(column - 2), "^".repeat(width)),
    };
    writeln!(out, "{head}{severity}[{code}]: {message}").unwrap();
    let mut line = |word: &str, text: &str| {
        if !text.is_empty() {
            writeln!(out, "#!  {word}: {text}").unwrap();
        }
    };
    line("here", &diagnostic.primary.text);
    for other in &diagnostic.others {
        line("there", &other.text);
    }
    for help in &diagnostic.helps {
        line("help", help);
    }
    if let Some(fix) = &diagnostic.fix {
        line("fix", &fix.title);
    }
}
