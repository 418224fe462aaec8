//! Several byte ranges of one representation.

use super::range::ByteRange;
use crate::limits::RANGES_MAX;

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
