//! The API describes itself: `OpenAPI` 3.1, written by hand, held to the routes by a test.

use super::Answer;
use crate::config::Config;
use crate::request::ask::Ask;

/// The document as it is written.
pub const DOCUMENT: &str = include_str!("openapi.json");
/// What stands where its server is.
pub const SERVER: &str = "https://videos.example.com/_resizer";

/// The same without the spaces and line ends between its parts: made by the compiler, so that no others are shipped.
static SHIPPED: [u8; bytes_without_space(DOCUMENT.as_bytes())] = without_space(DOCUMENT.as_bytes());

/// `GET /openapi.json`: the server is the one that was asked.
pub(super) fn document(ask: &Ask, config: &Config) -> Answer {
    let server = format!("{}{}", ask.origin(), config.admin.prefix);
    let text = String::from_utf8_lossy(&SHIPPED).replace(SERVER, &server);
    Answer { status: 200, text, headers: Vec::new() }
}

/// How many bytes [`without_space`] leaves.
#[allow(clippy::indexing_slicing)] // the compiler runs it, and nobody else
const fn bytes_without_space(text: &[u8]) -> usize {
    let (mut at, mut kept, mut place) = (0, 0, Place::Between);
    while at < text.len() {
        let is_kept;
        (is_kept, place) = place.next(text[at]);
        kept += is_kept as usize;
        at += 1;
    }
    kept
}

#[allow(clippy::indexing_slicing)] // the compiler runs it, and nobody else
const fn without_space<const KEPT: usize>(text: &[u8]) -> [u8; KEPT] {
    let mut small = [0; KEPT];
    let (mut at, mut kept, mut place) = (0, 0, Place::Between);
    while at < text.len() {
        let is_kept;
        (is_kept, place) = place.next(text[at]);
        if is_kept {
            small[kept] = text[at];
            kept += 1;
        }
        at += 1;
    }
    small
}

/// Where in a JSON document a byte stands.
#[derive(Clone, Copy)]
enum Place {
    Between,
    InText,
    Escaped,
}

impl Place {
    /// Whether a byte is kept, and where the next one stands.
    const fn next(self, byte: u8) -> (bool, Self) {
        match (self, byte) {
            (Self::Between, b'"') | (Self::Escaped, _) => (true, Self::InText),
            (Self::InText, b'"') => (true, Self::Between),
            (Self::InText, b'\\') => (true, Self::Escaped),
            (Self::Between, b' ' | b'\n' | b'\r' | b'\t') => (false, Self::Between),
            (place, _) => (true, place),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_space_is_lost() {
        const TEXT: &[u8] = b"{ \"a b\" :\n [1, \"\\\" \\\\\", \" \"] }";
        const SMALL: [u8; bytes_without_space(TEXT)] = without_space(TEXT);
        assert_eq!(SMALL.as_slice(), br#"{"a b":[1,"\" \\"," "]}"#);
        let whole: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        let shipped: serde_json::Value = serde_json::from_slice(&SHIPPED).unwrap();
        assert_eq!(shipped, whole);
        let (bytes, whole) = (SHIPPED.len(), DOCUMENT.len());
        assert!(bytes < whole * 3 / 4, "{bytes} of {whole}");
    }
}
