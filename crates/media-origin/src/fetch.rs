//! Fetching SOURCE over HTTP, with the platform's demands on an origin.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::http::{StatusCode, header};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tokio::io::AsyncWriteExt;

use crate::refusal::{Code, Refusal};
use crate::scratch::{Scratch, ScratchFile};

/// A SOURCE that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceUrl(Url);

impl SourceUrl {
    /// Reads the SOURCE part of a transformation URL, its query included.
    pub(crate) fn parse(text: &str, require_https: bool) -> Result<Self, Refusal> {
        let refused = |code, reason: &str| Err(Refusal::new(code, format!("source {reason}")));
        if !text.is_ascii() || text.contains(' ') {
            return refused(Code::SourceUrl, "has spaces or unescaped Unicode");
        }
        let Ok(url) = Url::parse(text) else {
            return refused(Code::Option, "is missing or not a full URL");
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return refused(Code::Option, "is not a full http or https URL");
        }
        if require_https && url.scheme() != "https" {
            return refused(Code::SourceUrl, "is not https");
        }
        if url.path().starts_with(crate::transform::PREFIX) {
            return refused(Code::Option, "is itself a transformation");
        }
        Ok(Self(url))
    }

    /// Its path, percent-encoded.
    pub(crate) fn path(&self) -> &str {
        self.0.path()
    }
}

/// A source that was fetched whole.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Its bytes.
    pub(crate) file: ScratchFile,
    /// What the origin called it.
    pub(crate) content_type: Option<header::HeaderValue>,
}

/// The client that fetches sources.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: reqwest::Client,
    source_bytes_max: u64,
}

impl Fetcher {
    /// A fetcher that takes sources of at most `source_bytes_max`.
    pub(crate) fn new(source_bytes_max: u64) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(FETCH_TIMEOUT)
            .redirect(Policy::limited(REDIRECTS_MAX))
            .dns_resolver(std::sync::Arc::new(Resolver))
            .no_proxy()
            .build()
            .map_err(|error| format!("the HTTP client cannot be made: {error}"))?;
        Ok(Self { client, source_bytes_max })
    }

    /// Fetches the whole source.
    ///
    /// One ranged GET: the platform demands that an origin answers HEAD or Range requests with
    /// `Content-Range`, and the size must be known before the bytes are taken.
    pub(crate) async fn fetch(
        &self,
        source: &SourceUrl,
        scratch: &Scratch,
    ) -> Result<Fetched, Refusal> {
        let mut response = self
            .client
            .get(source.0.clone())
            .header(header::RANGE, "bytes=0-")
            .send()
            .await
            .map_err(|error| unreached(&error))?;
        let bytes = promised_bytes(&response)?;
        if bytes >= self.source_bytes_max {
            let limit = self.source_bytes_max;
            let reason = format!("the source has {bytes} bytes; it must have less than {limit}");
            return Err(Refusal::new(Code::Source, reason));
        }
        let content_type = response.headers().get(header::CONTENT_TYPE).cloned();
        let file = scratch.file("source");
        let failed = |error: std::io::Error| Refusal::internal("the source cannot be kept", &error);
        let mut writer = tokio::fs::File::create(file.path()).await.map_err(failed)?;
        let mut left = bytes;
        while let Some(piece) = response.chunk().await.map_err(|error| broke_off(&error))? {
            left = u64::try_from(piece.len())
                .ok()
                .and_then(|length| left.checked_sub(length))
                .ok_or_else(|| Refusal::misbehaved("the origin sent more than it promised"))?;
            writer.write_all(&piece).await.map_err(failed)?;
        }
        writer.flush().await.map_err(failed)?;
        if left > 0 {
            let reason = format!("the origin sent {left} bytes less than it promised");
            return Err(Refusal::misbehaved(reason));
        }
        Ok(Fetched { file, content_type })
    }
}

/// The size of the source according to `Content-Range`, or why there is none.
fn promised_bytes(response: &reqwest::Response) -> Result<u64, Refusal> {
    let status = response.status();
    let answered = format!("the origin answered {}", status.as_u16());
    match status {
        StatusCode::PARTIAL_CONTENT => response
            .headers()
            .get(header::CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("bytes 0-")?.split_once('/'))
            // An origin that gives less than the total is found out when its bytes are counted.
            .and_then(|(_, total)| total.parse().ok())
            .ok_or_else(|| Refusal::misbehaved(format!("{answered} without a Content-Range"))),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(Refusal::new(Code::NotFound, answered)),
        // What an empty file answers to `bytes=0-`.
        StatusCode::RANGE_NOT_SATISFIABLE => {
            Err(Refusal::new(Code::NotAVideo, "the source is empty"))
        }
        other if other.is_client_error() => Err(Refusal::new(Code::OriginRefused, answered)),
        other if other.is_server_error() => Err(Refusal::new(Code::OriginFailed, answered)),
        _ => Err(Refusal::misbehaved(format!(
            "{answered} to a range request; it must answer 206 with Content-Range"
        ))),
    }
}

fn unreached(error: &reqwest::Error) -> Refusal {
    let causes = || std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    let reason = causes().last().map(ToString::to_string).unwrap_or_default();
    if causes().any(<dyn Error>::is::<Unresolved>) {
        return Refusal::new(Code::Dns, reason);
    }
    if error.is_redirect() {
        return Refusal::misbehaved(reason);
    }
    Refusal::new(Code::Unreachable, format!("the origin cannot be reached: {reason}"))
}

fn broke_off(error: &reqwest::Error) -> Refusal {
    if error.is_timeout() {
        return Refusal::new(Code::Unreachable, "the origin took too long");
    }
    Refusal::misbehaved(format!("the origin broke off: {error}"))
}

/// The system's resolver, with a failure that can be told from a refused connection.
#[derive(Debug)]
struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(found) => Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs),
                Err(_) => Err(Box::new(Unresolved(name.as_str().to_owned())) as _),
            }
        })
    }
}

#[derive(Debug)]
struct Unresolved(String);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host name {:?} does not resolve", self.0)
    }
}

impl Error for Unresolved {}

/// How this server calls itself towards origins.
const USER_AGENT: &str = concat!("media-origin/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);
const REDIRECTS_MAX: usize = 5;
