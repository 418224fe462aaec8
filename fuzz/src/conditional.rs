//! Conditions and ranges of a whole request: `METHOD LENGTH LAST_MODIFIED_S NOW_MS`, then lines of headers.
//!
//! A length or a number that is none is an unknown length and 0. The representation has the tag `"v1"`.

use http::{HeaderMap, Method, header};
use video_resizer::http::conditional::{self, Answer, Validators};
use video_resizer::http::cut::Piece;
use video_resizer::http::date;
use video_resizer::http::entity_tag::EntityTag;
use video_resizer::http::multipart::Multipart;
use video_resizer::request::ask::Ask;

use super::range::ascend_within;

const READ: [http::HeaderName; 6] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
];

/// See the module.
pub fn holds(input: &[u8]) {
    let (line, lines) = super::first_line(input);
    let words = std::str::from_utf8(line).unwrap_or_default();
    let mut words = words.split(' ');
    let method = words.next().and_then(|word| word.parse().ok()).unwrap_or(Method::GET);
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (length, last_modified_s, now_ms) = (number(), number(), number());
    let now_ms = now_ms.unwrap_or(0);
    let etag = EntityTag::strong("v1").unwrap_or_default();
    let validators = Validators { etag, last_modified_s: last_modified_s.unwrap_or(0) };
    let ask = Ask {
        method,
        scheme: "https".to_owned(),
        host: "videos.example.com".to_owned(),
        path: "/a.mp4".to_owned(),
        query: String::new(),
        headers: super::headers(lines, &READ),
    };
    let answer = conditional::answer(&ask, validators, length, now_ms);
    follows_from(answer, &ask, length);
    is_shaped(answer, length);
    decides_the_range_last(answer, ask.clone(), validators, length, now_ms);
    for value in ask.headers.values() {
        dates(value.as_bytes(), now_ms / 1000);
    }
}

/// Nothing is answered that was not asked.
fn follows_from(answer: Answer, ask: &Ask, length: Option<u64>) {
    let asks = |name: header::HeaderName| ask.headers.contains_key(name);
    let (get, head) = (ask.method == Method::GET, ask.method == Method::HEAD);
    match answer {
        Answer::Whole => {}
        Answer::Part { range, total } => {
            assert!(get && asks(header::RANGE) && length == Some(total), "{answer:?}");
            ascend_within(&[range], total);
        }
        Answer::Parts { ranges, total } => {
            assert!(get && asks(header::RANGE) && length == Some(total), "{answer:?}");
            ascend_within(&ranges.iter().collect::<Vec<_>>(), total);
        }
        Answer::Unsatisfiable { total } => {
            assert!(get && asks(header::RANGE) && length == Some(total), "{answer:?}");
        }
        Answer::NotModified => {
            assert!(get || head);
            assert!(asks(header::IF_NONE_MATCH) || asks(header::IF_MODIFIED_SINCE));
        }
        Answer::PreconditionFailed => {
            assert!(get || head);
            assert!(asks(header::IF_MATCH) || asks(header::IF_UNMODIFIED_SINCE));
        }
    }
    if asks(header::IF_RANGE) {
        assert_eq!(conditional::range_for_edge(ask), None, "the edge does not look at If-Range");
    }
}

/// The headers promise exactly the bytes of the answer.
fn is_shaped(answer: Answer, length: Option<u64>) {
    let multipart = Multipart { boundary: "v1", content_type: "video/mp4" };
    let mut headers = HeaderMap::new();
    answer.shape(&mut headers, length, multipart);
    let promised =
        headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    let (bytes, has_range) = match answer {
        Answer::Whole => (length, false),
        Answer::Part { range, .. } => (Some(range.length()), true),
        Answer::Parts { ranges, total } => {
            let cut = multipart.cut(&ranges, total);
            let parts = cut.pieces().iter().filter_map(|piece| match piece {
                Piece::Bytes(range) => Some(*range),
                Piece::Text(_) => None,
            });
            assert!(parts.eq(ranges.iter()), "{cut:?}");
            (Some(cut.length()), false)
        }
        Answer::NotModified => (None, false),
        Answer::PreconditionFailed => (Some(0), false),
        Answer::Unsatisfiable { .. } => (Some(0), true),
    };
    assert_eq!(promised, bytes, "{answer:?}");
    assert_eq!(headers.contains_key(header::CONTENT_RANGE), has_range, "{answer:?}");
}

/// A range is looked at last (RFC 9110 §13.2.2): without it, and without a length, what was partial is whole and
/// nothing else is different.
fn decides_the_range_last(
    answer: Answer,
    mut ask: Ask,
    validators: Validators<'_>,
    length: Option<u64>,
    now_ms: u64,
) {
    let without = match answer {
        Answer::Part { .. } | Answer::Parts { .. } | Answer::Unsatisfiable { .. } => Answer::Whole,
        Answer::Whole | Answer::NotModified | Answer::PreconditionFailed => answer,
    };
    assert_eq!(conditional::answer(&ask, validators, None, now_ms), without, "without a length");
    ask.headers.remove(header::RANGE);
    assert_eq!(conditional::answer(&ask, validators, length, now_ms), without, "without a range");
}

/// A date that is read is written as the same second; where it was in today's form, as the same text.
fn dates(value: &[u8], now_s: u64) {
    let Some(at_s) = date::parse(value, now_s) else { return };
    // A leap second at the end of the year 9999 counts on past what can be written.
    let written = date::format(at_s.min(date::LATEST_S));
    assert_eq!(date::parse(written.as_bytes(), now_s), Some(at_s.min(date::LATEST_S)));
    let text = value.trim_ascii();
    let is_leap = text.ends_with(b":60 GMT");
    // An instant before 1970 is 0.
    if text.len() == written.len() && text.get(3) == Some(&b',') && !is_leap && at_s > 0 {
        assert_eq!(written.as_bytes(), text);
    }
}
