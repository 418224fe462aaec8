//! What the core asks of the platform. One adapter a port, and no adapter decides anything.
//!
//! Workers are single-threaded, so no future here is `Send`.
#![allow(async_fn_in_trait)] // its advice is about `Send`

use std::rc::Rc;

use futures_util::Stream;
use futures_util::future::LocalBoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use thiserror::Error;

use super::gate::{Question, Verdict};
use crate::guard::refusal::Refusal;
use crate::http::cut::Cut;
use crate::purge::ledger::Ledger;

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
    /// Something an entry is made of is not there.
    #[error("a part is missing")]
    Missing,
    /// Another fill has taken over.
    #[error("another fill has taken over")]
    Superseded,
    /// It was purged while it was made.
    #[error("purged while it was made")]
    Purged,
    /// A source needs a secret that is not there.
    #[error("secret {0} is not set")]
    SecretMissing(String),
    /// An address that may not be fetched.
    #[error("{what} is refused: {why}")]
    Refused {
        /// Scheme and host of it, or where it came from: neither path nor query.
        what: String,
        /// Why.
        why: Refusal,
    },
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
            Self::Missing => "missing",
            Self::Superseded => "superseded",
            Self::Purged => "purged",
            Self::SecretMissing(_) => "secret-missing",
            Self::Refused { .. } => "refused",
        }
    }

    /// Whether it says that something stored is broken for good, and not that it could not be reached.
    pub fn condemns(&self) -> bool {
        match self {
            Self::Missing | Self::Corrupt(_) => true,
            Self::Unavailable(_)
            | Self::TimedOut { .. }
            | Self::TooLarge { .. }
            | Self::BrokenOff
            | Self::Superseded
            | Self::Purged
            | Self::SecretMissing(_)
            | Self::Refused { .. } => false,
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

/// What the requests of one isolate tell each other. A hint: no promise, stream or answer is ever shared.
pub trait Isolate {
    /// Whether nobody in this isolate is on this errand: see [`super::errands::Errands::claim`].
    fn claim(&self, errand: &str) -> bool;

    /// The errand that was claimed is done, or given up.
    fn release(&self, errand: &str);

    /// What this isolate has heard of purges by now.
    fn ledger(&self) -> Rc<Ledger>;

    /// From here on this request's work goes on when its viewer leaves, for as long as the platform allows.
    fn outlive_viewer(&self);
}

/// Secrets by name.
pub trait Secrets {
    /// `None` when no such secret is set.
    fn secret(&self, name: &str) -> Option<String>;
}

/// Bytes nobody in the core looks at. They stay in the platform's own streams.
pub trait Body: Sized + 'static {
    /// Bytes held in the platform's memory, by their handle.
    type Held: Held;

    /// No bytes.
    fn empty() -> Self;

    /// A document the core wrote itself.
    fn text(text: String) -> Self;

    /// Bytes of the core's own, then what is held.
    fn of(front: &[u8], held: &Self::Held) -> Self;

    /// Grows a second branch that yields the same bytes: the copy.
    ///
    /// Either branch may lag behind the other by what the platform's memory allows, and then slows it down;
    /// a copy that takes nothing for `patience_ms` is let go, and breaks off. One branch's end by its
    /// reader never ends the other. On failure `self` is untouched: the viewer never loses a body to a
    /// caching problem.
    fn fork(&mut self, patience_ms: u32) -> Result<Self, Fault>;

    /// Only what `cut` says, in its order: texts, and bytes of this body, which is read once and no further
    /// than the last of them. A body that ends before that breaks there.
    #[must_use]
    fn cut(self, cut: Cut) -> Self;

    /// The same bytes, breaking off with [`Fault::TimedOut`] where none come for `stall_ms` though they are asked for;
    /// not where a viewer gets all of them as they come, and the platform sees to that alone.
    #[must_use]
    fn stalling(self, stall_ms: u32) -> Self;

    /// Takes the next bytes off the front: `bytes` of them, fewer only where the body ends.
    ///
    /// A body that breaks before is [`Fault::BrokenOff`]; nothing more can be taken of it then.
    async fn take(&mut self, bytes: u64) -> Result<Self::Held, Fault>;

    /// One body of many parts, read one after another; `length` is that of all together.
    ///
    /// While one part is read the next is asked for, and no other. A part that fails, or has fewer bytes
    /// than its cut wants, or gives none for `stall_ms`, breaks the whole there. The second value tells how
    /// it ended once it has: a reader who leaves is no fault.
    fn chain(
        parts: impl Stream<Item = Result<Part<Self>, Fault>> + 'static,
        length: u64,
        stall_ms: u32,
    ) -> (Self, Ending);

    /// Reads the whole body, to learn how long it is; at most `bytes_max` are held.
    ///
    /// Longer bodies come back whole with no length; so does one that fails midway, and fails again when read.
    async fn measure(self, bytes_max: u64) -> (Self, Option<u64>);

    /// Tells the platform that nobody will read this.
    fn discard(self);
}

/// A part of a chain: of this body, what the cut says.
#[derive(Debug)]
pub struct Part<B> {
    /// Where the bytes are.
    pub body: B,
    /// What is sent of them.
    pub cut: Cut,
}

/// How a chain ended, once it has.
pub type Ending = LocalBoxFuture<'static, Result<(), Fault>>;

/// Bytes held in the platform's memory. Copies share them.
pub trait Held: Clone {
    /// How many.
    fn length(&self) -> u64;

    /// A copy of the first bytes, at most `bytes` of them, that keeps no others alive.
    #[must_use]
    fn front(&self, bytes: u64) -> Self;

    /// Their SHA-256, computed by the platform.
    async fn sha256(&self) -> Result<[u8; 32], Fault>;

    /// The bytes themselves, in the core's memory: for documents of our own, not for videos.
    fn to_vec(&self) -> Vec<u8>;
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
    /// [`Fault::BrokenOff`], and must be removed. `budget_ms` runs from the body's last byte.
    async fn keep(
        &self,
        url: &str,
        copy: EdgeCopy<Self::Body>,
        budget_ms: u32,
    ) -> Result<(), Fault>;

    /// Forgets what is kept under `url` in this data centre.
    async fn remove(&self, url: &str, budget_ms: u32) -> Result<(), Fault>;
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

/// The Workers KV namespace that holds renditions. Copies are handles of the same namespace.
pub trait KvStore: Clone + 'static {
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
    /// [`Fault::BrokenOff`] what was must be removed. `budget_ms` runs from the body's last byte.
    async fn keep(&self, key: &str, copy: KvCopy<Self::Body>, budget_ms: u32) -> Result<(), Fault>;

    /// Deletes an entry; it is no error when there is none.
    async fn remove(&self, key: &str, budget_ms: u32) -> Result<(), Fault>;

    /// Names that begin with `prefix`, in order, at most `limit` of them, which is at most a thousand; may
    /// lag by a minute.
    async fn list(
        &self,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
        budget_ms: u32,
    ) -> Result<KvPage, Fault>;
}

/// A page of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvPage {
    /// Names with their metadata; a page may be empty and not the last.
    pub entries: Vec<KvName>,
    /// Where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

/// A name in KV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvName {
    /// The key.
    pub key: String,
    /// JSON text; `None` when the entry has none.
    pub metadata: Option<String>,
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

/// What is limited, each by a binding of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Requests that neither tier can answer.
    Misses,
    /// Requests to the operator's API.
    Admin,
}

/// Counts how often somebody comes.
pub trait Limiter {
    /// Counts `who` once, and says whether that is within the limit.
    ///
    /// Each data centre counts for itself, and roughly. A fault, or no answer within the budget, limits nobody.
    async fn admits(&self, who: &str, budget_ms: u32) -> Result<bool, Fault>;
}

/// HTTP to the transformer and to sources.
pub trait Upstream {
    /// What bodies are here.
    type Body: Body;

    /// An HTTP error is a [`Reply`], and so is a redirect: nobody below follows one. No answer at all is a [`Fault`].
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
pub trait Host: Clock + Entropy + Isolate + Secrets {
    /// What bodies are here.
    type Body: Body;
    /// The Cache API.
    type Edge: EdgeCache<Body = Self::Body>;
    /// Workers KV.
    type Kv: KvStore<Body = Self::Body>;
    /// The gate before fills.
    type Gate: Gate;
    /// What counts who comes.
    type Limiter: Limiter;
    /// Everything over HTTP.
    type Upstream: Upstream<Body = Self::Body>;

    /// The Cache API.
    fn edge(&self) -> &Self::Edge;
    /// Workers KV.
    fn kv(&self) -> &Self::Kv;
    /// The gate before fills; `None` where none is bound, and everybody fills for themselves.
    fn gate(&self) -> Option<&Self::Gate>;
    /// What counts who comes; `None` where none is bound, and nobody is limited.
    fn limiter(&self, limit: Limit) -> Option<&Self::Limiter>;
    /// Everything over HTTP.
    fn upstream(&self) -> &Self::Upstream;
}
