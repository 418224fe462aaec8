//! Goal: whatever the ledger's object meets, no purge that was acknowledged is lost, every tier hears of it, and no
//! number means two things.
//! Method: the object on a fake platform. Every operation it makes fails in every way it can, one by one and in pairs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod concurrency;
mod fakes;
mod faults;
mod histories;
mod orders;
