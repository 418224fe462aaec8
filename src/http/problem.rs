//! Errors as `application/problem+json` (RFC 9457).
//!
//! `type` is `tag:video-resizer,2026:` and the `code`: an identifier to compare, not an address to
//! open (RFC 4151). It does not depend on the host, never changes its meaning, and no path of the
//! video namespace has to be kept free for it. Clients that only look at `code` lose nothing.

use ::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::cors;
use super::field_value::visible;
use crate::document::{Document, Members};
use crate::json::Writer;
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
    pub extensions: Members,
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
        let mut extensions = of_request(request_id);
        match rejection {
            Rejection::Parameter { parameter, value, expected } => {
                extensions.put("parameter", Document::text(parameter));
                extensions.put("value", Document::text(value));
                extensions.put("expected", Document::text(expected));
            }
            Rejection::Duplicate { parameter } => {
                extensions.put("parameter", Document::text(parameter));
                extensions.put("expected", Document::text("one value"));
            }
            Rejection::QueryTooLong { bytes, bytes_max }
            | Rejection::PathTooLong { bytes, bytes_max } => {
                extensions.put("bytes", Document::count(*bytes));
                extensions.put("bytes_max", Document::count(*bytes_max));
            }
            Rejection::TooManyParameters { count_max } => {
                extensions.put("count_max", Document::count(*count_max));
            }
            Rejection::Method { method } => {
                extensions.put("method", Document::text(method));
            }
            Rejection::SignatureExpired { expires_s } => {
                extensions.put("expires", Document::number(*expires_s));
            }
            Rejection::NotAllowedHere { parameters, allowed } => {
                extensions.put("parameters", Document::texts(parameters));
                extensions.put("allowed", Document::text(allowed));
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
        let mut extensions = of_request(request_id);
        extensions.put("reason", Document::text(reason));
        if let Some(code) = upstream_code {
            extensions.put("upstream_code", Document::number(code.into()));
        }
        if let Some(seconds) = retry_after_s {
            extensions.put("retry_after", Document::number(seconds));
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
            extensions: of_request(request_id),
        }
    }

    /// The document for a viewer who asks for too much that has not been made.
    pub fn too_many_misses(request_id: &str, retry_after_s: u64) -> Self {
        let mut extensions = of_request(request_id);
        extensions.put("retry_after", Document::number(retry_after_s));
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "too-many-misses",
            title: "Too many renditions were asked for that are not made yet",
            detail: format!(
                "what has been made is still served; anything else may be asked for in {retry_after_s} s"
            ),
            instance: None,
            retry_after_s: Some(retry_after_s),
            extensions,
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
        let mut writer = Writer::default();
        writer.open('{');
        writer.name("type");
        writer.text(&format!("{TYPE_PREFIX}{}", self.code));
        writer.name("title");
        writer.text(self.title);
        writer.name("status");
        writer.number(self.status.as_u16().into());
        writer.name("detail");
        writer.text(&self.detail);
        if let Some(instance) = &self.instance {
            writer.name("instance");
            writer.text(instance);
        }
        writer.name("code");
        writer.text(self.code);
        for (name, value) in self.extensions.iter() {
            writer.name(name);
            writer.document(value.as_str());
        }
        writer.close('}');
        // None of these stands outside a string in JSON, so escaping the whole text is safe.
        writer.into_text().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
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

/// What every problem has.
fn of_request(request_id: &str) -> Members {
    let mut extensions = Members::default();
    extensions.put("request_id", Document::text(request_id));
    extensions
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
