//! Where a configuration may point: to the public internet, to what it allows itself, and inside only on purpose.

use serde_json::{Value, json};
use video_resizer::config::Config;

use crate::{error_at, errors};

fn origins(urls: &[&str]) -> Value {
    let sources: Vec<_> = urls.iter().map(|url| json!({"url": url})).collect();
    json!([{"name": "a", "pattern": "^/(.+)$", "sources": sources}])
}

#[test]
fn an_address_of_the_inside_is_refused_by_name_wherever_it_is_written() {
    let source = |url: &str| json!({"origins": origins(&[url])});
    for (document, key, why) in [
        (source("http://127.0.0.1:8080/$1"), "origins[0].sources[0].url", "loopback"),
        (source("http://10.0.0.7/a/${1}?b=c"), "origins[0].sources[0].url", "private network"),
        (source("https://media/$1"), "origins[0].sources[0].url", "local network"),
        (source("https://nas.local/$1"), "origins[0].sources[0].url", "local network"),
        (source("http://100.64.0.1/$1"), "origins[0].sources[0].url", "carrier"),
        (
            json!({"sources": {"allow": ["https://a.example", "http://[::1]:81"]}}),
            "sources.allow[1]",
            "loopback",
        ),
        (
            json!({"transformer": {"baseUrl": "http://127.0.0.1/cdn-cgi/media"}}),
            "transformer.baseUrl",
            "loopback",
        ),
        (
            json!({"transformer": {"relayBaseUrl": "http://192.168.0.1"}}),
            "transformer.relayBaseUrl",
            "private",
        ),
        (
            json!({"passThrough": {"url": "http://localhost:8788"}}),
            "passThrough.url",
            "local network",
        ),
    ] {
        let error = error_at(&document, key);
        assert!(error.advice.contains(why), "{error}");
        assert!(
            error.advice.ends_with("or set sources.allowPrivate where this is meant"),
            "{error}"
        );
        let mut meant = document.clone();
        meant["sources"]["allowPrivate"] = json!(true);
        if key == "sources.allow[1]" {
            meant["origins"] = origins(&["https://a.example/$1"]);
        }
        assert!(Config::check(&meant).is_ok(), "{key}: {:?}", errors(&meant));
    }
}

#[test]
fn what_has_no_reason_to_be_asked_is_refused_even_on_purpose() {
    for (host, why) in [
        ("169.254.169.254", "link-local"),
        ("0.0.0.0", "no place at all"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("192.0.2.1", "documents"),
        ("[::ffff:127.0.0.1]", "hides an IPv4 address"),
        ("[fe80::1]", "link-local"),
        ("2130706433", "number in another form"),
        ("0x7f.1", "number in another form"),
        ("127.1", "number in another form"),
        ("xn--localhost-.example", "no host that could be one"),
    ] {
        let url = format!("http://{host}/$1");
        let document = json!({"origins": origins(&[&url]), "sources": {"allowPrivate": true}});
        let error = error_at(&document, "origins[0].sources[0].url");
        assert!(error.advice.contains(why) && error.advice.ends_with("name another"), "{error}");
    }
    let error = error_at(
        &json!({"origins": origins(&["https://a.example/%2e%2e/$1"])}),
        "origins[0].sources[0].url",
    );
    assert!(error.advice.contains("dot segment"), "{error}");
}

#[test]
fn a_source_that_the_list_does_not_have_is_refused_with_the_entry_that_is_missing() {
    let document = json!({
        "origins": origins(&["https://a.example/$1", "https://b.example:8443/$1", "{request-origin}/$1"]),
        "sources": {"allow": ["https://a.example/videos"]}
    });
    let error = error_at(&document, "origins[0].sources[1].url");
    assert!(error.advice.contains("add https://b.example:8443 to sources.allow"), "{error}");
    assert_eq!(errors(&document).len(), 1, "what lies below a host is known with the request");
}

#[test]
fn one_mistake_is_told_once() {
    for document in [
        json!({"origins": origins(&["ftp://a.example/$1"])}),
        json!({"sources": {"allow": ["a.example"]}}),
        json!({"sources": {"allow": ["https://user@a.example"]}}),
        json!({"origins": origins(&["http://127.0.0.1/$1"]), "sources": {"allow": ["https://a.example"]}}),
    ] {
        assert_eq!(errors(&document).len(), 1, "{document}: {:?}", errors(&document));
    }
}
