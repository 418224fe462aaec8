//! What guards the wallet: who may have what made, and of what.
//!
//! Every variant of a video is billed, so whoever may choose freely may spend freely.
//!
//! - [`access`]: what a viewer of an origin needs for what.
//! - [`signature`]: signed URLs.
//! - [`limit`]: who comes too often.
//! - [`address`], [`place`], [`reach`]: where sources may be, and [`refusal`]: why not.
//!
//! What may be asked at all, in which bounds and in which steps is the configuration of the origin, and
//! [`crate::request`] reads a request by it.

pub mod access;
pub mod address;
pub mod limit;
pub mod place;
pub mod reach;
pub mod refusal;
pub mod signature;
