//! Where a video may come from: origin rules, in order, and each rule's sources, in order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue, header};

use super::follow::origin_of;
use crate::cache::ports::{Fault, Secrets};
use crate::config::template::{Piece, REQUEST_ORIGIN, pieces};
use crate::config::{Origin, SourceAuth};
use crate::request::path::SourcePath;

/// A source of one particular video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its place in the rule.
    pub index: u8,
    /// The original's full URL.
    pub url: String,
    /// Credentials it wants, by name.
    pub auth: Option<SourceAuth>,
    /// Whether it lies on the request's own host, where this worker itself would answer.
    pub own_host: bool,
    /// What tells the transformer, which keeps what it made, that the source is not what it was.
    pub version: Option<String>,
}

impl Source {
    /// Whether the transformer cannot fetch it by itself: it would need credentials, or meet this worker.
    pub fn needs_relay(&self) -> bool {
        self.auth.is_some() || self.own_host
    }
}

/// The first rule whose pattern matches the path.
pub fn rule<'a>(origins: &'a [Origin], path: &SourcePath) -> Option<&'a Origin> {
    origins.iter().find(|origin| origin.pattern.is_match(path.as_str()))
}

/// Whether any source of a rule lies on this host, where this worker itself would answer.
///
/// The host is literal in a template, so it is the same for every video.
pub fn are_on_host(origin: &Origin, request_origin: &str) -> bool {
    let is_here = |url: &str| {
        let (host, path) = url.split_at_checked(request_origin.len()).unwrap_or_default();
        host.eq_ignore_ascii_case(request_origin) && path.starts_with('/')
    };
    let mut urls = origin.sources.iter().map(|source| &source.url);
    urls.any(|url| url.starts_with(REQUEST_ORIGIN) || is_here(url))
}

/// The sources of a video under a rule that matches its path, in the order they are tried.
pub fn locate(origin: &Origin, path: &SourcePath, request_origin: &str) -> Vec<Source> {
    let Some(captures) = origin.pattern.captures(path.as_str()) else { return Vec::new() };
    (0..)
        .zip(&origin.sources)
        .filter_map(|(index, source)| {
            // The host is literal in a template, so nothing captured from a path can choose where we connect.
            let pieces = pieces(&source.url).ok()?;
            let capture = |capture: Option<regex_lite::Match<'_>>| {
                capture.map_or(String::new(), |capture| capture.as_str().to_owned())
            };
            let url: String = pieces
                .into_iter()
                .map(|piece| match piece {
                    Piece::RequestOrigin => request_origin.to_owned(),
                    Piece::Literal(text) => text.to_owned(),
                    Piece::Index(index) => capture(captures.get(index)),
                    Piece::Name(name) => capture(captures.name(name)),
                })
                .collect();
            let own_host = origin_of(&url).eq_ignore_ascii_case(request_origin);
            Some(Source { index, url, auth: source.auth.clone(), own_host, version: None })
        })
        .collect()
}

/// The header that carries a source's credentials.
pub fn credentials(
    auth: &SourceAuth,
    secrets: &impl Secrets,
) -> Result<(HeaderName, HeaderValue), Fault> {
    let (name, secret, value) = match auth {
        SourceAuth::Bearer { secret } => {
            (header::AUTHORIZATION, secret, read(secrets, secret)?.trim().to_owned())
        }
        SourceAuth::Basic { secret } => {
            (header::AUTHORIZATION, secret, BASE64.encode(read(secrets, secret)?.trim()))
        }
        SourceAuth::Header { header, secret } => {
            let name = HeaderName::from_bytes(header.as_bytes())
                .map_err(|_| Fault::Corrupt("header name of a source"))?;
            (name, secret, read(secrets, secret)?.trim().to_owned())
        }
    };
    let value = match auth {
        SourceAuth::Bearer { .. } => format!("Bearer {value}"),
        SourceAuth::Basic { .. } => format!("Basic {value}"),
        SourceAuth::Header { .. } => value,
    };
    let mut value =
        HeaderValue::from_str(&value).map_err(|_| Fault::SecretMissing(secret.clone()))?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn read(secrets: &impl Secrets, name: &str) -> Result<String, Fault> {
    secrets.secret(name).ok_or_else(|| Fault::SecretMissing(name.to_owned()))
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
