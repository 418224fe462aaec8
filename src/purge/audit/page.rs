//! One page of the audit log.

use super::AuditLog;
use super::record::PRODUCT;
use crate::cache::ports::Fault;
use crate::http::date::rfc3339;
use crate::json::Value;
use crate::limits::AUDIT_PAGE_TIMEOUT_MS;
use crate::purge::ports::{ApiCall, CloudflareApi};

/// Bytes of what the API says is wrong that go into the log.
const MESSAGE_BYTES_MAX: usize = 200;

/// What a page has.
#[derive(Debug)]
pub(super) struct Page {
    /// As they came.
    pub(super) records: Vec<Value>,
    /// What to ask for the next page with; `None` after the last.
    pub(super) next: Option<String>,
}

/// Asks for a page of what was purged in our zone from `from_ms` to `before_ms`, the oldest first.
pub(super) async fn ask<A: CloudflareApi>(
    api: &A,
    log: &AuditLog<'_>,
    (from_ms, before_ms): (u64, u64),
    limit: u32,
    cursor: Option<&str>,
) -> Result<Page, Fault> {
    let AuditLog { account_id, zone_id, token, config } = log;
    // Whole seconds, outwards: the documents show no fractions.
    let since = seconds(from_ms);
    let before = seconds(before_ms.div_ceil(1_000) * 1_000);
    let mut url = format!(
        "{}/accounts/{account_id}/logs/audit?since={since}&before={before}&direction=asc&limit={limit}\
         &resource_product={PRODUCT}&zone_id={zone_id}",
        config.purge.api_url
    );
    if let Some(cursor) = cursor {
        url.push_str("&cursor=");
        url.extend(form_urlencoded(cursor));
    }
    let call = ApiCall { url, token: token.clone(), body: None, budget_ms: AUDIT_PAGE_TIMEOUT_MS };
    let answer = api.call(&call).await?;
    if answer.status != 200 {
        let said = Value::parse(&answer.body).unwrap_or_default();
        return Err(refused(answer.status, message(&said)));
    }
    let mut answer = Value::parse(&answer.body).map_err(|_| MISSHAPEN)?;
    match answer.get("success") {
        None | Some(Value::Null | Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(refused(200, message(&answer))),
        Some(_) => return Err(MISSHAPEN),
    }
    let next = next(&answer);
    match answer.get_mut("result").map(Value::take) {
        Some(Value::Array(records)) => Ok(Page { records, next }),
        None | Some(Value::Null) => Err(Fault::Corrupt("a page of the audit log has no result")),
        Some(_) => Err(MISSHAPEN),
    }
}

const MISSHAPEN: Fault = Fault::Corrupt("a page of the audit log is not JSON of its shape");

fn refused(status: u16, said: &str) -> Fault {
    Fault::Unavailable(format!("Cloudflare's API answered {status} {said}").trim_end().to_owned())
}

/// What to ask for the next page with.
fn next(answer: &Value) -> Option<String> {
    let text = |path| answer.pointer(path).and_then(Value::as_str).filter(|it| !it.is_empty());
    let cursor = text("/result_info/cursor").or_else(|| text("/result_info/cursors/after"));
    cursor.map(str::to_owned)
}

/// What the API says is wrong.
fn message(answer: &Value) -> &str {
    let text = answer.pointer("/errors/0/message").and_then(Value::as_str).unwrap_or_default();
    text.get(..text.floor_char_boundary(MESSAGE_BYTES_MAX)).unwrap_or_default()
}

/// `2026-11-23T08:15:30Z`.
fn seconds(at_ms: u64) -> String {
    let text = rfc3339(at_ms);
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// A text as a query may hold it.
fn form_urlencoded(text: &str) -> impl Iterator<Item = String> + '_ {
    text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    })
}
