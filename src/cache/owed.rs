//! What a request owes the tiers after its answer: a value, so that the background write can be tested.

use futures_util::future::join;

use super::entry::{Entry, Outcome};
use super::ports::{Body, Fault, Host};
use super::status::Tier;
use super::{edge, storage};
use crate::limits::{KV_VALUE_BYTES_MAX, SPOOL_BYTES_MAX};

/// What could be measured fits in KV.
const _: () = assert!(SPOOL_BYTES_MAX <= KV_VALUE_BYTES_MAX);

/// A copy that is owed to one tier or to both.
#[derive(Debug)]
pub struct Owed<B> {
    /// The whole entry; its length is 0 where the transformer did not announce it.
    pub entry: Entry<B>,
    /// Where it goes.
    pub copy: Copy,
    /// Its tags, unshortened.
    pub tags: Vec<String>,
}

/// Where a copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The key in KV, where KV takes it.
    pub kv_key: Option<String>,
    /// The URL in the Cache API, where that takes it.
    pub edge_url: Option<String>,
}

/// Does what is owed. Both tiers are written side by side, from two branches of one body: neither waits
/// for the other, and a short or broken body is committed in neither.
pub async fn settle<H: Host>(host: &H, owed: Owed<H::Body>) -> Vec<(Tier, Fault)> {
    let Owed { entry, copy, tags } = owed;
    let Entry { mut metadata, mut body } = entry;
    if metadata.length == 0 && metadata.outcome() == Outcome::Rendition {
        let (whole, length) = body.measure(SPOOL_BYTES_MAX).await;
        body = whole;
        match length {
            Some(length) if length > 0 => metadata.length = length,
            Some(_) | None => {
                body.discard();
                return vec![(Tier::Transform, Fault::Corrupt("length-unknown"))];
            }
        }
    }
    let now_ms = host.now_ms();
    match (copy.kv_key, copy.edge_url) {
        (Some(key), Some(url)) => {
            let second = match body.fork() {
                Ok(second) => second,
                Err(fault) => {
                    let kept = storage::keep(host.kv(), &key, Entry { metadata, body }, now_ms);
                    return faults([(Tier::Edge, Err(fault)), (Tier::Kv, kept.await)]);
                }
            };
            let for_edge = Entry { metadata: metadata.clone(), body: second };
            let (kv, edge) = join(
                storage::keep(host.kv(), &key, Entry { metadata, body }, now_ms),
                edge::keep(host.edge(), &url, for_edge, &tags, now_ms),
            )
            .await;
            faults([(Tier::Kv, kv), (Tier::Edge, edge)])
        }
        (Some(key), None) => {
            let kept = storage::keep(host.kv(), &key, Entry { metadata, body }, now_ms).await;
            faults([(Tier::Kv, kept)])
        }
        (None, Some(url)) => {
            let entry = Entry { metadata, body };
            let kept = edge::keep(host.edge(), &url, entry, &tags, now_ms).await;
            faults([(Tier::Edge, kept)])
        }
        (None, None) => {
            body.discard();
            Vec::new()
        }
    }
}

fn faults<const N: usize>(kept: [(Tier, Result<(), Fault>); N]) -> Vec<(Tier, Fault)> {
    kept.into_iter().filter_map(|(tier, kept)| kept.err().map(|fault| (tier, fault))).collect()
}
