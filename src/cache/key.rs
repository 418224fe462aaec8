//! The names a rendition is kept under: one recipe, one key; two recipes, two keys.
//!
//! `video:<source path>[:option=value]…`, as in `video:videos/sample.mp4:w=640:h=360:f=mp4:q=high`.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::limits::KV_KEY_BYTES_MAX;
use crate::request::path::SourcePath;
use crate::request::recipe::{Recipe, SpelledOption};

/// Every entry's key begins with it.
pub const PREFIX: &str = "video:";
/// Name of the origin rule whose keys carry no origin.
pub const DEFAULT_ORIGIN: &str = "default";

/// What, beside path and recipe, tells two renditions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespace<'a> {
    /// Name of the origin rule; [`DEFAULT_ORIGIN`] is not shown.
    pub origin: &'a str,
    /// The request's host, only where the source lies on it.
    pub host: Option<&'a str>,
    /// The configured cache version; 0 is not shown.
    pub version: u32,
}

/// The key in Workers KV: at most [`KV_KEY_BYTES_MAX`] bytes of ASCII.
///
/// The path is canonical, so its escapes are upper-case; a colon in it becomes `%3a`, lower-case, which no
/// canonical path contains: that keeps the mapping injective. Over the limit the tail becomes the first
/// 128 bits of the whole key's SHA-256.
pub fn kv_key(namespace: Namespace<'_>, path: &SourcePath, recipe: &Recipe) -> String {
    let Namespace { origin, host, version } = namespace;
    let mut key = String::with_capacity(128);
    key.push_str(PREFIX);
    push(&mut key, path.without_slash());
    for SpelledOption { key: option, value, .. } in recipe.options() {
        key.push(':');
        value.assign(option, &mut key);
    }
    if origin != DEFAULT_ORIGIN {
        key.push_str(":o=");
        key.push_str(origin);
    }
    if let Some(host) = host {
        key.push_str(":host=");
        push(&mut key, host);
    }
    if version > 0 {
        // Writing to a `String` cannot fail.
        let _ = write!(key, ":v={version}");
    }
    if key.len() <= KV_KEY_BYTES_MAX {
        return key;
    }
    let tail = format!("~{}", digest_128(&key));
    key.truncate(KV_KEY_BYTES_MAX - tail.len());
    key.push_str(&tail);
    key
}

/// The key in the Cache API: the canonical public URL on the request's own host, so that a purge by URL
/// means something, and a foreign host never costs a DNS lookup (workers/runtime-apis/cache).
pub fn edge_url(request_origin: &str, path: &SourcePath, recipe: &Recipe, version: u32) -> String {
    let version = if version > 0 { format!("&v={version}") } else { String::new() };
    [request_origin, path.as_str(), "?", &recipe.canonical_query(), &version].concat()
}

/// 32 hex digits: the first 128 bits of a SHA-256.
pub fn digest_128(text: &str) -> String {
    let bits = Sha256::digest(text.as_bytes())
        .iter()
        .take(16)
        .fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
    format!("{bits:032x}")
}

/// A path or a host, without the colon that ends it in a key.
fn push(key: &mut String, text: &str) {
    for (index, part) in text.split(':').enumerate() {
        key.push_str(if index == 0 { "" } else { "%3a" });
        key.push_str(part);
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
