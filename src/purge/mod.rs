//! Purges: what an operator wants forgotten is never served again, on any tier, at no cost to a hit.
//!
//! - [`target`]: what a purge is aimed at, and what it may bear on.
//! - [`ledger`]: every purge that still matters, in bounded room; the rule of validity.
//! - [`audit`]: purges made in Cloudflare's dashboard or API, found in the account's audit log.
//! - [`heard`]: what this isolate knows of the ledger, and when it must look again.
//! - [`ports`]: what purging asks of the platform.
//!
//! # The rule
//!
//! The ledger numbers purges 1, 2, 3 … A fill notes the number of the last purge its isolate had heard of when
//! it started. An entry is good only if that number is at least the number of every purge that bears on it. So a
//! fill that began before a purge, or in ignorance of it, never brings back what was purged, however slow it
//! was; no two clocks are ever compared; and a purge costs the same for one rendition or a million.

/// Key of the ledger's mirror among the renditions in KV.
pub const MIRROR_KEY: &str = "purges";

pub mod audit;
pub mod heard;
pub mod ledger;
pub mod ports;
pub mod target;
