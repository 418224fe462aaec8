//! Goal: on every path that one request can take, the promises of the cache hold.
//! Method: an odometer turns through every state of the edge, of KV, of the transformer and of the source,
//! with a mishap at every operation, and with the write done or the isolate dead before it. A choice is made
//! only when somebody looks, so equal paths are walked once. After each path the [`promises`] are checked
//! against a [`model`] of fifty lines.

mod fills;
mod model;
mod paths;
mod product;
mod promises;
mod reads;
mod sources;
mod states;
