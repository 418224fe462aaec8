//! Byte ranges: one that was asked, one that is served, and `Content-Range` (RFC 9110 §14).

use ::http::HeaderValue;

use super::field_value::{composed, digits, trim_ows};

/// One requested range of bytes, not yet held against a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeSpec {
    /// `bytes=first-last`; `first <= last`.
    FromTo {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte, inclusive; may lie beyond the end.
        last: u64,
    },
    /// `bytes=first-`: to the end.
    From {
        /// Offset of the first byte.
        first: u64,
    },
    /// `bytes=-length`: the last bytes.
    Suffix {
        /// How many bytes; 0 is well-formed and never satisfiable.
        length: u64,
    },
}

impl RangeSpec {
    /// Reads one element of the list in a `Range` header; `None` when it is no range, or an inverted one.
    pub(super) fn parse(spec: &[u8]) -> Option<Self> {
        match split_once(spec, b'-')? {
            (b"", length) => Some(Self::Suffix { length: digits(length)? }),
            (first, b"") => Some(Self::From { first: digits(first)? }),
            (first, last) => {
                let (first, last) = (digits(first)?, digits(last)?);
                (first <= last).then_some(Self::FromTo { first, last })
            }
        }
    }

    /// What this means for a representation of `length` bytes; `None` is unsatisfiable: it has none of these.
    pub fn resolve(self, length: u64) -> Option<ByteRange> {
        let end = length.checked_sub(1)?;
        let (first, last) = match self {
            Self::FromTo { first, last } => (first, last.min(end)),
            Self::From { first } => (first, end),
            Self::Suffix { length: wanted } => (length.saturating_sub(wanted), end),
        };
        // A first byte past the end, and a suffix of nothing, leave first > last.
        ByteRange::new(first, last)
    }

    /// The `Range` header that asks for this and nothing else, in one spelling.
    pub fn header_value(self) -> HeaderValue {
        match self {
            Self::FromTo { first, last } => composed(format_args!("bytes={first}-{last}")),
            Self::From { first } => composed(format_args!("bytes={first}-")),
            Self::Suffix { length } => composed(format_args!("bytes=-{length}")),
        }
    }
}

/// Bytes `first` to `last` inclusive; at least one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    first: u64,
    last: u64,
}

impl ByteRange {
    /// `None` when `last` comes before `first`, or for all 2^64 bytes: their number has no `u64`.
    pub fn new(first: u64, last: u64) -> Option<Self> {
        last.checked_sub(first)?.checked_add(1)?;
        Some(Self { first, last })
    }

    /// Offset of the first byte.
    pub fn first(self) -> u64 {
        self.first
    }

    /// Offset of the last byte, inclusive.
    pub fn last(self) -> u64 {
        self.last
    }

    /// How many bytes: the `Content-Length` of the 206; never 0.
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }

    /// `Content-Range` of a 206: `bytes 0-1/10` (RFC 9110 §14.4).
    pub fn content_range(self, total: u64) -> HeaderValue {
        composed(format_args!("bytes {}-{}/{total}", self.first, self.last))
    }
}

/// `Content-Range` of a 416: `bytes */10` (RFC 9110 §14.4).
pub fn unsatisfied_content_range(total: u64) -> HeaderValue {
    composed(format_args!("bytes */{total}"))
}

/// The `Content-Range` of an answer we were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentRange {
    /// `bytes 0-1/10`, or `bytes 0-1/*` with an unknown total.
    Part {
        /// The bytes that follow.
        range: ByteRange,
        /// Length of the whole representation, beyond the range's last byte.
        total: Option<u64>,
    },
    /// `bytes */10`: the range could not be satisfied.
    Unsatisfied {
        /// Length of the whole representation.
        total: u64,
    },
}

impl ContentRange {
    /// `None` when the value is no byte range or contradicts itself: such an answer must not be
    /// believed (RFC 9110 §14.4).
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (unit, rest) = split_once(trim_ows(value), b' ')?;
        if !unit.eq_ignore_ascii_case(b"bytes") {
            return None;
        }
        match split_once(rest, b'/')? {
            (b"*", total) => Some(Self::Unsatisfied { total: digits(total)? }),
            (range, total) => {
                let (first, last) = split_once(range, b'-')?;
                let range = ByteRange::new(digits(first)?, digits(last)?)?;
                if total == b"*" {
                    return Some(Self::Part { range, total: None });
                }
                let total = digits(total)?;
                (range.last < total).then_some(Self::Part { range, total: Some(total) })
            }
        }
    }
}

pub(super) fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let mut halves = bytes.splitn(2, |&byte| byte == separator);
    Some((halves.next()?, halves.next()?))
}

#[cfg(test)]
#[path = "range_tests.rs"]
mod tests;
