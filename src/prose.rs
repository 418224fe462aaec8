//! What a table says for its documents alone: there where they are made, and no byte of what is shipped.

#[cfg(not(target_family = "wasm"))]
use std::fmt;

/// A text beside what the code reads of the same row.
///
/// Documents are made and held to their tables on the host. On wasm it has no size and cannot be read,
/// so whatever is said while requests are answered cannot depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prose(#[cfg(not(target_family = "wasm"))] &'static str);

impl Prose {
    /// The text of a row.
    #[cfg(not(target_family = "wasm"))]
    pub const fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// The text of a row, which stays behind.
    #[cfg(target_family = "wasm")]
    pub const fn new(_: &'static str) -> Self {
        Self()
    }

    /// The text.
    #[cfg(not(target_family = "wasm"))]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

#[cfg(not(target_family = "wasm"))]
impl fmt::Display for Prose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}
