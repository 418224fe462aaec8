//! Goal: every row of the range checklist, and no difference from a slice of bytes.
//! Method: tables named by row, and an oracle that picks bytes one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;

const N: u64 = 1000;

#[track_caller]
fn assert_part(header: &str, first: u64, last: u64) {
    let spec = RangeSpec::parse(header.as_bytes()).unwrap_or_else(|| panic!("{header} ignored"));
    assert_eq!(spec.resolve(N), Resolved::Part(ByteRange { first, last }), "{header}");
}

#[track_caller]
fn assert_unsatisfiable(header: &str, length: u64) {
    let spec = RangeSpec::parse(header.as_bytes()).unwrap_or_else(|| panic!("{header} ignored"));
    assert_eq!(spec.resolve(length), Resolved::Unsatisfiable, "{header}");
}

#[track_caller]
fn assert_ignored(header: &str) {
    assert_eq!(RangeSpec::parse(header.as_bytes()), None, "{header}");
}

#[test]
fn r2_r3_the_first_probes_of_safari_and_chrome_are_parts() {
    assert_part("bytes=0-1", 0, 1);
    assert_part("bytes=0-", 0, N - 1);
}

#[test]
fn r4_a_range_inside_is_those_bytes() {
    assert_part("bytes=10-19", 10, 19);
    assert_part("bytes=999-999", 999, 999);
    assert_part("bytes=0-0", 0, 0);
    assert_part("bytes=0-999", 0, 999);
    assert_part("bytes=007-0009", 7, 9);
}

#[test]
fn r5_a_last_byte_beyond_the_end_is_clamped() {
    assert_part("bytes=5-99999999999", 5, N - 1);
    assert_part("bytes=999-1000", 999, 999);
    assert_part("bytes=0-18446744073709551615", 0, N - 1);
}

#[test]
fn r6_a_suffix_is_the_end_and_a_long_one_is_everything() {
    assert_part("bytes=-1", 999, 999);
    assert_part("bytes=-10", 990, 999);
    assert_part("bytes=-1000", 0, 999);
    assert_part("bytes=-1001", 0, 999);
    assert_part("bytes=-18446744073709551615", 0, 999);
}

#[test]
fn r7_r8_nothing_to_send_is_unsatisfiable() {
    assert_unsatisfiable("bytes=-0", N);
    assert_unsatisfiable("bytes=1000-", N);
    assert_unsatisfiable("bytes=1000-1005", N);
    assert_unsatisfiable("bytes=18446744073709551615-", u64::MAX);
}

#[test]
fn r9_what_does_not_parse_is_ignored() {
    for junk in [
        "bytes=5-2",
        "bytes=abc",
        "bytes=1-2-3",
        "bytes 0-1",
        "bytes=",
        "bytes=-",
        "bytes=,",
        "bytes=--1",
        "bytes=+0-1",
        "bytes=0-+1",
        "bytes=0 - 1",
        "bytes=0-1x",
        "bytes=0x0-1",
        "bytes==0-1",
        "bytes =0-1",
        "bytes=0-1;2",
        "=0-1",
        "0-1",
        "",
    ] {
        assert_ignored(junk);
    }
}

#[test]
fn r10_another_unit_is_ignored() {
    for other in ["items=0-5", "byte=0-1", "bytesx=0-1", "none=0-1"] {
        assert_ignored(other);
    }
}

#[test]
fn r11_the_unit_has_no_case_and_the_list_has_whitespace_and_empty_elements() {
    for spelled in [
        "BYTES=0-1",
        "Bytes=0-1",
        "bytes= 0-1",
        "bytes=0-1 ",
        " bytes=0-1\t",
        "bytes=0-1,",
        "bytes=,0-1",
        "bytes=, ,\t0-1 ,, ",
    ] {
        assert_part(spelled, 0, 1);
    }
}

#[test]
fn r12_r13_r14_more_than_one_range_is_ignored() {
    for list in
        ["bytes=0-1,4-5", "bytes=0-1, 4-5", "bytes=0-,0-,0-", "bytes=4-5,0-1", "bytes=0-1,5000-"]
    {
        assert_ignored(list);
    }
}

#[test]
fn r15_numbers_and_headers_that_are_too_long_are_ignored() {
    assert_ignored("bytes=18446744073709551616-");
    assert_ignored("bytes=0-18446744073709551616");
    assert_ignored("bytes=-99999999999999999999999999");
    assert_ignored(&format!("bytes=0-1{}", ",".repeat(10_000)));

    let longest = format!("bytes=0-1{}", ",".repeat(RANGE_HEADER_BYTES_MAX - 9));
    assert_part(&longest, 0, 1);
    assert_ignored(&format!("{longest},"));
}

#[test]
fn r16_an_empty_representation_satisfies_nothing() {
    for header in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"] {
        assert_unsatisfiable(header, 0);
    }
}

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
            Resolved::Part(range) => {
                prop_assert_eq!(&picked, &(range.first()..=range.last()).collect::<Vec<_>>());
                prop_assert_eq!(picked.len() as u64, range.length());
            }
            Resolved::Unsatisfiable => prop_assert!(picked.is_empty()),
        }
    }

    #[test]
    fn a_range_reads_back_as_it_was_written(spec in any_spec()) {
        prop_assert_eq!(RangeSpec::parse(spec.header_value().as_bytes()), Some(spec));
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
    fn no_bytes_make_a_range_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), length in any::<u64>()) {
        for value in [bytes.clone(), [b"bytes=".as_slice(), &bytes].concat()] {
            if let Some(spec) = RangeSpec::parse(&value) {
                let _ = spec.resolve(length);
            }
            let _ = ContentRange::parse(&value);
        }
    }

    #[test]
    fn no_near_miss_makes_a_range_panic(header in "[bB]ytes=? ?[0-9,\\- ]{0,40}", length in any::<u64>()) {
        if let Some(Resolved::Part(range)) =
            RangeSpec::parse(header.as_bytes()).map(|spec| spec.resolve(length))
        {
            prop_assert!(range.last() < length);
        }
    }
}
