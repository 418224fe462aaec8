//! What is kept or sent as JSON: every such type states its members once, and is read strictly.
//!
//! serde's derive writes a reader of its own for every type, and the forty of this house were a seventh of the wasm. Here
//! one scanner steps over any text, one loop fills the fields it finds, and what a type adds is its table.
//!
//! - `record!` is an object, with its members in their order; `choice!` and `tagged!` are enums with something in them;
//!   `words!` are enums without.
//! - What others wrote, to be looked into and shown again, is a [`Value`].
//! - What is unknown in an object is refused or passed over, as its type says; what is there twice is always refused.

mod escapes;
mod members;
mod parts;
mod reading;
mod scan;
pub(crate) mod shapes;
mod spelled;
mod value;
mod writer;

pub use members::{Absence, Shape, Unknown};
pub(crate) use shapes::{choice, record, tagged, words};
pub use spelled::{Inside, Spelled};
pub use value::{Map, Misspelled, Value};
pub use writer::Writer;

/// Something that is kept or sent as JSON.
pub trait Json {
    /// Something to be [filled](Json::fill), which means nothing before.
    fn blank() -> Self
    where
        Self: Sized;

    /// Takes what was read; anything that [`Json::write`] cannot have written is [`Foreign`], and leaves it as it may be.
    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign>;

    /// Writes it.
    fn write(&self, writer: &mut Writer);

    /// Whether its member may be left out, where its table does not say so.
    fn may_be_left_out(&self) -> bool {
        false
    }

    /// Whether its member is left out, where its table says `or nothing`.
    fn is_nothing(&self) -> bool {
        false
    }
}

/// What was read is not what it should be. Whoever asked for it knows what that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign;

/// Reads a text.
pub fn read<T: Json>(text: &str) -> Result<T, Foreign> {
    let mut it = T::blank();
    it.fill(Spelled::of(text)?)?;
    Ok(it)
}

/// Writes a text, without a space in it.
pub fn write(it: &impl Json) -> String {
    let mut writer = Writer::default();
    it.write(&mut writer);
    writer.into_text()
}

#[cfg(test)]
#[path = "twin_tests.rs"]
mod tests;
