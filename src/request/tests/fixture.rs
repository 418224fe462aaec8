//! A configuration and requests for the tests of this module.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::{
    Access, Bucket, Bypass, BypassAction, Cache, Config, Cors, Debug, Headers, Limits, Log,
    LogLevel, PassThrough, Preset, QualityCaps, Responsive, SourcePolicy, Strictness, Tags,
    Transformer, Ttl,
};
use crate::request::{
    self, Wanted,
    ask::Ask,
    recipe::{Fit, Mode, Quality},
    rejection::Rejection,
};

/// Four buckets, three presets, the platform's limits, strict.
pub(super) fn config() -> Config {
    Config {
        version: String::new(),
        transformer: Transformer { base_url: None, relay_base_url: None, timeout_ms: 1 },
        video_extensions: vec!["mp4".to_owned()],
        pass_through: PassThrough { enabled: true, url: None },
        origins: Vec::new(),
        presets: presets(),
        responsive: responsive(),
        quality: QualityCaps { low: 480, medium: 720, high: 1_080 },
        limits: Limits {
            width_max: 2_000,
            height_max: 2_000,
            time_ms_max: 600_000,
            duration_ms_max: 60_000,
            image_count_max: 1_000,
        },
        parameters: Strictness::Strict,
        ttl: Ttl { ok_s: 0, redirects_s: 0, client_error_s: 0, server_error_s: 0 },
        cache: Cache {
            kv: true,
            edge: true,
            version: 0,
            jitter_percent: 0,
            kv_cache_ttl_s: 30,
            edge_timeout_ms: 1,
            kv_timeout_ms: 1,
            fill_on_head: false,
        },
        bypass: Bypass {
            access: Access::Open,
            parameters: BTreeMap::from([("nocache".to_owned(), BypassAction::Refresh)]),
            header: None,
            request_cache_control: false,
            debug: None,
        },
        tags: Tags { prefix: String::new(), extra: Vec::new() },
        headers: Headers { set: BTreeMap::new(), browser_max_age_s: None, predecessors: true },
        cors: Cors { allow_origins: Vec::new(), max_age_s: 0 },
        debug: Debug { enabled: false },
        sources: SourcePolicy { probe: false, fallback_to_original: true, timeout_ms: 1 },
        log: Log { level: LogLevel::Off },
    }
}

fn presets() -> BTreeMap<String, Preset> {
    BTreeMap::from([
        (
            "mobile".to_owned(),
            Preset {
                width: Some(640),
                height: Some(360),
                quality: Some(Quality::Low),
                ..Preset::default()
            },
        ),
        (
            "sheet".to_owned(),
            Preset {
                mode: Some(Mode::Spritesheet),
                image_count: Some(9),
                duration_ms: Some(10_000),
                ..Preset::default()
            },
        ),
        (
            "silent".to_owned(),
            Preset {
                audio: Some(false),
                fit: Some(Fit::Cover),
                duration_ms: Some(5_000),
                ..Preset::default()
            },
        ),
    ])
}

fn responsive() -> Responsive {
    let bucket = |name: &str, width, height| Bucket { name: name.to_owned(), width, height };
    Responsive {
        enabled: true,
        buckets: vec![
            bucket("small", 640, Some(360)),
            bucket("medium", 854, Some(480)),
            bucket("large", 1_280, None),
            bucket("full", 1_920, Some(1_080)),
        ],
        default: 1,
        mobile: 0,
        tablet: 2,
        desktop: 3,
        slow: 1,
        slow_downlink_mbps: 5,
    }
}

pub(super) fn lenient() -> Config {
    Config { parameters: Strictness::Lenient, ..config() }
}

pub(super) fn unresponsive() -> Config {
    let mut config = config();
    config.responsive.enabled = false;
    config
}

pub(super) fn ask(query: &str, headers: &[(HeaderName, &'static str)]) -> Ask {
    let value = |(name, value): &(HeaderName, &'static str)| {
        (name.clone(), HeaderValue::from_static(value))
    };
    Ask {
        method: Method::GET,
        scheme: "https".to_owned(),
        host: "videos.example.com".to_owned(),
        path: "/a.mp4".to_owned(),
        query: query.to_owned(),
        headers: headers.iter().map(value).collect::<HeaderMap>(),
    }
}

/// What a query gives with [`config`] and no header.
pub(super) fn read(query: &str) -> Result<Wanted, Rejection> {
    request::read(&ask(query, &[]), None, &config())
}

/// The recipe of a query as it stands in keys: `w=640:f=mp4`.
pub(super) fn key(wanted: Result<Wanted, Rejection>) -> String {
    match wanted {
        Ok(wanted) => spelled(&wanted),
        Err(rejection) => format!("{} {rejection}", rejection.status().as_u16()),
    }
}

pub(super) fn spelled(wanted: &Wanted) -> String {
    let options = wanted.recipe.options().into_iter();
    options.map(|it| format!("{}={}", it.key, it.value)).collect::<Vec<_>>().join(":")
}

pub(super) fn notes(wanted: &Wanted) -> Vec<String> {
    wanted.notes.iter().map(ToString::to_string).collect()
}
