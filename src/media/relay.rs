//! How the transformer gets at a source it could not fetch by itself: through this worker, at an address
//! only this worker can have made.
//!
//! The transformation service sends no credentials, and a source on this worker's own host would come
//! back as a viewer's request. Both go through `/_resizer/source/<mac>/<origin>/<index>/<path>`.
//! The MAC covers everything behind it and never expires: the transformation bills by the whole URL, so
//! an address that changed would be paid for again. Nobody without the key can make one, so it is no way
//! around the worker.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::request::path::SourcePath;

/// Every path of this worker's own begins here; none of them is ever a video.
pub const OWN_PREFIX: &str = "/_resizer/";
/// Name of the secret that signs relayed addresses: any text of at least [`KEY_BYTES_MIN`].
pub const KEY_SECRET: &str = "SOURCE_RELAY_KEY";
/// Bytes a key must have to count as one.
pub const KEY_BYTES_MIN: usize = 16;

const RELAY_PREFIX: &str = "/_resizer/source/";
/// 128 bits are out of reach of guessing over a network.
const MAC_BYTES: usize = 16;

/// The address under which the transformer finds a source: absolute, stable for ever.
pub fn url(base: &str, key: &str, origin: &str, index: u8, path: &SourcePath) -> String {
    let target = target(origin, index, path.as_str());
    format!("{base}{RELAY_PREFIX}{}/{target}", URL_SAFE_NO_PAD.encode(mac(key, &target)))
}

/// A path as it may be logged: whoever has the MAC of a relayed address has the source, for ever.
pub fn without_mac(raw_path: &str) -> Cow<'_, str> {
    match raw_path.strip_prefix(RELAY_PREFIX).and_then(|rest| rest.split_once('/')) {
        Some((_, target)) => Cow::Owned(format!("{RELAY_PREFIX}-/{target}")),
        None => Cow::Borrowed(raw_path),
    }
}

/// What a genuine relayed address names; `None` for every other path, and for every forged one.
///
/// `raw_path` is the request's path as it came; `key` is the secret.
pub fn read(raw_path: &str, key: &str) -> Option<Relayed> {
    let (given, target) = raw_path.strip_prefix(RELAY_PREFIX)?.split_once('/')?;
    let given = URL_SAFE_NO_PAD.decode(given).ok()?;
    let genuine: bool = given.ct_eq(&mac(key, target)).into();
    if !genuine {
        return None;
    }
    let (origin, rest) = target.split_once('/')?;
    let (index, _) = rest.split_once('/')?;
    let path = rest.get(index.len()..)?;
    Some(Relayed {
        origin: origin.to_owned(),
        index: index.parse().ok()?,
        path: SourcePath::parse(path).ok()?,
    })
}

/// Whether a path is one of relayed addresses, genuine or not.
pub fn is_relayed(raw_path: &str) -> bool {
    raw_path.starts_with(RELAY_PREFIX)
}

/// What a relayed address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// Name of the origin rule.
    pub origin: String,
    /// Which of its sources.
    pub index: u8,
    /// Path of the video.
    pub path: SourcePath,
}

fn target(origin: &str, index: u8, path: &str) -> String {
    format!("{origin}/{index}{path}")
}

fn mac(key: &str, target: &str) -> Vec<u8> {
    // HMAC takes keys of any length; the error exists for other MACs.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return Vec::new() };
    mac.update(b"video-resizer source\n");
    mac.update(target.as_bytes());
    let mut bytes = mac.finalize().into_bytes().to_vec();
    bytes.truncate(MAC_BYTES);
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KEY: &str = "a key of some length";

    fn path(text: &str) -> SourcePath {
        SourcePath::parse(text).unwrap()
    }

    fn relative(index: u8, text: &str) -> String {
        url("", KEY, "archive", index, &path(text))
    }

    #[test]
    fn a_genuine_address_reads_back_to_what_it_names() {
        let address = relative(1, "/films/a%20b.mp4");
        let relayed = read(&address, KEY).unwrap();
        assert_eq!(
            relayed,
            Relayed { origin: "archive".into(), index: 1, path: path("/films/a%20b.mp4") }
        );
    }

    #[test]
    fn the_address_is_the_same_for_ever_because_the_bill_goes_by_it() {
        assert_eq!(
            url("https://v.example.com", KEY, "archive", 0, &path("/a.mp4")),
            "https://v.example.com/_resizer/source/yS6_Aqn34VO8UXWZODM70Q/archive/0/a.mp4"
        );
    }

    #[test]
    fn every_change_of_an_address_forges_it() {
        let address = relative(0, "/films/a.mp4");
        for forged in [
            address.replace("films", "secret"),
            address.replace("archive", "default"),
            address.replace("/0/", "/1/"),
            address.replacen("source/", "source/A", 1),
            address.replace("/films/a.mp4", "/films/a.mp4/b.mp4"),
            "/_resizer/source//archive/0/films/a.mp4".to_owned(),
            "/_resizer/source/".to_owned(),
        ] {
            assert_eq!(read(&forged, KEY), None, "{forged}");
        }
        assert_eq!(read(&address, "another key of some length"), None);
    }
}
