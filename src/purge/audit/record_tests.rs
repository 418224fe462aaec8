#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use serde_json::{Value, json};

use super::*;
use crate::limits::PURGE_PREFIX_BYTES_MAX;
use crate::purge::audit::fake::{CONFIG, ZONE, purge};
use crate::purge::ledger::Mode;
use crate::purge::target::{Prefix, Target};

/// A record with another request.
fn asked(request: &Value) -> Value {
    let mut record = purge("id", 0);
    record["resource"]["request"] = request.clone();
    record
}

/// What a record is, short.
#[derive(Debug, PartialEq, Eq)]
enum Short {
    Other,
    Failed,
    Purge(Vec<Target>),
    Unread(Vec<Target>),
}

fn of(record: &Value) -> Short {
    match read(&record.clone().into(), ZONE, &CONFIG) {
        Reading::Other => Short::Other,
        Reading::Failed => Short::Failed,
        Reading::Purge { order, is_understood, .. } => {
            assert_eq!(order.mode, Mode::Hard);
            if is_understood { Short::Purge(order.targets) } else { Short::Unread(order.targets) }
        }
    }
}

fn understood(targets: &[Target]) -> Short {
    Short::Purge(targets.to_vec())
}

fn tag(tag: &str) -> Target {
    Target::Tag(tag.into())
}

fn on(host: &str, path: &str) -> Target {
    Target::Prefix(Prefix { host: host.into(), path: path.into() })
}

#[test]
fn every_form_of_a_purge_is_read() {
    let variant = || Target::Variant("video:a.mp4:w=640:f=mp4:host=v.example".into());
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
        (json!({"files": ["https://v.example/a.mp4?width=640"]}), vec![variant()]),
        (
            json!({"files": [{"url": "https://v.example/a.mp4?width=640", "headers": {"CF-Device-Type": "mobile"}}]}),
            vec![variant()],
        ),
        (
            json!({"tags": ["a"], "files": ["https://v.example/a.mp4"]}),
            vec![tag("a"), Target::Path("a.mp4".into())],
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
        (json!({"tags": ["no tag of ours", "a"]}), tag("a")),
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
    assert_eq!(prefix(&format!("v.example/{cut}")), understood(&[on("v.example", cut)]));
    assert_eq!(
        prefix(&format!("v.example/{long}")),
        understood(&[Target::Host("v.example".into())])
    );
}

#[test]
fn what_is_not_understood_is_never_dropped_and_what_is_beside_it_is_kept() {
    let unread = |targets: &[Target]| Short::Unread(targets.to_vec());
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
        json!({"hosts": ["*.example"]}),
        json!({"prefixes": ["a b/c"]}),
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
        ("/zone/id", json!("ffffffffffffffffffffffffffffffff"), Short::Other),
        ("/resource/product", json!("dns_records"), Short::Other),
        ("/action/result", json!("failure"), Short::Failed),
        ("/action/result", json!("pending"), Short::Failed),
        ("/raw/status_code", json!(429), Short::Failed),
        ("/raw/status_code", json!("403"), Short::Failed),
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
    assert_eq!(of(&neither), Short::Other);
    let mut of_another = with("/zone", None);
    of_another["raw"]["uri"] =
        json!("/client/v4/zones/ffffffffffffffffffffffffffffffff/purge_cache?x");
    assert_eq!(of(&of_another), Short::Other);
}

#[test]
fn a_record_has_one_name_however_it_comes() {
    let record = purge("abc", 5);
    let id = |record: &Value| id(&record.clone().into());
    let time_ms = |record: &Value| time_ms(&record.clone().into());
    assert_eq!((id(&record), time_ms(&record)), ("abc".to_owned(), Some(5)));
    let nameless = with("/id", None);
    assert_eq!(id(&nameless), id(&serde_json::from_str(&nameless.to_string()).unwrap()));
    let mut other = nameless.clone();
    other["action"]["time"] = json!("1970-01-01T00:00:01Z");
    assert_ne!(id(&nameless), id(&other));
    assert_eq!(time_ms(&with("/action/time", Some(json!(5)))), None);
}

#[test]
fn what_was_sent_has_the_digest_that_the_ledger_gave_its_own() {
    let sent = json!({"tags": ["b", "a"]});
    for request in [json!({"tags": ["a", "b"]}), Value::String(sent.to_string())] {
        let Reading::Purge { payload, .. } = read(&asked(&request).into(), ZONE, &CONFIG) else {
            panic!("{request}")
        };
        assert_eq!(payload, payload_digest(&sent.clone().into()));
    }
}

#[test]
fn whoever_purged_is_named_as_well_as_the_log_can() {
    assert_eq!(
        author(&purge("id", 0).into()),
        ("ann@example.com".into(), "purged at Cloudflare (dash)".into())
    );
    let mut token = with("/actor/email", None);
    token["actor"]["token_name"] = json!("deploy");
    assert_eq!(author(&token.into()).0, "deploy");
    assert_eq!(
        author(&with("/actor", None).into()),
        (String::new(), "purged at Cloudflare (unknown)".into())
    );
}
