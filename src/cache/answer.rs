//! Every way a visit can end: from a tier, made for it, too old, as the original, or as an honest error.

use http::{HeaderValue, Method, StatusCode, header};

use super::copies::Copies;
use super::edge;
use super::entry::{Began, Entry, Metadata, Outcome};
use super::fill::New;
use super::opening::Opened;
use super::orchestrator::{Served, Visit, discard, hit};
use super::ports::{Body, Host, Reply};
use super::reason::{NotKept, Unfit};
use super::reply;
use super::status::{Lookup, Phase, Tier};
use super::turn::{self, Lease};
use crate::http::conditional::{self, Answer};
use crate::http::problem::{Problem, UpstreamFailure};
use crate::limits::LIMIT_PERIOD_S;
use crate::media::failure;
use crate::media::order::{self, Made};
use crate::purge::ledger::Standing;

impl<H: Host> Visit<'_, H> {
    pub(super) fn answer_edge_hit(mut self, found: edge::Hit<H::Body>) -> Served<H::Body> {
        let edge::Hit { metadata, answer, body } = found;
        let is_fresh = self.host.now_ms() < metadata.fresh_until_ms;
        self.trace.phase = if is_fresh { Phase::EdgeHit } else { Phase::StaleWhileRevalidate };
        self.owed.renewal = !is_fresh || self.wants_renewal(&metadata);
        let reply = self.reply(&metadata, Some(metadata.length), answer, body);
        self.served(reply)
    }

    /// A hit in KV owes the edge a copy with what is left of the lifetime, and a renewal where none is left.
    pub(super) fn answer_kv_hit(mut self, opened: Opened<H::Body>) -> Served<H::Body> {
        let is_fresh = self.host.now_ms() < opened.metadata.fresh_until_ms;
        self.trace.phase = if is_fresh { Phase::KvHit } else { Phase::StaleWhileRevalidate };
        self.owed.renewal = !is_fresh || self.wants_renewal(&opened.metadata);
        self.answer_opened(opened)
    }

    /// What another request has just made.
    pub(super) fn answer_collapsed(mut self, opened: Opened<H::Body>) -> Served<H::Body> {
        self.trace.phase = Phase::Collapsed;
        self.trace.collapsed = true;
        self.owed.renewal = self.standing(&opened.metadata) == Standing::Soft;
        self.answer_opened(opened)
    }

    /// What another request could not make either.
    pub(super) async fn answer_told(
        mut self,
        failed: &Metadata,
        unfit: Unfit,
        stale: Option<Entry<H::Body>>,
    ) -> Served<H::Body> {
        self.trace.collapsed = true;
        match stale {
            Some(stale) if failure::is_of_the_server(unfit) => {
                self.answer_stale(stale, Some(unfit)).await
            }
            stale => {
                discard(stale);
                self.answer_remembered(failed, unfit).await
            }
        }
    }

    fn answer_opened(mut self, opened: Opened<H::Body>) -> Served<H::Body> {
        let Opened { metadata, answer, body, copy, reading } = opened;
        let reply = self.reply(&metadata, Some(metadata.length), answer, body);
        self.owed.reading = reading;
        self.owed.copies = copy.map(|body| self.edge_copy(metadata, body));
        self.served(reply)
    }

    /// A rendition that was made for this request owes both tiers a copy.
    pub(super) fn answer_miss(
        mut self,
        made: Made<H::Body>,
        lease: Option<Lease>,
    ) -> Served<H::Body> {
        self.trace.phase = Phase::Miss;
        let not_kept = made.not_kept;
        let New { metadata, length, body, kv_key, edge_url } = self.new_entry(made);
        let wants_copy = kv_key.is_some() || edge_url.is_some();
        let (mut reply, copy) = self.deliver(&metadata, length, body, wants_copy);
        if not_kept.is_some() {
            // What the transformer keeps from us is kept from everybody behind us as well.
            reply.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        self.owed.lease = lease;
        self.owed.copies = copy.map(|body| {
            let tags = self.rendition.tags().to_vec();
            Copies { entry: Entry { metadata, body }, kv_key, edge_url, tags }
        });
        self.served(reply)
    }

    /// None could be made; whoever waits at the gate goes on waiting until this viewer has been answered.
    pub(super) async fn answer_not_made(
        mut self,
        (unfit, began): (Unfit, Began),
        stale: Option<Entry<H::Body>>,
        lease: Option<Lease>,
    ) -> Served<H::Body> {
        let host = self.host;
        // On the heap: each is as large as all the rest of a request.
        match stale {
            Some(stale) if failure::is_of_the_server(unfit) => {
                // The failure is not remembered: its memory would stand before what is stale.
                self.tell_failure(unfit, began, lease.clone());
                let answering = Box::pin(self.answer_stale(stale, Some(unfit)));
                turn::held(host, lease.as_ref(), answering).await
            }
            stale => {
                discard(stale);
                self.remember(unfit, began, lease.clone());
                let answering = Box::pin(self.answer_without_rendition(unfit));
                turn::held(host, lease.as_ref(), answering).await
            }
        }
    }

    /// Past its lifetime, but better than nothing; `unfit` is why nothing better could be made, if it was tried.
    pub(super) async fn answer_stale(
        mut self,
        entry: Entry<H::Body>,
        unfit: Option<Unfit>,
    ) -> Served<H::Body> {
        if let Outcome::Failure(remembered) = entry.metadata.outcome() {
            entry.body.discard();
            return self.answer_remembered(&entry.metadata, remembered).await;
        }
        let lookup = hit(&entry.metadata, self.host.now_ms());
        let opened = if self.standing(&entry.metadata) == Standing::Purged {
            // While something better was tried.
            entry.body.discard();
            None
        } else {
            self.open(entry).await
        };
        match (opened, unfit) {
            (Some(opened), _) => self.answer_stale_opened(opened, lookup),
            (None, Some(unfit)) => self.answer_without_rendition(unfit).await,
            (None, None) => self.answer_unfilled_head().await,
        }
    }

    fn answer_stale_opened(mut self, opened: Opened<H::Body>, lookup: Lookup) -> Served<H::Body> {
        self.trace.phase = Phase::Stale;
        self.trace.kv.lookup = Some(lookup);
        self.answer_opened(opened)
    }

    /// What is remembered of a failure is as good as met again.
    pub(super) async fn answer_remembered(
        mut self,
        metadata: &Metadata,
        unfit: Unfit,
    ) -> Served<H::Body> {
        self.trace.advice.location.clone_from(&metadata.location);
        self.remembered_until_ms = Some(metadata.fresh_until_ms);
        self.answer_without_rendition(unfit).await
    }

    /// No rendition, fresh or stale: the original if that is of use, else an honest error.
    pub(super) async fn answer_without_rendition(mut self, unfit: Unfit) -> Served<H::Body> {
        let consequence = failure::consequence(unfit);
        let fits = failure::original_fits(self.rendition.recipe().mode);
        if consequence.original && fits && self.config.sources.fallback_to_original {
            let original =
                order::original(self.host, self.ask, self.config, self.rendition, &mut self.trace);
            if let Some(original) = original.await {
                self.trace.phase = Phase::Original;
                return self.served(reply::original(original));
            }
        }
        self.trace.phase = Phase::Failed;
        let left_ms =
            self.remembered_until_ms.map(|until_ms| until_ms.saturating_sub(self.host.now_ms()));
        let reply = self.failure(unfit, left_ms.map(|left_ms| left_ms.div_ceil(1000)));
        self.served(reply)
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
        self.served(reply)
    }

    /// Too many misses of one viewer: what is old is better than nothing, and the rest has to wait.
    pub(super) async fn answer_limited(mut self, stale: Option<Entry<H::Body>>) -> Served<H::Body> {
        match stale {
            Some(entry) if entry.metadata.outcome() == Outcome::Rendition => {
                let lookup = hit(&entry.metadata, self.host.now_ms());
                if let Some(opened) = self.open(entry).await {
                    return self.answer_stale_opened(opened, lookup);
                }
            }
            // That something could not be made once is no answer.
            stale => discard(stale),
        }
        self.trace.phase = Phase::Limited;
        let problem = Problem::too_many_misses(self.request_id, LIMIT_PERIOD_S);
        let reply = reply::problem(&problem, None);
        self.served(reply)
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
        self.served(reply)
    }

    fn served(self, reply: Reply<H::Body>) -> Served<H::Body> {
        let owed = (!self.owed.is_nothing()).then_some(self.owed);
        Served { reply, trace: self.trace, owed }
    }

    /// The viewer's answer and, where one is wanted, a second branch of the same bytes.
    fn deliver(
        &mut self,
        metadata: &Metadata,
        length: Option<u64>,
        mut body: H::Body,
        wants_copy: bool,
    ) -> (Reply<H::Body>, Option<H::Body>) {
        let answer = self.answer_to(metadata, length);
        if !self.sends_body(answer) {
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

    /// What the request's conditions and ranges leave of a 200.
    pub(super) fn answer_to(&self, metadata: &Metadata, length: Option<u64>) -> Answer {
        let validators = reply::validators(metadata);
        conditional::answer(self.ask, validators, length, self.host.now_ms())
    }

    pub(super) fn sends_body(&self, answer: Answer) -> bool {
        self.ask.method != Method::HEAD
            && match answer {
                Answer::Whole | Answer::Part { .. } | Answer::Parts { .. } => true,
                Answer::NotModified | Answer::PreconditionFailed | Answer::Unsatisfiable { .. } => {
                    false
                }
            }
    }

    /// A viewer never loses a body to a caching problem: where it cannot be branched, nothing is kept.
    pub(super) fn branch(&mut self, body: &mut H::Body) -> Option<H::Body> {
        match body.fork(self.config.cache.write_timeout_ms) {
            Ok(copy) => Some(copy),
            Err(fault) => {
                self.trace.faults.push((Tier::Edge, fault));
                for tier in [&mut self.trace.edge, &mut self.trace.kv] {
                    if tier.kept == Some(Ok(())) {
                        tier.kept = Some(Err(NotKept::Fork));
                    }
                }
                if let Some(errand) = self.owed.errand.take() {
                    self.host.release(&errand);
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
        let pass = &self.rendition.pass;
        let left_s = pass.left_s(self.host.now_ms()).unwrap_or(u64::MAX);
        let lifetime_s = lifetime_s.filter(|_| pass.is_shared()).map(|it| it.min(left_s));
        reply::failure(unfit, &self.trace.advice, self.request_id, lifetime_s)
    }
}
