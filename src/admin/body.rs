//! The body of a call: one JSON document, bounded.

use ::http::header;

use super::refusal::Refusal;
use crate::cache::ports::{Body, Held};
use crate::http::content_type::Essence;
use crate::json::Value;
use crate::limits::{ADMIN_BODY_BYTES_MAX, ADMIN_BODY_STALL_MS};
use crate::request::ask::Ask;

/// A document as it was sent, and what it says.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) text: String,
    pub(super) value: Value,
}

/// Reads all of a body, or as much as shows that it is too long.
pub(super) async fn read<B: Body>(ask: &Ask, body: B) -> Result<Document, Refusal> {
    let essence = ask.headers.get(header::CONTENT_TYPE);
    let essence = essence.and_then(|value| Essence::parse(value.as_bytes()));
    if essence.is_none_or(|essence| essence.as_str() != "application/json") {
        body.discard();
        return Err(Refusal::NotJson);
    }
    let mut body = body.stalling(ADMIN_BODY_STALL_MS);
    let taken = body.take(ADMIN_BODY_BYTES_MAX + 1).await;
    body.discard();
    let taken = taken.map_err(|fault| Refusal::invalid("", format!("the body: {fault}")))?;
    if taken.length() > ADMIN_BODY_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let text = String::from_utf8(taken.to_vec())
        .map_err(|_| Refusal::invalid("", "the body is not UTF-8"))?;
    match Value::parse(&text) {
        Ok(value) => Ok(Document { text, value }),
        Err(cause) => Err(Refusal::invalid("", format!("the body is not JSON: {cause}"))),
    }
}
