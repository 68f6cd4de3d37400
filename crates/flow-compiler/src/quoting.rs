//! Fixes inside of YAML scalars are written as the scalar's quotes ask for.
//!
//! Text of the language stands in YAML in quotes more often than not. A fix is
//! made where only the text is known; here its edits learn of their quotes.

use flow_syntax::diagnostic::{Diagnostic, Edit};
use flow_syntax::span::{Source, Spelling};

/// What stands around a place in YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Double,
    Single,
    None,
}

/// Writes the fixes of YAML files so that they stay inside their scalars.
pub(crate) fn fit_fixes(diagnostics: &mut [Diagnostic], sources: &[Source]) {
    for diagnostic in diagnostics {
        // What is wrong with YAML itself knows of quotes.
        if diagnostic.code.name.starts_with("yaml-") {
            continue;
        }
        let is_of_text = flow_syntax::codes::ALL.contains(&diagnostic.code);
        let Some(fix) = &mut diagnostic.fix else {
            continue;
        };
        let fits = fix.edits.iter_mut().all(|edit| {
            let source = sources.iter().find(|source| source.id == edit.span.source);
            source.is_none_or(|source| fit(edit, source))
        });
        if !fits && !is_of_text {
            diagnostic.fix = None;
        }
    }
}

/// Escapes an edit. Answers no if it can't be written there.
fn fit(edit: &mut Edit, source: &Source) -> bool {
    if Spelling::of_name(&source.name) != Spelling::Yaml {
        return true;
    }
    let is_marked = |marks: &[char]| edit.text.contains(marks);
    match quotes_at(&source.text, edit.span.start as usize) {
        Quotes::Double if is_marked(&['"', '\\', '\n']) => {
            let text = edit.text.replace('\\', "\\\\").replace('"', "\\\"");
            edit.text = text.replace('\n', "\\n");
            true
        }
        Quotes::Single if is_marked(&['\'']) => {
            edit.text = edit.text.replace('\'', "''");
            true
        }
        Quotes::None => !edit.text.contains(": ") && !edit.text.contains(" #"),
        Quotes::Double | Quotes::Single => true,
    }
}

/// Returns which quotes are open at a place of a line.
fn quotes_at(text: &str, at: usize) -> Quotes {
    let line = text.get(..at).unwrap_or("");
    let line = line.rsplit('\n').next().unwrap_or("");
    let mut quotes = Quotes::None;
    // Quotes begin a scalar only where one may begin.
    let mut may_begin = true;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quotes, letter) {
            (Quotes::None, '"') if may_begin => quotes = Quotes::Double,
            (Quotes::None, '\'') if may_begin => quotes = Quotes::Single,
            (Quotes::Double, '\\') => {
                letters.next();
            }
            // Two of them are one quote.
            (Quotes::Single, '\'') if letters.peek() == Some(&'\'') => {
                letters.next();
            }
            (Quotes::Double, '"') | (Quotes::Single, '\'') => quotes = Quotes::None,
            _ => {}
        }
        let is_blank = letter == ' ';
        may_begin = matches!(letter, ':' | ',' | '[' | '{' | '-') || (is_blank && may_begin);
    }
    quotes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_known_by_what_stands_before() {
        let at = |line: &str| quotes_at(line, line.len());
        assert_eq!(at("- { id: a, value: \"${x"), Quotes::Double);
        assert_eq!(at("- { id: a, value: 'it''s "), Quotes::Single);
        assert_eq!(at("value: a \"b"), Quotes::None);
        assert_eq!(at("value: \"a\\\" b"), Quotes::Double);
        assert_eq!(at("value: \"a\", b"), Quotes::None);
    }
}
