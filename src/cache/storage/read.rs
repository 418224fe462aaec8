//! A body in chunks is read: only the chunks a request touches, the next one while one is sent.

use std::collections::VecDeque;
use std::pin::pin;

use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt, stream};

use super::chunks::{Head, Layout, Mark, Place, Step, chunk_key, steps};
use crate::cache::entry::Metadata;
use crate::cache::ports::{Body, Ending, Fault, KvStore, Part};
use crate::config::Cache;
use crate::http::cut::Cut;
use crate::limits::{CHUNK_CACHE_TTL_S, KV_TRIES_MAX};

/// Opens what `cut` says of a body in chunks: a body, and how its reading will have ended.
///
/// `value` is the value at the entry's own key, where it is at hand: its head gives the first bytes. A
/// first chunk that is missing, short or foreign is a fault, and nothing is sent. Behind a head it is
/// waited for only as long as `patience`; found broken after that, it breaks the body.
pub async fn open<K: KvStore>(
    kv: &K,
    metadata: &Metadata,
    value: Option<K::Body>,
    cut: &Cut,
    cache: &Cache,
    patience: impl Future<Output = ()>,
) -> Result<(K::Body, Ending), Fault> {
    let value = value.map(Unread::new);
    let chunks = metadata.chunks.ok_or(Fault::Corrupt("an entry without chunks"))?;
    let layout = Layout::new(metadata.length, chunks.bytes);
    let layout = layout.ok_or(Fault::Corrupt("chunks that cannot be"))?;
    let head = Head { behind: chunks.manifest_bytes, bytes: chunks.head_bytes };
    let mut steps: VecDeque<Step> = steps(layout, value.as_ref().map(|_| head), cut).into();
    let begins_in_head = steps.front().is_some_and(|step| step.place == Place::Head);
    let of_head = if begins_in_head { steps.pop_front() } else { None };
    let budget_ms = cache.kv_timeout_ms;
    let reader = Reader { kv: kv.clone(), metadata: metadata.clone(), layout, steps, budget_ms };
    let mut in_chunks = Box::pin(reader.parts().peekable());

    let begun = match of_head.zip(value) {
        Some((step, mut value)) => {
            value.cut = Some(step.cut);
            // A store that is near says in time whether the first chunk is good.
            let patience = pin!(patience);
            let first = select(in_chunks.as_mut().peek(), patience).await;
            if let Either::Left((Some(Err(fault)), _)) = first {
                return Err(fault.clone());
            }
            Some(Ok(value))
        }
        None => match in_chunks.as_mut().peek().await {
            Some(Ok(_)) => None,
            Some(Err(fault)) => return Err(fault.clone()),
            None => return Err(Fault::Corrupt("a cut of nothing")),
        },
    };
    let parts = stream::iter(begun).chain(in_chunks);
    let parts = parts.map(|unread| unread.and_then(Unread::into_part));
    Ok(K::Body::chain(parts, cut.length(), budget_ms))
}

/// Opens chunk after chunk.
struct Reader<K> {
    kv: K,
    metadata: Metadata,
    layout: Layout,
    steps: VecDeque<Step>,
    budget_ms: u32,
}

impl<K: KvStore> Reader<K> {
    /// Every part in order; the first fault ends it.
    fn parts(self) -> impl Stream<Item = Result<Unread<K::Body>, Fault>> {
        stream::unfold(Some(self), |reader| async move {
            let mut reader = reader?;
            let step = reader.steps.pop_front()?;
            match reader.open(step).await {
                Ok(part) => Some((Ok(part), Some(reader))),
                Err(fault) => Some((Err(fault), None)),
            }
        })
    }

    /// Opens a chunk and holds it against its mark. What may be a whim of the network is tried again.
    async fn open(&self, step: Step) -> Result<Unread<K::Body>, Fault> {
        let Place::Chunk(index) = step.place else {
            return Err(Fault::Corrupt("a head where a chunk should be"));
        };
        let range = self.layout.chunk(index).ok_or(Fault::Corrupt("a chunk beyond the last"))?;
        let key = chunk_key(&self.metadata.generation, index);
        let mut tries = 0;
        let found = loop {
            tries += 1;
            match self.kv.find(&key, CHUNK_CACHE_TTL_S, self.budget_ms).await {
                Ok(found) => break found.ok_or(Fault::Missing)?,
                Err(fault) if tries == KV_TRIES_MAX => return Err(fault),
                Err(_) => {}
            }
        };
        let mut chunk = Unread::new(found.body);
        let mark = found.metadata.ok_or(Fault::Corrupt("a chunk without its mark"))?;
        Mark::decode(&mark)?.belongs(&self.metadata, index, range)?;
        chunk.cut = Some(step.cut);
        Ok(chunk)
    }
}

/// A body nobody has read yet; dropped, it is given back to the platform.
struct Unread<B: Body> {
    body: Option<B>,
    cut: Option<Cut>,
}

impl<B: Body> Unread<B> {
    fn new(body: B) -> Self {
        Self { body: Some(body), cut: None }
    }

    fn into_part(mut self) -> Result<Part<B>, Fault> {
        let part = self.body.take().zip(self.cut.take());
        part.map(|(body, cut)| Part { body, cut }).ok_or(Fault::Corrupt("a part of nothing"))
    }
}

impl<B: Body> Drop for Unread<B> {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            body.discard();
        }
    }
}
