//! Cross-origin access: what pages of other sites may read (Fetch §3.2, Resource Timing §4.5).
//!
//! These headers are put on an answer as it leaves, never on a stored copy: with a list of origins
//! they differ from viewer to viewer. Credentials are never allowed.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::field_value::visible;
use super::vary;
use crate::config::Cors;
use crate::request::ask::Ask;

/// The methods served: `Allow`, and `Access-Control-Allow-Methods`.
pub const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// Request headers a page may always send: ranges, conditions and a player's own reports (CTA-5004).
const REQUEST_HEADERS: &str = "range, if-range, if-none-match, if-modified-since, \
    cmcd-request, cmcd-object, cmcd-status, cmcd-session";

/// Answer headers a page may read.
pub const EXPOSED: &str = "Accept-Ranges, Content-Length, Content-Range, Content-Disposition, \
    ETag, Age, Date, Via, Cache-Status, Server-Timing, Retry-After, X-Request-ID, X-Cache-Key, \
    X-Origin, X-Source-Type, X-Derivative, X-Resolved-Width, X-Resolved-Height, X-Param-Warnings, \
    X-Playback-Loop, X-Playback-Autoplay, X-Playback-Muted, X-Playback-Preload";

/// A value is checked when it is made: here by the compiler, and not for every answer.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(EXPOSED);
const CROSS_ORIGIN: HeaderValue = HeaderValue::from_static("cross-origin");

/// Requested header names that a preflight repeats; more are not read.
const REQUESTED_HEADERS_MAX: usize = 32;
/// Bytes of one requested header name; a longer one is not repeated.
const REQUESTED_HEADER_BYTES_MAX: usize = 64;

const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The headers of the 204 that answers an OPTIONS request.
///
/// With `Access-Control-Request-Method` it is a preflight; otherwise somebody asks what is served
/// and gets `Allow` (RFC 9110 §9.3.7). Nothing is fetched for either.
pub fn options(ask: &Ask, cors: &Cors) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if !is_preflight(ask) {
        headers.insert(header::ALLOW, METHODS);
        allow(&mut headers, ask, cors);
        return headers;
    }
    vary::add(
        &mut headers,
        &[
            header::ORIGIN,
            header::ACCESS_CONTROL_REQUEST_METHOD,
            header::ACCESS_CONTROL_REQUEST_HEADERS,
        ],
    );
    if let Some(origin) = allowed_origin(ask, cors) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers(ask));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors.max_age_s));
    }
    headers
}

/// Puts the cross-origin headers on an answer, whatever its status.
///
/// What an origin server said about cross-origin access goes: the configuration decides.
/// With a list of origins `Vary: Origin` is told to every viewer, also to those without an `Origin`,
/// for the answer would have been another with one.
pub fn allow(headers: &mut HeaderMap, ask: &Ask, cors: &Cors) {
    let policy = policy(cors);
    if policy == Policy::Listed {
        vary::add(headers, &[header::ORIGIN]);
    }
    let origin = allowed_origin(ask, cors);
    let exposed = origin.as_ref().map(|_| EXPOSED_HEADERS);
    let resource_policy = (policy == Policy::Public).then_some(CROSS_ORIGIN);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
        (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, None),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
        (TIMING_ALLOW_ORIGIN, origin),
        (CROSS_ORIGIN_RESOURCE_POLICY, resource_policy),
    ] {
        match value {
            Some(value) => drop(headers.insert(name, value)),
            None => drop(headers.remove(name)),
        }
    }
}

/// Whether a browser asks leave before it sends the request itself.
fn is_preflight(ask: &Ask) -> bool {
    ask.method == Method::OPTIONS && ask.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// Every page may read.
    Public,
    /// Some pages may.
    Listed,
    /// None may.
    Closed,
}

fn policy(cors: &Cors) -> Policy {
    if cors.allow_origins.iter().any(|origin| origin == "*") {
        Policy::Public
    } else if cors.allow_origins.is_empty() {
        Policy::Closed
    } else {
        Policy::Listed
    }
}

/// `*`, or the request's own origin where it is listed.
fn allowed_origin(ask: &Ask, cors: &Cors) -> Option<HeaderValue> {
    match policy(cors) {
        Policy::Public => Some(HeaderValue::from_static("*")),
        Policy::Closed => None,
        Policy::Listed => {
            let asked = ask.header(&header::ORIGIN)?;
            let mut listed = cors.allow_origins.iter();
            listed.any(|one| one.eq_ignore_ascii_case(asked)).then(|| visible(asked))
        }
    }
}

/// [`REQUEST_HEADERS`], and what the page asks for.
///
/// A player's own header is refused by the browser unless it is repeated here, and no header beyond
/// those of [`crate::request::ask::HEADERS`] can change an answer, so repeating it costs nothing.
/// Credentials are not repeated: no page of another site has any for us.
fn allowed_headers(ask: &Ask) -> HeaderValue {
    let asked = ask.header(&header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let mut names: Vec<String> = REQUEST_HEADERS.split(", ").map(str::to_owned).collect();
    for member in asked.split(',').take(REQUESTED_HEADERS_MAX) {
        let member = member.trim();
        if member.len() > REQUESTED_HEADER_BYTES_MAX {
            continue;
        }
        let Ok(name) = HeaderName::from_bytes(member.as_bytes()) else { continue };
        let credential = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];
        if !credential.contains(&name) && !names.iter().any(|known| known == name.as_str()) {
            names.push(name.as_str().to_owned());
        }
    }
    visible(&names.join(", "))
}

#[cfg(test)]
#[path = "cors_tests.rs"]
mod tests;
