//! What is kept of a visit: what is known of a new entry, where it may go, and what is remembered of a failure.

use super::edge;
use super::entry::{Entry, Metadata, VERSION, generation};
use super::freshness::lifetime_s;
use super::orchestrator::{Visit, not_asked};
use super::owed::{Copy, Owed};
use super::ports::{Body, Host};
use super::reason::{NotKept, Unfit};
use super::rendition::Rendition;
use super::storage;
use crate::media::failure;
use crate::request::recipe::SpelledOption;

impl<H: Host> Visit<'_, H> {
    /// What is remembered of a failure is as good as met again.
    pub(super) fn recall(&mut self, metadata: &Metadata) {
        self.trace.advice.location.clone_from(&metadata.location);
        self.remembered_until_ms = Some(metadata.fresh_until_ms);
    }

    /// A failure that KV remembers is remembered at the edge as well, for what is left of its lifetime.
    pub(super) fn promote(&mut self, metadata: Metadata) -> Option<Owed<H::Body>> {
        self.goes_to_edge(&metadata).then(|| self.edge_copy(metadata, H::Body::empty()))
    }

    /// Whether what KV has goes to the edge with what is left of its lifetime; noted in the trace.
    pub(super) fn goes_to_edge(&mut self, metadata: &Metadata) -> bool {
        let left_s = metadata.fresh_until_ms.saturating_sub(self.host.now_ms()) / 1000;
        let declined = self.edge_declines(Some(metadata.length), left_s);
        self.trace.edge.kept = Some(declined.map_or(Ok(()), Err));
        declined.is_none()
    }

    pub(super) fn edge_copy(&self, metadata: Metadata, body: H::Body) -> Owed<H::Body> {
        let copy = Copy { kv_key: None, edge_url: Some(self.rendition.edge_url.clone()) };
        Owed { entry: Entry { metadata, body }, copy, tags: self.rendition.tags.clone() }
    }

    /// The memory that no rendition could be made, for the lifetime of its status.
    pub(super) fn remember(&mut self, unfit: Unfit, began_ms: u64) -> Option<Owed<H::Body>> {
        let consequence = failure::consequence(unfit);
        if !consequence.remembered {
            return None;
        }
        let status = consequence.status.as_u16();
        let lifetime_s = self.lifetime_s(status);
        let mut metadata = self.metadata(status, lifetime_s, began_ms);
        metadata.stale_until_ms = metadata.fresh_until_ms;
        metadata.unfit = Some(unfit.as_str().to_owned());
        metadata.unfit_number = unfit.number();
        metadata.location.clone_from(&self.trace.advice.location);

        let edge = self.edge_declines(None, lifetime_s);
        let kv = self.kv_declines(None, lifetime_s);
        self.trace.edge.kept = Some(edge.map_or(Ok(()), Err));
        self.trace.kv.kept = Some(kv.map_or(Ok(()), Err));
        if edge.is_some() && kv.is_some() {
            return None;
        }
        let copy = Copy {
            kv_key: kv.is_none().then(|| self.rendition.kv_key.clone()),
            edge_url: edge.is_none().then(|| self.rendition.edge_url.clone()),
        };
        let entry = Entry { metadata, body: H::Body::empty() };
        Some(Owed { entry, copy, tags: self.rendition.tags.clone() })
    }

    /// What is known of an entry that is being made now; the generation is minted here.
    pub(super) fn metadata(&self, status: u16, lifetime_s: u64, began_ms: u64) -> Metadata {
        let created_ms = self.host.now_ms().max(began_ms);
        let fresh_until_ms = created_ms + lifetime_s * 1000;
        let stale_ms = self.rendition.origin.ttl.stale_if_error_s * 1000;
        Metadata {
            version: VERSION,
            generation: generation(self.host.id()),
            status,
            content_type: String::new(),
            length: 0,
            began_ms,
            created_ms,
            fresh_until_ms,
            stale_until_ms: fresh_until_ms + stale_ms,
            origin: self.rendition.origin.name.clone(),
            path: Some(self.rendition.path.without_slash().to_owned()),
            options: options_of(self.rendition),
            preset: self.rendition.wanted.preset.clone(),
            source: 0,
            tags: self.rendition.tags.clone(),
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
            .or_else(|| storage::declines(length, lifetime_s))
    }
}

fn options_of(rendition: &Rendition<'_>) -> String {
    let spelled = |option: SpelledOption| format!("{}={}", option.key, option.value);
    rendition.recipe().options().into_iter().map(spelled).collect::<Vec<_>>().join(":")
}
