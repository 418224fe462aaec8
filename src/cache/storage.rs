//! The KV storage service: entries in and out of Workers KV, whole and checked at both ends.

use super::entry::{Entry, Metadata, Outcome};
use super::freshness::{Freshness, freshness};
use super::ports::{Body, Fault, KvCopy, KvFound, KvStore};
use super::reason::NotKept;
use crate::limits::{KV_EXPIRATION_TTL_S_MIN, KV_VALUE_BYTES_MAX};

/// What a look-up found.
#[derive(Debug)]
pub enum Found<B> {
    /// May be served.
    Fresh(Entry<B>),
    /// May be served when nothing better can be made.
    Stale(Entry<B>),
    /// Nothing that may be served.
    Nothing,
}

/// Looks up an entry. What is dead, and what this house cannot have written, is as good as absent;
/// the latter is a fault as well.
pub async fn find<K: KvStore>(
    kv: &K,
    key: &str,
    now_ms: u64,
    cache_ttl_s: u64,
    budget_ms: u32,
) -> Result<Found<K::Body>, Fault> {
    let Some(KvFound { metadata, body }) = kv.find(key, cache_ttl_s, budget_ms).await? else {
        return Ok(Found::Nothing);
    };
    let decoded = metadata
        .ok_or(Fault::Corrupt("an entry without metadata"))
        .and_then(|text| Metadata::decode(&text));
    let metadata = match decoded {
        Ok(metadata) => metadata,
        Err(fault) => {
            body.discard();
            return Err(fault);
        }
    };
    let state = freshness(&metadata, now_ms);
    let entry = Entry { metadata, body };
    Ok(match (state, entry.metadata.outcome()) {
        (Freshness::Fresh, _) => Found::Fresh(entry),
        (Freshness::Stale, Outcome::Rendition) => Found::Stale(entry),
        // The memory of a failure is of no use once it is old.
        (Freshness::Stale, Outcome::Failure(_)) | (Freshness::Dead, _) => {
            entry.body.discard();
            Found::Nothing
        }
    })
}

/// Why an entry of this length and lifetime may not go to KV; `None` when it may.
pub fn declines(length: Option<u64>, lifetime_s: u64) -> Option<NotKept> {
    if lifetime_s < KV_EXPIRATION_TTL_S_MIN {
        return Some(NotKept::TtlTooShort);
    }
    length.filter(|length| *length > KV_VALUE_BYTES_MAX).map(|_| NotKept::TooLarge)
}

/// Keeps an entry until it is not even stale any more.
pub async fn keep<K: KvStore>(
    kv: &K,
    key: &str,
    entry: Entry<K::Body>,
    now_ms: u64,
) -> Result<(), Fault> {
    let Entry { metadata, body } = entry;
    let length = metadata.length;
    if length > KV_VALUE_BYTES_MAX {
        body.discard();
        return Err(Fault::TooLarge { bytes: length, bytes_max: KV_VALUE_BYTES_MAX });
    }
    let text = match metadata.encode() {
        Ok(text) => text,
        Err(fault) => {
            body.discard();
            return Err(fault);
        }
    };
    let expiration_ttl_s =
        metadata.stale_until_ms.saturating_sub(now_ms).div_ceil(1000).max(KV_EXPIRATION_TTL_S_MIN);
    let kept = kv.keep(key, KvCopy { metadata: text, expiration_ttl_s, length, body }).await;
    // Only then: any other error may hide a good entry, this one's or another filler's.
    if kept == Err(Fault::BrokenOff) {
        kv.remove(key).await?;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kv_takes_25_mib_and_a_minute_and_nothing_beyond() {
        let mib_25 = 25 * 1024 * 1024;
        for (length, lifetime_s, declined) in [
            (Some(1), 60, None),
            (None, 60, None),
            (Some(mib_25), 60, None),
            (Some(mib_25 + 1), 60, Some(NotKept::TooLarge)),
            (Some(1), 59, Some(NotKept::TtlTooShort)),
            (Some(mib_25 + 1), 59, Some(NotKept::TtlTooShort)),
            (None, 0, Some(NotKept::TtlTooShort)),
        ] {
            assert_eq!(declines(length, lifetime_s), declined, "{length:?} {lifetime_s}");
        }
    }
}
