//! What this isolate has heard of the ledger, and when it must look again.
//!
//! # The bound
//!
//! A purge is in the ledger when its call is answered. It is in KV when the receipt says so, and there every data
//! centre sees it within [`visible_everywhere_ms`]. An isolate that is asked anything knows what KV showed at most
//! [`age_ms_max`] ago: it looks again behind a viewer's back every few seconds, and before it answers where nobody came
//! for several times as long. So no request that begins later than both together after the purge was mirrored gets what was purged.
//! Where KV does not answer, an isolate goes on with what it knows, and tries again every refresh.

use std::rc::Rc;

use super::ledger::Ledger;
use crate::cache::ports::Fault;
use crate::limits::{KV_CACHE_TTL_S_MIN, KV_VISIBLE_MS, LEDGER_READ_TIMEOUT_MS};

/// What this isolate knows.
#[derive(Debug)]
pub struct Heard {
    ledger: Rc<Ledger>,
    /// The text it was read from.
    text: Option<String>,
    /// When a look that succeeded began; `None` before the first.
    as_of_ms: Option<u64>,
    /// When anybody last began to look.
    looked_ms: Option<u64>,
    /// When the last look began, where it has failed.
    failed_ms: Option<u64>,
}

/// When the ledger must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// What is known is new enough, or somebody is looking.
    Not,
    /// By this caller, behind the viewer's back.
    Behind,
    /// Before anybody is answered.
    Now,
}

/// Milliseconds until a ledger in KV is seen by every data centre that looks: the time KV takes, and what a data centre
/// may answer from its own copy (kv/concepts/how-kv-works).
pub const fn visible_everywhere_ms() -> u64 {
    KV_VISIBLE_MS + KV_CACHE_TTL_S_MIN * 1_000
}

/// Milliseconds by which an isolate that looks every `refresh_ms` is behind what it could have read, at the most.
pub const fn age_ms_max(refresh_ms: u32) -> u64 {
    REFRESHES_MISSED_MAX * refresh_ms as u64 + LEDGER_READ_TIMEOUT_MS as u64
}

/// How many times as old as it should be what is known may be before a viewer has to wait: a request each half minute
/// never does.
const REFRESHES_MISSED_MAX: u64 = 6;

impl Default for Heard {
    fn default() -> Self {
        Self::new()
    }
}

impl Heard {
    /// Nothing has been heard.
    pub fn new() -> Self {
        Self { ledger: Rc::default(), text: None, as_of_ms: None, looked_ms: None, failed_ms: None }
    }

    /// What is known.
    pub fn ledger(&self) -> Rc<Ledger> {
        Rc::clone(&self.ledger)
    }

    /// When what is known was looked up; `None` before the first time.
    pub fn as_of_ms(&self) -> Option<u64> {
        self.as_of_ms
    }

    /// Whether this caller is to look now; it then tells [`Heard::hear`] what it found.
    ///
    /// Where looking fails, one caller an interval tries again, and the others go on with what is known. A look that
    /// nobody hears of again, because its viewer has left and its request ended there, has not failed: the next
    /// caller looks.
    pub fn due(&mut self, refresh_ms: u32, now_ms: u64) -> Due {
        let refresh_ms = u64::from(refresh_ms);
        // A clock that went back looks like a very long time.
        let since = |then_ms: Option<u64>| {
            then_ms.and_then(|then_ms| now_ms.checked_sub(then_ms)).unwrap_or(u64::MAX)
        };
        let (age_ms, pause_ms) = (since(self.as_of_ms), since(self.looked_ms));
        let is_in_vain = since(self.failed_ms) < refresh_ms;
        let due = if age_ms < refresh_ms {
            return Due::Not;
        } else if age_ms < REFRESHES_MISSED_MAX * refresh_ms {
            if pause_ms < refresh_ms { Due::Not } else { Due::Behind }
        } else if is_in_vain {
            Due::Not
        } else {
            Due::Now
        };
        if due != Due::Not {
            self.looked_ms = Some(now_ms);
        }
        due
    }

    /// Takes what came of a look that began at `began_ms`: `None` where there is no ledger yet.
    ///
    /// An older one than what is known changes nothing: a data centre may show it for a while.
    pub fn hear(
        &mut self,
        found: Result<Option<String>, Fault>,
        began_ms: u64,
    ) -> Result<(), Fault> {
        let heard = found.and_then(|text| text.map_or(Ok(()), |text| self.read(text)));
        if heard.is_ok() {
            (self.as_of_ms, self.failed_ms) = (Some(began_ms), None);
        } else {
            self.failed_ms = Some(began_ms);
        }
        heard
    }

    fn read(&mut self, text: String) -> Result<(), Fault> {
        if self.text.as_ref() == Some(&text) {
            return Ok(());
        }
        let ledger = Ledger::decode(&text)?;
        if ledger.number() > self.ledger.number() || self.text.is_none() {
            self.ledger = Rc::new(ledger);
            self.text = Some(text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::purge::ledger::Mode;
    use crate::purge::target::Target;

    const REFRESH_MS: u32 = 5_000;

    fn of(purges: u64) -> String {
        let mut ledger = Ledger::default();
        for _ in 0..purges {
            ledger.record(Mode::Hard, &[Target::Everything]);
        }
        ledger.encode().unwrap()
    }

    #[test]
    fn the_first_request_waits_and_later_ones_only_when_nobody_came_for_long() {
        let mut heard = Heard::new();
        assert_eq!(heard.due(REFRESH_MS, 100_000), Due::Now);
        heard.hear(Ok(None), 100_000).unwrap();
        assert_eq!(heard.due(REFRESH_MS, 104_999), Due::Not);
        assert_eq!(heard.due(REFRESH_MS, 105_000), Due::Behind);
        assert_eq!(heard.due(REFRESH_MS, 105_000), Due::Not, "one looks for all");
        heard.hear(Ok(Some(of(1))), 105_000).unwrap();
        assert_eq!(heard.ledger().number(), 1);
        assert_eq!(heard.due(REFRESH_MS, 134_999), Due::Behind);
        assert_eq!(heard.due(REFRESH_MS, 140_000), Due::Now);
    }

    #[test]
    fn while_one_looks_in_vain_the_others_do_not_all_wait() {
        let mut heard = Heard::new();
        let late = || Err(Fault::TimedOut { budget_ms: LEDGER_READ_TIMEOUT_MS });
        heard.hear(Ok(None), 0).unwrap();
        assert_eq!(heard.due(REFRESH_MS, 50_000), Due::Now);
        assert_eq!(heard.due(REFRESH_MS, 50_500), Due::Now, "the look may yet succeed");
        heard.hear(late(), 50_500).unwrap_err();
        assert_eq!(heard.due(REFRESH_MS, 51_500), Due::Not);
        assert_eq!(heard.due(REFRESH_MS, 50_500 + u64::from(REFRESH_MS)), Due::Now);
        heard.hear(Ok(None), 55_500).unwrap();
        assert_eq!(heard.due(REFRESH_MS, 90_000), Due::Now, "the failure is over");
    }

    #[test]
    fn a_look_whose_request_was_ended_keeps_nobody_from_looking() {
        for heard in [None, Some(0)] {
            let mut it = Heard::new();
            if let Some(began_ms) = heard {
                it.hear(Ok(None), began_ms).unwrap();
            }
            for now_ms in [50_000, 50_020, 51_000, 53_000] {
                assert_eq!(it.due(REFRESH_MS, now_ms), Due::Now, "{heard:?} {now_ms}");
            }
        }
    }

    #[test]
    fn nothing_that_was_heard_is_forgotten_for_an_older_ledger_or_for_none() {
        let mut heard = Heard::new();
        heard.hear(Ok(Some(of(2))), 1).unwrap();
        heard.hear(Ok(Some(of(1))), 2).unwrap();
        heard.hear(Ok(None), 3).unwrap();
        assert_eq!((heard.ledger().number(), heard.as_of_ms()), (2, Some(3)));
        assert!(heard.hear(Ok(Some("{}".to_owned())), 4).is_err());
        assert_eq!((heard.ledger().number(), heard.as_of_ms()), (2, Some(3)));
    }

    #[test]
    fn a_clock_that_went_back_makes_somebody_look() {
        let mut heard = Heard::new();
        heard.hear(Ok(None), 1_000_000).unwrap();
        assert_eq!(heard.due(REFRESH_MS, 5), Due::Now);
    }
}
