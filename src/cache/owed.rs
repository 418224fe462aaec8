//! What a request owes after its answer: values, so that the background work can be tested.

use futures_util::future::{join, join3};

use super::edge;
use super::entry::{Entry, Metadata, Outcome};
use super::gate::Question;
use super::ports::{Body, Ending, Fault, Gate, Host};
use super::status::Tier;
use super::storage;
use super::turn::{self, Lease};
use crate::config::Cache;
use crate::limits::SPOOL_BYTES_MAX;

/// What is still to be done for a request when its answer is on the way.
#[derive(Debug)]
pub struct Owed<B> {
    /// Copies for the tiers.
    pub copies: Option<Copies<B>>,
    /// The gate waits to hear how the fill ended.
    pub lease: Option<Lease>,
    /// A body in chunks that is being read.
    pub reading: Option<Reading>,
    /// An entry in KV that turned out to be broken, and was not read.
    pub broken: Option<Named>,
    /// Whether the entry that was served must be renewed.
    pub renewal: bool,
}

/// An entry in KV, by its name and by which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its key.
    pub key: String,
    /// Its generation: another fill's entry under the same key is another entry.
    pub generation: String,
}

/// A body in chunks that a viewer reads.
pub struct Reading {
    /// Which one.
    pub entry: Named,
    /// How it ended, once it has.
    pub ending: Ending,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reading").field("entry", &self.entry).finish_non_exhaustive()
    }
}

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

impl<B> Default for Owed<B> {
    fn default() -> Self {
        Self { copies: None, lease: None, reading: None, broken: None, renewal: false }
    }
}

impl<B> Owed<B> {
    /// Whether nothing is owed.
    pub fn is_nothing(&self) -> bool {
        self.copies.is_none()
            && self.lease.is_none()
            && self.reading.is_none()
            && self.broken.is_none()
            && !self.renewal
    }
}

/// Does what is owed, but for the renewal, and tells what went wrong.
///
/// The copies are written side by side, from branches of one body: no tier waits for another, and a short
/// or broken body is committed in none. Whoever waits at the gate hears of it when all of it is written.
pub async fn settle<H: Host>(host: &H, cache: &Cache, owed: Owed<H::Body>) -> Vec<(Tier, Fault)> {
    let Owed { copies, lease, reading, broken, renewal: _ } = owed;
    let filling = async {
        let Some(lease) = lease else {
            return match copies {
                Some(copies) => write(host, cache, copies, None).await,
                None => Written::default(),
            };
        };
        let mut written = match copies {
            Some(copies) => {
                turn::beating(host, &lease, write(host, cache, copies, Some(&lease))).await
            }
            None => Written::default(),
        };
        if written.kept.is_none() {
            written.kept.clone_from(&lease.told);
        }
        finish(host, cache, lease, &mut written).await;
        written
    };
    let reading = async {
        match reading {
            Some(Reading { entry, ending }) => ending.await.err().map(|fault| (entry, fault)),
            None => None,
        }
    };
    let (written, read) = join(filling, reading).await;
    let Written { in_kv, mut faults, .. } = written;
    let condemned = match read {
        Some((entry, fault)) => {
            let condemned = fault.condemns().then_some(entry);
            faults.push((Tier::Kv, fault));
            condemned
        }
        None => None,
    };
    // A fill that was kept has taken the place of what was broken.
    for Named { key, generation } in condemned.into_iter().chain(broken.filter(|_| !in_kv)) {
        if let Err(fault) = storage::retire(host.kv(), &key, &generation, cache).await {
            faults.push((Tier::Kv, fault));
        }
    }
    faults
}

/// What came of writing copies.
#[derive(Default)]
struct Written {
    /// Metadata of what others can find now.
    kept: Option<Metadata>,
    in_kv: bool,
    faults: Vec<(Tier, Fault)>,
}

async fn finish<H: Host>(host: &H, cache: &Cache, lease: Lease, written: &mut Written) {
    let entry = written.kept.as_ref().and_then(|metadata| metadata.encode().ok());
    let question = Question::Finish { token: lease.token, entry };
    if let Some(gate) = host.gate()
        && let Err(fault) = gate.ask(&lease.key, &question, cache.gate_timeout_ms).await
    {
        written.faults.push((Tier::Gate, fault));
    }
}

async fn write<H: Host>(
    host: &H,
    cache: &Cache,
    copies: Copies<H::Body>,
    lease: Option<&Lease>,
) -> Written {
    let Copies { entry: Entry { mut metadata, mut body }, kv_key, mut edge_url, tags } = copies;
    let mut faults = Vec::new();
    let is_unknown = metadata.length == 0 && metadata.outcome() == Outcome::Rendition;
    if is_unknown && (edge_url.is_some() || lease.is_some()) {
        // The Cache API must be told the length beforehand (runtime-apis/cache); KV finds it out, but not
        // whether a second name is needed.
        let (whole, length) = body.measure(SPOOL_BYTES_MAX).await;
        body = whole;
        metadata.length = length.unwrap_or(0);
        if metadata.length == 0 && edge_url.take().is_some() {
            faults.push((Tier::Edge, Fault::Corrupt("length-unknown")));
        }
    }
    // Who waited here has looked for the key in vain, and KV remembers that for a minute (how-kv-works);
    // a name nobody has asked for yet is found at once. Chunks have such names anyway.
    let is_single = metadata.length > 0 && metadata.length <= cache.single_bytes_max;
    let may_publish = async || match lease {
        Some(lease) => turn::may_publish(host, cache, lease).await,
        None => true,
    };
    if is_single && !may_publish().await {
        body.discard();
        faults.push((Tier::Kv, Fault::Superseded));
        return Written { faults, ..Written::default() };
    }
    let may_publish = async || is_single || may_publish().await;
    let alias = (lease.is_some() && kv_key.is_some() && is_single)
        .then(|| storage::alias(&metadata.generation));
    let wanted = [kv_key.is_some(), alias.is_some(), edge_url.is_some()];
    let mut branches = Branches {
        left: wanted.into_iter().filter(|wanted| *wanted).count(),
        body: Some(body),
        patience_ms: cache.write_timeout_ms,
    };
    let now_ms = host.now_ms();
    let entry = |body| Entry { metadata: metadata.clone(), body };
    let edge = edge_url.map(|url| (url, branches.next()));
    let alias = alias.map(|key| (key, branches.next()));
    let kv = kv_key.map(|key| (key, branches.next()));
    if let Some(unread) = branches.body {
        unread.discard();
    }
    let (kv, alias, edge) = join3(
        async {
            let (key, body) = kv?;
            Some(match body {
                Ok(body) => {
                    storage::keep(host.kv(), &key, entry(body), now_ms, cache, may_publish).await
                }
                Err(fault) => Err(fault),
            })
        },
        async {
            let (key, body) = alias?;
            Some(match body {
                Ok(body) => storage::keep_alias(host.kv(), &key, entry(body), cache).await,
                Err(fault) => Err(fault),
            })
        },
        async {
            let (url, body) = edge?;
            Some(match body {
                Ok(body) => {
                    let budget_ms = cache.write_timeout_ms;
                    edge::keep(host.edge(), &url, entry(body), &tags, now_ms, budget_ms).await
                }
                Err(fault) => Err(fault),
            })
        },
    )
    .await;
    let mut kept = None;
    let mut in_kv = false;
    match edge {
        Some(Ok(())) => kept = Some(metadata.clone()),
        Some(Err(fault)) => faults.push((Tier::Edge, fault)),
        None => {}
    }
    match kv {
        Some(Ok(metadata)) => {
            kept = Some(metadata);
            in_kv = true;
        }
        Some(Err(fault)) => faults.push((Tier::Kv, fault)),
        None => {}
    }
    if let Some(Err(fault)) = alias {
        faults.push((Tier::Kv, fault));
    }
    Written { kept, in_kv, faults }
}

/// One body for several takers: all but the last get a branch.
struct Branches<B> {
    left: usize,
    body: Option<B>,
    patience_ms: u32,
}

impl<B: Body> Branches<B> {
    fn next(&mut self) -> Result<B, Fault> {
        self.left = self.left.saturating_sub(1);
        let body = match &mut self.body {
            Some(body) if self.left > 0 => return body.fork(self.patience_ms),
            body => body.take(),
        };
        body.ok_or(Fault::Corrupt("a body that was given away"))
    }
}
