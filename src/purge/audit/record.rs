//! One record of the audit log: whether it is a purge of ours, and of what.
//!
//! Read liberally: members we do not know are ignored, members may be missing, and the request may be an object or
//! the text of one. Meant strictly: of a purge of our zone that succeeded nothing is dropped. What cannot be
//! understood of it purges everything softly: viewers get what is new after one more request, and it costs a renewal
//! of what is asked for, not an outage.

use crate::cache::key::digest_128;
use crate::config::Config;
use crate::http::timestamp;
use crate::json::Value;
use crate::limits::BY_CHARS_MAX;
use crate::purge::aim;
use crate::purge::ledger::Mode;
use crate::purge::order::Order;
use crate::purge::zone::payload_digest;

/// `resource.product` of cache purges (changelog of 2025-11-25).
pub(super) const PRODUCT: &str = "purge_cache";

/// What a record is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// No purge, or of another zone.
    Other,
    /// A purge that was refused.
    Failed,
    /// A purge of our zone.
    Purge {
        /// What was purged; aimed at nothing where none of it can be ours.
        order: Box<Order>,
        /// What was sent, by [`payload_digest`].
        payload: String,
        /// Whether that is all that was purged.
        is_understood: bool,
    },
}

/// What names a record: its own id, or a hash of all of it.
pub(super) fn id(record: &Value) -> String {
    text(record, "/id").map_or_else(|| digest_128(&record.to_string()), str::to_owned)
}

/// When it happened, in milliseconds since 1970.
pub(super) fn time_ms(record: &Value) -> Option<u64> {
    timestamp::parse(text(record, "/action/time")?)
}

/// What the record is to a worker of this zone.
pub(super) fn read(record: &Value, zone_id: &str, config: &Config) -> Reading {
    if !is_purge(record) || !is_in_zone(record, zone_id) {
        return Reading::Other;
    }
    if !has_succeeded(record) {
        return Reading::Failed;
    }
    let request = match record.pointer("/resource/request") {
        Some(Value::String(text)) => Value::parse(text).unwrap_or_default(),
        request => request.cloned().unwrap_or_default(),
    };
    let (by, note) = author(record);
    let mut order = Order::of(Mode::Hard, by, note);
    let is_understood = aim_at(&mut order, &request, config);
    order.settle();
    Reading::Purge { order: Box::new(order), payload: payload_digest(&request), is_understood }
}

/// Who purged, and from where.
fn author(record: &Value) -> (String, String) {
    let names = ["/actor/email", "/actor/token_name", "/actor/id"];
    let by = names.iter().find_map(|name| text(record, name)).unwrap_or_default();
    let from = text(record, "/actor/context").unwrap_or("unknown");
    let short = |text: &str| -> String {
        text.chars().filter(|it| !it.is_control()).take(BY_CHARS_MAX).collect()
    };
    (short(by), format!("purged at Cloudflare ({})", short(from)))
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

/// Every form of a purge that there is in the body of one; whether all of it was understood.
fn aim_at(order: &mut Order, request: &Value, config: &Config) -> bool {
    let (mut is_understood, mut is_any) = (true, false);
    let mut each = |member: &str, aim: &mut dyn FnMut(&mut Order, &Value) -> Option<()>| {
        let one;
        let items = match request.get(member) {
            None | Some(Value::Null) => return,
            Some(Value::Array(items)) => items.as_slice(),
            Some(other) => {
                one = [other.clone()];
                &one
            }
        };
        is_any |= !items.is_empty();
        for item in items {
            is_understood &= aim(order, item).is_some();
        }
    };
    each("purge_everything", &mut |order, item| {
        if item.as_bool().or_else(|| (item.as_str()? == "true").then_some(true))? {
            order.aim_at_everything();
        }
        Some(())
    });
    each("tags", &mut |order, item| {
        // A tag of another form is on nothing of ours.
        for tag in words(item)?.split(',').filter_map(|tag| aim::tag(tag.trim()).ok()) {
            order.aim_at_tag(tag);
        }
        Some(())
    });
    each("hosts", &mut |order, item| {
        order.aim_at_host(aim::host(words(item)?).ok()?);
        Some(())
    });
    each("prefixes", &mut |order, item| aim_at_prefix(order, words(item)?));
    each("files", &mut |order, item| {
        let url = item.as_str().or_else(|| text(item, "/url"))?;
        // What is refused is no video of ours, and nothing is kept there.
        let _ = order.aim_at_url(url, config);
        Some(())
    });
    is_understood && is_any
}

/// `host/path`, with or without a scheme. What is too long, or no path of ours, is widened to its host.
fn aim_at_prefix(order: &mut Order, text: &str) -> Option<()> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next()?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    match aim::prefix(rest) {
        Ok(prefix) if !path.is_empty() => order.aim_at_prefix(prefix),
        _ => order.aim_at_host(aim::host(host).ok()?),
    }
    Some(())
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

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
