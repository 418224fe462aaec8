//! How long an entry is good: its lifetime when it is made, its state when it is found.

use super::entry::Metadata;
use crate::config::Ttl;
use crate::limits::{EXTENSION_S_MIN, KV_EXPIRATION_TTL_S_MIN, TTL_S_MAX};
use crate::purge::ledger::Standing;

/// The state of an entry at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// May be served without asking anyone.
    Fresh,
    /// May be served at once, and must be renewed.
    Renewable,
    /// May be served when nothing better can be made.
    Stale,
    /// As good as absent.
    Dead,
}

/// The state of an entry at `now_ms`. The last moment of a lifetime is no longer part of it.
pub fn freshness(metadata: &Metadata, now_ms: u64) -> Freshness {
    if now_ms < metadata.fresh_until_ms {
        Freshness::Fresh
    } else if metadata.renewable_until_ms.is_some_and(|until_ms| now_ms < until_ms) {
        Freshness::Renewable
    } else if now_ms < metadata.stale_until_ms {
        Freshness::Stale
    } else {
        Freshness::Dead
    }
}

/// The same, for an entry on which purges may bear: one that was purged is as good as absent, one that was purged
/// softly is past its lifetime from now on.
pub fn judge(metadata: &mut Metadata, standing: Standing, now_ms: u64) -> Freshness {
    match (standing, freshness(metadata, now_ms)) {
        (Standing::Soft, Freshness::Fresh | Freshness::Renewable) => {
            metadata.fresh_until_ms = metadata.fresh_until_ms.min(now_ms.max(metadata.created_ms));
            Freshness::Renewable
        }
        (Standing::Valid | Standing::Soft, state) => state,
        (Standing::Purged, _) => Freshness::Dead,
    }
}

/// Seconds an answer with this status is kept: the rule for its class, at most a year, and shortened by
/// up to `jitter_percent` so that what was made together does not expire together.
///
/// The jitter is a function of the key: the same entry has the same lifetime in every data centre.
/// A lifetime that KV takes stays one that KV takes.
pub fn lifetime_s(ttl: &Ttl, status: u16, key: &str, jitter_percent: u8) -> u64 {
    let whole = ttl.of(status).min(TTL_S_MAX);
    let spread = whole * u64::from(jitter_percent.min(100)) / 100;
    if spread == 0 {
        return whole;
    }
    (whole - spread_of(key) % (spread + 1)).max(whole.min(KV_EXPIRATION_TTL_S_MIN))
}

/// Milliseconds by which an entry that was kept for `kept_ms` when it was made may be kept for longer, as long as its
/// source is unchanged.
pub fn extension_ms(kept_ms: u64) -> u64 {
    kept_ms.max(EXTENSION_S_MIN * 1000)
}

/// FNV-1a: cheap, and fixed for ever, which `std`'s hashers are not.
fn spread_of(key: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    key.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Ttl =
        Ttl { ok_s: 86_400, redirects_s: 3_600, client_error_s: 60, server_error_s: 10 };

    fn metadata(
        fresh_until_ms: u64,
        renewable_until_ms: Option<u64>,
        stale_until_ms: u64,
    ) -> Metadata {
        Metadata {
            version: 1,
            generation: super::super::entry::generation(1),
            status: 200,
            content_type: "video/mp4".into(),
            length: 1,
            began_ms: 0,
            heard: 0,
            created_ms: 0,
            fresh_until_ms,
            renewable_until_ms,
            stale_until_ms,
            validated_ms: None,
            asked_ms: None,
            chunks: None,
            source_state: None,
            source_version: None,
            origin: String::new(),
            path: None,
            options: String::new(),
            preset: None,
            source: 0,
            tags: Vec::new(),
            unfit: None,
            unfit_number: None,
            location: None,
        }
    }

    #[test]
    fn the_last_moment_of_a_lifetime_is_no_longer_part_of_it() {
        let entry = metadata(1_000, None, 2_000);
        assert_eq!(freshness(&entry, 999), Freshness::Fresh);
        assert_eq!(freshness(&entry, 1_000), Freshness::Stale);
        assert_eq!(freshness(&entry, 1_999), Freshness::Stale);
        assert_eq!(freshness(&entry, 2_000), Freshness::Dead);
    }

    #[test]
    fn each_window_ends_by_itself_and_renewal_comes_first() {
        for (renewable_until_ms, stale_until_ms, states) in [
            (1_500, 2_000, [Freshness::Renewable, Freshness::Stale, Freshness::Dead]),
            (2_000, 1_500, [Freshness::Renewable, Freshness::Renewable, Freshness::Dead]),
            (2_000, 1_000, [Freshness::Renewable, Freshness::Renewable, Freshness::Dead]),
        ] {
            let entry = metadata(1_000, Some(renewable_until_ms), stale_until_ms);
            assert_eq!([1_000, 1_500, 2_000].map(|now_ms| freshness(&entry, now_ms)), states);
        }
    }

    #[test]
    fn the_class_of_the_status_chooses_the_lifetime() {
        for (status, seconds) in
            [(200, 86_400), (206, 86_400), (301, 3_600), (404, 60), (502, 10), (599, 10)]
        {
            assert_eq!(lifetime_s(&TTL, status, "k", 0), seconds, "{status}");
        }
    }

    #[test]
    fn jitter_only_shortens_and_is_the_same_for_the_same_key() {
        let spread: Vec<u64> =
            (0..200).map(|i| lifetime_s(&TTL, 200, &format!("key-{i}"), 10)).collect();
        assert!(spread.iter().all(|s| (77_760..=86_400).contains(s)), "{spread:?}");
        let distinct: std::collections::BTreeSet<_> = spread.iter().collect();
        assert!(distinct.len() > 150, "{} of 200 differ", distinct.len());
        assert_eq!(lifetime_s(&TTL, 200, "key-7", 10), lifetime_s(&TTL, 200, "key-7", 10));
    }

    #[test]
    fn jitter_shortens_no_lifetime_out_of_kv() {
        for (client_error_s, range) in
            [(60, 60..=60), (61, 60..=61), (100, 60..=100), (59, 30..=59)]
        {
            let ttl = Ttl { client_error_s, ..TTL };
            for key in 0..100 {
                let lifetime_s = lifetime_s(&ttl, 404, &format!("key-{key}"), 50);
                assert!(range.contains(&lifetime_s), "{client_error_s} became {lifetime_s}");
            }
        }
    }

    #[test]
    fn no_lifetime_is_longer_than_a_year() {
        let long = Ttl { ok_s: u64::MAX, ..TTL };
        assert_eq!(lifetime_s(&long, 200, "k", 0), TTL_S_MAX);
    }
}
