//! From a recipe to the transformer and back: sources, the transformation's URL, the verdict on its answer.

pub mod failure;
pub mod follow;
pub mod loop_guard;
pub mod order;
pub mod relay;
pub mod revalidation;
pub mod sources;
pub mod transformation;
pub mod verdict;
