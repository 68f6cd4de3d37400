//! Cron patterns and time zones.

use croner::parser::{CronParser, Seconds, Year};
use flow_syntax::ast::Name;
use flow_syntax::diagnostic::{Certainty, Diagnostic, nearest};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::Checker;
use crate::codes;

/// How long a pattern may be.
const PATTERN_MAX: usize = 200;

/// What the fields of a pattern are.
const FIELDS: &str = "minute, hour, day of the month, month, day of the week";

/// Short words for patterns, and what they mean.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Checker<'_> {
    /// Checks a cron pattern, and gives it with single blanks.
    pub(super) fn cron(&mut self, pattern: &Name) -> Option<String> {
        match read(pattern) {
            Ok(text) => Some(text),
            Err(diagnostic) => {
                self.report(*diagnostic);
                None
            }
        }
    }

    /// Checks the name of a time zone, and gives it as it is spelled.
    pub(super) fn time_zone(&mut self, name: &Name) -> Option<String> {
        let zones = TimeZoneDatabase::bundled();
        if let Ok(zone) = zones.get(&name.text)
            && let Some(spelled) = zone.iana_name()
        {
            return Some(spelled.to_owned());
        }
        let message = format!("there is no time zone `{}`", name.text);
        let diagnostic = Self::error(codes::BAD_TIME_ZONE, name.span, message);
        let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        // `Berlin` is meant as well as `Europe/Berln`.
        let by_city = names.iter().find(|zone| {
            let city = zone.rsplit('/').next().unwrap_or(zone);
            city.eq_ignore_ascii_case(&name.text.replace(' ', "_"))
        });
        let near = by_city
            .map(String::as_str)
            .or_else(|| nearest(&name.text, names.iter().map(String::as_str)));
        self.report(match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                name.span,
                format!("\"{near}\""),
            ),
            None => diagnostic.help(
                "zones have the names of the IANA database, such as `Europe/Berlin` or `UTC`",
            ),
        });
        None
    }
}

fn read(pattern: &Name) -> Result<String, Box<Diagnostic>> {
    let bad = |message: String| Diagnostic::new(codes::BAD_CRON, pattern.span, message);
    let words: Vec<&str> = pattern.text.split_whitespace().collect();
    if let [word] = words.as_slice()
        && word.starts_with('@')
    {
        return Err(Box::new(short_word(word, pattern)));
    }
    if words.len() != 5 {
        let count = words.len();
        let help = match count {
            6 | 7 => format!("seconds and years have no field; the five are {FIELDS}"),
            _ => format!("they are {FIELDS}"),
        };
        return Err(Box::new(
            bad(format!("a pattern has five fields, found {count}")).help(help),
        ));
    }
    let text = words.join(" ");
    let odd = text
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, ' ' | '*' | ',' | '-' | '/' | '#'));
    if let Some(odd) = odd {
        return Err(Box::new(bad(format!(
            "`{odd}` has no meaning in a pattern"
        ))));
    }
    if words.iter().any(|word| word.split(',').any(str::is_empty)) {
        let message = "something is missing beside a comma".to_owned();
        return Err(Box::new(bad(message)));
    }
    if text.len() > PATTERN_MAX {
        return Err(Box::new(bad(format!(
            "the pattern has more than {PATTERN_MAX} characters"
        ))));
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    let cron = parser.parse(&text).map_err(|error| {
        let error = error.to_string();
        let error = error.trim_end_matches('.');
        let reason = error.split_once(": ").map_or(error, |(_, reason)| reason);
        let mut letters = reason.chars();
        let first = letters.next().map(|c| c.to_ascii_lowercase());
        let reason: String = first.into_iter().chain(letters).collect();
        let diagnostic = bad(format!("the pattern can't be read: {reason}"));
        Box::new(diagnostic.help(format!("its fields are {FIELDS}")))
    })?;
    // Leap years come at least every eight years; the search ends by itself.
    let start = jiff::civil::date(2024, 1, 1).at(0, 0, 0, 0);
    let start = start
        .to_zoned(TimeZone::UTC)
        .expect("the first instant of 2024 exists");
    if cron.find_next_occurrence(&start, true).is_err() {
        return Err(Box::new(
            bad("there is no such day, so it never fires".to_owned())
                .help("look at the day of the month and the month: there is no 31 February"),
        ));
    }
    Ok(text)
}

/// Says what a word such as `@daily` is here.
fn short_word(word: &str, pattern: &Name) -> Diagnostic {
    let message = format!("`{word}` is no pattern here");
    let diagnostic = Diagnostic::new(codes::BAD_CRON, pattern.span, message);
    let meant = WORDS
        .iter()
        .find(|(short, _)| short.eq_ignore_ascii_case(word));
    match meant {
        Some((_, meant)) => diagnostic.fix(
            Certainty::Certain,
            format!("write `{meant}`"),
            pattern.span,
            format!("\"{meant}\""),
        ),
        None => diagnostic.help(format!("write five fields: {FIELDS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_syntax::span::Span;

    fn fault(text: &str) -> Option<String> {
        let name = Name {
            text: text.to_owned(),
            span: Span::default(),
        };
        read(&name).err().map(|diagnostic| diagnostic.message)
    }

    #[test]
    fn patterns_of_five_fields_are_read() {
        for text in [
            "0 6 * * *",
            "*/5  9-17 * * MON-FRI",
            "0 0 29 2 *",
            "0 0 L * *",
            "0 12 * JAN,JUL 1#2",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn what_never_fires_is_an_error() {
        assert!(fault("0 0 31 2 *").is_some());
        assert!(fault("0 0 31 4,6,9,11 *").is_some());
    }

    #[test]
    fn other_patterns_are_refused_and_never_panic() {
        for text in [
            "",
            "*",
            "0 6 * *",
            "0 0 6 * * *",
            "60 * * * *",
            "* 24 * * *",
            "@daily",
            "é * * * *",
            "99999999999999999999 * * * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "- * * * *",
            "/ * * * *",
            "1,,2 * * * *",
            "* * * * 9#9",
            "* * ## * *",
            "* * * FOO *",
            "*/-1 * * * *",
            "#L W L# * *",
        ] {
            assert!(fault(text).is_some(), "{text}");
        }
    }
}
