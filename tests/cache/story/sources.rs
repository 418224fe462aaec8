//! Where a video comes from: rules, sources in order, credentials, and the relay.

use serde_json::{Value, json};
use video_resizer::cache::ports::Purpose;

use super::VIDEO;
use crate::fakes::log::Ear;
use crate::fakes::upstream::{Making, Source, original_bytes};
use crate::fakes::viewer::{House, asking, get, head};

const RELAY_KEY: &str = "a relay key of some length";
const TOKEN: &str = "the source's own token";

fn two_sources() -> Value {
    json!({"origins": [{
        "name": "default", "pattern": "^/(.+)$",
        "sources": [
            {"url": "https://second.example/$1", "priority": 2},
            {"url": "https://first.example/$1", "priority": 1}
        ]
    }]})
}

/// A source that wants a token, and the key to relay it.
fn private() -> House {
    let house = House::new(&json!({"origins": [{
        "name": "vault", "pattern": "^/(.+)$",
        "sources": [{"url": "https://vault.example/$1", "auth": {"type": "bearer", "secret": "VAULT"}}]
    }]}));
    let mut secrets = house.host.secrets.borrow_mut();
    secrets.insert("VAULT".to_owned(), TOKEN.to_owned());
    secrets.insert("SOURCE_RELAY_KEY".to_owned(), RELAY_KEY.to_owned());
    drop(secrets);
    let credential = (http::header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    *house.host.upstream.credential.borrow_mut() = Some(credential);
    house
}

fn ordered(house: &House, purpose: Purpose) -> Vec<String> {
    let calls = house.host.upstream.calls.borrow();
    calls.iter().filter(|call| call.purpose == purpose).map(|call| call.url.clone()).collect()
}

#[test]
fn the_transformation_is_ordered_at_this_address_and_billed_by_it() {
    let house = House::plain();
    house.get(VIDEO);
    assert_eq!(
        ordered(&house, Purpose::Transform),
        [
            "https://v.example/cdn-cgi/media/mode=video,width=640,height=360/https://source.example/clips/a.mp4"
        ]
    );

    let house =
        House::new(&json!({"transformer": {"baseUrl": "https://zone.example/cdn-cgi/media"}}));
    house.get("/clips/a.mp4?mode=frame&time=1.5s&format=png&width=320");
    assert_eq!(
        ordered(&house, Purpose::Transform),
        [
            "https://zone.example/cdn-cgi/media/mode=frame,width=320,time=1500ms,format=png/https://source.example/clips/a.mp4"
        ]
    );
}

#[test]
fn the_next_source_is_asked_when_one_fails_and_the_answer_says_so() {
    let house = House::new(&two_sources());
    house.host.upstream.makes_of(|url| {
        if url.contains("first.example") { Making::Status(404) } else { Making::Good }
    });
    let seen = house.get(VIDEO);
    assert_eq!(seen.status, 200);
    assert_eq!(seen.cost, ["edge-find", "kv-find", "transform", "probe", "transform", "probe"]);
    assert_eq!(seen.header("x-source-type"), "fallback");
    assert!(seen.header("server-timing").contains("desc=status, transform;dur="));
    assert_eq!(house.get(VIDEO).header("x-source-type"), "fallback", "whichever tier answers");
}

#[test]
fn the_gravest_failure_of_several_is_reported_and_not_a_plain_absence() {
    for (first, second, reason) in [
        (Making::Status(404), Making::WrongType, "content-type"),
        (Making::WrongType, Making::Status(404), "content-type"),
        (Making::Status(404), Making::SaysError(9404), "transform-error"),
    ] {
        let house = House::new(&two_sources());
        house.host.upstream.sources_are(|_| Source::Missing);
        house.host.upstream.makes_of(
            move |url| {
                if url.contains("first.example") { first } else { second }
            },
        );
        assert_eq!(house.get(VIDEO).problem("reason"), reason, "{first:?} {second:?}");
    }
}

#[test]
fn after_every_source_failed_the_original_comes_from_the_first_that_has_it() {
    let house = House::new(&two_sources());
    house.host.upstream.makes(Making::WrongType);
    house.host.upstream.sources_are(|url| {
        if url.contains("first.example") { Source::Missing } else { Source::Holds }
    });
    let seen = house.get(VIDEO);
    assert_eq!(seen.bytes, original_bytes());
    assert_eq!(
        ordered(&house, Purpose::Original),
        ["https://first.example/clips/a.mp4", "https://second.example/clips/a.mp4"]
    );
}

#[test]
fn the_first_rule_that_matches_decides_and_its_captures_make_the_address() {
    let house = House::new(&json!({"origins": [
        {"name": "films", "pattern": "^/films/(?<year>\\d{4})/(.+)$",
         "sources": [{"url": "https://films.example/archive/${year}/$2"}], "tags": ["paid"]},
        {"name": "default", "pattern": "^/clips/(.+)$", "sources": [{"url": "https://source.example/$1"}]}
    ]}));
    let seen = house.get("/films/1999/m.mp4?width=640");
    assert_eq!(ordered(&house, Purpose::Probe), ["https://films.example/archive/1999/m.mp4"]);
    assert_eq!(seen.header("x-origin"), "films");
    assert_eq!(house.kv_keys(), ["video:films/1999/m.mp4:w=640:f=mp4:o=films"]);
    let tags = house.host.edge.kept.borrow().values().next().unwrap().headers["cache-tag"].clone();
    assert!(tags.to_str().unwrap().ends_with(",paid"), "{tags:?}");

    let nowhere = house.get("/other/m.mp4");
    assert_eq!((nowhere.status, nowhere.cost.len()), (404, 0));
    assert_eq!(nowhere.problem("code"), "no-origin");
}

#[test]
fn a_private_source_is_relayed_under_an_address_that_holds_no_secret() {
    let house = private();
    assert_eq!(house.get(VIDEO).status, 200);
    let order = ordered(&house, Purpose::Transform).remove(0);
    let relayed = "https://v.example/cdn-cgi/media/mode=video,width=640,height=360/https://v.example/_resizer/source/";
    assert!(order.starts_with(relayed), "{order}");
    assert!(order.ends_with("/vault/0/clips/a.mp4"), "{order}");
    for secret in [TOKEN, RELAY_KEY] {
        assert!(!order.contains(secret));
    }
}

#[test]
fn the_transformer_gets_the_source_through_the_relay_with_credentials_and_ranges() {
    let house = private();
    house.get(VIDEO);
    let order = ordered(&house, Purpose::Transform).remove(0);
    let address = &order[order.rfind("https://").unwrap()..];

    let whole = house.get(address);
    assert_eq!((whole.status, &whole.bytes), (200, &original_bytes()));
    assert_eq!(whole.header("cache-control"), "no-store");
    assert_eq!(whole.cost, ["original"], "no cache has a part in it");
    let part = house.send(&get(address).range("bytes=0-9"));
    assert_eq!((part.status, part.bytes.as_slice()), (206, &original_bytes()[..10]));
    assert_eq!(house.send(&head(address)).header("content-length"), "5000");
    // The transformer may well hand on the mark of the request it works for.
    let marked = get(address).with("cdn-loop", "v.example; by=video-resizer");
    assert_eq!(house.send(&marked).status, 200);

    house.host.upstream.sources_are(|_| Source::Missing);
    assert_eq!(house.get(address).status, 404, "what the source says goes through");
}

#[test]
fn the_log_does_not_hold_what_opens_a_private_source() {
    let house = private();
    house.get(VIDEO);
    let order = ordered(&house, Purpose::Transform).remove(0);
    let address = &order[order.rfind("https://").unwrap()..];
    let mac = address.split("/source/").nth(1).unwrap().split('/').next().unwrap();
    let (seen, log) = Ear::listen(|| house.get(address));
    assert_eq!(seen.status, 200);
    assert!(log.contains("/_resizer/source/-/vault/0/clips/a.mp4") && !log.contains(mac), "{log}");
}

#[test]
fn a_forged_relay_address_is_nothing_at_all() {
    let house = private();
    house.get(VIDEO);
    let order = ordered(&house, Purpose::Transform).remove(0);
    let address = &order[order.rfind("https://").unwrap()..];
    for forged in [
        address.replace("a.mp4", "b.mp4"),
        address.replace("/vault/0/", "/vault/1/"),
        address.replace("/source/", "/source/A"),
        "/_resizer/source/AAAAAAAAAAAAAAAAAAAAAA/vault/0/clips/a.mp4".to_owned(),
        "/_resizer/source/".to_owned(),
    ] {
        let seen = house.get(&forged);
        assert_eq!((seen.status, seen.cost.len()), (404, 0), "{forged}");
    }
    let posted = house.send(&asking("POST", address));
    assert_eq!((posted.status, posted.cost.len()), (404, 0));
    house
        .host
        .secrets
        .borrow_mut()
        .insert("SOURCE_RELAY_KEY".to_owned(), "another key of length".to_owned());
    assert_eq!(house.get(address).status, 404, "a new key ends every old address");
    house.host.secrets.borrow_mut().insert("SOURCE_RELAY_KEY".to_owned(), "short".to_owned());
    assert_eq!(house.get(address).status, 404, "a short key is none");
}

#[test]
fn a_source_without_its_secret_is_a_fault_and_not_a_request_without_credentials() {
    let house = private();
    house.host.secrets.borrow_mut().remove("VAULT");
    house.host.upstream.makes(Making::WrongType);
    let seen = house.get(VIDEO);
    assert_eq!(seen.status, 502);
    assert!(!seen.cost.contains(&"probe") && !seen.cost.contains(&"original"), "{:?}", seen.cost);
}

#[test]
fn a_video_on_the_requests_own_host_is_kept_apart_by_host() {
    let house = House::new(&json!({"origins": [{
        "name": "default", "pattern": "^/(.+)$", "sources": [{"url": "{request-origin}/$1"}]
    }]}));
    house.host.secrets.borrow_mut().insert("SOURCE_RELAY_KEY".to_owned(), RELAY_KEY.to_owned());
    house.get("https://one.example/a.mp4?width=640");
    let other = house.get("https://two.example/a.mp4?width=640");
    assert!(other.cost.contains(&"transform"), "another host is another video");
    assert_eq!(
        house.kv_keys(),
        ["video:a.mp4:w=640:f=mp4:host=one.example", "video:a.mp4:w=640:f=mp4:host=two.example"]
    );
}

#[test]
fn a_redirect_of_the_transformer_is_handed_on_and_ends_the_search() {
    let house = House::new(&two_sources());
    house.host.upstream.makes(Making::Redirect("https://elsewhere.example/a.mp4"));
    let seen = house.get(VIDEO);
    assert_eq!(seen.cost, ["edge-find", "kv-find", "transform", "probe"], "nobody followed it");
    house.host.upstream.makes(Making::Good);
    for seen in [seen, house.get(VIDEO)] {
        assert_eq!(
            (seen.status, seen.header("location")),
            (302, "https://elsewhere.example/a.mp4")
        );
        assert_eq!(seen.max_age_s().div_ceil(10), 360, "for the lifetime of redirects");
    }
}

#[test]
fn an_overloaded_transformer_says_when_to_come_again() {
    let house = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
    for (said, told) in [("7", "7"), ("999999", "3600"), ("soon", "5")] {
        house.host.upstream.makes(Making::Overloaded(said));
        let seen = house.get(VIDEO);
        assert_eq!((seen.status, seen.header("retry-after")), (503, told));
    }
}
