//! Exact HTTP: ranges, conditionals, problem documents, cross-origin headers.

mod field_value;
pub mod range;

pub use field_value::visible;
