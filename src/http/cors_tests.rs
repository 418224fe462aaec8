//! Goal: rows M2 to M4.
//! Method: the three policies (public, listed, closed) under the requests a browser sends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;

const SITE: &str = "https://site.example";

fn cors(origins: &[&str]) -> Cors {
    Cors { allow_origins: origins.iter().map(|&o| o.to_owned()).collect(), max_age_s: 86_400 }
}

fn ask(method: Method, headers: &[(&'static str, &str)]) -> Ask {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    Ask {
        method,
        scheme: "https".into(),
        host: "videos.example.com".into(),
        path: "/a.mp4".into(),
        query: String::new(),
        headers: map,
    }
}

fn preflight(origin: &str, headers: &str) -> Ask {
    ask(
        Method::OPTIONS,
        &[
            ("origin", origin),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", headers),
        ],
    )
}

fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut shown: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    shown.sort();
    shown
}

fn allowed(ask: &Ask, cors: &Cors) -> HeaderMap {
    let mut headers = HeaderMap::new();
    allow(&mut headers, ask, cors);
    headers
}

#[test]
fn m2_plain_options_says_what_is_served() {
    let headers = options(&ask(Method::OPTIONS, &[]), &cors(&[]));
    assert_eq!(shown(&headers), [("allow".into(), "GET, HEAD, OPTIONS".into())]);
}

#[test]
fn m3_a_preflight_of_a_public_policy_is_granted() {
    let headers = options(&preflight(SITE, "range"), &cors(&["*"]));
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["access-control-allow-methods"], "GET, HEAD, OPTIONS");
    assert_eq!(
        headers["access-control-allow-headers"],
        "range, if-range, if-none-match, if-modified-since, \
         cmcd-request, cmcd-object, cmcd-status, cmcd-session"
    );
    assert_eq!(headers["access-control-max-age"], "86400");
    assert_eq!(
        headers["vary"],
        "access-control-request-headers, access-control-request-method, origin"
    );
}

#[test]
fn m3_a_preflight_of_a_listed_origin_gets_its_own_name() {
    let cors = cors(&["https://other.example", SITE]);
    assert_eq!(options(&preflight(SITE, ""), &cors)["access-control-allow-origin"], SITE);
}

#[test]
fn m3_a_preflight_of_a_stranger_is_granted_nothing() {
    for stranger in
        ["https://evil.example", "null", "https://site.example.evil", "http://site.example"]
    {
        let headers = options(&preflight(stranger, "range"), &cors(&[SITE]));
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["vary"], "{stranger}");
    }
    let headers = options(&preflight(SITE, "range"), &cors(&[]));
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["vary"]);
}

#[test]
fn m3_a_players_own_header_is_repeated_and_a_credential_is_not() {
    let long = "x".repeat(REQUESTED_HEADER_BYTES_MAX + 1);
    let asked = format!("X-Player, Range, AUTHORIZATION, cookie, not a name, {long}, x-player");
    let headers = options(&preflight(SITE, &asked), &cors(&["*"]));
    let allowed = headers["access-control-allow-headers"].to_str().unwrap();
    assert_eq!(allowed, format!("{REQUEST_HEADERS}, x-player"));
}

#[test]
fn m3_a_flood_of_requested_headers_is_cut() {
    let asked: Vec<_> = (0..500).map(|n| format!("x-{n}")).collect();
    let headers = options(&preflight(SITE, &asked.join(",")), &cors(&["*"]));
    let allowed = headers["access-control-allow-headers"].to_str().unwrap();
    assert_eq!(
        allowed.split(", ").count(),
        REQUEST_HEADERS.split(", ").count() + REQUESTED_HEADERS_MAX
    );
}

#[test]
fn m4_a_public_answer_may_be_read_by_every_page() {
    let expected = [
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", EXPOSED),
        ("cross-origin-resource-policy", "cross-origin"),
        ("timing-allow-origin", "*"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    for headers in [&[("origin", SITE)][..], &[]] {
        assert_eq!(shown(&allowed(&ask(Method::GET, headers), &cors(&["*"]))), expected);
    }
}

#[test]
fn m4_a_listed_answer_names_its_reader_and_varies_for_everybody() {
    let cors = cors(&[SITE]);
    let headers = allowed(&ask(Method::GET, &[("origin", SITE)]), &cors);
    assert_eq!(headers["access-control-allow-origin"], SITE);
    assert_eq!(headers["timing-allow-origin"], SITE);
    assert_eq!(headers["vary"], "origin");
    assert!(!headers.contains_key("cross-origin-resource-policy"));

    for stranger in [&[("origin", "https://evil.example")][..], &[]] {
        let headers = allowed(&ask(Method::GET, stranger), &cors);
        assert_eq!(shown(&headers), [("vary".to_owned(), "origin".to_owned())]);
    }
}

#[test]
fn m4_a_closed_answer_says_nothing() {
    assert!(allowed(&ask(Method::GET, &[("origin", SITE)]), &cors(&[])).is_empty());
}

#[test]
fn m4_what_the_origin_server_allowed_does_not_survive() {
    let mut headers = HeaderMap::new();
    headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
    headers.insert("access-control-allow-credentials", HeaderValue::from_static("true"));
    headers.insert("vary", HeaderValue::from_static("Accept"));
    allow(&mut headers, &ask(Method::GET, &[("origin", "https://evil.example")]), &cors(&[SITE]));
    assert_eq!(shown(&headers), [("vary".to_owned(), "accept, origin".to_owned())]);
}

#[test]
fn every_exposed_and_allowed_name_is_a_header_name_given_once() {
    for list in [EXPOSED, REQUEST_HEADERS] {
        let mut names: Vec<HeaderName> =
            list.split(", ").map(|name| name.parse().unwrap()).collect();
        let given = names.len();
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        assert_eq!(names.len(), given, "{list}");
    }
}

proptest! {
    #[test]
    fn no_header_bytes_make_a_preflight_panic_or_grant_a_stranger(
        origin in proptest::collection::vec(0x20..=0xff_u8, 0..40),
        asked in proptest::collection::vec(0x20..=0xff_u8, 0..80),
    ) {
        let mut ask = preflight(SITE, "");
        if let (Ok(origin), Ok(asked)) = (HeaderValue::from_bytes(&origin), HeaderValue::from_bytes(&asked)) {
            ask.headers.insert(header::ORIGIN, origin);
            ask.headers.insert(header::ACCESS_CONTROL_REQUEST_HEADERS, asked);
        }
        prop_assert!(options(&ask, &cors(&["*"])).contains_key("access-control-allow-headers"));
        let known = ask.headers[header::ORIGIN] == SITE;
        let listed = options(&ask, &cors(&[SITE]));
        prop_assert_eq!(listed.contains_key("access-control-allow-origin"), known);
    }
}
