//! A platform request as the core's [`Ask`].

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::Config;
use crate::request::ask::{Ask, HEADERS};

/// The parts of a request that can change the answer; `None` for what no HTTP request looks like.
///
/// The platform has parsed the URL already (and resolved `..`), so it is only cut apart here.
pub(super) fn ask(request: &web_sys::Request, config: &Config) -> Option<Ask> {
    let url = request.url();
    let (scheme, rest) = url.split_once("://")?;
    let (host, target) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, "/"),
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let native = request.headers();
    let mut headers = HeaderMap::with_capacity(HEADERS.len());
    let bypass = config.bypass.header.as_deref();
    let bypass = bypass.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
    for name in HEADERS.iter().chain(&bypass) {
        if let Ok(Some(value)) = native.get(name.as_str())
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.insert(name, value);
        }
    }
    Some(Ask {
        method: Method::from_bytes(request.method().as_bytes()).ok()?,
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        query: query.split('#').next().unwrap_or_default().to_owned(),
        headers,
    })
}
