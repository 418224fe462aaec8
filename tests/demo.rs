//! A tour of the caching for a newcomer: run `cargo test --test demo -- --nocapture --test-threads 1`.
//!
//! Each demo prints what a viewer asked, what came back, and the `Cache-Status` that tells why.
//! The platform is a fake in memory; everything above it is the product.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

// Not every demo uses every fake.
#[allow(dead_code)]
#[path = "cache/fakes/mod.rs"]
mod fakes;

use fakes::upstream::Making;
use fakes::viewer::{Asking, House, Seen, get, head};
use serde_json::json;

const VIDEO: &str = "/clips/a.mp4?width=640&height=360";

/// Asks, prints, and gives back what was seen.
fn show(house: &House, what: &str, asking: &Asking) -> Seen {
    let seen = house.send(asking);
    println!("  {what}");
    println!("    {} {}, {} bytes", seen.status, seen.header("content-type"), seen.bytes.len());
    println!("    Cache-Status: {}", seen.cache());
    println!("    the platform was asked: {}", listed(&seen.cost));
    if !seen.settled.is_empty() {
        println!("    and after the answer:   {}", listed(&seen.settled));
    }
    seen
}

fn listed(operations: &[&str]) -> String {
    if operations.is_empty() { "nothing".to_owned() } else { operations.join(", ") }
}

fn title(text: &str) {
    println!("\n{text}");
}

#[test]
fn demo_1_a_rendition_is_made_once_and_then_comes_from_the_edge_and_from_kv() {
    title("A rendition is made once: MISS, then the edge, then KV.");
    let house = House::plain();
    let miss = show(&house, "the first viewer in the world", &get(VIDEO));
    let edge = show(&house, "the second, through the same data centre", &get(VIDEO));
    house.elsewhere();
    let kv = show(&house, "the third, through another data centre", &get(VIDEO));
    let warm = show(&house, "the fourth, through that one too", &get(VIDEO));
    assert!([&edge, &kv, &warm].iter().all(|seen| seen.bytes == miss.bytes));
    assert_eq!(house.host.upstream.made.borrow().len(), 1);
}

#[test]
fn demo_2_a_players_first_request_is_a_range_and_costs_one_transform() {
    title("A browser plays: `bytes=0-` first, then it seeks; Safari asks for two bytes.");
    let house = House::plain();
    let first = show(&house, "Range: bytes=0-", &get(VIDEO).range("bytes=0-"));
    let seek = show(&house, "Range: bytes=600-", &get(VIDEO).range("bytes=600-"));
    let safari = show(&house, "Range: bytes=0-1", &get(VIDEO).range("bytes=0-1"));
    println!("    Content-Range: {}", safari.header("content-range"));
    assert_eq!((first.status, seek.status, safari.status), (206, 206, 206));
    assert_eq!(seek.bytes, first.bytes[600..]);
    assert_eq!(house.host.upstream.made.borrow().len(), 1);
}

#[test]
fn demo_3_when_the_transformer_fails_the_viewer_sees_the_best_there_is() {
    title("The transformer fails.");
    let house = House::plain();
    let good = show(&house, "while all is well", &get(VIDEO));
    house.pass_s(90_000);
    house.host.upstream.makes(Making::Status(503));
    let stale = show(&house, "a day later, and it is down: the old rendition", &get(VIDEO));
    assert_eq!(stale.bytes, good.bytes);
    house.host.upstream.makes(Making::SaysError(9517));
    let other = "/clips/b.mp4?width=640";
    let original = show(&house, "a rendition never made: the original instead", &get(other));
    assert_eq!(original.header("cache-control"), "no-store");
    let again = show(&house, "and the failure is remembered for a while", &get(other));
    assert_eq!(again.cost, ["edge-find", "original"]);
}

#[test]
fn demo_4_status_200_is_not_success() {
    title("What comes back under 200 is judged before it is believed.");
    let bad = [
        ("an error in a header", Making::SaysError(9401)),
        ("a page of HTML", Making::WrongType),
        ("the source, untransformed", Making::Untransformed),
        ("no bytes", Making::Empty),
    ];
    for (what, making) in bad {
        let house = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
        house.host.upstream.makes(making);
        let seen = show(&house, what, &get(VIDEO));
        println!("    {}", String::from_utf8_lossy(&seen.bytes));
        assert_eq!(seen.status, 502);
    }
}

#[test]
fn demo_5_the_operator_refreshes_and_strangers_cannot() {
    title("Ways around the caches.");
    let house = House::plain();
    show(&house, "somebody fills the caches", &get(VIDEO));
    let refresh = || get(&format!("{VIDEO}&nocache=1"));
    let stranger = show(&house, "a stranger says nocache", &refresh());
    println!("    X-Param-Warnings: {}", stranger.header("x-param-warnings"));
    let operator = show(&house, "the operator says nocache", &refresh().by_operator());
    assert_ne!(operator.header("etag"), stranger.header("etag"));
}

#[test]
fn demo_6_phones_and_desks_share_a_url_and_nothing_else() {
    title("One URL, two devices.");
    let house = House::plain();
    let bare = "/clips/a.mp4";
    let phone = get(bare).with("user-agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Mobile");
    let desk = get(bare).with("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0");
    show(&house, "a phone", &phone);
    show(&house, "a desk", &desk);
    let again = show(&house, "the phone again", &phone);
    assert_eq!(again.cost, ["edge-find"]);
    let head = show(&house, "and HEAD costs nothing either", &head("/clips/new.mp4?width=320"));
    assert_eq!(head.settled.len(), 0);
    println!("  in KV: {}", house.kv_keys().join(" and "));
    assert_eq!(house.kv_keys().len(), 2);
}
