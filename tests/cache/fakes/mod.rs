//! A platform made of honest maps, and the weather that spoils it.
//!
//! Truth and weather are kept apart: a fake stores exactly what it was given, and before each operation it
//! asks the [`weather`] what goes wrong. What the platform forbids is an assertion here, so that no story
//! passes by breaking a limit.

pub(crate) mod admin;
pub(crate) mod body;
pub(crate) mod durable;
pub(crate) mod edge;
pub(crate) mod gate;
pub(crate) mod held;
pub(crate) mod host;
pub(crate) mod kv;
pub(crate) mod limiter;
pub(crate) mod log;
pub(crate) mod run;
pub(crate) mod surprise;
pub(crate) mod upstream;
pub(crate) mod viewer;
pub(crate) mod weather;
pub(crate) mod world;
