//! An entry is renewed behind the viewer's back: its source is asked first, and only one that has changed,
//! or does not answer, costs a transform.

use std::pin::pin;

use futures_util::future::{Either, select};
use http::{Method, header};

use super::copies::Copies;
use super::edge;
use super::entry::{Entry, Metadata, Outcome};
use super::fill::New;
use super::freshness::{Freshness, extension_ms, freshness};
use super::orchestrator::Visit;
use super::owed::settle;
use super::ports::{Body, EdgeCache, Fault, Host};
use super::rendition::Rendition;
use super::status::Tier;
use super::storage::{self, Found};
use super::turn::{self, Lease};
use crate::config::Config;
use crate::limits::ERRAND_BEAT_MS;
use crate::media::failure;
use crate::media::order;
use crate::media::revalidation::{self, Revalidation};
use crate::purge::ledger::Standing;
use crate::request::ask::Ask;

/// Renews what is kept of a rendition: once at a time in the world, or in this isolate where there is no
/// gate. Tells what went wrong.
pub async fn renew<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
) -> Vec<(Tier, Fault)> {
    if !host.claim(&rendition.kv_key) {
        return Vec::new();
    }
    let ask = of_the_whole(ask);
    let work = async {
        let mut visit = Visit::new(host, &ask, config, rendition, "");
        visit.renew().await;
        let Visit { mut trace, owed, .. } = visit;
        trace.faults.extend(settle(host, &config.cache, owed).await);
        trace.faults
    };
    on_errand(host, &rendition.kv_key, work).await
}

/// Does `work`, and keeps the errand it was claimed for as long as it takes: a transform may take longer than a claim
/// lasts. Afterwards the last claim runs out by itself, so that what failed is not tried again at once.
async fn on_errand<H: Host, T>(host: &H, errand: &str, work: impl Future<Output = T>) -> T {
    let claiming = async {
        loop {
            host.sleep(ERRAND_BEAT_MS).await;
            host.release(errand);
            host.claim(errand);
        }
    };
    match select(pin!(work), pin!(claiming)).await {
        Either::Left((done, _)) => done,
        Either::Right((never, _)) => never,
    }
}

/// The same request for the whole, whatever part of it the viewer asked, and has already.
fn of_the_whole(ask: &Ask) -> Ask {
    let mut ask = Ask { method: Method::GET, ..ask.clone() };
    for name in [
        header::RANGE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
    ] {
        ask.headers.remove(name);
    }
    ask
}

/// What is known of a source before its rendition is made anew.
enum Source {
    /// It is what it was when the entry was made.
    Unchanged,
    /// Nothing new is known of it, and the entry is fresh.
    NoNews,
    /// It may have changed; what it is called from now on, by the transformer that keeps what it made.
    Changed(Option<String>),
}

impl<H: Host> Visit<'_, H> {
    async fn renew(&mut self) {
        let current = self.current().await;
        let is_renewed = current.as_ref().is_some_and(|entry| self.is_as_new(&entry.metadata));
        if let Some(entry) = current {
            if is_renewed {
                // Somebody was faster; only the edge here has not heard of it.
                return self.hand_on(entry).await;
            }
            let Some(lease) = self.take_turn_at_once().await else {
                // Somebody else sees to it. What KV has may be better than what was served all the same.
                let is_good = self.state(&entry.metadata) == Freshness::Fresh;
                if is_good && self.is_old_at_edge().await {
                    return self.hand_on(entry).await;
                }
                return entry.body.discard();
            };
            match self.ask_source(&entry.metadata).await {
                Source::Unchanged => {
                    let metadata = self.as_good_as_new(&entry.metadata);
                    self.extend(Entry { metadata, ..entry }, lease).await;
                }
                Source::NoNews => {
                    let asked_ms = Some(self.host.now_ms());
                    let metadata = Metadata { asked_ms, ..entry.metadata };
                    self.extend(Entry { metadata, ..entry }, lease).await;
                }
                Source::Changed(version) => {
                    entry.body.discard();
                    self.make_anew(entry.metadata.source, version, lease).await;
                }
            }
        } else if let Some(lease) = self.take_turn_at_once().await {
            self.make_anew(0, None, lease).await;
        }
    }

    /// What KV has of it, however old, or else the edge here.
    async fn current(&mut self) -> Option<Entry<H::Body>> {
        let Rendition { kv_key, origin, bypass, .. } = self.rendition;
        let (host, cache) = (self.host, &self.config.cache);
        if origin.kv && bypass.kv.read {
            match storage::find(host.kv(), kv_key, self.judge(), cache).await {
                Ok(Found::Fresh(entry) | Found::Renewable(entry) | Found::Stale(entry)) => {
                    return Some(entry);
                }
                Ok(Found::Nothing) => {}
                Err(fault) => self.trace.faults.push((Tier::Kv, fault)),
            }
        }
        self.at_edge().await
    }

    /// What the edge here has, fresh or purged softly.
    async fn at_edge(&mut self) -> Option<Entry<H::Body>> {
        let Rendition { origin, bypass, .. } = self.rendition;
        if !(origin.edge && bypass.edge.read) {
            return None;
        }
        match self.find_at_edge().await {
            Ok(Some(edge::Found::Rendition(edge::Hit { metadata, body, answer: _ }))) => {
                Some(Entry { metadata, body })
            }
            Ok(Some(edge::Found::Failure(..)) | None) => None,
            Err(fault) => {
                self.trace.faults.push((Tier::Edge, fault));
                None
            }
        }
    }

    /// Whether the edge here has something that was purged softly.
    async fn is_old_at_edge(&mut self) -> bool {
        let Some(Entry { metadata, body }) = self.at_edge().await else { return false };
        body.discard();
        metadata.fresh_until_ms <= self.host.now_ms()
    }

    /// The state of an entry at this moment.
    fn state(&self, metadata: &Metadata) -> Freshness {
        self.judge()(&mut metadata.clone())
    }

    /// Whether there is nothing to renew.
    pub(super) fn is_as_new(&self, metadata: &Metadata) -> bool {
        self.state(metadata) == Freshness::Fresh && !self.wants_renewal(metadata)
    }

    async fn hand_on(&mut self, entry: Entry<H::Body>) {
        let Entry { metadata, body } = entry;
        let left_ms = metadata.fresh_until_ms.saturating_sub(self.host.now_ms());
        if self.edge_declines(Some(metadata.length), left_ms / 1000).is_some() {
            return body.discard();
        }
        if metadata.chunks.is_none() {
            self.owed.copies = Some(self.edge_copy(metadata, body));
            return;
        }
        // The next viewer finds it in KV, and brings it along.
        body.discard();
        let budget_ms = self.config.cache.write_timeout_ms;
        if let Err(fault) = self.host.edge().remove(&self.rendition.edge_url, budget_ms).await {
            self.trace.faults.push((Tier::Edge, fault));
        }
    }

    async fn ask_source(&mut self, metadata: &Metadata) -> Source {
        if self.standing(metadata) != Standing::Valid {
            // Whoever purged it wants it made anew, whatever its source says.
            return Source::Changed(metadata.source_version.clone());
        }
        let is_rendition = metadata.outcome() == Outcome::Rendition;
        let state = metadata.source_state.as_ref().filter(|_| is_rendition);
        let source = self.rendition.sources().iter().find(|it| it.index == metadata.source);
        // Nothing new is known of it: it keeps the name it had.
        let as_before = || Source::Changed(metadata.source_version.clone());
        let Some((state, source)) = state.zip(source) else { return as_before() };
        let answer = order::revalidate(self.host, self.ask, self.config, source, state).await;
        let answer = answer.unwrap_or_else(|fault| {
            self.trace.faults.push((Tier::Probe, fault));
            Revalidation::Unknown
        });
        let is_fresh = freshness(metadata, self.host.now_ms()) == Freshness::Fresh;
        match answer {
            Revalidation::Unchanged if self.may_be_extended(metadata) => Source::Unchanged,
            Revalidation::Unchanged | Revalidation::Unknown if is_fresh => Source::NoNews,
            // Without a name the transformer may give what it made of the source before the last change.
            Revalidation::Unchanged => Source::Changed(Some(revalidation::version(state))),
            Revalidation::Unknown => as_before(),
            Revalidation::Changed(now) => {
                // Of a source that is gone, or says nothing of itself now, nobody must get an old copy either.
                let moment = || format!("{:x}", self.host.now_ms());
                Source::Changed(Some(now.as_ref().map_or_else(moment, revalidation::version)))
            }
        }
    }

    /// Whether the same bytes may have another lifetime from now on: not for ever, see [`extension_ms`].
    fn may_be_extended(&self, metadata: &Metadata) -> bool {
        let now_ms = self.host.now_ms();
        let kept_ms = self.as_good_as_new(metadata).kept_until_ms().saturating_sub(now_ms);
        now_ms.saturating_sub(metadata.created_ms) <= extension_ms(kept_ms)
    }

    /// The same bytes with what is now known of them.
    async fn extend(&mut self, entry: Entry<H::Body>, lease: Option<Lease>) {
        let key = &self.rendition.kv_key;
        if entry.metadata.chunks.is_none() {
            let length = Some(entry.metadata.length);
            let left_ms = entry.metadata.fresh_until_ms.saturating_sub(self.host.now_ms());
            let edge = self.edge_declines(length, left_ms / 1000);
            let kv = self.kv_declines(length, left_ms / 1000);
            // What the edge has in one piece may lie in KV in chunks, which KV has just not shown: these would be
            // written over them, and taken back with them where that fails.
            let is_one_value = entry.metadata.length <= self.config.cache.single_bytes_max;
            self.owed.copies = Some(Copies {
                kv_key: (kv.is_none() && is_one_value).then(|| key.clone()),
                edge_url: edge.is_none().then(|| self.rendition.edge_url.clone()),
                entry,
                tags: self.rendition.tags().to_vec(),
            });
            self.owed.lease = lease;
            return;
        }
        let Entry { metadata, body } = entry;
        if let Some(lease) = &lease
            && !turn::may_publish(self.host, &self.config.cache, lease).await
        {
            // Somebody else is at it, and may know a newer source.
            body.discard();
            self.trace.faults.push((Tier::Kv, Fault::Superseded));
            self.owed.lease = Some(lease.clone());
            return;
        }
        let (kv, now_ms) = (self.host.kv(), self.host.now_ms());
        match storage::extend(kv, key, &metadata, body, now_ms, &self.config.cache).await {
            Ok(()) => {
                let told = Some(Box::new(metadata));
                self.owed.lease = lease.map(|lease| Lease { told, ..lease });
            }
            Err(fault) => {
                let is_of_no_use = fault.condemns();
                self.trace.faults.push((Tier::Kv, fault));
                if is_of_no_use {
                    // Its chunks are too old, or it is broken: either way there must be another.
                    return self.make_anew(metadata.source, None, lease).await;
                }
                self.owed.lease = lease;
            }
        }
    }

    async fn make_anew(&mut self, source: u8, version: Option<String>, lease: Option<Lease>) {
        let rendition = self.rendition.of_version(source, version.as_ref());
        match self.make(&rendition, lease.as_ref()).await {
            Ok(made) => {
                let New { metadata, length: _, body, kv_key, edge_url } = self.new_entry(made);
                self.owed.lease = lease;
                if kv_key.is_none() && edge_url.is_none() {
                    return body.discard();
                }
                let tags = self.rendition.tags().to_vec();
                let entry = Entry { metadata, body };
                self.owed.copies = Some(Copies { entry, kv_key, edge_url, tags });
            }
            // What there is stays: it is better than the memory of this failure.
            Err((unfit, began)) if failure::is_of_the_server(unfit) => {
                self.tell_failure(unfit, began, lease);
            }
            Err((unfit, began)) => self.remember(unfit, began, lease),
        }
    }
}
