//! Ranges, on every tier and on a cold miss: a player that gets one byte wrong does not play.

use serde_json::json;

use super::{EDGE_URL, KEY, VIDEO};
use crate::fakes::edge::Slicing;
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{Asking, House, Seen, get, head};
use crate::fakes::world::Operation;

const MIB: usize = 1024 * 1024;

/// The request as answered by a cold miss, by the edge as it slices or does not, and by KV.
pub(super) fn on_every_tier(asking: impl Fn() -> Asking, check: impl Fn(&str, &Seen, &[u8])) {
    let house = House::plain();
    let miss = house.send(&asking());
    let whole = house.host.upstream.last_made().to_vec();
    check("miss", &miss, &whole);
    for slicing in [Slicing::Slices, Slicing::Ignores] {
        house.host.edge.slicing.set(slicing);
        let edge = house.send(&asking());
        // The platform's own refusal of a range does not say of what, so the entry is asked for once more.
        let was_asked_for_part =
            matches!(edge.operations[0], Operation::EdgeFind { range: Some(_), .. });
        let is_refused = was_asked_for_part && slicing == Slicing::Slices && edge.status == 416;
        let looks = if is_refused { 2 } else { 1 };
        assert_eq!(edge.cost, vec!["edge-find"; looks], "{slicing:?}");
        check("edge", &edge, &whole);
    }
    house.elsewhere();
    let kv = house.send(&asking());
    assert_eq!(kv.cost, ["edge-find", "kv-find"]);
    check("kv", &kv, &whole);
    assert_eq!(house.get(VIDEO).bytes, whole, "the whole object is kept");
    assert_eq!(house.host.upstream.made.borrow().len(), 1, "and was made once");
    for call in house.host.upstream.calls.borrow().iter() {
        assert!(call.headers.iter().all(|(name, _)| name != "range"), "a range went upstream");
    }
}

#[test]
fn a_range_is_answered_exactly_and_the_whole_object_is_kept() {
    for (range, first, last) in [
        ("bytes=0-", 0, 999),
        ("bytes=0-1", 0, 1),
        ("bytes=100-199", 100, 199),
        ("bytes=999-", 999, 999),
        ("bytes=900-5000", 900, 999),
        ("bytes=-10", 990, 999),
        ("bytes=-5000", 0, 999),
        ("bytes=0-999", 0, 999),
        ("BYTES=3-3", 3, 3),
    ] {
        on_every_tier(
            || get(VIDEO).range(range),
            |tier, seen, whole| {
                assert_eq!(seen.status, 206, "{range} on {tier}");
                assert_eq!(seen.bytes, whole[first..=last], "{range} on {tier}");
                let content_range = format!("bytes {first}-{last}/1000");
                assert_eq!(seen.header("content-range"), content_range, "{range} on {tier}");
                assert_eq!(seen.header("accept-ranges"), "bytes");
            },
        );
    }
}

#[test]
fn a_range_nobody_has_is_416_with_the_length_and_still_fills_the_caches() {
    for range in ["bytes=1000-", "bytes=5000-6000", "bytes=-0"] {
        on_every_tier(
            || get(VIDEO).range(range),
            |tier, seen, _| {
                assert_eq!(seen.status, 416, "{range} on {tier}");
                assert_eq!(seen.header("content-range"), "bytes */1000");
                assert_eq!(seen.bytes, b"");
                assert_eq!(seen.header("cache-control"), "no-store");
            },
        );
    }
}

#[test]
fn a_range_that_is_none_is_answered_whole() {
    for range in ["bytes=5-2", "items=0-1", "bytes", "bytes=a-b", ""] {
        on_every_tier(
            || get(VIDEO).range(range),
            |tier, seen, whole| {
                assert_eq!(seen.status, 200, "{range} on {tier}");
                assert_eq!(seen.bytes, whole, "{range} on {tier}");
                assert_eq!(seen.header("content-range"), "");
            },
        );
    }
}

#[test]
fn if_range_gives_the_part_only_to_who_has_the_rest_of_the_same_bytes() {
    let house = House::plain();
    let miss = house.get(VIDEO);
    let etag = miss.header("etag");
    for tier in ["edge", "kv"] {
        for (if_range, status) in [(etag, 206), ("\"other\"", 200), (&format!("W/{etag}"), 200)] {
            if tier == "kv" {
                house.elsewhere();
            }
            let seen = house.send(&get(VIDEO).range("bytes=10-19").with("if-range", if_range));
            assert_eq!(seen.status, status, "{if_range} on {tier}");
            let expected = if status == 206 { &miss.bytes[10..20] } else { &miss.bytes[..] };
            assert_eq!(seen.bytes, expected);
        }
    }
}

#[test]
fn a_range_is_not_shown_to_the_edge_beside_if_range_because_engines_do_not_look_at_it() {
    let house = House::plain();
    house.get(VIDEO);
    let seen = house.send(&get(VIDEO).range("bytes=0-9").with("if-range", "\"other\""));
    let range_shown = format!("{:?}", seen.operations);
    assert!(range_shown.contains("range: None"), "{range_shown}");
    let seen = house.send(&get(VIDEO).range("bytes=0-9"));
    assert!(format!("{:?}", seen.operations).contains("Some(\"bytes=0-9\")"));
}

#[test]
fn an_edge_that_slices_another_range_is_not_believed() {
    let house = House::plain();
    let miss = house.get(VIDEO);
    house.host.edge.slicing.set(Slicing::Misslices);
    let seen = house.send(&get(VIDEO).range("bytes=10-19"));
    assert_eq!(seen.cost, ["edge-find", "kv-find"]);
    assert_eq!(seen.bytes, miss.bytes[10..20]);
    assert!(seen.cache().contains("video-resizer-edge; fwd=miss"), "{}", seen.cache());
}

#[test]
fn head_has_no_ranges() {
    let house = House::plain();
    house.get(VIDEO);
    let seen = house.send(&head(VIDEO).range("bytes=0-1"));
    assert_eq!((seen.status, seen.header("content-length")), (200, "1000"));
}

#[test]
fn a_rendition_of_unknown_length_is_measured_for_a_range_and_kept_whole() {
    let house = House::plain();
    house.host.upstream.makes(Making::GoodWithoutLength);
    let seen = house.send(&get(VIDEO).range("bytes=0-"));
    assert_eq!(seen.status, 206);
    assert_eq!(seen.header("content-range"), "bytes 0-999/1000");
    assert_eq!(seen.settled, ["kv-keep", "edge-keep"]);
    assert_eq!(house.get(VIDEO).bytes, *house.host.upstream.last_made());
}

#[test]
fn a_rendition_of_unknown_length_is_streamed_at_once_and_measured_behind_the_viewer() {
    let house = House::plain();
    house.host.upstream.makes(Making::GoodWithoutLength);
    let (seen, owed) = house.answer(&get(VIDEO));
    assert_eq!(seen.status, 200);
    assert_eq!(seen.header("content-length"), "");
    assert_eq!(seen.header("accept-ranges"), "", "what cannot be kept is not promised");
    assert_eq!(house.host.world.bodies().held_max, 0, "nothing was held before the answer");
    let faults = crate::fakes::run::run(video_resizer::cache::owed::settle(
        &house.host,
        &house.config.cache,
        owed.unwrap(),
    ));
    assert_eq!(faults, []);
    let edge = house.get(VIDEO);
    assert_eq!(edge.header("content-length"), "1000");
    assert_eq!(edge.bytes, seen.bytes);
}

#[test]
fn a_long_rendition_of_unknown_length_is_answered_whole_and_kept_in_kv_alone_and_says_so() {
    let house = House::plain();
    house.host.upstream.makes(Making::GoodOfUnannounced(17 * MIB));
    let ranged = house.send(&get(VIDEO).range("bytes=0-1"));
    assert_eq!(ranged.status, 200, "a part of an unknown whole cannot be named");
    assert_eq!(ranged.bytes.len(), 17 * MIB);
    assert_eq!(ranged.settled, ["kv-keep"; 4], "three chunks and what publishes them");
    assert!(
        ranged.cache().ends_with("video-resizer-edge; fwd=uri-miss; detail=length-unknown"),
        "{}",
        ranged.cache()
    );
    let found = house.send(&get(VIDEO).range("bytes=-2"));
    assert_eq!(found.header("content-range"), "bytes 17825790-17825791/17825792");
    assert_eq!(found.bytes, ranged.bytes[17 * MIB - 2..], "its length is known from then on");

    let house = House::plain();
    house.host.upstream.makes(Making::GoodOfUnannounced(17 * MIB));
    let whole = house.get(VIDEO);
    assert_eq!(whole.bytes.len(), 17 * MIB);
    assert_eq!(whole.settled, ["kv-keep"; 4]);
    assert_eq!(whole.faults.len(), 1, "known only behind the viewer: {:?}", whole.faults);
    assert_eq!(house.host.world.bodies().held_max, 16 * MIB as u64, "and never more is held");
    assert_eq!((house.kv_keys().len(), house.edge_urls().len()), (4, 0));
    assert_eq!(house.get(VIDEO).bytes, whole.bytes);
}

#[test]
fn what_one_value_cannot_hold_is_kept_in_chunks() {
    let house = House::plain();
    house.host.upstream.makes(Making::GoodOf(25 * MIB + 1));
    let miss = house.send(&get(VIDEO).range("bytes=-3"));
    assert_eq!(miss.bytes.len(), 3);
    assert_eq!(miss.settled, ["kv-keep", "kv-keep", "kv-keep", "kv-keep", "kv-keep", "edge-keep"]);
    assert_eq!(miss.cache().matches("stored").count(), 2, "{}", miss.cache());
    let edge = house.get(VIDEO);
    assert_eq!((edge.bytes.len(), edge.cost.as_slice()), (25 * MIB + 1, &["edge-find"][..]));
    house.elsewhere();
    let kv = house.get(VIDEO);
    assert!(kv.bytes == edge.bytes && !kv.cost.contains(&"transform"), "{:?}", kv.cost);

    let house = House::plain();
    house.host.upstream.makes(Making::GoodOf(25 * MIB));
    assert_eq!(house.get(VIDEO).settled, ["kv-keep", "edge-keep"], "25 MiB fit exactly");
}

#[test]
fn what_the_edge_cannot_hold_goes_to_kv_alone() {
    let house = House::plain();
    house.host.upstream.makes(Making::BreaksOff(512_000_001));
    let miss = house.get(VIDEO);
    assert_eq!(miss.header("content-length"), "512000001");
    assert_eq!(
        miss.cache(),
        "video-resizer-kv; fwd=uri-miss; fwd-status=200; stored, video-resizer-edge; fwd=uri-miss; detail=too-large"
    );
    assert_eq!(house.edge_urls().len(), 0);
}

#[test]
fn what_490_chunks_cannot_hold_either_is_kept_nowhere() {
    for (length, too_large) in [(490 * 8 * MIB, 1), (490 * 8 * MIB + 1, 2)] {
        let house = House::plain();
        house.host.upstream.makes(Making::BreaksOff(length));
        let miss = house.get(VIDEO);
        assert_eq!(miss.header("content-length"), length.to_string());
        let cache = miss.cache();
        assert_eq!(cache.matches("detail=too-large").count(), too_large, "{cache}");
        assert_eq!(miss.settled, [""; 0], "the one breaks off before there is a chunk");
    }
}

#[test]
fn a_rendition_that_breaks_off_is_kept_nowhere() {
    for (making, range) in [
        (Making::BreaksOff(1_000), None),
        (Making::BreaksOff(1_000), Some("bytes=0-")),
        (Making::BreaksOffUnannounced, None),
        (Making::BreaksOffUnannounced, Some("bytes=0-1")),
    ] {
        let house = House::plain();
        house.host.upstream.makes(making);
        let asking = range.map_or(get(VIDEO), |range| get(VIDEO).range(range));
        let seen = house.send(&asking);
        assert!(!seen.whole, "the viewer's player sees it too: {making:?} {range:?}");
        assert_eq!(
            (house.kv_keys().len(), house.edge_urls().len()),
            (0, 0),
            "{making:?} {range:?}"
        );
    }
}

#[test]
fn no_bytes_at_all_are_no_rendition_even_when_only_reading_tells() {
    let house = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
    house.host.upstream.makes(Making::EmptyUnannounced);
    let seen = house.send(&get(VIDEO).range("bytes=0-"));
    assert_eq!(seen.status, 502, "not 416: there is nothing to have a range of");
    assert_eq!(seen.problem("reason"), "empty");
    house.get(VIDEO);
    assert!(!house.kv_keys().contains(&KEY.to_owned()));
    assert!(!house.edge_urls().contains(&EDGE_URL.to_owned()) || house.get(VIDEO).status == 502);
}
