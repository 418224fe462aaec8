//! Whether a source is still what a rendition was made of (RFC 9110, 13).

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::cache::entry::SourceState;
use crate::cache::key;
use crate::limits::SOURCE_VALIDATOR_BYTES_MAX;

/// What a source answered to the question whether it has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revalidation {
    /// It has not.
    Unchanged,
    /// It has, or it says too little to be sure. What it is now, where it tells.
    Changed(Option<SourceState>),
    /// It did not answer the question, and may be as it was.
    Unknown,
}

/// What the headers of a source say of it; `None` where they say nothing it could be known again by.
pub fn state_of(headers: &HeaderMap) -> Option<SourceState> {
    let text = |name: HeaderName| {
        let text = headers.get(name)?.to_str().ok()?;
        (text.len() <= SOURCE_VALIDATOR_BYTES_MAX).then(|| text.to_owned())
    };
    let state =
        SourceState { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) };
    (state != SourceState::default()).then_some(state)
}

/// The headers that ask a source whether it is still in this state.
pub fn conditions(state: &SourceState) -> Vec<(HeaderName, HeaderValue)> {
    let conditions =
        [(header::IF_NONE_MATCH, &state.etag), (header::IF_MODIFIED_SINCE, &state.last_modified)];
    let value = |value: &Option<String>| HeaderValue::from_str(value.as_deref()?).ok();
    conditions.into_iter().filter_map(|(name, text)| Some((name, value(text)?))).collect()
}

/// What an answer to those conditions means. A server that knows no conditions says 200, and is held to what
/// it says of itself: the entity tag where it has one, else the date.
pub fn judge(state: &SourceState, status: u16, headers: &HeaderMap) -> Revalidation {
    match status {
        304 => Revalidation::Unchanged,
        200 => {
            let now = state_of(headers);
            let is_same = now.as_ref().is_some_and(|now| match (&state.etag, &now.etag) {
                (Some(then), Some(now)) => then == now,
                (None, None) => then_date(state) == then_date(now),
                (Some(_), None) | (None, Some(_)) => false,
            });
            if is_same { Revalidation::Unchanged } else { Revalidation::Changed(now) }
        }
        404 | 410 => Revalidation::Changed(None),
        _ => Revalidation::Unknown,
    }
}

/// A short name of a state, the same wherever it is seen: 16 hex digits.
pub fn version(state: &SourceState) -> String {
    let text = format!("{:?} {:?}", state.etag, state.last_modified);
    let mut digest = key::digest_128(&text);
    digest.truncate(16);
    digest
}

fn then_date(state: &SourceState) -> Option<&str> {
    state.last_modified.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pairs =
            pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        pairs.collect()
    }

    fn state(etag: Option<&str>, last_modified: Option<&str>) -> SourceState {
        SourceState {
            etag: etag.map(str::to_owned),
            last_modified: last_modified.map(str::to_owned),
        }
    }

    const MONDAY: &str = "Mon, 02 Nov 2026 00:00:00 GMT";
    const TUESDAY: &str = "Tue, 03 Nov 2026 00:00:00 GMT";

    #[test]
    fn a_source_is_known_again_by_its_validators_and_by_nothing_else() {
        let told = headers(&[(header::ETAG, "W/\"a\""), (header::LAST_MODIFIED, MONDAY)]);
        assert_eq!(state_of(&told), Some(state(Some("W/\"a\""), Some(MONDAY))));
        assert_eq!(state_of(&headers(&[(header::CONTENT_LENGTH, "7")])), None);
        let long: &'static str = "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"";
        assert_eq!(state_of(&headers(&[(header::ETAG, long)])), None);
    }

    #[test]
    fn a_source_is_asked_with_every_validator_it_has() {
        let conditions = conditions(&state(Some("\"a\""), Some(MONDAY)));
        let names: Vec<_> = conditions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["if-none-match", "if-modified-since"]);
        assert_eq!(super::conditions(&state(None, Some(MONDAY))).len(), 1);
    }

    #[test]
    fn every_answer_of_a_source_has_its_meaning() {
        let both = state(Some("\"a\""), Some(MONDAY));
        let dated = state(None, Some(MONDAY));
        let tag = |tag| headers(&[(header::ETAG, tag)]);
        let date = |date| headers(&[(header::LAST_MODIFIED, date)]);
        for (then, status, now, meaning) in [
            (&both, 304, headers(&[]), Revalidation::Unchanged),
            (&both, 200, tag("\"a\""), Revalidation::Unchanged),
            (&both, 200, tag("\"b\""), Revalidation::Changed(Some(state(Some("\"b\""), None)))),
            (&both, 200, date(MONDAY), Revalidation::Changed(Some(dated.clone()))),
            (&both, 200, headers(&[]), Revalidation::Changed(None)),
            (&dated, 200, date(MONDAY), Revalidation::Unchanged),
            (&dated, 200, date(TUESDAY), Revalidation::Changed(Some(state(None, Some(TUESDAY))))),
            (&dated, 200, headers(&[]), Revalidation::Changed(None)),
            (&both, 404, headers(&[]), Revalidation::Changed(None)),
            (&both, 410, headers(&[]), Revalidation::Changed(None)),
            (&both, 403, headers(&[]), Revalidation::Unknown),
            (&both, 405, headers(&[]), Revalidation::Unknown),
            (&both, 503, headers(&[]), Revalidation::Unknown),
        ] {
            assert_eq!(judge(then, status, &now), meaning, "{then:?} {status} {now:?}");
        }
    }
}
