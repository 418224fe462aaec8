//! The sweep: entries of KV that nobody is served any more make room, behind everybody's back.
//!
//! A run is bounded in operations, and the next one goes on where it stopped. Chunks are left to the scrub, which
//! takes those of every entry that is gone: who has begun to read a body reads on until then.

use super::ledger::{Ledger, Standing};
use super::question::Round;
use super::target::{Subject, stored_path};
use crate::cache::entry::Metadata;
use crate::cache::key::PREFIX;
use crate::cache::ports::{Body, Fault, KvFound, KvName, KvStore};
use crate::config::Cache;
use crate::limits::KV_CACHE_TTL_S_MIN;

/// Names a page: each may cost a look-up and a deletion beyond the run's share.
const PAGE: u32 = 50;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Where the next run goes on.
    pub cursor: Option<String>,
    /// Entries that were deleted.
    pub deleted: u64,
    /// Whether the round has come to its end.
    pub is_complete: bool,
    /// What stopped it; the next run begins this page again.
    pub fault: Option<Fault>,
}

/// Goes on with a round, for about so many operations of KV.
pub async fn sweep<K: KvStore>(
    kv: &K,
    cache: &Cache,
    ledger: &Ledger,
    round: &Round,
    operations_max: u64,
) -> Report {
    let mut run = Run { kv, cache, ledger, operations: 0, deleted: 0 };
    let mut cursor = round.cursor.clone();
    while run.operations < operations_max {
        match run.page(cursor.as_deref()).await {
            Ok(Some(next)) => cursor = Some(next),
            Ok(None) => {
                let deleted = run.deleted;
                return Report { cursor: None, deleted, is_complete: true, fault: None };
            }
            Err(Stopped { fault, cursor_is_good }) => {
                let cursor = cursor.filter(|_| cursor_is_good);
                let deleted = run.deleted;
                return Report { cursor, deleted, is_complete: false, fault: Some(fault) };
            }
        }
    }
    Report { cursor, deleted: run.deleted, is_complete: false, fault: None }
}

struct Run<'a, K> {
    kv: &'a K,
    cache: &'a Cache,
    ledger: &'a Ledger,
    operations: u64,
    deleted: u64,
}

struct Stopped {
    fault: Fault,
    /// A list that fails may do so for its cursor, which KV has forgotten: then the round begins anew.
    cursor_is_good: bool,
}

impl<K: KvStore> Run<'_, K> {
    /// One page; gives back where the next begins.
    async fn page(&mut self, cursor: Option<&str>) -> Result<Option<String>, Stopped> {
        self.operations += 1;
        let page = self.kv.list(PREFIX, cursor, PAGE, self.cache.kv_timeout_ms).await;
        let page = page.map_err(|fault| Stopped { fault, cursor_is_good: false })?;
        for KvName { key, metadata } in page.entries {
            if self.is_purged(&key, metadata.as_deref()) {
                let deleted = self.delete(&key).await;
                deleted.map_err(|fault| Stopped { fault, cursor_is_good: true })?;
            }
        }
        Ok(page.cursor)
    }

    fn is_purged(&self, key: &str, metadata: Option<&str>) -> bool {
        let Some(Ok(metadata)) = metadata.map(Metadata::decode) else { return false };
        let path = stored_path(key, &metadata);
        let subject = Subject::stored(key, path.as_deref(), &metadata.tags);
        self.ledger.standing(metadata.heard, &subject) == Standing::Purged
    }

    /// Deletes what is there now, unless it is seen to have been made anew since it was listed; KV may show it late, and
    /// then it is made once more.
    async fn delete(&mut self, key: &str) -> Result<(), Fault> {
        self.operations += 1;
        let found = self.kv.find(key, KV_CACHE_TTL_S_MIN, self.cache.kv_timeout_ms).await?;
        let Some(KvFound { metadata, body }) = found else { return Ok(()) };
        body.discard();
        if self.is_purged(key, metadata.as_deref()) {
            self.operations += 1;
            self.kv.remove(key, self.cache.write_timeout_ms).await?;
            self.deleted += 1;
        }
        Ok(())
    }
}
