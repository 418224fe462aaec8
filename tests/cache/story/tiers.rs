//! MISS, then edge, then KV: the same bytes under the same name.

use serde_json::json;
use video_resizer::cache::entry::Metadata;

use super::{EDGE_URL, KEY, VIDEO};
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{House, Seen, get, head};
use crate::fakes::weather::{Mishap, Script};

const NOTHING: [&str; 0] = [];

#[test]
fn a_rendition_is_made_once_then_comes_from_the_edge_then_from_kv_byte_for_byte_the_same() {
    let house = House::plain();

    let miss = house.get(VIDEO);
    assert_eq!(miss.status, 200);
    assert_eq!(miss.cost, ["edge-find", "kv-find", "transform", "probe"]);
    assert_eq!(miss.settled, ["kv-keep", "edge-keep"]);
    assert_eq!(miss.bytes, *house.host.upstream.last_made());

    let edge = house.get(VIDEO);
    assert_eq!(edge.cost, ["edge-find"], "an edge hit costs one match and nothing else");
    assert_eq!(edge.settled, NOTHING, "and owes nothing");

    house.elsewhere();
    let kv = house.get(VIDEO);
    assert_eq!(kv.cost, ["edge-find", "kv-find"], "a KV hit costs one read");
    assert_eq!(kv.settled, ["edge-keep"], "and owes this data centre a copy");

    let edge_again = house.get(VIDEO);
    assert_eq!(edge_again.cost, ["edge-find"]);

    for later in [&edge, &kv, &edge_again] {
        assert_eq!(later.status, 200);
        assert_eq!(later.bytes, miss.bytes);
        for name in ["etag", "last-modified", "content-length", "content-type", "cache-control"] {
            assert_eq!(later.header(name), miss.header(name), "{name}");
        }
    }
    assert_eq!(house.host.upstream.made.borrow().len(), 1, "it was made once");
}

#[test]
fn cache_status_tells_which_tier_answered_and_what_was_stored() {
    let house = House::plain();
    assert_eq!(
        house.get(VIDEO).cache(),
        "video-resizer-kv; fwd=uri-miss; fwd-status=200; stored, video-resizer-edge; fwd=uri-miss; stored"
    );
    assert_eq!(house.get(VIDEO).cache(), "video-resizer-edge; hit; ttl=86399");
    house.elsewhere();
    assert_eq!(
        house.get(VIDEO).cache(),
        "video-resizer-kv; hit; ttl=86399, video-resizer-edge; fwd=uri-miss; stored"
    );
}

#[test]
fn server_timing_names_every_tier_that_was_asked() {
    let house = House::plain();
    assert_eq!(
        house.get(VIDEO).header("server-timing"),
        "edge;dur=10, kv;dur=10, transform;dur=20, total;dur=40"
    );
    assert_eq!(house.get(VIDEO).header("server-timing"), "edge;dur=10, total;dur=10");
}

#[test]
fn both_tiers_keep_the_rendition_under_these_names_and_say_everything_of_it() {
    let house = House::plain();
    let miss = house.get("/clips/2026/a.mp4?h=360&w=640&quality=high");
    let key = "video:clips/2026/a.mp4:w=640:h=360:f=mp4:q=high";
    let url = "https://v.example/clips/2026/a.mp4?width=640&height=360&format=mp4&quality=high";
    assert_eq!(house.kv_keys(), [key]);
    assert_eq!(house.edge_urls(), [url]);

    let kept = house.host.kv.kept.borrow();
    let in_kv = Metadata::decode(kept[key].metadata.as_deref().unwrap()).unwrap();
    let at_edge = Metadata::decode(&house.host.edge.metadata(url).unwrap()).unwrap();
    assert_eq!(in_kv, at_edge);
    assert_eq!(miss.header("etag"), format!("\"{}\"", in_kv.generation));
    assert_eq!((in_kv.status, in_kv.content_type.as_str(), in_kv.length), (200, "video/mp4", 1000));
    assert_eq!(in_kv.options, "w=640:h=360:f=mp4:q=high");
    assert_eq!(in_kv.path.as_deref(), Some("clips/2026/a.mp4"));
    let tags = [
        "asset:clips/2026/a.mp4",
        "folder:clips",
        "folder:clips/2026",
        "origin:default",
        "mode:video",
        "size:640x360",
    ];
    assert_eq!(in_kv.tags, tags);
    let headers = &house.host.edge.kept.borrow()[url].headers;
    assert_eq!(headers["cache-tag"].to_str().unwrap(), tags.join(","));
}

#[test]
fn any_spelling_of_a_request_finds_the_same_rendition() {
    let house = House::plain();
    house.get("/clips/a.mp4?width=640&height=360&time=5s&audio=false");
    for spelling in [
        "/clips/a.mp4?height=360&width=640&audio=false&time=5",
        "/clips/a.mp4?w=640&h=360&start=5000ms&mute=true",
        "/clips/%61.mp4?h=360&mute=1&w=640&time=5s&loop=true",
    ] {
        assert_eq!(house.get(spelling).cost, ["edge-find"], "{spelling}");
    }
}

#[test]
fn a_kv_hit_owes_the_edge_what_is_left_of_the_lifetime_and_not_a_new_one() {
    let house = House::plain();
    house.get(VIDEO);
    house.pass_s(86_000);
    house.elsewhere();
    assert_eq!(house.get(VIDEO).cost, ["edge-find", "kv-find"]);
    let max_age = house.host.edge.kept.borrow()[EDGE_URL].headers["cache-control"].clone();
    assert_eq!(max_age, "public, max-age=399");

    house.pass_s(4_000);
    let later = house.get(VIDEO);
    assert_eq!(later.cost, ["edge-find", "kv-find", "transform", "probe"], "it is old everywhere");
}

#[test]
fn age_only_grows_whichever_tier_answers_and_max_age_stays_what_it_was() {
    let house = House::plain();
    let mut before = house.get(VIDEO);
    assert_eq!(before.age_s(), 0);
    assert_eq!(before.header("cache-control"), "public, max-age=86400, no-transform");
    for step in 1..=6 {
        house.pass_s(1_000);
        if step % 2 == 0 {
            house.elsewhere();
        }
        let seen = house.get(VIDEO);
        assert!((1_000..=1_001).contains(&(seen.age_s() - before.age_s())), "{step}");
        assert_eq!(seen.max_age_s(), before.max_age_s());
        before = seen;
    }
    assert_eq!(house.host.upstream.made.borrow().len(), 1);
}

#[test]
fn browsers_can_be_told_a_shorter_lifetime_than_the_tiers() {
    let house = House::new(&json!({"headers": {"browserMaxAge": 300}}));
    assert_eq!(house.get(VIDEO).max_age_s(), 300);
    house.pass_s(1_000);
    let seen = house.get(VIDEO);
    assert_eq!(seen.cost, ["edge-find"]);
    assert_eq!(seen.max_age_s() - seen.age_s(), 300, "what a browser computes is what is meant");
    house.pass_s(85_300);
    let seen = house.get(VIDEO);
    assert!(seen.max_age_s() == 86_400 && seen.age_s() > 86_290, "never longer than it is fresh");
}

#[test]
fn head_of_something_never_made_costs_no_transform_and_keeps_nothing() {
    let house = House::plain();
    let seen = house.send(&head(VIDEO));
    assert_eq!(seen.status, 200);
    assert_eq!(seen.cost, ["edge-find", "kv-find", "probe"]);
    assert_eq!(seen.settled, NOTHING);
    assert_eq!(seen.header("content-type"), "video/mp4");
    assert_eq!(seen.header("accept-ranges"), "bytes");
    assert_eq!(seen.header("cache-control"), "no-store", "nobody may believe it for long");
    assert_eq!(seen.header("content-length"), "", "it is not known");
}

#[test]
fn head_of_something_kept_says_what_get_would_say() {
    let house = House::plain();
    let got = house.get(VIDEO);
    let alike = |seen: &Seen| {
        for name in ["etag", "content-length", "content-type", "last-modified", "accept-ranges"] {
            assert_eq!(seen.header(name), got.header(name), "{name}");
        }
        assert_eq!(seen.status, 200);
        assert_eq!(seen.bytes, b"");
    };
    let edge = house.send(&head(VIDEO));
    alike(&edge);
    assert_eq!(edge.cost, ["edge-find"]);

    house.elsewhere();
    let kv = house.send(&head(VIDEO));
    alike(&kv);
    assert_eq!(kv.settled, ["edge-keep"], "the bytes nobody wanted warm this data centre");
    assert_eq!(house.get(VIDEO).bytes, got.bytes);
    alike(&house.send(&head(VIDEO).range("bytes=0-1")));
}

#[test]
fn head_makes_a_rendition_only_where_the_operator_pays_for_it() {
    let house = House::new(&json!({"cache": {"fillOnHead": true}}));
    let seen = house.send(&head(VIDEO));
    assert_eq!(seen.header("content-length"), "1000");
    assert_eq!(seen.settled, ["kv-keep", "edge-keep"]);
    assert_eq!(house.get(VIDEO).cost, ["edge-find"]);
}

#[test]
fn a_tier_that_is_switched_off_is_neither_asked_nor_written() {
    let of_origin = |cache: serde_json::Value| {
        json!({"origins": [{
            "name": "default", "pattern": "^/(.+)$", "cache": cache,
            "sources": [{"url": "https://source.example/$1"}]
        }]})
    };
    for (document, cost, settled, detail) in [
        (json!({"cache": {"kv": false}}), &["edge-find"][..], &["edge-keep"][..], "kv"),
        (of_origin(json!({"kv": false})), &["edge-find"], &["edge-keep"], "kv"),
        (json!({"cache": {"edge": false}}), &["kv-find"], &["kv-keep"], "edge"),
        (of_origin(json!({"edge": false})), &["kv-find"], &["kv-keep"], "edge"),
        (json!({"cache": {"edge": false, "kv": false}}), &[], &[], "edge"),
    ] {
        let house = House::new(&document);
        let miss = house.get(VIDEO);
        assert_eq!(miss.cost, [cost, &["transform", "probe"]].concat(), "{document}");
        assert_eq!(miss.settled, settled, "{document}");
        let off = format!("video-resizer-{detail}; fwd=bypass; fwd-status=200; detail=off");
        let off = if detail == "edge" { off.replace(" fwd-status=200;", "") } else { off };
        assert!(miss.cache().contains(&off), "{}", miss.cache());

        let again = house.get(VIDEO);
        assert_eq!(again.settled, if cost.is_empty() { &[][..] } else { &NOTHING }, "{document}");
        assert_eq!(again.cost.contains(&"transform"), cost.is_empty(), "{document}");
        assert_eq!(again.bytes == miss.bytes, !cost.is_empty(), "{document}");
    }
}

#[test]
fn an_isolate_that_dies_before_it_has_written_leaves_a_miss_and_nothing_broken() {
    let house = House::plain();
    let lost = house.send_and_die(&get(VIDEO));
    assert_eq!(lost.status, 200);
    assert_eq!((house.kv_keys(), house.edge_urls()), (vec![], vec![]));
    let again = house.get(VIDEO);
    assert_eq!(again.cost, ["edge-find", "kv-find", "transform", "probe"]);
    assert_ne!(again.header("etag"), lost.header("etag"), "another fill, another name");
}

#[test]
fn a_cache_that_breaks_is_a_miss_and_the_viewer_never_knows() {
    for broken in ["edge-find", "kv-find"] {
        for mishap in [Mishap::Refused, Mishap::TimedOut] {
            let house = House::plain();
            house.host.world.set_weather(Script::new(&[(broken, mishap)]));
            let seen = house.get(VIDEO);
            assert_eq!(seen.status, 200, "{broken} {mishap:?}");
            assert!(seen.cache().contains("fwd=miss"), "{}", seen.cache());
            assert!(seen.cache().contains("detail=fault"), "{}", seen.cache());
        }
    }
}

#[test]
fn an_entry_that_this_house_cannot_have_written_is_a_fault_and_is_written_anew() {
    for metadata in [None, Some("{}"), Some("")] {
        let house = House::plain();
        house.host.edge.plant(EDGE_URL, metadata, b"not ours");
        house.host.kv.plant(KEY, metadata, b"not ours");
        let seen = house.get(VIDEO);
        assert_eq!(seen.bytes, *house.host.upstream.last_made(), "{metadata:?}");
        assert_eq!(seen.cache().matches("fwd=miss").count(), 2, "{}", seen.cache());
        assert_eq!(house.get(VIDEO).cost, ["edge-find"], "{metadata:?}");
    }
}

#[test]
fn a_write_that_fails_is_a_fault_in_the_log_and_a_miss_later() {
    let house = House::plain();
    let weather = [("kv-keep", Mishap::Refused), ("edge-keep", Mishap::Refused)];
    house.host.world.set_weather(Script::new(&weather));
    let seen = house.get(VIDEO);
    assert_eq!(seen.faults.len(), 2, "{:?}", seen.faults);
    assert_eq!(house.get(VIDEO).cost, ["edge-find", "kv-find", "transform", "probe"]);

    let weather = [("kv-keep", Mishap::LostAck), ("edge-find", Mishap::Refused)];
    let house = House::plain();
    house.host.world.set_weather(Script::new(&weather));
    house.get(VIDEO);
    house.elsewhere();
    assert_eq!(house.kv_keys(), [KEY]);
    assert_eq!(house.get(VIDEO).cost, ["edge-find", "kv-find"], "it was written all the same");
}

#[test]
fn another_cache_version_forgets_everything() {
    let mut house = House::plain();
    house.get(VIDEO);
    house.config = House::new(&json!({"cache": {"version": 7}})).config;
    assert!(house.get(VIDEO).cost.contains(&"transform"));
    assert!(house.kv_keys().contains(&format!("{KEY}:v=7")));
    assert!(house.edge_urls().contains(&format!("{EDGE_URL}&v=7")));
}

#[test]
fn who_wants_only_what_is_kept_gets_it_or_504_and_costs_nothing() {
    let house = House::plain();
    let only = || get(VIDEO).with("cache-control", "Only-If-Cached");
    let seen = house.send(&only());
    assert_eq!((seen.status, seen.problem("reason")), (504, json!("only-if-cached")));
    assert_eq!((seen.cost, seen.settled), (vec!["edge-find", "kv-find"], vec![]));

    let miss = house.get(VIDEO);
    assert_eq!(house.send(&only()).bytes, miss.bytes);
    house.elsewhere();
    assert_eq!(house.send(&only()).bytes, miss.bytes);
    house.pass_s(90_000);
    assert_eq!(house.send(&only()).status, 504, "what is old is not served unasked");
}

#[test]
fn what_the_transformer_keeps_from_us_is_kept_from_everybody_behind_us() {
    let house = House::plain();
    house.host.upstream.makes(Making::GoodBut("set-cookie", "a=b"));
    assert_eq!(house.get(VIDEO).header("cache-control"), "no-store");
}

#[test]
fn a_short_entry_that_could_not_be_removed_is_not_served_from_the_edge() {
    let house = House::plain();
    house.host.upstream.makes(Making::BreaksOff(1_000));
    house.host.world.set_weather(Script::new(&[("edge-remove", Mishap::Refused)]));
    let broken = house.get(VIDEO);
    assert_eq!(broken.settled, ["kv-keep", "kv-find", "kv-remove", "edge-keep", "edge-remove"]);
    assert_eq!((house.kv_keys().len(), house.edge_urls().len()), (0, 1));

    house.host.upstream.makes(Making::Good);
    let seen = house.get(VIDEO);
    assert!(seen.whole && seen.bytes == *house.host.upstream.last_made());
    assert!(seen.cache().contains("video-resizer-edge; fwd=miss"), "{}", seen.cache());
}
