//! Copies of one entry are written to the tiers, side by side, from branches of one body.

use futures_util::future::{OptionFuture, join3};

use super::entry::{Entry, Metadata, Outcome};
use super::ports::{Body, Fault, Host};
use super::status::Tier;
use super::turn::{self, Lease};
use super::{edge, storage};
use crate::config::Cache;
use crate::limits::{FILL_MS_MAX, SPOOL_BYTES_MAX};
use crate::purge::ledger::Standing;
use crate::purge::target::Subject;

/// A whole entry that one tier gets, or both.
#[derive(Debug)]
pub struct Copies<B> {
    /// The entry; its length is 0 where the transformer did not announce it.
    pub entry: Entry<B>,
    /// The key in KV, where KV takes it.
    pub kv_key: Option<String>,
    /// The URL in the Cache API, where that takes it.
    pub edge_url: Option<String>,
    /// Its tags, unshortened.
    pub tags: Vec<String>,
}

/// What came of writing copies.
#[derive(Default)]
pub(super) struct Written {
    /// Metadata of what others can find now.
    pub(super) kept: Option<Metadata>,
    pub(super) in_kv: bool,
    pub(super) faults: Vec<(Tier, Fault)>,
}

impl<B: Body> Copies<B> {
    /// Writes every copy; no tier waits for another.
    pub(super) async fn write<H: Host<Body = B>>(
        mut self,
        host: &H,
        cache: &Cache,
        lease: Option<&Lease>,
    ) -> Written {
        let mut faults = Vec::new();
        if let Err(fault) = self.measure(lease.is_some()).await {
            faults.push((Tier::Edge, fault));
        }
        let Self { entry: Entry { metadata, body }, kv_key, edge_url, tags } = self;
        // Who waited here has looked for the key in vain, and KV remembers that for a minute
        // (how-kv-works); a name nobody has asked for yet is found at once. Chunks have such names anyway.
        let is_single = metadata.length > 0 && metadata.length <= cache.single_bytes_max;
        let may_publish = async || match lease {
            Some(lease) => turn::may_publish(host, cache, lease).await,
            None => true,
        };
        // What is in one piece can be found as soon as it is written, under any of its names; so can the memory of a
        // failure, which must not stand before what another has made meanwhile.
        let is_whole = is_single || metadata.outcome() != Outcome::Rendition;
        if is_whole && !may_publish().await {
            body.discard();
            faults.push((Tier::Kv, Fault::Superseded));
            return Written { faults, ..Written::default() };
        }
        let is_purged = purged(host, &metadata, kv_key.as_deref(), &tags);
        if is_purged() {
            body.discard();
            faults.push((Tier::Kv, Fault::Purged));
            return Written { faults, ..Written::default() };
        }
        let (now_ms, budget_ms) = (host.now_ms(), cache.write_timeout_ms);
        let is_young = || host.now_ms().saturating_sub(now_ms) < FILL_MS_MAX;
        let may_publish = async || is_whole || (is_young() && !is_purged() && may_publish().await);
        let alias = (lease.is_some() && kv_key.is_some() && is_single)
            .then(|| storage::alias(&metadata.generation));
        let takers = [kv_key.is_some(), alias.is_some(), edge_url.is_some()];
        let mut branches = Branches::of(body, &takers, cache.write_timeout_ms);
        let mut entry = || {
            let body = branches.next();
            body.map(|body| Entry { metadata: metadata.clone(), body })
        };
        let edge = edge_url.map(|url| (url, entry()));
        let alias = alias.map(|key| (key, entry()));
        let kv = kv_key.map(|key| (key, entry()));
        branches.discard();

        let to_kv = OptionFuture::from(kv.map(|(key, entry)| async move {
            storage::keep(host.kv(), &key, entry?, now_ms, cache, may_publish).await
        }));
        let to_alias = OptionFuture::from(alias.map(|(key, entry)| async move {
            storage::keep_alias(host.kv(), &key, entry?, cache).await
        }));
        let to_edge = OptionFuture::from(edge.map(|(url, entry)| async {
            let (url, entry) = (url, entry?);
            edge::keep(host.edge(), &url, entry, &tags, now_ms, budget_ms).await
        }));
        let (kv, alias, edge) = join3(to_kv, to_alias, to_edge).await;

        let mut kept = None;
        match edge {
            Some(Ok(())) => kept = Some(metadata),
            Some(Err(fault)) => faults.push((Tier::Edge, fault)),
            None => {}
        }
        if let Some(Err(fault)) = alias {
            faults.push((Tier::Kv, fault));
        }
        let mut in_kv = false;
        match kv {
            // KV knows more of it than the edge: its length, its chunks.
            Some(Ok(metadata)) => (kept, in_kv) = (Some(metadata), true),
            Some(Err(fault)) => faults.push((Tier::Kv, fault)),
            None => {}
        }
        Written { kept, in_kv, faults }
    }

    /// The Cache API must be told the length beforehand (runtime-apis/cache), and whether those who wait need
    /// a second name depends on it; a body too long to be measured goes to KV alone, which finds it out on the
    /// way.
    async fn measure(&mut self, is_awaited: bool) -> Result<(), Fault> {
        let metadata = &self.entry.metadata;
        let is_unknown = metadata.length == 0 && metadata.outcome() == Outcome::Rendition;
        if !is_unknown || !(is_awaited || self.edge_url.is_some()) {
            return Ok(());
        }
        let body = std::mem::replace(&mut self.entry.body, B::empty());
        let (whole, length) = body.measure(SPOOL_BYTES_MAX).await;
        self.entry.body = whole;
        self.entry.metadata.length = length.unwrap_or(0);
        if self.entry.metadata.length == 0 && self.edge_url.take().is_some() {
            return Err(Fault::Corrupt("length-unknown"));
        }
        Ok(())
    }
}

/// Whether an entry was purged while it was made, by what has been heard when it is asked: then it is of no use to
/// anybody, and must not stand before what comes after.
fn purged<'a, H: Host>(
    host: &'a H,
    metadata: &Metadata,
    kv_key: Option<&str>,
    tags: &'a [String],
) -> impl Fn() -> bool + use<'a, H> {
    let (heard, path) = (metadata.heard, metadata.path.clone());
    let kv_key = kv_key.unwrap_or_default().to_owned();
    move || {
        let subject = Subject { host: None, path: path.as_deref(), kv_key: &kv_key, tags };
        host.ledger().standing(heard, &subject) == Standing::Purged
    }
}

/// One body for several takers: all but the last get a branch.
struct Branches<B> {
    left: usize,
    body: Option<B>,
    patience_ms: u32,
}

impl<B: Body> Branches<B> {
    fn of(body: B, takers: &[bool], patience_ms: u32) -> Self {
        let left = takers.iter().filter(|takes| **takes).count();
        Self { left, body: Some(body), patience_ms }
    }

    fn next(&mut self) -> Result<B, Fault> {
        self.left = self.left.saturating_sub(1);
        let body = match &mut self.body {
            Some(body) if self.left > 0 => return body.fork(self.patience_ms),
            body => body.take(),
        };
        body.ok_or(Fault::Corrupt("a body that was given away"))
    }

    /// Nobody took it.
    fn discard(self) {
        if let Some(body) = self.body {
            body.discard();
        }
    }
}
