//! One record of the audit log: whether it is a purge of ours, and of what.
//!
//! Read liberally: members we do not know are ignored, members may be missing, and the request may be an object or
//! the text of one. Meant strictly: of a purge of our zone that succeeded nothing is dropped. What cannot be
//! understood of it purges everything softly: viewers get what is new after one more request, and it costs a renewal
//! of what is asked for, not an outage.

use serde_json::Value;

use crate::http::timestamp;
use crate::limits::{AUDIT_ID_BYTES_MAX, PURGE_PREFIX_BYTES_MAX};
use crate::purge::ports::API_AGENT;
use crate::purge::target::{Prefix, Target};
use crate::request::path::SourcePath;

/// `resource.product` of cache purges (changelog of 2025-11-25).
pub const PRODUCT: &str = "purge_cache";

/// What a record is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// No purge, or of another zone.
    Other,
    /// A purge that was refused.
    Failed,
    /// A purge of the zone that this product made itself: who asked it for that has purged everything else as well.
    Own,
    /// A purge of ours.
    Purge {
        /// What was purged; empty where none of it can be ours.
        targets: Vec<Target>,
        /// Whether that is all that was purged.
        is_understood: bool,
    },
}

/// What names a record: its own id, or a hash of all of it.
pub fn id(record: &Value) -> String {
    match text(record, "/id") {
        Some(id) if id.len() <= AUDIT_ID_BYTES_MAX => id.to_owned(),
        Some(id) => format!("hash:{:016x}", hash(id)),
        None => format!("hash:{:016x}", hash(&record.to_string())),
    }
}

/// When it happened, in milliseconds since 1970.
pub fn time_ms(record: &Value) -> Option<u64> {
    timestamp::parse(text(record, "/action/time")?)
}

/// Who purged, and from where.
pub fn author(record: &Value) -> (String, String) {
    let names = ["/actor/email", "/actor/token_name", "/actor/id"];
    let by = names.iter().find_map(|name| text(record, name)).unwrap_or_default();
    let from = text(record, "/actor/context").unwrap_or("unknown");
    (by.to_owned(), format!("purged at Cloudflare ({from})"))
}

/// What the record is to a worker of this zone.
pub fn read(
    record: &Value,
    zone_id: &str,
    targets_of_url: impl Fn(&str) -> Vec<Target>,
) -> Reading {
    if !is_purge(record) || !is_in_zone(record, zone_id) {
        return Reading::Other;
    }
    if !has_succeeded(record) {
        return Reading::Failed;
    }
    if text(record, "/raw/user_agent") == Some(API_AGENT) {
        return Reading::Own;
    }
    let request = match record.pointer("/resource/request") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        request => request.cloned().unwrap_or_default(),
    };
    targets(&request, targets_of_url)
}

/// By its product, or where that is missing by its address.
fn is_purge(record: &Value) -> bool {
    match text(record, "/resource/product") {
        Some(product) => product.eq_ignore_ascii_case(PRODUCT),
        None => uri_path(record).is_some_and(|path| path.ends_with("/purge_cache")),
    }
}

/// Only our zone was asked for: a record that names none is ours, unless its address says otherwise.
fn is_in_zone(record: &Value, zone_id: &str) -> bool {
    if let Some(zone) = text(record, "/zone/id") {
        return zone.eq_ignore_ascii_case(zone_id);
    }
    let of_uri = uri_path(record).and_then(|path| path.split_once("/zones/"));
    let of_uri = of_uri.and_then(|(_, rest)| rest.split('/').next());
    of_uri.is_none_or(|zone| zone.eq_ignore_ascii_case(zone_id))
}

/// Neither its result nor its status says otherwise.
fn has_succeeded(record: &Value) -> bool {
    let status = record.pointer("/raw/status_code");
    let status = status.and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
    let result = text(record, "/action/result");
    result.is_none_or(|result| result.eq_ignore_ascii_case("success"))
        && status.is_none_or(|status| (200..300).contains(&status))
}

/// Of the body of a purge: every form of it that there is.
fn targets(request: &Value, targets_of_url: impl Fn(&str) -> Vec<Target>) -> Reading {
    let (mut targets, mut is_understood, mut is_any) = (Vec::new(), true, false);
    let mut each = |member: &str, read: &dyn Fn(&Value) -> Option<Vec<Target>>| {
        let one;
        let items = match request.get(member) {
            None | Some(Value::Null) => return,
            Some(Value::Array(items)) => items.as_slice(),
            Some(other) => {
                one = [other.clone()];
                &one
            }
        };
        for item in items {
            is_any = true;
            match read(item) {
                Some(found) => targets.extend(found),
                None => is_understood = false,
            }
        }
    };
    each("purge_everything", &|item| match item {
        Value::Bool(true) => Some(vec![Target::Everything]),
        Value::Bool(false) => Some(Vec::new()),
        Value::String(word) if word == "true" => Some(vec![Target::Everything]),
        _ => None,
    });
    each("tags", &|item| Some(vec![Target::Tag(words(item)?.to_owned())]));
    each("hosts", &|item| Some(vec![Target::Host(host(words(item)?)?)]));
    each("prefixes", &|item| Some(vec![prefix(words(item)?)?]));
    each("files", &|item| {
        let url = item.as_str().or_else(|| text(item, "/url"))?;
        Some(targets_of_url(url))
    });
    Reading::Purge { targets, is_understood: is_understood && is_any }
}

/// `host/path` as the purge of prefixes has it, with or without a scheme. What is too long or no path of ours is cut
/// back to what covers it.
fn prefix(text: &str) -> Option<Target> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (on, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let on = host(on)?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let canonical = match SourcePath::parse(path) {
        Ok(path) => path.without_slash().to_owned(),
        Err(_) => String::new(),
    };
    if canonical.is_empty() {
        return Some(Target::Host(on));
    }
    let path = canonical.get(..canonical.len().min(PURGE_PREFIX_BYTES_MAX))?.to_owned();
    Some(Target::Prefix(Prefix { host: on, path }))
}

/// A host in lower case, with its port.
fn host(text: &str) -> Option<String> {
    let is_host = !text.is_empty() && !text.contains(|it: char| it == '/' || it.is_whitespace());
    is_host.then(|| text.to_ascii_lowercase())
}

/// A text that says something.
fn words(item: &Value) -> Option<&str> {
    item.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn text<'a>(record: &'a Value, path: &str) -> Option<&'a str> {
    record.pointer(path).and_then(words)
}

fn uri_path(record: &Value) -> Option<&str> {
    text(record, "/raw/uri")?.split(['?', '#']).next()
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
