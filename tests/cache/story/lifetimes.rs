//! How long a thing is kept, by what it is, and what is done when it is old.

use serde_json::json;
use video_resizer::cache::entry::Metadata;

use super::{EDGE_URL, KEY, VIDEO};
use crate::fakes::upstream::{Making, Source};
use crate::fakes::viewer::{House, get, head};
use crate::fakes::weather::{Mishap, Script};

/// Seconds until the tier forgets the only entry it holds.
fn kept_s(house: &House) -> (Option<u64>, Option<u64>) {
    let now_ms = house.host.world.now_ms();
    let until_s = |until_ms: u64| (until_ms - now_ms).div_ceil(1000);
    let kv = house.host.kv.kept.borrow().get(KEY).map(|kept| until_s(kept.until_ms));
    let edge = house.host.edge.kept.borrow().get(EDGE_URL).map(|kept| until_s(kept.until_ms));
    (edge, kv)
}

#[test]
fn the_class_of_the_status_chooses_the_lifetime_and_a_short_one_lives_at_the_edge_only() {
    let ttl = json!({"ok": 1000, "clientError": 60, "serverError": 10});
    for (renewed_s, stale_s, kept_in_kv_s) in
        [(0, 500, 1_500), (700, 500, 1_700), (700, 0, 1_700), (0, 0, 1_000)]
    {
        let house = House::new(&json!({
            "ttl": ttl, "staleWhileRevalidate": {"ok": renewed_s}, "staleIfError": {"ok": stale_s}
        }));
        house.get(VIDEO);
        let expected = (Some(1_000), Some(kept_in_kv_s));
        assert_eq!(kept_s(&house), expected, "KV keeps it while it may be of use");
    }

    let house = House::new(&json!({"ttl": ttl}));
    house.host.upstream.makes(Making::SaysError(9404));
    house.host.upstream.sources_are(|_| Source::Missing);
    assert_eq!(house.get(VIDEO).status, 404);
    assert_eq!(kept_s(&house), (Some(60), Some(60)));

    let house = House::new(&json!({"ttl": ttl}));
    house.host.upstream.makes(Making::WrongType);
    house.host.upstream.sources_are(|_| Source::Fails);
    let seen = house.get(VIDEO);
    assert_eq!(seen.status, 502);
    assert_eq!(kept_s(&house), (Some(9), None), "less what asking for the original took");
    assert!(seen.cache().contains("detail=ttl-too-short"), "{}", seen.cache());
}

#[test]
fn an_origin_has_lifetimes_of_its_own() {
    let house = House::new(&json!({"origins": [{
        "name": "default", "pattern": "^/(.+)$", "ttl": {"ok": 120},
        "staleWhileRevalidate": {"ok": 0}, "staleIfError": {"ok": 0},
        "sources": [{"url": "https://source.example/$1"}]
    }]}));
    let miss = house.get(VIDEO);
    assert_eq!(miss.max_age_s(), 120);
    assert_eq!(kept_s(&house), (Some(120), Some(120)));
}

#[test]
fn a_lifetime_under_a_minute_is_kept_at_the_edge_only_and_of_none_nowhere() {
    let house = House::new(&json!({"ttl": {"ok": 59}}));
    assert_eq!(house.get(VIDEO).settled, ["edge-keep"]);
    let house = House::new(&json!({"ttl": {"ok": 60}}));
    assert_eq!(house.get(VIDEO).settled, ["kv-keep", "edge-keep"]);

    let house = House::new(&json!({"ttl": {"ok": 0}}));
    let seen = house.get(VIDEO);
    assert_eq!((seen.max_age_s(), seen.settled.len()), (0, 0));
    assert_eq!(seen.cache().matches("detail=ttl-too-short").count(), 2, "{}", seen.cache());
}

#[test]
fn jitter_shortens_a_lifetime_but_never_out_of_kv() {
    let house = House::new(&json!({"cache": {"jitterPercent": 10}}));
    let lifetimes: Vec<u64> =
        (100..140).map(|width| house.get(&format!("/a.mp4?width={width}")).max_age_s()).collect();
    assert!(lifetimes.iter().all(|s| (77_760..=86_400).contains(s)), "{lifetimes:?}");
    assert!(lifetimes.iter().any(|s| *s != lifetimes[0]), "they do not expire together");

    let house = House::new(&json!({"cache": {"jitterPercent": 50}}));
    house.host.upstream.makes(Making::Status(404));
    for width in 100..120 {
        let seen = house.get(&format!("/a.mp4?width={width}"));
        assert_eq!(seen.settled, ["kv-keep", "edge-keep"], "a minute is a minute: {width}");
    }
}

#[test]
fn the_last_moment_of_a_lifetime_is_no_longer_part_of_it() {
    let house = House::new(&json!({"ttl": {"ok": 100}, "staleWhileRevalidate": {"ok": 0}}));
    house.get(VIDEO);
    let metadata = Metadata::decode(&house.host.edge.metadata(EDGE_URL).unwrap()).unwrap();
    // An operation takes 10 ms, and the clock is read after it.
    let fresh_until_ms = metadata.fresh_until_ms;
    house.host.world.pass_ms(fresh_until_ms - 11 - house.host.world.now_ms());
    assert_eq!(house.get(VIDEO).cost, ["edge-find"]);
    assert_eq!(house.host.world.now_ms(), fresh_until_ms - 1);
    assert!(house.get(VIDEO).cost.contains(&"transform"));
}

#[test]
fn what_is_old_is_served_only_when_nothing_better_can_be_made() {
    let house = House::plain();
    let old = house.get(VIDEO);
    house.pass_s(90_000);

    house.host.upstream.makes(Making::Status(503));
    let stale = house.get(VIDEO);
    assert_eq!((stale.status, &stale.bytes), (200, &old.bytes));
    assert_eq!(stale.cost, ["edge-find", "kv-find", "transform", "probe"], "it was tried");
    assert_eq!(stale.settled, [""; 0], "no memory of a failure takes the old bytes' place");
    assert!(stale.age_s() > stale.max_age_s(), "nobody downstream takes it for fresh");
    assert!(stale.cache().contains("video-resizer-kv; hit; ttl=-3601"), "{}", stale.cache());
    assert!(stale.cache().contains("detail=stale-if-error"), "{}", stale.cache());
    assert!(!stale.cache().contains("stored"), "{}", stale.cache());

    house.host.upstream.makes(Making::Good);
    let new = house.get(VIDEO);
    assert_ne!(new.bytes, old.bytes, "a better one is made as soon as it can be");
    assert_eq!(house.get(VIDEO).bytes, new.bytes);
}

#[test]
fn what_is_old_answers_ranges_and_conditions_like_anything_else() {
    let house = House::plain();
    let old = house.get(VIDEO);
    house.pass_s(90_000);
    house.host.upstream.makes(Making::WrongType);
    let part = house.send(&get(VIDEO).range("bytes=5-9"));
    assert_eq!((part.status, part.bytes.as_slice()), (206, &old.bytes[5..10]));
    let unchanged = house.send(&get(VIDEO).with("if-none-match", old.header("etag")));
    assert_eq!(unchanged.status, 304);
    let none = house.send(&get(VIDEO).range("bytes=5000-"));
    assert_eq!(none.status, 416);
}

#[test]
fn a_failure_that_would_be_remembered_does_not_bury_what_is_old() {
    let house = House::plain();
    let old = house.get(VIDEO);
    house.pass_s(90_000);
    house.host.upstream.makes(Making::WrongType);
    for _ in 0..3 {
        let seen = house.get(VIDEO);
        assert_eq!((seen.status, &seen.bytes), (200, &old.bytes));
        house.pass_s(5);
    }
}

#[test]
fn what_is_dead_is_never_served() {
    let house = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
    house.get(VIDEO);
    house.pass_s(86_400 * 2 + 1);
    house.host.upstream.makes(Making::Status(503));
    assert_eq!(house.get(VIDEO).status, 503);
}

#[test]
fn a_failure_is_remembered_for_its_lifetime_and_then_tried_again() {
    let house = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
    house.host.upstream.makes(Making::WrongType);
    assert_eq!(house.get(VIDEO).status, 502);
    house.host.upstream.makes(Making::Good);
    house.pass_s(9);
    let remembered = house.get(VIDEO);
    assert_eq!((remembered.status, remembered.cost.as_slice()), (502, &["edge-find"][..]));
    assert_eq!(remembered.cache(), "video-resizer-edge; hit; detail=content-type");
    assert_eq!(house.send(&head(VIDEO)).status, 502);
    house.pass_s(1);
    assert_eq!(house.get(VIDEO).status, 200);
}

#[test]
fn a_failure_remembered_in_kv_costs_one_read_elsewhere_and_no_transform() {
    let house = House::plain();
    house.host.upstream.makes(Making::SaysError(9404));
    let first = house.get(VIDEO);
    assert_eq!((first.status, first.max_age_s()), (404, 60));
    house.elsewhere();
    let second = house.get(VIDEO);
    assert_eq!(second.cost, ["edge-find", "kv-find"]);
    assert_eq!(second.status, 404);
    assert_eq!(second.problem("upstream_code"), 9404, "the reason survives in the metadata");
    assert_eq!(
        second.cache(),
        "video-resizer-kv; hit; detail=transform-error, video-resizer-edge; fwd=uri-miss; stored"
    );
    house.pass_s(10);
    let third = house.get(VIDEO);
    assert_eq!(third.cost, ["edge-find"], "the edge remembers it from then on");
    assert!(third.max_age_s() <= 50, "and no longer than KV: {}", third.max_age_s());
}

#[test]
fn head_of_what_is_old_makes_nothing_and_says_what_is_there() {
    let house = House::plain();
    let made = house.get(VIDEO);
    house.pass_s(90_001);
    let old = house.send(&head(VIDEO));
    assert_eq!(old.cost, ["edge-find", "kv-find"]);
    assert_eq!(old.settled, [""; 0], "nor behind anybody's back");
    assert_eq!((old.status, old.header("etag")), (200, made.header("etag")));
    assert!(old.cache().starts_with("video-resizer-kv; hit; ttl=-"), "{}", old.cache());
    assert!(!old.cache().contains("detail"), "no error made it so: {}", old.cache());
}

#[test]
fn a_write_never_makes_an_entry_younger_than_its_fill() {
    let house = House::plain();
    let (_, owed) = house.answer(&get(VIDEO));
    house.pass_s(1_000);
    crate::fakes::run::run(video_resizer::cache::owed::settle(
        &house.host,
        &house.config.cache,
        owed.unwrap(),
    ));
    let (edge, kv) = kept_s(&house);
    assert!((85_399..=85_401).contains(&edge.unwrap()), "{edge:?}");
    assert!((171_799..=171_801).contains(&kv.unwrap()), "{kv:?}");

    let (_, owed) = house.answer(&get("/clips/b.mp4?width=640"));
    house.pass_s(86_401);
    house.elsewhere();
    crate::fakes::run::run(video_resizer::cache::owed::settle(
        &house.host,
        &house.config.cache,
        owed.unwrap(),
    ));
    assert_eq!(house.edge_urls().len(), 0, "what is old before it is written is not written");
    assert_eq!(house.host.world.bodies().leaked, 0);
}

#[test]
fn a_stale_entry_that_kv_could_not_show_does_not_stop_a_new_one() {
    let house = House::plain();
    house.get(VIDEO);
    house.pass_s(90_000);
    house.host.world.set_weather(Script::new(&[("kv-find", Mishap::Corrupt)]));
    let seen = house.get(VIDEO);
    assert_eq!(seen.status, 200);
    assert_eq!(seen.bytes, *house.host.upstream.last_made());
    assert_eq!(seen.settled, ["kv-keep", "edge-keep"], "what was corrupt is overwritten");
}
