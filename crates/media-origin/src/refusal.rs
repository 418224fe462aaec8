//! Why a transformation was refused, in the platform's own codes.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

/// An error of the transformation: a code of the platform and a sentence for whoever debugs.
///
/// The platform documents the codes, not the status of each; the statuses are ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: Code,
    status: StatusCode,
    reason: String,
}

/// The error codes of Media Transformations that this stand-in produces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// An option is missing or invalid.
    Option = 9401,
    /// The source is too large, or its origin misbehaved.
    Source = 9402,
    /// The source does not exist.
    NotFound = 9404,
    /// The source is not HTTPS, or has spaces or unescaped Unicode.
    SourceUrl = 9406,
    /// The name of the source's host did not resolve.
    Dns = 9407,
    /// The origin answered 4xx.
    OriginRefused = 9408,
    /// The source is not a video.
    NotAVideo = 9412,
    /// The origin could not be reached in time.
    Unreachable = 9504,
    /// The origin answered 5xx.
    OriginFailed = 9509,
    /// Something of our own went wrong.
    Internal = 9517,
}

impl Refusal {
    /// A refusal with the usual status of its code.
    pub(crate) fn new(code: Code, reason: impl Into<String>) -> Self {
        let status = match code {
            Code::Option | Code::SourceUrl => StatusCode::BAD_REQUEST,
            Code::Source => StatusCode::PAYLOAD_TOO_LARGE,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::OriginRefused => StatusCode::FORBIDDEN,
            Code::NotAVideo => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::Dns | Code::OriginFailed => StatusCode::BAD_GATEWAY,
            Code::Unreachable => StatusCode::GATEWAY_TIMEOUT,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { code, status, reason: reason.into() }
    }

    /// The origin broke its own promise: 9402 like a source too large, but nobody's limit.
    pub(crate) fn misbehaved(reason: impl Into<String>) -> Self {
        Self { code: Code::Source, status: StatusCode::BAD_GATEWAY, reason: reason.into() }
    }

    /// A failure of our own, with what failed.
    pub(crate) fn internal(what: &str, error: &dyn std::fmt::Display) -> Self {
        Self::new(Code::Internal, format!("{what}: {error}"))
    }

    /// The code, as it is written in `Cf-Resized`.
    pub(crate) fn code(&self) -> u16 {
        self.code as u16
    }

    /// The answer a client sees: the code in the body and in `Cf-Resized`.
    pub(crate) fn response(&self) -> Response<Body> {
        error_response(self.status, self.code(), &self.reason)
    }
}

/// An error as the platform shows it; the status is apart because a 200 may carry an error too.
pub(crate) fn error_response(status: StatusCode, code: u16, reason: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("ERROR {code}: {reason}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Ok(value) = HeaderValue::try_from(format!("err={code}")) {
        headers.insert("cf-resized", value);
    }
    response
}
