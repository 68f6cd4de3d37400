//! Functions of instants and durations. Instants are shown in UTC.

use std::fmt::Write as _;

use jiff::Zoned;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::amount::{Duration, Timestamp};
use crate::eval::{EvalErrorKind, Fuel};
use crate::expr::Function;
use crate::value::Value;

type Answer = Result<Value, EvalErrorKind>;

/// The letters that may follow a `%`.
const LETTERS: &str = "YmdHMSyjbBaAeIpFT%";
/// How many bytes a pattern may have.
const PATTERN_MAX: usize = 256;

fn zoned(instant: Timestamp) -> Result<Zoned, EvalErrorKind> {
    let instant = jiff::Timestamp::from_millisecond(instant.0);
    let instant = instant.map_err(|_| EvalErrorKind::Overflow)?;
    Ok(instant.to_zoned(TimeZone::UTC))
}

pub(super) fn name(function: Function, args: &[Value]) -> Answer {
    let [Value::Time(instant)] = args else {
        return Err(EvalErrorKind::Arguments(function));
    };
    let date = zoned(*instant)?.date();
    Ok(if function == Function::Weekday {
        Value::text(weekday(date.weekday()))
    } else {
        Value::text(date.to_string())
    })
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

/// Writes an instant by a pattern like `%Y-%m-%d %H:%M`.
pub(super) fn format(instant: Timestamp, pattern: &str, fuel: &mut Fuel) -> Answer {
    fuel.spend_size(pattern.len())?;
    let bad = || EvalErrorKind::BadPattern {
        pattern: pattern.chars().take(PATTERN_MAX).collect(),
        what: "a time",
        help: "write it as `%Y-%m-%d %H:%M:%S`; there are also %y %j %b %B %a %A %e %I %p %F %T and %%",
    };
    // A list of our own, so that what is allowed doesn't depend on a library.
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter == '%' && !letters.next().is_some_and(|next| LETTERS.contains(next)) {
            return Err(bad());
        }
    }
    if pattern.len() > PATTERN_MAX {
        return Err(bad());
    }
    let text = jiff::fmt::strtime::format(pattern, &zoned(instant)?).map_err(|_| bad())?;
    Ok(Value::text(text))
}

/// Writes a duration by a pattern like `m:ss`: the greatest unit takes what is
/// above it, the least is cut, and letters are doubled for a leading zero.
pub(super) fn format_length(length: Duration, pattern: &str, fuel: &mut Fuel) -> Answer {
    fuel.spend_size(pattern.len())?;
    let bad = || EvalErrorKind::BadPattern {
        pattern: pattern.chars().take(PATTERN_MAX).collect(),
        what: "a duration",
        help: "write it with `h`, `m` and `s`, as `m:ss` or `hh:mm:ss`",
    };
    let known = |letter: char| matches!(letter, 'h' | 'm' | 's') || !letter.is_alphanumeric();
    if pattern.len() > PATTERN_MAX
        || !pattern.chars().all(known)
        || !pattern.contains(['h', 'm', 's'])
    {
        return Err(bad());
    }
    let mut text = String::new();
    if length.0 < 0 {
        text.push('-');
    }
    let seconds = length.0.unsigned_abs() / Duration::SECOND.0.unsigned_abs();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let after = rest.trim_start_matches(letter);
        let width = (rest.len() - after.len()) / letter.len_utf8();
        let number = match letter {
            'h' => seconds / 3600,
            'm' if pattern.contains('h') => seconds / 60 % 60,
            'm' => seconds / 60,
            's' if pattern.contains('m') => seconds % 60,
            's' if pattern.contains('h') => seconds % 3600,
            's' => seconds,
            _ => {
                text.push_str(&rest[..rest.len() - after.len()]);
                rest = after;
                continue;
            }
        };
        // Writing into a text can't fail.
        let _ = write!(text, "{number:0width$}");
        rest = after;
    }
    Ok(Value::text(text))
}
