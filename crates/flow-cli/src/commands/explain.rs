//! `flow explain`: the page of a diagnostic.

use flow_syntax::diagnostic::nearest;

use crate::args::Explain;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::pages;

/// Prints the page of a code, or the list of all codes.
pub(super) fn run(args: &Explain, output: &mut Output) -> Result<Exit, Failure> {
    match &args.code {
        Some(code) => output.data(&explained(code)?)?,
        None => output.data(&listed())?,
    }
    Ok(Exit::Done)
}

/// Returns a page. The code may be written as messages show it.
fn explained(code: &str) -> Result<String, Failure> {
    let word = code
        .trim_start_matches("error")
        .trim_start_matches("warning")
        .trim_matches(['[', ']', ':', ' ']);
    let codes = pages::codes();
    if let Some(found) = codes.iter().find(|known| known.name == word) {
        let page = pages::page(found.name);
        return Ok(page.map_or_else(
            || format!("{}: {}\n", found.name, found.summary),
            str::to_owned,
        ));
    }
    let failure = Failure::usage(format!("there is no diagnostic `{code}`"));
    Err(match nearest(word, codes.iter().map(|known| known.name)) {
        Some(near) => failure.with_help(format!("did you mean `{near}`?")),
        None => failure.with_help("`flow explain` lists all of them"),
    })
}

fn listed() -> String {
    let codes = pages::codes();
    let width = codes.iter().map(|code| code.name.len()).max().unwrap_or(0);
    let lines = codes.iter().map(|code| {
        let (name, word) = (code.name, code.severity.word());
        format!("{name:width$}  {word:7}  {}\n", code.summary)
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_as_messages_show_it() {
        for code in ["unknown-step", "error[unknown-step]", "[unknown-step]:"] {
            assert!(explained(code).unwrap().contains("unknown-step"), "{code}");
        }
    }

    #[test]
    fn an_unknown_code_gets_the_nearest() {
        let failure = explained("unknwon-step").unwrap_err();
        assert!(failure.to_string().contains("did you mean `unknown-step`?"));
    }

    #[test]
    fn the_list_has_a_line_for_each_code() {
        assert_eq!(listed().lines().count(), pages::codes().len());
    }
}
