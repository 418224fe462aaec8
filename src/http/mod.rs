//! Exact HTTP: ranges, conditionals, problem documents, cross-origin headers.

pub mod conditional;
pub mod cors;
pub mod date;
pub mod entity_tag;
mod field_value;
pub mod range;
pub mod vary;

pub use field_value::visible;
