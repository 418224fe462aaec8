//! What was asked: an [`ask::Ask`] becomes a canonical [`recipe::Recipe`], or a [`rejection::Rejection`].

pub mod ask;
pub mod path;
pub mod query;
pub mod recipe;
pub mod rejection;
