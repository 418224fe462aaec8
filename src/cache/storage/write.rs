//! An entry is written: as one value where it fits, else in chunks that the manifest publishes at the end.

use futures_util::future::join;

use super::chunks::{Layout, Mark, chunk_key};
use super::expiration_ttl_s;
use super::manifest::Manifest;
use crate::cache::entry::{Chunks, Entry, Metadata, Outcome};
use crate::cache::ports::{Body, Fault, Held, KvCopy, KvStore};
use crate::config::Cache;
use crate::limits::{CHUNKS_MAX, CHUNKS_OUTLIVE_S, HEAD_BYTES_MAX, KV_TRIES_MAX};

/// Keeps an entry until it is of no use any more, and tells what is known of it then.
///
/// A length of 0 is one that nobody announced: it is found out on the way. `may_publish` is asked once,
/// before anything that a reader could find is written; refused, nothing is kept.
pub async fn keep<K: KvStore>(
    kv: &K,
    key: &str,
    entry: Entry<K::Body>,
    now_ms: u64,
    cache: &Cache,
    may_publish: impl AsyncFnOnce() -> bool,
) -> Result<Metadata, Fault> {
    let writer = Writer { kv, key, now_ms, cache };
    let Entry { mut metadata, mut body } = entry;
    let is_known = metadata.length > 0 || metadata.outcome() != Outcome::Rendition;
    if is_known && metadata.length > cache.single_bytes_max {
        if Layout::new(metadata.length, cache.chunk_bytes).is_none() {
            let bytes_max = CHUNKS_MAX * cache.chunk_bytes;
            body.discard();
            return Err(Fault::TooLarge { bytes: metadata.length, bytes_max });
        }
        let first = body.take(cache.chunk_bytes).await;
        return writer.keep_in_chunks(metadata, body, first, may_publish).await;
    }
    if is_known {
        if !may_publish().await {
            body.discard();
            return Err(Fault::Superseded);
        }
        writer.keep_single(&metadata, body).await?;
        return Ok(metadata);
    }
    let held = body.take(cache.chunk_bytes.min(cache.single_bytes_max)).await?;
    if held.length() == 0 {
        return Err(Fault::Corrupt("a body of nothing"));
    }
    metadata.length = held.length();
    if held.length() < cache.chunk_bytes.min(cache.single_bytes_max) {
        body.discard();
        if !may_publish().await {
            return Err(Fault::Superseded);
        }
        writer.keep_held(&metadata, b"", &held).await?;
        return Ok(metadata);
    }
    metadata.length = 0;
    writer.keep_in_chunks(metadata, body, Ok(held), may_publish).await
}
