//! What a story says: somebody asks, and sees an answer.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};
use video_resizer::cache::entry::Metadata;
use video_resizer::cache::owed::Owed;
use video_resizer::cache::ports::{Fault, Reply};
use video_resizer::cache::status::Tier;
use video_resizer::config::Config;
use video_resizer::front::{self, Handled};
use video_resizer::request::ask::Ask;

use super::body::FakeBody;
use super::host::FakeHost;
use super::run::run;
use super::world::{Operation, World};

/// Where all viewers of the stories go.
pub(crate) const HERE: &str = "https://v.example";
/// The token of the stories' operator.
pub(crate) const ADMIN_TOKEN: &str = "an operator's long token";

/// A worker with its configuration, on a fake platform.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) host: FakeHost,
    pub(crate) config: Config,
}

/// One public source, no jitter; what the caller adds wins over both.
pub(crate) fn configuration(more: &Value) -> Value {
    let mut document = json!({
        "origins": [{
            "name": "default",
            "pattern": "^/(.+)$",
            "sources": [{"url": "https://source.example/$1"}]
        }],
        "cache": {"jitterPercent": 0}
    });
    merge(&mut document, more);
    document
}

fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

impl House {
    /// One public source, no jitter, and what the caller adds.
    pub(crate) fn new(more: &Value) -> Self {
        let config = Config::check(&configuration(more)).expect("a good configuration");
        let host = FakeHost::new();
        host.secrets.borrow_mut().insert("ADMIN_TOKEN".to_owned(), ADMIN_TOKEN.to_owned());
        Self { host, config }
    }

    /// As [`House::plain`] with renditions of 64 bytes: one value holds 32 of them, and a chunk 24.
    pub(crate) fn of_tiny_chunks(more: &Value) -> Self {
        let mut house = Self::new(more);
        house.config.cache.single_bytes_max = 32;
        house.config.cache.chunk_bytes = 24;
        house.host.upstream.rendition_bytes.set(64);
        house
    }

    /// The same worker in another data centre of the same world.
    pub(crate) fn in_another_data_centre(&self) -> Self {
        Self { host: self.host.elsewhere(), config: self.config.clone() }
    }

    /// As [`House::new`] with nothing added.
    pub(crate) fn plain() -> Self {
        Self::new(&json!({}))
    }

    /// A GET; what it owes is done before it is looked at.
    #[track_caller]
    pub(crate) fn get(&self, url: &str) -> Seen {
        self.send(&get(url))
    }

    /// Any request; what it owes is done before it is looked at.
    #[track_caller]
    pub(crate) fn send(&self, asking: &Asking) -> Seen {
        let (mut seen, owed) = self.answer(asking);
        if let Some(owed) = owed {
            seen.faults = run(front::settle(&self.host, &asking.ask(), &self.config, owed));
        }
        seen.settled = kinds(&self.host.world.take_journal());
        assert_eq!(self.host.world.bodies().leaked, 0, "a body was left open by {asking:?}");
        seen
    }

    /// Any request, after which the isolate dies: nothing that is owed is done.
    #[track_caller]
    pub(crate) fn send_and_die(&self, asking: &Asking) -> Seen {
        let (seen, owed) = self.answer(asking);
        if let Some(copies) = owed.and_then(|owed| owed.copies) {
            copies.entry.body.abandon();
        }
        seen
    }

    /// Any request, and what it owes.
    #[track_caller]
    pub(crate) fn answer(&self, asking: &Asking) -> (Seen, Option<Owed<FakeBody>>) {
        self.host.world.take_journal();
        let ask = asking.ask();
        let Handled::Answer { reply, owed } = run(front::handle(&self.host, &ask, &self.config))
        else {
            panic!("{asking:?} was passed through");
        };
        let cost = self.host.world.take_journal();
        let seen = Seen::new(&ask, reply, cost, &self.host.world);
        (seen, owed)
    }

    /// Where a request that is no concern of ours goes on to.
    #[track_caller]
    pub(crate) fn passes(&self, asking: &Asking) -> (String, Vec<(HeaderName, HeaderValue)>) {
        let handled = run(front::handle(&self.host, &asking.ask(), &self.config));
        let Handled::PassThrough { url, marks } = handled else {
            panic!("{asking:?} was answered: {handled:?}");
        };
        assert_eq!(self.host.world.take_journal(), [], "nothing is asked");
        (url, marks)
    }

    /// As if the next viewer came through another data centre.
    pub(crate) fn elsewhere(&self) {
        self.host.edge.clear();
    }

    pub(crate) fn pass_s(&self, seconds: u64) {
        self.host.world.pass_ms(seconds * 1000);
    }

    /// The keys of everything in KV.
    pub(crate) fn kv_keys(&self) -> Vec<String> {
        self.host.kv.kept.borrow().keys().cloned().collect()
    }

    /// What is known of the entry under a key.
    #[track_caller]
    pub(crate) fn in_kv(&self, key: &str) -> Metadata {
        let kept = self.host.kv.kept.borrow();
        let text = kept.get(key).expect("an entry").metadata.as_deref().expect("metadata");
        Metadata::decode(text).expect("metadata of ours")
    }

    /// Does what is owed for a request; tells what was asked of the platform.
    pub(crate) fn settle(
        &self,
        asking: &Asking,
        owed: Option<Owed<FakeBody>>,
    ) -> Vec<&'static str> {
        self.host.world.take_journal();
        if let Some(owed) = owed {
            run(front::settle(&self.host, &asking.ask(), &self.config, owed));
        }
        kinds(&self.host.world.take_journal())
    }

    /// Does what is owed for a GET while somebody else is observed.
    pub(crate) fn settle_unheard(&self, url: &str, owed: Option<Owed<FakeBody>>) {
        self.host.world.unheard(|| self.settle(&get(url), owed));
    }

    /// The URLs of everything at the edge.
    pub(crate) fn edge_urls(&self) -> Vec<String> {
        self.host.edge.kept.borrow().keys().cloned().collect()
    }
}

/// A request to be.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    method: Method,
    url: String,
    headers: HeaderMap,
}

/// A GET of a URL, or of a path on [`HERE`].
pub(crate) fn get(url: &str) -> Asking {
    asking("GET", url)
}

/// A HEAD of a URL, or of a path on [`HERE`].
pub(crate) fn head(url: &str) -> Asking {
    asking("HEAD", url)
}

/// Any method.
pub(crate) fn asking(method: &str, url: &str) -> Asking {
    let url = if url.starts_with('/') { format!("{HERE}{url}") } else { url.to_owned() };
    Asking { method: method.parse().unwrap(), url, headers: HeaderMap::new() }
}

impl Asking {
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn range(self, range: &str) -> Self {
        self.with("range", range)
    }

    /// Asked by the operator.
    pub(crate) fn by_operator(self) -> Self {
        self.with("authorization", &format!("Bearer {ADMIN_TOKEN}"))
    }

    pub(crate) fn ask(&self) -> Ask {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ask {
            method: self.method.clone(),
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: self.headers.clone(),
        }
    }
}

/// What somebody saw who asked, and what it cost.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// Whether the body ended as it should.
    pub(crate) whole: bool,
    /// What was asked of the platform before the answer.
    pub(crate) cost: Vec<&'static str>,
    /// The same, in full.
    pub(crate) operations: Vec<Operation>,
    /// What was asked of the platform after the answer.
    pub(crate) settled: Vec<&'static str>,
    /// What went wrong after the answer.
    pub(crate) faults: Vec<(Tier, Fault)>,
}

impl Seen {
    #[track_caller]
    fn new(
        ask: &Ask,
        reply: Reply<FakeBody>,
        mut operations: Vec<Operation>,
        world: &World,
    ) -> Self {
        let Reply { status, headers, body } = reply;
        let read = body.read();
        // Chunks are asked for while the body is read.
        operations.extend(world.take_journal());
        let seen = Self {
            status,
            headers,
            // The platform sends none with a HEAD.
            bytes: if ask.method == Method::HEAD { Vec::new() } else { read.bytes },
            whole: read.whole,
            cost: kinds(&operations),
            operations,
            settled: Vec::new(),
            faults: Vec::new(),
        };
        seen.keeps_its_word(ask);
        seen
    }

    /// What holds of every answer there is.
    #[track_caller]
    fn keeps_its_word(&self, ask: &Ask) {
        for inner in ["x-resizer-entry", "cache-tag", "set-cookie", "server", "authorization"] {
            assert!(!self.headers.contains_key(inner), "{inner} reached a viewer");
        }
        assert_eq!(self.header("via"), "1.1 video-resizer");
        assert_eq!(self.header("x-request-id").len(), 32);
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        for (name, value) in &self.headers {
            assert!(value.to_str().is_ok(), "{name} is not ASCII: {value:?}");
        }
        let length = self.headers.get(header::CONTENT_LENGTH);
        if let Some(length) = length.filter(|_| ask.method == Method::GET && self.whole) {
            assert_eq!(length.to_str().unwrap(), self.bytes.len().to_string(), "{self:#?}");
        }
        // Of several parts each says its own range, and the answer none (RFC 9110, 15.3.7.2).
        let says_range = self.header("content-range").contains('-');
        let has_parts = self.header("content-type").starts_with("multipart/byteranges; boundary=");
        assert_eq!(self.status == 206, says_range || has_parts, "{self:#?}");
        assert!(!(says_range && has_parts), "{self:#?}");
        assert!(!matches!(self.status, 204 | 304) || self.bytes.is_empty());
    }

    /// A header's value; empty when absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("(not text)"))
    }

    /// `Cache-Status`.
    pub(crate) fn cache(&self) -> &str {
        self.header("cache-status")
    }

    /// `Age` in seconds.
    #[track_caller]
    pub(crate) fn age_s(&self) -> u64 {
        self.header("age").parse().expect("an Age")
    }

    /// `max-age` in seconds.
    #[track_caller]
    pub(crate) fn max_age_s(&self) -> u64 {
        let value = self.header("cache-control");
        let after = value.split("max-age=").nth(1).expect("a max-age");
        after.split(',').next().unwrap().parse().expect("seconds")
    }

    /// A member of the problem document.
    #[track_caller]
    pub(crate) fn problem(&self, member: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:#?}");
        let document: Value = serde_json::from_slice(&self.bytes).expect("a JSON document");
        document[member].clone()
    }
}

/// What crosses the network; a fork does not.
fn kinds(operations: &[Operation]) -> Vec<&'static str> {
    operations.iter().filter(|it| **it != Operation::Fork).map(Operation::kind).collect()
}
