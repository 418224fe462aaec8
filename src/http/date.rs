//! HTTP dates as seconds since 1970, with the clock as an argument (RFC 9110 §5.6.7).
//!
//! Written here rather than taken from a crate: the usual one panics after the year 9999 and reads
//! two-digit years against a fixed century, where the RFC wants them read against today.

use ::http::HeaderValue;

use super::field_value::{composed, digits, trim_ows};

/// Seconds since 1970 of 9999-12-31T23:59:59Z: the last instant an IMF-fixdate can say.
pub const LATEST_S: u64 = 253_402_300_799;

/// A two-digit year that would lie more than this far ahead is a year of the past (RFC 9110 §5.6.7).
const TWO_DIGIT_YEARS_AHEAD_MAX: i64 = 50;

const DAY_S: i64 = 86_400;
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sun, 06 Nov 1994 08:49:37 GMT`; an instant after [`LATEST_S`] is written as [`LATEST_S`].
pub fn format(at_s: u64) -> HeaderValue {
    let at_s = i64::try_from(at_s.min(LATEST_S)).unwrap_or(0);
    let (days, second) = (at_s.div_euclid(DAY_S), at_s.rem_euclid(DAY_S));
    let (year, month, day) = civil_from_days(days);
    let weekday = name(&DAYS, weekday(days));
    let month = name(&MONTHS, month - 1);
    composed(format_args!(
        "{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT",
        second / 3600,
        second / 60 % 60,
        second % 60,
    ))
}

/// `1994-11-06T08:49:37.000Z`: milliseconds since 1970 as RFC 3339 has them, in UTC; an instant after the last
/// millisecond of [`LATEST_S`] is written as that.
pub fn rfc3339(at_ms: u64) -> String {
    let whole = i64::try_from(at_ms.min(LATEST_S * 1_000 + 999)).unwrap_or(0);
    let (seconds, ms) = (whole.div_euclid(1_000), whole.rem_euclid(1_000));
    let (days, second) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
    let (year, month, day) = civil_from_days(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// Seconds since 1970 of any of the three forms a date may have; `None` for anything else.
///
/// `now_s` tells the century of a two-digit year. Refused are a wrong weekday, a day its month does
/// not have and a zone other than GMT. An instant before 1970 is 0, a leap second the next second.
pub fn parse(value: &[u8], now_s: u64) -> Option<u64> {
    let text = std::str::from_utf8(trim_ows(value)).ok()?;
    let stamp =
        imf_fixdate(text).or_else(|| rfc850_date(text, now_s)).or_else(|| asctime_date(text))?;
    stamp.seconds()
}

/// A date as written, not yet held against the calendar.
struct Stamp {
    weekday: i64,
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

impl Stamp {
    fn seconds(&self) -> Option<u64> {
        let &Self { weekday: said, year, month, day, second_of_day } = self;
        let days = days_from_civil(year, month, day);
        // 31 February counts on into March and does not come back as itself.
        if civil_from_days(days) != (year, month, day) || weekday(days) != said {
            return None;
        }
        Some(u64::try_from(days * DAY_S + second_of_day).unwrap_or(0))
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(text: &str) -> Option<Stamp> {
    let (weekday, rest) = text.split_once(", ")?;
    let [day, month, year, time, "GMT"] = words(rest)? else { return None };
    Some(Stamp {
        weekday: short_weekday(weekday)?,
        year: number(year, 4)?,
        month: month_of(month)?,
        day: number(day, 2)?,
        second_of_day: second_of_day(time)?,
    })
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850_date(text: &str, now_s: u64) -> Option<Stamp> {
    let (weekday, rest) = text.split_once(", ")?;
    let [date, time, "GMT"] = words(rest)? else { return None };
    let mut parts = date.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(Stamp {
        weekday: position(&DAYS, |name| *name == weekday)?,
        year: full_year(number(year, 2)?, now_s),
        month: month_of(month)?,
        day: number(day, 2)?,
        second_of_day: second_of_day(time)?,
    })
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime_date(text: &str) -> Option<Stamp> {
    let (head, tail) = (text.get(..8)?, text.get(8..)?);
    let [weekday, month, ""] = words(head)? else { return None };
    let (day, rest) = (tail.get(..2)?, tail.get(2..)?.strip_prefix(' ')?);
    let [time, year] = words(rest)?;
    Some(Stamp {
        weekday: short_weekday(weekday)?,
        year: number(year, 4)?,
        month: month_of(month)?,
        day: match day.strip_prefix(' ') {
            Some(digit) => number(digit, 1)?,
            None => number(day, 2)?,
        },
        second_of_day: second_of_day(time)?,
    })
}

/// `08:49:37`; 60 is a leap second.
fn second_of_day(time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let second = number(parts.next()?, 2)?;
    let possible = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    possible.then_some(hour * 3600 + minute * 60 + second)
}

fn full_year(two_digits: i64, now_s: u64) -> i64 {
    let now_s = i64::try_from(now_s.min(LATEST_S)).unwrap_or(0);
    let (this_year, ..) = civil_from_days(now_s.div_euclid(DAY_S));
    let year = this_year - this_year.rem_euclid(100) + two_digits;
    if year > this_year + TWO_DIGIT_YEARS_AHEAD_MAX { year - 100 } else { year }
}

/// Exactly `N` words between single spaces.
fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    let mut found = [""; N];
    let mut words = text.split(' ');
    for slot in &mut found {
        *slot = words.next()?;
    }
    words.next().is_none().then_some(found)
}

/// A number of exactly `width` digits.
fn number(text: &str, width: usize) -> Option<i64> {
    let value = if text.len() == width { digits(text.as_bytes())? } else { return None };
    i64::try_from(value).ok()
}

fn short_weekday(text: &str) -> Option<i64> {
    position(&DAYS, |name| name.get(..3) == Some(text))
}

fn month_of(text: &str) -> Option<i64> {
    Some(position(&MONTHS, |name| *name == text)? + 1)
}

fn position(names: &[&str], is: impl FnMut(&&str) -> bool) -> Option<i64> {
    i64::try_from(names.iter().position(is)?).ok()
}

/// The first three letters of the name at `index`.
fn name(names: &'static [&'static str], index: i64) -> &'static str {
    let found = usize::try_from(index).ok().and_then(|at| names.get(at));
    found.and_then(|name| name.get(..3)).unwrap_or_default()
}

/// 0 is Sunday; 1970 began on a Thursday.
fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, which repeats every 400 years.
///
/// Years are counted from March, so that the leap day comes last and month lengths follow one line.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The year, month and day that [`days_from_civil`] came from.
pub(super) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, SystemTime};

    /// 2026-07-01T00:00:00Z.
    const NOW_S: u64 = 1_782_864_000;
    /// The RFC's own example.
    const EXAMPLE_S: u64 = 784_111_777;

    #[test]
    fn the_three_forms_of_the_rfc_are_one_instant() {
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            " Sun, 06 Nov 1994 08:49:37 GMT\t",
        ] {
            assert_eq!(parse(form.as_bytes(), NOW_S), Some(EXAMPLE_S), "{form}");
        }
        assert_eq!(format(EXAMPLE_S), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn an_instant_in_json_is_the_same_one_as_in_a_header() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(784_111_777_042), "1994-11-06T08:49:37.042Z");
        assert_eq!(rfc3339(1_709_164_800_000), "2024-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn the_ends_of_time_are_written_without_a_panic() {
        assert_eq!(format(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(format(LATEST_S), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(format(u64::MAX), format(LATEST_S));
    }

    #[test]
    fn a_two_digit_year_is_at_most_fifty_years_ahead() {
        assert_eq!(full_year(76, NOW_S), 2076);
        assert_eq!(full_year(77, NOW_S), 1977);
        assert_eq!(full_year(0, NOW_S), 2000);
        assert_eq!(full_year(26, NOW_S), 2026);
    }

    #[test]
    fn odd_but_possible_dates_are_read() {
        for (text, at_s) in [
            ("Sat Nov 12 08:49:37 1994", 784_630_177),
            ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Wed, 31 Dec 1969 23:59:59 GMT", 0),
        ] {
            assert_eq!(parse(text.as_bytes(), NOW_S), Some(at_s), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for junk in [
            "",
            "0",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun,  06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Thu, 30 Feb 2023 00:00:00 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Wed, 00 Mar 2023 00:00:00 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "Sun Nov 06 08:49:37 94",
            "Sun Nov  6 08:49:37 1994 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(parse(junk.as_bytes(), NOW_S), None, "{junk}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_is_written_and_read_as_another_implementation_does(at_s in 0..=LATEST_S) {
            let ours = format(at_s);
            let theirs = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(at_s));
            prop_assert_eq!(ours.to_str().unwrap(), theirs);
            prop_assert_eq!(parse(ours.as_bytes(), NOW_S), Some(at_s));
        }

        #[test]
        fn no_bytes_make_a_date_panic(bytes in proptest::collection::vec(any::<u8>(), 0..48), now_s in any::<u64>()) {
            let _ = parse(&bytes, now_s);
        }

        #[test]
        fn near_misses_are_read_as_another_implementation_does(
            text in "(Mon|Tue|Sun), [0-3][0-9] (Jan|Feb|Nov) (19[7-9]|20[0-9])[0-9] [0-2][0-9]:[0-6][0-9]:[0-5][0-9] GMT",
        ) {
            let theirs = httpdate::parse_http_date(&text).ok();
            let theirs = theirs.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
            prop_assert_eq!(parse(text.as_bytes(), NOW_S), theirs);
        }

        #[test]
        fn any_text_of_the_asctime_shape_does_not_panic(text in "\\PC{0,30}", now_s in any::<u64>()) {
            let _ = parse(text.as_bytes(), now_s);
        }
    }
}
