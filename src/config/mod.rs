//! What the operator decided: raw JSON in, a checked [`Config`] out, or every error at once.
//!
//! [`table`] names every key with its kind, bounds, default and meaning; [`Config::check`] walks a document
//! along it. Nothing else in the house parses configuration.

mod address;
mod build;
mod check;
mod guard;
mod kind;
pub mod layers;
pub mod live;
mod origins;
pub mod pattern;
mod reach;
mod reader;
#[cfg(not(target_family = "wasm"))]
pub mod reference;
mod renamed;
pub mod table;
pub mod template;
mod time;
mod walk;

pub use check::{ConfigError, ERRORS_MAX};
pub use guard::{Ladder, OriginAccess, Signing};
pub use kind::{Chars, Kind};

use self::pattern::Pattern;
use crate::guard::reach::Reach;
use crate::purge::settings::ReadFrom;
use crate::request::recipe::{Fit, Format, Mode, Quality};
use crate::sorted::Sorted;

/// A configuration that has been checked whole; there is no other way to get one than [`Config::check`].
#[derive(Debug, Clone)]
pub struct Config {
    /// A name of the operator's for this document, shown in logs; empty when not given.
    pub version: String,
    /// Where renditions are made.
    pub transformer: Transformer,
    /// Lower-case file extensions, without dot, that are videos to resize.
    pub video_extensions: Vec<String>,
    /// What happens to any other path.
    pub pass_through: PassThrough,
    /// Rules in order; the first whose pattern matches the path decides.
    pub origins: Vec<Origin>,
    /// Named recipes: `derivative=`, `impolicy=`.
    pub presets: Sorted<String, Preset>,
    /// Sizes for requests that ask none.
    pub responsive: Responsive,
    /// Pixels of height that a quality allows at the most.
    pub quality: QualityCaps,
    /// Bounds of parameters where an origin names none, within the platform's.
    pub limits: Limits,
    /// What a bad parameter does.
    pub parameters: Strictness,
    /// Whose signatures count.
    pub signing: Signing,
    /// Lifetimes where an origin names none.
    pub lifetimes: Lifetimes,
    /// The tiers.
    pub cache: Cache,
    /// How purges are heard of.
    pub purge: Purge,
    /// Who may read around the caches, and how.
    pub bypass: Bypass,
    /// Extra cache tags.
    pub tags: Tags,
    /// Headers of answers.
    pub headers: Headers,
    /// Cross-origin access.
    pub cors: Cors,
    /// Where `?debug=view` answers strangers.
    pub debug: Debug,
    /// How sources are asked.
    pub sources: SourcePolicy,
    /// What is limited for each viewer.
    pub rate_limit: RateLimit,
    /// The operator's API.
    pub admin: Admin,
    /// The log.
    pub log: Log,
}

/// Where renditions are made.
#[derive(Debug, Clone)]
pub struct Transformer {
    /// `https://zone/cdn-cgi/media` without a trailing slash; `None` is the request's own host.
    pub base_url: Option<String>,
    /// Where the transformer reaches this worker to relay a private source; `None` is the request's own host.
    pub relay_base_url: Option<String>,
    /// Milliseconds until the transformer's headers must have come.
    pub timeout_ms: u32,
}

/// What happens to a path that is no video.
#[derive(Debug, Clone)]
pub struct PassThrough {
    /// `false` answers 404 instead.
    pub enabled: bool,
    /// Scheme and host that get the request; `None` is the request's own URL.
    pub url: Option<String>,
}

/// One origin rule.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Name in keys, tags, headers and logs: `[a-z0-9-]`, unique.
    pub name: String,
    /// Searched in the canonical path (with its leading `/`).
    pub pattern: Pattern,
    /// In the order they are tried: by priority, then as written; never empty.
    pub sources: Vec<Source>,
    /// Lifetimes, with the global ones filled in.
    pub lifetimes: Lifetimes,
    /// Whether KV is used (global switch included).
    pub kv: bool,
    /// Whether the Cache API is used (global switch included).
    pub edge: bool,
    /// Quality where the request names none.
    pub quality: Option<Quality>,
    /// Extra cache tags.
    pub tags: Vec<String>,
    /// What a viewer needs for what.
    pub access: OriginAccess,
    /// Canonical names of the parameters that may change what is made; `None` is all of them.
    pub parameters: Option<Vec<String>>,
    /// Bounds of parameters, with the global ones filled in.
    pub limits: Limits,
    /// The sizes that are made of what is asked freely, with the global ones filled in.
    pub ladder: Ladder,
}

/// One place a video may come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// URL template: `$1`, `${1}` and `${name}` are captures of the pattern; scheme and host are literal.
    pub url: String,
    /// Credentials, by the name of the secret that holds them.
    pub auth: Option<SourceAuth>,
}

/// Credentials for a source, by the name of the secret that holds them; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceAuth {
    /// `Authorization: Bearer <secret>`.
    Bearer {
        /// Name of the secret.
        secret: String,
    },
    /// `Authorization: Basic <base64 of the secret>`; the secret is `user:password`.
    Basic {
        /// Name of the secret.
        secret: String,
    },
    /// `<header>: <secret>`.
    Header {
        /// Lower-case header name.
        header: String,
        /// Name of the secret.
        secret: String,
    },
}

/// A named recipe. A parameter of the request wins over the preset's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preset {
    /// Pixels.
    pub width: Option<u16>,
    /// Pixels.
    pub height: Option<u16>,
    /// Kind of rendition.
    pub mode: Option<Mode>,
    /// How it meets the box.
    pub fit: Option<Fit>,
    /// Whether sound is kept.
    pub audio: Option<bool>,
    /// File format.
    pub format: Option<Format>,
    /// Start in milliseconds.
    pub time_ms: Option<u32>,
    /// Length in milliseconds.
    pub duration_ms: Option<u32>,
    /// Resolution cap by name.
    pub quality: Option<Quality>,
    /// Pictures on a spritesheet.
    pub image_count: Option<u16>,
}

/// Sizes for requests that ask none.
#[derive(Debug, Clone)]
pub struct Responsive {
    /// `false`: a request without a size keeps the source's.
    pub enabled: bool,
    /// Ascending by width; never empty.
    pub buckets: Vec<Bucket>,
    /// Index into `buckets` for a viewer of whom nothing is known.
    pub default: usize,
    /// Index for phones.
    pub mobile: usize,
    /// Index for tablets.
    pub tablet: usize,
    /// Index for everything with a desk.
    pub desktop: usize,
    /// The largest index a viewer gets who saves data or has a slow line.
    pub slow: usize,
    /// Mbit/s under which a line is slow.
    pub slow_downlink_mbps: u32,
}

/// One size of the responsive ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Name in headers and logs.
    pub name: String,
    /// Pixels.
    pub width: u16,
    /// Pixels; `None` keeps the shape.
    pub height: Option<u16>,
}

/// Pixels of height that a quality allows at the most.
#[derive(Debug, Clone, Copy)]
pub struct QualityCaps {
    /// For `quality=low`.
    pub low: u16,
    /// For `quality=medium`.
    pub medium: u16,
    /// For `quality=high`.
    pub high: u16,
}

/// Bounds of parameters, within the platform's.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Pixels.
    pub width_max: u16,
    /// Pixels.
    pub height_max: u16,
    /// Milliseconds.
    pub time_ms_max: u32,
    /// Milliseconds.
    pub duration_ms_max: u32,
    /// Pictures.
    pub image_count_max: u16,
}

/// What a bad parameter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// 400 that names it.
    Strict,
    /// Ignored, with a warning header.
    Lenient,
}

/// Seconds, by the class of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl {
    /// 2xx.
    pub ok_s: u64,
    /// 3xx.
    pub redirects_s: u64,
    /// 4xx.
    pub client_error_s: u64,
    /// 5xx.
    pub server_error_s: u64,
}

impl Ttl {
    /// Seconds for this status.
    pub fn of(&self, status: u16) -> u64 {
        match status {
            200..=299 => self.ok_s,
            300..=399 => self.redirects_s,
            400..=499 => self.client_error_s,
            _ => self.server_error_s,
        }
    }
}

/// How long entries live, and what they are good for afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Fresh.
    pub fresh: Ttl,
    /// Past that, served at once while they are renewed (RFC 5861, 3).
    pub stale_while_revalidate: Ttl,
    /// Past that, served when a new one fails with a server error (RFC 5861, 4).
    pub stale_if_error: Ttl,
}

/// The tiers.
#[derive(Debug, Clone, Copy)]
pub struct Cache {
    /// The Workers KV tier.
    pub kv: bool,
    /// The Cache API tier.
    pub edge: bool,
    /// Re-keys everything when it changes; 0 is not shown in keys.
    pub version: u32,
    /// Percent of a lifetime by which entries are spread, shorter only.
    pub jitter_percent: u8,
    /// Seconds KV may answer a read from its own edge copy; at least 30.
    pub kv_cache_ttl_s: u64,
    /// Milliseconds a Cache API read may take.
    pub edge_timeout_ms: u32,
    /// Milliseconds a KV read may take, and a body from KV may stall.
    pub kv_timeout_ms: u32,
    /// Milliseconds a write to either tier may take nothing.
    pub write_timeout_ms: u32,
    /// Bytes of a body that is kept in KV in one value.
    pub single_bytes_max: u64,
    /// Bytes of a chunk of a larger one.
    pub chunk_bytes: u64,
    /// How cold requests wait for the first of them.
    pub coalescing: Coalescing,
    /// Whether HEAD of something never made makes it (and pays for it).
    pub fill_on_head: bool,
}

/// How cold requests for one rendition wait for the first of them.
#[derive(Debug, Clone, Copy)]
pub struct Coalescing {
    /// Whether they do.
    pub enabled: bool,
    /// Milliseconds they wait.
    pub wait_ms: u32,
    /// Milliseconds the gate may take to say who fills.
    pub timeout_ms: u32,
}

/// How purges are heard of, and what else they purge.
#[derive(Debug, Clone)]
pub struct Purge {
    /// Milliseconds between two looks of an isolate at the ledger.
    pub refresh_ms: u32,
    /// Where it looks first.
    pub read_from: ReadFrom,
    /// The zone that is purged as well; `None` for none.
    pub zone_id: Option<String>,
    /// The account whose audit log tells of purges made elsewhere; `None` asks for none.
    pub account_id: Option<String>,
    /// Requests a minute to the zone's purge API.
    pub requests_per_minute: u32,
    /// Where Cloudflare's API is, without a trailing slash.
    pub api_url: String,
}

/// Who may read around the caches, and how.
#[derive(Debug, Clone)]
pub struct Bypass {
    /// Who may.
    pub access: Access,
    /// Query parameter (lower-case) to what it does.
    pub parameters: Sorted<String, BypassAction>,
    /// Lower-case name of the request header whose value names an action; `None` for none.
    pub header: Option<String>,
    /// Whether the request's `Cache-Control: no-cache` refreshes and `no-store` reads around.
    pub request_cache_control: bool,
    /// What `?debug` does to the caches, for those who may debug; `None` leaves them alone.
    pub debug: Option<BypassAction>,
}

impl Bypass {
    /// What a query parameter of this name, in any case, does.
    pub fn of_parameter(&self, name: &str) -> Option<BypassAction> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, action)| *action)
    }
}

/// Who may use something that costs money or shows internals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Holders of the admin token.
    Token,
    /// Nobody.
    Off,
}

/// A way around the caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BypassAction {
    /// Nothing is read, the new rendition is kept.
    Refresh,
    /// Nothing is read, nothing is kept.
    Around,
    /// KV is neither read nor written.
    AroundKv,
    /// The Cache API is neither read nor written.
    AroundEdge,
}

impl BypassAction {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Refresh, Self::Around, Self::AroundKv, Self::AroundEdge];

    /// The word of the configuration and of the bypass header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Around => "around",
            Self::AroundKv => "around-kv",
            Self::AroundEdge => "around-edge",
        }
    }
}

/// Extra cache tags.
#[derive(Debug, Clone)]
pub struct Tags {
    /// Put before every tag; may be empty.
    pub prefix: String,
    /// On every entry.
    pub extra: Vec<String>,
}

/// Headers of answers.
#[derive(Debug, Clone)]
pub struct Headers {
    /// Set on every rendition, after ours.
    pub set: Sorted<String, String>,
    /// Seconds: caps the `max-age` that viewers see; `None` leaves the remaining lifetime.
    pub browser_max_age_s: Option<u64>,
    /// Whether X-Cache-Key, X-Origin and the other headers of the predecessors are sent.
    pub predecessors: bool,
}

/// Cross-origin access.
#[derive(Debug, Clone)]
pub struct Cors {
    /// Origins that may read answers; `*` is all of them; empty is none.
    pub allow_origins: Vec<String>,
    /// Seconds a preflight may be remembered.
    pub max_age_s: u64,
}

/// Where `?debug=view` answers strangers.
#[derive(Debug, Clone, Copy)]
pub struct Debug {
    /// `false`: only holders of the admin token see it.
    pub enabled: bool,
}

/// How sources are asked.
#[derive(Debug, Clone)]
pub struct SourcePolicy {
    /// Where they may be, and where their redirects may lead.
    pub reach: Reach,
    /// Whether the source's length is asked beside a transform, to recognise an untransformed original.
    pub probe: bool,
    /// Whether the original is served when no rendition could be made.
    pub fallback_to_original: bool,
    /// Milliseconds until a source's headers must have come.
    pub timeout_ms: u32,
    /// Seconds after which it is asked whether a source has changed; 0 waits until the entry expires.
    pub revalidate_after_s: u64,
}

/// What is limited for each viewer.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// Whether requests that neither tier can answer are, where a limiter is bound.
    pub misses: bool,
}

/// The operator's API.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Every path of it begins so: `/_resizer`.
    pub prefix: String,
}

/// The log.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    /// Nothing below it is written.
    pub level: LogLevel,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What the operator must mend.
    Error,
    /// Faults of tiers as well.
    Warn,
    /// One line a request as well.
    Info,
    /// Everything.
    Debug,
}
