//! An entry is written: as one value where it fits, else in chunks that the manifest publishes at the end.

use futures_util::future::join;

use super::chunks::{Layout, Mark, chunk_key};
use super::expiration_ttl_s;
use super::manifest::Manifest;
use crate::cache::entry::{Chunks, Entry, Metadata, Outcome};
use crate::cache::freshness::extension_ms;
use crate::cache::ports::{Body, Fault, Held, KvCopy, KvFound, KvStore};
use crate::config::Cache;
use crate::limits::{ALIAS_TTL_S, CHUNKS_MAX, HEAD_BYTES_MAX, KV_CACHE_TTL_S_MIN, KV_TRIES_MAX};

/// Keeps an entry until it is of no use any more, and tells what is known of it then.
///
/// A length of 0 is one that nobody announced: it is found out on the way. `may_publish` is asked once,
/// before anything that a reader could find is written; refused, nothing is kept.
pub async fn keep<K: KvStore>(
    kv: &K,
    key: &str,
    entry: Entry<K::Body>,
    now_ms: u64,
    cache: &Cache,
    may_publish: impl AsyncFnOnce() -> bool,
) -> Result<Metadata, Fault> {
    let writer = Writer { kv, key, now_ms, cache };
    let Entry { mut metadata, mut body } = entry;
    let is_known = metadata.length > 0 || metadata.outcome() != Outcome::Rendition;
    if is_known && metadata.length <= cache.single_bytes_max {
        if !may_publish().await {
            body.discard();
            return Err(Fault::Superseded);
        }
        writer.keep_single(&metadata, body, metadata.kept_until_ms()).await?;
        return Ok(metadata);
    }
    if is_known && Layout::new(metadata.length, cache.chunk_bytes).is_none() {
        let bytes = metadata.length;
        body.discard();
        return Err(Fault::TooLarge { bytes, bytes_max: CHUNKS_MAX * cache.chunk_bytes });
    }
    let first = match body.take(cache.chunk_bytes).await {
        Ok(first) => first,
        Err(fault) => {
            body.discard();
            return Err(fault);
        }
    };
    if !is_known && first.length() < cache.chunk_bytes {
        // It has ended, so its length is known now.
        metadata.length = first.length();
        if first.length() == 0 {
            body.discard();
            return Err(Fault::Corrupt("a body of nothing"));
        }
        if first.length() <= cache.single_bytes_max {
            body.discard();
            if !may_publish().await {
                return Err(Fault::Superseded);
            }
            writer.publish(&metadata, b"", &first).await?;
            return Ok(metadata);
        }
    }
    writer.keep_in_chunks(metadata, body, first, may_publish).await
}

/// Keeps an entry that fits in one value under its [`super::alias`], for as long as that is of use.
pub async fn keep_alias<K: KvStore>(
    kv: &K,
    key: &str,
    entry: Entry<K::Body>,
    cache: &Cache,
) -> Result<(), Fault> {
    let writer = Writer { kv, key, now_ms: 0, cache };
    writer.keep_single(&entry.metadata, entry.body, ALIAS_TTL_S * 1000).await
}

/// Gives a body in chunks another lifetime: `value` is what lies at its own key, and is written again.
///
/// [`Fault::Missing`] where its chunks would not live as long.
pub async fn extend<K: KvStore>(
    kv: &K,
    key: &str,
    metadata: &Metadata,
    mut value: K::Body,
    now_ms: u64,
    cache: &Cache,
) -> Result<(), Fault> {
    let taken = async {
        let chunks = metadata.chunks.ok_or(Fault::Corrupt("an entry without chunks"))?;
        let text = value.take(chunks.manifest_bytes).await?.to_vec();
        let manifest = Manifest::decode(&text)?;
        if manifest.generation != metadata.generation || manifest.length() != metadata.length {
            return Err(Fault::Corrupt("the manifest of another body"));
        }
        if manifest.until_ms < metadata.kept_until_ms() {
            return Err(Fault::Missing);
        }
        let head = value.take(chunks.head_bytes).await?;
        if head.length() < chunks.head_bytes {
            return Err(Fault::Corrupt("a head shorter than it was"));
        }
        Ok((text, head))
    };
    let taken = taken.await;
    value.discard();
    let (text, head) = taken?;
    Writer { kv, key, now_ms, cache }.publish(metadata, &text, &head).await
}

/// One entry on its way into KV.
struct Writer<'a, K> {
    kv: &'a K,
    key: &'a str,
    now_ms: u64,
    cache: &'a Cache,
}

impl<K: KvStore> Writer<'_, K> {
    /// A body that fits in one value, as it comes.
    async fn keep_single(
        &self,
        metadata: &Metadata,
        body: K::Body,
        until_ms: u64,
    ) -> Result<(), Fault> {
        let text = match metadata.encode() {
            Ok(text) => text,
            Err(fault) => {
                body.discard();
                return Err(fault);
            }
        };
        let expiration_ttl_s = expiration_ttl_s(until_ms, self.now_ms);
        let length = metadata.length;
        let copy = KvCopy { metadata: text.clone(), expiration_ttl_s, length, body };
        let kept = self.kv.keep(self.key, copy, self.cache.write_timeout_ms).await;
        // Only then: any other error may hide a good entry, this one's or another filler's.
        if kept == Err(Fault::BrokenOff) {
            self.take_back_single(&text).await?;
        }
        kept
    }

    /// Deletes what an aborted write has left: the local simulator commits it as far as it came. Production does not:
    /// what is found there is the entry from before, which is old and still better than none.
    async fn take_back_single(&self, text: &str) -> Result<(), Fault> {
        let found = self.kv.find(self.key, KV_CACHE_TTL_S_MIN, self.cache.kv_timeout_ms).await;
        let there = found.ok().flatten().and_then(|KvFound { metadata, body }| {
            body.discard();
            Metadata::decode(&metadata?).ok()
        });
        if there.is_some() && there != Metadata::decode(text).ok() {
            return Ok(());
        }
        self.kv.remove(self.key, self.cache.write_timeout_ms).await
    }

    /// A larger body: chunk after chunk, the next one read while one is written, then the manifest.
    ///
    /// Whatever goes wrong before the manifest leaves no entry; the chunks so far are taken back.
    async fn keep_in_chunks(
        &self,
        metadata: Metadata,
        mut body: K::Body,
        first: HeldBy<K>,
        may_publish: impl AsyncFnOnce() -> bool,
    ) -> Result<Metadata, Fault> {
        let kept_until_ms = metadata.kept_until_ms();
        let kept_ms = kept_until_ms.saturating_sub(metadata.created_ms);
        let until_ms = kept_until_ms + extension_ms(kept_ms);
        let generation = metadata.generation.clone();
        let mut manifest = Manifest::new(generation, self.cache.chunk_bytes, until_ms);
        let head = first.front(HEAD_BYTES_MAX);
        let mut written = self.write_chunks(&mut manifest, &mut body, first).await;
        if written.is_ok() && metadata.length > 0 && metadata.length != manifest.length() {
            written = Err(Fault::BrokenOff);
        }
        body.discard();
        if written.is_ok() && !may_publish().await {
            written = Err(Fault::Superseded);
        }
        let text = match written.and_then(|()| manifest.encode()) {
            Ok(text) => text,
            Err(fault) => {
                self.take_back(&manifest).await;
                return Err(fault);
            }
        };
        let chunks = Chunks {
            bytes: manifest.chunk_bytes,
            manifest_bytes: text.len() as u64,
            head_bytes: head.length(),
        };
        let metadata = Metadata { length: manifest.length(), chunks: Some(chunks), ..metadata };
        // From here on an error does not mean that nobody can find it, so nothing is taken back.
        self.publish(&metadata, text.as_bytes(), &head).await?;
        Ok(metadata)
    }

    async fn write_chunks(
        &self,
        manifest: &mut Manifest,
        body: &mut K::Body,
        first: HeldBy<K>,
    ) -> Result<(), Fault> {
        let chunk_bytes = manifest.chunk_bytes;
        let mut next = Some(first);
        while let Some(chunk) = next.take() {
            if manifest.chunks.len() as u64 == CHUNKS_MAX {
                let bytes = manifest.length() + chunk.length();
                return Err(Fault::TooLarge { bytes, bytes_max: CHUNKS_MAX * chunk_bytes });
            }
            let is_last = chunk.length() < chunk_bytes;
            let following =
                async { if is_last { Ok(None) } else { body.take(chunk_bytes).await.map(Some) } };
            let (written, following) = join(self.write_chunk(manifest, &chunk), following).await;
            written?;
            next = following?.filter(|chunk| chunk.length() > 0);
        }
        Ok(())
    }

    async fn write_chunk(&self, manifest: &mut Manifest, chunk: &HeldBy<K>) -> Result<(), Fault> {
        let index = manifest.chunks.len() as u64;
        // Before it is written: what is listed is what is taken back when something goes wrong.
        manifest.push(chunk.length(), chunk.sha256().await?);
        let mark = Mark {
            generation: manifest.generation.clone(),
            index,
            length: chunk.length(),
            written_ms: self.now_ms,
            entry_key: self.key.to_owned(),
        };
        let key = chunk_key(&manifest.generation, index);
        self.write(&key, &mark.encode()?, manifest.until_ms, b"", chunk).await
    }

    /// The value at the entry's own key: whoever reads it from now on finds the entry.
    async fn publish(
        &self,
        metadata: &Metadata,
        front: &[u8],
        held: &HeldBy<K>,
    ) -> Result<(), Fault> {
        let text = metadata.encode()?;
        self.write(self.key, &text, metadata.kept_until_ms(), front, held).await
    }

    /// Writes what is held, and tries again: what is held can be written as often as one likes.
    async fn write(
        &self,
        key: &str,
        metadata: &str,
        until_ms: u64,
        front: &[u8],
        held: &HeldBy<K>,
    ) -> Result<(), Fault> {
        let mut tries = 0;
        loop {
            tries += 1;
            let copy = KvCopy {
                metadata: metadata.to_owned(),
                expiration_ttl_s: expiration_ttl_s(until_ms, self.now_ms),
                length: front.len() as u64 + held.length(),
                body: K::Body::of(front, held),
            };
            match self.kv.keep(key, copy, self.cache.write_timeout_ms).await {
                Ok(()) => return Ok(()),
                Err(fault) if tries == KV_TRIES_MAX => return Err(fault),
                Err(_) => {}
            }
        }
    }

    /// Deletes the chunks of a fill that came to nothing; what cannot be deleted is found by the scrub.
    async fn take_back(&self, manifest: &Manifest) {
        for (index, _) in (0..).zip(&manifest.chunks) {
            let key = chunk_key(&manifest.generation, index);
            if self.kv.remove(&key, self.cache.write_timeout_ms).await.is_err() {
                break;
            }
        }
    }
}

/// What this store's bodies are held as.
type HeldBy<K> = <<K as KvStore>::Body as Body>::Held;
