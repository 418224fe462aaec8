//! Exact HTTP: ranges, conditionals, problem documents, cross-origin headers.

pub mod conditional;
pub mod date;
pub mod entity_tag;
mod field_value;
pub mod range;

pub use field_value::visible;
