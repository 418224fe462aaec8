//! The cache: tiers, keys, entries, and the orchestrator that tries one after the other.
//!
//! Read [`orchestrator`] first.

mod answer;
pub mod bypass;
pub mod copies;
pub mod edge;
pub mod entry;
pub mod errands;
mod fill;
pub mod freshness;
pub mod gate;
pub mod key;
mod opening;
pub mod orchestrator;
pub mod owed;
pub mod ports;
pub mod reason;
pub mod rendition;
pub mod renewal;
pub mod reply;
pub mod status;
pub mod storage;
pub mod tags;
mod turn;
