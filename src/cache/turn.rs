//! Whose turn it is to fill: many cold requests for one rendition, one of them makes it.
//!
//! Nothing is shared between requests but what is said at the gate. Who cannot reach it goes alone.

use std::convert::Infallible;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::entry::Metadata;
use super::gate::{Question, Verdict};
use super::orchestrator::Visit;
use super::ports::{Fault, Gate, Host};
use super::rendition::Rendition;
use super::status::Tier;
use crate::config::Cache;
use crate::limits::LEASE_BEAT_MS;

/// The right to fill one variant; others wait for it to be finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The variant: its key in KV.
    pub key: String,
    /// The fencing token.
    pub token: u64,
    /// What those who wait are told where no copy is written: that none could be made, or is as good as new.
    pub told: Option<Box<Metadata>>,
}

/// What the gate left a request to do.
#[derive(Debug)]
pub(super) enum Turn {
    /// To make it; with a lease, others wait for it.
    Make(Option<Lease>),
    /// To look where it is: another has just made it, or failed to.
    Look(Told),
}

/// What the gate told of another request's fill.
#[derive(Debug)]
pub(super) struct Told {
    /// What came of it.
    pub(super) entry: Box<Metadata>,
    /// Whether it was waited for: then it answers this request too, even a failure that nobody remembers.
    pub(super) was_awaited: bool,
}

impl<H: Host> Visit<'_, H> {
    /// Asks the gate, and waits where another is at it; `unusable` names what it told of and was no use.
    pub(super) async fn take_turn(&mut self, unusable: Option<String>) -> Turn {
        let Some(gate) = self.gate() else { return Turn::Make(None) };
        let began_ms = self.host.now_ms();
        let turn = self.ask_gate(gate, unusable).await;
        self.trace.gate_ms = Some(self.host.now_ms().saturating_sub(began_ms));
        turn.unwrap_or_else(|fault| {
            self.trace.faults.push((Tier::Gate, fault));
            Turn::Make(None)
        })
    }

    /// The gate, where what is made goes to where others can find it.
    fn gate(&self) -> Option<&H::Gate> {
        let Rendition { origin, bypass, .. } = self.rendition;
        let is_shared = origin.kv && bypass.kv.read && bypass.kv.write;
        self.host.gate().filter(|_| self.config.cache.coalescing.enabled && is_shared)
    }

    /// Asks the gate without waiting; `None` where somebody else is at it, or has done it already.
    pub(super) async fn take_turn_at_once(&mut self) -> Option<Option<Lease>> {
        let Some(gate) = self.gate() else { return Some(None) };
        let key = &self.rendition.kv_key;
        let budget_ms = self.config.cache.coalescing.timeout_ms;
        let mut verdict = gate.ask(key, &Question::Enter { unusable: None }, budget_ms).await;
        if let Ok(Verdict::Filled { entry }) = &verdict
            && let Ok(filled) = Metadata::decode(entry)
            && !self.is_as_new(&filled)
        {
            // That was the fill which is to be renewed, or an attempt at it whose failure is over.
            let enter = Question::Enter { unusable: Some(filled.generation) };
            verdict = gate.ask(key, &enter, budget_ms).await;
        }
        match verdict {
            Ok(Verdict::Lead { token }) => {
                Some(Some(Lease { key: key.clone(), token, told: None }))
            }
            Ok(
                Verdict::Follow { .. }
                | Verdict::Filled { .. }
                | Verdict::Alone
                | Verdict::Held
                | Verdict::Lost,
            ) => None,
            Err(fault) => {
                self.trace.faults.push((Tier::Gate, fault));
                Some(None)
            }
        }
    }

    async fn ask_gate(&self, gate: &H::Gate, unusable: Option<String>) -> Result<Turn, Fault> {
        let key = &self.rendition.kv_key;
        let budget_ms = self.config.cache.coalescing.timeout_ms;
        let mut verdict = gate.ask(key, &Question::Enter { unusable }, budget_ms).await?;
        let mut was_awaited = false;
        if let Verdict::Follow { token } = verdict {
            was_awaited = true;
            let wait_ms = self.config.cache.coalescing.wait_ms;
            let wait = Question::Wait { token, wait_ms };
            verdict = gate.ask(key, &wait, wait_ms.saturating_add(budget_ms)).await?;
        }
        Ok(match verdict {
            Verdict::Lead { token } => {
                // Others will wait for this fill, whoever it was begun for.
                self.host.outlive_viewer();
                Turn::Make(Some(Lease { key: key.clone(), token, told: None }))
            }
            Verdict::Filled { entry } => {
                Turn::Look(Told { entry: Box::new(Metadata::decode(&entry)?), was_awaited })
            }
            // Whoever is at it takes longer than this viewer may wait.
            Verdict::Follow { .. } | Verdict::Alone | Verdict::Held | Verdict::Lost => {
                Turn::Make(None)
            }
        })
    }
}

/// Does `work`, and says so at the gate for as long as it takes, where others wait for it.
pub(super) async fn held<H: Host, T>(
    host: &H,
    lease: Option<&Lease>,
    work: impl Future<Output = T>,
) -> T {
    let Some(lease) = lease else { return work.await };
    match select(pin!(work), pin!(beat(host, lease))).await {
        Either::Left((done, _)) => done,
        Either::Right((never, _)) => match never {},
    }
}

async fn beat<H: Host>(host: &H, lease: &Lease) -> Infallible {
    loop {
        host.sleep(LEASE_BEAT_MS).await;
        if let Some(gate) = host.gate() {
            // Missed, the next one is as good; without any the lease goes to somebody else.
            let question = Question::Beat { token: lease.token };
            let _: Result<Verdict, Fault> = gate.ask(&lease.key, &question, LEASE_BEAT_MS).await;
        }
    }
}

/// The fencing check, right before anything is written that others can find. A gate that cannot be reached
/// does not forbid it: the fill is paid for, and a second one of the same is as good.
pub(super) async fn may_publish<H: Host>(host: &H, cache: &Cache, lease: &Lease) -> bool {
    let Some(gate) = host.gate() else { return true };
    let question = Question::Publish { token: lease.token };
    gate.ask(&lease.key, &question, cache.coalescing.timeout_ms).await != Ok(Verdict::Lost)
}
