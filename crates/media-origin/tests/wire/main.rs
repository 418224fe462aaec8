//! The server as its clients see it: real sockets, real ffmpeg, one server and one state
//! directory for each test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod control;
mod faults;
mod process;
mod refusals;
mod samples;
mod transforms;
