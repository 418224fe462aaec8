//! Past its lifetime: served at once and renewed behind the viewer's back, or served because all else failed.

use serde_json::{Value, json};
use video_resizer::cache::entry::Outcome;

use super::{KEY, VIDEO};
use crate::fakes::upstream::{Making, Source};
use crate::fakes::viewer::{Asking, House, Seen, get, head};
use crate::fakes::weather::{Mishap, Script};

/// A house whose only rendition has just passed its lifetime, in a data centre that has never seen it.
fn just_past(more: &Value) -> (House, Seen) {
    let house = House::new(more);
    let made = house.get(VIDEO);
    house.pass_s(86_401);
    house.elsewhere();
    (house, made)
}

#[test]
fn what_is_just_past_its_lifetime_is_served_at_once_and_renewed_behind_the_viewers_back() {
    let (house, made) = just_past(&json!({}));
    house.host.upstream.validators.set([Some("\"changed\""), None]);
    let seen = house.get(VIDEO);
    assert_eq!((seen.status, &seen.bytes), (200, &made.bytes));
    assert_eq!(seen.header("etag"), made.header("etag"));
    assert_eq!(seen.cost, ["edge-find", "kv-find"], "nobody waits for a new one");
    assert_eq!(seen.settled, ["kv-find", "probe", "transform", "probe", "kv-keep", "edge-keep"]);
    let renewed = house.get(VIDEO);
    assert_eq!(renewed.cost, ["edge-find"]);
    assert_eq!(renewed.bytes, *house.host.upstream.last_made());
    assert_ne!(renewed.bytes, made.bytes);
}

#[test]
fn headers_tell_that_it_is_past_its_lifetime() {
    let (house, made) = just_past(&json!({}));
    let seen = house.get(VIDEO);
    assert_eq!((seen.age_s(), seen.max_age_s()), (86_401, 86_400), "nobody takes it for fresh");
    assert_eq!(seen.header("last-modified"), made.header("last-modified"));
    assert_eq!(
        seen.cache(),
        "video-resizer-kv; hit; ttl=-2; detail=stale-while-revalidate, video-resizer-edge; fwd=uri-miss"
    );
    assert_eq!(seen.header("warning"), "", "it is obsolete (RFC 9111, 5.5)");

    let (house, _) = just_past(&json!({"staleWhileRevalidate": {"ok": 0}}));
    house.host.upstream.makes(Making::Status(503));
    let seen = house.get(VIDEO);
    assert!(seen.age_s() > seen.max_age_s());
    assert_eq!(
        seen.cache(),
        "video-resizer-kv; hit; ttl=-2; detail=stale-if-error, video-resizer-edge; fwd=uri-miss"
    );
    assert_eq!(seen.header("warning"), "");
}

#[test]
fn what_is_past_its_lifetime_never_goes_to_the_edge_as_it_is() {
    let (house, _) = just_past(&json!({}));
    let (_, owed) = house.answer(&get(VIDEO));
    let owed = owed.unwrap();
    assert!(owed.copies.is_none() && owed.renewal);
    assert!(!house.get(VIDEO).cache().contains("stored"));
}

#[test]
fn two_viewers_in_one_isolate_renew_it_once() {
    let (house, _) = just_past(&json!({}));
    let (_, first) = house.answer(&get(VIDEO));
    let (_, second) = house.answer(&get(VIDEO));
    assert_eq!(house.settle(&get(VIDEO), first), ["kv-find", "probe", "kv-keep", "edge-keep"]);
    assert_eq!(house.settle(&get(VIDEO), second), [""; 0], "somebody is on it");
}

#[test]
fn two_data_centres_renew_it_once_where_there_is_a_gate() {
    let (house, _) = just_past(&json!({}));
    house.host.bind_gate();
    let other = house.in_another_data_centre();
    let (_, first) = house.answer(&get(VIDEO));
    let (_, second) = other.answer(&get(VIDEO));
    let settled = house.settle(&get(VIDEO), first);
    assert_eq!(
        settled,
        [
            "kv-find",
            "gate-enter",
            "probe",
            "gate-publish",
            "kv-keep",
            "kv-keep",
            "edge-keep",
            "gate-finish"
        ]
    );
    // It finds it as good as new, and only hands it on to its own edge.
    assert_eq!(other.settle(&get(VIDEO), second), ["kv-find", "edge-keep"]);
}

#[test]
fn who_finds_another_at_it_or_just_done_leaves_it_to_them() {
    use video_resizer::cache::gate::{Question, Verdict};
    let (house, _) = just_past(&json!({}));
    let gate = house.host.bind_gate();
    let enter = Question::Enter { unusable: None };
    let Some(Verdict::Lead { token }) = gate.answer(KEY, &enter) else { panic!("no lead") };
    let seen = house.get(VIDEO);
    assert_eq!(seen.settled, ["kv-find", "gate-enter"], "nor does it wait for them");
    assert_eq!(house.host.world.bodies().open(), 0);

    // Done, but what this data centre sees of KV is still the old one.
    let old = house.in_kv(KEY);
    let now_ms = house.host.world.now_ms();
    let mut new = old.clone();
    new.fresh_until_ms = now_ms + 1_000_000;
    new.stale_until_ms = now_ms + 1_000_000;
    new.renewable_until_ms = None;
    let entry = Some(new.encode().unwrap());
    gate.answer(KEY, &Question::Finish { token, entry });
    house.pass_s(11);
    assert_eq!(house.get(VIDEO).settled, ["kv-find", "gate-enter"]);

    // What the gate tells of is the very one that has to be renewed.
    let (house, _) = just_past(&json!({}));
    let gate = house.host.bind_gate();
    let Some(Verdict::Lead { token }) = gate.answer(KEY, &enter) else { panic!("no lead") };
    let entry = Some(house.in_kv(KEY).encode().unwrap());
    gate.answer(KEY, &Question::Finish { token, entry });
    let settled = house.get(VIDEO).settled;
    assert_eq!(settled[..4], ["kv-find", "gate-enter", "gate-enter", "probe"], "{settled:?}");
}

#[test]
fn an_isolate_that_dies_before_it_has_renewed_leaves_that_to_the_next() {
    let (house, made) = just_past(&json!({}));
    house.send_and_die(&get(VIDEO));
    let next = house.get(VIDEO);
    assert_eq!(next.bytes, made.bytes);
    assert_eq!(next.settled, ["kv-find", "probe", "kv-keep", "edge-keep"]);
}

#[test]
fn a_renewal_that_fails_leaves_what_there_is_and_is_tried_again() {
    let (house, made) = just_past(&json!({}));
    house.host.upstream.validators.set([Some("\"changed\""), None]);
    for making in [Making::Status(503), Making::WrongType] {
        house.host.upstream.makes(making);
        let seen = house.get(VIDEO);
        assert_eq!(seen.bytes, made.bytes);
        assert_eq!(seen.settled, ["kv-find", "probe", "transform", "probe"], "{making:?}");
        // So long it is somebody's errand.
        house.pass_s(10);
    }
    house.host.upstream.makes(Making::Good);
    assert!(house.get(VIDEO).settled.contains(&"kv-keep"));
    assert_ne!(house.get(VIDEO).bytes, made.bytes);
}

#[test]
fn a_renewal_that_cannot_read_kv_makes_it_anew() {
    let (house, made) = just_past(&json!({}));
    let weather = [("kv-find", Mishap::None), ("kv-find", Mishap::TimedOut)];
    house.host.world.set_weather(Script::new(&weather));
    let seen = house.get(VIDEO);
    assert_eq!(seen.bytes, made.bytes);
    assert_eq!(seen.faults.len(), 1);
    assert!(seen.settled.contains(&"transform"), "{:?}", seen.settled);
}

#[test]
fn parts_conditions_and_head_are_answered_at_once_too_and_the_whole_is_renewed() {
    let (_, made) = just_past(&json!({}));
    let asked: [(Asking, u16); 5] = [
        (get(VIDEO).range("bytes=5-9"), 206),
        (get(VIDEO).range("bytes=5-9,20-29"), 206),
        (get(VIDEO).range("bytes=5000-"), 416),
        (get(VIDEO).with("if-none-match", made.header("etag")), 304),
        (head(VIDEO), 200),
    ];
    for (asking, status) in asked {
        let (house, _) = just_past(&json!({}));
        house.host.upstream.validators.set([Some("\"changed\""), None]);
        let seen = house.send(&asking);
        assert_eq!(seen.status, status, "{asking:?}");
        assert!(seen.settled.contains(&"transform"), "{asking:?}");
        let renewed = house.get(VIDEO);
        assert_eq!((renewed.cost.as_slice(), renewed.bytes.len()), (&["edge-find"][..], 1_000));
        assert_eq!(house.in_kv(KEY).length, 1_000);
    }
}

#[test]
fn who_wants_only_what_is_kept_gets_what_is_served_at_once() {
    let (house, made) = just_past(&json!({}));
    let seen = house.send(&get(VIDEO).with("cache-control", "only-if-cached"));
    assert_eq!((seen.status, &seen.bytes), (200, &made.bytes));
}

#[test]
fn the_windows_are_those_of_the_origin_and_begin_where_the_lifetime_ends() {
    let more = json!({
        "ttl": {"ok": 1_000}, "staleWhileRevalidate": {"ok": 5}, "staleIfError": {"ok": 5},
        "sources": {"fallbackToOriginal": false},
        "origins": [{
            "name": "default", "pattern": "^/(.+)$",
            "staleWhileRevalidate": {"ok": 100}, "staleIfError": {"ok": 300},
            "sources": [{"url": "https://source.example/$1"}]
        }]
    });
    for (after_s, status, detail) in [
        (999, 200, ""),
        (1_001, 200, "stale-while-revalidate"),
        (1_099, 200, "stale-while-revalidate"),
        (1_101, 200, "stale-if-error"),
        (1_299, 200, "stale-if-error"),
        (1_301, 503, ""),
    ] {
        let house = House::new(&more);
        house.get(VIDEO);
        house.pass_s(after_s);
        house.elsewhere();
        house.host.upstream.makes(Making::Status(503));
        let seen = house.get(VIDEO);
        assert_eq!(seen.status, status, "{after_s}");
        assert_eq!(seen.cache().contains("detail=stale"), !detail.is_empty(), "{}", seen.cache());
        assert!(seen.cache().contains(detail), "{after_s}: {}", seen.cache());
    }
}

#[test]
fn a_remembered_failure_has_the_windows_of_its_class() {
    let more = json!({
        "ttl": {"clientError": 60}, "staleWhileRevalidate": {"ok": 0, "clientError": 100}
    });
    let house = House::new(&more);
    house.host.upstream.makes(Making::SaysError(9404));
    assert_eq!(house.get(VIDEO).status, 404);
    house.pass_s(61);
    house.elsewhere();
    house.host.upstream.makes(Making::Good);
    let seen = house.get(VIDEO);
    assert_eq!((seen.status, seen.cost.as_slice()), (404, &["edge-find", "kv-find"][..]));
    assert!(seen.max_age_s() == 0, "nobody downstream remembers it: {}", seen.max_age_s());
    assert!(seen.settled.contains(&"transform"), "{:?}", seen.settled);
    assert_eq!(house.get(VIDEO).status, 200, "it was renewed");

    house.pass_s(86_401);
    house.elsewhere();
    assert!(house.get(VIDEO).cost.contains(&"transform"), "a 2xx has no such window here");
}

#[test]
fn a_source_that_is_gone_is_told_and_remembered_whatever_was_made_of_it() {
    for making in [Making::SaysError(9404), Making::Status(404), Making::Status(410)] {
        let house = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
        house.get(VIDEO);
        house.pass_s(90_001);
        house.host.upstream.makes(making);
        let seen = house.get(VIDEO);
        assert_eq!(seen.status, 404, "{making:?}");
        assert_eq!(seen.settled, ["kv-keep", "edge-keep"]);
        assert!(matches!(house.in_kv(KEY).outcome(), Outcome::Failure(_)));
        house.elsewhere();
        house.host.upstream.makes(Making::Good);
        assert_eq!(house.get(VIDEO).status, 404, "for its lifetime");
    }
}

#[test]
fn only_a_failure_of_the_server_is_covered_by_what_is_old() {
    for (making, is_covered) in [
        (Making::Status(503), true),
        (Making::Status(500), true),
        (Making::Status(403), true),
        (Making::SaysError(9504), true),
        (Making::SaysError(9412), true),
        (Making::Empty, true),
        (Making::Status(404), false),
        (Making::SaysError(9404), false),
        (Making::Redirect("https://elsewhere.example/"), false),
    ] {
        let house = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
        let made = house.get(VIDEO);
        house.pass_s(90_001);
        house.host.upstream.makes(making);
        let seen = house.get(VIDEO);
        assert_eq!(seen.bytes == made.bytes, is_covered, "{making:?}");
        assert_eq!(house.host.world.bodies().leaked, 0);
    }
}

#[test]
fn bodies_in_chunks_are_served_at_once_and_renewed_as_well() {
    let house = House::of_tiny_chunks(&json!({}));
    let made = house.get(VIDEO);
    house.pass_s(86_401);
    house.elsewhere();
    house.host.upstream.validators.set([Some("\"changed\""), None]);
    let seen = house.get(VIDEO);
    assert_eq!(seen.bytes, made.bytes);
    assert!(seen.cache().contains("detail=stale-while-revalidate"), "{}", seen.cache());
    assert_eq!(seen.settled[..3], ["kv-find", "probe", "transform"]);
    assert_ne!(house.in_kv(KEY).generation, made.header("etag").replace('"', ""));

    // Past that window too, and nothing better can be made.
    house.pass_s(90_001);
    house.elsewhere();
    house.host.upstream.sources_are(|_| Source::Fails);
    house.host.upstream.makes(Making::Status(503));
    let stale = house.get(VIDEO);
    assert_eq!(stale.bytes, *house.host.upstream.last_made());
    assert!(stale.cache().contains("detail=stale-if-error"), "{}", stale.cache());
    assert_eq!(stale.settled, [""; 0]);
}

#[test]
fn the_windows_are_over_when_they_are_over_however_long_kv_takes() {
    let ttl = json!({"ok": 100});
    for (more, after_s, is_served) in [
        (json!({"ttl": ttl, "staleWhileRevalidate": {"ok": 0}}), 100, false),
        (
            json!({"ttl": ttl, "staleWhileRevalidate": {"ok": 50}, "staleIfError": {"ok": 0}}),
            150,
            false,
        ),
        (json!({"ttl": ttl, "staleWhileRevalidate": {"ok": 50}}), 100, true),
    ] {
        let house = House::new(&more);
        house.get(VIDEO);
        house.elsewhere();
        let end_ms = house.in_kv(KEY).created_ms + after_s * 1_000;
        // Looking at the edge takes 10 ms, and so does KV: when it answers, that moment is past.
        house.host.world.pass_ms(end_ms - 15 - house.host.world.now_ms());
        let seen = house.get(VIDEO);
        assert_eq!(!seen.cost.contains(&"transform"), is_served, "{}", seen.cache());
    }
}

#[test]
fn a_new_one_that_breaks_off_takes_nothing_from_what_is_stale() {
    let house = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
    house.host.kv.commits_aborted.set(false);
    let made = house.get(VIDEO);
    house.pass_s(90_001);
    house.elsewhere();
    house.host.upstream.makes(Making::BreaksOff(1_000));
    assert!(!house.get(VIDEO).whole, "what was begun cannot be taken back");
    house.host.upstream.makes(Making::Status(503));
    let stale = house.get(VIDEO);
    assert_eq!((stale.status, &stale.bytes), (200, &made.bytes));
}

#[test]
fn an_extension_whose_body_stalls_takes_nothing_from_what_there_is() {
    let house = House::new(&json!({"sources": {"revalidateAfter": 1_000}}));
    house.get(VIDEO);
    house.host.kv.commits_aborted.set(false);
    let before = house.in_kv(KEY);
    house.pass_s(1_000);
    house.host.kv.breaking.borrow_mut().insert(KEY.to_owned());
    let seen = house.get(VIDEO);
    assert!(!seen.faults.is_empty());
    assert!(house.kv_keys().contains(&KEY.to_owned()), "{:?}", seen.settled);
    assert_eq!(house.in_kv(KEY), before);
}
