//! Keys of the two earlier video resizers, and earlier ones of this, kept only to fail with advice.

use super::walk::row;

/// Their key, and ours that took its place (or, where none did, what to do).
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("derivatives", "presets"),
    ("pathPatterns", "origins"),
    ("origins.items", "origins"),
    ("origins.enabled", "origins"),
    ("cdnCgi.basePath", "transformer.baseUrl"),
    ("passthrough.enabled", "passThrough.enabled"),
    ("passthrough.formats", "videoExtensions"),
    ("passthrough.whitelistedFormats", "videoExtensions"),
    ("logging.level", "log.level"),
    ("logging.format", "leave it out: a log line is always JSON"),
    ("lastUpdated", "version"),
    ("defaults", "presets"),
    ("storage", "origins"),
    ("container", "leave it out: there is no container here"),
    ("cdnCgiSizeLimit", "leave it out: the platform decides what it transforms"),
    ("bindingSizeLimit", "leave it out: the platform decides what it transforms"),
    ("asyncContainerThreshold", "leave it out: there is no container here"),
    ("video.derivatives", "presets"),
    ("video.origins", "origins"),
    ("video.pathPatterns", "origins"),
    ("video.defaults", "presets"),
    ("video.validOptions", "leave it out: the platform decides which values exist"),
    ("video.responsive", "responsive.buckets"),
    ("video.responsiveBreakpoints", "responsive.buckets"),
    ("video.paramMapping", "leave it out: every alias is always understood"),
    ("video.cdnCgi.basePath", "transformer.baseUrl"),
    ("video.passthrough.enabled", "passThrough.enabled"),
    ("video.passthrough.whitelistedFormats", "videoExtensions"),
    ("video.caching.method", "cache.kv"),
    ("video.caching.debug", "debug.enabled"),
    ("video.caching.fallback", "sources.fallbackToOriginal"),
    ("video.cache", "origins[].ttl.ok"),
    ("ttl.staleIfError", "staleIfError.ok"),
    ("origins[].ttl.staleIfError", "origins[].staleIfError.ok"),
    ("cache.method", "cache.edge"),
    ("cache.enableKVCache", "cache.kv"),
    ("cache.enableVersioning", "cache.version"),
    ("cache.enableCacheTags", "leave it out: every entry has its tags"),
    ("cache.cacheTagPrefix", "tags.prefix"),
    ("cache.ttl", "ttl.ok"),
    ("cache.defaultMaxAge", "ttl.ok"),
    ("cache.profiles", "origins[].ttl.ok"),
    ("cache.storeIndefinitely", "ttl.ok"),
    ("cache.refreshIndefiniteStorage", "ttl.ok"),
    ("cache.ttlRefresh", "ttl.ok"),
    ("cache.kvReadCacheTtl", "cache.kvCacheTtl"),
    ("cache.bypassQueryParameters", "bypass.parameters"),
    ("cache.bypassHeaderValue", "bypass.header"),
    ("cache.debug", "debug.enabled"),
    ("cache.maxSizeBytes", "leave it out: the platform's limits decide"),
    ("cache.mimeTypes", "leave it out: a rendition's type follows from its format"),
    ("cache.respectOriginHeaders", "leave it out: what an origin forbids to keep is not kept"),
    ("cache.cacheEverything", "leave it out: every good rendition is kept"),
    ("cache.purgeOnUpdate", "leave it out: purge by tag"),
    ("debug.verbose", "log.level"),
    ("debug.debugQueryParam", "leave it out: the parameter is always debug"),
    ("debug.allowedIps", "leave it out: holders of the admin token may debug"),
    ("responsive.breakpoints", "responsive.buckets"),
    ("responsive.defaultDerivative", "responsive.default"),
    ("responsive.deviceWidths", "responsive.mobile"),
    ("responsive.networkQuality", "responsive.slowDownlinkMbps"),
    ("responsive.availableQualities", "responsive.buckets"),
    ("origins[].matcher", "origins[].pattern"),
    ("origins[].captureGroups", "name the groups in the pattern itself: (?<name>…)"),
    ("origins[].baseUrl", "origins[].sources[].url"),
    ("origins[].originUrl", "origins[].sources[].url"),
    ("origins[].processPath", "origins[].sources[].url"),
    ("origins[].cacheTtl", "origins[].ttl.ok"),
    ("origins[].cacheControl", "origins[].ttl.ok"),
    ("origins[].useTtlByStatus", "leave it out: the status always decides"),
    ("origins[].cacheability", "origins[].cache.kv"),
    ("origins[].cacheTags", "origins[].tags"),
    ("origins[].videoCompression", "origins[].quality"),
    ("origins[].transformOptions", "presets"),
    ("origins[].transformationOverrides", "presets"),
    ("origins[].priority", "write the rules in their order"),
    ("origins[].sources[].type", "leave it out: every source has a url"),
    ("origins[].sources[].path", "origins[].sources[].url"),
    ("origins[].sources[].bucketBinding", "origins[].sources[].url"),
    ("origins[].sources[].headers", "origins[].sources[].auth.header"),
    ("origins[].sources[].auth.enabled", "leave auth out where there is none"),
    ("origins[].sources[].auth.token", "origins[].sources[].auth.secret"),
    ("origins[].sources[].auth.tokenVar", "origins[].sources[].auth.secret"),
    ("origins[].sources[].auth.tokenSecret", "origins[].sources[].auth.secret"),
    ("origins[].sources[].auth.headerName", "origins[].sources[].auth.header"),
    ("origins[].sources[].auth.tokenHeaderName", "origins[].sources[].auth.header"),
    ("origins[].sources[].auth.headers", "origins[].sources[].auth.header"),
    ("origins[].sources[].auth.accessKeyVar", "leave it out: requests are not signed here"),
    ("origins[].sources[].auth.secretKeyVar", "leave it out: requests are not signed here"),
    ("presets.*.compression", "presets.*.quality"),
    ("presets.*.filename", "leave it out: filename is a parameter of the request"),
    ("presets.*.loop", "leave it out: loop is a parameter of the request"),
    ("presets.*.autoplay", "leave it out: autoplay is a parameter of the request"),
    ("presets.*.muted", "leave it out: muted is a parameter of the request"),
    ("presets.*.preload", "leave it out: preload is a parameter of the request"),
];

/// What to do instead of a key of the predecessors.
pub(super) fn advice(old: &str) -> Option<String> {
    let (_, new) = RENAMED.iter().find(|(key, _)| *key == old)?;
    Some(advise(new))
}

/// What to do where a key of ours has the shape that a predecessor gave it.
pub(super) fn advice_below(pattern: &str) -> String {
    match below(pattern).first() {
        _ if pattern.rsplit('.').next() == Some("ttl") => {
            "give seconds for each class of status, as {\"ok\": 86400}".to_owned()
        }
        Some((_, new)) if row(new).is_some() => format!("write {{ … }}, or {}", advise(new)),
        _ => "write { … }".to_owned(),
    }
}

/// The keys of the predecessors under a path of theirs.
pub(super) fn below(old: &str) -> Vec<(&'static str, &'static str)> {
    let inside = |key: &str| key.strip_prefix(old).is_some_and(|rest| rest.starts_with('.'));
    RENAMED.iter().filter(|(key, _)| inside(key)).copied().collect()
}

fn advise(new: &str) -> String {
    match row(new) {
        Some(row) => format!("use {new}: {}", row.kind.wanted()),
        None => new.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table::KEYS;

    #[test]
    fn no_key_of_ours_is_called_renamed() {
        for (old, _) in RENAMED {
            assert!(row(old).is_none(), "{old} exists");
        }
    }

    #[test]
    fn what_looks_like_a_key_of_ours_is_one() {
        for (old, new) in RENAMED {
            let prose = new.contains(' ');
            assert!(prose || KEYS.iter().any(|key| key.path == *new), "{old} → {new}");
        }
    }
}
