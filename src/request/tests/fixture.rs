//! A configuration and requests for the tests of this module.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::{
    Bucket, BypassAction, Config, Origin, Preset, QualityCaps, Responsive, Strictness,
};
use crate::request::{
    self, Wanted,
    ask::Ask,
    query::Query,
    recipe::{Fit, Format, Mode, Quality},
    rejection::Rejection,
};
use crate::sorted::Sorted;

/// Four buckets, four presets; for the rest the defaults: strict, and the platform's limits.
pub(super) fn config() -> Config {
    static CONFIG: LazyLock<Config> = LazyLock::new(|| {
        let mut config = Config::defaults();
        config.presets = presets();
        config.responsive = responsive();
        config.quality = QualityCaps { low: 480, medium: 720, high: 1_080 };
        config.bypass.parameters.insert("nocache".to_owned(), BypassAction::Refresh);
        config
    });
    CONFIG.clone()
}

fn presets() -> Sorted<String, Preset> {
    Sorted::from_iter([
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
            "poster".to_owned(),
            Preset { format: Some(Format::Png), time_ms: Some(3_000), ..Preset::default() },
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

/// What is asked by a request, its query and all.
pub(super) fn asked(
    ask: &Ask,
    origin_quality: Option<Quality>,
    config: &Config,
) -> Result<Wanted, Rejection> {
    let origin = Origin { quality: origin_quality, ..config.origins[0].clone() };
    request::read(ask, &Query::parse(&ask.query)?, &origin, config)
}

/// What a query gives with [`config`] and no header.
pub(super) fn read(query: &str) -> Result<Wanted, Rejection> {
    asked(&ask(query, &[]), None, &config())
}

/// The recipe of a query as it stands in keys: `w=640:f=mp4`.
pub(super) fn key(wanted: Result<Wanted, Rejection>) -> String {
    match wanted {
        Ok(wanted) => spelled(&wanted),
        Err(rejection) => format!("{} {rejection}", rejection.status().as_u16()),
    }
}

pub(super) fn spelled(wanted: &Wanted) -> String {
    let options = wanted.recipe.options();
    options.map(|it| format!("{}={}", it.key, it.value)).collect::<Vec<_>>().join(":")
}

pub(super) fn notes(wanted: &Wanted) -> Vec<String> {
    wanted.notes.iter().map(ToString::to_string).collect()
}
