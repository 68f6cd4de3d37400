//! `flow doctor`: whether the installation and the store are as they should be.
//!
//! Modules, in reading order: the machine, who uses the store, its files, its
//! runs, and the money of all of them.

mod books;
mod files;
pub(super) mod logs;
mod machine;
mod users;

use flow_runtime::store::layout::Layout;
use flow_runtime::store::{OpenError, Reader};
use serde_json::json;

use crate::archive::{Archive, layout, now};
use crate::args::{DataFormat, Doctor as Args};
use crate::drive::whole;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::{Looks, Output};
use crate::page::{Page, Style, tame};

/// How thoroughly it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// What can be seen at a glance.
    Glance,
    /// All is read again.
    Verify,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Fine,
    /// Worth knowing; nothing is wrong.
    Note,
    Wrong,
}

/// What was found, and what helps.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    level: Level,
    text: String,
    cure: Option<String>,
}

/// All that was found.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn fine(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Level::Fine, text, None);
    }

    fn note(&mut self, check: &'static str, text: impl Into<String>, cure: &str) {
        self.add(check, Level::Note, text, Some(cure));
    }

    fn wrong(&mut self, check: &'static str, text: impl Into<String>, cure: &str) {
        self.add(check, Level::Wrong, text, Some(cure));
    }

    fn add(
        &mut self,
        check: &'static str,
        level: Level,
        text: impl Into<String>,
        cure: Option<&str>,
    ) {
        self.0.push(Finding {
            check,
            level,
            text: text.into(),
            cure: cure.filter(|cure| !cure.is_empty()).map(str::to_owned),
        });
    }

    fn is_well(&self) -> bool {
        self.0.iter().all(|finding| finding.level != Level::Wrong)
    }
}

/// Checks everything.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let layout = layout(args.asking.store.as_deref())?;
    let care = if args.verify {
        Care::Verify
    } else {
        Care::Glance
    };
    let mut found = Findings::default();
    machine::check(&layout, &mut found);
    let exit = match Reader::open(&layout) {
        Ok(reader) => {
            let archive = Archive {
                layout: layout.clone(),
                reader,
                now: now(extra),
            };
            check_store(&archive, care, &mut found)?;
            None
        }
        Err(OpenError::Missing { .. }) => {
            let text = format!("there is none yet at `{}`", layout.root().display());
            found.fine("store", text);
            None
        }
        Err(error) => {
            let text = format!("it can't be opened: {}", whole(&error));
            found.wrong("store", text, "");
            Some(Exit::Store)
        }
    };
    output.data(&match args.asking.format {
        DataFormat::Json => format!("{}\n", as_json(&found, &layout)),
        DataFormat::Human => as_text(&found, &layout, output.data_looks()),
    })?;
    Ok(match exit {
        Some(exit) => exit,
        None if found.is_well() => Exit::Done,
        None => Exit::Invalid,
    })
}

fn check_store(archive: &Archive, care: Care, found: &mut Findings) -> Result<(), Failure> {
    machine::check_clock(archive, found)?;
    users::check(archive, found)?;
    files::check(archive, care, found)?;
    logs::check(archive, care, found)?;
    if care == Care::Verify {
        books::check(archive, found)?;
    } else {
        let text = "the content of artifacts, all logs and the ledgers were not read";
        found.note("verify", text, "`flow doctor --verify` reads them");
    }
    Ok(())
}

fn as_text(found: &Findings, layout: &Layout, looks: Looks) -> String {
    let mut page = Page::new(looks);
    let version = env!("CARGO_PKG_VERSION");
    let dot = page.dot();
    let name = page.styled(Style::Bold, &format!("flow {version}"));
    page.line(&format!(
        "{name} {dot} store `{}`",
        tame(&layout.root().display().to_string())
    ));
    page.gap();
    for finding in &found.0 {
        let (sign, plain, style) = match finding.level {
            Level::Fine => ("✓", "+", Style::Good),
            Level::Note => ("·", ".", Style::Warn),
            Level::Wrong => ("✗", "x", Style::Bad),
        };
        let sign = page.styled(style, if looks.unicode { sign } else { plain });
        let text = format!("{}: {}", finding.check, tame(&finding.text));
        let room = looks.width.saturating_sub(2).max(20);
        for (number, line) in crate::page::wrap(&text, room, 2).into_iter().enumerate() {
            if number == 0 {
                page.line(&format!("{sign} {line}"));
            } else {
                page.line(&format!("    {line}"));
            }
        }
        if let Some(cure) = &finding.cure {
            let arrow = if looks.unicode { "→" } else { "->" };
            page.prose(4, Style::Dim, &format!("{arrow} {}", tame(cure)));
        }
    }
    page.gap();
    let wrong = found
        .0
        .iter()
        .filter(|finding| finding.level == Level::Wrong)
        .count();
    page.line(&match wrong {
        0 => "nothing is wrong".to_owned(),
        1 => "one thing is wrong".to_owned(),
        many => format!("{many} things are wrong"),
    });
    page.into_text()
}

fn as_json(found: &Findings, layout: &Layout) -> serde_json::Value {
    let findings = found.0.iter().map(|finding| {
        json!({
            "check": finding.check,
            "level": match finding.level {
                Level::Fine => "fine",
                Level::Note => "note",
                Level::Wrong => "wrong",
            },
            "text": finding.text,
            "cure": finding.cure,
        })
    });
    json!({
        "version": 1,
        "flow": env!("CARGO_PKG_VERSION"),
        "store": layout.root().display().to_string(),
        "ok": found.is_well(),
        "findings": findings.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_have_their_cures_and_wild_letters_are_tamed() {
        let mut found = Findings::default();
        found.fine("store", "it is there");
        found.note("runs", "one was interrupted", "`flow resume kotemi`");
        found.wrong("artifacts", "a\u{1b}[2Jb is missing", "make it again");
        let looks = Looks {
            width: 40,
            color: false,
            unicode: false,
        };
        let text = as_text(&found, &Layout::new("/s"), looks);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            text,
            format!(
                "flow {version} - store `/s`\n\n\
                 + store: it is there\n\
                 . runs: one was interrupted\n    -> `flow resume kotemi`\n\
                 x artifacts: a\u{fffd}[2Jb is missing\n    -> make it again\n\n\
                 one thing is wrong\n"
            )
        );
        assert!(!found.is_well());
    }
}
