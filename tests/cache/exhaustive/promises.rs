//! What holds on every path, whatever happens.

use http::header;
use video_resizer::cache::entry::{Metadata, Outcome};
use video_resizer::cache::orchestrator::Served;
use video_resizer::cache::ports::Fault;
use video_resizer::cache::status::{Phase, Tier, Trace};
use video_resizer::limits::KV_METADATA_BYTES_MAX;

use super::model::{Asked, Chosen, Expected};
use crate::fakes::body::{FakeBody, Read};
use crate::fakes::host::FakeHost;
use crate::fakes::weather::Mishap;
use crate::fakes::world::Operation;

/// The part that [`Asked::Range`] asks for.
pub(super) const PART: std::ops::Range<usize> = 10..20;

/// The viewer gets what the model says, cut exactly, with headers that say so; gives back the trace.
pub(super) fn the_answer_is_right(
    asked: Asked,
    expected: &Expected,
    served: Served<FakeBody>,
) -> Trace {
    let Served { reply, trace, owed: _ } = served;
    let Read { bytes, .. } = reply.body.read();
    assert_eq!((trace.phase, reply.status), (expected.phase, expected.status));
    let header = |name| reply.headers.get(name).map(|value| value.to_str().unwrap());
    match (&expected.bytes, asked) {
        (_, Asked::Head) => {}
        (None, Asked::Get | Asked::Range) => {
            assert!(reply.status >= 400, "nothing was served with {}", reply.status);
            assert_eq!(header(header::CONTENT_TYPE), Some("application/problem+json"));
        }
        (Some(whole), Asked::Get | Asked::Range) => {
            let part = if reply.status == 206 { &whole[PART] } else { &whole[..] };
            assert_eq!(bytes, part, "other bytes than the phase says");
            if reply.status == 206 {
                let range = header(header::CONTENT_RANGE).expect("a 206 without its range");
                assert!(range.starts_with("bytes 10-19/"), "{range}");
            }
        }
    }
    let may_be_stored_downstream =
        header(header::CACHE_CONTROL).is_some_and(|value| value.contains("public"));
    let is_ours = matches!(
        trace.phase,
        Phase::EdgeHit | Phase::KvHit | Phase::Miss | Phase::Stale | Phase::StaleWhileRevalidate
    );
    assert!(is_ours || reply.status == 404 || !may_be_stored_downstream);
    trace
}

/// Each tier is asked at most once, in order, and nothing after a hit.
///
/// Only where the platform refuses a range the edge is asked again, without it.
pub(super) fn the_order_is_kept(operations: &[Operation], phase: Phase) {
    let is_again = |pair: &[Operation]| {
        let [Operation::EdgeFind { range: Some(_), .. }, Operation::EdgeFind { range: None, .. }] =
            pair
        else {
            return false;
        };
        true
    };
    let again = operations.get(..2).is_some_and(is_again) && phase != Phase::EdgeHit;
    let operations = &operations[usize::from(again)..];
    let kinds: Vec<&str> = operations.iter().map(Operation::kind).collect();
    let count = |kind| kinds.iter().filter(|it| **it == kind).count();
    let at = |kind| kinds.iter().position(|it| *it == kind);
    assert_eq!(at("edge-find"), Some(0), "the edge is asked first: {kinds:?}");
    for kind in ["edge-find", "kv-find", "transform", "probe", "original"] {
        assert!(count(kind) <= 1, "{kind} more than once: {kinds:?}");
    }
    assert_eq!(count("kv-keep") + count("edge-keep"), 0, "a write before the answer: {kinds:?}");
    assert!(at("kv-find").is_none_or(|at| at == 1), "{kinds:?}");
    assert!(at("transform").is_none_or(|at| at == 2), "made before both caches: {kinds:?}");
    assert!(at("original").is_none_or(|at| at + 1 == kinds.len()), "{kinds:?}");
    match phase {
        Phase::EdgeHit => assert_eq!(kinds, ["edge-find"]),
        Phase::KvHit | Phase::StaleWhileRevalidate => {
            assert_eq!(kinds[..2], ["edge-find", "kv-find"]);
            assert!(kinds[2..].iter().all(|kind| *kind == "fork"), "{kinds:?}");
        }
        // HEAD makes nothing, so what is stale answers it.
        Phase::Stale => assert!(count("transform") == 1 || kinds.len() == 2, "unasked: {kinds:?}"),
        Phase::HeadUnfilled => assert_eq!(kinds, ["edge-find", "kv-find", "probe"]),
        Phase::Miss | Phase::Original | Phase::Failed | Phase::NotCached => {}
        Phase::Collapsed => panic!("nothing here has a gate"),
        Phase::Limited => panic!("nothing here has a limiter"),
    }
}

/// What broke below is told to operators, tier by tier.
pub(super) fn no_fault_is_silent(chosen: &Chosen, faults: &[(Tier, Fault)]) {
    for (kind, mishap) in &chosen.mishaps {
        let tier = match *kind {
            "edge-find" | "edge-keep" | "edge-remove" | "fork" => Tier::Edge,
            "kv-find" | "kv-keep" | "kv-remove" => Tier::Kv,
            "transform" => Tier::Transform,
            "probe" => Tier::Probe,
            "original" => Tier::Original,
            other => panic!("{other}"),
        };
        let is_told = faults.iter().any(|(told, _)| *told == tier);
        assert!(*mishap == Mishap::None || is_told, "{mishap:?} of {kind} in {faults:?}");
    }
}

/// Whatever happened, what is kept is whole and says so, or was there before.
pub(super) fn what_is_kept_is_whole(host: &FakeHost, before: &Before, made: Option<&[u8]>) {
    for (url, kept) in &*host.edge.kept.borrow() {
        let metadata = host.edge.metadata(url);
        if before.edge.as_ref() != Some(&(metadata.clone(), kept.bytes.to_vec())) {
            is_whole(metadata.as_deref(), &kept.bytes, made);
        }
    }
    for kept in host.kv.kept.borrow().values() {
        if before.kv.as_ref() != Some(&(kept.metadata.clone(), kept.bytes.to_vec())) {
            is_whole(kept.metadata.as_deref(), &kept.bytes, made);
        }
    }
}

fn is_whole(metadata: Option<&str>, bytes: &[u8], made: Option<&[u8]>) {
    let text = metadata.expect("kept without metadata");
    assert!(text.len() <= KV_METADATA_BYTES_MAX);
    let metadata = Metadata::decode(text).expect("kept metadata that does not decode");
    assert!(metadata.began_ms <= metadata.created_ms);
    assert!(metadata.created_ms < metadata.fresh_until_ms);
    assert!(metadata.fresh_until_ms <= metadata.stale_until_ms);
    match metadata.outcome() {
        Outcome::Rendition => {
            assert_eq!(metadata.status, 200);
            assert_eq!(metadata.length, bytes.len() as u64);
            assert_eq!(Some(bytes), made, "kept bytes that are no rendition of this request");
        }
        Outcome::Failure(_) => {
            assert!(metadata.status >= 400);
            assert_eq!(bytes, b"", "a failure has no bytes");
        }
    }
}

/// What a tier was found to hold: metadata and bytes.
type Held = Option<(Option<String>, Vec<u8>)>;

/// What the tiers held when they were looked at.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) edge: Held,
    pub(super) kv: Held,
}

/// `Cache-Status` says `stored` exactly where a copy was owed.
pub(super) fn stored_is_said_where_it_is_owed(trace: &Trace, to_edge: bool, to_kv: bool) {
    assert_eq!(trace.edge.kept == Some(Ok(())), to_edge, "{}", trace.cache_status());
    assert_eq!(trace.kv.kept == Some(Ok(())), to_kv, "{}", trace.cache_status());
}
