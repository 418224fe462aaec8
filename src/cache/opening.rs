//! What KV holds is opened for a viewer: one value or chunks, whole or in parts.

use super::entry::{Entry, Metadata, Outcome};
use super::freshness::Freshness;
use super::orchestrator::Visit;
use super::owed::{Named, Reading};
use super::ports::{Body, Fault, Host};
use super::reason::Unfit;
use super::status::{Lookup, Tier};
use super::storage::{self, Found};
use super::turn::Told;
use super::{edge, reply};
use crate::http::conditional::Answer;
use crate::http::cut::Cut;
use crate::http::range::ByteRange;
use crate::limits::FIRST_CHUNK_WAIT_MS;
use crate::purge::ledger::Standing;

/// A rendition from KV, and how this request is answered from it.
#[derive(Debug)]
pub(super) struct Opened<B> {
    pub(super) metadata: Metadata,
    pub(super) answer: Answer,
    /// Exactly the bytes of the answer.
    pub(super) body: B,
    /// All bytes, for the edge, where it gets them.
    pub(super) copy: Option<B>,
    /// What is known at the end of a body in chunks.
    pub(super) reading: Option<Reading>,
}

/// What there is of a rendition that another request has just made.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // one lives at a time, on the stack
pub(super) enum Again<B> {
    /// The rendition.
    Rendition(Opened<B>),
    /// It could not be made.
    Failure(Unfit),
    /// Nothing that could be read.
    Nothing,
}

impl<H: Host> Visit<'_, H> {
    /// Opens what was found; `None` where it turns out to be broken.
    pub(super) async fn open(&mut self, entry: Entry<H::Body>) -> Option<Opened<H::Body>> {
        let Entry { metadata, body } = entry;
        if metadata.chunks.is_some() {
            self.open_chunks(metadata, Some(body)).await
        } else {
            Some(self.open_single(metadata, body))
        }
    }

    fn open_single(&mut self, metadata: Metadata, mut body: H::Body) -> Opened<H::Body> {
        let answer = self.answer_to(&metadata, Some(metadata.length));
        let is_promoted = self.is_promoted(&metadata);
        let (body, copy) = if self.sends_body(answer) {
            let copy = if is_promoted { self.branch(&mut body) } else { None };
            (reply::cut(&metadata, answer, body), copy)
        } else if is_promoted {
            (H::Body::empty(), Some(body))
        } else {
            body.discard();
            (H::Body::empty(), None)
        };
        Opened { metadata, answer, body, copy, reading: None }
    }

    /// Opens the chunks that the answer touches, and no others; `value` is the one at the entry's own key.
    async fn open_chunks(
        &mut self,
        metadata: Metadata,
        value: Option<H::Body>,
    ) -> Option<Opened<H::Body>> {
        let answer = self.answer_to(&metadata, Some(metadata.length));
        if !self.sends_body(answer) {
            if let Some(value) = value {
                value.discard();
            }
            let body = H::Body::empty();
            return Some(Opened { metadata, answer, body, copy: None, reading: None });
        }
        let part = reply::cut_of(&metadata, answer);
        // Only who reads all of it has it for the edge as well.
        let is_promoted = part.is_none() && self.is_promoted(&metadata);
        let whole = ByteRange::new(0, metadata.length.saturating_sub(1)).map(Cut::of);
        let opened = match part.or(whole) {
            Some(cut) => {
                let patience = self.host.sleep(FIRST_CHUNK_WAIT_MS);
                let cache = &self.config.cache;
                storage::open(self.host.kv(), &metadata, value, &cut, cache, patience).await
            }
            None => Err(Fault::Corrupt("an entry without bytes")),
        };
        let entry =
            Named { key: self.rendition.kv_key.clone(), generation: metadata.generation.clone() };
        match opened {
            Ok((mut body, ending)) => {
                let copy = if is_promoted { self.branch(&mut body) } else { None };
                let reading = Some(Reading { entry, ending });
                Some(Opened { metadata, answer, body, copy, reading })
            }
            Err(fault) => {
                if fault.condemns() {
                    self.owed.broken = Some(entry);
                }
                self.trace.edge.kept = None;
                self.trace.kv.lookup = Some(Lookup::Broken);
                self.trace.faults.push((Tier::Kv, fault));
                None
            }
        }
    }

    /// Looks where another request has just put what it made: at the edge, where this is the same data
    /// centre, else in KV under names that nobody has asked for in vain.
    pub(super) async fn look_again(&mut self, told: &Told) -> Again<H::Body> {
        let Told { entry: made, was_awaited } = told;
        // What was awaited may have been purged meanwhile.
        let is_purged = self.standing(made) == Standing::Purged;
        let state = self.judge()(&mut made.as_ref().clone());
        let is_good = matches!(state, Freshness::Fresh | Freshness::Renewable);
        match made.outcome() {
            Outcome::Failure(unfit) if is_good || *was_awaited && !is_purged => {
                self.trace.collapsed = *was_awaited;
                return Again::Failure(unfit);
            }
            Outcome::Rendition if is_good => {}
            Outcome::Failure(_) | Outcome::Rendition => return Again::Nothing,
        }
        if self.rendition.origin.edge && self.rendition.bypass.edge.read {
            match self.find_at_edge().await {
                Ok(Some(edge::Found::Rendition(edge::Hit { metadata, answer, body }))) => {
                    let (copy, reading) = (None, None);
                    return Again::Rendition(Opened { metadata, answer, body, copy, reading });
                }
                Ok(Some(edge::Found::Failure(..)) | None) => {}
                Err(fault) => self.trace.faults.push((Tier::Edge, fault)),
            }
        }
        let opened = if made.chunks.is_some() {
            self.open_chunks(made.as_ref().clone(), None).await
        } else {
            let alias = storage::alias(&made.generation);
            let (kv, cache) = (self.host.kv(), &self.config.cache);
            match storage::find(kv, &alias, self.judge(), cache).await {
                Ok(Found::Fresh(entry) | Found::Renewable(entry) | Found::Stale(entry)) => {
                    Some(self.open_single(entry.metadata, entry.body))
                }
                Ok(Found::Nothing) => None,
                Err(fault) => {
                    self.trace.faults.push((Tier::Kv, fault));
                    None
                }
            }
        };
        opened.map_or(Again::Nothing, Again::Rendition)
    }

    /// Whether what KV has goes to the edge with what is left of its lifetime; noted in the trace.
    fn is_promoted(&mut self, metadata: &Metadata) -> bool {
        let left_ms = metadata.fresh_until_ms.saturating_sub(self.host.now_ms());
        if left_ms == 0 {
            return false;
        }
        self.goes_to_edge(metadata, left_ms / 1000)
    }
}
