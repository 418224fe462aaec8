//! Signed URLs: whoever has a key decides what is asked, and for how long.
//!
//! The signature is HMAC-SHA256 over the [`canonical`] request, so any spelling of the same URL carries it:
//!
//! ```text
//! video-resizer url 1
//! /clips/a%20b.mp4
//! exp=1800000000&kid=k1&width=640
//! ```
//!
//! A word for what is signed and in which way, so that neither a relayed address nor a later way can be taken
//! for it; the path in its one spelling; every pair of the query, those that mean nothing included.
//! The host is not signed: a key is a worker's. `cli/sign.mjs` makes such URLs, and both are held to
//! `tests/signature-vectors.json`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt::Write as _;
use subtle::ConstantTimeEq;

use crate::cache::ports::{Clock, Fault, Secrets};
use crate::config::Signing;
use crate::request::path::SourcePath;
use crate::request::query::{Query, Value};
use crate::request::rejection::Rejection;

/// Bytes a key must have to count as one.
pub const KEY_BYTES_MIN: usize = 16;

/// The parameter of the signature: 32 bytes in base64url without padding.
const SIGNATURE: &str = "sig";
/// The parameter of the key's id.
const KEY_ID: &str = "kid";
/// The parameter of the URL's end: whole seconds since 1970.
const EXPIRES: &str = "exp";
/// Changes nothing about a rendition and has a guard of its own: a signed URL can be debugged as it is.
const DEBUG: &str = "debug";
/// First line of what is signed.
const DOMAIN: &str = "video-resizer url 1";

/// A genuine signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Id of the key.
    pub kid: String,
    /// Seconds since 1970 from which on it counts no more; `None` where it always does.
    pub expires_s: Option<u64>,
}

/// Holds a URL to its signature; asks nobody.
///
/// That a signature is not genuine is said in the same words, and after the same work, whatever is wrong with
/// it: an unknown key, a missing secret, a URL that was changed. Only whoever has a key hears of its end.
/// `sig`, `kid` and `exp` are each written once, whatever the configuration makes of repetitions.
pub fn check(
    host: &(impl Secrets + Clock),
    signing: &Signing,
    path: &SourcePath,
    query: &Query<'_>,
) -> Result<Signed, Rejection> {
    let given = only(query, SIGNATURE)?.ok_or(Rejection::SignatureMissing)?;
    let kid = only(query, KEY_ID)?.unwrap_or_default();
    let expires = only(query, EXPIRES)?;

    let key = key(host, signing, kid);
    let message = canonical(path, query);
    let wanted = mac(key.as_deref().unwrap_or_default(), message.as_deref().unwrap_or_default());
    let given = URL_SAFE_NO_PAD.decode(given).unwrap_or_default();
    let same: bool = given.ct_eq(&wanted).into();
    if !same || key.is_none() || message.is_none() {
        return Err(Rejection::SignatureInvalid { reason: "it is not one of this URL" });
    }

    let expires_s = expires.map(seconds).transpose()?;
    let now_s = host.now_ms() / 1000;
    match expires_s {
        None if signing.require_expiry => {
            Err(Rejection::SignatureInvalid { reason: "exp must say when it ends" })
        }
        Some(expires_s) if expires_s <= now_s => Err(Rejection::SignatureExpired { expires_s }),
        Some(expires_s)
            if signing.expires_max_s > 0 && expires_s - now_s > signing.expires_max_s =>
        {
            Err(Rejection::SignatureInvalid { reason: "exp is too far in the future" })
        }
        _ => Ok(Signed { kid: kid.to_owned(), expires_s }),
    }
}

/// What is signed: a word for the way of signing, the path, and the query but for `sig` and `debug`.
///
/// Of every pair the name is in lower case, name and value are percent-encoded but for the unreserved
/// characters (RFC 3986 2.3), and the pairs are sorted as bytes. `None` where a value cannot be decoded.
pub fn canonical(path: &SourcePath, query: &Query<'_>) -> Option<String> {
    let mut pairs: Vec<String> = Vec::new();
    for pair in query.pairs() {
        if [SIGNATURE, DEBUG].iter().any(|name| pair.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        let Value::Text(value) = &pair.value else { return None };
        let mut signed = String::with_capacity(pair.name.len() + 1 + value.len());
        encode(&mut signed, pair.name.bytes().map(|byte| byte.to_ascii_lowercase()));
        signed.push('=');
        encode(&mut signed, value.bytes());
        // There are few, and a sort of the standard library is four kilobytes of the wasm.
        pairs.insert(pairs.partition_point(|it| *it <= signed), signed);
    }
    Some(format!("{DOMAIN}\n{path}\n{}", pairs.join("&")))
}

fn encode(encoded: &mut String, bytes: impl Iterator<Item = u8>) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
}

/// The one value of a name; what cannot be decoded is as good as empty.
fn only<'a>(query: &'a Query<'_>, name: &'static str) -> Result<Option<&'a str>, Rejection> {
    let mut values = query.pairs().filter(|pair| pair.name.eq_ignore_ascii_case(name));
    let first = values.next();
    if values.next().is_some() {
        return Err(Rejection::Duplicate { parameter: name.to_owned() });
    }
    Ok(first.map(|pair| match &pair.value {
        Value::Text(text) => &**text,
        Value::Garbled(_) => "",
    }))
}

/// The key of an id; that a configured one is not there is the operator's to know.
fn key(secrets: &impl Secrets, signing: &Signing, kid: &str) -> Option<String> {
    let name = signing.keys.get(kid)?;
    let key = secrets.secret(name).filter(|key| key.len() >= KEY_BYTES_MIN);
    if key.is_none() {
        let fault = Fault::SecretMissing(name.clone());
        tracing::warn!(kid, fault = %fault, "a signing key is missing");
    }
    key
}

fn mac(key: &str, message: &str) -> Vec<u8> {
    // HMAC takes keys of any length; the error exists for other MACs.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return Vec::new() };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn seconds(text: &str) -> Result<u64, Rejection> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let refused = Rejection::SignatureInvalid { reason: "exp is no number of seconds" };
    text.parse().ok().filter(|_| digits).ok_or(refused)
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
