//! The cache orchestrator: the life of a request for a rendition.
//!
//! [`serve`] reads top to bottom in the order the tiers are tried: Cache API, Workers KV, transformation,
//! and then what is left when none could be made. A tier that is slow, broken or absent is a miss and a
//! recorded fault; it never changes the status a viewer gets.
//! Reads are awaited. Writes are returned as [`Owed`], so that they can be done after the answer.

use http::{HeaderValue, Method, StatusCode, header};

use super::edge;
use super::entry::{Entry, Metadata, Outcome, VERSION, generation};
use super::freshness::lifetime_s;
use super::owed::{Copy, Owed};
use super::ports::{Body, Host, Reply};
use super::reason::{NotKept, Unfit};
use super::rendition::Rendition;
use super::reply;
use super::status::{Lookup, Phase, Tier, Trace};
use super::storage::{self, Found};
use crate::config::Config;
use crate::http::conditional::{self, Answer};
use crate::http::problem::{Problem, UpstreamFailure};
use crate::media::failure;
use crate::media::order::{self, Made};
use crate::request::ask::Ask;
use crate::request::recipe::SpelledOption;

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
    let trace = Trace::default();
    let mut visit =
        Visit { host, ask, config, rendition, request_id, remembered_until_ms: None, trace };

    let at_edge = visit.look_at_edge().await;
    if let Some(edge::Found::Rendition(found)) = at_edge {
        return visit.answer_edge_hit(found);
    }

    let (mut remembered, mut stale) = (None, None);
    if let Some(edge::Found::Failure(metadata, unfit)) = at_edge {
        visit.recall(&metadata);
        remembered = Some((unfit, None));
    } else {
        match visit.look_in_kv().await {
            Found::Fresh(entry) => match entry.metadata.outcome() {
                Outcome::Rendition => return visit.answer_kv_hit(entry),
                Outcome::Failure(unfit) => {
                    entry.body.discard();
                    visit.recall(&entry.metadata);
                    remembered = Some((unfit, visit.promote(entry.metadata)));
                }
            },
            Found::Stale(entry) => stale = Some(entry),
            Found::Nothing => {}
        }
    }

    if let Some((unfit, promotion)) = remembered {
        return visit.answer_without_rendition(unfit, promotion).await;
    }
    if visit.wants_only_what_is_kept() {
        discard(stale);
        return visit.answer_not_kept();
    }
    if visit.is_unpaid_head() {
        return match stale {
            Some(stale) => visit.answer_stale(stale),
            None => visit.answer_unfilled_head().await,
        };
    }
    match (visit.make().await, stale) {
        (Ok(made), stale) => {
            discard(stale);
            visit.answer_miss(made)
        }
        // The failure is not remembered: its memory would stand before what is stale.
        (Err(_), Some(stale)) => visit.answer_stale(stale),
        (Err((unfit, began_ms)), None) => {
            let memory = visit.remember(unfit, began_ms);
            visit.answer_without_rendition(unfit, memory).await
        }
    }
}

/// One request on its way through the tiers.
struct Visit<'a, H> {
    host: &'a H,
    ask: &'a Ask,
    config: &'a Config,
    rendition: &'a Rendition<'a>,
    request_id: &'a str,
    /// When the failure that was found will be forgotten.
    remembered_until_ms: Option<u64>,
    trace: Trace,
}

impl<H: Host> Visit<'_, H> {
    /// The Cache API: one `match`, or none.
    async fn look_at_edge(&mut self) -> Option<edge::Found<H::Body>> {
        if let Some(why) = not_asked(self.rendition.origin.edge, self.rendition.bypass.edge.read) {
            self.trace.edge.lookup = Some(Lookup::NotAsked(why));
            return None;
        }
        let began_ms = self.host.now_ms();
        let budget_ms = self.config.cache.edge_timeout_ms;
        let url = &self.rendition.edge_url;
        let found = edge::find(self.host.edge(), url, self.ask, budget_ms, || self.host.now_ms());
        let found = found.await;
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
        let found = storage::find(
            self.host.kv(),
            &self.rendition.kv_key,
            began_ms,
            cache.kv_cache_ttl_s,
            cache.kv_timeout_ms,
        )
        .await;
        let now_ms = self.host.now_ms();
        self.trace.kv.took_ms = now_ms.saturating_sub(began_ms);
        let (lookup, found) = match found {
            Ok(Found::Fresh(entry)) => match entry.metadata.outcome() {
                Outcome::Rendition => (hit(&entry.metadata, now_ms), Found::Fresh(entry)),
                Outcome::Failure(unfit) => (Lookup::Remembered(unfit), Found::Fresh(entry)),
            },
            Ok(Found::Stale(entry)) => (Lookup::Stale, Found::Stale(entry)),
            Ok(Found::Nothing) => (Lookup::Miss, Found::Nothing),
            Err(fault) => {
                self.trace.faults.push((Tier::Kv, fault));
                (Lookup::Broken, Found::Nothing)
            }
        };
        self.trace.kv.lookup = Some(lookup);
        found
    }

    /// The transformation, source by source. An error comes with the moment the last fill started.
    async fn make(&mut self) -> Result<Made<H::Body>, (Unfit, u64)> {
        order::make(self.host, self.ask, self.config, self.rendition, &mut self.trace).await
    }

    fn answer_edge_hit(mut self, found: edge::Hit<H::Body>) -> Served<H::Body> {
        self.trace.phase = Phase::EdgeHit;
        let edge::Hit { metadata, answer, body } = found;
        let reply = self.reply(&metadata, Some(metadata.length), answer, body);
        Served { reply, trace: self.trace, owed: None }
    }

    /// A hit in KV owes the edge a copy with what is left of the lifetime.
    fn answer_kv_hit(mut self, entry: Entry<H::Body>) -> Served<H::Body> {
        self.trace.phase = Phase::KvHit;
        let Entry { metadata, body } = entry;
        let goes_to_edge = self.goes_to_edge(&metadata);
        let (reply, copy) = self.deliver(&metadata, Some(metadata.length), body, goes_to_edge);
        let owed = copy.map(|body| self.edge_copy(metadata, body));
        Served { reply, trace: self.trace, owed }
    }

    /// A rendition that was made for this request owes both tiers a copy.
    fn answer_miss(mut self, made: Made<H::Body>) -> Served<H::Body> {
        self.trace.phase = Phase::Miss;
        let Made { began_ms, source, length, not_kept, body } = made;
        let lifetime_s = self.lifetime_s(200);
        let mut metadata = self.metadata(200, lifetime_s, began_ms);
        self.rendition.recipe().format.content_type().clone_into(&mut metadata.content_type);
        metadata.length = length.unwrap_or(0);
        metadata.source = source;

        let edge = not_kept.or_else(|| self.edge_declines(length, lifetime_s));
        let kv = not_kept.or_else(|| self.kv_declines(length, lifetime_s));
        let wants_copy = edge.is_none() || kv.is_none();
        self.trace.edge.kept = Some(edge.map_or(Ok(()), Err));
        self.trace.kv.kept = Some(kv.map_or(Ok(()), Err));
        let (mut reply, copy) = self.deliver(&metadata, length, body, wants_copy);
        if not_kept.is_some() {
            // What the transformer keeps from us is kept from everybody behind us as well.
            reply.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        let owed = copy.map(|body| {
            let copy = Copy {
                kv_key: kv.is_none().then(|| self.rendition.kv_key.clone()),
                edge_url: edge.is_none().then(|| self.rendition.edge_url.clone()),
            };
            Owed { entry: Entry { metadata, body }, copy, tags: self.rendition.tags.clone() }
        });
        Served { reply, trace: self.trace, owed }
    }

    /// Past its lifetime, but better than nothing.
    fn answer_stale(mut self, entry: Entry<H::Body>) -> Served<H::Body> {
        self.trace.phase = Phase::Stale;
        let Entry { metadata, body } = entry;
        self.trace.kv.lookup = Some(hit(&metadata, self.host.now_ms()));
        let (reply, _) = self.deliver(&metadata, Some(metadata.length), body, false);
        Served { reply, trace: self.trace, owed: None }
    }

    /// No rendition, fresh or stale: the original if that is of use, else an honest error.
    async fn answer_without_rendition(
        mut self,
        unfit: Unfit,
        owed: Option<Owed<H::Body>>,
    ) -> Served<H::Body> {
        let consequence = failure::consequence(unfit);
        let fits = failure::original_fits(self.rendition.recipe().mode);
        if consequence.original && fits && self.config.sources.fallback_to_original {
            let original =
                order::original(self.host, self.ask, self.config, self.rendition, &mut self.trace);
            if let Some(original) = original.await {
                self.trace.phase = Phase::Original;
                return Served { reply: reply::original(original), trace: self.trace, owed };
            }
        }
        self.trace.phase = Phase::Failed;
        let made_now = owed.as_ref().map(|owed| owed.entry.metadata.fresh_until_ms);
        let fresh_until_ms = made_now.or(self.remembered_until_ms);
        let left_ms = fresh_until_ms.map(|until_ms| until_ms.saturating_sub(self.host.now_ms()));
        let reply = self.failure(unfit, left_ms.map(|left_ms| left_ms.div_ceil(1000)));
        Served { reply, trace: self.trace, owed }
    }

    /// `only-if-cached` of something that is not (RFC 9111, 5.2.1.7).
    fn answer_not_kept(mut self) -> Served<H::Body> {
        self.trace.phase = Phase::NotCached;
        let failure = UpstreamFailure {
            status: StatusCode::GATEWAY_TIMEOUT,
            reason: "only-if-cached",
            upstream_code: None,
            request_id: self.request_id,
            retry_after_s: None,
        };
        let reply = reply::problem(&Problem::upstream(&failure), None);
        Served { reply, trace: self.trace, owed: None }
    }

    /// HEAD of something never made: the source is asked whether it is there, and nobody pays.
    async fn answer_unfilled_head(mut self) -> Served<H::Body> {
        self.trace.phase = Phase::HeadUnfilled;
        let exists =
            order::exists(self.host, self.ask, self.config, self.rendition, &mut self.trace).await;
        let reply = if exists {
            reply::unfilled_head(self.rendition.recipe())
        } else {
            self.trace.phase = Phase::Failed;
            self.failure(Unfit::Status(404), None)
        };
        Served { reply, trace: self.trace, owed: None }
    }

    /// The viewer's answer and, where one is wanted, a second branch of the same bytes.
    fn deliver(
        &mut self,
        metadata: &Metadata,
        length: Option<u64>,
        mut body: H::Body,
        wants_copy: bool,
    ) -> (Reply<H::Body>, Option<H::Body>) {
        let validators = reply::validators(metadata);
        let answer = conditional::answer(self.ask, &validators, length, self.host.now_ms());
        if !sends_body(self.ask, answer) {
            let copy = if wants_copy {
                Some(body)
            } else {
                body.discard();
                None
            };
            return (self.reply(metadata, length, answer, H::Body::empty()), copy);
        }
        let copy = if wants_copy { self.branch(&mut body) } else { None };
        let body = match answer {
            // The whole as a part needs no cutting: `bytes=0-` is a browser's first request.
            Answer::Part { range, total } if range.length() < total => body.slice(range),
            Answer::Part { .. }
            | Answer::Whole
            | Answer::NotModified
            | Answer::PreconditionFailed
            | Answer::Unsatisfiable { .. } => body,
        };
        (self.reply(metadata, length, answer, body), copy)
    }

    /// A viewer never loses a body to a caching problem: where it cannot be branched, nothing is kept.
    fn branch(&mut self, body: &mut H::Body) -> Option<H::Body> {
        match body.fork() {
            Ok(copy) => Some(copy),
            Err(fault) => {
                self.trace.faults.push((Tier::Edge, fault));
                for tier in [&mut self.trace.edge, &mut self.trace.kv] {
                    if tier.kept == Some(Ok(())) {
                        tier.kept = Some(Err(NotKept::Fork));
                    }
                }
                None
            }
        }
    }

    fn reply(
        &self,
        metadata: &Metadata,
        length: Option<u64>,
        answer: Answer,
        body: H::Body,
    ) -> Reply<H::Body> {
        let now_ms = self.host.now_ms();
        reply::rendition(self.config, self.rendition, metadata, length, answer, now_ms, body)
    }

    fn failure(&self, unfit: Unfit, lifetime_s: Option<u64>) -> Reply<H::Body> {
        reply::failure(unfit, &self.trace.advice, self.request_id, lifetime_s)
    }

    /// What is remembered of a failure is as good as met again.
    fn recall(&mut self, metadata: &Metadata) {
        self.trace.advice.location.clone_from(&metadata.location);
        self.remembered_until_ms = Some(metadata.fresh_until_ms);
    }

    /// A failure that KV remembers is remembered at the edge as well, for what is left of its lifetime.
    fn promote(&mut self, metadata: Metadata) -> Option<Owed<H::Body>> {
        self.goes_to_edge(&metadata).then(|| self.edge_copy(metadata, H::Body::empty()))
    }

    /// Whether what KV has goes to the edge with what is left of its lifetime; noted in the trace.
    fn goes_to_edge(&mut self, metadata: &Metadata) -> bool {
        let left_s = metadata.fresh_until_ms.saturating_sub(self.host.now_ms()) / 1000;
        let declined = self.edge_declines(Some(metadata.length), left_s);
        self.trace.edge.kept = Some(declined.map_or(Ok(()), Err));
        declined.is_none()
    }

    fn edge_copy(&self, metadata: Metadata, body: H::Body) -> Owed<H::Body> {
        let copy = Copy { kv_key: None, edge_url: Some(self.rendition.edge_url.clone()) };
        Owed { entry: Entry { metadata, body }, copy, tags: self.rendition.tags.clone() }
    }

    /// The memory that no rendition could be made, for the lifetime of its status.
    fn remember(&mut self, unfit: Unfit, began_ms: u64) -> Option<Owed<H::Body>> {
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
    fn metadata(&self, status: u16, lifetime_s: u64, began_ms: u64) -> Metadata {
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

    fn lifetime_s(&self, status: u16) -> u64 {
        let jitter = self.config.cache.jitter_percent;
        lifetime_s(&self.rendition.origin.ttl, status, &self.rendition.kv_key, jitter)
    }

    fn edge_declines(&self, length: Option<u64>, lifetime_s: u64) -> Option<NotKept> {
        not_asked(self.rendition.origin.edge, self.rendition.bypass.edge.write)
            .or_else(|| edge::declines(length, lifetime_s))
    }

    fn kv_declines(&self, length: Option<u64>, lifetime_s: u64) -> Option<NotKept> {
        not_asked(self.rendition.origin.kv, self.rendition.bypass.kv.write)
            .or_else(|| storage::declines(length, lifetime_s))
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
fn discard<B: Body>(stale: Option<Entry<B>>) {
    if let Some(Entry { body, .. }) = stale {
        body.discard();
    }
}

/// Why a tier takes no part, if so.
fn not_asked(switched_on: bool, allowed: bool) -> Option<NotKept> {
    match (switched_on, allowed) {
        (false, _) => Some(NotKept::Off),
        (true, false) => Some(NotKept::Bypass),
        (true, true) => None,
    }
}

fn hit(metadata: &Metadata, now_ms: u64) -> Lookup {
    let left_ms = i128::from(metadata.fresh_until_ms) - i128::from(now_ms);
    Lookup::Hit { ttl_s: i64::try_from(left_ms.div_euclid(1000)).unwrap_or(i64::MAX) }
}

fn sends_body(ask: &Ask, answer: Answer) -> bool {
    ask.method != Method::HEAD
        && match answer {
            Answer::Whole | Answer::Part { .. } => true,
            Answer::NotModified | Answer::PreconditionFailed | Answer::Unsatisfiable { .. } => {
                false
            }
        }
}

fn options_of(rendition: &Rendition<'_>) -> String {
    let spelled = |option: SpelledOption| format!("{}={}", option.key, option.value);
    rendition.recipe().options().into_iter().map(spelled).collect::<Vec<_>>().join(":")
}
