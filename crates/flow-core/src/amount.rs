//! Numbers with a unit: money, durations, instants, picture sizes.
//!
//! Each is read by [`FromStr`](std::str::FromStr) from what an author writes and
//! printed by `Display` in the same form. Arithmetic never wraps: what doesn't
//! fit is `None`. How the texts are read is in `literal`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money: a whole number of billionths of a US dollar.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(pub i64);

/// A length of time: a whole number of nanoseconds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Duration(pub i64);

/// An instant: milliseconds since 1970 in UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Money {
    /// A dollar.
    pub const DOLLAR: Self = Self(1_000_000_000);

    /// Adds, unless it overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Subtracts, unless it overflows.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Changes the sign, unless it overflows.
    pub fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// Multiplies, unless it overflows.
    pub fn checked_times(self, factor: i64) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }

    /// Multiplies and rounds up, unless it overflows.
    pub fn checked_scale(self, factor: f64) -> Option<Self> {
        whole((to_float(self.0) * factor).ceil()).map(Self)
    }

    /// Divides and rounds up, unless it is by zero.
    pub fn checked_divide(self, divisor: i64) -> Option<Self> {
        let floor = self.0.checked_div(divisor)?;
        let rest = self.0.checked_rem(divisor)?;
        // Division cuts towards zero, which is down for a positive quotient.
        let up = rest != 0 && (rest < 0) == (divisor < 0);
        floor.checked_add(i64::from(up)).map(Self)
    }

    /// Returns how many times the other fits into it, unless that is zero.
    pub fn ratio(self, other: Self) -> Option<f64> {
        (other.0 != 0).then(|| to_float(self.0) / to_float(other.0))
    }

    /// Adds, or gives the greatest amount.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Multiplies, or gives the greatest amount.
    #[must_use]
    pub fn saturating_times(self, factor: u64) -> Self {
        let factor = i64::try_from(factor).unwrap_or(i64::MAX);
        Self(self.0.saturating_mul(factor))
    }
}

impl Duration {
    /// A millisecond.
    pub const MILLISECOND: Self = Self(1_000_000);
    /// A second.
    pub const SECOND: Self = Self(1_000 * Self::MILLISECOND.0);
    /// A minute.
    pub const MINUTE: Self = Self(60 * Self::SECOND.0);
    /// An hour.
    pub const HOUR: Self = Self(60 * Self::MINUTE.0);
    /// A day of 24 hours.
    pub const DAY: Self = Self(24 * Self::HOUR.0);

    /// The units of the language, the longest first.
    pub const UNITS: [(&'static str, Self); 5] = [
        ("d", Self::DAY),
        ("h", Self::HOUR),
        ("m", Self::MINUTE),
        ("s", Self::SECOND),
        ("ms", Self::MILLISECOND),
    ];

    /// Adds, unless it overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Subtracts, unless it overflows.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Changes the sign, unless it overflows.
    pub fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// Multiplies, unless it overflows.
    pub fn checked_times(self, factor: i64) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }

    /// Multiplies, unless it overflows. The result has whole milliseconds.
    pub fn checked_scale(self, factor: f64) -> Option<Self> {
        let unit = to_float(Self::MILLISECOND.0);
        let count = (to_float(self.0) * factor / unit).round();
        Self::MILLISECOND.checked_times(whole(count)?)
    }

    /// Divides, unless it is by zero. The result has whole milliseconds.
    pub fn checked_divide(self, divisor: i64) -> Option<Self> {
        let quotient = self.0.checked_div(divisor)?;
        Some(Self(quotient - quotient % Self::MILLISECOND.0))
    }

    /// Returns how many times the other fits into it, unless that is zero.
    pub fn ratio(self, other: Self) -> Option<f64> {
        (other.0 != 0).then(|| to_float(self.0) / to_float(other.0))
    }

    /// Returns it in seconds.
    pub fn seconds(self) -> f64 {
        to_float(self.0) / to_float(Self::SECOND.0)
    }
}

impl Timestamp {
    /// Returns the instant so much later, unless it overflows.
    pub fn checked_add(self, length: Duration) -> Option<Self> {
        let length = length.0.div_euclid(Duration::MILLISECOND.0);
        self.0.checked_add(length).map(Self)
    }

    /// Returns the instant so much earlier, unless it overflows.
    pub fn checked_sub(self, length: Duration) -> Option<Self> {
        let length = length.0.div_euclid(Duration::MILLISECOND.0);
        self.0.checked_sub(length).map(Self)
    }

    /// Returns the time from the other to this, unless it overflows.
    pub fn since(self, other: Self) -> Option<Duration> {
        Duration::MILLISECOND.checked_times(self.0.checked_sub(other.0)?)
    }
}

impl Size {
    /// The most pixels across or down.
    pub const MAX: u32 = 65_535;

    /// Makes a size, if both sides are allowed.
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let sides = 1..=Self::MAX;
        (sides.contains(&width) && sides.contains(&height)).then_some(Self { width, height })
    }

    /// Returns the number of pixels.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Returns the nearest number with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "the nearest number is what is asked for"
)]
pub(crate) fn to_float(number: i64) -> f64 {
    number as f64
}

/// Returns a rounded number as a whole one, if it is in its range.
pub(crate) fn whole(number: f64) -> Option<i64> {
    // 2^63 has an exact form with a fraction; the greatest whole number hasn't.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    (-LIMIT..LIMIT).contains(&number).then_some(number as i64)
}

impl fmt::Display for Money {
    /// Writes `$2`, `$2.50` or `$0.000001`; a fraction has two digits or more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Self::DOLLAR.0.unsigned_abs();
        let nanos = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}${}", nanos / unit)?;
        let digits = format!("{:09}", nanos % unit);
        let used = digits.trim_end_matches('0').len();
        if used == 0 {
            return Ok(());
        }
        write!(f, ".{}", &digits[..used.max(2)])
    }
}

impl fmt::Display for Duration {
    /// Writes `1h30m`. Less than a millisecond isn't shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.unsigned_abs();
        if rest < Self::MILLISECOND.0.unsigned_abs() {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (name, unit) in Self::UNITS {
            let unit = unit.0.unsigned_abs();
            if rest >= unit {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Timestamp {
    /// Writes `2026-05-01T06:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}ms since 1970", self.0),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_printed_short_with_two_digits_at_least() {
        let cases = [
            (0, "$0"),
            (2_500_000_000, "$2.50"),
            (1_000_000_000_000, "$1000"),
            (1, "$0.000000001"),
            (150, "$0.00000015"),
            (-500_000_000, "-$0.50"),
            (i64::MIN, "-$9223372036.854775808"),
        ];
        for (nanos, text) in cases {
            assert_eq!(Money(nanos).to_string(), text);
        }
    }

    #[test]
    fn money_rounds_up() {
        assert_eq!(Money(10).checked_divide(3), Some(Money(4)));
        assert_eq!(Money(-10).checked_divide(3), Some(Money(-3)));
        assert_eq!(Money(10).checked_divide(-3), Some(Money(-3)));
        assert_eq!(Money(-10).checked_divide(-3), Some(Money(4)));
        assert_eq!(Money(9).checked_divide(3), Some(Money(3)));
        assert_eq!(Money(1).checked_scale(0.1), Some(Money(1)));
        assert_eq!(Money::DOLLAR.checked_scale(1.1), Some(Money(1_100_000_000)));
    }

    #[test]
    fn arithmetic_never_wraps() {
        let most = Money(i64::MAX);
        assert_eq!(most.checked_add(Money(1)), None);
        assert_eq!(most.checked_times(2), None);
        assert_eq!(most.checked_scale(2.0), None);
        assert_eq!(most.checked_scale(f64::NAN), None);
        assert_eq!(Money(i64::MIN).checked_neg(), None);
        assert_eq!(Money(i64::MIN).checked_divide(-1), None);
        assert_eq!(Money(1).checked_divide(0), None);
        assert_eq!(Money(1).ratio(Money(0)), None);
        assert_eq!(most.saturating_times(u64::MAX), most);
        assert_eq!(Duration(i64::MAX).checked_scale(1.5), None);
        assert_eq!(Timestamp(i64::MAX).since(Timestamp(-1)), None);
    }

    #[test]
    fn durations_are_printed_in_the_longest_units() {
        let cases = [
            (Duration(0), "0s"),
            (Duration(90 * Duration::MINUTE.0), "1h30m"),
            (Duration(250 * Duration::MILLISECOND.0), "250ms"),
            (Duration(2 * Duration::DAY.0), "2d"),
            (Duration(-Duration::SECOND.0), "-1s"),
            (Duration(999), "0s"),
        ];
        for (duration, text) in cases {
            assert_eq!(duration.to_string(), text);
        }
    }

    #[test]
    fn an_instant_is_printed_in_utc() {
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(
            Timestamp(i64::MAX).to_string(),
            format!("{}ms since 1970", i64::MAX)
        );
    }
}
