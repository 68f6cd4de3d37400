//! Periods: which day a budget's day, week or month begins with.
//!
//! A period is named by its first day in the project's time zone. That of a
//! clock which was set back is not believed: see [`later`].

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use crate::amount::Timestamp;
use crate::plan::Period;

/// Returns the first day of the period that an instant is in: `2026-05-01`.
/// An instant before 1970 counts as 1970.
pub fn period_day(period: Period, now: Timestamp, zone: &TimeZone) -> Arc<str> {
    first_day(period, zoned(now, zone).date())
        .to_string()
        .into()
}

/// Returns the instant at which the period that an instant is in is over.
pub fn period_end(period: Period, now: Timestamp, zone: &TimeZone) -> Timestamp {
    let first = first_day(period, zoned(now, zone).date());
    let length = match period {
        Period::Day => 1.day(),
        Period::Week => 1.week(),
        Period::Month => 1.month(),
    };
    // A day begins at its first instant, which isn't always midnight.
    let next = first.checked_add(length).map(|next| next.at(0, 0, 0, 0));
    let start = next.and_then(|next| zone.to_ambiguous_zoned(next).compatible());
    // There is nothing after the last day that has a name.
    start.map_or(Timestamp(i64::MAX), |start| {
        Timestamp(start.timestamp().as_millisecond())
    })
}

/// Returns the later of a day that was seen and today: a clock that was set
/// back doesn't open a budget again that has been used up.
pub(super) fn later(seen: Option<&Arc<str>>, today: Arc<str>) -> Arc<str> {
    // Days of four-digit years have the order of their texts.
    match seen {
        Some(seen) if *seen > today => seen.clone(),
        Some(_) | None => today,
    }
}

fn first_day(period: Period, date: Date) -> Date {
    match period {
        Period::Day => date,
        Period::Week => {
            let days = i32::from(date.weekday().to_monday_zero_offset());
            date.saturating_sub(days.days())
        }
        Period::Month => date.first_of_month(),
    }
}

fn zoned(now: Timestamp, zone: &TimeZone) -> Zoned {
    let millis = now.0.max(0);
    let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    instant.to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn a_period_is_named_by_its_first_day() {
        let berlin = zone("Europe/Berlin");
        let cases = [
            // A Friday.
            (Period::Day, "2026-05-01T06:00:00Z", "2026-05-01"),
            (Period::Week, "2026-05-01T06:00:00Z", "2026-04-27"),
            (Period::Month, "2026-05-01T06:00:00Z", "2026-05-01"),
            // Midnight in Berlin is at 22:00 in summer and at 23:00 in winter.
            (Period::Day, "2026-05-01T21:59:59Z", "2026-05-01"),
            (Period::Day, "2026-05-01T22:00:00Z", "2026-05-02"),
            (Period::Day, "2026-12-01T22:59:59Z", "2026-12-01"),
            (Period::Day, "2026-12-01T23:00:00Z", "2026-12-02"),
            // Sunday and Monday.
            (Period::Week, "2026-05-03T21:59:59Z", "2026-04-27"),
            (Period::Week, "2026-05-03T22:00:00Z", "2026-05-04"),
            // The ends of months and years.
            (Period::Month, "2026-05-31T21:59:59Z", "2026-05-01"),
            (Period::Month, "2026-05-31T22:00:00Z", "2026-06-01"),
            (Period::Month, "2026-12-31T23:00:00Z", "2027-01-01"),
            (Period::Week, "2026-12-31T23:00:00Z", "2026-12-28"),
            (Period::Month, "2028-02-29T12:00:00Z", "2028-02-01"),
        ];
        for (period, now, day) in cases {
            let found = period_day(period, at(now), &berlin);
            assert_eq!(&*found, day, "{period:?} {now}");
        }
    }

    #[test]
    fn a_period_ends_where_the_next_begins() {
        let berlin = zone("Europe/Berlin");
        let cases = [
            (Period::Day, "2026-05-01T06:00:00Z", "2026-05-01T22:00:00Z"),
            // 23 and 25 hours.
            (Period::Day, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            (Period::Day, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            (Period::Week, "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"),
            (
                Period::Month,
                "2026-10-15T12:00:00Z",
                "2026-10-31T23:00:00Z",
            ),
            (
                Period::Month,
                "2026-12-15T12:00:00Z",
                "2026-12-31T23:00:00Z",
            ),
        ];
        for (period, now, end) in cases {
            let found = period_end(period, at(now), &berlin);
            assert_eq!(found, at(end), "{period:?} {now}");
            let before = Timestamp(found.0 - 1);
            assert_eq!(
                period_day(period, before, &berlin),
                period_day(period, at(now), &berlin)
            );
            assert_ne!(
                period_day(period, found, &berlin),
                period_day(period, before, &berlin)
            );
        }
    }

    #[test]
    fn a_day_may_begin_after_midnight_or_not_at_all() {
        // In Beirut summer time begins at midnight, which isn't there.
        let beirut = zone("Asia/Beirut");
        let end = period_end(Period::Day, at("2026-03-28T12:00:00Z"), &beirut);
        assert_eq!(end, at("2026-03-28T22:00:00Z"));
        assert_eq!(&*period_day(Period::Day, end, &beirut), "2026-03-29");
        // Samoa left out 30 December 2011.
        let apia = zone("Pacific/Apia");
        let end = period_end(Period::Day, at("2011-12-30T09:00:00Z"), &apia);
        assert_eq!(&*period_day(Period::Day, end, &apia), "2011-12-31");
    }

    #[test]
    fn instants_without_a_name_are_cut() {
        let utc = TimeZone::UTC;
        let first = period_day(Period::Day, Timestamp(i64::MIN), &utc);
        assert_eq!(&*first, "1970-01-01");
        let last = period_day(Period::Day, Timestamp(i64::MAX), &utc);
        assert!(last.starts_with("9999-12-"), "{last}");
        let end = period_end(Period::Month, Timestamp(i64::MAX), &utc);
        assert_eq!(end, Timestamp(i64::MAX));
    }

    #[test]
    fn a_clock_that_was_set_back_opens_no_day_again() {
        let seen: Arc<str> = "2026-05-02".into();
        assert_eq!(later(Some(&seen), "2026-05-01".into()), seen);
        assert_eq!(&*later(Some(&seen), "2026-05-03".into()), "2026-05-03");
        assert_eq!(&*later(None, "2026-05-03".into()), "2026-05-03");
    }
}
