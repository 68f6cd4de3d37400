//! Today: the present period of each kind, computed once a day.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::amount::Timestamp;
use crate::plan::Period;

use super::period::{later, period_day, period_end};

/// The present periods.
#[derive(Debug, Clone, Default)]
pub(super) struct Days {
    day: Today,
    week: Today,
    month: Today,
}

/// A present period.
#[derive(Debug, Clone, Default)]
pub(super) struct Today {
    /// Its first day.
    pub(super) day: Arc<str>,
    /// From when to when it is known to be the present one.
    from: Timestamp,
    pub(super) until: Timestamp,
}

impl Days {
    /// Returns the present period of a kind.
    pub(super) fn get(&self, period: Period) -> &Today {
        match period {
            Period::Day => &self.day,
            Period::Week => &self.week,
            Period::Month => &self.month,
        }
    }

    /// Forgets what is known, after the days that were seen have changed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Finds the present periods, and returns whether one is another.
    pub(super) fn update(
        &mut self,
        now: Timestamp,
        seen: &BTreeMap<Period, Arc<str>>,
        zone: &TimeZone,
    ) -> Rolled {
        let mut rolled = Rolled::No;
        let all = [
            (Period::Day, &mut self.day),
            (Period::Week, &mut self.week),
            (Period::Month, &mut self.month),
        ];
        for (period, today) in all {
            if today.from <= now && now < today.until {
                continue;
            }
            let day = later(seen.get(&period), period_day(period, now, zone));
            if day != today.day {
                rolled = Rolled::Yes;
            }
            *today = Today {
                day,
                from: now,
                until: period_end(period, now, zone),
            };
        }
        rolled
    }
}

/// Whether a new period has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rolled {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_day_is_followed_by_the_next_and_never_by_the_last() {
        let utc = TimeZone::UTC;
        let mut days = Days::default();
        let mut seen = BTreeMap::new();
        assert_eq!(days.update(Timestamp(0), &seen, &utc), Rolled::Yes);
        assert_eq!(&*days.get(Period::Day).day, "1970-01-01");
        assert_eq!(days.get(Period::Day).until, Timestamp(24 * HOUR));
        assert_eq!(days.update(Timestamp(23 * HOUR), &seen, &utc), Rolled::No);
        assert_eq!(days.update(Timestamp(24 * HOUR), &seen, &utc), Rolled::Yes);
        assert_eq!(&*days.get(Period::Day).day, "1970-01-02");
        assert_eq!(&*days.get(Period::Month).day, "1970-01-01");
        // The clock is set back after something was granted today.
        seen.insert(Period::Day, "1970-01-02".into());
        assert_eq!(days.update(Timestamp(HOUR), &seen, &utc), Rolled::No);
        assert_eq!(&*days.get(Period::Day).day, "1970-01-02");
        days.forget();
        assert_eq!(days.update(Timestamp(HOUR), &seen, &utc), Rolled::Yes);
        assert_eq!(&*days.get(Period::Day).day, "1970-01-02");
    }
}
