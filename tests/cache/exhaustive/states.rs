//! The states everything can be in.

use video_resizer::cache::entry::{Metadata, VERSION, generation};

use super::model::Asked;
use crate::fakes::edge::{FakeEdge, Slicing};
use crate::fakes::kv::FakeKv;
use crate::fakes::upstream::{Making, Source};
use crate::fakes::weather::Mishap;
use crate::fakes::world::BEGINNING_MS;

/// Bytes of every rendition, kept or made.
pub(super) const BYTES: usize = 64;

/// What the Cache API holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Absent,
    /// A rendition, and how it is cut.
    Fresh(Slicing),
    Old,
    /// The memory of a failure.
    Failure,
    Corrupt,
}

/// What KV holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kv {
    Absent,
    Fresh,
    /// Past its lifetime, within the window in which it is renewed.
    Renewable,
    Stale,
    Dead,
    /// The memory of a failure.
    Failure,
    RenewableFailure,
    OldFailure,
    Corrupt,
    WithoutMetadata,
}

/// For a request without a range it is one how the edge would cut.
pub(super) const EDGE_WHOLE: &[Edge] =
    &[Edge::Absent, Edge::Fresh(Slicing::Slices), Edge::Old, Edge::Failure, Edge::Corrupt];
pub(super) const EDGE_RANGED: &[Edge] = &[
    Edge::Absent,
    Edge::Fresh(Slicing::Slices),
    Edge::Fresh(Slicing::Ignores),
    Edge::Fresh(Slicing::Misslices),
    Edge::Old,
    Edge::Failure,
    Edge::Corrupt,
];
pub(super) const KV: &[Kv] = &[
    Kv::Absent,
    Kv::Fresh,
    Kv::Renewable,
    Kv::Stale,
    Kv::Dead,
    Kv::Failure,
    Kv::RenewableFailure,
    Kv::OldFailure,
    Kv::Corrupt,
    Kv::WithoutMetadata,
];
pub(super) const MAKINGS: &[Making] = &[
    Making::Good,
    Making::GoodWithoutLength,
    Making::GoodBut("set-cookie", "a=b"),
    Making::GoodBut("cache-control", "private"),
    Making::BreaksOff(BYTES),
    Making::BreaksOffUnannounced,
    Making::SaysError(9404),
    Making::SaysError(9517),
    Making::WrongType,
    Making::Partial,
    Making::Empty,
    Making::EmptyUnannounced,
    Making::Untransformed,
    Making::Status(404),
    Making::Status(503),
];
/// Damage to what is found is a state of the tier here, and a tier that is too slow is refused by its
/// adapter like any other: neither is weather.
pub(super) const LOOK_UP: &[Mishap] = &[Mishap::None, Mishap::Refused];

/// How a source can be. To a GET one that fails is one that is missing: it tells no length and has no
/// original.
pub(super) fn sources(asked: Asked) -> &'static [Source] {
    const ALL: &[Source] =
        &[Source::Holds, Source::HoldsUnannounced, Source::Missing, Source::Fails];
    match asked {
        Asked::Get | Asked::Range => &ALL[..3],
        Asked::Head => ALL,
    }
}

/// The bytes that are at the edge when there are any; KV's are others.
pub(super) fn edge_bytes() -> Vec<u8> {
    (0..64).map(|at| b'E' ^ at).collect()
}

pub(super) fn kv_bytes() -> Vec<u8> {
    (0..64).map(|at| b'K' ^ at).collect()
}

impl Edge {
    pub(super) fn plant(self, edge: &FakeEdge, url: &str) {
        let bytes = edge_bytes();
        match self {
            Self::Absent => {}
            Self::Fresh(slicing) => {
                edge.slicing.set(slicing);
                edge.plant(url, Some(&rendition('e', 1_000, 2_000)), &bytes);
            }
            Self::Old => edge.plant(url, Some(&rendition('e', -1, 1_000)), &bytes),
            Self::Failure => {
                edge.plant(url, Some(&encoded(&failure('e', 502, "content-type", 5))), b"");
            }
            Self::Corrupt => edge.plant(url, Some("{\"v\":1,"), &bytes),
        }
    }
}

impl Kv {
    pub(super) fn plant(self, kv: &FakeKv, key: &str) {
        let bytes = kv_bytes();
        match self {
            Self::Absent => {}
            Self::Fresh => kv.plant(key, Some(&rendition('c', 1_000, 2_000)), &bytes),
            Self::Renewable => kv.plant(key, Some(&renewable(metadata('c', -1, 1_000))), &bytes),
            Self::Stale => kv.plant(key, Some(&rendition('c', -1, 1_000)), &bytes),
            Self::Dead => kv.plant(key, Some(&rendition('c', -100, -1)), &bytes),
            Self::Failure => kv.plant(key, Some(&encoded(&failure('c', 404, "status", 50))), b""),
            Self::RenewableFailure => {
                kv.plant(key, Some(&renewable(failure('c', 404, "status", -1))), b"");
            }
            Self::OldFailure => {
                kv.plant(key, Some(&encoded(&failure('c', 404, "status", -1))), b"");
            }
            Self::Corrupt => kv.plant(key, Some(&"x".repeat(2_000)), &bytes),
            Self::WithoutMetadata => kv.plant(key, None, &bytes),
        }
    }
}

/// A rendition that is fresh and stale until so many seconds after the beginning.
fn rendition(tier: char, fresh_s: i64, stale_s: i64) -> String {
    encoded(&metadata(tier, fresh_s, stale_s))
}

fn encoded(metadata: &Metadata) -> String {
    metadata.encode().unwrap()
}

/// What may be served at once for a while yet.
fn renewable(metadata: Metadata) -> String {
    encoded(&Metadata { renewable_until_ms: Some(BEGINNING_MS + 500_000), ..metadata })
}

fn failure(tier: char, status: u16, reason: &str, fresh_s: i64) -> Metadata {
    Metadata {
        status,
        content_type: String::new(),
        length: 0,
        unfit: Some(reason.to_owned()),
        unfit_number: (reason == "status").then_some(status),
        ..metadata(tier, fresh_s, fresh_s)
    }
}

pub(super) fn metadata(tier: char, fresh_s: i64, stale_s: i64) -> Metadata {
    let at = |seconds: i64| BEGINNING_MS.saturating_add_signed(seconds * 1000);
    Metadata {
        version: VERSION,
        generation: generation(u128::from(u32::from(tier))),
        status: 200,
        content_type: "video/mp4".to_owned(),
        length: BYTES as u64,
        began_ms: at(-1_000),
        heard: 0,
        created_ms: at(-999),
        fresh_until_ms: at(fresh_s),
        renewable_until_ms: None,
        validated_ms: None,
        asked_ms: None,
        chunks: None,
        source_state: None,
        source_version: None,
        stale_until_ms: at(stale_s),
        origin: "default".to_owned(),
        path: Some("clips/a.mp4".to_owned()),
        options: "w=640:h=360:f=mp4".to_owned(),
        preset: None,
        source: 0,
        tags: vec!["asset:clips/a.mp4".to_owned()],
        unfit: None,
        unfit_number: None,
        location: None,
    }
}
