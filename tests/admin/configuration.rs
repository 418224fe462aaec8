//! The configuration is read, put, compared and put back.

use http::Method;
use serde_json::{Value, json};

use crate::desk::{Came, call, get, house, make, post, put};
use crate::fakes::viewer::House;
use crate::fakes::weather::{Mishap, Script};

const STORED: &str = "worker-config";

fn in_kv(house: &House) -> Option<Value> {
    let kept = house.host.admin.documents.kept.borrow();
    kept.get(STORED).map(|text| serde_json::from_str(text).unwrap())
}

fn ok_s(house: &House) -> u64 {
    house.host.admin.live.borrow().config().lifetimes.fresh.ok_s
}

#[track_caller]
fn put_ok(house: &House, ok_s: u64) -> Came {
    let came = make(house, &put("/config?by=ann&note=slower", &json!({"ttl": {"ok": ok_s}})));
    assert_eq!(came.status, 200, "{}", came.text);
    came
}

#[test]
fn before_the_first_there_is_none() {
    let house = house(&json!({"version": "deployed"}));
    let came = make(&house, &get("/config"));
    let wanted = json!({
        "active": null, "version": 0, "drift": false, "effective_name": "deployed", "versions": []
    });
    assert_eq!(came.good(), wanted);
    assert_eq!(came.header("etag"), "\"0\"");
    make(&house, &get("/config/versions/1")).bad(404, "not-found");
}

#[test]
fn what_is_put_is_a_version_in_kv_and_active_in_this_isolate_at_once() {
    let house = house(&json!({}));
    let came = put_ok(&house, 60);
    assert_eq!(came.json(), json!({"version": 1, "stored": true, "active_within_s": 60}));
    assert_eq!(came.header("etag"), "\"1\"");
    assert_eq!(in_kv(&house), Some(json!({"ttl": {"ok": 60}})));
    assert_eq!(ok_s(&house), 60);
    put_ok(&house, 90);
    let listed = make(&house, &get("/config")).good();
    assert_eq!((&listed["active"], &listed["version"]), (&json!({"ttl": {"ok": 90}}), &json!(2)));
    let versions = listed["versions"].as_array().unwrap();
    assert_eq!(versions.iter().map(|it| &it["version"]).collect::<Vec<_>>(), [2, 1]);
    let first = json!({
        "version": 1, "at": versions[1]["at"], "by": "ann", "note": "slower", "bytes": 17
    });
    assert_eq!(versions[1], first);
    assert!(versions[0]["at"].as_str() > versions[1]["at"].as_str());
}

#[test]
fn a_version_is_given_back_as_it_was_put_byte_for_byte() {
    let house = house(&json!({}));
    let text = "{ \"ttl\":\n  {\"ok\": 60, \"clientError\": 5}}  ";
    assert_eq!(make(&house, &call(Method::PUT, "/config").sending(text)).status, 200);
    put_ok(&house, 90);
    assert_eq!(make(&house, &get("/config/versions/1")).text, text);
    assert_eq!(house.host.admin.documents.kept.borrow()[STORED], r#"{"ttl":{"ok":90}}"#);
}

#[test]
fn a_bad_configuration_is_refused_with_all_its_errors_and_changes_nothing() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    for query in ["", "?dry_run=true"] {
        let bad = put(&format!("/config{query}"), &json!({"ttl": {"ok": -1}, "nonsense": 1}));
        assert_eq!(make(&house, &bad).bad(422, "invalid-configuration"), ["ttl.ok", "nonsense"]);
    }
    for no_object in [json!([]), json!(1), Value::Null] {
        let came = make(&house, &put("/config", &no_object));
        assert_eq!(came.bad(422, "invalid-configuration"), ["(worker-config)"]);
    }
    assert_eq!(make(&house, &get("/config")).good()["version"], 1);
    assert_eq!((in_kv(&house), ok_s(&house)), (Some(json!({"ttl": {"ok": 60}})), 60));
}

#[test]
fn what_is_good_alone_and_bad_over_the_deployments_own_is_bad() {
    let house = house(&json!({}));
    let deployed = json!({"limits": {"widthMax": 600}, "responsive": {"buckets": [
        {"name": "small", "width": 500}, {"name": "large", "width": 600}
    ], "default": "small", "mobile": "small", "tablet": "small", "desktop": "large", "slow": "small"}});
    video_resizer::config::layers::assemble(Some(&deployed.to_string()), None).unwrap();
    *house.host.admin.deployed.borrow_mut() = Some(deployed.to_string());
    let document = json!({"responsive": {"default": "medium"}});
    let came = make(&house, &put("/config", &document));
    assert!(!came.bad(422, "invalid-configuration").is_empty());
    *house.host.admin.deployed.borrow_mut() = None;
    let alone = json!({"responsive": {"buckets": [{"name": "small", "width": 500}], "default": "small",
        "mobile": "small", "tablet": "small", "desktop": "small", "slow": "small"}});
    assert_eq!(make(&house, &put("/config", &alone)).status, 200);
}

#[test]
fn who_has_not_seen_the_newest_version_does_not_replace_it() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    let document = json!({"ttl": {"ok": 70}});
    for (if_match, status) in [
        ("\"0\"", 412),
        ("W/\"1\"", 412),
        ("1", 412),
        ("\"1-drift\"", 412),
        ("\"7\", \"1\"", 200),
        ("\"2\"", 200),
        ("*", 200),
    ] {
        let came = make(&house, &put("/config", &document).with("if-match", if_match));
        assert_eq!(came.status, status, "{if_match}: {}", came.text);
        if status == 412 {
            came.bad(412, "precondition-failed");
            assert_eq!(came.header("etag"), "\"1\"");
        }
    }
    let back = post("/config/rollback", &json!({"version": 1}));
    make(&house, &back.clone().with("if-match", "\"3\"")).bad(412, "precondition-failed");
    assert_eq!(make(&house, &back.with("if-match", "\"4\"")).good()["version"], 5);
}

#[test]
fn to_roll_back_is_to_put_an_old_one_anew() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    put_ok(&house, 90);
    let came = make(
        &house,
        &post("/config/rollback", &json!({"version": 1, "by": "bob", "note": "too slow"})),
    );
    assert_eq!(came.good()["version"], 3);
    assert_eq!((in_kv(&house), ok_s(&house)), (Some(json!({"ttl": {"ok": 60}})), 60));
    let listed = make(&house, &get("/config")).good();
    assert_eq!(
        (&listed["versions"][0]["by"], &listed["versions"][0]["note"]),
        (&json!("bob"), &json!("too slow"))
    );
    for (document, at) in [
        (json!({"version": 9}), vec!["/version"]),
        (json!({"version": 0}), vec!["/version"]),
        (json!({"version": "1"}), vec!["/version"]),
        (json!({}), vec!["/version"]),
        (json!([]), vec![""]),
        (json!({"version": 1, "by": 7}), vec!["/by"]),
        (json!({"version": 1, "note": "a\u{7}"}), vec!["/note"]),
        (json!({"version": 1, "by": "x".repeat(129)}), vec!["/by"]),
        (json!({"version": 1, "a/b": 1, "z~": 1}), vec!["/a~1b", "/z~0"]),
    ] {
        let came = make(&house, &post("/config/rollback", &document));
        assert_eq!(came.bad(400, "invalid"), at, "{document}");
    }
    assert_eq!(make(&house, &get("/config")).good()["version"], 3);
}

#[test]
fn an_old_version_that_would_be_bad_today_is_not_put_back() {
    let house = house(&json!({}));
    make(&house, &put("/config", &json!({"origins": [{
        "name": "default", "pattern": "^/(.+)$", "sources": [{"url": "https://a.example/$1"}]
    }]}))).good();
    put_ok(&house, 90);
    *house.host.admin.deployed.borrow_mut() = Some("{ no JSON".to_owned());
    let came = make(&house, &post("/config/rollback", &json!({"version": 1})));
    assert_eq!(came.bad(422, "invalid-configuration"), ["(RESIZER_CONFIG)"]);
}

#[test]
fn two_versions_are_compared_path_by_path_and_the_active_one_is_the_default() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    make(&house, &put("/config", &json!({"ttl": {"ok": 90}, "debug": {"enabled": true}}))).good();
    put_ok(&house, 30);
    let diff = make(&house, &get("/config/diff?from=1&to=2")).good();
    assert_eq!(
        diff,
        json!({"changes": [
            {"path": "debug", "to": {"enabled": true}}, {"path": "ttl.ok", "from": 60, "to": 90}
        ]})
    );
    let diff = make(&house, &get("/config/diff?from=1")).good();
    assert_eq!(diff, json!({"changes": [{"path": "ttl.ok", "from": 60, "to": 30}]}));
    house.host.admin.documents.kept.borrow_mut().clear();
    let diff = make(&house, &get("/config/diff?from=1")).good();
    assert_eq!(diff, json!({"changes": [{"path": "ttl", "from": {"ok": 60}}]}));
    assert_eq!(make(&house, &get("/config/diff?from=1&to=9")).bad(400, "invalid"), ["to"]);
}

#[test]
fn what_is_not_there_or_does_not_answer_is_named() {
    let house = house(&json!({}));
    let binding = |came: &Came| came.json()["binding"].as_str().unwrap().to_owned();
    house.host.admin.unbound.borrow_mut().insert("CONFIG_BOOK");
    let came = make(&house, &put("/config", &json!({})));
    came.bad(503, "unavailable");
    assert_eq!(binding(&came), "CONFIG_BOOK");
    let tried = make(&house, &put("/config?dry_run=true", &json!({})));
    assert_eq!(tried.good()["valid"], true, "to try needs no book");
    house.host.admin.unbound.borrow_mut().clear();
    for call in [get("/config"), put("/config", &json!({}))] {
        house.host.world.set_weather(Script::new(&[("document-get", Mishap::Refused)]));
        let came = make(&house, &call);
        came.bad(503, "unavailable");
        assert_eq!(binding(&came), "VIDEO_CONFIGURATION_STORE");
    }
    house.host.admin.book.storage.is_broken.set(true);
    let came = make(&house, &get("/config"));
    came.bad(503, "unavailable");
    assert_eq!(binding(&came), "CONFIG_BOOK");
}
