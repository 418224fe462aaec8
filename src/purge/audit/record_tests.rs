#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use serde_json::json;

use super::*;
use crate::purge::audit::fake::{ZONE, purge, targets_of_url};

/// A record with another request.
fn asked(request: &Value) -> Value {
    let mut record = purge("id", 0);
    record["resource"]["request"] = request.clone();
    record
}

fn of(record: &Value) -> Reading {
    read(record, ZONE, targets_of_url)
}

fn understood(targets: &[Target]) -> Reading {
    Reading::Purge { targets: targets.to_vec(), is_understood: true }
}

fn tag(tag: &str) -> Target {
    Target::Tag(tag.into())
}

fn on(host: &str, path: &str) -> Target {
    Target::Prefix(Prefix { host: host.into(), path: path.into() })
}

#[test]
fn every_form_of_a_purge_is_read() {
    let variant = |url: &str| Target::Variant(url.into());
    for (request, targets) in [
        (json!({"purge_everything": true}), vec![Target::Everything]),
        (json!({"tags": ["a", "b"]}), vec![tag("a"), tag("b")]),
        (
            json!({"hosts": ["V.example", "v.example:8443"]}),
            vec![Target::Host("v.example".into()), Target::Host("v.example:8443".into())],
        ),
        (
            json!({"prefixes": ["V.example/clips/a", "v.example/%7Eann/"]}),
            vec![on("v.example", "clips/a"), on("v.example", "~ann/")],
        ),
        (json!({"files": ["https://v.example/a.mp4"]}), vec![variant("https://v.example/a.mp4")]),
        (
            json!({"files": [{"url": "https://v.example/a.mp4", "headers": {"CF-Device-Type": "mobile"}}]}),
            vec![variant("https://v.example/a.mp4")],
        ),
        (
            json!({"tags": ["a"], "files": ["https://v.example/a.mp4"]}),
            vec![tag("a"), variant("https://v.example/a.mp4")],
        ),
    ] {
        assert_eq!(of(&asked(&request)), understood(&targets), "{request}");
        let as_text = Value::String(request.to_string());
        assert_eq!(of(&asked(&as_text)), understood(&targets), "the same as text: {request}");
    }
}

#[test]
fn a_request_is_read_liberally_where_it_can_only_mean_one_thing() {
    for (request, target) in [
        (json!({"purge_everything": "true", "by": {"new": "member"}}), Target::Everything),
        (json!({"tags": "a", "hosts": null, "files": []}), tag("a")),
        (json!({"tags": [" a "]}), tag("a")),
        (json!({"prefixes": ["https://v.example/a?b#c"]}), on("v.example", "a")),
        (json!({"prefixes": ["v.example"]}), Target::Host("v.example".into())),
        (json!({"prefixes": ["v.example/"]}), Target::Host("v.example".into())),
    ] {
        assert_eq!(of(&asked(&request)), understood(&[target]), "{request}");
    }
}

#[test]
fn a_prefix_that_is_no_path_of_ours_or_too_long_is_widened_and_never_narrowed() {
    let prefix = |text: &str| of(&asked(&json!({"prefixes": [text]})));
    assert_eq!(prefix("v.example/a/%2"), understood(&[Target::Host("v.example".into())]));
    assert_eq!(prefix("v.example/a/../b"), understood(&[Target::Host("v.example".into())]));
    let long = format!("clips/{}", "x".repeat(PURGE_PREFIX_BYTES_MAX));
    let cut = &long[..PURGE_PREFIX_BYTES_MAX];
    assert_eq!(prefix(&format!("v.example/{long}")), understood(&[on("v.example", cut)]));
}

#[test]
fn what_is_not_understood_is_never_dropped_and_what_is_beside_it_is_kept() {
    let unread =
        |targets: &[Target]| Reading::Purge { targets: targets.to_vec(), is_understood: false };
    for request in [
        json!(null),
        json!({}),
        json!([]),
        json!(5),
        json!("tags=a"),
        json!("[\"a\"]"),
        json!({"tags": []}),
        json!({"tag": ["a"]}),
        json!({"tags": [5]}),
        json!({"tags": [""]}),
        json!({"files": [{"uri": "https://v.example/a.mp4"}]}),
        json!({"hosts": ["a b"]}),
        json!({"prefixes": ["/clips"]}),
        json!({"purge_everything": 1}),
        json!({"purge_everything": "false"}),
    ] {
        assert_eq!(of(&asked(&request)), unread(&[]), "{request}");
    }
    assert_eq!(of(&asked(&json!({"tags": ["a", {"b": 1}]}))), unread(&[tag("a")]));
    let mut without = purge("id", 0);
    without["resource"].as_object_mut().unwrap().remove("request");
    assert_eq!(of(&without), unread(&[]));
}

#[test]
fn urls_of_other_things_on_the_zone_are_no_purge_of_ours() {
    let files = json!({"files": ["https://v.example/logo.png", "https://www.example/"]});
    assert_eq!(of(&asked(&files)), understood(&[]));
    assert_eq!(of(&asked(&json!({"purge_everything": false}))), understood(&[]));
}

/// The record with a member set, or removed.
fn with(path: &str, value: Option<Value>) -> Value {
    let mut record = purge("id", 0);
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = record.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(name.into(), value)),
        None => drop(parent.remove(name)),
    }
    record
}

#[test]
fn only_a_purge_of_our_zone_that_succeeded_is_one() {
    for (path, value, wanted) in [
        ("/zone/id", json!("ffffffffffffffffffffffffffffffff"), Reading::Other),
        ("/resource/product", json!("dns_records"), Reading::Other),
        ("/action/result", json!("failure"), Reading::Failed),
        ("/action/result", json!("pending"), Reading::Failed),
        ("/raw/status_code", json!(429), Reading::Failed),
        ("/raw/status_code", json!("403"), Reading::Failed),
        ("/raw/user_agent", json!(API_AGENT), Reading::Own),
        ("/raw/user_agent", json!("video-resizer/else"), understood(&[tag("id")])),
        ("/zone/id", json!(ZONE.to_uppercase()), understood(&[tag("id")])),
        ("/raw/status_code", json!(204), understood(&[tag("id")])),
        ("/action/result", json!("Success"), understood(&[tag("id")])),
    ] {
        assert_eq!(of(&with(path, Some(value.clone()))), wanted, "{path} = {value}");
    }
}

#[test]
fn no_missing_member_but_its_product_and_address_together_makes_a_purge_none() {
    for path in [
        "/id",
        "/action",
        "/actor",
        "/raw",
        "/zone",
        "/zone/id",
        "/action/result",
        "/action/time",
        "/raw/status_code",
        "/raw/uri",
        "/raw/user_agent",
        "/resource/product",
    ] {
        assert_eq!(of(&with(path, None)), understood(&[tag("id")]), "without {path}");
    }
    let mut neither = with("/resource/product", None);
    neither.as_object_mut().unwrap().remove("raw");
    assert_eq!(of(&neither), Reading::Other);
    let mut of_another = with("/zone", None);
    of_another["raw"]["uri"] =
        json!("/client/v4/zones/ffffffffffffffffffffffffffffffff/purge_cache?x");
    assert_eq!(of(&of_another), Reading::Other);
}

#[test]
fn a_record_has_one_name_however_it_comes() {
    let record = purge("abc", 5);
    assert_eq!((id(&record), time_ms(&record)), ("abc".to_owned(), Some(5)));
    let nameless = with("/id", None);
    assert_eq!(id(&nameless), id(&serde_json::from_str(&nameless.to_string()).unwrap()));
    let mut other = nameless.clone();
    other["action"]["time"] = json!("1970-01-01T00:00:01Z");
    assert_ne!(id(&nameless), id(&other));
    let long = id(&with("/id", Some(json!("x".repeat(AUDIT_ID_BYTES_MAX + 1)))));
    assert!(long.len() <= AUDIT_ID_BYTES_MAX && long.starts_with("hash:"), "{long}");
    assert_eq!(time_ms(&with("/action/time", Some(json!(5)))), None);
}

#[test]
fn whoever_purged_is_named_as_well_as_the_log_can() {
    assert_eq!(
        author(&purge("id", 0)),
        ("ann@example.com".into(), "purged at Cloudflare (dash)".into())
    );
    let mut token = with("/actor/email", None);
    token["actor"]["token_name"] = json!("deploy");
    assert_eq!(author(&token).0, "deploy");
    assert_eq!(
        author(&with("/actor", None)),
        (String::new(), "purged at Cloudflare (unknown)".into())
    );
}
