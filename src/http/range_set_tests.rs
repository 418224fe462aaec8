//! Goal: every row of the range checklist, and no difference from a slice of bytes.
//! Method: tables named by row, and an oracle that picks bytes one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const N: u64 = 1000;

#[track_caller]
fn resolved(header: &str, length: u64) -> Resolved {
    let set = RangeSet::parse(header.as_bytes()).unwrap_or_else(|| panic!("{header} ignored"));
    set.resolve(length)
}

#[track_caller]
fn assert_parts(header: &str, parts: &[(u64, u64)]) {
    let Resolved::Parts(ranges) = resolved(header, N) else { panic!("{header} has no parts") };
    let ranges: Vec<_> = ranges.iter().map(|range| (range.first(), range.last())).collect();
    assert_eq!(ranges, parts, "{header}");
}

#[track_caller]
fn assert_part(header: &str, first: u64, last: u64) {
    let range = ByteRange::new(first, last).unwrap();
    assert_eq!(resolved(header, N), Resolved::Part(range), "{header}");
}

#[track_caller]
fn assert_unsatisfiable(header: &str, length: u64) {
    assert_eq!(resolved(header, length), Resolved::Unsatisfiable, "{header}");
}

#[track_caller]
fn assert_ignored(header: &str) {
    assert_eq!(RangeSet::parse(header.as_bytes()), None, "{header}");
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
fn r12_ascending_disjoint_ranges_are_parts() {
    assert_parts("bytes=0-1,4-5", &[(0, 1), (4, 5)]);
    assert_parts("bytes=0-0, -1", &[(0, 0), (999, 999)]);
    assert_parts("bytes= ,0-1\t,, 4-5 ,", &[(0, 1), (4, 5)]);
    assert_parts("bytes=0-1,100-,", &[(0, 1), (100, 999)]);
    assert_parts("bytes=0-1,900-5000", &[(0, 1), (900, 999)]);
    // They touch, and may together be the whole.
    assert_parts("bytes=0-499,500-999", &[(0, 499), (500, 999)]);
}

#[test]
fn r12_eight_ranges_are_parts() {
    let eight = (0..8).map(|at| (at * 10, at * 10 + 1));
    let list: Vec<_> = eight.clone().map(|(first, last)| format!("{first}-{last}")).collect();
    assert_parts(&format!("bytes={}", list.join(",")), &eight.collect::<Vec<_>>());
}

#[test]
fn r13_more_than_eight_are_ignored_even_where_some_of_them_would_fall_away() {
    let nine: Vec<_> = (0..9).map(|at| format!("{}-{}", at * 10, at * 10 + 1)).collect();
    assert_ignored(&format!("bytes={}", nine.join(",")));
    assert_ignored(&format!("bytes={}", ["5000-"; 9].join(",")));
}

#[test]
fn r13_ranges_that_overlap_or_do_not_ascend_are_answered_whole() {
    for list in [
        "bytes=0-100,50-150",
        "bytes=0-100,100-150",
        "bytes=0-,0-,0-",
        "bytes=0-1,0-1",
        "bytes=4-5,0-1",
        "bytes=0-1,8-9,4-5",
        "bytes=0-1,500-,-100",
        "bytes=-1,0-1",
        "bytes=0-900,-100",
        "bytes=0-1,-5000",
    ] {
        assert_eq!(resolved(list, N), Resolved::Whole, "{list}");
    }
}

#[test]
fn r14_what_has_no_bytes_falls_away_and_one_that_is_left_is_an_ordinary_part() {
    assert_part("bytes=0-1,5000-", 0, 1);
    assert_part("bytes=5000-,0-1", 0, 1);
    assert_part("bytes=-0,1000-1005,-1", 999, 999);
    assert_parts("bytes=0-1,5000-6000,10-11", &[(0, 1), (10, 11)]);
    assert_parts("bytes=5000-,0-1,-0,10-11", &[(0, 1), (10, 11)]);
    assert_unsatisfiable("bytes=1000-,-0", N);
    assert_unsatisfiable("bytes=0-1,4-5", 0);
}

#[test]
fn r9_one_bad_element_spoils_the_list() {
    for list in ["bytes=0-1,abc", "bytes=0-1,5-2", "bytes=-,0-1", "bytes=0-1;4-5", "bytes=0-1 4-5"]
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
fn only_a_sole_range_may_be_asked_of_an_edge_that_slices() {
    let sole = |header: &str| RangeSet::parse(header.as_bytes()).unwrap().sole();
    assert_eq!(sole("bytes=,0-1"), Some(RangeSpec::FromTo { first: 0, last: 1 }));
    assert_eq!(sole("bytes=0-1,4-5"), None);
    assert_eq!(sole("bytes=0-1,5000-"), None, "which of them is left is not known yet");
}

#[test]
fn ranges_are_two_to_eight_that_ascend() {
    let range = |first, last| ByteRange::new(first, last).unwrap();
    assert_eq!(Ranges::new(&[]), None);
    assert_eq!(Ranges::new(&[range(0, 1)]), None);
    assert_eq!(Ranges::new(&[range(0, 1), range(1, 2)]), None);
    assert_eq!(Ranges::new(&[range(2, 3), range(0, 1)]), None);
    let nine: Vec<_> = (0..9).map(|at| range(at * 2, at * 2)).collect();
    assert_eq!(Ranges::new(&nine), None);
    assert_eq!(Ranges::new(&nine[..8]).unwrap().iter().collect::<Vec<_>>(), nine[..8]);
}

/// Which offsets of a body of `length` bytes a range selects, asked of each byte on its own.
fn picked(spec: RangeSpec, length: u64) -> Vec<u64> {
    (0..length)
        .filter(|&at| match spec {
            RangeSpec::FromTo { first, last } => at >= first && at <= last,
            RangeSpec::From { first } => at >= first,
            RangeSpec::Suffix { length: wanted } => length - at <= wanted,
        })
        .collect()
}

/// What is to be answered, from the offsets alone: `None` is the whole, else the offsets of every part.
fn oracle(specs: &[RangeSpec], length: u64) -> Option<Vec<Vec<u64>>> {
    let parts = specs.iter().map(|spec| picked(*spec, length)).filter(|part| !part.is_empty());
    let parts: Vec<_> = parts.collect();
    let offsets = parts.concat();
    let climbs = offsets.is_sorted_by(|one, next| one < next);
    (specs.len() <= 8 && (climbs || parts.len() == 1)).then_some(parts)
}

fn any_spec() -> impl Strategy<Value = RangeSpec> {
    let offset = prop_oneof![9 => 0..70_u64, 1 => any::<u64>()];
    prop_oneof![
        4 => (offset.clone(), 0..6_u64).prop_map(|(first, more)| RangeSpec::FromTo {
            first,
            last: first.saturating_add(more)
        }),
        1 => offset.clone().prop_map(|first| RangeSpec::From { first }),
        1 => offset.prop_map(|length| RangeSpec::Suffix { length }),
    ]
}

/// Lists as they come, and lists in an order that may be answered in parts.
fn any_specs() -> impl Strategy<Value = Vec<RangeSpec>> {
    let ascending = vec(any_spec(), 1..11).prop_map(|mut specs| {
        specs.sort_by_key(|spec| match spec {
            RangeSpec::FromTo { first, .. } | RangeSpec::From { first } => *first,
            RangeSpec::Suffix { .. } => u64::MAX,
        });
        specs
    });
    prop_oneof![vec(any_spec(), 1..11), ascending]
}

/// As a viewer may write it.
fn header(specs: &[RangeSpec], comma: &str) -> String {
    let spelled = specs.iter().map(|spec| {
        let value = spec.header_value();
        value.to_str().unwrap().strip_prefix("bytes=").unwrap().to_owned()
    });
    format!("bytes={}", spelled.collect::<Vec<_>>().join(comma))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_list_is_answered_as_the_oracle_says(
        specs in any_specs(),
        length in 0..64_u64,
        comma in "[ \t]{0,2},[ \t]{0,2}(,[ \t]?)?",
    ) {
        let set = RangeSet::parse(header(&specs, &comma).as_bytes());
        let expected = oracle(&specs, length);
        let expand = |range: ByteRange| (range.first()..=range.last()).collect::<Vec<_>>();
        match set.map(|set| set.resolve(length)) {
            None | Some(Resolved::Whole) => prop_assert_eq!(expected, None),
            Some(Resolved::Unsatisfiable) => prop_assert_eq!(expected, Some(vec![])),
            Some(Resolved::Part(range)) => prop_assert_eq!(expected, Some(vec![expand(range)])),
            Some(Resolved::Parts(ranges)) => {
                let parts: Vec<_> = ranges.iter().map(expand).collect();
                prop_assert!(parts.len() >= 2 && parts.concat().len() as u64 <= length);
                prop_assert_eq!(expected, Some(parts));
            }
        }
    }

    #[test]
    fn a_range_reads_back_as_it_was_written(spec in any_spec()) {
        let set = RangeSet::parse(spec.header_value().as_bytes()).unwrap();
        prop_assert_eq!(set.sole(), Some(spec));
    }

    #[test]
    fn no_bytes_make_a_range_panic(bytes in vec(any::<u8>(), 0..64), length in any::<u64>()) {
        for value in [bytes.clone(), [b"bytes=".as_slice(), &bytes].concat()] {
            if let Some(set) = RangeSet::parse(&value) {
                let _ = set.resolve(length);
            }
        }
    }

    #[test]
    fn no_near_miss_asks_for_more_than_there_is(header in "[bB]ytes=? ?[0-9,\\- ]{0,40}", length in any::<u64>()) {
        match RangeSet::parse(header.as_bytes()).map(|set| set.resolve(length)) {
            Some(Resolved::Part(range)) => prop_assert!(range.last() < length),
            Some(Resolved::Parts(ranges)) => {
                let sum: u128 = ranges.iter().map(|range| u128::from(range.length())).sum();
                prop_assert!(ranges.iter().all(|range| range.last() < length));
                prop_assert!(sum <= u128::from(length));
            }
            Some(Resolved::Unsatisfiable | Resolved::Whole) | None => {}
        }
    }
}
