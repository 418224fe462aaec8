//! What the viewer gets: the same headers for the same entry, whichever tier it came from.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::entry::Metadata;
use super::ports::{Body, Reply};
use super::reason::Unfit;
use super::rendition::Rendition;
use super::status::Advice;
use crate::config::Config;
use crate::guard::access::Pass;
use crate::http::conditional::{Answer, Validators};
use crate::http::cut::Cut;
use crate::http::disposition::Disposition;
use crate::http::entity_tag::EntityTag;
use crate::http::multipart::Multipart;
use crate::http::problem::{Problem, UpstreamFailure};
use crate::http::{composed, date, visible};
use crate::limits::RETRY_AFTER_S_DEFAULT;
use crate::media::failure;
use crate::request::recipe::Recipe;
use crate::request::{Playback, Preload};

/// The validators of an entry: a strong tag of its generation, and the second it was made.
pub fn validators(metadata: &Metadata) -> Validators<'_> {
    Validators {
        // Hex digits always make a tag; the fallback only spares a panic.
        etag: EntityTag::strong(&metadata.generation).unwrap_or_default(),
        last_modified_s: metadata.created_ms / 1000,
    }
}

/// Of the whole body of an entry what `answer` sends: the same bytes, whichever tier it came from.
pub fn cut<B: Body>(metadata: &Metadata, answer: Answer, body: B) -> B {
    match cut_of(metadata, answer) {
        Some(cut) => body.cut(cut),
        None => body,
    }
}

/// What `answer` sends of an entry's body; `None` for all of it, and where no body is sent.
pub fn cut_of(metadata: &Metadata, answer: Answer) -> Option<Cut> {
    answer.cut(multipart(metadata))
}

fn multipart(metadata: &Metadata) -> Multipart<'_> {
    Multipart { boundary: &metadata.generation, content_type: &metadata.content_type }
}

/// A rendition, answered as `answer` says; `length` is that of the whole, where it is known.
pub fn rendition<B>(
    config: &Config,
    rendition: &Rendition<'_>,
    metadata: &Metadata,
    length: Option<u64>,
    answer: Answer,
    now_ms: u64,
    body: B,
) -> Reply<B> {
    let validators = validators(metadata);
    let mut headers = HeaderMap::with_capacity(32);
    headers.insert(header::CONTENT_TYPE, visible(&metadata.content_type));
    headers.insert(header::ETAG, validators.etag.header_value());
    headers.insert(header::LAST_MODIFIED, date::format(validators.last_modified_s));
    if let Some(name) = &rendition.wanted.filename {
        let inline = Disposition::Inline.header_value(Some(name));
        headers.insert(header::CONTENT_DISPOSITION, inline);
    }
    freshness(&mut headers, config, metadata, &rendition.pass, now_ms);
    if config.headers.predecessors {
        predecessors(&mut headers, rendition, metadata.source);
    }
    for (name, value) in config.headers.set.iter() {
        // Both were checked with the configuration.
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            headers.insert(name, visible(value));
        }
    }
    answer.shape(&mut headers, length, multipart(metadata));
    Reply { status: answer.status().as_u16(), headers, body }
}

/// The original instead of a rendition: never cached as if it were one.
pub fn original<B>(original: Reply<B>) -> Reply<B> {
    let mut headers = HeaderMap::with_capacity(24);
    for name in ORIGINAL_HEADERS {
        if let Some(value) = original.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_SOURCE_TYPE, HeaderValue::from_static("passthrough"));
    Reply { status: original.status, headers, body: original.body }
}

/// An honest error, or the transformer's own redirect; `lifetime_s` is how long it is remembered, if it is.
pub fn failure<B: Body>(
    unfit: Unfit,
    advice: &Advice,
    request_id: &str,
    lifetime_s: Option<u64>,
) -> Reply<B> {
    let status = failure::consequence(unfit).status;
    let overloaded = status == StatusCode::SERVICE_UNAVAILABLE;
    let failure = UpstreamFailure {
        status,
        reason: unfit.as_str(),
        upstream_code: unfit.number(),
        request_id,
        retry_after_s: overloaded.then(|| advice.retry_after_s.unwrap_or(RETRY_AFTER_S_DEFAULT)),
    };
    // What is the path's own fault may be remembered downstream; what is ours may not.
    let lifetime_s = lifetime_s.filter(|_| !status.is_server_error());
    let mut reply = problem(&Problem::upstream(&failure), lifetime_s);
    if status.is_redirection()
        && let Some(location) = &advice.location
    {
        reply.headers.insert(header::LOCATION, visible(location));
    }
    if status.is_server_error() {
        reply.headers.insert(PROXY_STATUS, visible(&proxy_status(unfit)));
    }
    reply
}

/// `Proxy-Status` (RFC 9209): what this worker met between the viewer and the origin.
fn proxy_status(unfit: Unfit) -> String {
    let error = failure::proxy_error(unfit).map(|error| format!("; error={error}"));
    format!("video-resizer{}; details=\"{}\"", error.unwrap_or_default(), unfit.as_str())
}

/// A problem document (RFC 9457).
pub fn problem<B: Body>(problem: &Problem, fresh_s: Option<u64>) -> Reply<B> {
    let text = problem.body();
    let mut headers = problem.headers(fresh_s);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    Reply { status: problem.status.as_u16(), headers, body: B::text(text) }
}

/// HEAD of something never made: what is known of it without making it.
pub fn unfilled_head<B: Body>(recipe: &Recipe) -> Reply<B> {
    let mut headers = HeaderMap::with_capacity(24);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(recipe.format.content_type()));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Reply { status: 200, headers, body: B::empty() }
}

/// `Cache-Control` and `Age`: the lifetime of the entry, not of this answer, so that what a browser
/// computes from both is what is really left. `pass` says how long this viewer may show it, and
/// whether others may be shown it who asked without what let this one in.
fn freshness(
    headers: &mut HeaderMap,
    config: &Config,
    metadata: &Metadata,
    pass: &Pass,
    now_ms: u64,
) {
    let age_s = now_ms.saturating_sub(metadata.as_of_ms()) / 1000;
    let lifetime_s = metadata.fresh_until_ms.saturating_sub(metadata.as_of_ms()) / 1000;
    let caps = [config.headers.browser_max_age_s, pass.left_s(now_ms)].into_iter().flatten();
    let max_age_s = caps.fold(lifetime_s, |max_s, cap_s| max_s.min(age_s.saturating_add(cap_s)));
    headers.insert(header::AGE, HeaderValue::from(age_s));
    let scope = if pass.is_shared() { "public" } else { "private" };
    headers.insert(
        header::CACHE_CONTROL,
        composed(format_args!("{scope}, max-age={max_age_s}, no-transform")),
    );
}

/// Headers of the predecessors that still mean something: what was built on them goes on working.
fn predecessors(headers: &mut HeaderMap, rendition: &Rendition<'_>, source: u8) {
    let wanted = &rendition.wanted;
    headers.insert(X_CACHE_KEY, visible(&rendition.kv_key));
    headers.insert(X_ORIGIN, visible(&rendition.origin.name));
    let source_type = if source == 0 { "remote" } else { "fallback" };
    headers.insert(X_SOURCE_TYPE, HeaderValue::from_static(source_type));
    if let Some(preset) = &wanted.preset {
        headers.insert(X_DERIVATIVE, visible(preset));
    }
    if let Some(width) = wanted.recipe.width {
        headers.insert(X_RESOLVED_WIDTH, HeaderValue::from(width));
    }
    if let Some(height) = wanted.recipe.height {
        headers.insert(X_RESOLVED_HEIGHT, HeaderValue::from(height));
    }
    let Playback { looping, autoplay, muted, preload } = wanted.playback;
    for (name, value) in [
        (X_PLAYBACK_LOOP, looping.map(word)),
        (X_PLAYBACK_AUTOPLAY, autoplay.map(word)),
        (X_PLAYBACK_MUTED, muted.map(word)),
        (X_PLAYBACK_PRELOAD, preload.map(Preload::as_str)),
    ] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

const fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// What of an original's headers a viewer gets; nothing of an origin's own goes through unnamed.
const ORIGINAL_HEADERS: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
    header::ETAG,
    header::LAST_MODIFIED,
];

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
const X_CACHE_KEY: HeaderName = HeaderName::from_static("x-cache-key");
const X_ORIGIN: HeaderName = HeaderName::from_static("x-origin");
const X_SOURCE_TYPE: HeaderName = HeaderName::from_static("x-source-type");
const X_DERIVATIVE: HeaderName = HeaderName::from_static("x-derivative");
const X_RESOLVED_WIDTH: HeaderName = HeaderName::from_static("x-resolved-width");
const X_PLAYBACK_LOOP: HeaderName = HeaderName::from_static("x-playback-loop");
const X_PLAYBACK_AUTOPLAY: HeaderName = HeaderName::from_static("x-playback-autoplay");
const X_PLAYBACK_MUTED: HeaderName = HeaderName::from_static("x-playback-muted");
const X_PLAYBACK_PRELOAD: HeaderName = HeaderName::from_static("x-playback-preload");
const X_RESOLVED_HEIGHT: HeaderName = HeaderName::from_static("x-resolved-height");
