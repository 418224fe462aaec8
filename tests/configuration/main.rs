//! Goal: a configuration is believed whole or not at all, and every row of the table has an effect.
//! Method: one base document in which every key of the table has a place; one key changed at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod errors;
mod layers;
mod reach;
mod rows;

use serde_json::{Value, json};
use video_resizer::config::{Config, ConfigError};
use video_resizer::limits;

/// A good document in which every key of the table has a place.
fn base() -> Value {
    json!({
        "origins": [{
            "name": "a",
            "pattern": "^/(?<file>.+)$",
            "sources": [
                {"url": "https://a.example/$1", "auth": {"type": "bearer", "secret": "S"}},
                {"url": "https://b.example/$1"}
            ],
            "tags": ["x"],
            "parameters": {"allow": ["width"]},
            "ladder": {"widths": [100], "heights": [100]}
        }],
        "presets": {"x": {}},
        "responsive": {
            "buckets": [{"name": "s", "width": 100}, {"name": "l", "width": 200}],
            "default": "s", "mobile": "s", "tablet": "s", "desktop": "s", "slow": "s"
        },
        "ladder": {"widths": [100], "heights": [100]},
        "signing": {"keys": {"x": "S"}},
        "bypass": {"parameters": {"x": "around"}},
        "sources": {"allow": [
            "https://x.example", "https://a.example", "https://b.example", "https://c.example", "https://d.example"
        ]},
        "tags": {"extra": ["x"]},
        "headers": {"set": {"x": "1"}},
        "cors": {"allowOrigins": ["https://x.example"]}
    })
}

/// Where a row stands in [`base`], as errors name it.
fn place(row: &str) -> String {
    row.replace("[]", "[0]").replace('*', "x")
}

/// [`base`] with another value at one place.
fn with(key: &str, value: Value) -> Value {
    let mut document = base();
    set(&mut document, key, value);
    document
}

fn set(document: &mut Value, key: &str, value: Value) {
    let mut at = document;
    for part in key.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, Some(index.trim_end_matches(']'))),
            None => (part, None),
        };
        if at.is_null() {
            *at = json!({});
        }
        at = &mut at[name];
        if let Some(index) = index {
            if at.is_null() {
                *at = json!([]);
            }
            let index: usize = index.parse().unwrap();
            let list = at.as_array_mut().unwrap();
            list.resize(list.len().max(index + 1), Value::Null);
            at = &mut list[index];
        }
    }
    *at = value;
}

fn errors(document: &Value) -> Vec<ConfigError> {
    Config::check(document).err().unwrap_or_default()
}

/// The error at a key, which must be there.
#[track_caller]
fn error_at(document: &Value, key: &str) -> ConfigError {
    let errors = errors(document);
    errors.iter().find(|error| error.key == key).unwrap_or_else(|| panic!("{errors:#?}")).clone()
}

#[test]
fn the_defaults_have_no_errors() {
    let checked = Config::check(&json!({})).unwrap();
    assert_eq!(format!("{checked:?}"), format!("{:?}", Config::defaults()));
    assert_eq!(checked.origins[0].sources[0].url, "{request-origin}/$1");
    assert_eq!(checked.lifetimes.fresh.ok_s, 86_400);
    assert_eq!(checked.limits.time_ms_max, limits::TIME_MS_MAX);
    assert_eq!(checked.limits.duration_ms_max, limits::DURATION_MS_MAX);
    assert_eq!(checked.presets.get("preview").unwrap().duration_ms, Some(5_000));
    assert_eq!(checked.responsive.buckets[checked.responsive.default].name, "480p");
}

#[test]
fn keys_that_must_agree_are_compared() {
    let auth = "origins[0].sources[0].auth";
    let two = |widths: [u16; 2], names: [&str; 2]| json!([{"name": names[0], "width": widths[0]}, {"name": names[1], "width": widths[1]}]);
    for (key, value, at) in [
        ("origins[1]", base()["origins"][0].clone(), "origins[1].name"),
        ("origins[0].sources[0].url", json!("https://a.example/$2"), "origins[0].sources[0].url"),
        (
            "origins[0].sources[0].url",
            json!("https://a.example/${nofile}"),
            "origins[0].sources[0].url",
        ),
        (auth, json!({"type": "bearer"}), "origins[0].sources[0].auth.secret"),
        (auth, json!({"secret": "S"}), "origins[0].sources[0].auth.type"),
        (auth, json!({"type": "header", "secret": "S"}), "origins[0].sources[0].auth.header"),
        (
            auth,
            json!({"type": "basic", "secret": "S", "header": "x"}),
            "origins[0].sources[0].auth.header",
        ),
        ("responsive.buckets", two([100, 100], ["s", "l"]), "responsive.buckets[1].width"),
        ("responsive.buckets", two([200, 100], ["s", "l"]), "responsive.buckets[1].width"),
        ("responsive.buckets", two([100, 200], ["s", "s"]), "responsive.buckets[1].name"),
        ("responsive.default", json!("huge"), "responsive.default"),
        ("ladder.widths", json!([200, 100]), "ladder.widths[1]"),
        ("ladder.heights", json!([100, 100]), "ladder.heights[1]"),
        ("origins[0].ladder.widths", json!([100, 300, 200]), "origins[0].ladder.widths[2]"),
        ("signing", json!({"requireExpiry": false, "expiresMax": 60}), "signing.expiresMax"),
        ("bypass.parameters.sig", json!("around"), "bypass.parameters.sig"),
        ("responsive.mobile", json!("huge"), "responsive.mobile"),
        ("responsive.tablet", json!("huge"), "responsive.tablet"),
        ("responsive.desktop", json!("huge"), "responsive.desktop"),
        ("responsive.slow", json!("huge"), "responsive.slow"),
        ("quality", json!({"low": 800}), "quality.medium"),
        ("quality", json!({"medium": 1_200}), "quality.high"),
        ("presets.x", json!({"format": "jpg"}), "presets.x.format"),
        ("presets.x", json!({"imageCount": 5}), "presets.x.imageCount"),
        ("presets.x", json!({"mode": "frame", "duration": 5}), "presets.x.duration"),
        ("presets.x", json!({"mode": "frame", "audio": true}), "presets.x.audio"),
        ("presets.x", json!({"mode": "frame", "imageCount": 5}), "presets.x.imageCount"),
        ("presets.x", json!({"mode": "frame", "format": "mp4"}), "presets.x.format"),
        ("presets.x", json!({"mode": "spritesheet", "format": "png"}), "presets.x.format"),
        ("presets.x", json!({"mode": "spritesheet", "audio": false}), "presets.x.audio"),
        ("presets.x", json!({"mode": "audio", "width": 100}), "presets.x.width"),
        ("presets.x", json!({"mode": "audio", "height": 100}), "presets.x.height"),
        ("presets.x", json!({"mode": "audio", "fit": "cover"}), "presets.x.fit"),
        ("presets.x", json!({"mode": "audio", "quality": "low"}), "presets.x.quality"),
        ("presets.x", json!({"mode": "audio", "audio": false}), "presets.x.audio"),
        ("presets.x", json!({"mode": "audio", "format": "mp4"}), "presets.x.format"),
        ("cors.allowOrigins", json!(["*", "https://a.example"]), "cors.allowOrigins"),
        ("headers.set", json!({"Content-Length": "1"}), "headers.set.Content-Length"),
        ("headers.set", json!({"X-A": "1", "x-a": "2"}), "headers.set.x-a"),
    ] {
        error_at(&with(key, value), at);
    }
}

#[test]
fn one_mistake_is_one_error() {
    for (key, value) in [
        ("origins[0].pattern", json!("(")),
        ("responsive.buckets", json!([{"name": "s", "width": 1}])),
        ("responsive.buckets", json!("x")),
        ("presets.x", json!({"mode": "films", "format": "jpg"})),
        ("origins[0].sources[0].auth.type", json!("oauth")),
        ("quality", json!({"low": 0})),
    ] {
        let errors = errors(&with(key, value));
        assert_eq!(errors.len(), 1, "{errors:#?}");
    }
}

#[test]
fn an_origin_that_asks_for_signatures_wants_a_key_that_can_make_them() {
    for (access, wants_key) in
        [("open", false), ("presets", false), ("signed", true), ("signed-or-preset", true)]
    {
        let mut document = with("origins[0].access", json!(access));
        assert_eq!(errors(&document), []);
        set(&mut document, "signing", json!({}));
        let keys: Vec<_> = errors(&document).into_iter().map(|error| error.key).collect();
        assert_eq!(keys.contains(&"signing.keys".to_owned()), wants_key, "{access}: {keys:?}");
    }
    let leaked = with("signing.keys.x", json!("the key itself, not its name"));
    let error = error_at(&leaked, "signing.keys.x").to_string();
    assert!(!error.contains("the key itself"), "{error}");
}

#[test]
fn sources_are_tried_by_priority_then_as_written() {
    let source = |path: &str, priority: u32| json!({"url": format!("https://a.example/{path}"), "priority": priority});
    let list = json!([source("c", 2), source("a", 1), source("d", 2), source("b", 1)]);
    let config = Config::check(&with("origins[0].sources", list)).unwrap();
    let urls: Vec<_> = config.origins[0].sources.iter().map(|s| s.url.as_str()).collect();
    assert_eq!(urls, ["a", "b", "c", "d"].map(|path| format!("https://a.example/{path}")));
}

#[test]
fn an_origin_inherits_what_it_leaves_out() {
    let mut document = with("origins[0].ttl.ok", json!(7));
    set(&mut document, "ttl.clientError", json!(9));
    set(&mut document, "cache.kv", json!(false));
    set(&mut document, "origins[0].cache.kv", json!(true));
    let origin = Config::check(&document).unwrap().origins.remove(0);
    assert_eq!(
        {
            let fresh = origin.lifetimes.fresh;
            (fresh.ok_s, fresh.client_error_s, fresh.redirects_s)
        },
        (7, 9, 3_600)
    );
    set(&mut document, "limits.durationMax", json!("30s"));
    set(&mut document, "limits.heightMax", json!(700));
    set(&mut document, "origins[0].limits.heightMax", json!(900));
    set(&mut document, "ladder.widths", json!([320, 640]));
    set(&mut document, "ladder.timeStep", json!("2s"));
    set(&mut document, "origins[0].ladder", json!({"heights": [180, 1_000, 1_200]}));
    let origin = Config::check(&document).unwrap().origins.remove(0);
    let limits = origin.limits;
    assert_eq!((limits.width_max, limits.height_max, limits.duration_ms_max), (2_000, 900, 30_000));
    assert_eq!(origin.ladder.widths, [320, 640]);
    assert_eq!(origin.ladder.heights, [180, 900], "a rung above the limit is the limit");
    assert_eq!((origin.ladder.time_step_ms, origin.ladder.duration_step_ms), (2_000, 0));
    assert!(!origin.kv, "the global switch wins");
    assert!(origin.edge);
}

#[test]
fn names_and_addresses_have_one_spelling() {
    let mut document = with("headers.set", json!({"X-Mine": "1"}));
    set(&mut document, "bypass.header", json!("X-Fresh"));
    set(&mut document, "transformer.baseUrl", json!("https://a.example/cdn-cgi/media/"));
    set(&mut document, "passThrough.url", json!("https://b.example/"));
    let config = Config::check(&document).unwrap();
    assert_eq!(config.headers.set.get("x-mine").unwrap(), "1");
    assert_eq!(config.bypass.header.as_deref(), Some("x-fresh"));
    assert_eq!(config.transformer.base_url.as_deref(), Some("https://a.example/cdn-cgi/media"));
    assert_eq!(config.pass_through.url.as_deref(), Some("https://b.example"));
}
