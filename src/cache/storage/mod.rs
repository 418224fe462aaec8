//! The KV storage service: entries in and out of Workers KV, of any size, whole and checked at both ends.
//!
//! A body that fits is one value beside its metadata. A larger one lies in [`chunks`], and its
//! [`manifest`] is written last: until then there is no entry, only chunks that nobody will ask for.

pub mod chunks;
pub mod manifest;
mod read;
pub mod scrub;
mod write;

pub use read::open;
pub use write::{extend, keep, keep_alias};

use self::chunks::Layout;
use super::entry::{Entry, Metadata};
use super::freshness::Freshness;
use super::ports::{Body, Fault, KvFound, KvStore};
use super::reason::NotKept;
use crate::config::Cache;
use crate::limits::{KV_CACHE_TTL_S_MIN, KV_EXPIRATION_TTL_S_MIN};

/// What a look-up found.
#[derive(Debug)]
pub enum Found<B> {
    /// May be served.
    Fresh(Entry<B>),
    /// May be served at once, and must be renewed.
    Renewable(Entry<B>),
    /// May be served when nothing better can be made.
    Stale(Entry<B>),
    /// Nothing that may be served.
    Nothing,
}

/// Looks up an entry. What is dead, and what this house cannot have written, is as good as absent;
/// the latter is a fault as well. `judge` is asked when KV has answered.
///
/// The body of an entry in chunks is the value at its own key: the manifest and the body's beginning.
pub async fn find<K: KvStore>(
    kv: &K,
    key: &str,
    judge: impl Fn(&mut Metadata) -> Freshness,
    cache: &Cache,
) -> Result<Found<K::Body>, Fault> {
    let found = kv.find(key, cache.kv_cache_ttl_s, cache.kv_timeout_ms).await?;
    let Some(KvFound { metadata, body }) = found else { return Ok(Found::Nothing) };
    let decoded = metadata
        .ok_or(Fault::Corrupt("an entry without metadata"))
        .and_then(|text| Metadata::decode(&text));
    let mut metadata = match decoded {
        Ok(metadata) => metadata,
        Err(fault) => {
            body.discard();
            return Err(fault);
        }
    };
    let state = judge(&mut metadata);
    let entry = Entry { metadata, body: body.stalling(cache.kv_timeout_ms) };
    Ok(match state {
        Freshness::Fresh => Found::Fresh(entry),
        Freshness::Renewable => Found::Renewable(entry),
        Freshness::Stale => Found::Stale(entry),
        Freshness::Dead => {
            entry.body.discard();
            Found::Nothing
        }
    })
}

/// Why an entry of this length and lifetime may not go to KV; `None` when it may.
pub fn declines(length: Option<u64>, lifetime_s: u64, cache: &Cache) -> Option<NotKept> {
    if lifetime_s < KV_EXPIRATION_TTL_S_MIN {
        return Some(NotKept::TtlTooShort);
    }
    let length = length.filter(|length| *length > cache.single_bytes_max)?;
    Layout::new(length, cache.chunk_bytes).is_none().then_some(NotKept::TooLarge)
}

/// A second name of a new entry, for those who have looked for the first in vain.
pub fn alias(generation: &str) -> String {
    format!("fill:{generation}")
}

/// Deletes an entry that turned out to be broken, unless another fill has replaced it meanwhile.
///
/// Its chunks are left to the scrub: somebody may be reading the good ones.
pub async fn retire<K: KvStore>(
    kv: &K,
    key: &str,
    generation: &str,
    cache: &Cache,
) -> Result<(), Fault> {
    let Some(found) = kv.find(key, KV_CACHE_TTL_S_MIN, cache.kv_timeout_ms).await? else {
        return Ok(());
    };
    found.body.discard();
    let metadata = found.metadata.and_then(|text| Metadata::decode(&text).ok());
    if metadata.is_some_and(|metadata| metadata.generation != generation) {
        return Ok(());
    }
    kv.remove(key, cache.write_timeout_ms).await
}

/// Seconds until `until_ms`, as KV takes them.
fn expiration_ttl_s(until_ms: u64, now_ms: u64) -> u64 {
    until_ms.saturating_sub(now_ms).div_ceil(1000).max(KV_EXPIRATION_TTL_S_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn cache() -> Cache {
        Cache {
            single_bytes_max: 25 * MIB,
            chunk_bytes: MIB,
            ..crate::config::Config::defaults().cache
        }
    }

    #[test]
    fn kv_takes_what_490_chunks_hold_and_a_minute_and_nothing_beyond() {
        for (length, lifetime_s, declined) in [
            (Some(1), 60, None),
            (None, 60, None),
            (Some(25 * MIB), 60, None),
            (Some(25 * MIB + 1), 60, None),
            (Some(490 * MIB), 60, None),
            (Some(490 * MIB + 1), 60, Some(NotKept::TooLarge)),
            (Some(1), 59, Some(NotKept::TtlTooShort)),
            (Some(490 * MIB + 1), 59, Some(NotKept::TtlTooShort)),
            (None, 0, Some(NotKept::TtlTooShort)),
        ] {
            assert_eq!(declines(length, lifetime_s, &cache()), declined, "{length:?} {lifetime_s}");
        }
    }

    #[test]
    fn kv_is_never_asked_to_forget_within_a_minute() {
        assert_eq!(expiration_ttl_s(1_000, 2_000), KV_EXPIRATION_TTL_S_MIN);
        assert_eq!(expiration_ttl_s(61_001, 1_000), KV_EXPIRATION_TTL_S_MIN + 1);
    }
}
