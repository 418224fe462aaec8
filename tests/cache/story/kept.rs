//! What is good and still not kept, and why: every reason has a name.

use serde_json::{Value, json};
use video_resizer::cache::reason::NotKept;
use video_resizer::limits::ERRAND_MS;

use super::VIDEO;
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{House, get};
use crate::fakes::weather::{Mishap, Script};

const MIB: usize = 1024 * 1024;

/// How each reason comes about.
fn reasons() -> Vec<(&'static str, Value, Making)> {
    let nothing = json!({});
    vec![
        ("off", json!({"cache": {"kv": false, "edge": false}}), Making::Good),
        ("bypass", json!({"bypass": {"access": "open"}}), Making::Good),
        ("private", nothing.clone(), Making::GoodBut("cache-control", "max-age=60, Private")),
        ("no-store", nothing.clone(), Making::GoodBut("cache-control", "no-store")),
        ("vary", nothing.clone(), Making::GoodBut("vary", "*")),
        ("set-cookie", nothing.clone(), Making::GoodBut("set-cookie", "a=b")),
        ("too-large", nothing.clone(), Making::BreaksOff(5_000 * MIB)),
        ("length-unknown", nothing.clone(), Making::GoodOfUnannounced(16 * MIB + 1)),
        ("ttl-too-short", json!({"ttl": {"ok": 0}}), Making::Good),
        ("fork", nothing, Making::Good),
    ]
}

#[test]
fn every_reason_is_named_in_cache_status_by_the_tiers_that_keep_nothing_and_the_viewer_gets_everything()
 {
    for (reason, document, making) in reasons() {
        let house = House::new(&document);
        house.host.upstream.makes(making);
        if reason == "fork" {
            house.host.world.set_weather(Script::new(&[("fork", Mishap::Refused)]));
        }
        let url = if reason == "bypass" { format!("{VIDEO}&bypass=1") } else { VIDEO.to_owned() };
        let seen = house.send(&get(&url).range("bytes=0-"));
        assert!(matches!(seen.status, 200 | 206), "{reason}");
        assert_eq!(seen.bytes, *house.host.upstream.last_made(), "{reason}");
        // KV needs no length beforehand.
        let in_kv = usize::from(reason == "length-unknown") * 4;
        let tiers = if in_kv == 0 { 2 } else { 1 };
        assert_eq!(seen.settled, vec!["kv-keep"; in_kv], "{reason}");
        let detail = format!("detail={reason}");
        assert_eq!(seen.cache().matches(&detail).count(), tiers, "{reason}: {}", seen.cache());
        assert_eq!(seen.cache().matches("stored").count(), 2 - tiers, "{}", seen.cache());
        assert_eq!((house.kv_keys().len(), house.edge_urls().len()), (in_kv, 0), "{reason}");
    }
}

#[test]
fn no_reason_is_left_out_of_these_stories() {
    // That another puts it there is told below.
    for reason in NotKept::ALL.into_iter().filter(|reason| *reason != NotKept::UnderWay) {
        assert!(reasons().iter().any(|(name, _, _)| *name == reason.as_str()), "{reason:?}");
    }
}

#[test]
fn what_a_transformer_says_of_its_own_lifetime_is_not_ours_to_obey() {
    let house = House::plain();
    house.host.upstream.makes(Making::GoodBut("cache-control", "public, max-age=1"));
    assert_eq!(house.get(VIDEO).settled, ["kv-keep", "edge-keep"]);
    assert_eq!(house.get(VIDEO).max_age_s(), 86_400);
}

#[test]
fn a_kv_hit_that_cannot_be_branched_is_answered_and_owes_nothing() {
    let house = House::plain();
    let miss = house.get(VIDEO);
    house.elsewhere();
    house.host.world.set_weather(Script::new(&[("fork", Mishap::Refused)]));
    let (seen, owed) = house.answer(&get(VIDEO));
    assert_eq!(seen.bytes, miss.bytes);
    assert!(owed.is_none());
    assert!(
        seen.cache().contains("video-resizer-edge; fwd=uri-miss; detail=fork"),
        "{}",
        seen.cache()
    );
    house.host.world.set_weather(Script::default());
    assert_eq!(house.get(VIDEO).settled, ["edge-keep"], "the next one can try at once");
}

#[test]
fn of_a_crowd_that_kv_answers_one_brings_it_to_the_edge_and_then_another_may() {
    for house in [House::new, House::of_tiny_chunks].map(|house| house(&json!({}))) {
        let miss = house.get(VIDEO);
        for _ in 0..2 {
            house.elsewhere();
            let (first, owed) = house.answer(&get(VIDEO));
            assert!(first.cache().ends_with("video-resizer-edge; fwd=uri-miss; stored"));
            for _ in 0..2 {
                let second = house.get(VIDEO);
                assert_eq!((&second.bytes, second.settled.len()), (&miss.bytes, 0));
                let ending = "video-resizer-edge; fwd=uri-miss; detail=under-way";
                assert!(second.cache().ends_with(ending), "{}", second.cache());
            }
            assert_eq!(house.settle(&get(VIDEO), owed), ["edge-keep"]);
        }
    }
}

#[test]
fn who_dies_on_the_way_to_the_edge_is_waited_for_a_moment_and_no_longer() {
    let house = House::plain();
    house.get(VIDEO);
    house.elsewhere();
    house.send_and_die(&get(VIDEO));
    assert_eq!(house.get(VIDEO).settled, [""; 0]);
    house.host.world.pass_ms(ERRAND_MS);
    assert_eq!(house.get(VIDEO).settled, ["edge-keep"]);
}

#[test]
fn a_copy_that_cannot_be_branched_for_both_tiers_goes_to_kv_where_the_world_finds_it() {
    let house = House::plain();
    let (_, owed) = house.answer(&get(VIDEO));
    house.host.world.set_weather(Script::new(&[("fork", Mishap::Refused)]));
    let faults = crate::fakes::run::run(video_resizer::cache::owed::settle(
        &house.host,
        &house.config.cache,
        owed.unwrap(),
    ));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!((house.kv_keys().len(), house.edge_urls().len()), (1, 0));
}
