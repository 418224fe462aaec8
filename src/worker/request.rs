//! A platform request as the core's [`Ask`].

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::Config;
use crate::request::ask::{Ask, HEADERS};

/// The parts of a request that can change the answer; `None` for what no HTTP request looks like.
///
/// `asked` has the method, the URL, and each header's name and value, a line each. The platform has parsed the URL
/// already (and resolved `..`), so it is only cut apart here.
pub(super) fn ask(asked: &str, config: &Config) -> Option<Ask> {
    let mut lines = asked.split('\n');
    let method = lines.next()?;
    let (scheme, rest) = lines.next()?.split_once("://")?;
    let (host, target) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, "/"),
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::with_capacity(HEADERS.len());
    let bypass = config.bypass.header.as_deref();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        let read = match HEADERS.iter().find(|read| read.as_str() == name) {
            Some(read) => Some(read.clone()),
            None if bypass == Some(name) => HeaderName::from_bytes(name.as_bytes()).ok(),
            None => None,
        };
        if let (Some(name), Ok(value)) = (read, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    Some(Ask {
        method: Method::from_bytes(method.as_bytes()).ok()?,
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        query: query.split('#').next().unwrap_or_default().to_owned(),
        headers,
    })
}
