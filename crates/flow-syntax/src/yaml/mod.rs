//! YAML to the tree.
//!
//! In reading order: [`keys`] describes every mapping in the terms of `shape`;
//! `tokens`, with `blanks`, `columns`, `letters` and `lines`, reads YAML, and
//! `events` makes nodes of it; `tree` has them with their places, `scalar` their
//! letters; `faults` says what is wrong where reading stops, `foreign` what YAML has and we don't;
//! the rest reads the tree: mappings with
//! fixed keys, text of the workflow language, values, items, regions and
//! declarations.

pub mod keys;
mod shape;

mod blanks;
mod columns;
mod events;
mod faults;
mod foreign;
mod letters;
mod lines;
mod queue;
mod scalar;
mod tokens;
mod tree;

mod fields;
mod habits;
mod reader;

mod declarations;
mod items;
mod language;
mod regions;
mod triggers;
mod value;

#[cfg(test)]
mod tests;

use crate::Parsed;
use crate::ast::File;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::span::{Source, Span};
use faults::{Cut, Stopped};
use reader::Reader;
use std::borrow::Cow;

/// How often something broken is cut out to look for what else is broken.
const CUTS_MAX: usize = 20;

/// Reads a YAML file.
pub(crate) fn parse(source: &Source) -> Parsed {
    let mut out = Diagnostics::default();
    let mut text = without_nul(source, &mut out);
    let mut broken: Vec<usize> = Vec::new();
    let mut cuts = 0;
    let mut stray = None;
    loop {
        let tree = tree::build(&text, source.id, &broken);
        let next = tree.stop.and_then(|stop| {
            let stopped = Stopped {
                text: &text,
                source: source.id,
                stop,
            };
            let (fault, cut) = stopped.explain();
            // A list that is indented wrongly is so in all of its lines.
            let column = stopped.stray_column();
            if column.is_none() || column != stray {
                out.push(between_characters(fault, &source.text));
            }
            stray = column;
            cuts += 1;
            let cut = cut.filter(|_| cuts < CUTS_MAX)?;
            let (next, mark) = faults::apply(&cut, &text);
            let is_new = next != *text || cut == Cut::Tabs;
            is_new.then_some((next, mark))
        });
        let Some((next, mark)) = next else {
            let (file, rest) = read(&text, source, tree, &broken);
            out.extend(rest);
            return Parsed {
                file,
                diagnostics: out.into_sorted(),
            };
        };
        drop(tree);
        broken.extend(mark);
        text = Cow::Owned(next);
    }
}

fn read(
    text: &str,
    source: &Source,
    tree: tree::Tree<'_>,
    broken: &[usize],
) -> (File, Diagnostics) {
    let is_partial = tree.stop.is_some();
    let (mut reader, root) = Reader::of(text, source.id, tree, broken, is_partial);
    let items = reader.file(root);
    let (comments, out) = reader.finish();
    (File { items, comments }, out)
}

/// Widens the places of a fault to whole characters. Where something was cut
/// out, a letter of one byte stands for one that may have more.
fn between_characters(mut fault: Diagnostic, text: &str) -> Diagnostic {
    let others = fault.others.iter_mut().map(|label| &mut label.span);
    let edits = fault.fix.iter_mut().flat_map(|fix| &mut fix.edits);
    let edits = edits.map(|edit| &mut edit.span);
    for span in [&mut fault.primary.span]
        .into_iter()
        .chain(others)
        .chain(edits)
    {
        let start = text.floor_char_boundary(span.start as usize);
        let end = text.ceil_char_boundary(span.end as usize);
        *span = Span::new(span.source, start, end);
    }
    fault
}

/// Replaces NUL, which ends a text for the parser, and reports the first.
fn without_nul<'s>(source: &'s Source, out: &mut Diagnostics) -> Cow<'s, str> {
    let Some(at) = source.text.find('\0') else {
        return Cow::Borrowed(&*source.text);
    };
    out.push(
        Diagnostic::new(
            codes::YAML_SYNTAX,
            Span::new(source.id, at, at + 1),
            "a NUL character stands here",
        )
        .help("take it out; the file may not be a text"),
    );
    Cow::Owned(source.text.replace('\0', " "))
}
