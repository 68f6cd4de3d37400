//! What YAML has and the language doesn't, and texts that YAML takes for it:
//! what is said of them.

use super::events::Style;
use super::scalar::Scalar;
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::span::Span;

/// How far from a fault its line is looked at.
const WINDOW: usize = 1024;

/// How many letters of the author's are quoted in a message.
const SHOWN_MAX: usize = 60;

/// Says what to write instead of an anchor or an alias.
pub(super) fn anchor(text: &str, span: Span, what: &str) -> Diagnostic {
    let written = shown(&text[span.range()]);
    let message = format!("`{written}`: there are no YAML {what} here");
    Diagnostic::new(codes::YAML_ANCHOR, span, message)
        .help("to use something twice, give it a name: a binding, a type under `types`, a workflow or a template")
        .help("if it is a text, quote it")
}

/// Returns whether a key takes over the entries of an anchor.
pub(super) fn is_merge(key: &Scalar<'_>) -> bool {
    key.text == "<<" && key.style == Style::Plain
}

/// Says why a node can't be a key.
pub(super) fn key(text: &str, span: Span) -> Diagnostic {
    let start = span.start as usize;
    let written = &text[span.range()];
    if written == "<<" {
        let message = "`<<`: there are no YAML merge keys here";
        return Diagnostic::new(codes::YAML_ANCHOR, span, message)
            .help("in a value, write `\"...\": ${other}` to take over the fields of a record");
    }
    if written.is_empty() {
        let message = "a key is missing before `:`";
        return Diagnostic::new(codes::YAML_SYNTAX, span, message)
            .help("write `key: value`, or quote the text");
    }
    let name = written
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
        .map_or("", str::trim);
    if text[..start].ends_with('{')
        && text[span.end as usize..].starts_with('}')
        && !name.is_empty()
        && !name.contains(['{', ':', '\n'])
    {
        let span = Span::new(span.source, start - 1, span.end as usize + 1);
        let message = format!("`{{{{ {} }}}}` is a mapping in YAML", shown(name));
        let hole = format!("\"${{{name}}}\"");
        return Diagnostic::new(codes::TEMPLATE_EXPRESSION, span, message)
            .help("a value is written `${…}`")
            .fix(Certainty::Likely, format!("write `{hole}`"), span, hole);
    }
    let message = format!("`{}` can't be a key", shown(written));
    Diagnostic::new(codes::YAML_SYNTAX, span, message)
        .help("a key is a word; to begin a text with a bracket, quote the text")
}

/// Says what to write instead of a tag.
pub(super) fn tag(text: &str, start: usize, span: Span) -> Diagnostic {
    let end = end_of_value(text, start);
    let written = &text[span.range()];
    let key = key_before(text, start);
    let shown = shown(written);
    let cond = text.get(start + 1..end).unwrap_or("").trim();
    // Between brackets the value may end before its line.
    let is_bracketed = cond.contains(['}', ']', ',']);
    if matches!(key, "if" | "until" | "expect" | "value")
        && !written.starts_with("!!")
        && !is_bracketed
    {
        let cond = cond.replace("&&", "and").replace("||", "or");
        let text = format!("not {cond}");
        return Diagnostic::new(
            codes::YAML_TAG,
            span,
            format!("`{shown}` is a tag in YAML, not a negation"),
        )
        .help(format!("write `{text}`"))
        .fix(
            Certainty::Likely,
            format!("write `{text}`"),
            Span::new(span.source, start, end.max(start)),
            text,
        );
    }
    Diagnostic::new(
        codes::YAML_TAG,
        span,
        format!("`{shown}` is a YAML tag, and there are none here"),
    )
    .help("leave the tag out: a value is read by the type expected there")
    .help("if it is a text, quote it")
}

/// Says that a value has to be quoted, with the fix.
pub(super) fn quote(text: &str, span: Span, message: String) -> Diagnostic {
    let fault = Diagnostic::new(codes::YAML_QUOTE, span, message);
    let written = &text[span.range()];
    if written.contains('\n') || written.is_empty() || written.len() + 4 > WINDOW {
        return fault.help("quote the text");
    }
    let quoted = if !written.contains(['"', '\\']) {
        format!("\"{written}\"")
    } else {
        format!("'{}'", written.replace('\'', "''"))
    };
    fault.help("quote the text").fix(
        Certainty::Certain,
        format!("write `{quoted}`"),
        span,
        quoted,
    )
}

/// Returns the end of the unquoted value that begins at a place: the end of
/// its line, without a comment. Of a very long line it is a part.
pub(super) fn end_of_value(text: &str, start: usize) -> usize {
    let line = window(text, start).lines().next().unwrap_or("");
    let value = line.find(" #").map_or(line, |at| &line[..at]);
    start + value.trim_end().len()
}

/// Returns the beginning of a text for a message.
pub(super) fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn window(text: &str, start: usize) -> &str {
    let end = text.floor_char_boundary(start.saturating_add(WINDOW));
    text.get(start..end).unwrap_or("")
}

/// Returns the key before a value on its line, or nothing.
fn key_before(text: &str, start: usize) -> &str {
    let from = text.floor_char_boundary(start.saturating_sub(WINDOW));
    let head = &text[from..start];
    let head = head.rsplit('\n').next().unwrap_or("").trim_end();
    let Some(head) = head.strip_suffix(':') else {
        return "";
    };
    let word = head.rfind(|c: char| c.is_whitespace() || matches!(c, '{' | ',' | '['));
    word.map_or(head, |at| {
        head[at..].trim_start_matches(['{', ',', '[']).trim()
    })
}
