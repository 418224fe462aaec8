//! What the transformations would have cost.
//!
//! The platform bills each unique pair of source and options once per calendar month:
//! a frame is one operation, video and audio one per second of output.
//! It does not state the price of a spritesheet; one operation here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::options::{Options, Output};

/// Operations one output costs, from what it covers of its source.
pub(crate) fn operations(options: &Options, covered_ms: u64) -> u64 {
    match options.output {
        Output::Frame(_) | Output::Spritesheet { .. } => 1,
        Output::Video { .. } | Output::Audio => covered_ms.div_ceil(1_000),
    }
}

/// A calendar month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month {
    year: i64,
    month: i64,
}

impl Month {
    /// The month `now` lies in.
    pub(crate) fn of(now: SystemTime) -> Self {
        let days = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
        let mut days = i64::try_from(days).unwrap_or(i64::MAX);
        // From the day of the epoch to a year and a month by whole eras of 400 years, with the
        // year begun in March so that the leap day comes last.
        days = days.saturating_add(719_468);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = (month_from_march + 2) % 12 + 1;
        let year = year_of_era + days.div_euclid(146_097) * 400 + i64::from(month <= 2);
        Self { year, month }
    }
}

/// The account of this process; it starts empty.
#[derive(Debug, Default)]
pub(crate) struct Bill {
    account: Mutex<Account>,
}

#[derive(Debug, Default)]
struct Account {
    operations: u64,
    transforms: u64,
    requests: u64,
    unique: BTreeMap<(Month, String), u64>,
}

/// The account as it is shown.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Statement {
    /// Operations billed.
    pub(crate) operations: u64,
    /// How often ffmpeg made an output.
    pub(crate) transforms: u64,
    /// Requests for a transformation, answered in whatever way.
    pub(crate) requests: u64,
    /// What was billed, at most [`UNIQUE_MAX`] of it.
    pub(crate) unique: Vec<Billed>,
}

/// One line of the bill.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Billed {
    /// The whole transformation path.
    pub(crate) url: String,
    /// What it cost.
    pub(crate) operations: u64,
}

impl Bill {
    /// Counts a request for a transformation.
    pub(crate) fn requested(&self) {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).requests += 1;
    }

    /// Counts a run of ffmpeg that made an output.
    pub(crate) fn transformed(&self) {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).transforms += 1;
    }

    /// Bills an output that was delivered, unless it was billed in this month already.
    pub(crate) fn delivered(&self, now: SystemTime, url: &str, operations: u64) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let line = (Month::of(now), url.to_owned());
        if account.unique.contains_key(&line) {
            return;
        }
        account.operations += operations;
        if account.unique.len() >= UNIQUE_MAX {
            // The oldest month goes first; what is forgotten may be billed again.
            account.unique.pop_first();
        }
        account.unique.insert(line, operations);
    }

    /// The account so far.
    pub(crate) fn statement(&self) -> Statement {
        let account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        Statement {
            operations: account.operations,
            transforms: account.transforms,
            requests: account.requests,
            unique: account
                .unique
                .iter()
                .map(|((_, url), &operations)| Billed { url: url.clone(), operations })
                .collect(),
        }
    }

    /// Starts over.
    pub(crate) fn reset(&self) {
        *self.account.lock().unwrap_or_else(PoisonError::into_inner) = Account::default();
    }
}

const UNIQUE_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        for (seconds, year, month) in [
            (0, 1970, 1),
            (951_782_399, 2000, 2),    // 2000-02-28T23:59:59Z
            (951_868_799, 2000, 2),    // 2000-02-29T23:59:59Z
            (951_868_800, 2000, 3),    // 2000-03-01T00:00:00Z
            (1_735_689_599, 2024, 12), // 2024-12-31T23:59:59Z
            (1_735_689_600, 2025, 1),  // 2025-01-01T00:00:00Z
        ] {
            assert_eq!(Month::of(at(seconds)), Month { year, month }, "{seconds}");
        }
    }

    #[test]
    fn video_and_audio_cost_a_second_each_begun_and_pictures_one() {
        for (options, covered_ms, cost) in [
            ("mode=video", 5_312, 6),
            ("mode=video", 5_000, 5),
            ("mode=audio", 1, 1),
            ("mode=frame", 60_000, 1),
            ("mode=spritesheet", 60_000, 1),
        ] {
            let options = Options::parse(options).unwrap();
            assert_eq!(operations(&options, covered_ms), cost, "{options:?} {covered_ms}");
        }
    }

    #[test]
    fn a_url_is_billed_once_a_month() {
        let bill = Bill::default();
        bill.delivered(at(1_735_689_599), "/a", 6);
        bill.delivered(at(1_735_689_599), "/a", 6);
        bill.delivered(at(1_735_689_599), "/b", 1);
        assert_eq!(bill.statement().operations, 7);
        bill.delivered(at(1_735_689_600), "/a", 6);
        let statement = bill.statement();
        assert_eq!((statement.operations, statement.unique.len()), (13, 3));
        bill.reset();
        assert_eq!(bill.statement().operations, 0);
    }

    #[test]
    fn the_list_of_billed_urls_is_bounded_and_the_sum_is_not() {
        let bill = Bill::default();
        for n in 0..=UNIQUE_MAX {
            bill.delivered(at(0), &n.to_string(), 2);
        }
        let statement = bill.statement();
        assert_eq!(statement.unique.len(), UNIQUE_MAX);
        assert_eq!(statement.operations, 2 * (UNIQUE_MAX as u64 + 1));
    }
}
