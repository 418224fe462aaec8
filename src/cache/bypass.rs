//! Ways around the caches. An open one is a way to spend someone's money, so each is configured, and by
//! default reserved for holders of the admin token.

use http::header;

use crate::config::{Access, Bypass as BypassConfig, BypassAction};
use crate::request::ask::Ask;
use crate::request::query::Query;

/// What a request does to a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Whether it is looked up.
    pub read: bool,
    /// Whether what is made is kept.
    pub write: bool,
}

/// What a request does to both tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bypass {
    /// The Cache API.
    pub edge: Use,
    /// Workers KV.
    pub kv: Use,
    /// Something was asked that this viewer may not.
    pub refused: bool,
}

/// Nothing is bypassed.
pub const NONE: Bypass = Bypass {
    edge: Use { read: true, write: true },
    kv: Use { read: true, write: true },
    refused: false,
};

/// Reads what the request asks: URL parameters first, then the configured header, then `Cache-Control`,
/// then debugging. `query` is that of `ask`.
pub fn decide(
    ask: &Ask,
    query: &Query<'_>,
    config: &BypassConfig,
    is_admin: bool,
    is_debugging: bool,
) -> Bypass {
    let Some(action) = asked(ask, query, config, is_debugging) else { return NONE };
    let allowed = match config.access {
        Access::Open => true,
        Access::Token => is_admin,
        Access::Off => false,
    };
    if !allowed {
        // A browser's reload says `no-cache`; that is no attempt worth a warning.
        return Bypass { refused: action.1, ..NONE };
    }
    apply(action.0)
}

/// The action, and whether it was asked on purpose.
fn asked(
    ask: &Ask,
    query: &Query<'_>,
    config: &BypassConfig,
    is_debugging: bool,
) -> Option<(BypassAction, bool)> {
    if let Some(action) = query.pairs().find_map(|pair| config.of_parameter(&pair.name)) {
        return Some((action, true));
    }
    if let Some(action) = config.header.as_deref().and_then(|name| by_header(ask, name)) {
        return Some((action, true));
    }
    if config.request_cache_control
        && let Some(action) = by_cache_control(ask)
    {
        return Some((action, false));
    }
    config.debug.filter(|_| is_debugging).map(|action| (action, true))
}

fn by_header(ask: &Ask, name: &str) -> Option<BypassAction> {
    let value = ask.headers.get(name)?.to_str().ok()?;
    BypassAction::ALL.into_iter().find(|action| action.as_str().eq_ignore_ascii_case(value.trim()))
}

fn by_cache_control(ask: &Ask) -> Option<BypassAction> {
    let value = ask.header(&header::CACHE_CONTROL)?.to_ascii_lowercase();
    let mut directives = value.split(',').map(str::trim);
    directives.find_map(|directive| match directive {
        "no-store" => Some(BypassAction::Around),
        "no-cache" | "max-age=0" => Some(BypassAction::Refresh),
        _ => None,
    })
}

const fn apply(action: BypassAction) -> Bypass {
    let used = Use { read: true, write: true };
    let unused = Use { read: false, write: false };
    let renewed = Use { read: false, write: true };
    let (edge, kv) = match action {
        BypassAction::Refresh => (renewed, renewed),
        BypassAction::Around => (unused, unused),
        BypassAction::AroundKv => (used, unused),
        BypassAction::AroundEdge => (unused, used),
    };
    Bypass { edge, kv, refused: false }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::{HeaderName, HeaderValue, Method};

    use super::*;
    use crate::config::Config;

    fn ask(headers: &[(&'static str, &str)]) -> Ask {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        Ask {
            method: Method::GET,
            scheme: "https".to_owned(),
            host: "v.example".to_owned(),
            path: "/a.mp4".to_owned(),
            query: String::new(),
            headers: headers.collect(),
        }
    }

    fn open() -> BypassConfig {
        BypassConfig { access: Access::Open, ..Config::defaults().bypass }
    }

    #[test]
    fn every_action_uses_each_tier_as_it_says() {
        for (action, edge, kv) in [
            ("refresh", (false, true), (false, true)),
            ("around", (false, false), (false, false)),
            ("around-kv", (true, true), (false, false)),
            ("around-edge", (false, false), (true, true)),
            ("AROUND", (false, false), (false, false)),
            ("nonsense", (true, true), (true, true)),
            ("", (true, true), (true, true)),
        ] {
            let ask = ask(&[("x-bypass-cache", action)]);
            let bypass = decide(&ask, &Query::default(), &open(), false, false);
            assert_eq!((bypass.edge.read, bypass.edge.write), edge, "{action}");
            assert_eq!((bypass.kv.read, bypass.kv.write), kv, "{action}");
            assert!(!bypass.refused);
        }
    }

    #[test]
    fn who_may_not_is_told_only_when_it_was_asked_on_purpose() {
        let on_purpose = ask(&[("x-bypass-cache", "around")]);
        let reload = ask(&[("cache-control", "no-cache")]);
        for (access, is_admin, may) in [
            (Access::Open, false, true),
            (Access::Token, true, true),
            (Access::Token, false, false),
            (Access::Off, true, false),
        ] {
            let config = BypassConfig { access, ..open() };
            let bypass = decide(&on_purpose, &Query::default(), &config, is_admin, false);
            assert_eq!((bypass.edge.read, bypass.refused), (!may, !may), "{access:?}");
            let bypass = decide(&reload, &Query::default(), &config, is_admin, false);
            assert_eq!((bypass.edge.read, bypass.refused), (!may, false), "{access:?}");
        }
    }

    #[test]
    fn nothing_asked_is_nothing_bypassed() {
        assert_eq!(decide(&ask(&[]), &Query::parse("w=1&h=2").unwrap(), &open(), true, true), NONE);
    }
}
