//! Purges: what an operator wants forgotten is never served again, on any tier, at no cost to a hit.
//!
//! - [`target`]: what a purge is aimed at, and what it may bear on.
//! - [`ledger`]: every purge that still matters, in bounded room; the rule of validity.
//! - [`heard`]: what this isolate knows of the ledger, and when it must look again.
//! - [`order`]: what an operator wants purged, read and checked, each target by [`aim`]; [`receipt`]: what became of it.
//! - [`question`]: what the ledger's object is asked; [`book`]: what it decides; [`zone`]: the zone's own cache.
//! - [`audit`]: purges made in Cloudflare's dashboard or API, found in the account's audit log.
//! - [`sweep`]: what was purged is deleted.
//! - [`settings`]: what of the configuration concerns it; [`ports`]: what purging asks of the platform.
//!
//! # The rule
//!
//! The ledger numbers purges 1, 2, 3 … A fill notes the number of the last purge its isolate had heard of when
//! it started. An entry is good only if that number is at least the number of every purge that bears on it. So a
//! fill that began before a purge, or in ignorance of it, never brings back what was purged, however slow it
//! was; no two clocks are ever compared; and a purge costs the same for one rendition or a million.

/// Key of the ledger's mirror among the renditions in KV.
pub const MIRROR_KEY: &str = "purges";

pub mod aim;
pub mod audit;
pub mod book;
pub mod heard;
pub mod ledger;
pub mod order;
pub mod ports;
mod progress;
pub mod question;
pub mod receipt;
pub mod settings;
mod state;
pub mod sweep;
pub mod target;
pub mod zone;
