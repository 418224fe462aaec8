//! What is sent of a body: some of its bytes, in its own order, and texts of ours before, between and after.

use super::range::ByteRange;
use super::range_set::Ranges;

/// One thing that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A text of ours; never empty.
    Text(String),
    /// These bytes of the body.
    Bytes(ByteRange),
}

/// Pieces in the order they are sent.
///
/// Their ranges ascend and do not overlap, so one pass over the body is enough, and no byte of it is sent twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pieces: Vec<Piece>,
}

impl Cut {
    /// These pieces; `None` where their ranges do not ascend or overlap, and for none at all.
    pub fn new(pieces: Vec<Piece>) -> Option<Self> {
        let mut end = 0;
        for piece in &pieces {
            let Piece::Bytes(range) = piece else { continue };
            if range.first() < end {
                return None;
            }
            end = range.last().saturating_add(1);
        }
        (!pieces.is_empty()).then_some(Self { pieces })
    }

    /// The bytes of `range` and nothing else.
    pub fn of(range: ByteRange) -> Self {
        Self { pieces: vec![Piece::Bytes(range)] }
    }

    /// The bytes of every range, what `before` says of it ahead of each, and `after` at the end.
    pub fn parts(ranges: &Ranges, before: impl Fn(ByteRange) -> String, after: String) -> Self {
        let parts =
            ranges.iter().flat_map(|range| [Piece::Text(before(range)), Piece::Bytes(range)]);
        let pieces = parts.chain([Piece::Text(after)]);
        Self { pieces: pieces.filter(|piece| piece.length() > 0).collect() }
    }

    /// The pieces, to be sent one after the other.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// How many bytes are sent: the `Content-Length`.
    pub fn length(&self) -> u64 {
        // Only beside a body of nearly 2^64 bytes there would be no number for it.
        self.pieces.iter().map(Piece::length).fold(0, u64::saturating_add)
    }
}

impl Piece {
    /// How many bytes it sends.
    pub fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Bytes(range) => range.length(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn range(first: u64, last: u64) -> ByteRange {
        ByteRange::new(first, last).unwrap()
    }

    #[test]
    fn one_range_is_one_piece_as_long_as_the_range() {
        let cut = Cut::of(range(5, 9));
        assert_eq!(cut.pieces(), [Piece::Bytes(range(5, 9))]);
        assert_eq!(cut.length(), 5);
    }

    #[test]
    fn every_range_has_its_text_before_it_and_the_last_text_ends_the_cut() {
        let ranges = Ranges::new(&[range(0, 1), range(5, 9)]).unwrap();
        let cut = Cut::parts(&ranges, |range| format!("from {}", range.first()), "end".to_owned());
        assert_eq!(
            cut.pieces(),
            [
                Piece::Text("from 0".to_owned()),
                Piece::Bytes(range(0, 1)),
                Piece::Text("from 5".to_owned()),
                Piece::Bytes(range(5, 9)),
                Piece::Text("end".to_owned()),
            ]
        );
        assert_eq!(cut.length(), 6 + 2 + 6 + 5 + 3);
    }

    #[test]
    fn an_empty_text_is_no_piece() {
        let ranges = Ranges::new(&[range(0, 1), range(5, 9)]).unwrap();
        let cut = Cut::parts(&ranges, |_| String::new(), String::new());
        assert_eq!(cut.pieces(), [Piece::Bytes(range(0, 1)), Piece::Bytes(range(5, 9))]);
    }

    #[test]
    fn a_length_beyond_all_numbers_is_the_largest() {
        let ranges = Ranges::new(&[range(0, u64::MAX - 2), range(u64::MAX - 1, u64::MAX)]).unwrap();
        assert_eq!(Cut::parts(&ranges, |_| "x".to_owned(), String::new()).length(), u64::MAX);
    }
}
