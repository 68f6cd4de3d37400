//! What could have stood where reading stopped, in the language's words.

use super::Reader;
use super::grammar::{Failure, Rule};
use super::habits::Site;
use super::lex::Kind;
use super::recover::Mode;
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic};

/// Says what was expected and what was found.
pub(super) fn explain(
    reader: &Reader<'_>,
    site: &Site<'_>,
    failure: &Failure,
    mode: Mode,
) -> Diagnostic {
    if failure.is_too_deep {
        let span = reader.place(site.start, site.start);
        return Diagnostic::new(codes::TOO_DEEP, span, "this is nested too deeply")
            .help("give an inner part a name");
    }
    let wanted = failure.wanted.iter();
    let mut words: Vec<(u8, String)> = wanted.filter_map(|rule| describe(*rule)).collect();
    words.sort();
    words.dedup();
    // A value may always be followed by more of it; that is not worth a word
    // where something else is missing.
    if words.iter().any(|word| word.0 < LOOSE) {
        words.retain(|word| word.0 < LOOSE);
    }
    // Behind a whole value stands what comes next.
    let is_whole = !words.is_empty() && words.iter().all(|word| word.0 >= LOOSE);
    if is_whole && site.open.is_none() && matches!(mode, Mode::Block | Mode::Test) {
        words.insert(0, (0, "the next statement".to_owned()));
        words.truncate(1);
    }
    words.truncate(4);
    let mut words: Vec<String> = words.into_iter().map(|word| word.1).collect();
    words.dedup();
    if words.is_empty() {
        let rest = match mode {
            Mode::Block => "a statement",
            Mode::Arms => "an arm",
            Mode::Test => "`stub`, `run` or `expect`",
            Mode::Items => "a declaration",
            Mode::Fragment => "the end of the text",
        };
        words.push(rest.to_owned());
    }
    let foreign = (mode == Mode::Fragment).then(|| fragment(reader, site));
    if let Some(diagnostic) = foreign.flatten() {
        return diagnostic;
    }
    let found = match mode {
        Mode::Fragment if site.found.kind == Kind::End => "its end".to_owned(),
        Mode::Fragment | Mode::Block | Mode::Arms | Mode::Test | Mode::Items => site.found_words(),
    };
    let message = format!("expected {}, found {found}", either(&words));
    let span = reader.place(site.found.start, site.found.end);
    let mut diagnostic = Diagnostic::new(codes::SYNTAX, span, message);
    if let Some(open) = site.open {
        let bracket = open.of(site.text);
        let place = reader.place(open.start, open.end);
        diagnostic = diagnostic.other(place, format!("inside this `{bracket}`"));
    } else if site.found.kind == Kind::End && site.start < site.at {
        let end = site.text[..site.at].trim_end().len();
        diagnostic.primary.span = reader.place(end, end);
    }
    diagnostic
}

/// Habits in text of the language that stands alone, as in YAML.
fn fragment(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    let span = reader.place(site.found.start, site.found.end);
    if site.open.is_some() || site.before.is_empty() {
        return None;
    }
    match site.found.of(site.text) {
        "=" => Some(
            Diagnostic::new(codes::EQUALS, span, "a comparison is `==`").fix(
                Certainty::Certain,
                "write `==`",
                span,
                "==",
            ),
        ),
        "of" if site.before.len() == 1 => Some(
            Diagnostic::new(codes::FOREIGN_WORD, span, "`of` is written `in`").fix(
                Certainty::Certain,
                "write `in`",
                span,
                "in",
            ),
        ),
        _ => None,
    }
}

fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// From here on words are left out if there are better ones.
const LOOSE: u8 = 50;

/// Says what a rule is in the language's words, the better ones first.
fn describe(rule: Rule) -> Option<(u8, String)> {
    let say = |rank: u8, text: &str| Some((rank, text.to_owned()));
    if let Some((_, rank, text)) = WORDS.iter().find(|word| word.0 == rule) {
        return say(*rank, text);
    }
    let name = format!("{rule:?}");
    if let Some(word) = name.strip_prefix("kw_") {
        if word == "is" {
            return say(60, OPERATOR);
        }
        if CLAUSES.contains(&word) {
            return say(62, CLAUSE);
        }
        return say(20, &format!("`{word}`"));
    }
    None
}

/// The words that clauses of a call begin with.
const CLAUSES: &[&str] = &[
    "after", "assume", "budget", "cache", "effect", "label", "on", "pool", "retry", "timeout",
    "within",
];

const VALUE: &str = "a value";
const NAME: &str = "a name";
const TYPE: &str = "a type";
const OPERATOR: &str = "an operator";
const CLAUSE: &str = "a clause";

/// Rules, how well they explain, and what they are called.
const WORDS: &[(Rule, u8, &str)] = &[
    (Rule::flat, 10, VALUE),
    (Rule::choice, 10, VALUE),
    (Rule::reference, 10, VALUE),
    (Rule::reference_plain, 10, VALUE),
    (Rule::list, 10, VALUE),
    (Rule::record, 10, VALUE),
    (Rule::group, 10, VALUE),
    (Rule::money, 10, VALUE),
    (Rule::int, 10, VALUE),
    (Rule::float, 10, VALUE),
    (Rule::size, 10, VALUE),
    (Rule::governed, 10, VALUE),
    (Rule::prefix, 10, VALUE),
    (Rule::kw_true, 10, VALUE),
    (Rule::kw_false, 10, VALUE),
    (Rule::kw_none, 10, VALUE),
    (Rule::arg, 10, VALUE),
    (Rule::region_ahead, 10, VALUE),
    (Rule::negative, 10, VALUE),
    (Rule::duration, 11, "a duration such as `30s`"),
    (Rule::text, 12, "a text"),
    (Rule::lines, 12, "a text"),
    (Rule::raw, 12, "a text"),
    (Rule::raw_lines, 12, "a text"),
    (Rule::name, 9, NAME),
    (Rule::word, 9, NAME),
    (Rule::path, 9, NAME),
    (Rule::short, 9, NAME),
    (Rule::pair, 9, NAME),
    (Rule::parameter, 9, "a parameter"),
    (Rule::variant, 9, NAME),
    (Rule::ty, 8, TYPE),
    (Rule::type_named, 8, TYPE),
    (Rule::type_record, 8, TYPE),
    (Rule::parameters, 5, "`(`"),
    (Rule::equals, 4, "`=`"),
    (Rule::colon, 4, "`:`"),
    (Rule::arrow, 4, "`->`"),
    (Rule::arm_arrow, 4, "`=>`"),
    (Rule::dots, 4, "`..`"),
    (Rule::comma, 5, "`,`"),
    (Rule::paren_open, 63, "`(`"),
    (Rule::paren_close, 6, "`)`"),
    (Rule::bracket_close, 6, "`]`"),
    (Rule::brace_open, 6, "`{`"),
    (Rule::brace_ahead, 6, "`{`"),
    (Rule::brace_close, 6, "`}`"),
    (Rule::text_close, 6, "`\"`"),
    (Rule::bar, 30, "`|`"),
    (Rule::pattern_some, 10, "a pattern"),
    (Rule::pattern_any, 10, "a pattern"),
    (Rule::pattern_literal, 10, "a pattern"),
    (Rule::item_ahead, 40, "the next declaration"),
    (Rule::kw_min, 63, "a bound"),
    (Rule::kw_matching, 63, "a bound"),
    (Rule::optional, 63, "`?`"),
    (Rule::kw_backoff, 62, CLAUSE),
    (Rule::kw_per, 62, CLAUSE),
    (Rule::kw_or, 62, CLAUSE),
    (Rule::kw_budget, 62, CLAUSE),
    (Rule::kw_within, 62, CLAUSE),
    (Rule::kw_cron, 62, CLAUSE),
    (Rule::kw_overlap, 62, CLAUSE),
    (Rule::kw_catchup, 62, CLAUSE),
    (Rule::kw_jitter, 62, CLAUSE),
    (Rule::kw_pause, 62, CLAUSE),
    (Rule::kw_paused, 62, CLAUSE),
    (Rule::kw_notify, 62, CLAUSE),
    (Rule::kw_retry, 62, CLAUSE),
    (Rule::kw_timeout, 62, CLAUSE),
    (Rule::kw_cache, 62, CLAUSE),
    (Rule::kw_pool, 62, CLAUSE),
    (Rule::kw_after, 62, CLAUSE),
    (Rule::kw_label, 62, CLAUSE),
    (Rule::kw_effect, 62, CLAUSE),
    (Rule::kw_assume, 62, CLAUSE),
    (Rule::kw_cost, 62, CLAUSE),
    (Rule::kw_by, 62, CLAUSE),
    (Rule::kw_parallel, 62, CLAUSE),
    (Rule::kw_keep, 62, CLAUSE),
    (Rule::cron, 62, CLAUSE),
    (Rule::trigger_on, 62, CLAUSE),
    (Rule::binary, 60, OPERATOR),
    (Rule::is_test, 60, OPERATOR),
    (Rule::index, 61, OPERATOR),
    (Rule::field, 61, OPERATOR),
    (Rule::retry, 62, CLAUSE),
    (Rule::timeout, 62, CLAUSE),
    (Rule::cache, 62, CLAUSE),
    (Rule::budget, 62, CLAUSE),
    (Rule::within, 62, CLAUSE),
    (Rule::for_by, 62, CLAUSE),
    (Rule::for_max, 62, CLAUSE),
    (Rule::step_effect, 62, CLAUSE),
    (Rule::step_cost, 62, CLAUSE),
    (Rule::overlap, 62, CLAUSE),
];
