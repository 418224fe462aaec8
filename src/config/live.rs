//! The configuration of a running isolate: newer ones replace it, bad ones never do.

use std::rc::Rc;

use super::layers::assemble;
use super::{Config, ConfigError};
use crate::limits::KV_LAG_MS;

/// Milliseconds between two looks at the stored layer.
/// With the read's [`STORED_CACHE_TTL_S`] of KV's own caching a new document is active within a minute.
pub const REFRESH_MS: u64 = 15_000;
/// Seconds: `cacheTtl` of the read of the stored layer, KV's minimum.
pub const STORED_CACHE_TTL_S: u64 = crate::limits::KV_CACHE_TTL_S_MIN;

const _A_NEW_DOCUMENT_IS_ACTIVE_WITHIN_A_MINUTE: () =
    assert!(STORED_CACHE_TTL_S * 1_000 + REFRESH_MS < 60_000);

/// The active configuration, and what is needed to replace it.
///
/// One look, in the shell:
/// `if live.should_refresh(now) { read both layers; live.offer(vars, stored, now) }`.
/// A read that failed is not offered (the active configuration stays), except as `None` while
/// [`Live::is_loaded`] is false: then the deployment's own layer is better than none.
#[derive(Debug)]
pub struct Live {
    config: Rc<Config>,
    /// The texts offered last, good or bad; `None` before the first offer.
    offered: Option<Offered>,
    errors: Vec<ConfigError>,
    looked_ms: u64,
    /// The stored text that was replaced, and until when KV may still show it.
    former: Option<(Option<String>, u64)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Offered {
    vars: Option<String>,
    stored: Option<String>,
}

/// What an offer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Another configuration is active now.
    Yes,
    /// The same texts as before: nothing was parsed, nothing changed.
    No,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// The defaults are active.
    pub fn new() -> Self {
        Self {
            config: Rc::new(Config::defaults()),
            offered: None,
            errors: Vec::new(),
            looked_ms: 0,
            former: None,
        }
    }

    /// The active configuration; a request keeps the one it began with.
    pub fn config(&self) -> Rc<Config> {
        Rc::clone(&self.config)
    }

    /// Whether a document was ever offered. Before, nobody may be served: the defaults are not what was configured.
    pub fn is_loaded(&self) -> bool {
        self.offered.is_some()
    }

    /// What is wrong with the texts offered last; empty when they are active.
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// Whether this caller is to read the layers now and offer them.
    ///
    /// Once loaded, one caller an interval is told so, and the others go on with what is active.
    pub fn should_refresh(&mut self, now_ms: u64) -> bool {
        if !self.is_loaded() {
            return true;
        }
        // A clock that went back looks like a due refresh, not like a very long wait.
        let due = now_ms.checked_sub(self.looked_ms).is_none_or(|passed| passed >= REFRESH_MS);
        if due {
            self.looked_ms = now_ms;
        }
        due
    }

    /// Takes the texts of both layers. Without errors their configuration becomes active.
    ///
    /// With errors the active one stays; on the first offer, where none was ever good, the deployment's layer alone
    /// is tried, and the defaults stay if that is bad too.
    /// The same texts again are `No`, whether they were good or bad: errors are told once, and kept in [`Live::errors`].
    pub fn offer(
        &mut self,
        vars: Option<&str>,
        stored: Option<&str>,
        now_ms: u64,
    ) -> Result<Changed, Vec<ConfigError>> {
        self.looked_ms = now_ms;
        if let Some((former, until_ms)) = &self.former
            && now_ms < *until_ms
            && former.as_deref() == stored
        {
            return Ok(Changed::No);
        }
        if let Some(last) = &self.offered
            && last.vars.as_deref() == vars
            && last.stored.as_deref() == stored
        {
            return Ok(Changed::No);
        }
        let first = self.offered.is_none();
        self.offered =
            Some(Offered { vars: vars.map(str::to_owned), stored: stored.map(str::to_owned) });
        match assemble(vars, stored) {
            Ok(config) => {
                self.config = Rc::new(config);
                self.errors.clear();
                Ok(Changed::Yes)
            }
            Err(errors) => {
                if first && let Ok(config) = assemble(vars, None) {
                    self.config = Rc::new(config);
                }
                self.errors.clone_from(&errors);
                Err(errors)
            }
        }
    }
}

impl Live {
    /// As [`Live::offer`], of a stored text that was put just now: for as long as KV may still show the one before it,
    /// that is not offered again.
    pub fn take(
        &mut self,
        vars: Option<&str>,
        stored: &str,
        now_ms: u64,
    ) -> Result<Changed, Vec<ConfigError>> {
        self.former = None;
        let before = self.offered.as_ref().and_then(|offered| offered.stored.clone());
        let taken = self.offer(vars, Some(stored), now_ms);
        if before.as_deref() != Some(stored) {
            self.former = Some((before, now_ms + KV_LAG_MS));
        }
        taken
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FIVE: Option<&str> = Some(r#"{"ttl": {"ok": 5}}"#);
    const SIX: Option<&str> = Some(r#"{"ttl": {"ok": 6}}"#);
    const BAD: Option<&str> = Some(r#"{"ttl": {"ok": -1}}"#);

    fn ok_s(live: &Live) -> u64 {
        live.config().lifetimes.fresh.ok_s
    }

    #[test]
    fn the_stored_layer_lies_over_the_deployments() {
        let mut live = Live::new();
        assert_eq!(live.offer(FIVE, None, 0), Ok(Changed::Yes));
        assert_eq!(ok_s(&live), 5);
        assert_eq!(live.offer(FIVE, SIX, 0), Ok(Changed::Yes));
        assert_eq!(ok_s(&live), 6);
        assert_eq!(live.offer(FIVE, None, 0), Ok(Changed::Yes));
        assert_eq!(ok_s(&live), 5, "a stored layer that was deleted no longer counts");
    }

    #[test]
    fn a_bad_update_never_becomes_active_and_is_told_once() {
        let mut live = Live::new();
        live.offer(None, SIX, 0).unwrap();
        assert!(live.offer(None, BAD, 1).is_err());
        assert_eq!(ok_s(&live), 6);
        assert_eq!(live.errors().len(), 1);
        assert_eq!(live.offer(None, BAD, 2), Ok(Changed::No));
        assert_eq!(live.errors().len(), 1, "still known");
        assert_eq!(live.offer(None, FIVE, 3), Ok(Changed::Yes));
        assert_eq!(ok_s(&live), 5);
        assert!(live.errors().is_empty());
    }

    #[test]
    fn the_first_bad_stored_layer_leaves_the_deployments() {
        let mut live = Live::new();
        assert!(live.offer(FIVE, BAD, 0).is_err());
        assert_eq!(ok_s(&live), 5);
        assert!(live.is_loaded());
        assert_eq!(live.errors().len(), 1);
    }

    #[test]
    fn with_both_layers_bad_the_defaults_are_active() {
        let mut live = Live::new();
        assert!(live.offer(Some("{"), BAD, 0).is_err());
        assert_eq!(ok_s(&live), Config::defaults().lifetimes.fresh.ok_s);
    }

    #[test]
    fn what_was_put_just_now_is_not_undone_by_what_kv_still_shows() {
        let mut live = Live::new();
        live.offer(None, FIVE, 0).unwrap();
        assert_eq!(live.take(None, SIX.unwrap(), 1_000), Ok(Changed::Yes));
        assert_eq!(live.offer(None, FIVE, 1_000 + KV_LAG_MS - 1), Ok(Changed::No));
        assert_eq!(ok_s(&live), 6);
        assert_eq!(live.offer(None, FIVE, 1_000 + KV_LAG_MS), Ok(Changed::Yes), "it was put again");
        assert_eq!(ok_s(&live), 5);

        live.take(None, SIX.unwrap(), 200_000).unwrap();
        assert_eq!(live.offer(None, None, 200_001), Ok(Changed::Yes), "something else is news");
        live.take(None, SIX.unwrap(), 300_000).unwrap();
        live.take(None, SIX.unwrap(), 300_001).unwrap();
        assert_eq!(live.offer(None, SIX, 300_002), Ok(Changed::No));
        assert_eq!(ok_s(&live), 6);
    }

    #[test]
    fn the_same_texts_are_not_parsed_again() {
        let mut live = Live::new();
        live.offer(FIVE, SIX, 0).unwrap();
        let before = live.config();
        assert_eq!(live.offer(FIVE, SIX, 99), Ok(Changed::No));
        assert!(Rc::ptr_eq(&before, &live.config()));
    }

    #[test]
    fn everybody_asks_until_it_is_loaded_then_one_an_interval() {
        let mut live = Live::new();
        assert!(live.should_refresh(1_000) && live.should_refresh(1_000));
        live.offer(None, None, 1_000).unwrap();
        assert!(!live.should_refresh(1_000 + REFRESH_MS - 1));
        assert!(live.should_refresh(1_000 + REFRESH_MS));
        assert!(!live.should_refresh(1_000 + REFRESH_MS), "one caller is enough");
        assert!(live.should_refresh(1_000 + 2 * REFRESH_MS), "a failed read is tried again");
        assert!(live.should_refresh(5), "a clock that went back");
    }
}
