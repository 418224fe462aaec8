//! Ways around the caches, and who may go them.

use serde_json::{Value, json};

use super::VIDEO;
use crate::fakes::viewer::{Asking, House, get};

const MADE: [&str; 2] = ["transform", "probe"];

/// What each action costs where both tiers have the rendition, and what it writes.
const ACTIONS: [(&str, &str, &[&str], &[&str]); 4] = [
    ("nocache", "refresh", &["transform", "probe"], &["kv-keep", "edge-keep"]),
    ("bypass", "around", &["transform", "probe"], &[]),
    ("no-kv-cache", "around-kv", &["edge-find"], &[]),
    ("no-edge-cache", "around-edge", &["kv-find"], &[]),
];

fn warm(document: &Value) -> House {
    let house = House::new(document);
    house.get(VIDEO);
    house
}

fn by_parameter(name: &str) -> Asking {
    get(&format!("{VIDEO}&{name}=1"))
}

#[test]
fn the_operator_goes_every_way_around_by_parameter_and_by_header() {
    for (parameter, action, cost, settled) in ACTIONS {
        for asking in [by_parameter(parameter), get(VIDEO).with("x-bypass-cache", action)] {
            let house = warm(&json!({}));
            let seen = house.send(&asking.by_operator());
            assert_eq!(
                (seen.cost.as_slice(), seen.settled.as_slice()),
                (cost, settled),
                "{action}"
            );
            assert_eq!(seen.header("x-param-warnings"), "");
        }
    }
}

#[test]
fn a_stranger_is_told_that_it_is_reserved_and_served_as_ever() {
    for (parameter, action, _, _) in ACTIONS {
        let house = warm(&json!({}));
        for asking in [
            by_parameter(parameter),
            get(VIDEO).with("x-bypass-cache", action),
            by_parameter(parameter).with("authorization", "Bearer a guess of some length"),
        ] {
            let seen = house.send(&asking);
            assert_eq!(seen.cost, ["edge-find"], "{action}");
            assert_eq!(seen.header("x-param-warnings"), "bypass: it is reserved here");
        }
    }
}

#[test]
fn open_ways_are_open_to_strangers_and_closed_ones_to_the_operator() {
    for (parameter, action, cost, settled) in ACTIONS {
        let house = warm(&json!({"bypass": {"access": "open"}}));
        let seen = house.send(&by_parameter(parameter));
        assert_eq!((seen.cost.as_slice(), seen.settled.as_slice()), (cost, settled), "{action}");

        let house = warm(&json!({"bypass": {"access": "off"}}));
        let seen = house.send(&by_parameter(parameter).by_operator());
        assert_eq!(seen.cost, ["edge-find"], "{action}");
    }
}

#[test]
fn a_browsers_reload_refreshes_where_it_may_and_is_no_attempt_worth_a_warning_elsewhere() {
    let reload = |value| get(VIDEO).with("cache-control", value);
    let house = warm(&json!({"bypass": {"access": "open"}}));
    for value in ["no-cache", "max-age=0", "private, No-Cache"] {
        let seen = house.send(&reload(value));
        assert_eq!((&seen.cost[..], seen.settled.len()), (&MADE[..], 2), "{value}");
    }
    let seen = house.send(&reload("no-store"));
    assert_eq!((&seen.cost[..], seen.settled.len()), (&MADE[..], 0));
    assert_eq!(house.send(&reload("max-age=60")).cost, ["edge-find"]);

    let house = warm(&json!({}));
    let seen = house.send(&reload("no-cache"));
    assert_eq!((&seen.cost[..], seen.header("x-param-warnings")), (&["edge-find"][..], ""));

    let house = warm(&json!({"bypass": {"access": "open", "requestCacheControl": false}}));
    assert_eq!(house.send(&reload("no-cache")).cost, ["edge-find"]);
}

#[test]
fn debugging_goes_the_way_that_is_configured_for_it() {
    let debug = || get(&format!("{VIDEO}&debug"));
    let house = warm(&json!({"bypass": {"debug": "around"}}));
    assert_eq!(house.send(&debug().by_operator()).cost, MADE);
    assert_eq!(house.send(&debug()).cost, ["edge-find"], "strangers do not debug");

    let house = warm(&json!({"bypass": {"access": "open", "debug": "around"}}));
    assert_eq!(house.get(VIDEO).cost, ["edge-find"], "who does not debug is not led around");
    assert_eq!(house.send(&debug()).cost, ["edge-find"], "nor who may not");

    let house = warm(&json!({}));
    assert_eq!(house.send(&debug().by_operator()).cost, ["edge-find"], "it leaves them alone");
}

#[test]
fn the_more_explicit_way_wins() {
    let house = warm(&json!({"bypass": {"access": "open"}}));
    let seen = house.send(
        &by_parameter("no-edge-cache")
            .with("x-bypass-cache", "around")
            .with("cache-control", "no-cache"),
    );
    assert_eq!(seen.cost, ["kv-find"], "the parameter, then the header, then Cache-Control");
    let seen =
        house.send(&get(VIDEO).with("x-bypass-cache", "around").with("cache-control", "no-cache"));
    assert_eq!((&seen.cost[..], seen.settled.len()), (&MADE[..], 0));
}

#[test]
fn names_of_ways_are_configuration() {
    let document = json!({"bypass": {
        "access": "open", "header": "x-fresh", "parameters": {"fresh": "refresh", "nocache": null}
    }});
    let house = warm(&document);
    assert_eq!(house.send(&by_parameter("fresh")).cost, MADE);
    assert_eq!(house.send(&get(VIDEO).with("x-fresh", " Around ")).cost, MADE);
    assert_eq!(house.send(&get(VIDEO).with("x-bypass-cache", "around")).cost, ["edge-find"]);
}

#[test]
fn what_went_around_one_tier_fills_the_other() {
    let house = House::new(&json!({"bypass": {"access": "open"}}));
    let seen = house.send(&by_parameter("no-kv-cache"));
    assert_eq!(seen.settled, ["edge-keep"]);
    assert!(seen.cache().contains("video-resizer-kv; fwd=bypass"), "{}", seen.cache());
    house.elsewhere();
    assert_eq!(house.send(&by_parameter("no-edge-cache")).settled, ["kv-keep"]);
}

#[test]
fn a_refreshed_rendition_replaces_the_old_one_everywhere() {
    let house = warm(&json!({"bypass": {"access": "open"}}));
    let old = house.get(VIDEO);
    let new = house.send(&by_parameter("nocache"));
    assert_ne!(new.header("etag"), old.header("etag"));
    assert_eq!(house.get(VIDEO).bytes, new.bytes);
    house.elsewhere();
    assert_eq!(house.get(VIDEO).header("etag"), new.header("etag"));
}
