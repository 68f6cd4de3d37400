//! Leaves out what is only said because something else is wrong.
//!
//! Where a statement is lost or a name misspelled, a name seems unused and a
//! block without a value. Saying so would send the author to places that are
//! right.

use flow_syntax::ast::{self, ItemKind};
use flow_syntax::diagnostic::{Code, Diagnostic};
use flow_syntax::span::Span;

use crate::codes;

/// What is said of a file only when all else in it is right.
const LAST: &[Code] = &[
    codes::UNUSED,
    codes::UNUSED_USE,
    codes::EXPECTS_NOTHING,
    codes::OVER_BUDGET,
];

/// What is said because a declaration holds nothing of some kind.
const ABSENT: &[Code] = &[codes::UNUSED_ANSWER, codes::NO_VALUE, codes::TRIGGER_WHEN];

/// What is said because a statement lacks a part.
const PARTIAL: &[Code] = &[
    codes::VALUE_UNUSED,
    codes::MISSING_ARGUMENT,
    codes::BRANCHES_DIFFER,
    codes::NOT_EXHAUSTIVE,
];

/// What is said of a `none` that was written in another way.
const MEANT: &[Code] = &[
    codes::TYPE_MISMATCH,
    codes::TYPE_UNKNOWN,
    codes::NEVER_MISSING,
];

/// What is said of the statements behind a block that isn't closed, since they
/// seem to stand inside of it.
const INSIDE: &[Code] = &[
    codes::CYCLE,
    flow_syntax::codes::EARLY_RETURN,
    flow_syntax::codes::YIELD_NOT_LAST,
];

/// Removes what follows from other faults.
pub(crate) fn leave_out(diagnostics: &mut Vec<Diagnostic>, trees: &[ast::File]) {
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    let places: Vec<(Span, bool)> = errors
        .map(|error| {
            let of_text = flow_syntax::codes::ALL.contains(&error.code);
            (error.primary.span, of_text)
        })
        .collect();
    if places.is_empty() {
        return;
    }
    let nulls: Vec<Span> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == flow_syntax::codes::NULL_LITERAL)
        .map(|diagnostic| diagnostic.primary.span)
        .collect();
    let open: Vec<Span> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == flow_syntax::codes::UNCLOSED)
        .map(|diagnostic| diagnostic.primary.span)
        .collect();
    let is_broken = |piece: &Span| {
        places
            .iter()
            .any(|(at, of_text)| *of_text && has(*piece, *at))
    };
    let items = trees.iter().flat_map(|tree| &tree.items);
    let broken: Vec<&ast::Item> = items.filter(|item| is_broken(&item.span)).collect();
    let statements: Vec<Span> = broken
        .iter()
        .flat_map(|item| statements(item))
        .filter(is_broken)
        .collect();
    diagnostics.retain(|diagnostic| {
        let span = diagnostic.primary.span;
        if LAST.contains(&diagnostic.code) {
            places.iter().all(|(at, _)| at.source != span.source)
        } else if ABSENT.contains(&diagnostic.code) {
            broken.iter().all(|item| !has(item.span, span))
        } else if PARTIAL.contains(&diagnostic.code) {
            statements.iter().all(|statement| !has(*statement, span))
        } else if INSIDE.contains(&diagnostic.code) {
            let of_item = |item: &&ast::Item| has(item.span, span);
            let mut around = broken.iter().copied().filter(of_item);
            !around.any(|item| open.iter().any(|at| has(item.span, *at)))
        } else if MEANT.contains(&diagnostic.code) {
            nulls.iter().all(|null| !has(span, *null))
        } else {
            true
        }
    });
}

/// Returns the statements of a workflow.
fn statements(item: &ast::Item) -> Vec<Span> {
    let ItemKind::Workflow(workflow) = &item.kind else {
        return Vec::new();
    };
    let result = workflow.body.result.iter().map(|result| result.span);
    let stmts = workflow.body.stmts.iter().map(|stmt| stmt.span);
    stmts.chain(result).collect()
}

/// Returns whether a place begins in another, or right behind it.
fn has(piece: Span, place: Span) -> bool {
    piece.source == place.source && piece.start <= place.start && place.start <= piece.end
}
