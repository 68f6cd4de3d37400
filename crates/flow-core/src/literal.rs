//! How numbers and amounts are read from what an author wrote.
//!
//! The same rules hold in both spellings and on the command line. Every error
//! says what to write instead, where that can be known.

use std::str::FromStr;

use crate::amount::{Duration, Money, Size, Timestamp, to_float};

/// Why a text is not the literal that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// It isn't one.
    #[error("expected {expected}, found `{text}`")]
    Unlike {
        /// What was expected, with an example.
        expected: &'static str,
        /// What was written.
        text: Box<str>,
    },
    /// It is nearly one.
    #[error("`{text}` {wrong}: write `{cure}`")]
    Near {
        /// What was written.
        text: Box<str>,
        /// What is wrong with it.
        wrong: &'static str,
        /// What to write.
        cure: Box<str>,
    },
    /// It is out of the range of its type.
    #[error("`{text}` is out of range: {range}")]
    Range {
        /// What was written.
        text: Box<str>,
        /// The range, in words.
        range: &'static str,
    },
    /// The units of a duration are in a wrong order or repeated.
    #[error(
        "`{text}` has its units out of order: from the longest to the shortest, each once, as in `1d2h30m`"
    )]
    UnitOrder {
        /// What was written.
        text: Box<str>,
    },
    /// A duration has an unknown unit.
    #[error("`{unit}` is no unit of time: take `d`, `h`, `m`, `s` or `ms`")]
    Unit {
        /// What stands for a unit.
        unit: Box<str>,
    },
}

const RANGE_INT: &str = "whole numbers have 64 bits";
const RANGE_MONEY: &str = "the greatest amount is `$9_223_372_036`";
const RANGE_DURATION: &str = "the longest duration is `106751d`";
const RANGE_SIZE: &str = "a side has 1 to 65535 pixels";

/// Returns a text as an error message shows it: its beginning, if it is long.
pub(crate) fn excerpt(text: &str) -> Box<str> {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

fn near(text: &str, wrong: &'static str, cure: impl Into<Box<str>>) -> LiteralError {
    LiteralError::Near {
        text: excerpt(text),
        wrong,
        cure: excerpt(&cure.into()),
    }
}

fn range(text: &str, range: &'static str) -> LiteralError {
    LiteralError::Range {
        text: excerpt(text),
        range,
    }
}

/// Returns digits without the `_` between them; nothing if it isn't digits.
fn digits(text: &str) -> Option<String> {
    let well = text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && !text.starts_with('_')
        && !text.ends_with('_')
        && !text.contains("__")
        && !text.is_empty();
    well.then(|| text.replace('_', ""))
}

/// Reads a whole number: `3`, `-3`, `1_000`.
pub fn int(text: &str) -> Result<i64, LiteralError> {
    let (sign, body) = signed(text);
    let Some(number) = digits(body) else {
        return Err(not_an_int(text));
    };
    if number.len() > 1 && number.starts_with('0') {
        let cure = number.trim_start_matches('0');
        let cure = if cure.is_empty() { "0" } else { cure };
        return Err(near(text, "starts with a zero", format!("{sign}{cure}")));
    }
    format!("{sign}{number}")
        .parse()
        .map_err(|_| range(text, RANGE_INT))
}

fn signed(text: &str) -> (&'static str, &str) {
    match text.strip_prefix('-') {
        Some(body) => ("-", body),
        None => ("", text),
    }
}

fn not_an_int(text: &str) -> LiteralError {
    match float(text) {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            near(text, "has a fraction", format!("{number:.0}"))
        }
        Ok(_) | Err(_) => LiteralError::Unlike {
            expected: "a whole number like `3`",
            text: excerpt(text),
        },
    }
}

/// Reads a number: `0.5`, `-1.25`, `3`. There are no exponents.
pub fn float(text: &str) -> Result<f64, LiteralError> {
    let (sign, body) = signed(text);
    let (whole, fraction) = match body.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (body, None),
    };
    let unlike = || LiteralError::Unlike {
        expected: "a number like `0.5`",
        text: excerpt(text),
    };
    if fraction == Some("") && digits(whole).is_some() {
        return Err(near(text, "ends with a dot", format!("{text}0")));
    }
    if whole.is_empty() && fraction.and_then(digits).is_some() {
        return Err(near(text, "starts with a dot", format!("{sign}0{body}")));
    }
    let Some(number) = digits(whole) else {
        return Err(exponent(text).unwrap_or_else(unlike));
    };
    let fraction = match fraction {
        None => "0".to_owned(),
        Some(fraction) => match digits(fraction) {
            Some(fraction) => fraction,
            None => return Err(exponent(text).unwrap_or_else(unlike)),
        },
    };
    let number: f64 = format!("{sign}{number}.{fraction}")
        .parse()
        .map_err(|_| unlike())?;
    if !number.is_finite() {
        return Err(range(text, "numbers have 64 bits"));
    }
    // One zero is enough.
    Ok(if number == 0.0 { 0.0 } else { number })
}

/// Returns the cure for `1e6`.
fn exponent(text: &str) -> Option<LiteralError> {
    text.contains(['e', 'E']).then_some(())?;
    let start = text.strip_prefix('-').unwrap_or(text);
    start
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(())?;
    let number: f64 = text.parse().ok()?;
    (number.abs() < 1e15).then(|| near(text, "has an exponent", number_text(number)))
}

/// Writes a number as an author would: always with a dot, never an exponent.
pub fn number_text(number: f64) -> String {
    let text = number.to_string();
    if text.contains('.') || !number.is_finite() {
        text
    } else {
        format!("{text}.0")
    }
}

impl FromStr for Money {
    type Err = LiteralError;

    /// Reads `$0.50` or `$1_000`.
    fn from_str(text: &str) -> Result<Self, LiteralError> {
        let unlike = || LiteralError::Unlike {
            expected: "an amount like `$0.50`",
            text: excerpt(text),
        };
        let Some(body) = text.strip_prefix('$') else {
            return Err(match float(text) {
                Ok(number) if number >= 0.0 => near(text, "has no currency", format!("${text}")),
                Ok(_) | Err(_) => unlike(),
            });
        };
        let (whole, fraction) = body.split_once('.').unwrap_or((body, "0"));
        let Some(dollars) = digits(whole) else {
            return Err(match digits(fraction) {
                Some(_) if whole.is_empty() => near(text, "starts with a dot", format!("$0{body}")),
                Some(_) | None => unlike(),
            });
        };
        if fraction.is_empty() {
            return Err(near(text, "ends with a dot", format!("{text}00")));
        }
        if !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(unlike());
        }
        if fraction.len() > 9 {
            return Err(LiteralError::Range {
                text: excerpt(text),
                range: "an amount has at most nine digits behind its dot",
            });
        }
        format!("{dollars}{fraction:0<9}")
            .parse()
            .map(Self)
            .map_err(|_| range(text, RANGE_MONEY))
    }
}

impl FromStr for Duration {
    type Err = LiteralError;

    /// Reads `250ms`, `1h30m` or `2d`.
    fn from_str(text: &str) -> Result<Self, LiteralError> {
        let overflow = || range(text, RANGE_DURATION);
        let mut rest = text;
        let mut total = Self(0);
        let mut last: Option<Self> = None;
        loop {
            let (number, unit, tail) = next_unit(rest).ok_or_else(|| not_a_duration(text))?;
            let count = digits(number).ok_or_else(|| not_a_duration(text))?;
            if unit.is_empty() && tail.is_empty() {
                return Err(near(text, "has no unit", format!("{text}s")));
            }
            if unit.is_empty() {
                return Err(not_a_duration(text));
            }
            let Some(length) = unit_length(unit) else {
                return Err(unknown_unit(text, number, unit, tail));
            };
            if last.is_some_and(|last| length >= last) {
                return Err(LiteralError::UnitOrder {
                    text: excerpt(text),
                });
            }
            last = Some(length);
            let part = count.parse().ok().and_then(|n| length.checked_times(n));
            total = part
                .and_then(|part| total.checked_add(part))
                .ok_or_else(overflow)?;
            rest = tail;
            if rest.is_empty() {
                return Ok(total);
            }
        }
    }
}

fn unit_length(unit: &str) -> Option<Duration> {
    let mut units = Duration::UNITS.into_iter();
    units
        .find(|(name, _)| *name == unit)
        .map(|(_, length)| length)
}

/// Cuts `30m` from the front of `30m5s`.
fn next_unit(text: &str) -> Option<(&str, &str, &str)> {
    let number = text.find(|c: char| !c.is_ascii_digit() && c != '_');
    let (number, rest) = text.split_at(number.unwrap_or(text.len()));
    (!number.is_empty()).then_some(())?;
    let unit = rest.find(|c: char| !c.is_alphabetic());
    let (unit, tail) = rest.split_at(unit.unwrap_or(rest.len()));
    Some((number, unit, tail))
}

fn unknown_unit(text: &str, number: &str, unit: &str, tail: &str) -> LiteralError {
    let known = match unit.to_lowercase().as_str() {
        "min" | "mins" | "minute" | "minutes" => "m",
        "sec" | "secs" | "second" | "seconds" | "s" => "s",
        "hr" | "hrs" | "hour" | "hours" | "h" => "h",
        "day" | "days" | "d" => "d",
        "msec" | "millis" | "milliseconds" => "ms",
        _ => "",
    };
    if known.is_empty() || !text.starts_with(number) {
        return LiteralError::Unit {
            unit: excerpt(unit),
        };
    }
    near(
        text,
        "has no unit of the language",
        format!("{number}{known}{tail}"),
    )
}

/// Returns why it isn't one; `1.5h` has a cure.
fn not_a_duration(text: &str) -> LiteralError {
    let letters = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(letters);
    let cure = float(number).ok().and_then(|number| {
        let length = unit_length(unit)?.checked_scale(number)?;
        (number > 0.0 && length.0 > 0).then_some(length)
    });
    match cure {
        Some(cure) => near(text, "has a fraction", cure.to_string()),
        None => LiteralError::Unlike {
            expected: "a duration like `1h30m`",
            text: excerpt(text),
        },
    }
}

impl FromStr for Size {
    type Err = LiteralError;

    /// Reads `1080x1920`.
    fn from_str(text: &str) -> Result<Self, LiteralError> {
        let unlike = || LiteralError::Unlike {
            expected: "a size like `1080x1920`",
            text: excerpt(text),
        };
        let (width, height) = text.split_once(['x', 'X', '×', '*']).ok_or_else(unlike)?;
        let plain = |side: &str| !side.is_empty() && side.bytes().all(|b| b.is_ascii_digit());
        if !plain(width.trim()) || !plain(height.trim()) {
            return Err(unlike());
        }
        let cure = format!("{}x{}", width.trim(), height.trim());
        if cure != text {
            return Err(near(text, "is not how sizes are written", cure));
        }
        let side = |side: &str| side.parse().ok();
        side(width)
            .zip(side(height))
            .and_then(|(width, height)| Self::new(width, height))
            .ok_or_else(|| range(text, RANGE_SIZE))
    }
}

impl FromStr for Timestamp {
    type Err = LiteralError;

    /// Reads an instant of RFC 3339: `2026-05-01T06:00:00Z`.
    fn from_str(text: &str) -> Result<Self, LiteralError> {
        if text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok() {
            let cure = format!("{text}T00:00:00Z");
            return Err(near(text, "is a day without a time", cure));
        }
        match text.parse::<jiff::Timestamp>() {
            Ok(instant) => Ok(Self(instant.as_millisecond())),
            Err(_) => Err(LiteralError::Unlike {
                expected: "an instant like `2026-05-01T06:00:00Z`",
                text: excerpt(text),
            }),
        }
    }
}

/// Returns a whole number as one with a fraction, if nothing is lost.
pub fn widen(number: i64) -> Option<f64> {
    let wide = to_float(number);
    (number.unsigned_abs() <= 1 << 53).then_some(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error<T: FromStr<Err = LiteralError> + std::fmt::Debug>(text: &str) -> String {
        text.parse::<T>().expect_err(text).to_string()
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in ["$0", "$0.50", "$2.50", "$0.000000001", "$9223372036"] {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), text);
        }
        for text in ["0s", "250ms", "1h30m", "2d", "1d2h3m4s5ms", "106751d"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
        for text in ["1080x1920", "1x1", "65535x65535"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
        for text in ["2026-05-01T06:00:00Z", "2026-05-01T06:00:00.25Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!("$1_000".parse(), Ok(Money(1_000_000_000_000)));
        assert_eq!(
            "2026-05-01T08:00:00+02:00".parse(),
            "2026-05-01T06:00:00Z".parse::<Timestamp>()
        );
    }

    #[test]
    fn numbers_have_no_exponents_and_no_bare_dots() {
        assert_eq!(int("1_000"), Ok(1000));
        assert_eq!(int("-3"), Ok(-3));
        assert_eq!(int("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(float("0.5"), Ok(0.5));
        assert_eq!(float("-0"), Ok(0.0));
        let cases = [
            (float("1."), "`1.` ends with a dot: write `1.0`"),
            (float(".5"), "`.5` starts with a dot: write `0.5`"),
            (float("1e6"), "`1e6` has an exponent: write `1000000.0`"),
            (float("NaN"), "expected a number like `0.5`, found `NaN`"),
            (float("1__0"), "expected a number like `0.5`, found `1__0`"),
        ];
        for (found, message) in cases {
            assert_eq!(found.expect_err(message).to_string(), message);
        }
        let cases = [
            (int("007"), "`007` starts with a zero: write `7`"),
            (int("3.0"), "`3.0` has a fraction: write `3`"),
            (
                int("three"),
                "expected a whole number like `3`, found `three`",
            ),
            (
                int("9223372036854775808"),
                "`9223372036854775808` is out of range: whole numbers have 64 bits",
            ),
        ];
        for (found, message) in cases {
            assert_eq!(found.expect_err(message).to_string(), message);
        }
    }

    #[test]
    fn a_wrong_amount_names_its_cure() {
        assert_eq!(error::<Money>("5"), "`5` has no currency: write `$5`");
        assert_eq!(
            error::<Money>("$1."),
            "`$1.` ends with a dot: write `$1.00`"
        );
        assert_eq!(
            error::<Money>("$.5"),
            "`$.5` starts with a dot: write `$0.5`"
        );
        assert!(error::<Money>("$0.0000000001").contains("nine digits"));
        assert!(error::<Money>("$99999999999").contains("out of range"));
        assert!(error::<Money>("-$1").starts_with("expected an amount"));
    }

    #[test]
    fn a_wrong_duration_names_its_cure() {
        assert_eq!(
            error::<Duration>("5min"),
            "`5min` has no unit of the language: write `5m`"
        );
        assert_eq!(error::<Duration>("30"), "`30` has no unit: write `30s`");
        assert_eq!(
            error::<Duration>("1.5h"),
            "`1.5h` has a fraction: write `1h30m`"
        );
        assert!(error::<Duration>("30m1h").contains("out of order"));
        assert!(error::<Duration>("1m1m").contains("out of order"));
        assert!(error::<Duration>("3w").contains("`w` is no unit of time"));
        assert!(error::<Duration>("999999999d").contains("out of range"));
        assert!(error::<Duration>("").starts_with("expected a duration"));
    }

    #[test]
    fn a_wrong_size_or_instant_names_its_cure() {
        assert_eq!(
            error::<Size>("10 × 20"),
            "`10 × 20` is not how sizes are written: write `10x20`"
        );
        assert!(error::<Size>("0x20").contains("1 to 65535"));
        assert!(error::<Size>("70000x20").contains("1 to 65535"));
        assert!(error::<Size>("x").starts_with("expected a size"));
        assert_eq!(
            error::<Timestamp>("2026-05-01"),
            "`2026-05-01` is a day without a time: write `2026-05-01T00:00:00Z`"
        );
    }

    #[test]
    fn long_texts_are_cut_in_messages() {
        assert!(error::<Money>(&"é".repeat(10_000)).chars().count() < 120);
    }
}
