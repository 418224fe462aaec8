//! What this isolate has heard of the ledger, and when it must look again.
//!
//! # The bound
//!
//! A purge is in the ledger when its call is answered. It is in KV when the receipt says so, and there every data
//! centre sees it within [`visible_everywhere_ms`]. An isolate that is asked anything knows what KV showed at most
//! [`age_ms_max`] ago: it looks again behind a viewer's back every few seconds, and before it answers where nobody came
//! for several times as long. So no request that begins later than both together after the purge was mirrored gets what was purged.

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
        Self { ledger: Rc::default(), text: None, as_of_ms: None, looked_ms: None }
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
    /// Where looking fails, one caller an interval tries again, and the others go on with what is known.
    pub fn due(&mut self, refresh_ms: u32, now_ms: u64) -> Due {
        let refresh_ms = u64::from(refresh_ms);
        // A clock that went back looks like a very long time.
        let since = |then_ms: Option<u64>| {
            then_ms.and_then(|then_ms| now_ms.checked_sub(then_ms)).unwrap_or(u64::MAX)
        };
        let (age_ms, pause_ms) = (since(self.as_of_ms), since(self.looked_ms));
        let due = if age_ms < refresh_ms {
            return Due::Not;
        } else if age_ms < REFRESHES_MISSED_MAX * refresh_ms {
            if pause_ms < refresh_ms { Due::Not } else { Due::Behind }
        } else if self.looked_ms.is_some()
            && pause_ms < refresh_ms
            && pause_ms >= u64::from(LEDGER_READ_TIMEOUT_MS)
        {
            // The last look has failed, or has just been given up.
            Due::Not
        } else {
            Due::Now
        };
        if due != Due::Not {
            self.looked_ms = Some(now_ms);
        }
        due
    }

    /// Takes what was found by a look that began at `began_ms`: `None` where there is no ledger yet.
    ///
    /// An older one than what is known changes nothing: a data centre may show it for a while.
    pub fn hear(&mut self, text: Option<&str>, began_ms: u64) -> Result<(), Fault> {
        if let Some(text) = text
            && self.text.as_deref() != Some(text)
        {
            let ledger = Ledger::decode(text)?;
            if ledger.number() > self.ledger.number() || self.text.is_none() {
                self.ledger = Rc::new(ledger);
                self.text = Some(text.to_owned());
            }
        }
        self.as_of_ms = Some(began_ms);
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
        heard.hear(None, 100_000).unwrap();
        assert_eq!(heard.due(REFRESH_MS, 104_999), Due::Not);
        assert_eq!(heard.due(REFRESH_MS, 105_000), Due::Behind);
        assert_eq!(heard.due(REFRESH_MS, 105_000), Due::Not, "one looks for all");
        heard.hear(Some(&of(1)), 105_000).unwrap();
        assert_eq!(heard.ledger().number(), 1);
        assert_eq!(heard.due(REFRESH_MS, 134_999), Due::Behind);
        assert_eq!(heard.due(REFRESH_MS, 140_000), Due::Now);
    }

    #[test]
    fn while_one_looks_in_vain_the_others_do_not_all_wait() {
        let mut heard = Heard::new();
        heard.hear(None, 0).unwrap();
        assert_eq!(heard.due(REFRESH_MS, 50_000), Due::Now);
        assert_eq!(heard.due(REFRESH_MS, 50_500), Due::Now, "the look may yet succeed");
        let failed_ms = 50_500 + u64::from(LEDGER_READ_TIMEOUT_MS);
        assert_eq!(heard.due(REFRESH_MS, failed_ms), Due::Not);
        assert_eq!(heard.due(REFRESH_MS, 50_500 + u64::from(REFRESH_MS)), Due::Now);
    }

    #[test]
    fn nothing_that_was_heard_is_forgotten_for_an_older_ledger_or_for_none() {
        let mut heard = Heard::new();
        heard.hear(Some(&of(2)), 1).unwrap();
        heard.hear(Some(&of(1)), 2).unwrap();
        heard.hear(None, 3).unwrap();
        assert_eq!((heard.ledger().number(), heard.as_of_ms()), (2, Some(3)));
        assert!(heard.hear(Some("{}"), 4).is_err());
        assert_eq!((heard.ledger().number(), heard.as_of_ms()), (2, Some(3)));
    }

    #[test]
    fn a_clock_that_went_back_makes_somebody_look() {
        let mut heard = Heard::new();
        heard.hear(None, 1_000_000).unwrap();
        assert_eq!(heard.due(REFRESH_MS, 5), Due::Now);
    }
}
