//! The scrub: behind everybody's back it deletes chunks that belong to nothing, and retires entries whose
//! bytes are not what was written.
//!
//! A run is bounded in operations and bytes, and the next one goes on where it stopped.

use super::chunks::{CHUNK_PREFIX, Layout, Mark, chunk_key};
use super::manifest::Manifest;
use super::retire;
use crate::cache::entry::{Chunks, Metadata, Outcome};
use crate::cache::key::PREFIX;
use crate::cache::ports::{Body, Fault, Held, KvCopy, KvFound, KvName, KvPage, KvStore};
use crate::config::Cache;
use crate::json::{self, record};
use crate::limits::{
    KV_CACHE_TTL_S_MIN, ORPHAN_MS_MIN, SCRUB_BYTES_MAX, SCRUB_MEMORY_S, SCRUB_OPERATIONS_MAX,
};
use crate::sorted::Sorted;

/// Of a run's operations, one part in so many goes to orphans before entries are read.
const SWEEP_SHARE: u64 = 2;
/// Names of chunks a page: each may cost a look-up and a deletion beyond the run's share.
const SWEEP_PAGE: u32 = 100;
/// Names of entries a page: each may cost as many look-ups as it has chunks beyond the run's share, and an invocation
/// has no more than a thousand operations.
const VERIFY_PAGE: u32 = 1;
/// Where a run stopped; kept under this key, beside nothing.
const MEMORY_KEY: &str = "scrub";

/// What a run did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries that were read whole, and were what was written.
    pub sound: u64,
    /// Entries that were not, and are no more.
    pub retired: u64,
    /// Chunks that belonged to nothing, and are no more.
    pub orphans: u64,
    /// Operations of KV it took, beside the last.
    pub operations: u64,
    /// What could not be looked at, or not be deleted; the next round comes past it again.
    pub faults: Vec<Fault>,
}

/// Where the next run goes on; `None` at the beginning.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Memory {
    chunks: Option<String>,
    entries: Option<String>,
}

record! { Memory, PassedOver {
    "c" => chunks,
    "e" => entries,
} }

/// One run.
pub async fn scrub<K: KvStore>(kv: &K, cache: &Cache, now_ms: u64) -> Report {
    let mut run = Run { kv, cache, now_ms, operations: 0, bytes: 0, report: Report::default() };
    let mut memory = run.remembered().await;
    memory.chunks = run.sweep(memory.chunks).await;
    memory.entries = run.verify(memory.entries).await;
    run.remember(&memory).await;
    Report { operations: run.operations, ..run.report }
}

struct Run<'a, K> {
    kv: &'a K,
    cache: &'a Cache,
    now_ms: u64,
    operations: u64,
    bytes: u64,
    report: Report,
}

impl<K: KvStore> Run<'_, K> {
    /// Deletes orphans, page by page; gives back where the next run begins.
    async fn sweep(&mut self, mut cursor: Option<String>) -> Option<String> {
        // Whether the entry that a generation belongs to is there.
        let mut living: Sorted<String, bool> = Sorted::default();
        while !self.is_spent(SWEEP_SHARE) {
            let page = self.page(CHUNK_PREFIX, cursor.as_deref(), SWEEP_PAGE).await?;
            for KvName { key, metadata } in page.entries {
                let mark = metadata.and_then(|text| Mark::decode(&text).ok());
                let is_orphan = match mark {
                    // Nothing of this house; it would stay for ever.
                    None => true,
                    Some(mark) => !self.is_wanted(mark, &mut living).await,
                };
                if is_orphan {
                    self.operations += 1;
                    match self.kv.remove(&key, self.cache.write_timeout_ms).await {
                        Ok(()) => self.report.orphans += 1,
                        Err(fault) => self.report.faults.push(fault),
                    }
                }
            }
            cursor = Some(page.cursor?);
        }
        cursor
    }

    /// Whether a chunk belongs to an entry, or may yet.
    async fn is_wanted(&mut self, mark: Mark, living: &mut Sorted<String, bool>) -> bool {
        // Its fill may still be under way, or not yet visible here.
        if self.now_ms.saturating_sub(mark.written_ms) < ORPHAN_MS_MIN {
            return true;
        }
        if let Some(lives) = living.get(&mark.generation) {
            return *lives;
        }
        match self.lives(&mark).await {
            Ok(lives) => {
                living.insert(mark.generation, lives);
                lives
            }
            Err(fault) => {
                self.report.faults.push(fault);
                true
            }
        }
    }

    /// Whether the entry that a chunk is marked for is there and made of it, or was until just now: who has begun to
    /// read it reads on, and in other data centres it may still be found.
    async fn lives(&mut self, mark: &Mark) -> Result<bool, Fault> {
        let Some(found) = self.find(&mark.entry_key).await? else { return Ok(false) };
        found.body.discard();
        let metadata = found.metadata.and_then(|text| Metadata::decode(&text).ok());
        Ok(metadata.is_some_and(|metadata| {
            let is_new = self.now_ms.saturating_sub(metadata.created_ms) < ORPHAN_MS_MIN;
            is_new || (metadata.generation == mark.generation && metadata.chunks.is_some())
        }))
    }

    /// Reads entries whole, page by page, and retires those that are not what was written.
    async fn verify(&mut self, mut cursor: Option<String>) -> Option<String> {
        while !self.is_spent(1) {
            let page = self.page(PREFIX, cursor.as_deref(), VERIFY_PAGE).await?;
            for name in page.entries {
                // Metadata of another release is no business of this one.
                let listed = name.metadata.and_then(|text| Metadata::decode(&text).ok());
                if listed.is_none_or(|metadata| metadata.outcome() != Outcome::Rendition) {
                    continue;
                }
                match self.read_whole(&name.key).await {
                    Ok(Verified::Sound) => self.report.sound += 1,
                    Ok(Verified::Gone) => {}
                    Ok(Verified::Broken { generation }) => {
                        match retire(self.kv, &name.key, &generation, self.cache).await {
                            Ok(()) => self.report.retired += 1,
                            Err(fault) => self.report.faults.push(fault),
                        }
                    }
                    Err(fault) => self.report.faults.push(fault),
                }
            }
            cursor = Some(page.cursor?);
        }
        cursor
    }

    async fn read_whole(&mut self, key: &str) -> Result<Verified, Fault> {
        let Some(KvFound { metadata, mut body }) = self.find(key).await? else {
            return Ok(Verified::Gone);
        };
        let Some(metadata) = metadata.and_then(|text| Metadata::decode(&text).ok()) else {
            body.discard();
            return Ok(Verified::Gone);
        };
        let read = match metadata.chunks {
            None => self.count(&mut body, metadata.length).await,
            Some(chunks) => self.hold_against(&metadata, chunks, &mut body).await,
        };
        body.discard();
        match read {
            Ok(()) => Ok(Verified::Sound),
            Err(fault) if fault.condemns() => {
                Ok(Verified::Broken { generation: metadata.generation })
            }
            Err(fault) => Err(fault),
        }
    }

    /// A body in one value has the length it was kept with.
    async fn count(&mut self, body: &mut K::Body, length: u64) -> Result<(), Fault> {
        let mut counted = 0;
        loop {
            let held = body.take(self.cache.chunk_bytes).await?;
            counted += held.length();
            self.bytes += held.length();
            if held.length() < self.cache.chunk_bytes {
                break;
            }
        }
        if counted == length { Ok(()) } else { Err(Fault::Corrupt("a body of another length")) }
    }

    /// Every chunk is there, in its place, and what was written; and what stands beside the manifest, in the
    /// `value` at the entry's own key, is what the first of them begins with.
    async fn hold_against(
        &mut self,
        metadata: &Metadata,
        chunks: Chunks,
        value: &mut K::Body,
    ) -> Result<(), Fault> {
        let manifest = Manifest::decode(&value.take(chunks.manifest_bytes).await?.to_vec())?;
        let head = value.take(chunks.head_bytes).await?;
        if head.length() != chunks.head_bytes {
            return Err(Fault::Corrupt("a head shorter than it was"));
        }
        let layout = Layout::new(metadata.length, manifest.chunk_bytes);
        let layout = layout.ok_or(Fault::Corrupt("chunks that cannot be"))?;
        if manifest.generation != metadata.generation || manifest.length() != metadata.length {
            return Err(Fault::Corrupt("the manifest of another body"));
        }
        for (index, place) in (0..layout.count()).zip(0..) {
            let range = layout.chunk(index).ok_or(Fault::Corrupt("a chunk beyond the last"))?;
            let key = chunk_key(&metadata.generation, index);
            let KvFound { metadata: mark, mut body } =
                self.find(&key).await?.ok_or(Fault::Missing)?;
            // One byte more, so that what is too long does not pass for right.
            let taken = body.take(range.length() + 1).await;
            body.discard();
            let taken = taken?;
            self.bytes += taken.length();
            let mark = mark.ok_or(Fault::Corrupt("a chunk without its mark"))?;
            Mark::decode(&mark)?.belongs(metadata, index, range)?;
            if taken.length() != range.length()
                || !manifest.vouches_for(place, taken.sha256().await?)
            {
                return Err(Fault::Corrupt("a chunk that is not what was written"));
            }
            if index == 0 && taken.front(head.length()).sha256().await? != head.sha256().await? {
                return Err(Fault::Corrupt("a head that is not what was written"));
            }
        }
        Ok(())
    }

    async fn find(&mut self, key: &str) -> Result<Option<KvFound<K::Body>>, Fault> {
        self.operations += 1;
        let budget_ms = self.cache.kv_timeout_ms;
        let found = self.kv.find(key, KV_CACHE_TTL_S_MIN, budget_ms).await?;
        Ok(found.map(|found| KvFound { body: found.body.stalling(budget_ms), ..found }))
    }

    /// A page of names; `None` where it could not be listed, and the next run begins anew.
    async fn page(&mut self, prefix: &str, cursor: Option<&str>, limit: u32) -> Option<KvPage> {
        self.operations += 1;
        match self.kv.list(prefix, cursor, limit, self.cache.kv_timeout_ms).await {
            Ok(page) => Some(page),
            Err(fault) => {
                self.report.faults.push(fault);
                None
            }
        }
    }

    /// Whether a share of what a run may do is done.
    fn is_spent(&self, share: u64) -> bool {
        self.operations >= SCRUB_OPERATIONS_MAX / share || self.bytes >= SCRUB_BYTES_MAX
    }

    async fn remembered(&mut self) -> Memory {
        match self.find(MEMORY_KEY).await {
            Ok(Some(KvFound { metadata, body })) => {
                body.discard();
                let memory = metadata.and_then(|text| json::read(&text).ok());
                memory.unwrap_or_default()
            }
            Ok(None) => Memory::default(),
            Err(fault) => {
                self.report.faults.push(fault);
                Memory::default()
            }
        }
    }

    async fn remember(&mut self, memory: &Memory) {
        let metadata = json::write(memory);
        let (body, length, expiration_ttl_s) = (K::Body::empty(), 0, SCRUB_MEMORY_S);
        let copy = KvCopy { metadata, expiration_ttl_s, length, body };
        if let Err(fault) = self.kv.keep(MEMORY_KEY, copy, self.cache.write_timeout_ms).await {
            self.report.faults.push(fault);
        }
    }
}

enum Verified {
    Sound,
    Broken { generation: String },
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_run_stopped_is_these_bytes_beside_nothing() {
        let cursor = |text: &str| Some(text.to_owned());
        for (memory, text) in [
            (Memory::default(), r#"{"c":null,"e":null}"#),
            (Memory { chunks: cursor("a"), entries: None }, r#"{"c":"a","e":null}"#),
            (Memory { chunks: cursor("a"), entries: cursor("b") }, r#"{"c":"a","e":"b"}"#),
        ] {
            assert_eq!(json::write(&memory), text);
            assert_eq!(json::read::<Memory>(text), Ok(memory));
        }
    }
}
