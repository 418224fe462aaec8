//! A platform that has one entry in one place, and takes no time.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::Stream;
use http::HeaderValue;
use video_resizer::cache::entry::Metadata;
use video_resizer::cache::gate::{Question, Verdict};
use video_resizer::cache::ports::{
    Body, Call, Clock, EdgeCache, EdgeCopy, EdgeFound, Ending, Entropy, Fault, Gate, Held, Host,
    Isolate, KvCopy, KvFound, KvPage, KvStore, Limit, Limiter, Part, Reply, Secrets, Upstream,
};
use video_resizer::http::cut::Cut;
use video_resizer::purge::ledger::Ledger;

use super::world::{CONTENT_RANGE, LENGTH, NOW_MS, SIGNING_KEY, WORLD};

/// Where the entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Edge,
    Kv,
}

#[derive(Debug)]
pub(super) struct Platform {
    edge: OneEdge,
    kv: OneKv,
    ledger: Rc<Ledger>,
}

/// The entry's metadata, where it is here; a range is cut out by the platform.
#[derive(Debug)]
pub(super) struct OneEdge(Option<String>);

/// The entry's metadata, where it is here.
#[derive(Debug, Clone)]
pub(super) struct OneKv(Option<Rc<str>>);

/// Nobody looks at the bytes.
#[derive(Debug, Clone)]
pub(super) struct Unseen;

/// What is never asked for a hit.
#[derive(Debug)]
pub(super) enum Unasked {}

impl Platform {
    /// Has nothing.
    pub(super) fn empty() -> Self {
        Self { edge: OneEdge(None), kv: OneKv(None), ledger: Rc::new(WORLD.ledger.clone()) }
    }

    /// Has an entry with this metadata.
    pub(super) fn with(place: Place, metadata: &Metadata) -> Self {
        let text = metadata.encode().expect("metadata");
        match place {
            Place::Edge => Self { edge: OneEdge(Some(text)), ..Self::empty() },
            Place::Kv => Self { kv: OneKv(Some(text.into())), ..Self::empty() },
        }
    }
}

impl Clock for Platform {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    async fn sleep(&self, _: u32) {}
}

impl Entropy for Platform {
    fn id(&self) -> u128 {
        0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835
    }
}

impl Isolate for Platform {
    fn claim(&self, _: &str) -> bool {
        true
    }

    fn release(&self, _: &str) {}

    fn ledger(&self) -> Rc<Ledger> {
        Rc::clone(&self.ledger)
    }

    fn outlive_viewer(&self) {}
}

impl Secrets for Platform {
    fn secret(&self, _: &str) -> Option<String> {
        Some(SIGNING_KEY.to_owned())
    }
}

impl Host for Platform {
    type Body = Unseen;
    type Edge = OneEdge;
    type Kv = OneKv;
    type Gate = Unasked;
    type Limiter = Unasked;
    type Upstream = Unasked;

    fn edge(&self) -> &OneEdge {
        &self.edge
    }

    fn kv(&self) -> &OneKv {
        &self.kv
    }

    fn gate(&self) -> Option<&Unasked> {
        None
    }

    fn limiter(&self, _: Limit) -> Option<&Unasked> {
        None
    }

    fn upstream(&self) -> &Unasked {
        unreachable!("a hit asks no upstream")
    }
}

impl EdgeCache for OneEdge {
    type Body = Unseen;

    async fn find(
        &self,
        _: &str,
        range: Option<&HeaderValue>,
        _: u32,
    ) -> Result<Option<EdgeFound<Unseen>>, Fault> {
        Ok(self.0.as_ref().map(|metadata| {
            let is_sliced = range.is_some();
            EdgeFound {
                status: if is_sliced { 206 } else { 200 },
                metadata: Some(metadata.clone()),
                length: (!is_sliced).then_some(LENGTH),
                content_range: is_sliced.then(|| CONTENT_RANGE.to_owned()),
                body: Unseen,
            }
        }))
    }

    async fn keep(&self, _: &str, _: EdgeCopy<Unseen>, _: u32) -> Result<(), Fault> {
        Ok(())
    }

    async fn remove(&self, _: &str, _: u32) -> Result<(), Fault> {
        Ok(())
    }
}

impl KvStore for OneKv {
    type Body = Unseen;

    async fn find(&self, _: &str, _: u64, _: u32) -> Result<Option<KvFound<Unseen>>, Fault> {
        let found =
            |metadata: &Rc<str>| KvFound { metadata: Some((**metadata).into()), body: Unseen };
        Ok(self.0.as_ref().map(found))
    }

    async fn keep(&self, _: &str, _: KvCopy<Unseen>, _: u32) -> Result<(), Fault> {
        Ok(())
    }

    async fn remove(&self, _: &str, _: u32) -> Result<(), Fault> {
        Ok(())
    }

    async fn list(&self, _: &str, _: Option<&str>, _: u32, _: u32) -> Result<KvPage, Fault> {
        Ok(KvPage { entries: Vec::new(), cursor: None })
    }
}

impl Body for Unseen {
    type Held = Self;

    fn empty() -> Self {
        Self
    }

    fn text(_: String) -> Self {
        Self
    }

    fn of(_: &[u8], _: &Self) -> Self {
        Self
    }

    fn fork(&mut self, _: u32) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn cut(self, _: Cut) -> Self {
        self
    }

    fn stalling(self, _: u32) -> Self {
        self
    }

    async fn take(&mut self, _: u64) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn chain(
        _: impl Stream<Item = Result<Part<Self>, Fault>> + 'static,
        _: u64,
        _: u32,
    ) -> (Self, Ending) {
        (Self, std::future::ready(Ok(())).boxed_local())
    }

    async fn measure(self, _: u64) -> (Self, Option<u64>) {
        (self, Some(LENGTH))
    }

    fn discard(self) {}
}

impl Held for Unseen {
    fn length(&self) -> u64 {
        LENGTH
    }

    fn front(&self, _: u64) -> Self {
        Self
    }

    async fn sha256(&self) -> Result<[u8; 32], Fault> {
        Ok([0; 32])
    }

    fn to_vec(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Gate for Unasked {
    async fn ask(&self, _: &str, _: &Question, _: u32) -> Result<Verdict, Fault> {
        match *self {}
    }
}

impl Limiter for Unasked {
    async fn admits(&self, _: &str, _: u32) -> Result<bool, Fault> {
        match *self {}
    }
}

impl Upstream for Unasked {
    type Body = Unseen;

    async fn fetch(&self, _: &Call) -> Result<Reply<Unseen>, Fault> {
        match *self {}
    }
}
