//! The names a rendition is kept under: one recipe, one key; two recipes, two keys.
//!
//! `video:<source path>[:option=value]…`, as in `video:videos/sample.mp4:w=640:h=360:f=mp4:q=high`.

use sha2::{Digest, Sha256};

use crate::limits::KV_KEY_BYTES_MAX;
use crate::request::path::SourcePath;
use crate::request::recipe::Recipe;

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
    key.push_str(&path.without_slash().replace(':', "%3a"));
    for option in recipe.options() {
        push_option(&mut key, option.key, &option.value);
    }
    if origin != DEFAULT_ORIGIN {
        push_option(&mut key, "o", origin);
    }
    if let Some(host) = host {
        push_option(&mut key, "host", &host.replace(':', "%3a"));
    }
    if version > 0 {
        push_option(&mut key, "v", &version.to_string());
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
    let mut url = format!("{request_origin}{}?{}", path.as_str(), recipe.canonical_query());
    if version > 0 {
        url.push_str("&v=");
        url.push_str(&version.to_string());
    }
    url
}

/// 32 hex digits: the first 128 bits of a SHA-256.
pub fn digest_128(text: &str) -> String {
    let bits = Sha256::digest(text.as_bytes())
        .iter()
        .take(16)
        .fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
    format!("{bits:032x}")
}

fn push_option(key: &mut String, option: &str, value: &str) {
    key.push(':');
    key.push_str(option);
    key.push('=');
    key.push_str(value);
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
