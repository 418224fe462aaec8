//! What of the configuration concerns the ledger's object.

use super::ports::ApiToken;
use crate::cache::freshness::extension_ms;
use crate::cache::ports::Secrets;
use crate::config::{Config, Lifetimes, Tags, Ttl};
use crate::limits::{PURGE_REMEMBERED_MS_MIN, PURGE_REMEMBERED_MS_SLACK};

/// Name of the secret that may purge the zone.
pub const TOKEN_SECRET: &str = "PURGE_API_TOKEN";

/// Where isolates look for the ledger first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// Its mirror in KV: near to every isolate, and late by a minute and a half.
    Kv,
    /// The object itself: late by seconds, and a request to it every few seconds from every isolate.
    Ledger,
}

/// What of the configuration concerns the ledger's object.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Milliseconds between two looks of an isolate.
    pub refresh_ms: u32,
    /// Where they look.
    pub read_from: ReadFrom,
    /// Milliseconds after which nothing is left that was kept before a purge.
    pub remembered_ms: u64,
    /// How cache tags begin.
    pub tags: Tags,
    /// Names of the origin rules.
    pub origins: Vec<String>,
    /// The zone that is purged as well.
    pub zone: Zone,
}

/// The zone's own cache.
#[derive(Debug, Clone)]
pub enum Zone {
    /// No zone is configured.
    Off,
    /// A zone is configured, and the secret is not set or cannot be sent.
    WithoutToken,
    /// It is purged.
    On {
        /// Where.
        url: String,
        /// The secret.
        token: ApiToken,
        /// Requests a minute, at least 1.
        per_minute: u64,
    },
}

impl Settings {
    /// Gathers them.
    pub fn of(config: &Config, secrets: &impl Secrets) -> Self {
        let lifetimes = config.origins.iter().map(|origin| &origin.lifetimes);
        let longest_ms =
            lifetimes.chain([&config.lifetimes]).map(kept_ms).max().unwrap_or_default();
        let zone = match &config.purge.zone_id {
            None => Zone::Off,
            Some(zone_id) => match secrets.secret(TOKEN_SECRET).and_then(ApiToken::new) {
                None => Zone::WithoutToken,
                Some(token) => Zone::On {
                    url: format!("{}/zones/{zone_id}/purge_cache", config.purge.api_url),
                    token,
                    per_minute: u64::from(config.purge.requests_per_minute.max(1)),
                },
            },
        };
        Self {
            refresh_ms: config.purge.refresh_ms,
            read_from: config.purge.read_from,
            remembered_ms: longest_ms.max(PURGE_REMEMBERED_MS_MIN) + PURGE_REMEMBERED_MS_SLACK,
            tags: config.tags.clone(),
            origins: config.origins.iter().map(|origin| origin.name.clone()).collect(),
            zone,
        }
    }
}

/// Milliseconds from a fill to the last moment at which what it made may be served: its lifetime, what it is good for
/// afterwards, and how long it may be extended.
fn kept_ms(lifetimes: &Lifetimes) -> u64 {
    let Lifetimes { fresh, stale_while_revalidate, stale_if_error } = lifetimes;
    let of = |class: fn(&Ttl) -> u64| {
        let whole = class(fresh) + class(stale_while_revalidate).max(class(stale_if_error));
        whole * 1_000
    };
    let classes: [fn(&Ttl) -> u64; 4] =
        [|ttl| ttl.ok_s, |ttl| ttl.redirects_s, |ttl| ttl.client_error_s, |ttl| ttl.server_error_s];
    let longest_ms = classes.into_iter().map(of).max().unwrap_or_default();
    longest_ms + extension_ms(longest_ms)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Pocket(Option<&'static str>);

    impl Secrets for Pocket {
        fn secret(&self, name: &str) -> Option<String> {
            (name == TOKEN_SECRET).then(|| self.0.map(str::to_owned))?
        }
    }

    fn settings(document: &str, secret: Option<&'static str>) -> Settings {
        let config = Config::check(&document).unwrap();
        Settings::of(&config, &Pocket(secret))
    }

    #[test]
    fn purges_are_remembered_longer_than_anything_any_origin_keeps() {
        let day_ms = 86_400_000;
        assert_eq!(settings("{}", None).remembered_ms, 401 * day_ms);
        let long = settings(
            r#"{"ttl":{"clientError":31536000},"staleWhileRevalidate":{"clientError":31536000}}"#,
            None,
        );
        assert_eq!(long.remembered_ms, (4 * 365 + 1) * day_ms);
    }

    #[test]
    fn a_zone_is_purged_where_both_its_id_and_the_secret_are_there() {
        let zone =
            r#"{"purge":{"zoneId":"0123456789abcdef0123456789abcdef","requestsPerMinute":300}}"#;
        assert!(matches!(settings("{}", Some("t")).zone, Zone::Off));
        assert!(matches!(settings(zone, None).zone, Zone::WithoutToken));
        assert!(matches!(settings(zone, Some("a b")).zone, Zone::WithoutToken));
        let Zone::On { url, token, per_minute } = settings(zone, Some("t")).zone else {
            unreachable!()
        };
        assert_eq!(
            (url.as_str(), token.reveal(), per_minute),
            (
                "https://api.cloudflare.com/client/v4/zones/0123456789abcdef0123456789abcdef/purge_cache",
                "t",
                300
            )
        );
    }
}
