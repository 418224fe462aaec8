//! Errands that one isolate should not be on twice at once: hints, shared by its requests.

use std::collections::VecDeque;

use crate::limits::{ERRAND_MS, ERRANDS_MAX};

/// What was claimed lately, oldest first.
#[derive(Debug, Default)]
pub struct Errands {
    claimed: VecDeque<(String, u64)>,
}

impl Errands {
    /// Whether nobody has claimed this errand for [`ERRAND_MS`]; then it is the asker's.
    ///
    /// Of more than [`ERRANDS_MAX`] the oldest are forgotten: an errand may then be run twice, which is
    /// harmless.
    pub fn claim(&mut self, errand: &str, now_ms: u64) -> bool {
        self.claimed.retain(|(_, until_ms)| now_ms < *until_ms);
        if self.claimed.iter().any(|(claimed, _)| claimed == errand) {
            return false;
        }
        if self.claimed.len() >= ERRANDS_MAX {
            self.claimed.pop_front();
        }
        self.claimed.push_back((errand.to_owned(), now_ms + ERRAND_MS));
        true
    }

    /// The errand is done, or given up: whoever comes next may run it again.
    pub fn release(&mut self, errand: &str) {
        self.claimed.retain(|(claimed, _)| claimed != errand);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_is_somebody_elses_until_its_time_is_over() {
        let mut errands = Errands::default();
        assert!(errands.claim("a", 0));
        assert!(!errands.claim("a", ERRAND_MS - 1));
        assert!(errands.claim("b", ERRAND_MS - 1), "another errand is another");
        assert!(errands.claim("a", ERRAND_MS));
        assert!(!errands.claim("a", ERRAND_MS));
    }

    #[test]
    fn what_is_done_may_be_done_again() {
        let mut errands = Errands::default();
        assert!(errands.claim("a", 0) && errands.claim("b", 0));
        errands.release("a");
        assert!(errands.claim("a", 1));
        assert!(!errands.claim("b", 1), "another errand is another");
    }

    #[test]
    fn more_than_can_be_remembered_are_forgotten_from_the_oldest() {
        let mut errands = Errands::default();
        for errand in 0..=ERRANDS_MAX {
            assert!(errands.claim(&errand.to_string(), 0));
        }
        assert!(!errands.claim(&ERRANDS_MAX.to_string(), 0));
        assert!(errands.claim("0", 0));
        assert_eq!(errands.claimed.len(), ERRANDS_MAX);
    }
}
