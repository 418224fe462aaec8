//! Orders to upstreams: the transformation source by source, then the original, or only whether it is there.

use futures_util::future::join;
use http::{HeaderName, HeaderValue, Method, header};

use super::follow::{self, Errand};
use super::loop_guard;
use super::relay::{self, KEY_BYTES_MIN, KEY_SECRET};
use super::revalidation::{self, Revalidation};
use super::sources::{self, Source};
use super::{failure, transformation, verdict};
use crate::cache::entry::{Began, SourceState};
use crate::cache::ports::{Body, Call, Fault, Host, Purpose, Reply, Secrets, Upstream};
use crate::cache::reason::{NotKept, Unfit};
use crate::cache::rendition::Rendition;
use crate::cache::status::{Advice, Attempt, Tier, Trace};
use crate::config::Config;
use crate::http::conditional;
use crate::limits::{LOCATION_BYTES_MAX, PROBE_MS_MAX, RETRY_AFTER_S_MAX, SPOOL_BYTES_MAX};
use crate::request::ask::Ask;

/// Where the zone's transformation lives on its own host (stream/transform-videos).
pub const TRANSFORMATION_PATH: &str = "/cdn-cgi/media";

/// A rendition on its way from the transformer.
#[derive(Debug)]
pub struct Made<B> {
    /// How its fill started.
    pub began: Began,
    /// Which source it was made from.
    pub source: u8,
    /// What that source says of itself, where it was asked and told.
    pub source_state: Option<SourceState>,
    /// What that source was called in the order, where it had changed before.
    pub source_version: Option<String>,
    /// Bytes, where announced.
    pub length: Option<u64>,
    /// Whether it has been found too long to be measured.
    pub unmeasurable: bool,
    /// Why it must not be kept, if so.
    pub not_kept: Option<NotKept>,
    /// The bytes.
    pub body: B,
}

/// Makes the rendition from the first source that gives a good one.
///
/// An error names the gravest failure, and how the last fill started.
pub async fn make<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
    trace: &mut Trace,
) -> Result<Made<H::Body>, (Unfit, Began)> {
    let mut gravest = None;
    let first = begin(host);
    let mut began = first;
    for source in rendition.sources() {
        // What comes of it rests on every source that was asked before, and on what was known then.
        began = Began { heard: first.heard, ..begin(host) };
        let unfit = match transform(host, ask, config, rendition, source, began, trace).await {
            Ok(made) => return Ok(made),
            Err(unfit) => unfit,
        };
        gravest = Some(failure::graver(gravest, unfit));
        if !failure::consequence(unfit).next_source {
            break;
        }
    }
    Err((gravest.unwrap_or(Unfit::NoAnswer), began))
}

/// A fill starts now, with what this isolate has heard of purges.
fn begin<H: Host>(host: &H) -> Began {
    Began { at_ms: host.now_ms(), heard: host.ledger().number() }
}

/// One transform of one source. The source is asked for its length at the same time: an answer as long as
/// the source is the source, untransformed.
async fn transform<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
    source: &Source,
    began: Began,
    trace: &mut Trace,
) -> Result<Made<H::Body>, Unfit> {
    let url = match order_url(host, ask, config, rendition, source, trace) {
        Ok(url) => url,
        Err(unfit) => {
            let attempt =
                Attempt { source: source.index, unfit: Some(unfit), status: None, took_ms: 0 };
            trace.attempts.push(attempt);
            return Err(unfit);
        }
    };
    let call = Call {
        purpose: Purpose::Transform,
        method: Method::GET,
        url,
        headers: marked(ask),
        budget_ms: config.transformer.timeout_ms,
    };
    let (answer, of_source) = join(host.upstream().fetch(&call), async {
        if config.sources.probe {
            probe(host, ask, config, source).await
        } else {
            Ok(Probed::default())
        }
    })
    .await;
    // The transformation follows a redirect to anywhere. Where the source's own answer has just shown such a one, what
    // was made of it is not served.
    let leads_astray = matches!(of_source, Err(Fault::Refused { .. }));
    let of_source = of_source.unwrap_or_else(|fault| {
        trace.faults.push((Tier::Probe, fault));
        Probed::default()
    });
    let verdict = if leads_astray {
        Err(Unfit::SourceRefused)
    } else {
        verdict::judge(rendition.recipe(), &answer, of_source.length)
    };
    let status = answer.as_ref().ok().map(|reply| reply.status);
    let took_ms = host.now_ms().saturating_sub(began.at_ms);
    let made = match (verdict, answer) {
        (Ok(verdict::Fit { length, not_kept }), Ok(reply)) => {
            let made = Made {
                began,
                source: source.index,
                source_state: of_source.state,
                source_version: source.version.clone(),
                length,
                unmeasurable: false,
                not_kept,
                body: reply.body,
            };
            if conditional::wanted_ranges(ask).is_some() { measured(made).await } else { Ok(made) }
        }
        (Err(unfit), Ok(reply)) => {
            trace.advice = advice(&reply);
            reply.body.discard();
            Err(unfit)
        }
        (verdict, Err(fault)) => {
            trace.faults.push((Tier::Transform, fault));
            Err(verdict.err().unwrap_or(Unfit::NoAnswer))
        }
    };
    let unfit = made.as_ref().err().copied();
    trace.attempts.push(Attempt { source: source.index, unfit, status, took_ms });
    made
}

/// The URL of an order, where there may be one.
fn order_url<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
    source: &Source,
    trace: &mut Trace,
) -> Result<String, Unfit> {
    if let Err(fault) = follow::address(ask, config, source) {
        trace.faults.push((Tier::Transform, fault));
        return Err(Unfit::SourceRefused);
    }
    let purged = rendition.purged(&host.ledger(), config);
    transform_url(host, ask, config, rendition, source, purged).ok_or(Unfit::RelayKeyMissing)
}

/// A player that asks for a range must be told the whole length, or it does not play; where the transformer
/// did not announce it, the body is held until it is known.
async fn measured<B: Body>(made: Made<B>) -> Result<Made<B>, Unfit> {
    if made.length.is_some() {
        return Ok(made);
    }
    let (body, length) = made.body.measure(SPOOL_BYTES_MAX).await;
    match length {
        Some(0) => {
            body.discard();
            Err(Unfit::Empty)
        }
        Some(_) => Ok(Made { length, body, ..made }),
        None => Ok(Made { body, unmeasurable: true, ..made }),
    }
}

/// What a refusal says about what to do instead.
fn advice<B>(reply: &Reply<B>) -> Advice {
    let text = |name: HeaderName| reply.headers.get(name).and_then(|value| value.to_str().ok());
    let location = text(header::LOCATION).filter(|location| location.len() <= LOCATION_BYTES_MAX);
    let seconds = text(header::RETRY_AFTER).and_then(|value| value.trim().parse().ok());
    Advice {
        location: location.map(str::to_owned),
        retry_after_s: seconds.map(|seconds: u64| seconds.min(RETRY_AFTER_S_MAX)),
    }
}

/// The URL that makes the rendition; `None` where the source must be relayed and no key is set.
///
/// `purged` is the number of the last purge that bears on it: the service keeps what it made by URL, and is not told of
/// purges, so that what it made before gets another name.
pub fn transform_url(
    secrets: &impl Secrets,
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
    source: &Source,
    purged: u64,
) -> Option<String> {
    let base = config.transformer.base_url.clone();
    let base = base.unwrap_or_else(|| format!("{}{TRANSFORMATION_PATH}", ask.origin()));
    let source_url = if source.needs_relay() {
        let key = secrets.secret(KEY_SECRET).filter(|key| key.len() >= KEY_BYTES_MIN)?;
        let relay_base = config.transformer.relay_base_url.clone().unwrap_or_else(|| ask.origin());
        relay::url(&relay_base, &key, &rendition.origin.name, source.index, &rendition.path)
    } else {
        source.url.clone()
    };
    let purged = (purged > 0).then(|| purged.to_string());
    let version: Vec<&str> = purged.iter().chain(&source.version).map(String::as_str).collect();
    // A query of its own may be signed as it is.
    let source_url = if version.is_empty() || source_url.contains('?') {
        source_url
    } else {
        format!("{source_url}?v={}", version.join("-"))
    };
    Some(transformation::url(&base, rendition.recipe(), &source_url))
}

/// The original from the first source that has it, with the viewer's own range and conditions.
pub async fn original<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
    trace: &mut Trace,
) -> Option<Reply<H::Body>> {
    let began_ms = host.now_ms();
    for source in rendition.sources() {
        match fetch_original(host, ask, config, source).await {
            Ok(reply) if matches!(reply.status, 200 | 206 | 304 | 412 | 416) => {
                trace.original_ms = Some(host.now_ms().saturating_sub(began_ms));
                return Some(reply);
            }
            Ok(reply) => reply.body.discard(),
            Err(fault) => trace.faults.push((Tier::Original, fault)),
        }
    }
    None
}

/// Asks one source for the original, with credentials, passing on the viewer's range and conditions.
pub async fn fetch_original<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    source: &Source,
) -> Result<Reply<H::Body>, Fault> {
    let mut headers = with_credentials(host, ask, source)?;
    for name in PASSED_ON {
        if let Some(value) = ask.headers.get(&name) {
            headers.push((name, value.clone()));
        }
    }
    let (purpose, method) = (Purpose::Original, ask.method.clone());
    let errand = Errand { purpose, method, headers, budget_ms: config.sources.timeout_ms };
    follow::fetch(host, ask, config, source, errand).await
}

/// Whether any source has the video; a source that does not answer counts as having it.
pub async fn exists<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
    trace: &mut Trace,
) -> bool {
    for source in rendition.sources() {
        match ask_for_head(host, ask, config, source, config.sources.timeout_ms, Vec::new()).await {
            Ok(reply) => {
                let status = reply.status;
                reply.body.discard();
                if !matches!(status, 404 | 410) {
                    return true;
                }
            }
            Err(fault) => {
                trace.faults.push((Tier::Probe, fault));
                return true;
            }
        }
    }
    false
}

/// What a source says of itself.
#[derive(Debug, Default)]
struct Probed {
    length: Option<u64>,
    state: Option<SourceState>,
}

/// The source's own length and validators, where it tells in time: the first byte waits for it where the
/// transformer has the rendition at hand already.
async fn probe<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    source: &Source,
) -> Result<Probed, Fault> {
    let budget_ms = config.sources.timeout_ms.min(PROBE_MS_MAX);
    let reply = ask_for_head(host, ask, config, source, budget_ms, Vec::new()).await?;
    let probed = if reply.status == 200 {
        let length = verdict::content_length(&reply.headers);
        Probed { length, state: revalidation::state_of(&reply.headers) }
    } else {
        Probed::default()
    };
    reply.body.discard();
    Ok(probed)
}

/// Asks a source whether it is still what it was; at most one request.
pub async fn revalidate<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    source: &Source,
    state: &SourceState,
) -> Result<Revalidation, Fault> {
    let conditions = revalidation::conditions(state);
    let reply =
        ask_for_head(host, ask, config, source, config.sources.timeout_ms, conditions).await?;
    let answer = revalidation::judge(state, reply.status, &reply.headers);
    reply.body.discard();
    Ok(answer)
}

async fn ask_for_head<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    source: &Source,
    budget_ms: u32,
    conditions: Vec<(HeaderName, HeaderValue)>,
) -> Result<Reply<H::Body>, Fault> {
    let mut headers = with_credentials(host, ask, source)?;
    headers.extend(conditions);
    let errand = Errand { purpose: Purpose::Probe, method: Method::HEAD, headers, budget_ms };
    follow::fetch(host, ask, config, source, errand).await
}

fn with_credentials(
    secrets: &impl Secrets,
    ask: &Ask,
    source: &Source,
) -> Result<Vec<(HeaderName, HeaderValue)>, Fault> {
    let mut headers = marked(ask);
    if let Some(auth) = &source.auth {
        headers.push(sources::credentials(auth, secrets)?);
    }
    Ok(headers)
}

/// The headers every call carries: identity encoding, or a compressed video would answer no range, and the
/// mark that tells this worker it is talking to itself.
fn marked(ask: &Ask) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
    headers.extend(loop_guard::marks(ask));
    headers
}

/// Range and conditions of the viewer that the original's own server evaluates.
const PASSED_ON: [HeaderName; 4] =
    [header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE];
