//! What is kept gets another lifetime while its source is what it was: for how long, and where it lies.

use serde_json::json;
use video_resizer::cache::ports::Purpose;
use video_resizer::cache::status::Tier;

use super::revalidation::{CHANGED, DAY_S, calls, filled, made, made_in};
use super::{EDGE_URL, KEY, VIDEO};
use crate::fakes::viewer::{House, get};
use crate::fakes::weather::{Mishap, Script};

#[test]
fn an_unchanged_source_extends_the_entry_without_a_transform() {
    let house = filled(&json!({}));
    let before = house.get(VIDEO);
    house.pass_s(DAY_S + 1);
    house.elsewhere();
    let past = house.get(VIDEO);
    assert_eq!(past.settled, ["kv-find", "probe", "kv-keep", "edge-keep"]);
    let edge = house.get(VIDEO);
    assert_eq!(edge.cost, ["edge-find"]);
    house.elsewhere();
    let kv = house.get(VIDEO);
    for after in [edge, kv] {
        assert_eq!(after.bytes, before.bytes);
        for name in ["etag", "last-modified", "content-length", "cache-control"] {
            assert_eq!(after.header(name), before.header(name), "{name}");
        }
        assert_eq!(after.age_s(), 0, "it has just been validated (RFC 9111, 4.2.3)");
    }
    assert_eq!(made(&house), 1);
    house.pass_s(DAY_S - 10);
    assert_eq!(house.get(VIDEO).cost, ["edge-find"], "a whole lifetime from then on");
}

#[test]
fn an_unchanged_source_extends_every_kind_of_rendition_without_a_transform() {
    for mode in ["mode=frame", "mode=spritesheet", "mode=audio"] {
        let house = House::plain();
        house.host.upstream.validators.set([Some("\"first\""), None]);
        let url = format!("/clips/a.mp4?{mode}");
        assert_eq!(house.get(&url).status, 200);
        house.pass_s(DAY_S + 1);
        house.elsewhere();
        let past = house.get(&url);
        assert_eq!(past.settled, ["kv-find", "probe", "kv-keep", "edge-keep"], "{mode}");
        assert_eq!(made(&house), 1, "{mode}");
    }
}

#[test]
fn an_unchanged_source_extends_a_body_in_chunks_by_the_value_at_its_own_key_alone() {
    let house = made_in(House::of_tiny_chunks(&json!({})));
    let before = house.get(VIDEO);
    let generation = house.in_kv(KEY).generation;
    let chunks = || {
        let kept = house.host.kv.kept.borrow();
        let chunks = kept.iter().filter(|(key, _)| key.starts_with("chunk:"));
        chunks.map(|(key, kept)| (key.clone(), kept.until_ms)).collect::<Vec<_>>()
    };
    let written = chunks();
    house.pass_s(DAY_S + 1);
    house.elsewhere();
    assert_eq!(house.get(VIDEO).settled, ["kv-find", "probe", "kv-keep"]);
    assert_eq!((house.in_kv(KEY).generation, chunks()), (generation, written));
    house.elsewhere();
    let after = house.get(VIDEO);
    assert_eq!(
        (after.whole, &after.bytes, after.header("etag")),
        (true, &before.bytes, before.header("etag"))
    );
    assert_eq!(after.age_s(), 0);
    assert_eq!(after.settled, ["edge-keep"], "the next viewer brings it along");
    assert_eq!(made(&house), 1);
    assert_eq!(house.host.world.bodies().pieces, 0);
}

#[test]
fn an_unchanged_source_extends_an_entry_for_a_week_and_then_it_is_made_anew() {
    for house in [House::new, House::of_tiny_chunks].map(|house| made_in(house(&json!({})))) {
        let asked = || calls(&house, Purpose::Probe).len();
        for day in 1..=6 {
            house.pass_s(DAY_S + 1);
            house.elsewhere();
            let seen = house.get(VIDEO);
            assert!(seen.whole && made(&house) == 1, "day {day}: {:?}", seen.settled);
            assert_eq!(seen.settled[..3], ["kv-find", "probe", "kv-keep"], "day {day}");
        }
        assert_eq!(asked(), 7);
        house.pass_s(DAY_S + 1);
        house.elsewhere();
        let seen = house.get(VIDEO);
        assert_eq!(seen.settled[..4], ["kv-find", "probe", "transform", "probe"]);
        assert_eq!((seen.whole, made(&house)), (true, 2));
        let new = house.get(VIDEO);
        assert!(new.whole && new.bytes != seen.bytes);
    }
}

#[test]
fn what_lives_for_longer_than_a_week_is_extended_for_as_long_again() {
    const MONTH_S: u64 = 30 * DAY_S;
    let more = json!({"ttl": {"ok": MONTH_S}});
    for house in [House::new, House::of_tiny_chunks].map(|house| made_in(house(&more))) {
        for transforms in [1, 2] {
            house.pass_s(MONTH_S + 1);
            house.elsewhere();
            assert!(house.get(VIDEO).whole);
            assert_eq!(made(&house), transforms);
        }
    }
}

#[test]
fn an_unchanged_source_of_what_may_not_be_extended_leaves_it_the_lifetime_it_has() {
    let house =
        filled(&json!({"sources": {"revalidateAfter": DAY_S / 2}, "ttl": {"ok": 2 * DAY_S}}));
    for _ in 0..13 {
        house.pass_s(DAY_S / 2);
        house.get(VIDEO);
    }
    let validated_ms = house.in_kv(KEY).validated_ms.unwrap();
    assert!(house.host.world.now_ms() - validated_ms < 1_000, "the week is almost over");
    let until_ms = house.in_kv(KEY).fresh_until_ms;
    for _ in 0..3 {
        house.pass_s(DAY_S / 2);
        let seen = house.get(VIDEO);
        assert_eq!(seen.settled, ["kv-find", "probe", "kv-keep", "edge-keep"]);
        assert_eq!((house.in_kv(KEY).fresh_until_ms, made(&house)), (until_ms, 1));
    }
}

#[test]
fn chunks_that_would_not_live_as_long_as_is_configured_since_lead_to_a_transform() {
    let mut house = made_in(House::of_tiny_chunks(&json!({})));
    house.config = House::of_tiny_chunks(&json!({"ttl": {"ok": 10 * DAY_S}})).config;
    house.pass_s(DAY_S + 1);
    house.elsewhere();
    let seen = house.get(VIDEO);
    assert_eq!(seen.settled[..3], ["kv-find", "probe", "transform"], "{:?}", seen.settled);
    assert_eq!((seen.whole, made(&house)), (true, 2));
}

#[test]
fn a_manifest_that_is_damaged_is_not_extended() {
    let house = made_in(House::of_tiny_chunks(&json!({})));
    house.pass_s(DAY_S + 1);
    house.elsewhere();
    let mut bytes = house.host.kv.kept.borrow()[KEY].bytes.to_vec();
    bytes[10] ^= 1;
    house.host.kv.kept.borrow_mut().get_mut(KEY).unwrap().bytes = bytes.into();
    let seen = house.get(VIDEO);
    assert!(seen.settled.contains(&"transform"), "{:?}", seen.settled);
    assert!(seen.faults.iter().any(|(tier, fault)| *tier == Tier::Kv && fault.condemns()));
    assert!(house.get(VIDEO).whole);
}

#[test]
fn where_kv_has_no_part_in_it_the_edge_alone_is_extended() {
    for more in [
        json!({"cache": {"kv": false}, "sources": {"revalidateAfter": 1_000}}),
        json!({"ttl": {"ok": 59}, "sources": {"revalidateAfter": 30}}),
    ] {
        let house = filled(&more);
        let before = house.get(VIDEO);
        house.pass_s(if house.config.cache.kv { 30 } else { 1_000 });
        let seen =
            house.send(&get(VIDEO).range("bytes=0-1").with("if-none-match", before.header("etag")));
        let looks =
            if house.config.cache.kv { &["kv-find", "edge-find"][..] } else { &["edge-find"] };
        assert_eq!(seen.settled, [looks, &["probe", "edge-keep"]].concat(), "{more}");
        let after = house.get(VIDEO);
        assert_eq!((after.age_s(), &after.bytes), (0, &before.bytes), "{more}");
        assert_eq!(house.kv_keys(), [""; 0]);
        assert_eq!(made(&house), 1);
        house.host.upstream.validators.set(CHANGED);
        house.pass_s(if house.config.cache.kv { 30 } else { 1_000 });
        house.get(VIDEO);
        assert_eq!(made(&house), 2);
    }
}

#[test]
fn an_extension_that_cannot_be_written_is_a_fault_and_tried_again() {
    let house = filled(&json!({}));
    let before = house.in_kv(KEY);
    house.pass_s(DAY_S + 1);
    let weather = [("kv-keep", Mishap::Refused), ("edge-keep", Mishap::Refused)];
    house.host.world.set_weather(Script::new(&weather));
    let seen = house.get(VIDEO);
    assert_eq!(seen.faults.len(), 2, "{:?}", seen.faults);
    assert_eq!(house.in_kv(KEY), before);
    assert!(
        house.host.edge.metadata(EDGE_URL).is_some_and(|text| text.contains(&before.generation))
    );
    house.pass_s(10);
    assert!(house.get(VIDEO).settled.contains(&"kv-keep"));
    assert_eq!(made(&house), 1);
}

#[test]
fn chunks_whose_manifest_cannot_be_written_again_are_no_reason_to_pay_for_others() {
    let house = made_in(House::of_tiny_chunks(&json!({})));
    let before = house.in_kv(KEY);
    house.pass_s(DAY_S + 1);
    house.elsewhere();
    house.host.world.set_weather(Script::new(&[("kv-keep", Mishap::Refused); 2]));
    let seen = house.get(VIDEO);
    assert_eq!(seen.settled, ["kv-find", "probe", "kv-keep", "kv-keep"]);
    assert!(matches!(seen.faults[..], [(Tier::Kv, _)]), "{:?}", seen.faults);
    assert_eq!((house.in_kv(KEY), made(&house)), (before, 1));
}

#[test]
fn what_is_made_anew_after_a_change_is_never_made_of_what_was_before_it() {
    let house = filled(&json!({}));
    house.pass_s(DAY_S + 1);
    house.host.upstream.validators.set(CHANGED);
    house.get(VIDEO);
    let changed = calls(&house, Purpose::Transform).pop().unwrap().url;
    assert!(changed.contains("?v="), "{changed}");
    // Unchanged for a week; the transformer still keeps what it made of the first, by its URL.
    for _ in 0..7 {
        house.pass_s(DAY_S + 1);
        house.elsewhere();
        house.get(VIDEO);
    }
    assert_eq!(made(&house), 3);
    let anew = calls(&house, Purpose::Transform).pop().unwrap().url;
    assert!(anew.contains("?v="), "{anew}");
}

#[test]
fn chunks_that_kv_could_not_show_are_not_written_again_over_themselves() {
    let house = made_in(House::of_tiny_chunks(&json!({"sources": {"revalidateAfter": 1_000}})));
    let before = house.get(VIDEO);
    house.pass_s(1_000);
    let weather = [
        ("kv-find", Mishap::Refused),
        ("kv-keep", Mishap::None),
        ("kv-keep", Mishap::Refused),
        ("kv-keep", Mishap::Refused),
    ];
    house.host.world.set_weather(Script::new(&weather));
    let seen = house.get(VIDEO);
    assert_eq!(seen.cost, ["edge-find"]);
    house.host.world.set_weather(Script::default());
    house.elsewhere();
    let after = house.get(VIDEO);
    assert!(after.whole, "{:?}", seen.settled);
    assert_eq!((&after.bytes, made(&house)), (&before.bytes, 1), "{:?}", seen.settled);
}
