//! What may stand at a key: each kind says what it wants, and takes a value or gives advice.

use http::{HeaderName, HeaderValue};
use regex_lite::{Regex, RegexBuilder};

use super::{address, template, time};
use crate::admin::auth;
use crate::json::Value;
use crate::media::relay::KEY_SECRET;
use crate::purge::audit::AUDIT_TOKEN_SECRET;
use crate::purge::settings::TOKEN_SECRET;

/// What may stand at a key.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
        /// Of what; empty for a plain number.
        unit: &'static str,
    },
    /// A moment or a length: `5s`, `1500ms`, `1m`, or a number of seconds.
    Time {
        /// Shortest, in milliseconds.
        min_ms: u32,
        /// Longest, in milliseconds.
        max_ms: u32,
    },
    /// One of a few words.
    Words(&'static [&'static str]),
    /// A text.
    Text {
        /// Most bytes.
        bytes_max: usize,
        /// Which characters.
        chars: Chars,
    },
    /// The name of a secret.
    Secret,
    /// A regular expression.
    Pattern,
    /// A source's URL with captures.
    Template,
    /// `https://host/path`.
    BaseUrl,
    /// `https://host`.
    HostUrl,
    /// `https://host` or `*`.
    WebOrigin,
    /// The name of an HTTP header.
    HeaderName {
        /// Lower-case names that are not for the operator.
        refused: &'static [&'static str],
    },
    /// The value of an HTTP header.
    HeaderValue,
    /// A list; its elements have a row of their own.
    List {
        /// Fewest elements.
        count_min: usize,
        /// Most elements.
        count_max: usize,
    },
    /// A map with keys of the operator's; its values have rows of their own.
    Map {
        /// Most entries.
        count_max: usize,
        /// What a key may be.
        keys: &'static Kind,
    },
}

/// Which characters a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chars {
    /// Visible ASCII and spaces; may be empty.
    Printable,
    /// `[a-z0-9-]`, not empty.
    Name,
    /// `[a-z0-9]`, not empty.
    Extension,
    /// `[a-z0-9_.-]`, not empty.
    Parameter,
    /// Visible ASCII without comma: what a cache tag may hold; may be empty.
    Tag,
    /// `/name` or `/name/name`, of `[A-Za-z0-9_-]`: a folder of this worker's own.
    Folder,
}

/// Response headers that the worker computes, or that belong to one connection (RFC 9110 7.6.1).
pub(super) const RESPONSE_HEADERS_OURS: &[&str] = &[
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "cache-status",
    "cache-tag",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "location",
    "proxy-authenticate",
    "proxy-connection",
    "server-timing",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
];

/// Request headers that HTTP itself, the platform or the worker decides.
pub(super) const REQUEST_HEADERS_OURS: &[&str] = &[
    "accept-encoding",
    "cdn-loop",
    "cf-connecting-ip",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Bytes of a pattern: longer ones are lists of paths and belong into several rules.
const PATTERN_BYTES_MAX: usize = 512;
/// Bytes of a compiled pattern: `\w{999}{999}` is short and huge, and each step of the path visits all of it.
const PATTERN_COMPILED_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an address or template: it must fit, filled in, into the transformation's URL.
const URL_BYTES_MAX: usize = 1_024;
/// Bytes of the value of a configured header.
const HEADER_VALUE_BYTES_MAX: usize = 1_024;
/// Bytes of the name of a configured header.
const HEADER_NAME_BYTES_MAX: usize = 64;
/// Bytes of the name of a secret.
const SECRET_BYTES_MAX: usize = 64;

impl Kind {
    /// Takes a value in its canonical form (a time as whole milliseconds, a header name in lower case), or gives advice.
    ///
    /// Lists and maps are taken as they are: their parts have rows of their own.
    pub(super) fn accept(&self, value: &Value) -> Result<Value, &'static str> {
        match *self {
            Self::Bool => match (value, value.as_str()) {
                (Value::Bool(_), _) => Ok(value.clone()),
                (_, Some("true" | "false")) => Err("write it without quotes"),
                _ => Err("write true or false"),
            },
            Self::Integer { min, max, .. } => accept_integer(value, min, max),
            Self::Time { min_ms, max_ms } => time::accept(value, min_ms, max_ms),
            Self::List { count_min, count_max } => {
                let list = value.as_array().ok_or("write [ … ]")?;
                if list.len() < count_min {
                    return Err("add one");
                }
                if list.len() > count_max {
                    return Err("leave some out");
                }
                Ok(value.clone())
            }
            Self::Map { count_max, .. } => {
                let map = value.as_object().ok_or("write { … }")?;
                if map.len() > count_max {
                    return Err("leave some out");
                }
                Ok(value.clone())
            }
            Self::Words(_)
            | Self::Text { .. }
            | Self::Secret
            | Self::Pattern
            | Self::Template
            | Self::BaseUrl
            | Self::HostUrl
            | Self::WebOrigin
            | Self::HeaderName { .. }
            | Self::HeaderValue => {
                let text = value.as_str().ok_or("write a text in quotes")?;
                self.accept_text(text).map(Value::String)
            }
        }
    }

    fn accept_text(&self, text: &str) -> Result<String, &'static str> {
        match *self {
            Self::Words(words) if words.contains(&text) => {}
            Self::Words(_) => return Err("write one of these words"),
            Self::Text { bytes_max, chars } => chars.check(text, bytes_max)?,
            Self::Secret => check_secret(text)?,
            Self::Pattern => drop(compile(text)?),
            Self::Template => {
                within(text, URL_BYTES_MAX)?;
                template::pieces(text)?;
            }
            Self::BaseUrl => {
                within(text, URL_BYTES_MAX)?;
                address::parse(text)?;
                return Ok(text.trim_end_matches('/').to_owned());
            }
            Self::WebOrigin if text == "*" => {}
            Self::HostUrl | Self::WebOrigin => return host_url(text),
            Self::HeaderName { refused } => {
                within(text, HEADER_NAME_BYTES_MAX)?;
                let name = HeaderName::from_bytes(text.as_bytes())
                    .map_err(|_| "write a valid header name")?;
                if refused.contains(&name.as_str()) {
                    return Err("choose another: this header is not for configuration to decide");
                }
                return Ok(name.as_str().to_owned());
            }
            Self::HeaderValue => {
                within(text, HEADER_VALUE_BYTES_MAX)?;
                let value =
                    HeaderValue::from_str(text).map_err(|_| "leave out control characters")?;
                value.to_str().map_err(|_| "write it in visible ASCII")?;
            }
            Self::Bool
            | Self::Integer { .. }
            | Self::Time { .. }
            | Self::List { .. }
            | Self::Map { .. } => return Err("do not write it as a text"),
        }
        Ok(text.to_owned())
    }

    /// What it wants, for errors and for the reference.
    pub fn wanted(&self) -> String {
        match *self {
            Self::Bool => "true or false".to_owned(),
            Self::Integer { min, max, unit: "" } => format!("a whole number from {min} to {max}"),
            Self::Integer { min, max, unit } => {
                format!("a whole number from {min} to {max} ({unit})")
            }
            Self::Time { min_ms, max_ms } => format!(
                "a time from {} to {}, as `5s`, `1500ms`, `1m` or a number of seconds",
                time::shown(min_ms),
                time::shown(max_ms)
            ),
            Self::Words(words) => format!("one of `{}`", words.join("`, `")),
            Self::Text { bytes_max, chars } => {
                format!("a text of at most {bytes_max} bytes: {}", chars.wanted())
            }
            Self::Secret => format!(
                "the name of a secret: upper-case letters, digits and `_`, at most {SECRET_BYTES_MAX} bytes"
            ),
            Self::Pattern => format!("a regular expression of at most {PATTERN_BYTES_MAX} bytes"),
            Self::Template => format!(
                "`https://host/path` or `{{request-origin}}/path` with captures in the path, at most {URL_BYTES_MAX} bytes"
            ),
            Self::BaseUrl => format!("`https://host[:port][/path]`, at most {URL_BYTES_MAX} bytes"),
            Self::HostUrl => "`https://host[:port]`".to_owned(),
            Self::WebOrigin => "`https://host[:port]` or `*`".to_owned(),
            Self::HeaderName { .. } => {
                format!(
                    "a header name of at most {HEADER_NAME_BYTES_MAX} bytes that is free to choose"
                )
            }
            Self::HeaderValue => {
                format!("visible ASCII and spaces, at most {HEADER_VALUE_BYTES_MAX} bytes")
            }
            Self::List { count_min, count_max } => format!("a list of {count_min} to {count_max}"),
            Self::Map { count_max, keys } => {
                format!("at most {count_max} entries; each key {}", keys.wanted())
            }
        }
    }
}

impl Chars {
    fn check(self, text: &str, bytes_max: usize) -> Result<(), &'static str> {
        within(text, bytes_max)?;
        let allowed = |byte: u8| match self {
            Self::Printable => matches!(byte, b' '..=b'~'),
            Self::Name => matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'),
            Self::Extension => matches!(byte, b'a'..=b'z' | b'0'..=b'9'),
            Self::Parameter => matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'),
            Self::Tag => matches!(byte, b'!'..=b'~') && byte != b',',
            Self::Folder => byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-'),
        };
        if !text.bytes().all(allowed) {
            return Err("use the allowed characters only");
        }
        match self {
            Self::Name | Self::Extension | Self::Parameter if text.is_empty() => {
                Err("do not leave it empty")
            }
            Self::Folder => check_folder(text),
            Self::Printable | Self::Name | Self::Extension | Self::Parameter | Self::Tag => Ok(()),
        }
    }

    const fn wanted(self) -> &'static str {
        match self {
            Self::Printable => "visible ASCII and spaces",
            Self::Name => "`a-z`, `0-9` and `-`",
            Self::Extension => "`a-z` and `0-9`",
            Self::Parameter => "`a-z`, `0-9`, `_`, `.` and `-`",
            Self::Tag => "visible ASCII without spaces and commas",
            Self::Folder => "`/name` or `/name/name`, of letters, digits, `_` and `-`",
        }
    }
}

/// Compiles a pattern within bounds; the error is advice.
pub(super) fn compile(pattern: &str) -> Result<Regex, &'static str> {
    within(pattern, PATTERN_BYTES_MAX)?;
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_COMPILED_BYTES_MAX)
        .build()
        .map_err(|_| "close its groups, keep repetitions small; there is no look-around")
}

fn within(text: &str, bytes_max: usize) -> Result<(), &'static str> {
    if text.len() > bytes_max { Err("shorten it") } else { Ok(()) }
}

fn check_folder(text: &str) -> Result<(), &'static str> {
    let names = text.strip_prefix('/').ok_or("begin with a slash")?;
    if names.split('/').any(str::is_empty) {
        return Err("leave out slashes at the end and double ones");
    }
    if text == "/cdn-cgi" || text.starts_with("/cdn-cgi/") || text.starts_with("/_resizer/source") {
        return Err("choose another: what is there is not for configuration to move");
    }
    Ok(())
}

/// The worker's own secrets: under a source's `auth` one of them would be sent to that source.
const SECRETS_OURS: [&str; 5] =
    [auth::FULL_SECRET, auth::READ_SECRET, KEY_SECRET, TOKEN_SECRET, AUDIT_TOKEN_SECRET];

fn check_secret(text: &str) -> Result<(), &'static str> {
    if SECRETS_OURS.contains(&text) {
        return Err("name a secret of its own: this one is the worker's");
    }
    let name = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    if name && text.len() <= SECRET_BYTES_MAX {
        Ok(())
    } else {
        Err("write a name such as ORIGIN_TOKEN, and store the value with \
             `wrangler secret put ORIGIN_TOKEN`; if this is the value itself, replace it")
    }
}

fn host_url(text: &str) -> Result<String, &'static str> {
    within(text, URL_BYTES_MAX)?;
    let parsed = address::parse(text)?;
    match parsed.path {
        "" | "/" => Ok(parsed.origin.to_owned()),
        _ => Err("leave out the path"),
    }
}

fn accept_integer(value: &Value, min: u64, max: u64) -> Result<Value, &'static str> {
    if value.as_str().is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit())) {
        return Err("write it without quotes");
    }
    let number = value.as_u64().ok_or("write a whole number, not negative")?;
    if number < min {
        return Err("raise it");
    }
    if number > max {
        return Err("lower it");
    }
    Ok(value.clone())
}
