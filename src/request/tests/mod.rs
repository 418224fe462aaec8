//! The front door, `read`, seen from outside: what a viewer asks and what is made of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bounds;
mod fixture;
mod parameters;
mod properties;
mod sizes;
