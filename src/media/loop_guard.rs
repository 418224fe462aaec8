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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use http::{HeaderMap, Method};

    use super::*;

    fn ask(marks: &[&str]) -> Ask {
        let mut headers = HeaderMap::new();
        for mark in marks {
            headers.append(CDN_LOOP, HeaderValue::from_str(mark).unwrap());
        }
        Ask {
            method: Method::GET,
            scheme: "https".to_owned(),
            host: "v.example".to_owned(),
            path: "/a.mp4".to_owned(),
            query: String::new(),
            headers,
        }
    }

    #[test]
    fn our_mark_is_known_in_any_place_and_case_and_no_other_is() {
        for (sent, is_ours) in [
            (&[][..], false),
            (&["v.example; by=video-resizer"], true),
            (&["cdn-a, V.EXAMPLE; by=Video-Resizer , cdn-b"], true),
            (&["cdn-a", "v.example; by=video-resizer"], true),
            (&["v.example"], false),
            (&["w.example; by=video-resizer"], false),
            (&["xv.example; by=video-resizer"], false),
        ] {
            assert_eq!(is_loop(&ask(sent)), is_ours, "{sent:?}");
        }
    }

    #[test]
    fn our_mark_follows_those_of_others_and_is_known_when_it_comes_back() {
        let [(_, first), (_, via)] = &marks(&ask(&[]))[..] else { panic!("two marks") };
        assert_eq!(first, "v.example; by=video-resizer");
        assert_eq!(via, "1.1 v.example (video-resizer)");
        let [(_, second), _] = &marks(&ask(&["cdn-a; x=1"]))[..] else { panic!("two marks") };
        assert_eq!(second, "cdn-a; x=1, v.example; by=video-resizer");
        assert!(is_loop(&ask(&[second.to_str().unwrap()])));
        let mut stripped = ask(&[]);
        stripped.headers.insert(header::VIA, via.clone());
        assert!(is_loop(&stripped), "one mark is enough");
    }
}
