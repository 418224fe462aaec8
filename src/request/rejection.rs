//! Why a request is refused: for the viewer, without internals.

use http::StatusCode;
use thiserror::Error;

/// A request that is refused before anything is fetched or stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    /// A parameter's value cannot be used.
    #[error("{parameter}={value} is not possible: {expected}")]
    Parameter {
        /// The parameter as the viewer spelled it.
        parameter: String,
        /// The value as given, shortened to [`crate::limits::SHOWN_VALUE_CHARS_MAX`].
        value: String,
        /// What would have been accepted: bounds, words or syntax.
        expected: String,
    },
    /// The same parameter was given more than once with different values.
    #[error("{parameter} is given more than once")]
    Duplicate {
        /// The parameter's canonical name.
        parameter: String,
    },
    /// The query is longer than [`crate::limits::QUERY_BYTES_MAX`].
    #[error("the query has {bytes} bytes; at most {bytes_max} are read")]
    QueryTooLong {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// More than [`crate::limits::QUERY_PARAMETERS_MAX`] parameters.
    #[error("the query has more than {count_max} parameters")]
    TooManyParameters {
        /// Parameters allowed.
        count_max: usize,
    },
    /// The path cannot name a video.
    #[error("the path is not possible: {reason}")]
    Path {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The path is longer than [`crate::limits::PATH_BYTES_MAX`].
    #[error("the path has {bytes} bytes; at most {bytes_max} are read")]
    PathTooLong {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// No origin rule matches the path.
    #[error("no origin is configured for this path")]
    NoOrigin,
    /// Only GET, HEAD and OPTIONS are served.
    #[error("{method} is not served here")]
    Method {
        /// The method as sent.
        method: String,
    },
    /// The origin asks for a signed URL, and this one has no signature.
    #[error("the URL is not signed")]
    SignatureMissing,
    /// The signature is not one that this URL can have.
    #[error("the signature does not count: {reason}")]
    SignatureInvalid {
        /// What is wrong with it, as far as a stranger may know.
        reason: &'static str,
    },
    /// The URL was signed, and has ended.
    #[error("the URL ended at {expires_s} seconds since 1970")]
    SignatureExpired {
        /// Its `exp`.
        expires_s: u64,
    },
    /// The origin lets nobody choose this.
    #[error("{} may not be chosen here: {allowed}", .parameters.join(", "))]
    NotAllowedHere {
        /// Canonical names of what was chosen.
        parameters: Vec<&'static str>,
        /// What would be answered.
        allowed: &'static str,
    },
    /// The request has already been through this worker.
    #[error(
        "the request came back to this worker: its source must not be on a route of the worker"
    )]
    Loop,
}

impl Rejection {
    /// The status the viewer gets.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Parameter { .. }
            | Self::Duplicate { .. }
            | Self::TooManyParameters { .. }
            | Self::Path { .. } => StatusCode::BAD_REQUEST,
            Self::QueryTooLong { .. } | Self::PathTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::NoOrigin => StatusCode::NOT_FOUND,
            Self::SignatureMissing
            | Self::SignatureInvalid { .. }
            | Self::SignatureExpired { .. }
            | Self::NotAllowedHere { .. } => StatusCode::FORBIDDEN,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Loop => StatusCode::LOOP_DETECTED,
        }
    }

    /// A stable name for machines: the `code` of the problem document.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Parameter { .. } => "parameter-invalid",
            Self::Duplicate { .. } => "parameter-duplicate",
            Self::QueryTooLong { .. } => "query-too-long",
            Self::TooManyParameters { .. } => "parameters-too-many",
            Self::Path { .. } => "path-invalid",
            Self::PathTooLong { .. } => "path-too-long",
            Self::NoOrigin => "no-origin",
            Self::Method { .. } => "method-not-allowed",
            Self::SignatureMissing => "signature-missing",
            Self::SignatureInvalid { .. } => "signature-invalid",
            Self::SignatureExpired { .. } => "signature-expired",
            Self::NotAllowedHere { .. } => "not-allowed-here",
            Self::Loop => "loop",
        }
    }
}
