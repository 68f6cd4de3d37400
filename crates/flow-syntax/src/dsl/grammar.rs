//! The grammar as pest compiles it, and names for what it gives.

use pest_derive::Parser;

/// The parser made from `grammar/flow.pest`.
#[derive(Parser)]
#[grammar = "../../../grammar/flow.pest"]
pub(super) struct Grammar;

/// A piece that was read.
pub(super) type Pair<'a> = pest::iterators::Pair<'a, Rule>;

/// Pieces in a row.
pub(super) type Pairs<'a> = pest::iterators::Pairs<'a, Rule>;

/// Why a piece could not be read.
pub(super) type Failure = Box<pest::error::Error<Rule>>;

/// Returns what stands in a piece, without marks and words that only hold it
/// together.
pub(super) fn parts(pair: Pair<'_>) -> impl Iterator<Item = Pair<'_>> {
    pair.into_inner().filter(|part| !is_mark(part.as_rule()))
}

fn is_mark(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::comma
            | Rule::colon
            | Rule::equals
            | Rule::arrow
            | Rule::arm_arrow
            | Rule::bar
            | Rule::dots
            | Rule::brace_open
            | Rule::brace_close
            | Rule::paren_open
            | Rule::paren_close
            | Rule::bracket_open
            | Rule::bracket_close
            | Rule::angle_open
            | Rule::angle_close
            | Rule::brace_ahead
            | Rule::item_ahead
            | Rule::EOI
    )
}

/// Returns the first piece of a kind; the grammar sees to it that there is one
/// wherever this is asked.
pub(super) fn find<'a>(pair: &Pair<'a>, rule: Rule) -> Option<Pair<'a>> {
    pair.clone()
        .into_inner()
        .find(|part| part.as_rule() == rule)
}
