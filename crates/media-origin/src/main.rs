//! The local media origin.
fn main() {}
