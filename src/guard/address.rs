//! A strict reading of an absolute URL, as the platform's `fetch` understands it, or a refusal.
//!
//! `fetch` reads URLs by the WHATWG standard, which takes `http:\\0x7f.1` for `http://127.0.0.1/`. Where that
//! standard would mend, guess or decode, this refuses; and what is fetched is [`Address::url`], the spelling that was
//! checked. The `url` crate would do the same and bring its tables of all scripts; the tests hold this to it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::refusal::Refusal;
use crate::limits::ADDRESS_BYTES_MAX;
use crate::request::path::escaped;

/// Bytes of a host name (RFC 1035 2.3.4, as text).
const HOST_BYTES_MAX: usize = 253;
/// Bytes of one label of a host name (RFC 1035 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// Begins a label that stands for another script (RFC 5890 2.3.2.1).
const ACE_PREFIX: &str = "xn--";

/// An absolute `http` or `https` URL that every reader reads alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    is_secure: bool,
    host: Host,
    port: u16,
    path: String,
    /// With its `?`; empty where there is none.
    query: String,
}

/// Who is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// In lower case, without a final dot.
    Name(String),
    /// Four decimal numbers.
    V4(Ipv4Addr),
    /// Without a zone.
    V6(Ipv6Addr),
}

impl Address {
    /// Reads a URL. A fragment is left out: it is never sent.
    pub fn parse(url: &str) -> Result<Self, Refusal> {
        let parts = Parts::cut(url)?;
        parts.address(parts.path.to_owned())
    }

    /// Reads where a redirect from here leads (RFC 3986, 5.2).
    pub fn join(&self, location: &str) -> Result<Self, Refusal> {
        let location = without_fragment(location);
        let text = if has_scheme(location) {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{}:{location}", self.scheme())
        } else if location.starts_with('/') {
            format!("{}{location}", self.origin())
        } else if location.starts_with('?') {
            format!("{}{}{location}", self.origin(), self.path)
        } else if location.is_empty() {
            self.url()
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{}{folder}/{location}", self.origin())
        };
        let parts = Parts::cut(&text)?;
        parts.address(without_dot_segments(parts.path))
    }

    /// Whether it is asked over https.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Who is connected to.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The path; at least `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether both have the same scheme, host and port.
    pub fn is_same_origin(&self, other: &Self) -> bool {
        self.is_secure == other.is_secure && self.host == other.host && self.port == other.port
    }

    /// `https://host`, with the port where it is not the scheme's own.
    pub fn origin(&self) -> String {
        let default = if self.is_secure { 443 } else { 80 };
        let (scheme, host, port) = (self.scheme(), &self.host, self.port);
        if port == default {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        }
    }

    /// The whole of it.
    pub fn url(&self) -> String {
        format!("{}{}{}", self.origin(), self.path, self.query)
    }

    fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::V4(address) => write!(out, "{address}"),
            Self::V6(address) => write!(out, "[{address}]"),
        }
    }
}

/// A URL cut apart; only its characters have been looked at.
struct Parts<'a> {
    is_secure: bool,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn cut(url: &'a str) -> Result<Self, Refusal> {
        if url.len() > ADDRESS_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let url = without_fragment(url);
        if !url.chars().all(is_url_char) {
            return Err(Refusal::Spelling);
        }
        let (scheme, rest) = url.split_once("://").ok_or(Refusal::Scheme)?;
        let is_secure = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ => return Err(Refusal::Scheme),
        };
        let (authority, target) = cut_before(rest, &['/', '?']);
        let (path, query) = cut_before(target, &['?']);
        Ok(Self { is_secure, authority, path, query })
    }

    fn address(&self, path: String) -> Result<Address, Refusal> {
        let &Self { is_secure, authority, query, .. } = self;
        if authority.contains('@') {
            return Err(Refusal::UserInfo);
        }
        let host_bytes = match authority.rfind(']') {
            Some(end) => end + 1,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (host, port) = authority.split_at_checked(host_bytes).ok_or(Refusal::Host)?;
        let (host, port) = (host_of(host)?, port_of(port, is_secure)?);
        if has_dot_segment(&path) {
            return Err(Refusal::DotSegment);
        }
        let path = if path.is_empty() { "/".to_owned() } else { path };
        Ok(Address { is_secure, host, port, path, query: query.to_owned() })
    }
}

fn host_of(text: &str) -> Result<Host, Refusal> {
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return inner.parse().map(Host::V6).map_err(|_| Refusal::Host);
    }
    if let Ok(address) = text.parse() {
        return Ok(Host::V4(address));
    }
    let name = text.to_ascii_lowercase();
    if name.len() > HOST_BYTES_MAX || !name.split('.').all(is_label) {
        return Err(Refusal::Host);
    }
    // Whatever ends in a number is read as an address (WHATWG URL, ends-in-a-number checker).
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    if is_number { Err(Refusal::OddNumber) } else { Ok(Host::Name(name)) }
}

fn is_label(label: &str) -> bool {
    // A label of another script that holds none of its letters: some readers decode it to the plain name.
    let is_masked = label.starts_with(ACE_PREFIX) && label.ends_with('-');
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && !is_masked
        && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// The port behind the host: nothing, or a colon and a number.
fn port_of(text: &str, is_secure: bool) -> Result<u16, Refusal> {
    if text.is_empty() {
        return Ok(if is_secure { 443 } else { 80 });
    }
    let digits = text.strip_prefix(':').ok_or(Refusal::Host)?;
    match digits.parse() {
        Ok(port @ 1..) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(Refusal::Port),
    }
}

/// Whether a server that decodes before it walks could meet a `.` or `..`.
fn has_dot_segment(path: &str) -> bool {
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let ahead = (byte == b'%').then(|| escaped(&mut bytes.clone())).flatten();
        if ahead.is_some() {
            bytes.nth(1);
        }
        decoded.push(ahead.unwrap_or(byte));
    }
    decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|it| matches!(it, b"." | b".."))
}

/// RFC 3986 5.2.4, with `%2e` for a dot as well (WHATWG URL, double-dot URL path segment).
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            ".." => {
                kept.pop();
            }
            "." => {}
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if is_last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// RFC 3986 3.1.
fn has_scheme(location: &str) -> bool {
    let (before, after) = cut_before(location, &[':', '/']);
    after.starts_with(':')
        && before.starts_with(|c: char| c.is_ascii_alphabetic())
        && before.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or_default()
}

fn cut_before<'a>(text: &'a str, at: &[char]) -> (&'a str, &'a str) {
    text.split_at_checked(text.find(at).unwrap_or(text.len())).unwrap_or((text, ""))
}

/// Whether a character may stand in a URL as it is (RFC 3986 appendix A, `#` excepted).
pub(crate) fn is_url_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=%".contains(c)
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
