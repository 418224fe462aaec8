//! Entries in and out of the Cache API, checked at both ends.
//!
//! Every entry is kept as a whole 200 with its metadata in a header of its own, because the platform strips
//! `Cache-Tag` on the way back, and because a status other than 200 would be answered to a range as if it
//! were a video by some engines. The platform may slice an entry itself; it is never trusted to do so.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::entry::{Entry, Metadata, Outcome};
use super::freshness::Freshness;
use super::ports::{Body, EdgeCache, EdgeCopy, EdgeFound, Fault};
use super::reason::{NotKept, Unfit};
use super::{reply, tags};
use crate::http::conditional::{self, Answer};
use crate::http::range::{ContentRange, RangeSpec};
use crate::http::visible;
use crate::limits::EDGE_BODY_BYTES_MAX;
use crate::request::ask::Ask;

/// Carries the metadata of an entry in the Cache API; never sent to a viewer.
pub const METADATA_HEADER: HeaderName = HeaderName::from_static("x-resizer-entry");
/// Read by the platform, stripped before the viewer.
pub const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// What a look-up found, whole: fresh, or purged softly.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // one lives at a time, on the stack
pub enum Found<B> {
    /// A rendition.
    Rendition(Hit<B>),
    /// The memory that none could be made, and why.
    Failure(Metadata, Unfit),
}

/// A rendition at the edge, and how this request is answered from it.
#[derive(Debug)]
pub struct Hit<B> {
    /// What is known of it.
    pub metadata: Metadata,
    /// How it is answered.
    pub answer: Answer,
    /// Exactly the bytes of the answer.
    pub body: B,
}

/// Looks up an entry with one `match`; a second only where the platform finds the range unsatisfiable. `now` and `judge`
/// are asked after it.
pub async fn find<E: EdgeCache>(
    edge: &E,
    url: &str,
    ask: &Ask,
    budget_ms: u32,
    now: impl Fn() -> u64,
    judge: impl Fn(&mut Metadata) -> Freshness,
) -> Result<Option<Found<E::Body>>, Fault> {
    let range = conditional::range_for_edge(ask).map(RangeSpec::header_value);
    let Some(mut found) = edge.find(url, range.as_ref(), budget_ms).await? else { return Ok(None) };
    if found.status == 416 {
        // The platform's own refusal has none of our headers, so the entry is asked for once more, whole.
        found.body.discard();
        let Some(whole) = edge.find(url, None, budget_ms).await? else { return Ok(None) };
        found = whole;
    }
    let EdgeFound { status, metadata, length, content_range, body } = found;
    let mut metadata = match metadata.map(|text| Metadata::decode(&text)) {
        Some(Ok(metadata)) => metadata,
        Some(Err(fault)) => {
            body.discard();
            return Err(fault);
        }
        None => {
            body.discard();
            return Err(Fault::Corrupt("an entry without metadata"));
        }
    };
    // An aborted write may have been committed as far as it came.
    let is_short = status == 200 && length.is_some_and(|length| length != metadata.length);
    if is_short {
        body.discard();
        return Err(Fault::Corrupt("an entry shorter than it was"));
    }
    let now_ms = now();
    let was_fresh = now_ms < metadata.fresh_until_ms;
    match judge(&mut metadata) {
        Freshness::Fresh => {}
        // Only a soft purge ends a lifetime before its time.
        Freshness::Renewable if was_fresh => {}
        Freshness::Renewable | Freshness::Stale | Freshness::Dead => {
            body.discard();
            return Ok(None);
        }
    }
    if let Outcome::Failure(unfit) = metadata.outcome() {
        body.discard();
        return Ok(Some(Found::Failure(metadata, unfit)));
    }
    let validators = reply::validators(&metadata);
    let answer = conditional::answer(ask, validators, Some(metadata.length), now_ms);
    let body = cut(ask, &metadata, answer, status, content_range.as_deref(), body)?;
    Ok(Some(Found::Rendition(Hit { metadata, answer, body })))
}

/// Exactly the bytes of the answer, whether or not the platform has sliced already.
fn cut<B: Body>(
    ask: &Ask,
    metadata: &Metadata,
    answer: Answer,
    status: u16,
    content_range: Option<&str>,
    body: B,
) -> Result<B, Fault> {
    let wants_bytes = ask.method != http::Method::HEAD;
    match (answer, status) {
        (Answer::Whole | Answer::Part { .. } | Answer::Parts { .. }, 200) if wants_bytes => {
            Ok(reply::cut(metadata, answer, body))
        }
        (Answer::Part { range, total }, 206) if wants_bytes => {
            let sliced = content_range.and_then(|value| ContentRange::parse(value.as_bytes()));
            if sliced == Some(ContentRange::Part { range, total: Some(total) }) {
                Ok(body)
            } else {
                body.discard();
                Err(Fault::Corrupt("the platform sliced another range"))
            }
        }
        (Answer::Whole | Answer::Part { .. } | Answer::Parts { .. }, _) if wants_bytes => {
            body.discard();
            Err(Fault::Corrupt("the platform answered with another status"))
        }
        (
            Answer::Whole
            | Answer::Part { .. }
            | Answer::Parts { .. }
            | Answer::NotModified
            | Answer::PreconditionFailed
            | Answer::Unsatisfiable { .. },
            _,
        ) => {
            body.discard();
            Ok(B::empty())
        }
    }
}

/// Why an entry of this length and lifetime may not go to the Cache API; `None` when it may.
pub fn declines(length: Option<u64>, lifetime_s: u64) -> Option<NotKept> {
    if lifetime_s == 0 {
        return Some(NotKept::TtlTooShort);
    }
    length.filter(|length| *length > EDGE_BODY_BYTES_MAX).map(|_| NotKept::TooLarge)
}

/// Keeps an entry for what is left of its lifetime.
pub async fn keep<E: EdgeCache>(
    edge: &E,
    url: &str,
    entry: Entry<E::Body>,
    entry_tags: &[String],
    now_ms: u64,
    budget_ms: u32,
) -> Result<(), Fault> {
    let Entry { metadata, body } = entry;
    // Here every body is one piece.
    let metadata = Metadata { chunks: None, ..metadata };
    let left_s = metadata.fresh_until_ms.saturating_sub(now_ms) / 1000;
    let headers = match headers(&metadata, entry_tags, left_s) {
        Ok(headers) if left_s > 0 => headers,
        Ok(_) => {
            body.discard();
            return Ok(());
        }
        Err(fault) => {
            body.discard();
            return Err(fault);
        }
    };
    let copy = EdgeCopy { headers, length: metadata.length, body };
    let kept = edge.keep(url, copy, budget_ms).await;
    if kept == Err(Fault::BrokenOff) {
        edge.remove(url, budget_ms).await?;
    }
    kept
}

fn headers(metadata: &Metadata, entry_tags: &[String], left_s: u64) -> Result<HeaderMap, Fault> {
    let validators = reply::validators(metadata);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, visible(&metadata.content_type));
    headers.insert(header::ETAG, validators.etag.header_value());
    headers.insert(header::LAST_MODIFIED, crate::http::date::format(validators.last_modified_s));
    headers.insert(header::CACHE_CONTROL, visible(&format!("public, max-age={left_s}")));
    headers.insert(CACHE_TAG, visible(&tags::header_value(entry_tags)));
    let text = metadata.encode()?;
    let text = HeaderValue::from_str(&text).map_err(|_| Fault::Corrupt("metadata is not ASCII"))?;
    headers.insert(METADATA_HEADER, text);
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_takes_512_mb_and_a_second_and_nothing_beyond() {
        for (length, lifetime_s, declined) in [
            (Some(1), 1, None),
            (None, 1, None),
            (Some(512_000_000), 1, None),
            (Some(512_000_001), 1, Some(NotKept::TooLarge)),
            (Some(1), 0, Some(NotKept::TtlTooShort)),
        ] {
            assert_eq!(declines(length, lifetime_s), declined, "{length:?} {lifetime_s}");
        }
    }
}
