//! `text.*`: what the library functions of the language don't do with texts.

mod chunks;

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::step::{Executor, StepCall, StepFailure, StepReport, Work};
use flow_core::value::Value;
use regex_lite::Regex;
use unicode_segmentation::UnicodeSegmentation;

use crate::given::{Given, computed, done, invalid};

/// The steps of this family.
pub(crate) const STEPS: [&str; 6] = [
    "text.chunks",
    "text.find",
    "text.match",
    "text.substitute",
    "text.truncate",
    "text.words",
];

/// Reads and cuts texts.
pub(crate) struct Letters;

impl Executor for Letters {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        computed(call, |call| carry_out(call).map(done))
    }
}

fn carry_out(call: &StepCall) -> Result<Value, StepFailure> {
    let text = call.text("text")?;
    Ok(match &*call.step {
        "text.match" => first(text, &pattern(call)?),
        "text.find" => {
            let most = positive(call, "most")?;
            let found = pattern(call)?;
            texts(found.find_iter(text).take(most).map(|part| part.as_str()))
        }
        "text.substitute" => {
            let with = call.text("with")?;
            Value::text(pattern(call)?.replace_all(text, &**with))
        }
        "text.words" => texts(text.split_whitespace()),
        "text.truncate" => {
            let most = positive(call, "most")?;
            Value::text(truncated(text, most, call.text("mark")?))
        }
        _ => {
            let (most, overlap) = (positive(call, "most")?, positive(call, "overlap")?);
            if overlap > most / 2 {
                return Err(invalid(format!(
                    "`overlap` is at most half of `most`, which is {most}"
                )));
            }
            let pieces = chunks::chunks(text, most, overlap);
            texts(pieces)
        }
    })
}

fn positive(call: &StepCall, name: &str) -> Result<usize, StepFailure> {
    Ok(usize::try_from(call.int(name)?).unwrap_or(0))
}

fn pattern(call: &StepCall) -> Result<Regex, StepFailure> {
    let text = call.text("pattern")?;
    Regex::new(text).map_err(|error| invalid(format!("`{text}` is no regular expression: {error}")))
}

fn texts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(parts.into_iter().map(Value::text).collect())
}

/// Returns the groups of the first part that fits.
fn first(text: &str, pattern: &Regex) -> Value {
    let Some(found) = pattern.captures(text) else {
        return Value::None;
    };
    let mut groups: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for (number, name) in pattern.capture_names().enumerate() {
        let Some(part) = found.get(number) else {
            continue;
        };
        let part = Value::text(part.as_str());
        if let Some(name) = name {
            groups.insert(name.into(), part.clone());
        }
        groups.insert(number.to_string().into(), part);
    }
    Value::Record(Arc::new(groups))
}

/// Shortens a text to so many letters, between words where that loses at most a
/// fifth.
fn truncated(text: &str, most: usize, mark: &str) -> String {
    // A text is never longer in letters than in bytes.
    if text.len() <= most || text.graphemes(true).take(most + 1).count() <= most {
        return text.to_owned();
    }
    let mark: String = mark.graphemes(true).take(most).collect();
    let room = most - mark.graphemes(true).count();
    let end = offset(text, room);
    let kept = &text[..end];
    let is_between = text[end..].starts_with(char::is_whitespace);
    let short = match kept.rfind(char::is_whitespace) {
        Some(blank) if !is_between => {
            let words = kept[..blank].trim_end();
            let letters = words.graphemes(true).count();
            if letters > 0 && room - letters <= room / 5 {
                words
            } else {
                kept
            }
        }
        _ => kept.trim_end(),
    };
    format!("{short}{mark}")
}

/// Returns where so many letters end.
fn offset(text: &str, letters: usize) -> usize {
    let mut starts = text.grapheme_indices(true);
    starts.nth(letters).map_or(text.len(), |(at, _)| at)
}
