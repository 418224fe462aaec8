//! Workers KV as the world sees it: one truth, and every data centre's own idea of it
//! (kv/concepts/how-kv-works).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use video_resizer::cache::ports::{Fault, KvCopy, KvFound, KvName, KvPage, KvStore};
use video_resizer::limits::{
    KV_CACHE_TTL_S_MIN, KV_EXPIRATION_TTL_S_MIN, KV_KEY_BYTES_MAX, KV_METADATA_BYTES_MAX,
};
use video_resizer::purge::MIRROR_KEY;

use super::body::{End, SimBody, flow};
use super::saboteur::{self, Passage};
use super::weather::Trip;
use super::world::World;

/// Milliseconds until a write is seen elsewhere, at the most.
pub(crate) const VISIBLE_MS_MAX: u64 = 60_000;
/// Milliseconds between two writes of one key that are both taken.
const WRITE_PAUSE_MS: u64 = 1_000;

/// Milliseconds after its time at which a value is forgotten: KV is no clock.
pub(crate) const FORGETS_LATE_MS: u64 = 30_000;

/// A value at rest.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) metadata: String,
    pub(crate) bytes: Rc<[u8]>,
    pub(crate) until_ms: u64,
    /// Whether it is what was to be written, and not what came of it.
    pub(crate) is_whole: bool,
}

#[derive(Debug)]
struct Write {
    at_ms: u64,
    value: Option<Value>,
    /// When each data centre may see it.
    visible_ms: Vec<u64>,
}

/// What a data centre remembers of a key, found or not.
#[derive(Debug)]
struct Remembered {
    value: Option<Value>,
    until_ms: u64,
}

/// The namespace.
#[derive(Debug)]
pub(crate) struct Central {
    writes: RefCell<BTreeMap<String, Vec<Write>>>,
    remembered: RefCell<Vec<BTreeMap<String, Remembered>>>,
}

impl Central {
    pub(crate) fn new(centres: usize) -> Self {
        let remembered = (0..centres).map(|_| BTreeMap::new()).collect();
        Self { writes: RefCell::default(), remembered: RefCell::new(remembered) }
    }

    /// The truth about a key.
    pub(crate) fn truth(&self, key: &str, now_ms: u64) -> Option<Value> {
        let writes = self.writes.borrow();
        let value = writes.get(key)?.last()?.value.clone();
        value.filter(|value| now_ms < value.until_ms)
    }

    /// Everything there truly is.
    pub(crate) fn all(&self, now_ms: u64) -> Vec<(String, Value)> {
        let keys: Vec<String> = self.writes.borrow().keys().cloned().collect();
        let value = |key: String| self.truth(&key, now_ms).map(|value| (key, value));
        keys.into_iter().filter_map(value).collect()
    }

    /// A value is no more, and everybody knows at once.
    pub(crate) fn lose(&self, world: &World, key: &str) {
        let write =
            Write { at_ms: world.now_ms(), value: None, visible_ms: vec![0; world.shelves.len()] };
        self.writes.borrow_mut().entry(key.to_owned()).or_default().push(write);
        self.remembered.borrow_mut().iter_mut().for_each(|known| drop(known.remove(key)));
    }

    /// What a data centre sees, and remembers for so long.
    pub(crate) fn look(
        &self,
        world: &World,
        dc: usize,
        key: &str,
        cache_ttl_s: u64,
    ) -> Option<Value> {
        let now_ms = world.now_ms();
        let lives = |value: &Value| now_ms < value.until_ms;
        let mut remembered = self.remembered.borrow_mut();
        if let Some(known) = remembered[dc].get(key)
            && now_ms < known.until_ms
        {
            return known.value.clone().filter(lives);
        }
        let writes = self.writes.borrow();
        let seen = writes.get(key).and_then(|writes| {
            let is_seen = |write: &&Write| {
                // Who has seen it in one place of a data centre may not see it in another yet.
                let is_young = key == MIRROR_KEY && now_ms < write.at_ms + VISIBLE_MS_MAX;
                write.visible_ms[dc] <= now_ms && !(is_young && world.dice.chance(20))
            };
            writes.iter().rev().find(is_seen)?.value.clone()
        });
        let value = seen.filter(lives);
        let until_ms = now_ms + cache_ttl_s * 1000;
        remembered[dc].insert(key.to_owned(), Remembered { value: value.clone(), until_ms });
        value
    }

    /// A write arrives from a data centre.
    pub(crate) fn commit(
        &self,
        world: &World,
        dc: usize,
        key: &str,
        value: Option<Value>,
    ) -> Result<(), Fault> {
        let now_ms = world.now_ms();
        let mut writes = self.writes.borrow_mut();
        let before = writes.entry(key.to_owned()).or_default();
        let is_hasty = before.last().is_some_and(|last| {
            value.is_some() && last.value.is_some() && now_ms < last.at_ms + WRITE_PAUSE_MS
        });
        if is_hasty {
            world.tell(|| format!("kv: 429 for {key}"));
            return Err(Fault::Unavailable("KV PUT failed: 429 Too Many Requests".to_owned()));
        }
        let mut remembered = self.remembered.borrow_mut();
        let is_late = world.climate().is_late_everywhere;
        let visible_ms = (0..remembered.len()).map(|centre| {
            let asked = remembered[centre].contains_key(key);
            // Read after write at home is usual, not promised; elsewhere what was never asked for is found.
            let delays =
                if centre == dc { is_late && world.dice.chance(10) } else { asked || is_late };
            now_ms + if delays { world.dice.below(VISIBLE_MS_MAX) } else { 0 }
        });
        let visible_ms: Vec<u64> = visible_ms.collect();
        if visible_ms[dc] == now_ms {
            remembered[dc].remove(key);
        }
        world.tell(|| match &value {
            Some(value) => format!(
                "kv: {dc} wrote {key}, {} bytes, seen {:?}",
                value.bytes.len(),
                after(&visible_ms, now_ms)
            ),
            None => format!("kv: {dc} deleted {key}, seen {:?}", after(&visible_ms, now_ms)),
        });
        before.push(Write { at_ms: now_ms, value, visible_ms });
        Ok(())
    }
}

fn after(moments_ms: &[u64], now_ms: u64) -> Vec<u64> {
    moments_ms.iter().map(|at_ms| at_ms - now_ms).collect()
}

/// KV, asked from one data centre.
#[derive(Debug, Clone)]
pub(crate) struct SimKv {
    pub(crate) world: Rc<World>,
    pub(crate) dc: usize,
}

impl SimKv {
    /// Chunks have been known to be mistaken for each other.
    fn misfiled(&self, key: &str) -> Option<Value> {
        let world = &self.world;
        if !key.starts_with("chunk:") || !world.dice.chance(world.climate().misfiled) {
            return None;
        }
        let others = world.kv.all(world.now_ms()).into_iter();
        let others: Vec<_> =
            others.filter(|(other, _)| other.starts_with("chunk:") && other != key).collect();
        let other = (!others.is_empty()).then(|| others[world.dice.index(others.len())].clone());
        other.map(|(other, value)| {
            world.tell(|| format!("kv: took {other} for {key}"));
            value
        })
    }
}

impl KvStore for SimKv {
    type Body = SimBody;

    async fn find(
        &self,
        key: &str,
        cache_ttl_s: u64,
        budget_ms: u32,
    ) -> Result<Option<KvFound<SimBody>>, Fault> {
        assert!(key.len() <= KV_KEY_BYTES_MAX && cache_ttl_s >= KV_CACHE_TTL_S_MIN);
        let world = &self.world;
        let trip = Trip::draw(world, world.climate().kv);
        let found = trip.read(world, budget_ms, || {
            let found = world.kv.look(world, self.dc, key, cache_ttl_s);
            self.misfiled(key).or(found)
        });
        let found = found.await;
        world.tell(|| {
            let found = found.as_ref().map(|found| found.as_ref().map(|value| value.bytes.len()));
            format!("kv: {} found {key}: {found:?}", self.dc)
        });
        let is_alias = key.starts_with("fill:");
        let passage = if is_alias { Passage::OutOfAlias } else { Passage::OutOfKv };
        Ok(found?.map(|Value { metadata, bytes, .. }| {
            let metadata = saboteur::passing(world, passage, metadata);
            let end = if world.dice.chance(world.climate().misfiled) {
                End::Stalls(world.dice.index(bytes.len() + 1), u64::from(budget_ms))
            } else {
                End::Whole
            };
            let body = SimBody::Stream(flow(world, bytes, 20, end));
            KvFound { metadata: Some(metadata), body }
        }))
    }

    async fn keep(&self, key: &str, copy: KvCopy<SimBody>, budget_ms: u32) -> Result<(), Fault> {
        let KvCopy { metadata, expiration_ttl_s, length, body } = copy;
        assert!(key.len() <= KV_KEY_BYTES_MAX && metadata.len() <= KV_METADATA_BYTES_MAX);
        assert!(expiration_ttl_s >= KV_EXPIRATION_TTL_S_MIN, "KV refuses {expiration_ttl_s} s");
        let world = &self.world;
        let visit = world.clock.current().visit;
        let metadata = saboteur::passing(world, Passage::IntoKv, metadata);
        world.judge.writes(world, visit, key);
        let (bytes, ended) = body.read().await;
        let is_whole = ended && bytes.len() as u64 == length;
        if !is_whole && !world.climate().commits_aborted {
            return Err(Fault::BrokenOff);
        }
        let (dc, name, committing) = (self.dc, key.to_owned(), Rc::clone(world));
        let trip = Trip::draw(world, world.climate().kv);
        let kept = trip.write(world, budget_ms, move || {
            let world = &committing;
            let late_ms = world.dice.below(FORGETS_LATE_MS);
            let until_ms = world.now_ms() + expiration_ttl_s * 1000 + late_ms;
            let value = Value { metadata, bytes: bytes.into(), until_ms, is_whole };
            world.kv.commit(world, dc, &name, Some(value.clone()))?;
            world.judge.committed(world, visit, &name, &value);
            Ok(())
        });
        let kept = kept.await;
        world.tell(|| format!("kv: {dc} told of {key}: {kept:?}"));
        if kept.is_err() {
            world.judge.write_failed(visit);
        }
        if is_whole { kept } else { Err(Fault::BrokenOff) }
    }

    async fn remove(&self, key: &str, budget_ms: u32) -> Result<(), Fault> {
        let world = &self.world;
        let visit = world.clock.current().visit;
        let (dc, name, committing) = (self.dc, key.to_owned(), Rc::clone(world));
        let trip = Trip::draw(world, world.climate().kv);
        let removed = trip
            .write(world, budget_ms, move || committing.kv.commit(&committing, dc, &name, None));
        let removed = removed.await;
        if removed.is_err() {
            world.judge.write_failed(visit);
        }
        removed
    }

    /// At rest everybody sees the same names; nobody lists before.
    async fn list(
        &self,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
        budget_ms: u32,
    ) -> Result<KvPage, Fault> {
        let world = &self.world;
        let trip = Trip::draw(world, world.climate().kv);
        let all = trip.read(world, budget_ms, || world.kv.all(world.now_ms())).await?;
        let is_after = |key: &str| cursor.is_none_or(|cursor| key > cursor);
        let mut entries: Vec<KvName> = all
            .into_iter()
            .filter(|(key, _)| key.starts_with(prefix) && is_after(key))
            .map(|(key, value)| KvName { key, metadata: Some(value.metadata) })
            .collect();
        let limit = usize::try_from(limit).unwrap();
        let cursor = (entries.len() > limit).then(|| entries[limit - 1].key.clone());
        entries.truncate(limit);
        Ok(KvPage { entries, cursor })
    }
}
