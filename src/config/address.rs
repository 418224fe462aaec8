//! Addresses in a configuration: a strict reading of `scheme://host[:port][/path]`.
//!
//! The `url` crate would bring its IDNA tables, most of a small worker's wasm;
//! an operator can write a host as it stands on the wire.

use std::net::Ipv6Addr;

use crate::guard::address::is_url_char;

/// Bytes of a host name (RFC 1035 2.3.4, as text).
const HOST_BYTES_MAX: usize = 253;
/// Bytes of one label of a host name (RFC 1035 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// The parts of an address, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// `https://host:port`.
    pub(super) origin: &'a str,
    /// Empty, or beginning with `/`.
    pub(super) path: &'a str,
}

/// Reads an address; the error is advice.
pub(super) fn parse(text: &str) -> Result<Address<'_>, &'static str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or("begin it with https:// or http://")?;
    let authority_bytes = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_bytes);
    check_authority(authority)?;
    check_path(path)?;
    let (origin, path) = text.split_at(text.len() - path.len());
    Ok(Address { origin, path })
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    if authority.contains('@') {
        return Err("put credentials into a secret and name it in auth");
    }
    if authority.contains(['$', '{', '}', '*']) {
        return Err(
            "write the host literally: a host that a request could choose would be fetched",
        );
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or("close the [ of the IPv6 address")?;
        host.parse::<Ipv6Addr>().map_err(|_| "write a valid IPv6 address between [ and ]")?;
        return match port.strip_prefix(':') {
            Some(port) => check_port(port),
            None if port.is_empty() => Ok(()),
            None => Err("write only a :port after the ]"),
        };
    }
    let host = match authority.split_once(':') {
        Some((host, port)) => {
            check_port(port)?;
            host
        }
        None => authority,
    };
    if host.is_empty() {
        return Err("write a host after ://");
    }
    let label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    if host.len() > HOST_BYTES_MAX || !host.split('.').all(label) {
        return Err("write the host in lower-case letters, digits, - and dots (xn--… for others)");
    }
    Ok(())
}

fn check_port(port: &str) -> Result<(), &'static str> {
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(1..) if digits => Ok(()),
        _ => Err("write a port from 1 to 65535"),
    }
}

fn check_path(path: &str) -> Result<(), &'static str> {
    if path.contains(['?', '#']) {
        return Err("leave out ? and # and what follows");
    }
    if !path.chars().all(is_url_char) {
        return Err("percent-encode what is not plain in a URL");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_into_origin_and_path() {
        for (text, origin, path) in [
            ("https://a.example", "https://a.example", ""),
            ("http://127.0.0.1:8788/cdn-cgi/media", "http://127.0.0.1:8788", "/cdn-cgi/media"),
            ("https://[::1]:80/x", "https://[::1]:80", "/x"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]", ""),
            ("https://my_bucket.a-b.example:65535/", "https://my_bucket.a-b.example:65535", "/"),
        ] {
            assert_eq!(parse(text), Ok(Address { origin, path }), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for text in [
            "",
            "a.example",
            "//a.example",
            "ftp://a.example",
            "HTTPS://a.example",
            "https://",
            "https:///path",
            "https://A.example",
            "https://a..example",
            "https://.a",
            "https://a b",
            "https://user@a.example",
            "https://user:pass@a.example",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:65536",
            "https://a.example:+80",
            "https://[::1",
            "https://[::g]",
            "https://[::1]80",
            "https://a?b",
            "https://a/?b",
            "https://a/#b",
            "https://a/ b",
            "https://a/\u{e9}",
            "https://\u{e9}.example",
            "https://a/\\b",
            "https://$1.example",
            "https://{h}/x",
            "https://*.example",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("https://{}", "a".repeat(64))).is_err());
        assert!(parse(&format!("https://{}", ["a"; 128].join("."))).is_err());
    }
}
