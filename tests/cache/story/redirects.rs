//! Where a source may be and where it may lead: an address is judged before anybody asks it.

use http::{HeaderName, Method, header};
use serde_json::{Value, json};
use video_resizer::cache::ports::{Call, Purpose};
use video_resizer::limits::SOURCE_REDIRECTS_MAX;

use super::VIDEO;
use crate::fakes::log::Ear;
use crate::fakes::upstream::{Making, Source, original_bytes};
use crate::fakes::viewer::{House, Seen, get, head};
use crate::fakes::weather::{Mishap, Script};

/// The order of a rendition of a source that is there.
const MADE: [&str; 4] = ["edge-find", "kv-find", "transform", "probe"];

/// Where `/clips/a.mp4` is, as [`House::plain`] has it.
const FIRST: &str = "https://source.example/clips/a.mp4";

/// A house whose sources may also be on a CDN, and below `/public` of a store.
fn house(more: &Value) -> House {
    let mut document = json!({"sources": {"allow": [
        "https://source.example", "https://cdn.example:8443", "https://store.example/public"
    ]}});
    for (key, value) in more.as_object().into_iter().flatten() {
        document[key] = value.clone();
    }
    House::new(&document)
}

/// The source sends everybody from `from` on to `to`, with this status.
fn sends(house: &House, status: u16, from: &'static str, to: &'static str) {
    house.host.upstream.sources_are(move |url| {
        if url == from { Source::Redirects(status, to) } else { Source::Holds }
    });
}

fn calls(house: &House, purpose: Purpose) -> Vec<Call> {
    let calls = house.host.upstream.calls.borrow();
    calls.iter().filter(|call| call.purpose == purpose).cloned().collect()
}

fn urls(house: &House, purpose: Purpose) -> Vec<String> {
    calls(house, purpose).into_iter().map(|call| call.url).collect()
}

/// What was seen, and what the operator's log says went wrong.
fn heard(house: &House, url: &str) -> (Seen, String) {
    let (seen, log) = Ear::listen(|| house.get(url));
    let faults = log.split("faults=\"").nth(1).unwrap().split('"').next().unwrap();
    (seen, faults.to_owned())
}

#[test]
fn a_source_is_followed_where_it_leads_and_what_it_says_there_counts() {
    for status in [301, 302, 303, 307, 308] {
        for (location, leads) in [
            ("https://cdn.example:8443/x.mp4?signed=1", "https://cdn.example:8443/x.mp4?signed=1"),
            ("https://store.example/public/x.mp4", "https://store.example/public/x.mp4"),
            ("b.mp4", "https://source.example/clips/b.mp4"),
            ("../b.mp4#t=1", "https://source.example/b.mp4"),
            ("//cdn.example:8443/b.mp4", "https://cdn.example:8443/b.mp4"),
        ] {
            let house = house(&json!({}));
            sends(&house, status, FIRST, location);
            // The length that is told at the end of the way is the one that matters.
            house.host.upstream.makes(Making::Untransformed);
            let seen = house.get(VIDEO);
            assert_eq!(seen.bytes, original_bytes(), "{status} {location}");
            assert!(seen.header("server-timing").contains("desc=untransformed"), "{location}");
            assert_eq!(urls(&house, Purpose::Probe), [FIRST, leads], "{status}");
            assert_eq!(urls(&house, Purpose::Original), [FIRST, leads], "{status}");
        }
    }
}

#[test]
fn a_hop_asks_the_same_with_the_same_headers_and_never_as_another_method() {
    let house = house(&json!({}));
    house.host.upstream.makes(Making::Status(500));
    sends(&house, 303, FIRST, "/b.mp4");
    let part = house.send(&get(VIDEO).range("bytes=0-9"));
    assert_eq!((part.status, part.bytes.as_slice()), (206, &original_bytes()[..10]));
    house.send(&head("/clips/a.mp4?width=320"));
    for (purpose, method) in [(Purpose::Probe, Method::HEAD), (Purpose::Original, Method::GET)] {
        let calls = calls(&house, purpose);
        assert!(calls.len() >= 2 && calls.iter().all(|call| call.method == method), "{calls:?}");
        for hop in calls.chunks(2) {
            assert_eq!(hop[0].headers, hop[1].headers);
        }
    }
    let ranges = calls(&house, Purpose::Original)
        .into_iter()
        .map(|call| call.headers.into_iter().filter(|(name, _)| *name == header::RANGE).count());
    assert_eq!(ranges.collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn every_way_that_is_not_gone_is_named_to_the_operator_and_to_nobody_else() {
    for (location, why) in [
        ("https://elsewhere.example/a.mp4", "sources.allow does not have it"),
        ("https://cdn.example/a.mp4", "sources.allow does not have it"),
        ("https://store.example/private/a.mp4", "sources.allow does not have it"),
        ("https://store.example/public/../private/a.mp4", "sources.allow does not have it"),
        ("https://store.example/publicity/a.mp4", "sources.allow does not have it"),
        ("http://source.example/b.mp4", "it leads from https to http"),
        ("https://127.0.0.1/a.mp4", "loopback"),
        ("https://[::ffff:10.0.0.1]/a.mp4", "hides an IPv4 address"),
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("https://localhost/a.mp4", "local network"),
        ("https://2130706433/", "number in another form"),
        ("https://user:secret-word@cdn.example:8443/", "user or a password"),
        ("https:\\\\cdn.example:8443/", "character that no URL has"),
        ("/a%2f..%2fb.mp4", "dot segment"),
        ("ftp://cdn.example:8443/", "http:// or https://"),
        ("https://source.example/clips/a.mp4", "one redirect too many"),
    ] {
        let house = house(&json!({}));
        sends(&house, 302, FIRST, location);
        let (seen, faults) = heard(&house, VIDEO);
        assert_eq!(seen.status, 502, "{location}");
        assert_eq!(seen.problem("reason"), "source-refused", "{location}");
        let body = String::from_utf8_lossy(&seen.bytes).into_owned();
        assert!(!body.contains("example") && !body.contains(why), "{body}");
        let told = faults.contains("probe: a redirect of https://source.example");
        assert!(told && faults.contains(why), "{location}: {faults}");
        for hidden in ["secret-word", "meta-data", "a.mp4"] {
            assert!(!faults.contains(hidden), "{faults}");
        }
        let asked = house.host.upstream.calls.borrow();
        let astray = asked.iter().filter(|call| call.purpose != Purpose::Transform);
        for call in astray {
            assert_eq!(call.url, FIRST, "{location}");
        }
        assert!(house.kv_keys().is_empty(), "nothing of it is kept in KV for a minute");
    }
}

#[test]
fn what_was_made_of_a_source_that_leads_astray_is_not_served_and_not_kept() {
    let house = house(
        &json!({"sources": {"allow": ["https://source.example"], "fallbackToOriginal": false}}),
    );
    sends(&house, 301, FIRST, "https://elsewhere.example/a.mp4");
    let seen = house.get(VIDEO);
    assert_eq!(seen.cost, MADE, "both were asked side by side: the order is paid for");
    assert_eq!((seen.status, seen.problem("reason")), (502, json!("source-refused")));
    assert!(seen.header("proxy-status").contains("error=http_request_denied"));
    assert_eq!(seen.header("cache-control"), "no-store");

    // For ten seconds it is remembered, and not paid for again.
    assert_eq!(house.get(VIDEO).cost, ["edge-find"]);
    house.pass_s(11);
    // What is old goes on being served: its source was good then.
    sends(&house, 301, "", "");
    assert_eq!(house.get(VIDEO).status, 200);
    house.pass_s(86_400 + 3_601);
    house.elsewhere();
    sends(&house, 301, FIRST, "https://elsewhere.example/a.mp4");
    assert!(house.get(VIDEO).cache().contains("detail=stale-if-error"));
}

#[test]
fn a_way_has_so_many_hops_and_one_budget() {
    let chain = |url: &str| match url {
        FIRST => Source::Redirects(302, "/1"),
        "https://source.example/1" => Source::Redirects(302, "/2"),
        "https://source.example/2" => Source::Redirects(302, "/3"),
        _ => Source::Holds,
    };
    let house = house(&json!({}));
    house.host.upstream.sources_are(chain);
    assert_eq!(house.get(VIDEO).status, 200);
    let hops = calls(&house, Purpose::Probe);
    assert_eq!(hops.len(), 1 + SOURCE_REDIRECTS_MAX as usize);
    // Ten milliseconds a hop, as the fakes have it, and the transform's ten beside the first.
    let budgets: Vec<u32> = hops.iter().map(|call| call.budget_ms).collect();
    assert_eq!(budgets[0], 1_000);
    assert!(budgets.windows(2).all(|pair| pair[1] <= pair[0] - 10), "{budgets:?}");

    let house = self::house(&json!({}));
    house.host.upstream.sources_are(move |url| {
        let further = chain(url);
        if further == Source::Holds { Source::Redirects(302, "/4") } else { further }
    });
    let (seen, faults) = heard(&house, VIDEO);
    assert_eq!((seen.status, calls(&house, Purpose::Probe).len()), (502, 4));
    assert!(faults.contains("one redirect too many"), "{faults}");

    // Where the first hop has used the time up there is no second.
    let mut house = self::house(&json!({}));
    house.config.sources.timeout_ms = 20;
    house.host.upstream.sources_are(|_| Source::Redirects(302, "/b"));
    let (seen, faults) = heard(&house, VIDEO);
    assert_eq!(seen.status, 200, "a source that takes too long has said nothing");
    assert!(faults.contains("probe: no answer within 20 ms"), "{faults}");
}

#[test]
fn a_hop_that_fails_is_a_source_that_fails() {
    let house = house(&json!({}));
    house.host.upstream.makes(Making::Status(500));
    sends(&house, 302, FIRST, "/b.mp4");
    let refused = [("original", Mishap::None), ("original", Mishap::Refused)];
    house.host.world.set_weather(Script::new(&refused));
    let (seen, faults) = heard(&house, VIDEO);
    assert_eq!((seen.status, seen.problem("reason")), (502, json!("status")));
    assert!(faults.contains("original: unavailable"), "{faults}");
    // A redirect to nowhere is an answer like any other that has no video.
    let lost = self::house(&json!({}));
    lost.host.upstream.makes(Making::Status(500));
    lost.host.upstream.sources_are(|_| Source::Redirects(300, "/b.mp4"));
    assert_eq!(lost.get(VIDEO).status, 502);
    assert_eq!(calls(&lost, Purpose::Original).len(), 1, "a choice of many is none of ours");
}

#[test]
fn credentials_go_to_their_own_origin_and_to_no_other() {
    let vault = json!({"origins": [{
        "name": "vault", "pattern": "^/(.+)$", "sources": [
            {"url": "https://vault.example/$1", "auth": {"type": "bearer", "secret": "VAULT"}}
        ]
    }], "sources": {"allow": ["https://vault.example", "https://cdn.example"]}});
    for (location, hops, problem) in [
        ("/deeper/a.mp4", 2, ""),
        ("https://vault.example:443/deeper/a.mp4", 2, ""),
        ("https://cdn.example/a.mp4", 1, "credentials do not go to another origin"),
        ("https://vault.example:8443/a.mp4", 1, "credentials do not go to another origin"),
        ("http://vault.example/a.mp4", 1, "it leads from https to http"),
    ] {
        let house = House::new(&vault);
        let mut secrets = house.host.secrets.borrow_mut();
        secrets.insert("VAULT".to_owned(), "the source's own token".to_owned());
        secrets.insert("SOURCE_RELAY_KEY".to_owned(), "a relay key of some length".to_owned());
        drop(secrets);
        sends(&house, 302, "https://vault.example/clips/a.mp4", location);
        let (seen, faults) = heard(&house, VIDEO);
        assert_eq!(seen.status, if hops == 2 { 200 } else { 502 }, "{location}");
        assert!(faults.contains(problem), "{location}: {faults}");
        let probes = calls(&house, Purpose::Probe);
        assert_eq!(probes.len(), hops, "{location}");
        let is_sent = |call: &Call| {
            call.headers.iter().any(|(name, value)| {
                *name == HeaderName::from_static("authorization") && value.is_sensitive()
            })
        };
        assert!(probes.iter().all(is_sent), "{location}");
    }
}

#[test]
fn without_a_list_the_hosts_that_the_templates_name_are_the_list() {
    let two = json!({"origins": [{"name": "default", "pattern": "^/(.+)$", "sources": [
        {"url": "https://one.example/a/$1"}, {"url": "https://two.example:8443/$1"}
    ]}]});
    for (location, status) in [
        ("https://one.example/anywhere.mp4", 200),
        ("https://two.example:8443/x.mp4", 200),
        ("https://two.example/x.mp4", 502),
        ("https://v.example/x.mp4", 502),
    ] {
        let house = House::new(&two);
        house.host.upstream.sources_are(move |url| {
            if url.ends_with("clips/a.mp4") {
                Source::Redirects(302, location)
            } else {
                Source::Holds
            }
        });
        assert_eq!(house.get(VIDEO).status, status, "{location}");
    }
}

#[test]
fn the_host_header_leads_nowhere_that_no_viewer_may_have_asked() {
    let own = |more: &Value| {
        let mut document = json!({"origins": [{
            "name": "default", "pattern": "^/(.+)$", "sources": [{"url": "{request-origin}/$1"}]
        }]});
        for (key, value) in more.as_object().into_iter().flatten() {
            document[key] = value.clone();
        }
        let house = House::new(&document);
        let key = ("SOURCE_RELAY_KEY".to_owned(), "a relay key of some length".to_owned());
        house.host.secrets.borrow_mut().insert(key.0, key.1);
        house
    };
    for host in [
        "127.0.0.1",
        "10.1.2.3:8080",
        "localhost",
        "metadata.google.internal",
        "[::1]",
        "[::ffff:7f00:1]",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "127.1",
        "user@127.0.0.1",
        "intranet",
    ] {
        let house = own(&json!({}));
        let (seen, faults) = heard(&house, &format!("https://{host}{VIDEO}"));
        assert_eq!((seen.status, seen.problem("reason")), (502, json!("source-refused")), "{host}");
        assert_eq!(seen.cost, ["edge-find", "kv-find"], "{host}: nobody was asked");
        assert!(faults.contains("is refused"), "{faults}");
    }
    assert_eq!(own(&json!({})).get(VIDEO).status, 200);
    let local = own(&json!({"sources": {"allowPrivate": true}}));
    assert_eq!(local.get(&format!("https://127.0.0.1:8787{VIDEO}")).status, 200);
    // A list is the whole list: another tenant's host is not on it.
    let listed = own(&json!({"sources": {"allow": ["https://v.example/clips"]}}));
    assert_eq!(listed.get(VIDEO).status, 200);
    assert_eq!(listed.get("/other/a.mp4?width=640").problem("reason"), "source-refused");
    assert_eq!(
        listed.get(&format!("https://w.example{VIDEO}")).problem("reason"),
        "source-refused"
    );
}

#[test]
fn no_capture_of_a_path_leaves_the_prefix_that_is_allowed() {
    let document = json!({
        "origins": [{"name": "default", "pattern": "^/(.+)$", "sources": [{"url": "https://m.example/a/$1"}]}],
        "sources": {"allow": ["https://m.example/a"]}
    });
    let house = House::new(&document);
    for path in [
        "/../b.mp4",
        "/%2e%2e/b.mp4",
        "/.%2E/b.mp4",
        "/x/..%2f..%2fb.mp4",
        "/x/..%5c..%5cb.mp4",
        "/..\\b.mp4",
    ] {
        let seen = house.get(path);
        assert_eq!((seen.status, seen.cost.len()), (400, 0), "{path}");
    }
    for path in [
        "//evil.example/b.mp4",
        "/@evil.example/b.mp4",
        "/%2f%2fevil.example%2fb.mp4",
        "/..b/...mp4",
    ] {
        let seen = house.get(path);
        assert_eq!(seen.status, 200, "{path}");
        let asked = urls(&house, Purpose::Probe).pop().unwrap();
        assert!(asked.starts_with("https://m.example/a/"), "{asked}");
    }
    // A template may put dots together that no path has.
    let glued = House::new(&json!({
        "origins": [{"name": "default", "pattern": "^/(.)x/(.+)$", "sources": [{"url": "https://m.example/a/$1$1/$2"}]}],
        "sources": {"allow": ["https://m.example/a"]}
    }));
    let (seen, faults) = heard(&glued, "/.x/b.mp4?width=640");
    assert_eq!((seen.status, seen.cost.len()), (502, 2));
    assert!(faults.contains("dot segment"), "{faults}");
}

#[test]
fn the_next_source_helps_where_the_first_is_refused() {
    let house =
        House::new(&json!({"origins": [{"name": "default", "pattern": "^/(.+)$", "sources": [
            {"url": "{request-origin}/$1"}, {"url": "https://source.example/$1"}
        ]}]}));
    let seen = house.get(&format!("https://localhost{VIDEO}"));
    assert_eq!((seen.status, seen.header("x-source-type")), (200, "fallback"));
    assert!(seen.header("server-timing").contains("transform;dur=0;desc=source-refused"));
}
