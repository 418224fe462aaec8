//! What a `Range` header asks for, and what it means for a representation of a known length (RFC 9110 §14.2).
//!
//! A server may ignore any `Range`; what is ignored here is answered whole with 200:
//! a header that does not parse, an inverted range, another unit, a number beyond `u64`, a header over
//! [`RANGE_HEADER_BYTES_MAX`], a list of more than [`RANGES_MAX`], and one whose ranges overlap or do not
//! ascend. So no request can ask for more bytes than the representation has and the headers of at most
//! [`RANGES_MAX`] parts (§17.15), nor make anybody go back in a body.

use super::field_value::trim_ows;
use super::range::{ByteRange, RangeSpec, split_once};
use crate::limits::{RANGE_HEADER_BYTES_MAX, RANGES_MAX};

/// One to [`RANGES_MAX`] requested ranges, not yet held against a length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeSet(Vec<RangeSpec>);

impl RangeSet {
    /// Reads a `Range` header; `None` is a header to ignore.
    ///
    /// Empty list elements and whitespace around commas are allowed (RFC 9110 §5.6.1.2), so
    /// `bytes=, 0-1 ,` is one range.
    pub fn parse(value: &[u8]) -> Option<Self> {
        if value.len() > RANGE_HEADER_BYTES_MAX {
            return None;
        }
        let (unit, list) = split_once(trim_ows(value), b'=')?;
        if !unit.eq_ignore_ascii_case(b"bytes") {
            return None;
        }
        let specs = list.split(|&byte| byte == b',').map(trim_ows).filter(|spec| !spec.is_empty());
        let specs: Option<Vec<_>> = specs.take(RANGES_MAX + 1).map(RangeSpec::parse).collect();
        specs.filter(|specs| (1..=RANGES_MAX).contains(&specs.len())).map(Self)
    }

    /// The range, where only one is asked for.
    pub fn sole(&self) -> Option<RangeSpec> {
        match self.0.as_slice() {
            [spec] => Some(*spec),
            _ => None,
        }
    }

    /// What these ranges mean for a representation of `length` bytes.
    ///
    /// Of several, those it has no byte of are passed over; what is left is held to the order.
    pub fn resolve(&self, length: u64) -> Resolved {
        let ranges: Vec<_> = self.0.iter().filter_map(|spec| spec.resolve(length)).collect();
        match ranges.as_slice() {
            [] => Resolved::Unsatisfiable,
            [range] => Resolved::Part(*range),
            several => Ranges::new(several).map_or(Resolved::Whole, Resolved::Parts),
        }
    }
}

/// A range set held against a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// These bytes exist: 206.
    Part(ByteRange),
    /// All of these exist: 206 in several parts.
    Parts(Ranges),
    /// None of them do: 416.
    Unsatisfiable,
    /// They overlap or do not ascend, and are ignored: 200.
    Whole,
}

/// Two to [`RANGES_MAX`] ranges, ascending and disjoint: together never more bytes than the representation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranges {
    /// The first `count` are the ranges; every other repeats the first, so that equal ranges are equal.
    ranges: [ByteRange; RANGES_MAX],
    count: usize,
}

impl Ranges {
    /// `None` for other than two to [`RANGES_MAX`] ranges, and for ranges that overlap or do not ascend.
    pub fn new(ranges: &[ByteRange]) -> Option<Self> {
        let count = ranges.len();
        if !(2..=RANGES_MAX).contains(&count) {
            return None;
        }
        let ascend = |pair: &[ByteRange]| match pair {
            [one, next] => one.last() < next.first(),
            _ => true,
        };
        if !ranges.windows(2).all(ascend) {
            return None;
        }
        let mut kept = [*ranges.first()?; RANGES_MAX];
        for (kept, range) in kept.iter_mut().zip(ranges) {
            *kept = *range;
        }
        Some(Self { ranges: kept, count })
    }

    /// The ranges, in their order.
    pub fn iter(&self) -> impl Iterator<Item = ByteRange> {
        self.ranges.iter().copied().take(self.count)
    }
}

#[cfg(test)]
#[path = "range_set_tests.rs"]
mod tests;
