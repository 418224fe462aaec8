//! The cache orchestrator: the life of a request for a rendition.
//!
//! [`serve`] reads top to bottom in the order the tiers are tried: Cache API, Workers KV, transformation,
//! and then what is left when none could be made. A tier that is slow, broken or absent is a miss and a
//! recorded fault; it never changes the status a viewer gets.
//! How a request is answered is in `answer`, what is kept of it in `fill`.
//! Reads are awaited. Writes are returned as [`Owed`], so that they can be done after the answer.

use http::{Method, header};

use super::edge;
use super::entry::{Began, Entry, Metadata, Outcome};
use super::freshness::{Freshness, judge};
use super::opening::Again;
use super::owed::Owed;
use super::ports::{Body, Fault, Host, Limit, Reply};
use super::reason::{NotKept, Unfit};
use super::rendition::Rendition;
use super::status::{Lookup, Tier, Trace};
use super::storage::{self, Found};
use super::turn::{self, Lease, Turn};
use crate::config::Config;
use crate::guard::limit;
use crate::limits::LOOKS_MAX;
use crate::media::order::{self, Made};
use crate::purge::ledger::Standing;
use crate::request::ask::Ask;

/// An answer, how it came about, and what is still to be written.
#[derive(Debug)]
pub struct Served<B> {
    /// For the viewer.
    pub reply: Reply<B>,
    /// For headers, logs and analytics.
    pub trace: Trace,
    /// For after the answer.
    pub owed: Option<Owed<B>>,
}

/// Serves a rendition from the first tier that has it, or makes it, or says honestly why not.
pub async fn serve<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
    request_id: &str,
) -> Served<H::Body> {
    let mut visit = Visit::new(host, ask, config, rendition, request_id);

    match visit.look_at_edge().await {
        Some(edge::Found::Rendition(found)) => return visit.answer_edge_hit(found),
        Some(edge::Found::Failure(metadata, unfit)) => {
            // It may have been purged softly.
            visit.owed.renewal = metadata.fresh_until_ms <= host.now_ms();
            return visit.answer_remembered(&metadata, unfit).await;
        }
        None => {}
    }

    let stale = match visit.look_in_kv().await {
        Found::Fresh(entry) | Found::Renewable(entry) => match entry.metadata.outcome() {
            Outcome::Rendition => match visit.open(entry).await {
                Some(opened) => return visit.answer_kv_hit(opened),
                None => None,
            },
            Outcome::Failure(unfit) => {
                entry.body.discard();
                visit.promote(&entry.metadata);
                return visit.answer_remembered(&entry.metadata, unfit).await;
            }
        },
        Found::Stale(entry) => Some(entry),
        Found::Nothing => None,
    };

    if visit.wants_only_what_is_kept() {
        discard(stale);
        return visit.answer_not_kept();
    }
    if visit.is_unpaid_head() {
        return match stale {
            Some(stale) => visit.answer_stale(stale, None).await,
            None => visit.answer_unfilled_head().await,
        };
    }

    if visit.is_over_limit().await {
        return visit.answer_limited(stale).await;
    }

    let (mut unusable, mut looks) = (None, 0);
    let lease = loop {
        let told = match visit.take_turn(unusable.take()).await {
            Turn::Make(lease) => break lease,
            Turn::Look(told) => told,
        };
        match visit.look_again(&told).await {
            Again::Rendition(opened) => {
                discard(stale);
                return visit.answer_collapsed(opened);
            }
            Again::Failure(unfit) => return visit.answer_told(&told.entry, unfit, stale).await,
            Again::Nothing => {}
        }
        looks += 1;
        if looks == LOOKS_MAX {
            break None;
        }
        // Who comes next to this makes it for all who came to it in vain, and they look once more.
        unusable = Some(told.entry.generation);
    };

    // What is known of a source that has changed is not forgotten with the lifetime of what was made of it.
    let as_made = stale.as_ref().map(|Entry { metadata, .. }| {
        rendition.of_version(metadata.source, metadata.source_version.as_ref())
    });
    match visit.make(as_made.as_ref().unwrap_or(rendition), lease.as_ref()).await {
        Ok(made) => {
            discard(stale);
            visit.answer_miss(made, lease)
        }
        Err(failed) => visit.answer_not_made(failed, stale, lease).await,
    }
}

/// One request on its way through the tiers.
pub(super) struct Visit<'a, H: Host> {
    pub(super) host: &'a H,
    pub(super) ask: &'a Ask,
    pub(super) config: &'a Config,
    pub(super) rendition: &'a Rendition<'a>,
    pub(super) request_id: &'a str,
    /// When the failure that was found will be forgotten.
    pub(super) remembered_until_ms: Option<u64>,
    pub(super) trace: Trace,
    pub(super) owed: Owed<H::Body>,
}

impl<'a, H: Host> Visit<'a, H> {
    pub(super) fn new(
        host: &'a H,
        ask: &'a Ask,
        config: &'a Config,
        rendition: &'a Rendition<'a>,
        request_id: &'a str,
    ) -> Self {
        let (trace, owed) = (Trace::default(), Owed::default());
        Self { host, ask, config, rendition, request_id, remembered_until_ms: None, trace, owed }
    }

    /// The state of what was found: its age, and what this isolate has heard of purges when it is asked.
    pub(super) fn judge(&self) -> impl Fn(&mut Metadata) -> Freshness + use<'a, H> {
        let (host, rendition) = (self.host, self.rendition);
        move |metadata| {
            let standing = rendition.standing(&host.ledger(), metadata);
            judge(metadata, standing, host.now_ms())
        }
    }

    /// What this isolate has heard of purges means for what was found.
    pub(super) fn standing(&self, metadata: &Metadata) -> Standing {
        self.rendition.standing(&self.host.ledger(), metadata)
    }

    /// What the edge here has of it that may be served.
    pub(super) async fn find_at_edge(&self) -> Result<Option<edge::Found<H::Body>>, Fault> {
        let (host, url) = (self.host, &self.rendition.edge_url);
        let budget_ms = self.config.cache.edge_timeout_ms;
        edge::find(host.edge(), url, self.ask, budget_ms, || host.now_ms(), self.judge()).await
    }

    /// The Cache API: one `match`, or none.
    async fn look_at_edge(&mut self) -> Option<edge::Found<H::Body>> {
        if let Some(why) = not_asked(self.rendition.origin.edge, self.rendition.bypass.edge.read) {
            self.trace.edge.lookup = Some(Lookup::NotAsked(why));
            return None;
        }
        let began_ms = self.host.now_ms();
        let found = self.find_at_edge().await;
        let now_ms = self.host.now_ms();
        self.trace.edge.took_ms = now_ms.saturating_sub(began_ms);
        match found {
            Ok(found) => {
                self.trace.edge.lookup = Some(match &found {
                    None => Lookup::Miss,
                    Some(edge::Found::Rendition(found)) => hit(&found.metadata, now_ms),
                    Some(edge::Found::Failure(_, unfit)) => Lookup::Remembered(*unfit),
                });
                found
            }
            Err(fault) => {
                self.trace.edge.lookup = Some(Lookup::Broken);
                self.trace.faults.push((Tier::Edge, fault));
                None
            }
        }
    }

    /// Workers KV: one read, or none.
    async fn look_in_kv(&mut self) -> Found<H::Body> {
        if let Some(why) = not_asked(self.rendition.origin.kv, self.rendition.bypass.kv.read) {
            self.trace.kv.lookup = Some(Lookup::NotAsked(why));
            return Found::Nothing;
        }
        let began_ms = self.host.now_ms();
        let cache = &self.config.cache;
        let key = &self.rendition.kv_key;
        let found = storage::find(self.host.kv(), key, self.judge(), cache).await;
        let now_ms = self.host.now_ms();
        self.trace.kv.took_ms = now_ms.saturating_sub(began_ms);
        let found = found.unwrap_or_else(|fault| {
            self.trace.faults.push((Tier::Kv, fault));
            self.trace.kv.lookup = Some(Lookup::Broken);
            Found::Nothing
        });
        let lookup = match &found {
            Found::Fresh(entry) | Found::Renewable(entry) => match entry.metadata.outcome() {
                Outcome::Rendition => hit(&entry.metadata, now_ms),
                Outcome::Failure(unfit) => Lookup::Remembered(unfit),
            },
            Found::Stale(_) => Lookup::Stale,
            Found::Nothing => Lookup::Miss,
        };
        self.trace.kv.lookup = self.trace.kv.lookup.or(Some(lookup));
        found
    }

    /// Whether the source of what is still fresh should be asked, behind the viewer's back, if it has changed.
    pub(super) fn wants_renewal(&self, metadata: &Metadata) -> bool {
        let after_ms = self.config.sources.revalidate_after_s.saturating_mul(1000);
        let age_ms = self.host.now_ms().saturating_sub(metadata.last_asked_ms());
        after_ms > 0 && age_ms >= after_ms && metadata.source_state.is_some()
    }

    /// Whether this viewer asks for too much that is not kept. Operators never do.
    async fn is_over_limit(&mut self) -> bool {
        if !self.config.rate_limit.misses || self.rendition.by_operator {
            return false;
        }
        match limit::admits(self.host, Limit::Misses, self.ask).await {
            Ok(is_within) => !is_within,
            Err(fault) => {
                self.trace.faults.push((Tier::Limiter, fault));
                false
            }
        }
    }

    /// The transformation, source by source. An error comes with how the last fill started.
    pub(super) async fn make(
        &mut self,
        rendition: &Rendition<'_>,
        lease: Option<&Lease>,
    ) -> Result<Made<H::Body>, (Unfit, Began)> {
        let (host, trace) = (self.host, &mut self.trace);
        turn::held(host, lease, order::make(host, self.ask, self.config, rendition, trace)).await
    }

    fn wants_only_what_is_kept(&self) -> bool {
        let directives = self.ask.header(&header::CACHE_CONTROL).unwrap_or_default();
        directives
            .split(',')
            .any(|directive| directive.trim().eq_ignore_ascii_case("only-if-cached"))
    }

    fn is_unpaid_head(&self) -> bool {
        self.ask.method == Method::HEAD && !self.config.cache.fill_on_head
    }
}

/// Tells the platform that nobody will read what was found too old.
pub(super) fn discard<B: Body>(stale: Option<Entry<B>>) {
    if let Some(Entry { body, .. }) = stale {
        body.discard();
    }
}

/// Why a tier takes no part, if so.
pub(crate) fn not_asked(switched_on: bool, allowed: bool) -> Option<NotKept> {
    match (switched_on, allowed) {
        (false, _) => Some(NotKept::Off),
        (true, false) => Some(NotKept::Bypass),
        (true, true) => None,
    }
}

pub(super) fn hit(metadata: &Metadata, now_ms: u64) -> Lookup {
    let left_ms = i128::from(metadata.fresh_until_ms) - i128::from(now_ms);
    Lookup::Hit { ttl_s: i64::try_from(left_ms.div_euclid(1000)).unwrap_or(i64::MAX) }
}
