//! Goal: every row V2 to V6 and the range rows that depend on the request.
//! Method: one representation, tables of request headers, the answer expected of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use ::http::HeaderMap;
use proptest::prelude::*;

/// Wed, 01 Jul 2026 00:00:00 GMT.
const MODIFIED_S: u64 = 1_782_864_000;
const MODIFIED: &str = "Wed, 01 Jul 2026 00:00:00 GMT";
const BEFORE: &str = "Tue, 30 Jun 2026 23:59:59 GMT";
const AFTER: &str = "Wed, 01 Jul 2026 00:00:01 GMT";
const NOW_MS: u64 = (MODIFIED_S + 3600) * 1000;
const TOTAL: u64 = 1000;

const WHOLE: Answer = Answer::Whole;
const NOT_MODIFIED: Answer = Answer::NotModified;
const FAILED: Answer = Answer::PreconditionFailed;

fn part() -> Answer {
    Answer::Part { range: ByteRange::new(0, 1).unwrap(), total: TOTAL }
}

fn validators() -> Validators<'static> {
    Validators { etag: EntityTag::strong("x").unwrap(), last_modified_s: MODIFIED_S }
}

fn ask(method: Method, headers: &[(&'static str, &str)]) -> Ask {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    Ask {
        method,
        scheme: "https".into(),
        host: "videos.example.com".into(),
        path: "/a.mp4".into(),
        query: String::new(),
        headers: map,
    }
}

#[track_caller]
fn assert_get(headers: &[(&'static str, &str)], expected: Answer) {
    let got = answer(&ask(Method::GET, headers), validators(), Some(TOTAL), NOW_MS);
    assert_eq!(got, expected, "{headers:?}");
}

#[test]
fn r1_r2_r7_without_conditions_the_range_decides() {
    assert_get(&[], WHOLE);
    assert_get(&[("range", "bytes=0-1")], part());
    assert_get(&[("range", "bytes=-0")], Answer::Unsatisfiable { total: TOTAL });
    assert_get(&[("range", "bytes=1000-")], Answer::Unsatisfiable { total: TOTAL });
    assert_get(&[("range", "bytes=5-2")], WHOLE);
    assert_get(&[("range", "bytes=0-1"), ("range", "bytes=2-3")], WHOLE);
}

#[test]
fn r12_r13_r14_several_ranges_are_parts_or_a_part_or_the_whole() {
    let ranges = [ByteRange::new(0, 1).unwrap(), ByteRange::new(4, 5).unwrap()];
    let ranges = Ranges::new(&ranges).unwrap();
    assert_get(&[("range", "bytes=0-1,4-5")], Answer::Parts { ranges, total: TOTAL });
    assert_get(&[("range", "bytes=4-5,0-1")], WHOLE);
    assert_get(&[("range", "bytes=0-4,4-5")], WHOLE);
    assert_get(&[("range", "bytes=5000-,0-1")], part());
    assert_get(&[("range", "bytes=5000-,-0")], Answer::Unsatisfiable { total: TOTAL });
}

#[test]
fn v5_if_range_forbids_several_ranges_as_it_forbids_one() {
    let range = ("range", "bytes=0-1,5000-");
    assert_get(&[range, ("if-range", "\"x\"")], part());
    assert_get(&[range, ("if-range", "\"a\"")], WHOLE);
    assert_get(&[("range", "bytes=0-1,4-5"), ("if-range", "\"a\"")], WHOLE);
}

#[test]
fn r12_the_edge_is_not_asked_for_several_ranges() {
    for list in ["bytes=0-1,4-5", "bytes=0-1,5000-", "bytes=4-5,0-1"] {
        assert_eq!(range_for_edge(&ask(Method::GET, &[("range", list)])), None, "{list}");
    }
}

#[test]
fn r16_an_empty_representation_answers_416_to_any_range() {
    let got = answer(&ask(Method::GET, &[("range", "bytes=-1")]), validators(), Some(0), NOW_MS);
    assert_eq!(got, Answer::Unsatisfiable { total: 0 });
}

#[test]
fn r17_r18_only_get_has_ranges() {
    for method in [Method::HEAD, Method::POST, Method::OPTIONS] {
        let ask = ask(method, &[("range", "bytes=0-1")]);
        assert_eq!(answer(&ask, validators(), Some(TOTAL), NOW_MS), WHOLE, "{}", ask.method);
        assert_eq!(wanted_ranges(&ask), None);
        assert_eq!(range_for_edge(&ask), None);
    }
}

#[test]
fn r21_without_a_length_there_is_no_part() {
    for range in ["bytes=0-1", "bytes=-0", "bytes=5000-"] {
        let got = answer(&ask(Method::GET, &[("range", range)]), validators(), None, NOW_MS);
        assert_eq!(got, WHOLE, "{range}");
    }
}

#[test]
fn v2_if_none_match_compares_weakly_and_ignores_junk() {
    for (value, expected) in [
        ("\"x\"", NOT_MODIFIED),
        ("\"a\", \"x\"", NOT_MODIFIED),
        ("*", NOT_MODIFIED),
        ("W/\"x\"", NOT_MODIFIED),
        ("\"a\"", WHOLE),
        ("x", WHOLE),
        ("\"x", WHOLE),
        ("\"x\" junk", WHOLE),
        ("", WHOLE),
    ] {
        assert_get(&[("if-none-match", value)], expected);
    }
    assert_get(&[("if-none-match", "\"a\""), ("if-none-match", "\"x\"")], NOT_MODIFIED);
}

#[test]
fn v2_a_head_is_not_modified_like_its_get() {
    let ask = ask(Method::HEAD, &[("if-none-match", "\"x\"")]);
    assert_eq!(answer(&ask, validators(), Some(TOTAL), NOW_MS), NOT_MODIFIED);
}

#[test]
fn v3_if_modified_since_is_read_only_without_if_none_match() {
    for (value, expected) in [
        (MODIFIED, NOT_MODIFIED),
        (AFTER, NOT_MODIFIED),
        (BEFORE, WHOLE),
        ("yesterday", WHOLE),
        ("Wednesday, 01-Jul-26 00:00:00 GMT", NOT_MODIFIED),
    ] {
        assert_get(&[("if-modified-since", value)], expected);
    }
    assert_get(&[("if-none-match", "\"a\""), ("if-modified-since", MODIFIED)], WHOLE);
    assert_get(&[("if-none-match", "junk"), ("if-modified-since", MODIFIED)], WHOLE);
    assert_get(&[("if-modified-since", MODIFIED), ("if-modified-since", MODIFIED)], WHOLE);
}

#[test]
fn v4_if_match_compares_strongly_and_refuses_junk() {
    for (value, expected) in [
        ("\"x\"", WHOLE),
        ("\"a\", \"x\"", WHOLE),
        ("*", WHOLE),
        ("W/\"x\"", FAILED),
        ("\"a\"", FAILED),
        ("x", FAILED),
    ] {
        assert_get(&[("if-match", value)], expected);
    }
}

#[test]
fn v4_if_unmodified_since_is_read_only_without_if_match() {
    for (value, expected) in
        [(MODIFIED, WHOLE), (AFTER, WHOLE), (BEFORE, FAILED), ("yesterday", WHOLE)]
    {
        assert_get(&[("if-unmodified-since", value)], expected);
    }
    assert_get(&[("if-match", "\"x\""), ("if-unmodified-since", BEFORE)], WHOLE);
}

#[test]
fn v5_if_range_keeps_the_range_only_for_these_very_bytes() {
    for (value, expected) in [
        ("\"x\"", part()),
        (MODIFIED, part()),
        ("\"a\"", WHOLE),
        ("W/\"x\"", WHOLE),
        ("*", WHOLE),
        ("\"a\", \"x\"", WHOLE),
        (BEFORE, WHOLE),
        (AFTER, WHOLE),
        ("junk", WHOLE),
        ("", WHOLE),
    ] {
        assert_get(&[("range", "bytes=0-1"), ("if-range", value)], expected);
    }
    assert_get(&[("range", "bytes=0-1"), ("if-range", "\"x\""), ("if-range", "\"x\"")], WHOLE);
    assert_get(&[("range", "bytes=5000-"), ("if-range", "\"a\"")], WHOLE);
    assert_get(&[("if-range", "\"a\"")], WHOLE);
}

#[test]
fn v5_a_date_is_strong_once_its_second_is_over() {
    let ask = ask(Method::GET, &[("range", "bytes=0-1"), ("if-range", MODIFIED)]);
    for (now_ms, expected) in [
        ((MODIFIED_S - 5) * 1000, WHOLE),
        (MODIFIED_S * 1000, WHOLE),
        (MODIFIED_S * 1000 + 999, WHOLE),
        ((MODIFIED_S + 1) * 1000, part()),
    ] {
        assert_eq!(answer(&ask, validators(), Some(TOTAL), now_ms), expected, "{now_ms}");
    }
}

#[test]
fn v6_conditions_are_held_in_the_order_of_the_rfc() {
    let range = ("range", "bytes=0-1");
    assert_get(&[("if-match", "\"a\""), ("if-none-match", "\"x\"")], FAILED);
    assert_get(&[("if-unmodified-since", BEFORE), ("if-none-match", "\"x\"")], FAILED);
    assert_get(&[("if-match", "\"x\""), ("if-none-match", "\"x\"")], NOT_MODIFIED);
    assert_get(&[("if-none-match", "\"x\""), range], NOT_MODIFIED);
    assert_get(&[("if-modified-since", MODIFIED), range], NOT_MODIFIED);
    assert_get(&[("if-match", "\"a\""), range], FAILED);
    assert_get(&[("if-none-match", "\"a\""), range], part());
    assert_get(
        &[("if-none-match", "\"x\""), ("if-range", "\"a\""), ("range", "bytes=5000-")],
        NOT_MODIFIED,
    );
}

#[test]
fn the_edge_is_not_asked_to_slice_what_if_range_may_forbid() {
    let spec = RangeSpec::FromTo { first: 0, last: 1 };
    let plain = ask(Method::GET, &[("range", "bytes=0-1")]);
    assert_eq!(range_for_edge(&plain), Some(spec));
    let careful = ask(Method::GET, &[("range", "bytes=0-1"), ("if-range", "\"x\"")]);
    assert_eq!(range_for_edge(&careful), None);
    assert_eq!(wanted_ranges(&careful).and_then(|set| set.sole()), Some(spec));
}

const CONDITIONAL: [&str; 6] =
    ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

proptest! {
    #[test]
    fn no_header_bytes_make_an_answer_panic(
        values in proptest::collection::vec((0..6_usize, proptest::collection::vec(0x20..=0xff_u8, 0..40)), 0..8),
        length in any::<Option<u64>>(),
        now_ms in any::<u64>(),
    ) {
        let mut ask = ask(Method::GET, &[]);
        for (name, bytes) in values {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                ask.headers.append(CONDITIONAL[name], value);
            }
        }
        let _ = answer(&ask, validators(), length, now_ms);
    }

    #[test]
    fn a_part_lies_within_the_whole(
        spec in "bytes=[0-9]{0,3}-[0-9]{0,3}(,[0-9]{0,3}-[0-9]{0,3})?",
        total in 0..300_u64,
    ) {
        let ask = ask(Method::GET, &[("range", &spec)]);
        match answer(&ask, validators(), Some(total), NOW_MS) {
            Answer::Part { range, total: said } => {
                prop_assert!(range.last() < total);
                prop_assert_eq!(said, total);
            }
            Answer::Parts { ranges, total: said } => {
                prop_assert!(ranges.iter().all(|range| range.last() < total));
                prop_assert_eq!(said, total);
            }
            Answer::Unsatisfiable { total: said } => prop_assert_eq!(said, total),
            Answer::Whole if spec.contains(',') => {}
            Answer::Whole => prop_assert_eq!(wanted_ranges(&ask), None),
            other @ (Answer::NotModified | Answer::PreconditionFailed) => {
                prop_assert!(false, "no condition was sent: {other:?}");
            }
        }
    }
}
