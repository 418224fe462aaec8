//! What a configuration's author is told.

use serde_json::{Value, json};
use video_resizer::config::{Config, ERRORS_MAX};
use video_resizer::limits;

use crate::{base, error_at, errors, set, with};

#[test]
fn an_error_tells_key_value_bounds_and_advice() {
    let error = error_at(&json!({"ttl": {"ok": -5}}), "ttl.ok");
    assert_eq!(
        error.to_string(),
        "ttl.ok: -5 is not a whole number from 0 to 31536000 (seconds); \
         write a whole number, not negative"
    );
    let long = error_at(&json!({"version": "é ".repeat(99)}), "version");
    assert!(long.found.chars().count() < 70 && long.found.ends_with("…\""), "{}", long.found);
}

#[test]
fn all_errors_come_at_once_and_name_their_index() {
    let mut document = base();
    set(&mut document, "origins[0].sources[1].url", json!("ftp://x"));
    set(&mut document, "origins[1]", json!({"name": "a", "pattern": "(", "sources": []}));
    set(&mut document, "ttl.ok", json!("1d"));
    set(&mut document, "nonsense", json!(1));
    let keys: Vec<_> = errors(&document).into_iter().map(|error| error.key).collect();
    assert_eq!(
        keys,
        [
            "origins[0].sources[1].url",
            "origins[1].pattern",
            "origins[1].sources",
            "ttl.ok",
            "nonsense",
            "origins[1].name",
        ]
    );
}

#[test]
fn no_more_than_a_hundred_errors_are_told() {
    let many: Value = (0..1_000).map(|n| (format!("k{n}"), json!(n))).collect();
    assert_eq!(errors(&many).len(), ERRORS_MAX);
    let rules = Value::from(vec![json!({}); limits::ORIGINS_MAX]);
    assert_eq!(errors(&json!({"origins": rules})).len(), ERRORS_MAX);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    for (document, key, near) in [
        (json!({"origin": []}), "origin", "did you mean origins?"),
        (json!({"cache": {"KV": true}}), "cache.KV", "did you mean kv?"),
        (json!({"presets": {"x": {"widht": 1}}}), "presets.x.widht", "did you mean width?"),
        (
            json!({"ttl": {"success": 1}}),
            "ttl.success",
            "the keys here are ok, redirects, clientError, serverError",
        ),
    ] {
        assert_eq!(error_at(&document, key).advice, near);
    }
    assert!(error_at(&json!(7), "(document)").advice.contains('{'));
    assert!(error_at(&json!({"ttl": 7}), "ttl").wanted.contains("serverError"));
}

#[test]
fn the_keys_of_the_predecessors_fail_with_the_key_that_took_their_place() {
    for (document, key, new) in [
        (json!({"cache": {"enableKVCache": true}}), "cache.enableKVCache", "use cache.kv:"),
        (json!({"derivatives": {}}), "derivatives", "use presets:"),
        (json!({"cdnCgi": {"basePath": "/x"}}), "cdnCgi.basePath", "use transformer.baseUrl:"),
        (json!({"video": {"origins": []}}), "video.origins", "use origins:"),
        (
            json!({"video": {"cdnCgi": {"basePath": "/x"}}}),
            "video.cdnCgi.basePath",
            "use transformer.baseUrl:",
        ),
        (
            json!({"video": {"passthrough": {"enabled": true}}}),
            "video.passthrough.enabled",
            "use passThrough.enabled:",
        ),
        (json!({"origins": {"items": []}}), "origins", "use origins:"),
        (json!({"origins": [{"matcher": "x"}]}), "origins[0].matcher", "use origins[].pattern:"),
        (json!({"cache": {"ttl": {"ok": 1}}}), "cache.ttl", "use ttl.ok:"),
        (json!({"ttl": 86_400}), "ttl", "{\"ok\": 86400}"),
        (json!({"ttl": {"staleIfError": 1}}), "ttl.staleIfError", "use staleIfError.ok:"),
        (json!({"presets": {"x": {"loop": true}}}), "presets.x.loop", "loop is a parameter"),
        (
            json!({"origins": [{"sources": [{"auth": {"tokenVar": "T"}}]}]}),
            "origins[0].sources[0].auth.tokenVar",
            "use origins[].sources[].auth.secret:",
        ),
    ] {
        let advice = error_at(&document, key).advice;
        assert!(advice.contains(new), "{key}: {advice}");
    }
}

#[test]
fn a_secret_that_was_pasted_is_never_shown() {
    const PASTED: &str = "Bearer hunter2-hunter2";
    for key in [
        "origins[0].sources[0].auth.secret",
        "origins[0].sources[0].auth.token",
        "origins[0].sources[0].auth",
        "origins[0].name",
        "apiKey",
        "parameters",
    ] {
        let error = error_at(&with(key, json!(PASTED)), key);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    for url in [
        "ftp://me:hunter2@a.example/$1",
        "https://a.example/$9#?sig=hunter2",
        "https://me:hunter2@a.example/",
    ] {
        let error =
            error_at(&with("origins[0].sources[0].url", json!(url)), "origins[0].sources[0].url");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let error = error_at(
        &with("origins[0].sources[0].auth.secret", json!("x y")),
        "origins[0].sources[0].auth.secret",
    );
    assert!(error.advice.contains("wrangler secret put"), "{error:?}");
    // Nothing marks a short password: the place does.
    for key in ["origins[0].sources[0].auth.secret", "origins[0].sources[0].auth.value", "password"]
    {
        let error = error_at(&with(key, json!("hunter2")), key);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let token = "eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIxMjM0NTY3ODkwIn0";
    let error = error_at(&with("parameters", json!(token)), "parameters");
    assert!(!error.found.contains("eyJ"), "{error:?}");
}

#[test]
fn the_workers_own_secrets_are_sent_to_no_source_and_sign_no_url() {
    for name in [
        "ADMIN_TOKEN",
        "ADMIN_READ_TOKEN",
        "SOURCE_RELAY_KEY",
        "PURGE_API_TOKEN",
        "AUDIT_API_TOKEN",
    ] {
        let key = "origins[0].sources[0].auth.secret";
        let error = error_at(&with(key, json!(name)), key);
        assert!(error.advice.contains("its own"), "{name}: {error:?}");
        let errors = errors(&json!({"signing": {"keys": {"k1": name}}}));
        assert_eq!(errors[0].key, "signing.keys.k1", "{name}: {errors:?}");
    }
}

#[test]
fn a_way_around_the_caches_may_not_shadow_a_parameter() {
    for name in ["w", "width", "derivative", "debug", "im-density"] {
        let errors = errors(&json!({"bypass": {"parameters": {(name): "refresh"}}}));
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
        assert_eq!(errors[0].key, format!("bypass.parameters.{name}"));
    }
    assert!(Config::check(&json!({"bypass": {"parameters": {"fresh": "refresh"}}})).is_ok());
}
