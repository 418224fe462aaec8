//! Errors as `application/problem+json` (RFC 9457).
//!
//! `type` is `tag:video-resizer,2026:` and the `code`: an identifier to compare, not an address to
//! open (RFC 4151). It does not depend on the host, never changes its meaning, and no path of the
//! video namespace has to be kept free for it. Clients that only look at `code` lose nothing.

use std::collections::BTreeMap;

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::cors;
use super::field_value::visible;
use crate::request::rejection::Rejection;

/// What every `type` begins with.
pub const TYPE_PREFIX: &str = "tag:video-resizer,2026:";

/// The media type of the body.
pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The `code` of every failure to make a rendition; `reason` tells them apart.
const UPSTREAM_CODE: &str = "rendition-failed";

/// One error, for a viewer and for the machine that reads it; no internals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status of the answer, repeated in the body.
    pub status: StatusCode,
    /// A stable name for machines: [`Rejection::code`] or `rendition-failed`.
    pub code: &'static str,
    /// What kind of problem it is: the same for every occurrence.
    pub title: &'static str,
    /// What is wrong with this request.
    pub detail: String,
    /// This occurrence: a URI reference, such as the path that was asked.
    pub instance: Option<String>,
    /// Seconds after which asking again may help; also the `Retry-After` header.
    pub retry_after_s: Option<u64>,
    /// Further members of the document, in the order of their names.
    pub extensions: BTreeMap<&'static str, Value>,
}

/// Why no rendition could be made, as far as a viewer may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamFailure<'a> {
    /// The status the viewer gets.
    pub status: StatusCode,
    /// The name of the verdict, as in logs and `Cache-Status`.
    pub reason: &'static str,
    /// The transformation's own code, such as 9404, where it gave one.
    pub upstream_code: Option<u16>,
    /// Names this request in the logs.
    pub request_id: &'a str,
    /// Seconds after which asking again may help.
    pub retry_after_s: Option<u64>,
}

impl Problem {
    /// The document for a request that is refused.
    pub fn rejected(rejection: &Rejection, request_id: &str) -> Self {
        let mut extensions = BTreeMap::from([("request_id", Value::from(request_id))]);
        match rejection {
            Rejection::Parameter { parameter, value, expected } => {
                extensions.insert("parameter", Value::from(parameter.as_str()));
                extensions.insert("value", Value::from(value.as_str()));
                extensions.insert("expected", Value::from(expected.as_str()));
            }
            Rejection::Duplicate { parameter } => {
                extensions.insert("parameter", Value::from(parameter.as_str()));
                extensions.insert("expected", Value::from("one value"));
            }
            Rejection::QueryTooLong { bytes, bytes_max }
            | Rejection::PathTooLong { bytes, bytes_max } => {
                extensions.insert("bytes", Value::from(*bytes));
                extensions.insert("bytes_max", Value::from(*bytes_max));
            }
            Rejection::TooManyParameters { count_max } => {
                extensions.insert("count_max", Value::from(*count_max));
            }
            Rejection::Method { method } => {
                extensions.insert("method", Value::from(method.as_str()));
            }
            Rejection::SignatureExpired { expires_s } => {
                extensions.insert("expires", Value::from(*expires_s));
            }
            Rejection::NotAllowedHere { parameters, allowed } => {
                extensions.insert("parameters", Value::from(parameters.as_slice()));
                extensions.insert("allowed", Value::from(*allowed));
            }
            Rejection::Path { .. }
            | Rejection::NoOrigin
            | Rejection::SignatureMissing
            | Rejection::SignatureInvalid { .. }
            | Rejection::Loop => {}
        }
        Self {
            status: rejection.status(),
            code: rejection.code(),
            title: title(rejection),
            detail: rejection.to_string(),
            instance: None,
            retry_after_s: None,
            extensions,
        }
    }

    /// The document for a rendition that could not be made.
    pub fn upstream(failure: &UpstreamFailure<'_>) -> Self {
        let &UpstreamFailure { status, reason, upstream_code, request_id, retry_after_s } = failure;
        let mut extensions = BTreeMap::from([
            ("reason", Value::from(reason)),
            ("request_id", Value::from(request_id)),
        ]);
        if let Some(code) = upstream_code {
            extensions.insert("upstream_code", Value::from(code));
        }
        if let Some(seconds) = retry_after_s {
            extensions.insert("retry_after", Value::from(seconds));
        }
        Self {
            status,
            code: UPSTREAM_CODE,
            title: "The rendition could not be made",
            detail: match upstream_code {
                Some(code) => format!("the transformation failed: {reason} (error {code})"),
                None => format!("the transformation failed: {reason}"),
            },
            instance: None,
            retry_after_s,
            extensions,
        }
    }

    /// The document for a path of this worker's own that does not exist, or not for this viewer.
    pub fn not_found(request_id: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "not-found",
            title: "There is nothing here",
            detail: "nothing is served at this path".to_owned(),
            instance: None,
            retry_after_s: None,
            extensions: BTreeMap::from([("request_id", Value::from(request_id))]),
        }
    }

    /// The document for a viewer who asks for too much that has not been made.
    pub fn too_many_misses(request_id: &str, retry_after_s: u64) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "too-many-misses",
            title: "Too many renditions were asked for that are not made yet",
            detail: format!(
                "what has been made is still served; anything else may be asked for in {retry_after_s} s"
            ),
            instance: None,
            retry_after_s: Some(retry_after_s),
            extensions: BTreeMap::from([
                ("request_id", Value::from(request_id)),
                ("retry_after", Value::from(retry_after_s)),
            ]),
        }
    }

    /// The same problem, said to have happened at `instance`.
    #[must_use]
    pub fn at(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// The document: JSON, the standard members first, then `code`, then the extensions.
    ///
    /// The same problem has the same bytes. `<`, `>` and `&` are escaped, so a browser that guesses
    /// at types finds no markup in a viewer's own text.
    pub fn body(&self) -> String {
        let mut members = vec![
            ("type", Value::from(format!("{TYPE_PREFIX}{}", self.code))),
            ("title", Value::from(self.title)),
            ("status", Value::from(self.status.as_u16())),
            ("detail", Value::from(self.detail.as_str())),
        ];
        members.extend(self.instance.as_deref().map(|at| ("instance", Value::from(at))));
        members.push(("code", Value::from(self.code)));
        members.extend(self.extensions.iter().map(|(name, value)| (*name, value.clone())));
        let members: Vec<_> =
            members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        // None of these stands outside a string in JSON, so escaping the whole text is safe.
        format!("{{{}}}", members.join(","))
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    }

    /// The headers of the answer, without its length.
    ///
    /// `fresh_s` is how many seconds it may be kept; `None` is not at all.
    pub fn headers(&self, fresh_s: Option<u64>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(
            header::CACHE_CONTROL,
            match fresh_s {
                Some(seconds) => visible(&format!("public, max-age={seconds}")),
                None => HeaderValue::from_static("no-store"),
            },
        );
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, cors::METHODS);
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers
    }
}

fn title(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Parameter { .. } => "A parameter cannot be used",
        Rejection::Duplicate { .. } => "A parameter is given more than once",
        Rejection::QueryTooLong { .. } => "The query is too long",
        Rejection::TooManyParameters { .. } => "There are too many parameters",
        Rejection::Path { .. } => "The path cannot name a video",
        Rejection::PathTooLong { .. } => "The path is too long",
        Rejection::NoOrigin => "No origin is configured for this path",
        Rejection::Method { .. } => "The method is not served",
        Rejection::SignatureMissing => "The URL must be signed",
        Rejection::SignatureInvalid { .. } => "The signature does not count",
        Rejection::SignatureExpired { .. } => "The signed URL has ended",
        Rejection::NotAllowedHere { .. } => "This may not be chosen here",
        Rejection::Loop => "The request came back to this worker",
    }
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
