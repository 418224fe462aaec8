#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::config::Config;
use crate::guard::address::Address;

fn origins(document: &Value) -> Vec<Origin> {
    Config::check(&json!({ "origins": document })).unwrap().origins
}

fn urls(origin: &Origin, raw: &str) -> Vec<String> {
    let path = SourcePath::parse(raw).unwrap();
    locate(origin, &path, "https://v.example").into_iter().map(|source| source.url).collect()
}

#[test]
fn captures_fill_a_template_in_every_spelling() {
    let origins = origins(&json!([{
        "name": "a", "pattern": "^/(?<year>\\d+)/(.+?)(-x)?\\.mp4$",
        "sources": [
            {"url": "https://one.example/${year}/$2.mp4"},
            {"url": "https://two.example/${1}-${2}$3/"},
            {"url": "{request-origin}/raw/$2"}
        ]
    }]));
    assert_eq!(
        urls(&origins[0], "/1999/a%20b.mp4"),
        [
            "https://one.example/1999/a%20b.mp4",
            "https://two.example/1999-a%20b/",
            "https://v.example/raw/a%20b"
        ]
    );
    assert_eq!(urls(&origins[0], "/other.mp4"), [""; 0], "what does not match has no sources");
}

#[test]
fn a_source_that_the_transformer_cannot_reach_is_relayed() {
    let origins = origins(&json!([{
        "name": "a", "pattern": "^/(.+)$", "sources": [
            {"url": "https://open.example/$1"},
            {"url": "https://closed.example/$1", "auth": {"type": "bearer", "secret": "S"}},
            {"url": "{request-origin}/$1"},
            {"url": "https://v.example/$1"}
        ]
    }]));
    let path = SourcePath::parse("/a.mp4").unwrap();
    let located = locate(&origins[0], &path, "https://V.example");
    let relayed: Vec<_> = located.iter().map(|it| (it.index, it.needs_relay())).collect();
    assert_eq!(relayed, [(0, false), (1, true), (2, true), (3, true)]);
}

#[test]
fn whether_a_source_is_on_the_host_that_is_asked_is_known_without_a_video() {
    for (url, is_here) in [
        ("https://open.example/$1", false),
        ("{request-origin}/$1?b=https://c.example", true),
        ("https://v.example/$1", true),
        ("https://v.example/a/$1?b=https://c.example", true),
        ("https://v.example:8443/$1", false),
        ("http://v.example/$1", false),
        ("https://v.example.org/$1", false),
    ] {
        let origins = origins(&json!([{
            "name": "a", "pattern": "^/(.+)$", "sources": [{"url": "https://w.example/$1"}, {"url": url}]
        }]));
        let located =
            locate(&origins[0], &SourcePath::parse("/a.mp4").unwrap(), "https://V.example");
        assert_eq!(located.iter().any(|it| it.own_host), is_here, "{url}");
        assert_eq!(are_on_host(&origins[0], "https://V.example"), is_here, "{url}");
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let origins = origins(&json!([
        {"name": "a", "pattern": "^/a/", "sources": [{"url": "https://a.example/x"}]},
        {"name": "b", "pattern": "mp4$", "sources": [{"url": "https://b.example/x"}]}
    ]));
    let name = |raw: &str| {
        rule(&origins, &SourcePath::parse(raw).unwrap()).map(|origin| origin.name.as_str())
    };
    assert_eq!(name("/a/x.mp4"), Some("a"));
    assert_eq!(name("/b/a/x.mp4"), Some("b"));
    assert_eq!(name("/x.mov"), None);
}

/// Secrets of a test.
struct Vault(&'static str);

impl Secrets for Vault {
    fn secret(&self, name: &str) -> Option<String> {
        (name == "S").then(|| self.0.to_owned())
    }
}

#[test]
fn credentials_are_spelled_as_the_scheme_wants_and_never_shown() {
    let secret = || "S".to_owned();
    for (auth, name, value) in [
        (SourceAuth::Bearer { secret: secret() }, "authorization", "Bearer user:pass"),
        (SourceAuth::Basic { secret: secret() }, "authorization", "Basic dXNlcjpwYXNz"),
        (
            SourceAuth::Header { header: "x-api-key".to_owned(), secret: secret() },
            "x-api-key",
            "user:pass",
        ),
    ] {
        let (sent, held) = credentials(&auth, &Vault(" user:pass\n")).unwrap();
        assert_eq!((sent.as_str(), held.to_str().unwrap()), (name, value));
        assert!(held.is_sensitive() && !format!("{held:?}").contains("pass"));
    }
}

#[test]
fn a_secret_that_is_missing_or_no_header_is_named_and_not_shown() {
    let missing = SourceAuth::Bearer { secret: "T".to_owned() };
    let fault = credentials(&missing, &Vault("x")).unwrap_err();
    assert_eq!(fault, Fault::SecretMissing("T".to_owned()));
    let odd = SourceAuth::Bearer { secret: "S".to_owned() };
    let fault = credentials(&odd, &Vault("a\nb")).unwrap_err();
    assert_eq!(fault, Fault::SecretMissing("S".to_owned()));
}

#[test]
fn the_origin_of_a_url_ends_where_its_path_begins() {
    for (url, origin) in [
        ("https://a.example/x", "https://a.example"),
        ("https://a.example:8/x", "https://a.example:8"),
        ("https://a.example", "https://a.example"),
        ("https://a.example?x", "https://a.example"),
        ("https://a.example#x", "https://a.example"),
    ] {
        assert_eq!(origin_of(url), origin);
    }
}

static FOLDER: LazyLock<Vec<Origin>> = LazyLock::new(|| {
    origins(&json!([{
        "name": "a", "pattern": "^/(.*)$", "sources": [{"url": "https://m.example/folder/$1"}]
    }]))
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_path_of_a_request_leaves_the_host_and_folder_of_a_template(
        raw in "/([a-c]|[./\\\\@:?#;]|%2[eEfF]|%5[cC]|%25|%2e%2e/|\\.\\./|//){0,12}",
    ) {
        if let Ok(path) = SourcePath::parse(&raw) {
            for source in locate(&FOLDER[0], &path, "https://v.example") {
                let (ours, oracle) = (Address::parse(&source.url).unwrap(), Url::parse(&source.url).unwrap());
                prop_assert_eq!(oracle.host_str(), Some("m.example"));
                prop_assert!(oracle.path().starts_with("/folder/"), "{}", oracle);
                prop_assert_eq!(ours.path(), oracle.path());
                prop_assert_eq!(oracle.query(), None);
            }
        }
    }
}
