//! What is kept of a visit: what is known of a new entry, where it may go, and what is remembered of a failure.

use super::copies::Copies;
use super::edge;
use super::entry::{Began, Entry, Metadata, VERSION, generation};
use super::freshness::lifetime_s;
use super::orchestrator::{Visit, not_asked};
use super::ports::{Body, Host};
use super::reason::{NotKept, Unfit};
use super::rendition::Rendition;
use super::storage;
use super::turn::Lease;
use crate::media::failure;
use crate::media::order::Made;
use crate::request::recipe::SpelledOption;

/// A rendition on its way, and where it may go.
pub(super) struct New<B> {
    pub(super) metadata: Metadata,
    /// Bytes, where announced.
    pub(super) length: Option<u64>,
    pub(super) body: B,
    /// The key in KV, where KV takes it.
    pub(super) kv_key: Option<String>,
    /// The URL in the Cache API, where that takes it.
    pub(super) edge_url: Option<String>,
}

impl<H: Host> Visit<'_, H> {
    /// A failure that KV remembers is remembered at the edge as well, for what is left of its lifetime.
    pub(super) fn promote(&mut self, metadata: &Metadata) {
        let left_ms = metadata.fresh_until_ms.saturating_sub(self.host.now_ms());
        self.owed.renewal = left_ms == 0;
        if left_ms > 0 && self.goes_to_edge(metadata, left_ms / 1000) {
            self.owed.copies = Some(self.edge_copy(metadata.clone(), H::Body::empty()));
        }
    }

    /// Whether what KV has is put at the edge by this request: of a crowd, one does it for all.
    pub(super) fn goes_to_edge(&mut self, metadata: &Metadata, left_s: u64) -> bool {
        let edge_url = &self.rendition.edge_url;
        let declined = self
            .edge_declines(Some(metadata.length), left_s)
            .or_else(|| (!self.host.claim(edge_url)).then_some(NotKept::UnderWay));
        self.trace.edge.kept = Some(declined.map_or(Ok(()), Err));
        if declined.is_none() {
            self.owed.errand = Some(edge_url.clone());
        }
        declined.is_none()
    }

    pub(super) fn edge_copy(&self, metadata: Metadata, body: H::Body) -> Copies<H::Body> {
        Copies {
            entry: Entry { metadata, body },
            kv_key: None,
            edge_url: Some(self.rendition.edge_url.clone()),
            tags: self.rendition.tags().to_vec(),
        }
    }

    /// What was made, with everything that is known of it, and where it may go; noted in the trace.
    pub(super) fn new_entry(&mut self, made: Made<H::Body>) -> New<H::Body> {
        let Made { began, source, source_state, source_version, .. } = made;
        let Made { length, unmeasurable, not_kept, body, .. } = made;
        let lifetime_s = self.lifetime_s(200);
        let mut metadata = self.metadata(200, lifetime_s, began);
        self.rendition.recipe().format.content_type().clone_into(&mut metadata.content_type);
        metadata.length = length.unwrap_or(0);
        metadata.source = source;
        metadata.source_state = source_state;
        metadata.source_version = source_version;
        let unmeasured = unmeasurable.then_some(NotKept::LengthUnknown);
        let edge = not_kept.or_else(|| self.edge_declines(length, lifetime_s)).or(unmeasured);
        let kv = not_kept.or_else(|| self.kv_declines(length, lifetime_s));
        let (kv_key, edge_url) = self.destinations(kv, edge);
        New { metadata, length, body, kv_key, edge_url }
    }

    /// The memory that no rendition could be made, for the lifetime of its status.
    pub(super) fn remember(&mut self, unfit: Unfit, began: Began, lease: Option<Lease>) {
        let is_remembered = failure::consequence(unfit).remembered;
        let metadata = self.failed(unfit, began);
        if is_remembered {
            let lifetime_s = (metadata.fresh_until_ms - metadata.created_ms) / 1000;
            let edge = self.edge_declines(None, lifetime_s);
            let kv = self.kv_declines(None, lifetime_s);
            let (kv_key, edge_url) = self.destinations(kv, edge);
            if kv_key.is_some() || edge_url.is_some() {
                self.remembered_until_ms = Some(metadata.fresh_until_ms);
                let entry = Entry { metadata: metadata.clone(), body: H::Body::empty() };
                let tags = self.rendition.tags().to_vec();
                self.owed.copies = Some(Copies { entry, kv_key, edge_url, tags });
            }
        }
        self.owed.lease = lease.map(|lease| Lease { told: Some(Box::new(metadata)), ..lease });
    }

    /// Those who wait at the gate hear of a failure that is not remembered.
    pub(super) fn tell_failure(&mut self, unfit: Unfit, began: Began, lease: Option<Lease>) {
        let told = lease.is_some().then(|| Box::new(self.failed(unfit, began)));
        self.owed.lease = lease.map(|lease| Lease { told, ..lease });
    }

    fn failed(&self, unfit: Unfit, began: Began) -> Metadata {
        let consequence = failure::consequence(unfit);
        let status = consequence.status.as_u16();
        // What nobody remembers is told to those who are waiting for it right now, and to nobody later.
        let lifetime_s = if consequence.remembered { self.lifetime_s(status) } else { 0 };
        let mut metadata = self.metadata(status, lifetime_s, began);
        metadata.unfit = Some(unfit.as_str().to_owned());
        metadata.unfit_number = unfit.number();
        metadata.location.clone_from(&self.trace.advice.location);
        metadata
    }

    fn destinations(
        &mut self,
        kv: Option<NotKept>,
        edge: Option<NotKept>,
    ) -> (Option<String>, Option<String>) {
        self.trace.edge.kept = Some(edge.map_or(Ok(()), Err));
        self.trace.kv.kept = Some(kv.map_or(Ok(()), Err));
        (
            kv.is_none().then(|| self.rendition.kv_key.clone()),
            edge.is_none().then(|| self.rendition.edge_url.clone()),
        )
    }

    /// The same entry with a lifetime from now on: its source has been asked, and is what it was.
    pub(super) fn as_good_as_new(&self, metadata: &Metadata) -> Metadata {
        let began = Began { at_ms: metadata.began_ms, heard: metadata.heard };
        let fresh = self.metadata(200, self.lifetime_s(200), began);
        Metadata {
            fresh_until_ms: fresh.fresh_until_ms,
            renewable_until_ms: fresh.renewable_until_ms,
            stale_until_ms: fresh.stale_until_ms,
            validated_ms: Some(fresh.created_ms),
            asked_ms: None,
            ..metadata.clone()
        }
    }

    /// What is known of an entry that is being made now; the generation is minted here.
    pub(super) fn metadata(&self, status: u16, lifetime_s: u64, began: Began) -> Metadata {
        let created_ms = self.host.now_ms().max(began.at_ms);
        let fresh_until_ms = created_ms + lifetime_s * 1000;
        let windows = &self.rendition.origin.lifetimes;
        let renewable_ms = windows.stale_while_revalidate.of(status) * 1000;
        let stale_ms = windows.stale_if_error.of(status) * 1000;
        Metadata {
            version: VERSION,
            generation: generation(self.host.id()),
            status,
            content_type: String::new(),
            length: 0,
            began_ms: began.at_ms,
            heard: began.heard,
            created_ms,
            fresh_until_ms,
            renewable_until_ms: (renewable_ms > 0).then_some(fresh_until_ms + renewable_ms),
            stale_until_ms: fresh_until_ms + stale_ms,
            validated_ms: None,
            asked_ms: None,
            chunks: None,
            source_state: None,
            source_version: None,
            origin: self.rendition.origin.name.clone(),
            path: Some(self.rendition.path.without_slash().to_owned()),
            options: options_of(self.rendition),
            preset: self.rendition.wanted.preset.clone(),
            source: 0,
            tags: self.rendition.tags().to_vec(),
            unfit: None,
            unfit_number: None,
            location: None,
        }
    }

    pub(super) fn lifetime_s(&self, status: u16) -> u64 {
        let jitter = self.config.cache.jitter_percent;
        lifetime_s(&self.rendition.origin.lifetimes.fresh, status, &self.rendition.kv_key, jitter)
    }

    pub(super) fn edge_declines(&self, length: Option<u64>, lifetime_s: u64) -> Option<NotKept> {
        not_asked(self.rendition.origin.edge, self.rendition.bypass.edge.write)
            .or_else(|| edge::declines(length, lifetime_s))
    }

    pub(super) fn kv_declines(&self, length: Option<u64>, lifetime_s: u64) -> Option<NotKept> {
        not_asked(self.rendition.origin.kv, self.rendition.bypass.kv.write)
            .or_else(|| storage::declines(length, lifetime_s, &self.config.cache))
    }
}

fn options_of(rendition: &Rendition<'_>) -> String {
    let spelled = |option: SpelledOption| format!("{}={}", option.key, option.value);
    rendition.recipe().options().map(spelled).collect::<Vec<_>>().join(":")
}
