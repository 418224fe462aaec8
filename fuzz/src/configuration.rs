//! The configuration document: any text, as the deployment or KV may hold it.

use std::collections::BTreeSet;

use video_resizer::config::{Config, ConfigError, ERRORS_MAX, Lifetimes, Ttl, layers};
use video_resizer::limits::{BUCKETS_MAX, ORIGINS_MAX, PRESETS_MAX, SOURCES_MAX, TTL_S_MAX};
use video_resizer::media::sources;
use video_resizer::request::path::SourcePath;

/// It is refused with reasons, or it is a configuration that requests can be read with.
pub fn holds(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match layers::assemble(Some(text), None) {
        Ok(config) => {
            keeps_its_promises(&config);
            serves(&config);
        }
        Err(errors) => says_why(&errors),
    }
    // A stored layer over nothing is the same document under another name.
    assert_eq!(
        layers::assemble(None, Some(text)).is_ok(),
        layers::assemble(Some(text), None).is_ok()
    );
}

fn says_why(errors: &[ConfigError]) {
    assert!((1..=ERRORS_MAX).contains(&errors.len()), "{} errors", errors.len());
    for ConfigError { key, found, wanted, advice } in errors {
        assert!(![key, found, wanted, advice].into_iter().any(String::is_empty), "{key}: {found}");
    }
}

fn keeps_its_promises(config: &Config) {
    let origins = &config.origins;
    assert!(origins.len() <= ORIGINS_MAX && config.presets.len() <= PRESETS_MAX);
    let names: BTreeSet<_> = origins.iter().map(|origin| origin.name.as_str()).collect();
    assert_eq!(names.len(), origins.len(), "two rules of one name share their keys");
    for origin in origins {
        assert!((1..=SOURCES_MAX).contains(&origin.sources.len()), "{origin:?}");
        let Lifetimes { fresh, stale_while_revalidate, stale_if_error } = origin.lifetimes;
        for Ttl { ok_s, redirects_s, client_error_s, server_error_s } in
            [fresh, stale_while_revalidate, stale_if_error]
        {
            let longest_s = ok_s.max(redirects_s).max(client_error_s).max(server_error_s);
            assert!(longest_s <= TTL_S_MAX, "{origin:?}");
        }
        assert!(
            (config.cache.kv || !origin.kv) && (config.cache.edge || !origin.edge),
            "{origin:?}"
        );
    }
    let responsive = &config.responsive;
    let buckets = &responsive.buckets;
    assert!((1..=BUCKETS_MAX).contains(&buckets.len()));
    assert!(buckets.is_sorted_by(|one, next| one.width < next.width), "{buckets:?}");
    for role in [
        responsive.default,
        responsive.mobile,
        responsive.tablet,
        responsive.desktop,
        responsive.slow,
    ] {
        assert!(role < buckets.len(), "{responsive:?}");
    }
    assert!(
        config.quality.low <= config.quality.medium && config.quality.medium <= config.quality.high
    );
}

/// Any configuration that is accepted can be lived with.
fn serves(config: &Config) {
    for path in ["/videos/a/b.mp4", "/a-20b%20c.MP4"] {
        let path = SourcePath::parse(path).expect("a good path");
        if let Some(origin) = sources::rule(&config.origins, &path) {
            let located = sources::locate(origin, &path, "https://videos.example.com");
            assert_eq!(
                located.len(),
                origin.sources.len(),
                "every template that is accepted makes a URL"
            );
        }
    }
    for query in
        ["", "width=640&height=360", "mode=frame&time=5s", "mode=audio", "imwidth=700&dpr=2"]
    {
        super::request::reads(query, &http::HeaderMap::new(), config);
    }
    for preset in config.presets.keys() {
        super::request::reads(&format!("derivative={preset}"), &http::HeaderMap::new(), config);
    }
}
