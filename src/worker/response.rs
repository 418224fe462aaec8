//! The core's reply as a platform response.

use http::{HeaderMap, header};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;

use super::body::NativeBody;
use super::platform::{self, Context};
use super::task;
use crate::cache::ports::Reply;

/// A response whose body is the platform's own stream, with its length announced where it is known.
///
/// Where its bytes are handed over here, the request lives until its viewer has all or has left: only then what was set
/// up for him can end by itself, and nothing of it stays behind in the isolate.
pub(super) fn native(reply: Reply<NativeBody>, context: &Context) -> Response {
    let Reply { status, headers, body } = reply;
    // Statuses without a body must have none, or the constructor throws (fetch standard, 6.4); a HEAD announces
    // the length of what it does not send.
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let Ok((value, handing)) = body.leave(length, None) else { return bare(500) };
    let Ok(response) = platform::respond(status, &lines(&headers), &value) else {
        return bare(500);
    };
    if let Some(work) = handing.work() {
        task::stay(context, work);
    }
    response
}

/// Each header's name and value, a line each. No value has a line end in it.
fn lines(headers: &HeaderMap) -> String {
    let mut lines = String::with_capacity(LINES_BYTES);
    for (name, value) in headers {
        lines.push_str(name.as_str());
        lines.push('\n');
        lines.push_str(value.to_str().unwrap_or_default());
        lines.push('\n');
    }
    lines
}

/// What those of a hit take.
const LINES_BYTES: usize = 1_536;

/// Only a status. Such a response can always be made.
pub(super) fn bare(status: u16) -> Response {
    platform::respond(status, "", &JsValue::NULL).unwrap_or_else(JsCast::unchecked_into)
}
