//! The storage of one durable object, as what lives in it sees it.
//!
//! What an object decides is in the core, over this port; the shell only carries words in and out.
#![allow(async_fn_in_trait)] // its advice is about `Send`

use crate::cache::ports::Fault;

/// Texts by name, in the order of their names; only the object itself sees them.
pub trait Durable {
    /// The text under a name.
    async fn get(&self, name: &str) -> Result<Option<String>, Fault>;

    /// Names that begin with `prefix`, with their texts, in `order`; those beyond `after`, where it is given, and at
    /// most `limit` of them.
    async fn list(
        &self,
        prefix: &str,
        order: Order,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Fault>;

    /// All of these changes, or none; at most [`crate::limits::DURABLE_CHANGES_MAX`] at once. They last when this
    /// returns.
    async fn change(&self, changes: &[Change]) -> Result<(), Fault>;

    /// The object is woken at `at_ms`, or soon where that is over; only the last call counts.
    async fn wake_at(&self, at_ms: u64) -> Result<(), Fault>;
}

/// From the first name on, or from the last back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the first name on.
    Ascending,
    /// From the last name back.
    Descending,
}

/// One name's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The name.
    pub name: String,
    /// The new text of at most [`crate::limits::DURABLE_TEXT_BYTES_MAX`]; `None` deletes.
    pub text: Option<String>,
}

impl Change {
    /// Puts a text under a name.
    pub fn put(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: Some(text.into()) }
    }

    /// Deletes what is under a name.
    pub fn delete(name: impl Into<String>) -> Self {
        Self { name: name.into(), text: None }
    }
}
