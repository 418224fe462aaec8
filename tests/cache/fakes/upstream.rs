//! The transformer and the sources, told what to do.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use video_resizer::cache::ports::{Body, Call, Fault, Purpose, Reply, UPSTREAM_HEADERS, Upstream};
use video_resizer::http::range_set::{RangeSet, Resolved};

use super::body::FakeBody;
use super::run::wait_turns;
use super::weather::Mishap;
use super::world::{Operation, World};

/// Bytes of a rendition, unless a story says otherwise.
pub(crate) const RENDITION_BYTES: usize = 1_000;
/// Bytes of every original.
pub(crate) const ORIGINAL_BYTES: usize = 5_000;

/// What the transformer makes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Making {
    /// The rendition.
    Good,
    /// The rendition, its length not announced.
    GoodWithoutLength,
    /// The rendition, with a header nobody should keep it under.
    GoodBut(&'static str, &'static str),
    /// A rendition of this many bytes.
    GoodOf(usize),
    /// The same, its length not announced.
    GoodOfUnannounced(usize),
    /// The headers of a rendition of this many bytes; the body breaks off early.
    BreaksOff(usize),
    /// The same, its length not announced.
    BreaksOffUnannounced,
    /// A rendition that breaks off after so many bytes, and whether its length is announced.
    BreaksOffAfter(usize, bool),
    /// 200 with `Cf-Resized: err=`.
    SaysError(u16),
    /// 200 with an HTML page.
    WrongType,
    /// 206.
    Partial,
    /// 200 with no bytes.
    Empty,
    /// The same, without saying so.
    EmptyUnannounced,
    /// 200 with the source's own bytes.
    Untransformed,
    /// Another status.
    Status(u16),
    /// 302 to there.
    Redirect(&'static str),
    /// 503, and when to come again.
    Overloaded(&'static str),
}

/// How a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// It has the video.
    Holds,
    /// It has it, but tells no length.
    HoldsUnannounced,
    /// 404.
    Missing,
    /// 503.
    Fails,
    /// This status, and where to go.
    Redirects(u16, &'static str),
}

type Told<T> = RefCell<Box<dyn Fn(&str) -> T>>;

/// Everything over HTTP.
pub(crate) struct FakeUpstream {
    world: Rc<World>,
    making: Told<Making>,
    source: Told<Source>,
    /// A header without which sources answer 401.
    pub(crate) credential: RefCell<Option<(HeaderName, String)>>,
    /// Every call as it was made.
    pub(crate) calls: RefCell<Vec<Call>>,
    /// The bytes of every rendition that was made, in order.
    pub(crate) made: RefCell<Vec<Rc<[u8]>>>,
    orders: Cell<u64>,
    pub(crate) rendition_bytes: Cell<usize>,
    /// Turns the others have before an upstream answers.
    pub(crate) slowness: Cell<u32>,
    /// What sources say of the video: `ETag` and `Last-Modified`.
    pub(crate) validators: Cell<[Option<&'static str>; 2]>,
    /// Whether sources answer conditional requests with 304.
    pub(crate) knows_conditions: Cell<bool>,
}

impl fmt::Debug for FakeUpstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FakeUpstream").finish_non_exhaustive()
    }
}

impl FakeUpstream {
    pub(crate) fn new(world: &Rc<World>) -> Self {
        Self {
            world: Rc::clone(world),
            making: RefCell::new(Box::new(|_| Making::Good)),
            source: RefCell::new(Box::new(|_| Source::Holds)),
            credential: RefCell::default(),
            calls: RefCell::default(),
            made: RefCell::default(),
            orders: Cell::new(0),
            rendition_bytes: Cell::new(RENDITION_BYTES),
            slowness: Cell::new(0),
            validators: Cell::new([Some("\"original\""), None]),
            knows_conditions: Cell::new(false),
        }
    }

    /// What the transformer makes from now on, whatever is ordered.
    pub(crate) fn makes(&self, making: Making) {
        self.makes_of(move |_| making);
    }

    /// What the transformer makes from now on, by the URL of the order.
    pub(crate) fn makes_of(&self, making: impl Fn(&str) -> Making + 'static) {
        *self.making.borrow_mut() = Box::new(making);
    }

    /// How sources are from now on, by URL.
    pub(crate) fn sources_are(&self, source: impl Fn(&str) -> Source + 'static) {
        *self.source.borrow_mut() = Box::new(source);
    }

    /// The rendition that was made last.
    pub(crate) fn last_made(&self) -> Rc<[u8]> {
        Rc::clone(self.made.borrow().last().expect("nothing was made"))
    }

    fn transform(&self, url: &str) -> Reply<FakeBody> {
        assert!(url.starts_with("https://"), "{url}");
        let making = (self.making.borrow())(url);
        let plain = |bytes| self.rendition(url, bytes, bytes, true, None);
        let length = self.rendition_bytes.get();
        match making {
            Making::Good => plain(length),
            Making::GoodOf(length) => plain(length),
            Making::GoodWithoutLength => self.rendition(url, length, length, false, None),
            Making::GoodOfUnannounced(length) => self.rendition(url, length, length, false, None),
            Making::GoodBut(name, value) => {
                self.rendition(url, length, length, true, Some((name, value)))
            }
            Making::BreaksOff(length) => {
                self.rendition(url, length, (length / 2).min(500), true, None)
            }
            Making::BreaksOffUnannounced => self.rendition(url, length, length / 2, false, None),
            Making::BreaksOffAfter(sent, announced) => {
                self.rendition(url, length, sent, announced, None)
            }
            Making::SaysError(code) => {
                let code = format!("err={code}");
                self.page(200, &[("cf-resized", &code), ("content-type", "video/mp4")])
            }
            Making::WrongType => self.page(200, &[("content-type", "text/html")]),
            Making::Partial => self.page(206, &[("content-type", "video/mp4")]),
            Making::Empty => {
                self.reply(200, &[("content-type", media_type(url)), ("content-length", "0")], &[])
            }
            Making::EmptyUnannounced => self.reply(200, &[("content-type", media_type(url))], &[]),
            Making::Untransformed => {
                let length = ORIGINAL_BYTES.to_string();
                let headers = [("content-type", "video/mp4"), ("content-length", length.as_str())];
                self.reply(200, &headers, &original_bytes())
            }
            Making::Status(status) => self.page(status, &[("content-type", "text/plain")]),
            Making::Redirect(location) => self.page(302, &[("location", location)]),
            Making::Overloaded(retry_after) => self.page(503, &[("retry-after", retry_after)]),
        }
    }

    /// A rendition of `length` bytes, of which `sent` come.
    fn rendition(
        &self,
        url: &str,
        length: usize,
        sent: usize,
        announced: bool,
        extra: Option<(&'static str, &'static str)>,
    ) -> Reply<FakeBody> {
        self.orders.set(self.orders.get() + 1);
        let seed = fnv(url) ^ self.orders.get();
        let held = if length > sent { sent } else { length };
        let bytes: Rc<[u8]> = bytes_of(seed, held).into();
        self.made.borrow_mut().push(Rc::clone(&bytes));
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(url)));
        if announced {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Some((name, value)) = extra {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let body = if sent < length {
            FakeBody::short(&self.world, bytes, sent)
        } else {
            FakeBody::whole(&self.world, bytes)
        };
        Reply { status: 200, headers, body }
    }

    /// Whether the conditions of a request say that its sender has the video as it is (RFC 9110, 13.1).
    fn is_unchanged(&self, call: &Call) -> bool {
        let sent = |name: HeaderName| {
            let header = call.headers.iter().find(|(sent, _)| *sent == name);
            header.and_then(|(_, value)| value.to_str().ok())
        };
        let [etag, last_modified] = self.validators.get();
        match sent(header::IF_NONE_MATCH) {
            Some(tag) => etag == Some(tag),
            None => last_modified.is_some() && last_modified == sent(header::IF_MODIFIED_SINCE),
        }
    }

    fn page(&self, status: u16, headers: &[(&'static str, &str)]) -> Reply<FakeBody> {
        self.reply(status, headers, b"something else")
    }

    fn reply(
        &self,
        status: u16,
        headers: &[(&'static str, &str)],
        bytes: &[u8],
    ) -> Reply<FakeBody> {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        Reply {
            status,
            headers: headers.collect(),
            body: FakeBody::whole(&self.world, bytes.into()),
        }
    }

    /// A static file server.
    fn source(&self, call: &Call) -> Reply<FakeBody> {
        if let Some((name, value)) = &*self.credential.borrow()
            && !call.headers.iter().any(|(sent, held)| sent == name && held == value)
        {
            return self.page(401, &[("www-authenticate", "Bearer")]);
        }
        let state = (self.source.borrow())(&call.url);
        match state {
            Source::Missing => return self.page(404, &[]),
            Source::Fails => return self.page(503, &[]),
            Source::Redirects(status, location) => {
                return self.page(status, &[("location", location)]);
            }
            Source::Holds | Source::HoldsUnannounced => {}
        }
        let bytes = original_bytes();
        let total = bytes.len() as u64;
        let range = call.headers.iter().find(|(name, _)| name == header::RANGE);
        let range = range.and_then(|(_, value)| RangeSet::parse(value.as_bytes()));
        let mut headers = vec![("content-type", "video/mp4"), ("server", "nginx")];
        let validators = ["etag", "last-modified"].into_iter().zip(self.validators.get());
        headers.extend(validators.filter_map(|(name, value)| Some((name, value?))));
        if self.knows_conditions.get() && self.is_unchanged(call) {
            return self.reply(304, &headers, &[]);
        }
        let length;
        let content_range;
        let (status, part) = match range.map(|range| range.resolve(total)) {
            None | Some(Resolved::Parts(_) | Resolved::Whole) => (200, bytes.as_slice()),
            Some(Resolved::Unsatisfiable) => {
                content_range = format!("bytes */{total}");
                headers.push(("content-range", &content_range));
                (416, &[][..])
            }
            Some(Resolved::Part(range)) => {
                content_range = format!("bytes {}-{}/{total}", range.first(), range.last());
                headers.push(("content-range", &content_range));
                let first = usize::try_from(range.first()).unwrap();
                let end = usize::try_from(range.last() + 1).unwrap();
                (206, &bytes[first..end])
            }
        };
        if state == Source::Holds {
            length = part.len().to_string();
            headers.push(("content-length", &length));
        }
        self.reply(status, &headers, part)
    }
}

impl Upstream for FakeUpstream {
    type Body = FakeBody;

    async fn fetch(&self, call: &Call) -> Result<Reply<FakeBody>, Fault> {
        assert!(call.budget_ms > 0, "every fetch has a budget");
        wait_turns(self.slowness.get()).await;
        self.calls.borrow_mut().push(call.clone());
        let Call { purpose, method, url, .. } = call.clone();
        let operation = Operation::Fetch { purpose, method, url };
        let possible = [Mishap::None, Mishap::Refused, Mishap::TimedOut];
        if let Some(fault) = self.world.begin(operation, &possible).fault() {
            return Err(fault);
        }
        let mut reply = match call.purpose {
            Purpose::Transform => self.transform(&call.url),
            Purpose::Probe | Purpose::Original => self.source(call),
        };
        if call.method == Method::HEAD {
            reply.body.discard();
            reply.body = FakeBody::empty();
        }
        // Adapters copy these headers and no others.
        let read = UPSTREAM_HEADERS
            .iter()
            .filter_map(|name| reply.headers.get(name).map(|value| (name.clone(), value.clone())));
        reply.headers = read.collect();
        Ok(reply)
    }
}

/// The bytes of every original.
pub(crate) fn original_bytes() -> Vec<u8> {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| bytes_of(0, ORIGINAL_BYTES));
    BYTES.clone()
}

fn media_type(url: &str) -> &'static str {
    match url {
        _ if url.contains("format=png") => "image/png",
        _ if url.contains("mode=frame") || url.contains("mode=spritesheet") => "image/jpeg",
        _ if url.contains("mode=audio") => "audio/mp4",
        _ => "video/mp4",
    }
}

/// Bytes in which no two places look alike for long.
fn bytes_of(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut step = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| step()).collect()
}

fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
