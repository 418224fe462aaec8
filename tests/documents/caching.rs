//! `KV_CACHING.md`: reasons, limits, keys, metadata, and what `Cache-Status` looks like.

use std::fmt::Write;

use video_resizer::cache::entry::{Chunks, Metadata, SourceState};
use video_resizer::cache::key::{self, Namespace};
use video_resizer::cache::reason::{NotKept, Unfit};
use video_resizer::cache::status::{Attempt, Lookup, Phase, TierTrace, Trace};
use video_resizer::cache::tags;
use video_resizer::config::{BypassAction, Config};
use video_resizer::limits;
use video_resizer::request::ask::Ask;
use video_resizer::request::path::SourcePath;
use video_resizer::request::query::Query;

use crate::{hold, read};

const CACHING: &str = "KV_CACHING.md";

fn table<const N: usize>(columns: [&str; N], rows: &[[String; N]]) -> String {
    let mut text = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

#[test]
fn every_reason_not_to_keep_is_in_the_document() {
    let rows = NotKept::ALL.map(|reason| [format!("`{}`", reason.as_str()), reason.meaning()]);
    hold(CACHING, "src/cache/reason.rs, NotKept", &table(["reason", "meaning"], &rows));
}

#[test]
fn every_reason_to_refuse_a_rendition_is_in_the_document() {
    let rows = Unfit::ALL_NAMES.map(|(name, meaning)| [format!("`{name}`"), meaning.to_owned()]);
    hold(CACHING, "src/cache/reason.rs, Unfit", &table(["reason", "meaning"], &rows));
}

#[test]
fn every_limit_of_the_document_is_the_codes() {
    let row = |what: &str, limit: String| [what.to_owned(), limit];
    let bytes = |bytes: u64| format!("{bytes} bytes");
    let rows = [
        row("a key in KV", bytes(limits::KV_KEY_BYTES_MAX as u64)),
        row("one value in KV", bytes(limits::KV_VALUE_BYTES_MAX)),
        row("chunks of a body in KV", limits::CHUNKS_MAX.to_string()),
        row("a manifest", bytes(limits::MANIFEST_BYTES_MAX)),
        row("a body's beginning beside its manifest", bytes(limits::HEAD_BYTES_MAX)),
        row("metadata", bytes(limits::KV_METADATA_BYTES_MAX as u64)),
        row("a body in the Cache API", bytes(limits::EDGE_BODY_BYTES_MAX)),
        row("a body that is held to measure it", bytes(limits::SPOOL_BYTES_MAX)),
        row("the shortest life in KV", format!("{} s", limits::KV_EXPIRATION_TTL_S_MIN)),
        row("the shortest `cache.kvCacheTtl`", format!("{} s", limits::KV_CACHE_TTL_S_MIN)),
        row("the longest lifetime", format!("{} s", limits::TTL_S_MAX)),
        row("tags of an entry", limits::TAGS_MAX.to_string()),
        row("a tag", bytes(limits::TAG_BYTES_MAX as u64)),
        row("folders that become tags", limits::FOLDER_TAGS_MAX.to_string()),
        row("sources of an origin rule", limits::SOURCES_MAX.to_string()),
    ];
    hold(CACHING, "src/limits.rs", &table(["what", "at most, or at least"], &rows));
    for text in [
        format!("A key over {} bytes", limits::KV_KEY_BYTES_MAX),
        "At most 1,024 bytes of JSON".to_owned(),
        format!("KV keeps nothing for less than {} s", limits::KV_EXPIRATION_TTL_S_MIN),
        format!("from the top, at most {}", limits::FOLDER_TAGS_MAX),
        format!("at most {} tags of at most {} bytes", limits::TAGS_MAX, limits::TAG_BYTES_MAX),
        format!("tags over {} bytes", tags::SHORT_BYTES_MAX),
        format!("once every {} seconds", video_resizer::config::live::REFRESH_MS / 1_000),
        format!("at most {} MiB of it", limits::HEAD_BYTES_MAX / 1024 / 1024),
        format!("waited for {} ms", limits::FIRST_CHUNK_WAIT_MS),
        format!(
            "has done {} operations or read {} MiB",
            limits::SCRUB_OPERATIONS_MAX,
            limits::SCRUB_BYTES_MAX / 1024 / 1024
        ),
        format!(
            "not been heard of for {} s, or has had it for {} s",
            limits::LEASE_MS / 1_000,
            limits::LEASE_AGE_MS_MAX / 1_000
        ),
        format!("remembers for {} s what was made", limits::OUTCOME_MS / 1_000),
        format!("once more every {} s", limits::LEASE_BEAT_MS / 1_000),
    ] {
        assert!(read(CACHING).contains(&text), "{text}");
    }
    assert_eq!(limits::KV_METADATA_BYTES_MAX, 1_024);
    assert_eq!(limits::EXTENSION_S_MIN, 7 * 86_400, "a week");
    assert_eq!(limits::ORPHAN_MS_MIN, 3_600_000, "an hour");
    assert_eq!(limits::FILL_MS_MAX, limits::ORPHAN_MS_MIN / 2, "half of that");
    assert_eq!(limits::ALIAS_TTL_S, 120, "two minutes");
}

fn key_of(url: &str, origin: &str) -> String {
    let (path, query) = url.split_once('?').unwrap();
    let ask = Ask {
        method: http::Method::GET,
        scheme: "https".to_owned(),
        host: "videos.example.com".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: http::HeaderMap::new(),
    };
    let query = Query::parse(&ask.query).unwrap();
    let config = Config::defaults();
    let wanted = video_resizer::request::read(&ask, &query, &config.origins[0], &config).unwrap();
    let path = SourcePath::parse(&path.replace(' ', "%20")).unwrap();
    key::kv_key(Namespace { origin, host: None, version: 0 }, &path, &wanted.recipe)
}

#[test]
fn the_keys_of_the_document_are_the_keys_of_the_code() {
    let document = read(CACHING);
    let (_, rest) = document.split_once("| asked | key |\n|---|---|\n").unwrap();
    let mut last = String::new();
    let rows: Vec<_> = rest.lines().take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 5, "{rows:?}");
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let asked: Vec<_> = cells[1].split('`').collect();
        let key = key_of(asked[1], asked.get(3).unwrap_or(&"default"));
        if cells[2] == "the same" {
            assert_eq!(key, last, "{row}");
        } else {
            assert_eq!(format!("`{key}`"), cells[2], "{row}");
        }
        last = key;
    }
}

#[test]
fn every_letter_of_the_metadata_is_in_the_document() {
    let metadata = Metadata {
        version: 1,
        generation: String::new(),
        status: 0,
        content_type: "video/mp4".to_owned(),
        length: 0,
        began_ms: 0,
        heard: 1,
        created_ms: 0,
        fresh_until_ms: 0,
        renewable_until_ms: Some(0),
        validated_ms: Some(0),
        asked_ms: Some(0),
        chunks: Some(Chunks { bytes: 0, manifest_bytes: 0, head_bytes: 0 }),
        source_state: Some(SourceState {
            etag: Some(String::new()),
            last_modified: Some(String::new()),
        }),
        source_version: Some(String::new()),
        stale_until_ms: 0,
        origin: String::new(),
        path: Some(String::new()),
        options: String::new(),
        preset: Some(String::new()),
        source: 0,
        tags: Vec::new(),
        unfit: Some(String::new()),
        unfit_number: Some(0),
        location: Some(String::new()),
    };
    let written: serde_json::Value = serde_json::from_str(&metadata.encode().unwrap()).unwrap();
    let document = read(CACHING);
    let (_, rest) = document.split_once("| letter | what |\n|---|---|\n").unwrap();
    let rows = rest.lines().take_while(|line| line.starts_with('|'));
    let mut said: Vec<_> = rows
        .flat_map(|row| crate::code_spans(row.split('|').nth(1).unwrap()))
        .map(str::to_owned)
        .collect();
    let mut letters: Vec<_> = written.as_object().unwrap().keys().cloned().collect();
    said.sort();
    letters.sort();
    assert_eq!(said, letters);
}

#[test]
fn every_way_around_is_in_the_document_with_its_default_parameter() {
    let document = read(CACHING);
    let config = Config::defaults();
    for action in BypassAction::ALL {
        let mut parameters = config.bypass.parameters.iter();
        let (parameter, _) = parameters.find(|(_, does)| **does == action).unwrap();
        let mut rows = document.lines().filter(|row| row.starts_with('|'));
        let said = rows.any(|row| {
            row.starts_with(&format!("| `{}` |", action.as_str()))
                && row.ends_with(&format!("| `{parameter}` |"))
        });
        assert!(said, "{}", action.as_str());
    }
}

fn tier(lookup: Lookup, kept: Option<Result<(), NotKept>>) -> TierTrace {
    TierTrace { lookup: Some(lookup), took_ms: 0, kept }
}

/// One form: edge, KV, the transform, the end, and the sentence.
type Form = (TierTrace, TierTrace, Transform, Phase, &'static str);

/// What became of the transform.
#[derive(Clone, Copy)]
enum Transform {
    Untried,
    Silent,
    Said(u16),
}

const STORED: Option<Result<(), NotKept>> = Some(Ok(()));
const MADE: Transform = Transform::Said(200);

fn declined(why: NotKept) -> TierTrace {
    missed(Some(Err(why)))
}

fn missed(kept: Option<Result<(), NotKept>>) -> TierTrace {
    tier(Lookup::Miss, kept)
}

fn hit(ttl_s: i64) -> TierTrace {
    tier(Lookup::Hit { ttl_s }, None)
}

fn passed(why: NotKept, kept: Option<Result<(), NotKept>>) -> TierTrace {
    tier(Lookup::NotAsked(why), kept)
}

fn found_or_made() -> Vec<Form> {
    use Phase::{EdgeHit, KvHit, Miss, StaleWhileRevalidate};
    let unasked = TierTrace::default;
    let (stale, broken) = (tier(Lookup::Stale, STORED), tier(Lookup::Broken, STORED));
    vec![
        (hit(83_528), unasked(), Transform::Untried, EdgeHit, "From the Cache API."),
        (missed(STORED), hit(83_528), Transform::Untried, KvHit, "From KV; the edge gets a copy."),
        (missed(STORED), missed(STORED), MADE, Miss, "Made; both get a copy."),
        (
            missed(None),
            hit(-120),
            Transform::Untried,
            StaleWhileRevalidate,
            "From KV, past its lifetime; it is being renewed.",
        ),
        (
            missed(None),
            missed(None),
            Transform::Untried,
            Phase::Collapsed,
            "Made for another request, which this one waited for.",
        ),
        (missed(STORED), stale, MADE, Miss, "KV had one past its lifetime; made anew."),
        (missed(STORED), broken, MADE, Miss, "KV broke or was too slow; made."),
    ]
}

fn not_kept() -> Vec<Form> {
    use NotKept::{Bypass, Off, Private, TooLarge, TtlTooShort};
    use Phase::Miss;
    let private = || declined(Private);
    let (renewed, around) = (|| passed(Bypass, STORED), || passed(Bypass, Some(Err(Bypass))));
    let off = passed(Off, Some(Err(Off)));
    vec![
        (missed(STORED), declined(TooLarge), MADE, Miss, "Made, and too large for KV."),
        (missed(STORED), declined(TtlTooShort), MADE, Miss, "Made, to live under a minute."),
        (private(), private(), MADE, Miss, "Made, and the transformer said `private`."),
        (missed(STORED), off, MADE, Miss, "Made; KV is switched off."),
        (renewed(), renewed(), MADE, Miss, "`refresh`: made anew and kept."),
        (around(), around(), MADE, Miss, "`around`: made anew and not kept."),
    ]
}

fn failed() -> Vec<Form> {
    use Phase::{Failed, HeadUnfilled, Limited, NotCached, Stale};
    let remembered = || tier(Lookup::Remembered(Unfit::TransformError(9402)), None);
    let brief = || declined(NotKept::TtlTooShort);
    let missed_both = || (missed(None), missed(None));
    let forms = [
        (
            (missed(None), hit(-120)),
            Transform::Silent,
            Stale,
            "None could be made: the last good one.",
        ),
        ((missed(STORED), brief()), Transform::Said(502), Failed, "None; the edge remembers that."),
        (
            (remembered(), TierTrace::default()),
            Transform::Untried,
            Failed,
            "The edge remembers, and why.",
        ),
        ((missed(None), remembered()), Transform::Untried, Failed, "KV remembers."),
        (missed_both(), Transform::Said(503), Failed, "None could be made; not remembered."),
        (missed_both(), Transform::Silent, Failed, "The same, and no answer came."),
        (missed_both(), Transform::Untried, HeadUnfilled, "HEAD of something never made."),
        (missed_both(), Transform::Untried, NotCached, "`only-if-cached`, and nothing is kept."),
        (missed_both(), Transform::Untried, Limited, "429: too many misses of this viewer."),
    ];
    forms
        .into_iter()
        .map(|((edge, kv), transform, end, says)| (edge, kv, transform, end, says))
        .collect()
}

#[test]
fn every_form_of_cache_status_is_in_the_document() {
    let forms = found_or_made().into_iter().chain(not_kept()).chain(failed());
    let rows: Vec<_> = forms
        .map(|(edge, kv, transform, phase, meaning)| {
            let attempt = |status| vec![Attempt { source: 0, unfit: None, status, took_ms: 0 }];
            let attempts = match transform {
                Transform::Untried => Vec::new(),
                Transform::Silent => attempt(None),
                Transform::Said(status) => attempt(Some(status)),
            };
            let collapsed = phase == Phase::Collapsed;
            let trace = Trace { edge, kv, attempts, phase, collapsed, ..Trace::default() };
            [format!("`{}`", trace.cache_status()), meaning.to_owned()]
        })
        .collect();
    hold(CACHING, "src/cache/status.rs", &table(["`Cache-Status`", "what happened"], &rows));
}
