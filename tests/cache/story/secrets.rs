//! Secrets stay where they are needed: in the one request that carries them.

use serde_json::json;

use crate::fakes::log::Ear;
use crate::fakes::upstream::{Making, Source};
use crate::fakes::viewer::{ADMIN_TOKEN, House, Seen, get, head};

const SECRETS: [(&str, &str); 4] = [
    ("BEARER", "s3cr3t-bearer-token"),
    ("BASIC", "user:s3cr3t-password"),
    ("KEYED", "s3cr3t-api-key"),
    ("SOURCE_RELAY_KEY", "s3cr3t-relay-key-of-length"),
];
/// What `BASIC` looks like on the wire.
const BASIC_ON_THE_WIRE: &str = "dXNlcjpzM2NyM3QtcGFzc3dvcmQ=";

fn house() -> House {
    let house = House::new(&json!({"origins": [{
        "name": "vault", "pattern": "^/(.+)$", "sources": [
            {"url": "https://one.example/$1", "auth": {"type": "bearer", "secret": "BEARER"}},
            {"url": "https://two.example/$1", "auth": {"type": "basic", "secret": "BASIC"}},
            {"url": "https://three.example/$1",
             "auth": {"type": "header", "header": "x-api-key", "secret": "KEYED"}}
        ]
    }]}));
    for (name, value) in SECRETS {
        house.host.secrets.borrow_mut().insert(name.to_owned(), value.to_owned());
    }
    house
}

fn is_silent(text: &str) -> bool {
    SECRETS.iter().all(|(_, value)| !text.contains(value))
        && !text.contains(ADMIN_TOKEN)
        && !text.contains(BASIC_ON_THE_WIRE)
        && !text.contains("a-viewers-own-token")
}

#[test]
fn every_source_gets_its_own_credentials_and_no_other() {
    let house = house();
    house.host.upstream.makes(Making::WrongType);
    house.host.upstream.sources_are(|_| Source::Missing);
    house.get("/a.mp4?width=640");
    for call in house.host.upstream.calls.borrow().iter() {
        let sent: Vec<_> = call
            .headers
            .iter()
            .filter(|(_, value)| value.is_sensitive())
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        let expected = match call.url.split('/').nth(2).unwrap() {
            "one.example" => vec!["authorization: Bearer s3cr3t-bearer-token".to_owned()],
            "two.example" => vec![format!("authorization: Basic {BASIC_ON_THE_WIRE}")],
            "three.example" => vec!["x-api-key: s3cr3t-api-key".to_owned()],
            // The transformer is told nothing, and its redirects are the viewer's to follow.
            _ => vec![],
        };
        assert_eq!(sent, expected, "{}", call.url);
        assert!(!call.url.contains("s3cr3t"), "{}", call.url);
    }
}

#[test]
fn no_answer_and_no_line_of_the_log_holds_a_secret() {
    let askings = || {
        vec![
            get("/a.mp4?width=640").by_operator(),
            get("/a.mp4?width=640&debug=view").by_operator(),
            get("/a.mp4?width=640&token=a-viewers-own-token"),
            get("/a.mp4?width=640&bypass=1").by_operator(),
            get("/a.mp4?width=5").by_operator(),
            head("/a.mp4?width=320").by_operator(),
            get("/_resizer/source/x/vault/0/a.mp4").by_operator(),
        ]
    };
    for making in [Making::Good, Making::WrongType, Making::Status(503), Making::SaysError(9404)] {
        for source in [Source::Holds, Source::Missing] {
            let house = house();
            house.host.upstream.makes(making);
            house.host.upstream.sources_are(move |_| source);
            for asking in askings() {
                let (seen, log): (Seen, String) = Ear::listen(|| house.send(&asking));
                assert!(log.contains("status="), "one line a request: {log}");
                assert!(is_silent(&log), "{asking:?}: {log}");
                let headers = format!("{:?}", seen.headers);
                assert!(is_silent(&headers), "{asking:?}: {headers}");
                assert!(is_silent(&String::from_utf8_lossy(&seen.bytes)), "{asking:?}");
                assert!(is_silent(&format!("{:?}", seen.faults)), "{asking:?}");
            }
            assert!(is_silent(&format!("{:?}{:?}", house.host.kv.kept, house.host.edge.kept)));
        }
    }
}

#[test]
fn the_log_says_in_one_line_what_happened() {
    let house = House::plain();
    let (_, log) = Ear::listen(|| house.get("/a.mp4?width=640"));
    assert_eq!(log.lines().count(), 1, "{log}");
    for part in [
        "method=GET",
        "host=\"v.example\"",
        "path=\"/a.mp4\"",
        "status=200",
        "phase=\"miss\"",
        "origin=\"default\"",
        "key=\"video:a.mp4:w=640:f=mp4\"",
        "total_ms=40",
        "stored",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    let (_, log) = Ear::listen(|| house.passes(&get("/index.html")));
    assert!(log.contains("phase=\"pass-through\""), "{log}");
}
