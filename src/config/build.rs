//! A normalised document becomes a [`Config`]; keys that must agree with each other are compared here.

use super::check::{Errors, shown};
use super::reader::At;
use super::{
    Access, Admin, Bucket, Bypass, BypassAction, Cache, Coalescing, Config, Cors, Debug, Headers,
    Ladder, Lifetimes, Limits, Log, LogLevel, PassThrough, Preset, Purge, QualityCaps, RateLimit,
    Responsive, SourcePolicy, Strictness, Tags, Transformer, Ttl, guard, origins, reach,
};
use crate::json::Value;
use crate::purge::settings::ReadFrom;
use crate::request::parameter;
use crate::request::recipe::{Fit, Format, Mode, Quality};
use crate::sorted::Sorted;

/// Reads every key of the table.
pub(super) fn config(document: &Value, errors: &mut Errors) -> Config {
    let root = At::root(document);
    let lifetimes = lifetimes(&root, None);
    let cache = cache(&root.at("cache"));
    let limits = guard::limits(&root.at("limits"), None);
    let ladder = guard::ladder(&root.at("ladder"), None, errors);
    let inherited =
        Inherited { lifetimes: &lifetimes, cache: &cache, limits: &limits, ladder: &ladder };
    let origins = origins::origins(&root, &inherited, errors);
    let signing = guard::signing(&root.at("signing"), errors);
    guard::check_keys(&origins, &signing, errors);
    Config {
        version: root.text("version"),
        transformer: transformer(&root.at("transformer")),
        video_extensions: root.texts("videoExtensions"),
        pass_through: pass_through(&root.at("passThrough")),
        origins,
        presets: presets(&root, errors),
        responsive: responsive(&root.at("responsive"), errors),
        quality: quality_caps(&root.at("quality"), errors),
        limits,
        parameters: if root.text("parameters") == "lenient" {
            Strictness::Lenient
        } else {
            Strictness::Strict
        },
        signing,
        lifetimes,
        cache,
        purge: purge(&root.at("purge")),
        bypass: bypass(&root.at("bypass"), errors),
        tags: tags(&root.at("tags")),
        headers: headers(&root.at("headers")),
        cors: cors(&root.at("cors"), errors),
        debug: Debug { enabled: root.at("debug").flag("enabled") },
        sources: sources(&root, errors),
        rate_limit: RateLimit { misses: root.at("rateLimit").flag("misses") },
        admin: Admin { prefix: root.at("admin").text("prefix") },
        log: Log { level: log_level(&root.at("log").text("level")) },
    }
}

/// What fills in what an origin leaves out.
pub(super) struct Inherited<'a> {
    pub(super) lifetimes: &'a Lifetimes,
    pub(super) cache: &'a Cache,
    pub(super) limits: &'a Limits,
    pub(super) ladder: &'a Ladder,
}

/// Lifetimes; what an origin leaves out is the global one.
pub(super) fn lifetimes(at: &At<'_>, global: Option<&Lifetimes>) -> Lifetimes {
    Lifetimes {
        fresh: ttl(&at.at("ttl"), global.map(|global| &global.fresh)),
        stale_while_revalidate: ttl(
            &at.at("staleWhileRevalidate"),
            global.map(|global| &global.stale_while_revalidate),
        ),
        stale_if_error: ttl(&at.at("staleIfError"), global.map(|global| &global.stale_if_error)),
    }
}

fn ttl(at: &At<'_>, global: Option<&Ttl>) -> Ttl {
    Ttl {
        ok_s: at.number("ok").or(global.map(|ttl| ttl.ok_s)).unwrap_or_default(),
        redirects_s: at
            .number("redirects")
            .or(global.map(|ttl| ttl.redirects_s))
            .unwrap_or_default(),
        client_error_s: at
            .number("clientError")
            .or(global.map(|ttl| ttl.client_error_s))
            .unwrap_or_default(),
        server_error_s: at
            .number("serverError")
            .or(global.map(|ttl| ttl.server_error_s))
            .unwrap_or_default(),
    }
}

/// A quality by its word.
pub(super) fn quality(word: &str) -> Option<Quality> {
    Quality::ALL.into_iter().find(|quality| quality.as_str() == word)
}

fn transformer(at: &At<'_>) -> Transformer {
    Transformer {
        base_url: at.optional_text("baseUrl"),
        relay_base_url: at.optional_text("relayBaseUrl"),
        timeout_ms: at.required("timeoutMs"),
    }
}

fn pass_through(at: &At<'_>) -> PassThrough {
    PassThrough { enabled: at.flag("enabled"), url: at.optional_text("url") }
}

fn cache(at: &At<'_>) -> Cache {
    Cache {
        kv: at.flag("kv"),
        edge: at.flag("edge"),
        version: at.required("version"),
        jitter_percent: at.required("jitterPercent"),
        kv_cache_ttl_s: at.required("kvCacheTtl"),
        edge_timeout_ms: at.required("edgeTimeoutMs"),
        kv_timeout_ms: at.required("kvTimeoutMs"),
        write_timeout_ms: at.required("writeTimeoutMs"),
        single_bytes_max: at.required("singleBytesMax"),
        chunk_bytes: at.required("chunkBytes"),
        coalescing: Coalescing {
            enabled: at.flag("coalesce"),
            wait_ms: at.required("coalesceWaitMs"),
            timeout_ms: at.required("gateTimeoutMs"),
        },
        fill_on_head: at.flag("fillOnHead"),
    }
}

fn presets(root: &At<'_>, errors: &mut Errors) -> Sorted<String, Preset> {
    let mut presets = Sorted::default();
    for (name, at) in root.entries("presets") {
        let word = |key: &str| at.optional_text(key).unwrap_or_default();
        let preset = Preset {
            width: at.number("width"),
            height: at.number("height"),
            mode: Mode::ALL.into_iter().find(|mode| mode.as_str() == word("mode")),
            fit: Fit::ALL.into_iter().find(|fit| fit.as_str() == word("fit")),
            audio: at.optional_flag("audio"),
            format: Format::ALL.into_iter().find(|format| format.as_str() == word("format")),
            time_ms: at.number("time"),
            duration_ms: at.number("duration"),
            quality: quality(&word("quality")),
            image_count: at.number("imageCount"),
        };
        if errors.clean(at.path()) {
            check_preset(&at, &preset, errors);
        }
        presets.insert(name.to_owned(), preset);
    }
    presets
}

/// Refuses what means nothing in the preset's mode.
fn check_preset(at: &At<'_>, preset: &Preset, errors: &mut Errors) {
    let mode = preset.mode.unwrap_or(Mode::Video);
    let stray: &[(&str, bool)] = match mode {
        Mode::Video => &[("imageCount", preset.image_count.is_some())],
        Mode::Frame => &[
            ("audio", preset.audio.is_some()),
            ("duration", preset.duration_ms.is_some()),
            ("imageCount", preset.image_count.is_some()),
        ],
        Mode::Spritesheet => &[("audio", preset.audio.is_some())],
        Mode::Audio => &[
            ("width", preset.width.is_some()),
            ("height", preset.height.is_some()),
            ("fit", preset.fit.is_some()),
            ("quality", preset.quality.is_some()),
            ("audio", preset.audio == Some(false)),
            ("imageCount", preset.image_count.is_some()),
        ],
    };
    let formats: &[Format] = match mode {
        Mode::Video => &[Format::Mp4],
        Mode::Frame => &[Format::Jpg, Format::Png],
        Mode::Spritesheet => &[Format::Jpg],
        Mode::Audio => &[Format::M4a],
    };
    let format = preset.format.is_some_and(|format| !formats.contains(&format));
    let wrong = stray.iter().filter(|(_, wrong)| *wrong).map(|(key, _)| *key);
    for key in wrong.chain(format.then_some("format")) {
        let value = at.value(key).unwrap_or(&Value::Null);
        let path = format!("{}.{key}", at.path());
        errors.push(
            &path,
            shown(&path, value),
            format!("possible in mode `{}`", mode.as_str()),
            "leave it out (null where a default preset has it), or write the mode it belongs to"
                .to_owned(),
        );
    }
}

fn responsive(at: &At<'_>, errors: &mut Errors) -> Responsive {
    let buckets: Vec<Bucket> = at
        .elements("buckets")
        .into_iter()
        .map(|at| Bucket {
            name: at.text("name"),
            width: at.required("width"),
            height: at.number("height"),
        })
        .collect();
    let comparable = errors.clean("responsive.buckets");
    if comparable {
        check_buckets(&buckets, errors);
    }
    let mut role = |key: &str| {
        let name = at.text(key);
        let index = buckets.iter().position(|bucket| bucket.name == name);
        let path = format!("responsive.{key}");
        if index.is_none() && comparable && errors.clean(&path) {
            let names: Vec<_> = buckets.iter().map(|bucket| bucket.name.as_str()).collect();
            errors.push(
                &path,
                format!("\"{name}\""),
                "the name of a bucket".to_owned(),
                format!("write one of {}", names.join(", ")),
            );
        }
        index.unwrap_or_default()
    };
    Responsive {
        enabled: at.flag("enabled"),
        default: role("default"),
        mobile: role("mobile"),
        tablet: role("tablet"),
        desktop: role("desktop"),
        slow: role("slow"),
        slow_downlink_mbps: at.required("slowDownlinkMbps"),
        buckets,
    }
}

fn check_buckets(buckets: &[Bucket], errors: &mut Errors) {
    for (index, bucket) in buckets.iter().enumerate() {
        let before = buckets.get(..index).unwrap_or_default();
        if before.iter().any(|other| other.name == bucket.name) {
            errors.push(
                &format!("responsive.buckets[{index}].name"),
                format!("\"{}\"", bucket.name),
                "unique".to_owned(),
                "give every bucket its own name".to_owned(),
            );
        }
        if let Some(last) = before.last()
            && last.width >= bucket.width
        {
            errors.push(
                &format!("responsive.buckets[{index}].width"),
                bucket.width.to_string(),
                format!("larger than the {} before it", last.width),
                "write the buckets ascending by width, each width once".to_owned(),
            );
        }
    }
}

fn quality_caps(at: &At<'_>, errors: &mut Errors) -> QualityCaps {
    let caps = QualityCaps {
        low: at.required("low"),
        medium: at.required("medium"),
        high: at.required("high"),
    };
    for (key, small, large) in
        [("quality.medium", caps.low, caps.medium), ("quality.high", caps.medium, caps.high)]
    {
        if errors.clean("quality") && small > large {
            errors.push(
                key,
                large.to_string(),
                format!("at least the {small} of the quality below it"),
                "let low, medium and high ascend".to_owned(),
            );
        }
    }
    caps
}

fn bypass(at: &At<'_>, errors: &mut Errors) -> Bypass {
    for (name, _) in at.entries("parameters") {
        if parameter::find(name).is_some() {
            errors.push(
                &format!("bypass.parameters.{name}"),
                name.to_owned(),
                "a name that no parameter of the URL has".to_owned(),
                "choose another name, or a rendition would be made around the caches by asking for it"
                    .to_owned(),
            );
        }
    }
    let action = |word: &str| BypassAction::ALL.into_iter().find(|action| action.as_str() == word);
    let parameters = at.entries("parameters").into_iter();
    let parameters =
        parameters.filter_map(|(name, at)| Some((name.to_owned(), action(&at.own_text())?)));
    Bypass {
        access: match at.text("access").as_str() {
            "open" => Access::Open,
            "token" => Access::Token,
            _ => Access::Off,
        },
        parameters: parameters.collect(),
        header: at.optional_text("header"),
        request_cache_control: at.flag("requestCacheControl"),
        debug: at.optional_text("debug").and_then(|word| action(&word)),
    }
}

fn purge(at: &At<'_>) -> Purge {
    Purge {
        refresh_ms: at.required("refreshMs"),
        read_from: if at.text("readFrom") == "ledger" { ReadFrom::Ledger } else { ReadFrom::Kv },
        zone_id: at.optional_text("zoneId"),
        account_id: at.optional_text("accountId"),
        requests_per_minute: at.required("requestsPerMinute"),
        api_url: at.text("apiUrl"),
    }
}

fn tags(at: &At<'_>) -> Tags {
    Tags { prefix: at.text("prefix"), extra: at.texts("extra") }
}

fn headers(at: &At<'_>) -> Headers {
    let set = at.entries("set").into_iter();
    Headers {
        set: set.map(|(name, at)| (name.to_owned(), at.own_text())).collect(),
        browser_max_age_s: at.number("browserMaxAge"),
        predecessors: at.flag("predecessors"),
    }
}

fn cors(at: &At<'_>, errors: &mut Errors) -> Cors {
    let allow_origins = at.texts("allowOrigins");
    if allow_origins.len() > 1 && allow_origins.iter().any(|origin| origin == "*") {
        errors.push(
            "cors.allowOrigins",
            format!("a list of {}", allow_origins.len()),
            "`*` alone or sites alone".to_owned(),
            "leave out the `*`, or everything else".to_owned(),
        );
    }
    Cors { allow_origins, max_age_s: at.required("maxAge") }
}

fn sources(root: &At<'_>, errors: &mut Errors) -> SourcePolicy {
    let at = root.at("sources");
    SourcePolicy {
        reach: reach::reach(root, errors),
        probe: at.flag("probe"),
        fallback_to_original: at.flag("fallbackToOriginal"),
        timeout_ms: at.required("timeoutMs"),
        revalidate_after_s: at.required("revalidateAfter"),
    }
}

fn log_level(word: &str) -> LogLevel {
    match word {
        "off" => LogLevel::Off,
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "debug" => LogLevel::Debug,
        _ => LogLevel::Info,
    }
}
