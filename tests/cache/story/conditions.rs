//! Conditions, on every tier: who has the bytes already is told so.

use super::VIDEO;
use crate::fakes::viewer::{Asking, House, get, head};

/// The answer of the edge, and then of KV.
fn on_both_tiers(asking: impl Fn(&str, &str) -> Asking, status: u16) {
    let house = House::plain();
    let miss = house.get(VIDEO);
    let (etag, date) = (miss.header("etag"), miss.header("last-modified"));
    house.pass_s(10);
    let edge = house.send(&asking(etag, date));
    assert_eq!((edge.status, edge.cost.as_slice()), (status, &["edge-find"][..]));
    house.elsewhere();
    let kv = house.send(&asking(etag, date));
    assert_eq!((kv.status, kv.cost.as_slice()), (status, &["edge-find", "kv-find"][..]));
    assert_eq!(kv.settled, ["edge-keep"], "bytes nobody wanted still warm the edge");
    for seen in [&edge, &kv] {
        if status == 304 {
            assert_eq!(seen.bytes, b"");
            assert_eq!(seen.header("etag"), etag, "a 304 says which bytes it means");
            assert_eq!(seen.max_age_s(), 86_400, "and for how much longer");
            assert_eq!(seen.header("content-length"), "");
        }
    }
    assert_eq!(house.get(VIDEO).bytes, miss.bytes, "what warmed the edge is whole");
}

#[test]
fn who_names_the_tag_has_it() {
    on_both_tiers(|etag, _| get(VIDEO).with("if-none-match", etag), 304);
    on_both_tiers(|etag, _| get(VIDEO).with("if-none-match", &format!("W/{etag}")), 304);
    on_both_tiers(|etag, _| get(VIDEO).with("if-none-match", &format!("\"a\", {etag}")), 304);
    on_both_tiers(|_, _| get(VIDEO).with("if-none-match", "*"), 304);
    on_both_tiers(|_, _| get(VIDEO).with("if-none-match", "\"another\""), 200);
}

#[test]
fn who_names_the_date_has_it_and_the_tag_wins_over_the_date() {
    on_both_tiers(|_, date| get(VIDEO).with("if-modified-since", date), 304);
    let old = "Mon, 01 Jan 2024 00:00:00 GMT";
    on_both_tiers(|_, _| get(VIDEO).with("if-modified-since", old), 200);
    on_both_tiers(
        |_, date| get(VIDEO).with("if-modified-since", date).with("if-none-match", "\"x\""),
        200,
    );
}

#[test]
fn a_condition_comes_before_a_range() {
    on_both_tiers(|etag, _| get(VIDEO).with("if-none-match", etag).range("bytes=0-1"), 304);
    on_both_tiers(|etag, _| get(VIDEO).with("if-match", etag).range("bytes=0-1"), 206);
    on_both_tiers(|_, _| get(VIDEO).with("if-match", "\"another\"").range("bytes=0-1"), 412);
}

#[test]
fn head_has_conditions_too() {
    on_both_tiers(|etag, _| head(VIDEO).with("if-none-match", etag), 304);
}

#[test]
fn a_condition_on_a_cold_miss_still_makes_and_keeps_the_whole() {
    let house = House::plain();
    let seen = house.send(&get(VIDEO).with("if-none-match", "*"));
    assert_eq!(seen.status, 304);
    assert_eq!(seen.settled, ["kv-keep", "edge-keep"]);
    assert_eq!(house.get(VIDEO).bytes, *house.host.upstream.last_made());

    let house = House::plain();
    let seen = house.send(&get(VIDEO).with("if-match", "\"what I once had\""));
    assert_eq!((seen.status, seen.settled.len()), (412, 2));
}
