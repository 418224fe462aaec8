//! What purging asks of the platform, beside what the caches ask.
#![allow(async_fn_in_trait)] // its advice is about `Send`

use std::fmt;

use crate::cache::ports::Fault;

/// Cloudflare's own HTTP API (developers.cloudflare.com/api).
pub trait CloudflareApi {
    /// An HTTP error is an answer; no answer within the budget is a fault, and what was asked may have been done.
    async fn call(&self, call: &ApiCall) -> Result<ApiAnswer, Fault>;
}

/// One request to the API, as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCall {
    /// Absolute URL: `purge.apiUrl`, the path, a query.
    pub url: String,
    /// Sent as `Authorization: Bearer`.
    pub token: ApiToken,
    /// POST with this JSON; `None` is a GET.
    pub body: Option<String>,
    /// Milliseconds until the whole answer must be here.
    pub budget_ms: u32,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAnswer {
    /// Status code.
    pub status: u16,
    /// `Retry-After`, where it was a number of seconds.
    pub retry_after_s: Option<u64>,
    /// At most [`crate::limits::API_ANSWER_BYTES_MAX`]; JSON when all is well.
    pub body: String,
}

/// A secret that is sent and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken(String);

impl ApiToken {
    /// `None` for what no header can carry.
    pub fn new(secret: String) -> Option<Self> {
        let is_sendable = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
        is_sendable.then_some(Self(secret))
    }

    /// For the header, and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ApiToken(…)")
    }
}

/// Where isolates look for the ledger: one key in KV, which takes one write a second
/// (kv/platform/limits).
pub trait Mirror {
    /// Writes the ledger's text under [`super::MIRROR_KEY`], for ever. An error does not mean that nothing was
    /// written.
    async fn write(&self, text: &str, budget_ms: u32) -> Result<(), Fault>;

    /// What stands there; `None` where nothing was ever written. It may lag a write elsewhere by a minute.
    async fn read(&self, budget_ms: u32) -> Result<Option<String>, Fault>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_in_no_debug_output() {
        let token = ApiToken::new("s3cret".into()).unwrap();
        let call = ApiCall { url: String::new(), token, body: None, budget_ms: 1 };
        assert!(!format!("{call:?}").contains("s3cret"));
        assert_eq!(call.token.reveal(), "s3cret");
    }

    #[test]
    fn what_no_header_can_carry_is_no_token() {
        for secret in ["", "a b", "a\n", "é"] {
            assert_eq!(ApiToken::new(secret.into()), None, "{secret:?}");
        }
    }
}
