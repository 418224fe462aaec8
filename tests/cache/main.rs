//! Goal: a viewer never sees a fault, nothing bad is ever kept, and what was made is never made again.
//! Method: the whole core on a fake platform. Stories first, each one sentence; then every path of one request.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod exhaustive;
mod fakes;
mod properties;
mod story;
