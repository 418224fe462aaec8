//! Which answer a request's preconditions and range leave of a 200.
//!
//! The order is RFC 9110 §13.2.2: `If-Match`, `If-Unmodified-Since`, `If-None-Match`,
//! `If-Modified-Since`, and only then `Range` with `If-Range`. Call [`answer`] for a representation
//! that would be served with 200 and for nothing else: an error or a redirect keeps its status
//! whatever was asked (§13.2.1, §14.2).
//!
//! What the RFC leaves open:
//! a header with junk in it does not hold, so a broken `If-None-Match` gives the whole answer, a
//! broken `If-Match` 412, a broken `If-Range` the whole answer; a date that does not parse is
//! ignored; a header given on several lines, where the RFC knows one value, counts as junk.

use ::http::{HeaderName, HeaderValue, Method, header};

use super::date;
use super::entity_tag::{EntityTag, SentTag, SentTags};
use super::range::{ByteRange, RangeSpec};
use super::range_set::{RangeSet, Ranges, Resolved};
use crate::request::ask::Ask;

/// What tells one representation from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validators<'a> {
    /// The strong tag of these bytes.
    pub etag: EntityTag<'a>,
    /// Seconds since 1970; the `Last-Modified` header says the same second.
    pub last_modified_s: u64,
}

/// How a representation is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 200 with every byte.
    Whole,
    /// 206 with these bytes of `total`.
    Part {
        /// The bytes to send.
        range: ByteRange,
        /// Bytes of the whole representation.
        total: u64,
    },
    /// 206 with these bytes of `total`, as `multipart/byteranges`.
    Parts {
        /// The bytes to send, part by part.
        ranges: Ranges,
        /// Bytes of the whole representation.
        total: u64,
    },
    /// 304, no body.
    NotModified,
    /// 412.
    PreconditionFailed,
    /// 416 with `Content-Range: bytes */total`.
    Unsatisfiable {
        /// Bytes of the whole representation.
        total: u64,
    },
}

/// Decides how a representation that would be a 200 is answered.
///
/// `length` is the representation's; where it is unknown no range is served, for no honest
/// `Content-Range` could be written. `now_ms` is milliseconds since 1970: the `Date` of the answer.
/// Any method but GET and HEAD has no conditions and no range here and is [`Answer::Whole`].
pub fn answer(ask: &Ask, validators: Validators<'_>, length: Option<u64>, now_ms: u64) -> Answer {
    if ask.method != Method::GET && ask.method != Method::HEAD {
        return Answer::Whole;
    }
    if !still_ours(ask, validators, now_ms) {
        return Answer::PreconditionFailed;
    }
    if viewer_has_it(ask, validators, now_ms) {
        return Answer::NotModified;
    }
    let (Some(wanted), Some(total)) = (wanted_ranges(ask), length) else {
        return Answer::Whole;
    };
    if !range_applies(ask, validators, now_ms) {
        return Answer::Whole;
    }
    match wanted.resolve(total) {
        Resolved::Whole => Answer::Whole,
        Resolved::Part(range) => Answer::Part { range, total },
        Resolved::Parts(ranges) => Answer::Parts { ranges, total },
        Resolved::Unsatisfiable => Answer::Unsatisfiable { total },
    }
}

/// The ranges a GET asks for; `None` is to be answered whole. Only GET has ranges (RFC 9110 §14.2).
pub fn wanted_ranges(ask: &Ask) -> Option<RangeSet> {
    if ask.method != Method::GET {
        return None;
    }
    match sole_value(ask, &header::RANGE) {
        Sole::Value(value) => RangeSet::parse(value),
        Sole::Absent | Sole::Several => None,
    }
}

/// The range that a cache which slices by itself may be asked for.
///
/// `None` for several ranges, which are cut here: no engine of the Cache API answers them in parts.
/// `None` beside an `If-Range`: the local simulator of the Cache API does not look at it and would
/// slice a representation that the viewer has another version of. The whole is read there instead
/// and [`answer`] decides.
pub fn range_for_edge(ask: &Ask) -> Option<RangeSpec> {
    if ask.headers.contains_key(header::IF_RANGE) {
        return None;
    }
    wanted_ranges(ask)?.sole()
}

/// `If-Match`, or in its absence `If-Unmodified-Since`; `false` is 412.
fn still_ours(ask: &Ask, validators: Validators<'_>, now_ms: u64) -> bool {
    if ask.headers.contains_key(header::IF_MATCH) {
        return match sent_tags(ask, &header::IF_MATCH) {
            Some(SentTags::Any) => true,
            Some(SentTags::List(tags)) => {
                tags.iter().any(|tag| tag.matches_strongly(validators.etag))
            }
            None => false,
        };
    }
    match sent_date(ask, &header::IF_UNMODIFIED_SINCE, now_ms) {
        Some(since_s) => validators.last_modified_s <= since_s,
        None => true,
    }
}

/// `If-None-Match`, or in its absence `If-Modified-Since`; `true` is 304.
fn viewer_has_it(ask: &Ask, validators: Validators<'_>, now_ms: u64) -> bool {
    if ask.headers.contains_key(header::IF_NONE_MATCH) {
        return match sent_tags(ask, &header::IF_NONE_MATCH) {
            Some(SentTags::Any) => true,
            Some(SentTags::List(tags)) => {
                tags.iter().any(|tag| tag.matches_weakly(validators.etag))
            }
            None => false,
        };
    }
    match sent_date(ask, &header::IF_MODIFIED_SINCE, now_ms) {
        Some(since_s) => validators.last_modified_s <= since_s,
        None => false,
    }
}

/// `If-Range` (RFC 9110 §13.1.5); `true` in its absence.
fn range_applies(ask: &Ask, validators: Validators<'_>, now_ms: u64) -> bool {
    let value = match sole_value(ask, &header::IF_RANGE) {
        Sole::Absent => return true,
        Sole::Several => return false,
        Sole::Value(value) => value,
    };
    if let Some(tag) = SentTag::parse(value) {
        return tag.matches_strongly(validators.etag);
    }
    let exact = date::parse(value, now_ms / 1000) == Some(validators.last_modified_s);
    exact && is_strong_date(validators.last_modified_s, now_ms)
}

/// Whether the second of `last_modified_s` is over: until then the bytes could change once more and
/// keep their date (RFC 9110 §8.8.2.2).
fn is_strong_date(last_modified_s: u64, now_ms: u64) -> bool {
    now_ms / 1000 > last_modified_s
}

fn sent_tags<'a>(ask: &'a Ask, name: &HeaderName) -> Option<SentTags<'a>> {
    SentTags::parse(ask.headers.get_all(name).iter().map(HeaderValue::as_bytes))
}

fn sent_date(ask: &Ask, name: &HeaderName, now_ms: u64) -> Option<u64> {
    match sole_value(ask, name) {
        Sole::Value(value) => date::parse(value, now_ms / 1000),
        Sole::Absent | Sole::Several => None,
    }
}

/// The value of a header that may be given once.
enum Sole<'a> {
    Absent,
    Value(&'a [u8]),
    Several,
}

fn sole_value<'a>(ask: &'a Ask, name: &HeaderName) -> Sole<'a> {
    let mut values = ask.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Sole::Absent,
        (Some(value), None) => Sole::Value(value.as_bytes()),
        (Some(_), Some(_)) => Sole::Several,
    }
}

#[cfg(test)]
#[path = "conditional_tests.rs"]
mod tests;
