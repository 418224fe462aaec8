//! The guard against going round in circles: whatever this worker fetches may come back to it
//! (`global_fetch_strictly_public`), so it marks what it sends, and refuses what carries its mark.

use http::{HeaderName, HeaderValue, header};

use crate::request::ask::{Ask, CDN_LOOP};

/// What this worker calls itself.
const PRODUCT: &str = "video-resizer";

const LOOP_HEADERS: [HeaderName; 2] = [CDN_LOOP, header::VIA];

/// `CDN-Loop` (RFC 8586) and `Via` with this worker's host appended.
///
/// The platform keeps the first for itself on some paths, so the second says it as well.
/// A stranger who forges either is refused; it opens no way around anything.
pub fn marks(ask: &Ask) -> Vec<(HeaderName, HeaderValue)> {
    LOOP_HEADERS
        .into_iter()
        .filter_map(|name| {
            let own = own_mark(ask, &name);
            let mark = match ask.header(&name) {
                Some(before) => format!("{before}, {own}"),
                None => own,
            };
            Some((name, HeaderValue::from_str(&mark).ok()?))
        })
        .collect()
}

/// Whether this request has been through this worker on this host before.
pub fn is_loop(ask: &Ask) -> bool {
    LOOP_HEADERS.iter().any(|name| {
        let own = own_mark(ask, name);
        ask.headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|member| member.trim().eq_ignore_ascii_case(&own))
    })
}

/// A member of `CDN-Loop` or of `Via` that only this worker on this host writes.
fn own_mark(ask: &Ask, name: &HeaderName) -> String {
    if *name == header::VIA {
        format!("1.1 {} ({PRODUCT})", ask.host)
    } else {
        format!("{}; by={PRODUCT}", ask.host)
    }
}
