//! Reads times as JSON has them: RFC 3339, as milliseconds since 1970. [`date::rfc3339`](super::date::rfc3339) writes
//! them.

use super::date::{civil_from_days, days_from_civil};

/// Milliseconds since 1970 of 9999-12-31T23:59:59.999Z: the last instant that four digits of a year can say.
pub const LATEST_MS: u64 = 253_402_300_799_999;

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// Reads any `date-time` of RFC 3339, 5.6: with or without a fraction, in any zone, with a space for the `T`.
///
/// What is finer than a millisecond is cut off. An instant before 1970 is 0, a leap second the next second; a day
/// its month does not have is `None`.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.as_bytes();
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let (b'T' | b't' | b' ', rest) = rest.split_first().map(|(first, rest)| (*first, rest))? else {
        return None;
    };
    let (time, rest) = (rest.get(..8)?, rest.get(8..)?);
    let &[_, _, _, _, b'-', _, _, b'-', _, _] = date else { return None };
    let &[_, _, b':', _, _, b':', _, _] = time else { return None };
    let (year, month, day) =
        (number(date.get(..4)?)?, number(date.get(5..7)?)?, number(date.get(8..)?)?);
    let (hour, minute, second) =
        (number(time.get(..2)?)?, number(time.get(3..5)?)?, number(time.get(6..)?)?);
    let (fraction_ms, zone) = fraction(rest)?;
    let days = days_from_civil(year, month, day);
    if civil_from_days(days) != (year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let of_day_ms = (hour * 60 + minute) * MINUTE_MS + second * 1_000 + fraction_ms;
    let at_ms = days * DAY_MS + of_day_ms - offset_minutes(zone)? * MINUTE_MS;
    Some(u64::try_from(at_ms).unwrap_or(0).min(LATEST_MS))
}

/// Milliseconds of `.25…`, where there is one, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', rest)) = text.split_first() else { return Some((0, text)) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, zone) = rest.split_at_checked(digits)?;
    let padded = fraction.iter().copied().chain(*b"000").take(3);
    let ms = padded.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    (digits > 0).then_some((ms, zone))
}

/// Minutes a zone is ahead of UTC: `Z`, `+01:00`.
fn offset_minutes(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), hours @ .., b':', tens, ones] if hours.len() == 2 => {
            let (hours, minutes) = (number(hours)?, number(&[*tens, *ones])?);
            let ahead = hours * 60 + minutes;
            let is_possible = hours < 24 && minutes < 60;
            is_possible.then_some(if *sign == b'-' { -ahead } else { ahead })
        }
        _ => None,
    }
}

/// Digits and nothing else; few enough that no sum of them overflows.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::http::date;
    use proptest::prelude::*;

    /// The RFC's own examples, 5.8, where they are instants.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        assert_eq!(parse("1985-04-12T23:20:50.52Z"), Some(482_196_050_520));
        assert_eq!(parse("1996-12-19T16:39:57-08:00"), Some(851_042_397_000));
        assert_eq!(parse("1996-12-20T00:39:57Z"), Some(851_042_397_000));
        assert_eq!(parse("1990-12-31T23:59:60Z"), Some(662_688_000_000));
        assert_eq!(parse("1990-12-31T15:59:60-08:00"), Some(662_688_000_000));
        assert_eq!(parse("1937-01-01T12:00:27.87+00:20"), Some(0), "before 1970");
    }

    #[test]
    fn other_spellings_are_the_same_instant_and_finer_parts_are_cut() {
        for text in [
            "2026-11-23T08:15:30.25Z",
            "2026-11-23t08:15:30.250z",
            "2026-11-23 08:15:30.250999999Z",
            "2026-11-23T09:45:30.25+01:30",
        ] {
            assert_eq!(parse(text), Some(1_795_421_730_250), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for junk in [
            "",
            "2026-11-23",
            "2026-11-23T08:15:30",
            "2026-11-23T08:15Z",
            "2026-11-23T08:15:30.Z",
            "2026-11-23T08:15:30+1:00",
            "2026-11-23T08:15:30+01",
            "2026-11-23T08:15:30+24:00",
            "2026-11-23T08:15:30Zulu",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T08:60:00Z",
            "2026-11-23T08:15:61Z",
            "2026/11/23T08:15:30Z",
            "+026-11-23T08:15:30Z",
            "2026-11-23X08:15:30Z",
            "2026-11-2éT08:15:30Z",
        ] {
            assert_eq!(parse(junk), None, "{junk}");
        }
    }

    #[test]
    fn the_end_of_time_is_the_last_that_is_written() {
        assert_eq!(parse("9999-12-31T23:59:59-23:59"), Some(LATEST_MS));
        assert_eq!(parse(&date::rfc3339(u64::MAX)), Some(LATEST_MS));
    }

    proptest! {
        #[test]
        fn every_instant_that_is_written_is_read_again(at_ms in 0..=LATEST_MS) {
            prop_assert_eq!(parse(&date::rfc3339(at_ms)), Some(at_ms));
        }

        #[test]
        fn seconds_are_those_of_an_http_date(at_ms in 0..=LATEST_MS) {
            let text = date::rfc3339(at_ms);
            let http = date::format(at_ms / 1_000);
            prop_assert!(http.to_str().unwrap().contains(&text[11..19]));
            prop_assert_eq!(parse(&format!("{}Z", &text[..19])), date::parse(http.as_bytes(), 0).map(|it| it * 1_000));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn near_misses_do_not_panic(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?(Z|[+-][0-9]{2}:[0-9]{2})?") {
            let _ = parse(&text);
        }
    }
}
