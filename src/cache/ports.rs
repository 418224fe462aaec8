//! What the core asks of the platform. One adapter a port, and no adapter decides anything.
//!
//! Workers are single-threaded, so no future here is `Send`.
#![allow(async_fn_in_trait)] // its advice is about `Send`

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use thiserror::Error;

use super::gate::{Question, Verdict};
use crate::http::range::ByteRange;

/// What went wrong below the core. Operators read it; viewers never do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The binding is missing, or the platform refused the operation.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// No answer within the budget.
    #[error("no answer within {budget_ms} ms")]
    TimedOut {
        /// The budget that ran out.
        budget_ms: u32,
    },
    /// Something stored cannot be what this house stored.
    #[error("corrupt: {0}")]
    Corrupt(&'static str),
    /// Something does not fit where it should go.
    #[error("{bytes} bytes do not fit in {bytes_max}")]
    TooLarge {
        /// Bytes at hand.
        bytes: u64,
        /// Bytes allowed.
        bytes_max: u64,
    },
    /// A body ended before its announced length.
    #[error("the body broke off before its end")]
    BrokenOff,
    /// A source needs a secret that is not there.
    #[error("secret {0} is not set")]
    SecretMissing(String),
}

impl Fault {
    /// A stable word for logs and `Cache-Status`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::TimedOut { .. } => "timed-out",
            Self::Corrupt(_) => "corrupt",
            Self::TooLarge { .. } => "too-large",
            Self::BrokenOff => "broken-off",
            Self::SecretMissing(_) => "secret-missing",
        }
    }
}

/// Milliseconds since 1970. Time is an argument everywhere below this port.
pub trait Clock {
    /// Now. On Workers it stands still between two operations of the platform.
    fn now_ms(&self) -> u64;

    /// Returns after at least `ms`.
    async fn sleep(&self, ms: u32);
}

/// Randomness for names that must not repeat.
pub trait Entropy {
    /// 128 unpredictable bits.
    fn id(&self) -> u128;
}

/// Secrets by name.
pub trait Secrets {
    /// `None` when no such secret is set.
    fn secret(&self, name: &str) -> Option<String>;
}

/// Bytes nobody in the core looks at. They stay in the platform's own streams.
pub trait Body: Sized {
    /// No bytes.
    fn empty() -> Self;

    /// A document the core wrote itself.
    fn text(text: String) -> Self;

    /// Grows a second branch that yields the same bytes.
    ///
    /// On failure `self` is untouched: the viewer never loses a body to a caching problem.
    fn fork(&mut self) -> Result<Self, Fault>;

    /// Only the bytes of `range`; a body that ends before it does breaks there.
    #[must_use]
    fn slice(self, range: ByteRange) -> Self;

    /// Reads the whole body, to learn how long it is; at most `bytes_max` are held.
    ///
    /// Longer bodies come back whole with no length; so does one that fails midway, and fails again when read.
    async fn measure(self, bytes_max: u64) -> (Self, Option<u64>);

    /// Tells the platform that nobody will read this.
    fn discard(self);
}

/// The Cache API of this data centre.
pub trait EdgeCache {
    /// What bodies are here.
    type Body: Body;

    /// Looks up `url`. A `range` may be honoured by the platform (206) or ignored (200).
    async fn find(
        &self,
        url: &str,
        range: Option<&HeaderValue>,
        budget_ms: u32,
    ) -> Result<Option<EdgeFound<Self::Body>>, Fault>;

    /// Keeps a whole answer. The platform never says whether it did; a body that ends early is
    /// [`Fault::BrokenOff`], and must be removed.
    async fn keep(&self, url: &str, copy: EdgeCopy<Self::Body>) -> Result<(), Fault>;

    /// Forgets what is kept under `url` in this data centre.
    async fn remove(&self, url: &str) -> Result<(), Fault>;
}

/// What the Cache API answered.
#[derive(Debug)]
pub struct EdgeFound<B> {
    /// 200, 206 when the platform has sliced, 416 when it found the range unsatisfiable.
    pub status: u16,
    /// The entry's metadata as it was kept.
    pub metadata: Option<String>,
    /// `Content-Length`, where the platform tells it.
    pub length: Option<u64>,
    /// `Content-Range` of a sliced answer.
    pub content_range: Option<String>,
    /// The bytes.
    pub body: B,
}

/// What the Cache API is given: always a whole 200, whatever the entry's own status.
#[derive(Debug)]
pub struct EdgeCopy<B> {
    /// Headers the platform needs: type, length, validators, lifetime, tags, and the metadata.
    pub headers: HeaderMap,
    /// Exact length of `body`.
    pub length: u64,
    /// The bytes.
    pub body: B,
}

/// The Workers KV namespace that holds renditions.
pub trait KvStore {
    /// What bodies are here.
    type Body: Body;

    /// One read of value and metadata. `None` may lag a write elsewhere by a minute, and is itself cached.
    async fn find(
        &self,
        key: &str,
        cache_ttl_s: u64,
        budget_ms: u32,
    ) -> Result<Option<KvFound<Self::Body>>, Fault>;

    /// Writes value and metadata. An error does not mean that nothing was written; after
    /// [`Fault::BrokenOff`] what was must be removed.
    async fn keep(&self, key: &str, copy: KvCopy<Self::Body>) -> Result<(), Fault>;

    /// Deletes an entry; it is no error when there is none.
    async fn remove(&self, key: &str) -> Result<(), Fault>;
}

/// What KV answered.
#[derive(Debug)]
pub struct KvFound<B> {
    /// JSON text; `None` when the entry has none.
    pub metadata: Option<String>,
    /// The bytes.
    pub body: B,
}

/// What KV is given.
#[derive(Debug)]
pub struct KvCopy<B> {
    /// JSON text of at most [`crate::limits::KV_METADATA_BYTES_MAX`].
    pub metadata: String,
    /// Seconds until KV forgets it; at least [`crate::limits::KV_EXPIRATION_TTL_S_MIN`].
    pub expiration_ttl_s: u64,
    /// Exact length of `body`.
    pub length: u64,
    /// The bytes.
    pub body: B,
}

/// The gate before fills: one filler a variant at a time, in the whole world.
pub trait Gate {
    /// Asks the gate of `key`. No answer within the budget is a fault, and the asker goes alone.
    ///
    /// A fault does not mean that the gate was not asked: a lease granted to nobody lapses.
    /// The budget of a [`Question::Wait`] is longer than its `wait_ms`.
    async fn ask(&self, key: &str, question: &Question, budget_ms: u32) -> Result<Verdict, Fault>;
}

/// HTTP to the transformer and to sources.
pub trait Upstream {
    /// What bodies are here.
    type Body: Body;

    /// An HTTP error is a [`Reply`]; no answer at all is a [`Fault`].
    async fn fetch(&self, call: &Call) -> Result<Reply<Self::Body>, Fault>;
}

/// One request to an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Why it is made.
    pub purpose: Purpose,
    /// GET or HEAD.
    pub method: Method,
    /// Absolute URL.
    pub url: String,
    /// Request headers; nothing else is sent.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Milliseconds until the headers of the answer must be here.
    pub budget_ms: u32,
    /// Whether redirects are followed; never where credentials are sent, for they would go along.
    pub follows_redirects: bool,
}

/// Why an upstream is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Make a rendition.
    Transform,
    /// Learn about a source without its bytes.
    Probe,
    /// Get the original.
    Original,
}

/// The headers of an upstream's answer that the core reads; adapters copy these and no others.
pub static UPSTREAM_HEADERS: [HeaderName; 14] = [
    header::ACCEPT_RANGES,
    header::CACHE_CONTROL,
    CDN_CACHE_CONTROL,
    CLOUDFLARE_CDN_CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::RETRY_AFTER,
    header::SET_COOKIE,
    header::VARY,
    CF_RESIZED,
];

/// Carries `err=<code>` when the transformation failed, whatever the status says.
pub const CF_RESIZED: HeaderName = HeaderName::from_static("cf-resized");
/// `Cache-Control` for caches like this one (RFC 9213).
pub const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
/// The same, for Cloudflare alone (cache/concepts/cdn-cache-control).
pub const CLOUDFLARE_CDN_CACHE_CONTROL: HeaderName =
    HeaderName::from_static("cloudflare-cdn-cache-control");

/// An HTTP answer: from an upstream, or to the viewer.
#[derive(Debug)]
pub struct Reply<B> {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The bytes.
    pub body: B,
}

/// One of each; all share one body type, so bytes move between tiers unopened.
pub trait Host: Clock + Entropy + Secrets {
    /// What bodies are here.
    type Body: Body;
    /// The Cache API.
    type Edge: EdgeCache<Body = Self::Body>;
    /// Workers KV.
    type Kv: KvStore<Body = Self::Body>;
    /// The gate before fills.
    type Gate: Gate;
    /// Everything over HTTP.
    type Upstream: Upstream<Body = Self::Body>;

    /// The Cache API.
    fn edge(&self) -> &Self::Edge;
    /// Workers KV.
    fn kv(&self) -> &Self::Kv;
    /// The gate before fills; `None` where none is bound, and everybody fills for themselves.
    fn gate(&self) -> Option<&Self::Gate>;
    /// Everything over HTTP.
    fn upstream(&self) -> &Self::Upstream;
}
