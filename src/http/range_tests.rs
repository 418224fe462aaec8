//! Goal: one range resolves to what the oracle picks; `Content-Range` is written and read exactly.
//! Method: tables, and an oracle that picks bytes one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;

#[test]
fn a_content_range_says_the_part_and_the_whole() {
    let range = ByteRange::new(0, 1).unwrap();
    assert_eq!(range.content_range(10), "bytes 0-1/10");
    assert_eq!(range.length(), 2);
    assert_eq!(unsatisfied_content_range(0), "bytes */0");
}

#[test]
fn no_range_is_empty_or_too_long_to_count() {
    assert_eq!(ByteRange::new(1, 0), None);
    assert_eq!(ByteRange::new(0, u64::MAX), None);
    assert_eq!(ByteRange::new(1, u64::MAX).unwrap().length(), u64::MAX);
}

#[test]
fn a_content_range_is_read_or_not_believed() {
    let range = ByteRange::new(0, 1).unwrap();
    for (value, read) in [
        ("bytes 0-1/10", Some(ContentRange::Part { range, total: Some(10) })),
        ("Bytes 0-1/2", Some(ContentRange::Part { range, total: Some(2) })),
        ("bytes 0-1/*", Some(ContentRange::Part { range, total: None })),
        ("bytes */10", Some(ContentRange::Unsatisfied { total: 10 })),
        ("bytes */0", Some(ContentRange::Unsatisfied { total: 0 })),
        ("bytes 0-1/1", None),
        ("bytes 1-0/10", None),
        ("bytes */*", None),
        ("bytes 0-/10", None),
        ("bytes 0-1", None),
        ("bytes=0-1/10", None),
        ("items 0-1/10", None),
        ("bytes 0-1/10, bytes 2-3/10", None),
        ("bytes 0-1/18446744073709551616", None),
        ("", None),
    ] {
        assert_eq!(ContentRange::parse(value.as_bytes()), read, "{value}");
    }
}

/// Which offsets of a body of `length` bytes a range selects, asked of each byte on its own.
fn oracle(spec: RangeSpec, length: u64) -> Vec<u64> {
    (0..length)
        .filter(|&at| match spec {
            RangeSpec::FromTo { first, last } => at >= first && at <= last,
            RangeSpec::From { first } => at >= first,
            RangeSpec::Suffix { length: wanted } => length - at <= wanted,
        })
        .collect()
}

fn any_spec() -> impl Strategy<Value = RangeSpec> {
    let offset = prop_oneof![0..70_u64, any::<u64>()];
    prop_oneof![
        (offset.clone(), offset.clone())
            .prop_map(|(a, b)| RangeSpec::FromTo { first: a.min(b), last: a.max(b) }),
        offset.clone().prop_map(|first| RangeSpec::From { first }),
        offset.prop_map(|length| RangeSpec::Suffix { length }),
    ]
}

proptest! {
    #[test]
    fn a_resolved_range_is_exactly_the_bytes_the_oracle_picks(
        spec in any_spec(),
        length in 0..64_u64,
    ) {
        let picked = oracle(spec, length);
        match spec.resolve(length) {
            Some(range) => {
                prop_assert_eq!(&picked, &(range.first()..=range.last()).collect::<Vec<_>>());
                prop_assert_eq!(picked.len() as u64, range.length());
            }
            None => prop_assert!(picked.is_empty()),
        }
    }

    #[test]
    fn a_content_range_reads_back_as_it_was_written(first in 0..99_u64, more in 0..99_u64, rest in 1..9_u64) {
        let range = ByteRange::new(first, first + more).unwrap();
        let total = range.last() + rest;
        prop_assert_eq!(
            ContentRange::parse(range.content_range(total).as_bytes()),
            Some(ContentRange::Part { range, total: Some(total) })
        );
    }

    #[test]
    fn no_bytes_make_a_content_range_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        for value in [bytes.clone(), [b"bytes ".as_slice(), &bytes].concat()] {
            if let Some(ContentRange::Part { range, total: Some(total) }) = ContentRange::parse(&value) {
                prop_assert!(range.last() < total);
            }
        }
    }
}
