//! What an [`Answer`] makes of a 200: of its status, its headers and its body.

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::conditional::Answer;
use super::cut::Cut;
use super::field_value::composed;
use super::multipart::Multipart;
use super::range::unsatisfied_content_range;

/// Describe a body; an answer without the body does not repeat them (RFC 9110 §15.4.5).
static ABOUT_THE_BODY: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
];

/// Describe a representation that an error does not carry.
static ABOUT_THE_REPRESENTATION: [HeaderName; 5] =
    [header::ETAG, header::LAST_MODIFIED, header::EXPIRES, header::AGE, header::CONTENT_LOCATION];

impl Answer {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Whole => StatusCode::OK,
            Self::Part { .. } | Self::Parts { .. } => StatusCode::PARTIAL_CONTENT,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::Unsatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }

    /// What of the whole body is sent; `None` where it needs no cutting: all of it, or nothing.
    pub fn cut(self, multipart: Multipart<'_>) -> Option<Cut> {
        match self {
            // The whole as a part needs no cutting: `bytes=0-` is a browser's first request.
            Self::Part { range, total } => (range.length() < total).then(|| Cut::of(range)),
            Self::Parts { ranges, total } => Some(multipart.cut(&ranges, total)),
            Self::Whole
            | Self::NotModified
            | Self::PreconditionFailed
            | Self::Unsatisfiable { .. } => None,
        }
    }

    /// Turns the headers of the 200 into those of this answer.
    ///
    /// `length` is the representation's, as it was given to
    /// [`answer`](super::conditional::answer). A 206 keeps every header of the 200 beside its own
    /// range and length, or beside its own type and length where it has several parts; a 304 keeps what updates a stored copy and says nothing of a body; 412 and
    /// 416 have an empty body and are kept by nobody. Without a length neither `Content-Length` nor
    /// `Accept-Ranges` is promised.
    pub fn shape(self, headers: &mut HeaderMap, length: Option<u64>, multipart: Multipart<'_>) {
        for name in [header::CONTENT_LENGTH, header::CONTENT_RANGE, header::ACCEPT_RANGES] {
            headers.remove(name);
        }
        match self {
            Self::Whole => {
                if let Some(length) = length {
                    promise(headers, length);
                }
            }
            Self::Part { range, total } => {
                promise(headers, range.length());
                headers.insert(header::CONTENT_RANGE, range.content_range(total));
            }
            Self::Parts { ranges, total } => {
                promise(headers, multipart.cut(&ranges, total).length());
                headers.insert(header::CONTENT_TYPE, multipart.header_value());
            }
            Self::NotModified => remove_all(headers, &ABOUT_THE_BODY),
            Self::PreconditionFailed => refuse(headers),
            Self::Unsatisfiable { total } => {
                refuse(headers);
                headers.insert(header::ACCEPT_RANGES, BYTES);
                headers.insert(header::CONTENT_RANGE, unsatisfied_content_range(total));
            }
        }
    }
}

const BYTES: HeaderValue = HeaderValue::from_static("bytes");

fn promise(headers: &mut HeaderMap, length: u64) {
    headers.insert(header::ACCEPT_RANGES, BYTES);
    headers.insert(header::CONTENT_LENGTH, composed(format_args!("{length}")));
}

fn refuse(headers: &mut HeaderMap) {
    remove_all(headers, &ABOUT_THE_BODY);
    remove_all(headers, &ABOUT_THE_REPRESENTATION);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
}

fn remove_all(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::http::cut::Piece;
    use crate::http::range::ByteRange;
    use crate::http::range_set::Ranges;

    const MULTIPART: Multipart<'_> = Multipart { boundary: "b", content_type: "video/mp4" };

    fn parts() -> Answer {
        let ranges = [ByteRange::new(0, 1).unwrap(), ByteRange::new(4, 5).unwrap()];
        Answer::Parts { ranges: Ranges::new(&ranges).unwrap(), total: 1000 }
    }

    /// The headers of a 200, with the length and range a careless tier may have left on it.
    fn of_a_200() -> HeaderMap {
        [
            ("accept-ranges", "none"),
            ("age", "5"),
            ("cache-control", "public, max-age=60"),
            ("content-disposition", "inline"),
            ("content-length", "7"),
            ("content-range", "bytes 0-6/7"),
            ("content-type", "video/mp4"),
            ("etag", "\"x\""),
            ("last-modified", "Wed, 01 Jul 2026 00:00:00 GMT"),
            ("vary", "origin"),
        ]
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
    }

    /// Sorted `name: value` lines, without those that stay as they were.
    fn changed(answer: Answer, length: Option<u64>) -> Vec<String> {
        let before = of_a_200();
        let mut after = before.clone();
        answer.shape(&mut after, length, MULTIPART);
        let gone = before.keys().filter(|name| !after.contains_key(*name)).map(|n| format!("-{n}"));
        let new = after
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(value))
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let mut lines: Vec<_> = gone.chain(new).collect();
        lines.sort();
        lines
    }

    #[test]
    fn r1_a_whole_answer_promises_its_length_and_ranges() {
        assert_eq!(
            changed(Answer::Whole, Some(1000)),
            ["-content-range", "accept-ranges: bytes", "content-length: 1000"]
        );
    }

    #[test]
    fn r21_without_a_length_nothing_is_promised() {
        assert_eq!(
            changed(Answer::Whole, None),
            ["-accept-ranges", "-content-length", "-content-range"]
        );
    }

    #[test]
    fn r2_r25_a_part_keeps_every_other_header_of_the_whole() {
        let range = ByteRange::new(0, 1).unwrap();
        assert_eq!(
            changed(Answer::Part { range, total: 1000 }, Some(1000)),
            ["accept-ranges: bytes", "content-length: 2", "content-range: bytes 0-1/1000"]
        );
    }

    #[test]
    fn r12_several_parts_have_their_own_type_and_length_and_no_range_in_common() {
        let length = parts().cut(MULTIPART).unwrap().length();
        assert_eq!(
            changed(parts(), Some(1000)),
            [
                "-content-range".to_owned(),
                "accept-ranges: bytes".to_owned(),
                format!("content-length: {length}"),
                "content-type: multipart/byteranges; boundary=b".to_owned(),
            ]
        );
    }

    #[test]
    fn only_what_is_less_or_more_than_the_whole_is_cut() {
        let part =
            |first, last| Answer::Part { range: ByteRange::new(first, last).unwrap(), total: 9 };
        assert_eq!(part(0, 7).cut(MULTIPART), Some(Cut::of(ByteRange::new(0, 7).unwrap())));
        let bytes = |answer: Answer| {
            let cut = answer.cut(MULTIPART).unwrap();
            cut.pieces().iter().filter(|piece| matches!(piece, Piece::Bytes(_))).count()
        };
        assert_eq!(bytes(parts()), 2);
        for uncut in [
            Answer::Whole,
            part(0, 8),
            Answer::NotModified,
            Answer::PreconditionFailed,
            Answer::Unsatisfiable { total: 9 },
        ] {
            assert_eq!(uncut.cut(MULTIPART), None, "{uncut:?}");
        }
    }

    #[test]
    fn v2_not_modified_keeps_what_updates_a_copy_and_no_length() {
        assert_eq!(
            changed(Answer::NotModified, Some(1000)),
            [
                "-accept-ranges",
                "-content-disposition",
                "-content-length",
                "-content-range",
                "-content-type"
            ]
        );
    }

    #[test]
    fn r8_unsatisfiable_says_the_length_and_is_kept_by_nobody() {
        assert_eq!(
            changed(Answer::Unsatisfiable { total: 1000 }, Some(1000)),
            [
                "-age",
                "-content-disposition",
                "-content-type",
                "-etag",
                "-last-modified",
                "accept-ranges: bytes",
                "cache-control: no-store",
                "content-length: 0",
                "content-range: bytes */1000"
            ]
        );
    }

    #[test]
    fn v4_a_failed_precondition_says_nothing_of_the_representation() {
        assert_eq!(
            changed(Answer::PreconditionFailed, Some(1000)),
            [
                "-accept-ranges",
                "-age",
                "-content-disposition",
                "-content-range",
                "-content-type",
                "-etag",
                "-last-modified",
                "cache-control: no-store",
                "content-length: 0"
            ]
        );
    }

    #[test]
    fn every_answer_has_its_own_status() {
        let range = ByteRange::new(0, 1).unwrap();
        for (answer, status) in [
            (Answer::Whole, 200),
            (Answer::Part { range, total: 2 }, 206),
            (parts(), 206),
            (Answer::NotModified, 304),
            (Answer::PreconditionFailed, 412),
            (Answer::Unsatisfiable { total: 2 }, 416),
        ] {
            assert_eq!(answer.status(), status);
        }
    }
}
