//! Every configuration key, once: kind, bounds, default, meaning.
//!
//! The same rows parse a document, check it, fill it in and document it: no other place knows a default or a bound.

use super::kind::{Chars, Kind, REQUEST_HEADERS_OURS, RESPONSE_HEADERS_OURS};
use crate::limits;
use crate::prose::Prose;

/// One key of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Where it stands: `ttl.ok`; `[]` is any element of a list, `*` any key of a map.
    pub path: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// What stands there when the document says nothing.
    pub fallback: Fallback,
    /// One sentence for the operator.
    pub meaning: Prose,
}

/// The value of a key that a document leaves out.
#[derive(Debug, Clone, Copy)]
pub enum Fallback {
    /// The document must say it.
    Required,
    /// Nothing.
    Nothing,
    /// The value of another key.
    Inherits(&'static str),
    /// A switch.
    Bool(bool),
    /// A number.
    Integer(u64),
    /// A text.
    Text(&'static str),
    /// A text; `null` in the document switches it off.
    TextOrNull(&'static str),
    /// A list or a map, as JSON.
    Json(&'static str),
}

const fn key(path: &'static str, kind: Kind, fallback: Fallback, meaning: &'static str) -> Key {
    Key { path, kind, fallback, meaning: Prose::new(meaning) }
}

const fn text(bytes_max: usize, chars: Chars) -> Kind {
    Kind::Text { bytes_max, chars }
}

const fn integer(min: u64, max: u64, unit: &'static str) -> Kind {
    Kind::Integer { min, max, unit }
}

const fn list(count_min: usize, count_max: usize) -> Kind {
    Kind::List { count_min, count_max }
}

/// Bytes of a name: it stands in keys, tags and headers beside much else.
const NAME_BYTES_MAX: usize = 32;
/// Bytes of a tag of the operator's: ten of them and ours share 1,024 bytes of metadata.
const EXTRA_TAG_BYTES_MAX: usize = 32;
/// Tags of the operator's, on everything and again on an origin: with ours they stay within `limits::TAGS_MAX`.
const EXTRA_TAGS_MAX: usize = 5;
/// Bytes put before every tag.
const TAG_PREFIX_BYTES_MAX: usize = 16;
/// Bytes of the id of a zone or an account: 32 hex digits.
const ACCOUNT_ID_BYTES_MAX: usize = 32;
/// Extensions that are compared with every path.
const EXTENSIONS_MAX: usize = 32;
/// Query parameters that lead around the caches.
const BYPASS_PARAMETERS_MAX: usize = 16;
/// Headers set on every rendition.
const SET_HEADERS_MAX: usize = 32;
/// Web origins compared with every `Origin` header.
const ALLOW_ORIGINS_MAX: usize = 64;
/// Bytes of the folder of the operator's API.
const ADMIN_PREFIX_BYTES_MAX: usize = 64;
/// Levels of source priority.
const PRIORITY_MAX: u64 = 1_000;
/// Mbit/s above which no line is slow.
const DOWNLINK_MBPS_MAX: u64 = 1_000;

const NAME: Kind = text(NAME_BYTES_MAX, Chars::Name);
const TAG: Kind = text(EXTRA_TAG_BYTES_MAX, Chars::Tag);
const SIDE: Kind = integer(limits::SIDE_PX_MIN as u64, limits::SIDE_PX_MAX as u64, "pixels");
const LIFETIME: Kind = integer(0, limits::TTL_S_MAX, "seconds");
const START: Kind = Kind::Time { min_ms: 0, max_ms: limits::TIME_MS_MAX };
const LENGTH: Kind =
    Kind::Time { min_ms: limits::DURATION_MS_MIN, max_ms: limits::DURATION_MS_MAX };
const STEP: Kind = Kind::Time { min_ms: 0, max_ms: limits::DURATION_MS_MAX };
const RUNGS: Kind = list(0, limits::LADDER_MAX);
const PICTURES: Kind = integer(1, limits::IMAGE_COUNT_MAX as u64, "pictures");
const QUALITY: Kind = Kind::Words(&["low", "medium", "high"]);
const ACTION: Kind = Kind::Words(&["refresh", "around", "around-kv", "around-edge"]);
const TIER_WAIT: Kind = integer(10, 30_000, "milliseconds");
const OFF_OR_ON: Kind = Kind::Bool;

/// Every parameter of the URL that can change what is made, by its canonical name.
const PARAMETERS: Kind = Kind::Words(&[
    "width",
    "height",
    "mode",
    "fit",
    "audio",
    "format",
    "quality",
    "time",
    "duration",
    "imageCount",
    "derivative",
    "dpr",
    "imwidth",
    "imheight",
    "im-viewwidth",
    "im-viewheight",
    "im-density",
]);

use Fallback::{Bool, Inherits, Integer, Json, Nothing, Required, Text, TextOrNull};

/// Every key.
#[rustfmt::skip] // one row reads as one row
pub const KEYS: &[Key] = &[
    key("version", text(64, Chars::Printable), Text(""),
        "A name of yours for this document, shown in logs."),

    key("transformer.baseUrl", Kind::BaseUrl, Nothing,
        "Where renditions are made, as `https://zone/cdn-cgi/media`; left out, it is `/cdn-cgi/media` on the request's own host."),
    key("transformer.relayBaseUrl", Kind::BaseUrl, Nothing,
        "Where the transformer reaches this worker to relay a private source; left out, it is the request's own host."),
    key("transformer.timeoutMs", integer(1_000, 300_000, "milliseconds"), Integer(60_000),
        "How long the first byte of a rendition may take."),

    key("videoExtensions", list(1, EXTENSIONS_MAX), Json(r#"["mp4","m4v","mov","webm"]"#),
        "Which paths are videos to resize; the platform promises MP4 with H.264, the others may work."),
    key("videoExtensions[]", text(8, Chars::Extension), Required,
        "A file extension without its dot."),
    key("passThrough.enabled", OFF_OR_ON, Bool(true),
        "Whether any other path is passed to the origin untouched; `false` answers 404."),
    key("passThrough.url", Kind::HostUrl, Nothing,
        "Scheme and host that get such a request; left out, it goes on to its own URL."),

    key("origins", list(1, limits::ORIGINS_MAX),
        Json(r#"[{"name":"default","pattern":"^/(.+)$","sources":[{"url":"{request-origin}/$1"}]}]"#),
        "Rules in order; the first whose pattern matches the path decides."),
    key("origins[].name", NAME, Required,
        "Name of the rule in keys, tags, headers and logs; unique."),
    key("origins[].pattern", Kind::Pattern, Required,
        "Searched in the path, which begins with `/`; its groups are the captures of the source URLs."),
    key("origins[].sources", list(1, limits::SOURCES_MAX), Required,
        "Where the video may come from; the next is tried when one fails."),
    key("origins[].sources[].url", Kind::Template, Required,
        "Address of the video; `$1`, `${1}` and `${name}` are captures, `{request-origin}` at its beginning is the request's own scheme and host."),
    key("origins[].sources[].priority", integer(0, PRIORITY_MAX, ""), Integer(0),
        "The lowest is tried first; equals are tried as written."),
    key("origins[].sources[].auth.type", Kind::Words(&["bearer", "basic", "header"]), Nothing,
        "How the source is told the secret."),
    key("origins[].sources[].auth.secret", Kind::Secret, Nothing,
        "Name of the secret that holds the credential (for `basic` it holds `user:password`); never the credential."),
    key("origins[].sources[].auth.header", Kind::HeaderName { refused: REQUEST_HEADERS_OURS }, Nothing,
        "The header that carries the secret, for type `header`."),
    key("origins[].ttl.ok", LIFETIME, Inherits("ttl.ok"), "Lifetime of a 2xx of this origin."),
    key("origins[].ttl.redirects", LIFETIME, Inherits("ttl.redirects"), "Lifetime of a 3xx of this origin."),
    key("origins[].ttl.clientError", LIFETIME, Inherits("ttl.clientError"), "Lifetime of a 4xx of this origin."),
    key("origins[].ttl.serverError", LIFETIME, Inherits("ttl.serverError"), "Lifetime of a 5xx of this origin."),
    key("origins[].staleWhileRevalidate.ok", LIFETIME, Inherits("staleWhileRevalidate.ok"), "The same window for a 2xx of this origin."),
    key("origins[].staleWhileRevalidate.redirects", LIFETIME, Inherits("staleWhileRevalidate.redirects"), "For a 3xx of this origin."),
    key("origins[].staleWhileRevalidate.clientError", LIFETIME, Inherits("staleWhileRevalidate.clientError"), "For a 4xx of this origin."),
    key("origins[].staleWhileRevalidate.serverError", LIFETIME, Inherits("staleWhileRevalidate.serverError"), "For a 5xx of this origin."),
    key("origins[].staleIfError.ok", LIFETIME, Inherits("staleIfError.ok"), "The same window for a 2xx of this origin."),
    key("origins[].staleIfError.redirects", LIFETIME, Inherits("staleIfError.redirects"), "For a 3xx of this origin."),
    key("origins[].staleIfError.clientError", LIFETIME, Inherits("staleIfError.clientError"), "For a 4xx of this origin."),
    key("origins[].staleIfError.serverError", LIFETIME, Inherits("staleIfError.serverError"), "For a 5xx of this origin."),
    key("origins[].cache.kv", OFF_OR_ON, Bool(true),
        "`false` keeps this origin out of Workers KV."),
    key("origins[].cache.edge", OFF_OR_ON, Bool(true),
        "`false` keeps this origin out of the Cache API."),
    key("origins[].quality", QUALITY, Nothing,
        "Quality of a request that names none."),
    key("origins[].tags", list(0, EXTRA_TAGS_MAX), Json("[]"),
        "More cache tags on every rendition of this origin."),
    key("origins[].tags[]", TAG, Required, "A cache tag."),
    key("origins[].access", Kind::Words(&["open", "signed", "signed-or-preset", "presets"]), Text("open"),
        "What a viewer needs: nothing; a signed URL; a signed URL for all but presets and the sizes chosen for the viewer; nothing, but there is nothing else than those."),
    key("origins[].parameters.allow", list(0, 32), Nothing,
        "The parameters that may change what is made; any other is a bad one. Left out, all may."),
    key("origins[].parameters.allow[]", PARAMETERS, Required, "A parameter, by the first of its names."),
    key("origins[].limits.widthMax", SIDE, Inherits("limits.widthMax"), "Largest width of this origin, presets and buckets included."),
    key("origins[].limits.heightMax", SIDE, Inherits("limits.heightMax"), "Largest height of this origin."),
    key("origins[].limits.timeMax", START, Inherits("limits.timeMax"), "Latest start of this origin."),
    key("origins[].limits.durationMax", LENGTH, Inherits("limits.durationMax"), "Longest clip of this origin."),
    key("origins[].limits.imageCountMax", PICTURES, Inherits("limits.imageCountMax"), "Most pictures on a spritesheet of this origin."),
    key("origins[].ladder.widths", RUNGS, Inherits("ladder.widths"), "The ladder of widths of this origin; an empty one leaves them free."),
    key("origins[].ladder.widths[]", SIDE, Required, "A width."),
    key("origins[].ladder.heights", RUNGS, Inherits("ladder.heights"), "The same for heights."),
    key("origins[].ladder.heights[]", SIDE, Required, "A height."),
    key("origins[].ladder.timeStep", STEP, Inherits("ladder.timeStep"), "The step of starts of this origin; 0 leaves them free."),
    key("origins[].ladder.durationStep", STEP, Inherits("ladder.durationStep"), "The same for lengths."),

    key("presets", Kind::Map { count_max: limits::PRESETS_MAX, keys: &text(NAME_BYTES_MAX, Chars::Parameter) }, Json(r#"{
        "high": {"width": 1920, "height": 1080},
        "medium": {"width": 1280, "height": 720},
        "low": {"width": 854, "height": 480},
        "mobile": {"width": 640, "height": 360},
        "thumbnail": {"mode": "frame", "width": 320, "height": 180, "format": "jpg"},
        "animation": {"width": 480, "height": 270, "audio": false},
        "preview": {"width": 480, "height": 270, "duration": "5s", "audio": false}}"#),
        "Named recipes for `derivative=` and `impolicy=`; a parameter of the request wins over the preset's."),
    key("presets.*.width", SIDE, Nothing, "Width."),
    key("presets.*.height", SIDE, Nothing, "Height."),
    key("presets.*.mode", Kind::Words(&["video", "frame", "spritesheet", "audio"]), Nothing,
        "Kind of rendition; left out, the preset is a video's."),
    key("presets.*.fit", Kind::Words(&["contain", "scale-down", "cover"]), Nothing,
        "How the picture meets a box of another shape."),
    key("presets.*.audio", OFF_OR_ON, Nothing, "Whether sound is kept."),
    key("presets.*.format", Kind::Words(&["mp4", "jpg", "png", "m4a"]), Nothing,
        "File format; it must be one its mode has."),
    key("presets.*.time", START, Nothing, "Where it starts."),
    key("presets.*.duration", LENGTH, Nothing, "How long it is."),
    key("presets.*.quality", QUALITY, Nothing, "Cap of the resolution, by name."),
    key("presets.*.imageCount", PICTURES, Nothing, "Pictures on a spritesheet."),

    key("responsive.enabled", OFF_OR_ON, Bool(true),
        "Whether a request without a size gets one that suits the viewer; `false` keeps the source's size."),
    key("responsive.buckets", list(1, limits::BUCKETS_MAX), Json(r#"[
        {"name": "360p", "width": 640, "height": 360},
        {"name": "480p", "width": 854, "height": 480},
        {"name": "720p", "width": 1280, "height": 720},
        {"name": "1080p", "width": 1920, "height": 1080}]"#),
        "The only sizes such a request can get, ascending by width; each is stored on its own."),
    key("responsive.buckets[].name", NAME, Required, "Name of the size in headers and logs; unique."),
    key("responsive.buckets[].width", SIDE, Required, "Width."),
    key("responsive.buckets[].height", SIDE, Nothing, "Height; left out, the shape is kept."),
    key("responsive.default", NAME, Text("480p"), "Bucket of a viewer of whom nothing is known."),
    key("responsive.mobile", NAME, Text("360p"), "Bucket of phones."),
    key("responsive.tablet", NAME, Text("720p"), "Bucket of tablets."),
    key("responsive.desktop", NAME, Text("720p"), "Bucket of everything with a desk."),
    key("responsive.slow", NAME, Text("480p"),
        "The largest bucket of a viewer who saves data or has a slow line."),
    key("responsive.slowDownlinkMbps", integer(0, DOWNLINK_MBPS_MAX, "Mbit/s"), Integer(5),
        "A line under it is slow."),

    key("quality.low", SIDE, Integer(360), "Height that `quality=low` allows at the most."),
    key("quality.medium", SIDE, Integer(720), "Height that `quality=medium` allows at the most."),
    key("quality.high", SIDE, Integer(1_080), "Height that `quality=high` allows at the most."),
    key("limits.widthMax", SIDE, Integer(limits::SIDE_PX_MAX as u64), "Largest width a viewer may ask; a larger preset or bucket is made smaller."),
    key("limits.heightMax", SIDE, Integer(limits::SIDE_PX_MAX as u64), "Largest height a viewer may ask; the same for presets and buckets."),
    key("limits.timeMax", START, Text("10m"), "Latest start a viewer may ask; a preset's later one becomes this."),
    key("limits.durationMax", LENGTH, Text("60s"), "Longest clip a viewer may ask; a preset's longer one becomes this."),
    key("limits.imageCountMax", PICTURES, Integer(100), "Most pictures a viewer may ask on a spritesheet; a preset's larger number becomes this."),
    key("ladder.widths", RUNGS, Json("[]"),
        "The only widths that are made of those asked freely, ascending: the next one up, the largest for anything above. Empty leaves them free."),
    key("ladder.widths[]", SIDE, Required, "A width."),
    key("ladder.heights", RUNGS, Json("[]"), "The same for heights."),
    key("ladder.heights[]", SIDE, Required, "A height."),
    key("ladder.timeStep", STEP, Text("0s"), "A start that is asked goes back to a multiple of it; 0 leaves it free."),
    key("ladder.durationStep", STEP, Text("0s"), "A length that is asked grows to a multiple of it, or to its limit; 0 leaves it free."),
    key("signing.keys", Kind::Map { count_max: limits::SIGNING_KEYS_MAX, keys: &NAME }, Json("{}"),
        "The keys that sign URLs: the id that stands in the URL as `kid`, to the name of the secret. Several count side by side."),
    key("signing.keys.*", Kind::Secret, Required,
        "Name of the secret that holds the key, at least 16 bytes; never the key."),
    key("signing.requireExpiry", OFF_OR_ON, Bool(true),
        "Whether a signed URL must say in `exp` when it ends."),
    key("signing.expiresMax", LIFETIME, Integer(0),
        "How far in the future that may lie; 0 is no bound."),
    key("parameters", Kind::Words(&["strict", "lenient"]), Text("strict"),
        "A bad parameter is refused with 400 (`strict`), or ignored with a warning header (`lenient`)."),

    key("ttl.ok", LIFETIME, Integer(86_400), "Lifetime of a 2xx."),
    key("ttl.redirects", LIFETIME, Integer(3_600), "Lifetime of a 3xx."),
    key("ttl.clientError", LIFETIME, Integer(60), "Lifetime of a 4xx."),
    key("ttl.serverError", LIFETIME, Integer(10), "Lifetime of a 5xx."),
    key("staleWhileRevalidate.ok", LIFETIME, Integer(3_600),
        "How long past its lifetime a 2xx in KV is served at once while it is renewed behind the viewer's back."),
    key("staleWhileRevalidate.redirects", LIFETIME, Integer(0), "The same for a remembered 3xx."),
    key("staleWhileRevalidate.clientError", LIFETIME, Integer(0), "The same for a remembered 4xx."),
    key("staleWhileRevalidate.serverError", LIFETIME, Integer(0), "The same for a remembered 5xx."),
    key("staleIfError.ok", LIFETIME, Integer(86_400),
        "How long past its lifetime a 2xx in KV is still served when a new one fails with a server error."),
    key("staleIfError.redirects", LIFETIME, Integer(0), "The same for a remembered 3xx."),
    key("staleIfError.clientError", LIFETIME, Integer(0), "The same for a remembered 4xx."),
    key("staleIfError.serverError", LIFETIME, Integer(0), "The same for a remembered 5xx."),
    key("cache.kv", OFF_OR_ON, Bool(true), "Whether renditions are kept in Workers KV."),
    key("cache.edge", OFF_OR_ON, Bool(true), "Whether renditions are kept in the Cache API."),
    key("cache.version", integer(0, u32::MAX as u64, ""), Integer(0),
        "Another number forgets everything that is stored."),
    key("cache.jitterPercent", integer(0, 50, "percent"), Integer(5),
        "How much of a lifetime entries are shortened by, each differently, so that they do not expire together."),
    key("cache.kvCacheTtl", integer(limits::KV_CACHE_TTL_S_MIN, 86_400, "seconds"), Integer(60),
        "How long a data centre may answer a KV read from its own copy."),
    key("cache.edgeTimeoutMs", TIER_WAIT, Integer(1_000), "A slower Cache API read is a miss."),
    key("cache.kvTimeoutMs", TIER_WAIT, Integer(2_000),
        "A slower KV read is a miss. A body that stalls for so long breaks off; not one that a viewer gets whole, as it comes from one value."),
    key("cache.writeTimeoutMs", integer(100, 30_000, "milliseconds"), Integer(5_000),
        "A write to either tier that takes nothing for so long is given up."),
    key("cache.singleBytesMax", integer(65_536, limits::KV_VALUE_BYTES_MAX, "bytes"), Integer(limits::KV_VALUE_BYTES_MAX),
        "A larger body is kept in KV in chunks."),
    key("cache.chunkBytes", integer(65_536, limits::KV_VALUE_BYTES_MAX, "bytes"), Integer(8 * 1024 * 1024),
        "Size of a chunk; two are held while a body is written."),
    key("cache.coalesce", OFF_OR_ON, Bool(true),
        "Whether cold requests for one rendition wait for the first of them, where the binding `FILL_GATE` exists."),
    key("cache.coalesceWaitMs", integer(100, 120_000, "milliseconds"), Integer(60_000),
        "How long such a request waits before it makes the rendition itself."),
    key("cache.gateTimeoutMs", TIER_WAIT, Integer(1_000), "A slower answer of the gate is none, and the request goes alone."),
    key("cache.fillOnHead", OFF_OR_ON, Bool(false),
        "Whether HEAD of a rendition never made makes it, and pays for it."),

    key("purge.refreshMs", integer(1_000, 60_000, "milliseconds"), Integer(5_000),
        "How often an isolate looks, behind the viewer's back, whether something was purged."),
    key("purge.readFrom", Kind::Words(&["kv", "ledger"]), Text("kv"),
        "Where it looks first: in KV, late by a minute and a half at the most, or at the ledger's object itself, late by seconds; where that cannot be read, at the other."),
    key("purge.zoneId", text(ACCOUNT_ID_BYTES_MAX, Chars::Name), Nothing,
        "Zone whose cache is purged by the same call, where the secret `PURGE_API_TOKEN` is set; left out, no zone is."),
    key("purge.accountId", text(ACCOUNT_ID_BYTES_MAX, Chars::Name), Nothing,
        "Account whose audit log is read every minute for purges of `purge.zoneId` that were made in Cloudflare's dashboard or API, with the secret `AUDIT_API_TOKEN` or else `PURGE_API_TOKEN`; left out, none is."),
    key("purge.requestsPerMinute", integer(1, 3_000, ""), Integer(5),
        "Requests a minute to the zone's purge API: 5 on the Free plan, 300 on Pro, 600 on Business, 3000 on Enterprise, for all that purge in the account."),
    key("purge.apiUrl", Kind::BaseUrl, Text("https://api.cloudflare.com/client/v4"),
        "Where Cloudflare's API is."),

    key("bypass.access", Kind::Words(&["open", "token", "off"]), Text("token"),
        "Who may read around the caches: anybody, holders of the admin token, nobody."),
    key("bypass.parameters", Kind::Map { count_max: BYPASS_PARAMETERS_MAX, keys: &text(32, Chars::Parameter) },
        Json(r#"{"nocache": "refresh", "bypass": "around", "no-kv-cache": "around-kv", "no-edge-cache": "around-edge"}"#),
        "Query parameters that lead around the caches; `null` removes one."),
    key("bypass.parameters.*", ACTION, Required,
        "What it does: make anew and keep, make anew and keep nothing, leave KV alone, leave the Cache API alone."),
    key("bypass.header", Kind::HeaderName { refused: REQUEST_HEADERS_OURS }, TextOrNull("x-bypass-cache"),
        "Request header whose value names one of these actions; `null` for none."),
    key("bypass.requestCacheControl", OFF_OR_ON, Bool(true),
        "Whether `Cache-Control: no-cache` in a request refreshes and `no-store` goes around."),
    key("bypass.debug", ACTION, Nothing,
        "What `?debug` does to the caches, for those who may debug; left out, it leaves them alone."),

    key("tags.prefix", text(TAG_PREFIX_BYTES_MAX, Chars::Tag), Text(""), "Put before every cache tag."),
    key("tags.extra", list(0, EXTRA_TAGS_MAX), Json("[]"), "More cache tags on every rendition."),
    key("tags.extra[]", TAG, Required, "A cache tag."),
    key("headers.set",
        Kind::Map { count_max: SET_HEADERS_MAX, keys: &Kind::HeaderName { refused: RESPONSE_HEADERS_OURS } },
        Json("{}"), "Headers set on every rendition."),
    key("headers.set.*", Kind::HeaderValue, Required, "The header's value."),
    key("headers.browserMaxAge", LIFETIME, Nothing,
        "Cap of the `max-age` that viewers see; left out, they see the remaining lifetime."),
    key("headers.predecessors", OFF_OR_ON, Bool(true),
        "Whether `X-Cache-Key`, `X-Origin` and the other headers of the earlier video resizers are sent."),
    key("cors.allowOrigins", list(0, ALLOW_ORIGINS_MAX), Json(r#"["*"]"#),
        "Sites whose scripts may read renditions; an empty list is none."),
    key("cors.allowOrigins[]", Kind::WebOrigin, Required, "A site, or `*` alone for all."),
    key("cors.maxAge", integer(0, 86_400, "seconds"), Integer(86_400), "How long a preflight may be remembered."),
    key("debug.enabled", OFF_OR_ON, Bool(false),
        "Whether `?debug=view` answers everybody; `false` answers holders of the admin token only."),
    key("sources.allow", list(0, limits::ALLOW_MAX), Json("[]"),
        "Where sources may be, and where their redirects may lead; empty, it is the hosts that the templates of `origins` name, and the request's own where a template has `{request-origin}`."),
    key("sources.allow[]", Kind::BaseUrl, Required,
        "Covers this scheme, host and port, and the path by whole segments: `/a` covers `/a` and `/a/b`, not `/ab`."),
    key("sources.allowPrivate", OFF_OR_ON, Bool(false),
        "Whether sources, the transformer and `passThrough.url` may be on loopback and private addresses and on local names; link-local and reserved addresses never are."),
    key("sources.probe", OFF_OR_ON, Bool(true),
        "Whether a source is asked beside a transform for its length, to recognise an original that came back untransformed, and for its validators, to ask it later whether it has changed."),
    key("sources.fallbackToOriginal", OFF_OR_ON, Bool(true),
        "Whether the original is served when no rendition could be made."),
    key("sources.timeoutMs", integer(100, 60_000, "milliseconds"), Integer(10_000),
        "How long a source's headers may take."),
    key("sources.revalidateAfter", LIFETIME, Integer(0),
        "How often a source is asked, behind the viewer's back, whether it has changed since a rendition in use was made of it; 0 asks only when the rendition has expired."),
    key("rateLimit.misses", OFF_OR_ON, Bool(true),
        "Whether what neither tier has is limited for each viewer, where the binding `MISS_LIMIT` exists; its numbers are in `wrangler.jsonc`."),
    key("admin.prefix", text(ADMIN_PREFIX_BYTES_MAX, Chars::Folder), Text("/_resizer"),
        "Where the operator's API is, for holders of its tokens; relayed sources stay below `/_resizer/source/`."),
    key("log.level", Kind::Words(&["off", "error", "warn", "info", "debug"]), Text("info"),
        "Nothing below it is written."),
];
