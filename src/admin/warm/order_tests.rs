#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

struct Nowhere;

impl Secrets for Nowhere {
    fn secret(&self, _: &str) -> Option<String> {
        None
    }
}

impl Clock for Nowhere {
    fn now_ms(&self) -> u64 {
        0
    }

    async fn sleep(&self, _: u32) {}
}

fn config() -> Config {
    let document = json!({
        "origins": [
            { "name": "dark", "pattern": "^/dark/", "sources": [{ "url": "https://s.example/x" }], "cache": { "kv": false } },
            { "name": "default", "pattern": "^/(.+)$", "sources": [{ "url": "https://s.example/$1" }] }
        ],
        "presets": { "mobile": { "width": 360 }, "petit": { "width": 64, "height": 36 } },
        "passThrough": { "url": "https://s.example" },
    });
    Config::check(&document).unwrap()
}

fn ordered(document: &Value) -> Result<Order, Vec<Wrong>> {
    let ask = url::read("https://v.example/_resizer/warm", None).unwrap();
    read(&Nowhere, &ask, &config(), &document.clone().into())
}

#[track_caller]
fn urls(document: &Value) -> Vec<String> {
    ordered(document).unwrap().urls
}

#[track_caller]
fn wrong(document: &Value) -> Vec<String> {
    ordered(document).unwrap_err().into_iter().map(|Wrong { at, .. }| at).collect()
}

#[test]
fn urls_are_taken_in_their_order_and_a_path_is_on_this_host() {
    let document = json!({
        "urls": ["https://w.example/a.mp4?width=64", "/b.mp4?height=36"], "by": "release 12"
    });
    let order = ordered(&document).unwrap();
    assert_eq!(
        order.urls,
        ["https://w.example/a.mp4?width=64", "https://v.example/b.mp4?height=36"]
    );
    assert_eq!(order.by, "release 12");
}

#[test]
fn one_rendition_in_many_spellings_is_one_item() {
    let document = json!({ "urls": [
        "/a.mp4?width=64&height=36", "/a.mp4?h=36&w=64", "/%61.mp4?width=64&height=36&loop=true",
        "https://w.example/a.mp4?width=64&height=36", "/a.mp4?width=64&height=36&quality=high",
    ] });
    let expected = [
        "https://v.example/a.mp4?width=64&height=36",
        "https://v.example/a.mp4?width=64&height=36&quality=high",
    ];
    assert_eq!(urls(&document), expected, "another host is the same rendition of the same source");
}

#[test]
fn sources_and_presets_are_multiplied() {
    let document =
        json!({ "sources": ["videos/a.mp4", "/b%20c.mp4"], "presets": ["mobile", "petit"] });
    let expected = [
        "https://v.example/videos/a.mp4?derivative=mobile",
        "https://v.example/videos/a.mp4?derivative=petit",
        "https://v.example/b%20c.mp4?derivative=mobile",
        "https://v.example/b%20c.mp4?derivative=petit",
    ];
    assert_eq!(urls(&document), expected);
}

#[test]
fn without_presets_every_responsive_size_is_one() {
    let buckets = config().responsive.buckets;
    let expected: Vec<String> =
        buckets.iter().map(|it| format!("https://v.example/a.mp4?imwidth={}", it.width)).collect();
    assert!(expected.len() > 1);
    for document in
        [json!({ "sources": ["a.mp4"] }), json!({ "sources": ["a.mp4"], "presets": [] })]
    {
        assert_eq!(urls(&document), expected);
    }
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let document = json!({
        "urls": [
            "/a.mp4?width=64", "ftp://v.example/a.mp4", "/a.mp4?width=1000000", "/page.html", 7,
            "/_resizer/health", "/a.mp4?derivative=none", "/dark/a.mp4", "/_resizer/source/x"
        ],
        "by": "x".repeat(BY_CHARS_MAX + 1),
        "a/b": 1,
    });
    let expected = [
        "/a~1b", "/by", "/urls/4", "/urls/1", "/urls/2", "/urls/3", "/urls/5", "/urls/6",
        "/urls/7", "/urls/8",
    ];
    assert_eq!(wrong(&document), expected);
}

#[test]
fn a_bad_source_and_a_bad_preset_are_named_where_they_stand() {
    let document = json!({ "sources": ["a.mp4", 1], "presets": ["mobile", "none"] });
    assert_eq!(wrong(&document), ["/sources/1", "/presets/1"]);
    let document = json!({
        "sources": ["a.mp4", "page.html", "b.mp4?width=64", "c.mp4#t=1", "d e.mp4"],
        "presets": ["mobile"]
    });
    assert_eq!(wrong(&document), ["/sources/2", "/sources/3", "/sources/1", "/sources/4"]);
}

#[test]
fn one_way_to_name_renditions_is_taken_at_a_time() {
    for (document, at) in [
        (json!({}), ""),
        (json!([]), ""),
        (json!({ "presets": ["mobile"] }), ""),
        (json!({ "urls": ["/a.mp4"], "sources": ["a.mp4"] }), "/urls"),
        (json!({ "urls": ["/a.mp4"], "presets": [] }), "/urls"),
        (json!({ "urls": [] }), "/urls"),
        (json!({ "urls": "/a.mp4" }), "/urls"),
        (json!({ "sources": [] }), "/sources"),
        (json!({ "sources": ["a.mp4"], "presets": "mobile" }), "/presets"),
        (json!({ "urls": ["/a.mp4"], "by": 7 }), "/by"),
        (json!({ "urls": ["/a.mp4"], "by": "a\nb" }), "/by"),
    ] {
        assert_eq!(wrong(&document), [at], "{document}");
    }
}

#[test]
fn a_job_takes_so_many_different_renditions_and_no_more() {
    let numbered = |count: usize| -> Vec<String> {
        (0..count).map(|number| format!("/{number}.mp4?width=64")).collect()
    };
    assert_eq!(urls(&json!({ "urls": numbered(WARM_ITEMS_MAX) })).len(), WARM_ITEMS_MAX);
    assert_eq!(wrong(&json!({ "urls": numbered(WARM_ITEMS_MAX + 1) })), [""]);
    let same = vec!["/a.mp4?width=64"; WARM_NAMED_MAX];
    assert_eq!(urls(&json!({ "urls": same })).len(), 1);
    let same = vec!["/a.mp4?width=64"; WARM_NAMED_MAX + 1];
    assert_eq!(wrong(&json!({ "urls": same })), ["/urls"]);
    let sources = numbered(WARM_NAMED_MAX / 2 + 1);
    let sources: Vec<&str> = sources.iter().map(|it| it.split('?').next().unwrap()).collect();
    let document = json!({ "sources": sources, "presets": ["mobile", "petit"] });
    assert_eq!(wrong(&document), ["/sources"]);
}
