//! `Range` and `Content-Range`: the first line is a length, the rest a header's value.
//!
//! The oracle of `Range` reads the grammar of RFC 9110 §14.1.2 in its own way and holds every single byte against it.

use video_resizer::http::range::{ByteRange, ContentRange, RangeSpec, unsatisfied_content_range};
use video_resizer::http::range_set::{RangeSet, Ranges, Resolved};
use video_resizer::limits::{RANGE_HEADER_BYTES_MAX, RANGES_MAX};

/// Representations up to this length are looked at byte by byte.
const BYTE_BY_BYTE_MAX: u64 = 64;

/// Every part lies within the representation, and after the one before it.
#[track_caller]
pub fn ascend_within(parts: &[ByteRange], total: u64) {
    let mut free_from = 0;
    for part in parts {
        assert!(part.first() >= free_from, "{parts:?} overlap or descend");
        assert!(part.first() <= part.last() && part.last() < total, "{parts:?} of {total}");
        free_from = part.last() + 1;
    }
    assert!(parts.iter().map(|part| part.length()).sum::<u64>() <= total, "{parts:?} of {total}");
}

/// See the module.
pub fn holds(input: &[u8]) {
    let (line, value) = super::first_line(input);
    let length = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok()).unwrap_or(10);
    of_a_request(value, length);
    of_an_answer(value);
}

fn of_a_request(value: &[u8], length: u64) {
    let asked = specs(value).filter(|specs| (1..=RANGES_MAX).contains(&specs.len()));
    let read = RangeSet::parse(value);
    assert_eq!(read.is_some(), asked.is_some());
    let (Some(read), Some(asked)) = (read, asked) else { return };
    let only = if let [only] = asked.as_slice() { Some(*only) } else { None };
    assert_eq!(read.sole().map(ends), only);
    if let Some(only) = read.sole() {
        let again = RangeSet::parse(only.header_value().as_bytes());
        assert_eq!(again.as_ref(), Some(&read), "its own spelling");
    }
    let there: Vec<_> = asked.iter().filter_map(|ends| part(*ends, length)).collect();
    let parts = match read.resolve(length) {
        Resolved::Part(part) => vec![part],
        Resolved::Parts(parts) => parts.iter().collect(),
        Resolved::Unsatisfiable => vec![],
        Resolved::Whole => {
            assert!(!there.is_sorted_by(|one, next| one.last() < next.first()), "{there:?}");
            return;
        }
    };
    ascend_within(&parts, length);
    assert_eq!(parts, there);
    assert_eq!(Ranges::new(&parts).is_some(), parts.len() > 1);
    for offset in 0..length.min(BYTE_BY_BYTE_MAX) {
        let served = parts.iter().any(|part| (part.first()..=part.last()).contains(&offset));
        let wanted = asked.iter().any(|ends| asks_for(*ends, offset, length));
        assert_eq!(served, wanted, "byte {offset} of {length}");
    }
}

/// The bytes of a representation that a range means.
fn part(ends: Ends, length: u64) -> Option<ByteRange> {
    let end = length.checked_sub(1)?;
    match ends {
        (Some(first), last) => ByteRange::new(first, last.map_or(end, |last| last.min(end))),
        (None, suffix) => ByteRange::new(length - suffix?.min(length), end),
    }
}

fn of_an_answer(value: &[u8]) {
    match ContentRange::parse(value) {
        Some(read @ ContentRange::Part { range, total: Some(total) }) => {
            ascend_within(&[range], total);
            let spelled = range.content_range(total);
            assert_eq!(ContentRange::parse(spelled.as_bytes()), Some(read));
        }
        Some(read @ ContentRange::Unsatisfied { total }) => {
            let spelled = unsatisfied_content_range(total);
            assert_eq!(ContentRange::parse(spelled.as_bytes()), Some(read));
        }
        Some(ContentRange::Part { total: None, .. }) | None => {}
    }
}

/// First and last byte as written: `1-`, `-1` and `1-1` are told apart by what is missing.
type Ends = (Option<u64>, Option<u64>);

fn ends(spec: RangeSpec) -> Ends {
    match spec {
        RangeSpec::FromTo { first, last } => (Some(first), Some(last)),
        RangeSpec::From { first } => (Some(first), None),
        RangeSpec::Suffix { length } => (None, Some(length)),
    }
}

/// Every range of the list; `None` where the grammar, a number or the order of a range's ends is broken.
fn specs(value: &[u8]) -> Option<Vec<Ends>> {
    let text = std::str::from_utf8(value).ok().filter(|_| value.len() <= RANGE_HEADER_BYTES_MAX)?;
    let text = text.trim_matches([' ', '\t']);
    let (unit, elements) = (text.get(..6)?, text.get(6..)?);
    if !unit.eq_ignore_ascii_case("bytes=") {
        return None;
    }
    let number = |text: &str| match text {
        "" => Some(None),
        _ if text.contains(|it: char| !it.is_ascii_digit()) => None,
        _ => text.parse().ok().map(Some),
    };
    let mut specs = Vec::new();
    for element in elements.split(',').map(|element| element.trim_matches([' ', '\t'])) {
        if element.is_empty() {
            continue;
        }
        let at = element.find('-')?;
        match (number(&element[..at])?, number(&element[at + 1..])?) {
            (None, None) => return None,
            (Some(first), Some(last)) if first > last => return None,
            ends => specs.push(ends),
        }
    }
    Some(specs)
}

/// Whether a range covers the byte at this offset.
fn asks_for(ends: Ends, offset: u64, length: u64) -> bool {
    match ends {
        (Some(first), last) => first <= offset && last.is_none_or(|last| offset <= last),
        (None, last) => last.is_some_and(|last| length - offset <= last),
    }
}
