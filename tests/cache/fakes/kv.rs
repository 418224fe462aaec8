//! Workers KV, in memory, with its limits as assertions.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use video_resizer::cache::ports::{Body, Fault, KvCopy, KvFound, KvName, KvPage, KvStore};
use video_resizer::limits::{
    KV_CACHE_TTL_S_MIN, KV_EXPIRATION_TTL_S_MIN, KV_KEY_BYTES_MAX, KV_METADATA_BYTES_MAX,
    KV_VALUE_BYTES_MAX,
};

use super::body::FakeBody;
use super::edge::damaged;
use super::run::wait_turns;
use super::surprise::Surprise;
use super::weather::Mishap;
use super::world::{Operation, World};

/// A kept value.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) metadata: Option<String>,
    pub(crate) bytes: Rc<[u8]>,
    pub(crate) until_ms: u64,
}

/// The namespace of renditions.
#[derive(Debug, Clone)]
pub(crate) struct FakeKv {
    world: Rc<World>,
    pub(crate) kept: Rc<RefCell<BTreeMap<String, Kept>>>,
    /// What turns out to be there at the first look.
    pub(crate) surprise: Rc<Surprise<Self>>,
    /// Turns the others have before the next look-up is answered.
    pub(crate) slowness: Rc<Cell<u32>>,
    /// Keys whose bodies break off halfway.
    pub(crate) breaking: Rc<RefCell<BTreeSet<String>>>,
    /// Whether an aborted write is committed as far as it came, as the local simulator does and production does not.
    pub(crate) commits_aborted: Rc<Cell<bool>>,
    /// What this data centre has looked for in vain, and until when it does not look again, where it does so.
    missed: Option<Rc<RefCell<BTreeMap<String, u64>>>>,
}

/// Milliseconds for which a data centre remembers that there was nothing (kv/concepts/how-kv-works).
const MISS_MS: u64 = 60_000;

impl FakeKv {
    pub(crate) fn new(world: &Rc<World>) -> Self {
        Self {
            world: Rc::clone(world),
            kept: Rc::default(),
            surprise: Rc::default(),
            slowness: Rc::default(),
            breaking: Rc::default(),
            commits_aborted: Rc::new(Cell::new(true)),
            missed: None,
        }
    }

    /// From here on look-ups in vain are remembered, here and in data centres to come.
    pub(crate) fn remembers_misses(&mut self) {
        self.missed = Some(Rc::default());
    }

    /// The same namespace, seen from another data centre.
    pub(crate) fn elsewhere(&self) -> Self {
        Self { missed: self.missed.as_ref().map(|_| Rc::default()), ..self.clone() }
    }

    /// Whether this data centre remembers that there was nothing.
    fn is_missed(&self, key: &str) -> bool {
        let missed = self.missed.as_ref().map(|missed| missed.borrow().get(key).copied());
        missed.flatten().is_some_and(|until_ms| self.world.now_ms() < until_ms)
    }

    fn miss(&self, key: &str) {
        if let Some(missed) = self.missed.as_ref().filter(|_| !self.is_missed(key)) {
            missed.borrow_mut().insert(key.to_owned(), self.world.now_ms() + MISS_MS);
        }
    }

    /// Puts an entry there that nobody here would have put.
    pub(crate) fn plant(&self, key: &str, metadata: Option<&str>, bytes: &[u8]) {
        let metadata = metadata.map(str::to_owned);
        let kept = Kept { metadata, bytes: bytes.into(), until_ms: u64::MAX };
        self.kept.borrow_mut().insert(key.to_owned(), kept);
    }
}

impl KvStore for FakeKv {
    type Body = FakeBody;

    async fn find(
        &self,
        key: &str,
        cache_ttl_s: u64,
        budget_ms: u32,
    ) -> Result<Option<KvFound<FakeBody>>, Fault> {
        assert!(key.len() <= KV_KEY_BYTES_MAX && budget_ms > 0);
        assert!(cache_ttl_s >= KV_CACHE_TTL_S_MIN, "KV refuses a cacheTtl of {cache_ttl_s}");
        self.world.lives().await;
        wait_turns(self.slowness.take()).await;
        let possible = [Mishap::None, Mishap::Refused, Mishap::TimedOut, Mishap::Corrupt];
        let mishap = self.world.begin(Operation::KvFind { key: key.to_owned() }, &possible);
        if matches!(mishap, Mishap::None | Mishap::Corrupt) {
            self.surprise.spring(self);
        }
        let kept = self.kept.borrow();
        let is_there = |kept: &&Kept| self.world.now_ms() < kept.until_ms && !self.is_missed(key);
        let Some(kept) = kept.get(key).filter(is_there) else {
            self.miss(key);
            return mishap.fault().map_or(Ok(None), Err);
        };
        let metadata = match mishap {
            Mishap::None => kept.metadata.clone(),
            Mishap::Corrupt => damaged(kept.metadata.clone()),
            Mishap::Refused | Mishap::TimedOut | Mishap::LostAck => {
                return mishap.fault().map_or(Ok(None), Err);
            }
        };
        let bytes = Rc::clone(&kept.bytes);
        let body = if self.breaking.borrow().contains(key) {
            let half = bytes.len() / 2;
            FakeBody::short(&self.world, bytes, half)
        } else {
            FakeBody::whole(&self.world, bytes)
        };
        Ok(Some(KvFound { metadata, body }))
    }

    async fn keep(&self, key: &str, copy: KvCopy<FakeBody>, budget_ms: u32) -> Result<(), Fault> {
        assert!(budget_ms > 0, "every write has a budget");
        self.world.lives().await;
        let possible = [Mishap::None, Mishap::Refused, Mishap::LostAck];
        let mishap = self.world.begin(Operation::KvKeep { key: key.to_owned() }, &possible);
        let KvCopy { metadata, expiration_ttl_s, length, body } = copy;
        assert!(key.len() <= KV_KEY_BYTES_MAX, "KV refuses a key of {} bytes", key.len());
        assert!(metadata.len() <= KV_METADATA_BYTES_MAX, "KV refuses {} bytes", metadata.len());
        assert!(length <= KV_VALUE_BYTES_MAX, "KV refuses a value of {length} bytes");
        assert!(expiration_ttl_s >= KV_EXPIRATION_TTL_S_MIN, "KV refuses {expiration_ttl_s} s");
        if mishap == Mishap::Refused {
            body.discard();
            return Err(mishap.fault().unwrap());
        }
        let read = body.read();
        let is_whole = read.whole && read.bytes.len() as u64 == length;
        if !is_whole && !self.commits_aborted.get() {
            return Err(Fault::BrokenOff);
        }
        let until_ms = self.world.now_ms() + expiration_ttl_s * 1000;
        let kept = Kept { metadata: Some(metadata), bytes: read.bytes.into(), until_ms };
        self.kept.borrow_mut().insert(key.to_owned(), kept);
        if !is_whole {
            return Err(Fault::BrokenOff);
        }
        mishap.fault().map_or(Ok(()), Err)
    }

    async fn remove(&self, key: &str, budget_ms: u32) -> Result<(), Fault> {
        assert!(budget_ms > 0, "every write has a budget");
        self.world.lives().await;
        let operation = Operation::KvRemove { key: key.to_owned() };
        let mishap = self.world.begin(operation, &[Mishap::None, Mishap::Refused]);
        if mishap == Mishap::None {
            self.kept.borrow_mut().remove(key);
        }
        mishap.fault().map_or(Ok(()), Err)
    }

    /// Two names a page at the most, so that a page is rarely the last.
    async fn list(
        &self,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
        budget_ms: u32,
    ) -> Result<KvPage, Fault> {
        assert!(budget_ms > 0 && (1..=1_000).contains(&limit));
        let operation = Operation::KvList { prefix: prefix.to_owned() };
        let possible = [Mishap::None, Mishap::Refused, Mishap::TimedOut];
        if let Some(fault) = self.world.begin(operation, &possible).fault() {
            return Err(fault);
        }
        let kept = self.kept.borrow();
        let now_ms = self.world.now_ms();
        let names = kept.iter().filter(|(key, kept)| {
            let is_after = cursor.is_none_or(|cursor| key.as_str() > cursor);
            key.starts_with(prefix) && is_after && now_ms < kept.until_ms
        });
        let name = |(key, kept): (&String, &Kept)| KvName {
            key: key.clone(),
            metadata: kept.metadata.clone(),
        };
        let page = limit.min(2) as usize;
        let mut entries: Vec<KvName> = names.map(name).take(page + 1).collect();
        let is_last = entries.len() <= page;
        entries.truncate(page);
        let cursor = entries.last().filter(|_| !is_last).map(|name| name.key.clone());
        Ok(KvPage { entries, cursor })
    }
}
