//! Why a call of the operator's API is not done: each as one problem document that names what is wrong.

use ::http::{HeaderValue, StatusCode, header};

use crate::cache::ports::{Body, Fault, Reply};
use crate::cache::reply;
use crate::config::ConfigError;
use crate::document::{Document, List, Members, Object};
use crate::http::problem::Problem;
use crate::http::visible;
use crate::limits::ADMIN_BODY_BYTES_MAX;
use crate::request::ask::Ask;

/// Why a call is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is here, or nothing for this visitor.
    NotFound,
    /// The token is missing or wrong.
    Unauthorized,
    /// The token is for looking only.
    Forbidden,
    /// The path has other methods.
    Method {
        /// Which.
        allow: String,
    },
    /// Too many calls.
    TooMany {
        /// Seconds until the next may be let in.
        retry_after_s: u64,
    },
    /// The body is longer than [`ADMIN_BODY_BYTES_MAX`].
    TooLarge,
    /// The body does not say that it is JSON.
    NotJson,
    /// Something given cannot be used.
    Invalid(Vec<Wrong>),
    /// The configuration is a bad one.
    InvalidConfiguration(Vec<Wrong>),
    /// What the caller has seen is no longer so.
    PreconditionFailed {
        /// The entity tag that would have matched.
        etag: String,
    },
    /// Something of the deployment is missing or does not answer.
    Unavailable {
        /// Name of the binding.
        binding: &'static str,
        /// What it said.
        fault: Fault,
    },
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where: `/tags/3` in the body (RFC 6901), `limit` in the query, a key of the configuration.
    pub at: String,
    /// What, and what would be right.
    pub detail: String,
}

impl Wrong {
    /// One thing that is wrong.
    pub fn new(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { at: at.into(), detail: detail.into() }
    }

    /// As JSON.
    pub fn json(&self) -> Document {
        let mut wrong = Object::default();
        wrong.text("at", &self.at);
        wrong.text("detail", &self.detail);
        wrong.end()
    }
}

impl From<&ConfigError> for Wrong {
    fn from(error: &ConfigError) -> Self {
        let ConfigError { key, found, wanted, advice } = error;
        Self::new(key.clone(), format!("{found} is not {wanted}; {advice}"))
    }
}

impl Refusal {
    /// One thing that is wrong with what was given.
    pub fn invalid(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Wrong::new(at, detail)])
    }

    /// The answer, with what belongs to its status beside the document.
    pub fn reply<B: Body>(&self, ask: &Ask, request_id: &str) -> Reply<B> {
        let mut reply = reply::problem(&self.problem(ask, request_id), None);
        match self {
            Self::Unauthorized => {
                let challenge = HeaderValue::from_static("Bearer");
                reply.headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::Method { allow } => {
                reply.headers.insert(header::ALLOW, visible(allow));
            }
            Self::PreconditionFailed { etag } => {
                reply.headers.insert(header::ETAG, visible(etag));
            }
            Self::NotFound
            | Self::Forbidden
            | Self::TooMany { .. }
            | Self::TooLarge
            | Self::NotJson
            | Self::Invalid(_)
            | Self::InvalidConfiguration(_)
            | Self::Unavailable { .. } => {}
        }
        reply
    }

    fn problem(&self, ask: &Ask, request_id: &str) -> Problem {
        let (status, code, title, detail) = self.words();
        if *self == Self::NotFound {
            // As for every path of this worker's own: nobody learns from it what is here for others.
            return Problem::not_found(request_id);
        }
        let mut extensions = Members::default();
        extensions.put("request_id", Document::text(request_id));
        match self {
            Self::Invalid(errors) | Self::InvalidConfiguration(errors) => {
                let mut list = List::default();
                for error in errors {
                    list.document(&error.json());
                }
                extensions.put("errors", list.end());
            }
            Self::Unavailable { binding, .. } => {
                extensions.put("binding", Document::text(binding));
            }
            Self::NotFound
            | Self::Unauthorized
            | Self::Forbidden
            | Self::Method { .. }
            | Self::TooMany { .. }
            | Self::TooLarge
            | Self::NotJson
            | Self::PreconditionFailed { .. } => {}
        }
        let retry_after_s =
            if let Self::TooMany { retry_after_s } = self { Some(*retry_after_s) } else { None };
        let instance = Some(ask.path.clone());
        Problem { status, code, title, detail, instance, retry_after_s, extensions }
    }

    fn words(&self) -> (StatusCode, &'static str, &'static str, String) {
        match self {
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "not-found", "There is nothing here", String::new())
            }
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "A token is needed",
                "send Authorization: Bearer with an admin token".to_owned(),
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "forbidden",
                "The token may only look",
                "this call needs the token of full scope".to_owned(),
            ),
            Self::Method { allow } => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The method is not served",
                format!("this path takes {allow}"),
            ),
            Self::TooMany { retry_after_s } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "There are too many calls",
                format!("ask again in {retry_after_s} s"),
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too long",
                format!("at most {ADMIN_BODY_BYTES_MAX} bytes are read"),
            ),
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "The body is of another type",
                "send JSON with Content-Type: application/json".to_owned(),
            ),
            Self::Invalid(errors) => {
                (StatusCode::BAD_REQUEST, "invalid", "Something given cannot be used", told(errors))
            }
            Self::InvalidConfiguration(errors) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-configuration",
                "The configuration is a bad one",
                told(errors),
            ),
            Self::PreconditionFailed { etag } => (
                StatusCode::PRECONDITION_FAILED,
                "precondition-failed",
                "It has changed meanwhile",
                format!("the current entity tag is {etag}"),
            ),
            Self::Unavailable { binding, fault } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "A part of the deployment is missing or does not answer",
                format!("{binding}: {fault}"),
            ),
        }
    }
}

/// The first of them, and how many more there are.
fn told(errors: &[Wrong]) -> String {
    let first = errors.first().map(|error| format!("{}: {}", error.at, error.detail));
    let first = first.unwrap_or_default();
    match errors.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more)", count - 1),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn who_calls_too_often_is_told_when_to_come_again() {
        let ask = Ask {
            method: ::http::Method::GET,
            scheme: "https".into(),
            host: "v.example".into(),
            path: "/_resizer/health".into(),
            query: String::new(),
            headers: ::http::HeaderMap::new(),
        };
        let problem = Refusal::TooMany { retry_after_s: 7 }.problem(&ask, "id");
        assert_eq!(problem.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(problem.headers(None).get(header::RETRY_AFTER).unwrap(), "7");
    }

    #[test]
    fn of_many_errors_the_first_is_told_and_all_are_listed() {
        let errors = vec![Wrong::new("/a", "no"), Wrong::new("/b", "no"), Wrong::new("/c", "no")];
        assert_eq!(told(&errors), "/a: no (and 2 more)");
        assert_eq!(told(errors.get(..1).unwrap()), "/a: no");
    }
}
