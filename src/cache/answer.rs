//! Every way a visit can end: from a tier, made for it, too old, as the original, or as an honest error.

use http::{HeaderValue, Method, StatusCode, header};

use super::edge;
use super::entry::{Entry, Metadata};
use super::orchestrator::{Served, Visit, hit};
use super::owed::{Copy, Owed};
use super::ports::{Body, Host, Reply};
use super::reason::{NotKept, Unfit};
use super::reply;
use super::status::{Phase, Tier};
use crate::http::conditional::{self, Answer};
use crate::http::problem::{Problem, UpstreamFailure};
use crate::media::failure;
use crate::media::order::{self, Made};
use crate::request::ask::Ask;

impl<H: Host> Visit<'_, H> {
    pub(super) fn answer_edge_hit(mut self, found: edge::Hit<H::Body>) -> Served<H::Body> {
        self.trace.phase = Phase::EdgeHit;
        let edge::Hit { metadata, answer, body } = found;
        let reply = self.reply(&metadata, Some(metadata.length), answer, body);
        Served { reply, trace: self.trace, owed: None }
    }

    /// A hit in KV owes the edge a copy with what is left of the lifetime.
    pub(super) fn answer_kv_hit(mut self, entry: Entry<H::Body>) -> Served<H::Body> {
        self.trace.phase = Phase::KvHit;
        let Entry { metadata, body } = entry;
        let goes_to_edge = self.goes_to_edge(&metadata);
        let (reply, copy) = self.deliver(&metadata, Some(metadata.length), body, goes_to_edge);
        let owed = copy.map(|body| self.edge_copy(metadata, body));
        Served { reply, trace: self.trace, owed }
    }

    /// A rendition that was made for this request owes both tiers a copy.
    pub(super) fn answer_miss(mut self, made: Made<H::Body>) -> Served<H::Body> {
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
    pub(super) fn answer_stale(mut self, entry: Entry<H::Body>) -> Served<H::Body> {
        self.trace.phase = Phase::Stale;
        let Entry { metadata, body } = entry;
        self.trace.kv.lookup = Some(hit(&metadata, self.host.now_ms()));
        let (reply, _) = self.deliver(&metadata, Some(metadata.length), body, false);
        Served { reply, trace: self.trace, owed: None }
    }

    /// No rendition, fresh or stale: the original if that is of use, else an honest error.
    pub(super) async fn answer_without_rendition(
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
    pub(super) fn answer_not_kept(mut self) -> Served<H::Body> {
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
    pub(super) async fn answer_unfilled_head(mut self) -> Served<H::Body> {
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
    pub(super) fn deliver(
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
        let body = reply::cut(metadata, answer, body);
        (self.reply(metadata, length, answer, body), copy)
    }

    /// A viewer never loses a body to a caching problem: where it cannot be branched, nothing is kept.
    pub(super) fn branch(&mut self, body: &mut H::Body) -> Option<H::Body> {
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

    pub(super) fn reply(
        &self,
        metadata: &Metadata,
        length: Option<u64>,
        answer: Answer,
        body: H::Body,
    ) -> Reply<H::Body> {
        let now_ms = self.host.now_ms();
        reply::rendition(self.config, self.rendition, metadata, length, answer, now_ms, body)
    }

    pub(super) fn failure(&self, unfit: Unfit, lifetime_s: Option<u64>) -> Reply<H::Body> {
        reply::failure(unfit, &self.trace.advice, self.request_id, lifetime_s)
    }
}

fn sends_body(ask: &Ask, answer: Answer) -> bool {
    ask.method != Method::HEAD
        && match answer {
            Answer::Whole | Answer::Part { .. } | Answer::Parts { .. } => true,
            Answer::NotModified | Answer::PreconditionFailed | Answer::Unsatisfiable { .. } => {
                false
            }
        }
}
