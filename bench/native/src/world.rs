//! One configuration, some requests, one entry, and purges.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::json;
use video_resizer::cache::entry::{Metadata, VERSION, generation};
use video_resizer::config::{Config, Origin};
use video_resizer::media::sources;
use video_resizer::purge::ledger::{Ledger, Mode};
use video_resizer::purge::target::{Prefix, Target};
use video_resizer::request::ask::Ask;
use video_resizer::request::path::SourcePath;

/// When everything happens; milliseconds since 1970.
pub(super) const NOW_MS: u64 = 1_780_000_000_000;
/// Bytes of the rendition.
pub(super) const LENGTH: u64 = 4_194_304;
/// A player's range.
pub(super) const RANGE: &str = "bytes=1048576-2097151";
/// Its bytes.
pub(super) const CONTENT_RANGE: &str = "bytes 1048576-2097151/4194304";
/// Where signed URLs have their key.
pub(super) const SIGNING_KEY: &str = "a signing key of some length";

const PATH: &str = "/clips/2026/summer-tour/day-1.mp4";
const GENERATION: u128 = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
const TAG: &str = "\"0123456789abcdef0123456789abcdef\"";
/// What a purge ledger holds after a busy year.
const PURGED_TAGS: u64 = 500;
const PURGED_PREFIXES: u64 = 50;

/// What a browser sends along with every request.
static BROWSER: [(HeaderName, &str); 2] = [
    (
        http::header::USER_AGENT,
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    ),
    (HeaderName::from_static("cf-connecting-ip"), "198.51.100.7"),
];

pub(super) struct World {
    pub(super) config: Config,
    /// For a size.
    pub(super) sized: Ask,
    /// The same, for some bytes.
    pub(super) ranged: Ask,
    /// The same, by who has it.
    pub(super) conditional: Ask,
    /// For a size at an origin of signed URLs.
    pub(super) signed: Ask,
    /// Without a size, with client hints.
    pub(super) hinted: Ask,
    /// Without a size, and nothing is known but the user agent.
    pub(super) plain: Ask,
    pub(super) ledger: Ledger,
    /// An entry whose fill had heard of every purge.
    pub(super) heard_all: Metadata,
    /// One whose fill had heard of none, on which none bears.
    pub(super) heard_little: Metadata,
}

pub(super) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let ledger = ledger();
    let size = "width=640&height=360&quality=high";
    World {
        config: config(),
        sized: ask(PATH, size, &[]),
        ranged: ask(PATH, size, &[(http::header::RANGE, RANGE)]),
        conditional: ask(PATH, size, &[(http::header::IF_NONE_MATCH, TAG)]),
        signed: ask("/members/2026/a.mp4", SIGNED, &[]),
        hinted: ask(
            PATH,
            "",
            &[
                (HeaderName::from_static("sec-ch-viewport-width"), "1280"),
                (HeaderName::from_static("sec-ch-dpr"), "1.5"),
                (HeaderName::from_static("ect"), "4g"),
                (HeaderName::from_static("downlink"), "9.8"),
            ],
        ),
        plain: ask(PATH, "", &[]),
        heard_all: metadata(ledger.number()),
        heard_little: metadata(0),
        ledger,
    }
});

/// As `cli/sign.mjs` makes it with [`SIGNING_KEY`] for `/members/2026/a.mp4`.
const SIGNED: &str =
    "width=640&height=360&exp=1800000000&kid=k1&sig=xU4dGBhASOvkztisYI2idv3f8RI46WadWVc4sZWVApY";

impl World {
    pub(super) fn path(&self) -> SourcePath {
        SourcePath::parse(&self.sized.path).expect("a path")
    }

    pub(super) fn origin(&self) -> &Origin {
        sources::rule(&self.config.origins, &self.path()).expect("a rule")
    }
}

/// Several rules, the last of which is that of most requests; for the rest the defaults.
fn config() -> Config {
    let rule = |name: &str, pattern: &str, url: &str| json!({ "name": name, "pattern": pattern, "sources": [{ "url": url }] });
    let mut members = rule("members", "^/members/(.+)$", "https://members.example/$1");
    members["access"] = json!("signed");
    let mut clips = rule("default", "^/(.+)$", "https://media.example/$1");
    clips["sources"] = json!([
        { "url": "https://media.example/$1", "priority": 0 },
        { "url": "https://archive.example/clips/$1", "priority": 1 },
    ]);
    let document = json!({
        "origins": [
            rule("ads", "^/ads/(.+)$", "https://ads.example/$1"),
            rule("live", "^/live/(?P<channel>[a-z0-9-]+)/(.+)$", "https://live.example/${channel}/$2"),
            rule("archive", "^/archive/([0-9]{4})/(.+)\\.mp4$", "https://archive.example/$1/$2.mp4"),
            members,
            rule("users", "^/u/([0-9]+)/(.+)$", "https://users.example/$1/$2"),
            clips,
        ],
        "signing": { "keys": { "k1": "SIGNING_KEY" } },
    });
    Config::check(&document).expect("a good configuration")
}

fn ask(path: &str, query: &str, headers: &[(HeaderName, &str)]) -> Ask {
    let headers = BROWSER.iter().chain(headers);
    let headers: HeaderMap = headers
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).expect("a value")))
        .collect();
    Ask {
        method: Method::GET,
        scheme: "https".to_owned(),
        host: "videos.example.com".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
    }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::default();
    for number in 0..PURGED_TAGS {
        ledger.record(Mode::Hard, &[Target::Tag(format!("asset:clips/2025/{number}.mp4"))]);
    }
    for number in 0..PURGED_PREFIXES {
        let prefix = Prefix { host: String::new(), path: format!("clips/2024/{number}/") };
        ledger.record(Mode::Soft, &[Target::Prefix(prefix)]);
    }
    ledger
}

fn metadata(heard: u64) -> Metadata {
    let tags = ["asset:clips/2026/summer-tour/day-1.mp4", "folder:clips", "folder:clips/2026"];
    let more = ["folder:clips/2026/summer-tour", "origin:default", "mode:video", "size:640x360"];
    Metadata {
        version: VERSION,
        generation: generation(GENERATION),
        status: 200,
        content_type: "video/mp4".to_owned(),
        length: LENGTH,
        began_ms: NOW_MS - 3_600_000,
        heard,
        created_ms: NOW_MS - 3_598_000,
        fresh_until_ms: NOW_MS + 82_800_000,
        renewable_until_ms: None,
        stale_until_ms: NOW_MS + 169_200_000,
        validated_ms: None,
        asked_ms: None,
        chunks: None,
        source_state: None,
        source_version: None,
        origin: "default".to_owned(),
        path: Some(PATH.trim_start_matches('/').to_owned()),
        options: "w=640:h=360:f=mp4:q=high".to_owned(),
        preset: None,
        source: 0,
        tags: tags.into_iter().chain(more).map(str::to_owned).collect(),
        unfit: None,
        unfit_number: None,
        location: None,
    }
}
