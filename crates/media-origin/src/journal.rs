//! The last requests seen, for tests that ask what really went over the wire.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, Request, header};
use serde::Serialize;

/// The last [`ENTRIES_MAX`] requests, control requests apart.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    entries: VecDeque<Entry>,
    next: u64,
}

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// Counts up from 1, in the order of the answers.
    pub(crate) n: u64,
    /// The method.
    pub(crate) method: String,
    /// Path and query as they came.
    pub(crate) path: String,
    /// The status sent; absent when the connection was reset instead.
    pub(crate) status: Option<u16>,
    /// `Range` as it came.
    pub(crate) range: Option<String>,
    /// Whether there was an `Authorization`; its value is never kept.
    pub(crate) authorization: bool,
    /// `Via` as it came.
    pub(crate) via: Option<String>,
    /// `CDN-Loop` as it came.
    pub(crate) cdn_loop: Option<String>,
    /// `User-Agent` as it came.
    pub(crate) user_agent: Option<String>,
}

impl Entry {
    /// What is known before the answer.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        Self {
            n: 0,
            method: request.method().to_string(),
            path: path.to_owned(),
            status: None,
            range: text(headers, &header::RANGE),
            authorization: headers.contains_key(header::AUTHORIZATION),
            via: text(headers, &header::VIA),
            cdn_loop: text(headers, &HeaderName::from_static("cdn-loop")),
            user_agent: text(headers, &header::USER_AGENT),
        }
    }
}

impl Journal {
    /// Writes a request down; the oldest makes room.
    pub(crate) fn note(&self, entry: Entry) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.next += 1;
        let entry = Entry { n: pages.next, ..entry };
        if pages.entries.len() >= ENTRIES_MAX {
            pages.entries.pop_front();
        }
        pages.entries.push_back(entry);
    }

    /// What is written down, oldest first.
    pub(crate) fn list(&self) -> Vec<Entry> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.entries.iter().cloned().collect()
    }

    /// Starts over, from 1.
    pub(crate) fn clear(&self) {
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = Pages::default();
    }
}

/// All values of a header in one line, as RFC 9110 section 5.2 allows.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

const ENTRIES_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_last_thousand_are_kept_and_the_count_goes_on() {
        let journal = Journal::default();
        let request = Request::builder()
            .uri("/videos/a.mp4?b")
            .header("authorization", "Bearer hidden")
            .header("via", "1.1 a")
            .header("via", "1.1 b")
            .body(())
            .unwrap();
        for _ in 0..1_001 {
            journal.note(Entry::of(&request));
        }
        let entries = journal.list();
        assert_eq!(entries.len(), 1_000);
        let (first, last) = (entries.first().unwrap(), entries.last().unwrap());
        assert_eq!((first.n, last.n), (2, 1_001));
        assert_eq!(first.path, "/videos/a.mp4?b");
        assert_eq!(first.via.as_deref(), Some("1.1 a, 1.1 b"));
        assert!(first.authorization);
        assert!(!serde_json::to_string(&entries).unwrap().contains("hidden"));
        journal.clear();
        assert_eq!(journal.list(), []);
    }
}
