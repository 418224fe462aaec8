//! Goal: an operator gets what was asked for or is told what to mend, nobody else gets anything, and looking
//! changes nothing.
//! Method: the whole API on the fake platform of the cache's stories.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod book;
mod configuration;
mod desk;
mod document;
mod doors;
mod explain;
#[allow(dead_code)] // the cache's stories use the rest
#[path = "../cache/fakes/mod.rs"]
mod fakes;
mod health;
mod variants;
mod warming;
