//! How the book lies in the object's storage: one text for its state, and two for each version.

use super::Version;
use crate::cache::ports::Fault;
use crate::durable::{Change, Durable, Order};
use crate::json::{self, Foreign, Json, record};
use crate::limits::CONFIG_VERSIONS_MAX;

const STATE: &str = "state";
const PAGE_PREFIX: &str = "page/";
const DOCUMENT_PREFIX: &str = "document/";

/// What the book knows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// The newest version; 0 before the first.
    pub(super) newest: u64,
    /// Whether KV has taken it.
    pub(super) stored: bool,
    /// When it did last, in milliseconds since 1970.
    pub(super) written_ms: u64,
    /// How often it did not, since it last did.
    pub(super) tries: u32,
}

record! { State, PassedOver {
    "newest" => newest,
    "stored" => stored,
    "written_ms" => written_ms,
    "tries" => tries,
} }

/// A version, and what tells its document from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) version: Version,
    pub(super) digest: String,
}

record! { Page, PassedOver {
    "version" => version,
    "digest" => digest,
} }

/// The storage, page by page.
#[derive(Debug)]
pub(super) struct Pages<'a, S>(&'a S);

impl<'a, S: Durable> Pages<'a, S> {
    pub(super) fn of(storage: &'a S) -> Self {
        Self(storage)
    }

    pub(super) async fn state(&self) -> Result<State, Fault> {
        match self.0.get(STATE).await? {
            Some(text) => parsed(&text),
            None => Ok(State { newest: 0, stored: true, written_ms: 0, tries: 0 }),
        }
    }

    /// Every version that is kept, oldest first.
    pub(super) async fn all(&self) -> Result<Vec<Page>, Fault> {
        let limit = usize::try_from(CONFIG_VERSIONS_MAX).unwrap_or(usize::MAX);
        let pages = self.0.list(PAGE_PREFIX, Order::Ascending, None, limit).await?;
        pages.iter().map(|(_, text)| parsed(text)).collect()
    }

    pub(super) async fn document(&self, version: u64) -> Result<Option<String>, Fault> {
        self.0.get(&name(DOCUMENT_PREFIX, version)).await
    }

    pub(super) async fn keep(&self, state: &State) -> Result<(), Fault> {
        self.0.change(&[Change::put(STATE, json::write(state))]).await
    }

    /// Adds versions, forgets as many of the oldest as are too many, and keeps the state: all of it or nothing.
    pub(super) async fn add(&self, state: &State, added: &[(Page, String)]) -> Result<(), Fault> {
        let mut changes = vec![Change::put(STATE, json::write(state))];
        for (page, document) in added {
            let version = page.version.version;
            changes.push(Change::put(name(PAGE_PREFIX, version), json::write(page)));
            changes.push(Change::put(name(DOCUMENT_PREFIX, version), document));
            if let Some(old) = version.checked_sub(CONFIG_VERSIONS_MAX).filter(|old| *old > 0) {
                changes.push(Change::delete(name(PAGE_PREFIX, old)));
                changes.push(Change::delete(name(DOCUMENT_PREFIX, old)));
            }
        }
        self.0.change(&changes).await
    }
}

/// With leading zeros, so that names are in the order of the versions.
fn name(prefix: &str, version: u64) -> String {
    format!("{prefix}{version:020}")
}

fn parsed<T: Json>(text: &str) -> Result<T, Fault> {
    json::read(text).map_err(|Foreign| Fault::Corrupt("a page of the book is not ours"))
}
