//! Several ranges at once, on every tier and on a cold miss: the same parts, byte for byte and header for header.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::*;

use super::VIDEO;
use super::ranges::on_every_tier;
use crate::fakes::edge::Slicing;
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{House, Seen, get, head};

/// Bytes of the stories' rendition.
const TOTAL: usize = 1000;

/// One part: its range as it says itself, and its bytes.
type Part = (String, Vec<u8>);

/// Takes a multipart answer apart, by its delimiters alone.
#[track_caller]
fn parts(seen: &Seen) -> Vec<Part> {
    let boundary = seen.header("content-type").split("boundary=").nth(1).expect("a boundary");
    let delimiter = format!("\r\n--{boundary}");
    let find = |haystack: &[u8], needle: &str| {
        haystack.windows(needle.len()).position(|window| window == needle.as_bytes())
    };
    let mut rest = &seen.bytes[..];
    let mut parts = Vec::new();
    while let Some(at) = find(rest, &delimiter) {
        rest = &rest[at + delimiter.len()..];
        let end = find(rest, &delimiter).unwrap_or(rest.len());
        let Some(head) = find(&rest[..end], "\r\n\r\n") else { continue };
        let headers = std::str::from_utf8(&rest[..head]).unwrap();
        let range = headers.strip_prefix("\r\nContent-Type: video/mp4\r\nContent-Range: ");
        let range = range.expect("type and range of the part, and nothing else");
        parts.push((range.to_owned(), rest[head + 4..end].to_vec()));
    }
    assert_eq!(rest, b"--\r\n", "behind the last delimiter");
    parts
}

/// What the parts of these bounds have to be.
fn expected(whole: &[u8], bounds: &[(usize, usize)]) -> Vec<Part> {
    let part = |(first, last): &(usize, usize)| {
        (format!("bytes {first}-{last}/{}", whole.len()), whole[*first..=*last].to_vec())
    };
    bounds.iter().map(part).collect()
}

/// The headers that are about the rendition, and not about this one answer.
fn lasting(seen: &Seen) -> Vec<(String, String)> {
    let of_one_answer = ["age", "cache-status", "date", "server-timing", "x-request-id"];
    let lasting = seen.headers.iter().filter(|(name, _)| !of_one_answer.contains(&name.as_str()));
    lasting.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

#[test]
fn several_ranges_are_answered_in_parts_and_the_whole_object_is_kept() {
    for (range, bounds) in [
        ("bytes=0-1,4-5", &[(0, 1), (4, 5)][..]),
        ("bytes=0-499, 500-", &[(0, 499), (500, 999)]),
        ("bytes=10-19,-1", &[(10, 19), (999, 999)]),
        ("bytes=10-19,5000-,900-2000", &[(10, 19), (900, 999)]),
        (
            "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14",
            &[(0, 0), (2, 2), (4, 4), (6, 6), (8, 8), (10, 10), (12, 12), (14, 14)],
        ),
    ] {
        on_every_tier(
            || get(VIDEO).range(range),
            |tier, seen, whole| {
                assert_eq!(seen.status, 206, "{range} on {tier}");
                assert_eq!(seen.header("content-range"), "", "{range} on {tier}");
                assert_eq!(seen.header("accept-ranges"), "bytes");
                let etag = seen.header("etag").trim_matches('"');
                let content_type = format!("multipart/byteranges; boundary={etag}");
                assert_eq!(seen.header("content-type"), content_type, "{range} on {tier}");
                assert_eq!(parts(seen), expected(whole, bounds), "{range} on {tier}");
            },
        );
    }
}

#[test]
fn of_several_ranges_one_that_is_left_is_an_ordinary_part() {
    for range in ["bytes=10-19,5000-", "bytes=5000-,10-19", "bytes=-0,10-19,1000-1001"] {
        on_every_tier(
            || get(VIDEO).range(range),
            |tier, seen, whole| {
                assert_eq!(seen.status, 206, "{range} on {tier}");
                assert_eq!(seen.header("content-range"), "bytes 10-19/1000", "{range} on {tier}");
                assert_eq!(seen.header("content-type"), "video/mp4");
                assert_eq!(seen.bytes, whole[10..20], "{range} on {tier}");
            },
        );
    }
}

#[test]
fn several_ranges_of_which_none_exists_are_416() {
    on_every_tier(
        || get(VIDEO).range("bytes=1000-,5000-6000,-0"),
        |tier, seen, _| {
            assert_eq!(
                (seen.status, seen.header("content-range")),
                (416, "bytes */1000"),
                "{tier}"
            );
            assert_eq!(seen.bytes, b"");
        },
    );
}

#[test]
fn ranges_that_ask_for_too_much_are_answered_whole() {
    for range in [
        "bytes=0-100,50-150",
        "bytes=4-5,0-1",
        "bytes=0-,0-,0-",
        "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16",
        "bytes=0-1,5-2",
    ] {
        on_every_tier(
            || get(VIDEO).range(range),
            |tier, seen, whole| {
                assert_eq!(
                    (seen.status, seen.header("content-range")),
                    (200, ""),
                    "{range} on {tier}"
                );
                assert_eq!(seen.header("content-type"), "video/mp4");
                assert_eq!(seen.bytes, whole, "{range} on {tier}");
            },
        );
    }
}

#[test]
fn the_edge_is_never_asked_for_several_ranges() {
    let house = House::plain();
    house.get(VIDEO);
    for slicing in [Slicing::Slices, Slicing::Ignores, Slicing::Misslices] {
        house.host.edge.slicing.set(slicing);
        let seen = house.send(&get(VIDEO).range("bytes=0-1,4-5"));
        assert_eq!((seen.status, parts(&seen).len()), (206, 2));
        let shown = format!("{:?}", seen.operations);
        assert!(shown.contains("range: None") && !shown.contains("Some"), "{shown}");
    }
}

#[test]
fn conditions_come_before_several_ranges_as_before_one() {
    let house = House::plain();
    let etag = house.get(VIDEO).header("etag").to_owned();
    for (name, value, status) in [
        ("if-range", etag.as_str(), 206),
        ("if-range", "\"other\"", 200),
        ("if-none-match", &etag, 304),
        ("if-match", "\"other\"", 412),
    ] {
        let seen = house.send(&get(VIDEO).range("bytes=0-1,4-5").with(name, value));
        assert_eq!(seen.status, status, "{name}: {value}");
    }
    let seen = house.send(&head(VIDEO).range("bytes=0-1,4-5"));
    assert_eq!((seen.status, seen.header("content-length")), (200, "1000"));
    assert_eq!(seen.header("content-type"), "video/mp4");
}

#[test]
fn a_rendition_of_unknown_length_is_measured_for_several_ranges_and_kept_whole() {
    let house = House::plain();
    house.host.upstream.makes(Making::GoodWithoutLength);
    let seen = house.send(&get(VIDEO).range("bytes=0-1,-1"));
    let whole = house.host.upstream.last_made();
    assert_eq!(parts(&seen), expected(&whole, &[(0, 1), (999, 999)]));
    assert_eq!(seen.settled, ["kv-keep", "edge-keep"]);
    assert_eq!(house.get(VIDEO).bytes, *whole);
}

#[test]
fn a_rendition_that_breaks_off_breaks_its_parts_and_is_kept_nowhere() {
    let house = House::plain();
    house.host.upstream.makes(Making::BreaksOff(1000));
    let seen = house.send(&get(VIDEO).range("bytes=0-1,998-"));
    assert!(!seen.whole, "the viewer sees it too");
    assert_eq!((house.kv_keys().len(), house.edge_urls().len()), (0, 0));
}

/// One range as a viewer spells it.
fn any_range() -> impl Strategy<Value = String> {
    let offset = 0..1_100_usize;
    prop_oneof![
        6 => (offset.clone(), 0..200_usize).prop_map(|(first, more)| format!("{first}-{}", first + more)),
        1 => offset.clone().prop_map(|first| format!("{first}-")),
        1 => offset.prop_map(|length| format!("-{length}")),
    ]
}

/// Lists as they come, and lists sorted so that many of them ascend.
fn any_list() -> impl Strategy<Value = Vec<String>> {
    let first =
        |range: &String| range.split('-').next().and_then(|first| first.parse::<usize>().ok());
    let sorted = vec(any_range(), 1..10).prop_map(move |mut list| {
        list.sort_by_key(|range| first(range).unwrap_or(usize::MAX));
        list
    });
    prop_oneof![1 => vec(any_range(), 1..10), 3 => sorted]
}

/// The bounds of what exists of every range, in order; `None` where the whole is to be answered.
fn oracle(ranges: &[String]) -> Option<Vec<(usize, usize)>> {
    let exists = |range: &String| {
        let (first, last) = range.split_once('-').unwrap();
        let offsets = match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) => first..last + 1,
            (Ok(first), Err(_)) => first..TOTAL,
            (Err(_), Ok(length)) => TOTAL.saturating_sub(length)..TOTAL,
            (Err(_), Err(_)) => panic!("{range}"),
        };
        let offsets: Vec<_> = (0..TOTAL).filter(|at| offsets.contains(at)).collect();
        Some((*offsets.first()?, *offsets.last()?))
    };
    let bounds: Vec<_> = ranges.iter().filter_map(exists).collect();
    let ascend = bounds.windows(2).all(|pair| pair[0].1 < pair[1].0);
    (ranges.len() <= 8 && ascend).then_some(bounds)
}

proptest! {
    #[test]
    fn whatever_is_asked_is_answered_from_every_tier_as_a_slice_of_the_bytes_says(list in any_list()) {
        let range = format!("bytes={}", list.join(","));
        let bounds = oracle(&list);
        let first_answer = RefCell::new(None);
        on_every_tier(
            || get(VIDEO).range(&range),
            |tier, seen, whole| {
                match bounds.as_deref() {
                    None => {
                        assert_eq!(seen.status, 200, "{range} on {tier}");
                        assert_eq!(seen.bytes, whole, "{range} on {tier}");
                    }
                    Some([]) => assert_eq!(seen.status, 416, "{range} on {tier}"),
                    Some([(first, last)]) => {
                        assert_eq!(seen.status, 206, "{range} on {tier}");
                        assert_eq!(seen.header("content-range"), format!("bytes {first}-{last}/1000"));
                        assert_eq!(seen.bytes, whole[*first..=*last], "{range} on {tier}");
                    }
                    Some(several) => {
                        assert_eq!(seen.status, 206, "{range} on {tier}");
                        assert_eq!(parts(seen), expected(whole, several), "{range} on {tier}");
                    }
                }
                let answer = (seen.status, lasting(seen), seen.bytes.clone());
                let mut first_answer = first_answer.borrow_mut();
                let first_answer = first_answer.get_or_insert_with(|| answer.clone());
                assert_eq!(*first_answer, answer, "{range} on {tier}: not as it was made");
            },
        );
    }
}
