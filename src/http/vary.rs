//! `Vary`, told once and in one order, and the client hints we ask for.

use ::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::field_value::visible;
use crate::request::ask;

/// The request headers from which a size is chosen where none was asked, most telling first.
///
/// An answer that was chosen by some of them names those in its `Vary`.
pub static CLIENT_HINTS: [HeaderName; 9] = [
    ask::SEC_CH_VIEWPORT_WIDTH,
    ask::SEC_CH_WIDTH,
    ask::SEC_CH_DPR,
    ask::VIEWPORT_WIDTH,
    ask::WIDTH,
    ask::DPR,
    ask::ECT,
    ask::DOWNLINK,
    ask::SAVE_DATA,
];

/// `Accept-CH` (RFC 8942 §3.1): asks the browser to send [`CLIENT_HINTS`] with its next requests.
pub const ACCEPT_CH: HeaderValue = HeaderValue::from_static(
    "Sec-CH-Viewport-Width, Sec-CH-Width, Sec-CH-DPR, Viewport-Width, Width, DPR, ECT, Downlink, Save-Data",
);

/// `Accept-CH`, which the `http` crate does not name.
pub const ACCEPT_CH_NAME: HeaderName = HeaderName::from_static("accept-ch");

/// Adds `names` to the answer's `Vary`.
///
/// Afterwards there is one `Vary` line, lower-case, sorted, without duplicates; `*` swallows every
/// name (RFC 9110 §12.5.5), what is no header name is dropped, and an empty list leaves no header.
pub fn add(headers: &mut HeaderMap, names: &[HeaderName]) {
    let mut merged: Vec<HeaderName> = Vec::with_capacity(names.len());
    let mut tell = |name: HeaderName| {
        if let Err(at) = merged.binary_search_by(|told| told.as_str().cmp(name.as_str())) {
            merged.insert(at, name);
        }
    };
    names.iter().cloned().for_each(&mut tell);
    for line in headers.get_all(header::VARY) {
        for member in line.as_bytes().split(|&byte| byte == b',') {
            let member = member.trim_ascii();
            if member == b"*" {
                headers.insert(header::VARY, HeaderValue::from_static("*"));
                return;
            }
            if let Ok(name) = HeaderName::from_bytes(member) {
                tell(name);
            }
        }
    }
    if merged.is_empty() {
        headers.remove(header::VARY);
    } else {
        let names: Vec<&str> = merged.iter().map(HeaderName::as_str).collect();
        headers.insert(header::VARY, visible(&names.join(", ")));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn merged(lines: &[&str], names: &[HeaderName]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::VARY, HeaderValue::from_str(line).unwrap());
        }
        add(&mut headers, names);
        assert!(headers.get_all(header::VARY).iter().count() <= 1);
        headers.get(header::VARY).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn names_are_told_once_and_sorted() {
        for (lines, names, expected) in [
            (&[][..], &[][..], None),
            (&[], &[header::ORIGIN], Some("origin")),
            (&["Origin, Accept"], &[header::ORIGIN], Some("accept, origin")),
            (&["ORIGIN", "origin,,  dpr"], &[ask::ECT], Some("dpr, ect, origin")),
            (&["Accept"], &[], Some("accept")),
            (&["Accept, *"], &[header::ORIGIN], Some("*")),
            (&["not a name, Accept"], &[], Some("accept")),
            (&["not a name"], &[], None),
        ] {
            assert_eq!(merged(lines, names).as_deref(), expected, "{lines:?} {names:?}");
        }
    }

    #[test]
    fn every_hint_we_ask_for_is_one_we_read() {
        let accept_ch = ACCEPT_CH.to_str().unwrap().to_ascii_lowercase();
        let asked: Vec<_> = accept_ch.split(", ").collect();
        let read: Vec<_> = CLIENT_HINTS.iter().map(HeaderName::as_str).collect();
        assert_eq!(asked, read);
        for hint in &CLIENT_HINTS {
            assert!(ask::HEADERS.contains(hint), "{hint} never reaches the core");
        }
    }

    proptest! {
        #[test]
        fn merging_again_changes_nothing(lines in proptest::collection::vec("[a-cA-C,* ]{0,12}", 0..4)) {
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            let once = merged(&lines, &[header::ORIGIN]).unwrap();
            prop_assert_eq!(merged(&[&once], &[header::ORIGIN]).unwrap(), once);
        }

        #[test]
        fn no_bytes_make_a_merge_panic(bytes in proptest::collection::vec(0x20..=0xff_u8, 0..32)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let mut headers = HeaderMap::new();
                headers.insert(header::VARY, value);
                add(&mut headers, &[header::ORIGIN]);
                prop_assert!(headers.contains_key(header::VARY));
            }
        }
    }
}
