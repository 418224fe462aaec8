//! `video-resizer`: resizes video at the edge and keeps every rendition it made.
//!
//! The map of the house, in the order a request walks through it:
//!
//! - `worker`: the shell. The only code that names the platform; wasm only.
//! - [`front`]: what kind of request this is, and the finishing touch to every answer.
//! - [`request`]: what was asked. Query dialects, presets and client hints become one canonical
//!   [`request::recipe::Recipe`], or a [`request::rejection::Rejection`].
//! - [`guard`]: who may have what made.
//! - [`cache`]: [`cache::orchestrator`] tries Cache API, Workers KV and the transformation in this order;
//!   around it keys, entries, freshness, tags, ways around, and the ports to the platform.
//! - [`guard`]: who may have what made, and of what.
//! - [`media`]: sources, the transformation's URL, and the verdict on what came back.
//! - [`purge`]: what was purged, and what that means for an entry.
//! - [`http`]: ranges, conditionals, problem documents, cross-origin headers.
//! - [`upkeep`]: what is done by the clock: the scrub of what is kept.
//! - [`explain`]: the decision about a request as JSON.
//! - [`admin`]: the operator's API: configuration with versions, what is stored, what a request would do, health.
//! - [`config`]: what the operator decided, checked whole.
//! - [`document`]: JSON for people, written member by member.
//! - [`durable`]: the storage of a durable object, a port.
//! - [`json`]: what is kept or sent as JSON, read strictly and written.
//! - [`sorted`]: small maps.
//! - [`turn`]: one question at a time in a durable object.
//! - [`limits`]: every limit, named.
//! - [`prose`]: what tables say for their documents alone.

pub mod admin;
pub mod cache;
pub mod config;
pub mod document;
pub mod durable;
pub mod explain;
pub mod front;
pub mod guard;
pub mod http;
pub mod json;
pub mod limits;
pub mod media;
pub mod prose;
pub mod purge;
pub mod request;
pub mod sorted;
pub mod turn;
pub mod upkeep;
#[cfg(target_family = "wasm")]
mod worker;
