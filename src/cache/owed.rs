//! What a request owes after its answer: values, so that the background work can be tested.

use futures_util::future::join;

use super::copies::{Copies, Written};
use super::gate::Question;
use super::ports::{Ending, Fault, Gate, Host};
use super::status::Tier;
use super::storage;
use super::turn::{self, Lease};
use crate::config::Cache;

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
    /// What the other requests of this isolate leave to this one until all of it is done.
    pub errand: Option<String>,
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

impl<B> Default for Owed<B> {
    fn default() -> Self {
        Self {
            copies: None,
            lease: None,
            reading: None,
            broken: None,
            errand: None,
            renewal: false,
        }
    }
}

impl<B> Owed<B> {
    /// Whether nothing is owed.
    pub fn is_nothing(&self) -> bool {
        self.copies.is_none()
            && self.lease.is_none()
            && self.reading.is_none()
            && self.broken.is_none()
            && self.errand.is_none()
            && !self.renewal
    }
}

/// Does what is owed, but for the renewal, and tells what went wrong.
///
/// The copies are written side by side, from branches of one body: no tier waits for another, and a short
/// or broken body is committed in none. Whoever waits at the gate hears of it when all of it is written.
pub async fn settle<H: Host>(host: &H, cache: &Cache, owed: Owed<H::Body>) -> Vec<(Tier, Fault)> {
    let Owed { copies, lease, reading, broken, errand, renewal: _ } = owed;
    let filling = async {
        let Some(lease) = lease else {
            return match copies {
                Some(copies) => copies.write(host, cache, None).await,
                None => Written::default(),
            };
        };
        let was_tried = copies.is_some();
        let mut written = match copies {
            Some(copies) => {
                turn::held(host, Some(&lease), copies.write(host, cache, Some(&lease))).await
            }
            None => Written::default(),
        };
        if written.kept.is_none() {
            written.kept = lease.told.as_deref().cloned();
        }
        finish(host, cache, lease, was_tried, &mut written).await;
        written
    };
    let reading = async {
        match reading {
            Some(Reading { entry, ending }) => ending.await.err().map(|fault| (entry, fault)),
            None => None,
        }
    };
    let (written, read) = join(filling, reading).await;
    if let Some(errand) = errand {
        host.release(&errand);
    }
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
        // Otherwise the gate would lead the next viewer to the same broken body.
        let gate = host.gate().filter(|_| cache.coalescing.enabled);
        let question = Question::Forget { generation };
        if let Some(gate) = gate
            && let Err(fault) = gate.ask(&key, &question, cache.coalescing.timeout_ms).await
        {
            faults.push((Tier::Gate, fault));
        }
    }
    faults
}

/// `was_tried` tells what could not be kept from what was not to be.
async fn finish<H: Host>(
    host: &H,
    cache: &Cache,
    lease: Lease,
    was_tried: bool,
    written: &mut Written,
) {
    let token = lease.token;
    let question = match &written.kept {
        None if was_tried => Question::Fail { token },
        kept => {
            let entry = kept.as_ref().and_then(|metadata| metadata.encode().ok());
            Question::Finish { token, entry }
        }
    };
    if let Some(gate) = host.gate()
        && let Err(fault) = gate.ask(&lease.key, &question, cache.coalescing.timeout_ms).await
    {
        written.faults.push((Tier::Gate, fault));
    }
}
