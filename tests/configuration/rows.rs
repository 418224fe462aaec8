//! Every row of the table has an effect, and holds its bounds.

use serde_json::{Value, json};
use video_resizer::config::table::{Fallback, KEYS};
use video_resizer::config::{Chars, Config, ConfigError, Kind};

use crate::{base, error_at, errors, place, set, with};

/// Whether the row itself takes a value, whatever other keys say to it.
fn takes(row: &str, kind: &Kind, value: Value) -> bool {
    let key = place(row);
    let own = |error: &ConfigError| error.key == key && error.wanted == kind.wanted();
    !errors(&with(&key, value)).iter().any(own)
}

#[test]
fn every_row_is_read_and_changes_the_configuration() {
    let source = json!({"url": "https://c.example/$1"});
    let other = |row: &str, kind: &Kind| match (row, kind) {
        ("origins", _) => {
            json!([{"name": "b", "pattern": "/", "sources": [{"url": "https://a.example/x"}]}])
        }
        ("origins[].sources", _) => json!([source]),
        ("responsive.buckets", _) => json!([{"name": "s", "width": 64}]),
        ("cors.allowOrigins" | "sources.allow", _) => json!([]),
        ("presets", _) => json!({"y": {}}),
        ("headers.set", _) => json!({"y": "2"}),
        ("bypass.parameters", _) => json!({"y": "refresh"}),
        ("signing.keys", _) => json!({"y": "S"}),
        ("origins[].access", _) => json!("presets"),
        ("origins[].parameters.allow[]", _) => json!("height"),
        ("origins[].parameters.allow", _) => json!(["height"]),
        (
            "responsive.default" | "responsive.mobile" | "responsive.tablet" | "responsive.desktop"
            | "responsive.slow",
            _,
        ) => json!("l"),
        ("cache.kvCacheTtl", _) => json!(31),
        ("presets.*.format", _) => json!("mp4"),
        ("presets.*.audio", _) => json!(false),
        ("transformer.timeoutMs", _) => json!(1_234),
        ("quality.high" | "responsive.buckets[].width", _) => json!(150),
        ("quality.medium", _) => json!(500),
        (row, Kind::Bool) => json!(!matches!(
            KEYS.iter().find(|key| key.path == row).unwrap().fallback,
            Fallback::Bool(true)
        )),
        (_, Kind::Integer { min, .. }) => json!(min + 1),
        (_, Kind::Time { .. }) => json!("2s"),
        ("parameters", _) => json!("lenient"),
        ("purge.readFrom", _) => json!("ledger"),
        ("admin.prefix", _) => json!("/z9"),
        ("origins[].sources[].auth.type", _) => json!("basic"),
        (_, Kind::Words(words)) => json!(words[0]),
        (_, Kind::Pattern) => json!("^/x/(.+)$"),
        (_, Kind::Template) => json!("https://d.example/$1"),
        (_, Kind::BaseUrl | Kind::HostUrl | Kind::WebOrigin) => json!("https://e.example"),
        (row, Kind::List { .. }) if row.contains("ladder") => json!([11, 12]),
        (_, Kind::List { .. }) => json!(["zz"]),
        (_, Kind::Secret) => json!("Z9"),
        _ => json!("z9"),
    };
    for row in KEYS {
        let mut before = base();
        match row.path {
            "origins[].sources[].auth.header" => {
                set(&mut before, "origins[0].sources[0].auth.type", json!("header"));
                set(&mut before, "origins[0].sources[0].auth.header", json!("x-a"));
            }
            "presets.*.imageCount" => set(&mut before, "presets.x.mode", json!("spritesheet")),
            // The origin's own would hide it.
            path if path.starts_with("ladder.") => {
                set(&mut before, "origins[0].ladder", Value::Null);
            }
            "quality.high" => set(&mut before, "quality", json!({"low": 10, "medium": 10})),
            _ => {}
        }
        let mut after = before.clone();
        let key = match row.path {
            "responsive.buckets[].name" => "responsive.buckets[1].name".to_owned(), // no role names it
            path => place(path),
        };
        set(&mut after, &key, other(row.path, &row.kind));
        let read = |document| format!("{:?}", Config::check(document).expect(row.path));
        assert_ne!(read(&before), read(&after), "{} changes nothing", row.path);
    }
}

#[test]
fn every_word_has_a_meaning_of_its_own() {
    for row in KEYS {
        let Kind::Words(words) = row.kind else { continue };
        let read = |word: &&str| Config::check(&with(&place(row.path), json!(word))).ok();
        let mut meanings: Vec<_> =
            words.iter().filter_map(read).map(|config| format!("{config:?}")).collect();
        let count = meanings.len();
        meanings.sort();
        meanings.dedup();
        assert_eq!(meanings.len(), count, "two words of {} mean the same", row.path);
        let possible = match row.path {
            "presets.*.format" => 1,              // only mp4 suits the base's mode
            "origins[].sources[].auth.type" => 2, // `header` wants one
            _ => words.len(),
        };
        assert_eq!(count, possible, "{}", row.path);
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table of good and bad values
fn every_bound_holds_from_both_sides() {
    for row in KEYS {
        let takes = |value| takes(row.path, &row.kind, value);
        let (good, bad): (Vec<Value>, Vec<Value>) = match row.kind {
            Kind::Bool => (vec![json!(true), json!(false)], vec![json!("true"), json!(1)]),
            Kind::Integer { min, max, .. } => (
                vec![json!(min), json!(max)],
                vec![
                    json!(max + 1),
                    json!(-1),
                    json!(min.wrapping_sub(1)),
                    json!("7"),
                    json!(1e300),
                ],
            ),
            Kind::Time { min_ms, max_ms } => (
                vec![
                    json!(format!("{min_ms}ms")),
                    json!(format!("{max_ms}ms")),
                    json!(2.3),
                    json!("2.5s"),
                    json!("0.5m"),
                    json!(2),
                ],
                vec![
                    json!(format!("{}ms", max_ms + 1)),
                    json!(format!("{}ms", f64::from(min_ms) - 1.0)),
                    json!("2"),
                    json!("2h"),
                    json!("s"),
                    json!("-2s"),
                    json!("infs"),
                    json!("NaNs"),
                    json!("2.0005s"),
                    json!("1e1s"),
                    json!(1e300),
                    json!(""),
                    json!(true),
                ],
            ),
            Kind::Words(words) => (
                words.iter().map(|word| json!(word)).collect(),
                vec![json!(words[0].to_uppercase()), json!(""), json!("nonsense")],
            ),
            Kind::Text { bytes_max, chars: Chars::Folder } => (
                vec![json!(format!("/{}", "a".repeat(bytes_max - 1))), json!("/a")],
                vec![json!(format!("/{}", "a".repeat(bytes_max))), json!("a"), json!("/a/")],
            ),
            Kind::Text { bytes_max, .. } => (
                vec![json!("a".repeat(bytes_max)), json!("a")],
                vec![json!("a".repeat(bytes_max + 1)), json!("\u{e9}"), json!("a\n")],
            ),
            Kind::Secret => (
                vec![json!("A"), json!("A_1"), json!("A".repeat(64))],
                vec![json!(""), json!("1A"), json!("a"), json!("A b"), json!("A".repeat(65))],
            ),
            Kind::Pattern => (
                vec![json!("^/(a|b)/(.*)$"), json!("(.)".repeat(170))],
                vec![
                    json!("("),
                    json!("(?=a)"),
                    json!("(a)\\1"),
                    json!("a".repeat(513)),
                    json!("\\w{999}{999}"),
                    json!("a{9999}"),
                ],
            ),
            Kind::Template => (
                vec![
                    json!("{request-origin}/x"),
                    json!(format!("https://a.example/{}", "a".repeat(1_006))),
                ],
                vec![
                    json!("https://$1/"),
                    json!(format!("https://a.example/{}", "a".repeat(1_007))),
                ],
            ),
            Kind::BaseUrl => (
                vec![json!("http://127.0.0.1:8788/cdn-cgi/media/"), json!("https://a.example")],
                vec![
                    json!("/cdn-cgi/media"),
                    json!("https://a.example?x"),
                    json!(format!("https://a/{}", "a".repeat(1_024))),
                ],
            ),
            Kind::HostUrl => {
                (vec![json!("https://a.example/")], vec![json!("*"), json!("https://a.example/x")])
            }
            Kind::WebOrigin => (
                vec![json!("*")],
                vec![json!("null"), json!("a.example"), json!("https://a.example/x")],
            ),
            Kind::HeaderName { refused } => (
                vec![json!("X-Mine"), json!("a".repeat(64))],
                vec![
                    json!(""),
                    json!("a b"),
                    json!("a:"),
                    json!("a".repeat(65)),
                    json!(refused[0]),
                    json!(refused[1].to_uppercase()),
                ],
            ),
            Kind::HeaderValue => (
                vec![json!("a b"), json!("a".repeat(1_024))],
                vec![json!("a\r\nb"), json!("\u{e9}"), json!("a".repeat(1_025))],
            ),
            Kind::List { count_min, count_max } => (
                vec![Value::from(vec![json!("x"); count_max])],
                [Value::from(vec![json!("x"); count_max + 1]), json!("x"), json!({})]
                    .into_iter()
                    .chain((count_min > 0).then(|| json!([])))
                    .collect(),
            ),
            Kind::Map { count_max, .. } => {
                let map =
                    |count| (0..count).map(|n| (format!("x{n}"), json!({}))).collect::<Value>();
                (vec![map(count_max)], vec![map(count_max + 1), json!([]), json!("x")])
            }
        };
        for value in good {
            assert!(takes(value.clone()), "{} = {value} is refused", row.path);
        }
        for value in bad {
            assert!(!takes(value.clone()), "{} = {value} is taken", row.path);
        }
    }
}

#[test]
fn null_is_the_same_as_leaving_out_but_switches_the_bypass_header_off() {
    for row in KEYS {
        let key = place(row.path);
        let result = Config::check(&with(&key, Value::Null));
        match row.fallback {
            Fallback::Required if row.path.ends_with('*') => assert!(result.is_ok(), "{key}"),
            Fallback::Required => drop(error_at(&with(&key, Value::Null), &key)),
            _ if key.contains(".auth.") || key == "responsive.buckets" => {} // half an auth, roles without buckets
            _ if key.starts_with("responsive.") => {} // its default names no bucket of the base
            Fallback::Nothing
            | Fallback::Inherits(_)
            | Fallback::Bool(_)
            | Fallback::Integer(_)
            | Fallback::Text(_)
            | Fallback::TextOrNull(_)
            | Fallback::Json(_) => {
                assert!(result.is_ok(), "{key}: {:?}", result.err());
            }
        }
    }
    assert_eq!(Config::check(&json!({"bypass": {"header": null}})).unwrap().bypass.header, None);
    assert!(
        !Config::check(&json!({"presets": {"high": null}})).unwrap().presets.contains_key("high")
    );
}
