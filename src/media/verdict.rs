//! Whether what the transformer sent is what was ordered. Status 200 is not success
//! (stream/transform-videos/troubleshooting; field reports of errors and originals under 200).

use http::{HeaderMap, header};

use crate::cache::ports::{
    CDN_CACHE_CONTROL, CF_RESIZED, CLOUDFLARE_CDN_CACHE_CONTROL, Fault, Reply,
};
use crate::cache::reason::{NotKept, Unfit};
use crate::request::recipe::Recipe;

/// A rendition worth serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Bytes, where the transformer announced them.
    pub length: Option<u64>,
    /// Why it must not be kept in any tier, if so.
    pub not_kept: Option<NotKept>,
}

/// Judges the headers of an answer. `source_length` is what the source says of itself, where it was asked.
pub fn judge<B>(
    recipe: &Recipe,
    answer: &Result<Reply<B>, Fault>,
    source_length: Option<u64>,
) -> Result<Fit, Unfit> {
    let reply = match answer {
        Ok(reply) => reply,
        Err(Fault::TimedOut { .. }) => return Err(Unfit::TimedOut),
        Err(
            Fault::Unavailable(_)
            | Fault::Corrupt(_)
            | Fault::TooLarge { .. }
            | Fault::BrokenOff
            | Fault::Missing
            | Fault::Superseded
            | Fault::Purged
            | Fault::SecretMissing(_)
            | Fault::Refused { .. },
        ) => return Err(Unfit::NoAnswer),
    };
    if let Some(code) = error_code(&reply.headers) {
        return Err(Unfit::TransformError(code));
    }
    match reply.status {
        200 => {}
        206 => return Err(Unfit::Partial),
        status => return Err(Unfit::Status(status)),
    }
    if !has_type(&reply.headers, recipe.format.content_type()) {
        return Err(Unfit::ContentType);
    }
    let length = content_length(&reply.headers);
    if length == Some(0) {
        return Err(Unfit::Empty);
    }
    if length.is_some() && length == source_length {
        return Err(Unfit::Untransformed);
    }
    Ok(Fit { length, not_kept: not_kept(&reply.headers) })
}

/// The code of `Cf-Resized: err=<code>`; 0 where the code is no number.
pub fn error_code(headers: &HeaderMap) -> Option<u16> {
    let value = headers.get(CF_RESIZED)?.to_str().ok()?;
    let code = value.split([',', ' ', ';']).find_map(|part| part.trim().strip_prefix("err="))?;
    Some(code.parse().unwrap_or(0))
}

/// `Content-Length`, where there is exactly one and it is a number.
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let length = values.next()?.to_str().ok()?.trim().parse().ok()?;
    values.next().is_none().then_some(length)
}

fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
}

fn not_kept(headers: &HeaderMap) -> Option<NotKept> {
    if headers.contains_key(header::SET_COOKIE) {
        return Some(NotKept::SetCookie);
    }
    if headers.get(header::VARY).is_some_and(|vary| vary.as_bytes().contains(&b'*')) {
        return Some(NotKept::VaryStar);
    }
    // The most targeted of the three decides (RFC 9213, 2.2).
    let targeted = [CLOUDFLARE_CDN_CACHE_CONTROL, CDN_CACHE_CONTROL];
    let decisive = targeted.into_iter().find(|name| headers.contains_key(name));
    headers
        .get_all(decisive.unwrap_or(header::CACHE_CONTROL))
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|directive| {
            directive.split('=').next().unwrap_or_default().trim().to_ascii_lowercase()
        })
        .find_map(|name| match name.as_str() {
            "no-store" => Some(NotKept::NoStore),
            "private" => Some(NotKept::Private),
            _ => None,
        })
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
