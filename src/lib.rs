//! `video-resizer`: resizes video at the edge and keeps every rendition it made.
//!
//! The map of the house:
//!
//! - [`request`]: what was asked. Query dialects, presets and client hints become one canonical
//!   [`request::recipe::Recipe`], or a [`request::rejection::Rejection`].
//! - [`config`]: what the operator decided, checked whole.
//! - [`http`]: ranges, conditionals, problem documents, cross-origin headers.
//! - [`limits`]: every limit, named.

pub mod config;
pub mod http;
pub mod limits;
pub mod request;
