//! What was asked: an [`ask::Ask`] becomes a canonical [`recipe::Recipe`], or a [`rejection::Rejection`].

pub mod ask;
pub mod recipe;
pub mod rejection;
