//! Several ranges of one representation as a `multipart/byteranges` body (RFC 9110 §14.6, RFC 2046 §5.1).
//!
//! Every part has the type that the whole has and says its own range; the answer around them has no
//! `Content-Range`, which would be that of a single part (RFC 9110 §15.3.7.2).
//! Every delimiter begins with its line end, the first one too, as nginx has it and §14.6 allows.

use ::http::HeaderValue;

use super::cut::Cut;
use super::field_value::{composed, visible};
use super::range::ByteRange;
use super::range_set::Ranges;

/// What every multipart answer of one representation has in common, whichever tier it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Multipart<'a> {
    /// Separates the parts; at most 70 letters and digits (RFC 2046 §5.1.1) that do not occur in the bytes.
    ///
    /// The 32 hex digits of the entry's generation are such: nobody knew them when the bytes were made.
    pub boundary: &'a str,
    /// Media type of the representation.
    pub content_type: &'a str,
}

impl Multipart<'_> {
    /// `Content-Type` of the answer.
    pub fn header_value(self) -> HeaderValue {
        composed(format_args!("multipart/byteranges; boundary={}", self.boundary))
    }

    /// The whole answer: `ranges` of a body of `total` bytes, each behind its part's headers.
    ///
    /// Its length is the exact `Content-Length`: what the ranges have, which is never more than `total`, and
    /// some 150 bytes for each of at most [`RANGES_MAX`](crate::limits::RANGES_MAX) parts.
    pub fn cut(self, ranges: &Ranges, total: u64) -> Cut {
        let Self { boundary, .. } = self;
        // As in a header of the answer, nothing in here can end its line.
        let content_type = visible(self.content_type);
        let content_type = content_type.to_str().unwrap_or_default();
        let before = |range: ByteRange| {
            let (first, last) = (range.first(), range.last());
            format!(
                "\r\n--{boundary}\r\n\
                 Content-Type: {content_type}\r\n\
                 Content-Range: bytes {first}-{last}/{total}\r\n\
                 \r\n"
            )
        };
        Cut::parts(ranges, before, format!("\r\n--{boundary}--\r\n"))
    }
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
