//! Who may have what made, and of what.

pub mod address;
pub mod limit;
pub mod place;
pub mod reach;
pub mod refusal;
