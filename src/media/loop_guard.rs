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
    LOOP_HEADERS.iter().filter(|name| ask.headers.contains_key(*name)).any(|name| {
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
    #![allow(clippy::unwrap_used)]
    use http::{HeaderMap, Method};

    use super::*;

    fn ask(headers: &[(HeaderName, &str)]) -> Ask {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        Ask {
            method: Method::GET,
            scheme: "https".to_owned(),
            host: "v.example".to_owned(),
            path: "/a.mp4".to_owned(),
            query: String::new(),
            headers: map,
        }
    }

    #[test]
    fn our_mark_is_known_in_any_place_and_case_and_no_other_is() {
        for (headers, is_ours) in [
            (&[][..], false),
            (&[(CDN_LOOP, "v.example; by=video-resizer")], true),
            (&[(CDN_LOOP, "cdn-a, V.EXAMPLE; by=Video-Resizer , cdn-b")], true),
            (&[(CDN_LOOP, "cdn-a"), (CDN_LOOP, "v.example; by=video-resizer")], true),
            (&[(header::VIA, "1.1 a.example, 1.1 v.example (video-resizer)")], true),
            (&[(CDN_LOOP, "v.example")], false),
            (&[(CDN_LOOP, "w.example; by=video-resizer")], false),
            (&[(CDN_LOOP, "xv.example; by=video-resizer")], false),
            (&[(header::VIA, "1.1 w.example (video-resizer)")], false),
            (&[(header::VIA, "1.1 video-resizer")], false),
        ] {
            assert_eq!(is_loop(&ask(headers)), is_ours, "{headers:?}");
        }
    }

    #[test]
    fn our_marks_follow_those_of_others_and_each_is_known_when_it_comes_back() {
        let others = [(CDN_LOOP, "cdn-a; x=1"), (header::VIA, "2 a.example")];
        let marks = marks(&ask(&others));
        let spelled: Vec<_> = marks.iter().map(|(_, value)| value.to_str().unwrap()).collect();
        assert_eq!(
            spelled,
            [
                "cdn-a; x=1, v.example; by=video-resizer",
                "2 a.example, 1.1 v.example (video-resizer)"
            ]
        );
        for (name, value) in &marks {
            assert!(is_loop(&ask(&[(name.clone(), value.to_str().unwrap())])), "{name}");
        }
    }
}
