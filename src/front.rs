//! The front door: what kind of request this is, and the finishing touch to every answer.
//!
//! What asks nobody is decided here, in order: relayed sources, loops, other paths of our own, pass-through,
//! methods, origins, parameters, access. What is left goes to the [`orchestrator`].

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::admin::auth::{self, Scope, Visitor};
use crate::admin::ports::AdminHost;
use crate::admin::{self, Admitted};
use crate::cache::bypass;
use crate::cache::orchestrator::{self, Served};
use crate::cache::owed::{self, Owed};
use crate::cache::ports::{Body, Clock, Fault, Host, Limit, Reply, Secrets};
use crate::cache::rendition::Rendition;
use crate::cache::renewal;
use crate::cache::reply;
use crate::cache::status::{Tier, Trace};
use crate::config::Config;
use crate::explain;
use crate::guard::access::{self, Asked};
use crate::guard::limit;
use crate::http::problem::Problem;
use crate::http::{cors, date, vary, visible};
use crate::limits::LIMIT_PERIOD_S;
use crate::media::{loop_guard, order, relay, sources};
use crate::request;
use crate::request::ask::Ask;
use crate::request::path::SourcePath;
use crate::request::query::Query;
use crate::request::rejection::Rejection;

/// What is done with a request.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // one lives at a time, on the stack
pub enum Handled<B> {
    /// It is answered.
    Answer {
        /// For the viewer.
        reply: Reply<B>,
        /// For after the answer.
        owed: Option<Owed<B>>,
    },
    /// It is an operator's, and answered by [`administer`].
    Admin(Admitted),
    /// It is no concern of ours and goes on as it is.
    PassThrough {
        /// Where to.
        url: String,
        /// Headers to send along, so that a loop is recognised.
        marks: Vec<(HeaderName, HeaderValue)>,
    },
}

/// Handles one request, from its first line to the last header of its answer.
pub async fn handle<H: Host>(host: &H, ask: &Ask, config: &Config) -> Handled<H::Body> {
    let began_ms = host.now_ms();
    let request_id = format!("{:032x}", host.id());
    let (mut reply, trace, owed, rendition) = match decide(host, ask, config) {
        Ok(Decision::PassThrough(url)) => {
            tracing::info!(request_id, method = %ask.method, path = ask.path, phase = "pass-through", "request");
            return Handled::PassThrough { url, marks: loop_guard::marks(ask) };
        }
        Ok(Decision::Render(rendition)) => {
            let served = orchestrator::serve(host, ask, config, &rendition, &request_id).await;
            let Served { reply, trace, owed } = served;
            (reply, Some(trace), owed, Some(rendition))
        }
        Ok(Decision::Explain(rendition)) => {
            let document = explain::document(host, ask, config, &rendition);
            (private_json(document.to_string()), None, None, Some(rendition))
        }
        Ok(Decision::Relay(source)) => {
            (relayed(host, ask, config, &source).await, None, None, None)
        }
        Ok(Decision::Options) => (options(ask, config), None, None, None),
        Ok(Decision::Admin) => {
            // Before the token is looked at, so that nobody tries many.
            let admitted = match limit::admits(host, Limit::Admin, ask).await {
                // Of what does not exist there cannot be too much.
                Ok(false) if auth::visitor(host, ask) != Visitor::Nobody => {
                    Err(admin::refusal::Refusal::TooMany { retry_after_s: LIMIT_PERIOD_S })
                }
                Ok(_) | Err(_) => admin::admit(host, ask, config),
            };
            return match admitted {
                Ok(admitted) => Handled::Admin(admitted),
                Err(refusal) => {
                    let mut reply = refusal.reply(ask, &request_id);
                    finish_admin(host, ask, config, &mut reply, &request_id, began_ms);
                    Handled::Answer { reply, owed: None }
                }
            };
        }
        Err(refusal) => (refused(&refusal, ask, &request_id), None, None, None),
    };
    let now_ms = host.now_ms();
    let times = (began_ms, now_ms);
    let total_ms = now_ms.saturating_sub(began_ms);
    finish(&mut reply, ask, config, rendition.as_ref(), trace.as_ref(), &request_id, times);
    log(ask, config, &reply, rendition.as_ref(), trace.as_ref(), &request_id, total_ms);
    Handled::Answer { reply, owed }
}

/// Answers an operator, from what was asked to the last header; `body` is read only where the call takes one.
pub async fn administer<H: AdminHost>(
    host: &H,
    ask: &Ask,
    config: &Config,
    admitted: Admitted,
    body: H::Body,
) -> Reply<H::Body> {
    let began_ms = host.now_ms();
    let request_id = format!("{:032x}", host.id());
    let mut reply = admin::answer(host, ask, config, admitted, body, &request_id).await;
    finish_admin(host, ask, config, &mut reply, &request_id, began_ms);
    reply
}

/// Does what an answered request owes; what goes wrong is logged for operators, and given back.
pub async fn settle<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    owed: Owed<H::Body>,
) -> Vec<(Tier, Fault)> {
    let renewal = owed.renewal;
    // On the heap: with a copy for each tier and a lease kept alive it is 16 KiB.
    let mut faults = Box::pin(owed::settle(host, &config.cache, owed)).await;
    if renewal && let Ok(Decision::Render(rendition)) = decide(host, ask, config) {
        // It is seldom, and as large as a request of its own.
        faults.extend(Box::pin(renewal::renew(host, ask, config, &rendition)).await);
    }
    for (tier, fault) in &faults {
        tracing::warn!(path = ask.path, tier = tier.as_str(), fault = %fault, "left undone");
    }
    faults
}

/// What kind of request this is.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // one lives at a time, on the stack
pub enum Decision<'a> {
    /// A rendition is served.
    Render(Rendition<'a>),
    /// What would be served is explained.
    Explain(Rendition<'a>),
    /// The transformer asks for a source.
    Relay(sources::Source),
    /// It asks what is served, and to whom.
    Options,
    /// It is for the operator's API, or pretends to be.
    Admin,
    /// It is no concern of ours and goes on to this URL.
    PassThrough(String),
}

/// Why nothing is done.
#[derive(Debug)]
pub enum Refusal {
    /// What is asked is not done.
    Rejected(Rejection),
    /// A path of our own that does not exist, or is not for this viewer.
    NotFound,
}

impl Refusal {
    /// As the document of an answer.
    pub(crate) fn problem(&self, request_id: &str) -> Problem {
        match self {
            Self::Rejected(rejection) => Problem::rejected(rejection, request_id),
            Self::NotFound => Problem::not_found(request_id),
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Asks nobody.
pub fn decide<'a>(
    host: &(impl Secrets + Clock),
    ask: &'a Ask,
    config: &'a Config,
) -> Result<Decision<'a>, Refusal> {
    decide_for(auth::scope(host, ask), host, ask, config)
}

/// As [`decide`], for somebody who may do what `scope` says, whatever the request carries.
pub(crate) fn decide_for<'a>(
    scope: Option<Scope>,
    host: &(impl Secrets + Clock),
    ask: &'a Ask,
    config: &'a Config,
) -> Result<Decision<'a>, Refusal> {
    // Before the loop guard: the transformer may well hand on the mark of the request it works for.
    if relay::is_relayed(&ask.path) {
        return relayed_source(host, ask, config).map(Decision::Relay).ok_or(Refusal::NotFound);
    }
    if loop_guard::is_loop(ask) {
        return Err(Rejection::Loop.into());
    }
    if admin::is_below(&ask.path, &config.admin.prefix) {
        return Ok(Decision::Admin);
    }
    if ask.path.starts_with(relay::OWN_PREFIX) {
        return Err(Refusal::NotFound);
    }
    let path = SourcePath::parse(&ask.path)?;
    if !path.is_one_of(&config.video_extensions) {
        let url = pass_through_url(ask, config).ok_or(Refusal::NotFound)?;
        return Ok(Decision::PassThrough(url));
    }
    if ask.method == Method::OPTIONS {
        return Ok(Decision::Options);
    }
    if ask.method != Method::GET && ask.method != Method::HEAD {
        return Err(Rejection::Method { method: ask.method.to_string() }.into());
    }
    let origin = sources::rule(&config.origins, &path).ok_or(Rejection::NoOrigin)?;
    let query = Query::parse(&ask.query)?;
    let wanted = request::read(ask, &query, origin, config)?;
    // Going around the caches and choosing freely cost money; looking does not.
    let is_admin = scope == Some(Scope::Full);
    let asked = Asked { path: &path, query: &query, choices: &wanted.choices, is_admin };
    let pass = access::admit(host, origin, &config.signing, &asked)?;
    let debug = query.first("debug");
    let may_debug = config.debug.enabled || scope.is_some();
    let is_debugging = debug.is_some() && may_debug;
    let bypass = bypass::decide(ask, &query, &config.bypass, is_admin, is_debugging);
    let mut rendition = Rendition::new(ask, config, origin, path, wanted, bypass);
    (rendition.pass, rendition.by_operator) = (pass, is_admin);
    if may_debug && debug == Some("view") {
        return Ok(Decision::Explain(rendition));
    }
    Ok(Decision::Render(rendition))
}

fn pass_through_url(ask: &Ask, config: &Config) -> Option<String> {
    if !config.pass_through.enabled {
        return None;
    }
    let base = config.pass_through.url.clone().unwrap_or_else(|| ask.origin());
    let query = if ask.query.is_empty() { String::new() } else { format!("?{}", ask.query) };
    Some(format!("{base}{}{query}", ask.path))
}

/// The source a genuine relayed address names.
fn relayed_source(secrets: &impl Secrets, ask: &Ask, config: &Config) -> Option<sources::Source> {
    if ask.method != Method::GET && ask.method != Method::HEAD {
        return None;
    }
    let key = secrets.secret(relay::KEY_SECRET).filter(|key| key.len() >= relay::KEY_BYTES_MIN)?;
    let relayed = relay::read(&ask.path, &key)?;
    let origin = config.origins.iter().find(|origin| origin.name == relayed.origin)?;
    sources::locate(origin, &relayed.path, &ask.origin())
        .into_iter()
        .find(|source| source.index == relayed.index)
}

/// The original for the transformer, which may ask for ranges of it.
async fn relayed<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    source: &sources::Source,
) -> Reply<H::Body> {
    match order::fetch_original(host, ask, config, source).await {
        Ok(original) => reply::original(original),
        Err(fault) => {
            tracing::warn!(fault = %fault, "a source could not be relayed");
            let status = StatusCode::BAD_GATEWAY.as_u16();
            Reply { status, headers: HeaderMap::new(), body: H::Body::empty() }
        }
    }
}

fn options<B: Body>(ask: &Ask, config: &Config) -> Reply<B> {
    let status = StatusCode::NO_CONTENT.as_u16();
    Reply { status, headers: cors::options(ask, &config.cors), body: B::empty() }
}

fn refused<B: Body>(refusal: &Refusal, ask: &Ask, request_id: &str) -> Reply<B> {
    let problem = refusal.problem(request_id);
    match refusal {
        Refusal::Rejected(_) => reply::problem(&problem.at(ask.path.clone()), None),
        Refusal::NotFound => reply::problem(&problem, None),
    }
}

fn private_json<B: Body>(document: String) -> Reply<B> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Reply { status: 200, headers, body: B::text(document) }
}

/// What every answer carries, whatever it is.
fn finish<B>(
    reply: &mut Reply<B>,
    ask: &Ask,
    config: &Config,
    rendition: Option<&Rendition<'_>>,
    trace: Option<&Trace>,
    request_id: &str,
    (began_ms, now_ms): (u64, u64),
) {
    let total_ms = now_ms.saturating_sub(began_ms);
    let headers = &mut reply.headers;
    stamp(headers, request_id, now_ms);
    if let Some(trace) = trace {
        headers.insert(CACHE_STATUS, visible(&trace.cache_status()));
        headers.insert(SERVER_TIMING, visible(&trace.server_timing(total_ms)));
    }
    if let Some(rendition) = rendition {
        vary::add(headers, rendition.vary());
        if !rendition.vary().is_empty() {
            headers.insert(vary::ACCEPT_CH_NAME, vary::ACCEPT_CH);
        }
        let warnings = warnings(rendition);
        if !warnings.is_empty() {
            headers.insert(X_PARAM_WARNINGS, visible(&warnings));
        }
    }
    if ask.method != Method::OPTIONS {
        cors::allow(headers, ask, &config.cors);
    }
}

/// What every answer to an operator carries: no page of another site may read it. And its line in the log.
fn finish_admin<B>(
    clock: &impl Clock,
    ask: &Ask,
    config: &Config,
    reply: &mut Reply<B>,
    request_id: &str,
    began_ms: u64,
) {
    let now_ms = clock.now_ms();
    stamp(&mut reply.headers, request_id, now_ms);
    log(ask, config, reply, None, None, request_id, now_ms.saturating_sub(began_ms));
}

/// What every answer at all carries.
fn stamp(headers: &mut HeaderMap, request_id: &str, now_ms: u64) {
    headers.insert(header::DATE, date::format(now_ms / 1000));
    headers.insert(header::VIA, HeaderValue::from_static("1.1 video-resizer"));
    headers.insert(X_REQUEST_ID, visible(request_id));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// What was asked and not done.
fn warnings(rendition: &Rendition<'_>) -> String {
    let mut warnings: Vec<String> =
        rendition.wanted.notes.iter().map(ToString::to_string).collect();
    if rendition.bypass.refused {
        warnings.push("bypass: it is reserved here".to_owned());
    }
    warnings.join("; ")
}

/// One line a request. Secrets are not in it: neither the query, which may hold tokens, nor any header, nor what makes a
/// relayed address genuine.
fn log<B>(
    ask: &Ask,
    config: &Config,
    reply: &Reply<B>,
    rendition: Option<&Rendition<'_>>,
    trace: Option<&Trace>,
    request_id: &str,
    total_ms: u64,
) {
    let sent = |name| reply.headers.get(name).and_then(|value| value.to_str().ok());
    tracing::info!(
        request_id,
        method = %ask.method,
        host = ask.host,
        path = &*relay::without_mac(&ask.path),
        status = reply.status,
        length = sent(header::CONTENT_LENGTH).unwrap_or_default(),
        phase = trace.map_or("answered", |trace| trace.phase.as_str()),
        origin = rendition.map_or("", |rendition| rendition.origin.name.as_str()),
        key = rendition.map_or("", |rendition| rendition.kv_key.as_str()),
        cache = sent(CACHE_STATUS).unwrap_or_default(),
        timing = sent(SERVER_TIMING).unwrap_or_default(),
        faults = trace.map(Trace::faults).unwrap_or_default(),
        total_ms,
        configuration = config.version,
        "request"
    );
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_PARAM_WARNINGS: HeaderName = HeaderName::from_static("x-param-warnings");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
