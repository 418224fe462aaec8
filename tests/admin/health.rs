//! What is wrong with a deployment is told with its cure, and never a secret's value.

use serde_json::{Value, json};

use crate::desk::{READ_TOKEN, get, house, make};
use crate::fakes::viewer::{ADMIN_TOKEN, House};
use crate::fakes::weather::{Mishap, Script};

/// A house without fault.
fn sound(more: &Value) -> House {
    let house = house(more);
    let mut secrets = house.host.secrets.borrow_mut();
    secrets.insert("SOURCE_RELAY_KEY".to_owned(), "a long key of the relay".to_owned());
    drop(secrets);
    house
}

fn pass_through() -> Value {
    json!({"passThrough": {"url": "https://www.example"}})
}

/// The checks that something is wrong with, and whether the whole is ill.
#[track_caller]
fn wrong(house: &House) -> (u16, Vec<String>) {
    let came = make(house, &get("/health").by_a_looker());
    let document = came.json();
    assert_eq!(document["healthy"], came.status == 200, "{document}");
    for secret in [ADMIN_TOKEN, READ_TOKEN, "a long key of the relay"] {
        assert!(!came.text.contains(secret), "a secret is told");
    }
    let problems = document["problems"].as_array().unwrap();
    let told = problems.iter().map(|problem| {
        assert!(
            !problem["cure"].as_str().unwrap().is_empty()
                && !problem["detail"].as_str().unwrap().is_empty()
        );
        format!("{} {}", problem["severity"].as_str().unwrap(), problem["check"].as_str().unwrap())
    });
    (came.status, told.collect())
}

#[test]
fn a_sound_deployment_has_nothing_to_mend() {
    let house = sound(&pass_through());
    assert_eq!(wrong(&house), (200, vec![]));
    let document = make(&house, &get("/health")).good();
    assert_eq!(
        document["checks"]["kv"],
        json!({
            "binding": "VIDEO_TRANSFORMATIONS_CACHE", "bound": true, "answers": true, "took_ms": 10
        })
    );
    assert_eq!(
        document["checks"]["secrets"]["set"],
        json!({
            "ADMIN_TOKEN": true, "ADMIN_READ_TOKEN": true, "SOURCE_RELAY_KEY": true
        })
    );
}

#[test]
fn every_binding_that_is_not_there_is_named() {
    for (binding, problem) in
        [("FILL_GATE", "warning gate"), ("CONFIG_BOOK", "warning config_book")]
    {
        let house = sound(&pass_through());
        house.host.admin.unbound.borrow_mut().insert(binding);
        assert_eq!(wrong(&house), (200, vec![problem.to_owned()]));
    }
}

#[test]
fn a_store_that_does_not_answer_is_an_error_unless_it_is_switched_off() {
    for (kind, more, status, problem) in [
        ("kv-find", json!({}), 503, "error kv"),
        ("kv-find", json!({"cache": {"kv": false}}), 200, "warning kv"),
        ("document-get", json!({}), 503, "error config_store"),
    ] {
        let mut all = pass_through();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let house = sound(&all);
        house.host.world.set_weather(Script::new(&[(kind, Mishap::Refused)]));
        assert_eq!(wrong(&house), (status, vec![problem.to_owned()]));
    }
}

#[test]
fn a_deployment_whose_videos_come_from_itself_is_ill() {
    let origin = |url: &str, pattern: &str| {
        json!({"passThrough": {"url": "https://www.example"}, "origins": [
            {"name": "default", "pattern": pattern, "sources": [{"url": url}]}
        ]})
    };
    let error = (503, vec!["error own_host".to_owned()]);
    let warning = (200, vec!["warning own_host".to_owned()]);
    assert_eq!(wrong(&sound(&origin("{request-origin}/$1", "^/(.+)$"))), error);
    assert_eq!(wrong(&sound(&origin("https://v.example/$1", "^/(.+)$"))), error);
    assert_eq!(wrong(&sound(&origin("{request-origin}/originals/$1", "^/(.+)$"))), warning);
    assert_eq!(wrong(&sound(&origin("https://v.example.org/$1", "^/(.+)$"))), (200, vec![]));
    assert_eq!(wrong(&sound(&json!({}))), warning, "pages are passed to itself");
}

#[test]
fn a_signing_key_that_is_not_set_or_too_short_is_named() {
    let signs = json!({
        "passThrough": {"url": "https://www.example"}, "signing": {"keys": {"k1": "URL_KEY_1"}}
    });
    let house = sound(&signs);
    let ill = (503, vec!["error secrets".to_owned()]);
    assert_eq!(wrong(&house), ill);
    house.host.secrets.borrow_mut().insert("URL_KEY_1".to_owned(), "fifteen-bytes-.".to_owned());
    assert_eq!(wrong(&house), ill);
    house.host.secrets.borrow_mut().insert("URL_KEY_1".to_owned(), "sixteen-bytes-..".to_owned());
    assert_eq!(wrong(&house), (200, vec![]));
    let document = make(&house, &get("/health")).good();
    assert_eq!(document["checks"]["secrets"]["set"]["URL_KEY_1"], true);
}

#[test]
fn a_secret_that_is_wanted_and_not_set_is_named_and_a_short_one_does_not_count() {
    let wants = json!({"passThrough": {"url": "https://www.example"}, "origins": [
        {"name": "default", "pattern": "^/(.+)$", "sources": [
            {"url": "https://a.example/$1", "auth": {"type": "bearer", "secret": "ORIGIN_TOKEN"}},
            {"url": "https://b.example/$1", "auth": {"type": "basic", "secret": "ORIGIN_TOKEN"}}
        ]}
    ]});
    let house = sound(&wants);
    assert_eq!(wrong(&house), (503, vec!["error secrets".to_owned()]));
    house.host.secrets.borrow_mut().insert("ORIGIN_TOKEN".to_owned(), "x".to_owned());
    assert_eq!(wrong(&house), (200, vec![]));
    house.host.secrets.borrow_mut().remove("SOURCE_RELAY_KEY");
    assert_eq!(wrong(&house).0, 503);
    let house = sound(&pass_through());
    house.host.secrets.borrow_mut().insert("SOURCE_RELAY_KEY".to_owned(), "short".to_owned());
    assert_eq!(wrong(&house), (503, vec!["error secrets".to_owned()]));
}

#[test]
fn a_configuration_that_was_refused_is_told_with_its_errors() {
    let house = sound(&pass_through());
    let _ = house.host.admin.live.borrow_mut().offer(None, Some(r#"{"ttl": {"ok": -1}}"#), 0);
    assert_eq!(wrong(&house), (503, vec!["error configuration".to_owned()]));
    let document = make(&house, &get("/health")).json();
    assert_eq!(document["configuration"]["errors"][0]["at"], "ttl.ok");
}
