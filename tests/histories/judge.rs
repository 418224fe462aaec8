//! Who watches everything that is written and said, and holds it against what was truly made.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use video_resizer::cache::edge::METADATA_HEADER;
use video_resizer::cache::entry::{Metadata, Outcome};
use video_resizer::cache::gate::{Question, Verdict};
use video_resizer::cache::ports::Fault;
use video_resizer::cache::storage::chunks::{Mark, chunk_key};
use video_resizer::cache::storage::manifest::Manifest;
use video_resizer::limits::PROBE_MS_MAX;

use super::edge::Kept;
use super::kv::Value;
use super::upstream::{Made, PATHS, VARIANTS, variant_of};
use super::world::World;

/// Milliseconds after its headers left at which something made may count as made: they travel, the probe
/// beside the order is waited for, and so is the end of a body that did not announce its length.
const MADE_LATE_MS: u64 = PROBE_MS_MAX as u64 + 500;
const MEASURED_LATE_MS: u64 = 40_000;
/// The same where nobody is so slow that it spans a purge's bound.
pub(crate) const LATE_MS: u64 = 60_000;

/// What is known so far, and what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// What each generation can be, from all that was seen of it: indexes of what was made.
    generations: RefCell<BTreeMap<String, Vec<usize>>>,
    /// Generations that were published.
    published: RefCell<BTreeSet<String>>,
    /// Which visit's write arrived at a key last.
    writers: RefCell<BTreeMap<String, usize>>,
    /// Visits that were not told of every write of theirs that it worked, or were ended.
    excused: RefCell<BTreeSet<usize>>,
    /// What a visit was told at a gate: the visit, and the gate's key.
    leases: RefCell<BTreeMap<(usize, String), Leading>>,
    violations: RefCell<Vec<String>>,
    /// Milliseconds an entry is fresh, and is of any use afterwards.
    pub(crate) lifetime_ms: Cell<u64>,
    pub(crate) window_ms: Cell<u64>,
    pub(crate) chunk_bytes: Cell<usize>,
    /// Milliseconds a copy may be on its way to the edge: its `max-age` is said when it leaves.
    pub(crate) late_ms: Cell<u64>,
    /// Milliseconds between two looks of an isolate for purges.
    pub(crate) refresh_ms: Cell<u32>,
    /// Milliseconds by which clocks differ, or go back, at the most.
    pub(crate) skew_ms: Cell<u64>,
}

/// What the holder of a lease has said and heard.
#[derive(Debug, Default)]
struct Leading {
    asked: bool,
    lost: bool,
    finished: bool,
}

impl Judge {
    pub(crate) fn violation(&self) -> Option<String> {
        self.violations.borrow().first().cloned()
    }

    pub(crate) fn fail(&self, world: &World, what: String) {
        world.tell(|| format!("WRONG: {what}"));
        self.violations.borrow_mut().push(what);
    }

    /// Something was seen of a generation: what of everything made can it be, from all that was ever seen?
    pub(crate) fn saw(
        &self,
        world: &World,
        generation: &str,
        what: &str,
        is_of: impl Fn(&Made) -> bool,
    ) -> Vec<usize> {
        let made = world.studio.made.borrow();
        let mut generations = self.generations.borrow_mut();
        let known =
            generations.entry(generation.to_owned()).or_insert_with(|| (0..made.len()).collect());
        let before = known.clone();
        known.retain(|index| is_of(&made[*index]));
        let left = known.clone();
        drop(generations);
        if left.is_empty() && !before.is_empty() {
            self.fail(world, format!("{what}: {generation} was one of {before:?}, and now none"));
        } else if left.is_empty() {
            self.fail(world, format!("{what}: {generation} is nothing that was made"));
        }
        left
    }

    /// Whether the fill of a generation started before a moment, whatever of everything made it may be.
    pub(crate) fn begun_before(&self, world: &World, generation: &str, moment_ms: u64) -> bool {
        let (made, generations) = (world.studio.made.borrow(), self.generations.borrow());
        let known = generations.get(generation);
        known.is_some_and(|known| known.iter().all(|index| made[*index].ordered_ms < moment_ms))
    }

    /// Until when one of these was fresh at the most: a lifetime after it was made, or its source was last
    /// found unchanged.
    pub(crate) fn fresh_ms(&self, world: &World, candidates: &[usize]) -> u64 {
        let (made, vouched) = (world.studio.made.borrow(), world.studio.vouched.borrow());
        let last = |index: &usize| {
            let made = &made[*index];
            let late_ms = if made.is_announced { 0 } else { MEASURED_LATE_MS };
            let made_ms = made.answered_ms + MADE_LATE_MS + late_ms;
            let (path, _) = VARIANTS[made.variant];
            let is_its = |(of, version, _): &&(usize, u32, u64)| {
                // A copy that the transformer kept may pass for what its source is now, until a purge is heard of.
                let is_taken_for = world.studio.keeps.get() && *version > made.source_version;
                PATHS[*of] == path && (*version == made.source_version || is_taken_for)
            };
            let found = vouched.iter().filter(is_its).map(|(_, _, at_ms)| *at_ms).max();
            made_ms.max(found.unwrap_or(0)) + self.skew_ms.get()
        };
        candidates.iter().map(last).max().unwrap_or(0) + self.lifetime_ms.get()
    }

    /// A value is about to be written by a visit.
    pub(crate) fn writes(&self, world: &World, visit: usize, key: &str) {
        let leases = self.leases.borrow();
        let Some(leading) = leases.get(&(visit, key.to_owned())).filter(|it| !it.finished) else {
            return;
        };
        if leading.lost {
            self.fail(world, format!("{key} was published after its lease was lost"));
        } else if !leading.asked {
            self.fail(world, format!("{key} was published without asking whether it may be"));
        }
    }

    /// A write that its visit was not told of, or that failed.
    pub(crate) fn write_failed(&self, visit: usize) {
        self.excused.borrow_mut().insert(visit);
    }

    pub(crate) fn ended(&self, visits: impl IntoIterator<Item = usize>) {
        self.excused.borrow_mut().extend(visits);
    }

    /// A value has arrived in KV.
    pub(crate) fn committed(&self, world: &World, visit: usize, key: &str, value: &Value) {
        self.writers.borrow_mut().insert(key.to_owned(), visit);
        if let Err(why) = self.check_value(world, key, value) {
            self.fail(world, format!("{key} in KV: {why}"));
        }
    }

    fn check_value(&self, world: &World, key: &str, value: &Value) -> Result<(), String> {
        if let Some((generation, index)) = chunk_name(key) {
            let mark = Mark::decode(&value.metadata).map_err(|fault| fault.to_string())?;
            if mark.generation != generation || mark.index != index as u64 {
                return Err(format!("marked {mark:?}"));
            }
            let first = index * self.chunk_bytes.get();
            self.saw(world, generation, "a chunk", |made| {
                made.bytes.get(first..first + value.bytes.len()) == Some(&*value.bytes)
            });
            return Ok(());
        }
        if key == "scrub" {
            return Ok(());
        }
        let metadata = Metadata::decode(&value.metadata).map_err(|fault| fault.to_string())?;
        if metadata.outcome() != Outcome::Rendition {
            return if value.bytes.is_empty() {
                Ok(())
            } else {
                Err("a failure with bytes".into())
            };
        }
        let candidates = match metadata.chunks {
            None if !value.is_whole => return Ok(()),
            None => self.check_whole(world, &metadata, &value.bytes, key),
            Some(chunks) => {
                let at = usize::try_from(chunks.manifest_bytes).unwrap();
                let manifest = Manifest::decode(&value.bytes[..at]).map_err(|it| it.to_string())?;
                self.check_manifest(world, &metadata, &manifest, key, &value.bytes[at..])?
            }
        };
        if variant_of(key).is_some() {
            self.published.borrow_mut().insert(metadata.generation.clone());
        }
        self.check_times(world, &metadata, &candidates)
    }

    fn check_whole(
        &self,
        world: &World,
        metadata: &Metadata,
        bytes: &[u8],
        name: &str,
    ) -> Vec<usize> {
        let variant = variant_of(name);
        self.saw(world, &metadata.generation, "a whole body", |made| {
            made.bytes[..] == *bytes
                && metadata.length == bytes.len() as u64
                && variant.is_none_or(|variant| variant == made.variant)
        })
    }

    /// A manifest is published when everything it names is there, and stays there for as long.
    fn check_manifest(
        &self,
        world: &World,
        metadata: &Metadata,
        manifest: &Manifest,
        key: &str,
        head: &[u8],
    ) -> Result<Vec<usize>, String> {
        if manifest.generation != metadata.generation || manifest.length() != metadata.length {
            return Err(format!("{manifest:?} beside {metadata:?}"));
        }
        for (index, chunk) in (0..).zip(&manifest.chunks) {
            let name = chunk_key(&manifest.generation, index);
            let Some(value) = world.kv.truth(&name, world.now_ms()) else {
                return Err(format!("published before its chunk {index}"));
            };
            if value.bytes.len() as u64 != chunk.length {
                return Err(format!("chunk {index} has another length"));
            }
            if value.until_ms < metadata.kept_until_ms() {
                return Err(format!("it outlives its chunk {index}"));
            }
        }
        let variant = variant_of(key);
        Ok(self.saw(world, &metadata.generation, "a manifest", |made| {
            made.bytes.len() as u64 == metadata.length
                && made.bytes.starts_with(head)
                && variant.is_none_or(|variant| variant == made.variant)
        }))
    }

    fn check_times(
        &self,
        world: &World,
        metadata: &Metadata,
        candidates: &[usize],
    ) -> Result<(), String> {
        let fresh_ms = self.fresh_ms(world, candidates);
        let over_ms = metadata.fresh_until_ms.saturating_sub(fresh_ms);
        if over_ms > 0 {
            return Err(format!("fresh for {over_ms} ms longer than it was vouched for"));
        }
        let over_ms = metadata.kept_until_ms().saturating_sub(fresh_ms + self.window_ms.get());
        if over_ms > 0 {
            return Err(format!("of use for {over_ms} ms longer than it was vouched for"));
        }
        Ok(())
    }

    /// An answer has arrived in a Cache API.
    pub(crate) fn shelved(&self, world: &World, url: &str, kept: &Kept) {
        let metadata = Metadata::decode(kept.headers[METADATA_HEADER].to_str().unwrap());
        let checked = metadata.map_err(|fault| fault.to_string()).and_then(|metadata| {
            if metadata.outcome() != Outcome::Rendition || !kept.is_whole {
                return Ok(());
            }
            let candidates = self.check_whole(world, &metadata, &kept.bytes, url);
            // The platform believes its own header.
            let fresh_ms = self.fresh_ms(world, &candidates);
            let over_ms = kept
                .until_ms
                .saturating_sub(fresh_ms.max(metadata.fresh_until_ms + self.late_ms.get()));
            if over_ms > 0 {
                return Err(format!("kept {over_ms} ms longer than it was vouched for"));
            }
            self.check_times(world, &metadata, &candidates)
        });
        if let Err(why) = checked {
            self.fail(world, format!("{url} at the edge: {why}"));
        }
    }

    pub(crate) fn asks(&self, visit: usize, key: &str, question: &Question) {
        let mut leases = self.leases.borrow_mut();
        let Some(leading) = leases.get_mut(&(visit, key.to_owned())) else { return };
        match question {
            Question::Publish { .. } => leading.asked = true,
            Question::Finish { .. } | Question::Fail { .. } => leading.finished = true,
            Question::Enter { .. }
            | Question::Wait { .. }
            | Question::Beat { .. }
            | Question::Forget { .. } => {}
        }
    }

    pub(crate) fn told(
        &self,
        visit: usize,
        key: &str,
        question: &Question,
        verdict: &Result<Verdict, Fault>,
    ) {
        let mut leases = self.leases.borrow_mut();
        let name = (visit, key.to_owned());
        match (question, verdict) {
            (Question::Enter { .. } | Question::Wait { .. }, Ok(Verdict::Lead { .. })) => {
                leases.insert(name, Leading::default());
            }
            (Question::Publish { .. }, Ok(Verdict::Lost)) => {
                if let Some(leading) = leases.get_mut(&name) {
                    leading.lost = true;
                }
            }
            _ => {}
        }
    }

    /// A visit has done all it owed: whoever waits at a gate must have heard of it.
    pub(crate) fn visit_over(&self, world: &World, visit: usize) {
        let leases = self.leases.borrow();
        let mut its = leases.iter().filter(|((of, _), _)| *of == visit);
        if let Some(((_, key), _)) = its.find(|(_, leading)| !leading.finished) {
            let key = key.clone();
            drop(leases);
            self.fail(world, format!("{key}: a lease was never given back"));
        }
    }

    /// When everything is over: nothing short, and no chunks without a manifest, but where taking them back
    /// was impossible.
    pub(crate) fn check_rest(&self, world: &World) {
        for (key, value) in world.kv.all(world.now_ms()) {
            let writer = self.writers.borrow().get(&key).copied().unwrap_or_default();
            let is_orphan = chunk_name(&key)
                .is_some_and(|(generation, _)| !self.published.borrow().contains(generation));
            let is_excused = self.excused.borrow().contains(&writer);
            if (is_orphan || !value.is_whole) && !is_excused {
                self.fail(world, format!("{key} was left behind by visit {writer}"));
            }
        }
    }
}

fn chunk_name(key: &str) -> Option<(&str, usize)> {
    let (generation, index) = key.strip_prefix("chunk:")?.split_once(':')?;
    Some((generation, index.parse().ok()?))
}
